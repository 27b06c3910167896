//! Paints the unlock screen.

use egui::{Align, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::gui::act::{Act, Acts};
use crate::gui::text::t;
use crate::gui::theme::{card, palette, primary_button};
use crate::gui::widgets::parts;
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::gui::worker::VaultUse;
use crate::gui::{DemoInfo, guide::Purpose};
use crate::model::lang::Lang;

use super::model::{DIGITS, Focus, UnlockModel};

const WIDTH: f32 = 380.0;
/// Width of the demonstration's card beside the form.
const DEMO_WIDTH: f32 = 300.0;
/// What a card adds to its width.
const EDGES: f32 = 34.0;
/// Between two cards.
const GAP: f32 = 14.0;
/// Heights of the whole: the form alone, below the demonstration's card, beside it.
const ALONE: f32 = 640.0;
const BELOW: f32 = 790.0;
const BESIDE: f32 = 600.0;

/// Where things lie around the form.
pub struct Around<'a> {
    /// Language.
    pub lang: Lang,
    /// The vault's file.
    pub file: &'a str,
    /// The throw-away vault's factors.
    pub demo: Option<&'a DemoInfo>,
}

/// Paints the screen; `begin` is set when another way in is chosen.
pub fn unlock_ui(
    ui: &mut Ui,
    model: &mut UnlockModel,
    around: &Around<'_>,
    acts: &mut Acts,
) -> Option<Purpose> {
    let lang = around.lang;
    let mut way = None;
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.vertical_centered(|ui| {
            // All of it is to be seen in a window of the usual size.
            let both = DEMO_WIDTH + WIDTH + 2.0 * EDGES + GAP;
            let low = ui.available_height() < BELOW && ui.available_width() >= both;
            let (height, width) = match around.demo {
                None => (ALONE, WIDTH + EDGES),
                Some(_) if low => (BESIDE, both),
                Some(_) => (BELOW, WIDTH + EDGES),
            };
            let room = ui.available_height() - height;
            ui.add_space((room / 2.0).clamp(4.0, 110.0));
            brand_ui(ui, around.file);
            ui.add_space(8.0);
            ui.set_max_width(width);
            match around.demo {
                Some(demo) if low => {
                    ui.allocate_ui_with_layout(
                        vec2(both, 0.0),
                        Layout::left_to_right(Align::Min),
                        |ui| {
                            demo_ui(ui, model, demo, DEMO_WIDTH, lang, acts);
                            ui.add_space(GAP - ui.spacing().item_spacing.x);
                            card_ui(ui, model, lang, acts);
                        },
                    );
                }
                demo => {
                    if let Some(demo) = demo {
                        demo_ui(ui, model, demo, WIDTH, lang, acts);
                        ui.add_space(10.0);
                    }
                    card_ui(ui, model, lang, acts);
                }
            }
            ui.add_space(8.0);
            way = ways_ui(ui, model, around.demo.is_none(), lang, acts);
        });
    });
    way
}

/// The name of the product above the vault's file.
pub fn brand_ui(ui: &mut Ui, file: &str) {
    let p = palette(ui.ctx());
    let (rect, _) = ui.allocate_exact_size(vec2(46.0, 50.0), egui::Sense::hover());
    crate::gui::widgets::mark::paint(ui.painter(), rect, p.accent_fill, p.on_accent);
    ui.label(parts::bold("Poterne").size(26.0));
    if !file.is_empty() {
        ui.add(egui::Label::new(RichText::new(file).size(12.5).color(p.weak)).truncate());
    }
}

fn card_ui(ui: &mut Ui, model: &mut UnlockModel, lang: Lang, acts: &mut Acts) {
    card(ui.ctx()).show(ui, |ui| {
        ui.set_width(WIDTH);
        ui.with_layout(Layout::top_down(Align::Min), |ui| form_ui(ui, model, lang, acts));
    });
}

