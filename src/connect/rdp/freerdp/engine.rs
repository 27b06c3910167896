//! The life of a desktop in FreeRDP's window: the certificate is looked at, the
//! program started, the password given to it by a pipe, then nothing but waiting for
//! its end. Runs in the session process; FreeRDP ends with it.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::arguments::{self, Before, Place};
use super::exit::{self, Said, Whose};
use super::fail;
use super::probe::{self, Seen};
use crate::connect::host::child::{self, Command, Engine, Inbox, Uplink};
use crate::connect::line::{End, Report};
use crate::connect::link::LinkInfo;
use crate::connect::rdp::fail as rdp;
use crate::connect::rdp::gateway::{self, Way};
use crate::connect::rdp::login::Login;
use crate::connect::rdp::settings::Settings;
use crate::connect::ssh::{fail as local, forward};
use crate::connect::vpn::relay;
use crate::connect::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::chromium::Profile;
use crate::os::{freerdp, share};

/// FreeRDP's room for a password, its end included.
const PASSWORD_MAX: usize = 512;
/// FreeRDP says this once it is connected and has room for the picture.
const SHOWN: &[u8] = b"Local framebuffer format";
/// Longest line of FreeRDP's that is looked at.
const LINE_MAX: u64 = 1 << 12;
/// How long the last words of a program that has ended are waited for.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// What FreeRDP takes besides a step of connecting, before it counts as shown.
const SLOW: Duration = Duration::from_secs(5);

/// What the engine hears.
enum Heard {
    Command(Command),
    /// The desktop is there.
    Shown,
    /// FreeRDP has ended with this status; none by a signal.
    Ended(Option<i32>),
}

struct Ear(Mutex<Sender<Heard>>);

impl Inbox for Ear {
    fn push(&self, command: Command) {
        let _ = self.0.lock().unwrap_or_else(PoisonError::into_inner).send(Heard::Command(command));
    }
}

/// FreeRDP's process and its files, which go together.
#[derive(Clone, Default)]
struct Held(Arc<Mutex<Option<(Child, Profile)>>>);

impl Held {
    /// Ends it and wipes its files.
    fn clear(&self) {
        // Kept until it is done: who leaves the process meanwhile waits for it.
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((process, files)) = held.take() {
            freerdp::end(process, files);
        }
    }
}

/// A desktop that FreeRDP shows.
pub struct WindowEngine {
    held: Held,
    inbox: Arc<Ear>,
    heard: Receiver<Heard>,
    info: LinkInfo,
    at: HostPort,
    user: String,
    program: String,
    secs: u64,
    lost: Arc<Mutex<Option<Failure>>>,
    /// Lines for who looks at the session.
    lines: Vec<Bi>,
    report: Report,
}

