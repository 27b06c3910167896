//! Every command and flag, in one place: parser, help, manual page and
//! completions read it. The French help is in `french`. No flag takes a secret.

mod audit;
mod entries;
mod members;
mod sessions;
mod values;
mod vault;
mod vpn;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::model::lang::Lang;

pub use audit::{Audit, Export, Filters, Verify};
pub use entries::{Add, Edit, EntryPath, Find, Generate, Ls, Mv, OptionalPath, Restore, Rm};
pub use entries::{Show, Totp, Why};
pub use members::{Device, Member, Rights};
pub use sessions::{Connect, Connector, Snapshot, SnapshotTake, Try};
pub use values::{duration, yes_no};
pub use vault::{Backup, Completions, Demo, Init, KitFlags, Man, Recover, Settings, Unlock};
pub use vpn::{Vpn, VpnImport};

use values::lang;

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
    /// Browse names only: nothing is written (but a refused unlock), revealed or connected
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
    /// VPNs: take profiles in, see which are up, take them down
    #[command(subcommand)]
    Vpn(Vpn),
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
