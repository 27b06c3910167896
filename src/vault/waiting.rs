//! Lines that wait for the next unlock because nobody could append them when they
//! happened: refused unlocks, which anybody may seal and which prove nothing, and
//! the late lines of sessions that outlive a lock, which nobody seals who does not
//! hold the vault key. Neither takes the place of a line of the log.

use serde::{Deserialize, Serialize};

use crate::crypto::Random;
use crate::crypto::aead::{self, SALT};
use crate::crypto::context::context;
use crate::crypto::kem::{self, BadPublicKey, KemSecret};
use crate::crypto::keys;
use crate::model::audit_event::Event;
use crate::model::id::{MemberId, SessionId, VaultId};
use crate::model::time::Time;
use crate::secret::Key32;

use super::rows::HeaderRow;
use super::unlocked::{Unlocked, VaultError};

/// Refused unlocks that are kept at most; of further ones only the count is.
pub const REFUSED_MAX: u64 = 1000;
/// Bytes of a refused unlock before it is sealed.
const REFUSED_BYTES: usize = 256;
/// Bytes of a sealed refused unlock.
pub const REFUSED_SEALED: usize = REFUSED_BYTES + kem::OVERHEAD;
/// Bytes of the name and of the computer in a refused unlock at most.
const TEXT_MAX: usize = 120;
/// Bytes of a value in a late line at most.
const VALUE_MAX: usize = 16 * 1024;
/// Bytes of a sealed late line at most.
pub const LATE_SEALED_MAX: usize = 1024 * 1024;
/// Tells refused unlocks from anything else sealed to the same key.
const REFUSED_INFO: &[u8] = b"poterne/v1 refused unlock";
/// What a session may still do after the lock.
const LATE_EVENTS: [Event; 4] =
    [Event::SessionOpened, Event::SessionFailed, Event::SessionClosed, Event::HostKeyRefused];

/// Whether a session is over with this event.
pub fn ends_session(event: Event) -> bool {
    matches!(event, Event::SessionClosed | Event::SessionFailed)
}

/// The beginning of `text`, of at most `max` bytes.
fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// An unlock that was refused: when, what name was given, and on which computer.
/// Whoever can write the file can make one up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefusedUnlock {
    /// When, by the clock of that computer.
    pub at: Time,
    /// The name that was given; empty without one.
    pub member: String,
    /// The computer; empty without a name.
    pub machine: String,
}

impl RefusedUnlock {
    /// A refused unlock; names are cut at 120 bytes, control characters left out.
    pub fn new(at: Time, member: &str, machine: &str) -> Self {
        let tidy = |text: &str| {
            let plain: String = text.chars().filter(|c| !c.is_control()).collect();
            cut(&plain, TEXT_MAX).to_owned()
        };
        Self { at, member: tidy(member), machine: tidy(machine) }
    }

    /// Seals it for whoever unlocks next.
    ///
    /// # Errors
    /// The header's public key is not one.
    pub fn seal(
        &self,
        header: &HeaderRow,
        random: &mut Random<'_>,
    ) -> Result<Vec<u8>, BadPublicKey> {
        let mut plain = self.at.0.to_be_bytes().to_vec();
        for text in [&self.member, &self.machine] {
            let text = cut(text, TEXT_MAX);
            plain.push(text.len() as u8);
            plain.extend_from_slice(text.as_bytes());
        }
        plain.resize(REFUSED_BYTES, 0);
        kem::seal_to(&header.pending_pk, REFUSED_INFO, &header.vault.0, &plain, random)
    }

    /// Opens one; `None` when it is not as [`RefusedUnlock::seal`] makes it.
    pub fn open(secret: &KemSecret, vault: &VaultId, sealed: &[u8]) -> Option<Self> {
        let plain = secret.open(REFUSED_INFO, &vault.0, sealed).ok()?;
        plain.expose(Self::parse)
    }

    fn parse(plain: &[u8]) -> Option<Self> {
        fn text<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
            let (length, after) = rest.split_first()?;
            let (text, after) = after.split_at_checked(usize::from(*length))?;
            *rest = after;
            let text = std::str::from_utf8(text).ok()?;
            let tidy = text.len() <= TEXT_MAX && !text.chars().any(char::is_control);
            tidy.then_some(text)
        }
        let (at, mut rest) = plain.split_first_chunk()?;
        let at = Time(i64::from_be_bytes(*at));
        let (member, machine) = (text(&mut rest)?.to_owned(), text(&mut rest)?.to_owned());
        let whole = plain.len() == REFUSED_BYTES && rest.iter().all(|b| *b == 0);
        (whole && at.text().is_some()).then_some(Self { at, member, machine })
    }
}

