//! Places that refuse, by the real program: read-only and full file systems, a
//! missing folder, no home folder, and headers with a flipped bit. Each says
//! which place and what to do, before anything is asked or made.

use std::path::Path;
use std::process::{Command, Stdio};

use super::cli_kit::{Ran, Seat, copy, finish};
use super::cli_refusals::two_parts;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Runs the program in a mount namespace of its own, after `prepare` (a line of
/// shell) changed what it sees. `None` where this machine gives no namespaces.
fn elsewhere(seat: &Seat, prepare: &str, args: &[&str], input: &str) -> Option<Ran> {
    let inner = seat.command(args);
    let mut outer = Command::new("unshare");
    let script = format!("({prepare}) || exit 126; exec \"$@\"");
    outer.args(["--mount", "--propagation=private", "sh", "-c", &script, "sh"]);
    outer.arg(inner.get_program()).args(inner.get_args()).env_clear();
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = finish(outer, input);
    (!matches!(ran.status, 125..=127 | -1) && !ran.err.contains("unshare")).then_some(ran)
}

fn read_only(folder: &Path) -> String {
    let folder = folder.display();
    format!("mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}")
}

#[test]
fn a_vault_on_a_read_only_file_system_says_so_before_it_asks() {
    let mut seat = Seat::locked();
    let folder = seat.vault().parent().expect("it is in a folder").to_owned();
    for args in [&["unlock"][..], &["ls"], &["--lang", "fr", "unlock"]] {
        let Some(ran) = elsewhere(&seat, &read_only(&folder), args, "") else { return };
        let ran = ran.ended(1);
        two_parts(&ran);
        let said = if args[0] == "--lang" { "en lecture seule)" } else { "ead-only" };
        assert!(ran.err.contains(said), "{}", ran.err);
    }
    let factors = seat.factors();
    let browse =
        elsewhere(&seat, &read_only(&folder), &["--read-only", "ls"], &factors).expect("as above");
    browse.ended(0);
    // The file alone can be read-only too: without its owner's bit of writing.
    let refused = seat.run(&["unlock"], "not it\n123456\n").ended(3);
    two_parts(&refused);
}

#[test]
fn a_place_for_a_copy_or_an_export_is_looked_at_first() {
    let seat = Seat::unlocked();
    let missing = seat.home.path().join("none/x");
    for args in [
        &["backup", "--out", text(&missing)][..],
        &["audit", "export", "--format", "csv", "--out", text(&missing)],
    ] {
        let ran = seat.run(args, "").ended(1);
        two_parts(&ran);
        assert!(ran.err.contains("none does not exist"), "{}", ran.err);
        assert!(!ran.err.contains("vault"), "it is not the vault's fault: {}", ran.err);
    }
    let log = seat.ok(&["audit", "log"]).out;
    assert!(!log.contains("export") && !log.contains("backup"), "{log}");
    let there = seat.home.path().join("there.csv");
    std::fs::write(&there, "mine").expect("ours");
    for args in [
        &["backup", "--out", text(&there)][..],
        &["audit", "export", "--format", "csv", "--out", text(&there)],
    ] {
        two_parts(&seat.run(args, "").ended(1));
        assert_eq!(std::fs::read_to_string(&there).expect("ours"), "mine");
    }
    seat.ok(&["audit", "export", "--format", "csv", "--force", "--out", text(&there)]);
    assert!(std::fs::read_to_string(&there).expect("ours").contains("vault.unlocked"));
    // Nothing is lost with a file that was only made for it.
    std::fs::write(&there, "").expect("ours");
    seat.ok(&["audit", "export", "--format", "csv", "--out", text(&there)]);
}

#[test]
fn init_looks_at_the_place_before_it_asks() {
    let seat = Seat::empty();
    let nothing = |ran: Ran| {
        let ran = ran.ended(1);
        two_parts(&ran);
        assert_eq!(ran.out, "");
        ran
    };
    let spot = seat.home.path().join("spot");
    std::fs::create_dir(&spot).expect("ours");
    let vault = spot.join("v.poterne");
    let missing = seat.home.path().join("none/v.poterne");
    nothing(seat.run(&["--vault", text(&missing), "init"], ""));
    let args = ["--vault", text(&vault), "init"];
    if let Some(ran) = elsewhere(&seat, &read_only(&spot), &args, "") {
        let ran = nothing(ran);
        assert!(ran.err.contains("read-only"), "{}", ran.err);
    }
    let full = format!(
        "mount -t tmpfs -o size=64k none {0} && (dd if=/dev/zero of={0}/fill bs=1k || true) 2>/dev/null",
        spot.display()
    );
    if let Some(ran) = elsewhere(&seat, &full, &args, "") {
        let ran = nothing(ran);
        assert!(ran.err.contains("full"), "{}", ran.err);
    }
    assert_eq!(std::fs::read_dir(&spot).expect("ours").count(), 0);
    for (lang, said) in [("fr", "HOME n’est pas défini"), ("en", "HOME is not set")] {
        for args in [&["init"][..], &["--vault", text(&vault), "init"]] {
            let mut homeless = seat.command(&[&["--lang", lang], args].concat());
            homeless.env_remove("HOME");
            let ran = nothing(finish(homeless, ""));
            assert!(ran.err.contains(said), "{}", ran.err);
            assert!(lang == "en" || !ran.err.contains("is not set"), "{}", ran.err);
        }
    }
    assert_eq!(std::fs::read_dir(&spot).expect("ours").count(), 0);
}

#[test]
fn without_a_home_folder_a_portable_vault_opens_and_another_says_what_it_lacks() {
    for portable in [true, false] {
        let mut seat = Seat::empty();
        seat.init(if portable { &["--portable"] } else { &[] }).ended(0);
        let vault = seat.vault();
        let factors = seat.factors();
        let mut homeless = seat.command(&["--lang", "fr", "--vault", text(&vault), "ls"]);
        homeless.env_remove("HOME");
        let ran = finish(homeless, &factors);
        if portable {
            ran.ended(0);
        } else {
            let ran = ran.ended(1);
            two_parts(&ran);
            assert!(ran.err.contains("clé de cet ordinateur"), "{}", ran.err);
            assert!(ran.err.contains("→ Définissez HOME"), "{}", ran.err);
        }
    }
}

/// Everything that a file holds, as far as SQLite reads it.
fn content(file: &Path) -> String {
    use std::fmt::Write as _;
    let db = rusqlite::Connection::open(file).expect("ours");
    let names = |db: &rusqlite::Connection| -> rusqlite::Result<Vec<String>> {
        let sql = "select name from sqlite_master where type = 'table' order by name";
        db.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    };
    let mut all = String::new();
    for table in names(&db).expect("a schema") {
        let mut rows = db.prepare(&format!("select * from {table}")).expect("a table");
        let columns = rows.column_count();
        let mut rows = rows.query([]).expect("a table");
        while let Some(row) = rows.next().expect("a row") {
            for column in 0..columns {
                let value: rusqlite::types::Value = row.get(column).expect("a value");
                writeln!(all, "{table} {value:?}").expect("memory");
            }
        }
    }
    all
}

#[test]
fn a_flipped_bit_in_the_header_changes_nothing_or_is_told() {
    use poterne::app::api::Code;
    use poterne::app::look;
    let mut seat = Seat::locked();
    for client in ["A", "B"] {
        let factors = seat.factors();
        seat.run(&["add", "client", client], &factors).ended(0);
    }
    let whole = std::fs::read(seat.vault()).expect("ours");
    let held = content(&seat.vault());
    let file = seat.home.path().join("flipped.poterne");
    let mut sound = 0;
    for bit in 0..800 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        std::fs::write(&file, &bytes).expect("ours");
        match look::before_unlock(&file, false).and_then(|()| look::at_rest(&file)) {
            Ok(()) => {
                sound += 1;
                assert_eq!(content(&file), held, "bit {bit}");
            }
            Err(error) => assert_eq!(error.code, Code::Tampered, "bit {bit}: {}", error.what.en),
        }
        if bit % 8 == bit / 8 % 8 && bit / 8 % 5 == 0 {
            std::fs::write(&file, &bytes).expect("ours");
            let ran = seat.run(&["--vault", text(&file), "status"], "");
            assert!(matches!(ran.status, 0 | 7), "bit {bit}: {} {}", ran.status, ran.err);
        }
    }
    // The change counter, the schema cookie and the versions of SQLite.
    assert!(sound <= 128, "{sound}");
}

