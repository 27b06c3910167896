//! A file that appears whole or not at all: written beside its place, private
//! to its owner, flushed to the disk, then renamed.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::ExportError;

/// A file under way. Dropped before [`Whole::commit`], it leaves nothing.
pub struct Whole {
    file: File,
    part: PathBuf,
    out: PathBuf,
}

impl Whole {
    /// Begins a file that will replace `out`.
    pub fn create(out: &Path) -> Result<Self, ExportError> {
        let mut name = out.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.part", std::process::id()));
        let part = out.with_file_name(name);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&part) {
            Ok(file) => Ok(Self { file, part, out: out.to_owned() }),
            Err(source) => Err(ExportError::Io { path: out.to_owned(), source }),
        }
    }

    /// To write to.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The folder the file is in, for a format that needs room beside it.
    pub fn folder(&self) -> &Path {
        match self.out.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// An error about this file.
    pub fn fail(&self, source: std::io::Error) -> ExportError {
        ExportError::Io { path: self.out.clone(), source }
    }

    /// Puts the file in its place.
    pub fn commit(self) -> Result<(), ExportError> {
        self.file.sync_all().map_err(|e| self.fail(e))?;
        fs::rename(&self.part, &self.out).map_err(|e| self.fail(e))?;
        // The rename is on the disk only with its folder.
        #[cfg(unix)]
        File::open(self.folder()).and_then(|f| f.sync_all()).map_err(|e| self.fail(e))?;
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        // After a commit it is not there any more.
        let _ = fs::remove_file(&self.part);
    }
}
