//! Profiles in files, alone or a folder of them, with what lies beside them. Reads
//! nothing else and writes nothing.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use crate::app::api::{AppError, Code};
use crate::app::text;
use crate::connect::openvpn::profile::provisioning::{self, Provisioning};
use crate::connect::openvpn::profile::{MAX_BYTES, MAX_FILE_BYTES};
use crate::model::lang::Bi;
use crate::os::beside::{self, Folder};
use crate::secret::SecretBytes;

use super::found::Found;

/// What names of profiles end with.
const PROFILES: &[&str] = &["ovpn", "conf"];
/// What names of provisioning files end with.
const PROVISIONING: &str = "pro";

/// What was found at a place.
#[derive(Default)]
pub struct Taken {
    /// Profiles, by name.
    pub found: Vec<Found>,
    /// Firewalls whose portals give profiles.
    pub portals: Vec<Provisioning>,
    /// Files that are no profile that is taken, and why.
    pub refused: Vec<(String, AppError)>,
}

/// The profile in a file, or all of a folder: `.ovpn`, `.conf` of clients, `.pro`.
///
/// # Errors
/// The place cannot be read, nothing is in it, or the one file is refused.
pub fn of_path(path: &Path) -> Result<Taken, AppError> {
    if path.is_dir() {
        return of_folder(path);
    }
    let folder = path.parent().unwrap_or(Path::new(""));
    let folder = Folder::open(folder).map_err(|e| unread(path, &e))?;
    let text = beside::named(path, MAX_BYTES).map_err(|e| unread(path, &e))?;
    let mut taken = Taken::default();
    take(&folder, path, SecretBytes::new(text), &mut taken)?;
    Ok(taken)
}

/// What gives the files that lie beside the profile at `path`, by plain names: never
/// what a link leads to.
///
/// # Errors
/// Its folder cannot be opened.
pub fn beside(path: &Path) -> Result<impl FnMut(&str) -> io::Result<Vec<u8>> + use<>, AppError> {
    let folder = Folder::open(path.parent().unwrap_or(Path::new("")));
    let folder = folder.map_err(|e| unread(path, &e))?;
    Ok(move |name: &str| folder.read(name, MAX_FILE_BYTES))
}

fn of_folder(path: &Path) -> Result<Taken, AppError> {
    let folder = Folder::open(path).map_err(|e| unread(path, &e))?;
    let endings = [PROFILES, &[PROVISIONING]].concat();
    let names = folder.names(&endings).map_err(|e| unread(path, &e))?;
    let mut taken = Taken::default();
    for name in names {
        let file = path.join(&name);
        let done = match folder.read(&name, MAX_BYTES) {
            // Others keep their settings in files of that ending too.
            Ok(text) if ends(&file, "conf") && !is_of_client(&text) => continue,
            Ok(text) => take(&folder, &file, SecretBytes::new(text), &mut taken),
            Err(error) => Err(unread(&file, &error)),
        };
        if let Err(error) = done {
            taken.refused.push((name, error));
        }
    }
    if taken.found.is_empty() && taken.portals.is_empty() && taken.refused.is_empty() {
        return Err(nothing(path));
    }
    Ok(taken)
}

fn take(folder: &Folder, path: &Path, text: SecretBytes, to: &mut Taken) -> Result<(), AppError> {
    if ends(path, PROVISIONING) {
        let read = text.expose(provisioning::read);
        let read = read.map_err(|e| AppError { code: Code::Other, what: e.what(), todo: e.todo() });
        to.portals.extend(read?);
        return Ok(());
    }
    let name = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let source = whole.to_str().unwrap_or_default();
    let mut beside = |name: &str| folder.read(name, MAX_FILE_BYTES);
    to.found.push(text.expose(|text| Found::of(&name, source, text, &mut beside))?);
    Ok(())
}

fn ends(path: &Path, ending: &str) -> bool {
    let end = path.extension().and_then(OsStr::to_str).unwrap_or_default();
    end.eq_ignore_ascii_case(ending)
}

/// Whether a line says so.
fn is_of_client(text: &[u8]) -> bool {
    let first = |line: &[u8]| {
        let word = line.trim_ascii_start().split(u8::is_ascii_whitespace).next();
        matches!(word, Some(b"client" | b"tls-client"))
    };
    text.split(|byte| *byte == b'\n').any(first)
}

fn unread(path: &Path, error: &std::io::Error) -> AppError {
    let (path, cause) = (path.display(), text::cause(error));
    let code = match error.kind() {
        std::io::ErrorKind::NotFound => Code::NotFound,
        _ => Code::Other,
    };
    AppError {
        code,
        what: Bi::new(
            format!("Le profil {path} ne peut pas être lu\u{a0}: {}.", cause.fr),
            format!("The profile {path} cannot be read: {}.", cause.en),
        ),
        todo: Bi::new(
            "Vérifiez son chemin et ses droits, puis recommencez.",
            "Check its path and its permissions, then try again.",
        ),
    }
}

fn nothing(path: &Path) -> AppError {
    let path = path.display();
    AppError {
        code: Code::NotFound,
        what: Bi::new(
            format!("Il n’y a pas de profil OpenVPN dans {path}."),
            format!("There is no profile of OpenVPN in {path}."),
        ),
        todo: Bi::new(
            "Nommez un fichier .ovpn, ou le dossier qui en contient\u{a0}; un fichier .conf doit \
             avoir une ligne «\u{a0}client\u{a0}».",
            "Name an .ovpn file, or the folder that has some; a .conf file must have a line \
             “client”.",
        ),
    }
}
