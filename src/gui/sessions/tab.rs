//! One tab: what it opens, how far it is, and what its connection told it.

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::Sender;
use std::time::Instant;

use crate::app::OpenSession;
use crate::app::api::{AppError, Code, Justification};
use crate::app::desktop::chance;
use crate::connect::link::{Exit, LinkInfo};
use crate::connect::vpn::journal::{Now, Step};
use crate::connect::{Answer, FailureKind, Progress, Question};
use crate::gui::screen::Screen;
use crate::gui::terminal::Terminal;
use crate::gui::terminal::model::Ended;
use crate::model::id::{EntryId, SessionId};
use crate::model::lang::Bi;

use super::attempt::{Working, in_background};
use super::back::Back;

/// One tab, for as long as the window is open.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct TabId(pub u64);

/// What to open and how the tab is called.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenAs {
    /// The entry.
    pub entry: EntryId,
    /// Its name.
    pub title: String,
    /// Name of its client.
    pub client: String,
    /// Colour of its client, `#rrggbb`; empty for none.
    pub colour: String,
    /// Ticket and reason, where the client wants them.
    pub just: Justification,
}

/// What a connection shows.
pub enum Face {
    /// A terminal.
    Terminal(Terminal),
    /// A desktop.
    Screen(Screen),
}

impl Face {
    /// How it ended; `None` while it runs.
    pub fn ended(&self) -> Option<Ended> {
        match self {
            Self::Terminal(terminal) => terminal.ended(),
            Self::Screen(screen) => screen.ended(),
        }
    }

    /// Closes its channel; what was shown stays.
    pub fn close(&self) {
        match self {
            Self::Terminal(terminal) => terminal.close(),
            Self::Screen(screen) => screen.close(),
        }
    }
}

/// How far a tab is.
pub enum TabState {
    /// On the way; what was said so far, and since when.
    Connecting {
        /// Steps, oldest first.
        steps: Vec<Progress>,
        /// Start of this attempt.
        since: Instant,
    },
    /// The connection waits for the person.
    Question {
        /// What it asks.
        question: Question,
        /// Steps so far.
        steps: Vec<Progress>,
    },
    /// Open.
    Live,
    /// Did not open.
    Failed(AppError),
    /// Was open. What it showed is still there.
    Ended(Ended),
}

/// The VPN that a tab goes through or shows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TabVpn {
    /// How it is.
    pub now: Now,
    /// The tab shows the VPN itself, with its log.
    pub own: bool,
    /// How many go through it, this tab among them.
    pub sessions: usize,
}

/// One tab.
pub struct Tab {
    /// Its id.
    pub id: TabId,
    /// What it opens.
    pub open_as: OpenAs,
    /// How far it is.
    pub state: TabState,
    /// What the connection shows, from the first one on.
    pub face: Option<Face>,
    /// Facts of the open session.
    pub info: LinkInfo,
    /// Warnings told on the way, such as weak algorithms.
    pub warnings: Vec<Bi>,
    /// Something happened while another tab was in front.
    pub unseen: bool,
    /// Its connection broke and is made again.
    pub back: Option<Back>,
    /// The VPN that it goes through or shows, as far as it is known.
    pub vpn: Option<TabVpn>,
    /// The session that was open last, and since when.
    pub(super) opened: Option<(SessionId, Instant)>,
    /// Attempts that the last break took.
    pub(super) tries: u32,
    pub(super) attempt: u64,
    pub(super) cancelled: Arc<AtomicBool>,
    pub(super) reply: Option<Sender<Answer>>,
    pub(super) session: Option<Box<dyn OpenSession>>,
}

impl Tab {
    /// True while a connection exists or is being made.
    pub fn busy(&self) -> bool {
        !matches!(self.state, TabState::Failed(_) | TabState::Ended(_))
    }

    /// The terminal, if it is one.
    pub fn terminal(&self) -> Option<&Terminal> {
        match &self.face {
            Some(Face::Terminal(terminal)) => Some(terminal),
            _ => None,
        }
    }

    /// The desktop, if it is one.
    pub fn screen(&self) -> Option<&Screen> {
        match &self.face {
            Some(Face::Screen(screen)) => Some(screen),
            _ => None,
        }
    }

    /// The refusal, when it was ticket or reason that did not suit, so that the
    /// same once more cannot help.
    pub fn refused(&self) -> Option<&AppError> {
        match &self.state {
            TabState::Failed(error) if error.code == Code::NotAllowed => Some(error),
            _ => None,
        }
    }

