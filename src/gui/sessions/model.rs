//! The tabs: what is open, connecting, asking, broken or ended, and which one
//! is in front. Changed by calls and by messages; paints nothing, asks nobody.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::app::api::{AppError, At, Code, Justification};
use crate::app::{ConnectRequest, OpenSession};
use crate::connect::link::{ChannelRequest, LinkInfo, TermSize};
use crate::connect::{Answer, Progress, Question};
use crate::gui::backend::Backend;
use crate::gui::terminal::Terminal;
use crate::gui::terminal::model::Ended;
use crate::model::id::EntryId;
use crate::model::lang::Bi;

use super::ask::Teller;

/// Value of `TERM` on the far side.
const TERM: &str = "xterm-256color";

/// Asks the window for a repaint after a while. Callable from any thread.
pub type Wake = Arc<dyn Fn(Duration) + Send + Sync>;

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
    /// Was open. The terminal can still be read.
    Ended(Ended),
}

/// One tab.
pub struct Tab {
    /// Its id.
    pub id: TabId,
    /// What it opens.
    pub open_as: OpenAs,
    /// How far it is.
    pub state: TabState,
    /// The terminal, from the first connection on.
    pub terminal: Option<Terminal>,
    /// Facts of the open session.
    pub info: LinkInfo,
    /// Warnings told on the way, such as weak algorithms.
    pub warnings: Vec<Bi>,
    /// Something happened while another tab was in front.
    pub unseen: bool,
    attempt: u64,
    cancelled: Arc<AtomicBool>,
    reply: Option<Sender<Answer>>,
    session: Option<Box<dyn OpenSession>>,
}

