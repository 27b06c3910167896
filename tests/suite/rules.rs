//! Rules that a changed file, another client or another computer could get
//! around, by the real program: tickets of every client that gives something,
//! triggers and cut logs, what this computer remembers, and how long it opens.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use rusqlite::Connection;

use super::cli_kit::{PASSWORD, Ran, Seat, copy};
use super::cli_refusals;

/// As everywhere, and without a word of SQL.
#[track_caller]
fn two_parts(ran: &Ran) {
    cli_refusals::two_parts(ran);
    let sql = ["select ", "create ", "pragma", "user_version"];
    assert!(sql.iter().all(|word| !ran.err.to_lowercase().contains(word)), "{}", ran.err);
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn doctor(file: &Path, sql: &str) {
    Connection::open(file).expect("a SQLite file").execute_batch(sql).expect("SQL");
}

fn add_secret(seat: &Seat, kind: &str, path: &str, more: &[&str]) {
    let add = ["add", kind, path, "--user", "u", "--secret-stdin", "password"];
    seat.run(&[&add[..], more].concat(), "geheim").ended(0);
}

const FORGETFUL: &str =
    "create trigger t after insert on audit begin delete from audit where seq = new.seq; end";

#[test]
fn whatever_is_added_to_the_tables_of_a_vault_is_refused() {
    let seat = Seat::locked();
    let file = seat.home.path().join("doctored.poterne");
    for sql in [
        FORGETFUL,
        "create table more(x)",
        "create view more as select * from audit",
        "create index more on audit(key)",
        "alter table audit add column more blob",
        "drop index access_member",
        "pragma user_version = 0",
        "pragma user_version = 0; update vault set format = 0",
        "alter table vault rename to other",
    ] {
        copy(&seat.vault(), &file);
        doctor(&file, sql);
        for args in [&["unlock"][..], &["ls"], &["--read-only", "ls"], &["status"]] {
            let ran = seat.run(&[&["--vault", text(&file)], args].concat(), "").ended(7);
            two_parts(&ran);
        }
    }
    copy(&seat.vault(), &file);
    seat.ok(&["--vault", text(&file), "status"]);
}

#[test]
fn a_trigger_added_while_the_vault_is_open_takes_no_line_away() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    add_secret(&seat, "credential", "A/c", &[]);
    doctor(&seat.vault(), FORGETFUL);
    seat.ok(&["show", "A/c", "--field", "password", "--reveal"]);
    let log = seat.ok(&["audit", "log", "--event", "secret.revealed"]).out;
    assert!(log.contains("A/c"), "{log}");
    doctor(&seat.vault(), "drop trigger t");
    seat.ok(&["audit", "verify"]);
}

#[test]
fn every_client_that_gives_a_secret_or_a_machine_asks_for_its_ticket() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "Tick", "--ticket-pattern", "T-[0-9]+", "--ticket-required"]);
    seat.ok(&["add", "client", "Dupont"]);
    add_secret(&seat, "credential", "Tick/c", &[]);
    // Nobody listens there: whoever gets as far ends with 6.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let port = gone.expect("a free port").port().to_string();
    let host = ["--host", "127.0.0.1", "--port", &port];
    add_secret(&seat, "ssh", "Tick/s", &host);
    let linked = [&["add", "ssh", "Dupont/uses", "--credential", "linked:Tick/c"][..], &host];
    seat.ok(&linked.concat());
    add_secret(&seat, "ssh", "Dupont/far", &[&host[..], &["--jump", "Tick/s"]].concat());
    for path in ["Dupont/uses", "Dupont/far"] {
        let ran = seat.run(&["connect", path], "").ended(5);
        two_parts(&ran);
        assert!(ran.err.contains("“Tick”: this client asks for a ticket"), "{}", ran.err);
        two_parts(&seat.run(&["connect", path, "--ticket", "wrong"], "").ended(5));
        seat.run(&["connect", path, "--ticket", "T-7"], "").ended(6);
        assert_eq!(seat.ok(&["--json", "plan", path]).json()["ticket_required"], true);
    }
    // Two clients with rules of their own: each finds its ticket.
    let own = ["--ticket-pattern", "D-[0-9]+", "--ticket-required", "--reason-required"];
    seat.ok(&[&["edit", "Dupont"][..], &own].concat());
    let both = |ticket: &str, reason: &[&str]| {
        seat.run(&[&["connect", "Dupont/uses", "--ticket", ticket][..], reason].concat(), "")
    };
    two_parts(&both("T-7", &["--reason", "r"]).ended(5));
    two_parts(&both("D-7", &["--reason", "r"]).ended(5));
    two_parts(&both("D-7, T-7", &[]).ended(5));
    both("D-7, T-7", &["--reason", "r"]).ended(6);
}

