//! The left side: the tree of clients, or the results of the search.
//! Paints only the lines on screen, however many there are.

use egui::{Align2, FontId, RichText, ScrollArea, Ui, pos2};

use crate::app::api::{At, Request};
use crate::gui::act::{Act, Acts};
use crate::gui::fonts;
use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Tag};
use crate::model::entry::{Kind, Summary};
use crate::model::id::EntryId;
use crate::model::lang::Lang;

use super::search::Search;
use super::tree::{Row, Tree};

const ROW: f32 = 27.0;
const RESULT: f32 = 42.0;

/// What the list shows and where its cursor is.
#[derive(Default)]
pub struct ListModel {
    /// The opened part of the tree.
    pub tree: Tree,
    /// The search.
    pub search: Search,
    /// The line with the cursor.
    pub selected: Option<EntryId>,
    /// Bring the cursor into sight at the next painting.
    pub scroll_to_selected: bool,
    /// May make clients and entries.
    pub may_edit: bool,
}

/// What reads the children of a container.
pub fn ask_children(id: EntryId) -> Act {
    let request = Request::List { at: Some(At::Id(id)), deep: false, trashed: false };
    Act::Send(Command::Ask(Tag::Children(id), request))
}

impl ListModel {
    /// Opens a container and asks for what is not known yet.
    pub fn open(&mut self, id: EntryId, acts: &mut Acts) {
        if self.tree.open(id) {
            acts.push(ask_children(id));
        }
    }

    /// Moves the cursor by `step` lines over the lines that stand for a node.
    pub fn step(&mut self, step: isize, acts: &mut Acts) {
        if self.search.active() {
            self.search.step(step);
            if let Some(item) = self.search.chosen_item() {
                let id = item.summary.id;
                self.tree.learn_one(&item.clone());
                self.selected = Some(id);
                acts.push(Act::Select(id));
            }
            self.scroll_to_selected = true;
            return;
        }
        let lines: Vec<usize> =
            self.tree.rows().iter().enumerate().filter_map(|(i, r)| r.id().map(|_| i)).collect();
        if lines.is_empty() {
            return;
        }
        let here = self
            .selected
            .and_then(|id| self.tree.row_of(id))
            .and_then(|row| lines.iter().position(|l| *l == row));
        let next = match here {
            Some(at) => at.saturating_add_signed(step).min(lines.len() - 1),
            None if step < 0 => lines.len() - 1,
            None => 0,
        };
        self.selected = self.tree.rows()[lines[next]].id();
        self.scroll_to_selected = true;
        acts.extend(self.selected.map(Act::Select));
    }

    /// Enter: opens a container, or the entry.
    pub fn enter(&mut self, acts: &mut Acts) {
        if let Some(item) = (self.search.active() && !self.search.waiting())
            .then(|| self.search.chosen_item().cloned())
            .flatten()
        {
            self.tree.learn_one(&item);
            let id = item.summary.id;
            self.selected = Some(id);
            if item.summary.kind.is_container() {
                self.search.clear();
                for parent in self.tree.reveal(id) {
                    acts.push(ask_children(parent));
                }
                self.open(id, acts);
                self.scroll_to_selected = true;
                acts.push(Act::Select(id));
            } else {
                acts.push(Act::Select(id));
                acts.push(Act::Open(id));
            }
            return;
        }
        // While a search stands in place of the tree, only what it shows may be
        // opened: never the entry of another client that was selected before.
        if self.search.active() {
            return;
        }
        let Some(id) = self.selected else { return };
        let Some(node) = self.tree.node(id) else { return };
        if !node.summary.kind.is_container() {
            acts.push(Act::Open(id));
        } else if self.tree.is_open(id) {
            self.tree.close(id);
        } else {
            self.open(id, acts);
        }
    }

