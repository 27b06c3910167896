//! A manifest of the person's runs only once it was approved on this computer, as it
//! stands: the real program with a home of its own, from the list of connectors to
//! an entry of a vault.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::cli_kit::Seat;

/// A connector whose program leaves a trace.
fn manifest(seat: &Seat, words: &str) -> String {
    let trace = seat.home.path().join("trace");
    format!(
        "kind = \"trace\"\nname = \"Trace\"\nopens = \"terminal\"\n\
         args = [\"-c\", \"echo {words}; echo ran > {}; cat\"]\n\
         [program]\nlinux = [\"sh\"]\n[[field]]\nid = \"colour-of-it\"\nlabel = \"Colour\"\n",
        trace.display()
    )
}

fn put(seat: &Seat, text: &str) -> PathBuf {
    let folder = seat.home.path().join(".config/poterne/connectors");
    fs::create_dir_all(&folder).expect("ours");
    let file = folder.join("trace.toml");
    fs::write(&file, text).expect("ours");
    file
}

fn ran(seat: &Seat) -> bool {
    fs::remove_file(seat.home.path().join("trace")).is_ok()
}

fn listed(seat: &Seat) -> serde_json::Value {
    let all = seat.ok(&["connector", "list", "--json"]).json();
    let all = all["connectors"].as_array().expect("a list").clone();
    all.into_iter().find(|one| one["kind"] == "trace").unwrap_or_default()
}

#[test]
fn an_unapproved_manifest_never_runs_and_a_changed_one_asks_with_the_difference() {
    let seat = Seat::empty();
    let file = put(&seat, &manifest(&seat, "one"));
    let path = file.to_str().expect("UTF-8");
    assert_eq!(listed(&seat)["approved"], false);
    let refused = seat.run(&["connector", "try", path], "no\n").ended(6);
    assert!(refused.err.contains("echo one") && refused.err.contains("SHA256:"), "{}", refused.err);
    assert!(refused.err.contains("not approved"), "{}", refused.err);
    // What would run is told at the end as well: a long text moves its head away.
    let (_, end) = refused.err.split_once("echo one").expect("its text");
    assert!(end.contains("trace may start /") && end.contains("/sh and give it"), "{end}");
    seat.run(&["connector", "try", path], "").ended(6);
    assert!(!ran(&seat), "it did not run");

    let tried = seat.run(&["connector", "try", path], "yes\n").ended(0);
    assert!(tried.out.contains("one"), "{}", tried.out);
    assert!(ran(&seat));
    let approved = seat.home.path().join(".local/state/poterne/connectors/trace.approved");
    let mode = fs::metadata(&approved).expect("it is kept").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(listed(&seat)["approved"], true);
    let again = seat.run(&["connector", "try", path], "").ended(0);
    assert!(!again.err.contains("yes") && ran(&seat), "nobody is asked again");

    put(&seat, &manifest(&seat, "two"));
    assert_eq!(listed(&seat)["approved"], false);
    let asked = seat.run(&["connector", "try", path], "no\n").ended(6);
    assert!(asked.err.contains("-args = [\"-c\", \"echo one"), "{}", asked.err);
    assert!(asked.err.contains("+args = [\"-c\", \"echo two"), "{}", asked.err);
    assert!(!ran(&seat), "the changed one did not run");
    // What was approved is back.
    put(&seat, &manifest(&seat, "one"));
    assert_eq!(listed(&seat)["approved"], true);
    // An approval that somebody else wrote counts for nothing.
    let text = fs::read_to_string(&approved).expect("ours");
    fs::write(&approved, text.replace("echo one", "echo evil")).expect("ours");
    assert_eq!(listed(&seat)["approved"], false);
}

/// Whoever puts another program in the place of the one that was approved gets no
/// secret for it without a question.
#[test]
fn another_program_than_the_approved_one_is_asked_about() {
    let seat = Seat::empty();
    let program = |name: &str| seat.home.path().join(name);
    let (first, second) = (program("first"), program("second"));
    let script = |file: &PathBuf, words: &str| {
        fs::write(file, format!("#!/bin/sh\necho {words}\n")).expect("ours");
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).expect("ours");
    };
    script(&second, "second");
    let text = format!(
        "kind = \"trace\"\nname = \"Trace\"\nopens = \"terminal\"\n[program]\n\
         linux = [{first:?}, {second:?}]\n"
    );
    let file = put(&seat, &text);
    let path = file.to_str().expect("UTF-8");
    let run = |input: &str, status| seat.run(&["connector", "try", path], input).ended(status);
    assert!(run("yes\n", 0).out.contains("second"));
    assert!(run("", 0).out.contains("second"), "nobody is asked again");
    script(&first, "first");
    assert_eq!(listed(&seat)["approved"], false);
    let asked = run("no\n", 6);
    assert!(asked.err.contains("-program: ") && asked.err.contains("+program: "), "{}", asked.err);
    assert!(run("yes\n", 0).out.contains("first"));
    run("", 0);
    // Somebody else's file is another program, where a test may give one away.
    if std::os::unix::fs::chown(&first, Some(4242), None).is_ok() {
        let asked = run("", 6);
        assert!(asked.err.contains("(uid 4242)"), "{}", asked.err);
        std::os::unix::fs::chown(&first, Some(0), None).expect("given back");
    }
    // What any account may change, nobody can have approved.
    fs::set_permissions(&first, fs::Permissions::from_mode(0o777)).expect("ours");
    let asked = run("", 6);
    assert!(asked.err.contains("Any account of this computer"), "{}", asked.err);
    let refused = seat.run(&["connector", "approve", path], "yes\n").ended(1);
    assert!(refused.err.contains("chmod o-w"), "{}", refused.err);
    // No more than if any account may put another one in its place.
    fs::set_permissions(&first, fs::Permissions::from_mode(0o755)).expect("ours");
    run("yes\n", 0);
    run("", 0);
    let home = |mode| {
        let open = fs::Permissions::from_mode(mode);
        fs::set_permissions(seat.home.path(), open).expect("ours");
    };
    home(0o777);
    let asked = run("", 6);
    assert!(asked.err.contains("Any account of this computer"), "{}", asked.err);
    home(0o1777);
    run("", 0);
    home(0o700);
    let folder = seat.home.path().join(".local/state/poterne/connectors");
    let left: Vec<_> =
        fs::read_dir(folder).expect("ours").flatten().map(|e| e.file_name()).collect();
    assert_eq!(left, ["trace.approved"], "nothing else is left of writing it");
}

