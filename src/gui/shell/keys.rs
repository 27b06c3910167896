//! Who has the keyboard: the shortcuts of the window, a field, a terminal, a dialog.

use egui::{Context, Ui};

use crate::gui::act::{Act, Acts, Page};
use crate::gui::action::{self, Action, Holder};
use crate::gui::dialogs::Dialog;

use super::top_bar::search_id;
use super::{Screen, Shell};

impl Shell {
    pub(super) fn act_on_keys(&mut self, ui: &Ui, acts: &mut Acts) {
        let holder = self.keys_holder(ui.ctx());
        let actions = ui.input_mut(|i| action::take(i, holder));
        // A question on top is answered first, wherever it was asked.
        let asked = self.dialog.is_some() || ui.memory(|m| m.top_modal_layer().is_some());
        if matches!(self.dialog, Some(Dialog::Help)) && actions.contains(&Action::Help) {
            self.dialog = None;
        }
        let free = !asked && holder != Holder::Terminal && !egui::Popup::is_any_open(ui.ctx());
        if free && self.toasts.take_escape(ui) {
            // The key has taken the keyboard from a field already.
            let [earlier, last] = self.had_keys;
            if let Some(field) = last.or(earlier).filter(|_| ui.memory(|m| m.focused().is_none())) {
                ui.memory_mut(|m| m.request_focus(field));
            }
        }
        let Screen::Open(opened) = &self.screen else {
            if actions.contains(&Action::Theme) {
                acts.push(Act::ToggleTheme);
            }
            if actions.contains(&Action::Help) && !asked {
                acts.push(Act::Help);
            }
            return;
        };
        let selected = opened
            .list
            .selected
            .filter(|_| opened.page == Page::Entries && !opened.list.nothing_found());
        for action in actions {
            if asked && !matches!(action, Action::Lock | Action::Theme) {
                continue;
            }
            self.act_on_key(action, selected, acts);
        }
    }

    /// Remembers what had the keyboard when a dialog opens, and gives it back once
    /// it is closed, unless something else has taken it meanwhile.
    pub(super) fn keep_focus(&mut self, ctx: &Context) {
        let focused = ctx.memory(|m| m.focused());
        match (&mut self.before_dialog, &self.dialog) {
            (None, Some(_)) => {
                // Escape, which asks, has taken the keyboard from a field already.
                let [earlier, last] = self.had_keys;
                let mut before = focused.or(last).or(earlier);
                if matches!(self.dialog, Some(Dialog::Discard(_))) {
                    // So has a press beside the form.
                    before = before.or(self.had_keys_last);
                }
                self.before_dialog = Some((before, focused));
            }
            (Some((_, inside)), Some(_)) => *inside = focused.or(*inside),
            (Some((before, inside)), None) => {
                if let Some(before) = before.filter(|_| focused.is_none() || focused == *inside) {
                    ctx.memory_mut(|m| m.request_focus(before));
                }
                self.before_dialog = None;
                ctx.request_repaint();
            }
            (None, None) => {
                self.had_keys = [self.had_keys[1], focused];
                self.had_keys_last = focused.or(self.had_keys_last);
            }
        }
    }

    fn keys_holder(&self, ctx: &Context) -> Holder {
        let Screen::Open(opened) = &self.screen else { return Holder::Other };
        if self.sessions_view.has_keyboard(ctx, &self.sessions) {
            return Holder::Terminal;
        }
        let field = ctx.memory(|m| m.focused()).is_some_and(|id| {
            if id == search_id() {
                // Empty, it only stands for the list.
                return !opened.list.search.query.is_empty();
            }
            egui::TextEdit::load_state(ctx, id).is_some()
        });
        if field { Holder::Field } else { Holder::Other }
    }
}
