//! Small questions on top of the window. One at a time; Escape closes.

pub mod frame;
pub mod generator;
pub mod justify;
pub mod path;
pub mod question;

pub use frame::{middle_ui, modal, title_ui};

use std::path::PathBuf;

use egui::{Id, RichText, Ui, vec2};

use crate::app::api::Justification;
use crate::model::id::EntryId;
use crate::model::lang::{Bi, Lang};

use super::act::{Act, Acts};
use super::action;
use super::text::t;
use super::theme::{danger_button, palette};
use super::widgets::parts;
use super::worker::Pick;

/// The question that stands on top.
pub enum Dialog {
    /// Ticket and reason.
    Justify(justify::JustifyModel),
    /// Yes or no.
    Confirm(Confirm),
    /// As that, where "cancel" could mean what was typed as well as the question.
    Discard(Confirm),
    /// Where to move a node.
    Move(Box<path::MoveModel>),
    /// A path typed by hand, where the desktop has no file chooser.
    Path {
        /// For what.
        pick: Pick,
        /// What is typed.
        path: String,
        /// The file about which was said that it exists.
        asked: Option<PathBuf>,
    },
    /// The password generator.
    Generator(Box<generator::GeneratorModel>),
    /// What a device asks before its configuration is read.
    Question(Box<question::QuestionModel>),
    /// The shortcuts.
    Help,
}

/// A question with one answer that acts.
pub struct Confirm {
    /// In a few words.
    pub title: Bi,
    /// What will happen.
    pub text: Bi,
    /// Words on the button.
    pub yes: Bi,
    /// What it does.
    pub acts: Acts,
}

/// What became of the dialog in this frame.
pub enum Outcome {
    /// It stays.
    Open,
    /// It goes.
    Close,
    /// A path was typed.
    Path(Pick, PathBuf),
    /// It is to move there.
    MoveTo(EntryId, String, Justification),
}

/// Paints the dialog.
pub fn dialog_ui(ui: &mut Ui, dialog: &mut Dialog, lang: Lang, acts: &mut Acts) -> Outcome {
    let width = match dialog {
        Dialog::Justify(_) | Dialog::Confirm(_) | Dialog::Discard(_) => 420.0,
        Dialog::Move(_) | Dialog::Path { .. } => 460.0,
        Dialog::Generator(_) => 500.0,
        Dialog::Question(_) => 540.0,
        Dialog::Help => 520.0,
    };
    let salt = opening(ui);
    let modal = modal(ui.ctx(), Id::unique("dialog"), width, |ui| {
        ui.push_id(salt, |ui| dialog_inner_ui(ui, dialog, lang, acts)).inner
    });
    if modal.should_close() {
        if let Dialog::Question(model) = dialog {
            model.give_up();
        }
        Outcome::Close
    } else {
        modal.inner
    }
}

/// Which opening of a dialog this is: egui keeps the caret of a field by its id,
/// and the text of another one is none of its business.
fn opening(ui: &Ui) -> u64 {
    let id = Id::unique("dialog-opening");
    let now = ui.ctx().cumulative_pass_nr();
    ui.data_mut(|data| {
        let (opening, seen): (u64, u64) = data.get_temp(id).unwrap_or_default();
        let opening = if seen + 1 < now { opening + 1 } else { opening };
        data.insert_temp(id, (opening, now));
        opening
    })
}

fn dialog_inner_ui(ui: &mut Ui, dialog: &mut Dialog, lang: Lang, acts: &mut Acts) -> Outcome {
    match dialog {
        Dialog::Justify(model) => justify::justify_ui(ui, model, lang, acts),
        Dialog::Confirm(confirm) => {
            confirm_ui(ui, confirm, t(lang, "Annuler", "Cancel"), lang, acts)
        }
        Dialog::Discard(confirm) => {
            let no = t(lang, "Continuer la saisie", "Go on editing");
            confirm_ui(ui, confirm, no, lang, acts)
        }
        Dialog::Move(model) => path::move_ui(ui, model, lang),
        Dialog::Path { pick, path, asked } => path::path_ui(ui, pick, path, asked, lang),
        Dialog::Generator(model) => generator::generator_ui(ui, model, lang, acts),
        Dialog::Question(model) => question::question_ui(ui, model, lang),
        Dialog::Help => help_ui(ui, lang),
    }
}

