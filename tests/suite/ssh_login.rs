//! Logging in to real OpenSSH and Dropbear servers by every method, trust in
//! server keys, and what a person reads when it does not work.

use std::fs;
use std::path::Path;

use poterne::connect::FailureKind;
use poterne::connect::Progress;
use poterne::connect::link::Exit;
use poterne::model::entry::Slot;
use poterne::model::lang::Lang;
use poterne::model::target::Target;

use crate::kit_ssh::*;

const PASSWORD: &str = "Mot-de-passe-planté-7731";
const SEED: &str = "3132333435363738393031323334353637383930";

/// Checks that a command runs on the far side.
fn works(link: &dyn poterne::connect::link::Link) {
    let talk = run(link, "echo it-$((40+2))", b"");
    assert_eq!(talk.text(), "it-42\n");
    assert_eq!(talk.exit, Some(Exit::Status(0)));
    assert_eq!(talk.closed, Some(None));
}

#[test]
fn every_usual_key_type_logs_in_from_memory() {
    let server = Sshd::start(Setup::default());
    let dir = tempfile::tempdir().expect("a folder");
    for (name, key, phrase) in key_forms(dir.path()) {
        server.authorize(&key);
        let mut lease = FakeLease::default();
        let mut hops = vec![server.hop()];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
        if let Some(phrase) = phrase {
            lease.plant(&mut hops, 0, Slot::Passphrase, phrase.as_bytes());
        }
        let link = match open(&target(hops), &mut lease) {
            Ok(link) => link,
            Err(e) => panic!("{name}: {:?} {}\n{}", e.kind, e.what.en, server.log()),
        };
        works(&*link);
        assert_eq!(link.info().user, user());
        assert!(lease.said.contains(&Progress::Authenticating("publickey".into())));
    }
}

/// Of 256 P-256 keys one begins with a zero byte, which OpenSSH does not write.
#[test]
fn a_key_that_begins_with_a_zero_byte_logs_in_with_and_without_passphrase() {
    let server = Sshd::start(Setup::default());
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/keys"));
    server.authorize(&folder.join("p256_short"));
    for (name, phrase) in [("p256_short", ""), ("p256_short_phrase", "phrase")] {
        let mut lease = FakeLease::default();
        let mut hops = vec![server.hop()];
        let key = fs::read(folder.join(name)).expect("checked in");
        lease.plant(&mut hops, 0, Slot::PrivateKey, &key);
        lease.plant(&mut hops, 0, Slot::Passphrase, phrase.as_bytes());
        works(&*must_open(&target(hops), &mut lease));
    }
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    let key = fs::read(folder.join("p256_short_phrase")).expect("checked in");
    lease.plant(&mut hops, 0, Slot::PrivateKey, &key);
    lease.plant(&mut hops, 0, Slot::Passphrase, b"wrong");
    let failure = must_fail(&target(hops), &mut lease);
    assert!(failure.what.en.contains("is wrong"), "{}", failure.what.en);
}

#[test]
fn a_wrong_or_missing_passphrase_says_so() {
    let server = Sshd::start(Setup::default());
    let dir = tempfile::tempdir().expect("a folder");
    let formats: &[(&str, &[&str])] = &[
        ("openssh", &["-t", "ed25519", "-a", "2", "-N", "right"]),
        ("pem", &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "right"]),
        ("pkcs8", &["-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "right"]),
        ("ecpem", &["-t", "ecdsa", "-b", "256", "-m", "PEM", "-N", "right"]),
    ];
    for (name, args) in formats {
        let key = fs::read(keygen(dir.path(), name, args)).expect("made");
        let mut lease = FakeLease::default();
        let mut hops = vec![server.hop()];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &key);
        let failure = must_fail(&target(hops.clone()), &mut lease);
        assert_eq!(failure.kind, FailureKind::BadKey, "{name}");
        assert!(failure.what.en.contains("no passphrase"), "{name}: {}", failure.what.en);

        let mut lease = FakeLease::default();
        let mut hops = vec![server.hop()];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &key);
        lease.plant(&mut hops, 0, Slot::Passphrase, b"wrong");
        let failure = must_fail(&target(hops), &mut lease);
        assert_eq!(failure.kind, FailureKind::BadKey, "{name}");
        assert!(failure.what.en.contains("is wrong"), "{name}: {}", failure.what.en);
    }
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::PrivateKey, b"not a key at all");
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::BadKey);
    assert!(failure.what.en.contains("cannot be read"));
}

