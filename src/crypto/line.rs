//! Sealing many short values that live as long as one process, each under a
//! number used once: AES-256-GCM with the counter as nonce, the key schedule
//! made once. For values in memory, never for a file: keys must not outlive the counter.

use aes_gcm::aead::inout::InOutBuf;
use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Tag};
use zeroize::Zeroizing;

use super::aead::OpenError;
use crate::secret::{Key32, SecretBytes};

/// Bytes a sealed line is longer than its plaintext.
pub const OVERHEAD: usize = 16;

/// A scheduled key. The caller keeps each counter to one `seal` per key.
pub struct LineCipher(Box<Aes256Gcm>);

impl LineCipher {
    /// Schedules `key`, which must be random and used with no other `LineCipher`.
    #[inline(never)]
    pub fn new(key: &Key32) -> Self {
        Self(key.expose(|k| Box::new(Aes256Gcm::new(k.into()))))
    }

    /// `ciphertext ‖ tag16` under nonce `0x00000000 ‖ u64 counter`.
    ///
    /// # Panics
    /// `plaintext` has 64 GiB or more.
    pub fn seal(&self, counter: u64, aad: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(plaintext.len() + OVERHEAD);
        out.extend_from_slice(plaintext);
        let tag = self
            .0
            .encrypt_inout_detached(&nonce(counter).into(), aad, InOutBuf::from(&mut out[..]))
            .expect("a line is far below the limit of AES-GCM");
        out.extend_from_slice(&tag);
        out
    }

    /// Opens what [`LineCipher::seal`] made under the same counter and `aad`.
    ///
    /// # Errors
    /// [`OpenError`], whatever the cause.
    pub fn open(&self, counter: u64, aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenError> {
        let (text, tag) = sealed.split_last_chunk::<OVERHEAD>().ok_or(OpenError)?;
        let mut plain = Zeroizing::new(text.to_vec());
        self.0
            .decrypt_inout_detached(
                &nonce(counter).into(),
                aad,
                InOutBuf::from(&mut plain[..]),
                &Tag::from(*tag),
            )
            .map_err(|_| OpenError)?;
        Ok(SecretBytes::new(std::mem::take(&mut *plain)))
    }
}

impl LineCipher {
    /// As [`LineCipher::open`], into room used before; for lines that hold no
    /// secret. After an error nothing is in it.
    ///
    /// # Errors
    /// As there.
    pub fn open_into(
        &self,
        counter: u64,
        aad: &[u8],
        sealed: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), OpenError> {
        let Some((text, tag)) = sealed.split_last_chunk::<OVERHEAD>() else {
            out.clear();
            return Err(OpenError);
        };
        out.resize(text.len(), 0);
        let text = InOutBuf::new(text, &mut out[..]).expect("both have one length");
        let done =
            self.0.decrypt_inout_detached(&nonce(counter).into(), aad, text, &Tag::from(*tag));
        if done.is_err() {
            out.clear();
        }
        done.map_err(|_| OpenError)
    }
}

fn nonce(counter: u64) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[4..].copy_from_slice(&counter.to_be_bytes());
    nonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_opens_only_at_its_own_number() {
        let cipher = LineCipher::new(&Key32::filled(|k| k.fill(3)));
        let sealed = cipher.seal(41, b"aad", b"a line");
        assert!(cipher.open(41, b"aad", &sealed).expect("opens").expose(|p| p == b"a line"));
        assert!(cipher.open(42, b"aad", &sealed).is_err());
        assert!(cipher.open(41, b"", &sealed).is_err());
    }
}
