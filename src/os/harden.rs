//! What a process that holds secrets does to itself first: no core dump, no
//! debugger of the same user, memory kept out of swap where the limit allows.
//! Everything is best effort; nothing here fails a start.

/// What [`harden`] could do, for `doctor`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hardened {
    /// A crash writes no core file.
    pub core_dumps_off: bool,
    /// Other processes of the same user may not read this one's memory.
    pub undumpable: bool,
    /// No page goes to swap.
    pub memory_locked: bool,
}

/// Hardens this process. Call it before the first secret is read.
pub fn harden() -> Hardened {
    imp::harden()
}

/// Keeps the pages of `bytes` out of swap and core dumps, if the limit allows.
/// They stay locked until they are unmapped.
pub fn lock_pages(bytes: &[u8]) -> bool {
    imp::lock_pages(bytes)
}

#[cfg(unix)]
mod imp {
    use rustix::mm::{MlockAllFlags, mlock, mlockall};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::Hardened;

    pub fn harden() -> Hardened {
        let zero = Rlimit { current: Some(0), maximum: Some(0) };
        Hardened {
            core_dumps_off: setrlimit(Resource::Core, zero).is_ok(),
            undumpable: undumpable(),
            memory_locked: lock_all(),
        }
    }

    #[cfg(any(target_os = "linux", target_os = "android"))]
    fn undumpable() -> bool {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        set_dumpable_behavior(DumpableBehavior::NotDumpable).is_ok()
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    fn undumpable() -> bool {
        false
    }

    /// Only where there is no limit: under one, `MCL_FUTURE` would make the
    /// 256 MiB of a key stretching fail instead of merely being swappable.
    fn lock_all() -> bool {
        if getrlimit(Resource::Memlock).current.is_some() {
            return false;
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE;
        mlockall(flags).is_ok()
    }

    pub fn lock_pages(bytes: &[u8]) -> bool {
        let start = bytes.as_ptr().cast_mut().cast();
        // SAFETY: the range is a live slice; locking changes no content.
        unsafe { mlock(start, bytes.len()) }.is_ok()
    }
}

#[cfg(not(unix))]
mod imp {
    use super::Hardened;

    pub fn harden() -> Hardened {
        Hardened::default()
    }

    pub fn lock_pages(_bytes: &[u8]) -> bool {
        false
    }
}
