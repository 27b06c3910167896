//! VPNs by WireGuard against the real `wireguard-go`: what goes through them, what fails
//! with which words, and what they leave alone.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::channel;
use std::time::{Duration, SystemTime};

use poterne::connect::FailureKind;
use poterne::connect::link::Link;
use poterne::connect::vpn::Unreached;
use poterne::connect::vpn::door::Door;
use poterne::connect::vpn::journal::{Now, Step};
use poterne::model::target::HostPort;
use poterne::os::net::Socket;

use crate::connect_all::shows_nowhere;
use crate::kit_ssh::*;
use crate::kit_wireguard::*;

const LIMIT: Duration = Duration::from_secs(20);

fn at(host: &str, port: u16) -> HostPort {
    HostPort { host: host.to_owned(), port }
}

fn door(link: &dyn Link) -> Door {
    Door::new(link.tunnel().expect("it is a VPN").passage().expect("it is up"))
}

fn reach(link: &dyn Link, host: &str, port: u16) -> Result<Socket, Unreached> {
    door(link).reach(&at(host, port), LIMIT)
}

/// All that the other side says until it ends.
fn all(mut stream: Socket) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("it ends");
    text
}

/// Sends `bytes` to the echo and takes them back at the same time.
fn echoed(stream: &Socket, bytes: &[u8]) -> Vec<u8> {
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            (&*stream).write_all(bytes).expect("it takes them");
            stream.shutdown(Shutdown::Write);
        });
        let mut back = Vec::new();
        (&*stream).read_to_end(&mut back).expect("it ends");
        writer.join().expect("it wrote");
        back
    })
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// What a machine shows of its network.
fn network(near: &Near) -> [String; 4] {
    let resolver = fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    let links = near.0.ip("-o addr");
    [near.0.ip("route show table all"), near.0.ip("-6 route show table all"), links, resolver]
}

