//! Session tabs over a far side that does what a test says.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use poterne::app::api::{AppError, Code, Factors, Justification, Reply, Request, Status, Taken};
use poterne::app::{
    ConnectRequest, CreateOptions, Finished, OpenSession, SessionUi, UnlockOptions,
};
use poterne::connect::link::{Channel, ChannelRequest, LinkInfo, Sink, ToRemote};
use poterne::gui::backend::{Backend, Enrolling};
use poterne::gui::sessions::tab::TabState;
use poterne::gui::sessions::view::SessionsView;
use poterne::gui::sessions::{OpenAs, Sessions};
use poterne::gui::{fonts, theme};
use poterne::model::id::{EntryId, SessionId};
use poterne::model::lang::{Bi, Lang};
use poterne::model::target::{HostPort, PinnedKey};
use poterne::secret::SecretText;

/// What the fake far side does with the next connection.
pub(super) type Script = Box<dyn FnOnce(&mut dyn SessionUi) -> Result<(), AppError> + Send>;

#[derive(Default)]
pub(super) struct FarSide {
    pub(super) scripts: Mutex<Vec<Script>>,
    pub(super) sinks: Mutex<Vec<Sink>>,
    pub(super) typed: Arc<Mutex<Vec<u8>>>,
    pub(super) closed: Arc<Mutex<usize>>,
    /// Its sessions are to be opened again after a break.
    pub(super) comes_back: AtomicBool,
    /// The session that each connection takes up again.
    pub(super) after: Mutex<Vec<Option<SessionId>>>,
}

#[derive(Clone)]
struct Fake(Arc<FarSide>);

struct Open(Arc<FarSide>);

struct Line(Arc<Mutex<Vec<u8>>>);

impl Channel for Line {
    fn send(&self, message: ToRemote) {
        if let ToRemote::Data(bytes) = message {
            self.0.lock().expect("no panic while held").extend(bytes);
        }
    }
    fn backlog(&self) -> usize {
        0
    }
}

impl OpenSession for Open {
    fn id(&self) -> SessionId {
        SessionId([7; 16])
    }
    fn info(&self) -> LinkInfo {
        LinkInfo {
            user: "root".into(),
            description: "SSH".into(),
            warnings: vec![Bi::new("Algorithmes faibles", "Weak algorithms")],
            comes_back: self.0.comes_back.load(Ordering::Relaxed),
            ..LinkInfo::default()
        }
    }
    fn open_channel(&self, _: ChannelRequest, sink: Sink) -> Result<Box<dyn Channel>, AppError> {
        self.0.sinks.lock().expect("as above").push(sink);
        Ok(Box::new(Line(Arc::clone(&self.0.typed))))
    }
    fn alive(&self) -> bool {
        true
    }
    fn close(&self) {
        *self.0.closed.lock().expect("as above") += 1;
    }
}

impl Backend for Fake {
    fn create(&self, _: CreateOptions) -> Result<Box<dyn Enrolling>, AppError> {
        Err(refused())
    }
    fn accept_invitation(
        &self,
        _: SecretText,
        _: SecretText,
        _: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        Err(refused())
    }
    fn recover(
        &self,
        _: SecretText,
        _: SecretText,
        _: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        Err(refused())
    }
    fn enrol_device(
        &self,
        _: SecretText,
        _: Option<String>,
        _: Factors,
        _: bool,
    ) -> Result<Finished, AppError> {
        Err(refused())
    }
    fn unlock(&self, _: UnlockOptions) -> Result<Status, AppError> {
        Err(refused())
    }
    fn call(&self, _: Request) -> Result<Reply, AppError> {
        Err(refused())
    }
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        self.0.after.lock().expect("as above").push(request.after);
        let script = self.0.scripts.lock().expect("as above").pop();
        if let Some(script) = script {
            script(ui)?;
        }
        Ok(Box::new(Open(Arc::clone(&self.0))))
    }
    fn snapshot(&self, _: ConnectRequest, _: &mut dyn SessionUi) -> Result<Taken, AppError> {
        Err(refused())
    }
    fn at(&self, _: PathBuf) -> Box<dyn Backend> {
        Box::new(self.clone())
    }
}

pub(super) fn refused() -> AppError {
    AppError {
        code: Code::Connection,
        what: Bi::new("Le port 22 refuse la connexion.", "Port 22 refuses."),
        todo: Bi::new("Vérifiez que le service tourne.", "Check that the service runs."),
    }
}

pub(super) fn open_as(title: &str) -> OpenAs {
    OpenAs {
        entry: EntryId([1; 16]),
        title: title.into(),
        client: "Dupont".into(),
        colour: "#cc5500".into(),
        just: Justification::default(),
    }
}

pub(super) fn sessions(scripts: Vec<Script>) -> (Sessions, Arc<FarSide>, Receiver<()>) {
    let far = Arc::new(FarSide::default());
    *far.scripts.lock().expect("as above") = scripts.into_iter().rev().collect();
    let (told, wait): (Sender<()>, Receiver<()>) = channel();
    let told = Mutex::new(told);
    let wake = move |_: Duration| {
        // The test may have ended before the last message.
        let _ = told.lock().expect("as above").send(());
    };
    (Sessions::new(Arc::new(Fake(Arc::clone(&far))), Arc::new(wake)), far, wait)
}

/// Waits for messages until the newest tab is in the wanted state.
pub(super) fn until(
    sessions: &mut Sessions,
    wait: &Receiver<()>,
    wanted: impl Fn(&TabState) -> bool,
) {
    loop {
        sessions.drain(Instant::now());
        if sessions.tabs().last().is_some_and(|tab| wanted(&tab.state)) {
            return;
        }
        let _ = wait.recv_timeout(Duration::from_millis(100));
    }
}

pub(super) fn key() -> PinnedKey {
    PinnedKey {
        at: HostPort { host: "srv".into(), port: 22 },
        algorithm: "ssh-ed25519".into(),
        fingerprint: "SHA256:abcdefgh".into(),
    }
}

pub(super) struct Shown {
    pub(super) sessions: Sessions,
    pub(super) view: SessionsView,
    pub(super) ready: bool,
}

pub(super) fn window(
    scripts: Vec<Script>,
) -> (Harness<'static, Shown>, Arc<FarSide>, Receiver<()>) {
    let (sessions, far, wait) = sessions(scripts);
    (shown(sessions), far, wait)
}

pub(super) fn shown(sessions: Sessions) -> Harness<'static, Shown> {
    let shown = Shown { sessions, view: SessionsView::default(), ready: false };
    Harness::builder().with_size([900.0, 560.0]).build_ui_state(
        |ui, shown: &mut Shown| {
            if !std::mem::replace(&mut shown.ready, true) {
                fonts::install(ui.ctx());
                theme::apply(ui.ctx(), theme::Theme::Light);
                return;
            }
            shown.sessions.drain(Instant::now());
            shown.view.strip_ui(ui, &mut shown.sessions, Lang::Fr, "Accueil");
            if shown.sessions.front().is_some() {
                shown.view.front_ui(ui, &mut shown.sessions, Lang::Fr);
            } else {
                ui.label("page d’accueil");
            }
        },
        shown,
    )
}

pub(super) fn see(h: &mut Harness<'static, Shown>, wait: &Receiver<()>, label: &str) {
    h.run_steps(2);
    while h.query_by_label(label).is_none() {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        h.run_steps(2);
    }
}
