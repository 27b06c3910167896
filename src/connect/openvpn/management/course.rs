//! The course of one OpenVPN connection: from what the program says follows what to
//! write, whom to ask, and how far it is. Decides only; writes nothing, waits for
//! nothing, and keeps a secret until it has become a line.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::answer::{Answer, Unsayable};
use super::evidence::{Evidence, Known};
use super::login::{Code, Login};
use super::pushed::Pushed;
use super::reason::Reason;
use super::said::{Dynamic, InfoMsg, LogLine, Said, State, StateName, UpDown};
use crate::secret::SecretText;

/// How many lines of the log are kept for the details of a failure.
pub const KEPT_LINES: usize = 50;

/// How often a person may be asked again after a refusal.
pub const ASKED_AGAIN: u32 = 2;

/// The longest wait before another attempt, in seconds; OpenVPN's own grows to 300.
const LONGEST_WAIT_SECS: u32 = 30;

/// How a code goes to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Otp {
    /// There is none; a challenge that comes all the same is asked for.
    #[default]
    None,
    /// As the answer to the profile's or the server's challenge.
    Challenge,
    /// Right behind the password, without being asked for (Sophos).
    Append,
}

/// What a course is to know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Setup {
    /// How a code goes to the server.
    pub otp: Otp,
    /// How many attempts of the first connection may come to nothing before it has
    /// failed: at least one for each server of the profile. 0 counts as 1.
    pub attempts: u32,
    /// What the profile says, for better reasons.
    pub known: Known,
}

/// What to do next.
#[derive(Debug)]
pub enum Act {
    /// Write this.
    Write(Answer),
    /// Write this after a while.
    WriteAfter {
        /// Seconds, 1 to 30.
        secs: u32,
        /// The line.
        answer: Answer,
    },
    /// Give the user name by [`Course::user`].
    NeedUser {
        /// True for the one of a proxy.
        proxy: bool,
    },
    /// Give the password by [`Course::password`].
    NeedPassword {
        /// True for the one of a proxy.
        proxy: bool,
        /// True after a refusal: ask the person, the stored one is wrong.
        again: bool,
    },
    /// Give the passphrase of the private key by [`Course::passphrase`].
    NeedKeyPassphrase {
        /// As for [`Act::NeedPassword`].
        again: bool,
    },
    /// Give the code by [`Course::code`].
    NeedCode {
        /// The question of the server or of the profile; `None` for the code behind the
        /// password.
        text: Option<String>,
        /// True when it may be shown while typed.
        echo: bool,
        /// As for [`Act::NeedPassword`].
        again: bool,
    },
    /// A page to open in the browser, where the login goes on.
    Browse(String),
    /// It is this far.
    Step(Step),
    /// What the server gave the tunnel.
    Pushed(Pushed),
    /// Bytes of the tunnel since it began.
    Bytes {
        /// From the server.
        received: u64,
        /// To the server.
        sent: u64,
    },
    /// A line for the log that a person sees, secrets masked.
    Note(LogLine),
    /// The login or passphrase was refused; asking again follows, or [`Act::Fail`].
    Refused(Reason),
    /// It failed, for good. Nothing but notes follows.
    Fail(Reason),
}

/// How far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// It looks up the server's name.
    Resolving,
    /// It tries to reach the server.
    Contacting,
    /// Keys and login.
    Authenticating,
    /// A code is to come from the person, the entry or the server's own way.
    WaitingForCode,
    /// Addresses and routes are set.
    Configuring,
    /// The tunnel is up.
    Up {
        /// Addresses in the tunnel.
        vpn: Vec<IpAddr>,
        /// Address of the server, outside.
        server: Option<IpAddr>,
        /// Its port.
        port: Option<u16>,
        /// True when every route could be set.
        routes_set: bool,
    },
    /// It starts over.
    Reconnecting(Reason),
    /// It ends.
    GoingDown,
}

enum Asked {
    Nothing,
    Login {
        login: Login,
        proxy: bool,
    },
    Passphrase {
        what: String,
    },
    /// `CR_TEXT`.
    Response,
}

/// One connection.
pub struct Course {
    setup: Setup,
    mask: Box<dyn Fn(&str) -> String + Send>,
    evidence: Evidence,
    lines: VecDeque<LogLine>,
    asked: Asked,
    /// The server's challenge, for the next login.
    challenge: Option<Dynamic>,
    /// True once a login or passphrase was given.
    gave: bool,
    gave_code: bool,
    refusals: u32,
    /// True when it starts over to ask, not because something is out of order.
    at_once: bool,
    /// Attempts that came to nothing before it was up.
    attempts: u32,
    begun: bool,
    was_up: bool,
    step: Option<Step>,
    variables: Option<Vec<(String, String)>>,
    over: bool,
    leaving: bool,
}

