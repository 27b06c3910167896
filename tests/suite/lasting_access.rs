//! What outlives the moment in which a vault lies open: a kit, another computer,
//! an older file put in its place, another file altogether.

use std::path::Path;

use serde_json::Value;

use super::cli_kit::{PASSWORD, Seat, copy};
use super::cli_refusals::two_parts;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The lines of the log of one kind.
fn lines(seat: &Seat, event: &str) -> Vec<Value> {
    let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
    log["lines"].as_array().expect("a list").clone()
}

#[test]
fn an_open_vault_alone_gives_no_kit_no_other_computer_and_no_member() {
    let mut seat = Seat::unlocked();
    let acts: [(&[&str], &str); 5] = [
        (&["kit"], "recovery kit"),
        (&["member", "invite", "eve", "--role", "owner"], "an invitation"),
        (&["device", "add", "portable"], "another computer"),
        (&["passwd"], "own password"),
        (&["totp-reset"], "own phone"),
    ];
    for (args, act) in acts {
        // Nothing was refused: the input is what is missing.
        let nothing = seat.run(args, "").ended(2);
        two_parts(&nothing);
        assert!(nothing.out.is_empty(), "{}", nothing.out);
        let wrong = format!("not the password\n000000\n{PASSWORD}\n{PASSWORD}\n");
        let refused = seat.run(args, &wrong).ended(3);
        two_parts(&refused);
        assert!(refused.out.is_empty(), "{}", refused.out);
        let refusals = lines(&seat, "vault.unlock-refused");
        let last = refusals.last().expect("it is logged");
        assert_eq!(last["ok"], false);
        assert!(!last["actor"].is_null(), "{last}");
        let detail = last["fields"]["detail"].as_str().expect("it says what for");
        assert!(detail.contains(act), "{detail}");
    }
    assert_eq!(lines(&seat, "vault.unlock-refused").len(), acts.len());
    assert!(lines(&seat, "member.factor-changed").is_empty());
    assert!(lines(&seat, "member.invited").is_empty());
    // By the agent and without it: asked once, and what unlocks is proof enough.
    let factors = seat.factors();
    assert_eq!(seat.run(&["kit"], &factors).ended(0).out.trim().len(), 44);
    // A code serves once.
    seat.run(&["kit"], &factors).ended(3);
    seat.ok(&["lock"]);
    let factors = seat.factors();
    assert_eq!(seat.run(&["kit"], &factors).ended(0).out.trim().len(), 44);
    assert_eq!(seat.invite("eve", "owner", &[]).len(), 44);
}

#[test]
fn an_older_copy_is_noticed_by_a_code_too_and_opens_once_confirmed() {
    let mut seat = Seat::locked();
    let vault = seat.vault();
    let old = seat.home.path().join("old");
    copy(&vault, &old);
    let factors = seat.factors();
    seat.run(&["add", "client", "New"], &factors).ended(0);
    copy(&old, &vault);
    let before = std::fs::read(&vault).expect("reads");
    let refused = seat.recover().ended(7);
    two_parts(&refused);
    assert!(refused.err.contains("--accept-older"), "{}", refused.err);
    let code = seat.code();
    let given = format!("{}\n{PASSWORD}\n{PASSWORD}\n{code}\n", seat.kit);
    two_parts(&seat.run(&["device", "enrol"], &given).ended(7));
    assert_eq!(std::fs::read(&vault).expect("reads"), before, "nothing was written");
    seat.recover_with(&["--accept-older"]).ended(0);
    // Confirmed once, it is not asked again.
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    assert_eq!(lines(&seat, "vault.older-accepted").len(), 1);
}

#[test]
fn an_invitation_is_not_accepted_into_an_older_copy_unnoticed() {
    let mut seat = Seat::unlocked();
    let code = seat.invite("bruno", "technician", &[]);
    let (vault, old) = (seat.vault(), seat.home.path().join("old"));
    copy(&vault, &old);
    seat.ok(&["add", "client", "New"]);
    seat.ok(&["lock"]);
    copy(&old, &vault);
    let given = format!("{code}\n{PASSWORD}\n{PASSWORD}\n");
    let refused = seat.run(&["--member", "bruno", "member", "accept"], &given).ended(7);
    two_parts(&refused);
    assert!(refused.err.contains("--accept-older"), "{}", refused.err);
}

