//! A line as the vault keeps it: about half as long as its text, and giving exactly
//! that text back. What is hashed, signed and exported is the text; nothing
//! outside the vault's rows is ever packed.

use super::hash::{self, Hash};
use super::{line, scan};
use crate::model::audit_event::field;
use crate::model::time::Time;

/// The text follows as it is.
const TEXT: u8 = 0;
/// A line without public facts whose fields are all in [`FIELDS`].
const PLAIN: u8 = 1;
/// Set in the second byte when the line names an actor.
const ACTOR: u8 = 1;
/// Set there when the line says that the act succeeded.
const OK: u8 = 2;

/// Numbers of the fields. Part of the vault's format: append only.
const FIELDS: [&str; 25] = [
    field::BYTES_IN,
    field::BYTES_OUT,
    field::CLIENT,
    field::CONNECTOR,
    field::COUNT,
    field::DETAIL,
    field::DURATION_MS,
    field::ENTRY,
    field::ENTRY_ID,
    field::EXIT,
    field::FILE,
    field::HOPS,
    field::HOST,
    field::HOST_KEY,
    field::MACHINE,
    field::MEMBER,
    field::PORT,
    field::REASON,
    field::REMOTE_USER,
    field::ROLE,
    field::RULE,
    field::SESSION,
    field::SLOT,
    field::SUBJECT,
    field::TICKET,
];

/// Packs line `seq`. Whatever is not of the plain shape is kept as it is, so that
/// [`unpack`] gives back any bytes:
///
/// ```text
/// 0x00 ‖ text
/// 0x01 ‖ flags ‖ i64 time µs ‖ actor16 if flag 1 ‖ prev32 ‖ u8 length ‖ event
///      ‖ (u8 number of the field ‖ commitment32)*
/// ```
pub fn pack(leaf: &[u8], seq: u64) -> Vec<u8> {
    let mut again = Vec::new();
    if let Some(packed) = plain(leaf)
        && unpack(&packed, seq, &mut again).is_some()
        && again == leaf
    {
        return packed;
    }
    [&[TEXT], leaf].concat()
}

fn plain(leaf: &[u8]) -> Option<Vec<u8>> {
    let head = scan::head(leaf)?;
    let mut out = Vec::with_capacity(512);
    let flags = if head.actor.is_some() { ACTOR } else { 0 } | if head.ok { OK } else { 0 };
    out.extend([PLAIN, flags]);
    out.extend(Time::of_text(head.time)?.0.to_be_bytes());
    if let Some(actor) = head.actor {
        out.extend(line::member_id(actor)?.0);
    }
    out.extend(hash::from_base64(head.prev)?);
    out.push(u8::try_from(head.event.len()).ok()?);
    out.extend(head.event.as_bytes());
    let (mut rest, mut first) = (head.rest, true);
    while let Ok((name, value, after)) = scan::member(rest, first)? {
        out.push(FIELDS.iter().position(|known| *known == name)? as u8);
        out.extend(hash::from_base64(value)?);
        (rest, first) = (after, false);
    }
    Some(out)
}

/// The text of what [`pack`] made of line `seq`, into `out`, which is emptied
/// first; `None` for bytes that it never makes.
pub fn unpack(packed: &[u8], seq: u64, out: &mut Vec<u8>) -> Option<()> {
    out.clear();
    match packed.split_first()? {
        (&TEXT, text) => out.extend_from_slice(text),
        (&PLAIN, rest) => Plain::read(rest)?.print(seq, out)?,
        _ => return None,
    }
    Some(())
}

/// A line without public facts, its values hidden.
pub struct Plain<'a> {
    /// When.
    pub at: Time,
    /// Who.
    pub actor: Option<&'a [u8; 16]>,
    /// What, as the line has it.
    pub event: &'a str,
    /// Whether it succeeded.
    pub ok: bool,
    prev: &'a Hash,
    commitments: &'a [[u8; 33]],
}

impl<'a> Plain<'a> {
    /// Reads a packed line; `None` also for one that is kept as text.
    pub fn of(packed: &'a [u8]) -> Option<Self> {
        packed.strip_prefix(&[PLAIN]).and_then(Self::read)
    }

    fn read(rest: &'a [u8]) -> Option<Self> {
        let (&flags, rest) = rest.split_first()?;
        let (time, mut rest) = rest.split_first_chunk()?;
        let mut actor = None;
        if flags & ACTOR != 0 {
            let (id, after) = rest.split_first_chunk()?;
            (actor, rest) = (Some(id), after);
        }
        let (prev, rest) = rest.split_first_chunk()?;
        let (&length, rest) = rest.split_first()?;
        let (event, rest) = rest.split_at_checked(usize::from(length))?;
        let (commitments, []) = rest.as_chunks() else { return None };
        (flags & !(ACTOR | OK) == 0).then_some(Self {
            at: Time(i64::from_be_bytes(*time)),
            actor,
            event: std::str::from_utf8(event).ok()?,
            ok: flags & OK != 0,
            prev,
            commitments,
        })
    }

    /// Names of the fields, in the line's order, and commitments.
    pub fn commitments(&self) -> impl ExactSizeIterator<Item = (&'static str, &'a Hash)> {
        self.commitments.iter().map(|packed| {
            let (number, commitment) = packed.split_first_chunk::<1>().expect("33 bytes");
            let name = FIELDS.get(usize::from(number[0])).copied().unwrap_or_default();
            (name, commitment.try_into().expect("32 bytes"))
        })
    }

    fn print(&self, seq: u64, out: &mut Vec<u8>) -> Option<()> {
        let at = self.at.text()?;
        line::print_head(out, seq, &at, self.actor, self.event, self.ok, self.prev);
        for (n, (name, commitment)) in self.commitments().enumerate() {
            if name.is_empty() {
                return None;
            }
            out.extend_from_slice(if n == 0 { b"\"" } else { b",\"" });
            out.extend_from_slice(name.as_bytes());
            let mut value = [b'"'; 48];
            value[..3].copy_from_slice(b"\":\"");
            value[3..47].copy_from_slice(&hash::base64_text(commitment));
            out.extend_from_slice(&value);
        }
        out.extend_from_slice(b"}}");
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_one_number() {
        for name in field::ALL.iter().chain(&[field::ENTRY_ID, field::RULE]) {
            assert_eq!(FIELDS.iter().filter(|known| *known == name).count(), 1, "{name}");
        }
    }
}
