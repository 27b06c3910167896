//! Runs the program of a manifest in the session process: in a pseudo-terminal that
//! becomes the person's, or beside its own window. Secrets are asked for when the
//! program wants them, and only until it is ready. The program ends with the session.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::askpass::{self, Desk};
use super::give::{content, given_up, one_line, secret_of};
use super::hold::{Ended, Held, Hold, end, lock};
use super::run::{Run, Way, WayBy};
use super::watch::{self, Next, Watch};
use super::{Ready, fail};
use crate::connect::host::child::{self, Command, Engine, Inbox, Output, Uplink};
use crate::connect::host::wire::WINDOW;
use crate::connect::line::fail as line;
use crate::connect::link::{ChannelRequest, Exit, LinkInfo};
use crate::connect::shell::exit_of;
use crate::connect::ssh::fail::{self as local, key_refused};
use crate::connect::ssh::hostkey;
use crate::connect::{Failure, Progress};
use crate::model::entry::Slot;
use crate::model::target::{Hop, PinnedKey, Target};
use crate::os::process::{Spawn, own_path, spawn};
use crate::os::pty::{self, Pty};
use crate::secret::SecretBytes;

/// Bytes for the person above which the program is not read.
const SHOWN_MAX: usize = 1 << 18;
/// A program that says nothing for so long after it spoke waits for somebody.
const QUIET: Duration = Duration::from_millis(200);
/// As [`QUIET`], while a question that was expected has not come.
const NO_QUESTION: Duration = Duration::from_secs(3);
/// How long output may still come after the program has ended.
const AFTERMATH: Duration = Duration::from_millis(300);
/// How long a program may take to stop showing what is typed.
const HIDING: Duration = Duration::from_secs(3);
/// How soon that is looked at again, and how late at most. No terminal tells of it:
/// packet mode does only with EXTPROC, which takes the editing of lines away
/// (tty_ioctl(4)).
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(100);
/// Largest content of a pipe, which takes it before anybody reads (pipe(7)).
const PIPE_MAX_BYTES: usize = 60 * 1024;
/// Sent by Ctrl+C on a terminal whose line is raw.
const CTRL_C: u8 = 3;

/// What the engine waits for.
enum Heard {
    Command(Command),
    Said(bool, Vec<u8>),
    Written(usize),
    Silent,
    Ended(ExitStatus),
    Asked(UnixStream, String),
}

struct Ear(Sender<Heard>);

impl Inbox for Ear {
    fn push(&self, command: Command) {
        let _ = self.0.send(Heard::Command(command));
    }
}

/// A program that runs.
struct Running {
    run: Run,
    /// Ways whose secret a helper was told.
    told: Vec<bool>,
    /// The secret of a question that was withdrawn: the lease gives it once.
    kept: Option<(usize, SecretBytes)>,
    /// What was heard while a question waited, and is not about it.
    later: VecDeque<Heard>,
    hop: Hop,
    index: usize,
    hold: Hold,
    heard: Receiver<Heard>,
    inbox: Arc<Ear>,
    pty: Option<Pty>,
    /// What is typed, or lines for standard input.
    typing: Option<Sender<Vec<u8>>>,
    /// Lets the readers go on, standard output and errors.
    permits: [Option<SyncSender<()>>; 2],
    /// Readers that have not come to their end.
    readers: usize,
    /// Readers that wait for room.
    waiting: [bool; 2],
    shown: VecDeque<u8>,
    status: Option<ExitStatus>,
    info: LinkInfo,
    channel: Option<u32>,
    attended: bool,
    credit: usize,
}

/// Starts a program and waits until it is ready.
///
/// # Errors
/// It does not start, refuses the login, or ends before; it is gone then.
pub(in crate::connect) fn open(
    run: Run,
    target: &Target,
    up: &Arc<Uplink>,
) -> Result<Box<dyn Engine>, Failure> {
    let (index, hop) = (target.hops.len() - 1, target.destination().clone());
    let mut running = Running::start(run, index, hop, up)?;
    let hold = running.hold.clone();
    child::before_leaving(Box::new(move || end(&hold)));
    match running.until_ready(up) {
        Ok(()) => {
            if let Some(held) = lock(&running.hold).as_mut() {
                held.desk = None;
            }
            running.kept = None;
            Ok(Box::new(running))
        }
        Err(failure) => {
            end(&running.hold);
            Err(failure)
        }
    }
}

