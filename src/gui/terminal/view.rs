//! The terminal widget: paints a [`Terminal`], gives it keys, mouse and
//! clipboard. Opens no link and writes no clipboard by itself beyond what the
//! person asks for with a key, the mouse or a button.

use std::time::{Duration, Instant};

use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Column, Line, Point, Side};
use alacritty_terminal::selection::{Selection, SelectionType};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::Flags;
use egui::{
    CursorIcon, Event, EventFilter, FontId, Id, Modifiers, MouseWheelUnit, PointerButton, Pos2,
    Rect, Response, Role, Sense, Shape, Stroke, Ui, Vec2, ViewportCommand, WidgetInfo, pos2, vec2,
};

use crate::connect::link::TermSize;
use crate::gui::{fonts, theme};
use crate::model::lang::Lang;

use super::colors::{self, Scheme};
use super::find::{self, Find};
use super::input::{Input, Typing};
use super::model::{Terminal, view_point};
use super::mouse::{self, Act, Button};
use super::paint::{Marks, Painter};
use super::{links, paste, primary};

/// Font size at the start, in points.
pub const FONT_POINTS: f32 = 14.0;
const FONT_MIN_POINTS: f32 = 6.0;
const FONT_MAX_POINTS: f32 = 48.0;
/// Space round the text.
const MARGIN: f32 = 5.0;
/// Width of the scroll bar.
const BAR: f32 = 9.0;
/// Lines for one notch of the wheel.
const WHEEL_LINES: f32 = 3.0;
/// How long the bell shows.
const BELL: Duration = Duration::from_millis(180);

/// What the widget keeps between frames.
pub struct TerminalView {
    painter: Painter,
    typing: Typing,
    find: Find,
    font_points: f32,
    version: u64,
    marks: Marks,
    mouse: Mouse,
    preedit: String,
    question: Option<PasteQuestion>,
    paste_freely: bool,
    offered: Option<String>,
    bells: u64,
    rang: Option<Instant>,
    focused: bool,
    scheme: Option<Scheme>,
    /// Take the keyboard back in the next frame, when no dialog is in the way.
    refocus: bool,
}

#[derive(Default)]
struct Mouse {
    /// Button whose press was reported to the program.
    held: Option<Button>,
    /// Last cell reported.
    cell: Option<(usize, usize)>,
    selecting: bool,
    clicks: u32,
    last_click: Option<(Instant, (usize, usize))>,
    /// Parts of a line or notch not yet scrolled.
    wheel: f32,
    hover: Option<(usize, usize)>,
}

struct PasteQuestion {
    text: String,
    always: bool,
}

/// What the caller is to do.
pub struct Output {
    /// The widget.
    pub response: Response,
    /// A link the person opened: http, https or mailto.
    pub open: Option<String>,
    /// The bell rang since the last frame.
    pub rang: bool,
}

impl Default for TerminalView {
    fn default() -> Self {
        Self {
            painter: Painter::new(),
            typing: Typing::default(),
            find: Find::default(),
            font_points: FONT_POINTS,
            version: u64::MAX,
            marks: Marks::default(),
            mouse: Mouse::default(),
            preedit: String::new(),
            question: None,
            paste_freely: false,
            offered: None,
            bells: 0,
            rang: None,
            focused: false,
            scheme: None,
            refocus: false,
        }
    }
}

impl TerminalView {
    /// The id of the widget named `salt`, for giving it the keyboard.
    pub fn id(salt: u64) -> Id {
        Id::unique(("terminal", salt))
    }

    /// Paints the terminal in all the room there is and takes this frame's input.
    pub fn show(&mut self, ui: &mut Ui, id: Id, terminal: &Terminal, lang: Lang) -> Output {
        terminal.painting();
        let rect = ui.available_rect_before_wrap();
        ui.advance_cursor_after_rect(rect);
        let response = ui.interact(rect, id, Sense::click_and_drag());
        self.dress(ui, terminal);
        if self.painter.glyphs.prepare(ui.ctx(), self.font_points) {
            self.painter.forget();
            self.version = u64::MAX;
        }
        self.fit(ui, rect, terminal);

        if std::mem::take(&mut self.refocus) {
            response.request_focus();
        }
        let mode = terminal.mode();
        let focused = response.has_focus() && ui.input(|i| i.focused);
        self.tell_focus(focused, mode, terminal);
        if response.has_focus() {
            self.keyboard(ui, id, rect, terminal, mode);
        }
        let mut open = None;
        self.pointer(ui, &response, rect, terminal, mode, &mut open);
        self.marks(ui, terminal);
        self.paint_ui(ui, rect);
        self.scroll_bar_ui(ui, id, rect, terminal);
        self.menu(&response, mode, ui, terminal, lang);
        self.overlays_ui(ui, id, rect, terminal, lang);
        let rang = self.bell(ui, rect, terminal);
        self.describe(ui, &response, lang);
        Output { response, open, rang }
    }

