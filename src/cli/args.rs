//! Every command and flag, in one place: parser, help, manual page and
//! completions read it. The French help is in `french`. No flag takes a secret.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::app::api::ExportFormat;
use crate::model::lang::Lang;
use crate::model::member::Role;

use super::fields::{ClientFlags, EntryFlags, SecretFlags};

/// Encrypted vault of client credentials, and launcher of every remote session
#[derive(Parser)]
#[command(name = "poterne", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Without one, the window opens.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The vault's file (else POTERNE_VAULT, else the one of the data folder)
    #[arg(long, global = true, value_name = "FILE")]
    pub vault: Option<PathBuf>,
    /// Who opens it (else POTERNE_MEMBER; not needed when there is one member)
    #[arg(long, global = true, value_name = "NAME")]
    pub member: Option<String>,
    /// Language of what you read: fr or en (else POTERNE_LANG, else the locale)
    #[arg(long, global = true, value_name = "LANG", value_parser = lang)]
    pub lang: Option<Lang>,
    /// One JSON document instead of text (see the guide, cli.md)
    #[arg(long, global = true)]
    pub json: bool,
    /// Browse names only: nothing is written, revealed or connected
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Open a copy older than the last one seen here, and log that
    #[arg(long, global = true)]
    pub accept_older: bool,
}

#[derive(Subcommand)]
pub enum Command {
    /// Make a vault
    Init(Init),
    /// Unlock the vault for later commands (starts an agent)
    Unlock(Unlock),
    /// Lock the vault: ends the agent
    Lock,
    /// Whether the vault is unlocked, and by whom
    Status,
    /// Show everything below a folder, or everything
    Tree(OptionalPath),
    /// List a folder, or the clients
    Ls(Ls),
    /// Search names, hosts, users, tags, kinds and paths
    Find(Find),
    /// Show an entry; secrets only with --reveal
    Show(Show),
    /// Make a client, a folder or an entry
    Add(Box<Add>),
    /// Change a client, a folder or an entry
    Edit(Box<Edit>),
    /// Move or rename
    Mv(Mv),
    /// Move to the recycle bin
    Rm(Rm),
    /// Take back from the recycle bin, or go back to an older version
    Restore(Restore),
    /// Versions of an entry: the current one, then the older ones
    History(EntryPath),
    /// Open a session or a web page, or run a command
    Connect(Connect),
    /// The configuration of a device: read it, see what is kept, what differs
    #[command(subcommand)]
    Snapshot(Snapshot),
    /// Effective settings of an entry and where they come from
    Plan(EntryPath),
    /// The current one-time code of an entry
    Totp(Totp),
    /// Make a password
    Generate(Generate),
    /// The access log
    #[command(subcommand)]
    Audit(Audit),
    /// Members of the vault
    #[command(subcommand)]
    Member(Member),
    /// Your enrolled computers
    #[command(subcommand)]
    Device(Device),
    /// Kinds of entries, and connectors by manifest
    #[command(subcommand)]
    Connector(Connector),
    /// Change your password
    Passwd,
    /// Enrol another phone
    TotpReset,
    /// Set a new password and phone with the recovery kit
    Recover(Recover),
    /// Make a new recovery kit: asks your factors again; the old one stops working
    Kit,
    /// Write a verified copy, or go back to one
    Backup(Backup),
    /// Verify every record, the keys and the log
    Check,
    /// Show or change the vault's settings
    Settings(Settings),
    /// Look for what is missing on this computer
    Doctor,
    /// A throw-away vault to play with
    Demo(Demo),
    /// Completions for a shell
    Completions(Completions),
    /// The manual page
    Man(Man),
    /// The agent's own process
    #[command(name = crate::app::agent::COMMAND, hide = true)]
    AgentProcess,
}

#[derive(Args)]
pub struct Init {
    /// Opens on any computer: guarded by password and code only
    #[arg(long)]
    pub portable: bool,
    /// Memory for key stretching in MiB, at least 64 (else about one second's worth)
    #[arg(long, value_name = "MIB")]
    pub kdf_memory: Option<u32>,
    #[command(flatten)]
    pub kit: KitFlags,
}

#[derive(Args)]
pub struct KitFlags {
    /// Do not ask to type the recovery kit back; it is printed all the same
    #[arg(long)]
    pub kit_confirmed: bool,
    /// Also write the recovery kit as a PDF page
    #[arg(long, value_name = "FILE")]
    pub kit_pdf: Option<PathBuf>,
}

#[derive(Args)]
pub struct Unlock {
    /// Lock after so long without use, such as 90s, 15m or 2h
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<std::time::Duration>,
}

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

