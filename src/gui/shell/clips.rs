//! Secrets on the clipboard, and what is said of them.

use std::time::Duration;

use egui::Context;

use crate::app::api::{AppError, Code};
use crate::gui::action::{Action, keys_of};
use crate::model::id::EntryId;
use crate::model::lang::{Bi, Lang};
use crate::model::policy::Action as Right;
use crate::secret::SecretText;

use super::{Screen, Shell};

impl Shell {
    /// A page is in the browser: its login goes to the clipboard, and the details
    /// offer the password.
    pub(super) fn visited(&mut self, ctx: &Context, id: EntryId, user: String) {
        self.justified();
        let Some(opened) = self.opened() else { return };
        let may = opened.may(Right::Reveal);
        if opened.editor.is_none() {
            self.select(id);
        }
        let keys = |lang| keys_of(Action::CopyPassword, lang);
        let (mut fr, mut en) = match user.is_empty() {
            true => ("Page ouverte.".to_owned(), "Page opened.".to_owned()),
            false => (
                format!("Page ouverte, identifiant «\u{a0}{user}\u{a0}» copié."),
                format!("Page opened, login “{user}” copied."),
            ),
        };
        if may {
            fr += &format!(" {} copie le mot de passe.", keys(Lang::Fr));
            en += &format!(" {} copies the password.", keys(Lang::En));
        }
        if !user.is_empty() {
            ctx.copy_text(user);
        }
        self.toast(fr, en);
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
}
