//! The window itself: which screen is on, what keys do, when it locks.
//! `logic` drains answers and never paints; `ui` paints and never works.

mod ahead;
mod answers;
mod asked;
mod clips;
mod files;
mod kept;
mod keys;
mod leave;
mod lock;
mod main_view;
mod notices;
mod perform;
mod profiles;
mod reading;
mod refresh;
mod refusals;
mod top_bar;
mod vpns;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use egui::{CentralPanel, Context, Id, Ui, UiBuilder};

use crate::app::Change;
use crate::app::api::{EntryView, Request, Settings, Status};
use crate::app::desktop::SecretClipboard;
use crate::connect::manifest::registry;
use crate::model::id::EntryId;
use crate::model::lang::{Bi, Lang};
use crate::model::policy::{Action as Right, may};

use super::act::{Acts, Guarded, Page};
use super::asking::Asked;
use super::audit::model::AuditModel;
use super::backend::Backend;
use super::dialogs::{self, Dialog, Outcome};
use super::entries::details::Details;
use super::entries::editor::Editor;
use super::entries::list::ListModel;
use super::entries::rights::Rights;
use super::guide::model::GuideModel;
use super::guide::view::guide_ui;
use super::prefs::Prefs;
use super::screen::RawKeys;
use super::sessions::Sessions;
use super::sessions::view::SessionsView;
use super::settings::model::SettingsModel;
use super::team::model::TeamModel;
use super::theme::{self, Theme};
use super::unlock::model::UnlockModel;
use super::unlock::view::{Around, unlock_ui};
use super::vpn::model::Vpns;
use super::widgets::toast::Toasts;
use super::worker::{Command, Notice, Tag, Worker};
use super::{DemoInfo, fonts};

/// How long the computer's sleep waits for the window to wipe what it shows;
/// logind lets nobody wait for more than five seconds.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// How long the end of the window waits for its sessions to be logged.
const CLOSE_WAIT: Duration = Duration::from_secs(3);

/// A lock from outside, and whom to tell when the window has followed it.
type LockSignal = Option<Sender<()>>;

/// What time it is for the idle lock.
pub type Clock = Box<dyn Fn() -> Instant>;

/// What the shell needs to start.
pub struct ShellOptions {
    /// The application.
    pub backend: Arc<dyn Backend>,
    /// The vault's file.
    pub vault: PathBuf,
    /// Whether the file is there.
    pub exists: bool,
    /// Language asked for.
    pub lang: Option<Lang>,
    /// The throw-away vault's factors.
    pub demo: Option<DemoInfo>,
    /// What this computer remembers.
    pub prefs: Prefs,
    /// The clock of the idle lock, usually [`Instant::now`].
    pub clock: Clock,
    /// The keyboard as the system tells it, for desktops.
    pub keys: RawKeys,
}

/// The screen that is on.
enum Screen {
    /// Makes a vault or a way into one.
    Guide(Box<GuideModel>),
    /// Locked.
    Unlock(Box<UnlockModel>),
    /// Unlocked.
    Open(Box<Opened>),
}

/// Everything that is only there while the vault is open; dropped at lock.
struct Opened {
    status: Status,
    settings: Settings,
    page: Page,
    list: ListModel,
    details: Details,
    editor: Option<Box<Editor>>,
    audit: AuditModel,
    team: TeamModel,
    own: SettingsModel,
    vpns: Vpns,
    /// The entry about to be connected.
    connecting: Option<Box<EntryView>>,
    /// The entry whose details were asked for to connect it.
    asked_to_connect: Option<EntryId>,
    /// What was asked that may still want a ticket.
    guarded: Vec<(Tag, EntryId, Guarded)>,
    /// What devices ask, and nobody has seen yet.
    asking: VecDeque<Asked>,
    /// Last ticket given, by client.
    tickets: HashMap<String, String>,
}

