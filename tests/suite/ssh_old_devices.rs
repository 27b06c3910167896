//! Old and small servers: an OpenSSH configured like an old switch, which only
//! the second engine reaches and only with its owner's consent, and Dropbear.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};

use poterne::connect::link::{Exit, Link, TermSize, ToRemote};
use poterne::connect::{FailureKind, Progress};
use poterne::model::entry::Slot;
use poterne::model::target::Hop;
use sha2::{Digest, Sha256};

use crate::kit_ssh::*;
use crate::ssh_session::{listening, reverser, say_to};

const PASSWORD: &str = "Mot-de-passe-ancien-4412";
const SEED: &str = "3132333435363738393031323334353637383930";

/// What a switch of 2010 offers.
fn old_lines(kex: &str, cipher: &str) -> Vec<String> {
    [
        &format!("KexAlgorithms {kex}"),
        "HostKeyAlgorithms ssh-rsa",
        "PubkeyAcceptedAlgorithms ssh-rsa,ssh-ed25519,ecdsa-sha2-*",
        "MACs hmac-sha1",
        &format!("Ciphers {cipher}"),
    ]
    .map(str::to_owned)
    .into()
}

pub fn old(password: bool, kex: &str, cipher: &str, more: &[&str]) -> Sshd {
    let mut lines = old_lines(kex, cipher);
    lines.extend(more.iter().map(|l| (*l).to_owned()));
    Sshd::start(Setup {
        host_keys: vec!["rsa"],
        lines,
        password: password.then(|| PASSWORD.to_owned()),
        ..Setup::default()
    })
}

fn weak(server: &Sshd) -> Hop {
    let mut hop = with(hop(server.port), "weak-algorithms", "yes");
    hop.pinned = vec![server.pinned("ssh-rsa", "rsa")];
    hop
}

fn with_key(server: &Sshd, hop: Hop) -> (Box<dyn Link>, FakeLease) {
    let key = keygen(server.dir.path(), "user", &["-t", "rsa", "-b", "2048"]);
    server.authorize(&key);
    let mut lease = FakeLease::default();
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    (must_open(&target(hops), &mut lease), lease)
}

#[test]
fn without_consent_the_text_says_what_the_device_offers_and_which_setting_allows_it() {
    let server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc,3des-cbc", &[]);
    let mut lease = FakeLease::default();
    let mut hops = vec![hop(server.port)];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::Protocol);
    for word in ["diffie-hellman-group14-sha1", "ssh-rsa", "aes128-cbc,3des-cbc", "hmac-sha1"] {
        assert!(failure.what.en.contains(word), "{}", failure.what.en);
    }
    assert!(failure.todo.en.contains("--weak-algorithms yes"));
    assert!(lease.taken.is_empty());
}

#[test]
fn with_consent_a_key_a_shell_and_commands_work_and_the_session_is_marked() {
    for (kex, cipher) in [
        ("diffie-hellman-group14-sha1", "3des-cbc"),
        ("diffie-hellman-group1-sha1", "aes128-cbc"),
        ("diffie-hellman-group-exchange-sha1", "aes256-cbc"),
    ] {
        let server = old(false, kex, cipher, &[]);
        let (link, lease) =
            with_key(&server, with(weak(&server), "startup-command", "echo we''lcome"));
        let info = link.info();
        assert!(info.warnings[0].en.contains(kex) && info.warnings[0].fr.contains(cipher));
        assert_eq!(info.host_key, server.fingerprint("rsa"));
        assert!(lease.said.iter().any(|p| matches!(p, Progress::Warning(_))));

        let talk = run(&*link, "cat; echo err >&2; exit 9", b"typed");
        assert_eq!((talk.out.as_slice(), talk.err.as_slice()), (&b"typed"[..], &b"err\n"[..]));
        assert_eq!(talk.exit, Some(Exit::Status(9)));
        assert_eq!(run(&*link, "kill -TERM $$", b"").exit, Some(Exit::Signal("TERM".into())));

        let mut talk = Talk::shell(&*link, 91, 33);
        talk.until("welcome");
        talk.send("stty size\r");
        talk.until("33 91");
        talk.channel.send(ToRemote::Resize(TermSize { cols: 100, rows: 44 }));
        talk.send("stty size\r");
        talk.until("44 100");
        talk.send("exit\r");
        assert_eq!(talk.finish().exit, Some(Exit::Status(0)));
    }
}

