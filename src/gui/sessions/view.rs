//! Paints the tabs and what is in front of them. Every change goes through
//! [`Sessions`]; nothing here connects or waits.

use std::collections::HashMap;
use std::time::Instant;

use egui::{Align, Context, Frame, Key, Layout, Margin, Modifiers, Panel, RichText, Ui};

use crate::connect::file_send::Protocol;
use crate::connect::link::Exit;
use crate::gui::action::FULL;
use crate::gui::dialogs::{middle_ui, modal, sure_ui, title_ui};
use crate::gui::screen::{BarWish, RawKeys, Screen, ScreenView, screen_bar_ui, screen_size};
use crate::gui::terminal::{TerminalView, links};
use crate::gui::theme::{palette, primary_button};
use crate::gui::vpn::model::state_words as vpn_state;
use crate::gui::widgets::advice::in_window;
use crate::gui::widgets::parts::bold;
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::model::lang::Lang;

use super::back::{Back, TRIES};
use super::model::Sessions;
use super::pages::{self, Chosen};
use super::strip::{self, Click};
use super::tab::{Face, Tab, TabId, TabState};

/// Height of the line below a desktop, before there was one.
const STATUS: f32 = 29.0;
/// Height of the bar over a desktop on the whole screen, and a little below.
const FULL_BAR: f32 = 60.0;

/// What the view keeps between frames.
#[derive(Default)]
pub struct SessionsView {
    terminals: HashMap<TabId, TerminalView>,
    screens: HashMap<TabId, ScreenView>,
    /// Keys for the desktop in front.
    keys: RawKeys,
    /// The desktop in front has the whole screen.
    full: bool,
    /// Height of the line below the last desktop.
    status: Option<f32>,
    typed: SecretBuffer,
    /// The tab and state that got the keyboard last.
    focused: Option<(TabId, u8)>,
    closing: Option<TabId>,
    /// The tab in front gets no keyboard before the person asks for it.
    resting: bool,
    /// The member may forget a pinned server key.
    pub may_forget: bool,
    /// A file is to be chosen for that tab.
    send_file: Option<(TabId, Protocol)>,
}

/// What a tab needs of the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wish {
    /// To be tried again once its ticket was asked for.
    Justify(TabId),
    /// The pinned key of its host forgotten.
    ForgetKey(TabId),
    /// A file chosen, and sent so.
    SendFile(TabId, Protocol),
    /// A folder for the files that were copied on its desktop.
    SaveFiles(TabId),
}

impl SessionsView {
    /// Forgets what is typed and asked over the tabs: the vault was locked.
    pub fn lock(&mut self) {
        self.typed.clear();
        self.focused = None;
        self.closing = None;
        for terminal in self.terminals.values_mut() {
            terminal.lock();
        }
    }

