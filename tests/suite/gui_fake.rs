//! An application without a vault, for the window's tests: three fictional
//! French clients in memory, one password, one code, every act written down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use poterne::app::api::{
    AppError, At, AttachmentBytes, CheckReport, Code, DeviceView, EntryView, ExportRequest,
    Factors, Item, MemberView, PageView, Patch, Reply, Request, RotateItem, SecretChange, Set,
    Settings, Status, TotpView, Verified, VersionView,
};
use poterne::app::{
    Change, ConnectRequest, CreateOptions, ExportUi, Finished, OpenSession, SessionUi, Tell,
    UnlockOptions,
};
use poterne::connect::Question;
use poterne::connect::link::{Channel, ChannelRequest, LinkInfo, Sink, ToRemote};
use poterne::gui::backend::{Backend, Enrolling};
use poterne::model::audit_event::{Event, OpenLine, field};
use poterne::model::entry::{
    Attachment, ClientInfo, CredentialSource, Entry, Kind, SecretRef, Slot, VersionRef,
};
use poterne::model::id::{CellId, DeviceId, EntryId, MemberId, SessionId, VaultId};
use poterne::model::lang::{Bi, Lang};
use poterne::model::member::{Member, Role};
use poterne::model::plan::{Origin, Plan, PlanLine};
use poterne::model::policy::{Action, may, to_change};
use poterne::model::target::{HostPort, PinnedKey};
use poterne::model::time::Time;
use poterne::secret::{SecretBytes, SecretText};

/// The password that opens the fake.
pub const PASSWORD: &str = "correct cheval pile agrafe";
/// The code that opens the fake.
pub const CODE: &str = "123456";
/// The secret of every password slot.
pub const SECRET: &str = "Zx9-tuile-Érable";
/// The recovery code of the fake.
pub const KIT: &str = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG-HHHH-JJJJ";

const NOW: i64 = 1_795_000_000;
const ME: MemberId = MemberId([7; 16]);

/// What the fake remembers.
pub struct State {
    /// The tree, in order.
    pub entries: Vec<Entry>,
    /// What was asked, in words.
    pub asked: Vec<String>,
    /// Passwords put into entries.
    pub put: BTreeMap<(EntryId, Slot), String>,
    /// Whether it is open.
    pub open: bool,
    /// Role of the member.
    pub role: Role,
    /// Lines of a client that asks for a ticket are in every export.
    pub export_asks: bool,
    /// Settings.
    pub settings: Settings,
    /// Who types is quicker than the search while this is set.
    pub slow_search: bool,
    /// Every change is refused.
    pub refuses: bool,
    /// The password of `srv-web-01` comes from the client that asks for tickets.
    pub linked: bool,
    /// Opened read-only.
    pub read_only: bool,
    /// Whether reading the log is among what was asked.
    pub tells_log: bool,
    /// Further files of every export.
    pub parts: Vec<PathBuf>,
    /// An export goes on until it is given up.
    pub endless_export: bool,
    /// Who unlocked last.
    pub member: String,
    /// The disk is full: an enrolment cannot be written.
    pub disk_full: bool,
    /// A question that is refused, in the words of [`name`].
    pub failing: &'static str,
    /// The kit drawn last took the place of the old one.
    pub kit_kept: bool,
    /// Connections succeed.
    pub connects: bool,
    /// Why each session ended.
    pub closed: Vec<String>,
    /// Members removed.
    pub former: Vec<String>,
    /// The key pinned for the host of `srv-base-01`, which shows another one.
    pub pinned: Option<PinnedKey>,
    /// The vault has several members, and none is known here.
    pub several: bool,
    /// No page can be shown.
    pub no_browser: bool,
    /// Another process has written since this was asked.
    pub written: bool,
    /// How often that was asked.
    pub looks: usize,
    /// Hears of changes.
    tell: Option<Arc<Tell>>,
    next: u8,
}

/// The fake application; clones share their state.
#[derive(Clone)]
pub struct Fake(pub Arc<Mutex<State>>);

