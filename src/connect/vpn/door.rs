//! The door to a client's network: a socket by which a session process asks its VPN for
//! a connected stream, one message a request, and is handed the stream itself. Moves no
//! byte of the session.
//!
//! ```text
//! request   Request (postcard), with one end of a pair of its own
//! answer    Answer (postcard) on that pair, with the stream if there is one
//! ```

/// The number of the descriptor by which a session process gets its door.
pub const NUMBER: i32 = 4;

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Door, Passage};
#[cfg(target_os = "linux")]
pub use linux::{Door, Passage, serve};

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::{AsFd, OwnedFd};
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::Duration;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use serde::{Deserialize, Serialize};

    use super::super::{Network, Unreached};
    use super::NUMBER;
    use crate::model::target::HostPort;
    use crate::os::fds;
    use crate::os::net::{Socket, Watch, shut, wait};

    /// What a session process gets its door by.
    pub type Passage = OwnedFd;

    /// Longest request, in bytes: a name has 253 at most (RFC 1035 section 2.3.4).
    const LONGEST: usize = 1024;
    /// Added to the limit of a request: the VPN tells by itself when that is over.
    const MARGIN: Duration = Duration::from_secs(2);

    /// How often who watches looks whether the door itself is still there.
    const LOOK: Duration = Duration::from_secs(60);

    #[derive(Serialize, Deserialize)]
    struct Request {
        at: HostPort,
        limit_ms: u32,
    }

    #[derive(Serialize, Deserialize)]
    enum Answer {
        Reached,
        Not(Unreached),
    }

    /// The session's side.
    #[derive(Debug)]
    pub struct Door {
        passage: Arc<OwnedFd>,
        /// The numbers of the streams that came by it, which are their users' alone to
        /// close.
        streams: Arc<Mutex<Vec<u64>>>,
        gone: Arc<AtomicBool>,
    }

    impl Door {
        /// The one that this process was given, if it was.
        pub fn given() -> Option<Self> {
            fds::given(NUMBER).map(Self::new)
        }

        /// One with this passage. Once the VPN is over, every stream that came by it is
        /// shut: its far side would only fall silent.
        pub fn new(passage: Passage) -> Self {
            let door =
                Self { passage: Arc::new(passage), streams: Arc::default(), gone: Arc::default() };
            let passage = Arc::downgrade(&door.passage);
            let (streams, gone) = (door.streams.clone(), door.gone.clone());
            let watch = move || {
                while let Some(passage) = passage.upgrade() {
                    if hung_up(&passage) {
                        gone.store(true, Ordering::Release);
                        let streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
                        shut(&streams);
                        return;
                    }
                }
            };
            // Without it the far side's silence is noticed later.
            let _ = std::thread::Builder::new().name("vpn".into()).spawn(watch);
            door
        }

        /// Whether the VPN is over.
        pub fn is_gone(&self) -> bool {
            self.gone.load(Ordering::Acquire)
        }

        /// A connected stream to a place behind the VPN. Blocks for `limit`, or a
        /// little longer where the VPN does not answer.
        ///
        /// # Errors
        /// Why there is none.
        pub fn reach(&self, at: &HostPort, limit: Duration) -> Result<Socket, Unreached> {
            let (mine, theirs) = fds::pair()?;
            let limit_ms = u32::try_from(limit.as_millis()).unwrap_or(u32::MAX);
            let request = Request { at: at.clone(), limit_ms };
            let bytes = postcard::to_stdvec(&request).map_err(|_| Unreached::UnknownName)?;
            if bytes.len() > LONGEST {
                return Err(Unreached::UnknownName);
            }
            fds::send(&*self.passage, &bytes, &[theirs.as_fd()]).map_err(|_| Unreached::Gone)?;
            drop(theirs);
            let mine = Socket::of(mine)?;
            let mut watch = [Watch::new(&mine, true, false)];
            wait(&mut watch, Some(limit + MARGIN))?;
            if !watch[0].readable {
                return Err(Unreached::TimedOut);
            }
            let mut room = [0; 64];
            let (length, mut came) = fds::receive(&mine, &mut room)?;
            match postcard::from_bytes(&room[..length]) {
                Ok(Answer::Reached) if came.len() == 1 => {
                    let stream = Socket::of(came.remove(0))?;
                    let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
                    streams.push(stream.number()?);
                    Ok(stream)
                }
                Ok(Answer::Not(why)) => Err(why),
                _ => Err(Unreached::Gone),
            }
        }
    }

    /// Waits until the other side is gone, or a while.
    fn hung_up(passage: &OwnedFd) -> bool {
        let mut fds = [PollFd::new(passage, PollFlags::RDHUP)];
        let limit = Timespec::try_from(LOOK).unwrap_or_default();
        matches!(poll(&mut fds, Some(&limit)), Ok(1..))
            && fds[0].revents().intersects(PollFlags::HUP | PollFlags::RDHUP | PollFlags::ERR)
    }

    /// Serves a door until the session's side of it is closed, each request on a thread
    /// of its own.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn serve(passage: Passage, network: Arc<dyn Network>) -> io::Result<()> {
        let work = move || {
            let mut room = [0; LONGEST];
            while let Ok((length, mut came)) = fds::receive(&passage, &mut room) {
                if length == 0 {
                    return;
                }
                let Ok(Request { at, limit_ms }) = postcard::from_bytes(&room[..length]) else {
                    continue;
                };
                let Some(back) = came.pop() else { continue };
                let network = Arc::clone(&network);
                let one = move || {
                    let limit = Duration::from_millis(limit_ms.into());
                    let (answer, stream) = match network.reach(&at, limit) {
                        Ok(stream) => (Answer::Reached, Some(stream)),
                        Err(why) => (Answer::Not(why), None),
                    };
                    let stream: Vec<_> = stream.iter().map(AsFd::as_fd).collect();
                    // Who asked may have given up.
                    if let Ok(bytes) = postcard::to_stdvec(&answer) {
                        let _ = fds::send(&back, &bytes, &stream);
                    }
                };
                // Without a thread the pair is closed, which is an answer too.
                let _ = std::thread::Builder::new().name("reach".into()).spawn(one);
            }
        };
        std::thread::Builder::new().name("door".into()).spawn(work)?;
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::time::Duration;

    use super::super::Unreached;
    use crate::model::target::HostPort;
    use crate::os::net::Socket;

    /// There is none.
    #[derive(Debug)]
    pub enum Passage {}

    /// Never made.
    #[derive(Debug)]
    pub struct Door(Passage);

    impl Door {
        /// There is none.
        pub fn given() -> Option<Self> {
            None
        }

        /// Never called.
        pub fn new(passage: Passage) -> Self {
            Self(passage)
        }

        /// Never called.
        pub fn is_gone(&self) -> bool {
            match self.0 {}
        }

        /// Never called.
        ///
        /// # Errors
        /// None.
        pub fn reach(&self, _at: &HostPort, _limit: Duration) -> Result<Socket, Unreached> {
            match self.0 {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::super::{Network, Unreached};
    use super::*;
    use crate::connect::ssh::dial;
    use crate::model::target::HostPort;
    use crate::os::fds;
    use crate::os::net::Socket;

    /// This machine's own, for addresses alone.
    struct Own;

    impl Network for Own {
        fn reach(&self, at: &HostPort, limit: Duration) -> Result<Socket, Unreached> {
            let ip = at.host.parse().map_err(|_| Unreached::NoNames)?;
            let to = std::net::SocketAddr::new(ip, at.port);
            Ok(Socket::Tcp(dial::tcp(&[to], Instant::now() + limit)?))
        }
    }

    fn at(host: &str, port: u16) -> HostPort {
        HostPort { host: host.to_owned(), port }
    }

    const LIMIT: Duration = Duration::from_secs(5);

    #[test]
    fn a_door_gives_the_stream_itself_and_says_why_there_is_none() {
        let (near, far) = fds::pair().expect("descriptors are left");
        serve(far, Arc::new(Own)).expect("a thread");
        let door = Door::new(near);
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let mut stream = door.reach(&at("127.0.0.1", port), LIMIT).expect("it listens");
        let (mut peer, _) = listener.accept().expect("somebody came");
        stream.write_all(b"through the door").expect("connected");
        drop(stream);
        let mut text = String::new();
        peer.read_to_string(&mut text).expect("it was closed");
        assert_eq!(text, "through the door");
        drop((listener, peer));
        let refused = door.reach(&at("127.0.0.1", port), LIMIT).expect_err("nobody listens");
        assert_eq!(refused, Unreached::System(libc::ECONNREFUSED));
        let unknown = door.reach(&at("srv", port), LIMIT).expect_err("a name");
        assert_eq!(unknown, Unreached::NoNames);
        let long = door.reach(&at(&"x".repeat(2000), port), LIMIT).expect_err("too long");
        assert_eq!(long, Unreached::UnknownName);
    }

    #[test]
    fn the_streams_of_a_door_end_with_its_vpn() {
        let (near, far) = fds::pair().expect("descriptors are left");
        let watched = far.try_clone().expect("descriptors are left");
        serve(far, Arc::new(Own)).expect("a thread");
        let door = Door::new(near);
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let mut stream = door.reach(&at("127.0.0.1", port), LIMIT).expect("it listens");
        assert!(!door.is_gone());
        rustix::net::shutdown(&watched, rustix::net::Shutdown::Both).expect("connected");
        let mut nothing = Vec::new();
        stream.read_to_end(&mut nothing).expect("it is shut");
        assert!(nothing.is_empty() && door.is_gone());
    }

    #[test]
    fn a_door_of_a_vpn_that_ended_says_so() {
        let (near, far) = fds::pair().expect("descriptors are left");
        drop(far);
        let gone = Door::new(near).reach(&at("127.0.0.1", 1), LIMIT).expect_err("it ended");
        assert_eq!(gone, Unreached::Gone);
    }
}
