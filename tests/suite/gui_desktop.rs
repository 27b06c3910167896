//! The desktop around the window, for real: the clipboard of an X server, as
//! `xclip` sees it, and a login manager on a private bus that puts the computer
//! to sleep and locks the screen.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use poterne::app::desktop::{SecretClipboard, watch_session_lock};
use poterne::os::chooser::available_at;
use poterne::secret::SecretText;
use zbus::zvariant::{OwnedFd, OwnedObjectPath};

use crate::kit::PASSWORD;
use crate::kit_window::Stage;

/// Tells this module's children that they are meant; absent in an ordinary run.
const CHILD: &str = "POTERNE_TEST_DESKTOP_CHILD";
/// The login session the window runs in.
const SESSION: &str = "/org/freedesktop/login1/session/c7";
const MANAGER_PATH: &str = "/org/freedesktop/login1";
const HINT: &str = "x-kde-passwordManagerHint";
const SECRET: &str = "Zx9-tuile-Érable";
/// Longer than anything takes on a machine that runs the whole suite at once.
const LIMIT: Duration = Duration::from_secs(240);

/// A child of this very binary that runs one hidden test.
struct Helper {
    child: Child,
    to: ChildStdin,
    said: Receiver<String>,
}

impl Helper {
    fn start(stage: &Stage, test: &str) -> Self {
        let own = std::env::current_exe().expect("this binary");
        let own = own.to_str().expect("plain");
        let name = format!("{}::{test}", module_path!().split_once("::").expect("a module").1);
        let args = [&name, "--exact", "--ignored", "--nocapture", "--test-threads=1"];
        let mut child = stage
            .command(own, &args)
            .env(CHILD, "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("one more process");
        let to = child.stdin.take().expect("piped");
        let said = lines(child.stdout.take().expect("piped"));
        Self { child, to, said }
    }

    fn ask(&mut self, words: &str) {
        writeln!(self.to, "{words}").expect("the child reads");
    }

    /// Waits until the child says `word`.
    fn hears(&self, word: &str) {
        loop {
            let line = self.said.recv_timeout(LIMIT).expect(word);
            if line.ends_with(word) {
                return;
            }
        }
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (tell, said) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    said
}

/// What `xclip` finds on the clipboard; `None` when nobody offers that.
fn clipboard(stage: &Stage, target: &str) -> Option<String> {
    // An owner that ends at this very moment never answers, and `xclip` has no
    // limit of its own.
    let args = ["5", "xclip", "-o", "-selection", "clipboard", "-t", target];
    let out = loop {
        let out = stage.command("timeout", &args).output().expect("tests/run installs xclip");
        if out.status.code() != Some(124) {
            break out;
        }
    };
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

fn until(what: &str, mut seen: impl FnMut() -> bool) {
    let end = Instant::now() + LIMIT;
    while !seen() {
        assert!(Instant::now() < end, "never: {what}");
    }
}

fn holds(stage: &Stage, text: &str) -> bool {
    clipboard(stage, "UTF8_STRING").as_deref() == Some(text)
}

fn emptied(stage: &Stage) -> bool {
    clipboard(stage, "UTF8_STRING").is_none_or(|text| text.is_empty())
}

/// Somebody else copies `text`; holds it until it is ended.
fn copied_elsewhere(stage: &Stage, text: &str) -> Owner {
    let mut child = stage
        .command("xclip", &["-i", "-selection", "clipboard", "-quiet"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("tests/run installs xclip");
    child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("reads");
    let owner = Owner(child);
    until("the other copy", || holds(stage, text));
    owner
}

struct Owner(Child);

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
#[ignore = "part of the test below, which starts it as a child"]
fn clipboard_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let mut board = Some(SecretClipboard::default());
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.split_once(' ') {
            Some((keep, text)) => {
                let keep = Duration::from_millis(keep.parse().expect("a number"));
                let board = board.get_or_insert_default();
                board.put(SecretText::new(text.to_owned()), keep, |done| {
                    println!("\nput {done}");
                });
            }
            None => {
                drop(board.take());
                println!("\ndone");
            }
        }
    }
}

#[test]
fn a_secret_on_the_clipboard_is_marked_and_taken_back_unless_another_took_its_place() {
    let stage = Stage::new();
    let mut child = Helper::start(&stage, "clipboard_child");

    child.ask(&format!("600000 {SECRET}"));
    child.hears("put true");
    until("the secret offered", || holds(&stage, SECRET));
    let targets = clipboard(&stage, "TARGETS").expect("somebody offers something");
    assert!(targets.lines().any(|t| t == HINT), "{targets}");
    assert_eq!(clipboard(&stage, HINT).as_deref(), Some("secret"));

    // After its time it goes by itself.
    child.ask(&format!("150 {SECRET}-2"));
    child.hears("put true");
    until("the second secret gone", || emptied(&stage));

    // What somebody copied since stays.
    child.ask(&format!("600000 {SECRET}-3"));
    child.hears("put true");
    until("the third secret", || holds(&stage, &format!("{SECRET}-3")));
    let other = copied_elsewhere(&stage, "tout autre chose");
    child.ask("drop");
    child.hears("done");
    assert!(holds(&stage, "tout autre chose"));
    drop(other);

    // The end of a program takes it along.
    let mut child = Helper::start(&stage, "clipboard_child");
    child.ask(&format!("600000 {SECRET}-4"));
    child.hears("put true");
    until("the fourth secret", || holds(&stage, &format!("{SECRET}-4")));
    child.ask("drop");
    child.hears("done");
    // A desktop that is slow holds the end of a program up for two seconds only.
    until("the fourth secret gone", || emptied(&stage));
}

#[test]
fn a_desktop_without_a_clipboard_says_so() {
    let mut stage = Stage::new();
    stage.display.clear();
    let mut child = Helper::start(&stage, "clipboard_child");
    // Again and again: what comes while the last attempt ends is answered too.
    for _ in 0..200 {
        child.ask(&format!("600000 {SECRET}"));
        child.hears("put false");
    }
}

/// A bus that only a test uses, and that starts no service of the computer; ended
/// by its own id.
pub struct Bus {
    daemon: Child,
    /// Where it listens.
    pub address: String,
    _dir: tempfile::TempDir,
}

impl Bus {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let config = dir.path().join("config");
        let listen = format!("unix:path={}", dir.path().join("bus").display());
        let rules = format!(
            "<busconfig><type>session</type><listen>{listen}</listen>\
             <policy context=\"default\"><allow send_destination=\"*\"/>\
             <allow receive_sender=\"*\"/><allow own=\"*\"/></policy></busconfig>"
        );
        std::fs::write(&config, rules).expect("ours");
        let mut daemon = Command::new("dbus-daemon")
            .args(["--nofork", "--print-address=1", "--config-file"])
            .arg(config)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("tests/run installs dbus");
        let mut address = String::new();
        let out = daemon.stdout.take().expect("piped");
        BufReader::new(out).read_line(&mut address).expect("prints its address");
        Self { daemon, address: address.trim().to_owned(), _dir: dir }
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A portal as far as it is asked whether it can choose files.
struct Portal;

#[zbus::interface(name = "org.freedesktop.portal.FileChooser")]
impl Portal {
    #[zbus(property, name = "version")]
    fn version(&self) -> u32 {
        4
    }
}

#[test]
fn a_file_chooser_is_there_with_a_portal_that_has_one_or_with_zenity() {
    use std::os::unix::fs::PermissionsExt;

    let bus = Bus::start();
    let folder = tempfile::tempdir().expect("a folder");
    let available = || available_at(&bus.address, folder.path().as_os_str());
    assert!(!available(), "a bus alone shows nothing");

    let named = || {
        zbus::blocking::connection::Builder::address(bus.address.as_str())
            .and_then(|b| b.name("org.freedesktop.portal.Desktop"))
    };
    let empty = named().and_then(|b| b.build()).expect("the bus is there");
    assert!(!available(), "a portal without a chooser shows nothing");
    drop(empty);

    let path = "/org/freedesktop/portal/desktop";
    let whole = named().and_then(|b| b.serve_at(path, Portal)).and_then(|b| b.build());
    let whole = whole.expect("the bus is there");
    assert!(available());
    drop(whole);

    let zenity = folder.path().join("zenity");
    std::fs::write(&zenity, "").expect("ours");
    std::fs::set_permissions(&zenity, std::fs::Permissions::from_mode(0o600)).expect("ours");
    assert!(!available(), "what cannot be run shows nothing");
    std::fs::set_permissions(&zenity, std::fs::Permissions::from_mode(0o700)).expect("ours");
    assert!(available());
}

/// What somebody asked of the login manager.
enum Asked {
    /// To wait before it sleeps; ends when that is taken back.
    Delay(std::io::PipeReader),
    /// Which session a process is of.
    Session,
}

/// A login manager with one session.
struct Login(Mutex<Sender<Asked>>);

#[zbus::interface(name = "org.freedesktop.login1.Manager")]
impl Login {
    fn inhibit(&self, what: &str, _who: &str, _why: &str, mode: &str) -> OwnedFd {
        assert_eq!((what, mode), ("sleep", "delay"));
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let _ = self.0.lock().expect("ours").send(Asked::Delay(reader));
        std::os::fd::OwnedFd::from(writer).into()
    }

    #[zbus(name = "GetSessionByPID")]
    fn session_by_pid(&self, _pid: u32) -> OwnedObjectPath {
        let _ = self.0.lock().expect("ours").send(Asked::Session);
        OwnedObjectPath::try_from(SESSION).expect("a path")
    }
}

/// The login manager on its bus, once a program listens to it.
struct Manager {
    bus: zbus::blocking::Connection,
    asked: Receiver<Asked>,
}

impl Manager {
    fn start(bus: &Bus) -> Self {
        let (tell, asked) = channel();
        let bus = zbus::blocking::connection::Builder::address(bus.address.as_str())
            .and_then(|b| b.name("org.freedesktop.login1"))
            .and_then(|b| b.serve_at(MANAGER_PATH, Login(Mutex::new(tell))))
            .and_then(|b| b.build())
            .expect("the bus is there");
        Self { bus, asked }
    }

    /// Waits until somebody listens to sleep and screen; what holds up the sleep.
    fn listened(&self) -> std::io::PipeReader {
        let mut delay = None;
        let mut session = false;
        while delay.is_none() || !session {
            match self.asked.recv_timeout(LIMIT).expect("nobody listens") {
                Asked::Delay(reader) => delay = Some(reader),
                Asked::Session => session = true,
            }
        }
        delay.expect("just seen")
    }

    fn sleeps(&self, on: bool) {
        let manager = "org.freedesktop.login1.Manager";
        let sent =
            self.bus.emit_signal(None::<&str>, MANAGER_PATH, manager, "PrepareForSleep", &(on,));
        sent.expect("the bus is there");
    }

    fn locks(&self, session: &str) {
        let interface = "org.freedesktop.login1.Session";
        let sent = self.bus.emit_signal(None::<&str>, session, interface, "Lock", &());
        sent.expect("the bus is there");
    }

    fn hints(&self, session: &str, on: bool) {
        let changed =
            std::collections::HashMap::from([("LockedHint", zbus::zvariant::Value::from(on))]);
        let body = ("org.freedesktop.login1.Session", changed, Vec::<String>::new());
        let interface = "org.freedesktop.DBus.Properties";
        let sent =
            self.bus.emit_signal(None::<&str>, session, interface, "PropertiesChanged", &body);
        sent.expect("the bus is there");
    }
}

/// Tells when a delay is taken back.
fn end_of(mut delay: std::io::PipeReader) -> Receiver<()> {
    let (tell, ended) = channel();
    std::thread::spawn(move || {
        let _ = delay.read_to_end(&mut Vec::new());
        let _ = tell.send(());
    });
    ended
}

#[test]
#[ignore = "part of the test below, which starts it as a child"]
fn listener_child() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    let (go, wait) = channel();
    watch_session_lock(move || {
        println!("\ntold");
        let _ = wait.recv();
    });
    for _ in std::io::stdin().lines().map_while(Result::ok) {
        let _ = go.send(());
    }
}

#[test]
fn the_login_manager_is_heard_and_its_sleep_waits_for_the_lock() {
    let bus = Bus::start();
    let manager = Manager::start(&bus);
    let mut stage = Stage::new();
    stage.system_bus.clone_from(&bus.address);
    let mut child = Helper::start(&stage, "listener_child");
    let slept = end_of(manager.listened());

    // Another session's lock is not ours; what is heard next is the second one.
    manager.locks("/org/freedesktop/login1/session/c8");
    manager.hints(SESSION, false);
    manager.locks(SESSION);
    child.hears("told");
    child.ask("go");
    manager.hints(SESSION, true);
    child.hears("told");
    child.ask("go");
    assert_eq!(child.said.try_recv(), Err(TryRecvError::Empty));

    manager.sleeps(true);
    child.hears("told");
    assert_eq!(slept.try_recv(), Err(TryRecvError::Empty), "it slept before the lock");
    child.ask("go");
    slept.recv_timeout(LIMIT).expect("the sleep goes on after the lock");

    // Awake again, the next sleep waits as well.
    manager.sleeps(false);
    let again = manager.asked.recv_timeout(LIMIT);
    assert!(matches!(again, Ok(Asked::Delay(_))));
}

#[test]
fn a_copied_password_reaches_the_clipboard_and_sleep_takes_it_and_the_keys_away() {
    let bus = Bus::start();
    let manager = Manager::start(&bus);
    let mut stage = Stage::new();
    let mut phone = stage.init();
    let factors = phone.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.must(&["unlock"], &factors);
    stage.must(&["add", "client", "Dupont"], "");
    let add = ["add", "credential", "Dupont/Caisse", "--user", "admin"];
    stage.must(&[&add[..], &["--secret-stdin", "password"]].concat(), SECRET);
    stage.must(&["lock"], "");

    // From here on: the agent, which is gone, would have held up the sleep as well.
    stage.system_bus.clone_from(&bus.address);
    let _window = stage.window();
    let slept = end_of(manager.listened());
    stage.type_text(PASSWORD);
    stage.xdotool(&["key", "Tab"]);
    phone.newest().expose(|c| stage.type_text(c));
    stage.wait_unlocked();
    stage.type_text("caisse");
    // The details may come after the key, which is pressed again then.
    until("the password copied", || {
        stage.xdotool(&["key", "ctrl+p"]);
        holds(&stage, SECRET)
    });
    assert_eq!(clipboard(&stage, HINT).as_deref(), Some("secret"));
    assert!(stage.must(&["audit", "log"], "").contains("secret.copied"));

    manager.sleeps(true);
    slept.recv_timeout(LIMIT).expect("the sleep goes on after the lock");
    // By then the keys are gone already; the clipboard follows at once.
    assert_eq!(stage.poterne(&["tree"], "").status.code(), Some(3));
    until("the clipboard emptied", || !holds(&stage, SECRET));
}

#[test]
fn the_sleep_waits_until_the_agent_has_let_go_of_the_keys() {
    let bus = Bus::start();
    let manager = Manager::start(&bus);
    let mut stage = Stage::new();
    let mut phone = stage.init();
    let factors = phone.code().expose(|c| format!("{PASSWORD}\n{c}\n"));
    stage.system_bus.clone_from(&bus.address);
    stage.must(&["unlock"], &factors);
    let slept = end_of(manager.listened());
    stage.must(&["tree"], "");

    manager.sleeps(true);
    slept.recv_timeout(LIMIT).expect("the sleep goes on after the lock");
    assert_eq!(stage.poterne(&["tree"], "").status.code(), Some(3));
}
