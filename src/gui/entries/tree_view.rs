//! Paints the tree of clients, folders and entries, of however many lines only
//! those on screen.

use egui::{Align2, FontId, ScrollArea, Ui};

use crate::gui::act::{Act, Acts};
use crate::gui::fonts;
use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::entry::Kind;
use crate::model::lang::Lang;

use super::list::ListModel;
use super::list_view::{click, kind_sign, tip};
use super::menu::menu;
use super::tree::Row;

const ROW: f32 = 27.0;

pub(super) fn tree_ui(ui: &mut Ui, model: &mut ListModel, lang: Lang, acts: &mut Acts) {
    ui.spacing_mut().item_spacing.y = 1.0;
    model.reveal_more(acts);
    let rows = model.tree.rows().len();
    let mut area = ScrollArea::vertical().auto_shrink(false);
    if std::mem::take(&mut model.scroll_to_selected)
        && let Some(row) = model.selected.and_then(|id| model.tree.row_of(id))
    {
        let top = row as f32 * (ROW + 1.0);
        let id = ui.make_persistent_id("tree-sight");
        let (from, to) = ui.data(|d| d.get_temp::<(f32, f32)>(id)).unwrap_or((0.0, 0.0));
        if top < from || top + ROW > to {
            let height = ui.available_height();
            area = area.vertical_scroll_offset((top - height / 2.0).max(0.0));
        }
    }
    let sight = ui.make_persistent_id("tree-sight");
    let mut clicked = None;
    let out = area.show_rows(ui, ROW, rows, |ui, range| {
        for i in range {
            let row = model.tree.rows()[i].clone();
            if let Some(click) = tree_row_ui(ui, model, &row, lang, acts) {
                clicked = Some((row, click));
            }
        }
    });
    let top = out.state.clamped_offset().y;
    ui.data_mut(|d| d.insert_temp(sight, (top, top + out.inner_rect.height())));
    let Some((row, double)) = clicked else { return };
    model.revealing = None;
    match row {
        Row::Trash => model.tree.toggle_trash(),
        Row::Node(id, _) => {
            let container = model.tree.node(id).is_some_and(|n| n.summary.kind.is_container());
            let was = model.selected == Some(id);
            model.selected = Some(id);
            acts.push(Act::Select(id));
            if container {
                if model.tree.is_open(id) && (was || double) {
                    model.tree.close(id);
                } else {
                    model.open(id, acts);
                }
            } else if double {
                acts.push(Act::Open(id));
            }
        }
        Row::Favourite(id) | Row::Trashed(id) => {
            model.selected = Some(id);
            acts.push(Act::Select(id));
            if double && matches!(row, Row::Favourite(_)) {
                acts.push(Act::Open(id));
            }
        }
        _ => {}
    }
}

