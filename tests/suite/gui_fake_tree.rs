//! What the vault of the window's fake holds, how an entry is found in it and changed.

use std::collections::BTreeMap;

use poterne::app::api::{AppError, At, Code, Item, Patch, SecretChange, Set};
use poterne::model::entry::{
    Attachment, ClientInfo, CredentialSource, Entry, Kind, SecretRef, Slot,
};
use poterne::model::id::{CellId, EntryId};
use poterne::model::target::{HostPort, PinnedKey};

use crate::gui_fake::{Fake, ME, id, refused, time};

pub fn node(n: u8, client: u8, parent: Option<u8>, kind: &str, name: &str) -> Entry {
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
        snapshots: Vec::new(),
    }
}

pub fn secret(entry: &mut Entry, slot: Slot) {
    let cell = SecretRef { cell: CellId([1; 16]), set_at: time(0), set_by: ME };
    entry.secrets.insert(slot, cell);
}

pub fn tree() -> Vec<Entry> {
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
}

/// A key of the server `srv-base-01`.
pub fn key(print: &str) -> PinnedKey {
    PinnedKey {
        at: HostPort { host: "192.168.10.12".to_owned(), port: 2222 },
        algorithm: "ssh-ed25519".to_owned(),
        fingerprint: format!("SHA256:{print}"),
    }
}

pub fn path(entries: &[Entry], entry: &Entry) -> String {
    match entry.parent.and_then(|p| entries.iter().find(|e| e.id == p)) {
        Some(parent) => format!("{}/{}", path(entries, parent), entry.name),
        None => entry.name.clone(),
    }
}

pub fn item(entries: &[Entry], entry: &Entry) -> Item {
    Item { summary: entry.summary(), path: path(entries, entry), depth: 0 }
}

pub fn find<'a>(entries: &'a [Entry], at: &At) -> Result<&'a Entry, AppError> {
    entries
        .iter()
        .find(|e| match at {
            At::Id(id) => e.id == *id,
            At::Path(p) => path(entries, e).eq_ignore_ascii_case(p),
        })
        .ok_or_else(|| refused(Code::NotFound, "Cet accès n’existe pas."))
}

pub fn apply(entry: &mut Entry, patch: Patch, put: &mut BTreeMap<(EntryId, Slot), String>) {
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
