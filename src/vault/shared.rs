//! Manifests of connectors that the vault's members share. Each text lies in a cell
//! of no client, sealed under the vault key; the state lists them with their digests,
//! so that one that was exchanged, is missing or is older than the list is refused, and
//! signed ([`super::listing`]), since every member can seal a state. Never signs in
//! another member's name, nor for what it found unsigned.

use sha2::{Digest, Sha256};

use crate::model::id::{CellId, EntryId};

use super::cell::{self, Purpose};
use super::listing::{Doubt, Shared};
use super::rows::Rows;
use super::unlocked::{Env, Unlocked, VaultError};

/// What stands for the client of such a cell; no client has this id.
pub const MANIFESTS: EntryId = EntryId(*b"poterne/manifest");

/// Version of such a cell: it is written once, a new text is a new cell.
const VER: u64 = 1;

impl Unlocked {
    /// The shared manifest of a kind.
    pub fn shared(&self, kind: &str) -> Option<&Shared> {
        self.state.shared.all.iter().find(|shared| shared.kind == kind)
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
        let n = self.next_listing();
        self.take_out(rows, kind)?;
        let cell = self.put_shared_text(rows, env, text.as_bytes())?;
        let digest = Sha256::digest(text.as_bytes()).into();
        let (kind, by, at) = (kind.to_owned(), self.me, env.now);
        let mut shared = Shared { kind, cell, digest, by, at, sig: None };
        shared.sign(&self.header.vault, self.identity.signing());
        self.state.shared.all.push(shared);
        self.state.shared.all.sort_by(|a, b| a.kind.cmp(&b.kind));
        self.sign_listing(n, env);
        Ok(())
    }

    /// Shares it no longer; whether it was there.
    ///
    /// # Errors
    /// The store refused.
    pub fn drop_shared(
        &mut self,
        rows: &dyn Rows,
        env: &Env<'_>,
        kind: &str,
    ) -> Result<bool, VaultError> {
        let n = self.next_listing();
        let there = self.take_out(rows, kind)?;
        if there {
            self.sign_listing(n, env);
        }
        Ok(there)
    }

    fn take_out(&mut self, rows: &dyn Rows, kind: &str) -> Result<bool, VaultError> {
        let Some(at) = self.state.shared.all.iter().position(|shared| shared.kind == kind) else {
            return Ok(false);
        };
        let gone = self.state.shared.all.remove(at);
        self.drop_cell(rows, &gone.cell)?;
        Ok(true)
    }

    /// Why a shared manifest is not used; `None` when it is.
    pub fn doubt(&self, shared: &Shared) -> Option<Doubt> {
        let (vault, seen) = (&self.header.vault, self.listing_seen);
        self.state.shared.doubt(shared, vault, &self.directory, seen)
    }

    /// Whether the list is signed by who may share, and the newest that is known.
    ///
    /// # Errors
    /// As [`super::listing::Listing::judge`].
    pub fn judge_listing(&self) -> Result<(), Doubt> {
        self.state.shared.judge(&self.header.vault, &self.directory, self.listing_seen)
    }

    /// Number of the newest list that is known to have been signed by who may share.
    pub fn newest_listing(&self) -> u64 {
        let seal = self.state.shared.seal.as_ref().filter(|_| self.judge_listing().is_ok());
        seal.map_or(0, |seal| seal.n).max(self.listing_seen)
    }

    /// Number of the next list. Of a list that is not good nothing is signed along with
    /// what comes next: its manifests are to be shared again.
    fn next_listing(&mut self) -> u64 {
        if self.judge_listing().is_err() {
            self.state.shared.all.iter_mut().for_each(|shared| shared.sig = None);
        }
        self.newest_listing().saturating_add(1)
    }

    fn sign_listing(&mut self, n: u64, env: &Env<'_>) {
        let (vault, signing) = (&self.header.vault, self.identity.signing());
        self.state.shared.sign(vault, signing, n, self.me, env.now);
    }

    /// Signs the list anew if `was_good` and it is no longer, for who signed it may not
    /// share any more: what was rightly there stands.
    pub(super) fn keep_listing(&mut self, was_good: bool, env: &Env<'_>) {
        if was_good && self.judge_listing() == Err(Doubt::List) {
            let n = self.state.shared.seal.as_ref().map_or(0, |seal| seal.n);
            self.sign_listing(n.max(self.listing_seen).saturating_add(1), env);
        }
    }

    /// The text of a shared manifest, whoever signed it: see [`Unlocked::doubt`].
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
        for at in 0..self.state.shared.all.len() {
            let shared = self.state.shared.all[at].clone();
            let Ok(text) = self.shared_text(rows, &shared) else { continue };
            self.drop_cell(rows, &shared.cell)?;
            self.state.shared.all[at].cell = self.put_shared_text(rows, env, text.as_bytes())?;
        }
        Ok(())
    }
}
