//! The agent's door: a Unix socket that only processes of the same user reach,
//! and the claim that makes one process the agent of a vault. It moves bytes;
//! what they mean is not its business.

#![cfg(unix)]

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

/// Longest path that fits in a socket address, in bytes, on every Unix.
const ADDRESS_MAX_BYTES: usize = 100;

/// A listening socket of mode 0600. Dropping it removes the socket and gives
/// the claim back.
pub struct Door {
    listener: UnixListener,
    path: PathBuf,
    /// Holds the lock for the life of the door.
    _claim: File,
}

/// Why a door cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// Another process is the agent of this vault.
    #[error("another process is the agent of this vault")]
    Taken,
    /// The socket cannot be made.
    #[error("the socket {} cannot be made: {source}", path.display())]
    Socket {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Door {
    /// Listens at `path`, in a folder that is already private. What a killed
    /// process left there is removed: the lock beside it tells.
    ///
    /// # Errors
    /// Another process holds the door, or the socket cannot be made.
    pub fn open(path: &Path) -> Result<Self, DoorError> {
        let failed = |source| DoorError::Socket { path: path.to_owned(), source };
        let claim = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(path.with_extension("lock"))
            .map_err(failed)?;
        match flock(&claim, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => return Err(DoorError::Taken),
            Err(error) => return Err(failed(error.into())),
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let listener = at(path, |path| UnixListener::bind(path)).map_err(failed)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(failed)?;
        Ok(Self { listener, path: path.to_owned(), _claim: claim })
    }

    /// Waits for the next caller of the same user; others are turned away.
    ///
    /// # Errors
    /// The socket is broken, or [`Door::wake`] was called.
    pub fn accept(&self) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = self.listener.accept()?;
            if same_user(&stream) {
                return Ok(stream);
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the socket; the claim stays.
    pub fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }

    /// Makes a waiting [`Door::accept`] and every later one fail.
    pub fn wake(&self) {
        // A listening socket that is shut down only stops listening.
        let _ = rustix::net::shutdown(&self.listener, rustix::net::Shutdown::Both);
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Calls the agent at `path`; `None` when nobody is there.
///
/// # Errors
/// Somebody else's process is there, or the socket is broken.
pub fn call(path: &Path) -> io::Result<Option<UnixStream>> {
    match at(path, |path| UnixStream::connect(path)) {
        Ok(stream) if same_user(&stream) => Ok(Some(stream)),
        Ok(_) => Err(io::Error::from(io::ErrorKind::PermissionDenied)),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
            ) =>
        {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Whether a process is the agent at `path` right now.
pub fn held(path: &Path) -> bool {
    let Ok(claim) = File::options().write(true).open(path.with_extension("lock")) else {
        return false;
    };
    matches!(
        flock(&claim, FlockOperation::NonBlockingLockShared),
        Err(rustix::io::Errno::WOULDBLOCK)
    )
}

/// Whether no process is the agent at `path` by the end of this time. One that hung
/// up may be about to end: it lets go of its claim last.
pub fn gone_within(path: &Path, time: Duration) -> bool {
    const STEP: Duration = Duration::from_millis(20);
    let end = Instant::now() + time;
    loop {
        match held(path) {
            false => return true,
            true if Instant::now() >= end => return false,
            true => std::thread::sleep(STEP),
        }
    }
}

/// Waits until no process is the agent at `path` any more.
///
/// # Errors
/// The lock cannot be waited for.
pub fn wait_until_gone(path: &Path) -> io::Result<()> {
    match File::options().write(true).open(path.with_extension("lock")) {
        Ok(claim) => loop {
            match flock(&claim, FlockOperation::LockShared) {
                Ok(()) => return Ok(()),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Runs `act` with `path`, or, where that is too long for a socket address,
/// with a short name of the same place.
fn at<T>(path: &Path, act: impl FnOnce(&Path) -> io::Result<T>) -> io::Result<T> {
    if path.as_os_str().len() <= ADDRESS_MAX_BYTES || !cfg!(target_os = "linux") {
        return act(path);
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return act(path);
    };
    let folder = File::open(folder)?;
    act(&Path::new(&format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name))
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn same_user(stream: &UnixStream) -> bool {
    rustix::net::sockopt::socket_peercred(stream)
        .is_ok_and(|peer| peer.uid == rustix::process::geteuid())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn same_user(stream: &UnixStream) -> bool {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: a live descriptor and two places to write to.
    let answer = unsafe { libc::getpeereid(stream.as_raw_fd(), &mut uid, &mut gid) };
    answer == 0 && uid == rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn one_door_at_a_time_and_none_after_its_end() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("agent.sock");
        assert!(call(&path).expect("nobody is no error").is_none());
        let door = Door::open(&path).expect("the folder is ours");
        assert!(matches!(Door::open(&path), Err(DoorError::Taken)));
        assert!(held(&path));
        let mut caller = call(&path).expect("it is ours").expect("it listens");
        let mut callee = door.accept().expect("a caller waits");
        caller.write_all(b"x").expect("the other side is open");
        callee.read_exact(&mut [0]).expect("one byte was sent");
        drop(door);
        assert!(!held(&path));
        wait_until_gone(&path).expect("nobody holds it");
        assert!(call(&path).expect("nobody is no error").is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_long_folder_name_does_not_matter() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let deep = folder.path().join("x".repeat(150));
        fs::create_dir(&deep).expect("a writable folder");
        let path = deep.join("agent.sock");
        let door = Door::open(&path).expect("the folder is ours");
        assert!(call(&path).expect("it is ours").is_some());
        drop(door);
    }
}
