//! Telnet, raw TCP and serial ports, against a real telnet server, a real TCP
//! service and a pair of pseudo-terminals.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use poterne::connect::link::{ChannelRequest, FromRemote, LineSignal, Link, TermSize, ToRemote};
use poterne::connect::{Failure, FailureKind, Progress};
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::Target;

use crate::kit_lines::{Cable, Service, Telnetd, line};
use crate::kit_ssh::*;

const PASSWORD: &str = "tuile-Érable-42";

fn warned(said: &[Progress]) -> bool {
    said.iter().any(|p| matches!(p, Progress::Warning(w) if w.en.starts_with("Not encrypted")))
}

/// Waits until the link knows that it is over: its channel hears of it first.
fn gone(link: &dyn Link) {
    let since = std::time::Instant::now();
    while link.alive() {
        assert!(since.elapsed() < PATIENCE, "it never ends");
        std::thread::yield_now();
    }
}

#[test]
fn telnet_logs_in_types_resizes_and_ends() {
    let server = Telnetd::start(PASSWORD);
    let (link, lease) = server.open(PASSWORD);
    assert_eq!(lease.taken, [(0, Slot::Password)], "once, when it was asked for");
    assert!(warned(&lease.said) && lease.asked.is_empty());
    let info = link.info();
    assert_eq!((info.user.as_str(), info.warnings.len()), (server.user.as_str(), 1));
    assert_eq!(info.signals, [LineSignal::Break]);

    let mut talk = Talk::shell(&*link, 101, 31);
    talk.send("stty size; echo $TERM; id -un; echo do''ne\r");
    talk.until("done\r\n");
    for part in ["31 101", "xterm-256color", &server.user, "login: "] {
        assert!(talk.text().contains(part), "{part}: {}", talk.text());
    }
    assert!(!talk.text().contains(PASSWORD));
    talk.channel.send(ToRemote::Resize(TermSize { cols: 77, rows: 22 }));
    // The size travels as telnet's own word, ahead of what is typed after it.
    talk.send("stty size; echo é | od -An -tx1; echo a''gain\r");
    talk.until("again\r\n");
    assert!(talk.text().contains("22 77"), "{}", talk.text());
    assert!(talk.text().contains("c3 a9 0a"), "{}", talk.text());
    // What is done there is done.
    talk.send("echo there > effect; exit\r");
    let dir = server.dir.path().join("effect");
    let talk = talk.finish();
    assert_eq!(talk.closed, Some(None), "the server ended it in order");
    assert_eq!(fs::read_to_string(dir).expect("the shell wrote it"), "there\n");
    gone(&*link);
}

#[test]
fn telnet_opens_one_terminal_and_no_command() {
    let server = Telnetd::start(PASSWORD);
    let (link, _lease) = server.open(PASSWORD);
    let request = ChannelRequest::Exec { command: "true".into(), size: None, term: String::new() };
    let Err(failure) = Talk::open(&*link, request) else { panic!("it ran") };
    assert!(failure.what.en.contains("runs no command"), "{}", failure.what.en);
    let talk = Talk::shell(&*link, 80, 24);
    let size = TermSize { cols: 80, rows: 24 };
    let second = ChannelRequest::Shell { size, term: "vt100".into() };
    let Err(failure) = Talk::open(&*link, second) else { panic!("there are two") };
    assert!(failure.what.en.contains("terminal already"), "{}", failure.what.en);
    // Closing it ends the connection.
    talk.channel.send(ToRemote::Close);
    assert_eq!(talk.finish().closed, Some(None));
    link.close();
    gone(&*link);
}

#[test]
fn a_wrong_password_is_given_once_and_refused() {
    let server = Telnetd::start(PASSWORD);
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, b"wrong");
    let failure = must_fail(&line("telnet", hops.remove(0)), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login);
    assert!(failure.what.en.contains(&server.user), "{}", failure.what.en);
    assert_eq!(lease.taken.len(), 1);
}

#[test]
fn without_a_stored_login_the_person_answers_in_the_terminal() {
    let server = Telnetd::start(PASSWORD);
    let mut place = server.hop();
    place.user.clear();
    place.ask = true;
    let mut lease = FakeLease::default();
    let link = must_open(&line("telnet", with(place, "term", "vt220")), &mut lease);
    assert!(lease.taken.is_empty() && lease.asked.is_empty());
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("login: ");
    talk.send(&format!("{}\r", server.user));
    talk.until("Password: ");
    talk.send(&format!("{PASSWORD}\r"));
    talk.until("$ ");
    talk.send("echo TERM=$TERM.\r");
    talk.until("TERM=vt220.");
}

