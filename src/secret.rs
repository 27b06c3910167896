//! Types that hold a secret value and wipe it when dropped.
//!
//! They never print, serialise, compare or clone themselves: a secret leaves
//! only through `expose`, so every use of one can be found by that word.
//!
//! ```compile_fail
//! let s = poterne::secret::SecretText::new(String::from("hunter2"));
//! println!("{s:?}");
//! ```
//!
//! The passing twin of the example above:
//!
//! ```
//! let s = poterne::secret::SecretText::new(String::from("hunter2"));
//! assert_eq!(s.expose(|t| t.len()), 7);
//! ```

use std::str::Utf8Error;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes that are wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes ownership of `bytes`; the caller must not keep a copy.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Copies `bytes`; the source stays the caller's to wipe.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// Lends the bytes to `f`.
    pub fn expose<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        f(&self.0)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is nothing inside.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A second, independent copy. Named so that it is noticed in review.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The same secret as text.
    ///
    /// # Errors
    /// The bytes are not UTF-8; they are wiped all the same.
    pub fn into_text(mut self) -> Result<SecretText, Utf8Error> {
        match std::str::from_utf8(&self.0) {
            Ok(_) => {
                let bytes = std::mem::take(&mut self.0);
                Ok(SecretText(String::from_utf8(bytes).expect("checked the line above")))
            }
            Err(e) => Err(e),
        }
    }
}

/// UTF-8 text that is wiped on drop.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretText(String);

impl SecretText {
    /// Takes ownership of `text`; the caller must not keep a copy.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Copies `text`; the source stays the caller's to wipe.
    pub fn copy_of(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// Lends the text to `f`.
    pub fn expose<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        f(&self.0)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True when there is nothing inside.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A second, independent copy. Named so that it is noticed in review.
    pub fn duplicate(&self) -> Self {
        Self(self.0.clone())
    }

    /// The same secret as bytes.
    pub fn into_bytes(mut self) -> SecretBytes {
        SecretBytes(std::mem::take(&mut self.0).into_bytes())
    }
}

/// A 256-bit key in a heap box of its own, never on the stack by value.
pub struct Key32(Box<[u8; 32]>);

impl Key32 {
    /// A key filled in place by `fill`, so that no copy stays on the stack.
    pub fn filled(fill: impl FnOnce(&mut [u8; 32])) -> Self {
        let mut key = Box::new([0u8; 32]);
        fill(&mut key);
        Self(key)
    }

    /// As [`Key32::filled`], for a filler that can fail.
    ///
    /// # Errors
    /// Whatever `fill` returns.
    pub fn try_filled<E>(fill: impl FnOnce(&mut [u8; 32]) -> Result<(), E>) -> Result<Self, E> {
        let mut key = Self(Box::new([0u8; 32]));
        fill(&mut key.0)?;
        Ok(key)
    }

    /// Copies 32 bytes; `None` when `bytes` has another length.
    pub fn copy_of(bytes: &[u8]) -> Option<Self> {
        (bytes.len() == 32).then(|| Self::filled(|k| k.copy_from_slice(bytes)))
    }

    /// Lends the key to `f`.
    pub fn expose<R>(&self, f: impl FnOnce(&[u8; 32]) -> R) -> R {
        f(&self.0)
    }

    /// A second, independent copy. Named so that it is noticed in review.
    pub fn duplicate(&self) -> Self {
        Self::filled(|k| k.copy_from_slice(&self.0[..]))
    }
}

impl Drop for Key32 {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Bytes of stack that [`burn_stack`] overwrites.
const BURN_BYTES: usize = 256 * 1024;

/// Overwrites the 256 KiB of stack below the caller, where calls that have
/// returned may have left copies of keys. Call it after a lock and after every
/// key derivation, on the same thread.
#[inline(never)]
pub fn burn_stack() {
    let mut stack = std::mem::MaybeUninit::<[u8; BURN_BYTES]>::uninit();
    let start = stack.as_mut_ptr().cast::<u8>();
    // SAFETY: the array is `BURN_BYTES` long and ours.
    unsafe { start.write_bytes(0, BURN_BYTES) };
    std::hint::black_box(start);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_stack_can_be_burnt_on_a_small_thread() {
        let thread = std::thread::Builder::new().stack_size(512 * 1024).name("burn".into());
        thread.spawn(super::burn_stack).expect("one more thread").join().expect("no overflow");
    }
}
