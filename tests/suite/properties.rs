//! Any sequence of acts ends in a vault that holds exactly what a simple model of
//! it holds, finds no fault in itself, and opens again.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use poterne::app::api::{At, Justification, Patch, Reply, Request};
use poterne::app::{App, UnlockOptions};
use poterne::model::entry::{Entry, Kind, Slot};
use poterne::model::id::EntryId;
use poterne::model::member::Role;
use poterne::secret::SecretText;
use poterne::vault::unlocked::VaultError;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;

use crate::kit::{Desk, Phone, cases, login};
use crate::kit_rows::{open_by_kit, read_all};

/// Sequences that are tried.
const CASES: u32 = 32;

/// What every sequence begins with: making it stretches keys.
static START: OnceLock<Desk> = OnceLock::new();

/// Who is in it besides its owner; all but the first have accepted.
const MEMBERS: [(&str, Role); 3] =
    [("bob", Role::Technician), ("carla", Role::Technician), ("dora", Role::Admin)];

/// One act: what, on which node, with which other one.
pub type Act = (u8, u16, u16);

/// Host and password of an entry at one version.
type Content = (String, String);

#[derive(Clone, Debug)]
struct Node {
    client: EntryId,
    parent: Option<EntryId>,
    kind: &'static str,
    name: String,
    now: Content,
    trashed: bool,
    ver: u64,
    old: BTreeMap<u64, Content>,
}

impl Node {
    /// A save: what was becomes an older version.
    fn supersede(&mut self) {
        self.old.insert(self.ver, self.now.clone());
        self.ver += 1;
    }
}

pub struct Story {
    desk: Desk,
    nodes: BTreeMap<EntryId, Node>,
    members: Vec<String>,
    count: u32,
    /// How many invitations may still be accepted.
    to_accept: u32,
}

impl Story {
    /// Before its first act, the vault locked.
    pub fn closed() -> Self {
        let desk = START.get_or_init(start).twin();
        let members = MEMBERS.map(|(name, _)| name.to_owned()).to_vec();
        Self { desk, nodes: BTreeMap::new(), members, count: 0, to_accept: 0 }
    }

    /// Opens the vault and makes the clients that acts are about.
    pub fn begin(&mut self) {
        open(&mut self.desk);
        self.make("client", None);
        self.make("client", None);
    }

