//! Every reader of bytes that somebody else may have made, fed arbitrary bytes
//! and damaged valid ones. None may panic, take memory because a length says so,
//! or give a value that it would not read back the same.
//!
//! `PROPTEST_CASES` multiplies the trials: each target runs its own share of it
//! (256 stands for the usual number).

use std::io::{Read, Write};
use std::path::Path;
use std::sync::LazyLock;

use poterne::app::agent::frames::{self, FromAgent, StartFrame, Started, ToAgent};
use poterne::app::api::{At, ExportFormat, Justification, Patch, Reply, Request};
use poterne::app::export;
use poterne::app::qr;
use poterne::audit::verifier::Verifier;
use poterne::audit::{Checkpoint, Log, checkpoint, line, opening};
use poterne::connect::host::wire;
use poterne::connect::link::{ChannelRequest, Exit, LineSignal, LinkInfo, TermSize};
use poterne::connect::screen::CopyRect;
use poterne::connect::ssh::key;
use poterne::connect::{Failure, Progress};
use poterne::crypto::context::context;
use poterne::crypto::totp::Seed;
use poterne::crypto::{aead, kem, keys};
use poterne::model::entry::{
    Attachment, ClientInfo, CredentialSource, CustomField, Entry, Kind, SecretRef, Slot, Summary,
    VersionRef,
};
use poterne::model::id::{CellId, DeviceId, EntryId, MemberId, SlotId, VaultId};
use poterne::model::member::Role;
use poterne::model::target::{HostPort, PinnedKey, Target};
use poterne::model::time::Time;
use poterne::os::alloc;
use poterne::secret::{Key32, SecretBytes, SecretText};
use poterne::store::sqlite::SqliteStore;
use poterne::vault::cell::{self, Place, Purpose};
use poterne::vault::cert::{self, Act, Card, Directory, PublicKeys};
use poterne::vault::grant::{self, GrantRow};
use poterne::vault::identity::{self, Identity, KeyRing};
use poterne::vault::index::segment::Segment;
use poterne::vault::index::{ClientIndex, Index};
use poterne::vault::login as logins;
use poterne::vault::otp::OtpHeadRow;
use poterne::vault::rows::Rows;
use poterne::vault::slot::{self, LoginParams, Params, SlotRow};
use poterne::vault::state::{self, Device, State};
use poterne::vault::{code, slot as slots};
use proptest::prelude::*;
use proptest::sample::{Index as Pick, select};
use proptest::test_runner::TestRunner;

use super::audit_bundle;
use super::audit_log::{Story, VAULT as STORY, key as audit_key, pk};
use super::kit::{Desk, cases, login};
use super::kit_rows::{open_by_kit, read_all};
use super::seeded::{COST, key as key_of, random};

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

fn entry() -> Entry {
    let at = Time(1_764_000_000_000_000);
    let secret = |n| SecretRef { cell: CellId([n; 16]), set_at: at, set_by: ME };
    Entry {
        id: EntryId([1; 16]),
        client: CLIENT,
        parent: Some(CLIENT),
        kind: Kind::new("ssh"),
        name: "Été ⚙ serveur".into(),
        host: "srv.dupont.example".into(),
        port: Some(2222),
        user: "zoé".into(),
        tags: vec!["prod".into(), "linux".into()],
        favourite: true,
        description: "Première ligne\nseconde".into(),
        expires: Some(jiff::civil::date(2027, 2, 28)),
        settings: [("jump".to_owned(), "Dupont/Rebond".to_owned())].into(),
        credential: CredentialSource::Linked(EntryId([2; 16])),
        custom: vec![
            CustomField { name: "Baie".into(), secret: false, value: "4".into() },
            CustomField { name: "Code".into(), secret: true, value: String::new() },
        ],
        attachments: vec![Attachment { name: "plan.pdf".into(), size: 9, cell: CellId([9; 16]) }],
        secrets: [(Slot::Password, secret(4)), (Slot::Custom("Code".into()), secret(5))].into(),
        client_info: Some(ClientInfo { code: "DUP".into(), ..ClientInfo::default() }),
        ver: 3,
        created_at: at,
        created_by: ME,
        changed_at: at,
        changed_by: ME,
        trashed_at: None,
        snapshots: Vec::new(),
        history: vec![VersionRef { ver: 2, at, by: ME, cell: CellId([7; 16]) }],
    }
}

fn summaries() -> Vec<Summary> {
    let client = Summary {
        id: CLIENT,
        parent: None,
        kind: Kind::CLIENT,
        colour: "#336699".into(),
        ..entry().summary()
    };
    let many = (10..20).map(|n| Summary {
        id: EntryId([n; 16]),
        name: format!("Nœud {n}"),
        parent: Some(EntryId([n.saturating_sub(1).max(10); 16])),
        ..entry().summary()
    });
    [client, entry().summary()].into_iter().chain(many).collect()
}

