//! The password of a remote desktop: the stored one, else what the person types, and
//! how long they took. Decides no login and sends nothing.

use std::time::{Duration, Instant};

use crate::connect::line::End;
use crate::connect::ssh::fail;
use crate::connect::{Failure, Progress, Question};
use crate::model::entry::Slot;
use crate::secret::SecretText;

/// How often a typed password may be wrong.
const TRIES: u32 = 3;
/// A server waits this long for who connects; a slower answer needs a new connection.
const SERVER_WAITS: Duration = Duration::from_secs(10);

/// What is known, and what the person was asked.
pub struct Asked<'a> {
    end: &'a End<'a>,
    /// Where the entry keeps it: number of the hop, and the slot.
    kept: (usize, Slot),
    password: Option<SecretText>,
    /// The person typed it.
    typed: bool,
    /// The entry was asked for its password.
    looked: bool,
    refused: u32,
    asked_for: Duration,
}

impl<'a> Asked<'a> {
    /// Nothing yet.
    pub fn of(end: &'a End<'a>) -> Self {
        Self::kept_in(end, (end.index, Slot::Password))
    }

    /// Nothing yet, of a password that is kept elsewhere.
    pub fn kept_in(end: &'a End<'a>, kept: (usize, Slot)) -> Self {
        let (password, typed, looked) = (None, false, false);
        Self { end, kept, password, typed, looked, refused: 0, asked_for: Duration::ZERO }
    }

    /// The password, where one is known.
    pub fn password(&self) -> Option<&SecretText> {
        self.password.as_ref()
    }

    /// Takes the stored password, once.
    pub fn stored(&mut self) {
        if !std::mem::replace(&mut self.looked, true) {
            self.end.up.say(&Progress::Authenticating("password".into()));
            let given = self.end.up.secret(self.kept.0, &self.kept.1);
            self.password = given.and_then(|bytes| bytes.into_text().ok());
        }
    }

    /// The login name that the person types.
    ///
    /// # Errors
    /// They type none.
    pub fn user(&mut self) -> Result<String, Failure> {
        let answer = self.ask(Question::User);
        let typed = answer.map(|text| text.expose(|t| t.trim().to_owned()));
        let typed = typed.filter(|user| !user.is_empty());
        typed.ok_or_else(|| fail::no_user(&self.end.hop.at))
    }

    /// Has the person type the password of `user` where none is known; false when
    /// they do not.
    pub fn typed(&mut self, user: String) -> bool {
        if self.password.is_none() {
            let (at, again) = (self.end.hop.at.clone(), self.refused > 0);
            self.password = self.ask(Question::Password { user, at, again });
            self.typed = true;
        }
        self.password.is_some()
    }

    fn ask(&mut self, question: Question) -> Option<SecretText> {
        let since = Instant::now();
        let answer = self.end.up.ask_text(question);
        self.waited(since);
        answer
    }

    /// The person was asked something for so long.
    pub fn waited(&mut self, since: Instant) {
        self.asked_for += since.elapsed();
    }

    /// The person took longer than the server waits: connect anew.
    pub fn took_too_long(&mut self) -> bool {
        std::mem::take(&mut self.asked_for) >= SERVER_WAITS
    }

    /// The server refused the password; whether the person may type another.
    pub fn refused(&mut self) -> bool {
        self.password = None;
        self.refused += 1;
        self.typed && self.refused < TRIES
    }
}
