//! Paints the settings page: its parts, own factors and computers.

use egui::{RichText, ScrollArea, TextEdit, Ui};

use crate::app::api::{Request, Status};
use crate::gui::act::{Act, Acts};
use crate::gui::dialogs::path::entered;
use crate::gui::dialogs::{Confirm, error_ui};
use crate::gui::guide::kit_view::groups_ui;
use crate::gui::team::view::one_time_ui;
use crate::gui::text::{self, t};
use crate::gui::theme::{card, palette, primary_button};
use crate::gui::unlock::view::eye_ui;
use crate::gui::widgets::advice::in_window;
use crate::gui::widgets::parts;
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::gui::widgets::secret_edit::{SecretEdit, SecretEditOutput};
use crate::gui::widgets::strength::strength_ui;
use crate::gui::worker::{Command, Pick, Tag};
use crate::model::lang::{Bi, Lang};

use super::model::{Part, SettingsModel, Work};
use super::vault_view::{about_ui, looks_ui, vault_ui};

const FIELD: f32 = 320.0;

/// Paints the page.
pub fn settings_ui(
    ui: &mut Ui,
    model: &mut SettingsModel,
    status: &Status,
    manages: bool,
    lang: Lang,
    acts: &mut Acts,
) {
    let parts = [
        (Part::Me, t(lang, "Moi", "Me")),
        (Part::Devices, t(lang, "Postes", "Computers")),
        (Part::Vault, t(lang, "Coffre", "Vault")),
        (Part::Looks, t(lang, "Apparence", "Looks")),
        (Part::About, t(lang, "À propos", "About")),
    ];
    ui.horizontal_wrapped(|ui| {
        for (part, name) in parts {
            let on = model.part == part;
            if ui.add(egui::Button::selectable(on, name)).clicked() && !on {
                model.show(part);
                if part == Part::Vault {
                    acts.push(SettingsModel::read_settings());
                }
            }
        }
    });
    ui.separator();
    ScrollArea::vertical().auto_shrink(false).id_salt("settings").show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(760.0));
        let own = matches!(model.part, Part::Me | Part::Devices | Part::Vault);
        if status.read_only && own {
            read_only_ui(ui, lang);
        }
        match model.part {
            Part::Me => {
                ui.add_enabled_ui(!status.read_only, |ui| me_ui(ui, model, status, lang, acts));
            }
            Part::Devices => {
                ui.add_enabled_ui(!status.read_only, |ui| devices_ui(ui, model, lang, acts));
            }
            Part::Vault => vault_ui(ui, model, status, manages, lang, acts),
            Part::Looks => looks_ui(ui, lang, acts),
            Part::About => about_ui(ui, lang, acts),
        }
        ui.add_space(20.0);
    });
}

/// Why nothing can be changed here.
fn read_only_ui(ui: &mut Ui, lang: Lang) {
    let what = t(
        lang,
        "Le coffre est ouvert en lecture seule\u{a0}: rien ne peut être changé ici.",
        "The vault is open for reading only: nothing can be changed here.",
    );
    let todo = t(
        lang,
        "Verrouillez-le et rouvrez-le sans cocher «\u{a0}Lecture seule\u{a0}».",
        "Lock it and open it again without ticking “Read only”.",
    );
    parts::warn_box(ui, what, todo);
    ui.add_space(6.0);
}

/// A titled card.
pub fn group(ui: &mut Ui, title: &str, hint: &str, add: impl FnOnce(&mut Ui)) {
    let p = palette(ui.ctx());
    ui.add_space(6.0);
    card(ui.ctx()).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.label(parts::bold(title).size(16.0));
        if !hint.is_empty() {
            ui.add(egui::Label::new(RichText::new(hint).color(p.weak)).wrap());
        }
        ui.add_space(6.0);
        add(ui);
    });
}

