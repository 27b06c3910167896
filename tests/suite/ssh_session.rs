//! What runs over an SSH connection: commands, shells, bulk data, several
//! channels, forwardings, jump hosts, and how a session ends.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;

use poterne::connect::FailureKind;
use poterne::connect::link::{ChannelRequest, Exit, Link, TermSize, ToRemote};
use poterne::model::entry::Slot;
use poterne::model::target::Hop;
use sha2::{Digest, Sha256};

use crate::kit_ssh::*;

/// A server that takes one key, and a lease that has it.
struct Rig {
    server: Sshd,
    key: Vec<u8>,
}

impl Rig {
    fn new() -> Self {
        let server = Sshd::start(Setup::default());
        let key = keygen(server.dir.path(), "user", &["-t", "ed25519"]);
        server.authorize(&key);
        Self { key: fs::read(&key).expect("made"), server }
    }

    fn open_hop(&self, hop: Hop) -> (Box<dyn Link>, FakeLease) {
        let mut lease = FakeLease::default();
        let mut hops = vec![hop];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &self.key);
        (must_open(&target(hops), &mut lease), lease)
    }

    fn open(&self) -> Box<dyn Link> {
        self.open_hop(self.server.hop()).0
    }
}

#[test]
fn a_command_returns_output_errors_and_status_apart() {
    let link = Rig::new();
    let link = link.open();
    let talk = run(&*link, "echo out; echo err >&2; exit 7", b"");
    assert_eq!((talk.out.as_slice(), talk.err.as_slice()), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(talk.exit, Some(Exit::Status(7)));
    let talk = run(&*link, "kill -TERM $$", b"");
    assert_eq!(talk.exit, Some(Exit::Signal("TERM".into())));
}

#[test]
fn standard_input_reaches_the_command_to_its_end() {
    let rig = Rig::new();
    let link = rig.open();
    let data: Vec<u8> =
        (0..3_000_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let talk = run(&*link, "sha256sum", &data);
    let expected = data_encoding::HEXLOWER.encode(&Sha256::digest(&data));
    assert!(talk.text().starts_with(&expected), "{}", talk.text());
    let (_, sent) = link.traffic();
    assert_eq!(sent, data.len() as u64);
}

#[test]
fn twenty_megabytes_arrive_intact() {
    let rig = Rig::new();
    let file = rig.server.dir.path().join("bulk");
    let data: Vec<u8> =
        (0..20 << 20u32).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    fs::write(&file, &data).expect("ours");
    let link = rig.open();
    let talk = run(&*link, &format!("cat {}", file.display()), b"");
    assert_eq!(talk.out.len(), data.len());
    assert_eq!(Sha256::digest(&talk.out), Sha256::digest(&data));
    assert_eq!(talk.exit, Some(Exit::Status(0)));
}

#[test]
fn a_reader_that_stops_holds_up_only_its_own_channel() {
    let rig = Rig::new();
    let link = rig.open();
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (counted, counts) = std::sync::mpsc::channel();
    let mut waited = false;
    let request = ChannelRequest::Exec {
        command: "head -c 30000000 /dev/zero".into(),
        size: None,
        term: String::new(),
    };
    let held = std::sync::Mutex::new(held);
    let counted = std::sync::Mutex::new(counted);
    let _stuck = link
        .open_channel(
            request,
            Box::new(move |message| {
                if !waited {
                    waited = true;
                    let _ = held.lock().expect("one thread").recv();
                }
                let _ = counted.lock().expect("one thread").send(message);
            }),
        )
        .expect("it opens");
    // While that one stands still, another runs.
    assert_eq!(run(&*link, "echo free", b"").text(), "free\n");
    let (received, _) = link.traffic();
    assert!(received < 8 << 20, "what is not read stays with the server: {received}");
    drop(release);
    let mut total = 0;
    loop {
        match counts.recv_timeout(PATIENCE).expect("it goes on") {
            poterne::connect::link::FromRemote::Data(bytes) => total += bytes.len(),
            poterne::connect::link::FromRemote::Closed(_) => break,
            _ => {}
        }
    }
    assert_eq!(total, 30_000_000);
}

#[test]
fn a_shell_has_a_terminal_of_the_right_size_and_follows_a_resize() {
    let rig = Rig::new();
    let link = rig.open_hop(with(rig.server.hop(), "startup-command", "echo wel''come")).0;
    let mut talk = Talk::shell(&*link, 97, 31);
    talk.until("welcome");
    talk.send("stty size; echo $TERM\r");
    talk.until("31 97");
    talk.until("xterm-256color");
    talk.channel.send(ToRemote::Resize(TermSize { cols: 120, rows: 40 }));
    // What is typed may overtake the new size.
    talk.send("until stty size | grep '^40 1'; do sleep 0.1; done\r");
    talk.until("40 120");
    talk.send("exit 3\r");
    let talk = talk.finish();
    assert_eq!(talk.exit, Some(Exit::Status(3)));
    assert!(link.alive());
}

#[test]
fn the_terminal_type_of_the_entry_wins_over_that_of_who_connects() {
    let rig = Rig::new();
    for (set, seen) in [("", "TERM=xterm-256color;"), ("vt220", "TERM=vt220;")] {
        let (link, _lease) = rig.open_hop(with(rig.server.hop(), "term", set));
        let mut talk = Talk::shell(&*link, 80, 24);
        talk.send("printf 'TERM=%s;\\n' \"$TERM\"\r");
        talk.until(seen);
    }
}

#[test]
fn two_channels_at_once_do_not_wait_for_each_other() {
    let rig = Rig::new();
    let link = rig.open();
    let mut shell = Talk::shell(&*link, 80, 24);
    let mut slow = Talk::exec(&*link, "read line; echo got $line");
    for i in 0..20 {
        assert_eq!(run(&*link, &format!("echo {i}"), b"").text(), format!("{i}\n"));
    }
    shell.send("echo sh''ell\r");
    shell.until("shell");
    slow.send("it\n");
    slow.until("got it");
}

#[test]
fn what_comes_for_one_channel_while_another_is_served_is_not_overlooked() {
    let rig = Rig::new();
    let link = rig.open_hop(with(rig.server.hop(), "keepalive", "0")).0;
    // The answers to the first come while the engine goes through the others,
    // which say nothing by which it would look again.
    let mut first = Talk::exec(&*link, "cat");
    let _others: Vec<Talk> = (0..8).map(|_| Talk::exec(&*link, "cat")).collect();
    for n in 0..3000 {
        let line = format!("{n};");
        first.send(&line);
        first.until(&line);
        first.out.clear();
    }
}

#[test]
fn a_closed_channel_leaves_the_others_alone() {
    let rig = Rig::new();
    let link = rig.open();
    let mut flood = Talk::exec(&*link, "yes");
    flood.until("y\ny\n");
    flood.channel.send(ToRemote::Close);
    let flood = flood.finish();
    assert_eq!(flood.closed, Some(None));
    assert_eq!(run(&*link, "echo on", b"").text(), "on\n");
}

#[test]
fn closing_the_link_ends_channels_and_process() {
    let rig = Rig::new();
    let (link, lease) = rig.open_hop(rig.server.hop());
    let talk = Talk::shell(&*link, 80, 24);
    link.close();
    let talk = talk.finish();
    assert_eq!(talk.closed, Some(None));
    assert!(!link.alive());
    wait_gone(lease.children[0]);
    let refused = Talk::open(
        &*link,
        ChannelRequest::Exec { command: "true".into(), size: None, term: String::new() },
    );
    assert!(refused.is_err());
}

/// Waits until a process is gone: its folder in /proc vanishes when it is reaped.
fn wait_gone(pid: u32) {
    let deadline = std::time::Instant::now() + PATIENCE;
    while fs::metadata(format!("/proc/{pid}")).is_ok() {
        assert!(std::time::Instant::now() < deadline, "the session process is still there");
        std::thread::yield_now();
    }
}

#[test]
fn a_server_killed_in_the_middle_ends_the_session_with_a_reason() {
    let mut rig = Rig::new();
    let (link, lease) = rig.open_hop(rig.server.hop());
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo re''ady\r");
    talk.until("ready");
    rig.server.kill();
    let talk = talk.finish();
    let reason = talk.closed.flatten().expect("a reason");
    assert_eq!(reason.kind, FailureKind::Network);
    assert!(!link.alive());
    wait_gone(lease.children[0]);
}

#[test]
fn a_server_killed_while_nothing_is_open_is_noticed() {
    let mut rig = Rig::new();
    let (link, lease) = rig.open_hop(rig.server.hop());
    assert_eq!(run(&*link, "echo once", b"").text(), "once\n");
    rig.server.kill();
    wait_gone(lease.children[0]);
    assert!(!link.alive());
}

#[test]
fn a_session_process_that_is_killed_is_an_end_with_a_reason() {
    let rig = Rig::new();
    let (link, lease) = rig.open_hop(rig.server.hop());
    let talk = Talk::shell(&*link, 80, 24);
    sh("kill", &["-KILL", &lease.children[0].to_string()]);
    let reason = talk.finish().closed.flatten().expect("a reason");
    assert_eq!(reason.kind, FailureKind::Helper);
    assert!(!link.alive());
}

#[test]
fn an_idle_session_ends_by_itself() {
    let rig = Rig::new();
    let (link, _lease) = rig.open_hop(with(rig.server.hop(), "idle-timeout", "1"));
    let reason = Talk::shell(&*link, 80, 24).finish().closed.flatten().expect("a reason");
    assert_eq!(reason.kind, FailureKind::Timeout);
    assert!(reason.todo.en.contains("idle-timeout"));
}

#[test]
fn compression_and_keepalive_can_be_switched_on() {
    let rig = Rig::new();
    let hop = with(with(rig.server.hop(), "compression", "yes"), "keepalive", "1");
    let (link, _lease) = rig.open_hop(hop);
    assert!(link.info().description.contains("zlib"), "{}", link.info().description);
    let talk = run(&*link, "head -c 3000000 /dev/zero | tr '\\0' x; sleep 2.5; echo end", b"");
    assert_eq!(talk.out.len(), 3_000_004);
}

/// A loopback service that answers each visitor with the text it got, reversed.
pub fn reverser() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        for mut visitor in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut text = Vec::new();
                let _ = visitor.read_to_end(&mut text);
                text.reverse();
                let _ = visitor.write_all(&text);
            });
        }
    });
    port
}

