//! The left side: the tree of clients, or the results of the search.
//! Paints only the lines on screen, however many there are.

use egui::{Align2, FontId, RichText, ScrollArea, Ui, pos2};

use crate::app::api::{At, Request, Status};
use crate::gui::act::{Act, Acts};
use crate::gui::fonts;
use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Tag};
use crate::model::entry::{Kind, Summary};
use crate::model::id::EntryId;
use crate::model::lang::Lang;
use crate::model::member::Role;
use crate::model::policy::{may, to_change};

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
    /// What may be made and changed.
    pub rights: Rights,
    /// The line to be shown in the tree, which may not have come yet.
    pub revealing: Option<EntryId>,
}

/// What the member may make and change: the policy's answer, so that nothing is
/// offered that would be refused.
pub struct Rights {
    role: Role,
    writes: bool,
    /// Name of the private space.
    own: String,
}

impl Default for Rights {
    /// Nothing.
    fn default() -> Self {
        Self { role: Role::Auditor, writes: false, own: String::new() }
    }
}

impl Rights {
    /// Those of who unlocked.
    pub fn of(status: &Status) -> Self {
        let own = format!("~{}", status.member);
        Self { role: status.role, writes: !status.read_only, own }
    }

    /// Whether a node of `kind` at `path`, or below it, may be made or changed.
    /// The private space is also called `~`.
    pub fn change(&self, kind: &Kind, path: &str) -> bool {
        let top = path.split('/').next().unwrap_or_default();
        let own = top == "~" || top == self.own;
        self.writes && may(self.role, to_change(kind, own))
    }

    /// Whether anything may be made below `path`.
    pub fn make_below(&self, path: &str) -> bool {
        kinds().any(|kind| self.change(&kind, path))
    }
}

/// What can be made in a container: a folder, or an entry.
fn kinds() -> impl Iterator<Item = Kind> {
    crate::connect::ALL.iter().map(|c| Kind::new(c.id())).chain([Kind::FOLDER])
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

    /// True while a search stands in place of the tree and found nothing.
    pub fn nothing_found(&self) -> bool {
        let search = &self.search;
        search.active() && !search.waiting() && search.results().is_empty()
    }

    /// Shows the selected line in the tree, once all that is above it has come.
    pub fn reveal(&mut self) {
        self.revealing = self.selected;
    }

    /// Opens the next container on the way to the line that is to be shown.
    fn reveal_more(&mut self, acts: &mut Acts) {
        let Some(id) = self.revealing else { return };
        let node = self.tree.node(id).filter(|n| !n.summary.trashed);
        let Some(path) = node.filter(|_| self.selected == Some(id)).map(|n| n.path.clone()) else {
            self.revealing = None;
            return;
        };
        for (end, _) in path.match_indices('/') {
            let Some(up) = self.tree.at_path(&path[..end]) else { return };
            if !self.tree.is_open(up) {
                self.open(up, acts);
            }
        }
        if self.tree.rows().iter().any(|row| matches!(row, Row::Node(at, _) if *at == id)) {
            self.revealing = None;
            self.scroll_to_selected = true;
        }
    }

    /// Enter: opens a container, or the entry.
    pub fn enter(&mut self, acts: &mut Acts) {
        if let Some(item) = (self.search.active() && self.search.enter())
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
        self.revealing = None;
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

fn tree_ui(ui: &mut Ui, model: &mut ListModel, lang: Lang, acts: &mut Acts) {
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
fn tip(response: egui::Response, used: f32, room: f32, whole: &str) -> egui::Response {
    // A text that was cut ends within a few points of its room.
    if used > room - 14.0 { response.on_hover_text(whole) } else { response }
}

/// `Some(true)` for a double click, or for Enter on the line that Tab has reached.
fn click(ui: &Ui, response: &egui::Response) -> Option<bool> {
    let entered = || response.has_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
    response.clicked().then(|| response.double_clicked() || entered())
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
    summary: &Summary,
    path: &str,
    rights: &Rights,
    lang: Lang,
    acts: &mut Acts,
) {
    let id = summary.id;
    let may_change = rights.change(&summary.kind, path);
    let may_make = summary.kind.is_container() && rights.make_below(path);
    // Nothing to choose from is no menu.
    if !may_change && !may_make && (summary.trashed || summary.kind.is_container()) {
        return;
    }
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
        if may_make {
            ui.menu_button(t(lang, "Nouveau", "New"), |ui| {
                let allowed = |kind: &Kind| rights.change(kind, path);
                new_below_ui(ui, path, allowed, lang, acts);
            });
        }
        if !may_change {
            return;
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

/// What can be made below `path`, which the member may change.
pub fn new_menu(ui: &mut Ui, path: &str, lang: Lang, acts: &mut Acts) {
    new_below_ui(ui, path, |_| true, lang, acts);
}

/// What the member may make: below `path`, if there is one, and besides.
pub fn new_anywhere_ui(ui: &mut Ui, path: &str, rights: &Rights, lang: Lang, acts: &mut Acts) {
    let mut more = false;
    if !path.is_empty() && rights.make_below(path) {
        new_below_ui(ui, path, |kind| rights.change(kind, path), lang, acts);
        more = true;
    }
    let client = (Kind::CLIENT, "", t(lang, "Client", "Client"));
    let own = (Kind::new("credential"), "~", t(lang, "Identifiant personnel", "Personal login"));
    for (kind, below, name) in [client, own] {
        if !rights.change(&kind, below) {
            continue;
        }
        if std::mem::take(&mut more) {
            ui.separator();
        }
        item_ui(ui, name, Act::New(kind, below.to_owned()), acts);
    }
}

fn new_below_ui(
    ui: &mut Ui,
    path: &str,
    allowed: impl Fn(&Kind) -> bool,
    lang: Lang,
    acts: &mut Acts,
) {
    for kind in kinds().filter(allowed) {
        let name = crate::gui::text::kind(&kind, lang);
        item_ui(ui, &name, Act::New(kind, path.to_owned()), acts);
    }
}

fn item_ui(ui: &mut Ui, name: &str, act: Act, acts: &mut Acts) {
    ui.set_min_width(190.0);
    if ui.button(RichText::new(name)).clicked() {
        acts.push(act);
        ui.close();
    }
}
