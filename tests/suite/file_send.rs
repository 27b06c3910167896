//! Files sent from a terminal's tab to a real receiver (lrzsz) over every kind of
//! line: they arrive as they are, and what goes wrong is told.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use poterne::connect::FailureKind;
use poterne::connect::file_send::{PATIENCE as USUAL, Protocol, State};
use poterne::connect::link::{ChannelRequest, Link, TermSize};
use poterne::gui::terminal::Terminal;
use poterne::model::entry::Slot;

use crate::kit_lines::{Cable, Service, Telnetd, line};
use crate::kit_ssh::*;

/// A terminal over a real line.
struct Tab {
    terminal: Terminal,
    woken: Receiver<()>,
    _link: Box<dyn Link>,
}

impl Tab {
    fn over(link: Box<dyn Link>) -> Self {
        let size = TermSize { cols: 100, rows: 30 };
        let (terminal, sink) = Terminal::new(size);
        let (wake, woken) = channel();
        terminal.on_wake(move |_| {
            let _ = wake.send(());
        });
        let request = ChannelRequest::Shell { size, term: "xterm".to_owned() };
        terminal.attach(link.open_channel(request, sink).unwrap_or_else(|e| panic!("{e:?}")));
        Self { terminal, woken, _link: link }
    }

    #[track_caller]
    fn until(&self, what: &str, fits: impl Fn(&Terminal) -> bool) {
        loop {
            // The next change wakes again.
            self.terminal.painting();
            if fits(&self.terminal) {
                return;
            }
            let rows = || self.terminal.rows().join("\n");
            let came = self.woken.recv_timeout(PATIENCE);
            assert!(came.is_ok(), "no {what}: {:?}\n{}", self.terminal.file(), rows());
        }
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        self.until(text, |terminal| terminal.rows().iter().any(|row| row.contains(text)));
    }

    fn send(&self, protocol: Protocol, file: &Path) {
        self.terminal.send_file(protocol, file, USUAL);
    }

    /// How it ended.
    #[track_caller]
    fn end(&self) -> State {
        self.until("end", |terminal| terminal.file().is_some_and(|file| !file.state.runs()));
        let state = self.terminal.file().expect("it is told until it is seen").state;
        self.terminal.dismiss_file();
        assert_eq!(self.terminal.file(), None);
        state
    }
}

/// A file with every byte in many places, of whole blocks, so that XMODEM, which knows
/// no length, adds nothing.
fn file(dir: &Path) -> (PathBuf, Vec<u8>) {
    let mixed = (0..32_768_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8);
    let bytes: Vec<u8> = mixed.collect();
    assert!((0..=255).all(|byte| bytes.contains(&byte)));
    let path = dir.join("à envoyer.bin");
    fs::write(&path, &bytes).expect("ours");
    (path, bytes)
}

/// How the far side receives into the file `got`.
fn receives(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Xmodem => "rx -q got",
        Protocol::Xmodem1k => "rx -q -c got",
        Protocol::Ymodem => "rb -q && mv *.bin got",
        Protocol::Zmodem => "rz -q && mv *.bin got",
    }
}

/// A device in this folder that begins to receive when it gets a line, and says how
/// that ended.
fn device(dir: &Path, protocol: Protocol) -> String {
    let receives = receives(protocol);
    let dir = dir.display();
    format!(
        "cd {dir}; printf 'ready\\r\\n'; while read -r x; do printf 'now %s\\r\\n' \"$x\"; \
         case $x in go*) ;; *) continue ;; esac; \
         {receives} 2>/dev/null && printf 'received\\r\\n' || printf 'gave up\\r\\n'; done"
    )
}

#[test]
fn a_file_arrives_as_it_is_over_a_serial_cable_by_every_protocol() {
    for protocol in Protocol::ALL {
        let (near, far) = (tempfile::tempdir().expect("ours"), tempfile::tempdir().expect("ours"));
        let (path, bytes) = file(near.path());
        let cable = Cable::plug(&device(far.path(), protocol));
        // What Enter sends must not touch the file.
        let place = with(with(cable.hop(), "line-ending", "lf"), "local-echo", "yes");
        let tab = Tab::over(must_open(&line("serial", place), &mut FakeLease::default()));
        tab.shows("ready");
        tab.terminal.send(b"go\r".to_vec());
        tab.shows("now go");
        tab.send(protocol, &path);
        assert_eq!(tab.end(), State::Done, "{protocol:?}");
        tab.shows("received");
        // The terminal has its line again, and typing is typing.
        tab.terminal.send(b"encore\r".to_vec());
        tab.shows("now encore");
        let got = fs::read(far.path().join("got")).expect("it is there");
        assert!(got == bytes, "{protocol:?}: another file of {} bytes", got.len());
    }
}

