//! Sessions that do not end by themselves, as another program sees them: a
//! signal while something is asked or awaited, a server that hangs, a client
//! that is gone; and what the log says of each.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};
use std::time::Instant;

use rustix::fs::{Mode, OFlags};
use rustix::termios::LocalModes;

use serde_json::Value;

use super::cli_kit::Seat;
use super::kit_ssh::{PATIENCE, Setup, Sshd, descendants, keygen, user};

/// An entry for `server`, which lets it in by key, and is trusted already.
pub fn add(seat: &Seat, path: &str, server: &Sshd, more: &[&str]) {
    let file = seat.home.path().join("id");
    if !file.exists() {
        keygen(seat.home.path(), "id", &["-t", "ed25519"]);
        seat.ok(&["add", "client", "A"]);
    }
    server.authorize(&file);
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", path, "--host", "127.0.0.1", "--port", &port, "--user", &user];
    let add = [&add[..], more, &["--credential", "own", "--secret-stdin", "private-key"]].concat();
    seat.run(&add, &std::fs::read_to_string(file).expect("it was made")).ended(0);
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.expect("kill is there").success());
}

/// The program below the one that limits its time.
fn program(child: &Child) -> u32 {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let is = |pid: &u32| {
            std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|c| c.trim() == "poterne")
        };
        if let Some(pid) = descendants(child.id()).into_iter().find(is) {
            return pid;
        }
        assert!(std::time::Instant::now() < end, "it was started");
        std::thread::yield_now();
    }
}

/// The fields of the lines of this event, the newest last, once there are `count`.
pub fn logged(seat: &Seat, event: &str, count: usize) -> Vec<Value> {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
        let mut lines = log["lines"].as_array().expect("an array").clone();
        if lines.len() >= count {
            lines.sort_by_key(|line| line["seq"].as_u64());
            return lines.into_iter().map(|line| line["fields"].clone()).collect();
        }
        assert!(std::time::Instant::now() < end, "{count} lines of {event}");
    }
}

pub fn word<'a>(fields: &'a Value, name: &str) -> &'a str {
    fields[name].as_str().unwrap_or_default()
}

/// Starts it and waits until its output has this line.
pub fn started(
    seat: &Seat,
    args: &[&str],
    line: &str,
) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = seat.command(args).spawn().expect("the program is built");
    let mut out = BufReader::new(child.stdout.take().expect("piped"));
    let mut said = String::new();
    out.read_line(&mut said).expect("UTF-8");
    assert_eq!(said.trim(), line);
    (child, out)
}

#[test]
fn the_first_signal_ends_a_question_and_the_opening_of_a_channel() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    for (name, number) in [("-TERM", 15), ("-INT", 2), ("-HUP", 1)] {
        let mut asked = seat.command(&["connect", "A/s"]).spawn().expect("the program is built");
        let mut err = asked.stderr.take().expect("piped");
        let mut said = String::new();
        let mut byte = [0];
        while !said.contains("type yes") {
            err.read_exact(&mut byte).expect("it asks");
            said.push(char::from(byte[0]));
        }
        signal(name, program(&asked));
        assert_eq!(asked.wait().expect("it ends").code(), Some(128 + number), "{name}");
    }
    logged(&seat, "session.failed", 3);

    seat.run(&["connect", "A/s", "--", "echo $PPID"], "yes\n").ended(0);
    let hung = seat.ok(&["connect", "A/s", "--", "echo $PPID"]).out.trim().to_owned();
    signal("-STOP", hung.parse().expect("a process"));
    let waits = seat.command(&["connect", "A/s", "--", "true"]).spawn();
    let mut waits = waits.expect("the program is built");
    // The opening is logged before the channel is asked for.
    logged(&seat, "session.opened", 3);
    signal("-TERM", program(&waits));
    assert_eq!(waits.wait().expect("it ends").code(), Some(128 + 15));
}

#[test]
fn a_server_that_hangs_is_noticed_and_the_log_says_so() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &["--keepalive", "2"]);
    let hang = ["--json", "connect", "A/s", "--", "kill -STOP $PPID; exec sleep 100"];
    let ran = seat.run(&hang, "yes\n").ended(6);
    let told: Value = serde_json::from_str(ran.err.lines().last().expect("a line")).expect("JSON");
    assert_eq!(told["failure"]["kind"], "timeout", "{told}");
    let closed = logged(&seat, "session.closed", 1);
    assert!(word(&closed[0], "detail").starts_with("timeout: "), "{}", closed[0]);
    // One that only has nothing to say is left alone.
    let quiet = ["connect", "A/s", "--", "sleep 9; echo still"];
    assert_eq!(seat.run(&quiet, "").ended(0).out, "still\n");
}

