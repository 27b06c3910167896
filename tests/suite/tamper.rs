//! A vault file changed behind the program's back: one bit anywhere, rows swapped,
//! replayed or dropped, whole files replaced, cut, foreign, newer, or with other
//! costs. Either all that is read is what was written, or the failure says so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use poterne::app::api::{
    AppError, At, AttachmentBytes, Code, Factors, Patch, Reply, Request, Set, Status,
};
use poterne::app::{App, UnlockOptions};
use poterne::crypto::kem::KemSecret;
use poterne::model::audit_event::{AuditFilter, Event};
use poterne::model::entry::{Kind, Slot};
use poterne::model::member::Role;
use poterne::secret::{SecretBytes, SecretText};
use poterne::store::sqlite::SqliteStore;
use poterne::vault::rows::Rows;
use poterne::vault::unlocked::{Env, VaultError};
use poterne::vault::waiting::{REFUSED_SEALED, RefusedUnlock};
use proptest::test_runner::{Config, RngSeed};
use rusqlite::Connection;

use crate::kill::seeded;
use crate::kit::{Desk, PASSWORD, cases, login};
use crate::kit_rows::{open_by_kit, read_all, shorten_window};

/// Positions tried outside the file's header, each with one bit flipped.
const POSITIONS: u32 = 640;
/// The same, of a larger file, among the kinds of its pages.
const ON_PAGES: u32 = 600;
/// Files that read unharmed below the application and are opened by it too: each
/// costs a key stretching.
const UNLOCKS: usize = 12;

/// How many positions to try, and dice for them: the same at each run, but with
/// `PROPTEST_CASES`.
fn dice(usual: u32) -> (usize, impl FnMut() -> usize) {
    let Config { cases, rng_seed, .. } = cases(usual);
    let mut seed = match rng_seed {
        RngSeed::Fixed(seed) => seed,
        RngSeed::Random => u64::from_be_bytes(poterne::os::random::bytes()),
    };
    println!("seed {seed}");
    (cases as usize, move || seeded(&mut seed) as usize)
}

/// A vault with something of everything, locked, and its bytes.
fn furnished() -> (Desk, Vec<u8>) {
    let desk = Desk::open();
    for client in ["Dupont", "Martin"] {
        desk.add("client", client, Patch::default());
        desk.add("folder", &format!("{client}/Serveurs"), Patch::default());
        for n in 0..3 {
            let path = format!("{client}/Serveurs/s{n}");
            desk.add("ssh", &path, login("h.example", "root", &format!("pass-{n}")));
        }
    }
    let edit = |path: &str, patch: Patch| {
        let at = At::Path(path.into());
        desk.call(Request::Edit { at, expected_ver: None, patch: Box::new(patch) });
    };
    edit("Dupont/Serveurs/s0", login("h2.example", "admin", "pass-new"));
    let mut patch = Patch::default();
    let file = AttachmentBytes(SecretBytes::new(vec![0xA5; 9000]));
    patch.attachments.insert("schéma.png".into(), Some(file));
    edit("Martin/Serveurs/s1", patch);
    desk.call(Request::Remove { at: At::Path("Martin/Serveurs/s2".into()), forever: false });
    desk.call(Request::Lock);
    // Most of the file is codes of days far ahead; they are rows like any other,
    // and without them the sample falls on everything else too.
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let today = today.expect("after 1970").as_secs() / 86_400;
    shorten_window(&desk.file, &desk.kit, today as i64 + 3);
    let bytes = std::fs::read(&desk.file).expect("reads");
    (desk, bytes)
}

/// Opens a copy by the application; what was remembered of other copies is no
/// matter here.
fn unlock(desk: &Desk, file: &Path, accept_older: bool) -> (App, Result<Status, AppError>) {
    let app = App::new(file.to_owned());
    let factors = Factors { password: SecretText::copy_of(PASSWORD), code: desk.phone.peek() };
    let options = UnlockOptions { member: None, factors, read_only: false, accept_older };
    let opened = app.unlock(options);
    (app, opened)
}

