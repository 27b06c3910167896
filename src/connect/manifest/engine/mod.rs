//! Runs the program of a manifest in the session process: in a pseudo-terminal that
//! becomes the person's, or beside its own window. Secrets are asked for when the
//! program wants them, and only until it is ready. The program ends with the session.

mod ready;
mod serve;
mod start;

use std::collections::VecDeque;
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender};
use std::time::Duration;

use super::hold::{Hold, end, lock};
use super::run::Run;
use crate::connect::Failure;
use crate::connect::host::child::{self, Command, Engine, Inbox, Uplink};
use crate::connect::link::LinkInfo;
use crate::connect::shell::exit_of;
use crate::model::target::{Hop, Target};
use crate::os::pty::Pty;
use crate::secret::SecretBytes;

/// How long output may still come after the program has ended.
const AFTERMATH: Duration = Duration::from_millis(300);

/// What the engine waits for.
enum Heard {
    Command(Command),
    Said(bool, Vec<u8>),
    Written(usize),
    Silent,
    Ended(ExitStatus),
    Asked(UnixStream, String),
}

struct Ear(Sender<Heard>);

impl Inbox for Ear {
    fn push(&self, command: Command) {
        let _ = self.0.send(Heard::Command(command));
    }
}

/// A program that runs.
struct Running {
    run: Run,
    /// Ways whose secret a helper was told.
    told: Vec<bool>,
    /// The secret of a question that was withdrawn: the lease gives it once.
    kept: Option<(usize, SecretBytes)>,
    /// What was heard while a question waited, and is not about it.
    later: VecDeque<Heard>,
    hop: Hop,
    index: usize,
    hold: Hold,
    heard: Receiver<Heard>,
    inbox: Arc<Ear>,
    pty: Option<Pty>,
    /// What is typed, or lines for standard input.
    typing: Option<Sender<Vec<u8>>>,
    /// Lets the readers go on, standard output and errors.
    permits: [Option<SyncSender<()>>; 2],
    /// Readers that have not come to their end.
    readers: usize,
    /// Readers that wait for room.
    waiting: [bool; 2],
    shown: VecDeque<u8>,
    status: Option<ExitStatus>,
    info: LinkInfo,
    channel: Option<u32>,
    attended: bool,
    credit: usize,
}

/// Starts a program and waits until it is ready.
///
/// # Errors
/// It does not start, refuses the login, or ends before; it is gone then.
pub(in crate::connect) fn open(
    run: Run,
    target: &Target,
    up: &Arc<Uplink>,
) -> Result<Box<dyn Engine>, Failure> {
    let (index, hop) = (target.hops.len() - 1, target.destination().clone());
    let mut running = Running::start(run, index, hop, up)?;
    let hold = running.hold.clone();
    child::before_leaving(Box::new(move || end(&hold)));
    match running.until_ready(up) {
        Ok(()) => {
            if let Some(held) = lock(&running.hold).as_mut() {
                held.desk = None;
            }
            running.kept = None;
            Ok(Box::new(running))
        }
        Err(failure) => {
            end(&running.hold);
            Err(failure)
        }
    }
}

impl Engine for Running {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn run(mut self: Box<Self>, up: Arc<Uplink>, _noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let by_itself = self.work(&up);
        end(&self.hold);
        if let Some(id) = self.channel {
            if by_itself && let Some(status) = self.status {
                up.exit(id, &exit_of(status));
            }
            up.closed(id, None);
        }
        None
    }
}
