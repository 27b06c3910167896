//! What the list shows and where its cursor is. Paints nothing.

use crate::app::api::{At, Request};
use crate::gui::act::{Act, Acts};
use crate::gui::worker::{Command, Tag};
use crate::model::id::EntryId;

use super::rights::Rights;
use super::search::Search;
use super::tree::{Row, Tree};

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
    pub(super) fn reveal_more(&mut self, acts: &mut Acts) {
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
