//! Whether a folder takes a new file, and how much room it has. The try leaves
//! nothing behind.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::unnamed;

/// Tells apart the tries of this process.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// Makes a file in `folder` and takes it away again.
///
/// # Errors
/// What the system says against it.
pub fn probe(folder: &Path) -> io::Result<()> {
    if unnamed::create(folder).is_some() {
        return Ok(());
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let file = folder.join(format!(".poterne-{}-{number}.probe", std::process::id()));
    File::options().write(true).create_new(true).open(&file)?;
    std::fs::remove_file(&file)
}

/// Bytes that this user may still write in `folder`; `None` where the system
/// does not say.
#[cfg(unix)]
pub fn free(folder: &Path) -> Option<u64> {
    let about = rustix::fs::statvfs(folder).ok()?;
    Some(about.f_bavail.saturating_mul(about.f_frsize))
}

/// Not asked elsewhere: writing says it soon enough.
#[cfg(not(unix))]
pub fn free(_folder: &Path) -> Option<u64> {
    None
}
