//! What a person slips at on the command line: told with the right words, and
//! nothing is stored, shown or replaced by it.

use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::cli_kit::{Ran, Seat, copy};
use super::cli_refusals::two_parts;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Two parts, with this in them.
#[track_caller]
fn told(ran: &Ran, words: &[&str]) {
    two_parts(ran);
    for word in words {
        assert!(ran.err.contains(word), "{word}: {}", ran.err);
    }
}

#[test]
fn an_input_that_ends_early_sends_nobody_to_unlock_where_that_would_not_help() {
    let seat = Seat::locked();
    let ended = |args: &[&str], status| {
        let ran = seat.run(args, "").ended(status);
        told(&ran, &["ended before the answer", "one line per answer"]);
        ran.err.contains("poterne unlock")
    };
    // An agent answers for the first alone: the others ask beside one too.
    assert!(ended(&["tree"], 3));
    let older = seat.home.path().join("older.poterne");
    copy(&seat.vault(), &older);
    let restore = ["backup", "--restore", text(&older)];
    for proof in [&["passwd"][..], &["kit"], &["totp-reset"], &["unlock"], &restore] {
        assert!(!ended(proof, 3), "{proof:?}");
    }
    let mut seat = seat;
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    // The agent of one member is in the way of another's.
    let other = seat.run(&["--member", "nobody", "tree"], "").ended(3);
    assert!(!other.err.contains("poterne unlock"), "{}", other.err);
    for proof in [&["passwd"][..], &["kit"], &["totp-reset"], &["device", "add"]] {
        let ran = seat.run(proof, "").ended(2);
        assert!(!ran.err.contains("poterne unlock"), "{}", ran.err);
    }
}

#[test]
fn an_export_replaces_no_pipe_and_no_link() {
    let seat = Seat::unlocked();
    let (pipe, link) = (seat.home.path().join("pipe"), seat.home.path().join("link"));
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("coreutils");
    assert!(made.success());
    std::fs::write(seat.home.path().join("file"), "x").expect("ours");
    std::os::unix::fs::symlink(seat.home.path().join("file"), &link).expect("ours");
    for out in [&pipe, &link] {
        for format in ["csv", "bundle", "pdf"] {
            let args = ["audit", "export", "--format", format, "--force", "--out", text(out)];
            told(&seat.run(&args, "").ended(1), &["no regular file"]);
        }
        let before = std::fs::symlink_metadata(out).expect("it is still there").file_type();
        assert!(before.is_fifo() || before.is_symlink());
    }
}

#[test]
fn unlock_of_an_unlocked_vault_tells_another_member_and_takes_another_time() {
    let seat = Seat::unlocked();
    let status = seat.ok(&["--json", "unlock"]).json();
    let member = status["member"].as_str().expect("a name");
    seat.ok(&["--member", &member.to_uppercase(), "unlock"]);
    let other = seat.run(&["--member", "nobody", "unlock"], "").ended(1);
    told(&other, &["unlocked by", member, "poterne lock"]);
    seat.ok(&["unlock", "--timeout", "1s"]);
    let limit = Instant::now() + Duration::from_secs(60);
    // To ask how it is does not keep it open.
    while seat.ok(&["--json", "status"]).json()["unlocked"] == true {
        assert!(Instant::now() < limit, "it stayed unlocked");
    }
}

