//! The left side: the tree of clients, or the results of the search.
//! Paints only the lines on screen, however many there are.

use egui::{Align2, FontId, ScrollArea, Ui, pos2};

use crate::connect;
use crate::gui::act::{Act, Acts};
use crate::gui::fonts;
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::entry::{Kind, Summary};
use crate::model::lang::Lang;

use super::list::ListModel;
use super::menu::menu;
use super::tree_view::tree_ui;

const RESULT: f32 = 42.0;

/// Paints the list.
pub fn list_ui(ui: &mut Ui, model: &mut ListModel, lang: Lang, acts: &mut Acts) {
    if model.search.active() {
        results_ui(ui, model, lang, acts);
    } else if model.tree.is_empty() && model.tree.trash_len() == 0 {
        let title = t(lang, "Aucun client pour l’instant", "No client yet");
        let hint = t(
            lang,
            "Un client réunit les accès d’une entreprise.",
            "A client holds the entries of one company.",
        );
        parts::empty_page(ui, "\u{1f3e2}", title, hint, |ui| {
            if model.rights.change(&Kind::CLIENT, "") {
                let add = t(lang, "Ajouter un client", "Add a client");
                if ui.button(add).clicked() {
                    acts.push(Act::New(Kind::CLIENT, String::new()));
                }
            }
        });
    } else {
        tree_ui(ui, model, lang, acts);
    }
}

fn results_ui(ui: &mut Ui, model: &mut ListModel, lang: Lang, acts: &mut Acts) {
    if let Some(e) = model.search.error() {
        parts::failure(ui, lang, &e.what, &e.todo);
        return;
    }
    let p = palette(ui.ctx());
    let count = model.search.results().len();
    if count == 0 {
        if !model.search.waiting() {
            let title = t(lang, "Rien ne correspond", "Nothing matches");
            let hint = t(
                lang,
                "Essayez un morceau du nom, de l’hôte ou du client.",
                "Try a piece of the name, host or client.",
            );
            parts::empty_page(ui, "\u{1f50d}", title, hint, |_| {});
        }
        return;
    }
    ui.spacing_mut().item_spacing.y = 1.0;
    let mut area = ScrollArea::vertical().auto_shrink(false).id_salt("results");
    if std::mem::take(&mut model.scroll_to_selected) {
        let top = model.search.chosen() as f32 * (RESULT + 1.0);
        let height = ui.available_height();
        area = area.vertical_scroll_offset((top - height / 2.0).max(0.0));
    }
    let mut clicked = None;
    area.show_rows(ui, RESULT, count, |ui, range| {
        for i in range {
            let item = &model.search.results()[i];
            let chosen = i == model.search.chosen();
            let (rect, response) = parts::row(ui, RESULT, chosen, &item.path);
            let mid = rect.left_top() + egui::vec2(16.0, 13.0);
            kind_sign(ui, mid, &item.summary);
            let at = pos2(rect.left() + 30.0, rect.top() + 13.0);
            let room = rect.right() - at.x - 8.0;
            let font = FontId::new(14.0, fonts::bold());
            let name = parts::cut_text(ui, at, room, &item.summary.name, font, p.text);
            let parent = item.path.rsplit_once('/').map_or("", |(up, _)| up);
            let s = &item.summary;
            let mut below = parent.to_owned();
            for more in [&s.host, &s.user] {
                if !more.is_empty() {
                    if !below.is_empty() {
                        below.push_str(" · ");
                    }
                    below.push_str(more);
                }
            }
            if below.is_empty() {
                // A client stands in nothing and has no host.
                below = text::kind(&s.kind, lang);
            }
            let at = pos2(rect.left() + 30.0, rect.top() + 30.0);
            let small = FontId::proportional(12.0);
            let used = parts::cut_text(ui, at, room, &below, small, p.weak).max(name);
            let response = tip(response, used, room, &format!("{}\n{below}", s.name));
            menu(&response, s, &item.path, &model.rights, lang, acts);
            if let Some(double) = click(ui, &response) {
                clicked = Some((i, double));
            }
        }
    });
    if let Some((i, double)) = clicked {
        model.search.choose(i);
        if double {
            model.enter(acts);
        } else if let Some(item) = model.search.chosen_item().cloned() {
            model.tree.learn_one(&item);
            model.selected = Some(item.summary.id);
            acts.push(Act::Select(item.summary.id));
        }
    }
}

/// The whole of a line that was cut, for the pointer.
pub(super) fn tip(response: egui::Response, used: f32, room: f32, whole: &str) -> egui::Response {
    // A text that was cut ends within a few points of its room.
    if used > room - 14.0 { response.on_hover_text(whole) } else { response }
}

/// `Some(true)` for a double click, or for Enter on the line that Tab has reached.
pub(super) fn click(ui: &Ui, response: &egui::Response) -> Option<bool> {
    let entered = || response.has_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
    response.clicked().then(|| response.double_clicked() || entered())
}

/// The sign of a kind.
pub fn kind_sign(ui: &Ui, centre: egui::Pos2, summary: &Summary) {
    let p = palette(ui.ctx());
    if summary.kind == Kind::CLIENT {
        parts::client_mark(ui, centre, &summary.colour);
        return;
    }
    let (sign, font) = match summary.kind.word() {
        "folder" => ("\u{1f4c1}", FontId::proportional(13.0)),
        "ssh" => (">_", FontId::new(11.0, fonts::mono(true, false))),
        "shell" => ("$_", FontId::new(11.0, fonts::mono(true, false))),
        "rdp" => ("[]", FontId::new(11.0, fonts::mono(true, false))),
        "vnc" => ("[]", FontId::new(11.0, fonts::mono(true, false))),
        "telnet" => ("T>", FontId::new(11.0, fonts::mono(true, false))),
        "raw" => ("<>", FontId::new(11.0, fonts::mono(true, false))),
        "serial" => ("::", FontId::new(11.0, fonts::mono(true, false))),
        "credential" => ("\u{1f511}", FontId::proportional(13.0)),
        "note" => ("\u{1f4dd}", FontId::proportional(13.0)),
        "web" => ("\u{1f310}", FontId::proportional(13.0)),
        "openvpn" => ("==", FontId::new(11.0, fonts::mono(true, false))),
        _ => match connect::by_kind(&summary.kind).map_or("", |c| c.icon()) {
            "" => ("\u{25c6}", FontId::proportional(12.0)),
            words if words.is_ascii() => (words, FontId::new(11.0, fonts::mono(true, false))),
            sign => (sign, FontId::proportional(13.0)),
        },
    };
    let colour = if summary.kind == Kind::FOLDER { p.weak } else { p.accent };
    ui.painter().text(centre, Align2::CENTER_CENTER, sign, font, colour);
}
