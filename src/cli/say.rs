//! What the command line prints: text or JSON on standard output, words for the
//! person on standard error. A reader that closed its end is nobody's failure.

use std::io::Write;

use serde_json::{Value, json};

use crate::app::api::{AppError, Code, EntryView, Reply};
use crate::model::lang::{Bi, Lang};

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
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes);
}

/// Hands everything printed so far to the reader.
pub fn flush() {
    let _ = std::io::stdout().lock().flush();
}

/// Prints a JSON document on standard output.
pub fn document(value: &Value) {
    line(&serde_json::to_string_pretty(value).expect("a JSON value can be printed"));
}

/// Prints a line for the person on standard error.
pub fn note(text: &str) {
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "{text}");
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
        note(&serde_json::to_string_pretty(&document).expect("a JSON value can be printed"));
    } else {
        note(error.what.get(lang));
        note(&format!("→ {}", error.todo.get(lang)));
    }
}

/// Text without what would move the cursor of a terminal: entries may come
/// from others.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '�' } else { c }).collect()
}

/// Text of several lines, each as by [`plain`].
pub fn plain_lines(text: &str) -> String {
    text.split('\n').map(plain).collect::<Vec<_>>().join("\n")
}

/// The answer was of another kind than the question: a peer of another build.
pub fn unexpected() -> AppError {
    other(
        bi("L’application a répondu à côté.", "The application answered something else."),
        bi(
            "Relancez l’agent : poterne lock, puis poterne unlock.",
            "Start the agent again: poterne lock, then poterne unlock.",
        ),
    )
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
