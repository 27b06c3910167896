//! Making and changing what opens a vault: new vaults, accepted invitations,
//! recovery, own password, own phone, own kit. A change of factors replaces the
//! member's logins and kit in one transaction.

use std::time::Instant;

use crate::audit::line::{Draft, Fact};
use crate::crypto::kdf::{self, Cost};
use crate::crypto::kem::KemSecret;
use crate::model::audit_event::{Event, field};
use crate::model::id::{DeviceId, MemberId, SlotId, VaultId};
use crate::model::lang::Bi;
use crate::os::{clock, random};
use crate::secret::{Key32, SecretBytes, SecretText};
use crate::store::sqlite::SqliteStore;
use crate::vault::cert::{Act, Directory, PublicKeys};
use crate::vault::code;
use crate::vault::grant::{AUDIT_KEY, PENDING_KEY, VAULT_KEY};
use crate::vault::identity::{Identity, KeyRing};
use crate::vault::index::Index;
use crate::vault::log::{self, Writer};
use crate::vault::login::{self, LoginRows};
use crate::vault::rows::{HeaderRow, MemberRow, Rows};
use crate::vault::slot::{Kind, Params, WINDOW_DAYS};
use crate::vault::state::{Device, State};
use crate::vault::unlocked::{Env, Unlocked};

use super::anchor::{self, DeviceKey, Place};
use super::api::{AppError, ChangePassword, Code, Factors, Reply};
use super::enrolment::{NewMember, Task, check_password, uri_of};
use super::unlock::{machine, open_member, refused, stretch, unstretched};
use super::worker::{Open, Worker};
use super::{Finished, draft};

/// A new TOTP secret between its two requests.
pub(super) struct NewSeed {
    secret: SecretBytes,
    password: SecretText,
}

/// A vault opened by a code, and the slot it came from.
pub(super) struct ByCode {
    pub(super) vault: Unlocked,
    pub(super) slot: SlotId,
}

/// Opens whatever slot of `kind` the code fits.
pub(super) fn open_code(
    store: &SqliteStore,
    kind: Kind,
    given: &SecretBytes,
) -> Result<ByCode, AppError> {
    let (head, slots) = store.read(|rows| Ok::<_, AppError>((rows.header()?, rows.slots()?)))?;
    for row in &slots {
        if let Ok(opened) = code::open(&head.vault, row, kind, given) {
            let vault = open_member(store, head, row, opened.member_key)?;
            return Ok(ByCode { vault, slot: row.id });
        }
    }
    Err(AppError::new(
        Code::Locked,
        ("Ce code n’ouvre rien dans ce coffre.", "This code opens nothing in this vault."),
        (
            "Il a peut-être déjà servi, ou concerne un autre coffre.",
            "It may have been used already, or belong to another vault.",
        ),
    ))
}

/// The cost that takes about a second here, or the one asked for.
fn cost(asked_mib: Option<u32>) -> Result<Cost, AppError> {
    if let Some(mib) = asked_mib {
        return Ok(Cost { mem_kib: mib.saturating_mul(1024), ..Cost::DEFAULT });
    }
    let probe = Cost { mem_kib: Cost::MIN_MEM_KIB, ..Cost::DEFAULT };
    let begun = Instant::now();
    stretch(b"probe", &random::bytes(), probe).map_err(unstretched)?;
    Ok(kdf::calibrate(probe, begun.elapsed(), memory_limit_kib()))
}

/// A quarter of the memory that is free, so that an unlock never swaps.
fn memory_limit_kib() -> u32 {
    let free = crate::os::hugemem::available_kib().unwrap_or(1 << 20);
    u32::try_from(free / 4).unwrap_or(u32::MAX)
}

/// What a login is made for.
struct NewLogin<'a> {
    name: &'a str,
    password: &'a SecretText,
    secret: &'a SecretBytes,
    device: Option<(DeviceId, &'a Key32)>,
    cost: Cost,
    used_step: u64,
}

