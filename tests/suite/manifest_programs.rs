//! Connectors by manifest with their real programs against real far sides: plink
//! and mosh against sshd, psql against PostgreSQL, mysql against MariaDB, tmux here. Login, typing and its effect,
//! resize, wrong password, wrong key, the far side killed, closing, and no secret
//! where other programs could read it.

use std::any::Any;
use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use poterne::connect::FailureKind;
use poterne::connect::link::{Exit, Link, TermSize, ToRemote};
use poterne::connect::manifest::registry::BUILT_IN;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, Target};

use crate::cli_kit::Seat;
use crate::connect_all::shows_nowhere;
use crate::kit_mariadb::MariaDb;
use crate::kit_postgres::Postgres;
use crate::kit_rdp::eventually;
use crate::kit_ssh::*;

const PASSWORD: &str = "Plante-\"mot\\de passe'-77c1";

pub fn of(kind: &str, hop: Hop) -> Target {
    Target { kind: Kind::new(kind), hops: vec![hop] }
}

fn sshd() -> Sshd {
    Sshd::start(Setup { password: Some(PASSWORD.into()), ..Setup::default() })
}

/// A lease with a password for the one hop, and the hop.
pub fn with_password(hop: Hop, password: &str) -> (Hop, FakeLease) {
    let mut lease = FakeLease::default();
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Password, password.as_bytes());
    (hops.remove(0), lease)
}

fn open(kind: &str, hop: Hop, password: &str) -> (Box<dyn Link>, FakeLease) {
    let (hop, mut lease) = with_password(hop, password);
    let link = must_open(&of(kind, hop), &mut lease);
    (link, lease)
}

/// Nothing of the program is left when its session is over.
pub fn all_gone(lease: &FakeLease) {
    for pid in &lease.children {
        let ended = || {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            (stat.is_empty() || stat.contains(") Z ")).then_some(())
        };
        eventually("the session process ends", ended);
        assert!(descendants(*pid).is_empty());
    }
}

#[test]
fn plink_logs_in_types_and_follows_a_resize() {
    let server = sshd();
    let (link, lease) = open("plink", server.hop(), PASSWORD);
    assert_eq!(lease.taken, [(0, Slot::Password)]);
    assert!(link.info().description.starts_with("plink · /"), "{}", link.info().description);
    let mut talk = Talk::shell(&*link, 91, 27);
    let file = server.dir.path().join("effect");
    talk.send(&format!("stty size; echo done > {}; echo wri''tten\r", file.display()));
    talk.until("27 91");
    talk.until("written");
    assert_eq!(fs::read_to_string(&file).expect("it was made there"), "done\n");
    talk.channel.send(ToRemote::Resize(TermSize { cols: 103, rows: 31 }));
    // The new size travels on its own way: asked until it is there.
    while !talk.text().contains("31 103") {
        talk.send("stty size; echo as''ked\r");
        talk.until("asked");
        talk.out.extend(b" ");
        let seen = talk.text().contains("31 103");
        if !seen {
            talk.out.clear();
        }
    }
    talk.send("exit 5\r");
    let talk = talk.finish();
    assert_eq!((talk.exit, talk.closed), (Some(Exit::Status(5)), Some(None)));
    all_gone(&lease);
}

