//! A secret on its way to a program: taken from the lease or typed by the person, and
//! put into the words that the program reads. In blocks that are wiped.

use super::Escape;
use super::fail;
use super::run::Way;
use super::template::Part;
use crate::connect::host::child::Uplink;
use crate::connect::{Failure, FailureKind, Question};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Hop;
use crate::secret::{SecretBytes, SecretText};

/// A secret of the entry, or what the person types in its place.
pub(super) fn secret_of(
    way: &Way,
    index: usize,
    hop: &Hop,
    up: &Uplink,
) -> Result<Option<SecretBytes>, Failure> {
    if way.slot == Slot::Totp {
        return Ok(up.totp(index).map(SecretText::into_bytes));
    }
    let stored = match hop.slots.contains(&way.slot) {
        true => up.secret(index, &way.slot),
        false => None,
    };
    if stored.is_some() || !way.ask {
        return Ok(stored);
    }
    let (user, at) = (hop.user.clone(), hop.at.clone());
    let typed = up.ask_text(Question::Password { user, at, again: false });
    typed.map(|text| Some(text.into_bytes())).ok_or_else(given_up)
}

pub(super) fn given_up() -> Failure {
    Failure {
        kind: FailureKind::Cancelled,
        what: Bi::new("Aucun mot de passe n’a été donné.", "No password was given."),
        todo: Bi::new(
            "Enregistrez-le dans l’accès, ou tapez-le quand il est demandé.",
            "Store it in the entry, or type it when it is asked for.",
        ),
    }
}

/// What a pipe carries, in one block that is wiped.
pub(super) fn content(parts: &[Part], escape: Escape, secret: &[u8]) -> SecretBytes {
    let text: usize = parts.iter().map(|p| if let Part::Text(t) = p { t.len() } else { 0 }).sum();
    let mut out = Vec::with_capacity(text + 2 * secret.len() * parts.len());
    for part in parts {
        match part {
            Part::Text(text) => out.extend_from_slice(text.as_bytes()),
            Part::Secret => {
                for byte in secret {
                    if escape == Escape::Backslash && matches!(byte, b'"' | b'\\') {
                        out.push(b'\\');
                    }
                    out.push(*byte);
                }
            }
        }
    }
    SecretBytes::new(out)
}

/// Without one line end, and with none inside.
pub(super) fn one_line(secret: &SecretBytes, slot: &Slot) -> Result<SecretBytes, Failure> {
    secret.expose(|bytes| {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        match bytes.iter().any(|byte| matches!(byte, b'\n' | b'\r' | 0)) {
            true => Err(fail::secret_of_lines(&slot.to_string())),
            false => Ok(SecretBytes::copy_of(bytes)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn carried(parts: &[Part], escape: Escape, secret: &str) -> String {
        content(parts, escape, secret.as_bytes())
            .expose(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    #[test]
    fn a_pipe_carries_the_words_and_the_secret_between_them() {
        let parts = [Part::Text(r#"p=""#.into()), Part::Secret, Part::Text(r#"";"#.into())];
        assert_eq!(carried(&parts, Escape::None, r#"a"b"#), r#"p="a"b";"#);
        assert_eq!(carried(&parts, Escape::Backslash, r#"a"\b"#), r#"p="a\"\\b";"#);
    }

    #[test]
    fn only_one_line_is_a_line() {
        let line = |text: &str| {
            let secret = SecretBytes::copy_of(text.as_bytes());
            let read = one_line(&secret, &Slot::Password).ok()?;
            Some(read.expose(|bytes| String::from_utf8_lossy(bytes).into_owned()))
        };
        assert_eq!(line("pass\r\n").as_deref(), Some("pass"));
        assert_eq!(line(" blanks stay ").as_deref(), Some(" blanks stay "));
        assert_eq!((line("a\nb"), line("a\0b"), line("a\n\n")), (None, None, None));
    }
}
