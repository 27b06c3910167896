//! A manifest that the vault shares: who may put it there, who is asked before it
//! runs, what counts when two describe one kind, and what is left once it is gone.

use std::fs;
use std::path::PathBuf;

use super::cli_kit::Seat;
use super::kit_rows::altered;

/// A connector that leaves a trace with the value of its field.
fn manifest(words: &str) -> String {
    format!(
        "kind = \"trace\"\nname = \"Trace\"\nopens = \"terminal\"\n\
         args = [\"{words}\", \"{{colour-of-it}}\"]\n[program]\nlinux = [\"echo\"]\n\
         [[field]]\nid = \"colour-of-it\"\nlabel = \"Colour\"\ntype = \"choice\"\n\
         choices = [\"red\", \"blue\"]\n"
    )
}

fn written(seat: &Seat, text: &str) -> String {
    let file = seat.home.path().join("given.toml");
    fs::write(&file, text).expect("ours");
    file.to_str().expect("UTF-8").to_owned()
}

fn own(seat: &Seat, text: &str) -> PathBuf {
    let folder = seat.home.path().join(".config/poterne/connectors");
    fs::create_dir_all(&folder).expect("ours");
    fs::write(folder.join("trace.toml"), text).expect("ours");
    folder.join("trace.toml")
}

fn listed(seat: &Seat) -> serde_json::Value {
    let all = seat.ok(&["connector", "list", "--json"]).json();
    let all = all["connectors"].as_array().expect("a list").clone();
    all.into_iter().find(|one| one["kind"] == "trace").unwrap_or_default()
}

fn invited(owner: &mut Seat, name: &'static str, role: &str) -> Seat {
    let code = owner.invite(name, role, &["--all-clients"]);
    Seat::invited(owner, name, &code)
}

#[test]
fn what_an_owner_shares_each_member_uses_once_its_computer_approved_it() {
    let mut seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    assert!(listed(&seat).is_null());
    seat.run(&["add", "trace", "A/t"], "").ended(2);
    seat.ok(&["connector", "add", &written(&seat, &manifest("one"))]);
    let shared = listed(&seat);
    assert_eq!((&shared["approved"], &shared["manifest"]), (&false.into(), &true.into()));
    assert!(shared["source"].as_str().is_some_and(|told| told.contains("vault (")), "{shared}");

    seat.ok(&["add", "trace", "A/t", "--field", "colour-of-it=red"]);
    let refused = seat.run(&["edit", "A/t", "--field", "colour-of-it=green"], "").ended(2);
    assert!(refused.err.contains("red|blue"), "{}", refused.err);
    let refused = seat.run(&["edit", "A/t", "--field", "size=1"], "").ended(2);
    assert!(refused.err.contains("colour-of-it"), "{}", refused.err);
    let secret = seat.run(&["edit", "A/t", "--field", "password=x"], "").ended(2);
    assert!(secret.err.contains("never an argument"), "{}", secret.err);
    seat.run(&["edit", "A/t", "--field", "colour-of-it"], "").ended(2);
    seat.ok(&["edit", "A/t", "--field", "colour-of-it=blue"]);
    assert_eq!(seat.ok(&["show", "A/t", "--json"]).json()["settings"]["colour-of-it"], "blue");

    let asked = seat.run(&["connect", "A/t"], "no\n").ended(6);
    assert!(asked.err.contains("the vault (") && asked.err.contains("SHA256:"), "{}", asked.err);
    let ran = seat.run(&["connect", "A/t"], "yes\n").ended(0);
    assert!(ran.out.contains("one blue"), "{}", ran.out);
    assert_eq!(listed(&seat)["approved"], true);
    assert!(!seat.ok(&["connect", "A/t"]).err.contains("yes"), "nobody is asked again");

    // At another computer, another member: nothing is approved there.
    let other = invited(&mut seat, "tec", "technician");
    assert_eq!(listed(&other)["approved"], false);
    other.run(&["connect", "A/t"], "").ended(6);
    let ran = other.run(&["connect", "A/t"], "yes\n").ended(0);
    assert!(ran.out.contains("one blue"), "{}", ran.out);
    let file = written(&other, &manifest("evil"));
    other.run(&["connector", "add", &file], "").ended(5);
    other.run(&["connector", "remove", "trace", "--yes"], "").ended(5);

    // A changed one is asked about again, at each, with the difference.
    seat.ok(&["connector", "add", &written(&seat, &manifest("two"))]);
    for there in [&seat, &other] {
        assert_eq!(listed(there)["approved"], false);
        let asked = there.run(&["connect", "A/t"], "no\n").ended(6);
        assert!(asked.err.contains("-args = [\"one\"") && asked.err.contains("+args = [\"two\""));
    }
    let log = seat.ok(&["audit", "log", "--event", "connector.shared", "--json"]).json();
    let print = seat.ok(&["connector", "check", &written(&seat, &manifest("two")), "--json"]);
    let last = log["lines"].as_array().and_then(|lines| lines.last()).cloned().unwrap_or_default();
    assert_eq!(last["fields"]["detail"], print.json()["sha256"], "{log}");
    assert_eq!(last["fields"]["connector"], "trace");

    // Who leaves takes no key along that the others need for it.
    seat.run(&["member", "remove", "tec"], "").ended(0);
    assert!(seat.run(&["connect", "A/t"], "yes\n").ended(0).out.contains("two blue"));
    seat.ok(&["check"]);
}

