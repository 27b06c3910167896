//! What the command line refuses, with which exit code, and that it always
//! says what happened and what to do, without a word too much.

use std::path::Path;

use super::cli_kit::{PASSWORD, Ran, Seat, copy};

/// Two parts, in words: what happened, and what to do.
#[track_caller]
pub fn two_parts(ran: &Ran) {
    let lines: Vec<&str> = ran.err.trim().lines().collect();
    let (last, before) = lines.split_last().expect("something was said");
    assert!(last.starts_with('→') && last.len() > 10, "{}", ran.err);
    assert!(!before.is_empty(), "{}", ran.err);
    assert!(!ran.err.contains("panicked"), "{}", ran.err);
}

#[test]
fn every_wrong_factor_gets_the_same_words() {
    let mut seat = Seat::locked();
    let good = seat.factors();
    let code = seat.code();
    let wrong_code = if code == "000000" { "000001" } else { "000000" };
    let wrong_password = seat.run(&["ls"], &format!("not it\n{code}\n")).ended(3);
    let wrong_code = seat.run(&["ls"], &format!("{PASSWORD}\n{wrong_code}\n")).ended(3);
    two_parts(&wrong_password);
    seat.run(&["ls"], &good).ended(0);
    // Another process, the same code.
    let used = seat.run(&["ls"], &good).ended(3);
    assert_eq!(wrong_password.err, wrong_code.err);
    assert_eq!(wrong_password.err, used.err);
    let agent = seat.run(&["unlock"], &good).ended(3);
    assert_eq!(agent.err, used.err);
    let ended = seat.run(&["ls"], "").ended(3);
    two_parts(&ended);
    let json = seat.run(&["--json", "ls"], &good).ended(3);
    assert!(json.out.is_empty());
    let document: serde_json::Value = serde_json::from_str(&json.err).expect("one document");
    assert_eq!(document["error"]["exit"], 3);
    assert_eq!(document["error"]["code"], "locked");
}

#[test]
fn a_member_of_another_name_is_refused_like_any_wrong_factor() {
    let mut seat = Seat::locked();
    let factors = seat.factors();
    let other = seat.run(&["--member", "nobody", "ls"], &factors).ended(3);
    let wrong = seat.run(&["ls"], "not it\n123456\n").ended(3);
    assert_eq!(other.err, wrong.err);
}

#[test]
fn init_refuses_two_different_passwords_a_wrong_code_and_a_wrong_kit() {
    let mut seat = Seat::empty();
    two_parts(&seat.run(&["init"], "one\ntwo\n").ended(2));
    assert!(!seat.vault().exists());
    seat.run(&["init", "--kdf-memory", "64"], &format!("{PASSWORD}\n{PASSWORD}\n000000\n"))
        .ended(3);
    assert!(!seat.vault().exists(), "nothing is left behind");
    // Before anything is asked: no answer is needed.
    two_parts(&seat.run(&["init", "--kdf-memory", "8"], "").ended(2));
    two_parts(&seat.run(&["init", "--kdf-memory", "5000"], "").ended(2));
    seat.init(&["--kit-confirmed"]).ended(0);
    assert_eq!(seat.kit.len(), 44, "it is printed all the same");
    // A second one does not overwrite the first.
    two_parts(&seat.run(&["init"], "").ended(1));
}

