//! An authority that vouches for nobody, as a file: for programs and crates that
//! trust the machine's authorities unless they are shown others.

use std::path::PathBuf;
use std::{fs, io};

use super::paths;

/// Its key was never kept.
const NOBODY: &str = include_str!("../../assets/gateway/nobody.pem");

/// The file, which is written where it is not there yet.
///
/// # Errors
/// It cannot be written.
pub fn nobody() -> io::Result<PathBuf> {
    let folder = paths::state_folder().map_err(io::Error::other)?;
    let file = folder.join("nobody.pem");
    if fs::read_to_string(&file).is_ok_and(|there| there == NOBODY) {
        return Ok(file);
    }
    fs::create_dir_all(&folder)?;
    // Another process may read it meanwhile: it is whole at any time.
    let new = folder.join(format!("nobody.{}", std::process::id()));
    fs::write(&new, NOBODY)?;
    fs::rename(&new, &file)?;
    Ok(file)
}
