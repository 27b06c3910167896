//! One login that OpenVPN waits for: its parts as they come from the entry or the
//! person, and the lines that they become. Holds each secret until then, no longer.

use super::answer::{Answer, Unsayable};
use super::said::{Dynamic, Static};
use crate::secret::SecretText;

/// How the code goes with the password.
pub enum Code {
    /// There is none.
    None,
    /// Right behind the password.
    Behind,
    /// As the profile's static challenge wants it.
    Static(Static),
    /// As the answer to the server's challenge, instead of the password.
    Dynamic(Dynamic),
}

/// A login that is being gathered.
pub struct Login {
    what: String,
    code: Code,
    user: Option<String>,
    password: Option<SecretText>,
    answer: Option<SecretText>,
}

impl Login {
    /// One for `what` (`Auth`, `HTTP Proxy`, …), of which nothing is there yet.
    pub fn new(what: &str, code: Code) -> Self {
        // The server says whom its challenge is for, and knows the password already.
        let user = match &code {
            Code::Dynamic(challenge) => Some(challenge.user.clone()),
            _ => None,
        };
        Self { what: what.to_owned(), code, user, password: None, answer: None }
    }

    /// True while the user name is missing.
    pub fn needs_user(&self) -> bool {
        self.user.is_none()
    }

    /// True while the password is missing.
    pub fn needs_password(&self) -> bool {
        self.password.is_none() && !matches!(self.code, Code::Dynamic(_))
    }

    /// True while a code is missing.
    pub fn needs_code(&self) -> bool {
        self.has_code() && self.answer.is_none()
    }

    /// True when a code belongs to it.
    pub fn has_code(&self) -> bool {
        match &self.code {
            Code::None => false,
            Code::Behind | Code::Static(_) => true,
            Code::Dynamic(challenge) => challenge.respond,
        }
    }

    /// The question for the code, and whether the answer may be shown.
    pub fn question(&self) -> (Option<String>, bool) {
        match &self.code {
            Code::None | Code::Behind => (None, false),
            Code::Static(challenge) => (Some(challenge.text.clone()), challenge.echo),
            Code::Dynamic(challenge) => (Some(challenge.text.clone()), challenge.echo),
        }
    }

    /// Takes the user name.
    pub fn user(&mut self, user: &str) {
        self.user = Some(user.to_owned());
    }

    /// Takes the password.
    pub fn password(&mut self, password: SecretText) {
        self.password = Some(password);
    }

    /// Takes the code.
    pub fn code(&mut self, code: SecretText) {
        self.answer = Some(code);
    }

    /// The lines that give it; `None` while something is missing.
    ///
    /// # Errors
    /// OpenVPN would not take a part of it.
    pub fn lines(&self) -> Result<Option<[Answer; 2]>, Unsayable> {
        if self.needs_code() {
            return Ok(None);
        }
        let what = self.what.as_str();
        let Some(user) = &self.user else { return Ok(None) };
        let user = Answer::username(what, user)?;
        let nothing = SecretText::copy_of("");
        let code = self.answer.as_ref().unwrap_or(&nothing);
        if let Code::Dynamic(challenge) = &self.code {
            return Ok(Some([user, Answer::challenged(what, challenge, code)?]));
        }
        let Some(password) = &self.password else { return Ok(None) };
        let password = match &self.code {
            Code::Static(challenge) if !challenge.concat => {
                Answer::with_code(what, password, code)?
            }
            Code::Behind | Code::Static(_) => Answer::appended(what, password, code)?,
            Code::None | Code::Dynamic(_) => Answer::password(what, password)?,
        };
        Ok(Some([user, password]))
    }
}
