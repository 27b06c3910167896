//! Listing, showing, making, changing, moving, deleting and restoring nodes.
//! Every save is one transaction together with its audit line.

use std::collections::BTreeMap;

use crate::connect::field::FieldKind;
use crate::connect::{self};
use crate::model::audit_event::{Event, field};
use crate::model::entry::{
    ATTACHMENT_MAX_BYTES, Attachment, CredentialSource, CustomField, Entry, Kind, SecretRef, Slot,
    Summary, VersionRef,
};
use crate::model::id::{EntryId, MemberId};
use crate::model::policy::{Action, may};
use crate::store::sqlite::SqliteRows;
use crate::vault::cell::Purpose;
use crate::vault::index::search;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

use super::api::{
    AppError, At, Code, EntryView, Item, Justification, Patch, Reply, SecretChange, Set,
    VersionView,
};
use super::plan::{self, PIN_PREFIX};
use super::worker::Open;
use super::{address, draft, people, seeds, tickets};

/// Detail of a line about what was deleted for good.
pub(super) const FOREVER: &str = "forever";

/// Finds a node by path or id.
pub(super) fn locate(v: &Unlocked, at: &At) -> Result<Summary, AppError> {
    match at {
        At::Path(path) => {
            let whole = people::whole_path(v, path);
            v.index.at_path(&whole).ok_or_else(|| AppError::no_entry(path))
        }
        At::Id(id) => v.index.get(id).ok_or_else(|| AppError::no_entry(&id.to_string())),
    }
}

/// Refuses what the member's role does not allow.
pub(super) fn need(v: &Unlocked, action: Action) -> Result<(), AppError> {
    may(people::role(v), action).then_some(()).ok_or_else(AppError::role)
}

/// What changing a node of `kind` in `client` takes.
fn change_of(v: &Unlocked, kind: &Kind, client: &EntryId) -> Action {
    if *kind == Kind::CLIENT {
        Action::EditClients
    } else if kind.word() == "credential" && people::private_client(v).as_ref() == Some(client) {
        Action::KeepOwn
    } else {
        Action::Edit
    }
}

/// Refuses who may not change `node`.
fn need_change(v: &Unlocked, node: &Summary) -> Result<(), AppError> {
    need(v, change_of(v, &node.kind, &node.client))
}

/// What a kind is called, by its word and in both languages.
fn kind_names(kind: &Kind) -> Vec<String> {
    let mut names = vec![kind.word().to_owned()];
    if *kind == Kind::FOLDER {
        names.push("dossier".to_owned());
    }
    if let Some(connector) = connect::by_kind(kind) {
        let label = connector.label();
        names.extend([label.fr, label.en]);
    }
    names
}

fn items(v: &Unlocked, nodes: impl IntoIterator<Item = (Summary, u32)>) -> Reply {
    let item = |(summary, depth)| Item { path: v.index.path(&summary), summary, depth };
    Reply::Items(nodes.into_iter().map(item).collect())
}

impl Open {
    pub(super) fn list(
        &mut self,
        at: Option<&At>,
        deep: bool,
        trashed: bool,
    ) -> Result<Reply, AppError> {
        self.read(|v, _| {
            need(v, Action::Browse)?;
            let root = at.map(|at| locate(v, at)).transpose()?;
            Ok(items(v, v.index.tree(root.as_ref(), deep, trashed)))
        })
    }

    pub(super) fn find(&mut self, query: &str, limit: usize) -> Result<Reply, AppError> {
        self.read(|v, _| {
            need(v, Action::Browse)?;
            let found = search::find_named(&v.index, query, limit.clamp(1, 10_000), &kind_names);
            Ok(items(v, found.into_iter().map(|s| (s, 0))))
        })
    }

