//! Connectors that are described, not programmed: a TOML text names a program, its
//! arguments, how each secret reaches it and how one knows that it is there. This
//! file has what a manifest says; `read` reads it, `registry` knows all of them,
//! `declared` opens one, and `engine` runs the program in the session process.

pub mod approval;
#[cfg(unix)]
pub mod askpass;
mod declared;
#[cfg(unix)]
pub(in crate::connect) mod engine;
pub mod fail;
#[cfg(unix)]
mod give;
#[cfg(unix)]
mod hold;
pub mod place;
mod read;
pub mod registry;
mod run;
pub mod template;
#[cfg(unix)]
mod watch;

use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::model::entry::Slot;
use crate::model::id::VaultId;
use crate::model::lang::Bi;
use crate::model::time::Time;

pub use declared::Declared;
pub use read::{MAX_BYTES, RESERVED, is_word, read};
pub use run::{Run, find_program};

use super::{Common, FailureKind};
use template::Template;

/// A connector as its manifest describes it.
#[derive(Clone, PartialEq, Debug)]
pub struct Manifest {
    /// The word of the kind.
    pub kind: String,
    /// What a person reads in menus.
    pub name: Bi,
    /// One sign that stands before the name; may be empty.
    pub icon: String,
    /// What it was tried with; empty when it was not.
    pub tested: String,
    /// What one should know about it; may be empty.
    pub note: Bi,
    /// The program shows a window of its own; else it gets a terminal.
    pub window: bool,
    /// The common fields that it uses.
    pub common: Common,
    /// The usual port.
    pub port: Option<u16>,
    /// Its own fields.
    pub fields: Vec<OwnField>,
    /// The program by platform.
    pub program: Program,
    /// Its arguments.
    pub args: Vec<Arg>,
    /// Variables that it gets, never with a secret.
    pub env: Vec<(String, Template)>,
    /// How each secret reaches it.
    pub secrets: Vec<Secret>,
    /// What it is answered besides, as if typed.
    pub answers: Vec<Reply>,
    /// How it shows the key of a server.
    pub trust: Option<Trust>,
    /// How one knows that it is there.
    pub ready: Ready,
    /// Longest wait for that, in seconds.
    pub patience_secs: u64,
    /// How one knows that it failed.
    pub failures: Vec<FailureSign>,
    /// How it is ended.
    pub stop: Stop,
    /// Signs that begin an option of the program.
    pub signs: String,
    /// The text it was read from.
    pub text: String,
}

impl Manifest {
    /// `SHA256:` and the digest of its text in hexadecimal.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.text)
    }

    /// The names of its programs on this platform.
    pub fn programs(&self) -> &[String] {
        if cfg!(windows) {
            &self.program.windows
        } else if cfg!(target_os = "macos") {
            &self.program.macos
        } else {
            &self.program.linux
        }
    }
}

/// `SHA256:` and the digest of a manifest's text in hexadecimal.
pub fn fingerprint(text: &str) -> String {
    format!("SHA256:{}", data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes())))
}

/// Where a manifest comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// It is part of this program.
    BuiltIn,
    /// This file.
    File(PathBuf),
    /// The vault shares it.
    Vault {
        /// Which vault.
        vault: VaultId,
        /// Who put it there.
        by: String,
        /// When.
        at: Time,
    },
}

impl Source {
    /// Of which vault.
    pub fn vault(&self) -> Option<VaultId> {
        match self {
            Self::Vault { vault, .. } => Some(*vault),
            Self::BuiltIn | Self::File(_) => None,
        }
    }

    /// Whether it is the same text's place: a vault may be open twice.
    fn same_place(&self, other: &Self) -> bool {
        match (self.vault(), other.vault()) {
            (Some(vault), Some(same)) => vault == same,
            _ => self == other,
        }
    }

    /// Whether one from here counts before one from there: a vault's does not in
    /// another vault.
    fn counts_for(&self, other: &Self) -> bool {
        self.vault().is_none() || self.same_place(other)
    }

