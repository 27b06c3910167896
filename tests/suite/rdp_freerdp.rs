//! Remote desktops in FreeRDP's own window, against a real xrdp and, for NLA,
//! FreeRDP's shadow server.

use std::fs;
use std::process::Stdio;
use std::sync::mpsc::channel;

use poterne::connect::FailureKind;
use poterne::connect::link::{Exit, Link};
use poterne::connect::rdp::freerdp;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, Target};

use crate::cli_kit::Seat;
use crate::kit_rdp::*;
use crate::kit_screen::{Screen, Window};
use crate::kit_ssh::*;
use crate::rdp_back::Relay;

const PASSWORD: &str = "tuile-Érable-42";
/// The title of a window: where the entry lies.
const TITLE: &str = "A/srv";

/// A hop whose desktop opens in FreeRDP's window.
fn outside(mut hop: Hop) -> Hop {
    hop.path = TITLE.into();
    with(hop, "program", "freerdp")
}

fn lease_on(screen: &Screen, hop: &mut Hop, password: &str) -> FakeLease {
    let mut lease = FakeLease { display: Some(screen.name.clone()), ..FakeLease::default() };
    let hops = std::slice::from_mut(hop);
    lease.plant(hops, 0, Slot::Password, password.as_bytes());
    lease
}

/// A desktop in a window, its certificate known.
fn open(screen: &Screen, server: &Xrdp, settings: &[(&str, &str)]) -> (Box<dyn Link>, FakeLease) {
    let mut hop = outside(server.hop());
    hop.pinned.push(server.pinned());
    for (id, value) in settings {
        hop = with(hop, id, value);
    }
    let mut lease = lease_on(screen, &mut hop, PASSWORD);
    (must_open(&rdp(hop), &mut lease), lease)
}

/// Waits until a window shows what the server does, give or take `off`.
fn same(screen: &Screen, window: &Window, server: &Xrdp, off: u8) {
    server.display();
    eventually("the window shows the desktop", || {
        let (width, height, there) = server.shows();
        let here = screen.picture(window)?;
        let apart = here.iter().zip(&there).map(|(a, b)| a.abs_diff(*b)).max()?;
        ((width, height) == window.size && apart <= off).then_some(())
    });
}

/// Waits until the terminal on the desktop has been given this text.
fn typed(server: &Xrdp, text: &str) {
    let file = server.home().join("typed");
    eventually(&format!("{text:?} arrives"), || {
        fs::read_to_string(&file).unwrap_or_default().ends_with(text).then_some(())
    });
}

/// FreeRDP's processes below the session processes of a lease.
fn programs(lease: &FakeLease) -> Vec<u32> {
    let below = lease.children.iter().flat_map(|pid| descendants(*pid));
    let is = |pid: &u32| {
        let command = fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        command.contains("freerdp")
    };
    below.filter(is).collect()
}

fn gone(pids: &[u32]) {
    let there = |pid: &u32| fs::metadata(format!("/proc/{pid}/exe")).is_ok();
    eventually("FreeRDP has ended", || (!pids.iter().any(there)).then_some(()));
}

