//! What the screens and the command line may ask of the application, and what
//! they get back. Plain data: it can cross the agent's socket, where `wire`
//! alone writes out the secrets in it. Nothing here acts.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::connect::Opens;
use crate::model::audit_event::{AuditFilter, OpenLine};
use crate::model::entry::{ClientInfo, CredentialSource, Entry, Kind, Slot, Summary, VersionRef};
use crate::model::id::{DeviceId, EntryId, MemberId, SessionId, VaultId};
use crate::model::lang::{Bi, Lang};
use crate::model::member::{Member, Role};
use crate::model::plan::Plan;
pub use crate::model::settings::Settings;
use crate::model::target::PinnedKey;
use crate::model::time::Time;
use crate::secret::{SecretBytes, SecretText};

use super::wire;

/// A failure as a person and a program see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AppError {
    /// Exit code class.
    pub code: Code,
    /// What happened.
    pub what: Bi,
    /// What to do about it.
    pub todo: Bi,
}

/// Exit codes of the command line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// 1: anything else.
    Other,
    /// 2: wrong use.
    Usage,
    /// 3: locked, or a factor refused.
    Locked,
    /// 4: no such entry or vault file.
    NotFound,
    /// 5: role, ticket or reason forbids it.
    NotAllowed,
    /// 6: the far side could not be reached or trusted.
    Connection,
    /// 7: tampering or corruption.
    Tampered,
    /// 6 too: the server's key is not the pinned one.
    KeyChanged,
    /// 7 too: whole, but older than what was opened here before.
    OlderCopy,
    /// 6 too: nothing answered, or the connection broke: later it may.
    Unreachable,
}

impl Code {
    /// The process exit code.
    pub fn exit(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2,
            Self::Locked => 3,
            Self::NotFound => 4,
            Self::NotAllowed => 5,
            Self::Connection | Self::KeyChanged | Self::Unreachable => 6,
            Self::Tampered | Self::OlderCopy => 7,
        }
    }
}

/// How to name an entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum At {
    /// `Client/Folder/Name`, compared without regard to case.
    Path(String),
    /// Its id.
    Id(EntryId),
}

/// Why an act is done, where the client asks for it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Justification {
    /// Ticket number.
    pub ticket: Option<String>,
    /// Reason in words.
    pub reason: Option<String>,
}

/// Why a secret leaves the vault; each is a different audit event.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Purpose {
    /// Shown.
    Reveal,
    /// Put on the clipboard.
    Copy,
}

/// What to do with one field of an entry.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum Set<T> {
    /// Leave it.
    #[default]
    Keep,
    /// Give it this value.
    To(T),
}

impl<T> Set<T> {
    /// The new value, if there is one.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::Keep => None,
            Self::To(value) => Some(value),
        }
    }
}

