//! Where things lie on this machine: vault, configuration, state, and the
//! agent's socket. It makes the private folders; it never reads a secret.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Name of our folder in each of the platform's folders.
const FOLDER: &str = "poterne";
/// Name of the default vault.
const VAULT: &str = "coffre.poterne";

/// Why a place cannot be named or made.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The environment names no home folder.
    #[error("HOME is not set, so there is no folder for {what}")]
    NoHome {
        /// What was to lie there: `data`, `configuration`, `state`.
        what: &'static str,
    },
    /// The folder cannot be made or looked at.
    #[error("the folder {} cannot be used: {source}", folder.display())]
    Folder {
        /// Which one.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder is open to others, or belongs to somebody else.
    #[error("the folder {} is not private to this user", folder.display())]
    NotPrivate {
        /// Which one.
        folder: PathBuf,
    },
}

/// Folder for the vault and its backups. Not made.
///
/// # Errors
/// There is no home folder.
pub fn data_folder() -> Result<PathBuf, PlaceError> {
    place("data", "XDG_DATA_HOME", ".local/share", dirs::data_dir)
}

/// Folder for the configuration and a device key without a keyring. Not made.
///
/// # Errors
/// There is no home folder.
pub fn config_folder() -> Result<PathBuf, PlaceError> {
    place("configuration", "XDG_CONFIG_HOME", ".config", dirs::config_dir)
}

/// Folder for what this computer remembers. Not made.
///
/// # Errors
/// There is no home folder.
pub fn state_folder() -> Result<PathBuf, PlaceError> {
    place("state", "XDG_STATE_HOME", ".local/state", || {
        dirs::state_dir().or_else(dirs::data_local_dir)
    })
}

/// The vault to use when nobody names one.
///
/// # Errors
/// There is no home folder.
pub fn default_vault() -> Result<PathBuf, PlaceError> {
    Ok(data_folder()?.join(VAULT))
}

/// The one name of a vault file: absolute and without symbolic links, also for
/// a file that does not exist yet.
pub fn canonical_vault(file: &Path) -> PathBuf {
    if let Ok(found) = fs::canonicalize(file) {
        return found;
    }
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match (file.parent().map(fs::canonicalize), file.file_name()) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => file,
    }
}

/// The agent's socket for a vault, in a folder that is made and private:
/// `$XDG_RUNTIME_DIR/poterne/`, else `agent/` in the state folder. The name is
/// a digest of the vault's canonical path.
///
/// # Errors
/// No folder can be named, made, or trusted.
pub fn agent_socket(vault: &Path) -> Result<PathBuf, PlaceError> {
    let folder = runtime_folder()?;
    private_folder(&folder)?;
    let digest = Sha256::digest(canonical_vault(vault).as_os_str().as_encoded_bytes());
    let mut name = String::from("agent-");
    for byte in &digest[..12] {
        write!(name, "{byte:02x}").expect("writing to a String cannot fail");
    }
    Ok(folder.join(name + ".sock"))
}

/// The folder of [`agent_socket`], not made.
///
/// # Errors
/// There is no home folder, and no runtime folder either.
pub fn runtime_folder() -> Result<PathBuf, PlaceError> {
    match absolute_var("XDG_RUNTIME_DIR").filter(|dir| dir.is_dir()) {
        Some(dir) => Ok(dir.join(FOLDER)),
        None => Ok(state_folder()?.join("agent")),
    }
}

/// Makes `folder` with mode 0700 if it is missing and checks that it is a
/// folder of this user and of nobody else.
///
/// # Errors
/// It cannot be made, or others may enter it.
pub fn private_folder(folder: &Path) -> Result<(), PlaceError> {
    let failed = |source| PlaceError::Folder { folder: folder.to_owned(), source };
    make_private(folder).map_err(failed)?;
    if is_private(folder).map_err(failed)? {
        Ok(())
    } else {
        Err(PlaceError::NotPrivate { folder: folder.to_owned() })
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(unix)]
fn is_private(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let meta = fs::symlink_metadata(folder)?;
    if !meta.is_dir() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Ok(false);
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(true)
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(not(unix))]
fn is_private(_folder: &Path) -> io::Result<bool> {
    // A profile folder is private to its user by the system's own rules.
    Ok(true)
}

/// Our folder under an XDG variable, else under `HOME`; elsewhere than on a
/// free desktop, what the system says.
fn place(
    what: &'static str,
    var: &str,
    below_home: &str,
    system: fn() -> Option<PathBuf>,
) -> Result<PathBuf, PlaceError> {
    let base = if cfg!(all(unix, not(target_os = "macos"))) {
        absolute_var(var).or_else(|| absolute_var("HOME").map(|home| home.join(below_home)))
    } else {
        system()
    };
    base.map(|base| base.join(FOLDER)).ok_or(PlaceError::NoHome { what })
}

/// A variable that holds an absolute path; the XDG rules ignore others.
fn absolute_var(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value: &OsString| !value.is_empty())
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_has_one_name_whatever_way_leads_to_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("v.poterne");
        let canonical = canonical_vault(&file);
        assert_eq!(canonical_vault(&folder.path().join(".").join("v.poterne")), canonical);
        fs::write(&file, b"").expect("a writable folder");
        assert_eq!(canonical_vault(&file), canonical);
    }

    #[cfg(unix)]
    #[test]
    fn a_private_folder_is_closed_to_others() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let inside = folder.path().join("a/b");
        private_folder(&inside).expect("it can be made");
        let mode = fs::metadata(&inside).expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&inside, &link).expect("a writable folder");
        assert!(matches!(private_folder(&link), Err(PlaceError::NotPrivate { .. })));
    }
}
