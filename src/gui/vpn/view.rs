//! Paints a line for each VPN: its state, who goes through it, how much, how long.
//! Reports which one was clicked.

use egui::{Align2, FontId, Margin, Panel, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};

use crate::app::api::VpnView;
use crate::gui::act::{Act, Acts};
use crate::gui::fonts;
use crate::gui::theme::palette;
use crate::gui::widgets::parts::cut_text;
use crate::model::lang::Lang;
use crate::model::time::Time;

use super::model::{is_up, session_words, state_words, time_up, traffic_words};

/// Height of a line.
const LINE: f32 = 24.0;
/// More lines than that are scrolled.
const LINES: usize = 4;
/// Width of the columns on the right: sessions, received, sent, time.
const COLUMNS: [f32; 4] = [84.0, 104.0, 104.0, 76.0];
/// Narrower than this, what was carried stands in the tip alone.
const WIDE: f32 = 760.0;
/// Side of the button that takes a VPN down.
const DOWN: f32 = 20.0;
/// Largest part of the path.
const PATH: f32 = 320.0;

/// The lines of all VPNs; nothing while there are none.
pub fn vpns_ui(ui: &mut Ui, list: &[VpnView], now: Time, lang: Lang, acts: &mut Acts) {
    if list.is_empty() {
        return;
    }
    let p = palette(ui.ctx());
    let frame = egui::Frame::new().fill(p.card).inner_margin(Margin::symmetric(8, 2));
    Panel::bottom("vpns").frame(frame).show(ui, |ui| {
        let height = LINE * list.len().min(LINES) as f32;
        let area = egui::ScrollArea::vertical().id_salt("vpns").max_height(height);
        area.auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            for vpn in list {
                acts.extend(line_ui(ui, vpn, now, lang));
            }
        });
    });
}

fn line_ui(ui: &mut Ui, vpn: &VpnView, now: Time, lang: Lang) -> Option<Act> {
    let p = palette(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), LINE), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(rect, 4.0, p.hover.gamma_multiply(0.5));
    }
    if response.has_focus() {
        let line = Stroke::new(1.5, p.accent);
        ui.painter().rect_stroke(rect, 4.0, line, egui::StrokeKind::Inside);
    }
    let up = is_up(&vpn.now);
    let colour = if up { p.ok } else { p.warn };
    ui.painter().circle_filled(pos2(rect.left() + 9.0, rect.center().y), 4.0, colour);
    let state = state_words(&vpn.now, lang);
    let (received, sent) = traffic_words(&vpn.now, lang);
    let time = time_up(&vpn.now, now);
    let sessions = session_words(vpn.sessions, lang);
    let columns = [&sessions, &received, &sent, &time];
    // From the right, each in its column, so that nothing moves when a number grows.
    let mut right = rect.right() - DOWN - 6.0;
    let small = FontId::proportional(12.5);
    for (at, (text, width)) in columns.iter().zip(COLUMNS).enumerate().rev() {
        if rect.width() < WIDE && (at == 1 || at == 2) {
            continue;
        }
        let place = pos2(right, rect.center().y);
        ui.painter().text(place, Align2::RIGHT_CENTER, text, small.clone(), p.weak);
        right -= width;
    }
    let left = rect.left() + 20.0;
    let room = right - left - 12.0;
    let bold = FontId::new(12.5, fonts::bold());
    let path = format!("VPN {}", vpn.path);
    let middle = rect.center().y;
    let taken = cut_text(ui, pos2(left, middle), room.min(PATH), &path, bold, p.text);
    let at = left + taken + 12.0;
    let ink = if up { p.weak } else { p.warn };
    let clip = Rect::from_min_max(rect.min, pos2(right.max(rect.left()), rect.bottom()));
    if at < clip.right() - 20.0 {
        cut_text(ui, pos2(at, middle), clip.right() - at - 8.0, &state, small, ink);
    }
    let name = format!("{path}{}{state}", lang.pick("\u{a0}: ", ": "));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let clicked = response.clicked().then_some(Act::ShowVpn(vpn.entry));
    let down = down_ui(ui, rect, vpn, lang);
    response.on_hover_ui(|ui| {
        ui.set_max_width(420.0);
        ui.label(&name);
        let mut facts = vec![sessions.clone(), format!("{received}  {sent}")];
        if !time.is_empty() {
            facts.push(time.clone());
        }
        ui.label(facts.join("  ·  "));
        if !vpn.now.address.is_empty() {
            let own = lang.pick("Adresse chez le client\u{a0}: ", "Address at the client: ");
            ui.label(format!("{own}{}", vpn.now.address));
        }
        ui.weak(lang.pick("Un clic montre son journal.", "A click shows its log."));
    });
    down.or(clicked)
}

/// The button at the end of a line that takes its VPN down; one that is being raised is
/// given up in the tab that raises it.
fn down_ui(ui: &Ui, line: Rect, vpn: &VpnView, lang: Lang) -> Option<Act> {
    vpn.now.since?;
    let p = palette(ui.ctx());
    let middle = pos2(line.right() - 2.0 - DOWN / 2.0, line.center().y);
    let rect = Rect::from_center_size(middle, vec2(DOWN, DOWN));
    let id = ui.scope_id().with(("take-down", vpn.entry));
    let button = ui.interact(rect, id, Sense::click());
    if button.hovered() || button.has_focus() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
        let edge = Stroke::new(1.0, p.outline);
        ui.painter().rect_stroke(rect, 4.0, edge, egui::StrokeKind::Inside);
    }
    let ink = if button.hovered() { p.text } else { p.weak };
    let sign = FontId::proportional(15.0);
    ui.painter().text(middle, Align2::CENTER_CENTER, "×", sign, ink);
    let name = lang.pick("Couper le VPN", "Take the VPN down");
    let full = format!("{name} {}", vpn.path);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &full));
    button.on_hover_text(name).clicked().then_some(Act::VpnDown(vpn.entry))
}
