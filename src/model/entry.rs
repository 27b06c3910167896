//! The tree of clients, folders and entries as everybody may see it.
//! Never holds a secret value: a [`Slot`] only names one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::id::{CellId, EntryId, MemberId};
use super::time::Time;

/// Largest attachment, in bytes.
pub const ATTACHMENT_MAX_BYTES: u64 = 10 * 1024 * 1024;

/// What a node is: `client`, `folder`, or the id of a connector.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Kind(Cow<'static, str>);

impl Kind {
    /// A company; the top level of the tree.
    pub const CLIENT: Self = Self(Cow::Borrowed("client"));
    /// A folder inside a client.
    pub const FOLDER: Self = Self(Cow::Borrowed("folder"));

    /// A kind by its word; whether it exists is for the connector table to say.
    pub fn new(word: &str) -> Self {
        Self(Cow::Owned(word.to_owned()))
    }

    /// The word used in the CLI and in files.
    pub fn word(&self) -> &str {
        &self.0
    }

    /// True for clients and folders.
    pub fn is_container(&self) -> bool {
        *self == Self::CLIENT || *self == Self::FOLDER
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of one secret of an entry, never its value.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Slot {
    /// The password of the login.
    Password,
    /// An SSH private key, OpenSSH or PEM, as it was imported.
    PrivateKey,
    /// The passphrase of that key.
    Passphrase,
    /// An RFC 6238 seed as an otpauth URI.
    Totp,
    /// Free text that may hold anything.
    Notes,
    /// A secret custom field, by name.
    Custom(String),
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password => f.write_str("password"),
            Self::PrivateKey => f.write_str("private-key"),
            Self::Passphrase => f.write_str("passphrase"),
            Self::Totp => f.write_str("totp"),
            Self::Notes => f.write_str("notes"),
            Self::Custom(name) => write!(f, "custom:{name}"),
        }
    }
}

impl FromStr for Slot {
    type Err = Infallible;
    /// Any other word names a custom field, with or without `custom:` before it.
    fn from_str(s: &str) -> Result<Self, Infallible> {
        Ok(match s {
            "password" => Self::Password,
            "private-key" => Self::PrivateKey,
            "passphrase" => Self::Passphrase,
            "totp" => Self::Totp,
            "notes" => Self::Notes,
            other => Self::Custom(other.strip_prefix("custom:").unwrap_or(other).to_owned()),
        })
    }
}

impl Serialize for Slot {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Slot {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Ok(String::deserialize(d)?.parse().unwrap_or_else(|never: Infallible| match never {}))
    }
}

/// Where the login of an entry comes from.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum CredentialSource {
    /// The entry's own user and secrets.
    Own,
    /// The nearest folder or client above that has a login.
    #[default]
    Inherited,
    /// Another entry, usually of kind `credential`.
    Linked(EntryId),
    /// The person is asked at each connection; nothing is stored.
    Ask,
    /// Each member's own login, kept in that member's private client.
    Mine,
}

impl CredentialSource {
    /// The word used in the CLI: `own`, `inherited`, `linked`, `ask`, `mine`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Inherited => "inherited",
            Self::Linked(_) => "linked",
            Self::Ask => "ask",
            Self::Mine => "mine",
        }
    }
}

/// A field the user added. The value of a secret one is in `Slot::Custom(name)`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CustomField {
    /// Unique within the entry.
    pub name: String,
    /// True when the value is a secret.
    pub secret: bool,
    /// Empty when `secret`.
    pub value: String,
}

/// A file kept with an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Attachment {
    /// File name without folders; unique within the entry.
    pub name: String,
    /// Size in bytes, at most [`ATTACHMENT_MAX_BYTES`].
    pub size: u64,
    /// The sealed row with the content.
    pub cell: CellId,
}

/// Where a secret lies and since when.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SecretRef {
    /// The sealed row with the value.
    pub cell: CellId,
    /// When the value was set.
    pub set_at: Time,
    /// Who set it.
    pub set_by: MemberId,
}

/// What makes a client (company) more than a folder.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Short code, such as `DUP`.
    pub code: String,
    /// `#rrggbb`, or empty.
    pub colour: String,
    /// Regular expression a ticket number must match whole; empty: any.
    pub ticket_pattern: String,
    /// Address with `{ticket}` in it, such as an Artis or GLPI page; or empty.
    pub ticket_url: String,
    /// Connect, reveal and export need a ticket.
    pub ticket_required: bool,
    /// Connect, reveal and export need a reason.
    pub reason_required: bool,
}

