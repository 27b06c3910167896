//! The part of the form with the profile of an OpenVPN: importing one, what was taken
//! of it and what was left out. The profile itself is never shown.

use egui::{RichText, Ui};

use crate::connect::openvpn::fields::{SERVERS, SOURCE};
use crate::connect::openvpn::profile::{PartKind, Role};
use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick};
use crate::model::lang::Lang;
use crate::model::time::Time;

use super::editor::Editor;
use super::form_line::line;
use super::profile::{Imported, SOON_DAYS, days_left};

/// The profile, where the form is for an entry that has one.
pub(super) fn profile_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    if !form.has_profile() {
        return;
    }
    parts::section(ui, t(lang, "PROFIL", "PROFILE"));
    let p = palette(ui.ctx());
    line(ui, t(lang, "Profil OpenVPN", "OpenVPN profile"), None, lang, |ui, _| {
        let state = match (&form.profile, form.profile_saved()) {
            (Some(imported), _) => imported.file.clone(),
            (None, true) => t(lang, "enregistré", "saved").to_owned(),
            (None, false) => t(lang, "aucun pour l’instant", "none yet").to_owned(),
        };
        ui.add_space(4.0);
        ui.add(egui::Label::new(state).wrap());
        ui.horizontal_wrapped(|ui| {
            let import = t(lang, "Importer un profil…", "Import a profile…");
            if parts::small_button(ui, import).clicked() {
                acts.push(Act::Send(Command::Choose(Pick::Profile, String::new())));
            }
            let hint = t(lang, "ou déposez un fichier .ovpn ici", "or drop an .ovpn file here");
            ui.label(RichText::new(hint).size(12.5).color(p.weak));
        });
    });
    let setting = |id: &str| form.settings.get(id).map_or("", |value| value.trim());
    for field in [&SERVERS, &SOURCE] {
        let value = setting(field.id);
        if !value.is_empty() {
            fact_ui(ui, field.label(lang), lang, |ui| {
                for part in value.split(", ") {
                    ui.add(egui::Label::new(part).wrap().selectable(true));
                }
            });
        }
    }
    if let Some(imported) = &form.profile {
        taken_ui(ui, imported, text::now(), lang);
        dropped_ui(ui, imported, lang);
    }
}

/// A label in its column and what is known beside it.
fn fact_ui(ui: &mut Ui, label: &str, lang: Lang, add: impl FnOnce(&mut Ui)) {
    line(ui, label, None, lang, |ui, _| {
        ui.add_space(4.0);
        ui.spacing_mut().item_spacing.y = 1.0;
        add(ui);
    });
}

fn taken_ui(ui: &mut Ui, imported: &Imported, now: Time, lang: Lang) {
    let p = palette(ui.ctx());
    let facts = &imported.facts;
    let own = facts.certificates.iter().find(|c| c.role == Role::Client);
    let authority = facts.authority_expires();
    let ends = [
        (t(lang, "Certificat", "Certificate"), own.map(|c| (c.subject.as_str(), c.not_after))),
        (t(lang, "Autorité", "Authority"), authority.map(|at| ("", at))),
    ];
    for (label, found) in ends {
        let Some((subject, at)) = found else { continue };
        fact_ui(ui, label, lang, |ui| {
            if !subject.is_empty() {
                ui.add(egui::Label::new(subject).wrap().selectable(true));
            }
            let left = days_left(at, now);
            let colour = match left {
                ..0 => p.error,
                0..SOON_DAYS => p.warn,
                _ => ui.visuals().text_color(),
            };
            ui.colored_label(colour, end_words(at, left, lang));
        });
    }
    fact_ui(ui, t(lang, "Identification", "Login"), lang, |ui| {
        for words in asked_words(imported, lang) {
            ui.add(egui::Label::new(words).wrap());
        }
    });
    for warning in &imported.warnings {
        ui.add_space(4.0);
        parts::warn_box(ui, warning.get(lang), "");
    }
}

/// When something ends, and in how many days.
fn end_words(at: Time, left: i64, lang: Lang) -> String {
    let day = text::day(text::utc_day(at), lang);
    match (left, lang) {
        (..0, Lang::Fr) => format!("a expiré le {day}"),
        (..0, Lang::En) => format!("expired on {day}"),
        (0..SOON_DAYS, Lang::Fr) => format!("expire le {day}, dans {left} j"),
        (0..SOON_DAYS, Lang::En) => format!("expires on {day}, in {left} d"),
        (_, Lang::Fr) => format!("expire le {day}"),
        (_, Lang::En) => format!("expires on {day}"),
    }
}

/// What the VPN asks for, so that the person knows which fields to fill.
fn asked_words(imported: &Imported, lang: Lang) -> Vec<String> {
    let facts = &imported.facts;
    let mut words = Vec::new();
    let has = |kind: PartKind| facts.keys.contains(&kind);
    if has(PartKind::Key) || has(PartKind::Pkcs12) {
        words.push(match facts.key_encrypted {
            true => {
                t(lang, "certificat, sa clé a une phrase", "certificate, its key has a passphrase")
            }
            false => t(lang, "certificat", "certificate"),
        });
    }
    if facts.asks_login {
        words.push(t(lang, "identifiant et mot de passe", "login and password"));
    }
    let mut words: Vec<String> = words.into_iter().map(str::to_owned).collect();
    if let Some(challenge) = &facts.challenge {
        words.push(format!("{}{}", t(lang, "question\u{a0}: ", "challenge: "), challenge.text));
    }
    if words.is_empty() {
        words.push(t(lang, "rien", "nothing").to_owned());
    }
    words
}

/// What was left out, with the reason; what could have done harm first.
fn dropped_ui(ui: &mut Ui, imported: &Imported, lang: Lang) {
    let p = palette(ui.ctx());
    let (grave, rest) = imported.dropped.split_at(imported.grave());
    if !grave.is_empty() {
        ui.add_space(6.0);
        let what = match (grave.len(), lang) {
            (1, Lang::Fr) => "Une directive dangereuse a été écartée.".to_owned(),
            (1, Lang::En) => "One dangerous directive was left out.".to_owned(),
            (n, Lang::Fr) => format!("{n} directives dangereuses ont été écartées."),
            (n, Lang::En) => format!("{n} dangerous directives were left out."),
        };
        let told: Vec<String> = grave.iter().map(|dropped| dropped.told(lang)).collect();
        parts::warn_box(ui, &what, &told.join("\n"));
    }
    if rest.is_empty() {
        return;
    }
    ui.add_space(4.0);
    let title = match (rest.len(), lang) {
        (1, Lang::Fr) => "Une ligne sans utilité ici, non reprise".to_owned(),
        (1, Lang::En) => "One line of no use here, not taken over".to_owned(),
        (n, Lang::Fr) => format!("{n} lignes sans utilité ici, non reprises"),
        (n, Lang::En) => format!("{n} lines of no use here, not taken over"),
    };
    egui::CollapsingHeader::new(title).id_salt("dropped").default_open(grave.is_empty()).show(
        ui,
        |ui| {
            for dropped in rest {
                let told = RichText::new(dropped.told(lang)).color(p.weak);
                ui.add(egui::Label::new(told).wrap());
            }
        },
    );
}