#[test]
fn a_mistyped_or_empty_secret_is_not_stored() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let add = |field: &str, input| {
        seat.run(&["add", "credential", "A/c", "--secret-stdin", field], input)
    };
    told(&add("pasword", "x").ended(2), &["“pasword”", "password, private-key", "custom:NAME"]);
    told(&add("custom:", "x").ended(2), &["custom:NAME"]);
    let ask = ["add", "credential", "A/c", "--secret-ask", "pasword"];
    told(&seat.run(&ask, "x\n").ended(2), &["“pasword”"]);
    for (field, empty) in [("password", ""), ("password", "\n"), ("notes", ""), ("custom:pin", "")]
    {
        told(&add(field, empty).ended(2), &["empty", "--clear"]);
    }
    let ask = ["add", "credential", "A/c", "--secret-ask", "password"];
    told(&seat.run(&ask, "\n").ended(2), &["empty"]);
    seat.run(&["show", "A/c"], "").ended(4);
    add("custom:pin", "1234").ended(0);
    // A field of one's own that is there already.
    seat.run(&["edit", "A/c", "--secret-stdin", "pin"], "4321").ended(0);
    let wrong = seat.run(&["edit", "A/c", "--secret-stdin", "pinn"], "1").ended(2);
    told(&wrong, &["“pinn”", "custom:pin"]);
    let shown = seat.ok(&["show", "A/c", "--field", "custom:pin", "--reveal"]);
    assert_eq!(shown.out, "4321\n");
}

#[test]
fn a_secret_given_as_a_flag_is_not_repeated_and_its_place_is_said() {
    let seat = Seat::empty();
    for (flags, slot) in [
        (&["--password", "geheim"][..], "password"),
        (&["--password=geheim"], "password"),
        (&["--private-key", "geheim"], "private-key"),
        (&["--passphrase", "geheim"], "passphrase"),
    ] {
        for (command, kind) in [("add", &["ssh"][..]), ("edit", &[])] {
            let args = [&[command][..], kind, &["A/s"], flags].concat();
            let ran = seat.run(&args, "").ended(2);
            told(&ran, &[&format!("--secret-ask {slot}"), &format!("--secret-stdin {slot}")]);
            assert!(!ran.err.contains("geheim"), "{}", ran.err);
        }
    }
    // Elsewhere nobody can give one.
    let ran = seat.run(&["ls", "--password", "x"], "").ended(2);
    assert!(!ran.err.contains("--secret-ask"), "{}", ran.err);
}

#[test]
fn what_a_command_lacks_is_named_without_a_word_too_much() {
    let seat = Seat::empty();
    let ran = seat.run(&["find"], "").ended(2);
    told(&ran, &["Missing: <QUERY>.\n"]);
    told(&seat.run(&["find", "--limit", "0", "x"], "").ended(2), &["from 1 on"]);
    let ran = seat.run(&["audit", "verify", "nowhere.zip"], "").ended(4);
    told(&ran, &["There is no bundle at nowhere.zip."]);
    assert!(!ran.err.contains("free space"), "{}", ran.err);
}

#[test]
fn the_log_knows_its_names() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "Ménard"]);
    seat.ok(&["add", "note", "Ménard/n"]);
    seat.ok(&["mv", "Ménard", "Dupont"]);
    let lines = |args: &[&str]| {
        let ran = seat.ok(&[&["--json", "audit", "log"][..], args].concat());
        (ran.json()["lines"].as_array().expect("an array").len(), ran.err)
    };
    let (old, _) = lines(&["--client", "Ménard"]);
    assert!(old >= 2);
    for name in ["menard", "MÉNARD", "me\u{301}nard"] {
        assert_eq!(lines(&["--client", name]).0, old, "{name}");
    }
    let (both, said) = lines(&["--client", "dupont"]);
    assert!(both > old && said.contains("Ménard"), "{both} {said}");
    assert!(lines(&["--text", "menard"]).0 >= old);
    let out = seat.home.path().join("journal.csv");
    for wrong in [["--by", "nobody"], ["--client", "Nobody"]] {
        told(&seat.run(&[&["audit", "log"][..], &wrong].concat(), "").ended(4), &["obody"]);
        let export = ["audit", "export", "--format", "csv", "--out", text(&out)];
        told(&seat.run(&[&export[..], &wrong].concat(), "").ended(4), &["obody"]);
        assert!(!out.exists());
    }
    let export = ["audit", "export", "--format", "csv", "--out", text(&out)];
    let ran = seat.ok(&[&export[..], &["--client", "Dupont"]].concat());
    assert!(ran.err.contains("Ménard"), "{}", ran.err);
    let written = std::fs::read_to_string(&out).expect("it was written");
    assert!(written.contains("Ménard") && written.contains("Dupont"), "{written}");
    // A client that is gone is in the log all the same.
    seat.ok(&["rm", "Dupont"]);
    seat.ok(&["rm", "Dupont", "--forever"]);
    assert!(lines(&["--client", "Dupont"]).0 > 0);
}

