//! An application without a vault, for the window's tests: three fictional
//! French clients in memory, one password, one code, every act written down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use poterne::app::api::{
    AppError, Code, ExportRequest, Factors, Reply, Request, Settings, SharedView, SnapshotView,
    Status, Taken, VpnView,
};
use poterne::app::{
    Change, ConnectRequest, CreateOptions, ExportUi, Finished, OpenSession, SessionUi, Tell,
    UnlockOptions,
};
use poterne::connect::link::Sink;
use poterne::connect::{Answer, Progress, Question};
use poterne::gui::backend::{Backend, Enrolling};
use poterne::model::entry::{Entry, Slot};
use poterne::model::id::{EntryId, MemberId};
use poterne::model::lang::Bi;
use poterne::model::member::Role;
use poterne::model::target::PinnedKey;
use poterne::model::time::Time;
use poterne::secret::SecretText;

use crate::gui_fake_answers::name;
use crate::gui_fake_enrol::{FakeEnrolment, uri};
use crate::gui_fake_session::FakeSession;
use crate::gui_fake_tree::{find, key, tree};

/// The password that opens the fake.
pub const PASSWORD: &str = "correct cheval pile agrafe";
/// The code that opens the fake.
pub const CODE: &str = "123456";
/// The secret of every password slot.
pub const SECRET: &str = "Zx9-tuile-Érable";
/// The recovery code of the fake.
pub const KIT: &str = "AAAA-BBBB-CCCC-DDDD-EEEE-FFFF-GGGG-HHHH-JJJJ";

const NOW: i64 = 1_795_000_000;
pub const ME: MemberId = MemberId([7; 16]);

/// What the fake remembers.
pub struct State {
    /// The tree, in order.
    pub entries: Vec<Entry>,
    /// What was asked, in words.
    pub asked: Vec<String>,
    /// Passwords put into entries.
    pub put: BTreeMap<(EntryId, Slot), String>,
    /// Whether it is open.
    pub open: bool,
    /// Role of the member.
    pub role: Role,
    /// Lines of a client that asks for a ticket are in every export.
    pub export_asks: bool,
    /// Settings.
    pub settings: Settings,
    /// Manifests that the vault shares.
    pub shared: Vec<SharedView>,
    /// Who types is quicker than the search while this is set.
    pub slow_search: bool,
    /// A question that is not answered while it stands here, in the words of [`name`].
    pub held: &'static str,
    /// Every change is refused.
    pub refuses: bool,
    /// The password of `srv-web-01` comes from the client that asks for tickets.
    pub linked: bool,
    /// Opened read-only.
    pub read_only: bool,
    /// Whether reading the log is among what was asked.
    pub tells_log: bool,
    /// Further files of every export.
    pub parts: Vec<PathBuf>,
    /// An export goes on until it is given up.
    pub endless_export: bool,
    /// Who unlocked last.
    pub member: String,
    /// The disk is full: an enrolment cannot be written.
    pub disk_full: bool,
    /// A question that is refused, in the words of [`name`].
    pub failing: &'static str,
    /// The kit drawn last took the place of the old one.
    pub kit_kept: bool,
    /// Connections succeed.
    pub connects: bool,
    /// Connections are to a desktop.
    pub desktop: bool,
    /// What the desktop's far side was told, in words.
    pub did: Vec<String>,
    /// Where the desktop's far side speaks.
    pub far: Option<Sink>,
    /// Why each session ended.
    pub closed: Vec<String>,
    /// Members removed.
    pub former: Vec<String>,
    /// The key pinned for the host of `srv-base-01`, which shows another one.
    pub pinned: Option<PinnedKey>,
    /// What the next device asks before its configuration is read.
    pub questions: Vec<Question>,
    /// The vault has several members, and none is known here.
    pub several: bool,
    /// No page can be shown.
    pub no_browser: bool,
    /// There is a browser that pages are logged in to with.
    pub drives_pages: bool,
    /// Another process has written since this was asked.
    pub written: bool,
    /// How often that was asked.
    pub looks: usize,
    /// Hears of changes.
    pub tell: Option<Arc<Tell>>,
    /// What `srv-base-01` shows as its configuration from now on; none: it shows none.
    pub config: Option<String>,
    /// The configurations kept of it, the oldest first.
    pub configs: Vec<(SnapshotView, String)>,
    /// The VPNs that are up or being raised.
    pub vpns: Vec<VpnView>,
    /// How often the state of the vault was asked for.
    pub statuses: usize,
    /// The VPN that sessions go through, by path.
    pub through: String,
    /// What each connection tells before it is made.
    pub steps: Vec<Progress>,
    /// The questions come before a connection as well.
    pub asks_first: bool,
    /// Identifier of the entry made last.
    pub next: u8,
}

