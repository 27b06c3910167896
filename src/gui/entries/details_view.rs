//! Paints the details of the selected entry.

use std::time::Instant;

use egui::{RichText, ScrollArea, Ui, vec2};

use crate::app::api::EntryView;
use crate::app::pinned_place;
use crate::connect::{self, Opens};
use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::{palette, primary_button};
use crate::gui::widgets::parts;
use crate::model::entry::{CredentialSource, Kind};
use crate::model::lang::Lang;
use crate::model::target::PinnedKey;

use super::config_view::config_ui;
use super::details::Details;
use super::history_view::history_ui;
use super::list_view::kind_sign;
use super::menu::{new_menu, no_session};
use super::plan_view::plan_ui;
use super::rights::Rights;
use super::secrets_view::{attachments_ui, secrets_ui};

const LABEL: f32 = 150.0;
/// Narrower than this, a label stands above its value instead of beside it.
const BESIDE: f32 = 380.0;

/// Paints the panel.
pub fn details_ui(
    ui: &mut Ui,
    model: &mut Details,
    rights: &Rights,
    lang: Lang,
    now: Instant,
    acts: &mut Acts,
) {
    if let Some(error) = &model.error {
        ui.add_space(12.0);
        parts::failure(ui, lang, &error.what, &error.todo);
        return;
    }
    if model.wanted.is_none() {
        let title = t(lang, "Choisissez un accès", "Choose an entry");
        let hint = t(
            lang,
            "Tapez quelques lettres dans la recherche, puis Entrée pour vous connecter. F1 montre les raccourcis.",
            "Type a few letters in the search, then Enter to connect. F1 shows the shortcuts.",
        );
        parts::empty_page(ui, "\u{1f50d}", title, hint, |_| {});
        return;
    }
    let Some(view) = model.entry.clone() else { return };
    ScrollArea::vertical().auto_shrink(false).id_salt(view.entry.id).show(ui, |ui| {
        ui.set_max_width(ui.available_width().min(860.0));
        ui.add_space(4.0);
        header_ui(ui, &view, rights, lang, acts);
        for broken in model.plan.iter().flat_map(|p| &p.broken) {
            ui.add_space(6.0);
            let todo = t(
                lang,
                "La connexion est refusée tant que ce n’est pas réparé.",
                "Connecting is refused until this is mended.",
            );
            parts::error_box(ui, broken.get(lang), todo);
        }
        fields_ui(ui, &view, model, lang, acts);
        pins_ui(ui, &view, lang, acts);
        host_key_ui(ui, &view, lang, acts);
        secrets_ui(ui, &view, model, rights, lang, now, acts);
        attachments_ui(ui, &view, rights, lang, acts);
        config_ui(ui, &view, model, rights, lang, acts);
        plan_ui(ui, model, lang);
        history_ui(ui, &view, model, lang, acts);
        ui.add_space(20.0);
        parts::follow_focus(ui);
    });
}

fn header_ui(ui: &mut Ui, view: &EntryView, rights: &Rights, lang: Lang, acts: &mut Acts) {
    let p = palette(ui.ctx());
    let e = &view.entry;
    ui.horizontal_top(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(26.0, 30.0), egui::Sense::hover());
        kind_sign(ui, rect.center(), &e.summary());
        let room = (ui.available_width() - 60.0).max(80.0);
        ui.vertical(|ui| {
            ui.set_max_width(room);
            let title = RichText::new(&e.name).heading();
            ui.add(egui::Label::new(title).wrap().selectable(true));
        });
        let (sign, name) = if e.favourite {
            ("\u{2605}", t(lang, "Retirer des favoris", "Remove from favourites"))
        } else {
            ("\u{2606}", t(lang, "Ajouter aux favoris", "Add to favourites"))
        };
        if view.may_edit && e.trashed_at.is_none() && parts::icon_button(ui, sign, name).clicked() {
            acts.push(Act::Favourite(e.id, !e.favourite));
        }
    });
    let up = view.path.rsplit_once('/').map_or("", |(up, _)| up);
    let kind = text::kind(&e.kind, lang);
    let place = if up.is_empty() { kind } else { format!("{kind}  ·  {up}") };
    ui.label(RichText::new(place).color(p.weak));
    ui.add_space(8.0);
    ui.horizontal_wrapped(|ui| buttons_ui(ui, view, rights, lang, acts));
    if let Some(at) = e.trashed_at {
        ui.add_space(6.0);
        let what = format!(
            "{} {}",
            t(lang, "Dans la corbeille depuis le", "In the recycle bin since"),
            text::when(at, lang)
        );
        parts::warn_box(ui, &what, "");
    }
    if let Some(day) = e.expires {
        let today = text::today();
        let left = (day - today).get_days();
        if connect::is_vpn(&e.kind) && (0..=30).contains(&left) {
            ui.add_space(6.0);
            let what = match lang {
                Lang::Fr => format!("Expire le {}, dans {left} j", text::day(day, lang)),
                Lang::En => format!("Expires on {}, in {left} d", text::day(day, lang)),
            };
            let todo = t(
                lang,
                "Demandez un nouveau profil à qui administre ce VPN, puis importez-le.",
                "Ask who administers this VPN for a new profile, then import it.",
            );
            parts::warn_box(ui, &what, todo);
        }
        if day < today {
            ui.add_space(6.0);
            let what = format!(
                "{} {}",
                t(lang, "Expiré depuis le", "Expired since"),
                text::day(day, lang)
            );
            parts::warn_box(ui, &what, "");
        }
    }
}