#[test]
fn a_desktop_is_trusted_shown_and_typed_into_in_its_own_window() {
    let (server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let mut hop = outside(server.hop());
    let mut lease = lease_on(&screen, &mut hop, PASSWORD);
    lease.trust = true;
    let link = must_open(&rdp(hop), &mut lease);
    assert_eq!(lease.keys_shown, [server.pinned()]);
    assert_eq!(lease.taken, [(0, Slot::Password)]);
    let info = link.info();
    assert_eq!((&info.user, &info.host_key), (&server.user, &server.pinned().fingerprint));
    assert!(info.description.contains("FreeRDP ") && !info.desktop, "{info:?}");
    assert!(info.warnings.is_empty(), "{info:?}");

    let mut talk = Talk::shell(&*link, 80, 24);
    talk.until("opened in a window of its own");
    let window = screen.shows(TITLE);
    same(&screen, &window, &server, 8);
    screen.point(&window, 200, 100);
    screen.act(&["click", "1"]);
    screen.act(&["key", "e", "r", "Return"]);
    typed(&server, "er\n");
    // It takes no commands, and no second session.
    let programs = programs(&lease);
    assert_eq!(programs.len(), 1, "{programs:?}");
    screen.close(&window);
    let talk = talk.finish();
    assert!(talk.text().contains("Window closed"), "{}", talk.text());
    assert_eq!((talk.exit, talk.closed), (Some(Exit::Status(0)), Some(None)));
    eventually("the link is over", || (!link.alive()).then_some(()));
    gone(&programs);
}

#[test]
fn closing_the_session_ends_freerdp_and_wipes_its_files() {
    let (server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let (link, lease) = open(&screen, &server, &[("clipboard", "in"), ("effects", "no")]);
    let warnings = link.info().warnings;
    let old = link.info().description.contains("FreeRDP 2");
    assert_eq!(warnings.iter().any(|w| w.en.contains("clipboard")), old, "{warnings:?}");
    let talk = Talk::shell(&*link, 80, 24);
    let programs = programs(&lease);
    let environ = fs::read_to_string(format!("/proc/{}/environ", programs[0])).expect("it runs");
    let files = environ.split('\0').find_map(|v| v.strip_prefix("XDG_CONFIG_HOME="));
    let files = std::path::PathBuf::from(files.expect("files of its own"));
    assert!(files.is_dir());
    link.close();
    assert_eq!(talk.finish().closed, Some(None));
    gone(&programs);
    let left = format!("/dev/shm/com.freerdp.xfreerdp.tsmf_{:016X}", programs[0]);
    eventually("its files are gone", || {
        (!files.exists() && !fs::exists(&left).unwrap_or(true)).then_some(())
    });
}

#[test]
fn a_server_that_is_killed_ends_freerdp() {
    let (mut server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let (link, lease) = open(&screen, &server, &[("reconnect", "no")]);
    let talk = Talk::shell(&*link, 80, 24);
    screen.shows(TITLE);
    let programs = programs(&lease);
    server.kill();
    let failure = talk.finish().closed.expect("it is over").expect("a reason");
    assert_eq!(failure.kind, FailureKind::Network, "{failure:?}");
    assert!(!failure.todo.fr.is_empty());
    gone(&programs);
}

#[test]
fn a_window_comes_back_by_itself_after_a_cut() {
    let (server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let mut relay = Relay::to(server.port);
    let mut hop = outside(server.hop());
    hop.at.port = relay.port;
    let mut lease = lease_on(&screen, &mut hop, PASSWORD);
    lease.trust = true;
    let link = must_open(&rdp(hop), &mut lease);
    let _talk = Talk::shell(&*link, 80, 24);
    let window = screen.shows(TITLE);
    same(&screen, &window, &server, 8);
    let before = programs(&lease);
    relay.cut();
    relay.mend();
    let file = server.home().join("typed");
    let typed = || fs::read_to_string(&file).unwrap_or_default();
    let until = typed().len();
    eventually("it takes keys again", || {
        let window = screen.window(TITLE)?;
        screen.point(&window, 200, 100);
        screen.act(&["click", "1"]);
        screen.act(&["key", "e", "r", "Return"]);
        (typed().len() > until).then_some(())
    });
    assert_eq!(programs(&lease), before, "in the same window");
    link.close();
    gone(&before);
}

#[test]
fn a_freerdp_that_is_killed_is_told() {
    let (server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let (link, lease) = open(&screen, &server, &[]);
    let talk = Talk::shell(&*link, 80, 24);
    sh("kill", &["-KILL", &programs(&lease)[0].to_string()]);
    let failure = talk.finish().closed.expect("it is over").expect("a reason");
    assert_eq!(failure.kind, FailureKind::Helper);
    assert!(failure.what.en.contains("stopped abruptly"), "{failure:?}");
    eventually("the link is over", || (!link.alive()).then_some(()));
}

#[test]
fn a_changed_certificate_is_refused_before_freerdp_is_started() {
    let (server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let mut hop = outside(server.hop());
    let mut other = server.pinned();
    other.fingerprint = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    hop.pinned.push(other);
    let mut lease = lease_on(&screen, &mut hop, PASSWORD);
    lease.trust = true;
    let failure = must_fail(&rdp(hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
    assert!(lease.taken.is_empty() && lease.keys_shown.is_empty());
    assert!(screen.window(TITLE).is_none());
}

#[test]
fn a_desktop_opens_in_a_window_through_a_jump_host() {
    let (server, screen) = (Xrdp::start(PASSWORD), Screen::start());
    let jump = Sshd::start(Setup::default());
    let key = keygen(jump.dir.path(), "k", &["-t", "ed25519"]);
    jump.authorize(&key);
    let mut far = outside(server.hop());
    far.pinned.push(server.pinned());
    let mut hops = vec![jump.hop(), far];
    let mut lease =
        FakeLease { trust: true, display: Some(screen.name.clone()), ..FakeLease::default() };
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&Target { kind: Kind::new("rdp"), hops }, &mut lease);
    let window = screen.shows(TITLE);
    same(&screen, &window, &server, 8);
    link.close();
    gone(&programs(&lease));
}

#[test]
fn nla_refuses_a_wrong_password_and_who_types_it_may_mistype_it() {
    let (server, screen) = (Shadow::start(PASSWORD), Screen::start());
    let mut hop = outside(server.hop());
    let mut lease = lease_on(&screen, &mut hop, "falsch");
    lease.trust = true;
    let failure = must_fail(&rdp(hop), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
    assert!(failure.what.en.contains("essai"), "{}", failure.what.en);
    assert!(lease.asked.is_empty());

    let mut hop = outside(server.hop());
    hop.user.clear();
    let mut lease =
        FakeLease { trust: true, display: Some(screen.name.clone()), ..FakeLease::default() };
    lease.answers.extend(["essai", "falsch", PASSWORD].map(str::to_owned));
    let link = must_open(&rdp(hop), &mut lease);
    let asked = ["user", "password of essai@127.0.0.1", "password of essai@127.0.0.1 (again)"];
    assert_eq!(lease.asked, asked);
    assert_eq!(lease.keys_shown.len(), 1, "one certificate is shown once");
    assert!(link.info().description.contains(" · NLA · FreeRDP "), "{:?}", link.info());
    screen.shows(TITLE);
}

#[test]
fn the_session_is_open_as_soon_as_the_window_is() {
    let (server, screen) = (Shadow::start(PASSWORD), Screen::start());
    let mut hop = with(outside(server.hop()), "connect-timeout", "600");
    let mut lease = lease_on(&screen, &mut hop, PASSWORD);
    lease.trust = true;
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(must_open(&rdp(hop), &mut lease)));
    let link = told.recv_timeout(PATIENCE).expect("FreeRDP is heard before it has said much");
    screen.shows(TITLE);
    link.close();
}

#[test]
fn without_a_screen_or_freerdp_the_embedded_desktop_opens() {
    let server = Xrdp::start(PASSWORD);
    let mut hop = outside(server.hop());
    hop.pinned.push(server.pinned());
    let mut lease = FakeLease { screenless: true, ..FakeLease::default() };
    lease.plant(std::slice::from_mut(&mut hop), 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&rdp(hop), &mut lease);
    assert!(link.info().desktop && programs(&lease).is_empty());
    let warned = lease.said.iter().any(
        |said| matches!(said, poterne::connect::Progress::Warning(w) if w.en.contains("prefers")),
    );
    assert!(warned, "{:?}", lease.said);
}

#[test]
fn the_command_line_opens_a_window_and_waits_for_its_end() {
    let (seat, server, screen) = (Seat::unlocked(), Xrdp::start(PASSWORD), Screen::start());
    let port = server.port.to_string();
    seat.ok(&["add", "client", "A"]);
    let add = ["add", "rdp", TITLE, "--host", "127.0.0.1", "--port", &port];
    let login = ["--user", &server.user, "--credential", "own", "--secret-stdin", "password"];
    seat.run(&[&add[..], &login].concat(), PASSWORD).ended(0);
    // Embedded by default: a terminal has no place for that, and says what it opens.
    let plan = seat.ok(&["plan", TITLE]).out;
    assert!(plan.lines().any(|l| l.starts_with("program ") && l.contains("embedded")), "{plan}");
    let line = |l: &str| l.starts_with("program-of-terminals") && l.contains("freerdp");
    assert!(plan.lines().any(line), "{plan}");

    let print = server.pinned().fingerprint;
    let mut command = seat.command(&["connect", TITLE, "--accept-host-key", &print]);
    let child = command.env("DISPLAY", &screen.name).stdin(Stdio::null()).spawn();
    let child = child.expect("the program is built");
    let window = screen.shows(TITLE);
    same(&screen, &window, &server, 8);
    screen.close(&window);
    let ended = child.wait_with_output().expect("it ends");
    let told = String::from_utf8_lossy(&ended.stdout);
    assert!(ended.status.success(), "{told} {}", String::from_utf8_lossy(&ended.stderr));
    assert!(told.contains("window of its own") && told.contains("Window closed"), "{told}");

    // What an entry prefers is told in the plan, with the program or why not.
    seat.ok(&["edit", TITLE, "--program", "freerdp"]);
    let plan = seat.ok(&["plan", TITLE]).out;
    let found = |l: &str| l.starts_with("program ") && l.contains("found on this computer");
    assert!(plan.lines().any(found), "{plan}");
}

#[test]
fn what_an_entry_prefers_is_looked_for_on_the_machine() {
    let with = |program: &str| [("program".to_owned(), program.to_owned())].into_iter().collect();
    assert_eq!(freerdp::choice(&with("embedded")), freerdp::Choice::Embedded);
    assert_eq!(freerdp::choice(&Default::default()), freerdp::Choice::Embedded);
    let freerdp::Choice::Outside(found) = freerdp::choice(&with("freerdp")) else {
        panic!("FreeRDP is installed for the tests")
    };
    assert_eq!(Some(found), freerdp::for_terminals());
}
