//! Members: inviting, changing, removing. Who leaves takes no key along: every
//! key that member held is replaced, and what that member used or saw is listed.

use std::collections::BTreeMap;

use crate::audit::line::Fact;
use crate::crypto::Random;
use crate::model::audit_event::{Event, OpenLine, field};
use crate::model::id::{EntryId, MemberId, SlotId};
use crate::model::member::Role;
use crate::model::order::natural;
use crate::model::policy::{Action, may};
use crate::os::random;
use crate::secret::Key32;
use crate::vault::cert::{Act, PublicKeys};
use crate::vault::code;
use crate::vault::grant::{AUDIT_KEY, PENDING_KEY, VAULT_KEY};
use crate::vault::identity::{self, Identity, KeyRing};
use crate::vault::log::Reader;
use crate::vault::rows::{MemberRow, Rows};
use crate::vault::slot::Kind;
use crate::vault::unlocked::{Env, Unlocked};

use super::api::{AppError, Code, Factors, MemberView, Reply, RotateItem};
use super::entries::need;
use super::unlock::take_all_waiting;
use super::worker::Open;
use super::{draft, enrolment, grants};

fn may_manage(v: &Unlocked, roles: &[Role]) -> Result<(), AppError> {
    let owner = roles.contains(&Role::Owner);
    need(v, if owner { Action::ManageOwners } else { Action::ManageMembers })
}

fn find(v: &Unlocked, name: &str) -> Result<(MemberId, Role, String), AppError> {
    let m = v.directory.named(name).ok_or_else(|| AppError::no_member(name))?;
    Ok((m.id, m.role, m.name.clone()))
}

/// Refuses to leave the vault without an owner who accepted.
fn another_owner(v: &Unlocked, id: &MemberId) -> Result<(), AppError> {
    let mut owners = v.directory.members().filter(|m| m.role == Role::Owner && m.accepted);
    if owners.any(|m| m.id != *id) {
        return Ok(());
    }
    Err(AppError::new(
        Code::NotAllowed,
        (
            "C’est le dernier propriétaire\u{a0}: il doit le rester.",
            "This is the last owner, who must stay one.",
        ),
        (
            "Nommez d’abord un autre propriétaire\u{a0}: poterne member role NOM --role owner",
            "Make somebody else an owner first: poterne member role NAME --role owner",
        ),
    ))
}

fn client_ids(v: &Unlocked, names: &[String]) -> Result<Vec<EntryId>, AppError> {
    names
        .iter()
        .map(|n| v.index.top(n).map(|s| s.id).ok_or_else(|| AppError::no_client(n)))
        .collect()
}

/// The clients of an invitation that may be made.
fn may_invite(
    v: &Unlocked,
    name: &str,
    role: Role,
    clients: &[String],
) -> Result<Vec<EntryId>, AppError> {
    may_manage(v, &[role])?;
    if v.directory.named(name).is_some() {
        return Err(AppError::usage(
            ("Il y a déjà un membre de ce nom.", "There is a member of this name already."),
            ("Choisissez un autre nom.", "Choose another name."),
        ));
    }
    client_ids(v, clients)
}

/// Clients whose keys a member of this role and reach is to hold.
fn wanted(v: &Unlocked, role: Role, all: bool, chosen: &[EntryId]) -> Vec<EntryId> {
    if role == Role::Auditor {
        return Vec::new();
    }
    if !(all || role.sees_every_client()) {
        return chosen.to_vec();
    }
    // A member's private client is nobody else's.
    let private = |c: &EntryId| v.index.get(c).is_some_and(|s| s.name.starts_with('~'));
    v.ring.clients().filter(|c| !private(c)).copied().collect()
}

fn member_line(
    v: &Unlocked,
    env: &Env<'_>,
    event: Event,
    subject: &str,
    role: Role,
    fact: Option<Fact>,
) -> crate::audit::line::Draft {
    let mut line = draft(v, env, event, true);
    line.fields.push((field::SUBJECT, subject.to_owned()));
    line.fields.push((field::ROLE, role.to_string()));
    line.fact = fact;
    line
}

