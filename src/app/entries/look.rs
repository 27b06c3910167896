//! Reading: lists, search results, one entry with what surrounds it, its plan.
//! Changes nothing, and no secret comes out of here.

use std::collections::BTreeSet;

use crate::app::api::{AppError, At, EntryView, Item, Reply};
use crate::app::worker::Open;
use crate::app::{people, plan, sessions, snapshots, tickets};
use crate::connect::field::{Field, FieldKind};
use crate::connect::snapshot::Task;
use crate::connect::{self, Opens};
use crate::model::entry::{ClientInfo, CredentialSource, Entry, Kind, Summary};
use crate::model::id::{EntryId, MemberId};
use crate::model::policy::{Action, may};
use crate::vault::index::search;
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

use super::{fields_of, locate, need, need_change};

/// What a kind is called, by its word and in both languages.
fn kind_names(kind: &Kind) -> Vec<String> {
    let mut names = vec![kind.word().to_owned()];
    if *kind == Kind::FOLDER {
        names.push("dossier".to_owned());
    }
    if let Some(connector) = connect::by_kind(kind) {
        let label = connector.label();
        names.extend([label.fr, label.en]);
    }
    names
}

fn items(v: &Unlocked, nodes: impl IntoIterator<Item = (Summary, u32)>) -> Reply {
    let item = |(summary, depth)| Item { path: v.index.path(&summary), summary, depth };
    Reply::Items(nodes.into_iter().map(item).collect())
}

impl Open {
    pub(in crate::app) fn list(
        &mut self,
        at: Option<&At>,
        deep: bool,
        trashed: bool,
    ) -> Result<Reply, AppError> {
        self.read(|v, _| {
            need(v, Action::Browse)?;
            let root = at.map(|at| locate(v, at)).transpose()?;
            Ok(items(v, v.index.tree(root.as_ref(), deep, trashed)))
        })
    }

    pub(in crate::app) fn find(&mut self, query: &str, limit: usize) -> Result<Reply, AppError> {
        self.read(|v, _| {
            need(v, Action::Browse)?;
            let found = search::find_named(&v.index, query, limit.clamp(1, 10_000), &kind_names);
            Ok(items(v, found.into_iter().map(|s| (s, 0))))
        })
    }

    pub(in crate::app) fn show(&mut self, at: &At) -> Result<Reply, AppError> {
        let writes = !self.read_only;
        self.read(|v, rows| {
            need(v, Action::Browse)?;
            let node = locate(v, at)?;
            let mut entry = v.entry(rows, &node.id)?;
            let client = v.entry(rows, &node.client)?;
            let linked = match &entry.credential {
                CredentialSource::Linked(id) => v.index.get(id).map(|s| v.index.path(&s)),
                _ => None,
            };
            let look = Looker { v, rows };
            let named = |f: &&Field| f.kind == FieldKind::Entries;
            let mut ids: BTreeSet<&str> =
                fields_of(&entry.kind).filter(named).map(|f| f.id).collect();
            if entry.kind.is_container() {
                // It passes on what any kind has.
                let all = connect::all().iter().flat_map(|c| c.fields());
                ids.extend(all.filter(named).map(|f| f.id));
            }
            for id in ids {
                if let Some(list) = entry.settings.get_mut(id) {
                    *list = plan::named(&look, list);
                }
            }
            let mut ids: Vec<MemberId> = vec![entry.created_by, entry.changed_by];
            ids.extend(entry.secrets.values().map(|s| s.set_by));
            let named = ids.into_iter().map(|id| (id, people::name(v, &id))).collect();
            let resolved = plan::resolve(&look, &entry);
            let mut asked = tickets::asked(&sessions::infos(v, rows, &resolved.clients)?);
            if resolved.plan.ticket_required {
                // The page may want one though no client does.
                let info = client.client_info.clone().unwrap_or_default();
                let (name, info) = asked.unwrap_or_else(|| (client.name.clone(), info));
                asked = Some((name, ClientInfo { ticket_required: true, ..info }));
            }
            let connector = connect::by_kind(&entry.kind);
            let opens = connector.map_or(Opens::Details, |c| match &resolved.target {
                Some(target) => c.opens_with(&target.destination().settings),
                None => c.opens(),
            });
            let settings = resolved.target.as_ref().map(|t| &t.destination().settings);
            let task = Task::of(&entry.kind, settings.unwrap_or(&entry.settings)).ok();
            let pinned = plan::pins_of_entry(&client, &entry);
            Ok(Reply::Entry(Box::new(EntryView {
                path: v.index.path(&node),
                linked,
                client: client.client_info.unwrap_or_default(),
                client_name: client.name,
                asked,
                people: named,
                may_reveal: writes && may(people::role(v), Action::Reveal),
                may_edit: writes && need_change(v, &node).is_ok(),
                pinned,
                opens,
                snapshots: snapshots::views(v, &entry),
                snapshot_command: task.map(|task| task.command),
                entry,
            })))
        })
    }

    pub(in crate::app) fn plan(&mut self, at: &At) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::Browse)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            Ok(Reply::Plan(Box::new(plan::resolve(&Looker { v, rows }, &entry).plan)))
        })
    }
}

/// The vault as the planner sees it.
pub(in crate::app) struct Looker<'a> {
    pub(in crate::app) v: &'a Unlocked,
    pub(in crate::app) rows: &'a dyn Rows,
}

impl plan::Look for Looker<'_> {
    fn entry(&self, id: &EntryId) -> Option<Entry> {
        self.v.entry(self.rows, id).ok()
    }

    fn path(&self, id: &EntryId) -> String {
        self.v.index.get(id).map(|s| self.v.index.path(&s)).unwrap_or_default()
    }

    fn mine(&self, ids: &[EntryId]) -> Option<Entry> {
        let own = people::private_client(self.v)?;
        let mut logins = Vec::new();
        self.v.index.client(&own)?.each(|s| {
            if !s.trashed && s.kind.word() == "credential" {
                logins.push(s.id);
            }
        });
        let logins: Vec<Entry> = logins.iter().filter_map(|id| self.entry(id)).collect();
        ids.iter().find_map(|id| {
            let id = id.to_string();
            let serves = |e: &&Entry| {
                e.settings.get(plan::FOR).is_some_and(|l| l.split(',').any(|w| w.trim() == id))
            };
            logins.iter().find(serves).cloned()
        })
    }
}
