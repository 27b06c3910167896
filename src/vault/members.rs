//! The rows of members, logins and grants in an open vault: reading them, writing
//! them, and keeping their sum. Who may do so is decided above and in `cert`.

use std::collections::BTreeMap;

use crate::crypto::Random;
use crate::crypto::kem::KemSecret;
use crate::model::entry::Kind;
use crate::model::id::{CellId, EntryId, MemberId, SlotId};
use crate::secret::Key32;

use super::cert::{self, Act, Card, Directory};
use super::grant::{self, AUDIT_KEY, GrantRow, PENDING_KEY, VAULT_KEY};
use super::identity;
use super::index::ClientIndex;
use super::index::segment::Segment;
use super::rows::{MemberRow, Rows};
use super::slot::SlotRow;
use super::state::{Summer, header_mark};
use super::unlocked::{Env, Unlocked, VaultError};

fn tampered(what: impl Into<String>) -> VaultError {
    VaultError::Tampered(what.into())
}

impl Unlocked {
    /// Reads and verifies the members, taking a new vault key on the way.
    ///
    /// # Errors
    /// The history was tampered with, or the member was removed.
    pub fn load_members(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        let held: Vec<u32> = self.ring.vault_keys().map(|(generation, _)| generation).collect();
        let loaded = self.load_members_and_keys(rows);
        if loaded.is_err() {
            // A key that was opened and not judged must not be a known one next time.
            self.ring.keep_vault_keys(&held);
        }
        loaded
    }

    fn load_members_and_keys(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        let taken =
            take_vault_keys(&self.header.vault, self.me, &self.identity, &mut self.ring, rows)?;
        let (cards, directory) =
            read_members(self.header.vault, &self.header.root_pk, &self.ring, rows)?;
        if directory.member(&self.me).is_none() {
            return Err(VaultError::Removed);
        }
        for row in &taken {
            grant::verify(&self.header.vault, row, self.identity.kem().public(), &directory)
                .map_err(|_| tampered("a vault key handed to this member"))?;
            self.ring_dirty = true;
        }
        if self.ring.seen != Some(directory.seen()) {
            self.ring.seen = Some(directory.seen());
            self.ring_dirty = true;
        }
        self.cards = cards;
        self.directory = directory;
        Ok(())
    }

    /// The log's public keys in the header are those of the seeds at hand. The
    /// state says which header it is, and every member can seal a state: who reads
    /// the log must not write on under a key that somebody else put there.
    ///
    /// # Errors
    /// They are not, or a reader of the log has no seed.
    pub fn judge_log_keys(&self) -> Result<(), VaultError> {
        let public = |seed: &Key32| KemSecret::from_seed(seed).public().to_vec();
        let audit = self.ring.audit_seed().map(public);
        let pending = self.ring.pending_seed().map(public);
        let reads = self.directory.member(&self.me).is_some_and(|m| m.role.reads_audit());
        if audit.is_none() && reads {
            return Err(tampered("the audit key"));
        }
        let same = audit.is_none_or(|pk| pk == self.header.audit_pk)
            && pending.is_none_or(|pk| pk == self.header.pending_pk);
        if same { Ok(()) } else { Err(tampered("the header")) }
    }

    /// Takes the keys that were granted since the ring was sealed.
    ///
    /// # Errors
    /// A grant was tampered with.
    pub fn take_grants(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        for (id, subject, generation) in rows.grant_heads(&self.me)? {
            let known = match subject {
                VAULT_KEY => self.ring.vault_key(generation).is_some(),
                AUDIT_KEY => !wants(self.ring.audit_key(), generation, self.state.audit_gen),
                PENDING_KEY => !wants(self.ring.pending_key(), generation, self.state.pending_gen),
                client => self.ring.client_key_at(&client, generation).is_some(),
            };
            if known {
                continue;
            }
            let Some(row) = rows.grant(&id)? else { continue };
            let key =
                grant::open(&self.header.vault, &row, self.me, &self.identity, &self.directory)
                    .map_err(|_| tampered("a key handed to this member"))?;
            match row.subject {
                VAULT_KEY => self.ring.put_vault_key(row.generation, key),
                AUDIT_KEY => self.ring.set_audit_key(Some((row.generation, key))),
                PENDING_KEY => self.ring.set_pending_key(Some((row.generation, key))),
                client => self.ring.put_client_key(client, row.generation, key),
            }
            self.ring_dirty = true;
        }
        self.drop_replaced_log_keys();
        Ok(())
    }

