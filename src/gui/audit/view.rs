//! Paints the log page.

use egui::{
    Align, CollapsingHeader, ComboBox, Layout, Margin, Panel, RichText, ScrollArea, TextEdit, Ui,
    vec2,
};

use crate::app::api::{Code, ExportFormat, Request};
use crate::gui::act::{Act, Acts};
use crate::gui::dialogs::title_ui;
use crate::gui::text::{self, t};
use crate::gui::theme::{card, palette, primary_button};
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick, Tag};
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::lang::Lang;

use super::model::{AuditModel, Exported, Period, SHOWN, format_label};

const ROW: f32 = 26.0;

/// Paints the page.
pub fn audit_ui(ui: &mut Ui, model: &mut AuditModel, lang: Lang, acts: &mut Acts) {
    let today = text::today();
    if (!model.loaded || model.stale) && !model.waiting {
        acts.extend(model.ask(today));
    }
    if filters_ui(ui, model, lang) {
        acts.extend(model.ask(today));
    }
    for fault in model.date_faults().iter().flatten() {
        ui.label(RichText::new(fault.text(lang)).color(palette(ui.ctx()).error));
    }
    actions_ui(ui, model, lang, acts);
    if let Some(e) = &model.error {
        parts::failure(ui, lang, &e.what, &e.todo);
        return;
    }
    ui.add_space(6.0);
    if let Some(line) = model.chosen.and_then(|i| model.lines.get(i)) {
        let line = line.clone();
        let mut close = false;
        let p = palette(ui.ctx());
        let frame = egui::Frame::new().fill(p.card).inner_margin(Margin::symmetric(14, 10));
        Panel::right("log-line")
            .frame(frame)
            .default_size(360.0)
            .size_range(240.0..=560.0)
            .show(ui, |ui| close = line_ui(ui, &line, model.browse, lang, acts));
        if close {
            model.chosen = None;
        }
    }
    table_ui(ui, model, lang);
    export_ui(ui, model, lang, acts);
}

fn filters_ui(ui: &mut Ui, model: &mut AuditModel, lang: Lang) -> bool {
    let mut changed = false;
    ui.horizontal_wrapped(|ui| {
        let shown = model.period.label(lang);
        let name = t(lang, "Période", "Period");
        let combo = ComboBox::from_id_salt("period").width(150.0).selected_text(shown);
        let out = combo.show_ui(ui, |ui| {
            for period in Period::ALL {
                let label = period.label(lang);
                changed |= ui.selectable_value(&mut model.period, period, label).clicked();
            }
        });
        out.response.accessible_name(name);
        if model.period == Period::Chosen {
            let hint = t(lang, "jj/mm/aaaa", "yyyy-mm-dd");
            for (value, name) in
                [(&mut model.from, t(lang, "Du", "From")), (&mut model.to, t(lang, "au", "to"))]
            {
                let label = ui.label(name);
                let edit = TextEdit::singleline(value).desired_width(92.0).hint_text(hint);
                changed |= ui.add(edit).labelled_by(label.id).lost_focus();
            }
        }
        let any = t(lang, "Tous les membres", "All members");
        changed |= name_menu(
            ui,
            "member",
            any,
            &mut model.member,
            &model.members,
            t(lang, "Membre", "Member"),
        );
        let any = t(lang, "Tous les clients", "All clients");
        changed |= name_menu(
            ui,
            "client",
            any,
            &mut model.client,
            &model.clients,
            t(lang, "Client", "Client"),
        );
        let any = t(lang, "Tous les événements", "All events");
        let shown = model.event.map_or(any, |e| text::event(e, lang));
        let combo = ComboBox::from_id_salt("event").width(190.0).height(420.0).selected_text(shown);
        let out = combo.show_ui(ui, |ui| {
            changed |= ui.selectable_value(&mut model.event, None, any).clicked();
            for event in Event::ALL {
                let label = text::event(*event, lang);
                changed |= ui.selectable_value(&mut model.event, Some(*event), label).clicked();
            }
        });
        out.response.accessible_name(t(lang, "Événement", "Event"));
        let hint = t(lang, "Texte\u{a0}: hôte, ticket…", "Text: host, ticket…");
        let edit = TextEdit::singleline(&mut model.text).desired_width(200.0).hint_text(hint);
        let name = t(lang, "Texte cherché", "Text sought");
        let out = ui.add(edit).accessible_name(name);
        if std::mem::take(&mut model.focus) {
            out.request_focus();
        }
        changed |= out.changed();
    });
    changed
}

