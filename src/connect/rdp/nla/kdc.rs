//! Asking a KDC, by TCP (RFC 4120 section 7.2.2): directly, or through the jump host of
//! the session. A time and a size are set for each answer, and a time for all of them.

use std::io;
use std::time::{Duration, Instant};

use ironrdp_connector::sspi::generator::NetworkRequest;
use ironrdp_connector::sspi::{self, ErrorKind, NetworkProtocol};
use picky_asn1_der::from_bytes;
use picky_krb::data_types::EtypeInfo2;
use picky_krb::messages::{AsRep, TgsRep};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::error::KrbError;
use super::reply;
use crate::connect::Failure;
use crate::connect::desk::tls::Wire;
use crate::connect::line::End;
use crate::connect::ssh::dial::Dialer;
use crate::connect::ssh::legacy_serve::stream_of;
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::net::Socket;
use crate::os::{clock, words};
use crate::secret::SecretText;

/// A KDC is near or is none of ours.
const CONNECT: Duration = Duration::from_secs(3);
/// For one question and its answer, where less is not left for all.
const ANSWER: Duration = Duration::from_secs(5);
/// A ticket with the groups of a Windows user has some ten thousand bytes.
const LARGEST: u32 = 1 << 18;
/// A login asks three times, and once more for each realm on the way.
const QUESTIONS: u32 = 16;

/// A KDC that answers, and what it said.
pub struct Kdc<'a> {
    end: &'a End<'a>,
    /// Where it is.
    pub at: HostPort,
    /// The connection by which it was seen to answer.
    first: Option<Socket>,
    /// When all its answers have to be there.
    until: Instant,
    asked: u32,
    /// Its last answer, where that was a refusal.
    pub refused: Option<KrbError>,
    /// Why it was lost.
    pub lost: Option<Bi>,
    /// The salts that it told.
    salts: Option<EtypeInfo2>,
    /// It granted the ticket of a server.
    pub granted: bool,
    /// Seconds by which its clock is ahead of this one's, where it complained of that.
    pub ahead: Option<i64>,
}

impl<'a> Kdc<'a> {
    /// The one at this place, which has so long for all its answers.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn reach(end: &'a End<'a>, at: HostPort, limit: Duration) -> Result<Self, Failure> {
        let until = Instant::now() + limit;
        let first = dial(end, &at, limit)?;
        Ok(Self {
            end,
            at,
            first: Some(first),
            until,
            asked: 0,
            refused: None,
            lost: None,
            salts: None,
            granted: false,
            ahead: None,
        })
    }

    /// Its answer to a request.
    ///
    /// # Errors
    /// None came, or none that can be one.
    pub async fn ask(
        &mut self,
        request: &NetworkRequest,
        password: Option<&SecretText>,
    ) -> sspi::Result<Vec<u8>> {
        self.asked += 1;
        let at = self.place_of(request);
        let answer = match at {
            Some(at) if self.asked <= QUESTIONS => self.exchange(&at, &request.data).await,
            _ => Err(Bi::new("elle ne mène à aucun KDC", "it leads to no KDC")),
        };
        let answer = answer.map_err(|why| {
            let told = sspi::Error::new(ErrorKind::NoAuthenticatingAuthority, why.en.clone());
            self.lost = Some(why);
            told
        })?;
        let body = answer.get(4..).unwrap_or_default();
        let error = KrbError::read(body);
        let granted = from_bytes::<TgsRep>(body).is_ok();
        if error.is_none() && !granted && from_bytes::<AsRep>(body).is_err() {
            let why =
                Bi::new("ce qu’il envoie n’est pas du Kerberos", "what it sends is no Kerberos");
            let told = sspi::Error::new(ErrorKind::NoAuthenticatingAuthority, why.en.clone());
            self.lost = Some(why);
            return Err(told);
        }
        if error.is_some_and(|error| error.asks_for_more()) {
            self.salts = reply::salts(body);
        }
        self.refused = error.filter(|error| !error.asks_for_more());
        if let Some(KrbError { code: 37, time: Some(time) }) = self.refused {
            self.ahead = Some(time - clock::now().0 / 1_000_000);
        }
        self.granted |= granted;
        let told = self.salts.as_ref();
        let mended = password.and_then(|password| reply::mended(body, told, password));
        Ok(mended.map_or_else(|| answer.clone(), with_length))
    }

    /// The place that a request is for: another KDC answers for another realm.
    fn place_of(&self, request: &NetworkRequest) -> Option<HostPort> {
        let host = request.url.host_str()?.trim_matches(['[', ']']).to_owned();
        let at = HostPort { host, port: request.url.port().unwrap_or(88) };
        (request.protocol == NetworkProtocol::Tcp).then_some(at)
    }

    async fn exchange(&mut self, at: &HostPort, request: &[u8]) -> Result<Vec<u8>, Bi> {
        let own = at.host.eq_ignore_ascii_case(&self.at.host) && at.port == self.at.port;
        let socket = match self.first.take().filter(|_| own) {
            Some(socket) => socket,
            None => dial(self.end, at, self.left()?).map_err(|failure| failure.what)?,
        };
        let wire = stream_of(socket).map_err(|e| words::cause(&e))?;
        let answer = timeout(self.left()?.min(ANSWER), talk(wire, request)).await;
        answer.map_err(|_| late())?.map_err(|e| words::cause(&e))
    }

    /// How long it still has.
    fn left(&self) -> Result<Duration, Bi> {
        let left = self.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left).ok_or_else(late)
    }
}

fn late() -> Bi {
    words::cause(&io::ErrorKind::TimedOut.into())
}

fn dial(end: &End<'_>, at: &HostPort, limit: Duration) -> Result<Socket, Failure> {
    let timeout = limit.min(CONNECT);
    let dialer = Dialer { at, via: end.via, door: end.up.door(), timeout };
    dialer.dial(&|progress| end.up.say(&progress))
}

/// A message after its length.
fn with_length(message: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[..], &message].concat()
}

/// One question and its answer, each after its length.
async fn talk(mut wire: Wire, request: &[u8]) -> io::Result<Vec<u8>> {
    wire.write_all(request).await?;
    let length = wire.read_u32().await?;
    if length > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut answer = length.to_be_bytes().to_vec();
    answer.resize(4 + usize::try_from(length).map_err(io::Error::other)?, 0);
    wire.read_exact(&mut answer[4..]).await?;
    Ok(answer)
}
