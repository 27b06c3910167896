//! A file sent over a terminal's line: meanwhile what comes is for the protocol, and
//! nothing that is typed goes out. Paints nothing.

use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crate::connect::Failure;
use crate::connect::file_send::{FileSend, Line, Protocol, State};
use crate::connect::link::LineSignal;

use super::model::{Shared, Terminal, lock};

/// The file that a terminal sends, or the last one until its end was seen.
pub(super) enum Sending {
    /// Begun.
    File(FileSend),
    /// It did not even begin.
    Refused(Failure),
}

/// What is to be said of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SendShown {
    /// Its own name; empty when it did not even begin.
    pub name: String,
    /// Its length in bytes.
    pub total: u64,
    /// How it is sent.
    pub protocol: Option<Protocol>,
    /// How far it is.
    pub state: State,
}

/// The terminal's line, for as long as there is the terminal.
struct Lent(Weak<Shared>);

impl Line for Lent {
    fn send(&self, bytes: Vec<u8>) {
        if let Some(shared) = self.0.upgrade() {
            shared.outlet().send_held(bytes);
        }
    }

    fn backlog(&self) -> usize {
        self.0.upgrade().map_or(0, |shared| shared.outlet().backlog())
    }

    fn moved(&self) {
        if let Some(shared) = self.0.upgrade() {
            shared.changed();
        }
    }

    fn over(&self, last: &dyn Fn() -> Vec<u8>) {
        let Some(shared) = self.0.upgrade() else {
            last();
            return;
        };
        // What comes waits for this lock, and so stays behind these last words.
        let _sending = lock(&shared.sending);
        shared.outlet().hold(false);
        shared.outlet().signal(LineSignal::BytesOff);
        shared.parse(&last());
    }
}

impl Terminal {
    /// Sends a file; the far side may be silent for `patience`. Nothing happens while
    /// another is on its way or after the end.
    pub fn send_file(&self, protocol: Protocol, file: &Path, patience: Duration) {
        let shared = self.shared();
        let mut sending = lock(&shared.sending);
        let busy = matches!(&*sending, Some(Sending::File(file)) if file.state().runs());
        if busy || self.ended().is_some() {
            return;
        }
        // Held first: what is typed must not come between.
        shared.outlet().hold(true);
        shared.outlet().signal(LineSignal::BytesOn);
        let line = Arc::new(Lent(Arc::downgrade(shared)));
        *sending = Some(match FileSend::start(protocol, file, patience, line) {
            Ok(file) => Sending::File(file),
            Err(failure) => {
                shared.outlet().hold(false);
                shared.outlet().signal(LineSignal::BytesOff);
                Sending::Refused(failure)
            }
        });
        drop(sending);
        shared.changed();
    }

    /// The file on its way, or how the last one ended.
    pub fn file(&self) -> Option<SendShown> {
        Some(match &*lock(&self.shared().sending) {
            Some(Sending::File(file)) => SendShown {
                name: file.name.clone(),
                total: file.total,
                protocol: Some(file.protocol),
                state: file.state(),
            },
            Some(Sending::Refused(failure)) => SendShown {
                name: String::new(),
                total: 0,
                protocol: None,
                state: State::Failed(failure.clone()),
            },
            None => return None,
        })
    }

    /// Ends the file on its way.
    pub fn cancel_file(&self) {
        if let Some(Sending::File(file)) = &*lock(&self.shared().sending) {
            file.cancel();
        }
    }

    /// Its end was seen.
    pub fn dismiss_file(&self) {
        let mut sending = lock(&self.shared().sending);
        let runs = matches!(&*sending, Some(Sending::File(file)) if file.state().runs());
        if !runs {
            *sending = None;
        }
    }
}

impl Shared {
    /// Ends the file that is on its way: its line is gone.
    pub(super) fn end_file(&self) {
        if let Some(Sending::File(file)) = &*lock(&self.sending) {
            file.line_lost();
        }
    }

    /// Gives what came to the file that is on its way; back, if there is none.
    pub(super) fn for_file(&self, bytes: Vec<u8>) -> Option<Vec<u8>> {
        match &*lock(&self.sending) {
            Some(Sending::File(file)) if file.state().runs() => {
                file.hear(bytes);
                None
            }
            _ => Some(bytes),
        }
    }
}
