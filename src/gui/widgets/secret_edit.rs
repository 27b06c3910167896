//! The field in which a person types a secret. `egui::TextEdit` keeps an undo
//! history and hands its text to the accessibility tree; this one edits a
//! [`SecretBuffer`] in place, shows dots, keeps no history, never blinks and
//! never tells its value to anybody.

use egui::{
    Align2, Event, EventFilter, ImeEvent, Key, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2,
};
use zeroize::Zeroize;

use super::secret_buffer::SecretBuffer;

/// A secret field over `buffer`, named `label` for assistive technology.
pub struct SecretEdit<'a> {
    buffer: &'a mut SecretBuffer,
    label: &'a str,
    width: f32,
    hint: &'a str,
    shown: bool,
    large: bool,
    rows: usize,
}

/// What happened to the field in this frame.
pub struct SecretEditOutput {
    /// For focus, tooltips, `changed()`.
    pub response: Response,
    /// Enter was pressed in it.
    pub submitted: bool,
}

impl<'a> SecretEdit<'a> {
    /// A field with dots, as wide as there is room, at most 320 points.
    pub fn new(buffer: &'a mut SecretBuffer, label: &'a str) -> Self {
        Self { buffer, label, width: 320.0, hint: "", shown: false, large: false, rows: 1 }
    }

    /// Width in points.
    pub fn width(mut self, points: f32) -> Self {
        self.width = points;
        self
    }

    /// Grey text while the field is empty.
    pub fn hint(mut self, hint: &'a str) -> Self {
        self.hint = hint;
        self
    }

    /// Shows the characters instead of dots.
    pub fn shown(mut self, shown: bool) -> Self {
        self.shown = shown;
        self
    }

    /// Big, spaced characters, for six-digit codes.
    pub fn large(mut self) -> Self {
        self.large = true;
        self
    }

