//! The life of a page's session: a browser of its own, the login, then nothing but
//! waiting for the window to be closed. Runs in the session process; the browser and
//! its profile end with it.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::cdp::{Cdp, Ear, Heard, Silence};
use super::log::{Log, Outcome};
use super::login::{self, Stop};
use super::page::Page;
use super::{Choice, LOGIN_URL, fail, in_clear};
use crate::connect::host::child::{self, Command, Engine, Inbox, Uplink};
use crate::connect::line::Report;
use crate::connect::link::LinkInfo;
use crate::connect::ssh::fail as local;
use crate::connect::vpn::relay;
use crate::connect::{Failure, Progress};
use crate::model::lang::Bi;
use crate::model::target::Hop;
use crate::os::chromium::{self, Profile};

/// Before a browser that starts is asked again.
const PAUSE: Duration = Duration::from_millis(100);
/// For a browser that has said goodbye to be gone.
const PARTING: Duration = Duration::from_secs(2);

/// A browser's process and its profile, which go together.
type Held = Arc<Mutex<Option<(Child, Profile)>>>;

/// Ends the browser and wipes its profile.
fn clear(held: &Held) {
    // Kept until it is done: who leaves the process meanwhile waits for it.
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((process, profile)) = held.take() {
        chromium::end(process);
        profile.wipe();
    }
}

/// A page that is open.
pub struct PageEngine {
    held: Held,
    cdp: Cdp,
    inbox: Arc<Ear>,
    info: LinkInfo,
    log: Log,
    program: String,
    /// Windows and tabs that are open.
    pages: BTreeSet<String>,
    /// The window was closed before anything else was.
    over: bool,
    report: Report,
}

/// Opens the page of a hop and logs in.
///
/// # Errors
/// No browser, no page, or no trust in it; the browser is gone then.
pub fn open(index: usize, hop: &Hop, up: &Arc<Uplink>) -> Result<Box<dyn Engine>, Failure> {
    let Choice::Driven(program) = super::choice(&hop.settings) else {
        return Err(fail::no_browser(super::named(&hop.settings)));
    };
    if !chromium::has_screen(&chromium::desktop()) {
        return Err(fail::no_screen());
    }
    let shown = program.display().to_string();
    let profile = Profile::make().map_err(|e| local::local(&e))?;
    let proxy = relay::port(up, None)?;
    let started = match chromium::start(&program, &profile, proxy.as_ref()) {
        Ok(started) => started,
        Err(error) => {
            profile.wipe();
            return Err(fail::no_start(&shown, &error));
        }
    };
    let chromium::Browser { process, to, from } = started;
    let held: Held = Arc::new(Mutex::new(Some((process, profile))));
    {
        let held = held.clone();
        child::before_leaving(Box::new(move || clear(&held)));
    }
    let engine = PageEngine::begin((index, hop, up), (&program, held.clone()), (to, from));
    if engine.is_err() {
        clear(&held);
    }
    Ok(Box::new(engine?))
}