    /// Why it did not open, when the server's key was not the pinned one.
    pub fn key_changed(&self) -> Option<&AppError> {
        match &self.state {
            TabState::Failed(error) if error.code == Code::KeyChanged => Some(error),
            _ => None,
        }
    }

    /// How the VPN is that it goes through, when that carries nothing at the moment.
    pub fn vpn_away(&self) -> Option<&Now> {
        let live = matches!(self.state, TabState::Live);
        self.vpn.as_ref().map(|vpn| &vpn.now).filter(|now| live && now.step != Step::Up)
    }

    /// A sign for the state in few characters: of a session that ended, how.
    pub fn sign(&self) -> Cow<'static, str> {
        match &self.state {
            TabState::Ended(_) if self.back.is_some() => "…".into(),
            TabState::Connecting { .. } => "…".into(),
            TabState::Question { .. } => "?".into(),
            TabState::Live if self.vpn_away().is_some() => "…".into(),
            TabState::Live if self.unseen => "●".into(),
            TabState::Live => "".into(),
            TabState::Failed(_) => "!".into(),
            TabState::Ended(ended) => match (&ended.failure, &ended.exit) {
                (Some(_), _) | (None, Some(Exit::Signal(_))) => "!".into(),
                (None, Some(Exit::Status(0)) | None) => "✓".into(),
                (None, Some(Exit::Status(status))) => status.to_string().into(),
            },
        }
    }

    /// All warnings, those of the way first, each once.
    pub fn all_warnings(&self) -> Vec<&Bi> {
        let mut all: Vec<&Bi> = Vec::new();
        for warning in self.warnings.iter().chain(&self.info.warnings) {
            if !all.contains(&warning) {
                all.push(warning);
            }
        }
        all
    }
}

/// What a connection's thread tells.
pub(super) struct Message {
    pub(super) tab: u64,
    pub(super) attempt: u64,
    pub(super) told: Told,
}

impl Told {
    /// It tells of a VPN that the window may not know of.
    pub(super) fn of_vpn(&self) -> bool {
        match self {
            Self::Progress(Progress::Vpn(_)) => true,
            Self::Opened(session, _) => !session.info().vpn.is_empty(),
            _ => false,
        }
    }
}

pub(super) enum Told {
    Progress(Progress),
    Question(Question, Sender<Answer>),
    Opened(Box<dyn OpenSession>, Face),
    Failed(AppError),
}

impl Tab {
    pub(super) fn told(&mut self, told: Told, now: Instant) {
        match told {
            Told::Progress(Progress::Warning(text)) => self.warnings.push(text),
            Told::Progress(progress) => {
                if let TabState::Connecting { steps, .. } | TabState::Question { steps, .. } =
                    &mut self.state
                {
                    steps.push(progress);
                }
            }
            Told::Question(question, reply) => {
                let steps = match &mut self.state {
                    TabState::Connecting { steps, .. } => std::mem::take(steps),
                    _ => Vec::new(),
                };
                self.reply = Some(reply);
                self.state = TabState::Question { question, steps };
            }
            Told::Opened(session, face) => {
                self.info = session.info();
                self.opened = Some((session.id(), now));
                self.tries = self.back.take().map_or(0, |back| back.attempt);
                self.session = Some(session);
                self.face = Some(face);
                self.state = TabState::Live;
            }
            Told::Failed(error) => {
                let again = error.code == Code::Unreachable;
                let back = self.back.take();
                let why = back.as_ref().map(|back| back.why.clone());
                self.back = back.filter(|_| again).and_then(|back| back.again(now, chance()));
                self.state = match why.filter(|_| self.back.is_some()) {
                    Some(why) => TabState::Ended(Ended { exit: None, failure: Some(why) }),
                    None => TabState::Failed(error),
                };
            }
        }
    }

    pub(super) fn notice_end(&mut self, working: &Working, now: Instant) {
        if !matches!(self.state, TabState::Live) {
            return;
        }
        if let Some(ended) = self.face.as_ref().and_then(Face::ended) {
            let broke = ended.failure.clone().filter(|why| why.kind == FailureKind::Network);
            if let (Some(why), Some((_, since))) = (broke, self.opened)
                && self.info.comes_back
            {
                self.back = Back::after(why, self.tries, since, (now, chance()));
            }
            self.state = TabState::Ended(ended);
            if let Some(session) = self.session.take() {
                in_background(working, move || session.close());
            }
        }
    }
}