#[test]
fn slot_parameters() {
    let login = |device| Params {
        kind: slots::Kind::Login,
        salt: [6; 32],
        login: Some(LoginParams { cost: COST, window_days: 365, device }),
    };
    let other = |kind| Params { kind, salt: [7; 32], login: None };
    let valid = [
        login(None),
        login(Some(DeviceId([4; 16]))),
        other(slots::Kind::Recovery),
        other(slots::Kind::Invitation),
        other(slots::Kind::Enrolment),
    ];
    fuzz(4000, valid.iter().map(Params::print).collect(), |bytes| {
        within(MIB, || {
            if let Ok(params) = Params::parse(bytes) {
                assert_eq!(params.print(), bytes);
                if let Some(login) = params.login {
                    let blocks = login.cost.blocks().expect("a cost that was let through");
                    assert!(blocks <= 4 * MIB + 1024, "{blocks} blocks of 1 KiB");
                }
            }
            let row = SlotRow {
                id: SlotId([1; 16]),
                member: ME,
                tag: 0,
                params: bytes.to_vec(),
                wrap: bytes.to_vec(),
            };
            assert!(slot::logins(std::slice::from_ref(&row), 0, |_| true).len() <= 1);
            let code = SecretBytes::new(vec![5; code::CODE]);
            assert!(code::open(&VAULT, &row, slots::Kind::Recovery, &code).is_err());
        });
    });
}

#[test]
fn typed_codes() {
    let code = code::draw(&mut random("code"));
    let print = |kind| code::print(kind, &code).expose(|t| t.as_bytes().to_vec());
    let valid = vec![print(slots::Kind::Recovery), print(slots::Kind::Invitation)];
    fuzz(2000, valid, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(read) = within(MIB, || code::parse(slots::Kind::Recovery, &text)) {
            let again = code::print(slots::Kind::Recovery, &read);
            let again = again.expose(|t| code::parse(slots::Kind::Recovery, t)).expect("printed");
            assert!(again.expose(|a| read.expose(|b| a == b)));
        }
    });
}

/// The file itself: any value of any column of any table, before and after a key.
#[test]
fn rows_of_the_file() {
    let mut desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/srv", login("h", "u", "secret"));
    let _ = desk.call(Request::Lock);
    desk.phone.code();
    let copy = desk.dir.path().join("copie.poterne");
    let tables = [
        ("vault", "vault_id format root_pk audit_pk pending_pk"),
        ("slot", "id member tag params wrap"),
        ("otp_head", "slot ct"),
        ("otp_day", "slot day ct"),
        ("member", "id card private"),
        ("access", "id member subject gen enc_ct grantor sig"),
        ("state", "epoch ct"),
        ("segment", "client gen ver ct"),
        ("delta", "client n gen ct"),
        ("cell", "id place gen ver ct"),
        ("audit_key", "id ct enc_ct"),
        ("audit", "seq key n leaf opening"),
        ("audit_pending", "ct"),
        ("audit_late", "ct"),
        ("audit_unkept", "n"),
    ];
    let valid = (0..8).map(|n| (0..48).map(|i| (i * n) as u8).collect()).collect();
    fuzz(60, valid, |bytes| {
        let pick = |i: usize| usize::from(bytes.get(i).copied().unwrap_or(0));
        let (table, columns) = tables[pick(0) % tables.len()];
        let columns: Vec<&str> = columns.split(' ').collect();
        let column = columns[pick(1) % columns.len()];
        std::fs::copy(&desk.file, &copy).expect("room");
        let db = rusqlite::Connection::open(&copy).expect("a database");
        let old: rusqlite::Result<rusqlite::types::Value> = db.query_row(
            &format!("select {column} from {table} order by rowid limit 1 offset {}", pick(2) % 3),
            [],
            |r| r.get(0),
        );
        use rusqlite::types::Value as V;
        let new = match (pick(3) % 6, old) {
            (0, _) => V::Null,
            (1, _) => V::Integer(i64::MAX - pick(4) as i64),
            (2, _) => V::Text(String::from_utf8_lossy(bytes).into_owned()),
            (3, _) => V::Integer(-1),
            (_, Ok(V::Blob(mut blob))) if !blob.is_empty() => {
                let at = (pick(4) << 8 | pick(5)) % blob.len();
                match pick(6) % 4 {
                    0 => blob.truncate(at),
                    1 => blob[at] ^= 1 << (pick(7) % 8),
                    2 => blob.extend_from_slice(bytes),
                    _ => drop(blob.splice(at.., bytes.iter().copied())),
                }
                V::Blob(blob)
            }
            _ => V::Blob(bytes.to_vec()),
        };
        // A constraint of the table may refuse it; then the file is unchanged.
        let _ = db.execute(
            &format!(
                "update {table} set {column} = ? where rowid =
                 (select rowid from {table} order by rowid limit 1 offset {})",
                pick(2) % 3
            ),
            [new],
        );
        drop(db);
        within(64 * MIB, || {
            if let Ok(store) = SqliteStore::open(&copy, true) {
                let _ = store.read(|rows| {
                    let head = rows.header()?;
                    for row in rows.slots()? {
                        let _ = slot::logins(std::slice::from_ref(&row), row.tag, |_| false);
                        let _ = rows.otp_head(&row.id)?;
                        let _ = rows.otp_days(&row.id, None)?;
                    }
                    Ok::<_, poterne::vault::unlocked::VaultError>(head)
                });
            }
            if let Ok((store, vault)) = open_by_kit(&copy, &desk.kit) {
                let _ = read_all(&store, &vault);
            }
        });
    });
}

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

