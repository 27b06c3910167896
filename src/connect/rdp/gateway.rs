//! The way to a desktop's server: a socket, or a tunnel through an RD Gateway
//! (MS-TSGU), which `ironrdp-mstsgu` speaks. The gateway's certificate is looked at
//! and pinned before, over a connection of its own, and so is what it wants to know; the
//! tunnel then takes that certificate and no other. Decides no trust itself.

use std::ffi::OsString;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use ironrdp_mstsgu::{GwClient, GwConnectTarget};
use ironrdp_tls::{CertificateValidation, CertificateValidationCallback};
use tokio::io::{AsyncRead, AsyncWrite, BufReader, ReadBuf};
use tokio::task::JoinSet;
use tokio::time::timeout;
use zeroize::Zeroize as _;

use super::gateway_fail as fail;
use super::gateway_offer as offer;
use super::login::Login;
use super::sequence::CERTIFICATE;
use super::settings::{GATEWAY_PASSWORD, Settings};
use crate::connect::desk::tls::{self, Ciphers, Wire};
use crate::connect::line::End;
use crate::connect::ssh::{fail as local, hostkey, legacy_serve::stream_of};
use crate::connect::{Failure, Progress};
use crate::model::entry::Slot;
use crate::model::target::HostPort;
use crate::os::{authority, machine};

/// The crate packs what is written at once into one packet, for which it has 8 KiB.
const PACKET: usize = 4096;

/// It takes another packet from the gateway, of up to so many bytes, whenever it is read
/// from: who reads less at once has it pile them up.
const ROOM: usize = 1 << 16;

/// Variables of a session process that keep the crate from trusting the authorities
/// of the machine: it asks about a certificate only where none of them vouches for it.
/// And from looking for a KDC of its own in the machine's configuration, which it would
/// wait for without end.
///
/// # Errors
/// The file cannot be written.
pub fn nobody() -> Result<Vec<(OsString, OsString)>, Failure> {
    let file = authority::nobody().map_err(|e| local::local(&e))?;
    let none = file.with_extension("none");
    Ok(vec![
        ("SSL_CERT_FILE".into(), file.into()),
        ("SSL_CERT_DIR".into(), none.clone().into()),
        ("KRB5_CONFIG".into(), none.into()),
    ])
}

/// The gateway before an end, as an end of its own.
pub fn before<'a>(end: &'a End<'_>) -> Option<End<'a>> {
    end.gateway.map(|(index, hop)| End {
        index,
        hop,
        via: None,
        gateway: None,
        up: end.up,
        lost: end.lost.clone(),
    })
}

/// The way to a server.
pub enum Way<'a> {
    /// Its own port, or that of a jump host.
    Straight(&'a End<'a>, &'a Settings),
    /// Through a gateway.
    Through(Box<Gateway<'a>>),
}

impl<'a> Way<'a> {
    /// The way that an entry names; nothing happens yet.
    pub fn of(end: &'a End<'a>, before: Option<&'a End<'a>>, settings: &'a Settings) -> Self {
        before.map_or(Self::Straight(end, settings), |gateway| {
            Self::Through(Box::new(Gateway::of(end, gateway, settings)))
        })
    }

    /// Bytes to the server.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn open(&mut self) -> Result<Wire, Failure> {
        match self {
            Self::Straight(end, settings) => {
                let socket = end.connect(settings.connect_timeout)?;
                stream_of(socket).map_err(|e| local::local(&e))
            }
            Self::Through(gateway) => gateway.open().await,
        }
    }

    /// For the description of a link.
    pub fn description(&self) -> String {
        match self {
            Self::Straight(..) => String::new(),
            Self::Through(gateway) => format!(" · RD Gateway {}", gateway.end.hop.at),
        }
    }

    /// The gateway, once a way through it was found.
    pub fn gateway(&self) -> Option<&Gateway<'a>> {
        match self {
            Self::Straight(..) => None,
            Self::Through(gateway) => Some(gateway),
        }
    }
}

/// A gateway on the way to a server.
pub struct Gateway<'a> {
    end: &'a End<'a>,
    to: &'a HostPort,
    settings: Settings,
    /// Who logs in to it.
    pub login: Login<'a>,
    /// The certificate that is trusted, once one is.
    pub trusted: Option<String>,
}

impl<'a> Gateway<'a> {
    fn of(to: &'a End<'a>, end: &'a End<'a>, settings: &Settings) -> Self {
        let mut settings = settings.clone();
        let domain = end.hop.settings.get("domain").cloned().unwrap_or_default();
        settings.domain.clone_from(&domain);
        // A user of its own has a password of its own, among the entry's secrets.
        let own = end.hop.settings.contains_key(GATEWAY_PASSWORD);
        let kept = if own {
            (to.index, Slot::Custom(GATEWAY_PASSWORD.to_owned()))
        } else {
            (end.index, Slot::Password)
        };
        let login = Login::kept_in(end, &domain, kept);
        Self { end, to: &to.hop.at, settings, login, trusted: None }
    }

