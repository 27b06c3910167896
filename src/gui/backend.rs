//! What the window asks of the application, as a trait so that screens can be
//! tried without a vault, and the threads that ask it. Painting never waits:
//! a [`Command`] goes down a queue, a [`Notice`] comes back and wakes the window.
//! Holds no key and no vault.

use std::path::PathBuf;

use crate::app::api::{AppError, Factors, Reply, Request, Status};
use crate::app::{
    App, ConnectRequest, CreateOptions, Enrolment, Finished, OpenSession, SessionUi, UnlockOptions,
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
    ) -> Result<Box<dyn Enrolling>, AppError>;
    /// As [`App::recover`].
    ///
    /// # Errors
    /// As there.
    fn recover(
        &self,
        kit: SecretText,
        password: SecretText,
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
    ) -> Result<(), AppError>;
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
    /// As [`App::connect`].
    ///
    /// # Errors
    /// As there.
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError>;
    /// The same vault's application at another place, for the guide.
    fn at(&self, file: PathBuf) -> Box<dyn Backend>;
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
    fn finish(self: Box<Self>) -> Result<Finished, AppError>;
}

impl Backend for App {
    fn create(&self, options: CreateOptions) -> Result<Box<dyn Enrolling>, AppError> {
        Ok(Box::new(App::create(self, options)?))
    }
    fn accept_invitation(
        &self,
        code: SecretText,
        password: SecretText,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        Ok(Box::new(App::accept_invitation(self, code, password)?))
    }
    fn recover(
        &self,
        kit: SecretText,
        password: SecretText,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        Ok(Box::new(App::recover(self, kit, password)?))
    }
    fn enrol_device(
        &self,
        code: SecretText,
        member: Option<String>,
        factors: Factors,
    ) -> Result<(), AppError> {
        App::enrol_device(self, code, member, factors).map(drop)
    }
    fn unlock(&self, options: UnlockOptions) -> Result<Status, AppError> {
        App::unlock(self, options)
    }
    fn call(&self, request: Request) -> Result<Reply, AppError> {
        App::call(self, request)
    }
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        App::connect(self, request, ui)
    }
    fn at(&self, file: PathBuf) -> Box<dyn Backend> {
        Box::new(App::new(file))
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
    fn finish(self: Box<Self>) -> Result<Finished, AppError> {
        Enrolment::finish(*self)
    }
}
