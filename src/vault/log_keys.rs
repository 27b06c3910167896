//! The two key pairs of the log, replaced when somebody leaves who held them: the
//! one that audit values are sealed to, and the one that refused unlocks are
//! sealed to. Who is to leave, and who reads the log, is decided above.

use crate::crypto::kem::{self, KemSecret};
use crate::model::id::{EntryId, MemberId};
use crate::secret::Key32;

use super::grant::{AUDIT_KEY, PENDING_KEY};
use super::log::value_context;
use super::rows::{AuditKeyRow, Rows};
use super::unlocked::{Env, Unlocked, VaultError};

impl Unlocked {
    /// Replaces the key pair that audit values are sealed to: the value keys of
    /// all lines are sealed to the new one, and `readers` get its seed. Lines from
    /// here on have new value keys, which no earlier holder knows.
    ///
    /// # Errors
    /// The member at hand does not hold the audit key, or the store refused.
    pub fn rotate_audit_key(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        readers: &[MemberId],
    ) -> Result<(), VaultError> {
        let missing = || VaultError::Tampered("the audit key".into());
        let old = KemSecret::from_seed(self.ring.audit_seed().ok_or_else(missing)?);
        let seed = env.key();
        let new = KemSecret::from_seed(&seed);
        for row in rows.audit_keys()? {
            let info = value_context(&self.header.vault, row.id);
            // What does not open was not readable before either; one damaged row
            // must not keep anybody in the vault.
            let Ok(value) = old.open(&info, b"", &row.enc_ct) else { continue };
            let enc_ct = value
                .expose(|key| kem::seal_to(new.public(), &info, b"", key, env.random))
                .map_err(|_| missing())?;
            rows.put_audit_key(&AuditKeyRow { enc_ct, ..row })?;
        }
        self.log.forget();
        self.state.audit_gen += 1;
        let generation = self.state.audit_gen;
        self.hand_anew(rows, env, AUDIT_KEY, generation, &seed, readers)?;
        let mine = readers.contains(&self.me).then_some((generation, seed));
        self.ring.set_audit_key(mine);
        self.header.audit_pk = new.public().to_vec();
        self.put_header(rows)
    }

    /// Replaces the key pair that refused unlocks are sealed to; every member gets
    /// its seed. Lines that wait were sealed to the old one: take them before.
    ///
    /// # Errors
    /// The store refused.
    pub fn rotate_pending_key(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
    ) -> Result<(), VaultError> {
        let seed = env.key();
        self.state.pending_gen += 1;
        let generation = self.state.pending_gen;
        let all: Vec<MemberId> = self.directory.members().map(|m| m.id).collect();
        self.hand_anew(rows, env, PENDING_KEY, generation, &seed, &all)?;
        self.header.pending_pk = KemSecret::from_seed(&seed).public().to_vec();
        self.ring.set_pending_key(Some((generation, seed)));
        self.put_header(rows)
    }

    /// Takes every grant of a key of the log away and hands out the new one.
    fn hand_anew(
        &mut self,
        rows: &dyn Rows,
        env: &mut Env<'_>,
        subject: EntryId,
        generation: u32,
        seed: &Key32,
        members: &[MemberId],
    ) -> Result<(), VaultError> {
        for row in rows.grants()?.iter().filter(|g| g.subject == subject) {
            self.drop_grant(rows, row)?;
        }
        // The member at hand too: an own other process takes it from there.
        for member in members {
            self.hand(rows, env, member, subject, generation, seed)?;
        }
        self.ring_dirty = true;
        Ok(())
    }

    /// Forgets a key of the log that was replaced since and not granted again.
    pub(super) fn drop_replaced_log_keys(&mut self) {
        if self.ring.audit_key().is_some_and(|(held, _)| held != self.state.audit_gen) {
            self.ring.set_audit_key(None);
            self.ring_dirty = true;
        }
        if self.ring.pending_key().is_some_and(|(held, _)| held != self.state.pending_gen) {
            self.ring.set_pending_key(None);
            self.ring_dirty = true;
        }
    }
}
