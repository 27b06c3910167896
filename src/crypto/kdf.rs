//! Argon2id (RFC 9106), its cost and the bounds of that cost. The caller brings
//! the memory, so that a doctored file is refused before any is taken.

use std::time::Duration;

use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::secret::Key32;

/// What one run costs. Fields are as read; [`Cost::check`] says whether they are bearable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cost {
    /// Memory in KiB.
    pub mem_kib: u32,
    /// Passes over it.
    pub time: u32,
    /// Lanes, computed in parallel.
    pub lanes: u32,
}

/// A cost outside what the program accepts, in either direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "key stretching cost outside 64 MiB to 4 GiB, 3 to 16 passes (together at most 16 GiB), 1 to 8 lanes"
)]
pub struct BadCost;

impl Cost {
    /// Least memory: the second choice of RFC 9106, 64 MiB.
    pub const MIN_MEM_KIB: u32 = 64 * 1024;
    /// Most memory: 4 GiB.
    pub const MAX_MEM_KIB: u32 = 4 * 1024 * 1024;
    /// Most memory times passes: 16 GiB. The dearest that a person can ask for is
    /// 4 GiB in three passes.
    pub const MAX_WORK_KIB: u64 = 4 * Self::MAX_MEM_KIB as u64;
    /// Most lanes; four are written.
    pub const MAX_LANES: u32 = 8;
    /// Cost when nothing was measured: 256 MiB, 3 passes, 4 lanes.
    pub const DEFAULT: Self = Self { mem_kib: 256 * 1024, time: 3, lanes: 4 };

    /// # Errors
    /// [`BadCost`] below the floor (an attacker would gain) or above the
    /// ceiling (a doctored file would exhaust the machine).
    pub fn check(self) -> Result<(), BadCost> {
        let bearable = (Self::MIN_MEM_KIB..=Self::MAX_MEM_KIB).contains(&self.mem_kib)
            && (3..=16).contains(&self.time)
            && u64::from(self.mem_kib) * u64::from(self.time) <= Self::MAX_WORK_KIB
            && (1..=Self::MAX_LANES).contains(&self.lanes);
        bearable.then_some(()).ok_or(BadCost)
    }

    /// Number of 1 KiB blocks a run of this cost works in.
    ///
    /// # Errors
    /// [`BadCost`], so that a block count is never had for an absurd cost.
    pub fn blocks(self) -> Result<usize, BadCost> {
        Ok(self.params()?.block_count())
    }

    /// Refuses a run for which this machine has not the memory, before any is
    /// taken. `available_kib` is what it could give; `None` if that is unknown.
    ///
    /// # Errors
    /// [`StretchError::Memory`].
    pub fn fits(self, available_kib: Option<u64>) -> Result<(), StretchError> {
        match available_kib {
            Some(free) if free < u64::from(self.mem_kib) => {
                Err(StretchError::Memory { needed_mib: self.mem_kib / 1024 })
            }
            _ => Ok(()),
        }
    }

    fn params(self) -> Result<Params, BadCost> {
        self.check()?;
        Params::new(self.mem_kib, self.time, self.lanes, Some(32)).map_err(|_| BadCost)
    }
}

/// Why a key could not be stretched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StretchError {
    /// The cost is out of bounds; nothing was computed.
    #[error(transparent)]
    Cost(#[from] BadCost),
    /// The machine did not give the memory asked for.
    #[error("not enough memory for key stretching: {needed_mib} MiB needed")]
    Memory {
        /// Memory asked for, in MiB.
        needed_mib: u32,
    },
}

/// `Argon2id(password, salt, cost)`, 32 bytes, in the first
/// [`Cost::blocks`] of `memory`, which holds key material afterwards: the
/// owner of the memory wipes it.
///
/// # Errors
/// A cost out of bounds, or `memory` shorter than the cost needs.
#[inline(never)]
pub fn stretch_in(
    memory: &mut [Block],
    password: &[u8],
    salt: &[u8; 32],
    cost: Cost,
) -> Result<Key32, StretchError> {
    let params = cost.params()?;
    let too_little = StretchError::Memory { needed_mib: cost.mem_kib / 1024 };
    if memory.len() < params.block_count() {
        return Err(too_little);
    }
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    Key32::try_filled(|out| {
        argon.hash_password_into_with_memory(password, salt, out, memory).map_err(|_| too_little)
    })
}

