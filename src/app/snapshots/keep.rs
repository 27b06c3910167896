//! Taking a configuration, as the vault sees it: the line before, the row and the
//! line after. Nothing is kept of one that is not whole.

use crate::app::api::{AppError, Code, SnapshotView, Taken};
use crate::app::entries::{Looker, locate, need};
use crate::app::worker::Worker;
use crate::app::{draft, people, plan};
use crate::connect::snapshot::{ENABLE, Task};
use crate::model::audit_event::{Event, field};
use crate::model::entry::{Entry, SNAPSHOTS_KEPT, Slot, Snapshot};
use crate::model::id::EntryId;
use crate::model::policy::Action;
use crate::secret::SecretBytes;
use crate::vault::cell::Purpose;
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

use super::{Begin, End, Ready, difference};
use crate::app::api::At;

impl Worker {
    /// Whether and how the configuration of an entry can be read.
    pub(in crate::app) fn snapshot_ready(&mut self, at: &At) -> Result<Ready, AppError> {
        let open = self.opened()?;
        open.writable()?;
        open.read(|v, rows| {
            need(v, Action::Connect)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            let resolved = plan::resolve(&Looker { v, rows }, &entry);
            let settings = resolved.target.as_ref().map(|t| &t.destination().settings);
            let task = Task::of(&entry.kind, settings.unwrap_or(&entry.settings))?;
            Ok(Ready { entry: entry.id, task })
        })
    }

    /// Writes the line before; the password of the privileged mode, if the entry
    /// has one and it is of use.
    pub(in crate::app) fn snapshot_begin(
        &mut self,
        begin: &Begin,
    ) -> Result<Option<SecretBytes>, AppError> {
        let slot = Slot::Custom(ENABLE.to_owned());
        let open = self.opened()?;
        let entry = open.write(|v, rows, env| {
            need(v, Action::Connect)?;
            let entry = present(v, rows, &begin.entry)?;
            let mut line = draft(v, env, Event::SnapshotTaking, true);
            people::about(v, &entry.summary(), &mut line);
            people::why(&begin.just, &mut line);
            line.fields.push((field::CONNECTOR, entry.kind.to_string()));
            line.fields.push((field::SESSION, begin.session.to_string()));
            line.fields.push((field::DETAIL, begin.command.clone()));
            v.log(rows, env, line)?;
            if begin.enable && entry.secrets.contains_key(&slot) {
                let mut line = draft(v, env, Event::SecretFilled, true);
                people::about_secret(v, &entry.summary(), &mut line);
                people::why(&begin.just, &mut line);
                line.fields.push((field::CONNECTOR, entry.kind.to_string()));
                line.fields.push((field::SESSION, begin.session.to_string()));
                line.fields.push((field::SLOT, slot.to_string()));
                v.log(rows, env, line)?;
            }
            Ok(entry)
        })?;
        if !begin.enable || !entry.secrets.contains_key(&slot) {
            return Ok(None);
        }
        open.read(|v, rows| Ok(Some(v.secret(rows, &entry, &slot)?)))
    }

    /// Writes the line after, together with what is kept; nothing when there was
    /// no configuration.
    pub(in crate::app) fn snapshot_end(&mut self, end: &End) -> Result<Option<Taken>, AppError> {
        self.opened()?.write(|v, rows, env| {
            let mut entry = present(v, rows, &end.entry)?;
            let mut line = draft(v, env, Event::SnapshotTaken, end.result.is_ok());
            people::about(v, &entry.summary(), &mut line);
            people::why(&end.just, &mut line);
            line.fields.push((field::CONNECTOR, entry.kind.to_string()));
            line.fields.push((field::SESSION, end.session.to_string()));
            let config = match &end.result {
                Ok(config) => config,
                Err(why) => {
                    line.fields.push((field::DETAIL, why.clone()));
                    v.log(rows, env, line)?;
                    return Ok(None);
                }
            };
            let size = config.len() as u64;
            let lines = config.expose(|bytes| memchr::memchr_iter(b'\n', bytes).count()) as u64;
            line.fields.push((field::BYTES_IN, size.to_string()));
            let last = entry.snapshots.last().cloned();
            let before = match &last {
                Some(last) => v.open_blob(rows, entry.client, last.cell, Purpose::Snapshot)?,
                None => SecretBytes::new(Vec::new()),
            };
            let same = config.expose(|new| before.expose(|old| new == old));
            if let Some(last) = last.as_ref().filter(|_| same) {
                line.fields.push((field::DETAIL, format!("unchanged since {}", last.n)));
                v.log(rows, env, line)?;
                let snapshot = view(v, last);
                return Ok(Some(Taken {
                    snapshot,
                    unchanged: true,
                    before: None,
                    added: 0,
                    removed: 0,
                }));
            }
            let (added, removed, _) = difference::unified(&before, config, ("", ""));
            let n = last.as_ref().map_or(1, |last| last.n + 1);
            let cell = config
                .expose(|plain| v.put_blob(rows, env, entry.client, Purpose::Snapshot, plain))?;
            let command = end.command.clone();
            let new = Snapshot { n, at: env.now, by: v.me, command, size, lines, cell };
            entry.snapshots.push(new.clone());
            let old = entry.snapshots.len().saturating_sub(SNAPSHOTS_KEPT);
            for gone in entry.snapshots.drain(..old) {
                v.drop_cell(rows, &gone.cell)?;
            }
            v.put_entry(rows, env, &entry)?;
            line.fields.push((field::DETAIL, format!("{n}: +{added} -{removed}")));
            v.log(rows, env, line)?;
            let before = last.map(|last| view(v, &last));
            Ok(Some(Taken { snapshot: view(v, &new), unchanged: false, before, added, removed }))
        })
    }
}

/// The entry, unless it went to the bin meanwhile.
fn present(v: &Unlocked, rows: &dyn Rows, id: &EntryId) -> Result<Entry, AppError> {
    let entry = v.entry(rows, id)?;
    if entry.trashed_at.is_none() {
        return Ok(entry);
    }
    Err(AppError::new(
        Code::NotFound,
        (
            "Cette entrée a été mise à la corbeille pendant le relevé.",
            "This entry was moved to the recycle bin during the snapshot.",
        ),
        ("Restaurez-la, puis refaites le relevé.", "Restore it, then take the snapshot again."),
    ))
}

/// Those of an entry, the newest first.
pub(in crate::app) fn views(v: &Unlocked, entry: &Entry) -> Vec<SnapshotView> {
    entry.snapshots.iter().rev().map(|s| view(v, s)).collect()
}

/// A snapshot for a list.
pub(super) fn view(v: &Unlocked, s: &Snapshot) -> SnapshotView {
    SnapshotView {
        n: s.n,
        at: s.at,
        by: people::name(v, &s.by),
        command: s.command.clone(),
        size: s.size,
        lines: s.lines,
    }
}