    /// Right arrow: opens; left arrow: closes, or goes up.
    pub fn sideways(&mut self, right: bool, acts: &mut Acts) {
        let Some(id) = self.selected else { return };
        let Some(node) = self.tree.node(id) else { return };
        if right {
            self.open(id, acts);
        } else if self.tree.is_open(id) {
            self.tree.close(id);
        } else if let Some(parent) = node.summary.parent {
            self.selected = Some(parent);
            self.scroll_to_selected = true;
            acts.push(Act::Select(parent));
        }
    }
}

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
            if model.may_edit {
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

fn tree_ui(ui: &mut Ui, model: &mut ListModel, lang: Lang, acts: &mut Acts) {
    ui.spacing_mut().item_spacing.y = 1.0;
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
            response.clicked().then(|| response.double_clicked())
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
            if room > 30.0 {
                parts::cut_text(ui, at, room, parent, FontId::proportional(12.0), p.weak);
            }
            menu(&response, *id, &node.summary, &node.path, model.may_edit, lang, acts);
            response.clicked().then(|| response.double_clicked())
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
            parts::cut_text(ui, at, rect.right() - at.x - star, &summary.name, font, p.text);
            if summary.favourite {
                let at = rect.right_center() - egui::vec2(12.0, 0.0);
                let font = FontId::proportional(12.0);
                ui.painter().text(at, Align2::CENTER_CENTER, "\u{2605}", font, p.warn);
            }
            menu(&response, *id, summary, &node.path, model.may_edit, lang, acts);
            response.clicked().then(|| response.double_clicked())
        }
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
            parts::cut_text(ui, at, room, &item.summary.name, font, p.text);
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
            let at = pos2(rect.left() + 30.0, rect.top() + 30.0);
            parts::cut_text(ui, at, room, &below, FontId::proportional(12.0), p.weak);
            menu(&response, s.id, s, &item.path, model.may_edit, lang, acts);
            if response.clicked() {
                clicked = Some((i, response.double_clicked()));
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
        "credential" => ("\u{1f511}", FontId::proportional(13.0)),
        "note" => ("\u{1f4dd}", FontId::proportional(13.0)),
        "web" => ("\u{1f310}", FontId::proportional(13.0)),
        _ => ("\u{25c6}", FontId::proportional(12.0)),
    };
    let colour = if summary.kind == Kind::FOLDER { p.weak } else { p.accent };
    ui.painter().text(centre, Align2::CENTER_CENTER, sign, font, colour);
}

fn menu(
    response: &egui::Response,
    id: EntryId,
    summary: &Summary,
    path: &str,
    may_edit: bool,
    lang: Lang,
    acts: &mut Acts,
) {
    response.context_menu(|ui| {
        let mut item = |ui: &mut Ui, fr: &str, en: &str, act: Act| {
            if ui.button(t(lang, fr, en)).clicked() {
                acts.push(act);
                ui.close();
            }
        };
        if summary.trashed {
            item(ui, "Restaurer", "Restore", Act::Restore(id, None));
            item(ui, "Supprimer définitivement…", "Delete for good…", Act::Delete(id, true));
            return;
        }
        if !summary.kind.is_container() {
            item(ui, "Ouvrir", "Open", Act::Open(id));
            item(ui, "Copier l’identifiant", "Copy login", Act::CopyPlain(summary.user.clone()));
        }
        if !may_edit {
            return;
        }
        if summary.kind.is_container() {
            ui.menu_button(t(lang, "Nouveau", "New"), |ui| new_menu(ui, path, lang, acts));
        }
        let mut item = |ui: &mut Ui, fr: &str, en: &str, act: Act| {
            if ui.button(t(lang, fr, en)).clicked() {
                acts.push(act);
                ui.close();
            }
        };
        item(ui, "Modifier", "Edit", Act::Edit(id));
        if summary.kind != Kind::CLIENT {
            item(ui, "Déplacer…", "Move…", Act::Move(id));
        }
        if summary.favourite {
            item(ui, "Retirer des favoris", "Remove from favourites", Act::Favourite(id, false));
        } else {
            item(ui, "Ajouter aux favoris", "Add to favourites", Act::Favourite(id, true));
        }
        ui.separator();
        item(ui, "Mettre à la corbeille…", "Move to the recycle bin…", Act::Delete(id, false));
    });
}

/// What can be made below `path`; a client when `path` is empty.
pub fn new_menu(ui: &mut Ui, path: &str, lang: Lang, acts: &mut Acts) {
    ui.set_min_width(190.0);
    let mut item = |ui: &mut Ui, text: String, kind: Kind, below: &str| {
        if ui.button(RichText::new(text)).clicked() {
            acts.push(Act::New(kind, below.to_owned()));
            ui.close();
        }
    };
    if !path.is_empty() {
        for connector in crate::connect::ALL {
            let label = connector.label();
            item(ui, label.get(lang).to_owned(), Kind::new(connector.id()), path);
        }
        item(ui, t(lang, "Dossier", "Folder").to_owned(), Kind::FOLDER, path);
        ui.separator();
    }
    item(ui, t(lang, "Client", "Client").to_owned(), Kind::CLIENT, "");
}