fn buttons_ui(ui: &mut Ui, view: &EntryView, rights: &Rights, lang: Lang, acts: &mut Acts) {
    let e = &view.entry;
    if e.trashed_at.is_some() {
        if view.may_edit {
            if ui.add(primary_button(ui.ctx(), t(lang, "Restaurer", "Restore"))).clicked() {
                acts.push(Act::Restore(e.id, None));
            }
            let forever = t(lang, "Supprimer définitivement…", "Delete for good…");
            if ui.button(forever).clicked() {
                acts.push(Act::Delete(e.id, true));
            }
        }
        return;
    }
    let label = match view.opens {
        Opens::Session if connect::is_vpn(&e.kind) => {
            Some(t(lang, "Monter le VPN", "Raise the VPN"))
        }
        Opens::Session => Some(t(lang, "Se connecter", "Connect")),
        Opens::Browser => Some(t(lang, "Ouvrir dans le navigateur", "Open in the browser")),
        Opens::Details => None,
    };
    if let Some(label) = label {
        let button = ui.add_enabled(rights.connect(), primary_button(ui.ctx(), label));
        if button.on_disabled_hover_text(no_session(lang)).clicked() {
            acts.push(Act::Open(e.id));
        }
    }
    // Who may not change a client may make entries in it all the same.
    if e.kind.is_container() && rights.make_below(&view.path) {
        ui.menu_button(t(lang, "Nouveau", "New"), |ui| {
            new_menu(ui, &view.path, rights, lang, acts);
        });
    }
    if !view.may_edit {
        return;
    }
    if ui.button(t(lang, "Modifier", "Edit")).clicked() {
        acts.push(Act::Edit(e.id));
    }
    if e.kind != Kind::CLIENT && ui.button(t(lang, "Déplacer…", "Move…")).clicked() {
        acts.push(Act::Move(e.id));
    }
    if ui.button(t(lang, "Mettre à la corbeille…", "Move to the recycle bin…")).clicked() {
        acts.push(Act::Delete(e.id, false));
    }
}

/// A label, a value that can be selected, and a button that copies it.
fn value_ui(ui: &mut Ui, label: &str, value: &str, lang: Lang, acts: &mut Acts) {
    if value.is_empty() {
        return;
    }
    labelled_ui(ui, label, |ui| {
        value_label_ui(ui, value, 44.0);
        let name = text::named(t(lang, "Copier", "Copy"), label, lang);
        if parts::drawn_button(ui, parts::Icon::Copy, &name).clicked() {
            acts.push(Act::CopyPlain(value.to_owned()));
        }
    });
}

/// The value, which leaves `beside` points free after it.
fn value_label_ui(ui: &mut Ui, value: &str, beside: f32) {
    let room = (ui.available_width() - beside).max(60.0);
    ui.vertical(|ui| {
        ui.set_max_width(room);
        ui.add_space(4.0);
        ui.add(egui::Label::new(value).wrap().selectable(true));
    });
}

/// A line of the details: a label, and what it is about.
pub(super) fn labelled_ui(ui: &mut Ui, label: &str, add: impl FnOnce(&mut Ui)) {
    if ui.available_width() < BESIDE {
        if !label.is_empty() {
            let text = RichText::new(label).color(palette(ui.ctx()).weak);
            ui.add(egui::Label::new(text).wrap());
        }
        ui.horizontal_top(add);
        return;
    }
    ui.horizontal_top(|ui| {
        label_ui(ui, label);
        add(ui);
    });
}

fn label_ui(ui: &mut Ui, label: &str) {
    let p = palette(ui.ctx());
    ui.allocate_ui_with_layout(vec2(LABEL, 28.0), egui::Layout::top_down(egui::Align::Min), |ui| {
        ui.set_min_width(LABEL);
        ui.add_space(4.0);
        ui.add(egui::Label::new(RichText::new(label).color(p.weak)).wrap());
    });
}

fn plain_ui(ui: &mut Ui, label: &str, value: &str) {
    if value.is_empty() {
        return;
    }
    labelled_ui(ui, label, |ui| value_label_ui(ui, value, 0.0));
}

