//! The steps of the recovery kit: shown once, then typed back.

use egui::{RichText, Ui, vec2};

use crate::gui::act::{Act, Acts};
use crate::gui::text::t;
use crate::gui::theme::{inset, palette};
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::gui::worker::{Command, Pick};
use crate::model::lang::Lang;

use super::model::GuideModel;
use super::view::{WIDTH, para};

pub(super) fn kit_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
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
        inset(ui.ctx()).inner_margin(14).show(ui, |ui| {
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

pub(super) fn kit_back_ui(ui: &mut Ui, model: &mut GuideModel, lang: Lang, acts: &mut Acts) {
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
