//! Real RDP servers on loopback: xrdp with its X server and a user of its own, in a
//! mount namespace where its configuration and its sockets are copies of ours; and
//! FreeRDP's shadow server, which knows NLA. And a desktop as a person sees it.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use poterne::connect::Failure;
use poterne::connect::files::FilesSaid;
use poterne::connect::link::{Channel, ChannelRequest, FromRemote, Link, ToRemote};
use poterne::connect::screen::{
    CopyRect, KeyStroke, PIXEL, Place, Pointer, ScreenInput, ScreenSaid, ScreenSize, Tile,
};
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, HostPort, PinnedKey, Target};
use poterne::secret::SecretText;

use crate::kit_ssh::*;

static SERIAL: AtomicU32 = AtomicU32::new(0);

/// A target of kind `rdp`.
pub fn rdp(hop: Hop) -> Target {
    Target { kind: Kind::new("rdp"), hops: vec![hop] }
}

/// A size without scaling.
pub fn size(width: u16, height: u16) -> ScreenSize {
    ScreenSize { width, height, scale: 100 }
}

/// Waits for something that is read from `file`: looks whenever its folder changes.
pub fn written<T>(what: &str, file: &Path, mut look: impl FnMut() -> Option<T>) -> T {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::inotify::{CreateFlags, Reader, WatchFlags, add_watch, init};
    let since = Instant::now();
    let changes = init(CreateFlags::CLOEXEC).expect("a descriptor is left");
    let all = WatchFlags::CREATE | WatchFlags::MODIFY | WatchFlags::MOVED_TO;
    add_watch(&changes, file.parent().expect("it is in a folder"), all).expect("it is there");
    let mut room = [std::mem::MaybeUninit::uninit(); 4096];
    loop {
        if let Some(found) = look() {
            return found;
        }
        let left = PATIENCE.saturating_sub(since.elapsed());
        let left = Timespec::try_from(left).expect("it is short");
        let seen = poll(&mut [PollFd::new(&changes, PollFlags::IN)], Some(&left));
        assert!(seen.expect("it can be waited for") > 0, "never: {what}");
        Reader::new(&changes, &mut room).next().expect("there is one");
    }
}

/// The first of eight displays that no other X server has, of this or another run of
/// tests: two that look for a free one at once may find the same.
pub fn displays() -> u32 {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    static CLAIMS: Mutex<Vec<UnixListener>> = Mutex::new(Vec::new());
    loop {
        let nth = std::process::id().wrapping_mul(61) + NEXT.fetch_add(1, Ordering::Relaxed);
        let first = 400 + nth % 3000 * 8;
        let name = SocketAddr::from_abstract_name(format!("poterne-tests-display-{first}"));
        let claim = UnixListener::bind_addr(&name.expect("it is short"));
        let left = (first..first + 8).any(|n| Path::new(&format!("/tmp/.X11-unix/X{n}")).exists());
        if let (Ok(claim), false) = (claim, left) {
            CLAIMS.lock().expect("nobody panics with it").push(claim);
            return first;
        }
    }
}

/// Waits until an X server started with `-displayfd 1` says that it is ready.
pub fn ready(server: &mut Child) {
    let mut line = String::new();
    let told = server.stdout.take().expect("piped");
    BufReader::new(told).read_line(&mut line).expect("it speaks");
    assert!(!line.trim().is_empty(), "the X server did not start");
}

