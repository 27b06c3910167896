//! What the command line prints: text or JSON on standard output, words for the
//! person on standard error. A reader that closed its end is nobody's failure.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::app::api::{AppError, Code, EntryView, Reply};
use crate::app::text;
use crate::model::lang::{Bi, Lang};
use crate::model::unseen::hidden;
use crate::os::terminal;

/// What became of standard output.
struct Fate {
    /// The first error other than a reader that closed its end.
    failed: Option<io::Error>,
    /// The reader closed its end.
    closed: bool,
}

static FATE: Mutex<Fate> = Mutex::new(Fate { failed: None, closed: false });

/// Both texts, French first.
pub fn bi(fr: impl Into<String>, en: impl Into<String>) -> Bi {
    Bi::new(fr, en)
}

/// Wrong use (exit code 2).
pub fn usage(what: Bi, todo: Bi) -> AppError {
    AppError { code: Code::Usage, what, todo }
}

/// Anything else (exit code 1).
pub fn other(what: Bi, todo: Bi) -> AppError {
    AppError { code: Code::Other, what, todo }
}

/// Prints `text` and a newline on standard output.
pub fn line(text: &str) {
    raw(text.as_bytes());
    raw(b"\n");
}

/// Prints bytes on standard output as they are.
pub fn raw(bytes: &[u8]) {
    kept(io::stdout().lock().write_all(bytes));
}

/// Hands everything printed so far to the reader.
pub fn flush() {
    kept(io::stdout().lock().flush());
}

/// Remembers how a write to standard output ended.
pub fn kept(written: io::Result<()>) {
    let Err(error) = written else { return };
    let mut fate = FATE.lock().unwrap_or_else(PoisonError::into_inner);
    if error.kind() == ErrorKind::BrokenPipe {
        fate.closed = true;
    } else {
        fate.failed.get_or_insert(error);
    }
}

/// Hands everything printed so far to the reader.
///
/// # Errors
/// Some of it could not be written. A reader that closed its end is no error.
pub fn written() -> Result<(), AppError> {
    flush();
    let fate = FATE.lock().unwrap_or_else(PoisonError::into_inner);
    fate.failed.as_ref().map_or(Ok(()), |error| Err(unwritten(error)))
}

/// As [`written`], for what is shown only once: somebody must have read it.
///
/// # Errors
/// As there, or the reader closed its end.
pub fn handed_over() -> Result<(), AppError> {
    written()?;
    let fate = FATE.lock().unwrap_or_else(PoisonError::into_inner);
    match fate.closed {
        true => Err(unwritten(&io::Error::from(ErrorKind::BrokenPipe))),
        false => Ok(()),
    }
}

fn unwritten(error: &io::Error) -> AppError {
    let cause = text::cause(error);
    other(
        bi(
            format!("La sortie standard ne peut pas être écrite\u{a0}: {}.", cause.fr),
            format!("Standard output cannot be written: {}.", cause.en),
        ),
        bi(
            "Libérez de la place ou envoyez la sortie ailleurs, puis recommencez\u{a0}: ce qui a été écrit est incomplet.",
            "Free some space or send the output elsewhere, then try again: what was written is incomplete.",
        ),
    )
}

/// Prints a JSON document on standard output.
pub fn document(value: &Value) {
    line(&serde_json::to_string_pretty(value).expect("a JSON value can be printed"));
}

/// Prints a line for the person on standard error: one of its own, also after a
/// question without an answer and what a far side wrote there.
pub fn note(text: &str) {
    let begun = terminal::take_midline();
    let mut err = io::stderr().lock();
    if begun {
        let _ = writeln!(err);
    }
    let _ = writeln!(err, "{text}");
}

/// Prints a JSON document on a line of its own of standard error.
pub fn document_note(value: &Value) {
    note(&value.to_string());
}

/// Prints a failure on standard error, as text or as a JSON document.
pub fn failure(error: &AppError, lang: Lang, json: bool) {
    if json {
        let document = json!({ "error": {
            "exit": error.code.exit(),
            "code": error.code,
            "what": error.what.get(lang),
            "todo": error.todo.get(lang),
        }});
        document_note(&document);
    } else {
        note(&plain_lines(error.what.get(lang)));
        note(&format!("→ {}", plain_lines(error.todo.get(lang))));
    }
}

/// Text without what would move the cursor of a terminal, and with what is not seen
/// or turns the order of signs around written as `U+202E`: entries may come from
/// others.
pub fn plain(text: &str) -> String {
    if !text.contains(hidden) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if c.is_control() => out.push('�'),
            c if hidden(c) => out.push_str(&format!("<U+{:04X}>", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

/// Text of several lines, each as by [`plain`].
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// The answer was of another kind than the question: a peer of another build.
pub fn unexpected() -> AppError {
    AppError::odd_reply()
}

/// The entry of a [`Reply::Entry`].
///
/// # Errors
/// The reply is another one.
pub fn entry(reply: Reply) -> Result<EntryView, AppError> {
    match reply {
        Reply::Entry(view) => Ok(*view),
        _ => Err(unexpected()),
    }
}

/// A number of bytes for a person.
pub fn size(lang: Lang, bytes: u64) -> String {
    let (unit, scale) = match bytes {
        0..1024 => return format!("{bytes} {}", lang.pick("o", "B")),
        1024..1_048_576 => (lang.pick("Kio", "KiB"), 1024.0),
        _ => (lang.pick("Mio", "MiB"), 1_048_576.0),
    };
    let number = format!("{:.1}", bytes as f64 / scale);
    format!("{} {unit}", if lang == Lang::Fr { number.replace('.', ",") } else { number })
}

/// Rows as columns of equal width, two spaces apart; the last one ragged.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