/// What became of the last job of a group.
pub fn outcome_ui(ui: &mut Ui, model: &SettingsModel, work: Work, done: &str, lang: Lang) {
    if model.busy == Some(work) {
        ui.spinner();
    }
    if let Some((_, e)) = model.error.as_ref().filter(|(w, _)| *w == work) {
        error_ui(ui, lang, Some(e));
    } else if model.done == Some(work) && !done.is_empty() {
        ui.add_space(4.0);
        parts::ok_box(ui, done, "");
        for notice in &model.notices {
            ui.add_space(4.0);
            parts::warn_box(ui, &in_window(notice.get(lang), lang), "");
        }
    }
}

/// The fields in which a person proves once more who it is; what was done in the last.
pub fn factors_ui(
    ui: &mut Ui,
    password: &mut SecretBuffer,
    code: &mut SecretBuffer,
    shown: &mut bool,
    lang: Lang,
) -> SecretEditOutput {
    let label = t(lang, "Mot de passe actuel", "Present password");
    ui.label(label);
    ui.horizontal(|ui| {
        if SecretEdit::new(password, label).width(FIELD).shown(*shown).show(ui).submitted {
            parts::go_on(ui);
        }
        eye_ui(ui, shown, lang);
    });
    let label = t(lang, "Un nouveau code du téléphone", "A fresh code from the phone");
    ui.label(label);
    SecretEdit::new(code, label).width(150.0).large().shown(true).show(ui)
}

fn me_ui(ui: &mut Ui, model: &mut SettingsModel, status: &Status, lang: Lang, acts: &mut Acts) {
    let p = palette(ui.ctx());
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(&status.member).heading());
        parts::badge(ui, text::role(status.role, lang), p.accent);
    });
    let help = RichText::new(text::role_help(status.role, lang)).color(p.weak);
    ui.add(egui::Label::new(help).wrap());
    let hint = t(
        lang,
        "Pour changer le mot de passe, le téléphone ou le kit, prouvez d’abord que c’est vous.",
        "To change password, phone or kit, prove first that it is you.",
    );
    group(ui, t(lang, "Mes facteurs actuels", "My present factors"), hint, |ui| {
        factors_ui(ui, &mut model.password, &mut model.code, &mut model.shown, lang);
    });
    group(ui, t(lang, "Changer de mot de passe", "Change password"), "", |ui| {
        let label = t(lang, "Nouveau mot de passe", "New password");
        ui.label(label);
        let out = SecretEdit::new(&mut model.new, label).width(FIELD).shown(model.shown).show(ui);
        if out.response.changed() {
            let known = [status.member.as_str(), "poterne"];
            model.strength = crate::gui::widgets::strength::Strength::of(&model.new, &known);
        }
        strength_ui(ui, &model.strength, lang);
        let label = t(lang, "Encore une fois", "Once again");
        ui.label(label);
        SecretEdit::new(&mut model.again, label).width(FIELD).shown(model.shown).show(ui);
        if !model.again.is_empty() && !model.again.same_as(&model.new) {
            let differ = t(lang, "Les deux saisies diffèrent.", "The two differ.");
            ui.label(RichText::new(differ).color(p.warn));
        }
        let ready =
            model.has_factors() && model.strength.enough() && model.new.same_as(&model.again);
        let label = t(lang, "Changer le mot de passe", "Change the password");
        if ui.add_enabled(ready, egui::Button::new(label)).clicked() {
            acts.extend(model.change_password());
        }
        let done = t(lang, "Le mot de passe est changé.", "The password is changed.");
        outcome_ui(ui, model, Work::Password, done, lang);
    });
    phone_ui(ui, model, lang, acts);
    kit_ui(ui, model, lang, acts);
}