fn id(n: u8) -> EntryId {
    EntryId([n; 16])
}

fn time(n: i64) -> Time {
    Time::from_unix_seconds(NOW + n)
}

fn node(n: u8, client: u8, parent: Option<u8>, kind: &str, name: &str) -> Entry {
    Entry {
        id: id(n),
        client: id(client),
        parent: parent.map(id),
        kind: Kind::new(kind),
        name: name.to_owned(),
        host: String::new(),
        port: None,
        user: String::new(),
        tags: Vec::new(),
        favourite: false,
        description: String::new(),
        expires: None,
        settings: BTreeMap::new(),
        credential: CredentialSource::Inherited,
        custom: Vec::new(),
        attachments: Vec::new(),
        secrets: BTreeMap::new(),
        client_info: None,
        ver: 1,
        created_at: time(0),
        created_by: ME,
        changed_at: time(0),
        changed_by: ME,
        trashed_at: None,
        history: Vec::new(),
    }
}

fn secret(entry: &mut Entry, slot: Slot) {
    let cell = SecretRef { cell: CellId([1; 16]), set_at: time(0), set_by: ME };
    entry.secrets.insert(slot, cell);
}

fn tree() -> Vec<Entry> {
    let mut all = Vec::new();
    let clients = [
        (1, "Boulangerie Dupont", "DUP", "#2e7dd1", false),
        (2, "Clinique Sainte-Éléonore", "CSE", "#c2410c", true),
        (3, "Mairie de Saint-Œuvre", "MSO", "#15803d", false),
    ];
    for (n, name, code, colour, ticket) in clients {
        let mut client = node(n, n, None, "client", name);
        client.client_info = Some(ClientInfo {
            code: code.to_owned(),
            colour: colour.to_owned(),
            ticket_pattern: if ticket { "GLPI-[0-9]{4}".to_owned() } else { String::new() },
            ticket_url: String::new(),
            ticket_required: ticket,
            reason_required: false,
        });
        all.push(client);
    }
    let mut servers = node(10, 1, Some(1), "folder", "Serveurs");
    servers.user = "admin.dupont".to_owned();
    secret(&mut servers, Slot::Password);
    all.push(servers);
    let mut web = node(11, 1, Some(10), "ssh", "srv-web-01");
    web.host = "192.168.10.11".to_owned();
    web.favourite = true;
    web.tags = vec!["linux".to_owned(), "production".to_owned()];
    web.description = "Site vitrine et commandes en ligne.".to_owned();
    secret(&mut web, Slot::Totp);
    web.ver = 3;
    all.push(web);
    let mut db = node(12, 1, Some(10), "ssh", "srv-base-01");
    db.host = "192.168.10.12".to_owned();
    db.port = Some(2222);
    db.user = "root".to_owned();
    db.credential = CredentialSource::Own;
    secret(&mut db, Slot::Password);
    secret(&mut db, Slot::PrivateKey);
    db.attachments.push(Attachment {
        name: "schéma réseau.pdf".to_owned(),
        size: 482_113,
        cell: CellId([3; 16]),
    });
    all.push(db);
    let mut note = node(13, 1, Some(1), "note", "Contrat et horaires");
    secret(&mut note, Slot::Notes);
    all.push(note);
    let mut pacs = node(20, 2, Some(2), "ssh", "pacs-imagerie");
    pacs.host = "10.20.0.5".to_owned();
    pacs.user = "support".to_owned();
    pacs.credential = CredentialSource::Own;
    secret(&mut pacs, Slot::Password);
    all.push(pacs);
    let mut site = node(30, 3, Some(3), "web", "Pare-feu WatchGuard");
    site.host = "https://10.30.0.1:8080/".to_owned();
    site.user = "status".to_owned();
    site.credential = CredentialSource::Own;
    secret(&mut site, Slot::Password);
    all.push(site);
    let mut old = node(40, 3, Some(3), "ssh", "ancien-serveur");
    old.trashed_at = Some(time(60));
    all.push(old);
    all
}