    /// States something about a member and stores the card with it.
    ///
    /// # Errors
    /// [`VaultError::NoRight`], or the store refused.
    pub fn state_member(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        subject: MemberId,
        act: Act,
    ) -> Result<(), VaultError> {
        let listed = self.judge_listing().is_ok();
        let statement = self
            .directory
            .state(self.me, self.identity.signing(), subject, act, env.now)
            .map_err(|_| VaultError::NoRight)?;
        let card = self.cards.entry(subject).or_default();
        card.statements.push(statement);
        self.put_card(rows, env, subject)?;
        self.keep_listing(listed, env);
        self.ring.seen = Some(self.directory.seen());
        self.ring_dirty = true;
        Ok(())
    }

    /// Seals a member's card under the present vault key.
    ///
    /// # Errors
    /// The store refused.
    pub fn put_card(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        member: MemberId,
    ) -> Result<(), VaultError> {
        let card = self.cards.get(&member).cloned().unwrap_or_default();
        let generation = self.state.vault_gen;
        let sealed = cert::seal_card(
            self.vault_key()?,
            generation,
            &self.header.vault,
            &member,
            &card,
            &env.salt(),
        );
        let private = rows.members()?.into_iter().find(|m| m.id == member).and_then(|m| m.private);
        self.put_member_row(rows, &MemberRow { id: member, card: sealed, private })
    }

    /// Seals the member's own identity and ring.
    ///
    /// # Errors
    /// The store refused.
    pub fn put_private(&mut self, rows: &dyn Rows, env: &mut Env<'_>) -> Result<(), VaultError> {
        let sealed = identity::seal_private(
            &self.member_key,
            &self.header.vault,
            &self.me,
            &self.identity,
            &self.ring,
            &env.salt(),
        );
        let mut row =
            rows.members()?.into_iter().find(|m| m.id == self.me).ok_or(VaultError::Removed)?;
        row.private = Some(sealed);
        self.put_member_row(rows, &row)
    }

    /// Stores the header, and in the state what tells it from any other.
    ///
    /// # Errors
    /// The store refused.
    pub fn put_header(&mut self, rows: &dyn Rows) -> Result<(), VaultError> {
        self.state.header = header_mark(&self.header);
        Ok(rows.put_header(&self.header)?)
    }

    /// Stores a member's row.
    ///
    /// # Errors
    /// The store refused.
    pub fn put_member_row(&mut self, rows: &dyn Rows, row: &MemberRow) -> Result<(), VaultError> {
        let summer = self.summer()?;
        if let Some(old) = rows.members()?.iter().find(|m| m.id == row.id) {
            toggle_member(&summer, &mut self.state.meta, old);
        }
        toggle_member(&summer, &mut self.state.meta, row);
        Ok(rows.put_member(row)?)
    }

    /// Stores a login, kit or code.
    ///
    /// # Errors
    /// The store refused.
    pub fn put_slot(&mut self, rows: &dyn Rows, row: &SlotRow) -> Result<(), VaultError> {
        self.drop_slot(rows, &row.id)?;
        self.summer()?.toggle(&mut self.state.meta, "slot", &row.id.0, 0, &row.wrap);
        Ok(rows.put_slot(row)?)
    }

    /// Removes a login, kit or code, with its window.
    ///
    /// # Errors
    /// The store refused.
    pub fn drop_slot(&mut self, rows: &dyn Rows, id: &SlotId) -> Result<(), VaultError> {
        if let Some(old) = rows.slots()?.iter().find(|s| s.id == *id) {
            self.summer()?.toggle(&mut self.state.meta, "slot", &id.0, 0, &old.wrap);
            rows.drop_slot(id)?;
        }
        Ok(())
    }

    /// Hands a key to a member.
    ///
    /// # Errors
    /// The member is unknown, or the store refused.
    pub fn hand(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        to: &MemberId,
        subject: EntryId,
        generation: u32,
        key: &Key32,
    ) -> Result<(), VaultError> {
        let id = CellId(env.id());
        let member = self.directory.member(to).ok_or(VaultError::NotFound)?;
        let random: &mut Random<'_> = env.random;
        let row = grant::seal(
            &self.header.vault,
            id,
            member,
            subject,
            generation,
            key,
            (self.me, &self.identity),
            random,
        )
        .map_err(|_| tampered("a member's public key"))?;
        self.summer()?.toggle(&mut self.state.meta, "grant", &row.id.0, 0, &row.sig);
        Ok(rows.put_grant(&row)?)
    }

    /// Takes a grant away.
    ///
    /// # Errors
    /// The store refused.
    pub fn drop_grant(&mut self, rows: &dyn Rows, row: &GrantRow) -> Result<(), VaultError> {
        self.summer()?.toggle(&mut self.state.meta, "grant", &row.id.0, 0, &row.sig);
        Ok(rows.drop_grant(&row.id)?)
    }

