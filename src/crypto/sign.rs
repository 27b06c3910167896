//! Ed25519 signatures (RFC 8032), verified strictly. Never decides what is
//! signed: callers sign a [`super::context`], so no signature means two things.

use ed25519_dalek::{Signature, Signer};

use crate::secret::Key32;

/// A member's signing key.
pub struct SigningKey(Box<ed25519_dalek::SigningKey>);

impl SigningKey {
    /// The key of a 32-byte seed.
    #[inline(never)]
    pub fn from_seed(seed: &Key32) -> Self {
        Self(seed.expose(|s| Box::new(ed25519_dalek::SigningKey::from_bytes(s))))
    }

    /// The public key others verify with.
    pub fn public(&self) -> [u8; 32] {
        self.0.verifying_key().to_bytes()
    }

    /// Signs `message`; deterministic.
    #[inline(never)]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

/// The signature does not verify, or the public key is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// A public key decompressed once, for checking many signatures.
#[derive(Clone)]
pub struct VerifyingKey(ed25519_dalek::VerifyingKey);

impl VerifyingKey {
    /// # Errors
    /// [`BadSignature`]: not a point of the curve, or one of low order.
    pub fn new(public: &[u8; 32]) -> Result<Self, BadSignature> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(public).map_err(|_| BadSignature)?;
        if key.is_weak() { Err(BadSignature) } else { Ok(Self(key)) }
    }

    /// # Errors
    /// [`BadSignature`], also for the malleable forms that RFC 8032 lets pass.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> Result<(), BadSignature> {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| BadSignature)
    }
}

/// As [`VerifyingKey::verify`], for a key used once.
///
/// # Errors
/// [`BadSignature`].
pub fn verify(public: &[u8; 32], message: &[u8], sig: &[u8; 64]) -> Result<(), BadSignature> {
    VerifyingKey::new(public)?.verify(message, sig)
}
