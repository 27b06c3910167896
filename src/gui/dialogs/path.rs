//! Questions whose answer is a path: of a file, where the desktop has no
//! chooser, or inside the vault.

use std::path::PathBuf;

use egui::{TextEdit, Ui};

use crate::gui::text::t;
use crate::gui::theme::primary_button;
use crate::gui::worker::Pick;
use crate::model::id::EntryId;
use crate::model::lang::Lang;

use super::{Outcome, title_ui};

/// Asks for a file by its path.
pub fn path_ui(ui: &mut Ui, pick: &Pick, path: &mut String, lang: Lang) -> Outcome {
    ui.set_width(460.0);
    let saves = !matches!(pick, Pick::PrivateKey | Pick::QrPicture | Pick::AddAttachment);
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
        "Ce bureau n'offre pas de sélecteur de fichiers : saisissez le chemin complet.",
        "This desktop offers no file chooser: type the full path.",
    );
    ui.add(egui::Label::new(hint).wrap());
    ask(ui, t(lang, "Chemin du fichier", "Path of the file"), path, lang, |typed| {
        Outcome::Path(pick.clone(), PathBuf::from(typed))
    })
}

/// Asks where to move a node.
pub fn move_ui(ui: &mut Ui, id: EntryId, from: &str, to: &mut String, lang: Lang) -> Outcome {
    ui.set_width(460.0);
    title_ui(ui, t(lang, "Déplacer ou renommer", "Move or rename"));
    ui.label(from);
    let hint = t(
        lang,
        "Un dossier existant y reçoit l'accès ; un chemin nouveau le renomme.",
        "An existing folder takes the entry in; a new path renames it.",
    );
    ui.add(egui::Label::new(hint).wrap());
    ask(ui, t(lang, "Nouvel emplacement", "New place"), to, lang, |typed| {
        Outcome::MoveTo(id, typed)
    })
}

fn ask(
    ui: &mut Ui,
    label: &str,
    text: &mut String,
    lang: Lang,
    done: impl FnOnce(String) -> Outcome,
) -> Outcome {
    ui.add_space(6.0);
    let name = ui.label(label);
    let out = ui.add(TextEdit::singleline(text).desired_width(f32::INFINITY)).labelled_by(name.id);
    let enter = out.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
    if ui.memory(|m| m.focused().is_none()) && !enter {
        out.request_focus();
    }
    ui.add_space(12.0);
    let typed = text.trim().to_owned();
    ui.horizontal(|ui| {
        let button = primary_button(ui.ctx(), t(lang, "Continuer", "Continue"));
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
