//! Versions of an entry: keeping the one before, listing them, telling them
//! apart. An older one is never changed here.

use std::collections::BTreeSet;

use crate::app::api::{AppError, At, Code, Reply, VersionView};
use crate::app::people;
use crate::app::plan::PIN_PREFIX;
use crate::app::worker::Open;
use crate::model::entry::{Entry, VersionRef};
use crate::model::id::CellId;
use crate::model::lang::Bi;
use crate::model::policy::Action;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

use super::{locate, need};

impl Open {
    pub(in crate::app) fn history(&mut self, at: &At) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::Browse)?;
            let node = locate(v, at)?;
            let mut newer = v.entry(rows, &node.id)?;
            let now = VersionRef {
                ver: newer.ver,
                at: newer.changed_at,
                by: newer.changed_by,
                cell: CellId(newer.id.0),
            };
            let by = people::name(v, &now.by);
            let changed = Vec::new();
            let mut out = vec![VersionView { version: now, by, changed, current: true }];
            for version in newer.history.clone().into_iter().rev() {
                let old = v.old_entry(rows, newer.client, version.cell, version.ver)?;
                if let Some(made) = out.last_mut() {
                    made.changed = differences(&old, &newer);
                }
                let by = people::name(v, &version.by);
                let changed = Vec::new();
                out.push(VersionView { version, by, changed, current: false });
                newer = old;
            }
            Ok(Reply::History(out))
        })
    }
}

/// Stores `entry` as the next version after `old`.
pub(in crate::app) fn supersede(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    old: &Entry,
    entry: &mut Entry,
) -> Result<(), AppError> {
    let mut kept = old.clone();
    kept.history = Vec::new();
    kept.snapshots = Vec::new();
    let cell = v.put_old_entry(rows, env, &kept)?;
    entry.history = old.history.clone();
    entry.history.push(VersionRef { ver: old.ver, at: old.changed_at, by: old.changed_by, cell });
    entry.ver = old.ver + 1;
    entry.changed_at = env.now;
    entry.changed_by = v.me;
    v.put_entry(rows, env, entry)?;
    Ok(())
}

/// What differs between two states, by field ids and slot names.
pub(super) fn differences(old: &Entry, new: &Entry) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |differs: bool, name: &str| {
        if differs {
            out.push(name.to_owned());
        }
    };
    say(old.name != new.name, "name");
    say(old.parent != new.parent, "folder");
    say(old.host != new.host, "host");
    say(old.port != new.port, "port");
    say(old.user != new.user, "user");
    say(old.tags != new.tags, "tags");
    say(old.favourite != new.favourite, "favourite");
    say(old.description != new.description, "description");
    say(old.expires != new.expires, "expires");
    say(old.credential != new.credential, "credential");
    say(old.custom != new.custom, "custom");
    say(old.attachments != new.attachments, "attachments");
    say(old.client_info != new.client_info, "client");
    say(old.trashed_at != new.trashed_at, "bin");
    let keys = old.settings.keys().chain(new.settings.keys());
    let keys: BTreeSet<_> = keys.collect();
    for key in keys {
        let name = if key.starts_with(PIN_PREFIX) { "host-keys" } else { key };
        say(old.settings.get(key) != new.settings.get(key), name);
    }
    let slots: BTreeSet<_> = old.secrets.keys().chain(new.secrets.keys()).collect();
    for slot in slots {
        say(
            old.secrets.get(slot).map(|s| s.cell) != new.secrets.get(slot).map(|s| s.cell),
            &slot.to_string(),
        );
    }
    out.dedup();
    out
}

pub(super) fn stale(v: &Unlocked, rows: &dyn Rows, now: &Entry, expected: u64) -> AppError {
    if expected == 0 || expected > now.ver {
        let ver = now.ver;
        return AppError {
            code: Code::Other,
            what: Bi::new(
                format!(
                    "Cette entrée n’a pas de version {expected}\u{a0}: elle en est à la {ver}."
                ),
                format!("This entry has no version {expected}: it is at version {ver}."),
            ),
            todo: Bi::new(
                "Voyez ses versions\u{a0}: poterne history CHEMIN\u{a0}; rien n’a été changé.",
                "See its versions: poterne history PATH; nothing was changed.",
            ),
        };
    }
    // Step by step: what was changed and changed back was touched all the same.
    let since = now.history.iter().filter(|h| h.ver >= expected);
    let mut steps: Vec<Entry> =
        since.filter_map(|h| v.old_entry(rows, now.client, h.cell, h.ver).ok()).collect();
    steps.sort_by_key(|step| step.ver);
    steps.push(now.clone());
    let mut changed: Vec<String> = Vec::new();
    for step in steps.windows(2) {
        for field in differences(&step[0], &step[1]) {
            if !changed.contains(&field) {
                changed.push(field);
            }
        }
    }
    let changed = match changed.is_empty() {
        true => String::new(),
        false => format!(" ({})", changed.join(", ")),
    };
    let who = people::name(v, &now.changed_by);
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("{who} a modifié cette entrée entre-temps{changed}."),
            format!("{who} changed this entry in the meantime{changed}."),
        ),
        todo: Bi::new(
            "Relisez l’entrée, puis refaites votre modification\u{a0}; rien n’a été écrasé.",
            "Read the entry again, then redo your change; nothing was overwritten.",
        ),
    }
}

pub(super) fn no_version(ver: u64) -> AppError {
    AppError {
        code: Code::NotFound,
        what: Bi::new(
            format!("Il n’y a pas de version {ver} à reprendre."),
            format!("There is no version {ver} to go back to."),
        ),
        todo: Bi::new(
            "Voyez les versions gardées\u{a0}: poterne history CHEMIN",
            "See the versions kept: poterne history PATH",
        ),
    }
}