#[test]
fn bytes_go_both_ways_and_the_machines_network_stays_as_it_is() {
    inside(|near| {
        let client = Client::start(near, "alpha");
        let before = network(near);
        let (target, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        let stream = reach(&*link, MACHINE, ECHO).expect("it listens");
        let sent = bytes(1 << 20);
        assert!(echoed(&stream, &sent) == sent, "what comes back is what was sent");
        assert_eq!(network(near), before);
        let now = link.tunnel().expect("it is a VPN").now();
        assert_eq!((now.step, now.address.as_str()), (Step::Up, "10.9.0.2"));
        assert!(link.info().description.contains(&client.host));
        link.close();
        drop(link);
        assert_eq!(network(near), before);
    });
}

#[test]
fn two_clients_with_the_same_addresses_are_open_at_once() {
    inside(|near| {
        let clients = [Client::start(near, "alpha"), Client::start(near, "beta")];
        let links = clients.each_ref().map(|client| {
            let (target, mut lease) = client.entry();
            must_open(&target, &mut lease)
        });
        let streams =
            links.each_ref().map(|link| reach(&**link, MACHINE, NAME).expect("it listens"));
        assert_eq!(streams.map(all), ["alpha\n", "beta\n"]);
    });
}

#[test]
fn names_are_asked_of_the_clients_servers_through_the_vpn() {
    inside(|near| {
        let client = Client::start(near, "alpha");
        let (mut target, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        for name in ["srv.client.lan", "srv", "SRV.client.lan.", "many.client.lan"] {
            let stream = reach(&*link, name, NAME).unwrap_or_else(|why| panic!("{name}: {why:?}"));
            assert_eq!(all(stream), "alpha\n", "{name}");
        }
        let unknown = reach(&*link, "nobody.client.lan", NAME).expect_err("nobody");
        assert_eq!(unknown, Unreached::UnknownName);
        drop(link);
        target.hops[0].settings.remove("dns");
        let (_, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        assert_eq!(reach(&*link, "srv", NAME).expect_err("no server"), Unreached::NoNames);
    });
}

#[test]
fn a_place_that_is_not_there_is_told_as_the_system_would() {
    inside(|near| {
        let client = Client::start(near, "alpha");
        let (target, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        let why = |host, port| reach(&*link, host, port).expect_err("nobody is there");
        assert_eq!(why(MACHINE, 9), Unreached::System(libc::ECONNREFUSED));
        assert_eq!(
            why("192.168.1.77", 22),
            Unreached::System(libc::EHOSTUNREACH),
            "no such machine"
        );
        assert_eq!(why("10.50.0.1", 22), Unreached::System(libc::ENETUNREACH), "not behind it");
        assert_eq!(why("fd00::1", 22), Unreached::System(libc::ENETUNREACH), "no such addresses");
    });
}

#[test]
fn a_session_that_leaves_is_noticed_by_the_far_side_and_the_other_way_round() {
    inside(|near| {
        let client = Client::start(near, "alpha");
        let (target, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        let mut first = reach(&*link, MACHINE, ECHO).expect("it listens");
        first.write_all(b"once").expect("open");
        let mut back = [0; 4];
        first.read_exact(&mut back).expect("it echoes");
        assert_eq!(&back, b"once");
        drop(first);
        // A slow reader holds up nobody but the one who sends to it.
        let slow = reach(&*link, MACHINE, ECHO).expect("it listens");
        let sent = bytes(8 << 20);
        std::thread::scope(|scope| {
            let (filled, full) = channel();
            let (slow, sent) = (&slow, &sent);
            let writer = scope.spawn(move || {
                let half = sent.len() / 4;
                (&*slow).write_all(&sent[..half]).expect("it takes them");
                let _ = filled.send(());
                (&*slow).write_all(&sent[half..]).expect("it takes them");
                slow.shutdown(Shutdown::Write);
            });
            full.recv().expect("much is under way");
            let other = reach(&*link, MACHINE, ECHO).expect("it listens");
            assert_eq!(echoed(&other, b"meanwhile"), b"meanwhile");
            let mut back = Vec::new();
            (&*slow).read_to_end(&mut back).expect("it ends");
            assert!(back == *sent);
            writer.join().expect("it wrote");
        });
    });
}

#[test]
fn keys_that_do_not_fit_are_told_in_words() {
    inside(|near| {
        let client = Client::start(near, "alpha");
        let fails = |change: &dyn Fn(&mut poterne::model::target::Target, &mut FakeLease)| {
            let (mut target, mut lease) = client.entry();
            target.hops[0].settings.insert("connect-timeout".into(), "3".into());
            change(&mut target, &mut lease);
            must_fail(&target, &mut lease)
        };
        let plant = |lease: &mut FakeLease, slot: &str, value: &str| {
            let slot = slot.parse().expect("a slot");
            lease.secrets.insert((0, slot), value.as_bytes().to_vec());
        };
        let other = Keys::new();

        // A stranger's key, or another server's: silence either way.
        let stranger = fails(&|_, lease| plant(lease, "private-key", &other.private));
        assert_eq!(stranger.kind, FailureKind::Timeout);
        assert!(stranger.todo.en.contains(&other.public), "{}", stranger.todo.en);
        let wrong = fails(&|target, _| {
            target.hops[0].settings.insert("peer-public-key".into(), other.public.clone());
        });
        assert_eq!(wrong.kind, FailureKind::Timeout);
        assert!(wrong.todo.en.contains(&client.ours.public), "{}", wrong.todo.en);

        let shared = fails(&|_, lease| plant(lease, "custom:preshared-key", &other.private));
        assert_eq!(shared.kind, FailureKind::Login, "{}", shared.what.en);
        let none = fails(&|_, lease| {
            drop(lease.secrets.remove(&(0, "private-key".parse().expect("a slot"))))
        });
        assert_eq!(none.kind, FailureKind::BadKey);
        let text = fails(&|_, lease| plant(lease, "private-key", "no key"));
        assert_eq!(text.kind, FailureKind::BadKey);
        let same = fails(&|target, _| {
            target.hops[0].settings.insert("peer-public-key".into(), client.ours.public.clone());
        });
        assert_eq!(same.kind, FailureKind::Setting);
        let port = fails(&|target, _| target.hops[0].at.port = 9);
        assert_eq!(port.kind, FailureKind::Refused, "{}", port.what.en);
        let nowhere = fails(&|target, _| target.hops[0].at.host = "203.0.113.1".into());
        assert_eq!(nowhere.kind, FailureKind::Network, "{}", nowhere.what.en);
        let name = fails(&|target, _| target.hops[0].at.host = "vpn.invalid".into());
        assert_eq!(name.kind, FailureKind::UnknownHost, "{}", name.what.en);
    });
}

#[test]
fn a_server_that_comes_back_takes_the_sessions_along() {
    inside(|near| {
        let mut client = Client::start(near, "alpha");
        let (target, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        let (tell, told) = channel();
        let hear = move |now: &Now| drop(tell.send((now.step, now.why.clone())));
        link.tunnel().expect("it is a VPN").watch(Box::new(hear));
        let until = |step| loop {
            let (now, why) = told.recv_timeout(Duration::from_secs(60)).expect("it is told");
            if now == step {
                return why;
            }
        };
        until(Step::Up);
        let mut stream = reach(&*link, MACHINE, ECHO).expect("it listens");
        client.kill();
        stream.write_all(b"is anybody there?").expect("it is kept");
        let why = until(Step::Reconnecting).expect("a reason");
        assert!(why.en.contains("no longer listens"), "{}", why.en);
        client.raise();
        until(Step::Up);
        let mut back = [0; 17];
        stream.read_exact(&mut back).expect("it was kept, and sent again");
        assert_eq!(&back, b"is anybody there?");
    });
}

#[test]
fn what_was_open_ends_with_the_vpn() {
    inside(|near| {
        let client = Client::start(near, "alpha");
        let (target, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        let door = door(&*link);
        let stream = door.reach(&at(MACHINE, ECHO), LIMIT).expect("it listens");
        link.close();
        assert_eq!(all(stream), "");
        let gone = door.reach(&at(MACHINE, ECHO), LIMIT).expect_err("it ended");
        assert_eq!(gone, Unreached::Gone);
    });
}

#[test]
fn no_key_shows_in_arguments_variables_files_or_the_log() {
    inside(|near| {
        let before = SystemTime::now();
        let client = Client::start(near, "alpha");
        let (target, mut lease) = client.entry();
        let link = must_open(&target, &mut lease);
        let stream = reach(&*link, MACHINE, ECHO).expect("it listens");
        let keys = [&client.ours.private, &client.shared].map(|key| key.as_bytes().to_vec());
        shows_nowhere("wireguard", &lease, &keys, None, before);
        let mut talk = Talk::shell(&*link, 80, 24);
        talk.until("handshake");
        let log = talk.text();
        for key in [&client.ours.private, &client.shared] {
            assert!(!log.contains(key.as_str()), "{log}");
        }
        assert!(log.contains(&client.ours.public), "{log}");
        drop(stream);
        link.close();
    });
}
