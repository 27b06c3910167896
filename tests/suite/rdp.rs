//! Remote desktops by RDP, against a real xrdp with a real X server.

use std::fs;
use std::io::Read;
use std::process::Stdio;

use poterne::connect::FailureKind;
use poterne::connect::link::{ChannelRequest, Link, TermSize};
use poterne::connect::screen::{KeyStroke, MouseButton, Pointer, ScreenInput, ScreenSize};
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::Target;

use crate::cli_kit::Seat;
use crate::kit_rdp::*;
use crate::kit_ssh::*;

const PASSWORD: &str = "tuile-Érable-42";

fn desktop(link: &dyn Link, size: ScreenSize) -> Desktop {
    match Desktop::open(link, size) {
        Ok(desk) => desk,
        Err(e) => panic!("{}", e.what.en),
    }
}

/// A desktop that is there as far as its lower right corner.
fn shown(link: &dyn Link, width: u16, height: u16) -> Desktop {
    let mut desk = desktop(link, size(width, height));
    desk.until("the desktop is there", |d| {
        d.size == (width, height) && d.has_colour(width - 9, height - 9)
    });
    desk
}

/// Waits until the picture is that of the server, give or take `off` in each colour.
fn same(server: &Xrdp, desk: &mut Desktop, off: u8) {
    server.display();
    let mut worst = None;
    desk.until("the picture is that of the server", |desk| {
        let (width, height, shown) = server.shows();
        let apart = desk.rgb.iter().zip(&shown).map(|(a, b)| a.abs_diff(*b));
        worst = apart.max().filter(|_| desk.size == (width, height));
        worst.is_some_and(|worst| worst <= off)
    });
}

/// Waits until the terminal on the desktop has been given this text.
fn typed(server: &Xrdp, text: &str) {
    let file = server.home().join("typed");
    written(&format!("{text:?} arrives"), &file, || {
        let found = fs::read_to_string(&file).unwrap_or_default();
        found.ends_with(text).then_some(())
    });
}

#[test]
fn a_desktop_is_trusted_shown_as_it_is_and_typed_into() {
    let server = Xrdp::start(PASSWORD);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&rdp(hops.remove(0)), &mut lease);
    assert_eq!(lease.keys_shown, [server.pinned()]);
    assert_eq!(lease.taken, [(0, Slot::Password)]);
    let info = link.info();
    assert_eq!((info.user, info.host_key), (server.user.clone(), server.pinned().fingerprint));
    assert!(info.description.starts_with("RDP · TLS 1."), "{}", info.description);

    let mut desk = shown(&*link, 1024, 700);
    server.display();
    // The pointer over the terminal gives it the keyboard, and a shape of its own.
    desk.act(ScreenInput::Move { x: 200, y: 100 });
    desk.until("a pointer", |d| matches!(d.pointer, Some(Pointer::Shape { .. })));
    // Keys by their place: on a French keyboard these are a, z and Enter.
    for (code, keysym) in [(0x10, 0x61), (0x11, 0x7a), (0x1c, 0xff0d)] {
        desk.press(code, keysym);
    }
    typed(&server, "az\n");
    // A Shift that is let go is up again.
    let shift = KeyStroke { scancode: 0x2a, extended: false, keysym: 0xffe1, down: true };
    desk.act(ScreenInput::Key(shift));
    desk.press(0x10, 0x41);
    desk.act(ScreenInput::LetGo);
    desk.press(0x10, 0x61);
    desk.press(0x1c, 0xff0d);
    typed(&server, "Aa\n");
    same(&server, &mut desk, 24);
    assert!(link.traffic().0 >= 1024 * 700 * 4, "{:?}", link.traffic());
    link.close();
    assert_eq!(desk.finish(), None);
    eventually("the link is over", || (!link.alive()).then_some(()));
}

