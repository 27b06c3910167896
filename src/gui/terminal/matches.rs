//! All matches of a search over screen and scrollback, found piece by piece from
//! the newest line up, so that no frame waits for a long scrollback. Paints and
//! scrolls nothing.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Direction, Line, Point};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::search::{Match, RegexIter, RegexSearch};

use super::model::Term;

/// Cells looked through in one piece: two or three milliseconds.
const PIECE_CELLS: usize = 100_000;
/// A line that runs on over more lines than this is cut there.
const LINE_MAX: i32 = 200;
/// Matches remembered; whoever has more types another letter.
const MATCHES_MAX: usize = 10_000;

/// A place that stays the same while lines come in below it, until the scrollback
/// is full: counted from its oldest line.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Spot {
    line: i64,
    column: usize,
}

/// Where one match is. A newer one is greater.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Found {
    start: Spot,
    end: Spot,
}

impl Found {
    fn new(found: &Match, term: &Term) -> Self {
        let spot = |p: Point| Spot { line: above(p.line, term), column: p.column.0 };
        Self { start: spot(*found.start()), end: spot(*found.end()) }
    }

    /// Where it begins now, if it is still there.
    pub(super) fn start(&self, term: &Term) -> Option<Point> {
        let line = Line(i32::try_from(self.start.line - history(term)).ok()?);
        let there = line >= term.topmost_line() && line <= term.bottommost_line();
        there.then_some(Point::new(line, Column(self.start.column)))
    }

    /// Whether `found` is this one.
    pub(super) fn is(&self, found: &Match, term: &Term) -> bool {
        *self == Self::new(found, term)
    }
}

/// What was found in one pass.
struct Pass {
    /// Newest first.
    found: Vec<Found>,
    /// The newest line that was not looked through; `None` when all were.
    next: Option<i64>,
    /// What the terminal had said when the pass began.
    heard: (u64, usize),
}

/// The matches of one search.
pub(super) struct Matches {
    pub(super) regex: RegexSearch,
    now: Pass,
    /// A new pass after new output; until it is over the last one stands.
    again: Option<Pass>,
    /// Columns, and whether it was the other screen: then places mean nothing more.
    shape: (usize, bool),
}

impl Matches {
    /// None yet. `heard` is how many bytes the terminal has received.
    pub(super) fn new(regex: RegexSearch, term: &Term, heard: u64) -> Self {
        Self { regex, now: Pass::new(term, heard), again: None, shape: shape(term) }
    }

    /// The matches so far, newest first.
    pub(super) fn found(&self) -> &[Found] {
        &self.now.found[..self.now.found.len().min(MATCHES_MAX)]
    }

    /// True when there are more than are remembered.
    pub(super) fn too_many(&self) -> bool {
        self.now.found.len() > MATCHES_MAX
    }

    /// True when these are all, or as many as are remembered.
    pub(super) fn complete(&self) -> bool {
        self.now.next.is_none()
    }

    /// Looks through the next piece. True while there is more to look through.
    pub(super) fn look(&mut self, term: &Term, heard: u64) -> bool {
        if self.shape != shape(term) {
            self.shape = shape(term);
            self.now = Pass::new(term, heard);
            self.again = None;
        }
        if self.again.is_none() {
            if !self.complete() {
                self.now.look(term, &mut self.regex);
                return !self.complete() || self.now.heard != (heard, term.screen_lines());
            }
            if self.now.heard == (heard, term.screen_lines()) {
                return false;
            }
        }
        let mut again = self.again.take().unwrap_or_else(|| Pass::new(term, heard));
        again.look(term, &mut self.regex);
        if again.next.is_some() {
            self.again = Some(again);
        } else {
            self.now = again;
        }
        self.again.is_some() || self.now.heard != (heard, term.screen_lines())
    }
}

impl Pass {
    fn new(term: &Term, heard: u64) -> Self {
        let next = Some(above(term.bottommost_line(), term));
        Self { found: Vec::new(), next, heard: (heard, term.screen_lines()) }
    }

    fn look(&mut self, term: &Term, regex: &mut RegexSearch) {
        let Some(next) = self.next else { return };
        let top = term.topmost_line();
        let bottom = Line(i32::try_from(next - history(term)).unwrap_or(i32::MIN));
        let bottom = bottom.min(term.bottommost_line());
        if bottom < top {
            self.next = None;
            return;
        }
        let piece = (PIECE_CELLS / term.columns()).max(1) as i32;
        let mut from = (bottom - (piece - 1)).max(top);
        // A match may run on over the end of a line: pieces begin where lines do.
        let least = (from - LINE_MAX).max(top);
        while from > least && runs_on(from - 1_i32, term) {
            from -= 1_i32;
        }
        let start = Point::new(from, Column(0));
        let end = Point::new(bottom, term.last_column());
        let piece: Vec<Found> = RegexIter::new(start, end, Direction::Right, term, regex)
            .map(|found| Found::new(&found, term))
            .collect();
        self.found.extend(piece.into_iter().rev());
        let full = self.found.len() > MATCHES_MAX;
        self.found.truncate(MATCHES_MAX + 1);
        self.next = (from > top && !full).then(|| above(from, term) - 1);
    }
}

/// Whether the line goes on in the one below it.
fn runs_on(line: Line, term: &Term) -> bool {
    term.grid()[line][term.last_column()].flags.contains(Flags::WRAPLINE)
}

fn history(term: &Term) -> i64 {
    term.grid().history_size() as i64
}

fn above(line: Line, term: &Term) -> i64 {
    i64::from(line.0) + history(term)
}

fn shape(term: &Term) -> (usize, bool) {
    (term.columns(), term.mode().contains(TermMode::ALT_SCREEN))
}