impl Open {
    pub(super) fn members(&mut self) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            let names = v.client_names();
            let mut out = Vec::new();
            for m in v.directory.members() {
                let held = v.clients_of(rows, &m.id)?;
                let mut clients: Vec<_> = held.iter().filter_map(|c| names.get(c)).collect();
                clients.sort_by_cached_key(|name| natural(name));
                out.push(MemberView {
                    member: m.member(),
                    clients: clients.into_iter().cloned().collect(),
                });
            }
            out.sort_by_key(|m| (m.member.role, natural(&m.member.name)));
            Ok(Reply::Members(out))
        })
    }

    /// A code that lets somebody in for good: so it is given only to who proves the
    /// present factors, as one for another computer. What is refused for what was asked
    /// uses up no code of theirs.
    pub(super) fn invite(
        &mut self,
        name: &str,
        role: Role,
        all: bool,
        clients: &[String],
        current: &Factors,
    ) -> Result<Reply, AppError> {
        enrolment::check_name(name)?;
        let name = name.trim().to_owned();
        self.read(|v, _| may_invite(v, &name, role, clients).map(drop))?;
        self.prove(current, "an invitation")?;
        let member_key = random::key();
        let provisional = Identity::from_seeds(random::key(), &random::key());
        let mut fill = |out: &mut [u8]| random::fill(out);
        let given = code::draw(&mut fill);
        let printed = code::print(Kind::Invitation, &given);
        self.write(|v, rows, env| {
            let chosen = may_invite(v, &name, role, clients)?;
            let id = MemberId(env.id());
            let keys = PublicKeys::of(&provisional);
            let act = Act::Add { name: name.clone(), role, all_clients: all, keys: keys.clone() };
            v.put_member_row(rows, &MemberRow { id, card: Vec::new(), private: None })?;
            v.state_member(rows, env, id, act)?;
            // The invitation opens a ring that already holds what was granted.
            let mut ring = KeyRing::default();
            ring.seen = Some(v.directory.seen());
            for (generation, key) in v.ring.vault_keys() {
                ring.put_vault_key(generation, key.duplicate());
            }
            let copy = |key: Option<(u32, &Key32)>| key.map(|(g, seed)| (g, seed.duplicate()));
            ring.set_pending_key(copy(v.ring.pending_key()));
            if role.reads_audit() {
                ring.set_audit_key(copy(v.ring.audit_key()));
            }
            for client in wanted(v, role, all, &chosen) {
                let (generation, key) = v.client_key(&client)?;
                let key = key.duplicate();
                v.hand(rows, env, &id, client, generation, &key)?;
                ring.put_client_key(client, generation, key);
            }
            grants::hand_all(v, rows, env, &id)?;
            let private = identity::seal_private(
                &member_key,
                &v.header.vault,
                &id,
                &provisional,
                &ring,
                &env.salt(),
            );
            let row = rows.members()?.into_iter().find(|m| m.id == id);
            let mut row = row.ok_or_else(|| AppError::no_member(&name))?;
            row.private = Some(private);
            v.put_member_row(rows, &row)?;
            let slot = SlotId(env.id());
            let random: &mut Random<'_> = env.random;
            let (slot, _) = code::create(
                &v.header.vault,
                slot,
                Kind::Invitation,
                id,
                &given,
                &member_key,
                random,
            );
            v.put_slot(rows, &slot)?;
            let (vault, me, at) = (v.header.vault, v.me, env.now);
            let fact = Fact::member(vault, id, Some(role), keys.ed, me, at, &|m| {
                v.identity.signing().sign(m)
            });
            let line = member_line(v, env, Event::MemberInvited, &name, role, Some(fact));
            Ok(v.log(rows, env, line)?)
        })?;
        Ok(Reply::Invitation(printed))
    }

    pub(super) fn change_member(
        &mut self,
        name: &str,
        role: Role,
        all: bool,
        clients: &[String],
    ) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let (id, before, name) = find(v, name)?;
            may_manage(v, &[before, role])?;
            if before == Role::Owner && role != Role::Owner {
                another_owner(v, &id)?;
            }
            // The keys that a demotion replaces count only from who may hand out keys.
            if id == v.me && !may(role, Action::ManageMembers) {
                return Err(AppError::usage(
                    (
                        "On ne se retire pas soi-même le droit de gérer les membres.",
                        "You cannot take the right to manage members from yourself.",
                    ),
                    ("Demandez-le à un autre propriétaire.", "Ask another owner."),
                ));
            }
            let chosen = client_ids(v, clients)?;
            let act = Act::Change { name: name.clone(), role, all_clients: all };
            v.state_member(rows, env, id, act)?;
            let held = v.clients_of(rows, &id)?;
            let want = wanted(v, role, all, &chosen);
            for client in want.iter().filter(|c| !held.contains(c)) {
                let (generation, key) = v.client_key(client)?;
                let key = key.duplicate();
                v.hand(rows, env, &id, *client, generation, &key)?;
            }
            // Who loses a client must lose its key too, so the key is replaced.
            let private =
                v.client_names().into_iter().filter(|(_, n)| n.starts_with('~')).map(|(c, _)| c);
            let keep: Vec<EntryId> = private.collect();
            for client in held.iter().filter(|c| !want.contains(c) && !keep.contains(c)) {
                if v.client_key(client).is_err() {
                    continue;
                }
                let others: Vec<MemberId> =
                    v.members_of(rows, client)?.into_iter().filter(|m| *m != id).collect();
                v.rotate_client(rows, env, *client, &others)?;
            }
            regrant_audit(v, rows, env, &id, before, role)?;
            if !may(role, Action::ManageMembers) {
                take_over(v, rows, env, id)?;
            }
            let pk = v.directory.member(&id).map_or([0; 32], |m| m.keys.ed);
            let (vault, me, at) = (v.header.vault, v.me, env.now);
            let fact = (before != role).then(|| {
                Fact::member(vault, id, Some(role), pk, me, at, &|m| v.identity.signing().sign(m))
            });
            let line = member_line(v, env, Event::MemberChanged, &name, role, fact);
            v.log(rows, env, line)?;
            Ok(Reply::Done)
        })
    }

    pub(super) fn remove_member(&mut self, name: &str) -> Result<Reply, AppError> {
        let rotate = self.write(|v, rows, env| {
            let (id, role, name) = find(v, name)?;
            may_manage(v, &[role])?;
            if id == v.me {
                return Err(AppError::usage(
                    ("On ne se retire pas soi-même.", "You cannot remove yourself."),
                    ("Demandez-le à un autre propriétaire.", "Ask another owner."),
                ));
            }
            let rotate = used_by(v, rows, &id, &name)?;
            // What waits is sealed to a key that is replaced here.
            take_all_waiting(v, rows, env)?;
            let pk = v.directory.member(&id).map_or([0; 32], |m| m.keys.ed);
            let held = v.clients_of(rows, &id)?;
            v.state_member(rows, env, id, Act::Remove)?;
            for row in rows.grants_of(&id)? {
                v.drop_grant(rows, &row)?;
            }
            take_over(v, rows, env, id)?;
            for slot in rows.slots()?.iter().filter(|s| s.member == id) {
                v.drop_slot(rows, &slot.id)?;
            }
            v.state.devices.retain(|d| d.member != id);
            let row = rows.members()?.into_iter().find(|m| m.id == id);
            if let Some(mut row) = row {
                row.private = None;
                v.put_member_row(rows, &row)?;
            }
            v.rotate_vault_key(rows, env)?;
            v.rotate_pending_key(rows, env)?;
            if role.reads_audit() {
                v.rotate_audit_key(rows, env, &readers(v))?;
            }
            for client in held {
                if v.client_key(&client).is_ok() {
                    let others = v.members_of(rows, &client)?;
                    v.rotate_client(rows, env, client, &others)?;
                }
            }
            let (vault, me, at) = (v.header.vault, v.me, env.now);
            let fact = Fact::member(vault, id, None, pk, me, at, &|m| v.identity.signing().sign(m));
            let mut line = member_line(v, env, Event::MemberRemoved, &name, role, Some(fact));
            line.fields.push((field::COUNT, rotate.len().to_string()));
            v.log(rows, env, line)?;
            Ok(rotate)
        })?;
        // Old rows must not linger in free pages.
        let _ = self.store.vacuum();
        Ok(Reply::Removed { rotate })
    }

    /// Who was removed, for whoever removes members.
    pub(super) fn former_members(&mut self) -> Result<Reply, AppError> {
        self.read(|v, _| {
            need(v, Action::ManageMembers)?;
            let mut out: Vec<MemberView> = v
                .directory
                .former()
                .map(|m| MemberView { member: m.member(), clients: Vec::new() })
                .collect();
            out.sort_by_key(|m| natural(&m.member.name));
            Ok(Reply::Members(out))
        })
    }

    /// What a member had used or revealed, as the log has it now.
    pub(super) fn rotation(&mut self, id: &MemberId) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::ManageMembers)?;
            let name = super::people::name(v, id);
            Ok(Reply::Removed { rotate: used_by(v, rows, id, &name)? })
        })
    }
}

