//! What lies over the terminal: its menu, the search bar, and the questions before
//! a paste or a program's use of the clipboard. Grants neither unasked.

use alacritty_terminal::term::TermMode;
use egui::{Id, Rect, Response, Sense, Stroke, Ui, pos2, vec2};

use crate::connect::file_send::Protocol;
use crate::connect::link::LineSignal;
use crate::gui::dialogs;
use crate::gui::terminal::input::Input;
use crate::gui::terminal::model::Terminal;
use crate::gui::terminal::{find, paste};
use crate::gui::theme;
use crate::model::lang::Lang;

use super::{BAR, TerminalView};

pub(super) struct PasteQuestion {
    pub(super) text: String,
    pub(super) always: bool,
}

impl TerminalView {
    pub(super) fn menu(
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
                let mut button = egui::Button::new(text);
                if !keys.is_empty() {
                    button = button.shortcut_text(keys);
                }
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
            let numbers = match terminal.hex() {
                false => lang.pick("Vue hexadécimale", "Hexadecimal view"),
                true => lang.pick("Vue en texte", "Text view"),
            };
            entry(ui, live, numbers, "", Input::Hex(!terminal.hex()));
            if live && !terminal.signals().is_empty() {
                ui.separator();
                for signal in terminal.signals() {
                    let name = match signal {
                        LineSignal::Break => lang.pick("Envoyer un break", "Send a break"),
                        LineSignal::DtrOff => lang.pick("Baisser DTR", "Lower DTR"),
                        LineSignal::DtrOn => lang.pick("Relever DTR", "Raise DTR"),
                        LineSignal::BytesOn | LineSignal::BytesOff => continue,
                    };
                    entry(ui, true, name, "", Input::Signal(signal));
                }
            }
            // lrzsz is not for Windows.
            if live && cfg!(unix) {
                ui.separator();
                let free = terminal.file().is_none_or(|file| !file.state.runs());
                let label = lang.pick("Envoyer un fichier", "Send a file");
                ui.add_enabled_ui(free, |ui| {
                    ui.menu_button(label, |ui| {
                        for protocol in Protocol::ALL {
                            let name = format!("{}…", protocol.name());
                            entry(ui, true, &name, "", Input::SendFile(protocol));
                        }
                    });
                });
            }
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

    pub(super) fn overlays_ui(
        &mut self,
        ui: &mut Ui,
        id: Id,
        rect: Rect,
        terminal: &Terminal,
        lang: Lang,
    ) {
        if self.find.open {
            let width = 520.0_f32.min(rect.width() - 20.0);
            let place = Rect::from_min_size(
                pos2(rect.right() - BAR - width - 4.0, rect.top() + 4.0),
                vec2(width, 44.0),
            );
            let act = panel_ui(ui, place, |ui| self.find.bar_ui(ui, lang));
            if let Some(act) = act {
                self.find.act(act);
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
        let modal = dialogs::modal(ui.ctx(), id.with("paste"), 520.0, |ui| {
            let title = match (lang, lines) {
                (Lang::Fr, 1) => "Coller une ligne et la valider\u{a0}?".to_owned(),
                (Lang::En, 1) => "Paste one line and run it?".to_owned(),
                (Lang::Fr, n) => format!("Coller {n} lignes\u{a0}?"),
                (Lang::En, n) => format!("Paste {n} lines?"),
            };
            dialogs::title_ui(ui, &title);
            dialogs::middle_ui(ui, |ui| {
                let what = lang.pick(
                    "Chaque ligne peut être exécutée aussitôt par le serveur.",
                    "The server may run each line at once.",
                );
                ui.add(egui::Label::new(what).wrap());
                egui::ScrollArea::both().max_height(200.0).show(ui, |ui| {
                    let shown: String = question.text.chars().take(4000).collect();
                    ui.add(egui::Label::new(egui::RichText::new(shown).monospace()).extend());
                });
            });
            ui.checkbox(
                &mut question.always,
                lang.pick("Ne plus demander dans cet onglet", "Do not ask again in this tab"),
            );
            ui.add_space(4.0);
            ui.memory_mut(|m| m.surrender_focus(id));
            let (yes, no) = (lang.pick("Coller", "Paste"), lang.pick("Annuler", "Cancel"));
            answer = dialogs::sure_ui(ui, yes, no);
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
}

/// A card over the terminal.
pub(super) fn panel_ui<R>(ui: &mut Ui, place: Rect, add: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::palette(ui.ctx());
    ui.painter().rect(place, 6.0, p.card, Stroke::new(1.0, p.outline), egui::StrokeKind::Inside);
    // Keeps clicks beside the buttons from reaching the terminal.
    ui.interact(place, ui.scope_id().with(("panel", place.min.y as i32)), Sense::click_and_drag());
    let builder = egui::UiBuilder::new().max_rect(place.shrink(8.0));
    ui.scope_builder(builder, add).inner
}
