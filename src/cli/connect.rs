//! `connect`: an interactive shell in this terminal, or a command with its three
//! streams passed through. The opening was logged before anything starts here.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use serde_json::json;

use crate::app::api::{AppError, At, Code, EntryView, Justification, Request};
use crate::app::{ConnectRequest, OpenSession, SessionUi, browser, desktop};
use crate::connect::launch::{Child, Launch};
use crate::connect::link::{Channel, ChannelRequest, Exit, FromRemote, Link, LinkInfo, Sink};
use crate::connect::link::{TermSize, ToRemote};
use crate::connect::{self, Answer, Connector, Failure, Lease, Opens, Progress, Question};
use crate::model::entry::Slot;
use crate::model::id::SessionId;
use crate::model::lang::{Bi, Lang};
use crate::model::target::Target;
use crate::os::signals::{self, Heard};
use crate::os::terminal::{self, Output};
use crate::secret::{SecretBytes, SecretText};

use super::args::Connect;
use super::escape::{Act, Escape};
use super::say::{self, bi, usage};
use super::{Context, Opened, connector, prompt, show};

/// Bytes read from standard input at once.
const READ_BYTES: usize = 32 * 1024;
/// Bytes waiting for the far side above which standard input is not read.
const BACKLOG_MAX_BYTES: usize = 1024 * 1024;
/// How often a full backlog is looked at again.
const BACKLOG_PAUSE: Duration = Duration::from_millis(2);

/// What ends a session.
enum End {
    Opened(Result<Box<dyn Channel>, AppError>),
    Exit(Exit),
    Closed(Option<Failure>),
    Signal(i32),
}

pub fn connect(context: &Context, options: Connect) -> Result<u8, AppError> {
    let asked_to_end = Arc::new(AtomicI32::new(0));
    let done = attend(context, options, &asked_to_end);
    match (done, asked_to_end.load(Ordering::Acquire)) {
        (Err(error), signal) if signal != 0 => {
            if context.json {
                say::failure(&error, context.lang, true);
            }
            Ok(128 + (signal & 0x7F) as u8)
        }
        (done, _) => done,
    }
}

fn attend(
    context: &Context,
    options: Connect,
    asked_to_end: &Arc<AtomicI32>,
) -> Result<u8, AppError> {
    let (ends, end) = channel();
    let mut request = channel_request(&options)?;
    let accepted = options.accept_host_key.as_deref().map(fingerprints).transpose()?;
    let resized = Arc::new(Mutex::new(None::<Arc<Mutex<Box<dyn Channel>>>>));
    watch_signals(ends.clone(), Arc::clone(asked_to_end), Arc::clone(&resized));
    let opened = context.open()?;
    let mut plain = false;
    // What is wrong with the path, connecting says.
    let view = opened.call(Request::Show { at: At::Path(options.path.clone()) });
    let view = view.and_then(say::entry).ok();
    if let Some(view) = &view {
        warn_of_expiry(context, view);
        let connector = connect::by_kind(&view.entry.kind);
        let is_page = connector.is_some_and(|connector| connector.opens() == Opens::Browser);
        // Without a screen there is still the browser that BROWSER names.
        if is_page && (view.opens == Opens::Browser || !desktop::has_screen()) {
            return page(context, &opened, options);
        }
        plain = connector.is_some_and(|connector| !connector.many_channels());
        if plain && (!options.command.is_empty() || options.tty) {
            return Err(no_commands(view.entry.kind.word()));
        }
        if let ChannelRequest::Shell { term, .. } = &mut request
            && plain
            && !terminal::stdin_is_terminal()
        {
            term.clear();
        }
    }
    let just: Justification = options.why.into();
    let mut ui = Terminal::new(context.lang, asked_to_end);
    let mut dial = || {
        let request = ConnectRequest {
            at: At::Path(options.path.clone()),
            just: just.clone(),
            accept_host_key: accepted.clone(),
            reuse: !options.no_reuse,
            desktop: desktop::of_terminal(context.lang),
            after: None,
        };
        let session = opened.access().connect(request, &mut ui);
        let session = session.map_err(|error| ui.unanswered().unwrap_or(error))?;
        Ok::<Arc<dyn OpenSession>, AppError>(Arc::from(session))
    };
    let on_terminal = matches!(
        &request,
        ChannelRequest::Shell { .. } | ChannelRequest::Exec { size: Some(_), .. }
    );
    let interactive = matches!(request, ChannelRequest::Shell { .. });
    let mut session = dial()?;
    let mut open = open_channel(&session, &request, &ends, &end);
    if open.is_err() && session.info().reused && !session.alive() {
        // A connection that was kept open is of no use any more.
        close(&session);
        session = dial()?;
        open = open_channel(&session, &request, &ends, &end);
    }
    let on = Terms { on_terminal, interactive, plain, warned: &ui.warned };
    carry(context, &session, open, on, (ends, &end, &resized))
}