    /// The same of a window whose tabs are gone.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self { keys: self.keys.clone(), full: self.full, ..Self::default() }
    }

    /// The keys of the tabs, where their row is not shown.
    pub fn keys_only(&mut self, ui: &Ui, sessions: &mut Sessions, lang: Lang) {
        self.keys(ui, sessions);
        self.close_ui(ui, sessions, lang);
    }

    /// Leaves the keyboard to the window until the person clicks the tab in front,
    /// or chooses one.
    pub fn rest(&mut self) {
        self.resting = true;
    }

    /// The row of tabs; nothing while there are none. `home` names the page
    /// behind them.
    pub fn strip_ui(&mut self, ui: &mut Ui, sessions: &mut Sessions, lang: Lang, home: &str) {
        self.keys(ui, sessions);
        if sessions.tabs().is_empty() {
            return;
        }
        let click = Panel::top("session-tabs")
            .frame(Frame::NONE)
            .show_separator_line(false)
            .show(ui, |ui| strip::strip_ui(ui, sessions, lang, home))
            .inner;
        match click {
            Some(Click::Home) => sessions.show(None),
            Some(Click::Show(id)) => {
                sessions.show(Some(id));
                self.take_keyboard();
            }
            Some(Click::Close(id)) => self.ask_close(sessions, id),
            Some(Click::Move(id, place)) => sessions.reorder(id, place),
            None => {}
        }
        self.close_ui(ui, sessions, lang);
    }

    /// The tab in front, in all the room there is. Call only when there is one.
    pub fn front_ui(&mut self, ui: &mut Ui, sessions: &mut Sessions, lang: Lang) -> Option<Wish> {
        self.terminals.retain(|id, _| sessions.tab(*id).is_some());
        self.screens.retain(|id, _| sessions.tab(*id).is_some());
        // A desktop that is just beginning should not have to follow at once.
        let below = if self.full { 0.0 } else { self.status.unwrap_or(STATUS) };
        let room = ui.available_size_before_wrap() - egui::vec2(0.0, below);
        sessions.set_pixels(screen_size(ui, room));
        let tab = sessions.front().and_then(|id| sessions.tab(id))?;
        let id = tab.id;
        let refused = tab.refused().is_some();
        let stage = match &tab.state {
            TabState::Connecting { .. } | TabState::Ended(_) if tab.back.is_some() => 5,
            TabState::Connecting { .. } => 0,
            TabState::Question { .. } => 1,
            TabState::Live => 2,
            TabState::Failed(_) => 3,
            TabState::Ended(_) => 4,
        };
        // Another tab, or one that the person acted on.
        let acted = self.focused.is_none_or(|(shown, _)| shown != id);
        let changed = self.focused != Some((id, stage));
        let free = keyboard_is_free(ui);
        // What is typed elsewhere must not go to the far side all of a sudden.
        let resting = std::mem::take(&mut self.resting);
        let fresh = changed && (acted || free) && !resting;
        if changed {
            self.focused = Some((id, stage));
            self.typed.clear();
        }
        if acted && !free && !resting && matches!(tab.state, TabState::Connecting { .. }) {
            // Nothing to type into yet; the keyboard comes when there is, unless it
            // has gone elsewhere again.
            ui.memory_mut(|m| m.focused().into_iter().for_each(|id| m.surrender_focus(id)));
        }
        let chosen = match &tab.state {
            TabState::Live | TabState::Ended(_) => self.open_ui(ui, tab, fresh, lang),
            // The last picture stays while the connection is made again.
            TabState::Connecting { .. } if tab.back.is_some() => self.open_ui(ui, tab, fresh, lang),
            _ => {
                let ground = palette(ui.ctx()).panel;
                let (typed, may_forget) = (&mut self.typed, self.may_forget);
                Frame::new()
                    .fill(ground)
                    .show(ui, |ui| pages::page_ui(ui, tab, typed, fresh, may_forget, lang))
                    .inner
            }
        };
        if let Some(size) = sessions.tab(id).and_then(|tab| Some(tab.terminal()?.size())) {
            sessions.set_size(size);
        }
        if let Some((tab, protocol)) = self.send_file.take() {
            return Some(Wish::SendFile(tab, protocol));
        }
        match chosen {
            Some(Chosen::Cancel) => sessions.cancel(id),
            Some(Chosen::Retry) if refused => return Some(Wish::Justify(id)),
            Some(Chosen::ForgetKey) => return Some(Wish::ForgetKey(id)),
            Some(Chosen::Retry) => sessions.retry(id),
            Some(Chosen::SaveFiles) => return Some(Wish::SaveFiles(id)),
            Some(Chosen::Hasten) => sessions.hasten(id),
            Some(Chosen::Close) => sessions.close(id),
            Some(Chosen::Answer(answer)) => sessions.answer(id, answer),
            None => return None,
        }
        self.focused = None;
        ui.ctx().request_repaint();
        None
    }

    /// True while a terminal has the keyboard, and with it every key but those
    /// of the window.
    pub fn has_keyboard(&self, ctx: &Context, sessions: &Sessions) -> bool {
        sessions.front().is_some_and(|id| ctx.memory(|m| m.has_focus(TerminalView::id(id.0))))
    }

    /// Gives the keyboard to the tab in front, in the next frame.
    pub fn take_keyboard(&mut self) {
        self.focused = None;
        self.resting = false;
    }

    /// What a connection shows, with the line below it.
    fn open_ui(&mut self, ui: &mut Ui, tab: &Tab, fresh: bool, lang: Lang) -> Option<Chosen> {
        let (mut chosen, mut wish) = (None, None);
        if let Some(back) = &tab.back {
            chosen = back_ui(ui, back, lang);
        } else if let TabState::Ended(_) = &tab.state {
            chosen = ended_ui(ui, tab, fresh, lang);
        } else if !self.full {
            let (wished, height) = status_ui(ui, tab, lang);
            wish = wished;
            if tab.screen().is_some() {
                self.status = Some(height);
            }
        }
        let id = TerminalView::id(tab.id.0);
        let response = match tab.face.as_ref()? {
            Face::Terminal(terminal) => {
                let view = self.terminals.entry(tab.id).or_default();
                let output = view.show(ui, id, terminal, lang);
                if let Some(url) = output.open.filter(|url| links::may_open(url)) {
                    ui.ctx().open_url(egui::OpenUrl::new_tab(url));
                }
                if let Some(protocol) = output.send_file {
                    self.send_file = Some((tab.id, protocol));
                }
                output.response
            }
            Face::Screen(screen) => {
                let view = self.screens.entry(tab.id).or_default();
                let response = view.show(ui, id, screen, &self.keys, lang);
                if self.full {
                    wish = full_bar_ui(ui, tab, screen, lang);
                }
                response
            }
        };
        if fresh && matches!(tab.state, TabState::Live) {
            response.request_focus();
        }
        match wish {
            Some(BarWish::Full) => self.turn_full(ui.ctx()),
            Some(BarWish::Keyboard) => self.take_keyboard(),
            Some(BarWish::SaveFiles) => chosen = Some(Chosen::SaveFiles),
            None => {}
        }
        chosen
    }

    /// Where the keys for desktops come from.
    pub fn listen_to(&mut self, keys: RawKeys) {
        self.keys = keys;
    }

    /// Call at the end of each pass: desktops that are not in front hold no keys.
    pub fn settle(&mut self, ctx: &Context, sessions: &Sessions) {
        for (id, view) in &mut self.screens {
            if let Some(screen) = sessions.tab(*id).and_then(Tab::screen) {
                view.rest(ctx, screen, &self.keys);
            }
        }
        let tab = sessions.front().and_then(|id| sessions.tab(id));
        let fills = |tab: &Tab| {
            tab.back.is_some() || tab.screen().is_some_and(|screen| screen.ended().is_none())
        };
        if self.full && !tab.is_some_and(fills) {
            self.turn_full(ctx);
        }
    }

    /// True while the desktop in front has the whole screen.
    pub fn full(&self) -> bool {
        self.full
    }

    fn turn_full(&mut self, ctx: &Context) {
        self.full = !self.full;
        ctx.send_viewport_cmd(egui::ViewportCommand::Fullscreen(self.full));
        self.take_keyboard();
        ctx.request_repaint();
    }

    fn keys(&mut self, ui: &Ui, sessions: &mut Sessions) {
        // A question on top is answered first.
        if ui.memory(|m| m.top_modal_layer().is_some()) {
            return;
        }
        // Programs in a terminal have a use for these two.
        let pages = !self.has_keyboard(ui.ctx(), sessions);
        let desktop = sessions.front().and_then(|id| sessions.tab(id)?.screen()).is_some();
        if desktop && ui.input_mut(|i| i.consume_shortcut(&FULL)) {
            self.turn_full(ui.ctx());
        }
        let (previous, next, close) = ui.input_mut(|i| {
            let shift = Modifiers::CTRL | Modifiers::SHIFT;
            let mut page = |key| pages && i.consume_key(Modifiers::CTRL, key);
            let (up, down) = (page(Key::PageUp), page(Key::PageDown));
            (
                i.consume_key(shift, Key::Tab) | up,
                i.consume_key(Modifiers::CTRL, Key::Tab) | down,
                i.consume_key(shift, Key::W),
            )
        });
        if next || previous {
            sessions.turn(next);
            self.take_keyboard();
        }
        if let Some(id) = sessions.front().filter(|_| close) {
            self.ask_close(sessions, id);
        }
    }

    /// Closes at once what is not running, asks about the rest.
    fn ask_close(&mut self, sessions: &mut Sessions, id: TabId) {
        // A VPN stays up for the sessions that go through it.
        let only_shows = |tab: &Tab| tab.vpn.as_ref().is_some_and(|v| v.own && v.sessions > 1);
        let ends = |tab: &Tab| matches!(tab.state, TabState::Live) && !only_shows(tab);
        if sessions.tab(id).is_some_and(ends) {
            self.closing = Some(id);
        } else {
            sessions.close(id);
            self.focused = None;
        }
    }

    fn close_ui(&mut self, ui: &Ui, sessions: &mut Sessions, lang: Lang) {
        let Some(id) = self.closing else { return };
        let Some(tab) = sessions.tab(id) else {
            self.closing = None;
            return;
        };
        let mut answer = None;
        let modal = modal(ui.ctx(), egui::Id::unique("close-session"), 400.0, |ui| {
            let title = match lang {
                Lang::Fr => format!("Fermer {}\u{a0}?", tab.open_as.title),
                Lang::En => format!("Close {}?", tab.open_as.title),
            };
            title_ui(ui, &title);
            let vpn = tab.vpn.as_ref().is_some_and(|vpn| vpn.own);
            let what = match vpn {
                false => lang.pick(
                    "La session est ouverte\u{a0}: ce qui s’y exécute au premier plan s’arrêtera.",
                    "The session is open: what runs in its foreground will stop.",
                ),
                true => lang.pick(
                    "Aucune autre session ne passe par ce VPN\u{a0}: il sera coupé.",
                    "No other session goes through this VPN: it will be taken down.",
                ),
            };
            middle_ui(ui, |ui| ui.add(egui::Label::new(what).wrap()));
            ui.add_space(8.0);
            let yes = match vpn {
                false => lang.pick("Fermer la session", "Close session"),
                true => lang.pick("Couper le VPN", "Take the VPN down"),
            };
            answer = sure_ui(ui, yes, lang.pick("Garder ouverte", "Keep it open"));
        });
        if modal.should_close() {
            answer = answer.or(Some(false));
        }
        if let Some(close) = answer {
            self.closing = None;
            if close {
                sessions.close(id);
            }
            self.focused = None;
            ui.ctx().request_repaint();
        }
    }
}

