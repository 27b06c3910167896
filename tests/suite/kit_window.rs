//! A screen and a home of their own for stories with the real window.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use x11rb::protocol::xproto::{ClientMessageEvent, ConnectionExt, EventMask};

use crate::kit::{PASSWORD, Phone};
use crate::kit_screen::Xvfb;

pub const POTERNE: &str = env!("CARGO_BIN_EXE_poterne");

/// A home of its own, a screen of its own.
pub struct Stage {
    _screen: Xvfb,
    pub home: tempfile::TempDir,
    pub display: String,
    /// Where the window finds the login manager; empty: nowhere.
    pub system_bus: String,
    /// Where it finds the other programs of the desktop; empty: nowhere.
    pub session_bus: String,
}

impl Stage {
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        // Else who comes while the last one goes is turned away, and a key that a busy
        // machine releases late is typed twice.
        let screen = Xvfb::start("1280x720", &["-noreset", "-r"]);
        let display = screen.name.clone();
        Self {
            home,
            display,
            _screen: screen,
            system_bus: String::new(),
            session_bus: String::new(),
        }
    }

    pub fn command(&self, program: &str, args: &[&str]) -> Command {
        let [run, tmp] = ["run", "tmp"].map(|name| self.home.path().join(name));
        for folder in [&run, &tmp].into_iter().filter(|folder| !folder.exists()) {
            std::fs::create_dir(folder).expect("ours");
            std::fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))
                .expect("ours");
        }
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", run)
            .env("TMPDIR", tmp)
            .env("LANG", "C.UTF-8")
            .env("POTERNE_LANG", "fr")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("DISPLAY", &self.display)
            .env("DBUS_SYSTEM_BUS_ADDRESS", &self.system_bus);
        if !self.session_bus.is_empty() {
            command.env("DBUS_SESSION_BUS_ADDRESS", &self.session_bus);
        }
        command
    }

    pub fn poterne(&self, args: &[&str], stdin: &str) -> Output {
        let mut child = self
            .command(POTERNE, args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("starts");
        child.stdin.take().expect("piped").write_all(stdin.as_bytes()).expect("is read");
        child.wait_with_output().expect("ends")
    }

    pub fn must(&self, args: &[&str], stdin: &str) -> String {
        let out = self.poterne(args, stdin);
        let error = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "poterne {args:?}: {error}");
        String::from_utf8(out.stdout).expect("text")
    }

    pub fn xdotool(&self, args: &[&str]) {
        let out = self.command("xdotool", args).output().expect("tests/run installs xdotool");
        assert!(out.status.success(), "xdotool {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    pub fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "60", text]);
    }

    /// Opens the window and gives it the keyboard. Whatever it or a library has to
    /// say goes to a file of the home.
    pub fn window(&self) -> Window {
        let log = self.home.path().join("window.log");
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).expect("ours");
        let window = Window(
            self.command(POTERNE, &[])
                .env("RUST_LOG", "trace")
                .env("RUST_BACKTRACE", "full")
                .stdin(Stdio::null())
                .stdout(log.try_clone().expect("ours"))
                .stderr(log)
                .spawn()
                .expect("starts"),
        );
        self.xdotool(&[
            "search",
            "--sync",
            "--onlyvisible",
            "--name",
            "^Poterne$",
            "windowfocus",
            "--sync",
        ]);
        window
    }

    /// A picture of the whole screen in this file of the home.
    pub fn picture(&self, name: &str) -> std::path::PathBuf {
        let file = self.home.path().join(name);
        let path = file.to_str().expect("plain");
        let out = self.command("import", &["-window", "root", path]).output();
        assert!(out.expect("tests/run installs imagemagick").status.success());
        file
    }

    /// The vault's file where it lies without being told.
    pub fn vault(&self) -> std::path::PathBuf {
        self.home.path().join(".local/share/poterne/coffre.poterne")
    }

    /// How often this event stands in the log, which the window itself tells.
    pub fn logged(&self, event: &str) -> usize {
        self.must(&["audit", "log"], "").matches(event).count()
    }

    /// Asks the window, which is the agent of its vault, until it says so.
    pub fn wait_unlocked(&self) {
        let until = Instant::now() + Duration::from_secs(120);
        while !self.poterne(&["tree"], "").status.success() {
            assert!(Instant::now() < until, "the window did not unlock");
        }
    }

    /// Asks the window to close, as the cross in its frame does.
    pub fn press_cross(&self) {
        let search = ["search", "--onlyvisible", "--name", "^Poterne$"];
        let out = self.command("xdotool", &search).output().expect("tests/run installs xdotool");
        let id = String::from_utf8_lossy(&out.stdout).trim().parse().expect("one window");
        let (server, _) = x11rb::connect(Some(&self.display)).expect("the screen is there");
        let atom = |name: &[u8]| {
            let asked = server.intern_atom(false, name).expect("is sent");
            asked.reply().expect("every server has it").atom
        };
        let (kind, cross) = (atom(b"WM_PROTOCOLS"), atom(b"WM_DELETE_WINDOW"));
        let event = ClientMessageEvent::new(32, id, kind, [cross, 0, 0, 0, 0]);
        let sent = server.send_event(false, id, EventMask::NO_EVENT, event).expect("is sent");
        sent.check().expect("the window is there");
    }

    /// Makes a vault by the command line, as a script would.
    pub fn init(&self) -> Phone {
        self.init_with(PASSWORD).0
    }

    /// The same with this password; the phone, and the kit as printed.
    pub fn init_with(&self, password: &str) -> (Phone, String) {
        let args = ["--member", "alice", "init", "--kdf-memory", "64", "--kit-confirmed"];
        self.enrol(&args, &format!("{password}\n{password}\n"))
    }

    /// Accepts an invitation with the same password and another phone.
    pub fn accept(&self, member: &str, code: &str) -> Phone {
        let args = ["--member", member, "member", "accept", "--kit-confirmed"];
        self.enrol(&args, &format!("{code}\n{PASSWORD}\n{PASSWORD}\n")).0
    }

    fn enrol(&self, args: &[&str], first: &str) -> (Phone, String) {
        let mut child = self
            .command(POTERNE, args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut to = child.stdin.take().expect("piped");
        let mut from = BufReader::new(child.stdout.take().expect("piped"));
        write!(to, "{first}").expect("is read");
        let mut line = String::new();
        while !line.contains("otpauth://") {
            line.clear();
            assert!(from.read_line(&mut line).expect("reads") > 0, "no otpauth URI was printed");
        }
        let mut phone = Phone::of_uri(line.trim());
        let code = phone.code();
        code.expose(|c| writeln!(to, "{c}")).expect("is read");
        drop(to);
        let mut rest = String::new();
        from.read_to_string(&mut rest).expect("reads");
        assert!(child.wait().expect("ends").success());
        let kit = rest.lines().find_map(crate::cli_kit::kit_in).expect("the kit is printed");
        (phone, kit)
    }
}

/// The window; ended by its own id.
pub struct Window(Child);

impl Window {
    /// False once it has ended.
    pub fn runs(&mut self) -> bool {
        self.0.try_wait().expect("it was started").is_none()
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