fn make_login(
    vault: VaultId,
    slot: SlotId,
    member: MemberId,
    key: &Key32,
    new: &NewLogin<'_>,
) -> Result<LoginRows, AppError> {
    let mut fill = |out: &mut [u8]| random::fill(out);
    login::create(
        &login::New {
            vault,
            slot,
            member,
            name: new.name,
            password: new.password,
            secret: new.secret,
            device: new.device,
            cost: new.cost,
            window_days: WINDOW_DAYS,
            member_key: key,
            used_step: new.used_step,
        },
        &mut fill,
        &mut stretch,
    )
    .map_err(unstretched)
}

pub(super) fn put_login(
    v: &mut Unlocked,
    rows: &dyn Rows,
    made: &LoginRows,
) -> Result<(), AppError> {
    v.put_slot(rows, &made.slot)?;
    rows.put_otp_head(&made.head)?;
    for day in &made.days {
        rows.put_otp_day(day)?;
    }
    Ok(())
}

/// The step before the one that proved the phone: the code typed at enrolment
/// opened nothing yet, so it may open the vault once.
fn before(confirmed: u64) -> u64 {
    confirmed.saturating_sub(1)
}

impl Worker {
    pub(super) fn enrol(&mut self, new: NewMember) -> Result<Finished, AppError> {
        match &new.task {
            Task::Create { file, member, portable, kdf_memory_mib } => {
                let made = found(&new, file, member, *portable, *kdf_memory_mib);
                if made.is_err()
                    && !matches!(&made, Err(e) if e.what == AppError::from(crate::vault::rows::StoreError::Exists).what)
                {
                    let _ = std::fs::remove_file(file);
                }
                made
            }
            Task::Accept { code } => self.join(&new, Kind::Invitation, code),
            Task::Recover { code } => self.join(&new, Kind::Recovery, code),
        }
    }