impl Course {
    /// A course that waits for the first word. `mask` replaces in a text whatever looks
    /// like a secret that was given; every text of the log and the server goes through.
    pub fn new(setup: Setup, mask: Box<dyn Fn(&str) -> String + Send>) -> Self {
        Self {
            setup,
            mask,
            evidence: Evidence::default(),
            lines: VecDeque::new(),
            asked: Asked::Nothing,
            challenge: None,
            gave: false,
            gave_code: false,
            refusals: 0,
            at_once: false,
            attempts: 0,
            begun: false,
            was_up: false,
            step: None,
            variables: None,
            over: false,
            leaving: false,
        }
    }

    /// The last lines of the log, at most [`KEPT_LINES`], secrets masked.
    pub fn lines(&self) -> impl Iterator<Item = &LogLine> {
        self.lines.iter()
    }

    /// How far it is.
    pub fn step(&self) -> Option<&Step> {
        self.step.as_ref()
    }

    /// True once [`Act::Fail`] was told, or the end that was asked for.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// What follows from what was said.
    pub fn on(&mut self, said: Said) -> Vec<Act> {
        if self.over && !matches!(said, Said::Log(_)) {
            return Vec::new();
        }
        match said {
            Said::Hold { wait_secs } => self.hold(wait_secs),
            Said::State(state) => self.state(&state),
            Said::Need { what, user: true, challenge } => {
                let code = match (self.challenge.take(), challenge) {
                    _ if is_proxy(&what) => Code::None,
                    (Some(challenge), _) => Code::Dynamic(challenge),
                    (None, Some(challenge)) => Code::Static(challenge),
                    (None, None) if self.setup.otp == Otp::Append => Code::Behind,
                    (None, None) => Code::None,
                };
                self.ask_login(&what, code)
            }
            Said::Need { what, .. } => {
                self.asked = Asked::Passphrase { what };
                vec![Act::NeedKeyPassphrase { again: self.refusals > 0 }]
            }
            Said::Refused { challenge: Some(challenge), .. } => {
                self.challenge = Some(challenge);
                Vec::new()
            }
            Said::Refused { what, text, challenge: None } => self.refused(&what, text.as_deref()),
            Said::Log(line) => self.log(line),
            Said::ByteCount { received, sent } => vec![Act::Bytes { received, sent }],
            Said::Fatal(text) => self.fatal(&text),
            Said::InfoMsg(message) => self.message(message),
            Said::UpDown(told) => self.up_down(told),
            Said::Remote { .. } => vec![Act::Write(Answer::remote_accept())],
            Said::Proxy(_) => vec![Act::Write(Answer::proxy_none())],
            Said::AuthToken
            | Said::Info(_)
            | Said::NeedOk { .. }
            | Said::NeedStr { .. }
            | Said::Echo(_)
            | Said::Success(_)
            | Said::End
            | Said::Other { .. } => Vec::new(),
            Said::Error(text) => {
                let text = (self.mask)(&text);
                self.note(LogLine { at: 0, flags: "N".into(), text })
            }
        }
    }

    /// The user name, asked for by [`Act::NeedUser`].
    pub fn user(&mut self, user: &str) -> Vec<Act> {
        if let Asked::Login { login, .. } = &mut self.asked {
            login.user(user);
        }
        self.give_login()
    }

    /// The password, asked for by [`Act::NeedPassword`].
    pub fn password(&mut self, password: SecretText) -> Vec<Act> {
        if let Asked::Login { login, .. } = &mut self.asked {
            login.password(password);
        }
        self.give_login()
    }

    /// The passphrase, asked for by [`Act::NeedKeyPassphrase`].
    pub fn passphrase(&mut self, passphrase: &SecretText) -> Vec<Act> {
        let Asked::Passphrase { what } = &self.asked else { return Vec::new() };
        let answer = Answer::password(what, passphrase);
        self.write(answer)
    }

    /// The code, asked for by [`Act::NeedCode`].
    pub fn code(&mut self, code: SecretText) -> Vec<Act> {
        match &mut self.asked {
            Asked::Login { login, .. } => login.code(code),
            Asked::Response => {
                let mut acts = self.write(Answer::response(&code));
                acts.extend(self.at(Step::Authenticating));
                return acts;
            }
            Asked::Nothing | Asked::Passphrase { .. } => {}
        }
        self.give_login()
    }

    /// The person wants it down, or the application does.
    pub fn leave(&mut self) -> Vec<Act> {
        if self.over {
            return Vec::new();
        }
        self.leaving = true;
        let mut acts = vec![Act::Write(Answer::terminate())];
        acts.extend(self.at(Step::GoingDown));
        acts
    }

