//! Paints the guide: one card, one question at a time.

use egui::{Align, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::gui::act::{Act, Acts};
use crate::gui::text::t;
use crate::gui::theme::{card, palette, primary_button};
use crate::gui::unlock::view::{brand_ui, eye_ui};
use crate::gui::widgets::advice::in_window;
use crate::gui::widgets::parts;
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::gui::widgets::strength::strength_ui;
use crate::gui::worker::{Command, Pick, VaultUse};
use crate::model::lang::Lang;

use super::model::{GuideModel, Purpose, Step};

const WIDTH: f32 = 520.0;

/// Paints the guide.
pub fn guide_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            ui.add_space((ui.available_height() * 0.06).clamp(8.0, 60.0));
            brand_ui(ui, "");
            ui.add_space(10.0);
            ui.set_max_width(WIDTH + 34.0);
            card(ui.ctx()).show(ui, |ui| {
                ui.set_width(WIDTH);
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    progress_ui(ui, model, lang);
                    if model.wiped {
                        wiped_ui(ui, model, lang);
                    }
                    step_ui(ui, model, lang, acts);
                    if let Some(e) = &model.error {
                        ui.add_space(6.0);
                        parts::failure(ui, lang, &e.what, &e.todo);
                    }
                    ui.add_space(14.0);
                    buttons_ui(ui, model, lang, acts);
                });
            });
        });
    });
}

fn progress_ui(ui: &mut Ui, model: &GuideModel, lang: Lang) {
    let p = palette(ui.ctx());
    let steps = model.steps();
    let here = steps.iter().position(|s| *s == model.step).unwrap_or(0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let wide = (WIDTH - 4.0 * steps.len() as f32) / steps.len() as f32;
        for i in 0..steps.len() {
            let (rect, _) = ui.allocate_exact_size(vec2(wide, 4.0), egui::Sense::hover());
            let colour = if i <= here { p.accent } else { p.line };
            ui.painter().rect_filled(rect, 2.0, colour);
        }
    });
    ui.add_space(4.0);
    let count = match lang {
        Lang::Fr => format!("Étape {} sur {}", here + 1, steps.len()),
        Lang::En => format!("Step {} of {}", here + 1, steps.len()),
    };
    ui.label(RichText::new(count).size(12.5).color(p.weak));
    ui.label(RichText::new(title(model, lang)).heading());
    ui.add_space(4.0);
}

fn title(model: &GuideModel, lang: Lang) -> &'static str {
    match (model.step, model.purpose) {
        (Step::Start, Purpose::Create) => t(lang, "Créer votre coffre", "Make your vault"),
        (Step::Start, Purpose::Join) => t(lang, "Rejoindre un coffre", "Join a vault"),
        (Step::Start, Purpose::Recover) => t(lang, "Retrouver l’accès", "Regain access"),
        (Step::Password, _) => t(lang, "Choisir un mot de passe", "Choose a password"),
        (Step::Device, _) => t(lang, "Lier le coffre à ce poste", "Tie the vault to this computer"),
        (Step::Phone, _) => t(lang, "Associer votre téléphone", "Pair your phone"),
        (Step::Kit, _) => t(lang, "Garder le kit de secours", "Keep the recovery kit"),
        (Step::KitBack, _) => t(lang, "Recopier le kit de secours", "Type the recovery kit back"),
        (Step::Done, Purpose::Create) => t(lang, "Votre coffre est prêt", "Your vault is ready"),
        (Step::Done, _) => t(lang, "C’est fait", "Done"),
    }
}

/// Why the person is at this step again.
fn wiped_ui(ui: &mut Ui, model: &GuideModel, lang: Lang) {
    let what = t(
        lang,
        "Ce qui était saisi et affiché a été effacé, faute d’activité ou parce que l’écran s’est verrouillé.",
        "What was typed and shown was wiped, for want of activity or because the screen was locked.",
    );
    let todo = match model.step {
        Step::Start => t(
            lang,
            "Rien n’a été écrit\u{a0}: recommencez. Un kit déjà noté et un téléphone déjà associé ne valent plus rien.",
            "Nothing was written: start again. A kit already noted and a phone already paired are worth nothing.",
        ),
        _ => "",
    };
    parts::warn_box(ui, what, todo);
    ui.add_space(6.0);
}

fn para(ui: &mut Ui, text: &str) {
    ui.add(egui::Label::new(text).wrap());
}

fn step_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    let waiting = model.waiting;
    ui.add_enabled_ui(!waiting, |ui| match model.step {
        Step::Start => start_ui(ui, model, lang, acts),
        Step::Password => password_ui(ui, model, lang, acts),
        Step::Device => device_ui(ui, model, lang),
        Step::Phone => phone_ui(ui, model, lang, acts),
        Step::Kit => kit_ui(ui, model, lang, acts),
        Step::KitBack => kit_back_ui(ui, model, lang, acts),
        Step::Done => done_ui(ui, model, lang, acts),
    });
}

