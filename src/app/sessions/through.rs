//! The way of a session through a VPN: when it is raised, and a link that keeps it up.
//! Decides for one session; that a VPN is raised once is for [`super::tunnels`].

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::app::api::{AppError, At, Code};
use crate::app::plan::Vpn;
use crate::app::worker::Job;
use crate::app::{self, ConnectRequest, OpenSession, SessionUi};
use crate::connect::link::{Channel, ChannelRequest, Link, LinkInfo, Sink, Tunnel};
use crate::connect::vpn;
use crate::connect::vpn::fields::When;
use crate::connect::vpn::journal::{Now, Step};
use crate::connect::{Answer, Failure, Question};
use crate::model::id::SessionId;
use crate::model::lang::Bi;

use super::live::Live;
use super::tunnels::{Raised, Tunnels, Use};
use super::{Ask, Prepared, established};

/// How long a machine may take to answer without the VPN.
const PROBE: Duration = Duration::from_millis(1500);

/// The VPN of a session, raised if it has to be; none where it is not wanted.
///
/// # Errors
/// It cannot be raised.
pub(super) fn raise(
    jobs: &Sender<Job>,
    tunnels: &Arc<Tunnels>,
    prepared: &Prepared,
    desktop: &[(String, String)],
    ui: &mut dyn SessionUi,
) -> Result<Option<Use>, AppError> {
    let Some(vpn) = &prepared.vpn else { return Ok(None) };
    let wanted = match vpn.when {
        When::Always => true,
        When::NoAnswer => {
            let first = prepared.way.target.hops.first();
            !first.is_some_and(|hop| vpn::answers(&hop.at, PROBE, &mut |step| ui.say(step)))
        }
        When::Ask => {
            let question = Question::RaiseVpn { path: vpn.path.clone() };
            matches!(ui.ask(question), Answer::Yes)
        }
    };
    if !wanted {
        return Ok(None);
    }
    let key = (vpn.entry, prepared.way.member);
    let joined = tunnels.join(key, &vpn.path, ui, |ui| {
        let request = ConnectRequest {
            at: At::Id(vpn.entry),
            just: prepared.just.clone(),
            accept_host_key: None,
            reuse: false,
            desktop: desktop.to_vec(),
            after: None,
        };
        let before = Some(prepared.id);
        let vpn = app::ask(jobs, |answer| Job::Prepare(Box::new(request), before, answer))?;
        up(jobs, vpn, desktop.to_vec(), ui)
    });
    joined.map(Some).map_err(|error| of(vpn, error))
}

/// Raises the VPN that was prepared.
pub(super) fn up(
    jobs: &Sender<Job>,
    prepared: Prepared,
    desktop: Vec<(String, String)>,
    ui: &mut dyn SessionUi,
) -> Result<Raised, AppError> {
    let started = Instant::now();
    let settings = &prepared.way.target.destination().settings;
    let grace = settings.get(vpn::fields::KEEP.id).and_then(|secs| secs.parse().ok());
    let grace = Duration::from_secs(grace.unwrap_or_default());
    let id = prepared.id;
    let (link, _) = established(jobs, prepared, (None, desktop), None, started, ui)?;
    if let Some(tunnel) = link.tunnel() {
        report(tunnel, jobs, id);
    }
    let live = Live::begin(jobs, id, Arc::from(link), started, false);
    Ok(Raised { live, grace })
}

/// Has the worker told of what happens to a VPN while it is up.
fn report(tunnel: &dyn Tunnel, jobs: &Sender<Job>, id: SessionId) {
    let (jobs, mut last) = (jobs.clone(), Step::Up);
    tunnel.watch(Box::new(move |now: &Now| {
        if std::mem::replace(&mut last, now.step) != now.step && now.step != Step::GoingDown {
            let changed = Ask::Vpn(id, now.step, now.why.clone());
            // Without an answer: nobody waits for the line.
            let (answer, _) = std::sync::mpsc::channel();
            let _ = jobs.send(Job::Session(Box::new(changed), answer));
        }
    }));
}

/// A failure of the VPN, as the session before which it stands tells it.
fn of(vpn: &Vpn, error: AppError) -> AppError {
    let code = if error.code == Code::Unreachable { Code::Connection } else { error.code };
    let what = Bi::new(
        format!("VPN «\u{a0}{}\u{a0}»\u{a0}: {}", vpn.path, error.what.fr),
        format!("VPN “{}”: {}", vpn.path, error.what.en),
    );
    AppError { code, what, todo: error.todo }
}

/// A link through a VPN, which stays up as long as this is open.
pub(super) struct Carried {
    pub(super) link: Box<dyn Link>,
    pub(super) path: String,
    pub(super) through: Mutex<Option<Use>>,
}

impl Carried {
    fn release(&self) {
        let held = self.through.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(held);
    }
}

impl Link for Carried {
    fn info(&self) -> LinkInfo {
        LinkInfo { vpn: self.path.clone(), ..self.link.info() }
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, Failure> {
        self.link.open_channel(request, sink)
    }

    fn traffic(&self) -> (u64, u64) {
        self.link.traffic()
    }

    fn alive(&self) -> bool {
        self.link.alive()
    }

    fn close(&self) {
        self.link.close();
        self.release();
    }
}

/// The session of who opened a VPN to look at it. The VPN is taken down with it, unless
/// others go through it.
pub(super) struct Watched {
    live: Arc<Live>,
    /// Its lines are its own; otherwise those of the VPN.
    own: bool,
    through: Mutex<Option<Use>>,
}

impl Watched {
    /// One that raised it.
    pub(super) fn raised(through: Use) -> Self {
        let live = through.live().clone();
        Self { live, own: false, through: Mutex::new(Some(through)) }
    }

    /// One that found it up.
    pub(super) fn found(live: Live, through: Use) -> Self {
        Self { live: Arc::new(live), own: true, through: Mutex::new(Some(through)) }
    }
}

impl OpenSession for Watched {
    fn id(&self) -> SessionId {
        self.live.id()
    }

    fn info(&self) -> LinkInfo {
        self.live.info()
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, AppError> {
        self.live.open_channel(request, sink)
    }

    fn alive(&self) -> bool {
        let held = self.through.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().is_some_and(Use::alive) && self.live.alive()
    }

    fn close(&self) {
        let held = self.through.lock().unwrap_or_else(PoisonError::into_inner).take();
        if self.own {
            self.live.close();
        }
        if let Some(through) = held {
            through.at_once();
        }
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.close();
    }
}

/// How a line of the log tells of a VPN's state.
pub(super) fn detail(step: Step, why: Option<&Bi>) -> String {
    let word = serde_json::to_string(&step).unwrap_or_default();
    let word = word.trim_matches('"');
    why.map_or_else(|| word.to_owned(), |why| format!("{word}: {}", why.en))
}
