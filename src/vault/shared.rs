//! Manifests of connectors that the vault's members share. Each text lies in a cell
//! of no client, sealed under the vault key; the state lists them with their digests,
//! so that one that was exchanged, is missing or is older than the list is refused.

use sha2::{Digest, Sha256};

use crate::model::id::{CellId, EntryId};

use super::cell::{self, Purpose};
use super::rows::Rows;
use super::state::Shared;
use super::unlocked::{Env, Unlocked, VaultError};

/// What stands for the client of such a cell; no client has this id.
pub const MANIFESTS: EntryId = EntryId(*b"poterne/manifest");

/// Version of such a cell: it is written once, a new text is a new cell.
const VER: u64 = 1;

impl Unlocked {
    /// The shared manifest of a kind.
    pub fn shared(&self, kind: &str) -> Option<&Shared> {
        self.state.shared.iter().find(|shared| shared.kind == kind)
    }

    /// Shares a manifest, in place of one of its kind.
    ///
    /// # Errors
    /// The store refused.
    pub fn put_shared(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        kind: &str,
        text: &str,
    ) -> Result<(), VaultError> {
        self.drop_shared(rows, kind)?;
        let cell = self.put_shared_text(rows, env, text.as_bytes())?;
        let digest = Sha256::digest(text.as_bytes()).into();
        let (by, at) = (self.me, env.now);
        self.state.shared.push(Shared { kind: kind.to_owned(), cell, digest, by, at });
        self.state.shared.sort_by(|a, b| a.kind.cmp(&b.kind));
        Ok(())
    }

    /// Shares it no longer; whether it was there.
    ///
    /// # Errors
    /// The store refused.
    pub fn drop_shared(&mut self, rows: &dyn Rows, kind: &str) -> Result<bool, VaultError> {
        let Some(at) = self.state.shared.iter().position(|shared| shared.kind == kind) else {
            return Ok(false);
        };
        let gone = self.state.shared.remove(at);
        self.drop_cell(rows, &gone.cell)?;
        Ok(true)
    }

    /// The text of a shared manifest.
    ///
    /// # Errors
    /// It is missing, or is not the one that was shared.
    pub fn shared_text(&self, rows: &dyn Rows, shared: &Shared) -> Result<String, VaultError> {
        let damaged = || VaultError::Tampered(format!("shared manifest {}", shared.kind));
        let row = rows.cell(&shared.cell)?.ok_or_else(damaged)?;
        let key = self.ring.vault_key(row.generation).ok_or_else(damaged)?;
        let place = self.place(MANIFESTS, row.generation, shared.cell, VER);
        let plain = cell::open(key, &place, Purpose::Manifest, &row.ct).map_err(|_| damaged())?;
        plain.expose(|text| {
            // Who left may know an earlier key and seal what it likes under it.
            let same = <[u8; 32]>::from(Sha256::digest(text)) == shared.digest;
            let text = std::str::from_utf8(text).ok().filter(|_| same);
            text.map(str::to_owned).ok_or_else(damaged)
        })
    }

    fn put_shared_text(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        text: &[u8],
    ) -> Result<CellId, VaultError> {
        let id = CellId(env.id());
        let generation = self.state.vault_gen;
        let place = self.place(MANIFESTS, generation, id, VER);
        let ct = cell::seal(self.vault_key()?, &place, Purpose::Manifest, text, &env.salt());
        self.put_cell(rows, MANIFESTS, generation, id, VER, ct)?;
        Ok(id)
    }

    /// Seals each of them under the present vault key. One that cannot be read stays
    /// as it is: it is damaged already, and no reason to keep who leaves.
    pub(super) fn reseal_shared(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
    ) -> Result<(), VaultError> {
        for at in 0..self.state.shared.len() {
            let shared = self.state.shared[at].clone();
            let Ok(text) = self.shared_text(rows, &shared) else { continue };
            self.drop_cell(rows, &shared.cell)?;
            self.state.shared[at].cell = self.put_shared_text(rows, env, text.as_bytes())?;
        }
        Ok(())
    }
}
