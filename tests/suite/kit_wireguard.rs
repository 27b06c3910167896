//! Clients with a WireGuard server each, and a LAN behind it that is the same for all:
//! namespaces, the real `wireguard-go`, socat and dnsmasq. Each ends with its value.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;

use poterne::connect::wireguard::PRESHARED;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, Target};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::kit_ssh::{FakeLease, PATIENCE, hop, sh, with};

/// The machine of every LAN.
pub const MACHINE: &str = "192.168.1.10";
/// Sends back what comes.
pub const ECHO: u16 = 7007;
/// Says whose LAN it is.
pub const NAME: u16 = 7009;
/// Where WireGuard listens.
pub const PORT: u16 = 51820;

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A namespace of the network (ip-netns(8)).
pub struct Space(pub String);

impl Space {
    fn new(what: &str) -> Self {
        let number = SERIAL.fetch_add(1, Ordering::Relaxed);
        let name = format!("pt{}-{number}-{what}", std::process::id());
        sh("ip", &["netns", "add", &name]);
        let space = Self(name);
        space.ip("link set lo up");
        space
    }

    /// Runs `ip` inside.
    pub fn ip(&self, words: &str) -> String {
        let mut args = vec!["-n", &self.0];
        args.extend(words.split(' '));
        sh("ip", &args)
    }

    /// From now on this thread, and what it starts, is inside.
    pub fn enter(&self) {
        let place = File::open(format!("/run/netns/{}", self.0)).expect("it is there");
        move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network))
            .expect("the tests of networks run as root");
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.0, program]).stdin(Stdio::null());
        command
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A program that runs until its value goes.
struct Program(Child);

impl Program {
    /// Once it has said these words.
    fn start(mut command: Command, ready: &'static str) -> Self {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        command.stdout(writer.try_clone().expect("a pipe")).stderr(writer);
        let process = command.spawn().expect("the program is installed");
        drop(command);
        let (begun, started) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if line.contains(ready) {
                    let _ = begun.send(());
                }
            }
        });
        started.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("“{ready}” is never said"));
        Self(process)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // `ip netns exec` becomes the program, whose children end with their work.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A pair of keys.
#[derive(Clone)]
pub struct Keys {
    /// The secret one.
    pub private: String,
    /// The other.
    pub public: String,
}

fn wg(words: &[&str], input: &str) -> String {
    let mut process = Command::new("wg")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("wireguard-tools is installed");
    process.stdin.take().expect("piped").write_all(input.as_bytes()).expect("it reads");
    let out = process.wait_with_output().expect("it ends");
    assert!(out.status.success(), "wg {words:?}");
    String::from_utf8(out.stdout).expect("UTF-8").trim().to_owned()
}

impl Keys {
    /// New ones.
    pub fn new() -> Self {
        let private = wg(&["genkey"], "");
        let public = wg(&["pubkey"], &private);
        Self { private, public }
    }
}

/// Where sessions run: a machine with a network of its own, so that no other test
/// changes it.
pub struct Near(pub Space, AtomicU32);

/// Works inside an empty one, on a thread of its own.
pub fn inside<R: Send>(work: impl FnOnce(&Near) -> R + Send) -> R {
    let work = || {
        let near = Near(Space::new("near"), AtomicU32::new(1));
        near.0.enter();
        work(&near)
    };
    std::thread::scope(|scope| {
        scope.spawn(work).join().unwrap_or_else(|why| std::panic::resume_unwind(why))
    })
}

/// A client.
pub struct Client {
    /// Where its server is, for the machine that the sessions run on.
    pub host: String,
    /// Of this side.
    pub ours: Keys,
    /// Of the server.
    pub theirs: Keys,
    /// What both have.
    pub shared: String,
    /// The namespace that the sessions run in.
    near: String,
    interface: String,
    wireguard: Option<Program>,
    _others: Vec<Program>,
    server: Space,
    _lan: Space,
}