/// Waits for something that nobody tells of.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let since = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(since.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A certificate of its own in `dir`.
pub fn certificate(dir: &Path) {
    let (key, cert) = (dir.join("key.pem"), dir.join("cert.pem"));
    let (key, cert) = (key.to_str().expect("UTF-8"), cert.to_str().expect("UTF-8"));
    let name = ["-subj", "/CN=essai.invalid", "-days", "30"];
    let mut args = vec!["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key];
    args.extend(["-out", cert]);
    args.extend(name);
    sh("openssl", &args);
}

/// The fingerprint of the certificate in `dir`, as `openssl` computes it.
pub fn fingerprint(dir: &Path) -> String {
    let cert = dir.join("cert.pem");
    let cert = cert.to_str().expect("UTF-8");
    let hex = sh("openssl", &["x509", "-in", cert, "-noout", "-fingerprint", "-sha256"]);
    let hex = hex.trim().rsplit('=').next().expect("a name before it").replace(':', "");
    let bytes = data_encoding::HEXUPPER.decode(hex.as_bytes()).expect("a digest");
    format!("SHA256:{}", data_encoding::BASE64_NOPAD.encode(&bytes))
}

/// The certificate in `dir`, as it is pinned for that place.
pub fn pinned(at: &HostPort, dir: &Path) -> PinnedKey {
    let (algorithm, fingerprint) = ("x509-sha256".into(), fingerprint(dir));
    PinnedKey { at: at.clone(), algorithm, fingerprint }
}

/// What the desktop of the user runs: a known colour, and a terminal whose text
/// lands in a file. Its display is told last.
const DESKTOP: &str = "#!/bin/sh
xsetroot -solid '#345678'
setxkbmap fr
xterm -title essai -geometry 60x12+40+30 -e sh -c 'stty -echo; cat > typed' &
until test -e typed && xwininfo -name essai | grep -q IsViewable; do sleep 0.1; done
printf %s \"$DISPLAY\" > display.new
mv display.new display
wait
";

/// A running xrdp with a user of its own.
pub struct Xrdp {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The user.
    pub user: String,
    /// The user's home, and the server's files.
    pub dir: tempfile::TempDir,
    process: Child,
}

impl Xrdp {
    /// Starts one that lets its user in with this password.
    pub fn start(password: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let number = SERIAL.fetch_add(1, Ordering::Relaxed);
        let user = format!("px{}-{number}", std::process::id());
        let home = dir.path().join("home");
        fs::create_dir(&home).expect("ours");
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("ours");
        sh("useradd", &["-M", "-d", home.to_str().expect("UTF-8"), "-s", "/bin/sh", &user]);
        sh("chown", &[&user, home.to_str().expect("UTF-8")]);
        let mut chpasswd = Command::new("chpasswd")
            .stdin(Stdio::piped())
            .spawn()
            .expect("the tests of passwords run as root");
        writeln!(chpasswd.stdin.take().expect("piped"), "{user}:{password}").expect("it reads");
        assert!(chpasswd.wait().expect("it ends").success());
        let port = free_port();
        let process = launch(dir.path(), port);
        let server = Self { port, user, dir, process };
        server.listens();
        server
    }

    fn listens(&self) {
        eventually("xrdp listens", || std::net::TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// The user's home.
    pub fn home(&self) -> std::path::PathBuf {
        self.dir.path().join("home")
    }

    /// A hop to it: user, nothing pinned.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user.clone_from(&self.user);
        hop
    }

    /// Its certificate, as it is pinned.
    pub fn pinned(&self) -> PinnedKey {
        pinned(&self.hop().at, self.dir.path())
    }

    /// A link that is logged in, its certificate known.
    pub fn open(&self, password: &str, settings: &[(&str, &str)]) -> Box<dyn Link> {
        self.open_with(FakeLease::default(), password, settings)
    }

    /// As [`Xrdp::open`], with this lease.
    pub fn open_with(
        &self,
        mut lease: FakeLease,
        password: &str,
        settings: &[(&str, &str)],
    ) -> Box<dyn Link> {
        let mut hop = self.hop();
        hop.pinned.push(self.pinned());
        for (id, value) in settings {
            hop = with(hop, id, value);
        }
        let mut hops = vec![hop];
        lease.plant(&mut hops, 0, Slot::Password, password.as_bytes());
        must_open(&rdp(hops.remove(0)), &mut lease)
    }

    /// Waits for the desktop; its display.
    pub fn display(&self) -> String {
        let told = self.home().join("display");
        written("the desktop begins", &told, || {
            fs::read_to_string(&told).ok().filter(|display| !display.is_empty())
        })
    }

    /// A program of X on the desktop, as its user.
    pub fn x_command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("runuser");
        let authority = format!("XAUTHORITY={}/.Xauthority", self.home().display());
        let display = format!("DISPLAY={}", self.display());
        command.args(["-u", &self.user, "--", "env", &authority, &display, program]).args(args);
        command.stdin(Stdio::null());
        command
    }

    /// A program of its user's where the folders are that the session has mounted.
    pub fn inside(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["-m", "-t", &self.process.id().to_string()]);
        command.args(["runuser", "-u", &self.user, "--", program]).args(args);
        command.stdin(Stdio::null());
        command
    }

    /// What the X server shows: width, height, and red, green, blue for each pixel.
    pub fn shows(&self) -> (u16, u16, Vec<u8>) {
        // A window that goes while the tree is read ends the reading.
        let dump = eventually("a picture of the desktop", || {
            let out = self.x_command("xwd", &["-root", "-silent"]).output().expect("it starts");
            out.status.success().then_some(out.stdout)
        });
        let word = |at: usize| {
            u32::from_be_bytes(dump[4 * at..4 * at + 4].try_into().expect("four bytes")) as usize
        };
        let (head, width, height, colours) = (word(0), word(4), word(5), word(19));
        let (bits, stride) = (word(11), word(12));
        assert_eq!(bits, 32, "a depth that this test can read");
        let pixels = &dump[head + 12 * colours..];
        let mut rgb = Vec::with_capacity(3 * width * height);
        for row in pixels.chunks_exact(stride).take(height) {
            for pixel in row[..4 * width].chunks_exact(4) {
                rgb.extend([pixel[2], pixel[1], pixel[0]]);
            }
        }
        (width as u16, height as u16, rgb)
    }

    /// Kills it and every session it serves.
    pub fn kill(&mut self) {
        let mut all = descendants(self.process.id());
        all.push(self.process.id());
        let id = Command::new("id").args(["-u", &self.user]).output().expect("it starts").stdout;
        let id = String::from_utf8_lossy(&id).trim().to_owned();
        for entry in fs::read_dir("/proc").expect("Linux").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Ok(pid) = name.parse::<u32>() else { continue };
            let status = fs::read_to_string(entry.path().join("status")).unwrap_or_default();
            let owner = status.lines().find_map(|line| line.strip_prefix("Uid:"));
            if owner.and_then(|ids| ids.split_whitespace().next()) == Some(&id) {
                all.push(pid);
            }
        }
        for pid in all {
            let _ = Command::new("kill")
                .args(["-KILL", &pid.to_string()])
                .stderr(Stdio::null())
                .status();
        }
        let _ = self.process.wait();
    }
}

