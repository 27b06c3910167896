//! The mouse over the terminal: selects, scrolls, points at a link, or is
//! reported to a program that wants it. Never opens the link itself.

use std::time::{Duration, Instant};

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::Side;
use alacritty_terminal::selection::{Selection, SelectionType};
use alacritty_terminal::term::TermMode;
use egui::{
    CursorIcon, Event, Modifiers, MouseWheelUnit, PointerButton, Pos2, Rect, Response, Ui, Vec2,
};

use crate::gui::terminal::model::{Terminal, view_point};
use crate::gui::terminal::mouse::{self, Act, Button};
use crate::gui::terminal::primary;

use super::TerminalView;
use super::link::link_at;

/// Lines for one notch of the wheel.
const WHEEL_LINES: f32 = 3.0;

#[derive(Default)]
pub(super) struct Mouse {
    /// Button whose press was reported to the program.
    held: Option<Button>,
    /// Last cell reported.
    cell: Option<(usize, usize)>,
    selecting: bool,
    clicks: u32,
    last_click: Option<(Instant, (usize, usize))>,
    /// Parts of a line or notch not yet scrolled.
    wheel: f32,
    pub(super) hover: Option<(usize, usize)>,
}

impl TerminalView {
    pub(super) fn pointer(
        &mut self,
        ui: &Ui,
        response: &Response,
        rect: Rect,
        terminal: &Terminal,
        mode: TermMode,
        open: &mut Option<String>,
    ) {
        let (events, mods) = ui.input(|i| {
            let mouse = |e: &&Event| {
                matches!(
                    e,
                    Event::PointerButton { .. }
                        | Event::PointerMoved(_)
                        | Event::PointerGone
                        | Event::MouseWheel { .. }
                        | Event::MiddleClickPaste { .. }
                )
            };
            (i.events.iter().filter(mouse).cloned().collect::<Vec<_>>(), i.modifiers)
        });
        let over = response.hovered() || response.is_pointer_button_down_on();
        let reporting = mode.intersects(TermMode::MOUSE_MODE) && !mods.shift;
        for event in events {
            match event {
                Event::PointerButton { pos, button, pressed: true, modifiers }
                    if over && rect.contains(pos) =>
                {
                    response.request_focus();
                    self.press(rect, pos, button, modifiers, reporting, terminal, mode, open);
                }
                Event::PointerButton { pos, pressed: false, modifiers, .. } => {
                    self.release(rect, pos, modifiers, terminal, mode);
                }
                Event::PointerMoved(pos) => {
                    self.moved(rect, pos, mods, over && reporting, terminal, mode);
                }
                Event::PointerGone => self.mouse.hover = None,
                Event::MouseWheel { unit, delta, modifiers, .. } if response.hovered() => {
                    self.wheel(rect, unit, delta, modifiers, terminal, mode);
                }
                Event::MiddleClickPaste { pos, text }
                    if over && rect.contains(pos) && !reporting =>
                {
                    self.paste(text, terminal);
                }
                _ => {}
            }
        }
        if over {
            let hover = ui.input(|i| i.pointer.hover_pos()).filter(|pos| rect.contains(*pos));
            self.mouse.hover = hover.map(|pos| self.cell_at(rect, pos));
            if self.mouse.selecting {
                self.drag_scroll(ui, rect, terminal);
            }
        } else {
            self.mouse.hover = None;
        }
        let on_link = mods.ctrl && !self.marks.link.is_empty();
        if response.hovered() {
            ui.ctx().set_cursor_icon(match (on_link, reporting) {
                (true, _) => CursorIcon::PointingHand,
                (_, true) => CursorIcon::Default,
                _ => CursorIcon::Text,
            });
        }
    }

    /// Row and column under `pos`.
    fn cell_at(&self, rect: Rect, pos: Pos2) -> (usize, usize) {
        let cell = self.painter.glyphs.cell().points();
        let at = (pos - self.origin(rect)) / cell;
        (at.y.max(0.0) as usize, at.x.max(0.0) as usize)
    }

    fn side_at(&self, rect: Rect, pos: Pos2) -> Side {
        let cell = self.painter.glyphs.cell().points();
        let at = (pos.x - self.origin(rect).x) / cell.x;
        if at - at.floor() < 0.5 { Side::Left } else { Side::Right }
    }

    #[expect(clippy::too_many_arguments, reason = "the facts of one mouse press")]
    fn press(
        &mut self,
        rect: Rect,
        pos: Pos2,
        button: PointerButton,
        mods: Modifiers,
        reporting: bool,
        terminal: &Terminal,
        mode: TermMode,
        open: &mut Option<String>,
    ) {
        let (row, column) = self.cell_at(rect, pos);
        if reporting {
            let Some(button) = reported(button) else { return };
            if let Some(bytes) = mouse::report(Act::Press(button), column, row, mods, mode) {
                terminal.send(bytes);
            }
            self.mouse.held = Some(button);
            self.mouse.cell = Some((row, column));
            return;
        }
        if button != PointerButton::Primary {
            return;
        }
        if mods.ctrl
            && let Some((url, _)) = link_at(terminal, row, column)
        {
            *open = Some(url);
            return;
        }
        let now = Instant::now();
        let again = self.mouse.last_click.is_some_and(|(at, cell)| {
            now.duration_since(at) < Duration::from_millis(400) && cell == (row, column)
        });
        self.mouse.clicks = if again { self.mouse.clicks % 3 + 1 } else { 1 };
        self.mouse.last_click = Some((now, (row, column)));
        let kind = match self.mouse.clicks {
            1 if mods.alt => SelectionType::Block,
            1 => SelectionType::Simple,
            2 => SelectionType::Semantic,
            _ => SelectionType::Lines,
        };
        let side = self.side_at(rect, pos);
        terminal.with_term(|term| {
            let row = row.min(term.screen_lines() - 1);
            let point = view_point(term, row, column);
            match &mut term.selection {
                Some(selection) if mods.shift && kind == SelectionType::Simple => {
                    selection.update(point, side);
                }
                selection => *selection = Some(Selection::new(kind, point, side)),
            }
        });
        self.mouse.selecting = true;
    }

