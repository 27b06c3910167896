//! The row of tabs: the client's colour and name on each, what state it is in,
//! and a button to close it. Paints and reports clicks; changes nothing.

use egui::containers::menu::MenuButton;
use egui::{
    Align2, CornerRadius, FontId, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use crate::connect::link::Exit;
use crate::gui::fonts;
use crate::gui::theme::{Palette, palette};
use crate::gui::vpn::model::state_words as state_words_of;
use crate::gui::widgets::parts::{cut_text, parse_colour};
use crate::model::lang::Lang;

use super::model::Sessions;
use super::tab::{Tab, TabId, TabState};
use super::view::end_words;

/// Height of the row.
const HEIGHT: f32 = 42.0;
/// Width of the button at an end with more tabs.
const MORE: f32 = 22.0;
/// Where the row is to be scrolled to.
const WISH: &str = "tabs-wish";
const TAB_MAX: f32 = 210.0;
/// A name of some fifteen letters is still read whole; more tabs than fit scroll.
const TAB_MIN: f32 = 160.0;
/// Width of the button that lists all tabs.
const LIST: f32 = 34.0;

/// What was clicked in the row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Click {
    Home,
    Show(TabId),
    Close(TabId),
    Move(TabId, usize),
}

/// The row. `home` is the name of the page behind the tabs.
pub(super) fn strip_ui(ui: &mut Ui, sessions: &Sessions, lang: Lang, home: &str) -> Option<Click> {
    let p = palette(ui.ctx());
    let mut click = None;
    egui::Frame::new().fill(p.panel).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.spacing_mut().item_spacing.x = 0.0;
        let room = ui.available_width() - 110.0;
        let width = (room / sessions.tabs().len().max(1) as f32).clamp(TAB_MIN, TAB_MAX);
        let crowded = width * sessions.tabs().len() as f32 > room;
        let last = ui.make_persistent_id("front-tab");
        let front = sessions.front().map(|id| id.0);
        let turned = ui.data(|d| d.get_temp(last)) != Some((front, sessions.tabs().len()));
        ui.data_mut(|d| d.insert_temp(last, (front, sessions.tabs().len())));
        let mut area = egui::ScrollArea::horizontal().id_salt("tabs");
        let wish = ui.scope_id().with(WISH);
        if let Some(to) = ui.data_mut(|d| d.remove_temp(wish)) {
            area = area.horizontal_scroll_offset(to);
        }
        ui.horizontal_top(|ui| {
            // The way back to the details stays in place whatever is scrolled.
            if home_ui(ui, home, front.is_none(), p) {
                click = Some(Click::Home);
            }
            if crowded {
                area = area.max_width((ui.available_width() - LIST).max(TAB_MIN));
            }
            let area = area.show(ui, |ui| {
                ui.horizontal(|ui| {
                    let first = ui.cursor().left();
                    for tab in sessions.tabs() {
                        let front = front == Some(tab.id.0);
                        let place = Place { front, width, first, show: front && turned };
                        click = tab_ui(ui, tab, place, p, lang).or(click);
                    }
                });
            });
            more_ui(ui, &area, width, wish, lang);
            if crowded {
                click = list_ui(ui, sessions, p, lang).or(click);
            }
        });
    });
    let y = ui.min_rect().bottom();
    ui.painter().hline(ui.min_rect().x_range(), y, Stroke::new(1.0, p.line));
    click
}

/// The button that lists all tabs, for when they do not fit side by side.
fn list_ui(ui: &mut Ui, sessions: &Sessions, p: &Palette, lang: Lang) -> Option<Click> {
    let mut click = None;
    let name = lang.pick("Tous les onglets", "All tabs");
    let button = egui::Button::new("").min_size(vec2(LIST, HEIGHT)).frame_when_inactive(false);
    let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
        let room = ui.ctx().content_rect().height() * 0.7;
        egui::ScrollArea::vertical().max_height(room).show(ui, |ui| {
            for tab in sessions.tabs() {
                let (sign, (color, _)) = (tab.sign(), state_words(tab, p, lang));
                let name = format!("{} – {}", tab.open_as.client, tab.open_as.title);
                let front = sessions.front() == Some(tab.id);
                let button = egui::Button::selectable(front, &name);
                let sign = egui::RichText::new(sign).color(color);
                let out = ui.add(button.right_text(sign));
                out.widget_info(|| WidgetInfo::selected(Role::Button, true, front, &name));
                if out.clicked() {
                    click = Some(Click::Show(tab.id));
                    ui.close();
                }
            }
        });
    });
    mark(ui, response.rect.center(), "\u{25bc}", p.text);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
    response.on_hover_text(name);
    click
}