impl Client {
    /// One of this name, whose server hands packets on to its LAN.
    pub fn start(near: &Near, name: &str) -> Self {
        let (server, lan) = (Space::new("server"), Space::new("lan"));
        let number = near.1.fetch_add(1, Ordering::Relaxed);
        let (out, inside) = (format!("out{number}"), "link add out0 type veth peer name");
        server.ip(&format!("{inside} {out} netns {}", near.0.0));
        let host = format!("10.77.{number}.2");
        near.0.ip(&format!("addr add 10.77.{number}.1/24 dev {out}"));
        // An address that the system gives by itself is settled only after a while, and
        // would look like a change.
        near.0.ip(&format!("link set {out} addrgenmode none"));
        near.0.ip(&format!("link set {out} up"));
        server.ip(&format!("addr add {host}/24 dev out0"));
        server.ip("link set out0 up");
        server.ip(&format!("link add lan0 type veth peer name eth0 netns {}", lan.0));
        server.ip("addr add 192.168.1.1/24 dev lan0");
        server.ip("link set lan0 up");
        lan.ip(&format!("addr add {MACHINE}/24 dev eth0"));
        lan.ip("link set eth0 up");
        lan.ip("route add default via 192.168.1.1");
        // All of these addresses are this machine too.
        lan.ip("route add local 192.168.1.128/25 dev lo");
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        let done = server.command("sh").args(["-c", forward]).status().expect("a shell");
        assert!(done.success());
        let socat = |listen: String, does: &str| {
            let mut socat = lan.command("socat");
            socat.args(["-d", "-d", &listen, does]);
            Program::start(socat, "listening on")
        };
        let mut dns = lan.command("dnsmasq");
        dns.args([
            "--no-daemon",
            "--no-resolv",
            "--no-hosts",
            "--conf-file=/dev/null",
            "--user=root",
        ])
        .args(["--local=/client.lan/", "--pid-file="])
        .arg(format!("--host-record=srv.client.lan,{MACHINE}"));
        for last in 128..188 {
            dns.arg(format!("--address=/many.client.lan/192.168.1.{last}"));
        }
        let others = vec![
            socat(format!("TCP-LISTEN:{ECHO},fork,reuseaddr"), "EXEC:cat"),
            socat(format!("TCP-LISTEN:{NAME},fork,reuseaddr"), &format!("SYSTEM:echo {name}")),
            Program::start(dns, "started, version"),
        ];
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let mut client = Self {
            host,
            near: format!("/run/netns/{}", near.0.0),
            ours: Keys::new(),
            theirs: Keys::new(),
            shared: wg(&["genpsk"], ""),
            interface: format!("w{}x{serial}", std::process::id() % 1_000_000),
            wireguard: None,
            _others: others,
            server,
            _lan: lan,
        };
        client.raise();
        client
    }

    /// Starts the server, which knows nothing of earlier connections.
    pub fn raise(&mut self) {
        let interface = &self.interface;
        let mut wireguard = self.server.command("env");
        wireguard.args(["WG_PROCESS_FOREGROUND=1", "LOG_LEVEL=verbose", "wireguard-go", "-f"]);
        wireguard.arg(interface);
        self.wireguard = Some(Program::start(wireguard, "UAPI listener started"));
        let configuration = format!(
            "[Interface]\nPrivateKey = {}\nListenPort = {PORT}\n[Peer]\nPublicKey = {}\n\
             PresharedKey = {}\nAllowedIPs = 10.9.0.2/32\n",
            self.theirs.private, self.ours.public, self.shared
        );
        let mut set = self.server.command("wg");
        set.args(["setconf", interface, "/dev/stdin"]).stdin(Stdio::piped());
        let mut set = set.spawn().expect("wireguard-tools is installed");
        set.stdin.take().expect("piped").write_all(configuration.as_bytes()).expect("it reads");
        assert!(set.wait().expect("it ends").success(), "wg setconf");
        self.server.ip(&format!("addr add 10.9.0.1/24 dev {interface}"));
        self.server.ip(&format!("link set {interface} up mtu 1420"));
    }

    /// Kills the server.
    pub fn kill(&mut self) {
        self.wireguard = None;
    }

    /// An entry for it, and a lease that has the secrets.
    pub fn entry(&self) -> (Target, FakeLease) {
        let place = Hop { user: String::new(), ..hop(PORT) };
        let mut place = with(place, "peer-public-key", &self.theirs.public);
        place.at.host.clone_from(&self.host);
        place = with(place, "tunnel-address", "10.9.0.2/24");
        place = with(place, "allowed-ips", "10.9.0.0/24, 192.168.1.0/24");
        place = with(place, "dns", &format!("{MACHINE}, client.lan"));
        let within = Some(self.near.clone());
        let lease = FakeLease { within, ..FakeLease::default() };
        let (mut hops, mut lease) = (vec![place], lease);
        lease.plant(&mut hops, 0, Slot::PrivateKey, self.ours.private.as_bytes());
        let shared = Slot::Custom(PRESHARED.to_owned());
        lease.plant(&mut hops, 0, shared, self.shared.as_bytes());
        (Target { kind: Kind::new("wireguard"), hops }, lease)
    }
}
