//! Carries out what screens and keys ask for.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use egui::Context;

use crate::app::api::{AppError, At, Code, EntryView, Justification, Patch, Purpose, Request, Set};
use crate::connect::{self, Opens};
use crate::gui::act::{Act, Acts, Guarded, Page};
use crate::gui::action::Action;
use crate::gui::dialogs::generator::GeneratorModel;
use crate::gui::dialogs::path::MoveModel;
use crate::gui::dialogs::{self, Dialog, justify::JustifyModel};
use crate::gui::entries::editor::Editor;
use crate::gui::entries::editor_view::save_form;
use crate::gui::sessions::OpenAs;
use crate::gui::sessions::tab::{Tab, TabId};
use crate::gui::theme;
use crate::gui::worker::{Command, Tag};
use crate::model::entry::{ClientInfo, Kind, Slot};
use crate::model::id::EntryId;
use crate::model::lang::Bi;
use crate::model::target::PinnedKey;

use super::{Screen, Shell, ask_details, other_look};

impl Shell {
    pub(super) fn act_on_key(
        &mut self,
        action: Action,
        selected: Option<EntryId>,
        acts: &mut Acts,
    ) {
        let Screen::Open(opened) = &mut self.screen else { return };
        if let (Action::Save, Some(form)) = (action, &mut opened.editor) {
            save_form(form, acts);
            return;
        }
        // Only what is looked at: on another page nothing is selected.
        let shown = opened.shown_entry().filter(|_| selected.is_some());
        let giver = |slot: &Slot| {
            let lines = shown.map(|_| opened.details.secrets()).unwrap_or_default();
            lines.into_iter().find(|l| l.slot == *slot).map(|l| l.giver)
        };
        let changes = selected.filter(|id| opened.may_change(*id));
        match action {
            Action::Search => {
                acts.push(Act::Go(Page::Entries));
                acts.push(Act::FocusSearch);
            }
            Action::Lock => acts.push(Act::Lock),
            Action::New => {
                let below = opened.below();
                let kind = connect::all().first().map_or(Kind::FOLDER, |c| Kind::new(c.id()));
                let here = (kind, below.as_str());
                let ways = [here, (Kind::CLIENT, ""), (Kind::new("credential"), "~")];
                let mut ways = ways.into_iter().filter(|(kind, below)| {
                    (*kind == Kind::CLIENT || !below.is_empty())
                        && opened.list.rights.change(kind, below)
                });
                acts.extend(ways.next().map(|(kind, below)| Act::New(kind, below.to_owned())));
            }
            Action::NewClient if opened.list.rights.change(&Kind::CLIENT, "") => {
                acts.push(Act::New(Kind::CLIENT, String::new()));
            }
            Action::Edit => acts.extend(changes.map(Act::Edit)),
            // What a form is open about is not deleted beneath it.
            Action::Delete if opened.editor.is_none() => {
                let trashed = shown.is_some_and(|v| v.entry.trashed_at.is_some());
                acts.extend(changes.map(|id| Act::Delete(id, trashed)));
            }
            Action::CopyUser => {
                acts.extend(shown.map(|v| Act::CopyPlain(v.entry.user.clone())));
            }
            Action::CopyPassword => {
                let giver = giver(&Slot::Password);
                acts.extend(giver.map(|id| Act::Guarded(id, Guarded::Copy(Slot::Password))));
            }
            Action::CopyCode => {
                acts.extend(giver(&Slot::Totp).map(|id| Act::Guarded(id, Guarded::CopyTotp)));
            }
            Action::Generator => acts.push(Act::Generator(None)),
            Action::Entries => {
                acts.push(Act::Go(Page::Entries));
                if self.sessions.front().is_some() {
                    self.sessions_view.take_keyboard();
                } else {
                    acts.push(Act::FocusSearch);
                }
            }
            Action::Audit => acts.push(Act::Go(Page::Audit)),
            Action::Team => acts.push(Act::Go(Page::Team)),
            Action::Settings => acts.push(Act::Go(Page::Settings)),
            Action::Sidebar => acts.push(Act::ToggleSidebar),
            Action::Theme => acts.push(Act::ToggleTheme),
            Action::Help => acts.push(Act::Help),
            Action::Save | Action::NewClient | Action::Delete => {}
        }
    }

