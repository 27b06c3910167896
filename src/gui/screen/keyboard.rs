//! What goes to a desktop for the keys that were pressed: each key with its place
//! and meaning, lock keys put right first, nothing left held when the keyboard goes
//! elsewhere. Keeps no text.

use std::collections::BTreeMap;

use winit::keyboard::{Key, KeyCode, ModifiersState, NamedKey, PhysicalKey};

use crate::connect::screen::{KeyStroke, ScreenInput};
use crate::gui::action;

use super::raw::RawKey;
use super::{keysym, scancode};

/// The keyboard of one desktop.
#[derive(Default)]
pub struct Keyboard {
    /// What was sent for the keys that are down.
    held: BTreeMap<(u8, bool), KeyStroke>,
    /// Lock keys as the far side is believed to have them.
    locks: Option<Locks>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Locks {
    caps: bool,
    num: bool,
    scroll: bool,
}

impl Keyboard {
    /// What to send for a key. The shortcuts that the window has also over a desktop
    /// are not for the far side.
    pub fn take(&mut self, key: &RawKey, window: ModifiersState) -> Vec<ScreenInput> {
        let window = window | self.modifiers();
        let place = match key.place {
            PhysicalKey::Code(code) => Some(code),
            PhysicalKey::Unidentified(_) => None,
        };
        if key.down && for_window(&key.meaning, window) {
            return Vec::new();
        }
        let Some((code, extended)) = place.and_then(scancode::set_1) else {
            return character(key);
        };
        let at = (code, extended);
        let mut sent = Vec::new();
        if key.down {
            sent.extend(self.put_right(key, place, window));
            let keysym = keysym::of(&key.meaning, place);
            let stroke = KeyStroke { scancode: code, extended, keysym, down: true };
            self.held.insert(at, stroke);
            sent.push(ScreenInput::Key(stroke));
            self.toggled(place);
        } else if let Some(stroke) = self.held.remove(&at) {
            // What it meant when it went down, whatever it would mean now.
            sent.push(ScreenInput::Key(KeyStroke { down: false, ..stroke }));
        }
        sent
    }

    /// Whether the key pastes nearly everywhere.
    pub fn pastes(&self, key: &RawKey, window: ModifiersState) -> bool {
        let window = window | self.modifiers();
        let v = matches!(&key.meaning, Key::Character(c) if c.eq_ignore_ascii_case("v"));
        let insert = key.meaning == Key::Named(NamedKey::Insert);
        key.down && (v && window.control_key() || insert && window.shift_key())
    }

    /// Those that are down: many keys may come in one frame, and what the window
    /// knows is how it ended.
    fn modifiers(&self) -> ModifiersState {
        let mut state = ModifiersState::empty();
        for (code, extended) in self.held.keys() {
            state |= match (code, extended) {
                (0x2A | 0x36, false) => ModifiersState::SHIFT,
                (0x1D, _) => ModifiersState::CONTROL,
                (0x38, false) => ModifiersState::ALT,
                (0x5B | 0x5C, true) => ModifiersState::SUPER,
                _ => ModifiersState::empty(),
            };
        }
        state
    }

    /// The keyboard goes elsewhere. True when the far side has to know.
    pub fn let_go(&mut self) -> bool {
        self.locks = None;
        !std::mem::take(&mut self.held).is_empty()
    }

    /// What a key means shows which locks are on here.
    fn put_right(
        &mut self,
        key: &RawKey,
        place: Option<KeyCode>,
        window: ModifiersState,
    ) -> Option<ScreenInput> {
        let had = self.locks.unwrap_or_default();
        let mut now = had;
        if let Some(caps) = caps(&key.meaning, window) {
            now.caps = caps;
        }
        if let Some(num) = place.and_then(|place| num(&key.meaning, place)) {
            now.num = num;
        }
        if self.locks == Some(now) {
            return None;
        }
        // The first key after the keyboard came here tells too.
        self.locks = Some(now);
        let Locks { caps, num, scroll } = now;
        Some(ScreenInput::Locks { caps, num, scroll })
    }