#[test]
fn plink_shows_an_unknown_key_to_the_person_and_takes_no_other_than_the_pinned() {
    let server = sshd();
    let (mut hop, mut lease) = with_password(server.hop(), PASSWORD);
    let pinned = std::mem::take(&mut hop.pinned);
    lease.trust = true;
    let link = must_open(&of("plink", hop.clone()), &mut lease);
    assert_eq!(lease.keys_shown, pinned);
    assert_eq!(link.info().host_key, pinned[0].fingerprint);
    link.close();

    let (hop, mut lease) = with_password(hop, PASSWORD);
    let failure = must_fail(&of("plink", hop.clone()), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyRefused, "{}", failure.what.en);
    all_gone(&lease);

    let other = Sshd::start(Setup::default());
    let mut hop = hop;
    hop.pinned = vec![other.pinned("ssh-ed25519", "ed25519")];
    let (hop, mut lease) = with_password(hop, PASSWORD);
    let failure = must_fail(&of("plink", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged, "{}", failure.what.en);
    assert_eq!(server.log().matches("Accepted").count(), 1, "only the first one");
    all_gone(&lease);
}

#[test]
fn plink_tells_a_wrong_password_and_a_closed_port() {
    let server = sshd();
    let (hop, mut lease) = with_password(server.hop(), "faux");
    let failure = must_fail(&of("plink", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
    all_gone(&lease);
    let (hop, mut lease) = with_password(hop_to_nowhere(), PASSWORD);
    let failure = must_fail(&of("plink", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Refused, "{}", failure.what.en);
}

fn hop_to_nowhere() -> Hop {
    hop(free_port())
}

#[test]
fn no_value_of_an_entry_becomes_an_option() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("touched");
    let mut bad = hop_to_nowhere();
    bad.at.host = format!("-proxycmd=touch${{IFS}}{}", file.display());
    let user = format!("-proxycmd touch {}", file.display());
    for (host, user) in [(bad.at.host.as_str(), "zoe"), ("127.0.0.1", user.as_str())] {
        let mut hop = hop_to_nowhere();
        hop.at.host = host.into();
        hop.user = user.into();
        let (hop, mut lease) = with_password(hop, PASSWORD);
        let failure = must_fail(&of("plink", hop), &mut lease);
        assert_eq!(failure.kind, FailureKind::Setting, "{}", failure.what.en);
        assert!(lease.children.is_empty() && lease.taken.is_empty(), "nothing was started");
    }
    assert!(!file.exists());
}

#[test]
fn a_killed_server_ends_plink_and_a_closed_session_ends_it_too() {
    let mut server = sshd();
    let (link, lease) = open("plink", server.hop(), PASSWORD);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo u''p\r");
    talk.until("up");
    server.kill();
    let talk = talk.finish();
    assert!(matches!(talk.exit, Some(Exit::Status(code)) if code != 0), "{:?}", talk.exit);
    all_gone(&lease);

    let server = sshd();
    let (link, lease) = open("plink", server.hop(), PASSWORD);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo u''p\r");
    talk.until("up");
    link.close();
    talk.finish();
    all_gone(&lease);
}

/// An entry for the server of these tests, which encrypts nothing.
fn plain(hop: Hop) -> Hop {
    with(hop, "encryption", "disable")
}

/// Nothing goes over a connection that is not encrypted because somebody on the way said
/// that there is no encryption; the entry may say that it is wanted so.
#[test]
fn psql_gives_no_password_to_a_server_that_does_not_encrypt_unless_the_entry_says_so() {
    let server = Postgres::start(PASSWORD);
    let (hop, mut lease) = with_password(server.hop(), PASSWORD);
    let failure = must_fail(&of("psql", hop), &mut lease);
    assert!(failure.what.en.contains("does not encrypt"), "{}", failure.what.en);
    assert!(failure.todo.en.contains("prefer"), "{}", failure.todo.en);
    all_gone(&lease);
    let (link, lease) = open("psql", with(server.hop(), "encryption", "prefer"), PASSWORD);
    link.close();
    all_gone(&lease);
}

#[test]
fn psql_logs_in_types_and_changes_the_database() {
    let server = Postgres::start(PASSWORD);
    let (link, lease) = open("psql", plain(server.hop()), PASSWORD);
    assert_eq!(lease.taken, [(0, Slot::Password)]);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("create table essai as select 6*7 as n;\r");
    talk.until("SELECT 1");
    assert_eq!(server.asked("select n from essai").trim(), "42");
    talk.send("\\q\r");
    let talk = talk.finish();
    assert_eq!(talk.exit, Some(Exit::Status(0)));
    assert!(!talk.text().contains(PASSWORD), "it is not shown");
    all_gone(&lease);
}

/// Without a vault, as who writes a manifest tries it: secrets are asked for when the
/// program wants them, one line each.
#[test]
fn a_manifest_is_tried_without_a_vault() {
    let server = Postgres::start(PASSWORD);
    let seat = Seat::empty();
    let file = seat.home.path().join("base.toml");
    let (_, text) = BUILT_IN.iter().find(|(kind, _)| *kind == "psql").expect("it is there");
    fs::write(&file, text.replace("kind = \"psql\"", "kind = \"base\"")).expect("ours");
    let port = format!("port={}", server.port);
    let field = ["--field", "host=127.0.0.1", "--field", &port, "--field", "user=zoe"];
    let plain = ["--field", "encryption=disable"];
    let field = [&field[..], &plain].concat();
    let args = [&["connector", "try", file.to_str().expect("UTF-8")][..], &field].concat();
    let tried = seat.run(&args, &format!("yes\n{PASSWORD}\nselect 6*7 as n;\n\\q\n")).ended(0);
    assert!(tried.out.contains("42"), "{}", tried.out);
    assert!(!tried.out.contains(PASSWORD) && !tried.err.contains(PASSWORD));
    seat.run(&args, "faux\n").ended(6);
    for bad in ["database=host=evil", "nothing=x", "password=x", "port=0", "user"] {
        let all = [&args[..], &["--field", bad]].concat();
        seat.run(&all, "").ended(2);
    }
    let lost = seat.run(&args[..3], "").ended(2);
    assert!(lost.err.contains("--field host="), "{}", lost.err);
}

#[test]
fn psql_tells_a_wrong_password_and_a_closed_port() {
    let server = Postgres::start(PASSWORD);
    let (hop, mut lease) = with_password(plain(server.hop()), "faux");
    let failure = must_fail(&of("psql", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
    all_gone(&lease);
    let (hop, mut lease) = with_password(hop_to_nowhere(), PASSWORD);
    let failure = must_fail(&of("psql", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Refused, "{}", failure.what.en);
    // A whole connection string would name another host.
    let (hop, mut lease) = with_password(with(plain(server.hop()), "database", "-x"), PASSWORD);
    let failure = must_fail(&of("psql", hop), &mut lease);
    assert!(failure.what.en.contains("database"), "{}", failure.what.en);
}

#[test]
fn a_killed_database_does_not_hold_up_the_session() {
    let mut server = Postgres::start(PASSWORD);
    let (link, lease) = open("psql", plain(server.hop()), PASSWORD);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("select 'u'||'p';\r");
    talk.until("up");
    server.kill();
    talk.send("select 1;\r");
    talk.until("connection");
    link.close();
    talk.finish();
    all_gone(&lease);
}

#[test]
fn mysql_logs_in_and_changes_the_database_and_tells_a_wrong_password() {
    let server = MariaDb::start(PASSWORD);
    let (link, lease) = open("mysql", server.hop(), PASSWORD);
    assert_eq!(lease.taken, [(0, Slot::Password)]);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("create table t as select 6*7 as n;\r");
    talk.until("Query OK");
    assert_eq!(server.asked("select n from essai.t").trim(), "42");
    link.close();
    assert!(!talk.finish().text().contains(PASSWORD), "it is not shown");
    all_gone(&lease);
    let (hop, mut lease) = with_password(server.hop(), "faux");
    let failure = must_fail(&of("mysql", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
    let (hop, mut lease) = with_password(hop_to_nowhere(), PASSWORD);
    let failure = must_fail(&of("mysql", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Refused, "{}", failure.what.en);
}

#[test]
fn mosh_logs_in_once_its_key_is_trusted() {
    let server = sshd();
    let (mut hop, mut lease) = with_password(server.hop(), PASSWORD);
    let pinned = std::mem::take(&mut hop.pinned);
    lease.trust = true;
    let link = must_open(&of("mosh", hop.clone()), &mut lease);
    assert_eq!(lease.keys_shown, pinned, "as the protocol names it");
    let mut talk = Talk::shell(&*link, 91, 27);
    let file = server.dir.path().join("effect");
    talk.send(&format!("echo done > {}; echo wri''tten\r", file.display()));
    talk.until("written");
    assert_eq!(fs::read_to_string(&file).expect("it was made there"), "done\n");
    talk.send("exit\r");
    let talk = talk.finish();
    assert!(!talk.text().contains(PASSWORD), "it is not shown");
    all_gone(&lease);

    hop.pinned = pinned;
    let (hop, mut lease) = with_password(hop, "faux");
    let failure = must_fail(&of("mosh", hop.clone()), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
    assert!(lease.keys_shown.is_empty(), "the pinned key is not asked about");
    let mut hop = hop;
    let other = Sshd::start(Setup::default());
    hop.pinned = vec![other.pinned("ssh-ed25519", "ed25519")];
    let (hop, mut lease) = with_password(hop, PASSWORD);
    let failure = must_fail(&of("mosh", hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged, "{}", failure.what.en);
    assert!(lease.taken.is_empty(), "nothing is given to a stranger");
}

#[test]
fn tmux_goes_on_when_its_tab_is_closed() {
    let name = format!("poterne-test-{}", std::process::id());
    let end = || {
        let _ = std::process::Command::new("tmux").args(["kill-session", "-t", &name]).output();
    };
    let mut lease = FakeLease::default();
    let hop = with(hop(0), "session", &name);
    let link = must_open(&of("tmux", hop.clone()), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.send("echo he''re\r");
    talk.until("here");
    link.close();
    talk.finish();
    all_gone(&lease);
    let link = must_open(&of("tmux", hop), &mut lease);
    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("here");
    end();
    talk.finish();
    all_gone(&lease);
}

/// A far side for a kind, as long as it is needed, and the folder with its own
/// secrets.
fn far_side(kind: &str, password: &str) -> (Hop, Box<dyn Any>, Option<PathBuf>) {
    match kind {
        "plink" | "mosh" => {
            let far = Sshd::start(Setup { password: Some(password.into()), ..Setup::default() });
            let own = Some(far.dir.path().to_owned());
            (far.hop(), Box::new(far), own)
        }
        "psql" => {
            let far = Postgres::start(password);
            let own = Some(far.dir.path().to_owned());
            (plain(far.hop()), Box::new(far), own)
        }
        "mysql" => {
            let far = MariaDb::start(password);
            let own = Some(far.dir.path().to_owned());
            (far.hop(), Box::new(far), own)
        }
        _ => (with(hop(0), "session", &format!("p{}", std::process::id())), Box::new(()), None),
    }
}

#[test]
fn no_secret_shows_while_a_program_of_a_manifest_runs() {
    let mark = "PLANTE-manifeste-9f41c7d2";
    let before = SystemTime::now();
    for kind in ["plink", "psql", "mysql", "mosh", "tmux"] {
        let (hop, _far, own) = far_side(kind, mark);
        let mut lease = FakeLease::default();
        let mut hops = vec![hop];
        for slot in [Slot::Password, Slot::PrivateKey, Slot::Passphrase, Slot::Notes] {
            lease.plant(&mut hops, 0, slot, mark.as_bytes());
        }
        let link = must_open(&of(kind, hops.remove(0)), &mut lease);
        let mut talk = Talk::shell(&*link, 80, 24);
        let (says, hears) = match kind {
            "psql" => ("select 'run'||'ning';\r", "running"),
            "mysql" => ("select concat('run','ning');\r", "running"),
            _ => ("echo run''ning\r", "running"),
        };
        talk.send(says);
        talk.until(hears);
        assert!(!talk.text().contains(mark), "{kind} shows it");
        shows_nowhere(kind, &lease, &[mark.as_bytes().to_vec()], own.as_deref(), before);
        if kind == "tmux" {
            talk.send("exit\r");
        }
        link.close();
        talk.finish();
    }
}
