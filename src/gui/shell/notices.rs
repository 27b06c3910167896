//! What to do with each answer of the window's threads.

use std::time::{Duration, Instant};

use egui::Context;

use crate::app::api::{AppError, At, Code, EntryView, Reply, Request, Status};
use crate::connect::web;
use crate::gui::act::{Act, Guarded, Page};
use crate::gui::audit::model::Exported;
use crate::gui::dialogs::Dialog;
use crate::gui::entries::editor::Editor;
use crate::gui::entries::list_view::Rights;
use crate::gui::settings::model::Work;
use crate::gui::team::model::Sheet;
use crate::gui::text;
use crate::gui::unlock::model::Focus;
use crate::gui::worker::{Command, Notice, Pick, Tag};
use crate::model::audit_event::field;
use crate::model::entry::Slot;
use crate::model::id::EntryId;
use crate::model::lang::Bi;
use crate::model::order::natural;
use crate::model::policy::Action as Right;
use crate::secret::{SecretBytes, SecretText};

use super::{Opened, Screen, Shell, ask_details};

/// More favourites than anybody looks through.
const FAVOURITES_MAX: usize = 1_000;

impl Shell {
    pub(super) fn take_notice(&mut self, ctx: &Context, notice: Notice) {
        match notice {
            Notice::Unlocked(done) => self.unlocked(ctx, done),
            Notice::DeviceEnrolled(done) => {
                if let Screen::Unlock(model) = &mut self.screen {
                    match done {
                        Ok(notices) => {
                            model.enrolled();
                            self.toast(
                                "Ce poste est ajouté. Tapez un nouveau code pour ouvrir.",
                                "This computer is added. Type a fresh code to open.",
                            );
                            for notice in notices {
                                self.toasts.push(notice, Instant::now());
                            }
                        }
                        Err(e) => {
                            model.refused(e);
                            model.focus = Some(Focus::Enrol);
                        }
                    }
                }
            }
            Notice::Begun(view) => {
                if let Screen::Guide(guide) = &mut self.screen {
                    guide.begun(view);
                }
            }
            Notice::CodeChecked(done) => {
                if let Screen::Guide(guide) = &mut self.screen {
                    guide.code_checked(done);
                }
            }
            Notice::KitChecked(done) => {
                if let Screen::Guide(guide) = &mut self.screen
                    && let Some(command) = guide.kit_checked(done)
                {
                    self.worker.send(command);
                }
            }
            Notice::Finished(done) => {
                if let Ok(made) = &done
                    && matches!(self.screen, Screen::Guide(_))
                    && !made.file.as_os_str().is_empty()
                {
                    // The person may have chosen another place.
                    self.go_over(ctx, made.file.clone());
                }
                if let Screen::Guide(guide) = &mut self.screen {
                    if done.is_ok() {
                        if !guide.name.is_empty() {
                            self.prefs.set_member(&self.vault, &guide.name);
                        }
                        self.prefs.last_vault = Some(self.vault.clone());
                        self.prefs.save();
                    }
                    let command = guide.finished(done);
                    command.into_iter().for_each(|c| self.worker.send(c));
                }
            }
            Notice::Found(number, found) => {
                let Screen::Open(opened) = &mut self.screen else { return };
                if !opened.list.search.answer(number, found) {
                    return;
                }
                // Enter was quicker than the answer, unless the person went on since.
                if opened.list.search.take_enter()
                    && opened.page == Page::Entries
                    && self.dialog.is_none()
                {
                    let mut acts = Vec::new();
                    opened.list.enter(&mut acts);
                    for act in acts {
                        self.perform(ctx, act);
                    }
                    return;
                }
                if let Some(item) = opened.list.search.chosen_item().cloned()
                    && opened.editor.as_ref().is_none_or(|form| !form.dirty())
                {
                    opened.editor = None;
                    opened.list.tree.learn_one(&item);
                    opened.list.selected = Some(item.summary.id);
                    opened.details.want(item.summary.id);
                    ask_details(&self.worker, item.summary.id);
                }
            }
            Notice::Exporting(done, total) => {
                if let Screen::Open(opened) = &mut self.screen
                    && let Some(export) = &mut opened.audit.export
                    && export.waiting
                {
                    export.progress = Some((done, total));
                }
            }
            Notice::Answer(tag, answer) => self.answered(ctx, tag, answer),
            Notice::Chosen(pick, Some(path)) => self.chosen(ctx, pick, path),
            Notice::Chosen(_, None) => {}
            Notice::NoChooser(pick) => {
                let path = self.proposed_path(&pick);
                self.dialog = Some(Dialog::Path { path, pick, asked: None });
            }
            Notice::ReadDone(pick, name, bytes) => self.file_read(pick, name, bytes),
            Notice::Written(path, Ok(())) => {
                if let Screen::Guide(guide) = &mut self.screen {
                    guide.kit_file = Some(path.clone());
                }
                let path = path.display();
                self.toast(format!("Enregistré\u{a0}: {path}"), format!("Saved: {path}"));
            }
            Notice::Written(_, Err(e)) => {
                if let Screen::Guide(guide) = &mut self.screen {
                    guide.error = Some(e);
                } else {
                    self.failed(e);
                }
            }
        }
    }

