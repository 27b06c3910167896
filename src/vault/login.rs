//! The way in of every day: password, one-time code and device key open a
//! member's key. Password and code enter before Argon2id, the device key after
//! it; nothing verifies one of them alone. Never reads clock, store or machine.

use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::crypto::Random;
use crate::crypto::aead::{self, SALT};
use crate::crypto::context::push_lp;
use crate::crypto::kdf::{Cost, StretchError};
use crate::crypto::keys;
use crate::crypto::totp::{Codes, step_of};
use crate::model::id::{DeviceId, MemberId, SlotId, VaultId};
use crate::model::time::Time;
use crate::secret::{Key32, SecretBytes, SecretText};

use super::otp::{self, Filler, Head, MODULUS, OtpDayRow, OtpHeadRow, STEPS, Table, day_of};
use super::slot::{self, BadParams, Kind, LoginParams, Params, SlotRow};

/// Stretches a password with a salt at a cost; see [`crate::crypto::kdf::stretch_in`].
pub type Stretch<'a> = dyn FnMut(&[u8], &[u8; 32], Cost) -> Result<Key32, StretchError> + 'a;

/// A login to make, or to make anew with other factors under the same slot id.
pub struct New<'a> {
    /// Of which vault.
    pub vault: VaultId,
    /// Random, or the slot to replace: then every row of the old one goes.
    pub slot: SlotId,
    /// Whose key it wraps.
    pub member: MemberId,
    /// As typed at unlock.
    pub name: &'a str,
    /// What the member knows.
    pub password: &'a SecretText,
    /// What the phone holds: 20 bytes.
    pub secret: &'a SecretBytes,
    /// This computer's id and key; `None` makes a portable login.
    pub device: Option<(DeviceId, &'a Key32)>,
    /// Argon2id cost.
    pub cost: Cost,
    /// Days of codes kept ahead; usually [`slot::WINDOW_DAYS`].
    pub window_days: u32,
    /// The key to wrap.
    pub member_key: &'a Key32,
    /// The step whose code proved that the phone is set up, from [`confirm`]:
    /// it and earlier ones will not open the login.
    pub used_step: u64,
}

/// Every row of a login.
pub struct LoginRows {
    /// The slot.
    pub slot: SlotRow,
    /// Head of the window.
    pub head: OtpHeadRow,
    /// One row a day.
    pub days: Vec<OtpDayRow>,
}

/// Makes a login.
///
/// # Errors
/// A cost or window out of bounds, or no memory for the stretching.
///
/// # Panics
/// `secret` has not 20 bytes.
#[inline(never)]
pub fn create(
    new: &New<'_>,
    random: &mut Random<'_>,
    stretch: &mut Stretch<'_>,
) -> Result<LoginRows, StretchError> {
    let mut salt = [0; 32];
    random(&mut salt);
    let login = LoginParams {
        cost: new.cost,
        window_days: new.window_days.clamp(30, 400),
        device: new.device.map(|(id, _)| id),
    };
    let params = Params { kind: Kind::Login, salt, login: Some(login) }.print();
    let device = new.device.map(|(_, key)| key);

    let target = Zeroizing::new(Filler::new(1).next(random));
    let first = first_factors(new.password, *target);
    let stretched = stretch(&first, &salt, new.cost)?;
    let kek = slot_key(&new.vault, &new.slot, &stretched, device, &params);
    let mut slot = SlotRow {
        id: new.slot,
        member: new.member,
        tag: slot::tag(&new.vault, new.name),
        params,
        wrap: Vec::new(),
    };
    let mut wrap_salt = [0; SALT];
    random(&mut wrap_salt);
    let ctx = slot.context(&new.vault);
    slot.wrap = new.member_key.expose(|mk| aead::seal(&kek, &ctx, &wrap_salt, mk));

    let codes = codes_of(new.secret);
    let first_day = day_of(new.used_step);
    let last_day = first_day + i64::from(login.window_days);
    let days: Vec<OtpDayRow> = (first_day..=last_day)
        .map(|day| {
            let used = (day == first_day).then_some(new.used_step);
            Table::new(&codes, *target, day, used, random)
                .seal(&new.vault, &new.slot, day, device, random)
        })
        .collect();
    let head = Head {
        secret: new.secret.duplicate(),
        target,
        last_used_step: new.used_step,
        first_day,
        days: days.iter().map(otp::hash_of).collect(),
    };
    let head = head.seal(&new.vault, &new.slot, &slot.params, new.member_key, random);
    Ok(LoginRows { slot, head, days })
}