    /// Height in lines, for a page.
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = rows;
        self
    }

    /// Paints the field and takes this frame's keys.
    pub fn show(self, ui: &mut Ui) -> SecretEditOutput {
        let font = if self.large {
            egui::FontId::new(22.0, egui::FontFamily::Monospace)
        } else {
            egui::TextStyle::Monospace.resolve(ui.style())
        };
        let line = ui.fonts_mut(|f| f.row_height(&font));
        let margin = Vec2::new(12.0, if self.large { 7.0 } else { 5.0 });
        let height = (line * self.rows as f32 + 2.0 * margin.y).max(ui.spacing().interact_size.y);
        let size = Vec2::new(self.width.min(ui.available_width()), height);
        let (rect, mut response) = ui.allocate_exact_size(size, Sense::click_and_drag());
        if ui.is_rect_visible(rect) {
            response = response.on_hover_cursor(egui::CursorIcon::Text);
        }
        let focused = response.has_focus();
        let text_rect = rect.shrink2(margin);
        let mut sight: Sight = ui.data(|d| d.get_temp(response.id)).unwrap_or_default();
        let (mut changed, mut submitted) = (false, false);
        if focused && ui.is_enabled() {
            let filter = EventFilter {
                horizontal_arrows: true,
                vertical_arrows: self.buffer.is_page(),
                ..EventFilter::default()
            };
            ui.memory_mut(|m| m.set_focus_lock_filter(response.id, filter));
            // Taken out while they are read: a move by lines asks egui for the layout.
            let mut events = ui.input_mut(|input| std::mem::take(&mut input.events));
            for event in &mut events {
                if let Some((key, extend)) = line_move(self.buffer, event) {
                    let layout = Layout::of(ui, self.buffer, self.shown, &font, text_rect.width());
                    let step = Step { key, extend, line, rows: self.rows };
                    layout.step(self.buffer, &step, &mut sight.goal);
                    continue;
                }
                if !matches!(event, Event::Key { pressed: false, .. }) {
                    sight.goal = None;
                }
                changed |= take_event(self.buffer, event, &mut submitted);
            }
            ui.input_mut(|input| {
                input.events = events;
                // The raw input is a second copy of the same events.
                input.raw.events.iter_mut().for_each(wipe);
            });
        }
        let layout = Layout::of(ui, self.buffer, self.shown, &font, text_rect.width());
        let pointer = response.interact_pointer_pos();
        // A quick click goes down and up within one frame.
        let clicked = response.is_pointer_button_down_on()
            || response.clicked_by(egui::PointerButton::Primary);
        let dragged = response.dragged();
        if let Some(pointer) = pointer
            && (clicked || dragged)
        {
            if !focused {
                response.request_focus();
            }
            let extend = dragged && !response.drag_started();
            let at = layout.char_at(pointer - text_rect.min.to_vec2() + sight.scroll);
            self.buffer.move_to_char(at, extend);
            sight.goal = None;
        }
        if response.double_clicked() {
            self.buffer.select_all();
        }
        let caret = layout.caret(self.buffer);
        if response.hovered() && self.buffer.is_page() {
            sight.wheel(ui, &layout, text_rect.size(), line);
        }
        sight.follow(caret, &layout, text_rect.size(), line);
        ui.data_mut(|d| d.insert_temp(response.id, sight));
        let origin = text_rect.min - sight.scroll;
        self.paint_ui(ui, &response, (rect, text_rect), line, &layout, origin);
        if changed {
            response.mark_changed();
        }
        let (label, enabled) = (self.label.to_owned(), ui.is_enabled());
        response.widget_info(|| WidgetInfo::labeled(Role::PasswordInput, enabled, &label));
        if focused {
            let purpose =
                if self.shown { egui::IMEPurpose::Normal } else { egui::IMEPurpose::Password };
            ui.output_mut(|o| {
                o.ime = Some(egui::output::IMEOutput {
                    purpose,
                    rect,
                    cursor_rect: egui::Rect::from_min_size(origin + caret, Vec2::new(1.0, line)),
                    should_interrupt_composition: false,
                });
            });
        }
        SecretEditOutput { response, submitted }
    }

    fn paint_ui(
        &self,
        ui: &Ui,
        response: &Response,
        (rect, text_rect): (egui::Rect, egui::Rect),
        line: f32,
        layout: &Layout,
        origin: egui::Pos2,
    ) {
        let visuals = ui.style().interact(response);
        let focused = response.has_focus();
        let fill = ui.visuals().text_edit_bg_color.unwrap_or(ui.visuals().extreme_bg_color);
        let stroke = if focused { ui.visuals().selection.stroke } else { visuals.bg_stroke };
        ui.painter().rect(rect, visuals.corner_radius, fill, stroke, egui::StrokeKind::Inside);
        let painter = ui.painter_at(rect.shrink(2.0));
        let colour = ui.visuals().text_color();
        if self.buffer.is_empty() && !self.hint.is_empty() {
            let font = egui::TextStyle::Body.resolve(ui.style());
            let at = text_rect.left_center();
            let at = if self.buffer.is_page() { text_rect.left_top() } else { at };
            let align = if self.buffer.is_page() { Align2::LEFT_TOP } else { Align2::LEFT_CENTER };
            painter.text(at, align, self.hint, font, ui.visuals().weak_text_color());
        }
        let selected = self.buffer.selected_chars();
        if focused && !selected.is_empty() {
            for i in selected {
                let at = origin + layout.cells[i];
                let to = layout.cells.get(i + 1).filter(|n| n.y == layout.cells[i].y);
                let wide = to.map_or(layout.advance, |n| n.x - layout.cells[i].x);
                let cell = egui::Rect::from_min_size(at, Vec2::new(wide, line));
                painter.rect_filled(cell, 0.0, ui.visuals().selection.bg_fill);
            }
        }
        match &layout.galley {
            Some(galley) => {
                painter.galley(origin, galley.clone(), colour);
            }
            None => {
                let radius = (line * 0.17).max(2.5);
                let seen = |c: &&Vec2| rect.y_range().contains(origin.y + c.y + line / 2.0);
                for cell in layout.cells.iter().take(layout.cells.len() - 1).filter(seen) {
                    let centre = origin + *cell + Vec2::new(layout.advance / 2.0, line / 2.0);
                    painter.circle_filled(centre, radius, colour);
                }
            }
        }
        if focused && ui.is_enabled() {
            let top = origin + layout.caret(self.buffer);
            let x = top.x.round();
            painter.line_segment(
                [pos2(x, top.y), pos2(x, top.y + line)],
                ui.visuals().text_cursor.stroke,
            );
        }
    }
}

