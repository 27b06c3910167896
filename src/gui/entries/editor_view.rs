//! Paints the form, drawn from what the connector declares.

use egui::{Panel, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::{palette, primary_button};
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Tag};
use crate::model::entry::Kind;
use crate::model::lang::Lang;

use super::client_view::client_ui;
use super::connector_view::{settings_ui, vpn_ui};
use super::editor::{Editor, Faults};
use super::form_line::{FIELD, line, next, text_line};
use super::login_view::login_ui;
use super::more_view::more_ui;
use super::picker::picker_ui;
use super::profile_view::profile_ui;

/// Paints the form.
pub fn editor_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    let faults = form.faults();
    // Not when it closes what stands over the form: a menu, the picker.
    let alone = form.picker.is_none()
        && !egui::Popup::is_any_open(ui.ctx())
        && ui.ctx().memory(|m| m.top_modal_layer().is_none());
    if alone && !form.saving && ui.input(|i| i.key_pressed(egui::Key::Escape)) {
        acts.push(Act::CloseEditor);
    }
    head_ui(ui, form, &faults, lang, acts);
    ui.separator();
    messages_ui(ui, form, lang);
    let mut area = ScrollArea::vertical().auto_shrink(false).id_salt("form");
    if form.focus {
        // A form that opens starts at its top, wherever the last one was left.
        area = area.vertical_scroll_offset(0.0);
    }
    ui.push_id(form.opening, |ui| {
        area.show(ui, |ui| {
            ui.add_enabled_ui(!form.saving, |ui| {
                ui.set_max_width(ui.available_width().min(800.0));
                common_ui(ui, form, &faults, lang);
                if form.kind == Kind::CLIENT {
                    client_ui(ui, form, &faults, lang);
                }
                profile_ui(ui, form, lang, acts);
                login_ui(ui, form, &faults, lang, acts);
                vpn_ui(ui, form, &faults, lang, acts);
                settings_ui(ui, form, &faults, lang, acts);
                more_ui(ui, form, &faults, lang, acts);
                ui.add_space(24.0);
                parts::follow_focus(ui);
            });
        })
    });
    picker_ui(ui, form, lang, acts);
}

fn head_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang, acts: &mut Acts) {
    let kind = text::kind(&form.kind, lang);
    let title = match &form.base {
        Some(view) if lang == Lang::Fr => format!("Modifier «\u{a0}{}\u{a0}»", view.entry.name),
        Some(view) => format!("Edit “{}”", view.entry.name),
        None => text::named(t(lang, "Nouveau", "New"), &kind, lang),
    };
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 240.0).max(100.0);
        ui.allocate_ui(vec2(room, 30.0), |ui| {
            ui.add(egui::Label::new(RichText::new(title).heading()).truncate());
        });
        let ready = faults.is_empty() && !form.saving;
        let save = primary_button(ui.ctx(), t(lang, "Enregistrer", "Save"));
        if ui.add_enabled(ready, save).on_hover_text("Ctrl+S").clicked() {
            save_form(form, acts);
        }
        if ui.button(t(lang, "Annuler", "Cancel")).clicked() {
            acts.push(Act::CloseEditor);
        }
        if form.saving {
            ui.spinner();
        }
    });
    if form.base.is_none() && !form.below.is_empty() {
        let below = match form.below.as_str() {
            "~" => t(lang, "Mes identifiants", "My logins"),
            path => path,
        };
        let place = format!("{} {below}", t(lang, "dans", "in"));
        ui.label(RichText::new(place).color(palette(ui.ctx()).weak));
    }
}

/// Sends the form off.
pub fn save_form(form: &mut Editor, acts: &mut Acts) {
    // Nothing was changed: no version and no line in the log for nothing.
    if form.base.is_some() && !form.saving && !form.dirty() {
        acts.push(Act::DropEditor);
        return;
    }
    acts.extend(form.save().map(|request| Act::Send(Command::Ask(Tag::Save, request))));
}

/// What became of saving, below the form: wherever that is scrolled it is seen,
/// and no field moves under the pointer.
fn messages_ui(ui: &mut Ui, form: &Editor, lang: Lang) {
    if form.stale.is_empty() && form.error.is_none() {
        return;
    }
    let room = ui.available_height() * 0.5;
    let frame = egui::Frame::new().inner_margin(egui::Margin { top: 6, ..Default::default() });
    Panel::bottom("form-messages").frame(frame).show(ui, |ui| {
        ScrollArea::vertical().max_height(room).auto_shrink([false, true]).show(ui, |ui| {
            message_ui(ui, form, lang);
        });
    });
}

fn message_ui(ui: &mut Ui, form: &Editor, lang: Lang) {
    if !form.stale.is_empty() {
        let fields: Vec<String> = form.stale.iter().map(|f| text::entry_field(f, lang)).collect();
        let who = form.base.as_ref().and_then(|v| v.people.get(&v.entry.changed_by));
        let who = who.map_or("?", String::as_str);
        let what = match lang {
            Lang::Fr => {
                format!("{who} a modifié cet accès entre-temps\u{a0}: {}.", fields.join(", "))
            }
            Lang::En => format!("{who} changed this entry meanwhile: {}.", fields.join(", ")),
        };
        let todo = t(
            lang,
            "Rien n’est écrasé. Relisez le formulaire\u{a0}: «\u{a0}Enregistrer\u{a0}» ajoutera vos seuls changements.",
            "Nothing was overwritten. Read the form again: “Save” will add your own changes only.",
        );
        let clash: Vec<String> = form.both.iter().map(|f| text::entry_field(f, lang)).collect();
        let clash = match lang {
            _ if clash.is_empty() => String::new(),
            Lang::Fr => format!(
                " Vous aviez changé la même chose\u{a0}: {}. C’est votre version qui serait enregistrée.",
                clash.join(", ")
            ),
            Lang::En => format!(
                " You had changed the same: {}. Your version is what would be saved.",
                clash.join(", ")
            ),
        };
        parts::warn_box(ui, &what, &format!("{todo}{clash}"));
    } else if let Some(e) = &form.error {
        parts::failure(ui, lang, &e.what, &e.todo);
    }
}

fn common_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang) {
    let common = form.common();
    let focus = std::mem::take(&mut form.focus);
    let touched = form.base.is_some() || !form.name.is_empty();
    let fault = faults.get("name").filter(|_| touched);
    line(ui, t(lang, "Nom", "Name"), fault, lang, |ui, id| {
        let out = ui.add(TextEdit::singleline(&mut form.name).desired_width(FIELD)).labelled_by(id);
        if focus {
            out.request_focus();
        }
        next(ui, &out);
    });
    if common.host {
        let (label, hint) = if form.kind.word() == "web" {
            (t(lang, "Adresse", "Address"), "https://")
        } else {
            (t(lang, "Hôte", "Host"), t(lang, "nom ou adresse", "name or address"))
        };
        text_line(ui, label, &mut form.host, hint, faults.get("host"), lang);
    }
    if common.port {
        let hint = form.default_port().map(|p| p.to_string()).unwrap_or_default();
        line(ui, "Port", faults.get("port"), lang, |ui, id| {
            let edit = TextEdit::singleline(&mut form.port).desired_width(90.0).hint_text(hint);
            let out = ui.add(edit).labelled_by(id);
            next(ui, &out);
        });
    }
}