/// The step near `now` whose code is `code`: proof that a phone was set up with
/// `secret`. Only for a secret that is not yet in use.
pub fn confirm(secret: &SecretBytes, code: &str, now: Time) -> Option<u64> {
    let code = parse_code(code)?;
    let codes = codes_of(secret);
    let now = step_of(now);
    [now, now.saturating_sub(1), now + 1].into_iter().find(|&step| codes.at(step) == code)
}

/// What was typed, and what this computer holds.
pub struct Given<'a> {
    /// Password.
    pub password: &'a SecretText,
    /// Six digits; spaces are ignored.
    pub code: &'a SecretText,
    /// Key of the computer named in the slot.
    pub device: Option<&'a Key32>,
}

/// The part of a login's window that an unlock needs.
pub struct Days<'a> {
    /// First and last day that have a row.
    pub span: Option<(i64, i64)>,
    /// At least the rows of [`days_near`], as far as they exist.
    pub rows: &'a [OtpDayRow],
}

/// First and last day whose rows an unlock at `now` may need.
pub fn days_near(now: Time) -> (i64, i64) {
    let step = step_of(now);
    (day_of(step.saturating_sub(1)), day_of(step + 1))
}

/// An opened login.
pub struct Opened {
    /// The member's key.
    pub member_key: Key32,
    /// The step whose code opened it: to be given to [`burn`] at once.
    pub used_step: u64,
    /// The phone's clock against this one, in steps: -1, 0 or 1. Remember it as
    /// the next hint.
    pub skew: i8,
}

/// Why a login did not open. [`Refused::Wrong`] never says which factor it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Password, code or device key.
    #[error("the factors do not open this vault")]
    Wrong,
    /// The code of this step was used already: the next one will do.
    #[error("this code was used already")]
    AlreadyUsed,
    /// The clock is earlier than the last unlock.
    #[error("the clock is earlier than the last unlock")]
    ClockBehind,
    /// The vault was not opened for longer than its window: the kit is needed.
    #[error("the window of one-time codes is over")]
    WindowExceeded,
    /// The login belongs to a computer whose key is not here.
    #[error("this computer is not enrolled")]
    NoDevice,
    /// The rows are not what this program writes.
    #[error("the slot is damaged: {0}")]
    Params(#[from] BadParams),
    /// A day is missing, or its row does not open: it was changed, or the key of
    /// this computer was.
    #[error("the window of one-time codes is damaged")]
    Malformed,
    /// The machine could not stretch the key.
    #[error(transparent)]
    Stretch(#[from] StretchError),
}

/// Opens a login, trying the present step and its two neighbours, `hint` first:
/// at most three runs of Argon2id, none when no step of them is open.
///
/// # Errors
/// [`Refused`].
#[inline(never)]
pub fn open(
    vault: &VaultId,
    slot: &SlotRow,
    days: &Days<'_>,
    given: &Given<'_>,
    now: Time,
    hint: i8,
    stretch: &mut Stretch<'_>,
) -> Result<Opened, Refused> {
    let params = Params::parse(&slot.params)?;
    let login = params.login.ok_or(Refused::Params(BadParams::Form))?;
    let device = match login.device {
        None => None,
        Some(_) => Some(given.device.ok_or(Refused::NoDevice)?),
    };
    let code = given.code.expose(parse_code).map(Zeroizing::new).ok_or(Refused::Wrong)?;

    for (step, skew, offset) in live_steps(vault, slot, days, device, now, hint)? {
        let target = Zeroizing::new((*offset + *code) % MODULUS);
        let first = first_factors(given.password, *target);
        let stretched = stretch(&first, &params.salt, login.cost)?;
        let kek = slot_key(vault, &slot.id, &stretched, device, &slot.params);
        if let Ok(plain) = aead::open(&kek, &slot.context(vault), &slot.wrap) {
            let member_key = plain.expose(Key32::copy_of).ok_or(Refused::Malformed)?;
            return Ok(Opened { member_key, used_step: step, skew });
        }
    }
    Err(Refused::Wrong)
}

type Candidate = (u64, i8, Zeroizing<u32>);

/// Steps to try, with the phone's skew and the difference of each.
///
/// Whether a row can be read does not depend on what was typed: to say that one is
/// damaged tells nothing of password or code.
fn live_steps(
    vault: &VaultId,
    slot: &SlotRow,
    days: &Days<'_>,
    device: Option<&Key32>,
    now: Time,
    hint: i8,
) -> Result<Vec<Candidate>, Refused> {
    let (first_day, last_day) = days.span.ok_or(Refused::Malformed)?;
    let now = step_of(now);
    let mut found = Vec::with_capacity(3);
    let mut over = false;
    let mut next_live = None;
    let mut damaged = false;
    for skew in order(hint) {
        let Some(step) = now.checked_add_signed(skew.into()) else { continue };
        let day = day_of(step);
        if day < first_day {
            continue;
        }
        if day > last_day {
            over = true;
            continue;
        }
        let row = days.rows.iter().find(|r| r.day == day && r.slot == slot.id);
        let Some(table) = row.and_then(|row| Table::open(vault, row, device).ok()) else {
            if day == day_of(now) {
                return Err(Refused::Malformed);
            }
            damaged = true;
            continue;
        };
        match table.get(step % STEPS) {
            Some(offset) => found.push((step, skew, Zeroizing::new(offset))),
            None => next_live = next_live.max(Some(step / STEPS * STEPS + table.live())),
        }
    }
    if !found.is_empty() {
        return Ok(found);
    }
    // A window always has as many days as its slot says: fewer, and those that are
    // missing may be the ones wanted now.
    let days = Params::parse(&slot.params).ok().and_then(|p| p.login).map(|l| l.window_days);
    damaged |= days.is_some_and(|days| last_day - first_day < i64::from(days));
    Err(match next_live {
        _ if damaged => Refused::Malformed,
        _ if over => Refused::WindowExceeded,
        // The phone was one step ahead when its code was used.
        Some(live) if live <= now + 2 => Refused::AlreadyUsed,
        _ => Refused::ClockBehind,
    })
}

fn order(hint: i8) -> impl Iterator<Item = i8> {
    let hint = hint.clamp(-1, 1);
    std::iter::once(hint).chain([0, -1, 1].into_iter().filter(move |&s| s != hint))
}

/// Rows to write, in one transaction, before anything of the vault is shown.
pub struct Burned {
    /// The new head.
    pub head: OtpHeadRow,
    /// Days changed and added.
    pub put: Vec<OtpDayRow>,
    /// Every day before this one is to be deleted.
    pub drop_before: i64,
}

/// Why a used code could not be struck off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BurnError {
    /// Another process, or this member on another computer, used it first.
    #[error("this code was used already")]
    AlreadyUsed,
    /// Head and days do not belong together.
    #[error("the window of one-time codes was tampered with")]
    Tampered,
}