/// A configuration that was read from the device.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Snapshot {
    /// Counts from 1 for the life of the entry.
    pub n: u64,
    /// When it was read.
    pub at: Time,
    /// Who had it read.
    pub by: MemberId,
    /// With which command.
    pub command: String,
    /// Size in bytes.
    pub size: u64,
    /// Number of lines.
    pub lines: u64,
    /// The sealed row with the text.
    pub cell: CellId,
}

/// Snapshots kept of an entry.
pub const SNAPSHOTS_KEPT: usize = 20;

/// An older state of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VersionRef {
    /// Version number of that state.
    pub ver: u64,
    /// When that state was saved.
    pub at: Time,
    /// Who saved it.
    pub by: MemberId,
    /// The sealed row with that state.
    pub cell: CellId,
}

/// A node of the tree with everything but its secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Constant for life.
    pub id: EntryId,
    /// The client it belongs to; itself for a client.
    pub client: EntryId,
    /// The folder or client above; `None` for a client.
    pub parent: Option<EntryId>,
    /// What it is.
    pub kind: Kind,
    /// Unique among its siblings without regard to case; has no `/`.
    pub name: String,
    /// Host name, address, or URL for `web`.
    pub host: String,
    /// TCP port; `None` means the connector's default.
    pub port: Option<u16>,
    /// Login name.
    pub user: String,
    /// Words to search by.
    pub tags: Vec<String>,
    /// Shown first.
    pub favourite: bool,
    /// What it is for; not secret.
    pub description: String,
    /// Day the login or machine expires.
    pub expires: Option<Date>,
    /// The connector's fields by their ids; see `connect::field`.
    pub settings: BTreeMap<String, String>,
    /// Where user and secrets come from.
    pub credential: CredentialSource,
    /// Fields the user added.
    pub custom: Vec<CustomField>,
    /// Files kept with it.
    pub attachments: Vec<Attachment>,
    /// Which secrets it has of its own.
    pub secrets: BTreeMap<Slot, SecretRef>,
    /// Present exactly when `kind` is a client.
    pub client_info: Option<ClientInfo>,
    /// 1 at creation, one more at each save.
    pub ver: u64,
    /// When it was made.
    pub created_at: Time,
    /// Who made it.
    pub created_by: MemberId,
    /// When this state was saved.
    pub changed_at: Time,
    /// Who saved this state.
    pub changed_by: MemberId,
    /// When it went to the recycle bin, if it is there.
    pub trashed_at: Option<Time>,
    /// Older states, the oldest first.
    pub history: Vec<VersionRef>,
    /// Configurations read from the device, the oldest first; an older state has
    /// none. No part of what a version is: they come without a change by a person,
    /// and are encoded behind the rest (see `vault::cell`).
    #[serde(skip)]
    pub snapshots: Vec<Snapshot>,
}

/// What lists and the search show of a node: the sealed index holds these.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Summary {
    /// See [`Entry::id`].
    pub id: EntryId,
    /// See [`Entry::client`].
    pub client: EntryId,
    /// See [`Entry::parent`].
    pub parent: Option<EntryId>,
    /// See [`Entry::kind`].
    pub kind: Kind,
    /// See [`Entry::name`].
    pub name: String,
    /// See [`Entry::host`].
    pub host: String,
    /// See [`Entry::user`].
    pub user: String,
    /// Tags separated by one space.
    pub tags: String,
    /// See [`Entry::favourite`].
    pub favourite: bool,
    /// True while in the recycle bin.
    pub trashed: bool,
    /// Colour of a client as `#rrggbb`, else empty.
    pub colour: String,
    /// See [`Entry::ver`].
    pub ver: u64,
}

impl Entry {
    /// What lists and the search show of this node.
    pub fn summary(&self) -> Summary {
        Summary {
            id: self.id,
            client: self.client,
            parent: self.parent,
            kind: self.kind.clone(),
            name: self.name.clone(),
            host: self.host.clone(),
            user: self.user.clone(),
            tags: self.tags.join(" "),
            favourite: self.favourite,
            trashed: self.trashed_at.is_some(),
            colour: self.client_info.as_ref().map(|c| c.colour.clone()).unwrap_or_default(),
            ver: self.ver,
        }
    }
}
