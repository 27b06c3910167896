//! Sessions from click to close: plan, audit line, lease, connector, link. The
//! opening line is stored before anything starts; if it cannot be, nothing does.
//! This file opens one on the thread that asks, and never sees the vault.

mod host_keys;
mod lease;
mod lines;
mod live;
mod prepare;
mod resumes;
mod visit;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::connect::link::{Link, LinkInfo};
use crate::connect::{Connector, FailureKind};
use crate::model::entry::Slot;
use crate::model::id::{EntryId, MemberId, SessionId};
use crate::model::target::{HostPort, PinnedKey};
use crate::secret::SecretBytes;
use crate::vault::unlocked::Unlocked;
use crate::vault::waiting::LateKey;

use super::api::AppError;
use super::pool::Way;
use super::worker::Job;
use super::{ConnectRequest, OpenSession, SessionUi};

use lease::LiveLease;
use live::Live;

pub(super) use prepare::infos;
pub(super) use resumes::Resumes;

/// What is needed to open a session; the secrets are already out of the vault.
pub(super) struct Prepared {
    id: SessionId,
    /// That of the vault, found where it is at hand.
    connector: &'static dyn Connector,
    way: Way,
    secrets: BTreeMap<(usize, Slot), SecretBytes>,
    /// A link that is already open and goes the same way.
    open: Option<Arc<dyn Link>>,
}

/// What the worker remembers of a session for its later lines.
pub(super) struct Running {
    /// Who opened it.
    member: MemberId,
    fields: Vec<(&'static str, String)>,
    /// Key of the far side: as pinned, then as it was shown.
    host_key: String,
    /// The machines on the way and their entries.
    hops: Vec<(HostPort, EntryId)>,
    /// A page of the browser, which is over once it is open.
    page: bool,
    /// The session that it takes up again.
    after: Option<SessionId>,
    /// Seals its lines while the vault is locked; wiped with it.
    late: LateKey,
}

impl Running {
    /// Takes the vault key of now for the lines after a lock.
    pub(super) fn renew(&mut self, v: &Unlocked) {
        // With the key it had, its lines still count, but for nobody's.
        let _ = v.renew_late_key(&mut self.late);
    }
}

/// A step of a session that the vault has to know.
pub(super) enum Ask {
    /// It is open.
    Opened(SessionId, Box<LinkInfo>),
    /// It could not be opened: why, and after how many milliseconds.
    Failed(SessionId, String, FailureKind, u64),
    /// The person accepted a server key.
    Pin(SessionId, PinnedKey),
    /// The person, or the pin, refused a server key: which, and why if it was the pin.
    Refused(SessionId, String, String),
    /// What takes it up again after a break.
    Resume(SessionId, SecretBytes),
    /// Keep a link for the next session that goes the same way, with the keys
    /// that were accepted for it.
    Keep(SessionId, Box<(Way, Vec<PinnedKey>, Arc<dyn Link>)>),
}

/// How a session ended.
pub(super) struct Closing {
    id: SessionId,
    ms: u64,
    bytes_in: u64,
    bytes_out: u64,
    exit: String,
    /// Why it was cut off, if it was.
    detail: String,
}

/// Opens a session on the calling thread.
pub(super) fn open(
    jobs: &Sender<Job>,
    request: ConnectRequest,
    ui: &mut dyn SessionUi,
) -> Result<Box<dyn OpenSession>, AppError> {
    let accepted = request.accept_host_key.clone();
    let (reuse, desktop) = (request.reuse, request.desktop.clone());
    let prepared = super::ask(jobs, |answer| Job::Prepare(Box::new(request), answer))?;
    let Prepared { id, connector, way, secrets, open } = prepared;
    let started = Instant::now();
    if let Some(link) = open {
        let mut live = Live::begin(jobs, id, link, started, true);
        live.reused = true;
        return Ok(Box::new(live));
    }
    let target = &way.target;
    let (pinned, typed) = (Vec::new(), false);
    let mut lease = LiveLease { jobs, id, target, secrets, ui, accepted, pinned, typed, desktop };
    match connector.open(target, &mut lease) {
        Ok(link) => {
            // What the person was asked for is asked for again next time.
            let shared = connector.many_channels() && !lease.typed;
            let (reuse, pinned) = (reuse && shared, lease.pinned);
            let link: Arc<dyn Link> = Arc::from(link);
            let live = Live::begin(jobs, id, Arc::clone(&link), started, reuse);
            if reuse {
                let kept = Ask::Keep(id, Box::new((way, pinned, link)));
                super::ask(jobs, |answer| Job::Session(Box::new(kept), answer))?;
            }
            Ok(Box::new(live))
        }
        Err(failure) => {
            let why = failure.what.en.clone();
            let failed = Ask::Failed(id, why, failure.kind, millis(started));
            let _ = super::ask(jobs, |answer| Job::Session(Box::new(failed), answer));
            Err(failure.into())
        }
    }
}

/// Whole milliseconds since then.
fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
