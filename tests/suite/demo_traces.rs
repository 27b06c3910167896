//! The throw-away vault of `poterne demo`, by the real program: it says why no
//! window comes, and leaves nothing on the disk however it ends.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::kit_window::Stage;

const POTERNE: &str = env!("CARGO_BIN_EXE_poterne");

fn temporary(stage: &Stage) -> PathBuf {
    let folder = stage.home.path().join("tmp");
    fs::create_dir(&folder).expect("ours");
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder").map(|e| e.expect("readable"));
    let mut names: Vec<_> = entries.map(|e| e.file_name().into_string().expect("plain")).collect();
    names.sort();
    names
}

/// A folder as a demo makes it, last changed long ago; the file marks its process.
fn old(folder: &Path) -> File {
    fs::create_dir(folder).expect("ours");
    fs::write(folder.join("demo.poterne"), b"x").expect("ours");
    let mark = File::create(folder.join("alive")).expect("ours");
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
    File::open(folder).expect("ours").set_modified(long_ago).expect("ours");
    mark
}

#[test]
fn without_a_screen_it_says_why_and_sweeps_what_others_left() {
    let stage = Stage::new();
    let temporary = temporary(&stage);
    drop(old(&temporary.join("poterne-demo-left")));
    drop(old(&temporary.join("another-demo")));
    let alive = old(&temporary.join("poterne-demo-alive"));
    alive.lock().expect("nobody else has it");
    let (fr, en) = (
        "La fenêtre n’a pas pu s’ouvrir (le serveur X ne répond pas).",
        "The window could not open (the X server does not answer).",
    );
    // What was asked for on the line goes before what the desktop says.
    for (args, desktop, said) in [
        (&["demo"][..], "fr", fr),
        (&["demo"], "en", en),
        (&["--lang", "fr", "demo"], "en", fr),
        (&["--lang", "en", "demo"], "fr", en),
    ] {
        let out = stage
            .command(POTERNE, args)
            .env("POTERNE_LANG", desktop)
            .env("TMPDIR", &temporary)
            .env("DISPLAY", ":65432")
            .output()
            .expect("starts");
        let error = String::from_utf8(out.stderr).expect("text");
        assert_eq!(out.status.code(), Some(1), "{error}");
        assert!(error.contains(said), "{error}");
        assert!(!error.contains(".rs"), "a place in somebody's source: {error}");
        assert_eq!(names(&temporary), ["another-demo", "poterne-demo-alive"]);
    }
}

#[test]
fn other_reasons_lose_their_place_in_the_source_too() {
    let said = "winit EventLoopError: os error at /build/src/x11/mod.rs:12: no such screen";
    let told = poterne::gui::no_window(said);
    assert_eq!(told.what.en, "The window could not open (no such screen).");
    let said =
        "os error at /x/mod.rs:765: neither WAYLAND_DISPLAY nor WAYLAND_SOCKET nor DISPLAY is set.";
    let told = poterne::gui::no_window(said);
    assert!(told.what.fr.ends_with("(ni WAYLAND_DISPLAY ni DISPLAY n’est défini)."));
    let told = poterne::gui::no_window("Found no glutin configs");
    assert_eq!(told.what.fr, "La fenêtre n’a pas pu s’ouvrir (Found no glutin configs).");
}

#[test]
fn a_signal_takes_it_off_the_disk() {
    let stage = Stage::new();
    let temporary = temporary(&stage);
    for (word, signal) in [("-TERM", 15), ("-HUP", 1)] {
        let mut window = stage
            .command(POTERNE, &["demo"])
            .env("TMPDIR", &temporary)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starts");
        stage.xdotool(&["search", "--sync", "--onlyvisible", "--name", "^Poterne$"]);
        let made = names(&temporary);
        let kill = stage.command("kill", &[word, &window.id().to_string()]).status();
        assert!(kill.expect("starts").success());
        let ended = window.wait().expect("ends");
        assert_eq!(made.len(), 1, "{made:?}");
        assert_eq!(ended.signal(), Some(signal), "{ended}");
        assert!(names(&temporary).is_empty(), "{:?}", names(&temporary));
        let seen = stage.home.path().join(".local/state/poterne/vaults");
        assert!(!seen.exists() || names(&seen).is_empty(), "{:?}", names(&seen));
        assert!(names(&stage.home.path().join("run")).iter().all(|n| n == "poterne"));
        let run = stage.home.path().join("run/poterne");
        assert!(!run.exists() || names(&run).is_empty(), "{:?}", names(&run));
    }
}
