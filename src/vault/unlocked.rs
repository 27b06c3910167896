//! An open vault: the member's keys, the index and the state, and the steps that
//! read and write rows with them. It decides what rows say; a store keeps them,
//! and the caller wraps every change in one transaction.

use std::collections::BTreeMap;

use crate::audit::line;
use crate::crypto::aead::SALT;
use crate::model::entry::{Entry, Slot};
use crate::model::id::{CellId, EntryId, MemberId, VaultId};
use crate::model::time::Time;
use crate::secret::{Key32, SecretBytes};

use super::cell::{self, Place, Purpose};
use super::cert::{Card, Directory};
use super::identity::{self, Identity, KeyRing};
use super::index::load;
use super::index::segment::Segment;
use super::index::{ClientIndex, Index};
use super::listing::Listing;
use super::log::Writer;
use super::rows::{CellRow, DeltaRow, HeaderRow, Rows, SegmentRow, StoreError};
use super::state::{self, State, Summer};

/// Changes of a client's index that are kept apart before it is packed anew.
pub const UNPACKED_MAX: usize = 512;

/// Why a step on an open vault failed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row is not what it should be.
    #[error("{0} is not what this vault wrote")]
    Tampered(String),
    /// No such node, or not one the member may see.
    #[error("there is no such entry")]
    NotFound,
    /// The member was removed by another process.
    #[error("the member was removed from this vault")]
    Removed,
    /// The statement about a member is not the member's to make.
    #[error("no right to say that about a member")]
    NoRight,
    /// The audit line could not be made.
    #[error("the audit log is damaged: {0}")]
    Log(String),
}

/// What a step may use of the world.
pub struct Env<'a> {
    /// The time.
    pub now: Time,
    /// Randomness for ids, salts and keys.
    pub random: &'a mut dyn FnMut(&mut [u8]),
    /// Name of this computer, for the log.
    pub machine: &'a str,
}

impl Env<'_> {
    /// A new salt for one seal.
    pub fn salt(&mut self) -> [u8; SALT] {
        let mut salt = [0; SALT];
        (self.random)(&mut salt);
        salt
    }

    /// Sixteen random bytes for an id.
    pub fn id(&mut self) -> [u8; 16] {
        let mut id = [0; 16];
        (self.random)(&mut id);
        id
    }

    /// A new key.
    pub fn key(&mut self) -> Key32 {
        Key32::filled(|k| (self.random)(k))
    }
}

/// An open vault.
pub struct Unlocked {
    /// Header of the file.
    pub header: HeaderRow,
    /// Who opened it.
    pub me: MemberId,
    /// Wraps the member's private row.
    pub member_key: Key32,
    /// The member's signing and receiving keys.
    pub identity: Identity,
    /// The keys the member holds.
    pub ring: KeyRing,
    /// Members and their public keys, checked.
    pub directory: Directory,
    /// The cards the directory was made from.
    pub cards: BTreeMap<MemberId, Card>,
    /// State as last read or written.
    pub state: State,
    /// What lists and searches read.
    pub index: Index,
    /// Writes audit lines.
    pub log: Writer,
    /// The ring changed and is to be sealed at the next save.
    pub ring_dirty: bool,
    /// Number of the newest list of shared manifests that this computer knows of.
    pub listing_seen: u64,
}

impl Unlocked {
    /// Which vault this is.
    pub fn vault(&self) -> &VaultId {
        &self.header.vault
    }

    /// The vault key of the present generation.
    ///
    /// # Errors
    /// The ring lacks it: the file is newer than the ring.
    pub fn vault_key(&self) -> Result<&Key32, VaultError> {
        self.ring
            .vault_key(self.state.vault_gen)
            .ok_or_else(|| VaultError::Tampered("the key ring".into()))
    }

    /// A summer under the present vault key.
    ///
    /// # Errors
    /// As [`Unlocked::vault_key`].
    pub fn summer(&self) -> Result<Summer, VaultError> {
        Ok(Summer::new(self.vault_key()?, self.state.vault_gen))
    }