#[test]
fn approving_by_fingerprint_takes_that_text_and_no_other() {
    let seat = Seat::empty();
    let file = put(&seat, &manifest(&seat, "one"));
    let path = file.to_str().expect("UTF-8");
    let print = seat.ok(&["connector", "check", path, "--json"]).json()["sha256"].clone();
    let print = print.as_str().expect("a text").to_owned();
    let other = print.replace(|c: char| c.is_ascii_digit(), "0");
    seat.run(&["connector", "approve", path, "--fingerprint", &other], "").ended(2);
    assert_eq!(listed(&seat)["approved"], false);
    seat.ok(&["connector", "approve", path, "--fingerprint", &print]);
    assert_eq!(listed(&seat)["approved"], true);
    seat.ok(&["connector", "approve", path]);
}

#[test]
fn a_faulty_manifest_is_told_with_its_places_and_hides_no_other() {
    let seat = Seat::empty();
    put(&seat, &manifest(&seat, "one"));
    let bad = seat.home.path().join(".config/poterne/connectors/bad.toml");
    fs::write(&bad, "kind = \"bad\"\nnom = \"x\"\n").expect("ours");
    let path = bad.to_str().expect("UTF-8");
    let checked = seat.run(&["connector", "check", path], "").ended(2);
    assert!(checked.out.contains(&format!("{path}:2:1: unknown key “nom”")), "{}", checked.out);
    let list = seat.ok(&["connector", "list"]);
    assert!(list.out.contains("trace") && list.err.contains(":2:1: "), "{} {}", list.out, list.err);
    seat.run(&["connector", "try", path], "yes\n").ended(2);
}

#[test]
fn an_entry_of_a_manifest_s_kind_is_made_shown_and_opened() {
    let mut seat = Seat::locked();
    let file = put(&seat, &manifest(&seat, "one"));
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "trace", "A/t", "--colour-of-it", "red"]);
    seat.run(&["add", "trace", "A/u", "--directory", "x"], "").ended(2);
    let shown = seat.ok(&["show", "A/t", "--json"]).json();
    assert_eq!(shown["settings"]["colour-of-it"], "red");
    let plan = seat.ok(&["plan", "A/t"]).out;
    assert!(plan.contains("colour-of-it") && plan.contains("red"), "{plan}");
    seat.run(&["connect", "A/t"], "no\n").ended(6);
    assert!(!ran(&seat));
    let opened = seat.run(&["connect", "A/t"], "yes\n").ended(0);
    assert!(opened.out.contains("one") && ran(&seat), "{}", opened.out);
    // The agent, which knows the old text, runs none that changed meanwhile.
    put(&seat, &manifest(&seat, "two"));
    let asked = seat.run(&["connect", "A/t"], "no\n").ended(6);
    assert!(asked.err.contains("echo two") && !ran(&seat), "{}", asked.err);
    fs::remove_file(file).expect("ours");
    seat.run(&["connect", "A/t"], "yes\n").ended(4);
    let log = seat.ok(&["audit", "log"]).out;
    assert!(log.contains("trace · /"), "the log tells the program: {log}");
}

#[test]
fn a_kind_without_a_login_still_gets_its_own_secrets_and_nothing_of_its_folder() {
    let mut seat = Seat::locked();
    let got = seat.home.path().join("got");
    let text = format!(
        "kind = \"trace\"\nname = \"Trace\"\nopens = \"terminal\"\n\
         args = [\"-c\", \"cat $1 $2 > {}\", \"x\", \"{{pipe:password}}\", \"{{pipe:custom:pin}}\"]\n\
         [program]\nlinux = [\"sh\"]\n\
         [[secret]]\nslot = \"password\"\nby = \"pipe\"\nask = false\n\
         [[secret]]\nslot = \"custom:pin\"\nby = \"pipe\"\n",
        got.display()
    );
    let file = put(&seat, &text);
    seat.ok(&["connector", "check", file.to_str().expect("UTF-8")]);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    seat.ok(&["add", "client", "A"]);
    seat.run(&["edit", "A", "--secret-stdin", "password"], "of the folder").ended(0);
    seat.ok(&["add", "trace", "A/t"]);
    seat.run(&["connect", "A/t"], "yes\n").ended(0);
    assert_eq!(fs::read_to_string(&got).expect("it ran"), "", "its folder's is not its own");
    seat.run(&["edit", "A/t", "--secret-stdin", "password"], "own").ended(0);
    seat.run(&["edit", "A/t", "--secret-stdin", "custom:pin"], "4711").ended(0);
    seat.ok(&["connect", "A/t"]);
    assert_eq!(fs::read_to_string(&got).expect("it ran"), "own\n4711\n");
    let log = seat.ok(&["audit", "log", "--event", "secret.filled", "--json"]).out;
    assert!(log.contains("custom:pin") && log.contains("password"), "{log}");
}