    pub(super) fn show(&mut self, at: &At) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::Browse)?;
            let node = locate(v, at)?;
            let mut entry = v.entry(rows, &node.id)?;
            let client = v.entry(rows, &node.client)?;
            let linked = match &entry.credential {
                CredentialSource::Linked(id) => v.index.get(id).map(|s| v.index.path(&s)),
                _ => None,
            };
            let look = Looker { v, rows };
            for f in fields_of(&entry.kind).filter(|f| f.kind == FieldKind::Entries) {
                if let Some(list) = entry.settings.get_mut(f.id) {
                    *list = plan::named(&look, list);
                }
            }
            let mut ids: Vec<MemberId> = vec![entry.created_by, entry.changed_by];
            ids.extend(entry.secrets.values().map(|s| s.set_by));
            let named = ids.into_iter().map(|id| (id, people::name(v, &id))).collect();
            let way = plan::resolve(&look, &entry).clients;
            let asked = tickets::asked(&super::sessions::infos(v, rows, &way)?);
            let pinned = plan::pins_of_host(&client, &entry);
            Ok(Reply::Entry(Box::new(EntryView {
                path: v.index.path(&node),
                linked,
                client: client.client_info.unwrap_or_default(),
                client_name: client.name,
                asked,
                people: named,
                may_reveal: may(people::role(v), Action::Reveal),
                may_edit: may(people::role(v), Action::Edit)
                    || need_change(v, &node).is_ok() && node.kind != Kind::CLIENT,
                pinned,
                entry,
            })))
        })
    }

    pub(super) fn create(
        &mut self,
        kind: Kind,
        path: &str,
        patch: Patch,
    ) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let entry = make(v, rows, env, kind, path, patch)?;
            let mut line = draft(v, env, Event::EntryCreated, true);
            people::about(v, &entry.summary(), &mut line);
            line.fields.push((field::CONNECTOR, entry.kind.to_string()));
            tickets::tell_rule(None, &entry, &mut line);
            v.log(rows, env, line)?;
            Ok(saved(v, &entry))
        })
    }

    pub(super) fn edit(
        &mut self,
        at: &At,
        expected: Option<u64>,
        patch: Patch,
    ) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let node = locate(v, at)?;
            need_change(v, &node)?;
            let mut old = v.entry(rows, &node.id)?;
            if expected.is_some_and(|ver| ver != old.ver) {
                return Err(stale(v, rows, &old, expected.unwrap_or(0)));
            }
            if patch.forget_host_keys {
                forget_keys(v, rows, env, &old)?;
                // The client itself may be the entry at hand.
                old = v.entry(rows, &old.id)?;
            }
            let mut entry = old.clone();
            apply(v, rows, env, &mut entry, patch)?;
            check_name(v, &entry)?;
            let changed = differences(&old, &entry);
            if changed.is_empty() {
                return Ok(saved(v, &old));
            }
            supersede(v, rows, env, &old, &mut entry)?;
            let mut line = draft(v, env, Event::EntryEdited, true);
            people::about(v, &entry.summary(), &mut line);
            line.fields.push((field::DETAIL, changed.join(", ")));
            tickets::tell_rule(Some(&old), &entry, &mut line);
            v.log(rows, env, line)?;
            Ok(saved(v, &entry))
        })
    }

    pub(super) fn relocate(
        &mut self,
        at: &At,
        to: &str,
        just: &Justification,
    ) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let node = locate(v, at)?;
            need_change(v, &node)?;
            let from = v.index.path(&node);
            let to = people::whole_path(v, to);
            let into = v.index.at_path(&to).filter(|s| s.kind.is_container() && s.id != node.id);
            let (parent, name) = match into {
                Some(container) if node.kind != Kind::CLIENT => {
                    (Some(container), node.name.clone())
                }
                _ => {
                    let (above, name) = split(&to);
                    let parent =
                        above.map(|p| v.index.at_path(p).ok_or_else(|| AppError::no_entry(p)));
                    (parent.transpose()?, name.to_owned())
                }
            };
            let leaf = parent.as_ref().is_some_and(|p| !p.kind.is_container());
            if leaf || (node.kind == Kind::CLIENT) != parent.is_none() {
                return Err(misplaced());
            }
            let inside = |p: &Summary| v.index.upward(p).iter().any(|s| s.id == node.id);
            if parent.as_ref().is_some_and(inside) {
                return Err(AppError::usage(
                    (
                        "Un dossier ne peut pas aller dans lui-même.",
                        "A folder cannot go into itself.",
                    ),
                    ("Choisissez un autre dossier.", "Choose another folder."),
                ));
            }
            if let Some(parent) = &parent {
                let levels = |s: &Summary| v.index.upward(s).len();
                let lowest = below(v, &node).iter().map(levels).max().unwrap_or(0);
                check_depth(v, parent, (lowest + 1).saturating_sub(levels(&node)))?;
            }
            let old = v.entry(rows, &node.id)?;
            let mut entry = old.clone();
            entry.name = name;
            entry.parent = parent.as_ref().map(|p| p.id);
            check_name(v, &entry)?;
            let target = parent.as_ref().map_or(node.id, |p| p.client);
            need(v, change_of(v, &node.kind, &target))?;
            if target != node.client {
                // What it takes along could be read there without a ticket.
                let left = v.entry(rows, &node.client)?;
                tickets::justified(&left.client_info.unwrap_or_default(), just)?;
            }
            if target == node.client {
                supersede(v, rows, env, &old, &mut entry)?;
            } else {
                super::transfer::to_client(v, rows, env, &node, entry.clone(), target)?;
            }
            let mut line = draft(v, env, Event::EntryMoved, true);
            let now = v.index.get(&node.id).unwrap_or(node);
            people::about(v, &now, &mut line);
            people::why(just, &mut line);
            line.fields.push((field::DETAIL, format!("{from} → {}", v.index.path(&now))));
            let entry = v.entry(rows, &now.id)?;
            tickets::tell_rule(Some(&old), &entry, &mut line);
            v.log(rows, env, line)?;
            Ok(saved(v, &entry))
        })
    }

    pub(super) fn remove(&mut self, at: &At, forever: bool) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let node = match at {
                // The bin is not on any path: its entries are named by id or old path.
                At::Path(path) if forever => in_bin(v, path).or_else(|| locate(v, at).ok()),
                _ => locate(v, at).ok(),
            };
            let node = node.ok_or_else(|| AppError::no_entry(&shown(at)))?;
            need_change(v, &node)?;
            if forever != node.trashed {
                return Err(AppError::usage(
                    if forever {
                        (
                            "Cette entrée n’est pas dans la corbeille.",
                            "This entry is not in the recycle bin.",
                        )
                    } else {
                        (
                            "Cette entrée est déjà dans la corbeille.",
                            "This entry is in the recycle bin already.",
                        )
                    },
                    (
                        "Mettez-la d’abord à la corbeille, puis supprimez-la définitivement.",
                        "Put it into the bin first, then delete it for good.",
                    ),
                ));
            }
            let mut line = draft(v, env, Event::EntryDeleted, true);
            people::about(v, &node, &mut line);
            let subtree = below(v, &node);
            line.fields.push((field::COUNT, subtree.len().to_string()));
            line.fields.push((field::DETAIL, if forever { FOREVER } else { "bin" }.to_owned()));
            v.log(rows, env, line)?;
            // The client last: with it goes what the others are opened with.
            for part in subtree.into_iter().rev() {
                if forever {
                    erase(v, rows, env, &part)?;
                } else {
                    let mut entry = v.entry(rows, &part.id)?;
                    let old = entry.clone();
                    entry.trashed_at = Some(env.now);
                    supersede(v, rows, env, &old, &mut entry)?;
                }
            }
            Ok(Reply::Done)
        })
    }

    pub(super) fn restore(&mut self, at: &At, version: Option<u64>) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let found = match at {
                At::Path(path) if version.is_none() => in_bin(v, path),
                _ => locate(v, at).ok(),
            };
            let node = found.ok_or_else(|| AppError::no_entry(&shown(at)))?;
            need_change(v, &node)?;
            let client_in_bin = v.index.get(&node.client).is_some_and(|c| c.trashed);
            if client_in_bin && node.kind != Kind::CLIENT {
                return Err(AppError::usage(
                    (
                        "Le client de cette entrée est dans la corbeille.",
                        "The client of this entry is in the recycle bin.",
                    ),
                    ("Restaurez d’abord le client.", "Restore the client first."),
                ));
            }
            let before = v.entry(rows, &node.id)?;
            let entry = match version {
                None => {
                    let mut top = None;
                    for part in below(v, &node) {
                        let old = v.entry(rows, &part.id)?;
                        let mut entry = old.clone();
                        entry.trashed_at = None;
                        if part.id == node.id {
                            // Its folder may be gone or with another client, its
                            // name taken.
                            let parent = entry.parent.and_then(|p| v.index.get(&p));
                            let astray =
                                parent.is_none_or(|p| p.trashed || p.client != entry.client);
                            if astray && entry.kind != Kind::CLIENT {
                                entry.parent = Some(entry.client);
                            }
                            free_name(v, &mut entry);
                        }
                        supersede(v, rows, env, &old, &mut entry)?;
                        top.get_or_insert(entry);
                    }
                    top.ok_or_else(|| AppError::no_entry(&shown(at)))?
                }
                Some(ver) => {
                    let now = &before;
                    let known = now.history.iter().find(|h| h.ver == ver).cloned();
                    let known = known.ok_or_else(|| no_version(ver))?;
                    let mut entry = v.old_entry(rows, now.client, known.cell, known.ver)?;
                    entry.parent = now.parent;
                    entry.trashed_at = now.trashed_at;
                    entry.history = now.history.clone();
                    entry.ver = now.ver;
                    free_name(v, &mut entry);
                    supersede(v, rows, env, now, &mut entry)?;
                    entry
                }
            };
            let mut line = draft(v, env, Event::EntryRestored, true);
            people::about(v, &entry.summary(), &mut line);
            let from = version.map_or_else(|| "bin".to_owned(), |ver| format!("version {ver}"));
            line.fields.push((field::DETAIL, from));
            tickets::tell_rule(Some(&before), &entry, &mut line);
            v.log(rows, env, line)?;
            Ok(saved(v, &entry))
        })
    }

    pub(super) fn history(&mut self, at: &At) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::Browse)?;
            let node = locate(v, at)?;
            let mut newer = v.entry(rows, &node.id)?;
            let now = VersionRef {
                ver: newer.ver,
                at: newer.changed_at,
                by: newer.changed_by,
                cell: crate::model::id::CellId(newer.id.0),
            };
            let by = people::name(v, &now.by);
            let changed = Vec::new();
            let mut out = vec![VersionView { version: now, by, changed, current: true }];
            for version in newer.history.clone().into_iter().rev() {
                let old = v.old_entry(rows, newer.client, version.cell, version.ver)?;
                if let Some(made) = out.last_mut() {
                    made.changed = differences(&old, &newer);
                }
                let by = people::name(v, &version.by);
                let changed = Vec::new();
                out.push(VersionView { version, by, changed, current: false });
                newer = old;
            }
            Ok(Reply::History(out))
        })
    }

    pub(super) fn plan(&mut self, at: &At) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::Browse)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            Ok(Reply::Plan(Box::new(plan::resolve(&Looker { v, rows }, &entry).plan)))
        })
    }
}

