//! Enrolled computers: a one-time code shown on one of them lets another in,
//! together with the member's own password and code.

use std::collections::BTreeSet;

use crate::crypto::Random;
use crate::model::audit_event::{Event, field};
use crate::model::id::{DeviceId, SlotId};
use crate::model::policy::Action;
use crate::os::{clock, random};
use crate::secret::{SecretBytes, SecretText};
use crate::store::sqlite::SqliteStore;
use crate::vault::code;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params, SlotRow};
use crate::vault::state::Device;
use crate::vault::unlocked::Env;

use super::anchor::{self, DeviceKey};
use super::api::{AppError, Code, DeviceView, Factors, Reply};
use super::enrolment::read_code;
use super::entries::need;
use super::factors;
use super::unlock::{log_older, machine, noting, remember_here};
use super::worker::{Open, Worker};
use super::{Finished, draft};

/// What enrolling this computer takes.
pub(super) struct NewDevice {
    pub(super) code: SecretText,
    pub(super) member: Option<String>,
    pub(super) factors: Factors,
    pub(super) accept_older: bool,
}

/// What the log tells of a code; the computer need not have a name.
fn given_for(label: &str) -> String {
    match label {
        "" => "code given".to_owned(),
        _ => format!("code given for {label}"),
    }
}

impl Open {
    pub(super) fn devices(&mut self) -> Result<Reply, AppError> {
        let slot = self.slot;
        self.read(|v, rows| {
            let awaited = awaited(rows)?;
            let known = |d: &&Device| d.member == v.me && !awaited.contains(&d.slot);
            let mine = v.state.devices.iter().filter(known);
            let view = |d: &Device| DeviceView {
                id: d.id,
                label: d.label.clone(),
                added_at: d.added_at,
                this: d.slot == slot,
            };
            Ok(Reply::Devices(mine.map(view).collect()))
        })
    }

    /// A code for another computer. It opens the member's key until it is used:
    /// so it is given only to who proves the present factors.
    pub(super) fn add_device(&mut self, label: &str, current: &Factors) -> Result<Reply, AppError> {
        self.prove(current, "another computer")?;
        let mut fill = |out: &mut [u8]| random::fill(out);
        let given = code::draw(&mut fill);
        let printed = code::print(Kind::Enrolment, &given);
        let label = label.trim().to_owned();
        self.write(|v, rows, env| {
            let id = SlotId(env.id());
            let random: &mut Random<'_> = env.random;
            let (row, _) = code::create(
                &v.header.vault,
                id,
                Kind::Enrolment,
                v.me,
                &given,
                &v.member_key,
                random,
            );
            v.put_slot(rows, &row)?;
            // Kept with the code until it is used: so the computer bears the name
            // that was given here, not what it calls itself.
            let device = DeviceId(env.id());
            let (member, label, added_at) = (v.me, label.clone(), env.now);
            v.state.devices.push(Device {
                id: device,
                slot: id,
                member,
                label: label.clone(),
                added_at,
            });
            let mut line = draft(v, env, Event::DeviceAdded, true);
            line.fields.push((field::DETAIL, given_for(&label)));
            Ok(v.log(rows, env, line)?)
        })?;
        Ok(Reply::EnrolCode(printed))
    }

    pub(super) fn remove_device(&mut self, id: DeviceId) -> Result<Reply, AppError> {
        let own = self.slot;
        self.write(|v, rows, env| {
            let waiting = awaited(rows)?;
            let known = v.state.devices.iter().find(|d| {
                d.id == id && (d.member == v.me || need(v, Action::ManageMembers).is_ok())
            });
            let known = known.filter(|d| !waiting.contains(&d.slot));
            let known = known.cloned().ok_or_else(|| AppError::no_device(&id))?;
            if known.slot == own {
                return Err(AppError::usage(
                    (
                        "C’est l’ordinateur que vous utilisez.",
                        "This is the computer you are using.",
                    ),
                    (
                        "Retirez-le depuis un autre ordinateur enrôlé.",
                        "Remove it from another enrolled computer.",
                    ),
                ));
            }
            v.drop_slot(rows, &known.slot)?;
            v.state.devices.retain(|d| d.slot != known.slot);
            let mut line = draft(v, env, Event::DeviceRemoved, true);
            line.fields.push((field::DETAIL, known.label));
            v.log(rows, env, line)?;
            Ok(Reply::Done)
        })
    }

    pub(super) fn settings(&mut self) -> Result<Reply, AppError> {
        self.read(|v, _| Ok(Reply::Settings(v.state.settings.clone())))
    }

