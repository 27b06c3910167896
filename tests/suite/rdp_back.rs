//! A desktop whose network is cut comes back in its tab: over a relay of the test's
//! before xrdp, by the agent of a real vault, each attempt in its log.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use poterne::app::api::{AppError, Code, Factors, Justification, Reply, Request, Status, Taken};
use poterne::app::remote::{self, Access};
use poterne::app::{
    ConnectRequest, CreateOptions, Finished, OpenSession, SessionUi, UnlockOptions,
};
use poterne::connect::screen::{KeyStroke, Place, ScreenInput};
use poterne::connect::{Answer, Question};
use poterne::gui::backend::{Backend, Enrolling};
use poterne::gui::sessions::tab::{Tab, TabState};
use poterne::gui::sessions::{OpenAs, Sessions};
use poterne::model::lang::Bi;
use poterne::os::paths;
use poterne::secret::SecretText;

use crate::cli_kit::Seat;
use crate::kit_rdp::*;

const PASSWORD: &str = "Pâte-à-sel 42 !";

/// The way to a server, which can be cut and mended.
pub struct Relay {
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    to: u16,
    way: Option<Way>,
}

struct Way {
    streams: Arc<Mutex<Vec<TcpStream>>>,
    end: Arc<std::sync::atomic::AtomicBool>,
    thread: std::thread::JoinHandle<()>,
}

impl Relay {
    pub fn to(to: u16) -> Self {
        let mut relay = Self { port: 0, to, way: None };
        relay.mend();
        relay
    }

    pub fn mend(&mut self) {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).expect("its port is free");
        self.port = listener.local_addr().expect("it listens").port();
        let streams = Arc::new(Mutex::new(Vec::new()));
        let end = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let (kept, over, to) = (Arc::clone(&streams), Arc::clone(&end), self.to);
        let thread = std::thread::spawn(move || {
            for near in listener.incoming() {
                let near = near.expect("it listens");
                if over.load(std::sync::atomic::Ordering::Acquire) {
                    return;
                }
                let far = TcpStream::connect(("127.0.0.1", to)).expect("the server listens");
                for (from, into) in [(&near, &far), (&far, &near)] {
                    let mut from = from.try_clone().expect("descriptors");
                    let mut into = into.try_clone().expect("descriptors");
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut into);
                        let _ = into.shutdown(Shutdown::Both);
                    });
                }
                kept.lock().expect("no panic while held").extend([near, far]);
            }
        });
        self.way = Some(Way { streams, end, thread });
    }

    /// Every connection breaks, and none can be made.
    pub fn cut(&mut self) {
        let Some(Way { streams, end, thread }) = self.way.take() else { return };
        end.store(true, std::sync::atomic::Ordering::Release);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        thread.join().expect("it ends");
        for stream in streams.lock().expect("as above").drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.cut();
    }
}

/// The agent of a seat, under the name by which this process looks for it.
struct Agent {
    vault: PathBuf,
    name: PathBuf,
}

impl Agent {
    fn of(seat: &Seat) -> Self {
        let run = seat.home.path().join("run/poterne");
        let files = std::fs::read_dir(run).expect("its agent runs").flatten();
        let mut sockets =
            files.map(|f| f.path()).filter(|p| p.extension() == Some("sock".as_ref()));
        let socket = sockets.next().expect("its agent listens");
        let name = paths::agent_socket(&seat.vault()).expect("a place");
        symlink(socket, &name).expect("the vault is of this test alone");
        Self { vault: seat.vault(), name }
    }

    fn access(&self) -> Box<dyn Access> {
        let found = remote::find(&self.vault).unwrap_or_else(|e| panic!("{}", e.what.en));
        found.expect("its agent runs")
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.name);
    }
}

fn never<T>() -> Result<T, AppError> {
    let what = Bi::new("non", "no");
    Err(AppError { code: Code::Other, what: what.clone(), todo: what })
}

impl Backend for Agent {
    fn create(&self, _: CreateOptions) -> Result<Box<dyn Enrolling>, AppError> {
        never()
    }
    fn accept_invitation(
        &self,
        _: SecretText,
        _: SecretText,
        _: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        never()
    }
    fn recover(
        &self,
        _: SecretText,
        _: SecretText,
        _: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        never()
    }
    fn enrol_device(
        &self,
        _: SecretText,
        _: Option<String>,
        _: Factors,
        _: bool,
    ) -> Result<Finished, AppError> {
        never()
    }
    fn unlock(&self, _: UnlockOptions) -> Result<Status, AppError> {
        never()
    }
    fn call(&self, request: Request) -> Result<Reply, AppError> {
        self.access().call(request)
    }
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        self.access().connect(request, ui)
    }
    fn snapshot(&self, _: ConnectRequest, _: &mut dyn SessionUi) -> Result<Taken, AppError> {
        never()
    }
    fn at(&self, _: PathBuf) -> Box<dyn Backend> {
        unreachable!("nobody opens another vault")
    }
}

