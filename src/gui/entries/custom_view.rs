//! Paints the fields the person added.

use egui::text_edit::TextEditState;
use egui::{TextEdit, Ui};

use crate::gui::text::t;
use crate::gui::widgets::parts;
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::model::lang::Lang;

use super::custom::CustomRow;
use super::editor::Editor;

/// Paints the rows, and the button that adds one.
pub(super) fn custom_ui(ui: &mut Ui, form: &mut Editor, lang: Lang) {
    let of = form.base.as_ref().map(|v| v.entry.id);
    let saved: Vec<bool> =
        form.custom.iter().map(|r| form.saved_of(r).is_some_and(|s| s.secret)).collect();
    let mut gone = None;
    for (i, row) in form.custom.iter_mut().enumerate() {
        let id = egui::Id::unique(("custom", of, row.key));
        ui.push_id(id, |ui| {
            ui.horizontal_wrapped(|ui| {
                let name = t(lang, "Nom du champ", "Field name");
                let edit = TextEdit::singleline(&mut row.name).desired_width(140.0).hint_text(name);
                ui.add(edit).accessible_name(format!("{name} {}", i + 1));
                // Before the value, so that a secret is none of egui's from its
                // first letter on.
                let mut secret = row.secret;
                if ui.checkbox(&mut secret, t(lang, "secret", "secret")).clicked() {
                    row.set_secret(secret);
                }
                value_ui(
                    ui,
                    row,
                    saved[i],
                    id,
                    &format!("{} {}", t(lang, "Valeur", "Value"), i + 1),
                    lang,
                );
                let remove = format!("{} {}", t(lang, "Retirer le champ", "Remove field"), i + 1);
                if parts::drawn_button(ui, parts::Icon::Bin, &remove).clicked() {
                    gone = Some(i);
                }
            });
        });
    }
    if let Some(i) = gone {
        let row = form.custom.remove(i);
        forget_text(ui, egui::Id::unique(("custom", of, row.key)).with("value"));
    }
    if parts::small_button(ui, t(lang, "Ajouter un champ", "Add a field")).clicked() {
        form.add_custom();
    }
}

fn value_ui(ui: &mut Ui, row: &mut CustomRow, saved: bool, id: egui::Id, name: &str, lang: Lang) {
    let id = id.with("value");
    if !row.secret {
        let edit = TextEdit::singleline(&mut row.value).id(id).desired_width(170.0);
        ui.add(edit).accessible_name(name);
        return;
    }
    forget_text(ui, id);
    let hint = if saved { t(lang, "inchangé", "unchanged") } else { "" };
    let rows = if row.hidden.is_page() { 3 } else { 1 };
    SecretEdit::new(&mut row.hidden, name).width(170.0).rows(rows).hint(hint).show(ui);
}

/// What egui keeps of a text field, its undo history first of all.
fn forget_text(ui: &Ui, id: egui::Id) {
    ui.data_mut(|data| data.remove::<TextEditState>(id));
}