/// The vault as the planner sees it.
pub(super) struct Looker<'a> {
    pub(super) v: &'a Unlocked,
    pub(super) rows: &'a dyn Rows,
}

impl plan::Look for Looker<'_> {
    fn entry(&self, id: &EntryId) -> Option<Entry> {
        self.v.entry(self.rows, id).ok()
    }

    fn path(&self, id: &EntryId) -> String {
        self.v.index.get(id).map(|s| self.v.index.path(&s)).unwrap_or_default()
    }

    fn mine(&self, ids: &[EntryId]) -> Option<Entry> {
        let own = people::private_client(self.v)?;
        let mut logins = Vec::new();
        self.v.index.client(&own)?.each(|s| {
            if !s.trashed && s.kind.word() == "credential" {
                logins.push(s.id);
            }
        });
        let logins: Vec<Entry> = logins.iter().filter_map(|id| self.entry(id)).collect();
        ids.iter().find_map(|id| {
            let id = id.to_string();
            let serves = |e: &&Entry| {
                e.settings.get(plan::FOR).is_some_and(|l| l.split(',').any(|w| w.trim() == id))
            };
            logins.iter().find(serves).cloned()
        })
    }
}

fn shown(at: &At) -> String {
    match at {
        At::Path(path) => path.clone(),
        At::Id(id) => id.to_string(),
    }
}

