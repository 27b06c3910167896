//! Paints the vault's settings, backup and check, looks, and about.

use egui::{DragValue, RichText, Ui};

use crate::app::api::{Request, Status};
use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::{Theme, palette, primary_button};
use crate::gui::widgets::advice::in_window;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Pick, Tag};
use crate::model::lang::Lang;

use super::model::{SettingsModel, Work};
use super::shared_view::shared_ui;
use super::view::{group, outcome_ui};

/// Settings, backup, check.
pub fn vault_ui(
    ui: &mut Ui,
    model: &mut SettingsModel,
    status: &Status,
    manages: bool,
    lang: Lang,
    acts: &mut Acts,
) {
    if !model.fingerprint_asked {
        model.fingerprint_asked = true;
        acts.push(Act::Send(Command::Ask(Tag::Fingerprint, Request::AuditFingerprint)));
    }
    let p = palette(ui.ctx());
    group(ui, t(lang, "Ce coffre", "This vault"), "", |ui| {
        ui.label(RichText::new(status.file.display().to_string()).monospace());
        let clients = ("client", "clients");
        let log = (("ligne de journal", "lignes de journal"), ("log line", "log lines"));
        let counts = [
            text::counted(status.clients, clients, clients, lang),
            text::counted(status.entries, ("accès", "accès"), ("entry", "entries"), lang),
            text::counted(status.audit_lines, log.0, log.1, lang),
        ];
        ui.label(counts.join("  ·  "));
        for notice in &status.notices {
            ui.add_space(4.0);
            parts::warn_box(ui, &in_window(notice.get(lang), lang), "");
        }
        if let Some(print) = &model.fingerprint {
            ui.add_space(4.0);
            ui.label(
                RichText::new(t(lang, "Empreinte publique", "Public fingerprint")).color(p.weak),
            );
            ui.horizontal_wrapped(|ui| {
                ui.label(RichText::new(print).monospace());
                let copy = t(lang, "Copier l’empreinte", "Copy fingerprint");
                if parts::drawn_button(ui, parts::Icon::Copy, copy).clicked() {
                    acts.push(Act::CopyPlain(print.clone()));
                }
            });
        }
    });
    let hint = match manages || status.read_only {
        true => "",
        false => t(
            lang,
            "Un propriétaire ou un administrateur du coffre peut les changer.",
            "An owner or an administrator of the vault can change them.",
        ),
    };
    group(ui, t(lang, "Verrouillage et presse-papiers", "Lock and clipboard"), hint, |ui| {
        if let Some(e) = &model.unread {
            parts::failure(ui, lang, &e.what, &e.todo);
            if ui.button(t(lang, "Relire les réglages", "Read the settings again")).clicked() {
                model.unread = None;
                acts.push(SettingsModel::read_settings());
            }
        }
        let Some(s) = &mut model.settings else {
            if model.unread.is_none() {
                ui.spinner();
            }
            return;
        };
        ui.add_enabled_ui(manages, |ui| {
            let mut minutes = s.idle_lock_secs as f64 / 60.0;
            number(
                ui,
                t(lang, "Verrouiller sans activité après", "Lock without activity after"),
                |ui| {
                    let drag = DragValue::new(&mut minutes).range(0.5..=1440.0).speed(0.5);
                    let drag = drag
                        .suffix(" min")
                        .custom_formatter(move |n, _| text::decimal(n, lang))
                        .custom_parser(|typed| typed.trim().replace(',', ".").parse().ok());
                    let out = ui.add(drag);
                    if out.changed() {
                        s.idle_lock_secs = (minutes * 60.0).round() as u64;
                    }
                    out
                },
            );
            number(
                ui,
                t(lang, "Vider le presse-papiers après", "Empty the clipboard after"),
                |ui| ui.add(DragValue::new(&mut s.clipboard_secs).range(5..=600).suffix(" s")),
            );
            number(
                ui,
                t(lang, "Sauvegardes automatiques gardées", "Automatic backups kept"),
                |ui| ui.add(DragValue::new(&mut s.backups_kept).range(1..=100)),
            );
            let text = t(
                lang,
                "Le verrouillage ferme les sessions ouvertes (sinon il les cache)",
                "Locking closes open sessions (else it hides them)",
            );
            ui.checkbox(&mut s.lock_ends_sessions, text);
        });
        if manages {
            ui.add_space(4.0);
            let button = primary_button(ui.ctx(), t(lang, "Enregistrer", "Save"));
            if ui.add_enabled(model.busy.is_none(), button).clicked() {
                acts.extend(model.save_settings());
            }
            let done = t(lang, "Réglages enregistrés.", "Settings saved.");
            outcome_ui(ui, model, Work::Settings, done, lang);
        }
    });
    shared_ui(ui, model, status, manages, lang, acts);
    let hint = t(
        lang,
        "Chaque sauvegarde est ouverte et comptée avant d’être tenue pour bonne.",
        "Each backup is opened and counted before it counts as good.",
    );
    group(ui, t(lang, "Sauvegarde", "Backup"), hint, |ui| {
        let free = model.busy.is_none() && !status.read_only;
        let button = egui::Button::new(t(lang, "Sauvegarder maintenant", "Back up now"));
        if ui.add_enabled(free, button).clicked() {
            acts.push(model.backup(None));
        }
        let button = egui::Button::new(t(lang, "Sauvegarder vers…", "Back up to…"));
        if ui.add_enabled(free, button).clicked() {
            let name = String::from("poterne-sauvegarde.vault");
            acts.push(Act::Send(Command::Choose(Pick::Backup, name)));
        }
        let done = model.backup.as_ref().map(|(file, entries, lines)| {
            let (entries, lines) = (text::count(*entries, lang), text::count(*lines, lang));
            match lang {
                Lang::Fr => {
                    format!(
                        "{}\u{a0}: {entries} éléments, {lines} lignes de journal.",
                        file.display()
                    )
                }
                Lang::En => format!("{}: {entries} items, {lines} log lines.", file.display()),
            }
        });
        outcome_ui(ui, model, Work::Backup, done.as_deref().unwrap_or(""), lang);
    });
    let hint = t(
        lang,
        "Relit chaque enregistrement, l’arbre des clés et tout le journal.",
        "Reads every record, the key tree and the whole log again.",
    );
    group(ui, t(lang, "Contrôle complet", "Full check"), hint, |ui| {
        let button = egui::Button::new(t(lang, "Contrôler le coffre", "Check the vault"));
        if ui.add_enabled(model.busy.is_none(), button).clicked() {
            acts.push(model.check());
        }
        let good = model.check.as_ref().filter(|c| c.faults.is_empty()).map(|c| {
            let (cells, lines) = (text::count(c.cells, lang), text::count(c.audit_lines, lang));
            match lang {
                Lang::Fr => {
                    format!(
                        "Tout est intact\u{a0}: {cells} enregistrements, {lines} lignes de journal."
                    )
                }
                Lang::En => format!("All is intact: {cells} records, {lines} log lines."),
            }
        });
        outcome_ui(ui, model, Work::Check, good.as_deref().unwrap_or(""), lang);
        if let Some(lost) = model.check.as_ref().map(|c| c.unreached).filter(|n| *n > 0) {
            let lost = text::count(lost, lang);
            ui.weak(match lang {
                Lang::Fr => format!("Enregistrements auxquels aucune fiche ne mène\u{a0}: {lost}."),
                Lang::En => format!("Records that no entry leads to: {lost}."),
            });
        }
        for fault in model.check.iter().flat_map(|c| &c.faults) {
            parts::error_box(ui, fault.get(lang), "");
        }
    });
}

