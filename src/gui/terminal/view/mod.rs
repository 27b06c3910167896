//! The terminal widget: paints a [`Terminal`], gives it keys, mouse and
//! clipboard. Opens no link and writes no clipboard by itself beyond what the
//! person asks for with a key, the mouse or a button.

mod keyboard;
mod link;
mod overlays;
mod picture;
mod pointer;
mod sending;

use std::time::Instant;

use egui::{Id, Pos2, Rect, Response, Sense, Ui, pos2, vec2};

use crate::connect::file_send::Protocol;
use crate::connect::link::TermSize;
use crate::model::lang::Lang;

use super::colors::{self, Scheme};
use super::find::Find;
use super::input::Typing;
use super::model::Terminal;
use super::paint::{Marks, Painter};

use overlays::PasteQuestion;
use pointer::Mouse;

/// Font size at the start, in points.
pub const FONT_POINTS: f32 = 14.0;
/// Space round the text.
const MARGIN: f32 = 5.0;
/// Width of the scroll bar.
const BAR: f32 = 9.0;

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
    /// A file is to be chosen and sent so.
    send_file: Option<Protocol>,
}

/// What the caller is to do.
pub struct Output {
    /// The widget.
    pub response: Response,
    /// A link the person opened: http, https or mailto.
    pub open: Option<String>,
    /// The bell rang since the last frame.
    pub rang: bool,
    /// A file is to be chosen and sent so.
    pub send_file: Option<Protocol>,
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
            send_file: None,
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
        self.search(ui, terminal);
        self.marks(ui, terminal);
        self.paint_ui(ui, rect);
        self.scroll_bar_ui(ui, id, rect, terminal);
        self.menu(&response, mode, ui, terminal, lang);
        self.overlays_ui(ui, id, rect, terminal, lang);
        let rang = self.bell(ui, rect, terminal);
        self.describe(ui, &response, lang);
        self.file_ui(ui, rect, terminal, lang);
        Output { response, open, rang, send_file: self.send_file.take() }
    }

    /// True while a question waits over this terminal.
    pub fn asking(&self) -> bool {
        self.question.is_some() || self.offered.is_some()
    }

    /// Forgets what was about to be pasted, copied, searched or typed.
    pub fn lock(&mut self) {
        self.question = None;
        self.offered = None;
        self.find = Find::default();
        self.preedit.clear();
        self.refocus = false;
        self.version = u64::MAX;
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
}
