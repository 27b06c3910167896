//! Every kind of session through a VPN: desktops, a plain line, a page and a program
//! that dials for itself, each with the real program on the far side, which stands in
//! the client's network alone.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use poterne::connect::link::{ChannelRequest, Link, TermSize};
use poterne::connect::openvpn::profile_slot;
use poterne::connect::vpn::Unreached;
use poterne::connect::vpn::door::Door;
use poterne::connect::web::LOGIN_URL;
use poterne::connect::{FailureKind, Progress};
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{HostPort, Target};

use crate::kit_rdp::{Desktop, Xrdp, eventually, rdp, size};
use crate::kit_ssh::*;
use crate::kit_vnc::{Xvnc, same, screen, vnc};
use crate::kit_vpn::{Code, ControlKey, Lan, MACHINE, MACHINE_NAME, Setup};
use crate::kit_web::{Site, alone, login, page_hop};

const LOGIN: (&str, &str) = ("alice", "mot-de-passe");

fn with_login() -> Setup {
    Setup { login: Some(LOGIN), ..Setup::default() }
}

/// The VPN to a LAN, as an entry has it.
fn vpn(profile: &str, lease: &mut FakeLease) -> Target {
    let mut hop = hop(0);
    hop.user = LOGIN.0.into();
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, profile_slot(), profile.as_bytes());
    lease.plant(&mut hops, 0, Slot::Password, LOGIN.1.as_bytes());
    Target { kind: Kind::new("openvpn"), hops }
}

fn raised(lan: &Lan) -> Arc<dyn Link> {
    let mut lease = FakeLease::default();
    let target = vpn(&lan.profile(), &mut lease);
    Arc::from(must_open(&target, &mut lease))
}

/// A lease of a session that goes through a VPN.
fn through(link: &Arc<dyn Link>) -> FakeLease {
    FakeLease { through: Some(link.clone()), trust: true, ..FakeLease::default() }
}

/// A port of this machine as a port of the machine in the client's network.
struct Exposed {
    port: u16,
    near: Child,
    far: Child,
    _folder: tempfile::TempDir,
}

impl Exposed {
    fn new(lan: &Lan, port: u16) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let socket = folder.path().join("s").display().to_string();
        let listen = format!("UNIX-LISTEN:{socket},fork");
        let mut near = Command::new("socat");
        near.args([listen, format!("TCP:127.0.0.1:{port}")]);
        let mut far = lan.far.command("socat");
        far.arg(format!("TCP-LISTEN:{port},bind={MACHINE},fork,reuseaddr"));
        far.arg(format!("UNIX-CONNECT:{socket}"));
        let [near, far] = [near, far]
            .map(|mut command| command.stdin(Stdio::null()).spawn().expect("socat is installed"));
        eventually("socat listens", || std::fs::metadata(&socket).ok());
        Self { port, near, far, _folder: folder }
    }

    fn at(&self, host: &str) -> HostPort {
        HostPort { host: host.into(), port: self.port }
    }
}

impl Drop for Exposed {
    fn drop(&mut self) {
        kill_with_all(&mut self.near);
        kill_with_all(&mut self.far);
    }
}

#[test]
fn a_screen_by_vnc_is_the_one_behind_the_vpn() {
    let lan = Lan::start(with_login());
    let link = raised(&lan);
    let server = Xvnc::start("VncAuth", "tuile-42");
    let exposed = Exposed::new(&lan, server.port);
    let mut hop = server.hop();
    hop.at = exposed.at(MACHINE_NAME);
    let mut lease = through(&link);
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Password, b"tuile-42");
    let session = must_open(&vnc(hops.remove(0)), &mut lease);
    let mut desk = screen(&*session, 640, 480);
    same(&mut desk, &server, 0);
    server.x("xsetroot", &["-solid", "#345678"]);
    same(&mut desk, &server, 0);
    // It ends with its VPN, and says so.
    link.close();
    let why = desk.finish().expect("it was cut off");
    assert!(why.what.en.contains("VPN"), "{}", why.what.en);
}

#[test]
fn a_desktop_by_rdp_opens_behind_the_vpn() {
    let lan = Lan::start(with_login());
    let link = raised(&lan);
    let server = Xrdp::start("motdepasse");
    let exposed = Exposed::new(&lan, server.port);
    let mut hop = server.hop();
    hop.at = exposed.at(MACHINE);
    let mut lease = through(&link);
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Password, b"motdepasse");
    let session = must_open(&rdp(hops.remove(0)), &mut lease);
    let mut desk =
        Desktop::open(&*session, size(800, 600)).unwrap_or_else(|e| panic!("{}", e.what.en));
    desk.until("a picture", |desk| desk.size == (800, 600));
    assert_eq!(lease.keys_shown.len(), 1, "its certificate was shown");
    session.close();
}

