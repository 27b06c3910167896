//! From a socket to a connection on which the login can take place: the greeting, and
//! TLS where it was agreed upon, its certificate trusted before any password is sent.

use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::fail;
use super::greeting::{self, Cover, Demand, TLS, Trouble, VENCRYPT, Version, Way};
use super::login::Login;
use super::settings::{Security, Settings};
use crate::connect::desk::tls::{self, Ciphers, Wire};
use crate::connect::line::End;
use crate::connect::ssh::{fail as local, hostkey, legacy_serve::stream_of};
use crate::connect::{Failure, Progress};
use crate::model::lang::Bi;
use crate::os::net::Socket;

/// Names of certificates among pinned keys.
const CERTIFICATE: &str = "x509-sha256";

/// A connection on which the login takes place now.
pub struct Greeted {
    /// Its bytes.
    pub wire: Wire,
    /// What was agreed upon.
    pub way: Way,
    /// Version of the protocol.
    pub version: Version,
    /// The certificate's fingerprint; empty without one.
    pub fingerprint: String,
    /// `TLS 1.3` or the like; empty without TLS.
    pub tls: String,
    /// What stays visible.
    pub warnings: Vec<Bi>,
}

struct Talk<'a> {
    end: &'a End<'a>,
    limit: Duration,
}

impl Talk<'_> {
    async fn step<T>(&self, step: impl Future<Output = Result<T, Trouble>>) -> Result<T, Failure> {
        let at = &self.end.hop.at;
        match timeout(self.limit, step).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(trouble)) => Err(fail::trouble(at, &trouble)),
            Err(_) => Err(fail::silent(at, self.limit.as_secs())),
        }
    }

    /// What is agreed upon, and with whom. The server waits for the login or for TLS;
    /// `None` when what is inside is only told there.
    async fn agree(
        &self,
        wire: &mut Wire,
        demand: &Demand,
    ) -> Result<(Version, Option<Way>), Failure> {
        let at = &self.end.hop.at;
        let version = self.step(greeting::version(wire)).await?;
        let offers = self.step(greeting::offers(wire, version)).await?;
        let mut all: Vec<u32> = offers.iter().copied().map(u32::from).collect();
        if version == Version::V38 && offers.contains(&VENCRYPT) && demand.wants_tls() {
            let inside = self.step(greeting::inside(wire)).await?;
            if let Some(way) = demand.best(&inside) {
                self.step(greeting::choose(wire, way)).await?;
                return Ok((version, Some(way)));
            }
            // VeNCrypt is chosen, so nothing beside it can be had any more.
            all.retain(|offer| *offer != u32::from(VENCRYPT));
            all.extend(inside);
            return Err(fail::no_common(at, &all, demand));
        }
        if version != Version::V33 && offers.contains(&TLS) && demand.takes_anonymous() {
            self.step(greeting::take(wire, TLS)).await?;
            return Ok((version, None));
        }
        let way = self.among(wire, version, demand, &all).await?;
        Ok((version, Some(way)))
    }

    /// The best of what is offered; the server is told.
    async fn among(
        &self,
        wire: &mut Wire,
        version: Version,
        demand: &Demand,
        offers: &[u32],
    ) -> Result<Way, Failure> {
        let best = demand.best(offers);
        let way = best.ok_or_else(|| fail::no_common(&self.end.hop.at, offers, demand))?;
        if version != Version::V33 {
            let choice = u8::try_from(way.number()).unwrap_or_default();
            self.step(greeting::take(wire, choice)).await?;
        }
        Ok(way)
    }

    /// What is agreed upon inside TLS, where that is told anew.
    async fn agree_inside(
        &self,
        wire: &mut Wire,
        version: Version,
        demand: &Demand,
    ) -> Result<Way, Failure> {
        let offers = self.step(greeting::offers(wire, version)).await?;
        let all: Vec<u32> = offers.into_iter().map(u32::from).collect();
        // In there it needs no cover of its own.
        let demand = Demand { security: Security::Clear, ..*demand };
        let way = self.among(wire, version, &demand, &all).await?;
        Ok(Way { cover: Cover::Anonymous, ..way })
    }
}

