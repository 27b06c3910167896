//! The computer's key in a real keyring: gnome-keyring on a bus of the test's own.

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::cli_kit::Seat;
use crate::gui_desktop::Bus;

/// A keyring that is unlocked; ended by its own id.
struct Keyring {
    daemon: Child,
    bus: Bus,
}

impl Keyring {
    /// For the person of `seat`.
    fn start(seat: &mut Seat) -> Self {
        let bus = Bus::start();
        let mut daemon = on(Command::new("gnome-keyring-daemon"), seat.home.path(), &bus)
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("tests/run installs gnome-keyring");
        let mut password = daemon.stdin.take().expect("piped");
        password.write_all(b"mot de la session").expect("it reads");
        drop(password);
        seat.session_bus = Some(bus.address.clone());
        let end = Instant::now() + Duration::from_secs(60);
        while !seat.run(&["doctor"], "").out.contains("the system's keyring answers") {
            assert!(Instant::now() < end, "it never answered");
        }
        Self { daemon, bus }
    }

    /// What `secret-tool` says of the items of this program.
    fn tool(&self, seat: &Seat, args: &[&str]) -> String {
        let mut tool = on(Command::new("secret-tool"), seat.home.path(), &self.bus);
        let out = tool.args(args).args(["service", "poterne"]).output();
        let out = out.expect("tests/run installs libsecret-tools");
        [out.stdout, out.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

fn on(mut command: Command, home: &Path, bus: &Bus) -> Command {
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("XDG_RUNTIME_DIR", home.join("run"))
        .env("DBUS_SESSION_BUS_ADDRESS", &bus.address);
    command
}

/// Files of keys in the configuration folder.
fn key_files(seat: &Seat) -> usize {
    let folder = seat.home.path().join(".config/poterne");
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter(|file| file.file_name().to_string_lossy().ends_with(".key")).count()
}

#[test]
fn the_computers_key_lies_in_the_keyring_and_nowhere_else() {
    let mut seat = Seat::empty();
    let keyring = Keyring::start(&mut seat);
    let made = seat.init(&[]).ended(0);
    assert!(!made.err.contains("0600"), "no notice of a file: {}", made.err);
    assert_eq!(key_files(&seat), 0);
    assert!(keyring.tool(&seat, &["search", "--all"]).contains("device-"), "an item is there");
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    assert!(seat.ok(&["device", "list"]).out.contains("(this one)"));
    seat.ok(&["lock"]);

    // Without the item, password and code open nothing.
    keyring.tool(&seat, &["clear"]);
    let factors = seat.factors();
    let refused = seat.run(&["unlock"], &factors).ended(3);
    assert!(refused.err.contains("kit"), "it says what still opens it: {}", refused.err);
}

#[test]
fn a_key_from_before_there_was_a_keyring_still_opens() {
    let mut seat = Seat::locked();
    assert_eq!(key_files(&seat), 1);
    let _keyring = Keyring::start(&mut seat);
    let factors = seat.factors();
    seat.run(&["unlock"], &factors).ended(0);
    seat.ok(&["lock"]);
}
