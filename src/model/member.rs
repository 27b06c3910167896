//! Members and their roles. Never holds a key.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::id::MemberId;
use super::time::Time;

/// What a member may do; see [`super::policy::may`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything, members included.
    Owner,
    /// Everything but owners.
    Admin,
    /// Connects, reveals and edits in the clients granted.
    Technician,
    /// Connects in the clients granted; never reveals. The program enforces
    /// this, not cryptography: the key to the secret is in the operator's reach.
    Operator,
    /// Reads the audit log; holds no client key, so cannot open a credential.
    Auditor,
}

impl Role {
    /// Every role, the strongest first.
    pub const ALL: [Self; 5] =
        [Self::Owner, Self::Admin, Self::Technician, Self::Operator, Self::Auditor];

    /// The word used in the CLI, in files and in the audit log.
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Technician => "technician",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
        }
    }

    /// Owner and admin see every client, whatever was granted.
    pub fn sees_every_client(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }

    /// Owner, admin and auditor hold the key that opens audit values.
    pub fn reads_audit(self) -> bool {
        matches!(self, Self::Owner | Self::Admin | Self::Auditor)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// No role has that name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of owner, admin, technician, operator, auditor")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;
    fn from_str(s: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|r| r.word() == s).ok_or(UnknownRole)
    }
}

/// What others may know of a member.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Member {
    /// Random identity, constant for life.
    pub id: MemberId,
    /// As typed at unlock; unique without regard to case.
    pub name: String,
    /// Current role.
    pub role: Role,
    /// True when clients made later are granted too.
    pub all_clients: bool,
    /// When the member was added or invited.
    pub added_at: Time,
    /// False while an invitation waits to be accepted.
    pub accepted: bool,
}