impl Running {
    fn start(run: Run, index: usize, hop: Hop, up: &Arc<Uplink>) -> Result<Self, Failure> {
        let (ear, heard) = channel();
        let mut spawned = Spawn {
            program: Some(run.program.clone().into()),
            args: run.args.iter().map(Into::into).collect(),
            env: run.env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ..Spawn::default()
        };
        let mut lines = Vec::new();
        let mut asks = false;
        up.say(&Progress::Contacting(run.name.clone()));
        for way in &run.ways {
            match &way.by {
                WayBy::Pipe(number, parts, escape) => {
                    let secret = secret_of(way, index, &hop, up)?;
                    let (reader, mut writer) = io::pipe().map_err(|e| local::local(&e))?;
                    if let Some(secret) = secret {
                        let slot = way.slot.to_string();
                        // A key has lines of its own; nothing else may begin another.
                        let secret = match way.slot {
                            Slot::PrivateKey => secret,
                            _ => one_line(&secret, &way.slot)?,
                        };
                        let whole = secret.expose(|bytes| content(parts, *escape, bytes));
                        if whole.expose(<[u8]>::len) > PIPE_MAX_BYTES {
                            return Err(fail::pipe_too_small(&slot));
                        }
                        whole
                            .expose(|bytes| writer.write_all(bytes))
                            .map_err(|e| local::local(&e))?;
                    }
                    spawned.given.push((reader.into(), *number));
                }
                WayBy::Line => {
                    if let Some(secret) = secret_of(way, index, &hop, up)? {
                        lines.push(one_line(&secret, &way.slot)?);
                    }
                }
                WayBy::Askpass(variable, _) => {
                    asks = true;
                    let own = own_path().map_err(|e| local::local(&e))?;
                    spawned.env.push((variable.into(), own));
                }
                WayBy::Prompt(_) => {}
            }
        }
        let desk = match asks {
            true => {
                let ear = ear.clone();
                let asked = move |stream, question| {
                    drop(ear.send(Heard::Asked(stream, question)));
                };
                let desk = Desk::open(asked).map_err(|e| local::local(&e))?;
                spawned.env.push((askpass::SOCKET.into(), desk.path().into()));
                Some(desk)
            }
            false => None,
        };
        let mut pty = None;
        if run.window {
            spawned.leads = true;
            let desktop = crate::os::chromium::desktop();
            spawned.env.extend(desktop.into_iter().map(|(n, v)| (n.into(), v.into())));
        } else {
            let (near, far) = pty::open(80, 24).map_err(|e| local::local(&e))?;
            spawned.terminal = Some(far);
            if !run.env.iter().any(|(name, _)| name == "TERM") {
                spawned.env.push(("TERM".into(), "xterm-256color".into()));
            }
            pty = Some(near);
        }
        let mut process = spawn(spawned).map_err(|e| fail::not_started(&run.program, &e))?;
        let ended: Arc<Ended> = Arc::default();
        let (typing, typed) = channel::<Vec<u8>>();
        let hold = Held {
            pid: process.id(),
            ended: ended.clone(),
            stop: run.stop.clone(),
            typing: pty.as_ref().map(|_| typing.clone()),
            desk,
        };
        let mut warnings = Vec::new();
        if !run.note.en.is_empty() {
            up.say(&Progress::Warning(run.note.clone()));
            warnings.push(run.note.clone());
        }
        let info = LinkInfo {
            user: hop.user.clone(),
            description: run.description.clone(),
            warnings,
            ..LinkInfo::default()
        };
        let mut running = Self {
            told: vec![false; run.ways.len()],
            kept: None,
            later: VecDeque::new(),
            run,
            hop,
            index,
            hold: Arc::new(Mutex::new(Some(hold))),
            heard,
            inbox: Arc::new(Ear(ear.clone())),
            typing: pty.as_ref().map(|_| typing),
            pty,
            permits: [None, None],
            readers: 0,
            waiting: [false; 2],
            shown: VecDeque::new(),
            status: None,
            info,
            channel: None,
            attended: false,
            credit: 0,
        };
        if let Err(failure) = running.lead(&mut process, &ear, typed, lines) {
            end(&running.hold);
            return Err(failure);
        }
        if let Err(failure) = wait_for(process, ended, ear) {
            end(&running.hold);
            return Err(failure);
        }
        Ok(running)
    }

