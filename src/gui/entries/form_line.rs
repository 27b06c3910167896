//! The lines of the form: a label in its column, a field, and what is wrong with it.

use egui::{RichText, TextEdit, Ui, vec2};

use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::lang::{Bi, Lang};

const LABEL: f32 = 170.0;

/// Narrower than this, a label stands above its field instead of beside it.
const BESIDE: f32 = 440.0;

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

/// A label in its column, or above where that leaves the field no room; `add`
/// paints the field and gets the label's id.
///
/// What is wrong is said beside the field, or after the label above it, as far as
/// there is room, so that what is below stays where it is while somebody types.
pub(super) fn line(
    ui: &mut Ui,
    label: &str,
    fault: Option<&Bi>,
    lang: Lang,
    add: impl FnOnce(&mut Ui, egui::Id),
) {
    let p = palette(ui.ctx());
    let text = RichText::new(label).color(p.weak);
    let fault = fault.map(|f| RichText::new(f.get(lang)).size(12.5).color(p.error));
    if ui.available_width() < BESIDE {
        let (id, fault) = match label {
            "" => (egui::Id::NULL, fault),
            _ => above_ui(ui, text, fault),
        };
        add(ui, id);
        if let Some(fault) = fault {
            ui.add(egui::Label::new(fault).wrap());
        }
        ui.add_space(2.0);
        return;
    }
    ui.horizontal_top(|ui| {
        let id = ui
            .allocate_ui_with_layout(
                vec2(LABEL, 28.0),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_min_width(LABEL);
                    ui.add(egui::Label::new(text).wrap()).id
                },
            )
            .inner;
        let right = ui.max_rect().right();
        let rest = ui.vertical(|ui| {
            ui.set_max_width(ui.available_width().min(FIELD + 80.0));
            add(ui, id);
            let fault = fault?;
            let tall = ui.min_rect().height() > 2.0 * ui.spacing().interact_size.y;
            let room = right - ui.min_rect().right() - ui.spacing().item_spacing.x;
            if tall || width(ui, &fault) > room {
                ui.add(egui::Label::new(fault).wrap());
                return None;
            }
            Some(fault)
        });
        if let Some(fault) = rest.inner {
            ui.add_space(2.0);
            ui.allocate_ui_with_layout(
                vec2(ui.available_width(), 28.0),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| ui.label(fault),
            );
        }
    });
}

/// A label above its field, with what is wrong after it on the same line. That is
/// given back when it has no room there.
fn above_ui(ui: &mut Ui, label: RichText, fault: Option<RichText>) -> (egui::Id, Option<RichText>) {
    let room = ui.available_width() - width(ui, &label) - ui.spacing().item_spacing.x;
    let (after, below) = match fault {
        Some(fault) if width(ui, &fault) <= room => (Some(fault), None),
        fault => (None, fault),
    };
    let line = ui.scope(|ui| {
        // As high as the label alone.
        ui.spacing_mut().interact_size.y = 0.0;
        ui.horizontal(|ui| {
            let id = ui.add(egui::Label::new(label).wrap()).id;
            if let Some(fault) = after {
                ui.label(fault);
            }
            id
        })
    });
    (line.inner.inner, below)
}

/// How wide a text is on one line.
fn width(ui: &Ui, text: &RichText) -> f32 {
    let text = egui::WidgetText::from(text.clone());
    let wrap = Some(egui::TextWrapMode::Extend);
    text.into_galley(ui, wrap, f32::INFINITY, egui::TextStyle::Body).size().x
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
