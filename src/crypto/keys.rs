//! Every derived key and its label, on one page. Derives; never stores or draws.

use hkdf::{Hkdf, InvalidLength};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

use super::aead::expander;
use super::context::push_lp;
use crate::secret::Key32;

/// Names of the keys that [`sub`] derives. One name, one use.
pub mod name {
    /// From a device key: a slot's day tables. From a member key: its head.
    pub const OTP: &str = "otp";
    /// From a member key: the member's identity and key ring.
    pub const PRIVATE: &str = "private";
    /// From the key of a code slot: what is kept beside the slot.
    pub const SIDE: &str = "side";
    /// From a vault key: the state row.
    pub const STATE: &str = "state";
    /// From a vault key: the MAC over the set of rows.
    pub const SET: &str = "set";
    /// From a vault key: what members may know of each other.
    pub const CARD: &str = "card";
    /// From a vault key: the audit ratchet.
    pub const AUDIT: &str = "audit";
    /// From a vault key: the keys of sessions for their late lines, and from it
    /// each of them by the session's id.
    pub const LATE: &str = "late";
    /// From a client key: sealed rows.
    pub const CELL: &str = "cell";
    /// From a client key: the packed index.
    pub const INDEX: &str = "index";
}

/// `SUB(K, name, gen) = HKDF-Expand-SHA-512(K, "poterne/v1 sub" ‖ lp(name) ‖ u32 gen, 32)`.
#[inline(never)]
pub fn sub(key: &Key32, name: &str, generation: u32) -> Key32 {
    let mut info = b"poterne/v1 sub".to_vec();
    push_lp(&mut info, name.as_bytes());
    info.extend_from_slice(&generation.to_be_bytes());
    expand(key, &info)
}

/// The next key of the audit ratchet:
/// `A_{n+1} = HKDF-Expand-SHA-512(A_n, "poterne/v1 audit ratchet", 32)`.
#[inline(never)]
pub fn ratchet(key: &Key32) -> Key32 {
    expand(key, b"poterne/v1 audit ratchet")
}

fn expand(key: &Key32, info: &[u8]) -> Key32 {
    Key32::filled(|out| {
        expander(key).expand(info, out).expect("32 bytes are within HKDF's limit");
    })
}

/// What a slot's key is made of besides the vault, the slot and its
/// parameters. An absent factor is the empty string.
#[derive(Clone, Copy, Default)]
pub struct Factors<'a> {
    /// Argon2id output of a login, or the 20 bytes of a one-time or recovery code.
    pub stretched: &'a [u8],
    /// Device key.
    pub device: &'a [u8],
    /// SHA-512 of a key file.
    pub key_file: &'a [u8],
    /// Answer of a hardware token.
    pub token: &'a [u8],
    /// Share held by a server.
    pub share: &'a [u8],
}

/// Key that a slot's wrap is sealed with:
///
/// ```text
/// PRK = HKDF-Extract-SHA-512(salt = vault_id ‖ slot_id,
///       ikm = lp(stretched) ‖ lp(device) ‖ lp(SHA-512(key file)) ‖ lp(token) ‖ lp(share))
/// KEK = HKDF-Expand-SHA-512(PRK, "poterne/v1 kek" ‖ SHA-512(params), 32)
/// ```
#[inline(never)]
pub fn kek(vault: &[u8; 16], slot: &[u8; 16], factors: Factors<'_>, params: &[u8]) -> Key32 {
    let Factors { stretched, device, key_file, token, share } = factors;
    let parts = [stretched, device, key_file, token, share];
    let bytes = parts.iter().map(|p| 4 + p.len()).sum();
    let mut ikm = Zeroizing::new(Vec::with_capacity(bytes));
    parts.iter().for_each(|part| push_lp(&mut ikm, part));

    let mut salt = [0u8; 32];
    salt[..16].copy_from_slice(vault);
    salt[16..].copy_from_slice(slot);
    Key32::filled(|out| {
        hkdf(&salt, &ikm, &[b"poterne/v1 kek", &Sha512::digest(params)], out)
            .expect("32 bytes are within HKDF's limit");
    })
}

/// HKDF (RFC 5869) with SHA-512; `info` in parts.
///
/// # Errors
/// `out` is longer than 255 hashes.
pub fn hkdf(salt: &[u8], ikm: &[u8], info: &[&[u8]], out: &mut [u8]) -> Result<(), InvalidLength> {
    Hkdf::<Sha512>::new(Some(salt), ikm).expand_multi_info(info, out)
}
