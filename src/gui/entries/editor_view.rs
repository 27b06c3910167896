//! Paints the form, drawn from what the connector declares.

use egui::{ComboBox, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::app::api::Request;
use crate::connect::field::{Field, FieldKind};
use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::{palette, primary_button};
use crate::gui::unlock::view::eye_ui;
use crate::gui::widgets::parts;
use crate::gui::widgets::secret_edit::SecretEdit;
use crate::gui::widgets::strength::strength_ui;
use crate::gui::worker::{Command, Pick, Tag};
use crate::model::entry::{Kind, Slot};
use crate::model::lang::{Bi, Lang};

use super::custom_view::custom_ui;
use super::editor::{Editor, Faults, PickFor, Picker, SecretField, Source};

const LABEL: f32 = 170.0;
const FIELD: f32 = 420.0;

/// Paints the form.
pub fn editor_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    let faults = form.faults();
    // Not when it closes what stands over the form: a menu, the picker.
    let alone = form.picker.is_none()
        && !egui::Popup::is_any_open(ui.ctx())
        && ui.ctx().memory(|m| m.top_modal_layer().is_none());
    if alone && !form.saving && ui.input(|i| i.key_pressed(egui::Key::Escape)) {
        acts.push(Act::CloseEditor);
    }
    head_ui(ui, form, &faults, lang, acts);
    ui.separator();
    let mut area = ScrollArea::vertical().auto_shrink(false).id_salt("form");
    if form.focus {
        // A form that opens starts at its top, wherever the last one was left.
        area = area.vertical_scroll_offset(0.0);
    }
    area.show(ui, |ui| {
        ui.add_enabled_ui(!form.saving, |ui| {
            ui.set_max_width(ui.available_width().min(800.0));
            messages_ui(ui, form, lang);
            common_ui(ui, form, &faults, lang);
            if form.kind == Kind::CLIENT {
                client_ui(ui, form, &faults, lang);
            }
            login_ui(ui, form, &faults, lang, acts);
            settings_ui(ui, form, &faults, lang);
            more_ui(ui, form, &faults, lang, acts);
            ui.add_space(24.0);
            parts::follow_focus(ui);
        });
    });
    picker_ui(ui, form, lang, acts);
}

fn head_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang, acts: &mut Acts) {
    let kind = text::kind(&form.kind, lang);
    let title = match &form.base {
        Some(view) if lang == Lang::Fr => format!("Modifier «\u{a0}{}\u{a0}»", view.entry.name),
        Some(view) => format!("Edit “{}”", view.entry.name),
        None => text::named(t(lang, "Nouveau", "New"), &kind, lang),
    };
    ui.horizontal(|ui| {
        let room = (ui.available_width() - 240.0).max(100.0);
        ui.allocate_ui(vec2(room, 30.0), |ui| {
            ui.add(egui::Label::new(RichText::new(title).heading()).truncate());
        });
        let ready = faults.is_empty() && !form.saving;
        let save = primary_button(ui.ctx(), t(lang, "Enregistrer", "Save"));
        if ui.add_enabled(ready, save).on_hover_text("Ctrl+S").clicked() {
            save_form(form, acts);
        }
        if ui.button(t(lang, "Annuler", "Cancel")).clicked() {
            acts.push(Act::CloseEditor);
        }
        if form.saving {
            ui.spinner();
        }
    });
    if form.base.is_none() && !form.below.is_empty() {
        let place = format!("{} {}", t(lang, "dans", "in"), form.below);
        ui.label(RichText::new(place).color(palette(ui.ctx()).weak));
    }
}

/// Sends the form off.
pub fn save_form(form: &mut Editor, acts: &mut Acts) {
    // Nothing was changed: no version and no line in the log for nothing.
    if form.base.is_some() && !form.saving && !form.dirty() {
        acts.push(Act::DropEditor);
        return;
    }
    acts.extend(form.save().map(|request| Act::Send(Command::Ask(Tag::Save, request))));
}