#[test]
fn the_vault_s_never_takes_the_place_of_the_person_s_own_or_of_poterne_s() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["connector", "add", &written(&seat, &manifest("shared"))]);
    let file = own(&seat, &manifest("own"));
    let list = seat.ok(&["connector", "list"]);
    assert!(list.err.contains("taken already by a manifest of this computer"), "{}", list.err);
    seat.ok(&["add", "trace", "A/t"]);
    let asked = seat.run(&["connect", "A/t"], "yes\n").ended(0);
    assert!(asked.out.contains("own") && asked.err.contains("trace.toml"), "{}", asked.err);
    fs::remove_file(file).expect("ours");
    // The approval of the one is none of the other.
    let asked = seat.run(&["connect", "A/t"], "no\n").ended(6);
    assert!(asked.err.contains("the vault ("), "{}", asked.err);
}

#[test]
fn an_entry_whose_manifest_was_removed_stays_readable_and_says_what_to_do() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["connector", "add", &written(&seat, &manifest("one"))]);
    seat.ok(&["add", "trace", "A/t", "--field", "colour-of-it=red"]);
    let copy = seat.home.path().join("copy.poterne");
    seat.ok(&["backup", "--out", copy.to_str().expect("UTF-8")]);
    let kept = seat.run(&["connector", "remove", "trace"], "no\n").ended(1);
    assert!(kept.err.contains("not removed"), "{}", kept.err);
    seat.ok(&["connector", "remove", "trace", "--yes"]);
    seat.run(&["connector", "remove", "trace", "--yes"], "").ended(4);
    assert!(listed(&seat).is_null());
    let log = seat.ok(&["audit", "log", "--event", "connector.removed"]).out;
    assert!(log.contains("trace"), "{log}");

    assert_eq!(seat.ok(&["show", "A/t", "--json"]).json()["settings"]["colour-of-it"], "red");
    seat.ok(&["edit", "A/t", "--description", "still here"]);
    let gone = seat.run(&["connect", "A/t"], "yes\n").ended(4);
    assert!(gone.err.contains("trace") && gone.err.contains("connector add"), "{}", gone.err);
    seat.run(&["edit", "A/t", "--field", "colour-of-it=blue"], "").ended(4);
    seat.ok(&["edit", "A/t", "--clear", "colour-of-it"]);
    seat.ok(&["check"]);
}

#[test]
fn damage_in_a_shared_manifest_is_found_and_a_backup_brings_it_back() {
    let mut seat = Seat::unlocked();
    seat.ok(&["connector", "add", &written(&seat, &manifest("one"))]);
    let copy = seat.home.path().join("copy.poterne");
    let copy = copy.to_str().expect("UTF-8");
    seat.ok(&["backup", "--out", copy]);
    seat.ok(&["lock"]);
    let db = rusqlite::Connection::open(seat.vault()).expect("opens");
    let newest = "select max(rowid) from cell";
    let flip = format!("update cell set ct = {} where rowid = ({newest})", altered("ct", 100));
    assert_eq!(db.execute(&flip, []).expect("SQL"), 1);
    drop(db);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    let found = seat.run(&["check"], "").ended(7);
    let told = format!("{}{}", found.out, found.err);
    assert!(told.contains("shared connector “trace”"), "{told}");
    let refused = listed(&seat);
    assert_eq!((&refused["approved"], &refused["sha256"]), (&false.into(), &().into()));
    let todo = refused["refused"]["todo"].as_str().expect("what to do");
    assert!(todo.contains("poterne connector add"), "{todo}");
    let list = seat.ok(&["connector", "list"]);
    assert!(list.err.contains("it is not used") && list.out.contains("refused"), "{}", list.err);
    seat.ok(&["lock"]);
    let factors = seat.factors();
    seat.run(&["backup", "--restore", copy], &format!("{factors}yes\n")).ended(0);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    assert_eq!(listed(&seat)["kind"], "trace");
    seat.ok(&["check"]);
}
