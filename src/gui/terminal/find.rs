//! The search bar over the scrollback, and what it found.

use std::ops::RangeInclusive;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Direction, Line, Point, Side};
use alacritty_terminal::term::search::{RegexIter, RegexSearch};
use egui::{Key, Ui};

use crate::gui::theme;
use crate::model::lang::Lang;

use super::model::Term;
use super::paint::Marks;

/// Finds marked at most in one view.
const MARKS_MAX: usize = 500;

/// The search of one terminal.
#[derive(Default)]
pub(super) struct Find {
    pub(super) open: bool,
    query: String,
    regex: Option<RegexSearch>,
    here: Option<RangeInclusive<Point>>,
    missing: bool,
    fresh: bool,
}

/// What the person did in the bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Typed: look for the newest match.
    Changed,
    /// Look further, towards older or newer lines.
    Next(Direction),
    /// Close the bar.
    Close,
}

impl Find {
    /// Opens the bar, or gives it the keyboard again.
    pub(super) fn show(&mut self) {
        self.open = true;
        self.fresh = true;
    }

    /// The bar. Called only while open.
    pub(super) fn bar_ui(&mut self, ui: &mut Ui, lang: Lang) -> Option<Act> {
        let mut act = None;
        ui.horizontal(|ui| {
            let label = ui.label(lang.pick("Rechercher", "Find"));
            // What stands after the field has its room in a narrow terminal too.
            let room = (ui.available_width() - 250.0).clamp(60.0, 190.0);
            let edit = egui::TextEdit::singleline(&mut self.query).desired_width(room);
            let edit = ui.add(edit).labelled_by(label.id);
            if std::mem::take(&mut self.fresh) {
                edit.request_focus();
            }
            if edit.changed() {
                act = Some(Act::Changed);
            }
            if edit.lost_focus() || edit.has_focus() {
                let (enter, escape, shift) = ui.input(|i| {
                    (i.key_pressed(Key::Enter), i.key_pressed(Key::Escape), i.modifiers.shift)
                });
                if enter {
                    let way = if shift { Direction::Right } else { Direction::Left };
                    act = Some(Act::Next(way));
                    edit.request_focus();
                } else if escape {
                    act = Some(Act::Close);
                }
            }
            let older = lang.pick("Plus ancien (Entrée)", "Older (Enter)");
            if ui.button("▲").on_hover_text(older).named(ui, older).clicked() {
                act = Some(Act::Next(Direction::Left));
            }
            let newer = lang.pick("Plus récent (Maj+Entrée)", "Newer (Shift+Enter)");
            if ui.button("▼").on_hover_text(newer).named(ui, newer).clicked() {
                act = Some(Act::Next(Direction::Right));
            }
            let close = lang.pick("Fermer la recherche (Échap)", "Close the search (Esc)");
            if ui.button("×").on_hover_text(close).named(ui, close).clicked() {
                act = Some(Act::Close);
            }
            if self.missing && !self.query.is_empty() {
                let p = theme::palette(ui.ctx());
                ui.colored_label(p.warn, lang.pick("Introuvable", "Not found"));
            }
        });
        act
    }

    /// Does what the bar was asked, and brings the match into view.
    pub(super) fn act(&mut self, act: Act, term: &mut Term) {
        match act {
            Act::Close => {
                *self = Self { query: std::mem::take(&mut self.query), ..Self::default() }
            }
            Act::Changed => {
                self.here = None;
                self.missing = false;
                self.regex = (!self.query.is_empty())
                    .then(|| RegexSearch::new(&escape(&self.query)).ok())
                    .flatten();
                self.step(Direction::Left, term);
            }
            Act::Next(way) => self.step(way, term),
        }
    }

    fn step(&mut self, way: Direction, term: &mut Term) {
        let Some(regex) = &mut self.regex else {
            // The bar was opened again with its old words.
            if !self.query.is_empty() {
                self.act(Act::Changed, term);
            }
            return;
        };
        let bottom = Point::new(term.bottommost_line(), term.last_column());
        let top = Point::new(term.topmost_line(), Column(0));
        let origin = match (&self.here, way) {
            (None, Direction::Left) => bottom,
            (None, Direction::Right) => top,
            (Some(here), Direction::Left) => before(*here.start(), term).unwrap_or(bottom),
            (Some(here), Direction::Right) => after(*here.end(), term).unwrap_or(top),
        };
        let side = match way {
            Direction::Left => Side::Right,
            Direction::Right => Side::Left,
        };
        let found = term.search_next(regex, origin, way, side, None);
        self.missing = found.is_none();
        if let Some(found) = &found {
            term.scroll_to_point(*found.start());
        }
        self.here = found;
    }

    /// Marks the matches in view.
    pub(super) fn mark(&mut self, term: &Term, marks: &mut Marks) {
        let Some(regex) = self.regex.as_mut().filter(|_| self.open) else { return };
        let top = Line(-(term.grid().display_offset() as i32));
        let bottom = top + (term.screen_lines() - 1) as i32;
        let start = Point::new(top, Column(0));
        let end = Point::new(bottom, term.last_column());
        for found in RegexIter::new(start, end, Direction::Right, term, regex).take(MARKS_MAX) {
            let here = self.here.as_ref() == Some(&found);
            for line in found.start().line.0..=found.end().line.0 {
                let from = if line == found.start().line.0 { found.start().column.0 } else { 0 };
                let to = if line == found.end().line.0 {
                    found.end().column.0 + 1
                } else {
                    term.columns()
                };
                marks.found.push((line, from..to, here));
            }
        }
    }
}

fn before(point: Point, term: &Term) -> Option<Point> {
    if point.column.0 > 0 {
        return Some(Point::new(point.line, point.column - 1));
    }
    (point.line > term.topmost_line()).then(|| Point::new(point.line - 1, term.last_column()))
}

fn after(point: Point, term: &Term) -> Option<Point> {
    if point.column < term.last_column() {
        return Some(Point::new(point.line, point.column + 1));
    }
    (point.line < term.bottommost_line()).then(|| Point::new(point.line + 1, Column(0)))
}

/// The words as a pattern that means just them.
fn escape(words: &str) -> String {
    let mut out = String::with_capacity(words.len() + 8);
    for c in words.chars() {
        if !c.is_alphanumeric() && !c.is_whitespace() && c.is_ascii() {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Gives an icon button a name for screen readers.
trait Named {
    fn named(self, ui: &Ui, name: &str) -> Self;
}

impl Named for egui::Response {
    fn named(self, ui: &Ui, name: &str) -> Self {
        let (enabled, name) = (ui.is_enabled(), name.to_owned());
        self.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, enabled, &name));
        self
    }
}
