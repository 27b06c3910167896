//! What a person does to a screen, as messages of VNC (RFC 6143 sections 7.5.4 and
//! 7.5.5). Knows which keys and buttons are down; sends nothing itself.

use super::said;
use crate::connect::screen::{KeyStroke, MouseButton, ScreenInput};

/// A notch of the wheel.
const NOTCH: i16 = 120;
const WHEEL_UP: u8 = 1 << 3;
const WHEEL_DOWN: u8 = 1 << 4;
const WHEEL_LEFT: u8 = 1 << 5;
const WHEEL_RIGHT: u8 = 1 << 6;

/// The person's keyboard and mouse.
#[derive(Default)]
pub struct Input {
    /// Keys that are down: their place, or what they mean where they have none.
    held: Vec<(Key, u32)>,
    buttons: u8,
    place: (u16, u16),
    /// What is missing to a notch, upright and sideways.
    turned: (i16, i16),
    size: (u16, u16),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    At(u8, bool),
    Meaning(u32),
}

/// The bit of a button; the protocol has none for the ninth.
fn bit(button: MouseButton) -> u8 {
    match button {
        MouseButton::Left => 1,
        MouseButton::Middle => 1 << 1,
        MouseButton::Right => 1 << 2,
        MouseButton::Back => 1 << 7,
        MouseButton::Forward => 0,
    }
}

/// The X11 keysym of a character (keysymdef.h: Latin-1 and Unicode).
fn keysym(c: char) -> u32 {
    match (c, u32::from(c)) {
        ('\n' | '\r', _) => 0xff0d,
        ('\t', _) => 0xff09,
        (_, code @ (0x20..=0x7e | 0xa0..=0xff)) => code,
        (_, code) => 0x0100_0000 + code,
    }
}

impl Input {
    /// The desktop has this size.
    pub fn resized(&mut self, size: (u16, u16)) {
        self.size = size;
    }

    /// The messages for what the person does.
    pub fn messages(&mut self, input: ScreenInput) -> Vec<u8> {
        match input {
            ScreenInput::Key(stroke) => self.key(stroke),
            ScreenInput::Char(c) => {
                let keysym = keysym(c);
                [said::key(keysym, true), said::key(keysym, false)].concat()
            }
            ScreenInput::Move { x, y } => {
                // The size may be unknown yet; then the server keeps it within.
                let within = |at: u16, side: u16| side.checked_sub(1).map_or(at, |end| at.min(end));
                self.place = (within(x, self.size.0), within(y, self.size.1));
                self.pointer(self.buttons).to_vec()
            }
            ScreenInput::Button { button, down } => {
                let before = self.buttons;
                if down {
                    self.buttons |= bit(button);
                } else {
                    self.buttons &= !bit(button);
                }
                if self.buttons == before { Vec::new() } else { self.pointer(self.buttons).into() }
            }
            ScreenInput::Wheel { turn, sideways } => self.wheel(turn, sideways),
            ScreenInput::LetGo => self.let_go(),
            // VNC tells no lock keys: what a key means travels already.
            ScreenInput::Locks { .. } | ScreenInput::Resize(_) => Vec::new(),
        }
    }

    fn pointer(&self, buttons: u8) -> [u8; 6] {
        said::pointer(buttons, self.place.0, self.place.1)
    }

    fn key(&mut self, stroke: KeyStroke) -> Vec<u8> {
        let KeyStroke { scancode, extended, keysym, down } = stroke;
        let key = if scancode == 0 { Key::Meaning(keysym) } else { Key::At(scancode, extended) };
        let held = self.held.iter().position(|(held, _)| *held == key);
        match (held, down) {
            // It repeats.
            (Some(at), true) => said::key(self.held[at].1, true).to_vec(),
            // What went down comes up, whatever the key means by then.
            (Some(at), false) => said::key(self.held.swap_remove(at).1, false).to_vec(),
            (None, true) if keysym != 0 => {
                self.held.push((key, keysym));
                said::key(keysym, true).to_vec()
            }
            (None, _) => Vec::new(),
        }
    }