/// The time an unlock should take, and the least and most that is well.
const AIM: Duration = Duration::from_millis(1000);
const LEAST: Duration = Duration::from_millis(700);
const MOST: Duration = Duration::from_millis(1200);

/// The cost to write into a new slot, from one timed run of `probe`: memory
/// first, to about one second, in steps of 64 MiB, no more than
/// `mem_limit_kib` and no less than the floor; then passes, when memory alone
/// leaves it under 0.7 s.
pub fn calibrate(probe: Cost, took: Duration, mem_limit_kib: u32) -> Cost {
    const STEP: u64 = Cost::MIN_MEM_KIB as u64;
    let took = took.as_micros().max(1);
    let passes = |time: u32, mem: u64| {
        took * u128::from(mem) * u128::from(time)
            / (u128::from(probe.mem_kib.max(1)) * u128::from(probe.time.max(1)))
    };
    let limit = u64::from(mem_limit_kib.min(Cost::MAX_MEM_KIB)).max(STEP) / STEP * STEP;
    let mut mem = STEP;
    // The step nearest to the aim that is not too slow.
    while mem + STEP <= limit
        && passes(3, mem + STEP / 2) <= AIM.as_micros()
        && passes(3, mem + STEP) <= MOST.as_micros()
    {
        mem += STEP;
    }
    let mut time = 3;
    while time < 16
        && passes(time, mem) < LEAST.as_micros()
        && mem * u64::from(time + 1) <= Cost::MAX_WORK_KIB
    {
        time += 1;
    }
    Cost {
        mem_kib: u32::try_from(mem).expect("at most the limit, which is 32 bits"),
        time,
        lanes: probe.lanes.clamp(1, Cost::MAX_LANES),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Cost = Cost { mem_kib: 64 * 1024, time: 3, lanes: 4 };

    #[test]
    fn calibration_aims_at_a_second_by_memory() {
        let cost = calibrate(PROBE, Duration::from_millis(62), 4 * 1024 * 1024);
        assert_eq!(cost, Cost { mem_kib: 1024 * 1024, time: 3, lanes: 4 });
    }

    #[test]
    fn a_slow_machine_stays_at_the_floor() {
        let cost = calibrate(PROBE, Duration::from_secs(9), 4 * 1024 * 1024);
        assert_eq!(cost, PROBE);
    }

    #[test]
    fn any_machine_that_can_takes_between_0_7_and_1_2_seconds() {
        for millis in 20..1200 {
            let cost = calibrate(PROBE, Duration::from_millis(millis), Cost::MAX_MEM_KIB);
            assert_eq!(cost.check(), Ok(()));
            let factor = f64::from(cost.mem_kib / PROBE.mem_kib) * f64::from(cost.time) / 3.0;
            let expected = millis as f64 * factor;
            assert!((700.0..=1200.0).contains(&expected), "{millis} ms became {expected} ms");
        }
    }

    #[test]
    fn little_memory_is_made_up_by_passes() {
        let cost = calibrate(PROBE, Duration::from_millis(62), 256 * 1024);
        assert_eq!(cost.mem_kib, 256 * 1024);
        assert_eq!(cost.time, 9);
    }

    #[test]
    fn memory_that_is_not_there_is_not_asked_for() {
        let large = Cost { mem_kib: Cost::MAX_MEM_KIB, ..PROBE };
        assert_eq!(large.check(), Ok(()));
        assert_eq!(large.fits(None), Ok(()));
        assert_eq!(large.fits(Some(Cost::MAX_MEM_KIB.into())), Ok(()));
        let short = large.fits(Some(1024 * 1024));
        assert_eq!(short, Err(StretchError::Memory { needed_mib: 4096 }));
    }

    #[test]
    fn costs_out_of_bounds_have_no_block_count() {
        for bad in [
            Cost { mem_kib: 65_535, ..PROBE },
            Cost { mem_kib: 4 * 1024 * 1024 + 1, ..PROBE },
            Cost { time: 2, ..PROBE },
            Cost { time: 17, ..PROBE },
            Cost { lanes: 0, ..PROBE },
            Cost { lanes: 9, ..PROBE },
            Cost { mem_kib: Cost::MAX_MEM_KIB, time: 5, ..PROBE },
            Cost { mem_kib: 2 * 1024 * 1024, time: 9, ..PROBE },
        ] {
            assert_eq!(bad.blocks(), Err(BadCost));
            assert!(stretch_in(&mut [], b"p", &[0; 32], bad).is_err());
        }
    }
}
