//! A backup put in the place of a vault that somebody is at work in, or that a
//! crash left in the middle of a commit: nobody's commit is lost or half there.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use poterne::store::sqlite::SqliteStore;
use poterne::vault::rows::{Rows, StoreError};

use super::cli_kit::Seat;
use super::cli_refusals::two_parts;
use super::kit_rows::altered;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn journal(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-journal");
    name.into()
}

/// A vault, and a backup of it from before its last change.
fn seat() -> (Seat, PathBuf) {
    let seat = Seat::unlocked();
    let made = seat.home.path().join("made.poterne");
    seat.ok(&["backup", "--out", text(&made)]);
    seat.ok(&["add", "client", "Later"]);
    seat.ok(&["lock"]);
    (seat, made)
}

/// Begins a commit that has reached the file, and not its end.
fn amid(db: &Connection) {
    db.execute_batch(
        "pragma journal_mode = delete; pragma cache_size = 1; pragma cache_spill = 1;
         begin immediate; delete from audit; delete from cell;
         insert into audit_late(ct) values (zeroblob(400000));",
    )
    .expect("writes");
}

/// The file under the name it was put aside with.
fn aside(seat: &Seat) -> PathBuf {
    let vault = seat.vault();
    let folder = fs::read_dir(vault.parent().expect("a folder")).expect("reads");
    let mut found = folder.map(|e| e.expect("an entry").path());
    let is_it = |p: &PathBuf| text(p).contains("before-restore") && !text(p).ends_with("-journal");
    found.find(is_it).expect("it is kept")
}

fn rows(file: &Path) -> Vec<i64> {
    let db = Connection::open(file).expect("opens");
    let whole: String = db.query_row("pragma integrity_check", [], |r| r.get(0)).expect("reads");
    assert_eq!(whole, "ok");
    let count = |table: &str| {
        let sql = format!("select count(*) from {table}");
        db.query_row(&sql, [], |r| r.get(0)).expect("counts")
    };
    ["audit", "cell", "audit_late", "segment"].map(count).to_vec()
}

#[test]
fn who_is_amid_a_commit_is_not_swapped_away() {
    let (mut seat, made) = seat();
    let vault = seat.vault();
    let committed = rows(&vault);
    let mut db = Connection::open(&vault).expect("opens");
    amid(&db);
    let factors = seat.factors();
    let refused = seat.run(&["backup", "--restore", text(&made)], &factors);
    assert_ne!(refused.status, 0, "{}", refused.out);
    two_parts(&refused);
    assert!(refused.err.contains("holds the vault"), "{}", refused.err);
    // The commit goes on in the file that is still the vault.
    db.execute_batch("rollback").expect("it is its own journal");
    db = Connection::open(&vault).expect("the same file");
    db.execute_batch("pragma user_version").expect("reads");
    drop(db);
    assert_eq!(rows(&vault), committed);
    assert!(!journal(&vault).exists());
    let factors = seat.factors();
    seat.run(&["backup", "--restore", text(&made)], &factors).ended(0);
    assert_eq!(rows(&aside(&seat)), committed);
}

#[test]
fn what_a_crash_left_half_done_is_undone_before_the_swap() {
    let (mut seat, made) = seat();
    let vault = seat.vault();
    let committed = rows(&vault);
    // The file and its journal as they are when the power fails.
    let db = Connection::open(&vault).expect("opens");
    amid(&db);
    let cut = [&vault, &journal(&vault)].map(|file| fs::read(file).expect("reads"));
    db.execute_batch("rollback").expect("undoes");
    drop(db);
    assert_ne!(cut[0], fs::read(&vault).expect("reads"), "the commit has reached the file");
    for (file, bytes) in [&vault, &journal(&vault)].into_iter().zip(&cut) {
        fs::write(file, bytes).expect("writes");
    }
    let factors = seat.factors();
    seat.run(&["backup", "--restore", text(&made)], &factors).ended(0);
    assert!(!journal(&vault).exists() && !journal(&aside(&seat)).exists());
    assert_eq!(rows(&aside(&seat)), committed);
    let factors = seat.factors();
    let ls = seat.run(&["--accept-older", "ls"], &factors).ended(0);
    assert!(!ls.out.contains("Later"), "{}", ls.out);
}