    /// For a person.
    pub fn told(&self) -> Bi {
        match self {
            Self::BuiltIn => Bi::same("Poterne"),
            Self::File(path) => Bi::same(path.display().to_string()),
            Self::Vault { by, at, .. } => {
                let day = at.to_jiff().strftime("%Y-%m-%d").to_string();
                Bi::new(format!("le coffre ({by}, {day})"), format!("the vault ({by}, {day})"))
            }
        }
    }
}

/// A field as the manifest declares it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OwnField {
    /// Its id.
    pub id: String,
    /// Label.
    pub label: Bi,
    /// One sentence.
    pub help: Bi,
    /// What may be typed.
    pub kind: OwnKind,
    /// Value when the entry has none.
    pub default: String,
    /// Folders pass it on.
    pub inherits: bool,
    /// Nothing opens without it.
    pub required: bool,
}

/// What a field accepts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OwnKind {
    /// One line; if there is a pattern, one that matches it.
    Text(Option<String>),
    /// `yes` or `no`.
    Bool,
    /// A whole number.
    Number(u64, u64),
    /// One of these words.
    Choice(Vec<(String, Bi)>),
}

/// Names or paths of a program, the first one found is taken.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Program {
    /// On Linux and the other free systems.
    pub linux: Vec<String>,
    /// On macOS.
    pub macos: Vec<String>,
    /// On Windows.
    pub windows: Vec<String>,
    /// How to get it; may be empty.
    pub install: Bi,
}

/// One argument, or several that depend on something.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Arg {
    /// Always.
    Word(Template),
    /// Under a condition.
    When(Condition, Vec<Template>),
    /// For each pinned key.
    EachKey(Vec<Template>),
}

/// When arguments are there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condition {
    /// Of what.
    pub of: Of,
    /// It has this value; `None`: any, but not none.
    pub is: Option<String>,
    /// The contrary.
    pub not: bool,
}

/// What a condition looks at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Of {
    /// A value.
    Value(template::Name),
    /// Whether the entry has a secret, or one is asked for.
    Secret(Slot),
    /// Whether a key of the server is pinned.
    Pinned,
}

/// How a secret reaches the program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Secret {
    /// Which.
    pub slot: Slot,
    /// How.
    pub by: By,
    /// The person is asked when there is none; only for passwords.
    pub ask: bool,
}

/// The way of a secret.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum By {
    /// A line on standard input.
    Line,
    /// What is read from a descriptor that a path names.
    Pipe(Template, Escape),
    /// Typed where this is asked.
    Prompt(String),
    /// Told by a helper program that this variable names, when it asks this.
    Askpass(String, String),
}

/// What is done with signs of a secret that mean something to who reads the pipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Escape {
    /// Nothing.
    None,
    /// A backslash before quotation marks and backslashes.
    Backslash,
}

/// Something typed where this is asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The question.
    pub pattern: String,
    /// The answer.
    pub types: Template,
}

/// How the program shows a server's key, and how it is told the decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trust {
    /// With the groups `fingerprint` and, if it tells, `algorithm`.
    pub pattern: String,
    /// Typed for yes.
    pub accept: String,
    /// Typed for no.
    pub refuse: String,
}

/// When the session is open.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Ready {
    /// Once the program runs.
    Start,
    /// Once it says something and then waits.
    Output,
    /// Once it says this.
    Pattern(String),
}

/// Words by which a failure is known.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FailureSign {
    /// The words.
    pub pattern: String,
    /// What it is.
    pub kind: FailureKind,
    /// What to say; else the program's own words.
    pub what: Option<Bi>,
    /// What to do.
    pub todo: Option<Bi>,
}

/// How the program is ended.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Stop {
    /// Typed first; may be empty.
    pub types: String,
    /// Sent then.
    pub signal: StopSignal,
    /// Seconds until it is ended by force.
    pub wait_secs: u64,
}

/// A signal that ends a program.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum StopSignal {
    /// SIGHUP, as closing a terminal does.
    Hup,
    /// SIGINT, as Ctrl+C does.
    Int,
    /// SIGTERM.
    Term,
}
