//! The person's own shell, in a pseudo-terminal of this machine. It gets the
//! person's normal environment and no secret: this connector takes none.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use portable_pty::{ChildKiller, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::field::{Field, FieldKind};
use super::link::{Channel, ChannelRequest, Exit, FromRemote, Link, LinkInfo, Sink, TermSize};
use super::link::{ToRemote, no_screen};
use super::{Common, Connector, Failure, FailureKind, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;
use crate::os::process::{COMMAND_SHELL, user_command};
use crate::os::words::{cause, quoted};

/// How long output may still come after the shell has ended.
const AFTERMATH: Duration = Duration::from_millis(300);

/// The connector.
pub struct Shell;

const FIELDS: &[Field] = &[
    Field {
        id: "command",
        fr: "Commande",
        en: "Command",
        help_fr: "Programme à lancer avec ses arguments\u{a0}; vide\u{a0}: votre shell.",
        help_en: "Program to run with its arguments; empty: your shell.",
        kind: FieldKind::Text,
        default: "",
        inherits: false,
    },
    Field {
        id: "login-shell",
        fr: "Shell de connexion",
        en: "Login shell",
        help_fr: "Le shell lit aussi les fichiers d’ouverture de session.",
        help_en: "The shell also reads the login files.",
        kind: FieldKind::Bool,
        default: "no",
        inherits: true,
    },
    Field {
        id: "directory",
        fr: "Dossier de travail",
        en: "Working directory",
        help_fr: "Dossier où la commande démarre\u{a0}; vide\u{a0}: votre dossier personnel.",
        help_en: "Folder where the command starts; empty: your home folder.",
        kind: FieldKind::Text,
        default: "",
        inherits: true,
    },
    Field {
        id: "term",
        fr: "Type de terminal",
        en: "Terminal type",
        help_fr: "Valeur de TERM, comme vt100\u{a0}; vide\u{a0}: celle du terminal d’où l’on se connecte.",
        help_en: "Value of TERM, such as vt100; empty: that of the terminal one connects from.",
        kind: FieldKind::Text,
        default: "",
        inherits: true,
    },
];

impl Connector for Shell {
    fn id(&self) -> &'static str {
        "shell"
    }

    fn label(&self) -> Bi {
        Bi::new("Shell local", "Local shell")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: false, port: false, user: false }
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn open(&self, target: &Target, _lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        let settings = &target.destination().settings;
        let get = |id: &str| settings.get(id).map_or("", |v| v.trim());
        let home = dirs::home_dir().unwrap_or_else(|| PathBuf::from("/"));
        let directory = match get("directory") {
            "" => home,
            path => match path.strip_prefix("~/") {
                Some(rest) => home.join(rest),
                None => PathBuf::from(path),
            },
        };
        if !directory.is_dir() {
            return Err(no_directory(&directory));
        }
        Ok(Box::new(LocalLink {
            command: get("command").to_owned(),
            login: get("login-shell") == "yes",
            term: get("term").to_owned(),
            directory,
            traffic: Arc::default(),
            alive: AtomicBool::new(true),
            children: Mutex::default(),
        }))
    }
}

/// This machine as a far side.
struct LocalLink {
    command: String,
    login: bool,
    term: String,
    directory: PathBuf,
    traffic: Arc<Traffic>,
    alive: AtomicBool,
    children: Mutex<Vec<Weak<Local>>>,
}

#[derive(Default)]
struct Traffic {
    received: AtomicU64,
    sent: AtomicU64,
}

/// One shell or command.
struct Local {
    input: Mutex<Option<Sender<Vec<u8>>>>,
    backlog: Arc<AtomicUsize>,
    terminal: Mutex<Option<Box<dyn MasterPty + Send>>>,
    killer: Mutex<Option<Box<dyn ChildKiller + Send + Sync>>>,
    sink: Mutex<Option<Sink>>,
    traffic: Arc<Traffic>,
}

