//! The card that says how far a file is that is sent over the terminal's line, and
//! how it ended. Chooses no file.

use egui::{ProgressBar, Rect, TextStyle, Ui, pos2, vec2};

use crate::connect::Failure;
use crate::connect::file_send::State;
use crate::gui::terminal::model::Terminal;
use crate::gui::terminal::sending::SendShown;
use crate::gui::text;
use crate::model::lang::{Bi, Lang};

use super::overlays::panel_ui;
use super::{BAR, TerminalView};

/// Height of a card of one line.
const LINE: f32 = 46.0;
/// Between the border of a card and what is on it.
const BORDER: f32 = 8.0;

impl TerminalView {
    pub(super) fn file_ui(&mut self, ui: &mut Ui, rect: Rect, terminal: &Terminal, lang: Lang) {
        let Some(file) = terminal.file() else { return };
        let wide = rect.width() - 16.0 - BAR;
        let tall = match &file.state {
            State::Failed(failure) => failure_height(ui, failure, wide - 2.0 * BORDER, lang),
            _ => LINE,
        };
        let place = Rect::from_min_size(
            pos2(rect.left() + 8.0, rect.top() + 8.0),
            vec2(wide, tall.min(rect.height() - 16.0)),
        );
        let pressed = panel_ui(ui, place, |ui| match &file.state {
            State::Failed(failure) => {
                ui.add(egui::Label::new(failure.what.get(lang)).wrap());
                ui.add(egui::Label::new(failure.todo.get(lang)).wrap());
                ui.button(lang.pick("Fermer", "Close")).clicked()
            }
            State::Waiting | State::Going { .. } => {
                let buttons = |ui: &mut Ui| {
                    let stop = ui.button(lang.pick("Arrêter l’envoi", "Stop sending")).clicked();
                    if let State::Going { sent } = file.state {
                        let part = sent as f32 / file.total.max(1) as f32;
                        ui.add(ProgressBar::new(part).desired_width(120.0).show_percentage());
                    }
                    ui.add(egui::Label::new(words(&file, lang)).truncate());
                    stop
                };
                ui.horizontal(buttons).inner
            }
            State::Done | State::Cancelled => {
                ui.horizontal(|ui| {
                    let close = ui.button(lang.pick("Fermer", "Close")).clicked();
                    ui.add(egui::Label::new(words(&file, lang)).truncate());
                    close
                })
                .inner
            }
        });
        if pressed {
            match file.state.runs() {
                true => terminal.cancel_file(),
                false => terminal.dismiss_file(),
            }
            self.take_keyboard(ui);
        }
    }
}

/// Room for what happened, what to do, and a button.
fn failure_height(ui: &Ui, failure: &Failure, wide: f32, lang: Lang) -> f32 {
    let font = TextStyle::Body.resolve(ui.style());
    let text = |text: &Bi| {
        let text = text.get(lang).to_owned();
        ui.painter().layout(text, font.clone(), ui.visuals().text_color(), wide).size().y
    };
    let spacing = ui.spacing();
    let gaps = 2.0 * (spacing.item_spacing.y + BORDER);
    text(&failure.what) + text(&failure.todo) + spacing.interact_size.y + gaps
}

/// How far it is, in words.
fn words(file: &SendShown, lang: Lang) -> String {
    let SendShown { name, total, protocol, state } = file;
    let protocol = protocol.map_or("", |protocol| protocol.name());
    let all = text::size(*total, lang);
    match (state, lang) {
        (State::Waiting, Lang::Fr) => format!(
            "{protocol}\u{a0}: attend que l’autre côté demande «\u{a0}{name}\u{a0}» ({all}). Le \
             clavier est suspendu."
        ),
        (State::Waiting, Lang::En) => format!(
            "{protocol}: waits for the far side to ask for “{name}” ({all}). The keyboard is held."
        ),
        (State::Going { sent }, Lang::Fr) => {
            let sent = text::size(*sent, lang);
            format!("{protocol}\u{a0}: «\u{a0}{name}\u{a0}», {sent} sur {all}")
        }
        (State::Going { sent }, Lang::En) => {
            let sent = text::size(*sent, lang);
            format!("{protocol}: “{name}”, {sent} of {all}")
        }
        (State::Done, Lang::Fr) => format!("«\u{a0}{name}\u{a0}» est arrivé ({all})."),
        (State::Done, Lang::En) => format!("“{name}” has arrived ({all})."),
        (State::Cancelled, Lang::Fr) => format!("L’envoi de «\u{a0}{name}\u{a0}» est arrêté."),
        (State::Cancelled, Lang::En) => format!("Sending “{name}” was stopped."),
        (State::Failed(failure), _) => failure.what.get(lang).to_owned(),
    }
}