    /// The socket has ended: the program is gone.
    pub fn closed(&mut self) -> Vec<Act> {
        let last = self.lines.iter().rfind(|line| line.is_error()).or(self.lines.back());
        let last = last.map(|line| line.text.clone()).unwrap_or_default();
        match self.evidence.reason("", 0, &self.setup.known) {
            Reason::Other(_) => self.ended(Reason::Exited(last)),
            found => self.ended(found),
        }
    }

    fn fatal(&mut self, text: &str) -> Vec<Act> {
        let text = (self.mask)(text);
        // What it stops for is in this line, not in what went wrong and passed before,
        // unless the line says no more than that it stops.
        if !text.starts_with("Exiting due to") {
            self.evidence.forget();
        }
        let line = LogLine { at: 0, flags: "F".into(), text: text.clone() };
        self.evidence.see(&line, &self.setup.known);
        let reason = match self.evidence.reason("", 0, &self.setup.known) {
            Reason::Other(_) => Reason::Fatal(text),
            found => found,
        };
        self.ended(reason)
    }

    fn hold(&mut self, wait_secs: u32) -> Vec<Act> {
        if self.leaving {
            return Vec::new();
        }
        let mut acts = Vec::new();
        if !self.begun {
            self.begun = true;
            let begin = [Answer::state_on(), Answer::log_on_all(), Answer::bytecount()];
            acts.extend(begin.into_iter().map(Act::Write));
        }
        // Who types a login takes longer than the wait, and a challenge does not last.
        let at_once = std::mem::take(&mut self.at_once) || wait_secs == 0;
        acts.push(match at_once {
            true => Act::Write(Answer::hold_release()),
            false => Act::WriteAfter {
                secs: wait_secs.min(LONGEST_WAIT_SECS),
                answer: Answer::hold_release(),
            },
        });
        acts
    }

    fn state(&mut self, state: &State) -> Vec<Act> {
        match &state.name {
            StateName::Resolve => self.at(Step::Resolving),
            StateName::TcpConnect | StateName::Wait => self.at(Step::Contacting),
            StateName::Auth => {
                self.evidence.answered = true;
                self.at(Step::Authenticating)
            }
            StateName::AuthPending => self.at(Step::WaitingForCode),
            StateName::GetConfig | StateName::AssignIp | StateName::AddRoutes => {
                self.at(Step::Configuring)
            }
            StateName::Connected => {
                (self.was_up, self.refusals, self.attempts) = (true, 0, 0);
                self.evidence.forget();
                let inner6 = state.local6.map(IpAddr::V6);
                self.at(Step::Up {
                    vpn: state.local.into_iter().chain(inner6).collect(),
                    server: state.remote,
                    port: state.remote_port,
                    routes_set: state.detail == "SUCCESS",
                })
            }
            StateName::Reconnecting => self.starts_over(&state.detail, state.at),
            StateName::Exiting if self.leaving => {
                self.over = true;
                self.at(Step::GoingDown)
            }
            StateName::Exiting => {
                let mut acts = self.at(Step::GoingDown);
                let reason = match self.evidence.reason(&state.detail, state.at, &self.setup.known)
                {
                    Reason::Other(word) => Reason::Exited(word),
                    found => found,
                };
                acts.extend(self.ended(reason));
                acts
            }
            StateName::Connecting | StateName::Other(_) => Vec::new(),
        }
    }

    fn starts_over(&mut self, word: &str, at: i64) -> Vec<Act> {
        self.asked = Asked::Nothing;
        let reason = self.evidence.reason(word, at, &self.setup.known);
        self.evidence.forget();
        // Told by the refusal or the challenge before it.
        self.at_once = matches!(word, "auth-failure" | "private-key-password-failure");
        if self.at_once || self.leaving {
            return Vec::new();
        }
        if !reason.may_pass() {
            return self.fail(reason);
        }
        if !self.was_up {
            self.attempts += 1;
            if self.attempts >= self.setup.attempts.max(1) {
                return self.fail(reason);
            }
        }
        self.at(Step::Reconnecting(reason))
    }

    fn ask_login(&mut self, what: &str, code: Code) -> Vec<Act> {
        let (proxy, again) = (is_proxy(what), self.refusals > 0);
        let login = Login::new(what, code);
        let mut acts = Vec::new();
        if login.needs_user() {
            acts.push(Act::NeedUser { proxy });
        }
        if login.needs_password() {
            acts.push(Act::NeedPassword { proxy, again });
        }
        if login.needs_code() {
            let (text, echo) = login.question();
            acts.extend(self.at(Step::WaitingForCode));
            acts.push(Act::NeedCode { text: text.map(|t| (self.mask)(&t)), echo, again });
        }
        self.asked = Asked::Login { login, proxy };
        // A challenge without a question wants no more than that one goes on.
        acts.extend(self.give_login());
        acts
    }

