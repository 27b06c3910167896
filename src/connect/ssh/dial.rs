//! Reaching a hop: name resolution and TCP with a deadline, a stream through the hop
//! before, or one that a VPN hands over. Speaks no SSH.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::fail;
use crate::connect::host::child::{Command, Inbox, Stream};
use crate::connect::vpn::door::Door;
use crate::connect::vpn::{self, Unreached};
use crate::connect::{Failure, Progress};
use crate::model::target::HostPort;
use crate::os::net::Socket;

/// The hop before, when there is one.
#[derive(Clone)]
pub struct Jump {
    /// Its engine.
    pub inbox: Arc<dyn Inbox>,
    /// Where it is.
    pub at: HostPort,
}

/// How to reach a hop; can be used again for a second try.
pub struct Dialer<'a> {
    /// The hop.
    pub at: &'a HostPort,
    /// The hop before.
    pub via: Option<&'a Jump>,
    /// The door to the network that it is in, where that is a VPN's.
    pub door: Option<&'a Door>,
    /// For resolution and connection together.
    pub timeout: Duration,
}

impl Dialer<'_> {
    /// A connected, blocking socket.
    ///
    /// # Errors
    /// Unknown host, refused, timeout, unreachable; or the jump host cannot.
    pub fn dial(&self, say: &dyn Fn(Progress)) -> Result<Socket, Failure> {
        match self.via {
            Some(jump) => {
                say(Progress::Contacting(self.at.to_string()));
                self.through(jump)
            }
            None => self.direct(say),
        }
    }

    fn direct(&self, say: &dyn Fn(Progress)) -> Result<Socket, Failure> {
        let deadline = Instant::now() + self.timeout;
        if let Some(door) = self.door {
            say(Progress::Contacting(self.at.to_string()));
            return self.behind(door, deadline);
        }
        let literal = self.at.host.parse().map(|ip| vec![SocketAddr::new(ip, self.at.port)]);
        let addresses = match literal {
            Ok(one) => one,
            Err(_) => {
                say(Progress::Resolving(self.at.host.clone()));
                self.resolve(deadline)?
            }
        };
        say(Progress::Contacting(self.at.to_string()));
        tcp(&addresses, deadline)
            .map(Socket::Tcp)
            .map_err(|e| fail::dial(self.at, &e, self.timeout.as_secs()))
    }

    /// The system's resolver knows no deadline, so it works on a thread that is
    /// left behind when it takes too long.
    ///
    /// # Errors
    /// Unknown host, timeout.
    pub fn resolve(&self, deadline: Instant) -> Result<Vec<SocketAddr>, Failure> {
        let (found, answer) = channel();
        let at = (self.at.host.clone(), self.at.port);
        std::thread::Builder::new()
            .name("resolver".into())
            .spawn(move || found.send(at.to_socket_addrs().map(Iterator::collect::<Vec<_>>)))
            .map_err(|e| fail::local(&e))?;
        match answer.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Ok(_) => Err(fail::unknown_host(&self.at.host)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                Err(fail::timeout(self.at, self.timeout.as_secs()))
            }
        }
    }

    /// A name is known to those who know the client's network; where nobody does, to
    /// this machine.
    fn behind(&self, door: &Door, deadline: Instant) -> Result<Socket, Failure> {
        let left = || deadline.saturating_duration_since(Instant::now());
        let mut reached = door.reach(self.at, left());
        if let Err(Unreached::NoNames) = reached {
            for address in self.resolve(deadline)? {
                let at = HostPort { host: address.ip().to_string(), port: address.port() };
                reached = door.reach(&at, left());
                if reached.is_ok() {
                    break;
                }
            }
        }
        reached.map_err(|why| match why {
            Unreached::UnknownName | Unreached::NoNames => vpn::fail::unknown_name(&self.at.host),
            Unreached::TimedOut => fail::timeout(self.at, self.timeout.as_secs()),
            Unreached::Gone => vpn::fail::gone(self.at),
            Unreached::System(errno) => {
                let e = io::Error::from_raw_os_error(errno);
                fail::dial(self.at, &e, self.timeout.as_secs())
            }
        })
    }

    fn through(&self, jump: &Jump) -> Result<Socket, Failure> {
        let (near, far) = Socket::pair().map_err(|e| fail::local(&e))?;
        let (opened, answer) = channel();
        jump.inbox.push(Command::Stream(Stream {
            to: self.at.clone(),
            socket: far,
            on_open: Vec::new(),
            on_refusal: Vec::new(),
            opened: Some(opened),
        }));
        match answer.recv_timeout(self.timeout) {
            Ok(Ok(())) => Ok(near),
            Ok(Err(reason)) => Err(fail::jump(&jump.at, self.at, &reason)),
            Err(RecvTimeoutError::Timeout) => Err(fail::timeout(self.at, self.timeout.as_secs())),
            Err(RecvTimeoutError::Disconnected) => Err(fail::broken(&jump.at, "fin")),
        }
    }
}

/// Connects to the first address that answers; each gets a fair share of the time.
///
/// # Errors
/// The last address's error.
pub fn tcp(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::from(io::ErrorKind::TimedOut);
    for (done, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - done).unwrap_or(u32::MAX);
        if share.is_zero() {
            break;
        }
        match TcpStream::connect_timeout(address, share) {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(last)
}
