//! Flags of what looks at and changes entries. Those that describe one are in
//! `fields`; none takes a secret.

use std::path::PathBuf;

use clap::Args;

use super::values::at_least_one;
use crate::cli::fields::{ClientFlags, EntryFlags, SecretFlags};

#[derive(Args)]
pub struct OptionalPath {
    /// Client/Folder
    pub path: Option<String>,
}

#[derive(Args)]
pub struct EntryPath {
    /// Client/Folder/Name
    pub path: String,
}

#[derive(Args)]
pub struct Ls {
    /// Client/Folder
    pub path: Option<String>,
    /// What is in the recycle bin
    #[arg(long)]
    pub trash: bool,
}

#[derive(Args)]
pub struct Find {
    /// What to look for
    #[arg(required = true)]
    pub query: Vec<String>,
    /// At most so many
    #[arg(long, default_value = "50", value_name = "N", value_parser = at_least_one())]
    pub limit: usize,
}

#[derive(Args, Default)]
pub struct Why {
    /// Ticket number, where the client asks for one
    #[arg(long, value_name = "TICKET")]
    pub ticket: Option<String>,
    /// Reason, where the client asks for one
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

#[derive(Args)]
pub struct Show {
    /// Client/Folder/Name
    pub path: String,
    /// Only this field, as it is
    #[arg(long, value_name = "NAME")]
    pub field: Option<String>,
    /// Show secrets (this is logged)
    #[arg(long)]
    pub reveal: bool,
    /// Take out this attachment (this is logged); needs --out
    #[arg(long, value_name = "NAME", requires = "out", conflicts_with = "field")]
    pub attachment: Option<String>,
    /// Where to write the attachment
    #[arg(long, value_name = "FILE", requires = "attachment")]
    pub out: Option<PathBuf>,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Args)]
pub struct Add {
    /// client, folder, or the kind of entry
    pub kind: String,
    /// Client/Folder/Name of the new one
    pub path: String,
    #[command(flatten)]
    pub entry: EntryFlags,
    #[command(flatten)]
    pub client: ClientFlags,
    #[command(flatten)]
    pub secrets: SecretFlags,
}

#[derive(Args)]
pub struct Edit {
    /// Client/Folder/Name
    pub path: String,
    /// New name
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    pub entry: EntryFlags,
    #[command(flatten)]
    pub client: ClientFlags,
    #[command(flatten)]
    pub secrets: SecretFlags,
    /// Empty this field, secret, custom field or attachment
    #[arg(long, value_name = "FIELD")]
    pub clear: Vec<String>,
    /// Forget the pinned server keys of this entry's host and port
    #[arg(long)]
    pub forget_host_key: bool,
    /// Refuse if the entry is no longer at this version
    #[arg(long, value_name = "N")]
    pub expected_version: Option<u64>,
}

#[derive(Args)]
pub struct Mv {
    /// Client/Folder/Name
    pub from: String,
    /// A client or folder to move into, or the new path
    pub to: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Args)]
pub struct Rm {
    /// Client/Folder/Name
    pub path: String,
    /// Delete for good what is in the recycle bin already
    #[arg(long)]
    pub forever: bool,
}

#[derive(Args)]
pub struct Restore {
    /// Client/Folder/Name
    pub path: String,
    /// Go back to this version (see history)
    #[arg(long, value_name = "N")]
    pub version: Option<u64>,
}

#[derive(Args)]
pub struct Totp {
    /// Client/Folder/Name
    pub path: String,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Args)]
pub struct Generate {
    /// Number of characters, or of words with --words
    #[arg(long, short, value_name = "N")]
    pub length: Option<usize>,
    /// Words instead of characters
    #[arg(long)]
    pub words: bool,
    /// A mould: l u letters, d digit, s symbol, a letter or digit, x any, v vowel, c consonant
    #[arg(long, value_name = "MOULD", conflicts_with_all = ["words", "length"])]
    pub pattern: Option<String>,
    /// Between words
    #[arg(long, default_value = "-", value_name = "TEXT", requires = "words")]
    pub separator: String,
    /// Words begin with a capital
    #[arg(long, requires = "words")]
    pub capitals: bool,
    /// No lower-case letters
    #[arg(long, conflicts_with_all = ["words", "pattern"])]
    pub no_lower: bool,
    /// No upper-case letters
    #[arg(long, conflicts_with_all = ["words", "pattern"])]
    pub no_upper: bool,
    /// No digits
    #[arg(long, conflicts_with_all = ["words", "pattern"])]
    pub no_digits: bool,
    /// No symbols
    #[arg(long, conflicts_with_all = ["words", "pattern"])]
    pub no_symbols: bool,
    /// Nothing that is easily misread, such as 0 and O
    #[arg(long, conflicts_with = "words")]
    pub no_look_alikes: bool,
    /// How many
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// Rate the password read from standard input instead of making one
    #[arg(long, conflicts_with_all = ["words", "pattern", "length"])]
    pub rate: bool,
}
