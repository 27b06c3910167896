//! Remote screens by VNC, against a real TigerVNC.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;

use poterne::connect::host::wire::WINDOW;
use poterne::connect::link::{ChannelRequest, TermSize};
use poterne::connect::screen::{MouseButton, Pointer, ScreenInput};
use poterne::connect::{FailureKind, Progress};
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{PinnedKey, Target};

use crate::cli_kit::Seat;
use crate::kit_rdp::{eventually, size, written};
use crate::kit_ssh::*;
use crate::kit_vnc::*;

const PASSWORD: &str = "tuile-42";

/// Waits until the terminal there has been given this text.
fn typed(server: &Xvnc, text: &str) {
    let file = server.dir.path().join("typed");
    written(&format!("{text:?} arrives"), &file, || (server.typed() == text).then_some(()));
}

#[test]
fn a_screen_is_shown_as_it_is_and_typed_into() {
    let server = Xvnc::start("VncAuth", PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let info = link.info();
    assert!(info.desktop && info.host_key.is_empty());
    assert!(info.warnings[0].en.contains("Not encrypted"), "{:?}", info.warnings);
    assert_eq!(info.warnings.len(), 1);

    let mut seen = screen(&*link, 640, 480);
    same(&mut seen, &server, 0);
    // The pointer over the terminal gives it the keyboard, and a shape of its own.
    seen.act(ScreenInput::Move { x: 200, y: 100 });
    seen.until("a pointer", |s| matches!(s.pointer, Some(Pointer::Shape { .. })));
    for (code, keysym) in [(0x10, 0x61), (0x11, 0x7a), (0x03, 0xe9)] {
        seen.press(code, keysym);
    }
    seen.act(ScreenInput::Char('ê'));
    seen.act(ScreenInput::Char('€'));
    seen.press(0x1c, 0xff0d);
    typed(&server, "azéê€\n");
    server.x("xsetroot", &["-solid", "#876543"]);
    same(&mut seen, &server, 0);
    link.close();
    assert_eq!(seen.finish(), None);
}

#[test]
fn every_encoding_shows_the_same_picture() {
    let mut server = Xvnc::start("None", PASSWORD);
    let photo = server.dir.path().join("photo.png");
    let photo = photo.to_str().expect("UTF-8");
    sh("convert", &["-size", "400x200", "-seed", "7", "plasma:", photo]);
    server.run("display", &["-geometry", "+150+220", photo]);
    server.has("ImageMagick");
    // JPEG, which Tight uses for pictures, loses a little.
    for (encoding, off) in [("raw", 0), ("zrle", 0), ("tight", 16), ("auto", 0)] {
        let link = server.open(PASSWORD, &[("encoding", encoding)]);
        let mut seen = screen(&*link, 640, 480);
        // The server paints a pointer that was not moved from here.
        seen.act(ScreenInput::Move { x: 600, y: 20 });
        same(&mut seen, &server, off);
        server.x("xsetroot", &["-mod", "7", "5", "-fg", "#c04020", "-bg", "#20c0a0"]);
        same(&mut seen, &server, off);
        server.x("xsetroot", &["-solid", "#345678"]);
        same(&mut seen, &server, off);
    }
}

#[test]
fn what_scrolls_is_copied_and_looks_as_it_does_there() {
    let mut server = Xvnc::start("None", PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let mut seen = screen(&*link, 640, 480);
    seen.act(ScreenInput::Move { x: 630, y: 20 });
    let lines = "$| = 1; for (1..300) { print $_ x (1 + $_ % 20), \"\\n\"; select(undef, undef, \
                 undef, 0.01) } sleep 600";
    let args = ["-title", "flot", "-geometry", "80x20+0+100", "-e", "perl", "-e", lines];
    server.run("xterm", &args);
    server.has("flot");
    seen.until("parts are copied", |s| s.copies > 20);
    same(&mut seen, &server, 0);
    assert!(!cfg!(target_os = "linux") || seen.lent > 0, "pixels come in memory");
}

#[test]
fn nobody_is_sent_more_than_they_take_and_then_the_newest_picture() {
    let server = Xvnc::start("None", PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let mut seen = screen(&*link, 640, 480);
    seen.act(ScreenInput::Move { x: 630, y: 20 });
    same(&mut seen, &server, 0);
    let before = link.traffic().0;
    let lines = "$| = 1; for (1..400) { print map({ chr(33 + ($_ * 7 + $a++) % 90) } 1..78), \
                 \"\\n\"; select(undef, undef, undef, 0.01) }";
    let args = ["-geometry", "80x30+0+0", "-e", "perl", "-e", lines];
    let scrolled = server.command("xterm", &args).status().expect("installed");
    assert!(scrolled.success());
    // Nothing was taken meanwhile. Without memory a pipe carries copies that count as taken.
    let came = usize::try_from(link.traffic().0 - before).expect("not so much");
    if cfg!(target_os = "linux") {
        assert!((WINDOW / 2..=WINDOW).contains(&came), "{came}");
    }
    server.x("xsetroot", &["-solid", "#345678"]);
    same(&mut seen, &server, 0);
}

#[test]
fn the_mouse_clicks_and_its_wheel_turns() {
    let mut server = Xvnc::start("None", PASSWORD);
    let file = server.dir.path().join("events");
    let script = format!("exec stdbuf -oL xev -geometry 200x100+400+300 > {}", file.display());
    server.run("sh", &["-c", &script]);
    let link = server.open(PASSWORD, &[]);
    let mut seen = screen(&*link, 640, 480);
    server.has("Event Tester");
    same(&mut seen, &server, 0);
    seen.act(ScreenInput::Move { x: 450, y: 350 });
    for button in [MouseButton::Left, MouseButton::Middle, MouseButton::Right] {
        for down in [true, false] {
            seen.act(ScreenInput::Button { button, down });
        }
    }
    for (turn, sideways) in [(120, false), (-240, false), (120, true), (-120, true)] {
        seen.act(ScreenInput::Wheel { turn, sideways });
    }
    let presses = || {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let mut pressed = Vec::new();
        // The last one may be written right now.
        let (whole, _) = text.rsplit_once("\n\n").unwrap_or_default();
        for event in whole.split("\n\n").filter(|e| e.contains("ButtonPress")) {
            let (_, after) = event.split_once("button ").expect("it has one");
            pressed.push(after.chars().next().expect("a number"));
        }
        pressed.into_iter().collect::<String>()
    };
    written("every button arrives", &file, || (presses() == "12345576").then_some(()));
}

#[test]
fn a_screen_that_never_stops_painting_is_shown_typed_into_and_left() {
    let mut server = Xvnc::start("None", PASSWORD);
    server.run("xterm", &["-title", "flot", "-geometry", "80x15+0+250", "-e", "yes", "é"]);
    server.has("flot");
    let link = server.open(PASSWORD, &[]);
    let mut seen = screen(&*link, 640, 480);
    seen.act(ScreenInput::Move { x: 200, y: 100 });
    seen.until("a picture", |s| s.has_colour(630, 5));
    // The cursor of the terminal that is flooded never rests.
    for _ in 0..20 {
        let before = seen.rgb.clone();
        seen.until("another picture", |s| s.rgb != before);
    }
    for c in ['v', 'i', 'f', '\n'] {
        seen.act(ScreenInput::Char(c));
    }
    typed(&server, "vif\n");
    link.close();
    assert_eq!(seen.finish(), None);
}

#[test]
fn the_screen_follows_the_size_of_the_window() {
    let server = Xvnc::start("None", PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let mut seen = screen(&*link, 800, 600);
    seen.until("the first size", |s| s.size == (800, 600));
    same(&mut seen, &server, 0);
    for width in [900, 950, 1000] {
        seen.act(ScreenInput::Resize(size(width, 700)));
    }
    seen.until("the last size", |s| s.size == (1000, 700));
    same(&mut seen, &server, 0);
    // And one that changes there is followed here.
    server.x("xrandr", &["--output", "VNC-0", "--mode", "800x600"]);
    seen.until("its own size", |s| s.size == (800, 600));
    same(&mut seen, &server, 0);
}

fn copy_there(server: &Xvnc, text: &str) {
    let mut command = server.command("xclip", &["-selection", "clipboard", "-i"]);
    let mut xclip =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it is installed");
    xclip.stdin.take().expect("piped").write_all(text.as_bytes()).expect("it reads");
    assert!(xclip.wait().expect("it leaves a child behind").success());
}

fn pasted_there(server: &Xvnc) -> String {
    let out = server.command("xclip", &["-selection", "clipboard", "-o"]).output();
    String::from_utf8_lossy(&out.expect("it is installed").stdout).into_owned()
}

#[test]
fn text_with_accents_is_copied_both_ways() {
    let server = Xvnc::start("None", PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let mut seen = screen(&*link, 640, 480);
    same(&mut seen, &server, 0);
    copy_there(&server, "là-bas: ça, «été»\nfin");
    seen.until("text from there", |s| {
        s.copied.last().is_some_and(|t| t == "là-bas: ça, «été»\nfin")
    });
    seen.copy("d’ici: né\r\nœ");
    eventually("text from here", || (pasted_there(&server) == "d?ici: né\n?").then_some(()));
}

#[test]
fn the_clipboard_keeps_to_what_the_entry_allows() {
    let server = Xvnc::start("None", PASSWORD);
    copy_there(&server, "avant");
    let link = server.open(PASSWORD, &[("clipboard", "none")]);
    let mut seen = screen(&*link, 640, 480);
    let other = server.open(PASSWORD, &[]);
    let mut witness = screen(&*other, 640, 480);
    same(&mut witness, &server, 0);
    same(&mut seen, &server, 0);
    seen.copy("interdit");
    // What is typed after it arrives, so it would have.
    seen.act(ScreenInput::Move { x: 200, y: 100 });
    seen.act(ScreenInput::Char('x'));
    seen.act(ScreenInput::Char('\n'));
    typed(&server, "x\n");
    assert_eq!(pasted_there(&server), "avant");
    copy_there(&server, "secret de là-bas");
    witness.until("the other hears it", |s| s.copied.iter().any(|t| t == "secret de là-bas"));
    server.x("xsetroot", &["-solid", "#112233"]);
    same(&mut seen, &server, 0);
    assert!(seen.copied.is_empty());
}

#[test]
fn viewing_only_changes_nothing_there() {
    let server = Xvnc::start("None", PASSWORD);
    let link = server.open(PASSWORD, &[("view-only", "yes")]);
    let mut seen = screen(&*link, 1000, 700);
    same(&mut seen, &server, 0);
    seen.act(ScreenInput::Move { x: 200, y: 100 });
    seen.act(ScreenInput::Char('x'));
    seen.act(ScreenInput::Char('\n'));
    seen.act(ScreenInput::Resize(size(900, 600)));
    seen.copy("rien");
    // What the person does arrives before what is asked for after it.
    server.x("xsetroot", &["-solid", "#112233"]);
    same(&mut seen, &server, 0);
    assert_eq!(seen.size, (640, 480));
    let other = server.open(PASSWORD, &[]);
    let worker = screen(&*other, 640, 480);
    worker.act(ScreenInput::Move { x: 201, y: 101 });
    // A key goes to what is under the pointer.
    eventually("the pointer is there", || {
        let at = server.x("xdotool", &["getmouselocation"]);
        String::from_utf8_lossy(&at).starts_with("x:201 y:101 ").then_some(())
    });
    worker.act(ScreenInput::Char('y'));
    worker.act(ScreenInput::Char('\n'));
    typed(&server, "y\n");
}

#[test]
fn a_session_of_the_vault_is_marked_and_logged_with_its_end() {
    let server = Xvnc::start("VncAuth", PASSWORD);
    let seat = Seat::unlocked();
    seat.ok(&["add", "client", "A"]);
    let port = server.port.to_string();
    let add = ["add", "vnc", "A/ecran", "--host", "127.0.0.1", "--port", &port];
    let secret = ["--credential", "own", "--secret-stdin", "password"];
    seat.run(&[&add[..], &secret].concat(), PASSWORD).ended(0);
    // A terminal shows no screen, and says where one is shown.
    let refused = seat.run(&["connect", "A/ecran"], "").ended(2);
    assert!(refused.err.contains("window"), "{}", refused.err);
    assert_eq!(refused.err.matches("Not encrypted").count(), 1, "{}", refused.err);
    let logged = |event: &str| {
        let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
        log["lines"].as_array().and_then(|all| all.last()).expect("it is logged")["fields"].clone()
    };
    let opened = logged("session.opened");
    assert_eq!((&opened["connector"], &opened["port"]), (&"vnc".into(), &port.into()));
    let detail = opened["detail"].as_str().expect("text");
    assert!(detail.starts_with("VNC") && detail.contains("Not encrypted"), "{detail}");
    assert!(logged("session.closed")["duration_ms"].is_string());
}

#[test]
fn others_are_sent_away_only_where_the_screen_is_not_shared() {
    let server = Xvnc::with("None", PASSWORD, &["-DisconnectClients=1"]);
    let first = server.open(PASSWORD, &[]);
    let mut stays = screen(&*first, 640, 480);
    same(&mut stays, &server, 0);
    let second = server.open(PASSWORD, &[]);
    let mut other = screen(&*second, 640, 480);
    same(&mut other, &server, 0);
    server.x("xsetroot", &["-solid", "#112233"]);
    same(&mut stays, &server, 0);
    let alone = server.open(PASSWORD, &[("shared", "no")]);
    let mut alone = screen(&*alone, 640, 480);
    same(&mut alone, &server, 0);
    let why = stays.finish().expect("it was sent away");
    assert!(why.todo.en.contains("sharing"), "{}", why.todo.en);
    assert!(other.finish().is_some());
}

#[test]
fn a_certificate_is_trusted_before_the_password_leaves() {
    let server = Xvnc::start("X509Vnc,VncAuth", PASSWORD);
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    assert_eq!(must_fail(&vnc(hops[0].clone()), &mut lease).kind, FailureKind::HostKeyRefused);
    assert_eq!(lease.keys_shown, [server.pinned()]);
    assert!(lease.taken.is_empty(), "no secret before the person trusts");

    lease.trust = true;
    let link = must_open(&vnc(hops[0].clone()), &mut lease);
    let info = link.info();
    assert_eq!(info.host_key, server.pinned().fingerprint);
    assert!(info.description.starts_with("VNC · TLS 1."), "{}", info.description);
    assert!(info.warnings.is_empty(), "{:?}", info.warnings);
    same(&mut screen(&*link, 640, 480), &server, 0);

    hops[0].pinned.push(server.pinned());
    let mut lease = FakeLease::default();
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&vnc(with(hops[0].clone(), "security", "tls")), &mut lease);
    same(&mut screen(&*link, 640, 480), &server, 0);
    assert!(lease.keys_shown.is_empty());

    hops[0].pinned[0].fingerprint = "SHA256:anotherone".into();
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    assert_eq!(must_fail(&vnc(hops[0].clone()), &mut lease).kind, FailureKind::HostKeyChanged);
    assert!(lease.taken.is_empty() && lease.keys_shown.is_empty());
}

#[test]
fn inside_tls_user_and_password_or_nothing_will_do() {
    let server = Xvnc::start("X509None", PASSWORD);
    let link = server.open("unused", &[]);
    assert!(link.info().host_key.starts_with("SHA256:"));
    same(&mut screen(&*link, 640, 480), &server, 0);

    let account = Account::new(PASSWORD);
    let server = Xvnc::with("X509Plain", PASSWORD, &["-PlainUsers", &account.0]);
    for (password, right) in [("faux", false), (PASSWORD, true)] {
        let mut hops = vec![server.hop()];
        hops[0].user.clone_from(&account.0);
        hops[0].pinned.push(server.pinned());
        let mut lease = FakeLease::default();
        lease.plant(&mut hops, 0, Slot::Password, password.as_bytes());
        if right {
            let link = must_open(&vnc(hops.remove(0)), &mut lease);
            assert_eq!(link.info().user, account.0);
            same(&mut screen(&*link, 640, 480), &server, 0);
        } else {
            assert_eq!(must_fail(&vnc(hops.remove(0)), &mut lease).kind, FailureKind::Login);
        }
    }
}

#[test]
fn a_server_is_never_talked_down_from_its_certificate() {
    let server = Xvnc::start("VncAuth,TLSVnc", PASSWORD);
    let mut hops = vec![server.hop()];
    hops[0].pinned.push(server.pinned());
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let failure = must_fail(&vnc(hops[0].clone()), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
    hops[0].pinned.clear();
    let failure = must_fail(&vnc(with(hops[0].clone(), "security", "tls")), &mut lease);
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.what.en.contains("TLSVnc"), "{}", failure.what.en);
    assert!(lease.taken.is_empty());
}

#[test]
fn the_older_kind_of_tls_is_taken_where_there_is_no_better() {
    let mut server = Xvnc::start("None", PASSWORD);
    let port = server.by_x11vnc(PASSWORD);
    let mut hops = vec![server.hop()];
    hops[0].at.port = port;
    let mut lease = FakeLease::default();
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&vnc(hops[0].clone()), &mut lease);
    let info = link.info();
    assert!(info.warnings[0].en.contains("without a certificate"), "{:?}", info.warnings);
    assert!(info.description.contains("TLS 1.2 (anon)"), "{}", info.description);
    same(&mut screen(&*link, 640, 480), &server, 0);
    link.close();

    let mut wrong = FakeLease::default();
    let mut other = hops.clone();
    wrong.plant(&mut other, 0, Slot::Password, b"faux");
    let failure = must_fail(&vnc(other.remove(0)), &mut wrong);
    assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);

    // It proves nobody's identity, so it is less than a certificate.
    let failure = must_fail(&vnc(with(hops[0].clone(), "security", "tls")), &mut lease);
    assert_eq!(failure.kind, FailureKind::Protocol);
    let pinned = PinnedKey { at: hops[0].at.clone(), ..server.pinned() };
    hops[0].pinned.push(pinned);
    let failure = must_fail(&vnc(hops.remove(0)), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
}

#[test]
fn tls_without_a_certificate_carries_its_mark() {
    let server = Xvnc::start("TLSVnc", PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let info = link.info();
    assert!(info.warnings[0].en.contains("without a certificate"), "{:?}", info.warnings);
    assert!(info.description.contains("TLS 1.2"), "{}", info.description);
    same(&mut screen(&*link, 640, 480), &server, 0);
    let mut lease = FakeLease::default();
    let failure = must_fail(&vnc(with(server.hop(), "security", "clear")), &mut lease);
    assert!(failure.todo.en.contains("auto"), "{}", failure.todo.en);
}

#[test]
fn a_wrong_password_is_told_and_may_be_typed_again() {
    let server = Xvnc::start("VncAuth", PASSWORD);
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, b"faux");
    let failure = must_fail(&vnc(hops.remove(0)), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login);
    assert!(failure.what.en.contains("uthentication fail"), "{}", failure.what.en);
    assert!(failure.todo.en.contains("8 characters"), "{}", failure.todo.en);

    let answers = ["faux".to_owned(), PASSWORD.to_owned()].into();
    let mut lease = FakeLease { answers, ..FakeLease::default() };
    let link = must_open(&vnc(server.hop()), &mut lease);
    assert_eq!(lease.asked, ["password of VNC@127.0.0.1", "password of VNC@127.0.0.1 (again)"]);
    same(&mut screen(&*link, 640, 480), &server, 0);
    assert_eq!(must_fail(&vnc(server.hop()), &mut FakeLease::default()).kind, FailureKind::Login);
}

#[test]
fn an_old_server_chooses_the_login_itself() {
    for security in ["VncAuth", "None"] {
        let server = Xvnc::with(security, PASSWORD, &["-Protocol3.3"]);
        let link = server.open(PASSWORD, &[]);
        same(&mut screen(&*link, 640, 480), &server, 0);
        if security == "VncAuth" {
            let mut lease = FakeLease::default();
            let mut hops = vec![server.hop()];
            lease.plant(&mut hops, 0, Slot::Password, b"faux");
            let failure = must_fail(&vnc(hops.remove(0)), &mut lease);
            assert_eq!(failure.kind, FailureKind::Login, "{}", failure.what.en);
        }
    }
}

#[test]
fn too_many_wrong_passwords_are_told_with_what_helps() {
    let server = Xvnc::with("VncAuth", PASSWORD, &["-BlacklistThreshold", "1"]);
    let failure = (0..5).find_map(|_| {
        let mut lease = FakeLease::default();
        let mut hops = vec![server.hop()];
        lease.plant(&mut hops, 0, Slot::Password, b"faux");
        let failure = must_fail(&vnc(hops.remove(0)), &mut lease);
        failure.what.en.to_lowercase().contains("too many").then_some(failure)
    });
    let failure = failure.expect("the server has enough");
    assert!(failure.todo.en.contains("wait"), "{}", failure.todo.en);
}

#[test]
fn a_password_that_is_too_long_is_told() {
    let long = format!("{PASSWORD}-et-la-suite");
    let server = Xvnc::start("VncAuth", &long);
    let link = server.open(&long, &[]);
    assert!(link.info().warnings.iter().any(|w| w.en.contains("8 characters")));
}

#[test]
fn a_server_that_is_killed_ends_the_session() {
    let mut server = Xvnc::start("None", PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let mut seen = screen(&*link, 640, 480);
    same(&mut seen, &server, 0);
    server.kill();
    let why = seen.finish().expect("a reason");
    assert_eq!(why.kind, FailureKind::Network);
    assert!(why.what.en.contains("ended") || why.what.en.contains("broke"), "{}", why.what.en);
    eventually("the link is over", || (!link.alive()).then_some(()));
}

#[test]
fn a_screen_opens_through_a_jump_host_and_is_no_terminal() {
    let jump = Sshd::start(Setup::default());
    let key = keygen(jump.dir.path(), "k", &["-t", "ed25519"]);
    jump.authorize(&key);
    let server = Xvnc::start("VncAuth", PASSWORD);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![jump.hop(), server.hop()];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &std::fs::read(&key).expect("made"));
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    let target = Target { kind: Kind::new("vnc"), hops };
    let link = must_open(&target, &mut lease);
    let mark = link.info().warnings[0].en.clone();
    assert!(mark.contains("beyond the jump host"), "{mark}");
    assert!(lease.said.iter().any(|p| matches!(p, Progress::Warning(w) if w.en == mark)));
    let shell =
        ChannelRequest::Shell { size: TermSize { cols: 80, rows: 24 }, term: "xterm".into() };
    let Err(failure) = Talk::open(&*link, shell) else { panic!("it opened a shell") };
    assert_eq!(failure.kind, FailureKind::Setting);
    same(&mut screen(&*link, 640, 480), &server, 0);
}

/// Somebody who says this to whoever connects.
fn says(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    let port = listener.local_addr().expect("bound").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("somebody connects");
        stream.write_all(words).expect("open");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    port
}

#[test]
fn whatever_cannot_be_is_told_in_words() {
    let fails = |port: u16| {
        let mut hop = hop(port);
        hop.user.clear();
        must_fail(&vnc(with(hop, "connect-timeout", "3")), &mut FakeLease::default())
    };
    let failure = fails(says(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"));
    assert!(failure.what.en.contains("no VNC server: it says “SSH-"), "{}", failure.what.en);
    let failure = fails(says(b""));
    assert_eq!(failure.kind, FailureKind::Timeout, "{}", failure.what.en);
    let failure = fails(says(b"RFB 003.008\n\x02\x1e\x81"));
    assert!(failure.what.en.contains("Apple, RealVNC"), "{}", failure.what.en);
    assert!(failure.todo.en.contains("VNC password"), "{}", failure.todo.en);
    let failure = fails(says(b"RFB 003.008\n\0\0\0\0\x04busy"));
    assert!(failure.what.en.contains("“busy”"), "{}", failure.what.en);
    let failure = fails(says(
        b"RFB 003.003\n\0\0\0\x01\x20\0\x10\0\x20\x18\0\x01\0\xff\0\xff\0\xff\x10\x08\0\0\0\0",
    ));
    assert!(failure.what.en.contains("too large: 8192 × 4096"), "{}", failure.what.en);
}
