//! A network of its own as the session process of a VPN has it: a network helper, what
//! runs inside, and the doors to it. Starts nothing in the machine's own network.

use std::io;
use std::net::IpAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::fail;
use super::helper::{ARGUMENT, CONTROL, LONGEST, Order, Said};
use crate::connect::Failure;
use crate::connect::ssh::fail::local;
use crate::os::process::{Spawn, spawn};
use crate::os::{fds, seccomp};

/// The network, for as long as this lives.
pub struct Inside {
    control: Arc<OwnedFd>,
    said: Receiver<Said>,
    came: Receiver<Vec<OwnedFd>>,
}

/// A program that runs inside.
pub struct Program {
    /// Number of its process.
    pub pid: u32,
    /// Its input.
    pub input: ChildStdin,
    /// Its output.
    pub output: ChildStdout,
    /// Its errors.
    pub errors: ChildStderr,
    /// Hears its status, or none where a signal ended it.
    pub ended: Receiver<Option<i32>>,
}

impl Inside {
    /// A new one, and the socket that programs inside find in the hidden folder.
    ///
    /// # Errors
    /// The machine does not allow it: the failure says what to change.
    pub fn make() -> Result<(Self, UnixListener), Failure> {
        let (control, theirs) = fds::pair().map_err(|e| local(&e))?;
        spawn(Spawn {
            args: vec![ARGUMENT.into()],
            mute: true,
            given: vec![(theirs, CONTROL)],
            ..Spawn::default()
        })
        .map_err(|e| local(&e))?;
        let control = Arc::new(control);
        let (tell, said) = channel();
        let (bring, came) = channel();
        let listening = control.clone();
        let listen = move || listen(&listening, &tell, &bring);
        let thread = std::thread::Builder::new().name("network".into()).spawn(listen);
        thread.map_err(|e| local(&e))?;
        let inside = Self { control, said, came };
        match inside.hear() {
            Some((Said::Ready, mut came)) if came.len() == 1 => Ok((inside, came.remove(0).into())),
            Some((Said::Closed(closed), _)) => Err(fail::closed(closed)),
            _ => Err(fail::helper_gone()),
        }
    }

    fn hear(&self) -> Option<(Said, Vec<OwnedFd>)> {
        let said = self.said.recv().ok()?;
        Some((said, self.came.recv().ok()?))
    }

    fn order(&self, order: &Order, with: &[&OwnedFd]) -> io::Result<()> {
        order_to(&self.control, order, with)
    }

    /// Starts a program inside. Its Internet sockets are of the machine's own network,
    /// so that it reaches its server as ever.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn run(self, program: &Path, args: Vec<String>) -> Result<(Doors, Program), Failure> {
        let name = program.display().to_string();
        let failed = |e: &io::Error| fail::not_started(&name, e);
        let (mine, theirs) = fds::pair().map_err(|e| failed(&e))?;
        let order = Order::Run { program: name.clone(), args };
        self.order(&order, &[&theirs]).map_err(|e| failed(&e))?;
        drop(theirs);
        let (pid, [input, output, errors]) = match self.hear() {
            Some((Said::Started { pid }, came)) => match <[OwnedFd; 3]>::try_from(came) {
                Ok(streams) => (pid, streams),
                Err(_) => return Err(fail::helper_gone()),
            },
            Some((Said::NotStarted(errno), _)) => {
                return Err(failed(&io::Error::from_raw_os_error(errno)));
            }
            _ => return Err(fail::helper_gone()),
        };
        let mut room = [0; 8];
        let (_, mut came) = fds::receive(&mine, &mut room).map_err(|e| failed(&e))?;
        let Some(listener) = came.pop() else { return Err(fail::helper_gone()) };
        let serve = move || {
            // Where that fails, the program waits at its next socket until it is ended.
            let _ = seccomp::serve(&listener);
        };
        let thread = std::thread::Builder::new().name("sockets".into()).spawn(serve);
        thread.map_err(|e| failed(&e))?;
        let (tell, ended) = channel();
        let Self { control, said, .. } = self;
        let wait = move || {
            let status = match said.recv() {
                Ok(Said::Ended { status }) => status,
                _ => None,
            };
            let _ = tell.send(status);
        };
        let thread = std::thread::Builder::new().name("ending".into()).spawn(wait);
        thread.map_err(|e| failed(&e))?;
        let (input, output, errors) = (input.into(), output.into(), errors.into());
        Ok((Doors(control), Program { pid, input, output, errors, ended }))
    }
}

/// The way into the network for those who have a door.
#[derive(Clone)]
pub struct Doors(Arc<OwnedFd>);

impl Doors {
    /// Serves a door until its other side is closed.
    pub fn admit(&self, passage: OwnedFd) {
        // Without a helper the passage is closed, and who has the door is told.
        let _ = order_to(&self.0, &Order::Door, &[&passage]);
    }

    /// The servers that know the names of this network.
    pub fn names(&self, servers: Vec<IpAddr>, search: Vec<String>) {
        let _ = order_to(&self.0, &Order::Names { servers, search }, &[]);
    }
}

fn order_to(control: &OwnedFd, order: &Order, with: &[&OwnedFd]) -> io::Result<()> {
    let bytes = postcard::to_stdvec(order).map_err(|_| io::ErrorKind::InvalidInput)?;
    let fds: Vec<_> = with.iter().map(|fd| fd.as_fd()).collect();
    fds::send(control, &bytes, &fds)
}

fn listen(control: &OwnedFd, tell: &Sender<Said>, bring: &Sender<Vec<OwnedFd>>) {
    let mut room = vec![0; LONGEST];
    while let Ok((length, came)) = fds::receive(control, &mut room) {
        let Ok(said) = postcard::from_bytes(&room[..length]) else { return };
        if tell.send(said).is_err() {
            return;
        }
        // Nobody takes descriptors any more once the program runs.
        let _ = bring.send(came);
    }
}
