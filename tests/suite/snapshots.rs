//! Configurations read from devices, by the real program: a switch's command line
//! behind a real SSH server, a real telnet server and a serial cable. What is kept,
//! what is told, who may see it, and that it lies nowhere in the clear.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::cli_kit::Seat;
use super::kit_lines::{Cable, Telnetd};
use super::kit_ssh::{Setup, Sshd, keygen, sh, user};
use super::leaks::{found_nowhere, in_all_forms};

const PASSWORD: &str = "tuile-Érable-42";
/// What only the configuration holds.
const HASH: &str = "$9$Zx2vMarqueDuCoffre7";

/// A switch whose files are in a folder.
struct Switch(PathBuf);

impl Switch {
    fn new(folder: &Path) -> Self {
        let switch = Self(folder.join("running"));
        switch.set("Gi0/1");
        switch
    }

    /// Sets its configuration, which has this uplink and needs a pager.
    fn set(&self, uplink: &str) {
        let ports: Vec<String> =
            (1..60).map(|n| format!("interface vlan{n}\n ip address 10.0.{n}.1/24\n!")).collect();
        let config = format!(
            "hostname sw1\nenable secret 9 {HASH}\n{}\nbanner motd ^C\nsw1#\n^C\nuplink {uplink}\nend\n",
            ports.join("\n")
        );
        fs::write(&self.0, config).expect("ours");
    }

    /// Makes it behave so; see `device.py`.
    fn becomes(&self, what: &str, value: &str) {
        fs::write(format!("{}.{what}", self.0.display()), value).expect("ours");
    }

    fn recovers(&self, what: &str) {
        fs::remove_file(format!("{}.{what}", self.0.display())).expect("it was so");
    }

    /// Its command line, for a shell.
    fn program(&self) -> String {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/device.py");
        format!("python3 {script} {}", self.0.display())
    }