#[test]
fn what_leaves_a_client_is_justified_there() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "Tick", "--ticket-pattern", "T-[0-9]+", "--ticket-required"]);
    seat.ok(&["add", "client", "Dupont"]);
    seat.ok(&["add", "folder", "Tick/F"]);
    add_secret(&seat, "credential", "Tick/F/c", &[]);
    for from in ["Tick/F/c", "Tick/F"] {
        let ran = seat.run(&["mv", from, "Dupont"], "").ended(5);
        two_parts(&ran);
        two_parts(&seat.run(&["mv", from, "Dupont", "--ticket", "wrong"], "").ended(5));
    }
    // Inside the client nothing leaves it.
    seat.ok(&["mv", "Tick/F/c", "Tick/F/d"]);
    seat.ok(&["mv", "Tick/F", "Dupont", "--ticket", "T-12"]);
    let log = seat.ok(&["--json", "audit", "log", "--event", "entry.moved"]).json();
    let last = log["lines"].as_array().and_then(|lines| lines.last()).cloned().expect("a line");
    assert_eq!(last["fields"]["ticket"], "T-12");
    seat.ok(&["mv", "Dupont/F", "Tick"]);
}

#[test]
fn no_version_is_lost_on_the_way_to_another_client() {
    let seat = Seat::unlocked();
    for client in ["C", "D"] {
        seat.ok(&["add", "client", client]);
    }
    add_secret(&seat, "ssh", "C/e", &[]);
    seat.run(&["edit", "C/e", "--secret-stdin", "password"], "zwei").ended(0);
    seat.ok(&["mv", "C/e", "C/f"]);
    seat.ok(&["mv", "C/f", "D/g"]);
    let history = seat.ok(&["--json", "history", "D/g"]).json();
    let versions: Vec<u64> = history["versions"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|v| v["version"].as_u64())
        .collect();
    assert_eq!(versions, [4, 3, 2, 1]);
    seat.ok(&["restore", "D/g", "--version", "3"]);
    let password = |path| seat.ok(&["show", path, "--field", "password", "--reveal"]).out;
    assert_eq!(password("D/f"), "zwei\n");
    seat.ok(&["restore", "D/f", "--version", "1"]);
    assert_eq!(password("D/e"), "geheim\n");
    seat.ok(&["check"]);
    seat.ok(&["rm", "D/e"]);
    seat.ok(&["rm", "D/e", "--forever"]);
    seat.ok(&["check"]);
}

#[test]
fn a_cut_log_does_not_unlock() {
    let mut seat = Seat::locked();
    let factors = seat.factors();
    seat.run(&["add", "client", "A"], &factors).ended(0);
    let file = seat.home.path().join("cut.poterne");
    for sql in [
        "delete from audit",
        "delete from audit where seq = 1",
        "delete from audit where seq = (select max(seq) from audit)",
    ] {
        copy(&seat.vault(), &file);
        doctor(&file, sql);
        let factors = seat.factors();
        let ran = seat.run(&["--vault", text(&file), "ls"], &factors).ended(7);
        two_parts(&ran);
        assert!(ran.err.contains("lines of its log are missing"), "{}", ran.err);
    }
    // It can still be looked at.
    copy(&seat.vault(), &file);
    doctor(&file, "delete from audit where seq = 1");
    let factors = seat.factors();
    let ran = seat.run(&["--vault", text(&file), "--read-only", "ls"], &factors).ended(0);
    assert!(ran.err.contains("log are missing"), "{}", ran.err);
    seat.run(&["ls"], &factors).ended(0);
}

