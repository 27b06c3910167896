//! The application: joins vault, store, connectors and the machine. Screens and
//! command line talk to it through [`App`] and never reach below it.

pub mod address;
pub mod agent;
mod anchor;
pub mod api;
mod auditing;
mod backup;
pub mod browser;
mod bulk;
mod check;
mod custom;
pub mod demo;
pub mod desktop;
mod devices;
mod enrolment;
mod entries;
pub mod export;
mod exporting;
mod factors;
pub mod generate;
mod grants;
pub mod look;
mod part;
mod people;
pub mod place;
mod plan;
mod pool;
pub mod qr;
pub mod remote;
pub mod restore;
mod reveal;
mod seeds;
mod sessions;
pub mod shared;
mod snapshots;
mod team;
pub mod text;
mod tickets;
mod transfer;
mod unlock;
pub mod vpn;
mod windows;
pub mod wire;
mod worker;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, OnceLock};

use crate::audit::line::Draft;
use crate::connect::link::{Channel, ChannelRequest, LinkInfo, Sink};
use crate::connect::{Answer, Progress, Question};
use crate::model::audit_event::{Event, field};
use crate::model::entry::Kind;
use crate::model::id::SessionId;
use crate::model::lang::Bi;
use crate::secret::SecretText;
use crate::vault::unlocked::{Env, Unlocked};

use api::{
    AppError, At, ExportRequest, Factors, Justification, Patch, Reply, Request, Status, Taken,
};
pub use enrolment::Enrolment;
pub use plan::pinned_place;
pub use unlock::time_stretched;
use worker::{Job, Worker};

/// One vault, locked or unlocked. Cheap to clone; every clone talks to the same
/// worker thread, which alone owns keys and store. All methods block: a window
/// calls them from a thread of its own.
#[derive(Clone)]
pub struct App {
    file: PathBuf,
    jobs: Sender<Job>,
    locking: Arc<AtomicBool>,
    told: Arc<OnceLock<Tell>>,
    /// Asks for others than the screen that [`App::on_change`] tells.
    for_others: bool,
    lost: Arc<AtomicBool>,
    tunnels: Arc<sessions::Tunnels>,
}

/// What was written besides what the screen itself asked for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// Lines of the log.
    Log,
    /// Anything.
    Content,
}

/// Hears of changes, on the thread of the vault.
pub type Tell = Box<dyn Fn(Change) + Send + Sync>;

/// How to open a vault.
pub struct UnlockOptions {
    /// Member name; `None` when there is only one, or the last one here.
    pub member: Option<String>,
    /// Password and code.
    pub factors: Factors,
    /// Browse names only; nothing is written.
    pub read_only: bool,
    /// Open a copy older than the last one seen, and log that.
    pub accept_older: bool,
}

/// How to make a vault.
pub struct CreateOptions {
    /// Where.
    pub file: PathBuf,
    /// Name of the first owner.
    pub member: String,
    /// What that owner knows.
    pub password: SecretText,
    /// No device key: opens on any computer, guarded by password and code only.
    pub portable: bool,
    /// Argon2id memory in MiB; `None` calibrates to about one second.
    pub kdf_memory_mib: Option<u32>,
}

/// What [`Enrolment::finish`] made.
pub struct Finished {
    /// The vault's file.
    pub file: PathBuf,
    /// Name of the member whose access it is.
    pub member: String,
    /// The vault's public fingerprint.
    pub fingerprint: String,
    /// Things to tell the person: where the device key lies, what portable costs.
    pub notices: Vec<Bi>,
}

/// A connection to ask for.
pub struct ConnectRequest {
    /// What to open.
    pub at: At,
    /// Why.
    pub just: Justification,
    /// A server key accepted in advance: `SHA256:…`.
    pub accept_host_key: Option<String>,
    /// Use a connection that is already open to the same place, if there is one.
    pub reuse: bool,
    /// The desktop of who asks, for what shows a window, and their language.
    pub desktop: Vec<(String, String)>,
    /// The session that broke and that this one takes up again.
    pub after: Option<SessionId>,
}

/// The person, as far as a connection needs one.
pub trait SessionUi: Send {
    /// Asks and waits.
    fn ask(&mut self, question: Question) -> Answer;
    /// Shows how far it is.
    fn say(&mut self, progress: Progress);
    /// True when the person gave up.
    fn cancelled(&self) -> bool;
}

/// The person who waits for an export.
pub trait ExportUi {
    /// Shows how far it is: `done` of `total` lines are read.
    fn show(&mut self, done: u64, total: u64);
    /// True when the person gave up. Asked after each [`ExportUi::show`].
    fn cancelled(&mut self) -> bool;
}

