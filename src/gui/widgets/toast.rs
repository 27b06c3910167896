//! Short messages at the lower edge that go away by themselves. They wake the
//! window once, when the last one goes.

use std::time::{Duration, Instant};

use egui::{Align2, Area, Id, Order, Ui, vec2};

use crate::gui::theme::palette;
use crate::model::lang::{Bi, Lang};

const STAY: Duration = Duration::from_secs(5);

/// The messages on screen.
#[derive(Default)]
pub struct Toasts {
    shown: Vec<(Bi, Instant)>,
}

impl Toasts {
    /// Shows `text` from `now` on.
    pub fn push(&mut self, text: Bi, now: Instant) {
        self.shown.retain(|(old, _)| *old != text);
        self.shown.push((text, now + STAY));
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.shown.clear();
    }

    /// Paints what is still to be seen at `now`.
    pub fn show_ui(&mut self, ui: &Ui, lang: Lang, now: Instant) {
        self.shown.retain(|(_, until)| *until > now);
        let Some(next) = self.shown.iter().map(|(_, until)| *until).min() else { return };
        ui.ctx().request_repaint_after(next.saturating_duration_since(now));
        let p = palette(ui.ctx());
        Area::new(Id::unique("toasts"))
            .order(Order::Tooltip)
            .anchor(Align2::CENTER_BOTTOM, vec2(0.0, -18.0))
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
