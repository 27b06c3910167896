//! The window's threads: one asks the application in order, one searches (the
//! last query wins), one does what takes long. Each answers with a [`Notice`]
//! and wakes the window. They hold no key; an enrolment in progress lives here
//! so that it is dropped, and wiped, with its thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use egui::Context;

use crate::app::api::{
    AppError, At, AttachmentBytes, Code, ExportRequest, Factors, Item, Justification, Reply,
    Request, Status,
};
use crate::app::desktop::of_person;
use crate::app::{ConnectRequest, CreateOptions, ExportUi, Finished, UnlockOptions, browser};
use crate::connect::file_send::Protocol;
use crate::model::entry::{ATTACHMENT_MAX_BYTES, Slot};
use crate::model::id::{EntryId, MemberId};
use crate::model::lang::{Bi, Lang};
use crate::secret::{SecretBytes, SecretText};

use super::asking::{Asked, Asking};
use super::backend::{Backend, Enrolling};
use super::entries::profile::Imported;
use super::files;
use super::sessions::TabId;

/// What an answer is for; it comes back with it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Tag {
    /// State of the vault, after unlock and after changes.
    Status,
    /// The VPNs alone, of the state of the vault.
    Vpns,
    /// A VPN was taken down.
    VpnDown,
    /// The clients.
    Roots,
    /// Children of a container.
    Children(EntryId),
    /// What an empty search finds.
    Favourites,
    /// The recycle bin.
    Trash,
    /// The details panel.
    Details(EntryId),
    /// The plan in the details panel.
    Plan(EntryId),
    /// Older versions in the details panel.
    History(EntryId),
    /// To open the page of this ticket; what to ask next when the entry is gone.
    Ticket(String, Option<String>),
    /// To fill the form.
    ToEdit(EntryId),
    /// To decide how to connect.
    BeforeConnect(EntryId),
    /// A page was opened.
    Visit(EntryId),
    /// To ask for the ticket of a tab again.
    BeforeRetry(TabId),
    /// A secret to show.
    Reveal(EntryId, Slot),
    /// A secret for the clipboard.
    Copy(EntryId, Slot),
    /// A one-time code to show.
    Totp(EntryId),
    /// A one-time code for the clipboard.
    CopyTotp(EntryId),
    /// An attachment to write to a file.
    Attachment(EntryId, PathBuf),
    /// A configuration was read.
    Snapshot(EntryId),
    /// One to show.
    ShowSnapshot(EntryId),
    /// One for the clipboard.
    CopySnapshot(EntryId),
    /// What differs between two.
    CompareSnapshots(EntryId),
    /// Entries for the form's picker.
    PickEntry,
    /// The form was saved.
    Save,
    /// The entry as it is now, after a refused save.
    Stale(EntryId),
    /// Moved.
    Move,
    /// Deleted.
    Remove(EntryId),
    /// Restored.
    Restore,
    /// Favourite mark.
    Favourite(EntryId),
    /// The entry whose host key may be forgotten, and the tab it stopped.
    BeforeForget(EntryId, Option<TabId>),
    /// Its host key was forgotten; true: a certificate.
    Forget(EntryId, Option<TabId>, bool),
    /// Audit lines.
    Log,
    /// Verification of the log.
    Verify,
    /// Export of the log.
    Export,
    /// The vault's fingerprint.
    Fingerprint,
    /// Members.
    Members,
    /// A new invitation.
    Invite,
    /// A member was changed.
    MemberChanged,
    /// A member was removed.
    MemberRemoved,
    /// Members removed before.
    FormerMembers,
    /// What one of them had used.
    Rotation(MemberId),
    /// Enrolled computers.
    Devices,
    /// A code for another computer.
    DeviceCode,
    /// A computer was removed.
    DeviceRemoved,
    /// Own password.
    Password,
    /// A new seed begins.
    TotpBegin,
    /// The new seed counts.
    TotpFinish,
    /// A new kit was drawn.
    Kit,
    /// Its page, for this file.
    KitPage(PathBuf),
    /// It counts from now on.
    KitKept,
    /// A backup.
    Backup,
    /// The whole check.
    Check,
    /// Settings read.
    Settings,
    /// Settings saved.
    SettingsSaved,
    /// Connectors that the vault shares.
    Shared,
    /// One was put there or taken out.
    SharedChanged,
    /// The vault is locked.
    Locked,
}

