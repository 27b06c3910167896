//! State of the guide, step by step. Knows no egui; what is typed lies in wiped
//! buffers.

use std::path::{Path, PathBuf};

use crate::app::api::{AppError, Code};
use crate::app::{CreateOptions, Finished};
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::gui::widgets::strength::Strength;
use crate::gui::worker::{Begin, Command, EnrolmentView};

/// What the guide is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// A new vault.
    Create,
    /// An invitation.
    Join,
    /// New factors by the recovery kit.
    Recover,
}

/// Where the person is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, PartialOrd, Ord)]
pub enum Step {
    /// File and name, or the invitation or kit.
    Start,
    /// The password, twice.
    Password,
    /// Tied to this computer, or portable. Only for a new vault.
    Device,
    /// QR code and first code.
    Phone,
    /// The recovery kit is shown.
    Kit,
    /// It is typed back.
    KitBack,
    /// Written.
    Done,
}

/// State of the guide.
pub struct GuideModel {
    /// For what.
    pub purpose: Purpose,
    /// Where.
    pub step: Step,
    /// The new vault's file.
    pub file: String,
    /// The owner's name.
    pub name: String,
    /// Invitation code, or recovery code.
    pub entry_code: SecretBuffer,
    /// The password.
    pub password: SecretBuffer,
    /// The same again.
    pub again: SecretBuffer,
    /// Show both.
    pub shown: bool,
    /// Estimate of the password.
    pub strength: Strength,
    /// No device key.
    pub portable: bool,
    /// A job runs.
    pub waiting: bool,
    /// Go on with a copy older than the last one seen here.
    pub accept_older: bool,
    /// Why the last step failed.
    pub error: Option<AppError>,
    /// What the phone and the paper need.
    pub enrolment: Option<EnrolmentView>,
    /// Show the phone's secret as text.
    pub show_seed: bool,
    /// The first code.
    pub code: SecretBuffer,
    /// The kit typed back.
    pub kit_back: SecretBuffer,
    /// Where the kit was written.
    pub kit_file: Option<PathBuf>,
    /// What was made.
    pub finished: Option<Finished>,
    /// Give the keyboard to the step's first field.
    pub focus: bool,
    /// There is a vault to go back to.
    pub can_leave: bool,
    /// Writing it failed: it may be tried again, or begun again.
    pub failed: bool,
    /// What was typed and shown was wiped, for nobody was there.
    pub wiped: bool,
}

impl GuideModel {
    /// The name of the vault's file, as the field says it.
    pub fn file_name(&self) -> String {
        let typed = Path::new(self.file.trim()).file_name();
        typed.map_or("coffre.poterne".into(), |name| name.to_string_lossy().into_owned())
    }

    /// A guide at its first step.
    pub fn new(purpose: Purpose, file: &str, name: &str, can_leave: bool) -> Self {
        Self {
            purpose,
            step: Step::Start,
            file: file.to_owned(),
            name: name.to_owned(),
            entry_code: SecretBuffer::line(),
            password: SecretBuffer::line(),
            again: SecretBuffer::line(),
            shown: false,
            strength: Strength::of(&SecretBuffer::code(1), &[]),
            portable: false,
            waiting: false,
            accept_older: false,
            error: None,
            enrolment: None,
            show_seed: false,
            code: SecretBuffer::code(6),
            kit_back: SecretBuffer::line(),
            kit_file: None,
            finished: None,
            focus: true,
            can_leave,
            failed: false,
            wiped: false,
        }
    }

