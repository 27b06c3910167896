//! The secrets and attachments among the details: shown, hidden, copied, saved.

use std::time::Instant;

use egui::{RichText, Ui};

use crate::app::api::EntryView;
use crate::gui::act::{Act, Acts, Guarded};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick};
use crate::model::entry::Slot;
use crate::model::lang::Lang;

use super::details::{Details, SecretLine};
use super::details_view::labelled_ui;
use super::rights::Rights;

pub(super) fn secrets_ui(
    ui: &mut Ui,
    view: &EntryView,
    model: &mut Details,
    rights: &Rights,
    lang: Lang,
    now: Instant,
    acts: &mut Acts,
) {
    let lines = model.secrets();
    if lines.is_empty() || view.entry.trashed_at.is_some() {
        return;
    }
    parts::section(ui, t(lang, "SECRETS", "SECRETS"));
    if !view.may_reveal {
        ui.add(
            egui::Label::new(RichText::new(no_reveal(rights, lang)).color(palette(ui.ctx()).weak))
                .wrap(),
        );
    }
    for line in lines {
        secret_ui(ui, view, model, &line, lang, now, acts);
    }
}

/// Why no secret leaves the vault here.
fn no_reveal(rights: &Rights, lang: Lang) -> &'static str {
    match rights.read_only() {
        true => t(
            lang,
            "Le coffre est ouvert en lecture seule\u{a0}: ils ne peuvent être ni vus ni copiés.",
            "The vault is open for reading only: they can be neither seen nor copied.",
        ),
        false => t(
            lang,
            "Servis à la connexion\u{a0}; votre rôle ne permet ni de les voir ni de les copier.",
            "Used to connect; your role lets you neither see nor copy them.",
        ),
    }
}

/// Why no attachment leaves it.
fn no_file(rights: &Rights, lang: Lang) -> &'static str {
    match rights.read_only() {
        true => t(
            lang,
            "Le coffre est ouvert en lecture seule\u{a0}: cet enregistrement ne pourrait pas être inscrit au journal.",
            "The vault is open for reading only: saving it could not be written to the log.",
        ),
        false => t(
            lang,
            "Votre rôle ne permet pas d’enregistrer une pièce jointe.",
            "Your role lets you save no attachment.",
        ),
    }
}

fn secret_ui(
    ui: &mut Ui,
    view: &EntryView,
    model: &mut Details,
    line: &SecretLine,
    lang: Lang,
    now: Instant,
    acts: &mut Acts,
) {
    let p = palette(ui.ctx());
    let label = text::slot(&line.slot, lang);
    let totp = line.slot == Slot::Totp;
    let shown = model.shown(line.giver, &line.slot).is_some()
        || (totp && model.code().is_some_and(|c| c.of == line.giver));
    labelled_ui(ui, &label, |ui| {
        let room = (ui.available_width() - 90.0).max(60.0);
        let long = model.shown(line.giver, &line.slot).is_some_and(|v| v.len() > 24);
        ui.vertical(|ui| {
            ui.set_width(if long { room } else { room.min(240.0) });
            ui.add_space(4.0);
            match (totp, model.code()) {
                (true, Some(code)) if code.of == line.giver => {
                    let left = code.until.saturating_duration_since(now);
                    ui.horizontal(|ui| {
                        code_ui(ui, &code.code, &label);
                        let share = left.as_secs_f32() / code.period.as_secs_f32();
                        parts::ring(ui, share, if share < 0.2 { p.warn } else { p.accent });
                        ui.label(RichText::new(format!("{} s", left.as_secs())).color(p.weak));
                    });
                }
                _ => match model.shown(line.giver, &line.slot) {
                    Some(value) => {
                        parts::secret_label(ui, value, &label);
                    }
                    None => {
                        ui.label(RichText::new("\u{2022}".repeat(10)).color(p.weak));
                    }
                },
            }
            if let Some(from) = &line.from {
                let from = format!("{} {from}", t(lang, "de", "from"));
                ui.label(RichText::new(from).size(12.0).color(p.weak));
            }
        });
        if view.may_reveal {
            let (sign, verb) = if shown {
                (parts::Icon::Hide, t(lang, "Masquer", "Hide"))
            } else {
                (parts::Icon::Show, t(lang, "Afficher", "Show"))
            };
            let show = parts::drawn_button(ui, sign, &text::named(verb, &label, lang));
            if show.clicked() {
                if shown {
                    model.hide(line.giver, &line.slot);
                } else if totp {
                    acts.push(Act::Guarded(line.giver, Guarded::Totp));
                } else {
                    acts.push(Act::Guarded(line.giver, Guarded::Reveal(line.slot.clone())));
                }
            }
            let name = text::named(t(lang, "Copier", "Copy"), &label, lang);
            let copy = parts::drawn_button(ui, parts::Icon::Copy, &name);
            if copy.clicked() {
                let what = if totp { Guarded::CopyTotp } else { Guarded::Copy(line.slot.clone()) };
                acts.push(Act::Guarded(line.giver, what));
            }
        }
    });
}

/// A code in two groups of three, large.
fn code_ui(ui: &mut Ui, code: &crate::secret::SecretText, name: &str) {
    let font = egui::FontId::new(20.0, egui::FontFamily::Monospace);
    let colour = ui.visuals().text_color();
    let galley = code.expose(|c| {
        let middle = c.len() / 2;
        let spaced = match (c.get(..middle), c.get(middle..)) {
            (Some(a), Some(b)) if c.len() == 6 => format!("{a} {b}"),
            _ => c.to_owned(),
        };
        ui.painter().layout_no_wrap(spaced, font, colour)
    });
    let (rect, response) = ui.allocate_exact_size(galley.size(), egui::Sense::hover());
    ui.painter().galley(rect.min, galley, colour);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, name));
}

pub(super) fn attachments_ui(
    ui: &mut Ui,
    view: &EntryView,
    rights: &Rights,
    lang: Lang,
    acts: &mut Acts,
) {
    let e = &view.entry;
    if e.attachments.is_empty() {
        return;
    }
    parts::section(ui, t(lang, "PIÈCES JOINTES", "ATTACHMENTS"));
    for file in &e.attachments {
        ui.horizontal_wrapped(|ui| {
            ui.label("\u{1f4ce}");
            ui.label(&file.name);
            ui.label(RichText::new(text::size(file.size, lang)).color(palette(ui.ctx()).weak));
            let save = t(lang, "Enregistrer sous…", "Save as…");
            let button = ui.add_enabled(view.may_reveal, egui::Button::new(save));
            if button.on_disabled_hover_text(no_file(rights, lang)).clicked() {
                let pick = Pick::SaveAttachment(e.id, file.name.clone());
                acts.push(Act::Send(Command::Choose(pick, file.name.clone())));
            }
        });
    }
}