fn call(app: &App, request: Request) -> Result<Reply, AppError> {
    app.call(request).inspect_err(clear)
}

/// A failure that tells something: not the words for a thread that panicked.
fn clear(e: &AppError) {
    assert!(!e.what.en.contains("internal error"), "{e:?}");
    assert!(!e.todo.en.is_empty() && !e.todo.fr.is_empty(), "{e:?}");
}

fn copy(desk: &Desk, name: &str, bytes: &[u8]) -> PathBuf {
    let file = desk.dir.path().join(name);
    std::fs::write(&file, bytes).expect("writes");
    file
}

#[test]
fn a_flipped_bit_changes_nothing_that_is_read_or_is_reported() {
    let (desk, bytes) = furnished();
    let (store, v) = open_by_kit(&desk.file, &desk.kit).expect("opens");
    let truth = read_all(&store, &v).expect("reads");
    drop((store, v));
    let (positions, mut random) = dice(POSITIONS);
    let header = (0..100).map(|at| (at, 0)).collect::<Vec<_>>();
    let others: Vec<_> =
        (0..positions).map(|_| (100 + random() % (bytes.len() - 100), 0)).collect();
    let (mut told, mut unharmed) = (0, Vec::new());
    for (at, _) in header.into_iter().chain(others) {
        let mut doctored = bytes.clone();
        doctored[at] ^= 1 << (random() % 8);
        let file = copy(&desk, "flip.poterne", &doctored);
        match whole(&file, &desk.kit) {
            Ok(read) if read == truth => unharmed.push((at, doctored)),
            // SQLite's own order of a page: the check of the file tells that.
            Ok(_) if unordered(&file) => told += 1,
            Ok(read) => {
                differs(&truth, &read, at);
                unharmed.push((at, doctored));
            }
            Err(_) => told += 1,
        }
        let _ = std::fs::remove_file(file.with_extension("poterne-journal"));
    }
    assert!(told > positions / 4, "only {told} flips were noticed");
    // What reads unharmed so far may lie in a login, which only an unlock reads.
    let step = unharmed.len().div_ceil(UNLOCKS).max(1);
    for (at, doctored) in unharmed.iter().step_by(step) {
        let file = copy(&desk, &format!("unlock{at}.poterne"), doctored);
        let (app, opened) = unlock(&desk, &file, true);
        match opened {
            Err(e) => {
                clear(&e);
                assert!(
                    matches!(e.code, Code::Tampered | Code::Locked | Code::Other),
                    "{at}: {e:?}"
                );
            }
            Ok(_) => {
                let reply = call(&app, Request::Check).expect("checks");
                let Reply::Checked(report) = reply else { panic!("checked") };
                assert_eq!(report.entries, 10, "byte {at}");
            }
        }
    }
}

/// Some fifty entries on packed indexes, old versions, a bin, files, a refused
/// unlock that waits, and pages that nothing uses any more.
fn grown() -> (Desk, Vec<u8>) {
    let desk = Desk::open();
    let mut nodes = Vec::new();
    for client in ["Dupont", "Martin", "Ménard"] {
        nodes.push((Kind::CLIENT, client.to_owned(), Patch::default()));
        nodes.push((Kind::FOLDER, format!("{client}/Serveurs"), Patch::default()));
        for n in 0..15 {
            let patch = login(&format!("h{n}.example"), "root", &format!("pass-{client}-{n}"));
            nodes.push((Kind::new("ssh"), format!("{client}/Serveurs/s{n}"), patch));
        }
    }
    desk.app.create_many(nodes).unwrap_or_else(|e| panic!("{}", e.what.en));
    let edit = |path: &str, patch: Patch| {
        let at = At::Path(path.into());
        desk.call(Request::Edit { at, expected_ver: None, patch: Box::new(patch) });
    };
    for n in 0..5 {
        edit(&format!("Dupont/Serveurs/s{n}"), login("h2.example", "admin", "pass-new"));
        let file = AttachmentBytes(SecretBytes::new(vec![0xA5; 20_000]));
        let mut patch = Patch::default();
        patch.attachments.insert("schéma.png".into(), Some(file));
        edit(&format!("Martin/Serveurs/s{n}"), patch);
    }
    for (path, forever) in [("Martin/Serveurs/s0", true), ("Martin/Serveurs/s9", false)] {
        desk.call(Request::Remove { at: At::Path(path.into()), forever: false });
        if forever {
            desk.call(Request::Remove { at: At::Path(path.into()), forever });
        }
    }
    desk.call(Request::Lock);
    let mut wrong = desk.options_with(SecretText::copy_of("000000"));
    wrong.factors.password = SecretText::copy_of("faux");
    desk.app.unlock(wrong).expect_err("a wrong password");
    let db = Connection::open(&desk.file).expect("SQLite opens");
    let today = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let today = today.expect("after 1970").as_secs() / 86_400;
    db.execute("delete from otp_day where day > ?", [today as i64 + 3]).expect("deletes");
    drop(db);
    let bytes = std::fs::read(&desk.file).expect("reads");
    (desk, bytes)
}

