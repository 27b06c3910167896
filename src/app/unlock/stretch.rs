//! Stretching a password into a key, in memory of its own. Never keeps a key;
//! only how long it all took.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::app::api::{AppError, Code};
use crate::crypto::kdf::{Cost, StretchError, stretch_in};
use crate::model::lang::Bi;
use crate::os::hugemem::{Blocks, available_kib};
use crate::secret::Key32;

/// Microseconds that the last key stretching of this process took.
static STRETCH_MICROS: AtomicU64 = AtomicU64::new(0);

/// How long this process has stretched keys so far: what is left of an unlock
/// without its part of it is the vault's own time.
pub fn time_stretched() -> Duration {
    Duration::from_micros(STRETCH_MICROS.load(Ordering::Relaxed))
}

/// Stretches a password in memory of its own, which is wiped afterwards.
pub(in crate::app) fn stretch(
    first: &[u8],
    salt: &[u8; 32],
    cost: Cost,
) -> Result<Key32, StretchError> {
    let count = cost.blocks()?;
    cost.fits(available_kib())?;
    let begun = Instant::now();
    let mut blocks = Blocks::take(count)
        .map_err(|_| StretchError::Memory { needed_mib: cost.mem_kib / 1024 })?;
    let key = stretch_in(blocks.blocks(), first, salt, cost);
    drop(blocks);
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    STRETCH_MICROS.fetch_add(micros, Ordering::Relaxed);
    key
}

/// Why a key could not be made of a password, for a person.
pub(in crate::app) fn unstretched(e: StretchError) -> AppError {
    match e {
        StretchError::Cost(_) => AppError::tampered(
            "le coût de dérivation est hors limites",
            "the cost of key stretching is out of bounds",
        ),
        StretchError::Memory { needed_mib } => AppError {
            code: Code::Other,
            what: Bi::new(
                format!(
                    "La mémoire libre ne suffit pas\u{a0}: il en faut {needed_mib} Mio pour le mot de passe de ce coffre."
                ),
                format!(
                    "There is not enough free memory: this vault's password takes {needed_mib} MiB."
                ),
            ),
            todo: Bi::new(
                "Fermez d’autres programmes, puis recommencez, ou ouvrez le coffre sur un ordinateur qui a plus de mémoire.",
                "Close other programs, then try again, or open the vault on a computer with more memory.",
            ),
        },
    }
}
