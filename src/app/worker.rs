//! The one thread that owns keys and store, and its one loop. Screens, command
//! line, agent and sessions send it jobs; nothing else ever touches the vault.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::connect::manifest::registry;
use crate::model::entry::Kind;
use crate::model::id::SessionId;
use crate::model::time::Time;
use crate::os::{clock, random};
use crate::secret::SecretBytes;
use crate::store::sqlite::{SqliteRows, SqliteStore};
use crate::vault::unlocked::{Env, Unlocked};

use super::api::{AppError, At, ExportRequest, Patch, Reply, Request, Status, Taken};
use super::devices::NewDevice;
use super::enrolment::NewMember;
use super::sessions::{Ask, Closing, Prepared, Running, Tunnels};
use super::{Change, ConnectRequest, Tell, UnlockOptions, anchor, snapshots};

/// Where the answer to a job goes.
pub(super) type Answer<T> = Sender<Result<T, AppError>>;

/// What became of an enrolment; one that failed comes back, to be tried again.
pub(super) type Enrolled = Result<super::Finished, (AppError, Box<NewMember>)>;

/// Told how far an export is; false ends it.
pub(super) type Follow = Box<dyn FnMut(u64, u64) -> bool + Send>;

/// Quiet after which work that can wait is done.
const IDLE: Duration = Duration::from_secs(3);

/// What the worker can be asked to do.
pub(super) enum Job {
    /// Open the vault.
    Unlock(Box<UnlockOptions>, Answer<Status>),
    /// Open the vault to change the factors that open it.
    UnlockToChange(Box<UnlockOptions>, Answer<Status>),
    /// Ask the open vault, for others than the screen if the flag says so.
    Call(Box<Request>, bool, Answer<Reply>),
    /// Whether another process has written to the file since this was asked last.
    Look(Answer<bool>),
    /// Write an export of the log; what follows it says whether to go on.
    Export(Box<ExportRequest>, Follow, Answer<Reply>),
    /// Write an enrolment that was confirmed.
    Enrol(Box<NewMember>, Sender<Enrolled>),
    /// Enrol this computer.
    EnrolDevice(Box<NewDevice>, Answer<super::Finished>),
    /// Put a backup in the place of the vault.
    RestoreBackup(PathBuf, Box<UnlockOptions>, Answer<()>),
    /// Make many nodes at once.
    CreateMany(Vec<(Kind, String, Patch)>, Answer<u64>),
    /// Log and prepare a session; of a VPN, the one that it is raised for.
    Prepare(Box<ConnectRequest>, Option<SessionId>, Answer<Prepared>),
    /// A step of a session under way.
    Session(Box<Ask>, Answer<()>),
    /// Whether and how a configuration can be read.
    SnapshotReady(At, Answer<snapshots::Ready>),
    /// One is about to be read; the password of the privileged mode.
    SnapshotBegin(Box<snapshots::Begin>, Answer<Option<SecretBytes>>),
    /// One was read, or not.
    SnapshotEnd(Box<snapshots::End>, Answer<Option<Taken>>),
    /// A session ended; nobody waits for the answer.
    Closed(Box<Closing>),
}

/// The worker.
pub(super) struct Worker {
    pub(super) file: PathBuf,
    pub(super) open: Option<Open>,
    pub(super) sessions: HashMap<SessionId, Running>,
    pub(super) pool: super::pool::Pool,
    /// The backup of the day is not made yet.
    pub(super) backup_due: bool,
    /// Somebody waits for the vault to be locked: what takes long gives way.
    pub(super) locking: Arc<AtomicBool>,
    /// Hears what was written besides what the screen asked for.
    pub(super) told: Arc<OnceLock<Tell>>,
    /// It was locked for want of its file.
    pub(super) lost: Arc<AtomicBool>,
    /// The VPNs that sessions go through.
    pub(super) tunnels: Arc<Tunnels>,
}

