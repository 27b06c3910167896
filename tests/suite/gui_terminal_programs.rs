//! Full-screen programs in the terminal, themselves and not what they once printed:
//! the screen is the one that tmux, an emulator of its own, has of the same program.

use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use poterne::connect::link::{ChannelRequest, Link, TermSize};
use poterne::gui::terminal::Terminal;
use poterne::model::entry::Kind;
use poterne::model::target::Target;

use crate::kit_ssh::{FakeLease, PATIENCE, hop, must_open, sh, with};

const SIZE: TermSize = TermSize { cols: 80, rows: 23 };

/// A program that runs in the terminal; it is hung up with it.
struct Running {
    terminal: Terminal,
    woken: Receiver<()>,
    _link: Box<dyn Link>,
}

impl Running {
    fn start(command: &str, folder: &Path) -> Self {
        let folder = folder.to_str().expect("UTF-8");
        // Not with what the person who runs the tests has set.
        let command = format!("env HOME={folder} LC_ALL=C.UTF-8 {command}");
        let place = with(with(hop(1), "command", &command), "directory", folder);
        let target = Target { kind: Kind::new("shell"), hops: vec![place] };
        let link = must_open(&target, &mut FakeLease::default());
        let (terminal, sink) = Terminal::new(SIZE);
        let (wake, woken) = channel();
        terminal.on_wake(move |_| {
            let _ = wake.send(());
        });
        let term = "xterm-256color".to_owned();
        let opened = link.open_channel(ChannelRequest::Shell { size: SIZE, term }, sink);
        terminal.attach(opened.unwrap_or_else(|e| panic!("{}", e.what.en)));
        Self { terminal, woken, _link: link }
    }

    /// Waits for a screen of that kind.
    #[track_caller]
    fn until(&self, what: &str, fits: impl Fn(&[String]) -> bool) {
        let began = Instant::now();
        loop {
            self.terminal.settle();
            let rows = self.terminal.rows();
            if fits(&rows) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "no {what} in\n{}", rows.join("\n"));
            // Woken by what comes; the other emulator may be the later one.
            let _ = self.woken.recv_timeout(Duration::from_millis(20));
        }
    }
}

/// tmux without a screen, which knows what another emulator makes of a program.
struct Tmux(String);

impl Tmux {
    fn run(socket: &Path, command: &str, folder: &Path) -> Self {
        let tmux = Self(socket.to_str().expect("UTF-8").to_owned());
        let (cols, rows) = (SIZE.cols.to_string(), SIZE.rows.to_string());
        let size = ["new-session", "-d", "-x", &cols, "-y", &rows, "-c"];
        let folder = folder.to_str().expect("UTF-8");
        let bare = ["set", "-g", "status", "off", ";"];
        tmux.ask(&[&["start-server", ";"][..], &bare, &size, &[folder, command]].concat());
        tmux
    }

    fn ask(&self, words: &[&str]) -> String {
        sh("tmux", &[&["-u", "-f", "/dev/null", "-S", &self.0][..], words].concat())
    }

    fn rows(&self) -> Vec<String> {
        let text = self.ask(&["capture-pane", "-p"]);
        text.lines().map(|row| row.trim_end().to_owned()).collect()
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let mut end = Command::new("tmux");
        let _ = end.args(["-S", &self.0, "kill-server"]).status();
    }
}

fn trimmed(rows: &[String]) -> Vec<&str> {
    let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
    let end = rows.iter().rposition(|row| !row.is_empty()).map_or(0, |n| n + 1);
    rows[..end].to_vec()
}

#[test]
fn an_editor_looks_as_in_another_emulator_while_it_is_used() {
    let dir = tempfile::tempdir().expect("a folder");
    let text: String = (1..60).map(|n| format!("ligne {n} été 日本\tfin\n")).collect();
    std::fs::write(dir.path().join("notes.txt"), text).expect("ours");
    let vim = "vim -u NONE -i NONE -n -N --cmd 'set enc=utf-8 nu ls=2 hls' notes.txt";
    let there = Tmux::run(&dir.path().join("tmux"), vim, dir.path());
    let here = Running::start(vim, dir.path());
    // Scrolls, searches, splits, inserts.
    for (keys, seen) in [
        ("", "ligne 1 été 日本"),
        ("40Gzt", "ligne 40"),
        ("/ligne 5\r", "50 ligne 50"),
        (":vsplit\r", "fin         | 40 ligne"),
        ("ggOpremière ligne\x1b", "première ligne"),
    ] {
        here.terminal.send(keys.as_bytes().to_vec());
        if !keys.is_empty() {
            there.ask(&["send-keys", "-l", keys]);
        }
        let same = |rows: &[String]| trimmed(rows) == trimmed(&there.rows());
        here.until(seen, |rows| rows.iter().any(|row| row.contains(seen)) && same(rows));
    }
}

#[test]
fn panes_panels_and_meters_are_drawn_where_they_belong() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("un-fichier.txt"), "x").expect("ours");
    let socket = dir.path().join("tmux");
    let tmux = Tmux(socket.to_str().expect("UTF-8").to_owned());
    let command = format!("tmux -u -f /dev/null -S {} new-session cat", socket.display());
    let here = Running::start(&command, dir.path());
    here.until("a status bar", |rows| rows[22].starts_with("[0] 0:"));
    tmux.ask(&["split-window", "-h", "cat"]);
    here.until("two panes", |rows| rows[..22].iter().all(|row| row.chars().nth(40) == Some('│')));
    here.terminal.send("à droite\r".into());
    here.until("what is typed, echoed", |rows| {
        rows[..2].iter().all(|row| row.ends_with("│à droite"))
    });
    drop(here);
    drop(tmux);

    let mc = Running::start("mc -u -b", dir.path());
    mc.until("a menu, panels and keys", |rows| {
        rows[0].contains("Left")
            && rows[0].contains("Right")
            && rows[22].contains("1Help")
            && rows[22].contains("10Quit")
            && rows[2].starts_with('│')
            && rows.iter().any(|row| row.matches("un-fichier.txt").count() == 2)
    });
    let htop = Running::start("htop", dir.path());
    htop.until("meters, a head and keys", |rows| {
        rows.iter().any(|row| row.contains("Mem["))
            && rows.iter().any(|row| row.contains("PID USER"))
            && rows[22].starts_with("F1Help")
    });
}
