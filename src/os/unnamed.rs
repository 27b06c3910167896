//! Files without a name, which the system takes back by itself when the process
//! that writes them ends, however it ends. Linux has them; elsewhere the caller
//! writes a named file and removes it.

use std::fs::File;
use std::io;
use std::path::Path;

/// A file for reading and writing in `folder` that only its owner will read.
/// `None` where the system or the file system has no such thing.
#[cfg(target_os = "linux")]
pub fn create(folder: &Path) -> Option<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
    rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR).ok().map(File::from)
}

/// Nowhere else.
#[cfg(not(target_os = "linux"))]
pub fn create(_folder: &Path) -> Option<File> {
    None
}

/// Gives a file of [`create`] its name, which nothing may have yet.
///
/// # Errors
/// The name is taken, or the folder cannot be written.
#[cfg(target_os = "linux")]
pub fn name(file: &File, path: &Path) -> io::Result<()> {
    use std::os::fd::AsRawFd;

    use rustix::fs::{AtFlags, CWD, linkat};
    // open(2): without a capability, the way to a name goes through /proc.
    let own = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(linkat(CWD, own, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// Never called: there are none.
///
/// # Errors
/// Always.
#[cfg(not(target_os = "linux"))]
pub fn name(_file: &File, _path: &Path) -> io::Result<()> {
    Err(io::Error::from(io::ErrorKind::Unsupported))
}