#[test]
fn wrong_use_ends_with_2_and_missing_things_with_4() {
    let seat = Seat::empty();
    for args in [
        &["frobnicate"][..],
        &["ls", "--frobnicate"],
        &["generate", "--length", "many"],
        &["generate", "--length", "2"],
        &["audit", "export", "--format", "xml", "--out", "x"],
        &["unlock", "--timeout", "soon"],
        &["--lang", "de", "ls"],
    ] {
        two_parts(&seat.run(args, "").ended(2));
    }
    for args in [&["ls"][..], &["status"], &["unlock"], &["check"]] {
        two_parts(&seat.run(args, "").ended(4));
    }
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    two_parts(&seat.run(&["show", "A/none"], "").ended(4));
    two_parts(&seat.run(&["connect", "A/none"], "").ended(4));
    two_parts(&seat.run(&["add", "ssh", "None/e"], "").ended(4));
    two_parts(&seat.run(&["add", "frob", "A/e"], "").ended(2));
    two_parts(&seat.run(&["add", "note", "A/e", "--keepalive", "3"], "").ended(2));
    two_parts(&seat.run(&["add", "ssh", "A/e", "--keepalive", "often"], "").ended(2));
    two_parts(&seat.run(&["restore", "A/e"], "").ended(4));
}

#[test]
fn a_ticket_and_a_reason_are_asked_for_where_the_client_says_so() {
    let seat = Seat::unlocked();
    let strict = ["--ticket-pattern", "T-[0-9]+", "--ticket-required", "--reason-required"];
    seat.ok(&[&["add", "client", "A"][..], &strict].concat());
    seat.run(&["add", "credential", "A/c", "--user", "u", "--secret-stdin", "password"], "geheim")
        .ended(0);
    let show = ["show", "A/c", "--field", "password", "--reveal"];
    let with = |more: &[&str]| seat.run(&[&show[..], more].concat(), "");
    two_parts(&with(&[]).ended(5));
    two_parts(&with(&["--ticket", "T-1"]).ended(5));
    two_parts(&with(&["--ticket", "wrong", "--reason", "r"]).ended(5));
    let shown = with(&["--ticket", "T-1", "--reason", "moved offices"]).ended(0);
    assert_eq!(shown.out, "geheim\n");
    let log = seat.ok(&["--json", "audit", "log", "--event", "secret.revealed"]).json();
    let last = log["lines"].as_array().and_then(|lines| lines.last()).cloned().expect("a line");
    assert_eq!(last["fields"]["ticket"], "T-1");
    assert_eq!(last["fields"]["reason"], "moved offices");
}

#[test]
fn an_export_needs_the_ticket_of_each_client_whose_lines_it_holds() {
    let seat = Seat::unlocked();
    let rule = |form| ["--ticket-pattern", form, "--ticket-required", "--reason-required"];
    seat.ok(&[&["add", "client", "Ménard"][..], &rule("MEN-[0-9]+")].concat());
    seat.ok(&[&["add", "client", "Dupont"][..], &rule("DUP-[0-9]+")[..3]].concat());
    seat.ok(&["add", "client", "Libre"]);
    seat.ok(&["add", "client", "Ancien"]);
    seat.ok(&["add", "note", "Ancien/n"]);
    seat.ok(&["mv", "Ancien", "Nouveau"]);
    seat.ok(&[&["edit", "Nouveau"][..], &rule("NOU-[0-9]+")[..3]].concat());
    let out = seat.home.path().join("journal.csv");
    let export = |more: &[&str]| {
        let _ = std::fs::remove_file(&out);
        let base = ["audit", "export", "--format", "csv", "--out", out.to_str().expect("UTF-8")];
        let ran = seat.run(&[&base[..], more].concat(), "");
        assert_eq!(out.exists(), ran.status == 0, "{}", ran.err);
        ran
    };
    let exports = || {
        let log = seat.ok(&["--json", "audit", "log", "--event", "data.exported"]).json();
        log["lines"].as_array().expect("an array").clone()
    };
    for refused in [
        &[][..],
        &["--client", "Ménard"],
        &["--client", "Ménard", "--ticket", "MEN-1"],
        &["--client", "Ménard", "--reason", "contrôle"],
        &["--client", "Ménard", "--ticket", "DUP-1", "--reason", "contrôle"],
        &["--client", "Ménard", "--client", "Dupont", "--ticket", "MEN-1", "--reason", "r"],
        // The lines written before it was renamed.
        &["--client", "Ancien"],
    ] {
        two_parts(&export(refused).ended(5));
    }
    assert!(exports().is_empty(), "what did not happen is not logged as done");
    // Neither these lines nor this client's are any of theirs.
    export(&["--client", "Libre"]).ended(0);
    export(&["--event", "vault.created"]).ended(0);
    export(&["--client", "Ménard", "--ticket", "MEN-1", "--reason", "contrôle"]).ended(0);
    let last = exports().pop().expect("a line");
    assert_eq!(last["fields"]["ticket"], "MEN-1");
    assert_eq!(last["fields"]["reason"], "contrôle");
    assert_eq!(last["fields"]["client"], "Ménard");
    export(&["--ticket", "MEN-1, DUP-22 NOU-3", "--reason", "contrôle annuel"]).ended(0);
    assert_eq!(exports().pop().expect("a line")["fields"]["ticket"], "MEN-1, DUP-22 NOU-3");
}