/// Both servers, in a mount namespace of their own, so that nothing of the machine's
/// configuration is read and nothing of it is in the way.
fn launch(dir: &Path, port: u16) -> Child {
    let etc = dir.join("etc");
    sh("cp", &["-a", "/etc/xrdp", etc.to_str().expect("UTF-8")]);
    certificate(dir);
    fs::create_dir_all(dir.join("run/sockdir")).expect("ours");
    for part in ["run", "run/sockdir"] {
        let all = fs::Permissions::from_mode(0o1777);
        fs::set_permissions(dir.join(part), all).expect("ours");
    }
    let replaced = |file: &str, changes: &[(&str, String)]| {
        let mut text = fs::read_to_string(etc.join(file)).expect("a copy");
        for (line, with) in changes {
            assert!(text.contains(&format!("\n{line}")), "{file} has a line {line}");
            let start = text.find(&format!("\n{line}")).expect("just seen") + 1;
            let end = start + text[start..].find('\n').expect("a line has an end");
            text.replace_range(start..end, with);
        }
        fs::write(etc.join(file), text).expect("ours");
    };
    let log = |name: &str| format!("LogFile={}", dir.join(name).display());
    replaced(
        "xrdp.ini",
        &[
            ("port=3389", format!("port=tcp://127.0.0.1:{port}")),
            ("certificate=", format!("certificate={}", dir.join("cert.pem").display())),
            ("key_file=", format!("key_file={}", dir.join("key.pem").display())),
            ("LogFile=", log("xrdp.log")),
        ],
    );
    let first = displays();
    replaced(
        "sesman.ini",
        &[
            ("ListenPort=", format!("ListenPort={}", free_port())),
            ("X11DisplayOffset=", format!("X11DisplayOffset={first}")),
            ("LogFile=", log("sesman.log")),
        ],
    );
    let start = etc.join("startwm.sh");
    fs::write(&start, DESKTOP).expect("ours");
    let script = format!(
        "mount --bind {0}/etc /etc/xrdp && mount --bind {0}/run /run/xrdp && \
         {{ /usr/sbin/xrdp-sesman --nodaemon & exec /usr/sbin/xrdp --nodaemon; }}",
        dir.display()
    );
    Command::new("unshare")
        .args(["-m", "sh", "-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the tests of desktops run as root, with xrdp installed")
}

impl Drop for Xrdp {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for log in ["xrdp.log", "sesman.log"] {
                eprintln!("{}", fs::read_to_string(self.dir.path().join(log)).unwrap_or_default());
            }
        }
        self.kill();
        let _ = Command::new("userdel").args(["-f", &self.user]).stderr(Stdio::null()).status();
    }
}