/// An open vault and its file.
pub(super) struct Open {
    pub(super) store: SqliteStore,
    pub(super) vault: Unlocked,
    pub(super) place: anchor::Place,
    pub(super) read_only: bool,
    pub(super) unlocked_at: Time,
    pub(super) notices: Vec<crate::model::lang::Bi>,
    pub(super) new_totp: Option<super::factors::NewSeed>,
    /// A recovery kit that was drawn and is not in effect yet.
    pub(super) new_kit: Option<crate::secret::SecretBytes>,
    /// The time step of the code that opened it.
    pub(super) used_step: u64,
    /// Factors that opened it to be changed: they need not be proved again.
    pub(super) proved: Option<super::api::Factors>,
    pub(super) slot: crate::model::id::SlotId,
    pub(super) machine: String,
    /// See [`Worker::locking`].
    pub(super) locking: Arc<AtomicBool>,
    /// Something was written since the worker looked last.
    pub(super) wrote: bool,
    /// SQLite's count of what other processes wrote, as it was looked at last.
    pub(super) version: Option<i64>,
    /// What takes sessions up again that break; gone with the lock.
    pub(super) resumes: super::sessions::Resumes,
    /// What the vault shares, as this process knows it.
    pub(super) shared: super::shared::Published,
}

impl Worker {
    /// Works until every sender is gone, then logs the lock.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Some(job) = self.next(jobs) {
            // A fault in one job must neither take the others along nor leave the
            // vault half-changed in memory: it is locked, the file is untouched.
            let change = job.change();
            let done = catch_unwind(AssertUnwindSafe(|| self.handle(job)));
            if done.is_err() {
                self.open = None;
            }
            let wrote = self.open.as_mut().is_some_and(|open| std::mem::take(&mut open.wrote));
            if let (true, Some(change), Some(tell)) = (wrote, change, self.told.get()) {
                tell(change);
            }
            if self.open.as_ref().is_some_and(|open| open.store.was_replaced()) {
                self.abandon();
            }
            crate::secret::burn_stack();
        }
        let _ = self.lock();
    }

    /// Wipes the keys of a vault whose file is no longer at its place: there is
    /// nowhere to log the lock.
    fn abandon(&mut self) {
        self.lost.store(true, Ordering::Release);
        self.backup_due = false;
        if self.open.take().is_some_and(|open| open.vault.state.settings.lock_ends_sessions) {
            self.pool.close();
            self.tunnels.close();
        }
        self.pool.retire();
    }

    fn handle(&mut self, job: Job) {
        registry::serve(self.open.as_ref().map(|open| *open.vault.vault()));
        match job {
            Job::Unlock(options, answer) => {
                let done = self.unlock(*options);
                let _ = answer.send(done);
            }
            Job::UnlockToChange(options, answer) => {
                let done = self.unlock_to_change(*options);
                let _ = answer.send(done);
            }
            Job::Look(answer) => {
                let _ = answer.send(self.opened().map(Open::look));
            }
            Job::Call(request, _, answer) => {
                let done = self.call(*request);
                let _ = answer.send(done);
            }
            Job::Export(request, mut follow, answer) => {
                let done = self.opened().and_then(|open| {
                    let haste = open.haste();
                    open.audit_export(&request, &mut |done, total| {
                        follow(done, total) && haste.none()
                    })
                });
                // Who follows sees the end, then the answer.
                drop(follow);
                let _ = answer.send(done);
            }
            Job::Enrol(new, answer) => {
                let done = self.enrol(&new);
                let _ = answer.send(done.map_err(|error| (error, new)));
            }
            Job::EnrolDevice(new, answer) => {
                let done = self.enrol_device(*new);
                let _ = answer.send(done);
            }
            Job::RestoreBackup(backup, options, answer) => {
                let done = self.restore_backup(&backup, *options);
                let _ = answer.send(done);
            }
            Job::CreateMany(nodes, answer) => {
                let done = self.opened().and_then(|open| open.create_many(nodes));
                let _ = answer.send(done);
            }
            Job::Prepare(request, before, answer) => {
                let done = self.prepare(&request, before);
                let _ = answer.send(done);
            }
            Job::Session(ask, answer) => {
                let done = self.session(*ask);
                let _ = answer.send(done);
            }
            Job::SnapshotReady(at, answer) => {
                let done = self.snapshot_ready(&at);
                let _ = answer.send(done);
            }
            Job::SnapshotBegin(begin, answer) => {
                let done = self.snapshot_begin(&begin);
                let _ = answer.send(done);
            }
            Job::SnapshotEnd(end, answer) => {
                let done = self.snapshot_end(&end);
                let _ = answer.send(done);
            }
            Job::Closed(closing) => self.session_closed(*closing),
        }
    }

    /// The next job. While nobody asks for anything, what can wait is done.
    fn next(&mut self, jobs: &Receiver<Job>) -> Option<Job> {
        if self.backup_due {
            match jobs.recv_timeout(IDLE) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.daily_backup(),
            }
            crate::secret::burn_stack();
        }
        while !self.pool.is_empty() {
            match jobs.recv_timeout(super::pool::IDLE / 10) {
                Ok(job) => return Some(job),
                Err(RecvTimeoutError::Disconnected) => return None,
                Err(RecvTimeoutError::Timeout) => self.pool.prune(),
            }
        }
        jobs.recv().ok()
    }

    /// The open vault.
    pub(super) fn opened(&mut self) -> Result<&mut Open, AppError> {
        self.open.as_mut().ok_or_else(AppError::locked)
    }

    fn call(&mut self, request: Request) -> Result<Reply, AppError> {
        match request {
            Request::Lock => {
                self.locking.store(false, Ordering::Release);
                self.lock()?;
                Ok(Reply::Done)
            }
            Request::Status => {
                let sessions = self.sessions.len() as u64;
                let vpns = self.tunnels.views();
                self.opened()?.status(sessions, vpns).map(Reply::Status)
            }
            Request::List { at, deep, trashed } => self.opened()?.list(at.as_ref(), deep, trashed),
            Request::Find { query, limit } => self.opened()?.find(&query, limit),
            Request::Show { at } => self.opened()?.show(&at),
            Request::Reveal { at, slot, purpose, just } => {
                self.opened()?.reveal(&at, &slot, purpose, &just)
            }
            Request::Totp { at, purpose, just } => self.opened()?.totp(&at, purpose, &just),
            Request::Attachment { at, name, just } => self.opened()?.attachment(&at, &name, &just),
            Request::Create { kind, path, patch } => self.opened()?.create(kind, &path, *patch),
            Request::Edit { at, expected_ver, patch } => {
                let forgets = patch.forget_host_keys;
                let done = self.opened()?.edit(&at, expected_ver, *patch);
                if forgets {
                    self.pool.retire();
                }
                done
            }
            Request::Move { at, to, just } => self.opened()?.relocate(&at, &to, &just),
            Request::Remove { at, forever } => self.opened()?.remove(&at, forever),
            Request::Restore { at, version } => self.opened()?.restore(&at, version),
            Request::History { at } => self.opened()?.history(&at),
            Request::Snapshots { at } => self.opened()?.snapshots(&at),
            Request::Snapshot { at, n, purpose, just } => {
                self.opened()?.snapshot(&at, n, purpose, &just)
            }
            Request::SnapshotDifference { at, from, to, just } => {
                self.opened()?.snapshot_difference(&at, (from, to), &just)
            }
            Request::Plan { at } => self.opened()?.plan(&at),
            Request::Visit { at, just } => self.visit(&at, &just),
            Request::Visited { session, opened } => self.visited(session, opened),
            Request::AuditFilter { filter } => self.opened()?.audit_filter(&filter),
            Request::AuditLog { filter } => self.opened()?.audit_log(&filter),
            Request::AuditExport(request) => {
                let open = self.opened()?;
                let haste = open.haste();
                open.audit_export(&request, &mut |_, _| haste.none())
            }
            Request::AuditVerify => self.opened()?.audit_verify(),
            Request::AuditFingerprint => Ok(Reply::Fingerprint(self.opened()?.fingerprint())),
            Request::Members => self.opened()?.members(),
            Request::Invite { name, role, all_clients, clients, current } => {
                self.opened()?.invite(&name, role, all_clients, &clients, &current)
            }
            Request::ChangeMember { name, role, all_clients, clients } => {
                self.opened()?.change_member(&name, role, all_clients, &clients)
            }
            Request::RemoveMember { name } => self.opened()?.remove_member(&name),
            Request::FormerMembers => self.opened()?.former_members(),
            Request::Rotation { member } => self.opened()?.rotation(&member),
            Request::Devices => self.opened()?.devices(),
            Request::AddDevice { label, current } => self.opened()?.add_device(&label, &current),
            Request::RemoveDevice { id } => self.opened()?.remove_device(id),
            Request::ChangePassword(change) => self.opened()?.change_password(*change),
            Request::BeginTotpReset { current } => self.opened()?.begin_totp_reset(current),
            Request::FinishTotpReset { code } => self.opened()?.finish_totp_reset(&code),
            Request::DrawKit { current } => self.opened()?.draw_kit(&current),
            Request::KitPage { lang } => self.opened()?.kit_page(lang),
            Request::KeepKit { typed } => self.opened()?.keep_kit(&typed),
            Request::Backup { to } => self.opened()?.backup(to),
            Request::Check => self.opened()?.check(),
            Request::Settings => self.opened()?.settings(),
            Request::Shared => self.opened()?.shared_list(),
            Request::Share { text } => self.opened()?.share(&text),
            Request::Unshare { kind } => self.opened()?.unshare(&kind),
            Request::VpnChanges { at, profile } => self.opened()?.vpn_changes(&at, &profile),
            Request::VpnDown { at } => self.vpn_down(&at),
            Request::SetSettings { expected, new } => self.opened()?.set_settings(&expected, new),
        }
    }
}

