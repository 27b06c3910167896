//! Sealing to a member's public key: HPKE (RFC 9180) base mode with X-Wing
//! (ML-KEM-768 and X25519, 0x647A), HKDF-SHA-256 and AES-256-GCM.
//! Proves nothing about the sender: whoever grants also signs.

use std::convert::Infallible;

use hpke::aead::AesGcm256;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};

use super::Random;
use super::aead::OpenError;
use crate::secret::{Key32, SecretBytes};

/// Length of a public key in bytes.
pub const PUBLIC: usize = 1216;
/// Length of the encapsulated key in front of a sealed value.
pub const ENCAPPED: usize = 1120;
/// What sealing adds, in bytes.
pub const OVERHEAD: usize = ENCAPPED + 16;

/// The private half: a 32-byte seed.
pub struct KemSecret {
    seed: Key32,
    public: Box<[u8; PUBLIC]>,
}

impl KemSecret {
    /// The key pair of a 32-byte seed, as X-Wing defines it.
    #[inline(never)]
    pub fn from_seed(seed: &Key32) -> Self {
        let mut public = Box::new([0; PUBLIC]);
        XWing::sk_to_pk(&expand(seed)).write_exact(&mut public[..]);
        Self { seed: seed.duplicate(), public }
    }

    /// The public half.
    pub fn public(&self) -> &[u8; PUBLIC] {
        &self.public
    }

    /// The seed again, for sealing it to another place.
    pub fn seed(&self) -> &Key32 {
        &self.seed
    }

    /// Opens what [`seal_to`] sealed to this key's public half.
    ///
    /// # Errors
    /// [`OpenError`], whatever the cause.
    #[inline(never)]
    pub fn open(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<SecretBytes, OpenError> {
        let (enc, ct) = sealed.split_at_checked(ENCAPPED).ok_or(OpenError)?;
        let enc = <XWing as Kem>::EncappedKey::from_bytes(enc).map_err(|_| OpenError)?;
        let secret = expand(&self.seed);
        hpke::single_shot_open::<AesGcm256, HkdfSha256, XWing>(
            &OpModeR::Base,
            &secret,
            &enc,
            info,
            ct,
            aad,
        )
        .map(SecretBytes::new)
        .map_err(|_| OpenError)
    }
}

/// The public key is not one of X-Wing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an X-Wing public key")]
pub struct BadPublicKey;

/// Seals `plaintext` to `public`: `enc ‖ ciphertext`. `random` is asked for 64 bytes.
///
/// # Errors
/// [`BadPublicKey`].
#[inline(never)]
pub fn seal_to(
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    random: &mut Random<'_>,
) -> Result<Vec<u8>, BadPublicKey> {
    let public = <XWing as Kem>::PublicKey::from_bytes(public).map_err(|_| BadPublicKey)?;
    let (enc, ct) = hpke::single_shot_seal_with_rng::<AesGcm256, HkdfSha256, XWing>(
        &OpModeS::Base,
        &public,
        info,
        plaintext,
        aad,
        &mut Given(random),
    )
    .map_err(|_| BadPublicKey)?;
    let mut out = Vec::with_capacity(ENCAPPED + ct.len());
    out.extend_from_slice(&enc.to_bytes());
    out.extend_from_slice(&ct);
    Ok(out)
}

fn expand(seed: &Key32) -> <XWing as Kem>::PrivateKey {
    seed.expose(|s| <XWing as Kem>::PrivateKey::from_bytes(s))
        .expect("a seed of X-Wing is any 32 bytes")
}

/// The caller's randomness in the shape the crate asks for.
struct Given<'a, 'b>(&'a mut Random<'b>);

impl TryRng for Given<'_, '_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(dst);
        Ok(())
    }
}

impl TryCryptoRng for Given<'_, '_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_addressee_in_the_same_context_opens() {
        let mine = KemSecret::from_seed(&Key32::filled(|k| k.fill(1)));
        let other = KemSecret::from_seed(&Key32::filled(|k| k.fill(2)));
        let sealed = seal_to(mine.public(), b"info", b"aad", b"key", &mut |b: &mut [u8]| b.fill(5))
            .expect("a sound public key");
        assert_eq!(sealed.len(), OVERHEAD + 3);
        assert!(mine.open(b"info", b"aad", &sealed).expect("opens").expose(|p| p == b"key"));
        assert!(other.open(b"info", b"aad", &sealed).is_err());
        assert!(mine.open(b"else", b"aad", &sealed).is_err());
        assert!(mine.open(b"info", b"", &sealed).is_err());
        assert!(mine.open(b"info", b"aad", &sealed[..100]).is_err());
    }
}
