//! The X11 keysyms, by which VNC names what keys mean (X11/keysymdef.h; RFC 6143
//! section 7.5.4).

use winit::keyboard::{Key, KeyCode, NamedKey};

/// Unicode characters beyond Latin-1 have their code with this added.
const UNICODE: u32 = 0x0100_0000;

/// The keysym of a character.
pub(super) fn of_char(c: char) -> u32 {
    match u32::from(c) {
        latin @ (0x20..=0x7E | 0xA0..=0xFF) => latin,
        other => UNICODE + other,
    }
}

/// The keysym of a key, 0 for those without; where it lies tells left from right.
pub(super) fn of(meaning: &Key, place: Option<KeyCode>) -> u32 {
    match meaning {
        Key::Character(text) => {
            let mut chars = text.chars();
            match (chars.next(), chars.next()) {
                (Some(c), None) => of_char(c),
                _ => 0,
            }
        }
        Key::Named(named) => of_named(*named, place),
        Key::Unidentified(_) | Key::Dead(_) => 0,
    }
}

fn of_named(named: NamedKey, place: Option<KeyCode>) -> u32 {
    use KeyCode as K;
    use NamedKey as N;
    let right = |left, at, right| if place == Some(at) { right } else { left };
    match named {
        N::Space => 0x20,
        N::Backspace => 0xFF08,
        N::Tab => 0xFF09,
        N::Enter => right(0xFF0D, K::NumpadEnter, 0xFF8D),
        N::Pause => 0xFF13,
        N::ScrollLock => 0xFF14,
        N::Escape => 0xFF1B,
        N::Home => 0xFF50,
        N::ArrowLeft => 0xFF51,
        N::ArrowUp => 0xFF52,
        N::ArrowRight => 0xFF53,
        N::ArrowDown => 0xFF54,
        N::PageUp => 0xFF55,
        N::PageDown => 0xFF56,
        N::End => 0xFF57,
        N::PrintScreen => 0xFF61,
        N::Insert => 0xFF63,
        N::ContextMenu => 0xFF67,
        N::NumLock => 0xFF7F,
        N::Shift => right(0xFFE1, K::ShiftRight, 0xFFE2),
        N::Control => right(0xFFE3, K::ControlRight, 0xFFE4),
        N::CapsLock => 0xFFE5,
        N::Alt => right(0xFFE9, K::AltRight, 0xFFEA),
        N::Super => right(0xFFEB, K::SuperRight, 0xFFEC),
        N::AltGraph => 0xFE03,
        N::Delete => 0xFFFF,
        N::F1 => 0xFFBE,
        N::F2 => 0xFFBF,
        N::F3 => 0xFFC0,
        N::F4 => 0xFFC1,
        N::F5 => 0xFFC2,
        N::F6 => 0xFFC3,
        N::F7 => 0xFFC4,
        N::F8 => 0xFFC5,
        N::F9 => 0xFFC6,
        N::F10 => 0xFFC7,
        N::F11 => 0xFFC8,
        N::F12 => 0xFFC9,
        _ => 0,
    }
}