/// The fake application; clones share their state.
#[derive(Clone)]
pub struct Fake(pub Arc<Mutex<State>>);

pub fn id(n: u8) -> EntryId {
    EntryId([n; 16])
}

pub fn time(n: i64) -> Time {
    Time::from_unix_seconds(NOW + n)
}

impl Fake {
    /// The three clients, an owner.
    pub fn new() -> Self {
        Self::with(tree())
    }

    /// Another tree.
    pub fn with(entries: Vec<Entry>) -> Self {
        Self(Arc::new(Mutex::new(State {
            entries,
            asked: Vec::new(),
            put: BTreeMap::new(),
            open: false,
            role: Role::Owner,
            export_asks: false,
            settings: Settings::default(),
            shared: Vec::new(),
            slow_search: false,
            held: "",
            refuses: false,
            linked: false,
            read_only: false,
            tells_log: false,
            parts: Vec::new(),
            endless_export: false,
            member: "Alice".to_owned(),
            disk_full: false,
            failing: "",
            kit_kept: false,
            connects: false,
            desktop: false,
            did: Vec::new(),
            far: None,
            closed: Vec::new(),
            former: Vec::new(),
            pinned: None,
            questions: Vec::new(),
            several: false,
            no_browser: false,
            drives_pages: false,
            written: false,
            looks: 0,
            tell: None,
            config: None,
            configs: Vec::new(),
            vpns: Vec::new(),
            statuses: 0,
            through: String::new(),
            steps: Vec::new(),
            asks_first: false,
            next: 100,
        })))
    }

    /// Everything that was asked, in words.
    pub fn asked(&self) -> Vec<String> {
        self.lock().asked.clone()
    }

    /// An entry by name.
    pub fn entry(&self, name: &str) -> Option<Entry> {
        self.lock().entries.iter().find(|e| e.name == name).cloned()
    }

    /// Others have changed something through this window.
    pub fn changed(&self, change: Change) {
        let tell = self.lock().tell.clone().expect("the window listens");
        tell(change);
    }

    /// Gives an entry another name.
    pub fn rename(&self, from: &str, to: &str) {
        let mut state = self.lock();
        let entry = state.entries.iter_mut().find(|e| e.name == from).expect("it is there");
        to.clone_into(&mut entry.name);
    }

    pub fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().expect("no test panics while it holds the fake")
    }
}

pub fn refused(code: Code, what: &str) -> AppError {
    AppError { code, what: Bi::same(what), todo: Bi::new("Réessayez.", "Try again.") }
}

