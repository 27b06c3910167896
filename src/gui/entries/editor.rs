//! The form for a new or changed node: what is typed, what of it differs from
//! the saved entry, and whether it may be saved. Knows no egui; secrets lie in
//! wiped buffers and leave only inside a patch.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::api::{
    AppError, At, AttachmentBytes, EntryView, Item, Patch, Request, SecretChange, Set,
};
use crate::connect::field::{Field, FieldKind};
use crate::connect::{self, Common, rdp};
use crate::gui::act::Act;
use crate::gui::text;
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::gui::widgets::strength::Strength;
use crate::model::entry::{ClientInfo, CredentialSource, Entry, Kind, Slot};
use crate::model::id::EntryId;
use crate::model::lang::{Bi, Lang};
use crate::secret::SecretBytes;

use super::custom::CustomRow;
use super::profile::Imported;

/// One secret of the form.
pub struct SecretField {
    /// Which.
    pub slot: Slot,
    /// The saved entry has it.
    pub existed: bool,
    /// It is to be removed.
    pub clear: bool,
    /// What is typed; empty leaves the saved one.
    pub buffer: SecretBuffer,
    /// Show what is typed.
    pub shown: bool,
    /// Estimate, for passwords.
    pub strength: Strength,
}

impl SecretField {
    pub(super) fn new(slot: Slot, existed: bool) -> Self {
        let page = matches!(slot, Slot::PrivateKey | Slot::Notes);
        let buffer = if page { SecretBuffer::page() } else { SecretBuffer::line() };
        let strength = Strength::of(&buffer, &[]);
        Self { slot, existed, clear: false, shown: page, buffer, strength }
    }

    /// The typed text changed.
    pub fn changed(&mut self) {
        self.clear = false;
        if self.slot == Slot::Password {
            self.strength = Strength::of(&self.buffer, &[]);
        }
    }
}

/// What the picker of entries fills.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PickFor {
    /// The linked login.
    Linked,
    /// A setting that names entries.
    Setting(&'static str),
}

/// The picker of entries.
pub struct Picker {
    /// For what.
    pub target: PickFor,
    /// What is typed.
    pub query: String,
    /// The best matches.
    pub results: Vec<Item>,
}

/// Why the form cannot be saved yet, at which field.
pub type Faults = BTreeMap<&'static str, Bi>;

/// State of the form.
pub struct Editor {
    /// What is made or changed.
    pub kind: Kind,
    /// The container of a new node; empty for a client.
    pub below: String,
    /// The saved entry, for a change.
    pub base: Option<Box<EntryView>>,
    /// Name.
    pub name: String,
    /// Host or URL.
    pub host: String,
    /// Port as typed.
    pub port: String,
    /// Login.
    pub user: String,
    /// Tags separated by spaces or commas.
    pub tags: String,
    /// Favourite mark.
    pub favourite: bool,
    /// Description.
    pub description: String,
    /// `YYYY-MM-DD`, or the French way round.
    pub expires: String,
    /// Credential source; `Linked` needs `linked` besides.
    pub source: Source,
    /// The linked entry and its path.
    pub linked: Option<(EntryId, String)>,
    /// Connector settings as typed.
    pub settings: BTreeMap<&'static str, String>,
    /// Secrets the kind offers.
    pub secrets: Vec<SecretField>,
    /// Fields the person added.
    pub custom: Vec<CustomRow>,
    /// How many rows for them there were.
    pub(super) rows: u64,
    /// A profile of OpenVPN that was imported and is not saved yet.
    pub profile: Option<Box<Imported>>,
    /// Client record.
    pub client: ClientInfo,
    /// Attachments to add.
    pub added: Vec<(String, SecretBytes)>,
    /// Attachments to remove.
    pub removed: BTreeSet<String>,
    /// The picker, while it is open.
    pub picker: Option<Picker>,
    /// The application saves.
    pub saving: bool,
    /// What was asked meanwhile: done once it is saved, dropped when it is refused.
    pub then: Option<Act>,
    /// Why it did not.
    pub error: Option<AppError>,
    /// Fields that somebody else changed meanwhile.
    pub stale: Vec<String>,
    /// Those of them that this person changed too.
    pub both: Vec<String>,
    /// In which language days are written into the form.
    pub lang: Lang,
    /// Give the keyboard to the first field.
    pub focus: bool,
    /// Which opening of a form this is: none inherits the carets of another.
    pub opening: u64,
}

