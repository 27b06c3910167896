//! NLA by Kerberos, against MIT's KDC and a server end on MIT's library; and what takes
//! its place where it cannot be.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use poterne::connect::link::Link;
use poterne::connect::{Failure, FailureKind, Progress};
use poterne::model::entry::Slot;
use poterne::model::target::{Hop, Target};
use sha2::{Digest, Sha256};

use crate::connect_all::shows_nowhere;
use crate::kit_kerberos::*;
use crate::kit_rdp::*;
use crate::kit_ssh::*;
use crate::manifest_programs::all_gone;

const PASSWORD: &str = "tuile-Erable-42";

fn stored(hop: Hop, password: &str) -> (FakeLease, Target) {
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Password, password.as_bytes());
    (lease, rdp(hops.remove(0)))
}

fn opened(hop: Hop) -> Box<dyn Link> {
    let (mut lease, target) = stored(hop, PASSWORD);
    must_open(&target, &mut lease)
}

fn refused(hop: Hop, password: &str) -> Failure {
    let (mut lease, target) = stored(hop, password);
    must_fail(&target, &mut lease)
}

fn says(failure: &Failure, kind: FailureKind, words: &str) {
    assert_eq!(failure.kind, kind, "{}", failure.what.en);
    assert!(failure.what.en.contains(words), "{}", failure.what.en);
}

/// What the server tells of a password that it was given.
fn given(password: &str) -> String {
    let digest = Sha256::digest(password);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("given {REALM}|ada|{digest}")
}

#[test]
fn a_ticket_of_a_real_kdc_lets_the_user_in() {
    let realm = Realm::start(PASSWORD);
    let mut server = Taker::start(&realm, "kerberos", "+0s");
    let link = opened(server.hop(&realm));
    server.told.until("offers kerberos alone");
    server.told.until(&format!("ticket of ada@{REALM} for {SERVER}@{REALM}"));
    server.told.until("key is right");
    server.told.until(&given(PASSWORD));
    assert!(link.info().description.ends_with(" · NLA (Kerberos)"), "{}", link.info().description);
    assert!(link.info().warnings.is_empty(), "{:?}", link.info().warnings);
    let log = realm.log();
    let issued = |what: &str| {
        let line = |line: &str| {
            line.contains(what) && line.contains("ISSUE") && line.contains("ada@ESSAI.TEST for")
        };
        assert!(log.lines().any(line), "{what}: {log}");
    };
    issued("AS_REQ");
    issued("TGS_REQ");
    link.close();
}

#[test]
fn a_kdc_is_asked_through_the_jump_host_of_the_session() {
    let realm = Realm::start(PASSWORD);
    let server = Taker::start(&realm, "kerberos", "+0s");
    let jump = Sshd::start(Setup::default());
    let key = keygen(jump.dir.path(), "k", &["-t", "ed25519"]);
    jump.authorize(&key);
    let mut hops = vec![jump.hop(), server.hop(&realm)];
    let mut lease = FakeLease::default();
    lease.plant(&mut hops, 0, Slot::PrivateKey, &std::fs::read(&key).expect("made"));
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    let target = Target { hops, ..rdp(hop(1)) };
    let link = must_open(&target, &mut lease);
    assert!(link.info().description.ends_with(" · NLA (Kerberos)"), "{}", link.info().description);
    link.close();
}

#[test]
fn what_a_kdc_refuses_is_told_in_words_and_not_tried_by_ntlm() {
    let realm = Realm::start(PASSWORD);
    realm.admin(&["addprinc +requires_preauth -pwexpire 2020-01-01 -pw vieux vieille"]);
    realm.admin(&["addprinc +requires_preauth -allow_tix -pw clos close"]);
    let mut server = Taker::start(&realm, "kerberos", "+0s");
    let as_user = |name: &str| {
        let mut hop = server.hop(&realm);
        hop.user = format!("{REALM}\\{name}");
        hop
    };
    let hops = [server.hop(&realm), as_user("vieille"), as_user("close"), as_user("nobody")];
    let [ada, old, locked, unknown] = hops;
    says(&refused(ada, "falsch"), FailureKind::Login, "the password is wrong");
    says(&refused(old, "vieux"), FailureKind::Login, "the password has expired");
    says(&refused(locked, "clos"), FailureKind::Login, "locked or disabled");
    let unknown = with(unknown, "kerberos", "only");
    says(&refused(unknown, "x"), FailureKind::Login, "does not know this user");
    assert!(
        !server.told.all().iter().any(|line| line == "first token ntlm"),
        "{:?}",
        server.told.all()
    );
}