#[test]
fn an_auditor_without_any_clients_key_gives_the_tickets_too() {
    let mut seat = Seat::empty();
    seat.init(&["--portable"]).ended(0);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    let rule = |form| ["--ticket-pattern", form, "--ticket-required"];
    seat.ok(&[&["add", "client", "Dupont"][..], &rule("DUP-[0-9]+")].concat());
    seat.ok(&["add", "client", "Ménard"]);
    seat.ok(&["edit", "Ménard", "--ticket-required", "--reason-required"]);
    seat.ok(&["add", "client", "Libre"]);
    let code = seat.invite("alice", "auditor", &[]);
    let alice = Seat::invited(&seat, "alice", &code);
    let out = alice.home.path().join("journal.csv");
    let export = |more: &[&str]| {
        let _ = std::fs::remove_file(&out);
        let base = ["audit", "export", "--format", "csv", "--out", out.to_str().expect("UTF-8")];
        let ran = alice.run(&[&base[..], more].concat(), "");
        assert_eq!(out.exists(), ran.status == 0, "{}", ran.err);
        ran
    };
    for refused in [
        &[][..],
        &["--client", "Dupont"],
        &["--client", "Dupont", "--ticket", "MEN-1"],
        &["--client", "Ménard", "--ticket", "MEN-1"],
        &["--ticket", "DUP-1"],
    ] {
        two_parts(&export(refused).ended(5));
    }
    export(&["--client", "Libre"]).ended(0);
    export(&["--event", "vault.created"]).ended(0);
    export(&["--client", "Dupont", "--ticket", "DUP-1"]).ended(0);
    export(&["--ticket", "DUP-1", "--reason", "contrôle"]).ended(0);
    // A rule that was taken back holds nothing up, nor does one of a client long gone.
    seat.ok(&["edit", "Ménard", "--ticket-required=no", "--reason-required=no"]);
    export(&["--client", "Ménard"]).ended(0);
    seat.ok(&["mv", "Dupont", "Durand"]);
    two_parts(&export(&["--client", "Durand"]).ended(5));
    export(&["--client", "Durand", "--ticket", "DUP-2"]).ended(0);
    seat.ok(&["rm", "Durand"]);
    seat.ok(&["rm", "Durand", "--forever"]);
    export(&["--client", "Durand"]).ended(0);
}

#[test]
fn no_home_folder_is_said_and_named_files_still_work() {
    let mut seat = Seat::locked();
    let mut homeless = seat.command(&["status"]);
    homeless.env_remove("HOME");
    two_parts(&super::cli_kit::finish(homeless, "").ended(1));
    let mut homeless = seat.command(&["doctor"]);
    homeless.env_remove("HOME").env_remove("XDG_RUNTIME_DIR");
    super::cli_kit::finish(homeless, "").ended(0);
    let mut named = seat.command(&["status"]);
    named.env_remove("HOME").env("POTERNE_VAULT", seat.vault());
    super::cli_kit::finish(named, "").ended(0);
    let factors = seat.factors();
    let mut named = seat.command(&["ls"]);
    named
        .env_remove("HOME")
        .env("POTERNE_VAULT", seat.vault())
        .env("XDG_CONFIG_HOME", seat.home.path().join(".config"));
    let ran = super::cli_kit::finish(named, &factors);
    assert!(matches!(ran.status, 0 | 1), "{}", ran.err);
    if ran.status == 1 {
        two_parts(&ran);
    }
}