fn lock<T>(m: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

impl LocalLink {
    /// What a shell channel runs.
    fn program(&self) -> CommandBuilder {
        let mut words: VecDeque<String> = words(&self.command).into();
        let Some(program) = words.pop_front() else {
            // Without arguments, portable-pty starts the shell as a login shell.
            let mut shell = CommandBuilder::new_default_prog();
            if !self.login {
                shell = CommandBuilder::new(shell.get_shell());
            }
            return shell;
        };
        let mut command = CommandBuilder::new(program);
        command.args(words);
        command
    }

    fn in_terminal(
        &self,
        mut command: CommandBuilder,
        size: TermSize,
        term: &str,
        sink: Sink,
    ) -> Result<Arc<Local>, Failure> {
        let pair = native_pty_system()
            .openpty(pty_size(size))
            .map_err(|e| not_started(&quoted(&e.to_string())))?;
        command.cwd(&self.directory);
        command.env("TERM", if term.is_empty() { "xterm-256color" } else { term });
        command.env("COLORTERM", "truecolor");
        let child =
            pair.slave.spawn_command(command).map_err(|e| not_started(&quoted(&e.to_string())))?;
        drop(pair.slave);
        let output =
            pair.master.try_clone_reader().map_err(|e| not_started(&quoted(&e.to_string())))?;
        let input = pair.master.take_writer().map_err(|e| not_started(&quoted(&e.to_string())))?;
        let local = Local::new(sink, child.clone_killer(), self.traffic.clone());
        *lock(&local.terminal) = Some(pair.master);
        local.feed(input)?;
        let ended = local.drain(output, false)?;
        local.watch(vec![ended], move || {
            let mut child: Box<dyn portable_pty::Child> = child;
            if let Some(process) = child.downcast_mut::<Process>() {
                return process.wait().map_or(Exit::Status(-1), exit_of);
            }
            match child.wait() {
                Ok(status) => Exit::Status(i32::try_from(status.exit_code()).unwrap_or(-1)),
                Err(_) => Exit::Status(-1),
            }
        })?;
        Ok(local)
    }

    fn without_terminal(&self, command: &str, sink: Sink) -> Result<Arc<Local>, Failure> {
        let mut child =
            user_command(command, &self.directory).map_err(|e| not_started(&cause(&e)))?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(not_started(&quoted("pipe")));
        };
        let local = Local::new(sink, ChildKiller::clone_killer(&child), self.traffic.clone());
        local.feed(Box::new(input))?;
        let ended =
            vec![local.drain(Box::new(output), false)?, local.drain(Box::new(errors), true)?];
        local.watch(ended, move || child.wait().map_or(Exit::Status(-1), exit_of))?;
        Ok(local)
    }
}

impl Link for LocalLink {
    fn info(&self) -> LinkInfo {
        LinkInfo {
            description: if self.command.is_empty() {
                CommandBuilder::new_default_prog().get_shell()
            } else {
                self.command.clone()
            },
            ..LinkInfo::default()
        }
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, Failure> {
        let local = match request.with_term(&self.term) {
            ChannelRequest::Shell { size, term } => {
                self.in_terminal(self.program(), size, &term, sink)?
            }
            ChannelRequest::Exec { command, size: Some(size), term } => {
                let mut shell = CommandBuilder::new(COMMAND_SHELL.0);
                shell.args([COMMAND_SHELL.1, &command]);
                self.in_terminal(shell, size, &term, sink)?
            }
            ChannelRequest::Exec { command, size: None, .. } => {
                self.without_terminal(&command, sink)?
            }
            ChannelRequest::Screen { .. } => return Err(no_screen()),
        };
        let mut children = lock(&self.children);
        children.retain(|c| c.strong_count() > 0);
        children.push(Arc::downgrade(&local));
        Ok(Box::new(LocalChannel(local)))
    }

    fn traffic(&self) -> (u64, u64) {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        (read(&self.traffic.received), read(&self.traffic.sent))
    }

    fn alive(&self) -> bool {
        self.alive.load(Ordering::Acquire)
    }

    fn close(&self) {
        self.alive.store(false, Ordering::Release);
        for child in lock(&self.children).drain(..) {
            if let Some(child) = child.upgrade() {
                child.end();
            }
        }
    }
}

impl Drop for LocalLink {
    fn drop(&mut self) {
        self.close();
    }
}

impl Local {
    fn new(
        sink: Sink,
        killer: Box<dyn ChildKiller + Send + Sync>,
        traffic: Arc<Traffic>,
    ) -> Arc<Self> {
        Arc::new(Self {
            input: Mutex::new(None),
            backlog: Arc::default(),
            terminal: Mutex::new(None),
            killer: Mutex::new(Some(killer)),
            sink: Mutex::new(Some(sink)),
            traffic,
        })
    }

    fn say(&self, message: FromRemote) {
        if let Some(sink) = lock(&self.sink).as_mut() {
            sink(message);
        }
    }

    /// Starts the thread that writes what was queued.
    fn feed(&self, mut to: Box<dyn Write + Send>) -> Result<(), Failure> {
        let (input, queue) = channel::<Vec<u8>>();
        *lock(&self.input) = Some(input);
        let (backlog, traffic) = (self.backlog.clone(), self.traffic.clone());
        spawn("shell-in", move || {
            for bytes in queue {
                let written = to.write_all(&bytes).and_then(|()| to.flush());
                backlog.fetch_sub(bytes.len(), Ordering::AcqRel);
                traffic.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
                if written.is_err() {
                    break;
                }
            }
        })
    }

    /// Starts a thread that hands on output; the receiver hears when it ends.
    fn drain(
        self: &Arc<Self>,
        mut from: Box<dyn Read + Send>,
        errors: bool,
    ) -> Result<Receiver<()>, Failure> {
        let (ending, ended) = channel();
        let local = self.clone();
        spawn("shell-out", move || {
            let mut buffer = vec![0u8; 1 << 16];
            // A terminal whose shell has ended reads as an error on Linux.
            while let Ok(n @ 1..) = from.read(&mut buffer) {
                local.traffic.received.fetch_add(n as u64, Ordering::Relaxed);
                let bytes = buffer[..n].to_vec();
                local.say(if errors { FromRemote::Stderr(bytes) } else { FromRemote::Data(bytes) });
            }
            drop(ending);
        })?;
        Ok(ended)
    }