pub fn say_to(mut stream: TcpStream, text: &str) -> String {
    stream.write_all(text.as_bytes()).expect("connected");
    stream.shutdown(std::net::Shutdown::Write).expect("connected");
    read_all(stream)
}

/// The port a forwarding listens on, from its words: `L 127.0.0.1:4711 → …`.
pub fn listening(link: &dyn Link, letter: &str) -> u16 {
    let forwards = link.info().forwards;
    let words = forwards.iter().find(|w| w.starts_with(letter)).expect("it listens");
    let at = words.split_whitespace().nth(1).expect("an address");
    at.rsplit(':').next().and_then(|p| p.parse().ok()).expect("a port")
}

#[test]
fn local_remote_and_dynamic_forwardings_carry_streams() {
    let rig = Rig::new();
    let service = reverser();
    let hop = with(rig.server.hop(), "local-forward", &format!("0 127.0.0.1:{service}"));
    let hop = with(hop, "remote-forward", &format!("127.0.0.1:0 127.0.0.1:{service}"));
    let hop = with(hop, "dynamic-forward", "0");
    let (link, _lease) = rig.open_hop(hop);

    let local = listening(&*link, "L");
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, local)).expect("it listens");
    assert_eq!(say_to(stream, "local"), "lacol");

    let remote = listening(&*link, "R");
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, remote)).expect("sshd listens");
    assert_eq!(say_to(stream, "remote"), "etomer");

    let socks = listening(&*link, "D");
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, socks)).expect("it listens");
    stream.write_all(&[5, 1, 0]).expect("connected");
    let mut answer = [0u8; 2];
    stream.read_exact(&mut answer).expect("a method");
    assert_eq!(answer, [5, 0]);
    let mut request = vec![5, 1, 0, 3, 9];
    request.extend(b"localhost");
    request.extend(service.to_be_bytes());
    stream.write_all(&request).expect("connected");
    let mut answer = [0u8; 10];
    stream.read_exact(&mut answer).expect("a reply");
    assert_eq!(answer[..2], [5, 0]);
    assert_eq!(say_to(stream, "socks"), "skcos");

    // Large streams in both directions keep their bytes.
    let big: String = (0..400_000).map(|i| char::from(b'a' + (i % 26) as u8)).collect();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, local)).expect("it listens");
    let back = say_to(stream, &big);
    assert!(back.len() == big.len() && back.chars().rev().eq(big.chars()));
}

