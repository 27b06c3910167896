//! Sessions from click to close: plan, audit line, lease, connector, link. The
//! opening line is stored before anything starts; if it cannot be, nothing does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::audit::line::Draft;
use crate::connect::link::ToRemote;
use crate::connect::link::{Channel, ChannelRequest, Exit, FromRemote, Link, LinkInfo, Sink};
use crate::connect::{self, Answer, Failure, FailureKind, Lease, Opens, Progress, Question};
use crate::crypto::totp::Seed;
use crate::model::audit_event::{Event, field};
use crate::model::entry::{ClientInfo, Entry, Slot};
use crate::model::id::{EntryId, SessionId};
use crate::model::policy::Action;
use crate::model::target::{HostPort, PinnedKey, Target};
use crate::os::clock;
use crate::secret::{SecretBytes, SecretText};
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, At, Code};
use super::entries::{Looker, locate, need, supersede};
use super::pool::Way;
use super::worker::{Job, Open, Worker};
use super::{ConnectRequest, OpenSession, SessionUi, draft, people, plan, reveal, tickets};

/// What is needed to open a session; the secrets are already out of the vault.
pub(super) struct Prepared {
    pub(super) id: SessionId,
    pub(super) way: Way,
    pub(super) secrets: BTreeMap<(usize, Slot), SecretBytes>,
    /// A link that is already open and goes the same way.
    pub(super) open: Option<Arc<dyn Link>>,
}

/// What the worker remembers of a session for its later lines.
pub(super) struct Running {
    fields: Vec<(&'static str, String)>,
    /// The machines on the way and their entries.
    hops: Vec<(HostPort, EntryId)>,
}

/// A step of a session that the vault has to know.
pub(super) enum Ask {
    /// It is open.
    Opened(SessionId, Box<LinkInfo>),
    /// It could not be opened.
    Failed(SessionId, String, FailureKind),
    /// The person accepted a server key.
    Pin(SessionId, PinnedKey),
    /// The person, or the pin, refused a server key: which, and why if it was the pin.
    Refused(SessionId, String, String),
    /// Keep a link for the next session that goes the same way, with the keys
    /// that were accepted for it.
    Keep(Box<(Way, Vec<PinnedKey>, Arc<dyn Link>)>),
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

impl Worker {
    pub(super) fn prepare(&mut self, request: &ConnectRequest) -> Result<Prepared, AppError> {
        let pool = &mut self.pool;
        let reuse = request.reuse;
        let open = self.open.as_mut().ok_or_else(AppError::locked)?;
        let (prepared, running) =
            open.prepare(request, |way| if reuse { pool.find(way) } else { None })?;
        self.sessions.insert(prepared.id, running);
        Ok(prepared)
    }

    pub(super) fn session(&mut self, ask: Ask) -> Result<(), AppError> {
        match ask {
            Ask::Keep(kept) => {
                let (way, accepted, link) = *kept;
                let accepted: Vec<_> =
                    accepted.into_iter().map(|k| (k.at.to_string(), k.fingerprint)).collect();
                self.pool.keep(way, &accepted, link);
                Ok(())
            }
            Ask::Opened(id, info) => self.line(id, Event::SessionOpened, true, |f| {
                f.push((field::HOST_KEY, info.host_key.clone()));
                f.push((field::DETAIL, opened_detail(&info)));
            }),
            Ask::Failed(id, why, kind) => {
                let done = self.line(id, Event::SessionFailed, false, |f| {
                    f.push((field::DETAIL, format!("{}: {why}", word(kind))));
                });
                self.sessions.remove(&id);
                done
            }
            Ask::Refused(id, key, why) => self.line(id, Event::HostKeyRefused, false, |f| {
                f.push((field::HOST_KEY, key));
                if !why.is_empty() {
                    f.push((field::DETAIL, why));
                }
            }),
            Ask::Pin(id, key) => {
                let running = self.sessions.get(&id).ok_or_else(AppError::locked)?;
                // A jump host may be another client's: its key is pinned there.
                let hop = running.hops.iter().find(|(at, _)| *at == key.at);
                let entry = hop.or(running.hops.last()).map(|(_, entry)| *entry);
                let entry = entry.ok_or_else(AppError::locked)?;
                let fields = running.fields.clone();
                self.opened()?.pin(entry, fields, &key)
            }
        }
    }