fn name_menu(
    ui: &mut Ui,
    salt: &str,
    any: &str,
    value: &mut String,
    names: &[String],
    label: &str,
) -> bool {
    let mut changed = false;
    let shown = if value.is_empty() { any } else { value.as_str() }.to_owned();
    let combo =
        ComboBox::from_id_salt(salt).width(160.0).height(360.0).truncate().selected_text(shown);
    let out = combo.show_ui(ui, |ui| {
        changed |= ui.selectable_value(value, String::new(), any).clicked();
        for name in names {
            changed |= ui.selectable_value(value, name.clone(), name).clicked();
        }
    });
    out.response.accessible_name(label);
    changed
}

fn actions_ui(ui: &mut Ui, model: &mut AuditModel, lang: Lang, acts: &mut Acts) {
    let p = palette(ui.ctx());
    ui.horizontal(|ui| {
        let verify = egui::Button::new(t(lang, "Vérifier le journal", "Verify the log"));
        let hint = t(
            lang,
            "Recalcule toute la chaîne, l’arbre et les signatures.",
            "Works out the whole chain, tree and signatures again.",
        );
        if ui.add_enabled(!model.verifying, verify).on_hover_text(hint).clicked() {
            model.verifying = true;
            model.verified = None;
            acts.push(Act::Send(Command::Ask(Tag::Verify, Request::AuditVerify)));
        }
        let export = egui::Button::new(t(lang, "Exporter…", "Export…"));
        let readable = model.date_faults().iter().all(Option::is_none);
        if ui.add_enabled(readable, export).clicked() {
            let folder = dirs::document_dir().or_else(dirs::home_dir).unwrap_or_default();
            model.open_export(&folder, text::today());
        }
        let hint = t(lang, "Lit les lignes venues depuis.", "Reads the lines that came since.");
        if ui.button(t(lang, "Actualiser", "Refresh")).on_hover_text(hint).clicked() {
            acts.extend(model.ask(text::today()));
        }
        if model.verifying || model.waiting {
            ui.spinner();
        }
        let count = model.lines.len() as u64;
        let mut shown = format!("{} {}", text::count(count, lang), t(lang, "lignes", "lines"));
        if count >= SHOWN {
            shown.push_str(t(lang, " (les plus récentes)", " (the newest)"));
        }
        ui.label(RichText::new(shown).color(p.weak));
    });
    match &model.verified {
        Some(Ok(v)) if v.faults.is_empty() => {
            ui.add_space(4.0);
            let what = match lang {
                Lang::Fr => format!(
                    "Journal intact\u{a0}: {} lignes vérifiées, {} signées.",
                    text::count(v.lines, lang),
                    text::count(v.signed, lang)
                ),
                Lang::En => format!(
                    "Log intact: {} lines verified, {} signed.",
                    text::count(v.lines, lang),
                    text::count(v.signed, lang)
                ),
            };
            let print = format!("{} {}", t(lang, "Empreinte", "Fingerprint"), v.fingerprint);
            parts::ok_box(ui, &what, &print);
        }
        Some(Ok(v)) => {
            for fault in &v.faults {
                ui.add_space(4.0);
                let todo = t(
                    lang,
                    "Gardez ce fichier tel quel et comparez-le à une sauvegarde.",
                    "Keep this file as it is and compare it with a backup.",
                );
                parts::error_box(ui, fault.get(lang), todo);
            }
        }
        Some(Err(e)) => parts::failure(ui, lang, &e.what, &e.todo),
        None => {}
    }
}

