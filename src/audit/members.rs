//! Who was a member with which role and key at each point of the log, replayed
//! from its signed statements. Names are not known here, only random ids.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::{Fault, Place};
use super::hash::{self, Hash};
use super::line::{Fact, Line};
use super::statement::{self, PublicKey};
use crate::model::audit_event::Event;
use crate::model::id::{MemberId, VaultId};
use crate::model::member::Role;
use crate::model::policy::{Action, may};

/// What a member may sign with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Standing {
    /// Role.
    pub role: Role,
    /// Key.
    pub pk: PublicKey,
    /// False while an invitation waits.
    pub joined: bool,
}

/// Members at one point of the log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Directory {
    /// Vault and root key, from the first line.
    pub(super) root: Option<(VaultId, PublicKey)>,
    /// Present members.
    pub(super) members: BTreeMap<MemberId, Standing>,
    /// Hashes of the statements used so far.
    pub(super) used: BTreeSet<Hash>,
}

impl Directory {
    /// Vault and root key; `None` before the first line.
    pub fn root(&self) -> Option<(VaultId, PublicKey)> {
        self.root
    }

    /// A member who has joined and was not removed.
    pub fn standing(&self, id: MemberId) -> Option<&Standing> {
        self.members.get(&id).filter(|s| s.joined)
    }

    /// Takes in the statement of a line, if it carries one.
    ///
    /// # Errors
    /// The statement is missing, wrong, used before, or its signer had no right.
    pub(super) fn apply(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        let bad = Fault::BadFact { line: line.seq };
        match (line.event, &line.fact) {
            (Event::VaultCreated, Some(Fact::Genesis { vault, root_pk, member, pk, sig })) => {
                if line.seq != 0 || self.root.is_some() {
                    return Err(bad);
                }
                let owner = Some(Role::Owner);
                let text = statement::member(*vault, *member, owner, pk, *member, line.at);
                if !statement::verify(root_pk, &text, sig) {
                    return Err(Fault::BadSignature { place: Place::Line(0) });
                }
                self.root = Some((*vault, *root_pk));
                self.used.insert(hash::sha256(&[&text]));
                let standing = Standing { role: Role::Owner, pk: *pk, joined: true };
                self.members.insert(*member, standing);
                Ok(())
            }
            (event, Some(Fact::Member { .. })) if MAY_CARRY.contains(&event) => {
                self.apply_member(line)
            }
            (event, None) if MUST_CARRY.contains(&event) => Err(bad),
            (Event::Checkpoint, Some(Fact::Checkpoint { .. })) | (_, None) => Ok(()),
            (_, Some(_)) => Err(bad),
        }
    }

    fn apply_member(&mut self, line: &Line<'_>) -> Result<(), Fault> {
        let (seq, place) = (line.seq, Place::Line(line.seq));
        let Some(Fact::Member { id, role, pk, by, sig }) = &line.fact else {
            return Err(Fault::BadFact { line: seq });
        };
        let Some((vault, _)) = self.root else { return Err(Fault::NoGenesis) };
        if line.actor != Some(*by) {
            return Err(Fault::BadFact { line: seq });
        }
        let before = self.members.get(id).copied();
        let signer = self.members.get(by).copied();
        let Some(signer) = signer.filter(|s| s.joined || by == id) else {
            return Err(Fault::UnknownSigner { place, by: by.to_string() });
        };
        let text = statement::member(vault, *id, *role, pk, *by, line.at);
        if !statement::verify(&signer.pk, &text, sig) {
            return Err(Fault::BadSignature { place });
        }
        let same_key = before.is_some_and(|b| b.pk == *pk);
        let own_key = by == id && before.is_some_and(|b| Some(b.role) == *role);
        let sound = match line.event {
            Event::MemberInvited => role.is_some() && by != id && before.is_none_or(|b| !b.joined),
            Event::MemberJoined => own_key && before.is_some_and(|b| !b.joined),
            Event::MemberChanged => role.is_some() && same_key,
            Event::MemberRemoved => role.is_none() && same_key,
            _ => own_key && signer.joined,
        };
        if !sound {
            return Err(Fault::BadFact { line: seq });
        }
        let owners = *role == Some(Role::Owner) || before.is_some_and(|b| b.role == Role::Owner);
        let needed = if owners { Action::ManageOwners } else { Action::ManageMembers };
        let allowed = own_key || (signer.joined && may(signer.role, needed));
        if !allowed {
            return Err(Fault::NotAllowed { place, by: by.to_string() });
        }
        if !self.used.insert(hash::sha256(&[&text])) {
            return Err(Fault::Replayed { line: seq });
        }
        match role {
            None => {
                self.members.remove(id);
            }
            Some(role) => {
                let waits = line.event == Event::MemberInvited
                    || (line.event == Event::MemberChanged && before.is_some_and(|b| !b.joined));
                self.members.insert(*id, Standing { role: *role, pk: *pk, joined: !waits });
            }
        }
        Ok(())
    }
}

/// Events that carry a [`Fact::Member`] where keys or roles change.
const MAY_CARRY: &[Event] = &[
    Event::MemberInvited,
    Event::MemberJoined,
    Event::MemberChanged,
    Event::MemberRemoved,
    Event::FactorChanged,
    Event::Recovered,
];

/// Events that never go without their fact.
const MUST_CARRY: &[Event] = &[
    Event::VaultCreated,
    Event::MemberInvited,
    Event::MemberJoined,
    Event::MemberRemoved,
    Event::Checkpoint,
];

/// Whether lines of the event with this word may carry facts, so that they are
/// read whole, and shown whole in every export.
pub fn carries_facts(event: &str) -> bool {
    // Most lines are told apart by their first letters.
    let family = ["vault.", "member.", "log."].iter().any(|f| event.starts_with(f));
    family && MAY_CARRY.iter().chain(MUST_CARRY).any(|e| e.word() == event)
}