    /// True while a question waits over this terminal.
    pub fn asking(&self) -> bool {
        self.question.is_some() || self.offered.is_some()
    }

    fn take_keyboard(&mut self, ui: &Ui) {
        self.refocus = true;
        ui.ctx().request_repaint();
    }

    fn dress(&mut self, ui: &Ui, terminal: &Terminal) {
        let scheme = if ui.visuals().dark_mode { colors::DARK } else { colors::LIGHT };
        if self.scheme != Some(scheme) {
            self.scheme = Some(scheme);
            self.painter.dress(&scheme);
            self.version = u64::MAX;
            terminal.on_color_question(move |index| {
                colors::answer(&scheme, &Default::default(), index)
            });
        }
    }

    /// Columns and rows for the room there is.
    fn fit(&mut self, ui: &Ui, rect: Rect, terminal: &Terminal) {
        let cell = self.painter.glyphs.cell().points();
        let room = rect.size() - vec2(MARGIN + BAR, 2.0 * MARGIN);
        let fit = |room: f32, cell: f32, least: u16| {
            // A rounding error must not cost the last column.
            ((room / cell + 0.001).floor() as i64).clamp(i64::from(least), 1000) as u16
        };
        if room.x > cell.x && room.y > cell.y && !ui.is_sizing_pass() {
            terminal
                .resize(TermSize { cols: fit(room.x, cell.x, 2), rows: fit(room.y, cell.y, 1) });
        }
    }

    fn origin(&self, rect: Rect) -> Pos2 {
        let scale = self.painter.glyphs.cell().scale;
        let round = |x: f32| (x * scale).round() / scale;
        pos2(round(rect.left() + MARGIN), round(rect.top() + MARGIN))
    }