    /// Makes a client's first key and hands it to `members`; the member at hand
    /// gets it in the ring. The client's index begins empty.
    ///
    /// # Errors
    /// The store refused.
    pub fn new_client_key(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
        members: &[MemberId],
    ) -> Result<(), VaultError> {
        let key = env.key();
        let me = self.me;
        for member in members.iter().filter(|m| **m != me) {
            self.hand(rows, env, member, client, 1, &key)?;
        }
        self.hand(rows, env, &me, client, 1, &key)?;
        self.ring.put_client_key(client, 1, key);
        self.ring_dirty = true;
        self.index.put(ClientIndex::new(client, Segment::pack(Vec::new())));
        self.put_segment(rows, env, client, Segment::pack(Vec::new()))
    }

    /// Forgets a client whose records are gone: its index and grants.
    ///
    /// # Errors
    /// The store refused.
    pub fn forget_client(&mut self, rows: &dyn Rows, client: &EntryId) -> Result<(), VaultError> {
        let summer = self.summer()?;
        self.forget_segment(rows, &summer, client)?;
        for row in rows.grants()?.iter().filter(|g| g.subject == *client) {
            self.drop_grant(rows, row)?;
        }
        self.ring.drop_client(client);
        self.ring_dirty = true;
        self.index.remove(client);
        Ok(())
    }

    /// The sum of all rows that the state's `meta` covers, made anew.
    ///
    /// # Errors
    /// The store refused.
    pub fn meta_sum(&self, rows: &dyn Rows) -> Result<[u8; 32], VaultError> {
        self.meta_sum_with(rows, |_, _| None)
    }

    /// As [`Unlocked::meta_sum`], over the segments as the index read them just
    /// now: their rows are large, and are not fetched a second time.
    ///
    /// # Errors
    /// As there.
    pub fn meta_sum_as_read(&self, rows: &dyn Rows) -> Result<[u8; 32], VaultError> {
        self.meta_sum_with(rows, |client, ver| {
            let read = self.index.client(client)?;
            (read.stamp.0 == ver && !read.mark.is_empty()).then(|| read.mark.clone())
        })
    }

    fn meta_sum_with(
        &self,
        rows: &dyn Rows,
        read: impl Fn(&EntryId, u64) -> Option<Vec<u8>>,
    ) -> Result<[u8; 32], VaultError> {
        let summer = self.summer()?;
        let mut sum = [0; 32];
        for slot in rows.slots()? {
            summer.toggle(&mut sum, "slot", &slot.id.0, 0, &slot.wrap);
        }
        for member in rows.members()? {
            toggle_member(&summer, &mut sum, &member);
        }
        for row in rows.grants()? {
            summer.toggle(&mut sum, "grant", &row.id.0, 0, &row.sig);
        }
        for (client, ver, _) in rows.segment_heads()? {
            let mark = match read(&client, ver) {
                Some(mark) => mark,
                None => rows.segment_mark(&client)?,
            };
            summer.toggle(&mut sum, "segment", &client.0, ver, &mark);
        }
        for (client, n, mark) in rows.delta_marks()? {
            summer.toggle(&mut sum, "delta", &client.0, n, &mark);
        }
        for row in rows.audit_keys()? {
            summer.toggle(&mut sum, "audit_key", &row.id.to_be_bytes(), 0, &row.ct);
        }
        Ok(sum)
    }

    /// Replaces a client's key: every record that its entries lead to and the index
    /// are sealed anew, and the members in `members` get the new one. Old grants go.
    ///
    /// # Errors
    /// A record was tampered with, or the store refused.
    pub fn rotate_client(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        client: EntryId,
        members: &[MemberId],
    ) -> Result<(), VaultError> {
        let (old, _) = self.client_key(&client)?;
        let new = old + 1;
        let key = env.key();
        for row in rows.grants()?.iter().filter(|g| g.subject == client) {
            self.drop_grant(rows, row)?;
        }
        for member in members {
            self.hand(rows, env, member, client, new, &key)?;
        }
        self.ring.put_client_key(client, new, key);
        self.ring_dirty = true;
        // By what the entries lead to: no sum covers the row's `place`, and a record
        // left out here would be lost with the old key.
        for id in self.reached(rows, client)? {
            self.reseal(rows, env, client, id)?;
        }
        self.pack(rows, env, client)?;
        self.ring.drop_client_key(&client, old);
        Ok(())
    }

