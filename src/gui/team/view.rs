//! Paints the team page.

use std::collections::BTreeSet;

use egui::{Align, ComboBox, Layout, RichText, ScrollArea, TextEdit, Ui, vec2};

use crate::app::api::{MemberView, Request, RotateItem};
use crate::gui::act::{Act, Acts};
use crate::gui::dialogs::{error_ui, middle_ui, modal, title_ui};
use crate::gui::settings::view::factors_ui;
use crate::gui::text::{self, t};
use crate::gui::theme::{card, inset, palette, primary_button};
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Tag};
use crate::model::lang::{Bi, Lang};
use crate::model::member::Role;

use super::model::{MemberForm, Rotation, Sheet, TeamModel, Ticked};

/// What the page must know of the person.
pub struct Me<'a> {
    /// Own name.
    pub name: &'a str,
    /// Own role.
    pub role: Role,
    /// May invite, change and remove.
    pub manages: bool,
}

/// Paints the page.
pub fn team_ui(ui: &mut Ui, model: &mut TeamModel, me: &Me<'_>, lang: Lang, acts: &mut Acts) {
    if !model.asked {
        acts.extend(model.read(me.manages));
    }
    let p = palette(ui.ctx());
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(900.0));
        ui.horizontal(|ui| {
            ui.label(RichText::new(t(lang, "Équipe", "Team")).heading());
            if me.manages {
                ui.add_space(10.0);
                let label = t(lang, "Inviter un membre…", "Invite a member…");
                if ui.add(primary_button(ui.ctx(), label)).clicked() {
                    model.invite();
                }
            }
        });
        let hint = t(
            lang,
            "Chacun a son mot de passe et son téléphone\u{a0}; les clés de chaque client ne sont données qu’aux membres qui le voient.",
            "Everybody has an own password and phone; the keys of a client are given only to the members who see it.",
        );
        ui.add(egui::Label::new(RichText::new(hint).color(p.weak)).wrap());
        error_ui(ui, lang, model.error.as_ref());
        if let Some(e) = &model.unread {
            error_ui(ui, lang, Some(e));
            if ui.button(t(lang, "Relire les membres", "Read the members again")).clicked() {
                acts.extend(model.read(me.manages));
            }
        } else if !model.loaded {
            ui.spinner();
        }
        ui.add_space(10.0);
        for view in model.members.clone() {
            member_ui(ui, model, &view, me, lang, acts);
            ui.add_space(6.0);
        }
        if me.manages && !model.former.is_empty() {
            former_ui(ui, model, lang, acts);
        }
    });
    sheet_ui(ui, model, me, lang, acts);
}

fn member_ui(
    ui: &mut Ui,
    model: &mut TeamModel,
    view: &MemberView,
    me: &Me<'_>,
    lang: Lang,
    acts: &mut Acts,
) {
    let p = palette(ui.ctx());
    let m = &view.member;
    card(ui.ctx()).inner_margin(12).show(ui, |ui| {
        ui.set_width(ui.available_width());
        ui.horizontal_top(|ui| {
            let room = (ui.available_width() - 220.0).max(200.0);
            ui.allocate_ui_with_layout(vec2(room, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.set_width(room);
                ui.add(egui::Label::new(parts::bold(&m.name)).wrap());
                ui.horizontal_wrapped(|ui| {
                    parts::badge(ui, text::role(m.role, lang), p.accent);
                    if m.name == me.name {
                        parts::badge(ui, t(lang, "vous", "you"), p.ok);
                    }
                    if !m.accepted {
                        let wait = t(lang, "invitation en attente", "invitation waiting");
                        parts::badge(ui, wait, p.warn);
                    }
                });
                let sees = if m.role == Role::Auditor {
                    t(lang, "Journal seulement", "Log only").to_owned()
                } else if m.role.sees_every_client() || m.all_clients {
                    t(lang, "Tous les clients", "All clients").to_owned()
                } else if view.clients.is_empty() {
                    t(lang, "Aucun client", "No client").to_owned()
                } else {
                    view.clients.join(", ")
                };
                ui.add(egui::Label::new(RichText::new(sees).color(p.weak)).wrap());
            });
            let owner_guard = m.role == Role::Owner && me.role != Role::Owner;
            if me.manages && m.name != me.name && !owner_guard {
                let name = format!("{} {}", t(lang, "Modifier", "Edit"), m.name);
                let edit = ui.button(t(lang, "Modifier", "Edit"));
                edit.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if edit.clicked() {
                    model.change(view);
                }
                let name = format!("{} {}", t(lang, "Retirer", "Remove"), m.name);
                let remove = ui.button(t(lang, "Retirer…", "Remove…"));
                remove.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
                if remove.clicked() {
                    model.error = None;
                    model.removing = Some((m.id, m.name.clone()));
                    acts.push(ask_remove(&m.name));
                }
            }
        });
    });
}

