//! Real VNC servers on loopback, each an X server of its own with a terminal on it;
//! and a screen as a person sees it.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use poterne::connect::Failure;
use poterne::connect::link::{Channel, ChannelRequest, FromRemote, Link, ToRemote};
use poterne::connect::screen::{
    KeyStroke, PIXEL, Pointer, ScreenInput, ScreenSaid, ScreenSize, Tile,
};
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, PinnedKey, Target};
use poterne::secret::SecretText;

use crate::kit_ssh::*;

/// A target of kind `vnc`.
pub fn vnc(hop: Hop) -> Target {
    Target { kind: Kind::new("vnc"), hops: vec![hop] }
}

/// A size without scaling.
pub fn sized(width: u16, height: u16) -> ScreenSize {
    ScreenSize { width, height, scale: 100 }
}

/// Waits for something that is bound to come about.
pub fn awaited<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
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
        // Displays far from those of other servers.
        let number = 30_000 + u32::from(port) % 20_000;
        let display = format!(":{number}");
        let path = |name: &str| dir.path().join(name).to_str().expect("UTF-8").to_owned();
        let log = fs::File::create(dir.path().join("log")).expect("ours");
        let server = Command::new("Xtigervnc")
            .arg(&display)
            .args(["-geometry", "640x480", "-depth", "24", "-nolisten", "tcp", "-ac"])
            .args(["-rfbport", &port.to_string(), "-interface", "127.0.0.1"])
            .args(["-SecurityTypes", security, "-PasswordFile", &path("passwd")])
            .args(["-X509Cert", &path("cert.pem"), "-X509Key", &path("key.pem")])
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("tigervnc-standalone-server is installed");
        let mut new = Self { port, dir, display, server, programs: Vec::new() };
        awaited("the server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        new.x("xsetroot", &["-solid", "#345678"]);
        let typed = new.dir.path().join("typed");
        let script = format!("stty -echo; cat > {}", typed.display());
        new.run("xterm", &["-geometry", "60x12+40+30", "-u8", "-e", "sh", "-c", &script]);
        awaited("the terminal is there", || typed.exists().then_some(()));
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

    /// A hop to it: no user, nothing pinned.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user.clear();
        hop
    }

    /// Its certificate, as it is pinned.
    pub fn pinned(&self) -> PinnedKey {
        let cert = self.dir.path().join("cert.pem");
        let cert = cert.to_str().expect("UTF-8");
        let hex = sh("openssl", &["x509", "-in", cert, "-noout", "-fingerprint", "-sha256"]);
        let hex = hex.trim().rsplit('=').next().expect("a name before it").replace(':', "");
        let bytes = data_encoding::HEXUPPER.decode(hex.as_bytes()).expect("a digest");
        PinnedKey {
            at: self.hop().at,
            algorithm: "x509-sha256".into(),
            fingerprint: format!("SHA256:{}", data_encoding::BASE64_NOPAD.encode(&bytes)),
        }
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
        let dump = self.x("xwd", &["-root", "-silent"]);
        let word = |at: usize| {
            u32::from_be_bytes(dump[4 * at..4 * at + 4].try_into().expect("four bytes")) as usize
        };
        let (head, width, height, colours) = (word(0), word(4), word(5), word(19));
        let (bits, stride) = (word(11), word(12));
        assert_eq!(bits, 32, "a depth that this test can read");
        let mut rgb = Vec::with_capacity(3 * width * height);
        for row in dump[head + 12 * colours..].chunks_exact(stride).take(height) {
            for pixel in row[..4 * width].chunks_exact(4) {
                rgb.extend([pixel[2], pixel[1], pixel[0]]);
            }
        }
        (width as u16, height as u16, rgb)
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

/// A certificate of its own in `dir`.
pub fn certificate(dir: &Path) {
    let path = |name: &str| dir.join(name).to_str().expect("UTF-8").to_owned();
    let (key, cert) = (path("key.pem"), path("cert.pem"));
    let mut args = vec!["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30"];
    args.extend(["-subj", "/CN=essai.invalid", "-keyout", &key, "-out", &cert]);
    sh("openssl", &args);
}

/// A screen as a person sees it.
pub struct Seen {
    /// For what the person does.
    pub channel: Box<dyn Channel>,
    messages: Receiver<FromRemote>,
    /// Width and height.
    pub size: (u16, u16),
    /// Red, green, blue for each pixel.
    pub rgb: Vec<u8>,
    /// The pointer's shape.
    pub pointer: Option<Pointer>,
    /// What the clipboard there held, in order.
    pub copied: Vec<String>,
    /// The reason of the end, once it is over.
    pub closed: Option<Option<Failure>>,
}

impl Seen {
    /// Opens the screen.
    pub fn open(link: &dyn Link, size: ScreenSize) -> Self {
        let (sender, messages) = channel();
        let sender = Mutex::new(sender);
        let channel = link.open_channel(
            ChannelRequest::Screen { size },
            Box::new(move |m| {
                let _ = sender.lock().expect("one thread").send(m);
            }),
        );
        let channel = channel.unwrap_or_else(|e| panic!("{}", e.what.en));
        Self {
            channel,
            messages,
            size: (0, 0),
            rgb: Vec::new(),
            pointer: None,
            copied: Vec::new(),
            closed: None,
        }
    }

    fn take(&mut self) {
        match self.messages.recv_timeout(Duration::from_millis(50)) {
            Ok(FromRemote::Tile(tile)) => self.paint(&tile),
            Ok(FromRemote::Screen(ScreenSaid::Size { width, height })) => {
                self.size = (width, height);
                self.rgb = vec![0; usize::from(width) * usize::from(height) * 3];
            }
            Ok(FromRemote::Screen(ScreenSaid::Pointer(pointer))) => self.pointer = Some(pointer),
            Ok(FromRemote::Screen(ScreenSaid::Bell)) => {}
            Ok(FromRemote::Clipboard(text)) => self.copied.push(text.expose(str::to_owned)),
            Ok(FromRemote::Closed(why)) => self.closed = Some(why),
            Ok(FromRemote::Data(_) | FromRemote::Stderr(_) | FromRemote::Exit(_)) => {
                panic!("a screen is no terminal")
            }
            Err(_) => {}
        }
    }

    fn paint(&mut self, tile: &Tile) {
        let (place, width) = (tile.place, usize::from(self.size.0));
        assert!(place.x + place.width <= self.size.0 && place.y + place.height <= self.size.1);
        for (i, pixel) in tile.pixels.chunks_exact(PIXEL).enumerate() {
            assert_eq!(pixel[3], 255, "opaque");
            let (row, column) = (i / usize::from(place.width), i % usize::from(place.width));
            let at = (usize::from(place.y) + row) * width + usize::from(place.x) + column;
            self.rgb[3 * at..3 * at + 3].copy_from_slice(&pixel[..3]);
        }
    }

    /// Takes messages until `done`.
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&Self) -> bool) {
        let since = Instant::now();
        while !done(self) {
            assert!(since.elapsed() < PATIENCE, "never: {what}; size {:?}", self.size);
            assert!(self.closed.is_none(), "it ended before: {what}: {:?}", self.closed);
            self.take();
        }
    }

    /// Waits until the picture is that of the server, give or take `off` in each colour.
    pub fn same(&mut self, server: &Xvnc, off: u8) {
        self.until("the picture is that of the server", |seen| {
            let (width, height, there) = server.shows();
            let near = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= off;
            seen.size == (width, height) && seen.rgb.iter().zip(&there).all(near)
        });
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Option<Failure> {
        let since = Instant::now();
        while self.closed.is_none() {
            assert!(since.elapsed() < PATIENCE, "it never ends");
            self.take();
        }
        self.closed.expect("just seen")
    }

    /// The person does this.
    pub fn act(&self, input: ScreenInput) {
        self.channel.send(ToRemote::Screen(input));
    }

    /// A key goes down and up.
    pub fn press(&self, scancode: u8, keysym: u32) {
        for down in [true, false] {
            let stroke = KeyStroke { scancode, extended: false, keysym, down };
            self.act(ScreenInput::Key(stroke));
        }
    }

    /// Something is copied here.
    pub fn copy(&self, text: &str) {
        self.channel.send(ToRemote::Clipboard(SecretText::copy_of(text)));
    }
}
