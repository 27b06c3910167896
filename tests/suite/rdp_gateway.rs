//! Remote desktops through an RD Gateway: FreeRDP's client and the embedded one, over
//! the same gateway to a real xrdp.

use std::fs;
use std::time::SystemTime;

use poterne::connect::FailureKind;
use poterne::connect::link::Link;
use poterne::connect::rdp::GATEWAY_PASSWORD;
use poterne::connect::screen::ScreenInput;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, Target};

use crate::connect_all::shows_nowhere;
use crate::kit_rdgw::{Rdgw, Rules};
use crate::kit_rdp::*;
use crate::kit_screen::Screen;
use crate::kit_ssh::*;

const PASSWORD: &str = "tuile-Érable-42";
const PASSAGE: &str = "passage-Œuvre-77";
const TITLE: &str = "A/srv";

fn rules() -> Rules {
    Rules { user: "garde".into(), password: PASSAGE.into(), ..Rules::default() }
}

/// The hops through a gateway, both certificates known.
fn hops(gateway: &Rdgw, server: &Xrdp) -> Vec<Hop> {
    let (mut before, mut far) = (gateway.hop(), gateway.before(server.hop()));
    before.pinned.push(gateway.pinned());
    far.pinned.push(server.pinned());
    far.path = TITLE.into();
    vec![before, far]
}

fn target(hops: Vec<Hop>) -> Target {
    Target { kind: Kind::new("rdp"), hops }
}

fn plant(lease: &mut FakeLease, hops: &mut [Hop], passage: &str) {
    lease.plant(hops, 0, Slot::Password, passage.as_bytes());
    lease.plant(hops, 1, Slot::Password, PASSWORD.as_bytes());
}

fn open(gateway: &Rdgw, server: &Xrdp) -> Box<dyn Link> {
    let mut hops = hops(gateway, server);
    let mut lease = FakeLease::default();
    plant(&mut lease, &mut hops, PASSAGE);
    must_open(&target(hops), &mut lease)
}

fn shown(link: &dyn Link) -> Desktop {
    let mut desk = Desktop::open(link, size(802, 601)).unwrap_or_else(|e| panic!("{}", e.what.en));
    desk.until("the desktop is there", |d| d.size == (802, 601) && d.has_colour(790, 590));
    desk
}

fn typed(server: &Xrdp, text: &str) {
    let file = server.home().join("typed");
    written(&format!("{text:?} arrives"), &file, || {
        fs::read_to_string(&file).unwrap_or_default().ends_with(text).then_some(())
    });
}

#[test]
fn both_certificates_are_trusted_apart_and_the_desktop_is_shown_and_typed_into() {
    let (gateway, server) = (Rdgw::start(rules()), Xrdp::start(PASSWORD));
    let mut hops = hops(&gateway, &server);
    hops.iter_mut().for_each(|hop| hop.pinned.clear());
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    plant(&mut lease, &mut hops, PASSAGE);
    let link = must_open(&target(hops), &mut lease);
    assert_eq!(lease.keys_shown, [gateway.pinned(), server.pinned()]);
    assert_eq!(lease.taken, [(0, Slot::Password), (1, Slot::Password)]);
    assert_eq!(gateway.asked(), [format!("127.0.0.1:{}", server.port)]);
    let info = link.info();
    let named = format!("RD Gateway 127.0.0.1:{}", gateway.port);
    assert!(info.description.contains(&named), "{}", info.description);
    assert_eq!((info.user, info.host_key), (server.user.clone(), server.pinned().fingerprint));

    let mut desk = shown(&*link);
    server.display();
    desk.act(ScreenInput::Move { x: 200, y: 100 });
    desk.until("a pointer", |d| d.pointer.is_some());
    for (code, keysym) in [(0x10, 0x61), (0x11, 0x7a), (0x1c, 0xff0d)] {
        desk.press(code, keysym);
    }
    typed(&server, "az\n");
    assert_eq!(gateway.open(), 1);
    link.close();
    assert_eq!(desk.finish(), None);
    eventually("the way is closed", || (gateway.open() == 0).then_some(()));
}

#[test]
fn freerdp_goes_through_the_gateway_with_both_passwords_by_the_pipe() {
    let (gateway, server, screen) = (Rdgw::start(rules()), Xrdp::start(PASSWORD), Screen::start());
    let mut hops = hops(&gateway, &server);
    hops[1] = with(hops[1].clone(), "program", "freerdp");
    let mut lease = FakeLease { display: Some(screen.name.clone()), ..FakeLease::default() };
    plant(&mut lease, &mut hops, PASSAGE);
    let link = must_open(&target(hops), &mut lease);
    assert!(link.info().description.contains("FreeRDP "), "{:?}", link.info());
    let window = screen.shows(TITLE);
    server.display();
    screen.point(&window, 200, 100);
    screen.act(&["click", "1"]);
    screen.act(&["key", "e", "r", "Return"]);
    typed(&server, "er\n");
    // Once to look at the certificate, once for FreeRDP.
    assert_eq!(gateway.asked().len(), 2, "{:?}", gateway.asked());
    for pid in lease.children.iter().flat_map(|pid| descendants(*pid)) {
        for part in ["cmdline", "environ"] {
            let bytes = fs::read(format!("/proc/{pid}/{part}")).unwrap_or_default();
            for secret in [PASSWORD, PASSAGE] {
                let secret = secret.as_bytes();
                assert!(!bytes.windows(secret.len()).any(|w| w == secret), "/proc/{pid}/{part}");
            }
        }
    }
    link.close();
    eventually("the way is closed", || (gateway.open() == 0).then_some(()));
}

