//! A child process to start: plain arguments, secrets by pipe only. The types
//! make the wrong way impossible: an argument is a `String`, a secret is not.

use std::ffi::OsString;
use std::process;

/// What to start. The environment is emptied but for a short allow-list.
#[derive(Debug, Default)]
pub struct Launch {
    /// Program: a path, or a name looked up in `PATH`. `None` starts this very
    /// program again, for the session process.
    pub program: Option<OsString>,
    /// Arguments; never a secret.
    pub args: Vec<OsString>,
    /// Variables to add; never a secret.
    pub env: Vec<(OsString, OsString)>,
}

/// A started child with its three streams as pipes. Dropping it does not end it.
#[derive(Debug)]
pub struct Child {
    /// The process.
    pub process: process::Child,
}
