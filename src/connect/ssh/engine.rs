//! A connection by libssh2, up to the login: handshake, server key, user. Always
//! non-blocking beneath, with a deadline for each step.

use std::cell::Cell;
use std::time::{Duration, Instant};

use ssh2::{BlockDirections, ErrorCode, MethodType, Session};

use super::probe::Offer;
use super::route::Leg;
use super::serve::Ssh2Engine;
use super::{auth, fail, hostkey, legacy, reads};
use crate::connect::host::child::Engine;
use crate::connect::{Failure, Progress};
use crate::model::target::HostPort;
use crate::os::net::{Socket, Watch, wait};

/// libssh2: try again later.
pub const EAGAIN: i32 = -37;

/// What libssh2 says when the server begins with something else, or ends at once.
const NO_BANNER: &str = "Failed getting banner";

/// Why a step stopped.
pub enum Stop {
    /// Its time is over.
    Timeout,
    /// libssh2 says so.
    Ssh(ssh2::Error),
}

impl Stop {
    /// In words, where nothing better is known.
    pub fn failure(&self, at: &HostPort, secs: u64) -> Failure {
        match self {
            Self::Timeout => fail::timeout(at, secs),
            Self::Ssh(e) if e.message().starts_with(NO_BANNER) => fail::no_banner(at),
            Self::Ssh(e) if is_broken(e) => fail::broken(at, e.message()),
            Self::Ssh(e) => fail::protocol(at, e.message()),
        }
    }
}

/// The number of a libssh2 error.
pub fn number(e: &ssh2::Error) -> i32 {
    match e.code() {
        ErrorCode::Session(n) | ErrorCode::SFTP(n) => n,
    }
}

/// True when the connection itself is gone (libssh2.h: `SOCKET_*`, `BANNER_RECV`,
/// `TIMEOUT`).
pub fn is_broken(e: &ssh2::Error) -> bool {
    matches!(number(e), -2 | -7 | -9 | -13 | -30 | -43 | -45)
}

/// Runs steps of libssh2 that would block, waiting for the socket in between.
pub struct Driver {
    /// The connection.
    pub session: Session,
    /// Its socket.
    pub socket: Socket,
    limit: Duration,
    deadline: Cell<Instant>,
}

impl Driver {
    /// For `session` over `socket`; each step may take `limit`.
    pub fn new(session: Session, socket: Socket, limit: Duration) -> Self {
        Self { session, socket, limit, deadline: Cell::new(Instant::now() + limit) }
    }

    /// Seconds a step may take.
    pub fn secs(&self) -> u64 {
        self.limit.as_secs()
    }

    /// Gives the running step its whole time again: the person was asked meanwhile.
    pub fn renew(&self) {
        self.deadline.set(Instant::now() + self.limit);
    }

    /// Repeats `step` until it no longer would block.
    ///
    /// # Errors
    /// Its own, or its time is over.
    pub fn drive<T>(&self, mut step: impl FnMut() -> Result<T, ssh2::Error>) -> Result<T, Stop> {
        self.renew();
        loop {
            match step() {
                Ok(done) => return Ok(done),
                Err(e) if number(&e) == EAGAIN => {}
                Err(e) => return Err(Stop::Ssh(e)),
            }
            let left = self.deadline.get().saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(Stop::Timeout);
            }
            let (read, write) = directions(&self.session);
            let _ = wait(&mut [Watch::new(&self.socket, read || !write, write)], Some(left));
        }
    }
}

/// What libssh2 waits for: reading, writing.
pub fn directions(session: &Session) -> (bool, bool) {
    match session.block_directions() {
        BlockDirections::None => (false, false),
        BlockDirections::Inbound => (true, false),
        BlockDirections::Outbound => (false, true),
        BlockDirections::Both => (true, true),
    }
}

/// Opens a hop.
///
/// # Errors
/// Anything from the name to the login.
pub fn open(leg: &Leg<'_>) -> Result<Box<dyn Engine>, Failure> {
    let at = &leg.hop.at;
    let say = |p: Progress| leg.up.say(&p);
    let socket = leg.dialer.dial(&say)?;
    socket.tune(leg.settings.keepalive);
    socket.set_nonblocking(true).map_err(|e| fail::local(&e))?;

    say(Progress::Negotiating(at.to_string()));
    let driver = match handshake(leg, socket)? {
        Shaken::Hands(driver) => driver,
        Shaken::Heads(_) if leg.settings.weak => return legacy::open(leg),
        Shaken::Heads(offer) => return Err(fail::no_common(at, &offer.words(), false)),
    };
    let session = &driver.session;
    let algorithm = session.methods(MethodType::HostKey).unwrap_or("?").to_owned();
    let seen = match session.host_key() {
        Some((blob, _)) => hostkey::presented(at, &algorithm, blob),
        None => return Err(fail::protocol(at, "no host key")),
    };
    hostkey::check(&seen, leg.hop, leg.up)?;
    let user = auth::login(leg, &driver)?;
    Ssh2Engine::start(leg, driver, user, seen.fingerprint)
}

/// How a handshake came out.
enum Shaken {
    Hands(Driver),
    /// There is no common algorithm.
    Heads(Offer),
}

fn handshake(leg: &Leg<'_>, socket: Socket) -> Result<Shaken, Failure> {
    let at = &leg.hop.at;
    let protocol = |e: ssh2::Error| fail::protocol(at, e.message());
    let mut session = Session::new().map_err(protocol)?;
    session.set_blocking(false);
    reads::count_in(&session);
    session.set_compress(leg.settings.compression);
    if !leg.hop.pinned.is_empty() {
        let supported = session.supported_algs(MethodType::HostKey).map_err(protocol)?;
        let preference = hostkey::preference(&supported, &leg.hop.pinned);
        session.method_pref(MethodType::HostKey, &preference).map_err(protocol)?;
    }
    session.set_tcp_stream(socket.try_clone().map_err(|e| fail::local(&e))?);
    let driver = Driver::new(session.clone(), socket, leg.settings.connect_timeout);
    match driver.drive(|| session.handshake()) {
        Ok(()) => Ok(Shaken::Hands(driver)),
        Err(Stop::Timeout) => Err(Stop::Timeout.failure(at, driver.secs())),
        Err(stop) => {
            // What libssh2 says of missing algorithms is the same as of a broken
            // exchange, so the server's offer is looked at.
            let offer = leg
                .dialer
                .dial(&|_| {})
                .ok()
                .and_then(|socket| Offer::of(socket, leg.settings.connect_timeout).ok())
                .filter(|offer| offer.has_nothing_for(&driver.session));
            offer.map(Shaken::Heads).ok_or_else(|| stop.failure(at, driver.secs()))
        }
    }
}

/// One line about the connection: `SSH-2.0-OpenSSH_9.2 · curve25519-sha256 · …`.
pub fn describe(session: &Session) -> String {
    let banner = session.banner().unwrap_or("SSH").to_owned();
    let mut parts = vec![banner];
    for kind in [MethodType::Kex, MethodType::HostKey, MethodType::CryptCs, MethodType::CompCs] {
        if let Some(name) = session.methods(kind).filter(|name| *name != "none") {
            parts.push(name.to_owned());
        }
    }
    parts.join(" · ")
}
