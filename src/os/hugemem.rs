//! The large working memory of key stretching: in huge pages where Linux gives
//! them (a quarter of the time at 256 MiB goes into page faults otherwise), in
//! plain pages where not; wiped before it is given back. Holds nothing else.

use argon2::Block;

/// Zeroed blocks of 1 KiB, wiped on drop.
pub struct Blocks(Memory);

enum Memory {
    #[cfg(target_os = "linux")]
    Mapped(linux::Mapping),
    Heap(Vec<Block>),
}

/// Memory the machine could give now without swapping, in KiB; `None` where that
/// is not known. Linux: `MemAvailable` of `/proc/meminfo`.
pub fn available_kib() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|l| l.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// The machine did not give the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("out of memory")]
pub struct OutOfMemory;

impl Blocks {
    /// Takes `count` blocks.
    ///
    /// # Errors
    /// [`OutOfMemory`]; the process goes on.
    pub fn take(count: usize) -> Result<Self, OutOfMemory> {
        #[cfg(target_os = "linux")]
        if let Some(mapping) = linux::Mapping::take(count) {
            return Ok(Self(Memory::Mapped(mapping)));
        }
        let mut blocks = Vec::new();
        blocks.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
        blocks.resize(count, Block::new());
        Ok(Self(Memory::Heap(blocks)))
    }

    /// The blocks.
    pub fn blocks(&mut self) -> &mut [Block] {
        match &mut self.0 {
            #[cfg(target_os = "linux")]
            Memory::Mapped(mapping) => mapping.blocks(),
            Memory::Heap(blocks) => blocks,
        }
    }
}

impl Drop for Blocks {
    fn drop(&mut self) {
        let blocks = self.blocks();
        // SAFETY: the slice is ours alone, and zero bytes are a valid block.
        unsafe { std::ptr::write_bytes(blocks.as_mut_ptr(), 0, blocks.len()) };
        // Nobody reads the zeros; this keeps the compiler from leaving them out.
        std::hint::black_box(blocks);
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ptr::{NonNull, null_mut};

    use argon2::Block;
    use rustix::mm::{Advice, MapFlags, ProtFlags, madvise, mmap_anonymous, munmap};

    const HUGE_PAGE: usize = 2 * 1024 * 1024;

    /// A private anonymous mapping, unmapped on drop.
    pub struct Mapping {
        start: NonNull<Block>,
        count: usize,
        map: *mut core::ffi::c_void,
        map_len: usize,
    }

    impl Mapping {
        pub fn take(count: usize) -> Option<Self> {
            let bytes = count.checked_mul(Block::SIZE)?;
            let map_len = bytes.checked_next_multiple_of(HUGE_PAGE)?.checked_add(HUGE_PAGE)?;
            let access = ProtFlags::READ | ProtFlags::WRITE;
            // SAFETY: a fresh anonymous mapping at an address the kernel chooses.
            let map =
                unsafe { mmap_anonymous(null_mut(), map_len, access, MapFlags::PRIVATE) }.ok()?;
            let skip = (map as usize).next_multiple_of(HUGE_PAGE) - map as usize;
            // SAFETY: `skip` is under one huge page, and the map is longer than that.
            let start = unsafe { map.byte_add(skip) };
            for wish in [Advice::LinuxHugepage, Advice::LinuxDontDump] {
                // SAFETY: inside the mapping above. A refusal costs only time.
                let _ = unsafe { madvise(start, map_len - HUGE_PAGE, wish) };
            }
            Some(Self { start: NonNull::new(start.cast())?, count, map, map_len })
        }

        pub fn blocks(&mut self) -> &mut [Block] {
            // SAFETY: the mapping holds at least `count` blocks from `start`, is
            // aligned to 2 MiB, zeroed (a valid block) and ours alone.
            unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.count) }
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: what `take` mapped; no slice outlives `self`.
            let _ = unsafe { munmap(self.map, self.map_len) };
        }
    }

    // SAFETY: the mapping is owned by this value alone, like a `Vec`.
    unsafe impl Send for Mapping {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_many_as_asked_and_zero() {
        let mut blocks = Blocks::take(4097).expect("four MiB are there");
        assert_eq!(blocks.blocks().len(), 4097);
        assert!(blocks.blocks().iter().all(|b| b.as_ref().iter().all(|&w| w == 0)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_says_how_much_memory_is_free() {
        assert!(available_kib().is_some_and(|kib| kib > 1024));
    }

    #[test]
    fn more_than_the_machine_has_is_an_error() {
        assert!(Blocks::take(usize::MAX / 4096).is_err());
    }
}
