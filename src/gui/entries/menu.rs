//! The menu of a line, and the menus of what can be made.

use egui::{RichText, Ui};

use crate::gui::act::{Act, Acts};
use crate::gui::text::t;
use crate::model::entry::{Kind, Summary};
use crate::model::lang::Lang;

use super::rights::{Rights, kinds};

pub(super) fn menu(
    response: &egui::Response,
    summary: &Summary,
    path: &str,
    rights: &Rights,
    lang: Lang,
    acts: &mut Acts,
) {
    let id = summary.id;
    let may_change = rights.change(&summary.kind, path);
    let may_make = summary.kind.is_container() && rights.make_below(path);
    // Nothing to choose from is no menu.
    if !may_change && !may_make && (summary.trashed || summary.kind.is_container()) {
        return;
    }
    response.context_menu(|ui| {
        let mut item = |ui: &mut Ui, fr: &str, en: &str, act: Act| {
            if ui.button(t(lang, fr, en)).clicked() {
                acts.push(act);
                ui.close();
            }
        };
        if summary.trashed {
            item(ui, "Restaurer", "Restore", Act::Restore(id, None));
            item(ui, "Supprimer définitivement…", "Delete for good…", Act::Delete(id, true));
            return;
        }
        if !summary.kind.is_container() {
            item(ui, "Ouvrir", "Open", Act::Open(id));
            item(ui, "Copier l’identifiant", "Copy login", Act::CopyPlain(summary.user.clone()));
        }
        if may_make {
            ui.menu_button(t(lang, "Nouveau", "New"), |ui| {
                let allowed = |kind: &Kind| rights.change(kind, path);
                new_below_ui(ui, path, allowed, lang, acts);
            });
        }
        if !may_change {
            return;
        }
        let mut item = |ui: &mut Ui, fr: &str, en: &str, act: Act| {
            if ui.button(t(lang, fr, en)).clicked() {
                acts.push(act);
                ui.close();
            }
        };
        item(ui, "Modifier", "Edit", Act::Edit(id));
        if summary.kind != Kind::CLIENT {
            item(ui, "Déplacer…", "Move…", Act::Move(id));
        }
        if summary.favourite {
            item(ui, "Retirer des favoris", "Remove from favourites", Act::Favourite(id, false));
        } else {
            item(ui, "Ajouter aux favoris", "Add to favourites", Act::Favourite(id, true));
        }
        ui.separator();
        item(ui, "Mettre à la corbeille…", "Move to the recycle bin…", Act::Delete(id, false));
    });
}

/// What can be made below `path`, which the member may change.
pub fn new_menu(ui: &mut Ui, path: &str, lang: Lang, acts: &mut Acts) {
    new_below_ui(ui, path, |_| true, lang, acts);
}

/// What the member may make: below `path`, if there is one, and besides.
pub fn new_anywhere_ui(ui: &mut Ui, path: &str, rights: &Rights, lang: Lang, acts: &mut Acts) {
    let mut more = false;
    if !path.is_empty() && rights.make_below(path) {
        new_below_ui(ui, path, |kind| rights.change(kind, path), lang, acts);
        more = true;
    }
    let client = (Kind::CLIENT, "", t(lang, "Client", "Client"));
    let own = (Kind::new("credential"), "~", t(lang, "Identifiant personnel", "Personal login"));
    for (kind, below, name) in [client, own] {
        if !rights.change(&kind, below) {
            continue;
        }
        if std::mem::take(&mut more) {
            ui.separator();
        }
        item_ui(ui, name, Act::New(kind, below.to_owned()), acts);
    }
}

fn new_below_ui(
    ui: &mut Ui,
    path: &str,
    allowed: impl Fn(&Kind) -> bool,
    lang: Lang,
    acts: &mut Acts,
) {
    for kind in kinds().filter(allowed) {
        let name = crate::gui::text::kind(&kind, lang);
        item_ui(ui, &name, Act::New(kind, path.to_owned()), acts);
    }
}

fn item_ui(ui: &mut Ui, name: &str, act: Act, acts: &mut Acts) {
    ui.set_min_width(190.0);
    if ui.button(RichText::new(name)).clicked() {
        acts.push(act);
        ui.close();
    }
}