/// Runs `ls` with right factors on the vault as `damage` left it.
fn on_damaged(seat: &mut Seat, damage: impl FnOnce(&Path)) -> Ran {
    let file = seat.home.path().join("damaged.poterne");
    copy(&seat.vault(), &file);
    damage(&file);
    let factors = seat.factors();
    let ran = seat.run(&["--vault", file.to_str().expect("UTF-8"), "ls"], &factors);
    two_parts(&ran);
    std::fs::remove_file(&file).expect("ours");
    ran
}

#[test]
fn damaged_foreign_and_newer_files_are_told_apart() {
    let mut seat = Seat::locked();
    let factors = seat.factors();
    seat.run(&["add", "client", "A"], &factors).ended(0);
    let write = |file: &Path, bytes: &[u8]| std::fs::write(file, bytes).expect("ours");
    on_damaged(&mut seat, |file| write(file, b"")).ended(7);
    on_damaged(&mut seat, |file| {
        let bytes = std::fs::read(file).expect("ours");
        write(file, &bytes[..bytes.len() / 2]);
    })
    .ended(7);
    on_damaged(&mut seat, |file| {
        write(file, b"Just a text file, longer than a header.\n".repeat(9).as_slice())
    })
    .ended(1);
    on_damaged(&mut seat, |file| {
        std::fs::remove_file(file).expect("ours");
        let other = rusqlite::Connection::open(file).expect("ours");
        other
            .execute_batch("create table notes(text); insert into notes values ('x');")
            .expect("SQL");
    })
    .ended(1);
    on_damaged(&mut seat, |file| {
        let vault = rusqlite::Connection::open(file).expect("ours");
        vault.pragma_update(None, "user_version", 999).expect("SQL");
        vault.execute("update vault set format = 999", []).expect("SQL");
    })
    .ended(1);
    // A newer program writes both: one alone was changed by something else.
    on_damaged(&mut seat, |file| {
        let vault = rusqlite::Connection::open(file).expect("ours");
        vault.pragma_update(None, "user_version", 999).expect("SQL");
    })
    .ended(7);
    // A picture, and one of our files whose first bytes are a picture's.
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\x06\0\0\0".repeat(20);
    on_damaged(&mut seat, |file| write(file, &png)).ended(1);
    on_damaged(&mut seat, |file| {
        let mut bytes = std::fs::read(file).expect("ours");
        bytes[..16].copy_from_slice(&png[..16]);
        write(file, &bytes);
    })
    .ended(7);
}

#[test]
fn a_flipped_bit_in_the_sealed_rows_is_never_read_back() {
    let mut seat = Seat::locked();
    let factors = seat.factors();
    seat.run(&["add", "client", "A"], &factors).ended(0);
    let bytes = std::fs::read(seat.vault()).expect("ours");
    let file = seat.home.path().join("flipped.poterne");
    let named = file.to_str().expect("UTF-8").to_owned();
    let pages = bytes.len() / 4096;
    // Every page is tried by the vault's own tests; here only the exit code.
    for page in [1, 2, pages / 2, pages - 1] {
        let mut flipped = bytes.clone();
        flipped[page * 4096 + 3000] ^= 0x10;
        std::fs::write(&file, &flipped).expect("ours");
        let factors = seat.factors();
        let ran = seat.run(&["--vault", &named, "--read-only", "ls"], &factors);
        match ran.status {
            0 => assert_eq!(ran.out.trim(), "client  A"),
            3 | 7 => two_parts(&ran),
            other => panic!("page {page}: {other} {}", ran.err),
        }
    }
}

