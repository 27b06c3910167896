//! The open vault: list on the left, the page in the middle.

use std::time::Instant;

use egui::{CentralPanel, Margin, Panel, RichText, Ui};

use crate::gui::act::{Act, Acts, Page};
use crate::gui::action::{ALL, Action};
use crate::gui::audit::view::audit_ui;
use crate::gui::entries::details_view::details_ui;
use crate::gui::entries::editor_view::editor_ui;
use crate::gui::entries::list_view::list_ui;
use crate::gui::entries::menu::new_anywhere_ui;
use crate::gui::sessions::view::Wish;
use crate::gui::settings::view::settings_ui;
use crate::gui::team::view::{Me, team_ui};
use crate::gui::text::{self, t};
use crate::gui::theme::{palette, primary_button};
use crate::gui::vpn::view::vpns_ui;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick};
use crate::model::entry::{ClientInfo, Kind};
use crate::model::id::EntryId;
use crate::model::lang::Lang;
use crate::model::policy::Action as Right;

use super::top_bar::{Bar, bar_ui};
use super::{Opened, Screen, Shell};

impl Shell {
    pub(super) fn main_ui(&mut self, ui: &mut Ui, now: Instant, acts: &mut Acts) {
        let lang = self.lang;
        let idle_left = self.idle_left((self.clock)());
        let focus_search = std::mem::take(&mut self.focus_search);
        // What stands over the list, or in front of it, has the keys.
        let alone = self.dialog.is_none()
            && self.sessions.front().is_none()
            && !egui::Popup::is_any_open(ui.ctx())
            && ui.ctx().memory(|m| m.top_modal_layer().is_none());
        let Screen::Open(opened) = &mut self.screen else { return };
        if self.sessions_view.full() && opened.page == Page::Entries {
            self.sessions_view.keys_only(ui, &mut self.sessions, lang);
            self.session_ui(ui, acts);
            return;
        }
        let shown = !self.prefs.list_hidden || opened.list.search.active();
        let list_keys = alone && shown && opened.page == Page::Entries && opened.editor.is_none();
        let mut pages = Vec::new();
        if opened.may(Right::Browse) {
            pages.push((Page::Entries, t(lang, "Accès", "Entries"), Action::Entries));
        }
        if opened.status.role.reads_audit() {
            pages.push((Page::Audit, t(lang, "Journal", "Log"), Action::Audit));
        }
        pages.push((Page::Team, t(lang, "Équipe", "Team"), Action::Team));
        pages.push((Page::Settings, t(lang, "Réglages", "Settings"), Action::Settings));
        let search = opened.may(Right::Browse);
        let bar = Bar {
            lang,
            page: opened.page,
            read_only: opened.status.read_only,
            list: &mut opened.list,
            pages: &pages,
            idle_left,
            focus_search,
            search,
            list_keys,
        };
        bar_ui(ui, bar, acts);
        vpns_ui(ui, opened.vpns.list(), text::now(), lang, acts);
        match opened.page {
            Page::Entries => self.entries_ui(ui, now, acts),
            page => self.page_ui(ui, page, acts),
        }
    }

    fn page_ui(&mut self, ui: &mut Ui, page: Page, acts: &mut Acts) {
        let lang = self.lang;
        let Screen::Open(opened) = &mut self.screen else { return };
        let manages_vault = opened.may(Right::ManageVault) && !opened.status.read_only;
        let manages = opened.manages_members();
        let Opened { status, audit, team, own, .. } = &mut **opened;
        let frame = egui::Frame::new().fill(ground(ui)).inner_margin(Margin::symmetric(20, 12));
        CentralPanel::default().frame(frame).show(ui, |ui| match page {
            Page::Audit => audit_ui(ui, audit, lang, acts),
            Page::Team => {
                let me = Me { name: &status.member, role: status.role, manages };
                team_ui(ui, team, &me, lang, acts);
            }
            Page::Settings => {
                settings_ui(ui, own, status, manages_vault, lang, acts);
            }
            Page::Entries => {}
        });
    }