#[test]
fn what_is_no_file_is_told_at_once() {
    let seat = Seat::empty();
    let pipe = seat.home.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("it is there").success());
    for place in [pipe.as_path(), seat.home.path(), Path::new("/dev/null")] {
        for args in [&["ls"][..], &["unlock"], &["status"]] {
            two_parts(&seat.run(&[&["--vault", text(place)], args].concat(), "").ended(1));
        }
    }
}

#[test]
fn what_this_computer_remembers_is_closed_to_others_and_missed_when_it_cannot_be_kept() {
    let mut seat = Seat::locked();
    let state = seat.home.path().join(".local/state/poterne");
    let seen = || {
        let mut all = std::fs::read_dir(state.join("vaults")).expect("it was made");
        all.next().expect("one file").expect("readable").path()
    };
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    let mode =
        |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    open(&state, 0o755);
    open(&seen(), 0o644);
    let factors = seat.factors();
    let ran = seat.run(&["ls"], &factors).ended(0);
    assert!(!ran.err.contains("cannot remember"), "{}", ran.err);
    assert_eq!((mode(&state), mode(&state.join("vaults")), mode(&seen())), (0o700, 0o700, 0o600));
    std::fs::remove_dir_all(state.join("vaults")).expect("ours");
    std::fs::write(state.join("vaults"), "").expect("ours");
    let factors = seat.factors();
    let ran = seat.run(&["ls"], &factors).ended(0);
    assert!(ran.err.contains("cannot remember how new this vault is"), "{}", ran.err);
    let factors = seat.factors();
    let ran = seat.run(&["--lang", "fr", "ls"], &factors).ended(0);
    assert!(ran.err.contains("ne peut pas retenir"), "{}", ran.err);
}

#[test]
fn a_window_of_codes_that_ends_soon_is_told() {
    let mut seat = Seat::locked();
    let factors = seat.factors();
    let ran = seat.run(&["--read-only", "ls"], &factors).ended(0);
    assert!(!ran.err.contains("more days"), "{}", ran.err);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let today = now.expect("after 1970").as_secs() / 86_400;
    doctor(&seat.vault(), &format!("delete from otp_day where day > {}", today + 20));
    let factors = seat.factors();
    let ran = seat.run(&["--read-only", "ls"], &factors).ended(0);
    assert!(ran.err.contains("This computer has codes for only"), "{}", ran.err);
}

#[test]
fn recovering_names_the_computers_that_are_to_be_enrolled_again() {
    let mut seat = Seat::unlocked();
    let factors = seat.factors();
    let added = seat.run(&["--json", "device", "add", "portable"], &factors);
    let code = added.ended(0).json();
    let code = code["code"].as_str().expect("a code").to_owned();
    let other = Seat::empty();
    let vault = seat.vault();
    let given = format!("{code}\n{PASSWORD}\n{}", seat.factors());
    other.run(&["--vault", text(&vault), "device", "enrol"], &given).ended(0);
    seat.ok(&["lock"]);
    let ran = seat.recover().ended(0);
    assert!(ran.err.contains("No longer open this vault"), "{}", ran.err);
    assert!(ran.err.contains("device add") && ran.err.contains("device enrol"), "{}", ran.err);
    // Alone, there is nothing to tell.
    let ran = seat.recover().ended(0);
    assert!(!ran.err.contains("No longer open"), "{}", ran.err);
}

