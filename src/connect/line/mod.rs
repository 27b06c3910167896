//! Plain lines: one terminal over one stream of bytes, as telnet, raw TCP and
//! serial ports have it. Runs in the session process (see `connect::host`):
//! what is typed may pass through an SSH hop, whose memory nobody can wipe.

mod engine;
pub mod fail;
pub mod fields;
mod report;
pub mod typed;

pub use engine::{Codec, LineEngine, Stream};
pub use report::{CTRL_C, Report};

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::host::child::{Engine, Uplink};
use super::ssh::dial::{Dialer, Jump};
use super::{Failure, Progress, raw, serial, telnet};
use crate::model::lang::Bi;
use crate::model::target::Hop;
use crate::os::net::Socket;

/// Sign of life by TCP itself, so that a far side that is gone is noticed.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// What a plain line needs to be opened.
pub struct End<'a> {
    /// Number of the hop, for the lease.
    pub index: usize,
    /// Where it leads.
    pub hop: &'a Hop,
    /// The jump host before, if there is one.
    pub via: Option<&'a Jump>,
    /// The gateway to go through, which is for who opens it, and its number.
    pub gateway: Option<(usize, &'a Hop)>,
    /// The way to the application.
    pub up: &'a Arc<Uplink>,
    /// Why what carries the line was lost, once it was.
    pub lost: Arc<Mutex<Option<Failure>>>,
}

/// Opens the line of a kind.
///
/// # Errors
/// Anything from the name to the login.
pub fn open(kind: &str, end: &End<'_>) -> Result<Box<dyn Engine>, Failure> {
    match kind {
        "telnet" => telnet::open(end),
        "raw" => raw::open(end),
        _ => serial::open(end),
    }
}

impl End<'_> {
    /// Connects by TCP, after the warning that nothing is encrypted.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn dial(&self, timeout: Duration) -> Result<Stream, Failure> {
        self.up.say(&Progress::Warning(self.in_clear()));
        Ok(self.stream(self.connect(timeout)?))
    }

    /// Connects by TCP.
    ///
    /// # Errors
    /// It cannot be reached.
    pub fn connect(&self, timeout: Duration) -> Result<Socket, Failure> {
        let dialer = Dialer { at: &self.hop.at, via: self.via, door: self.up.door(), timeout };
        let socket = dialer.dial(&|progress| self.up.say(&progress))?;
        socket.tune(KEEPALIVE);
        Ok(socket)
    }

    /// Why it failed: who carries the connection may know better than what was `seen`.
    pub fn reason(&self, seen: Failure) -> Failure {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or(seen)
    }

    /// A stream that breaks for the reasons of this end.
    pub fn stream(&self, socket: Socket) -> Stream {
        Stream { socket, port: None, lost: self.lost.clone(), at: self.hop.at.to_string() }
    }

    /// The mark of a connection in clear text.
    pub fn in_clear(&self) -> Bi {
        match self.via {
            None => Bi::new(
                "Connexion non chiffrée\u{a0}: tout, mot de passe compris, passe en clair",
                "Not encrypted: everything, the password too, travels in clear text",
            ),
            Some(jump) => Bi::new(
                format!(
                    "Non chiffré après le rebond {}\u{a0}: tout, mot de passe compris, y passe en clair",
                    jump.at
                ),
                format!(
                    "Not encrypted beyond the jump host {}: everything, the password too, travels \
                     in clear text there",
                    jump.at
                ),
            ),
        }
    }
}
