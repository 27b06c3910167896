//! Configurations read from devices: who may, the line before and the line after,
//! and what is kept. Taking one needs no more than a session does, since nobody
//! sees it then; reading one is revealing a secret: it holds password hashes.

mod difference;
mod keep;
mod read;

pub(super) use keep::views;

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::connect::link::{ChannelRequest, Sink};
use crate::connect::snapshot::{self, Person, Task};
use crate::model::id::{EntryId, SessionId};
use crate::secret::SecretBytes;

use super::api::{AppError, At, Justification, Taken};
use super::sessions::Tunnels;
use super::worker::Job;
use super::{ConnectRequest, SessionUi, sessions};

/// What is to be done before a device is asked.
pub(super) struct Ready {
    pub(super) entry: EntryId,
    pub(super) task: Task,
}

/// What the line before tells.
pub(super) struct Begin {
    pub(super) entry: EntryId,
    pub(super) session: SessionId,
    pub(super) command: String,
    pub(super) enable: bool,
    pub(super) just: Justification,
}

/// What came of it.
pub(super) struct End {
    pub(super) entry: EntryId,
    pub(super) session: SessionId,
    pub(super) command: String,
    pub(super) just: Justification,
    /// The configuration, or why there is none, in English.
    pub(super) result: Result<SecretBytes, String>,
}

/// Reads a configuration on the calling thread, and keeps it.
pub(super) fn take(
    jobs: &Sender<Job>,
    tunnels: &Arc<Tunnels>,
    request: ConnectRequest,
    ui: &mut dyn SessionUi,
) -> Result<Taken, AppError> {
    let (at, just) = (request.at.clone(), request.just.clone());
    let Ready { entry, task } = super::ask(jobs, |answer| Job::SnapshotReady(at, answer))?;
    // A connection of its own: small devices take one channel for each, and what
    // others do on it must not end with this.
    let request = ConnectRequest { at: At::Id(entry), reuse: false, ..request };
    let session = sessions::open(jobs, tunnels, request, ui)?;
    let begin = Begin {
        entry,
        session: session.id(),
        command: task.command.clone(),
        enable: task.takes_enable(),
        just: just.clone(),
    };
    let begun = super::ask(jobs, |answer| Job::SnapshotBegin(Box::new(begin), answer));
    let done = begun.and_then(|enable| {
        let open = |request: ChannelRequest, sink: Sink| session.open_channel(request, sink);
        let ui = RefCell::new(ui);
        let person = Person {
            ask: &|question| ui.borrow_mut().ask(question),
            cancelled: &|| ui.borrow().cancelled() || !session.alive(),
        };
        snapshot::take(&task, enable, &open, &person)
    });
    let (result, failed) = match done {
        Ok(config) => (Ok(config), None),
        Err(error) => (Err(error.what.en.clone()), Some(error)),
    };
    let (session_id, command) = (session.id(), task.command);
    let end = End { entry, session: session_id, command, just, result };
    let kept = super::ask(jobs, |answer| Job::SnapshotEnd(Box::new(end), answer));
    session.close();
    match failed {
        Some(error) => Err(error),
        None => kept?.ok_or_else(AppError::locked),
    }
}