impl Fake {
    /// The three clients, an owner.
    pub fn new() -> Self {
        Self::with(tree())
    }

    /// Another tree.
    pub fn with(entries: Vec<Entry>) -> Self {
        Self(Arc::new(Mutex::new(State {
            entries,
            asked: Vec::new(),
            put: BTreeMap::new(),
            open: false,
            role: Role::Owner,
            export_asks: false,
            settings: Settings::default(),
            slow_search: false,
            refuses: false,
            linked: false,
            read_only: false,
            tells_log: false,
            parts: Vec::new(),
            endless_export: false,
            member: "Alice".to_owned(),
            disk_full: false,
            failing: "",
            kit_kept: false,
            connects: false,
            closed: Vec::new(),
            former: Vec::new(),
            pinned: None,
            several: false,
            no_browser: false,
            written: false,
            looks: 0,
            tell: None,
            next: 100,
        })))
    }

    /// `count` clients of three entries each.
    pub fn large(count: u16) -> Self {
        let mut all = Vec::new();
        for n in 0..count {
            let mut client =
                node(0, 0, None, "client", &format!("Société n° {n:04} du Grand Ouest"));
            client.id.0[..2].copy_from_slice(&n.to_be_bytes());
            client.id.0[2] = 1;
            client.client = client.id;
            client.client_info = Some(ClientInfo::default());
            for k in 0..3u8 {
                let mut entry = node(0, 0, None, "ssh", &format!("srv-{k}.agence-{n}.exemple.fr"));
                entry.id = client.id;
                entry.id.0[2] = 2 + k;
                entry.client = client.id;
                entry.parent = Some(client.id);
                entry.host = format!("10.{}.{}.{k}", n >> 8, n & 255);
                all.push(entry);
            }
            all.push(client);
        }
        Self::with(all)
    }

    /// Everything that was asked, in words.
    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// An entry by name.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        self.lock().entries.iter().find(|e| e.name == name).cloned()
    }

    /// Others have changed something through this window.
    pub fn changed(&self, change: Change) {
        let tell = self.lock().tell.clone().expect("the window listens");
        tell(change);
    }

    /// Gives an entry another name.
    pub fn rename(&self, from: &str, to: &str) {
        let mut state = self.lock();
        let entry = state.entries.iter_mut().find(|e| e.name == from).expect("it is there");
        to.clone_into(&mut entry.name);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the fake")
    }
}

/// A key of the server `srv-base-01`.
pub fn key(print: &str) -> PinnedKey {
    PinnedKey {
        at: HostPort { host: "192.168.10.12".to_owned(), port: 2222 },
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: format!("SHA256:{print}"),
    }
}

fn path(entries: &[Entry], entry: &Entry) -> String {
    match entry.parent.and_then(|p| entries.iter().find(|e| e.id == p)) {
        Some(parent) => format!("{}/{}", path(entries, parent), entry.name),
        None => entry.name.clone(),
    }
}

fn item(entries: &[Entry], entry: &Entry) -> Item {
    Item { summary: entry.summary(), path: path(entries, entry), depth: 0 }
}

fn refused(code: Code, what: &str) -> AppError {
    AppError { code, what: Bi::same(what), todo: Bi::new("Réessayez.", "Try again.") }
}

fn proved(given: &Factors) -> Result<(), AppError> {
    let right = given.password.expose(|p| p == PASSWORD) && given.code.expose(|code| code == CODE);
    right.then_some(()).ok_or_else(|| refused(Code::Locked, "Ces éléments sont refusés."))
}

fn find<'a>(entries: &'a [Entry], at: &At) -> Result<&'a Entry, AppError> {
    entries
        .iter()
        .find(|e| match at {
            At::Id(id) => e.id == *id,
            At::Path(p) => path(entries, e).eq_ignore_ascii_case(p),
        })
        .ok_or_else(|| refused(Code::NotFound, "Cet accès n’existe pas."))
}