    /// Where it is.
    pub fn at(&self) -> &'a HostPort {
        &self.end.hop.at
    }

    async fn open(&mut self) -> Result<Wire, Failure> {
        let (at, limit) = (&self.end.hop.at, self.settings.connect_timeout);
        loop {
            self.look().await?;
            self.login.complete(&self.settings)?;
            self.end.up.say(&Progress::Negotiating(at.to_string()));
            let tunnel = timeout(limit, self.tunnel()).await;
            match tunnel.map_err(|_| local::timeout(at, limit.as_secs()))? {
                Ok(client) => {
                    let (lost, at) = (self.end.lost.clone(), at.clone());
                    let client = BufReader::with_capacity(ROOM, client);
                    return Ok(Box::pin(Tunnel { client, lost, at }));
                }
                // Only what was typed may be typed anew, not what a policy forbids.
                Err((_, true)) if self.login.asked.refused() => {}
                Err((e, _)) => return Err(e),
            }
        }
    }

    /// Sees which certificate it shows, and what it wants to know, before it is told who
    /// comes.
    async fn look(&mut self) -> Result<(), Failure> {
        let (at, limit) = (&self.end.hop.at, self.settings.connect_timeout);
        let late = || local::timeout(at, limit.as_secs());
        loop {
            let socket = self.end.connect(limit)?;
            self.end.up.say(&Progress::Negotiating(at.to_string()));
            let wire = stream_of(socket).map_err(|e| local::local(&e))?;
            let secured = timeout(limit, tls::secure(wire, at, Ciphers::Today)).await;
            let secured = secured.map_err(|_| late())?.map_err(|why| fail::unsecured(at, &why))?;
            let seen = hostkey::presented(at, CERTIFICATE, &secured.certificate);
            if self.trusted.as_ref() != Some(&seen.fingerprint) {
                let since = Instant::now();
                hostkey::check(&seen, self.end.hop, self.end.up)?;
                self.login.asked.waited(since);
                self.trusted = Some(seen.fingerprint);
            }
            if self.login.asked.took_too_long() {
                continue;
            }
            let mut stream = secured.stream;
            let clear = timeout(limit, offer::only_clear(&mut stream, at)).await;
            return match clear.map_err(|_| late())? {
                Ok(false) => Ok(()),
                Ok(true) => Err(fail::clear(at)),
                Err(e) => Err(fail::lost(at, &e)),
            };
        }
    }

    /// The tunnel itself; else why not, and whether user or password are wrong.
    async fn tunnel(&self) -> Result<GwClient, (Failure, bool)> {
        let at = &self.end.hop.at;
        let password = self.login.asked.password();
        let target = Wiped(GwConnectTarget {
            gw_endpoint: at.to_string(),
            gw_user: self.login.shown(),
            gw_pass: password.map_or_else(String::new, |p| p.expose(str::to_owned)),
            smart_card: None,
            server: self.to.host.clone(),
        });
        let (port, trusted, place) = (self.to.port, self.trusted.clone(), at.clone());
        let other: Arc<Mutex<bool>> = Arc::default();
        let same: CertificateValidationCallback = {
            let other = other.clone();
            Arc::new(move |shown, _, _| {
                let seen = hostkey::presented(&place, CERTIFICATE, shown).fingerprint;
                let same = trusted.as_ref() == Some(&seen);
                *other.lock().unwrap_or_else(PoisonError::into_inner) |= !same;
                same
            })
        };
        let work = alone(async move {
            GwClient::connect_with_port_and_certificate_validation(
                &target.0,
                &machine::host_name(),
                port,
                CertificateValidation::Strict,
                Some(same),
            )
            .await
        });
        let user = self.login.shown();
        match work.await {
            Some(Ok((client, _))) => Ok(client),
            Some(Err(_)) if *other.lock().unwrap_or_else(PoisonError::into_inner) => {
                Err((fail::switched(at), false))
            }
            Some(Err(e)) => Err((fail::refused(at, self.to, &user, &e), fail::is_login(&e))),
            None => Err((fail::protocol(at, "MS-TSGU"), false)),
        }
    }
}

/// What the crate is told, whose password it does not wipe.
struct Wiped(GwConnectTarget);

impl Drop for Wiped {
    fn drop(&mut self) {
        self.0.gw_pass.zeroize();
    }
}

/// What comes of work in a task of its own, which keeps a gateway that speaks nonsense, at
/// which the crate panics, from ending more than that; none where it panics. Who waits no
/// longer ends the task with all that it holds.
async fn alone<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Option<T> {
    let mut tasks = JoinSet::new();
    tasks.spawn(work);
    tasks.join_next().await?.ok()
}

/// Bytes through a gateway. Why it was lost is noted before who reads sees the end.
struct Tunnel {
    client: BufReader<GwClient>,
    lost: Arc<Mutex<Option<Failure>>>,
    at: HostPort,
}

impl Tunnel {
    fn noted(&self, e: &io::Error) {
        let why = fail::lost(&self.at, e);
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.client).poll_read(cx, buf) {
            // The server has closed its connection: an end like any other.
            Poll::Ready(Err(e)) if e.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Ok(())),
            Poll::Ready(Err(e)) => {
                self.noted(&e);
                Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()))
            }
            other => other,
        }
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let packet = &buf[..buf.len().min(PACKET)];
        let written = Pin::new(&mut self.client).poll_write(cx, packet);
        if let Poll::Ready(Err(e)) = &written {
            self.noted(e);
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.client).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::yield_now;

    use super::*;

    #[tokio::test]
    async fn a_gateway_that_is_not_waited_for_holds_nothing_any_more() {
        let held = Arc::new(());
        let inside = held.clone();
        tokio::select! {
            biased;
            _ = alone(async move { pending::<()>().await; drop(inside) }) => {}
            () = yield_now() => {}
        }
        yield_now().await;
        yield_now().await;
        assert_eq!(Arc::strong_count(&held), 1);
    }
}