#[test]
fn a_clock_that_differs_is_allowed_for_and_told() {
    let realm = Realm::start_at(PASSWORD, "+20m");
    let server = Taker::start(&realm, "kerberos", "+20m");
    let (mut lease, target) = stored(server.hop(&realm), PASSWORD);
    let link = must_open(&target, &mut lease);
    assert!(link.info().description.ends_with(" · NLA (Kerberos)"), "{}", link.info().description);
    let warned = |said: &Progress| {
        let wanted = "of the KDC is 20 min ahead of this computer";
        let earlier = "of the KDC is 19 min ahead of this computer";
        matches!(said, Progress::Warning(told)
            if told.en.contains(wanted) || told.en.contains(earlier))
    };
    assert!(lease.said.iter().any(warned), "{:?}", lease.said);
    link.close();
}

#[test]
fn only_kerberos_goes_no_other_way() {
    let realm = Realm::start(PASSWORD);
    // No KDC there.
    let mut server = Taker::start(&realm, "ntlm", "+0s");
    let only = |hop: Hop| with(hop, "kerberos", "only");
    let nowhere = with(only(server.hop(&realm)), "kdc", &format!("127.0.0.1:{}", free_port()));
    says(&refused(nowhere, PASSWORD), FailureKind::Network, "no answer from the KDC");
    // The server picks NTLM.
    let failure = refused(only(server.hop(&realm)), PASSWORD);
    says(&failure, FailureKind::Protocol, "does not take Kerberos");
    // The server's name is not that of its domain.
    realm.admin(&[&format!("delprinc -force {SERVER}")]);
    let lost = Taker::start(&realm, "deaf", "+0s");
    says(&refused(only(lost.hop(&realm)), PASSWORD), FailureKind::Protocol, "not take Kerberos");
    // What cannot be.
    let mut address = only(server.hop(&realm));
    address.at.host = "127.0.0.1".into();
    address.pinned.clear();
    says(&refused(address, PASSWORD), FailureKind::Setting, "by its address");
    let without = with(only(server.hop(&realm)), "kdc", "");
    says(&refused(without, PASSWORD), FailureKind::Setting, "names no KDC");
    assert!(
        !server.told.all().iter().any(|line| line == "first token ntlm"),
        "{:?}",
        server.told.all()
    );
}

#[test]
fn a_server_that_its_kdc_does_not_know_is_told() {
    let realm = Realm::start(PASSWORD);
    realm.admin(&[
        "addprinc -randkey TERMSRV/other",
        &format!("ktadd -k {}/other TERMSRV/other", realm.dir.path().display()),
        &format!("delprinc -force {SERVER}"),
    ]);
    let server = Taker::start_as(&realm, "other", "TERMSRV/other");
    let only = with(server.hop(&realm), "kerberos", "only");
    says(&refused(only, PASSWORD), FailureKind::Protocol, "not know the server TERMSRV/localhost");
}

#[test]
fn a_server_that_proves_another_key_is_given_nothing() {
    let realm = Realm::start(PASSWORD);
    let mut server = Taker::start(&realm, "stranger", "+0s");
    let failure = refused(server.hop(&realm), PASSWORD);
    says(&failure, FailureKind::Protocol, "intercepting");
    server.told.until("end");
    assert!(
        !server.told.all().iter().any(|line| line.starts_with("given")),
        "{:?}",
        server.told.all()
    );
}

#[test]
fn ntlm_takes_the_place_of_kerberos_and_says_why() {
    let far = Shadow::start(PASSWORD);
    let named = |kdc: &str, kerberos: &str| {
        let mut hop = far.hop();
        hop.at.host = "localhost".into();
        hop = with(hop, "domain", REALM);
        with(with(hop, "kdc", kdc), "kerberos", kerberos)
    };
    let nowhere = format!("127.0.0.1:{}", free_port());
    let link = opened(named(&nowhere, "auto"));
    assert!(link.info().description.ends_with(" · NLA (NTLM)"), "{}", link.info().description);
    let warned = link.info().warnings.iter().any(|w| w.en.contains("no answer from the KDC"));
    assert!(warned, "{:?}", link.info().warnings);
    link.close();
    let link = opened(named(&nowhere, "never"));
    assert!(link.info().description.ends_with(" · NLA (NTLM)") && link.info().warnings.is_empty());
    link.close();
}

#[test]
fn no_secret_shows_while_a_session_is_open_by_kerberos() {
    let before = SystemTime::now();
    let password = "PLANTE-kerberos-9f41c7d2";
    let realm = Realm::start(password);
    let mut server = Taker::start(&realm, "kerberos", "+0s");
    let (mut lease, target) = stored(server.hop(&realm), password);
    let link = must_open(&target, &mut lease);
    server.told.until(&given(password));
    shows_nowhere("rdp", &lease, &[password.into()], Some(realm.dir.path()), before);
    assert!(!realm.log().contains(password));
    link.close();
}

