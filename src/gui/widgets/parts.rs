//! Small painted parts: rows, badges, labels with a value, notices, a ring.
//! They paint and report clicks; they decide nothing.

use egui::{
    Align2, Color32, CornerRadius, FontId, Response, RichText, Role, Sense, Stroke, Ui, Vec2,
    WidgetInfo, vec2,
};

use crate::gui::fonts;
use crate::gui::theme::palette;
use crate::gui::widgets::advice::in_window;
use crate::model::lang::Bi;
use crate::model::lang::Lang;
use crate::secret::SecretText;

/// A button that is only a sign; `name` is its tooltip and accessible name.
pub fn icon_button(ui: &mut Ui, sign: &str, name: &str) -> Response {
    let button = egui::Button::new(RichText::new(sign).size(15.0)).min_size(vec2(30.0, 28.0));
    let response = ui.add(button.frame_when_inactive(false));
    let enabled = response.enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    response.on_hover_text(name)
}

/// A button of less weight, beside or below a field.
pub fn small_button(ui: &mut Ui, text: &str) -> Response {
    ui.scope(|ui| {
        let spacing = ui.spacing_mut();
        spacing.button_padding = vec2(10.0, 2.0);
        spacing.interact_size.y = 24.0;
        ui.button(RichText::new(text).size(13.0))
    })
    .inner
}

/// A small drawing on a button.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Icon {
    /// Two sheets.
    Copy,
    /// An eye.
    Show,
    /// An eye with a line through it.
    Hide,
    /// A die.
    Dice,
    /// A bin.
    Bin,
}

/// A button with a small drawing; `name` is its tooltip and accessible name.
pub fn drawn_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    drawn(ui, icon, name, Sense::click())
}

/// As [`drawn_button`], but Tab passes it by: between two fields that are filled
/// one after the other, it would catch what belongs into the second.
pub fn drawn_button_beside(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    drawn(ui, icon, name, Sense::CLICK)
}

fn drawn(ui: &mut Ui, icon: Icon, name: &str, sense: Sense) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(30.0, 28.0), sense);
    let p = palette(ui.ctx());
    let enabled = ui.is_enabled();
    if enabled && (response.hovered() || response.has_focus()) {
        ui.painter().rect_filled(rect, 5.0, p.hover);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.5, p.accent);
        ui.painter().rect_stroke(rect, 5.0, stroke, egui::StrokeKind::Inside);
    }
    let colour = if enabled { p.text } else { p.outline };
    draw(ui.painter(), icon, rect.center(), Stroke::new(1.4, colour));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    response.on_hover_text(name).on_disabled_hover_text(name)
}

fn draw(painter: &egui::Painter, icon: Icon, c: egui::Pos2, stroke: Stroke) {
    let boxed = |centre: egui::Pos2, size: Vec2, radius: u8| {
        let rect = egui::Rect::from_center_size(centre, size);
        painter.rect_stroke(rect, CornerRadius::same(radius), stroke, egui::StrokeKind::Middle);
    };
    match icon {
        Icon::Copy => {
            boxed(c + vec2(2.0, 2.0), vec2(9.0, 10.0), 2);
            let (l, t) = (c.x - 6.0, c.y - 7.0);
            let corner = vec![
                egui::pos2(l + 1.0, t + 10.0),
                egui::pos2(l, t + 9.0),
                egui::pos2(l, t + 1.0),
                egui::pos2(l + 1.0, t),
                egui::pos2(l + 8.0, t),
                egui::pos2(l + 9.0, t + 1.0),
            ];
            painter.add(egui::Shape::line(corner, stroke));
        }
        Icon::Show | Icon::Hide => {
            let lid = |down: f32| -> Vec<egui::Pos2> {
                (0..=16)
                    .map(|i| {
                        let x = i as f32 / 8.0 - 1.0;
                        c + vec2(x * 8.0, down * 5.0 * (1.0 - x * x))
                    })
                    .collect()
            };
            painter.add(egui::Shape::line(lid(-1.0), stroke));
            painter.add(egui::Shape::line(lid(1.0), stroke));
            painter.circle_filled(c, 2.4, stroke.color);
            if icon == Icon::Hide {
                painter.line_segment([c + vec2(-7.0, 6.0), c + vec2(7.0, -6.0)], stroke);
            }
        }
        Icon::Dice => {
            boxed(c, vec2(14.0, 14.0), 3);
            for (x, y) in [(-3.4, -3.4), (0.0, 0.0), (3.4, 3.4), (3.4, -3.4), (-3.4, 3.4)] {
                painter.circle_filled(c + vec2(x, y), 1.4, stroke.color);
            }
        }
        Icon::Bin => {
            let line = |a: (f32, f32), b: (f32, f32)| {
                painter.line_segment([c + vec2(a.0, a.1), c + vec2(b.0, b.1)], stroke);
            };
            line((-7.0, -5.0), (7.0, -5.0));
            line((-2.5, -7.0), (2.5, -7.0));
            line((-5.0, -5.0), (-4.0, 7.0));
            line((5.0, -5.0), (4.0, 7.0));
            line((-4.0, 7.0), (4.0, 7.0));
            line((0.0, -2.0), (0.0, 4.0));
        }
    }
}

