//! Login pages on loopback for the stories of the web connector, and the browsers
//! that it starts. One browser at a time: each is half a machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use poterne::connect::link::Link;
use poterne::connect::web::LOGIN_URL;
use poterne::model::entry::{Kind, Slot};
use poterne::model::target::{Hop, HostPort, Target};

use crate::kit_ssh::*;
use crate::kit_told::Told;

/// As tests/data/login_pages.py has it.
pub const PASSWORD: &str = "PLANTE-password-9f41c7d2";
/// Of the device's codes.
pub const SEED: &str = "3132333435363738393031323334353637383930";

/// The pages of a device.
pub struct Site {
    /// `https` or `http`.
    pub scheme: &'static str,
    /// Where it listens, and what it tells.
    pub told: Told,
}

impl Site {
    /// Without encryption.
    pub fn plain() -> Self {
        Self::start("http", Path::new("-"), Path::new("-"))
    }

    /// With this certificate.
    pub fn secured(certificate: &Certificate) -> Self {
        Self::start("https", &certificate.chain, &certificate.key)
    }

    fn start(scheme: &'static str, chain: &Path, key: &Path) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/login_pages.py");
        let mut command = Command::new("python3");
        Self { scheme, told: Told::start(command.arg(script).args([chain, key]).arg(SEED)) }
    }

    /// The address of a page.
    pub fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}{path}", self.scheme, self.told.port)
    }

    /// A hop to one of its pages, with the login that it takes.
    pub fn hop(&self, path: &str) -> Hop {
        page_hop(&self.url(path), self.told.port)
    }
}

/// A hop to a page.
pub fn page_hop(url: &str, port: u16) -> Hop {
    let mut hop = hop(port);
    hop.at = HostPort { host: "127.0.0.1".into(), port };
    hop.user = "admin".into();
    with(hop, LOGIN_URL, url)
}

/// A certificate that nobody vouches for.
pub struct Certificate {
    dir: tempfile::TempDir,
    /// What the server sends.
    pub chain: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one for 127.0.0.1.
    pub fn make() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let (chain, key) = (dir.path().join("chain.pem"), dir.path().join("key.pem"));
        let (c, k) = (chain.to_str().expect("UTF-8"), key.to_str().expect("UTF-8"));
        sh(
            "openssl",
            &[
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
                "-keyout",
                k,
                "-out",
                c,
                "-days",
                "30",
                "-subj",
                "/CN=127.0.0.1",
            ],
        );
        Self { dir, chain, key }
    }

    /// Sends `other` along, as if that had signed it.
    pub fn with(self, other: &Self) -> Self {
        let both = [fs::read(&self.chain), fs::read(&other.chain)].map(|f| f.expect("made"));
        let chain = self.dir.path().join("both.pem");
        fs::write(&chain, both.concat()).expect("ours");
        Self { chain, ..self }
    }

    /// As it is pinned.
    pub fn fingerprint(&self) -> String {
        let file = self.chain.to_str().expect("UTF-8");
        let text = sh("openssl", &["x509", "-in", file, "-noout", "-fingerprint", "-sha256"]);
        let hex: String = text.rsplit('=').next().unwrap_or("").trim().replace(':', "");
        let bytes = data_encoding::HEXUPPER.decode(hex.as_bytes()).expect("hex");
        format!("SHA256:{}", data_encoding::BASE64_NOPAD.encode(&bytes))
    }
}

/// Only one test at a time has a browser.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A session on a page: its secrets planted, its link, its terminal.
pub struct Visit {
    pub lease: FakeLease,
    pub link: Box<dyn Link>,
    pub talk: Talk,
}

/// A lease with the login of the pages.
pub fn login(hop: Hop) -> (Target, FakeLease) {
    let mut lease = FakeLease::default();
    let mut hops = vec![hop];
    lease.plant(&mut hops, 0, Slot::Password, PASSWORD.as_bytes());
    (Target { kind: Kind::new("web"), hops }, lease)
}

/// The same with the seed of its codes.
pub fn login_with_codes(hop: Hop) -> (Target, FakeLease) {
    let (mut target, mut lease) = login(hop);
    lease.plant_seed(&mut target.hops, 0, SEED);
    (target, lease)
}

impl Visit {
    /// Opens it; it must open.
    pub fn open((target, mut lease): (Target, FakeLease)) -> Self {
        let link = must_open(&target, &mut lease);
        let talk = Talk::shell(&*link, 80, 24);
        Self { lease, link, talk }
    }

    /// The session process.
    pub fn host(&self) -> u32 {
        self.lease.children[0]
    }

    /// The browser's first process.
    pub fn browser(&self) -> u32 {
        let processes = descendants(self.host());
        let is_it = |pid: &&u32| argv(**pid).iter().any(|arg| arg == "--remote-debugging-pipe");
        *processes.iter().find(is_it).expect("a browser runs")
    }

    /// The folder of its profile.
    pub fn profile(&self) -> PathBuf {
        let args = argv(self.browser());
        let folder = args.iter().find_map(|arg| arg.strip_prefix("--user-data-dir="));
        folder.expect("it has one").into()
    }
}

/// The arguments of a process.
pub fn argv(pid: u32) -> Vec<String> {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    // A browser's helpers join theirs by spaces.
    let words = line.split(|b| *b == 0 || *b == b' ').filter(|word| !word.is_empty());
    words.map(|arg| String::from_utf8_lossy(arg).into_owned()).collect()
}

/// Waits until `is` holds of the machine.
pub fn wait_until(what: &str, mut is: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::yield_now();
    }
}

/// Closes the windows of a browser as a click on their cross does (ICCCM section
/// 4.2.8.1). A busy Chromium may drop what is asked of it while its page changes, and
/// closes when it is asked again: so does whoever sees the window stay.
pub fn close_window(browser: u32) {
    use x11rb::connection::Connection;
    use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask};
    let pid = browser.to_string();
    // Without `--all` any visible window will do, and the root is one: a busy browser's
    // is not waited for then.
    let all = sh("xdotool", &["search", "--sync", "--all", "--onlyvisible", "--pid", &pid, ""]);
    let (screen, _) = x11rb::connect(None).expect("the tests have a screen");
    let atom = |name: &[u8]| {
        let reply = screen.intern_atom(false, name).expect("sent").reply();
        reply.expect("an atom").atom
    };
    let (protocols, delete) = (atom(b"WM_PROTOCOLS"), atom(b"WM_DELETE_WINDOW"));
    let windows: Vec<u32> = all.lines().filter_map(|window| window.parse().ok()).collect();
    let mut clicked: Option<Instant> = None;
    wait_until("the browser closes its window", || {
        if clicked.is_none_or(|at| at.elapsed() >= AGAIN) {
            clicked = Some(Instant::now());
            for window in &windows {
                let message = ClientMessageEvent::new(32, *window, protocols, [delete, 0, 0, 0, 0]);
                screen.send_event(false, *window, EventMask::NO_EVENT, message).expect("sent");
            }
            screen.flush().expect("sent");
        }
        argv(browser).is_empty()
    });
}

/// After which time whoever sees a window stay clicks again.
const AGAIN: Duration = Duration::from_secs(3);