fn number(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui) -> egui::Response) {
    ui.horizontal_wrapped(|ui| {
        let id = ui.label(label).id;
        add(ui).labelled_by(id);
    });
}

/// Look and language.
pub fn looks_ui(ui: &mut Ui, lang: Lang, acts: &mut Acts) {
    group(ui, t(lang, "Langue", "Language"), "", |ui| {
        ui.horizontal_wrapped(|ui| {
            for (other, name) in [(Lang::Fr, "Français"), (Lang::En, "English")] {
                if ui.radio(lang == other, name).clicked() {
                    acts.push(Act::Language(other));
                }
            }
        });
    });
    group(ui, t(lang, "Couleurs", "Colours"), "", |ui| {
        ui.horizontal_wrapped(|ui| {
            let looks = [
                (Theme::System, t(lang, "Comme le bureau", "As the desktop")),
                (Theme::Light, t(lang, "Clair", "Light")),
                (Theme::Dark, t(lang, "Sombre", "Dark")),
            ];
            let now = ui.ctx().options(|o| o.theme_preference);
            for (look, name) in looks {
                let on = match look {
                    Theme::System => now == egui::ThemePreference::System,
                    Theme::Light => now == egui::ThemePreference::Light,
                    Theme::Dark => now == egui::ThemePreference::Dark,
                };
                if ui.radio(on, name).clicked() {
                    acts.push(Act::Look(look));
                }
            }
        });
    });
    let hint = t(
        lang,
        "Ctrl et +, Ctrl et -, Ctrl et 0 changent aussi la taille.",
        "Ctrl with +, - and 0 change the size too.",
    );
    group(ui, t(lang, "Taille", "Size"), hint, |ui| {
        ui.horizontal_wrapped(|ui| {
            let now = ui.ctx().zoom_factor();
            for percent in [90u16, 100, 115, 130, 150, 200] {
                let zoom = f32::from(percent) / 100.0;
                let on = (now - zoom).abs() < 0.01;
                if ui.add(egui::Button::selectable(on, format!("{percent} %"))).clicked() {
                    ui.ctx().set_zoom_factor(zoom);
                }
            }
        });
    });
}