#[test]
fn index_segments() {
    let valid = vec![
        Segment::pack(summaries()).bytes().to_vec(),
        Segment::pack(Vec::new()).bytes().to_vec(),
    ];
    fuzz(3000, valid, |bytes| {
        within(8 * MIB, || {
            let Ok(segment) = Segment::parse(bytes.to_vec()) else { return };
            assert_eq!(segment.bytes(), bytes);
            let client = ClientIndex::new(CLIENT, segment);
            let all = client.all();
            assert_eq!(all.len(), client.base().len());
            for n in 0..client.base().len() {
                let _ = client.base().name_may_fold_to(n, "été");
                let _ = (client.base().texts(n), client.base().fold_range(n));
            }
            // What was read packs and reads back as the same nodes, as far as a
            // segment can hold them (an unknown colour of a stranger aside).
            let again = Segment::pack(all.clone());
            let again = ClientIndex::new(CLIENT, again).all();
            assert_eq!(again.len(), all.len());
            let mut index = Index::default();
            index.put(client);
            let _ = index.at_path("Été ⚙ serveur/Nœud 10");
            for summary in &all {
                let _ = index.path(summary);
            }
        });
    });
}

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

#[test]
fn state_and_one_time_rows() {
    let mut whole = State::new();
    whole.vault_gen = 4;
    whole.use_step(ME, 9);
    whole.audit.end = Log::new().to_bytes();
    whole.devices.push(Device {
        id: DeviceId([1; 16]),
        slot: SlotId([2; 16]),
        member: ME,
        label: "portable de Zoé".into(),
        added_at: Time(5),
    });
    let k = key_of(1);
    let mut head = vec![7; 20 + 4 + 8 + 8];
    head.extend(3u32.to_be_bytes());
    head.extend([5; 48]);
    let valid = vec![postcard::to_stdvec(&whole).expect("plain data"), head, vec![0; 4096]];
    let slot = SlotId([2; 16]);
    let params = vec![1; 111];
    fuzz(1500, valid, |bytes| {
        let ctx = context("state", &[&VAULT.0, &4u32.to_be_bytes()]);
        let mut row = 4u32.to_be_bytes().to_vec();
        row.extend(sealed(&k, keys::name::STATE, 4, &ctx, bytes));
        let _ = state::open(&VAULT, &k, bytes);
        if let Ok(read) = within(4 * MIB, || state::open(&VAULT, &k, &row)) {
            let again = state::seal(&VAULT, &k, &read, &[1; 24]);
            assert_eq!(state::open(&VAULT, &k, &again).expect("just sealed"), read);
            let _ = Log::from_bytes(&read.audit.end);
        }
        let hash = <sha2::Sha256 as sha2::Digest>::digest(&params);
        let ctx = context("otp-head", &[&VAULT.0, &slot.0, &hash[..]]);
        let ct = aead::seal(&keys::sub(&k, keys::name::OTP, 0), &ctx, &[1; 24], bytes);
        let row = OtpHeadRow { slot, ct };
        let login = SlotRow { id: slot, member: ME, tag: 0, params: params.clone(), wrap: vec![] };
        let _ = within(MIB, || logins::step_for(&VAULT, &login, &row, &k, "123456", Time(0)));
        if let Some(log) = within(MIB, || Log::from_bytes(bytes)) {
            assert_eq!(Log::from_bytes(&log.to_bytes()).as_ref(), Some(&log));
            let _ = log.root();
        }
        if let Some(verifier) = within(4 * MIB, || Verifier::from_bytes(bytes)) {
            let _ = (verifier.summary(), verifier.finish());
        }
    });
}

fn same_seed(a: &Seed, b: &Seed) -> bool {
    a.secret.expose(|x| b.secret.expose(|y| x == y))
        && (a.digits, a.period, a.algorithm) == (b.digits, b.period, b.algorithm)
        && (&a.issuer, &a.account) == (&b.issuer, &b.account)
}