    pub(super) fn set_settings(
        &mut self,
        expected: &super::api::Settings,
        new: super::api::Settings,
    ) -> Result<Reply, AppError> {
        if !new.in_range() {
            return Err(AppError::usage(
                ("Une valeur est hors limites.", "A value is out of range."),
                (
                    "Verrouillage 30 s à 24 h, presse-papiers 5 à 600 s, 1 à 100 sauvegardes.",
                    "Lock 30 s to 24 h, clipboard 5 to 600 s, 1 to 100 backups.",
                ),
            ));
        }
        self.write(|v, rows, env| {
            need(v, Action::ManageVault)?;
            if v.state.settings != *expected {
                return Err(AppError::new(
                    Code::Other,
                    (
                        "Quelqu’un a changé les réglages entre-temps\u{a0}: rien n’est enregistré.",
                        "Somebody changed the settings meanwhile: nothing was saved.",
                    ),
                    (
                        "Relisez-les, puis enregistrez à nouveau.",
                        "Read them again, then save again.",
                    ),
                ));
            }
            let changes = new.changes(&v.state.settings);
            v.state.settings = new;
            let mut line = draft(v, env, Event::SettingsChanged, true);
            if !changes.is_empty() {
                line.fields.push((field::DETAIL, changes.join(", ")));
            }
            v.log(rows, env, line)?;
            Ok(Reply::Done)
        })
    }
}

/// Slots of codes that wait for the computer they were given for.
pub(super) fn awaited(rows: &dyn Rows) -> Result<BTreeSet<SlotId>, AppError> {
    let code = |s: &SlotRow| Params::parse(&s.params).is_ok_and(|p| p.kind == Kind::Enrolment);
    Ok(rows.slots()?.iter().filter(|s| code(s)).map(|s| s.id).collect())
}

impl Worker {
    /// Enrols this computer: a one-time code or the recovery kit opens the member's
    /// key; password and phone code then guard the login made here. A code is gone
    /// with it, the kit stays.
    pub(super) fn enrol_device(&mut self, new: NewDevice) -> Result<Finished, AppError> {
        let kit = new.code.expose(|c| code::parse(Kind::Recovery, c)).is_ok();
        let kind = if kit { Kind::Recovery } else { Kind::Enrolment };
        let given = read_code(kind, &new.code)?;
        let done = self.enrol_by(kind, &given, &new);
        noting(&self.file, new.member.as_deref(), done)
    }

    fn enrol_by(
        &self,
        kind: Kind,
        given: &SecretBytes,
        new: &NewDevice,
    ) -> Result<Finished, AppError> {
        let kit = kind == Kind::Recovery;
        let mut store = SqliteStore::open(&self.file, false)?;
        let factors::ByCode { vault: mut v, slot, older } =
            factors::open_code(&store, kind, given, new.accept_older)?;
        let name = super::people::name(&v, &v.me);
        if new.member.as_deref().is_some_and(|m| m.trim().to_lowercase() != name.to_lowercase()) {
            return Err(AppError::refused());
        }
        let vault = v.header.vault;
        let me = v.me;
        let (secret, cost, used) = factors::proved(&store, &v, &new.factors)?;
        let (device, key, fresh) = match DeviceKey::load(&vault)? {
            Some(known) => (known.id, known.key, false),
            None => {
                let (id, key) = DeviceKey::generate();
                (id, key, true)
            }
        };
        let slot_id = SlotId(random::id());
        let made = factors::login_here(
            &v,
            slot_id,
            &name,
            &new.factors.password,
            &secret,
            (device, &key),
            cost,
            used,
        )?;
        let mut notices = Vec::new();
        if fresh {
            notices.extend(anchor::notice(&DeviceKey::store(&vault, &device, &key)?));
        }
        let machine = machine();
        let mut fill = |out: &mut [u8]| random::fill(out);
        let fingerprint = super::auditing::fingerprint(&v);
        let written = store.write(|rows| {
            let mut env = Env { now: clock::now(), random: &mut fill, machine: &machine };
            v.refresh(rows)?;
            if !rows.slots()?.iter().any(|s| s.id == slot) || used <= v.state.last_step(&me) {
                return Err(AppError::refused());
            }
            if older {
                log_older(&mut v, rows, &mut env)?;
            }
            let given = v.state.devices.iter().find(|d| d.slot == slot).map(|d| d.label.clone());
            let label = given.filter(|l| !l.is_empty()).unwrap_or_else(|| machine.clone());
            if !kit {
                v.drop_slot(rows, &slot)?;
                v.state.devices.retain(|d| d.slot != slot);
            }
            v.state.use_step(me, used);
            factors::put_login(&mut v, rows, &made)?;
            let at = env.now;
            v.state.devices.push(Device {
                id: device,
                slot: slot_id,
                member: me,
                label: label.clone(),
                added_at: at,
            });
            let mut line = draft(&v, &env, Event::DeviceAdded, true);
            line.fields.push((field::DETAIL, label));
            v.log(rows, &mut env, line)?;
            crate::vault::log::sign(&mut v, rows, &mut env)?;
            v.save(rows, &mut env)?;
            Ok(())
        });
        if let Err(e) = written {
            if fresh {
                let _ = DeviceKey::forget(&vault);
            }
            return Err(e);
        }
        remember_here(&v, older);
        Ok(Finished { file: self.file.clone(), member: name, fingerprint, notices })
    }
}