#[test]
fn every_usual_key_form_logs_in_over_the_second_engine_too() {
    let server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    let dir = tempfile::tempdir().expect("a folder");
    let forms = key_forms(dir.path());
    for (name, key, phrase) in &forms {
        server.authorize(key);
        let mut lease = FakeLease::default();
        let mut hops = vec![weak(&server)];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(key).expect("made"));
        if let Some(phrase) = phrase {
            lease.plant(&mut hops, 0, Slot::Passphrase, phrase.as_bytes());
        }
        let link = match open(&target(hops), &mut lease) {
            Ok(link) => link,
            Err(e) => panic!("{name}: {:?} {}\n{}", e.kind, e.what.en, server.log()),
        };
        assert!(!link.info().warnings.is_empty(), "{name}: not over the second engine");
        assert_eq!(run(&*link, "echo in", b"").text(), "in\n", "{name}");
    }
    // One that the entry lacks is typed.
    let (key, phrase) = forms
        .iter()
        .find_map(|(_, key, phrase)| Some((key, (*phrase)?)))
        .expect("some are encrypted");
    server.authorize(key);
    let mut lease = FakeLease::default();
    let mut hops = vec![weak(&server)];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(key).expect("made"));
    lease.answers.push_back(phrase.to_owned());
    assert_eq!(run(&*must_open(&target(hops), &mut lease), "echo in", b"").text(), "in\n");
    assert_eq!(lease.asked, [format!("passphrase of {}@127.0.0.1", user())]);
    // A wrong passphrase is told apart from a key that cannot be read.
    let mut lease = FakeLease::default();
    let mut hops = vec![weak(&server)];
    let key = fs::read(dir.path().join("ecpemenc")).expect("made");
    lease.plant(&mut hops, 0, Slot::PrivateKey, &key);
    lease.plant(&mut hops, 0, Slot::Passphrase, b"wrong");
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::BadKey);
    assert!(failure.what.en.contains("is wrong"), "{}", failure.what.en);
}

#[test]
fn bulk_data_arrives_intact_over_the_second_engine() {
    let server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    let data: Vec<u8> =
        (0..4 << 20u32).map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let file = server.dir.path().join("bulk");
    fs::write(&file, &data).expect("ours");
    let (link, _lease) = with_key(&server, weak(&server));
    let talk = run(&*link, &format!("cat {}", file.display()), b"");
    assert_eq!(talk.out.len(), data.len());
    assert_eq!(Sha256::digest(&talk.out), Sha256::digest(&data));
    let talk = run(&*link, "sha256sum", &data);
    let expected = data_encoding::HEXLOWER.encode(&Sha256::digest(&data));
    assert!(talk.text().starts_with(&expected));
}

#[test]
fn a_password_and_a_code_log_in_to_an_old_device() {
    let server = old(
        true,
        "diffie-hellman-group14-sha1",
        "aes128-cbc",
        &["PasswordAuthentication yes", "KbdInteractiveAuthentication no"],
    );
    let mut lease = FakeLease::default();
    let mut hops = vec![weak(&server)];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&target(hops.clone()), &mut lease);
    assert_eq!(run(&*link, "echo in", b"").text(), "in\n");
    let mut lease = FakeLease::default();
    hops[0].slots.clear();
    lease.plant(&mut hops, 0, Slot::Password, b"faux");
    assert_eq!(must_fail(&target(hops), &mut lease).kind, FailureKind::Login);

    let mut lines = old_lines("diffie-hellman-group14-sha1", "aes128-cbc");
    lines.push("PasswordAuthentication no".into());
    lines.push("KbdInteractiveAuthentication yes".into());
    let server = Sshd::start(Setup {
        host_keys: vec!["rsa"],
        lines,
        password: Some(PASSWORD.into()),
        otp_seed: Some(SEED.into()),
        ..Setup::default()
    });
    let mut lease = FakeLease::default();
    let mut hops = vec![weak(&server)];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    lease.plant_seed(&mut hops, 0, SEED);
    let link = must_open(&target(hops), &mut lease);
    assert_eq!(run(&*link, "echo in", b"").text(), "in\n");
    assert!(lease.asked.is_empty());
}

