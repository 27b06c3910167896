//! What stands in a profile besides its directives: a login, and what firewalls say in
//! comments.

use super::value;
use crate::secret::SecretText;

/// Longest user name or password that is taken out of a profile, in bytes
/// (`USER_PASS_LEN`).
const LOGIN_MAX_BYTES: usize = 4096;

/// User and password that stood in a profile.
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password, where there was one.
    pub password: Option<SecretText>,
}

/// What the portals of Sophos and WatchGuard say in comments of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hints {
    /// `;otp`: a one-time code follows the password.
    pub otp: Option<bool>,
    /// `;can_save`: the login may be kept.
    pub can_save: Option<bool>,
    /// `;auto_connect`, `;auto_reconnect`: connects again by itself.
    pub auto_connect: Option<bool>,
}

impl Login {
    /// User and password, each on a line.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(text).ok()?.lines();
        let user = lines.next().unwrap_or_default().trim();
        let password = lines.next().filter(|p| !p.is_empty() && p.len() <= LOGIN_MAX_BYTES);
        let good = user.len() <= LOGIN_MAX_BYTES && value::text(user);
        good.then(|| Self { user: user.to_owned(), password: password.map(SecretText::copy_of) })
    }
}

impl Hints {
    /// What a comment says, if it is one of those.
    pub(super) fn take(&mut self, comment: &[u8]) {
        let Ok(text) = std::str::from_utf8(comment) else { return };
        let mut words = text.split_ascii_whitespace();
        let (name, said) = (words.next(), words.next());
        let said = match said {
            Some("yes" | "1" | "true") => true,
            Some("no" | "0" | "false") => false,
            _ => return,
        };
        match name {
            Some("otp") => self.otp = Some(said),
            Some("can_save") => self.can_save = Some(said),
            Some("auto_connect" | "auto_reconnect") => self.auto_connect = Some(said),
            _ => {}
        }
    }
}
