//! An RD Gateway that wants the password itself, says nothing, sends nonsense or more than
//! anybody takes; and who gives up on it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use openssl::ssl::{Ssl, SslAcceptor, SslFiletype, SslMethod, SslVersion};
use poterne::connect::FailureKind;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, Target};

use crate::kit_rdgw::{Rdgw, Rules};
use crate::kit_rdp::*;
use crate::kit_ssh::*;
use crate::manifest_programs::all_gone;

const PASSWORD: &str = "tuile-Érable-42";
const PASSAGE: &str = "passage-Œuvre-77";

fn rules() -> Rules {
    Rules { user: "garde".into(), password: PASSAGE.into(), ..Rules::default() }
}

/// A target through a gateway whose certificate is known, both passwords planted.
fn through(gateway: &Rdgw, far: Hop, lease: &mut FakeLease) -> Target {
    let (mut before, far) = (gateway.hop(), gateway.before(far));
    before.pinned.push(gateway.pinned());
    let mut hops = vec![before, far];
    lease.plant(&mut hops, 0, Slot::Password, PASSAGE.as_bytes());
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    Target { kind: Kind::new("rdp"), hops }
}

#[test]
fn a_gateway_that_takes_the_password_only_as_it_is_does_not_get_it() {
    for wants in ["Basic realm=\"rds\"", "Digest realm=\"rds\", Basic realm=\"rds\""] {
        let gateway = Rdgw::start(Rules { wants: Some(wants), ..rules() });
        let mut lease = FakeLease::default();
        let failure = must_fail(&through(&gateway, hop(1), &mut lease), &mut lease);
        assert_eq!(gateway.given(), [""; 0], "{wants}");
        assert!(lease.taken.is_empty(), "{:?}", lease.taken);
        assert_eq!(failure.kind, FailureKind::Protocol, "{failure:?}");
        assert!(failure.what.en.contains("wants the password itself"), "{failure:?}");
        assert!(failure.todo.fr.contains("NTLM"), "{failure:?}");
    }
}

#[test]
fn a_gateway_that_offers_negotiation_is_not_proven_to_by_a_kdc_of_the_machine() {
    let kdc = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = kdc.local_addr().expect("bound").port();
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("krb5.conf");
    let told = format!("[realms]\nESSAI = {{\n kdc = 127.0.0.1:{port}\n}}\n");
    fs::write(&config, told).expect("ours");
    let gateway = Rdgw::start(Rules { wants: Some("Negotiate, NTLM"), ..rules() });
    // What is the machine's; a session process is told of none before.
    let mut lease = FakeLease::default();
    lease.env_before.push(("KRB5_CONFIG".into(), config.into()));
    let mut target = through(&gateway, hop(free_port()), &mut lease);
    target.hops[0].user = "ESSAI\\garde".into();
    let failure = must_fail(&target, &mut lease);
    // The gateway was asked, and knows no such user of that domain.
    assert!(gateway.given().iter().any(|told| told.starts_with("N")), "{:?}", gateway.given());
    assert_ne!(failure.kind, FailureKind::Timeout, "{failure:?}");
    kdc.set_nonblocking(true).expect("ours");
    assert!(kdc.accept().is_err(), "the KDC was asked");
    all_gone(&lease);
}

#[test]
fn giving_up_on_a_gateway_that_says_nothing_leaves_nothing_behind() {
    let gateway = Rdgw::start(Rules { silent: true, ..rules() });
    let mut lease = FakeLease::default();
    let target = through(&gateway, hop(1), &mut lease);
    let gave_up = lease.gave_up.clone();
    let failure = std::thread::scope(|scope| {
        scope.spawn(|| {
            eventually("it is there", || (gateway.visitors() > 0).then_some(()));
            gave_up.store(true, Ordering::SeqCst);
        });
        let mut target = target.clone();
        target.hops[1].settings.insert("connect-timeout".into(), "600".into());
        must_fail(&target, &mut lease)
    });
    assert_eq!(failure.kind, FailureKind::Cancelled, "{failure:?}");
    eventually("nobody is there", || (gateway.visitors() == 0).then_some(()));
    all_gone(&lease);
}

#[test]
fn a_gateway_that_says_nothing_is_waited_for_as_long_as_the_entry_says() {
    let gateway = Rdgw::start(Rules { silent: true, ..rules() });
    let mut lease = FakeLease::default();
    let mut target = through(&gateway, hop(1), &mut lease);
    target.hops[1].settings.insert("connect-timeout".into(), "1".into());
    let failure = must_fail(&target, &mut lease);
    assert_eq!(failure.kind, FailureKind::Timeout, "{failure:?}");
    assert!(failure.what.en.contains(&gateway.port.to_string()), "{failure:?}");
    all_gone(&lease);
}

/// A packet of MS-TSGU in a frame of WebSocket's.
fn framed(kind: u16, length: u32, body: &[u8]) -> Vec<u8> {
    let mut packet = kind.to_le_bytes().to_vec();
    packet.extend([0, 0]);
    packet.extend(length.to_le_bytes());
    packet.extend(body);
    let short = u8::try_from(packet.len()).expect("it is short");
    [&[0x82, short][..], &packet].concat()
}

