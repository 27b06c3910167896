//! Randomness that is the same at each run, and key stretching for tests: real
//! at the floor cost, or pretended.

use poterne::crypto::kdf::{Cost, StretchError, stretch_in};
use poterne::os::hugemem::Blocks;
use poterne::secret::Key32;
use sha2::{Digest, Sha256};

/// The least cost that is accepted.
pub const COST: Cost = Cost { mem_kib: 64 * 1024, time: 3, lanes: 4 };

/// Bytes of `SHA-256(seed ‖ counter)`, on and on.
pub fn random(seed: &str) -> impl FnMut(&mut [u8]) {
    let seed = seed.to_owned();
    let mut counter = 0u64;
    move |out: &mut [u8]| {
        for chunk in out.chunks_mut(32) {
            let mut hash = Sha256::new().chain_update(&seed);
            hash.update(counter.to_be_bytes());
            counter += 1;
            chunk.copy_from_slice(&hash.finalize()[..chunk.len()]);
        }
    }
}

/// A key of one repeated byte.
pub fn key(byte: u8) -> Key32 {
    Key32::filled(|k| k.fill(byte))
}

/// Stretches as the application does.
pub fn stretch(password: &[u8], salt: &[u8; 32], cost: Cost) -> Result<Key32, StretchError> {
    let mut blocks = Blocks::take(cost.blocks()?).expect("64 MiB are there");
    stretch_in(blocks.blocks(), password, salt, cost)
}

/// Stands in for key stretching where it is not what is tested.
pub fn pretend(password: &[u8], salt: &[u8; 32], cost: Cost) -> Result<Key32, StretchError> {
    cost.check()?;
    let mut hash = Sha256::new().chain_update(salt).chain_update(password);
    [cost.mem_kib, cost.time, cost.lanes].iter().for_each(|n| hash.update(n.to_be_bytes()));
    Ok(Key32::copy_of(&hash.finalize()).expect("SHA-256 has 32 bytes"))
}
