//! Paints the configurations read from a device: taking one, the list, and what
//! is shown of them. The text is painted line by line and never told to the
//! accessibility tree.

use egui::{RichText, ScrollArea, Sense, Ui, vec2};

use crate::app::api::{EntryView, SnapshotView, Taken};
use crate::gui::act::{Act, Acts, Guarded};
use crate::gui::text::{self, t};
use crate::gui::theme::palette;
use crate::gui::widgets::parts;
use crate::model::lang::Lang;

use super::config::{LISTED, Line, Shown, What};
use super::details::Details;
use super::rights::Rights;

/// Height of the text on screen.
const TEXT_HEIGHT: f32 = 300.0;

pub(super) fn config_ui(
    ui: &mut Ui,
    view: &EntryView,
    model: &mut Details,
    rights: &Rights,
    lang: Lang,
    acts: &mut Acts,
) {
    let readable = view.snapshot_command.is_some() && view.entry.trashed_at.is_none();
    if !readable && view.snapshots.is_empty() {
        return;
    }
    parts::section(ui, t(lang, "CONFIGURATION", "CONFIGURATION"));
    if let Some(command) = view.snapshot_command.as_deref().filter(|_| readable) {
        take_ui(ui, view, model, rights, command, lang, acts);
    }
    match &model.config.result {
        Some(Ok(taken)) => {
            ui.add_space(4.0);
            parts::ok_box(ui, &told(taken, lang), "");
        }
        Some(Err(error)) => {
            ui.add_space(4.0);
            parts::failure(ui, lang, &error.what, &error.todo);
        }
        None => {}
    }
    ui.add_space(4.0);
    if view.snapshots.is_empty() {
        let none = t(lang, "Pas encore relevée.", "Not read yet.");
        ui.label(RichText::new(none).color(palette(ui.ctx()).weak));
        return;
    }
    if !view.may_reveal {
        let why = t(
            lang,
            "Votre rôle ne permet pas de les lire\u{a0}: elles contiennent des mots de passe.",
            "Your role does not let you read them: they hold passwords.",
        );
        ui.add(egui::Label::new(RichText::new(why).color(palette(ui.ctx()).weak)).wrap());
    }
    let (first, more) = view.snapshots.split_at(view.snapshots.len().min(LISTED));
    rows_ui(ui, "snapshots", view, first, lang, acts);
    if !more.is_empty() {
        let title = format!("{} ({})", t(lang, "Plus anciens", "Older"), more.len());
        egui::CollapsingHeader::new(title).id_salt("snapshots-older").show(ui, |ui| {
            rows_ui(ui, "snapshots-more", view, more, lang, acts);
        });
    }
    shown_ui(ui, model, lang, acts);
}

fn take_ui(
    ui: &mut Ui,
    view: &EntryView,
    model: &Details,
    rights: &Rights,
    command: &str,
    lang: Lang,
    acts: &mut Acts,
) {
    let p = palette(ui.ctx());
    ui.horizontal_wrapped(|ui| {
        if model.config.taking() {
            ui.spinner();
            ui.label(t(lang, "Relevé en cours…", "Reading…"));
            if ui.button(t(lang, "Abandonner", "Give up")).clicked() {
                model.config.give_up();
            }
            return;
        }
        let take = egui::Button::new(t(lang, "Relever maintenant", "Read now"));
        let allowed = rights.connect() && !rights.read_only();
        if ui.add_enabled(allowed, take).clicked() {
            acts.push(Act::Guarded(view.entry.id, Guarded::TakeSnapshot));
        }
        ui.label(RichText::new(command).monospace().size(12.5).color(p.weak));
    });
}

/// What came of taking one.
fn told(taken: &Taken, lang: Lang) -> String {
    let Taken { snapshot, unchanged, before, added, removed } = taken;
    let n = snapshot.n;
    match (unchanged, before, lang) {
        (true, _, Lang::Fr) => format!("Inchangée depuis le relevé {n}."),
        (true, _, Lang::En) => format!("Unchanged since snapshot {n}."),
        (false, None, Lang::Fr) => {
            format!("Premier relevé gardé\u{a0}: {} lignes.", snapshot.lines)
        }
        (false, None, Lang::En) => format!("First snapshot kept: {} lines.", snapshot.lines),
        (false, Some(before), Lang::Fr) => format!(
            "Relevé {n} gardé\u{a0}: {} depuis le relevé {}.",
            counts(*added, *removed, lang),
            before.n
        ),
        (false, Some(before), Lang::En) => format!(
            "Snapshot {n} kept: {} since snapshot {}.",
            counts(*added, *removed, lang),
            before.n
        ),
    }
}

fn counts(added: u64, removed: u64, lang: Lang) -> String {
    let lines =
        if added.max(removed) > 1 { t(lang, "lignes", "lines") } else { t(lang, "ligne", "line") };
    format!("+{} −{} {lines}", text::count(added, lang), text::count(removed, lang))
}

