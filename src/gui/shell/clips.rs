//! Secrets on the clipboard, and what is said of them.

use std::time::Duration;

use egui::Context;

use crate::app::api::{AppError, Code};
use crate::model::lang::Bi;
use crate::secret::SecretText;

use super::{Screen, Shell};

impl Shell {
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
