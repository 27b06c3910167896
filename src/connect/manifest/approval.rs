//! A manifest that is not part of this program runs only once a person of this
//! computer has approved it, as it stands. The approved text is kept, pinned by its
//! SHA-256, and with it the program that it started: whose and where. So a changed one,
//! or another program of that name, is asked about with the difference.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

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
    pub source: Bi,
    /// The program that it starts here; empty when there is none.
    pub program: String,
    /// The file that this name leads to, where it is a link; else empty.
    pub real: String,
    /// `SHA256:` and the digest of the text.
    pub fingerprint: String,
    /// Any account of this computer may change that program.
    pub open: bool,
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
    /// It was approved with this program, which is not the one that it starts now.
    Elsewhere(String),
}

impl State {
    /// Whether it may run.
    pub fn may_run(&self) -> bool {
        matches!(self, Self::BuiltIn | Self::Approved)
    }
}

/// The state of a manifest, with the program that it would start now.
pub fn state(manifest: &Manifest, source: &Source) -> State {
    state_with(manifest, source, super::find_program(manifest.programs()).as_deref())
}

fn state_with(manifest: &Manifest, source: &Source, program: Option<&Path>) -> State {
    if *source == Source::BuiltIn {
        return State::BuiltIn;
    }
    match kept(manifest, source) {
        Some((text, _)) if text != manifest.text => State::Changed(text),
        // Without a program nothing starts, whatever was approved.
        Some((_, before)) => match program.map(Whose::of) {
            Some(now) if now.open || now.told != before => State::Elsewhere(before),
            _ => State::Approved,
        },
        None => State::New,
    }
}

/// What to ask about a manifest that may not run yet; `None` when it may.
pub fn question(manifest: &Manifest, source: &Source, program: Option<&Path>) -> Option<Approval> {
    let whose = program.map(Whose::of).unwrap_or_default();
    let (changed, text) = match state_with(manifest, source, program) {
        State::BuiltIn | State::Approved => return None,
        State::New => (false, manifest.text.clone()),
        State::Changed(old) => (true, difference(&old, &manifest.text)),
        State::Elsewhere(old) => (true, difference(&line_of(&old), &line_of(&whose.told))),
    };
    Some(Approval {
        kind: manifest.kind.clone(),
        name: manifest.name.clone(),
        source: source.told(),
        program: program.map(|path| path.display().to_string()).unwrap_or_default(),
        real: whose.real,
        fingerprint: manifest.fingerprint(),
        open: whose.open,
        changed,
        text,
    })
}

fn line_of(program: &str) -> String {
    if program.is_empty() { String::new() } else { format!("program: {program}\n") }
}

/// Which file a program is, and whose.
#[derive(Default)]
struct Whose {
    /// In one line, for a person too.
    told: String,
    /// See [`Approval::real`].
    real: String,
    /// Any account may change it: what was approved says nothing about it.
    open: bool,
}

impl Whose {
    fn of(program: &Path) -> Self {
        let real = program.canonicalize().unwrap_or_else(|_| program.to_owned());
        let mut told = program.display().to_string();
        let leads = if real == program { String::new() } else { real.display().to_string() };
        if !leads.is_empty() {
            told.push_str(&format!(" -> {leads}"));
        }
        let mut open = false;
        #[cfg(unix)]
        if let Ok(meta) = fs::metadata(&real) {
            use std::os::unix::fs::MetadataExt;
            told.push_str(&format!(" (uid {})", meta.uid()));
            open = meta.mode() & 0o002 != 0 || replaceable(program) || replaceable(&real);
        }
        let told = told.replace(char::is_control, "?");
        Self { told, real: leads, open }
    }
}

/// Whether any account may put another file in the place of this one: a folder on the
/// way to it is open to all, and has no sticky bit that keeps each to what is its own.
#[cfg(unix)]
fn replaceable(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.ancestors()
        .skip(1)
        .any(|folder| fs::metadata(folder).is_ok_and(|meta| meta.mode() & 0o1002 == 0o002))
}

/// Goes on only with a manifest that may run, or that the person approves now.
///
/// # Errors
/// It is not approved, or the approval cannot be kept.
pub fn ensure(
    manifest: &Manifest,
    source: &Source,
    program: Option<&Path>,
    lease: &mut dyn Lease,
) -> Result<(), Failure> {
    let Some(asked) = question(manifest, source, program) else { return Ok(()) };
    match lease.ask(Question::Approve(Box::new(asked))) {
        Answer::Yes => approve(manifest, source, program).map_err(|e| fail::not_kept(&e)),
        _ if matches!(source, Source::Vault { .. }) => {
            Err(fail::shared_not_approved(&manifest.kind))
        }
        _ => Err(fail::not_approved(&manifest.kind)),
    }
}

/// Keeps a manifest as approved, in place of an earlier one of its kind.
///
/// # Errors
/// The state folder cannot be written.
pub fn approve(manifest: &Manifest, source: &Source, program: Option<&Path>) -> io::Result<()> {
    let file = file(manifest, source)?;
    let folder = file.parent().expect("it lies in a folder");
    paths::private_folder(folder).map_err(io::Error::other)?;
    // Under a name that nobody knows before, for its owner alone.
    let mut new = tempfile::NamedTempFile::new_in(folder)?;
    let whose = program.map(Whose::of).unwrap_or_default();
    writeln!(new, "{}\n{}", manifest.fingerprint(), whose.told)?;
    new.write_all(manifest.text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(&file)?;
    Ok(())
}

/// The text of this kind that was approved, if it is still what its digest says, and
/// the program that it started.
fn kept(manifest: &Manifest, source: &Source) -> Option<(String, String)> {
    let all = fs::read_to_string(file(manifest, source).ok()?).ok()?;
    let (print, rest) = all.split_once('\n')?;
    let (program, text) = rest.split_once('\n')?;
    (print == fingerprint(text)).then(|| (text.to_owned(), program.to_owned()))
}

/// A vault has its own approvals: two of them may describe one kind differently.
fn file(manifest: &Manifest, source: &Source) -> io::Result<PathBuf> {
    let state = paths::state_folder().map_err(io::Error::other)?;
    let kind = &manifest.kind;
    let name = match source {
        Source::Vault { vault, .. } => format!("{vault}.{kind}.approved"),
        Source::BuiltIn | Source::File(_) => format!("{kind}.approved"),
    };
    Ok(state.join(FOLDER).join(name))
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
