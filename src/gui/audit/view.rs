//! Paints the log page.

use egui::{ComboBox, Margin, Panel, RichText, TextEdit, Ui};

use crate::app::api::Request;
use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Tag};
use crate::model::audit_event::Event;
use crate::model::lang::Lang;

use super::export_view::export_ui;
use super::line_view::line_ui;
use super::model::{AuditModel, Period, SHOWN};
use super::table_view::table_ui;

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
        let why = match model.read_only {
            true => t(
                lang,
                "Le coffre est ouvert en lecture seule\u{a0}: un export ne pourrait pas être inscrit au journal.",
                "The vault is open for reading only: an export could not be written to the log.",
            ),
            false => t(lang, "Corrigez d’abord les dates.", "Correct the dates first."),
        };
        let button = ui.add_enabled(readable && !model.read_only, export);
        if button.on_disabled_hover_text(why).clicked() {
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