    /// Every command that was typed.
    fn typed(&self) -> Vec<String> {
        let log = fs::read_to_string(format!("{}.log", self.0.display())).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

fn lines(seat: &Seat, event: &str) -> Vec<Value> {
    let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
    log["lines"].as_array().expect("a list").clone()
}

fn kept(seat: &Seat) -> Vec<Value> {
    let list = seat.ok(&["--json", "snapshot", "list", "A/sw"]).json();
    list["snapshots"].as_array().expect("a list").clone()
}

/// Takes, changes, takes again, breaks off; the same whatever carries the line.
fn story(seat: &Seat, switch: &Switch) {
    let take = ["snapshot", "take", "A/sw"];
    let first = seat.ok(&take);
    assert!(first.err.contains("Snapshot 1 kept: "), "{}", first.err);
    assert_eq!(first.out, "");
    let shown = seat.ok(&["snapshot", "show", "A/sw"]).out;
    assert_eq!(shown, fs::read_to_string(&switch.0).expect("ours"));

    let again = seat.ok(&take);
    assert!(again.err.contains("unchanged since snapshot 1"), "{}", again.err);
    assert_eq!(kept(seat).len(), 1);

    // The pager cannot be turned off, and must be answered.
    switch.becomes("stubborn", "");
    switch.set("Gi0/2");
    let changed = seat.ok(&["--json", "snapshot", "take", "A/sw"]).json();
    assert_eq!(changed["unchanged"], false);
    assert_eq!((&changed["added"], &changed["removed"]), (&1.into(), &1.into()), "{changed}");
    let diff = changed["diff"].as_str().expect("text");
    assert!(diff.contains("\n-uplink Gi0/1\n+uplink Gi0/2\n end\n"), "{diff}");
    assert_eq!(diff.matches("\n+").count() + diff.matches("\n-").count(), 3, "{diff}");

    // Broken off in the middle: nothing of it is kept.
    switch.set("Gi0/3");
    switch.becomes("mute", "");
    let cut = seat.run(&take, "");
    assert!(cut.status == 6, "{} {}", cut.status, cut.err);
    assert_eq!(cut.out, "");
    let list = kept(seat);
    let numbers: Vec<u64> = list.iter().filter_map(|s| s["number"].as_u64()).collect();
    assert_eq!(numbers, [2, 1]);
    assert_eq!(list[0]["command"], "show running-config");
    switch.recovers("mute");

    let old = seat.ok(&["snapshot", "show", "A/sw", "1"]).out;
    assert!(old.contains("uplink Gi0/1\n") && old.contains(HASH));
    let between = seat.ok(&["snapshot", "diff", "A/sw"]);
    assert_eq!(between.out, diff);
    let back = seat.ok(&["snapshot", "diff", "A/sw", "2", "1"]).out;
    assert!(back.contains("\n-uplink Gi0/2\n+uplink Gi0/1\n"), "{back}");
    seat.run(&["snapshot", "show", "A/sw", "9"], "").ended(4);
    seat.run(&["snapshot", "diff", "A/sw", "2", "2"], "").ended(2);

    // The line before, then the line after.
    let (before, after) = (lines(seat, "snapshot.taking"), lines(seat, "snapshot.taken"));
    assert_eq!((before.len(), after.len()), (4, 4));
    for (before, after) in before.iter().zip(&after) {
        assert!(before["seq"].as_u64() < after["seq"].as_u64());
        assert_eq!(before["fields"]["detail"], "show running-config");
        assert_eq!(before["fields"]["session"], after["fields"]["session"]);
    }
    let details: Vec<&str> =
        after.iter().filter_map(|line| line["fields"]["detail"].as_str()).collect();
    assert_eq!(details[1..3], ["unchanged since 1", "2: +1 -1"]);
    assert_eq!(after[3]["ok"], false);
    let shown = lines(seat, "secret.revealed");
    assert!(shown.iter().all(|line| line["fields"]["slot"] == "configuration"));
    assert_eq!(shown.len(), 5);

    let allowed = ["", "terminal length 0", "terminal length 24", "show running-config"];
    for command in switch.typed() {
        assert!(allowed.contains(&&*command), "{command:?} was typed");
    }
    seat.ok(&["check"]);
    let needles = in_all_forms(&[HASH.as_bytes().to_vec()]);
    assert!(found_nowhere(&needles, &[], seat.home.path()) > 2);
    for file in fs::read_dir(std::env::temp_dir()).expect("it is there").flatten() {
        if file.file_type().is_ok_and(|kind| kind.is_file()) {
            let bytes = fs::read(file.path()).unwrap_or_default();
            let found = memchr::memmem::find(&bytes, HASH.as_bytes()).is_some();
            assert!(!found, "{}", file.path().display());
        }
    }
}

/// A switch behind SSH, and its entry.
fn over_ssh(seat: &Seat, folder: &Path) -> (Switch, Sshd) {
    let switch = Switch::new(folder);
    let server = Sshd::start(Setup {
        lines: vec![format!("ForceCommand {}", switch.program())],
        ..Setup::default()
    });
    let key = keygen(folder, "id", &["-t", "ed25519"]);
    server.authorize(&key);
    seat.ok(&["add", "client", "A"]);
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", "A/sw", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let more = ["--credential", "own", "--profile", "cisco", "--secret-stdin", "private-key"];
    let key = fs::read_to_string(key).expect("it was made");
    seat.run(&[&add[..], &more].concat(), &key).ended(0);
    (switch, server)
}

fn pin(seat: &Seat, server: &Sshd) {
    let print = server.fingerprint("ed25519");
    seat.run(&["connect", "A/sw", "--accept-host-key", &print], "exit\n").ended(0);
}

#[test]
fn a_switch_behind_ssh_is_read_compared_and_kept_sealed() {
    let seat = Seat::unlocked();
    let folder = tempfile::tempdir().expect("a folder");
    let (switch, server) = over_ssh(&seat, folder.path());
    // Nobody to say yes to the key: nothing is asked of the device.
    seat.run(&["snapshot", "take", "A/sw"], "").ended(6);
    assert!(switch.typed().is_empty() && kept(&seat).is_empty());
    pin(&seat, &server);
    fs::remove_file(format!("{}.log", switch.0.display())).expect("it was typed to");
    story(&seat, &switch);
    drop(server);
    // Gone altogether: the line of the session says so.
    seat.run(&["snapshot", "take", "A/sw"], "").ended(6);
    assert_eq!(kept(&seat).len(), 2);
}

#[test]
fn a_switch_behind_telnet_is_read_compared_and_kept_sealed() {
    let seat = Seat::unlocked();
    let server = Telnetd::start(PASSWORD);
    let switch = Switch::new(server.dir.path());
    let shell = server.dir.path().join("shell");
    fs::write(&shell, format!("#!/bin/sh\nexec {}\n", switch.program())).expect("ours");
    fs::set_permissions(&shell, fs::Permissions::from_mode(0o755)).expect("ours");
    sh("usermod", &["-s", shell.to_str().expect("UTF-8"), &server.user]);
    let (port, user) = (server.port.to_string(), server.user.clone());
    seat.ok(&["add", "client", "A"]);
    let add = ["add", "telnet", "A/sw", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let more = ["--credential", "own", "--profile", "cisco", "--secret-stdin", "password"];
    let add = [&add[..], &more].concat();
    seat.run(&add, "wrong").ended(0);
    let refused = seat.run(&["snapshot", "take", "A/sw"], "").ended(6);
    assert!(refused.err.contains("refused the login"), "{}", refused.err);
    assert!(lines(&seat, "snapshot.taking").is_empty() && kept(&seat).is_empty());
    seat.run(&["edit", "A/sw", "--secret-stdin", "password"], PASSWORD).ended(0);
    story(&seat, &switch);
    // A password that is not kept is asked for.
    let add = ["add", "telnet", "A/typed", "--host", "127.0.0.1", "--port", &port];
    let more = ["--user", &server.user, "--credential", "own", "--profile", "cisco"];
    seat.run(&[&add[..], &more].concat(), "").ended(0);
    let typed = seat.run(&["snapshot", "take", "A/typed"], &format!("{PASSWORD}\n"));
    assert!(typed.status == 0 && typed.err.contains("Snapshot 1 kept: "), "{}", typed.err);
}

#[test]
fn a_switch_at_a_serial_cable_is_read_compared_and_kept_sealed() {
    let seat = Seat::unlocked();
    let folder = tempfile::tempdir().expect("a folder");
    let switch = Switch::new(folder.path());
    // A console is always there: after the end of a login it begins anew.
    let cable = Cable::plug(&format!("while :; do {}; done", switch.program()));
    seat.ok(&["add", "client", "A"]);
    let device = cable.device.to_str().expect("UTF-8");
    seat.ok(&["add", "serial", "A/sw", "--device", device, "--profile", "cisco"]);
    story(&seat, &switch);
    // Who finds the console next has its pager again.
    switch.recovers("stubborn");
    seat.ok(&["snapshot", "take", "A/sw"]);
    assert!(switch.typed().ends_with(&["terminal length 24".to_owned()]), "{:?}", switch.typed());
}

#[test]
fn an_operator_takes_what_only_others_may_read() {
    let mut seat = Seat::unlocked();
    let folder = tempfile::tempdir().expect("a folder");
    let (switch, server) = over_ssh(&seat, folder.path());
    switch.becomes("user", "p-Enable-77");
    pin(&seat, &server);
    // Without the privileged mode the device refuses.
    let refused = seat.run(&["snapshot", "take", "A/sw"], "").ended(6);
    assert!(refused.err.contains("refuses the command"), "{}", refused.err);
    let put = ["edit", "A/sw", "--secret-stdin", "custom:enable"];
    seat.run(&put, "wrong").ended(0);
    let wrong = seat.run(&["snapshot", "take", "A/sw"], "").ended(6);
    assert!(wrong.err.contains("privileged mode"), "{}", wrong.err);
    assert!(kept(&seat).is_empty());
    seat.run(&put, "p-Enable-77").ended(0);

    let code = seat.invite("odile", "operator", &["--client", "A"]);
    let odile = Seat::invited(&seat, "odile", &code);
    odile.ok(&["snapshot", "take", "A/sw"]);
    switch.set("Gi0/2");
    let taken = odile.ok(&["snapshot", "take", "A/sw"]);
    assert!(taken.err.contains("+1 −1") && taken.out.is_empty(), "{} {}", taken.err, taken.out);
    assert!(!taken.err.contains(HASH));
    odile.run(&["snapshot", "show", "A/sw"], "").ended(5);
    odile.run(&["snapshot", "diff", "A/sw"], "").ended(5);
    assert_eq!(kept(&odile)[0]["by"], "odile");
    assert!(seat.ok(&["snapshot", "diff", "A/sw"]).out.contains("+uplink Gi0/2"));
    assert!(!switch.typed().iter().any(|typed| typed.starts_with("conf")));
    drop(server);
}

#[test]
fn twenty_are_kept_and_go_where_the_entry_goes() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    let folder = tempfile::tempdir().expect("a folder");
    let key = keygen(folder.path(), "id", &["-t", "ed25519"]);
    server.authorize(&key);
    let config = folder.path().join("hosts.conf");
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "client", "B"]);
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", "A/sw", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let more = ["--credential", "own", "--secret-stdin", "private-key"];
    let key = fs::read_to_string(key).expect("it was made");
    seat.run(&[&add[..], &more].concat(), &key).ended(0);
    pin(&seat, &server);
    // Nothing is known of it, so that it must be told how.
    let untold = seat.run(&["snapshot", "take", "A/sw"], "").ended(2);
    assert!(untold.err.contains("snapshot-command"), "{}", untold.err);
    seat.ok(&["edit", "A/sw", "--snapshot-command", "reboot"]);
    seat.run(&["snapshot", "take", "A/sw"], "").ended(2);
    let command = format!("cat {}", config.display());
    seat.ok(&["edit", "A/sw", "--snapshot-command", &command]);
    // A command that fails gives none.
    seat.run(&["snapshot", "take", "A/sw"], "").ended(6);
    assert!(kept(&seat).is_empty());
    for n in 1..=22 {
        fs::write(&config, format!("line {n}\n{HASH}\n")).expect("ours");
        seat.ok(&["snapshot", "take", "A/sw"]);
    }
    let numbers: Vec<u64> = kept(&seat).iter().filter_map(|s| s["number"].as_u64()).collect();
    assert_eq!(numbers, (3..=22).rev().collect::<Vec<_>>());
    // An edit, an older version and another client leave them as they are.
    seat.ok(&["edit", "A/sw", "--description", "x"]);
    let version = seat.ok(&["--json", "history", "A/sw"]).json()["versions"][1]["version"].clone();
    seat.ok(&["restore", "A/sw", "--version", &version.to_string()]);
    seat.ok(&["mv", "A/sw", "B"]);
    let shown = seat.ok(&["snapshot", "show", "B/sw", "3"]).out;
    assert_eq!(shown, format!("line 3\n{HASH}\n"));
    let report = seat.ok(&["--json", "check"]).json();
    assert_eq!(report["unreached"], 0, "{report}");
    seat.ok(&["rm", "B/sw"]);
    seat.ok(&["rm", "B/sw", "--forever"]);
    let report = seat.ok(&["--json", "check"]).json();
    assert_eq!(report["unreached"], 0, "{report}");
}
