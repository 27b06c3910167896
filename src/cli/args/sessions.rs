//! Flags of what goes to a machine, and of the connectors that do. None takes a secret.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{EntryPath, Why};

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