    /// Generation and key of a client.
    ///
    /// # Errors
    /// [`VaultError::NotFound`] when the member was not granted that client.
    pub fn client_key(&self, client: &EntryId) -> Result<(u32, &Key32), VaultError> {
        self.ring.client_key(client).ok_or(VaultError::NotFound)
    }

    pub(super) fn place(&self, client: EntryId, generation: u32, cell: CellId, ver: u64) -> Place {
        Place { vault: self.header.vault, client, generation, cell, ver }
    }

    /// Reads what other processes wrote since. True when something changed.
    ///
    /// # Errors
    /// The rows were tampered with, or the member was removed.
    pub fn refresh(&mut self, rows: &dyn Rows) -> Result<bool, VaultError> {
        if rows.epoch()? == self.state.epoch {
            return Ok(false);
        }
        self.reload(rows)?;
        Ok(true)
    }

    /// Reads the state, members, grants and index again.
    ///
    /// # Errors
    /// The rows were tampered with, or the member was removed.
    pub fn reload(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        let done = self.reload_all(rows);
        if done.is_err() {
            // What was refused half way must not pass for known the next time.
            self.state.epoch = u64::MAX;
        }
        done
    }

    fn reload_all(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        let tampered = |what: &str| VaultError::Tampered(what.to_owned());
        let (epoch, sealed) = rows.state()?;
        let generation = state::generation_of(&sealed).ok_or_else(|| tampered("the state"))?;
        // Judged by the members of its time.
        self.listing_seen = self.newest_listing();
        // The members come first: with them comes a vault key that was replaced.
        self.load_members(rows)?;
        let key = self.ring.vault_key(generation).ok_or(VaultError::Removed)?;
        // Who was removed knows the key before the newest, and could seal with it.
        if self.ring.vault_keys().any(|(held, _)| held > generation) {
            return Err(tampered("the state"));
        }
        let state =
            state::open(&self.header.vault, key, &sealed).map_err(|_| tampered("the state"))?;
        if state.epoch != epoch {
            return Err(tampered("the state's number"));
        }
        // The key pairs of the log may have been replaced by another process.
        let header = rows.header()?;
        let root = (header.vault, header.root_pk) == (self.header.vault, self.header.root_pk);
        if !root || state::header_mark(&header) != state.header {
            return Err(tampered("the header"));
        }
        let before = (self.state.vault_gen, self.state.audit_gen);
        if before != (state.vault_gen, state.audit_gen) {
            // Who was removed may know the line keys in use so far.
            self.log.forget();
        }
        self.header = header;
        self.state = state;
        self.take_grants(rows)?;
        self.judge_log_keys()?;
        self.load_index(rows)
    }

    /// Takes back what a transaction that was rolled back changed in memory: the
    /// ring is again the stored one, then all else is read again. Until that has
    /// worked, nothing is written on what is in memory.
    ///
    /// # Errors
    /// As [`Unlocked::reload`].
    pub fn undo(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        self.log.forget();
        self.ring_dirty = false;
        self.state.epoch = u64::MAX;
        self.state.shared = Listing::default();
        let mine = rows.members()?.into_iter().find(|m| m.id == self.me);
        let private = mine.and_then(|m| m.private).ok_or(VaultError::Removed)?;
        let (_, ring) =
            identity::open_private(&self.member_key, &self.header.vault, &self.me, &private)
                .map_err(|_| VaultError::Tampered("the key ring".into()))?;
        self.ring = ring;
        self.reload(rows)
    }

    /// Brings the index up to date with the segments and deltas in the store.
    ///
    /// # Errors
    /// The rows were tampered with.
    pub fn load_index(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        let mut index = Index::default();
        let mut heads = Vec::new();
        for head @ (client, ver, last_delta) in rows.segment_heads()? {
            let Some((_, _)) = self.ring.client_key(&client) else { continue };
            let known = self.index.client(&client).filter(|c| c.stamp == (ver, last_delta));
            match known {
                Some(same) => index.put(same.clone()),
                None => heads.push(head),
            }
        }
        let mut lost = Vec::new();
        for (client, loaded) in load::clients(&self.ring, &self.header.vault, rows, &heads)? {
            match loaded {
                Ok(loaded) => index.put(loaded),
                // The grant was taken away and the key replaced since.
                Err(_) if !self.is_granted(rows, &client)? => lost.push(client),
                Err(e) => return Err(e),
            }
        }
        self.index = index;
        for client in &lost {
            self.ring.drop_client(client);
            self.ring_dirty = true;
        }
        Ok(())
    }

