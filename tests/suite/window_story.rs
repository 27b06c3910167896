//! The main story with real keystrokes: the real window under Xvfb unlocks,
//! finds a server by three letters, connects to a real sshd, runs a command;
//! the log of it is exported and verified.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::kit::{PASSWORD, Phone};
use crate::kit_ssh::{Setup, Sshd, keygen};

const POTERNE: &str = env!("CARGO_BIN_EXE_poterne");

/// A home of its own, a screen of its own.
struct Stage {
    home: tempfile::TempDir,
    display: String,
    screen: Child,
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.screen.kill();
        let _ = self.screen.wait();
    }
}

impl Stage {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        // The server chooses a free number and prints it once it listens.
        let mut screen = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tests/run installs Xvfb");
        let mut number = String::new();
        let out = screen.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut number).expect("Xvfb prints its number");
        Self { home, display: format!(":{}", number.trim()), screen }
    }

    fn command(&self, program: &str, args: &[&str]) -> Command {
        let run = self.home.path().join("run");
        if !run.exists() {
            std::fs::create_dir(&run).expect("ours");
            std::fs::set_permissions(&run, std::os::unix::fs::PermissionsExt::from_mode(0o700))
                .expect("ours");
        }
        let mut command = Command::new(program);
        command
            .args(args)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", run)
            .env("LANG", "C.UTF-8")
            .env("POTERNE_LANG", "fr")
            .env("LIBGL_ALWAYS_SOFTWARE", "1")
            .env("DISPLAY", &self.display);
        command
    }

    fn poterne(&self, args: &[&str], stdin: &str) -> Output {
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

    fn must(&self, args: &[&str], stdin: &str) -> String {
        let out = self.poterne(args, stdin);
        let error = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.success(), "poterne {args:?}: {error}");
        String::from_utf8(out.stdout).expect("text")
    }

    fn xdotool(&self, args: &[&str]) {
        let out = self.command("xdotool", args).output().expect("tests/run installs xdotool");
        assert!(out.status.success(), "xdotool {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    }

    fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "60", text]);
    }

    /// Asks the window, which is the agent of its vault, until it says so.
    fn wait_unlocked(&self) {
        let until = Instant::now() + Duration::from_secs(120);
        while !self.poterne(&["tree"], "").status.success() {
            assert!(Instant::now() < until, "the window did not unlock");
        }
    }

    /// Makes a vault by the command line, as a script would.
    fn init(&self) -> Phone {
        let mut child = self
            .command(
                POTERNE,
                &["--member", "alice", "init", "--kdf-memory", "64", "--kit-confirmed"],
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        let mut to = child.stdin.take().expect("piped");
        let mut from = BufReader::new(child.stdout.take().expect("piped"));
        write!(to, "{PASSWORD}\n{PASSWORD}\n").expect("is read");
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
        phone
    }
}

/// The window; ended by its own id.
struct Window(Child);

impl Drop for Window {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn unlock_find_connect_run_and_export_with_real_keys() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "technician", &["-t", "ed25519"]);
    server.authorize(&key);
    let stage = Stage::new();
    let mut phone = stage.init();

    let factors = phone.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["unlock"], &factors);
    stage.must(&["add", "client", "Dupont"], "");
    let port = server.port.to_string();
    let user = crate::kit_ssh::user();
    stage.must(
        &[
            "add",
            "ssh",
            "Dupont/Serveur Élodie",
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--user",
            &user,
            "--secret-stdin",
            "private-key",
        ],
        &std::fs::read_to_string(&key).expect("ours"),
    );
    stage.must(
        &[
            "connect",
            "Dupont/Serveur Élodie",
            "--accept-host-key",
            &server.fingerprint("ed25519"),
            "--",
            "true",
        ],
        "",
    );
    stage.must(&["lock"], "");

    let _window = Window(
        stage
            .command(POTERNE, &[])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts"),
    );
    stage.xdotool(&[
        "search",
        "--sync",
        "--onlyvisible",
        "--name",
        "^Poterne$",
        "windowfocus",
        "--sync",
    ]);
    stage.type_text(PASSWORD);
    stage.xdotool(&["key", "Tab"]);
    phone.code().expose(|c| stage.type_text(c));
    stage.wait_unlocked();

    stage.type_text("elo");
    let done = stage.home.path().join("done");
    stage.xdotool(&["sleep", "1", "key", "Return"]);
    // The log says when the session is open: the window answers for its vault.
    let until = Instant::now() + Duration::from_secs(60);
    while stage.must(&["audit", "log"], "").matches("session.opened").count() < 2 {
        assert!(Instant::now() < until, "the session did not open");
    }
    // The first keys may come before the tab has the keyboard: typed again then.
    let mut answer = String::new();
    for _ in 0..6 {
        stage.xdotool(&["key", "ctrl+u"]);
        stage.type_text(&format!("echo $((6*7)) > {}", done.display()));
        stage.xdotool(&["key", "Return"]);
        let until = Instant::now() + Duration::from_secs(8);
        while answer.trim() != "42" && Instant::now() < until {
            stage.must(&["tree"], "");
            answer = std::fs::read_to_string(&done).unwrap_or_default();
        }
        if answer.trim() == "42" {
            break;
        }
    }
    assert_eq!(answer.trim(), "42");

    let bundle = stage.home.path().join("journal.zip");
    let bundle = bundle.to_str().expect("plain");
    stage.must(&["audit", "export", "--format", "bundle", "--out", bundle], "");
    let fingerprint = stage.must(&["audit", "fingerprint"], "");
    stage.must(&["lock"], "");
    stage.must(&["audit", "verify", bundle, "--fingerprint", fingerprint.trim()], "");
}
