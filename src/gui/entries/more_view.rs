//! The end of the form: tags, description, expiry, custom fields, attachments.

use egui::{TextEdit, Ui};

use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick};
use crate::model::entry::Kind;
use crate::model::lang::Lang;

use super::custom_view::custom_ui;
use super::editor::{Editor, Faults};
use super::form_line::{FIELD, line, next, text_line};

pub(super) fn more_ui(
    ui: &mut Ui,
    form: &mut Editor,
    faults: &Faults,
    lang: Lang,
    acts: &mut Acts,
) {
    parts::section(ui, t(lang, "DIVERS", "MORE"));
    let hint = t(lang, "séparées par des espaces", "separated by spaces");
    text_line(ui, t(lang, "Étiquettes", "Tags"), &mut form.tags, hint, None, lang);
    line(ui, t(lang, "Description", "Description"), None, lang, |ui, id| {
        let edit = TextEdit::multiline(&mut form.description).desired_width(FIELD).desired_rows(3);
        ui.add(edit).labelled_by(id);
    });
    if form.kind != Kind::CLIENT {
        line(ui, t(lang, "Expire le", "Expires on"), faults.get("expires"), lang, |ui, id| {
            let hint = t(lang, "jj/mm/aaaa", "yyyy-mm-dd");
            let edit = TextEdit::singleline(&mut form.expires).desired_width(120.0).hint_text(hint);
            let out = ui.add(edit).labelled_by(id);
            next(ui, &out);
        });
    }
    line(ui, "", None, lang, |ui, _| {
        ui.checkbox(&mut form.favourite, t(lang, "Favori", "Favourite"));
    });
    let label = t(lang, "Champs ajoutés", "Custom fields");
    line(ui, label, faults.get("custom"), lang, |ui, _| custom_ui(ui, form, lang));
    attachments_ui(ui, form, lang, acts);
}

fn attachments_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    line(ui, t(lang, "Pièces jointes", "Attachments"), None, lang, |ui, _| {
        let saved: Vec<(String, u64)> = form
            .base
            .iter()
            .flat_map(|v| &v.entry.attachments)
            .map(|a| (a.name.clone(), a.size))
            .collect();
        for (name, size) in saved {
            ui.horizontal(|ui| {
                let mut keep = !form.removed.contains(&name);
                let label = format!("{name}  ({})", text::size(size, lang));
                if ui.checkbox(&mut keep, label).clicked() {
                    if keep {
                        form.removed.remove(&name);
                    } else {
                        form.removed.insert(name.clone());
                    }
                }
            });
        }
        let mut gone = None;
        for (i, (name, bytes)) in form.added.iter().enumerate() {
            ui.horizontal(|ui| {
                ui.label(format!("\u{1f4ce} {name}  ({})", text::size(bytes.len() as u64, lang)));
                let remove = format!("{} {name}", t(lang, "Retirer", "Remove"));
                if parts::drawn_button(ui, parts::Icon::Bin, &remove).clicked() {
                    gone = Some(i);
                }
            });
        }
        if let Some(i) = gone {
            form.added.remove(i);
        }
        if parts::small_button(ui, t(lang, "Joindre un fichier…", "Attach a file…")).clicked() {
            acts.push(Act::Send(Command::Choose(Pick::AddAttachment, String::new())));
        }
    });
}
