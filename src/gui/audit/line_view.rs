//! One line of the log in full.

use egui::{Align, Layout, RichText, ScrollArea, Ui};

use crate::gui::act::{Act, Acts};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::audit_event::{OpenLine, field};
use crate::model::lang::Lang;

/// One line in full; true when it is to be closed. Who may `browse` the clients is
/// offered the page of its ticket.
pub(super) fn line_ui(
    ui: &mut Ui,
    line: &OpenLine,
    browse: bool,
    lang: Lang,
    acts: &mut Acts,
) -> bool {
    let p = palette(ui.ctx());
    let mut close = false;
    // The title gets what the button leaves: a row wider than the panel would widen it
    // with every frame.
    ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
        close = parts::icon_button(ui, "\u{2716}", t(lang, "Fermer", "Close")).clicked();
        ui.with_layout(Layout::top_down(Align::Min), |ui| {
            ui.add_space(4.0);
            let title = parts::bold(text::event(line.event, lang)).size(16.0);
            ui.add(egui::Label::new(title).wrap());
        });
    });
    let state = if line.ok {
        t(lang, "Réussi", "Done")
    } else {
        t(lang, "Refusé ou échoué", "Refused or failed")
    };
    parts::badge(ui, state, if line.ok { p.ok } else { p.error });
    ui.add_space(6.0);
    ScrollArea::vertical().auto_shrink(false).id_salt("line").show(ui, |ui| {
        let pair = |ui: &mut Ui, name: &str, value: &str| {
            ui.label(RichText::new(name).size(12.5).color(p.weak));
            ui.add(egui::Label::new(value).wrap().selectable(true));
            ui.add_space(3.0);
        };
        pair(ui, t(lang, "Numéro", "Sequence"), &line.seq.to_string());
        pair(ui, t(lang, "Date", "Date"), &text::when_exactly(line.at, lang));
        pair(ui, "UTC", &line.at.to_string());
        pair(ui, t(lang, "Mot du journal", "Word in the log"), line.event.word());
        for (name, value) in &line.fields {
            let told = text::log_value(line, name, value, lang);
            pair(ui, text::log_field(line, name, lang), &told);
            let open = t(lang, "Ouvrir le ticket", "Open the ticket");
            if name == field::TICKET && browse && parts::small_button(ui, open).clicked() {
                let client = line.field(field::CLIENT).to_owned();
                let entry = line.field(field::ENTRY_ID).parse().ok();
                acts.push(Act::OpenTicket(value.clone(), entry, client));
            }
        }
        pair(ui, t(lang, "Empreinte de la ligne", "Leaf hash"), &line.leaf_hash);
        if parts::small_button(ui, t(lang, "Copier l’empreinte", "Copy hash")).clicked() {
            acts.push(Act::CopyPlain(line.leaf_hash.clone()));
        }
    });
    close
}
