//! The tabs: what is open, connecting, asking, broken or ended, and which one
//! is in front. Changed by calls and by messages; paints nothing, asks nobody.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use crate::app::api::{AppError, Code, Justification, VpnView};
use crate::connect::link::{LinkInfo, TermSize};
use crate::connect::screen::ScreenSize;
use crate::connect::vpn::journal::Step;
use crate::connect::{Answer, Progress};
use crate::gui::backend::Backend;
use crate::gui::screen::Screen;
use crate::gui::terminal::Terminal;
use crate::gui::terminal::model::Ended;
use crate::model::lang::{Bi, Lang};

use super::ask::Teller;
use super::attempt::{Room, Working, connect, drop_late, end};
use super::tab::{Message, OpenAs, Tab, TabId, TabState, TabVpn, Told};

/// Asks the window for a repaint after a while. Callable from any thread.
pub type Wake = Arc<dyn Fn(Duration) + Send + Sync>;

/// All tabs.
pub struct Sessions {
    tabs: Vec<Tab>,
    front: Option<TabId>,
    next: u64,
    room: Room,
    backend: Arc<dyn Backend>,
    wake: Wake,
    sender: Sender<Message>,
    receiver: Receiver<Message>,
    working: Working,
    /// One of them tells of a VPN.
    vpn_news: bool,
}

impl Sessions {
    /// No tabs yet. `wake` asks for a repaint.
    pub fn new(backend: Arc<dyn Backend>, wake: Wake) -> Self {
        let (sender, receiver) = channel();
        let room = Room {
            cells: TermSize { cols: 100, rows: 30 },
            pixels: ScreenSize { width: 1024, height: 768, scale: 100 },
            lang: Lang::default(),
        };
        let working = Working::default();
        let (tabs, front, next, vpn_news) = (Vec::new(), None, 1, false);
        Self { tabs, front, next, room, backend, wake, sender, receiver, working, vpn_news }
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

    /// The language in which sessions tell what they do.
    pub fn set_lang(&mut self, lang: Lang) {
        self.room.lang = lang;
    }

    /// The size a new terminal starts with: that of the room for it.
    pub fn set_size(&mut self, size: TermSize) {
        self.room.cells = size;
    }

    /// The size a new desktop starts with: that of the room for it.
    pub fn set_pixels(&mut self, size: ScreenSize) {
        self.room.pixels = size;
    }

    /// Opens a new tab in front and starts to connect.
    pub fn open(&mut self, open_as: OpenAs) -> TabId {
        let id = TabId(self.next);
        self.next += 1;
        self.tabs.push(Tab {
            id,
            open_as,
            state: TabState::Connecting { steps: Vec::new(), since: Instant::now() },
            face: None,
            info: LinkInfo::default(),
            warnings: Vec::new(),
            unseen: false,
            back: None,
            vpn: None,
            opened: None,
            tries: 0,
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
        if let Some(tab) = self.tab_mut(id).filter(|tab| !tab.busy()) {
            (tab.back, tab.tries) = (None, 0);
            self.start(id);
        }
    }

    /// Makes the attempt now that a tab whose connection broke waits for.
    pub fn hasten(&mut self, id: TabId) {
        let waiting = self.tab_mut(id).and_then(|tab| tab.back.as_mut());
        if let Some(back) = waiting.filter(|back| back.due.is_some()) {
            back.due = None;
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
            tab.state = match tab.back.take() {
                Some(back) => TabState::Ended(Ended { exit: None, failure: Some(back.why) }),
                None => TabState::Failed(given_up()),
            };
        }
        tab.back = None;
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
            if let Told::Opened(session, face) = message.told {
                session.close_because(why);
                drop(face);
            }
        }
    }

    /// Forgets what programs offered for the clipboard and nobody has answered.
    pub fn forget_offers(&self) {
        for tab in &self.tabs {
            drop(tab.terminal().map(Terminal::take_clipboard));
            drop(tab.screen().map(Screen::take_clipboard));
        }
    }

    /// Takes in what the connections said, and begins what is due. Call once per
    /// frame, before painting.
    pub fn drain(&mut self, now: Instant) {
        while let Ok(message) = self.receiver.try_recv() {
            let front = self.front;
            self.vpn_news |= message.told.of_vpn();
            let id = TabId(message.tab);
            match self.tab_mut(id).filter(|tab| tab.attempt == message.attempt) {
                Some(tab) => {
                    tab.unseen |= front != Some(id);
                    tab.told(message.told, now);
                }
                None => drop_late(message.told, &self.working),
            }
        }
        for tab in &mut self.tabs {
            tab.notice_end(&self.working, now);
        }
        self.come_back(now);
    }

    /// Whether a tab told of a VPN since this was asked last.
    pub fn take_vpn_news(&mut self) -> bool {
        std::mem::take(&mut self.vpn_news)
    }

    /// How far the one VPN is that a tab raises; none where several do.
    pub fn raising(&self) -> Option<Step> {
        let mut steps = self.tabs.iter().filter_map(|tab| match &tab.state {
            TabState::Connecting { steps, .. } | TabState::Question { steps, .. } => {
                match steps.last()? {
                    Progress::Vpn(step) => Some(*step),
                    _ => None,
                }
            }
            _ => None,
        });
        let step = steps.next();
        step.filter(|_| steps.next().is_none())
    }

    /// How the VPNs are now: each tab learns of the one that it goes through or shows.
    pub fn set_vpns(&mut self, vpns: &[VpnView]) {
        let front = self.front;
        for tab in &mut self.tabs {
            let of = |vpn: &&VpnView| {
                let own = tab.open_as.entry == vpn.entry;
                tab.busy() && (own || tab.info.vpn == vpn.path)
            };
            let found = vpns.iter().find(of).map(|vpn| TabVpn {
                now: vpn.now.clone(),
                own: tab.open_as.entry == vpn.entry,
                sessions: vpn.sessions,
            });
            let before = tab.vpn_away().is_some();
            tab.vpn = found;
            let news = tab.vpn_away().is_some() != before;
            tab.unseen |= news && front != Some(tab.id);
        }
    }

    /// Begins the attempts whose time has come.
    fn come_back(&mut self, now: Instant) {
        let mut due = Vec::new();
        for tab in &mut self.tabs {
            match tab.back.as_mut().and_then(|back| back.due) {
                Some(at) if at <= now => due.push(tab.id),
                Some(at) => (self.wake)(at - now),
                None => {}
            }
        }
        due.into_iter().for_each(|id| self.hasten(id));
    }

    fn start(&mut self, id: TabId) {
        let (backend, wake, sender) =
            (Arc::clone(&self.backend), Arc::clone(&self.wake), self.sender.clone());
        let mut room = self.room;
        let Some(tab) = self.tab_mut(id) else { return };
        tab.attempt += 1;
        tab.cancelled = Arc::default();
        tab.state = TabState::Connecting { steps: Vec::new(), since: Instant::now() };
        tab.warnings.clear();
        tab.info = LinkInfo::default();
        room.cells = tab.terminal().map_or(room.cells, Terminal::size);
        let teller = Teller {
            tab: id.0,
            attempt: tab.attempt,
            sender,
            wake,
            cancelled: Arc::clone(&tab.cancelled),
        };
        let open_as = tab.open_as.clone();
        let after = tab.opened.filter(|_| tab.back.is_some()).map(|(id, _)| id);
        let at_work = self.working.begin();
        let run = move || {
            let _at_work = at_work;
            connect(&*backend, (&open_as, after), room, teller);
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