#[test]
fn plain_bitmaps_show_every_pixel_as_it_is() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[("graphics", "classic")]);
    let mut desk = shown(&*link, 802, 601);
    same(&server, &mut desk, 0);
    link.close();
    assert_eq!(desk.finish(), None);
    // The session goes on there; with fewer colours on the wire it is nearly the same.
    let link = server.open(PASSWORD, &[("colour-depth", "16")]);
    let mut desk = desktop(&*link, size(802, 601));
    same(&server, &mut desk, 8);
}

#[test]
fn characters_travel_as_such_and_the_mouse_has_all_its_buttons() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[("keyboard", "unicode")]);
    let mut desk = shown(&*link, 1024, 700);
    server.display();
    desk.act(ScreenInput::Move { x: 200, y: 100 });
    for keysym in [0x61, 0x2f, 0x5a] {
        desk.press(0x20, keysym);
    }
    desk.act(ScreenInput::Char('!'));
    desk.press(0x1c, 0xff0d);
    typed(&server, "a/Z!\n");

    let events = ["-event", "button", "-geometry", "200x200+600+300"];
    let mut xev = server.x_command("stdbuf", &[&["-oL", "xev"], &events[..]].concat());
    let mut xev = xev.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut told = String::new();
    let mut out = xev.stdout.take().expect("piped");
    desk.until("the window of xev", |d| d.pixel(700, 400) == [255; 3] || !d.has_colour(700, 400));
    desk.act(ScreenInput::Move { x: 700, y: 400 });
    use MouseButton::{Back, Forward, Left, Middle, Right};
    for button in [Left, Middle, Right, Back, Forward] {
        for down in [true, false] {
            desk.act(ScreenInput::Button { button, down });
        }
    }
    for (turn, sideways) in [(120, false), (-120, false)] {
        desk.act(ScreenInput::Wheel { turn, sideways });
    }
    for button in
        ["button 1", "button 2", "button 3", "button 8", "button 9", "button 4", "button 5"]
    {
        let mut piece = [0; 4096];
        while !told.contains(&format!("{button}, ")) {
            let got = out.read(&mut piece).expect("xev runs");
            assert!(got > 0, "{told}");
            told.push_str(&String::from_utf8_lossy(&piece[..got]));
        }
    }
    sh("kill", &[&descendants(xev.id()).last().copied().unwrap_or(xev.id()).to_string()]);
    let _ = xev.wait();
}

#[test]
fn the_desktop_follows_the_last_of_many_sizes() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let mut desk = shown(&*link, 800, 600);
    server.display();
    for width in [810, 850, 900, 1001] {
        desk.act(ScreenInput::Resize(size(width, 650)));
    }
    desk.until("the new size", |d| d.size == (1000, 650) && d.has_colour(990, 640));
    assert_eq!(desk.sizes, [(800, 600), (1000, 650)]);
    same(&server, &mut desk, 24);
    // And back, with the keyboard where it was.
    desk.act(ScreenInput::Resize(size(640, 480)));
    desk.until("the size after", |d| d.size == (640, 480) && d.has_colour(630, 470));
    desk.act(ScreenInput::Move { x: 200, y: 100 });
    desk.press(0x10, 0x61);
    desk.press(0x1c, 0xff0d);
    typed(&server, "a\n");
    same(&server, &mut desk, 24);
}

/// Copies on the desktop.
fn copy_there(server: &Xrdp, text: &str) {
    let file = server.dir.path().join("copied");
    fs::write(&file, text).expect("ours");
    let file = file.to_str().expect("UTF-8");
    // It stays behind to give the text away, with whatever it has for its output.
    let mut xclip = server.x_command("xclip", &["-selection", "clipboard", "-i", file]);
    let copied = xclip.stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(copied.expect("it starts").success());
    // It may be behind it before it has the clipboard.
    eventually("what is copied there is there", || (pasted(server) == text).then_some(()));
}

/// What a program on the desktop would paste.
fn pasted(server: &Xrdp) -> String {
    let out = server.x_command("xclip", &["-selection", "clipboard", "-o"]).output();
    String::from_utf8_lossy(&out.expect("it starts").stdout).into_owned()
}

