//! What is shown of the vault, its people and its log: texts and numbers, and a secret
//! only where a name says so. It looks nothing up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::AppError;
use crate::app::wire;
use crate::connect::Opens;
use crate::connect::vpn::journal::Now;
use crate::model::entry::{ClientInfo, Entry, Summary, VersionRef};
use crate::model::id::{DeviceId, EntryId, MemberId, SessionId, VaultId};
use crate::model::lang::Bi;
use crate::model::member::{Member, Role};
use crate::model::target::PinnedKey;
use crate::model::time::Time;
use crate::secret::SecretText;

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
    /// Its text, or why it is not used.
    pub text: Result<String, AppError>,
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

/// A VPN that is up or being raised.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct VpnView {
    /// Its entry.
    pub entry: EntryId,
    /// `Client/Folder/Name`.
    pub path: String,
    /// How many sessions go through it or wait for it.
    pub sessions: usize,
    /// How it is.
    pub now: Now,
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
    /// VPNs that are up or being raised.
    pub vpns: Vec<VpnView>,
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
