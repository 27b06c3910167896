//! Drives one `openvpn` by its management socket: what it says goes through the course,
//! and what follows is done. Decides nothing itself.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::fail;
use super::management::answer::Answer;
use super::management::course::{Act, Course, Step};
use super::management::reason::Reason;
use super::management::said::Lines;
use crate::connect::host::child::Uplink;
use crate::connect::host::link::given_up;
use crate::connect::link::LinkInfo;
use crate::connect::vpn::inside::Doors;
use crate::connect::vpn::journal::{self, Journal};
use crate::connect::{Failure, Question};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::{Hop, HostPort};
use crate::secret::SecretText;

/// One VPN that is raised or up.
pub struct Driver {
    stream: UnixStream,
    lines: Lines,
    course: Course,
    journal: Arc<Journal>,
    doors: Doors,
    login: Login,
    leaving: Arc<AtomicBool>,
    /// Written once its time has come, unless something else is.
    later: Option<(Instant, Answer)>,
    refused: Option<Reason>,
    info: Option<LinkInfo>,
}

impl Driver {
    /// One that has just got in touch.
    pub fn new(
        stream: UnixStream,
        course: Course,
        journal: Arc<Journal>,
        doors: Doors,
        login: Login,
        leaving: Arc<AtomicBool>,
    ) -> Self {
        let (lines, later, refused, info) = (Lines::default(), None, None, None);
        Self { stream, lines, course, journal, doors, login, leaving, later, refused, info }
    }

    /// Goes on until the VPN is up.
    ///
    /// # Errors
    /// It failed, or the person gave up.
    pub fn until_up(&mut self) -> Result<LinkInfo, Failure> {
        loop {
            self.turn()?;
            if let Some(info) = self.info.take() {
                self.login.is_up();
                return Ok(info);
            }
        }
    }

    /// Goes on until the VPN is over, and tells the journal.
    pub fn drive(mut self) {
        let why = loop {
            if let Err(why) = self.turn() {
                break why;
            }
        };
        let wanted = self.leaving.load(Ordering::Acquire);
        self.journal.end((!wanted).then_some(why));
    }

