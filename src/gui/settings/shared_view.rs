//! Paints the connectors that the vault shares: which, by whom, how they stand on
//! this computer, adding one from a file, taking one out.

use egui::{RichText, Ui};

use crate::app::api::{Request, Status};
use crate::gui::act::{Act, Acts};
use crate::gui::dialogs::{Confirm, error_ui};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick, Tag};
use crate::model::lang::{Bi, Lang};

use super::model::{SettingsModel, Work};
use super::shared::{SharedRow, Standing};
use super::view::{group, outcome_ui};

/// The list, and what an owner or administrator does with it.
pub fn shared_ui(
    ui: &mut Ui,
    model: &mut SettingsModel,
    status: &Status,
    manages: bool,
    lang: Lang,
    acts: &mut Acts,
) {
    if !model.shared_asked {
        model.shared_asked = true;
        acts.push(Act::Send(Command::Ask(Tag::Shared, Request::Shared)));
    }
    let manages = manages && !status.read_only;
    let hint = match manages {
        true => t(
            lang,
            "Des manifestes TOML pour tous les membres. Chaque poste les approuve avant de s’en servir.",
            "TOML manifests for all members. Each computer approves them before they are used.",
        ),
        false => t(
            lang,
            "Un propriétaire ou un administrateur du coffre les ajoute et les retire.",
            "An owner or an administrator of the vault adds and removes them.",
        ),
    };
    group(ui, t(lang, "Connecteurs partagés", "Shared connectors"), hint, |ui| {
        match &model.shared {
            None => drop(ui.spinner()),
            Some(rows) if rows.is_empty() => {
                let none = t(lang, "Aucun pour l’instant.", "None so far.");
                ui.label(RichText::new(none).color(palette(ui.ctx()).weak));
            }
            Some(rows) => rows.iter().for_each(|row| row_ui(ui, row, manages, lang, acts)),
        }
        if manages {
            ui.add_space(4.0);
            let button = egui::Button::new(t(lang, "Ajouter un manifeste…", "Add a manifest…"));
            if ui.add_enabled(model.busy.is_none(), button).clicked() {
                acts.push(Act::Send(Command::Choose(Pick::Manifest, String::new())));
            }
        }
        outcome_ui(
            ui,
            model,
            Work::Shared,
            t(lang, "Connecteur partagé.", "Connector shared."),
            lang,
        );
    });
}

fn row_ui(ui: &mut Ui, row: &SharedRow, manages: bool, lang: Lang, acts: &mut Acts) {
    let p = palette(ui.ctx());
    ui.horizontal_wrapped(|ui| {
        let name = row.name.get(lang);
        ui.label(parts::bold(name));
        if name != row.kind {
            ui.label(RichText::new(&row.kind).monospace().color(p.weak));
        }
        let (word, color) = match row.standing {
            Standing::Approved => (t(lang, "approuvé ici", "approved here"), p.ok),
            Standing::New => (t(lang, "à approuver", "to be approved"), p.warn),
            Standing::Changed => {
                (t(lang, "changé, à approuver", "changed, to be approved"), p.warn)
            }
            Standing::Hidden => {
                (t(lang, "remplacé ici par un autre", "replaced here by another"), p.weak)
            }
            Standing::Broken => (t(lang, "illisible", "unreadable"), p.error),
            Standing::Refused => (t(lang, "refusé", "refused"), p.error),
        };
        parts::badge(ui, word, color);
        let by = format!("{} · {}", row.by, text::when(row.at, lang));
        ui.label(RichText::new(by).color(p.weak));
        if manages {
            let label = format!("{} {}", t(lang, "Retirer", "Remove"), row.kind);
            if parts::drawn_button(ui, parts::Icon::Bin, &label).clicked() {
                acts.push(Act::Confirm(Box::new(removal(row))));
            }
        }
    });
    if row.refused.is_some() {
        error_ui(ui, lang, row.refused.as_ref());
        ui.add_space(6.0);
    }
}

fn removal(row: &SharedRow) -> Confirm {
    let kind = &row.kind;
    let request = Request::Unshare { kind: kind.clone() };
    Confirm {
        title: Bi::new(
            format!("Ne plus partager «\u{a0}{kind}\u{a0}»\u{a0}?"),
            format!("Share “{kind}” no longer?"),
        ),
        text: Bi::new(
            "Les accès de ce type restent lisibles et modifiables, mais ne s’ouvrent plus sur les postes qui n’ont pas ce manifeste.",
            "Entries of this kind can still be read and changed, but no longer open on computers without that manifest.",
        ),
        yes: Bi::new("Retirer", "Remove"),
        acts: vec![Act::Send(Command::Ask(Tag::SharedChanged, request))],
    }
}
