//! A file sent over the line of a terminal, to a far side that waits for it by X-, Y-
//! or ZMODEM. The protocol is spoken by the system's lrzsz, whose standard streams are
//! joined to the line; it is never given anything but the file's name. Runs where the
//! file is, in the application: a session process reads no file of the person's.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::{Failure, FailureKind};
use crate::model::lang::Bi;
use crate::os::process::{Spawn, spawn};
use crate::os::words;

/// How long the far side may say nothing.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// As Debian calls the program, and as others do.
const PROGRAMS: [&str; 3] = ["sz", "lsz", "lrzsz-sz"];
/// Ends what the far side receives; the backspaces clear a terminal that saw it.
const CANCEL: &[u8] = b"\x18\x18\x18\x18\x18\x18\x18\x18\x08\x08\x08\x08\x08\x08\x08\x08";
const EOT: u8 = 0x04;
const ACK: u8 = 0x06;
const NAK: u8 = 0x15;
const CAN: u8 = 0x18;
/// The first bytes of the block that ends YMODEM: one without a name.
const NO_MORE: &[u8] = b"\x01\x00\xff\x00";
/// How long the far side may take to confirm the end.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long the far side may take to answer what it was sent last, before it is told
/// that nothing more comes.
const ANSWER: Duration = Duration::from_secs(1);
/// Bytes of a sector, as lrzsz counts them.
const SECTOR: u64 = 128;
/// What was heard and not answered, at most.
const TAIL_MAX: usize = 16 << 10;
/// Bytes waiting for the line above which lrzsz is not read.
const BACKLOG_MAX: usize = 64 << 10;
const BACKLOG_PAUSE: Duration = Duration::from_millis(2);

/// A way to send a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Protocol {
    /// XMODEM with blocks of 128 bytes: what every boot loader takes.
    Xmodem,
    /// XMODEM with blocks of 1024 bytes.
    Xmodem1k,
    /// YMODEM: with the file's name and length.
    Ymodem,
    /// ZMODEM: without waiting for each block.
    Zmodem,
}

impl Protocol {
    /// All of them, the simplest first.
    pub const ALL: [Self; 4] = [Self::Xmodem, Self::Xmodem1k, Self::Ymodem, Self::Zmodem];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Xmodem => "XMODEM",
            Self::Xmodem1k => "XMODEM-1K",
            Self::Ymodem => "YMODEM",
            Self::Zmodem => "ZMODEM",
        }
    }

    const fn flags(self) -> &'static [&'static str] {
        match self {
            Self::Xmodem => &["--xmodem"],
            Self::Xmodem1k => &["--xmodem", "--1k"],
            Self::Ymodem => &["--ymodem", "--1k"],
            Self::Zmodem => &["--zmodem", "--binary"],
        }
    }
}

/// The line that a file is sent over.
pub trait Line: Send + Sync {
    /// Sends these bytes as they are.
    fn send(&self, bytes: Vec<u8>);
    /// Bytes that wait to be sent.
    fn backlog(&self) -> usize;
    /// How far it is has changed.
    fn moved(&self);
    /// It is over, and the line is the terminal's again. Calls `last` once, for what the
    /// far side said after the file; until then what comes is for the file.
    fn over(&self, last: &dyn Fn() -> Vec<u8>);
}

/// How far it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// The far side has not asked for it yet.
    Waiting,
    /// On its way.
    Going {
        /// Bytes that the far side has.
        sent: u64,
    },
    /// The far side has all of it.
    Done,
    /// The person ended it.
    Cancelled,
    /// It failed.
    Failed(Failure),
}

impl State {
    /// Whether the line is still taken.
    pub fn runs(&self) -> bool {
        matches!(self, Self::Waiting | Self::Going { .. })
    }
}

/// A file on its way. Dropping it ends it.
pub struct FileSend {
    /// The file's own name.
    pub name: String,
    /// Its length in bytes.
    pub total: u64,
    /// How it is sent.
    pub protocol: Protocol,
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    child: Mutex<Child>,
    /// Why it was ended from here.
    stopped: Mutex<Option<State>>,
    /// For lrzsz; gone once nobody reads it.
    heard: Mutex<Option<Sender<Vec<u8>>>>,
    /// What was heard since something was last sent.
    tail: Mutex<Vec<u8>>,
    answered: Condvar,
    ending: Mutex<Ending>,
    /// The last words of lrzsz that are no progress.
    said: Mutex<String>,
}

