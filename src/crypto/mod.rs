//! The constructions everything else is sealed, signed and derived with.
//! Never reads a clock or the machine's randomness: both are arguments.

pub mod aead;
pub mod context;
pub mod kdf;
pub mod kem;
pub mod keys;
pub mod line;
pub mod sign;
pub mod totp;

/// A source of randomness handed in by the caller: fills the whole slice.
pub type Random<'a> = dyn FnMut(&mut [u8]) + 'a;