impl Opened {
    fn new(status: Status) -> Self {
        let role = status.role;
        let list = ListModel { rights: Rights::of(&status), ..ListModel::default() };
        let mut audit = AuditModel::default();
        audit.browse = may(role, Right::Browse);
        audit.read_only = status.read_only;
        let page = if audit.browse { Page::Entries } else { Page::Audit };
        let vpns = Vpns::of(status.vpns.clone(), Instant::now());
        Self {
            status,
            settings: Settings::default(),
            page,
            list,
            details: Details::default(),
            editor: None,
            audit,
            team: TeamModel::default(),
            own: SettingsModel::default(),
            vpns,
            connecting: None,
            asked_to_connect: None,
            guarded: Vec::new(),
            asking: VecDeque::new(),
            tickets: HashMap::new(),
        }
    }

    fn may(&self, right: Right) -> bool {
        may(self.status.role, right)
    }
}

/// The window.
pub struct Shell {
    worker: Worker,
    clipboard: SecretClipboard,
    /// Tells how long a secret stays on the clipboard; `None` when it got none.
    clips: Sender<Option<Duration>>,
    clips_told: Receiver<Option<Duration>>,
    vault: PathBuf,
    demo: Option<DemoInfo>,
    prefs: Prefs,
    lang: Lang,
    screen: Screen,
    sessions: Sessions,
    sessions_view: SessionsView,
    /// The member whose tabs these are.
    tabs_of: Option<String>,
    /// The person has said yes to closing the window.
    leaving: bool,
    dialog: Option<Dialog>,
    /// What had the keyboard before the dialog, and what had it in there.
    before_dialog: Option<(Option<egui::Id>, Option<egui::Id>)>,
    /// What had the keyboard in the last two frames without a dialog.
    had_keys: [Option<egui::Id>; 2],
    /// What had the keyboard last, though a press elsewhere may have taken it.
    had_keys_last: Option<egui::Id>,
    /// How many forms were opened.
    openings: u64,
    /// Where in the list the member was who has locked.
    kept: Option<kept::Kept>,
    toasts: Toasts,
    clock: Clock,
    last_input: Instant,
    /// Locks from outside; who waits for it is answered.
    lock_signals: Receiver<LockSignal>,
    locks: Sender<LockSignal>,
    /// The application that a lock from outside reaches.
    served: Arc<Mutex<Arc<dyn Backend>>>,
    /// Hears of what others write through this window.
    changes: Sender<Change>,
    changes_told: Receiver<Change>,
    /// What is to be read again because others changed it.
    outdated: Option<Change>,
    /// It is being read.
    reading: bool,
    /// When the file was looked at last for changes by other processes.
    looked: Option<Instant>,
    focus_search: bool,
    /// Keys that came in the same frame as one that moves the keyboard.
    ahead: ahead::Ahead,
    /// Frames still to repaint after a lock, so that nothing of the last one stays.
    repaints: u8,
    /// The size of the last frame.
    zoom: f32,
    /// A signal asked the process to end.
    signalled: Arc<AtomicBool>,
    /// Gone with the window.
    here: Option<Sender<()>>,
}

