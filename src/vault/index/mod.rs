//! The decrypted index of everything the member sees: what lists and the search
//! read. Names and hosts only; it holds no secret and no key.

pub mod load;
pub mod search;
pub mod segment;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::entry::{Kind, Summary};
use crate::model::fold::fold;
use crate::model::id::EntryId;
use crate::model::order::natural;

use segment::Segment;

/// One client: its packed segment and what changed since it was packed.
#[derive(Clone)]
pub struct ClientIndex {
    /// The client.
    pub client: EntryId,
    /// Version of the segment and number of the last change that are in it.
    pub stamp: (u64, u64),
    /// Beginning of the seal that it was read from; empty when it was not read.
    pub mark: Vec<u8>,
    base: Arc<Segment>,
    changed: Arc<BTreeMap<EntryId, Option<Summary>>>,
}

impl ClientIndex {
    /// An index over a packed segment.
    pub fn new(client: EntryId, base: Segment) -> Self {
        Self {
            client,
            stamp: (0, 0),
            mark: Vec::new(),
            base: Arc::new(base),
            changed: Arc::default(),
        }
    }

    /// Sets or removes one node.
    pub fn apply(&mut self, id: EntryId, to: Option<Summary>) {
        Arc::make_mut(&mut self.changed).insert(id, to);
    }

    /// Number of changes that are not packed yet.
    pub fn unpacked(&self) -> usize {
        self.changed.len()
    }

    /// The packed part.
    pub fn base(&self) -> &Segment {
        &self.base
    }

    /// The node with this id.
    pub fn get(&self, id: &EntryId) -> Option<Summary> {
        match self.changed.get(id) {
            Some(changed) => changed.clone(),
            None => self.base.find(id).map(|n| self.base.summary(n, self.client)),
        }
    }

    /// Calls `each` with every node, in no useful order.
    pub fn each(&self, mut each: impl FnMut(Summary)) {
        for n in 0..self.base.len() {
            if self.changed.is_empty() || !self.changed.contains_key(&self.base.id(n)) {
                each(self.base.summary(n, self.client));
            }
        }
        self.changed.values().flatten().cloned().for_each(each);
    }

    /// Every node, in no useful order.
    pub fn all(&self) -> Vec<Summary> {
        let mut out = Vec::with_capacity(self.base.len());
        self.each(|s| out.push(s));
        out
    }

    /// Number of nodes that are neither containers nor in the recycle bin.
    fn entries(&self) -> u64 {
        let known = |id| self.base.find(id).is_some_and(|n| self.base.is_entry(n));
        let gone = self.changed.keys().filter(|id| known(id)).count() as u64;
        let new = self.changed.values().flatten();
        let new = new.filter(|s| !s.kind.is_container() && !s.trashed).count() as u64;
        self.base.entries() + new - gone
    }

    /// Number of nodes, folders and the client itself included.
    pub fn len(&self) -> usize {
        let known = self.changed.keys().filter(|id| self.base.find(id).is_some()).count();
        self.base.len() - known + self.changed.values().flatten().count()
    }

    /// True when nothing is left in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The children of `parent` whose name folds to `name`.
    fn child(&self, parent: EntryId, name: &str) -> Option<Summary> {
        let hit = |s: &Summary| {
            s.parent == Some(parent)
                && !s.trashed
                && (s.name == name || fold(&s.name) == fold(name))
        };
        if let Some(found) = self.changed.values().flatten().find(|s| hit(s)) {
            return Some(found.clone());
        }
        let at = self.base.find(&parent)?;
        (0..self.base.len())
            .filter(|n| self.base.parent(*n) == Some(at) && !self.base.trashed(*n))
            .filter(|n| self.base.name(*n).len() <= 4 * name.len() + 8)
            .map(|n| self.base.summary(n, self.client))
            .find(|s| !self.changed.contains_key(&s.id) && hit(s))
    }
}

/// Everything the member sees. Cloning is cheap: a clone is a snapshot.
#[derive(Clone, Default)]
pub struct Index {
    clients: BTreeMap<EntryId, ClientIndex>,
    /// The client that the last node was found in: the next one asked for is
    /// mostly above or beside it, and thousands of clients need not be asked.
    last: Arc<Mutex<Option<EntryId>>>,
    /// Clients that were looked for by name since something changed, folded, and
    /// who was found: the same few are asked for again and again.
    tops: Arc<Mutex<HashMap<String, Option<EntryId>>>>,
}

/// Names remembered at most.
const MOST_TOPS: usize = 1000;

impl Index {
    /// Puts or replaces one client.
    pub fn put(&mut self, client: ClientIndex) {
        self.tops = Arc::default();
        self.clients.insert(client.client, client);
    }

    /// Forgets one client.
    pub fn remove(&mut self, client: &EntryId) {
        self.tops = Arc::default();
        self.clients.remove(client);
    }

    /// All clients' indexes.
    pub fn clients(&self) -> impl Iterator<Item = &ClientIndex> {
        self.clients.values()
    }