fn demo_ui(
    ui: &mut Ui,
    model: &mut UnlockModel,
    demo: &DemoInfo,
    width: f32,
    lang: Lang,
    acts: &mut Acts,
) {
    let p = palette(ui.ctx());
    let (code, left) = (demo.code)();
    ui.ctx().request_repaint_after(std::time::Duration::from_secs(left.max(1)));
    egui::Frame::new()
        .fill(p.warn_fill)
        .stroke(egui::Stroke::new(1.0, p.warn.gamma_multiply(0.5)))
        .corner_radius(8)
        .inner_margin(egui::Margin::symmetric(16, 12))
        .show(ui, |ui| {
            ui.set_width(width);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.label(
                    parts::bold(t(lang, "Coffre de démonstration", "Demonstration vault"))
                        .color(p.warn),
                );
                let hint = t(
                    lang,
                    "Clients fictifs\u{a0}; tout disparaît à la fermeture.",
                    "Fictional clients; everything goes when you close it.",
                );
                ui.add(egui::Label::new(hint).wrap());
                egui::Grid::new("demo").spacing(vec2(14.0, 4.0)).show(ui, |ui| {
                    ui.label(t(lang, "Mot de passe", "Password"));
                    ui.label(RichText::new(&demo.password).monospace());
                    ui.end_row();
                    ui.label(t(lang, "Code actuel", "Current code"));
                    ui.label(RichText::new(&code).monospace());
                    ui.end_row();
                });
                let fill = t(lang, "Remplir et ouvrir", "Fill in and open");
                if ui.add_enabled(!model.waiting, egui::Button::new(fill)).clicked() {
                    model.password.set(&demo.password);
                    model.code.set(&code);
                    acts.extend(model.submit().map(Act::Send));
                }
            });
        });
}

fn form_ui(ui: &mut Ui, model: &mut UnlockModel, lang: Lang, acts: &mut Acts) {
    let focus = if model.waiting { None } else { model.focus.take() };
    let mut submit = false;
    let enabled = !model.waiting;
    ui.add_enabled_ui(enabled, |ui| {
        if model.enrol {
            ui.label(parts::bold(t(lang, "Ajouter ce poste", "Add this computer")));
            let hint = t(
                lang,
                "Sur un poste déjà connu\u{a0}: Réglages, Postes, Ajouter. Le kit de secours convient aussi.",
                "On a known computer: Settings, Computers, Add. The recovery kit will do too.",
            );
            ui.add(egui::Label::new(RichText::new(hint).size(13.0)).wrap());
            let label = t(lang, "Code du poste ou kit de secours", "Computer code or recovery kit");
            ui.label(label);
            let out = SecretEdit::new(&mut model.enrol_code, label).width(WIDTH).shown(true).show(ui);
            if focus == Some(Focus::Enrol) {
                out.response.request_focus();
            }
            ui.add_space(6.0);
        }
        let label = t(lang, "Membre", "Member");
        let name = ui.label(label);
        let hint = match model.known {
            true => t(lang, "le dernier sur ce poste", "the last one on this computer"),
            false => t(lang, "votre nom, s’il y a plusieurs membres", "your name, if there are several members"),
        };
        let edit = TextEdit::singleline(&mut model.member).desired_width(f32::INFINITY).hint_text(hint);
        let out = ui.add(edit).labelled_by(name.id);
        if focus == Some(Focus::Member) {
            out.request_focus();
        }
        submit |= out.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        ui.add_space(4.0);
        let label = t(lang, "Mot de passe", "Password");
        ui.label(label);
        ui.horizontal(|ui| {
            let out = SecretEdit::new(&mut model.password, label)
                .width(WIDTH - 38.0)
                .shown(model.shown)
                .show(ui);
            if focus == Some(Focus::Password) {
                out.response.request_focus();
            }
            if out.submitted {
                if model.enrol && model.again.is_empty() {
                    model.focus = Some(Focus::Again);
                    ui.ctx().request_repaint();
                } else if model.code.is_empty() {
                    model.focus = Some(Focus::Code);
                    ui.ctx().request_repaint();
                } else {
                    submit = true;
                }
            }
            eye_ui(ui, &mut model.shown, lang);
        });
        ui.add_space(4.0);
        if model.enrol {
            again_ui(ui, model, lang);
        }
        let label = t(lang, "Code à 6 chiffres", "6-digit code");
        ui.label(label);
        let out = SecretEdit::new(&mut model.code, label).width(170.0).large().shown(true).show(ui);
        if focus == Some(Focus::Code) {
            out.response.request_focus();
        }
        submit |= out.submitted;
        submit |= out.response.changed() && model.code.char_count() == DIGITS;
        if model.may_accept_older() {
            older_ui(ui, &mut model.accept_older, lang);
        }
        if !model.enrol {
            let text = t(lang, "Lecture seule\u{a0}: les noms, sans secret", "Read only: names, no secret");
            ui.checkbox(&mut model.read_only, text);
        }
    });
    ui.add_space(8.0);
    if model.waiting {
        ui.horizontal(|ui| {
            ui.spinner();
            ui.label(t(lang, "Ouverture du coffre…", "Opening the vault…"));
        });
    } else {
        let label = if model.enrol {
            t(lang, "Ajouter ce poste", "Add this computer")
        } else {
            t(lang, "Déverrouiller", "Unlock")
        };
        let button = primary_button(ui.ctx(), label);
        let ready = model.ready();
        let out = ui.add_enabled_ui(ready, |ui| ui.add_sized(vec2(WIDTH, 34.0), button));
        submit |= out.inner.clicked();
    }
    if submit {
        acts.extend(model.submit().map(Act::Send));
    }
    if let Some(error) = &model.error {
        ui.add_space(6.0);
        parts::failure(ui, lang, &error.what, &error.todo);
    }
    if model.sessions_waiting > 0 {
        ui.add_space(6.0);
        let p = palette(ui.ctx());
        let text = match (model.sessions_waiting, lang) {
            (1, Lang::Fr) => String::from("1 session reste ouverte derrière cet écran."),
            (n, Lang::Fr) => format!("{n} sessions restent ouvertes derrière cet écran."),
            (1, Lang::En) => String::from("1 session stays open behind this screen."),
            (n, Lang::En) => format!("{n} sessions stay open behind this screen."),
        };
        ui.label(RichText::new(text).color(p.weak));
    }
}

