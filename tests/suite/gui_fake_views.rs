//! What the window's fake shows of an entry, the vault, its log and its members.

use std::collections::BTreeMap;
use std::path::PathBuf;

use poterne::app::api::{
    AppError, Code, EntryView, Justification, MemberView, RotateItem, SnapshotView, Status, Taken,
};
use poterne::connect::{self, Opens};
use poterne::model::audit_event::{Event, OpenLine, field};
use poterne::model::entry::{Entry, Kind, Slot};
use poterne::model::id::VaultId;
use poterne::model::member::{Member, Role};
use poterne::model::plan::{Origin, Plan, PlanLine};
use poterne::model::policy::{Action, may, to_change};

use crate::gui_fake::{ME, State, id, refused, time};
use crate::gui_fake_tree::path;

impl State {
    pub fn view(&self, entry: &Entry) -> EntryView {
        let client = self.entries.iter().find(|e| e.id == entry.client);
        EntryView {
            snapshots: match entry.id == id(12) {
                true => self.configs.iter().rev().map(|(view, _)| view.clone()).collect(),
                false => Vec::new(),
            },
            snapshot_command: (self.config.is_some() && entry.id == id(12))
                .then(|| "show running-config".to_owned()),
            entry: entry.clone(),
            path: path(&self.entries, entry),
            linked: None,
            client: client.and_then(|c| c.client_info.clone()).unwrap_or_default(),
            client_name: client.map(|c| c.name.clone()).unwrap_or_default(),
            asked: client
                .and_then(|c| Some((c.name.clone(), c.client_info.clone()?)))
                .filter(|(_, info)| info.ticket_required || info.reason_required),
            people: BTreeMap::from([(ME, "Alice".to_owned())]),
            may_reveal: !self.read_only && may(self.role, Action::Reveal),
            may_edit: !self.read_only && may(self.role, to_change(&entry.kind, false)),
            opens: match connect::by_kind(&entry.kind).map(|c| c.opens()) {
                Some(Opens::Browser) if self.drives_pages => Opens::Session,
                opens => opens.unwrap_or(Opens::Details),
            },
            pinned: self.pinned.iter().filter(|_| entry.id == id(12)).cloned().collect(),
        }
    }

    /// Reads the configuration as the device shows it now.
    pub fn take(&mut self) -> Result<Taken, AppError> {
        let text = self.config.clone().ok_or_else(|| refused(Code::Connection, "Rien."))?;
        let before = self.configs.last().cloned();
        if let Some((view, _)) = before.clone().filter(|(_, old)| *old == text) {
            let (snapshot, before) = (view, None);
            return Ok(Taken { snapshot, unchanged: true, before, added: 0, removed: 0 });
        }
        let n = before.as_ref().map_or(1, |(view, _)| view.n + 1);
        let snapshot = SnapshotView {
            n,
            at: time(60 * n as i64),
            by: "Alice".to_owned(),
            command: "show running-config".to_owned(),
            size: text.len() as u64,
            lines: text.lines().count() as u64,
        };
        self.configs.push((snapshot.clone(), text));
        let before = before.map(|(view, _)| view);
        Ok(Taken { snapshot, unchanged: false, before, added: 2, removed: 1 })
    }

    /// What differs from one configuration to another.
    pub fn differ(&self, from: u64, to: u64) -> Option<(SnapshotView, SnapshotView, String)> {
        let kept = |n| self.configs.iter().find(|(view, _)| view.n == n);
        let ((from, old), (to, new)) = (kept(from)?, kept(to)?);
        let diff = similar::TextDiff::from_lines(old, new);
        let text = diff.unified_diff().header("a", "b").to_string();
        Some((from.clone(), to.clone(), text))
    }

    pub fn plan(&self, entry: &Entry) -> Plan {
        let line = |field: &str, value: &str, secret: bool, origin: Origin| PlanLine {
            field: field.to_owned(),
            value: value.to_owned(),
            secret,
            origin,
        };
        let inherited = entry.id == id(11);
        let from = || match self.linked {
            true => Origin::Linked("Clinique Sainte-Éléonore/pacs-imagerie".to_owned()),
            false => Origin::Inherited("Boulangerie Dupont/Serveurs".to_owned()),
        };
        let mut lines = vec![line("host", &entry.host, false, Origin::Own)];
        if inherited {
            lines.push(line("user", "admin.dupont", false, from()));
            lines.push(line("password", "", true, from()));
        }
        lines.push(line("port", "22", false, Origin::Default));
        Plan {
            entry: entry.id,
            path: path(&self.entries, entry),
            kind: entry.kind.clone(),
            hops: Vec::new(),
            lines,
            secrets: if inherited {
                vec![(Slot::Password, id(if self.linked { 20 } else { 10 }))]
            } else {
                Vec::new()
            },
            broken: Vec::new(),
            ticket_required: false,
            reason_required: false,
        }
    }

    pub fn status(&self) -> Status {
        let clients = self.entries.iter().filter(|e| e.kind == Kind::CLIENT).count();
        let entries = self.entries.iter().filter(|e| !e.kind.is_container()).count();
        Status {
            vault: VaultId([9; 16]),
            file: PathBuf::from("/tmp/essai.vault"),
            member: self.member.clone(),
            role: self.role,
            read_only: self.read_only,
            entries: entries as u64,
            clients: clients as u64,
            audit_lines: 1234,
            sessions: 0,
            vpns: self.vpns.clone(),
            unlocked_at: time(0),
            notices: Vec::new(),
        }
    }

    pub fn log(&self) -> Vec<OpenLine> {
        let mut lines = Vec::new();
        for seq in 0..60u64 {
            let event = Event::ALL[(seq as usize * 7 + 1) % Event::ALL.len()];
            let fields = [
                (field::MEMBER, if seq % 3 == 0 { "Alice" } else { "Bruno Lefèvre" }),
                (field::MACHINE, "poste-atelier-3"),
                (field::CLIENT, "Boulangerie Dupont"),
                (field::ENTRY, "Boulangerie Dupont/Serveurs/srv-web-01"),
                (field::TICKET, "GLPI-4211"),
                (field::HOST, "192.168.10.11"),
            ];
            lines.push(OpenLine {
                seq,
                at: time(seq as i64 * 731),
                actor: Some(ME),
                event,
                ok: seq % 9 != 4,
                fields: fields.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
                leaf_hash: format!("{seq:064x}"),
            });
        }
        lines
    }

    pub fn justified(&self, entry: &Entry, just: &Justification) -> Result<(), AppError> {
        let info = self.view(entry).client;
        let good = just.ticket.as_ref().is_some_and(|t| t.starts_with("GLPI-"));
        if info.ticket_required && !good {
            return Err(refused(
                Code::NotAllowed,
                "Le numéro de ticket n’a pas la forme attendue.",
            ));
        }
        Ok(())
    }
}

pub fn rotation() -> Vec<RotateItem> {
    vec![RotateItem {
        path: "Boulangerie Dupont/Serveurs/srv-base-01".to_owned(),
        slot: "password".to_owned(),
        events: vec!["secret.revealed".to_owned(), "secret.filled".to_owned()],
        last: time(0),
    }]
}

pub fn member(name: &str, role: Role, accepted: bool, all: bool) -> MemberView {
    let member = Member {
        id: ME,
        name: name.to_owned(),
        role,
        all_clients: all,
        added_at: time(0),
        accepted,
    };
    let clients = if all { Vec::new() } else { vec!["Boulangerie Dupont".to_owned()] };
    MemberView { member, clients }
}