/// Strikes off the code that opened a login, and all earlier ones, and extends
/// the window. `head` and `days` are read again under the store's write lock, so
/// that of two processes with one code only one gets here; `floor` is the last
/// step this member used on any computer, from the vault's state.
///
/// # Errors
/// [`BurnError`]: then the unlock fails, and nothing is written.
#[expect(clippy::too_many_arguments, reason = "the rows of one login, as they were read")]
#[inline(never)]
pub fn burn(
    vault: &VaultId,
    slot: &SlotRow,
    head: &OtpHeadRow,
    days: &[OtpDayRow],
    device: Option<&Key32>,
    opened: &Opened,
    floor: u64,
    random: &mut Random<'_>,
) -> Result<Burned, BurnError> {
    let tampered = BurnError::Tampered;
    let login = Params::parse(&slot.params).ok().and_then(|p| p.login).ok_or(tampered)?;
    let device = login.device.and(device);
    let mut head =
        Head::open(vault, head, &slot.params, &opened.member_key).map_err(|_| tampered)?;
    let used = opened.used_step;
    if used <= head.last_used_step || used <= floor {
        return Err(BurnError::AlreadyUsed);
    }
    let day = day_of(used);
    let row = days
        .iter()
        .find(|r| r.day == day && r.slot == slot.id)
        .filter(|row| head.knows(row))
        .ok_or(tampered)?;
    let mut table = Table::open(vault, row, device).map_err(|_| tampered)?;
    table.burn(used % STEPS + 1, random);
    let mut put = vec![table.seal(vault, &slot.id, day, device, random)];

    let codes = codes_of(&head.secret);
    let known_until = head.first_day + head.days.len() as i64;
    for new_day in known_until..=day + i64::from(login.window_days) {
        let table = Table::new(&codes, *head.target, new_day, None, random);
        put.push(table.seal(vault, &slot.id, new_day, device, random));
    }

    head.days.drain(..usize::try_from(day - head.first_day).map_err(|_| tampered)?);
    head.days[0] = otp::hash_of(&put[0]);
    head.days.extend(put[1..].iter().map(otp::hash_of));
    head.first_day = day;
    head.last_used_step = used;
    let head = head.seal(vault, &slot.id, &slot.params, &opened.member_key, random);
    Ok(Burned { head, put, drop_before: day })
}