/// The pages of a file by what is on them; `free` is what nothing uses.
fn pages(file: &Path) -> BTreeMap<String, Vec<u32>> {
    let db = Connection::open(file).expect("SQLite opens");
    let count: u32 = db.query_row("pragma page_count", [], |r| r.get(0)).expect("a number");
    let mut all = db
        .prepare("select name || ' ' || pagetype, pageno from dbstat order by pageno")
        .expect("dbstat is built in");
    let rows = all.query_map([], |r| Ok((r.get::<_, String>(0)?, r.get::<_, u32>(1)?)));
    let mut out: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut used = std::collections::BTreeSet::new();
    for row in rows.expect("rows") {
        let (name, page) = row.expect("a row");
        used.insert(page);
        out.entry(name).or_default().push(page);
    }
    out.insert("free".into(), (1..=count).filter(|page| !used.contains(page)).collect());
    // SQLite's file format, section 1.3.9: where the list of free pages begins.
    let first: [u8; 4] = std::fs::read(file).expect("reads")[32..36].try_into().expect("four");
    out.insert("free list".into(), vec![u32::from_be_bytes(first)]);
    out
}

/// Everything there is to read, refused unlocks that wait included.
fn whole_and_waiting(file: &Path, kit: &str) -> Result<BTreeMap<String, String>, VaultError> {
    let (store, v) = open_by_kit(file, kit)?;
    let mut read = read_all(&store, &v)?;
    let waiting = store.read(|rows| Ok::<_, VaultError>(rows.pending(REFUSED_SEALED, 9)?))?;
    let seed = v.ring.pending_seed().expect("an owner holds it");
    let secret = KemSecret::from_seed(seed);
    for (n, sealed) in waiting.iter().enumerate() {
        // The next unlock writes into the log that a waiting line does not open.
        let told = VaultError::Tampered("a waiting line".into());
        let line = RefusedUnlock::open(&secret, &v.header.vault, sealed).ok_or(told)?;
        read.insert(format!("waiting {n}"), format!("{line:?}"));
    }
    Ok(read)
}

