//! Who logs in to a desktop and with which password: what the entry has, else what
//! the person says, asked for when the server wants it and not before.

use std::time::{Duration, Instant};

use super::settings::Settings;
use crate::connect::line::End;
use crate::connect::ssh::fail;
use crate::connect::{Failure, Progress, Question};
use crate::model::entry::Slot;
use crate::secret::SecretText;

/// How often a typed password may be wrong.
const TRIES: u32 = 3;
/// A server waits this long for who connects; a slower answer needs a new connection.
const SERVER_WAITS: Duration = Duration::from_secs(10);

/// User and password, as far as they are known.
pub struct Login<'a> {
    end: &'a End<'a>,
    user: String,
    domain: String,
    password: Option<SecretText>,
    /// The person typed it.
    typed: bool,
    /// The entry was asked for its password.
    looked: bool,
    refused: u32,
    asked_for: Duration,
}

impl<'a> Login<'a> {
    /// What the entry has.
    pub fn of(end: &'a End<'a>, settings: &Settings) -> Self {
        let (user, domain) = split(&end.hop.user, &settings.domain);
        Self {
            end,
            user,
            domain,
            password: None,
            typed: false,
            looked: false,
            refused: 0,
            asked_for: Duration::ZERO,
        }
    }

    /// Login name as the server is told, without the domain; may be empty.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The domain, if there is one.
    pub fn domain(&self) -> Option<String> {
        Some(self.domain.clone()).filter(|domain| !domain.is_empty())
    }

    /// As people write it.
    pub fn shown(&self) -> String {
        if self.domain.is_empty() || self.user.contains('@') {
            self.user.clone()
        } else {
            format!("{}\\{}", self.domain, self.user)
        }
    }

    /// The password, where one is known.
    pub fn password(&self) -> Option<&SecretText> {
        self.password.as_ref()
    }

    /// The server takes user and password now: both have to be known.
    ///
    /// # Errors
    /// The person does not give them.
    pub fn complete(&mut self, settings: &Settings) -> Result<(), Failure> {
        self.ask_user(settings)?;
        self.stored();
        if self.password.is_none() {
            let question = Question::Password {
                user: self.shown(),
                at: self.end.hop.at.clone(),
                again: self.refused > 0,
            };
            self.password = self.asked(question);
            self.typed = true;
            if self.password.is_none() {
                return Err(fail::login(&self.shown(), &self.end.hop.at, &[], "password"));
            }
        }
        Ok(())
    }

    /// The server's desktop asks for what is missing: only what the entry has.
    pub fn as_stored(&mut self) {
        if !self.user.is_empty() {
            self.stored();
        }
    }

    fn ask_user(&mut self, settings: &Settings) -> Result<(), Failure> {
        if self.user.is_empty() {
            let answer = self.asked(Question::User);
            let typed = answer.map(|text| text.expose(|t| t.trim().to_owned()));
            let typed = typed.filter(|user| !user.is_empty());
            let typed = typed.ok_or_else(|| fail::no_user(&self.end.hop.at))?;
            (self.user, self.domain) = split(&typed, &settings.domain);
        }
        Ok(())
    }

    fn stored(&mut self) {
        if !std::mem::replace(&mut self.looked, true) {
            self.end.up.say(&Progress::Authenticating("password".into()));
            let given = self.end.up.secret(self.end.index, &Slot::Password);
            self.password = given.and_then(|bytes| bytes.into_text().ok());
        }
    }

    fn asked(&mut self, question: Question) -> Option<SecretText> {
        let since = Instant::now();
        let answer = self.end.up.ask_text(question);
        self.asked_for += since.elapsed();
        answer
    }

    /// The person was asked something else for so long.
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

/// User and domain of `DOMAIN\user`; a `user@domain` is a name of its own, which the
/// server takes apart itself.
fn split(user: &str, domain: &str) -> (String, String) {
    match user.split_once('\\') {
        Some((domain, user)) => (user.to_owned(), domain.to_owned()),
        None if user.contains('@') => (user.to_owned(), String::new()),
        None => (user.to_owned(), domain.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_domain_is_taken_from_the_user_before_the_setting() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(split("ada", ""), pair("ada", ""));
        assert_eq!(split("ada", "CORP"), pair("ada", "CORP"));
        assert_eq!(split("LAB\\ada", "CORP"), pair("ada", "LAB"));
        assert_eq!(split(".\\ada", "CORP"), pair("ada", "."));
        assert_eq!(split("ada@corp.example", "CORP"), pair("ada@corp.example", ""));
    }
}
