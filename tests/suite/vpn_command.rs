//! A VPN by the command line alone, against a real server: its profile taken in, raised
//! to be looked at, listed, and taken down under a session.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Child;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;

use super::cli_kit::Seat;
use super::kit_ssh::{keygen, user};
use super::kit_vpn::{Lan, MACHINE, Setup};
use super::kit_web::wait_until;

const LOGIN: (&str, &str) = ("alice", "mot-de-passe-du-vpn");

/// A client with a VPN whose profile came from a file, and a machine behind it.
fn client(seat: &Seat) -> Lan {
    let lan = Lan::start(Setup { client: "acme", login: Some(LOGIN), ..Setup::default() });
    let file = seat.home.path().join("vpn.ovpn");
    // What runs code is left out, and it comes up without.
    fs::write(&file, format!("up /bin/false\n{}", lan.profile())).expect("ours");
    seat.ok(&["add", "client", "A"]);
    let file = file.to_str().expect("UTF-8");
    let ran = seat.ok(&["--json", "vpn", "import", file, "--into", "A"]).json();
    assert_eq!(ran["imported"][0]["dropped"][0]["directive"], "up", "{ran}");
    fs::remove_file(file).expect("ours");
    let edit = ["edit", "A/vpn", "--user", LOGIN.0, "--vpn-keep", "0"];
    seat.run(&[&edit[..], &["--secret-stdin", "password"]].concat(), LOGIN.1).ended(0);
    seat.ok(&["edit", "A", "--field", "vpn=A/vpn"]);
    let key = keygen(seat.home.path(), "id", &["-t", "ed25519"]);
    lan.ssh.authorize(&key);
    let key = fs::read_to_string(key).expect("it was made");
    let add = ["add", "ssh", "A/s", "--host", MACHINE, "--user", &user()];
    let add = [&add[..], &["--credential", "own", "--secret-stdin", "private-key"]].concat();
    seat.run(&add, &key).ended(0);
    lan
}

/// The VPNs that are up.
fn up(seat: &Seat) -> Vec<Value> {
    let list = seat.ok(&["--json", "vpn", "list"]).json();
    list["vpns"].as_array().expect("a list").clone()
}

/// Reads its output up to this word.
fn until(child: &mut Child, word: &str) {
    let mut out = BufReader::new(child.stdout.as_mut().expect("piped"));
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        assert_ne!(out.read_line(&mut line).expect("text"), 0, "it ended before {word}");
    }
}

/// What it said besides, and how it ended.
fn end(mut child: Child) -> (Option<i32>, String) {
    let mut err = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut err).expect("text");
    (child.wait().expect("ours").code(), err)
}

#[test]
fn a_vpn_is_listed_while_it_is_up_and_its_sessions_end_when_it_is_taken_down() {
    let seat = Seat::unlocked();
    let _lan = client(&seat);
    let words = ["connect", "A/s", "--no-reuse", "--", "echo up; exec cat"];
    let mut open = seat.command(&words).spawn().expect("the program is built");
    writeln!(open.stdin.as_mut().expect("piped"), "yes").expect("it reads");
    until(&mut open, "up");

    let [vpn] = &up(&seat)[..] else { panic!("one is up") };
    assert_eq!((&vpn["path"], &vpn["state"]), (&"A/vpn".into(), &"up".into()), "{vpn}");
    assert_eq!(vpn["sessions"], 1);
    assert!(vpn["address"].as_str().is_some_and(|at| at.starts_with("10.8.0.")), "{vpn}");
    assert!(vpn["since"].is_string() && vpn["received"].is_u64(), "{vpn}");
    let told = seat.ok(&["vpn", "list"]).out;
    assert!(told.contains("A/vpn  up  10.8.0."), "{told}");
    assert!(seat.ok(&["status"]).out.contains(told.trim_end()), "{told}");
    assert_eq!(seat.ok(&["--json", "status"]).json()["vpns"][0]["path"], "A/vpn");

    seat.ok(&["vpn", "down", "A/vpn"]);
    assert_eq!(up(&seat), [] as [Value; 0]);
    let (status, err) = end(open);
    assert_eq!(status, Some(6), "{err}");
    assert!(err.contains("VPN"), "{err}");
    seat.run(&["vpn", "down", "A/vpn"], "").ended(4);
    // The next session raises it again.
    assert_eq!(seat.ok(&["connect", "A/s", "--", "echo", "back"]).out, "back\n");
}

#[test]
fn a_vpn_is_looked_at_alone_until_a_signal_ends_it() {
    let seat = Seat::unlocked();
    let _lan = client(&seat);
    seat.run(&["connect", "A/vpn", "--", "ls"], "").ended(2);
    let mut open = seat.command(&["connect", "A/vpn"]).spawn().expect("the program is built");
    // There is nobody to type to, and an input that ends changes nothing.
    drop(open.stdin.take());
    until(&mut open, "Initialization Sequence Completed");
    let [vpn] = &up(&seat)[..] else { panic!("one is up") };
    assert_eq!((&vpn["path"], &vpn["sessions"]), (&"A/vpn".into(), &1.into()), "{vpn}");
    let pid = rustix::process::Pid::from_child(&open);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("ours");
    let (status, err) = end(open);
    assert_eq!(status, Some(130), "{err}");
    assert!(err.contains("Ctrl+C takes it down"), "{err}");
    wait_until("it is taken down", || up(&seat).is_empty());
}

#[test]
fn a_person_at_a_terminal_ends_a_vpn_by_ctrl_c() {
    let seat = Seat::unlocked();
    let _lan = client(&seat);
    let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
    let pty = native_pty_system().openpty(size).expect("a terminal");
    let like = seat.command(&["connect", "A/vpn"]);
    let mut command = CommandBuilder::new(like.get_program());
    command.args(like.get_args());
    command.env_clear();
    for (name, value) in like.get_envs() {
        command.env(name, value.expect("only set ones"));
    }
    let mut child = pty.slave.spawn_command(command).expect("the program starts");
    drop(pty.slave);
    let mut output = BufReader::new(pty.master.try_clone_reader().expect("a reader"));
    let mut keys = pty.master.take_writer().expect("a writer");
    let mut line = String::new();
    while !line.contains("Initialization Sequence Completed") {
        line.clear();
        assert_ne!(output.read_line(&mut line).expect("text"), 0, "it ended before it was up");
    }
    assert_eq!(up(&seat).len(), 1);
    keys.write_all(b"q\x03").expect("it reads");
    assert_eq!(child.wait().expect("it ends").exit_code(), 130);
    wait_until("it is taken down", || up(&seat).is_empty());
}
