//! The link under a cell of the view. Only finds it; never opens it.

use std::ops::Range;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::term::cell::Flags;

use crate::gui::terminal::links;
use crate::gui::terminal::model::{Terminal, view_point};

/// Lines of the grid and their columns.
type Spans = Vec<(i32, Range<usize>)>;

/// The link under a cell of the view: one the program named (OSC 8), or an
/// address in the text, which may run over wrapped lines.
pub(super) fn link_at(terminal: &Terminal, row: usize, column: usize) -> Option<(String, Spans)> {
    terminal.peek(|term| {
        if row >= term.screen_lines() || column >= term.columns() {
            return None;
        }
        let point = view_point(term, row, column);
        if let Some(link) = term.grid()[point].hyperlink() {
            let same = |column: &usize| {
                term.grid()[point.line][Column(*column)].hyperlink().as_ref() == Some(&link)
            };
            let from = (0..=column).rev().take_while(same).last().unwrap_or(column);
            let to = (column..term.columns()).take_while(same).last().unwrap_or(column);
            let url = link.uri().to_owned();
            return links::may_open(&url).then(|| (url, vec![(point.line.0, from..to + 1)]));
        }
        let (start, end) = (term.line_search_left(point), term.line_search_right(point));
        if (end.line.0 - start.line.0) > 50 {
            return None;
        }
        let mut text = Vec::new();
        let mut places = Vec::new();
        let mut here = None;
        for line in start.line.0..=end.line.0 {
            for column in 0..term.columns() {
                let at = Point::new(Line(line), Column(column));
                let cell = &term.grid()[at];
                if at == point {
                    here = Some(text.len());
                }
                if !cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER)
                {
                    text.push(cell.c);
                    places.push(at);
                }
            }
        }
        let range = links::at(&text, here?.min(text.len().saturating_sub(1)))?;
        let url = text[range.clone()].iter().collect();
        let mut spans: Spans = Vec::new();
        for at in &places[range] {
            match spans.last_mut() {
                Some((line, columns)) if *line == at.line.0 => columns.end = at.column.0 + 1,
                _ => spans.push((at.line.0, at.column.0..at.column.0 + 1)),
            }
        }
        Some((url, spans))
    })
}
