//! Short messages at the lower edge that go away by themselves, and failures,
//! which have a place of their own below the page, cover nothing, and stay until
//! they are dismissed or outlived. They wake the window once, when the last
//! message goes.

use std::time::{Duration, Instant};

use egui::{Align2, Area, Id, Key, Modifiers, Order, Panel, ScrollArea, Ui, vec2};

use crate::app::api::AppError;
use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::Tag;
use crate::model::lang::{Bi, Lang};

const STAY: Duration = Duration::from_secs(5);

/// Failures on screen at once; the oldest makes room.
const FAILURES_MAX: usize = 3;

/// The messages on screen.
#[derive(Default)]
pub struct Toasts {
    shown: Vec<(Bi, Instant)>,
    failures: Vec<(AppError, Option<Tag>)>,
    /// Height of the failures, above which the messages appear.
    below: f32,
}

impl Toasts {
    /// Shows `text` from `now` on.
    pub fn push(&mut self, text: Bi, now: Instant) {
        self.shown.retain(|(old, _)| *old != text);
        self.shown.push((text, now + STAY));
    }

    /// Shows a failure until the person dismisses it or goes on; `of` is what
    /// failed, whose success later takes the failure away.
    pub fn fail(&mut self, error: AppError, of: Option<Tag>) {
        self.failures.retain(|(old, _)| *old != error);
        self.failures.push((error, of));
        let over = self.failures.len().saturating_sub(FAILURES_MAX);
        self.failures.drain(..over);
    }

    /// What failed before has succeeded.
    pub fn succeeded(&mut self, of: &Tag) {
        self.failures.retain(|(_, old)| old.as_ref() != Some(of));
    }

    /// The person went on to something else.
    pub fn leave(&mut self) {
        self.failures.clear();
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.shown.clear();
        self.failures.clear();
    }

    /// Escape dismisses the last failure, before it means anything else; true
    /// when it did.
    pub fn take_escape(&mut self, ui: &Ui) -> bool {
        let escape = || ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape));
        let dismissed = !self.failures.is_empty() && escape();
        if dismissed {
            self.failures.pop();
        }
        dismissed
    }

    /// Paints the failures, below everything else.
    pub fn failures_ui(&mut self, ui: &mut Ui, lang: Lang) {
        self.below = 0.0;
        if self.failures.is_empty() {
            return;
        }
        let mut dismissed = None;
        let p = palette(ui.ctx());
        let room = ui.available_height() * 0.4;
        let frame = egui::Frame::new().fill(p.panel).inner_margin(8);
        let panel = Panel::bottom("failures").frame(frame).show(ui, |ui| {
            ScrollArea::vertical().max_height(room).auto_shrink([false, true]).show(ui, |ui| {
                for (i, (error, _)) in self.failures.iter().enumerate() {
                    ui.horizontal_top(|ui| {
                        let wide = (ui.available_width() - 110.0).max(120.0);
                        ui.vertical(|ui| {
                            ui.set_width(wide);
                            parts::failure(ui, lang, &error.what, &error.todo);
                        });
                        let button = ui.button(t(lang, "Compris", "Dismiss"));
                        let key = t(lang, "Échap", "Escape");
                        if button.on_hover_text(key).clicked() {
                            dismissed = Some(i);
                        }
                    });
                }
            });
        });
        self.below = panel.response.rect.height();
        if let Some(i) = dismissed {
            self.failures.remove(i);
            ui.ctx().request_repaint();
        }
    }

    /// Paints the messages still to be seen at `now`. A click goes through them.
    pub fn show_ui(&mut self, ui: &Ui, lang: Lang, now: Instant) {
        self.shown.retain(|(_, until)| *until > now);
        let Some(next) = self.shown.iter().map(|(_, until)| *until).min() else { return };
        ui.ctx().request_repaint_after(next.saturating_duration_since(now));
        let p = palette(ui.ctx());
        Area::new(Id::unique("toasts"))
            .order(Order::Tooltip)
            .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -18.0 - self.below))
            .interactable(false)
            .show(ui.ctx(), |ui| {
                for (text, _) in &self.shown {
                    egui::Frame::popup(ui.style()).fill(p.card).inner_margin(10).show(ui, |ui| {
                        ui.set_max_width(520.0);
                        ui.label(text.get(lang));
                    });
                }
            });
    }
}
