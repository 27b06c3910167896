//! What connections leave behind for others and how they are set, as another
//! program sees it: forwarded ports, pinned keys, jump hosts, places of secrets.

use std::net::TcpListener;
use std::time::Instant;

use super::cli_cut_off::{add, logged, started, word};
use super::cli_kit::Seat;
use super::kit_ssh::{PATIENCE, Setup, Sshd, free_port};
use super::ssh_old_devices::old;

#[test]
fn a_forwarded_port_is_shared_while_sessions_run_and_free_after_the_last() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    let port = free_port();
    let forward = format!("{port} 127.0.0.1:{}", server.port);
    add(&seat, "A/s", &server, &["--local-forward", &forward]);
    add(&seat, "A/t", &server, &["--local-forward", &forward]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    // The port of a session that is over is another entry's for the asking.
    seat.ok(&["connect", "A/t", "--", "true"]);

    let (mut first, _out) = started(&seat, &["connect", "A/s", "--", "echo up; cat"], "up");
    seat.ok(&["connect", "A/s", "--", "true"]);
    let taken = seat.run(&["--lang", "fr", "connect", "A/t", "--", "true"], "").ended(6);
    assert!(taken.err.contains("ce port est déjà pris"), "{}", taken.err);
    drop(first.stdin.take());
    assert_eq!(first.wait().expect("it ends").code(), Some(0));
    let end = Instant::now() + PATIENCE;
    while TcpListener::bind(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < end, "{port} still listens");
    }
}

#[test]
fn a_key_is_forgotten_at_the_port_of_its_entry_and_the_log_names_it() {
    let seat = Seat::unlocked();
    let (one, two) = (Sshd::start(Setup::default()), Sshd::start(Setup::default()));
    add(&seat, "A/one", &one, &[]);
    add(&seat, "A/two", &two, &[]);
    for entry in ["A/one", "A/two"] {
        seat.run(&["connect", entry, "--", "true"], "yes\n").ended(0);
    }
    seat.ok(&["edit", "A/one", "--forget-host-key"]);
    seat.run(&["connect", "A/two", "--", "true"], "").ended(0);
    let told = logged(&seat, "hostkey.refused", 1);
    let key = format!("127.0.0.1:{} ssh-ed25519 {}", one.port, one.fingerprint("ed25519"));
    let told: Vec<_> = told.iter().map(|f| (word(f, "host_key"), word(f, "detail"))).collect();
    assert_eq!(told, [(key.as_str(), "forgotten")]);
    seat.run(&["connect", "A/one", "--", "true"], "").ended(6);
}

#[test]
fn a_way_that_leads_nowhere_is_refused_when_it_is_set() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    seat.ok(&["add", "credential", "A/c"]);
    seat.ok(&["add", "shell", "A/here"]);
    for (flag, value) in [
        ("--jump", "A/c"),
        ("--jump", "A/here"),
        ("--local-forward", "junk"),
        ("--local-forward", "8080 intranet:99999"),
        ("--remote-forward", "8080"),
        ("--dynamic-forward", "a b"),
    ] {
        let refused = seat.run(&["edit", "A/s", flag, value], "").ended(2);
        let named = value.split(' ').next().expect("a word");
        assert!(refused.err.contains(named), "{flag} {value}: {}", refused.err);
    }
    seat.ok(&["edit", "A/s", "--local-forward", "# one\n0 intranet:80\n\n[::1]:0 [fe80::1]:443"]);
    seat.ok(&["edit", "A/s", "--dynamic-forward", "1080"]);
}

#[test]
fn an_attachment_is_logged_only_where_its_place_will_do() {
    let seat = Seat::unlocked();
    let file = seat.home.path().join("plan.txt");
    std::fs::write(&file, "étage 3").expect("ours");
    let there = file.to_str().expect("UTF-8");
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "note", "A/n", "--attach", there]);
    for out in [there, "/nowhere/x", "/"] {
        seat.run(&["show", "A/n", "--attachment", "plan.txt", "--out", out], "").ended(1);
    }
    assert_eq!(std::fs::read_to_string(&file).expect("it is as it was"), "étage 3");
    let log = seat.ok(&["--json", "audit", "log", "--event", "secret.revealed"]).json();
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(0), "{log}");
}

#[test]
fn what_the_system_says_is_told_in_french() {
    let seat = Seat::empty();
    let none = seat.run(&["--lang", "fr", "audit", "verify", "/dev/null/x"], "");
    assert!(none.err.contains("ce n’est pas un dossier"), "{}", none.err);
}

#[test]
fn weak_algorithms_are_warned_of_once_on_each_connection() {
    let seat = Seat::unlocked();
    let server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    add(&seat, "A/old", &server, &["--weak-algorithms", "yes"]);
    for answer in ["yes\n", ""] {
        let ran = seat.run(&["connect", "A/old", "--", "true"], answer).ended(0);
        assert_eq!(ran.err.matches("Weak algorithms accepted").count(), 1, "{}", ran.err);
    }
    let log = seat.ok(&["--json", "audit", "log", "--event", "session.opened"]).json();
    let lines = log["lines"].as_array().expect("a list");
    let marked = |line: &serde_json::Value| {
        let detail = line["fields"]["detail"].as_str().unwrap_or_default();
        detail.contains("Weak algorithms accepted") && detail.contains("group14-sha1")
    };
    assert!(lines.len() == 2 && lines.iter().all(marked), "{log}");
}
