//! The part of the form that the connector's fields declare.

use egui::{ComboBox, TextEdit, Ui};

use crate::connect::field::{Field, FieldKind, Offers};
use crate::connect::openvpn::fields::{SERVERS, SOURCE};
use crate::connect::vpn::fields::{VPN, WHEN};
use crate::gui::act::Acts;
use crate::gui::text::{self, t};
use crate::gui::widgets::parts;
use crate::model::lang::{Bi, Lang};

use super::editor::{Editor, Faults, PickFor};
use super::form_line::{FIELD, line, next, room};
use super::picker::open_picker;

pub(super) fn settings_ui(
    ui: &mut Ui,
    form: &mut Editor,
    faults: &Faults,
    lang: Lang,
    acts: &mut Acts,
) {
    let mut fields = form.fields();
    fields.retain(|field| !elsewhere(form, field));
    if fields.is_empty() {
        return;
    }
    ui.add_space(8.0);
    let title = if form.kind.is_container() {
        t(lang, "Réglages transmis aux accès", "Settings passed on to entries")
    } else {
        t(lang, "Réglages de connexion", "Connection settings")
    };
    let open = !form.kind.is_container();
    egui::CollapsingHeader::new(parts::bold(title)).default_open(open).show_unindented(ui, |ui| {
        for field in fields {
            setting_ui(ui, form, field, faults.get(field.id), lang, acts);
        }
    });
}

/// Whether a setting stands in another part of the form.
fn elsewhere(form: &Editor, field: &Field) -> bool {
    let vpn = [VPN.id, WHEN.id].contains(&field.id);
    vpn || form.has_profile() && [SERVERS.id, SOURCE.id].contains(&field.id)
}

/// The VPN to go through, and when, for what goes through one.
pub(super) fn vpn_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang, acts: &mut Acts) {
    let mut fields = form.fields();
    fields.retain(|field| [VPN.id, WHEN.id].contains(&field.id));
    if fields.is_empty() {
        return;
    }
    let title = match form.kind.is_container() {
        true => t(lang, "VPN TRANSMIS AUX ACCÈS", "VPN PASSED ON TO ENTRIES"),
        false => "VPN",
    };
    parts::section(ui, title);
    for field in fields {
        setting_ui(ui, form, field, faults.get(field.id), lang, acts);
    }
}

fn setting_ui(
    ui: &mut Ui,
    form: &mut Editor,
    field: &'static Field,
    fault: Option<&Bi>,
    lang: Lang,
    acts: &mut Acts,
) {
    let mut pick = false;
    let value = form.settings.entry(field.id).or_default();
    let default =
        if field.default.is_empty() { "" } else { field.shown(field.default, lang) }.to_owned();
    line(ui, field.label(lang), fault, lang, |ui, id| {
        let help = field.help(lang);
        match field.kind {
            FieldKind::Text
            | FieldKind::Matching(_)
            | FieldKind::Machine
            | FieldKind::Number { .. } => {
                let number = matches!(field.kind, FieldKind::Number { .. });
                let wide = if number { 110.0 } else { FIELD };
                let edit = TextEdit::singleline(value).desired_width(wide).hint_text(default);
                let out = ui.add(edit).labelled_by(id).on_hover_text(help);
                next(ui, &out);
            }
            FieldKind::Offered(Offers(names)) => {
                ui.horizontal_wrapped(|ui| {
                    let edit = TextEdit::singleline(value).desired_width(room(ui, 110.0));
                    let out = ui.add(edit.hint_text(default)).labelled_by(id).on_hover_text(help);
                    next(ui, &out);
                    offered_ui(ui, value, names, lang);
                });
            }
            FieldKind::Lines(_) => {
                let edit = TextEdit::multiline(value).desired_width(FIELD).desired_rows(2);
                ui.add(edit.hint_text(default)).labelled_by(id).on_hover_text(help);
            }
            FieldKind::Bool | FieldKind::Choice(_) | FieldKind::Listed(_) => {
                let mut usual = t(lang, "par défaut", "default").to_owned();
                if !default.is_empty() {
                    usual = format!("{usual} ({default})");
                }
                let shown = if value.is_empty() { &usual } else { field.shown(value, lang) };
                let words = !matches!(field.kind, FieldKind::Bool);
                let wide = if words { room(ui, 0.0) } else { 200.0 };
                let combo = ComboBox::from_id_salt(field.id).width(wide);
                let combo = combo.selected_text(shown.to_owned());
                let out = combo.show_ui(ui, |ui| {
                    ui.selectable_value(value, String::new(), &usual);
                    for word in field.words() {
                        let label = word.label(lang);
                        ui.selectable_value(value, word.word.to_owned(), label);
                    }
                });
                out.response.labelled_by(id).on_hover_text(help);
            }
            FieldKind::Entries => {
                ui.horizontal_wrapped(|ui| {
                    let edit = TextEdit::singleline(value).desired_width(room(ui, 90.0));
                    ui.add(edit).labelled_by(id).on_hover_text(help);
                    let one = field.id == VPN.id;
                    let label = if one {
                        t(lang, "Choisir…", "Choose…")
                    } else {
                        t(lang, "Ajouter…", "Add…")
                    };
                    // A way leads through one VPN; there may be several machines on it.
                    let button = ui.button(label);
                    let name = text::named(label.trim_end_matches('…'), field.label(lang), lang);
                    button.widget_info(|| {
                        egui::WidgetInfo::labeled(
                            egui::Role::Button,
                            true,
                            if one { &name } else { label },
                        )
                    });
                    pick = button.clicked();
                });
            }
        }
    });
    if pick {
        open_picker(form, PickFor::Setting(field.id), acts);
    }
}

/// A menu of the names that the machine has. It is asked once each time the menu
/// opens, not for every picture.
fn offered_ui(ui: &mut Ui, value: &mut String, names: fn() -> Vec<String>, lang: Lang) {
    let known = ui.scope_id().with("offered");
    let menu = ui.menu_button(t(lang, "Choisir…", "Choose…"), |ui| {
        let found = ui.data_mut(|d| d.get_temp_mut_or_insert_with(known, names).clone());
        if found.is_empty() {
            ui.weak(t(lang, "Il n’y en a aucun en ce moment.", "There is none at the moment."));
        }
        for name in found {
            if ui.button(&name).clicked() {
                *value = name;
                ui.close();
            }
        }
    });
    if menu.inner.is_none() {
        ui.data_mut(|d| d.remove::<Vec<String>>(known));
    }
}
