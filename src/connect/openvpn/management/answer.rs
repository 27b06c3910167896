//! What is written to OpenVPN's management interface, quoted as its parser wants it
//! (`management-notes.txt`, "Command Parsing"). A secret goes from its own type into a
//! line that is wiped, never into a `String`.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::said::Dynamic;
use crate::secret::{SecretBytes, SecretText};

/// The longest parameter OpenVPN takes, in bytes before quoting (`OPTION_PARM_SIZE`).
/// It repeats a longer one word for word in its refusal and in its log.
pub const LONGEST_PARAMETER: usize = 255;

/// The longest line it takes, in bytes with its end.
const LONGEST_LINE: usize = 1023;

/// A value that OpenVPN would not take.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsayable {
    /// It has a line break or a zero in it.
    #[error("it has a line break in it")]
    LineBreak,
    /// It is longer than [`LONGEST_PARAMETER`], as it would travel.
    #[error("it is longer than OpenVPN takes")]
    TooLong,
}

/// One line to write.
pub struct Answer {
    line: SecretBytes,
    shown: &'static str,
}

impl fmt::Debug for Answer {
    /// The command, without its values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown)
    }
}

impl Answer {
    /// Lends the line with its end to `write`.
    pub fn expose<R>(&self, write: impl FnOnce(&[u8]) -> R) -> R {
        self.line.expose(write)
    }

    /// The command, without its values.
    pub fn shown(&self) -> &'static str {
        self.shown
    }

    fn plain(shown: &'static str) -> Self {
        Self { line: SecretBytes::copy_of(format!("{shown}\n").as_bytes()), shown }
    }

    /// States are told as they change.
    pub fn state_on() -> Self {
        Self::plain("state on")
    }

    /// The log is told, from its beginning.
    pub fn log_on_all() -> Self {
        Self::plain("log on all")
    }

    /// Bytes are told every five seconds.
    pub fn bytecount() -> Self {
        Self::plain("bytecount 5")
    }

    /// It may begin, or begin again.
    pub fn hold_release() -> Self {
        Self::plain("hold release")
    }

    /// It is to end, and to tell the server.
    pub fn terminate() -> Self {
        Self::plain("signal SIGTERM")
    }

    /// It is to connect anew, such as after the machine slept.
    pub fn reconnect() -> Self {
        Self::plain("signal SIGUSR1")
    }

    /// The server of the profile will do (`--management-query-remote`).
    pub fn remote_accept() -> Self {
        Self::plain("remote ACCEPT")
    }

    /// There is no proxy (`--management-query-proxy`).
    pub fn proxy_none() -> Self {
        Self::plain("proxy NONE")
    }

    /// The user name for `what`, such as `Auth`.
    ///
    /// # Errors
    /// OpenVPN would not take it.
    pub fn username(what: &str, user: &str) -> Result<Self, Unsayable> {
        Self::of("username …", "username", Some(what), user.as_bytes())
    }

    /// The password for `what`, such as `Auth` or `Private Key`.
    ///
    /// # Errors
    /// OpenVPN would not take it.
    pub fn password(what: &str, password: &SecretText) -> Result<Self, Unsayable> {
        password.expose(|p| Self::of("password …", "password", Some(what), p.as_bytes()))
    }

    /// The password with its code right behind it, as Sophos takes it.
    ///
    /// # Errors
    /// OpenVPN would not take it.
    pub fn appended(what: &str, pw: &SecretText, code: &SecretText) -> Result<Self, Unsayable> {
        let mut both = Zeroizing::new(Vec::with_capacity(pw.len() + code.len()));
        pw.expose(|p| both.extend_from_slice(p.as_bytes()));
        code.expose(|c| both.extend_from_slice(c.as_bytes()));
        Self::of("password …", "password", Some(what), &both)
    }

    /// The password and the answer to a static challenge: `SCRV1:` and both in base64.
    ///
    /// # Errors
    /// OpenVPN would not take it.
    pub fn with_code(what: &str, pw: &SecretText, code: &SecretText) -> Result<Self, Unsayable> {
        let size = "SCRV1::".len() + encoded_len(pw.len()) + encoded_len(code.len());
        let mut both = Zeroizing::new(Vec::with_capacity(size));
        both.extend_from_slice(b"SCRV1:");
        encode(pw, &mut both);
        both.push(b':');
        encode(code, &mut both);
        Self::of("password …", "password", Some(what), &both)
    }

    /// The answer to a challenge of the server: `CRV1::`, what it knows the login by, and
    /// the code as it is.
    ///
    /// # Errors
    /// OpenVPN would not take it.
    pub fn challenged(what: &str, to: &Dynamic, code: &SecretText) -> Result<Self, Unsayable> {
        let size = "CRV1::::".len() + to.state_id.len() + code.len();
        let mut all = Zeroizing::new(Vec::with_capacity(size));
        all.extend_from_slice(b"CRV1::");
        all.extend_from_slice(to.state_id.as_bytes());
        all.extend_from_slice(b"::");
        code.expose(|c| all.extend_from_slice(c.as_bytes()));
        Self::of("password …", "password", Some(what), &all)
    }

    /// The answer to `CR_TEXT`, in base64.
    ///
    /// # Errors
    /// OpenVPN would not take it.
    pub fn response(code: &SecretText) -> Result<Self, Unsayable> {
        let mut encoded = Zeroizing::new(Vec::with_capacity(encoded_len(code.len())));
        encode(code, &mut encoded);
        Self::of("cr-response …", "cr-response", None, &encoded)
    }

    fn of(
        shown: &'static str,
        command: &str,
        what: Option<&str>,
        value: &[u8],
    ) -> Result<Self, Unsayable> {
        // Quoting at most doubles it, so that nothing is moved and left behind.
        let names = command.len() + what.map_or(0, str::len) * 2;
        let mut line = Zeroizing::new(Vec::with_capacity(names + value.len() * 2 + 8));
        line.extend_from_slice(command.as_bytes());
        for part in what.map(str::as_bytes).into_iter().chain([value]) {
            line.push(b' ');
            quote(part, &mut line)?;
        }
        line.push(b'\n');
        if line.len() > LONGEST_LINE {
            return Err(Unsayable::TooLong);
        }
        Ok(Self { line: SecretBytes::new(std::mem::take(&mut *line)), shown })
    }
}