    pub(super) fn perform(&mut self, ctx: &Context, act: Act) {
        match act {
            Act::Send(command) => self.worker.send(command),
            Act::Go(page) => {
                if let Some(opened) = self.opened() {
                    let before = opened.page;
                    opened.go(page);
                    if opened.page != before {
                        self.toasts.leave();
                    }
                }
                self.entered();
            }
            Act::Guarded(id, what) => self.guarded(id, what),
            Act::Justified(id, what, just) => self.carry_out(id, what, just),
            Act::CopyPlain(text) => {
                if !text.is_empty() {
                    ctx.copy_text(text);
                    self.toast("Copié.", "Copied.");
                }
            }
            Act::OpenTicket(ticket, Some(id), client) => {
                self.ask(Tag::Ticket(ticket, Some(client)), Request::Show { at: At::Id(id) });
            }
            Act::OpenTicket(ticket, None, client) => {
                self.ask(Tag::Ticket(ticket, None), Request::Show { at: At::Path(client) });
            }
            Act::Select(id) => {
                if self.editor_free(Act::Select(id)) {
                    self.select(id);
                }
            }
            Act::Open(id) => self.open(id),
            Act::VpnDown(id) => self.vpn_down(id),
            Act::ShowVpn(id) => self.show_vpn(ctx, id),
            Act::New(kind, below) => {
                let again = Act::New(kind.clone(), below.clone());
                if self.editor_free(again) {
                    self.open_editor(Editor::new(kind, &below));
                }
            }
            Act::ImportProfile(path) => self.import_profile(path),
            Act::Edit(id) => {
                if self.editor_free(Act::Edit(id)) {
                    self.ask(Tag::ToEdit(id), Request::Show { at: At::Id(id) });
                }
            }
            Act::CloseEditor => {
                if self.editor_free(Act::DropEditor) {
                    self.perform(ctx, Act::DropEditor);
                }
            }
            Act::DropEditor => {
                if let Some(opened) = self.opened() {
                    opened.editor = None;
                }
            }
            Act::Generator(slot) => {
                self.dialog = Some(Dialog::Generator(Box::new(GeneratorModel::new(slot))));
            }
            Act::UsePassword(slot, password) => {
                if let Some(form) = self.opened().and_then(|o| o.editor.as_mut())
                    && let Some(field) = form.secrets.iter_mut().find(|s| s.slot == slot)
                {
                    password.expose(|p| field.buffer.set(p));
                    field.changed();
                }
            }
            Act::CopySecret(text) => {
                self.put_secret(ctx, text);
            }
            Act::RetryJustified(tab) => {
                if let Some(id) = self.sessions.tab(tab).map(|t| t.open_as.entry) {
                    self.ask(Tag::BeforeRetry(tab), Request::Show { at: At::Id(id) });
                }
            }
            Act::Move(id) => self.ask_move(id),
            Act::ForgetHostKey(id, tab) => {
                self.ask(Tag::BeforeForget(id, tab), Request::Show { at: At::Id(id) });
            }
            Act::Delete(id, forever) => self.ask_delete(id, forever),
            Act::Restore(id, version) => {
                self.ask(Tag::Restore, Request::Restore { at: At::Id(id), version });
            }
            Act::Favourite(id, on) => {
                let patch = Patch { favourite: Set::To(on), ..Patch::default() };
                let request =
                    Request::Edit { at: At::Id(id), expected_ver: None, patch: Box::new(patch) };
                self.ask(Tag::Favourite(id), request);
            }
            Act::Lock => self.lock(ctx),
            Act::Help => self.dialog = Some(Dialog::Help),
            Act::Language(lang) => {
                self.lang = lang;
                self.prefs.lang = Some(lang);
                self.prefs.save();
            }
            Act::Confirm(confirm) => self.dialog = Some(Dialog::Confirm(*confirm)),
            Act::ToggleSidebar => {
                self.prefs.list_hidden = !self.prefs.list_hidden;
                self.prefs.save();
            }
            Act::ToggleTheme => self.perform(ctx, Act::Look(other_look(ctx))),
            Act::Look(look) => {
                theme::apply(ctx, look);
                self.prefs.theme = look.word().to_owned();
                self.prefs.save();
            }
            Act::BackToUnlock => self.show_unlock(ctx),
            Act::OtherVault(what) => self.choose_vault(what),
            Act::NewVault => self.new_vault(),
            Act::EndSessions(why) => self.end_sessions(why),
            Act::Quit => self.quit(ctx),
            Act::FocusSearch => self.focus_search = true,
        }
    }