    /// The steps of this purpose, in order.
    pub fn steps(&self) -> &'static [Step] {
        use Step as S;
        match self.purpose {
            Purpose::Create => {
                &[S::Start, S::Password, S::Device, S::Phone, S::Kit, S::KitBack, S::Done]
            }
            Purpose::Join | Purpose::Recover => {
                &[S::Start, S::Password, S::Phone, S::Kit, S::KitBack, S::Done]
            }
        }
    }

    /// Estimates the password again.
    pub fn password_changed(&mut self) {
        self.strength = Strength::of(&self.password, &[&self.name, "poterne"]);
    }

    /// Whether this step is filled in.
    pub fn ready(&self) -> bool {
        !self.waiting
            && match self.step {
                Step::Start if self.purpose == Purpose::Create => {
                    !self.file.trim().is_empty() && !self.name.trim().is_empty()
                }
                Step::Start => !self.entry_code.is_empty(),
                Step::Password => self.strength.enough() && self.password.same_as(&self.again),
                Step::Device | Step::Kit | Step::Done => true,
                Step::Phone => self.code.char_count() == 6,
                Step::KitBack => !self.kit_back.is_empty(),
            }
    }

    /// One step on; a job when the step needs one.
    pub fn forward(&mut self) -> Option<Command> {
        if !self.ready() {
            return None;
        }
        self.error = None;
        self.failed = false;
        self.wiped = false;
        match (self.step, self.purpose) {
            (Step::Start, _) => self.go(Step::Password),
            (Step::Password, Purpose::Create) => self.go(Step::Device),
            (Step::Password, _) | (Step::Device, _) => {
                self.waiting = true;
                return Some(Command::Begin(self.begin()));
            }
            (Step::Phone, _) => {
                self.waiting = true;
                let code = self.code.to_secret();
                self.code.clear();
                return Some(Command::CheckCode(code));
            }
            (Step::Kit, _) => self.go(Step::KitBack),
            (Step::KitBack, _) => {
                self.waiting = true;
                return Some(Command::CheckKit(self.kit_back.to_secret()));
            }
            (Step::Done, _) => {}
        }
        None
    }

    /// One step back, as long as nothing was begun that cannot be undone.
    pub fn back(&mut self) -> Option<Command> {
        self.error = None;
        match self.step {
            Step::Password => self.go(Step::Start),
            Step::Device => self.go(Step::Password),
            Step::KitBack => self.go(Step::Kit),
            Step::Phone => {
                self.enrolment = None;
                let before =
                    if self.purpose == Purpose::Create { Step::Device } else { Step::Password };
                self.go(before);
                return Some(Command::Abandon);
            }
            Step::Start | Step::Kit | Step::Done => {}
        }
        None
    }

    fn begin(&self) -> Begin {
        match self.purpose {
            Purpose::Create => Begin::Create(CreateOptions {
                file: PathBuf::from(self.file.trim()),
                member: self.name.trim().to_owned(),
                password: self.password.to_secret(),
                portable: self.portable,
                kdf_memory_mib: None,
            }),
            Purpose::Join => Begin::Accept(
                self.entry_code.to_secret(),
                self.password.to_secret(),
                self.accept_older,
            ),
            Purpose::Recover => Begin::Recover(
                self.entry_code.to_secret(),
                self.password.to_secret(),
                self.accept_older,
            ),
        }
    }

    /// True when the last failure was an older copy of the file; the choice stays
    /// to be seen once it is made.
    pub fn may_accept_older(&self) -> bool {
        let refused = self.error.as_ref().is_some_and(|e| e.code == Code::OlderCopy);
        refused || self.accept_older && self.step == Step::Password
    }

    /// Back to the first step with nothing but file and name; the job that
    /// forgets what was begun.
    pub fn restart(&mut self) -> Command {
        let (file, name) = (std::mem::take(&mut self.file), std::mem::take(&mut self.name));
        *self = Self::new(self.purpose, &file, &name, self.can_leave);
        Command::Abandon
    }

    /// Whether something is typed or shown that is nobody else's to see.
    pub fn holds_secrets(&self) -> bool {
        let typed = [&self.entry_code, &self.password, &self.again, &self.code, &self.kit_back];
        self.enrolment.is_some() || !typed.iter().all(|typed| typed.is_empty())
    }

    /// Wipes what is typed and shown, and begins again. What is just being written
    /// goes on: it is the vault then, or the guide begins again once that failed.
    pub fn wipe(&mut self) -> Option<Command> {
        if self.step == Step::KitBack && self.waiting {
            self.clear();
            self.wiped = true;
            return None;
        }
        let command = self.restart();
        self.wiped = true;
        Some(command)
    }

    fn clear(&mut self) {
        self.enrolment = None;
        self.shown = false;
        for typed in [
            &mut self.entry_code,
            &mut self.password,
            &mut self.again,
            &mut self.code,
            &mut self.kit_back,
        ] {
            typed.clear();
        }
    }

    /// The enrolment has begun, or not.
    pub fn begun(&mut self, view: Result<EnrolmentView, AppError>) {
        if !self.waiting {
            // Wiped meanwhile.
            return;
        }
        self.waiting = false;
        match view {
            Ok(view) => {
                self.enrolment = Some(view);
                self.go(Step::Phone);
            }
            Err(e) => self.error = Some(e),
        }
    }

    /// The code was right, or not.
    pub fn code_checked(&mut self, done: Result<(), AppError>) {
        if !self.waiting {
            return;
        }
        self.waiting = false;
        match done {
            Ok(()) => self.go(Step::Kit),
            Err(e) => {
                self.error = Some(e);
                self.focus = true;
            }
        }
    }

    /// The kit was right, or not; then the vault is written.
    pub fn kit_checked(&mut self, done: Result<(), AppError>) -> Option<Command> {
        match done {
            Ok(()) => Some(Command::Finish),
            // Nothing to go back to is left.
            Err(_) if self.wiped => {
                let command = self.restart();
                self.wiped = true;
                Some(command)
            }
            Err(e) => {
                self.waiting = false;
                self.error = Some(e);
                self.focus = true;
                None
            }
        }
    }

    /// It is written, or not; then it may be tried again, unless all was wiped
    /// meanwhile and it has to begin again.
    pub fn finished(&mut self, done: Result<Finished, AppError>) -> Option<Command> {
        self.waiting = false;
        match done {
            Ok(made) => {
                self.finished = Some(made);
                self.clear();
                self.go(Step::Done);
                None
            }
            Err(e) => {
                let wiped = self.wiped;
                let command = wiped.then(|| self.restart());
                self.wiped = wiped;
                self.failed = !wiped;
                self.error = Some(e);
                command
            }
        }
    }

    fn go(&mut self, step: Step) {
        self.step = step;
        self.focus = true;
    }
}