/// What to do with one secret.
#[derive(Serialize, Deserialize)]
pub enum SecretChange {
    /// Set it. A TOTP seed may be an otpauth URI or base32; a private key
    /// OpenSSH or PEM.
    Put(#[serde(with = "wire::secret_bytes")] SecretBytes),
    /// Remove it.
    Clear,
}

/// Changes to an entry; for a new one, its fields.
#[derive(Default, Serialize, Deserialize)]
pub struct Patch {
    /// New name.
    pub name: Set<String>,
    /// Host or URL.
    pub host: Set<String>,
    /// Port; `To(None)` means the default.
    pub port: Set<Option<u16>>,
    /// Login name.
    pub user: Set<String>,
    /// Tags.
    pub tags: Set<Vec<String>>,
    /// Favourite mark.
    pub favourite: Set<bool>,
    /// Description.
    pub description: Set<String>,
    /// Expiry day.
    pub expires: Set<Option<Date>>,
    /// Credential source.
    pub credential: Set<CredentialSource>,
    /// Connector settings to change; an empty text removes one.
    pub settings: BTreeMap<String, String>,
    /// Custom fields to rename, by their present names, before anything else is
    /// done to them; a secret value goes along, a field of the new name goes.
    pub renamed: BTreeMap<String, String>,
    /// Plain custom fields to set; `None` removes one.
    pub custom: BTreeMap<String, Option<String>>,
    /// Secrets to change. A `Slot::Custom` makes or removes the custom field.
    pub secrets: BTreeMap<Slot, SecretChange>,
    /// Client properties, for clients only.
    pub client_info: Set<ClientInfo>,
    /// Attachments to add or replace, by name; `None` removes one.
    pub attachments: BTreeMap<String, Option<AttachmentBytes>>,
    /// Forget the pinned server keys of this entry's host in its client.
    pub forget_host_keys: bool,
}

/// Content of an attachment on its way in or out.
#[derive(Serialize, Deserialize)]
pub struct AttachmentBytes(#[serde(with = "wire::secret_bytes")] pub SecretBytes);

/// How to export the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExportRequest {
    /// Which format.
    pub format: ExportFormat,
    /// Which lines.
    pub filter: AuditFilter,
    /// Fields to leave out, by name.
    pub redact: Vec<String>,
    /// The file to write; its folder must exist.
    pub out: PathBuf,
    /// Language of the report formats.
    pub lang: Lang,
    /// Why, where the client asks for it.
    pub just: Justification,
}

/// Formats of the exported log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// ZIP that proves itself.
    Bundle,
    /// RFC 4180.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// RFC 5424.
    Syslog,
    /// ArcSight Common Event Format.
    Cef,
    /// Open Cybersecurity Schema Framework, JSON lines.
    Ocsf,
    /// One self-contained page.
    Html,
    /// Office Open XML workbook.
    Xlsx,
    /// Report for a client's auditor.
    Pdf,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Bundle,
        Self::Csv,
        Self::Jsonl,
        Self::Syslog,
        Self::Cef,
        Self::Ocsf,
        Self::Html,
        Self::Xlsx,
        Self::Pdf,
    ];

    /// The word used in the CLI.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Syslog => "syslog",
            Self::Cef => "cef",
            Self::Ocsf => "ocsf",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    /// Usual file name ending, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Bundle => "zip",
            Self::Syslog | Self::Cef => "log",
            Self::Ocsf => "json",
            other => other.word(),
        }
    }
}

