//! The dialog that picks another entry for a field of the form.

use egui::{TextEdit, Ui, vec2};

use crate::app::api::Request;
use crate::gui::act::{Act, Acts};
use crate::gui::dialogs;
use crate::gui::text::t;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Tag};
use crate::model::lang::Lang;

use super::editor::{Editor, PickFor, Picker};

pub(super) fn open_picker(form: &mut Editor, target: PickFor, acts: &mut Acts) {
    form.picker = Some(Picker { target, query: String::new(), results: Vec::new() });
    find(acts, "");
}

fn find(acts: &mut Acts, query: &str) {
    let request = Request::Find { query: query.to_owned(), limit: 30 };
    acts.push(Act::Send(Command::Ask(Tag::PickEntry, request)));
}

pub(super) fn picker_ui(ui: &mut Ui, form: &mut Editor, lang: Lang, acts: &mut Acts) {
    let Some(picker) = &mut form.picker else { return };
    let mut chosen = None;
    let modal = dialogs::modal(ui.ctx(), egui::Id::unique("picker"), 460.0, |ui| {
        dialogs::title_ui(ui, t(lang, "Choisir un accès", "Choose an entry"));
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
        dialogs::middle_ui(ui, |ui| {
            // The field above stays in place while what is found comes and goes.
            ui.set_min_height(280.0);
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
