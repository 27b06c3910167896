//! Asking a KDC, by TCP (RFC 4120 section 7.2.2) and by the same way as the session:
//! directly, or through its jump host. A time and a size are set for each answer.

use std::io::{self, Read, Write};
use std::time::{Duration, Instant};

use ironrdp_connector::sspi::generator::NetworkRequest;
use ironrdp_connector::sspi::{self, ErrorKind, NetworkProtocol};

use super::error::KrbError;
use super::reply;
use crate::connect::Failure;
use crate::connect::line::End;
use crate::connect::ssh::dial::Dialer;
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::net::Socket;
use crate::os::{clock, words};
use crate::secret::SecretText;

/// A KDC is near or is none of ours.
const CONNECT: Duration = Duration::from_secs(3);
/// For one question and its answer.
const ANSWER: Duration = Duration::from_secs(5);
/// A ticket with the groups of a Windows user has some ten thousand bytes.
const LARGEST: u32 = 1 << 18;
/// A login asks three times, and once more for each realm on the way.
const QUESTIONS: u32 = 16;
/// The tag of what grants a ticket of a server (TGS-REP).
const GRANTED: u8 = 0x6D;

/// A KDC that answers, and what it said.
pub struct Kdc<'a> {
    end: &'a End<'a>,
    /// Where it is.
    pub at: HostPort,
    /// The connection by which it was seen to answer.
    first: Option<Socket>,
    asked: u32,
    /// Its last answer, where that was a refusal.
    pub refused: Option<KrbError>,
    /// Why it was lost.
    pub lost: Option<Bi>,
    /// The salts that it told.
    salts: Option<Vec<u8>>,
    /// It granted the ticket of a server.
    pub granted: bool,
    /// Seconds by which its clock is ahead of this one's, where it complained of that.
    pub ahead: Option<i64>,
}

impl<'a> Kdc<'a> {
    /// The one at this place.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn reach(end: &'a End<'a>, at: HostPort, limit: Duration) -> Result<Self, Failure> {
        let first = dial(end, &at, limit)?;
        Ok(Self {
            end,
            at,
            first: Some(first),
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
    pub fn ask(
        &mut self,
        request: &NetworkRequest,
        password: Option<&SecretText>,
    ) -> sspi::Result<Vec<u8>> {
        self.asked += 1;
        let at = self.place_of(request);
        let answer = match at {
            Some(at) if self.asked <= QUESTIONS => self.exchange(&at, &request.data),
            _ => Err(Bi::new("elle ne mène à aucun KDC", "it leads to no KDC")),
        };
        let answer = answer.map_err(|why| {
            let told = sspi::Error::new(ErrorKind::NoAuthenticatingAuthority, why.en.clone());
            self.lost = Some(why);
            told
        })?;
        let body = answer.get(4..).unwrap_or_default();
        let error = KrbError::read(body);
        if error.is_some_and(|error| error.asks_for_more()) {
            self.salts = reply::salts(body);
        }
        self.refused = error.filter(|error| !error.asks_for_more());
        if let Some(KrbError { code: 37, time: Some(time) }) = self.refused {
            self.ahead = Some(time - clock::now().0 / 1_000_000);
        }
        self.granted |= answer.get(4) == Some(&GRANTED);
        let told = self.salts.as_deref();
        let mended = password.and_then(|password| reply::mended(body, told, password));
        Ok(mended.map_or_else(|| answer.clone(), with_length))
    }

    /// The place that a request is for: another KDC answers for another realm.
    fn place_of(&self, request: &NetworkRequest) -> Option<HostPort> {
        let host = request.url.host_str()?.trim_matches(['[', ']']).to_owned();
        let at = HostPort { host, port: request.url.port().unwrap_or(88) };
        (request.protocol == NetworkProtocol::Tcp).then_some(at)
    }

    fn exchange(&mut self, at: &HostPort, request: &[u8]) -> Result<Vec<u8>, Bi> {
        let own = at.host.eq_ignore_ascii_case(&self.at.host) && at.port == self.at.port;
        let socket = match self.first.take().filter(|_| own) {
            Some(socket) => socket,
            None => dial(self.end, at, ANSWER).map_err(|failure| failure.what)?,
        };
        talk(&socket, request).map_err(|e| words::cause(&e))
    }
}

fn dial(end: &End<'_>, at: &HostPort, limit: Duration) -> Result<Socket, Failure> {
    let dialer = Dialer { at, via: end.via, timeout: limit.min(CONNECT) };
    dialer.dial(&|progress| end.up.say(&progress))
}

/// A message after its length.
fn with_length(message: Vec<u8>) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&length[..], &message].concat()
}

/// One question and its answer, each after its length.
fn talk(mut socket: &Socket, request: &[u8]) -> io::Result<Vec<u8>> {
    let until = Instant::now() + ANSWER;
    socket.set_timeout(Some(ANSWER))?;
    socket.write_all(request)?;
    let mut answer = vec![0; 4];
    fill(socket, &mut answer, until)?;
    let length = u32::from_be_bytes([answer[0], answer[1], answer[2], answer[3]]);
    if length > LARGEST {
        return Err(io::ErrorKind::InvalidData.into());
    }
    answer.resize(4 + usize::try_from(length).map_err(io::Error::other)?, 0);
    fill(socket, &mut answer[4..], until)?;
    Ok(answer)
}

fn fill(mut socket: &Socket, mut room: &mut [u8], until: Instant) -> io::Result<()> {
    while !room.is_empty() {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_timeout(Some(left))?;
        match socket.read(room) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => room = &mut room[count..],
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                return Err(io::ErrorKind::TimedOut.into());
            }
            Err(e) => return Err(e),
        }
    }
    Ok(())
}
