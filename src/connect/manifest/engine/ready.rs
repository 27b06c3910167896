//! From the start of a program until it is ready: answers its questions with the
//! secrets of the entry, and judges its end. No secret is typed where it would show.

use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use super::{AFTERMATH, Heard, Running};
use crate::connect::host::child::{Command, Uplink};
use crate::connect::link::Exit;
use crate::connect::manifest::give::{given_up, one_line, secret_of};
use crate::connect::manifest::run::{Way, WayBy};
use crate::connect::manifest::watch::{self, Next, Watch};
use crate::connect::manifest::{Ready, fail};
use crate::connect::shell::exit_of;
use crate::connect::ssh::fail::{self as local, key_refused};
use crate::connect::ssh::hostkey;
use crate::connect::{Failure, Progress};
use crate::model::target::PinnedKey;
use crate::os::pty::Pty;

/// A program that says nothing for so long after it spoke waits for somebody.
const QUIET: Duration = Duration::from_millis(200);
/// As [`QUIET`], while a question that was expected has not come.
const NO_QUESTION: Duration = Duration::from_secs(3);
/// How long a program may take to stop showing what is typed.
const HIDING: Duration = Duration::from_secs(3);
/// How soon that is looked at again, and how late at most. No terminal tells of it:
/// packet mode does only with EXTPROC, which takes the editing of lines away
/// (tty_ioctl(4)).
const FIRST_LOOK: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_millis(100);

impl Running {
    /// Waits until the program is ready, and gives it what it asks for until then.
    ///
    /// # Errors
    /// It refuses the login or ends before, or the person gives up.
    pub(super) fn until_ready(&mut self, up: &Arc<Uplink>) -> Result<(), Failure> {
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

fn told(status: ExitStatus) -> String {
    match exit_of(status) {
        Exit::Status(code) => code.to_string(),
        Exit::Signal(name) => format!("SIG{name}"),
    }
}
