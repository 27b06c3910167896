//! What the window asks of the application, as a trait so that screens can be
//! tried without a vault, and the threads that ask it. Painting never waits:
//! a [`Command`] goes down a queue, a [`Notice`] comes back and wakes the window.
//! Holds no key and no vault.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::api::{AppError, ExportRequest, Factors, Reply, Request, Status, Taken};
use crate::app::{
    App, ConnectRequest, CreateOptions, Enrolment, ExportUi, Finished, OpenSession, SessionUi,
    Tell, UnlockOptions, browser,
};
use crate::model::lang::Lang;
use crate::secret::SecretText;

/// The application as the window sees it. Every method may block.
pub trait Backend: Send + Sync + 'static {
    /// As [`App::create`].
    ///
    /// # Errors
    /// As there; so for all that follow.
    fn create(&self, options: CreateOptions) -> Result<Box<dyn Enrolling>, AppError>;
    /// As [`App::accept_invitation`].
    ///
    /// # Errors
    /// As there.
    fn accept_invitation(
        &self,
        code: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError>;
    /// As [`App::recover`].
    ///
    /// # Errors
    /// As there.
    fn recover(
        &self,
        kit: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError>;
    /// As [`App::enrol_device`].
    ///
    /// # Errors
    /// As there.
    fn enrol_device(
        &self,
        code: SecretText,
        member: Option<String>,
        factors: Factors,
        accept_older: bool,
    ) -> Result<Finished, AppError>;
    /// As [`App::unlock`].
    ///
    /// # Errors
    /// As there.
    fn unlock(&self, options: UnlockOptions) -> Result<Status, AppError>;
    /// As [`App::call`].
    ///
    /// # Errors
    /// As there.
    fn call(&self, request: Request) -> Result<Reply, AppError>;
    /// Locks because this process ends, when all that sessions left to log is
    /// stored.
    fn leave(&self) {
        let _ = self.call(Request::Lock);
    }
    /// As [`App::export`].
    ///
    /// # Errors
    /// As there.
    fn export(&self, request: ExportRequest, _ui: &mut dyn ExportUi) -> Result<Reply, AppError> {
        self.call(Request::AuditExport(request))
    }
    /// As [`App::connect`].
    ///
    /// # Errors
    /// As there.
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError>;
    /// As [`App::snapshot`].
    ///
    /// # Errors
    /// As there.
    fn snapshot(&self, request: ConnectRequest, ui: &mut dyn SessionUi) -> Result<Taken, AppError>;
    /// The same vault's application at another place, for the guide.
    fn at(&self, file: PathBuf) -> Box<dyn Backend>;
    /// Calls `tell` when the vault is locked from outside the window.
    fn on_outside_lock(&self, _tell: Box<dyn Fn() + Send + Sync>) {}
    /// As [`browser::show`].
    ///
    /// # Errors
    /// As there.
    fn show_page(&self, url: &str) -> Result<(), AppError> {
        browser::show(url)
    }
    /// As [`App::on_change`].
    fn on_change(&self, _tell: Tell) {}
    /// As [`App::changed_by_others`].
    fn changed_by_others(&self) -> bool {
        false
    }
}

/// As [`Enrolment`].
pub trait Enrolling: Send {
    /// As [`Enrolment::otpauth_uri`].
    fn otpauth_uri(&self) -> &SecretText;
    /// As [`Enrolment::kit`].
    fn kit(&self) -> &SecretText;
    /// As [`Enrolment::kit_pdf`].
    ///
    /// # Errors
    /// As there.
    fn kit_pdf(&self, lang: Lang) -> Result<Vec<u8>, AppError>;
    /// As [`Enrolment::check_code`].
    ///
    /// # Errors
    /// As there.
    fn check_code(&mut self, code: &SecretText) -> Result<(), AppError>;
    /// As [`Enrolment::check_kit`].
    ///
    /// # Errors
    /// As there.
    fn check_kit(&self, typed: &SecretText) -> Result<(), AppError>;
    /// As [`Enrolment::finish`].
    ///
    /// # Errors
    /// As there.
    fn finish(&mut self) -> Result<Finished, AppError>;
}

/// The application of the window, which is also the agent of its vault while that
/// is unlocked: commands in a terminal then need no factors.
pub struct Served {
    app: App,
    #[cfg(unix)]
    guard: std::sync::Mutex<Option<Arc<crate::app::agent::Guard>>>,
    /// Each ends the sessions that commands opened through one unlock, which
    /// may outlive the lock but not this process.
    #[cfg(unix)]
    enders: std::sync::Mutex<Vec<Box<dyn Fn() + Send>>>,
    tell: Arc<std::sync::OnceLock<Box<dyn Fn() + Send + Sync>>>,
}

impl Served {
    /// Nothing is served before the vault is unlocked.
    pub fn new(app: App) -> Self {
        Self {
            app,
            #[cfg(unix)]
            guard: std::sync::Mutex::default(),
            #[cfg(unix)]
            enders: std::sync::Mutex::default(),
            tell: Arc::default(),
        }
    }

    #[cfg(unix)]
    fn unlock_and_serve(&self, options: UnlockOptions) -> Result<Status, AppError> {
        use crate::app::agent::{self, End};
        let read_only = options.read_only;
        let status = self.app.unlock(options)?;
        if read_only {
            return Ok(status);
        }
        // Without a socket, or beside an agent that is there already, the window
        // works all the same; only the command line must unlock by itself.
        let socket = crate::app::agent::socket_of(self.app.file());
        let guard = socket.and_then(|socket| agent::serve(self.app.for_others(), &socket).ok());
        if let Some(guard) = guard.map(Arc::new) {
            let mut enders = self.enders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            enders.push(Box::new(guard.session_ender()));
            drop(enders);
            let watched = Arc::clone(&guard);
            let tell = Arc::clone(&self.tell);
            let _ = std::thread::Builder::new().name("agent-watch".into()).spawn(move || {
                if watched.wait() == End::Locked
                    && let Some(tell) = tell.get()
                {
                    tell();
                }
            });
            *self.guard.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(guard);
        }
        Ok(status)
    }

    /// Locks, the keys first; then the sessions of commands end where the
    /// settings say so.
    #[cfg(unix)]
    fn lock(&self) -> Result<Reply, AppError> {
        let guard = self.guard.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        let ends = guard.as_ref().is_some_and(|guard| guard.lock_ends_sessions());
        if let Some(guard) = guard {
            guard.stop();
        }
        let done = self.app.call(Request::Lock);
        if ends {
            self.end_served_sessions();
        }
        done
    }

    #[cfg(unix)]
    fn end_served_sessions(&self) {
        let mut enders = self.enders.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        enders.drain(..).for_each(|end| end());
    }

    #[cfg(not(unix))]
    fn end_served_sessions(&self) {}

    #[cfg(not(unix))]
    fn unlock_and_serve(&self, options: UnlockOptions) -> Result<Status, AppError> {
        self.app.unlock(options)
    }

    #[cfg(not(unix))]
    fn lock(&self) -> Result<Reply, AppError> {
        self.app.call(Request::Lock)
    }
}

impl Backend for Served {
    fn create(&self, options: CreateOptions) -> Result<Box<dyn Enrolling>, AppError> {
        Ok(Box::new(self.app.create(options)?))
    }
    fn accept_invitation(
        &self,
        code: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        Ok(Box::new(self.app.accept_invitation(code, password, accept_older)?))
    }
    fn recover(
        &self,
        kit: SecretText,
        password: SecretText,
        accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        Ok(Box::new(self.app.recover(kit, password, accept_older)?))
    }
    fn enrol_device(
        &self,
        code: SecretText,
        member: Option<String>,
        factors: Factors,
        accept_older: bool,
    ) -> Result<Finished, AppError> {
        self.app.enrol_device(code, member, factors, accept_older)
    }
    fn unlock(&self, options: UnlockOptions) -> Result<Status, AppError> {
        self.unlock_and_serve(options)
    }
    fn call(&self, request: Request) -> Result<Reply, AppError> {
        match request {
            Request::Lock => self.lock(),
            request => self.app.call(request),
        }
    }
    fn leave(&self) {
        self.end_served_sessions();
        let _ = self.call(Request::Lock);
    }
    fn export(&self, request: ExportRequest, ui: &mut dyn ExportUi) -> Result<Reply, AppError> {
        self.app.export(request, ui)
    }
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        self.app.connect(request, ui)
    }
    fn snapshot(&self, request: ConnectRequest, ui: &mut dyn SessionUi) -> Result<Taken, AppError> {
        self.app.snapshot(request, ui)
    }
    fn at(&self, file: PathBuf) -> Box<dyn Backend> {
        Box::new(Served::new(App::new(file)))
    }
    fn on_outside_lock(&self, tell: Box<dyn Fn() + Send + Sync>) {
        let _ = self.tell.set(tell);
    }
    fn on_change(&self, tell: Tell) {
        self.app.on_change(tell);
    }
    fn changed_by_others(&self) -> bool {
        self.app.changed_by_others()
    }
}

impl Enrolling for Enrolment {
    fn otpauth_uri(&self) -> &SecretText {
        Enrolment::otpauth_uri(self)
    }
    fn kit(&self) -> &SecretText {
        Enrolment::kit(self)
    }
    fn kit_pdf(&self, lang: Lang) -> Result<Vec<u8>, AppError> {
        Enrolment::kit_pdf(self, lang)
    }
    fn check_code(&mut self, code: &SecretText) -> Result<(), AppError> {
        Enrolment::check_code(self, code)
    }
    fn check_kit(&self, typed: &SecretText) -> Result<(), AppError> {
        Enrolment::check_kit(self, typed)
    }
    fn finish(&mut self) -> Result<Finished, AppError> {
        Enrolment::finish(self)
    }
}