#[test]
fn a_flipped_bit_on_any_kind_of_page_is_harmless_or_reported() {
    let (desk, bytes) = grown();
    let kinds = pages(&desk.file);
    for kind in ["audit leaf", "cell leaf", "cell internal", "segment leaf", "free"] {
        assert!(kinds.get(kind).is_some_and(|p| !p.is_empty()), "no {kind} page");
    }
    let truth = whole_and_waiting(&desk.file, &desk.kit).expect("reads");
    assert!(truth.len() > 100 && truth.keys().any(|k| k.starts_with("waiting")));
    let (positions, mut random) = dice(ON_PAGES);
    let size = bytes.len() / pages_count(&kinds);
    let each = positions.div_ceil(kinds.len());
    let (mut told, mut checked) = (0, 0);
    for (kind, pages) in &kinds {
        for n in 0..each {
            // Where a page keeps its own order, and anywhere on it.
            let within = if n % 4 == 0 { random() % 16 } else { random() % size };
            let at = (pages[random() % pages.len()] as usize - 1) * size + within;
            let mut doctored = bytes.clone();
            doctored[at] ^= 1 << (random() % 8);
            let file = copy(&desk, "flip.poterne", &doctored);
            let read = whole_and_waiting(&file, &desk.kit);
            match read {
                Err(_) => told += 1,
                Ok(read) if read == truth => {}
                Ok(read) => {
                    let store = SqliteStore::open(&file, true).expect("it was just read");
                    let differ: Vec<&String> = truth
                        .iter()
                        .filter(|(k, v)| read.get(*k) != Some(v))
                        .map(|p| p.0)
                        .collect();
                    assert!(
                        store.integrity_check().is_err(),
                        "byte {at} ({kind}) changed {differ:?} unnoticed"
                    );
                    checked += 1;
                }
            }
            let _ = std::fs::remove_file(file.with_extension("poterne-journal"));
        }
    }
    assert!(told > 100, "only {told} were noticed while reading, {checked} by the check");
}

fn pages_count(kinds: &BTreeMap<String, Vec<u32>>) -> usize {
    kinds.values().flatten().collect::<std::collections::BTreeSet<_>>().len()
}

fn whole(file: &Path, kit: &str) -> Result<BTreeMap<String, String>, VaultError> {
    let (store, v) = open_by_kit(file, kit)?;
    read_all(&store, &v)
}

fn unordered(file: &Path) -> bool {
    SqliteStore::open(file, true).is_ok_and(|store| store.integrity_check().is_err())
}

fn differs(truth: &BTreeMap<String, String>, read: &BTreeMap<String, String>, at: usize) {
    for (place, value) in truth {
        assert_eq!(read.get(place), Some(value), "a flip in byte {at} changed {place} unnoticed");
    }
    assert_eq!(truth.len(), read.len(), "a flip in byte {at} made something up");
}

/// What the vault says after `doctor` changed its rows: the failure of the unlock,
/// else the faults of the check.
fn after(desk: &Desk, bytes: &[u8], name: &str, doctor: impl FnOnce(&Connection)) -> Vec<String> {
    let file = copy(desk, &format!("{name}.poterne"), bytes);
    doctor(&Connection::open(&file).expect("SQLite opens"));
    let (app, opened) = unlock(desk, &file, true);
    if let Err(e) = opened {
        clear(&e);
        assert_eq!(e.code, Code::Tampered, "{name}: {}", e.what.en);
        return vec![e.what.en];
    }
    match call(&app, Request::Check) {
        Ok(Reply::Checked(report)) => report.faults.into_iter().map(|f| f.en).collect(),
        Ok(_) => panic!("checked"),
        Err(e) => {
            assert_eq!(e.code, Code::Tampered, "{name}: {}", e.what.en);
            vec![e.what.en]
        }
    }
}