/// A button at each end beyond which there are more tabs; it brings them nearer.
fn more_ui<R>(
    ui: &mut Ui,
    area: &egui::scroll_area::ScrollAreaOutput<R>,
    width: f32,
    wish: egui::Id,
    lang: Lang,
) {
    let p = palette(ui.ctx());
    let (seen, offset) = (area.inner_rect, area.state.clamped_offset().x);
    let end = (area.content_size.x - seen.width()).max(0.0);
    let before = (offset > 1.0, seen.left(), -width, "‹");
    let after = (offset < end - 1.0, seen.right() - MORE, width, "›");
    for (there, left, step, sign) in [before, after] {
        if !there {
            continue;
        }
        let rect = Rect::from_min_size(pos2(left, seen.top()), vec2(MORE, HEIGHT));
        let name = if step < 0.0 {
            lang.pick("Onglets précédents", "Earlier tabs")
        } else {
            lang.pick("Onglets suivants", "Further tabs")
        };
        let response = ui.interact(rect, area.id.with(sign), Sense::click());
        let fill = if response.hovered() || response.has_focus() { p.hover } else { p.panel };
        ui.painter().rect(rect, 0.0, fill, Stroke::new(1.0, p.line), StrokeKind::Inside);
        let font = FontId::proportional(18.0);
        ui.painter().text(rect.center(), Align2::CENTER_CENTER, sign, font, p.text);
        response.widget_info(|| WidgetInfo::labeled(Role::Button, true, name));
        if response.on_hover_text(name).clicked() {
            let to = (offset + step).clamp(0.0, end);
            ui.data_mut(|d| d.insert_temp(wish, to));
            ui.ctx().request_repaint();
        }
    }
}

fn home_ui(ui: &mut Ui, home: &str, front: bool, p: &Palette) -> bool {
    let font = FontId::new(14.0, fonts::bold());
    let text = ui.painter().layout_no_wrap(home.to_owned(), font, p.text);
    let size = vec2(text.rect.width() + 28.0, HEIGHT);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    ground(ui, rect, front, response.hovered(), response.has_focus(), p);
    let at = Align2::CENTER_CENTER.anchor_size(rect.center(), text.size()).min;
    ui.painter().galley(at, text, p.text);
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, front, home));
    response.clicked()
}

struct Place {
    front: bool,
    width: f32,
    first: f32,
    /// To be brought into sight.
    show: bool,
}

fn tab_ui(ui: &mut Ui, tab: &Tab, place: Place, p: &Palette, lang: Lang) -> Option<Click> {
    let (rect, response) =
        ui.allocate_exact_size(vec2(place.width, HEIGHT), Sense::click_and_drag());
    if place.show {
        // Not below the buttons at the ends.
        ui.scroll_to_rect(rect.expand2(vec2(MORE, 0.0)), None);
    }
    ground(ui, rect, place.front, response.hovered(), response.has_focus(), p);
    // The stripe says at a glance whose machine this is.
    let stripe = parse_colour(&tab.open_as.colour).unwrap_or(p.outline);
    ui.painter().rect_filled(
        Rect::from_min_size(rect.min + vec2(0.0, 4.0), vec2(4.0, HEIGHT - 8.0)),
        CornerRadius { ne: 2, se: 2, ..CornerRadius::ZERO },
        stripe,
    );
    let close =
        Rect::from_center_size(pos2(rect.right() - 16.0, rect.center().y), vec2(22.0, 22.0));
    let (sign, (color, state)) = (tab.sign(), state_words(tab, p, lang));
    let text_left = rect.left() + 12.0;
    let mut right = close.left() - 4.0;
    if !tab.all_warnings().is_empty() {
        right -= 16.0;
        mark(ui, pos2(right + 8.0, rect.top() + 28.0), "\u{26A0}", p.warn);
    }
    if !sign.is_empty() {
        // An exit status has up to three digits.
        let width = 9.0 + 7.0 * sign.chars().count() as f32;
        right -= width;
        mark(ui, pos2(right + width / 2.0, rect.top() + 28.0), &sign, color);
    }
    let small = FontId::proportional(11.0);
    let mut client_room = close.left() - text_left - 4.0;
    if through_vpn(tab) {
        // On the line of the client: it is the client's network.
        client_room -= 30.0;
        let ink = if tab.vpn_away().is_some() { p.warn } else { p.weak };
        vpn_mark(ui, pos2(close.left() - 2.0, rect.top() + 12.0), ink);
    }
    cut_text(
        ui,
        pos2(text_left, rect.top() + 12.0),
        client_room,
        &tab.open_as.client,
        small,
        p.weak,
    );
    let family =
        if place.front || tab.unseen { fonts::bold() } else { egui::FontFamily::Proportional };
    let title_at = pos2(text_left, rect.top() + 28.0);
    let title_font = FontId::new(13.5, family);
    cut_text(ui, title_at, right - text_left, &tab.open_as.title, title_font, p.text);

    let name = format!("{} – {}", tab.open_as.client, tab.open_as.title);
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, place.front, &name));
    let mut click = None;
    let close_name = lang.pick("Fermer l’onglet", "Close the tab");
    let close_full = format!("{close_name} {}", tab.open_as.title);
    let button = ui.interact(close, response.id.with("close"), Sense::click());
    if button.hovered() || button.has_focus() {
        ui.painter().rect_filled(close, 4.0, p.hover);
        ui.painter().rect_stroke(close, 4.0, Stroke::new(1.0, p.outline), StrokeKind::Inside);
    }
    let ink = if button.hovered() || place.front { p.text } else { p.weak };
    let font = FontId::proportional(16.0);
    ui.painter().text(close.center(), Align2::CENTER_CENTER, "×", font, ink);
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, &close_full));
    if button.on_hover_text(close_name).clicked() || response.middle_clicked() {
        click = Some(Click::Close(tab.id));
    } else if response.clicked() {
        click = Some(Click::Show(tab.id));
    } else if response.dragged()
        && let Some(pos) = response.interact_pointer_pos()
        && !rect.x_range().contains(pos.x)
    {
        click = Some(Click::Move(tab.id, ((pos.x - place.first) / place.width).max(0.0) as usize));
    }
    response.on_hover_ui(|ui| {
        ui.strong(&name);
        ui.label(state);
        if let Some(title) = tab.terminal().and_then(|t| t.said().title) {
            ui.label(title);
        }
        if !tab.info.description.is_empty() {
            ui.label(&tab.info.description);
        }
        if through_vpn(tab) {
            ui.label(vpn_words(tab, lang));
        }
        for warning in tab.all_warnings() {
            ui.colored_label(p.warn, warning.get(lang));
        }
    });
    click
}