#[test]
fn a_vault_held_by_another_program_is_waited_for_and_then_refused() {
    let mut seat = Seat::locked();
    let holder = rusqlite::Connection::open(seat.vault()).expect("ours");
    holder.execute_batch("begin exclusive").expect("nobody else has it");
    let factors = seat.factors();
    two_parts(&seat.run(&["ls"], &factors).ended(1));
    holder.execute_batch("rollback").expect("it was begun");
    let factors = seat.factors();
    seat.run(&["ls"], &factors).ended(0);
}

#[test]
fn an_older_copy_opens_only_after_it_was_confirmed() {
    let mut seat = Seat::locked();
    let older = seat.home.path().join("older.poterne");
    copy(&seat.vault(), &older);
    let factors = seat.factors();
    seat.run(&["add", "client", "A"], &factors).ended(0);
    copy(&older, &seat.vault());
    let factors = seat.factors();
    two_parts(&seat.run(&["ls"], &factors).ended(7));
    let factors = seat.factors();
    seat.run(&["--accept-older", "ls"], &factors).ended(0);
}

/// Runs a command as somebody who may not write here; `None` where this
/// machine does not let the test become that.
fn as_nobody(seat: &Seat, args: &[&str], input: &str) -> Option<Ran> {
    let inner = seat.command(args);
    let mut outer = std::process::Command::new("setpriv");
    outer.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]);
    outer.arg(inner.get_program()).args(inner.get_args()).env_clear();
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let ran = super::cli_kit::finish(outer, input);
    // 125 to 127: `timeout` or `setpriv` could not start the program.
    (!matches!(ran.status, 125..=127 | -1)).then_some(ran)
}

#[test]
fn what_cannot_be_written_does_not_unlock() {
    use std::os::unix::fs::PermissionsExt;
    let mut seat = Seat::empty();
    seat.init(&["--portable"]).ended(0);
    let open = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
    };
    // Readable for anybody, writable for root alone.
    for folder in ["", ".local", ".local/share", ".local/share/poterne"] {
        open(&seat.home.path().join(folder), 0o755);
    }
    open(&seat.vault(), 0o444);
    let vault = seat.vault();
    let vault = vault.to_str().expect("UTF-8");
    let factors = seat.factors();
    let ls = ["--vault", vault, "ls"];
    if let Some(ran) = as_nobody(&seat, &ls, &factors) {
        two_parts(&ran.ended(1));
    }
    let nowhere = seat.home.path().join("new.poterne");
    let init =
        ["--vault", nowhere.to_str().expect("UTF-8"), "init", "--portable", "--kdf-memory", "64"];
    if let Some(ran) = as_nobody(&seat, &init, &format!("{PASSWORD}\n{PASSWORD}\n")) {
        assert!(matches!(ran.status, 1 | 3), "{}", ran.err);
        two_parts(&ran);
    }
}

