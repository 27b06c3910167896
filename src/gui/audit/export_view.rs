//! The dialog of the export: format, file, columns, progress, what was written.

use egui::{CollapsingHeader, ComboBox, RichText, TextEdit, Ui};

use crate::app::api::{Code, ExportFormat};
use crate::gui::act::{Act, Acts};
use crate::gui::dialogs::path::{entered, replaces_ui};
use crate::gui::dialogs::{middle_ui, modal, title_ui};
use crate::gui::text::{self, t};
use crate::gui::theme::{palette, primary_button};
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick};
use crate::model::audit_event::field;
use crate::model::lang::Lang;

use super::model::{AuditModel, ExportModel, Exported};

pub(super) fn export_ui(ui: &mut Ui, model: &mut AuditModel, lang: Lang, acts: &mut Acts) {
    let count = model.lines.len();
    let base = model.export.as_ref().map(|e| model.export_name(e.format, text::today()));
    let Some(export) = &mut model.export else { return };
    let mut go = false;
    let mut stay = true;
    let modal = modal(ui.ctx(), egui::Id::unique("export"), 560.0, |ui| {
        title_ui(ui, t(lang, "Exporter le journal", "Export the log"));
        let what = match lang {
            Lang::Fr => format!(
                "Les lignes des filtres actuels ({count} affichées). L’export est lui-même inscrit au journal."
            ),
            Lang::En => format!(
                "The lines of the present filters ({count} shown). The export itself goes into the log."
            ),
        };
        let enter = middle_ui(ui, |ui| {
            ui.add(egui::Label::new(what).wrap());
            ui.add_space(6.0);
            let free = !export.waiting;
            ui.add_enabled_ui(free, |ui| {
                choice_ui(ui, export, base.unwrap_or_default(), lang, acts)
            })
            .inner
        });
        crate::gui::dialogs::error_ui(ui, lang, export.error.as_ref());
        if let Some(done) = &export.done {
            ui.add_space(6.0);
            done_ui(ui, done, lang);
        }
        if export.waiting {
            progress_ui(ui, export.progress, lang);
        }
        if export.asks {
            match replaces_ui(ui, lang) {
                Some(true) => {
                    export.agree();
                    go = true;
                }
                Some(false) => export.asks = false,
                None => {}
            }
            return;
        }
        ui.add_space(12.0);
        ui.horizontal_wrapped(|ui| {
            if export.waiting {
                let cancel = egui::Button::new(t(lang, "Annuler l’export", "Cancel the export"));
                stay = !ui.add_enabled(!export.ending(), cancel).clicked();
                return;
            }
            let ready = !export.out.trim().is_empty();
            let button = primary_button(ui.ctx(), t(lang, "Exporter", "Export"));
            let out = ui.add_enabled(ready, button);
            if ui.memory(|m| m.focused().is_none()) {
                out.request_focus();
            }
            go = out.clicked() || (enter && ready);
            stay = !ui.button(t(lang, "Fermer", "Close")).clicked();
        });
    });
    // A click beside the dialog is easily made; it ends no export.
    let beside = export.waiting && modal.backdrop_response.clicked();
    let leave = !stay || modal.should_close() && !beside;
    if go {
        acts.extend(model.export_request(text::today(), lang, |out| out.exists()));
        // The question that may follow gives the keyboard to its safe answer.
        if let Some(id) = ui.memory(|m| m.focused()).filter(|_| model.asks_to_replace()) {
            ui.memory_mut(|m| m.surrender_focus(id));
        }
    } else if leave && export.asks {
        export.asks = false;
    } else if leave && export.waiting {
        // The dialog stays until the export has ended and its file is gone.
        export.give_up();
    } else if leave {
        model.export = None;
    }
}