/// Whether nothing outside of the tab in front has the keyboard.
fn keyboard_is_free(ui: &Ui) -> bool {
    let holder = ui.memory(|m| m.focused()).and_then(|id| ui.ctx().read_response(id));
    holder.is_none_or(|at| at.layer_id == ui.layer_id() && ui.max_rect().contains(at.rect.center()))
}

/// The bar of a desktop on the whole screen, while the pointer is at the upper edge.
fn full_bar_ui(ui: &Ui, tab: &Tab, screen: &Screen, lang: Lang) -> Option<BarWish> {
    let id = egui::Id::unique("full-screen-bar");
    let room = ui.ctx().content_rect();
    let shown: bool = ui.data(|d| d.get_temp(id)).unwrap_or_default();
    let near = room.top() + if shown { FULL_BAR } else { 2.0 };
    let menu = egui::Popup::is_any_open(ui.ctx());
    let at = ui.input(|i| i.pointer.hover_pos());
    let shown = at.is_some_and(|at| at.y < near) || shown && menu;
    ui.data_mut(|d| d.insert_temp(id, shown));
    if !shown {
        return None;
    }
    let area = egui::Area::new(id).anchor(egui::Align2::CENTER_TOP, egui::Vec2::ZERO);
    let area = area.order(egui::Order::Foreground).show(ui.ctx(), |ui| {
        let frame = Frame::popup(ui.style()).inner_margin(Margin::symmetric(12, 6));
        let row = |ui: &mut Ui| {
            ui.label(bold(format!("{} – {}", tab.open_as.client, tab.open_as.title)));
            screen_bar_ui(ui, screen, true, lang)
        };
        frame.show(ui, |ui| ui.horizontal(row).inner).inner
    });
    area.inner
}