    /// Waits for the next words of `openvpn`, and does what follows.
    fn turn(&mut self) -> Result<(), Failure> {
        let left = self.later.as_ref().map(|(at, _)| {
            at.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
        });
        let _ = self.stream.set_read_timeout(left);
        let mut room = [0; 8192];
        let acts = match self.stream.read(&mut room) {
            Ok(0) => self.course.closed(),
            Ok(n) => {
                self.lines.push(&room[..n]);
                return self.hear();
            }
            Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => {
                let due = self.later.take();
                due.into_iter().map(|(_, answer)| Act::Write(answer)).collect()
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => Vec::new(),
            Err(_) => self.course.closed(),
        };
        self.follow(acts)?;
        if self.course.is_over() { Err(Reason::Gone.failure()) } else { Ok(()) }
    }

    fn hear(&mut self) -> Result<(), Failure> {
        loop {
            match self.lines.next_said() {
                Ok(Some(said)) => {
                    let acts = self.course.on(said);
                    self.follow(acts)?;
                }
                Ok(None) => return Ok(()),
                Err(_) => return Err(Reason::Nonsense.failure()),
            }
        }
    }

    fn follow(&mut self, acts: Vec<Act>) -> Result<(), Failure> {
        let mut acts = VecDeque::from(acts);
        let mut failed = None;
        while let Some(act) = acts.pop_front() {
            match act {
                Act::Write(answer) => self.write(&answer),
                Act::WriteAfter { secs, answer } => {
                    let at = Instant::now() + Duration::from_secs(secs.into());
                    self.later = Some((at, answer));
                }
                Act::NeedUser { .. } => {
                    let user = self.login.user().ok_or_else(|| self.nobody())?;
                    acts.extend(self.course.user(&user));
                }
                Act::NeedPassword { again, .. } => {
                    let password = self.login.password(again).ok_or_else(|| self.nobody())?;
                    self.journal.hide(password.duplicate());
                    acts.extend(self.course.password(password));
                }
                Act::NeedKeyPassphrase { again } => {
                    let passphrase = self.login.passphrase(again).ok_or_else(|| self.nobody())?;
                    self.journal.hide(passphrase.duplicate());
                    acts.extend(self.course.passphrase(&passphrase));
                }
                Act::NeedCode { text, echo, again } => {
                    let code = self.login.code(text, echo, again).ok_or_else(|| self.nobody())?;
                    self.journal.hide(code.duplicate());
                    acts.extend(self.course.code(code));
                }
                Act::Browse(url) => self.journal.log(&url),
                Act::Step(step) => self.step(step),
                Act::Pushed(pushed) => self.doors.names(pushed.resolvers, pushed.domains),
                Act::Bytes { received, sent } => self.journal.traffic(received, sent),
                Act::Note(line) => self.journal.log(&line.text),
                Act::Refused(reason) => self.refused = Some(reason),
                // What is written after it lets the program end.
                Act::Fail(reason) => failed = Some(reason.failure()),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn step(&mut self, step: Step) {
        let (step, why) = match step {
            Step::Resolving => (journal::Step::Resolving, None),
            Step::Contacting => (journal::Step::Contacting, None),
            Step::Authenticating => (journal::Step::Authenticating, None),
            Step::WaitingForCode => (journal::Step::WaitingForCode, None),
            Step::Configuring => (journal::Step::Configuring, None),
            Step::Reconnecting(reason) => {
                (journal::Step::Reconnecting, Some(reason.failure().what))
            }
            Step::GoingDown => (journal::Step::GoingDown, None),
            Step::Up { vpn, server, port, routes_set } => {
                let own: Vec<String> = vpn.iter().map(ToString::to_string).collect();
                self.journal.address(&own.join(", "));
                let server = server.map(|ip| {
                    HostPort { host: ip.to_string(), port: port.unwrap_or(super::PORT) }.to_string()
                });
                let mut parts = vec!["OpenVPN".to_owned(), own.join(", ")];
                parts.extend(server);
                let mut warnings = Vec::new();
                if !routes_set {
                    warnings.push(Bi::new(
                        "Une route du VPN n’a pas pu être posée",
                        "A route of the VPN could not be set",
                    ));
                }
                let user = self.login.known_user();
                let description = parts.join(" · ");
                self.info = Some(LinkInfo { user, description, warnings, ..LinkInfo::default() });
                (journal::Step::Up, None)
            }
        };
        self.journal.step(step, why);
    }

    fn write(&mut self, answer: &Answer) {
        self.later = None;
        // One that is gone is noticed by the next reading.
        let _ = answer.expose(|line| self.stream.write_all(line));
    }

    /// Why it does not go on without an answer.
    fn nobody(&self) -> Failure {
        match &self.refused {
            Some(reason) => reason.failure(),
            None if self.login.up.is_none() => fail::code_again(),
            None => given_up(),
        }
    }
}

/// What the login is made of: from the entry, or else from the person. Once the VPN is
/// up there is nobody to ask, and what was given is given again.
pub struct Login {
    index: usize,
    user: String,
    /// The application, until the VPN is up.
    up: Option<Arc<Uplink>>,
    at: HostPort,
    password: Option<SecretText>,
    passphrase: Option<SecretText>,
}

impl Login {
    /// That of a hop.
    pub fn new(index: usize, hop: &Hop, up: Arc<Uplink>) -> Self {
        let (user, at) = (hop.user.clone(), hop.at.clone());
        Self { index, user, up: Some(up), at, password: None, passphrase: None }
    }

    fn is_up(&mut self) {
        self.up = None;
    }

    fn known_user(&self) -> String {
        self.user.clone()
    }

    fn user(&mut self) -> Option<String> {
        if self.user.is_empty() {
            let typed = self.up.as_ref()?.ask_text(Question::User)?;
            self.user = typed.expose(str::to_owned);
        }
        Some(self.user.clone())
    }

    fn stored(&self, slot: &Slot) -> Option<SecretText> {
        self.up.as_ref()?.secret(self.index, slot)?.into_text().ok()
    }

    fn password(&mut self, again: bool) -> Option<SecretText> {
        if again {
            self.password = None;
        }
        if self.password.is_none() {
            let stored = if again { None } else { self.stored(&Slot::Password) };
            let ask = || {
                let (user, at) = (self.user.clone(), self.at.clone());
                self.up.as_ref()?.ask_text(Question::Password { user, at, again })
            };
            self.password = Some(stored.or_else(ask)?);
        }
        self.password.as_ref().map(SecretText::duplicate)
    }

    fn passphrase(&mut self, again: bool) -> Option<SecretText> {
        if again {
            self.passphrase = None;
        }
        if self.passphrase.is_none() {
            let stored = if again { None } else { self.stored(&Slot::Passphrase) };
            let text = "Private Key".to_owned();
            let ask = || self.up.as_ref()?.ask_text(Question::Prompt { text, echo: false });
            self.passphrase = Some(stored.or_else(ask)?);
        }
        self.passphrase.as_ref().map(SecretText::duplicate)
    }

    /// A code is good once: after a refusal the person types the next.
    fn code(&mut self, text: Option<String>, echo: bool, again: bool) -> Option<SecretText> {
        let up = self.up.as_ref()?;
        let known = if again { None } else { up.totp(self.index) };
        known.or_else(|| {
            let text = text.unwrap_or_else(|| "OTP".to_owned());
            up.ask_text(Question::Prompt { text, echo })
        })
    }
}
