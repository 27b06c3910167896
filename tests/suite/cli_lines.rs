//! Plain lines from the command line: made, planned, opened, and refused where the
//! protocol has no commands, against a real telnet server, a TCP service and a
//! serial cable.

use std::io::{Read, Write};
use std::sync::mpsc::channel;

use portable_pty::{CommandBuilder, PtySize, native_pty_system};

use super::cli_kit::Seat;
use super::kit_lines::{Cable, Service, Telnetd};

const PASSWORD: &str = "tuile-Érable-42";

fn telnet_entry(seat: &Seat, server: &Telnetd) {
    let (port, user) = (server.port.to_string(), server.user.clone());
    seat.ok(&["add", "client", "A"]);
    let add = ["add", "telnet", "A/switch", "--host", "127.0.0.1", "--port", &port];
    let login = ["--user", &user, "--credential", "own", "--secret-stdin", "password"];
    seat.run(&[&add[..], &login].concat(), PASSWORD).ended(0);
}

/// The fields of the last line of that event.
fn logged(seat: &Seat, event: &str) -> serde_json::Value {
    let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
    log["lines"].as_array().and_then(|all| all.last()).expect("it is logged")["fields"].clone()
}

#[test]
fn telnet_is_planned_opened_warned_of_and_logged() {
    let seat = Seat::unlocked();
    let server = Telnetd::start(PASSWORD);
    telnet_entry(&seat, &server);
    let plan = seat.ok(&["plan", "A/switch"]).out;
    assert!(plan.contains(&server.port.to_string()) && plan.contains("login-prompt"), "{plan}");

    let typed = seat.run(&["connect", "A/switch"], "id -un; exit\n").ended(0);
    assert!(typed.out.contains(&format!("\n{}\r\n", server.user)), "{}", typed.out);
    assert_eq!(typed.err.matches("Not encrypted").count(), 1, "{}", typed.err);
    assert!(!typed.out.contains(PASSWORD) && !typed.err.contains(PASSWORD));

    let opened = logged(&seat, "session.opened");
    assert_eq!(opened["connector"], "telnet");
    assert_eq!(opened["host"], "127.0.0.1");
    assert_eq!(opened["port"], server.port.to_string());
    let detail = opened["detail"].as_str().expect("text");
    assert!(detail.starts_with("telnet") && detail.contains("Not encrypted"), "{detail}");
    let closed = logged(&seat, "session.closed");
    for number in ["bytes_in", "bytes_out", "duration_ms"] {
        let value = closed[number].as_str().and_then(|n| n.parse::<u64>().ok());
        assert!(value.is_some_and(|n| n > 0), "{number}: {closed}");
    }

    // Every connection is a new one.
    seat.run(&["connect", "A/switch"], "exit\n").ended(0);
    seat.run(&["edit", "A/switch", "--secret-stdin", "password"], "wrong").ended(0);
    let refused = seat.run(&["connect", "A/switch"], "exit\n").ended(6);
    assert!(refused.err.contains("refused the login"), "{}", refused.err);
    let failed = logged(&seat, "session.failed");
    assert!(failed["detail"].as_str().expect("text").starts_with("login: "), "{failed}");
}

#[test]
fn plain_lines_refuse_commands_and_say_what_they_lack() {
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    seat.ok(&["add", "telnet", "A/t", "--host", "127.0.0.1"]);
    seat.ok(&["add", "raw", "A/r", "--host", "127.0.0.1"]);
    seat.ok(&["add", "serial", "A/s"]);
    for path in ["A/t", "A/r", "A/s"] {
        let refused = seat.run(&["connect", path, "--", "show", "version"], "").ended(2);
        assert!(refused.err.contains("runs no command"), "{}", refused.err);
        seat.run(&["connect", path, "--tty"], "").ended(2);
    }
    let plan = seat.ok(&["--json", "plan", "A/r"]).json();
    assert_eq!(plan["broken"][0], "“A/r” has no port.");
    seat.run(&["connect", "A/r"], "").ended(1);
    let none = seat.run(&["connect", "A/s"], "").ended(2);
    assert!(none.err.contains("names no serial port"), "{}", none.err);
    // A telnet entry leads to no other machine.
    let jump = ["edit", "A/r", "--port", "9", "--jump", "A/t"];
    let refused = seat.run(&jump, "").ended(2);
    assert!(refused.err.contains("A/t"), "{}", refused.err);
    seat.run(&["edit", "A/s", "--speed", "12"], "").ended(2);
    seat.ok(&["edit", "A/s", "--speed", "921600", "--parity", "even"]);
}

#[test]
fn a_raw_service_answers_what_standard_input_holds() {
    let seat = Seat::unlocked();
    let service = Service::start("tr a-z A-Z");
    seat.ok(&["add", "client", "A"]);
    let port = service.port.to_string();
    let add = ["add", "raw", "A/r", "--host", "127.0.0.1", "--port", &port];
    seat.ok(&add);
    let ran = seat.run(&["connect", "A/r"], "bonjour\n").ended(0);
    assert_eq!(ran.out, "BONJOUR\n");
    assert!(ran.err.contains("Not encrypted"), "{}", ran.err);
    let closed = logged(&seat, "session.closed");
    let told = [("connector", "raw"), ("host", "127.0.0.1"), ("port", &port)];
    for (name, value) in told.iter().chain(&[("bytes_in", "8"), ("bytes_out", "8")]) {
        assert_eq!(closed[name], *value, "{name}: {closed}");
    }
}

#[test]
fn a_person_at_a_terminal_leaves_a_serial_line_by_its_escape_key() {
    let seat = Seat::unlocked();
    let cable = Cable::plug(r#"while read -r x; do printf "got %s\r\n" "$x"; done"#);
    seat.ok(&["add", "client", "A"]);
    let device = cable.device.to_str().expect("UTF-8");
    seat.ok(&["add", "serial", "A/s", "--device", device, "--line-ending", "lf"]);
    let pty = native_pty_system()
        .openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 })
        .expect("a terminal");
    let like = seat.command(&["connect", "A/s"]);
    let mut command = CommandBuilder::new(like.get_program());
    command.args(like.get_args());
    command.env_clear();
    for (name, value) in like.get_envs() {
        command.env(name, value.expect("only set ones"));
    }
    let mut child = pty.slave.spawn_command(command).expect("the program starts");
    drop(pty.slave);
    let mut output = pty.master.try_clone_reader().expect("a reader");
    let mut keys = pty.master.take_writer().expect("a writer");
    let (sender, said) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(n @ 1..) = output.read(&mut buffer) {
            let _ = sender.send(String::from_utf8_lossy(&buffer[..n]).into_owned());
        }
    });
    let mut seen = String::new();
    let mut until = |text: &str| {
        while !seen.contains(text) {
            let next = said.recv_timeout(super::kit_ssh::PATIENCE);
            seen.push_str(&next.unwrap_or_else(|_| panic!("no {text:?} in {seen:?}")));
        }
    };
    until("Ctrl+] then: q ends the session, b sends a break, d lowers DTR");
    keys.write_all(b"enable\r").expect("it reads");
    until("got enable");
    keys.write_all(b"\x1db\x1ddmore\r").expect("it reads");
    until("got more");
    keys.write_all(b"\x1dq").expect("it reads");
    assert!(child.wait().expect("it ends").success());
    let opened = logged(&seat, "session.opened");
    assert_eq!(
        (opened["connector"].as_str(), opened["host"].as_str()),
        (Some("serial"), Some(device))
    );
    let closed = logged(&seat, "session.closed");
    assert!(closed["bytes_out"].as_str().is_some_and(|n| n == "12"), "{closed}");
}