    /// Leads the streams of the program to the engine.
    fn lead(
        &mut self,
        process: &mut Child,
        ear: &Sender<Heard>,
        typed: Receiver<Vec<u8>>,
        lines: Vec<SecretBytes>,
    ) -> Result<(), Failure> {
        let none = |e: io::Error| local::local(&e);
        if let Some(pty) = &self.pty {
            let (from, mut to) = (pty.file().map_err(none)?, pty.file().map_err(none)?);
            self.reader(from, false, ear)?;
            let ear = ear.clone();
            return thread("typing", move || {
                for bytes in typed {
                    let bytes = zeroize::Zeroizing::new(bytes);
                    if to.write_all(&bytes).is_err() {
                        break;
                    }
                    let _ = ear.send(Heard::Written(bytes.len()));
                }
            });
        }
        if let Some(out) = process.stdout.take() {
            self.reader(File::from(std::os::fd::OwnedFd::from(out)), false, ear)?;
        }
        if let Some(errors) = process.stderr.take() {
            self.reader(File::from(std::os::fd::OwnedFd::from(errors)), true, ear)?;
        }
        if let Some(mut input) = process.stdin.take() {
            // On a thread: a program that reads nothing must not hold up the session.
            thread("lines", move || {
                for line in lines {
                    let written = line.expose(|bytes| input.write_all(bytes));
                    if written.and_then(|()| input.write_all(b"\n")).is_err() {
                        break;
                    }
                }
            })?;
        }
        Ok(())
    }