    /// The clients themselves, each looked up in its own index only.
    pub fn tops(&self) -> impl Iterator<Item = Summary> {
        self.clients.values().filter_map(|c| c.get(&c.client))
    }

    /// One client's index.
    pub fn client(&self, id: &EntryId) -> Option<&ClientIndex> {
        self.clients.get(id)
    }

    /// One client's index, to change it.
    pub fn client_mut(&mut self, id: &EntryId) -> Option<&mut ClientIndex> {
        // A snapshot keeps its own, which is right for what it holds.
        self.tops = Arc::default();
        self.clients.get_mut(id)
    }

    /// The node with this id, whichever client it is in.
    pub fn get(&self, id: &EntryId) -> Option<Summary> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let near =
            [Some(*id), *last].into_iter().flatten().filter_map(|client| self.clients.get(&client));
        let found = near.chain(self.clients.values()).find_map(|client| client.get(id))?;
        *last = Some(found.client);
        Some(found)
    }

    /// The nodes named by a path `Client/Folder/Name`. Accents and case do not
    /// matter; the recycle bin is not looked into.
    pub fn at_path(&self, path: &str) -> Option<Summary> {
        let mut parts = path.split('/').map(str::trim).filter(|p| !p.is_empty());
        let first = parts.next()?;
        let mut node = self.top(first)?;
        for part in parts {
            node = self.clients.get(&node.client)?.child(node.id, part)?;
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(node.client);
        Some(node)
    }

    /// The client with this name.
    pub fn top(&self, name: &str) -> Option<Summary> {
        let wanted = fold(name);
        let known = self.tops.lock().unwrap_or_else(PoisonError::into_inner).get(&wanted).copied();
        if let Some(id) = known {
            return id.and_then(|id| self.clients.get(&id)?.get(&id));
        }
        let found = self.find_top(&wanted);
        let mut tops = self.tops.lock().unwrap_or_else(PoisonError::into_inner);
        if tops.len() >= MOST_TOPS {
            tops.clear();
        }
        tops.insert(wanted, found.as_ref().map(|s| s.id));
        found
    }

    fn find_top(&self, wanted: &str) -> Option<Summary> {
        let hit = |s: &Summary| !s.trashed && fold(&s.name) == wanted;
        self.clients.values().find_map(|c| {
            // Unpacking thousands of clients to compare their names would show.
            let packed = match c.changed.contains_key(&c.client) {
                true => None,
                false => c.base.find(&c.client),
            };
            match packed {
                Some(n) if !c.base.name_may_fold_to(n, wanted) => None,
                _ => c.get(&c.client).filter(hit),
            }
        })
    }

    /// The child of `parent` with this name.
    pub fn child(&self, parent: &Summary, name: &str) -> Option<Summary> {
        self.clients.get(&parent.client)?.child(parent.id, name)
    }

    /// `Client/Folder/Name` of a node.
    pub fn path(&self, node: &Summary) -> String {
        let mut names = vec![node.name.clone()];
        let mut up = node.parent;
        while let Some(parent) = up.and_then(|p| self.clients.get(&node.client)?.get(&p)) {
            names.push(parent.name.clone());
            up = if names.len() > 64 { None } else { parent.parent };
        }
        names.reverse();
        names.join("/")
    }

    /// The node and everything above it, the node first.
    pub fn upward(&self, node: &Summary) -> Vec<Summary> {
        let mut out = vec![node.clone()];
        let mut up = node.parent;
        while let Some(parent) = up.and_then(|p| self.clients.get(&node.client)?.get(&p)) {
            up = if out.len() > 64 { None } else { parent.parent };
            out.push(parent);
        }
        out
    }

    /// The tree below `root` (or all clients) in the order people read it:
    /// favourites, then containers, then names. Each with its depth.
    pub fn tree(&self, root: Option<&Summary>, deep: bool, trashed: bool) -> Vec<(Summary, u32)> {
        let mut out = Vec::new();
        match root {
            None => {
                for top in sorted(self.tops().filter(|s| trashed || !s.trashed).collect()) {
                    let below = deep.then(|| self.tree(Some(&top), true, trashed));
                    if !trashed || top.trashed {
                        out.push((top, 0));
                    }
                    out.extend(below.into_iter().flatten().map(|(s, d)| (s, d + 1)));
                }
            }
            Some(root) => {
                let Some(client) = self.clients.get(&root.client) else { return out };
                let mut children: BTreeMap<EntryId, Vec<Summary>> = BTreeMap::new();
                client.each(|s| {
                    if let Some(parent) = s.parent
                        && (deep || parent == root.id || trashed)
                    {
                        children.entry(parent).or_default().push(s);
                    }
                });
                let mut stack: Vec<(Summary, u32)> = Vec::new();
                let mut push = |stack: &mut Vec<(Summary, u32)>, id: &EntryId, depth| {
                    let kids = sorted(children.remove(id).unwrap_or_default());
                    stack.extend(kids.into_iter().rev().map(|s| (s, depth)));
                };
                push(&mut stack, &root.id, 0);
                while let Some((node, depth)) = stack.pop() {
                    if deep || trashed {
                        push(&mut stack, &node.id, depth + 1);
                    }
                    if node.trashed == trashed {
                        out.push((node, depth));
                    }
                }
            }
        }
        out
    }

    /// Number of clients, and of all other nodes that are not containers.
    pub fn counts(&self) -> (u64, u64) {
        let entries = self.clients.values().map(ClientIndex::entries).sum();
        (self.clients.len() as u64, entries)
    }
}