/// Columns and their share of the width.
const COLUMNS: [(&str, f32); 6] = [
    ("time", 150.0),
    ("event", 170.0),
    (field::MEMBER, 120.0),
    (field::CLIENT, 150.0),
    (field::ENTRY, 220.0),
    ("what", 260.0),
];

/// The width of each column in `room`: the date is never cut, the others share
/// what is left.
fn widths(room: f32) -> [f32; 6] {
    let date = COLUMNS[0].1;
    let left = (room - date).max(0.0);
    // Beside the details there is room for what happened and to which entry.
    let narrow = left < 420.0;
    let kept = |name: &str| !narrow || matches!(name, "event" | field::ENTRY);
    let total: f32 = COLUMNS[1..].iter().filter(|c| kept(c.0)).map(|c| c.1).sum();
    COLUMNS.map(|(name, wide)| match name {
        "time" => date,
        name if kept(name) => wide * left / total,
        _ => 0.0,
    })
}

fn table_ui(ui: &mut Ui, model: &mut AuditModel, lang: Lang) {
    let p = palette(ui.ctx());
    if model.lines.is_empty() {
        if model.loaded && !model.waiting {
            let title = t(lang, "Aucune ligne", "No line");
            let hint = t(
                lang,
                "Aucun événement ne correspond à ces filtres.",
                "No event matches these filters.",
            );
            parts::empty_page(ui, "\u{1f4dc}", title, hint, |_| {});
        }
        return;
    }
    let wides = widths(ui.available_width() - 28.0);
    let (head, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), egui::Sense::hover());
    let mut x = head.left() + 10.0;
    for ((name, _), wide) in COLUMNS.into_iter().zip(wides).filter(|(_, wide)| *wide > 0.0) {
        let label = match name {
            "time" => t(lang, "Date", "Date"),
            "event" => t(lang, "Événement", "Event"),
            "what" => t(lang, "Précisions", "Particulars"),
            other => text::log_field(other, lang),
        };
        let font = egui::FontId::new(12.5, crate::gui::fonts::bold());
        parts::cut_text(ui, egui::pos2(x, head.center().y), wide - 10.0, label, font, p.weak);
        x += wide;
    }
    ui.painter().hline(head.x_range(), head.bottom(), egui::Stroke::new(1.0, p.line));
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut chosen = model.chosen;
    let mut area = ScrollArea::vertical().auto_shrink(false).id_salt("log");
    // What is being read stays in its place when lines come in above it.
    let grown = std::mem::take(&mut model.grown);
    if grown > 0 && model.scrolled > 0.0 {
        area = area.vertical_scroll_offset(model.scrolled + grown as f32 * ROW);
    }
    let out = area.show_rows(ui, ROW, model.lines.len(), |ui, range| {
        for i in range {
            let line = &model.lines[i];
            let event = text::event(line.event, lang);
            let when = text::when_exactly(line.at, lang);
            let name = format!("{when} {event}");
            let (rect, out) = parts::row(ui, ROW, chosen == Some(i), &name);
            let mut x = rect.left() + 10.0;
            for ((column, _), wide) in COLUMNS.into_iter().zip(wides).filter(|(_, w)| *w > 0.0) {
                let (value, colour) = match column {
                    "time" => (when.clone(), p.weak),
                    "event" => (event.to_owned(), if line.ok { p.text } else { p.error }),
                    field::ENTRY => (short_path(line), p.text),
                    "what" => (particulars(line, lang), p.weak),
                    other => (line.field(other).to_owned(), p.text),
                };
                let font = egui::FontId::proportional(13.5);
                parts::cut_text(
                    ui,
                    egui::pos2(x, rect.center().y),
                    wide - 10.0,
                    &value,
                    font,
                    colour,
                );
                x += wide;
            }
            let out = out.on_hover_ui(|ui| {
                ui.strong(&name);
                for text in [line.field(field::MEMBER), line.field(field::ENTRY)] {
                    if !text.is_empty() {
                        ui.label(text);
                    }
                }
                ui.label(particulars(line, lang));
            });
            if out.clicked() {
                chosen = if chosen == Some(i) { None } else { Some(i) };
            }
        }
    });
    model.chosen = chosen;
    model.scrolled = out.state.clamped_offset().y;
}