/// The room that a button with this text takes beside something else.
pub fn room_for_button(ui: &Ui, text: &str) -> f32 {
    let text = egui::WidgetText::from(text);
    let wrap = Some(egui::TextWrapMode::Extend);
    let text = text.into_galley(ui, wrap, f32::INFINITY, egui::TextStyle::Button);
    text.size().x + 2.0 * ui.spacing().button_padding.x + ui.spacing().item_spacing.x
}

/// Bold text of the body's size.
pub fn bold(text: impl Into<String>) -> RichText {
    RichText::new(text).family(fonts::bold())
}

/// A title above a group of things.
pub fn section(ui: &mut Ui, text: &str) {
    ui.add_space(10.0);
    let colour = palette(ui.ctx()).weak;
    ui.label(RichText::new(text).family(fonts::bold()).size(12.5).color(colour));
    ui.add_space(2.0);
}

/// What happened and what to do, on the ground of an error.
pub fn error_box(ui: &mut Ui, what: &str, todo: &str) {
    let p = palette(ui.ctx());
    notice_box(ui, p.error_fill, p.error, "\u{2716}", what, todo);
}

/// A remark that deserves a look.
pub fn warn_box(ui: &mut Ui, what: &str, todo: &str) {
    let p = palette(ui.ctx());
    notice_box(ui, p.warn_fill, p.warn, "\u{26a0}", what, todo);
}

/// It worked.
pub fn ok_box(ui: &mut Ui, what: &str, todo: &str) {
    let p = palette(ui.ctx());
    notice_box(ui, p.card, p.ok, "\u{2714}", what, todo);
}

/// The two texts of a failure.
pub fn failure(ui: &mut Ui, lang: Lang, what: &Bi, todo: &Bi) {
    error_box(ui, what.get(lang), &in_window(todo.get(lang), lang));
}

fn notice_box(ui: &mut Ui, fill: Color32, colour: Color32, sign: &str, what: &str, todo: &str) {
    egui::Frame::new()
        .fill(fill)
        .stroke(Stroke::new(1.0, colour.gamma_multiply(0.5)))
        .corner_radius(6)
        .inner_margin(egui::Margin::symmetric(12, 9))
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            ui.horizontal_top(|ui| {
                ui.label(RichText::new(sign).color(colour));
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 2.0;
                    ui.add(egui::Label::new(bold(what)).wrap());
                    if !todo.is_empty() {
                        ui.label(todo);
                    }
                });
            });
        });
}

/// A coloured dot or square for a client; grey without a colour.
pub fn client_mark(ui: &Ui, centre: egui::Pos2, colour: &str) {
    let p = palette(ui.ctx());
    let fill = parse_colour(colour).unwrap_or(p.outline);
    ui.painter().rect_filled(
        egui::Rect::from_center_size(centre, vec2(10.0, 10.0)),
        CornerRadius::same(3),
        fill,
    );
}

/// `#rrggbb` as a colour.
pub fn parse_colour(text: &str) -> Option<Color32> {
    let hex = text.strip_prefix('#')?;
    (hex.len() == 6).then_some(())?;
    let n = u32::from_str_radix(hex, 16).ok()?;
    let byte = |shift: u32| u8::try_from((n >> shift) & 0xff).unwrap_or(0);
    Some(Color32::from_rgb(byte(16), byte(8), byte(0)))
}