#[test]
fn a_telnet_server_that_is_killed_ends_the_session() {
    let mut server = Telnetd::start(PASSWORD);
    let (link, _lease) = server.open(PASSWORD);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo he''re\r");
    talk.until("here");
    server.kill();
    let talk = talk.finish();
    // The system of the server ends the connection for it, in order or not.
    assert!(matches!(talk.closed, Some(None | Some(Failure { kind: FailureKind::Network, .. }))));
    gone(&*link);
}

#[test]
fn telnet_answers_in_its_own_words_and_sends_a_break() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    let device = std::thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut visitor, _) = listener.accept().expect("a visitor");
        // DO NAWS, WILL ECHO, DO LINEMODE; then text with a doubled 255 in it.
        visitor
            .write_all(b"\xff\xfd\x1f\xff\xfb\x01\xff\xfd\x22ready\xff\xff>")
            .expect("connected");
        let mut heard = Vec::new();
        let mut byte = [0];
        while !heard.ends_with(&[0xff, 0xf3]) && visitor.read(&mut byte).expect("bytes") == 1 {
            heard.push(byte[0]);
        }
        heard
    });
    let link = must_open(&line("telnet", hop_without_login(port)), &mut FakeLease::default());
    let mut talk = Talk::shell(&*link, 255, 40);
    while !talk.out.ends_with(b">") {
        assert!(talk.next());
    }
    assert_eq!(talk.out, b"ready\xff>");
    talk.channel.send(ToRemote::Data(b"\xffx\r".to_vec()));
    talk.channel.send(ToRemote::Signal(LineSignal::DtrOff));
    talk.channel.send(ToRemote::Signal(LineSignal::Break));
    let size = b"\xff\xfa\x1f\x00\xff\xff\x00\x28\xff\xf0";
    let agreed = b"\xff\xfd\x01\xff\xfc\x22";
    let wanted = [b"\xff\xfb\x1f", &size[..], agreed, b"\xff\xffx\r\0\xff\xf3"].concat();
    assert_eq!(device.join().expect("it heard a break"), wanted);
}

#[test]
fn telnet_speaks_first_on_its_own_port_only() {
    use std::io::Read;
    // An address of this machine's own that nothing else listens at.
    let listener = TcpListener::bind("127.0.0.23:23").expect("the tests of passwords run as root");
    let device = std::thread::spawn(move || {
        let (mut visitor, _) = listener.accept().expect("a visitor");
        let mut first = [0; 12];
        visitor.read_exact(&mut first).expect("it speaks first");
        first
    });
    let mut place = hop_without_login(23);
    place.at.host = "127.0.0.23".into();
    let link = must_open(&line("telnet", place), &mut FakeLease::default());
    let _talk = Talk::shell(&*link, 80, 24);
    // WILL SGA, TTYPE and NAWS; DO SGA.
    let offers = b"\xff\xfb\x03\xff\xfb\x18\xff\xfb\x1f\xff\xfd\x03";
    assert_eq!(&device.join().expect("it heard"), offers);
}

#[test]
fn a_user_that_is_not_stored_is_asked_for_when_the_device_asks() {
    let server = Telnetd::start(PASSWORD);
    let mut hops = vec![server.hop()];
    hops[0].user.clear();
    let mut lease = FakeLease::default();
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    lease.answers.push_back(server.user.clone());
    let link = must_open(&line("telnet", hops.remove(0)), &mut lease);
    assert_eq!(
        (lease.asked.as_slice(), link.info().user),
        (&["user".into()][..], server.user.clone())
    );
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("id -un\r");
    talk.until(&format!("\n{}\r\n", server.user));
}

fn hop_without_login(port: u16) -> poterne::model::target::Hop {
    let mut place = hop(port);
    place.user.clear();
    place
}

#[test]
fn telnet_goes_through_a_jump_host() {
    let (jump, server) = (Sshd::start(Setup::default()), Telnetd::start(PASSWORD));
    let key = keygen(jump.dir.path(), "k", &["-t", "ed25519"]);
    jump.authorize(&key);
    let mut lease = FakeLease::default();
    let mut hops = vec![jump.hop(), server.hop()];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&Target { kind: Kind::new("telnet"), hops }, &mut lease);
    assert!(link.info().warnings[0].en.starts_with("Not encrypted beyond the jump host"));
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo th''rough\r");
    talk.until("through");
    drop(jump);
    let talk = talk.finish();
    let Some(Some(why)) = talk.closed else { panic!("the jump host was lost: {:?}", talk.closed) };
    assert_eq!(why.kind, FailureKind::Network);
}