/// `Some(double)` when it was clicked.
fn tree_row_ui(
    ui: &mut Ui,
    model: &ListModel,
    row: &Row,
    lang: Lang,
    acts: &mut Acts,
) -> Option<bool> {
    let p = palette(ui.ctx());
    let small = FontId::new(12.0, fonts::bold());
    match row {
        Row::Favourites | Row::Clients => {
            let text = match row {
                Row::Favourites => t(lang, "FAVORIS", "FAVOURITES"),
                _ => t(lang, "CLIENTS", "CLIENTS"),
            };
            let size = egui::vec2(ui.available_width(), ROW);
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            let at = rect.left_center() + egui::vec2(8.0, 3.0);
            ui.painter().text(at, Align2::LEFT_CENTER, text, small, p.weak);
            None
        }
        Row::Loading(depth) | Row::Empty(depth) => {
            let text = match row {
                Row::Loading(_) => "…",
                _ => t(lang, "(vide)", "(empty)"),
            };
            let size = egui::vec2(ui.available_width(), ROW);
            let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
            let at = rect.left_center() + egui::vec2(indent(*depth) + 20.0, 0.0);
            let font = FontId::proportional(13.0);
            ui.painter().text(at, Align2::LEFT_CENTER, text, font, p.weak);
            None
        }
        Row::Trash => {
            let open = model.tree.trash_open();
            let name = t(lang, "Corbeille", "Recycle bin");
            let (rect, response) = parts::row(ui, ROW, false, name);
            let mid = rect.left_center();
            arrow(ui, mid + egui::vec2(11.0, 0.0), open);
            let font = FontId::proportional(14.0);
            let text = format!("\u{1f5d1}  {name} ({})", model.tree.trash_len());
            ui.painter().text(mid + egui::vec2(22.0, 0.0), Align2::LEFT_CENTER, text, font, p.weak);
            click(ui, &response)
        }
        Row::Favourite(id) | Row::Trashed(id) => {
            let node = model.tree.node(*id)?;
            let selected = model.selected == Some(*id);
            let (rect, response) = parts::row(ui, ROW, selected, &node.path);
            let mid = rect.left_center() + egui::vec2(14.0, 0.0);
            kind_sign(ui, mid, &node.summary);
            let at = mid + egui::vec2(14.0, 0.0);
            let room = rect.right() - at.x - 6.0;
            let font = FontId::proportional(14.0);
            let used = parts::cut_text(ui, at, room, &node.summary.name, font, p.text);
            let parent = node.path.rsplit_once('/').map_or("", |(up, _)| up);
            let (at, room) = (at + egui::vec2(used + 8.0, 0.5), room - used - 8.0);
            let mut used = f32::INFINITY;
            if room > 30.0 {
                used = parts::cut_text(ui, at, room, parent, FontId::proportional(12.0), p.weak);
            }
            let response = tip(response, used, room, &node.path);
            menu(&response, &node.summary, &node.path, &model.rights, lang, acts);
            click(ui, &response)
        }
        Row::Node(id, depth) => {
            let node = model.tree.node(*id)?;
            let summary = &node.summary;
            let selected = model.selected == Some(*id);
            let (rect, response) = parts::row(ui, ROW, selected, &summary.name);
            let left = rect.left_center() + egui::vec2(indent(*depth), 0.0);
            if summary.kind.is_container() {
                arrow(ui, left + egui::vec2(11.0, 0.0), model.tree.is_open(*id));
            }
            let mid = left + egui::vec2(28.0, 0.0);
            kind_sign(ui, mid, summary);
            let at = mid + egui::vec2(14.0, 0.0);
            let font = if summary.kind == Kind::CLIENT {
                FontId::new(14.0, fonts::bold())
            } else {
                FontId::proportional(14.0)
            };
            let star = if summary.favourite { 20.0 } else { 6.0 };
            let room = rect.right() - at.x - star;
            let used = parts::cut_text(ui, at, room, &summary.name, font, p.text);
            let response = tip(response, used, room, &node.path);
            if summary.favourite {
                let at = rect.right_center() - egui::vec2(12.0, 0.0);
                let font = FontId::proportional(12.0);
                ui.painter().text(at, Align2::CENTER_CENTER, "\u{2605}", font, p.warn);
            }
            menu(&response, summary, &node.path, &model.rights, lang, acts);
            click(ui, &response)
        }
    }
}

fn indent(depth: u16) -> f32 {
    f32::from(depth.min(12)) * 15.0
}

fn arrow(ui: &Ui, centre: egui::Pos2, open: bool) {
    let colour = palette(ui.ctx()).weak;
    let points = if open {
        vec![
            centre + egui::vec2(-4.0, -2.0),
            centre + egui::vec2(4.0, -2.0),
            centre + egui::vec2(0.0, 3.0),
        ]
    } else {
        vec![
            centre + egui::vec2(-2.0, -4.0),
            centre + egui::vec2(3.0, 0.0),
            centre + egui::vec2(-2.0, 4.0),
        ]
    };
    ui.painter().add(egui::Shape::convex_polygon(points, colour, egui::Stroke::NONE));
}
