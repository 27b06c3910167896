//! The machine's randomness. The only place it is drawn.

use crate::secret::Key32;

/// Fills `bytes` from the operating system's generator. Pass it on as
/// `&mut random::fill` where randomness is an argument.
///
/// # Panics
/// The operating system gives none; nothing could be kept secret then.
pub fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}

/// `N` random bytes that need not stay secret: ids, salts.
pub fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    fill(&mut out);
    out
}

/// A fresh 256-bit key.
pub fn key() -> Key32 {
    Key32::filled(|k| fill(k))
}

/// The sixteen bytes of a fresh identifier: `EntryId(random::id())`.
pub fn id() -> [u8; 16] {
    bytes()
}
