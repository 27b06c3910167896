//! How a session ended: as the exit code of this process, and as the JSON document
//! that tells of it. A failure never looks like success.

use serde_json::json;

use crate::app::api::{AppError, Code};
use crate::cli::Context;
use crate::cli::say::{self, bi};
use crate::connect::Failure;
use crate::connect::link::Exit;

/// How it ended: what the command said, and what the connection said.
pub(super) struct Outcome {
    pub(super) exit: Option<Exit>,
    pub(super) failure: Option<Failure>,
    pub(super) signal: Option<i32>,
}

/// Tells of the end of `session`; the exit code that says the same.
///
/// # Errors
/// Nobody knows how the command ended.
pub(super) fn finish(
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