#[test]
fn the_key_of_an_old_device_is_pinned_like_any_other() {
    let server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    let mut hops = vec![with(hop(server.port), "weak-algorithms", "yes")];
    let mut lease = FakeLease::default();
    let failure = must_fail(&target(hops.clone()), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyRefused);
    assert_eq!(lease.keys_shown, [server.pinned("ssh-rsa", "rsa")]);

    hops[0].pinned = vec![server.pinned("ssh-rsa", "rsa")];
    hops[0].pinned[0].fingerprint = "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB".into();
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
}

#[test]
fn an_old_device_is_reached_through_a_new_jump_host_and_serves_as_one() {
    let old = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    let new = Sshd::start(Setup::default());
    let key = keygen(new.dir.path(), "user", &["-t", "rsa", "-b", "2048"]);
    old.authorize(&key);
    new.authorize(&key);
    let key = fs::read(&key).expect("made");
    for mut hops in [vec![new.hop(), weak(&old)], vec![weak(&old), new.hop()]] {
        let mut lease = FakeLease::default();
        lease.plant(&mut hops, 0, Slot::PrivateKey, &key);
        lease.plant(&mut hops, 1, Slot::PrivateKey, &key);
        let link = must_open(&target(hops), &mut lease);
        assert_eq!(run(&*link, "echo through", b"").text(), "through\n");
        assert_eq!(link.info().warnings.len(), 1, "marked wherever on the way it is");
    }
}

#[test]
fn forwardings_and_the_agent_s_key_work_on_an_old_device_too() {
    let server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    for kind in ["rsa", "ed25519"] {
        let key = keygen(server.dir.path(), kind, &["-t", kind]);
        server.authorize(&key);
        let agent = SshAgent::start(&key);
        let service = reverser();
        let hop = with(weak(&server), "local-forward", &format!("0 127.0.0.1:{service}"));
        let hop = with(hop, "remote-forward", &format!("127.0.0.1:0 127.0.0.1:{service}"));
        let hop = with(hop, "dynamic-forward", "0");
        let hop = with(with(hop, "auth", "agent"), "agent-socket", &agent.socket);
        let link = must_open(&target(vec![hop]), &mut FakeLease::default());
        assert_eq!(link.info().warnings.len(), 1, "the second engine");
        for letter in ["L", "R"] {
            let at = (Ipv4Addr::LOCALHOST, listening(&*link, letter));
            assert_eq!(say_to(TcpStream::connect(at).expect("it listens"), letter), letter);
            let stream = TcpStream::connect(at).expect("it listens");
            assert_eq!(say_to(stream, "forward"), "drawrof");
        }
        let at = (Ipv4Addr::LOCALHOST, listening(&*link, "D"));
        let mut socks = TcpStream::connect(at).expect("it listens");
        let [high, low] = service.to_be_bytes();
        socks.write_all(&[5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, high, low]).expect("connected");
        let mut answer = [0u8; 12];
        socks.read_exact(&mut answer).expect("a reply");
        assert_eq!(answer[..4], [5, 0, 5, 0]);
        assert_eq!(say_to(socks, "socks"), "skcos");
    }
}

