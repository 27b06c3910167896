//! The lines of the form: a label in its column, a field, and what is wrong with it.

use egui::{RichText, TextEdit, Ui, vec2};

use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::lang::{Bi, Lang};

const LABEL: f32 = 170.0;

pub(super) const FIELD: f32 = 420.0;

/// The width of a field that leaves `beside` points free after it.
pub(super) fn room(ui: &Ui, beside: f32) -> f32 {
    (ui.available_width().min(FIELD) - beside).max(80.0)
}

/// Enter in a field of one line goes on to the next.
pub(super) fn next(ui: &Ui, field: &egui::Response) {
    if field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
        parts::go_on(ui);
    }
}

/// A label in its column; `add` paints the field and gets the label's id.
pub(super) fn line(
    ui: &mut Ui,
    label: &str,
    fault: Option<&Bi>,
    lang: Lang,
    add: impl FnOnce(&mut Ui, egui::Id),
) {
    let p = palette(ui.ctx());
    ui.horizontal_top(|ui| {
        let id = ui
            .allocate_ui_with_layout(
                vec2(LABEL, 28.0),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_min_width(LABEL);
                    let text = RichText::new(label).color(p.weak);
                    ui.add(egui::Label::new(text).truncate()).id
                },
            )
            .inner;
        ui.vertical(|ui| {
            ui.set_max_width(ui.available_width().min(FIELD + 80.0));
            add(ui, id);
            if let Some(fault) = fault {
                ui.label(RichText::new(fault.get(lang)).size(12.5).color(p.error));
            }
        });
    });
}

pub(super) fn text_line(
    ui: &mut Ui,
    label: &str,
    value: &mut String,
    hint: &str,
    fault: Option<&Bi>,
    lang: Lang,
) {
    line(ui, label, fault, lang, |ui, id| {
        let edit = TextEdit::singleline(value).desired_width(FIELD).hint_text(hint.to_owned());
        let out = ui.add(edit).labelled_by(id);
        next(ui, &out);
    });
}
