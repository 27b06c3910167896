//! OpenVPN in a network of its own, beside the same `openvpn` that changes the network
//! of the whole machine: from the start to a shell's prompt, and how much it carries.
//! It measures and prints; it judges nothing.
//!
//! `cargo bench --bench vpn [-- SECTION…]`, sections `prompt` and `carried`; both by
//! default. As root, since it makes namespaces: the machine is one of them.

#![allow(clippy::disallowed_methods, reason = "a benchmark starts its rivals itself")]

#[path = "../../suite/kit_ssh.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests")]
mod kit_ssh;
#[path = "../../suite/kit_vpn.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests")]
mod kit_vpn;
#[path = "../speed/meter.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod meter;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kit_ssh::{FakeLease, hop, kill_with_all, must_open, target, user};
use kit_vpn::{Lan, MACHINE, Setup, inside};
use meter::{line, median, ratio, short, title};
use poterne::connect::link::Link;
use poterne::connect::openvpn::profile_slot;
use poterne::connect::vpn::door::Door;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{HostPort, Target};
use poterne::os::net::Socket;

const RUNS: usize = 9;
const LOGIN: (&str, &str) = ("alice", "banc-essai");
/// Where bytes go to and come from, on the machine behind the VPN.
const SINK: u16 = 7009;
const SOURCE: u16 = 7010;
/// Bytes of one transfer.
const MANY: usize = 128 << 20;
const TRANSFERS: usize = 5;

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let asked = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    // Both clients log in as the same user.
    let lines = vec!["duplicate-cn".to_owned()];
    let setup = Setup { apart: true, login: Some(LOGIN), lines, ..Setup::default() };
    let lan = Lan::start(setup);
    let near = lan.near.as_ref().expect("it is apart").path();
    inside(&near, || {
        if asked("prompt") {
            prompt(&lan);
        }
        if asked("carried") {
            carried(&lan);
        }
    });
}

fn raised(lan: &Lan) -> Arc<dyn Link> {
    let within = lan.near.as_ref().map(kit_vpn::Namespace::path);
    let mut lease = FakeLease { within, ..FakeLease::default() };
    let mut hops = vec![hop(0)];
    hops[0].user = LOGIN.0.into();
    lease.plant(&mut hops, 0, profile_slot(), lan.profile().as_bytes());
    lease.plant(&mut hops, 0, Slot::Password, LOGIN.1.as_bytes());
    Arc::from(must_open(&Target { kind: Kind::new("openvpn"), hops }, &mut lease))
}

/// `openvpn` as a person would start it, once it says that it is up.
struct Plain(Child);

impl Plain {
    fn start(lan: &Lan) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let (profile, login) = (folder.path().join("p.ovpn"), folder.path().join("login"));
        std::fs::write(&profile, lan.profile()).expect("ours");
        std::fs::write(&login, format!("{}\n{}\n", LOGIN.0, LOGIN.1)).expect("ours");
        let mut child = Command::new("openvpn")
            .arg("--config")
            .arg(&profile)
            .arg("--auth-user-pass")
            .arg(&login)
            .args(["--nobind", "--verb", "3"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it is installed");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let up = lines.any(|line| line.is_ok_and(|line| line.contains("Sequence Completed")));
        assert!(up, "the plain client comes up");
        // What it says later must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        Self(child)
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        kill_with_all(&mut self.0);
    }
}

fn prompt(lan: &Lan) {
    title("From the start of the VPN to a shell behind it, median of 9");
    let mut hop = lan.ssh.hop();
    hop.user = user();
    let key = kit_ssh::keygen(lan.ssh.dir.path(), "bench", &["-t", "ed25519"]);
    lan.ssh.authorize(&key);
    let key = std::fs::read(key).expect("made");
    let near = lan.near.as_ref().map(kit_vpn::Namespace::path);
    let shell = |through: Option<Arc<dyn Link>>| {
        let within = near.clone();
        let mut lease = FakeLease { trust: true, through, within, ..FakeLease::default() };
        let mut hops = vec![hop.clone()];
        lease.plant(&mut hops, 0, Slot::PrivateKey, &key);
        let link = must_open(&target(hops), &mut lease);
        kit_ssh::run(&*link, "true", b"");
    };
    let (mut all, mut own) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let begun = Instant::now();
        let link = raised(lan);
        own.push(begun.elapsed());
        shell(Some(link.clone()));
        all.push(begun.elapsed());
        link.close();
    }
    let plain = median(RUNS, || {
        let begun = Instant::now();
        let _plain = Plain::start(lan);
        begun.elapsed()
    });
    let (mut plain_shell, up) = (Vec::new(), Plain::start(lan));
    for _ in 0..RUNS {
        let begun = Instant::now();
        shell(None);
        plain_shell.push(begun.elapsed());
    }
    drop(up);
    let middle = |mut all: Vec<Duration>| {
        all.sort();
        all[all.len() / 2]
    };
    let (all, own, plain_shell) = (middle(all), middle(own), middle(plain_shell));
    line("VPN raised, and a command run by SSH", &short(all), "");
    line("… of that the VPN", &short(own), &format!("plain openvpn {}", short(plain)));
    line(
        "… less what plain openvpn takes to connect",
        &short(all.saturating_sub(plain)),
        &format!("goal 150 ms; the same command through the plain one {}", short(plain_shell)),
    );
}