fn saved(v: &Unlocked, entry: &Entry) -> Reply {
    Reply::Saved { id: entry.id, ver: entry.ver, path: v.index.path(&entry.summary()) }
}

/// Parent path and last name.
pub(super) fn split(path: &str) -> (Option<&str>, &str) {
    let path = path.trim().trim_matches('/');
    match path.rsplit_once('/') {
        Some((above, name)) => (Some(above), name.trim()),
        None => (None, path),
    }
}

fn fields_of(kind: &Kind) -> impl Iterator<Item = &'static connect::field::Field> {
    connect::by_kind(kind).map_or(&[][..], |c| c.fields()).iter()
}

fn misplaced() -> AppError {
    AppError::usage(
        (
            "Un client est au premier niveau\u{a0}; tout le reste est dans un client.",
            "A client is at the top level; everything else is inside a client.",
        ),
        ("Écrivez le chemin comme Client/Dossier/Nom.", "Write the path as Client/Folder/Name."),
    )
}

fn no_version(ver: u64) -> AppError {
    AppError {
        code: Code::NotFound,
        what: crate::model::lang::Bi::new(
            format!("Il n’y a pas de version {ver} à reprendre."),
            format!("There is no version {ver} to go back to."),
        ),
        todo: crate::model::lang::Bi::new(
            "Voyez les versions gardées\u{a0}: poterne history CHEMIN",
            "See the versions kept: poterne history PATH",
        ),
    }
}

/// Makes a node and stores it; the caller logs it.
pub(super) fn make(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    kind: Kind,
    path: &str,
    patch: Patch,
) -> Result<Entry, AppError> {
    if !kind.is_container() && connect::by_kind(&kind).is_none() {
        let words: Vec<_> = connect::ALL.iter().map(|c| c.id()).collect();
        return Err(AppError {
            code: Code::Usage,
            what: crate::model::lang::Bi::new(
                format!("«\u{a0}{kind}\u{a0}» n’est pas un type d’entrée."),
                format!("“{kind}” is not a kind of entry."),
            ),
            todo: crate::model::lang::Bi::new(
                format!("Types\u{a0}: client, folder, {}.", words.join(", ")),
                format!("Kinds: client, folder, {}.", words.join(", ")),
            ),
        });
    }
    let whole = people::whole_path(v, path);
    let into = split(&whole).0.and_then(|above| v.index.at_path(above));
    let needed = match into {
        Some(parent) => change_of(v, &kind, &parent.client),
        None if kind == Kind::CLIENT => Action::EditClients,
        // The private space is made when it is needed first.
        None if kind.word() == "credential" && path.trim().starts_with("~/") => Action::KeepOwn,
        None => Action::Edit,
    };
    need(v, needed)?;
    let path = match path.trim().strip_prefix("~/") {
        Some(rest) => {
            let own = people::need_private_client(v, rows, env)?;
            format!("{}/{rest}", own.name)
        }
        None => path.to_owned(),
    };
    let (above, name) = split(&path);
    // Said before the place is looked for: no client is inside of anything.
    if (kind == Kind::CLIENT) != above.is_none() {
        return Err(misplaced());
    }
    let parent = above.map(|p| v.index.at_path(p).ok_or_else(|| AppError::no_entry(p)));
    let parent = parent.transpose()?;
    if parent.as_ref().is_some_and(|p| !p.kind.is_container()) {
        return Err(misplaced());
    }
    if let Some(parent) = &parent {
        check_depth(v, parent, 1)?;
    }
    let id = EntryId(env.id());
    let client = parent.as_ref().map_or(id, |p| p.client);
    let mut entry = blank(v, env, id, client, parent.map(|p| p.id), kind, name);
    if entry.kind == Kind::CLIENT {
        super::grants::new_client(v, rows, env, id)?;
    }
    let says = !matches!(patch.credential, Set::Keep);
    apply(v, rows, env, &mut entry, patch)?;
    // A seed of its own completes a login from elsewhere; these replace it.
    let replaces = |s: &Slot| matches!(s, Slot::Password | Slot::PrivateKey | Slot::Passphrase);
    let own_login = entry.kind.word() == "credential" || entry.secrets.keys().any(replaces);
    if !says && own_login {
        entry.credential = CredentialSource::Own;
    }
    check_name(v, &entry)?;
    v.put_entry(rows, env, &entry)?;
    Ok(entry)
}