    /// Where it happens.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    fn pick(&self, n: u16, wanted: impl Fn(&Node) -> bool) -> Option<EntryId> {
        // By name, which is the order of making: ids differ at each run.
        let mut fit: Vec<_> = self.nodes.iter().filter(|(_, node)| wanted(node)).collect();
        fit.sort_by_key(|(_, node)| node.name.clone());
        (!fit.is_empty()).then(|| *fit[usize::from(n) % fit.len()].0)
    }

    fn path(&self, id: &EntryId) -> String {
        let node = &self.nodes[id];
        match node.parent {
            Some(parent) => format!("{}/{}", self.path(&parent), node.name),
            None => node.name.clone(),
        }
    }

    /// The node and what is below it in its client in the same state, as the
    /// application means it.
    fn below(&self, id: EntryId) -> Vec<EntryId> {
        let top = &self.nodes[&id];
        let mut out = vec![id];
        let mut at = 0;
        while at < out.len() {
            let children = self.nodes.iter().filter(|(_, n)| {
                n.parent == Some(out[at]) && n.client == top.client && n.trashed == top.trashed
            });
            out.extend(children.map(|(id, _)| *id).collect::<Vec<_>>());
            at += 1;
        }
        out
    }

    fn make(&mut self, kind: &'static str, parent: Option<EntryId>) {
        self.count += 1;
        let name = format!("{kind}{:03}", self.count);
        let path = parent.map_or(name.clone(), |p| format!("{}/{name}", self.path(&p)));
        let now = match kind {
            "ssh" => (format!("h{}", self.count), format!("secret-{}", self.count)),
            _ => Default::default(),
        };
        let patch = if kind == "ssh" { login(&now.0, "u", &now.1) } else { Patch::default() };
        let Reply::Saved { id, ver, .. } = self.desk.add(kind, &path, patch) else {
            panic!("saved")
        };
        let client = parent.map_or(id, |p| self.nodes[&p].client);
        let old = BTreeMap::new();
        self.nodes.insert(id, Node { client, parent, kind, name, now, trashed: false, ver, old });
    }

    pub fn act(&mut self, (what, a, b): Act) {
        let live = |n: &Node| !n.trashed;
        let container = |n: &Node| !n.trashed && n.kind != "ssh";
        let entry = |n: &Node| !n.trashed && n.kind == "ssh";
        let at = At::Id;
        match what % 15 {
            0 => self.make("client", None),
            1 => {
                if let Some(parent) = self.pick(a, container) {
                    self.make("folder", Some(parent));
                }
            }
            2..=4 => {
                if let Some(parent) = self.pick(a, container) {
                    self.make("ssh", Some(parent));
                }
            }
            5 | 6 => {
                let Some(id) = self.pick(a, entry) else { return };
                self.count += 1;
                let now = (format!("h{}", self.count), format!("secret-{}", self.count));
                let patch = Box::new(login(&now.0, "u", &now.1));
                self.desk.call(Request::Edit { at: at(id), expected_ver: None, patch });
                let node = self.nodes.get_mut(&id).expect("picked");
                node.supersede();
                node.now = now;
            }
            7 | 8 => {
                let Some(id) = self.pick(a, |n| live(n) && n.kind != "client") else { return };
                let Some(to) = self.pick(b, container) else { return };
                let moved = self.below(id);
                if moved.contains(&to) {
                    return;
                }
                let just = Justification::default();
                self.desk.call(Request::Move { at: at(id), to: self.path(&to), just });
                let client = self.nodes[&to].client;
                if client == self.nodes[&id].client {
                    self.nodes.get_mut(&id).expect("picked").supersede();
                } else {
                    let left = self.nodes[&id].client;
                    for part in &moved {
                        let node = self.nodes.get_mut(part).expect("below");
                        node.supersede();
                        node.client = client;
                    }
                    // What lay in the bin below it stays with its client.
                    let bereft = |n: &&mut Node| {
                        n.client == left && n.parent.is_some_and(|p| moved.contains(&p))
                    };
                    for node in self.nodes.values_mut().filter(bereft) {
                        node.supersede();
                        node.parent = Some(left);
                    }
                }
                self.nodes.get_mut(&id).expect("picked").parent = Some(to);
            }
            9 => {
                let client_too = b.is_multiple_of(4);
                let fit = |n: &Node| live(n) && (client_too || n.kind != "client");
                let Some(id) = self.pick(a, fit) else { return };
                self.desk.call(Request::Remove { at: at(id), forever: false });
                for part in self.below(id) {
                    let node = self.nodes.get_mut(&part).expect("below");
                    node.supersede();
                    node.trashed = true;
                }
            }
            10 => {
                let Some(id) = self.pick(a, |n| n.trashed) else { return };
                let request = Request::Restore { at: at(id), version: None };
                let node = &self.nodes[&id];
                if node.kind != "client" && self.nodes[&node.client].trashed {
                    assert!(self.desk.app.call(request).is_err(), "its client is in the bin");
                    return;
                }
                self.desk.call(request);
                let client = node.client;
                let stays = node.parent.and_then(|p| self.nodes.get(&p));
                let stays = stays.is_some_and(|p| !p.trashed && p.client == client);
                for part in self.below(id) {
                    let node = self.nodes.get_mut(&part).expect("below");
                    node.supersede();
                    node.trashed = false;
                }
                let node = self.nodes.get_mut(&id).expect("picked");
                if !stays && node.kind != "client" {
                    node.parent = Some(client);
                }
            }
            11 => {
                let Some(id) = self.pick(a, |n| n.trashed) else { return };
                self.desk.call(Request::Remove { at: at(id), forever: true });
                let client = self.nodes[&id].kind == "client";
                for part in self.below(id) {
                    self.nodes.remove(&part);
                }
                if client {
                    // What lay in its bin goes with it.
                    self.nodes.retain(|_, n| n.client != id);
                }
            }
            12 => {
                let Some(id) = self.pick(a, |n| entry(n) && !n.old.is_empty()) else { return };
                let node = self.nodes.get_mut(&id).expect("picked");
                let nth = usize::from(b) % node.old.len();
                let (ver, content) = node.old.iter().nth(nth).expect("counted");
                let (ver, content) = (*ver, content.clone());
                self.desk.call(Request::Restore { at: at(id), version: Some(ver) });
                node.supersede();
                node.now = content;
            }
            13 => self.join(a),
            _ => self.leave(a, b),
        }
    }

    fn granted(&self, a: u16) -> Vec<String> {
        let client = self.pick(a, |n| !n.trashed && n.kind == "client");
        client.map(|c| self.path(&c)).into_iter().collect()
    }

    fn join(&mut self, a: u16) {
        self.count += 1;
        let name = format!("m{}", self.count);
        let (role, clients) = (Role::ALL[usize::from(a) % 5], self.granted(a / 5));
        let clients: Vec<&str> = clients.iter().map(String::as_str).collect();
        let code = self.desk.invite(&name, role, false, &clients);
        self.members.push(name);
        if self.to_accept > 0 {
            self.to_accept -= 1;
            accept(&self.desk, code);
        }
    }

    fn leave(&mut self, a: u16, b: u16) {
        if self.members.is_empty() {
            return;
        }
        let nth = usize::from(a) % self.members.len();
        if b.is_multiple_of(2) {
            let name = self.members.remove(nth);
            self.desk.call(Request::RemoveMember { name });
        } else {
            let (role, clients) = (Role::ALL[usize::from(b / 2) % 5], self.granted(b / 10));
            let name = self.members[nth].clone();
            self.desk.call(Request::ChangeMember { name, role, all_clients: false, clients });
        }
    }

    /// The vault against the model.
    fn compare(&mut self) {
        let Reply::Checked(report) = self.desk.call(Request::Check) else { panic!("checked") };
        assert_eq!((report.faults, report.unreached), (Vec::new(), 0));
        let Reply::Members(all) = self.desk.call(Request::Members) else { panic!("members") };
        let mut names: Vec<_> = all.into_iter().map(|m| m.member.name).collect();
        names.retain(|n| n != "alice");
        names.sort();
        let mut expected = self.members.clone();
        expected.sort();
        assert_eq!(names, expected);
        self.desk.call(Request::Lock);
        let (store, v) = open_by_kit(&self.desk.file, &self.desk.kit).expect("opens");
        read_all(&store, &v).expect("everything reads");
        let listed: usize = v.index.clients().map(|c| c.all().len()).sum();
        assert_eq!(listed, self.nodes.len(), "as many nodes as the model has");
        let mut cells = 0;
        for (id, node) in &self.nodes {
            let summary = v.index.get(id).unwrap_or_else(|| panic!("{node:?} is missing"));
            assert_eq!(summary.client, node.client, "{node:?}");
            assert_eq!(summary.parent, node.parent, "{node:?}");
            assert_eq!(summary.kind, Kind::new(node.kind), "{node:?}");
            assert_eq!(summary.trashed, node.trashed, "{node:?}");
            assert_eq!((&summary.name, summary.ver), (&node.name, node.ver), "{node:?}");
            store
                .read(|rows| {
                    let entry = v.entry(rows, id)?;
                    assert_eq!(entry.host, node.now.0);
                    let versions: Vec<u64> = entry.history.iter().map(|h| h.ver).collect();
                    assert_eq!(versions, node.old.keys().copied().collect::<Vec<_>>());
                    cells += 1 + entry.history.len();
                    if node.kind != "ssh" {
                        return Ok(());
                    }
                    let same = |e: &Entry, expected: &str| {
                        v.secret(rows, e, &Slot::Password)
                            .map(|s| assert!(s.expose(|s| s == expected.as_bytes()), "{node:?}"))
                    };
                    same(&entry, &node.now.1)?;
                    for h in &entry.history {
                        let old = v.old_entry(rows, node.client, h.cell, h.ver)?;
                        same(&old, &node.old[&h.ver].1)?;
                    }
                    Ok::<_, VaultError>(())
                })
                .expect("reads");
        }
        assert!(v.state.n_cells as usize >= cells);
        drop((store, v));
        open(&mut self.desk);
        let list = Request::List { at: None, deep: true, trashed: false };
        let Reply::Items(items) = self.desk.call(list) else { panic!("items") };
        let live = self.nodes.iter().filter(|(_, n)| !n.trashed);
        let mut paths: Vec<_> = live.map(|(id, _)| self.path(id)).collect();
        let mut listed: Vec<_> = items.into_iter().map(|i| i.path).collect();
        paths.sort();
        listed.sort();
        assert_eq!(listed, paths);
    }
}