#[test]
fn otpauth_addresses() {
    let valid = [
        "otpauth://totp/Dupont%20%26%20Fils:zo%C3%A9@dupont.example?secret=GEZDGNBVGY3TQOJQGEZDGNBV\
         GY3TQOJQ&issuer=Dupont&algorithm=SHA256&digits=8&period=60",
        "otpauth://totp/a%3Ab?secret=GEZDGNBV",
        "OTPAUTH://TOTP/:x?Secret=gezd-gnbv======&Algorithm=hmac-sha-512#fragment",
        "gezd gnbv gy3t qojq",
    ];
    fuzz(6000, valid.iter().map(|t| t.as_bytes().to_vec()).collect(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(seed) = within(MIB, || Seed::parse(&text)) {
            let again = seed.to_uri().expose(Seed::parse).expect("what was just printed");
            assert!(same_seed(&seed, &again), "{text}");
            for now in [i64::MIN, -1, 0, 59, i64::MAX] {
                let (code, left) = seed.code(Time(now));
                assert_eq!(code.len(), usize::from(seed.digits));
                assert!((1..=86_400).contains(&left));
            }
        }
    });
}

/// A QR code as a picture file.
pub fn picture(text: &str, format: image::ImageFormat) -> Vec<u8> {
    let code = qrcode::QrCode::new(text).expect("it fits");
    let (side, dots) = (code.width() + 8, code.to_colors());
    let scale = 3;
    let picture = image::GrayImage::from_fn(side as u32 * scale, side as u32 * scale, |x, y| {
        let at = |v: u32| (v / scale) as usize;
        let inside = |v: usize| v.checked_sub(4).filter(|v| *v < side - 8);
        let dark = inside(at(x))
            .zip(inside(at(y)))
            .is_some_and(|(x, y)| dots[y * (side - 8) + x] == qrcode::Color::Dark);
        image::Luma([if dark { 0 } else { 255 }])
    });
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, format).expect("into memory");
    out.into_inner()
}

#[test]
fn qr_pictures() {
    let uri = "otpauth://totp/Dupont:zoe?secret=GEZDGNBVGY3TQOJQ&issuer=Dupont";
    let png = picture(uri, image::ImageFormat::Png);
    assert!(qr::text(&png).is_some_and(|t| t.expose(|t| t == uri)));
    let jpeg = picture(uri, image::ImageFormat::Jpeg);
    // A picture that claims 60,000 × 60,000 dots.
    let mut vast = png.clone();
    vast[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    assert!(within(8 * MIB, || qr::text(&vast)).is_none());
    fuzz(120, vec![png, jpeg], |bytes| {
        let _ = within(400 * MIB, || qr::text(bytes));
    });
}

/// Damages the dots rather than the file, so that it is the code that is wrong.
#[test]
fn damaged_qr_codes() {
    let texts = ["otpauth://totp/a?secret=GEZDGNBV", "0123456789", "HTTPS://EXAMPLE"];
    let valid = texts.map(|t| image::load_from_memory(&picture(t, image::ImageFormat::Png)));
    let valid = valid.map(|p| p.expect("a picture").into_luma8());
    let dots: Vec<Vec<u8>> = valid.iter().map(|p| p.as_raw().clone()).collect();
    let sides: Vec<u32> = valid.iter().map(image::GrayImage::width).collect();
    fuzz(120, dots, |bytes| {
        for side in &sides {
            let mut dots = bytes.to_vec();
            dots.resize((side * side) as usize, 255);
            let picture = image::GrayImage::from_raw(*side, *side, dots).expect("so many dots");
            let mut file = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut file, image::ImageFormat::Png).expect("into memory");
            let _ = qr::text(file.get_ref());
        }
    });
}

/// Keys of every form, made once by the programs that people use.
static KEYS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let dir = tempfile::tempdir().expect("a folder");
    let at = |name: &str| dir.path().join(name);
    let run = |program: &str, args: &[&str]| {
        let done = std::process::Command::new(program)
            .args(args)
            .current_dir(dir.path())
            .output()
            .expect("it is installed");
        assert!(done.status.success(), "{program} {args:?}");
    };
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", "ed"]);
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "phrase", "-a", "1", "-f", "edp"]);
    // One in 256 begins with a zero byte, and only libssh2 reads it.
    loop {
        run("ssh-keygen", &["-q", "-t", "ecdsa", "-N", "", "-f", "ec"]);
        let key = std::fs::read(at("ec")).expect("it was made");
        if ready(&key).is_ok_and(|key| key.decoded.is_some()) {
            break;
        }
        std::fs::remove_file(at("ec")).expect("it was made");
    }
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", "rsa"]);
    run("ssh-keygen", &["-q", "-t", "rsa", "-b", "1024", "-N", "", "-m", "PEM", "-f", "pem"]);
    run(
        "ssh-keygen",
        &["-q", "-t", "rsa", "-b", "1024", "-N", "phrase", "-m", "PEM", "-f", "pemp"],
    );
    run("ssh-keygen", &["-q", "-t", "ecdsa", "-N", "", "-m", "PKCS8", "-f", "p8"]);
    run("ssh-keygen", &["-q", "-t", "ecdsa", "-N", "phrase", "-m", "PKCS8", "-f", "p8p"]);
    let names = ["ed", "edp", "ec", "rsa", "pem", "pemp", "p8", "p8p"];
    names.iter().map(|name| std::fs::read(at(name)).expect("it was made")).collect()
});