#[test]
fn a_kept_connection_that_hangs_is_dropped_for_a_new_one() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &["--connect-timeout", "2"]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    let hung = seat.ok(&["connect", "A/s", "--", "echo $PPID"]).out.trim().to_owned();
    signal("-STOP", hung.parse().expect("a process"));
    let other = seat.ok(&["connect", "A/s", "--", "echo $PPID"]).out.trim().to_owned();
    assert_ne!(other, hung);
    assert_eq!(seat.ok(&["connect", "A/s", "--", "echo $PPID"]).out.trim(), other);
    let closed = logged(&seat, "session.closed", 5);
    let timeouts: Vec<&Value> =
        closed.iter().filter(|f| word(f, "detail").starts_with("timeout: ")).collect();
    assert_eq!((closed.len(), timeouts.len()), (5, 1), "{closed:?}");
}

#[test]
fn sessions_that_share_a_connection_count_their_own_bytes() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    let (mut first, _out) = started(&seat, &["connect", "A/s", "--", "echo up; cat"], "up");
    let much = seat.run(&["connect", "A/s", "--", "wc -c; head -c 300000 /dev/zero"], "seven b");
    assert_eq!(much.ended(0).out.len(), 300_002);
    drop(first.stdin.take());
    assert_eq!(first.wait().expect("it ends").code(), Some(0));
    let closed = logged(&seat, "session.closed", 3);
    let counts: Vec<(&str, &str)> =
        closed.iter().map(|f| (word(f, "bytes_in"), word(f, "bytes_out"))).collect();
    assert_eq!(counts, [("0", "0"), ("300002", "7"), ("3", "0")]);
}

#[test]
fn the_changed_key_of_a_jump_host_is_logged_as_its_own() {
    let seat = Seat::unlocked();
    let (server, mut jump) = (Sshd::start(Setup::default()), Sshd::start(Setup::default()));
    add(&seat, "A/j", &jump, &[]);
    add(&seat, "A/s", &server, &["--jump", "A/j"]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\nyes\n").ended(0);
    let (port, known) = (jump.port, jump.fingerprint("ed25519"));
    jump.kill();
    let impostor = Sshd::start(Setup { port: Some(port), ..Setup::default() });
    seat.run(&["connect", "A/s", "--no-reuse", "--", "true"], "yes\n").ended(6);
    let refused = logged(&seat, "hostkey.refused", 1).remove(0);
    let key = word(&refused, "host_key");
    assert!(key.starts_with(&format!("127.0.0.1:{port} ")), "{key}");
    assert!(key.ends_with(&impostor.fingerprint("ed25519")), "{key}");
    assert!(word(&refused, "detail").contains(&known), "{refused}");
}

#[test]
fn only_one_line_of_input_is_ever_tried_as_a_password() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup { password: Some("juste".to_owned()), ..Setup::default() });
    seat.ok(&["add", "client", "A"]);
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", "A/s", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    seat.ok(&[&add[..], &["--credential", "ask", "--auth", "password"]].concat());
    let key = server.fingerprint("ed25519");
    let connect = ["connect", "A/s", "--accept-host-key", &key, "--", "cat"];
    let refused = seat.run(&connect, "faux\njuste\nhello\n").ended(6);
    assert!(refused.err.contains("refuses the login"), "{}", refused.err);
    assert_eq!(server.log().matches("Failed password").count(), 1, "{}", server.log());
    let refused = seat.run(&connect, "faux\n").ended(6);
    assert!(refused.err.contains("tried: password"), "{}", refused.err);
    // At its end the input says nothing, which is no password.
    let nothing = seat.run(&connect, "").ended(2);
    assert!(nothing.err.contains("The input ended before the answer."), "{}", nothing.err);
    let lines = server.log().matches("Failed password").count();
    assert_eq!(lines, 2, "{}", server.log());
}

/// Waits until the terminal of that name shows nothing of what is typed. It is closed
/// again: who holds it open keeps its other end from seeing the end.
fn until_hidden(name: &std::path::Path) {
    let here = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let tty = rustix::fs::open(name, here, Mode::empty()).expect("it is ours");
    let start = Instant::now();
    loop {
        let modes = rustix::termios::tcgetattr(&tty).expect("a terminal");
        if !modes.local_modes.contains(LocalModes::ECHO) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "what is typed is shown");
        std::thread::yield_now();
    }
}