#[test]
fn a_wrong_password_at_the_gateway_is_told_and_a_typed_one_may_be_mistyped() {
    let (gateway, server) = (Rdgw::start(rules()), Xrdp::start(PASSWORD));
    let mut wrong = hops(&gateway, &server);
    let mut lease = FakeLease::default();
    plant(&mut lease, &mut wrong, "falsch");
    let failure = must_fail(&target(wrong), &mut lease);
    assert_eq!(failure.kind, FailureKind::Login);
    let words = (&failure.what.en, &failure.what.fr);
    assert!(words.0.starts_with("The gateway 127.0.0.1") && words.1.starts_with("La passerelle"));
    assert!(failure.todo.en.contains("gateway-user"), "{failure:?}");
    // The server's own password was not asked for.
    assert_eq!(lease.taken, [(0, Slot::Password)]);

    let mut asked = hops(&gateway, &server);
    let mut lease = FakeLease::default();
    lease.plant(&mut asked, 1, Slot::Password, PASSWORD.as_bytes());
    lease.answers.extend(["falsch".to_owned(), PASSAGE.to_owned()]);
    let link = must_open(&target(asked), &mut lease);
    shown(&*link);
}

#[test]
fn no_secret_shows_while_a_desktop_comes_through_a_gateway() {
    let before = SystemTime::now();
    let (gateway, server) = (Rdgw::start(rules()), Xrdp::start(PASSWORD));
    let mut hops = hops(&gateway, &server);
    // A user of the gateway's own has its password among the entry's secrets.
    hops[0] = with(hops[0].clone(), GATEWAY_PASSWORD, "yes");
    let mut lease = FakeLease::default();
    let own = Slot::Custom(GATEWAY_PASSWORD.to_owned());
    lease.plant(&mut hops, 1, own.clone(), PASSAGE.as_bytes());
    lease.plant(&mut hops, 1, Slot::Password, PASSWORD.as_bytes());
    let link = must_open(&target(hops), &mut lease);
    assert_eq!(lease.taken, [(1, own), (1, Slot::Password)]);
    let _desk = shown(&*link);
    let needles = [PASSWORD, PASSAGE].map(|secret| secret.as_bytes().to_vec());
    shows_nowhere("rdp", &lease, &needles, Some(server.dir.path()), before);
    link.close();
}

#[test]
fn a_gateway_with_another_certificate_is_refused_before_any_secret() {
    let (gateway, server) = (Rdgw::start(rules()), Xrdp::start(PASSWORD));
    let mut hops = hops(&gateway, &server);
    hops[0].pinned[0].fingerprint = server.pinned().fingerprint;
    let mut lease = FakeLease { trust: true, ..FakeLease::default() };
    plant(&mut lease, &mut hops, PASSAGE);
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::HostKeyChanged);
    assert!(lease.taken.is_empty() && lease.keys_shown.is_empty() && gateway.asked().is_empty());
}

#[test]
fn what_a_gateway_refuses_is_told_with_what_to_do() {
    let server = Xrdp::start(PASSWORD);
    let refused = |rules: Rules, far: Option<u16>| {
        let gateway = Rdgw::start(rules);
        let mut hops = hops(&gateway, &server);
        if let Some(port) = far {
            hops[1].at.port = port;
        }
        let mut lease = FakeLease::default();
        plant(&mut lease, &mut hops, PASSAGE);
        must_fail(&target(hops), &mut lease)
    };
    for (tunnel, channel, kind, todo) in [
        (0, 0x8007_59DA, FailureKind::Login, "(RAP)"),
        (0x8007_59DB, 0, FailureKind::Login, "(CAP)"),
        (0x8007_59ED, 0, FailureKind::Login, "proof of health"),
        (0, 0x59E6, FailureKind::Ended, "later"),
        (0, 0x8007_1234, FailureKind::Protocol, "log of the gateway"),
    ] {
        let failure = refused(Rules { tunnel, channel, ..rules() }, None);
        assert_eq!(failure.kind, kind, "{failure:?}");
        assert!(failure.todo.en.contains(todo) && !failure.todo.fr.is_empty(), "{failure:?}");
    }
    let failure = refused(rules(), Some(free_port()));
    assert_eq!(failure.kind, FailureKind::Refused, "{failure:?}");
    assert!(failure.what.en.contains("cannot reach 127.0.0.1"), "{failure:?}");
}

#[test]
fn a_gateway_that_is_not_there_or_dies_is_named() {
    let (mut gateway, server) = (Rdgw::start(rules()), Xrdp::start(PASSWORD));
    let link = open(&gateway, &server);
    let desk = shown(&*link);
    gateway.kill();
    let failure = desk.finish().expect("a reason");
    assert_eq!(failure.kind, FailureKind::Network, "{failure:?}");
    assert!(failure.what.en.contains("the gateway 127.0.0.1"), "{failure:?}");

    let mut hops = hops(&gateway, &server);
    let mut lease = FakeLease::default();
    plant(&mut lease, &mut hops, PASSAGE);
    let failure = must_fail(&target(hops), &mut lease);
    assert_eq!(failure.kind, FailureKind::Refused, "{failure:?}");
    assert!(failure.what.en.contains(&gateway.port.to_string()), "{failure:?}");
}