/// Nobody asks for nothing.
fn at_least_one() -> clap::builder::RangedU64ValueParser<usize> {
    clap::builder::RangedU64ValueParser::new().range(1..)
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
pub struct Connect {
    /// Client/Folder/Name
    pub path: String,
    #[command(flatten)]
    pub why: Why,
    /// Accept this server key, if it is the one shown (SHA256:…)
    #[arg(long, value_name = "FINGERPRINT")]
    pub accept_host_key: Option<String>,
    /// Open a new connection even if one is open already
    #[arg(long)]
    pub no_reuse: bool,
    /// Run the command on a terminal
    #[arg(long, short)]
    pub tty: bool,
    /// The command to run; without it, an interactive shell. One argument is a
    /// line for the far shell; several stay the words they are
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

#[derive(Subcommand)]
pub enum Snapshot {
    /// Read the configuration now, keep it, and show what changed since the last
    Take(SnapshotTake),
    /// Which are kept, the newest first
    List(EntryPath),
    /// Show one (this is logged)
    Show {
        /// Client/Folder/Name
        path: String,
        /// Its number, as listed; else the newest
        number: Option<u64>,
        #[command(flatten)]
        why: Why,
    },
    /// Show what differs between two (this is logged)
    Diff {
        /// Client/Folder/Name
        path: String,
        /// Number of the older one; else the one before the newer
        from: Option<u64>,
        /// Number of the newer one; else the newest
        to: Option<u64>,
        #[command(flatten)]
        why: Why,
    },
}

#[derive(Args)]
pub struct SnapshotTake {
    /// Client/Folder/Name
    pub path: String,
    #[command(flatten)]
    pub why: Why,
    /// Accept this server key, if it is the one shown (SHA256:…)
    #[arg(long, value_name = "FINGERPRINT")]
    pub accept_host_key: Option<String>,
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

#[derive(Subcommand)]
pub enum Audit {
    /// Show lines
    Log(Filters),
    /// Write lines to a file
    Export(Export),
    /// Verify the log, or an exported bundle (which needs no vault)
    Verify(Verify),
    /// The vault's public fingerprint
    Fingerprint,
}

#[derive(Args, Default)]
pub struct Filters {
    /// From this time: RFC 3339, a day, or so long ago (36h, 7d)
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Until this time
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Only lines of this member
    #[arg(long, value_name = "NAME")]
    pub by: Vec<String>,
    /// Only lines about this client
    #[arg(long, value_name = "NAME")]
    pub client: Vec<String>,
    /// Only this event, such as session.opened
    #[arg(long, value_name = "EVENT")]
    pub event: Vec<String>,
    /// Only lines with these words
    #[arg(long, value_name = "WORDS")]
    pub text: Option<String>,
    /// Only the last so many
    #[arg(long, value_name = "N")]
    pub last: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Bundle,
    Csv,
    Jsonl,
    Syslog,
    Cef,
    Ocsf,
    Html,
    Xlsx,
    Pdf,
}

impl From<Format> for ExportFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Bundle => Self::Bundle,
            Format::Csv => Self::Csv,
            Format::Jsonl => Self::Jsonl,
            Format::Syslog => Self::Syslog,
            Format::Cef => Self::Cef,
            Format::Ocsf => Self::Ocsf,
            Format::Html => Self::Html,
            Format::Xlsx => Self::Xlsx,
            Format::Pdf => Self::Pdf,
        }
    }
}

#[derive(Args)]
pub struct Export {
    /// Only the bundle proves itself
    #[arg(long, value_enum)]
    pub format: Format,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Replace the file if there is one
    #[arg(long)]
    pub force: bool,
    /// Leave out this field, such as host or reason
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    pub redact: Vec<String>,
    #[command(flatten)]
    pub filters: Filters,
    #[command(flatten)]
    pub why: Why,
}

#[derive(Args)]
pub struct Verify {
    /// An exported bundle; without it, the vault's own log
    pub bundle: Option<PathBuf>,
    /// The fingerprint the vault's owner told you
    #[arg(long, value_name = "FP", requires = "bundle")]
    pub fingerprint: Option<String>,
}

#[derive(Subcommand)]
pub enum Member {
    /// Who they are
    List,
    /// Make a one-time invitation
    Invite(Rights),
    /// Accept an invitation with an own password and phone
    Accept(KitFlags),
    /// Change role and clients
    Role(Rights),
    /// Remove, change the keys, and list what to change elsewhere
    Remove {
        /// Who
        name: String,
    },
    /// What removed members had seen or used, to be changed elsewhere
    Rotation {
        /// Only of this one
        name: Option<String>,
    },
}

#[derive(Args)]
pub struct Rights {
    /// Who
    pub name: String,
    /// owner, admin, technician, operator or auditor
    #[arg(long, value_parser = role)]
    pub role: Role,
    /// All clients, later ones too
    #[arg(long, conflicts_with = "client")]
    pub all_clients: bool,
    /// This client (repeat)
    #[arg(long, value_name = "NAME")]
    pub client: Vec<String>,
    /// No client at all
    #[arg(long, conflicts_with_all = ["client", "all_clients"])]
    pub no_clients: bool,
}