fn arrives_there(server: &Xrdp, text: &str) {
    // xrdp gives the text away with the ends of lines that Windows has.
    let there = || pasted(server).replace("\r\n", "\n");
    eventually("what is copied here is there", || (there() == text).then_some(()));
}

#[test]
fn text_is_copied_both_ways() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let mut desk = shown(&*link, 800, 600);
    server.display();
    let here = "pour là-bas\nœuf €\n";
    desk.copy(here);
    arrives_there(&server, here);
    let there = "d’ici\nà la fin ß";
    copy_there(&server, there);
    desk.until("what is copied there is here", |d| d.copied.iter().any(|t| t == there));
    desk.copy("encore");
    arrives_there(&server, "encore");
}

#[test]
fn the_clipboard_keeps_to_what_the_entry_allows() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[("clipboard", "in")]);
    let desk = shown(&*link, 800, 600);
    server.display();
    copy_there(&server, "garde-le");
    desk.copy("vers le serveur");
    arrives_there(&server, "vers le serveur");
    copy_there(&server, "garde-le aussi");
    desk.copy("encore");
    arrives_there(&server, "encore");
    assert!(desk.copied.is_empty(), "{:?}", desk.copied);
    link.close();
    assert_eq!(desk.finish(), None);

    let link = server.open(PASSWORD, &[("clipboard", "out")]);
    let mut desk = shown(&*link, 800, 600);
    desk.copy("reste ici");
    copy_there(&server, "sort");
    desk.until("what is copied there is here", |d| d.copied.iter().any(|t| t == "sort"));
    assert_eq!(pasted(&server), "sort");
    link.close();
    assert_eq!(desk.finish(), None);

    let link = server.open(PASSWORD, &[("clipboard", "none")]);
    let mut desk = shown(&*link, 800, 600);
    desk.copy("reste ici");
    copy_there(&server, "reste là");
    desk.act(ScreenInput::Move { x: 200, y: 100 });
    desk.press(0x10, 0x61);
    desk.press(0x1c, 0xff0d);
    typed(&server, "a\n");
    same(&server, &mut desk, 24);
    assert_eq!((pasted(&server).as_str(), desk.copied.len()), ("reste là", 0));
}

#[test]
fn a_changed_certificate_is_refused_before_anything_secret_is_taken() {
    let server = Xrdp::start(PASSWORD);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let mut hops = vec![server.hop()];
    let mut other = server.pinned();
    other.fingerprint = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into();
    hops[0].pinned.push(other);
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let failure = must_fail(&rdp(hops.remove(0)), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
    assert!(failure.what.en.contains("CERTIFICATE"), "{}", failure.what.en);
    assert!(failure.what.en.contains(&server.pinned().fingerprint), "{}", failure.what.en);
    assert!(lease.taken.is_empty() && lease.keys_shown.is_empty());

    // Nor is one taken that the person does not accept.
    let mut hops = vec![server.hop()];
    let mut lease = FakeLease::default();
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    let failure = must_fail(&rdp(hops.remove(0)), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyRefused);
    assert!(lease.taken.is_empty() && lease.keys_shown == [server.pinned()]);
}

#[test]
fn a_server_that_is_killed_ends_the_session() {
    let mut server = Xrdp::start(PASSWORD);
    let link = server.open(PASSWORD, &[]);
    let desk = shown(&*link, 800, 600);
    server.kill();
    let failure = desk.finish().expect("a reason");
    assert_eq!(failure.kind, FailureKind::Network);
    assert!(!failure.todo.fr.is_empty());
    eventually("the link is over", || (!link.alive()).then_some(()));
    // And nobody is there any more.
    let failure = must_fail(&rdp(server.hop()), &mut FakeLease::default());
    assert_eq!(failure.kind, FailureKind::Refused);
}

#[test]
fn a_desktop_opens_through_a_jump_host_and_is_no_terminal() {
    let server = Xrdp::start(PASSWORD);
    let jump = Sshd::start(Setup::default());
    let key = keygen(jump.dir.path(), "k", &["-t", "ed25519"]);
    jump.authorize(&key);
    let mut far = server.hop();
    far.pinned.push(server.pinned());
    let mut hops = vec![jump.hop(), far];
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&Target { kind: Kind::new("rdp"), hops }, &mut lease);
    let shell = ChannelRequest::Shell { size: TermSize { cols: 80, rows: 24 }, term: "x".into() };
    let Err(failure) = Talk::open(&*link, shell) else { panic!("a terminal") };
    assert!(failure.what.en.contains("only opens a desktop"), "{}", failure.what.en);
    let desk = shown(&*link, 800, 600);
    let Err(failure) = Desktop::open(&*link, size(800, 600)) else { panic!("a second one") };
    assert!(failure.what.en.contains("already"), "{}", failure.what.en);
    // Closing it ends the connection.
    desk.channel.send(poterne::connect::link::ToRemote::Close);
    assert_eq!(desk.finish(), None);
    eventually("the link is over", || (!link.alive()).then_some(()));
}

