//! Files that were chosen or read: which path is proposed, and who gets what.

use egui::Context;

use crate::app::api::{AppError, Request};
use crate::connect::file_send;
use crate::gui::sessions::tab::Tab;
use crate::gui::worker::{Command, Pick, Tag};
use crate::model::entry::Slot;
use crate::secret::SecretBytes;

use super::{Screen, Shell};

impl Shell {
    pub(super) fn proposed_path(&self, pick: &Pick) -> String {
        let home = dirs::home_dir().unwrap_or_default();
        let name = match pick {
            Pick::NewVault => {
                let typed = match &self.screen {
                    Screen::Guide(guide) => guide.file.trim(),
                    _ => "",
                };
                if !typed.is_empty() {
                    return typed.to_owned();
                }
                "coffre.poterne"
            }
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
            Pick::CopiedFiles(_) => {
                // Never the home itself, whose files the person's programs read by
                // themselves.
                let folder = dirs::download_dir().filter(|folder| *folder != home);
                return folder.unwrap_or_default().display().to_string();
            }
            Pick::OpenVault(_) => return self.vault.display().to_string(),
            _ => "",
        };
        home.join(name).display().to_string()
    }

    pub(super) fn chosen(&mut self, ctx: &Context, pick: Pick, path: std::path::PathBuf) {
        match pick {
            Pick::NewVault => {
                if let Screen::Guide(guide) = &mut self.screen {
                    guide.file = path.display().to_string();
                }
            }
            Pick::CopiedFiles(tab) => {
                if let Some(screen) = self.sessions.tab(tab).and_then(Tab::screen) {
                    screen.save_files(path);
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
            Pick::PrivateKey
            | Pick::QrPicture
            | Pick::Profile
            | Pick::AddAttachment
            | Pick::Manifest => {
                self.worker.send(Command::Read(pick, path));
            }
            Pick::SendFile(tab, protocol) => {
                let tab = self.sessions.tab(tab);
                if let Some(terminal) = tab.and_then(|tab| tab.terminal()) {
                    terminal.send_file(protocol, &path, file_send::PATIENCE);
                }
                ctx.request_repaint();
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

    pub(super) fn file_read(
        &mut self,
        ctx: &Context,
        pick: Pick,
        name: String,
        bytes: Result<SecretBytes, AppError>,
    ) {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(e) => {
                self.failed(e);
                return;
            }
        };
        let Screen::Open(opened) = &mut self.screen else { return };
        if pick == Pick::Manifest {
            let text = bytes.expose(|bytes| String::from_utf8(bytes.to_vec()));
            match text {
                Ok(text) => {
                    let act = opened.own.share(text);
                    self.perform(ctx, act);
                }
                Err(_) => self.failed(AppError::no_text(&name)),
            }
            return;
        }
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
