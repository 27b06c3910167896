//! What the screens and the command line may ask of the application, and what
//! they get back. Plain data: it can cross the agent's socket, where `wire`
//! alone writes out the secrets in it. Nothing here acts.

mod export;
mod patch;
mod request;
mod view;

use serde::{Deserialize, Serialize};

use crate::model::lang::Bi;
pub use crate::model::settings::Settings;

pub use export::{ExportFormat, ExportRequest};
pub use patch::{AttachmentBytes, Patch, SecretChange, Set};
pub use request::{At, ChangePassword, Factors, Justification, Purpose, Reply, Request};
pub use view::{
    CheckReport, DeviceView, EntryView, Item, MemberView, PageView, RotateItem, SharedView,
    SnapshotText, SnapshotView, Status, Taken, TotpView, Verified, VersionView, VpnView,
};

/// A failure as a person and a program see it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AppError {
    /// Exit code class.
    pub code: Code,
    /// What happened.
    pub what: Bi,
    /// What to do about it.
    pub todo: Bi,
}

/// Exit codes of the command line.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// 1: anything else.
    Other,
    /// 2: wrong use.
    Usage,
    /// 3: locked, or a factor refused.
    Locked,
    /// 4: no such entry or vault file.
    NotFound,
    /// 5: role, ticket or reason forbids it.
    NotAllowed,
    /// 6: the far side could not be reached or trusted.
    Connection,
    /// 7: tampering or corruption.
    Tampered,
    /// 6 too: the server's key is not the pinned one.
    KeyChanged,
    /// 7 too: whole, but older than what was opened here before.
    OlderCopy,
    /// 6 too: nothing answered, or the connection broke: later it may.
    Unreachable,
}

impl Code {
    /// The process exit code.
    pub fn exit(self) -> u8 {
        match self {
            Self::Other => 1,
            Self::Usage => 2,
            Self::Locked => 3,
            Self::NotFound => 4,
            Self::NotAllowed => 5,
            Self::Connection | Self::KeyChanged | Self::Unreachable => 6,
            Self::Tampered | Self::OlderCopy => 7,
        }
    }
}