#[test]
fn swapped_replayed_and_dropped_rows_are_reported() {
    let (desk, bytes) = furnished();
    let sql = |words: &'static str| {
        move |db: &Connection| {
            db.execute_batch(words).unwrap_or_else(|e| panic!("{words}: {e}"));
        }
    };
    assert_eq!(after(&desk, &bytes, "untouched", |_| ()), Vec::<String>::new());
    let swap = "create temp table two as select id, ct, row_number() over (order by id) n
                  from cell order by id limit 2;
                update cell set ct = (select ct from two where two.id != cell.id)
                  where id in (select id from two);";
    let cases = [
        ("swapped", swap),
        ("dropped-cell", "delete from cell where id = (select min(id) from cell)"),
        (
            "added-cell",
            "insert into cell select randomblob(16), place, gen, ver, ct from cell limit 1",
        ),
        ("older-state", "update state set epoch = epoch - 1"),
        ("dropped-line", "delete from audit where seq = 3"),
        ("dropped-last-line", "delete from audit where seq = (select max(seq) from audit)"),
        (
            "swapped-lines",
            "update audit set seq = -1 where seq = 2; update audit set seq = 2 where
            seq = 3; update audit set seq = 3 where seq = -1",
        ),
        ("dropped-delta", "delete from delta where n = (select max(n) from delta)"),
        ("dropped-segment", "delete from segment where client = (select min(client) from segment)"),
        ("dropped-grant", "delete from access where id = (select min(id) from access)"),
        ("altered-grant", "update access set enc_ct = x'' where id = (select max(id) from access)"),
        (
            "own-grant-of-nothing",
            "update access set enc_ct = zeroblob(length(enc_ct)) where id = (select min(id) from access)",
        ),
        (
            "misfiled",
            "update cell set place = randomblob(16) where id = (select max(id) from cell)",
        ),
        (
            "swapped-places",
            "create temp table two as select id, place from cell
                where id in (select min(id) from cell union select max(id) from cell);
             update cell set place = (select place from two where two.id != cell.id)
                where id in (select id from two);",
        ),
        ("dropped-member", "delete from member"),
        (
            "dropped-kit",
            "delete from slot where length(params) > 0 and id not in
            (select slot from otp_head)",
        ),
        ("dropped-line-key", "delete from audit_key"),
        ("no-table", "drop table cell"),
    ];
    for (name, words) in cases {
        let said = after(&desk, &bytes, name, sql(words));
        assert!(!said.is_empty(), "{name} went unnoticed");
    }
}

/// What a writer that forgot to delete leaves: counted, and no fault.
#[test]
fn records_that_no_entry_leads_to_are_counted() {
    let (mut desk, _) = furnished();
    let count = |desk: &Desk| match desk.call(Request::Check) {
        Reply::Checked(report) => (report.unreached, report.faults),
        _ => panic!("checked"),
    };
    desk.unlock().expect("opens");
    assert_eq!(count(&desk), (0, Vec::new()));
    desk.call(Request::Lock);

    let (mut store, mut v) = open_by_kit(&desk.file, &desk.kit).expect("opens");
    let node = v.index.at_path("Dupont/Serveurs/s0").expect("it is there");
    let mut fill = |out: &mut [u8]| poterne::os::random::fill(out);
    store
        .write(|rows| {
            let now = poterne::os::clock::now();
            let mut env = Env { now, random: &mut fill, machine: "test" };
            v.refresh(rows)?;
            v.unlist(rows, &mut env, node.client, node.id)?;
            v.save(rows, &mut env)
        })
        .expect("is stored");
    drop((store, v));
    desk.unlock().expect("opens");
    // The entry, its older version, and a password of each.
    assert_eq!(count(&desk), (4, Vec::new()));
}

/// Records that say they are another client's: a replaced key takes them along.
#[test]
fn misfiled_records_survive_a_replaced_key() {
    let (mut desk, _) = furnished();
    let db = Connection::open(&desk.file).expect("opens");
    db.execute("update cell set place = randomblob(16)", []).expect("misfiles");
    drop(db);
    desk.unlock().expect("opens");
    let faults = |desk: &Desk| match desk.call(Request::Check) {
        Reply::Checked(report) => report.faults.into_iter().map(|f| f.en).collect::<Vec<_>>(),
        _ => panic!("checked"),
    };
    let said = faults(&desk);
    assert!(said.iter().any(|f| f.contains("“Dupont/Serveurs/s0”")), "{said:?}");
    desk.invite("zed", Role::Technician, true, &[]);
    desk.call(Request::RemoveMember { name: "zed".into() });
    assert_eq!(faults(&desk), Vec::<String>::new(), "filed where they belong by now");
    let shown = desk.reveal("Dupont/Serveurs/s0", Slot::Password).expect("reveals");
    assert_eq!(shown, "pass-new");
    let Reply::History(versions) =
        desk.call(Request::History { at: At::Path("Dupont/Serveurs/s0".into()) })
    else {
        panic!("versions")
    };
    assert_eq!(versions.len(), 2);
}