impl Backend for Fake {
    fn create(&self, options: CreateOptions) -> Result<Box<dyn Enrolling>, AppError> {
        let (uri, kit) = (uri(), SecretText::copy_of(KIT));
        self.lock().member = options.member;
        Ok(Box::new(FakeEnrolment(uri, kit, options.file, self.clone())))
    }
    fn accept_invitation(
        &self,
        _code: SecretText,
        _password: SecretText,
        _accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        let (uri, kit) = (uri(), SecretText::copy_of(KIT));
        Ok(Box::new(FakeEnrolment(uri, kit, PathBuf::new(), self.clone())))
    }
    fn recover(
        &self,
        _kit: SecretText,
        _password: SecretText,
        _accept_older: bool,
    ) -> Result<Box<dyn Enrolling>, AppError> {
        let (uri, kit) = (uri(), SecretText::copy_of(KIT));
        Ok(Box::new(FakeEnrolment(uri, kit, PathBuf::new(), self.clone())))
    }
    fn enrol_device(
        &self,
        _code: SecretText,
        member: Option<String>,
        _factors: Factors,
        _accept_older: bool,
    ) -> Result<Finished, AppError> {
        Ok(Finished {
            file: PathBuf::new(),
            member: member.unwrap_or_else(|| self.lock().member.clone()),
            fingerprint: String::new(),
            notices: vec![Bi::new("La clé est dans un fichier.", "The key lies in a file.")],
        })
    }
    fn unlock(&self, options: UnlockOptions) -> Result<Status, AppError> {
        let right = options.factors.password.expose(|p| p == PASSWORD)
            && options.factors.code.expose(|c| c == CODE);
        if !right {
            return Err(refused(Code::Locked, "Le coffre ne s’ouvre pas avec ces éléments."));
        }
        let mut state = self.lock();
        if state.several && options.member.is_none() {
            return Err(refused(Code::Usage, "Ce coffre a plusieurs membres."));
        }
        state.open = true;
        state.read_only = options.read_only;
        if let Some(member) = options.member {
            state.member = member;
        }
        Ok(state.status())
    }
    fn call(&self, request: Request) -> Result<Reply, AppError> {
        while matches!(request, Request::Find { .. }) && self.lock().slow_search {
            std::thread::yield_now();
        }
        let held = name(&request);
        while !held.is_empty() && self.lock().held == held {
            std::thread::yield_now();
        }
        self.lock().answer(request)
    }
    fn export(&self, request: ExportRequest, ui: &mut dyn ExportUi) -> Result<Reply, AppError> {
        while self.lock().endless_export {
            ui.show(12_000, 60_000);
            if ui.cancelled() {
                return Err(refused(Code::Other, "L’export a été annulé."));
            }
            std::thread::yield_now();
        }
        self.call(Request::AuditExport(request))
    }
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        let mut state = self.lock();
        let entry = find(&state.entries, &request.at)?.clone();
        let ticket = request.just.ticket.clone().unwrap_or_default();
        state.asked.push(format!("connect {} {ticket}", entry.name).trim_end().to_owned());
        state.justified(&entry, &request.just)?;
        if let Some(pinned) = &state.pinned {
            let shown = key("neuve");
            let told = poterne::connect::ssh::key_changed(&shown, std::slice::from_ref(pinned));
            return Err(told.into());
        }
        let asks = if state.asks_first { std::mem::take(&mut state.questions) } else { Vec::new() };
        let steps = state.steps.clone();
        drop(state);
        for question in asks {
            if matches!(ui.ask(question), Answer::Yes) {
                self.lock().asked.push("yes".to_owned());
            }
        }
        steps.into_iter().for_each(|step| ui.say(step));
        let state = self.lock();
        if state.connects {
            return Ok(Box::new(FakeSession(self.clone(), AtomicBool::new(false))));
        }
        let forgot = state.asked.iter().any(|a| a.starts_with("forget"));
        drop(state);
        if forgot {
            let _ = ui.ask(Question::TrustHostKey(key("neuve")));
        }
        Err(refused(Code::Connection, "Le serveur ne répond pas."))
    }
    fn snapshot(&self, request: ConnectRequest, ui: &mut dyn SessionUi) -> Result<Taken, AppError> {
        while self.lock().held == "snapshot" {
            if ui.cancelled() {
                return Err(refused(Code::Connection, "Le relevé a été abandonné."));
            }
            std::thread::yield_now();
        }
        let mut state = self.lock();
        let entry = find(&state.entries, &request.at)?.clone();
        state.justified(&entry, &request.just)?;
        state.asked.push(format!("snapshot {}", entry.name));
        let questions = std::mem::take(&mut state.questions);
        drop(state);
        for question in questions {
            match ui.ask(question) {
                Answer::No if ui.cancelled() => {
                    return Err(refused(Code::Connection, "Le relevé a été abandonné."));
                }
                Answer::No => return Err(refused(Code::Connection, "Réponse\u{a0}: non.")),
                Answer::Yes => self.lock().asked.push("yes".to_owned()),
                Answer::Text(text) => {
                    let told = text.expose(|text| format!("answer {text}"));
                    self.lock().asked.push(told);
                }
            }
        }
        self.lock().take()
    }
    fn show_page(&self, url: &str) -> Result<(), AppError> {
        let mut state = self.lock();
        state.asked.push(format!("browser {url}"));
        match state.no_browser {
            true => Err(refused(Code::Other, "Aucun navigateur.")),
            false => Ok(()),
        }
    }
    fn on_change(&self, tell: Tell) {
        self.lock().tell = Some(Arc::new(tell));
    }
    fn changed_by_others(&self) -> bool {
        let mut state = self.lock();
        state.looks += 1;
        std::mem::take(&mut state.written)
    }
    fn at(&self, file: PathBuf) -> Box<dyn Backend> {
        self.lock().asked.push(format!("vault {}", file.display()));
        Box::new(self.clone())
    }
}
