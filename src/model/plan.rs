//! The effective settings of an entry and where each one came from.

use serde::{Deserialize, Serialize};

use super::entry::{Kind, Slot};
use super::id::EntryId;
use super::lang::Bi;

/// Where an effective value was found.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The entry itself.
    Own,
    /// A folder or client above, by path.
    Inherited(String),
    /// A linked entry, by path.
    Linked(String),
    /// The member's own login, by path.
    Mine(String),
    /// The person is asked.
    Asked,
    /// The connector's default.
    Default,
    /// Found on this machine.
    Found,
    /// None that can be driven is on this machine: the person's own.
    Missing,
    /// The person's own, as the entry wants it.
    ByHand,
    /// Instead of what the entry prefers, which is not on this machine.
    Absent,
    /// Chosen, for this reason.
    Because(Bi),
}

/// One effective value. A secret appears only as "present".
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct PlanLine {
    /// Field id, such as `host`, `user`, `password`, `keepalive`.
    pub field: String,
    /// The value; empty for a secret.
    pub value: String,
    /// True when the value is a secret that is present.
    pub secret: bool,
    /// Where it came from.
    pub origin: Origin,
}

/// What would happen on connect, worked out without touching the network.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// The entry.
    pub entry: EntryId,
    /// `Client/Folder/Name`.
    pub path: String,
    /// Which connector.
    pub kind: Kind,
    /// Jump hosts in order of travel, by path.
    pub hops: Vec<String>,
    /// Effective values.
    pub lines: Vec<PlanLine>,
    /// Which entry gives each secret of the destination.
    pub secrets: Vec<(Slot, EntryId)>,
    /// Broken links, loops, missing logins. Connecting is refused while any stands.
    pub broken: Vec<Bi>,
    /// A ticket is needed.
    pub ticket_required: bool,
    /// A reason is needed.
    pub reason_required: bool,
}