#[test]
fn a_pattern_that_is_none_is_named_before_anything_starts() {
    let mut lease = FakeLease::default();
    for kind in [("login-prompt", "(", "telnet"), ("line-ending", "x", "raw")] {
        let place = with(hop(free_port()), kind.0, kind.1);
        let failure = must_fail(&line(kind.2, place), &mut lease);
        assert_eq!(failure.kind, FailureKind::Setting);
        assert!(failure.what.en.contains(kind.0), "{}", failure.what.en);
    }
    assert!(lease.children.is_empty());
}

#[test]
fn raw_carries_every_byte_both_ways() {
    let service = Service::start("echo hello; cat");
    let mut lease = FakeLease::default();
    let place = with(hop(service.port), "local-echo", "no");
    let link = must_open(&line("raw", place), &mut lease);
    assert!(warned(&lease.said) && link.info().warnings.len() == 1);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("hello\n");
    let all: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    talk.channel.send(ToRemote::Data(all.clone()));
    talk.channel.send(ToRemote::Eof);
    let talk = talk.finish();
    assert!(talk.out[6..] == all[..], "{} bytes came", talk.out.len());
    assert_eq!(talk.closed, Some(None));
}

#[test]
fn raw_shows_what_is_typed_and_sends_the_chosen_ending() {
    let service = Service::start("od -An -tx1 -N4");
    let place = with(hop(service.port), "line-ending", "crlf");
    let link = must_open(&line("raw", place), &mut FakeLease::default());
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("ab\r");
    talk.until("61 62 0d 0a");
    assert!(talk.text().starts_with("ab\r\n"), "{:?}", talk.text());
}

#[test]
fn a_raw_service_that_is_killed_ends_the_session() {
    let mut service = Service::start("echo hello; cat");
    let link = must_open(&line("raw", hop(service.port)), &mut FakeLease::default());
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("hello");
    service.kill();
    assert!(talk.finish().closed.is_some());
    gone(&*link);
}

#[test]
fn an_idle_line_is_closed() {
    let service = Service::start("cat");
    let place = with(hop(service.port), "idle-timeout", "1");
    let link = must_open(&line("raw", place), &mut FakeLease::default());
    let talk = Talk::shell(&*link, 80, 24).finish();
    let Some(Some(why)) = talk.closed else { panic!("{:?}", talk.closed) };
    assert!(why.todo.en.contains("idle-timeout"), "{}", why.todo.en);
}

#[test]
fn a_refused_port_and_a_black_hole_have_their_texts_on_plain_lines() {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    // A socket whose queue is full drops what comes, as a firewall does.
    let hole = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    let port = free_port();
    let address = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    bind(&hole, &address).expect("it was free");
    listen(&hole, 0).expect("bound");
    let limit = std::time::Duration::from_millis(300);
    let mut filling = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, limit) {
        filling.push(stream);
    }
    for kind in ["telnet", "raw"] {
        let mut lease = FakeLease::default();
        let failure = must_fail(&line(kind, hop(free_port())), &mut lease);
        assert_eq!(failure.kind, FailureKind::Refused);
        let slow = with(hop(port), "connect-timeout", "1");
        let failure = must_fail(&line(kind, slow), &mut lease);
        assert_eq!(failure.kind, FailureKind::Timeout);
        assert!(failure.what.en.contains("within 1 s"), "{}", failure.what.en);
    }
}

#[test]
fn a_server_that_hangs_up_during_the_login_is_quoted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    let full = std::thread::spawn(move || {
        use std::io::Write;
        let (mut visitor, _) = listener.accept().expect("a visitor");
        visitor.write_all(b"All lines are busy\x07\r\n").expect("connected");
    });
    let mut place = hop(port);
    place.user = "zoe".into();
    let failure = must_fail(&line("telnet", place), &mut FakeLease::default());
    full.join().expect("it ended");
    assert!(failure.what.en.ends_with("“All lines are busy”"), "{}", failure.what.en);
}

/// A device that says what it gets, line by line.
const DEVICE: &str = r#"printf "ready\r\n"; while read -r x; do printf "got %s\r\n" "$x"; done"#;