    fn unlocked(&mut self, ctx: &Context, done: Result<Box<Status>, AppError>) {
        let Screen::Unlock(model) = &mut self.screen else { return };
        match done {
            Ok(status) => {
                if let Some(before) = self.tabs_of.replace(status.member.clone())
                    && before != status.member
                    && !self.sessions.tabs().is_empty()
                {
                    // Nobody sees another's session or its scrollback.
                    self.sessions.close_all("another member unlocked");
                    self.sessions_view = Default::default();
                    let told = Bi::new(
                        format!("Les sessions ouvertes par {before} ont été fermées."),
                        format!("The sessions that {before} had opened were closed."),
                    );
                    self.toasts.push(told, Instant::now());
                }
                // They stand in the settings too; what is old news hides nothing.
                for notice in self.prefs.untold(&self.vault, &status.notices) {
                    self.toasts.push(notice, Instant::now());
                }
                self.prefs.set_member(&self.vault, &status.member);
                self.prefs.save();
                let opened = Opened::new(*status);
                let browse = opened.may(Right::Browse);
                self.screen = Screen::Open(Box::new(opened));
                self.focus_search = true;
                self.last_input = (self.clock)();
                self.ask(Tag::Settings, Request::Settings);
                if browse {
                    self.reload();
                }
                ctx.data_mut(egui::util::IdTypeMap::clear);
            }
            Err(e) => model.refused(e),
        }
    }

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

    fn read_team(&mut self) {
        if let Screen::Open(opened) = &mut self.screen {
            let manages = opened.manages_members();
            for act in opened.team.read(manages) {
                if let Act::Send(command) = act {
                    self.worker.send(command);
                }
            }
        }
    }

