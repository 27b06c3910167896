//! The part of the form with the credentials: where they come from, and the secrets.

use egui::{ComboBox, Ui};

use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::unlock::view::eye_ui;
use crate::gui::widgets::parts;
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::gui::widgets::strength::strength_ui;
use crate::gui::worker::{Command, Pick};
use crate::model::entry::{Kind, Slot};
use crate::model::lang::Lang;

use super::editor::{Editor, Faults, PickFor, SecretField, Source};
use super::form_line::{line, room, text_line};
use super::picker::open_picker;

pub(super) fn login_ui(
    ui: &mut Ui,
    form: &mut Editor,
    faults: &Faults,
    lang: Lang,
    acts: &mut Acts,
) {
    let container = form.kind.is_container();
    let common = form.common();
    if common.user {
        let title = if container {
            t(lang, "IDENTIFIANTS TRANSMIS AUX ACCÈS", "CREDENTIALS PASSED ON TO ENTRIES")
        } else {
            t(lang, "IDENTIFIANTS", "CREDENTIALS")
        };
        parts::section(ui, title);
        let label = t(lang, "Origine", "Source");
        line(ui, label, faults.get("credential"), lang, |ui, id| {
            // Above a client there is nothing to inherit from.
            let client = form.kind == Kind::CLIENT;
            let name = |source: Source| match source {
                Source::Inherited if client => {
                    t(lang, "Ceux saisis ici, ou aucun", "Those typed here, or none")
                }
                other => other.label(lang),
            };
            let chosen = name(form.source);
            let combo = ComboBox::from_id_salt("source").width(room(ui, 0.0)).selected_text(chosen);
            let out = combo.show_ui(ui, |ui| {
                for source in Source::ALL {
                    if container && matches!(source, Source::Mine) {
                        continue;
                    }
                    ui.selectable_value(&mut form.source, source, name(source));
                }
            });
            out.response.labelled_by(id);
        });
        if form.source == Source::Linked {
            let shown = form.linked.as_ref().map_or(String::new(), |(_, path)| path.clone());
            line(ui, t(lang, "Lié à", "Linked to"), None, lang, |ui, _| {
                ui.add(egui::Label::new(&shown).wrap());
                if ui.button(t(lang, "Choisir…", "Choose…")).clicked() {
                    open_picker(form, PickFor::Linked, acts);
                }
            });
        }
        if form.source != Source::Linked && form.source != Source::Mine {
            let hint = match form.source {
                Source::Inherited if form.kind != Kind::CLIENT => {
                    t(lang, "celui du dossier", "the folder's")
                }
                _ => "",
            };
            let label = t(lang, "Identifiant", "Login");
            text_line(ui, label, &mut form.user, hint, None, lang);
        }
    }
    let own = form.shows_own_login();
    let (source, mut generate) = (form.source, false);
    for secret in &mut form.secrets {
        let login = matches!(secret.slot, Slot::Password | Slot::PrivateKey | Slot::Passphrase);
        let hidden = login && (!own || (container && source == Source::Ask));
        if hidden && !secret.existed {
            continue;
        }
        secret_ui(ui, secret, lang, acts, &mut generate);
    }
    if generate {
        acts.push(Act::Generator(Some(Slot::Password)));
    }
}

fn secret_ui(
    ui: &mut Ui,
    secret: &mut SecretField,
    lang: Lang,
    acts: &mut Acts,
    generate: &mut bool,
) {
    let label = text::slot(&secret.slot, lang);
    let hint = match (&secret.slot, secret.existed, secret.clear) {
        (_, true, true) => t(lang, "sera supprimé", "will be removed"),
        (_, true, false) => t(lang, "inchangé", "unchanged"),
        (Slot::Totp, ..) => t(lang, "otpauth://… ou clé en base32", "otpauth://… or base32 key"),
        (Slot::PrivateKey, ..) => t(lang, "OpenSSH ou PEM", "OpenSSH or PEM"),
        _ => "",
    };
    line(ui, &label, None, lang, |ui, _| {
        ui.horizontal_top(|ui| {
            let rows = if secret.buffer.is_page() { 5 } else { 1 };
            let out = SecretEdit::new(&mut secret.buffer, &label)
                .width(room(ui, 76.0))
                .hint(hint)
                .rows(rows)
                .shown(secret.shown)
                .show(ui);
            if out.response.changed() {
                secret.changed();
            }
            if out.submitted {
                ui.memory_mut(|m| m.surrender_focus(out.response.id));
                parts::go_on(ui);
            }
            eye_ui(ui, &mut secret.shown, lang);
            if secret.existed {
                let remove = t(lang, "Supprimer ce secret", "Remove this secret");
                if parts::drawn_button(ui, parts::Icon::Bin, remove).clicked() {
                    secret.clear = !secret.clear;
                    secret.buffer.clear();
                }
            }
        });
        let file = match secret.slot {
            Slot::PrivateKey => {
                Some((Pick::PrivateKey, t(lang, "Depuis un fichier…", "From a file…")))
            }
            Slot::Totp => {
                let label = t(lang, "Depuis une image de QR code…", "From a picture of a QR code…");
                Some((Pick::QrPicture, label))
            }
            _ => None,
        };
        if let Some((pick, label)) = file
            && parts::small_button(ui, label).clicked()
        {
            acts.push(Act::Send(Command::Choose(pick, String::new())));
        }
        if secret.slot == Slot::Password {
            ui.horizontal(|ui| {
                if parts::small_button(ui, t(lang, "Générer…", "Generate…")).clicked() {
                    *generate = true;
                }
                if !secret.buffer.is_empty() {
                    strength_ui(ui, &secret.strength, lang);
                }
            });
        }
    });
}
