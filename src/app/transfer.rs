//! Moving a node with all below it into another client: everything is sealed
//! anew under that client's key, secrets and older versions included.

use std::collections::BTreeMap;

use crate::model::entry::{Entry, Summary, VersionRef};
use crate::model::id::{CellId, EntryId};
use crate::vault::cell::Purpose;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

use super::api::AppError;
use super::entries::{below, supersede};

/// Moves `node`, whose new state (name and parent) is `top`, into client `to`.
/// What lay below it in the recycle bin stays there, right below its client.
pub(super) fn to_client(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    node: &Summary,
    top: Entry,
    to: EntryId,
) -> Result<(), AppError> {
    let parts = below(v, node);
    for part in &parts {
        let old = v.entry(rows, &part.id)?;
        let mut entry = if part.id == node.id { top.clone() } else { old.clone() };
        let mut moved: BTreeMap<CellId, CellId> = BTreeMap::new();
        reseal_blobs(v, rows, env, &mut entry, to, &mut moved)?;
        for version in &mut entry.history {
            let mut before = v.old_entry(rows, old.client, version.cell, version.ver)?;
            v.drop_cell(rows, &version.cell)?;
            reseal_blobs(v, rows, env, &mut before, to, &mut moved)?;
            before.client = to;
            version.cell = v.put_old_entry(rows, env, &before)?;
        }
        // What it was until now stays a version as well.
        let mut before = Entry { history: Vec::new(), snapshots: Vec::new(), ..old.clone() };
        reseal_blobs(v, rows, env, &mut before, to, &mut moved)?;
        before.client = to;
        let cell = v.put_old_entry(rows, env, &before)?;
        entry.history.push(VersionRef {
            ver: old.ver,
            at: old.changed_at,
            by: old.changed_by,
            cell,
        });
        v.drop_cell(rows, &CellId(part.id.0))?;
        v.unlist(rows, env, old.client, part.id)?;
        entry.client = to;
        entry.ver = old.ver + 1;
        entry.changed_at = env.now;
        entry.changed_by = v.me;
        v.put_entry(rows, env, &entry)?;
    }
    let gone = |id: &EntryId| parts.iter().any(|p| p.id == *id);
    let left = v.index.client(&node.client).map(|c| c.all()).unwrap_or_default();
    for part in left.iter().filter(|s| s.parent.as_ref().is_some_and(gone)) {
        let old = v.entry(rows, &part.id)?;
        let mut entry = Entry { parent: Some(node.client), ..old.clone() };
        supersede(v, rows, env, &old, &mut entry)?;
    }
    Ok(())
}

/// Gives every secret, attachment and snapshot of `entry` a row under the key of `to`.
fn reseal_blobs(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    entry: &mut Entry,
    to: EntryId,
    moved: &mut BTreeMap<CellId, CellId>,
) -> Result<(), AppError> {
    let from = entry.client;
    let secrets = entry.secrets.values_mut().map(|s| (&mut s.cell, Purpose::Secret));
    let files = entry.attachments.iter_mut().map(|a| (&mut a.cell, Purpose::Attachment));
    let snapshots = entry.snapshots.iter_mut().map(|s| (&mut s.cell, Purpose::Snapshot));
    for (cell, purpose) in secrets.chain(files).chain(snapshots) {
        if let Some(new) = moved.get(cell) {
            *cell = *new;
            continue;
        }
        let plain = v.open_blob(rows, from, *cell, purpose)?;
        let new = plain.expose(|b| v.put_blob(rows, env, to, purpose, b))?;
        v.drop_cell(rows, cell)?;
        moved.insert(*cell, new);
        *cell = new;
    }
    Ok(())
}