/// The path without the client, which has a column of its own.
fn short_path(line: &OpenLine) -> String {
    let path = line.field(field::ENTRY);
    let client = line.field(field::CLIENT);
    if path == client {
        return String::new();
    }
    path.strip_prefix(client).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path).to_owned()
}

fn particulars(line: &OpenLine, lang: Lang) -> String {
    let shown = [
        field::SLOT,
        field::REMOTE_USER,
        field::HOST,
        field::TICKET,
        field::REASON,
        field::SUBJECT,
        field::FILE,
        field::DETAIL,
    ];
    let mut out = String::new();
    for name in shown {
        let value = line.field(name);
        if value.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push_str("  ·  ");
        }
        let names = name == field::DETAIL && line.event == Event::EntryEdited;
        if names {
            let fields: Vec<String> =
                value.split(", ").map(|f| text::entry_field(f, lang)).collect();
            out.push_str(&fields.join(", "));
        } else if name == field::SLOT {
            out.push_str(&text::entry_field(value, lang));
        } else if name == field::DETAIL {
            out.push_str(&text::log_detail(value, lang));
        } else {
            out.push_str(value);
        }
    }
    out
}

/// One line in full; true when it is to be closed. Who may `browse` the clients is
/// offered the page of its ticket.
fn line_ui(ui: &mut Ui, line: &OpenLine, browse: bool, lang: Lang, acts: &mut Acts) -> bool {
    let p = palette(ui.ctx());
    let mut close = false;
    ui.horizontal_top(|ui| {
        let room = vec2((ui.available_width() - 40.0).max(80.0), 0.0);
        ui.allocate_ui_with_layout(room, Layout::top_down(Align::Min), |ui| {
            ui.set_min_width(room.x);
            ui.add_space(4.0);
            let title = parts::bold(text::event(line.event, lang)).size(16.0);
            ui.add(egui::Label::new(title).wrap());
        });
        close = parts::icon_button(ui, "\u{2716}", t(lang, "Fermer", "Close")).clicked();
    });
    let state = if line.ok {
        t(lang, "Réussi", "Done")
    } else {
        t(lang, "Refusé ou échoué", "Refused or failed")
    };
    parts::badge(ui, state, if line.ok { p.ok } else { p.error });
    ui.add_space(6.0);
    ScrollArea::vertical().auto_shrink(false).id_salt("line").show(ui, |ui| {
        let pair = |ui: &mut Ui, name: &str, value: &str| {
            ui.label(RichText::new(name).size(12.5).color(p.weak));
            ui.add(egui::Label::new(value).wrap().selectable(true));
            ui.add_space(3.0);
        };
        pair(ui, t(lang, "Numéro", "Sequence"), &line.seq.to_string());
        pair(ui, t(lang, "Date", "Date"), &text::when_exactly(line.at, lang));
        pair(ui, "UTC", &line.at.to_string());
        pair(ui, t(lang, "Mot du journal", "Word in the log"), line.event.word());
        for (name, value) in &line.fields {
            pair(ui, text::log_field(name, lang), value);
            let open = t(lang, "Ouvrir le ticket", "Open the ticket");
            if name == field::TICKET && browse && ui.small_button(open).clicked() {
                let client = line.field(field::CLIENT).to_owned();
                let entry = line.field(field::ENTRY_ID).parse().ok();
                acts.push(Act::OpenTicket(value.clone(), entry, client));
            }
        }
        pair(ui, t(lang, "Empreinte de la ligne", "Leaf hash"), &line.leaf_hash);
        if ui.small_button(t(lang, "Copier l’empreinte", "Copy hash")).clicked() {
            acts.push(Act::CopyPlain(line.leaf_hash.clone()));
        }
    });
    close
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

fn export_ui(ui: &mut Ui, model: &mut AuditModel, lang: Lang, acts: &mut Acts) {
    let count = model.lines.len();
    let base = model.export.as_ref().map(|e| model.export_name(e.format, text::today()));
    let Some(export) = &mut model.export else { return };
    let mut go = false;
    let mut stay = true;
    let modal = egui::Modal::new(egui::Id::unique("export")).frame(card(ui.ctx()));
    let modal = modal.show(ui.ctx(), |ui| {
        ui.set_width(560.0);
        title_ui(ui, t(lang, "Exporter le journal", "Export the log"));
        let what = match lang {
            Lang::Fr => format!("Les lignes des filtres actuels ({count} affichées). L’export est lui-même inscrit au journal."),
            Lang::En => format!("The lines of the present filters ({count} shown). The export itself goes into the log."),
        };
        ui.add(egui::Label::new(what).wrap());
        ui.add_space(6.0);
        ui.add_enabled_ui(!export.waiting, |ui| {
            let label = ui.label(t(lang, "Format", "Format"));
            let shown = format_label(export.format, lang);
            let combo = ComboBox::from_id_salt("format").width(320.0).height(400.0).selected_text(shown);
            let mut format = export.format;
            let out = combo.show_ui(ui, |ui| {
                for f in ExportFormat::ALL {
                    ui.selectable_value(&mut format, f, format_label(f, lang));
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
            ui.horizontal(|ui| {
                let edit = TextEdit::singleline(&mut export.out).desired_width(430.0);
                if ui.add(edit).labelled_by(label.id).changed() {
                    export.asks = false;
                }
                if ui.button(t(lang, "Parcourir…", "Browse…")).clicked() {
                    let name = base.unwrap_or_default();
                    acts.push(Act::Send(Command::Choose(Pick::Export, name)));
                }
            });
            ui.add_space(4.0);
            ui.collapsing(t(lang, "Colonnes à masquer", "Columns to redact"), |ui| {
                ui.horizontal_wrapped(|ui| {
                    for name in field::ALL {
                        let mut on = export.redact.contains(name);
                        if ui.checkbox(&mut on, text::log_field(name, lang)).clicked() {
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
                    ui.add(edit).labelled_by(label.id);
                }
            });
        });
        crate::gui::dialogs::error_ui(ui, lang, export.error.as_ref());
        if let Some(done) = &export.done {
            ui.add_space(6.0);
            done_ui(ui, done, lang);
        }
        if export.asks {
            crate::gui::dialogs::path::replaces_ui(ui, lang);
        }
        if export.waiting {
            progress_ui(ui, export.progress, lang);
        }
        ui.add_space(12.0);
        ui.horizontal(|ui| {
            if export.waiting {
                let cancel = egui::Button::new(t(lang, "Annuler l’export", "Cancel the export"));
                stay = !ui.add_enabled(!export.ending(), cancel).clicked();
                return;
            }
            let name = match export.asks {
                true => t(lang, "Remplacer", "Replace"),
                false => t(lang, "Exporter", "Export"),
            };
            let button = primary_button(ui.ctx(), name);
            let out = ui.add_enabled(!export.out.trim().is_empty(), button);
            if ui.memory(|m| m.focused().is_none()) {
                out.request_focus();
            }
            go = out.clicked();
            if go && export.asks {
                export.agree();
            }
            stay = !ui.button(t(lang, "Fermer", "Close")).clicked();
        });
    });
    // A click beside the dialog is easily made; it ends no export.
    let beside = export.waiting && modal.backdrop_response.clicked();
    let leave = !stay || modal.should_close() && !beside;
    if go {
        acts.extend(model.export_request(text::today(), lang, |out| out.exists()));
    } else if leave && export.waiting {
        // The dialog stays until the export has ended and its file is gone.
        export.give_up();
    } else if leave {
        model.export = None;
    }
}