#[test]
fn a_wrong_password_without_nla_leaves_the_question_to_the_server() {
    let server = Xrdp::start(PASSWORD);
    let link = server.open("falsch", &[]);
    let mut desk = desktop(&*link, size(800, 600));
    desk.until("its login is shown", |d| d.rgb.iter().any(|value| *value > 64));
    assert!(link.alive() && !server.home().join("display").exists());
    // A user without a password is not asked for one either: the server does that.
    let mut hop = server.hop();
    hop.pinned.push(server.pinned());
    let mut lease = FakeLease::default();
    let link = must_open(&rdp(hop), &mut lease);
    assert!(lease.asked.is_empty());
    let mut desk = desktop(&*link, size(800, 600));
    desk.until("its login is shown", |d| d.rgb.iter().any(|value| *value > 64));
}

#[test]
fn a_server_without_nla_is_not_taken_for_one_with_it() {
    let server = Xrdp::start(PASSWORD);
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    let failure = must_fail(&rdp(with(server.hop(), "security", "nla")), &mut lease);
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.what.en.contains("does not know NLA"), "{}", failure.what.en);
    assert!(failure.todo.en.contains("security"), "{}", failure.todo.en);
    assert!(lease.keys_shown.is_empty() && lease.taken.is_empty());
}

#[test]
fn the_command_line_opens_no_desktop_but_writes_down_that_it_was_asked_to() {
    let seat = Seat::unlocked();
    let server = Xrdp::start(PASSWORD);
    let port = server.port.to_string();
    seat.ok(&["add", "client", "A"]);
    let add = ["add", "rdp", "A/srv", "--host", "127.0.0.1", "--port", &port];
    let login = ["--user", &server.user, "--credential", "own", "--secret-stdin", "password"];
    seat.run(&[&add[..], &login].concat(), PASSWORD).ended(0);
    let plan = seat.ok(&["plan", "A/srv"]).out;
    assert!(plan.contains(&port) && plan.contains("keyboard-layout"), "{plan}");

    let told = seat.run(&["connect", "A/srv"], "no\n").ended(6);
    assert!(told.err.contains("Unknown certificate of 127.0.0.1"), "{}", told.err);
    assert!(told.err.contains("certificate of 127.0.0.1"), "{}", told.err);
    let print = server.pinned().fingerprint;
    let told = seat.run(&["connect", "A/srv", "--accept-host-key", &print], "").ended(2);
    assert!(told.err.contains("only opens a desktop"), "{}", told.err);
    assert!(!told.err.contains(PASSWORD) && !told.out.contains(PASSWORD));
    let log = seat.ok(&["--json", "audit", "log", "--event", "session.opened"]).json();
    let opened = &log["lines"][0]["fields"];
    assert_eq!((&opened["connector"], &opened["host_key"]), (&"rdp".into(), &print.into()));
}