/// How a session is shown in this terminal.
struct Terms<'a> {
    on_terminal: bool,
    interactive: bool,
    /// It is one terminal, whose escape key ends it.
    plain: bool,
    /// What was said while connecting, which is not said again.
    warned: &'a [Bi],
}

/// Carries a session's channel until it ends.
fn carry(
    context: &Context,
    session: &Arc<dyn OpenSession>,
    open: Result<(Box<dyn Channel>, Vec<End>), AppError>,
    on: Terms<'_>,
    (ends, end, resized): (Sender<End>, &Receiver<End>, &Resized),
) -> Result<u8, AppError> {
    for warning in session.info().warnings.iter().filter(|w| !on.warned.contains(w)) {
        say::note(&say::plain(warning.get(context.lang)));
    }
    let (channel, early) = open.inspect_err(|_| close(session))?;
    let channel = Arc::new(Mutex::new(channel));
    *lock(resized) = Some(Arc::clone(&channel));
    let raw =
        if on.on_terminal && terminal::stdin_is_terminal() { terminal::raw().ok() } else { None };
    let escape = (on.plain && raw.is_some()).then(|| Escape::new(session.info().signals));
    if let Some(escape) = &escape {
        say::note(&format!("{}\r", escape.help(context.lang)));
    }
    pump_input(Arc::clone(&channel), escape, ends, context.lang);
    let outcome = wait(early, end);
    if raw.is_some() && outcome.exit.is_none() && terminal::stdout_is_terminal() {
        let _ = terminal::write_all(Output::Out, terminal::CALM);
    }
    drop(raw);
    *lock(resized) = None;
    let id = session.id();
    match outcome.signal {
        Some(signal) => session.close_because(&format!("signal {signal}")),
        None => {
            lock(&channel).send(ToRemote::Close);
            close(session);
        }
    }
    finish(context, &id.to_string(), outcome, on.interactive)
}

/// Opens a target without a vault, in this terminal: nothing is stored and nothing
/// is logged, and what the program wants is asked for here.
pub fn without_vault(
    context: &Context,
    connector: &'static dyn Connector,
    target: &Target,
) -> Result<u8, AppError> {
    let asked_to_end = Arc::new(AtomicI32::new(0));
    let (ends, end) = channel();
    let resized = Arc::new(Mutex::new(None::<Arc<Mutex<Box<dyn Channel>>>>));
    watch_signals(ends.clone(), Arc::clone(&asked_to_end), Arc::clone(&resized));
    let lang = context.lang;
    let ui = Terminal { lang, asked_to_end, warned: Vec::new(), typed: false, unanswered: None };
    let mut lease = NoVault(ui);
    let link = connector.open(target, &mut lease).map_err(AppError::from);
    let mut ui = lease.0;
    let link = link.map_err(|error| ui.unanswered.take().unwrap_or(error))?;
    let session: Arc<dyn OpenSession> = Arc::new(Unlogged(link));
    let there = terminal::stdin_is_terminal();
    let term = if there { "xterm-256color" } else { "" };
    let request = ChannelRequest::Shell { size: size(), term: term.to_owned() };
    let open = open_channel(&session, &request, &ends, &end);
    let on = Terms { on_terminal: true, interactive: true, plain: true, warned: &ui.warned };
    carry(context, &session, open, on, (ends, &end, &resized))
}

/// Gives what the person types, and keeps nothing.
struct NoVault(Terminal);

impl Lease for NoVault {
    fn take(&mut self, _hop: usize, slot: &Slot) -> Option<SecretBytes> {
        let asked = format!("{slot}\u{a0}:");
        let typed = prompt::secret(self.0.lang, &asked, &format!("{slot}:"));
        match self.0.answered(typed) {
            Answer::Text(text) if !text.is_empty() => Some(text.into_bytes()),
            _ => None,
        }
    }