    /// True when no form stands in the way; asks first when it has changes, and
    /// waits for one that is being saved.
    pub(super) fn editor_free(&mut self, then: Act) -> bool {
        let Some(opened) = self.opened() else { return false };
        let Some(form) = &mut opened.editor else { return true };
        if !form.saving && !form.dirty() {
            opened.editor = None;
            return true;
        }
        // The cursor goes back to the entry behind the form.
        opened.list.selected = opened.details.wanted;
        opened.list.search.point_at(opened.details.wanted);
        if form.saving {
            // Nothing is lost, and nothing can be called back: no question.
            form.then = Some(then);
            return false;
        }
        self.dialog = Some(Dialog::Discard(dialogs::Confirm {
            title: Bi::new("Abandonner les changements\u{a0}?", "Discard the changes?"),
            text: Bi::new(
                "Ce qui a été saisi dans le formulaire n’est pas enregistré.",
                "What was typed into the form is not saved.",
            ),
            yes: Bi::new("Abandonner", "Discard"),
            acts: vec![Act::DropEditor, then],
        }));
        false
    }

    pub(super) fn open_editor(&mut self, mut form: Editor) {
        self.openings += 1;
        form.opening = self.openings;
        self.toasts.leave();
        if let Some(opened) = self.opened() {
            opened.page = Page::Entries;
            opened.editor = Some(Box::new(form));
            self.sessions.show(None);
        }
    }

    pub(super) fn select(&mut self, id: EntryId) {
        let Some(opened) = self.opened() else { return };
        let other = opened.details.wanted != Some(id);
        opened.list.selected = Some(id);
        opened.details.want(id);
        if other {
            self.toasts.leave();
        }
        self.sessions.show(None);
        ask_details(&self.worker, id);
    }

    fn open(&mut self, id: EntryId) {
        self.toasts.leave();
        let Some(opened) = self.opened() else { return };
        let Some(node) = opened.list.tree.node(id) else { return };
        let opens = connect::by_kind(&node.summary.kind).map(|c| c.opens());
        match opens {
            // The second of two clicks opens no second session.
            Some(Opens::Session | Opens::Browser) if opened.asked_to_connect == Some(id) => {}
            Some(Opens::Session | Opens::Browser) => {
                opened.asked_to_connect = Some(id);
                self.ask(Tag::BeforeConnect(id), Request::Show { at: At::Id(id) });
            }
            Some(Opens::Details) | None => self.select(id),
        }
    }

    /// Asks for ticket and reason first, where the client wants them.
    pub(super) fn guarded(&mut self, id: EntryId, what: Guarded) {
        let Some(opened) = self.opened() else { return };
        let asks = match &what {
            Guarded::Connect | Guarded::Visit => {
                opened.connecting.as_deref().and_then(|v| v.asked.clone())
            }
            Guarded::TakeSnapshot => opened.details.entry.as_ref().and_then(|v| v.asked.clone()),
            _ => opened.asks_for(id),
        };
        match asks {
            Some((client, info)) => {
                let last = opened.tickets.get(&client).cloned().unwrap_or_default();
                let model = JustifyModel::new(id, what, &client, &info, &last);
                self.dialog = Some(Dialog::Justify(model));
            }
            None => self.carry_out(id, what, Justification::default()),
        }
    }

    /// The application refused for want of a ticket or a reason that the window
    /// could not know of: of another client that gives the secret, say. Asks for
    /// them, then goes on with the same.
    pub(super) fn justify_refused(&mut self, id: EntryId, what: Guarded, error: AppError) {
        let Some(opened) = self.opened() else { return };
        let (client, info) =
            opened.asks_for(id).unwrap_or_else(|| (opened.client_of(id), ClientInfo::default()));
        let last = opened.tickets.get(&client).cloned().unwrap_or_default();
        let mut model = JustifyModel::new(id, what, &client, &info, &last);
        model.error = Some(error);
        self.dialog = Some(Dialog::Justify(model));
    }

