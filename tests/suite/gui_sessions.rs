//! Session tabs: each state on its way from "connecting" to "ended", questions
//! that reach the person and answers that reach the connection.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use egui::{Event, Key, Modifiers, Role};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use poterne::app::api::{AppError, Code, Factors, Justification, Reply, Request, Status, Taken};
use poterne::app::{
    ConnectRequest, CreateOptions, Finished, OpenSession, SessionUi, UnlockOptions,
};
use poterne::connect::link::{
    Channel, ChannelRequest, Exit, FromRemote, LinkInfo, Sink, TermSize, ToRemote,
};
use poterne::connect::manifest::approval::Approval;
use poterne::connect::{Answer, Failure, FailureKind, Progress, Question};
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
type Script = Box<dyn FnOnce(&mut dyn SessionUi) -> Result<(), AppError> + Send>;

#[derive(Default)]
struct FarSide {
    scripts: Mutex<Vec<Script>>,
    sinks: Mutex<Vec<Sink>>,
    typed: Arc<Mutex<Vec<u8>>>,
    closed: Arc<Mutex<usize>>,
    /// Its sessions are to be opened again after a break.
    comes_back: AtomicBool,
    /// The session that each connection takes up again.
    after: Mutex<Vec<Option<SessionId>>>,
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

fn refused() -> AppError {
    AppError {
        code: Code::Connection,
        what: Bi::new("Le port 22 refuse la connexion.", "Port 22 refuses."),
        todo: Bi::new("Vérifiez que le service tourne.", "Check that the service runs."),
    }
}

fn open_as(title: &str) -> OpenAs {
    OpenAs {
        entry: EntryId([1; 16]),
        title: title.into(),
        client: "Dupont".into(),
        colour: "#cc5500".into(),
        just: Justification::default(),
    }
}

fn sessions(scripts: Vec<Script>) -> (Sessions, Arc<FarSide>, Receiver<()>) {
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
fn until(sessions: &mut Sessions, wait: &Receiver<()>, wanted: impl Fn(&TabState) -> bool) {
    loop {
        sessions.drain(Instant::now());
        if sessions.tabs().last().is_some_and(|tab| wanted(&tab.state)) {
            return;
        }
        let _ = wait.recv_timeout(Duration::from_millis(100));
    }
}

fn key() -> PinnedKey {
    PinnedKey {
        at: HostPort { host: "srv".into(), port: 22 },
        algorithm: "ssh-ed25519".into(),
        fingerprint: "SHA256:abcdefgh".into(),
    }
}

#[test]
fn a_tab_connects_asks_opens_and_ends() {
    let script: Script = Box::new(|ui| {
        ui.say(Progress::Contacting("srv:22".into()));
        ui.say(Progress::Warning(Bi::new("Non chiffré", "Not encrypted")));
        match ui.ask(Question::TrustHostKey(key())) {
            Answer::Yes => Ok(()),
            _ => Err(refused()),
        }
    });
    let (mut all, far, wait) = sessions(vec![script]);
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Question { .. }));
    all.answer(id, Answer::Yes);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    let tab = all.tab(id).expect("it is open");
    assert_eq!(tab.all_warnings().len(), 2, "of the way and of the link");
    let mut sink = far.sinks.lock().expect("as above").pop().expect("a shell was asked for");
    sink(FromRemote::Data(b"$ ".to_vec()));
    sink(FromRemote::Exit(Exit::Status(0)));
    sink(FromRemote::Closed(None));
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    let tab = all.tab(id).expect("it stays");
    assert_eq!(tab.terminal().map(|t| t.rows()[0].clone()).as_deref(), Some("$"));
    assert!(!tab.busy());
}

#[test]
fn a_failure_is_told_and_tried_again() {
    let (mut all, _far, wait) = sessions(vec![Box::new(|_| Err(refused()))]);
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Failed(_)));
    all.retry(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
}

#[test]
fn giving_up_answers_no_and_late_news_are_dropped() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        let answer = ui.ask(Question::User);
        let no = matches!(answer, Answer::No) && ui.cancelled();
        told.send(no).map_err(|_| refused())?;
        Ok(())
    });
    let (mut all, far, wait) = sessions(vec![script]);
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Question { .. }));
    all.cancel(id);
    assert!(tell.recv().expect("the script runs on"));
    assert!(matches!(all.tab(id).map(|t| &t.state), Some(TabState::Failed(_))));
    while *far.closed.lock().expect("as above") == 0 {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        all.drain(Instant::now());
    }
    assert!(matches!(all.tab(id).map(|t| &t.state), Some(TabState::Failed(_))));
}

