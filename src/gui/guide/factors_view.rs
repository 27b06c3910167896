//! The steps of the guide that ask for the factors: name and file, password,
//! computer, phone.

use egui::{RichText, TextEdit, Ui};

use crate::gui::act::{Act, Acts};
use crate::gui::text::t;
use crate::gui::theme::palette;
use crate::gui::unlock::view::eye_ui;
use crate::gui::widgets::parts;
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::gui::widgets::strength::strength_ui;
use crate::gui::worker::{Command, Pick, VaultUse};
use crate::model::lang::Lang;

use super::model::{GuideModel, Purpose};
use super::view::{WIDTH, para};

pub(super) fn start_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    if model.purpose != Purpose::Create {
        let (hint, label) = if model.purpose == Purpose::Join {
            (
                t(
                    lang,
                    "Saisissez le code d’invitation reçu. Il ne sert qu’une fois.",
                    "Type the invitation code you were given. It works once.",
                ),
                t(lang, "Code d’invitation", "Invitation code"),
            )
        } else {
            (
                t(
                    lang,
                    "Saisissez les neuf groupes du kit de secours. Vous choisirez ensuite un nouveau mot de passe et associerez un téléphone.",
                    "Type the nine groups of the recovery kit. You will then choose a new password and pair a phone.",
                ),
                t(lang, "Code du kit de secours", "Recovery kit code"),
            )
        };
        para(ui, hint);
        let file = RichText::new(&model.file).size(12.5).color(palette(ui.ctx()).weak);
        ui.add(egui::Label::new(file).truncate());
        ui.label(label);
        let out = SecretEdit::new(&mut model.entry_code, label).width(WIDTH).shown(true).show(ui);
        if std::mem::take(&mut model.focus) {
            out.response.request_focus();
        }
        if out.submitted {
            acts.extend(model.forward().map(Act::Send));
        }
        return;
    }
    para(
        ui,
        t(
            lang,
            "Un coffre est un fichier chiffré sur ce poste. Il s’ouvre avec un mot de passe et un code de votre téléphone, sans serveur.",
            "A vault is an encrypted file on this computer. It opens with a password and a code from your phone, without a server.",
        ),
    );
    ui.add_space(6.0);
    let label = ui.label(t(lang, "Votre nom", "Your name"));
    let hint = t(lang, "tel qu’il paraîtra dans le journal", "as it will appear in the log");
    let edit = TextEdit::singleline(&mut model.name).desired_width(f32::INFINITY).hint_text(hint);
    let out = ui.add(edit).labelled_by(label.id);
    if std::mem::take(&mut model.focus) {
        out.request_focus();
    }
    let enter = out.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
    ui.add_space(4.0);
    let label = ui.label(t(lang, "Fichier du coffre", "Vault file"));
    ui.horizontal(|ui| {
        let browse = t(lang, "Parcourir…", "Browse…");
        let wide = ui.available_width() - parts::room_for_button(ui, browse);
        let edit = TextEdit::singleline(&mut model.file).desired_width(wide);
        ui.add(edit).labelled_by(label.id);
        if ui.button(browse).clicked() {
            acts.push(Act::Send(Command::Choose(Pick::NewVault, model.file_name())));
        }
    });
    if enter {
        acts.extend(model.forward().map(Act::Send));
    }
    if !model.can_leave {
        ui.add_space(10.0);
        let other = t(lang, "Vous avez déjà un coffre\u{a0}?", "Do you have a vault already?");
        ui.label(RichText::new(other).color(palette(ui.ctx()).weak));
        if ui.link(t(lang, "J’ai un fichier de coffre…", "I have a vault file…")).clicked() {
            acts.push(Act::OtherVault(VaultUse::Unlock));
        }
        if ui.link(t(lang, "J’ai reçu une invitation…", "I have an invitation…")).clicked() {
            acts.push(Act::OtherVault(VaultUse::Join));
        }
    }
}

pub(super) fn password_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    para(
        ui,
        t(
            lang,
            "Ce mot de passe ne peut pas être retrouvé. Prenez-en un long, que vous n’utilisez nulle part ailleurs.",
            "This password cannot be recovered. Take a long one that you use nowhere else.",
        ),
    );
    ui.add_space(6.0);
    let label = t(lang, "Mot de passe", "Password");
    ui.label(label);
    let mut onward = false;
    ui.horizontal(|ui| {
        let out = SecretEdit::new(&mut model.password, label)
            .width(WIDTH - 40.0)
            .shown(model.shown)
            .show(ui);
        if std::mem::take(&mut model.focus) {
            out.response.request_focus();
        }
        if out.response.changed() {
            model.password_changed();
        }
        onward = out.submitted;
        eye_ui(ui, &mut model.shown, lang);
    });
    strength_ui(ui, &model.strength, lang);
    ui.add_space(4.0);
    let label = t(lang, "Encore une fois", "Once again");
    ui.label(label);
    let out =
        SecretEdit::new(&mut model.again, label).width(WIDTH - 40.0).shown(model.shown).show(ui);
    if onward {
        out.response.request_focus();
    }
    let p = palette(ui.ctx());
    let remark = if !model.password.is_empty() && !model.strength.enough() {
        t(
            lang,
            "Il faut au moins «\u{a0}Bon\u{a0}» pour garder un coffre.",
            "A vault needs at least “Good”.",
        )
    } else if !model.again.is_empty() && !model.again.same_as(&model.password) {
        t(lang, "Les deux saisies diffèrent.", "The two differ.")
    } else {
        ""
    };
    ui.label(RichText::new(remark).color(p.warn));
    if out.submitted {
        acts.extend(model.forward().map(Act::Send));
    }
}