    /// Asks for ticket and reason of a refused session again: with what was given
    /// and why it did not suit. Without such a wish of the client any more, it is
    /// just tried again.
    pub(super) fn justify_retry(&mut self, tab: TabId, view: &EntryView) {
        let Some(refused) = self.sessions.tab(tab) else { return };
        let Some((client, info)) = &view.asked else {
            self.sessions.retry(tab);
            return;
        };
        let just = &refused.open_as.just;
        let given = just.ticket.clone().unwrap_or_default();
        let what = Guarded::Retry(tab);
        let mut model = JustifyModel::new(view.entry.id, what, client, info, &given);
        model.reason = just.reason.clone().unwrap_or_default();
        model.error = refused.refused().cloned();
        self.dialog = Some(Dialog::Justify(model));
    }

    pub(super) fn carry_out(&mut self, id: EntryId, what: Guarded, just: Justification) {
        let at = At::Id(id);
        let again = what.clone();
        let (tag, request) = match what {
            Guarded::Reveal(slot) => {
                let purpose = Purpose::Reveal;
                (Tag::Reveal(id, slot.clone()), Request::Reveal { at, slot, purpose, just })
            }
            Guarded::Copy(slot) => {
                let purpose = Purpose::Copy;
                (Tag::Copy(id, slot.clone()), Request::Reveal { at, slot, purpose, just })
            }
            Guarded::Totp => (Tag::Totp(id), Request::Totp { at, purpose: Purpose::Reveal, just }),
            Guarded::CopyTotp => {
                (Tag::CopyTotp(id), Request::Totp { at, purpose: Purpose::Copy, just })
            }
            Guarded::SaveAttachment(name, path) => {
                (Tag::Attachment(id, path), Request::Attachment { at, name, just })
            }
            Guarded::TakeSnapshot => {
                self.take_snapshot(id, just);
                return;
            }
            Guarded::ShowSnapshot(n) => {
                let (n, purpose) = (Some(n), Purpose::Reveal);
                (Tag::ShowSnapshot(id), Request::Snapshot { at, n, purpose, just })
            }
            Guarded::CopySnapshot(n) => {
                let (n, purpose) = (Some(n), Purpose::Copy);
                (Tag::CopySnapshot(id), Request::Snapshot { at, n, purpose, just })
            }
            Guarded::CompareSnapshots(from, to) => {
                let (from, to) = (Some(from), Some(to));
                (Tag::CompareSnapshots(id), Request::SnapshotDifference { at, from, to, just })
            }
            Guarded::Connect => {
                self.connect(just);
                return;
            }
            Guarded::Visit => {
                if let Some(opened) = self.opened() {
                    opened.guarded.push((Tag::Visit(id), id, again));
                }
                self.worker.send(Command::Visit(id, just));
                return;
            }
            Guarded::Retry(tab) => {
                self.justified();
                self.sessions.retry_with(tab, just);
                self.sessions_view.take_keyboard();
                return;
            }
        };
        if let Some(opened) = self.opened() {
            opened.guarded.push((tag.clone(), id, again));
        }
        self.ask(tag, request);
    }

    /// Has the configuration of the selected device read; one at a time.
    fn take_snapshot(&mut self, id: EntryId, just: Justification) {
        self.justified();
        let Some(opened) = self.opened() else { return };
        if opened.details.wanted != Some(id) || opened.details.config.taking() {
            return;
        }
        let given_up = Arc::<AtomicBool>::default();
        opened.details.config.begin(Arc::clone(&given_up), just.clone());
        opened.guarded.push((Tag::Snapshot(id), id, Guarded::TakeSnapshot));
        self.worker.send(Command::Snapshot(id, just, given_up));
    }

    /// Opens the session tab of the entry that was asked for.
    fn connect(&mut self, just: Justification) {
        let Some(view) = self.opened().and_then(|o| o.connecting.take()) else { return };
        self.justified();
        let tree_colour = |o: &super::Opened| {
            o.list.tree.node(view.entry.client).map(|n| n.summary.colour.clone())
        };
        let colour = match view.client.colour.as_str() {
            "" => self.opened().and_then(|o| tree_colour(o)).unwrap_or_default(),
            colour => colour.to_owned(),
        };
        self.sessions.open(OpenAs {
            entry: view.entry.id,
            title: view.entry.name.clone(),
            client: view.client_name.clone(),
            colour,
            just,
        });
    }

    fn ask_move(&mut self, id: EntryId) {
        let Some(opened) = self.opened() else { return };
        let Some(node) = opened.list.tree.node(id) else { return };
        let path = node.path.clone();
        self.dialog = Some(Dialog::Move(Box::new(MoveModel::new(id, &path))));
    }

