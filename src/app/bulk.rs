//! Many nodes at once, for demonstrations and trials: records are sealed one by
//! one as always, but each client's index is packed once.

use std::collections::BTreeMap;

use crate::model::audit_event::{Event, field};
use crate::model::entry::{Entry, Kind, Slot};
use crate::model::id::EntryId;

use super::api::{AppError, Patch, SecretChange, Set};
use super::worker::Open;
use super::{draft, entries, seeds};

/// Nodes stored by one transaction.
const BATCH: usize = 60_000;

impl Open {
    pub(super) fn create_many(
        &mut self,
        nodes: Vec<(Kind, String, Patch)>,
    ) -> Result<u64, AppError> {
        let mut made = 0;
        let mut nodes = nodes.into_iter().peekable();
        while nodes.peek().is_some() {
            let batch: Vec<_> = nodes.by_ref().take(BATCH).collect();
            made += self.create_batch(batch)?;
        }
        Ok(made)
    }

    fn create_batch(&mut self, nodes: Vec<(Kind, String, Patch)>) -> Result<u64, AppError> {
        self.write(|v, rows, env| {
            let mut places: BTreeMap<String, (EntryId, EntryId)> = BTreeMap::new();
            let mut touched: BTreeMap<EntryId, Vec<Entry>> = BTreeMap::new();
            let mut count = 0u64;
            for (kind, path, patch) in nodes {
                if kind == Kind::CLIENT {
                    let entry = entries::make(v, rows, env, kind, &path, patch)?;
                    places.insert(path, (entry.id, entry.client));
                    count += 1;
                    continue;
                }
                let (above, name) = entries::split(&path);
                let above = above.ok_or_else(|| AppError::no_entry(&path))?;
                let (parent, client) = match places.get(above) {
                    Some(known) => *known,
                    None => {
                        let node =
                            v.index.at_path(above).ok_or_else(|| AppError::no_entry(above))?;
                        places.insert(above.to_owned(), (node.id, node.client));
                        (node.id, node.client)
                    }
                };
                let id = EntryId(env.id());
                let mut entry = entries::blank(v, env, id, client, Some(parent), kind, name);
                fill(&mut entry, &patch);
                for (slot, change) in patch.secrets {
                    let SecretChange::Put(value) = change else { continue };
                    put(v, rows, env, &mut entry, slot, value)?;
                }
                if !entry.secrets.is_empty() {
                    entry.credential = crate::model::entry::CredentialSource::Own;
                }
                v.put_entry_unindexed(rows, env, &entry)?;
                if entry.kind == Kind::FOLDER {
                    places.insert(path, (id, client));
                }
                touched.entry(client).or_default().push(entry);
                count += 1;
            }
            for (client, new) in touched {
                let mut all = v.index.client(&client).map(|c| c.all()).unwrap_or_default();
                all.extend(new.iter().map(Entry::summary));
                v.put_segment(rows, env, client, crate::vault::index::segment::Segment::pack(all))?;
            }
            let mut line = draft(v, env, Event::Imported, true);
            line.fields.push((field::COUNT, count.to_string()));
            v.log(rows, env, line)?;
            Ok(count)
        })
    }
}

fn fill(entry: &mut Entry, patch: &Patch) {
    let text = |place: &mut String, to: &Set<String>| {
        if let Set::To(value) = to {
            place.clone_from(value);
        }
    };
    text(&mut entry.host, &patch.host);
    text(&mut entry.user, &patch.user);
    text(&mut entry.description, &patch.description);
    if let Set::To(tags) = &patch.tags {
        entry.tags.clone_from(tags);
    }
    if let Set::To(port) = &patch.port {
        entry.port = *port;
    }
    if let Set::To(favourite) = &patch.favourite {
        entry.favourite = *favourite;
    }
    entry.settings.extend(patch.settings.clone());
}

fn put(
    v: &mut crate::vault::unlocked::Unlocked,
    rows: &dyn crate::vault::rows::Rows,
    env: &mut crate::vault::unlocked::Env<'_>,
    entry: &mut Entry,
    slot: Slot,
    value: crate::secret::SecretBytes,
) -> Result<(), AppError> {
    let value = seeds::normal(&slot, value, &entry.name)?;
    let client = entry.client;
    let cell =
        value.expose(|b| v.put_blob(rows, env, client, crate::vault::cell::Purpose::Secret, b))?;
    let known = crate::model::entry::SecretRef { cell, set_at: env.now, set_by: v.me };
    entry.secrets.insert(slot, known);
    Ok(())
}
