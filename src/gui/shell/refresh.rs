//! What others change while the window is open: the command line through it, or
//! another process on the file. The window reads again what it shows, and leaves
//! selection, scroll, folders and forms as they are. Nothing here runs at rest.

use std::sync::mpsc::Sender;
use std::time::Duration;

use egui::Context;

use crate::app::Change;
use crate::app::api::{At, Request};
use crate::gui::act::Page;
use crate::gui::backend::Backend;
use crate::gui::worker::{Command, Tag};
use crate::model::policy::Action as Right;

use super::lock::touched;
use super::{Screen, Shell, ask_details};

/// How often the file is looked at while somebody uses the window.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Lets `backend` tell of what others write through it.
pub(super) fn tell_changes(backend: &dyn Backend, changes: &Sender<Change>, ctx: &Context) {
    let (tell, wake) = (changes.clone(), ctx.clone());
    backend.on_change(Box::new(move |change| {
        // Without a window nobody waits for it.
        let _ = tell.send(change);
        wake.request_repaint();
    }));
}

impl Shell {
    pub(super) fn watch_changes(&mut self, ctx: &Context) {
        self.outdated = self.outdated.max(self.changes_told.try_iter().max());
        if !matches!(self.screen, Screen::Open(_)) {
            self.outdated = None;
            self.reading = false;
            self.looked = None;
            return;
        }
        // Whatever was written while the window was behind others.
        if ctx.input(|i| i.events.contains(&egui::Event::WindowFocused(true))) {
            self.outdated = Some(Change::Content);
        }
        let now = (self.clock)();
        let due = self.looked.is_none_or(|at| now.saturating_duration_since(at) >= LOOK_EVERY);
        if due && touched(ctx) {
            self.looked = Some(now);
            self.worker.send(Command::Look);
        }
        // Many changes in a row are read together.
        if !self.reading
            && let Some(change) = self.outdated.take()
        {
            self.refresh(change);
        }
    }

    fn refresh(&mut self, change: Change) {
        let Screen::Open(opened) = &mut self.screen else { return };
        opened.audit.stale = true;
        if change == Change::Log {
            // A command may have raised a VPN, or taken one down.
            opened.vpns.news();
            return;
        }
        let (page, browse) = (opened.page, opened.may(Right::Browse));
        opened.own.devices_asked &= page != Page::Settings;
        let again = opened.list.search.ask_again();
        let (details, history) = (opened.details.wanted, opened.details.history.is_some());
        if let Some((number, query)) = again {
            self.worker.send(Command::Find(number, query));
        }
        self.ask(Tag::Settings, Request::Settings);
        if let Some(id) = details {
            ask_details(&self.worker, id);
            if history {
                self.ask(Tag::History(id), Request::History { at: At::Id(id) });
            }
        }
        if page == Page::Team {
            self.read_team();
        }
        // The status comes last, and ends it.
        self.reading = true;
        if browse {
            self.reload();
        } else {
            self.ask(Tag::Status, Request::Status);
        }
    }
}
