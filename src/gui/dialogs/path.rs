//! Questions whose answer is a path: of a file, where the desktop has no
//! chooser, or inside the vault.

use std::ops::Range;
use std::path::{Path, PathBuf};

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

use super::{Outcome, error_ui, title_ui};

/// Asks for a file by its path.
///
/// A file that is there already is replaced only after a second press; `asked`
/// is the one about which that was said.
pub fn path_ui(
    ui: &mut Ui,
    pick: &Pick,
    path: &mut String,
    asked: &mut Option<PathBuf>,
    lang: Lang,
) -> Outcome {
    ui.set_width(460.0);
    let saves = !matches!(
        pick,
        Pick::PrivateKey | Pick::QrPicture | Pick::AddAttachment | Pick::OpenVault(_)
    );
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
    ui.add(egui::Label::new(hint).wrap());
    let label = t(lang, "Chemin du fichier", "Path of the file");
    let replaces = asked.as_deref().is_some_and(|asked| asked == Path::new(path.trim()));
    let go = match replaces {
        true => t(lang, "Remplacer", "Replace"),
        false => t(lang, "Continuer", "Continue"),
    };
    let more = |ui: &mut Ui| {
        if replaces {
            replaces_ui(ui, lang);
        }
    };
    let done = |typed| Outcome::Path(pick.clone(), PathBuf::from(typed));
    let outcome = ask(ui, (label, go), path, None, lang, more, done);
    match outcome {
        // The vault's own place is looked at when the vault is made.
        Outcome::Path(Pick::NewVault, _) => outcome,
        Outcome::Path(_, file) if saves && !replaces && file.exists() => {
            *asked = Some(file);
            Outcome::Open
        }
        outcome => outcome,
    }
}

/// Says that there is such a file, and what the button does with it.
pub fn replaces_ui(ui: &mut Ui, lang: Lang) {
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
    ui.set_width(460.0);
    title_ui(ui, t(lang, "Déplacer ou renommer", "Move or rename"));
    ui.label(path.as_str());
    let hint = t(
        lang,
        "Un dossier existant y reçoit l’accès\u{a0}; un chemin nouveau le renomme.",
        "An existing folder takes the entry in; a new path renames it.",
    );
    ui.add(egui::Label::new(hint).wrap());
    let label = t(lang, "Nouvel emplacement", "New place");
    let more = |ui: &mut Ui| {
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
            ui.add(TextEdit::singleline(text).desired_width(f32::INFINITY)).labelled_by(name.id);
        }
        error_ui(ui, lang, error.as_ref());
    };
    let none = Justification::default();
    let go = t(lang, "Continuer", "Continue");
    let done = |typed| Outcome::MoveTo(*id, typed, none);
    let outcome = ask(ui, (label, go), to, select.take(), lang, more, done);
    let given = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    match outcome {
        Outcome::MoveTo(..) if *waiting => Outcome::Open,
        Outcome::MoveTo(id, typed, _) => {
            *waiting = true;
            *error = None;
            let just = Justification { ticket: given(ticket), reason: given(reason) };
            Outcome::MoveTo(id, typed, just)
        }
        other => other,
    }
}

fn ask(
    ui: &mut Ui,
    (label, go): (&str, &str),
    text: &mut String,
    select: Option<Range<usize>>,
    lang: Lang,
    more: impl FnOnce(&mut Ui),
    done: impl FnOnce(String) -> Outcome,
) -> Outcome {
    ui.add_space(6.0);
    let name = ui.label(label);
    let out = ui.add(TextEdit::singleline(text).desired_width(f32::INFINITY)).labelled_by(name.id);
    if let Some(select) = select {
        let mut state = TextEditState::load(ui.ctx(), out.id).unwrap_or_default();
        let range = CCursorRange::two(CCursor::new(select.start), CCursor::new(select.end));
        state.cursor.set_char_range(Some(range));
        state.store(ui.ctx(), out.id);
    }
    let enter = out.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
    if ui.memory(|m| m.focused().is_none()) && !enter {
        out.request_focus();
    }
    more(ui);
    ui.add_space(12.0);
    let typed = text.trim().to_owned();
    ui.horizontal(|ui| {
        let button = primary_button(ui.ctx(), go);
        let go = ui.add_enabled(!typed.is_empty(), button).clicked();
        if (go || enter) && !typed.is_empty() {
            return done(typed);
        }
        if ui.button(t(lang, "Annuler", "Cancel")).clicked() {
            return Outcome::Close;
        }
        Outcome::Open
    })
    .inner
}