#[test]
fn a_forwarding_to_a_closed_port_is_refused_and_the_session_lives_on() {
    let rig = Rig::new();
    let closed = free_port();
    let hop = with(rig.server.hop(), "local-forward", &format!("0 127.0.0.1:{closed}"));
    let (link, _lease) = rig.open_hop(with(hop, "dynamic-forward", "0"));
    let local = listening(&*link, "L");
    assert_eq!(read_all(TcpStream::connect(("127.0.0.1", local)).expect("it listens")), "");
    let mut stream = TcpStream::connect(("127.0.0.1", listening(&*link, "D"))).expect("listens");
    stream.write_all(&[5, 1, 0]).expect("connected");
    let [high, low] = closed.to_be_bytes();
    stream.write_all(&[5, 1, 0, 1, 127, 0, 0, 1, high, low]).expect("connected");
    let mut answer = [0u8; 12];
    stream.read_exact(&mut answer).expect("a reply");
    assert_eq!(answer[2..4], [5, 5], "refused");
    assert_eq!(run(&*link, "echo on", b"").text(), "on\n");
}

#[test]
fn forwardings_listen_on_loopback_unless_told_otherwise_and_a_taken_port_is_named() {
    let rig = Rig::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = taken.local_addr().expect("bound").port();
    let mut lease = FakeLease::default();
    let mut hops = vec![with(rig.server.hop(), "local-forward", &format!("{port} intranet:80"))];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &rig.key);
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::Forward);
    assert!(failure.what.en.contains(&format!("127.0.0.1:{port}")), "{}", failure.what.en);
    assert!(failure.what.fr.contains("ce port est déjà pris."), "{}", failure.what.fr);
}

