//! What to do with each answer of the window's threads.

use std::time::Instant;

use egui::Context;

use crate::app::Change;
use crate::app::api::{AppError, Request, Status};
use crate::gui::act::Page;
use crate::gui::dialogs::Dialog;
use crate::gui::unlock::model::Focus;
use crate::gui::worker::{Notice, Tag};
use crate::model::lang::Bi;
use crate::model::policy::Action as Right;

use super::{Opened, Screen, Shell, ask_details};

impl Shell {
    pub(super) fn take_notice(&mut self, ctx: &Context, notice: Notice) {
        match notice {
            Notice::Unlocked(done) => self.unlocked(ctx, done),
            Notice::DeviceEnrolled(done) => {
                if let Screen::Unlock(model) = &mut self.screen {
                    match done {
                        Ok(done) => {
                            model.enrolled(&done.member);
                            self.prefs.set_member(&self.vault, &done.member);
                            self.prefs.save();
                            self.toast(
                                "Ce poste est ajouté. Tapez un nouveau code pour ouvrir.",
                                "This computer is added. Type a fresh code to open.",
                            );
                            for notice in done.notices {
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
                    if let Ok(made) = &done {
                        self.prefs.set_member(&self.vault, &made.member);
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
                    if opened.details.wanted != Some(item.summary.id) {
                        self.toasts.leave();
                    }
                    opened.editor = None;
                    opened.list.tree.learn_one(&item);
                    opened.list.selected = Some(item.summary.id);
                    opened.details.want(item.summary.id);
                    ask_details(&self.worker, item.summary.id);
                }
            }
            Notice::Asked(asked) => self.asked(asked),
            Notice::Changed => self.outdated = Some(Change::Content),
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
            Notice::ReadDone(pick, name, bytes) => self.file_read(ctx, pick, name, bytes),
            Notice::ProfileRead(read) => self.profile_read(read),
            Notice::Written(path, Ok(())) => {
                if let Screen::Guide(guide) = &mut self.screen {
                    guide.kit_file = Some(path.clone());
                }
                let path = path.display();
                self.toasts.leave();
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
                    self.sessions_view = self.sessions_view.renewed();
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
                let mut opened = Opened::new(*status);
                let browse = opened.may(Right::Browse);
                let kept = self.kept.take().filter(|_| browse);
                let selected = kept.and_then(|kept| kept.restore(&mut opened));
                self.screen = Screen::Open(Box::new(opened));
                self.focus_search = true;
                self.last_input = (self.clock)();
                self.ask(Tag::Settings, Request::Settings);
                if browse {
                    self.reload();
                }
                if let Some(id) = selected {
                    ask_details(&self.worker, id);
                }
                // What is typed next is not for the far side of a tab.
                if self.sessions.front().is_some() {
                    self.sessions_view.rest();
                }
                ctx.data_mut(egui::util::IdTypeMap::clear);
            }
            Err(e) => model.refused(e),
        }
    }
}