#[test]
fn a_backup_of_another_vault_takes_no_place() {
    let (seat, other) = (Seat::locked(), Seat::locked());
    let vault = seat.vault();
    let (before, theirs) = (std::fs::read(&vault).expect("reads"), other.vault());
    // Before anything is asked.
    let refused = seat.run(&["backup", "--restore", text(&theirs)], "").ended(1);
    two_parts(&refused);
    assert!(refused.err.contains("another vault"), "{}", refused.err);
    assert!(refused.err.contains("--vault"), "{}", refused.err);
    assert_eq!(std::fs::read(&vault).expect("reads"), before);
    let folder = std::fs::read_dir(vault.parent().expect("its folder")).expect("reads");
    assert_eq!(folder.count(), 1, "nothing came beside it");
}

#[test]
fn backing_up_and_restoring_touch_no_file_of_another_name() {
    let mut seat = Seat::unlocked();
    let folder = seat.home.path().to_owned();
    let vault = seat.vault();
    let mine = [folder.join("film.part"), vault.with_extension("restoring")];
    for file in &mine {
        std::fs::write(file, "precious").expect("ours");
    }
    let made = folder.join("film.bak");
    seat.ok(&["backup", "--out", text(&made)]);
    seat.ok(&["backup", "--out", text(&folder.join("x.part"))]);
    seat.ok(&["lock"]);
    let factors = seat.factors();
    seat.run(&["backup", "--restore", text(&made)], &factors).ended(0);
    for file in &mine {
        assert_eq!(std::fs::read_to_string(file).expect("it is there"), "precious");
    }
    for folder in [folder.as_path(), vault.parent().expect("its folder")] {
        let names = std::fs::read_dir(folder).expect("reads").flatten();
        let names: Vec<_> = names.map(|e| e.file_name().into_string().expect("UTF-8")).collect();
        assert!(!names.iter().any(|n| n.starts_with(".poterne-")), "{names:?}");
    }
}

#[test]
fn an_agent_notices_that_another_file_is_at_its_place() {
    let seat = Seat::unlocked();
    let (vault, other) = (seat.vault(), seat.home.path().join("other"));
    copy(&vault, &other);
    std::fs::rename(&other, &vault).expect("ours");
    let before = std::fs::read(&vault).expect("reads");
    let said = seat.run(&["add", "client", "X"], "").ended(3);
    two_parts(&said);
    assert!(said.err.contains("replaced"), "{}", said.err);
    assert_eq!(seat.ok(&["--json", "status"]).json()["unlocked"], false);
    assert_eq!(std::fs::read(&vault).expect("reads"), before);
}

#[test]
fn pages_behind_the_end_of_the_file_are_reported() {
    use std::io::Write;
    let mut seat = Seat::locked();
    let mut file = std::fs::File::options().append(true).open(seat.vault()).expect("ours");
    file.write_all(&[b'x'; 2048]).expect("there is room");
    drop(file);
    for more in [&["--read-only"][..], &[]] {
        let factors = seat.factors();
        let report = seat.run(&[&["--json"][..], more, &["check"]].concat(), &factors).ended(7);
        let report = report.json();
        let faults = report["faults"].as_array().expect("a list");
        assert_eq!(faults.len(), 1, "{faults:?}");
        assert!(faults[0].as_str().is_some_and(|f| f.contains("after its last page")));
    }
}

#[test]
fn an_owner_is_listed_with_every_client() {
    let seat = Seat::unlocked();
    let list = seat.ok(&["--json", "member", "list"]).json();
    assert_eq!(list["members"][0]["all_clients"], true);
}

#[test]
fn an_empty_new_password_is_refused_without_a_number_that_is_none() {
    let seat = Seat::empty();
    let ran = seat.run(&["init"], "\n\n").ended(2);
    assert!(!ran.err.contains("inf"), "{}", ran.err);
    let rated = seat.run(&["--json", "generate", "--rate"], "\n").ended(0).json();
    assert_eq!(rated["guesses_log10"], 0.0);
}
