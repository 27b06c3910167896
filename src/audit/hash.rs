//! The three hashes of the log and how they are written. Nothing else in the
//! log hashes anything.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use data_encoding::BASE64;
use sha2::block_api::compress256;

/// A SHA-256 value.
pub type Hash = [u8; 32];

/// Length of a [`Hash`] in base64 with padding.
pub const BASE64_LEN: usize = 44;

/// FIPS 180-4 section 5.3.3.
const INITIAL: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];
/// Bytes of a short text, padding included: two blocks hold most values.
const SHORT: usize = 128;

/// `SHA-256(parts[0] ‖ parts[1] ‖ …)`, in one go: a log is mostly short texts, and
/// what a hasher with a state of its own does around them would cost as much.
pub fn sha256(parts: &[&[u8]]) -> Hash {
    let total = parts.iter().map(|part| part.len()).sum::<usize>();
    if total + 9 <= SHORT {
        let mut block = [0; SHORT];
        let mut used = 0;
        for part in parts {
            block[used..used + part.len()].copy_from_slice(part);
            used += part.len();
        }
        return finish(INITIAL, block, used, total);
    }
    let mut state = INITIAL;
    let (mut block, mut used) = ([0; SHORT], 0);
    for part in parts {
        let mut rest = *part;
        if used > 0 {
            let (now, later) = rest.split_at(rest.len().min(64 - used));
            block[used..used + now.len()].copy_from_slice(now);
            (used, rest) = (used + now.len(), later);
            if used < 64 {
                continue;
            }
            compress256(&mut state, &block.as_chunks().0[..1]);
        }
        // Whole blocks are hashed where they lie.
        let (whole, tail) = rest.as_chunks();
        compress256(&mut state, whole);
        block[..tail.len()].copy_from_slice(tail);
        used = tail.len();
    }
    finish(state, block, used, total)
}

/// Pads the `used` bytes of `block`, of `total` in all, and ends the hash.
#[inline]
fn finish(mut state: [u32; 8], mut block: [u8; SHORT], used: usize, total: usize) -> Hash {
    let end = (used + 9).next_multiple_of(64);
    block[used] = 0x80;
    block[used + 1..end - 8].fill(0);
    block[end - 8..end].copy_from_slice(&(8 * total as u64).to_be_bytes());
    compress256(&mut state, block[..end].as_chunks().0);
    let mut out = [0; 32];
    for (out, word) in out.as_chunks_mut::<4>().0.iter_mut().zip(state) {
        *out = word.to_be_bytes();
    }
    out
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

/// `SHA-256(0x02 ‖ name ‖ 0x00 ‖ salt ‖ value)`. The salt keeps a short value from
/// being guessed from its commitment; the first byte keeps it apart from leaves and
/// nodes, and is one byte so that most values need one block.
pub fn commitment(name: &str, salt: &[u8; 16], value: &str) -> Hash {
    sha256(&[&[2], name.as_bytes(), &[0], salt, value.as_bytes()])
}

/// Standard base64 with padding (RFC 4648 section 4).
pub fn base64(hash: &Hash) -> String {
    BASE64.encode(hash)
}

/// As [`base64`], without a text of its own, and twice as fast: it is asked for
/// each value of each line.
pub fn base64_text(hash: &Hash) -> [u8; BASE64_LEN] {
    let mut text = [0; BASE64_LEN];
    STANDARD.encode_slice(hash, &mut text).expect("32 bytes become 44");
    text
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

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_hash_is_sha_256_at_every_length_and_split() {
        let bytes: Vec<u8> = (0..700u32).map(|i| (i * 7 % 251) as u8).collect();
        for length in 0..bytes.len() {
            let whole = &bytes[..length];
            let expected: Hash = Sha256::digest(whole).into();
            let (first, second) = whole.split_at(length / 3);
            assert_eq!(sha256(&[whole]), expected, "{length}");
            assert_eq!(sha256(&[first, &[], second]), expected, "{length}");
        }
    }
}