/// A node with nothing but its place and name.
pub(super) fn blank(
    v: &Unlocked,
    env: &Env<'_>,
    id: EntryId,
    client: EntryId,
    parent: Option<EntryId>,
    kind: Kind,
    name: &str,
) -> Entry {
    Entry {
        id,
        client,
        parent,
        client_info: (kind == Kind::CLIENT).then(Default::default),
        kind,
        name: name.to_owned(),
        host: String::new(),
        port: None,
        user: String::new(),
        tags: Vec::new(),
        favourite: false,
        description: String::new(),
        expires: None,
        settings: BTreeMap::new(),
        credential: CredentialSource::default(),
        custom: Vec::new(),
        attachments: Vec::new(),
        secrets: BTreeMap::new(),
        ver: 1,
        created_at: env.now,
        created_by: v.me,
        changed_at: env.now,
        changed_by: v.me,
        trashed_at: None,
        history: Vec::new(),
    }
}

/// Deepest place of a node: a client is at 1.
const DEPTH_MAX: usize = 32;

/// Refuses a place below `parent` for something `height` levels high.
fn check_depth(v: &Unlocked, parent: &Summary, height: usize) -> Result<(), AppError> {
    if v.index.upward(parent).len() + height <= DEPTH_MAX {
        return Ok(());
    }
    Err(AppError::usage(
        (
            "Cet endroit est trop profond\u{a0}: 32 niveaux au plus.",
            "This place is too deep: at most 32 levels.",
        ),
        ("Choisissez un dossier plus haut.", "Choose a folder further up."),
    ))
}

/// A sign that is not seen, or that makes others be seen in another order. The
/// joiner of emojis is none of them.
fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}')
        || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Refuses control characters where one line is meant.
fn check_lines(entry: &Entry) -> Result<(), AppError> {
    let code = entry.client_info.as_ref().map_or("", |info| &info.code);
    let named = entry.custom.iter().map(|c| c.name.as_str());
    let files = entry.attachments.iter().map(|a| a.name.as_str());
    let tags = entry.tags.iter().map(String::as_str);
    let all = [entry.host.as_str(), entry.user.as_str(), code].into_iter();
    let all = all.chain(tags).chain(named).chain(files);
    let found = all.filter(|text| text.chars().any(char::is_control)).map(|text| {
        let shown: String = text.chars().map(|c| if c.is_control() { '�' } else { c }).collect();
        AppError {
            code: Code::Usage,
            what: crate::model::lang::Bi::new(
                format!(
                    "«\u{a0}{shown}\u{a0}» contient un saut de ligne ou un caractère de contrôle."
                ),
                format!("“{shown}” contains a line break or a control character."),
            ),
            todo: crate::model::lang::Bi::new(
                "Recopiez la valeur sans lui\u{a0}; une description peut avoir plusieurs lignes.",
                "Copy the value without it; a description may have several lines.",
            ),
        }
    });
    found.into_iter().next().map_or(Ok(()), Err)
}