/// Who was removed, and where the list of their secrets is found again.
fn former_ui(ui: &mut Ui, model: &mut TeamModel, lang: Lang, acts: &mut Acts) {
    let p = palette(ui.ctx());
    ui.add_space(10.0);
    ui.label(RichText::new(t(lang, "Membres retirés", "Removed members")).heading());
    let mut wanted = None;
    for view in &model.former {
        let m = &view.member;
        ui.horizontal(|ui| {
            ui.label(parts::bold(&m.name));
            ui.label(RichText::new(text::role(m.role, lang)).color(p.weak));
            let name =
                format!("{} {}", t(lang, "Secrets à changer de", "Secrets to change of"), m.name);
            let open = ui.button(t(lang, "Secrets à changer…", "Secrets to change…"));
            open.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
            if open.clicked() {
                wanted = Some(m.id);
            }
        });
    }
    if let Some(member) = wanted {
        acts.push(model.rotation(member));
    }
}

fn ask_remove(name: &str) -> Act {
    let request = Request::RemoveMember { name: name.to_owned() };
    Act::Confirm(Box::new(crate::gui::dialogs::Confirm {
        title: Bi::new(format!("Retirer {name}\u{a0}?"), format!("Remove {name}?")),
        text: Bi::new(
            "Toutes les clés que ce membre détenait sont renouvelées. La liste des secrets qu’il a utilisés ou vus s’affiche ensuite\u{a0}: ceux-là sont à changer.",
            "Every key this member held is renewed. The list of secrets they used or saw follows: those are to be changed.",
        ),
        yes: Bi::new("Retirer", "Remove"),
        acts: vec![Act::Send(Command::Ask(Tag::MemberRemoved, request))],
    }))
}

fn sheet_ui(ui: &mut Ui, model: &mut TeamModel, me: &Me<'_>, lang: Lang, acts: &mut Acts) {
    let Some(sheet) = &mut model.sheet else { return };
    let (clients, ticked) = (&model.clients, &mut model.ticked);
    let mut stay = true;
    // An invitation or a checklist is not lost by a click beside it.
    let sticky = !matches!(sheet, Sheet::Form(_));
    let width = match sheet {
        Sheet::Form(_) => 460.0,
        Sheet::Invitation(..) => 480.0,
        Sheet::Rotate(_) => 620.0,
    };
    let modal = modal(ui.ctx(), egui::Id::unique("team-sheet"), width, |ui| match sheet {
        Sheet::Form(form) => stay = form_ui(ui, form, me, clients, lang, acts),
        Sheet::Invitation(name, code) => stay = invitation_ui(ui, name, code, lang, acts),
        Sheet::Rotate(list) => stay = rotate_ui(ui, list, ticked, lang, acts),
    });
    if !stay || (!sticky && modal.should_close()) {
        model.sheet = None;
    }
}

fn form_ui(
    ui: &mut Ui,
    form: &mut MemberForm,
    me: &Me<'_>,
    clients: &[String],
    lang: Lang,
    acts: &mut Acts,
) -> bool {
    title_ui(
        ui,
        match &form.of {
            None => t(lang, "Inviter un membre", "Invite a member"),
            Some(_) => t(lang, "Modifier un membre", "Change a member"),
        },
    );
    let enter = middle_ui(ui, |ui| member_fields_ui(ui, form, me, clients, lang));
    error_ui(ui, lang, form.error.as_ref());
    ui.add_space(12.0);
    let mut stay = true;
    ui.horizontal_wrapped(|ui| {
        let label = match &form.of {
            None => t(lang, "Créer l’invitation", "Make the invitation"),
            Some(_) => t(lang, "Enregistrer", "Save"),
        };
        let button = primary_button(ui.ctx(), label);
        if ui.add_enabled(form.ready(), button).clicked() || (enter && form.ready()) {
            acts.push(form.send());
        }
        stay = !ui.button(t(lang, "Annuler", "Cancel")).clicked();
        if form.waiting {
            ui.spinner();
        }
    });
    stay
}