#[test]
fn status_looks_at_the_file() {
    let seat = Seat::locked();
    seat.ok(&["status"]);
    let file = seat.home.path().join("damaged.poterne");
    let on = |damage: &dyn Fn(&Path)| {
        copy(&seat.vault(), &file);
        damage(&file);
        let ran = seat.run(&["--vault", text(&file), "status"], "");
        two_parts(&ran);
        let json = seat.run(&["--json", "--vault", text(&file), "status"], "");
        assert_eq!((json.status, json.out.as_str()), (ran.status, ""));
        ran
    };
    let sql = |sql: &'static str| {
        move |file: &Path| {
            let db = rusqlite::Connection::open(file).expect("ours");
            db.execute_batch(sql).expect("SQL");
        }
    };
    on(&|file| std::fs::write(file, b"").expect("ours")).ended(7);
    on(&|file| {
        let bytes = std::fs::read(file).expect("ours");
        std::fs::write(file, &bytes[..bytes.len() - 2048]).expect("ours");
    })
    .ended(7);
    on(&sql("delete from vault")).ended(7);
    on(&sql("drop table slot")).ended(7);
    // Absurd costs of key stretching.
    on(&sql("update slot set params = zeroblob(length(params))")).ended(7);
    on(&|file| std::fs::write(file, [b'x'; 300]).expect("ours")).ended(1);
}
