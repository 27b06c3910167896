//! Nodes of the vault, for whoever asks: finding, making, changing, moving,
//! deleting and restoring them. Every save is one transaction together with its
//! audit line. This file has the steps that the rooms share, and never stores.

mod bin;
mod create;
mod edit;
mod look;
mod names;
mod relocate;
mod versions;

use std::collections::BTreeMap;

use crate::connect;
use crate::model::entry::{Entry, Kind, Summary};
use crate::model::id::EntryId;
use crate::model::policy::{Action, may, to_change};
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, At, Reply};
use super::people;

pub(super) use bin::FOREVER;
pub(super) use create::{blank, make};
pub(super) use look::Looker;
pub(super) use versions::supersede;

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
    to_change(kind, people::private_client(v).as_ref() == Some(client))
}

/// Refuses who may not change `node`.
fn need_change(v: &Unlocked, node: &Summary) -> Result<(), AppError> {
    need(v, change_of(v, &node.kind, &node.client))
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

fn saved(v: &Unlocked, entry: &Entry) -> Reply {
    Reply::Saved { id: entry.id, ver: entry.ver, path: v.index.path(&entry.summary()) }
}