#[test]
fn a_chain_of_two_jump_hosts_reaches_the_destination() {
    let (first, second, last) = (Rig::new(), Rig::new(), Rig::new());
    let mut lease = FakeLease::default();
    let mut hops = vec![first.server.hop(), second.server.hop(), last.server.hop()];
    for (i, rig) in [&first, &second, &last].into_iter().enumerate() {
        lease.plant(&mut hops, i, Slot::PrivateKey, &rig.key);
    }
    let link = must_open(&target(hops), &mut lease);
    let talk = run(&*link, "echo $SSH_CONNECTION; head -c 5000000 /dev/zero | wc -c", b"");
    assert!(talk.text().contains(&last.server.port.to_string()), "{}", talk.text());
    assert!(talk.text().contains("5000000"));
    assert!(first.server.log().contains("Accepted publickey"));
    assert!(second.server.log().contains("Accepted publickey"));
    assert_eq!(link.info().host_key, last.server.fingerprint("ed25519"));
}

#[test]
fn a_jump_host_that_dies_is_named_as_the_reason() {
    let (mut first, last) = (Rig::new(), Rig::new());
    let mut lease = FakeLease::default();
    let mut hops = vec![first.server.hop(), last.server.hop()];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &first.key);
    lease.plant(&mut hops, 1, Slot::PrivateKey, &last.key);
    let link = must_open(&target(hops), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo re''ady\r");
    talk.until("ready");
    first.server.kill();
    let reason = talk.finish().closed.flatten().expect("a reason");
    assert_eq!(reason.kind, FailureKind::Network);
    assert!(reason.what.en.contains(&first.server.port.to_string()), "{}", reason.what.en);
}

#[test]
fn a_jump_host_that_cannot_reach_the_destination_says_so() {
    let rig = Rig::new();
    let mut lease = FakeLease::default();
    let mut hops = vec![rig.server.hop(), hop(free_port())];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &rig.key);
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::Refused);
    assert!(failure.what.en.contains("does not reach"), "{}", failure.what.en);
}

