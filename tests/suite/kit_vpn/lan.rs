//! The LAN of a client behind a VPN server: a machine with a real sshd and a file named
//! after the client, and a resolver that knows its name.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;

use super::namespace::Namespace;
use super::server::Server;
use super::setup::Setup;
use crate::kit_ssh::{self, PATIENCE, Sshd, kill_with_all, sh};

/// The machine of the network 192.168.1.0/24, the same for every client; at port 22.
pub const MACHINE: &str = "192.168.1.10";
/// The machine's name at the resolver.
pub const MACHINE_NAME: &str = "machine.lan.test";
/// The domain that the server pushes.
pub const DOMAIN: &str = "lan.test";
/// The resolver.
pub const RESOLVER: &str = "192.168.1.53";

/// A VPN server with a LAN behind it. In order: what ends first stands first.
pub struct Lan {
    /// The server.
    pub server: Server,
    /// The sshd of the machine; its folder is the home of who logs in, and has a file
    /// `NAME.client`.
    pub ssh: Sshd,
    resolver: Child,
    /// Where the near end lies, if it is apart.
    pub near: Option<Namespace>,
    /// Where the server is.
    pub middle: Namespace,
    /// Where the machine is; it lives as long as the rest.
    pub far: Namespace,
    /// The near end of the wire to the server.
    pub wire: String,
    /// The third number of the addresses between this machine and the server.
    number: u32,
    port: u16,
    folder: tempfile::TempDir,
}

impl Lan {
    /// Makes the networks, and starts sshd, the resolver and the VPN server.
    pub fn start(setup: Setup) -> Self {
        let mut lan = Self::without_server(setup);
        lan.server.start(&lan.middle);
        lan
    }

    /// The same, but nobody listens at the VPN's port until [`Lan::restart`].
    pub fn without_server(setup: Setup) -> Self {
        let id = format!("poterne-{}-{}", std::process::id(), kit_ssh::serial());
        let near = setup.apart.then(|| Namespace::make(format!("{id}-near")));
        let middle = Namespace::make(format!("{id}-middle"));
        let far = Namespace::make(format!("{id}-far"));
        let (wire, number) = join(&middle, near.as_ref());
        middle.ip("link add lan0 type veth peer name eth0");
        middle.ip(&format!("link set eth0 netns {}", far.name));
        middle.ip("addr add 192.168.1.1/24 dev lan0");
        middle.ip("-6 addr add fd00:168:1::1/64 dev lan0 nodad");
        middle.ip("link set lan0 up");
        for address in [MACHINE, RESOLVER] {
            far.ip(&format!("addr add {address}/24 dev eth0"));
        }
        far.ip("-6 addr add fd00:168:1::10/64 dev eth0 nodad");
        far.ip("link set eth0 up");
        far.ip("route add default via 192.168.1.1");
        far.ip("-6 route add default via fd00:168:1::1");
        let mut forward = middle.command("sh");
        let forward = forward.args([
            "-c",
            "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding",
        ]);
        assert!(forward.status().expect("it runs").success(), "the server passes packets on");
        let ssh = Sshd::start(kit_ssh::Setup {
            port: Some(22),
            namespace: Some(far.path()),
            address: Some(MACHINE.into()),
            ..kit_ssh::Setup::default()
        });
        let whose = ssh.dir.path().join(format!("{}.client", setup.client));
        fs::write(whose, "").expect("ours");
        let resolver = resolver(&far);
        let folder = tempfile::tempdir().expect("a folder");
        let port = setup.port;
        let server = Server::new(setup, folder.path());
        Self { server, ssh, resolver, near, middle, far, wire, number, port, folder }
    }

    /// Starts the server, or starts it again after [`Server::kill`].
    pub fn restart(&mut self) {
        self.server.start(&self.middle);
    }

    /// Where the server's files lie.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server's address, as this side sees it.
    pub fn host(&self) -> String {
        format!("10.99.{}.2", self.number)
    }

    /// The same in IPv6.
    pub fn host6(&self) -> String {
        format!("fd00:99:{}::2", self.number)
    }

    /// The client's profile.
    pub fn profile(&self) -> String {
        self.profile_to(self.port)
    }

    /// The same for another port.
    pub fn profile_to(&self, port: u16) -> String {
        self.server.profile(&self.host(), port)
    }

    /// The same to the server's IPv6 address.
    pub fn profile6(&self) -> String {
        self.server.profile(&self.host6(), self.port)
    }
}

impl Drop for Lan {
    fn drop(&mut self) {
        self.server.kill();
        self.ssh.kill();
        kill_with_all(&mut self.resolver);
        if self.near.is_none() {
            let _ = Command::new("ip").args(["link", "del", &self.wire]).status();
        }
    }
}

/// A wire from here, or from `near`, to the server, with addresses that nobody else has:
/// whoever made the interface of a number has the number.
fn join(middle: &Namespace, near: Option<&Namespace>) -> (String, u32) {
    let first = std::process::id().wrapping_mul(7).wrapping_add(kit_ssh::serial());
    let made = (0..254).map(|n| first.wrapping_add(n) % 254 + 1).find_map(|number| {
        let wire = format!("ptvpn{number}");
        let mut add = Command::new("ip");
        add.args(["link", "add", &wire, "type", "veth", "peer", "name", "out0"]);
        add.args(["netns", &middle.name]).stderr(Stdio::null());
        add.status().expect("iproute2 is installed").success().then_some((wire, number))
    });
    let (wire, number) = made.expect("one of 254 is free");
    if let Some(near) = near {
        sh("ip", &["link", "set", &wire, "netns", &near.name]);
    }
    let here = |words: String| match near {
        Some(near) => near.ip(&words),
        None => {
            sh("ip", &words.split_whitespace().collect::<Vec<_>>());
        }
    };
    here(format!("addr add 10.99.{number}.1/24 dev {wire}"));
    here(format!("-6 addr add fd00:99:{number}::1/64 dev {wire} nodad"));
    here(format!("link set {wire} up"));
    middle.ip(&format!("addr add 10.99.{number}.2/24 dev out0"));
    middle.ip(&format!("-6 addr add fd00:99:{number}::2/64 dev out0 nodad"));
    middle.ip("link set out0 up");
    (wire, number)
}

/// Starts dnsmasq, which knows the machine alone, and waits until it serves.
fn resolver(far: &Namespace) -> Child {
    let mut process = far
        .command("dnsmasq")
        .args(["--keep-in-foreground", "--log-facility=-", "--conf-file=/dev/null"])
        .args(["--no-resolv", "--no-hosts", "--bind-interfaces", "--user=root", "--pid-file="])
        .arg(format!("--listen-address={RESOLVER}"))
        .arg("--except-interface=lo")
        .arg(format!("--address=/{MACHINE_NAME}/{MACHINE}"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("dnsmasq-base is installed");
    let lines = BufReader::new(process.stderr.take().expect("piped"));
    let (ready, serves) = channel();
    std::thread::spawn(move || {
        for line in lines.lines().map_while(Result::ok) {
            if line.contains("started") {
                let _ = ready.send(());
            }
        }
    });
    serves.recv_timeout(PATIENCE).expect("dnsmasq starts");
    process
}
