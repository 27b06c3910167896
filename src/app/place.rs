//! Places that a person named for something new: looked at before anything is
//! asked, made or announced. It writes nothing that stays.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::lang::Bi;
use crate::os::{paths, room};

use super::api::{AppError, Code};
use super::text;

/// Room that a new vault or a small file needs at least.
const ROOM: u64 = 256 * 1024;

/// Refuses a place where no new file can come: its folder is missing, cannot be
/// written, or is full.
///
/// # Errors
/// What is wrong with the place, and that another one can be named.
pub fn takes_a_file(file: &Path) -> Result<(), AppError> {
    takes(file, ROOM)
}

/// As [`takes_a_file`], for so many bytes.
///
/// # Errors
/// As there.
pub fn takes(file: &Path, bytes: u64) -> Result<(), AppError> {
    let folder = folder(file);
    match std::fs::metadata(folder) {
        Ok(meta) if meta.is_dir() => {}
        Ok(_) => return Err(refused(folder, &io::Error::from(io::ErrorKind::NotADirectory))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder.display();
            return Err(AppError {
                code: Code::Other,
                what: Bi::new(
                    format!("Le dossier {folder} n’existe pas."),
                    format!("The folder {folder} does not exist."),
                ),
                todo: Bi::new(
                    "Créez ce dossier, ou nommez un fichier dans un dossier qui existe\u{a0}; rien n’a été écrit.",
                    "Make that folder, or name a file in a folder that exists; nothing was written.",
                ),
            });
        }
        Err(error) => return Err(refused(folder, &error)),
    }
    if file.is_dir() {
        return Err(refused(file, &io::Error::from(io::ErrorKind::IsADirectory)));
    }
    // What is renamed into its place would put an end to a device or a pipe.
    if file.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Err(refused(file, &text::irregular()));
    }
    room::probe(folder).map_err(|error| refused(folder, &error))?;
    if room::free(folder).is_some_and(|free| free < bytes) {
        return Err(refused(folder, &io::Error::from(io::ErrorKind::StorageFull)));
    }
    Ok(())
}

/// Refuses what [`takes_a_file`] refuses, and a file that is there already.
///
/// # Errors
/// As there, or the file exists.
pub fn takes_a_new_file(file: &Path) -> Result<(), AppError> {
    if file.symlink_metadata().is_ok() && !file.is_dir() {
        let name = file.display();
        return Err(AppError {
            code: Code::Other,
            what: Bi::new(
                format!("Il y a déjà un fichier à {name}."),
                format!("There is a file at {name} already."),
            ),
            todo: Bi::new(
                "Choisissez un autre nom\u{a0}; rien n’a été changé.",
                "Choose another name; nothing was changed.",
            ),
        });
    }
    takes_a_file(file)
}

/// Refuses a place where no new vault can be kept, before anybody chooses factors
/// for it: as [`takes_a_new_file`] and [`keeps_a_device_key`]. The folder of the
/// default vault is made, for nobody else makes it.
///
/// # Errors
/// As there.
pub fn takes_a_new_vault(file: &Path, portable: bool) -> Result<(), AppError> {
    keeps_a_device_key(portable)?;
    let is_default = paths::default_vault()
        .is_ok_and(|d| file == d || file == paths::canonical_vault(&d).as_path());
    if is_default && !file.exists() {
        paths::private_folder(folder(file)).map_err(|error| text::unusable(&error))?;
    }
    takes_a_new_file(file)
}

/// Refuses when what this computer must keep about a vault has no place: its
/// device key. `portable` vaults have none.
///
/// # Errors
/// There is no home folder.
pub fn keeps_a_device_key(portable: bool) -> Result<(), AppError> {
    if portable {
        return Ok(());
    }
    paths::config_folder().map(drop).map_err(|error| text::homeless(&error))
}

fn refused(place: &Path, error: &io::Error) -> AppError {
    let cause = text::cause(error);
    let place: PathBuf = place.to_owned();
    let place = place.display();
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("Rien ne peut être écrit à {place}\u{a0}: {}.", cause.fr),
            format!("Nothing can be written at {place}: {}.", cause.en),
        ),
        todo: Bi::new(
            "Vérifiez les droits et l’espace libre, ou nommez un autre endroit\u{a0}; rien n’a été écrit.",
            "Check permissions and free space, or name another place; nothing was written.",
        ),
    }
}

fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
