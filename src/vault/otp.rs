//! The window of one-time codes of a login: for every 30-second step ahead, the
//! public difference between that step's code and the slot's secret target. The
//! code of the moment gives the target, the target enters the key. A used step,
//! and every earlier one, is overwritten with random filler.
//!
//! It verifies nothing by itself: any code gives some target.

use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::crypto::Random;
use crate::crypto::aead::{self, OpenError, SALT};
use crate::crypto::context::context;
use crate::crypto::keys;
use crate::crypto::totp::Codes;
use crate::model::id::{SlotId, VaultId};
use crate::secret::{Key32, SecretBytes};

/// The sealed head of a login's window: secret, target, last used step, and a
/// hash of every day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtpHeadRow {
    /// Of which slot.
    pub slot: SlotId,
    /// Sealed under the member key.
    pub ct: Vec<u8>,
}

/// The differences of one day.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OtpDayRow {
    /// Of which slot.
    pub slot: SlotId,
    /// Days since 1970-01-01 UTC.
    pub day: i64,
    /// Sealed under the device key, or raw in a portable login.
    pub ct: Vec<u8>,
}

/// Steps of one day.
pub const STEPS: u64 = 2880;
/// Six digits: codes and targets are below this.
pub const MODULUS: u32 = 1_000_000;

/// The day a step lies in.
pub fn day_of(step: u64) -> i64 {
    (step / STEPS) as i64
}

/// The 2880 differences of one day, 20 bits each, two in five bytes, behind the
/// index of the first one still live.
pub(super) struct Table(Zeroizing<Vec<u8>>);

const TABLE: usize = 2 + STEPS as usize / 2 * 5;

impl Table {
    /// The table of `day`, with filler up to and including `used_step`.
    pub fn new(
        codes: &Codes,
        target: u32,
        day: i64,
        used_step: Option<u64>,
        random: &mut Random<'_>,
    ) -> Self {
        let mut table = Self(Zeroizing::new(vec![0; TABLE]));
        let first_step = u64::try_from(day).unwrap_or(0) * STEPS;
        let live = used_step.map_or(0, |u| (u + 1).saturating_sub(first_step).min(STEPS));
        for index in live..STEPS {
            let offset = target + MODULUS - codes.at(first_step + index);
            table.set(index, offset % MODULUS);
        }
        table.burn(live, random);
        table
    }

    /// Overwrites every difference below `live` with filler.
    pub fn burn(&mut self, live: u64, random: &mut Random<'_>) {
        let mut filler = Filler::new(live as usize);
        for index in 0..live {
            let value = filler.next(random);
            self.set(index, value);
        }
        self.0[..2].copy_from_slice(&(live as u16).to_be_bytes());
    }

    /// Index of the first live step: 0 to 2880.
    pub fn live(&self) -> u64 {
        u64::from(u16::from_be_bytes([self.0[0], self.0[1]]))
    }

    /// The difference at `index`, if it was not used.
    pub fn get(&self, index: u64) -> Option<u32> {
        if index < self.live() || index >= STEPS {
            return None;
        }
        let at = 2 + index as usize / 2 * 5;
        let pair = &self.0[at..at + 5];
        let value = if index.is_multiple_of(2) {
            u32::from_be_bytes([0, pair[0], pair[1], pair[2]]) >> 4
        } else {
            u32::from_be_bytes([0, pair[2], pair[3], pair[4]]) & 0xF_FFFF
        };
        Some(value)
    }

    fn set(&mut self, index: u64, value: u32) {
        let at = 2 + index as usize / 2 * 5;
        let pair = &mut self.0[at..at + 5];
        let [_, a, b, c] = if index.is_multiple_of(2) {
            (value << 4 | u32::from(pair[2] & 0x0F)).to_be_bytes()
        } else {
            (value | u32::from(pair[2] & 0xF0) << 16).to_be_bytes()
        };
        let from = if index.is_multiple_of(2) { 0 } else { 2 };
        pair[from..from + 3].copy_from_slice(&[a, b, c]);
    }

    /// The row: `SEAL(SUB(device_key, "otp", 0), CTX("otp", vault, slot, i64 day), table)`,
    /// or the raw table without a device key.
    pub fn seal(
        &self,
        vault: &VaultId,
        slot: &SlotId,
        day: i64,
        device: Option<&Key32>,
        random: &mut Random<'_>,
    ) -> OtpDayRow {
        let ct = match device {
            None => self.0.to_vec(),
            Some(device) => {
                let mut salt = [0; SALT];
                random(&mut salt);
                let key = keys::sub(device, keys::name::OTP, 0);
                aead::seal(&key, &day_context(vault, slot, day), &salt, &self.0)
            }
        };
        OtpDayRow { slot: *slot, day, ct }
    }

    /// Opens what [`Table::seal`] made.
    pub fn open(
        vault: &VaultId,
        row: &OtpDayRow,
        device: Option<&Key32>,
    ) -> Result<Self, OpenError> {
        let plain = match device {
            None => SecretBytes::copy_of(&row.ct),
            Some(device) => {
                let key = keys::sub(device, keys::name::OTP, 0);
                aead::open(&key, &day_context(vault, &row.slot, row.day), &row.ct)?
            }
        };
        let table = plain.expose(|p| Self(Zeroizing::new(p.to_vec())));
        let sound = table.0.len() == TABLE && table.live() <= STEPS;
        sound.then_some(table).ok_or(OpenError)
    }
}

/// Bytes of a day's row, sealed or raw.
pub(super) const fn row_size(sealed: bool) -> usize {
    if sealed { TABLE + aead::OVERHEAD } else { TABLE }
}