#[test]
fn a_refused_port_an_unknown_name_and_a_black_hole_each_have_their_text() {
    let mut lease = FakeLease::default();
    let failure = must_fail(&target(vec![hop(free_port())]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Refused);

    let mut unknown = hop(22);
    unknown.at.host = "does-not-exist.invalid".into();
    let failure = must_fail(&target(vec![unknown]), &mut lease);
    assert_eq!(failure.kind, FailureKind::UnknownHost);

    // It takes connections and says nothing: a server that hangs before its banner.
    let mute = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = mute.local_addr().expect("bound").port();
    let failure = must_fail(&target(vec![with(hop(port), "connect-timeout", "1")]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.todo.en.contains("connect-timeout"));
}

#[test]
fn an_address_that_swallows_everything_times_out() {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    // A socket whose queue is full drops what comes, as a firewall does.
    let hole = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    let port = free_port();
    bind(&hole, &std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, port))).expect("it was free");
    listen(&hole, 0).expect("bound");
    let address = std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let limit = std::time::Duration::from_millis(300);
    let mut filling = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, limit) {
        filling.push(stream);
    }
    let mut lease = FakeLease::default();
    let failure = must_fail(&target(vec![with(hop(port), "connect-timeout", "1")]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.what.en.contains("within 1 s"), "{}", failure.what.en);
}

#[test]
fn a_server_that_hangs_after_its_banner_times_out_and_one_that_is_no_ssh_is_named() {
    let half = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = half.local_addr().expect("bound").port();
    let holder = std::thread::spawn(move || {
        let (mut visitor, _) = half.accept().expect("a visitor");
        visitor.write_all(b"SSH-2.0-Hanging\r\n").expect("connected");
        let mut rest = Vec::new();
        let _ = visitor.read_to_end(&mut rest);
    });
    let mut lease = FakeLease::default();
    let failure = must_fail(&target(vec![with(hop(port), "connect-timeout", "1")]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Timeout);
    holder.join().expect("it saw the end");

    let web = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = web.local_addr().expect("bound").port();
    let holder = std::thread::spawn(move || {
        let (mut visitor, _) = web.accept().expect("a visitor");
        let _ = visitor.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    });
    let failure = must_fail(&target(vec![hop(port)]), &mut lease);
    assert!(
        matches!(failure.kind, FailureKind::Protocol | FailureKind::Network),
        "{:?} {}",
        failure.kind,
        failure.what.en
    );
    holder.join().expect("it spoke");

    // As an SSH server does that has too many visitors.
    let full = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = full.local_addr().expect("bound").port();
    let holder = std::thread::spawn(move || {
        let (mut visitor, _) = full.accept().expect("a visitor");
        visitor.shutdown(std::net::Shutdown::Write).expect("connected");
        let _ = visitor.read_to_end(&mut Vec::new());
    });
    let failure = must_fail(&target(vec![hop(port)]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.what.en.contains("no banner came"), "{}", failure.what.en);
    assert!(failure.todo.fr.contains("MaxStartups"), "{}", failure.todo.fr);
    holder.join().expect("it hung up");
}

#[test]
fn giving_up_ends_the_attempt_at_once() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let port = mute.local_addr().expect("bound").port();
    let mut lease = FakeLease::default();
    let gave_up = lease.gave_up.clone();
    let watcher = std::thread::spawn(move || {
        // The attempt has begun once the server sees it.
        let _visitor = mute.accept().expect("a visitor");
        gave_up.store(true, Ordering::Relaxed);
        let mut end = Vec::new();
        let _ = (&_visitor.0).read_to_end(&mut end);
    });
    let failure = must_fail(&target(vec![with(hop(port), "connect-timeout", "600")]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Cancelled);
    watcher.join().expect("the connection was dropped");
}

#[test]
fn a_setting_that_makes_no_sense_is_named_before_anything_starts() {
    let mut lease = FakeLease::default();
    let failure = must_fail(&target(vec![with(hop(22), "local-forward", "nonsense")]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Setting);
    assert!(failure.what.en.contains("local-forward") && lease.children.is_empty());
}
