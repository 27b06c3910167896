//! Flags of the access log: which lines, and how they are written.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};

use super::Why;
use crate::app::api::ExportFormat;

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

#[derive(Args)]
pub struct Export {
    /// Only the bundle proves itself
    #[arg(long, value_parser = format())]
    pub format: ExportFormat,
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

/// A format by its word.
fn format() -> impl TypedValueParser<Value = ExportFormat> {
    PossibleValuesParser::new(ExportFormat::ALL.map(ExportFormat::word)).map(|given| {
        let known = ExportFormat::ALL.into_iter().find(|format| format.word() == given);
        known.expect("it is one of the possible values")
    })
}

#[derive(Args)]
pub struct Verify {
    /// An exported bundle; without it, the vault's own log
    pub bundle: Option<PathBuf>,
    /// The fingerprint the vault's owner told you
    #[arg(long, value_name = "FP", requires = "bundle")]
    pub fingerprint: Option<String>,
}