#[test]
fn a_page_is_looked_up_and_opened_behind_the_vpn_alone() {
    let _alone = alone();
    let lan = Lan::start(with_login());
    let link = raised(&lan);
    let mut site = Site::plain();
    let exposed = Exposed::new(&lan, site.told.port);
    // Of this name only the client's resolver knows.
    let url = format!("http://{MACHINE_NAME}:{}/form", exposed.port);
    let (target, mut lease) = login(with(page_hop(&url, exposed.port), LOGIN_URL, &url));
    lease.through = Some(link.clone());
    let session = must_open(&target, &mut lease);
    site.told.until("login admin ok");
    site.told.until("welcome");
    assert!(session.info().description.ends_with("✓"), "{:?}", session.info());
    session.close();
}

#[test]
fn a_plain_line_and_its_failures_are_those_behind_the_vpn() {
    let lan = Lan::start(with_login());
    let link = raised(&lan);
    let open = |host: &str, port: u16| {
        let mut hop = with(hop(port), "connect-timeout", "5");
        hop.at.host = host.into();
        let target = Target { kind: Kind::new("raw"), hops: vec![hop] };
        crate::kit_ssh::open(&target, &mut through(&link))
    };
    let session = open(MACHINE, 22).map_err(|e| e.what.en).expect("sshd listens there");
    let cells = TermSize { cols: 80, rows: 24 };
    let request = ChannelRequest::Shell { size: cells, term: String::new() };
    let mut talk = Talk::open(&*session, request).expect("a line");
    talk.until("SSH-2.0-OpenSSH");
    drop(talk);
    let failure = |host: &str, port| open(host, port).err().expect("nobody is there");
    assert_eq!(failure(MACHINE, 4).kind, FailureKind::Refused);
    let unknown = failure("inconnu.lan.test", 22);
    assert_eq!(unknown.kind, FailureKind::UnknownHost);
    assert!(unknown.what.en.contains("through the VPN"), "{}", unknown.what.en);
    // No route leads there in the client's network, whatever this machine has.
    assert_eq!(failure("203.0.113.9", 22).kind, FailureKind::Network);
}

#[test]
fn each_way_to_log_in_raises_the_vpn() {
    let ways: [(&str, Setup); 5] = [
        ("by TCP", Setup { tcp: true, ..with_login() }),
        (
            "a certificate and tls-crypt",
            Setup { certificate: true, control_key: ControlKey::Crypt, ..Setup::default() },
        ),
        ("the profile’s question", Setup { code: Code::Static, ..with_login() }),
        ("the server’s question", Setup { code: Code::Dynamic, ..with_login() }),
        ("IPv6 inside", Setup { ipv6: true, ..with_login() }),
    ];
    for (what, setup) in ways {
        let (code, right, ipv6) = (setup.code, setup.right_code, setup.ipv6);
        let lan = Lan::start(setup);
        let mut lease = FakeLease::default();
        if code != Code::None {
            lease.answers.push_back(right.into());
        }
        let target = vpn(&lan.profile(), &mut lease);
        let link = open(&target, &mut lease).map_err(|e| e.what.en);
        let link = link.unwrap_or_else(|e| panic!("{what}: {e}"));
        assert_eq!(lease.asked.len(), usize::from(code != Code::None), "{what}");
        let steps = lease.said.iter().filter(|step| matches!(step, Progress::Vpn(_))).count();
        assert!(steps >= 3, "{what}: {:?}", lease.said);
        let tunnel = link.tunnel().expect("it is a VPN");
        let door = Door::new(tunnel.passage().expect("it is up"));
        let machine = if ipv6 { "fd00:168:1::10" } else { MACHINE };
        let at = HostPort { host: machine.into(), port: if ipv6 { 7 } else { 22 } };
        let reached = door.reach(&at, std::time::Duration::from_secs(10));
        match ipv6 {
            // sshd listens at the other address alone: it is there, and refuses.
            true => assert_eq!(reached.err(), Some(Unreached::System(libc::ECONNREFUSED))),
            false => assert!(reached.is_ok(), "{what}: {reached:?}"),
        }
        assert!(!tunnel.now().address.is_empty(), "{what}");
    }
}