fn phone_ui(ui: &mut Ui, model: &mut SettingsModel, lang: Lang, acts: &mut Acts) {
    let hint = t(
        lang,
        "L’ancien téléphone cesse de convenir dès que le nouveau est confirmé.",
        "The old phone stops working as soon as the new one is confirmed.",
    );
    group(ui, t(lang, "Changer de téléphone", "Change phone"), hint, |ui| {
        if model.seed.is_none() {
            let label = t(lang, "Associer un nouveau téléphone", "Pair a new phone");
            if ui.add_enabled(model.has_factors(), egui::Button::new(label)).clicked() {
                acts.extend(model.begin_seed());
            }
        } else if let Some(seed) = &model.seed {
            parts::qr_code(ui, seed, 200.0, t(lang, "QR code à photographier", "QR code to scan"));
            let label = t(lang, "Code du nouveau téléphone", "Code of the new phone");
            ui.label(label);
            let edit =
                SecretEdit::new(&mut model.seed_code, label).width(150.0).large().shown(true);
            let out = edit.show(ui);
            if out.submitted || (out.response.changed() && model.seed_code.char_count() == 6) {
                acts.extend(model.finish_seed());
            }
        }
        let done = if model.seed.is_some() {
            ""
        } else {
            t(lang, "Le nouveau téléphone est en place.", "The new phone is in place.")
        };
        outcome_ui(ui, model, Work::Phone, done, lang);
    });
}

fn kit_ui(ui: &mut Ui, model: &mut SettingsModel, lang: Lang, acts: &mut Acts) {
    let hint = t(
        lang,
        "L’ancien kit reste bon jusqu’à ce que le nouveau soit noté et recopié.",
        "The old kit stays good until the new one is noted and typed back.",
    );
    let name = t(lang, "Kit de secours", "Recovery kit");
    group(ui, name, hint, |ui| {
        match &model.kit {
            None => {
                let label = t(lang, "Créer un nouveau kit…", "Make a new kit…");
                if ui.add_enabled(model.has_factors(), egui::Button::new(label)).clicked() {
                    acts.extend(model.draw_kit());
                }
            }
            Some(kit) if !model.kit_noted => {
                let once = t(
                    lang,
                    "Montré une seule fois\u{a0}: imprimez-le ou recopiez-le, et gardez-le loin de ce poste.",
                    "Shown once: print it or write it down, and keep it away from this computer.",
                );
                ui.label(once);
                groups_ui(ui, kit, name);
                ui.horizontal_wrapped(|ui| {
                    let noted = t(lang, "Je l’ai noté", "I have noted it");
                    model.kit_noted = ui.add(primary_button(ui.ctx(), noted)).clicked();
                    if ui.button(t(lang, "Enregistrer en PDF…", "Save as PDF…")).clicked() {
                        let name = String::from("poterne-kit.pdf");
                        acts.push(Act::Send(Command::Choose(Pick::SaveKit, name)));
                    }
                    if ui.button(t(lang, "Garder l’ancien kit", "Keep the old kit")).clicked() {
                        model.drop_kit();
                    }
                });
            }
            Some(_) => kit_back_ui(ui, model, lang, acts),
        }
        let done = if model.kit.is_some() {
            ""
        } else {
            t(
                lang,
                "Le nouveau kit est en vigueur\u{a0}; l’ancien ne fonctionne plus.",
                "The new kit is in effect; the old one no longer works.",
            )
        };
        outcome_ui(ui, model, Work::Kit, done, lang);
    });
}

fn kit_back_ui(ui: &mut Ui, model: &mut SettingsModel, lang: Lang, acts: &mut Acts) {
    let hint = t(
        lang,
        "Recopiez les neuf groupes depuis votre papier\u{a0}: un kit mal noté ne servirait à rien.",
        "Type the nine groups from your paper: a kit noted wrongly would be worth nothing.",
    );
    ui.add(egui::Label::new(hint).wrap());
    let label = t(lang, "Kit recopié", "Kit typed back");
    ui.label(label);
    let out = SecretEdit::new(&mut model.kit_back, label).width(FIELD * 1.5).shown(true).show(ui);
    ui.horizontal_wrapped(|ui| {
        let ready = model.busy.is_none() && !model.kit_back.is_empty();
        let done =
            primary_button(ui.ctx(), t(lang, "Remplacer l’ancien kit", "Replace the old kit"));
        if ui.add_enabled(ready, done).clicked() || out.submitted {
            acts.extend(model.keep_kit());
        }
        let free = model.busy.is_none();
        let show = egui::Button::new(t(lang, "Revoir le nouveau kit", "See the new kit again"));
        if ui.add_enabled(free, show).clicked() {
            model.kit_noted = false;
            model.kit_back.clear();
        }
        let keep = egui::Button::new(t(lang, "Garder l’ancien kit", "Keep the old kit"));
        if ui.add_enabled(free, keep).clicked() {
            model.drop_kit();
        }
    });
}