/// Name, role, clients and, for an invitation, the present factors; true for Enter in
/// the name or the last field.
fn member_fields_ui(
    ui: &mut Ui,
    form: &mut MemberForm,
    me: &Me<'_>,
    clients: &[String],
    lang: Lang,
) -> bool {
    let label = ui.label(t(lang, "Nom", "Name"));
    let edit = TextEdit::singleline(&mut form.name).desired_width(f32::INFINITY);
    let out = ui.add_enabled(form.of.is_none(), edit).labelled_by(label.id);
    let enter = out.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
    if enter && !form.ready() {
        parts::go_on(ui);
    } else if form.of.is_none() && !enter && ui.memory(|m| m.focused().is_none()) {
        out.request_focus();
    }
    ui.add_space(4.0);
    let label = ui.label(t(lang, "Rôle", "Role"));
    let combo = ComboBox::from_id_salt("role").width(220.0);
    let out = combo.selected_text(text::role(form.role, lang)).show_ui(ui, |ui| {
        for role in Role::ALL {
            if role != Role::Owner || me.role == Role::Owner {
                ui.selectable_value(&mut form.role, role, text::role(role, lang));
            }
        }
    });
    out.response.labelled_by(label.id);
    let help = RichText::new(text::role_help(form.role, lang)).size(12.5);
    ui.add(egui::Label::new(help).wrap());
    ui.add_space(4.0);
    if !form.role.sees_every_client() && form.role != Role::Auditor {
        let all = t(lang, "Tous les clients, y compris les futurs", "All clients, later ones too");
        ui.checkbox(&mut form.all_clients, all);
        if form.needs_clients() {
            for name in clients {
                let mut on = form.clients.contains(name);
                if ui.checkbox(&mut on, name).clicked() {
                    if on {
                        form.clients.insert(name.clone());
                    } else {
                        form.clients.remove(name);
                    }
                }
            }
        }
    }
    if form.of.is_some() {
        return enter;
    }
    ui.add_space(6.0);
    let why = t(
        lang,
        "Une invitation dure\u{a0}: prouvez d’abord que c’est vous.",
        "An invitation lasts: prove first that it is you.",
    );
    ui.add(egui::Label::new(RichText::new(why).color(palette(ui.ctx()).weak)).wrap());
    let MemberForm { password, code, shown, .. } = form;
    let last = factors_ui(ui, password, code, shown, lang);
    enter || last.submitted
}

fn invitation_ui(
    ui: &mut Ui,
    name: &str,
    code: &crate::secret::SecretText,
    lang: Lang,
    acts: &mut Acts,
) -> bool {
    let title = format!("{} {name}", t(lang, "Invitation pour", "Invitation for"));
    title_ui(ui, &title);
    let hint = t(
        lang,
        "Montré une seule fois. Donnez ce code de vive voix ou par un canal sûr, avec le fichier du coffre. Il ne sert qu’une fois.",
        "Shown once. Give this code by word of mouth or over a safe channel, together with the vault file. It works once.",
    );
    middle_ui(ui, |ui| {
        ui.add(egui::Label::new(hint).wrap());
        ui.add_space(8.0);
        one_time_ui(ui, code, t(lang, "Code d’invitation", "Invitation code"));
    });
    ui.add_space(10.0);
    let mut stay = true;
    ui.horizontal_wrapped(|ui| {
        let copy = ui.button(t(lang, "Copier", "Copy"));
        if copy.clicked() {
            acts.push(Act::CopySecret(code.duplicate()));
        }
        let done = primary_button(ui.ctx(), t(lang, "C’est transmis", "It is handed on"));
        let done = ui.add(done);
        stay = !done.clicked();
        // Shown once: a key too many must not take it away, Escape leads there.
        if ui.input(|i| i.key_pressed(egui::Key::Escape)) {
            done.request_focus();
        } else if ui.memory(|m| m.focused().is_none()) {
            copy.request_focus();
        }
    });
    stay
}