#[test]
fn the_advice_is_about_what_was_named() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "note", "A/n"]);
    let status = seat.ok(&["--json", "status"]).json();
    let me = status["member"].as_str().expect("a name");
    let zero = "0".repeat(32);
    for (args, code, words) in [
        (&["member", "role", "nobody", "--role", "auditor"][..], 4, "poterne member list"),
        (&["member", "remove", "nobody"], 4, "poterne member list"),
        (
            &["member", "invite", "ida", "--role", "technician", "--client", "Nope"],
            4,
            "client “Nope”",
        ),
        (&["device", "remove", &zero], 4, "poterne device list"),
        (&["restore", "A/n", "--version", "999"], 4, "poterne history"),
        (&["member", "role", me, "--role", "auditor"], 5, "last owner"),
        (&["add", "client", "Z/b"], 2, "top level"),
        (&["add", "client", "A/b"], 2, "top level"),
    ] {
        // What is refused all the same is refused before any factor is looked at.
        let ran = seat.run(args, "x\n000000\n").ended(code);
        told(&ran, &[words]);
        assert!(!ran.err.contains("poterne find"), "{}", ran.err);
    }
}

#[test]
fn doctor_looks_at_the_vault() {
    let seat = Seat::locked();
    seat.ok(&["doctor"]);
    let file = seat.home.path().join("damaged.poterne");
    let on = |code, damage: &dyn Fn(&Path)| {
        copy(&seat.vault(), &file);
        damage(&file);
        let ran = seat.run(&["--json", "--vault", text(&file), "doctor"], "").ended(code);
        let vault = ran.json()["findings"][0].clone();
        assert_eq!((&vault["name"], &vault["good"]), (&"vault".into(), &false.into()));
        let plain = seat.run(&["--vault", text(&file), "doctor"], "").ended(code);
        assert!(plain.out.starts_with("! vault"), "{}", plain.out);
    };
    on(7, &|file| std::fs::write(file, "").expect("ours"));
    on(7, &|file| {
        let bytes = std::fs::read(file).expect("ours");
        std::fs::write(file, &bytes[..bytes.len() / 2]).expect("ours");
    });
    on(1, &|file| std::fs::write(file, [b'x'; 300]).expect("ours"));
    on(1, &|file| {
        let vault = rusqlite::Connection::open(file).expect("ours");
        vault.pragma_update(None, "user_version", 999).expect("SQL");
        vault.execute("update vault set format = 999", []).expect("SQL");
    });
}

#[test]
fn a_missing_subcommand_and_a_missing_answer_are_wrong_use() {
    let seat = Seat::empty();
    for command in ["audit", "member", "device"] {
        let ran = seat.run(&["--json", command], "").ended(2);
        assert_eq!(ran.out, "");
        let error: serde_json::Value = serde_json::from_str(&ran.err).expect("one document");
        assert_eq!(error["error"]["exit"], 2);
    }
    let seat_with = Seat::locked();
    for (seat, args) in [
        (&seat, &["init"][..]),
        (&seat_with, &["member", "accept"]),
        (&seat_with, &["recover"]),
        (&seat_with, &["device", "enrol"]),
    ] {
        let ran = seat.run(args, "").ended(2);
        two_parts(&ran);
        assert!(!ran.err.contains("unlock"), "{}", ran.err);
    }
}