fn apply(entry: &mut Entry, patch: Patch, put: &mut BTreeMap<(EntryId, Slot), String>) {
    fn set<T>(place: &mut T, change: Set<T>) {
        if let Set::To(value) = change {
            *place = value;
        }
    }
    set(&mut entry.name, patch.name);
    set(&mut entry.host, patch.host);
    set(&mut entry.port, patch.port);
    set(&mut entry.user, patch.user);
    set(&mut entry.tags, patch.tags);
    set(&mut entry.favourite, patch.favourite);
    set(&mut entry.description, patch.description);
    set(&mut entry.expires, patch.expires);
    set(&mut entry.credential, patch.credential);
    if let Set::To(info) = patch.client_info {
        entry.client_info = Some(info);
    }
    entry.settings.extend(patch.settings);
    for (slot, change) in patch.secrets {
        match change {
            SecretChange::Put(value) => {
                let text = value.expose(|b| String::from_utf8_lossy(b).into_owned());
                put.insert((entry.id, slot.clone()), text);
                secret(entry, slot);
            }
            SecretChange::Clear => {
                entry.secrets.remove(&slot);
            }
        }
    }
    entry.ver += 1;
}

impl State {
    fn view(&self, entry: &Entry) -> EntryView {
        let client = self.entries.iter().find(|e| e.id == entry.client);
        EntryView {
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
            pinned: self.pinned.iter().filter(|_| entry.id == id(12)).cloned().collect(),
        }
    }