    fn release(
        &mut self,
        rect: Rect,
        pos: Pos2,
        mods: Modifiers,
        terminal: &Terminal,
        mode: TermMode,
    ) {
        if let Some(button) = self.mouse.held.take() {
            let (row, column) = self.cell_at(rect, pos);
            if let Some(bytes) = mouse::report(Act::Release(button), column, row, mods, mode) {
                terminal.send(bytes);
            }
        }
        if std::mem::take(&mut self.mouse.selecting) {
            let empty = |s: &Selection| s.is_empty() && s.ty == SelectionType::Simple;
            if terminal.peek(|term| term.selection.as_ref().is_some_and(empty)) {
                terminal.with_term(|term| term.selection = None);
            } else if let Some(text) = terminal.selected_text() {
                primary::offer(text);
            }
        }
    }

    fn moved(
        &mut self,
        rect: Rect,
        pos: Pos2,
        mods: Modifiers,
        reporting: bool,
        terminal: &Terminal,
        mode: TermMode,
    ) {
        let (row, column) = self.cell_at(rect, pos);
        if self.mouse.selecting {
            if self.mouse.last_click.is_some_and(|(_, cell)| cell != (row, column)) {
                self.mouse.last_click = None;
            }
            let side = self.side_at(rect, pos);
            terminal.with_term(|term| {
                let row = row.min(term.screen_lines() - 1);
                let point = view_point(term, row, column);
                if let Some(selection) = &mut term.selection {
                    selection.update(point, side);
                }
            });
        } else if (self.mouse.held.is_some() || reporting) && self.mouse.cell != Some((row, column))
        {
            self.mouse.cell = Some((row, column));
            if let Some(bytes) = mouse::report(Act::Move(self.mouse.held), column, row, mods, mode)
            {
                terminal.send(bytes);
            }
        }
    }

    /// Selecting past the edge scrolls.
    fn drag_scroll(&mut self, ui: &Ui, rect: Rect, terminal: &Terminal) {
        let Some(pos) = ui.input(|i| i.pointer.interact_pos()) else { return };
        let lines = if pos.y < rect.top() {
            1
        } else if pos.y > rect.bottom() {
            -1
        } else {
            return;
        };
        terminal.scroll(lines);
        let mods = ui.input(|i| i.modifiers);
        self.moved(rect, pos, mods, false, terminal, TermMode::empty());
        ui.ctx().request_repaint_after(Duration::from_millis(30));
    }

    fn wheel(
        &mut self,
        rect: Rect,
        unit: MouseWheelUnit,
        delta: Vec2,
        mods: Modifiers,
        terminal: &Terminal,
        mode: TermMode,
    ) {
        let cell = self.painter.glyphs.cell().points();
        let lines = match unit {
            MouseWheelUnit::Line => delta.y * WHEEL_LINES,
            MouseWheelUnit::Point => delta.y / cell.y,
            MouseWheelUnit::Page => delta.y * f32::from(terminal.size().rows),
        };
        if mods.ctrl {
            self.zoom(lines.signum());
            return;
        }
        self.mouse.wheel += lines;
        let whole = self.mouse.wheel.trunc();
        self.mouse.wheel -= whole;
        let count = whole.abs() as usize;
        if count == 0 {
            return;
        }
        if mode.intersects(TermMode::MOUSE_MODE) && !mods.shift {
            let act = if whole > 0.0 { Act::WheelUp } else { Act::WheelDown };
            let (row, column) =
                self.mouse.hover.unwrap_or_else(|| self.cell_at(rect, self.origin(rect)));
            let notches = (count as f32 / WHEEL_LINES).ceil() as usize;
            for _ in 0..notches {
                if let Some(bytes) = mouse::report(act, column, row, mods, mode) {
                    terminal.send(bytes);
                }
            }
        } else if mode.contains(TermMode::ALT_SCREEN | TermMode::ALTERNATE_SCROLL) && !mods.shift {
            let letter = if whole > 0.0 { b'A' } else { b'B' };
            let lead = if mode.contains(TermMode::APP_CURSOR) { b'O' } else { b'[' };
            terminal.send([0x1b, lead, letter].repeat(count));
        } else {
            terminal.scroll(whole as i32);
        }
    }
}

fn reported(button: PointerButton) -> Option<Button> {
    match button {
        PointerButton::Primary => Some(Button::Left),
        PointerButton::Middle => Some(Button::Middle),
        PointerButton::Secondary => Some(Button::Right),
        _ => None,
    }
}
