//! Each question to the unlocked vault, and what answers it. It asks nothing.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{AttachmentBytes, CheckReport, DeviceView, EntryView, ExportRequest, Item};
use super::{MemberView, PageView, Patch, RotateItem, SharedView, SnapshotText, SnapshotView};
use super::{Status, Taken, TotpView, Verified, VersionView};
use crate::app::wire;
use crate::model::audit_event::{AuditFilter, OpenLine};
use crate::model::entry::{Kind, Slot};
use crate::model::id::{DeviceId, EntryId, MemberId, SessionId};
use crate::model::lang::{Bi, Lang};
use crate::model::member::Role;
use crate::model::plan::Plan;
use crate::model::settings::Settings;
use crate::secret::{SecretBytes, SecretText};

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
    /// A one-time invitation; needs the current factors again. Client names; empty
    /// with `all_clients`. [`Reply::Invitation`]
    Invite { name: String, role: Role, all_clients: bool, clients: Vec<String>, current: Factors },
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
    /// What this profile would change in a VPN of OpenVPN. [`Reply::VpnChanges`]
    VpnChanges {
        at: At,
        #[serde(with = "wire::secret_text")]
        profile: SecretText,
    },
    /// Takes a VPN down that the asking member raised, and ends the sessions that go
    /// through it. [`Reply::Done`]
    VpnDown { at: At },
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
    /// What a profile changes, each in a line; nothing when it is the same.
    VpnChanges(Vec<Bi>),
}