fn rows_ui(
    ui: &mut Ui,
    id: &str,
    view: &EntryView,
    rows: &[SnapshotView],
    lang: Lang,
    acts: &mut Acts,
) {
    let p = palette(ui.ctx());
    let older = |n: u64| view.snapshots.iter().find(|s| s.n < n).map(|s| s.n);
    egui::Grid::new(id).num_columns(5).min_row_height(28.0).spacing(vec2(14.0, 2.0)).show(
        ui,
        |ui| {
            for s in rows {
                ui.label(RichText::new(s.n.to_string()).color(p.weak));
                ui.label(text::when(s.at, lang));
                ui.add(egui::Label::new(RichText::new(&s.by).color(p.weak)).truncate());
                ui.label(RichText::new(text::size(s.size, lang)).color(p.weak));
                ui.horizontal(|ui| {
                    if view.may_reveal {
                        buttons_ui(ui, view, s, older(s.n), lang, acts);
                    }
                });
                ui.end_row();
            }
        },
    );
}

fn buttons_ui(
    ui: &mut Ui,
    view: &EntryView,
    s: &SnapshotView,
    older: Option<u64>,
    lang: Lang,
    acts: &mut Acts,
) {
    let name = format!("{} {}", t(lang, "relevé", "snapshot"), s.n);
    let show = text::named(t(lang, "Afficher", "Show"), &name, lang);
    if parts::drawn_button(ui, parts::Icon::Show, &show).clicked() {
        acts.push(Act::Guarded(view.entry.id, Guarded::ShowSnapshot(s.n)));
    }
    let copy = text::named(t(lang, "Copier", "Copy"), &name, lang);
    if parts::drawn_button(ui, parts::Icon::Copy, &copy).clicked() {
        acts.push(Act::Guarded(view.entry.id, Guarded::CopySnapshot(s.n)));
    }
    if let Some(older) = older {
        let what = format!("{} {older} → {}", t(lang, "Différence", "Difference"), s.n);
        if parts::small_button(ui, &what).clicked() {
            acts.push(Act::Guarded(view.entry.id, Guarded::CompareSnapshots(older, s.n)));
        }
    }
}

fn shown_ui(ui: &mut Ui, model: &mut Details, lang: Lang, acts: &mut Acts) {
    let Some(shown) = model.config.shown() else { return };
    let p = palette(ui.ctx());
    let mut hide = false;
    ui.add_space(6.0);
    let frame = egui::Frame::new()
        .fill(p.field)
        .stroke(egui::Stroke::new(1.0, p.line))
        .corner_radius(6)
        .inner_margin(egui::Margin::symmetric(10, 8));
    frame.show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal_wrapped(|ui| {
            ui.label(parts::bold(title(&shown.what, lang)));
            let name = title(&shown.what, lang);
            let copy = text::named(t(lang, "Copier", "Copy"), &name, lang);
            if parts::drawn_button(ui, parts::Icon::Copy, &copy).clicked() {
                acts.push(Act::CopySecret(shown.text().duplicate()));
            }
            let close = text::named(t(lang, "Masquer", "Hide"), &name, lang);
            hide = parts::drawn_button(ui, parts::Icon::Hide, &close).clicked();
        });
        ui.add_space(4.0);
        lines_ui(ui, shown);
    });
    if hide {
        model.config.hide();
    }
}

fn title(what: &What, lang: Lang) -> String {
    match what {
        What::Text(s) => {
            format!("{} {}  ·  {}", t(lang, "Relevé", "Snapshot"), s.n, text::when(s.at, lang))
        }
        What::Difference(from, to, added, removed) => format!(
            "{} {} → {}  ·  {}",
            t(lang, "Différence", "Difference"),
            from.n,
            to.n,
            counts(*added, *removed, lang)
        ),
    }
}

/// Only the lines in sight are laid out: a configuration may have thousands.
fn lines_ui(ui: &mut Ui, shown: &Shown) {
    let p = palette(ui.ctx());
    let font = egui::TextStyle::Monospace.resolve(ui.style());
    let height = ui.fonts_mut(|f| f.row_height(&font)).ceil() + 2.0;
    let advance = ui.fonts_mut(|f| f.glyph_width(&font, 'm'));
    let room = ui.available_width();
    let width = room.max(advance * (shown.widest() as f32 + 1.0));
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::both()
        .id_salt("snapshot-text")
        .max_height(TEXT_HEIGHT)
        .min_scrolled_height(TEXT_HEIGHT)
        .auto_shrink([false, true])
        .show_rows(ui, height, shown.count(), |ui, range| {
            for n in range {
                let (rect, _) = ui.allocate_exact_size(vec2(width, height), Sense::hover());
                shown.line(n, |kind, text| {
                    let (colour, ground) = match kind {
                        Line::Same => (p.text, None),
                        Line::Added => (p.ok, Some(p.ok)),
                        Line::Removed => (p.error, Some(p.error)),
                        Line::Place => (p.accent, None),
                    };
                    if let Some(ground) = ground {
                        ui.painter().rect_filled(rect, 0.0, ground.gamma_multiply(0.12));
                    }
                    let galley = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), colour);
                    ui.painter().galley(rect.min + vec2(4.0, 1.0), galley, colour);
                });
            }
        });
}
