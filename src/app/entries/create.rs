//! Making nodes. Never overwrites one: a name that is taken is refused.

use std::collections::BTreeMap;

use crate::app::api::{AppError, Code, Patch, Reply, Set};
use crate::app::worker::Open;
use crate::app::{draft, grants, people, tickets};
use crate::connect;
use crate::model::audit_event::{Event, field};
use crate::model::entry::{CredentialSource, Entry, Kind, Slot};
use crate::model::id::EntryId;
use crate::model::lang::Bi;
use crate::model::policy::Action;
use crate::store::sqlite::SqliteRows;
use crate::vault::unlocked::{Env, Unlocked};

use super::edit::apply;
use super::names::{check_depth, check_name, misplaced, no_folder};
use super::{change_of, need, saved, split};

impl Open {
    pub(in crate::app) fn create(
        &mut self,
        kind: Kind,
        path: &str,
        patch: Patch,
    ) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let entry = make(v, rows, env, kind, path, patch)?;
            let mut line = draft(v, env, Event::EntryCreated, true);
            people::about(v, &entry.summary(), &mut line);
            line.fields.push((field::CONNECTOR, entry.kind.to_string()));
            tickets::tell_rule(None, &entry, &mut line);
            v.log(rows, env, line)?;
            Ok(saved(v, &entry))
        })
    }
}

/// Makes a node and stores it; the caller logs it.
pub(in crate::app) fn make(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    kind: Kind,
    path: &str,
    patch: Patch,
) -> Result<Entry, AppError> {
    if !kind.is_container() && connect::by_kind(&kind).is_none() {
        let words: Vec<_> = connect::all().iter().map(|c| c.id()).collect();
        return Err(AppError {
            code: Code::Usage,
            what: Bi::new(
                format!("«\u{a0}{kind}\u{a0}» n’est pas un type d’entrée."),
                format!("“{kind}” is not a kind of entry."),
            ),
            todo: Bi::new(
                format!("Types\u{a0}: client, folder, {}.", words.join(", ")),
                format!("Kinds: client, folder, {}.", words.join(", ")),
            ),
        });
    }
    let whole = people::whole_path(v, path);
    let into = split(&whole).0.and_then(|above| v.index.at_path(above));
    let needed = match into {
        Some(parent) => change_of(v, &kind, &parent.client),
        None if kind == Kind::CLIENT => Action::EditClients,
        // The private space is made when it is needed first.
        None if kind.word() == "credential" && path.trim().starts_with("~/") => Action::KeepOwn,
        None => Action::Edit,
    };
    need(v, needed)?;
    let path = match path.trim().strip_prefix("~/") {
        Some(rest) => {
            let own = people::need_private_client(v, rows, env)?;
            format!("{}/{rest}", own.name)
        }
        None => path.to_owned(),
    };
    let (above, name) = split(&path);
    // Said before the place is looked for: no client is inside of anything.
    if (kind == Kind::CLIENT) != above.is_none() {
        return Err(misplaced());
    }
    let parent = above.map(|p| v.index.at_path(p).ok_or_else(|| AppError::no_entry(p)));
    let parent = parent.transpose()?;
    if let Some(leaf) = parent.as_ref().filter(|p| !p.kind.is_container()) {
        return Err(no_folder(&v.index.path(leaf)));
    }
    if let Some(parent) = &parent {
        check_depth(v, parent, 1)?;
    }
    let id = EntryId(env.id());
    let client = parent.as_ref().map_or(id, |p| p.client);
    let mut entry = blank(v, env, id, client, parent.map(|p| p.id), kind, name);
    if entry.kind == Kind::CLIENT {
        grants::new_client(v, rows, env, id)?;
    }
    let says = !matches!(patch.credential, Set::Keep);
    apply(v, rows, env, &mut entry, patch)?;
    // A seed of its own completes a login from elsewhere; these replace it.
    let replaces = |s: &Slot| matches!(s, Slot::Password | Slot::PrivateKey | Slot::Passphrase);
    let own_login = entry.kind.word() == "credential" || entry.secrets.keys().any(replaces);
    if !says && own_login {
        entry.credential = CredentialSource::Own;
    }
    check_name(v, &entry)?;
    v.put_entry(rows, env, &entry)?;
    Ok(entry)
}

/// A node with nothing but its place and name.
pub(in crate::app) fn blank(
    v: &Unlocked,
    env: &Env<'_>,
    id: EntryId,
    client: EntryId,
    parent: Option<EntryId>,
    kind: Kind,
    name: &str,
) -> Entry {
    Entry {
        id,
        client,
        parent,
        client_info: (kind == Kind::CLIENT).then(Default::default),
        kind,
        name: name.to_owned(),
        host: String::new(),
        port: None,
        user: String::new(),
        tags: Vec::new(),
        favourite: false,
        description: String::new(),
        expires: None,
        settings: BTreeMap::new(),
        credential: CredentialSource::default(),
        custom: Vec::new(),
        attachments: Vec::new(),
        secrets: BTreeMap::new(),
        ver: 1,
        created_at: env.now,
        created_by: v.me,
        changed_at: env.now,
        changed_by: v.me,
        trashed_at: None,
        history: Vec::new(),
        snapshots: Vec::new(),
    }
}