pub(super) fn device_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang) {
    let choices = [
        (
            false,
            t(lang, "Lié à ce poste (conseillé)", "Tied to this computer (advised)"),
            t(
                lang,
                "Une clé gardée par ce poste complète le mot de passe et le code. Le fichier volé seul reste fermé, même si le mot de passe est deviné. Un autre poste s’ajoute en une minute, avec un code à usage unique ou le kit de secours.",
                "A key kept by this computer completes password and code. The stolen file alone stays shut, even when the password is guessed. Another computer is added in a minute, with a one-time code or the recovery kit.",
            ),
        ),
        (
            true,
            t(lang, "Portable", "Portable"),
            t(
                lang,
                "S’ouvre sur n’importe quel poste. Le prix\u{a0}: qui copie le fichier peut essayer des mots de passe aussi longtemps qu’il veut, et le code à six chiffres ne l’arrête guère. N’y songez qu’avec un mot de passe très long.",
                "Opens on any computer. The price: whoever copies the file may try passwords for as long as they like, and the six-digit code hardly stops them. Only with a very long password.",
            ),
        ),
    ];
    for (portable, name, text) in choices {
        ui.add_space(4.0);
        ui.radio_value(&mut model.portable, portable, parts::bold(name));
        ui.indent(name, |ui| para(ui, text));
    }
    if model.waiting {
        ui.add_space(6.0);
        ui.horizontal(|ui| {
            ui.spinner();
            let text = t(
                lang,
                "Mesure de ce poste et préparation des clés…",
                "Measuring this computer and preparing keys…",
            );
            ui.label(text);
        });
    }
}

pub(super) fn phone_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    let Some(enrolment) = &model.enrolment else { return };
    let mut submit = false;
    ui.horizontal_top(|ui| {
        let alt = t(lang, "QR code à photographier", "QR code to scan");
        if !parts::qr_code(ui, &enrolment.otpauth_uri, 216.0, alt) {
            model.show_seed = true;
        }
        ui.add_space(8.0);
        ui.vertical(|ui| {
            ui.set_width(WIDTH - 250.0);
            para(
                ui,
                t(
                    lang,
                    "Photographiez ce carré avec une application de codes (Aegis, FreeOTP, Google Authenticator, KeePassXC…).",
                    "Scan this square with a code application (Aegis, FreeOTP, Google Authenticator, KeePassXC…).",
                ),
            );
            ui.add_space(6.0);
            let label = t(lang, "Code affiché par le téléphone", "Code shown by the phone");
            ui.label(label);
            let out =
                SecretEdit::new(&mut model.code, label).width(160.0).large().shown(true).show(ui);
            if std::mem::take(&mut model.focus) {
                out.response.request_focus();
            }
            let full = out.response.changed() && model.code.char_count() == 6;
            submit = out.submitted || full;
        });
    });
    if submit {
        acts.extend(model.forward().map(Act::Send));
    }
    ui.add_space(4.0);
    let show = if model.show_seed {
        t(lang, "Masquer la clé", "Hide the key")
    } else {
        t(lang, "Saisir la clé à la main", "Type the key by hand")
    };
    if ui.link(show).clicked() {
        model.show_seed = !model.show_seed;
    }
    if model.show_seed
        && let Some(enrolment) = &model.enrolment
    {
        let seed = enrolment.otpauth_uri.expose(|uri| {
            let from = uri.find("secret=").map_or(uri, |at| &uri[at + 7..]);
            let seed = from.split('&').next().unwrap_or(from);
            let mut spaced = String::with_capacity(seed.len() * 2);
            for (i, c) in seed.chars().enumerate() {
                if i > 0 && i % 4 == 0 {
                    spaced.push(' ');
                }
                spaced.push(c);
            }
            crate::secret::SecretText::new(spaced)
        });
        parts::secret_label(ui, &seed, t(lang, "Clé du téléphone", "Key for the phone"));
        let hint = t(
            lang,
            "Type\u{a0}: TOTP, 6 chiffres, 30 secondes.",
            "Type: TOTP, 6 digits, 30 seconds.",
        );
        ui.label(RichText::new(hint).size(12.5).color(palette(ui.ctx()).weak));
    }
}