/// The eye that shows what is typed.
pub fn eye_ui(ui: &mut Ui, shown: &mut bool, lang: Lang) {
    let name = if *shown {
        t(lang, "Masquer la saisie", "Hide what is typed")
    } else {
        t(lang, "Afficher la saisie", "Show what is typed")
    };
    let sign = if *shown { parts::Icon::Hide } else { parts::Icon::Show };
    if parts::drawn_button_beside(ui, sign, name).clicked() {
        *shown = !*shown;
    }
}

fn again_ui(ui: &mut Ui, model: &mut UnlockModel, lang: Lang) {
    let label = t(lang, "Encore une fois", "Once again");
    ui.label(label);
    let out = SecretEdit::new(&mut model.again, label).width(WIDTH).shown(model.shown).show(ui);
    if model.focus == Some(Focus::Again) {
        model.focus = None;
        out.response.request_focus();
    }
    if out.submitted {
        model.focus = Some(Focus::Code);
        ui.ctx().request_repaint();
    }
    let p = palette(ui.ctx());
    let differs = !model.again.is_empty() && !model.again.same_as(&model.password);
    let (text, colour) = match differs {
        true => (t(lang, "Les deux ne sont pas les mêmes.", "The two are not the same."), p.warn),
        false => (
            t(
                lang,
                "Il devient le mot de passe de ce poste.",
                "It becomes the password of this computer.",
            ),
            p.weak,
        ),
    };
    ui.add(egui::Label::new(RichText::new(text).size(13.0).color(colour)).wrap());
    ui.add_space(4.0);
}

fn ways_ui(
    ui: &mut Ui,
    model: &mut UnlockModel,
    others: bool,
    lang: Lang,
    acts: &mut Acts,
) -> Option<Purpose> {
    if model.waiting {
        return None;
    }
    let mut way = None;
    if model.enrol {
        if ui.link(t(lang, "Retour au déverrouillage", "Back to unlock")).clicked() {
            model.enrol = false;
            model.again.clear();
            model.error = None;
            model.focus = Some(Focus::Password);
        }
        return None;
    }
    ui.label(
        RichText::new(t(lang, "Autres entrées", "Other ways in")).color(palette(ui.ctx()).weak),
    );
    if ui.link(t(lang, "J’ai reçu une invitation", "I have an invitation")).clicked() {
        way = Some(Purpose::Join);
    }
    if ui.link(t(lang, "Ajouter ce poste", "Add this computer")).clicked() {
        model.enrol = true;
        model.error = None;
        model.focus = Some(Focus::Enrol);
    }
    let lost =
        t(lang, "J’ai perdu mon mot de passe ou mon téléphone", "I lost my password or my phone");
    if ui.link(lost).clicked() {
        way = Some(Purpose::Recover);
    }
    if others {
        if ui.link(t(lang, "Ouvrir un autre coffre…", "Open another vault…")).clicked() {
            acts.push(Act::OtherVault(VaultUse::Unlock));
        }
        if ui.link(t(lang, "Créer un autre coffre", "Make another vault")).clicked() {
            acts.push(Act::NewVault);
        }
    }
    way
}

/// The choice to go on with a copy older than the last one seen here.
pub fn older_ui(ui: &mut Ui, accepted: &mut bool, lang: Lang) {
    let text = t(
        lang,
        "Ouvrir quand même cette copie plus ancienne (inscrit au journal)",
        "Open this older copy all the same (logged)",
    );
    ui.checkbox(accepted, text);
}