    /// Logs the end of a session; while locked, sealed for the next unlock.
    pub(super) fn session_closed(&mut self, c: Closing) {
        let end = |f: &mut Vec<(&'static str, String)>| {
            f.push((field::DURATION_MS, c.ms.to_string()));
            f.push((field::BYTES_IN, c.bytes_in.to_string()));
            f.push((field::BYTES_OUT, c.bytes_out.to_string()));
            f.push((field::EXIT, c.exit.clone()));
            if !c.detail.is_empty() {
                f.push((field::DETAIL, c.detail.clone()));
            }
        };
        // If the store refuses this last line there is nobody to tell and nothing
        // to undo: the session is over, and its opening stands in the log.
        let _ = self.line(c.id, Event::SessionClosed, true, end);
        self.sessions.remove(&c.id);
    }

    fn line(
        &mut self,
        id: SessionId,
        event: Event,
        ok: bool,
        more: impl FnOnce(&mut Vec<(&'static str, String)>),
    ) -> Result<(), AppError> {
        let Some(running) = self.sessions.get(&id) else { return Err(AppError::locked()) };
        let mut fields = running.fields.clone();
        more(&mut fields);
        match self.open.as_mut() {
            Some(open) => open.write(|v, rows, env| {
                let mut line = draft(v, env, event, ok);
                line.fields.extend(fields);
                Ok(v.log(rows, env, line)?)
            }),
            None => self.put_pending(event, ok, fields),
        }
    }
}

/// Names of clients, and what each asks for.
pub(super) fn infos(
    v: &Unlocked,
    rows: &dyn Rows,
    clients: &[EntryId],
) -> Result<Vec<(String, ClientInfo)>, AppError> {
    let info = |id| {
        let client = v.entry(rows, id)?;
        Ok((client.name, client.client_info.unwrap_or_default()))
    };
    clients.iter().map(info).collect()
}

fn opened_detail(info: &LinkInfo) -> String {
    let warnings = info.warnings.iter().map(|w| w.en.clone());
    std::iter::once(info.description.clone()).chain(warnings).collect::<Vec<_>>().join("; ")
}

fn word(kind: FailureKind) -> String {
    serde_json::to_string(&kind).map(|s| s.trim_matches('"').to_owned()).unwrap_or_default()
}

impl Open {
    fn prepare(
        &mut self,
        request: &ConnectRequest,
        find: impl FnOnce(&Way) -> Option<Arc<dyn Link>>,
    ) -> Result<(Prepared, Running), AppError> {
        let at = &request.at;
        let (entry, resolved, member, logins) = self.read(|v, rows| {
            need(v, Action::Connect)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            let resolved = plan::resolve(&Looker { v, rows }, &entry);
            tickets::all_justified(&infos(v, rows, &resolved.clients)?, &request.just)?;
            let mut logins = Vec::with_capacity(resolved.givers.len());
            for givers in &resolved.givers {
                let mut cells = BTreeMap::new();
                for (slot, giver) in givers {
                    let stored = v.entry(rows, giver)?.secrets.get(slot).map(|s| s.cell);
                    cells.extend(stored.map(|cell| (slot.clone(), cell)));
                }
                logins.push(cells);
            }
            Ok((entry, resolved, v.me, logins))
        })?;
        if let Some(broken) = resolved.plan.broken.first() {
            return Err(AppError {
                code: Code::Other,
                what: broken.clone(),
                todo: crate::model::lang::Bi::new(
                    format!(
                        "Voyez `poterne plan \"{}\"` et réparez la chaîne.",
                        resolved.plan.path
                    ),
                    format!("See `poterne plan \"{}\"` and mend the chain.", resolved.plan.path),
                ),
            });
        }
        let session = connect::by_kind(&entry.kind).is_some_and(|c| c.opens() == Opens::Session);
        let Some(target) = resolved.target.filter(|_| session) else {
            return Err(AppError::usage(
                ("Cette entrée n’ouvre pas de session.", "This entry opens no session."),
                (
                    "Connectez-vous à une entrée ssh ou shell\u{a0}; voyez les autres avec `poterne show`.",
                    "Connect to an ssh or shell entry; see others with `poterne show`.",
                ),
            ));
        };
        let id = SessionId(crate::os::random::id());
        let dest = target.destination();
        let hops: Vec<String> =
            target.hops[..target.hops.len() - 1].iter().map(|h| h.at.to_string()).collect();
        let mut fields = vec![
            (field::CONNECTOR, entry.kind.to_string()),
            (field::SESSION, id.to_string()),
            (field::HOPS, hops.join(",")),
            (field::REMOTE_USER, dest.user.clone()),
        ];
        if !dest.at.host.is_empty() {
            fields.push((field::HOST, dest.at.host.clone()));
            fields.push((field::PORT, dest.at.port.to_string()));
        }
        let hops = target.hops.iter().map(|h| (h.at.clone(), h.entry)).collect();
        if let Some(accepted) = &request.accept_host_key {
            self.pinned_otherwise(&target, accepted, &entry, &fields)?;
        }
        let way = Way { target, member, logins };
        let open = find(&way);
        let offered: Vec<(usize, Slot)> = if open.is_some() {
            Vec::new()
        } else {
            let slots = resolved.givers.iter().enumerate();
            slots
                .flat_map(|(n, g)| g.keys().map(move |s| (n, s.clone())))
                .filter(|(_, s)| plan::LOGIN.contains(s))
                .collect()
        };
        // Each secret is told of under the entry that holds it, wherever on the
        // way and for whatever entry it serves.
        let mut filled: BTreeMap<EntryId, Vec<String>> = BTreeMap::new();
        for (hop, slot) in &offered {
            let giver = resolved.givers[*hop].get(slot).copied().unwrap_or(entry.id);
            let slots = filled.entry(giver).or_default();
            if !slots.contains(&slot.to_string()) {
                slots.push(slot.to_string());
            }
        }
        let mut about = Vec::new();
        self.write(|v, rows, env| {
            let mut line = draft(v, env, Event::SessionOpening, true);
            people::about(v, &entry.summary(), &mut line);
            people::why(&request.just, &mut line);
            about = line.fields.clone();
            line.fields.extend(fields.clone());
            v.log(rows, env, line)?;
            for (giver, slots) in &filled {
                let mut line = draft(v, env, Event::SecretFilled, true);
                let node = v.index.get(giver).ok_or_else(|| AppError::no_entry(&giver.to_string()));
                people::about_secret(v, &node?, &mut line);
                people::why(&request.just, &mut line);
                line.fields.push((field::CONNECTOR, entry.kind.to_string()));
                line.fields.push((field::SESSION, id.to_string()));
                line.fields.push((field::SLOT, slots.join(",")));
                if *giver != entry.id {
                    line.fields.push((field::DETAIL, format!("→ {}", resolved.plan.path)));
                }
                v.log(rows, env, line)?;
            }
            Ok(())
        })?;
        let secrets = self.read(|v, rows| {
            let mut out = BTreeMap::new();
            for (hop, slot) in offered {
                let Some(giver) = resolved.givers[hop].get(&slot) else { continue };
                let from = v.entry(rows, giver)?;
                out.insert((hop, slot.clone()), v.secret(rows, &from, &slot)?);
            }
            Ok::<_, AppError>(out)
        })?;
        about.extend(fields);
        let running = Running { fields: about, hops };
        Ok((Prepared { id, way, secrets, open }, running))
    }

    /// Refuses when every server on the way has pinned keys and the one accepted
    /// in advance is none of them: it answers no question that can come.
    fn pinned_otherwise(
        &mut self,
        target: &Target,
        accepted: &str,
        entry: &Entry,
        fields: &[(&'static str, String)],
    ) -> Result<(), AppError> {
        let known = |print: &str| {
            target.hops.iter().flat_map(|h| &h.pinned).any(|k| k.fingerprint == print)
        };
        let asked = target.hops.iter().any(|h| h.pinned.is_empty());
        if asked || prints(accepted).any(known) {
            return Ok(());
        }
        let dest = target.destination();
        self.write(|v, rows, env| {
            let mut line = draft(v, env, Event::HostKeyRefused, false);
            people::about(v, &entry.summary(), &mut line);
            line.fields.extend(fields.to_vec());
            line.fields.push((field::HOST_KEY, format!("{}: {accepted}", dest.at)));
            line.fields.push((field::DETAIL, "another key is pinned".to_owned()));
            Ok::<_, AppError>(v.log(rows, env, line)?)
        })?;
        let pinned: Vec<&str> = dest.pinned.iter().map(|k| k.fingerprint.as_str()).collect();
        let (at, pinned) = (&dest.at, pinned.join(", "));
        Err(AppError {
            code: Code::Connection,
            what: crate::model::lang::Bi::new(
                format!(
                    "La clé acceptée d’avance ({accepted}) n’est pas celle épinglée pour {at} ({pinned})."
                ),
                format!(
                    "The key accepted in advance ({accepted}) is not the one pinned for {at} ({pinned})."
                ),
            ),
            todo: crate::model::lang::Bi::new(
                "Demandez au client si le serveur a été réinstallé. Seulement alors, oubliez l’ancienne clé\u{a0}: poterne edit CHEMIN --forget-host-key.",
                "Ask the client whether the server was reinstalled. Only then forget the old key: poterne edit PATH --forget-host-key.",
            ),
        })
    }

    fn pin(
        &mut self,
        entry: EntryId,
        fields: Vec<(&'static str, String)>,
        key: &PinnedKey,
    ) -> Result<(), AppError> {
        self.write(|v, rows, env| {
            let node = locate(v, &At::Id(entry))?;
            let old = v.entry(rows, &node.client)?;
            let mut client = old.clone();
            plan::pin(&mut client, key);
            if client.settings != old.settings {
                supersede(v, rows, env, &old, &mut client)?;
            }
            let mut line: Draft = draft(v, env, Event::HostKeyAccepted, true);
            line.fields.extend(fields);
            line.fields.push((
                field::HOST_KEY,
                format!("{} {} {}", key.at, key.algorithm, key.fingerprint),
            ));
            Ok(v.log(rows, env, line)?)
        })
    }
}

/// Opens a session on the calling thread.
pub(super) fn open(
    jobs: &Sender<Job>,
    request: ConnectRequest,
    ui: &mut dyn SessionUi,
) -> Result<Box<dyn OpenSession>, AppError> {
    let accepted = request.accept_host_key.clone();
    let reuse = request.reuse;
    let prepared = super::ask(jobs, |answer| Job::Prepare(Box::new(request), answer))?;
    let Prepared { id, way, secrets, open } = prepared;
    let started = Instant::now();
    if let Some(link) = open {
        let mut live = Live::begin(jobs, id, link, started, true);
        live.reused = true;
        return Ok(Box::new(live));
    }
    let target = &way.target;
    let connector = connect::by_kind(&target.kind)
        .ok_or_else(|| AppError::no_entry(&target.kind.to_string()))?;
    let (pinned, typed) = (Vec::new(), false);
    let mut lease = LiveLease { jobs, id, target, secrets, ui, accepted, pinned, typed };
    match connector.open(target, &mut lease) {
        Ok(link) => {
            // What the person was asked for is asked for again next time.
            let (reuse, pinned) = (reuse && !lease.typed, lease.pinned);
            let link: Arc<dyn Link> = Arc::from(link);
            let live = Live::begin(jobs, id, Arc::clone(&link), started, reuse);
            if reuse {
                let kept = Ask::Keep(Box::new((way, pinned, link)));
                super::ask(jobs, |answer| Job::Session(Box::new(kept), answer))?;
            }
            Ok(Box::new(live))
        }
        Err(failure) => {
            let failed = Ask::Failed(id, failure.what.en.clone(), failure.kind);
            let _ = super::ask(jobs, |answer| Job::Session(Box::new(failed), answer));
            Err(failure.into())
        }
    }
}

/// The fingerprints in an answer given in advance: one, or several apart by
/// commas, where jump hosts are new too.
fn prints(accepted: &str) -> impl Iterator<Item = &str> {
    accepted.split(',').map(str::trim)
}

/// The application's lease for one connection.
struct LiveLease<'a> {
    jobs: &'a Sender<Job>,
    id: SessionId,
    target: &'a Target,
    secrets: BTreeMap<(usize, Slot), SecretBytes>,
    ui: &'a mut dyn SessionUi,
    /// What `--accept-host-key` said.
    accepted: Option<String>,
    /// The keys that were accepted.
    pinned: Vec<PinnedKey>,
    /// The person typed a user or a secret.
    typed: bool,
}

impl LiveLease<'_> {
    fn tell(&self, ask: Ask) -> bool {
        super::ask(self.jobs, |answer| Job::Session(Box::new(ask), answer)).is_ok()
    }
}

impl Lease for LiveLease<'_> {
    fn take(&mut self, hop: usize, slot: &Slot) -> Option<SecretBytes> {
        self.secrets.remove(&(hop, slot.clone()))
    }

    fn totp(&mut self, hop: usize) -> Option<SecretText> {
        let stored = self.secrets.get(&(hop, Slot::Totp))?.duplicate();
        let seed: Seed = reveal::seed_of(stored).ok()?;
        Some(seed.code(clock::now()).0)
    }

    fn spawn(
        &mut self,
        launch: connect::launch::Launch,
    ) -> std::io::Result<connect::launch::Child> {
        launch.start()
    }

    fn ask(&mut self, question: Question) -> Answer {
        match question {
            Question::TrustHostKey(key) => {
                // An answer in advance is the answer: nobody is asked besides.
                let yes = match &self.accepted {
                    Some(accepted) => prints(accepted).any(|print| print == key.fingerprint),
                    None => matches!(self.ui.ask(Question::TrustHostKey(key.clone())), Answer::Yes),
                };
                if yes && self.tell(Ask::Pin(self.id, key.clone())) {
                    self.pinned.push(key);
                    Answer::Yes
                } else {
                    let shown = format!("{} {}", key.at, key.fingerprint);
                    self.tell(Ask::Refused(self.id, shown, String::new()));
                    Answer::No
                }
            }
            other => {
                self.typed = true;
                self.ui.ask(other)
            }
        }
    }

    fn say(&mut self, progress: Progress) {
        self.ui.say(progress);
    }

    fn key_changed(&mut self, shown: &PinnedKey) {
        let words = |key: &PinnedKey| format!("{} {}", key.algorithm, key.fingerprint);
        let hops = self.target.hops.iter().filter(|hop| hop.at == shown.at);
        let pinned: Vec<String> = hops.flat_map(|hop| &hop.pinned).map(words).collect();
        let why = format!("changed; pinned: {}", pinned.join(", "));
        self.tell(Ask::Refused(self.id, format!("{} {}", shown.at, words(shown)), why));
    }

    fn cancelled(&self) -> bool {
        self.ui.cancelled()
    }
}

/// An open session.
struct Live {
    id: SessionId,
    link: Arc<dyn Link>,
    /// Another session may use the link after this one.
    shared: bool,
    /// Another session opened the link.
    reused: bool,
    started: Instant,
    jobs: Sender<Job>,
    noted: Arc<Noted>,
    closed: AtomicBool,
}

/// What a session's channels tell for its closing line.
#[derive(Default)]
struct Noted {
    exit: Mutex<String>,
    /// Why a channel ended before its time.
    cut: Mutex<String>,
    /// Channels that have not ended.
    open: AtomicUsize,
    received: AtomicU64,
    sent: AtomicU64,
}

impl Noted {
    fn hear(&self, message: &FromRemote, over: &AtomicBool) {
        match message {
            FromRemote::Data(bytes) | FromRemote::Stderr(bytes) => {
                self.received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            FromRemote::Exit(how) => {
                *lock(&self.exit) = match how {
                    Exit::Status(n) => n.to_string(),
                    Exit::Signal(name) => format!("SIG{name}"),
                };
            }
            FromRemote::Closed(failure) => self.ended(failure.as_ref(), over),
        }
    }

    /// A channel ended, or did not open; `over` is its own, and counts it once.
    fn ended(&self, failure: Option<&Failure>, over: &AtomicBool) {
        if let Some(failure) = failure {
            self.because(format!("{}: {}", word(failure.kind), failure.what.en));
        }
        if !over.swap(true, Ordering::AcqRel) {
            self.open.fetch_sub(1, Ordering::AcqRel);
        }
    }

    fn because(&self, why: String) {
        let mut cut = lock(&self.cut);
        if cut.is_empty() {
            *cut = why;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A channel that counts what is sent.
struct Counted {
    channel: Box<dyn Channel>,
    noted: Arc<Noted>,
    over: Arc<AtomicBool>,
}

impl Channel for Counted {
    fn send(&self, message: ToRemote) {
        match &message {
            ToRemote::Data(bytes) => {
                self.noted.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            }
            ToRemote::Close => self.noted.ended(None, &self.over),
            ToRemote::Eof | ToRemote::Resize(_) => {}
        }
        self.channel.send(message);
    }

    fn backlog(&self) -> usize {
        self.channel.backlog()
    }
}

impl Live {
    fn begin(
        jobs: &Sender<Job>,
        id: SessionId,
        link: Arc<dyn Link>,
        started: Instant,
        shared: bool,
    ) -> Self {
        // Nobody waits for this line: the opening one is stored already.
        let (answer, _) = std::sync::mpsc::channel();
        let opened = Ask::Opened(id, Box::new(link.info()));
        let _ = jobs.send(Job::Session(Box::new(opened), answer));
        Self {
            id,
            link,
            shared,
            reused: false,
            started,
            jobs: jobs.clone(),
            noted: Arc::default(),
            closed: AtomicBool::new(false),
        }
    }

    fn end(&self, why: &str) {
        if self.closed.swap(true, Ordering::AcqRel) {
            return;
        }
        let noted = &self.noted;
        if noted.open.load(Ordering::Acquire) > 0 {
            noted.because(why.to_owned());
        }
        let (exit, detail) = (lock(&noted.exit).clone(), lock(&noted.cut).clone());
        if !self.shared {
            self.link.close();
        }
        let _ = self.jobs.send(Job::Closed(Box::new(Closing {
            id: self.id,
            ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            bytes_in: noted.received.load(Ordering::Relaxed),
            bytes_out: noted.sent.load(Ordering::Relaxed),
            exit,
            detail,
        })));
    }
}

impl OpenSession for Live {
    fn id(&self) -> SessionId {
        self.id
    }

    fn info(&self) -> LinkInfo {
        LinkInfo { reused: self.reused, ..self.link.info() }
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        mut sink: Sink,
    ) -> Result<Box<dyn Channel>, AppError> {
        let (noted, over) = (Arc::clone(&self.noted), Arc::<AtomicBool>::default());
        noted.open.fetch_add(1, Ordering::AcqRel);
        let noting: Sink = {
            let (noted, over) = (Arc::clone(&noted), Arc::clone(&over));
            Box::new(move |message| {
                noted.hear(&message, &over);
                sink(message);
            })
        };
        match self.link.open_channel(request, noting) {
            Ok(channel) => Ok(Box::new(Counted { channel, noted, over })),
            Err(failure) => {
                noted.ended(Some(&failure), &over);
                Err(failure.into())
            }
        }
    }

    fn alive(&self) -> bool {
        !self.closed.load(Ordering::Acquire) && self.link.alive()
    }

    fn close(&self) {
        self.end("");
    }

    fn close_because(&self, why: &str) {
        self.end(why);
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.close();
    }
}
