//! The login of a member on one computer: what it costs and how it is made and
//! stored. Never decides whose others go.

use std::time::Instant;

use crate::app::api::AppError;
use crate::app::unlock::{stretch, unstretched};
use crate::crypto::kdf::{self, Cost};
use crate::model::id::{DeviceId, MemberId, SlotId, VaultId};
use crate::os::hugemem::available_kib;
use crate::os::random;
use crate::secret::{Key32, SecretBytes, SecretText};
use crate::vault::login::{self, LoginRows};
use crate::vault::rows::Rows;
use crate::vault::slot::WINDOW_DAYS;
use crate::vault::unlocked::Unlocked;

/// The cost that takes about a second here, or the one asked for.
pub(super) fn cost(asked_mib: Option<u32>) -> Result<Cost, AppError> {
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
    let free = available_kib().unwrap_or(1 << 20);
    u32::try_from(free / 4).unwrap_or(u32::MAX)
}

/// What a login is made for.
pub(super) struct NewLogin<'a> {
    pub(super) name: &'a str,
    pub(super) password: &'a SecretText,
    pub(super) secret: &'a SecretBytes,
    pub(super) device: Option<(DeviceId, &'a Key32)>,
    pub(super) cost: Cost,
    pub(super) used_step: u64,
}

pub(super) fn make_login(
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

pub(in crate::app) fn put_login(
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
pub(super) fn before(confirmed: u64) -> u64 {
    confirmed.saturating_sub(1)
}

/// A login for a member on this computer.
#[expect(clippy::too_many_arguments, reason = "a login is made of all of these")]
pub(in crate::app) fn login_here(
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