/// Whether somebody waits for the lock: what takes long asks now and then.
#[derive(Clone)]
pub(super) struct Haste(Arc<AtomicBool>);

impl Haste {
    /// True when nobody waits.
    pub(super) fn none(&self) -> bool {
        !self.0.load(Ordering::Acquire)
    }

    /// Ends what takes long when somebody waits.
    pub(super) fn check(&self) -> Result<(), AppError> {
        self.none().then_some(()).ok_or_else(AppError::gave_way)
    }
}

impl Job {
    /// What of the screen it makes out of date when it writes; what the screen
    /// asks for itself, it reads again by itself.
    fn change(&self) -> Option<Change> {
        match self {
            Self::Call(_, true, _) => Some(Change::Content),
            Self::Session(ask, _) if matches!(**ask, Ask::Pin(..)) => Some(Change::Content),
            Self::SnapshotEnd(..) => Some(Change::Content),
            Self::SnapshotBegin(..) => Some(Change::Log),
            Self::Export(..) | Self::Prepare(..) | Self::Session(..) | Self::Closed(_) => {
                Some(Change::Log)
            }
            _ => None,
        }
    }
}

impl Open {
    /// Whether another process has written since the last look.
    fn look(&mut self) -> bool {
        let now = self.store.data_version().ok();
        now.is_some() && std::mem::replace(&mut self.version, now) != now
    }

