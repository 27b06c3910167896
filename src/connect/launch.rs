//! A child process to start: plain arguments, secrets by pipe only. The types
//! make the wrong way impossible: an argument is a `String`, a secret is not.

use std::ffi::OsString;
use std::{io, process};

use crate::os::process::{Spawn, spawn};

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

impl Launch {
    /// The hidden first argument that makes this program a session process.
    pub const SESSION_HOST: &str = "session-host";

    /// This program as a session process.
    pub fn session_host() -> Self {
        Self { program: None, args: vec![Self::SESSION_HOST.into()], env: Vec::new() }
    }

    /// Starts it: what a lease does once it has agreed.
    ///
    /// # Errors
    /// The program is missing or may not be started.
    pub fn start(self) -> io::Result<Child> {
        let Self { program, args, env } = self;
        Ok(Child { process: spawn(Spawn { program, args, env, ..Spawn::default() })? })
    }
}

/// A started child with its three streams as pipes. Dropping it does not end it.
#[derive(Debug)]
pub struct Child {
    /// The process.
    pub process: process::Child,
}
