//! State of the unlock screen. Knows no egui; the typed secrets lie in wiped
//! buffers and leave only inside a command.

use crate::app::UnlockOptions;
use crate::app::api::{AppError, Code, Factors};
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::gui::worker::Command;

/// Digits of a code.
pub const DIGITS: usize = 6;

/// Which field gets the keyboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Focus {
    /// The member's name.
    Member,
    /// The password.
    Password,
    /// The code.
    Code,
    /// The enrolment code.
    Enrol,
    /// The password again.
    Again,
}

/// State of the screen.
pub struct UnlockModel {
    /// Who; empty: the only one, or the last one on this computer.
    pub member: String,
    /// Somebody has unlocked this vault on this computer before.
    pub known: bool,
    /// What is typed.
    pub password: SecretBuffer,
    /// What is typed.
    pub code: SecretBuffer,
    /// Show the password.
    pub shown: bool,
    /// Names only.
    pub read_only: bool,
    /// Open a copy older than the last one seen.
    pub accept_older: bool,
    /// Enrol this computer rather than only unlock.
    pub enrol: bool,
    /// One-time code of another computer, or the recovery kit.
    pub enrol_code: SecretBuffer,
    /// The password again: it becomes the one of this computer, and nothing here
    /// could tell a slip in it.
    pub again: SecretBuffer,
    /// The key stretching runs.
    pub waiting: bool,
    /// Why the last try failed.
    pub error: Option<AppError>,
    /// Which field gets the keyboard at the next painting.
    pub focus: Option<Focus>,
    /// Just locked: sessions wait behind this screen.
    pub sessions_waiting: usize,
}

impl UnlockModel {
    /// A fresh screen for `member`.
    pub fn new(member: &str) -> Self {
        Self {
            member: member.to_owned(),
            known: !member.is_empty(),
            password: SecretBuffer::line(),
            code: SecretBuffer::code(DIGITS),
            shown: false,
            read_only: false,
            accept_older: false,
            enrol: false,
            enrol_code: SecretBuffer::line(),
            again: SecretBuffer::line(),
            waiting: false,
            error: None,
            focus: Some(Focus::Password),
            sessions_waiting: 0,
        }
    }

    /// True when the fields are filled.
    pub fn ready(&self) -> bool {
        !self.waiting
            && !self.password.is_empty()
            && self.code.char_count() == DIGITS
            && (!self.enrol || !self.enrol_code.is_empty() && self.again.same_as(&self.password))
    }

    /// What to ask now; the code is wiped, the fields close until the answer.
    pub fn submit(&mut self) -> Option<Command> {
        if !self.ready() {
            return None;
        }
        let factors = Factors { password: self.password.to_secret(), code: self.code.to_secret() };
        self.code.clear();
        self.waiting = true;
        self.error = None;
        let member = Some(self.member.trim().to_owned()).filter(|m| !m.is_empty());
        if self.enrol {
            let code = self.enrol_code.to_secret();
            return Some(Command::EnrolDevice(code, member, factors, self.accept_older));
        }
        Some(Command::Unlock(UnlockOptions {
            member,
            factors,
            read_only: self.read_only,
            accept_older: self.accept_older,
        }))
    }

    /// It did not open.
    pub fn refused(&mut self, error: AppError) {
        self.waiting = false;
        // Only who it is was missing.
        let unnamed = error.code == Code::Usage && self.member.trim().is_empty();
        self.error = Some(error);
        if unnamed {
            self.known = false;
            self.focus = Some(Focus::Member);
            return;
        }
        self.password.select_all();
        self.focus = Some(Focus::Password);
    }

    /// This computer is known now, and so is its member; a fresh code opens.
    pub fn enrolled(&mut self, member: &str) {
        member.clone_into(&mut self.member);
        self.known = true;
        self.waiting = false;
        self.error = None;
        self.enrol = false;
        self.enrol_code.clear();
        self.again.clear();
        self.focus = Some(Focus::Code);
    }

    /// True when the last failure was an older copy of the file; the choice stays
    /// to be seen once it is made.
    pub fn may_accept_older(&self) -> bool {
        self.accept_older || self.error.as_ref().is_some_and(|e| e.code == Code::OlderCopy)
    }

    /// Whether something is typed that is nobody else's to use.
    pub fn holds_secrets(&self) -> bool {
        let typed = [&self.password, &self.code, &self.enrol_code, &self.again];
        !typed.iter().all(|typed| typed.is_empty())
    }

    /// Forgets what is typed: nobody is there, or the screen is locked.
    pub fn wipe(&mut self) {
        let typed = [&mut self.password, &mut self.code, &mut self.enrol_code, &mut self.again];
        for typed in typed {
            typed.clear();
        }
        self.shown = false;
    }
}