    fn give_login(&mut self) -> Vec<Act> {
        let Asked::Login { login, proxy } = &self.asked else { return Vec::new() };
        let (lines, with_code) = (login.lines(), login.has_code());
        match lines {
            Ok(None) => Vec::new(),
            Ok(Some(lines)) => {
                self.gave |= !proxy;
                self.gave_code = with_code;
                self.asked = Asked::Nothing;
                lines.into_iter().map(Act::Write).collect()
            }
            Err(fault) => self.fail(Reason::Unsayable(fault)),
        }
    }

    fn write(&mut self, answer: Result<Answer, Unsayable>) -> Vec<Act> {
        self.asked = Asked::Nothing;
        self.gave = true;
        match answer {
            Ok(answer) => vec![Act::Write(answer)],
            Err(fault) => self.fail(Reason::Unsayable(fault)),
        }
    }

    fn refused(&mut self, what: &str, text: Option<&str>) -> Vec<Act> {
        let text = text.map(|text| (self.mask)(text));
        let reason = match text {
            _ if is_proxy(what) => Reason::ProxyLogin,
            _ if what != "Auth" => Reason::Passphrase,
            Some(text) if text.contains("cipher negotiation failed") => {
                return self.fail(Reason::NoCommonCipher(text));
            }
            Some(text) if text.starts_with("SESSION:") => Reason::SessionExpired,
            text => Reason::Login { text, with_code: self.gave_code },
        };
        self.refusals += 1;
        // Without a login of ours there is nothing to ask again for.
        if !self.gave || self.refusals > ASKED_AGAIN {
            return self.fail(reason);
        }
        vec![Act::Refused(reason)]
    }

    fn message(&mut self, message: InfoMsg) -> Vec<Act> {
        let mut acts = self.at(Step::WaitingForCode);
        match message {
            InfoMsg::WebAuth { url, .. } | InfoMsg::OpenUrl(url) => acts.push(Act::Browse(url)),
            InfoMsg::CrText { respond: true, echo, text } => {
                self.asked = Asked::Response;
                let text = Some((self.mask)(&text));
                acts.push(Act::NeedCode { text, echo, again: false });
            }
            InfoMsg::CrText { text, .. } => {
                let text = (self.mask)(&text);
                acts.extend(self.note(LogLine { at: 0, flags: "I".into(), text }));
            }
            InfoMsg::Other(_) => return Vec::new(),
        }
        acts
    }

    fn up_down(&mut self, told: UpDown) -> Vec<Act> {
        match told {
            UpDown::Up => self.variables = Some(Vec::new()),
            UpDown::Down => self.variables = None,
            UpDown::Env(name, value) => {
                if let Some(variables) = &mut self.variables {
                    variables.push((name, value));
                }
            }
            UpDown::EnvEnd => {
                let variables = self.variables.take();
                return variables.map(|all| Act::Pushed(Pushed::of(&all))).into_iter().collect();
            }
        }
        Vec::new()
    }

    fn log(&mut self, mut line: LogLine) -> Vec<Act> {
        // What is written and told here comes back as lines of its own.
        if line.text.starts_with("MANAGEMENT: ") {
            return Vec::new();
        }
        line.text = (self.mask)(&without_state(&line.text));
        self.evidence.see(&line, &self.setup.known);
        self.note(line)
    }

    fn note(&mut self, line: LogLine) -> Vec<Act> {
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line.clone());
        vec![Act::Note(line)]
    }

    fn at(&mut self, step: Step) -> Vec<Act> {
        if self.step.as_ref() == Some(&step) {
            return Vec::new();
        }
        self.step = Some(step.clone());
        vec![Act::Step(step)]
    }

    /// Fails while the program still runs.
    fn fail(&mut self, reason: Reason) -> Vec<Act> {
        let mut acts = vec![Act::Write(Answer::terminate())];
        acts.extend(self.ended(reason));
        acts
    }

    /// Fails, as the program is about to end or has ended.
    fn ended(&mut self, reason: Reason) -> Vec<Act> {
        if std::mem::replace(&mut self.over, true) || self.leaving {
            return Vec::new();
        }
        self.asked = Asked::Nothing;
        vec![Act::Fail(reason)]
    }
}

fn is_proxy(what: &str) -> bool {
    what.ends_with("Proxy")
}

/// A challenge without what the server knows the login by, which is nobody's to see.
fn without_state(text: &str) -> String {
    let Some((before, challenge)) = text.split_once("CRV1:") else { return text.to_owned() };
    let mut parts = challenge.splitn(3, ':');
    let (Some(flags), Some(_), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return text.to_owned();
    };
    format!("{before}CRV1:{flags}:…:{rest}")
}