/// Two services on the machine behind the VPN.
struct Services(Vec<Child>);

impl Services {
    fn start(lan: &Lan) -> Self {
        let start = |from: &str, to: String| {
            let mut socat = lan.far.command("socat");
            socat.args(["-u", "-b", "65536", from, &to]).stdin(Stdio::null());
            socat.spawn().expect("socat is installed")
        };
        let listen = |port: u16| format!("TCP-LISTEN:{port},bind={MACHINE},fork,reuseaddr");
        let sink = start(&listen(SINK), "OPEN:/dev/null".into());
        let mut source = lan.far.command("socat");
        source.args(["-U", "-b", "65536", &listen(SOURCE), "OPEN:/dev/zero"]);
        let source = source.stdin(Stdio::null()).spawn().expect("socat is installed");
        Self(vec![sink, source])
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(kill_with_all);
    }
}

fn carried(lan: &Lan) {
    title("128 MiB through the VPN, median of 5");
    let _services = Services::start(lan);
    let link = raised(lan);
    let door = Door::new(link.tunnel().expect("it is a VPN").passage().expect("it is up"));
    let behind = |port: u16| {
        let at = HostPort { host: MACHINE.into(), port };
        patient(|| door.reach(&at, Duration::from_secs(5)).ok())
    };
    let up = Plain::start(lan);
    let machine_wide =
        |port: u16| Socket::Tcp(patient(|| TcpStream::connect((MACHINE, port)).ok()));
    // In turns, so that both have the same neighbours.
    let mut took: [Vec<Duration>; 4] = Default::default();
    for _ in 0..TRANSFERS {
        took[0].push(send(&behind(SINK)));
        took[1].push(send(&machine_wide(SINK)));
        took[2].push(take(&behind(SOURCE)));
        took[3].push(take(&machine_wide(SOURCE)));
    }
    drop(up);
    let [up, up_plain, down, down_plain] = took.map(|mut all| {
        all.sort();
        all[all.len() / 2]
    });
    let rate = |took: Duration| format!("{:.0} Mbit/s", MANY as f64 * 8e-6 / took.as_secs_f64());
    for (what, own, plain) in [("upload", up, up_plain), ("download", down, down_plain)] {
        let beside =
            format!("machine-wide {}: {:.2} of it (goal 0.9)", rate(plain), ratio(plain, own));
        line(what, &rate(own), &beside);
    }
    link.close();
}

fn patient<T>(mut connect: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(connected) = connect() {
            return connected;
        }
        assert!(Instant::now() < end, "the service behind the VPN answers");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Until the far side has read all of it and closed.
fn send(mut to: &Socket) -> Duration {
    let block = vec![7; 1 << 16];
    let begun = Instant::now();
    for _ in 0..MANY / block.len() {
        to.write_all(&block).expect("it is read");
    }
    to.shutdown(Shutdown::Write);
    let _ = to.read(&mut [0]);
    begun.elapsed()
}

fn take(mut from: &Socket) -> Duration {
    let mut block = vec![0; 1 << 16];
    let (begun, mut got) = (Instant::now(), 0);
    while got < MANY {
        got += from.read(&mut block).expect("it comes");
    }
    begun.elapsed()
}