/// An open session. Dropping it closes it and logs that.
pub trait OpenSession: Send + Sync {
    /// Joins its audit lines.
    fn id(&self) -> SessionId;
    /// Facts for the tab.
    fn info(&self) -> LinkInfo;
    /// As [`crate::connect::link::Link::open_channel`].
    ///
    /// # Errors
    /// The far side refused the channel, or the session ended.
    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, AppError>;
    /// False once it has ended.
    fn alive(&self) -> bool;
    /// Ends it. Idempotent.
    fn close(&self);
    /// Ends it, and has the log say why if something was still open on it.
    fn close_because(&self, _why: &str) {
        self.close();
    }
}

impl App {
    /// An application for the vault at `file`, which need not exist yet.
    pub fn new(file: PathBuf) -> Self {
        let (jobs, work) = mpsc::channel();
        let locking = Arc::new(AtomicBool::new(false));
        let told = Arc::new(OnceLock::new());
        let lost = Arc::new(AtomicBool::new(false));
        let tunnels: Arc<sessions::Tunnels> = Arc::default();
        let worker = Worker {
            file: file.clone(),
            open: None,
            sessions: HashMap::new(),
            pool: pool::Pool::default(),
            backup_due: false,
            locking: Arc::clone(&locking),
            told: Arc::clone(&told),
            lost: Arc::clone(&lost),
            tunnels: Arc::clone(&tunnels),
        };
        // The stack of the thread that handles keys is burnt after each job; a
        // roomy one keeps the burning within it.
        std::thread::Builder::new()
            .name("vault".into())
            .stack_size(8 << 20)
            .spawn(move || worker.run(&work))
            .expect("a process that cannot start one thread cannot run");
        Self { file, jobs, locking, told, for_others: false, lost, tunnels }
    }

    /// The same application for others, such as the command line: what they write
    /// is told to the screen.
    #[must_use]
    pub fn for_others(&self) -> Self {
        Self { for_others: true, ..self.clone() }
    }

    /// Has `tell` called after each write that the screen did not ask for itself;
    /// once for all clones.
    pub fn on_change(&self, tell: Tell) {
        let _ = self.told.set(tell);
    }

    /// Whether another process has written to the file since the last time this
    /// was asked, or since it was unlocked.
    pub fn changed_by_others(&self) -> bool {
        ask(&self.jobs, Job::Look).unwrap_or(false)
    }

    /// The vault's file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Begins a new vault; nothing is written before [`Enrolment::finish`].
    ///
    /// # Errors
    /// The file exists, or the options make no sense.
    pub fn create(&self, options: CreateOptions) -> Result<Enrolment, AppError> {
        Enrolment::create(self.jobs.clone(), options)
    }