/// What a shell on a terminal of its own says of this line, which it is told `told`
/// once it says `at` and hides what is typed.
fn on_terminal(seat: &Seat, line: &str, at: &str, act: impl FnOnce(u32)) -> String {
    use portable_pty::{CommandBuilder, PtySize, native_pty_system};
    let pair = native_pty_system().openpty(PtySize::default()).expect("a terminal");
    let mut shell = CommandBuilder::new("sh");
    shell.args(["-c", line]);
    shell.env_clear();
    for (name, value) in seat.command(&[]).get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell.env("POTERNE_LANG", "fr");
    let mut child = pair.slave.spawn_command(shell).expect("sh is there");
    drop(pair.slave);
    let name = pair.master.tty_name().expect("it has a name");
    let mut screen = pair.master.try_clone_reader().expect("a screen");
    let (mut said, mut act) = (Vec::new(), Some(act));
    let mut piece = [0; 256];
    while let Ok(count @ 1..) = screen.read(&mut piece) {
        said.extend_from_slice(&piece[..count]);
        if String::from_utf8_lossy(&said).contains(at)
            && let Some(act) = act.take()
        {
            until_hidden(&name);
            let below = descendants(child.process_id().expect("it runs"));
            let is = |pid: &u32| {
                let comm = std::fs::read_to_string(format!("/proc/{pid}/comm"));
                comm.is_ok_and(|comm| comm.trim() == "poterne")
            };
            act(below.into_iter().find(is).expect("it asks"));
        }
    }
    let _ = child.wait();
    String::from_utf8_lossy(&said).into_owned()
}

#[test]
fn a_password_is_asked_for_in_french_and_a_signal_gives_the_terminal_back() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup { password: Some("juste".to_owned()), ..Setup::default() });
    seat.ok(&["add", "client", "A"]);
    let (port, user) = (server.port.to_string(), user());
    let add = ["add", "ssh", "A/s", "--host", "127.0.0.1", "--port", &port, "--user", &user];
    seat.ok(&[&add[..], &["--credential", "ask", "--auth", "password"]].concat());
    let line = format!(
        "{} connect A/s --accept-host-key {}; echo status=$?; stty -a",
        env!("CARGO_BIN_EXE_poterne"),
        server.fingerprint("ed25519")
    );
    let asked = format!("Mot de passe de {user} sur 127.0.0.1");
    let screen = on_terminal(&seat, &line, &asked, |pid| signal("-TERM", pid));
    assert!(screen.contains("status=143"), "{screen}");
    let modes: Vec<&str> = screen.split_whitespace().collect();
    assert!(modes.contains(&"icanon") && modes.contains(&"echo"), "{screen}");
}

#[test]
fn a_signal_at_any_secret_prompt_gives_the_terminal_back() {
    let seat = Seat::locked();
    let program = env!("CARGO_BIN_EXE_poterne");
    let new = seat.home.path().join("neuf.poterne");
    let init = format!("--vault {} init", new.display());
    let asked = [("ls", "Mot de passe"), ("unlock", "Mot de passe"), (&init, "mot de passe")];
    for (command, at) in asked {
        for (name, status) in [("-TERM", 143), ("-HUP", 129), ("-INT", 130)] {
            let line = format!("{program} {command}; echo status=$?; stty -a");
            let screen = on_terminal(&seat, &line, at, |pid| signal(name, pid));
            assert!(screen.contains(&format!("status={status}")), "{command}: {screen}");
            let modes: Vec<&str> = screen.split_whitespace().collect();
            let whole = ["icanon", "echo", "isig"].iter().all(|mode| modes.contains(mode));
            assert!(whole, "{command} {name}: {screen}");
        }
    }
}

#[test]
fn the_last_line_of_standard_error_is_one_document() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    let last = |args: &[&str], input: &str, status: i32| {
        let ran = seat.run(&[&["--json"], args].concat(), input).ended(status);
        let line = ran.err.lines().last().expect("a line").to_owned();
        serde_json::from_str::<Value>(&line).unwrap_or_else(|e| panic!("{e}: {}", ran.err))
    };
    let refused = last(&["connect", "A/s", "--", "true"], "no\n", 6);
    assert_eq!(refused["error"]["code"], "connection");
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    let told = last(&["connect", "A/s", "--", "printf half >&2; exit 3"], "", 3);
    assert_eq!(told["exit_status"], 3);
}

