//! The table of one-time codes, most of a vault's file: whatever is changed in it
//! is reported, and never as a wrong factor where it can be told from one.

use poterne::app::api::{Code, Reply, Request};
use rusqlite::{Connection, params};

use super::cli_kit::Seat;
use super::cli_refusals::two_parts;
use super::kit::Desk;

/// Bits of the table that are flipped, each alone.
const FLIPS: usize = 40;

fn faults(desk: &Desk) -> Vec<String> {
    let Reply::Checked(report) = desk.call(Request::Check) else { panic!("checked") };
    report.faults.into_iter().map(|f| f.en).collect()
}

#[test]
fn every_bit_of_the_table_is_checked_and_no_damaged_copy_counts_as_a_backup() {
    let desk = Desk::open();
    assert_eq!(faults(&desk), Vec::<String>::new());
    let db = Connection::open(&desk.file).expect("SQLite opens");
    let mut seed = 1_128_u64;
    let mut random = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize
    };
    let mut rows = db.prepare("select rowid, ct from otp_day order by day").expect("reads");
    let days: Vec<(i64, Vec<u8>)> = rows
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .and_then(Iterator::collect)
        .expect("reads");
    drop(rows);
    let put = |row: i64, ct: &[u8]| {
        db.execute("update otp_day set ct = ? where rowid = ?", params![ct, row]).expect("writes");
    };
    for _ in 0..FLIPS {
        let (row, ct) = &days[random() % days.len()];
        let mut doctored = ct.clone();
        let at = random() % doctored.len();
        doctored[at] ^= 1 << (random() % 8);
        put(*row, &doctored);
        assert_eq!(faults(&desk).len(), 1, "byte {at} of row {row}");
        put(*row, ct);
    }
    // A copy that carries the damage is none, and none is left.
    let (row, ct) = &days[days.len() / 2];
    let mut doctored = ct.clone();
    doctored[3000] ^= 1;
    put(*row, &doctored);
    let to = desk.dir.path().join("copy.poterne");
    let refused = desk.app.call(Request::Backup { to: Some(to.clone()) });
    let refused = refused.err().expect("it is damaged");
    assert_eq!(refused.code, Code::Tampered);
    assert!(refused.what.en.contains("table of codes"), "{}", refused.what.en);
    assert!(!to.exists());
    put(*row, ct);
    desk.call(Request::Backup { to: Some(to) });

    let each = [
        (
            "a day moved",
            "update otp_day set day = day + 1000 where rowid = ?1",
            "update otp_day set day = day - 1000 where rowid = ?1",
        ),
        (
            "the head",
            "update otp_head set ct = cast(ct || x'00' as blob) where ?1 > 0",
            "update otp_head set ct = cast(substr(ct, 1, length(ct) - 1) as blob) where ?1 > 0",
        ),
    ];
    for (what, harm, mend) in each {
        db.execute(harm, [row]).expect("writes");
        assert!(!faults(&desk).is_empty(), "{what}");
        db.execute(mend, [row]).expect("writes");
        assert_eq!(faults(&desk), Vec::<String>::new(), "{what}");
    }
    db.execute("delete from otp_day where rowid = ?", [row]).expect("deletes");
    assert_eq!(faults(&desk).len(), 1, "a missing day");
}

/// Before a factor was right or wrong, for every answer the same.
#[test]
fn a_table_of_today_that_was_changed_is_no_wrong_factor() {
    let mut seat = Seat::locked();
    let vault = seat.vault();
    let good = std::fs::read(&vault).expect("reads");
    let factors = seat.factors();
    let today = "(select min(day) from otp_day)";
    // One of the two differs from what is there.
    let byte = |at: u32, value: &str| {
        format!(
            "update otp_day set ct = cast(substr(ct, 1, {at}) || x'{value}' || substr(ct, {at} + 2)
                as blob) where day = {today};"
        )
    };
    let flipped = byte(3000, "00") + &byte(4000, "ff");
    let missing = format!("delete from otp_day where day = {today}");
    for harm in [flipped, missing] {
        std::fs::write(&vault, &good).expect("ours");
        Connection::open(&vault).and_then(|db| db.execute_batch(&harm)).expect("changes it");
        let right = seat.run(&["ls"], &factors).ended(7);
        two_parts(&right);
        assert!(right.err.contains("poterne recover"), "{}", right.err);
        let wrong = seat.run(&["ls"], "not the password\n000000\n").ended(7);
        assert_eq!(right.err, wrong.err, "it tells nothing about the factors");
    }
    // The kit gets in and writes a new table.
    seat.recover().ended(0);
    let factors = seat.factors();
    seat.run(&["check"], &factors).ended(0);
}
