//! The tree as far as it was opened: only what is on screen or was asked for is
//! kept, so that a vault of a million entries costs no more than its open
//! folders. Knows no egui and no vault.

use std::collections::{BTreeSet, HashMap};

use crate::app::api::Item;
use crate::model::entry::Summary;
use crate::model::id::EntryId;

/// One node that has been seen.
pub struct Node {
    /// What lists show.
    pub summary: Summary,
    /// `Client/Folder/Name`.
    pub path: String,
    /// `None` until the container was opened.
    pub children: Option<Vec<EntryId>>,
}

/// One line of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Row {
    /// Title above the favourites.
    Favourites,
    /// A favourite.
    Favourite(EntryId),
    /// Title above the clients.
    Clients,
    /// A node at a depth.
    Node(EntryId, u16),
    /// An opened container whose children have not come yet.
    Loading(u16),
    /// An opened container without children.
    Empty(u16),
    /// The recycle bin itself.
    Trash,
    /// Something in it.
    Trashed(EntryId),
}

impl Row {
    /// The node of this line, if it stands for one.
    pub fn id(&self) -> Option<EntryId> {
        match self {
            Self::Favourite(id) | Self::Node(id, _) | Self::Trashed(id) => Some(*id),
            _ => None,
        }
    }
}

/// The opened part of the tree.
#[derive(Default)]
pub struct Tree {
    nodes: HashMap<EntryId, Node>,
    roots: Option<Vec<EntryId>>,
    favourites: Vec<EntryId>,
    trash: Vec<EntryId>,
    open: BTreeSet<EntryId>,
    trash_open: bool,
    /// Children that came before their container.
    early: HashMap<EntryId, Vec<EntryId>>,
    rows: Vec<Row>,
}

impl Tree {
    /// The lines to show.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// True once the clients are known.
    pub fn loaded(&self) -> bool {
        self.roots.is_some()
    }

    /// True when there is no client at all.
    pub fn is_empty(&self) -> bool {
        self.roots.as_ref().is_some_and(Vec::is_empty)
    }

    /// A node that has been seen.
    pub fn node(&self, id: EntryId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Whether a container is open.
    pub fn is_open(&self, id: EntryId) -> bool {
        self.open.contains(&id)
    }

    /// Whether the recycle bin is open.
    pub fn trash_open(&self) -> bool {
        self.trash_open
    }

    /// Containers whose children are shown.
    pub fn opened(&self) -> impl Iterator<Item = EntryId> + '_ {
        self.open.iter().copied()
    }

    /// How many things lie in the bin.
    pub fn trash_len(&self) -> usize {
        self.trash.len()
    }

    /// Opens or closes the bin.
    pub fn toggle_trash(&mut self) {
        self.trash_open = !self.trash_open;
        self.rebuild();
    }

    /// The clients have come.
    pub fn set_roots(&mut self, items: Vec<Item>) {
        let ids = self.learn(items);
        self.roots = Some(ids);
        self.rebuild();
    }

    /// The children of `parent` have come.
    pub fn set_children(&mut self, parent: EntryId, items: Vec<Item>) {
        let ids = self.learn(items);
        match self.nodes.get_mut(&parent) {
            Some(node) => node.children = Some(ids),
            None => drop(self.early.insert(parent, ids)),
        }
        self.rebuild();
    }

    /// The favourites have come.
    pub fn set_favourites(&mut self, items: Vec<Item>) {
        self.favourites = self.learn(items);
        self.rebuild();
    }

    /// The content of the bin has come.
    pub fn set_trash(&mut self, items: Vec<Item>) {
        self.trash = self.learn(items);
        self.rebuild();
    }

    /// A result of the search that may not have been seen in the tree yet.
    pub fn learn_one(&mut self, item: &Item) {
        self.learn(vec![item.clone()]);
    }

    /// The known container at `path`.
    pub fn at_path(&self, path: &str) -> Option<EntryId> {
        self.nodes.iter().find(|(_, n)| n.path == path).map(|(id, _)| *id)
    }

    /// Opens a container. True when its children must be asked for.
    pub fn open(&mut self, id: EntryId) -> bool {
        let Some(node) = self.nodes.get(&id) else { return false };
        if !node.summary.kind.is_container() {
            return false;
        }
        let unknown = node.children.is_none();
        self.open.insert(id);
        self.rebuild();
        unknown
    }

    /// Opens what was open before, of which nothing is known yet.
    pub fn reopen(&mut self, open: impl IntoIterator<Item = EntryId>, trash_open: bool) {
        self.open.extend(open);
        self.trash_open = trash_open;
    }

    /// Closes a container.
    pub fn close(&mut self, id: EntryId) {
        self.open.remove(&id);
        self.rebuild();
    }

    /// Opens everything above `id`, as far as it is known; what must be asked for.
    pub fn reveal(&mut self, id: EntryId) -> Vec<EntryId> {
        let mut ask = Vec::new();
        let mut at = self.nodes.get(&id).and_then(|n| n.summary.parent);
        while let Some(parent) = at {
            if self.open(parent) {
                ask.push(parent);
            }
            at = self.nodes.get(&parent).and_then(|n| n.summary.parent);
        }
        ask
    }

    /// The line of `id`, in the tree itself before favourites.
    pub fn row_of(&self, id: EntryId) -> Option<usize> {
        let place = |want_favourite: bool| {
            self.rows.iter().position(|r| {
                r.id() == Some(id) && matches!(r, Row::Favourite(_)) == want_favourite
            })
        };
        place(false).or_else(|| place(true))
    }

    fn learn(&mut self, items: Vec<Item>) -> Vec<EntryId> {
        items
            .into_iter()
            .map(|item| {
                let id = item.summary.id;
                let children = self.nodes.get_mut(&id).and_then(|n| n.children.take());
                let children = children.or_else(|| self.early.remove(&id));
                self.nodes.insert(id, Node { summary: item.summary, path: item.path, children });
                id
            })
            .collect()
    }

    fn rebuild(&mut self) {
        let mut rows = Vec::new();
        if !self.favourites.is_empty() {
            rows.push(Row::Favourites);
            rows.extend(self.favourites.iter().map(|id| Row::Favourite(*id)));
            rows.push(Row::Clients);
        }
        for id in self.roots.iter().flatten() {
            self.push(&mut rows, *id, 0);
        }
        if !self.trash.is_empty() {
            rows.push(Row::Trash);
            if self.trash_open {
                rows.extend(self.trash.iter().map(|id| Row::Trashed(*id)));
            }
        }
        self.rows = rows;
    }

    fn push(&self, rows: &mut Vec<Row>, id: EntryId, depth: u16) {
        rows.push(Row::Node(id, depth));
        if !self.open.contains(&id) {
            return;
        }
        match self.nodes.get(&id).and_then(|n| n.children.as_ref()) {
            None => rows.push(Row::Loading(depth + 1)),
            Some(children) if children.is_empty() => rows.push(Row::Empty(depth + 1)),
            Some(children) => {
                for child in children {
                    self.push(rows, *child, depth + 1);
                }
            }
        }
    }
}