/// FreeRDP's server, which shows an X server of its own and knows NLA.
pub struct Shadow {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    display: String,
    _dir: tempfile::TempDir,
    processes: Vec<Child>,
}

impl Shadow {
    /// Starts one for the user `essai`.
    pub fn start(password: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let display = format!(":{}", displays());
        let mut xvfb = Command::new("Xvfb")
            .args([&display, "-screen", "0", "640x480x24", "-noreset", "-nolisten", "tcp"])
            .args(["-displayfd", "1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it is installed");
        ready(&mut xvfb);
        let mut processes = vec![xvfb];
        let mut quiet = |command: &mut Command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            processes.push(command.spawn().expect("it is installed"));
        };
        let on = |program: &str| {
            let mut command = Command::new(program);
            command.env("DISPLAY", &display).env("HOME", dir.path());
            command
        };
        // The tool takes the password as an argument only; it is one of the test's.
        let sam = sh("winpr-hash", &["-u", "essai", "-p", password, "-f", "sam"]);
        let file = dir.path().join("sam");
        fs::write(&file, sam).expect("ours");
        let port = free_port();
        quiet(
            on("freerdp-shadow-cli")
                .arg(format!("/port:{port}"))
                .args(["/bind-address:127.0.0.1", "/sec:nla", "+auth"])
                .arg(format!("/sam-file:{}", file.display())),
        );
        let server = Self { port, display: display.clone(), _dir: dir, processes };
        eventually("the server listens", || std::net::TcpStream::connect(("127.0.0.1", port)).ok());
        server
    }

    /// A hop to it.
    pub fn hop(&self) -> Hop {
        let mut hop = hop(self.port);
        hop.user = "essai".into();
        hop
    }

    /// Paints the desktop: the server sends nothing before something changes.
    pub fn paint(&self) {
        let mut paint = Command::new("xsetroot");
        paint.env("DISPLAY", &self.display).args(["-solid", "#345678"]);
        assert!(paint.status().expect("it starts").success());
    }
}