    pub(super) fn haste(&self) -> Haste {
        Haste(Arc::clone(&self.locking))
    }

    /// Refuses when the vault was opened for reading only.
    pub(super) fn writable(&self) -> Result<(), AppError> {
        if !self.read_only {
            return Ok(());
        }
        Err(AppError::new(
            super::api::Code::NotAllowed,
            ("Le coffre est ouvert en lecture seule.", "The vault is open for reading only."),
            (
                "Verrouillez-le et rouvrez-le sans --read-only.",
                "Lock it and open it again without --read-only.",
            ),
        ))
    }

    /// Runs `work` in one transaction: it sees what other processes wrote, and
    /// all it changes is stored together with the new state, or not at all.
    pub(super) fn write<T>(
        &mut self,
        work: impl FnOnce(&mut Unlocked, &SqliteRows<'_>, &mut Env<'_>) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        self.writable()?;
        let (vault, shared) = (&mut self.vault, &self.shared);
        let mut fill = |out: &mut [u8]| random::fill(out);
        let machine = self.machine.as_str();
        let done = self.store.write(|rows| {
            let mut env = Env { now: clock::now(), random: &mut fill, machine };
            vault.refresh(rows)?;
            let out = work(vault, rows, &mut env)?;
            vault.save(rows, &mut env)?;
            Ok::<_, AppError>((out, shared.news(vault, rows)))
        });
        match done {
            Ok((out, news)) => {
                self.wrote = true;
                self.shared.take(news);
                // One who was told at the unlock need not be told again.
                let _ = self.place.remember(&self.vault);
                Ok(out)
            }
            Err(e) => {
                // What was changed in memory is not in the file: read it again.
                let vault = &mut self.vault;
                self.store.read(|rows| vault.undo(rows))?;
                Err(e)
            }
        }
    }

    /// Runs `work` on one consistent view that includes what others wrote.
    pub(super) fn read<T>(
        &mut self,
        work: impl FnOnce(&Unlocked, &SqliteRows<'_>) -> Result<T, AppError>,
    ) -> Result<T, AppError> {
        let (vault, shared) = (&mut self.vault, &mut self.shared);
        self.store.read(|rows| {
            vault.refresh(rows)?;
            shared.take(shared.news(vault, rows));
            work(vault, rows)
        })
    }
}
