//! The VPNs in the window: asked for once a second while there are any, and never
//! otherwise; what changes is told to the tabs that go through them.

use egui::Context;

use crate::app::api::{At, Request};
use crate::connect::vpn::journal::Now;
use crate::gui::act::{Act, Page};
use crate::gui::dialogs;
use crate::gui::vpn::model::Look;
use crate::gui::worker::{Command, Tag};
use crate::model::id::EntryId;
use crate::model::lang::Bi;

use super::{Screen, Shell};

impl Shell {
    pub(super) fn watch_vpns(&mut self, ctx: &Context) {
        let news = self.sessions.take_vpn_news();
        let now = (self.clock)();
        let Screen::Open(opened) = &mut self.screen else { return };
        if news {
            opened.vpns.news();
        }
        match opened.vpns.look(now) {
            Look::Ask => self.ask(Tag::Vpns, Request::Status),
            Look::After(wait) => ctx.request_repaint_after(wait),
            Look::Rest => {}
        }
    }

    /// A status was told: the line of VPNs and the tabs show it.
    pub(super) fn vpns_told(&mut self) {
        let now = (self.clock)();
        let Screen::Open(opened) = &mut self.screen else { return };
        let mut list = opened.status.vpns.clone();
        // The state of one that is being raised is told to who raises it alone.
        let mut raised = list.iter_mut().filter(|vpn| vpn.now == Now::default());
        if let (Some(vpn), None, Some(step)) =
            (raised.next(), raised.next(), self.sessions.raising())
        {
            vpn.now.step = step;
        }
        opened.vpns.told(list, now);
        self.sessions.set_vpns(opened.vpns.list());
    }

    /// The tab that shows a VPN, or a new one.
    pub(super) fn show_vpn(&mut self, ctx: &Context, id: EntryId) {
        self.perform(ctx, Act::Go(Page::Entries));
        let shows = |tab: &&crate::gui::sessions::tab::Tab| tab.open_as.entry == id && tab.busy();
        if let Some(tab) = self.sessions.tabs().iter().find(shows).map(|tab| tab.id) {
            self.sessions.show(Some(tab));
            self.sessions_view.take_keyboard();
            return;
        }
        let Some(opened) = self.opened() else { return };
        // The second of two clicks opens no second tab.
        if opened.asked_to_connect != Some(id) {
            opened.asked_to_connect = Some(id);
            self.ask(Tag::BeforeConnect(id), Request::Show { at: At::Id(id) });
        }
    }

    /// Takes a VPN down; asks first when sessions go through it.
    pub(super) fn vpn_down(&mut self, id: EntryId) {
        let Some(opened) = self.opened() else { return };
        let Some(vpn) = opened.vpns.list().iter().find(|vpn| vpn.entry == id) else { return };
        let (path, sessions) = (vpn.path.clone(), vpn.sessions);
        let down = Command::Ask(Tag::VpnDown, Request::VpnDown { at: At::Id(id) });
        if sessions == 0 {
            self.worker.send(down);
            return;
        }
        let (fr, en) = match sessions {
            1 => ("Une session en dépend".to_owned(), "One session depends on it".to_owned()),
            n => (format!("{n} sessions en dépendent"), format!("{n} sessions depend on it")),
        };
        self.dialog = Some(dialogs::warn(
            Bi::new(
                format!("Couper le VPN «\u{a0}{path}\u{a0}»\u{a0}?"),
                format!("Take the VPN “{path}” down?"),
            ),
            Bi::new(
                format!("{fr}\u{a0}: ce qui y est ouvert se terminera."),
                format!("{en}: what is open there will end."),
            ),
            Bi::new("Couper le VPN", "Take the VPN down"),
            vec![Act::Send(down)],
        ));
    }
}