#[test]
fn the_log_says_who_cut_a_session_off() {
    let mut seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    let words = ["connect", "A/s", "--", "echo up; exec sleep 100"];
    let (mut gone, _out) = started(&seat, &words, "up");
    signal("-KILL", program(&gone));
    let _ = gone.wait();
    let closed = logged(&seat, "session.closed", 2);
    assert_eq!((word(&closed[0], "detail"), word(&closed[1], "detail")), ("", "client gone"));
    let (mut locked, _out) = started(&seat, &words, "up");
    // As it is set by then, and not at the unlock.
    seat.ok(&["settings", "--lock-ends-sessions", "yes"]);
    seat.ok(&["lock"]);
    assert_eq!(locked.wait().expect("it ends").code(), Some(6));
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    assert_eq!(word(&logged(&seat, "session.closed", 3)[2], "detail"), "locked");
}

#[test]
fn no_failure_looks_like_success() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    // The server has no name for this signal.
    seat.run(&["connect", "A/s", "--", "kill -XCPU $$"], "").ended(255);
    seat.run(&["connect", "A/s", "--", "kill -USR2 $$"], "").ended(128 + 12);
    seat.ok(&["add", "shell", "A/here"]);
    seat.run(&["connect", "A/here", "--", "kill -XCPU $$"], "").ended(128 + 24);
}

#[test]
fn a_malformed_fingerprint_is_wrong_use_and_a_bare_one_will_do() {
    let seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    let key = server.fingerprint("ed25519");
    let accept = |given: &str| {
        seat.run(&["connect", "A/s", "--accept-host-key", given, "--", "true"], "").status
    };
    for wrong in ["", "yes", "SHA256:abc", "MD5:00:11", &key[..key.len() - 1], &format!("{key},")] {
        assert_eq!(accept(wrong), 2, "{wrong}");
    }
    let log = seat.ok(&["--json", "audit", "log", "--event", "session.opening"]).json();
    assert_eq!(log["lines"].as_array().map(Vec::len), Some(0));
    assert_eq!(accept(&format!("{}=", key.trim_start_matches("SHA256:"))), 0);
}

#[test]
fn a_session_outlives_the_lock_and_its_end_is_logged_at_the_next_unlock() {
    let mut seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    for idle in [false, true] {
        let words = ["connect", "A/s", "--", "echo up; read line; exit 3"];
        let (mut runs, _out) = started(&seat, &words, "up");
        if idle {
            seat.ok(&["unlock", "--timeout", "1s"]);
            let end = std::time::Instant::now() + PATIENCE;
            while seat.ok(&["--json", "status"]).json()["unlocked"] == true {
                assert!(std::time::Instant::now() < end, "it locks");
            }
        } else {
            seat.ok(&["lock"]);
        }
        drop(runs.stdin.take());
        assert_eq!(runs.wait().expect("it ends").code(), Some(3), "idle: {idle}");
        let factors = seat.factors();
        // The line is there once the agent that held the session is gone.
        seat.run(&["unlock"], &factors).ended(0);
    }
    let opened = logged(&seat, "session.opened", 3);
    let mut closed = logged(&seat, "session.closed", 2);
    if closed.len() < opened.len() {
        // It was not stored yet when the vault was opened again.
        seat.ok(&["lock"]);
        let factors = seat.factors();
        seat.run(&["unlock"], &factors).ended(0);
        closed = logged(&seat, "session.closed", 3);
    }
    let exits: Vec<&str> = closed.iter().map(|f| word(f, "exit")).collect();
    assert_eq!(exits, ["0", "3", "3"]);
}

#[test]
fn an_agent_that_is_told_to_end_locks_and_the_log_tells_it() {
    let mut seat = Seat::unlocked();
    let server = Sshd::start(Setup::default());
    add(&seat, "A/s", &server, &[]);
    seat.run(&["connect", "A/s", "--", "true"], "yes\n").ended(0);
    let (mut runs, _out) = started(&seat, &["connect", "A/s", "--", "echo up; read line"], "up");
    let [agent] = super::cli_sessions::agent_pids(&seat)[..] else { panic!("one agent") };
    signal("-TERM", agent);
    assert_ne!(runs.wait().expect("it ends").code(), Some(0));
    let end = Instant::now() + PATIENCE;
    while !super::cli_sessions::agent_pids(&seat).is_empty() {
        assert!(Instant::now() < end, "it ends");
        std::thread::yield_now();
    }
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    assert_eq!(logged(&seat, "vault.locked", 1).len(), 1);
    assert_eq!(logged(&seat, "session.closed", 2).len(), 2);
}
