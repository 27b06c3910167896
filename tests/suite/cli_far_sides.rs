//! Far sides that do not do what they should, by the real program: no such
//! host, a refused port, an address that swallows everything, and servers that
//! fall silent. Each ends with 6, in two parts, with a line of the log, and the
//! vault as it was. Nothing leaves the loopback interface.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;

use super::cli_kit::{Ran, Seat, finish};

#[track_caller]
fn failed(seat: &Seat, ran: &Ran) {
    assert_eq!(ran.status, 6, "out: {}\nerr: {}", ran.out, ran.err);
    let lines: Vec<&str> = ran.err.trim().lines().collect();
    let (last, before) = lines.split_last().expect("something was said");
    assert!(last.starts_with('→') && last.len() > 10 && !before.is_empty(), "{}", ran.err);
    let log = seat.ok(&["--json", "audit", "log", "--event", "session.failed", "--last", "1"]);
    let line = log.json()["lines"][0].clone();
    assert_eq!(line["ok"], false, "{line}");
    let fields = line["fields"].as_object().expect("an object");
    assert!(fields.values().any(|value| value.as_str().is_some_and(|v| v.len() > 10)), "{line}");
    assert_eq!(fields["entry"], "A/s", "{line}");
    let shown = seat.ok(&["show", "A/s", "--field", "user"]).out;
    assert_eq!(shown, "root\n", "nothing is lost");
}

fn with_entry(seat: &Seat, host: &str, port: u16) {
    seat.ok(&["add", "client", "A"]);
    let port = port.to_string();
    let mut add = vec!["add", "ssh", "A/s", "--host", host, "--port", &port, "--user", "root"];
    add.extend(["--connect-timeout", "2", "--secret-stdin", "password"]);
    seat.run(&add, "geheim").ended(0);
}

fn connect(seat: &Seat) -> Ran {
    seat.run(&["connect", "A/s", "--", "true"], "")
}

#[test]
fn a_refused_port_is_told_and_logged() {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("free").port();
    let seat = Seat::unlocked();
    with_entry(&seat, "127.0.0.1", port);
    failed(&seat, &connect(&seat));
}

#[test]
fn an_address_that_swallows_everything_ends_in_time() {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    // A listener that accepts nobody, and whose queue is full.
    let door = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&door, &std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0)).expect("free");
    listen(&door, 0).expect("it was bound");
    let door = TcpListener::from(door);
    let address = door.local_addr().expect("bound");
    let wait = std::time::Duration::from_millis(500);
    let queue: Vec<TcpStream> =
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, wait).ok()).take(16).collect();
    assert!(queue.len() < 16, "the queue is full");
    let seat = Seat::unlocked();
    with_entry(&seat, "127.0.0.1", address.port());
    failed(&seat, &connect(&seat));
}

/// A server that says this to everybody, and then nothing for ever.
fn silent_after(words: &'static [u8], seat: &Seat) -> Ran {
    let door = TcpListener::bind("127.0.0.1:0").expect("free");
    with_entry(seat, "127.0.0.1", door.local_addr().expect("bound").port());
    let (over, until) = channel::<()>();
    let server = std::thread::spawn(move || {
        door.set_nonblocking(true).expect("ours");
        let mut guests = Vec::new();
        while until.recv_timeout(std::time::Duration::from_millis(20))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            if let Ok((mut guest, _)) = door.accept() {
                let _ = guest.write_all(words);
                guests.push(guest);
            }
        }
    });
    let ran = connect(seat);
    drop(over);
    server.join().expect("it only listens");
    ran
}

#[test]
fn a_server_that_never_speaks_is_told_and_logged() {
    let seat = Seat::unlocked();
    failed(&seat, &silent_after(b"", &seat));
}

#[test]
fn a_server_that_falls_silent_after_its_greeting_is_told_and_logged() {
    let seat = Seat::unlocked();
    failed(&seat, &silent_after(b"SSH-2.0-OpenSSH_9.2\r\n", &seat));
}

#[test]
fn an_unknown_host_is_told_and_logged() {
    let mut seat = Seat::unlocked();
    with_entry(&seat, "nowhere.invalid", 22);
    seat.ok(&["lock"]);
    // Without any network: the question for the name leaves no machine.
    let inner = seat.command(&["connect", "A/s", "--", "true"]);
    let mut outer = Command::new("unshare");
    outer.arg("--net").arg(inner.get_program()).args(inner.get_args()).env_clear();
    for (name, value) in inner.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    outer.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let factors = seat.factors();
    let ran = finish(outer, &factors);
    if ran.err.contains("unshare") {
        return;
    }
    assert!(ran.err.contains("nowhere.invalid"), "{}", ran.err);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    failed(&seat, &ran);
}
