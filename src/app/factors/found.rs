//! Founding: makes a vault with its first owner. Never leaves the file or
//! the device key of a vault that could not be written.

use std::path::Path;

use crate::app::anchor::{self, DeviceKey, Place};
use crate::app::api::AppError;
use crate::app::enrolment::NewMember;
use crate::app::unlock::{machine, notices::portable_cost};
use crate::app::{Finished, auditing, draft};
use crate::audit::line::{Draft, Fact};
use crate::crypto::kem::KemSecret;
use crate::model::audit_event::Event;
use crate::model::id::{MemberId, SlotId, VaultId};
use crate::model::lang::Bi;
use crate::os::keyring::Kept;
use crate::os::{clock, random};
use crate::store::sqlite::SqliteStore;
use crate::vault::cert::Directory;
use crate::vault::identity::{Identity, KeyRing};
use crate::vault::index::Index;
use crate::vault::log::{self, Writer};
use crate::vault::rows::{HeaderRow, MemberRow};
use crate::vault::state::{Device, State};
use crate::vault::unlocked::{Env, Unlocked};

use super::kit::put_kit;
use super::login::{NewLogin, before, cost, make_login, put_login};

/// Makes a vault.
pub(super) fn found(
    new: &NewMember,
    file: &Path,
    name: &str,
    portable: bool,
    mib: Option<u32>,
) -> Result<Finished, AppError> {
    let vault = VaultId(random::id());
    let me = MemberId(random::id());
    let member_key = random::key();
    let identity = Identity::from_seeds(random::key(), &random::key());
    let (vault_key, audit, pending) = (random::key(), random::key(), random::key());
    let device = (!portable).then(DeviceKey::generate);
    let slot = SlotId(random::id());
    let made = make_login(
        vault,
        slot,
        me,
        &member_key,
        &NewLogin {
            name,
            password: &new.password,
            secret: &new.secret,
            device: device.as_ref().map(|(id, key)| (*id, key)),
            cost: cost(mib)?,
            used_step: before(new.confirmed),
        },
    )?;
    let now = clock::now();
    let (directory, card) = Directory::found(vault, me, name, &identity, now);
    let root_pk = identity.signing().public();
    let mut ring = KeyRing::default();
    ring.put_vault_key(1, vault_key);
    let audit_pk = KemSecret::from_seed(&audit).public().to_vec();
    let pending_pk = KemSecret::from_seed(&pending).public().to_vec();
    ring.set_audit_key(Some((1, audit)));
    ring.set_pending_key(Some((1, pending)));
    ring.seen = Some(directory.seen());
    let mut v = Unlocked {
        header: HeaderRow { vault, root_pk, audit_pk, pending_pk },
        me,
        member_key,
        identity,
        ring,
        directory,
        cards: std::iter::once((me, card)).collect(),
        state: State::new(),
        index: Index::default(),
        log: Writer::default(),
        ring_dirty: true,
        listing_seen: 0,
    };
    let mut store = SqliteStore::create(file)?;
    let machine = machine();
    let mut notices: Vec<Bi> = Vec::new();
    if let Some((id, key)) = &device {
        notices.extend(anchor::notice(&DeviceKey::store(&vault, id, key)?));
    } else {
        notices.push(portable_cost());
    }
    let mut fill = |out: &mut [u8]| random::fill(out);
    let written = store.write(|rows| {
        let mut env = Env { now, random: &mut fill, machine: &machine };
        v.put_header(rows)?;
        v.put_member_row(rows, &MemberRow { id: me, card: Vec::new(), private: None })?;
        v.put_card(rows, &mut env, me)?;
        put_login(&mut v, rows, &made)?;
        put_kit(&mut v, rows, &mut env, &new.kit)?;
        if let Some((id, _)) = &device {
            v.state.devices.push(Device {
                id: *id,
                slot,
                member: me,
                label: machine.clone(),
                added_at: now,
            });
        }
        let fact =
            Fact::genesis(vault, root_pk, me, root_pk, now, &|m| v.identity.signing().sign(m));
        let line = Draft { fact: Some(fact), ..draft(&v, &env, Event::VaultCreated, true) };
        v.log(rows, &mut env, line)?;
        log::sign(&mut v, rows, &mut env)?;
        v.save(rows, &mut env)?;
        Ok::<_, AppError>(())
    });
    if let Err(e) = written {
        drop(store);
        let _ = std::fs::remove_file(file);
        let _ = DeviceKey::forget(&vault);
        return Err(e);
    }
    let known = device.map(|(id, key)| DeviceKey { id, key, kept: Kept::Keyring });
    let mut place = Place::load(vault, known.as_ref());
    place.memory.member = name.to_owned();
    if let Err(why) = place.remember(&v) {
        notices.push(why);
    }
    let fingerprint = auditing::fingerprint(&v);
    Ok(Finished { file: file.to_owned(), member: name.to_owned(), fingerprint, notices })
}