fn start_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
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
        let edit = TextEdit::singleline(&mut model.file).desired_width(WIDTH - 110.0);
        ui.add(edit).labelled_by(label.id);
        if ui.button(t(lang, "Parcourir…", "Browse…")).clicked() {
            let name = String::from("poterne.vault");
            acts.push(Act::Send(Command::Choose(Pick::NewVault, name)));
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

fn password_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
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
            "A vault needs at least \"Good\".",
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

fn device_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang) {
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

fn phone_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
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

fn kit_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    para(
        ui,
        t(
            lang,
            "Avec ce kit et un nouveau mot de passe, vous rouvrez le coffre si le téléphone, le poste ou le mot de passe est perdu. Il n’est montré qu’une fois\u{a0}: imprimez-le ou recopiez-le, et gardez-le loin de ce poste.",
            "With this kit and a new password you open the vault again when the phone, the computer or the password is lost. It is shown once: print it or write it down, and keep it away from this computer.",
        ),
    );
    ui.add_space(8.0);
    let p = palette(ui.ctx());
    if let Some(enrolment) = &model.enrolment {
        egui::Frame::new().fill(p.field).corner_radius(6).inner_margin(14).show(ui, |ui| {
            ui.set_width(WIDTH - 28.0);
            groups_ui(ui, &enrolment.kit, t(lang, "Kit de secours", "Recovery kit"));
        });
    }
    ui.add_space(8.0);
    ui.horizontal(|ui| {
        if ui.button(t(lang, "Enregistrer en PDF…", "Save as PDF…")).clicked() {
            let name = String::from("poterne-kit.pdf");
            acts.push(Act::Send(Command::Choose(Pick::SaveKit, name)));
        }
        if let Some(file) = &model.kit_file {
            ui.label(RichText::new(file.display().to_string()).size(12.5).color(p.ok));
        }
    });
}

/// The groups of a recovery code, three to a line, large.
pub fn groups_ui(ui: &mut Ui, kit: &crate::secret::SecretText, name: &str) {
    let font = egui::FontId::new(21.0, egui::FontFamily::Monospace);
    let colour = ui.visuals().text_color();
    let rows: Vec<_> = kit.expose(|text| {
        let groups: Vec<&str> =
            text.split(|c: char| c == '-' || c.is_whitespace()).filter(|g| !g.is_empty()).collect();
        groups
            .chunks(3)
            .map(|row| ui.painter().layout_no_wrap(row.join("   "), font.clone(), colour))
            .collect()
    });
    let height: f32 = rows.iter().map(|r| r.size().y + 4.0).sum();
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), height), egui::Sense::hover());
    let mut y = rect.top();
    for row in rows {
        let at = egui::pos2(rect.center().x - row.size().x / 2.0, y);
        y += row.size().y + 4.0;
        ui.painter().galley(at, row, colour);
    }
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, name));
}

fn kit_back_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    para(
        ui,
        t(
            lang,
            "Recopiez les neuf groupes depuis votre papier\u{a0}: un kit mal noté ne servirait à rien. Espaces, tirets et majuscules sont indifférents.",
            "Type the nine groups from your paper: a kit noted wrongly would be worth nothing. Spaces, dashes and capitals do not matter.",
        ),
    );
    ui.add_space(6.0);
    let label = t(lang, "Kit recopié", "Kit typed back");
    ui.label(label);
    let out = SecretEdit::new(&mut model.kit_back, label).width(WIDTH).shown(true).show(ui);
    if std::mem::take(&mut model.focus) {
        out.response.request_focus();
    }
    if out.submitted {
        acts.extend(model.forward().map(Act::Send));
    }
}

fn done_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    let Some(made) = &model.finished else { return };
    let p = palette(ui.ctx());
    ui.label(RichText::new(made.file.display().to_string()).monospace());
    if !made.fingerprint.is_empty() {
        ui.add_space(6.0);
        ui.label(parts::bold(t(
            lang,
            "Empreinte publique du coffre",
            "Public fingerprint of the vault",
        )));
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(&made.fingerprint).monospace());
            let copy = t(lang, "Copier l’empreinte", "Copy fingerprint");
            if parts::drawn_button(ui, parts::Icon::Copy, copy).clicked() {
                acts.push(Act::CopyPlain(made.fingerprint.clone()));
            }
        });
        let hint = t(
            lang,
            "Donnez-la à vos auditeurs\u{a0}: elle leur prouve qu’un journal exporté vient de ce coffre.",
            "Give it to your auditors: it proves to them that an exported log comes from this vault.",
        );
        ui.add(egui::Label::new(RichText::new(hint).color(p.weak)).wrap());
    }
    for notice in &made.notices {
        ui.add_space(6.0);
        parts::warn_box(ui, &in_window(notice.get(lang), lang), "");
    }
}

fn buttons_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
    // A step without a field: the keyboard is for its button.
    let focus = matches!(model.step, Step::Device | Step::Kit | Step::Done)
        && std::mem::take(&mut model.focus);
    ui.horizontal(|ui| {
        if model.step == Step::Done {
            let label = t(lang, "Déverrouiller", "Unlock");
            let out = ui.add(primary_button(ui.ctx(), label));
            if focus {
                out.request_focus();
            }
            if out.clicked() {
                acts.push(Act::BackToUnlock);
            }
            return;
        }
        let label = match model.step {
            Step::Kit => t(lang, "Je l’ai noté", "I have noted it"),
            Step::KitBack => t(lang, "Terminer", "Finish"),
            _ => t(lang, "Continuer", "Continue"),
        };
        let out = ui.add_enabled(model.ready(), primary_button(ui.ctx(), label));
        if focus {
            out.request_focus();
        }
        if out.clicked() {
            acts.extend(model.forward().map(Act::Send));
        }
        let back = !matches!(model.step, Step::Start | Step::Kit);
        if back
            && ui
                .add_enabled(!model.waiting, egui::Button::new(t(lang, "Retour", "Back")))
                .clicked()
        {
            acts.extend(model.back().map(Act::Send));
        }
        let again = t(lang, "Recommencer depuis le début", "Start again");
        if model.failed && ui.add_enabled(!model.waiting, egui::Button::new(again)).clicked() {
            acts.push(Act::Send(model.restart()));
        }
        if model.can_leave && ui.button(t(lang, "Annuler", "Cancel")).clicked() {
            acts.push(Act::Send(Command::Abandon));
            acts.push(Act::BackToUnlock);
        }
        if model.waiting && model.step != Step::Device {
            ui.spinner();
        }
    });
}