/// Days of a login's window whose row is missing, was changed or does not belong
/// to it.
///
/// # Errors
/// [`BurnError::Tampered`]: there is no head, or it does not open.
pub fn changed_days(
    vault: &VaultId,
    slot: &SlotRow,
    head: Option<&OtpHeadRow>,
    days: &[OtpDayRow],
    member_key: &Key32,
) -> Result<Vec<i64>, BurnError> {
    let head = head.ok_or(BurnError::Tampered)?;
    let head =
        Head::open(vault, head, &slot.params, member_key).map_err(|_| BurnError::Tampered)?;
    let after = head.first_day + head.days.len() as i64;
    let sound = |day: i64| days.iter().any(|row| row.day == day && head.knows(row));
    let mut changed: Vec<i64> = (head.first_day..after).filter(|day| !sound(*day)).collect();
    changed.extend(days.iter().map(|row| row.day).filter(|d| *d < head.first_day || *d >= after));
    Ok(changed)
}

/// As far as anybody can tell who does not hold the login's member key: whether
/// each day of the window has a row, and of the right size.
pub fn looks_whole(slot: &SlotRow, head: Option<&OtpHeadRow>, days: &[OtpDayRow]) -> bool {
    let Some(login) = Params::parse(&slot.params).ok().and_then(|p| p.login) else { return false };
    let Some(first) = days.first().map(|row| row.day) else { return false };
    let size = otp::row_size(login.device.is_some());
    let in_order = days.iter().zip(first..).all(|(row, day)| row.day == day);
    let all = days.len() as u64 == u64::from(login.window_days) + 1;
    head.is_some() && in_order && all && days.iter().all(|row| row.ct.len() == size)
}

/// The TOTP secret of a login, for enrolling another computer with the same phone.
///
/// # Errors
/// [`BurnError::Tampered`].
pub fn secret_of(
    vault: &VaultId,
    slot: &SlotRow,
    head: &OtpHeadRow,
    member_key: &Key32,
) -> Result<SecretBytes, BurnError> {
    Head::open(vault, head, &slot.params, member_key)
        .map(|head| head.secret)
        .map_err(|_| BurnError::Tampered)
}

/// The step near `now` whose code is `code`, of a login whose member is open by
/// other means (an enrolment code): proof of the phone before a login is made on
/// another computer. The caller remembers the step as used.
///
/// # Errors
/// [`BurnError::AlreadyUsed`] or [`BurnError::Tampered`]; `Ok(None)` for a wrong code.
pub fn step_for(
    vault: &VaultId,
    slot: &SlotRow,
    head: &OtpHeadRow,
    member_key: &Key32,
    code: &str,
    now: Time,
) -> Result<Option<u64>, BurnError> {
    let head =
        Head::open(vault, head, &slot.params, member_key).map_err(|_| BurnError::Tampered)?;
    match confirm(&head.secret, code, now) {
        Some(step) if step <= head.last_used_step => Err(BurnError::AlreadyUsed),
        other => Ok(other),
    }
}

/// `lp(NFC(password)) ‖ lp(u32 target)`: what Argon2id stretches.
fn first_factors(password: &SecretText, target: u32) -> Zeroizing<Vec<u8>> {
    let mut normal = Zeroizing::new(String::with_capacity(4 * password.len()));
    password.expose(|p| normal.extend(p.nfc()));
    let mut out = Zeroizing::new(Vec::with_capacity(normal.len() + 12));
    push_lp(&mut out, normal.as_bytes());
    push_lp(&mut out, &target.to_be_bytes());
    out
}

fn slot_key(
    vault: &VaultId,
    slot: &SlotId,
    stretched: &Key32,
    device: Option<&Key32>,
    params: &[u8],
) -> Key32 {
    let derive = |stretched: &[u8], device: &[u8]| {
        let factors = keys::Factors { stretched, device, ..Default::default() };
        keys::kek(&vault.0, &slot.0, factors, params)
    };
    stretched.expose(|y| match device {
        None => derive(y, &[]),
        Some(device) => device.expose(|d| derive(y, d)),
    })
}

fn codes_of(secret: &SecretBytes) -> Codes {
    secret.expose(|s| Codes::new(s.try_into().expect("a vault's TOTP secret has 20 bytes")))
}

fn parse_code(text: &str) -> Option<u32> {
    let mut digits = 0;
    let mut value = 0;
    for c in text.chars().filter(|c| !c.is_whitespace()) {
        value = value * 10 + c.to_digit(10)?;
        digits += 1;
        if digits > 6 {
            return None;
        }
    }
    (digits == 6).then_some(value)
}