/// Opens a desktop in `program`.
///
/// # Errors
/// Anything from the name to the login, or a program that does not start; it is gone
/// then.
pub fn open(program: &Path, end: &End<'_>) -> Result<Box<dyn Engine>, Failure> {
    let settings = Settings::of(end.hop)?;
    let folder = match settings.folder.as_str() {
        "" => None,
        named => Some(share::folder(named).map_err(|why| rdp::folder(named, &why))?),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| local::local(&e))?;
    let mut login = Login::of(end, &settings);
    let before = gateway::before(end);
    if before.is_some() && end.up.door().is_some() {
        return Err(fail::gateway_behind_vpn());
    }
    let mut through = Way::of(end, before.as_ref(), &settings);
    let mut trusted = None;
    let told = freerdp::version(program);
    let version = freerdp::version_in(&told).unwrap_or_default().to_owned();
    let major = major(program, &version);
    let secs = settings.connect_timeout.as_secs();
    let shown = program.display().to_string();
    let mut way: Option<HostPort> = None;
    loop {
        let look = async {
            let wire = through.open().await?;
            probe::look(end, &settings, wire, &mut login, &mut trusted).await
        };
        let seen = runtime.block_on(look).map_err(|seen| end.reason(seen))?;
        if seen.nla {
            login.complete(&settings)?;
        } else {
            login.as_stored();
        }
        if way.is_none() {
            way = Some(match end.via {
                None => {
                    let behind = relay::port(end.up, Some(end.hop.at.clone()))?;
                    behind.unwrap_or_else(|| end.hop.at.clone())
                }
                Some(jump) => {
                    let here = HostPort { host: "127.0.0.1".into(), port: 0 };
                    forward::serve(&here, &jump.inbox, Some(end.hop.at.clone()))?
                }
            });
        }
        let domain = login.domain().unwrap_or_default();
        let gate = through.gateway();
        let gate_domain = gate.and_then(|gate| gate.login.domain()).unwrap_or_default();
        let place = Place {
            at: way.as_ref().expect("just set"),
            title: &end.hop.path,
            user: (login.user(), &domain),
            fingerprint: &seen.fingerprint,
            nla: seen.nla,
            folder: folder.as_deref(),
            gateway: gate.map(|gate| Before {
                at: gate.at(),
                user: (gate.login.user(), &gate_domain),
                fingerprint: gate.trusted.as_deref().unwrap_or_default(),
            }),
        };
        let args = arguments::of(&settings, &place, major);
        let held = Held::default();
        let (sender, heard) = channel();
        let said = Arc::<Mutex<Said>>::default();
        let logins = (&login, gate.map(|gate| &gate.login));
        let started = begin(program, args, logins, &held, (&sender, &said));
        let wait = started.map(|()| shows(&heard, settings.connect_timeout + SLOW));
        let status = match wait {
            Ok(None) => {
                let about = (&settings, folder.as_deref(), &*version, major);
                return Ok(Box::new(WindowEngine {
                    held,
                    inbox: Arc::new(Ear(Mutex::new(sender))),
                    heard,
                    info: info(&seen, &login, &through.description(), about),
                    at: end.hop.at.clone(),
                    user: login.shown(),
                    lines: lines(&shown, &version, &end.hop.at),
                    program: shown,
                    secs,
                    lost: end.lost.clone(),
                    report: Report::new(),
                }));
            }
            Ok(Some(status)) => status,
            Err(failure) => {
                held.clear();
                return Err(failure);
            }
        };
        held.clear();
        let user = login.shown();
        let at = &end.hop.at;
        let whose =
            Whose { at, user: &user, program: &shown, secs, shown: false, said: *locked(&said) };
        let failure = exit::told(status, &whose).unwrap_or_else(|| given_up(&shown));
        if failure.kind != FailureKind::Login || !login.asked.refused() {
            return Err(end.reason(failure));
        }
    }
}

/// The first number of the version; programs of version 3 may have it in their name.
fn major(program: &Path, version: &str) -> u32 {
    let first = version.split('.').next().and_then(|n| n.parse().ok());
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    first.unwrap_or(if name == "xfreerdp" { 2 } else { 3 })
}

/// The person closed the window before the desktop was there.
fn given_up(program: &str) -> Failure {
    Failure {
        kind: FailureKind::Cancelled,
        what: Bi::new(
            format!("La fenêtre de {program} a été fermée avant que le bureau soit là."),
            format!("The window of {program} was closed before the desktop was there."),
        ),
        todo: Bi::new("Connectez-vous à nouveau.", "Connect again."),
    }
}

fn info(
    seen: &Seen,
    login: &Login<'_>,
    way: &str,
    about: (&Settings, Option<&Path>, &str, u32),
) -> LinkInfo {
    let (settings, folder, version, major) = about;
    let nla = if seen.nla { " · NLA" } else { "" };
    let mut warnings = arguments::lost(settings, folder, major);
    if seen.weak {
        warnings.push(Bi::new(
            format!("Chiffrement ancien accepté pour cette entrée\u{a0}: {}", seen.version),
            format!("Old encryption accepted for this entry: {}", seen.version),
        ));
    }
    LinkInfo {
        user: login.shown(),
        host_key: seen.fingerprint.clone(),
        description: format!("RDP · {}{nla} · FreeRDP {version}{way}", seen.version),
        warnings,
        ..LinkInfo::default()
    }
}

fn lines(program: &str, version: &str, at: &HostPort) -> Vec<Bi> {
    vec![
        Bi::new(
            format!("Programme\u{a0}: {program} (FreeRDP {version})"),
            format!("Program: {program} (FreeRDP {version})"),
        ),
        Bi::new(
            format!(
                "Bureau de {at} ouvert dans sa propre fenêtre\u{a0}; il se ferme avec cette session"
            ),
            format!("Desktop of {at} opened in a window of its own; it closes with this session"),
        ),
    ]
}

