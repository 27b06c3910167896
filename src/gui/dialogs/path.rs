//! Questions whose answer is a path: of a file, where the desktop has no
//! chooser, or inside the vault.

use std::ops::Range;
use std::path::PathBuf;

use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{TextEdit, Ui};

use crate::app::api::{AppError, Justification};
use crate::gui::text::t;
use crate::gui::theme::primary_button;
use crate::gui::widgets::parts;
use crate::gui::worker::Pick;
use crate::model::id::EntryId;
use crate::model::lang::Lang;

use super::{Outcome, error_ui, middle_ui, sure_ui, title_ui};

/// Asks for a file by its path.
///
/// A file that is there already is replaced only after a question, whose safe
/// answer has the keyboard; `asked` is the one about which that was said.
pub fn path_ui(
    ui: &mut Ui,
    pick: &Pick,
    path: &mut String,
    asked: &mut Option<PathBuf>,
    lang: Lang,
) -> Outcome {
    let saves = pick.saves();
    title_ui(
        ui,
        if saves {
            t(lang, "Enregistrer sous", "Save as")
        } else {
            t(lang, "Ouvrir un fichier", "Open a file")
        },
    );
    let hint = t(
        lang,
        "Ce bureau n’offre pas de sélecteur de fichiers\u{a0}: saisissez le chemin complet.",
        "This desktop offers no file chooser: type the full path.",
    );
    let label = t(lang, "Chemin du fichier", "Path of the file");
    let (field, enter) = middle_ui(ui, |ui| {
        ui.add(egui::Label::new(hint).wrap());
        field_ui(ui, label, path, None, asked.is_none())
    });
    let typed = PathBuf::from(path.trim());
    if asked.as_deref() == Some(&typed) {
        match replaces_ui(ui, lang) {
            Some(true) => return Outcome::Path(pick.clone(), typed),
            Some(false) => {
                *asked = None;
                field.request_focus();
            }
            None => {}
        }
        return Outcome::Open;
    }
    let go = t(lang, "Continuer", "Continue");
    match go_ui(ui, go, !path.trim().is_empty(), enter, lang) {
        // The vault's own place is looked at when the vault is made.
        Some(true) if saves && *pick != Pick::NewVault && typed.exists() => {
            *asked = Some(typed);
            // It was the field's Enter, which the question does not take.
            ui.memory_mut(|m| m.surrender_focus(field.id));
            ui.ctx().request_repaint();
            Outcome::Open
        }
        Some(true) => Outcome::Path(pick.clone(), typed),
        Some(false) => Outcome::Close,
        None => Outcome::Open,
    }
}

/// Says that there is such a file, and asks whether it is to be replaced.
pub fn replaces_ui(ui: &mut Ui, lang: Lang) -> Option<bool> {
    ui.add_space(6.0);
    parts::warn_box(
        ui,
        t(lang, "Ce fichier existe déjà.", "This file exists already."),
        t(
            lang,
            "Écrivez un autre nom, ou remplacez-le\u{a0}: son contenu sera perdu.",
            "Type another name, or replace it: what it holds will be lost.",
        ),
    );
    ui.add_space(12.0);
    let (yes, no) =
        (t(lang, "Remplacer", "Replace"), t(lang, "Ne pas remplacer", "Do not replace"));
    sure_ui(ui, yes, no)
}

/// State of the question where a node goes.
pub struct MoveModel {
    /// Which.
    pub id: EntryId,
    /// Path it has now.
    pub path: String,
    /// What is typed.
    pub to: String,
    /// The characters of the name in it, to be selected when the question opens.
    pub select: Option<Range<usize>>,
    /// Ticket, for a client that asks for it when something leaves it.
    pub ticket: String,
    /// Reason, likewise.
    pub reason: String,
    /// The application looks at it.
    pub waiting: bool,
    /// Why it refused.
    pub error: Option<AppError>,
}