/// Refuses an empty, slashed or taken name, and one that does not show what it is.
fn check_name(v: &Unlocked, entry: &Entry) -> Result<(), AppError> {
    let name = entry.name.trim();
    let known = v.index.get(&entry.id).is_some_and(|was| was.name == entry.name);
    let unseen = name.chars().all(|c| c.is_whitespace() || c == '\u{200D}' || hidden(c));
    if !known
        && (unseen
            || name != entry.name
            || name.contains('/')
            || name.chars().any(hidden)
            || name.len() > 200)
    {
        return Err(AppError::usage(
            (
                "Ce nom ne convient pas\u{a0}: vide, trop long (200 octets au plus), ou avec une barre oblique ou un caractère invisible.",
                "This name will not do: empty, too long (at most 200 bytes), or with a slash or an invisible character.",
            ),
            ("Choisissez un autre nom.", "Choose another name."),
        ));
    }
    if !known && entry.kind == Kind::CLIENT && name.starts_with('~') {
        return Err(AppError::usage(
            (
                "Un nom de client ne commence pas par «\u{a0}~ »\u{a0}: c’est la marque des espaces privés.",
                "A client's name does not begin with “~”: that marks private spaces.",
            ),
            (
                "Choisissez un autre nom\u{a0}; votre espace privé est ~/.",
                "Choose another name; your private space is ~/.",
            ),
        ));
    }
    let taken = match entry.parent.and_then(|p| v.index.get(&p)) {
        Some(parent) => v.index.child(&parent, name),
        None => v.index.top(name),
    };
    match taken {
        Some(other) if other.id != entry.id => Err(AppError::usage(
            (
                "Il y a déjà une entrée de ce nom à cet endroit.",
                "There is an entry of this name at this place already.",
            ),
            ("Choisissez un autre nom.", "Choose another name."),
        )),
        _ => Ok(()),
    }
}

fn free_name(v: &Unlocked, entry: &mut Entry) {
    let base = entry.name.clone();
    let mut n = 2;
    while check_name(v, entry).is_err() && n < 1000 {
        entry.name = format!("{base} ({n})");
        n += 1;
    }
}

/// Stores `entry` as the next version after `old`.
pub(super) fn supersede(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    old: &Entry,
    entry: &mut Entry,
) -> Result<(), AppError> {
    let mut kept = old.clone();
    kept.history = Vec::new();
    let cell = v.put_old_entry(rows, env, &kept)?;
    entry.history = old.history.clone();
    entry.history.push(VersionRef { ver: old.ver, at: old.changed_at, by: old.changed_by, cell });
    entry.ver = old.ver + 1;
    entry.changed_at = env.now;
    entry.changed_by = v.me;
    v.put_entry(rows, env, entry)?;
    Ok(())
}

/// What differs between two states, by field ids and slot names.
fn differences(old: &Entry, new: &Entry) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |differs: bool, name: &str| {
        if differs {
            out.push(name.to_owned());
        }
    };
    say(old.name != new.name, "name");
    say(old.parent != new.parent, "folder");
    say(old.host != new.host, "host");
    say(old.port != new.port, "port");
    say(old.user != new.user, "user");
    say(old.tags != new.tags, "tags");
    say(old.favourite != new.favourite, "favourite");
    say(old.description != new.description, "description");
    say(old.expires != new.expires, "expires");
    say(old.credential != new.credential, "credential");
    say(old.custom != new.custom, "custom");
    say(old.attachments != new.attachments, "attachments");
    say(old.client_info != new.client_info, "client");
    say(old.trashed_at != new.trashed_at, "bin");
    let keys = old.settings.keys().chain(new.settings.keys());
    let keys: std::collections::BTreeSet<_> = keys.collect();
    for key in keys {
        let name = if key.starts_with(PIN_PREFIX) { "host-keys" } else { key };
        say(old.settings.get(key) != new.settings.get(key), name);
    }
    let slots: std::collections::BTreeSet<_> =
        old.secrets.keys().chain(new.secrets.keys()).collect();
    for slot in slots {
        say(
            old.secrets.get(slot).map(|s| s.cell) != new.secrets.get(slot).map(|s| s.cell),
            &slot.to_string(),
        );
    }
    out.dedup();
    out
}

fn stale(v: &Unlocked, rows: &dyn Rows, now: &Entry, expected: u64) -> AppError {
    // Step by step: what was changed and changed back was touched all the same.
    let since = now.history.iter().filter(|h| h.ver >= expected);
    let mut steps: Vec<Entry> =
        since.filter_map(|h| v.old_entry(rows, now.client, h.cell, h.ver).ok()).collect();
    steps.sort_by_key(|step| step.ver);
    steps.push(now.clone());
    let mut changed: Vec<String> = Vec::new();
    for step in steps.windows(2) {
        for field in differences(&step[0], &step[1]) {
            if !changed.contains(&field) {
                changed.push(field);
            }
        }
    }
    let changed = match changed.is_empty() {
        true => String::new(),
        false => format!(" ({})", changed.join(", ")),
    };
    let who = people::name(v, &now.changed_by);
    AppError {
        code: Code::Other,
        what: crate::model::lang::Bi::new(
            format!("{who} a modifié cette entrée entre-temps{changed}."),
            format!("{who} changed this entry in the meantime{changed}."),
        ),
        todo: crate::model::lang::Bi::new(
            "Relisez l’entrée, puis refaites votre modification\u{a0}; rien n’a été écrasé.",
            "Read the entry again, then redo your change; nothing was overwritten.",
        ),
    }
}

