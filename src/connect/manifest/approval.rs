//! A manifest that is not part of this program runs only once a person of this
//! computer has approved it, as it stands. The approved text is kept, pinned by its
//! SHA-256, so that a changed one is asked about with the difference.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use similar::TextDiff;

use super::{Manifest, Source, fail, fingerprint};
use crate::connect::{Answer, Failure, Lease, Question};
use crate::model::lang::Bi;
use crate::os::paths;

/// Where approved texts lie, in the state folder.
const FOLDER: &str = "connectors";
/// Unchanged lines around each difference.
const AROUND: usize = 2;

/// What a person is asked.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Approval {
    /// The word of the kind.
    pub kind: String,
    /// What it is called.
    pub name: Bi,
    /// Where it comes from.
    pub source: String,
    /// The program that it starts here; empty when there is none.
    pub program: String,
    /// `SHA256:` and the digest of the text.
    pub fingerprint: String,
    /// An earlier one was approved: `text` is the difference.
    pub changed: bool,
    /// The whole text, or the lines that are gone and new.
    pub text: String,
}

/// How it stands with a manifest on this computer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// It is part of this program.
    BuiltIn,
    /// As it stands.
    Approved,
    /// Never seen.
    New,
    /// Another text of this kind was approved: this one.
    Changed(String),
}

impl State {
    /// Whether it may run.
    pub fn may_run(&self) -> bool {
        matches!(self, Self::BuiltIn | Self::Approved)
    }
}

/// The state of a manifest.
pub fn state(manifest: &Manifest, source: &Source) -> State {
    if *source == Source::BuiltIn {
        return State::BuiltIn;
    }
    match kept(&manifest.kind) {
        Some(text) if text == manifest.text => State::Approved,
        Some(text) => State::Changed(text),
        None => State::New,
    }
}

/// What to ask about a manifest that may not run yet; `None` when it may.
pub fn question(manifest: &Manifest, source: &Source) -> Option<Approval> {
    let (changed, text) = match state(manifest, source) {
        State::BuiltIn | State::Approved => return None,
        State::New => (false, manifest.text.clone()),
        State::Changed(old) => (true, difference(&old, &manifest.text)),
    };
    let program = super::find_program(manifest.programs());
    let source = match source {
        Source::BuiltIn => String::new(),
        Source::File(path) => path.display().to_string(),
    };
    Some(Approval {
        kind: manifest.kind.clone(),
        name: manifest.name.clone(),
        source,
        program: program.map(|path| path.display().to_string()).unwrap_or_default(),
        fingerprint: manifest.fingerprint(),
        changed,
        text,
    })
}

/// Goes on only with a manifest that may run, or that the person approves now.
///
/// # Errors
/// It is not approved, or the approval cannot be kept.
pub fn ensure(manifest: &Manifest, source: &Source, lease: &mut dyn Lease) -> Result<(), Failure> {
    let Some(asked) = question(manifest, source) else { return Ok(()) };
    match lease.ask(Question::Approve(Box::new(asked))) {
        Answer::Yes => approve(manifest).map_err(|e| fail::not_kept(&e)),
        _ => Err(fail::not_approved(&manifest.kind)),
    }
}

/// Keeps a manifest as approved, in place of an earlier one of its kind.
///
/// # Errors
/// The state folder cannot be written.
pub fn approve(manifest: &Manifest) -> io::Result<()> {
    let file = file(&manifest.kind)?;
    let folder = file.parent().expect("it lies in a folder");
    paths::private_folder(folder).map_err(io::Error::other)?;
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let mut open = fs::OpenOptions::new();
    open.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        open.mode(0o600);
    }
    let mut out = open.open(&new)?;
    writeln!(out, "{}", manifest.fingerprint())?;
    out.write_all(manifest.text.as_bytes())?;
    out.sync_all()?;
    fs::rename(&new, &file)
}

/// The text of this kind that was approved, if it is still what its digest says.
fn kept(kind: &str) -> Option<String> {
    let all = fs::read_to_string(file(kind).ok()?).ok()?;
    let (print, text) = all.split_once('\n')?;
    (print == fingerprint(text)).then(|| text.to_owned())
}

fn file(kind: &str) -> io::Result<PathBuf> {
    let state = paths::state_folder().map_err(io::Error::other)?;
    Ok(state.join(FOLDER).join(format!("{kind}.approved")))
}

/// The lines that are gone (`-`) and new (`+`), with a few around them.
pub fn difference(old: &str, new: &str) -> String {
    TextDiff::from_lines(old, new).unified_diff().context_radius(AROUND).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_difference_has_each_changed_line() {
        let told = difference("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 9\nc = 3\n");
        assert!(told.contains("-b = 2\n") && told.contains("+b = 9\n"), "{told}");
        assert!(!told.contains("-a") && !told.contains("+c"), "{told}");
    }
}
