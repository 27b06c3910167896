//! Reading what was kept: the list for everybody who sees the entry; the text and
//! what differs for who may reveal, each time with a line of the log before.

use crate::app::api::{AppError, At, Code, Justification, Purpose, Reply, SnapshotText};
use crate::app::entries::{locate, need};
use crate::app::reveal::released;
use crate::app::worker::Open;
use crate::model::audit_event::Event;
use crate::model::entry::{Entry, Snapshot};
use crate::model::lang::Bi;
use crate::model::policy::Action;
use crate::secret::SecretBytes;
use crate::vault::cell::Purpose as Cell;
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

use super::difference;
use super::keep::{view, views};

/// What the log calls a configuration, among the secrets.
const SLOT: &str = "configuration";

impl Open {
    /// The snapshots of an entry, the newest first.
    pub(in crate::app) fn snapshots(&mut self, at: &At) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::Browse)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            Ok(Reply::Snapshots(views(v, &entry)))
        })
    }

    /// The text of one, the newest if none is named.
    pub(in crate::app) fn snapshot(
        &mut self,
        at: &At,
        n: Option<u64>,
        purpose: Purpose,
        just: &Justification,
    ) -> Result<Reply, AppError> {
        let entry = self.released(at, purpose, just, |entry| chosen(entry, n).map(drop))?;
        self.read(|v, rows| {
            let snapshot = chosen(&entry, n)?;
            let text = text(v, rows, &entry, snapshot)?;
            let text = text.into_text().map_err(|_| damaged())?;
            Ok(Reply::Snapshot(SnapshotText { snapshot: view(v, snapshot), text }))
        })
    }

    /// What differs from one to another: from the one before to the newest, if
    /// none is named.
    pub(in crate::app) fn snapshot_difference(
        &mut self,
        at: &At,
        (from, to): (Option<u64>, Option<u64>),
        just: &Justification,
    ) -> Result<Reply, AppError> {
        let pair = |entry: &Entry| {
            let new = chosen(entry, to)?.clone();
            let old = match from {
                Some(n) => chosen(entry, Some(n))?.clone(),
                None => {
                    let older = entry.snapshots.iter().rev().find(|s| s.n < new.n);
                    older.cloned().ok_or_else(only_one)?
                }
            };
            Ok((old, new))
        };
        let entry = self.released(at, Purpose::Reveal, just, |entry| pair(entry).map(drop))?;
        self.read(|v, rows| {
            let (old, new) = pair(&entry)?;
            let (before, after) = (text(v, rows, &entry, &old)?, text(v, rows, &entry, &new)?);
            let name = |s: &Snapshot| format!("{} ({})", s.n, s.at);
            let names = (name(&old), name(&new));
            let (added, removed, text) = difference::unified(&before, &after, (&names.0, &names.1));
            let (from, to) = (view(v, &old), view(v, &new));
            Ok(Reply::SnapshotDifference { from, to, added, removed, text })
        })
    }

    fn released(
        &mut self,
        at: &At,
        purpose: Purpose,
        just: &Justification,
        exists: impl FnOnce(&Entry) -> Result<(), AppError>,
    ) -> Result<Entry, AppError> {
        let event = match purpose {
            Purpose::Reveal => Event::SecretRevealed,
            Purpose::Copy => Event::SecretCopied,
        };
        self.write(|v, rows, env| {
            need(v, Action::Reveal)?;
            let node = locate(v, at)?;
            exists(&v.entry(rows, &node.id)?)?;
            released(v, rows, env, (at, just), (event, SLOT), |_| true)
        })
    }
}

fn text(
    v: &Unlocked,
    rows: &dyn Rows,
    entry: &Entry,
    snapshot: &Snapshot,
) -> Result<SecretBytes, AppError> {
    Ok(v.open_blob(rows, entry.client, snapshot.cell, Cell::Snapshot)?)
}

fn chosen(entry: &Entry, n: Option<u64>) -> Result<&Snapshot, AppError> {
    match n {
        None => entry.snapshots.last().ok_or_else(none_yet),
        Some(n) => entry.snapshots.iter().find(|s| s.n == n).ok_or_else(|| no_such(n)),
    }
}

fn damaged() -> AppError {
    AppError::tampered("un relevé de configuration", "a configuration snapshot")
}

fn none_yet() -> AppError {
    AppError::new(
        Code::NotFound,
        (
            "La configuration de cette entrée n’a pas encore été relevée.",
            "The configuration of this entry has not been read yet.",
        ),
        ("Relevez-la\u{a0}: poterne snapshot take CHEMIN", "Read it: poterne snapshot take PATH"),
    )
}

fn only_one() -> AppError {
    AppError::new(
        Code::NotFound,
        (
            "Il n’y a pas de relevé plus ancien à comparer.",
            "There is no older snapshot to compare with.",
        ),
        (
            "Voyez les relevés gardés\u{a0}: poterne snapshot list CHEMIN",
            "See the snapshots kept: poterne snapshot list PATH",
        ),
    )
}

fn no_such(n: u64) -> AppError {
    AppError {
        code: Code::NotFound,
        what: Bi::new(
            format!("Cette entrée n’a pas de relevé {n}."),
            format!("This entry has no snapshot {n}."),
        ),
        todo: Bi::new(
            "Voyez les relevés gardés\u{a0}: poterne snapshot list CHEMIN",
            "See the snapshots kept: poterne snapshot list PATH",
        ),
    }
}