/// How near the end is. A receiver on a terminal, lrzsz itself among them, may drop its
/// last confirmation as it gives the terminal back. Then lrzsz would say the end again,
/// to whoever has that terminal by now: to a shell, which logs out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Debug)]
enum Ending {
    /// Bytes of the file.
    No,
    /// All bytes are confirmed, and the end was said.
    Said,
    /// Nothing more will be said.
    Last,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileSend {
    /// Begins to send the file over `line`; the far side may be silent for `patience`.
    ///
    /// # Errors
    /// The file cannot be read, or lrzsz is not there.
    pub fn start(
        protocol: Protocol,
        file: &Path,
        patience: Duration,
        line: Arc<dyn Line>,
    ) -> Result<Self, Failure> {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        let unread = |e: &io::Error| unreadable(&name, e);
        let file = std::path::absolute(file).map_err(|e| unread(&e))?;
        // A pipe would keep whoever opens it waiting.
        let about = std::fs::metadata(&file).and_then(|about| match about.is_file() {
            true => std::fs::File::open(&file)?.metadata(),
            false => Ok(about),
        });
        let about = about.map_err(|e| unread(&e))?;
        if !about.is_file() {
            return Err(unread(&io::ErrorKind::IsADirectory.into()));
        }
        let mut child = begin(&PROGRAMS, protocol, &file)?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (heard, queue) = channel();
        let shared = Arc::new(Shared {
            state: Mutex::new(State::Waiting),
            child: Mutex::new(child),
            stopped: Mutex::default(),
            heard: Mutex::new(Some(heard)),
            tail: Mutex::default(),
            answered: Condvar::new(),
            ending: Mutex::new(Ending::No),
            said: Mutex::default(),
        });
        let sending = Self { name, total: about.len(), protocol, shared };
        let total = sending.total;
        let (near, far, told) = (sending.shared.clone(), sending.shared.clone(), line.clone());
        let follow = sending.shared.clone();
        aside("file in", move || {
            if let Some(to) = stdin {
                far.feed(to, &queue, patience);
            }
        })?;
        let words = aside("file progress", move || {
            if let Some(from) = stderr {
                follow.follow(from, total, &*told);
            }
        })?;
        aside("file out", move || {
            if let Some(from) = stdout {
                near.carry(from, protocol, &*line);
            }
            let _ = words.join();
            near.finish(protocol, &*line);
        })?;
        Ok(sending)
    }

    /// Takes what the far side said.
    pub fn hear(&self, bytes: Vec<u8>) {
        let mut tail = lock(&self.shared.tail);
        tail.extend_from_slice(&bytes);
        let surplus = tail.len().saturating_sub(TAIL_MAX);
        tail.drain(..surplus);
        self.shared.answered.notify_all();
        let words = tail.iter().any(|byte| !matches!(*byte, ACK | NAK | CAN | b'C'));
        if words && *lock(&self.shared.ending) >= Ending::Said {
            // Whatever had the far side's terminal before has it again.
            return self.shared.stop(State::Done);
        }
        drop(tail);
        if let Some(heard) = &*lock(&self.shared.heard) {
            let _ = heard.send(bytes);
        }
    }

    /// How far it is.
    pub fn state(&self) -> State {
        lock(&self.shared.state).clone()
    }

    /// Ends it, since the line is gone.
    pub fn line_lost(&self) {
        self.shared.stop(State::Failed(lost()));
    }

    /// Ends it; the far side is told.
    pub fn cancel(&self) {
        self.shared.stop(State::Cancelled);
    }
}

impl Drop for FileSend {
    fn drop(&mut self) {
        self.cancel();
    }
}

fn aside(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Failure> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map_err(|e| no_start(&e))
}

fn begin(programs: &[&str], protocol: Protocol, file: &Path) -> Result<Child, Failure> {
    for program in programs {
        let mut args: Vec<OsString> = protocol.flags().iter().map(OsString::from).collect();
        args.extend(["-vv".into(), "--".into(), file.into()]);
        // Its words are read here.
        let env = vec![("LC_ALL".into(), "C".into())];
        let what = Spawn { program: Some(program.into()), args, env, ..Spawn::default() };
        match spawn(what) {
            Ok(child) => return Ok(child),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(no_start(&e)),
        }
    }
    Err(missing())
}

impl Shared {
    /// Ends lrzsz before it is done.
    fn stop(&self, why: State) {
        if lock(&self.state).runs() {
            lock(&self.stopped).get_or_insert(why);
            let _ = lock(&self.child).kill();
        }
    }