    fn is_granted(&self, rows: &dyn Rows, client: &EntryId) -> Result<bool, VaultError> {
        Ok(rows.grant_heads(&self.me)?.iter().any(|(_, subject, _)| subject == client))
    }

    /// Opens an entry.
    ///
    /// # Errors
    /// Not found, or the row is not the one the index knows.
    pub fn entry(&self, rows: &dyn Rows, id: &EntryId) -> Result<Entry, VaultError> {
        let summary = self.index.get(id).ok_or(VaultError::NotFound)?;
        let entry = self.open_entry_cell(rows, summary.client, CellId(id.0), summary.ver)?;
        if entry.id != *id || entry.client != summary.client {
            return Err(VaultError::Tampered(format!("entry {id}")));
        }
        Ok(entry)
    }

    /// Opens an older version of an entry.
    ///
    /// # Errors
    /// As [`Unlocked::entry`].
    pub fn old_entry(
        &self,
        rows: &dyn Rows,
        client: EntryId,
        cell: CellId,
        ver: u64,
    ) -> Result<Entry, VaultError> {
        self.open_entry_cell(rows, client, cell, ver)
    }

    fn open_entry_cell(
        &self,
        rows: &dyn Rows,
        client: EntryId,
        id: CellId,
        ver: u64,
    ) -> Result<Entry, VaultError> {
        let (row, place, key) = self.cell_for(rows, client, id)?;
        if row.ver != ver {
            return Err(VaultError::Tampered(format!("record {id} has another version")));
        }
        cell::open_entry(key, &place, &row.ct)
            .map_err(|_| VaultError::Tampered(format!("record {id}")))
    }

    fn cell_for(
        &self,
        rows: &dyn Rows,
        client: EntryId,
        id: CellId,
    ) -> Result<(CellRow, Place, &Key32), VaultError> {
        let row = rows
            .cell(&id)?
            .ok_or_else(|| VaultError::Tampered(format!("record {id} is missing")))?;
        let key = self
            .ring
            .client_key_at(&client, row.generation)
            .ok_or_else(|| VaultError::Tampered(format!("record {id} has an unknown key")))?;
        let place = self.place(client, row.generation, id, row.ver);
        Ok((row, place, key))
    }

    /// Opens one secret of an entry, which may be an older version.
    ///
    /// # Errors
    /// The entry has no such secret, or the row was tampered with.
    pub fn secret(
        &self,
        rows: &dyn Rows,
        entry: &Entry,
        slot: &Slot,
    ) -> Result<SecretBytes, VaultError> {
        let known = entry.secrets.get(slot).ok_or(VaultError::NotFound)?;
        self.open_blob(rows, entry.client, known.cell, Purpose::Secret)
    }

    /// Opens a secret or attachment by its row.
    ///
    /// # Errors
    /// The row was tampered with.
    pub fn open_blob(
        &self,
        rows: &dyn Rows,
        client: EntryId,
        id: CellId,
        purpose: Purpose,
    ) -> Result<SecretBytes, VaultError> {
        let (row, place, key) = self.cell_for(rows, client, id)?;
        cell::open(key, &place, purpose, &row.ct)
            .map_err(|_| VaultError::Tampered(format!("record {id}")))
    }

    /// Stores a new secret or attachment; it never changes afterwards.
    ///
    /// # Errors
    /// The store refused, or the client is not granted.
    pub fn put_blob(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
        purpose: Purpose,
        plain: &[u8],
    ) -> Result<CellId, VaultError> {
        let id = CellId(env.id());
        let (generation, key) = self.client_key(&client)?;
        let ct =
            cell::seal(key, &self.place(client, generation, id, 1), purpose, plain, &env.salt());
        self.put_cell(rows, client, generation, id, 1, ct)?;
        Ok(id)
    }