#[test]
fn a_file_arrives_over_ssh_and_what_is_said_after_it_is_shown() {
    let server = Sshd::start(Setup::default());
    let key = keygen(server.dir.path(), "user", &["-t", "ed25519"]);
    server.authorize(&key);
    let mut lease = FakeLease::default();
    let mut hops = vec![server.hop()];
    lease.plant(&mut hops, 0, Slot::PrivateKey, &fs::read(&key).expect("made"));
    let tab = Tab::over(must_open(&target(hops), &mut lease));
    let (near, far) = (tempfile::tempdir().expect("ours"), tempfile::tempdir().expect("ours"));
    let (path, bytes) = file(near.path());
    let script = far.path().join("receive");
    let text = format!("cd {}; echo now; rb -q; echo 'ended '$?", far.path().display());
    fs::write(&script, text).expect("ours");
    tab.terminal.send(format!("sh {}\r", script.display()).into_bytes());
    tab.shows("now");
    tab.send(Protocol::Ymodem, &path);
    assert_eq!(tab.end(), State::Done);
    // lrzsz may crash at its own end, with the file in place.
    tab.shows("ended ");
    assert!(fs::read(far.path().join("à envoyer.bin")).expect("by its name") == bytes);
}

#[test]
fn a_file_arrives_over_telnet_and_over_a_bare_socket() {
    const PASSWORD: &str = "tuile-Érable-42";
    let near = tempfile::tempdir().expect("ours");
    let (path, bytes) = file(near.path());
    let server = Telnetd::start(PASSWORD);
    let tab = Tab::over(server.open(PASSWORD).0);
    tab.terminal.send(b"echo no''w; rb -q; echo en''ded $?\r".to_vec());
    tab.shows("now");
    tab.send(Protocol::Ymodem, &path);
    assert_eq!(tab.end(), State::Done);
    tab.shows("ended ");
    let got = server.dir.path().join("à envoyer.bin");
    assert!(fs::read(got).expect("by its name") == bytes);

    let far = tempfile::tempdir().expect("ours");
    let service = Service::start(&device(far.path(), Protocol::Xmodem));
    let place = with(hop(service.port), "line-ending", "crlf");
    let tab = Tab::over(must_open(&line("raw", place), &mut FakeLease::default()));
    tab.terminal.send(b"go\r".to_vec());
    tab.shows("now go");
    tab.send(Protocol::Xmodem, &path);
    assert_eq!(tab.end(), State::Done);
    tab.shows("received");
    assert!(fs::read(far.path().join("got")).expect("it is there") == bytes);
}

#[test]
fn who_stops_a_file_frees_both_sides() {
    let (near, far) = (tempfile::tempdir().expect("ours"), tempfile::tempdir().expect("ours"));
    let path = near.path().join("large.bin");
    fs::write(&path, vec![b'x'; 64 << 20]).expect("ours");
    let cable = Cable::plug(&device(far.path(), Protocol::Ymodem));
    let place = with(cable.hop(), "line-ending", "lf");
    let tab = Tab::over(must_open(&line("serial", place), &mut FakeLease::default()));
    tab.terminal.send(b"go\r".to_vec());
    tab.shows("now go");
    tab.send(Protocol::Ymodem, &path);
    let going = |state: &State| matches!(state, State::Going { sent } if *sent > 0);
    tab.until("progress", |terminal| terminal.file().is_some_and(|file| going(&file.state)));
    tab.terminal.send(b"typed meanwhile\r".to_vec());
    tab.terminal.cancel_file();
    assert_eq!(tab.end(), State::Cancelled);
    tab.shows("gave up");
    tab.terminal.send(b"encore\r".to_vec());
    tab.shows("now encore");
}

#[test]
fn who_waits_for_no_file_and_who_wants_none_is_told() {
    let near = tempfile::tempdir().expect("ours");
    let (path, _) = file(near.path());
    let script = "printf 'ready\\r\\n'; read -r x; sleep 1000";
    let cable = Cable::plug(script);
    let place = with(cable.hop(), "line-ending", "lf");
    let tab = Tab::over(must_open(&line("serial", place), &mut FakeLease::default()));
    tab.shows("ready");
    tab.terminal.send_file(Protocol::Xmodem, &path, Duration::from_secs(1));
    let State::Failed(failure) = tab.end() else { panic!("nobody asked for it") };
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert!(failure.what.en.contains("did not ask for the file within 1 s"), "{failure:?}");
    assert!(failure.todo.en.contains("First start the reception"), "{failure:?}");

    // The device ends it.
    let script = "printf 'ready\\r\\n'; head -c 1 >/dev/null; printf '\\030\\030\\030\\030'; \
                  sleep 1000";
    let cable = Cable::plug(script);
    let place = with(cable.hop(), "line-ending", "lf");
    let tab = Tab::over(must_open(&line("serial", place), &mut FakeLease::default()));
    tab.shows("ready");
    tab.send(Protocol::Zmodem, &path);
    let State::Failed(failure) = tab.end() else { panic!("it was refused") };
    assert_eq!(failure.kind, FailureKind::Protocol);
    assert!(failure.what.en.contains("did not get through"), "{failure:?}");

    tab.send(Protocol::Zmodem, &near.path().join("absent"));
    let State::Failed(failure) = tab.end() else { panic!("there is no such file") };
    assert!(failure.what.en.contains("“absent” cannot be read"), "{failure:?}");
}