/// What to export and where; true for Enter in one of its fields.
fn choice_ui(
    ui: &mut Ui,
    export: &mut ExportModel,
    base: String,
    lang: Lang,
    acts: &mut Acts,
) -> bool {
    let label = ui.label(t(lang, "Format", "Format"));
    let shown = text::export_format(export.format, lang);
    let wide = ui.available_width().min(320.0);
    let combo = ComboBox::from_id_salt("format").width(wide).height(400.0).selected_text(shown);
    let mut format = export.format;
    let out = combo.show_ui(ui, |ui| {
        for f in ExportFormat::ALL {
            ui.selectable_value(&mut format, f, text::export_format(f, lang));
        }
    });
    out.response.labelled_by(label.id);
    if format != export.format {
        export.set_format(format);
    }
    if format == ExportFormat::Bundle {
        let hint = t(
            lang,
            "Se vérifie sans le coffre, avec Python ou un navigateur, même colonnes masquées.",
            "Verifies without the vault, with Python or a browser, even with columns redacted.",
        );
        ui.add(egui::Label::new(RichText::new(hint).size(12.5)).wrap());
    }
    ui.add_space(4.0);
    let label = ui.label(t(lang, "Fichier", "File"));
    let mut enter = false;
    ui.horizontal_wrapped(|ui| {
        let browse = t(lang, "Parcourir…", "Browse…");
        // One point less: rounded up, the button would go to the next line.
        let wide = (ui.available_width() - parts::room_for_button(ui, browse) - 1.0).max(160.0);
        let out = ui.add(TextEdit::singleline(&mut export.out).desired_width(wide));
        let out = out.labelled_by(label.id);
        if out.changed() {
            export.asks = false;
            export.error = None;
        }
        enter |= entered(ui, &out);
        if ui.button(browse).clicked() {
            acts.push(Act::Send(Command::Choose(Pick::Export, base)));
        }
    });
    ui.add_space(4.0);
    ui.collapsing(t(lang, "Colonnes à masquer", "Columns to redact"), |ui| {
        ui.horizontal_wrapped(|ui| {
            for name in field::ALL {
                let mut on = export.redact.contains(name);
                if ui.checkbox(&mut on, text::log_column(name, lang)).clicked() {
                    if on {
                        export.redact.push(name);
                    } else {
                        export.redact.retain(|r| r != name);
                    }
                }
            }
        });
    });
    // A client of these lines asks for them: the fields show themselves.
    let asked = export.error.as_ref().is_some_and(|e| e.code == Code::NotAllowed);
    let why = CollapsingHeader::new(t(lang, "Ticket et motif", "Ticket and reason"));
    why.open(asked.then_some(true)).show(ui, |ui| {
        for (value, name) in [
            (&mut export.ticket, t(lang, "Numéro de ticket", "Ticket number")),
            (&mut export.reason, t(lang, "Motif", "Reason")),
        ] {
            let label = ui.label(name);
            let edit = TextEdit::singleline(value).desired_width(f32::INFINITY);
            let out = ui.add(edit).labelled_by(label.id);
            // What was refused is no longer what stands here.
            if out.changed() {
                export.error = None;
            }
            enter |= entered(ui, &out);
        }
    });
    enter
}

/// How far the export is.
fn progress_ui(ui: &mut Ui, progress: Option<(u64, u64)>, lang: Lang) {
    let (done, total) = progress.unwrap_or((0, 0));
    let share = if total == 0 { 0.0 } else { done as f32 / total as f32 };
    ui.add_space(8.0);
    let name = t(lang, "Avancement de l’export", "Progress of the export");
    let bar = egui::ProgressBar::new(share).desired_height(8.0).fill(palette(ui.ctx()).accent_fill);
    let out = ui.add(bar);
    out.widget_info(|| egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, name));
    let words = match (progress, lang) {
        (None, Lang::Fr) => String::from("Préparation…"),
        (None, Lang::En) => String::from("Preparing…"),
        (Some(_), Lang::Fr) => {
            format!("{} lignes lues sur {}", text::count(done, lang), text::count(total, lang))
        }
        (Some(_), Lang::En) => {
            format!("{} lines read of {}", text::count(done, lang), text::count(total, lang))
        }
    };
    ui.label(words);
}

/// What the export wrote, and where.
fn done_ui(ui: &mut Ui, done: &Exported, lang: Lang) {
    let what = match lang {
        Lang::Fr => format!("{} lignes écrites.", text::count(done.lines, lang)),
        Lang::En => format!("{} lines written.", text::count(done.lines, lang)),
    };
    let mut more = format!(
        "{} {}",
        t(lang, "Empreinte du coffre\u{a0}:", "Fingerprint of the vault:"),
        done.fingerprint
    );
    for file in &done.files {
        more.push_str(&format!("\n{}", file.display()));
    }
    parts::ok_box(ui, &what, &more);
}
