//! What the member may make and change: the policy's answer for the places of the
//! tree. Decides nothing itself.

use crate::app::api::Status;
use crate::model::entry::Kind;
use crate::model::member::Role;
use crate::model::policy::{Action, may, to_change};

/// What the member may make and change: the policy's answer, so that nothing is
/// offered that would be refused.
pub struct Rights {
    role: Role,
    writes: bool,
    /// Name of the private space.
    own: String,
}

impl Default for Rights {
    /// Nothing.
    fn default() -> Self {
        Self { role: Role::Auditor, writes: false, own: String::new() }
    }
}

impl Rights {
    /// Those of who unlocked.
    pub fn of(status: &Status) -> Self {
        let own = format!("~{}", status.member);
        Self { role: status.role, writes: !status.read_only, own }
    }

    /// Whether a node of `kind` at `path`, or below it, may be made or changed.
    /// The private space is also called `~`.
    pub fn change(&self, kind: &Kind, path: &str) -> bool {
        let top = path.split('/').next().unwrap_or_default();
        let own = top == "~" || top == self.own;
        self.writes && may(self.role, to_change(kind, own))
    }

    /// Whether sessions may be opened: each is written to the log first.
    pub fn connect(&self) -> bool {
        self.writes && may(self.role, Action::Connect)
    }

    /// Whether the vault was opened for reading only.
    pub fn read_only(&self) -> bool {
        !self.writes
    }

    /// Whether anything may be made below `path`.
    pub fn make_below(&self, path: &str) -> bool {
        kinds().any(|kind| self.change(&kind, path))
    }
}

/// What can be made in a container: a folder, or an entry.
pub(super) fn kinds() -> impl Iterator<Item = Kind> {
    crate::connect::all().iter().map(|c| Kind::new(c.id())).chain([Kind::FOLDER])
}