fn sorted(mut nodes: Vec<Summary>) -> Vec<Summary> {
    nodes.sort_by_cached_key(|s| {
        let container = s.kind.is_container();
        (!s.favourite, !container, s.kind == Kind::FOLDER, natural(&s.name), s.id)
    });
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: u8, parent: Option<u8>, kind: &str, name: &str) -> Summary {
        Summary {
            id: EntryId([id; 16]),
            client: EntryId([1; 16]),
            parent: parent.map(|p| EntryId([p; 16])),
            kind: Kind::new(kind),
            name: name.to_owned(),
            host: String::new(),
            user: String::new(),
            tags: String::new(),
            favourite: false,
            trashed: false,
            colour: String::new(),
            ver: 1,
        }
    }

    fn index() -> Index {
        let nodes = vec![
            node(1, None, "client", "Élodie & Fils"),
            node(2, Some(1), "folder", "Serveurs"),
            node(3, Some(2), "ssh", "web"),
            node(4, Some(2), "ssh", "bdd"),
            Summary { trashed: true, ..node(5, Some(2), "ssh", "old") },
        ];
        let mut index = Index::default();
        index.put(ClientIndex::new(EntryId([1; 16]), Segment::pack(nodes)));
        index
    }

    #[test]
    fn lists_are_in_the_order_people_read() {
        let mut index = Index::default();
        for (id, name) in [(1, "Site 10"), (2, "élan"), (3, "Site 2"), (4, "Zoé"), (5, "Elan 2")]
        {
            let mut client = node(id, None, "client", name);
            client.client = client.id;
            index.put(ClientIndex::new(client.id, Segment::pack(vec![client])));
        }
        let names: Vec<String> =
            index.tree(None, false, false).into_iter().map(|(s, _)| s.name).collect();
        assert_eq!(names, ["élan", "Elan 2", "Site 2", "Site 10", "Zoé"]);
    }

    #[test]
    fn entries_are_counted_through_every_change() {
        let mut index = index();
        assert_eq!(index.counts(), (1, 2));
        let client = index.client_mut(&EntryId([1; 16])).expect("was put");
        client.apply(EntryId([6; 16]), Some(node(6, Some(2), "note", "new")));
        client.apply(EntryId([2; 16]), Some(node(2, Some(1), "folder", "Machines")));
        assert_eq!(index.counts(), (1, 3));
        let client = index.client_mut(&EntryId([1; 16])).expect("was put");
        client.apply(EntryId([3; 16]), None);
        client.apply(EntryId([5; 16]), Some(node(5, Some(2), "ssh", "old")));
        let bin = Summary { trashed: true, ..node(4, Some(2), "ssh", "bdd") };
        client.apply(EntryId([4; 16]), Some(bin));
        assert_eq!(index.counts(), (1, 2));
    }

    #[test]
    fn a_node_is_found_wherever_the_one_before_was() {
        let mut index = index();
        let mut other = node(8, None, "client", "Zoé");
        other.client = other.id;
        let below = Summary { client: other.id, ..node(9, Some(8), "ssh", "web") };
        index.put(ClientIndex::new(other.id, Segment::pack(vec![other, below])));
        for id in [3, 9, 4, 8, 1, 2, 9, 3] {
            let found = index.get(&EntryId([id; 16])).expect("it is in one of them");
            assert_eq!(found.client, EntryId([if id < 8 { 1 } else { 8 }; 16]), "{id}");
        }
        index.remove(&EntryId([8; 16]));
        assert!(index.get(&EntryId([9; 16])).is_none());
        assert!(index.at_path("elodie & fils/serveurs/web").is_some());
    }

    #[test]
    fn a_client_is_found_by_its_whole_name_only() {
        let mut index = index();
        assert!(index.top("ELODIE & fils").is_some());
        assert!(index.top("elodie").is_none());
        let client = index.client_mut(&EntryId([1; 16])).expect("was put");
        client.apply(EntryId([1; 16]), Some(node(1, None, "client", "Élodie")));
        assert!(index.top("ELODIE & fils").is_none());
        assert!(index.top("elodie").is_some());
        let snapshot = index.clone();
        let client = index.client_mut(&EntryId([1; 16])).expect("was put");
        let bin = Summary { trashed: true, ..node(1, None, "client", "Élodie") };
        client.apply(EntryId([1; 16]), Some(bin));
        assert!(index.top("elodie").is_none(), "it is in the bin");
        assert!(snapshot.top("elodie").is_some(), "but was not");
        index.remove(&EntryId([1; 16]));
        assert!(index.top("elodie").is_none());
        assert!(snapshot.top("elodie").is_some());
    }
}
