//! Holds the layers of src/ARCHITECTURE.md: what each area may not name, and
//! why. A ban whose subject is gone fails too, so that the table stays true.

use std::fs;
use std::path::{Path, PathBuf};

/// (area, word that must not occur in its code, why).
const BANS: &[(&str, &str, &str)] = &[
    ("secret.rs", "derive(Debug", "nothing can print a secret"),
    ("secret.rs", "impl Display", "nothing can print a secret"),
    ("secret.rs", "serde::", "only app/wire writes a secret out"),
    ("model", "crate::secret", "whatever may be shown holds none"),
    ("crypto", "crate::os", "time and randomness are arguments"),
    ("crypto", "crate::vault", "it knows no format"),
    ("audit", "crate::secret", "a line holds ids and words, never values of secrets"),
    ("audit", "crate::vault", "the log verifies without the vault"),
    ("audit", "crate::os", "time and randomness are arguments"),
    ("vault", "crate::store", "it knows no disk"),
    ("vault", "crate::os", "time and randomness are arguments"),
    ("vault", "crate::connect", "it knows no wire"),
    ("vault", "crate::app", "it knows no window"),
    ("vault", "std::fs", "it knows no disk"),
    ("vault", "std::net", "it knows no wire"),
    ("connect", "crate::vault", "a connector is handed a lease, not the vault"),
    ("connect", "crate::store", "a connector is handed a lease, not the vault"),
    ("connect", "crate::app", "a connector is handed a lease, not the vault"),
    ("store", "crate::crypto", "it sees ciphertext only"),
    ("store", "crate::secret", "it sees ciphertext only"),
    ("store", "crate::app", "it serves whoever asks"),
    ("os", "crate::vault", "it knows the machine, not the product"),
    ("os", "crate::connect", "it knows the machine, not the product"),
    ("os", "crate::store", "it knows the machine, not the product"),
    ("os", "crate::app", "it knows the machine, not the product"),
    ("app", "crate::cli", "it serves whoever asks"),
    ("app", "crate::gui", "it serves whoever asks"),
    ("app", "egui::", "the core builds without a window"),
    ("cli", "crate::gui", "the core builds without a window"),
    ("cli", "crate::vault", "only app reaches below itself"),
    ("cli", "crate::store", "only app reaches below itself"),
    ("cli", "crate::crypto", "only app reaches below itself"),
    ("gui", "crate::cli", "the window and the command line stand side by side"),
    ("gui", "crate::vault", "only app reaches below itself"),
    ("gui", "crate::store", "only app reaches below itself"),
    ("gui", "crate::crypto", "only app reaches below itself"),
    ("gui", "TextEdit::password", "its undo history keeps what was typed"),
];

/// (word, the only files of src that may have it, why).
const ONLY_IN: &[(&str, &[&str], &str)] = &[
    (
        "Command::new",
        &["os/process.rs", "os/detach.rs"],
        "a child gets plain arguments, a short environment, and secrets by pipe",
    ),
    ("SystemTime::now", &["os/clock.rs"], "time is an argument"),
    ("getrandom::", &["os/random.rs"], "randomness is an argument"),
    ("global_allocator", &["os/alloc.rs"], "freed memory is wiped everywhere"),
];

/// Words that no code of src has, and why.
const NOWHERE: &[(&str, &str)] = &[
    ("dbg!(", "it prints values"),
    ("todo!(", "what is there works"),
    ("unimplemented!(", "what is there works"),
    (".unwrap()", "expect says why it cannot fail"),
    ("thread::spawn(", "a thread has a name, and its start can fail"),
];

/// What may lie at the top of the repository.
const TOP: &[&str] = &[
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".deny.toml",
    ".git",
    ".github",
    ".gitignore",
    ".rustfmt.toml",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "assets",
    "build.rs",
    "fuzz",
    "packaging",
    "src",
    "target",
    "tests",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below `place`, or `place` itself.
fn rust_files(place: &Path) -> Vec<PathBuf> {
    if place.is_file() {
        return vec![place.to_owned()];
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(place).unwrap_or_else(|e| panic!("{}: {e}", place.display())) {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The code of a file: no comments, and nothing from its unit tests on.
fn code(file: &Path) -> Vec<(usize, String)> {
    let text = fs::read_to_string(file).expect("UTF-8");
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.trim_start().starts_with("mod tests {"))
        .map(|(number, line)| (number + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(number, line)| (number, line.to_owned()))
        .collect()
}

fn places_of(files: &[PathBuf], word: &str) -> Vec<String> {
    let mut places = Vec::new();
    for file in files {
        for (number, line) in code(file) {
            if line.contains(word) {
                let file = file.strip_prefix(root()).expect("below the root");
                places.push(format!("{}:{number}", file.display()));
            }
        }
    }
    places
}

#[test]
fn each_area_keeps_to_its_layer() {
    let mut broken = Vec::new();
    for (area, word, why) in BANS {
        for place in places_of(&rust_files(&root().join("src").join(area)), word) {
            broken.push(format!("{place} names `{word}`: {why}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn each_ban_is_about_something_that_exists() {
    for (area, word, _) in BANS {
        assert!(root().join("src").join(area).exists(), "no area {area}");
        if let Some(banned) = word.strip_prefix("crate::") {
            let place = root().join("src").join(banned);
            let there = place.is_dir() || place.with_extension("rs").is_file();
            assert!(there, "the ban of `{word}` in {area} bans nothing");
        }
    }
    for (word, files, _) in ONLY_IN {
        for file in *files {
            let file = root().join("src").join(file);
            assert!(
                !places_of(std::slice::from_ref(&file), word).is_empty(),
                "{} has no `{word}` any more: take it from the list",
                file.display()
            );
        }
    }
}

#[test]
fn the_machine_is_touched_in_one_place() {
    let all = rust_files(&root().join("src"));
    let mut broken = Vec::new();
    for (word, allowed, why) in ONLY_IN {
        for place in places_of(&all, word) {
            if !allowed.iter().any(|file| place.starts_with(&format!("src/{file}:"))) {
                broken.push(format!("{place} has `{word}`, which is for {allowed:?}: {why}"));
            }
        }
    }
    for (word, why) in NOWHERE {
        broken.extend(
            places_of(&all, word).iter().map(|place| format!("{place} has `{word}`: {why}")),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn each_file_says_what_it_is() {
    let mut files = rust_files(&root().join("src"));
    files.extend(rust_files(&root().join("tests")));
    let silent: Vec<String> = files
        .iter()
        .filter(|file| !fs::read_to_string(file).expect("UTF-8").starts_with("//!"))
        .map(|file| file.display().to_string())
        .collect();
    assert!(silent.is_empty(), "no //! line first: {}", silent.join(", "));
}

#[test]
fn the_top_of_the_repository_stays_small() {
    for entry in fs::read_dir(root()).expect("the repository") {
        let name = entry.expect("readable").file_name();
        let name = name.to_str().expect("UTF-8");
        assert!(TOP.contains(&name), "{name} belongs into a folder");
    }
}
