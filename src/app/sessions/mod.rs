//! Sessions from click to close: plan, audit line, lease, connector, link. The
//! opening line is stored before anything starts; if it cannot be, nothing does.
//! This file opens one on the thread that asks, and never sees the vault.

mod down;
mod host_keys;
mod lease;
mod lines;
mod live;
mod prepare;
mod resumes;
mod through;
mod tunnels;
mod visit;

use std::collections::BTreeMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use crate::connect::link::{Link, LinkInfo};
use crate::connect::vpn::journal::Step;
use crate::connect::{Connector, FailureKind};
use crate::model::entry::Slot;
use crate::model::id::{EntryId, MemberId, SessionId};
use crate::model::lang::Bi;
use crate::model::target::{HostPort, PinnedKey};
use crate::secret::SecretBytes;
use crate::vault::unlocked::Unlocked;
use crate::vault::waiting::LateKey;

use super::api::{AppError, Justification};
use super::plan;
use super::pool::Way;
use super::worker::Job;
use super::{ConnectRequest, OpenSession, SessionUi};

use lease::LiveLease;
use live::Live;
use through::{Carried, Watched};
use tunnels::Use;

pub(super) use prepare::infos;
pub(super) use resumes::Resumes;
pub(super) use tunnels::Tunnels;

/// What is needed to open a session; the secrets are already out of the vault.
pub(super) struct Prepared {
    id: SessionId,
    /// That of the vault, found where it is at hand.
    connector: &'static dyn Connector,
    way: Way,
    secrets: BTreeMap<(usize, Slot), SecretBytes>,
    /// A link that is already open and goes the same way.
    open: Option<Arc<dyn Link>>,
    /// The VPN before it.
    vpn: Option<plan::Vpn>,
    /// Why, for the VPN's lines too.
    just: Justification,
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
    /// A VPN that was up is at this step, for this reason.
    Vpn(SessionId, Step, Option<Bi>),
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
    tunnels: &Arc<Tunnels>,
    request: ConnectRequest,
    ui: &mut dyn SessionUi,
) -> Result<Box<dyn OpenSession>, AppError> {
    let accepted = request.accept_host_key.clone();
    let (reuse, desktop) = (request.reuse, request.desktop.clone());
    let mut prepared = super::ask(jobs, |answer| Job::Prepare(Box::new(request), None, answer))?;
    let (id, started) = (prepared.id, Instant::now());
    if let Some(link) = prepared.open.take() {
        let mut live = Live::begin(jobs, id, link, started, true);
        live.reused = true;
        return Ok(Box::new(live));
    }
    if prepared.connector.leads_to_network() {
        return watch(jobs, tunnels, prepared, desktop, ui);
    }
    let through = match through::raise(jobs, tunnels, &prepared, &desktop, ui) {
        Ok(through) => through,
        Err(error) => {
            let why = error.what.en.clone();
            failed(jobs, id, why, FailureKind::Vpn, started);
            return Err(error);
        }
    };
    let path = prepared.vpn.as_ref().map(|vpn| vpn.path.clone()).unwrap_or_default();
    let asker = (accepted, desktop);
    let done = established(jobs, prepared, asker, through.as_ref(), started, ui);
    let (link, learned) = match done {
        Ok(done) => done,
        Err(error) => {
            if let Some(through) = through.filter(|_| ui.cancelled()) {
                through.at_once();
            }
            return Err(error);
        }
    };
    let link: Arc<dyn Link> = match through {
        Some(through) => Arc::new(Carried { link, path, through: Mutex::new(Some(through)) }),
        None => Arc::from(link),
    };
    let reuse = reuse && learned.shared;
    let live = Live::begin(jobs, id, Arc::clone(&link), started, reuse);
    if reuse {
        let kept = Ask::Keep(id, Box::new((learned.way, learned.pinned, link)));
        super::ask(jobs, |answer| Job::Session(Box::new(kept), answer))?;
    }
    Ok(Box::new(live))
}

/// Opens a VPN to look at it: one that is up is not raised again.
fn watch(
    jobs: &Sender<Job>,
    tunnels: &Arc<Tunnels>,
    prepared: Prepared,
    desktop: Vec<(String, String)>,
    ui: &mut dyn SessionUi,
) -> Result<Box<dyn OpenSession>, AppError> {
    let (id, started) = (prepared.id, Instant::now());
    let hop = prepared.way.target.destination();
    let (key, path) = ((hop.entry, prepared.way.member), hop.path.clone());
    let mut raised = false;
    let done = tunnels.join(key, &path, ui, |ui| {
        raised = true;
        through::up(jobs, prepared, desktop, ui)
    });
    match done {
        Ok(through) if raised => Ok(Box::new(Watched::raised(through))),
        Ok(through) => {
            let mut live = Live::begin(jobs, id, through.live().link(), started, true);
            live.reused = true;
            Ok(Box::new(Watched::found(live, through)))
        }
        Err(error) => {
            if !raised {
                failed(jobs, id, error.what.en.clone(), FailureKind::Vpn, started);
            }
            Err(error)
        }
    }
}

/// What opening a link has shown, for the next session that goes the same way.
struct Learned {
    way: Way,
    /// Keys that were accepted.
    pinned: Vec<PinnedKey>,
    /// Another session may go over it: what the person was asked for is asked for
    /// again next time.
    shared: bool,
}

/// Opens the link of a session; that it failed stands in the log.
fn established(
    jobs: &Sender<Job>,
    prepared: Prepared,
    (accepted, desktop): (Option<String>, Vec<(String, String)>),
    through: Option<&Use>,
    started: Instant,
    ui: &mut dyn SessionUi,
) -> Result<(Box<dyn Link>, Learned), AppError> {
    let Prepared { id, connector, way, secrets, .. } = prepared;
    let target = &way.target;
    let (pinned, typed) = (Vec::new(), false);
    let mut lease =
        LiveLease { jobs, id, target, secrets, ui, accepted, pinned, typed, desktop, through };
    match connector.open(target, &mut lease) {
        Ok(link) => {
            let shared = connector.many_channels() && !lease.typed;
            let pinned = lease.pinned;
            Ok((link, Learned { way, pinned, shared }))
        }
        Err(failure) => {
            failed(jobs, id, failure.what.en.clone(), failure.kind, started);
            Err(failure.into())
        }
    }
}

/// Has it logged that a session could not be opened.
fn failed(jobs: &Sender<Job>, id: SessionId, why: String, kind: FailureKind, since: Instant) {
    let failed = Ask::Failed(id, why, kind, millis(since));
    let _ = super::ask(jobs, |answer| Job::Session(Box::new(failed), answer));
}

/// Whole milliseconds since then.
fn millis(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX)
}
