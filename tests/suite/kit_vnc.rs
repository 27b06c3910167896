//! Real VNC servers on loopback, each an X server of its own with a terminal on it.

use std::fs;
use std::io::Write;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use poterne::connect::link::Link;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, PinnedKey, Target};

use crate::kit_rdp::{Desktop, certificate, displays, eventually, pinned, ready, size, written};
use crate::kit_ssh::*;

/// A target of kind `vnc`.
pub fn vnc(hop: Hop) -> Target {
    Target { kind: Kind::new("vnc"), hops: vec![hop] }
}

/// Opens the screen in this size.
pub fn screen(link: &dyn Link, width: u16, height: u16) -> Desktop {
    Desktop::open(link, size(width, height)).unwrap_or_else(|e| panic!("{}", e.what.en))
}

/// Waits until the picture is that of the server, give or take `off` in a colour on
/// average.
pub fn same(desk: &mut Desktop, server: &Xvnc, off: u64) {
    let mut there = server.shows();
    let mut looked = Instant::now();
    desk.until("the picture is that of the server", |desk| {
        // A look costs more than many tiles.
        if looked.elapsed() > Duration::from_millis(500) {
            there = server.shows();
            looked = Instant::now();
        }
        let (width, height, rgb) = &there;
        let apart = desk.rgb.iter().zip(rgb).map(|(a, b)| u64::from(a.abs_diff(*b)));
        desk.size == (*width, *height) && apart.sum::<u64>() <= off * rgb.len() as u64
    });
}

/// A running TigerVNC.
pub struct Xvnc {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// Its files.
    pub dir: tempfile::TempDir,
    display: String,
    server: Child,
    programs: Vec<Child>,
}

impl Xvnc {
    /// Starts one of 640 by 480 with these security types and this password; it has a
    /// certificate.
    pub fn start(security: &str, password: &str) -> Self {
        Self::with(security, password, &[])
    }

    /// The same, with more arguments.
    pub fn with(security: &str, password: &str, more: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        certificate(dir.path());
        let file = dir.path().join("passwd");
        let mut tool = Command::new("vncpasswd")
            .arg("-f")
            .stdin(Stdio::piped())
            .stdout(fs::File::create(&file).expect("ours"))
            .spawn()
            .expect("tigervnc-tools is installed");
        writeln!(tool.stdin.take().expect("piped"), "{password}").expect("it reads");
        assert!(tool.wait().expect("it ends").success());
        let port = free_port();
        let display = format!(":{}", displays());
        let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
        let log = fs::File::create(dir.path().join("log")).expect("ours");
        let mut server = Command::new("Xtigervnc")
            .arg(&display)
            .args(["-geometry", "640x480", "-depth", "24", "-nolisten", "tcp", "-ac"])
            .args(["-rfbport", &port.to_string(), "-interface", "127.0.0.1"])
            .args(["-SecurityTypes", security, "-PasswordFile", &path("passwd")])
            .args(["-X509Cert", &path("cert.pem"), "-X509Key", &path("key.pem")])
            .args(["-displayfd", "1"])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("tigervnc-standalone-server is installed");
        ready(&mut server);
        let mut new = Self { port, dir, display, server, programs: Vec::new() };
        new.x("xsetroot", &["-solid", "#345678"]);
        let typed = new.dir.path().join("typed");
        let script = format!("stty -echo; cat > {}", typed.display());
        new.run(
            "xterm",
            &["-title", "essai", "-geometry", "60x12+40+30", "-u8", "-e", "sh", "-c", &script],
        );
        // A key goes to what is under the pointer: not before it is to be seen.
        eventually("the terminal is there", || {
            let window = new.command("xwininfo", &["-name", "essai"]).output().expect("installed");
            let seen = String::from_utf8_lossy(&window.stdout).contains("IsViewable");
            (seen && typed.exists()).then_some(())
        });
        new
    }

