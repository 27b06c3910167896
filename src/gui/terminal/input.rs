//! Sorts the window's events into what a terminal does with them. Touches
//! neither grid nor channel.

use alacritty_terminal::term::TermMode;
use egui::{Event, ImeEvent, Key, Modifiers};

use crate::connect::file_send::Protocol;
use crate::connect::link::LineSignal;

use super::keys;

/// One thing to do.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Input {
    /// Send as typed.
    Bytes(Vec<u8>),
    /// Copy the selection; without one, send this.
    Copy(Option<u8>),
    /// Paste this.
    Paste(String),
    /// Ask the desktop for the clipboard's text.
    AskPaste,
    /// Send a signal on the line.
    Signal(LineSignal),
    /// Show what comes as numbers, or as text.
    Hex(bool),
    /// Choose a file and send it so.
    SendFile(Protocol),
    /// Open the search bar.
    Find,
    /// Change the font size by this many steps; 0 is the ordinary size.
    Zoom(i8),
    /// Look back by lines.
    Scroll(i32),
    /// Look back by pages.
    Page(i32),
    /// Oldest line.
    Top,
    /// Newest line.
    Bottom,
    /// Text being composed, empty when it ends.
    Preedit(String),
}

/// What must be remembered between events.
#[derive(Default)]
pub(super) struct Typing {
    /// Modifiers of the last key: `Event::Text` has none of its own.
    mods: Modifiers,
    /// The text of this key press was sent with its key.
    skip_text: bool,
    /// Ctrl+V brought text, so its release sends nothing.
    pasted: bool,
    /// `AskPaste` was asked, so the next text is meant to be pasted.
    asked: bool,
}

impl Typing {
    /// True for events that belong to whoever has the keyboard.
    pub(super) fn wants(event: &Event) -> bool {
        matches!(
            event,
            Event::Key { .. }
                | Event::Text(_)
                | Event::Copy
                | Event::Cut
                | Event::Paste(_)
                | Event::Ime(_)
        )
    }

    /// Sorts the events of one frame.
    pub(super) fn sort(&mut self, events: &[Event], now: Modifiers, mode: TermMode) -> Vec<Input> {
        let mut out = Vec::new();
        for (index, event) in events.iter().enumerate() {
            let next_is_text = matches!(events.get(index + 1), Some(Event::Text(_)));
            self.one(event, next_is_text, now, mode, &mut out);
        }
        out
    }

    fn one(
        &mut self,
        event: &Event,
        next_is_text: bool,
        now: Modifiers,
        mode: TermMode,
        out: &mut Vec<Input>,
    ) {
        match event {
            Event::Key { key, pressed: true, modifiers, .. } => {
                self.mods = *modifiers;
                self.skip_text = false;
                self.key(*key, *modifiers, next_is_text, mode, out);
            }
            Event::Key { key: Key::V, pressed: false, modifiers, .. } => {
                let full_screen = mode.contains(TermMode::ALT_SCREEN);
                if only_ctrl(*modifiers) && !self.pasted && full_screen {
                    out.push(Input::Bytes(vec![0x16]));
                }
                self.pasted = false;
                self.mods = *modifiers;
            }
            Event::Key { modifiers, .. } => self.mods = *modifiers,
            Event::Text(text) => {
                if std::mem::take(&mut self.skip_text) || text.is_empty() {
                    return;
                }
                let mut bytes = Vec::with_capacity(text.len() + 1);
                // Alt, but not AltGr, which the system reports as no modifier
                // or as Ctrl and Alt together.
                if self.mods.alt && !self.mods.ctrl && !cfg!(target_os = "macos") {
                    bytes.push(0x1b);
                }
                bytes.extend_from_slice(text.as_bytes());
                out.push(Input::Bytes(bytes));
            }
            Event::Copy => out.push(Input::Copy((!now.mac_cmd).then_some(0x03))),
            Event::Cut if !now.mac_cmd => out.push(Input::Bytes(vec![0x18])),
            Event::Paste(text) => {
                self.pasted = true;
                // Full-screen programs give Ctrl+V a meaning of their own.
                let full_screen = mode.contains(TermMode::ALT_SCREEN);
                if !std::mem::take(&mut self.asked) && full_screen && only_ctrl(now) {
                    out.push(Input::Bytes(vec![0x16]));
                } else {
                    out.push(Input::Paste(text.clone()));
                }
            }
            Event::Ime(ImeEvent::Preedit { text, .. }) => out.push(Input::Preedit(text.clone())),
            Event::Ime(ImeEvent::Commit(text)) => {
                out.push(Input::Preedit(String::new()));
                if !text.is_empty() {
                    out.push(Input::Bytes(text.clone().into_bytes()));
                }
            }
            _ => {}
        }
    }

    fn key(
        &mut self,
        key: Key,
        mods: Modifiers,
        next_is_text: bool,
        mode: TermMode,
        out: &mut Vec<Input>,
    ) {
        if next_is_text && mods.ctrl && mods.alt {
            // AltGr on Windows: the text that follows is what was typed.
            self.mods = Modifiers::NONE;
            return;
        }
        if let Some(own) = own_shortcut(key, mods, mode) {
            self.asked |= own == Input::AskPaste;
            self.skip_text = next_is_text;
            out.push(own);
            return;
        }
        if next_is_text && !mods.ctrl {
            return;
        }
        if let Some(bytes) = keys::bytes(key, mods, mode) {
            self.skip_text = next_is_text;
            out.push(Input::Bytes(bytes));
        } else if mods.alt && !mods.ctrl && !next_is_text {
            // Alt and a letter where the system gives no text for it.
            if let [c] = key.name().as_bytes()
                && c.is_ascii_alphanumeric()
            {
                let c = if mods.shift { *c } else { c.to_ascii_lowercase() };
                out.push(Input::Bytes(vec![0x1b, c]));
            }
        }
    }
}

fn only_ctrl(mods: Modifiers) -> bool {
    mods.ctrl && !mods.shift && !mods.alt
}

/// Keys that the terminal keeps for itself.
fn own_shortcut(key: Key, mods: Modifiers, mode: TermMode) -> Option<Input> {
    let full_screen = mode.contains(TermMode::ALT_SCREEN);
    let (ctrl, shift, alt) = (mods.command || mods.ctrl, mods.shift, mods.alt);
    if alt {
        return None;
    }
    match key {
        Key::C if ctrl && shift => Some(Input::Copy(None)),
        Key::Insert | Key::Copy if ctrl && !shift => Some(Input::Copy(None)),
        Key::V if ctrl && shift => Some(Input::AskPaste),
        Key::Insert if shift && !ctrl => Some(Input::AskPaste),
        Key::F if ctrl && shift => Some(Input::Find),
        Key::Plus | Key::Equals if ctrl => Some(Input::Zoom(1)),
        Key::Minus if ctrl && !shift => Some(Input::Zoom(-1)),
        Key::Num0 if ctrl && !shift => Some(Input::Zoom(0)),
        Key::PageUp if shift && !ctrl && !full_screen => Some(Input::Page(1)),
        Key::PageDown if shift && !ctrl && !full_screen => Some(Input::Page(-1)),
        Key::Home if shift && !ctrl && !full_screen => Some(Input::Top),
        Key::End if shift && !ctrl && !full_screen => Some(Input::Bottom),
        Key::ArrowUp if ctrl && shift && !full_screen => Some(Input::Scroll(1)),
        Key::ArrowDown if ctrl && shift && !full_screen => Some(Input::Scroll(-1)),
        _ => None,
    }
}