/// A question to the unlocked vault. Each is answered by the [`Reply`] variant
/// named in its comment.
#[derive(Serialize, Deserialize)]
pub enum Request {
    /// [`Reply::Status`]
    Status,
    /// Wipes the keys. [`Reply::Done`]
    Lock,
    /// Children of a node, or the clients; `deep` for the whole subtree in
    /// tree order. [`Reply::Items`]
    List { at: Option<At>, deep: bool, trashed: bool },
    /// Best matches first. [`Reply::Items`]
    Find { query: String, limit: usize },
    /// [`Reply::Entry`]
    Show { at: At },
    /// Audited. [`Reply::Secret`]
    Reveal { at: At, slot: Slot, purpose: Purpose, just: Justification },
    /// The current code of the entry's own seed. Audited. [`Reply::Totp`]
    Totp { at: At, purpose: Purpose, just: Justification },
    /// Audited. [`Reply::Attachment`]
    Attachment { at: At, name: String, just: Justification },
    /// Makes a node; `path` names parent and name. [`Reply::Saved`]
    Create { kind: Kind, path: String, patch: Box<Patch> },
    /// Changes a node; `expected_ver` refuses a stale edit. [`Reply::Saved`]
    Edit { at: At, expected_ver: Option<u64>, patch: Box<Patch> },
    /// Moves and renames: `to` is a container to move into, or the new path.
    /// A client that asks for ticket or reason asks for it when a node leaves it.
    /// [`Reply::Saved`]
    Move { at: At, to: String, just: Justification },
    /// To the recycle bin; `forever` when it is already there. [`Reply::Done`]
    Remove { at: At, forever: bool },
    /// From the bin, or to an older version. [`Reply::Saved`]
    Restore { at: At, version: Option<u64> },
    /// Every version, the current one first. [`Reply::History`]
    History { at: At },
    /// Configurations read from the device, the newest first. [`Reply::Snapshots`]
    Snapshots { at: At },
    /// The text of one, else of the newest. Audited. [`Reply::Snapshot`]
    Snapshot { at: At, n: Option<u64>, purpose: Purpose, just: Justification },
    /// What differs between two, else between the newest and the one before.
    /// Audited. [`Reply::SnapshotDifference`]
    SnapshotDifference { at: At, from: Option<u64>, to: Option<u64>, just: Justification },
    /// [`Reply::Plan`]
    Plan { at: At },
    /// The page of a web entry is about to be opened by who asks. Audited, and
    /// justified as a connection. [`Reply::Page`]
    Visit { at: At, just: Justification },
    /// Whether it was. Audited. [`Reply::Done`]
    Visited { session: SessionId, opened: bool },
    /// [`Reply::Log`]
    AuditLog { filter: AuditFilter },
    /// Audited. [`Reply::Exported`]
    AuditExport(ExportRequest),
    /// Whole chain, tree, signatures. [`Reply::Verified`]
    AuditVerify,
    /// [`Reply::Fingerprint`]
    AuditFingerprint,
    /// [`Reply::Members`]
    Members,
    /// A one-time invitation. Client names; empty with `all_clients`.
    /// [`Reply::Invitation`]
    Invite { name: String, role: Role, all_clients: bool, clients: Vec<String> },
    /// New role and clients. [`Reply::Done`]
    ChangeMember { name: String, role: Role, all_clients: bool, clients: Vec<String> },
    /// Rotates every key the member held. [`Reply::Removed`]
    RemoveMember { name: String },
    /// Members who were removed. [`Reply::Members`]
    FormerMembers,
    /// The list that a removal gave, made again from the log. [`Reply::Removed`]
    Rotation { member: MemberId },
    /// [`Reply::Devices`]
    Devices,
    /// A one-time enrolment code for another computer; needs the current factors
    /// again. [`Reply::EnrolCode`]
    AddDevice { label: String, current: Factors },
    /// [`Reply::Done`]
    RemoveDevice { id: DeviceId },
    /// Own password; needs the current factors again. [`Reply::Done`]
    ChangePassword(Box<ChangePassword>),
    /// Begins a new TOTP seed. [`Reply::NewTotp`]
    BeginTotpReset { current: Factors },
    /// Ends it with a code of the new seed. [`Reply::Done`]
    FinishTotpReset {
        #[serde(with = "wire::secret_text")]
        code: SecretText,
    },
    /// Verified copy; `to` absent: the vault's backup folder. [`Reply::BackedUp`]
    Backup { to: Option<PathBuf> },
    /// All records, key tree and audit chain. [`Reply::Checked`]
    Check,
    /// [`Reply::Settings`]
    Settings,
    /// Refused when the vault's are no longer the `expected` ones. [`Reply::Done`]
    SetSettings { expected: Settings, new: Settings },
    /// A new recovery kit; needs the current factors again. The old one works
    /// until [`Request::KeepKit`]. [`Reply::Kit`]
    DrawKit { current: Factors },
    /// The kit drawn last, as a PDF page to print. [`Reply::Attachment`]
    KitPage { lang: Lang },
    /// Puts the kit drawn last in the place of the old one, if it is the one typed
    /// back. [`Reply::Done`]
    KeepKit {
        #[serde(with = "wire::secret_text")]
        typed: SecretText,
    },
    /// Completes a filter by the former names of its clients, as every request
    /// with a filter does, and refuses names that nobody and nothing has.
    /// [`Reply::Filter`]
    AuditFilter { filter: AuditFilter },
    /// Manifests that the vault shares. [`Reply::Shared`]
    Shared,
    /// Shares one, in place of one of its kind. Audited. [`Reply::Done`]
    Share { text: String },
    /// Shares it no longer. Audited. [`Reply::Done`]
    Unshare { kind: String },
}

/// Password and code typed at an unlock.
#[derive(Serialize, Deserialize)]
pub struct Factors {
    /// What you know.
    #[serde(with = "wire::secret_text")]
    pub password: SecretText,
    /// What your phone shows: six digits.
    #[serde(with = "wire::secret_text")]
    pub code: SecretText,
}

/// See [`Request::ChangePassword`].
#[derive(Serialize, Deserialize)]
pub struct ChangePassword {
    /// Factors as at unlock; the code must be a fresh one.
    pub current: Factors,
    /// New password.
    #[serde(with = "wire::secret_text")]
    pub new: SecretText,
}