    fn wheel(&mut self, turn: i16, sideways: bool) -> Vec<u8> {
        let turned = if sideways { &mut self.turned.1 } else { &mut self.turned.0 };
        let whole = turned.saturating_add(turn);
        *turned = whole % NOTCH;
        let button = match (sideways, whole > 0) {
            (false, true) => WHEEL_UP,
            (false, false) => WHEEL_DOWN,
            (true, false) => WHEEL_LEFT,
            (true, true) => WHEEL_RIGHT,
        };
        let notch = [self.pointer(self.buttons | button), self.pointer(self.buttons)].concat();
        notch.repeat(usize::from((whole / NOTCH).unsigned_abs()))
    }

    fn let_go(&mut self) -> Vec<u8> {
        let mut messages = Vec::new();
        if std::mem::take(&mut self.buttons) != 0 {
            messages.extend(self.pointer(0));
        }
        for (_, keysym) in self.held.drain(..) {
            messages.extend(said::key(keysym, false));
        }
        self.turned = (0, 0);
        messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scancode: u8, keysym: u32, down: bool) -> ScreenInput {
        ScreenInput::Key(KeyStroke { scancode, extended: false, keysym, down })
    }

    fn input() -> Input {
        let mut input = Input::default();
        input.resized((100, 50));
        input
    }

    #[test]
    fn a_key_comes_up_as_it_went_down() {
        let mut input = input();
        assert_eq!(input.messages(key(0x03, 0xe9, true)), said::key(0xe9, true));
        assert_eq!(input.messages(key(0x03, 0x32, true)), said::key(0xe9, true), "it repeats");
        assert_eq!(input.messages(key(0x03, 0x32, false)), said::key(0xe9, false));
        assert_eq!(input.messages(key(0x03, 0x32, false)), [0u8; 0]);
        assert_eq!(input.messages(key(0x55, 0, true)), [0u8; 0], "nobody knows what it means");
        assert_eq!(input.messages(key(0, 0x20ac, true)), said::key(0x20ac, true));
        assert_eq!(input.messages(key(0, 0x20ac, false)), said::key(0x20ac, false));
    }

    #[test]
    fn characters_are_keysyms_of_their_own() {
        let mut input = input();
        for (c, keysym) in [('a', 0x61), ('ê', 0xea), ('€', 0x0100_20ac), ('\n', 0xff0d)] {
            let both = [said::key(keysym, true), said::key(keysym, false)].concat();
            assert_eq!(input.messages(ScreenInput::Char(c)), both);
        }
    }

    #[test]
    fn the_mouse_stays_inside_and_the_wheel_turns_in_notches() {
        let mut input = input();
        assert_eq!(input.messages(ScreenInput::Move { x: 700, y: 9 }), said::pointer(0, 99, 9));
        let press = |button, down| ScreenInput::Button { button, down };
        assert_eq!(input.messages(press(MouseButton::Right, true)), said::pointer(4, 99, 9));
        assert_eq!(input.messages(press(MouseButton::Forward, true)), [0u8; 0]);
        let wheel = |turn, sideways| ScreenInput::Wheel { turn, sideways };
        assert_eq!(input.messages(wheel(60, false)), [0u8; 0]);
        let notch = |bit: u8| [said::pointer(4 | bit, 99, 9), said::pointer(4, 99, 9)].concat();
        assert_eq!(input.messages(wheel(60, false)), notch(WHEEL_UP));
        assert_eq!(input.messages(wheel(-240, false)), notch(WHEEL_DOWN).repeat(2));
        assert_eq!(input.messages(wheel(120, true)), notch(WHEEL_RIGHT));
        assert_eq!(input.messages(wheel(-120, true)), notch(WHEEL_LEFT));
    }

    #[test]
    fn a_pointer_that_moves_before_the_size_is_known_goes_where_it_is() {
        let mut input = Input::default();
        assert_eq!(
            input.messages(ScreenInput::Move { x: 201, y: 101 }),
            said::pointer(0, 201, 101)
        );
    }

    #[test]
    fn letting_go_releases_what_is_held_and_nothing_else() {
        let mut input = input();
        input.messages(key(0x2a, 0xffe1, true));
        input.messages(key(0x1e, 0x61, true));
        input.messages(key(0x1e, 0x61, false));
        input.messages(ScreenInput::Button { button: MouseButton::Left, down: true });
        let released = [&said::pointer(0, 0, 0)[..], &said::key(0xffe1, false)].concat();
        assert_eq!(input.messages(ScreenInput::LetGo), released);
        assert_eq!(input.messages(ScreenInput::LetGo), [0u8; 0]);
    }
}