fn messages_ui(ui: &mut Ui, form: &Editor, lang: Lang) {
    if !form.stale.is_empty() {
        let fields: Vec<String> = form.stale.iter().map(|f| text::entry_field(f, lang)).collect();
        let who = form.base.as_ref().and_then(|v| v.people.get(&v.entry.changed_by));
        let who = who.map_or("?", String::as_str);
        let what = match lang {
            Lang::Fr => {
                format!("{who} a modifié cet accès entre-temps\u{a0}: {}.", fields.join(", "))
            }
            Lang::En => format!("{who} changed this entry meanwhile: {}.", fields.join(", ")),
        };
        let todo = t(
            lang,
            "Rien n’est écrasé. Relisez le formulaire\u{a0}: «\u{a0}Enregistrer\u{a0}» ajoutera vos seuls changements.",
            "Nothing was overwritten. Read the form again: “Save” will add your own changes only.",
        );
        let clash: Vec<String> = form.both.iter().map(|f| text::entry_field(f, lang)).collect();
        let clash = match lang {
            _ if clash.is_empty() => String::new(),
            Lang::Fr => format!(
                " Vous aviez changé la même chose\u{a0}: {}. C’est votre version qui serait enregistrée.",
                clash.join(", ")
            ),
            Lang::En => format!(
                " You had changed the same: {}. Your version is what would be saved.",
                clash.join(", ")
            ),
        };
        parts::warn_box(ui, &what, &format!("{todo}{clash}"));
        ui.add_space(6.0);
    } else if let Some(e) = &form.error {
        parts::failure(ui, lang, &e.what, &e.todo);
        ui.add_space(6.0);
    }
}

/// The width of a field that leaves `beside` points free after it.
fn room(ui: &Ui, beside: f32) -> f32 {
    (ui.available_width().min(FIELD) - beside).max(80.0)
}

/// Enter in a field of one line goes on to the next.
fn next(ui: &Ui, field: &egui::Response) {
    if field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
        ui.memory_mut(|m| m.move_focus(egui::FocusDirection::Next));
    }
}

/// A label in its column; `add` paints the field and gets the label's id.
fn line(
    ui: &mut Ui,
    label: &str,
    fault: Option<&Bi>,
    lang: Lang,
    add: impl FnOnce(&mut Ui, egui::Id),
) {
    let p = palette(ui.ctx());
    ui.horizontal_top(|ui| {
        let id = ui
            .allocate_ui_with_layout(
                vec2(LABEL, 28.0),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_min_width(LABEL);
                    let text = RichText::new(label).color(p.weak);
                    ui.add(egui::Label::new(text).truncate()).id
                },
            )
            .inner;
        ui.vertical(|ui| {
            ui.set_max_width(ui.available_width().min(FIELD + 80.0));
            add(ui, id);
            if let Some(fault) = fault {
                ui.label(RichText::new(fault.get(lang)).size(12.5).color(p.error));
            }
        });
    });
}

fn text_line(
    ui: &mut Ui,
    label: &str,
    value: &mut String,
    hint: &str,
    fault: Option<&Bi>,
    lang: Lang,
) {
    line(ui, label, fault, lang, |ui, id| {
        let edit = TextEdit::singleline(value).desired_width(FIELD).hint_text(hint.to_owned());
        let out = ui.add(edit).labelled_by(id);
        next(ui, &out);
    });
}

fn common_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang) {
    let common = form.common();
    let focus = std::mem::take(&mut form.focus);
    let touched = form.base.is_some() || !form.name.is_empty();
    let fault = faults.get("name").filter(|_| touched);
    line(ui, t(lang, "Nom", "Name"), fault, lang, |ui, id| {
        let out = ui.add(TextEdit::singleline(&mut form.name).desired_width(FIELD)).labelled_by(id);
        if focus {
            out.request_focus();
        }
        next(ui, &out);
    });
    if common.host {
        let (label, hint) = if form.kind.word() == "web" {
            (t(lang, "Adresse", "Address"), "https://")
        } else {
            (t(lang, "Hôte", "Host"), t(lang, "nom ou adresse", "name or address"))
        };
        text_line(ui, label, &mut form.host, hint, faults.get("host"), lang);
    }
    if common.port {
        let hint = form.default_port().map(|p| p.to_string()).unwrap_or_default();
        line(ui, "Port", faults.get("port"), lang, |ui, id| {
            let edit = TextEdit::singleline(&mut form.port).desired_width(90.0).hint_text(hint);
            let out = ui.add(edit).labelled_by(id);
            next(ui, &out);
        });
    }
}