fn quote(value: &[u8], line: &mut Vec<u8>) -> Result<(), Unsayable> {
    if value.len() > LONGEST_PARAMETER {
        return Err(Unsayable::TooLong);
    }
    line.push(b'"');
    for byte in value {
        match byte {
            b'\n' | b'\r' | 0 => return Err(Unsayable::LineBreak),
            b'"' | b'\\' => line.extend_from_slice(&[b'\\', *byte]),
            _ => line.push(*byte),
        }
    }
    line.push(b'"');
    Ok(())
}

fn encoded_len(len: usize) -> usize {
    len.div_ceil(3) * 4
}

fn encode(secret: &SecretText, out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + encoded_len(secret.len()), 0);
    let written = secret.expose(|s| STANDARD.encode_slice(s, &mut out[start..]));
    out.truncate(start + written.expect("there is room"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(answer: Result<Answer, Unsayable>) -> String {
        let text = answer.expect("short").expose(|l| String::from_utf8_lossy(l).into_owned());
        text.strip_suffix('\n').expect("a whole line").to_owned()
    }

    fn secret(text: &str) -> SecretText {
        SecretText::copy_of(text)
    }

    #[test]
    fn values_are_quoted_as_openvpn_reads_them() {
        let password = Answer::password("Auth", &secret(r#"bad"pw\x 'é"#));
        assert_eq!(line(password), r#"password "Auth" "bad\"pw\\x 'é""#);
        assert_eq!(line(Answer::username("Auth", "CORP\\ada")), r#"username "Auth" "CORP\\ada""#);
        assert_eq!(
            line(Answer::password("Private Key", &secret(""))),
            r#"password "Private Key" """#
        );
    }

    #[test]
    fn a_code_travels_in_each_of_its_ways() {
        let (password, code) = (secret("secret"), secret("123456"));
        assert_eq!(
            line(Answer::with_code("Auth", &password, &code)),
            r#"password "Auth" "SCRV1:c2VjcmV0:MTIzNDU2""#
        );
        assert_eq!(
            line(Answer::appended("Auth", &password, &code)),
            r#"password "Auth" "secret123456""#
        );
        let challenge = Dynamic {
            respond: true,
            echo: false,
            state_id: "STATE1".into(),
            user: "ada".into(),
            text: "Code".into(),
        };
        assert_eq!(
            line(Answer::challenged("Auth", &challenge, &code)),
            r#"password "Auth" "CRV1::STATE1::123456""#
        );
        assert_eq!(line(Answer::response(&code)), r#"cr-response "MTIzNDU2""#);
        assert_eq!(
            line(Answer::with_code("Auth", &secret(""), &secret("1"))),
            r#"password "Auth" "SCRV1::MQ==""#
        );
    }

    #[test]
    fn what_would_become_another_command_or_be_repeated_in_the_log_is_refused() {
        for text in ["a\nsignal SIGTERM", "a\rb", "a\0b"] {
            let refused = Answer::password("Auth", &secret(text)).err();
            assert_eq!(refused, Some(Unsayable::LineBreak), "{text:?}");
        }
        let long = "x".repeat(LONGEST_PARAMETER);
        assert!(Answer::password("Auth", &secret(&long)).is_ok());
        let refused = Answer::password("Auth", &secret(&(long.clone() + "x"))).err();
        assert_eq!(refused, Some(Unsayable::TooLong));
        // In base64 it is longer.
        let refused = Answer::with_code("Auth", &secret(&long), &secret("1")).err();
        assert_eq!(refused, Some(Unsayable::TooLong));
    }

    #[test]
    fn an_answer_shows_its_command_alone() {
        let answer = Answer::password("Auth", &secret("hunter2")).expect("short");
        assert_eq!(format!("{answer:?}"), "password …");
        assert_eq!(format!("{:?}", Answer::state_on()), "state on");
    }
}