#[test]
fn closing_ends_the_session_and_shows_the_neighbour() {
    let (mut all, far, wait) = sessions(Vec::new());
    let first = all.open(open_as("un"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    let second = all.open(open_as("deux"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    assert_eq!(all.front(), Some(second));
    all.turn(true);
    assert_eq!(all.front(), Some(first));
    all.show(Some(second));
    all.close(second);
    assert_eq!(all.front(), Some(first));
    assert_eq!(all.busy_count(), 1);
    all.close(first);
    assert_eq!(all.front(), None);
    while *far.closed.lock().expect("as above") < 2 {
        let _ = wait.recv_timeout(Duration::from_millis(20));
    }
}

// The view.

struct Shown {
    sessions: Sessions,
    view: SessionsView,
    ready: bool,
}

fn window(scripts: Vec<Script>) -> (Harness<'static, Shown>, Arc<FarSide>, Receiver<()>) {
    let (sessions, far, wait) = sessions(scripts);
    (shown(sessions), far, wait)
}

fn shown(sessions: Sessions) -> Harness<'static, Shown> {
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

fn see(h: &mut Harness<'static, Shown>, wait: &Receiver<()>, label: &str) {
    h.run_steps(2);
    while h.query_by_label(label).is_none() {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        h.run_steps(2);
    }
}

#[test]
fn the_person_sees_the_key_answers_a_prompt_and_types_into_the_shell() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        if !matches!(ui.ask(Question::TrustHostKey(key())), Answer::Yes) {
            return Err(refused());
        }
        let question = Question::Prompt { text: "Code \x1b[2Junique\u{a0}:".into(), echo: false };
        if let Answer::Text(text) = ui.ask(question) {
            told.send(text.expose(str::to_owned)).map_err(|_| refused())?;
        }
        Ok(())
    });
    let (mut h, far, wait) = window(vec![script]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "SHA256:abcdefgh");
    h.get_by_label("Faire confiance et continuer").click();
    see(&mut h, &wait, "Le serveur demande\u{a0}:");
    h.run_steps(3);
    // Only the field's name and the words; the typed answer is nowhere.
    h.event(Event::Text("123456".into()));
    h.run_steps(2);
    assert!(h.query_by_label_contains("123456").is_none());
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert_eq!(tell.recv().as_deref(), Ok("123456"));
    see(&mut h, &wait, "Terminal");
    h.run_steps(4);
    assert!(h.query_by_label_contains("Algorithmes faibles").is_some());
    h.event(Event::Text("ls".into()));
    h.key_press(Key::Enter);
    h.run_steps(3);
    assert_eq!(*far.typed.lock().expect("as above"), b"ls\r");
}

#[test]
fn a_lock_wipes_the_answer_being_typed_and_what_a_program_offers() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        let question = Question::Prompt { text: "Code\u{a0}:".into(), echo: false };
        if let Answer::Text(text) = ui.ask(question) {
            told.send(text.expose(str::to_owned)).map_err(|_| refused())?;
        }
        Ok(())
    });
    let (mut h, far, wait) = window(vec![script]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Le serveur demande\u{a0}:");
    h.run_steps(3);
    h.event(Event::Text("123456".into()));
    h.run_steps(2);
    h.state_mut().view.lock();
    h.run_steps(3);
    h.event(Event::Text("7".into()));
    h.run_steps(2);
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert_eq!(tell.recv().as_deref(), Ok("7"));

    see(&mut h, &wait, "Terminal");
    let mut sink = far.sinks.lock().expect("as above").pop().expect("a shell");
    let offer = |h: &Harness<'static, Shown>| h.query_by_label("Autoriser").is_some();
    sink(FromRemote::Data(b"\x1b]52;c;c2VjcmV0\x07".to_vec()));
    see(&mut h, &wait, "Autoriser");
    h.state_mut().view.lock();
    h.run_steps(3);
    assert!(!offer(&h), "what was offered stayed");
    // Offered behind the lock's screen, before anybody could answer.
    sink(FromRemote::Data(b"\x1b]52;c;c2VjcmV0\x07".to_vec()));
    h.state().sessions.tabs()[0].terminal().expect("it is live").settle();
    h.state().sessions.forget_offers();
    h.run_steps(3);
    assert!(!offer(&h));
}

