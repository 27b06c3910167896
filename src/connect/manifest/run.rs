//! From what a manifest says and an entry holds to a program with its arguments.
//! Each argument is one word, no value becomes an option, no secret is among them.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::template::{Name, Part, Refusal, Template, percent_encoded};
use super::{
    Arg, By, Condition, Escape, Manifest, Of, OwnField, OwnKind, Ready, Secret, Stop, fail,
};
use crate::connect::{Failure, FailureKind};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Hop;
use crate::os::process;

/// The first descriptor that a program is given besides its streams.
const FIRST_PIPE: i32 = 3;

/// What the session process is to run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Run {
    /// The program's own name, for words.
    pub name: String,
    /// Where it is.
    pub program: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables that it gets.
    pub env: Vec<(String, String)>,
    /// It shows a window of its own.
    pub window: bool,
    /// How each secret reaches it.
    pub ways: Vec<Way>,
    /// Questions, and what is typed at each.
    pub answers: Vec<(String, String)>,
    /// How it shows a server's key, and what is typed for yes and for no.
    pub trust: Option<(String, String, String)>,
    /// When it is ready.
    pub ready: Ready,
    /// How long that may take.
    pub patience_secs: u64,
    /// How it tells that it failed.
    pub failures: Vec<Sign>,
    /// How it ends.
    pub stop: Stop,
    /// For the details of the session.
    pub description: String,
    /// What the person should know; may be empty.
    pub note: Bi,
}

/// The way of one secret.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Way {
    /// Which.
    pub slot: Slot,
    /// The person may be asked.
    pub ask: bool,
    /// How.
    pub by: WayBy,
}

/// As [`By`], filled in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum WayBy {
    /// A line on standard input.
    Line,
    /// Through this descriptor.
    Pipe(i32, Vec<Part>, Escape),
    /// Typed at this question.
    Prompt(String),
    /// By the helper that this variable names, at this question.
    Askpass(String, String),
}

/// As [`super::FailureSign`].
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Sign {
    /// The words.
    pub pattern: String,
    /// What it is.
    pub kind: FailureKind,
    /// What to say.
    pub what: Option<Bi>,
    /// What to do.
    pub todo: Option<Bi>,
}

/// The first of these programs that this computer has: a name in `PATH`, or a path.
pub fn find_program(names: &[String]) -> Option<PathBuf> {
    process::find(names.iter().map(String::as_str))
}

impl Run {
    /// The program for an entry.
    ///
    /// # Errors
    /// A value of the entry is none that the program may be given.
    pub fn of(manifest: &Manifest, hop: &Hop, program: &Path) -> Result<Self, Failure> {
        let name = manifest.name.en.clone();
        if manifest.common.host && !is_host(&hop.at.host) {
            return Err(fail::no_host(&hop.at.host));
        }
        let filler = Filler { manifest, hop };
        let missing = |field: &&OwnField| field.required && filler.field(&field.id).is_empty();
        if let Some(field) = manifest.fields.iter().find(missing) {
            return Err(fail::needed(&field.label));
        }
        let value = |name: &Name| filler.value(name);
        let word = |template: &Template| {
            template.word(&value, &manifest.signs).map_err(|refusal| refused(&name, refusal))
        };
        let mut args = Vec::new();
        for arg in &manifest.args {
            match arg {
                Arg::Word(template) => args.push(word(template)?),
                Arg::When(condition, words) if filler.holds(condition) => {
                    for template in words {
                        args.push(word(template)?);
                    }
                }
                Arg::When(..) => {}
                Arg::EachKey(words) => {
                    for key in &hop.pinned {
                        let value = |name: &Name| match name {
                            Name::Fingerprint => key.fingerprint.clone(),
                            Name::FingerprintHex => in_hex(&key.fingerprint),
                            other => filler.value(other),
                        };
                        for template in words {
                            let made = template.word(&value, &manifest.signs);
                            args.push(made.map_err(|refusal| refused(&name, refusal))?);
                        }
                    }
                }
            }
        }
        let mut env = Vec::new();
        for (variable, template) in &manifest.env {
            // A variable has no options.
            let made = template.word(&value, "").map_err(|refusal| refused(&name, refusal))?;
            env.push((variable.clone(), made));
        }
        let mut answers = Vec::new();
        for answer in &manifest.answers {
            answers.push((answer.pattern.clone(), filler.typed(&answer.types, &name)?));
        }
        let print = fail::short_print(&manifest.text);
        let tried = if manifest.tested.is_empty() { " · untested" } else { "" };
        Ok(Self {
            description: format!("{} · {} · {print}{tried}", manifest.kind, program.display()),
            name,
            note: manifest.note.clone(),
            program: program.to_string_lossy().into_owned(),
            args,
            env,
            window: manifest.window,
            ways: filler.ways(),
            answers,
            trust: manifest
                .trust
                .as_ref()
                .map(|t| (t.pattern.clone(), t.accept.clone(), t.refuse.clone())),
            ready: manifest.ready.clone(),
            patience_secs: manifest.patience_secs,
            failures: manifest
                .failures
                .iter()
                .map(|sign| Sign {
                    pattern: sign.pattern.clone(),
                    kind: sign.kind,
                    what: sign.what.clone(),
                    todo: sign.todo.clone(),
                })
                .collect(),
            stop: manifest.stop.clone(),
        })
    }
}