fn ready(bytes: &[u8]) -> Result<key::Ready, Failure> {
    key::ready(SecretBytes::copy_of(bytes), || Some(SecretText::copy_of("phrase")))
}

#[test]
fn private_keys() {
    for (n, key) in KEYS.iter().enumerate() {
        let key = ready(key).unwrap_or_else(|f| panic!("key {n}: {}", f.what.en));
        assert!(key.decoded.is_some(), "key {n}");
    }
    // Text damage mostly breaks the base64 and goes no further; so the bytes in
    // the armour are damaged too.
    fuzz(250, KEYS.clone(), |bytes| {
        let _ = within(64 * MIB, || ready(bytes));
    });
    let inner: Vec<Vec<u8>> = KEYS
        .iter()
        .enumerate()
        .filter_map(|(n, key)| {
            let text = std::str::from_utf8(key).ok()?;
            let body: String = text.lines().filter(|l| !l.contains([':', '-'])).collect();
            let mut out = vec![n as u8];
            out.extend(data_encoding::BASE64.decode(body.as_bytes()).ok()?);
            Some(out)
        })
        .collect();
    assert_eq!(inner.len(), KEYS.len());
    fuzz(250, inner, |bytes| {
        let Some((n, body)) = bytes.split_first() else { return };
        let text = String::from_utf8_lossy(&KEYS[usize::from(*n) % KEYS.len()]).into_owned();
        let head: Vec<&str> = text.lines().filter(|l| l.contains([':', '-'])).collect();
        let (last, first) = head.split_last().expect("an armour");
        let body = data_encoding::BASE64.encode(body);
        let body: Vec<&str> =
            body.as_bytes().chunks(64).map(|c| std::str::from_utf8(c).expect("ASCII")).collect();
        let gap = if first.len() > 1 { "\n\n" } else { "\n" };
        let key = format!("{}{gap}{}\n{last}\n", first.join("\n"), body.join("\n"));
        if let Ok(ready) = within(64 * MIB, || ready(key.as_bytes()))
            && ready.decoded.is_some()
        {
            // Written again without passphrase: it reads back as the same key.
            let again = ready.text.expose(|t| self::ready(t.as_bytes())).expect("just written");
            assert!(again.text.expose(|a| ready.text.expose(|b| a == b)));
        }
    });
}

#[test]
fn a_key_that_asks_for_hours_or_all_memory_is_refused_at_once() {
    let refused = |key: &str| {
        let failure = within(MIB, || ready(key.as_bytes())).err().expect("refused");
        assert!(failure.what.en.contains("absurd"), "{}", failure.what.en);
    };
    // OpenSSH: the rounds stand behind the 16 bytes of salt.
    let text = String::from_utf8(KEYS[1].clone()).expect("text");
    let body: String = text.lines().filter(|l| !l.contains('-')).collect();
    let mut bytes = data_encoding::BASE64.decode(body.as_bytes()).expect("base64");
    let at = bytes.windows(12).position(|w| w == b"\0\0\0\x06bcrypt\0\0").expect("bcrypt") + 10;
    let rounds = at + 4 + 4 + 16;
    assert_eq!(bytes[rounds..rounds + 4], [0, 0, 0, 1]);
    bytes[rounds..rounds + 4].copy_from_slice(&[0x7F, 0xFF, 0xFF, 0xFF]);
    refused(&armoured("OPENSSH PRIVATE KEY", &bytes));
    // PKCS#8: PBKDF2 with two thousand million passes, scrypt with a terabyte.
    let der = |tag: u8, body: &[u8]| [&[tag, body.len() as u8][..], body].concat();
    let oid = |bytes: &[u8]| der(6, bytes);
    let pbes2 = oid(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 13]);
    let aes =
        der(0x30, &[oid(&[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 42]), der(4, &[1; 16])].concat());
    let pkcs8 = |kdf: Vec<u8>| {
        let params = der(0x30, &[kdf, aes.clone()].concat());
        let algorithm = der(0x30, &[pbes2.clone(), params].concat());
        let whole = der(0x30, &[algorithm, der(4, &[9; 32])].concat());
        armoured("ENCRYPTED PRIVATE KEY", &whole)
    };
    let passes = der(0x30, &[der(4, &[5; 8]), der(2, &[0x7F, 0xFF, 0xFF, 0xFF])].concat());
    let pbkdf2 = oid(&[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 5, 12]);
    refused(&pkcs8(der(0x30, &[pbkdf2, passes].concat())));
    let cost = [der(4, &[5; 8]), der(2, &[0x40, 0, 0, 0]), der(2, &[8]), der(2, &[1])].concat();
    let scrypt = oid(&[0x2B, 6, 1, 4, 1, 0xDA, 0x47, 4, 11]);
    refused(&pkcs8(der(0x30, &[scrypt, der(0x30, &cost)].concat())));
    // PuTTY: Argon2 with a terabyte.
    refused(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: x\n\
         Key-Derivation: Argon2id\nArgon2-Memory: 1073741824\nArgon2-Passes: 13\n\
         Argon2-Parallelism: 1\nArgon2-Salt: 00\n",
    );
}

