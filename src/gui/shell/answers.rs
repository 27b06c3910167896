//! What the application answered, put where it is shown.

use std::time::Instant;

use egui::Context;

use crate::app::api::{AppError, Code, EntryView, Item, Reply, Request, Taken};
use crate::connect::{Opens, web};
use crate::gui::act::{Act, Guarded};
use crate::gui::audit::model::Exported;
use crate::gui::dialogs::Dialog;
use crate::gui::entries::config::What;
use crate::gui::entries::editor::Editor;
use crate::gui::entries::rights::Rights;
use crate::gui::settings::model::Work;
use crate::gui::settings::shared::SharedRow;
use crate::gui::team::model::Sheet;
use crate::gui::text;
use crate::gui::worker::{Command, Tag};
use crate::model::audit_event::field;
use crate::model::id::EntryId;
use crate::model::lang::Bi;
use crate::model::order::natural;

use super::{Opened, Screen, Shell, ask_details};

impl Shell {
    pub(super) fn answered(&mut self, ctx: &Context, tag: Tag, answer: Result<Reply, AppError>) {
        self.reading &= tag != Tag::Status;
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
        self.toasts.succeeded(&tag);
        let now = Instant::now();
        let Screen::Open(opened) = &mut self.screen else { return };
        match (tag, reply) {
            (Tag::Status, Reply::Status(status)) => {
                opened.list.rights = Rights::of(&status);
                opened.status = status;
                self.vpns_told();
            }
            (Tag::VpnDown, Reply::Done) => opened.vpns.news(),
            (Tag::Vpns, Reply::Status(status)) => {
                opened.status.vpns = status.vpns;
                self.vpns_told();
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
            (Tag::Details(id), Reply::Entry(view)) => {
                // The list may not have come to it, such as after an unlock.
                if opened.list.tree.node(id).is_none() {
                    let (summary, path) = (view.entry.summary(), view.path.clone());
                    opened.list.tree.learn_one(&Item { summary, path, depth: 0 });
                }
                opened.details.set_entry(id, Ok(view));
            }
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
            (Tag::Snapshot(id), Reply::Taken(taken)) => self.snapshot_taken(id, taken),
            (Tag::ShowSnapshot(id), Reply::Snapshot(shown)) => {
                if opened.details.wanted == Some(id) {
                    opened.details.config.show(What::Text(shown.snapshot), shown.text, now);
                }
                self.justified();
            }
            (Tag::CopySnapshot(_), Reply::Snapshot(shown)) => {
                self.put_secret(ctx, shown.text);
                self.justified();
            }
            (
                Tag::CompareSnapshots(id),
                Reply::SnapshotDifference { from, to, added, removed, text },
            ) => {
                if opened.details.wanted == Some(id) {
                    let what = What::Difference(from, to, added, removed);
                    opened.details.config.show(what, text, now);
                }
                self.justified();
            }
            (Tag::BeforeConnect(id), Reply::Entry(view)) => {
                let page = view.opens == Opens::Browser;
                opened.connecting = Some(view);
                self.guarded(id, if page { Guarded::Visit } else { Guarded::Connect });
            }
            (Tag::Visit(id), Reply::Page(page)) => self.visited(ctx, id, page.user),
            (Tag::BeforeRetry(tab), Reply::Entry(view)) => self.justify_retry(tab, &view),
            (Tag::Ticket(ticket, _), Reply::Entry(view)) => self.open_ticket(&ticket, &view),
            (Tag::ToEdit(_), Reply::Entry(view)) => self.open_editor(Editor::edit(view, self.lang)),
            (Tag::PickEntry, Reply::Items(items)) => {
                if let Some(picker) = opened.editor.as_mut().and_then(|f| f.picker.as_mut()) {
                    picker.results = items;
                }
            }
            (Tag::Save, Reply::Saved { id, .. }) => {
                let form = opened.editor.take();
                if let Some(form) = form.as_ref().filter(|form| form.base.is_none()) {
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
                if let Some(then) = form.and_then(|form| form.then) {
                    // A form that opens takes the keyboard itself.
                    self.focus_search = !matches!(then, Act::New(..) | Act::Edit(_));
                    self.perform(ctx, then);
                }
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
            (Tag::Forget(id, tab, certificate), Reply::Saved { .. }) => {
                self.changed(id);
                match certificate {
                    true => {
                        self.toast("Le certificat est oublié.", "The certificate is forgotten.")
                    }
                    false => self.toast("La clé d’hôte est oubliée.", "The host key is forgotten."),
                }
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

    /// A configuration was read: the details say so, and what changed.
    fn snapshot_taken(&mut self, id: EntryId, taken: Taken) {
        let Screen::Open(opened) = &mut self.screen else { return };
        if opened.details.wanted != Some(id) {
            self.toast("La configuration est relevée.", "The configuration was read.");
            return;
        }
        let pair = taken.before.as_ref().map(|before| (before.n, taken.snapshot.n));
        opened.details.config.ended(Ok(taken));
        let reads = opened.details.entry.as_ref().is_some_and(|view| view.may_reveal);
        let just = opened.details.config.just.clone();
        ask_details(&self.worker, id);
        if let Some((from, to)) = pair.filter(|_| reads) {
            self.carry_out(id, Guarded::CompareSnapshots(from, to), just);
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
            (Tag::Shared, Reply::Shared(views)) => {
                own.shared = Some(views.into_iter().map(SharedRow::of).collect());
            }
            (Tag::SharedChanged, Reply::Done) => {
                own.finished();
                self.ask(Tag::Shared, Request::Shared);
            }
            // An answer of another shape than its question is nobody's.
            (_, _) => {}
        }
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

    /// Opens the page that the entry's client, or the one that asks for it, keeps
    /// its tickets at.
    pub(super) fn open_ticket(&mut self, ticket: &str, view: &EntryView) {
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
}