    /// Shows the key that is to be forgotten, and asks. A session that another
    /// machine's key stopped does not make this one's forgotten.
    pub(super) fn ask_forget(&mut self, tab: Option<TabId>, view: &EntryView) {
        let stopped = tab.and_then(|tab| self.sessions.tab(tab)).and_then(Tab::key_changed);
        let named =
            |key: &PinnedKey| stopped.is_none_or(|error| error.what.en.contains(&key.fingerprint));
        if !view.pinned.iter().any(named) {
            self.failed(AppError {
                code: Code::KeyChanged,
                what: Bi::new(
                    "Ce qui a changé n’est pas de l’hôte de cet accès.",
                    "What has changed is not of this entry’s host.",
                ),
                todo: Bi::new(
                    "Ouvrez la fiche du rebond, et oubliez-y sa clé ou son certificat.",
                    "Open the details of the jump host, and forget its key or certificate there.",
                ),
            });
            return;
        }
        let keys: Vec<String> = view
            .pinned
            .iter()
            .map(|key| format!("{}\n{} {}", key.at, key.algorithm, key.fingerprint))
            .collect();
        let keys = keys.join("\n");
        let id = view.entry.id;
        let certificate = view.pinned.iter().all(PinnedKey::is_certificate);
        let patch = Patch { forget_host_keys: true, ..Patch::default() };
        let request = Request::Edit { at: At::Id(id), expected_ver: None, patch: Box::new(patch) };
        if certificate {
            self.dialog = Some(dialogs::confirm(
                Bi::new("Oublier le certificat\u{a0}?", "Forget the certificate?"),
                Bi::new(
                    format!(
                        "{keys}\n\nSeulement si le client confirme que le serveur a été réinstallé ou son certificat renouvelé. La prochaine connexion montrera l’empreinte du nouveau\u{a0}: comparez-la."
                    ),
                    format!(
                        "{keys}\n\nOnly if the client confirms that the server was reinstalled or its certificate renewed. The next connection will show the fingerprint of the new one: compare it."
                    ),
                ),
                Bi::new("Oublier le certificat", "Forget certificate"),
                vec![Act::Send(Command::Ask(Tag::Forget(id, tab, certificate), request))],
            ));
            return;
        }
        self.dialog = Some(dialogs::confirm(
            Bi::new("Oublier la clé d’hôte\u{a0}?", "Forget the host key?"),
            Bi::new(
                format!(
                    "{keys}\n\nSeulement si le client confirme que le serveur a été réinstallé. La prochaine connexion montrera sa clé\u{a0}: comparez-la."
                ),
                format!(
                    "{keys}\n\nOnly if the client confirms that the server was reinstalled. The next connection will show its key: compare it."
                ),
            ),
            Bi::new("Oublier la clé d’hôte", "Forget host key"),
            vec![Act::Send(Command::Ask(Tag::Forget(id, tab, certificate), request))],
        ));
    }

    fn ask_delete(&mut self, id: EntryId, forever: bool) {
        let Some(opened) = self.opened() else { return };
        let Some(node) = opened.list.tree.node(id) else { return };
        let name = node.summary.name.clone();
        let text = if node.summary.kind.is_container() {
            Bi::new(
                "Tout ce qu’il contient le suit. Il peut être restauré.",
                "Everything in it goes along. It can be restored.",
            )
        } else {
            Bi::new("Il peut être restauré.", "It can be restored.")
        };
        let request = Request::Remove { at: At::Id(id), forever };
        let acts = vec![Act::Send(Command::Ask(Tag::Remove(id), request))];
        self.dialog = Some(if forever {
            dialogs::warn(
                Bi::new(
                    format!("Supprimer «\u{a0}{name}\u{a0}»\u{a0}?"),
                    format!("Delete “{name}”?"),
                ),
                Bi::new(
                    "C’est définitif\u{a0}: ni la corbeille ni l’historique ne le rendront. Le journal en garde la trace.",
                    "This is for good: neither recycle bin nor history will bring it back. The log keeps a trace.",
                ),
                Bi::new("Supprimer", "Delete"),
                acts,
            )
        } else {
            dialogs::confirm(
                Bi::new(
                    format!("Mettre «\u{a0}{name}\u{a0}» à la corbeille\u{a0}?"),
                    format!("Move “{name}” to the recycle bin?"),
                ),
                text,
                Bi::new("Mettre à la corbeille", "Move to the recycle bin"),
                acts,
            )
        });
    }
}
