//! What was typed ahead. egui moves the keyboard from field to field at the end of
//! a frame, so that characters in the same frame as Tab would still go to the
//! field that is being left, such as the start of a password into the login.

use egui::{Event, Key, Modifiers};

use crate::gui::action;

/// Events that wait for the keyboard to have moved.
#[derive(Default)]
pub(super) struct Ahead {
    held: Vec<Event>,
    /// The last frame had a key that may move the keyboard; it arrives in the
    /// course of the next one.
    moving: bool,
    /// How many events the last frame was given.
    given: usize,
    /// The last frame was not painted, as in a hidden window: its events come
    /// once more, before the new ones.
    unpainted: bool,
}

impl Ahead {
    /// Leaves in `events` what is this frame's and keeps the rest in order.
    pub(super) fn pass(&mut self, events: &mut Vec<Event>, terminal: bool) {
        if self.unpainted {
            let new = events.split_off(self.given.min(events.len()));
            self.held.extend(new);
            return;
        }
        self.held.append(events);
        if !std::mem::take(&mut self.moving) {
            let place = self.held.iter().position(|event| moves_keyboard(event, terminal));
            let end = match place {
                None => self.held.len(),
                // What came before belongs to the field that has the keyboard yet.
                Some(at) if self.held[..at].iter().any(is_typed) => at,
                Some(at) => {
                    self.moving = true;
                    at + 1
                }
            };
            events.extend(self.held.drain(..end));
        }
        self.given = events.len();
        self.unpainted = true;
    }

    /// The frame is painted: its events are used. True when more wait.
    pub(super) fn painted(&mut self) -> bool {
        self.unpainted = false;
        !self.held.is_empty()
    }
}

/// Whether an event is for whatever has the keyboard.
fn is_typed(event: &Event) -> bool {
    matches!(
        event,
        Event::Text(_) | Event::Paste(_) | Event::Ime(_) | Event::Key { pressed: true, .. }
    )
}

/// Whether what follows may be for another field. A terminal has its own use for
/// most of these keys, and what is typed after them is still for it.
fn moves_keyboard(event: &Event, terminal: bool) -> bool {
    let Event::Key { key, pressed: true, modifiers, .. } = event else { return false };
    match key {
        Key::Tab if modifiers.ctrl => true,
        Key::Tab | Key::Enter | Key::Escape if !terminal => true,
        // The text that comes along with Alt and a key is read with it.
        _ => action::ALL.iter().any(|s| {
            (s.in_terminal || !terminal)
                && s.keys.logical_key == *key
                && s.keys.modifiers != Modifiers::ALT
                && modifiers.matches_logically(s.keys.modifiers)
        }),
    }
}
