//! User and password, given when the device asks for them: each at most once, and
//! only until the first prompt of its shell. The password leaves the application
//! when its question stands there, not before. A device that asks again has
//! refused: it gets nothing more.

use std::time::{Duration, Instant};

use regex::Regex;

use super::Prompts;
use crate::connect::line::{End, LineEngine};
use crate::connect::{Failure, FailureKind, Progress, Question};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::HostPort;

/// A question is one when nothing follows it for so long.
const QUIET: Duration = Duration::from_millis(150);
/// Some other text without an end of line is the device's prompt after so long.
const UNKNOWN: Duration = Duration::from_secs(3);
/// A password is checked within this time; a wrong one often takes a while.
const CHECKED: Duration = Duration::from_secs(10);
/// How much of the end of a line is looked at: a device that paints its screen may
/// send no end of line at all.
const LINE_MAX_BYTES: usize = 1024;

/// What the device waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    /// Nothing yet.
    Wait,
    /// The user.
    User,
    /// The password.
    Password,
    /// Any key.
    Key,
    /// The person.
    Person,
    /// It has refused.
    Refused,
}

/// Where in the text of the device we are.
#[derive(Clone, Copy)]
enum At {
    Text,
    Escape,
    Sequence,
}

/// Watches the line that the device is on.
struct Watcher {
    prompts: Prompts,
    key: Regex,
    shell: Regex,
    at: At,
    line: Vec<u8>,
    user_given: bool,
    password_given: bool,
    key_given: bool,
}

impl Watcher {
    fn new(prompts: Prompts) -> Self {
        let fixed = |pattern| Regex::new(pattern).expect("it is a pattern");
        Self {
            prompts,
            key: fixed(r"(?i)\b(any key|une touche)\b"),
            shell: fixed(r"[>#$%]\s*$"),
            at: At::Text,
            line: Vec::new(),
            user_given: false,
            password_given: false,
            key_given: false,
        }
    }

    /// Takes in text as it is seen: without escape sequences (ECMA-48) and other
    /// control characters.
    fn hear(&mut self, text: &[u8]) {
        for byte in text {
            self.at = match (self.at, byte) {
                (_, 0x1b) => At::Escape,
                (At::Escape, b'[') => At::Sequence,
                (At::Escape, _) | (At::Sequence, b'@'..=b'~') => At::Text,
                (At::Sequence, _) => At::Sequence,
                (At::Text, b'\n') => {
                    self.line.clear();
                    At::Text
                }
                (At::Text, _) => {
                    if !byte.is_ascii_control() {
                        self.line.push(*byte);
                    }
                    At::Text
                }
            };
        }
        let over = self.line.len().saturating_sub(LINE_MAX_BYTES);
        self.line.drain(..over);
    }

    /// Nothing was said for `quiet`, or since the last answer was given.
    fn quiet(&mut self, quiet: Duration, patience: Duration) -> Next {
        let line = String::from_utf8_lossy(&self.line);
        let line = line.trim_start();
        let password = self.prompts.password.is_match(line);
        let login = self.prompts.login.is_match(line) && !line.contains("Last login");
        let next = match () {
            () if self.password_given && (password || login) => Next::Refused,
            () if self.password_given && !line.is_empty() => Next::Person,
            () if self.password_given && quiet >= CHECKED => Next::Person,
            () if self.password_given => Next::Wait,
            () if password => Next::Password,
            () if login && self.user_given => Next::Refused,
            () if login => Next::User,
            () if self.key.is_match(line) && !self.key_given => Next::Key,
            () if self.shell.is_match(line) => Next::Person,
            () if !line.is_empty() && quiet >= UNKNOWN => Next::Person,
            () if quiet >= patience => Next::Person,
            () => Next::Wait,
        };
        if next != Next::Wait {
            self.line.clear();
        }
        self.user_given |= next == Next::User;
        self.password_given |= next == Next::Password;
        self.key_given |= next == Next::Key;
        next
    }
}

/// Answers what the device asks, as far as the entry knows the answers.
///
/// # Errors
/// The device refused them or ended the connection.
pub fn fill(
    engine: &mut LineEngine,
    end: &End<'_>,
    prompts: Prompts,
    patience: Duration,
) -> Result<(), Failure> {
    let hop = end.hop;
    let stored = hop.slots.contains(&Slot::Password);
    if hop.user.is_empty() && !stored {
        return Ok(());
    }
    let mut watcher = Watcher::new(prompts);
    let mut since = Instant::now();
    let mut user = hop.user.clone();
    while engine.has_room() {
        if let Some(text) = engine.listen(QUIET)? {
            watcher.hear(&text);
            since = Instant::now();
            continue;
        }
        match watcher.quiet(since.elapsed(), patience) {
            Next::Wait => continue,
            Next::User => {
                if user.is_empty() {
                    let typed = end.up.ask_text(Question::User);
                    let Some(typed) = typed else { return Ok(()) };
                    user = typed.expose(|t| t.trim().to_owned());
                    engine.set_user(&user);
                }
                end.up.say(&Progress::Authenticating("login".into()));
                engine.typed(user.as_bytes());
                engine.typed(b"\r");
            }
            Next::Password => {
                let secret = if stored { end.up.secret(end.index, &Slot::Password) } else { None };
                let Some(secret) = secret else { return Ok(()) };
                end.up.say(&Progress::Authenticating("password".into()));
                secret.expose(|password| engine.typed(password));
                engine.typed(b"\r");
            }
            Next::Key => engine.typed(b"\r"),
            Next::Person => return Ok(()),
            Next::Refused => return Err(refused(&user, &hop.at)),
        }
        since = Instant::now();
    }
    Ok(())
}

