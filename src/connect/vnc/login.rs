//! Who logs in to a screen: what the entry has, else what the person says, asked for
//! when the server wants it and not before.

use super::{fail, greeting};
use crate::connect::Failure;
use crate::connect::desk::asked::Asked;
use crate::connect::line::End;

/// Characters of a VNC password that count (RFC 6143 section 7.2.2).
pub const COUNTS: usize = 8;

/// User and password, as far as they are known.
pub struct Login<'a> {
    end: &'a End<'a>,
    user: String,
    /// The password, and what the person was asked.
    pub asked: Asked<'a>,
}

impl<'a> Login<'a> {
    /// What the entry has.
    pub fn of(end: &'a End<'a>) -> Self {
        Self { end, user: end.hop.user.trim().to_owned(), asked: Asked::of(end) }
    }

    /// Login name; may be empty.
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Whether more was stored than counts.
    pub fn too_long(&self) -> bool {
        self.asked.password().is_some_and(|p| p.expose(|p| p.len() > COUNTS))
    }

    /// The server takes this login now: what it needs has to be known.
    ///
    /// # Errors
    /// The person does not give it.
    pub fn complete(&mut self, login: greeting::Login) -> Result<(), Failure> {
        if login == greeting::Login::None {
            return Ok(());
        }
        if login == greeting::Login::Plain && self.user.is_empty() {
            self.user = self.asked.user()?;
        }
        self.asked.stored();
        // A VNC password belongs to the screen, not to a user.
        let user = match login {
            greeting::Login::Plain => self.user.clone(),
            _ => "VNC".to_owned(),
        };
        let given = self.asked.typed(user);
        given.then_some(()).ok_or_else(|| fail::no_password(&self.end.hop.at))
    }
}