/// The node and all below it, the node first; for a node in the bin, what went
/// there with it or before.
pub(super) fn below(v: &Unlocked, node: &Summary) -> Vec<Summary> {
    let mut children: BTreeMap<EntryId, Vec<Summary>> = BTreeMap::new();
    if let Some(client) = v.index.client(&node.client) {
        client.each(|s| {
            if let Some(parent) = s.parent
                && s.trashed == node.trashed
            {
                children.entry(parent).or_default().push(s);
            }
        });
    }
    let mut out = vec![node.clone()];
    let mut at = 0;
    while at < out.len() {
        out.extend(children.remove(&out[at].id).unwrap_or_default());
        at += 1;
    }
    out
}

fn in_bin(v: &Unlocked, path: &str) -> Option<Summary> {
    let path = people::whole_path(v, path);
    let wanted = crate::model::fold::fold(path.trim().trim_matches('/'));
    let mut found = None;
    for client in v.index.clients() {
        client.each(|s| {
            if s.trashed && found.is_none() {
                let full = v.index.path(&s);
                if crate::model::fold::fold(&full) == wanted {
                    found = Some(s);
                }
            }
        });
    }
    found
}

fn erase(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    node: &Summary,
) -> Result<(), AppError> {
    let entry = v.entry(rows, &node.id)?;
    let mut cells: std::collections::BTreeSet<_> = cells_of(&entry).collect();
    for old in &entry.history {
        let before = v.old_entry(rows, entry.client, old.cell, old.ver)?;
        cells.extend(cells_of(&before));
        cells.insert(old.cell);
    }
    for cell in cells {
        v.drop_cell(rows, &cell)?;
    }
    v.drop_cell(rows, &crate::model::id::CellId(node.id.0))?;
    if node.kind == Kind::CLIENT {
        super::grants::forget_client(v, rows, &node.id)?;
    } else {
        v.unlist(rows, env, node.client, node.id)?;
    }
    Ok(())
}

/// Rows of an entry's secrets and attachments.
pub(super) fn cells_of(entry: &Entry) -> impl Iterator<Item = crate::model::id::CellId> + '_ {
    entry.secrets.values().map(|s| s.cell).chain(entry.attachments.iter().map(|a| a.cell))
}

fn forget_keys(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    entry: &Entry,
) -> Result<(), AppError> {
    let mut client = v.entry(rows, &entry.client)?;
    let before = client.settings.len();
    client.settings.retain(|key, _| match plan::pinned_place(key) {
        Some(at) => entry.kind != Kind::CLIENT && !plan::is_host_of(entry, &at),
        None => true,
    });
    if client.settings.len() != before {
        let old = v.entry(rows, &entry.client)?;
        supersede(v, rows, env, &old, &mut client)?;
        let mut line = draft(v, env, Event::HostKeyRefused, true);
        people::about(v, &entry.summary(), &mut line);
        line.fields.push((field::HOST, entry.host.clone()));
        line.fields.push((field::DETAIL, "forgotten".to_owned()));
        v.log(rows, env, line)?;
    }
    Ok(())
}