impl Drop for Shadow {
    fn drop(&mut self) {
        for process in self.processes.iter_mut().rev() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A desktop as a person sees it.
pub struct Desktop {
    /// For what the person does.
    pub channel: Box<dyn Channel>,
    messages: Receiver<FromRemote>,
    /// Width and height.
    pub size: (u16, u16),
    /// Every size that was told.
    pub sizes: Vec<(u16, u16)>,
    /// Red, green, blue for each pixel.
    pub rgb: Vec<u8>,
    /// How often a part of it was copied.
    pub copies: usize,
    /// How often a part of it came in memory.
    pub lent: usize,
    /// The pointer's shape.
    pub pointer: Option<Pointer>,
    /// What the clipboard of the desktop held, in order.
    pub copied: Vec<String>,
    /// What was said of files, in order.
    pub files: Vec<FilesSaid>,
    /// The reason of the end, once it is over.
    pub closed: Option<Option<Failure>>,
}

impl Desktop {
    /// Opens the desktop.
    pub fn open(link: &dyn Link, size: ScreenSize) -> Result<Self, Failure> {
        let (sender, messages) = channel();
        let sender = Mutex::new(sender);
        let channel = link.open_channel(
            ChannelRequest::Screen { size },
            Box::new(move |m| {
                let _ = sender.lock().expect("one thread").send(m);
            }),
        )?;
        Ok(Self {
            channel,
            messages,
            size: (0, 0),
            sizes: Vec::new(),
            rgb: Vec::new(),
            copies: 0,
            lent: 0,
            pointer: None,
            copied: Vec::new(),
            files: Vec::new(),
            closed: None,
        })
    }

    /// Takes one message if one comes within `limit`.
    fn take(&mut self, limit: Duration) -> bool {
        match self.messages.recv_timeout(limit) {
            Ok(FromRemote::Tile(tile)) => self.paint(&tile),
            Ok(FromRemote::Lent(tile)) => {
                self.lent += 1;
                self.paint(&tile.tile());
            }
            Ok(FromRemote::Copy(copy)) => self.repeat(copy),
            Ok(FromRemote::Screen(ScreenSaid::Size { width, height })) => {
                self.size = (width, height);
                self.sizes.push(self.size);
                self.rgb = vec![0; usize::from(width) * usize::from(height) * 3];
            }
            Ok(FromRemote::Screen(ScreenSaid::Pointer(pointer))) => self.pointer = Some(pointer),
            Ok(FromRemote::Screen(ScreenSaid::Bell)) => {}
            Ok(FromRemote::Clipboard(text)) => self.copied.push(text.expose(str::to_owned)),
            Ok(FromRemote::Closed(why)) => self.closed = Some(why),
            Ok(FromRemote::Files(said)) => self.files.push(said),
            Ok(FromRemote::Resume(_)) => panic!("xrdp has no such cookie"),
            Ok(FromRemote::Data(_) | FromRemote::Stderr(_) | FromRemote::Exit(_)) => {
                panic!("a desktop is no terminal")
            }
            Err(_) => return false,
        }
        true
    }

    fn repeat(&mut self, copy: CopyRect) {
        self.copies += 1;
        let (from, to, width) = (copy.from(), copy.to, usize::from(self.size.0));
        for place in [from, to] {
            assert!(place.x + place.width <= self.size.0 && place.y + place.height <= self.size.1);
        }
        let before = self.rgb.clone();
        let row = 3 * usize::from(to.width);
        let at =
            |place: Place, y: u16| 3 * (usize::from(place.y + y) * width + usize::from(place.x));
        for y in 0..to.height {
            let (from, to) = (at(from, y), at(to, y));
            self.rgb[to..to + row].copy_from_slice(&before[from..from + row]);
        }
    }

    fn paint(&mut self, tile: &Tile) {
        let (place, width) = (tile.place, usize::from(self.size.0));
        assert!(place.x + place.width <= self.size.0 && place.y + place.height <= self.size.1);
        assert!(tile.pixels.len() <= 1 << 18, "a tile of {} bytes", tile.pixels.len());
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
            assert!(since.elapsed() < PATIENCE, "never: {what}; {}", self.looks());
            assert!(self.closed.is_none(), "it ended before: {what}: {:?}", self.closed);
            // What has come is taken in together: a look costs more than many parts.
            if self.take(Duration::from_millis(50)) {
                let more = std::iter::repeat_with(|| self.take(Duration::ZERO));
                more.take(256).take_while(|more| *more).for_each(drop);
            }
        }
    }

    /// In words, for a test that fails; the picture goes to a file.
    fn looks(&self) -> String {
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join("desktop.ppm");
        let mut text = format!("P6 {} {} 255\n", self.size.0, self.size.1).into_bytes();
        text.extend(&self.rgb);
        let _ = fs::write(&file, text);
        format!("it looks like {}, sizes {:?}", file.display(), self.sizes)
    }

    /// Waits for the end.
    pub fn finish(mut self) -> Option<Failure> {
        let since = Instant::now();
        while self.closed.is_none() {
            assert!(since.elapsed() < PATIENCE, "it never ends");
            self.take(Duration::from_millis(50));
        }
        self.closed.expect("just seen")
    }

    /// The colour of a pixel.
    pub fn pixel(&self, x: u16, y: u16) -> [u8; 3] {
        let at = 3 * (usize::from(y) * usize::from(self.size.0) + usize::from(x));
        self.rgb.get(at..at + 3).map_or([0; 3], |p| [p[0], p[1], p[2]])
    }

    /// Whether that pixel has the colour of the test's desktops, nearly.
    pub fn has_colour(&self, x: u16, y: u16) -> bool {
        self.pixel(x, y).iter().zip([0x34, 0x56, 0x78]).all(|(a, b)| a.abs_diff(b) < 16)
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

/// Whether xrdp can mount folders and copied files in a session here: some containers
/// have no FUSE, and the tests that need it say so.
pub fn mounts_here() -> bool {
    let there = std::fs::File::options().read(true).write(true).open("/dev/fuse").is_ok();
    if !there {
        eprintln!("not tested here: /dev/fuse cannot be opened");
    }
    there
}
