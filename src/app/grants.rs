//! Which members get the key of a client: owners and admins always, the others
//! as they were granted.

use crate::model::id::{EntryId, MemberId};
use crate::model::member::Role;
use crate::store::sqlite::SqliteRows;
use crate::vault::cert::Trusted;
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
