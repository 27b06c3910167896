//! A child process to start: plain arguments, secrets by pipe only. The types
//! make the wrong way impossible: an argument is a `String`, a secret is not.

use std::ffi::OsString;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::{io, process};

use super::host::wire::MEMORY;
use super::vpn::door::Passage;
#[cfg(target_os = "linux")]
use crate::model::target::Target;
use crate::os::process::{Spawn, spawn};
use crate::os::shared_memory::{ReadMemory, Ticket, share};

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
    /// Memory that it is to write the pixels of a desktop to, and what it opens it by.
    memory: Option<(Arc<ReadMemory>, Ticket)>,
    /// Its way into the network of a VPN.
    pub(super) door: Option<Passage>,
    /// Where a VPN is told of new doors.
    #[cfg(target_os = "linux")]
    pub(super) hall: Option<OwnedFd>,
}

impl Launch {
    /// The hidden first argument that makes this program a session process.
    pub const SESSION_HOST: &str = "session-host";

    /// This program as a session process.
    pub fn session_host() -> Self {
        Self { args: vec![Self::SESSION_HOST.into()], ..Self::default() }
    }

    /// The same for a desktop, whose pixels it hands over in memory where the system
    /// has such a thing.
    pub fn desktop_host() -> Self {
        Self {
            memory: share(MEMORY).ok().map(|(memory, ticket)| (Arc::new(memory), ticket)),
            ..Self::session_host()
        }
    }

    /// The memory, before it starts.
    pub(super) fn memory(&self) -> Option<Arc<ReadMemory>> {
        self.memory.as_ref().map(|(memory, _)| Arc::clone(memory))
    }

    /// Where it is told of new doors, if it is to be a VPN.
    ///
    /// # Errors
    /// No descriptors left.
    #[cfg(target_os = "linux")]
    pub(super) fn hall_of(&mut self, target: &Target) -> io::Result<Option<OwnedFd>> {
        if !super::is_vpn(&target.kind) {
            return Ok(None);
        }
        let (mine, theirs) = crate::os::fds::pair()?;
        self.hall = Some(theirs);
        Ok(Some(mine))
    }

    /// Starts it: what a lease does once it has agreed.
    ///
    /// # Errors
    /// The program is missing or may not be started.
    pub fn start(self) -> io::Result<Child> {
        let mut what =
            Spawn { program: self.program, args: self.args, env: self.env, ..Spawn::default() };
        if let Some((_, ticket)) = self.memory {
            what.share(ticket);
        }
        #[cfg(target_os = "linux")]
        {
            use super::vpn::{door, engine};
            what.given.extend(self.door.map(|passage| (passage, door::NUMBER)));
            what.given.extend(self.hall.map(|hall| (hall, engine::HALL)));
        }
        Ok(Child { process: spawn(what)? })
    }
}

/// A started child with its three streams as pipes. Dropping it does not end it.
#[derive(Debug)]
pub struct Child {
    /// The process.
    pub process: process::Child,
}
