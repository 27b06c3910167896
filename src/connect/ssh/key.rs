//! The private key of an entry, checked before an engine sees it, because
//! libssh2 has one error for a wrong passphrase, a missing one and rubbish.

use russh::keys::ssh_key::{self, LineEnding, PrivateKey};
use russh::keys::{Error, decode_secret_key};
use zeroize::Zeroizing;

use super::auth::TRIES;
use super::keycost::bearable;
use super::route::Leg;
use super::{fail, openssl};
use crate::connect::{Failure, Question};
use crate::model::entry::Slot;
use crate::secret::{SecretBytes, SecretText};

/// A key that an engine can use.
pub struct Ready {
    /// The key: OpenSSH without passphrase, or as imported where that has no form
    /// for it.
    pub text: SecretText,
    /// The passphrase, in the second case.
    pub passphrase: Option<SecretText>,
    /// The decoded key, in the first case.
    pub decoded: Option<PrivateKey>,
}

/// How the text is protected, as far as its outside tells.
#[derive(PartialEq)]
enum Guard {
    None,
    /// Encrypted, and decoded here: an error means a wrong passphrase.
    Known,
    /// Encrypted in a way only OpenSSL knows.
    Foreign,
}

/// A hop's key for this login name. A passphrase that the entry lacks is typed.
///
/// # Errors
/// As [`ready`].
pub fn of(leg: &Leg<'_>, user: &str, key: SecretBytes) -> Result<Ready, Failure> {
    let ask = |again| {
        let (user, at) = (user.to_owned(), leg.hop.at.clone());
        leg.up.ask_text(Question::Passphrase { user, at, again })
    };
    ready(key, || passphrase(leg), ask)
}

/// Reads the key, with its passphrase if it has one: the `stored` one, else what `ask`
/// gives, who hears whether that was asked before.
///
/// # Errors
/// The passphrase is missing or wrong, or the key cannot be read, or asks for
/// absurd time or memory.
pub fn ready(
    key: SecretBytes,
    stored: impl FnOnce() -> Option<SecretText>,
    ask: impl Fn(bool) -> Option<SecretText>,
) -> Result<Ready, Failure> {
    let text = key.into_text().map_err(|_| fail::key_unreadable())?;
    if !text.expose(bearable) {
        return Err(fail::key_too_costly());
    }
    let guard = text.expose(guard);
    if guard == Guard::None {
        return match text.expose(|t| decode_secret_key(t, None)) {
            Ok(key) => plain(key),
            // DSA is left to libssh2.
            Err(_) if text.expose(|t| t.contains("-----BEGIN ")) => match foreign(&text, None) {
                Foreign::Key(key) => plain(*key),
                Foreign::Unread | Foreign::Other => {
                    Ok(Ready { text, passphrase: None, decoded: None })
                }
            },
            Err(_) => Err(fail::key_unreadable()),
        };
    }
    if let Some(stored) = stored().filter(|stored| !stored.is_empty()) {
        return match unlocked(&text, &guard, &stored) {
            Unlocked::Key(key) => plain(*key),
            Unlocked::Elsewhere => Ok(Ready { text, passphrase: Some(stored), decoded: None }),
            Unlocked::Wrong => Err(fail::passphrase_wrong()),
        };
    }
    for nth in 0..TRIES {
        let again = nth > 0;
        let Some(typed) = ask(again).filter(|typed| !typed.is_empty()) else {
            return Err(if again { fail::passphrase_wrong() } else { fail::passphrase_missing() });
        };
        match unlocked(&text, &guard, &typed) {
            Unlocked::Key(key) => return plain(*key),
            Unlocked::Elsewhere => {
                return Ok(Ready { text, passphrase: Some(typed), decoded: None });
            }
            Unlocked::Wrong => {}
        }
    }
    Err(fail::passphrase_wrong())
}

/// What a passphrase makes of an encrypted key.
enum Unlocked {
    Key(Box<PrivateKey>),
    /// It is left to libssh2.
    Elsewhere,
    Wrong,
}

fn unlocked(text: &SecretText, guard: &Guard, phrase: &SecretText) -> Unlocked {
    match phrase.expose(|p| text.expose(|t| decode_secret_key(t, Some(p)))) {
        Ok(key) => Unlocked::Key(Box::new(key)),
        Err(_) if *guard == Guard::Foreign => match foreign(text, Some(phrase)) {
            Foreign::Key(key) => Unlocked::Key(key),
            Foreign::Unread if cfg!(unix) => Unlocked::Wrong,
            Foreign::Unread | Foreign::Other => Unlocked::Elsewhere,
        },
        // The passphrase fits, or its check would have said so: a P-256 key that begins
        // with a zero byte, which one in 256 does, is not read here, but by libssh2.
        Err(Error::SshKey(e)) if text.expose(is_openssh) && e != ssh_key::Error::Crypto => {
            Unlocked::Elsewhere
        }
        Err(_) => Unlocked::Wrong,
    }
}

/// What became of a key in a form that only OpenSSL reads.
enum Foreign {
    Key(Box<PrivateKey>),
    /// It was read, but is of no kind that OpenSSH has a form for here: DSA.
    Other,
    Unread,
}

fn foreign(text: &SecretText, phrase: Option<&SecretText>) -> Foreign {
    match text.expose(|t| openssl::pkcs8(t, phrase)) {
        Some(pem) => {
            decode_secret_key(&pem, None).map_or(Foreign::Other, |key| Foreign::Key(Box::new(key)))
        }
        None => Foreign::Unread,
    }
}

/// The passphrase of a hop's key, if the entry has one.
fn passphrase(leg: &Leg<'_>) -> Option<SecretText> {
    leg.hop.slots.contains(&Slot::Passphrase).then_some(())?;
    leg.up.secret(leg.index, &Slot::Passphrase)?.into_text().ok()
}

/// Written again without passphrase, so that the slow derivation of the key
/// from the passphrase runs once and not again in each library.
fn plain(key: PrivateKey) -> Result<Ready, Failure> {
    let text: Zeroizing<String> =
        key.to_openssh(LineEnding::LF).map_err(|_| fail::key_unreadable())?;
    Ok(Ready { text: SecretText::copy_of(&text), passphrase: None, decoded: Some(key) })
}

fn is_openssh(text: &str) -> bool {
    text.contains("-----BEGIN OPENSSH PRIVATE KEY-----")
}

fn guard(text: &str) -> Guard {
    if is_openssh(text) {
        return match PrivateKey::from_openssh(text.trim_start()) {
            Ok(key) if key.is_encrypted() => Guard::Known,
            _ => Guard::None,
        };
    }
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Guard::Foreign;
    }
    if text.contains("Proc-Type: 4,ENCRYPTED") {
        let rsa = text.contains("-----BEGIN RSA PRIVATE KEY-----");
        let known = rsa && text.contains("DEK-Info: AES-128-CBC,");
        return if known { Guard::Known } else { Guard::Foreign };
    }
    let ppk = text.trim_start().starts_with("PuTTY-User-Key-File-");
    if ppk && !text.contains("Encryption: none") { Guard::Known } else { Guard::None }
}
