//! Fields the person added: giving them another name.

use std::collections::{BTreeMap, BTreeSet};

use crate::connect;
use crate::model::entry::{Entry, Kind, Slot};
use crate::model::lang::Bi;

use super::api::{AppError, Code};

/// Fields of every entry, by the names that `show --field` and `--clear` know.
const FIELDS: [&str; 13] = [
    "id",
    "path",
    "kind",
    "name",
    "host",
    "port",
    "user",
    "tag",
    "tags",
    "favourite",
    "description",
    "expires",
    "credential",
];

/// What only a client has.
const OF_CLIENTS: [&str; 6] =
    ["code", "colour", "ticket-pattern", "ticket-url", "ticket-required", "reason-required"];

/// Refuses a new custom field that one asks for a field, a secret or a setting by:
/// the one would hide the other. A field that has such a name already may keep it.
pub(super) fn check_name(entry: &Entry, name: &str) -> Result<(), AppError> {
    let setting = || connect::all().iter().flat_map(|c| c.fields()).any(|f| f.id == name);
    let secret = || !matches!(name.parse(), Ok(Slot::Custom(_)));
    let client = || entry.kind == Kind::CLIENT && OF_CLIENTS.contains(&name);
    let taken = FIELDS.contains(&name) || client() || setting() || secret();
    if !taken || entry.custom.iter().any(|c| c.name == name) {
        return Ok(());
    }
    Err(AppError {
        code: Code::Usage,
        what: Bi::new(
            format!(
                "Un champ ajouté ne peut pas s’appeler «\u{a0}{name}\u{a0}»\u{a0}: ce nom est déjà celui d’un champ ou d’un secret."
            ),
            format!(
                "A custom field cannot be called “{name}”: that is the name of a field or secret already."
            ),
        ),
        todo: Bi::new(
            "Donnez-lui un autre nom, ou remplissez le champ ou le secret lui-même.",
            "Give it another name, or fill in the field or secret itself.",
        ),
    })
}

/// Gives custom fields new names; their values, secret ones too, go along. All at
/// once, so that two fields may swap their names. A field that has a new name
/// already, and none of its own here, makes room.
pub(super) fn rename(entry: &mut Entry, names: &BTreeMap<String, String>) -> Result<(), AppError> {
    if names.is_empty() {
        return Ok(());
    }
    if let Some(name) = names.keys().find(|name| entry.custom.iter().all(|c| c.name != **name)) {
        return Err(AppError {
            code: Code::NotFound,
            what: Bi::new(
                format!("Il n’y a pas de champ ajouté «\u{a0}{name}\u{a0}»."),
                format!("There is no custom field “{name}”."),
            ),
            todo: Bi::new(
                "Relisez l’entrée, puis refaites votre modification.",
                "Read the entry again, then redo your change.",
            ),
        });
    }
    let wanted: BTreeSet<&str> = names.values().map(String::as_str).collect();
    if wanted.len() < names.len() || wanted.iter().any(|name| name.trim().is_empty()) {
        return Err(AppError::usage(
            (
                "Deux champs ajoutés auraient le même nom, ou aucun.",
                "Two custom fields would have the same name, or none.",
            ),
            ("Donnez un nom différent à chacun.", "Give each a different name."),
        ));
    }
    for name in &wanted {
        check_name(entry, name)?;
    }
    let gone = |name: &str| wanted.contains(name) && !names.contains_key(name);
    entry.custom.retain(|c| !gone(&c.name));
    for field in &mut entry.custom {
        if let Some(to) = names.get(&field.name) {
            field.name.clone_from(to);
        }
    }
    let named = |slot: Slot| match slot {
        Slot::Custom(name) if gone(&name) => None,
        Slot::Custom(name) => Some(Slot::Custom(names.get(&name).cloned().unwrap_or(name))),
        other => Some(other),
    };
    let secrets = std::mem::take(&mut entry.secrets);
    let kept = secrets.into_iter().filter_map(|(slot, at)| Some((named(slot)?, at)));
    entry.secrets = kept.collect();
    Ok(())
}