    /// What the far side says to lrzsz.
    fn feed(&self, mut to: ChildStdin, heard: &Receiver<Vec<u8>>, patience: Duration) {
        loop {
            let last = *lock(&self.ending) == Ending::Last;
            match heard.recv_timeout(if last { FAREWELL } else { patience }) {
                Ok(bytes) if to.write_all(&bytes).is_ok() => {}
                Ok(_) | Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if last => return self.stop(State::Done),
                Err(RecvTimeoutError::Timeout) => {
                    let waiting = *lock(&self.state) == State::Waiting;
                    return self.stop(State::Failed(silent(waiting, patience.as_secs())));
                }
            }
        }
    }

    /// What lrzsz says to the far side.
    fn carry(&self, mut from: ChildStdout, protocol: Protocol, line: &dyn Line) {
        let mut room = vec![0; 16 << 10];
        while let Ok(count @ 1..) = from.read(&mut room) {
            let said = &room[..count];
            let ending = match protocol {
                Protocol::Xmodem | Protocol::Xmodem1k if said == [EOT] => Ending::Last,
                Protocol::Ymodem if said == [EOT] => Ending::Said,
                Protocol::Ymodem if said.starts_with(NO_MORE) => Ending::Last,
                _ => Ending::No,
            };
            let mut tail = lock(&self.tail);
            if lock(&self.stopped).is_some() {
                continue;
            }
            tail.clear();
            *lock(&self.ending) = ending;
            line.send(said.to_vec());
            drop(tail);
            if let Some(heard) = lock(&self.heard).as_ref().filter(|_| ending == Ending::Last) {
                // Who waits is to wait less long from now on.
                let _ = heard.send(Vec::new());
            }
            while line.backlog() > BACKLOG_MAX && lock(&self.stopped).is_none() {
                thread::sleep(BACKLOG_PAUSE);
            }
        }
    }

    /// What lrzsz says of how far it is.
    fn follow(&self, mut from: ChildStderr, total: u64, line: &dyn Line) {
        let (mut room, mut word) = (vec![0; 4 << 10], Vec::new());
        while let Ok(count @ 1..) = from.read(&mut room) {
            for &byte in &room[..count] {
                if !matches!(byte, b'\r' | b'\n') {
                    word.push(byte);
                    continue;
                }
                let said = String::from_utf8_lossy(&std::mem::take(&mut word)).trim().to_owned();
                match sent(&said) {
                    Some(bytes) => self.reached(bytes.min(total), line),
                    None if said.is_empty() || said.starts_with("Sending") => {}
                    None => *lock(&self.said) = said,
                }
            }
        }
    }

    fn reached(&self, bytes: u64, line: &dyn Line) {
        let mut state = lock(&self.state);
        let before = match *state {
            State::Going { sent } => sent,
            State::Waiting => 0,
            _ => return,
        };
        // The end of YMODEM counts from nought again.
        if bytes > before {
            *state = State::Going { sent: bytes };
            drop(state);
            line.moved();
        }
    }