    /// The tab in front.
    fn session_ui(&mut self, ui: &mut Ui, acts: &mut Acts) {
        let lang = self.lang;
        let Screen::Open(opened) = &mut self.screen else { return };
        let frame = egui::Frame::new().fill(ground(ui));
        let ssh = Kind::new("ssh");
        self.sessions_view.may_forget = opened.list.rights.change(&ssh, "");
        let wish = CentralPanel::default()
            .frame(frame)
            .show(ui, |ui| self.sessions_view.front_ui(ui, &mut self.sessions, lang))
            .inner;
        match wish {
            Some(Wish::Justify(tab)) => acts.push(Act::RetryJustified(tab)),
            Some(Wish::ForgetKey(tab)) => {
                let entry = self.sessions.tab(tab).map(|t| t.open_as.entry);
                acts.extend(entry.map(|id| Act::ForgetHostKey(id, Some(tab))));
            }
            Some(Wish::SendFile(tab, protocol)) => {
                let pick = Pick::SendFile(tab, protocol);
                acts.push(Act::Send(Command::Choose(pick, String::new())));
            }
            Some(Wish::SaveFiles(tab)) => {
                let pick = Pick::CopiedFiles(tab);
                acts.push(Act::Send(Command::Choose(pick, String::new())));
            }
            None => {}
        }
    }

    fn entries_ui(&mut self, ui: &mut Ui, now: Instant, acts: &mut Acts) {
        let lang = self.lang;
        let Screen::Open(opened) = &mut self.screen else { return };
        let p = palette(ui.ctx());
        let side = egui::Frame::new().fill(p.panel).inner_margin(Margin::symmetric(6, 6));
        if self.prefs.list_hidden && !opened.list.search.active() {
            let rail = egui::Frame::new().fill(p.panel).inner_margin(Margin::symmetric(2, 6));
            Panel::left("list-rail").frame(rail).resizable(false).exact_size(34.0).show(ui, |ui| {
                side_button(ui, "\u{bb}", t(lang, "Montrer la liste", "Show the list"), lang, acts);
            });
        } else {
            let panel = Panel::left("list").frame(side).default_size(300.0);
            panel.size_range(200.0..=520.0).show(ui, |ui| {
                foot_ui(ui, opened, lang, acts);
                list_ui(ui, &mut opened.list, lang, acts);
            });
        }
        let home = t(lang, "Fiche", "Details");
        self.sessions_view.strip_ui(ui, &mut self.sessions, lang, home);
        if self.sessions.front().is_some() {
            self.session_ui(ui, acts);
            return;
        }
        let frame = egui::Frame::new().fill(ground(ui)).inner_margin(Margin::symmetric(20, 12));
        CentralPanel::default().frame(frame).show(ui, |ui| {
            if let Some(form) = &mut opened.editor {
                editor_ui(ui, form, lang, acts);
                return;
            }
            if opened.list.nothing_found() {
                let title = t(lang, "Aucun accès trouvé", "No entry found");
                let hint = t(
                    lang,
                    "Échap vide la recherche et revient à l’accès choisi.",
                    "Escape empties the search and goes back to the chosen entry.",
                );
                parts::empty_page(ui, "\u{1f50d}", title, hint, |_| {});
                return;
            }
            if opened.list.tree.is_empty() && opened.details.wanted.is_none() {
                first_client_ui(ui, opened.list.rights.change(&Kind::CLIENT, ""), lang, acts);
                return;
            }
            if let Some(wait) = opened.details.expire(now) {
                ui.ctx().request_repaint_after(wait);
            }
            let Opened { details, list, .. } = &mut **opened;
            details_ui(ui, details, &list.rights, lang, now, acts);
        });
    }
}

/// A vault with nothing in it yet: what to begin with.
fn first_client_ui(ui: &mut Ui, may_make: bool, lang: Lang, acts: &mut Acts) {
    let title = t(lang, "Ce coffre est vide", "This vault is empty");
    let hint = if may_make {
        t(
            lang,
            "Créez votre premier client, puis ajoutez-y ses accès.",
            "Make your first client, then add its entries.",
        )
    } else {
        t(lang, "Aucun client ne vous est ouvert.", "No client is open to you.")
    };
    parts::empty_page(ui, "\u{1f3e2}", title, hint, |ui| {
        let make = t(lang, "Créer le premier client", "Make the first client");
        if may_make && ui.add(primary_button(ui.ctx(), make)).clicked() {
            acts.push(Act::New(Kind::CLIENT, String::new()));
        }
    });
}

/// The key for it, which a terminal leaves to the window too.
fn shortcut(lang: Lang) -> String {
    let found = ALL.iter().find(|s| s.action == Action::Sidebar);
    found.map(|s| s.keys_text(lang)).unwrap_or_default()
}