fn day_context(vault: &VaultId, slot: &SlotId, day: i64) -> Vec<u8> {
    context("otp", &[&vault.0, &slot.0, &day.to_be_bytes()])
}

/// Uniform numbers below 1,000,000, drawn in bulk, by rejection.
pub(super) struct Filler {
    bytes: Vec<u8>,
    at: usize,
}

impl Filler {
    pub fn new(count: usize) -> Self {
        let bytes = vec![0; 4 * count.max(1)];
        Self { at: bytes.len(), bytes }
    }

    pub fn next(&mut self, random: &mut Random<'_>) -> u32 {
        const LIMIT: u32 = u32::MAX / MODULUS * MODULUS;
        loop {
            if self.at == self.bytes.len() {
                random(&mut self.bytes);
                self.at = 0;
            }
            let word = self.bytes[self.at..].first_chunk().expect("a multiple of four bytes");
            self.at += 4;
            let word = u32::from_be_bytes(*word);
            if word < LIMIT {
                return word % MODULUS;
            }
        }
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

/// What the head says, opened.
pub(super) struct Head {
    /// The TOTP secret, 20 bytes.
    pub secret: SecretBytes,
    /// The slot's target.
    pub target: Zeroizing<u32>,
    /// The newest step whose code was used.
    pub last_used_step: u64,
    /// Day of the first hash.
    pub first_day: i64,
    /// First 16 bytes of SHA-256 of each day's row, day after day.
    pub days: Vec<[u8; 16]>,
}

impl Head {
    /// ```text
    /// SEAL(SUB(member_key, "otp", 0), CTX("otp-head", vault, slot, SHA-256(params)),
    ///      secret20 ‖ u32 target ‖ u64 last_used_step ‖ i64 first_day ‖ u32 n ‖ n × hash16)
    /// ```
    pub fn seal(
        &self,
        vault: &VaultId,
        slot: &SlotId,
        params: &[u8],
        member_key: &Key32,
        random: &mut Random<'_>,
    ) -> OtpHeadRow {
        let mut plain = Zeroizing::new(Vec::with_capacity(44 + 16 * self.days.len()));
        self.secret.expose(|s| plain.extend_from_slice(s));
        plain.extend_from_slice(&self.target.to_be_bytes());
        plain.extend_from_slice(&self.last_used_step.to_be_bytes());
        plain.extend_from_slice(&self.first_day.to_be_bytes());
        plain.extend_from_slice(&(self.days.len() as u32).to_be_bytes());
        self.days.iter().for_each(|hash| plain.extend_from_slice(hash));
        let mut salt = [0; SALT];
        random(&mut salt);
        let key = keys::sub(member_key, keys::name::OTP, 0);
        let ct = aead::seal(&key, &head_context(vault, slot, params), &salt, &plain);
        OtpHeadRow { slot: *slot, ct }
    }

    /// Opens what [`Head::seal`] made.
    pub fn open(
        vault: &VaultId,
        row: &OtpHeadRow,
        params: &[u8],
        member_key: &Key32,
    ) -> Result<Self, OpenError> {
        let key = keys::sub(member_key, keys::name::OTP, 0);
        let plain = aead::open(&key, &head_context(vault, &row.slot, params), &row.ct)?;
        plain.expose(Self::read).ok_or(OpenError)
    }

    fn read(plain: &[u8]) -> Option<Self> {
        let (secret, rest) = plain.split_at_checked(20)?;
        let (target, rest) = rest.split_first_chunk()?;
        let (last_used_step, rest) = rest.split_first_chunk()?;
        let (first_day, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let (days, odd) = rest.as_chunks();
        if !odd.is_empty() || days.len() != u32::from_be_bytes(*count) as usize {
            return None;
        }
        Some(Self {
            secret: SecretBytes::copy_of(secret),
            target: Zeroizing::new(u32::from_be_bytes(*target)),
            last_used_step: u64::from_be_bytes(*last_used_step),
            first_day: i64::from_be_bytes(*first_day),
            days: days.to_vec(),
        })
    }

    /// Whether `row` is the one this head was written with.
    pub fn knows(&self, row: &OtpDayRow) -> bool {
        usize::try_from(row.day.saturating_sub(self.first_day))
            .ok()
            .and_then(|i| self.days.get(i))
            .is_some_and(|hash| *hash == hash_of(row))
    }
}

/// First 16 bytes of SHA-256 of a row.
pub(super) fn hash_of(row: &OtpDayRow) -> [u8; 16] {
    *Sha256::digest(&row.ct).first_chunk().expect("SHA-256 has 32 bytes")
}

fn head_context(vault: &VaultId, slot: &SlotId, params: &[u8]) -> Vec<u8> {
    context("otp-head", &[&vault.0, &slot.0, &Sha256::digest(params)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_live_step_gives_the_target_and_no_other_does() {
        let codes = Codes::new(&[7; 20]);
        let day = 20_000;
        let used = 20_000 * STEPS + 99;
        let mut byte = 0u8;
        let mut random = |b: &mut [u8]| {
            b.iter_mut().for_each(|b| {
                byte = byte.wrapping_mul(181).wrapping_add(41);
                *b = byte;
            });
        };
        let table = Table::new(&codes, 123_456, day, Some(used), &mut random);
        assert_eq!(table.live(), 100);
        for index in 0..STEPS {
            let code = codes.at(20_000 * STEPS + index);
            let target = table.get(index).map(|o| (o + code) % MODULUS);
            assert_eq!(target, (index >= 100).then_some(123_456), "step {index}");
        }
    }
}
