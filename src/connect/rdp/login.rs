//! Who logs in to a desktop and with which password: what the entry has, else what
//! the person says, asked for when the server wants it and not before.

use super::settings::Settings;
use crate::connect::Failure;
use crate::connect::desk::asked::Asked;
use crate::connect::line::End;
use crate::connect::ssh::fail;
use crate::model::entry::Slot;
use crate::model::lang::Bi;

/// User and password, as far as they are known.
pub struct Login<'a> {
    end: &'a End<'a>,
    user: String,
    domain: String,
    /// The password, and what the person was asked.
    pub asked: Asked<'a>,
    /// Why NTLM is to take the place of Kerberos, once that has failed.
    pub instead: Option<Bi>,
}

impl<'a> Login<'a> {
    /// What the entry has.
    pub fn of(end: &'a End<'a>, settings: &Settings) -> Self {
        let (user, domain) = split(&end.hop.user, &settings.domain);
        Self { end, user, domain, asked: Asked::of(end), instead: None }
    }

    /// Another one, whose password is kept there.
    pub fn kept_in(end: &'a End<'a>, domain: &str, kept: (usize, Slot)) -> Self {
        let (user, domain) = split(&end.hop.user, domain);
        Self { end, user, domain, asked: Asked::kept_in(end, kept), instead: None }
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

    /// The server takes user and password now: both have to be known.
    ///
    /// # Errors
    /// The person does not give them.
    pub fn complete(&mut self, settings: &Settings) -> Result<(), Failure> {
        if self.user.is_empty() {
            (self.user, self.domain) = split(&self.asked.user()?, &settings.domain);
        }
        self.asked.stored();
        let user = self.shown();
        let given = self.asked.typed(user.clone());
        given.then_some(()).ok_or_else(|| fail::login(&user, &self.end.hop.at, &[], "password"))
    }

    /// The server's desktop asks for what is missing: only what the entry has.
    pub fn as_stored(&mut self) {
        if !self.user.is_empty() {
            self.asked.stored();
        }
    }
}

/// User and domain of `DOMAIN\user`; a `user@domain` is a name of its own, which the
/// server takes apart itself.
pub fn split(user: &str, domain: &str) -> (String, String) {
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