    fn answered(&mut self, ctx: &Context, tag: Tag, answer: Result<Reply, AppError>) {
        let mut guarded = None;
        if let Screen::Open(opened) = &mut self.screen {
            let place = opened.guarded.iter().position(|(of, ..)| *of == tag);
            guarded = place.map(|i| opened.guarded.remove(i));
            if matches!(tag, Tag::BeforeConnect(_)) {
                opened.asked_to_connect = None;
            }
        }
        let reply = match answer {
            Ok(reply) => reply,
            Err(e) => {
                self.answer_failed(ctx, tag, guarded, e);
                return;
            }
        };
        let now = Instant::now();
        let Screen::Open(opened) = &mut self.screen else { return };
        match (tag, reply) {
            (Tag::Status, Reply::Status(status)) => {
                opened.list.rights = Rights::of(&status);
                opened.status = status;
            }
            (Tag::Settings, Reply::Settings(settings)) => {
                opened.own.loaded(settings.clone());
                opened.settings = settings;
            }
            (Tag::Roots, Reply::Items(items)) => {
                let names: Vec<String> = items.iter().map(|i| i.summary.name.clone()).collect();
                opened.audit.clients.clone_from(&names);
                opened.team.clients = names;
                opened.list.tree.set_roots(items);
            }
            (Tag::Children(id), Reply::Items(items)) => opened.list.tree.set_children(id, items),
            (Tag::Favourites, Reply::Items(items)) => opened.list.tree.set_favourites(items),
            (Tag::Trash, Reply::Items(items)) => opened.list.tree.set_trash(items),
            (Tag::Details(id), Reply::Entry(view)) => opened.details.set_entry(id, Ok(view)),
            (Tag::Plan(id), Reply::Plan(plan)) => opened.details.set_plan(id, plan),
            (Tag::History(id), Reply::History(list)) => opened.details.set_history(id, list),
            (Tag::Reveal(id, slot), Reply::Secret(value)) => {
                opened.details.reveal(id, slot, value, now);
                self.justified();
            }
            (Tag::Copy(..), Reply::Secret(value)) => {
                if let Ok(text) = value.into_text() {
                    self.put_secret(ctx, text);
                }
                self.justified();
            }
            (Tag::Totp(id), Reply::Totp(view)) => {
                opened.details.show_code(id, view, now);
                self.justified();
            }
            (Tag::CopyTotp(_), Reply::Totp(view)) => {
                self.put_secret(ctx, view.code);
                self.justified();
            }
            (Tag::Attachment(_, path), Reply::Attachment(bytes)) => {
                self.worker.send(Command::Write(path, bytes));
                self.justified();
            }
            (Tag::BeforeConnect(id), Reply::Entry(view)) => {
                opened.connecting = Some(view);
                self.guarded(id, Guarded::Connect);
            }
            (Tag::BeforeRetry(tab), Reply::Entry(view)) => self.justify_retry(tab, &view),
            (Tag::Ticket(ticket, _), Reply::Entry(view)) => self.open_ticket(&ticket, &view),
            (Tag::ToEdit(_), Reply::Entry(view)) => self.open_editor(Editor::edit(view, self.lang)),
            (Tag::PickEntry, Reply::Items(items)) => {
                if let Some(picker) = opened.editor.as_mut().and_then(|f| f.picker.as_mut()) {
                    picker.results = items;
                }
            }
            (Tag::Save, Reply::Saved { id, .. }) => {
                if let Some(form) = opened.editor.take()
                    && form.base.is_none()
                {
                    opened.list.search.clear();
                    // The new one is seen in the tree.
                    if let Some(around) = opened.list.tree.at_path(&form.below) {
                        opened.list.tree.open(around);
                        let _ = opened.list.tree.reveal(around);
                    }
                }
                opened.list.scroll_to_selected = true;
                opened.details = Default::default();
                self.select(id);
                self.reload();
                // Enter connects to what was just saved.
                self.focus_search = true;
                self.toast("Enregistré.", "Saved.");
            }
            (Tag::Stale(id), Reply::Entry(view)) => {
                if let Some(form) = &mut opened.editor
                    && form.base.as_ref().is_some_and(|b| b.entry.id == id)
                {
                    form.rebase(view);
                }
            }
            (tag @ (Tag::Move | Tag::Restore), Reply::Saved { id, .. }) => {
                let moved = matches!(&self.dialog, Some(Dialog::Move(m)) if m.waiting);
                if tag == Tag::Move && moved {
                    self.dialog = None;
                }
                self.changed(id);
                self.toast("C’est fait.", "Done.");
            }
            (Tag::Favourite(id), Reply::Saved { .. }) => self.changed(id),
            (Tag::BeforeForget(_, tab), Reply::Entry(view)) => self.ask_forget(tab, &view),
            (Tag::Forget(id, tab), Reply::Saved { .. }) => {
                self.changed(id);
                self.toast("La clé d’hôte est oubliée.", "The host key is forgotten.");
                if let Some(tab) = tab {
                    self.sessions.retry(tab);
                    self.sessions_view.take_keyboard();
                }
            }
            (Tag::Remove(id), Reply::Done) => {
                if opened.list.selected == Some(id) {
                    opened.list.selected = None;
                    opened.details = Default::default();
                }
                self.reload();
            }
            (tag, reply) => self.answered_page(tag, reply),
        }
    }