fn client_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang) {
    let c = &mut form.client;
    text_line(ui, t(lang, "Code", "Code"), &mut c.code, "DUP", None, lang);
    line(ui, t(lang, "Couleur", "Colour"), faults.get("colour"), lang, |ui, id| {
        ui.horizontal(|ui| {
            let edit =
                TextEdit::singleline(&mut c.colour).desired_width(100.0).hint_text("#2e7dd1");
            let out = ui.add(edit).labelled_by(id);
            next(ui, &out);
            for colour in [
                "#2e7dd1", "#0f766e", "#15803d", "#a16207", "#c2410c", "#be123c", "#7c3aed",
                "#475569",
            ] {
                let size = vec2(20.0, 20.0);
                let (rect, out) = ui.allocate_exact_size(size, egui::Sense::click());
                let fill = parts::parse_colour(colour).unwrap_or_default();
                ui.painter().rect_filled(rect, 4.0, fill);
                if c.colour == colour || out.has_focus() {
                    let stroke = egui::Stroke::new(2.0, palette(ui.ctx()).text);
                    ui.painter().rect_stroke(rect, 4.0, stroke, egui::StrokeKind::Inside);
                }
                let name = format!("{} {colour}", t(lang, "Couleur", "Colour"));
                out.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if out.clicked() {
                    c.colour = colour.to_owned();
                }
            }
        });
    });
    parts::section(ui, t(lang, "TICKETS", "TICKETS"));
    line(ui, "", None, lang, |ui, _| {
        let ticket = t(
            lang,
            "Un ticket est exigé pour se connecter, révéler, exporter",
            "A ticket is needed to connect, reveal, export",
        );
        ui.checkbox(&mut c.ticket_required, ticket);
        ui.checkbox(&mut c.reason_required, t(lang, "Un motif est exigé", "A reason is needed"));
    });
    let hint = "GLPI-[0-9]{4,6}";
    text_line(
        ui,
        t(lang, "Forme du ticket", "Ticket pattern"),
        &mut c.ticket_pattern,
        hint,
        None,
        lang,
    );
    let hint = "https://glpi.exemple.fr/ticket/{ticket}";
    text_line(
        ui,
        t(lang, "Adresse du ticket", "Ticket address"),
        &mut c.ticket_url,
        hint,
        None,
        lang,
    );
}

fn login_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang, acts: &mut Acts) {
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
                ui.memory_mut(|m| {
                    m.surrender_focus(out.response.id);
                    m.move_focus(egui::FocusDirection::Next);
                });
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
            && ui.small_button(label).clicked()
        {
            acts.push(Act::Send(Command::Choose(pick, String::new())));
        }
        if secret.slot == Slot::Password {
            ui.horizontal(|ui| {
                if ui.small_button(t(lang, "Générer…", "Generate…")).clicked() {
                    *generate = true;
                }
                if !secret.buffer.is_empty() {
                    strength_ui(ui, &secret.strength, lang);
                }
            });
        }
    });
}

fn settings_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang) {
    let fields = form.fields();
    if fields.is_empty() {
        return;
    }
    ui.add_space(8.0);
    let title = if form.kind.is_container() {
        t(lang, "Réglages transmis aux accès", "Settings passed on to entries")
    } else {
        t(lang, "Réglages de connexion", "Connection settings")
    };
    let open = !form.kind.is_container();
    egui::CollapsingHeader::new(parts::bold(title)).default_open(open).show_unindented(ui, |ui| {
        for field in fields {
            setting_ui(ui, form, field, faults.get(field.id), lang);
        }
    });
}

