//! Output that cannot be written: told, and never the end of a secret that was
//! good so far.

use std::fs::File;
use std::process::Command;

use super::cli_kit::{PASSWORD, Ran, Seat, finish};
use super::cli_refusals::two_parts;

/// Runs the command with a standard output that takes nothing.
fn into_full(mut command: Command, input: &str) -> Ran {
    command.stdout(File::options().write(true).open("/dev/full").expect("Linux has it"));
    finish(command, input)
}

/// Runs the command with a standard output whose reader is gone.
fn into_closed(mut command: Command, input: &str) -> Ran {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    command.stdout(writer);
    finish(command, input)
}

/// How often a factor was changed.
fn changes(seat: &Seat) -> usize {
    let log = seat.ok(&["--json", "audit", "log", "--event", "member.factor-changed"]).json();
    log["lines"].as_array().expect("an array").len()
}

#[test]
fn output_that_cannot_be_written_ends_with_1() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.run(&["add", "credential", "A/c", "--secret-stdin", "password"], "geheim").ended(0);
    for args in [
        &["generate"][..],
        &["ls"],
        &["--json", "ls"],
        &["show", "A/c", "--field", "password", "--reveal"],
        &["audit", "log"],
        &["--help"],
        &["--version"],
        &["completions", "bash"],
    ] {
        let full = into_full(seat.command(args), "").ended(1);
        assert!(full.err.contains("cannot be written"), "{}", full.err);
        if args[0] != "--json" {
            two_parts(&full);
        }
        let closed = into_closed(seat.command(args), "").ended(0);
        assert!(!closed.err.contains("written"), "{args:?}: {}", closed.err);
    }
}

#[test]
fn a_secret_that_was_not_printed_does_not_take_effect() {
    let mut seat = Seat::empty();
    let twice = format!("{PASSWORD}\n{PASSWORD}\n");
    let init = ["init", "--kdf-memory", "64"];
    two_parts(&into_full(seat.command(&init), &twice).ended(1));
    two_parts(&into_closed(seat.command(&init), &twice).ended(1));
    assert!(!seat.vault().exists());
    seat.init(&[]).ended(0);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    let kit = format!("{}\n{twice}", seat.kit);
    for into in [into_full, into_closed] {
        let factors = seat.factors();
        two_parts(&into(seat.command(&["totp-reset"]), &factors).ended(1));
        two_parts(&into(seat.command(&["recover"]), &kit).ended(1));
    }
    assert_eq!(changes(&seat), 0);
}

#[test]
fn a_kit_that_was_not_printed_does_not_take_effect() {
    let mut seat = Seat::unlocked();
    let kit = format!("{}\n{PASSWORD}\n{PASSWORD}\n", seat.kit);
    let factors = seat.factors();
    two_parts(&into_full(seat.command(&["kit"]), &factors).ended(1));
    let factors = seat.factors();
    into_closed(seat.command(&["--json", "kit"]), &factors).ended(1);
    assert_eq!(changes(&seat), 0);
    let factors = seat.factors();
    assert_eq!(seat.run(&["kit"], &factors).ended(0).out.trim().len(), 44);
    assert_eq!(changes(&seat), 1);
    // The old kit no longer opens.
    seat.run(&["recover"], &kit).ended(3);
}

/// Set in the process of this test that is to panic.
const PANICS: &str = "POTERNE_TEST_PANICS";

#[test]
fn a_panic_with_json_is_one_document_without_its_words() {
    if std::env::var_os(PANICS).is_some() {
        poterne::cli::report_panics(poterne::model::lang::Lang::En, true);
        panic!("geheim");
    }
    let mut again = Command::new(std::env::current_exe().expect("it runs"));
    let name = "cli_output::a_panic_with_json_is_one_document_without_its_words";
    again.args(["--exact", "--nocapture", name]).env(PANICS, "1");
    let out = again.output().expect("it starts");
    assert!(!out.status.success());
    let told: serde_json::Value = serde_json::from_slice(&out.stderr).expect("one document");
    assert_eq!((&told["error"]["exit"], &told["error"]["code"]), (&1.into(), &"other".into()));
    let what = told["error"]["what"].as_str().expect("what happened");
    assert!(what.contains("defect of the program") && what.contains("cli_output.rs"), "{what}");
    assert!(!String::from_utf8_lossy(&out.stderr).contains("geheim"));
}