fn devices_ui(ui: &mut Ui, model: &mut SettingsModel, lang: Lang, acts: &mut Acts) {
    if !model.devices_asked {
        model.devices_asked = true;
        acts.push(Act::Send(Command::Ask(Tag::Devices, Request::Devices)));
    }
    let p = palette(ui.ctx());
    let hint = t(
        lang,
        "Chaque poste garde une clé qui complète mot de passe et code.",
        "Each computer keeps a key that completes password and code.",
    );
    group(ui, t(lang, "Mes postes", "My computers"), hint, |ui| {
        if model.devices.as_ref().is_some_and(Vec::is_empty) {
            let none = t(
                lang,
                "Aucun\u{a0}: ce coffre est portable et s’ouvre sur tout poste.",
                "None: this vault is portable and opens on any computer.",
            );
            ui.label(none);
        }
        for device in model.devices.iter().flatten() {
            ui.horizontal_wrapped(|ui| {
                ui.label("\u{1f4bb}");
                ui.label(parts::bold(&device.label));
                let since = text::when(device.added_at, lang);
                ui.label(RichText::new(since).color(p.weak));
                if device.this {
                    parts::badge(ui, t(lang, "ce poste", "this computer"), p.ok);
                }
                let name = format!("{} {}", t(lang, "Retirer", "Remove"), device.label);
                if parts::drawn_button(ui, parts::Icon::Bin, &name).clicked() {
                    let request = Request::RemoveDevice { id: device.id };
                    let label = &device.label;
                    acts.push(Act::Confirm(Box::new(Confirm {
                        title: Bi::new(format!("Retirer {label}\u{a0}?"), format!("Remove {label}?")),
                        text: Bi::new(
                            "Ce poste n’ouvrira plus le coffre sans nouveau code ou kit de secours.",
                            "This computer will no longer open the vault without a new code or the recovery kit.",
                        ),
                        yes: Bi::new("Retirer", "Remove"),
                        acts: vec![Act::Send(Command::Ask(Tag::DeviceRemoved, request))],
                    })));
                }
            });
        }
    });
    let hint = t(
        lang,
        "Le code se tape sur l’autre poste\u{a0}: «\u{a0}Ajouter ce poste\u{a0}» de l’écran de déverrouillage.",
        "The code is typed on the other computer: “Add this computer” of its unlock screen.",
    );
    group(ui, t(lang, "Ajouter un poste", "Add a computer"), hint, |ui| {
        if let Some(code) = &model.device_code {
            one_time_ui(ui, code, t(lang, "Code à usage unique", "One-time code"));
            if ui.button(t(lang, "Fermer", "Close")).clicked() {
                model.device_code = None;
            }
            return;
        }
        let label = ui.label(t(lang, "Nom du poste", "Name of the computer"));
        let edit = TextEdit::singleline(&mut model.label).desired_width(FIELD);
        let field = ui.add(edit).labelled_by(label.id);
        let enter = entered(ui, &field);
        // The code opens the vault elsewhere: it is not given to whoever finds
        // this one open.
        factors_ui(ui, &mut model.password, &mut model.code, &mut model.shown, lang);
        let ready = model.may_add_device();
        let button = primary_button(ui.ctx(), t(lang, "Créer le code", "Make the code"));
        if ui.add_enabled(ready, button).clicked() || (enter && ready) {
            acts.extend(model.add_device());
        } else if enter {
            parts::go_on(ui);
        }
        outcome_ui(ui, model, Work::Devices, "", lang);
    });
}