fn setting_ui(
    ui: &mut Ui,
    form: &mut Editor,
    field: &'static Field,
    fault: Option<&Bi>,
    lang: Lang,
) {
    let mut pick = false;
    let value = form.settings.entry(field.id).or_default();
    let default =
        if field.default.is_empty() { "" } else { field.shown(field.default, lang) }.to_owned();
    line(ui, field.label(lang), fault, lang, |ui, id| {
        let help = field.help(lang);
        match field.kind {
            FieldKind::Text | FieldKind::Number { .. } => {
                let wide = if matches!(field.kind, FieldKind::Text) { FIELD } else { 110.0 };
                let edit = TextEdit::singleline(value).desired_width(wide).hint_text(default);
                let out = ui.add(edit).labelled_by(id).on_hover_text(help);
                next(ui, &out);
            }
            FieldKind::Lines(_) => {
                let edit = TextEdit::multiline(value).desired_width(FIELD).desired_rows(2);
                ui.add(edit.hint_text(default)).labelled_by(id).on_hover_text(help);
            }
            FieldKind::Bool | FieldKind::Choice(_) => {
                let usual = format!("{} ({default})", t(lang, "par défaut", "default"));
                let shown = if value.is_empty() { &usual } else { field.shown(value, lang) };
                let words = matches!(field.kind, FieldKind::Choice(_));
                let wide = if words { room(ui, 0.0) } else { 200.0 };
                let combo = ComboBox::from_id_salt(field.id).width(wide);
                let combo = combo.selected_text(shown.to_owned());
                let out = combo.show_ui(ui, |ui| {
                    ui.selectable_value(value, String::new(), &usual);
                    for word in field.words() {
                        let label = word.label(lang);
                        ui.selectable_value(value, word.word.to_owned(), label);
                    }
                });
                out.response.labelled_by(id).on_hover_text(help);
            }
            FieldKind::Entries => {
                ui.horizontal(|ui| {
                    let edit = TextEdit::singleline(value).desired_width(FIELD - 90.0);
                    ui.add(edit).labelled_by(id).on_hover_text(help);
                    pick = ui.button(t(lang, "Ajouter…", "Add…")).clicked();
                });
            }
        }
    });
    if pick {
        form.picker = Some(Picker {
            target: PickFor::Setting(field.id),
            query: String::new(),
            results: Vec::new(),
        });
    }
}

fn more_ui(ui: &mut Ui, form: &mut Editor, faults: &Faults, lang: Lang, acts: &mut Acts) {
    parts::section(ui, t(lang, "DIVERS", "MORE"));
    let hint = t(lang, "séparées par des espaces", "separated by spaces");
    text_line(ui, t(lang, "Étiquettes", "Tags"), &mut form.tags, hint, None, lang);
    line(ui, t(lang, "Description", "Description"), None, lang, |ui, id| {
        let edit = TextEdit::multiline(&mut form.description).desired_width(FIELD).desired_rows(3);
        ui.add(edit).labelled_by(id);
    });
    if form.kind != Kind::CLIENT {
        line(ui, t(lang, "Expire le", "Expires on"), faults.get("expires"), lang, |ui, id| {
            let hint = t(lang, "jj/mm/aaaa", "yyyy-mm-dd");
            let edit = TextEdit::singleline(&mut form.expires).desired_width(120.0).hint_text(hint);
            let out = ui.add(edit).labelled_by(id);
            next(ui, &out);
        });
    }
    line(ui, "", None, lang, |ui, _| {
        ui.checkbox(&mut form.favourite, t(lang, "Favori", "Favourite"));
    });
    let label = t(lang, "Champs ajoutés", "Custom fields");
    line(ui, label, faults.get("custom"), lang, |ui, _| custom_ui(ui, form, lang));
    attachments_ui(ui, form, lang, acts);
}

