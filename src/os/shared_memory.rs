//! Memory that this program shares with a process that it starts. Linux has it with
//! a size that nobody can change any more, so that the other process cannot take it
//! away while it is read; elsewhere there is none, and the caller uses a pipe.
//! What is read may be anything: the other process writes when it likes.

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{ReadMemory, Ticket, WriteMemory, given, share};
#[cfg(target_os = "linux")]
pub use linux::{ReadMemory, Ticket, WriteMemory, given, share};

/// The number of the descriptor by which a child of this program gets it.
pub const NUMBER: i32 = 3;

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
    use std::ptr::{NonNull, null_mut};

    use rustix::fs::{
        MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, fstat, ftruncate, memfd_create,
    };
    use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

    /// What another process opens the memory by.
    pub type Ticket = OwnedFd;

    /// New memory of this many bytes, all zero, to read from, and the ticket for the
    /// process that writes to it and may not make it shorter.
    ///
    /// # Errors
    /// The system gives none.
    pub fn share(length: usize) -> io::Result<(ReadMemory, Ticket)> {
        let fd = memfd_create("poterne", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, length as u64)?;
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        Ok((ReadMemory(Mapping::of(fd.as_fd(), length, ProtFlags::READ)?), fd))
    }

    /// The memory that this process was given under that number. Takes the number
    /// away, so that no other program inherits it.
    ///
    /// # Errors
    /// There is none, or it was not made by [`share`] for this length.
    pub fn given(number: RawFd, length: usize) -> io::Result<WriteMemory> {
        // SAFETY: only asks whether the descriptor is open.
        if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: it is open, and was given to this process for this alone.
        let fd = unsafe { OwnedFd::from_raw_fd(number) };
        let sealed = fcntl_get_seals(&fd)?.contains(SealFlags::SHRINK);
        let long = u64::try_from(fstat(&fd)?.st_size).is_ok_and(|size| size >= length as u64);
        if !sealed || !long {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let access = ProtFlags::READ | ProtFlags::WRITE;
        Ok(WriteMemory(Mapping::of(fd.as_fd(), length, access)?))
    }

    /// The end that is read.
    pub struct ReadMemory(Mapping);

    impl ReadMemory {
        /// How many bytes there are.
        pub fn length(&self) -> usize {
            self.0.length
        }

        /// Copies what is there from `at` on; false if it does not lie in it all.
        pub fn read(&self, at: usize, into: &mut [u8]) -> bool {
            let within = self.0.holds(at, into.len());
            if within {
                // SAFETY: in the mapping; `into` is ours alone. The other process may
                // write meanwhile: bytes have no invalid value, and no reference to the
                // memory exists that the compiler could rely upon.
                unsafe {
                    let from = self.0.start.as_ptr().add(at);
                    into.as_mut_ptr().copy_from_nonoverlapping(from, into.len());
                }
            }
            within
        }
    }

    /// The end that is written.
    pub struct WriteMemory(Mapping);

    impl WriteMemory {
        /// Copies `bytes` to `at`; false if they do not fit.
        pub fn write(&mut self, at: usize, bytes: &[u8]) -> bool {
            let within = self.0.holds(at, bytes.len());
            if within {
                // SAFETY: in the mapping, which is writable; as in `read`.
                unsafe {
                    let to = self.0.start.as_ptr().add(at);
                    to.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
                }
            }
            within
        }
    }

    /// Shared pages, unmapped on drop.
    struct Mapping {
        start: NonNull<u8>,
        length: usize,
    }

    impl Mapping {
        fn of(fd: BorrowedFd<'_>, length: usize, access: ProtFlags) -> io::Result<Self> {
            // SAFETY: a new mapping where the kernel chooses, of a file whose size is
            // sealed: every byte of it stays there.
            let start = unsafe { mmap(null_mut(), length, access, MapFlags::SHARED, fd, 0) }?;
            let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
            Ok(Self { start, length })
        }

        fn holds(&self, at: usize, length: usize) -> bool {
            at.checked_add(length).is_some_and(|end| end <= self.length)
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: what `of` mapped; no reference to it exists.
            let _ = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
        }
    }

    // SAFETY: the mapping is owned by this value; it is only copied from and to.
    unsafe impl Send for Mapping {}
    // SAFETY: through a shared reference it is only copied from.
    unsafe impl Sync for Mapping {}
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::convert::Infallible;
    use std::io;

    /// There is none.
    pub type Ticket = Infallible;

    /// There is none.
    ///
    /// # Errors
    /// Always.
    pub fn share(_length: usize) -> io::Result<(ReadMemory, Ticket)> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// There is none.
    ///
    /// # Errors
    /// Always.
    pub fn given(_number: i32, _length: usize) -> io::Result<WriteMemory> {
        Err(io::ErrorKind::Unsupported.into())
    }

    /// There is none.
    pub struct ReadMemory(Infallible);

    impl ReadMemory {
        /// Never called.
        pub fn length(&self) -> usize {
            match self.0 {}
        }

        /// Never called.
        pub fn read(&self, _at: usize, _into: &mut [u8]) -> bool {
            match self.0 {}
        }
    }

    /// There is none.
    pub struct WriteMemory(Infallible);

    impl WriteMemory {
        /// Never called.
        pub fn write(&mut self, _at: usize, _bytes: &[u8]) -> bool {
            match self.0 {}
        }
    }
}

impl std::fmt::Debug for ReadMemory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReadMemory")
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::fd::{AsFd, IntoRawFd};

    use rustix::fs::ftruncate;

    use super::*;

    const LENGTH: usize = 8192;

    #[test]
    fn what_one_end_writes_the_other_reads_and_neither_goes_beyond() {
        let (near, fd) = share(LENGTH).expect("Linux gives it");
        let mut far = given(fd.into_raw_fd(), LENGTH).expect("just made");
        assert!(far.write(LENGTH - 3, &[1, 2, 3]));
        let mut read = [9; 3];
        assert!(near.read(LENGTH - 3, &mut read));
        assert_eq!(read, [1, 2, 3]);
        for at in [LENGTH - 2, LENGTH, usize::MAX] {
            assert!(!far.write(at, &[7; 3]) && !near.read(at, &mut read), "{at}");
        }
        assert_eq!(read, [1, 2, 3]);
    }

    #[test]
    fn nobody_can_take_it_away_again() {
        let (near, fd) = share(LENGTH).expect("Linux gives it");
        for size in [0, LENGTH - 1, LENGTH + 1] {
            assert!(ftruncate(fd.as_fd(), size as u64).is_err(), "{size}");
        }
        drop(fd);
        assert!(near.read(0, &mut [0; LENGTH]), "it is there as long as it is mapped");
    }

    #[test]
    fn memory_that_is_not_sealed_or_too_short_is_refused() {
        let file = tempfile::tempfile().expect("a file");
        ftruncate(&file, LENGTH as u64).expect("ours");
        assert!(given(file.into_raw_fd(), LENGTH).is_err());
        let (_near, fd) = share(LENGTH).expect("Linux gives it");
        assert!(given(fd.into_raw_fd(), LENGTH + 1).is_err());
        assert!(given(-1, LENGTH).is_err());
    }
}