    pub(super) fn put_cell(
        &mut self,
        rows: &dyn Rows,
        client: EntryId,
        generation: u32,
        id: CellId,
        ver: u64,
        ct: Vec<u8>,
    ) -> Result<(), VaultError> {
        let first = self.ring.first_vault_key().ok_or(VaultError::Removed)?;
        let place = cell::mask_client(first, &id, &client.0);
        let summer = self.summer()?;
        if let Some(old) = rows.cell(&id)? {
            summer.toggle(&mut self.state.cells, "cell", &id.0, old.ver, &old.ct);
            self.state.n_cells -= 1;
        }
        summer.toggle(&mut self.state.cells, "cell", &id.0, ver, &ct);
        self.state.n_cells += 1;
        rows.put_cell(&CellRow { id, place, generation, ver, ct })?;
        Ok(())
    }

    /// Seals a cell under the client's newest key.
    ///
    /// # Errors
    /// The cell was tampered with, or the store refused.
    pub(super) fn reseal(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
        id: CellId,
    ) -> Result<(), VaultError> {
        let (row, place, key) = self.cell_for(rows, client, id)?;
        let found = [Purpose::Entry, Purpose::Secret, Purpose::Attachment, Purpose::Snapshot]
            .into_iter()
            .find_map(|p| cell::open(key, &place, p, &row.ct).ok().map(|plain| (p, plain)));
        let (purpose, plain) = found.ok_or_else(|| VaultError::Tampered(format!("record {id}")))?;
        let (generation, key) = self.client_key(&client)?;
        let place = self.place(client, generation, id, row.ver);
        let ct = plain.expose(|p| cell::seal(key, &place, purpose, p, &env.salt()));
        self.put_cell(rows, client, generation, id, row.ver, ct)
    }

    /// Removes a cell for good.
    ///
    /// # Errors
    /// The store refused.
    pub fn drop_cell(&mut self, rows: &dyn Rows, id: &CellId) -> Result<(), VaultError> {
        if let Some(old) = rows.cell(id)? {
            self.summer()?.toggle(&mut self.state.cells, "cell", &id.0, old.ver, &old.ct);
            self.state.n_cells -= 1;
            rows.drop_cell(id)?;
        }
        Ok(())
    }

    /// Stores a state of an entry that is no longer its present one.
    ///
    /// # Errors
    /// The store refused, or the client is not granted.
    pub fn put_old_entry(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        old: &Entry,
    ) -> Result<CellId, VaultError> {
        let id = CellId(env.id());
        let (generation, key) = self.client_key(&old.client)?;
        let ct = cell::seal_entry(
            key,
            &self.place(old.client, generation, id, old.ver),
            old,
            &env.salt(),
        );
        self.put_cell(rows, old.client, generation, id, old.ver, ct)?;
        Ok(id)
    }

    /// Stores the present state of an entry and its place in the index.
    ///
    /// # Errors
    /// The store refused, or the client is not granted.
    pub fn put_entry(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let id = CellId(entry.id.0);
        let (generation, key) = self.client_key(&entry.client)?;
        let place = self.place(entry.client, generation, id, entry.ver);
        let ct = cell::seal_entry(key, &place, entry, &env.salt());
        self.put_cell(rows, entry.client, generation, id, entry.ver, ct)?;
        self.put_delta(rows, env, entry.client, (entry.id, Some(entry.summary())))
    }

    /// Stores an entry's cell without touching the index, for bulk making.
    ///
    /// # Errors
    /// The store refused, or the client is not granted.
    pub fn put_entry_unindexed(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        entry: &Entry,
    ) -> Result<(), VaultError> {
        let id = CellId(entry.id.0);
        let (generation, key) = self.client_key(&entry.client)?;
        let place = self.place(entry.client, generation, id, entry.ver);
        let ct = cell::seal_entry(key, &place, entry, &env.salt());
        self.put_cell(rows, entry.client, generation, id, entry.ver, ct)
    }

