//! Small secrets of this computer, such as the device key: in the system's
//! keyring where one answers, else in a 0600 file of the configuration folder.
//! Never waits for ever: a keyring that does not answer counts as absent.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use crate::secret::SecretBytes;

use super::paths::{self, PlaceError};

/// Name of the program in the keyring.
const SERVICE: &str = "poterne";
/// How long a keyring may take to say whether it is there.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// How long it may take for one item: the person may have to unlock it.
const ITEM_LIMIT: Duration = Duration::from_secs(60);

/// Where a secret lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// In the system's keyring.
    Keyring,
    /// In this file, readable by its owner only. The person is told.
    File(PathBuf),
}

/// Why a secret cannot be kept, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// There is no folder for the file.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// The file cannot be read or written.
    #[error("the key file {} cannot be used: {source}", file.display())]
    File {
        /// Which one.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Others may read the file: its content is not to be trusted any more.
    #[error("the key file {} has mode {mode:03o}; it must be 600", file.display())]
    OpenToOthers {
        /// Which one.
        file: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The file belongs to another user, or is not a plain file.
    #[error("the key file {} belongs to somebody else", file.display())]
    Foreign {
        /// Which one.
        file: PathBuf,
    },
    /// The keyring refused, for instance because it stayed locked.
    #[error("the system's keyring refused: {reason}")]
    Keyring {
        /// Its own words; they never hold the secret.
        reason: String,
    },
}

/// Keeps `secret` under `name` (lower-case letters, digits and dashes) and
/// says where. A copy in the other place is removed.
///
/// # Errors
/// Neither place takes it.
pub fn store(name: &str, secret: &SecretBytes) -> Result<Kept, KeepError> {
    if available() {
        let (item, copy) = (name.to_owned(), secret.duplicate());
        let done = within(ITEM_LIMIT, move || {
            let entry = keyring::Entry::new(SERVICE, &item)?;
            copy.expose(|bytes| entry.set_secret(bytes))
        });
        if matches!(done, Some(Ok(()))) {
            let file = file_of(name)?;
            if file.exists() {
                remove_file(&file)?;
            }
            return Ok(Kept::Keyring);
        }
    }
    let file = file_of(name)?;
    write_file(&file, secret)?;
    Ok(Kept::File(file))
}

/// The secret called `name` and where it lies, or `None`.
///
/// # Errors
/// The file cannot be trusted or read, or the keyring refuses.
pub fn load(name: &str) -> Result<Option<(SecretBytes, Kept)>, KeepError> {
    let file = file_of(name)?;
    if let Some(secret) = read_file(&file)? {
        return Ok(Some((secret, Kept::File(file))));
    }
    if !available() {
        return Ok(None);
    }
    let item = name.to_owned();
    let got = within(ITEM_LIMIT, move || {
        keyring::Entry::new(SERVICE, &item)?.get_secret().map(SecretBytes::new)
    });
    match got {
        Some(Ok(secret)) => Ok(Some((secret, Kept::Keyring))),
        Some(Err(keyring::Error::NoEntry | keyring::Error::NoDefaultStore)) => Ok(None),
        Some(Err(error)) => Err(KeepError::Keyring { reason: words(&error) }),
        None => Err(KeepError::Keyring { reason: "it does not answer".to_owned() }),
    }
}

/// Removes `name` from both places. Nothing to remove is no error.
///
/// # Errors
/// It is there and cannot be removed.
pub fn delete(name: &str) -> Result<(), KeepError> {
    let file = file_of(name)?;
    if file.exists() {
        remove_file(&file)?;
    }
    if !available() {
        return Ok(());
    }
    let item = name.to_owned();
    match within(ITEM_LIMIT, move || keyring::Entry::new(SERVICE, &item)?.delete_credential()) {
        Some(Ok(()) | Err(keyring::Error::NoEntry)) | None => Ok(()),
        Some(Err(error)) => Err(KeepError::Keyring { reason: words(&error) }),
    }
}

/// Whether a system keyring answers within two seconds. Asked once.
pub fn available() -> bool {
    static ANSWER: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    *ANSWER.get_or_init(|| {
        bus_in_sight()
            && within(PROBE_LIMIT, || keyring::Entry::store_status().is_ok()) == Some(true)
    })
}

/// Without a session bus there is no Secret Service to look for.
#[cfg(all(unix, not(target_os = "macos")))]
fn bus_in_sight() -> bool {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    set("DBUS_SESSION_BUS_ADDRESS").is_some()
        || set("XDG_RUNTIME_DIR").is_some_and(|dir| Path::new(&dir).join("bus").exists())
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn bus_in_sight() -> bool {
    true
}

/// Runs `work` on a thread of its own and gives up after `limit`.
fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = mpsc::channel();
    std::thread::Builder::new()
        .name("keyring".to_owned())
        .spawn(move || {
            // The receiver is gone when it has given up; that is no failure here.
            let _ = done.send(work());
        })
        .ok()?;
    result.recv_timeout(limit).ok()
}

/// The error's kind and reason; its variants that carry the value say nothing.
fn words(error: &keyring::Error) -> String {
    match error {
        keyring::Error::BadEncoding(_) | keyring::Error::BadDataFormat(..) => {
            "the item is damaged".to_owned()
        }
        other => other.to_string(),
    }
}

fn file_of(name: &str) -> Result<PathBuf, KeepError> {
    debug_assert!(name.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')));
    Ok(paths::config_folder()?.join(format!("{name}.key")))
}

fn remove_file(file: &Path) -> Result<(), KeepError> {
    std::fs::remove_file(file).map_err(|source| KeepError::File { file: file.to_owned(), source })
}

/// Written beside, synced, then renamed over: never half a key.
fn write_file(file: &Path, secret: &SecretBytes) -> Result<(), KeepError> {
    use std::io::Write as _;
    let folder = file.parent().expect("the file was joined to a folder");
    paths::private_folder(folder)?;
    let failed = |source| KeepError::File { file: file.to_owned(), source };
    let fresh = file.with_extension(format!("{}.new", std::process::id()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut out = options.open(&fresh).map_err(failed)?;
    secret
        .expose(|bytes| out.write_all(bytes))
        .and_then(|()| out.sync_all())
        .and_then(|()| std::fs::rename(&fresh, file))
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&fresh);
        })
        .map_err(failed)?;
    #[cfg(unix)]
    if let Ok(folder) = std::fs::File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

fn read_file(file: &Path) -> Result<Option<SecretBytes>, KeepError> {
    use std::io::Read as _;
    let failed = |source| KeepError::File { file: file.to_owned(), source };
    let mut options = std::fs::OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NONBLOCK);
    let mut input = match options.open(file) {
        Ok(input) => input,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    let meta = input.metadata().map_err(failed)?;
    check_owner(file, &meta)?;
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0).min(64 * 1024) + 1);
    input.by_ref().take(64 * 1024).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(SecretBytes::new(bytes)))
}