/// Whether it can be a name or an address: no blank, no quote, no sign that means
/// something to a program which takes an address apart.
fn is_host(host: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    !host.is_empty() && host.chars().all(plain) && !host.starts_with('-')
}

fn refused(name: &str, refusal: Refusal) -> Failure {
    match refusal {
        Refusal::Option(word) => fail::option(name, &word),
        Refusal::Control => fail::control(name),
    }
}

struct Filler<'a> {
    manifest: &'a Manifest,
    hop: &'a Hop,
}

impl Filler<'_> {
    fn value(&self, name: &Name) -> String {
        match name {
            Name::Host => self.hop.at.host.clone(),
            Name::Port => self.hop.at.port.to_string(),
            Name::Place => self.hop.at.to_string(),
            Name::User => self.hop.user.clone(),
            Name::Path => self.hop.path.clone(),
            Name::Field(id) => self.field(id),
            Name::Pipe(slot) => {
                let at = self.manifest.secrets.iter().position(|secret| secret.slot == *slot);
                format!("/dev/fd/{}", number(at.unwrap_or_default()))
            }
            Name::Url(inner) => percent_encoded(&self.value(inner)),
            Name::Secret | Name::Fingerprint | Name::FingerprintHex => String::new(),
        }
    }

    fn field(&self, id: &str) -> String {
        let set = self.hop.settings.get(id).map_or("", |value| value.trim());
        if !set.is_empty() {
            return set.to_owned();
        }
        let field = self.manifest.fields.iter().find(|field| field.id == id);
        field.map(|field| field.default.clone()).unwrap_or_default()
    }

    fn has(&self, slot: &Slot) -> bool {
        let asked = |secret: &Secret| secret.ask && *slot == Slot::Password;
        self.hop.slots.contains(slot)
            || self.manifest.secrets.iter().any(|s| s.slot == *slot && asked(s))
    }

    fn holds(&self, condition: &Condition) -> bool {
        let there = match &condition.of {
            Of::Secret(slot) => self.has(slot),
            Of::Pinned => !self.hop.pinned.is_empty(),
            Of::Value(name) => {
                let value = self.value(name);
                let is_switch = matches!(name, Name::Field(id) if self.manifest.fields.iter()
                    .any(|field| field.id == *id && field.kind == OwnKind::Bool));
                match &condition.is {
                    Some(wanted) => value == *wanted,
                    None if is_switch => value == "yes",
                    None => !value.is_empty(),
                }
            }
        };
        there != condition.not
    }

    /// A text to type: the manifest may end a line, a value may not.
    fn typed(&self, template: &Template, name: &str) -> Result<String, Failure> {
        let mut typed = String::new();
        for found in template.names() {
            if self.value(found).contains(char::is_control) {
                return Err(fail::control(name));
            }
        }
        for part in template.parts(&|found| self.value(found)) {
            if let Part::Text(text) = part {
                typed.push_str(&text);
            }
        }
        Ok(typed)
    }

    fn ways(&self) -> Vec<Way> {
        let way = |(at, secret): (usize, &Secret)| Way {
            slot: secret.slot.clone(),
            ask: secret.ask && secret.slot == Slot::Password,
            by: match &secret.by {
                By::Line => WayBy::Line,
                By::Pipe(content, escape) => {
                    let parts = content.parts(&|name| self.value(name));
                    WayBy::Pipe(number(at), parts, *escape)
                }
                By::Prompt(pattern) => WayBy::Prompt(pattern.clone()),
                By::Askpass(variable, pattern) => WayBy::Askpass(variable.clone(), pattern.clone()),
            },
        };
        self.manifest.secrets.iter().enumerate().map(way).collect()
    }
}

/// The digest of `SHA256:…` as other programs write it: `ab:cd:…`.
fn in_hex(fingerprint: &str) -> String {
    let digest = fingerprint.trim_start_matches("SHA256:");
    let bytes = data_encoding::BASE64_NOPAD.decode(digest.as_bytes()).unwrap_or_default();
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

fn number(at: usize) -> i32 {
    FIRST_PIPE + i32::try_from(at).expect("a manifest has few secrets")
}
