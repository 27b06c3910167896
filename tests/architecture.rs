//! Holds the layers of src/ARCHITECTURE.md: what each area may import, which
//! words it may not have, and why. A permission nobody uses fails too, so that
//! the tables stay true.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each area of src may import besides itself; the table of ARCHITECTURE.md.
const ALLOW: &[(&str, &[&str])] = &[
    ("secret", &[]),
    ("model", &[]),
    ("crypto", &["model", "secret"]),
    ("audit", &["model", "crypto"]),
    ("vault", &["audit", "crypto", "model", "secret"]),
    ("os", &["model", "secret"]),
    ("connect", &["model", "secret", "os"]),
    ("store", &["vault", "model"]),
    ("app", &["connect", "store", "os", "vault", "audit", "crypto", "model", "secret"]),
    ("cli", &["app", "connect", "os", "model", "secret"]),
    ("gui", &["app", "connect", "model", "secret"]),
];

/// (area, word that must not occur in its code, why).
const BANS: &[(&str, &str, &str)] = &[
    ("secret.rs", "derive(Debug", "nothing can print a secret"),
    ("secret.rs", "impl Display", "nothing can print a secret"),
    ("secret.rs", "serde::", "only app/wire writes a secret out"),
    ("vault", "std::fs", "it knows no disk"),
    ("vault", "std::net", "it knows no wire"),
    ("audit", "std::fs", "time, randomness and bytes are arguments"),
    ("crypto", "std::fs", "time and randomness are arguments"),
    ("app", "egui::", "the core builds without a window"),
    ("cli", "egui::", "the core builds without a window"),
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

/// The code of a file, line by line: no comments, no texts, no unit tests.
fn code(file: &Path) -> Vec<(usize, String)> {
    let bare = without_tests(&bare(&fs::read_to_string(file).expect("UTF-8")));
    bare.lines().enumerate().map(|(at, line)| (at + 1, line.to_owned())).collect()
}

/// `text` with comments, texts and characters blanked out; lines stay in place.
fn bare(text: &str) -> String {
    let all: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let starts =
        |at: usize, word: &str| word.chars().enumerate().all(|(i, c)| all.get(at + i) == Some(&c));
    let mut at = 0;
    while at < all.len() {
        let in_word = at > 0 && (all[at - 1].is_alphanumeric() || all[at - 1] == '_');
        let end = if starts(at, "//") {
            (at..all.len()).find(|i| all[*i] == '\n').unwrap_or(all.len())
        } else if starts(at, "/*") {
            let (mut depth, mut i) = (0, at);
            loop {
                if starts(i, "/*") {
                    depth += 1;
                    i += 2;
                } else if starts(i, "*/") {
                    depth -= 1;
                    i += 2;
                } else {
                    i += 1;
                }
                if depth == 0 || i >= all.len() {
                    break i.min(all.len());
                }
            }
        } else if !in_word && all[at] == 'r' && raw_marks(&all, at + 1).is_some() {
            let marks = raw_marks(&all, at + 1).expect("asked above");
            let close = format!("\"{}", "#".repeat(marks));
            let from = at + 2 + marks;
            (from..all.len()).find(|i| starts(*i, &close)).map_or(all.len(), |i| i + 1 + marks)
        } else if all[at] == '"' {
            let mut i = at + 1;
            while i < all.len() && all[i] != '"' {
                i += if all[i] == '\\' { 2 } else { 1 };
            }
            (i + 1).min(all.len())
        } else if all[at] == '\'' && all.get(at + 1) == Some(&'\\') {
            (at + 3..all.len()).find(|i| all[*i] == '\'').map_or(all.len(), |i| i + 1)
        } else if all[at] == '\'' && all.get(at + 2) == Some(&'\'') {
            at + 3
        } else {
            out.push(all[at]);
            at += 1;
            continue;
        };
        out.extend(all[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
        at = end;
    }
    out
}

/// The number of `#` before the quotation mark of a raw text that begins there.
fn raw_marks(all: &[char], at: usize) -> Option<usize> {
    let marks = all.get(at..)?.iter().take_while(|c| **c == '#').count();
    (all.get(at + marks) == Some(&'"')).then_some(marks)
}

/// Bare code with each `mod tests { … }` blanked out, and only that.
fn without_tests(bare: &str) -> String {
    let mut out = String::with_capacity(bare.len());
    let mut rest = bare;
    while let Some(at) = rest.find("mod tests {") {
        let (before, tests) = rest.split_at(at);
        out.push_str(before);
        let mut depth = 0;
        let end = tests.char_indices().find_map(|(i, c)| {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                _ => {}
            }
            (c == '}' && depth == 0).then_some(i + 1)
        });
        let (gone, after) = tests.split_at(end.unwrap_or(tests.len()));
        out.extend(gone.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    out.push_str(rest);
    out
}

/// Words, `::` and single signs of bare code, each with its line.
fn tokens(bare: &str) -> Vec<(usize, String)> {
    let mut out: Vec<(usize, String)> = Vec::new();
    for (number, line) in bare.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let word =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let end = match first {
                ':' if rest.starts_with("::") => 2,
                _ if word > 0 => word,
                _ => first.len_utf8(),
            };
            out.push((number + 1, rest[..end].to_owned()));
            rest = rest[end..].trim_start();
        }
    }
    out
}

/// Every name directly below the root that the code takes, with its line:
/// `crate::x`, `crate::{x, y::{…}}`, and as many `super::` as lead there from a
/// module `depth` below it. A root under another name is `crate as`.
fn roots(bare: &str, depth: usize) -> Vec<(usize, String)> {
    let tokens = tokens(bare);
    let word = |at: usize| tokens.get(at).map_or("", |(_, word)| word.as_str());
    let mut out = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        let supers =
            (0..).take_while(|n| word(at + 2 * n) == "super" && word(at + 2 * n + 1) == "::");
        let supers = supers.count();
        let after = match word(at) {
            "crate" | "poterne" if word(at + 1) == "::" => at + 2,
            "crate" if word(at + 1) == "as" => {
                out.push((tokens[at].0, "crate as".to_owned()));
                at += 2;
                continue;
            }
            "super" if supers > 0 && supers == depth => at + 2 * supers,
            "super" if supers > 0 => {
                at += 2 * supers;
                continue;
            }
            _ => {
                at += 1;
                continue;
            }
        };
        if word(after) != "{" {
            out.extend(tokens.get(after).cloned());
            at = after + 1;
            continue;
        }
        let (mut nested, mut i, mut first) = (0, after, false);
        loop {
            match word(i) {
                "{" => {
                    nested += 1;
                    first = nested == 1;
                }
                "}" => nested -= 1,
                "," => first = nested == 1,
                "self" if first && word(i + 1) == "as" => {
                    out.push((tokens[i].0, "crate as".to_owned()));
                    first = false;
                }
                _ if first => {
                    out.extend(tokens.get(i).cloned());
                    first = false;
                }
                _ => {}
            }
            i += 1;
            if nested == 0 || i >= tokens.len() {
                break;
            }
        }
        at = i;
    }
    out
}

/// How far below the root the module of a file of src is.
fn depth_of(file: &Path) -> usize {
    let below = file.strip_prefix(root().join("src")).expect("a file of src");
    below.iter().count() - usize::from(below.ends_with("mod.rs"))
}

/// What the files of an area take from others, and where.
fn taken_by(area: &str) -> Vec<(String, String)> {
    let src = root().join("src");
    let mut files = rust_files(
        &Some(src.join(area))
            .filter(|p| p.is_dir())
            .unwrap_or_else(|| src.join(format!("{area}.rs"))),
    );
    files.sort();
    let mut out = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).expect("UTF-8");
        let shown = file.strip_prefix(root()).expect("below the root").display().to_string();
        for (line, taken) in roots(&bare(&text), depth_of(&file)) {
            let other = taken == "crate as" || ALLOW.iter().any(|(known, _)| *known == taken);
            if other && taken != area {
                out.push((taken, format!("{shown}:{line}")));
            }
        }
    }
    out
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
fn each_area_imports_only_what_it_may() {
    let mut broken = Vec::new();
    for (area, allowed) in ALLOW {
        let taken = taken_by(area);
        for (other, place) in &taken {
            if !allowed.contains(&other.as_str()) {
                broken.push(format!("{place}: {area} may not import {other}"));
            }
        }
        for other in *allowed {
            if !taken.iter().any(|(name, _)| name == other) {
                broken.push(format!("{area} imports nothing of {other}: take it from the table"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_layers_have_no_circle_and_every_area_is_in_the_table() {
    for (place, (area, allowed)) in ALLOW.iter().enumerate() {
        for other in *allowed {
            let below = ALLOW[..place].iter().any(|(name, _)| name == other);
            assert!(below, "{other} is not below {area}");
        }
    }
    let lib = fs::read_to_string(root().join("src/lib.rs")).expect("UTF-8");
    let declared: BTreeSet<&str> =
        lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(declared, ALLOW.iter().map(|(area, _)| *area).collect());
}

#[test]
fn the_table_of_the_document_is_the_one_that_is_held() {
    let text = fs::read_to_string(root().join("src/ARCHITECTURE.md")).expect("UTF-8");
    for (area, allowed) in ALLOW {
        let row = text.lines().find(|line| line.starts_with(&format!("| {area} |")));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for {area}"));
        let cell = row.split('|').nth(2).expect("a row has cells").trim();
        let told: Vec<&str> = cell.split(", ").filter(|word| *word != "–").collect();
        assert_eq!(told, *allowed, "ARCHITECTURE.md, {area}");
    }
}

#[test]
fn a_forbidden_import_is_seen_however_it_is_written() {
    let seen = |text: &str, depth: usize| -> Vec<(usize, String)> { roots(&bare(text), depth) };
    let names = |text: &str, depth: usize| -> Vec<String> {
        seen(text, depth).into_iter().map(|(_, name)| name).collect()
    };
    assert_eq!(names("use crate::vault::cell;", 2), ["vault"]);
    assert_eq!(
        names("use crate::{model::{id::X, lang}, vault::{self, cell}};", 2),
        ["model", "vault"]
    );
    assert_eq!(names("use crate::{\n    store,\n    r#type,\n};", 2)[0], "store");
    assert_eq!(names("fn f() { crate :: os::clock::now() }", 2), ["os"]);
    assert_eq!(names("use super::super::store::X;", 2), ["store"]);
    assert_eq!(names("use super::super::{store, gui::x};", 2), ["store", "gui"]);
    assert_eq!(names("use super::store::X;", 2), [""; 0]);
    assert_eq!(names("use super::store::X;", 1), ["store"]);
    assert_eq!(names("use crate as c; use crate::{self as d};", 1), ["crate as", "crate as"]);
    assert_eq!(names("pub(crate) fn f() {}", 1), [""; 0]);
    let hidden = "// crate::vault\n/* /* crate::vault */ crate::os */ let c = '\"';\n\
                  let s = \"crate::store \\\" crate::cli\"; let r = r#\"crate::gui \" \"#;\n\
                  fn f<'a>(x: &'a str) {}\nmod tests { use crate::app; }\nuse crate::cli;";
    assert_eq!(seen(hidden, 1), [(5, "app".to_owned()), (6, "cli".to_owned())]);
    // Words are looked for after the unit tests too, and not in them.
    let bare = without_tests(&bare("a\nmod tests {\n { b }\n}\nfn c() {}"));
    assert_eq!(bare.lines().nth(4), Some("fn c() {}"));
    assert!(!bare.contains('b'), "{bare}");
}

#[test]
fn each_area_keeps_to_its_words() {
    let mut broken = Vec::new();
    for (area, word, why) in BANS {
        for place in places_of(&rust_files(&root().join("src").join(area)), word) {
            broken.push(format!("{place} names `{word}`: {why}"));
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn each_exception_is_still_needed() {
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

/// A line must not end before a French sign: the space in front of it is written
/// `\u{a0}`, as is the one inside guillemets.
#[test]
fn french_signs_hang_on_their_words() {
    let loose = regex::Regex::new(r#"[\p{L}\d)}»] [:;?!»][ ",]|« | »"#).expect("a pattern");
    assert!(loose.is_match("\"Mot de passe : {}\"") && loose.is_match("\"« x »\""));
    assert!(!loose.is_match("\"Mot de passe\\u{a0}:\"") && !loose.is_match("if !a && !b"));
    let broken = texts_that(&["app", "audit", "cli", "connect", "gui", "model"], &loose);
    assert!(broken.is_empty(), "write \\u{{a0}} for the space:\n{}", broken.join("\n"));
}

/// `“ ”` and `«\u{a0}\u{a0}»` round words, never `"`: not where the program writes JSON
/// or HTML, which is `app` and `cli`. The French apostrophe is `’`.
#[test]
fn quotes_and_french_apostrophes_are_those_of_print() {
    let straight = regex::Regex::new(r#"\\"[^"\\]+\\""#).expect("a pattern");
    assert!(straight.is_match(r#""There is no \"{name}\".""#) && !straight.is_match(r#""\"""#));
    let broken = texts_that(&["connect", "gui", "model"], &straight);
    assert!(broken.is_empty(), "write “…” or «\u{a0}…\u{a0}»:\n{}", broken.join("\n"));
    let elided =
        r"(?i)(?:^|[^\p{L}'])(?:[ldjnscmt]|qu|jusqu|lorsqu|puisqu|quelqu|aujourd)'\p{L}{2}";
    let elided = regex::Regex::new(elided).expect("a pattern");
    assert!(elided.is_match("\"quelqu'un\"") && !elided.is_match("\"the client's record\""));
    let broken = texts_that(&["app", "audit", "cli", "connect", "gui", "model"], &elided);
    assert!(broken.is_empty(), "write ’ for the apostrophe:\n{}", broken.join("\n"));
}

/// The lines with a text in them, outside of comments, that `pattern` is found in.
fn texts_that(areas: &[&str], pattern: &regex::Regex) -> Vec<String> {
    let mut found = Vec::new();
    for area in areas {
        for file in rust_files(&root().join("src").join(area)) {
            let text = fs::read_to_string(&file).expect("UTF-8");
            for (n, line) in text.lines().enumerate() {
                let spoken = line.contains('"') || line.ends_with('\\');
                if spoken && !line.trim_start().starts_with("//") && pattern.is_match(line) {
                    found.push(format!("{}:{}: {}", file.display(), n + 1, line.trim()));
                }
            }
        }
    }
    found
}

#[test]
fn the_top_of_the_repository_stays_small() {
    for entry in fs::read_dir(root()).expect("the repository") {
        let name = entry.expect("readable").file_name();
        let name = name.to_str().expect("UTF-8");
        assert!(TOP.contains(&name), "{name} belongs into a folder");
    }
}