/// A record that its client's key does not open is not left behind under a key
/// that is dropped: nothing is done then.
#[test]
fn no_key_is_replaced_while_a_record_would_be_lost() {
    let (mut desk, _) = furnished();
    desk.unlock().expect("opens");
    desk.invite("zed", Role::Technician, true, &[]);
    desk.call(Request::Lock);
    let db = Connection::open(&desk.file).expect("opens");
    // The largest record is the attachment.
    let damage = "update cell set ct = zeroblob(length(ct))
                  where length(ct) = (select max(length(ct)) from cell)";
    assert_eq!(db.execute(damage, []).expect("damages"), 1);
    drop(db);
    desk.unlock().expect("opens");
    let refused = desk.app.call(Request::RemoveMember { name: "zed".into() });
    let refused = refused.err().expect("a record does not open");
    assert_eq!(refused.code, Code::Tampered, "{}", refused.what.en);
    let Reply::Members(there) = desk.call(Request::Members) else { panic!("members") };
    assert_eq!(there.len(), 2, "nothing was done");
    desk.reveal("Martin/Serveurs/s0", Slot::Password).expect("the rest still opens");
}

#[test]
fn an_older_row_in_the_place_of_the_newer_one_is_reported() {
    let mut desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.add("ssh", "Dupont/a", login("h", "u", "before"));
    let Reply::Entry(view) = desk.call(Request::Show { at: At::Path("Dupont/a".into()) }) else {
        panic!("entry")
    };
    let id = view.entry.id.0;
    let row = |db: &Connection| -> (i64, Vec<u8>) {
        db.query_row("select ver, ct from cell where id = ?", [id], |r| Ok((r.get(0)?, r.get(1)?)))
            .expect("the row is there")
    };
    let before = row(&Connection::open(&desk.file).expect("opens"));
    desk.call(Request::Edit {
        at: At::Path("Dupont/a".into()),
        expected_ver: None,
        patch: Box::new(Patch { host: Set::To("h2".into()), ..login("h2", "u", "after") }),
    });
    desk.call(Request::Lock);
    let db = Connection::open(&desk.file).expect("opens");
    db.execute("update cell set ver = ?, ct = ? where id = ?", (before.0, before.1, id))
        .expect("replays");
    drop(db);
    desk.unlock().expect("opens");
    let shown = desk.app.call(Request::Show { at: At::Path("Dupont/a".into()) });
    assert_eq!(shown.err().expect("refused").code, Code::Tampered);
    let secret = desk.reveal("Dupont/a", Slot::Password).expect_err("refused");
    assert_eq!(secret.code, Code::Tampered);
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    assert!(!report.faults.is_empty());
}

#[test]
fn an_older_file_opens_only_when_accepted_and_that_is_logged() {
    let mut desk = Desk::open();
    desk.add("client", "Dupont", Patch::default());
    desk.call(Request::Lock);
    let older = std::fs::read(&desk.file).expect("reads");
    desk.unlock().expect("opens");
    desk.add("client", "Martin", Patch::default());
    desk.call(Request::Lock);
    std::fs::write(&desk.file, &older).expect("writes");
    let (_, refused) = unlock(&desk, &desk.file, false);
    let refused = refused.expect_err("an older copy");
    assert_eq!((refused.code, refused.code.exit()), (Code::OlderCopy, 7));
    assert!(refused.todo.en.contains("--accept-older"), "{}", refused.todo.en);
    let (app, opened) = unlock(&desk, &desk.file, true);
    opened.expect("accepted");
    let filter = AuditFilter { events: vec![Event::OlderAccepted], ..Default::default() };
    let Ok(Reply::Log(lines)) = call(&app, Request::AuditLog { filter }) else { panic!("lines") };
    assert_eq!(lines.len(), 1);
}