#[test]
fn a_user_with_the_domain_in_the_name_is_asked_for_as_a_whole() {
    // A Windows KDC looks such a name up (RFC 6806 section 5); MIT's has it as it is.
    let realm = Realm::start(PASSWORD);
    realm.admin(&[&format!("addprinc +requires_preauth -pw {PASSWORD} ada\\@{REALM}")]);
    let mut server = Taker::start(&realm, "kerberos", "+0s");
    let mut hop = server.hop(&realm);
    hop.user = format!("ada@{REALM}");
    let link = opened(with(hop, "kerberos", "only"));
    server.told.until(&format!("ticket of ada\\@{REALM}@{REALM} for {SERVER}@{REALM}"));
    link.close();
}

/// The way to a KDC, whose answers it holds for a while: nobody who has less time waits.
/// Tells whether who asked went first.
fn held(realm: &Realm) -> (String, JoinHandle<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let place = listener.local_addr().expect("bound").to_string();
    let kdc = realm.port;
    let held = std::thread::spawn(move || {
        loop {
            let (mut near, _) = listener.accept().expect("a visitor");
            let mut far = TcpStream::connect(("127.0.0.1", kdc)).expect("it listens");
            let Some(asked) = message(&mut near) else { continue };
            far.write_all(&asked).expect("it reads");
            let answer = message(&mut far).expect("an answer");
            near.set_read_timeout(Some(Duration::from_secs(4))).expect("not zero");
            match near.read(&mut [0]) {
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                _ => return true,
            }
            if near.write_all(&answer).is_err() || answer[4] == 0x6D {
                return false;
            }
        }
    });
    (place, held)
}

/// A message after its length, with that.
fn message(from: &mut TcpStream) -> Option<Vec<u8>> {
    let mut all = vec![0; 4];
    from.read_exact(&mut all).ok()?;
    let length = u32::from_be_bytes(all[..4].try_into().expect("four")) as usize;
    all.resize(4 + length, 0);
    from.read_exact(&mut all[4..]).ok()?;
    Some(all)
}

#[test]
fn a_kdc_has_one_step_of_connecting_for_all_its_answers() {
    let realm = Realm::start(PASSWORD);
    let server = Taker::start(&realm, "kerberos", "+0s");
    let (place, waits) = held(&realm);
    let hop = with(with(server.hop(&realm), "kdc", &place), "connect-timeout", "1");
    let failure = refused(with(hop, "kerberos", "only"), PASSWORD);
    says(&failure, FailureKind::Network, &format!("no answer from the KDC {place}"));
    assert!(failure.what.en.contains("no answer in time"), "{}", failure.what.en);
    assert!(failure.todo.fr.contains("port 88"), "{}", failure.todo.fr);
    assert!(waits.join().expect("no panic"), "it was waited for");
}

#[test]
fn giving_up_on_a_kdc_that_says_nothing_leaves_nothing_behind() {
    let realm = Realm::start(PASSWORD);
    let mut server = Taker::start(&realm, "kerberos", "+0s");
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let place = silent.local_addr().expect("bound").to_string();
    let hop = with(with(server.hop(&realm), "kdc", &place), "connect-timeout", "600");
    let (mut lease, target) = stored(hop, PASSWORD);
    let gave_up = lease.gave_up.clone();
    let asked = std::thread::spawn(move || {
        let (mut visitor, _) = silent.accept().expect("a visitor");
        assert!(message(&mut visitor).is_some(), "it asks");
        gave_up.store(true, Ordering::SeqCst);
        visitor.read_to_end(&mut Vec::new()).ok()
    });
    let failure = must_fail(&target, &mut lease);
    says(&failure, FailureKind::Cancelled, "given up");
    asked.join().expect("it saw the end");
    server.told.until("end");
    all_gone(&lease);
}

#[test]
fn a_kdc_that_sends_nonsense_is_told_and_takes_no_memory() {
    let realm = Realm::start(PASSWORD);
    let server = Taker::start(&realm, "kerberos", "+0s");
    let only = with(server.hop(&realm), "kerberos", "only");
    let endless = [&[0x7F, 0xFF, 0xFF, 0xFF][..], &[0; 1 << 12]].concat();
    let no_kerberos = b"\0\0\0\x04\x7e\x84\xff\xff".to_vec();
    let nothing = vec![0; 4];
    for answer in [endless, no_kerberos, nothing] {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
        let place = listener.local_addr().expect("bound").to_string();
        let answers = std::thread::spawn(move || {
            let (mut visitor, _) = listener.accept().expect("a visitor");
            let _ = message(&mut visitor).map(|_| visitor.write_all(&answer));
            let _ = visitor.read_to_end(&mut Vec::new());
        });
        let (mut lease, target) = stored(with(only.clone(), "kdc", &place), PASSWORD);
        let failure = must_fail(&target, &mut lease);
        says(&failure, FailureKind::Network, &format!("no answer from the KDC {place}"));
        answers.join().expect("it was left");
        all_gone(&lease);
    }
}
