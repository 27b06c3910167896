//! Members as the rest of the application sees them: names, roles, the private
//! client of each, and how an audit line says whom and what it is about.

use crate::audit::line::Draft;
use crate::model::audit_event::{Event, field};
use crate::model::entry::{Kind, Summary};
use crate::model::id::{EntryId, MemberId};
use crate::model::member::Role;
use crate::store::sqlite::SqliteRows;
use crate::vault::unlocked::{Env, Unlocked};

use super::api::{AppError, Justification};
use super::entries;

/// Role of the member who unlocked.
pub(super) fn role(v: &Unlocked) -> Role {
    v.directory.member(&v.me).map_or(Role::Auditor, |m| m.role)
}

/// Name of a member, present or past.
pub(super) fn name(v: &Unlocked, id: &MemberId) -> String {
    v.directory
        .member_ever(id)
        .map(|m| m.name.clone())
        .unwrap_or_else(|| format!("({})", &id.to_string()[..8]))
}

/// Adds client and entry to a line.
pub(super) fn about(v: &Unlocked, node: &Summary, line: &mut Draft) {
    let client =
        if node.id == node.client { Some(node.clone()) } else { v.index.get(&node.client) };
    line.fields.push((field::CLIENT, client.map(|c| c.name).unwrap_or_default()));
    line.fields.push((field::ENTRY, v.index.path(node)));
}

/// As [`about`], for a line that tells of a secret: with the entry's id, since
/// paths change.
pub(super) fn about_secret(v: &Unlocked, node: &Summary, line: &mut Draft) {
    about(v, node, line);
    line.fields.push((field::ENTRY_ID, node.id.to_string()));
}

/// Adds ticket and reason to a line.
pub(super) fn why(just: &Justification, line: &mut Draft) {
    for (name, value) in [(field::TICKET, &just.ticket), (field::REASON, &just.reason)] {
        if let Some(value) = value.as_deref().map(str::trim).filter(|v| !v.is_empty()) {
            line.fields.push((name, value.to_owned()));
        }
    }
}

/// Setting of a client that makes it the private one of a member.
pub(super) const PRIVATE: &str = "private-of";

/// The private client of the member who unlocked, if it was made.
pub(super) fn private_client(v: &Unlocked) -> Option<EntryId> {
    let name = private_name(v);
    v.index.top(&name).map(|s| s.id)
}

fn private_name(v: &Unlocked) -> String {
    format!("~{}", name(v, &v.me))
}

/// The path with `~` at its begin written out: the member's own private client.
pub(super) fn whole_path(v: &Unlocked, path: &str) -> String {
    match path.trim().strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => private_name(v) + rest,
        _ => path.to_owned(),
    }
}

/// The private client of the member who unlocked; made when it is missing. Only
/// that member is granted its key.
pub(super) fn need_private_client(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
) -> Result<Summary, AppError> {
    let name = private_name(v);
    if let Some(found) = v.index.top(&name) {
        return Ok(found);
    }
    entries::need(v, crate::model::policy::Action::Connect)?;
    let id = EntryId(env.id());
    super::grants::new_private_client(v, rows, env, id)?;
    let mut entry = entries::blank(v, env, id, id, None, Kind::CLIENT, &name);
    entry.settings.insert(PRIVATE.to_owned(), v.me.to_string());
    v.put_entry(rows, env, &entry)?;
    let node = entry.summary();
    let mut line = super::draft(v, env, Event::EntryCreated, true);
    about(v, &node, &mut line);
    line.fields.push((field::CONNECTOR, entry.kind.to_string()));
    v.log(rows, env, line)?;
    Ok(node)
}
