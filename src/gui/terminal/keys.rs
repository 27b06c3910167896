//! Keys to bytes, as xterm sends them (ctlseqs, "PC-Style Function Keys").
//! Pure; typed text does not come through here, only keys without text and
//! combinations with Ctrl.

use alacritty_terminal::term::TermMode;
use egui::{Key, Modifiers};

/// What `key` sends, if it sends anything. Alt puts an ESC before it.
pub fn bytes(key: Key, mods: Modifiers, mode: TermMode) -> Option<Vec<u8>> {
    if let Some(byte) = control(key, mods) {
        return Some(if mods.alt { vec![0x1b, byte] } else { vec![byte] });
    }
    let app = mode.contains(TermMode::APP_CURSOR);
    match key {
        Key::Enter => {
            let new_line = mode.contains(TermMode::LINE_FEED_NEW_LINE);
            Some(meta(mods, if new_line { b"\r\n" } else { b"\r" }))
        }
        Key::Escape => Some(meta(mods, b"\x1b")),
        Key::Backspace => Some(meta(mods, if mods.ctrl { b"\x08" } else { b"\x7f" })),
        Key::Tab if mods.shift => Some(meta(mods, b"\x1b[Z")),
        Key::Tab => Some(meta(mods, b"\t")),
        Key::ArrowUp => Some(letter(b'A', mods, app)),
        Key::ArrowDown => Some(letter(b'B', mods, app)),
        Key::ArrowRight => Some(letter(b'C', mods, app)),
        Key::ArrowLeft => Some(letter(b'D', mods, app)),
        Key::Home => Some(letter(b'H', mods, app)),
        Key::End => Some(letter(b'F', mods, app)),
        Key::F1 => Some(letter(b'P', mods, true)),
        Key::F2 => Some(letter(b'Q', mods, true)),
        Key::F3 => Some(letter(b'R', mods, true)),
        Key::F4 => Some(letter(b'S', mods, true)),
        _ => tilde_number(key).map(|n| tilde(n, mods)),
    }
}

/// The control character of Ctrl and a key, after the table of VT220 keyboards.
fn control(key: Key, mods: Modifiers) -> Option<u8> {
    if !mods.ctrl {
        return None;
    }
    Some(match key {
        Key::Space | Key::Num2 => 0,
        Key::OpenBracket | Key::OpenCurlyBracket | Key::Num3 => 0x1b,
        Key::Backslash | Key::Pipe | Key::Num4 => 0x1c,
        Key::CloseBracket | Key::CloseCurlyBracket | Key::Num5 => 0x1d,
        Key::Backtick | Key::Num6 => 0x1e,
        Key::Slash | Key::Questionmark | Key::Minus | Key::Num7 => 0x1f,
        Key::Num8 => 0x7f,
        _ => {
            let name = key.name().as_bytes();
            match name {
                // With Shift as well they are the window's, and Ctrl+D is no harmless
                // thing to send instead.
                [c] if c.is_ascii_alphabetic() && !mods.shift => c & 0x1f,
                _ => return None,
            }
        }
    })
}

fn meta(mods: Modifiers, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1);
    if mods.alt {
        out.push(0x1b);
    }
    out.extend_from_slice(bytes);
    out
}

/// xterm's modifier parameter: 1 + shift + 2·alt + 4·ctrl.
fn parameter(mods: Modifiers) -> u8 {
    1 + u8::from(mods.shift) + 2 * u8::from(mods.alt) + 4 * u8::from(mods.ctrl)
}

fn letter(letter: u8, mods: Modifiers, ss3: bool) -> Vec<u8> {
    match (parameter(mods), ss3) {
        (1, true) => vec![0x1b, b'O', letter],
        (1, false) => vec![0x1b, b'[', letter],
        (n, _) => format!("\x1b[1;{n}{}", char::from(letter)).into_bytes(),
    }
}

fn tilde(number: u8, mods: Modifiers) -> Vec<u8> {
    match parameter(mods) {
        1 => format!("\x1b[{number}~").into_bytes(),
        n => format!("\x1b[{number};{n}~").into_bytes(),
    }
}

fn tilde_number(key: Key) -> Option<u8> {
    Some(match key {
        Key::Insert => 2,
        Key::Delete => 3,
        Key::PageUp => 5,
        Key::PageDown => 6,
        Key::F5 => 15,
        Key::F6 => 17,
        Key::F7 => 18,
        Key::F8 => 19,
        Key::F9 => 20,
        Key::F10 => 21,
        Key::F11 => 23,
        Key::F12 => 24,
        Key::F13 => 25,
        Key::F14 => 26,
        Key::F15 => 28,
        Key::F16 => 29,
        Key::F17 => 31,
        Key::F18 => 32,
        Key::F19 => 33,
        Key::F20 => 34,
        _ => return None,
    })
}