#[test]
fn a_stale_edit_names_what_was_touched_even_if_it_is_as_before() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "ssh", "A/e", "--host", "un"]);
    seat.ok(&["edit", "A/e", "--host", "deux"]);
    seat.ok(&["edit", "A/e", "--host", "un"]);
    let stale = ["edit", "A/e", "--user", "paul", "--expected-version"];
    told(&seat.run(&[&stale[..], &["1"]].concat(), "").ended(1), &["(host)"]);
    let none = seat.run(&[&stale[..], &["77"]].concat(), "").ended(1);
    two_parts(&none);
    assert!(!none.err.contains("()"), "{}", none.err);
}

#[test]
fn a_version_that_does_not_exist_yet_is_said_to() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "Dupont"]);
    seat.ok(&["edit", "Dupont", "--description", "x"]);
    let ran = seat.run(&["edit", "Dupont", "--expected-version", "999"], "").ended(1);
    told(&ran, &["no version 999", "at version 2"]);
}

#[test]
fn the_version_flag_and_the_version_to_restore_are_told_apart() {
    let seat = Seat::unlocked();
    let help = seat.ok(&["--lang", "fr", "--help"]).out;
    let line = help.lines().find(|l| l.contains("--version")).expect("the flag");
    assert!(line.contains("Affiche la version"), "{line}");
    assert!(
        seat.ok(&["--lang", "fr", "restore", "--help"]).out.contains("Revient à cette version")
    );
}

#[test]
fn a_field_of_ones_own_hides_no_field_secret_or_setting() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.run(&["add", "ssh", "A/e", "--host", "h", "--secret-stdin", "password"], "geheim")
        .ended(0);
    for name in ["password", "notes", "host", "tags", "directory", "login-url", "id"] {
        let own = format!("{name}=cleartext");
        let ran = seat.run(&["edit", "A/e", "--custom", &own], "").ended(2);
        told(&ran, &["cannot be called", name]);
        let secret = format!("custom:{name}");
        let ran = seat.run(&["edit", "A/e", "--secret-stdin", &secret], "x").ended(2);
        told(&ran, &["cannot be called", name]);
    }
    told(&seat.run(&["edit", "A", "--custom", "code=1"], "").ended(2), &["cannot be called"]);
    seat.ok(&["edit", "A/e", "--custom", "code=1", "--custom", "Password=x"]);
    assert_eq!(seat.ok(&["show", "A/e", "--field", "custom:code"]).out, "1\n");
    assert_eq!(seat.ok(&["show", "A/e", "--field", "password", "--reveal"]).out, "geheim\n");
    seat.ok(&["edit", "A/e", "--clear", "custom:code"]);
    seat.run(&["show", "A/e", "--field", "code"], "").ended(4);
}

#[test]
fn what_makes_no_sense_together_is_wrong_use() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "web", "A/web", "--host", "https://h"]);
    for args in [
        &["find", "web", "--limit", "0"][..],
        &["edit", "A/web", "--tag", ""],
        &["generate", "--capitals"],
        &["generate", "--separator", "_"],
        &["generate", "--no-digits", "--words"],
        &["generate", "--no-digits", "--pattern", "lll"],
        &["show", "A/web", "--field", "host", "--attachment", "x", "--out", "y"],
        &["audit", "export", "--format", "csv", "--out", "-"],
        &["backup", "--out", "-"],
    ] {
        two_parts(&seat.run(args, "").ended(2));
    }
    seat.ok(&["generate", "--words", "--separator", "_", "--capitals"]);
    let inside = seat.run(&["add", "ssh", "A/web/sub", "--host", "h"], "").ended(2);
    told(&inside, &["“A/web” is no folder"]);
    seat.ok(&["add", "ssh", "A/x", "--host", "h"]);
    told(&seat.run(&["mv", "A/x", "A/web/x"], "").ended(2), &["“A/web” is no folder"]);
}
