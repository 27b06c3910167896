//! The bar at the top: pages, search, lock. Paints; decides nothing.

use std::time::Duration;

use egui::containers::menu::MenuButton;
use egui::{
    Align, EventFilter, Id, Key, Layout, Margin, Modifiers, Panel, RichText, TextEdit, Ui, vec2,
};

use crate::gui::act::{Act, Acts, Page};
use crate::gui::action::{Action, keys_of};
use crate::gui::entries::list::ListModel;
use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::widgets::{mark, parts};
use crate::model::lang::Lang;

use super::lock::COUNTDOWN;

/// From this width on there is room for everything; below, what is used rarely
/// goes into a menu.
const WIDE: f32 = 720.0;
/// Below this width the pages go into a menu as well.
const NARROW: f32 = 600.0;

/// The bar of the screens without a vault: language and look.
pub fn plain_ui(ui: &mut Ui, lang: Lang, acts: &mut Acts) {
    Panel::top("plain-bar").show_separator_line(false).show(ui, |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| look_ui(ui, lang, acts));
    });
}

/// Help, look and language: what each is called, and what it does.
fn looks(lang: Lang) -> [(String, Act); 3] {
    let help = format!("{} (F1)", t(lang, "Raccourcis", "Shortcuts"));
    let theme = t(lang, "Clair ou sombre", "Light or dark");
    let (other, name) = match lang {
        Lang::Fr => (Lang::En, "English"),
        Lang::En => (Lang::Fr, "Français"),
    };
    [
        (help, Act::Help),
        (theme.to_owned(), Act::ToggleTheme),
        (name.to_owned(), Act::Language(other)),
    ]
}

fn look_ui(ui: &mut Ui, lang: Lang, acts: &mut Acts) {
    let signs = ["?", "\u{25d1}", lang.pick("EN", "FR")];
    for (sign, (name, act)) in signs.into_iter().zip(looks(lang)) {
        if parts::icon_button(ui, sign, &name).clicked() {
            acts.push(act);
        }
    }
}

/// What the bar needs to know.
pub struct Bar<'a> {
    /// Language.
    pub lang: Lang,
    /// The page that is on.
    pub page: Page,
    /// The list, for its search box.
    pub list: &'a mut ListModel,
    /// Pages this member may see.
    pub pages: &'a [(Page, &'static str, Action)],
    /// Before the idle lock.
    pub idle_left: Option<Duration>,
    /// Put the keyboard into the search box.
    pub focus_search: bool,
    /// A warning that stays: read only.
    pub read_only: bool,
    /// May search.
    pub search: bool,
    /// Keys that nothing else takes move through the list.
    pub list_keys: bool,
}

/// The bar of the open vault.
pub fn bar_ui(ui: &mut Ui, bar: Bar<'_>, acts: &mut Acts) {
    let p = palette(ui.ctx());
    let frame = egui::Frame::new().fill(p.card).inner_margin(Margin::symmetric(10, 7));
    let wide = ui.available_width() >= WIDE;
    let narrow = ui.available_width() < NARROW;
    Panel::top("bar").frame(frame).show(ui, |ui| {
        ui.horizontal_centered(|ui| {
            let (rect, _) = ui.allocate_exact_size(vec2(24.0, 28.0), egui::Sense::hover());
            mark::paint(ui.painter(), rect, p.accent_fill, p.on_accent);
            if narrow {
                pages_menu_ui(ui, &bar, acts);
            } else {
                pages_ui(ui, &bar, acts);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                lock_ui(ui, bar.lang, bar.idle_left, !wide, acts);
                if wide {
                    look_ui(ui, bar.lang, acts);
                    let name = generator_name(bar.lang);
                    if parts::drawn_button(ui, parts::Icon::Dice, &name).clicked() {
                        acts.push(Act::Generator(None));
                    }
                } else {
                    more_ui(ui, bar.lang, acts);
                }
                if bar.read_only {
                    parts::badge(ui, t(bar.lang, "Lecture seule", "Read only"), p.warn);
                }
                if bar.search {
                    let own = (bar.focus_search, bar.list_keys);
                    search_ui(ui, bar.list, bar.lang, own, acts);
                }
            });
        });
    });
}

fn pages_ui(ui: &mut Ui, bar: &Bar<'_>, acts: &mut Acts) {
    let p = palette(ui.ctx());
    for (page, name, action) in bar.pages {
        let on = *page == bar.page;
        let text = if on { parts::bold(*name).color(p.accent) } else { RichText::new(*name) };
        let button = egui::Button::selectable(false, text).min_size(vec2(0.0, 28.0));
        let response = ui.add(button);
        if on {
            let line = response.rect;
            let y = line.bottom() + 3.0;
            let stroke = egui::Stroke::new(2.0, p.accent);
            ui.painter().hline(line.x_range().shrink(6.0), y, stroke);
        }
        if response.on_hover_text(keys_of(*action, bar.lang)).clicked() {
            acts.push(Act::Go(*page));
        }
    }
}

/// The pages in a menu, which is named after the one that is on.
fn pages_menu_ui(ui: &mut Ui, bar: &Bar<'_>, acts: &mut Acts) {
    let on = bar.pages.iter().find(|(page, ..)| *page == bar.page);
    let name = on.map_or("", |(_, name, _)| *name);
    let menu = ui.menu_button(parts::bold(format!("{name} \u{25be}")), |ui| {
        for (page, name, action) in bar.pages {
            let button = egui::Button::selectable(*page == bar.page, *name);
            if ui.add(button.shortcut_text(keys_of(*action, bar.lang))).clicked() {
                acts.push(Act::Go(*page));
            }
        }
    });
    menu.response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
}