    fn plan(&self, entry: &Entry) -> Plan {
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
            unlocked_at: time(0),
            notices: Vec::new(),
        }
    }

    fn log(&self) -> Vec<OpenLine> {
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

    fn justified(
        &self,
        entry: &Entry,
        just: &poterne::app::api::Justification,
    ) -> Result<(), AppError> {
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

    fn answer(&mut self, request: Request) -> Result<Reply, AppError> {
        if !self.open {
            return Err(refused(Code::Locked, "Le coffre est verrouillé."));
        }
        let changes = matches!(
            request,
            Request::Move { .. } | Request::Remove { .. } | Request::Restore { .. }
        );
        if changes && self.refuses {
            return Err(refused(Code::NotAllowed, "Ce client demande un numéro de ticket."));
        }
        if !self.failing.is_empty() && name(&request) == self.failing {
            return Err(refused(Code::Other, "Le disque ne répond pas."));
        }
        match request {
            Request::Status => Ok(Reply::Status(self.status())),
            Request::Lock => {
                self.open = false;
                Ok(Reply::Done)
            }
            Request::List { at, deep, trashed } => {
                let below = match &at {
                    Some(at) => Some(find(&self.entries, at)?.id),
                    None => None,
                };
                let wanted = self
                    .entries
                    .iter()
                    .filter(|e| e.trashed_at.is_some() == trashed && (deep || e.parent == below));
                Ok(Reply::Items(wanted.map(|e| item(&self.entries, e)).collect()))
            }
            Request::Find { query, limit } => {
                let query = query.to_lowercase();
                let found = self.entries.iter().filter(|e| {
                    let text = format!("{} {}", path(&self.entries, e), e.host).to_lowercase();
                    e.trashed_at.is_none()
                        && (!query.is_empty() || e.favourite)
                        && query.split_whitespace().all(|w| text.contains(w))
                });
                Ok(Reply::Items(found.take(limit).map(|e| item(&self.entries, e)).collect()))
            }
            Request::Show { at } => {
                let entry = find(&self.entries, &at)?;
                Ok(Reply::Entry(Box::new(self.view(entry))))
            }
            Request::Plan { at } => {
                let entry = find(&self.entries, &at)?;
                Ok(Reply::Plan(Box::new(self.plan(entry))))
            }
            Request::Visit { at, just } => {
                let entry = find(&self.entries, &at)?.clone();
                self.justified(&entry, &just)?;
                self.asked.push(format!("visit {}", entry.name));
                let session = SessionId([9; 16]);
                Ok(Reply::Page(PageView { session, url: entry.host, user: entry.user }))
            }
            Request::Visited { opened, .. } => {
                self.asked.push(format!("visited {opened}"));
                Ok(Reply::Done)
            }
            Request::Reveal { at, slot, purpose, just } => {
                let entry = find(&self.entries, &at)?.clone();
                self.justified(&entry, &just)?;
                self.asked.push(format!("{purpose:?} {slot} {}", entry.name));
                Ok(Reply::Secret(SecretBytes::copy_of(SECRET.as_bytes())))
            }
            Request::Totp { at, purpose, .. } => {
                let entry = find(&self.entries, &at)?.clone();
                self.asked.push(format!("{purpose:?} totp {}", entry.name));
                let code = SecretText::copy_of("492817");
                Ok(Reply::Totp(TotpView { code, seconds_left: 21, period: 30 }))
            }
            Request::Attachment { .. } => {
                Ok(Reply::Attachment(AttachmentBytes(SecretBytes::copy_of(b"%PDF-1.7"))))
            }
            Request::Create { kind, path: at, patch } => {
                let (up, name) = at.rsplit_once('/').unwrap_or(("", &at));
                let parent = if up.is_empty() {
                    None
                } else {
                    Some(find(&self.entries, &At::Path(up.to_owned()))?.clone())
                };
                self.next += 1;
                let mut entry = node(self.next, self.next, None, kind.word(), name);
                entry.ver = 0;
                if let Some(parent) = parent {
                    entry.parent = Some(parent.id);
                    entry.client = parent.client;
                }
                apply(&mut entry, *patch, &mut self.put);
                self.asked.push(format!("create {at}"));
                let saved = Reply::Saved { id: entry.id, ver: 1, path: at };
                self.entries.push(entry);
                Ok(saved)
            }
            Request::Edit { at, expected_ver, patch } => {
                let wanted = find(&self.entries, &at)?.id;
                let put = &mut self.put;
                let entry = self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                if expected_ver.is_some_and(|v| v != entry.ver) {
                    return Err(refused(Code::Other, "Cet accès a changé entre-temps."));
                }
                if patch.forget_host_keys {
                    self.pinned = None;
                    self.asked.push(format!("forget {}", entry.name));
                }
                apply(entry, *patch, put);
                let (id, ver) = (entry.id, entry.ver);
                self.asked.push(format!("edit {}", entry.name));
                Ok(Reply::Saved { id, ver, path: String::new() })
            }
            Request::Move { at, to, just } => {
                let ticket = just.ticket.unwrap_or_default();
                self.asked.push(format!("move {to} {ticket}"));
                let wanted = find(&self.entries, &at)?.id;
                let entry = self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                entry.name = to.rsplit_once('/').map_or(to.clone(), |(_, n)| n.to_owned());
                Ok(Reply::Saved { id: wanted, ver: entry.ver, path: to })
            }
            Request::Remove { at, forever } => {
                let wanted = find(&self.entries, &at)?.id;
                if forever {
                    self.entries.retain(|e| e.id != wanted);
                } else {
                    let entry =
                        self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                    entry.trashed_at = Some(time(99));
                }
                Ok(Reply::Done)
            }
            Request::Restore { at, .. } => {
                let wanted = find(&self.entries, &at)?.id;
                let entry = self.entries.iter_mut().find(|e| e.id == wanted).expect("found above");
                entry.trashed_at = None;
                Ok(Reply::Saved { id: wanted, ver: entry.ver, path: String::new() })
            }
            Request::History { .. } => Ok(Reply::History(vec![VersionView {
                version: VersionRef { ver: 2, at: time(-86_400), by: ME, cell: CellId([2; 16]) },
                by: "Alice".to_owned(),
                changed: vec!["host".to_owned(), "password".to_owned()],
                current: false,
            }])),
            Request::AuditLog { filter } => {
                let lines = self.log();
                self.asked.extend(self.tells_log.then(|| "log".to_owned()));
                Ok(Reply::Log(lines.into_iter().filter(|l| filter.matches(l)).collect()))
            }
            Request::AuditExport(export) => {
                let ticket = export.just.ticket.unwrap_or_default();
                let asked = format!("export {} {ticket}", export.format.word());
                self.asked.push(asked.trim_end().to_owned());
                if self.export_asks && !ticket.starts_with("GLPI-") {
                    return Err(refused(
                        Code::NotAllowed,
                        "«\u{a0}Clinique\u{a0}» demande son ticket.",
                    ));
                }
                let files = [&[export.out][..], &self.parts].concat();
                let fingerprint = "potv1-abcd-efgh".to_owned();
                Ok(Reply::Exported { lines: 60, files, fingerprint })
            }
            Request::AuditVerify => Ok(Reply::Verified(Verified {
                lines: 1234,
                signed: 1230,
                shown: 1234,
                disclosed: 9876,
                redacted: 0,
                fingerprint: "potv1-abcd-efgh".to_owned(),
                root: "9f86d081884c7d65".to_owned(),
                origin_proven: false,
                notes: Vec::new(),
                faults: Vec::new(),
            })),
            Request::AuditFingerprint => Ok(Reply::Fingerprint("potv1-abcd-efgh".to_owned())),
            Request::Members => {
                let mut all = vec![
                    member("Alice", Role::Owner, true, true),
                    member("Bruno Lefèvre", Role::Technician, true, false),
                    member("Cabinet d’audit Œil neuf", Role::Auditor, false, false),
                ];
                all.retain(|m| !self.former.contains(&m.member.name));
                Ok(Reply::Members(all))
            }
            Request::Invite { name, .. } => {
                self.asked.push(format!("invite {name}"));
                Ok(Reply::Invitation(SecretText::copy_of("POT1-7Q2K-9XMD-44TE-PLUV")))
            }
            Request::RemoveMember { name } => {
                self.former.push(name);
                Ok(Reply::Removed { rotate: rotation() })
            }
            Request::Rotation { .. } => Ok(Reply::Removed { rotate: rotation() }),
            Request::FormerMembers => {
                let gone = self.former.iter();
                let gone = gone.map(|name| member(name, Role::Technician, true, false));
                Ok(Reply::Members(gone.collect()))
            }
            Request::Devices => Ok(Reply::Devices(vec![DeviceView {
                id: DeviceId([5; 16]),
                label: "poste-atelier-3".to_owned(),
                added_at: time(0),
                this: true,
            }])),
            Request::AddDevice { current, .. } => {
                proved(&current)?;
                Ok(Reply::EnrolCode(SecretText::copy_of("K7QD-22MX-9PLA")))
            }
            Request::BeginTotpReset { .. } => Ok(Reply::NewTotp(uri())),
            Request::AuditFilter { filter } => Ok(Reply::Filter(filter)),
            Request::DrawKit { current } => {
                proved(&current)?;
                Ok(Reply::Kit(SecretText::copy_of(KIT)))
            }
            Request::KitPage { .. } => {
                Ok(Reply::Attachment(AttachmentBytes(SecretBytes::copy_of(b"%PDF-1.7"))))
            }
            Request::KeepKit { typed } => {
                if typed.expose(|typed| typed != KIT) {
                    return Err(refused(Code::Locked, "Ce n’est pas le kit affiché."));
                }
                self.kit_kept = true;
                Ok(Reply::Done)
            }
            Request::Backup { .. } => Ok(Reply::BackedUp {
                file: PathBuf::from("/tmp/sauvegarde.vault"),
                entries: 9,
                audit_lines: 1234,
            }),
            Request::Check => Ok(Reply::Checked(CheckReport {
                entries: 9,
                cells: 40,
                unreached: 0,
                audit_lines: 1234,
                faults: Vec::new(),
            })),
            Request::Settings => Ok(Reply::Settings(self.settings.clone())),
            Request::SetSettings { expected, new } => {
                if self.settings != expected {
                    return Err(refused(Code::Other, "Quelqu’un a changé les réglages."));
                }
                self.settings = new;
                Ok(Reply::Done)
            }
            Request::ChangeMember { .. }
            | Request::RemoveDevice { .. }
            | Request::ChangePassword(_)
            | Request::FinishTotpReset { .. } => Ok(Reply::Done),
        }
    }
}

/// The questions that a test may have refused.
fn name(request: &Request) -> &'static str {
    match request {
        Request::Settings => "settings",
        Request::Members => "members",
        Request::Create { .. } => "create",
        _ => "",
    }
}