impl Tag {
    fn is_slow(&self) -> bool {
        matches!(self, Self::Verify | Self::Check | Self::Backup)
    }
}

/// How an enrolment begins.
pub enum Begin {
    /// A new vault.
    Create(CreateOptions),
    /// An invitation: its code, the new password, and whether a copy of the vault
    /// older than the last one seen will do.
    Accept(SecretText, SecretText, bool),
    /// The recovery kit: the same of it.
    Recover(SecretText, SecretText, bool),
}

/// What a vault's file is chosen for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VaultUse {
    /// To unlock it.
    Unlock,
    /// To accept an invitation into it.
    Join,
}

/// For what a file is chosen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pick {
    /// Where the new vault goes.
    NewVault,
    /// A vault that is there already.
    OpenVault(VaultUse),
    /// Where the recovery kit goes.
    SaveKit,
    /// A private key for the form.
    PrivateKey,
    /// A picture with a QR code for the form.
    QrPicture,
    /// A profile of OpenVPN for the form.
    Profile,
    /// An attachment for the form.
    AddAttachment,
    /// A connector's manifest, for the vault.
    Manifest,
    /// Where an attachment goes.
    SaveAttachment(EntryId, String),
    /// Where the exported log goes.
    Export,
    /// Where a backup goes.
    Backup,
    /// A file to send over the line of a tab.
    SendFile(TabId, Protocol),
    /// The folder for the files that were copied on a tab's desktop.
    CopiedFiles(TabId),
}

impl Pick {
    /// Whether a file is written there.
    pub fn saves(&self) -> bool {
        match self {
            Self::NewVault
            | Self::SaveKit
            | Self::SaveAttachment(..)
            | Self::Export
            | Self::Backup => true,
            Self::OpenVault(_)
            | Self::PrivateKey
            | Self::QrPicture
            | Self::Profile
            | Self::AddAttachment
            | Self::Manifest
            | Self::SendFile(..)
            | Self::CopiedFiles(_) => false,
        }
    }
}

/// A job for the window's threads.
pub enum Command {
    /// Opens the vault.
    Unlock(UnlockOptions),
    /// Enrols this computer.
    EnrolDevice(SecretText, Option<String>, Factors, bool),
    /// Begins an enrolment, at another file for a new vault.
    Begin(Begin),
    /// A code of the phone.
    CheckCode(SecretText),
    /// The kit typed back.
    CheckKit(SecretText),
    /// Writes the kit as PDF.
    SaveKit(PathBuf, Lang),
    /// Writes the vault or the member's new access.
    Finish,
    /// Forgets the enrolment.
    Abandon,
    /// Asks the unlocked vault.
    Ask(Tag, Request),
    /// Exports the log; the flag gives up.
    Export(ExportRequest, Arc<AtomicBool>),
    /// Searches; the number tells answers apart.
    Find(u64, String),
    /// Shows the file chooser of the desktop.
    Choose(Pick, String),
    /// Reads a file into wiped memory.
    Read(Pick, PathBuf),
    /// Writes bytes to a file.
    Write(PathBuf, AttachmentBytes),
    /// Looks whether another process has changed the vault.
    Look,
    /// Opens an address in the browser.
    Browse(String),
    /// Opens the page of a web entry.
    Visit(EntryId, Justification),
    /// Reads the configuration of a device; the flag gives up.
    Snapshot(EntryId, Justification, Arc<AtomicBool>),
}