/// The line under what runs: who, how, what is forwarded, warnings, and the buttons of
/// a desktop.
fn status_ui(ui: &mut Ui, tab: &Tab, lang: Lang) -> (Option<BarWish>, f32) {
    let p = palette(ui.ctx());
    let warnings = tab.all_warnings();
    let mut wish = None;
    let quiet = tab.info.description.is_empty() && tab.info.forwards.is_empty();
    let away = tab.vpn_away();
    let through = !tab.info.vpn.is_empty();
    if quiet && !through && away.is_none() && warnings.is_empty() && tab.screen().is_none() {
        return (None, 0.0);
    }
    let calm = warnings.is_empty() && away.is_none();
    let fill = if calm { p.panel } else { p.warn_fill };
    let frame = Frame::new().fill(fill).inner_margin(Margin::symmetric(10, 3));
    let words = |ui: &mut Ui| {
        for warning in &warnings {
            let text = RichText::new(format!("\u{26A0} {}", warning.get(lang)));
            ui.label(text.size(12.0).color(p.warn));
        }
        let small = |text: &str| RichText::new(text).size(12.0).color(p.weak);
        if let Some(now) = away.filter(|_| !through) {
            let words = bold(vpn_state(now, lang)).size(12.0).color(p.warn);
            ui.add(egui::Label::new(words).wrap());
        } else if through {
            let words = strip::vpn_words(tab, lang);
            let words = match away {
                Some(_) => bold(words).size(12.0).color(p.warn),
                None => small(&words),
            };
            ui.add(egui::Label::new(words).wrap());
        }
        if !tab.info.description.is_empty() {
            let mut words = tab.info.description.clone();
            if !tab.info.user.is_empty() {
                words = format!("{} · {words}", tab.info.user);
            }
            ui.add(egui::Label::new(small(&words)).truncate());
        }
        for forward in &tab.info.forwards {
            ui.label(small(forward));
        }
    };
    let panel = Panel::bottom("session-status").frame(frame).show(ui, |ui| {
        ui.spacing_mut().item_spacing = egui::vec2(14.0, 1.0);
        let Some(screen) = tab.screen() else {
            ui.horizontal_wrapped(words);
            return;
        };
        ui.horizontal(|ui| {
            // The buttons first: the words get the room that they leave.
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                wish = screen_bar_ui(ui, screen, false, lang);
                ui.with_layout(Layout::left_to_right(Align::Center).with_main_wrap(true), words);
            });
        });
    });
    (wish, panel.response.rect.height())
}

