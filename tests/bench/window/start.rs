//! Start to first paint, and what a window costs while nothing happens.

use std::path::Path;
use std::time::{Duration, Instant};

use poterne::app::demo::PASSWORD;

use crate::meter::{line, ratio, there, title, took};
use crate::screen::{Ended, Screen};
use crate::trial::Trial;

const ROUNDS: usize = 9;
const POTERNE: &str = env!("CARGO_BIN_EXE_poterne");
/// How long a window is watched doing nothing.
const WATCHED: Duration = Duration::from_secs(20);

/// The empty window of the same toolkit.
pub fn bare() {
    struct Bare;
    impl eframe::App for Bare {
        fn ui(&mut self, ui: &mut egui::Ui, _: &mut eframe::Frame) {
            ui.heading("Poterne");
        }
    }
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default().with_inner_size([1200.0, 680.0]),
        renderer: eframe::Renderer::Glow,
        ..eframe::NativeOptions::default()
    };
    eframe::run_native("bare", options, Box::new(|_| Ok(Box::new(Bare)))).expect("a display");
}

pub fn first_paint(folder: &Path) {
    title("Start of the process to text on the screen, median of turns");
    let screen = Screen::new();
    let small = Trial::of(folder, 1_000).file;
    let large = Trial::of(folder, 1_000_000).file;
    let own = std::env::current_exe().expect("has a path");
    let own = own.to_str().expect("UTF-8");
    let (small, large) = (small.to_str().expect("UTF-8"), large.to_str().expect("UTF-8"));
    let mut all: Vec<(&str, &str, Vec<&str>)> = vec![
        ("poterne, 1,000 entries", POTERNE, vec!["--vault", small]),
        ("poterne, 1,000,000 entries", POTERNE, vec!["--vault", large]),
        ("an empty window of the toolkit", own, vec!["--bare"]),
    ];
    for rival in ["keepassxc", "remmina", "alacritty", "kitty", "xterm"] {
        if there(rival) {
            all.push((rival, rival, Vec::new()));
        }
    }
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); all.len()];
    for _ in 0..ROUNDS {
        for (n, (_, program, args)) in all.iter().enumerate() {
            screen.clear();
            let begun = Instant::now();
            let child = screen.start(program, args);
            if screen.wait().is_some() {
                times[n].push(begun.elapsed());
            }
            drop(child);
        }
    }
    let mids: Vec<Option<Duration>> = times
        .into_iter()
        .map(|mut all| {
            all.sort();
            all.get(all.len() / 2).copied()
        })
        .collect();
    for ((name, ..), mid) in all.iter().zip(&mids) {
        match (mid, mids[0]) {
            (Some(mid), Some(ours)) => {
                let beside = format!("ours takes {:.2} of it", ratio(ours, *mid));
                took(name, *mid, &beside);
            }
            _ => line(name, "-", "never painted"),
        }
    }
}

pub fn at_rest(folder: &Path) {
    title(&format!("A window at rest, watched for {} s", WATCHED.as_secs()));
    let screen = Screen::new();
    let mut trial = Trial::of(folder, 1_000);
    let file = trial.file.clone();
    let file = file.to_str().expect("UTF-8");
    let own = std::env::current_exe().expect("has a path");
    {
        let child = screen.start(own.to_str().expect("UTF-8"), &["--bare"]);
        screen.wait().expect("paints");
        watch("an empty window of the toolkit", &child);
    }
    screen.clear();
    {
        let child = screen.start(POTERNE, &["--vault", file]);
        screen.wait().expect("paints");
        watch("poterne, locked", &child);
        unlock(&screen, &mut trial);
        watch("poterne, open, 1,000 entries", &child);
    }
    for rival in ["keepassxc", "remmina"] {
        if there(rival) {
            screen.clear();
            let child = screen.start(rival, &[]);
            if screen.wait().is_some() {
                watch(rival, &child);
            }
        }
    }
}

/// Types the factors until a command finds the vault open.
fn unlock(screen: &Screen, trial: &mut Trial) {
    let file = trial.file.to_str().expect("UTF-8").to_owned();
    let open = || {
        let done = std::process::Command::new(POTERNE)
            .args(["--vault", &file, "status", "--json"])
            .output()
            .expect("starts");
        String::from_utf8_lossy(&done.stdout).contains("\"unlocked\": true")
    };
    for _ in 0..5 {
        screen.keys(&["search", "--sync", "--onlyvisible", "--name", "^Poterne$", "windowfocus"]);
        screen.keys(&["key", "ctrl+a"]);
        screen.keys(&["type", "--delay", "30", PASSWORD]);
        screen.keys(&["key", "Tab"]);
        screen.keys(&["type", "--delay", "30", &trial.code()]);
        let end = Instant::now() + Duration::from_secs(8);
        while Instant::now() < end {
            if open() {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
    panic!("the window did not unlock");
}

fn watch(what: &str, child: &Ended) {
    let pid = child.0.id();
    // A start goes on for a while after the first picture.
    std::thread::sleep(Duration::from_secs(4));
    let before = (ticks(pid), wakings(pid));
    std::thread::sleep(WATCHED);
    let (used, woken) = (ticks(pid) - before.0, wakings(pid).saturating_sub(before.1));
    let memory = anonymous(pid);
    let cpu = format!("{} ms of processor, woken {woken} times", used * 10);
    line(what, &format!("{:.1} MiB", memory as f64 / 1024.0), &format!("anonymous; {cpu}"));
}

/// Processor time in hundredths of a second, user and system.
fn ticks(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    after.split_whitespace().skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum()
}

/// How often its threads that are there went to sleep and were woken again.
fn wakings(pid: u32) -> u64 {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of = |status: String| {
        let line = status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:"));
        line.and_then(|n| n.trim().parse::<u64>().ok()).unwrap_or(0)
    };
    threads.filter_map(|t| std::fs::read_to_string(t.path().join("status")).ok()).map(of).sum()
}

/// Anonymous memory in KiB.
fn anonymous(pid: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("RssAnon:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0)
}