#[test]
fn nonsense_from_a_gateway_ends_the_session_in_words_for_a_person() {
    let mut endless = vec![0x82, 127];
    endless.extend((1u64 << 40).to_be_bytes());
    for (name, bytes) in [
        ("a packet longer than its frame", framed(0x0A, 0xFFFF_FFFF, &[4, 0, 1, 2, 3, 4])),
        ("a packet shorter than its head", framed(0x0A, 4, &[4, 0, 1, 2, 3, 4])),
        ("data longer than its packet", framed(0x0A, 14, &[0xFF, 0xFF, 1, 2, 3, 4])),
        ("a packet without a head", vec![0x82, 2, 0x0A, 0]),
        ("a frame of a thousand gigabytes", endless),
        ("a frame that is none", vec![0xF7, 0]),
        ("bytes of nobody's inside TLS", framed(0x0A, 14, &[4, 0, 9, 9, 9, 9])),
    ] {
        let (gateway, server) = (Rdgw::start(rules()), Xrdp::start(PASSWORD));
        let mut lease = FakeLease::default();
        let mut target = through(&gateway, server.hop(), &mut lease);
        target.hops[1].pinned.push(server.pinned());
        let link = must_open(&target, &mut lease);
        let desk =
            Desktop::open(&*link, size(802, 601)).unwrap_or_else(|e| panic!("{}", e.what.en));
        gateway.speak(&bytes);
        let failure = desk.finish().unwrap_or_else(|| panic!("{name}: no reason"));
        let words = format!("{name}: {:?} {} {}", failure.kind, failure.what.en, failure.what.fr);
        assert!(!words.contains("panicked") && !words.contains("assertion"), "{words}");
        if !name.contains("TLS") {
            assert_eq!(failure.kind, FailureKind::Protocol, "{words}");
            assert!(
                words.contains("the gateway 127") && words.contains("la passerelle"),
                "{words}"
            );
            assert!(failure.todo.en.contains("log of the gateway"), "{}", failure.todo.en);
        }
        drop(link);
        all_gone(&lease);
    }
}

#[test]
fn a_gateway_that_hangs_up_in_the_middle_is_named() {
    let (gateway, server) = (Rdgw::start(rules()), Xrdp::start(PASSWORD));
    let mut lease = FakeLease::default();
    let mut target = through(&gateway, server.hop(), &mut lease);
    target.hops[1].pinned.push(server.pinned());
    let link = must_open(&target, &mut lease);
    let desk = Desktop::open(&*link, size(802, 601)).unwrap_or_else(|e| panic!("{}", e.what.en));
    // Of a frame of 100 bytes, ten.
    gateway.speak(&[&[0x82, 100][..], &[0; 10]].concat());
    gateway.cut();
    let failure = desk.finish().expect("a reason");
    assert_eq!(failure.kind, FailureKind::Network, "{failure:?}");
    assert!(failure.what.en.contains("the gateway 127.0.0.1"), "{failure:?}");
    drop(link);
    all_gone(&lease);
}

/// A server that takes TLS and then sends more than anybody reads: tickets of TLS 1.3,
/// about 5 MB of them.
struct Flood {
    port: u16,
    dir: tempfile::TempDir,
    /// Says when somebody is there, and when it has sent all.
    steps: Receiver<()>,
    /// Whether that may be the end.
    over: Sender<()>,
    thread: JoinHandle<()>,
}

impl Flood {
    const TICKETS: usize = 20_000;

    fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        certificate(dir.path());
        let mut tls = SslAcceptor::mozilla_modern_v5(SslMethod::tls()).expect("TLS");
        tls.set_private_key_file(dir.path().join("key.pem"), SslFiletype::PEM).expect("made");
        tls.set_certificate_file(dir.path().join("cert.pem"), SslFiletype::PEM).expect("made");
        tls.set_min_proto_version(Some(SslVersion::TLS1_3)).expect("TLS 1.3");
        tls.set_num_tickets(Self::TICKETS).expect("as many");
        let tls = tls.build();
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let (step, steps) = channel();
        let (over, ends) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a visitor");
            let mut head = [0; 4];
            socket.read_exact(&mut head).expect("a request");
            let mut rest = vec![0; usize::from(head[3]) - 4];
            socket.read_exact(&mut rest).expect("a request");
            // TLS it is (MS-RDPBCGR section 2.2.1.2).
            let chosen = [3, 0, 0, 0x13, 0x0E, 0xD0, 0, 0, 0x12, 0x34, 0, 2, 0, 8, 0, 1, 0, 0, 0];
            socket.write_all(&chosen).expect("it reads");
            step.send(()).expect("the test waits");
            let sent = Ssl::new(tls.context()).expect("TLS").accept(socket);
            step.send(()).expect("the test waits");
            let _ = ends.recv();
            drop(sent);
        });
        Self { port, dir, steps, over, thread }
    }
}

/// The most memory that a process has had, in KiB.
fn most(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[test]
fn what_a_gateway_brings_is_not_piled_up() {
    let (gateway, server) = (Rdgw::start(rules()), Flood::start());
    let mut lease = FakeLease::default();
    let far = with(with(hop(server.port), "security", "tls"), "connect-timeout", "300");
    let mut target = through(&gateway, far, &mut lease);
    let known = pinned(&target.hops[1].at, server.dir.path());
    target.hops[1].pinned.push(known);
    let latest = lease.latest.clone();
    let (steps, over) = (server.steps, server.over);
    let grown = std::thread::scope(|scope| {
        let watched = scope.spawn(move || {
            let most = |()| most(latest.load(Ordering::SeqCst));
            let there = steps.recv_timeout(PATIENCE).map(most);
            let sent = steps.recv_timeout(PATIENCE).map(most);
            drop(over);
            sent.expect("it sent all") - there.expect("somebody came")
        });
        let link = must_open(&target, &mut lease);
        let failure = Desktop::open(&*link, size(802, 601)).err().expect("there is no desktop");
        assert!(!failure.todo.fr.is_empty(), "{failure:?}");
        drop(link);
        watched.join().expect("no panic")
    });
    assert!(grown < 3 << 10, "it grew by {grown} KiB");
    server.thread.join().expect("it sent what it had");
    all_gone(&lease);
}
