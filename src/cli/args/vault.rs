//! Flags of what is about the whole vault, and about this program. None takes a secret.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::values::{duration, seconds, yes_no};

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
