//! The dialog that picks another entry for a field of the form.

use egui::{TextEdit, Ui, vec2};

use crate::app::api::{Item, Request};
use crate::connect;
use crate::connect::vpn::fields::VPN;
use crate::gui::act::{Act, Acts};
use crate::gui::dialogs;
use crate::gui::text::t;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, FIND_LIMIT, Tag};
use crate::model::lang::Lang;

use super::editor::{Editor, PickFor, Picker};

pub(super) fn open_picker(form: &mut Editor, target: PickFor, acts: &mut Acts) {
    find(acts, &target, "");
    form.picker = Some(Picker { target, query: String::new(), results: Vec::new() });
}

fn is_vpn_pick(target: &PickFor) -> bool {
    *target == PickFor::Setting(VPN.id)
}

/// Entries for the picker; where a VPN is wanted, VPNs alone, and all of them as long as
/// nothing is typed.
fn find(acts: &mut Acts, target: &PickFor, query: &str) {
    let (query, limit) = match is_vpn_pick(target) {
        // Every VPN is called so, in each language.
        true => (format!("vpn {query}"), FIND_LIMIT),
        false => (query.to_owned(), 30),
    };
    let request = Request::Find { query, limit };
    acts.push(Act::Send(Command::Ask(Tag::PickEntry, request)));
}

pub(super) fn picker_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    let Some(picker) = &mut form.picker else { return };
    let mut chosen = None;
    let modal = dialogs::modal(ui.ctx(), egui::Id::unique("picker"), 460.0, |ui| {
        let vpn = is_vpn_pick(&picker.target);
        let (title, name) = match vpn {
            true => (
                t(lang, "Choisir un VPN", "Choose a VPN"),
                t(lang, "Chercher un VPN", "Search a VPN"),
            ),
            false => (
                t(lang, "Choisir un accès", "Choose an entry"),
                t(lang, "Chercher un accès", "Search an entry"),
            ),
        };
        dialogs::title_ui(ui, title);
        let edit = TextEdit::singleline(&mut picker.query).desired_width(f32::INFINITY);
        let out = ui.add(edit).accessible_name(name);
        if ui.memory(|m| m.focused().is_none()) {
            out.request_focus();
        }
        if out.changed() {
            find(acts, &picker.target, &picker.query);
        }
        ui.add_space(6.0);
        dialogs::middle_ui(ui, |ui| {
            // The field above stays in place while what is found comes and goes.
            ui.set_min_height(280.0);
            let own = form.base.as_ref().map(|v| v.entry.id);
            let fits = |item: &&Item| {
                let kind = &item.summary.kind;
                !kind.is_container()
                    && Some(item.summary.id) != own
                    && (!vpn || connect::is_vpn(kind))
            };
            let mut found = picker.results.iter().filter(fits).peekable();
            if vpn && picker.query.trim().is_empty() && found.peek().is_none() {
                ui.weak(t(
                    lang,
                    "Aucun VPN dans ce coffre\u{a0}: créez d’abord une entrée OpenVPN.",
                    "No VPN in this vault: make an OpenVPN entry first.",
                ));
            }
            for item in found {
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
                if field == VPN.id {
                    value.clear();
                }
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