/// The answer to a [`Request`].
#[derive(Serialize, Deserialize)]
pub enum Reply {
    /// It is done.
    Done,
    /// State of the vault.
    Status(Status),
    /// Nodes for a list.
    Items(Vec<Item>),
    /// One node.
    Entry(Box<EntryView>),
    /// One secret.
    Secret(#[serde(with = "wire::secret_bytes")] SecretBytes),
    /// One code.
    Totp(TotpView),
    /// One file.
    Attachment(AttachmentBytes),
    /// A saved node.
    Saved { id: EntryId, ver: u64, path: String },
    /// Every version.
    History(Vec<VersionView>),
    /// Configurations that are kept.
    Snapshots(Vec<SnapshotView>),
    /// One of them.
    Snapshot(SnapshotText),
    /// What came of reading one.
    Taken(Taken),
    /// What differs between two, as `diff -u` tells it.
    SnapshotDifference {
        from: SnapshotView,
        to: SnapshotView,
        added: u64,
        removed: u64,
        #[serde(with = "wire::secret_text")]
        text: SecretText,
    },
    /// Effective settings.
    Plan(Box<Plan>),
    /// A page to open.
    Page(PageView),
    /// Audit lines, the oldest first.
    Log(Vec<OpenLine>),
    /// Lines written by an export, and where: more than one file when a report
    /// is too long for one.
    Exported { lines: u64, files: Vec<PathBuf>, fingerprint: String },
    /// Result of a verification.
    Verified(Verified),
    /// The vault's public fingerprint.
    Fingerprint(String),
    /// All members.
    Members(Vec<MemberView>),
    /// One-time code to give to the new member.
    Invitation(#[serde(with = "wire::secret_text")] SecretText),
    /// What the removed member had used or revealed: change these.
    Removed { rotate: Vec<RotateItem> },
    /// Enrolled computers of the asking member.
    Devices(Vec<DeviceView>),
    /// One-time code to type on the other computer.
    EnrolCode(#[serde(with = "wire::secret_text")] SecretText),
    /// A member's own factors were replaced, and what to know about it: computers
    /// that no longer open the vault.
    Renewed { notices: Vec<Bi> },
    /// otpauth URI of a new seed.
    NewTotp(#[serde(with = "wire::secret_text")] SecretText),
    /// Recovery code.
    Kit(#[serde(with = "wire::secret_text")] SecretText),
    /// Where the backup is and what was counted in it.
    BackedUp { file: PathBuf, entries: u64, audit_lines: u64 },
    /// What the check found.
    Checked(CheckReport),
    /// Settings.
    Settings(Settings),
    /// What the log is searched for.
    Filter(AuditFilter),
    /// Manifests that the vault shares, by kind.
    Shared(Vec<SharedView>),
}

/// A manifest that the vault shares.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SharedView {
    /// The word of its kind.
    pub kind: String,
    /// Which vault.
    pub vault: VaultId,
    /// Name of who put it there.
    pub by: String,
    /// When.
    pub at: Time,
    /// Its text; nothing when it is damaged.
    pub text: Option<String>,
}

/// A configuration that is kept, for a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SnapshotView {
    /// Its number, from 1 for the life of the entry.
    pub n: u64,
    /// When it was read.
    pub at: Time,
    /// Name of who had it read.
    pub by: String,
    /// With which command.
    pub command: String,
    /// Size in bytes.
    pub size: u64,
    /// Number of lines.
    pub lines: u64,
}

/// A configuration that is kept.
#[derive(Serialize, Deserialize)]
pub struct SnapshotText {
    /// Which.
    pub snapshot: SnapshotView,
    /// What the device showed.
    #[serde(with = "wire::secret_text")]
    pub text: SecretText,
}

/// What came of reading a configuration.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// The newest one now.
    pub snapshot: SnapshotView,
    /// It is the same as before, and was not kept again.
    pub unchanged: bool,
    /// The one before, if it differs.
    pub before: Option<SnapshotView>,
    /// Lines that are new.
    pub added: u64,
    /// Lines that are gone.
    pub removed: u64,
}

/// The page of a web entry.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PageView {
    /// Joins its audit lines.
    pub session: SessionId,
    /// Its address.
    pub url: String,
    /// Login name; empty when the entry has none.
    pub user: String,
}

/// State of the vault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// Which vault.
    pub vault: VaultId,
    /// Its file.
    pub file: PathBuf,
    /// Who unlocked it.
    pub member: String,
    /// With which role.
    pub role: Role,
    /// True when opened with `--read-only`.
    pub read_only: bool,
    /// Number of entries, folders and clients excluded.
    pub entries: u64,
    /// Number of clients the member sees.
    pub clients: u64,
    /// Size of the audit log.
    pub audit_lines: u64,
    /// Open sessions.
    pub sessions: u64,
    /// When it was unlocked.
    pub unlocked_at: Time,
    /// Things to tell the person: weak device key place, window nearly over, …
    pub notices: Vec<Bi>,
}

