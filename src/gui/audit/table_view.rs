//! The table of the log: of however many lines only those on screen.

use egui::{ScrollArea, Ui, vec2};

use crate::app::export;
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::audit_event::{OpenLine, field};
use crate::model::lang::Lang;

use super::model::AuditModel;

const ROW: f32 = 26.0;

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
    // Beside a line in full its particulars are read there; in a small window there
    // is room for what happened and to which entry.
    let kept = |name: &str| match name {
        "event" | field::ENTRY => true,
        "what" => left >= 640.0,
        _ => left >= 420.0,
    };
    let total: f32 = COLUMNS[1..].iter().filter(|c| kept(c.0)).map(|c| c.1).sum();
    COLUMNS.map(|(name, wide)| match name {
        "time" => date,
        name if kept(name) => wide * left / total,
        _ => 0.0,
    })
}

pub(super) fn table_ui(ui: &mut Ui, model: &mut AuditModel, lang: Lang) {
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
            other => text::log_column(other, lang),
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

/// What a row says behind its columns: the far side as `user@host:port`, then the rest.
fn particulars(line: &OpenLine, lang: Lang) -> String {
    const SHOWN: [&str; 7] = [
        field::SLOT,
        field::HOST,
        field::TICKET,
        field::REASON,
        field::SUBJECT,
        field::FILE,
        field::DETAIL,
    ];
    let told = SHOWN.map(|name| match name {
        field::HOST => export::far(line),
        name => text::log_value(line, name, line.field(name), lang),
    });
    told.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("  ·  ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::audit_event::Event;

    fn told(event: Event, fields: &[(&str, &str)], lang: Lang) -> String {
        let fields = fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        particulars(&OpenLine { event, fields, ..OpenLine::empty() }, lang)
    }

    #[test]
    fn a_row_says_account_host_and_port_and_the_words_of_the_log_in_the_persons_language() {
        let far = [
            (field::HOST, "192.0.2.7"),
            (field::PORT, "2222"),
            (field::REMOTE_USER, "root"),
            (field::DETAIL, "refused: 192.0.2.7:2222 refuses the connection."),
        ];
        assert_eq!(
            told(Event::SessionFailed, &far, Lang::Fr),
            "root@192.0.2.7:2222  ·  192.0.2.7:2222 refuse la connexion."
        );
        let six = [(field::HOST, "2001:db8::7"), (field::PORT, "22")];
        assert_eq!(told(Event::SessionOpened, &six, Lang::Fr), "[2001:db8::7]:22");
        let bin = [(field::DETAIL, "bin")];
        assert_eq!(told(Event::EntryDeleted, &bin, Lang::Fr), "à la corbeille");
        assert_eq!(told(Event::EntryRestored, &bin, Lang::Fr), "de la corbeille");
        let code = [(field::SLOT, "code")];
        assert_eq!(told(Event::TotpShown, &code, Lang::Fr), "Code à usage unique");
        assert_eq!(told(Event::TotpShown, &code, Lang::En), "One-time code");
    }
}
