//! Who logs in to a screen: what the entry has, else what the person says, asked for
//! when the server wants it and not before.

use std::time::{Duration, Instant};

use super::fail;
use super::greeting;
use crate::connect::line::End;
use crate::connect::ssh::fail as local;
use crate::connect::{Failure, Progress, Question};
use crate::model::entry::Slot;
use crate::secret::SecretText;

/// How often a typed password may be wrong.
const TRIES: u32 = 3;
/// A server waits this long for who connects; a slower answer needs a new connection.
const SERVER_WAITS: Duration = Duration::from_secs(10);
/// Characters of a VNC password that count (RFC 6143 section 7.2.2).
pub const COUNTS: usize = 8;

/// User and password, as far as they are known.
pub struct Login<'a> {
    end: &'a End<'a>,
    user: String,
    password: Option<SecretText>,
    typed: bool,
    looked: bool,
    refused: u32,
    asked_for: Duration,
}

impl<'a> Login<'a> {
    /// What the entry has.
    pub fn of(end: &'a End<'a>) -> Self {
        Self {
            end,
            user: end.hop.user.trim().to_owned(),
            password: None,
            typed: false,
            looked: false,
            refused: 0,
            asked_for: Duration::ZERO,
        }
    }

    /// Login name; may be empty.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The password, where one is known.
    pub fn password(&self) -> Option<&SecretText> {
        self.password.as_ref()
    }

    /// Whether more was stored than counts.
    pub fn too_long(&self) -> bool {
        self.password.as_ref().is_some_and(|p| p.expose(|p| p.len() > COUNTS))
    }

    /// The server takes this login now: what it needs has to be known.
    ///
    /// # Errors
    /// The person does not give it.
    pub fn complete(&mut self, login: greeting::Login) -> Result<(), Failure> {
        if login == greeting::Login::None {
            return Ok(());
        }
        let at = &self.end.hop.at;
        if login == greeting::Login::Plain && self.user.is_empty() {
            let typed = self.asked(Question::User);
            let typed = typed.map(|text| text.expose(|t| t.trim().to_owned()));
            let typed = typed.filter(|user| !user.is_empty());
            self.user = typed.ok_or_else(|| local::no_user(at))?;
        }
        if !std::mem::replace(&mut self.looked, true) {
            self.end.up.say(&Progress::Authenticating("password".into()));
            let given = self.end.up.secret(self.end.index, &Slot::Password);
            self.password = given.and_then(|bytes| bytes.into_text().ok());
        }
        if self.password.is_none() {
            // A VNC password belongs to the screen, not to a user.
            let user = match login {
                greeting::Login::Plain => self.user.clone(),
                _ => "VNC".to_owned(),
            };
            let again = self.refused > 0;
            let question = Question::Password { user, at: at.clone(), again };
            self.password = self.asked(question);
            self.typed = true;
            if self.password.is_none() {
                return Err(fail::no_password(at));
            }
        }
        Ok(())
    }

    fn asked(&mut self, question: Question) -> Option<SecretText> {
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