#[test]
fn a_passphrase_that_the_entry_lacks_is_typed_by_the_person() {
    let server = Sshd::start(Setup::default());
    let args = ["-t", "ed25519", "-a", "2", "-N", "right"];
    let key = keygen(server.dir.path(), "typed", &args);
    server.authorize(&key);
    let ask = |answers: &[&str], attempt: &mut dyn FnMut(&Target, &mut FakeLease)| {
        let mut lease = FakeLease::default();
        let mut hops = vec![server.hop()];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
        lease.answers.extend(answers.iter().map(|&answer| answer.to_owned()));
        attempt(&target(hops), &mut lease);
        lease.asked
    };
    let asked = format!("passphrase of {}@127.0.0.1", user());
    let again = format!("{asked} (again)");
    let told = ask(&["wrong", "right"], &mut |target, lease| works(&*must_open(target, lease)));
    assert_eq!(told, [asked.clone(), again.clone()]);
    let told = ask(&["a", "b", "c", "right"], &mut |target, lease| {
        assert!(must_fail(target, lease).what.en.contains("is wrong"));
    });
    assert_eq!(told, [asked, again.clone(), again]);
}

#[test]
fn a_key_the_server_does_not_know_is_refused() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "stranger", &["-t", "ed25519"]);
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login);
    assert!(failure.what.en.contains("tried: publickey"), "{}", failure.what.en);
}

fn with_password(lines: &[&str]) -> Sshd {
    Sshd::start(Setup {
        password: Some(PASSWORD.into()),
        lines: lines.iter().map(|l| (*l).to_owned()).collect(),
        ..Setup::default()
    })
}

#[test]
fn a_password_logs_in_and_a_wrong_one_does_not() {
    let server = with_password(&["PasswordAuthentication yes", "KbdInteractiveAuthentication no"]);
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    works(&*must_open(&target(hops.clone()), &mut lease));
    assert_eq!(lease.taken, [(0, Slot::Password)]);

    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, b"faux");
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login);
    assert!(failure.what.en.contains("tried: password"), "{}", failure.what.en);
    assert_eq!(server.log().matches("Failed password").count(), 1, "one try, not several");
}

#[test]
fn a_missing_password_is_asked_for_and_may_be_mistyped_once() {
    let server = with_password(&["PasswordAuthentication yes", "KbdInteractiveAuthentication no"]);
    let mut lease = FakeLease::default();
    lease.answers.extend(["oups".into(), PASSWORD.into()]);
    let mut hops = vec![server.hop()];
    hops[0].ask = true;
    works(&*must_open(&target(hops), &mut lease));
    assert_eq!(lease.asked.len(), 2);
}

#[test]
fn keyboard_interactive_gets_the_password_and_the_code() {
    let server = Sshd::start(Setup {
        password: Some(PASSWORD.into()),
        otp_seed: Some(SEED.into()),
        lines: vec!["PasswordAuthentication no".into(), "KbdInteractiveAuthentication yes".into()],
        ..Setup::default()
    });
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    lease.plant_seed(&mut hops, 0, SEED);
    let link = match open(&target(hops), &mut lease) {
        Ok(link) => link,
        Err(e) => panic!("{} {:?}\n{}", e.what.en, lease.asked, server.log()),
    };
    works(&*link);
    assert!(lease.asked.is_empty(), "nothing is left to ask: {:?}", lease.asked);
}

#[test]
fn a_code_without_a_seed_is_asked_of_the_person() {
    let server = Sshd::start(Setup {
        password: Some(PASSWORD.into()),
        otp_seed: Some(SEED.into()),
        lines: vec!["PasswordAuthentication no".into(), "KbdInteractiveAuthentication yes".into()],
        ..Setup::default()
    });
    let mut lease = FakeLease::default();
    lease.answers.push_back(sh("oathtool", &["--totp", SEED]).trim().to_owned());
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    works(&*must_open(&target(hops), &mut lease));
    assert!(lease.asked[0].contains("One-time password"), "{:?}", lease.asked);
}

#[test]
fn a_key_and_then_a_password_log_in_where_both_are_required() {
    let server = with_password(&[
        "PasswordAuthentication yes",
        "KbdInteractiveAuthentication no",
        "AuthenticationMethods publickey,password",
    ]);
    let key = keygen(server.dir.path(), "both", &["-t", "ed25519"]);
    server.authorize(&key);
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    works(&*must_open(&target(hops), &mut lease));
}