/// Whether it goes through a VPN, or did.
fn through_vpn(tab: &Tab) -> bool {
    !tab.info.vpn.is_empty()
}

/// Which VPN it goes through, and how that is unless it just works.
pub(super) fn vpn_words(tab: &Tab, lang: Lang) -> String {
    let path = &tab.info.vpn;
    match tab.vpn_away() {
        Some(now) => {
            let colon = lang.pick("\u{a0}: ", ": ");
            format!("VPN {path}{colon}{}", state_words_of(now, lang))
        }
        None => format!("{} {path}", lang.pick("Par le VPN", "Through the VPN")),
    }
}

/// Three letters in a frame, which end at this point.
fn vpn_mark(ui: &Ui, right: egui::Pos2, ink: egui::Color32) {
    let font = FontId::new(9.0, fonts::bold());
    let text = ui.painter().layout_no_wrap("VPN".to_owned(), font, ink);
    let size = text.size() + vec2(6.0, 1.0);
    let rect = Rect::from_min_size(pos2(right.x - size.x, right.y - size.y / 2.0), size);
    let line = Stroke::new(1.0, ink.gamma_multiply(0.6));
    ui.painter().rect_stroke(rect, 3.0, line, StrokeKind::Inside);
    ui.painter().galley(rect.center() - text.size() / 2.0, text, ink);
}

fn mark(ui: &Ui, at: egui::Pos2, sign: &str, color: egui::Color32) {
    ui.painter().text(at, Align2::CENTER_CENTER, sign, FontId::proportional(12.0), color);
}

fn ground(ui: &Ui, rect: Rect, front: bool, hovered: bool, focused: bool, p: &Palette) {
    if front {
        ui.painter().rect_filled(rect, 0.0, if p.dark { p.field } else { p.card });
        let line = Rect::from_min_size(rect.min, vec2(rect.width(), 2.0));
        ui.painter().rect_filled(line, 0.0, p.accent);
    } else if hovered {
        ui.painter().rect_filled(rect, 0.0, p.hover.gamma_multiply(0.5));
    }
    if focused {
        let line = Stroke::new(1.5, p.accent);
        ui.painter().rect_stroke(rect.shrink(1.0), 2.0, line, StrokeKind::Inside);
    }
    ui.painter().vline(rect.right(), rect.y_range(), Stroke::new(1.0, p.line));
}

/// The colour of the sign for the state, and the state in words.
fn state_words(tab: &Tab, p: &Palette, lang: Lang) -> (egui::Color32, String) {
    let (colour, words) = match &tab.state {
        TabState::Connecting { .. } | TabState::Ended(_) if tab.back.is_some() => {
            (p.warn, lang.pick("Reconnexion", "Reconnecting"))
        }
        TabState::Connecting { .. } => (p.accent, lang.pick("Connexion en cours", "Connecting")),
        TabState::Question { .. } => {
            (p.warn, lang.pick("Attend votre réponse", "Waits for your answer"))
        }
        TabState::Live if tab.vpn_away().is_some() => {
            (p.warn, lang.pick("Ouvert, VPN interrompu", "Open, VPN interrupted"))
        }
        TabState::Live if tab.unseen => (p.accent, lang.pick("Ouvert", "Open")),
        TabState::Live => (p.ok, lang.pick("Ouvert", "Open")),
        TabState::Failed(_) => (p.error, lang.pick("Échec de la connexion", "Failed to connect")),
        TabState::Ended(ended) => match (&ended.failure, &ended.exit) {
            (Some(_), _) => (p.error, lang.pick("Connexion perdue", "Connection lost")),
            (None, exit) => {
                let fine = matches!(exit, Some(Exit::Status(0)) | None);
                let colour = if fine { p.weak } else { p.warn };
                return (colour, end_words(exit.as_ref(), lang));
            }
        },
    };
    (colour, words.to_owned())
}