#[test]
fn an_old_device_that_dies_ends_the_session_with_a_reason() {
    let mut server = old(false, "diffie-hellman-group14-sha1", "aes128-cbc", &[]);
    let (link, _lease) = with_key(&server, weak(&server));
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo re''ady\r");
    talk.until("ready");
    server.kill();
    let reason = talk.finish().closed.flatten().expect("a reason");
    assert_eq!(reason.kind, FailureKind::Network);
    assert!(!link.alive());
}

#[test]
fn a_modern_server_is_not_marked_although_weak_algorithms_are_accepted() {
    let server = Sshd::start(Setup::default());
    let (link, _lease) = with_key(&server, with(server.hop(), "weak-algorithms", "yes"));
    assert!(link.info().warnings.is_empty());
}

#[test]
fn dropbear_takes_a_password_and_a_key() {
    let server = Dropbear::start(PASSWORD);
    let key = keygen(server.dir.path(), "user", &["-t", "ed25519"]);
    server.authorize(&key);
    let ways = [
        (Slot::Password, PASSWORD.as_bytes().to_vec()),
        (Slot::PrivateKey, fs::read(&key).expect("made")),
    ];
    for (slot, secret) in ways {
        let mut lease = FakeLease { trust: true, ..FakeLease::default() };
        let mut hops = vec![server.hop()];
        lease.plant(&mut hops, 0, slot, &secret);
        let link = must_open(&target(hops), &mut lease);
        let talk = run(&*link, "cat; echo err >&2; exit 5", b"dropbear");
        assert_eq!((talk.text().as_str(), talk.err.as_slice()), ("dropbear", &b"err\n"[..]));
        assert_eq!(talk.exit, Some(Exit::Status(5)));
        let mut talk = Talk::shell(&*link, 88, 22);
        talk.send("stty size; exit\r");
        talk.until("22 88");
        talk.finish();
    }
}

#[test]
fn a_dropbear_with_another_key_than_before_is_refused() {
    let mut server = Dropbear::start(PASSWORD);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    drop(must_open(&target(hops.clone()), &mut lease));
    hops[0].pinned.clone_from(&lease.keys_shown);
    assert_eq!(hops[0].pinned.len(), 1, "its key was shown once");
    server.kill();
    let other = Dropbear::start_at(PASSWORD, server.port);
    hops[0].user.clone_from(&other.user);
    hops[0].slots.clear();
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let failure = must_fail(&target(hops.clone()), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
    assert!(failure.what.en.contains(&hops[0].pinned[0].fingerprint), "{}", failure.what.en);
    assert!(lease.keys_shown.is_empty() && lease.taken.is_empty(), "nothing was given to it");
}

#[test]
fn a_dropbear_killed_in_the_middle_ends_the_session_with_a_reason() {
    let mut server = Dropbear::start(PASSWORD);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&target(hops), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo re''ady\r");
    talk.until("ready");
    server.kill();
    let reason = talk.finish().closed.flatten().expect("a reason");
    assert_eq!(reason.kind, FailureKind::Network);
    assert!(!link.alive());
}

#[test]
fn a_dropbear_serves_as_jump_host_to_another_one_and_to_openssh() {
    let (jump, far, last) =
        (Dropbear::start(PASSWORD), Dropbear::start(PASSWORD), Sshd::start(Setup::default()));
    let key = keygen(last.dir.path(), "user", &["-t", "ed25519"]);
    last.authorize(&key);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![jump.hop(), far.hop(), last.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    lease.plant(&mut hops, 2, Slot::PrivateKey, &fs::read(&key).expect("made"));
    let link = must_open(&target(hops), &mut lease);
    let talk = run(&*link, "echo $SSH_CONNECTION; head -c 2000000 /dev/zero | wc -c", b"");
    assert!(talk.text().contains(&last.port.to_string()), "{}", talk.text());
    assert!(talk.text().contains("2000000"));
    assert_eq!(link.info().host_key, last.fingerprint("ed25519"));
}