/// The line under a picture whose connection broke and is made again.
fn back_ui(ui: &mut Ui, back: &Back, lang: Lang) -> Option<Chosen> {
    let p = palette(ui.ctx());
    let frame = Frame::new().fill(p.warn_fill).inner_margin(Margin::symmetric(12, 8));
    let mut chosen = None;
    Panel::bottom("session-back").frame(frame).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(bold(back.why.what.get(lang)).color(p.warn));
            ui.label(back_words(back, lang));
            if back.due.is_some() {
                // The seconds are counted.
                ui.ctx().request_repaint_after(std::time::Duration::from_millis(500));
                let now = lang.pick("Reconnecter maintenant", "Reconnect now");
                if ui.add(primary_button(ui.ctx(), now)).clicked() {
                    chosen = Some(Chosen::Hasten);
                }
            }
            if ui.button(lang.pick("Ne pas reconnecter", "Do not reconnect")).clicked() {
                chosen = Some(Chosen::Cancel);
            }
        });
    });
    chosen
}

fn back_words(back: &Back, lang: Lang) -> String {
    let (attempt, of) = (back.attempt, TRIES);
    match (back.due, lang) {
        (None, Lang::Fr) => format!("Reconnexion en cours, essai {attempt} sur {of}…"),
        (None, Lang::En) => format!("Reconnecting, attempt {attempt} of {of}…"),
        (Some(due), lang) => {
            let secs = due.saturating_duration_since(Instant::now()).as_secs_f32().ceil();
            match lang {
                Lang::Fr => format!("Essai {attempt} sur {of} dans {secs} s."),
                Lang::En => format!("Attempt {attempt} of {of} in {secs} s."),
            }
        }
    }
}

/// The line under a terminal whose session is over.
fn ended_ui(ui: &mut Ui, tab: &Tab, fresh: bool, lang: Lang) -> Option<Chosen> {
    let TabState::Ended(ended) = &tab.state else { return None };
    let p = palette(ui.ctx());
    let fill = if ended.failure.is_some() { p.error_fill } else { p.card };
    let frame = Frame::new().fill(fill).inner_margin(Margin::symmetric(12, 8));
    let mut chosen = None;
    Panel::bottom("session-ended").frame(frame).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            match &ended.failure {
                Some(failure) => {
                    ui.label(bold(failure.what.get(lang)).color(p.error));
                    ui.label(in_window(failure.todo.get(lang), lang));
                }
                None => {
                    ui.label(bold(end_words(ended.exit.as_ref(), lang)));
                }
            }
            let again = ui.add(primary_button(ui.ctx(), lang.pick("Rouvrir", "Open again")));
            if fresh {
                again.request_focus();
            }
            if again.clicked() {
                chosen = Some(Chosen::Retry);
            }
            if ui.button(lang.pick("Fermer l’onglet", "Close the tab")).clicked() {
                chosen = Some(Chosen::Close);
            }
        });
    });
    chosen
}

pub(super) fn end_words(exit: Option<&Exit>, lang: Lang) -> String {
    match (exit, lang) {
        (None, Lang::Fr) => "Session terminée".to_owned(),
        (None, Lang::En) => "Session ended".to_owned(),
        (Some(Exit::Status(n)), Lang::Fr) => format!("Session terminée, code de sortie {n}"),
        (Some(Exit::Status(n)), Lang::En) => format!("Session ended, exit status {n}"),
        (Some(Exit::Signal(name)), Lang::Fr) => format!("Session arrêtée par le signal {name}"),
        (Some(Exit::Signal(name)), Lang::En) => format!("Session ended by signal {name}"),
    }
}