/// The words of the credential source.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// Of the entry.
    Own,
    /// From the folder.
    Inherited,
    /// From another entry.
    Linked,
    /// Asked each time.
    Ask,
    /// Each member's own.
    Mine,
}

impl Source {
    /// Every source, in the order of the form.
    pub const ALL: [Self; 5] = [Self::Own, Self::Inherited, Self::Linked, Self::Ask, Self::Mine];

    /// What the form calls it.
    pub fn label(self, lang: Lang) -> &'static str {
        match self {
            Self::Own => lang.pick("Propres à cet accès", "Of this entry"),
            Self::Inherited => lang.pick("Hérités du dossier", "From the folder"),
            Self::Linked => lang.pick("Liés à un autre accès", "Linked to another entry"),
            Self::Ask => lang.pick("Demandés à chaque connexion", "Asked at each connection"),
            Self::Mine => {
                lang.pick("Les miens (propres à chaque membre)", "My own (each member's)")
            }
        }
    }
}

impl Editor {
    /// A form for a new node.
    pub fn new(kind: Kind, below: &str) -> Self {
        let mut form = Self::empty(kind, below);
        let folder = form.kind.is_container() || !form.common().user;
        form.source = if folder { Source::Inherited } else { Source::Own };
        form
    }

    /// A form for a change, its days written as in `lang`.
    pub fn edit(view: Box<EntryView>, lang: Lang) -> Self {
        let mut form = Self::empty(view.entry.kind.clone(), "");
        form.lang = lang;
        let e = &view.entry;
        form.name.clone_from(&e.name);
        form.host.clone_from(&e.host);
        form.port = e.port.map(|p| p.to_string()).unwrap_or_default();
        form.user.clone_from(&e.user);
        form.tags = e.tags.join(" ");
        form.favourite = e.favourite;
        form.description.clone_from(&e.description);
        form.expires = form.day_text(e.expires);
        form.set_credential(&e.credential, view.linked.clone());
        for field in form.fields() {
            let value = e.settings.get(field.id).cloned().unwrap_or_default();
            form.settings.insert(field.id, value);
        }
        for secret in &mut form.secrets {
            secret.existed = e.secrets.contains_key(&secret.slot);
        }
        for slot in e.secrets.keys() {
            let known = form.secrets.iter().any(|s| s.slot == *slot);
            if !known && !matches!(slot, Slot::Custom(_)) {
                form.secrets.push(SecretField::new(slot.clone(), true));
            }
        }
        for field in &e.custom {
            form.add_saved(field);
        }
        form.client = e.client_info.clone().unwrap_or_default();
        form.base = Some(view);
        form
    }

    fn empty(kind: Kind, below: &str) -> Self {
        let slots: &[Slot] = match connect::by_kind(&kind) {
            Some(c) => c.slots(),
            // A folder's login is passed on to the entries below.
            None => &[Slot::Password],
        };
        let secrets = slots.iter().map(|s| SecretField::new(s.clone(), false)).collect();
        let mut form = Self {
            kind,
            below: below.to_owned(),
            base: None,
            name: String::new(),
            host: String::new(),
            port: String::new(),
            user: String::new(),
            tags: String::new(),
            favourite: false,
            description: String::new(),
            expires: String::new(),
            source: Source::Own,
            linked: None,
            settings: BTreeMap::new(),
            secrets,
            custom: Vec::new(),
            rows: 0,
            profile: None,
            client: ClientInfo::default(),
            added: Vec::new(),
            removed: BTreeSet::new(),
            picker: None,
            saving: false,
            then: None,
            error: None,
            stale: Vec::new(),
            both: Vec::new(),
            lang: Lang::default(),
            focus: true,
            opening: 0,
        };
        for field in form.fields() {
            form.settings.insert(field.id, String::new());
        }
        form
    }

    /// Which common fields the kind has.
    pub fn common(&self) -> Common {
        connect::common_of(&self.kind)
    }

