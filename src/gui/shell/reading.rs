//! What the window reads again, and when: the list, the open page, an entry that
//! was changed.

use crate::app::api::{At, Request};
use crate::gui::act::{Act, Page};
use crate::gui::worker::Tag;
use crate::model::id::EntryId;

use super::{Screen, Shell, ask_details};

/// More favourites than anybody looks through.
const FAVOURITES_MAX: usize = 1_000;

impl Shell {
    /// Reads again what the list shows.
    pub(super) fn reload(&mut self) {
        let Screen::Open(opened) = &self.screen else { return };
        let open: Vec<EntryId> = opened.list.tree.opened().collect();
        self.ask(Tag::Roots, Request::List { at: None, deep: false, trashed: false });
        for id in open {
            let at = Some(At::Id(id));
            self.ask(Tag::Children(id), Request::List { at, deep: false, trashed: false });
        }
        let favourites = Request::Find { query: String::new(), limit: FAVOURITES_MAX };
        self.ask(Tag::Favourites, favourites);
        self.ask(Tag::Trash, Request::List { at: None, deep: true, trashed: true });
        self.ask(Tag::Status, Request::Status);
    }

    /// A page was opened: what it shows may have been changed by others.
    pub(super) fn entered(&mut self) {
        let Screen::Open(opened) = &mut self.screen else { return };
        match opened.page {
            Page::Team => self.read_team(),
            Page::Settings => {
                opened.own.devices_asked = false;
                self.ask(Tag::Settings, Request::Settings);
            }
            Page::Entries | Page::Audit => {}
        }
    }

    pub(super) fn read_team(&mut self) {
        if let Screen::Open(opened) = &mut self.screen {
            let manages = opened.manages_members();
            for act in opened.team.read(manages) {
                if let Act::Send(command) = act {
                    self.worker.send(command);
                }
            }
        }
    }

    /// An entry was changed: list and details are read again.
    pub(super) fn changed(&mut self, id: EntryId) {
        self.reload();
        if let Screen::Open(opened) = &mut self.screen
            && opened.details.wanted == Some(id)
        {
            opened.details.history = None;
            ask_details(&self.worker, id);
        }
    }
}
