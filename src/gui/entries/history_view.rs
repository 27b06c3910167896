//! Who changed an entry last, and its earlier versions.

use egui::{RichText, Ui};

use crate::app::api::{At, EntryView, Request};
use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::gui::worker::{Command, Tag};
use crate::model::id::MemberId;
use crate::model::lang::Lang;

use super::details::Details;

fn person(view: &EntryView, id: MemberId) -> String {
    view.people.get(&id).cloned().unwrap_or_else(|| String::from("?"))
}

pub(super) fn history_ui(
    ui: &mut Ui,
    view: &EntryView,
    model: &mut Details,
    lang: Lang,
    acts: &mut Acts,
) {
    let p = palette(ui.ctx());
    let e = &view.entry;
    ui.add_space(10.0);
    let changed = format!(
        "{} {} {} {}  ·  {} {}",
        t(lang, "Modifié le", "Changed on"),
        text::when(e.changed_at, lang),
        t(lang, "par", "by"),
        person(view, e.changed_by),
        t(lang, "version", "version"),
        e.ver
    );
    ui.label(RichText::new(changed).size(12.5).color(p.weak));
    if e.ver < 2 {
        return;
    }
    let title = t(lang, "Versions précédentes", "Earlier versions");
    let out = egui::CollapsingHeader::new(title).id_salt("history").show(ui, |ui| {
        let Some(versions) = &model.history else {
            ui.label("…");
            return;
        };
        for v in versions {
            ui.horizontal(|ui| {
                let head = format!("{}  {}", v.version.ver, text::when(v.version.at, lang));
                ui.label(head);
                ui.label(RichText::new(&v.by).color(p.weak));
                let fields: Vec<String> =
                    v.changed.iter().map(|f| text::entry_field(f, lang)).collect();
                ui.label(RichText::new(fields.join(", ")).color(p.weak));
                if view.may_edit
                    && parts::small_button(ui, t(lang, "Restaurer", "Restore")).clicked()
                {
                    acts.push(Act::Restore(e.id, Some(v.version.ver)));
                }
            });
        }
    });
    if out.fully_open() && model.history.is_none() {
        let id = e.id;
        let request = Request::History { at: At::Id(id) };
        model.history = Some(Vec::new());
        acts.push(Act::Send(Command::Ask(Tag::History(id), request)));
    }
}