    /// The connector's own settings; for containers those that are passed on.
    pub fn fields(&self) -> Vec<&'static Field> {
        match connect::by_kind(&self.kind) {
            Some(c) => c.fields().iter().collect(),
            // What it may have is not known: it stays as it is.
            None if !self.kind.is_container() => Vec::new(),
            None => {
                let mut seen = BTreeSet::new();
                let all = connect::all().iter().flat_map(|c| c.fields());
                all.filter(|f| f.inherits && seen.insert(f.id)).collect()
            }
        }
    }

    /// The port used when none is typed.
    pub fn default_port(&self) -> Option<u16> {
        connect::by_kind(&self.kind).and_then(|c| c.default_port())
    }

    /// Whether own secrets make sense with the chosen source.
    pub fn shows_own_login(&self) -> bool {
        self.kind.is_container() || !self.common().user || self.source == Source::Own
    }

    /// What cannot be saved as it stands.
    pub fn faults(&self) -> Faults {
        let mut faults = Faults::new();
        let name = self.name.trim();
        if name.is_empty() {
            faults.insert("name", Bi::new("Il faut un nom.", "A name is needed."));
        } else if name.contains('/') {
            faults.insert(
                "name",
                Bi::new("Un nom n’a pas de «\u{a0}/\u{a0}».", "A name has no “/”."),
            );
        }
        if self.parsed_port().is_none() {
            faults.insert("port", Bi::new("De 1 à 65535.", "From 1 to 65535."));
        }
        if self.parsed_expires().is_none() {
            faults.insert("expires", Bi::new("Par exemple 31/12/2027.", "For example 2027-12-31."));
        }
        if self.common().user && self.source == Source::Linked && self.linked.is_none() {
            let text = Bi::new("Choisissez l’accès lié.", "Choose the linked entry.");
            faults.insert("credential", text);
        }
        for field in self.fields() {
            let value = self.settings.get(field.id).map_or("", String::as_str);
            if !field.accepts(value) {
                let text = match field.kind {
                    FieldKind::Machine => Bi::new(
                        "Un nom de machine, seul ou avec un port (nom:port).",
                        "The name of a machine, alone or with a port (name:port).",
                    ),
                    _ => Bi::new("Valeur non permise.", "Value not allowed."),
                };
                faults.insert(field.id, text);
            }
        }
        let set = |id: &str| self.settings.get(id).is_some_and(|value| !value.trim().is_empty());
        if self.kind.word() == rdp::ID && rdp::two_ways(set) {
            let text = Bi::new(
                "Une passerelle ou des rebonds\u{a0}: seulement l’un des deux se peut.",
                "A gateway or jump hosts: only one of both can be.",
            );
            faults.entry(rdp::GATEWAY).or_insert(text);
        }
        let colour = self.client.colour.trim();
        if !colour.is_empty() && crate::gui::widgets::parts::parse_colour(colour).is_none() {
            faults.insert("colour", Bi::new("Par exemple #2e7dd1.", "For example #2e7dd1."));
        }
        faults.extend(self.custom_fault().map(|text| ("custom", text)));
        faults
    }

    pub(super) fn parsed_port(&self) -> Option<Option<u16>> {
        let port = self.port.trim();
        if port.is_empty() {
            return Some(None);
        }
        port.parse::<u16>().ok().filter(|p| *p > 0).map(Some)
    }

    pub(super) fn parsed_expires(&self) -> Option<Option<jiff::civil::Date>> {
        if self.expires.trim().is_empty() {
            return Some(None);
        }
        text::read_day(&self.expires).map(Some)
    }

    pub(super) fn day_text(&self, day: Option<jiff::civil::Date>) -> String {
        day.map(|day| text::day(day, self.lang)).unwrap_or_default()
    }

    pub(super) fn tag_list(&self) -> Vec<String> {
        self.tags
            .split(|c: char| c == ',' || c == ';' || c.is_whitespace())
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// The credential source of the form; `None` while the linked entry is missing.
    pub(super) fn chosen_credential(&self) -> Option<CredentialSource> {
        Some(match self.source {
            Source::Own => CredentialSource::Own,
            Source::Inherited => CredentialSource::Inherited,
            Source::Linked => CredentialSource::Linked(self.linked.as_ref()?.0),
            Source::Ask => CredentialSource::Ask,
            Source::Mine => CredentialSource::Mine,
        })
    }

    /// Puts a credential source into the form; `path` is that of a linked entry.
    pub(super) fn set_credential(&mut self, to: &CredentialSource, path: Option<String>) {
        self.source = match to {
            CredentialSource::Own => Source::Own,
            CredentialSource::Inherited => Source::Inherited,
            CredentialSource::Linked(_) => Source::Linked,
            CredentialSource::Ask => Source::Ask,
            CredentialSource::Mine => Source::Mine,
        };
        if let CredentialSource::Linked(id) = to {
            self.linked = Some((*id, path.unwrap_or_default()));
        }
    }

    /// What differs from the saved entry; for a new one, what was filled in.
    pub fn patch(&self) -> Patch {
        let base = self.base.as_ref().map(|v| &v.entry);
        fn differs<T: PartialEq>(old: Option<T>, new: T, fresh: T) -> Set<T> {
            if new == old.unwrap_or(fresh) { Set::Keep } else { Set::To(new) }
        }
        let text = |old: fn(&Entry) -> &String, new: &str| {
            differs(base.map(|e| old(e).clone()), new.trim().to_owned(), String::new())
        };
        let mut patch = Patch {
            host: text(|e| &e.host, &self.host),
            user: text(|e| &e.user, &self.user),
            description: text(|e| &e.description, &self.description),
            port: differs(base.map(|e| e.port), self.parsed_port().flatten(), None),
            expires: differs(base.map(|e| e.expires), self.parsed_expires().flatten(), None),
            tags: differs(base.map(|e| e.tags.clone()), self.tag_list(), Vec::new()),
            favourite: differs(base.map(|e| e.favourite), self.favourite, false),
            ..Patch::default()
        };
        if base.is_some() {
            patch.name = text(|e| &e.name, &self.name);
        }
        if self.common().user || self.kind.is_container() {
            let old = base.map(|e| e.credential.clone());
            let new = self.chosen_credential().unwrap_or_default();
            patch.credential = differs(old, new, CredentialSource::Inherited);
        }
        if self.kind == Kind::CLIENT {
            let old = base.map(|e| e.client_info.clone().unwrap_or_default());
            patch.client_info = differs(old, self.client.clone(), ClientInfo::default());
        }
        for (id, value) in &self.settings {
            let old = base.and_then(|e| e.settings.get(*id)).map_or("", String::as_str);
            if value.trim() != old {
                patch.settings.insert((*id).to_owned(), value.trim().to_owned());
            }
        }
        for secret in &self.secrets {
            if secret.clear && secret.existed {
                patch.secrets.insert(secret.slot.clone(), SecretChange::Clear);
            } else if !secret.buffer.is_empty() {
                let value = SecretChange::Put(secret.buffer.to_secret_bytes());
                patch.secrets.insert(secret.slot.clone(), value);
            }
        }
        self.patch_custom(&mut patch);
        patch.secrets.extend(self.profile.as_ref().map(|profile| profile.change()));
        for (name, bytes) in &self.added {
            patch.attachments.insert(name.clone(), Some(AttachmentBytes(bytes.duplicate())));
        }
        for name in &self.removed {
            patch.attachments.entry(name.clone()).or_insert(None);
        }
        patch
    }

    /// True when leaving would lose something.
    pub fn dirty(&self) -> bool {
        let p = self.patch();
        let quiet = p.name == Set::Keep
            && p.host == Set::Keep
            && p.port == Set::Keep
            && p.user == Set::Keep
            && p.tags == Set::Keep
            && p.favourite == Set::Keep
            && p.description == Set::Keep
            && p.expires == Set::Keep
            && p.client_info == Set::Keep
            && (p.credential == Set::Keep || self.base.is_none())
            && p.settings.is_empty()
            && p.renamed.is_empty()
            && p.custom.is_empty()
            && p.secrets.is_empty()
            && p.attachments.is_empty();
        !quiet || (self.base.is_none() && !self.name.trim().is_empty())
    }

    /// What saves it, if it may be saved.
    pub fn save(&mut self) -> Option<Request> {
        if self.saving || !self.faults().is_empty() {
            return None;
        }
        self.saving = true;
        self.error = None;
        let patch = Box::new(self.patch());
        Some(match &self.base {
            Some(view) => Request::Edit {
                at: At::Id(view.entry.id),
                expected_ver: Some(view.entry.ver),
                patch,
            },
            None => {
                let name = self.name.trim();
                let path = if self.kind == Kind::CLIENT || self.below.is_empty() {
                    name.to_owned()
                } else {
                    format!("{}/{name}", self.below)
                };
                Request::Create { kind: self.kind.clone(), path, patch }
            }
        })
    }
}
