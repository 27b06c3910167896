//! The bytes a member signs to give, change or take a role. Text, one fact a
//! line, so that it can be rebuilt in any language.

use super::hash;
use crate::model::id::{MemberId, VaultId};
use crate::model::member::Role;
use crate::model::time::Time;

/// An Ed25519 public key.
pub type PublicKey = [u8; 32];
/// An Ed25519 signature.
pub type Signature = [u8; 64];
/// Signs with a member's key, which stays with the caller.
pub type Signer<'a> = &'a dyn Fn(&[u8]) -> Signature;

/// Word for "no longer a member" where a role is expected.
pub const REMOVED: &str = "removed";

/// Says that from the line of time `at` on, member `id` has `role` (`None`:
/// removed) and signs with `pk`; `by` is who says so.
///
/// ```text
/// poterne/v1 member
/// 000102030405060708090a0b0c0d0e0f
/// 101112131415161718191a1b1c1d1e1f
/// technician
/// 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
/// 202122232425262728292a2b2c2d2e2f
/// 2026-11-23T21:04:05.000000Z
/// ```
///
/// Every line, the last too, ends in a line feed.
pub fn member(
    vault: VaultId,
    id: MemberId,
    role: Option<Role>,
    pk: &PublicKey,
    by: MemberId,
    at: Time,
) -> Vec<u8> {
    let role = role.map_or(REMOVED, Role::word);
    let pk = hash::base64(pk);
    format!("poterne/v1 member\n{vault}\n{id}\n{role}\n{pk}\n{by}\n{at}\n").into_bytes()
}

/// Whether `signature` is one of `pk` over `message`; refuses malleable forms
/// and weak keys.
pub fn verify(pk: &PublicKey, message: &[u8], signature: &Signature) -> bool {
    crate::crypto::sign::verify(pk, message, signature).is_ok()
}
