//! The room where a vault file is copied to before it takes its place: beside
//! that place, under a name that nobody has. It never touches another's file.

use std::fs::{self, File};
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Tells apart the copies that this process has under way.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A copy under way. Dropped before it is in place, it leaves nothing.
pub(super) struct Part {
    part: PathBuf,
    place: PathBuf,
}

impl Part {
    /// A free name beside `place`, for who makes a new file and no other.
    pub(super) fn beside(place: &Path) -> Self {
        let pid = std::process::id();
        let part = loop {
            let number = NUMBER.fetch_add(1, Ordering::Relaxed);
            let part = place.with_file_name(format!(".poterne-{pid}-{number}.part"));
            if part.symlink_metadata().is_err() {
                break part;
            }
        };
        Self { part, place: place.to_owned() }
    }

    /// Where to copy to.
    pub(super) fn path(&self) -> &Path {
        &self.part
    }

    /// Puts the copy in its place, where nothing may be: no journal either, for
    /// SQLite would undo a commit of another file in this one.
    pub(super) fn put_new(self) -> Result<()> {
        if journal_of(&self.place).symlink_metadata().is_ok() {
            return Err(Error::from(ErrorKind::AlreadyExists));
        }
        match fs::hard_link(&self.part, &self.place) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Err(e),
            Ok(()) => flushed(&self.place),
            // Some file systems have no second names.
            Err(_) if self.place.symlink_metadata().is_ok() => {
                Err(Error::from(ErrorKind::AlreadyExists))
            }
            Err(_) => self.rename(),
        }
    }

    /// Puts the copy in the place of what is there, which is kept as `aside`, a
    /// name that must be free, together with what a crash left beside it: that
    /// would be taken for the copy's. At no moment is nothing there, where the file system
    /// has second names. Who may still write to the former file is kept out above.
    pub(super) fn put_instead(self, aside: &Path) -> Result<()> {
        let (journal, kept) = (journal_of(&self.place), journal_of(aside));
        if [aside, &kept].iter().any(|name| name.symlink_metadata().is_ok()) {
            return Err(Error::from(ErrorKind::AlreadyExists));
        }
        let there = self.place.symlink_metadata().is_ok();
        // The second name comes first: cut off from here on, file and journal
        // lie together under it.
        let linked = match fs::hard_link(&self.place, aside) {
            Err(e) if there && e.kind() == ErrorKind::AlreadyExists => return Err(e),
            done => done.is_ok(),
        };
        // What stays in its place needs its journal as before.
        let undo = |moved: bool| {
            if moved {
                let _ = fs::rename(&kept, &journal);
            }
            if linked {
                let _ = fs::remove_file(aside);
            }
        };
        let moved = journal.symlink_metadata().is_ok();
        if moved {
            fs::rename(&journal, &kept).inspect_err(|_| undo(false))?;
        }
        if there && !linked {
            fs::rename(&self.place, aside).inspect_err(|_| undo(moved))?;
        }
        fs::rename(&self.part, &self.place).inspect_err(|_| {
            if there && !linked {
                let _ = fs::rename(aside, &self.place);
            }
            undo(moved);
        })?;
        // From here on the former file has no other name than `aside`.
        flushed(&self.place)
    }

    fn rename(self) -> Result<()> {
        fs::rename(&self.part, &self.place)?;
        flushed(&self.place)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let _ = fs::remove_file(journal_of(&self.part));
        let _ = fs::remove_file(&self.part);
    }
}

/// Where SQLite keeps what undoes an unfinished commit.
fn journal_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}

/// A name is on the disk only with its folder.
fn flushed(place: &Path) -> Result<()> {
    let folder = place.parent().filter(|f| !f.as_os_str().is_empty());
    if cfg!(unix) {
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_takes_no_place_that_is_taken() {
        let dir = tempfile::tempdir().expect("a temp folder");
        let [place, aside] = ["a", "b"].map(|name| dir.path().join(name));
        fs::write(&place, "mine").expect("writes");
        let part = Part::beside(&place);
        fs::write(part.path(), "copy").expect("writes");
        assert_eq!(part.put_new().expect_err("taken").kind(), ErrorKind::AlreadyExists);
        fs::write(&aside, "mine too").expect("writes");
        let part = Part::beside(&place);
        fs::write(part.path(), "copy").expect("writes");
        assert_eq!(part.put_instead(&aside).expect_err("taken").kind(), ErrorKind::AlreadyExists);
        let read = |file: &Path| fs::read_to_string(file).expect("reads");
        assert_eq!((read(&place), read(&aside)), ("mine".to_owned(), "mine too".to_owned()));
        fs::remove_file(&aside).expect("ours");
        let part = Part::beside(&place);
        fs::write(part.path(), "copy").expect("writes");
        part.put_instead(&aside).expect("it is free");
        assert_eq!((read(&place), read(&aside)), ("copy".to_owned(), "mine".to_owned()));
        assert_eq!(fs::read_dir(dir.path()).expect("reads").count(), 2, "nothing else is left");
    }
}
