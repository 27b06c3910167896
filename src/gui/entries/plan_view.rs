//! The settings in effect, and where each comes from.

use egui::{RichText, Ui, vec2};

use crate::connect::vpn::fields::{VPN, WHEN};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::model::lang::Lang;
use crate::model::plan::{Origin, PlanLine};

use super::details::Details;

pub(super) fn plan_ui(ui: &mut Ui, model: &Details, lang: Lang) {
    let Some(plan) = &model.plan else { return };
    if plan.lines.is_empty() || model.is_container() {
        return;
    }
    ui.add_space(10.0);
    let title =
        t(lang, "Réglages effectifs et leur origine", "Effective settings and their origin");
    egui::CollapsingHeader::new(title).id_salt("plan").default_open(true).show(ui, |ui| {
        if let Some(words) = vpn_words(&plan.lines, lang) {
            ui.add(egui::Label::new(words).wrap());
        }
        if !plan.hops.is_empty() {
            let via = format!("{} {}", t(lang, "Par", "Through"), plan.hops.join(" \u{2192} "));
            ui.label(via);
        }
        let (usual, set): (Vec<&PlanLine>, Vec<&PlanLine>) =
            plan.lines.iter().partition(|l| l.origin == Origin::Default);
        plan_grid_ui(ui, "plan-set", &set, lang);
        if !usual.is_empty() {
            let title = format!("{} ({})", t(lang, "Par défaut", "Defaults"), usual.len());
            egui::CollapsingHeader::new(title).id_salt("plan-usual").show(ui, |ui| {
                plan_grid_ui(ui, "plan-usual-lines", &usual, lang);
            });
        }
    });
}

/// Which VPN is raised before, and when.
fn vpn_words(lines: &[PlanLine], lang: Lang) -> Option<String> {
    let value = |id: &str| {
        let line = lines.iter().find(|line| line.field == id)?;
        Some(line.value.as_str()).filter(|value| !value.is_empty())
    };
    let path = value(VPN.id)?;
    let when = value(WHEN.id).unwrap_or(WHEN.default);
    let when = WHEN.shown(when, lang);
    Some(match lang {
        Lang::Fr => format!("VPN avant la connexion\u{a0}: {path} ({when})"),
        Lang::En => format!("VPN before connecting: {path} ({when})"),
    })
}

fn plan_grid_ui(ui: &mut Ui, id: &str, lines: &[&PlanLine], lang: Lang) {
    if lines.is_empty() {
        return;
    }
    let p = palette(ui.ctx());
    // A grid never wraps by itself: the columns share the room that is there.
    let room = (ui.available_width() - 36.0).max(180.0);
    let wrapped = |ui: &mut Ui, share: f32, text: RichText| {
        ui.scope(|ui| {
            ui.set_max_width(room * share);
            ui.add(egui::Label::new(text).wrap());
        });
    };
    egui::Grid::new(id).num_columns(3).min_row_height(22.0).spacing(vec2(18.0, 2.0)).show(
        ui,
        |ui| {
            for line in lines {
                let field = text::entry_field(&line.field, lang);
                wrapped(ui, 0.3, RichText::new(field).color(p.weak));
                let value = if line.secret {
                    "\u{2022}\u{2022}\u{2022}\u{2022}"
                } else {
                    text::setting_value(&line.field, &line.value, lang)
                };
                wrapped(ui, 0.35, RichText::new(cut(value)));
                let origin = text::origin(&line.origin, lang);
                wrapped(ui, 0.35, RichText::new(origin).color(p.weak));
                ui.end_row();
            }
        },
    );
}

/// At most as many characters of a value as the name of a host may have.
fn cut(value: &str) -> String {
    match value.char_indices().nth(253) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}