/// What of the text is in sight, kept between frames.
#[derive(Clone, Copy, Default)]
struct Sight {
    scroll: Vec2,
    /// Where the caret stood when it was followed last.
    caret: Vec2,
    /// The column that moves by lines keep to.
    goal: Option<f32>,
}

impl Sight {
    /// Scrolls by the wheel, and leaves nothing of it to what is around.
    fn wheel(&mut self, ui: &Ui, layout: &Layout, room: Vec2, line: f32) {
        let most = (layout.height(line) - room.y).max(0.0);
        let to = (self.scroll.y - ui.input(|i| i.smooth_scroll_delta.y)).clamp(0.0, most);
        if to != self.scroll.y {
            self.scroll.y = to;
            ui.input_mut(|i| i.smooth_scroll_delta.y = 0.0);
        }
    }

    /// Keeps a caret that moved inside the field, and no empty room behind the text.
    fn follow(&mut self, caret: Vec2, layout: &Layout, room: Vec2, line: f32) {
        let size = Vec2::new(layout.width() + CARET, layout.height(line));
        if caret != self.caret {
            self.caret = caret;
            let least = caret + Vec2::new(CARET, line) - room;
            self.scroll = self.scroll.max(least).min(caret);
        }
        self.scroll = self.scroll.min(size - room).max(Vec2::ZERO);
    }
}

/// Room for the caret behind the last character.
const CARET: f32 = 2.0;

/// A move by lines of a page.
struct Step {
    key: Key,
    extend: bool,
    line: f32,
    rows: usize,
}

/// Where each character stands; one place more than there are characters.
struct Layout {
    cells: Vec<Vec2>,
    advance: f32,
    galley: Option<std::sync::Arc<egui::Galley>>,
}

impl Layout {
    fn of(ui: &Ui, buffer: &SecretBuffer, shown: bool, font: &egui::FontId, width: f32) -> Self {
        let (advance, line) =
            ui.fonts_mut(|f| (f.glyph_width(font, '0') + 2.0, f.row_height(font)));
        if !shown {
            let count = buffer.char_count();
            // A very long line is drawn closer, so that its end stays in sight; a
            // page goes on below.
            let (advance, in_row) = if buffer.is_page() {
                (advance, ((width / advance) as usize).max(1))
            } else {
                (advance.min(width / (count.max(1) as f32)).max(1.0), usize::MAX)
            };
            let cell =
                |i: usize| Vec2::new((i % in_row) as f32 * advance, (i / in_row) as f32 * line);
            let cells = (0..=count).map(cell).collect();
            return Self { cells, advance, galley: None };
        }
        let galley = buffer.expose(|text| {
            let wrap = if buffer.is_page() { width } else { f32::INFINITY };
            let mut job = egui::text::LayoutJob::simple(
                text.to_owned(),
                font.clone(),
                ui.visuals().text_color(),
                wrap,
            );
            job.break_on_newline = buffer.is_page();
            ui.fonts_mut(|f| f.layout_job(job))
        });
        let cells = (0..=buffer.char_count())
            .map(|i| {
                let cursor = egui::text::CCursor::new(i);
                galley.pos_from_cursor(cursor).min.to_vec2()
            })
            .collect();
        Self { cells, advance, galley: Some(galley) }
    }

    fn caret(&self, buffer: &SecretBuffer) -> Vec2 {
        self.cells[buffer.caret_chars().min(self.cells.len() - 1)]
    }

    fn width(&self) -> f32 {
        self.cells.iter().map(|c| c.x).fold(0.0, f32::max)
    }

    fn height(&self, line: f32) -> f32 {
        self.cells.last().map_or(0.0, |c| c.y) + line
    }

