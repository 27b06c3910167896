//! The menu of a line, and the menus of what can be made.

use egui::{RichText, Ui};

use crate::connect::{self, Opens};
use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
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
    let chosen = may_change || !summary.trashed && (may_make || !summary.kind.is_container());
    if !chosen {
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
            let goes = connect::by_kind(&summary.kind).is_some_and(|c| c.opens() != Opens::Details);
            ui.add_enabled_ui(!goes || rights.connect(), |ui| {
                item(ui, "Ouvrir", "Open", Act::Open(id));
            })
            .response
            .on_disabled_hover_text(no_session(lang));
            // A login that comes from elsewhere stands in the details.
            if !summary.user.is_empty() {
                let copy = Act::CopyPlain(summary.user.clone());
                item(ui, "Copier l’identifiant", "Copy login", copy);
            }
        }
        if may_make {
            ui.menu_button(t(lang, "Nouveau", "New"), |ui| {
                new_menu(ui, path, rights, lang, acts);
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

/// What the member may make below `path`. Programs described by manifests are many,
/// and stand together.
pub(super) fn new_menu(ui: &mut Ui, path: &str, rights: &Rights, lang: Lang, acts: &mut Acts) {
    let own =
        |kind: &Kind| *kind == Kind::FOLDER || connect::ALL.iter().any(|c| c.id() == kind.word());
    let may = kinds().filter(|kind| rights.change(kind, path));
    let (own, described): (Vec<Kind>, Vec<Kind>) = may.partition(own);
    let items = |ui: &mut Ui, kinds: Vec<Kind>, acts: &mut Acts| {
        for kind in kinds {
            let name = text::kind(&kind, lang);
            item_ui(ui, &name, Act::New(kind, path.to_owned()), acts);
        }
    };
    items(ui, own, acts);
    if !described.is_empty() {
        ui.menu_button(t(lang, "Autres programmes", "Other programs"), |ui| {
            let room = ui.ctx().content_rect().height() - 4.0 * ui.spacing().interact_size.y;
            egui::ScrollArea::vertical()
                .max_height(room)
                .min_scrolled_height(room)
                .show(ui, |ui| items(ui, described, acts));
        });
    }
}

/// Why no session can be opened.
pub(super) fn no_session(lang: Lang) -> &'static str {
    t(
        lang,
        "Le coffre est ouvert en lecture seule\u{a0}: une connexion ne pourrait pas être inscrite au journal.",
        "The vault is open for reading only: a connection could not be written to the log.",
    )
}

/// What the member may make: below `path`, if there is one, and besides.
pub fn new_anywhere_ui(ui: &mut Ui, path: &str, rights: &Rights, lang: Lang, acts: &mut Acts) {
    let mut more = false;
    if !path.is_empty() && rights.make_below(path) {
        new_menu(ui, path, rights, lang, acts);
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

fn item_ui(ui: &mut Ui, name: &str, act: Act, acts: &mut Acts) {
    ui.set_min_width(190.0);
    if ui.button(RichText::new(name)).clicked() {
        acts.push(act);
        ui.close();
    }
}