fn confirm_ui(
    ui: &mut Ui,
    confirm: &mut Confirm,
    no: &str,
    lang: Lang,
    acts: &mut Acts,
) -> Outcome {
    title_ui(ui, confirm.title.get(lang));
    middle_ui(ui, |ui| ui.add(egui::Label::new(confirm.text.get(lang)).wrap()));
    ui.add_space(12.0);
    match sure_ui(ui, confirm.yes.get(lang), no) {
        Some(true) => {
            acts.append(&mut confirm.acts);
            Outcome::Close
        }
        Some(false) => Outcome::Close,
        None => Outcome::Open,
    }
}

/// The two answers to a question about something that takes away: the one that
/// keeps all as it is has the keyboard, so that an Enter too many does no harm.
pub fn sure_ui(ui: &mut Ui, yes: &str, no: &str) -> Option<bool> {
    ui.horizontal_wrapped(|ui| {
        let yes = ui.add(danger_button(ui.ctx(), yes));
        let no = ui.button(no);
        if ui.memory(|m| m.focused().is_none()) {
            no.request_focus();
        }
        yes.clicked().then_some(true).or(no.clicked().then_some(false))
    })
    .inner
}

fn help_ui(ui: &mut Ui, lang: Lang) -> Outcome {
    title_ui(ui, t(lang, "Raccourcis", "Shortcuts"));
    let p = palette(ui.ctx());
    let fixed = [
        (
            "\u{2191}  \u{2193}",
            t(lang, "Parcourir la liste ou les résultats", "Move through list or results"),
        ),
        (
            t(lang, "Entrée", "Enter"),
            t(lang, "Se connecter, ou ouvrir le dossier", "Connect, or open the folder"),
        ),
        ("\u{2190}  \u{2192}", t(lang, "Fermer ou ouvrir un dossier", "Close or open a folder")),
        (
            t(lang, "Échap", "Escape"),
            t(lang, "Vider la recherche, fermer un dialogue", "Empty the search, close a dialog"),
        ),
    ];
    middle_ui(ui, |ui| {
        let grid = egui::Grid::new("help").num_columns(2).spacing(vec2(24.0, 6.0));
        grid.min_row_height(20.0).show(ui, |ui| {
            let mut row = |keys: &str, name: &str| {
                ui.label(RichText::new(keys).monospace().color(p.accent));
                ui.label(name);
                ui.end_row();
            };
            for (keys, name) in fixed {
                row(keys, name);
            }
            for shortcut in action::ALL {
                row(&shortcut.keys_text(lang), shortcut.name(lang));
            }
            for (keys, name) in action::tabs(lang) {
                row(keys, name);
            }
        });
        ui.add_space(8.0);
        let hint = t(
            lang,
            "Dans un terminal, seules les touches avec Ctrl+Maj, Ctrl+Tab et celles de la taille du texte appartiennent à la fenêtre.",
            "In a terminal, only the keys with Ctrl+Shift, Ctrl+Tab and those of the text size belong to the window.",
        );
        ui.add(egui::Label::new(RichText::new(hint).color(p.weak)).wrap());
    });
    ui.add_space(8.0);
    if ui.button(t(lang, "Fermer", "Close")).clicked() { Outcome::Close } else { Outcome::Open }
}

/// A yes-or-no question.
pub fn confirm(title: Bi, text: Bi, yes: Bi, acts: Vec<Act>) -> Dialog {
    Dialog::Confirm(Confirm { title, text, yes, acts })
}

/// A yes-or-no question before something that cannot be undone.
pub fn warn(title: Bi, text: Bi, yes: Bi, acts: Vec<Act>) -> Dialog {
    Dialog::Confirm(Confirm { title, text, yes, acts })
}

/// Paints what happened and what to do, if something did.
pub fn error_ui(ui: &mut Ui, lang: Lang, error: Option<&crate::app::api::AppError>) {
    if let Some(e) = error {
        ui.add_space(6.0);
        parts::failure(ui, lang, &e.what, &e.todo);
    }
}