/// A node for a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Item {
    /// The node.
    pub summary: Summary,
    /// `Client/Folder/Name`.
    pub path: String,
    /// 0 for a client, or the depth below the listed node.
    pub depth: u32,
}

/// A node with everything but its secrets.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EntryView {
    /// The node.
    pub entry: Entry,
    /// `Client/Folder/Name`.
    pub path: String,
    /// Path of the linked entry, if linked and found.
    pub linked: Option<String>,
    /// Properties of its client.
    pub client: ClientInfo,
    /// Name of its client.
    pub client_name: String,
    /// What a connection to it has to be justified by, and the client that asks
    /// first: its own, or one that gives a login or a machine on the way.
    pub asked: Option<(String, ClientInfo)>,
    /// Names of the people in it, by id.
    pub people: BTreeMap<MemberId, String>,
    /// Whether the asking member may reveal.
    pub may_reveal: bool,
    /// Whether the asking member may edit.
    pub may_edit: bool,
    /// The server keys pinned for its host.
    pub pinned: Vec<PinnedKey>,
    /// What connecting to it means on this machine, a screen given.
    pub opens: Opens,
    /// Configurations read from it, the newest first.
    pub snapshots: Vec<SnapshotView>,
    /// The command that reads it, if its settings say how.
    pub snapshot_command: Option<String>,
}

/// A one-time code and the time it is good for.
#[derive(Serialize, Deserialize)]
pub struct TotpView {
    /// The digits.
    #[serde(with = "wire::secret_text")]
    pub code: SecretText,
    /// Seconds until it changes.
    pub seconds_left: u64,
    /// Length of its step in seconds.
    pub period: u64,
}

/// A version for a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VersionView {
    /// Version, time, author.
    pub version: VersionRef,
    /// Name of the author.
    pub by: String,
    /// Fields that this version changed, by id; secrets by slot name. Nothing for
    /// the first.
    pub changed: Vec<String>,
    /// The entry as it is now.
    pub current: bool,
}

/// A member for a list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MemberView {
    /// The member.
    pub member: Member,
    /// Names of the clients granted; those the asker does not see are left out.
    pub clients: Vec<String>,
}

/// An enrolled computer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeviceView {
    /// Its id.
    pub id: DeviceId,
    /// Name given at enrolment.
    pub label: String,
    /// When it was enrolled.
    pub added_at: Time,
    /// True for the computer asking.
    pub this: bool,
}

/// One secret to change after somebody left.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RotateItem {
    /// The entry, by its present path; by the last one logged when it is gone.
    pub path: String,
    /// Which secret.
    pub slot: String,
    /// `secret.revealed`, `secret.copied`, `secret.filled`, …
    pub events: Vec<String>,
    /// Last time.
    pub last: Time,
}

/// Result of a verification of the live log or of a bundle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Verified {
    /// Lines seen.
    pub lines: u64,
    /// Lines covered by the newest author signature.
    pub signed: u64,
    /// Lines whose values can be read here, redacted ones left out; the others
    /// are covered by their hash alone.
    pub shown: u64,
    /// Values disclosed.
    pub disclosed: u64,
    /// Values redacted.
    pub redacted: u64,
    /// Public fingerprint.
    pub fingerprint: String,
    /// RFC 6962 root in base64.
    pub root: String,
    /// True when a fingerprint was given and matched.
    pub origin_proven: bool,
    /// What is wrong and where; empty when nothing is.
    pub faults: Vec<Bi>,
    /// What is no fault but worth knowing: lines not signed yet.
    pub notes: Vec<Bi>,
}

/// What `check` found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CheckReport {
    /// Nodes read.
    pub entries: u64,
    /// Sealed rows.
    pub cells: u64,
    /// Rows among them that no entry leads to, of clients that are at hand or of
    /// none at all.
    pub unreached: u64,
    /// Audit lines verified.
    pub audit_lines: u64,
    /// What is wrong and where; empty when nothing is.
    pub faults: Vec<Bi>,
}