impl Shell {
    /// A window over `options.backend`. Does nothing heavy: the first frame waits for it.
    pub fn new(ctx: &Context, options: ShellOptions) -> Self {
        fonts::install(ctx);
        theme::apply(ctx, options.prefs.theme());
        let zoom = ctx.zoom_factor();
        ctx.set_zoom_factor(options.prefs.zoom());
        let lang = options.lang.or(options.prefs.lang).unwrap_or_else(desktop_lang);
        let file = options.vault.display().to_string();
        let screen = if options.exists {
            Screen::Unlock(Box::new(UnlockModel::new(options.prefs.member(&options.vault))))
        } else {
            let guide = GuideModel::new(super::guide::Purpose::Create, &file, &user_name(), false);
            Screen::Guide(Box::new(guide))
        };
        let (locks, lock_signals) = channel();
        let served = Arc::new(Mutex::new(options.backend.clone()));
        tell_locks(&*options.backend, &locks, ctx);
        let (changes, changes_told) = channel();
        refresh::tell_changes(&*options.backend, &changes, ctx);
        let (tell, wake, backend) = (locks.clone(), ctx.clone(), served.clone());
        crate::app::desktop::watch_session_lock(move || {
            // The keys go first and from this thread: a window that is hidden may
            // not get to it before the computer sleeps.
            let backend = backend.lock().unwrap_or_else(PoisonError::into_inner).clone();
            let _ = backend.call(Request::Lock);
            let (done, wiped) = channel();
            let _ = tell.send(Some(done));
            wake.request_repaint();
            let _ = wiped.recv_timeout(LOCK_WAIT);
        });
        let sessions = sessions_over(options.backend.clone(), ctx);
        let mut sessions_view = SessionsView::default();
        sessions_view.listen_to(options.keys);
        let (clips, clips_told) = channel();
        Self {
            sessions,
            sessions_view,
            tabs_of: None,
            leaving: false,
            worker: Worker::start(options.backend, ctx.clone()),
            clipboard: SecretClipboard::default(),
            clips,
            clips_told,
            vault: options.vault,
            demo: options.demo,
            prefs: options.prefs,
            lang,
            screen,
            dialog: None,
            before_dialog: None,
            had_keys: [None; 2],
            had_keys_last: None,
            openings: 0,
            kept: None,
            toasts: Toasts::default(),
            last_input: (options.clock)(),
            clock: options.clock,
            lock_signals,
            locks,
            served,
            changes,
            changes_told,
            outdated: None,
            reading: false,
            looked: None,
            focus_search: false,
            ahead: ahead::Ahead::default(),
            repaints: 0,
            zoom,
            signalled: Arc::default(),
            here: None,
        }
    }

    fn opened(&mut self) -> Option<&mut Opened> {
        match &mut self.screen {
            Screen::Open(opened) => Some(opened),
            Screen::Guide(_) | Screen::Unlock(_) => None,
        }
    }

    fn ask(&self, tag: Tag, request: Request) {
        self.worker.send(Command::Ask(tag, request));
    }

    fn toast(&mut self, fr: impl Into<String>, en: impl Into<String>) {
        self.toasts.push(Bi::new(fr, en), Instant::now());
    }

    /// Remembers a size that was chosen by key or in the settings.
    fn watch_zoom(&mut self, ctx: &Context) {
        let now = ctx.zoom_factor();
        if now == self.zoom {
            return;
        }
        self.zoom = now;
        if now != self.prefs.zoom() {
            self.prefs.zoom = now;
            self.prefs.save();
        }
    }
}

impl eframe::App for Shell {
    fn raw_input_hook(&mut self, ctx: &Context, raw_input: &mut egui::RawInput) {
        let terminal = self.sessions_view.has_keyboard(ctx, &self.sessions);
        self.ahead.pass(&mut raw_input.events, terminal);
    }

