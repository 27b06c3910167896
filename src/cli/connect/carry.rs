//! One channel in this terminal: what is typed goes to the far side, what it says is
//! printed, until either ends or a signal comes. It opens no connection.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use crate::app::OpenSession;
use crate::app::api::{AppError, Code};
use crate::cli::Context;
use crate::cli::escape::{Act, Escape};
use crate::cli::say::{self, bi};
use crate::connect::Failure;
use crate::connect::link::{Channel, ChannelRequest, Exit, FromRemote, Sink, ToRemote};
use crate::model::lang::{Bi, Lang};
use crate::os::signals::{self, Heard};
use crate::os::terminal::{self, Output};

use super::outcome::{Outcome, finish};
use super::request::size;

/// Bytes read from standard input at once.
const READ_BYTES: usize = 32 * 1024;
/// Bytes waiting for the far side above which standard input is not read.
const BACKLOG_MAX_BYTES: usize = 1024 * 1024;
/// How often a full backlog is looked at again.
const BACKLOG_PAUSE: Duration = Duration::from_millis(2);

/// What ends a session.
pub(super) enum End {
    Opened(Result<Box<dyn Channel>, AppError>),
    Exit(Exit),
    Closed(Option<Failure>),
    Signal(i32),
}

/// The channel that learns of the size of the terminal, once there is one.
pub(super) type Resized = Arc<Mutex<Option<Arc<Mutex<Box<dyn Channel>>>>>>;

pub(super) fn watch_signals(ends: Sender<End>, asked_to_end: Arc<AtomicI32>, resized: Resized) {
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

/// How a session is shown in this terminal.
pub(super) struct Terms<'a> {
    pub(super) on_terminal: bool,
    pub(super) interactive: bool,
    /// It is one terminal, whose escape key ends it.
    pub(super) plain: bool,
    /// What was said while connecting, which is not said again.
    pub(super) warned: &'a [Bi],
}

/// Carries a session's channel until it ends.
pub(super) fn carry(
    context: &Context,
    session: &Arc<dyn OpenSession>,
    open: Result<(Box<dyn Channel>, Vec<End>), AppError>,
    on: Terms<'_>,
    (ends, end, resized): (Sender<End>, &Receiver<End>, &Resized),
) -> Result<u8, AppError> {
    for warning in session.info().warnings.iter().filter(|w| !on.warned.contains(w)) {
        say::note(&say::plain(warning.get(context.lang)));
    }
    let (channel, early) = open.inspect_err(|_| session.close())?;
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
            session.close();
        }
    }
    finish(context, &id.to_string(), outcome, on.interactive)
}

/// Opens the channel on a thread of its own, so that a signal ends the wait; the
/// channel, and what it said meanwhile.
pub(super) fn open_channel(
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
            other => return debug_assert!(other.desktop_only(), "a terminal's word is printed"),
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
