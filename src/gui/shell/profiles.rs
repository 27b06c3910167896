//! Profiles of OpenVPN that are dropped on the window or chosen for its form. Reads no
//! file itself; what was read fills the form and is saved with it.

use std::path::PathBuf;

use egui::{Align2, Area, Frame, Id, Order, Ui};

use crate::app::api::{AppError, Code};
use crate::connect::openvpn;
use crate::gui::act::{Act, Acts, Page};
use crate::gui::entries::editor::Editor;
use crate::gui::entries::profile::Imported;
use crate::gui::text::t;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick};
use crate::model::entry::Kind;
use crate::model::lang::{Bi, Lang};

use super::{Screen, Shell};

impl Shell {
    /// Takes profiles that are dropped, unless a desktop is there to take them.
    pub(super) fn dropped_ui(&self, ui: &Ui, acts: &mut Acts) {
        let Screen::Open(opened) = &self.screen else { return };
        let tab = self.sessions.front().and_then(|id| self.sessions.tab(id));
        let shown = tab.filter(|_| opened.page == Page::Entries);
        if self.dialog.is_some() || shown.is_some_and(|tab| tab.screen().is_some()) {
            return;
        }
        let profile =
            |path: &PathBuf| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("ovpn"));
        let (over, dropped) = ui.input(|i| {
            let over = i.raw.hovered_files.iter().filter_map(|file| file.path.clone());
            let mut dropped = i.raw.dropped_files.iter().map(|file| file.path().to_owned());
            (over.filter(profile).count() > 0, dropped.find(profile))
        });
        if over {
            hint_ui(ui, self.lang);
        }
        acts.extend(dropped.map(Act::ImportProfile));
    }

    /// Reads a profile for the form that is open, or for a new one.
    pub(super) fn import_profile(&mut self, path: PathBuf) {
        let Some(opened) = self.opened() else { return };
        let (kind, below) = (Kind::new(openvpn::ID), opened.below());
        let here = opened.editor.as_ref().is_some_and(|form| form.has_profile() && !form.saving);
        if !here {
            if below.is_empty() || below == "~" || !opened.list.rights.change(&kind, &below) {
                self.failed(no_place());
                return;
            }
            if !self.editor_free(Act::ImportProfile(path.clone())) {
                return;
            }
            self.open_editor(Editor::new(kind, &below));
        }
        self.worker.send(Command::Read(Pick::Profile, path));
    }

    /// A profile was read, or why not.
    pub(super) fn profile_read(&mut self, read: Result<Box<Imported>, AppError>) {
        let form = self.opened().and_then(|opened| opened.editor.as_mut());
        match (form.filter(|form| form.has_profile()), read) {
            (Some(form), Ok(imported)) => form.import(imported),
            (Some(form), Err(error)) => form.error = Some(error),
            // The form was closed meanwhile.
            (None, _) => {}
        }
    }
}

/// Where a profile that is dropped has nowhere to go.
fn no_place() -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            "Ce profil n’a pas encore de place.",
            "There is no place for this profile yet.",
        ),
        todo: Bi::new(
            "Choisissez d’abord un client ou un dossier que vous pouvez modifier, puis déposez-le.",
            "Choose a client or folder that you may change first, then drop it.",
        ),
    }
}

fn hint_ui(ui: &Ui, lang: Lang) {
    let area = Area::new(Id::unique("drop-profile")).order(Order::Foreground);
    area.anchor(Align2::CENTER_CENTER, egui::Vec2::ZERO).interactable(false).show(ui.ctx(), |ui| {
        Frame::popup(ui.style()).inner_margin(20).show(ui, |ui| {
            ui.label(parts::bold(t(
                lang,
                "Déposez le profil pour l’importer",
                "Drop the profile to import it",
            )));
        });
    });
}