    fn totp(&mut self, hop: usize) -> Option<SecretText> {
        self.take(hop, &Slot::Totp).and_then(|code| code.into_text().ok())
    }

    fn spawn(&mut self, launch: Launch) -> std::io::Result<Child> {
        launch.start()
    }

    fn ask(&mut self, question: Question) -> Answer {
        self.0.ask(question)
    }

    fn say(&mut self, progress: Progress) {
        self.0.say(progress);
    }

    fn cancelled(&self) -> bool {
        self.0.cancelled()
    }
}

/// A link that no log tells of.
struct Unlogged(Box<dyn Link>);

impl OpenSession for Unlogged {
    fn id(&self) -> SessionId {
        SessionId([0; 16])
    }

    fn info(&self) -> LinkInfo {
        self.0.info()
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, AppError> {
        Ok(self.0.open_channel(request, sink)?)
    }

    fn alive(&self) -> bool {
        self.0.alive()
    }

    fn close(&self) {
        self.0.close();
    }
}

/// Opens the channel on a thread of its own, so that a signal ends the wait; the
/// channel, and what it said meanwhile.
fn open_channel(
    session: &Arc<dyn OpenSession>,
    request: &ChannelRequest,
    ends: &Sender<End>,
    end: &Receiver<End>,
) -> Result<(Box<dyn Channel>, Vec<End>), AppError> {
    let (opening, request, ends) = (Arc::clone(session), request.clone(), ends.clone());
    let started = Builder::new().name("opening".to_owned()).spawn(move || {
        let opened = opening.open_channel(request, sink(ends.clone()));
        let _ = ends.send(End::Opened(opened));
    });
    started.map_err(|error| ended(&error.to_string()))?;
    let mut early = Vec::new();
    loop {
        match end.recv() {
            Ok(End::Opened(opened)) => return Ok((opened?, early)),
            Ok(End::Signal(signal)) => {
                session.close_because(&format!("signal {signal}"));
                return Err(ended(&format!("signal {signal}")));
            }
            Ok(other) => early.push(other),
            Err(error) => return Err(ended(&error.to_string())),
        }
    }
}

fn ended(cause: &str) -> AppError {
    AppError {
        code: Code::Connection,
        what: bi(
            format!("La connexion a été abandonnée ({cause})."),
            format!("The connection was given up ({cause})."),
        ),
        todo: bi("Connectez-vous à nouveau.", "Connect again."),
    }
}

/// The fingerprints given in advance, one or several apart by commas, as OpenSSH
/// prints them: the name of the digest may be missing, padding may be there.
pub(super) fn fingerprints(given: &str) -> Result<String, AppError> {
    let each = given.split(',').map(|print| {
        let print = print.trim();
        let digest = print.strip_prefix("SHA256:").unwrap_or(print).trim_end_matches('=');
        let bytes = data_encoding::BASE64_NOPAD.decode(digest.as_bytes());
        if !bytes.is_ok_and(|bytes| bytes.len() == 32) {
            let print = say::plain(print);
            return Err(usage(
                bi(
                    format!("«\u{a0}{print}\u{a0}» n’est pas l’empreinte SHA-256 d’une clé."),
                    format!("“{print}” is not the SHA-256 fingerprint of a key."),
                ),
                bi(
                    "Donnez-la comme ssh-keygen -l l’affiche\u{a0}: SHA256: et 43 caractères.",
                    "Give it as ssh-keygen -l prints it: SHA256: and 43 characters.",
                ),
            ));
        }
        Ok(format!("SHA256:{digest}"))
    });
    Ok(each.collect::<Result<Vec<_>, _>>()?.join(","))
}

/// Ends the session, which writes its closing line.
fn close(session: &Arc<dyn OpenSession>) {
    session.close();
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn channel_request(options: &Connect) -> Result<ChannelRequest, AppError> {
    let term = std::env::var("TERM").ok().filter(|term| !term.is_empty() && term != "dumb");
    let term = term.unwrap_or_else(|| "xterm-256color".to_owned());
    if options.command.is_empty() {
        return Ok(ChannelRequest::Shell { size: size(), term });
    }
    let command = match &options.command[..] {
        [whole] => whole.clone(),
        words => words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "),
    };
    if command.contains('\0') {
        return Err(usage(
            bi("La commande contient un octet nul.", "The command holds a null byte."),
            bi("Retirez-le.", "Take it out."),
        ));
    }
    Ok(ChannelRequest::Exec { command, size: options.tty.then(size), term })
}

/// A word as the far shell must read it to get the same word (POSIX.1-2017, XCU
/// 2.2.2): the far side takes a line, not words.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

fn size() -> TermSize {
    let (cols, rows) = terminal::size().unwrap_or((80, 24));
    TermSize { cols, rows }
}

/// Opens the page of a web entry, and says whom to log in as.
fn page(context: &Context, opened: &Opened, options: Connect) -> Result<u8, AppError> {
    if !options.command.is_empty() || options.tty || options.accept_host_key.is_some() {
        return Err(usage(
            bi("Une page web n’exécute pas de commande.", "A web page runs no command."),
            bi(
                "Donnez son chemin seul\u{a0}: elle s’ouvre dans le navigateur.",
                "Give its path alone: it opens in the browser.",
            ),
        ));
    }
    let at = At::Path(options.path);
    let page =
        browser::visit(|request| opened.call(request), browser::show, at, options.why.into())?;
    if context.json {
        say::document(&json!({
            "session": page.session.to_string(),
            "opened": true,
            "url": page.url,
            "user": page.user,
        }));
        return Ok(0);
    }
    let url = say::plain(&page.url);
    say::line(&format!("{}{url}", context.pick("Page ouverte\u{a0}: ", "Page opened: ")));
    if !page.user.is_empty() {
        let user = say::plain(&page.user);
        say::line(&format!("{}{user}", context.pick("Identifiant\u{a0}: ", "Login: ")));
    }
    Ok(0)
}

/// A command for a line that is one terminal.
fn no_commands(kind: &str) -> AppError {
    usage(
        bi(
            format!("Un accès {kind} n’exécute pas de commande\u{a0}: il n’ouvre qu’un terminal."),
            format!("A {kind} entry runs no command: it only opens a terminal."),
        ),
        bi(
            "Donnez son chemin seul\u{a0}; ce que l’entrée standard contient est tapé.",
            "Give its path alone; what standard input holds is typed.",
        ),
    )
}

/// Says so when the login or machine has expired; it may work all the same.
fn warn_of_expiry(context: &Context, view: &EntryView) {
    if let Some(day) = view.entry.expires.filter(|day| show::is_past(*day)) {
        say::note(&format!("{} {}", say::plain(&view.path), show::expiry(context, day)));
    }
}

type Resized = Arc<Mutex<Option<Arc<Mutex<Box<dyn Channel>>>>>>;

fn watch_signals(ends: Sender<End>, asked_to_end: Arc<AtomicI32>, resized: Resized) {
    signals::watch(move |heard| match heard {
        Heard::Resize => {
            if let Some(channel) = &*lock(&resized) {
                lock(channel).send(ToRemote::Resize(size()));
            }
        }
        Heard::End(signal) => {
            asked_to_end.store(signal, Ordering::Release);
            let _ = ends.send(End::Signal(signal));
        }
    });
}

/// Prints what comes, and tells the main thread how it ends.
fn sink(ends: Sender<End>) -> Sink {
    let reader_gone = AtomicBool::new(false);
    Box::new(move |said| {
        let (output, data) = match said {
            FromRemote::Data(data) => (Output::Out, data),
            FromRemote::Stderr(data) => (Output::Err, data),
            FromRemote::Exit(exit) => {
                let _ = ends.send(End::Exit(exit));
                return;
            }
            FromRemote::Closed(failure) => {
                let _ = ends.send(End::Closed(failure));
                return;
            }
            // A terminal shows no desktop, and none is asked for here.
            FromRemote::Tile(_)
            | FromRemote::Lent(_)
            | FromRemote::Copy(_)
            | FromRemote::Screen(_)
            | FromRemote::Clipboard(_)
            | FromRemote::Files(_)
            | FromRemote::Resume(_) => return,
        };
        if terminal::write_all(output, &data).is_err()
            && output == Output::Out
            && !reader_gone.swap(true, Ordering::Relaxed)
        {
            // As a pipe's reader that is gone ends any program.
            let _ = ends.send(End::Signal(SIGPIPE));
        }
    })
}

/// Number of the signal for a reader that is gone, the same on every Unix.
const SIGPIPE: i32 = 13;

/// Sends standard input to the far side until it ends; the thread is left
/// behind at the end of the process.
fn pump_input(
    channel: Arc<Mutex<Box<dyn Channel>>>,
    mut escape: Option<Escape>,
    ends: Sender<End>,
    lang: Lang,
) {
    let _ = Builder::new().name("input".to_owned()).spawn(move || {
        let mut buffer = zeroize::Zeroizing::new(vec![0; READ_BYTES]);
        loop {
            match terminal::read_some(&mut buffer) {
                Ok(0) | Err(_) => {
                    lock(&channel).send(ToRemote::Eof);
                    return;
                }
                Ok(count) => match &mut escape {
                    None => lock(&channel).send(ToRemote::Data(buffer[..count].to_vec())),
                    Some(escape) => {
                        for act in escape.take(&buffer[..count]) {
                            match act {
                                Act::Send(bytes) => lock(&channel).send(ToRemote::Data(bytes)),
                                Act::Signal(signal) => {
                                    lock(&channel).send(ToRemote::Signal(signal));
                                }
                                Act::Help => say::note(&format!("\r\n{}\r", escape.help(lang))),
                                Act::Quit => {
                                    let _ = ends.send(End::Closed(None));
                                    return;
                                }
                            }
                        }
                    }
                },
            }
            while lock(&channel).backlog() > BACKLOG_MAX_BYTES {
                std::thread::sleep(BACKLOG_PAUSE);
            }
        }
    });
}

/// How it ended: what the command said, and what the connection said.
struct Outcome {
    exit: Option<Exit>,
    failure: Option<Failure>,
    signal: Option<i32>,
}

fn wait(early: Vec<End>, end: &Receiver<End>) -> Outcome {
    let mut outcome = Outcome { exit: None, failure: None, signal: None };
    for said in early.into_iter().chain(end) {
        match said {
            End::Opened(_) => {}
            End::Exit(exit) => outcome.exit = Some(exit),
            End::Closed(failure) => {
                outcome.failure = failure;
                return outcome;
            }
            End::Signal(signal) => {
                outcome.signal = Some(signal);
                return outcome;
            }
        }
    }
    outcome
}

fn finish(
    context: &Context,
    session: &str,
    outcome: Outcome,
    interactive: bool,
) -> Result<u8, AppError> {
    let status = match (&outcome.exit, outcome.signal) {
        (Some(Exit::Status(0)), _) => Some(0),
        // No failure may look like success in the eight bits that a status has.
        (Some(Exit::Status(status)), _) => Some(match (*status & 0xFF) as u8 {
            0 => UNKNOWN,
            low => low,
        }),
        (Some(Exit::Signal(name)), _) => {
            Some(signal_number(name).map_or(UNKNOWN, |number| 128 + number))
        }
        (None, Some(signal)) => Some(128 + (signal & 0x7F) as u8),
        (None, None) if interactive && outcome.failure.is_none() => Some(0),
        (None, None) => None,
    };
    if context.json {
        let (exit_status, exit_signal) = match &outcome.exit {
            Some(Exit::Status(status)) => (Some(*status), None),
            Some(Exit::Signal(name)) => (None, Some(name.as_str())),
            None => (None, None),
        };
        // On one line of standard error: standard output is the command's.
        let document = json!({
            "session": session,
            "started": true,
            "exit_status": exit_status,
            "exit_signal": exit_signal,
            "failure": outcome.failure.as_ref().map(|failure| json!({
                "kind": failure.kind,
                "what": failure.what.get(context.lang),
                "todo": failure.todo.get(context.lang),
            })),
        });
        say::document_note(&document);
    }
    if let Some(status) = status {
        return Ok(status);
    }
    if context.json {
        return Ok(Code::Connection.exit());
    }
    let (what, todo) = match outcome.failure {
        Some(failure) => (failure.what, failure.todo),
        None => (
            bi(
                "La connexion s’est fermée sans dire comment la commande a fini.",
                "The connection closed without saying how the command ended.",
            ),
            bi("Vérifiez sur le serveur ce qui a été fait.", "Check on the server what was done."),
        ),
    };
    Err(AppError { code: Code::Connection, what, todo })
}

/// A command that failed in a way that no status says.
const UNKNOWN: u8 = 255;

/// Numbers of the signals that RFC 4254 section 6.10 and POSIX name, as on Linux;
/// a server may add `@` and its own name.
fn signal_number(name: &str) -> Option<u8> {
    const NAMES: [&str; 31] = [
        "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2",
        "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG",
        "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "POLL", "PWR", "SYS",
    ];
    let name = name.split('@').next().unwrap_or(name);
    let number = NAMES.iter().position(|known| *known == name).map(|at| at + 1);
    // The local shell names the others by their numbers.
    number.or_else(|| name.parse().ok()).and_then(|n| u8::try_from(n).ok()).filter(|n| *n < 127)
}

/// The person at this terminal, or the program at the other end of standard input.
pub(super) struct Terminal {
    lang: Lang,
    asked_to_end: Arc<AtomicI32>,
    /// The warnings that were said.
    warned: Vec<Bi>,
    /// A password was given.
    typed: bool,
    /// Wrong use that left a question of the login without an answer: the far
    /// side then only tells that it was given nothing.
    unanswered: Option<AppError>,
}

impl Terminal {
    /// Who reads `lang`, and gives up when a signal is noted in `asked_to_end`.
    pub(super) fn new(lang: Lang, asked_to_end: &Arc<AtomicI32>) -> Self {
        let asked_to_end = Arc::clone(asked_to_end);
        Self { lang, asked_to_end, warned: Vec::new(), typed: false, unanswered: None }
    }

    /// See [`Terminal::unanswered`]; then there is none.
    pub(super) fn unanswered(&mut self) -> Option<AppError> {
        self.unanswered.take()
    }

    /// The answer, or that there is none.
    fn answered(&mut self, answer: Result<SecretText, AppError>) -> Answer {
        match answer {
            Ok(text) => return Answer::Text(text),
            // What is asked once more after a password was most likely wrong.
            Err(error) if error.code == Code::Usage && !self.typed => {
                self.unanswered.get_or_insert(error);
            }
            Err(_) => {}
        }
        Answer::No
    }
}

impl SessionUi for Terminal {
    fn ask(&mut self, question: Question) -> Answer {
        match question {
            Question::TrustHostKey(key) => {
                let what = match key.is_certificate() {
                    true => self.lang.pick("Certificat inconnu", "Unknown certificate"),
                    false => self.lang.pick("Clé inconnue", "Unknown key"),
                };
                let asked = match self.lang {
                    Lang::Fr => format!(
                        "{what} de {} ({})\u{a0}: {}\nComparez cette empreinte avec celle du serveur, puis tapez yes pour l’accepter\u{a0}: ",
                        key.at, key.algorithm, key.fingerprint
                    ),
                    Lang::En => format!(
                        "{what} of {} ({}): {}\nCompare this fingerprint with the server's, then type yes to accept it: ",
                        key.at, key.algorithm, key.fingerprint
                    ),
                };
                match prompt::visible(&say::plain_lines(&asked)) {
                    Ok(answer) if answer.expose(|text| text.trim() == "yes") => Answer::Yes,
                    _ => Answer::No,
                }
            }
            Question::Prompt { text, echo } => {
                let text = say::plain_lines(&text);
                let answer = if echo {
                    prompt::visible(&text)
                } else {
                    prompt::secret(self.lang, text.trim_end(), text.trim_end())
                };
                self.answered(answer)
            }
            // Without a terminal the next line was written for something else.
            Question::Password { again: true, .. } if !terminal::stdin_is_terminal() => Answer::No,
            Question::Password { user, at, again } => {
                if again {
                    say::note(self.lang.pick("Mot de passe refusé.", "Password refused."));
                }
                let (user, host) = (say::plain(&user), say::plain(&at.host));
                let fr = format!("Mot de passe de {user} sur {host}\u{a0}:");
                let en = format!("Password of {user} on {host}:");
                let answer = prompt::secret(self.lang, &fr, &en);
                let answer = self.answered(answer);
                self.typed |= matches!(answer, Answer::Text(_));
                answer
            }
            Question::Approve(asked) => match connector::ask(self.lang, &asked) {
                true => Answer::Yes,
                false => Answer::No,
            },
            Question::User => {
                let asked = self.lang.pick("Nom d’utilisateur\u{a0}: ", "User name: ");
                let answer = prompt::visible(asked);
                self.answered(answer)
            }
        }
    }

    fn say(&mut self, progress: Progress) {
        if let Progress::Warning(warning) = progress {
            say::note(&say::plain(warning.get(self.lang)));
            self.warned.push(warning);
        }
    }

    fn cancelled(&self) -> bool {
        self.asked_to_end.load(Ordering::Acquire) != 0
    }
}
