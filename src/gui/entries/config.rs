//! What the details panel knows of the configurations read from a device: one that
//! is under way, what came of it, and the text or difference on screen, which goes
//! away by itself. Knows no egui; time is an argument.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::app::api::{AppError, Justification, SnapshotView, Taken};
use crate::secret::SecretText;

/// How long a configuration stays on screen: it takes longer to read than a password.
pub const SHOWN_FOR: Duration = Duration::from_secs(300);
/// Snapshots that are listed at once.
pub const LISTED: usize = 5;

/// What a line of a difference is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    /// In both, or of a whole configuration.
    Same,
    /// Only in the newer one.
    Added,
    /// Only in the older one.
    Removed,
    /// Where the lines below stand.
    Place,
}

/// What is on screen.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum What {
    /// A configuration.
    Text(SnapshotView),
    /// What differs from one to another, and how many lines are new and gone.
    Difference(SnapshotView, SnapshotView, u64, u64),
}

/// Bytes of a line above which it goes on in another row: one that was laid out whole
/// would hold up the window, however long a device made it.
const ROW_MAX_BYTES: usize = 4096;

/// A text on screen.
pub struct Shown {
    /// Which.
    pub what: What,
    text: SecretText,
    lines: Vec<(Line, Range<usize>)>,
    until: Instant,
}

impl Shown {
    /// Its text, for the clipboard.
    pub fn text(&self) -> &SecretText {
        &self.text
    }

    /// How many rows it has.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// What row `n` is of, and its text.
    pub fn line<R>(&self, n: usize, paint: impl FnOnce(Line, &str) -> R) -> Option<R> {
        let (kind, range) = self.lines.get(n)?;
        Some(self.text.expose(|text| paint(*kind, &text[range.clone()])))
    }

    /// Bytes of the longest row.
    pub fn widest(&self) -> usize {
        self.lines.iter().map(|(_, range)| range.len()).max().unwrap_or(0)
    }
}

/// State of the section.
#[derive(Default)]
pub struct Config {
    under_way: Option<Arc<AtomicBool>>,
    /// What came of the last one.
    pub result: Option<Result<Taken, AppError>>,
    /// Why the last one was taken, for what is shown of it.
    pub just: Justification,
    shown: Option<Shown>,
}

impl Config {
    /// One is being taken; the flag gives up.
    pub fn begin(&mut self, give_up: Arc<AtomicBool>, just: Justification) {
        self.under_way = Some(give_up);
        self.result = None;
        self.just = just;
    }

    /// Whether one is being taken.
    pub fn taking(&self) -> bool {
        self.under_way.is_some()
    }

    /// Gives up the one that is being taken; its end comes as ever.
    pub fn give_up(&self) {
        if let Some(flag) = &self.under_way {
            flag.store(true, Ordering::Release);
        }
    }

    /// It ended.
    pub fn ended(&mut self, result: Result<Taken, AppError>) {
        self.under_way = None;
        self.result = Some(result);
    }

    /// Shows a text from `now` on.
    pub fn show(&mut self, what: What, text: SecretText, now: Instant) {
        let difference = matches!(what, What::Difference(..));
        let lines = text.expose(|text| {
            let mut start = 0;
            let mut lines = Vec::new();
            for line in text.split_inclusive('\n') {
                let shown = line.trim_end_matches('\n');
                // The two lines on top name the snapshots, which the title does.
                let head = difference && lines.is_empty() && is_head(shown);
                if !head {
                    let kind = kind(shown, difference);
                    let rows = rows(shown).map(|row| (kind, start + row.start..start + row.end));
                    lines.extend(rows);
                }
                start += line.len();
            }
            lines
        });
        self.shown = Some(Shown { what, text, lines, until: now + SHOWN_FOR });
    }

    /// What is on screen.
    pub fn shown(&self) -> Option<&Shown> {
        self.shown.as_ref()
    }

    /// Wipes it from the screen.
    pub fn hide(&mut self) {
        self.shown = None;
    }

    /// Wipes what has been shown long enough; how long until then.
    pub fn expire(&mut self, now: Instant) -> Option<Duration> {
        if self.shown.as_ref().is_some_and(|shown| shown.until <= now) {
            self.shown = None;
        }
        self.shown.as_ref().map(|shown| shown.until.saturating_duration_since(now))
    }
}

/// The parts of a line that are a row each; one for an empty line.
fn rows(line: &str) -> impl Iterator<Item = Range<usize>> {
    let mut next = Some(0);
    std::iter::from_fn(move || {
        let start = next?;
        let end = line.floor_char_boundary(start + ROW_MAX_BYTES);
        next = Some(end).filter(|end| *end < line.len());
        Some(start..end)
    })
}

fn is_head(line: &str) -> bool {
    line.starts_with("--- ") || line.starts_with("+++ ")
}

fn kind(line: &str, difference: bool) -> Line {
    match line.as_bytes().first() {
        Some(b'+') if difference => Line::Added,
        Some(b'-') if difference => Line::Removed,
        Some(b'@') if difference => Line::Place,
        _ => Line::Same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_without_end_is_shown_whole_in_rows_that_can_be_painted() {
        let long = "é".repeat(3 * ROW_MAX_BYTES);
        for line in ["", "hostname sw1", &long] {
            let all: Vec<&str> = rows(line).map(|row| &line[row]).collect();
            assert_eq!(all.concat(), line);
            assert!(!all.is_empty() && all.iter().all(|row| row.len() <= ROW_MAX_BYTES));
        }
        assert_eq!(rows(&long).count(), 6);
    }
}
