//! The allocator of every binary of this package: what is freed is wiped, so
//! that no secret outlives its owner in a block that was given back. It never
//! moves a block without wiping the old place.
//!
//! Blocks over [`WIPE_MAX_BYTES`] are given back as they are: whoever keeps a
//! secret that large wipes it itself (`secret::SecretBytes` does).

use std::alloc::{GlobalAlloc, Layout, System};

/// Largest freed block that is wiped, in bytes. Larger ones hold images and
/// tables; wiping them too doubled the time of a frame and found nothing more.
pub const WIPE_MAX_BYTES: usize = 32 * 1024;

/// Largest block that a growing vector leaves behind wiped, in bytes.
const MOVE_MAX_BYTES: usize = 1024 * 1024;

/// The system allocator with wiping.
pub struct Wiping;

#[global_allocator]
static ALLOCATOR: Wiping = Wiping;

/// Whether freed blocks are wiped: always, but for the proof that the memory test
/// notices leaks.
#[cfg(not(debug_assertions))]
#[inline(always)]
fn wipes() -> bool {
    !cfg!(feature = "leak-control")
}

#[cfg(debug_assertions)]
static WIPES: std::sync::atomic::AtomicBool =
    std::sync::atomic::AtomicBool::new(!cfg!(feature = "leak-control"));

#[cfg(debug_assertions)]
fn wipes() -> bool {
    WIPES.load(std::sync::atomic::Ordering::Relaxed)
}

/// Switches the wiping off and on, in builds for trials only: the memory test
/// must find what it is to find when nothing is wiped.
#[cfg(debug_assertions)]
pub fn set_wiping(on: bool) {
    WIPES.store(on, std::sync::atomic::Ordering::Relaxed);
}

#[cfg(debug_assertions)]
thread_local! {
    /// Bytes this thread holds, and the most since [`most_held`] began. Without
    /// a destructor, so that they serve to the thread's very end.
    static HELD: std::cell::Cell<(isize, isize)> = const { std::cell::Cell::new((0, 0)) };
}

/// What `act` gives, and the most bytes it held at once on this thread, in builds
/// for trials only: reading a doctored file must not take what the file asks for.
#[cfg(debug_assertions)]
pub fn most_held<T>(act: impl FnOnce() -> T) -> (T, usize) {
    let before = HELD.with(|held| {
        let (now, _) = held.get();
        held.set((now, now));
        now
    });
    let out = act();
    let most = HELD.with(|held| held.get().1);
    (out, usize::try_from(most - before).unwrap_or(0))
}

/// Counts a block taken (positive) or given back.
#[cfg(debug_assertions)]
fn count(bytes: isize) {
    HELD.with(|held| {
        let (now, most) = held.get();
        let now = now.wrapping_add(bytes);
        held.set((now, most.max(now)));
    });
}

#[cfg(not(debug_assertions))]
#[inline(always)]
fn count(_bytes: isize) {}

/// Overwrites `len` bytes at `block` in a way that is not optimised away.
///
/// # Safety
/// `block` is valid for writes of `len` bytes.
unsafe fn wipe(block: *mut u8, len: usize) {
    // SAFETY: promised by the caller.
    unsafe { block.write_bytes(0, len) };
    // SAFETY: no instruction at all; it only makes the compiler believe that
    // the zeros are read, so that it keeps them.
    unsafe { std::arch::asm!("/* {0} */", in(reg) block, options(nostack, preserves_flags)) };
}

// SAFETY: every block comes from and goes back to `System` with its own layout.
unsafe impl GlobalAlloc for Wiping {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: same contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: same contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        if wipes() && layout.size() <= WIPE_MAX_BYTES {
            // SAFETY: the block is still ours and `size` bytes long.
            unsafe { wipe(block, layout.size()) };
        }
        // SAFETY: same contract.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        count(new_size.cast_signed() - layout.size().cast_signed());
        if !wipes() || layout.size() > MOVE_MAX_BYTES {
            // SAFETY: same contract. Blocks this large are moved by remapping.
            return unsafe { System.realloc(block, layout, new_size) };
        }
        // SAFETY: `new_size` is not zero and does not overflow, says the contract.
        let new_layout = unsafe { Layout::from_size_align_unchecked(new_size, layout.align()) };
        // SAFETY: as above.
        let new_block = unsafe { System.alloc(new_layout) };
        if !new_block.is_null() {
            let kept = layout.size().min(new_size);
            // SAFETY: two different blocks, both at least `kept` bytes long; the
            // old one is ours until it is given back.
            unsafe {
                new_block.copy_from_nonoverlapping(block, kept);
                wipe(block, layout.size());
                System.dealloc(block, layout);
            }
        }
        new_block
    }
}

#[cfg(all(test, not(feature = "leak-control")))]
mod tests {
    use super::*;

    #[test]
    fn a_wiped_block_reads_as_zeros() {
        let mut block = [0xA5u8; 64];
        // SAFETY: the array is 64 bytes long.
        unsafe { wipe(block.as_mut_ptr(), block.len()) };
        assert_eq!(block, [0; 64]);
    }

    #[test]
    fn growing_and_shrinking_keep_the_content() {
        let layout = Layout::from_size_align(64, 8).expect("a power of two");
        // SAFETY: sizes and layouts are those of the calls before.
        unsafe {
            let block = Wiping.alloc(layout);
            assert!(!block.is_null());
            block.write_bytes(7, 64);
            let block = Wiping.realloc(block, layout, 4096);
            assert!(std::slice::from_raw_parts(block, 64).iter().all(|b| *b == 7));
            let layout = Layout::from_size_align(4096, 8).expect("a power of two");
            let block = Wiping.realloc(block, layout, 16);
            assert!(std::slice::from_raw_parts(block, 16).iter().all(|b| *b == 7));
            Wiping.dealloc(block, Layout::from_size_align(16, 8).expect("a power of two"));
        }
    }
}