fn armoured(label: &str, bytes: &[u8]) -> String {
    let body = data_encoding::BASE64.encode(bytes);
    let lines: Vec<&str> =
        body.as_bytes().chunks(70).map(|c| std::str::from_utf8(c).expect("ASCII")).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

#[test]
fn audit_lines_and_notes() {
    let story = Story::usual();
    let mut valid: Vec<Vec<u8>> = story.lines.iter().map(|l| l.leaf.clone()).collect();
    valid.extend(story.lines.iter().map(|l| l.opening.clone()));
    let note = audit_bundle::meta(&story).note;
    let vkey = checkpoint::vkey("poterne/x", &[7; 32]);
    valid.extend([note.into_bytes(), vkey.into_bytes()]);
    let leaf = story.lines[0].leaf.clone();
    fuzz(5000, valid, |bytes| {
        within(MIB, || {
            if let Some(line) = line::parse(bytes) {
                assert!(line.commitments.is_sorted_by(|a, b| a.0 < b.0));
                assert_eq!(line.at.to_string().parse(), Ok(line.at));
            }
            let _ = line::open(0, bytes, None);
            let _ = line::open(0, &leaf, Some(bytes));
            if let Some(opened) = opening::decode(bytes) {
                assert_eq!(opening::encode(opened), bytes);
            }
            let mut verifier = Verifier::new();
            let _ = verifier.push(&leaf);
            let _ = verifier.push(bytes);
            let _ = (verifier.summary(), verifier.finish());
            let text = String::from_utf8_lossy(bytes);
            if let Some((head, signatures)) = Checkpoint::parse(&text) {
                assert!(text.starts_with(&head.body()));
                let _ = signatures.iter().filter(|s| s.verify(&head, &[7; 32])).count();
            }
            if let Some((name, pk)) = checkpoint::parse_vkey(&text) {
                assert_eq!(checkpoint::vkey(name, &pk), text);
            }
            if let Some(fp) = checkpoint::normal_fingerprint(&text) {
                assert_eq!(checkpoint::normal_fingerprint(&fp), Some(fp));
            }
        });
    });
}

/// A bundle of the story in a folder of its own.
fn bundle(story: &Story, redact: &[&str]) -> (tempfile::TempDir, std::path::PathBuf) {
    let dir = tempfile::tempdir().expect("a folder");
    let out = dir.path().join("bundle.zip");
    let mut request = audit_bundle::request(ExportFormat::Bundle, &out);
    request.redact = redact.iter().map(|name| (*name).to_owned()).collect();
    let lines = audit_bundle::stored(story);
    export::write(&request, &audit_bundle::meta(story), &lines, &mut |_, _| true).expect("room");
    (dir, out)
}

fn unpacked(from: &Path) -> Vec<(String, Vec<u8>)> {
    let file = std::fs::File::open(from).expect("it was written");
    let mut zip = zip::ZipArchive::new(file).expect("a ZIP");
    let all = 0..zip.len();
    let read = |i: usize| {
        let mut file = zip.by_index(i).expect("listed");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("whole");
        (file.name().expect("UTF-8").into_owned(), bytes)
    };
    all.map(read).collect()
}

fn pack(to: &Path, files: Vec<(String, Vec<u8>)>) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(to).expect("room"));
    for (name, bytes) in files {
        let plain = zip::write::SimpleFileOptions::default();
        zip.start_file(name, plain).expect("a new entry");
        zip.write_all(&bytes).expect("room");
    }
    zip.finish().expect("room");
}

