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
    let seat = Seat::unlocked();
    let invite = ["--json", "member", "invite", "bruno", "--role", "technician"];
    let code = seat.ok(&invite).json()["invitation"].as_str().expect("a code").to_owned();
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