    /// Starts the thread that waits for the end. What the shell left running in
    /// the background may hold the terminal open, so output is awaited only for
    /// a moment.
    fn watch(
        self: &Arc<Self>,
        outputs: Vec<Receiver<()>>,
        wait: impl FnOnce() -> Exit + Send + 'static,
    ) -> Result<(), Failure> {
        let local = self.clone();
        spawn("shell-wait", move || {
            let exit = wait();
            lock(&local.killer).take();
            let deadline = Instant::now() + AFTERMATH;
            for output in outputs {
                let _ = output.recv_timeout(deadline.saturating_duration_since(Instant::now()));
            }
            let sink = lock(&local.sink).take();
            if let Some(mut sink) = sink {
                sink(FromRemote::Exit(exit));
                sink(FromRemote::Closed(None));
            }
            lock(&local.input).take();
            lock(&local.terminal).take();
        })
    }

    /// Hangs up, as closing a terminal window does.
    fn end(&self) {
        if let Some(killer) = lock(&self.killer).as_mut() {
            let _ = killer.kill();
        }
        lock(&self.input).take();
        lock(&self.terminal).take();
    }
}

struct LocalChannel(Arc<Local>);

impl Channel for LocalChannel {
    fn send(&self, message: ToRemote) {
        match message {
            ToRemote::Data(bytes) => {
                if let Some(input) = lock(&self.0.input).as_ref() {
                    let size = bytes.len();
                    self.0.backlog.fetch_add(size, Ordering::AcqRel);
                    if input.send(bytes).is_err() {
                        self.0.backlog.fetch_sub(size, Ordering::AcqRel);
                    }
                }
            }
            ToRemote::Eof => {
                lock(&self.0.input).take();
            }
            ToRemote::Resize(size) => {
                if let Some(terminal) = lock(&self.0.terminal).as_ref() {
                    let _ = terminal.resize(pty_size(size));
                }
            }
            ToRemote::Signal(_)
            | ToRemote::Screen(_)
            | ToRemote::Clipboard(_)
            | ToRemote::Files(_) => {}
            ToRemote::Close => self.0.end(),
        }
    }

    fn backlog(&self) -> usize {
        self.0.backlog.load(Ordering::Acquire)
    }
}

impl Drop for LocalChannel {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), Failure> {
    std::thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .map(drop)
        .map_err(|e| not_started(&cause(&e)))
}

fn pty_size(size: TermSize) -> PtySize {
    PtySize { rows: size.rows.max(1), cols: size.cols.max(1), pixel_width: 0, pixel_height: 0 }
}

/// How a process of this machine ended.
pub(in crate::connect) fn exit_of(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(number) = status.signal() {
            return Exit::Signal(signal_name(number));
        }
    }
    Exit::Status(status.code().unwrap_or(-1))
}

/// Names as in RFC 4254 section 6.10.
#[cfg(unix)]
fn signal_name(number: i32) -> String {
    let name = match number {
        libc::SIGABRT => "ABRT",
        libc::SIGALRM => "ALRM",
        libc::SIGFPE => "FPE",
        libc::SIGHUP => "HUP",
        libc::SIGILL => "ILL",
        libc::SIGINT => "INT",
        libc::SIGKILL => "KILL",
        libc::SIGPIPE => "PIPE",
        libc::SIGQUIT => "QUIT",
        libc::SIGSEGV => "SEGV",
        libc::SIGTERM => "TERM",
        libc::SIGUSR1 => "USR1",
        libc::SIGUSR2 => "USR2",
        other => return other.to_string(),
    };
    name.to_owned()
}

/// Splits a command line at blanks, but for those inside quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for c in line.chars() {
        match (quote, c) {
            (Some(q), _) if c == q => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, _) if c.is_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

/// Its own failures, of marks.
pub(super) fn each() -> Vec<Failure> {
    use super::retold;
    vec![not_started(&cause(&retold::cause())), no_directory(Path::new(retold::ANY[0]))]
}

fn not_started(why: &Bi) -> Failure {
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            format!("La commande n’a pas démarré\u{a0}: {}.", why.fr),
            format!("The command did not start: {}.", why.en),
        ),
        todo: Bi::new(
            "Vérifiez la commande et le dossier de travail de l’entrée.",
            "Check the command and the working directory of the entry.",
        ),
    }
}

fn no_directory(path: &Path) -> Failure {
    let path = path.display();
    Failure {
        kind: FailureKind::Setting,
        what: Bi::new(
            format!("Le dossier de travail {path} n’existe pas."),
            format!("The working directory {path} does not exist."),
        ),
        todo: Bi::new(
            "Corrigez le réglage «\u{a0}directory\u{a0}» de l’entrée.",
            "Correct the setting “directory” of the entry.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_blanks_together() {
        assert_eq!(words(r#"tmux new -s "a b" '' c"#), ["tmux", "new", "-s", "a b", "", "c"]);
        assert!(words("   ").is_empty());
    }
}
