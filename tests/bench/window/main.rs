//! The window: start to first paint, memory and processor time at rest, frames
//! of a long list while it is scrolled and searched; other programs' windows
//! beside it in the same run. It measures and prints; it judges nothing.
//!
//! `cargo bench --bench window [-- SECTION…] [--keep FOLDER]`, sections `start`,
//! `rest`, `list`; all of them by default. `-- --bare` opens an empty window of
//! the same toolkit: what no program on it can go below.

#![allow(clippy::disallowed_methods, reason = "a benchmark starts its rivals itself")]

mod list;
#[path = "../speed/meter.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod meter;
mod screen;
mod start;
#[path = "../speed/trial.rs"]
#[allow(dead_code, reason = "shared with another benchmark")]
mod trial;

use std::path::PathBuf;

fn main() {
    let mut sections: Vec<String> = Vec::new();
    let mut keep: Option<PathBuf> = None;
    let mut words = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--bare" => return start::bare(),
            "--keep" => keep = Some(words.next().expect("the flag has a value").into()),
            _ => sections.push(word),
        }
    }
    let temp = tempfile::tempdir().expect("a temporary folder");
    // SAFETY: no other thread runs yet. Nothing of this run may touch the
    // vaults, keys and settings of the person who runs it.
    unsafe {
        for name in ["HOME", "XDG_STATE_HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME"] {
            std::env::set_var(name, temp.path());
        }
        std::env::set_var("XDG_CACHE_HOME", temp.path());
        std::env::set_var("XDG_RUNTIME_DIR", temp.path());
        std::env::remove_var("WAYLAND_DISPLAY");
        std::env::remove_var("DBUS_SESSION_BUS_ADDRESS");
    }
    let folder = keep.unwrap_or_else(|| temp.path().to_owned());
    let wanted = |name: &str| sections.is_empty() || sections.iter().any(|s| s == name);
    if wanted("start") {
        start::first_paint(&folder);
    }
    if wanted("rest") {
        start::at_rest(&folder);
    }
    if wanted("list") {
        for size in [1_000, 100_000] {
            list::run(&folder, size);
        }
    }
}