/// What the guide needs of an enrolment that has begun.
pub struct EnrolmentView {
    /// For the QR code.
    pub otpauth_uri: SecretText,
    /// Nine groups of four.
    pub kit: SecretText,
}

/// What comes back.
pub enum Notice {
    /// The vault is open, or why not.
    Unlocked(Result<Box<Status>, AppError>),
    /// This computer is enrolled, and what is to be told of that, or why not.
    DeviceEnrolled(Result<Finished, AppError>),
    /// The enrolment has begun.
    Begun(Result<EnrolmentView, AppError>),
    /// The code was the phone's.
    CodeChecked(Result<(), AppError>),
    /// The kit was typed right.
    KitChecked(Result<(), AppError>),
    /// The enrolment is written.
    Finished(Result<Finished, AppError>),
    /// An answer of the vault.
    Answer(Tag, Result<Reply, AppError>),
    /// A device wants an answer before its configuration is read.
    Asked(Asked),
    /// Another process has changed the vault.
    Changed,
    /// How far the export is: lines read, of how many.
    Exporting(u64, u64),
    /// Results of a search.
    Found(u64, Result<Vec<Item>, AppError>),
    /// A file was chosen; `None`: the person closed the chooser.
    Chosen(Pick, Option<PathBuf>),
    /// There is no file chooser on this desktop: the person types the path.
    NoChooser(Pick),
    /// A file was read: its name and content.
    ReadDone(Pick, String, Result<SecretBytes, AppError>),
    /// A profile of OpenVPN was read.
    ProfileRead(Result<Box<Imported>, AppError>),
    /// A file was written.
    Written(PathBuf, Result<(), AppError>),
}

/// Hands jobs to the threads and their answers to the window.
pub struct Worker {
    main: Sender<Job>,
    search: Sender<(Opening, u64, String)>,
    notices: Receiver<Notice>,
    back: Back,
}

/// What the thread that asks in order gets.
enum Job {
    Do(Box<Command>),
    /// A lock is under way beside it: what follows, such as the next unlock, must
    /// not overtake it.
    After(Receiver<()>),
}

/// The time from one lock to the next, by number. What was asked before a lock and
/// is answered after it is nobody's: the refusal would lock what was opened since.
type Opening = u64;

/// How many results a search returns.
pub const FIND_LIMIT: usize = 200;

impl Worker {
    /// Starts the threads; they end when the worker is dropped.
    pub fn start(backend: Arc<dyn Backend>, ctx: Context) -> Self {
        let (out, notices) = channel();
        let (main, main_jobs) = channel();
        let (search, search_jobs) = channel();
        let back = Back { backend, out, ctx, opening: Arc::default() };
        spawn("poterne-ask", {
            let back = back.clone();
            move || back.serve(&main_jobs)
        });
        spawn("poterne-find", {
            let back = back.clone();
            move || back.serve_search(&search_jobs)
        });
        Self { main, search, notices, back }
    }

    /// Queues a job; never waits.
    pub fn send(&self, command: Command) {
        match command {
            Command::Find(number, query) => {
                drop(self.search.send((self.back.opening(), number, query)));
            }
            Command::Ask(ref tag, _) if tag.is_slow() => self.aside(command),
            // The keys go at once, whatever else waits.
            Command::Ask(tag, Request::Lock) => {
                self.back.opening.fetch_add(1, Ordering::AcqRel);
                let (done, locked) = channel();
                drop(self.main.send(Job::After(locked)));
                let back = self.back.clone();
                spawn("poterne-lock", move || {
                    back.ask(tag, Request::Lock);
                    drop(done);
                });
            }
            Command::Export(..)
            | Command::Choose(..)
            | Command::Read(..)
            | Command::Write(..)
            | Command::Browse(..)
            | Command::Visit(..)
            | Command::Snapshot(..) => {
                self.aside(command);
            }
            other => drop(self.main.send(Job::Do(Box::new(other)))),
        }
    }

    /// The next answer, if one has come.
    pub fn poll(&self) -> Option<Notice> {
        self.notices.try_recv().ok()
    }

