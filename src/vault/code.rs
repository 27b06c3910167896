//! Ways in by a code of 160 random bits: the recovery kit, an invitation, the
//! enrolment of another computer. Such a code needs no stretching and no second
//! factor; it is typed with a checksum, so a slip is told from a wrong code.

use std::sync::LazyLock;

use data_encoding::{Encoding, Specification};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::crypto::Random;
use crate::crypto::aead::{self, OpenError, SALT};
use crate::crypto::context::context;
use crate::crypto::keys;
use crate::model::id::{MemberId, SlotId, VaultId};
use crate::secret::{Key32, SecretBytes, SecretText};

use super::slot::{Kind, Params, SlotRow};

/// Bytes of a code.
pub const CODE: usize = 20;
/// Symbols of a printed code: 32 of the code and 4 of its checksum.
const SYMBOLS: usize = 36;

/// Crockford's base32: no I, L, O, U.
static CROCKFORD: LazyLock<Encoding> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    spec.encoding().expect("32 different symbols are an encoding")
});

/// A fresh code.
pub fn draw(random: &mut Random<'_>) -> SecretBytes {
    let mut code = Zeroizing::new(vec![0; CODE]);
    random(&mut code);
    SecretBytes::new(std::mem::take(&mut *code))
}

/// Nine groups of four, such as `7ZQ4-0M2K-…`; the last group is the checksum,
/// which also says what kind of code it is.
///
/// # Panics
/// `code` has not 20 bytes.
pub fn print(kind: Kind, code: &SecretBytes) -> SecretText {
    let symbols = code.expose(|c| symbols(kind, c));
    let mut out = String::with_capacity(SYMBOLS + 8);
    for (i, symbol) in symbols.chars().enumerate() {
        if i > 0 && i % 4 == 0 {
            out.push('-');
        }
        out.push(symbol);
    }
    SecretText::new(out)
}

fn symbols(kind: Kind, code: &[u8]) -> Zeroizing<String> {
    assert_eq!(code.len(), CODE, "a code has 20 bytes");
    let sum = Sha256::digest(context("code", &[&[kind.number()], code]));
    let mut bytes = Zeroizing::new([0; CODE + 3]);
    bytes[..CODE].copy_from_slice(code);
    bytes[CODE..].copy_from_slice(&sum[..3]);
    let mut out = Zeroizing::new(String::with_capacity(40));
    CROCKFORD.encode_append(&bytes[..], &mut out);
    out.truncate(SYMBOLS);
    out
}

/// Why what was typed is not such a code. Says nothing about the right one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// A sign that no code has.
    #[error("a sign that is neither a digit nor a letter of the code")]
    Sign,
    /// Too short or too long.
    #[error("a code has nine groups of four signs")]
    Length,
    /// A typing slip.
    #[error("the code was mistyped: its last group does not fit")]
    Checksum,
    /// A good code of another kind.
    #[error("a code for something else")]
    Other(Kind),
}

/// Reads a typed code: any case, with or without spaces and dashes, O for 0, I
/// and L for 1.
///
/// # Errors
/// [`CodeError`].
pub fn parse(kind: Kind, text: &str) -> Result<SecretBytes, CodeError> {
    let mut typed = Zeroizing::new(String::with_capacity(text.len()));
    for c in text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '_' | '.')) {
        typed.push(match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            c if c.is_ascii() && CROCKFORD.specification().symbols.contains(c) => c,
            _ => return Err(CodeError::Sign),
        });
    }
    if typed.len() != SYMBOLS {
        return Err(CodeError::Length);
    }
    let mut code = Zeroizing::new(vec![0; CODE]);
    CROCKFORD
        .decode_mut(&typed.as_bytes()[..32], &mut code)
        .expect("32 symbols of the alphabet are 20 bytes");
    let fits = |k| bool::from(symbols(k, &code).as_bytes().ct_eq(typed.as_bytes()));
    if fits(kind) {
        return Ok(SecretBytes::new(std::mem::take(&mut *code)));
    }
    let kinds = [Kind::Recovery, Kind::Invitation, Kind::Enrolment];
    Err(kinds.into_iter().find(|&k| fits(k)).map_or(CodeError::Checksum, CodeError::Other))
}

/// An opened code slot.
pub struct CodeOpened {
    /// The member's key; of an invitation, a provisional one.
    pub member_key: Key32,
    /// A key that only this code gives, for what is kept beside the slot: the
    /// first key of the audit ratchet under a recovery kit.
    pub side_key: Key32,
}

/// Makes a slot that `code` opens, and the side key of that code.
///
/// # Panics
/// `kind` is a login, or `code` has not 20 bytes.
#[inline(never)]
pub fn create(
    vault: &VaultId,
    slot: SlotId,
    kind: Kind,
    member: MemberId,
    code: &SecretBytes,
    member_key: &Key32,
    random: &mut Random<'_>,
) -> (SlotRow, Key32) {
    assert!(kind != Kind::Login && code.len() == CODE, "a slot opened by a code of 20 bytes");
    let mut salt = [0; 32];
    random(&mut salt);
    let params = Params { kind, salt, login: None }.print();
    let mut row = SlotRow { id: slot, member, tag: 0, params, wrap: Vec::new() };
    let kek = slot_key(vault, &row, code);
    let mut wrap_salt = [0; SALT];
    random(&mut wrap_salt);
    let ctx = row.context(vault);
    row.wrap = member_key.expose(|mk| aead::seal(&kek, &ctx, &wrap_salt, mk));
    let side = keys::sub(&kek, keys::name::SIDE, 0);
    (row, side)
}

/// Opens a slot by its code. Cheap: try every slot of that kind.
///
/// # Errors
/// [`OpenError`]: another code, or another kind of slot.
#[inline(never)]
pub fn open(
    vault: &VaultId,
    row: &SlotRow,
    kind: Kind,
    code: &SecretBytes,
) -> Result<CodeOpened, OpenError> {
    let params = Params::parse(&row.params).map_err(|_| OpenError)?;
    if params.kind != kind || kind == Kind::Login || code.len() != CODE {
        return Err(OpenError);
    }
    let kek = slot_key(vault, row, code);
    let plain = aead::open(&kek, &row.context(vault), &row.wrap)?;
    let member_key = plain.expose(Key32::copy_of).ok_or(OpenError)?;
    Ok(CodeOpened { member_key, side_key: keys::sub(&kek, keys::name::SIDE, 0) })
}

fn slot_key(vault: &VaultId, row: &SlotRow, code: &SecretBytes) -> Key32 {
    code.expose(|stretched| {
        let factors = keys::Factors { stretched, ..Default::default() };
        keys::kek(&vault.0, &row.id.0, factors, &row.params)
    })
}
