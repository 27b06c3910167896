//! A file that appears whole or not at all: written without a name where the
//! system can do that, else beside its place; private to its owner, flushed to
//! the disk, then renamed.

use std::fs::{self, File, OpenOptions};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::ExportError;
use crate::app::text;
use crate::os::unnamed;

/// Tells apart the files that this process has under way.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// A file under way. Dropped before [`Whole::commit`], it leaves nothing; where
/// it has no name, not even after a crash.
pub struct Whole {
    file: File,
    /// The name it has, or gets for a moment, before its own.
    part: PathBuf,
    named: bool,
    out: PathBuf,
}

impl Whole {
    /// Begins a file that will replace `out`.
    pub fn create(out: &Path) -> Result<Self, ExportError> {
        let fail = |source| ExportError::Io { path: out.to_owned(), source };
        let Some(own) = out.file_name() else {
            return Err(fail(Error::from(ErrorKind::IsADirectory)));
        };
        if out.is_dir() {
            return Err(fail(Error::from(ErrorKind::IsADirectory)));
        }
        // To put a file in the place of a device or a pipe would end it.
        if out.symlink_metadata().is_ok_and(|there| !there.is_file()) {
            return Err(fail(text::irregular()));
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(own);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".{}-{number}.part", std::process::id()));
        let part = out.with_file_name(name);
        let (file, named) = match unnamed::create(folder(out)) {
            Some(file) => (file, false),
            None => (named(&part).map_err(fail)?, true),
        };
        Ok(Self { file, part, named, out: out.to_owned() })
    }

    /// To write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The folder the file is in, for a format that needs room beside it.
    pub fn folder(&self) -> &Path {
        folder(&self.out)
    }

    /// An error about this file.
    pub fn fail(&self, source: Error) -> ExportError {
        ExportError::Io { path: self.out.clone(), source }
    }

    /// Another file, beside this one, for part `number` of the same report:
    /// `name-2.pdf` for `name.pdf`.
    pub fn part(&self, number: u64) -> Result<Self, ExportError> {
        let mut name = self.out.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-{number}"));
        if let Some(ending) = self.out.extension() {
            name.push(".");
            name.push(ending);
        }
        Self::create(&self.out.with_file_name(name))
    }

    /// Puts the file in its place, which it returns.
    pub fn commit(mut self) -> Result<PathBuf, ExportError> {
        self.place().map_err(|e| self.fail(e))?;
        Ok(std::mem::take(&mut self.out))
    }

    fn place(&mut self) -> std::io::Result<()> {
        self.file.sync_all()?;
        if !self.named {
            unnamed::name(&self.file, &self.part)?;
            self.named = true;
        }
        fs::rename(&self.part, &self.out)?;
        self.named = false;
        // The rename is on the disk only with its folder.
        #[cfg(unix)]
        File::open(self.folder())?.sync_all()?;
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if self.named {
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn folder(out: &Path) -> &Path {
    match out.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn named(part: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(part)
}