/// Version and licences.
pub fn about_ui(ui: &mut Ui, lang: Lang, acts: &mut Acts) {
    let name = format!("Poterne {}", env!("CARGO_PKG_VERSION"));
    let hint = t(
        lang,
        "Coffre chiffré des identifiants de vos clients, lanceur de sessions, journal qui fait foi.",
        "Encrypted vault of your clients' credentials, session launcher, log that proves itself.",
    );
    group(ui, &name, hint, |ui| {
        let licence = t(
            lang,
            "Sous licence MIT ou Apache 2.0, à votre choix.",
            "Licensed MIT or Apache 2.0, as you choose.",
        );
        ui.label(licence);
        if ui.button(t(lang, "Raccourcis du clavier", "Keyboard shortcuts")).clicked() {
            acts.push(Act::Help);
        }
    });
    group(ui, t(lang, "Œuvres reprises", "Works included"), "", |ui| {
        let works = [
            ("Noto Sans", "SIL Open Font License 1.1"),
            ("JetBrains Mono", "SIL Open Font License 1.1"),
            ("egui, eframe", "MIT / Apache 2.0"),
            ("libssh2", "BSD 3-Clause"),
            ("OpenSSL", "Apache 2.0"),
            ("SQLite", t(lang, "domaine public", "public domain")),
            ("alacritty_terminal", "Apache 2.0"),
            ("russh", "Apache 2.0"),
            ("RustCrypto (aes-gcm, argon2, sha2…)", "MIT / Apache 2.0"),
            ("zxcvbn", "MIT"),
        ];
        egui::Grid::new("works").num_columns(2).spacing(egui::vec2(30.0, 4.0)).show(ui, |ui| {
            for (work, licence) in works {
                ui.label(work);
                ui.label(RichText::new(licence).color(palette(ui.ctx()).weak));
                ui.end_row();
            }
        });
    });
}
