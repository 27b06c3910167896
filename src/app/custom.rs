//! Fields the person added: giving them another name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::entry::{Entry, Slot};
use crate::model::lang::Bi;

use super::api::{AppError, Code};

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