#[test]
fn audit_bundles() {
    let story = Story::usual();
    let (dir, good) = bundle(&story, &[]);
    let (_redacted, less) = bundle(&story, &["entry"]);
    let files = [&good, &less].map(|f| std::fs::read(f).expect("it was written"));
    let file = dir.path().join("damaged.zip");
    let fingerprint = poterne::audit::fingerprint(STORY, &pk(&audit_key(1)));
    let same = files.clone();
    let check = |file: &Path, bytes: &[u8]| {
        std::fs::write(file, bytes).expect("room");
        let fp = Some(fingerprint.as_str());
        let found = within(40 * MIB, || export::bundle::verify(file, fp));
        let found = found.expect("the file can be read");
        let sound = found.faults.is_empty();
        assert_eq!(sound, found.origin_proven);
        sound
    };
    fuzz(250, files.to_vec(), |bytes| {
        let sound = check(&file, bytes);
        // Whoever has the fingerprint is told of every damage but that of the
        // two verifiers and the words beside them, which prove nothing.
        assert!(sound || !same.iter().any(|f| f == bytes));
    });
    // Damage inside a file of the bundle, packed again as if nothing were.
    let names = ["audit.jsonl", "checkpoint.txt", "vkey.txt"];
    let whole = unpacked(&good);
    let part = |name: &str| whole.iter().find(|f| f.0 == name).expect("it is there").1.clone();
    let parts = names.iter().enumerate().map(|(n, name)| [vec![n as u8], part(name)].concat());
    fuzz(250, parts.collect(), |bytes| {
        let Some((n, content)) = bytes.split_first() else { return };
        let name = names[usize::from(*n) % names.len()];
        let mut files = whole.clone();
        files.iter_mut().filter(|f| f.0 == name).for_each(|f| f.1 = content.to_vec());
        let changed = content != part(name);
        pack(&file, files);
        let bytes = std::fs::read(&file).expect("it was packed");
        let sound = check(&file, &bytes);
        assert!(!(sound && changed && name != "audit.jsonl"), "{name} was changed unseen");
    });
}

fn wire_frames() -> Vec<Vec<u8>> {
    use wire::Tag as T;
    let mut target = Target { kind: Kind::new("ssh"), hops: vec![super::kit_ssh::hop(22)] };
    let at = HostPort { host: "h".into(), port: 22 };
    let pinned = PinnedKey { at, algorithm: "ssh-rsa".into(), fingerprint: "SHA256:x".into() };
    target.hops[0].pinned.push(pinned.clone());
    let size = TermSize { cols: 80, rows: 24 };
    let shell = ChannelRequest::Shell { size, term: "xterm".into() };
    let info = LinkInfo { user: "zoé".into(), ..LinkInfo::default() };
    let mut all = Vec::new();
    let mut put = |write: &dyn Fn(&mut Vec<u8>) -> std::io::Result<()>| {
        let mut out = Vec::new();
        write(&mut out).expect("into memory");
        all.push(out);
    };
    let start = wire::Start { target, agent: Some("/run/agent".into()), run: None, memory: true };
    put(&|out| wire::write_value(out, T::Start, 0, &start));
    put(&|out| wire::write_raw(out, T::Give, 0, b"hunter2"));
    put(&|out| wire::write_raw(out, T::Data, 3, &[7; 900]));
    put(&|out| wire::write_value(out, T::Open, 1, &shell));
    put(&|out| wire::write_value(out, T::Resize, 1, &size));
    put(&|out| wire::write_value(out, T::Credit, 1, &77u32));
    put(&|out| wire::write_value(out, T::Say, 0, &Progress::Resolving("h".into())));
    put(&|out| wire::write_value(out, T::Ask, 0, &wire::Asked::Trust(pinned.clone())));
    let need = wire::Need { hop: 1, slot: Slot::Custom("pin".into()) };
    put(&|out| wire::write_value(out, T::Need, 0, &need));
    put(&|out| wire::write_value(out, T::Up, 0, &info));
    put(&|out| wire::write_value(out, T::Exit, 1, &Exit::Status(7)));
    put(&|out| wire::write_value(out, T::Closed, 1, &None::<Failure>));
    all
}

fn same<T: serde::Serialize + serde::de::DeserializeOwned>(frame: &wire::Frame) {
    if let Ok(value) = within(8 * MIB, || frame.value::<T>()) {
        let once = postcard::to_stdvec(&value).expect("it was read");
        let again: T = postcard::from_bytes(&once).expect("it was written");
        assert_eq!(postcard::to_stdvec(&again).expect("it was read"), once);
    }
}