    /// The application, for sessions.
    pub fn backend(&self) -> Arc<dyn Backend> {
        self.back.backend.clone()
    }

    fn aside(&self, command: Command) {
        let (back, asked) = (self.back.clone(), self.back.opening());
        spawn("poterne-slow", move || back.run_aside(command, asked));
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) {
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .expect("a desktop process may start a handful of threads");
}

/// The side of the threads.
#[derive(Clone)]
struct Back {
    backend: Arc<dyn Backend>,
    out: Sender<Notice>,
    ctx: Context,
    /// The present [`Opening`].
    opening: Arc<AtomicU64>,
}

/// Tells the window how far an export is.
struct Follow<'a> {
    back: &'a Back,
    given_up: &'a AtomicBool,
}

impl ExportUi for Follow<'_> {
    fn show(&mut self, done: u64, total: u64) {
        self.back.tell(Notice::Exporting(done, total));
    }
    fn cancelled(&mut self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}

impl Back {
    fn tell(&self, notice: Notice) {
        // The window may be gone; then nobody needs the answer.
        drop(self.out.send(notice));
        self.ctx.request_repaint();
    }

    fn opening(&self) -> Opening {
        self.opening.load(Ordering::Acquire)
    }

    /// Tells an answer, unless the vault was locked since its question.
    fn answer(&self, asked: Opening, notice: Notice) {
        if asked == self.opening() {
            self.tell(notice);
        }
    }

    fn serve(&self, jobs: &Receiver<Job>) {
        let mut enrolment: Option<Box<dyn Enrolling>> = None;
        while let Ok(job) = jobs.recv() {
            let command = match job {
                Job::Do(command) => *command,
                Job::After(locked) => {
                    // Nothing is ever sent: it ends with the thread that locks.
                    let _ = locked.recv();
                    continue;
                }
            };
            match command {
                Command::Unlock(options) => {
                    self.tell(Notice::Unlocked(self.backend.unlock(options).map(Box::new)));
                }
                Command::EnrolDevice(code, member, factors, older) => {
                    let done = self.backend.enrol_device(code, member, factors, older);
                    self.tell(Notice::DeviceEnrolled(done));
                }
                Command::Begin(begin) => {
                    let begun = match begin {
                        Begin::Create(o) => self.backend.at(o.file.clone()).create(o),
                        Begin::Accept(code, new, older) => {
                            self.backend.accept_invitation(code, new, older)
                        }
                        Begin::Recover(kit, new, older) => self.backend.recover(kit, new, older),
                    };
                    let view = begun.map(|e| {
                        let view = EnrolmentView {
                            otpauth_uri: e.otpauth_uri().duplicate(),
                            kit: e.kit().duplicate(),
                        };
                        enrolment = Some(e);
                        view
                    });
                    self.tell(Notice::Begun(view));
                }
                Command::CheckCode(code) => {
                    let done = match &mut enrolment {
                        Some(e) => e.check_code(&code),
                        None => Err(no_enrolment()),
                    };
                    self.tell(Notice::CodeChecked(done));
                }
                Command::CheckKit(typed) => {
                    let done = match &enrolment {
                        Some(e) => e.check_kit(&typed),
                        None => Err(no_enrolment()),
                    };
                    self.tell(Notice::KitChecked(done));
                }
                Command::SaveKit(path, lang) => {
                    let done = match &enrolment {
                        Some(e) => e.kit_pdf(lang).and_then(|pdf| files::write(&path, &pdf)),
                        None => Err(no_enrolment()),
                    };
                    self.tell(Notice::Written(path, done));
                }
                Command::Finish => {
                    // One that failed is kept: a disk may have room again.
                    let done = match &mut enrolment {
                        Some(e) => e.finish(),
                        None => Err(no_enrolment()),
                    };
                    if done.is_ok() {
                        enrolment = None;
                    }
                    self.tell(Notice::Finished(done));
                }
                Command::Abandon => enrolment = None,
                Command::Look => {
                    if self.backend.changed_by_others() {
                        self.tell(Notice::Changed);
                    }
                }
                Command::Ask(tag, request) => self.ask(tag, request),
                other => self.run_aside(other, self.opening()),
            }
        }
    }

