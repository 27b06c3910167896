//! What every VPN has: a network of the client's that sessions reach by doors, and a
//! journal of what happens to it. Knows no protocol; changes nothing of the machine's
//! own network.

pub mod door;
#[cfg(target_os = "linux")]
pub mod engine;
pub mod fail;
pub mod fields;
#[cfg(target_os = "linux")]
pub mod helper;
#[cfg(target_os = "linux")]
pub mod inside;
pub mod journal;
#[cfg(target_os = "linux")]
mod names;
pub mod relay;
#[cfg(target_os = "linux")]
pub mod stack;

use std::io;
use std::time::Duration;

use super::Progress;
use super::ssh::dial::Dialer;
use crate::model::target::HostPort;
use crate::os::net::Socket;

/// A network that a VPN leads to.
pub trait Network: Send + Sync {
    /// A connected stream to a place in it. Blocks for `limit` at most.
    ///
    /// # Errors
    /// Why there is none.
    fn reach(&self, at: &HostPort, limit: Duration) -> Result<Socket, Unreached>;
}

/// Why a place behind a VPN was not reached.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Unreached {
    /// It is a name, and the VPN tells no server that knows names.
    NoNames,
    /// The VPN's name servers do not know it.
    UnknownName,
    /// Its time is over.
    TimedOut,
    /// The VPN is gone.
    Gone,
    /// What the system says (errno(3)).
    System(i32),
}

impl From<io::Error> for Unreached {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::TimedOut,
            _ => e.raw_os_error().map_or(Self::Gone, Self::System),
        }
    }
}

/// Whether a place answers without any VPN, within `limit`.
pub fn answers(at: &HostPort, limit: Duration, say: &mut dyn FnMut(Progress)) -> bool {
    let say = std::cell::RefCell::new(say);
    let say = |step: Progress| (say.borrow_mut())(step);
    Dialer { at, via: None, door: None, timeout: limit }.dial(&say).is_ok()
}