    /// Moves the caret up or down, past the first and last line to the ends, or
    /// to an end of its line.
    fn step(&self, buffer: &mut SecretBuffer, step: &Step, goal: &mut Option<f32>) {
        let caret = self.caret(buffer);
        let lines = match step.key {
            Key::ArrowUp => -1.0,
            Key::ArrowDown => 1.0,
            Key::PageUp => -(step.rows as f32),
            Key::PageDown => step.rows as f32,
            _ => 0.0,
        };
        let x = match step.key {
            Key::Home => 0.0,
            Key::End => f32::INFINITY,
            _ => *goal.get_or_insert(caret.x),
        };
        let y = caret.y + lines * step.line;
        let at = if y < -0.5 * step.line {
            0
        } else if y > self.height(step.line) - 0.5 * step.line {
            self.cells.len() - 1
        } else {
            self.in_row(y, x, step.line)
        };
        buffer.move_to_char(at, step.extend);
    }

    /// The place in the line at `y` that is nearest to `x`.
    fn in_row(&self, y: f32, x: f32, line: f32) -> usize {
        let here = |c: &&(usize, &Vec2)| (c.1.y - y).abs() < 0.5 * line;
        let cells: Vec<(usize, &Vec2)> = self.cells.iter().enumerate().collect();
        let mut row = cells.iter().filter(here);
        if x == f32::INFINITY {
            return row.next_back().map_or(0, |c| c.0);
        }
        row.min_by(|a, b| (a.1.x - x).abs().total_cmp(&(b.1.x - x).abs())).map_or(0, |c| c.0)
    }

    fn char_at(&self, pos: egui::Pos2) -> usize {
        if let Some(galley) = &self.galley {
            return galley.cursor_from_pos(pos.to_vec2()).index.into();
        }
        let nearest = self.cells.iter().enumerate().min_by(|(_, a), (_, b)| {
            let far = |c: &Vec2| (c.x - pos.x).abs() + 4.0 * (c.y - pos.y).abs();
            far(a).total_cmp(&far(b))
        });
        nearest.map_or(0, |(i, _)| i)
    }
}

/// The key of a move by lines, and whether it extends the selection.
fn line_move(buffer: &SecretBuffer, event: &Event) -> Option<(Key, bool)> {
    let Event::Key { key, pressed: true, modifiers, .. } = event else { return None };
    let by_lines = match key {
        Key::ArrowUp | Key::ArrowDown | Key::PageUp | Key::PageDown => true,
        Key::Home | Key::End => !modifiers.command,
        _ => false,
    };
    (buffer.is_page() && by_lines).then_some((*key, modifiers.shift))
}

/// Wipes the text in an event.
fn wipe(event: &mut Event) {
    if let Event::Text(text)
    | Event::Paste(text)
    | Event::Ime(ImeEvent::Commit(text) | ImeEvent::Preedit { text, .. }) = event
    {
        text.zeroize();
    }
}

/// Applies one event to the buffer and wipes the text in it.
/// True when the buffer changed.
fn take_event(buffer: &mut SecretBuffer, event: &mut Event, submitted: &mut bool) -> bool {
    match event {
        Event::Text(text) | Event::Paste(text) | Event::Ime(ImeEvent::Commit(text)) => {
            buffer.insert(text);
            wipe(event);
            true
        }
        Event::Ime(ImeEvent::Preedit { .. }) => {
            wipe(event);
            false
        }
        Event::Key { key, pressed: true, modifiers, .. } => {
            let extend = modifiers.shift;
            match key {
                Key::Backspace if modifiers.command => buffer.clear(),
                Key::Backspace => buffer.backspace(),
                Key::Delete => buffer.delete(),
                Key::ArrowLeft => buffer.left(extend),
                Key::ArrowRight => buffer.right(extend),
                Key::Home => buffer.home(extend),
                Key::End => buffer.end(extend),
                Key::A if modifiers.command => buffer.select_all(),
                Key::Enter if buffer.is_page() => buffer.insert("\n"),
                Key::Enter => *submitted = true,
                _ => return false,
            }
            matches!(key, Key::Backspace | Key::Delete) || (*key == Key::Enter && buffer.is_page())
        }
        _ => false,
    }
}