/// What a session did after the lock.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LateLine {
    /// When.
    pub at: Time,
    /// One of the four that a session may still do.
    pub event: Event,
    /// False for refusals and failures.
    pub ok: bool,
    /// The values, by their names.
    pub fields: Vec<(String, String)>,
}

/// A late line that was opened: its process held the key of this session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TakenLine {
    /// Who opened the session; `None` when the vault key was replaced since, for
    /// then somebody who was removed may know the session's key.
    pub member: Option<MemberId>,
    /// What happened.
    pub line: LateLine,
}

/// What a process keeps of an open session to write late lines of it: no key of
/// the vault follows from it.
pub struct LateKey {
    session: SessionId,
    generation: u32,
    key: Key32,
    next: u64,
}

fn key_of(vault_key: &Key32, generation: u32, session: &SessionId) -> Key32 {
    let late = keys::sub(vault_key, keys::name::LATE, generation);
    keys::sub(&late, &session.to_string(), 0)
}

fn late_context(vault: &VaultId, session: &SessionId, number: u64, generation: u32) -> Vec<u8> {
    context("late", &[&vault.0, &session.0, &number.to_be_bytes(), &generation.to_be_bytes()])
}

impl LateKey {
    /// The key of a session under a vault key; its first late line is number 0.
    pub fn of(vault_key: &Key32, generation: u32, session: SessionId) -> Self {
        let key = key_of(vault_key, generation, &session);
        Self { session, generation, key, next: 0 }
    }

    /// Seals the session's next late line:
    /// `session ‖ u64 number ‖ u32 generation ‖ SEAL_PADDED(key, context, postcard of the line)`.
    pub fn seal(&mut self, vault: &VaultId, mut line: LateLine, salt: &[u8; SALT]) -> Vec<u8> {
        for (_, value) in &mut line.fields {
            value.truncate(value.floor_char_boundary(VALUE_MAX));
        }
        let plain = postcard::to_stdvec(&line).expect("plain data serialises");
        let ctx = late_context(vault, &self.session, self.next, self.generation);
        let mut out = self.session.0.to_vec();
        out.extend_from_slice(&self.next.to_be_bytes());
        out.extend_from_slice(&self.generation.to_be_bytes());
        out.extend(aead::seal_padded(&self.key, &ctx, salt, &plain));
        self.next += 1;
        out
    }
}

impl Unlocked {
    /// The key for late lines of a session, under the present vault key.
    ///
    /// # Errors
    /// The ring lacks the vault key.
    pub fn late_key(&self, session: SessionId) -> Result<LateKey, VaultError> {
        Ok(LateKey::of(self.vault_key()?, self.state.vault_gen, session))
    }

    /// Puts a session's key under the present vault key; its numbers go on.
    ///
    /// # Errors
    /// As [`Unlocked::late_key`].
    pub fn renew_late_key(&self, late: &mut LateKey) -> Result<(), VaultError> {
        *late = LateKey { next: late.next, ..self.late_key(late.session)? };
        Ok(())
    }

    /// Takes a late line, once: it must be of a session whose end is not in the
    /// log, sealed by who held that session's key, and newer than those taken.
    pub fn take_late(&mut self, sealed: &[u8]) -> Option<TakenLine> {
        let (id, rest) = sealed.split_first_chunk()?;
        let (number, rest) = rest.split_first_chunk()?;
        let (generation, rest) = rest.split_first_chunk()?;
        let (id, number) = (SessionId(*id), u64::from_be_bytes(*number));
        let generation = u32::from_be_bytes(*generation);
        let at = self.state.sessions.iter().position(|s| s.id == id && number >= s.next)?;
        let key = key_of(self.ring.vault_key(generation)?, generation, &id);
        let ctx = late_context(&self.header.vault, &id, number, generation);
        let plain = aead::open_padded(&key, &ctx, rest).ok()?;
        let line: LateLine = plain.expose(|p| postcard::from_bytes(p)).ok()?;
        if !LATE_EVENTS.contains(&line.event) {
            return None;
        }
        let session = &mut self.state.sessions[at];
        session.next = number.checked_add(1)?;
        let member = (generation == self.state.vault_gen).then_some(session.member);
        if ends_session(line.event) {
            self.state.sessions.remove(at);
        }
        Some(TakenLine { member, line })
    }
}
