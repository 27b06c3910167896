//! What a node may be called and where it may be. Never stores anything.

use crate::app::api::{AppError, Code};
use crate::model::entry::{Entry, Kind, Summary};
use crate::model::lang::Bi;
use crate::model::unseen::{blank, hidden};
use crate::vault::unlocked::Unlocked;

pub(super) fn misplaced() -> AppError {
    AppError::usage(
        (
            "Un client est au premier niveau\u{a0}; tout le reste est dans un client.",
            "A client is at the top level; everything else is inside a client.",
        ),
        ("Écrivez le chemin comme Client/Dossier/Nom.", "Write the path as Client/Folder/Name."),
    )
}

/// Something is to go into an entry that holds no others.
pub(super) fn no_folder(path: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!("«\u{a0}{path}\u{a0}» n’est pas un dossier\u{a0}: rien ne peut être dedans."),
            format!("“{path}” is no folder: nothing can be inside of it."),
        ),
        todo: Bi::new(
            "Choisissez un client ou un dossier\u{a0}; pour créer un dossier\u{a0}: poterne add folder CHEMIN",
            "Choose a client or folder; to make a folder: poterne add folder PATH",
        ),
    }
}

/// Deepest place of a node: a client is at 1.
const DEPTH_MAX: usize = 32;

/// Refuses a place below `parent` for something `height` levels high.
pub(super) fn check_depth(v: &Unlocked, parent: &Summary, height: usize) -> Result<(), AppError> {
    if v.index.upward(parent).len() + height <= DEPTH_MAX {
        return Ok(());
    }
    Err(AppError::usage(
        (
            "Cet endroit est trop profond\u{a0}: 32 niveaux au plus.",
            "This place is too deep: at most 32 levels.",
        ),
        ("Choisissez un dossier plus haut.", "Choose a folder further up."),
    ))
}

/// Refuses control characters where one line is meant.
pub(super) fn check_lines(entry: &Entry) -> Result<(), AppError> {
    let code = entry.client_info.as_ref().map_or("", |info| &info.code);
    let named = entry.custom.iter().map(|c| c.name.as_str());
    let files = entry.attachments.iter().map(|a| a.name.as_str());
    let tags = entry.tags.iter().map(String::as_str);
    let all = [entry.host.as_str(), entry.user.as_str(), code].into_iter();
    let all = all.chain(tags).chain(named).chain(files);
    let found = all.filter(|text| text.chars().any(char::is_control)).map(|text| {
        let shown: String = text.chars().map(|c| if c.is_control() { '�' } else { c }).collect();
        AppError {
            code: Code::Usage,
            what: Bi::new(
                format!(
                    "«\u{a0}{shown}\u{a0}» contient un saut de ligne ou un caractère de contrôle."
                ),
                format!("“{shown}” contains a line break or a control character."),
            ),
            todo: Bi::new(
                "Recopiez la valeur sans lui\u{a0}; une description peut avoir plusieurs lignes.",
                "Copy the value without it; a description may have several lines.",
            ),
        }
    });
    found.into_iter().next().map_or(Ok(()), Err)
}

/// Refuses an empty, slashed or taken name, and one that does not show what it is.
pub(super) fn check_name(v: &Unlocked, entry: &Entry) -> Result<(), AppError> {
    let name = entry.name.trim();
    let known = v.index.get(&entry.id).is_some_and(|was| was.name == entry.name);
    if !known
        && (blank(name)
            || name != entry.name
            || name.contains('/')
            || name.chars().any(hidden)
            || name.len() > 200)
    {
        return Err(AppError::usage(
            (
                "Ce nom ne convient pas\u{a0}: vide, trop long (200 octets au plus), ou avec une barre oblique ou un caractère invisible.",
                "This name will not do: empty, too long (at most 200 bytes), or with a slash or an invisible character.",
            ),
            ("Choisissez un autre nom.", "Choose another name."),
        ));
    }
    if !known && entry.kind == Kind::CLIENT && name.starts_with('~') {
        return Err(AppError::usage(
            (
                "Un nom de client ne commence pas par «\u{a0}~\u{a0}»\u{a0}: c’est la marque des espaces privés.",
                "A client's name does not begin with “~”: that marks private spaces.",
            ),
            (
                "Choisissez un autre nom\u{a0}; votre espace privé est ~/.",
                "Choose another name; your private space is ~/.",
            ),
        ));
    }
    let taken = match entry.parent.and_then(|p| v.index.get(&p)) {
        Some(parent) => v.index.child(&parent, name),
        None => v.index.top(name),
    };
    match taken {
        Some(other) if other.id != entry.id => Err(AppError::usage(
            (
                "Il y a déjà une entrée de ce nom à cet endroit.",
                "There is an entry of this name at this place already.",
            ),
            ("Choisissez un autre nom.", "Choose another name."),
        )),
        _ => Ok(()),
    }
}

pub(super) fn free_name(v: &Unlocked, entry: &mut Entry) {
    let base = entry.name.clone();
    let mut n = 2;
    while check_name(v, entry).is_err() && n < 1000 {
        entry.name = format!("{base} ({n})");
        n += 1;
    }
}