fn attachments_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    line(ui, t(lang, "Pièces jointes", "Attachments"), None, lang, |ui, _| {
        let saved: Vec<(String, u64)> = form
            .base
            .iter()
            .flat_map(|v| &v.entry.attachments)
            .map(|a| (a.name.clone(), a.size))
            .collect();
        for (name, size) in saved {
            ui.horizontal(|ui| {
                let mut keep = !form.removed.contains(&name);
                let label = format!("{name}  ({})", text::size(size, lang));
                if ui.checkbox(&mut keep, label).clicked() {
                    if keep {
                        form.removed.remove(&name);
                    } else {
                        form.removed.insert(name.clone());
                    }
                }
            });
        }
        let mut gone = None;
        for (i, (name, bytes)) in form.added.iter().enumerate() {
            ui.horizontal(|ui| {
                ui.label(format!("\u{1f4ce} {name}  ({})", text::size(bytes.len() as u64, lang)));
                let remove = format!("{} {name}", t(lang, "Retirer", "Remove"));
                if parts::drawn_button(ui, parts::Icon::Bin, &remove).clicked() {
                    gone = Some(i);
                }
            });
        }
        if let Some(i) = gone {
            form.added.remove(i);
        }
        if ui.small_button(t(lang, "Joindre un fichier…", "Attach a file…")).clicked() {
            acts.push(Act::Send(Command::Choose(Pick::AddAttachment, String::new())));
        }
    });
}

fn open_picker(form: &mut Editor, target: PickFor, acts: &mut Acts) {
    form.picker = Some(Picker { target, query: String::new(), results: Vec::new() });
    find(acts, "");
}

fn find(acts: &mut Acts, query: &str) {
    let request = Request::Find { query: query.to_owned(), limit: 30 };
    acts.push(Act::Send(Command::Ask(Tag::PickEntry, request)));
}

fn picker_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    let Some(picker) = &mut form.picker else { return };
    let mut chosen = None;
    let modal = egui::Modal::new(egui::Id::unique("picker"));
    let modal = modal.frame(crate::gui::theme::card(ui.ctx())).show(ui.ctx(), |ui| {
        ui.set_width(460.0);
        crate::gui::dialogs::title_ui(ui, t(lang, "Choisir un accès", "Choose an entry"));
        let name = t(lang, "Chercher un accès", "Search an entry");
        let edit = TextEdit::singleline(&mut picker.query).desired_width(f32::INFINITY);
        let out = ui.add(edit).accessible_name(name);
        if ui.memory(|m| m.focused().is_none()) {
            out.request_focus();
        }
        if out.changed() {
            find(acts, &picker.query);
        }
        ui.add_space(6.0);
        ScrollArea::vertical().max_height(300.0).auto_shrink([false, true]).show(ui, |ui| {
            let own = form.base.as_ref().map(|v| v.entry.id);
            for item in picker
                .results
                .iter()
                .filter(|i| !i.summary.kind.is_container() && Some(i.summary.id) != own)
            {
                let (rect, out) = parts::row(ui, 28.0, false, &item.path);
                super::list_view::kind_sign(
                    ui,
                    rect.left_center() + vec2(14.0, 0.0),
                    &item.summary,
                );
                let at = rect.left_center() + vec2(30.0, 0.0);
                let font = egui::FontId::proportional(14.0);
                let colour = ui.visuals().text_color();
                parts::cut_text(ui, at, rect.width() - 36.0, &item.path, font, colour);
                if out.clicked() {
                    chosen = Some((item.summary.id, item.path.clone()));
                }
            }
        });
    });
    if let Some((id, path)) = chosen {
        match form.picker.take().map(|p| p.target) {
            Some(PickFor::Linked) => form.linked = Some((id, path)),
            Some(PickFor::Setting(field)) => {
                let value = form.settings.entry(field).or_default();
                if !value.trim().is_empty() {
                    value.push_str(", ");
                }
                value.push_str(&path);
            }
            None => {}
        }
    } else if modal.should_close() {
        form.picker = None;
    }
}
