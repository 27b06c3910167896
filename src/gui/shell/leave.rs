//! Leaving: closing the window, and going over to another vault. Both ask first
//! when something is open that would end with it.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, PoisonError};

use egui::{Context, ViewportCommand};

use crate::app::api::{AppError, Code};
use crate::app::desktop::before_end;
use crate::gui::act::Act;
use crate::gui::backend::Backend;
use crate::gui::dialogs;
use crate::gui::guide::Purpose;
use crate::gui::guide::model::{GuideModel, Step};
use crate::gui::unlock::model::UnlockModel;
use crate::gui::worker::{Command, Pick, VaultUse, Worker};
use crate::model::lang::Bi;

use super::refresh::tell_changes;
use super::{CLOSE_WAIT, Screen, Shell, sessions_over, tell_locks};

/// Said in the log of sessions that end for it.
const OTHER_VAULT: &str = "another vault was chosen";

impl Shell {
    /// Holds the window open while something in it would be lost, and asks.
    pub(super) fn watch_close(&mut self, ctx: &Context) {
        if self.leaving || !ctx.input(|i| i.viewport().close_requested()) {
            return;
        }
        let open = self.still_open();
        if open.is_empty() {
            return;
        }
        ctx.send_viewport_cmd(ViewportCommand::CancelClose);
        // The question is to be seen, wherever the window was closed from.
        if ctx.input(|i| i.viewport().minimized == Some(true)) {
            ctx.send_viewport_cmd(ViewportCommand::Minimized(false));
        }
        ctx.send_viewport_cmd(ViewportCommand::Focus);
        ctx.request_repaint();
        let all = |pick: fn(&Bi) -> &str| open.iter().map(pick).collect::<Vec<_>>().join("\n");
        self.dialog = Some(dialogs::confirm(
            Bi::new("Fermer Poterne\u{a0}?", "Close Poterne?"),
            Bi::new(all(|text| &text.fr), all(|text| &text.en)),
            Bi::new("Fermer Poterne", "Close Poterne"),
            vec![Act::Quit],
        ));
    }

    /// What would be lost, one sentence each.
    fn still_open(&self) -> Vec<Bi> {
        let mut all = Vec::new();
        match self.sessions.busy_count() {
            0 => {}
            1 => all.push(Bi::new(
                "Une session est ouverte\u{a0}: elle sera fermée.",
                "One session is open: it will be closed.",
            )),
            n => all.push(Bi::new(
                format!("{n} sessions sont ouvertes\u{a0}: elles seront fermées."),
                format!("{n} sessions are open: they will be closed."),
            )),
        }
        match &self.screen {
            Screen::Open(opened) => {
                if opened.editor.as_ref().is_some_and(|form| form.dirty()) {
                    all.push(Bi::new(
                        "Ce qui a été saisi dans le formulaire n’est pas enregistré.",
                        "What was typed into the form is not saved.",
                    ));
                }
                if opened.audit.export.as_ref().is_some_and(|export| export.waiting) {
                    all.push(Bi::new(
                        "Un export du journal est en cours\u{a0}: il sera abandonné.",
                        "An export of the log is running: it will be given up.",
                    ));
                }
            }
            Screen::Guide(guide) if (Step::Phone..Step::Done).contains(&guide.step) => {
                all.push(Bi::new(
                    "L’assistant n’est pas terminé\u{a0}: rien n’est encore écrit.",
                    "The guide is not finished: nothing is written yet.",
                ));
            }
            Screen::Guide(_) | Screen::Unlock(_) => {}
        }
        all
    }

    pub(super) fn quit(&mut self, ctx: &Context) {
        self.leaving = true;
        ctx.send_viewport_cmd(ViewportCommand::Close);
    }

    /// Has the window leave in good order when a signal asks the process to end, such
    /// as at the end of the person's session on this machine: the log tells it.
    pub fn quit_at_signals(&mut self, ctx: &Context) {
        let (here, gone) = channel::<()>();
        self.here = Some(here);
        let (signalled, wake) = (self.signalled.clone(), ctx.clone());
        let backend = self.served.clone();
        before_end(move || {
            signalled.store(true, Ordering::Release);
            wake.request_repaint();
            // A window that is hidden may not get to it.
            if gone.recv_timeout(CLOSE_WAIT * 2) == Err(RecvTimeoutError::Timeout) {
                backend.lock().unwrap_or_else(PoisonError::into_inner).clone().leave();
            }
        });
    }