/// A rounded word: a tag, a role, a state. It goes to the next line as a whole
/// where lines wrap.
pub fn badge(ui: &mut Ui, text: &str, colour: Color32) -> Response {
    let edge = vec2(8.0, 2.0);
    let font = FontId::proportional(12.0);
    let room = (ui.max_rect().width() - 2.0 * edge.x).max(24.0);
    let galley = ui.painter().layout(text.to_owned(), font, colour, room);
    let (rect, response) = ui.allocate_exact_size(galley.size() + 2.0 * edge, Sense::hover());
    ui.painter().rect_filled(rect, 9.0, colour.gamma_multiply(0.16));
    ui.painter().galley(rect.min + edge, galley, colour);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// Text of a secret, painted without telling the accessibility tree its value.
pub fn secret_label(ui: &mut Ui, text: &SecretText, name: &str) -> Response {
    let font = egui::TextStyle::Monospace.resolve(ui.style());
    let colour = ui.visuals().text_color();
    let width = ui.available_width();
    let galley = text.expose(|t| {
        let mut job = egui::text::LayoutJob::simple(t.to_owned(), font, colour, width);
        job.wrap.break_anywhere = true;
        ui.fonts_mut(|f| f.layout_job(job))
    });
    let (rect, response) = ui.allocate_exact_size(galley.size(), Sense::hover());
    ui.painter().galley(rect.min, galley, colour);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
    response
}

/// A ring that empties with the time left, `share` from 1 to 0.
pub fn ring(ui: &mut Ui, share: f32, colour: Color32) {
    let (rect, _) = ui.allocate_exact_size(Vec2::splat(18.0), Sense::hover());
    let p = palette(ui.ctx());
    ui.painter().circle_stroke(rect.center(), 7.0, Stroke::new(2.5, p.line));
    let steps = 40;
    let points = (0..=steps)
        .map(|i| {
            let turn = share.clamp(0.0, 1.0) * i as f32 / steps as f32;
            let angle = turn * std::f32::consts::TAU - std::f32::consts::FRAC_PI_2;
            rect.center() + 7.0 * vec2(angle.cos(), angle.sin())
        })
        .collect();
    ui.painter().add(egui::Shape::line(points, Stroke::new(2.5, colour)));
}

/// A QR code of `text` as dark squares on white, `side` points wide; false
/// when the text does not fit one.
pub fn qr_code(ui: &mut Ui, text: &SecretText, side: f32, name: &str) -> bool {
    let Ok(code) = text.expose(|t| qrcode::QrCode::new(t.as_bytes())) else { return false };
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    ui.painter().rect_filled(rect, 6.0, Color32::WHITE);
    let width = code.width();
    // Four modules of quiet zone on each side (ISO/IEC 18004 section 6.3.8).
    let unit = side / (width as f32 + 8.0);
    let mut dots = Vec::new();
    for (i, colour) in code.to_colors().into_iter().enumerate() {
        if colour == qrcode::Color::Dark {
            let at = vec2((i % width) as f32 + 4.0, (i / width) as f32 + 4.0) * unit;
            let dot = egui::Rect::from_min_size(rect.min + at, Vec2::splat(unit + 0.3));
            dots.push(egui::Shape::rect_filled(dot, 0.0, Color32::BLACK));
        }
    }
    ui.painter().extend(dots);
    true
}

/// Enter in a field goes on to what follows. It is taken away: what follows gets the
/// keyboard in this very frame, and would be pressed by the same key.
pub fn go_on(ui: &Ui) {
    ui.input_mut(|i| i.consume_key(egui::Modifiers::NONE, egui::Key::Enter));
    ui.memory_mut(|m| m.move_focus(egui::FocusDirection::Next));
}

/// Scrolls to what has got the keyboard in `ui`, which a key may have moved to
/// beyond the edge. Called last in a scrolled page.
pub fn follow_focus(ui: &mut Ui) {
    let place = ui.scope_id().with("focus");
    let focused = ui.memory(|m| m.focused());
    let before = ui.data(|d| d.get_temp::<Option<egui::Id>>(place)).flatten();
    if focused == before {
        return;
    }
    ui.data_mut(|d| d.insert_temp(place, focused));
    let Some(response) = focused.and_then(|id| ui.ctx().read_response(id)) else { return };
    // In sight already, or beside the page, such as the buttons of a dialog.
    if response.interact_rect.contains_rect(response.rect) {
        return;
    }
    if response.layer_id == ui.layer_id() && ui.min_rect().contains_rect(response.rect) {
        ui.scroll_to_rect(response.rect.expand(10.0), None);
    }
}

/// One line of a list: paints its ground, returns where to paint and the click.
pub fn row(ui: &mut Ui, height: f32, selected: bool, name: &str) -> (egui::Rect, Response) {
    let size = vec2(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let p = palette(ui.ctx());
    let ground = if selected {
        Some(p.selected)
    } else if response.hovered() {
        Some(p.hover.gamma_multiply(0.5))
    } else {
        None
    };
    if let Some(fill) = ground {
        ui.painter().rect_filled(rect, 5.0, fill);
    }
    if response.has_focus() {
        let line = Stroke::new(1.5, p.accent);
        ui.painter().rect_stroke(rect, 5.0, line, egui::StrokeKind::Inside);
    }
    response.widget_info(|| WidgetInfo::selected(Role::ListItem, true, selected, name));
    (rect, response)
}

/// One line of text cut with an ellipsis at `width`.
pub fn cut_text(
    ui: &Ui,
    at: egui::Pos2,
    width: f32,
    text: &str,
    font: FontId,
    colour: Color32,
) -> f32 {
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(width.max(8.0));
    let galley = ui.fonts_mut(|f| f.layout_job(job));
    let size = galley.size();
    let pos = Align2::LEFT_CENTER.anchor_size(at, size).min;
    ui.painter().galley(pos, galley, colour);
    size.x
}

/// A page with nothing on it yet: a title, a sentence, and what to do about it.
pub fn empty_page(ui: &mut Ui, sign: &str, title: &str, text: &str, add: impl FnOnce(&mut Ui)) {
    ui.vertical_centered(|ui| {
        ui.add_space((ui.available_height() * 0.25).clamp(20.0, 160.0));
        let p = palette(ui.ctx());
        ui.label(RichText::new(sign).size(38.0).color(p.outline));
        ui.add_space(6.0);
        ui.label(bold(title).size(17.0));
        ui.add(egui::Label::new(RichText::new(text).color(p.weak)).wrap());
        ui.add_space(10.0);
        add(ui);
    });
}

/// A label in a column of its own and its value after it.
pub fn field_label(ui: &mut Ui, text: &str) {
    let p = palette(ui.ctx());
    ui.label(RichText::new(text).color(p.weak));
}