    /// Answers for the pages besides the entries.
    fn answered_page(&mut self, tag: Tag, reply: Reply) {
        let Screen::Open(opened) = &mut self.screen else { return };
        let Opened { audit, team, own, .. } = &mut **opened;
        match (tag, reply) {
            (Tag::Log, Reply::Log(lines)) => {
                for line in &lines {
                    let name = line.field(field::MEMBER);
                    if !name.is_empty() && !audit.members.iter().any(|m| m == name) {
                        audit.members.push(name.to_owned());
                    }
                    let name = line.field(field::CLIENT);
                    if !name.is_empty() && !audit.clients.iter().any(|c| c == name) {
                        audit.clients.push(name.to_owned());
                    }
                }
                audit.members.sort_by_cached_key(|name| natural(name));
                audit.clients.sort_by_cached_key(|name| natural(name));
                let next = audit.answer(Ok(lines), text::today());
                if let Some(Act::Send(command)) = next {
                    self.worker.send(command);
                }
            }
            (Tag::Verify, Reply::Verified(found)) => {
                audit.verifying = false;
                audit.verified = Some(Ok(found));
            }
            (Tag::Export, Reply::Exported { lines, files, fingerprint }) => {
                if let Some(export) = &mut audit.export {
                    export.over();
                    export.done = Some(Exported { lines, fingerprint, files });
                }
                // The export has a line of its own.
                audit.stale = true;
            }
            (Tag::Fingerprint, Reply::Fingerprint(print)) => own.fingerprint = Some(print),
            (Tag::Members, Reply::Members(members)) => {
                team.members = members;
                team.loaded = true;
                team.unread = None;
            }
            (Tag::FormerMembers, Reply::Members(former)) => team.former = former,
            (Tag::Rotation(member), Reply::Removed { rotate }) => {
                let former = team.former.iter().find(|m| m.member.id == member);
                let name = former.map(|m| m.member.name.clone()).unwrap_or_default();
                team.show_rotation(member, name, rotate);
            }
            (Tag::Invite, Reply::Invitation(code)) => {
                let name = match team.sheet.take() {
                    Some(Sheet::Form(form)) => form.name,
                    _ => String::new(),
                };
                team.sheet = Some(Sheet::Invitation(name, code));
                self.read_team();
            }
            (Tag::MemberChanged, Reply::Done) => {
                team.sheet = None;
                self.read_team();
            }
            (Tag::MemberRemoved, Reply::Removed { rotate }) => {
                if let Some((member, name)) = team.removing.take() {
                    team.show_rotation(member, name, rotate);
                }
                self.read_team();
            }
            (Tag::Devices, Reply::Devices(devices)) => own.devices = Some(devices),
            (Tag::DeviceCode, Reply::EnrolCode(code)) => {
                own.finished();
                own.device_code = Some(code);
                own.label.clear();
            }
            (Tag::DeviceRemoved, Reply::Done) => self.ask(Tag::Devices, Request::Devices),
            (Tag::TotpBegin, Reply::NewTotp(seed)) => {
                own.seed = Some(seed);
                own.finished();
            }
            (Tag::TotpFinish, Reply::Renewed { notices }) => {
                own.seed = None;
                own.finished();
                own.notices = notices;
            }
            (Tag::Password, Reply::Renewed { notices }) => {
                own.finished();
                own.notices = notices;
            }
            (Tag::Kit, Reply::Kit(kit)) => {
                // Of no use to who has left the part meanwhile; the old one stays.
                if own.busy == Some(Work::Kit) {
                    own.drop_kit();
                    own.kit = Some(kit);
                    own.finished();
                }
            }
            (Tag::KitPage(path), Reply::Attachment(page)) => {
                self.worker.send(Command::Write(path, page));
            }
            (Tag::KitKept, Reply::Done) => {
                own.drop_kit();
                own.finished();
            }
            (Tag::Backup, Reply::BackedUp { file, entries, audit_lines }) => {
                own.backup = Some((file, entries, audit_lines));
                own.finished();
            }
            (Tag::Check, Reply::Checked(report)) => {
                own.check = Some(report);
                own.finished();
            }
            (Tag::SettingsSaved, Reply::Done) => {
                own.finished();
                self.ask(Tag::Settings, Request::Settings);
            }
            // An answer of another shape than its question is nobody's.
            (_, _) => {}
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

    /// Offers a secret on the clipboard; what came of it is told later.
    pub(super) fn put_secret(&mut self, ctx: &Context, text: SecretText) {
        let secs = self.opened().map_or(20, |o| o.settings.clipboard_secs);
        let keep = Duration::from_secs(secs);
        let (tell, wake) = (self.clips.clone(), ctx.clone());
        self.clipboard.put(text, keep, move |done| {
            // Without a window nobody waits for it.
            let _ = tell.send(done.then_some(keep));
            wake.request_repaint();
        });
    }

    /// The desktop has taken a secret, or not.
    pub(super) fn clipboard_told(&mut self, kept: Option<Duration>) {
        if !matches!(self.screen, Screen::Open(_)) {
            return;
        }
        match kept {
            Some(keep) => self.copied(keep),
            None => self.failed(AppError {
                code: Code::Other,
                what: Bi::new(
                    "Rien n’a été copié\u{a0}: ce bureau n’a pas pris le secret dans son presse-papiers.",
                    "Nothing was copied: this desktop did not take the secret to its clipboard.",
                ),
                todo: Bi::new(
                    "Affichez-le et tapez-le, ou recommencez dans une session graphique complète.",
                    "Show it and type it, or try again in a full graphical session.",
                ),
            }),
        }
    }

    fn copied(&mut self, keep: Duration) {
        let secs = keep.as_secs();
        self.toast(
            format!("Copié. Le presse-papiers sera vidé dans {secs} s."),
            format!("Copied. The clipboard will be emptied in {secs} s."),
        );
    }

    /// The act behind the ticket question was done.
    pub(super) fn justified(&mut self) {
        if let Some(Dialog::Justify(model)) = &self.dialog {
            let (client, ticket) = (model.client.clone(), model.ticket.clone());
            self.dialog = None;
            if let Screen::Open(opened) = &mut self.screen {
                opened.tickets.insert(client, ticket);
            }
        }
    }

    fn answer_failed(
        &mut self,
        ctx: &Context,
        tag: Tag,
        guarded: Option<(Tag, EntryId, Guarded)>,
        error: AppError,
    ) {
        // A factor or a kit that was typed wrong has the same code.
        let typed = matches!(tag, Tag::Password | Tag::TotpBegin | Tag::TotpFinish | Tag::KitKept);
        if error.code == Code::Locked && typed {
            self.ask(Tag::Status, Request::Status);
        } else if error.code == Code::Locked && matches!(self.screen, Screen::Open(_)) {
            // Somebody else locked it: another window, or the command line.
            self.lock(ctx);
            return;
        }
        if let Some(Dialog::Justify(model)) = &mut self.dialog
            && model.waiting
            && guarded.is_some()
        {
            model.refused(error);
            return;
        }
        if tag == Tag::Move
            && let Some(Dialog::Move(model)) = &mut self.dialog
            && model.waiting
        {
            model.waiting = false;
            model.error = Some(error);
            return;
        }
        let Screen::Open(opened) = &mut self.screen else { return };
        if let Some((_, id, what)) = guarded
            && error.code == Code::NotAllowed
            && opened.may(Right::Reveal)
            && self.dialog.is_none()
        {
            self.justify_refused(id, what, error);
            return;
        }
        match tag {
            Tag::Details(id) => opened.details.set_entry(id, Err(error)),
            Tag::Save => {
                let Some(form) = &mut opened.editor else { return };
                form.saving = false;
                form.error = Some(error);
                form.stale.clear();
                if let Some(id) = form.base.as_ref().map(|v| v.entry.id) {
                    self.ask(Tag::Stale(id), Request::Show { at: At::Id(id) });
                }
            }
            Tag::Log => {
                let next = opened.audit.answer(Err(error), text::today());
                if let Some(Act::Send(command)) = next {
                    self.worker.send(command);
                }
            }
            // An entry that was deleted for good had a client.
            Tag::Ticket(ticket, Some(client)) if error.code == Code::NotFound => {
                self.ask(Tag::Ticket(ticket, None), Request::Show { at: At::Path(client) });
            }
            Tag::Verify => {
                opened.audit.verifying = false;
                opened.audit.verified = Some(Err(error));
            }
            Tag::Export => {
                if let Some(export) = &mut opened.audit.export {
                    export.over();
                    export.error = Some(error);
                }
            }
            Tag::Members | Tag::FormerMembers => opened.team.unread = Some(error),
            Tag::Rotation(_) => opened.team.refused(error),
            Tag::Invite | Tag::MemberChanged | Tag::MemberRemoved => {
                opened.team.refused(error);
                self.read_team();
            }
            Tag::Settings => opened.own.unread = Some(error),
            Tag::DeviceCode
            | Tag::Password
            | Tag::TotpBegin
            | Tag::TotpFinish
            | Tag::Kit
            | Tag::KitKept
            | Tag::Backup
            | Tag::Check
            | Tag::SettingsSaved => {
                if tag == Tag::SettingsSaved {
                    self.ask(Tag::Settings, Request::Settings);
                }
                if let Screen::Open(opened) = &mut self.screen
                    && let Some(error) = opened.own.refused(error)
                {
                    self.failed(error);
                }
            }
            // The details say it already, or the member may not see it.
            Tag::Plan(_) | Tag::Trash | Tag::Favourites | Tag::Status => {}
            _ => self.failed(error),
        }
    }

    /// Opens the page that the entry's client, or the one that asks for it, keeps
    /// its tickets at.
    fn open_ticket(&mut self, ticket: &str, view: &EntryView) {
        let asked = view.asked.as_ref().map(|(_, info)| info);
        let mut pages = [Some(&view.client), asked].into_iter().flatten();
        match pages.find_map(|info| web::ticket_page(&info.ticket_url, ticket)) {
            Some(page) => self.worker.send(Command::Browse(page)),
            None => self.failed(AppError {
                code: Code::NotFound,
                what: Bi::new(
                    format!(
                        "Le client «\u{a0}{}\u{a0}» n’a pas d’adresse de tickets.",
                        view.client_name
                    ),
                    format!("The client “{}” has no ticket address.", view.client_name),
                ),
                todo: Bi::new(
                    "Ajoutez-la dans la fiche du client\u{a0}: «\u{a0}Adresse du ticket\u{a0}».",
                    "Add it to the client's record: “Ticket address”.",
                ),
            }),
        }
    }

    /// A failure without a place of its own.
    pub(super) fn failed(&mut self, error: AppError) {
        self.toasts.fail(error);
    }

    fn proposed_path(&self, pick: &Pick) -> String {
        let home = dirs::home_dir().unwrap_or_default();
        let name = match pick {
            Pick::NewVault => "poterne.vault",
            Pick::SaveKit => "poterne-kit.pdf",
            Pick::SaveAttachment(_, name) => name,
            Pick::Backup => "poterne-sauvegarde.vault",
            Pick::Export => {
                let export = match &self.screen {
                    Screen::Open(opened) => opened.audit.export.as_ref(),
                    _ => None,
                };
                return export.map(|e| e.out.clone()).unwrap_or_default();
            }
            Pick::OpenVault(_) => return self.vault.display().to_string(),
            _ => "",
        };
        home.join(name).display().to_string()
    }

    fn chosen(&mut self, ctx: &Context, pick: Pick, path: std::path::PathBuf) {
        match pick {
            Pick::NewVault => {
                if let Screen::Guide(guide) = &mut self.screen {
                    guide.file = path.display().to_string();
                }
            }
            Pick::OpenVault(what) => self.open_vault(ctx, path, what),
            Pick::SaveKit if matches!(self.screen, Screen::Open(_)) => {
                let request = Request::KitPage { lang: self.lang };
                self.ask(Tag::KitPage(path), request);
            }
            Pick::SaveKit => self.worker.send(Command::SaveKit(path, self.lang)),
            Pick::SaveAttachment(id, name) => {
                let act = crate::gui::act::Guarded::SaveAttachment(name, path);
                self.perform(ctx, crate::gui::act::Act::Guarded(id, act));
            }
            Pick::PrivateKey | Pick::QrPicture | Pick::AddAttachment => {
                self.worker.send(Command::Read(pick, path));
            }
            Pick::Export => {
                if let Some(opened) = self.opened()
                    && let Some(export) = &mut opened.audit.export
                {
                    export.chosen(&path);
                }
            }
            Pick::Backup => {
                let act = self.opened().map(|o| o.own.backup(Some(path)));
                if let Some(act) = act {
                    self.perform(ctx, act);
                }
            }
        }
    }

    fn file_read(&mut self, pick: Pick, name: String, bytes: Result<SecretBytes, AppError>) {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(e) => {
                self.failed(e);
                return;
            }
        };
        let Screen::Open(opened) = &mut self.screen else { return };
        let Some(form) = &mut opened.editor else { return };
        let slot = match pick {
            Pick::PrivateKey => Slot::PrivateKey,
            Pick::QrPicture => Slot::Totp,
            _ => {
                form.removed.remove(&name);
                form.added.retain(|(n, _)| *n != name);
                form.added.push((name, bytes));
                return;
            }
        };
        if let Some(field) = form.secrets.iter_mut().find(|s| s.slot == slot) {
            bytes.expose(|b| field.buffer.set(&String::from_utf8_lossy(b)));
            field.changed();
        }
    }
}