    /// lrzsz has said all it had to say.
    fn finish(&self, protocol: Protocol, line: &dyn Line) {
        let done = lock(&self.child).wait().is_ok_and(|status| status.success());
        lock(&self.heard).take();
        // Not kept locked: who hears the far side meanwhile may end it, too.
        let stopped = lock(&self.stopped).take();
        let state = match stopped {
            Some(State::Done) => State::Done,
            Some(stopped) => {
                // lrzsz drops what it has already read when it answers a block.
                if protocol != Protocol::Zmodem && *lock(&self.state) != State::Waiting {
                    let silent = |tail: &mut Vec<u8>| tail.is_empty();
                    let _ = self.answered.wait_timeout_while(lock(&self.tail), ANSWER, silent);
                }
                let arrived = lock(&self.stopped).take() == Some(State::Done);
                if !arrived {
                    line.send(CANCEL.to_vec());
                }
                if arrived { State::Done } else { stopped }
            }
            None if done => State::Done,
            None => State::Failed(broken_off(&lock(&self.said))),
        };
        let done = state == State::Done;
        line.over(&|| {
            lock(&self.state).clone_from(&state);
            let mut tail = std::mem::take(&mut *lock(&self.tail));
            let last = tail.iter().rposition(|byte| *byte == ACK);
            match last.filter(|_| protocol != Protocol::Zmodem) {
                _ if !done => Vec::new(),
                Some(last) => tail.split_off(last + 1),
                None => tail,
            }
        });
        line.moved();
    }
}

/// Bytes that a line of lrzsz's says were sent.
fn sent(said: &str) -> Option<u64> {
    let number = |text: &str| {
        let digits: String = text.trim_start().chars().take_while(char::is_ascii_digit).collect();
        digits.parse::<u64>().ok()
    };
    match said.split_once("sectors/kbytes sent:") {
        Some((_, count)) => Some(number(count)?.saturating_mul(SECTOR)),
        None => number(said.split_once("Bytes Sent:")?.1),
    }
}

fn failure(kind: FailureKind, what: Bi, todo: Bi) -> Failure {
    Failure { kind, what, todo }
}

fn unreadable(name: &str, e: &io::Error) -> Failure {
    let why = words::cause(e);
    failure(
        FailureKind::Setting,
        Bi::new(
            format!("Le fichier «\u{a0}{name}\u{a0}» est illisible\u{a0}: {}.", why.fr),
            format!("The file “{name}” cannot be read: {}.", why.en),
        ),
        Bi::new(
            "Vérifiez vos droits sur ce fichier, ou choisissez-en un autre.",
            "Check your rights on that file, or choose another one.",
        ),
    )
}

fn missing() -> Failure {
    failure(
        FailureKind::Helper,
        Bi::new(
            "Le programme qui envoie les fichiers (sz, de lrzsz) n’est pas installé.",
            "The program that sends files (sz, of lrzsz) is not installed.",
        ),
        Bi::new(
            "Installez lrzsz («\u{a0}sudo apt install lrzsz\u{a0}», «\u{a0}sudo dnf install \
             lrzsz\u{a0}» ou «\u{a0}brew install lrzsz\u{a0}»), puis recommencez.",
            "Install lrzsz (“sudo apt install lrzsz”, “sudo dnf install lrzsz” or “brew install \
             lrzsz”), then try again.",
        ),
    )
}

fn no_start(e: &io::Error) -> Failure {
    let why = words::cause(e);
    failure(
        FailureKind::Helper,
        Bi::new(
            format!("Le programme sz (lrzsz) n’a pas démarré\u{a0}: {}.", why.fr),
            format!("The program sz (lrzsz) did not start: {}.", why.en),
        ),
        Bi::new("Réinstallez lrzsz, puis recommencez.", "Install lrzsz anew, then try again."),
    )
}

/// The far side says nothing, from the start (`waiting`) or any more.
fn silent(waiting: bool, secs: u64) -> Failure {
    let what = if waiting {
        Bi::new(
            format!("L’autre côté n’a pas demandé le fichier en {secs} s."),
            format!("The far side did not ask for the file within {secs} s."),
        )
    } else {
        Bi::new(
            format!("L’autre côté ne répond plus depuis {secs} s\u{a0}: l’envoi est interrompu."),
            format!("The far side has not answered for {secs} s: the file did not get through."),
        )
    };
    failure(
        FailureKind::Timeout,
        what,
        Bi::new(
            "Lancez d’abord la réception sur l’équipement (par exemple rx, rb, rz ou copy \
             xmodem:), avec le même protocole, puis envoyez. Sur un port série, XON/XOFF doit \
             être désactivé.",
            "First start the reception on the device (for example rx, rb, rz or copy xmodem:), \
             with the same protocol, then send. On a serial port XON/XOFF must be off.",
        ),
    )
}

/// The connection ended in the middle.
fn lost() -> Failure {
    failure(
        FailureKind::Network,
        Bi::new(
            "La connexion s’est terminée pendant l’envoi du fichier.",
            "The connection ended while the file was being sent.",
        ),
        Bi::new(
            "Reconnectez-vous, puis recommencez l’envoi.",
            "Connect again, then send the file again.",
        ),
    )
}

/// lrzsz gave up, with these last words.
fn broken_off(said: &str) -> Failure {
    let said: String = said.chars().filter(|c| !c.is_control()).take(100).collect();
    let (fr, en) = match said.as_str() {
        "" => (".".to_owned(), ".".to_owned()),
        said => (format!("\u{a0}: «\u{a0}{said}\u{a0}»."), format!(": “{said}”.")),
    };
    failure(
        FailureKind::Protocol,
        Bi::new(
            format!("L’envoi du fichier n’a pas abouti{fr}"),
            format!("The file did not get through{en}"),
        ),
        Bi::new(
            "Vérifiez que l’équipement reçoit par le même protocole et qu’il a de la place, puis \
             recommencez.",
            "Check that the device receives by the same protocol and has room, then try again.",
        ),
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};

    use super::{
        ACK, EOT, Ending, FailureKind, FileSend, Line, NAK, PATIENCE, Protocol, State, aside,
        begin, lock, sent,
    };

    /// What happens on a line: bytes for the far side, or none once it is over.
    struct Wire(Mutex<Sender<Option<Vec<u8>>>>);

    impl Line for Wire {
        fn send(&self, bytes: Vec<u8>) {
            let _ = lock(&self.0).send(Some(bytes));
        }
        fn backlog(&self) -> usize {
            0
        }
        fn moved(&self) {}
        fn over(&self, last: &dyn Fn() -> Vec<u8>) {
            last();
            let _ = lock(&self.0).send(None);
        }
    }

    /// The far side has its terminal back, and says so just as the file is given up.
    #[test]
    fn a_file_given_up_at_its_very_end_has_arrived_and_nobody_waits_for_ever() {
        let file = tempfile::NamedTempFile::new().expect("ours");
        std::fs::write(file.path(), [b'x'; 4 * 128]).expect("ours");
        let (said, says) = channel();
        let next = || says.recv_timeout(PATIENCE).expect("it goes on");
        let line = Arc::new(Wire(Mutex::new(said)));
        let sending = FileSend::start(Protocol::Xmodem, file.path(), PATIENCE, line);
        let sending = Arc::new(sending.expect("lrzsz is here"));
        sending.hear(vec![NAK]);
        for _ in 0..4 {
            let mut block = Vec::new();
            while block.len() < 132 {
                block.extend(next().expect("a block"));
            }
            sending.hear(vec![ACK]);
        }
        assert_eq!(next(), Some(vec![EOT]));
        while sending.state() == State::Waiting {
            std::thread::yield_now();
        }
        sending.cancel();
        assert_eq!(*lock(&sending.shared.ending), Ending::Last);
        // It is at work on the end.
        while sending.shared.stopped.try_lock().is_ok_and(|stopped| stopped.is_some()) {
            std::thread::yield_now();
        }
        let hears = Arc::clone(&sending);
        aside("hears", move || hears.hear(b"$ ".to_vec())).expect("a thread");
        assert_eq!(next(), None, "nothing is said to whoever has the terminal now");
        assert_eq!(sending.state(), State::Done);
    }

    #[test]
    fn where_lrzsz_is_missing_it_is_named() {
        let none = begin(&["no-such-sz"], Protocol::Ymodem, Path::new("/dev/null"));
        let failure = none.expect_err("there is no such program");
        assert_eq!(failure.kind, FailureKind::Helper);
        for todo in [&failure.todo.fr, &failure.todo.en] {
            assert!(todo.contains("apt install lrzsz"), "{todo}");
        }
    }

    #[test]
    fn what_lrzsz_says_of_its_progress_is_read() {
        for (said, bytes) in [
            ("Xmodem sectors/kbytes sent:  13/ 1k", Some(1664)),
            ("Ymodem sectors/kbytes sent:   0/ 0k", Some(0)),
            ("Bytes Sent:   1024/   5000   BPS:618693   ETA 00:00", Some(1024)),
            ("Bytes Sent:   5120   BPS:5047", Some(5120)),
            ("Retry 0: Receiver Cancelled", None),
        ] {
            assert_eq!(sent(said), bytes, "{said}");
        }
    }
}
