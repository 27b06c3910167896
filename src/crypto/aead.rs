//! The one way a value is sealed: C2SP chunked-encryption "Cobblestone-256"
//! (<https://c2sp.org/chunked-encryption>): a single-use AES-256-GCM key per
//! message, committed to, and bound to the place where the value stands.
//! Never draws its own salt and never says why something does not open.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::secret::{Key32, SecretBytes};

/// Bytes of random salt in front of every sealed value. A salt never repeats
/// under one key; at 24 random bytes that needs no bookkeeping.
pub const SALT: usize = 24;
const COMMIT: usize = 32;
const HEAD: usize = SALT + COMMIT;
const TAG: usize = 16;
const CHUNK: usize = 16 * 1024;

/// What sealing adds to a value shorter than 16 KiB; each full 16 KiB adds 16 more.
pub const OVERHEAD: usize = HEAD + TAG;

/// Other key, other place, altered or cut: deliberately one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed data does not open")]
pub struct OpenError;

/// `SEAL(key, ctx, plaintext) = salt ‖ commitment ‖ chunks`.
#[inline(never)]
pub fn seal(key: &Key32, ctx: &[u8], salt: &[u8; SALT], plaintext: &[u8]) -> Vec<u8> {
    let message = Message::derive(key, ctx, salt);
    let mut out = Vec::with_capacity(sealed_len(plaintext.len()));
    out.extend_from_slice(salt);
    out.extend_from_slice(&message.derived[44..]);
    // The last chunk is always a short one, be it empty: that is the end mark.
    for number in 0..=plaintext.len() / CHUNK {
        let chunk = &plaintext[number * CHUNK..plaintext.len().min((number + 1) * CHUNK)];
        let start = out.len();
        out.extend_from_slice(chunk);
        let tag = message
            .cipher
            .encrypt_inout_detached(
                &message.nonce(number as u64),
                &[],
                InOutBuf::from(&mut out[start..]),
            )
            .expect("a chunk is far below the limit of AES-GCM");
        out.extend_from_slice(&tag);
    }
    out
}