impl PageEngine {
    fn begin(
        (index, hop, up): (usize, &Hop, &Arc<Uplink>),
        (program, held): (&Path, Held),
        (to, from): (std::fs::File, std::fs::File),
    ) -> Result<Self, Failure> {
        let address = hop.settings.get(LOGIN_URL).map_or("", |address| address.trim());
        let secs = hop.settings.get("connect-timeout").and_then(|secs| secs.parse().ok());
        let patience = Duration::from_secs(secs.unwrap_or(30).max(1));
        let mut warnings = Vec::new();
        if let Some(warning) = in_clear(address) {
            up.say(&Progress::Warning(warning.clone()));
            warnings.push(warning);
        }
        let shown = program.display().to_string();
        let gone = |_| fail::ended(&shown);
        let mut cdp = Cdp::new(to, from).map_err(|e| local::local(&e))?;
        let inbox = Arc::new(cdp.inbox());
        let none = |_: &mut Cdp, _| None;
        let version = ("", "Browser.getVersion", serde_json::json!({}));
        let version = cdp.call(version, PATIENCE, none).map_err(gone)?;
        let version = version["product"].as_str().unwrap_or_default().to_owned();
        // A browser that is just starting may still replace its first page.
        let begun = Instant::now();
        let mut page = loop {
            match Page::attach(&mut cdp, (index, hop, up)) {
                Ok(page) => break page,
                Err(Silence::Busy) if begun.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(silence) => return Err(gone(silence)),
            }
        };
        page.log.started(&format!("{shown} ({version})"));
        let outcome = match login::run(&mut page, &mut cdp, address, patience) {
            Ok(outcome) => outcome,
            Err(Stop::Failed(failure)) => return Err(failure),
            Err(Stop::Silent(Silence::Gone)) if left_by_person(&held) => Outcome::Closed,
            Err(Stop::Silent(_)) => return Err(fail::ended(&shown)),
        };
        page.log.ended(&outcome);
        if outcome.warns() {
            up.say(&Progress::Warning(outcome.told()));
            warnings.push(outcome.told());
        }
        page.let_go(&mut cdp);
        let description = match outcome {
            Outcome::LoggedIn => format!("web · {} · {version} · ✓", page.origin),
            _ => format!("web · {} · {version}", page.origin),
        };
        let info = LinkInfo {
            user: hop.user.clone(),
            host_key: page.key.clone(),
            description,
            warnings,
            ..LinkInfo::default()
        };
        let pages = BTreeSet::from([page.target().to_owned()]);
        let log = std::mem::take(&mut page.log);
        Ok(Self {
            held,
            cdp,
            inbox,
            info,
            log,
            program: shown,
            pages,
            over: outcome == Outcome::Closed,
            report: Report::new(),
        })
    }

    /// Serves until the window is closed or the session ends; the reason, if it is
    /// neither.
    fn work(&mut self, up: &Uplink) -> Option<Failure> {
        loop {
            // Who looks at the session is told before it is over.
            if self.over && self.report.is_open() {
                self.report.show(&self.log.lines, up);
                return None;
            }
            match self.cdp.next(None) {
                Some(Heard::Message(message)) => self.hear(&message),
                Some(Heard::Gone) if self.over || left_by_person(&self.held) => self.close(),
                Some(Heard::Gone) => return Some(fail::ended(&self.program)),
                Some(Heard::Command(Command::Quit)) => return None,
                Some(Heard::Command(command)) => {
                    let (name, lines) = (&self.info.description, &self.log.lines);
                    if self.report.command(command, name, lines, up) {
                        return None;
                    }
                }
                None => {}
            }
        }
    }

    fn hear(&mut self, message: &serde_json::Value) {
        let params = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Target.targetCreated" if params["targetInfo"]["type"] == "page" => {
                let id = params["targetInfo"]["targetId"].as_str().unwrap_or_default();
                self.pages.insert(id.to_owned());
            }
            "Target.targetDestroyed" => {
                let id = params["targetId"].as_str().unwrap_or_default();
                if self.pages.remove(id) && self.pages.is_empty() {
                    self.close();
                }
            }
            _ => {}
        }
    }

    /// The person closed the last window.
    fn close(&mut self) {
        if !self.over {
            self.over = true;
            self.log.ended(&Outcome::Closed);
        }
    }
}

/// Longest start of a browser on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// Whether a browser that is silent has ended as one does whose window is closed.
fn left_by_person(held: &Held) -> bool {
    let mut held = held.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((process, _)) = held.as_mut() else { return false };
    let end = Instant::now() + PARTING;
    loop {
        match process.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(10)),
            _ => return false,
        }
    }
}

impl Engine for PageEngine {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn run(mut self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let why = self.work(&up);
        clear(&self.held);
        if let Some(why) = &why {
            noted(why);
            self.log.lines.push(Bi::new(why.what.fr.clone(), why.what.en.clone()));
        }
        self.report.end(&self.log.lines, why.as_ref(), &up);
        why
    }
}