#[test]
fn wrong_use_is_told_in_the_language_of_the_reader() {
    let seat = Seat::empty();
    let french = |args: &[&str]| {
        let ran = seat.run(&[&["--lang", "fr"], args].concat(), "").ended(2);
        two_parts(&ran);
        for english in ["error", "unexpected", "invalid", "required", "Usage:", "failed", "found"] {
            assert!(!ran.err.contains(english), "{english}: {}", ran.err);
        }
        ran.err
    };
    assert!(french(&["frobnicate"]).contains("La commande «\u{a0}frobnicate\u{a0}» n’existe pas."));
    assert!(french(&["ls", "--frobnicate"]).contains("«\u{a0}--frobnicate\u{a0}»"));
    assert!(french(&["ls", "--frobnicate"]).contains("→ Utilisation\u{a0}: poterne ls"));
    let near = french(&["unlcok"]);
    assert!(near.contains("Vouliez-vous dire «\u{a0}") && near.contains("unlock\u{a0}»"), "{near}");
    assert!(french(&["add", "ssh", "A/e", "--expires", "soon"]).contains("un jour, comme"));
    assert!(french(&["add", "ssh", "A/e", "--port", "0"]).contains("de 1 à 65535"));
    assert!(french(&["unlock", "--timeout", "soon"]).contains("90s"));
    assert!(french(&["show"]).contains("Il manque"));
    assert!(french(&["backup", "--out", "a", "--restore", "b"]).contains("ne va pas avec"));
    assert!(french(&["audit", "export", "--format", "xml", "--out", "x"]).contains("bundle"));
    let english = seat.run(&["ls", "--frobnicate"], "").ended(2).err;
    assert!(english.contains("no flag or argument “--frobnicate”"), "{english}");
    assert!(english.contains("→ Usage: poterne ls"), "{english}");
    let json = seat.run(&["--json", "ls", "--frobnicate"], "").ended(2);
    let document: serde_json::Value = serde_json::from_str(&json.err).expect("one document");
    assert_eq!((json.out.as_str(), &document["error"]["exit"]), ("", &2.into()));
    // The help and the version are answers.
    assert!(seat.ok(&["--lang", "fr", "ls", "--help"]).out.contains("Utilisation\u{a0}:"));
    assert!(seat.ok(&["--version"]).out.starts_with("poterne "));
    // A window needs a screen.
    let ran = seat.run(&["--lang", "fr"], "").ended(1);
    two_parts(&ran);
    assert!(ran.err.contains("Il n’y a pas d’écran"), "{}", ran.err);
}

#[test]
fn what_an_entry_lacks_and_what_it_has_are_told_in_words() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let file = seat.home.path().join("plan.txt");
    std::fs::write(&file, [b'x'; 1536]).expect("ours");
    let named = file.to_str().expect("UTF-8");
    seat.ok(&["add", "credential", "A/c", "--favourite", "--attach", named]);
    let shown = seat.ok(&["show", "A/c"]).out;
    assert!(shown.contains("1.5 KiB") && shown.contains("favourite"), "{shown}");
    let shown = seat.ok(&["--lang", "fr", "show", "A/c"]).out;
    assert!(shown.contains("1,5 Kio"), "{shown}");
    let totp = seat.run(&["totp", "A/c"], "").ended(4);
    two_parts(&totp);
    assert!(totp.err.contains("no TOTP seed"), "{}", totp.err);
    let out = seat.home.path().join("out");
    let out = out.to_str().expect("UTF-8");
    let none = seat.run(&["show", "A/c", "--attachment", "x", "--out", out], "").ended(4);
    two_parts(&none);
    assert!(none.err.contains("no attachment “x”"), "{}", none.err);
}

#[test]
fn a_backup_is_restored_with_its_own_factors_and_that_is_logged() {
    use std::os::unix::fs::MetadataExt;
    let mut seat = Seat::locked();
    let factors = seat.factors();
    let copy = seat.home.path().join("copy.poterne");
    let copy = copy.to_str().expect("UTF-8");
    seat.run(&["backup", "--out", copy], &factors).ended(0);
    // A restored copy is another file; the refusal itself is noted in the one there is.
    let file = || std::fs::metadata(seat.vault()).expect("ours").ino();
    let before = file();
    two_parts(&seat.run(&["backup", "--restore", copy], "not it\n123456\n").ended(3));
    assert_eq!(file(), before, "nothing was replaced");
    let factors = seat.factors();
    seat.run(&["backup", "--restore", copy], &factors).ended(0);
    let factors = seat.factors();
    let args = ["--json", "--accept-older", "audit", "log", "--event", "backup.restored"];
    let log = seat.run(&args, &factors).ended(0).json();
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(1), "{log}");
    assert_eq!(log["lines"][0]["fields"]["file"], "copy.poterne");
}