pub(super) fn refused(user: &str, at: &HostPort) -> Failure {
    Failure {
        kind: FailureKind::Login,
        what: Bi::new(
            format!("{at} a refusé l’identifiant «\u{a0}{user}\u{a0}» ou son mot de passe."),
            format!("{at} refused the login “{user}” or its password."),
        ),
        todo: Bi::new(
            "Vérifiez l’utilisateur et le mot de passe de l’entrée. Rien n’a été donné une seconde \
             fois\u{a0}; si l’équipement demande autre chose, corrigez «\u{a0}login-prompt\u{a0}» ou \
             «\u{a0}password-prompt\u{a0}».",
            "Check the user and the password of the entry. Nothing was given a second time; if \
             the device asks for something else, correct “login-prompt” or “password-prompt”.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::model::id::EntryId;
    use crate::model::target::Hop;

    fn watcher() -> Watcher {
        let hop = Hop {
            entry: EntryId([1; 16]),
            path: String::new(),
            at: HostPort { host: "h".into(), port: 23 },
            user: String::new(),
            slots: Vec::new(),
            pinned: Vec::new(),
            settings: BTreeMap::new(),
            ask: false,
        };
        Watcher::new(Prompts::of(&hop).unwrap_or_else(|e| panic!("{}", e.what.en)))
    }

    fn next(watcher: &mut Watcher, text: &str) -> Next {
        watcher.hear(text.as_bytes());
        watcher.quiet(QUIET, Duration::from_secs(15))
    }

    #[test]
    fn the_usual_questions_are_known() {
        for ask in [
            "Debian GNU/Linux 12\r\nsrv1 login: ",
            "Username:",
            "User Name:",
            "\x1b[2J\x1b[1;1HPlease Enter Login Name: ",
            "User Access Verification\r\n\r\nUsername: ",
            "Nom d’utilisateur\u{a0}: ",
            "login as: ",
            "Identifiant\x20: ",
        ] {
            assert_eq!(next(&mut watcher(), ask), Next::User, "{ask}");
        }
        for ask in ["Password: ", "admin's password:", "Mot de passe\x20:", "Password for admin:"] {
            assert_eq!(next(&mut watcher(), ask), Next::Password, "{ask}");
        }
        assert_eq!(next(&mut watcher(), "Press any key to continue"), Next::Key);
        let painted = "\x1b[24;1H\x1b[2K".repeat(500) + "\x1b[24;1HUsername: \x1b[?25h\x1b[24;11H";
        assert_eq!(next(&mut watcher(), &painted), Next::User);
    }

    #[test]
    fn what_is_no_question_gets_no_answer() {
        for text in ["", "Warning: only for staff\r\n", "Password rules: 8 signs or more", "Tryi"] {
            assert_eq!(next(&mut watcher(), text), Next::Wait, "{text}");
        }
        for text in ["switch#", "$ ", "Router> "] {
            assert_eq!(next(&mut watcher(), text), Next::Person, "{text}");
        }
        assert_eq!(next(&mut watcher(), "Last login: "), Next::Wait);
    }

    #[test]
    fn a_second_question_is_a_refusal() {
        let mut w = watcher();
        assert_eq!(next(&mut w, "login: "), Next::User);
        assert_eq!(next(&mut w, "zoe\r\nPassword: "), Next::Password);
        assert_eq!(next(&mut w, "\r\n"), Next::Wait, "it is being checked");
        assert_eq!(next(&mut w, "Login incorrect\r\nlogin: "), Next::Refused);
        let mut w = watcher();
        assert_eq!(next(&mut w, "Password: "), Next::Password);
        assert_eq!(next(&mut w, "\r\nPassword: "), Next::Refused);
    }

    #[test]
    fn the_shell_ends_the_watch() {
        let mut w = watcher();
        assert_eq!(next(&mut w, "login: "), Next::User);
        assert_eq!(next(&mut w, "zoe\r\nPassword: "), Next::Password);
        assert_eq!(next(&mut w, "\r\nLast login: Fri\r\nzoe@srv:~$ "), Next::Person);
    }
}
