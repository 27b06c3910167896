//! What is sealed in cells and deltas, and the seals themselves.

use poterne::crypto::context::context;
use poterne::crypto::{aead, keys};
use poterne::model::entry::Summary;
use poterne::model::id::{CellId, EntryId};
use poterne::vault::cell::{self, Place, Purpose};

use super::index::entry;
use super::{CLIENT, MIB, VAULT, fuzz, sealed, within};
use crate::seeded::key as key_of;

#[test]
fn sealed_entries_and_changes() {
    let place =
        Place { vault: VAULT, client: CLIENT, generation: 2, cell: CellId([8; 16]), ver: 3 };
    let change = (EntryId([1; 16]), Some(entry().summary()));
    let none = (EntryId([1; 16]), None::<Summary>);
    let plain = |v: &dyn Fn() -> postcard::Result<Vec<u8>>| v().expect("plain data");
    let valid = vec![
        plain(&|| postcard::to_stdvec(&entry())),
        plain(&|| postcard::to_stdvec(&change)),
        plain(&|| postcard::to_stdvec(&none)),
    ];
    let k = key_of(1);
    fuzz(2500, valid, |bytes| {
        let raw = cell::seal(&k, &place, Purpose::Entry, bytes, &[3; 24]);
        if let Ok(read) = within(4 * MIB, || cell::open_entry(&k, &place, &raw)) {
            let again = cell::seal_entry(&k, &place, &read, &[3; 24]);
            assert_eq!(cell::open_entry(&k, &place, &again).expect("just sealed"), read);
            let _ = read.summary();
        }
        let ctx = context(
            "index",
            &[&VAULT.0, &CLIENT.0, &2u32.to_be_bytes(), b"delta", &7u64.to_be_bytes()],
        );
        let raw = sealed(&k, keys::name::INDEX, 2, &ctx, bytes);
        if let Ok(read) = within(4 * MIB, || cell::open_delta(&k, &VAULT, &CLIENT, 2, 7, &raw)) {
            let again = cell::seal_delta(&k, &VAULT, &CLIENT, 2, 7, &read, &[3; 24]);
            let again = cell::open_delta(&k, &VAULT, &CLIENT, 2, 7, &again);
            assert_eq!(again.expect("just sealed"), read);
        }
    });
}

#[test]
fn seals_themselves() {
    let k = key_of(1);
    let valid = [0, 5, 300, 20_000].map(|n| aead::seal_padded(&k, b"here", &[1; 24], &vec![7; n]));
    fuzz(1500, valid.to_vec(), |bytes| {
        within(bytes.len() + MIB, || {
            if let Ok(plain) = aead::open_padded(&k, b"here", bytes) {
                let salt = bytes.first_chunk().expect("it opened");
                let again = plain.expose(|p| aead::seal_padded(&k, b"here", salt, p));
                assert_eq!(again, bytes);
            }
        });
    });
}