impl Tab {
    /// True while a connection exists or is being made.
    pub fn busy(&self) -> bool {
        !matches!(self.state, TabState::Failed(_) | TabState::Ended(_))
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

pub(super) enum Told {
    Progress(Progress),
    Question(Question, Sender<Answer>),
    Opened(Box<dyn OpenSession>, Terminal),
    Failed(AppError),
}

/// All tabs.
pub struct Sessions {
    tabs: Vec<Tab>,
    front: Option<TabId>,
    next: u64,
    size: TermSize,
    backend: Arc<dyn Backend>,
    wake: Wake,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    working: Working,
}

impl Sessions {
    /// No tabs yet. `wake` asks for a repaint.
    pub fn new(backend: Arc<dyn Backend>, wake: Wake) -> Self {
        let (sender, receiver) = channel();
        let size = TermSize { cols: 100, rows: 30 };
        let working = Working::default();
        let (tabs, front, next) = (Vec::new(), None, 1);
        Self { tabs, front, next, size, backend, wake, sender, receiver, working }
    }

    /// The tabs from left to right.
    pub fn tabs(&self) -> &[Tab] {
        &self.tabs
    }

    /// The tab in front; `None` shows the page behind the tabs.
    pub fn front(&self) -> Option<TabId> {
        self.front
    }

    /// One tab.
    pub fn tab(&self, id: TabId) -> Option<&Tab> {
        self.tabs.iter().find(|tab| tab.id == id)
    }

    fn tab_mut(&mut self, id: TabId) -> Option<&mut Tab> {
        self.tabs.iter_mut().find(|tab| tab.id == id)
    }

    /// Tabs with a connection, or on the way to one.
    pub fn busy_count(&self) -> usize {
        self.tabs.iter().filter(|tab| tab.busy()).count()
    }

    /// Brings a tab to the front, or with `None` the page behind them.
    pub fn show(&mut self, id: Option<TabId>) {
        self.front = id.filter(|id| self.tab(*id).is_some());
        if let Some(tab) = self.front.and_then(|id| self.tab_mut(id)) {
            tab.unseen = false;
        }
    }

    /// The tab after or before the one in front, round in a circle.
    pub fn turn(&mut self, forward: bool) {
        let count = self.tabs.len();
        if count == 0 {
            return;
        }
        let now = self.front.and_then(|id| self.tabs.iter().position(|tab| tab.id == id));
        let next = match (now, forward) {
            (Some(now), true) => (now + 1) % count,
            (Some(now), false) => (now + count - 1) % count,
            (None, true) => 0,
            (None, false) => count - 1,
        };
        self.show(Some(self.tabs[next].id));
    }

    /// Moves a tab to another place in the row.
    pub fn reorder(&mut self, id: TabId, place: usize) {
        if let Some(from) = self.tabs.iter().position(|tab| tab.id == id) {
            let tab = self.tabs.remove(from);
            self.tabs.insert(place.min(self.tabs.len()), tab);
        }
    }

    /// The size a new terminal starts with: that of the room for it.
    pub fn set_size(&mut self, size: TermSize) {
        self.size = size;
    }

    /// Opens a new tab in front and starts to connect.
    pub fn open(&mut self, open_as: OpenAs) -> TabId {
        let id = TabId(self.next);
        self.next += 1;
        self.tabs.push(Tab {
            id,
            open_as,
            state: TabState::Connecting { steps: Vec::new(), since: Instant::now() },
            terminal: None,
            info: LinkInfo::default(),
            warnings: Vec::new(),
            unseen: false,
            attempt: 0,
            cancelled: Arc::default(),
            reply: None,
            session: None,
        });
        self.start(id);
        self.show(Some(id));
        id
    }

    /// Connects again, after a failure or an end.
    pub fn retry(&mut self, id: TabId) {
        if self.tab(id).is_some_and(|tab| !tab.busy()) {
            self.start(id);
        }
    }

    /// Connects again with another ticket and reason.
    pub fn retry_with(&mut self, id: TabId, just: Justification) {
        if let Some(tab) = self.tab_mut(id) {
            tab.open_as.just = just;
        }
        self.retry(id);
    }

    /// Gives up connecting; the tab stays and says so.
    pub fn cancel(&mut self, id: TabId) {
        let Some(tab) = self.tab_mut(id) else { return };
        if matches!(tab.state, TabState::Connecting { .. } | TabState::Question { .. }) {
            tab.cancelled.store(true, Ordering::Release);
            tab.reply = None;
            // Whatever that thread still says is for an attempt that is over.
            tab.attempt += 1;
            tab.state = TabState::Failed(given_up());
        }
    }

    /// Answers the question of a tab.
    pub fn answer(&mut self, id: TabId, answer: Answer) {
        let Some(tab) = self.tab_mut(id) else { return };
        if let TabState::Question { steps, .. } = &mut tab.state {
            let steps = std::mem::take(steps);
            tab.state = TabState::Connecting { steps, since: Instant::now() };
            if let Some(reply) = tab.reply.take() {
                // A connection that ended meanwhile has told so already.
                let _ = reply.send(answer);
            }
        }
    }

    /// Closes a tab and ends what runs in it.
    pub fn close(&mut self, id: TabId) {
        let Some(place) = self.tabs.iter().position(|tab| tab.id == id) else { return };
        let tab = self.tabs.remove(place);
        end(tab, "", &self.working);
        if self.front == Some(id) {
            let next = self.tabs.get(place).or(self.tabs.last()).map(|tab| tab.id);
            self.show(next);
        }
    }

    /// Closes every tab, and has the log say why.
    pub fn close_all(&mut self, why: &'static str) {
        for tab in std::mem::take(&mut self.tabs) {
            end(tab, why, &self.working);
        }
        self.front = None;
    }

    /// As [`Sessions::close_all`], and waits until each is logged, but not for
    /// longer than `limit`: a far side may not answer any more.
    pub fn close_all_and_wait(&mut self, why: &'static str, limit: Duration) {
        self.close_all(why);
        self.working.wait(limit);
        while let Ok(message) = self.receiver.try_recv() {
            if let Told::Opened(session, terminal) = message.told {
                session.close_because(why);
                drop(terminal);
            }
        }
    }

    /// Forgets what programs offered for the clipboard and nobody has answered.
    pub fn forget_offers(&self) {
        for terminal in self.tabs.iter().filter_map(|tab| tab.terminal.as_ref()) {
            drop(terminal.take_clipboard());
        }
    }

    /// Takes in what the connections said. Call once per frame, before painting.
    pub fn drain(&mut self) {
        while let Ok(message) = self.receiver.try_recv() {
            let front = self.front;
            let id = TabId(message.tab);
            match self.tab_mut(id).filter(|tab| tab.attempt == message.attempt) {
                Some(tab) => {
                    tab.unseen |= front != Some(id);
                    tab.told(message.told);
                }
                None => drop_late(message.told, &self.working),
            }
        }
        for tab in &mut self.tabs {
            tab.notice_end(&self.working);
        }
    }

    fn start(&mut self, id: TabId) {
        let (backend, wake, sender) =
            (Arc::clone(&self.backend), Arc::clone(&self.wake), self.sender.clone());
        let size = self.size;
        let Some(tab) = self.tab_mut(id) else { return };
        tab.attempt += 1;
        tab.cancelled = Arc::default();
        tab.state = TabState::Connecting { steps: Vec::new(), since: Instant::now() };
        tab.warnings.clear();
        tab.info = LinkInfo::default();
        let size = tab.terminal.as_ref().map_or(size, Terminal::size);
        let teller = Teller {
            tab: id.0,
            attempt: tab.attempt,
            sender,
            wake,
            cancelled: Arc::clone(&tab.cancelled),
        };
        let open_as = tab.open_as.clone();
        let at_work = self.working.begin();
        let run = move || {
            let _at_work = at_work;
            connect(&*backend, &open_as, size, teller);
        };
        let started = std::thread::Builder::new().name("connection".to_owned()).spawn(run);
        if let Err(e) = started
            && let Some(tab) = self.tab_mut(id)
        {
            tab.state = TabState::Failed(no_thread(&e));
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.close_all("");
    }
}

impl Tab {
    fn told(&mut self, told: Told) {
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
            Told::Opened(session, terminal) => {
                self.info = session.info();
                self.session = Some(session);
                self.terminal = Some(terminal);
                self.state = TabState::Live;
            }
            Told::Failed(error) => self.state = TabState::Failed(error),
        }
    }

    fn notice_end(&mut self, working: &Working) {
        if !matches!(self.state, TabState::Live) {
            return;
        }
        if let Some(ended) = self.terminal.as_ref().and_then(Terminal::ended) {
            self.state = TabState::Ended(ended);
            if let Some(session) = self.session.take() {
                in_background(working, move || session.close());
            }
        }
    }
}

/// The threads that still work for a tab, so that the end of the window can wait
/// for their lines in the log.
#[derive(Clone, Default)]
struct Working(Arc<(Mutex<usize>, Condvar)>);

/// One of them.
struct AtWork(Working);

impl Working {
    fn begin(&self) -> AtWork {
        *self.count() += 1;
        AtWork(self.clone())
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, limit: Duration) {
        let done = self.0.1.wait_timeout_while(self.count(), limit, |count| *count > 0);
        drop(done.map_err(PoisonError::into_inner));
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.0.1.notify_all();
    }
}

/// On the connection's thread: everything from the first packet to the shell.
fn connect(backend: &dyn Backend, open_as: &OpenAs, size: TermSize, mut teller: Teller) {
    let request = ConnectRequest {
        at: At::Id(open_as.entry),
        just: open_as.just.clone(),
        accept_host_key: None,
        reuse: false,
    };
    let session = match backend.connect(request, &mut teller) {
        Ok(session) => session,
        Err(error) => {
            teller.tell(Told::Failed(error));
            return;
        }
    };
    if teller.cancelled.load(Ordering::Acquire) {
        session.close();
        return;
    }
    let (terminal, sink) = Terminal::new(size);
    let wake = Arc::clone(&teller.wake);
    terminal.on_wake(move |delay| wake(delay));
    match session.open_channel(ChannelRequest::Shell { size, term: TERM.to_owned() }, sink) {
        Ok(channel) => {
            terminal.attach(channel);
            teller.tell(Told::Opened(session, terminal));
        }
        Err(error) => {
            session.close();
            teller.tell(Told::Failed(error));
        }
    }
}

/// Ends what a tab holds. Closing may wait for the far side, so not here.
fn end(tab: Tab, why: &'static str, working: &Working) {
    tab.cancelled.store(true, Ordering::Release);
    drop(tab.reply);
    if let Some(terminal) = tab.terminal.as_ref().filter(|_| why.is_empty()) {
        terminal.close();
    }
    let terminal = tab.terminal;
    if let Some(session) = tab.session {
        in_background(working, move || {
            // Before its channel: only what is cut off has a reason in the log.
            session.close_because(why);
            drop(terminal);
        });
    }
}

/// A session that opened after its tab was closed or cancelled.
fn drop_late(told: Told, working: &Working) {
    if let Told::Opened(session, terminal) = told {
        in_background(working, move || {
            terminal.close();
            session.close();
        });
    }
}

fn in_background(working: &Working, work: impl FnOnce() + Send + 'static) {
    let at_work = working.begin();
    // Without a thread the closure is dropped, and with it the session, which
    // closes it as well.
    let _ = std::thread::Builder::new().name("closing".to_owned()).spawn(move || {
        work();
        drop(at_work);
    });
}

fn given_up() -> AppError {
    AppError {
        code: Code::Connection,
        what: Bi::new("La connexion a été abandonnée.", "The connection was given up."),
        todo: Bi::new(
            "Rien n’est resté ouvert. Vous pouvez réessayer.",
            "Nothing was left open. You can try again.",
        ),
    }
}

fn no_thread(error: &std::io::Error) -> AppError {
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("Le système refuse de lancer la connexion ({error})."),
            format!("The system refuses to start the connection ({error})."),
        ),
        todo: Bi::new(
            "Fermez des onglets ou d’autres programmes, puis réessayez.",
            "Close tabs or other programs, then try again.",
        ),
    }
}