/// Gets as far as the login; `None` when it is to be tried again over a new connection.
///
/// # Errors
/// Anything from the first byte to the password.
pub async fn greet(
    end: &End<'_>,
    settings: &Settings,
    socket: Socket,
    login: &mut Login<'_>,
    trusted: &mut Option<String>,
) -> Result<Option<Greeted>, Failure> {
    let at = &end.hop.at;
    end.up.say(&Progress::Negotiating(at.to_string()));
    let mut wire = stream_of(socket).map_err(|e| local::local(&e))?;
    let talk = Talk { end, limit: settings.connect_timeout };
    let user = !login.user().is_empty();
    let pinned = !end.hop.pinned.is_empty();
    let demand = Demand { security: settings.security, pinned, user };
    let (version, agreed) = talk.agree(&mut wire, &demand).await?;
    let unknown = Way { cover: Cover::Anonymous, login: greeting::Login::None };
    let mut done = Greeted {
        wire,
        way: agreed.unwrap_or(unknown),
        version,
        fingerprint: String::new(),
        tls: String::new(),
        warnings: Vec::new(),
    };
    let late = |_| local::timeout(at, talk.limit.as_secs());
    let unsecured = |why| fail::unsecured(at, &why);
    match done.way.cover {
        Cover::Certificate => {
            let secured = timeout(talk.limit, tls::secure(done.wire, at, Ciphers::Today)).await;
            let secured = secured.map_err(late)?.map_err(unsecured)?;
            let seen = hostkey::presented(at, CERTIFICATE, &secured.certificate);
            if trusted.as_ref() != Some(&seen.fingerprint) {
                let since = Instant::now();
                hostkey::check(&seen, end.hop, end.up)?;
                login.asked.waited(since);
                *trusted = Some(seen.fingerprint.clone());
            }
            done.fingerprint = seen.fingerprint;
            done.tls = secured.version;
            done.wire = Box::pin(secured.stream);
        }
        Cover::Anonymous => {
            let stream = timeout(talk.limit, tls::conceal(done.wire, at)).await;
            let stream = stream.map_err(late)?.map_err(unsecured)?;
            done.tls = tls::version(&stream);
            done.wire = Box::pin(stream);
            done.warnings.push(fail::anonymous());
        }
        Cover::Clear => done.warnings.push(fail::in_clear(end.via.map(|jump| &jump.at))),
    }
    for warning in &done.warnings {
        end.up.say(&Progress::Warning(warning.clone()));
    }
    if agreed.is_none() {
        done.way = talk.agree_inside(&mut done.wire, version, &demand).await?;
    }
    let way = done.way;
    login.complete(way.login)?;
    if way.login == greeting::Login::Vnc && login.too_long() {
        let warning = fail::too_long();
        end.up.say(&Progress::Warning(warning.clone()));
        done.warnings.push(warning);
    }
    if login.asked.took_too_long() {
        return Ok(None);
    }
    if way.login == greeting::Login::Plain {
        talk.step(plain(&mut done.wire, login)).await?;
    }
    Ok(Some(done))
}

/// User and password, inside TLS.
async fn plain(wire: &mut Wire, login: &Login<'_>) -> Result<(), Trouble> {
    let Some(password) = login.asked.password() else { return Ok(()) };
    let user = login.user().as_bytes();
    let length = |text: &[u8]| u32::try_from(text.len()).unwrap_or_default().to_be_bytes();
    let head = password.expose(|p| [length(user), length(p.as_bytes())].concat());
    wire.write_all(&head).await?;
    wire.write_all(user).await?;
    let password = zeroize::Zeroizing::new(password.expose(|p| p.as_bytes().to_vec()));
    wire.write_all(&password).await?;
    wire.flush().await?;
    Ok(())
}