#[test]
fn the_journal_of_a_vault_that_is_gone_undoes_nothing_in_the_copy() {
    let (mut seat, made) = seat();
    let vault = seat.vault();
    let db = Connection::open(&vault).expect("opens");
    amid(&db);
    let left = fs::read(journal(&vault)).expect("reads");
    db.execute_batch("rollback").expect("undoes");
    drop(db);
    fs::remove_file(&vault).expect("ours");
    fs::write(journal(&vault), left).expect("writes");
    let factors = seat.factors();
    seat.run(&["backup", "--restore", text(&made)], &factors).ended(0);
    assert!(!journal(&vault).exists());
    let factors = seat.factors();
    let ls = seat.run(&["--accept-older", "ls"], &factors).ended(0);
    assert!(!ls.out.contains("Later"), "{}", ls.out);
}

#[test]
fn nothing_is_committed_into_a_file_that_lost_its_place() {
    let (seat, made) = seat();
    let vault = seat.vault();
    let former = vault.with_extension("former");
    let mut store = SqliteStore::open(&vault, false).expect("opens");
    let done = store.write(|rows| {
        rows.put_late(b"late")?;
        // As one does who was let in between the look at the name and the lock.
        fs::rename(&vault, &former).expect("ours");
        fs::copy(&made, &vault).expect("ours");
        Ok::<_, StoreError>(())
    });
    assert_eq!(done, Err(StoreError::Replaced));
    drop(store);
    assert_eq!(rows(&former)[2], 0);
}

#[test]
fn a_backup_that_is_damaged_inside_replaces_nothing() {
    for damage in [
        format!("update cell set ct = {}", altered("ct", 1)),
        format!("update audit set leaf = {} where seq = 2", altered("leaf", 1)),
    ] {
        let mut seat = Seat::unlocked();
        seat.ok(&["add", "client", "A"]);
        seat.run(&["add", "note", "A/n", "--secret-stdin", "notes"], "kept").ended(0);
        let made = seat.home.path().join("made.poterne");
        seat.ok(&["backup", "--out", text(&made)]);
        seat.ok(&["lock"]);
        let db = Connection::open(&made).expect("opens");
        assert_ne!(db.execute(&damage, []).expect("writes"), 0, "{damage}");
        drop(db);
        let before = fs::read_dir(seat.home.path()).expect("reads").count();
        let committed = rows(&seat.vault());
        let factors = seat.factors();
        let refused = seat.run(&["backup", "--restore", text(&made)], &factors).ended(7);
        two_parts(&refused);
        assert!(refused.err.contains("Nothing was changed"), "{}", refused.err);
        assert_eq!(fs::read_dir(seat.home.path()).expect("reads").count(), before);
        assert_eq!(rows(&seat.vault()), committed, "the vault is as it was");
        let factors = seat.factors();
        seat.run(&["check"], &factors).ended(0);
    }
}

#[test]
fn a_backup_that_cannot_be_read_is_told_as_such_and_not_sent_round_in_a_circle() {
    let (seat, made) = seat();
    let whole = fs::read(&made).expect("reads");
    for (content, status) in
        [(&b""[..], 7), (&whole[..whole.len() / 2], 7), (&b"no vault at all"[..], 1)]
    {
        let copy = seat.home.path().join("copy");
        fs::write(&copy, content).expect("writes");
        let refused = seat.run(&["backup", "--restore", text(&copy)], "").ended(status);
        two_parts(&refused);
        assert!(refused.err.contains("another backup"), "{}", refused.err);
        assert!(!refused.err.contains("--vault"), "{}", refused.err);
        assert!(!refused.err.contains("go back"), "{}", refused.err);
    }
}