fn rotation() -> Vec<RotateItem> {
    vec![RotateItem {
        path: "Boulangerie Dupont/Serveurs/srv-base-01".to_owned(),
        slot: "password".to_owned(),
        events: vec!["secret.revealed".to_owned(), "secret.filled".to_owned()],
        last: time(0),
    }]
}

fn member(name: &str, role: Role, accepted: bool, all: bool) -> MemberView {
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

fn uri() -> SecretText {
    SecretText::copy_of(
        "otpauth://totp/Poterne:Alice?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Poterne",
    )
}

struct FakeEnrolment(SecretText, SecretText, PathBuf, Fake);

/// An open session; its far side says nothing.
struct FakeSession(Fake, AtomicBool);

struct Mute(#[expect(dead_code, reason = "the session lasts as long as its sink")] Sink);

impl Channel for Mute {
    fn send(&self, _: ToRemote) {}
    fn backlog(&self) -> usize {
        0
    }
}

impl OpenSession for FakeSession {
    fn id(&self) -> SessionId {
        SessionId([8; 16])
    }
    fn info(&self) -> LinkInfo {
        LinkInfo::default()
    }
    fn open_channel(&self, _: ChannelRequest, sink: Sink) -> Result<Box<dyn Channel>, AppError> {
        Ok(Box::new(Mute(sink)))
    }
    fn alive(&self) -> bool {
        true
    }
    fn close(&self) {
        self.close_because("");
    }
    fn close_because(&self, why: &str) {
        if !self.1.swap(true, Ordering::AcqRel) {
            self.0.lock().closed.push(why.to_owned());
        }
    }
}

impl Enrolling for FakeEnrolment {
    fn otpauth_uri(&self) -> &SecretText {
        &self.0
    }
    fn kit(&self) -> &SecretText {
        &self.1
    }
    fn kit_pdf(&self, _lang: Lang) -> Result<Vec<u8>, AppError> {
        Ok(b"%PDF-1.7".to_vec())
    }
    fn check_code(&mut self, code: &SecretText) -> Result<(), AppError> {
        code.expose(|c| c == CODE)
            .then_some(())
            .ok_or_else(|| refused(Code::Locked, "Ce code n’est pas celui du téléphone."))
    }
    fn check_kit(&self, typed: &SecretText) -> Result<(), AppError> {
        typed
            .expose(|k| k == KIT)
            .then_some(())
            .ok_or_else(|| refused(Code::Locked, "Ce n’est pas le kit affiché."))
    }
    fn finish(&mut self) -> Result<Finished, AppError> {
        if self.3.lock().disk_full {
            return Err(refused(Code::Other, "Le disque est plein."));
        }
        Ok(Finished {
            file: self.2.clone(),
            member: self.3.lock().member.clone(),
            fingerprint: "potv1-abcd-efgh-jklm".to_owned(),
            notices: vec![Bi::new(
                "La clé de ce poste est dans un fichier, faute de trousseau.",
                "This computer's key lies in a file, for want of a keyring.",
            )],
        })
    }
}

impl Backend for Fake {
    fn create(&self, options: CreateOptions) -> Result<Box<dyn Enrolling>, AppError> {
        let (uri, kit) = (uri(), SecretText::copy_of(KIT));
        self.lock().member = options.member;
        Ok(Box::new(FakeEnrolment(uri, kit, options.file, self.clone())))
    }
    fn accept_invitation(
        &self,
        _code: SecretText,
        _password: SecretText,
        _accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        let (uri, kit) = (uri(), SecretText::copy_of(KIT));
        Ok(Box::new(FakeEnrolment(uri, kit, PathBuf::new(), self.clone())))
    }
    fn recover(
        &self,
        _kit: SecretText,
        _password: SecretText,
        _accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        let (uri, kit) = (uri(), SecretText::copy_of(KIT));
        Ok(Box::new(FakeEnrolment(uri, kit, PathBuf::new(), self.clone())))
    }
    fn enrol_device(
        &self,
        _code: SecretText,
        member: Option<String>,
        _factors: Factors,
        _accept_older: bool,
    ) -> Result<Finished, AppError> {
        Ok(Finished {
            file: PathBuf::new(),
            member: member.unwrap_or_else(|| self.lock().member.clone()),
            fingerprint: String::new(),
            notices: vec![Bi::new("La clé est dans un fichier.", "The key lies in a file.")],
        })
    }
    fn unlock(&self, options: UnlockOptions) -> Result<Status, AppError> {
        let right = options.factors.password.expose(|p| p == PASSWORD)
            && options.factors.code.expose(|c| c == CODE);
        if !right {
            return Err(refused(Code::Locked, "Le coffre ne s’ouvre pas avec ces éléments."));
        }
        let mut state = self.lock();
        if state.several && options.member.is_none() {
            return Err(refused(Code::Usage, "Ce coffre a plusieurs membres."));
        }
        state.open = true;
        state.read_only = options.read_only;
        if let Some(member) = options.member {
            state.member = member;
        }
        Ok(state.status())
    }
    fn call(&self, request: Request) -> Result<Reply, AppError> {
        while matches!(request, Request::Find { .. }) && self.lock().slow_search {
            std::thread::yield_now();
        }
        self.lock().answer(request)
    }
    fn export(&self, request: ExportRequest, ui: &mut dyn ExportUi) -> Result<Reply, AppError> {
        while self.lock().endless_export {
            ui.show(12_000, 60_000);
            if ui.cancelled() {
                return Err(refused(Code::Other, "L’export a été annulé."));
            }
            std::thread::yield_now();
        }
        self.call(Request::AuditExport(request))
    }
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        let mut state = self.lock();
        let entry = find(&state.entries, &request.at)?.clone();
        let ticket = request.just.ticket.clone().unwrap_or_default();
        state.asked.push(format!("connect {} {ticket}", entry.name).trim_end().to_owned());
        state.justified(&entry, &request.just)?;
        if let Some(pinned) = &state.pinned {
            let shown = key("neuve");
            let told = poterne::connect::ssh::key_changed(&shown, std::slice::from_ref(pinned));
            return Err(told.into());
        }
        if state.connects {
            return Ok(Box::new(FakeSession(self.clone(), AtomicBool::new(false))));
        }
        let forgot = state.asked.iter().any(|a| a.starts_with("forget"));
        drop(state);
        if forgot {
            let _ = ui.ask(Question::TrustHostKey(key("neuve")));
        }
        Err(refused(Code::Connection, "Le serveur ne répond pas."))
    }
    fn show_page(&self, url: &str) -> Result<(), AppError> {
        let mut state = self.lock();
        state.asked.push(format!("browser {url}"));
        match state.no_browser {
            true => Err(refused(Code::Other, "Aucun navigateur.")),
            false => Ok(()),
        }
    }
    fn on_change(&self, tell: Tell) {
        self.lock().tell = Some(Arc::new(tell));
    }
    fn changed_by_others(&self) -> bool {
        let mut state = self.lock();
        state.looks += 1;
        std::mem::take(&mut state.written)
    }
    fn at(&self, file: PathBuf) -> Box<dyn Backend> {
        self.lock().asked.push(format!("vault {}", file.display()));
        Box::new(self.clone())
    }
}