fn generator_name(lang: Lang) -> String {
    let name = t(lang, "Générer un mot de passe", "Generate a password");
    format!("{name} ({})", keys_of(Action::Generator, lang))
}

/// What the bar has no room for.
fn more_ui(ui: &mut Ui, lang: Lang, acts: &mut Acts) {
    let button = egui::Button::new(RichText::new("\u{22ee}").size(15.0));
    let name = t(lang, "Autres commandes", "More commands");
    let (response, _) = MenuButton::from_button(button.min_size(vec2(30.0, 28.0))).ui(ui, |ui| {
        if ui.button(generator_name(lang)).clicked() {
            acts.push(Act::Generator(None));
        }
        for (name, act) in looks(lang) {
            if ui.button(name).clicked() {
                acts.push(act);
            }
        }
    });
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name));
    response.on_hover_text(name);
}

fn lock_ui(ui: &mut Ui, lang: Lang, left: Option<Duration>, short: bool, acts: &mut Acts) {
    let p = palette(ui.ctx());
    let near = left.filter(|l| *l <= COUNTDOWN);
    let text = match near {
        Some(left) => RichText::new(format!("\u{1f512} {} s", left.as_secs())).color(p.warn),
        None if short => RichText::new("\u{1f512}"),
        None => RichText::new(format!("\u{1f512} {}", t(lang, "Verrouiller", "Lock"))),
    };
    // As wide with the seconds as with the word, so that the search stays in place.
    let width = if short { 64.0 } else { 112.0 };
    let response = ui.add(egui::Button::new(text).min_size(vec2(width, 28.0)));
    let name = match (near, lang) {
        (Some(left), Lang::Fr) => format!("Verrouillage dans {} s", left.as_secs()),
        (Some(left), Lang::En) => format!("Locks in {} s", left.as_secs()),
        (None, _) => t(lang, "Verrouiller", "Lock").to_owned(),
    };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, name.as_str()));
    let minutes = left.map_or(0, |l| l.as_secs().div_ceil(60));
    let tip = match lang {
        Lang::Fr => format!("Ctrl+L. Sans activité, verrouillage dans {minutes} min."),
        Lang::En => format!("Ctrl+L. Locks in {minutes} min without activity."),
    };
    if response.on_hover_text(tip).clicked() {
        acts.push(Act::Lock);
    }
}

fn search_ui(
    ui: &mut Ui,
    list: &mut ListModel,
    lang: Lang,
    (focus, list_keys): (bool, bool),
    acts: &mut Acts,
) {
    let id = search_id();
    let focused = ui.memory(|m| m.focused());
    let mine = focused == Some(id) || (list_keys && focused.is_none());
    let enter = mine && keys(ui, list, acts);
    let width = (ui.available_width() - 12.0).clamp(60.0, 460.0);
    let hint = t(lang, "Rechercher partout  (Ctrl+K)", "Search everything  (Ctrl+K)");
    let edit = TextEdit::singleline(&mut list.search.query)
        .id(id)
        .desired_width(width)
        .margin(vec2(10.0, 5.0))
        .event_filter(EventFilter {
            horizontal_arrows: true,
            vertical_arrows: true,
            tab: false,
            // Empties the box first; a field gives the keyboard up on it otherwise.
            escape: true,
        })
        .hint_text(hint);
    let response = ui.add(edit);
    let name = t(lang, "Rechercher", "Search");
    let response = response.accessible_name(name);
    if focus {
        response.request_focus();
        if let Some(mut state) = TextEdit::load_state(ui.ctx(), id) {
            let end = egui::text::CCursor::new(list.search.query.chars().count());
            let all = egui::text::CCursorRange::two(egui::text::CCursor::new(0), end);
            state.cursor.set_char_range(Some(all));
            TextEdit::store_state(ui.ctx(), id, state);
        }
    }
    if response.changed() {
        acts.push(Act::Go(Page::Entries));
        if let Some((number, query)) = list.search.ask() {
            acts.push(Act::Send(crate::gui::worker::Command::Find(number, query)));
        } else {
            list.reveal();
        }
    }
    // Only now: what was typed just before may have come in the same frame.
    if enter {
        list.enter(acts);
    }
}

/// The search box, for who needs to know whether it has the keyboard.
pub fn search_id() -> Id {
    Id::unique("search-box")
}

/// Arrows and Enter in the search box, and where nothing has the keyboard, belong
/// to the list; true for Enter.
fn keys(ui: &mut Ui, list: &mut ListModel, acts: &mut Acts) -> bool {
    let pressed = |key: Key| ui.input_mut(|i| i.count_and_consume_key(Modifiers::NONE, key));
    let down = pressed(Key::ArrowDown);
    let up = pressed(Key::ArrowUp);
    let page = pressed(Key::PageDown) as isize - pressed(Key::PageUp) as isize;
    let step = down as isize - up as isize + 12 * page;
    let enter = pressed(Key::Enter) > 0;
    let (mut left, mut right) = (false, false);
    let empty = list.search.query.is_empty();
    if empty {
        left = pressed(Key::ArrowLeft) > 0;
        right = pressed(Key::ArrowRight) > 0;
    }
    let escape = pressed(Key::Escape) > 0;
    if step != 0 {
        list.step(step, acts);
    }
    if left || right {
        list.sideways(right, acts);
    }
    if escape && empty {
        ui.memory_mut(|m| m.surrender_focus(search_id()));
    } else if escape {
        list.search.clear();
        list.reveal();
    }
    enter
}
