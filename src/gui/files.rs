//! Files that the person chooses: the desktop's chooser, reading into wiped
//! memory, writing in one go. Never touches the vault file.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::app::api::{AppError, Code};
use crate::app::{desktop, export, qr, vpn};
use crate::connect::openvpn::profile;
use crate::model::lang::Bi;
use crate::secret::{SecretBytes, SecretText};

use super::entries::profile::Imported;
use super::worker::Pick;

/// What became of the chooser.
pub enum Choice {
    /// This file.
    File(PathBuf),
    /// Closed without a choice.
    Closed,
    /// This desktop has none.
    NoChooser,
}

/// Shows the desktop's file chooser and waits; never on the painting thread.
/// `name` is the proposed file name for those that save.
pub fn choose(pick: &Pick, name: &str) -> Choice {
    // The library would log that nothing can be shown and answer as if the person
    // had closed it.
    if !desktop::file_chooser() {
        return Choice::NoChooser;
    }
    let dialog = rfd::FileDialog::new();
    let chosen = match pick {
        Pick::NewVault | Pick::SaveKit | Pick::SaveAttachment(..) | Pick::Export | Pick::Backup => {
            dialog.set_file_name(name).save_file()
        }
        Pick::CopiedFiles(_) => dialog.pick_folder(),
        Pick::QrPicture => dialog.add_filter("PNG, JPEG", &["png", "jpg", "jpeg"]).pick_file(),
        Pick::Profile => dialog.add_filter("OpenVPN", &["ovpn", "conf"]).pick_file(),
        Pick::Manifest => dialog.add_filter("TOML", &["toml"]).pick_file(),
        Pick::PrivateKey | Pick::AddAttachment | Pick::OpenVault(_) | Pick::SendFile(..) => {
            dialog.pick_file()
        }
    };
    chosen.map_or(Choice::Closed, Choice::File)
}

/// Reads a whole file of at most `max` bytes.
///
/// # Errors
/// It cannot be read, or is larger.
pub fn read(path: &Path, max: u64) -> Result<SecretBytes, AppError> {
    let file = fs::File::open(path).map_err(|e| io_error(path, &e))?;
    let size = file.metadata().map_err(|e| io_error(path, &e))?.len();
    if size > max {
        return Err(AppError {
            code: Code::Usage,
            what: Bi::new(
                format!("«\u{a0}{}\u{a0}» est trop grand.", path.display()),
                format!("“{}” is too large.", path.display()),
            ),
            todo: Bi::new(
                format!("Choisissez un fichier d’au plus {} Mio.", max >> 20),
                format!("Choose a file of at most {} MiB.", max >> 20),
            ),
        });
    }
    // The buffer has its final size from the start, so that it never moves.
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0) + 1);
    let done = file.take(max).read_to_end(&mut bytes);
    let bytes = SecretBytes::new(bytes);
    done.map(|_| bytes).map_err(|e| io_error(path, &e))
}

/// Reads a profile of OpenVPN, and of the folder that it lies in the files that it
/// names: none of another folder, and none where a link leads to.
///
/// # Errors
/// It cannot be read, or is no profile for a client.
pub fn read_profile(path: &Path) -> Result<Imported, AppError> {
    let bytes = read(path, profile::MAX_BYTES as u64)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut beside = vpn::beside(path)?;
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let source = whole.display().to_string();
    bytes.expose(|bytes| Imported::read(name, source, bytes, &mut beside))
}

/// Writes a new file for its owner alone, or replaces one: what was there stays
/// until the new one is whole and on the disk.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), AppError> {
    export::write_whole(path, bytes)
}

/// The text in the QR code of a picture file.
///
/// # Errors
/// The file is no picture, or no code is found in it.
pub fn read_qr(path: &Path) -> Result<SecretBytes, AppError> {
    let none = || AppError {
        code: Code::Usage,
        what: Bi::new(
            "Aucun QR code lisible dans cette image.",
            "No readable QR code in this picture.",
        ),
        todo: Bi::new(
            "Prenez une image plus nette, ou saisissez la clé en texte.",
            "Take a sharper picture, or type the key as text.",
        ),
    };
    let bytes = read(path, qr::FILE_MAX_BYTES)?;
    bytes.expose(qr::text).map(SecretText::into_bytes).ok_or_else(none)
}

fn io_error(path: &Path, error: &std::io::Error) -> AppError {
    let reason = error.kind().to_string();
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("Le fichier «\u{a0}{}\u{a0}» est inaccessible ({reason}).", path.display()),
            format!("The file “{}” cannot be used ({reason}).", path.display()),
        ),
        todo: Bi::new(
            "Vérifiez le dossier, vos droits et la place libre.",
            "Check the folder, your rights and the free space.",
        ),
    }
}