    fn tell_focus(&mut self, focused: bool, mode: TermMode, terminal: &Terminal) {
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

    fn keyboard(&mut self, ui: &Ui, id: Id, rect: Rect, terminal: &Terminal, mode: TermMode) {
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

    fn act(&mut self, ui: &Ui, input: Input, terminal: &Terminal) {
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

    fn zoom(&mut self, steps: f32) {
        self.font_points = (self.font_points + steps).clamp(FONT_MIN_POINTS, FONT_MAX_POINTS);
    }

    /// Pastes, after a question when the text has several lines.
    fn paste(&mut self, text: String, terminal: &Terminal) {
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

    fn pointer(
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

    /// Recomputes what lies over the grid.
    fn marks(&mut self, ui: &Ui, terminal: &Terminal) {
        let ctrl = ui.input(|i| i.modifiers.ctrl);
        let mut marks = Marks {
            focused: self.focused,
            composing: !self.preedit.is_empty(),
            ..Marks::default()
        };
        if let Some((row, column)) = self.mouse.hover.filter(|_| ctrl) {
            marks.link = link_at(terminal, row, column).map(|(_, spans)| spans).unwrap_or_default();
        }
        let version = terminal.version();
        let moved = marks.link != self.marks.link
            || marks.focused != self.marks.focused
            || marks.composing != self.marks.composing;
        if version != self.version || moved || self.find.open {
            let (find, painter) = (&mut self.find, &mut self.painter);
            terminal.peek(|term| {
                find.mark(term, &mut marks);
                painter.look(term, &marks);
            });
            self.version = version;
            self.marks = marks;
        }
    }

    fn paint_ui(&mut self, ui: &Ui, rect: Rect) {
        let ctx = ui.ctx().clone();
        let scheme = self.scheme.unwrap_or(colors::DARK);
        let painter = ui.painter_at(rect);
        painter.rect_filled(rect, 0.0, scheme.ground);
        let origin = self.origin(rect);
        if let Some(galley) = self.painter.picture(&ctx) {
            painter.add(Shape::galley(origin, galley, scheme.text));
        }
        if !self.preedit.is_empty()
            && let Some((row, column)) = self.painter.seen().cursor
        {
            let cell = self.painter.glyphs.cell().points();
            let at = origin + vec2(column as f32 * cell.x, row as f32 * cell.y);
            let font = FontId::new(self.font_points, fonts::mono(false, false));
            let galley = painter.layout_no_wrap(self.preedit.clone(), font, scheme.on_found);
            let ground = Rect::from_min_size(at, vec2(galley.rect.width(), cell.y));
            painter.rect_filled(ground, 0.0, scheme.found_here);
            painter.galley(at, galley, scheme.on_found);
        }
    }

    fn scroll_bar_ui(&mut self, ui: &Ui, id: Id, rect: Rect, terminal: &Terminal) {
        let seen = self.painter.seen();
        if seen.history == 0 {
            return;
        }
        let track = Rect::from_min_max(
            pos2(rect.right() - BAR, rect.top() + 1.0),
            pos2(rect.right() - 1.0, rect.bottom() - 1.0),
        );
        let rows = f32::from(terminal.size().rows);
        let total = rows + seen.history as f32;
        let height = (track.height() * rows / total).max(24.0).min(track.height());
        let share = 1.0 - seen.back as f32 / seen.history as f32;
        let top = track.top() + (track.height() - height) * share;
        let thumb = Rect::from_min_size(pos2(track.left() + 1.0, top), vec2(BAR - 3.0, height));
        let bar = ui.interact(track, id.with("bar"), Sense::click_and_drag());
        if let Some(pos) = bar.interact_pointer_pos()
            && (bar.dragged() || bar.clicked())
        {
            let room = (track.height() - height).max(1.0);
            let at = ((pos.y - track.top() - height / 2.0) / room).clamp(0.0, 1.0);
            let back = ((1.0 - at) * seen.history as f32).round() as i32;
            terminal.scroll(back - seen.back as i32);
        }
        let p = theme::palette(ui.ctx());
        let strong = bar.hovered() || bar.dragged() || seen.back > 0;
        let color = if strong { p.outline } else { p.line };
        ui.painter().rect_filled(thumb, 3.0, color);
    }

    fn menu(
        &mut self,
        response: &Response,
        mode: TermMode,
        ui: &Ui,
        terminal: &Terminal,
        lang: Lang,
    ) {
        let reporting = mode.intersects(TermMode::MOUSE_MODE) && !ui.input(|i| i.modifiers.shift);
        let popup = egui::Popup::default_response_id(response);
        if reporting && !egui::Popup::is_id_open(ui.ctx(), popup) {
            return;
        }
        let selected = terminal.peek(|term| term.selection.is_some());
        let mut chosen = None;
        response.context_menu(|ui| {
            let mut entry = |ui: &mut Ui, enabled: bool, text: &str, keys: &str, input: Input| {
                let button = egui::Button::new(text).shortcut_text(keys);
                if ui.add_enabled(enabled, button).clicked() {
                    chosen = Some(input);
                    ui.close();
                }
            };
            let shift = lang.pick("Ctrl+Maj+", "Ctrl+Shift+");
            let (copy, paste) = (format!("{shift}C"), format!("{shift}V"));
            entry(ui, selected, lang.pick("Copier", "Copy"), &copy, Input::Copy(None));
            let live = terminal.ended().is_none();
            entry(ui, live, lang.pick("Coller", "Paste"), &paste, Input::AskPaste);
            ui.separator();
            let find = format!("{shift}F");
            entry(ui, true, lang.pick("Rechercher…", "Find…"), &find, Input::Find);
            ui.separator();
            entry(ui, true, lang.pick("Agrandir", "Larger"), "Ctrl++", Input::Zoom(1));
            entry(ui, true, lang.pick("Réduire", "Smaller"), "Ctrl+-", Input::Zoom(-1));
            entry(ui, true, lang.pick("Taille normale", "Normal size"), "Ctrl+0", Input::Zoom(0));
        });
        if let Some(input) = chosen {
            if input == Input::AskPaste {
                response.request_focus();
            }
            self.act(ui, input, terminal);
        }
    }

    fn overlays_ui(&mut self, ui: &mut Ui, id: Id, rect: Rect, terminal: &Terminal, lang: Lang) {
        if self.find.open {
            let width = 430.0_f32.min(rect.width() - 20.0);
            let place = Rect::from_min_size(
                pos2(rect.right() - BAR - width - 4.0, rect.top() + 4.0),
                vec2(width, 44.0),
            );
            let act = panel_ui(ui, place, |ui| self.find.bar_ui(ui, lang));
            if let Some(act) = act {
                terminal.with_term(|term| self.find.act(act, term));
                if act == find::Act::Close {
                    self.take_keyboard(ui);
                }
                ui.ctx().request_repaint();
            }
        }
        if let Some(text) = terminal.take_clipboard() {
            self.offered = Some(text);
        }
        if self.offered.is_some() {
            self.clipboard_ui(ui, rect, lang);
        }
        if self.question.is_some() {
            self.paste_ui(ui, id, terminal, lang);
        }
    }

    /// A program wants to write the clipboard (OSC 52).
    fn clipboard_ui(&mut self, ui: &mut Ui, rect: Rect, lang: Lang) {
        let Some(text) = &self.offered else { return };
        let start: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
        let place = Rect::from_min_size(
            pos2(rect.left() + 8.0, rect.bottom() - 52.0),
            vec2(rect.width() - 16.0 - BAR, 44.0),
        );
        let answer = panel_ui(ui, place, |ui| {
            ui.horizontal_wrapped(|ui| {
                let words = match lang {
                    Lang::Fr => {
                        format!(
                            "Ce programme veut mettre «\u{a0}{start}\u{a0}» dans le presse-papiers."
                        )
                    }
                    Lang::En => format!("This program wants to put “{start}” on the clipboard."),
                };
                ui.label(words);
                let allow = ui.button(lang.pick("Autoriser", "Allow")).clicked();
                let refuse = ui.button(lang.pick("Refuser", "Refuse")).clicked();
                if allow || refuse { Some(allow) } else { None }
            })
            .inner
        });
        if let Some(allow) = answer {
            if let Some(text) = self.offered.take().filter(|_| allow) {
                ui.ctx().copy_text(text);
            }
            self.take_keyboard(ui);
        }
    }

    /// Asks before several lines are pasted.
    fn paste_ui(&mut self, ui: &Ui, id: Id, terminal: &Terminal, lang: Lang) {
        let Some(question) = &mut self.question else { return };
        let lines = paste::line_count(&question.text);
        let mut answer = None;
        let modal = egui::Modal::new(id.with("paste")).frame(theme::card(ui.ctx()));
        let modal = modal.show(ui.ctx(), |ui| {
            ui.set_width(520.0);
            ui.heading(match (lang, lines) {
                (Lang::Fr, 1) => "Coller une ligne et la valider\u{a0}?".to_owned(),
                (Lang::En, 1) => "Paste one line and run it?".to_owned(),
                (Lang::Fr, n) => format!("Coller {n} lignes\u{a0}?"),
                (Lang::En, n) => format!("Paste {n} lines?"),
            });
            ui.label(lang.pick(
                "Chaque ligne peut être exécutée aussitôt par le serveur.",
                "The server may run each line at once.",
            ));
            egui::ScrollArea::both().max_height(200.0).show(ui, |ui| {
                let shown: String = question.text.chars().take(4000).collect();
                ui.add(egui::Label::new(egui::RichText::new(shown).monospace()).extend());
            });
            ui.checkbox(
                &mut question.always,
                lang.pick("Ne plus demander dans cet onglet", "Do not ask again in this tab"),
            );
            ui.add_space(4.0);
            ui.horizontal(|ui| {
                let go = theme::primary_button(ui.ctx(), lang.pick("Coller", "Paste"));
                let go = ui.add(go);
                if ui.memory(|m| m.focused().is_none_or(|focus| focus == id)) {
                    go.request_focus();
                }
                if go.clicked() {
                    answer = Some(true);
                }
                if ui.button(lang.pick("Annuler", "Cancel")).clicked() {
                    answer = Some(false);
                }
            });
        });
        if modal.should_close() {
            answer = answer.or(Some(false));
        }
        if let Some(paste) = answer
            && let Some(question) = self.question.take()
        {
            self.paste_freely |= paste && question.always;
            if paste {
                terminal.scroll_to_bottom();
                terminal.send(paste::bytes(&question.text, terminal.mode()));
            }
            self.take_keyboard(ui);
        }
    }

    fn bell(&mut self, ui: &Ui, rect: Rect, terminal: &Terminal) -> bool {
        let bells = terminal.said().bells;
        let rang = bells != std::mem::replace(&mut self.bells, bells);
        let now = Instant::now();
        if rang {
            self.rang = Some(now);
        }
        if let Some(since) = self.rang {
            let left = BELL.saturating_sub(now.duration_since(since));
            if left.is_zero() {
                self.rang = None;
            } else {
                let color = theme::palette(ui.ctx()).warn;
                let stroke = Stroke::new(2.0, color);
                ui.painter().rect_stroke(rect, 0.0, stroke, egui::StrokeKind::Inside);
                ui.ctx().request_repaint_after(left);
            }
        }
        rang
    }

    /// What screen readers and tests see.
    fn describe(&self, ui: &Ui, response: &Response, lang: Lang) {
        let enabled = ui.is_enabled();
        let label = lang.pick("Terminal", "Terminal");
        response.widget_info(|| WidgetInfo::labeled(Role::Terminal, enabled, label));
        let painter = &self.painter;
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(painter.text()));
    }
}

/// A card over the terminal.
fn panel_ui<R>(ui: &mut Ui, place: Rect, add: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::palette(ui.ctx());
    ui.painter().rect(place, 6.0, p.card, Stroke::new(1.0, p.outline), egui::StrokeKind::Inside);
    // Keeps clicks beside the buttons from reaching the terminal.
    ui.interact(place, ui.scope_id().with(("panel", place.min.y as i32)), Sense::click_and_drag());
    let builder = egui::UiBuilder::new().max_rect(place.shrink(8.0));
    ui.scope_builder(builder, add).inner
}

fn reported(button: PointerButton) -> Option<Button> {
    match button {
        PointerButton::Primary => Some(Button::Left),
        PointerButton::Middle => Some(Button::Middle),
        PointerButton::Secondary => Some(Button::Right),
        _ => None,
    }
}

/// Lines of the grid and their columns.
type Spans = Vec<(i32, std::ops::Range<usize>)>;

/// The link under a cell of the view: one the program named (OSC 8), or an
/// address in the text, which may run over wrapped lines.
fn link_at(terminal: &Terminal, row: usize, column: usize) -> Option<(String, Spans)> {
    terminal.peek(|term| {
        if row >= term.screen_lines() || column >= term.columns() {
            return None;
        }
        let point = view_point(term, row, column);
        if let Some(link) = term.grid()[point].hyperlink() {
            let same = |column: &usize| {
                term.grid()[point.line][Column(*column)].hyperlink().as_ref() == Some(&link)
            };
            let from = (0..=column).rev().take_while(same).last().unwrap_or(column);
            let to = (column..term.columns()).take_while(same).last().unwrap_or(column);
            let url = link.uri().to_owned();
            return links::may_open(&url).then(|| (url, vec![(point.line.0, from..to + 1)]));
        }
        let (start, end) = (term.line_search_left(point), term.line_search_right(point));
        if (end.line.0 - start.line.0) > 50 {
            return None;
        }
        let mut text = Vec::new();
        let mut places = Vec::new();
        let mut here = None;
        for line in start.line.0..=end.line.0 {
            for column in 0..term.columns() {
                let at = Point::new(Line(line), Column(column));
                let cell = &term.grid()[at];
                if at == point {
                    here = Some(text.len());
                }
                if !cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER)
                {
                    text.push(cell.c);
                    places.push(at);
                }
            }
        }
        let range = links::at(&text, here?.min(text.len().saturating_sub(1)))?;
        let url = text[range.clone()].iter().collect();
        let mut spans: Spans = Vec::new();
        for at in &places[range] {
            match spans.last_mut() {
                Some((line, columns)) if *line == at.line.0 => columns.end = at.column.0 + 1,
                _ => spans.push((at.line.0, at.column.0..at.column.0 + 1)),
            }
        }
        Some((url, spans))
    })
}