    /// Takes a node out of the index.
    ///
    /// # Errors
    /// The store refused.
    pub fn unlist(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
        id: EntryId,
    ) -> Result<(), VaultError> {
        self.put_delta(rows, env, client, (id, None))
    }

    fn put_delta(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
        change: (EntryId, Option<crate::model::entry::Summary>),
    ) -> Result<(), VaultError> {
        let n = self.state.next_delta;
        let (generation, key) = self.client_key(&client)?;
        let ct =
            cell::seal_delta(key, &self.header.vault, &client, generation, n, &change, &env.salt());
        self.summer()?.toggle(&mut self.state.meta, "delta", &client.0, n, &ct);
        rows.put_delta(&DeltaRow { client, n, generation, ct })?;
        self.state.next_delta += 1;
        if let Some(index) = self.index.client_mut(&client) {
            index.apply(change.0, change.1);
            index.stamp.1 = n;
        }
        let full = self.index.client(&client).is_some_and(|c| c.unpacked() > UNPACKED_MAX);
        if full { self.pack(rows, env, client) } else { Ok(()) }
    }

    /// Writes a client's index anew, without deltas.
    ///
    /// # Errors
    /// The store refused, or the client is not granted.
    pub fn pack(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
    ) -> Result<(), VaultError> {
        let all = self.index.client(&client).map(ClientIndex::all).unwrap_or_default();
        self.put_segment(rows, env, client, Segment::pack(all))
    }

    /// Replaces a client's packed index and drops its deltas.
    ///
    /// # Errors
    /// The store refused, or the client is not granted.
    pub fn put_segment(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
        segment: Segment,
    ) -> Result<(), VaultError> {
        let summer = self.summer()?;
        self.forget_segment(rows, &summer, &client)?;
        let ver = self.state.epoch + 1;
        let (generation, key) = self.client_key(&client)?;
        let ct = cell::seal_segment(
            key,
            &self.header.vault,
            &client,
            generation,
            ver,
            &segment,
            &env.salt(),
        );
        summer.toggle(&mut self.state.meta, "segment", &client.0, ver, &ct);
        rows.put_segment(&SegmentRow { client, generation, ver, ct })?;
        let mut index = ClientIndex::new(client, segment);
        index.stamp = (ver, 0);
        self.index.put(index);
        Ok(())
    }

    /// Drops a client's segment and deltas from rows and sums.
    pub(super) fn forget_segment(
        &mut self,
        rows: &dyn Rows,
        summer: &Summer,
        client: &EntryId,
    ) -> Result<(), VaultError> {
        if let Some(old) = rows.segment(client)? {
            summer.toggle(&mut self.state.meta, "segment", &client.0, old.ver, &old.ct);
            rows.drop_segment(client)?;
        }
        for delta in rows.deltas(client)? {
            summer.toggle(&mut self.state.meta, "delta", &client.0, delta.n, &delta.ct);
        }
        rows.drop_deltas(client)?;
        Ok(())
    }

    /// Appends a line to the audit log.
    ///
    /// # Errors
    /// The store refused: then the act must not happen.
    pub fn log(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        draft: line::Draft,
    ) -> Result<(), VaultError> {
        super::log::append(self, rows, env, draft)
    }

    /// Ends a transaction: seals ring and state with the next epoch. Everything
    /// changed before is undone if the caller rolls back and reloads.
    ///
    /// # Errors
    /// The store refused.
    pub fn save(&mut self, rows: &dyn Rows, env: &mut Env<'_>) -> Result<(), VaultError> {
        if self.ring_dirty {
            self.put_private(rows, env)?;
            self.ring_dirty = false;
        }
        self.state.epoch += 1;
        let ct = state::seal(&self.header.vault, self.vault_key()?, &self.state, &env.salt());
        rows.put_state(self.state.epoch, &ct)?;
        Ok(())
    }
}