    /// Ends every session of this window.
    pub(super) fn end_sessions(&mut self, why: &'static str) {
        self.sessions.close_all(why);
        self.sessions_view = self.sessions_view.renewed();
        if let Screen::Unlock(model) = &mut self.screen {
            model.sessions_waiting = 0;
        }
    }

    /// True when no session stands in the way of `then`; asks first when one does.
    fn sessions_free(&mut self, then: Act) -> bool {
        if self.sessions.busy_count() == 0 {
            return true;
        }
        self.dialog = Some(dialogs::confirm(
            Bi::new("Quitter ce coffre\u{a0}?", "Leave this vault?"),
            Bi::new(
                "Ses sessions encore ouvertes seront fermées.",
                "Its sessions that are still open will be closed.",
            ),
            Bi::new("Fermer les sessions", "Close the sessions"),
            vec![Act::EndSessions(OTHER_VAULT), then],
        ));
        false
    }

    /// Asks for the file of another vault.
    pub(super) fn choose_vault(&mut self, what: VaultUse) {
        if self.sessions_free(Act::OtherVault(what)) {
            self.worker.send(Command::Choose(Pick::OpenVault(what), String::new()));
        }
    }

    /// The guide for one more vault, beside this one.
    pub(super) fn new_vault(&mut self) {
        if self.sessions_free(Act::NewVault) {
            self.begin_guide(Purpose::Create);
        }
    }

    /// A guide that leads back to the unlock screen.
    pub(super) fn begin_guide(&mut self, purpose: Purpose) {
        let (file, name) = match purpose {
            Purpose::Create => (beside(&self.vault), super::user_name()),
            Purpose::Join | Purpose::Recover => (self.vault.clone(), String::new()),
        };
        let guide = GuideModel::new(purpose, &file.display().to_string(), &name, true);
        self.screen = Screen::Guide(Box::new(guide));
    }

    /// Goes over to the vault in a file that was chosen.
    pub(super) fn open_vault(&mut self, ctx: &Context, file: PathBuf, what: VaultUse) {
        if matches!(self.screen, Screen::Open(_)) {
            return;
        }
        if !file.is_file() {
            self.failed(no_file(&file));
            return;
        }
        let file = file.canonicalize().unwrap_or(file);
        self.go_over(ctx, file);
        self.prefs.last_vault = Some(self.vault.clone());
        self.prefs.save();
        match what {
            VaultUse::Unlock => {
                let unlock = UnlockModel::new(self.prefs.member(&self.vault));
                self.screen = Screen::Unlock(Box::new(unlock));
            }
            VaultUse::Join => self.begin_guide(Purpose::Join),
        }
        ctx.request_repaint();
    }

    /// From now on everything goes to the vault at `file`.
    pub(super) fn go_over(&mut self, ctx: &Context, file: PathBuf) {
        if file == self.vault {
            return;
        }
        let backend: Arc<dyn Backend> = Arc::from(self.worker.backend().at(file.clone()));
        self.vault = file;
        tell_locks(&*backend, &self.locks, ctx);
        tell_changes(&*backend, &self.changes, ctx);
        *self.served.lock().unwrap_or_else(PoisonError::into_inner) = backend.clone();
        self.end_sessions(OTHER_VAULT);
        self.sessions = sessions_over(backend.clone(), ctx);
        self.tabs_of = None;
        self.kept = None;
        self.worker = Worker::start(backend, ctx.clone());
    }
}

/// A name beside a vault that no file has yet.
fn beside(vault: &Path) -> PathBuf {
    let stem = vault.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let ending = vault.extension().map(|e| format!(".{}", e.to_string_lossy()));
    let name = |n: u32| format!("{stem}-{n}{}", ending.as_deref().unwrap_or_default());
    (2..100).map(|n| vault.with_file_name(name(n))).find(|f| !f.exists()).unwrap_or_default()
}

fn no_file(file: &Path) -> AppError {
    let shown = file.display();
    AppError {
        code: Code::NotFound,
        what: Bi::new(
            format!("Il n’y a pas de fichier «\u{a0}{shown}\u{a0}»."),
            format!("There is no file “{shown}”."),
        ),
        todo: Bi::new("Choisissez le fichier du coffre.", "Choose the vault's file."),
    }
}
