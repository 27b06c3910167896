//! How the log is to be exported. It writes nothing.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Justification;
use crate::model::audit_event::AuditFilter;
use crate::model::lang::Lang;

/// How to export the log.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ExportRequest {
    /// Which format.
    pub format: ExportFormat,
    /// Which lines.
    pub filter: AuditFilter,
    /// Fields to leave out, by name.
    pub redact: Vec<String>,
    /// The file to write; its folder must exist.
    pub out: PathBuf,
    /// Language of the report formats.
    pub lang: Lang,
    /// Why, where the client asks for it.
    pub just: Justification,
}

/// Formats of the exported log.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ExportFormat {
    /// ZIP that proves itself.
    Bundle,
    /// RFC 4180.
    Csv,
    /// One JSON object per line.
    Jsonl,
    /// RFC 5424.
    Syslog,
    /// ArcSight Common Event Format.
    Cef,
    /// Open Cybersecurity Schema Framework, JSON lines.
    Ocsf,
    /// One self-contained page.
    Html,
    /// Office Open XML workbook.
    Xlsx,
    /// Report for a client's auditor.
    Pdf,
}

impl ExportFormat {
    /// Every format.
    pub const ALL: [Self; 9] = [
        Self::Bundle,
        Self::Csv,
        Self::Jsonl,
        Self::Syslog,
        Self::Cef,
        Self::Ocsf,
        Self::Html,
        Self::Xlsx,
        Self::Pdf,
    ];

    /// The word used in the CLI.
    pub fn word(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Syslog => "syslog",
            Self::Cef => "cef",
            Self::Ocsf => "ocsf",
            Self::Html => "html",
            Self::Xlsx => "xlsx",
            Self::Pdf => "pdf",
        }
    }

    /// Usual file name ending, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Bundle => "zip",
            Self::Syslog | Self::Cef => "log",
            Self::Ocsf => "json",
            other => other.word(),
        }
    }
}
