//! Which members get which keys: those of the vault by their role; that of a
//! client owners and admins always, the others as they were granted.

use crate::model::id::{EntryId, MemberId};
use crate::model::member::Role;
use crate::secret::Key32;
use crate::store::sqlite::SqliteRows;
use crate::vault::cert::Trusted;
use crate::vault::grant::{AUDIT_KEY, PENDING_KEY, VAULT_KEY};
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

use super::api::AppError;

/// Whether a member is handed the key of every client.
pub(super) fn sees_all(m: &Trusted) -> bool {
    m.role.sees_every_client() || (m.all_clients && m.role != Role::Auditor)
}

/// Makes the key of a new client and hands it to who sees every client.
pub(super) fn new_client(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    id: EntryId,
) -> Result<(), AppError> {
    let members: Vec<MemberId> =
        v.directory.members().filter(|m| sees_all(m)).map(|m| m.id).collect();
    Ok(v.new_client_key(rows, env, id, &members)?)
}

/// Makes the key of a member's private client, which nobody else gets.
pub(super) fn new_private_client(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    id: EntryId,
) -> Result<(), AppError> {
    Ok(v.new_client_key(rows, env, id, &[])?)
}

/// Forgets a client whose records are gone.
pub(super) fn forget_client(
    v: &mut Unlocked,
    rows: &dyn Rows,
    id: &EntryId,
) -> Result<(), AppError> {
    Ok(v.forget_client(rows, id)?)
}

/// Hands every key that a role and a reach give to a member.
pub(super) fn hand_all(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    to: &MemberId,
) -> Result<(), AppError> {
    let generations: Vec<(u32, Key32)> =
        v.ring.vault_keys().map(|(g, k)| (g, k.duplicate())).collect();
    for (generation, key) in generations {
        v.hand(rows, env, to, VAULT_KEY, generation, &key)?;
    }
    if let Some((generation, seed)) = v.ring.pending_key().map(|(g, k)| (g, k.duplicate())) {
        v.hand(rows, env, to, PENDING_KEY, generation, &seed)?;
    }
    let reads = v.directory.member(to).is_some_and(|m| m.role.reads_audit());
    let held = v.ring.audit_key().filter(|_| reads);
    if let Some((generation, seed)) = held.map(|(g, k)| (g, k.duplicate())) {
        v.hand(rows, env, to, AUDIT_KEY, generation, &seed)?;
    }
    Ok(())
}
