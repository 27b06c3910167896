//! Fields the person added, as the form has them: their names, which of them are
//! secrets, and what of it is to be saved. Knows no egui.

use std::collections::BTreeSet;

use zeroize::Zeroize;

use crate::app::api::{Patch, SecretChange};
use crate::gui::widgets::secret_buffer::{LINE_BYTES, SecretBuffer};
use crate::model::entry::{CustomField, Slot};
use crate::model::lang::Bi;

use super::editor::Editor;

/// One field the person added.
pub struct CustomRow {
    /// Its number in the form, whatever rows come and go.
    pub key: u64,
    /// Its name.
    pub name: String,
    /// Kept as a secret.
    pub secret: bool,
    /// Its value, when it is none.
    pub value: String,
    /// Its value, when it is one; empty leaves the saved one.
    pub hidden: SecretBuffer,
    /// Name in the saved entry.
    pub saved: Option<String>,
}

impl CustomRow {
    /// Makes it a secret or not. A readable value moves into the wiped buffer; a
    /// secret one never moves out of it, so that one click shows none: the form
    /// asks for the value anew.
    pub fn set_secret(&mut self, secret: bool) {
        self.secret = secret;
        if !secret || self.value.is_empty() {
            return;
        }
        if self.value.len() > LINE_BYTES || self.value.contains('\n') {
            self.hidden = SecretBuffer::page();
        }
        self.hidden.set(&self.value);
        self.value.zeroize();
    }

    /// True for a row that was added and left as it was: it stands for nothing yet.
    fn is_blank(&self) -> bool {
        self.saved.is_none()
            && self.name.trim().is_empty()
            && self.value.is_empty()
            && self.hidden.is_empty()
    }

    /// True when nothing of it differs from `saved`.
    pub(super) fn same_as(&self, saved: &CustomField) -> bool {
        let value = if self.secret { self.hidden.is_empty() } else { self.value == saved.value };
        self.name.trim() == saved.name && self.secret == saved.secret && value
    }
}

impl Editor {
    /// An empty row below the others.
    pub fn add_custom(&mut self) {
        self.rows += 1;
        self.custom.push(CustomRow {
            key: self.rows,
            name: String::new(),
            secret: false,
            value: String::new(),
            hidden: SecretBuffer::line(),
            saved: None,
        });
    }

    /// A row for a field of the saved entry.
    pub(super) fn add_saved(&mut self, field: &CustomField) {
        if self.fills_otherwise(&field.name) {
            return;
        }
        self.add_custom();
        let row = self.custom.last_mut().expect("it was just added");
        row.name.clone_from(&field.name);
        row.secret = field.secret;
        row.value.clone_from(&field.value);
        row.saved = Some(field.name.clone());
    }

    fn saved_custom(&self) -> &[CustomField] {
        self.base.as_ref().map(|v| v.entry.custom.as_slice()).unwrap_or_default()
    }

    /// The saved field that a row stands for.
    pub fn saved_of(&self, row: &CustomRow) -> Option<&CustomField> {
        let name = row.saved.as_ref()?;
        self.saved_custom().iter().find(|field| field.name == *name)
    }

    /// Why the rows cannot be saved as they stand.
    pub(super) fn custom_fault(&self) -> Option<Bi> {
        let mut names = BTreeSet::new();
        for row in self.custom.iter().filter(|row| !row.is_blank()) {
            let name = row.name.trim();
            if name.is_empty() {
                return Some(Bi::new("Il faut un nom à chaque champ.", "Each field needs a name."));
            }
            if !names.insert(name) {
                return Some(Bi::new(
                    "Un nom différent pour chacun.",
                    "A different name for each.",
                ));
            }
        }
        for row in self.custom.iter().filter(|row| !row.is_blank()) {
            let name = row.name.trim();
            let was_secret = self.saved_of(row).is_some_and(|saved| saved.secret);
            if row.secret && row.hidden.is_empty() && !was_secret {
                return Some(Bi::new(
                    format!("Tapez la valeur secrète de «\u{a0}{name}\u{a0}»."),
                    format!("Type the secret value of “{name}”."),
                ));
            }
            if !row.secret && was_secret && row.value.is_empty() {
                return Some(Bi::new(
                    format!(
                        "La valeur secrète de «\u{a0}{name}\u{a0}» ne devient pas lisible d’elle-même\u{a0}: retapez-la, ou cochez de nouveau «\u{a0}secret\u{a0}»."
                    ),
                    format!(
                        "The secret value of “{name}” does not become readable by itself: type it again, or tick “secret” again."
                    ),
                ));
            }
        }
        None
    }

    /// What of the rows differs from the saved fields.
    pub(super) fn patch_custom(&self, patch: &mut Patch) {
        for old in self.saved_custom().iter().filter(|old| !self.fills_otherwise(&old.name)) {
            // What takes over its name replaces it.
            let named = |row: &CustomRow| row.name.trim() == old.name;
            if self.custom.iter().any(|r| r.saved.as_ref() == Some(&old.name) || named(r)) {
                continue;
            }
            if old.secret {
                patch.secrets.insert(Slot::Custom(old.name.clone()), SecretChange::Clear);
            } else {
                patch.custom.insert(old.name.clone(), None);
            }
        }
        for row in self.custom.iter().filter(|row| !row.is_blank()) {
            let name = row.name.trim().to_owned();
            let was = self.saved_of(row);
            if let Some(was) = was.filter(|was| was.name != name) {
                patch.renamed.insert(was.name.clone(), name.clone());
            }
            if row.secret {
                if !row.hidden.is_empty() {
                    let value = SecretChange::Put(row.hidden.to_secret_bytes());
                    patch.secrets.insert(Slot::Custom(name), value);
                }
            } else if was.is_none_or(|was| was.secret || was.value != row.value) {
                patch.custom.insert(name, Some(row.value.clone()));
            }
        }
    }
}
