//! Profiles of OpenVPN, as clients and their firewalls give them: read into what is
//! known to be harmless, written again from that alone. Opens no file, no socket and
//! no process; what is secret never prints.

pub mod allow;
mod args;
mod certificate;
mod differ;
mod facts;
mod hints;
mod leave;
mod model;
mod parts;
pub mod provisioning;
mod read;
mod refused;
mod value;
mod warn;
mod why;
mod words;
mod write;

pub use certificate::{Certificate, Role};
pub use differ::changes;
pub use facts::{Challenge, Facts, Place};
pub use hints::{Hints, Login};
pub use model::{PartKind, Profile, Proto, Remote};
pub use read::{Beside, Reading, read};
pub use refused::Refused;
pub use why::{Class, Dropped};

/// Largest profile with all its files, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// Largest file that a profile may name, in bytes.
pub const MAX_FILE_BYTES: usize = 256 * 1024;
/// Most directives of a profile, taken or left out: what compares two of them looks at
/// each with each.
pub const MAX_DIRECTIVES: usize = 5000;
