//! The network helper: this program inside a network of its own, where it starts the
//! client of a VPN and dials for those who have a door. It holds no secret, and ends
//! with the session process that started it.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::names::Names;
use super::{Network, Unreached, door};
use crate::connect::ssh::dial;
use crate::model::target::HostPort;
use crate::os::net::Socket;
use crate::os::netns::{self, Closed};
use crate::os::process::{Spawn, confine_session_process, spawn};
use crate::os::{fds, net};

/// The hidden first argument that makes this program a network helper.
pub const ARGUMENT: &str = "network-host";
/// The number of the descriptor by which it is told what to do.
pub const CONTROL: i32 = 3;
/// The number under which a program inside finds the hidden folder.
pub const FOLDER: i32 = 20;
/// Name of the socket in that folder.
pub const SOCKET: &str = "m";
/// Longest message, in bytes.
pub const LONGEST: usize = 16 * 1024;

/// What the helper is told.
#[derive(Serialize, Deserialize)]
pub enum Order {
    /// Start this program inside; its Internet sockets are made by who has the other
    /// end of what comes with this.
    Run {
        /// Where it lies.
        program: String,
        /// Its arguments; never a secret.
        args: Vec<String>,
    },
    /// Serve the door that comes with this.
    Door,
    /// The servers that know the names of this network, and the domains that are added
    /// to short ones.
    Names {
        /// Where they are.
        servers: Vec<IpAddr>,
        /// The domains.
        search: Vec<String>,
    },
}

/// What the helper says.
#[derive(Serialize, Deserialize)]
pub enum Said {
    /// It is inside; the socket that programs inside find comes with this.
    Ready,
    /// It is not.
    Closed(Closed),
    /// The program runs; its input, its output and its errors come with this.
    Started {
        /// Number of its process.
        pid: u32,
    },
    /// It does not run (errno(3)).
    NotStarted(i32),
    /// It has ended.
    Ended {
        /// Its status, or none where a signal ended it.
        status: Option<i32>,
    },
}

/// The network helper.
pub fn main() -> ExitCode {
    let Some(control) = fds::given(CONTROL) else { return ExitCode::FAILURE };
    let made = netns::enter().and_then(|()| netns::hidden_folder());
    let folder = match made {
        Ok(folder) => folder,
        Err(closed) => {
            say(&control, &Said::Closed(closed), &[]);
            return ExitCode::FAILURE;
        }
    };
    confine_session_process();
    let Ok(listener) = netns::listen_in(&folder, SOCKET) else { return ExitCode::FAILURE };
    say(&control, &Said::Ready, &[&OwnedFd::from(listener)]);
    let inside = Arc::new(Inside::default());
    let control = Arc::new(control);
    let mut room = vec![0; LONGEST];
    while let Ok((length, mut came)) = fds::receive(&*control, &mut room) {
        if length == 0 {
            break;
        }
        match postcard::from_bytes::<Order>(&room[..length]) {
            Ok(Order::Run { program, args }) => run(&control, program, args, came.pop(), &folder),
            Ok(Order::Door) => {
                for passage in came {
                    // Without a thread the passage is closed, and who has the door is told.
                    let _ = door::serve(passage, inside.clone());
                }
            }
            Ok(Order::Names { servers, search }) => {
                let names = Names::new(&servers, &search).ok();
                *inside.names.write().unwrap_or_else(std::sync::PoisonError::into_inner) = names;
            }
            Err(_) => break,
        }
    }
    // What runs inside is ended by the system with this process.
    ExitCode::SUCCESS
}

fn say(control: &OwnedFd, said: &Said, with: &[&OwnedFd]) {
    let fds: Vec<_> = with.iter().map(|fd| fd.as_fd()).collect();
    if let Ok(bytes) = postcard::to_stdvec(said) {
        // Who started this is gone otherwise, and so is this, presently.
        let _ = fds::send(control, &bytes, &fds);
    }
}

fn run(
    control: &Arc<OwnedFd>,
    program: String,
    args: Vec<String>,
    outer_sockets: Option<OwnedFd>,
    folder: &OwnedFd,
) {
    let started = folder.try_clone().and_then(|folder| {
        spawn(Spawn {
            program: Some(program.into()),
            args: args.into_iter().map(Into::into).collect(),
            given: vec![(folder, FOLDER)],
            outer_sockets,
            ..Spawn::default()
        })
    });
    let mut child = match started {
        Ok(child) => child,
        Err(e) => {
            let errno = e.raw_os_error().unwrap_or(libc::EIO);
            return say(control, &Said::NotStarted(errno), &[]);
        }
    };
    let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    if let (Some(input), Some(output), Some(errors)) = streams {
        let streams = [OwnedFd::from(input), OwnedFd::from(output), OwnedFd::from(errors)];
        say(control, &Said::Started { pid: child.id() }, &streams.each_ref());
    }
    let control = control.clone();
    let wait = move || {
        let status = child.wait().ok().and_then(|status| status.code());
        say(&control, &Said::Ended { status }, &[]);
    };
    // Without it nobody hears of the end but by the streams.
    let _ = std::thread::Builder::new().name("child".into()).spawn(wait);
}

/// The network that this process is in.
#[derive(Default)]
struct Inside {
    names: RwLock<Option<Names>>,
}

impl Network for Inside {
    fn reach(&self, at: &HostPort, limit: Duration) -> Result<Socket, Unreached> {
        let deadline = Instant::now() + limit;
        let addresses = match at.host.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => {
                let names = self.names.read().unwrap_or_else(std::sync::PoisonError::into_inner);
                names.as_ref().ok_or(Unreached::NoNames)?.look_up(&at.host, limit)?
            }
        };
        let places: Vec<_> = addresses.iter().map(|ip| SocketAddr::new(*ip, at.port)).collect();
        Ok(net::Socket::Tcp(dial::tcp(&places, deadline)?))
    }
}
