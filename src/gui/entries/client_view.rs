//! The part of the form that only a client has: its code, colour and tickets.

use egui::{TextEdit, Ui, vec2};

use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::lang::Lang;

use super::editor::{Editor, Faults};
use super::form_line::{line, next, text_line};

pub(super) fn client_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang) {
    let c = &mut form.client;
    text_line(ui, t(lang, "Code", "Code"), &mut c.code, "DUP", None, lang);
    line(ui, t(lang, "Couleur", "Colour"), faults.get("colour"), lang, |ui, id| {
        ui.horizontal_wrapped(|ui| {
            let edit =
                TextEdit::singleline(&mut c.colour).desired_width(100.0).hint_text("#2e7dd1");
            let out = ui.add(edit).labelled_by(id);
            next(ui, &out);
            for colour in [
                "#2e7dd1", "#0f766e", "#15803d", "#a16207", "#c2410c", "#be123c", "#7c3aed",
                "#475569",
            ] {
                let size = vec2(20.0, 20.0);
                let (rect, out) = ui.allocate_exact_size(size, egui::Sense::click());
                let fill = parts::parse_colour(colour).unwrap_or_default();
                ui.painter().rect_filled(rect, 4.0, fill);
                if c.colour == colour || out.has_focus() {
                    let stroke = egui::Stroke::new(2.0, palette(ui.ctx()).text);
                    ui.painter().rect_stroke(rect, 4.0, stroke, egui::StrokeKind::Inside);
                }
                let name = format!("{} {colour}", t(lang, "Couleur", "Colour"));
                out.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if out.clicked() {
                    c.colour = colour.to_owned();
                }
            }
        });
    });
    parts::section(ui, t(lang, "TICKETS", "TICKETS"));
    line(ui, "", None, lang, |ui, _| {
        let ticket = t(
            lang,
            "Un ticket est exigé pour se connecter, révéler, exporter",
            "A ticket is needed to connect, reveal, export",
        );
        ui.checkbox(&mut c.ticket_required, ticket);
        ui.checkbox(&mut c.reason_required, t(lang, "Un motif est exigé", "A reason is needed"));
    });
    let hint = "GLPI-[0-9]{4,6}";
    text_line(
        ui,
        t(lang, "Forme du ticket", "Ticket pattern"),
        &mut c.ticket_pattern,
        hint,
        None,
        lang,
    );
    let hint = "https://glpi.exemple.fr/ticket/{ticket}";
    text_line(
        ui,
        t(lang, "Adresse du ticket", "Ticket address"),
        &mut c.ticket_url,
        hint,
        None,
        lang,
    );
}