fn rehand(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    to: MemberId,
    subject: EntryId,
    generation: u32,
) -> Result<(), AppError> {
    let present = |held: Option<(u32, _)>| held.filter(|(g, _)| *g == generation).map(|h| h.1);
    let key = match subject {
        VAULT_KEY => v.ring.vault_key(generation),
        AUDIT_KEY => present(v.ring.audit_key()),
        PENDING_KEY => present(v.ring.pending_key()),
        client => v.ring.client_key_at(&client, generation),
    };
    match key.map(Key32::duplicate) {
        Some(key) => Ok(v.hand(rows, env, &to, subject, generation, &key)?),
        None => Ok(()),
    }
}

/// Hands anew what `id`, who may no longer hand out keys, gave to others: a
/// grant counts only while its grantor has that right.
fn take_over(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    id: MemberId,
) -> Result<(), AppError> {
    let given: Vec<_> =
        rows.grants()?.into_iter().filter(|g| g.grantor == id && g.member != id).collect();
    for row in &given {
        v.drop_grant(rows, row)?;
        if v.directory.member(&row.member).is_some() {
            rehand(v, rows, env, row.member, row.subject, row.generation)?;
        }
    }
    Ok(())
}

/// Hands the audit key to who may read the log now, and replaces it when one may
/// no longer: the values written from now on are not that member's to read.
fn regrant_audit(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    id: &MemberId,
    before: Role,
    role: Role,
) -> Result<(), AppError> {
    match (before.reads_audit(), role.reads_audit()) {
        (false, true) => {
            let generation = v.state.audit_gen;
            rehand(v, rows, env, *id, AUDIT_KEY, generation)
        }
        (true, false) => Ok(v.rotate_audit_key(rows, env, &readers(v))?),
        _ => Ok(()),
    }
}

