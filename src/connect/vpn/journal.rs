//! What happens to a VPN: its state with the reason, its bytes, and its live log, in
//! which no secret stands. Decides nothing; whoever raises the VPN writes it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::connect::host::child::{Queue, Uplink};
use crate::connect::{Failure, Progress};
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::os::clock;
use crate::secret::SecretText;

/// Lines that are kept for who looks later.
const KEPT: usize = 500;
/// Longest line that is kept, in bytes.
const LONGEST: usize = 1000;
/// What stands in place of a secret.
const MASK: &str = "•••";
/// Shorter secrets would hide ordinary words.
const SHORTEST: usize = 4;

/// How far a VPN is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// The name of its server is looked up.
    Resolving,
    /// Its server is asked to answer.
    Contacting,
    /// Keys and login are exchanged.
    Authenticating,
    /// The server asks for a code.
    WaitingForCode,
    /// Addresses and routes are set.
    Configuring,
    /// It carries traffic.
    Up,
    /// It was up and is being raised again.
    Reconnecting,
    /// It is taken down.
    GoingDown,
}

impl Step {
    /// The one with this word.
    pub fn of_word(word: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
    }

    /// Words for a person.
    pub fn words(self) -> Bi {
        match self {
            Self::Resolving => Bi::new("recherche du serveur", "looking the server up"),
            Self::Contacting => Bi::new("appel du serveur", "contacting the server"),
            Self::Authenticating => Bi::new("authentification", "authenticating"),
            Self::WaitingForCode => Bi::new("attente du code", "waiting for the code"),
            Self::Configuring => Bi::new("configuration", "configuring"),
            Self::Up => Bi::new("monté", "up"),
            Self::Reconnecting => Bi::new("reconnexion", "reconnecting"),
            Self::GoingDown => Bi::new("arrêt", "going down"),
        }
    }
}

/// A VPN as it is at one moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Now {
    /// How far it is.
    pub step: Step,
    /// Why, where there is a reason, such as for a reconnection.
    pub why: Option<Bi>,
    /// Its address in the client's network; empty until it has one.
    pub address: String,
    /// Bytes from its server, as the protocol counts them.
    pub received: u64,
    /// Bytes to its server.
    pub sent: u64,
    /// Since when it is up.
    pub since: Option<Time>,
}

impl Default for Now {
    fn default() -> Self {
        let step = Step::Contacting;
        Self { step, why: None, address: String::new(), received: 0, sent: 0, since: None }
    }
}

/// The journal of one VPN.
pub struct Journal {
    inner: Mutex<Inner>,
    up: Arc<Uplink>,
    queue: Arc<Queue>,
}

#[derive(Default)]
struct Inner {
    now: Now,
    lines: VecDeque<String>,
    /// How many lines there were before those.
    gone: u64,
    hidden: Vec<SecretText>,
    over: Option<Option<Failure>>,
}

impl Journal {
    /// An empty one, which tells the application by `up` and rings at `queue`.
    pub fn new(up: Arc<Uplink>, queue: Arc<Queue>) -> Self {
        Self { inner: Mutex::default(), up, queue }
    }

    /// From now on this is masked in every line.
    pub fn hide(&self, secret: SecretText) {
        if secret.expose(|s| s.len() >= SHORTEST) {
            self.inner().hidden.push(secret);
        }
    }

    /// A text without the secrets that were hidden.
    pub fn masked(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.inner().hidden {
            secret.expose(|s| {
                if text.contains(s) {
                    text = text.replace(s, MASK);
                }
            });
        }
        text
    }

    /// The VPN is at this step, for this reason.
    pub fn step(&self, step: Step, why: Option<Bi>) {
        let mut inner = self.inner();
        if inner.now.step == step && inner.now.why == why && step != Step::Contacting {
            return;
        }
        let raised = inner.now.since.is_some();
        inner.now.step = step;
        inner.now.why = why;
        if step == Step::Up {
            inner.now.since = Some(clock::now());
        }
        if !raised {
            self.up.say(&Progress::Vpn(step));
        }
        self.up.vpn(&inner.now);
    }

    /// The VPN has this address in the client's network.
    pub fn address(&self, address: &str) {
        self.inner().now.address = address.to_owned();
    }

    /// Bytes received and sent so far.
    pub fn traffic(&self, received: u64, sent: u64) {
        let mut inner = self.inner();
        if (inner.now.received, inner.now.sent) != (received, sent) {
            (inner.now.received, inner.now.sent) = (received, sent);
            self.up.vpn(&inner.now);
        }
    }

    /// One line of the live log; control characters and secrets are taken out.
    pub fn log(&self, line: &str) {
        let mut text: String = line.chars().filter(|c| !c.is_control()).collect();
        text = self.masked(&text);
        if text.len() > LONGEST {
            text.truncate(text.floor_char_boundary(LONGEST));
            text.push('…');
        }
        let mut inner = self.inner();
        inner.lines.push_back(text);
        if inner.lines.len() > KEPT {
            inner.lines.pop_front();
            inner.gone += 1;
        }
        drop(inner);
        self.queue.bell().ring();
    }

    /// The VPN is over, and why if not because it was to be.
    pub fn end(&self, why: Option<Failure>) {
        self.inner().over.get_or_insert(why);
        self.queue.bell().ring();
    }

    /// Whether it is over, and why.
    pub fn over(&self) -> Option<Option<Failure>> {
        self.inner().over.clone()
    }

    /// The lines from the one with this number on, and the number of the next.
    pub fn from(&self, number: u64) -> (Vec<String>, u64) {
        let inner = self.inner();
        let skip = usize::try_from(number.saturating_sub(inner.gone)).unwrap_or(usize::MAX);
        let lines: Vec<String> = inner.lines.iter().skip(skip).cloned().collect();
        (lines, inner.gone + inner.lines.len() as u64)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