#[cfg(unix)]
fn check_owner(file: &Path, meta: &std::fs::Metadata) -> Result<(), KeepError> {
    use std::os::unix::fs::MetadataExt;
    if !meta.is_file() || meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(KeepError::Foreign { file: file.to_owned() });
    }
    match meta.mode() & 0o777 {
        mode if mode & 0o077 == 0 => Ok(()),
        mode => Err(KeepError::OpenToOthers { file: file.to_owned(), mode }),
    }
}

#[cfg(not(unix))]
fn check_owner(_file: &Path, _meta: &std::fs::Metadata) -> Result<(), KeepError> {
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_key_file_is_private_and_read_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("poterne/device.key");
        assert!(read_file(&file).expect("absent is no error").is_none());
        write_file(&file, &SecretBytes::copy_of(b"0123456789abcdef")).expect("it can be written");
        let mode = std::fs::metadata(&file).expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let back = read_file(&file).expect("it is ours").expect("it is there");
        assert!(back.expose(|bytes| bytes == b"0123456789abcdef"));
    }

    #[test]
    fn a_key_file_open_to_others_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("device.key");
        write_file(&file, &SecretBytes::copy_of(b"k")).expect("it can be written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640))
            .expect("it is ours");
        assert!(matches!(read_file(&file), Err(KeepError::OpenToOthers { mode: 0o640, .. })));
    }
}
