//! Real far sides of plain lines on loopback: inetutils' telnetd with the
//! system's login, a TCP service, and a pair of pseudo-terminals whose other end
//! a program of ours answers. Each ends with its value.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;

use poterne::connect::link::Link;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, Target};

use crate::kit_ssh::*;

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A target of this kind.
pub fn line(kind: &str, hop: Hop) -> Target {
    Target { kind: Kind::new(kind), hops: vec![hop] }
}

/// socat, once it has said these words.
fn socat(args: &[&str], ready: &'static str) -> Child {
    let mut process = Command::new("socat")
        .args(["-d", "-d"])
        .args(args)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("socat is installed");
    let log = BufReader::new(process.stderr.take().expect("piped"));
    let (begun, started) = channel();
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            if line.contains(ready) {
                let _ = begun.send(());
            }
        }
    });
    started.recv_timeout(PATIENCE).expect("socat starts");
    process
}

fn kill_all(process: &mut Child) {
    for pid in descendants(process.id()) {
        let pid = pid.to_string();
        let _ = Command::new("kill").args(["-KILL", &pid]).stderr(Stdio::null()).status();
    }
    let _ = process.kill();
    let _ = process.wait();
}

/// A telnet server with a user of its own.
pub struct Telnetd {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The user's home.
    pub dir: tempfile::TempDir,
    process: Child,
}

impl Telnetd {
    /// Starts one that lets its user in with this password.
    pub fn start(password: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let home = dir.path().to_str().expect("UTF-8");
        let number = SERIAL.fetch_add(1, Ordering::Relaxed);
        let user = format!("pl{}-{number}", std::process::id());
        sh("useradd", &["-M", "-d", home, "-s", "/bin/sh", &user]);
        sh("chown", &[&user, home]);
        fs::write(dir.path().join(".hushlogin"), "").expect("ours");
        let mut chpasswd = Command::new("chpasswd")
            .stdin(Stdio::piped())
            .spawn()
            .expect("the tests of passwords run as root");
        writeln!(chpasswd.stdin.take().expect("piped"), "{user}:{password}").expect("it reads");
        assert!(chpasswd.wait().expect("it ends").success());
        let port = free_port();
        let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork");
        // The server asks the socket who is there, so it gets the socket itself.
        let process = socat(&[&listen, "EXEC:/usr/sbin/telnetd,nofork"], "listening on");
        Self { port, user, dir, process }
    }

    /// A hop to it.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user.clone_from(&self.user);
        hop
    }

    /// A link that is logged in.
    pub fn open(&self, password: &str) -> (Box<dyn Link>, FakeLease) {
        let mut lease = FakeLease::default();
        let mut hops = vec![self.hop()];
        lease.plant(&mut hops, 0, Slot::Password, password.as_bytes());
        let link = must_open(&line("telnet", hops.remove(0)), &mut lease);
        (link, lease)
    }

    /// Kills it and every session it serves.
    pub fn kill(&mut self) {
        kill_all(&mut self.process);
    }
}

impl Drop for Telnetd {
    fn drop(&mut self) {
        self.kill();
        let _ = Command::new("userdel").args(["-f", &self.user]).stderr(Stdio::null()).status();
    }
}

/// A service that speaks plain TCP.
pub struct Service {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    _dir: tempfile::TempDir,
    process: Child,
}

/// How socat runs a shell line: from a file, since it takes signs of its own.
fn exec(dir: &Path, script: &str) -> String {
    let file = dir.join("script");
    fs::write(&file, script).expect("ours");
    format!("EXEC:sh {}", file.display())
}

impl Service {
    /// Runs this shell line for each connection.
    pub fn start(script: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let port = free_port();
        let listen = format!("TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork");
        let process = socat(&[&listen, &exec(dir.path(), script)], "listening on");
        Self { port, _dir: dir, process }
    }

    /// Kills it and every session it serves.
    pub fn kill(&mut self) {
        kill_all(&mut self.process);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A device at the other end of a serial cable.
pub struct Cable {
    /// The port at our end.
    pub device: PathBuf,
    _dir: tempfile::TempDir,
    process: Child,
}

impl Cable {
    /// Plugs in a device that runs this shell line.
    pub fn plug(script: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let device = dir.path().join("ttyTest");
        let pty = format!("PTY,link={},raw,echo=0", device.display());
        let process = socat(&[&pty, &exec(dir.path(), script)], "starting data transfer loop");
        Self { device, _dir: dir, process }
    }

    /// A hop to it.
    pub fn hop(&self) -> Hop {
        let mut hop = with(hop(0), "device", self.device.to_str().expect("UTF-8"));
        hop.at.host.clear();
        hop
    }

    /// Pulls the cable.
    pub fn unplug(&mut self) {
        kill_all(&mut self.process);
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        self.unplug();
    }
}
