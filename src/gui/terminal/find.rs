//! The search bar over the scrollback, and what it found.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Direction, Line, Point};
use alacritty_terminal::term::search::{RegexIter, RegexSearch};
use egui::{Align, Key, Layout, RichText, Ui, vec2};

use crate::gui::text;
use crate::gui::theme;
use crate::model::lang::Lang;

use super::matches::{Found, Matches};
use super::model::Term;
use super::paint::Marks;

/// Finds marked at most in one view.
const MARKS_MAX: usize = 500;

/// Room for the counter, so that the buttons after it stay where they are.
const COUNTER: f32 = 104.0;

/// The search of one terminal.
#[derive(Default)]
pub(super) struct Find {
    pub(super) open: bool,
    query: String,
    /// The words were changed, or the bar was opened again with its old ones.
    changed: bool,
    matches: Option<Matches>,
    here: Option<Found>,
    /// Where to go as soon as it is known what is there.
    wanted: Option<Wanted>,
    fresh: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Newest,
    Older,
    Newer,
}

/// What the person did in the bar.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Act {
    /// Typed: look for the newest match.
    Changed,
    /// Go to the next older match.
    Older,
    /// Go to the next newer match.
    Newer,
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
            let room = (ui.available_width() - COUNTER - 130.0).clamp(60.0, 190.0);
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
                    act = Some(if shift { Act::Newer } else { Act::Older });
                    edit.request_focus();
                } else if escape {
                    act = Some(Act::Close);
                }
            }
            let height = ui.spacing().interact_size.y;
            let layout = Layout::left_to_right(Align::Center);
            ui.allocate_ui_with_layout(vec2(COUNTER, height), layout, |ui| {
                ui.set_min_width(COUNTER);
                self.counter_ui(ui, lang);
            });
            let older = lang.pick("Plus ancien (Entrée)", "Older (Enter)");
            if ui.button("▲").on_hover_text(older).named(ui, older).clicked() {
                act = Some(Act::Older);
            }
            let newer = lang.pick("Plus récent (Maj+Entrée)", "Newer (Shift+Enter)");
            if ui.button("▼").on_hover_text(newer).named(ui, newer).clicked() {
                act = Some(Act::Newer);
            }
            let close = lang.pick("Fermer la recherche (Échap)", "Close the search (Esc)");
            if ui.button("×").on_hover_text(close).named(ui, close).clicked() {
                act = Some(Act::Close);
            }
        });
        act
    }

    /// Which match of how many, counted from the newest.
    fn counter_ui(&self, ui: &mut Ui, lang: Lang) {
        let Some(matches) = self.matches.as_ref().filter(|_| !self.query.is_empty()) else {
            return;
        };
        let p = theme::palette(ui.ctx());
        let count = matches.found().len() as u64;
        if count == 0 && matches.complete() {
            ui.colored_label(p.warn, lang.pick("Introuvable", "Not found"));
            return;
        }
        let here = self.here.and_then(|here| place(matches.found(), &here).ok());
        let here = here.map_or("\u{2013}".to_owned(), |i| text::count(i as u64 + 1, lang));
        // More may come: further up, or beyond what is remembered.
        let more = match (matches.too_many(), matches.complete()) {
            (true, _) => "+",
            (false, true) => "",
            (false, false) => "…",
        };
        let shown = format!("{here} / {}{more}", text::count(count, lang));
        let hint = lang.pick(
            "Résultats, du plus récent au plus ancien",
            "Matches, from the newest to the oldest",
        );
        ui.label(RichText::new(shown).color(p.weak)).on_hover_text(hint);
    }

    /// Does what the bar was asked.
    pub(super) fn act(&mut self, act: Act) {
        match act {
            Act::Close => {
                *self = Self { query: std::mem::take(&mut self.query), ..Self::default() }
            }
            Act::Changed => {
                self.changed = true;
                self.wanted = Some(Wanted::Newest);
            }
            Act::Older | Act::Newer if self.matches.is_none() => self.act(Act::Changed),
            Act::Older => self.wanted = Some(Wanted::Older),
            Act::Newer => self.wanted = Some(Wanted::Newer),
        }
    }

    /// Looks a piece further; `heard` is how many bytes the terminal has received.
    /// Gives the match to bring into view, and whether there is more to look through.
    pub(super) fn look(&mut self, term: &Term, heard: u64) -> (Option<Point>, bool) {
        if std::mem::take(&mut self.changed) {
            self.here = None;
            let regex = RegexSearch::new(&escape(&self.query)).ok();
            let regex = regex.filter(|_| !self.query.is_empty());
            self.matches = regex.map(|regex| Matches::new(regex, term, heard));
        }
        let Some(matches) = &mut self.matches else {
            self.wanted = None;
            return (None, false);
        };
        let more = matches.look(term, heard);
        let found = matches.found();
        let place = self.here.map(|here| place(found, &here));
        let next = match self.wanted {
            None => return (None, more),
            Some(Wanted::Newest) => Some(0),
            Some(Wanted::Older) => Some(match place {
                None => 0,
                Some(Ok(at)) => at + 1,
                Some(Err(at)) => at,
            }),
            Some(Wanted::Newer) => place.and_then(|at| at.unwrap_or_else(|at| at).checked_sub(1)),
        };
        let round = if self.wanted == Some(Wanted::Newer) { found.last() } else { found.first() };
        match next.and_then(|next| found.get(next)) {
            Some(next) => self.here = Some(*next),
            // What comes next is not known before all is looked through.
            None if !matches.complete() => return (None, more),
            None => self.here = round.copied(),
        }
        self.wanted = None;
        (self.here.and_then(|here| here.start(term)), more)
    }

    /// Marks the matches in view.
    pub(super) fn mark(&mut self, term: &Term, marks: &mut Marks) {
        let Some(matches) = self.matches.as_mut().filter(|_| self.open) else { return };
        let top = Line(-(term.grid().display_offset() as i32));
        let bottom = top + (term.screen_lines() - 1) as i32;
        let start = Point::new(top, Column(0));
        let end = Point::new(bottom, term.last_column());
        let regex = &mut matches.regex;
        for found in RegexIter::new(start, end, Direction::Right, term, regex).take(MARKS_MAX) {
            let here = self.here.is_some_and(|here| here.is(&found, term));
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

/// The place of `here` among `found`, newest first, or where it would be.
fn place(found: &[Found], here: &Found) -> Result<usize, usize> {
    found.binary_search_by(|one| here.cmp(one))
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