/// Takes in what is told until `seen`, at the time that is told.
fn until(all: &mut Sessions, now: Instant, what: &str, seen: impl Fn(&Tab) -> bool) {
    eventually(what, || {
        all.drain(now);
        let tab = all.tabs().last().expect("a tab");
        if let TabState::Failed(e) = &tab.state {
            panic!("{what}: {}", e.what.en);
        }
        seen(tab).then_some(())
    });
}

/// The desktop is there as far as its lower right corner.
fn painted(tab: &Tab) -> bool {
    let Some(screen) = tab.screen().filter(|_| matches!(tab.state, TabState::Live)) else {
        return false;
    };
    let (width, height) = screen.size();
    if width < 20 {
        return false;
    }
    let corner = Place { x: width - 9, y: height - 9, width: 1, height: 1 };
    let pixel = screen.paint(true, |picture, _| picture.rows(corner).next().map(<[u8]>::to_vec));
    let pixel = pixel.expect("one row");
    pixel.iter().zip([0x34, 0x56, 0x78]).all(|(a, b)| a.abs_diff(b) < 16)
}

#[test]
fn a_desktop_comes_back_after_a_cut_and_each_attempt_is_in_the_log() {
    let seat = Seat::unlocked();
    let server = Xrdp::start(PASSWORD);
    let mut relay = Relay::to(server.port);
    let port = relay.port.to_string();
    seat.ok(&["add", "client", "A"]);
    let add = ["add", "rdp", "A/srv", "--host", "127.0.0.1", "--port", &port];
    let login = ["--user", &server.user, "--credential", "own", "--secret-stdin", "password"];
    seat.run(&[&add[..], &login].concat(), PASSWORD).ended(0);
    let shown = seat.ok(&["--json", "show", "A/srv"]).json();
    let entry = shown["id"].as_str().expect("an id").parse().expect("of an entry");

    let mut all = Sessions::new(Arc::new(Agent::of(&seat)), Arc::new(|_: Duration| {}));
    let open_as = OpenAs {
        entry,
        title: "srv".into(),
        client: "A".into(),
        colour: String::new(),
        just: Justification::default(),
    };
    let start = Instant::now();
    let id = all.open(open_as);
    until(&mut all, start, "the certificate", |tab| {
        matches!(&tab.state, TabState::Question { question: Question::TrustHostKey(_), .. })
    });
    all.answer(id, Answer::Yes);
    until(&mut all, start, "the desktop", painted);
    server.display();

    relay.cut();
    until(&mut all, start, "it broke", |tab| tab.back.is_some());
    let back =
        |all: &Sessions| all.tab(id).and_then(|tab| tab.back.clone()).expect("it comes back");
    let (first, due) = (back(&all).attempt, back(&all).due.expect("it waits"));
    assert_eq!(first, 1);
    assert!(painted_once(&all), "the last picture stays");
    // Nobody is there yet.
    until(&mut all, due, "the second is waited for", |tab| {
        tab.back.as_ref().is_some_and(|back| back.attempt == 2)
    });
    relay.mend();
    let due = back(&all).due.expect("it waits");
    until(&mut all, due, "the desktop is back", painted);
    assert!(all.tab(id).is_some_and(|tab| tab.back.is_none()));
    // It is the same session there, and takes what is typed.
    let screen = all.tab(id).and_then(Tab::screen).expect("a desktop");
    screen.send(ScreenInput::Move { x: 200, y: 100 });
    for scancode in [0x10, 0x1c] {
        for down in [true, false] {
            screen.send(ScreenInput::Key(KeyStroke { scancode, extended: false, keysym: 0, down }));
        }
    }
    let typed = server.home().join("typed");
    eventually("what is typed arrives", || {
        std::fs::read_to_string(&typed).unwrap_or_default().ends_with("a\n").then_some(())
    });
    all.close(id);

    let lines = |event: &str| {
        let log = seat.ok(&["--json", "audit", "log", "--event", event]).json();
        log["lines"].as_array().expect("lines").clone()
    };
    eventually("both ends are in the log", || (lines("session.closed").len() == 2).then_some(()));
    let word = |line: &serde_json::Value, name: &str| {
        line["fields"][name].as_str().unwrap_or_default().to_owned()
    };
    let mut openings = lines("session.opening");
    openings.sort_by_key(|line| line["number"].as_u64());
    let first = openings.iter().find(|line| word(line, "detail").is_empty()).expect("one by hand");
    let session = word(first, "session");
    let after = openings.iter().filter(|line| word(line, "detail") == format!("after {session}"));
    assert_eq!((openings.len(), after.count()), (3, 2), "{openings:?}");
    assert_eq!((lines("session.opened").len(), lines("session.failed").len()), (2, 1));
    let closed = lines("session.closed");
    let broke = closed.iter().filter(|line| word(line, "detail").starts_with("network: ")).count();
    assert_eq!(broke, 1, "{closed:?}");
    // Each time the password was taken from the vault anew.
    assert_eq!(lines("secret.filled").len(), 3);
    seat.ok(&["lock"]);
}

fn painted_once(all: &Sessions) -> bool {
    let screen = all.tabs().last().and_then(Tab::screen).expect("a desktop");
    screen.paint(true, |picture, _| picture.size().0 > 0)
}