    /// Replaces the vault key: cards, state, sums and line keys follow. Members
    /// that stay are handed every generation they lack.
    ///
    /// # Errors
    /// The store refused.
    pub fn rotate_vault_key(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
    ) -> Result<(), VaultError> {
        let generation = self.state.vault_gen + 1;
        let key = env.key();
        self.ring.put_vault_key(generation, key.duplicate());
        self.ring_dirty = true;
        self.state.vault_gen = generation;
        self.log.forget();
        self.reseal_shared(rows, env)?;
        // The sums are made under the new key, over the rows as they are.
        self.state.meta = self.meta_sum(rows)?;
        let summer = self.summer()?;
        let mut cells = [0; 32];
        rows.each_cell(&mut |c| summer.toggle(&mut cells, "cell", &c.id.0, c.ver, &c.ct))?;
        self.state.cells = cells;
        let members: Vec<MemberId> = self.directory.members().map(|m| m.id).collect();
        for member in &members {
            self.hand(rows, env, member, VAULT_KEY, generation, &key)?;
        }
        let everybody: Vec<MemberId> = self.cards.keys().copied().collect();
        for member in everybody {
            self.put_card(rows, env, member)?;
        }
        Ok(())
    }

    /// Clients that a member holds a key of, by the grants in the store.
    ///
    /// # Errors
    /// The store refused.
    pub fn clients_of(
        &self,
        rows: &dyn Rows,
        member: &MemberId,
    ) -> Result<Vec<EntryId>, VaultError> {
        let fixed = [VAULT_KEY, AUDIT_KEY, PENDING_KEY];
        let mut out: Vec<EntryId> = rows
            .grant_heads(member)?
            .into_iter()
            .map(|(_, subject, _)| subject)
            .filter(|s| !fixed.contains(s))
            .collect();
        out.sort();
        out.dedup();
        Ok(out)
    }

    /// Members with a key of a client.
    ///
    /// # Errors
    /// The store refused.
    pub fn members_of(
        &self,
        rows: &dyn Rows,
        client: &EntryId,
    ) -> Result<Vec<MemberId>, VaultError> {
        let mut out: Vec<MemberId> =
            rows.grants()?.into_iter().filter(|g| g.subject == *client).map(|g| g.member).collect();
        out.sort();
        out.dedup();
        Ok(out)
    }

    /// Names of the clients at hand, by id.
    pub fn client_names(&self) -> BTreeMap<EntryId, String> {
        let named = |c: &ClientIndex| {
            c.get(&c.client).filter(|s| s.kind == Kind::CLIENT).map(|s| (s.id, s.name))
        };
        self.index.clients().filter_map(named).collect()
    }
}

/// Whether a granted key of the log is the present one and not the one held.
fn wants(held: Option<(u32, &Key32)>, granted: u32, present: u32) -> bool {
    granted == present && held.is_none_or(|(generation, _)| generation != present)
}

fn toggle_member(summer: &Summer, sum: &mut [u8; 32], row: &MemberRow) {
    summer.toggle(sum, "member", &row.id.0, 0, &row.card);
    if let Some(private) = &row.private {
        summer.toggle(sum, "private", &row.id.0, 0, private);
    }
}

/// Puts vault keys granted since into the ring; returns the rows they came
/// from, to be verified against the directory that they open.
///
/// # Errors
/// A grant does not open.
pub fn take_vault_keys(
    vault: &crate::model::id::VaultId,
    me: MemberId,
    identity: &identity::Identity,
    ring: &mut identity::KeyRing,
    rows: &dyn Rows,
) -> Result<Vec<GrantRow>, VaultError> {
    let mut taken = Vec::new();
    for (id, subject, generation) in rows.grant_heads(&me)? {
        if subject == VAULT_KEY && ring.vault_key(generation).is_none() {
            let Some(row) = rows.grant(&id)? else { continue };
            let key = grant::open_unjudged(vault, &row, me, identity)
                .map_err(|_| tampered("a vault key handed to this member"))?;
            ring.put_vault_key(row.generation, key);
            taken.push(row);
        }
    }
    Ok(taken)
}

/// Opens all cards and replays their statements.
///
/// # Errors
/// A card does not open, or the history is not one.
pub fn read_members(
    vault: crate::model::id::VaultId,
    root_pk: &[u8; 32],
    ring: &identity::KeyRing,
    rows: &dyn Rows,
) -> Result<(BTreeMap<MemberId, Card>, Directory), VaultError> {
    let mut cards = BTreeMap::new();
    for row in rows.members()? {
        let generation =
            cert::card_generation(&row.card).ok_or_else(|| tampered("a member's card"))?;
        let key = ring.vault_key(generation).ok_or(VaultError::Removed)?;
        let card = cert::open_card(key, &vault, &row.id, &row.card)
            .map_err(|_| tampered("a member's card"))?;
        cards.insert(row.id, card);
    }
    let directory = Directory::verify(vault, root_pk, &cards, ring.seen)
        .map_err(|fault| tampered(fault.to_string()))?;
    Ok((cards, directory))
}