    /// Begins to accept an invitation with an own password and phone; of a copy
    /// older than the last one seen here only with `accept_older`, which is logged.
    ///
    /// # Errors
    /// The code is wrong, used, or for another vault; or the copy is older.
    pub fn accept_invitation(
        &self,
        code: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Enrolment, AppError> {
        Enrolment::accept(self.jobs.clone(), &self.file, code, password, accept_older)
    }

    /// Begins to set new factors with the recovery kit; `accept_older` as in
    /// [`App::accept_invitation`].
    ///
    /// # Errors
    /// The kit does not belong to a member of this vault, or the copy is older.
    pub fn recover(
        &self,
        kit: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Enrolment, AppError> {
        Enrolment::recover(self.jobs.clone(), &self.file, kit, password, accept_older)
    }

    /// Enrols this computer with a one-time code shown on an enrolled one, and
    /// the member's own password and code; `accept_older` as in
    /// [`App::accept_invitation`].
    ///
    /// # Errors
    /// A code or factor is refused, or the copy is older.
    pub fn enrol_device(
        &self,
        code: SecretText,
        member: Option<String>,
        factors: Factors,
        accept_older: bool,
    ) -> Result<Finished, AppError> {
        let new = devices::NewDevice { code, member, factors, accept_older };
        ask(&self.jobs, |answer| Job::EnrolDevice(Box::new(new), answer))
    }

    /// Opens the vault.
    ///
    /// # Errors
    /// One text for every wrong factor; others for missing, foreign, damaged,
    /// older or unwritable files.
    pub fn unlock(&self, options: UnlockOptions) -> Result<Status, AppError> {
        ask(&self.jobs, |answer| Job::Unlock(Box::new(options), answer))
    }

    /// As [`App::unlock`], for an act that asks for the factors again: the very
    /// factors given here prove the member once more in the first
    /// [`Request::ChangePassword`], [`Request::BeginTotpReset`],
    /// [`Request::DrawKit`], [`Request::AddDevice`] or [`Request::Invite`] after it,
    /// though their code is used up.
    ///
    /// # Errors
    /// As [`App::unlock`].
    pub fn unlock_to_change(&self, options: UnlockOptions) -> Result<Status, AppError> {
        ask(&self.jobs, |answer| Job::UnlockToChange(Box::new(options), answer))
    }

    /// Puts the vault back to a backup file, after the member's factors opened
    /// that file; the present file is kept beside it. The vault is locked then.
    ///
    /// # Errors
    /// The backup does not open or is damaged.
    pub fn restore_backup(&self, backup: PathBuf, options: UnlockOptions) -> Result<(), AppError> {
        ask(&self.jobs, |answer| Job::RestoreBackup(backup, Box::new(options), answer))
    }

    /// Asks the unlocked vault.
    ///
    /// # Errors
    /// It is locked, or the request fails.
    pub fn call(&self, request: Request) -> Result<Reply, AppError> {
        if matches!(request, Request::Lock) {
            // Locking does not wait for an export.
            self.locking.store(true, Ordering::Release);
        }
        let others = self.for_others;
        ask(&self.jobs, |answer| Job::Call(Box::new(request), others, answer))
    }

    /// Whether the vault locked itself because its file is no longer at its place.
    fn lost_its_file(&self) -> bool {
        // The question is answered after whatever was asked before it.
        self.call(Request::Status).is_err() && self.lost.load(Ordering::Acquire)
    }

    /// Whether the vault, which is about to be locked, is set to end sessions
    /// then. False when it is locked: what was to be ended has ended.
    fn lock_ends_sessions(&self) -> bool {
        // As for the lock that follows, what takes long gives way.
        self.locking.store(true, Ordering::Release);
        let settings = self.call(Request::Settings);
        matches!(settings, Ok(Reply::Settings(settings)) if settings.lock_ends_sessions)
    }

    /// As [`Request::AuditExport`], with somebody who follows it and may give
    /// up. [`Reply::Exported`]
    ///
    /// # Errors
    /// As there; after cancelling, or when the vault is locked meanwhile, there
    /// is no file, and one that was there before is as it was.
    pub fn export(&self, request: ExportRequest, ui: &mut dyn ExportUi) -> Result<Reply, AppError> {
        let (steps, told) = mpsc::channel();
        let given_up = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&given_up);
        let follow = Box::new(move |done, total| {
            let _ = steps.send((done, total));
            !over.load(Ordering::Acquire)
        });
        let (answer, end) = mpsc::channel();
        self.jobs.send(Job::Export(Box::new(request), follow, answer)).map_err(|_| gone())?;
        for (done, total) in told {
            ui.show(done, total);
            if ui.cancelled() {
                given_up.store(true, Ordering::Release);
            }
        }
        end.recv().map_err(|_| gone())?
    }

    /// Opens a session. The opening audit line is stored before anything starts.
    ///
    /// # Errors
    /// Not allowed, broken settings, or the far side (see `connect::Failure`).
    pub fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        sessions::open(&self.jobs, &self.tunnels, request, ui)
    }

    /// Reads the configuration of a device and keeps it with its entry. The lines of
    /// the session and of the reading are stored before anything is sent.
    ///
    /// # Errors
    /// As [`App::connect`], or the device does not show it; then nothing is kept.
    pub fn snapshot(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Taken, AppError> {
        snapshots::take(&self.jobs, &self.tunnels, request, ui)
    }

    /// Fills an empty vault with many made-up nodes, for trials: far quicker
    /// than one [`Request::Create`] each. Paths name folders made before.
    ///
    /// # Errors
    /// It is locked, or a node does not fit.
    pub fn create_many(&self, nodes: Vec<(Kind, String, Patch)>) -> Result<u64, AppError> {
        ask(&self.jobs, |answer| Job::CreateMany(nodes, answer))
    }
}

/// Sends a job and waits for its answer.
fn ask<T>(jobs: &Sender<Job>, job: impl FnOnce(worker::Answer<T>) -> Job) -> Result<T, AppError> {
    let (answer, done) = mpsc::channel();
    jobs.send(job(answer)).map_err(|_| gone())?;
    done.recv().map_err(|_| gone())?
}

/// The worker died of a defect.
fn gone() -> AppError {
    AppError::new(
        api::Code::Other,
        ("Poterne a rencontré une erreur interne.", "Poterne met an internal error."),
        (
            "Relancez le programme\u{a0}; le coffre est intact.",
            "Start the program again; the vault is intact.",
        ),
    )
}

/// An audit line of the member who unlocked, now.
fn draft(v: &Unlocked, env: &Env<'_>, event: Event, ok: bool) -> Draft {
    Draft {
        at: env.now,
        actor: Some(v.me),
        event,
        ok,
        fields: vec![(field::MEMBER, people::name(v, &v.me))],
        fact: None,
    }
}
