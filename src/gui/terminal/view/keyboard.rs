//! What comes by the keyboard or is chosen as if by it: bytes for the far side,
//! copying, pasting, scrolling, size. Never pastes several lines unasked.

use alacritty_terminal::grid::Scroll;
use alacritty_terminal::term::TermMode;
use egui::{Event, EventFilter, Id, Rect, Ui, ViewportCommand, vec2};

use crate::gui::terminal::input::{Input, Typing};
use crate::gui::terminal::model::Terminal;
use crate::gui::terminal::paste;

use super::overlays::PasteQuestion;
use super::{FONT_POINTS, TerminalView};

const FONT_MIN_POINTS: f32 = 6.0;
const FONT_MAX_POINTS: f32 = 48.0;

impl TerminalView {
    pub(super) fn tell_focus(&mut self, focused: bool, mode: TermMode, terminal: &Terminal) {
        if focused != self.focused {
            self.focused = focused;
            if mode.contains(TermMode::FOCUS_IN_OUT) {
                terminal.send(if focused { b"\x1b[I".to_vec() } else { b"\x1b[O".to_vec() });
            }
            if !focused {
                self.preedit.clear();
            }
        }
    }

    pub(super) fn keyboard(
        &mut self,
        ui: &Ui,
        id: Id,
        rect: Rect,
        terminal: &Terminal,
        mode: TermMode,
    ) {
        let all =
            EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
        ui.memory_mut(|m| m.set_focus_lock_filter(id, all));
        let (events, mods) = ui.input_mut(|i| {
            let events: Vec<Event> = i.events.extract_if(.., |e| Typing::wants(e)).collect();
            (events, i.modifiers)
        });
        for input in self.typing.sort(&events, mods, mode) {
            self.act(ui, input, terminal);
        }
        let cell = self.painter.glyphs.cell().points();
        let (row, column) = self.painter.seen().cursor.unwrap_or_default();
        let at = self.origin(rect) + vec2(column as f32 * cell.x, row as f32 * cell.y);
        ui.output_mut(|o| {
            o.ime = Some(egui::output::IMEOutput {
                purpose: egui::IMEPurpose::Terminal,
                rect,
                cursor_rect: Rect::from_min_size(at, cell),
                should_interrupt_composition: false,
            });
        });
    }

    pub(super) fn act(&mut self, ui: &Ui, input: Input, terminal: &Terminal) {
        match input {
            Input::Bytes(bytes) => {
                terminal.scroll_to_bottom();
                if terminal.peek(|term| term.selection.is_some()) {
                    terminal.with_term(|term| term.selection = None);
                }
                terminal.send(bytes);
            }
            Input::Copy(otherwise) => match (terminal.selected_text(), otherwise) {
                (Some(text), _) => {
                    ui.ctx().copy_text(text);
                    terminal.with_term(|term| term.selection = None);
                }
                (None, Some(byte)) => terminal.send(vec![byte]),
                (None, None) => {}
            },
            Input::Paste(text) => self.paste(text, terminal),
            Input::AskPaste => ui.ctx().send_viewport_cmd(ViewportCommand::RequestPaste),
            Input::Hex(on) => terminal.set_hex(on),
            Input::Signal(signal) => terminal.signal(signal),
            Input::SendFile(protocol) => self.send_file = Some(protocol),
            Input::Find => self.find.show(),
            Input::Zoom(0) => self.font_points = FONT_POINTS,
            Input::Zoom(step) => self.zoom(f32::from(step)),
            Input::Scroll(lines) => terminal.scroll(lines),
            Input::Page(pages) => {
                let page = i32::from(terminal.size().rows.max(2)) - 1;
                terminal.scroll(pages * page);
            }
            Input::Top => terminal.with_term(|term| term.scroll_display(Scroll::Top)),
            Input::Bottom => terminal.scroll_to_bottom(),
            Input::Preedit(text) => self.preedit = text,
        }
    }

    pub(super) fn zoom(&mut self, steps: f32) {
        self.font_points = (self.font_points + steps).clamp(FONT_MIN_POINTS, FONT_MAX_POINTS);
    }

    /// Pastes, after a question when the text has several lines.
    pub(super) fn paste(&mut self, text: String, terminal: &Terminal) {
        if text.is_empty() || terminal.ended().is_some() {
            return;
        }
        if paste::needs_question(&text) && !self.paste_freely {
            self.question = Some(PasteQuestion { text, always: false });
        } else {
            terminal.scroll_to_bottom();
            terminal.send(paste::bytes(&text, terminal.mode()));
        }
    }
}
