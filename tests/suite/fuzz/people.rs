//! What the file holds of people: their keys, certificates and grants.

use poterne::crypto::context::context;
use poterne::crypto::{aead, kem, keys};
use poterne::model::id::{CellId, EntryId};
use poterne::model::member::Role;
use poterne::model::time::Time;
use poterne::vault::cert::{self, Act, Card, Directory, PublicKeys};
use poterne::vault::grant::{self, GrantRow};
use poterne::vault::identity::{self, Identity, KeyRing};

use super::{CLIENT, ME, MIB, VAULT, fuzz, sealed, within};
use crate::seeded::{key as key_of, random};

#[test]
fn identity_and_keys() {
    let me = Identity::from_seeds(key_of(1), &key_of(2));
    let mut ring = KeyRing::default();
    ring.put_vault_key(1, key_of(3));
    ring.put_vault_key(2, key_of(4));
    ring.set_audit_key(Some((3, key_of(5))));
    ring.seen = Some((4, [9; 32]));
    ring.put_client_key(CLIENT, 1, key_of(6));
    ring.put_client_key(EntryId([9; 16]), 7, key_of(7));
    let ctx = context("private", &[&VAULT.0, &ME.0]);
    let member_key = key_of(8);
    let under = keys::sub(&member_key, keys::name::PRIVATE, 0);
    let valid = [&ring, &KeyRing::default()].map(|ring| {
        let row = identity::seal_private(&member_key, &VAULT, &ME, &me, ring, &[3; 24]);
        let plain = aead::open_padded(&under, &ctx, &row).expect("as FORMAT.md says");
        plain.expose(<[u8]>::to_vec)
    });
    fuzz(400, valid.to_vec(), |bytes| {
        let row = sealed(&member_key, keys::name::PRIVATE, 0, &ctx, bytes);
        let open = |row: &[u8]| identity::open_private(&member_key, &VAULT, &ME, row);
        if let Ok((me, ring)) = within(8 * MIB, || open(&row)) {
            let seal =
                |me, ring| identity::seal_private(&member_key, &VAULT, &ME, me, ring, &[3; 24]);
            let again = seal(&me, &ring);
            let (me, ring) = open(&again).expect("just sealed");
            assert_eq!(seal(&me, &ring), again);
        }
    });
}

#[test]
fn certificates() {
    let at = Time(1_764_000_000_000_000);
    let me = Identity::from_seeds(key_of(1), &key_of(2));
    let (mut directory, mut card) = Directory::found(VAULT, ME, "Zoé", &me, at);
    let change = Act::Change { name: "Zoé M.".into(), role: Role::Owner, all_clients: true };
    card.statements.push(directory.state(ME, me.signing(), ME, change, at).expect("may"));
    let own = Identity::from_seeds(key_of(3), &key_of(4));
    let rekey = Act::Rekey { keys: PublicKeys::of(&own) };
    let mut whole = card.clone();
    whole.statements.extend(directory.state(ME, me.signing(), ME, rekey, at));
    let ctx = context("card", &[&VAULT.0, &ME.0, &5u32.to_be_bytes()]);
    let under = keys::sub(&key_of(9), keys::name::CARD, 5);
    let valid = [card, whole, Card::default()].map(|card| {
        let row = cert::seal_card(&key_of(9), 5, &VAULT, &ME, &card, &[3; 24]);
        let plain = aead::open_padded(&under, &ctx, &row[4..]).expect("as FORMAT.md says");
        plain.expose(<[u8]>::to_vec)
    });
    let root = me.signing().public();
    fuzz(700, valid.to_vec(), |bytes| {
        let mut row = 5u32.to_be_bytes().to_vec();
        row.extend(sealed(&key_of(9), keys::name::CARD, 5, &ctx, bytes));
        let _ = cert::open_card(&key_of(9), &VAULT, &ME, bytes);
        let _ = cert::card_generation(bytes);
        if let Ok(card) = within(4 * MIB, || cert::open_card(&key_of(9), &VAULT, &ME, &row)) {
            let again = cert::seal_card(&key_of(9), 5, &VAULT, &ME, &card, &[3; 24]);
            assert_eq!(again, row);
            let _ = Directory::verify(VAULT, &root, [(&ME, &card)], None);
            let _ = Directory::verify(VAULT, &root, [(&ME, &card)], Some((1, [0; 32])));
        }
    });
}

#[test]
fn grants() {
    let at = Time(1_764_000_000_000_000);
    let me = Identity::from_seeds(key_of(1), &key_of(2));
    let (directory, _) = Directory::found(VAULT, ME, "Zoé", &me, at);
    let to = directory.member(&ME).expect("the founder");
    let id = CellId([8; 16]);
    let grantor = (ME, &me);
    let good = grant::seal(&VAULT, id, to, CLIENT, 2, &key_of(7), grantor, &mut random("grant"))
        .expect("a sound key");
    fuzz(150, vec![good.enc_ct.clone(), to.keys.kem.to_vec()], |bytes| {
        let row = GrantRow { enc_ct: bytes.to_vec(), ..good.clone() };
        within(MIB, || {
            let same = row == good;
            assert_eq!(grant::open(&VAULT, &row, ME, &me, &directory).is_ok(), same);
            assert_eq!(grant::open_unjudged(&VAULT, &row, ME, &me).is_ok(), same);
            // A public key of a doctored header or card.
            let sealed = kem::seal_to(bytes, b"", b"", b"x", &mut random("to"));
            assert!(sealed.is_err() || bytes.len() == kem::PUBLIC);
        });
    });
}
