//! Who answers a device while the window reads its configuration: the person, in a
//! dialog. Runs on the reading thread and waits there; knows no screen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use crate::app::SessionUi;
use crate::connect::{Answer, Progress, Question};
use crate::model::id::EntryId;

/// A question on its way to the person. Whoever drops it has said no.
pub struct Asked {
    /// The entry whose configuration is read.
    pub entry: EntryId,
    /// What is asked.
    pub question: Question,
    /// Where the answer goes.
    pub reply: Sender<Answer>,
    /// Gives up the reading.
    pub given_up: Arc<AtomicBool>,
}

/// The person, who may give up.
pub struct Asking<F> {
    /// The entry whose configuration is read.
    pub entry: EntryId,
    /// The person gave up.
    pub given_up: Arc<AtomicBool>,
    /// Brings a question to the window.
    pub tell: F,
}

impl<F: Fn(Asked) + Send> SessionUi for Asking<F> {
    fn ask(&mut self, question: Question) -> Answer {
        if self.cancelled() {
            return Answer::No;
        }
        let (reply, answer) = channel();
        let given_up = Arc::clone(&self.given_up);
        (self.tell)(Asked { entry: self.entry, question, reply, given_up });
        answer.recv().unwrap_or(Answer::No)
    }

    fn say(&mut self, _progress: Progress) {}

    fn cancelled(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}