    fn toggled(&mut self, place: Option<KeyCode>) {
        let Some(locks) = &mut self.locks else { return };
        match place {
            Some(KeyCode::CapsLock) => locks.caps = !locks.caps,
            Some(KeyCode::NumLock) => locks.num = !locks.num,
            Some(KeyCode::ScrollLock) => locks.scroll = !locks.scroll,
            _ => {}
        }
    }
}

/// A key that no PC keyboard has sends the character it means.
fn character(key: &RawKey) -> Vec<ScreenInput> {
    match &key.meaning {
        Key::Character(text) if key.down => text.chars().map(ScreenInput::Char).collect(),
        Key::Named(NamedKey::Space) if key.down => vec![ScreenInput::Char(' ')],
        _ => Vec::new(),
    }
}

/// Whether Caps Lock is on, if the key tells.
fn caps(meaning: &Key, window: ModifiersState) -> Option<bool> {
    let Key::Character(text) = meaning else { return None };
    let c = text.chars().next()?;
    // With Ctrl and the like some systems name the letter without its case.
    let free =
        !window.intersects(ModifiersState::CONTROL | ModifiersState::ALT | ModifiersState::SUPER);
    (free && c.is_ascii_alphabetic()).then(|| c.is_uppercase() != window.shift_key())
}

/// Whether Num Lock is on, if the key tells.
fn num(meaning: &Key, place: KeyCode) -> Option<bool> {
    use KeyCode as K;
    let both = matches!(
        place,
        K::Numpad0
            | K::Numpad1
            | K::Numpad2
            | K::Numpad3
            | K::Numpad4
            | K::Numpad6
            | K::Numpad7
            | K::Numpad8
            | K::Numpad9
            | K::NumpadDecimal
    );
    match meaning {
        Key::Character(_) => both.then_some(true),
        Key::Named(_) => both.then_some(false),
        Key::Unidentified(_) | Key::Dead(_) => None,
    }
}

/// Whether the window does something itself for this key, over a desktop too.
fn for_window(meaning: &Key, modifiers: ModifiersState) -> bool {
    let name = match meaning {
        Key::Character(text) => text.to_uppercase(),
        Key::Named(NamedKey::Tab) => "Tab".to_owned(),
        Key::Named(NamedKey::Enter) => "Enter".to_owned(),
        _ => return false,
    };
    let Some(key) = egui::Key::from_name(&name) else { return false };
    let pressed = egui::Modifiers {
        alt: modifiers.alt_key(),
        ctrl: modifiers.control_key(),
        shift: modifiers.shift_key(),
        mac_cmd: false,
        command: modifiers.control_key(),
    };
    action::over_sessions(key, pressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(place: KeyCode, meaning: Key, down: bool) -> RawKey {
        RawKey { place: PhysicalKey::Code(place), meaning, down }
    }

    fn letter(c: &str) -> Key {
        Key::Character(c.into())
    }

    fn stroke(scancode: u8, extended: bool, keysym: u32, down: bool) -> ScreenInput {
        ScreenInput::Key(KeyStroke { scancode, extended, keysym, down })
    }

    const LOCKS_OFF: ScreenInput = ScreenInput::Locks { caps: false, num: false, scroll: false };

    #[test]
    fn a_key_goes_with_its_place_and_its_meaning() {
        let mut keyboard = Keyboard::default();
        let none = ModifiersState::empty();
        // A on a French keyboard lies where an American one has Q.
        let sent = keyboard.take(&key(KeyCode::KeyQ, letter("a"), true), none);
        assert_eq!(sent, [LOCKS_OFF, stroke(0x10, false, 0x61, true)]);
        let sent = keyboard.take(&key(KeyCode::KeyQ, letter("a"), false), none);
        assert_eq!(sent, [stroke(0x10, false, 0x61, false)]);
        let right = Key::Named(NamedKey::AltGraph);
        let sent = keyboard.take(&key(KeyCode::AltRight, right, true), none);
        assert_eq!(sent, [stroke(0x38, true, 0xFE03, true)]);
    }

    #[test]
    fn a_key_goes_up_as_what_it_went_down() {
        let mut keyboard = Keyboard::default();
        let shift = ModifiersState::SHIFT;
        keyboard.take(&key(KeyCode::Digit1, letter("1"), true), shift);
        let sent =
            keyboard.take(&key(KeyCode::Digit1, letter("&"), false), ModifiersState::empty());
        assert_eq!(sent, [stroke(0x02, false, 0x31, false)]);
        let again = keyboard.take(&key(KeyCode::Digit1, letter("&"), false), shift);
        assert_eq!(again, [], "it was not down any more");
    }

    #[test]
    fn lock_keys_are_put_right_before_the_first_key_that_shows_them() {
        let mut keyboard = Keyboard::default();
        let none = ModifiersState::empty();
        let sent = keyboard.take(&key(KeyCode::Numpad4, letter("4"), true), none);
        assert_eq!(sent[0], ScreenInput::Locks { caps: false, num: true, scroll: false });
        let sent = keyboard.take(&key(KeyCode::KeyE, letter("E"), true), none);
        assert_eq!(sent[0], ScreenInput::Locks { caps: true, num: true, scroll: false });
        // With Shift a small letter means that Caps Lock is on.
        let sent = keyboard.take(&key(KeyCode::KeyE, letter("e"), true), ModifiersState::SHIFT);
        assert_eq!(sent.len(), 1, "nothing to put right");
        let lock = Key::Named(NamedKey::CapsLock);
        keyboard.take(&key(KeyCode::CapsLock, lock.clone(), true), none);
        keyboard.take(&key(KeyCode::CapsLock, lock, false), none);
        let sent = keyboard.take(&key(KeyCode::KeyE, letter("e"), true), none);
        assert_eq!(sent.len(), 1, "the far side has toggled it itself");
    }

    #[test]
    fn the_keys_of_the_window_stay_there() {
        let mut keyboard = Keyboard::default();
        let both = ModifiersState::CONTROL | ModifiersState::SHIFT;
        assert_eq!(keyboard.take(&key(KeyCode::KeyL, letter("L"), true), both), []);
        assert_eq!(keyboard.take(&key(KeyCode::KeyL, letter("L"), false), both), []);
        let tab = Key::Named(NamedKey::Tab);
        assert_eq!(keyboard.take(&key(KeyCode::Tab, tab, true), ModifiersState::CONTROL), []);
        let own = keyboard.take(&key(KeyCode::KeyL, letter("l"), true), ModifiersState::CONTROL);
        assert_eq!(own.last(), Some(&stroke(0x26, false, 0x6C, true)), "Ctrl+L is the far side's");
    }

    #[test]
    fn nothing_is_left_held() {
        let mut keyboard = Keyboard::default();
        assert!(!keyboard.let_go());
        let control = Key::Named(NamedKey::Control);
        keyboard.take(&key(KeyCode::ControlLeft, control, true), ModifiersState::empty());
        assert!(keyboard.let_go());
        assert!(!keyboard.let_go());
    }

    #[test]
    fn a_key_without_a_place_sends_its_character() {
        let mut keyboard = Keyboard::default();
        let place = PhysicalKey::Unidentified(winit::keyboard::NativeKeyCode::Unidentified);
        let key = RawKey { place, meaning: letter("œ"), down: true };
        assert_eq!(keyboard.take(&key, ModifiersState::empty()), [ScreenInput::Char('œ')]);
    }
}