/// The button that shows or hides the list, with its key.
fn side_button(ui: &mut Ui, sign: &str, name: &str, lang: Lang, acts: &mut Acts) {
    let name = format!("{name} ({})", shortcut(lang));
    if parts::icon_button(ui, sign, &name).clicked() {
        acts.push(Act::ToggleSidebar);
    }
}

/// The ground of the middle.
fn ground(ui: &Ui) -> egui::Color32 {
    let p = palette(ui.ctx());
    if p.dark { p.panel } else { p.card }
}

/// The line below the list: what is there, and what can be added.
fn foot_ui(ui: &mut Ui, opened: &super::Opened, lang: Lang, acts: &mut Acts) {
    let p = palette(ui.ctx());
    Panel::bottom("list-foot").show_separator_line(false).frame(egui::Frame::NONE).show(ui, |ui| {
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            let name = t(lang, "Masquer la liste", "Hide the list");
            side_button(ui, "\u{ab}", name, lang, acts);
            let (below, rights) = (opened.below(), &opened.list.rights);
            if rights.make_below(&below) || rights.make_below("~") {
                ui.menu_button(format!("\u{2795} {}", t(lang, "Nouveau", "New")), |ui| {
                    new_anywhere_ui(ui, &below, rights, lang, acts);
                });
            }
            let (clients, entries) = (opened.status.clients, opened.status.entries);
            let client = ("client", "clients");
            let clients = text::counted(clients, client, client, lang);
            let entries = text::counted(entries, ("accès", "accès"), ("entry", "entries"), lang);
            let counts = format!("{clients} · {entries}");
            ui.add(egui::Label::new(RichText::new(counts).size(12.0).color(p.weak)).truncate());
        });
    });
}

impl super::Opened {
    /// The container in which something new would go: the selected one, or the
    /// one around the selected entry.
    pub(super) fn below(&self) -> String {
        let Some(node) = self.list.selected.and_then(|id| self.list.tree.node(id)) else {
            return String::new();
        };
        if node.summary.trashed {
            return String::new();
        }
        if node.summary.kind.is_container() {
            node.path.clone()
        } else {
            node.path.rsplit_once('/').map_or(String::new(), |(up, _)| up.to_owned())
        }
    }

    pub(super) fn manages_members(&self) -> bool {
        self.may(Right::ManageMembers) && !self.status.read_only
    }

    /// Selects the page, unless the role may not see it.
    pub(super) fn go(&mut self, page: Page) {
        let may = match page {
            Page::Entries => self.may(Right::Browse),
            Page::Audit => self.status.role.reads_audit(),
            Page::Team | Page::Settings => true,
        };
        if may {
            // The keyboard goes along to the log's filter.
            let to_log = page == Page::Audit && self.page != page;
            self.audit.focus = to_log;
            // Work on the other pages wrote lines.
            self.audit.stale |= to_log;
            self.page = page;
        }
    }

    /// Whether a node of the list may be changed.
    pub(super) fn may_change(&self, id: EntryId) -> bool {
        let node = self.list.tree.node(id);
        node.is_some_and(|n| self.list.rights.change(&n.summary.kind, &n.path))
    }

    /// Name of the client that holds `id`, as far as the window knows it.
    pub(super) fn client_of(&self, id: EntryId) -> String {
        let given = || self.details.secrets().into_iter().find(|l| l.giver == id)?.from;
        let path = self.list.tree.node(id).map(|n| n.path.clone()).or_else(given);
        path.as_deref().and_then(|p| p.split('/').next()).unwrap_or_default().to_owned()
    }

    /// What the client that holds `id` asks for before a secret of it is used,
    /// where that is known: it is the client of the entry on screen.
    pub(super) fn asks_for(&self, id: EntryId) -> Option<(String, ClientInfo)> {
        let view = self.shown_entry()?;
        let own = view.entry.id == id || self.client_of(id) == view.client_name;
        let asks = view.client.ticket_required || view.client.reason_required;
        (own && asks).then(|| (view.client_name.clone(), view.client.clone()))
    }

    /// The acts that a key on the selected entry stands for need its details.
    pub(super) fn shown_entry(&self) -> Option<&crate::app::api::EntryView> {
        let shown = self.details.entry.as_deref();
        // What a search without a hit has taken off the screen is not acted on.
        shown.filter(|view| self.list.selected == Some(view.entry.id) && !self.list.nothing_found())
    }
}
