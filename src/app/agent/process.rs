//! The life of an agent process: started by `poterne unlock`, told the factors
//! by pipe, detached, gone at lock, idleness, sleep or screen lock.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::app::api::{AppError, Code, Reply, Request, Settings, Status};
use crate::app::{App, UnlockOptions, text};
use crate::model::lang::Bi;
use crate::os::signals::{self, Heard};
use crate::os::{detach, harden, session_lock, terminal};

use super::COMMAND;
use super::frames::{self, StartFrame, Started};
use super::serve::{self, End};

/// What to start.
pub struct Start {
    /// The vault's file.
    pub vault: PathBuf,
    /// `os::paths::agent_socket` of it.
    pub socket: PathBuf,
    /// How to open it.
    pub unlock: UnlockOptions,
    /// Time without use before it locks; `None` takes the vault's setting.
    pub idle: Option<Duration>,
}

/// Starts an agent and returns once it serves.
///
/// # Errors
/// What the unlock in the new process failed with, or that it cannot start.
pub fn start(start: Start) -> Result<Status, AppError> {
    let frame = StartFrame {
        vault: start.vault,
        socket: start.socket,
        member: start.unlock.member,
        factors: start.unlock.factors,
        read_only: start.unlock.read_only,
        accept_older: start.unlock.accept_older,
        idle_secs: start.idle.map(|idle| idle.as_secs()),
    };
    let mut child = detach::spawn_self(&[COMMAND]).map_err(|error| unstartable(&error))?;
    let mut stdin = child.stdin.take().expect("it was asked for as a pipe");
    let mut stdout = child.stdout.take().expect("it was asked for as a pipe");
    let answer = frames::write(&mut stdin, &frame).and_then(|()| frames::read(&mut stdout));
    drop(frame);
    let started: Started = answer.map_err(|error| unstartable(&error))?;
    if started.is_err() {
        // It ends by itself; this only leaves no zombie behind.
        let _ = child.wait();
    }
    started
}

fn unstartable(error: &io::Error) -> AppError {
    let cause = text::cause(error);
    AppError {
        code: Code::Other,
        what: Bi::new(
            format!("L’agent n’a pas pu démarrer\u{a0}: {}.", cause.fr),
            format!("The agent could not start: {}.", cause.en),
        ),
        todo: Bi::new(
            "Vérifiez la mémoire et les limites du système avec\u{a0}: poterne doctor.",
            "Check the system's memory and limits with: poterne doctor.",
        ),
    }
}

/// The agent process itself: reads [`StartFrame`] from standard input, answers
/// [`Started`] on standard output, then serves until the end.
///
/// # Errors
/// Whoever started it is gone or is no Poterne.
pub fn run() -> io::Result<()> {
    harden::harden();
    let start: StartFrame = frames::read(&mut terminal::Input)?;
    let app = App::new(start.vault);
    let idle = start.idle_secs.map(Duration::from_secs);
    // The door first: a code is single-use, and would be lost if it is taken.
    let mut guard = match serve::serve(app.clone(), &start.socket) {
        Ok(guard) => guard,
        Err(error) => return frames::write(&mut io::stdout(), &Started::Err(error)),
    };
    let started: Started = app.unlock(UnlockOptions {
        member: start.member,
        factors: start.factors,
        read_only: start.read_only,
        accept_older: start.accept_older,
    });
    crate::secret::burn_stack();
    let failed = started.is_err();
    let settings = match app.call(Request::Settings) {
        Ok(Reply::Settings(settings)) => settings,
        _ => Settings::default(),
    };
    guard.end_when_idle(idle.unwrap_or(Duration::from_secs(settings.idle_lock_secs)));
    frames::write(&mut io::stdout(), &started)?;
    detach::let_go_of_streams()?;
    if failed {
        return Ok(());
    }
    let stop = guard.stopper();
    let wipe = guard.wiper();
    session_lock::watch(move |_cause| {
        // Here and not after the wait: a sleep is delayed until this returns.
        wipe();
        stop();
    });
    let (stop, wipe, end_sessions) = (guard.stopper(), guard.wiper(), guard.session_ender());
    // Such as at the end of the person's session on this machine: the log tells it.
    signals::watch(move |heard| {
        if matches!(heard, Heard::End(_)) {
            wipe();
            end_sessions();
            stop();
        }
    });
    match guard.wait() {
        End::Locked if !guard.keeps_sessions() => guard.hold_until_exit(),
        End::Locked | End::Idle | End::Stopped => {
            guard.wipe();
            guard.close_door();
            guard.wait_for_sessions();
        }
    }
    // The last lines of sessions wait in the worker, which would end with this
    // process: once it answers they are stored. Locked already is as good.
    let _ = app.call(Request::Lock);
    crate::secret::burn_stack();
    Ok(())
}
