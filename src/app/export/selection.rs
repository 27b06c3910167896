//! Which lines an export holds. Lines are opened on several threads, so whether
//! one matches is asked of each alone; that only the last so many are wanted is
//! settled afterwards, in the log's order.

use crate::app::api::{ExportFormat, ExportRequest};
use crate::audit::line;
use crate::model::audit_event::{AuditFilter, OpenLine};

use super::{ExportError, Lines, Steps, pipe};

/// Which lines are wanted, while they pass.
pub struct Selection<'a> {
    pub wanted: Wanted<'a>,
    /// Matching lines to pass over before the last so many.
    skip: u64,
    /// Lines there will be, if they were counted; else at most so many.
    pub expected: u64,
    /// Lines selected so far.
    pub selected: u64,
}

/// What can be told of a line alone.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    filter: &'a AuditFilter,
    /// True when every line is wanted, so that none needs to be opened to know.
    pub all: bool,
    /// Whether some matching lines are passed over.
    pub skips: bool,
}

impl Wanted<'_> {
    /// Whether the line matches.
    pub fn matches(&self, line: &OpenLine) -> bool {
        self.all || self.filter.matches(line)
    }
}

impl<'a> Selection<'a> {
    /// Whether the matching lines are counted first: for the last so many of
    /// them, and for a report that says how many parts it has.
    pub fn counts(request: &ExportRequest) -> bool {
        let filter = &request.filter;
        let all = *filter == AuditFilter::default();
        filter.last.is_some() || (request.format == ExportFormat::Pdf && !all)
    }

    /// Reads all lines once to `count` them.
    pub fn new(
        filter: &'a AuditFilter,
        count: bool,
        size: u64,
        lines: &dyn Lines,
        progress: &mut Steps<'_, '_>,
    ) -> Result<Self, ExportError> {
        let any = AuditFilter { last: None, ..filter.clone() } == AuditFilter::default();
        let wanted = Wanted { filter, all: any && filter.last.is_none(), skips: false };
        let mut this = Self { wanted, skip: 0, expected: size, selected: 0 };
        if count {
            let mut matching = 0u64;
            pipe::each(
                lines,
                progress,
                &|row, made: &mut Count| {
                    if !any {
                        let Count { line, .. } = made;
                        line::open_into(row.seq, row.line, &row.hash, line)?;
                    }
                    made.matching += u64::from(any || filter.matches(&made.line));
                    Ok(())
                },
                &mut |made| {
                    matching += std::mem::take(&mut made.matching);
                    Ok(())
                },
            )?;
            this.expected = filter.last.unwrap_or(matching).min(matching);
            this.skip = matching - this.expected;
            this.wanted.skips = this.skip > 0;
        }
        Ok(this)
    }

    /// Whether the next matching line is one of those wanted.
    pub fn passes(&mut self) -> bool {
        let wanted = self.skip == 0;
        self.skip = self.skip.saturating_sub(1);
        self.selected += u64::from(wanted);
        wanted
    }

    /// Hands on what of `text` is wanted, and empties it.
    pub fn pour<E>(
        &mut self,
        text: &mut Records,
        mut write: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.skip == 0 && !self.wanted.skips {
            self.selected += text.matching;
            write(&text.bytes)?;
        } else {
            let mut from = 0;
            for Mark { start, end, instead } in &text.marks {
                write(&text.bytes[from..*start])?;
                write(if self.passes() {
                    &text.bytes[*start..*end]
                } else {
                    &text.bytes[*end..*instead]
                })?;
                from = *instead;
            }
            write(&text.bytes[from..])?;
        }
        text.bytes.clear();
        text.marks.clear();
        text.matching = 0;
        Ok(())
    }
}

/// How many lines of a block match.
struct Count {
    matching: u64,
    line: OpenLine,
}

impl Default for Count {
    fn default() -> Self {
        Self { matching: 0, line: OpenLine::empty() }
    }
}

/// Records of some lines, one after another.
#[derive(Default)]
pub struct Records {
    pub bytes: Vec<u8>,
    /// Where those of matching lines lie, if some are passed over.
    marks: Vec<Mark>,
    matching: u64,
}

/// Two forms of one matching line: as it is wanted, and what stands in its place
/// when it is passed over.
struct Mark {
    start: usize,
    end: usize,
    instead: usize,
}

impl Records {
    /// Appends a matching line; `instead` is asked only if some are passed over.
    pub fn put<E>(
        &mut self,
        wanted: &Wanted<'_>,
        record: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
        instead: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), E> {
        let start = self.bytes.len();
        record(&mut self.bytes)?;
        self.matching += 1;
        if wanted.skips {
            let end = self.bytes.len();
            instead(&mut self.bytes);
            self.marks.push(Mark { start, end, instead: self.bytes.len() });
        }
        Ok(())
    }
}
