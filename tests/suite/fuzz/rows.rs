//! Rows of the file: parameters of slots, typed codes, the state, and any value of
//! any column.

use poterne::app::api::{Patch, Request};
use poterne::audit::Log;
use poterne::audit::verifier::Verifier;
use poterne::crypto::context::context;
use poterne::crypto::{aead, keys};
use poterne::model::id::{DeviceId, SlotId};
use poterne::model::time::Time;
use poterne::secret::SecretBytes;
use poterne::store::sqlite::SqliteStore;
use poterne::vault::code;
use poterne::vault::login as logins;
use poterne::vault::otp::OtpHeadRow;
use poterne::vault::rows::Rows;
use poterne::vault::slot::{self, LoginParams, Params, SlotRow};
use poterne::vault::state::{self, Device, State};

use super::{ME, MIB, VAULT, fuzz, sealed, within};
use crate::kit::{Desk, login};
use crate::kit_rows::{open_by_kit, read_all};
use crate::seeded::{COST, key as key_of, random};

#[test]
fn slot_parameters() {
    let login = |device| Params {
        kind: slot::Kind::Login,
        salt: [6; 32],
        login: Some(LoginParams { cost: COST, window_days: 365, device }),
    };
    let other = |kind| Params { kind, salt: [7; 32], login: None };
    let valid = [
        login(None),
        login(Some(DeviceId([4; 16]))),
        other(slot::Kind::Recovery),
        other(slot::Kind::Invitation),
        other(slot::Kind::Enrolment),
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
            assert!(code::open(&VAULT, &row, slot::Kind::Recovery, &code).is_err());
        });
    });
}

#[test]
fn typed_codes() {
    let code = code::draw(&mut random("code"));
    let print = |kind| code::print(kind, &code).expose(|t| t.as_bytes().to_vec());
    let valid = vec![print(slot::Kind::Recovery), print(slot::Kind::Invitation)];
    fuzz(2000, valid, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(read) = within(MIB, || code::parse(slot::Kind::Recovery, &text)) {
            let again = code::print(slot::Kind::Recovery, &read);
            let again = again.expose(|t| code::parse(slot::Kind::Recovery, t)).expect("printed");
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
    let id = SlotId([2; 16]);
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
        let ctx = context("otp-head", &[&VAULT.0, &id.0, &hash[..]]);
        let ct = aead::seal(&keys::sub(&k, keys::name::OTP, 0), &ctx, &[1; 24], bytes);
        let row = OtpHeadRow { slot: id, ct };
        let login = SlotRow { id, member: ME, tag: 0, params: params.clone(), wrap: vec![] };
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