/// Opens what [`seal`] made under the same key and context. The commitment is
/// compared, in constant time, before anything is decrypted.
///
/// # Errors
/// [`OpenError`], whatever the cause; nothing decrypted is kept.
#[inline(never)]
pub fn open(key: &Key32, ctx: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenError> {
    open_wiped(key, ctx, sealed).map(|mut plain| SecretBytes::new(std::mem::take(&mut *plain)))
}

fn open_wiped(key: &Key32, ctx: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let (salt, rest) = sealed.split_first_chunk::<SALT>().ok_or(OpenError)?;
    let (commit, body) = rest.split_first_chunk::<COMMIT>().ok_or(OpenError)?;
    let message = Message::derive(key, ctx, salt);
    if !bool::from(message.derived[44..].ct_eq(commit)) {
        return Err(OpenError);
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    let mut chunks = body.chunks(CHUNK + TAG);
    let full = body.len() / (CHUNK + TAG);
    for number in 0..=full {
        // A body of whole chunks only has lost its end.
        let (text, tag) =
            chunks.next().and_then(|chunk| chunk.split_last_chunk::<TAG>()).ok_or(OpenError)?;
        let start = plain.len();
        plain.extend_from_slice(text);
        message
            .cipher
            .decrypt_inout_detached(
                &message.nonce(number as u64),
                &[],
                InOutBuf::from(&mut plain[start..]),
                &Tag::from(*tag),
            )
            .map_err(|_| OpenError)?;
    }
    Ok(plain)
}

/// As [`seal`], with the length hidden: `u32 len ‖ data ‖ zeros` up to the
/// larger of 256 bytes and the Padmé length (at most 12 % more).
///
/// # Panics
/// `plaintext` has 4 GiB or more; attachments end at 10 MiB.
pub fn seal_padded(key: &Key32, ctx: &[u8], salt: &[u8; SALT], plaintext: &[u8]) -> Vec<u8> {
    let len = u32::try_from(plaintext.len()).expect("a sealed value is shorter than 4 GiB");
    let mut padded = Zeroizing::new(Vec::with_capacity(padded_len(plaintext.len())));
    padded.extend_from_slice(&len.to_be_bytes());
    padded.extend_from_slice(plaintext);
    padded.resize(padded_len(plaintext.len()), 0);
    seal(key, ctx, salt, &padded)
}

/// Opens what [`seal_padded`] made; padding other than it writes is refused.
///
/// # Errors
/// [`OpenError`], whatever the cause.
#[inline(never)]
pub fn open_padded(key: &Key32, ctx: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenError> {
    open_padded_wiped(key, ctx, sealed)
        .map(|mut plain| SecretBytes::new(std::mem::take(&mut *plain)))
}

/// As [`open_padded`], for what is large and no secret of its own.
///
/// # Errors
/// As there.
pub fn open_padded_wiped(
    key: &Key32,
    ctx: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    let mut plain = open_wiped(key, ctx, sealed)?;
    let (len, rest) = plain.split_first_chunk::<4>().ok_or(OpenError)?;
    let len = u32::from_be_bytes(*len) as usize;
    let sound = rest.get(len..).is_some_and(|zeros| zeros.iter().all(|&b| b == 0))
        && plain.len() == padded_len(len);
    if !sound {
        return Err(OpenError);
    }
    plain.copy_within(4..4 + len, 0);
    plain[len..].fill(0);
    plain.truncate(len);
    Ok(plain)
}

/// Length in bytes of `len` plaintext bytes once sealed without padding.
pub fn sealed_len(len: usize) -> usize {
    HEAD + len + TAG * (len / CHUNK + 1)
}

/// Padded length of `len` data bytes with their length in front.
/// Padmé: <https://arxiv.org/abs/1806.03160>, section 4.
fn padded_len(len: usize) -> usize {
    let total = len + 4;
    let exponent = total.ilog2();
    let mask = (1usize << (exponent - (exponent.max(1).ilog2() + 1).min(exponent))) - 1;
    ((total + mask) & !mask).max(256)
}

/// The single-use key material of one message.
struct Message {
    cipher: Box<Aes256Gcm>,
    /// key 32 ‖ base nonce 12 ‖ commitment 32; only the last two are kept.
    derived: Zeroizing<Box<[u8]>>,
}

impl Message {
    #[inline(never)]
    fn derive(key: &Key32, ctx: &[u8], salt: &[u8; SALT]) -> Self {
        let mut derived = Zeroizing::new(vec![0u8; 76].into_boxed_slice());
        expander(key)
            .expand_multi_info(
                &[b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0", salt, ctx],
                &mut derived[..],
            )
            .expect("76 bytes are within HKDF's limit");
        let key: &[u8; 32] = derived.first_chunk().expect("76 bytes hold 32");
        let cipher = Box::new(Aes256Gcm::new(key.into()));
        derived[..32].fill(0);
        Self { cipher, derived }
    }

    /// Base nonce XOR chunk number.
    fn nonce(&self, number: u64) -> Nonce<aes_gcm::aead::consts::U12> {
        let mut nonce = [0u8; 12];
        nonce.copy_from_slice(&self.derived[32..44]);
        for (n, c) in nonce[4..].iter_mut().zip(number.to_be_bytes()) {
            *n ^= c;
        }
        nonce.into()
    }
}

/// HKDF-Expand-SHA-512 keyed with 32 bytes. The crate wants a key of the
/// hash's length; zeros appended to an HMAC key shorter than a block change nothing.
pub(super) fn expander(key: &Key32) -> Hkdf<Sha512> {
    let mut prk = Zeroizing::new([0u8; 64]);
    key.expose(|k| prk[..32].copy_from_slice(k));
    Hkdf::from_prk(&prk[..]).expect("64 bytes are the length of SHA-512")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_256_at_least_and_never_over_12_percent_above() {
        assert_eq!(padded_len(0), 256);
        assert_eq!(padded_len(252), 256);
        for len in 253..100_000 {
            let padded = padded_len(len);
            assert!(padded >= len + 4);
            assert!(padded as f64 <= (len + 4) as f64 * 1.12, "{len} grew to {padded}");
        }
    }

    #[test]
    fn a_padded_value_of_any_length_comes_back() {
        let key = Key32::filled(|k| k.fill(7));
        for len in [0, 1, 251, 252, 253, 16_379, 16_380, 16_381, 40_000] {
            let data = vec![9; len];
            let sealed = seal_padded(&key, b"here", &[1; SALT], &data);
            let opened = open_padded(&key, b"here", &sealed).expect("opens");
            assert!(opened.expose(|o| o == data));
            assert!(open_padded(&key, b"there", &sealed).is_err());
        }
    }

    #[test]
    fn no_flipped_bit_and_no_cut_of_a_seal_opens() {
        let key = Key32::filled(|k| k.fill(7));
        let sealed = seal(&key, b"here", &[1; SALT], b"short");
        assert_eq!(sealed.len(), sealed_len(5));
        for bit in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, b"here", &other).is_err(), "bit {bit}");
        }
        for len in 0..sealed.len() {
            assert!(open(&key, b"here", &sealed[..len]).is_err(), "cut to {len}");
        }
    }

    #[test]
    fn lengths_around_a_chunk_come_back_and_chunks_do_not_swap() {
        let key = Key32::filled(|k| k.fill(7));
        for len in [CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5] {
            let data: Vec<u8> = (0..len).map(|i| (i / 7) as u8).collect();
            let sealed = seal(&key, b"", &[1; SALT], &data);
            assert_eq!(sealed.len(), sealed_len(len));
            assert!(open(&key, b"", &sealed).expect("opens").expose(|o| o == data));
            assert!(open(&key, b"", &sealed[..HEAD + CHUNK]).is_err());
        }
        let mut swapped = seal(&key, b"", &[1; SALT], &vec![0; 2 * CHUNK]);
        let (first, second) = swapped[HEAD..].split_at_mut(CHUNK + TAG);
        first.swap_with_slice(&mut second[..CHUNK + TAG]);
        assert!(open(&key, b"", &swapped).is_err());
    }

    #[test]
    fn padding_that_was_not_ours_is_refused() {
        let key = Key32::filled(|k| k.fill(7));
        let mut plain = vec![0; 256];
        plain[255] = 1;
        let sealed = seal(&key, b"", &[1; SALT], &plain);
        assert!(open_padded(&key, b"", &sealed).is_err());
    }
}