    /// New factors for a member whom a code opens.
    fn join(
        &mut self,
        new: &NewMember,
        kind: Kind,
        given: &SecretBytes,
    ) -> Result<Finished, AppError> {
        let mut store = SqliteStore::open(&self.file, false)?;
        let ByCode { vault: mut v, slot } = open_code(&store, kind, given)?;
        let vault = v.header.vault;
        let me = v.me;
        let name = super::people::name(&v, &me);
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
        let fingerprint = super::auditing::fingerprint(&v);
        let written = store.write(|rows| {
            let mut env = Env { now: clock::now(), random: &mut fill, machine: &machine };
            v.refresh(rows)?;
            // Of two who use one code, the second finds it gone.
            if !rows.slots()?.iter().any(|s| s.id == slot) {
                return Err(AppError::refused());
            }
            if let Some((identity, key)) = fresh {
                v.drop_slot(rows, &slot)?;
                let provisional = std::mem::replace(&mut v.identity, identity);
                v.member_key = key;
                accept(&mut v, rows, &mut env, &provisional, &name)?;
            } else {
                for old in rows.slots()?.iter().filter(|s| s.member == me) {
                    v.drop_slot(rows, &old.id)?;
                }
                let others = |d: &&Device| d.member == me && Some(d.id) != here;
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
        notices.extend(dropped_notice(&dropped));
        Ok(Finished { file: self.file.clone(), fingerprint, notices })
    }
}

/// Tells which computers no longer open the vault, and how they do again.
fn dropped_notice(labels: &[String]) -> Option<Bi> {
    let list = |open: &str, close: &str| {
        labels.iter().map(|l| format!("{open}{l}{close}")).collect::<Vec<_>>().join(", ")
    };
    (!labels.is_empty()).then(|| {
        Bi::new(
            format!("N’ouvrent plus ce coffre avec les anciens facteurs\u{a0}: {}. Pour chacun que vous avez encore\u{a0}: `poterne device add` ici donne un code, que `poterne device enrol` demande là-bas.", list("«\u{a0}", "\u{a0}»")),
            format!("No longer open this vault with the old factors: {}. For each that you still have: `poterne device add` here gives a code, which `poterne device enrol` asks for there.", list("“", "”")),
        )
    })
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
    let role = super::people::role(v);
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

/// Replaces the member's recovery kit.
fn put_kit(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    kit: &SecretBytes,
) -> Result<(), AppError> {
    let me = v.me;
    for old in rows.slots()?.iter().filter(|s| s.member == me) {
        if Params::parse(&old.params).is_ok_and(|p| p.kind == Kind::Recovery) {
            v.drop_slot(rows, &old.id)?;
        }
    }
    let id = SlotId(env.id());
    let (row, _) =
        code::create(&v.header.vault, id, Kind::Recovery, me, kit, &v.member_key, env.random);
    Ok(v.put_slot(rows, &row)?)
}

/// Makes a vault.
fn found(
    new: &NewMember,
    file: &std::path::Path,
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
    ring.set_audit_seed(Some(audit));
    ring.set_pending_seed(Some(pending));
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
    };
    let mut store = SqliteStore::create(file)?;
    let machine = machine();
    let mut notices: Vec<Bi> = Vec::new();
    if let Some((id, key)) = &device {
        notices.extend(anchor::notice(&DeviceKey::store(&vault, id, key)?));
    } else {
        notices.push(Bi::new(
            "Coffre portable\u{a0}: sans clé d’ordinateur, le code n’ajoute qu’au plus 20 bits au mot de passe.",
            "Portable vault: without a computer key, the code adds at most 20 bits to the password.",
        ));
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
    let known =
        device.map(|(id, key)| DeviceKey { id, key, kept: crate::os::keyring::Kept::Keyring });
    let mut place = Place::load(vault, known.as_ref());
    place.memory.member = name.to_owned();
    if let Err(why) = place.remember(&v) {
        notices.push(why);
    }
    let fingerprint = super::auditing::fingerprint(&v);
    Ok(Finished { file: file.to_owned(), fingerprint, notices })
}

impl Open {
    /// Checks factors again and uses up the code. Returns the cost of the login
    /// and its TOTP secret.
    fn confirm(
        &mut self,
        given: &Factors,
    ) -> Result<(Cost, SecretBytes, Option<DeviceId>, u64), AppError> {
        let device = DeviceKey::load(self.vault.vault())?;
        let slot = self.slot;
        let vault = *self.vault.vault();
        let (row, near, span, head) = self.read(|_, rows| {
            let row =
                rows.slots()?.into_iter().find(|s| s.id == slot).ok_or_else(AppError::refused)?;
            let near = rows.otp_days(&slot, Some(login::days_near(clock::now())))?;
            let head = rows.otp_head(&slot)?.ok_or_else(AppError::refused)?;
            Ok((row, near, rows.otp_span(&slot)?, head))
        })?;
        let secret_of = |member_key: &Key32| {
            login::secret_of(&vault, &row, &head, member_key)
                .map_err(|_| AppError::tampered("la table des codes", "the table of codes"))
        };
        let login_params = Params::parse(&row.params).map_err(|_| AppError::refused())?;
        let login_params = login_params.login.ok_or_else(AppError::refused)?;
        if self.proved.take().is_some_and(|proved| same(&proved, given)) {
            let secret = secret_of(&self.vault.member_key)?;
            return Ok((login_params.cost, secret, login_params.device, self.used_step));
        }
        let typed = login::Given {
            password: &given.password,
            code: &given.code,
            device: device.as_ref().map(|d| &d.key),
        };
        let days = login::Days { span, rows: &near };
        let hint = i8::try_from(self.place.memory.skew).unwrap_or(0);
        let opened = login::open(&vault, &row, &days, &typed, clock::now(), hint, &mut stretch)
            .map_err(refused)?;
        let secret = secret_of(&opened.member_key)?;
        let used = opened.used_step;
        self.write(|v, rows, env| {
            super::unlock::use_code(v, rows, env, &slot, device.as_ref().map(|d| &d.key), &opened)
        })?;
        Ok((login_params.cost, secret, login_params.device, used))
    }

    pub(super) fn change_password(&mut self, change: ChangePassword) -> Result<Reply, AppError> {
        check_password(&change.new)?;
        let (cost, secret, _, used) = self.confirm(&change.current)?;
        self.replace_login(&change.new, &secret, cost, used, "password")
    }

    pub(super) fn begin_totp_reset(&mut self, current: Factors) -> Result<Reply, AppError> {
        self.confirm(&current)?;
        let mut secret = vec![0; 20];
        random::fill(&mut secret);
        let secret = SecretBytes::new(secret);
        let stem = self.store.file().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = super::people::name(&self.vault, &self.vault.me);
        let uri = uri_of(&secret, &stem, &name);
        self.new_totp = Some(NewSeed { secret, password: current.password });
        Ok(Reply::NewTotp(uri))
    }

    pub(super) fn finish_totp_reset(&mut self, code: &SecretText) -> Result<Reply, AppError> {
        let Some(new) = self.new_totp.take() else {
            return Err(AppError::usage(
                (
                    "Aucun nouveau téléphone n’est en cours d’enregistrement.",
                    "No new phone is being set up.",
                ),
                (
                    "Recommencez avec `poterne totp-reset`.",
                    "Begin again with `poterne totp-reset`.",
                ),
            ));
        };
        let step = code.expose(|c| login::confirm(&new.secret, c, clock::now()));
        let Some(step) = step else {
            self.new_totp = Some(new);
            return Err(AppError::new(
                Code::Locked,
                (
                    "Ce code ne vient pas de ce QR code.",
                    "This code does not belong to this QR code.",
                ),
                ("Tapez le code affiché maintenant.", "Type the code shown now."),
            ));
        };
        let slot = self.slot;
        let cost = self.read(|_, rows| {
            let row = rows.slots()?.into_iter().find(|s| s.id == slot);
            let login = row.and_then(|r| Params::parse(&r.params).ok()).and_then(|p| p.login);
            Ok(login.map_or(Cost::DEFAULT, |l| l.cost))
        })?;
        self.replace_login(&new.password, &new.secret, cost, before(step), "totp")
    }

    /// Makes this computer's login anew and drops the member's others: their
    /// factors are the old ones.
    fn replace_login(
        &mut self,
        password: &SecretText,
        secret: &SecretBytes,
        cost: Cost,
        used: u64,
        what: &str,
    ) -> Result<Reply, AppError> {
        let device = DeviceKey::load(self.vault.vault())?;
        let slot = self.slot;
        let portable = self.read(|_, rows| {
            let row = rows.slots()?.into_iter().find(|s| s.id == slot);
            let login = row.and_then(|r| Params::parse(&r.params).ok()).and_then(|p| p.login);
            Ok(login.is_none_or(|l| l.device.is_none()))
        })?;
        let device = device.filter(|_| !portable);
        let me = self.vault.me;
        let name = super::people::name(&self.vault, &me);
        let made = make_login(
            *self.vault.vault(),
            slot,
            me,
            &self.vault.member_key,
            &NewLogin {
                name: &name,
                password,
                secret,
                device: device.as_ref().map(|d| (d.id, &d.key)),
                cost,
                used_step: used,
            },
        )?;
        let what = what.to_owned();
        self.write(|v, rows, env| {
            let others = |d: &&Device| d.member == me && d.slot != slot;
            let dropped: Vec<String> =
                v.state.devices.iter().filter(others).map(|d| d.label.clone()).collect();
            for old in rows.slots()?.iter().filter(|s| s.member == me) {
                if Params::parse(&old.params).is_ok_and(|p| p.kind == Kind::Login) {
                    v.drop_slot(rows, &old.id)?;
                }
            }
            v.state.devices.retain(|d| d.member != me || d.slot == slot);
            put_login(v, rows, &made)?;
            if what == "totp" {
                // A new secret counts from its own first step.
                v.state.last_steps.retain(|(m, _)| *m != me);
            }
            let mut line = draft(v, env, Event::FactorChanged, true);
            line.fields.push((field::DETAIL, what));
            v.log(rows, env, line)?;
            Ok(Reply::Renewed { notices: dropped_notice(&dropped).into_iter().collect() })
        })
    }

    pub(super) fn new_kit(&mut self) -> Result<Reply, AppError> {
        let drawn = self.draw_kit()?;
        self.keep_kit()?;
        Ok(drawn)
    }

    /// Draws a kit; the old one works until [`Open::keep_kit`].
    pub(super) fn draw_kit(&mut self) -> Result<Reply, AppError> {
        self.writable()?;
        let mut fill = |out: &mut [u8]| random::fill(out);
        let kit = code::draw(&mut fill);
        let printed = code::print(Kind::Recovery, &kit);
        self.new_kit = Some(kit);
        Ok(Reply::Kit(printed))
    }

    /// Puts the drawn kit in the place of the old one.
    pub(super) fn keep_kit(&mut self) -> Result<Reply, AppError> {
        let Some(kit) = self.new_kit.take() else {
            return Err(AppError::usage(
                ("Aucun kit de secours n’a été tiré.", "No recovery kit was drawn."),
                ("Recommencez avec `poterne kit`.", "Begin again with `poterne kit`."),
            ));
        };
        self.write(|v, rows, env| {
            put_kit(v, rows, env, &kit)?;
            let mut line = draft(v, env, Event::FactorChanged, true);
            line.fields.push((field::DETAIL, "recovery kit".to_owned()));
            Ok(v.log(rows, env, line)?)
        })?;
        Ok(Reply::Done)
    }
}

fn same(a: &Factors, b: &Factors) -> bool {
    let equal = |a: &SecretText, b: &SecretText| a.expose(|a| b.expose(|b| a == b));
    equal(&a.password, &b.password) && equal(&a.code, &b.code)
}

/// Password and phone code of a member whom an enrolment code opened: the code
/// must belong to the phone, be unused, and the password must open the member's
/// own login, if one can be tried without its computer.
pub(super) fn proved(
    store: &SqliteStore,
    v: &Unlocked,
    given: &Factors,
) -> Result<(SecretBytes, Cost, u64), AppError> {
    check_password(&given.password)?;
    let me = v.me;
    let (slots, vault) = (store.read(|rows| Ok::<_, AppError>(rows.slots()?))?, v.header.vault);
    for slot in slots.iter().filter(|s| s.member == me) {
        let Some(params) = Params::parse(&slot.params).ok().and_then(|p| p.login) else { continue };
        let Some(head) = store.read(|rows| Ok::<_, AppError>(rows.otp_head(&slot.id)?))? else {
            continue;
        };
        let damaged = || AppError::tampered("la table des codes", "the table of codes");
        let secret = login::secret_of(&vault, slot, &head, &v.member_key).map_err(|_| damaged())?;
        let step = given.code.expose(|c| login::confirm(&secret, c, clock::now()));
        let step = step.filter(|s| *s > v.state.last_step(&me)).ok_or_else(AppError::refused)?;
        return Ok((secret, params.cost, step));
    }
    Err(AppError::refused())
}

/// A login for a member on this computer.
#[expect(clippy::too_many_arguments, reason = "a login is made of all of these")]
pub(super) fn login_here(
    v: &Unlocked,
    slot: SlotId,
    name: &str,
    password: &SecretText,
    secret: &SecretBytes,
    device: (DeviceId, &Key32),
    cost: Cost,
    used_step: u64,
) -> Result<LoginRows, AppError> {
    let new = NewLogin { name, password, secret, device: Some(device), cost, used_step };
    make_login(v.header.vault, slot, v.me, &v.member_key, &new)
}

/// Hands every key that a role and a reach give to a member.
pub(super) fn hand_all(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    to: &MemberId,
) -> Result<(), AppError> {
    let generations: Vec<(u32, Key32)> =
        v.ring.vault_keys().map(|(g, k)| (g, k.duplicate())).collect();
    for (generation, key) in generations {
        v.hand(rows, env, to, VAULT_KEY, generation, &key)?;
    }
    if let Some(seed) = v.ring.pending_seed().map(Key32::duplicate) {
        v.hand(rows, env, to, PENDING_KEY, 0, &seed)?;
    }
    let reads = v.directory.member(to).is_some_and(|m| m.role.reads_audit());
    if let Some(seed) = v.ring.audit_seed().map(Key32::duplicate).filter(|_| reads) {
        v.hand(rows, env, to, AUDIT_KEY, 0, &seed)?;
    }
    Ok(())
}