#[derive(Subcommand)]
pub enum Device {
    /// Which they are
    List,
    /// Show a one-time code for another computer: asks your factors again
    Add {
        /// Name of the other computer
        #[arg(default_value = "")]
        label: String,
    },
    /// Enrol this computer: asks the one-time code or the kit, your password twice (it becomes this computer's), then the code from your phone
    Enrol,
    /// Remove one
    Remove {
        /// Its id, as listed
        id: String,
    },
}

#[derive(Subcommand)]
pub enum Connector {
    /// Which there are, where from, and whether they can run here
    List,
    /// Check a manifest: every fault with its line and column
    Check {
        /// The manifest, a TOML file
        file: PathBuf,
    },
    /// Run a manifest without a vault; its secrets are asked for
    Try(Try),
    /// Share a manifest with the members of the vault, in place of one of its kind
    Add {
        /// The manifest, a TOML file
        file: PathBuf,
    },
    /// Share it no longer: its entries stay, and open no more
    Remove {
        /// The word of its kind, as listed
        name: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Show a manifest, or what changed in it, and approve it for this computer
    Approve {
        /// The manifest, a TOML file
        file: PathBuf,
        /// Approve without asking, if it is this one (SHA256:…)
        #[arg(long, value_name = "FINGERPRINT")]
        fingerprint: Option<String>,
    },
}

#[derive(Args)]
pub struct Try {
    /// The manifest, a TOML file
    pub file: PathBuf,
    /// A field of the entry, such as host=srv1 (repeat); never a secret
    #[arg(long, value_name = "NAME=VALUE")]
    pub field: Vec<String>,
}

#[derive(Args)]
pub struct Recover {
    #[command(flatten)]
    pub kit: KitFlags,
}

#[derive(Args)]
pub struct Backup {
    /// Where to write the copy (else the vault's backup folder)
    #[arg(long, value_name = "FILE", conflicts_with = "restore")]
    pub out: Option<PathBuf>,
    /// Go back to this copy; the present file is kept beside it
    #[arg(long, value_name = "FILE")]
    pub restore: Option<PathBuf>,
}

#[derive(Args)]
pub struct Settings {
    /// Time without use before it locks, such as 90s, 15m or 2h
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| seconds(text, 30..=86_400))]
    pub idle_lock: Option<u64>,
    /// Locking ends open sessions: yes or no
    #[arg(long, value_name = "YES|NO", value_parser = yes_no)]
    pub lock_ends_sessions: Option<bool>,
    /// Time before a copied secret leaves the clipboard, such as 20s or 1m
    #[arg(long, value_name = "DURATION", value_parser = |text: &str| seconds(text, 5..=600))]
    pub clipboard: Option<u64>,
    /// Newest automatic backups kept
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub backups_kept: Option<u32>,
}

#[derive(Args)]
pub struct Demo {
    /// Write a made-up vault here instead of opening the window
    #[arg(long, value_name = "FILE", requires = "entries")]
    pub make: Option<PathBuf>,
    /// Number of entries in it
    #[arg(long, value_name = "N", requires = "make")]
    pub entries: Option<u32>,
}

#[derive(Args)]
pub struct Completions {
    /// Which shell
    #[arg(value_enum)]
    pub shell: Shell,
}

#[derive(Args)]
pub struct Man {
    /// Write one page per command into this folder
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
}

fn lang(text: &str) -> Result<Lang, String> {
    text.parse().map_err(|error| format!("{error}"))
}

fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// `yes` or `no`, in both languages.
pub fn yes_no(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "oui" | "true" | "1" => Ok(true),
        "no" | "non" | "false" | "0" => Ok(false),
        _ => Err("yes or no".to_owned()),
    }
}

/// Seconds of a [`duration`], if there are so many.
fn seconds(text: &str, allowed: std::ops::RangeInclusive<u64>) -> Result<u64, String> {
    let secs = duration(text)?.as_secs();
    let (least, most) = (allowed.start(), allowed.end());
    let out = || format!("a duration from {least} to {most} seconds");
    allowed.contains(&secs).then_some(secs).ok_or_else(out)
}

/// `90s`, `15m`, `2h`, `7d`, or a number of seconds.
pub fn duration(text: &str) -> Result<std::time::Duration, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let seconds = match unit {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" | "j" => 86_400,
        _ => return Err("a duration such as 90s, 15m or 2h".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(seconds))
        .filter(|seconds| (1..=366 * 86_400).contains(seconds))
        .map(std::time::Duration::from_secs)
        .ok_or_else(|| "a duration such as 90s, 15m or 2h".to_owned())
}
