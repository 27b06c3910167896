//! The recycle bin: nodes go there, come back from it, or are deleted for good;
//! an older version comes back here too. Never deletes for good what is not in
//! the bin.

use std::collections::BTreeSet;

use crate::app::api::{AppError, At, Reply};
use crate::app::worker::Open;
use crate::app::{draft, grants, people, tickets};
use crate::model::audit_event::{Event, field};
use crate::model::entry::{Entry, Kind, Summary};
use crate::model::fold::fold;
use crate::model::id::CellId;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

use super::names::free_name;
use super::versions::{no_version, supersede};
use super::{below, locate, need_change, saved};

/// Detail of a line about what was deleted for good.
pub(in crate::app) const FOREVER: &str = "forever";

impl Open {
    pub(in crate::app) fn remove(&mut self, at: &At, forever: bool) -> Result<Reply, AppError> {
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

    pub(in crate::app) fn restore(
        &mut self,
        at: &At,
        version: Option<u64>,
    ) -> Result<Reply, AppError> {
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
                    entry.snapshots = now.snapshots.clone();
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
}

fn shown(at: &At) -> String {
    match at {
        At::Path(path) => path.clone(),
        At::Id(id) => id.to_string(),
    }
}

fn in_bin(v: &Unlocked, path: &str) -> Option<Summary> {
    let path = people::whole_path(v, path);
    let wanted = fold(path.trim().trim_matches('/'));
    let mut found = None;
    for client in v.index.clients() {
        client.each(|s| {
            if s.trashed && found.is_none() {
                let full = v.index.path(&s);
                if fold(&full) == wanted {
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
    let mut cells: BTreeSet<_> = cells_of(&entry).collect();
    for old in &entry.history {
        let before = v.old_entry(rows, entry.client, old.cell, old.ver)?;
        cells.extend(cells_of(&before));
        cells.insert(old.cell);
    }
    for cell in cells {
        v.drop_cell(rows, &cell)?;
    }
    v.drop_cell(rows, &CellId(node.id.0))?;
    if node.kind == Kind::CLIENT {
        grants::forget_client(v, rows, &node.id)?;
    } else {
        v.unlist(rows, env, node.client, node.id)?;
    }
    Ok(())
}

/// Rows of an entry's secrets, attachments and snapshots.
fn cells_of(entry: &Entry) -> impl Iterator<Item = CellId> + '_ {
    let files = entry.attachments.iter().map(|a| a.cell);
    let snapshots = entry.snapshots.iter().map(|s| s.cell);
    entry.secrets.values().map(|s| s.cell).chain(files).chain(snapshots)
}