impl MoveModel {
    /// A question about what is at `path` now.
    pub fn new(id: EntryId, path: &str) -> Self {
        let before = path.rfind('/').map_or(0, |at| at + 1);
        let from = path[..before].chars().count();
        Self {
            id,
            select: Some(from..from + path[before..].chars().count()),
            path: path.to_owned(),
            to: path.to_owned(),
            ticket: String::new(),
            reason: String::new(),
            waiting: false,
            error: None,
        }
    }
}

/// Asks where to move a node, and why, for a client that wants to know. It stays
/// until the node has moved.
pub fn move_ui(ui: &mut Ui, model: &mut MoveModel, lang: Lang) -> Outcome {
    let MoveModel { id, path, to, select, ticket, reason, waiting, error } = model;
    title_ui(ui, t(lang, "Déplacer ou renommer", "Move or rename"));
    let hint = t(
        lang,
        "Un dossier existant y reçoit l’accès\u{a0}; un chemin nouveau le renomme.",
        "An existing folder takes the entry in; a new path renames it.",
    );
    let label = t(lang, "Nouvel emplacement", "New place");
    let enter = middle_ui(ui, |ui| {
        ui.add(egui::Label::new(path.as_str()).wrap());
        ui.add(egui::Label::new(hint).wrap());
        let (_, mut enter) = field_ui(ui, label, to, select.take(), true);
        ui.add_space(6.0);
        let hint = t(
            lang,
            "Vers un autre client, si celui qu’il quitte les exige\u{a0}:",
            "To another client, if the one it leaves asks for them:",
        );
        ui.add(egui::Label::new(hint).wrap());
        for (label, text) in [
            (t(lang, "Numéro de ticket", "Ticket number"), &mut *ticket),
            (t(lang, "Motif", "Reason"), &mut *reason),
        ] {
            let name = ui.label(label);
            let edit = TextEdit::singleline(text).desired_width(f32::INFINITY);
            let out = ui.add(edit).labelled_by(name.id);
            if out.changed() {
                *error = None;
            }
            enter |= entered(ui, &out);
        }
        enter
    });
    error_ui(ui, lang, error.as_ref());
    let go = t(lang, "Continuer", "Continue");
    let given = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    match go_ui(ui, go, !to.trim().is_empty() && !*waiting, enter, lang) {
        Some(true) => {
            *waiting = true;
            *error = None;
            let just = Justification { ticket: given(ticket), reason: given(reason) };
            Outcome::MoveTo(*id, to.trim().to_owned(), just)
        }
        Some(false) => Outcome::Close,
        None => Outcome::Open,
    }
}

/// Whether Enter was pressed in a field of one line.
pub fn entered(ui: &Ui, field: &egui::Response) -> bool {
    field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter))
}

/// The field of the dialog, and whether Enter was pressed in it. It has the
/// keyboard when nothing else has it, unless the dialog asks something (`first`).
fn field_ui(
    ui: &mut Ui,
    label: &str,
    text: &mut String,
    select: Option<Range<usize>>,
    first: bool,
) -> (egui::Response, bool) {
    ui.add_space(6.0);
    let name = ui.label(label);
    let out = ui.add(TextEdit::singleline(text).desired_width(f32::INFINITY)).labelled_by(name.id);
    if let Some(select) = select {
        let mut state = TextEditState::load(ui.ctx(), out.id).unwrap_or_default();
        let range = CCursorRange::two(CCursor::new(select.start), CCursor::new(select.end));
        state.cursor.set_char_range(Some(range));
        state.store(ui.ctx(), out.id);
    }
    let enter = entered(ui, &out);
    if first && ui.memory(|m| m.focused().is_none()) && !enter {
        out.request_focus();
    }
    (out, enter)
}

/// The two buttons: true to go on, false to leave.
fn go_ui(ui: &mut Ui, go: &str, ready: bool, enter: bool, lang: Lang) -> Option<bool> {
    ui.add_space(12.0);
    ui.horizontal_wrapped(|ui| {
        let out = ui.add_enabled(ready, primary_button(ui.ctx(), go));
        let leave = ui.button(t(lang, "Annuler", "Cancel")).clicked();
        (ready && (out.clicked() || enter)).then_some(true).or(leave.then_some(false))
    })
    .inner
}