/// Starts the program, hands it the password and listens to it.
fn begin(
    program: &Path,
    args: Vec<std::ffi::OsString>,
    (login, before): (&Login<'_>, Option<&Login<'_>>),
    held: &Held,
    (sender, said): (&Sender<Heard>, &Arc<Mutex<Said>>),
) -> Result<(), Failure> {
    // Checked first: what is cut off or taken for two lines would be a wrong password.
    let fits = |p: &str| p.len() < PASSWORD_MAX && !p.contains(['\n', '\r', '\0']);
    let passwords = || std::iter::once(login).chain(before).map(|login| login.asked.password());
    if passwords().flatten().any(|p| !p.expose(fits)) {
        return Err(fail::password());
    }
    let files = Profile::make().map_err(|e| local::local(&e))?;
    let mut process = match freerdp::start(program, args, &files) {
        Ok(process) => process,
        Err(e) => {
            files.wipe();
            return Err(fail::no_start(&program.display().to_string(), &e));
        }
    };
    let (input, id) = (process.stdin.take(), process.id());
    let streams = (process.stdout.take(), process.stderr.take());
    *held.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((process, files));
    {
        let held = held.clone();
        child::before_leaving(Box::new(move || held.clear()));
    }
    if let Some(mut input) = input {
        // A program that has ended tells by its status why.
        for password in passwords() {
            let _ = match password {
                Some(password) => password.expose(|p| input.write_all(p.as_bytes())),
                None => Ok(()),
            };
            let _ = input.write_all(b"\n");
        }
    }
    let (reading, read) = channel();
    if let Some(out) = streams.0 {
        listen(out, (sender, said), reading.clone())?;
    }
    if let Some(errors) = streams.1 {
        listen(errors, (sender, said), reading)?;
    }
    let sender = sender.clone();
    named("freerdp", move || {
        let status = freerdp::ended(id);
        // Nothing is ever sent: it ends when all that it said is read, or when a
        // program of its own holds its streams open.
        let _ = read.recv_timeout(LAST_WORDS);
        let _ = sender.send(Heard::Ended(status));
    })
}

fn locked(said: &Mutex<Said>) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads what the program tells, so that it never waits for a reader.
fn listen(
    stream: impl Read + Send + 'static,
    (sender, said): (&Sender<Heard>, &Arc<Mutex<Said>>),
    reading: Sender<()>,
) -> Result<(), Failure> {
    let (sender, said) = (sender.clone(), Arc::clone(said));
    named("listener", move || {
        let _reading = reading;
        let mut stream = BufReader::new(stream);
        let mut line = Vec::new();
        while let Ok(1..) = stream.by_ref().take(LINE_MAX).read_until(b'\n', &mut line) {
            if line.windows(SHOWN.len()).any(|part| part == SHOWN) {
                let _ = sender.send(Heard::Shown);
            }
            locked(&said).hear(&line);
            line.clear();
        }
    })
}

fn named(name: &str, act: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let started = std::thread::Builder::new().name(name.into()).spawn(act);
    started.map(drop).map_err(|e| local::local(&e))
}

/// Waits until the desktop is there; the status of a program that has ended before.
/// One that neither shows nor ends in time shows something all the same.
fn shows(heard: &Receiver<Heard>, limit: Duration) -> Option<Option<i32>> {
    let end = Instant::now() + limit;
    loop {
        match heard.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(Heard::Shown) | Err(RecvTimeoutError::Timeout) => return None,
            Ok(Heard::Ended(status)) => return Some(status),
            Ok(Heard::Command(_)) => {}
            Err(RecvTimeoutError::Disconnected) => return Some(None),
        }
    }
}

impl WindowEngine {
    /// Serves until FreeRDP or the session ends; the reason, if the person ended
    /// neither.
    fn work(&mut self, up: &Uplink) -> Option<Failure> {
        let mut over = None;
        loop {
            // Who looks at the session is told before it is over.
            if let Some(why) = over.as_ref().filter(|_| self.report.is_open()) {
                return Option::clone(why);
            }
            match self.heard.recv().ok()? {
                Heard::Ended(status) => over = Some(self.ended(status)),
                Heard::Command(Command::Quit) => return over.flatten(),
                Heard::Command(command) => {
                    let (name, lines) = (&self.info.description, &self.lines);
                    if self.report.command(command, name, lines, up) {
                        return None;
                    }
                }
                Heard::Shown => {}
            }
        }
    }

    fn ended(&mut self, status: Option<i32>) -> Option<Failure> {
        let Self { at, user, program, secs, .. } = &*self;
        let whose = Whose { at, user, program, secs: *secs, shown: true, said: Said::default() };
        let why = exit::told(status, &whose);
        if why.is_none() {
            self.lines.push(Bi::new("Fenêtre fermée", "Window closed"));
        }
        let lost = || self.lost.lock().unwrap_or_else(PoisonError::into_inner).clone();
        why.map(|seen| lost().unwrap_or(seen))
    }
}

impl Engine for WindowEngine {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn run(mut self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let why = self.work(&up);
        self.held.clear();
        if let Some(why) = &why {
            noted(why);
            self.lines.push(why.what.clone());
        }
        self.report.end(&self.lines, why.as_ref(), &up);
        why
    }
}
