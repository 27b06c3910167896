//! The frame of every dialog. What comes before and after its middle, title and
//! buttons, stays in the window however small that is; the middle scrolls.

use egui::{Context, Id, Label, Modal, ModalResponse, RichText, ScrollArea, Ui};

use crate::gui::theme::card;
use crate::gui::widgets::parts;

/// Between a dialog and the edge of the window.
const EDGE: f32 = 10.0;
/// Inner margins and lines of the card, both sides.
const MARGINS: f32 = 34.0;
/// What is left of the middle of even the smallest window.
const MIDDLE_MIN: f32 = 48.0;

/// The heights that the frame of a dialog had last.
#[derive(Clone, Copy, PartialEq)]
struct Heights {
    /// Down to the end of the middle.
    middle_end: f32,
    /// Below the middle.
    foot: f32,
}

impl Default for Heights {
    /// Those of a dialog not yet seen, with one row of buttons.
    fn default() -> Self {
        Self { middle_end: 0.0, foot: 52.0 }
    }
}

fn heights() -> Id {
    Id::unique("dialog-heights")
}

/// Shows a dialog over the window, at most `width` points wide.
pub fn modal<R>(
    ctx: &Context,
    id: Id,
    width: f32,
    add: impl FnOnce(&mut Ui) -> R,
) -> ModalResponse<R> {
    Modal::new(id).frame(card(ctx)).show(ctx, |ui| {
        ui.set_width(width.min(ctx.content_rect().width() - 2.0 * EDGE - MARGINS));
        // A dialog on top of another one has heights of its own.
        let kept = ui.data(|d| d.get_temp::<Heights>(id)).unwrap_or_default();
        ui.data_mut(|d| d.insert_temp(heights(), kept));
        let inner = add(ui);
        let Heights { middle_end, .. } =
            ui.data_mut(|d| d.remove_temp(heights())).unwrap_or_default();
        let foot = (ui.min_rect().height() - middle_end).max(0.0).round();
        if foot != kept.foot {
            ui.data_mut(|d| d.insert_temp(id, Heights { middle_end, foot }));
            // Laid out again before it is seen, so that no button jumps.
            ui.ctx().request_discard("the foot of the dialog has another height");
        }
        inner
    })
}

/// The part of a dialog that scrolls. Called once in it, with the title before
/// it, messages and buttons after it.
pub fn middle_ui<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    let kept = ui.data(|d| d.get_temp::<Heights>(heights())).unwrap_or_default();
    let above = ui.min_rect().height() + ui.spacing().item_spacing.y;
    let window = ui.ctx().content_rect().height();
    let room = window - 2.0 * EDGE - MARGINS - above - kept.foot;
    let area = ScrollArea::vertical().id_salt("middle").auto_shrink([false, true]);
    let area = area.max_height(room.max(MIDDLE_MIN)).min_scrolled_height(MIDDLE_MIN);
    let inner = area
        .show(ui, |ui| {
            let inner = add(ui);
            parts::follow_focus(ui);
            inner
        })
        .inner;
    let middle_end = ui.min_rect().height();
    ui.data_mut(|d| d.insert_temp(heights(), Heights { middle_end, ..kept }));
    inner
}

/// The title of a dialog.
pub fn title_ui(ui: &mut Ui, text: &str) {
    ui.add(Label::new(RichText::new(text).heading()).wrap());
    ui.add_space(6.0);
}
