//! Short messages at the lower edge that go away by themselves, and failures,
//! which stay until they are dismissed. They wake the window once, when the
//! last message goes.

use std::time::{Duration, Instant};

use egui::{Align2, Area, Id, Order, Ui, vec2};

use crate::app::api::AppError;
use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::lang::{Bi, Lang};

const STAY: Duration = Duration::from_secs(5);

/// Failures on screen at once; the oldest makes room.
const FAILURES_MAX: usize = 3;

/// The messages on screen.
#[derive(Default)]
pub struct Toasts {
    shown: Vec<(Bi, Instant)>,
    failures: Vec<AppError>,
}

impl Toasts {
    /// Shows `text` from `now` on.
    pub fn push(&mut self, text: Bi, now: Instant) {
        self.shown.retain(|(old, _)| *old != text);
        self.shown.push((text, now + STAY));
    }

    /// Shows a failure until the person dismisses it.
    pub fn fail(&mut self, error: AppError) {
        self.failures.retain(|old| *old != error);
        self.failures.push(error);
        let over = self.failures.len().saturating_sub(FAILURES_MAX);
        self.failures.drain(..over);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.shown.clear();
        self.failures.clear();
    }

    /// Paints what is still to be seen at `now`.
    pub fn show_ui(&mut self, ui: &Ui, lang: Lang, now: Instant) {
        self.shown.retain(|(_, until)| *until > now);
        if let Some(next) = self.shown.iter().map(|(_, until)| *until).min() {
            ui.ctx().request_repaint_after(next.saturating_duration_since(now));
        } else if self.failures.is_empty() {
            return;
        }
        let mut dismissed = None;
        let p = palette(ui.ctx());
        Area::new(Id::unique("toasts"))
            .order(Order::Tooltip)
            .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -18.0))
            .interactable(!self.failures.is_empty())
            .show(ui.ctx(), |ui| {
                for (i, error) in self.failures.iter().enumerate() {
                    egui::Frame::popup(ui.style()).fill(p.card).inner_margin(10).show(ui, |ui| {
                        ui.set_width(520.0);
                        parts::failure(ui, lang, &error.what, &error.todo);
                        ui.add_space(6.0);
                        if ui.button(t(lang, "Compris", "Dismiss")).clicked() {
                            dismissed = Some(i);
                        }
                    });
                }
                for (text, _) in &self.shown {
                    egui::Frame::popup(ui.style()).fill(p.card).inner_margin(10).show(ui, |ui| {
                        ui.set_max_width(520.0);
                        ui.label(text.get(lang));
                    });
                }
            });
        if let Some(i) = dismissed {
            self.failures.remove(i);
            ui.ctx().request_repaint();
        }
    }
}