/// Applies changes to an entry; secrets and attachments get rows of their own.
fn apply(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    entry: &mut Entry,
    patch: Patch,
) -> Result<(), AppError> {
    fn set<T>(place: &mut T, to: Set<T>) {
        if let Some(value) = to.into_option() {
            *place = value;
        }
    }
    address::check_fields(&entry.kind, &patch)?;
    let linked_anew = !matches!(patch.credential, Set::Keep);
    set(&mut entry.name, patch.name);
    if let Some(host) = patch.host.into_option() {
        // A control character is told of below, by what it is.
        let plain = !host.chars().any(char::is_control);
        entry.host = if plain { address::host(&entry.kind, &host)? } else { host };
    }
    set(&mut entry.port, patch.port);
    set(&mut entry.user, patch.user);
    set(&mut entry.tags, patch.tags);
    set(&mut entry.favourite, patch.favourite);
    set(&mut entry.description, patch.description);
    set(&mut entry.expires, patch.expires);
    set(&mut entry.credential, patch.credential);
    if let Some(info) = patch.client_info.into_option() {
        if entry.kind != Kind::CLIENT {
            return Err(misplaced());
        }
        tickets::check_client(&info)?;
        entry.client_info = Some(info);
    }
    if entry.port == Some(0) {
        return Err(AppError::usage(
            ("Le port 0 n’existe pas.", "There is no port 0."),
            ("Un port va de 1 à 65535.", "A port is from 1 to 65535."),
        ));
    }
    for (id, value) in patch.settings {
        let value = settle(v, entry, &id, value)?;
        if value.is_empty() {
            entry.settings.remove(&id);
        } else {
            entry.settings.insert(id, value);
        }
    }
    // A field that is there already keeps its place among the others.
    let put = |fields: &mut Vec<CustomField>, field: CustomField| match fields
        .iter_mut()
        .find(|c| c.name == field.name)
    {
        Some(there) => *there = field,
        None => fields.push(field),
    };
    for (name, value) in patch.custom {
        // What was a secret field of this name is one no more.
        entry.secrets.remove(&Slot::Custom(name.clone()));
        match value {
            Some(value) => put(&mut entry.custom, CustomField { name, secret: false, value }),
            None => entry.custom.retain(|c| c.name != name),
        }
    }
    for (slot, change) in patch.secrets {
        if let Slot::Custom(name) = &slot {
            if matches!(change, SecretChange::Put(_)) {
                let (name, value) = (name.clone(), String::new());
                put(&mut entry.custom, CustomField { name, secret: true, value });
            } else {
                entry.custom.retain(|c| c.name != *name);
            }
        }
        match change {
            SecretChange::Clear => {
                entry.secrets.remove(&slot);
            }
            SecretChange::Put(value) => {
                let value = seeds::normal(&slot, value, &entry.name)?;
                let client = entry.client;
                let cell = value.expose(|b| v.put_blob(rows, env, client, Purpose::Secret, b))?;
                entry.secrets.insert(slot, SecretRef { cell, set_at: env.now, set_by: v.me });
            }
        }
    }
    for (name, content) in patch.attachments {
        entry.attachments.retain(|a| a.name != name);
        let Some(content) = content else { continue };
        let size = content.0.len() as u64;
        if size > ATTACHMENT_MAX_BYTES
            || matches!(name.as_str(), "" | "." | "..")
            || name.contains(['/', '\\'])
        {
            return Err(AppError::usage(
                (
                    "Cette pièce jointe dépasse 10 Mio ou son nom ne convient pas.",
                    "This attachment is over 10 MiB or its name will not do.",
                ),
                (
                    "Choisissez un fichier plus petit, sans barre oblique dans le nom.",
                    "Choose a smaller file without a slash in its name.",
                ),
            ));
        }
        let client = entry.client;
        let cell = content.0.expose(|b| v.put_blob(rows, env, client, Purpose::Attachment, b))?;
        entry.attachments.push(Attachment { name, size, cell });
    }
    if linked_anew && let CredentialSource::Linked(id) = &entry.credential {
        if *id == entry.id {
            return Err(to_itself("Identifiant lié", "Linked credential"));
        }
        if v.index.get(id).is_none() {
            return Err(AppError::no_entry(&id.to_string()));
        }
    }
    check_lines(entry)
}

/// An entry that is to lead to itself.
fn to_itself(fr: &str, en: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: crate::model::lang::Bi::new(
            format!("«\u{a0}{fr}\u{a0}» ne peut pas être l’entrée elle-même."),
            format!("“{en}” cannot be the entry itself."),
        ),
        todo: crate::model::lang::Bi::new("Choisissez une autre entrée.", "Choose another entry."),
    }
}

/// A setting as it is stored: checked, paths of entries turned into ids.
fn settle(v: &Unlocked, entry: &Entry, id: &str, value: String) -> Result<String, AppError> {
    let kind = &entry.kind;
    // A folder may hold any setting that entries below inherit.
    let mut known = if kind.is_container() {
        connect::ALL
            .iter()
            .flat_map(|c| c.fields())
            .filter(|f| f.inherits && f.id == id)
            .collect::<Vec<_>>()
    } else {
        fields_of(kind).filter(|f| f.id == id).collect()
    };
    let Some(f) = known.pop() else {
        return Err(AppError {
            code: Code::Usage,
            what: crate::model::lang::Bi::new(
                format!("«\u{a0}{kind}\u{a0}» n’a pas de réglage «\u{a0}{id}\u{a0}»."),
                format!("“{kind}” has no setting “{id}”."),
            ),
            todo: crate::model::lang::Bi::new(
                format!("Voyez `poterne add {kind} --help`."),
                format!("See `poterne add {kind} --help`."),
            ),
        });
    };
    if f.kind == FieldKind::Entries && !value.is_empty() {
        let mut ids = Vec::new();
        for word in value.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let node = match word.parse::<EntryId>() {
                Ok(id) => v.index.get(&id),
                Err(_) => v.index.at_path(word),
            };
            let node = node.ok_or_else(|| AppError::no_entry(word))?;
            if node.id == entry.id {
                return Err(to_itself(f.fr, f.en));
            }
            ids.push(node.id.to_string());
        }
        return Ok(ids.join(","));
    }
    if id == "login-url" && !value.is_empty() {
        address::check_web(&value)?;
    }
    if f.accepts(&value) {
        return Ok(value);
    }
    Err(AppError {
        code: Code::Usage,
        what: crate::model::lang::Bi::new(
            format!("«\u{a0}{value}\u{a0}» ne convient pas pour «\u{a0}{}\u{a0}».", f.fr),
            format!("“{value}” will not do for “{}”.", f.en),
        ),
        todo: crate::model::lang::Bi::new(f.help_fr, f.help_en),
    })
}
