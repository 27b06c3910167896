//! Paints the guide: one card, one question at a time.

use egui::{Align, Layout, RichText, ScrollArea, Ui, vec2};

use crate::gui::act::{Act, Acts};
use crate::gui::text::t;
use crate::gui::theme::{card, palette, primary_button};
use crate::gui::unlock::view::{brand_ui, older_ui};
use crate::gui::widgets::advice::in_window;
use crate::gui::widgets::parts;
use crate::gui::worker::Command;
use crate::model::lang::Lang;

use super::factors_view::{device_ui, password_ui, phone_ui, start_ui};
use super::kit_view::{kit_back_ui, kit_ui};
use super::model::{GuideModel, Purpose, Step};

pub(super) const WIDTH: f32 = 520.0;

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
                    if model.may_accept_older() {
                        older_ui(ui, &mut model.accept_older, lang);
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
        let wide = (WIDTH - 4.0 * (steps.len() - 1) as f32) / steps.len() as f32;
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

pub(super) fn para(ui: &mut Ui, text: &str) {
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
