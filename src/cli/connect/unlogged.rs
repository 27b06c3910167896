//! A target without a vault, for trying a manifest: what the program wants is typed
//! here, and nothing is stored or logged.

use std::sync::atomic::AtomicI32;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use crate::app::api::AppError;
use crate::app::{OpenSession, SessionUi};
use crate::cli::{Context, prompt};
use crate::connect::launch::{Child, Launch};
use crate::connect::link::{Channel, ChannelRequest, Link, LinkInfo, Sink};
use crate::connect::{Answer, Connector, Lease, Progress, Question};
use crate::model::entry::Slot;
use crate::model::id::SessionId;
use crate::model::target::Target;
use crate::os::terminal;
use crate::secret::{SecretBytes, SecretText};

use super::carry::{Terms, carry, open_channel, watch_signals};
use super::person::Terminal;
use super::request::size;

/// Opens a target without a vault, in this terminal: nothing is stored and nothing
/// is logged, and what the program wants is asked for here.
pub fn without_vault(
    context: &Context,
    connector: &'static dyn Connector,
    target: &Target,
) -> Result<u8, AppError> {
    let asked_to_end = Arc::new(AtomicI32::new(0));
    let (ends, end) = channel();
    let resized = Arc::new(Mutex::new(None::<Arc<Mutex<Box<dyn Channel>>>>));
    watch_signals(ends.clone(), Arc::clone(&asked_to_end), Arc::clone(&resized));
    let mut lease = NoVault(Terminal::new(context.lang, &asked_to_end));
    let link = connector.open(target, &mut lease).map_err(AppError::from);
    let mut ui = lease.0;
    let link = link.map_err(|error| ui.unanswered().unwrap_or(error))?;
    let session: Arc<dyn OpenSession> = Arc::new(Unlogged(link));
    let there = terminal::stdin_is_terminal();
    let term = if there { "xterm-256color" } else { "" };
    let request = ChannelRequest::Shell { size: size(), term: term.to_owned() };
    let open = open_channel(&session, &request, &ends, &end);
    let on = Terms { on_terminal: true, interactive: true, plain: true, warned: &ui.warned };
    carry(context, &session, open, on, (ends, &end, &resized))
}

/// Gives what the person types, and keeps nothing.
struct NoVault(Terminal);

impl Lease for NoVault {
    fn take(&mut self, _hop: usize, slot: &Slot) -> Option<SecretBytes> {
        let asked = format!("{slot}\u{a0}:");
        let typed = prompt::secret(self.0.lang, &asked, &format!("{slot}:"));
        match self.0.answered(typed) {
            Answer::Text(text) if !text.is_empty() => Some(text.into_bytes()),
            _ => None,
        }
    }

    fn totp(&mut self, hop: usize) -> Option<SecretText> {
        self.take(hop, &Slot::Totp).and_then(|code| code.into_text().ok())
    }

    fn spawn(&mut self, launch: Launch) -> std::io::Result<Child> {
        launch.start()
    }

    fn ask(&mut self, question: Question) -> Answer {
        self.0.ask(question)
    }

    fn say(&mut self, progress: Progress) {
        self.0.say(progress);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

/// A link that no log tells of.
struct Unlogged(Box<dyn Link>);

impl OpenSession for Unlogged {
    fn id(&self) -> SessionId {
        SessionId([0; 16])
    }

    fn info(&self) -> LinkInfo {
        self.0.info()
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, AppError> {
        Ok(self.0.open_channel(request, sink)?)
    }

    fn alive(&self) -> bool {
        self.0.alive()
    }

    fn close(&self) {
        self.0.close();
    }
}
