//! The debugging pipe of a browser (Chrome DevTools Protocol): JSON messages that
//! end in a zero byte, one pipe each way. Sends, waits for answers, and keeps what
//! was told meanwhile. Knows no login.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::connect::host::child::{Command, Inbox};

/// Longest message that is taken: a page may put much into a form.
const MESSAGE_MAX_BYTES: usize = 64 << 20;

/// What the engine waits for.
pub enum Heard {
    /// A message of the browser.
    Message(Value),
    /// Its pipe has ended.
    Gone,
    /// The application wants something.
    Command(Command),
}

/// Why there is no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Silence {
    /// The browser has ended.
    Gone,
    /// The application ends the session.
    Quit,
    /// It did not answer in time, or cannot now: a page that is being replaced, or
    /// that shows a dialogue.
    Busy,
}

/// Commands from the application, for the engine's one queue.
pub struct Ear(Sender<Heard>);

impl Inbox for Ear {
    fn push(&self, command: Command) {
        // An engine that is gone wants no more commands.
        let _ = self.0.send(Heard::Command(command));
    }
}

/// The pipe.
pub struct Cdp {
    to: File,
    heard: Receiver<Heard>,
    ear: Sender<Heard>,
    last: u64,
    /// What was heard while something else was waited for.
    early: VecDeque<Heard>,
}

impl Cdp {
    /// Speaks over these pipes.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn new(to: File, from: File) -> io::Result<Self> {
        let (ear, heard) = channel();
        let mouth = ear.clone();
        std::thread::Builder::new().name("browser".into()).spawn(move || {
            listen(from, &mouth);
            let _ = mouth.send(Heard::Gone);
        })?;
        Ok(Self { to, heard, ear, last: 0, early: VecDeque::new() })
    }

    /// Where the application's commands go.
    pub fn inbox(&self) -> Ear {
        Ear(self.ear.clone())
    }

    /// Sends a command without waiting; its number.
    pub fn send(&mut self, session: &str, method: &str, params: Value) -> u64 {
        self.last += 1;
        let mut message = json!({ "id": self.last, "method": method, "params": params });
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        // A browser that is gone is noticed by who listens to it.
        let _ = self.to.write_all(&bytes);
        self.last
    }

    /// The next thing heard, what came early first.
    pub fn next(&mut self, limit: Option<Duration>) -> Option<Heard> {
        if let Some(heard) = self.early.pop_front() {
            return Some(heard);
        }
        self.fresh(limit)
    }

    /// The next thing heard now.
    fn fresh(&mut self, limit: Option<Duration>) -> Option<Heard> {
        match limit {
            None => Some(self.heard.recv().unwrap_or(Heard::Gone)),
            Some(limit) => match self.heard.recv_timeout(limit) {
                Ok(heard) => Some(heard),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => Some(Heard::Gone),
            },
        }
    }

    /// Sends a command and waits for its answer; what else is heard goes to `other`,
    /// which may send, or keeps for later what it gives back.
    ///
    /// # Errors
    /// None came, or the browser refused.
    pub fn call(
        &mut self,
        (session, method, params): (&str, &str, Value),
        limit: Duration,
        mut other: impl FnMut(&mut Self, Value) -> Option<Value>,
    ) -> Result<Value, Silence> {
        let id = self.send(session, method, params);
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.fresh(Some(left)) {
                None => return Err(Silence::Busy),
                Some(Heard::Gone) => {
                    self.early.push_back(Heard::Gone);
                    return Err(Silence::Gone);
                }
                Some(Heard::Command(Command::Quit)) => {
                    self.early.push_back(Heard::Command(Command::Quit));
                    return Err(Silence::Quit);
                }
                Some(Heard::Message(mut message)) if message["id"] == id => {
                    return match message.get("result") {
                        Some(_) => Ok(message["result"].take()),
                        None => Err(Silence::Busy),
                    };
                }
                Some(Heard::Message(message)) => {
                    let opens_dialog = message["method"] == "Page.javascriptDialogOpening";
                    if let Some(kept) = other(self, message) {
                        self.early.push_back(Heard::Message(kept));
                    }
                    // The page answers nothing while it waits for the person.
                    if opens_dialog {
                        return Err(Silence::Busy);
                    }
                }
                Some(command) => self.early.push_back(command),
            }
        }
    }
}

fn listen(from: File, mouth: &Sender<Heard>) {
    let mut from = BufReader::new(from);
    let mut message = Vec::new();
    loop {
        let Ok(part) = from.fill_buf() else { return };
        if part.is_empty() || message.len() > MESSAGE_MAX_BYTES {
            return;
        }
        let end = part.iter().position(|byte| *byte == 0);
        message.extend_from_slice(&part[..end.unwrap_or(part.len())]);
        let used = end.map_or(part.len(), |end| end + 1);
        from.consume(used);
        if end.is_none() {
            continue;
        }
        if let Ok(value) = serde_json::from_slice(&message)
            && mouth.send(Heard::Message(value)).is_err()
        {
            return;
        }
        message.clear();
    }
}