#[test]
fn cut_empty_foreign_and_newer_files_have_words_of_their_own() {
    let (desk, bytes) = furnished();
    let sql = |name: &str, begin: &[u8], sql: &str| {
        let file = copy(&desk, name, begin);
        let db = Connection::open(&file).expect("opens");
        db.execute_batch(sql).expect("SQL");
        drop(db);
        std::fs::read(&file).expect("reads")
    };
    // A newer program raises the version in both places where it stands.
    let raise = "pragma user_version = 9; update vault set format = 9";
    let newer = sql("raised.poterne", &bytes, raise);
    let other = sql("notes.poterne", b"", "create table notes(text); pragma user_version = 1");
    let mut version_alone = bytes.clone();
    version_alone[63] = 9;
    let mut id_alone = bytes.clone();
    id_alone[68..72].copy_from_slice(b"ABCD");
    let mut longer = bytes.clone();
    longer.extend_from_slice(&[0; 100]);
    let cases: [(&str, Vec<u8>, Code); 12] = [
        ("longer", longer, Code::Tampered),
        ("version-alone", version_alone, Code::Tampered),
        ("id-alone", id_alone, Code::Tampered),
        ("half", bytes[..bytes.len() / 2].to_vec(), Code::Tampered),
        ("header-only", bytes[..100].to_vec(), Code::Tampered),
        ("in-the-header", bytes[..50].to_vec(), Code::Tampered),
        ("a-page-short", bytes[..bytes.len() - 4096].to_vec(), Code::Tampered),
        ("a-byte-short", bytes[..bytes.len() - 1].to_vec(), Code::Tampered),
        ("empty", Vec::new(), Code::Tampered),
        ("foreign", b"PK\x03\x04 not a vault at all".to_vec(), Code::Other),
        ("another-sqlite", other, Code::Other),
        ("newer", newer, Code::Other),
    ];
    for (name, content, code) in cases {
        let file = copy(&desk, &format!("{name}.poterne"), &content);
        let (_, opened) = unlock(&desk, &file, false);
        let e = opened.expect_err(name);
        clear(&e);
        assert_eq!(e.code, code, "{name}: {}", e.what.en);
        // A check fails where the unlock failed.
        assert!(!e.todo.en.contains("poterne check"), "{name}: {}", e.todo.en);
        assert_eq!(
            e.what.en.contains("cut off"),
            name.ends_with("short") || name == "half" || name.contains("header"),
            "{name}: {}",
            e.what.en
        );
        assert_eq!(std::fs::read(&file).expect("reads"), content, "{name} was changed");
    }
    let (_, missing) = unlock(&desk, &desk.dir.path().join("none.poterne"), false);
    assert_eq!(missing.expect_err("no file").code, Code::NotFound);
}

#[test]
fn a_doctored_cost_is_refused_before_any_memory_is_taken() {
    let (desk, bytes) = furnished();
    let with_cost = |name: &str, mem_kib: u32, time: u32| {
        let file = copy(&desk, &format!("{name}.poterne"), &bytes);
        let db = Connection::open(&file).expect("opens");
        let (id, mut params): (Vec<u8>, Vec<u8>) = db
            .query_row(
                "select id, params from slot where id in (select slot from otp_head)",
                [],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .expect("a login");
        params[7..11].copy_from_slice(&mem_kib.to_be_bytes());
        params[11..15].copy_from_slice(&time.to_be_bytes());
        db.execute("update slot set params = ? where id = ?", (params, id)).expect("writes");
        drop(db);
        unlock(&desk, &file, true).1.expect_err(name)
    };
    assert_eq!(with_cost("lowered", 1024, 3).code, Code::Tampered);
    assert_eq!(with_cost("absurd", u32::MAX, 3).code, Code::Tampered);
    assert_eq!(with_cost("one-pass", 64 * 1024, 1).code, Code::Tampered);
    // Each bearable alone, but not together.
    assert_eq!(with_cost("much-work", 4 * 1024 * 1024, 16).code, Code::Tampered);
    let available = poterne::os::hugemem::available_kib();
    if available.is_some_and(|kib| kib < 4 * 1024 * 1024) {
        let short = with_cost("short-of-memory", 4 * 1024 * 1024, 3);
        assert_eq!(short.code, Code::Other);
        assert!(short.what.en.contains("4096 MiB") && !short.todo.fr.is_empty(), "{short:?}");
    }
    // A bearable other cost gives another key: nothing opens.
    assert_eq!(with_cost("other", 96 * 1024, 3).code, Code::Locked);
}
