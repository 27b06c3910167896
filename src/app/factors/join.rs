//! Joining by a code: an accepted invitation or a recovery. Never lets
//! two in by one code.

use crate::app::anchor::{self, DeviceKey};
use crate::app::api::AppError;
use crate::app::enrolment::NewMember;
use crate::app::unlock::{log_older, machine, remember_here};
use crate::app::worker::Worker;
use crate::app::{Finished, auditing, devices, draft, people};
use crate::audit::line::Fact;
use crate::model::audit_event::{Event, field};
use crate::model::id::{MemberId, SlotId};
use crate::os::{clock, random};
use crate::secret::SecretBytes;
use crate::store::sqlite::SqliteStore;
use crate::vault::cert::{Act, PublicKeys};
use crate::vault::identity::Identity;
use crate::vault::log;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params};
use crate::vault::state::Device;
use crate::vault::unlocked::{Env, Unlocked};

use super::by_code::{ByCode, open_code};
use super::dropped_notice;
use super::kit::put_kit;
use super::login::{NewLogin, before, cost, make_login, put_login};

impl Worker {
    /// New factors for a member whom a code opens.
    pub(super) fn join(
        &mut self,
        new: &NewMember,
        kind: Kind,
        given: &SecretBytes,
        accept_older: bool,
    ) -> Result<Finished, AppError> {
        let mut store = SqliteStore::open(&self.file, false)?;
        let ByCode { vault: mut v, slot, older } = open_code(&store, kind, given, accept_older)?;
        let vault = v.header.vault;
        let me = v.me;
        let name = people::name(&v, &me);
        let portable = is_portable(&store, &me)?;
        let device = match (portable, DeviceKey::load(&vault)?) {
            (true, _) => None,
            (false, Some(known)) => Some((known.id, known.key, false)),
            (false, None) => {
                let (id, key) = DeviceKey::generate();
                Some((id, key, true))
            }
        };
        // Who was invited gets keys that the inviter never saw.
        let fresh = (kind == Kind::Invitation)
            .then(|| (Identity::from_seeds(random::key(), &random::key()), random::key()));
        let wrapped = fresh.as_ref().map_or(&v.member_key, |(_, key)| key).duplicate();
        let login = NewLogin {
            name: &name,
            password: &new.password,
            secret: &new.secret,
            device: device.as_ref().map(|(id, key, _)| (*id, key)),
            cost: cost(None)?,
            used_step: before(new.confirmed),
        };
        let slot_id = SlotId(random::id());
        let made = make_login(vault, slot_id, me, &wrapped, &login)?;
        let mut notices = Vec::new();
        if let Some((id, key, true)) = &device {
            notices.extend(anchor::notice(&DeviceKey::store(&vault, id, key)?));
        }
        let here = device.as_ref().map(|(id, _, _)| *id);
        let mut dropped = Vec::new();
        let machine = machine();
        let mut fill = |out: &mut [u8]| random::fill(out);
        let fingerprint = auditing::fingerprint(&v);
        let written = store.write(|rows| {
            let mut env = Env { now: clock::now(), random: &mut fill, machine: &machine };
            v.refresh(rows)?;
            // Of two who use one code, the second finds it gone.
            if !rows.slots()?.iter().any(|s| s.id == slot) {
                return Err(AppError::refused());
            }
            if older {
                log_older(&mut v, rows, &mut env)?;
            }
            if let Some((identity, key)) = fresh {
                v.drop_slot(rows, &slot)?;
                let provisional = std::mem::replace(&mut v.identity, identity);
                v.member_key = key;
                accept(&mut v, rows, &mut env, &provisional, &name)?;
            } else {
                let awaited = devices::awaited(rows)?;
                for old in rows.slots()?.iter().filter(|s| s.member == me) {
                    v.drop_slot(rows, &old.id)?;
                }
                let others = |d: &&Device| {
                    d.member == me && Some(d.id) != here && !awaited.contains(&d.slot)
                };
                dropped = v.state.devices.iter().filter(others).map(|d| d.label.clone()).collect();
                v.state.devices.retain(|d| d.member != me);
                // A new secret counts from its own first step.
                v.state.last_steps.retain(|(m, _)| *m != me);
                let mut line = draft(&v, &env, Event::Recovered, true);
                line.fields.push((field::DETAIL, "recovery kit used, factors replaced".into()));
                v.log(rows, &mut env, line)?;
            }
            put_login(&mut v, rows, &made)?;
            put_kit(&mut v, rows, &mut env, &new.kit)?;
            if let Some((id, _, _)) = &device {
                let at = env.now;
                v.state.devices.push(Device {
                    id: *id,
                    slot: slot_id,
                    member: me,
                    label: machine.clone(),
                    added_at: at,
                });
            }
            v.ring_dirty = true;
            log::sign(&mut v, rows, &mut env)?;
            v.save(rows, &mut env)?;
            Ok(())
        });
        if let Err(e) = written {
            if matches!(device, Some((_, _, true))) {
                let _ = DeviceKey::forget(&vault);
            }
            return Err(e);
        }
        remember_here(&v, older);
        notices.extend(dropped_notice(&dropped));
        Ok(Finished { file: self.file.clone(), member: name, fingerprint, notices })
    }
}

/// The statements and lines of an accepted invitation.
fn accept(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    old: &Identity,
    name: &str,
) -> Result<(), AppError> {
    let me = v.me;
    let keys = PublicKeys::of(&v.identity);
    let (vault, at) = (v.header.vault, env.now);
    let statement = v
        .directory
        .state(me, old.signing(), me, Act::Rekey { keys: keys.clone() }, at)
        .map_err(|_| AppError::role())?;
    v.cards.entry(me).or_default().statements.push(statement);
    v.ring.seen = Some(v.directory.seen());
    v.put_card(rows, env, me)?;
    let role = people::role(v);
    let fact = Fact::member(vault, me, Some(role), keys.ed, me, at, &|m| old.signing().sign(m));
    let mut line = draft(v, env, Event::MemberJoined, true);
    line.fields.push((field::SUBJECT, name.to_owned()));
    line.fields.push((field::ROLE, role.to_string()));
    line.fact = Some(fact);
    Ok(v.log(rows, env, line)?)
}

fn is_portable(store: &SqliteStore, me: &MemberId) -> Result<bool, AppError> {
    let slots = store.read(|rows| Ok::<_, AppError>(rows.slots()?))?;
    let logins: Vec<(MemberId, bool)> = slots
        .iter()
        .filter_map(|s| Some((s.member, Params::parse(&s.params).ok()?.login?.device.is_none())))
        .collect();
    // A new member follows the founder's choice; a known one keeps the own.
    let own = logins.iter().find(|(m, _)| m == me);
    Ok(own.or(logins.first()).is_some_and(|(_, portable)| *portable))
}
