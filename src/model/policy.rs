//! Who may do what. Pure: the only place where roles meet actions.

use super::entry::Kind;
use super::member::Role;

/// Something a member wants to do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Action {
    /// See names, hosts and plans of granted clients.
    Browse,
    /// Open a session.
    Connect,
    /// See or copy a secret, or a TOTP code.
    Reveal,
    /// Make or change entries and folders.
    Edit,
    /// Keep logins of one's own in one's private space, and nothing else.
    KeepOwn,
    /// Make, change or delete clients.
    EditClients,
    /// Read, export and verify the audit log of the vault.
    ReadAudit,
    /// Invite, remove or change members below owner.
    ManageMembers,
    /// Invite, remove or change owners.
    ManageOwners,
    /// Change vault settings, restore a backup.
    ManageVault,
}

/// Whether `role` may do `action` at all; which clients it applies to is
/// decided by the keys the member holds.
pub fn may(role: Role, action: Action) -> bool {
    use Action as A;
    use Role as R;
    match role {
        R::Owner => true,
        R::Admin => action != A::ManageOwners,
        R::Technician => {
            matches!(action, A::Browse | A::Connect | A::Reveal | A::Edit | A::KeepOwn)
        }
        R::Operator => matches!(action, A::Browse | A::Connect | A::KeepOwn),
        R::Auditor => action == A::ReadAudit,
    }
}

/// What it takes to make or change a node of `kind`; `own` when it is in the
/// private space of whoever does it.
pub fn to_change(kind: &Kind, own: bool) -> Action {
    if *kind == Kind::CLIENT {
        Action::EditClients
    } else if own && kind.word() == "credential" {
        Action::KeepOwn
    } else {
        Action::Edit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operator_connects_but_never_reveals() {
        assert!(may(Role::Operator, Action::Connect));
        assert!(!may(Role::Operator, Action::Reveal));
        assert!(!may(Role::Operator, Action::Edit));
        assert!(may(Role::Operator, Action::KeepOwn));
    }

    #[test]
    fn auditor_reads_the_log_and_nothing_else() {
        assert!(may(Role::Auditor, Action::ReadAudit));
        for action in [Action::Browse, Action::Connect, Action::Reveal, Action::Edit] {
            assert!(!may(Role::Auditor, action));
        }
    }

    #[test]
    fn admin_cannot_touch_owners() {
        assert!(may(Role::Admin, Action::ManageMembers));
        assert!(!may(Role::Admin, Action::ManageOwners));
    }
}
