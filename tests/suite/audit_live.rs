//! The log in the vault's file, tampered with behind the program's back: every
//! fault is told, with its line, and the rest is still read.

use poterne::app::UnlockOptions;
use poterne::app::api::{Code, Reply, Request, Verified};
use rusqlite::Connection;

use super::audit_export::fill;
use super::kit::Desk;
use super::kit_rows::altered;

/// A vault of some forty lines, its file changed by `change` while it is locked.
fn tampered(change: impl FnOnce(&Connection)) -> Verified {
    let mut desk = Desk::open();
    fill(&desk, 40);
    desk.call(Request::Lock);
    let db = Connection::open(&desk.file).expect("a SQLite file");
    change(&db);
    drop(db);
    // Where lines are missing it opens to be looked at only.
    if desk.unlock().is_err_and(|e| e.code == Code::Tampered) {
        let options = UnlockOptions { read_only: true, ..desk.options() };
        desk.app.unlock(options).expect("the log is read when it is asked for");
    }
    let Reply::Verified(verified) = desk.call(Request::AuditVerify) else {
        panic!("another reply")
    };
    verified
}

fn run(db: &Connection, sql: &str) {
    db.execute_batch(sql).expect("the schema of the format");
}

fn english(verified: &Verified) -> Vec<&str> {
    verified.faults.iter().map(|f| f.en.as_str()).collect()
}

#[test]
fn an_untouched_log_has_no_fault() {
    let verified = tampered(|_| {});
    assert_eq!(english(&verified), [""; 0]);
    assert!(verified.lines > 40 && verified.disclosed > 120);
}

#[test]
fn every_fault_is_told_and_reading_goes_on_behind_it() {
    let verified = tampered(|db| {
        run(
            db,
            &format!("update audit set leaf = {} where seq in (5, 6, 7, 20)", altered("leaf", 1)),
        );
        run(db, "delete from audit where seq in (10, 11, 12, 25)");
        run(db, &format!("update audit set opening = {} where seq = 30", altered("opening", 1)));
        // Two lines exchanged: neither opens in the other's place.
        run(
            db,
            "create temp table t as select seq, key, n, leaf, opening from audit where seq in (33, 35);
             update audit set (key, n, leaf, opening) =
                 (select key, n, leaf, opening from t where t.seq = 68 - audit.seq)
             where seq in (33, 35)",
        );
    });
    assert_eq!(
        english(&verified),
        [
            "Lines 5 to 7 no longer open: they were edited, or their key was.",
            "Lines 10 to 12 are missing.",
            "Line 20 no longer opens: it was edited, or its key was.",
            "Line 25 is missing.",
            "The values of line 30 were edited.",
            "Line 33 no longer opens: it was edited, or its key was.",
            "Line 35 no longer opens: it was edited, or its key was.",
        ]
    );
    assert!(verified.faults.iter().all(|f| f.fr != f.en), "both languages");
}

#[test]
fn a_damaged_row_hides_nothing_behind_it() {
    let verified = tampered(|db| {
        run(db, "update audit set key = -1 where seq = 8");
        run(db, "delete from audit where seq = 31");
    });
    let told = english(&verified);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("Line 8 no longer opens"), "{told:?}");
    assert_eq!(told[1], "Line 31 is missing.");
}