#[test]
fn an_unknown_server_key_is_shown_and_needs_a_yes() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "user", &["-t", "ed25519"]);
    server.authorize(&key);
    let mut lease = FakeLease::default();
    let mut hops = vec![hop(server.port)];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    let failure = must_fail(&target(hops.clone()), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyRefused);
    assert_eq!(lease.keys_shown, [server.pinned("ssh-ed25519", "ed25519")]);
    assert!(lease.taken.is_empty(), "no secret is taken before the key is trusted");

    lease.trust = true;
    let link = must_open(&target(hops), &mut lease);
    works(&*link);
    assert_eq!(link.info().host_key, server.fingerprint("ed25519"));
}

#[test]
fn a_changed_server_key_is_refused_loudly() {
    let server = Sshd::start(Setup::default());
    let mut hops = vec![hop(server.port)];
    hops[0].pinned = vec![server.pinned("ssh-ed25519", "ed25519")];
    hops[0].pinned[0].fingerprint = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
    assert!(failure.what.fr.contains("A CHANGÉ") && failure.what.en.contains("HAS CHANGED"));
    assert!(failure.what.en.contains(&server.fingerprint("ed25519")));
    assert!(failure.what.en.contains("SHA256:AAAAAAAA"));
    assert!(failure.todo.en.contains("--forget-host-key"));
    #[cfg(feature = "gui")]
    for lang in [Lang::Fr, Lang::En] {
        // The window has a button for it.
        let shown = poterne::gui::widgets::advice::in_window(failure.todo.get(lang), lang);
        assert!(!shown.contains("poterne"), "{shown}");
    }
    assert!(lease.keys_shown.is_empty() && lease.taken.is_empty());
}

#[test]
fn a_server_with_several_keys_presents_the_pinned_one() {
    let server =
        Sshd::start(Setup { host_keys: vec!["ed25519", "ecdsa", "rsa"], ..Setup::default() });
    let key = keygen(server.dir.path(), "user", &["-t", "ed25519"]);
    server.authorize(&key);
    let pins =
        [("ssh-ed25519", "ed25519"), ("ecdsa-sha2-nistp256", "ecdsa"), ("rsa-sha2-512", "rsa")];
    for (algorithm, kind) in pins {
        let mut lease = FakeLease::default();
        let mut hops = vec![hop(server.port)];
        hops[0].pinned = vec![server.pinned(algorithm, kind)];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
        let link = must_open(&target(hops), &mut lease);
        assert_eq!(link.info().host_key, server.fingerprint(kind));
    }
}

#[test]
fn the_agent_s_key_logs_in() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "agent", &["-t", "ed25519"]);
    server.authorize(&key);
    let agent = SshAgent::start(&key);
    let mut lease = FakeLease::default();
    let hops = vec![with(with(server.hop(), "auth", "agent"), "agent-socket", &agent.socket)];
    match open(&target(hops), &mut lease) {
        Ok(link) => works(&*link),
        Err(e) => panic!("{}\n{}", e.what.en, server.log()),
    }
}

#[test]
fn without_an_agent_or_a_secret_the_text_says_what_is_missing() {
    let server = Sshd::start(Setup::default());
    let mut lease = FakeLease::default();
    let failure = must_fail(&target(vec![server.hop()]), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login);
    assert!(failure.what.en.contains("has nothing that"), "{}", failure.what.en);
    // An agent that nobody hears, and one without a key.
    let nowhere = server.dir.path().join("nowhere").to_str().expect("UTF-8").to_owned();
    let deaf = with(with(server.hop(), "auth", "agent"), "agent-socket", &nowhere);
    let failure = must_fail(&target(vec![deaf]), &mut FakeLease::default());
    assert_eq!(failure.what.en, "The SSH agent does not answer: nobody listens there.");
    assert!(failure.what.fr.ends_with("personne n’écoute à cet endroit."), "{}", failure.what.fr);
    let key = keygen(server.dir.path(), "agent", &["-t", "ed25519"]);
    let agent = SshAgent::start(&key);
    sh("env", &[&format!("SSH_AUTH_SOCK={}", agent.socket), "ssh-add", "-q", "-D"]);
    let empty = with(with(server.hop(), "auth", "agent"), "agent-socket", &agent.socket);
    let failure = must_fail(&target(vec![empty]), &mut FakeLease::default());
    assert_eq!(failure.what.en, "The SSH agent has no key.");
}

#[test]
fn a_missing_user_is_asked_for() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "user", &["-t", "ed25519"]);
    server.authorize(&key);
    let mut lease = FakeLease::default();
    lease.answers.push_back(user());
    let mut hops = vec![server.hop()];
    hops[0].user.clear();
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    works(&*must_open(&target(hops), &mut lease));
    assert_eq!(lease.asked, ["user"]);
}