    fn reader(&mut self, mut from: File, errors: bool, ear: &Sender<Heard>) -> Result<(), Failure> {
        let (permit, permitted) = sync_channel::<()>(1);
        self.permits[usize::from(errors)] = Some(permit);
        self.readers += 1;
        let ear = ear.clone();
        thread("said", move || {
            let mut buffer = vec![0u8; 1 << 16];
            // A terminal whose program has ended reads as an error on Linux.
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                if ear.send(Heard::Said(errors, buffer[..n].to_vec())).is_err()
                    || permitted.recv().is_err()
                {
                    return;
                }
            }
            let _ = ear.send(Heard::Silent);
        })
    }

    /// Takes in what was said, and lets the reader go on while there is room.
    fn said(&mut self, errors: bool, bytes: &[u8]) {
        self.put(bytes);
        self.waiting[usize::from(errors)] = true;
        self.permit();
    }

    /// Keeps words for the person; beside a window no terminal ends their lines.
    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' && self.run.window && self.attended {
                self.shown.push_back(b'\r');
            }
            self.shown.push_back(*byte);
        }
    }

    fn permit(&mut self) {
        if self.shown.len() >= SHOWN_MAX {
            return;
        }
        for (waiting, permit) in self.waiting.iter_mut().zip(&self.permits) {
            if std::mem::take(waiting)
                && let Some(permit) = permit
            {
                let _ = permit.try_send(());
            }
        }
    }

    /// What the program's own words are, once it is gone: nothing more will come.
    fn drain(&mut self, watch: &mut Watch) {
        let deadline = Instant::now() + AFTERMATH;
        while self.readers > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(Heard::Said(errors, bytes)) => {
                    watch.hear(&bytes);
                    self.said(errors, &bytes);
                }
                Ok(Heard::Silent) => self.readers -= 1,
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }

    fn until_ready(&mut self, up: &Arc<Uplink>) -> Result<(), Failure> {
        let mut watch = Watch::of(&self.run);
        let patience = Duration::from_secs(self.run.patience_secs);
        let begun = Instant::now();
        loop {
            if self.run.ready == Ready::Start && watch.all_given() && !self.has_helper() {
                return Ok(());
            }
            let left = patience.saturating_sub(begun.elapsed());
            let spoken = self.run.ready == Ready::Output && watch.has_said();
            // A question may not come at all, where another login does without.
            let given = watch.all_given() && !self.has_helper();
            let quiet = if given { QUIET } else { NO_QUESTION };
            let limit = if spoken { left.min(quiet) } else { left };
            let heard = match self.later.pop_front() {
                Some(heard) => Ok(heard),
                None => self.heard.recv_timeout(limit),
            };
            match heard {
                Ok(Heard::Said(errors, bytes)) => {
                    watch.hear(&bytes);
                    self.said(errors, &bytes);
                    // What withdrew a question may itself mean something.
                    loop {
                        let todo = watch.next();
                        if todo.is_empty() {
                            break;
                        }
                        for next in todo {
                            if self.act(next, &mut watch, up)? {
                                return Ok(());
                            }
                        }
                    }
                }
                Ok(Heard::Ended(status)) => {
                    self.drain(&mut watch);
                    self.status = Some(status);
                    for next in watch.next() {
                        if let Next::Failed(failure) = next {
                            return Err(failure);
                        }
                    }
                    if status.success() {
                        return Ok(());
                    }
                    let said = watch.last_words();
                    return Err(fail::ended_at_once(&self.run.name, &told(status), &said));
                }
                Ok(Heard::Asked(stream, question)) => self.tell_helper(stream, &question, up)?,
                Ok(Heard::Silent) => self.readers -= 1,
                Ok(Heard::Written(_)) => {}
                Ok(Heard::Command(Command::Quit)) => return Err(given_up()),
                Ok(Heard::Command(_)) => {}
                Err(RecvTimeoutError::Timeout) if spoken && left > limit => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    // One that was to be ready at once only did not ask its helper.
                    if self.run.ready != Ready::Start {
                        let (name, secs) = (&self.run.name, self.run.patience_secs);
                        let warning = fail::not_heard(name, secs, self.run.window);
                        up.say(&Progress::Warning(warning.clone()));
                        self.info.warnings.push(warning);
                    }
                    return Ok(());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(local::local(&io::ErrorKind::BrokenPipe.into()));
                }
            }
        }
    }

    /// Does what the program waits for; true when it is ready.
    fn act(&mut self, next: Next, watch: &mut Watch, up: &Arc<Uplink>) -> Result<bool, Failure> {
        match next {
            Next::Ready => return Ok(true),
            Next::Failed(failure) => return Err(failure),
            Next::Type(text) => self.types(text.into_bytes()),
            Next::Trust(algorithm, fingerprint) => {
                let at = self.hop.at.clone();
                let seen = PinnedKey { at, algorithm: as_protocol(&algorithm), fingerprint };
                let (_, accept, refuse) = self.run.trust.clone().unwrap_or_default();
                if seen.fingerprint.is_empty() {
                    return Err(key_refused(&seen));
                }
                if let Err(failure) = hostkey::check(&seen, &self.hop, up) {
                    self.types(refuse.into_bytes());
                    return Err(failure);
                }
                self.info.host_key = seen.fingerprint;
                self.types(accept.into_bytes());
            }
            Next::Secret(at) => return self.answer(at, watch, up),
        }
        Ok(false)
    }

    /// Types a secret at its question; true when the person types it.
    fn answer(&mut self, at: usize, watch: &mut Watch, up: &Arc<Uplink>) -> Result<bool, Failure> {
        loop {
            if !self.waits_hidden(at, watch)? {
                watch.withdrawn(at);
                return Ok(false);
            }
            let kept = self.kept.take_if(|(way, _)| *way == at);
            if let Some((_, secret)) = kept {
                up.say(&Progress::Authenticating(self.run.ways[at].slot.to_string()));
                let mut typed = Vec::with_capacity(secret.expose(<[u8]>::len) + 1);
                secret.expose(|bytes| typed.extend_from_slice(bytes));
                typed.push(b'\r');
                self.types(typed);
                watch.answered();
                return Ok(false);
            }
            let way = Way { ask: false, ..self.run.ways[at].clone() };
            // One that is not stored the person types, where it is asked.
            let Some(secret) = secret_of(&way, self.index, &self.hop, up)? else {
                return Ok(true);
            };
            // That took its time: whether it is still asked is looked at once more.
            self.kept = Some((at, one_line(&secret, &way.slot)?));
        }
    }

    /// Waits until the terminal shows nothing of what is typed while the question is
    /// the last thing that it showed: a program asks, and only then hides it. False
    /// when the program said something else meanwhile, or ended.
    fn waits_hidden(&mut self, at: usize, watch: &mut Watch) -> Result<bool, Failure> {
        let deadline = Instant::now() + HIDING;
        let mut pause = FIRST_LOOK;
        loop {
            let hides = self.pty.as_ref().is_none_or(Pty::hides_typing);
            while let Ok(heard) = self.heard.try_recv() {
                self.meanwhile(heard, watch)?;
            }
            let ended = self.later.iter().any(|heard| matches!(heard, Heard::Ended(_)));
            if ended || !watch.stands(at) {
                return Ok(false);
            }
            if hides && !self.pty.as_ref().is_some_and(Pty::has_unread) {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(fail::would_be_seen(&self.run.name));
            }
            match self.heard.recv_timeout(pause.min(left)) {
                Ok(heard) => self.meanwhile(heard, watch)?,
                Err(RecvTimeoutError::Timeout) => pause = (pause * 2).min(LAST_LOOK),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(local::local(&io::ErrorKind::BrokenPipe.into()));
                }
            }
        }
    }

    /// Takes in what is heard while a question waits for its answer.
    fn meanwhile(&mut self, heard: Heard, watch: &mut Watch) -> Result<(), Failure> {
        match heard {
            Heard::Said(errors, bytes) => {
                watch.hear(&bytes);
                self.said(errors, &bytes);
            }
            Heard::Silent => self.readers -= 1,
            Heard::Command(Command::Quit) => return Err(given_up()),
            Heard::Command(_) | Heard::Written(_) => {}
            Heard::Ended(_) | Heard::Asked(..) => self.later.push_back(heard),
        }
        Ok(())
    }

    fn types(&self, bytes: Vec<u8>) {
        if let Some(typing) = self.typing.as_ref().filter(|_| !bytes.is_empty()) {
            let _ = typing.send(bytes);
        }
    }

    /// Whether a secret still waits for the program's helper.
    fn has_helper(&self) -> bool {
        let asks = |way: &Way| matches!(way.by, WayBy::Askpass(..));
        self.run.ways.iter().zip(&self.told).any(|(way, told)| asks(way) && !told)
    }

    /// Tells the helper of the program the secret that its question is about, once.
    /// What was told keeps its place: the questions of the terminal know their ways by
    /// number.
    fn tell_helper(
        &mut self,
        mut stream: UnixStream,
        question: &str,
        up: &Arc<Uplink>,
    ) -> Result<(), Failure> {
        let fits = |way: &Way| match &way.by {
            WayBy::Askpass(_, pattern) => {
                watch::question(pattern).is_some_and(|known| known.is_match(question))
            }
            _ => false,
        };
        let fitting = (0..self.run.ways.len()).filter(|at| fits(&self.run.ways[*at]));
        let Some(at) = fitting.clone().find(|at| !self.told[*at]) else {
            return Err(match fitting.count() {
                0 => fail::unknown_question(&self.run.name, question),
                _ => fail::refused_again(&self.run.name),
            });
        };
        self.told[at] = true;
        let way = self.run.ways[at].clone();
        let secret = secret_of(&way, self.index, &self.hop, up)?;
        if let Some(secret) = secret {
            up.say(&Progress::Authenticating(way.slot.to_string()));
            let secret = one_line(&secret, &way.slot)?;
            let _ = secret.expose(|bytes| stream.write_all(bytes));
        }
        Ok(())
    }

    fn show(&mut self, up: &Uplink, out: &mut Output) {
        let Some(id) = self.channel else { return };
        while self.credit > 0 && !self.shown.is_empty() {
            let room = out.room(self.credit.min(self.shown.len()));
            let count = room.len();
            for (place, byte) in room.iter_mut().zip(self.shown.drain(..count)) {
                *place = byte;
            }
            out.filled(count);
            up.output(id, false, out);
            self.credit -= count;
        }
        self.permit();
    }

    /// Does what the application wants; true when that is the end.
    fn command(&mut self, command: Command, up: &Uplink) -> bool {
        let ours = |id: u32| self.channel == Some(id);
        match command {
            Command::Quit => return true,
            Command::Open(id, ref request)
                if let Some(why) = line::refused(request, self.channel, &self.run.name) =>
            {
                up.opened(id, Err(&why));
            }
            Command::Open(id, ChannelRequest::Shell { size, term }) => {
                self.channel = Some(id);
                self.credit = WINDOW;
                self.attended = !term.is_empty();
                // What was said before there was a terminal.
                let early = Vec::from(std::mem::take(&mut self.shown));
                self.put(&early);
                if let Some(pty) = &self.pty {
                    pty.resize(size.cols, size.rows);
                }
                up.opened(id, Ok(()));
            }
            Command::Data(id, bytes) if ours(id) => match self.pty {
                Some(_) => self.types(bytes),
                None => {
                    up.credit(id, bytes.len());
                    return bytes.contains(&CTRL_C);
                }
            },
            Command::Eof(id) if ours(id) => {
                if let Some(sign) = self.pty.as_ref().and_then(Pty::end_of_input) {
                    self.types(vec![sign]);
                }
            }
            Command::Resize(id, size) if ours(id) => {
                if let Some(pty) = &self.pty {
                    pty.resize(size.cols, size.rows);
                }
            }
            Command::Credit(id, taken) if ours(id) => self.credit += taken,
            Command::Close(id) => return ours(id),
            _ => {}
        }
        false
    }

    /// Serves until the program ends or the session does; true if the program did.
    fn work(&mut self, up: &Uplink) -> bool {
        let mut out = Output::new();
        let mut last_word: Option<Instant> = self.status.map(|_| Instant::now());
        loop {
            self.show(up, &mut out);
            let silent =
                self.readers == 0 || last_word.is_some_and(|since| since.elapsed() >= AFTERMATH);
            if self.status.is_some() && silent && self.shown.is_empty() && self.channel.is_some() {
                return true;
            }
            let wait = last_word.filter(|_| !silent).map(|_| AFTERMATH);
            let heard = match wait {
                Some(limit) => self.heard.recv_timeout(limit),
                None => self.heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match heard {
                Ok(Heard::Command(command)) => {
                    if self.command(command, up) {
                        return false;
                    }
                }
                Ok(Heard::Said(errors, bytes)) => self.said(errors, &bytes),
                Ok(Heard::Written(count)) => {
                    if let Some(id) = self.channel {
                        up.credit(id, count);
                    }
                }
                Ok(Heard::Silent) => self.readers -= 1,
                Ok(Heard::Ended(status)) => {
                    self.status = Some(status);
                    last_word = Some(Instant::now());
                }
                // It is ready: nothing more is told.
                Ok(Heard::Asked(..)) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }
}

/// A kind of key as the protocol names it; OpenSSH's own questions are shorter.
fn as_protocol(algorithm: &str) -> String {
    match algorithm {
        "ED25519" => "ssh-ed25519",
        "ECDSA" => "ecdsa-sha2-nistp256",
        "RSA" => "rsa-sha2-512",
        other => other,
    }
    .to_owned()
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    let started = std::thread::Builder::new().name(name.into()).spawn(work);
    started.map(drop).map_err(|e| local::local(&e))
}

fn wait_for(mut process: Child, ended: Arc<Ended>, ear: Sender<Heard>) -> Result<(), Failure> {
    thread("waiting", move || {
        let status = process.wait().unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
        ended.note();
        let _ = ear.send(Heard::Ended(status));
    })
}

fn told(status: ExitStatus) -> String {
    match exit_of(status) {
        Exit::Status(code) => code.to_string(),
        Exit::Signal(name) => format!("SIG{name}"),
    }
}

impl Engine for Running {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn run(mut self: Box<Self>, up: Arc<Uplink>, _noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let by_itself = self.work(&up);
        end(&self.hold);
        if let Some(id) = self.channel {
            if by_itself && let Some(status) = self.status {
                up.exit(id, &exit_of(status));
            }
            up.closed(id, None);
        }
        None
    }
}
