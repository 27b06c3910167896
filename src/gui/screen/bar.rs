//! The buttons of a desktop: keys that the system keeps for itself, and the whole
//! screen.

use egui::containers::menu::MenuButton;
use egui::{Button, RichText, Ui};

use crate::connect::screen::{KeyStroke, ScreenInput};
use crate::gui::theme::palette;
use crate::model::lang::Lang;

use super::files::Progress;
use super::model::Screen;

/// What a button wants of the window.
pub enum BarWish {
    /// The desktop on the whole screen, or in its tab again.
    Full,
    /// The keyboard back for the desktop.
    Keyboard,
    /// The files that were copied there, in a folder of this machine.
    SaveFiles,
}

/// A key by its make code, prefix and keysym.
type Sent = (u8, bool, u32);

const CTRL: Sent = (0x1D, false, 0xFFE3);
const ALT: Sent = (0x38, false, 0xFFE9);
const SHIFT: Sent = (0x2A, false, 0xFFE1);
const SUPER: Sent = (0x5B, true, 0xFFEB);
const DELETE: Sent = (0x53, true, 0xFFFF);
const ESCAPE: Sent = (0x01, false, 0xFF1B);
const TAB: Sent = (0x0F, false, 0xFF09);
const F4: Sent = (0x3E, false, 0xFFC1);
const PRINT: Sent = (0x37, true, 0xFF61);
const R: Sent = (0x13, false, 0x72);
const E: Sent = (0x12, false, 0x65);
const L: Sent = (0x26, false, 0x6C);

/// Names and keys of the menu.
const MENU: &[(&str, &str, &[Sent])] = &[
    ("Ctrl+Alt+Suppr", "Ctrl+Alt+Delete", &[CTRL, ALT, DELETE]),
    (
        "Ctrl+Maj+Échap (gestionnaire des tâches)",
        "Ctrl+Shift+Esc (task manager)",
        &[CTRL, SHIFT, ESCAPE],
    ),
    ("Touche Windows", "Windows key", &[SUPER]),
    ("Windows+R (exécuter)", "Windows+R (run)", &[SUPER, R]),
    ("Windows+E (explorateur)", "Windows+E (file explorer)", &[SUPER, E]),
    ("Windows+L (verrouiller)", "Windows+L (lock)", &[SUPER, L]),
    ("Alt+Tab", "Alt+Tab", &[ALT, TAB]),
    ("Alt+F4", "Alt+F4", &[ALT, F4]),
    ("Impr. écran", "Print Screen", &[PRINT]),
];

/// The buttons, from the right edge.
pub fn screen_bar_ui(ui: &mut Ui, screen: &Screen, full: bool, lang: Lang) -> Option<BarWish> {
    let mut wish = None;
    let small = |text: &str| RichText::new(text).size(12.0);
    let name = match full {
        true => lang.pick("Quitter le plein écran", "Leave full screen"),
        false => lang.pick("Plein écran", "Full screen"),
    };
    let keys = lang.pick("Ctrl+Alt+Entrée", "Ctrl+Alt+Enter");
    if ui.add(Button::new(small(name)).small()).on_hover_text(keys).clicked() {
        wish = Some(BarWish::Full);
    }
    let keys = Button::new(small(lang.pick("Touches", "Keys"))).small();
    MenuButton::from_button(keys).ui(ui, |ui| {
        for (fr, en, keys) in MENU {
            if ui.button(lang.pick(fr, en)).clicked() {
                press(screen, keys);
                ui.close();
                wish = Some(BarWish::Keyboard);
            }
        }
    });
    if files_ui(ui, screen, lang) {
        wish = Some(BarWish::SaveFiles);
    }
    wish
}

/// What there is to do and to tell of copied files; true when they are to be saved.
fn files_ui(ui: &mut Ui, screen: &Screen, lang: Lang) -> bool {
    let p = palette(ui.ctx());
    let small = |text: &str| RichText::new(text).size(12.0);
    let files = screen.files();
    if let Some(Progress { done, of, bytes }) = files.progress() {
        if ui.add(Button::new(small(lang.pick("Arrêter", "Stop"))).small()).clicked() {
            files.stop();
        }
        let mib = bytes >> 20;
        let words = match lang {
            Lang::Fr => format!("Enregistrement\u{a0}: {done} sur {of}, {mib} Mio"),
            Lang::En => format!("Saving: {done} of {of}, {mib} MiB"),
        };
        ui.label(small(&words));
        return false;
    }
    let (mut save, copied) = (false, files.copied());
    if copied > 0 && screen.ended().is_none() {
        let words = match lang {
            Lang::Fr => format!("Enregistrer les fichiers copiés ({copied})…"),
            Lang::En => format!("Save copied files ({copied})…"),
        };
        save = ui.add(Button::new(small(&words)).small()).clicked();
    }
    if let Some(news) = files.news() {
        let close = Button::new(small("×")).small();
        let seen = ui.add(close).on_hover_text(lang.pick("Masquer", "Hide")).clicked();
        let colour = if news.bad { p.error } else { p.weak };
        let words = small(news.words.get(lang)).color(colour);
        ui.add(egui::Label::new(words).truncate()).on_hover_text(news.words.get(lang));
        if seen {
            files.forget_news();
        }
    }
    save
}

/// Presses the keys together.
fn press(screen: &Screen, keys: &[Sent]) {
    let stroke = |&(scancode, extended, keysym): &Sent, down| {
        ScreenInput::Key(KeyStroke { scancode, extended, keysym, down })
    };
    for key in keys {
        screen.send(stroke(key, true));
    }
    for key in keys.iter().rev() {
        screen.send(stroke(key, false));
    }
}