    fn serve_search(&self, jobs: &Receiver<(Opening, u64, String)>) {
        while let Ok(mut job) = jobs.recv() {
            while let Ok(newer) = jobs.try_recv() {
                job = newer;
            }
            let (asked, number, query) = job;
            let found = match self.backend.call(Request::Find { query, limit: FIND_LIMIT }) {
                Ok(Reply::Items(items)) => Ok(items),
                Ok(_) => Ok(Vec::new()),
                Err(e) => Err(e),
            };
            self.answer(asked, Notice::Found(number, found));
        }
    }

    fn ask(&self, tag: Tag, request: Request) {
        let answer = self.backend.call(request);
        self.tell(Notice::Answer(tag, answer));
    }

    fn run_aside(&self, job: Command, asked: Opening) {
        match job {
            Command::Ask(tag, request) => {
                let answer = self.backend.call(request);
                self.answer(asked, Notice::Answer(tag, answer));
            }
            Command::Export(request, given_up) => {
                let mut follow = Follow { back: self, given_up: &given_up };
                let answer = self.backend.export(request, &mut follow);
                self.answer(asked, Notice::Answer(Tag::Export, answer));
            }
            Command::Choose(pick, name) => self.tell(match files::choose(&pick, &name) {
                files::Choice::File(path) => Notice::Chosen(pick, Some(path)),
                files::Choice::Closed => Notice::Chosen(pick, None),
                files::Choice::NoChooser => Notice::NoChooser(pick),
            }),
            Command::Read(Pick::Profile, path) => {
                let read = files::read_profile(&path);
                self.answer(asked, Notice::ProfileRead(read.map(Box::new)));
            }
            Command::Read(pick, path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let bytes = match pick {
                    Pick::QrPicture => files::read_qr(&path),
                    _ => files::read(&path, ATTACHMENT_MAX_BYTES),
                };
                self.tell(Notice::ReadDone(pick, name, bytes));
            }
            Command::Write(path, AttachmentBytes(bytes)) => {
                let done = bytes.expose(|b| files::write(&path, b));
                self.tell(Notice::Written(path, done));
            }
            Command::Browse(url) => self.browse(&url),
            Command::Visit(id, just) => self.visit(id, just, asked),
            Command::Snapshot(id, just, given_up) => {
                let desktop = of_person(Lang::default());
                let at = At::Id(id);
                let (accept_host_key, reuse, after) = (None, false, None);
                let request = ConnectRequest { at, just, accept_host_key, reuse, desktop, after };
                // A question that comes after a lock is dropped, and so is answered no.
                let tell = |question| self.answer(asked, Notice::Asked(question));
                let mut person = Asking { entry: id, given_up, tell };
                let taken = self.backend.snapshot(request, &mut person).map(Reply::Taken);
                self.answer(asked, Notice::Answer(Tag::Snapshot(id), taken));
            }
            _ => {}
        }
    }

    fn browse(&self, url: &str) {
        if let Err(failed) = self.backend.show_page(url) {
            self.tell(Notice::Written(PathBuf::new(), Err(failed)));
        }
    }

    fn visit(&self, id: EntryId, just: Justification, asked: Opening) {
        let page = browser::visit(
            |request| self.backend.call(request),
            |url| self.backend.show_page(url),
            At::Id(id),
            just,
        );
        self.answer(asked, Notice::Answer(Tag::Visit(id), page.map(Reply::Page)));
    }
}

fn no_enrolment() -> AppError {
    AppError {
        code: Code::Other,
        what: Bi::new("Cette création n’est plus en cours.", "This set-up is no longer running."),
        todo: Bi::new("Recommencez depuis le début.", "Start again from the beginning."),
    }
}
