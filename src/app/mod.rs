//! The application: joins vault, store, connectors and the machine. Screens and
//! command line talk to it through [`App`] and never reach below it.

pub mod api;
pub mod export;
pub mod generate;
pub mod wire;

#[cfg(feature = "gui")]
pub use crate::os::clipboard::SecretClipboard;

/// Calls `tell` when the computer goes to sleep or its screen is locked.
pub fn watch_session_lock(mut tell: impl FnMut() + Send + 'static) {
    crate::os::session_lock::watch(move |_| tell());
}

use std::path::PathBuf;

use crate::connect::link::{Channel, ChannelRequest, LinkInfo, Sink};
use crate::connect::{Answer, Progress, Question};
use crate::model::id::SessionId;
use crate::model::lang::Bi;
use crate::secret::SecretText;

use api::{AppError, At, Factors, Justification, Reply, Request, Status};

/// One vault, locked or unlocked. Cheap to clone; every clone talks to the same
/// worker thread, which alone owns keys and store. All methods block: a window
/// calls them from a thread of its own.
#[derive(Clone)]
pub struct App {}

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

/// A vault, or a member's access to one, on its way to being made: first the
/// phone is enrolled, then the kit is confirmed, then it is written. Dropping it
/// leaves nothing behind.
pub struct Enrolment {}

impl Enrolment {
    /// `otpauth://totp/…` for the phone (Google's key URI format).
    pub fn otpauth_uri(&self) -> &SecretText {
        unimplemented!()
    }

    /// The recovery code as printed: nine groups of four.
    pub fn kit(&self) -> &SecretText {
        unimplemented!()
    }

    /// The recovery kit as a PDF page with a QR code.
    pub fn kit_pdf(&self, _lang: crate::model::lang::Lang) -> Result<Vec<u8>, AppError> {
        unimplemented!()
    }

    /// Checks a code that the phone shows. May be called again after a refusal.
    ///
    /// # Errors
    /// The code does not belong to the seed.
    pub fn check_code(&mut self, _code: &SecretText) -> Result<(), AppError> {
        unimplemented!()
    }

    /// Checks that the typed recovery code is the printed one.
    ///
    /// # Errors
    /// It is not.
    pub fn check_kit(&self, _typed: &SecretText) -> Result<(), AppError> {
        unimplemented!()
    }

    /// Writes it. The vault stays locked.
    ///
    /// # Errors
    /// No code was confirmed yet, or the file cannot be written.
    pub fn finish(self) -> Result<Finished, AppError> {
        unimplemented!()
    }
}

/// What [`Enrolment::finish`] made.
pub struct Finished {
    /// The vault's file.
    pub file: PathBuf,
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
}

impl App {
    /// An application for the vault at `file`, which need not exist yet.
    pub fn new(_file: PathBuf) -> Self {
        Self {}
    }

    /// Begins a new vault; nothing is written before [`Enrolment::finish`].
    ///
    /// # Errors
    /// The file exists, or the options make no sense.
    pub fn create(&self, _options: CreateOptions) -> Result<Enrolment, AppError> {
        unimplemented!()
    }

    /// Begins to accept an invitation with an own password and phone.
    ///
    /// # Errors
    /// The code is wrong, used, or for another vault.
    pub fn accept_invitation(
        &self,
        _code: SecretText,
        _password: SecretText,
    ) -> Result<Enrolment, AppError> {
        unimplemented!()
    }

    /// Begins to set new factors with the recovery kit.
    ///
    /// # Errors
    /// The kit does not belong to a member of this vault.
    pub fn recover(&self, _kit: SecretText, _password: SecretText) -> Result<Enrolment, AppError> {
        unimplemented!()
    }

    /// Enrols this computer with a one-time code shown on an enrolled one (or
    /// with the kit), and the member's own factors.
    ///
    /// # Errors
    /// A code or factor is refused.
    pub fn enrol_device(
        &self,
        _code: SecretText,
        _member: Option<String>,
        _factors: Factors,
    ) -> Result<(), AppError> {
        unimplemented!()
    }

    /// Opens the vault.
    ///
    /// # Errors
    /// One text for every wrong factor; others for missing, foreign, damaged,
    /// older or unwritable files.
    pub fn unlock(&self, _options: UnlockOptions) -> Result<Status, AppError> {
        unimplemented!()
    }

    /// Puts the vault back to a backup file, after the member's factors opened
    /// that file; the present file is kept beside it.
    ///
    /// # Errors
    /// The backup does not open or is damaged.
    pub fn restore_backup(
        &self,
        _backup: PathBuf,
        _options: UnlockOptions,
    ) -> Result<(), AppError> {
        unimplemented!()
    }

    /// Asks the unlocked vault.
    ///
    /// # Errors
    /// It is locked, or the request fails.
    pub fn call(&self, _request: Request) -> Result<Reply, AppError> {
        unimplemented!()
    }

    /// Opens a session. The opening audit line is stored before anything starts.
    ///
    /// # Errors
    /// Not allowed, broken settings, or the far side (see `connect::Failure`).
    pub fn connect(
        &self,
        _request: ConnectRequest,
        _ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        unimplemented!()
    }
}