fn start() -> Desk {
    let desk = Desk::open();
    for (name, role) in MEMBERS {
        let code = desk.invite(name, role, true, &[]);
        if name != MEMBERS[0].0 {
            accept(&desk, code);
        }
    }
    desk.call(Request::Lock);
    desk
}

fn accept(desk: &Desk, code: SecretText) {
    let app = App::new(desk.file.clone());
    let mut new = app
        .accept_invitation(code, SecretText::copy_of("le mot du nouveau"), false)
        .unwrap_or_else(|e| panic!("{}", e.what.en));
    let phone = new.otpauth_uri().expose(Phone::of_uri);
    new.check_code(&phone.peek()).expect("proves the phone");
    new.finish().map(drop).unwrap_or_else(|e| panic!("{}", e.what.en));
}

fn open(desk: &mut Desk) {
    // One of many copies: another may have gone further.
    let member = Some("alice".to_owned());
    let options = UnlockOptions { member, accept_older: true, ..desk.options() };
    desk.app.unlock(options).unwrap_or_else(|e| panic!("{}", e.what.en));
}

proptest! {
    #![proptest_config(ProptestConfig {
        max_shrink_iters: 100,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/proptest/properties.txt"),
        ))),
        ..cases(CASES)
    })]

    #[test]
    fn any_sequence_of_acts_ends_in_the_vault_that_was_meant(
        acts in prop::collection::vec(any::<Act>(), 30..70),
        // Accepting stretches a password for a second.
        to_accept in prop_oneof![7 => Just(0_u32), 1 => 1..=2_u32],
    ) {
        let mut story = Story { to_accept, ..Story::closed() };
        story.begin();
        for act in acts {
            story.act(act);
        }
        story.compare();
    }
}
