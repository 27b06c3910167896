//! Ending a program, from whatever thread: as its manifest says, then by force. Once,
//! and whoever comes meanwhile waits until it is done.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::askpass::Desk;
use super::{Stop, StopSignal};
use crate::os::process::signal_group;

/// Whether the program has ended.
#[derive(Default)]
pub(super) struct Ended(Mutex<bool>, Condvar);

impl Ended {
    pub(super) fn note(&self) {
        *lock(&self.0) = true;
        self.1.notify_all();
    }

    /// Waits for the end; whether it came.
    pub(super) fn within(&self, limit: Duration) -> bool {
        let over = self.1.wait_timeout_while(lock(&self.0), limit, |over| !*over);
        *over.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// What is needed to end the program, from whatever thread.
pub(super) struct Held {
    pub(super) pid: u32,
    pub(super) ended: Arc<Ended>,
    pub(super) stop: Stop,
    pub(super) typing: Option<Sender<Vec<u8>>>,
    /// There as long as the program may ask.
    pub(super) desk: Option<Desk>,
}

pub(super) type Hold = Arc<Mutex<Option<Held>>>;

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the program as its manifest says, then by force.
pub(super) fn end(hold: &Hold) {
    // Kept until it is done: who leaves the process meanwhile waits for it.
    let mut slot = lock(hold);
    let Some(held) = slot.take() else { return };
    let limit = Duration::from_secs(held.stop.wait_secs);
    if !held.ended.within(Duration::ZERO) {
        if let Some(typing) = held.typing.as_ref().filter(|_| !held.stop.types.is_empty()) {
            let _ = typing.send(held.stop.types.clone().into_bytes());
            held.ended.within(limit / 2);
        }
        if !held.ended.within(Duration::ZERO) {
            signal_group(
                held.pid,
                match held.stop.signal {
                    StopSignal::Hup => libc::SIGHUP,
                    StopSignal::Int => libc::SIGINT,
                    StopSignal::Term => libc::SIGTERM,
                },
            );
        }
        if !held.ended.within(limit) {
            signal_group(held.pid, libc::SIGKILL);
            held.ended.within(limit);
        }
    }
}