fn fields_ui(ui: &mut Ui, view: &EntryView, model: &Details, lang: Lang, acts: &mut Acts) {
    let e = &view.entry;
    ui.add_space(12.0);
    let host = if e.kind.word() == "web" {
        t(lang, "Adresse", "Address")
    } else {
        t(lang, "Hôte", "Host")
    };
    value_ui(ui, host, &e.host, lang, acts);
    if let Some(port) = e.port {
        plain_ui(ui, "Port", &port.to_string());
    }
    if e.user.is_empty() {
        let line = model.plan.iter().flat_map(|p| &p.lines).find(|l| l.field == "user");
        if let Some(line) = line.filter(|l| !l.value.is_empty()) {
            let value = format!("{}   ({})", line.value, text::origin(&line.origin, lang));
            plain_ui(ui, t(lang, "Identifiant", "Login"), &value);
        }
    } else {
        value_ui(ui, t(lang, "Identifiant", "Login"), &e.user, lang, acts);
    }
    let source = match &e.credential {
        CredentialSource::Own => None,
        CredentialSource::Inherited => Some(t(lang, "Hérités du dossier", "From the folder")),
        CredentialSource::Linked(_) => None,
        CredentialSource::Ask => Some(t(lang, "Demandés à chaque fois", "Asked each time")),
        CredentialSource::Mine => Some(t(lang, "Les miens", "My own")),
    };
    let has_login = connect::by_kind(&e.kind).is_none_or(|c| c.common().user);
    if let Some(source) = source.filter(|_| has_login && !e.kind.is_container()) {
        plain_ui(ui, t(lang, "Identifiants", "Credentials"), source);
    }
    if let CredentialSource::Linked(_) = e.credential {
        let to =
            view.linked.clone().unwrap_or_else(|| t(lang, "(introuvable)", "(missing)").into());
        plain_ui(ui, t(lang, "Lié à", "Linked to"), &to);
    }
    if !e.tags.is_empty() {
        labelled_ui(ui, t(lang, "Étiquettes", "Tags"), |ui| {
            ui.horizontal_wrapped(|ui| {
                let colour = palette(ui.ctx()).accent;
                for tag in &e.tags {
                    parts::badge(ui, tag, colour);
                }
            });
        });
    }
    plain_ui(ui, t(lang, "Description", "Description"), &e.description);
    if let Some(day) = e.expires {
        plain_ui(ui, t(lang, "Expire le", "Expires on"), &text::day(day, lang));
    }
    for (id, value) in e.settings.iter().filter(|(id, _)| pinned_place(id).is_none()) {
        plain_ui(ui, &text::entry_field(id, lang), text::setting_value(id, value, lang));
    }
    for field in e.custom.iter().filter(|f| !f.secret) {
        value_ui(ui, &field.name, &field.value, lang, acts);
    }
    if let Some(info) = &e.client_info {
        plain_ui(ui, t(lang, "Code", "Code"), &info.code);
        plain_ui(ui, t(lang, "Forme du ticket", "Ticket pattern"), &info.ticket_pattern);
        plain_ui(ui, t(lang, "Adresse du ticket", "Ticket address"), &info.ticket_url);
        let asks = match (info.ticket_required, info.reason_required) {
            (true, true) => t(lang, "un ticket et un motif", "a ticket and a reason"),
            (true, false) => t(lang, "un ticket", "a ticket"),
            (false, true) => t(lang, "un motif", "a reason"),
            (false, false) => "",
        };
        plain_ui(ui, t(lang, "Demande", "Asks for"), asks);
    }
}

/// The keys a client trusts, each with the machine it belongs to.
fn pins_ui(ui: &mut Ui, view: &EntryView, lang: Lang, acts: &mut Acts) {
    let keys: Vec<_> = view
        .entry
        .settings
        .iter()
        .filter_map(|(id, value)| Some((pinned_place(id)?, value)))
        .collect();
    if keys.is_empty() {
        return;
    }
    parts::section(ui, t(lang, "CLÉS D’HÔTE", "HOST KEYS"));
    for (at, value) in keys {
        let label = match lang {
            Lang::Fr => format!("Clé d’hôte de {at}"),
            Lang::En => format!("Host key of {at}"),
        };
        let copy = text::named(t(lang, "Copier", "Copy"), &label, lang);
        // The name of a machine is often wider than the column of labels.
        ui.label(RichText::new(&label).color(palette(ui.ctx()).weak));
        for key in value.lines() {
            ui.horizontal_top(|ui| {
                value_label_ui(ui, key, 44.0);
                if parts::drawn_button(ui, parts::Icon::Copy, &copy).clicked() {
                    acts.push(Act::CopyPlain(key.to_owned()));
                }
            });
        }
    }
}

/// The pinned keys of the host, and the way to forget them.
fn host_key_ui(ui: &mut Ui, view: &EntryView, lang: Lang, acts: &mut Acts) {
    let e = &view.entry;
    for key in &view.pinned {
        let value = format!("{} {}", key.algorithm, key.fingerprint);
        let label = match key.is_certificate() {
            true => t(lang, "Certificat", "Certificate"),
            false => t(lang, "Clé d’hôte", "Host key"),
        };
        value_ui(ui, label, &value, lang, acts);
    }
    if view.pinned.is_empty() || !view.may_edit || e.trashed_at.is_some() {
        return;
    }
    labelled_ui(ui, "", |ui| {
        let forget = match view.pinned.iter().all(PinnedKey::is_certificate) {
            true => t(lang, "Oublier le certificat…", "Forget certificate…"),
            false => t(lang, "Oublier la clé d’hôte…", "Forget host key…"),
        };
        if ui.button(forget).clicked() {
            acts.push(Act::ForgetHostKey(e.id, None));
        }
    });
}