#[test]
fn new_factors_name_the_computers_that_are_to_be_enrolled_again() {
    let mut seat = Seat::unlocked();
    for renew in ["passwd", "totp-reset"] {
        let factors = seat.factors();
        let added = seat.run(&["--json", "device", "add", "portable"], &factors);
        let code = added.ended(0).json();
        let code = code["code"].as_str().expect("a code").to_owned();
        let other = Seat::empty();
        let vault = seat.vault();
        let given = format!("{code}\n{PASSWORD}\n{}", seat.factors());
        other.run(&["--vault", text(&vault), "device", "enrol"], &given).ended(0);
        let factors = seat.factors();
        let ran = match renew {
            "passwd" => seat.run(&["passwd"], &format!("{factors}{PASSWORD}\n{PASSWORD}\n")),
            _ => seat.totp_reset(&factors),
        };
        let told = "No longer open this vault with the old factors: “";
        assert!(ran.ended(0).err.contains(told), "{renew}");
    }
}

#[test]
fn several_members_have_to_say_who_they_are() {
    let mut seat = Seat::empty();
    seat.init(&["--portable"]).ended(0);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    let code = seat.invite("bruno", "technician", &[]);
    let mut bruno = Seat::invited(&seat, "bruno", &code);
    bruno.ok(&["lock"]);
    seat.ok(&["lock"]);
    // A computer that knows nobody: said whatever the factors are.
    let fresh = Seat::empty();
    let vault = seat.vault();
    let factors = bruno.factors();
    for factors in [factors.as_str(), &format!("{PASSWORD}!\n123456\n")] {
        let ran = fresh.run(&["--vault", text(&vault), "ls"], factors).ended(2);
        two_parts(&ran);
        assert!(ran.err.contains("--member"), "{}", ran.err);
    }
    // One that knows another: told whom it took.
    let ran = seat.run(&["ls"], &factors).ended(3);
    two_parts(&ran);
    assert!(ran.err.contains("--member"), "{}", ran.err);
    seat.run(&["--member", "bruno", "ls"], &factors).ended(0);
}

/// The other computer bears the label that was given with its code, and a password
/// typed two ways spends nothing.
#[test]
fn a_computer_is_enrolled_by_a_code_or_the_kit_under_the_name_it_was_given() {
    let mut seat = Seat::unlocked();
    let labels = |seat: &Seat| -> Vec<String> {
        let list = seat.ok(&["--json", "device", "list"]).json();
        let devices = list["devices"].as_array().expect("a list").clone();
        devices.iter().map(|d| d["label"].as_str().expect("a label").to_owned()).collect()
    };
    let vault = seat.vault();
    let factors = seat.factors();
    let added = seat.run(&["--json", "device", "add", "portable de Zoé"], &factors);
    let code = added.ended(0).json();
    let code = code["code"].as_str().expect("a code").to_owned();
    assert_eq!(labels(&seat).len(), 1, "it is awaited, not enrolled");
    let factors = seat.factors();
    let other = Seat::empty();
    let enrol = ["--vault", text(&vault), "device", "enrol"];
    let slip = other.run(&enrol, &format!("{code}\n{PASSWORD}x\n{factors}")).ended(2);
    two_parts(&slip);
    let ran = other.run(&enrol, &format!("{code}\n{PASSWORD}\n{factors}")).ended(0);
    assert!(ran.err.contains("mode 0600"), "{}", ran.err);
    assert_eq!(labels(&seat)[1..], ["portable de Zoé"]);
    let again = Seat::empty().run(&enrol, &format!("{code}\n{PASSWORD}\n{factors}"));
    two_parts(&again.ended(3));
    // The kit lets in as well, and stays good.
    let kit = seat.kit.clone();
    let third = Seat::empty();
    let ran = third.run(
        &[&["--json"][..], &enrol].concat(),
        &format!("{kit}\n{PASSWORD}\n{}", seat.factors()),
    );
    let told = ran.ended(0).json();
    assert!(told["notices"][0].as_str().is_some_and(|n| n.contains("0600")), "{told}");
    assert_eq!(labels(&seat).len(), 3);
    seat.ok(&["lock"]);
    seat.recover().ended(0);
}
