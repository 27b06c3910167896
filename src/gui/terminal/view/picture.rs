//! What is seen of the terminal: grid, marks, scroll bar, bell, and the words for
//! screen readers. Never sends anything to the far side.

use std::time::{Duration, Instant};

use egui::{FontId, Id, Rect, Response, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::gui::terminal::colors;
use crate::gui::terminal::model::Terminal;
use crate::gui::terminal::paint::Marks;
use crate::gui::{fonts, theme};
use crate::model::lang::Lang;

use super::link::link_at;
use super::{BAR, TerminalView};

/// How long the bell shows.
const BELL: Duration = Duration::from_millis(180);

impl TerminalView {
    /// Looks a piece further for what the search bar asks.
    pub(super) fn search(&mut self, ui: &Ui, terminal: &Terminal) {
        if !self.find.open {
            return;
        }
        let heard = terminal.received_bytes();
        let (show, more) = terminal.peek(|term| self.find.look(term, heard));
        if let Some(show) = show {
            terminal.with_term(|term| term.scroll_to_point(show));
        }
        if more {
            ui.ctx().request_repaint();
        }
    }

    /// Recomputes what lies over the grid.
    pub(super) fn marks(&mut self, ui: &Ui, terminal: &Terminal) {
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

    pub(super) fn paint_ui(&mut self, ui: &Ui, rect: Rect) {
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

    pub(super) fn scroll_bar_ui(&mut self, ui: &Ui, id: Id, rect: Rect, terminal: &Terminal) {
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

    pub(super) fn bell(&mut self, ui: &Ui, rect: Rect, terminal: &Terminal) -> bool {
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
    pub(super) fn describe(&self, ui: &Ui, response: &Response, lang: Lang) {
        let enabled = ui.is_enabled();
        let label = lang.pick("Terminal", "Terminal");
        response.widget_info(|| WidgetInfo::labeled(Role::Terminal, enabled, label));
        let painter = &self.painter;
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_value(painter.text()));
    }
}
