//! The person, as a connection sees one: questions and progress travel to the
//! tab, the answer travels back. Runs on the connection's thread and waits
//! there; knows no screen.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};

use crate::app::SessionUi;
use crate::connect::{Answer, Progress, Question};

use super::model::Wake;
use super::tab::{Message, Told};

/// What a connection's thread tells its tab with.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) tab: u64,
    pub(super) attempt: u64,
    pub(super) sender: Sender<Message>,
    pub(super) wake: Wake,
    pub(super) cancelled: Arc<AtomicBool>,
}

impl Teller {
    /// False when nobody listens any more.
    pub(super) fn tell(&self, told: Told) -> bool {
        let message = Message { tab: self.tab, attempt: self.attempt, told };
        let heard = self.sender.send(message).is_ok();
        (self.wake)(std::time::Duration::ZERO);
        heard
    }
}

impl SessionUi for Teller {
    /// Waits for the answer; a tab that was closed or cancelled says no.
    fn ask(&mut self, question: Question) -> Answer {
        if self.cancelled() {
            return Answer::No;
        }
        let (reply, answer) = channel();
        if !self.tell(Told::Question(question, reply)) {
            return Answer::No;
        }
        answer.recv().unwrap_or(Answer::No)
    }

    fn say(&mut self, progress: Progress) {
        self.tell(Told::Progress(progress));
    }

    fn cancelled(&self) -> bool {
        self.cancelled.load(Ordering::Acquire)
    }
}
