//! The three hashes of the log and how they are written. Nothing else in the
//! log hashes anything.

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Length of a [`Hash`] in base64 with padding.
pub const BASE64_LEN: usize = 44;

const FIELD_LABEL: &[u8] = b"poterne/v1 audit field\0";

/// `SHA-256(parts[0] ‖ parts[1] ‖ …)`.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// `SHA-256(0x00 ‖ leaf)` (RFC 6962 section 2.1).
pub fn leaf(leaf: &[u8]) -> Hash {
    sha256(&[&[0], leaf])
}

/// `SHA-256(0x01 ‖ left ‖ right)` (RFC 6962 section 2.1).
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1u8; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    sha256(&[&bytes])
}

/// `SHA-256("poterne/v1 audit field\0" ‖ name ‖ 0x00 ‖ salt ‖ value)`. The salt
/// keeps a short value from being guessed from its commitment.
pub fn commitment(name: &str, salt: &[u8; 16], value: &str) -> Hash {
    sha256(&[FIELD_LABEL, name.as_bytes(), &[0], salt, value.as_bytes()])
}

/// Standard base64 with padding (RFC 4648 section 4).
pub fn base64(hash: &Hash) -> String {
    BASE64.encode(hash)
}

/// Reads what [`base64`] prints, and nothing else.
pub fn from_base64(text: &[u8]) -> Option<Hash> {
    let mut out = [0; 33];
    if text.len() != BASE64_LEN || BASE64.decode_mut(text, &mut out) != Ok(32) {
        return None;
    }
    out[..32].try_into().ok()
}

/// Lower-case hexadecimal.
pub fn hex(hash: &Hash) -> String {
    data_encoding::HEXLOWER.encode(hash)
}