#[test]
fn a_serial_port_answers_and_its_unplugging_is_told() {
    let mut cable = Cable::plug(DEVICE);
    let mut lease = FakeLease::default();
    let mut place = with(cable.hop(), "profile", "aruba");
    place = with(place, "line-ending", "lf");
    let link = must_open(&line("serial", place), &mut lease);
    let info = link.info();
    let device = cable.device.display().to_string();
    assert_eq!(info.description, format!("{device} · 115200 8N1"));
    assert_eq!(info.signals.len(), 3);
    assert!(info.warnings.is_empty() && lease.taken.is_empty());
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("bonjour\r");
    talk.until("got bonjour");
    // No such lines on a pseudo-terminal: nothing happens, and nothing breaks.
    for signal in [LineSignal::Break, LineSignal::DtrOff, LineSignal::DtrOn] {
        talk.channel.send(ToRemote::Signal(signal));
    }
    talk.channel.send(ToRemote::Resize(TermSize { cols: 90, rows: 20 }));
    talk.send("encore\r");
    talk.until("got encore");
    assert!(!talk.text().contains("\nencore"), "the device alone echoes: {}", talk.text());

    // Nobody else gets the port meanwhile.
    let failure = must_fail(&line("serial", cable.hop()), &mut FakeLease::default());
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.what.en.contains("Another program"), "{}", failure.what.en);

    cable.unplug();
    let talk = talk.finish();
    let Some(Some(why)) = talk.closed else { panic!("{:?}", talk.closed) };
    assert!(why.what.en.contains(&format!("{device} was unplugged")), "{}", why.what.en);
    gone(&*link);
}

#[test]
fn a_serial_port_is_set_as_its_entry_says() {
    let cable = Cable::plug("cat");
    let device = cable.device.to_str().expect("UTF-8");
    // The C library's own call knows no speed that is set as a number.
    let read = "import fcntl, os, struct, sys; f = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY); \
                print(struct.unpack('4I20B2I', fcntl.ioctl(f, 0x802C542A, bytes(44)))[-1])";
    let speed = || sh("python3", &["-c", read, device]).trim().to_owned();
    for (settings, set, told) in [
        (&[("profile", "sophos")][..], "38400", "38400 8N1"),
        (&[("profile", "sophos"), ("speed", "19200"), ("parity", "even")], "19200", "19200 8E1"),
        (&[("stop-bits", "2"), ("flow-control", "rts-cts")], "9600", "9600 8N2 RTS/CTS"),
    ] {
        let mut place = cable.hop();
        for (id, value) in settings {
            place = with(place, id, value);
        }
        let link = must_open(&line("serial", place), &mut FakeLease::default());
        assert_eq!(speed(), set);
        assert!(link.info().description.ends_with(told), "{}", link.info().description);
        let mut talk = Talk::shell(&*link, 80, 24);
        talk.send("x");
        talk.until("x");
        talk.channel.send(ToRemote::Close);
        talk.finish();
        link.close();
    }
}

#[test]
fn a_port_that_is_missing_or_not_named_is_told_with_those_there_are() {
    let mut missing = with(hop(0), "device", "/dev/ttyNowhere9");
    missing.at.host.clear();
    let failure = must_fail(&line("serial", missing), &mut FakeLease::default());
    assert_eq!(failure.kind, FailureKind::UnknownHost);
    assert!(failure.what.en.contains("/dev/ttyNowhere9"), "{}", failure.what.en);
    let present = poterne::os::serial::present();
    for port in &present {
        assert!(failure.todo.en.contains(port), "{port}: {}", failure.todo.en);
    }
    assert!(!present.is_empty() || failure.todo.en.contains("no serial port at the moment"));
    let failure = must_fail(&line("serial", hop(0)), &mut FakeLease::default());
    assert!(failure.what.en.contains("names no serial port"), "{}", failure.what.en);
    let file = tempfile::NamedTempFile::new().expect("a file");
    let place = with(hop(0), "device", file.path().to_str().expect("UTF-8"));
    let failure = must_fail(&line("serial", place), &mut FakeLease::default());
    assert!(failure.what.en.contains("does not open"), "{}", failure.what.en);
}

/// The message is not lost that nobody listens to.
#[test]
fn a_sink_hears_of_the_end_exactly_once() {
    let service = Service::start("printf bye");
    let link = must_open(&line("raw", hop(service.port)), &mut FakeLease::default());
    let (sender, ends) = std::sync::mpsc::channel();
    let size = TermSize { cols: 80, rows: 24 };
    let channel = link.open_channel(
        ChannelRequest::Shell { size, term: "xterm".into() },
        Box::new(move |message| {
            if matches!(message, FromRemote::Closed(_)) {
                let _ = sender.send(());
            }
        }),
    );
    let channel = channel.unwrap_or_else(|e| panic!("{}", e.what.en));
    ends.recv_timeout(PATIENCE).expect("it ends");
    link.close();
    drop((channel, link));
    assert!(ends.recv().is_err(), "and only once");
}