#[test]
fn frames_of_a_session_process() {
    let mut valid = wire_frames();
    valid.push(valid.concat());
    fuzz(4000, valid, |bytes| {
        let mut from = bytes;
        while let Ok(Some(frame)) = within(2 * MIB, || wire::read(&mut from)) {
            same::<wire::Start>(&frame);
            same::<wire::Need>(&frame);
            same::<wire::Asked>(&frame);
            same::<ChannelRequest>(&frame);
            same::<TermSize>(&frame);
            same::<CopyRect>(&frame);
            same::<wire::Lent>(&frame);
            same::<Progress>(&frame);
            same::<LinkInfo>(&frame);
            same::<Exit>(&frame);
            same::<Option<Failure>>(&frame);
            let mut out = Vec::new();
            let channel = frame.channel;
            // What says where it lies is no part of the body.
            if frame.tag == wire::Tag::Tile {
                let Ok(tile) = frame.into_tile() else { continue };
                wire::write_tile(&mut out, channel, tile.place, &tile.pixels).expect("memory");
                let again = wire::read(&mut &out[..]).expect("written").expect("one frame");
                assert!(again.channel == channel && again.into_tile().expect("a tile") == tile);
                continue;
            }
            wire::write_raw(&mut out, frame.tag, channel, &frame.body).expect("memory");
            let again = wire::read(&mut &out[..]).expect("written").expect("one frame");
            assert!(again.tag == frame.tag && again.channel == frame.channel);
            assert!(again.body == frame.body);
        }
    });
}

fn agent_frame<T: serde::Serialize + serde::de::DeserializeOwned>(bytes: &[u8]) {
    if let Ok(value) = within(16 * MIB, || frames::read::<T>(&mut &bytes[..])) {
        let write = |value: &T| {
            let mut out = Vec::new();
            frames::write(&mut out, value).expect("into memory");
            out
        };
        let once = write(&value);
        let again = frames::read::<T>(&mut &once[..]).expect("it was written");
        assert!(write(&again) == once);
    }
}

#[test]
fn frames_of_the_agent() {
    fn framed<T: serde::Serialize>(value: &T) -> Vec<u8> {
        let mut out = Vec::new();
        frames::write(&mut out, value).expect("into memory");
        out
    }
    let patch = Box::new(login("h", "u", "secret"));
    let path = || At::Path("Dupont/srv".into());
    let secret = SecretBytes::copy_of(b"hunter2");
    let valid = vec![
        framed(&ToAgent::Call(Request::Status)),
        framed(&ToAgent::Call(Request::Edit { at: path(), expected_ver: Some(3), patch })),
        framed(&ToAgent::Call(Request::Move {
            at: path(),
            to: "Martin".into(),
            just: Justification::default(),
        })),
        framed(&ToAgent::Data(1, vec![7; 300])),
        framed(&ToAgent::Resize(1, TermSize { cols: 80, rows: 24 })),
        framed(&ToAgent::Signal(1, LineSignal::DtrOff)),
        framed(&ToAgent::Answer(frames::AnswerFrame::Text(SecretText::copy_of("123456")))),
        framed(&FromAgent::Reply(Ok(Reply::Secret(secret)))),
        framed(&FromAgent::Reply(Ok(Reply::Done))),
        framed(&FromAgent::Say(Progress::Contacting("h".into()))),
        framed(&FromAgent::Stderr(2, b"oops".to_vec())),
        framed(&StartFrame {
            vault: "/tmp/x.poterne".into(),
            socket: "/run/x".into(),
            member: Some("alice".into()),
            factors: poterne::app::api::Factors {
                password: SecretText::copy_of("p"),
                code: SecretText::copy_of("123456"),
            },
            read_only: false,
            accept_older: false,
            idle_secs: Some(5),
        }),
    ];
    // A length that nothing follows takes next to no memory.
    let claim = (1u32 << 30).to_le_bytes();
    assert!(within(4 * MIB, || frames::read::<ToAgent>(&mut &claim[..])).is_err());
    fuzz(3000, valid, |bytes| {
        agent_frame::<ToAgent>(bytes);
        agent_frame::<FromAgent>(bytes);
        agent_frame::<StartFrame>(bytes);
        agent_frame::<Started>(bytes);
    });
}

#[test]
fn paths_and_words_of_the_command_line() {
    let mut index = Index::default();
    index.put(ClientIndex::new(CLIENT, Segment::pack(summaries())));
    let valid = [
        "Été ⚙ serveur/Nœud 10/Nœud 11",
        "//été ⚙ SERVEUR//",
        "a/b/../c",
        "custom:password",
        "ssh://h:22",
        "2026-11-24T02:00:00Z",
    ];
    fuzz(4000, valid.iter().map(|t| t.as_bytes().to_vec()).collect(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        within(4 * MIB, || {
            if let Some(found) = index.at_path(&text) {
                let path = index.path(&found);
                assert_eq!(index.at_path(&path).map(|f| f.id), Some(found.id), "{path}");
            }
            let slot: Slot = text.parse().expect("never fails");
            assert_eq!(slot.to_string().parse::<Slot>(), Ok(slot));
            if let Ok(time) = text.parse::<Time>() {
                assert_eq!(time.to_string().parse(), Ok(time));
            }
        });
    });
}
