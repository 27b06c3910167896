//! Every reader of bytes that somebody else may have made, fed arbitrary bytes
//! and damaged valid ones. None may panic, take memory because a length says so,
//! or give a value that it would not read back the same. This file has the damage;
//! the readers are beside it.
//!
//! `PROPTEST_CASES` multiplies the trials: each target runs its own share of it
//! (256 stands for the usual number).

mod audit;
mod cells;
pub mod codes;
mod frames;
mod index;
mod people;
mod private_keys;
mod profiles;
mod rows;

use poterne::crypto::{aead, keys};
use poterne::model::id::{EntryId, MemberId, VaultId};
use poterne::os::alloc;
use poterne::secret::Key32;
use proptest::prelude::*;
use proptest::sample::{Index as Pick, select};
use proptest::test_runner::TestRunner;

use super::kit::cases;

const VAULT: VaultId = VaultId([0x11; 16]);
const ME: MemberId = MemberId([0x33; 16]);
const CLIENT: EntryId = EntryId([0x55; 16]);
const MIB: usize = 1 << 20;

/// One damage to a valid input.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Pick, u8),
    Set(Pick, u8),
    Delete(Pick, usize),
    Insert(Pick, Vec<u8>),
    Cut(Pick),
    /// Copies a stretch to another place.
    Double(Pick, usize, Pick),
    /// Writes a large number over the bytes there, in one of the usual spellings.
    Huge(Pick, Vec<u8>),
    /// Repeats one stretch many times: deep nesting, long runs.
    Nest(Pick, usize, usize),
}

impl Damage {
    fn any() -> impl Strategy<Value = Self> {
        let at = any::<Pick>;
        let huge = select(vec![
            vec![0xFF; 4],
            vec![0xFF; 8],
            vec![0x7F, 0xFF, 0xFF, 0xFF],
            vec![0xFF, 0xFF, 0xFF, 0x7F],
            // postcard and its largest numbers
            vec![0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            vec![0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
            // DER
            vec![0x84, 0x7F, 0xFF, 0xFF, 0xFF],
            vec![0x80; 6],
            b"99999999999999999999".to_vec(),
            b"18446744073709551615".to_vec(),
            b"-1".to_vec(),
        ]);
        let odd = select(vec![
            b"\xFF\xFE".to_vec(),
            b"\xC3".to_vec(),
            b"\xED\xA0\x80".to_vec(),
            b"\0".to_vec(),
            b"[[[[[[[[{{{{{{{{".to_vec(),
            b"%".to_vec(),
            b"%C3%28".to_vec(),
            "é\u{301}\u{202E}".as_bytes().to_vec(),
            b"\r\n\r\n".to_vec(),
            b"\"".to_vec(),
        ]);
        let few = proptest::collection::vec(any::<u8>(), 1..9);
        prop_oneof![
            4 => (at(), 0..8u8).prop_map(|(i, bit)| Self::Flip(i, 1 << bit)),
            3 => (at(), any::<u8>()).prop_map(|(i, byte)| Self::Set(i, byte)),
            2 => (at(), 1..40usize).prop_map(|(i, n)| Self::Delete(i, n)),
            2 => (at(), prop_oneof![few, odd]).prop_map(|(i, bytes)| Self::Insert(i, bytes)),
            1 => at().prop_map(Self::Cut),
            2 => (at(), 1..200usize, at()).prop_map(|(i, n, to)| Self::Double(i, n, to)),
            3 => (at(), huge).prop_map(|(i, bytes)| Self::Huge(i, bytes)),
            1 => (at(), 1..12usize, 1..400usize).prop_map(|(i, n, times)| Self::Nest(i, n, times)),
        ]
    }

    fn to(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let len = bytes.len();
        let stretch = |i: &Pick, n: usize| {
            let from = i.index(len);
            from..(from + n).min(len)
        };
        match self {
            Self::Flip(i, bit) => bytes[stretch(i, 1).start] ^= bit,
            Self::Set(i, byte) => bytes[stretch(i, 1).start] = *byte,
            Self::Delete(i, n) => drop(bytes.drain(stretch(i, *n))),
            Self::Insert(i, new) => drop(bytes.splice(stretch(i, 0), new.iter().copied())),
            Self::Cut(i) => bytes.truncate(stretch(i, 0).start),
            Self::Double(i, n, to) => {
                let copy = bytes[stretch(i, *n)].to_vec();
                let to = to.index(bytes.len());
                drop(bytes.splice(to..to, copy));
            }
            Self::Huge(i, new) => {
                let place = stretch(i, new.len());
                drop(bytes.splice(place, new.iter().copied()));
            }
            Self::Nest(i, n, times) => {
                let place = stretch(i, *n);
                let copy = bytes[place.clone()].repeat(*times);
                drop(bytes.splice(place, copy));
            }
        }
    }
}

/// Arbitrary bytes, or one of `valid` (at its position) with some damage, or as it is.
fn inputs(valid: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let damaged = (any::<Pick>(), proptest::collection::vec(Damage::any(), 0..5));
    let damaged = damaged.prop_map(move |(which, damages)| {
        let mut bytes = valid[which.index(valid.len())].clone();
        damages.iter().for_each(|d| d.to(&mut bytes));
        bytes
    });
    prop_oneof![1 => proptest::collection::vec(any::<u8>(), 0..600), 9 => damaged]
}

/// Runs `check` on `usual` inputs made from `valid`, the same at each run; or on
/// as many times more, other ones each time, as `PROPTEST_CASES` is more than 256.
fn fuzz(usual: u32, valid: Vec<Vec<u8>>, check: impl Fn(&[u8])) {
    let mut runner = TestRunner::new(cases(usual));
    valid.iter().for_each(|input| check(input));
    let done = runner.run(&inputs(valid), |input| {
        check(&input);
        Ok(())
    });
    if let Err(e) = done {
        panic!("{e}");
    }
}

/// What `act` gives; it may not have held more than `most` bytes at once.
fn within<T>(most: usize, act: impl FnOnce() -> T) -> T {
    let (out, held) = alloc::most_held(act);
    assert!(held <= most, "{held} bytes were taken, more than {most}");
    out
}

/// Sealed as everything small is, to reach the reader behind the seal.
fn sealed(key: &Key32, name: &str, generation: u32, ctx: &[u8], plain: &[u8]) -> Vec<u8> {
    aead::seal_padded(&keys::sub(key, name, generation), ctx, &[3; 24], plain)
}
