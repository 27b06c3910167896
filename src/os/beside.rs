//! Files that lie in one folder, taken by their plain names: never one of another
//! folder, never where a link leads to, never more than was asked for. Writes nothing.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Entries of a folder that are looked at.
const LOOKED_AT: usize = 10_000;

/// A folder whose files are read.
pub struct Folder {
    path: PathBuf,
    #[cfg(unix)]
    fd: std::os::fd::OwnedFd,
}

impl Folder {
    /// The folder at `path`, links to it resolved.
    ///
    /// # Errors
    /// It is not there, or no folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        #[cfg(unix)]
        {
            use rustix::fs::{Mode, OFlags};
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let fd = rustix::fs::open(path, flags, Mode::empty())?;
            Ok(Self { path: path.to_owned(), fd })
        }
        #[cfg(not(unix))]
        {
            if !path.is_dir() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Ok(Self { path: path.to_owned() })
        }
    }

    /// The file of that name, at most `limit` bytes and one more, so that too many are
    /// seen as such.
    ///
    /// # Errors
    /// It is not there, no regular file, or the name is more than a name.
    pub fn read(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let plain = !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0']);
        if !plain {
            return Err(io::ErrorKind::InvalidFilename.into());
        }
        read(self.file(OsStr::new(name))?, limit)
    }

    #[cfg(unix)]
    fn file(&self, name: &OsStr) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags};
        // Not waiting: the other side of a pipe would decide how long.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        Ok(File::from(fd))
    }

    #[cfg(not(unix))]
    fn file(&self, name: &OsStr) -> io::Result<File> {
        let path = self.path.join(name);
        if !path.symlink_metadata()?.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        File::open(path)
    }

    /// Names of the files that end like one of `endings` (without the dot), sorted.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn names(&self, endings: &[&str]) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in self.path.read_dir()?.take(LOOKED_AT) {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let end = Path::new(&name).extension().and_then(OsStr::to_str).unwrap_or_default();
            let wanted = endings.iter().any(|ending| end.eq_ignore_ascii_case(ending));
            if wanted && entry.file_type()?.is_file() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }
}

/// The file that a person named, links to it followed; `limit` as in [`Folder::read`].
///
/// # Errors
/// It is not there, or no regular file.
pub fn named(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    // Looked at first: to open a pipe would wait for its other side.
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !path.metadata()?.is_file() {
        return Err(irregular());
    }
    read(File::open(path)?, limit)
}

fn read(file: File, limit: usize) -> io::Result<Vec<u8>> {
    if !file.metadata()?.is_file() {
        return Err(irregular());
    }
    let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(16 * 1024));
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    Ok(std::mem::take(&mut bytes))
}

fn irregular() -> io::Error {
    io::Error::other("it is no regular file")
}

#[cfg(all(test, unix))]
mod tests {
    use super::{Folder, named};

    #[test]
    fn only_plain_files_of_the_folder_itself_are_read() {
        let home = tempfile::tempdir().expect("a temporary folder");
        let inner = home.path().join("vpn");
        std::fs::create_dir(&inner).expect("ours");
        std::fs::write(home.path().join("secret"), "s").expect("ours");
        std::fs::write(inner.join("ca.crt"), "four").expect("ours");
        std::fs::write(inner.join("b.ovpn"), "").expect("ours");
        std::fs::write(inner.join("a.OVPN"), "").expect("ours");
        std::os::unix::fs::symlink("../secret", inner.join("link.ovpn")).expect("ours");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            inner.join("pipe.ovpn"),
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .expect("ours");
        let folder = Folder::open(&inner).expect("a folder");
        assert_eq!(folder.read("ca.crt", 10).expect("a file"), b"four");
        assert_eq!(folder.read("ca.crt", 2).expect("a file").len(), 3, "one more than asked for");
        for name in ["../secret", "/etc/passwd", "..", "", "link.ovpn", "pipe.ovpn", "missing"] {
            assert!(folder.read(name, 10).is_err(), "{name}");
        }
        assert_eq!(folder.names(&["ovpn"]).expect("a folder"), ["a.OVPN", "b.ovpn"]);
        assert_eq!(named(&inner.join("link.ovpn"), 9).expect("named by a person"), b"s");
        assert!(named(&inner.join("pipe.ovpn"), 9).is_err());
        assert!(Folder::open(&inner.join("b.ovpn")).is_err());
    }
}
