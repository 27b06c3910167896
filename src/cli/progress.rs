//! A bar on standard error for a command that takes long, when that is a
//! terminal; and the ear for who gives up. Prints nothing anywhere else.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::{Duration, Instant};

use crate::app::ExportUi;
use crate::model::lang::Lang;
use crate::os::signals::{self, Heard};
use crate::os::terminal;

/// Time between two drawings; also before the first, so that what is short
/// shows no bar.
const PAUSE: Duration = Duration::from_millis(100);
/// Cells of the bar.
const CELLS: u64 = 30;

/// The bar of one export.
pub struct Bar {
    lang: Lang,
    shown: bool,
    drawn: bool,
    last: Instant,
    signal: Arc<AtomicI32>,
}

impl Bar {
    /// Shows nothing yet. From now on Ctrl-C and the wish to end are heard here.
    pub fn new(lang: Lang) -> Self {
        let signal = Arc::new(AtomicI32::new(0));
        let heard = Arc::clone(&signal);
        signals::watch(move |what| {
            if let Heard::End(number) = what {
                heard.store(number, Ordering::Release);
            }
        });
        let shown = terminal::stderr_is_terminal();
        Self { lang, shown, drawn: false, last: Instant::now(), signal }
    }

    /// Takes the bar away; the number of the signal that ended the work, if one did.
    pub fn clear(self) -> Option<i32> {
        if self.drawn {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r\x1b[K").and_then(|()| err.flush());
        }
        Some(self.signal.load(Ordering::Acquire)).filter(|number| *number != 0)
    }
}

impl ExportUi for Bar {
    fn show(&mut self, done: u64, total: u64) {
        if !self.shown || self.last.elapsed() < PAUSE {
            return;
        }
        self.last = Instant::now();
        self.drawn = true;
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "\r\x1b[K{}", text(done, total, self.lang)).and_then(|()| err.flush());
    }

    fn cancelled(&mut self) -> bool {
        self.signal.load(Ordering::Acquire) != 0
    }
}

fn text(done: u64, total: u64, lang: Lang) -> String {
    let total = total.max(1);
    let filled = (done.min(total) * CELLS / total) as usize;
    let bar = "█".repeat(filled) + &"░".repeat(CELLS as usize - filled);
    let percent = done.min(total) * 100 / total;
    match lang {
        Lang::Fr => format!("{bar} {percent:>3}\u{a0}% {} lignes", thousands(done, '\u{202f}')),
        Lang::En => format!("{bar} {percent:>3}% {} lines", thousands(done, ',')),
    }
}

fn thousands(number: u64, mark: char) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(mark);
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_fills_up_and_counts_as_each_language_does() {
        assert_eq!(
            text(0, 1_234_567, Lang::En),
            format!("{}   0% 0 lines", "░".repeat(CELLS as usize))
        );
        assert_eq!(
            text(1_234_567, 1_234_567, Lang::Fr),
            format!("{} 100\u{a0}% 1\u{202f}234\u{202f}567 lignes", "█".repeat(CELLS as usize))
        );
        assert!(text(5, 0, Lang::En).contains("100%"));
    }
}