/// Members who may read the log, by the roles of now.
fn readers(v: &Unlocked) -> Vec<MemberId> {
    v.directory.members().filter(|m| m.role.reads_audit()).map(|m| m.id).collect()
}

/// Every secret a member revealed, copied, showed or handed to a connector.
fn used_by(
    v: &Unlocked,
    rows: &dyn Rows,
    id: &MemberId,
    name: &str,
) -> Result<Vec<RotateItem>, AppError> {
    let reader = Reader::new(v, rows)?;
    let mut seen = Seen::new();
    let mut failed = None;
    rows.each_audit(0, &mut |row| {
        match reader.line(&row) {
            Ok(line) => note(v, &mut seen, &line, id),
            Err(e) => failed = Some(e),
        }
        failed.is_none()
    })?;
    match failed {
        Some(e) => Err(AppError {
            code: Code::Tampered,
            todo: crate::model::lang::Bi::new(
                format!("Lancez `poterne check` avant de retirer {name}."),
                format!("Run `poterne check` before removing {name}."),
            ),
            ..AppError::from(e)
        }),
        None => {
            let mut all: Vec<RotateItem> = seen.into_values().collect();
            all.sort_by(|a, b| (&a.path, &a.slot).cmp(&(&b.path, &b.slot)));
            Ok(all)
        }
    }
}

/// What was used, by the entry's id (its path, where the line names an entry that
/// is gone and no id) and the secret.
type Seen = BTreeMap<(Result<EntryId, String>, String), RotateItem>;

fn note(v: &Unlocked, seen: &mut Seen, line: &OpenLine, id: &MemberId) {
    use Event as E;
    let counts =
        matches!(line.event, E::SecretRevealed | E::SecretCopied | E::SecretFilled | E::TotpShown);
    if line.actor != Some(*id) || !counts {
        return;
    }
    let logged = line.field(field::ENTRY);
    let node = match line.field(field::ENTRY_ID).parse::<EntryId>() {
        Ok(id) => Ok(id),
        // Lines of earlier builds name the path alone.
        Err(_) => v.index.at_path(logged).map(|s| s.id).ok_or_else(|| logged.to_owned()),
    };
    let now = node.as_ref().ok().and_then(|id| v.index.get(id)).map(|s| v.index.path(&s));
    let path = now.unwrap_or_else(|| logged.to_owned());
    // Only what a session takes is a list; a name may have a comma in it.
    let slots: Vec<&str> = match line.event {
        // Who saw codes may have what makes them.
        E::TotpShown => vec!["totp"],
        E::SecretFilled => line.field(field::SLOT).split(',').collect(),
        _ => vec![line.field(field::SLOT)],
    };
    for slot in slots {
        let key = (node.clone(), slot.to_owned());
        let item = seen.entry(key).or_insert_with(|| RotateItem {
            path: path.clone(),
            slot: slot.to_owned(),
            events: Vec::new(),
            last: line.at,
        });
        item.path.clone_from(&path);
        item.last = line.at;
        let word = line.event.word().to_owned();
        if !item.events.contains(&word) {
            item.events.push(word);
        }
    }
}
