//! The search box: which query is the newest, and which result is chosen.
//! Answers to older queries are dropped. Knows no egui and no vault.

use crate::app::api::{AppError, Item};
use crate::model::id::EntryId;

/// State of the search.
#[derive(Default)]
pub struct Search {
    /// What is typed.
    pub query: String,
    asked: u64,
    answered: u64,
    results: Vec<Item>,
    chosen: usize,
    /// The newest query is the one before once more, and what was chosen then.
    again: Option<Option<EntryId>>,
    /// The query at which Enter was pressed before its answer had come.
    entered: Option<u64>,
    error: Option<AppError>,
}

impl Search {
    /// True while results stand in place of the tree.
    pub fn active(&self) -> bool {
        !self.query.trim().is_empty()
    }

    /// The query changed: what to ask, with its number.
    pub fn ask(&mut self) -> Option<(u64, String)> {
        self.asked += 1;
        self.chosen = 0;
        self.again = None;
        if !self.active() {
            self.results.clear();
            self.error = None;
            return None;
        }
        Some((self.asked, self.query.trim().to_owned()))
    }

    /// Others changed something: asks the same once more, and stays where it is.
    pub fn ask_again(&mut self) -> Option<(u64, String)> {
        if !self.active() || self.waiting() {
            return None;
        }
        self.asked += 1;
        self.again = Some(self.chosen_item().map(|item| item.summary.id));
        Some((self.asked, self.query.trim().to_owned()))
    }

    /// An answer has come; false when a newer query is on its way, or when it is
    /// the same once more and nobody waits for it.
    pub fn answer(&mut self, number: u64, found: Result<Vec<Item>, AppError>) -> bool {
        if number != self.asked || !self.active() {
            return false;
        }
        self.answered = number;
        match found {
            Ok(items) => {
                self.results = items;
                self.error = None;
            }
            Err(e) => {
                self.results.clear();
                self.error = Some(e);
            }
        }
        let again = self.again.take();
        self.point_at(again.flatten());
        self.chosen = self.chosen.min(self.results.len().saturating_sub(1));
        again.is_none() || self.entered == Some(number)
    }

    /// Enter was pressed: true when the answer is there to act on. Otherwise the
    /// key is remembered until the answer to this very query comes.
    pub fn enter(&mut self) -> bool {
        let waiting = self.waiting();
        self.entered = waiting.then_some(self.asked);
        !waiting
    }

    /// Whether Enter waits for the answer that has just come.
    pub fn take_enter(&mut self) -> bool {
        self.entered.take_if(|number| *number == self.answered).is_some()
    }

    /// True while the newest query has no answer yet.
    pub fn waiting(&self) -> bool {
        self.active() && self.answered != self.asked
    }

    /// The best matches.
    pub fn results(&self) -> &[Item] {
        &self.results
    }

    /// Why there are none.
    pub fn error(&self) -> Option<&AppError> {
        self.error.as_ref()
    }

    /// Which result is chosen.
    pub fn chosen(&self) -> usize {
        self.chosen
    }

    /// The chosen result.
    pub fn chosen_item(&self) -> Option<&Item> {
        self.results.get(self.chosen)
    }

    /// Moves the choice by `step` lines, not past the ends.
    pub fn step(&mut self, step: isize) {
        let last = self.results.len().saturating_sub(1);
        self.chosen = self.chosen.saturating_add_signed(step).min(last);
    }

    /// Chooses a line.
    pub fn choose(&mut self, index: usize) {
        self.chosen = index.min(self.results.len().saturating_sub(1));
    }

    /// Chooses the line of `id`, if it is among the results.
    pub fn point_at(&mut self, id: Option<EntryId>) {
        let place = self.results.iter().position(|item| Some(item.summary.id) == id);
        self.chosen = place.unwrap_or(self.chosen);
    }

    /// Empties the box.
    pub fn clear(&mut self) {
        self.query.clear();
        let _ = self.ask();
    }
}