    fn logic(&mut self, ctx: &Context, _frame: &mut eframe::Frame) {
        while let Some(notice) = self.worker.poll() {
            self.take_notice(ctx, notice);
        }
        // Of the manifests that vaults share, those of the one in this window count here.
        registry::serve(match &self.screen {
            Screen::Open(opened) => Some(opened.status.vault),
            Screen::Guide(_) | Screen::Unlock(_) => None,
        });
        self.show_asked();
        self.sessions.drain((self.clock)());
        let clips: Vec<_> = self.clips_told.try_iter().collect();
        for kept in clips {
            self.clipboard_told(kept);
        }
        let signals: Vec<_> = self.lock_signals.try_iter().collect();
        if !signals.is_empty() {
            self.lock(ctx);
        }
        for waiting in signals.into_iter().flatten() {
            // Nobody waits any more when it took too long.
            let _ = waiting.send(());
        }
        if self.signalled.load(Ordering::Acquire) && !self.leaving {
            self.quit(ctx);
        }
        self.watch_idle(ctx);
        self.watch_zoom(ctx);
        self.watch_close(ctx);
        self.watch_changes(ctx);
        self.watch_vpns(ctx);
        if self.repaints > 0 {
            self.repaints -= 1;
            ctx.request_repaint();
        }
    }

    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        if self.ahead.painted() {
            ui.ctx().request_repaint();
        }
        let mut acts = Acts::new();
        self.act_on_keys(ui, &mut acts);
        let lang = self.lang;
        self.sessions.set_lang(lang);
        let now = Instant::now();
        let mut way = None;
        self.toasts.failures_ui(ui, lang);
        // What is painted before gives everything after it other names, and a menu
        // or field of another name is another one: failures come and go.
        let below = UiBuilder::new()
            .scope_id(Id::unique("screen"))
            .max_rect(ui.available_rect_before_wrap());
        let ui = &mut ui.new_child(below);
        match &mut self.screen {
            Screen::Guide(guide) => {
                self::top_bar::plain_ui(ui, lang, &mut acts);
                CentralPanel::default().show(ui, |ui| guide_ui(ui, guide, lang, &mut acts));
            }
            Screen::Unlock(model) => {
                self::top_bar::plain_ui(ui, lang, &mut acts);
                let file = self.vault.display().to_string();
                let around = Around { lang, file: &file, demo: self.demo.as_ref() };
                CentralPanel::default().show(ui, |ui| {
                    way = unlock_ui(ui, model, &around, &mut acts);
                });
            }
            Screen::Open(_) => {
                self.dropped_ui(ui, &mut acts);
                self.main_ui(ui, now, &mut acts);
            }
        }
        if let Some(purpose) = way {
            self.begin_guide(purpose);
        }
        self.keep_focus(ui.ctx());
        if let Some(dialog) = &mut self.dialog {
            let before = acts.len();
            let outcome = dialogs::dialog_ui(ui, dialog, lang, &mut acts);
            if acts.len() > before && matches!(dialog, Dialog::Justify(_)) {
                // The keyboard goes where the answer leads, such as a session.
                self.before_dialog = None;
            }
            match outcome {
                Outcome::Open => {}
                Outcome::Close => self.dialog = None,
                Outcome::Path(pick, path) => {
                    self.dialog = None;
                    self.take_notice(ui.ctx(), Notice::Chosen(pick, Some(path)));
                }
                Outcome::MoveTo(id, to, just) => {
                    let request = Request::Move { at: crate::app::api::At::Id(id), to, just };
                    self.ask(Tag::Move, request);
                }
            }
        }
        for act in acts {
            self.perform(ui.ctx(), act);
        }
        self.toasts.show_ui(ui, lang, now);
        self.sessions_view.settle(ui.ctx(), &self.sessions);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.clipboard.take_back();
        self.sessions.close_all_and_wait("window closed", CLOSE_WAIT);
        // The last line of the log; the window is already gone. On a locked vault
        // it changes nothing, but what the sessions left to log is stored before it.
        self.worker.backend().leave();
        self.here = None;
    }
}

/// Lets `backend` tell that something else has locked it.
fn tell_locks(backend: &dyn Backend, locks: &Sender<LockSignal>, ctx: &Context) {
    let (tell, wake) = (locks.clone(), ctx.clone());
    backend.on_outside_lock(Box::new(move || {
        let _ = tell.send(None);
        wake.request_repaint();
    }));
}

/// Session tabs that wake the window.
fn sessions_over(backend: Arc<dyn Backend>, ctx: &Context) -> Sessions {
    let wake = ctx.clone();
    Sessions::new(backend, Arc::new(move |wait| wake.request_repaint_after(wait)))
}

/// The language of the desktop session.
fn desktop_lang() -> Lang {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()))
        .and_then(|value| value.parse().ok())
        .unwrap_or_default()
}

/// The name of the person at this computer, as a proposal.
fn user_name() -> String {
    ["USER", "USERNAME"].iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default()
}

/// The other look.
fn other_look(ctx: &Context) -> Theme {
    match ctx.theme() {
        egui::Theme::Dark => Theme::Light,
        egui::Theme::Light => Theme::Dark,
    }
}

/// Asks for the details of an entry.
fn ask_details(worker: &Worker, id: EntryId) {
    use crate::app::api::At;
    worker.send(Command::Ask(Tag::Details(id), Request::Show { at: At::Id(id) }));
    worker.send(Command::Ask(Tag::Plan(id), Request::Plan { at: At::Id(id) }));
}