/// A one-time code, large, on the ground of a field.
pub fn one_time_ui(ui: &mut Ui, code: &crate::secret::SecretText, name: &str) {
    inset(ui.ctx()).inner_margin(14).show(ui, |ui| {
        ui.set_width(ui.available_width());
        crate::gui::guide::kit_view::groups_ui(ui, code, name);
    });
}

fn rotate_ui(
    ui: &mut Ui,
    list: &Rotation,
    ticked: &mut BTreeSet<Ticked>,
    lang: Lang,
    acts: &mut Acts,
) -> bool {
    let (name, items) = (&list.name, &list.items);
    let key = |item: &RotateItem| (list.member, item.path.clone(), item.slot.clone());
    let title = format!("{name} {}", t(lang, "est retiré", "is removed"));
    title_ui(ui, &title);
    middle_ui(ui, |ui| rotate_list_ui(ui, list, ticked, lang));
    ui.add_space(10.0);
    let mut stay = true;
    ui.horizontal_wrapped(|ui| {
        if !items.is_empty() && ui.button(t(lang, "Copier la liste", "Copy the list")).clicked() {
            let lines: Vec<String> = items
                .iter()
                .map(|i| format!("[ ] {} — {}", i.path, text::entry_field(&i.slot, lang)))
                .collect();
            acts.push(Act::CopyPlain(lines.join("\n")));
        }
        let close = ui.button(t(lang, "Fermer", "Close"));
        let escape = ui.input(|i| i.key_pressed(egui::Key::Escape));
        // A list still to be worked off is not lost by one key.
        let done = items.iter().all(|item| ticked.contains(&key(item)));
        stay = !(close.clicked() || (escape && done));
        if escape || ui.memory(|m| m.focused().is_none()) {
            close.request_focus();
        }
    });
    stay
}

/// The secrets, each with a box to tick once it is changed.
fn rotate_list_ui(ui: &mut Ui, list: &Rotation, ticked: &mut BTreeSet<Ticked>, lang: Lang) {
    let p = palette(ui.ctx());
    let items = &list.items;
    let key = |item: &RotateItem| (list.member, item.path.clone(), item.slot.clone());
    if items.is_empty() {
        let text = t(
            lang,
            "Ce membre n’avait utilisé ni vu aucun secret.",
            "This member had neither used nor seen any secret.",
        );
        ui.label(text);
    } else {
        let text = t(
            lang,
            "Ces secrets ont été utilisés ou vus\u{a0}: changez-les sur les machines, puis dans le coffre.",
            "These secrets were used or seen: change them on the machines, then in the vault.",
        );
        ui.add(egui::Label::new(text).wrap());
        let done = items.iter().filter(|item| ticked.contains(&key(item))).count();
        let left = format!("{done} / {}", items.len());
        ui.label(RichText::new(left).color(p.weak));
        for (i, item) in items.iter().enumerate() {
            let mut on = ticked.contains(&key(item));
            let slot = text::entry_field(&item.slot, lang);
            if ui.checkbox(&mut on, format!("{}  ·  {slot}", item.path)).clicked() {
                if on {
                    ticked.insert(key(item));
                } else {
                    ticked.remove(&key(item));
                }
            }
            ui.indent(i, |ui| {
                let events: Vec<&str> = item
                    .events
                    .iter()
                    .map(|e| e.parse().map_or(e.as_str(), |e| text::event(e, lang)))
                    .collect();
                let more = format!("{}  ·  {}", events.join(", "), text::when(item.last, lang));
                ui.label(RichText::new(more).size(12.5).color(p.weak));
            });
        }
        let again = t(
            lang,
            "Cette liste se retrouve sur la page Équipe, sous «\u{a0}Membres retirés\u{a0}»\u{a0}: le journal la refait à chaque fois. Les coches tiennent jusqu’au verrouillage.",
            "This list is found again on the Team page, under “Removed members”: the log makes it anew each time. The ticks last until the lock.",
        );
        ui.add_space(6.0);
        ui.add(egui::Label::new(RichText::new(again).size(12.5).color(p.weak)).wrap());
    }
}
