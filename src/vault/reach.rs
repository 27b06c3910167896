//! Which cells a client's entries lead to. What a row says about itself in `place`
//! is a help for lists; only this walk says what must not be lost.

use std::collections::BTreeSet;

use crate::model::entry::Entry;
use crate::model::id::{CellId, EntryId};

use super::cell;
use super::rows::Rows;
use super::unlocked::{Unlocked, VaultError};

impl Unlocked {
    /// Every cell that the client's entries lead to: their own, those of their
    /// secrets, attachments and snapshots, and the same of their older versions.
    ///
    /// # Errors
    /// An entry or older version cannot be read.
    pub fn reached(
        &self,
        rows: &dyn Rows,
        client: EntryId,
    ) -> Result<BTreeSet<CellId>, VaultError> {
        let nodes = self.index.client(&client).map(|c| c.all()).unwrap_or_default();
        let mut out = BTreeSet::new();
        for node in nodes {
            let entry = self.entry(rows, &node.id)?;
            out.insert(CellId(node.id.0));
            out.extend(parts(&entry));
            for version in &entry.history {
                let old = self.old_entry(rows, client, version.cell, version.ver)?;
                out.insert(version.cell);
                out.extend(parts(&old));
            }
        }
        Ok(out)
    }

    /// Whether a row's `place` names the client that its cell is of.
    ///
    /// # Errors
    /// The ring lacks the first vault key.
    pub fn in_place(
        &self,
        client: &EntryId,
        cell: &CellId,
        place: &[u8; 16],
    ) -> Result<bool, VaultError> {
        Ok(self.client_by_place(cell, place)? == *client)
    }

    /// The client that a row's `place` names, which may be none.
    ///
    /// # Errors
    /// The ring lacks the first vault key.
    pub fn client_by_place(&self, cell: &CellId, place: &[u8; 16]) -> Result<EntryId, VaultError> {
        let first = self.ring.first_vault_key().ok_or(VaultError::Removed)?;
        // The mask takes itself away again.
        Ok(EntryId(cell::mask_client(first, cell, place)))
    }
}

/// The cells that one state of an entry names.
pub fn parts(entry: &Entry) -> impl Iterator<Item = CellId> + '_ {
    let files = entry.attachments.iter().map(|a| a.cell);
    let snapshots = entry.snapshots.iter().map(|s| s.cell);
    entry.secrets.values().map(|s| s.cell).chain(files).chain(snapshots)
}