    /// Runs a program of X on the screen to its end.
    pub fn x(&self, program: &str, args: &[&str]) -> Vec<u8> {
        let out = self.command(program, args).output().expect("it is installed");
        let told = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "{program} {args:?}: {told}");
        out.stdout
    }

    /// A program of X on the screen.
    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.display).env("LC_ALL", "C.UTF-8").args(args);
        command.stdin(Stdio::null());
        command
    }

    /// Starts a program of X on the screen.
    pub fn run(&mut self, program: &str, args: &[&str]) {
        let mut command = self.command(program, args);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.programs.push(command.spawn().expect("it is installed"));
    }

    /// Shows the same screen by x11vnc as well, by the older kind of TLS alone: its port.
    pub fn by_x11vnc(&mut self, password: &str) -> u16 {
        let port = free_port();
        // Its ciphers are those of then.
        let conf = self.dir.path().join("openssl.cnf");
        let text = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n\
                    CipherString = ALL:@SECLEVEL=0\n";
        fs::write(&conf, text).expect("ours");
        let number = port.to_string();
        let tls = ["-ssl", "ADH", "-anontls", "only", "-vencrypt", "never"];
        let mut command = self.command("x11vnc", &tls);
        command.args(["-rfbport", &number, "-localhost", "-noipv6", "-forever", "-shared", "-q"]);
        command.args(["-noxdamage", "-passwd", password]).env("OPENSSL_CONF", &conf);
        let listens = self.dir.path().join("listens");
        command.arg("-flag").arg(&listens);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        self.programs.push(command.spawn().expect("x11vnc is installed"));
        written("x11vnc listens", &listens, || {
            fs::read_to_string(&listens).is_ok_and(|text| text.contains("PORT=")).then_some(())
        });
        port
    }

    /// Waits for a window whose title has this in it.
    pub fn has(&self, title: &str) {
        eventually(title, || {
            // A window that goes while the tree is read ends the reading.
            let tree = self.command("xwininfo", &["-root", "-tree"]).output().expect("installed");
            String::from_utf8_lossy(&tree.stdout).contains(title).then_some(())
        });
    }

    /// A hop to it: no user, nothing pinned.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user.clear();
        hop
    }

    /// Its certificate, as it is pinned.
    pub fn pinned(&self) -> PinnedKey {
        pinned(&self.hop().at, self.dir.path())
    }

    /// A link that is logged in.
    pub fn open(&self, password: &str, settings: &[(&str, &str)]) -> Box<dyn Link> {
        let mut hop = self.hop();
        for (id, value) in settings {
            hop = with(hop, id, value);
        }
        let mut lease = FakeLease { trust: true, ..FakeLease::default() };
        let mut hops = vec![hop];
        lease.plant(&mut hops, 0, Slot::Password, password.as_bytes());
        must_open(&vnc(hops.remove(0)), &mut lease)
    }

    /// What was typed into the terminal.
    pub fn typed(&self) -> String {
        fs::read_to_string(self.dir.path().join("typed")).unwrap_or_default()
    }

    /// What the X server shows: width, height, and red, green, blue for each pixel.
    pub fn shows(&self) -> (u16, u16, Vec<u8>) {
        let file = self.x("import", &["-window", "root", "-depth", "8", "ppm:-"]);
        let mut head = file.splitn(4, |byte| byte.is_ascii_whitespace());
        assert_eq!(head.next(), Some(&b"P6"[..]));
        let mut side = || {
            let digits = head.next().map(String::from_utf8_lossy);
            digits.and_then(|d| d.parse().ok()).expect("a number")
        };
        let (width, height) = (side(), side());
        let rest = head.next().and_then(|rest| rest.strip_prefix(b"255\n"));
        (width, height, rest.expect("eight bits a colour").to_vec())
    }

    /// Its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Kills it.
    pub fn kill(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Xvnc {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
        for program in &mut self.programs {
            let _ = program.kill();
            let _ = program.wait();
        }
        self.kill();
        for file in [
            format!("/tmp/.X11-unix/X{}", &self.display[1..]),
            format!("/tmp/.X{}-lock", &self.display[1..]),
        ] {
            let _ = fs::remove_file(file);
        }
    }
}

/// A user of the machine, as long as it is needed.
pub struct Account(pub String);

impl Account {
    /// One with this password.
    pub fn new(password: &str) -> Self {
        let name = format!("pv{}-{}", std::process::id(), free_port());
        sh("useradd", &["-M", "-s", "/bin/false", &name]);
        let new = Self(name);
        let mut chpasswd = Command::new("chpasswd")
            .stdin(Stdio::piped())
            .spawn()
            .expect("the tests of passwords run as root");
        let line = format!("{}:{password}", new.0);
        writeln!(chpasswd.stdin.take().expect("piped"), "{line}").expect("it reads");
        assert!(chpasswd.wait().expect("it ends").success());
        new
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        let _ = Command::new("userdel").arg(&self.0).stderr(Stdio::null()).status();
    }
}
