//! The closed list of what the audit log can say, and one opened line of it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fold::fold;
use super::id::MemberId;
use super::time::Time;

macro_rules! events {
    ($($(#[$doc:meta])* $name:ident = $word:literal),* $(,)?) => {
        /// What happened. The words are part of the audit format: never reuse one.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub enum Event { $($(#[$doc])* $name),* }

        impl Event {
            /// Every event, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
            /// The word in the log and in filters.
            pub fn word(self) -> &'static str { match self { $(Self::$name => $word),* } }
        }
    };
}

events! {
    /// First line of every log; carries the vault's root key.
    VaultCreated = "vault.created",
    /// A member's factors opened the vault.
    Unlocked = "vault.unlocked",
    /// Factors were refused.
    UnlockRefused = "vault.unlock-refused",
    /// Keys were wiped.
    Locked = "vault.locked",
    /// An older copy of the file was opened after confirmation.
    OlderAccepted = "vault.older-accepted",
    /// The recovery kit was used.
    Recovered = "vault.recovered",
    /// Own password or TOTP was changed.
    FactorChanged = "member.factor-changed",
    /// A computer was enrolled.
    DeviceAdded = "device.added",
    /// A computer was removed.
    DeviceRemoved = "device.removed",
    /// A member was invited.
    MemberInvited = "member.invited",
    /// An invitation was accepted; carries the member's new public key.
    MemberJoined = "member.joined",
    /// A role or the granted clients changed.
    MemberChanged = "member.changed",
    /// A member was removed.
    MemberRemoved = "member.removed",
    /// An entry, folder or client was made.
    EntryCreated = "entry.created",
    /// It was changed.
    EntryEdited = "entry.edited",
    /// It was moved or renamed.
    EntryMoved = "entry.moved",
    /// It went to the recycle bin, or was deleted for good.
    EntryDeleted = "entry.deleted",
    /// It came back from the bin or from an older version.
    EntryRestored = "entry.restored",
    /// A secret was shown.
    SecretRevealed = "secret.revealed",
    /// A secret was put on the clipboard.
    SecretCopied = "secret.copied",
    /// A secret was handed to a connector.
    SecretFilled = "secret.filled",
    /// A one-time code was shown or copied.
    TotpShown = "totp.shown",
    /// A session is about to open.
    SessionOpening = "session.opening",
    /// It is open.
    SessionOpened = "session.opened",
    /// It could not be opened.
    SessionFailed = "session.failed",
    /// It ended.
    SessionClosed = "session.closed",
    /// A VPN that was up changed its state.
    VpnChanged = "vpn.changed",
    /// The configuration of a device is about to be read.
    SnapshotTaking = "snapshot.taking",
    /// It was read, or could not be.
    SnapshotTaken = "snapshot.taken",
    /// A server key was pinned.
    HostKeyAccepted = "hostkey.accepted",
    /// A server key was refused.
    HostKeyRefused = "hostkey.refused",
    /// Entries were read from a file.
    Imported = "data.imported",
    /// Entries or the log were written to a file.
    Exported = "data.exported",
    /// A backup was made and verified.
    BackupMade = "backup.made",
    /// The vault was replaced by a backup.
    BackupRestored = "backup.restored",
    /// Settings of the vault changed.
    SettingsChanged = "settings.changed",
    /// A connector's manifest was put into the vault, for its members.
    ConnectorShared = "connector.shared",
    /// It was taken out.
    ConnectorRemoved = "connector.removed",
    /// The computer's clock was found earlier than the last line.
    ClockBackwards = "clock.backwards",
    /// A member signed the tree up to here; carries the signature.
    Checkpoint = "log.checkpoint",
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// No event has that word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no audit event has that name")]
pub struct UnknownEvent;

impl FromStr for Event {
    type Err = UnknownEvent;
    fn from_str(s: &str) -> Result<Self, UnknownEvent> {
        Self::ALL.iter().copied().find(|e| e.word() == s).ok_or(UnknownEvent)
    }
}

impl Serialize for Event {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.word())
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// Names of the values a line can carry. Values are committed, not written, in
/// the leaf; an auditor's key opens them and an export can redact each.
pub mod field {
    /// Name of the acting member.
    pub const MEMBER: &str = "member";
    /// Name of the computer.
    pub const MACHINE: &str = "machine";
    /// Name of the client.
    pub const CLIENT: &str = "client";
    /// Path of the entry.
    pub const ENTRY: &str = "entry";
    /// Id of the entry whose secret left, for a list of what to change that
    /// outlives renames. No column of its own; it is hidden with [`ENTRY`].
    pub const ENTRY_ID: &str = "entry_id";
    /// Ticket number.
    pub const TICKET: &str = "ticket";
    /// Reason given.
    pub const REASON: &str = "reason";
    /// What a person needs to know besides.
    pub const DETAIL: &str = "detail";
    /// Connector id.
    pub const CONNECTOR: &str = "connector";
    /// Remote host.
    pub const HOST: &str = "host";
    /// Remote port.
    pub const PORT: &str = "port";
    /// Login name on the far side.
    pub const REMOTE_USER: &str = "remote_user";
    /// Fingerprint of the server key.
    pub const HOST_KEY: &str = "host_key";
    /// Jump hosts, comma separated.
    pub const HOPS: &str = "hops";
    /// Random id that joins the lines of one session.
    pub const SESSION: &str = "session";
    /// Whole milliseconds.
    pub const DURATION_MS: &str = "duration_ms";
    /// Bytes received from the far side.
    pub const BYTES_IN: &str = "bytes_in";
    /// Bytes sent to the far side.
    pub const BYTES_OUT: &str = "bytes_out";
    /// Exit status of the remote command.
    pub const EXIT: &str = "exit";
    /// Which secret: `password`, `private-key`, …
    pub const SLOT: &str = "slot";
    /// The member an administrative line is about.
    pub const SUBJECT: &str = "subject";
    /// Role given.
    pub const ROLE: &str = "role";
    /// File written or read, without its folder.
    pub const FILE: &str = "file";
    /// How many things it was about.
    pub const COUNT: &str = "count";
    /// Which tickets and reasons a client asks for from this line on. No column of
    /// its own; it is hidden with [`CLIENT`].
    pub const RULE: &str = "rule";

    /// Every field, in the order of columns.
    pub const ALL: &[&str] = &[
        MEMBER,
        MACHINE,
        CLIENT,
        ENTRY,
        TICKET,
        REASON,
        CONNECTOR,
        HOST,
        PORT,
        REMOTE_USER,
        HOST_KEY,
        HOPS,
        SESSION,
        DURATION_MS,
        BYTES_IN,
        BYTES_OUT,
        EXIT,
        SLOT,
        SUBJECT,
        ROLE,
        FILE,
        COUNT,
        DETAIL,
    ];
}

/// An audit line with its values opened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OpenLine {
    /// 0 for the first line.
    pub seq: u64,
    /// When.
    pub at: Time,
    /// Who; `None` before anyone was known (a refused unlock).
    pub actor: Option<MemberId>,
    /// What.
    pub event: Event,
    /// False for refusals and failures.
    pub ok: bool,
    /// The values, by names of [`field`], in column order; a redacted one is absent.
    pub fields: Vec<(String, String)>,
    /// SHA-256 leaf hash (RFC 6962) in lower-case hex.
    pub leaf_hash: String,
}

impl OpenLine {
    /// A line without content, to read lines into.
    pub fn empty() -> Self {
        Self {
            seq: 0,
            at: Time::default(),
            actor: None,
            event: Event::Checkpoint,
            ok: true,
            fields: Vec::new(),
            leaf_hash: String::new(),
        }
    }

    /// The value of `name`, or the empty text.
    pub fn field(&self, name: &str) -> &str {
        self.fields.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }
}

/// Which lines are wanted. Empty lists mean "any".
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct AuditFilter {
    /// First moment included.
    pub since: Option<Time>,
    /// First moment no longer included.
    pub until: Option<Time>,
    /// Member names.
    pub members: Vec<String>,
    /// Client names, as the log has them.
    pub clients: Vec<String>,
    /// Events.
    pub events: Vec<Event>,
    /// Words that must all occur in some value, without regard to case and accents.
    pub text: String,
    /// Only the last so many of the matching lines.
    pub last: Option<u64>,
}

impl AuditFilter {
    /// Whether `line` is wanted; `last` is for the reader to apply.
    pub fn matches(&self, line: &OpenLine) -> bool {
        let same = |wanted: &[String], value: &str| {
            wanted.is_empty() || wanted.iter().any(|w| same_name(w, value))
        };
        self.since.is_none_or(|t| line.at >= t)
            && self.until.is_none_or(|t| line.at < t)
            && (self.events.is_empty() || self.events.contains(&line.event))
            && same(&self.members, line.field(field::MEMBER))
            && same(&self.clients, line.field(field::CLIENT))
            && self.has_text(line)
    }

    fn has_text(&self, line: &OpenLine) -> bool {
        if self.text.trim().is_empty() {
            return true;
        }
        let values: Vec<String> = line.fields.iter().map(|(_, value)| fold(value)).collect();
        fold(&self.text).split_whitespace().all(|word| {
            line.event.word().contains(word) || values.iter().any(|value| value.contains(word))
        })
    }
}

/// Whether two names are one to a person: case and accents do not count.
pub fn same_name(a: &str, b: &str) -> bool {
    a == b || fold(a.trim()) == fold(b.trim())
}