#[test]
fn many_tabs_keep_their_names_and_are_all_in_a_list() {
    let scripts = (0..12).map(|_| -> Script { Box::new(|_| Err(refused())) }).collect();
    let (mut h, _far, wait) = window(scripts);
    for n in 0..12 {
        h.state_mut().sessions.open(open_as(&format!("srv-{n:02}")));
    }
    see(&mut h, &wait, "Dupont – srv-11");
    let tab = h.get_by_role_and_label(Role::Tab, "Dupont – srv-11").rect();
    assert!(tab.width() >= 150.0, "{tab:?}");
    h.get_by_role_and_label(Role::Button, "Tous les onglets").click();
    h.run_steps(3);
    h.get_by_role_and_label(Role::Button, "Dupont – srv-02").click();
    h.run_steps(3);
    let front = h.state().sessions.front().expect("a tab");
    assert_eq!(h.state().sessions.tab(front).expect("it is there").open_as.title, "srv-02");
}

#[test]
fn a_failed_tab_says_what_and_what_to_do_and_retries() {
    let (mut h, _far, wait) = window(vec![Box::new(|_| Err(refused()))]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Le port 22 refuse la connexion.");
    h.get_by_label("Vérifiez que le service tourne.");
    h.get_by_label("Réessayer").click();
    see(&mut h, &wait, "Terminal");
}

#[test]
fn a_live_tab_is_closed_after_a_yes_and_an_ended_one_says_how_it_ended() {
    let (mut h, far, wait) = window(Vec::new());
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Terminal");
    h.get_by_role_and_label(Role::Tab, "Dupont – web");
    h.get_by_label("Fermer l’onglet web").click();
    see(&mut h, &wait, "Garder ouverte");
    h.get_by_label("Garder ouverte").click();
    h.run_steps(3);
    let mut sink = far.sinks.lock().expect("as above").pop().expect("a shell");
    sink(FromRemote::Exit(Exit::Status(2)));
    sink(FromRemote::Closed(None));
    see(&mut h, &wait, "Session terminée, code de sortie 2");
    let signs: Vec<_> = h.state().sessions.tabs().iter().map(|tab| tab.sign()).collect();
    assert_eq!(signs, ["2"]);
    h.key_press_modifiers(Modifiers { shift: true, ..Modifiers::CTRL }, Key::W);
    see(&mut h, &wait, "page d’accueil");
}

#[test]
fn a_new_terminal_starts_with_the_size_of_the_last() {
    let (mut all, _far, wait) = sessions(Vec::new());
    all.set_size(TermSize { cols: 132, rows: 43 });
    let id = all.open(open_as("web"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    let size = all.tab(id).and_then(|tab| tab.terminal().map(|t| t.size()));
    assert_eq!(size, Some(TermSize { cols: 132, rows: 43 }));
}

#[test]
fn a_terminal_gets_the_page_keys_and_the_window_the_tab_key() {
    let (mut h, far, wait) = window(Vec::new());
    let first = h.state_mut().sessions.open(open_as("un"));
    see(&mut h, &wait, "Terminal");
    let second = h.state_mut().sessions.open(open_as("deux"));
    while !h.state().sessions.tab(second).is_some_and(|t| matches!(t.state, TabState::Live)) {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        h.run_steps(1);
    }
    h.run_steps(3);
    h.key_press_modifiers(Modifiers::CTRL, Key::PageUp);
    h.run_steps(3);
    assert_eq!(h.state().sessions.front(), Some(second));
    assert_eq!(*far.typed.lock().expect("as above"), b"\x1b[5;5~");
    h.key_press_modifiers(Modifiers::CTRL, Key::Tab);
    h.run_steps(3);
    assert_eq!(h.state().sessions.front(), Some(first));
}

/// A field of the window beside the tabs, such as its search.
const ELSEWHERE: &str = "elsewhere";

fn beside(scripts: Vec<Script>) -> (Harness<'static, (Shown, String)>, Arc<FarSide>, Receiver<()>) {
    let (sessions, far, wait) = sessions(scripts);
    let shown = Shown { sessions, view: SessionsView::default(), ready: false };
    let paint = |ui: &mut egui::Ui, (shown, text): &mut (Shown, String)| {
        if !std::mem::replace(&mut shown.ready, true) {
            fonts::install(ui.ctx());
            theme::apply(ui.ctx(), theme::Theme::Light);
            return;
        }
        egui::Panel::top("bar").show(ui, |ui| {
            let label = ui.label(ELSEWHERE);
            ui.text_edit_singleline(text).labelled_by(label.id);
        });
        shown.sessions.drain(Instant::now());
        shown.view.strip_ui(ui, &mut shown.sessions, Lang::Fr, "Accueil");
        if shown.sessions.front().is_some() {
            egui::CentralPanel::default()
                .show(ui, |ui| shown.view.front_ui(ui, &mut shown.sessions, Lang::Fr));
        }
    };
    let state = (shown, String::new());
    (Harness::builder().with_size([900.0, 560.0]).build_ui_state(paint, state), far, wait)
}

/// Opens a tab, does `meanwhile`, lets it come up, types, and says where that went.
fn typed_when_it_comes_up(
    meanwhile: impl FnOnce(&mut Harness<'static, (Shown, String)>),
) -> (String, Vec<u8>) {
    let (go, held) = channel::<()>();
    let script: Script = Box::new(move |_| held.recv().map_err(|_| refused()));
    let (mut h, far, wait) = beside(vec![script]);
    h.run_steps(2);
    h.get_by_role_and_label(Role::TextInput, ELSEWHERE).focus();
    h.run_steps(2);
    h.state_mut().0.sessions.open(open_as("web"));
    h.run_steps(3);
    meanwhile(&mut h);
    h.run_steps(2);
    go.send(()).expect("it waits");
    while h.query_by_label("Terminal").is_none() {
        let _ = wait.recv_timeout(Duration::from_millis(20));
        h.run_steps(2);
    }
    h.run_steps(3);
    h.event(Event::Text("rm".into()));
    h.run_steps(3);
    let sent = far.typed.lock().expect("as above").clone();
    (h.state().1.clone(), sent)
}

#[test]
fn a_session_that_comes_up_gets_the_keyboard_of_who_opened_it() {
    assert_eq!(typed_when_it_comes_up(|_| ()), (String::new(), b"rm".to_vec()));
}

#[test]
fn a_session_that_comes_up_takes_the_keyboard_from_nobody_who_went_on() {
    let went_on = typed_when_it_comes_up(|h| {
        h.get_by_role_and_label(Role::TextInput, ELSEWHERE).focus();
    });
    assert_eq!(went_on, ("rm".to_owned(), Vec::new()));
}

fn fails(code: Code) -> Script {
    Box::new(move |_| Err(AppError { code, ..refused() }))
}

/// Has the far side of the newest connection say that it broke.
fn break_off(far: &FarSide, kind: FailureKind) {
    let mut sink = far.sinks.lock().expect("as above").pop().expect("it is open");
    sink(FromRemote::Closed(Some(Failure {
        kind,
        what: Bi::new("La connexion a été coupée.", "The connection broke."),
        todo: Bi::new("Vérifiez le réseau.", "Check the network."),
    })));
}

fn back(sessions: &Sessions) -> Option<(u32, bool)> {
    let tab = sessions.tabs().last().expect("a tab");
    tab.back.as_ref().map(|back| (back.attempt, back.due.is_some()))
}

#[test]
fn a_connection_that_broke_comes_back_by_itself_after_a_while() {
    let ok: Script = Box::new(|_| Ok(()));
    let (mut all, far, wait) = sessions(vec![ok, fails(Code::Unreachable)]);
    far.comes_back.store(true, Ordering::Relaxed);
    let id = all.open(open_as("srv"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), Some((1, true)), "it waits before it tries");
    // Too early, then in time: the first attempt fails, the second is waited for.
    let start = Instant::now();
    all.drain(start - Duration::from_secs(2));
    assert_eq!(back(&all), Some((1, true)));
    all.drain(start + Duration::from_secs(2));
    assert_eq!(back(&all), Some((1, false)));
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), Some((2, true)));
    all.hasten(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    assert_eq!(back(&all), None);
    let id = SessionId([7; 16]);
    assert_eq!(*far.after.lock().expect("as above"), [None, Some(id), Some(id)]);
    // One that breaks soon after goes on counting.
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), Some((3, true)));
}

#[test]
fn a_connection_does_not_come_back_when_that_cannot_help_or_nobody_wants_it() {
    let ok = || -> Script { Box::new(|_| Ok(())) };
    // The server ended it.
    let (mut all, far, wait) = sessions(vec![ok(), fails(Code::Locked)]);
    far.comes_back.store(true, Ordering::Relaxed);
    let id = all.open(open_as("srv"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    break_off(&far, FailureKind::Ended);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    assert_eq!(back(&all), None);
    // The vault is locked, or the login refused: said at once, tried no more.
    all.retry(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Failed(_)));
    all.retry(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    far.scripts.lock().expect("as above").push(fails(Code::Connection));
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    all.hasten(id);
    until(&mut all, &wait, |s| matches!(s, TabState::Failed(_)));
    assert_eq!(back(&all), None);
    // The person gives it up: while it waits, and on its way.
    for on_the_way in [false, true] {
        all.retry(id);
        until(&mut all, &wait, |s| matches!(s, TabState::Live));
        break_off(&far, FailureKind::Network);
        until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
        if on_the_way {
            all.hasten(id);
        }
        all.cancel(id);
        all.drain(Instant::now() + Duration::from_secs(600));
        assert_eq!(back(&all), None);
        assert!(matches!(all.tab(id).map(|t| &t.state), Some(TabState::Ended(_))));
    }
}

#[test]
fn a_connection_that_comes_back_says_so_and_can_be_stopped() {
    let (mut all, far, wait) = sessions(vec![]);
    far.comes_back.store(true, Ordering::Relaxed);
    all.open(open_as("srv"));
    until(&mut all, &wait, |s| matches!(s, TabState::Live));
    break_off(&far, FailureKind::Network);
    until(&mut all, &wait, |s| matches!(s, TabState::Ended(_)));
    let mut window = shown(all);
    window.run_steps(3);
    window.get_by_label("La connexion a été coupée.");
    window.get_by_label("Reconnecter maintenant");
    window.get_by_label("Ne pas reconnecter").click();
    window.run_steps(3);
    window.get_by_label("Rouvrir");
    assert!(window.query_by_label("Reconnecter maintenant").is_none());
}

fn approval(changed: bool, text: &str) -> Question {
    Question::Approve(Box::new(Approval {
        kind: "essai".into(),
        name: Bi::new("Essai", "Trial"),
        source: Bi::same("/home/zoe/essai.toml"),
        program: "/usr/bin/essai".into(),
        fingerprint: "SHA256:0123".into(),
        open: false,
        changed,
        text: text.into(),
    }))
}

#[test]
fn a_connector_by_manifest_is_shown_and_approved_or_refused() {
    let (told, tell) = channel();
    let script: Script = Box::new(move |ui| {
        for question in [
            approval(false, "kind = \"essai\"\nargs = [\"\x1b[2J\u{202e}\",\t\"b\"]\n"),
            approval(
                true,
                &format!("@@ -1 +1 @@\n-args = [\"a\"]\n+args = [\"b\"]\n{}", "+# x\n".repeat(99)),
            ),
        ] {
            let yes = matches!(ui.ask(question), Answer::Yes);
            told.send(yes).map_err(|_| refused())?;
        }
        Err(refused())
    });
    let (mut h, _far, wait) = window(vec![script]);
    h.state_mut().sessions.open(open_as("web"));
    see(&mut h, &wait, "Connecteur nouveau sur cet ordinateur");
    assert!(h.query_by_label("kind = \"essai\"").is_some());
    let line = "args = [\"\u{fffd}[2J\u{fffd}\",    \"b\"]";
    assert!(h.query_by_label(line).is_some(), "nothing unseen");
    assert!(h.query_by_label("SHA256:0123").is_some());
    h.get_by_label("Approuver et continuer").click();
    see(&mut h, &wait, "Ce connecteur a changé");
    assert_eq!(tell.recv(), Ok(true));
    assert!(h.query_by_label("-args = [\"a\"]").is_some());
    assert!(h.query_by_label("+args = [\"b\"]").is_some());
    // Enter, pressed once too often, refuses.
    h.run_steps(2);
    let refuse = h.get_by_label("Refuser").rect();
    assert!(h.ctx.content_rect().contains_rect(refuse), "in sight below a long text: {refuse:?}");
    h.key_press(Key::Enter);
    h.run_steps(2);
    assert_eq!(tell.recv(), Ok(false));
}

#[test]
fn the_sign_of_every_connector_can_be_painted() {
    let (mut h, _far, _wait) = window(vec![]);
    h.run_steps(2);
    for connector in poterne::connect::all() {
        for sign in connector.icon().chars() {
            let font = egui::FontId::proportional(13.0);
            let there = h.ctx.fonts_mut(|fonts| fonts.has_glyph(&font, sign));
            assert!(there, "{}: {sign}", connector.id());
        }
    }
}
