//! Locking: on demand, from outside, and when nobody has touched anything for a
//! while. Nothing of what was shown or typed stays.

use std::time::{Duration, Instant};

use egui::Context;

use crate::app::api::Request;
use crate::gui::unlock::model::UnlockModel;
use crate::gui::worker::Tag;

use super::kept::Kept;
use super::{Screen, Shell};

/// Without input for so long, what is typed into a guide or the unlock screen is
/// wiped; the vault's own setting is not known there.
const IDLE: Duration = Duration::from_secs(600);

/// The countdown shows in the last minute before the lock.
pub(super) const COUNTDOWN: Duration = Duration::from_secs(60);

/// Whether the person has done something since the last frame.
pub(super) fn touched(ctx: &Context) -> bool {
    ctx.input(|i| {
        i.events.iter().any(|e| !matches!(e, egui::Event::WindowFocused(_)))
            || i.pointer.delta() != egui::Vec2::ZERO
    })
}

impl Shell {
    /// Locks: wipes what this window holds and tells the application. Where no
    /// vault is open, what is typed and shown on the way to one is wiped.
    pub(super) fn lock(&mut self, ctx: &Context) {
        match &mut self.screen {
            Screen::Open(opened) => {
                if opened.settings.lock_ends_sessions {
                    self.sessions.close_all("locked");
                }
                self.kept = Some(Kept::of(opened));
                self.ask(Tag::Locked, Request::Lock);
                self.clipboard.take_back();
                self.show_unlock(ctx);
            }
            // The vault is made.
            Screen::Guide(guide) if guide.finished.is_some() => self.show_unlock(ctx),
            Screen::Guide(guide) => {
                if guide.holds_secrets() {
                    let command = guide.wipe();
                    command.into_iter().for_each(|c| self.worker.send(c));
                }
                self.forget_shown(ctx);
            }
            Screen::Unlock(model) => {
                model.wipe();
                self.forget_shown(ctx);
            }
        }
    }

    pub(super) fn show_unlock(&mut self, ctx: &Context) {
        let mut unlock = UnlockModel::new(self.prefs.member(&self.vault));
        unlock.sessions_waiting = self.sessions.busy_count();
        self.screen = Screen::Unlock(Box::new(unlock));
        self.sessions_view.lock();
        self.sessions.forget_offers();
        self.forget_shown(ctx);
    }

    /// Nothing of the last screen stays, on top of it or in the toolkit.
    pub(super) fn forget_shown(&mut self, ctx: &Context) {
        self.dialog = None;
        self.before_dialog = None;
        self.had_keys = [None; 2];
        self.had_keys_last = None;
        self.toasts.clear();
        // egui keeps undo histories and layouts by widget; all of it goes.
        ctx.data_mut(egui::util::IdTypeMap::clear);
        ctx.memory_mut(|m| m.caches = Default::default());
        self.repaints = 3;
        ctx.request_repaint();
    }

    /// Time left before the idle lock, while the vault is open.
    pub(super) fn idle_left(&self, now: Instant) -> Option<Duration> {
        let Screen::Open(opened) = &self.screen else { return None };
        let limit = Duration::from_secs(opened.settings.idle_lock_secs.max(30));
        Some(self.idle_left_by(limit, now))
    }

    fn idle_left_by(&self, limit: Duration, now: Instant) -> Duration {
        (self.last_input + limit).saturating_duration_since(now)
    }

    pub(super) fn watch_idle(&mut self, ctx: &Context) {
        let now = (self.clock)();
        if touched(ctx) {
            self.last_input = now;
        }
        let left = match &self.screen {
            Screen::Open(_) => self.idle_left(now),
            Screen::Guide(guide) if guide.holds_secrets() => Some(self.idle_left_by(IDLE, now)),
            Screen::Unlock(model) if model.holds_secrets() => Some(self.idle_left_by(IDLE, now)),
            Screen::Guide(_) | Screen::Unlock(_) => None,
        };
        let Some(left) = left else { return };
        if left.is_zero() {
            self.lock(ctx);
        } else if left > COUNTDOWN {
            ctx.request_repaint_after(left - COUNTDOWN);
        } else {
            ctx.request_repaint_after(Duration::from_secs(1).min(left));
        }
    }
}
