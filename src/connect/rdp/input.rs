//! What a person does to a desktop, as events of RDP (MS-RDPBCGR section
//! 2.2.8.1.2.2). Knows which keys and buttons are down; sends nothing itself.

use std::collections::HashMap;

use ironrdp_input::{
    Database, MouseButton as Button, MousePosition, Operation, Scancode, WheelRotations,
    synchronize_event,
};
use ironrdp_pdu::input::fast_path::{FastPathInputEvent, KeyboardFlags};

use crate::connect::screen::{KeyStroke, MouseButton, ScreenInput};

/// Keysym of the key Pause, which has no code of its own kind.
const PAUSE: u32 = 0xff13;
/// Most that one event of the wheel can say.
const TURN_MAX: i16 = 255;

/// The person's keyboard and mouse.
pub struct Input {
    keys: Database,
    /// Characters are sent where there are some, not keys.
    unicode: bool,
    /// Which character a key that is down has sent.
    typed: HashMap<(u8, bool), char>,
    width: u16,
    height: u16,
}

fn button(button: MouseButton) -> Button {
    match button {
        MouseButton::Left => Button::Left,
        MouseButton::Middle => Button::Middle,
        MouseButton::Right => Button::Right,
        MouseButton::Back => Button::X1,
        MouseButton::Forward => Button::X2,
    }
}

/// The character of an X11 keysym (keysymdef.h: Latin-1, Unicode and the euro).
fn character(keysym: u32) -> Option<char> {
    match keysym {
        0x20..=0x7e | 0xa0..=0xff | 0x20ac => char::from_u32(keysym),
        0x0100_0100..=0x0110_ffff => char::from_u32(keysym - 0x0100_0000),
        _ => None,
    }
}

const CONTROL: u8 = 0x1d;
const ALT: u8 = 0x38;
const WINDOWS: [u8; 2] = [0x5b, 0x5c];

impl Input {
    /// One where nothing is held.
    pub fn new(unicode: bool, width: u16, height: u16) -> Self {
        Self { keys: Database::new(), unicode, typed: HashMap::new(), width, height }
    }

    /// The desktop has another size.
    pub fn resized(&mut self, width: u16, height: u16) {
        (self.width, self.height) = (width, height);
    }

    /// The events of what the person does.
    pub fn events(&mut self, input: ScreenInput) -> Vec<FastPathInputEvent> {
        let apply = |keys: &mut Database, operation| keys.apply([operation]).to_vec();
        match input {
            ScreenInput::Key(stroke) => self.key(stroke),
            ScreenInput::Char(c) => {
                let keys = [Operation::UnicodeKeyPressed(c), Operation::UnicodeKeyReleased(c)];
                self.keys.apply(keys).to_vec()
            }
            ScreenInput::Move { x, y } => {
                let x = x.min(self.width.saturating_sub(1));
                let y = y.min(self.height.saturating_sub(1));
                apply(&mut self.keys, Operation::MouseMove(MousePosition { x, y }))
            }
            ScreenInput::Button { button: which, down: true } => {
                apply(&mut self.keys, Operation::MouseButtonPressed(button(which)))
            }
            ScreenInput::Button { button: which, down: false } => {
                apply(&mut self.keys, Operation::MouseButtonReleased(button(which)))
            }
            ScreenInput::Wheel { turn, sideways } => self.wheel(turn, !sideways),
            ScreenInput::Locks { caps, num, scroll } => {
                vec![synchronize_event(scroll, num, caps, false)]
            }
            ScreenInput::LetGo => {
                self.typed.clear();
                self.keys.release_all().to_vec()
            }
            ScreenInput::Resize(_) => Vec::new(),
        }
    }

    fn wheel(&mut self, turn: i16, is_vertical: bool) -> Vec<FastPathInputEvent> {
        let mut left = turn;
        let mut events = Vec::new();
        while left != 0 {
            let rotation_units = left.clamp(-TURN_MAX, TURN_MAX);
            left -= rotation_units;
            let turned = WheelRotations { is_vertical, rotation_units };
            events.extend(self.keys.apply([Operation::WheelRotations(turned)]));
        }
        events
    }

    fn key(&mut self, stroke: KeyStroke) -> Vec<FastPathInputEvent> {
        let KeyStroke { scancode, extended, keysym, down } = stroke;
        if keysym == PAUSE {
            return pause(down);
        }
        let place = (scancode, extended);
        if !down && let Some(c) = self.typed.remove(&place) {
            return self.keys.apply([Operation::UnicodeKeyReleased(c)]).to_vec();
        }
        let c = character(keysym);
        let as_character = scancode == 0 || (self.unicode && !self.in_shortcut());
        if let Some(c) = c.filter(|_| down && as_character) {
            self.typed.insert(place, c);
            return self.keys.apply([Operation::UnicodeKeyPressed(c)]).to_vec();
        }
        // Right Alt makes characters on this side already; told to the server, it
        // would turn them into shortcuts there.
        if scancode == 0 || (self.unicode && place == (ALT, true)) {
            return Vec::new();
        }
        let code = Scancode::from_u8(extended, scancode);
        let operation =
            if down { Operation::KeyPressed(code) } else { Operation::KeyReleased(code) };
        self.keys.apply([operation]).to_vec()
    }

    /// Whether a key would be part of a shortcut now.
    fn in_shortcut(&self) -> bool {
        let held = |extended, code| self.keys.is_key_pressed(Scancode::from_u8(extended, code));
        held(false, CONTROL)
            || held(true, CONTROL)
            || held(false, ALT)
            || WINDOWS.into_iter().any(|code| held(true, code))
    }
}

/// Pause sends the codes of two keys behind the prefix E1.
fn pause(down: bool) -> Vec<FastPathInputEvent> {
    let up = if down { KeyboardFlags::empty() } else { KeyboardFlags::RELEASE };
    vec![
        FastPathInputEvent::KeyboardEvent(KeyboardFlags::EXTENDED1 | up, CONTROL),
        FastPathInputEvent::KeyboardEvent(up, 0x45),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use FastPathInputEvent as E;

    fn key(scancode: u8, extended: bool, keysym: u32, down: bool) -> ScreenInput {
        ScreenInput::Key(KeyStroke { scancode, extended, keysym, down })
    }

    const DOWN: KeyboardFlags = KeyboardFlags::empty();
    const UP: KeyboardFlags = KeyboardFlags::RELEASE;

    #[test]
    fn keys_keep_their_place_and_their_prefix() {
        let mut input = Input::new(false, 100, 100);
        assert_eq!(input.events(key(0x1e, false, 0x71, true)), [E::KeyboardEvent(DOWN, 0x1e)]);
        assert_eq!(input.events(key(0x1e, false, 0x71, false)), [E::KeyboardEvent(UP, 0x1e)]);
        let extended = KeyboardFlags::EXTENDED;
        assert_eq!(input.events(key(0x53, true, 0xffff, true)), [E::KeyboardEvent(extended, 0x53)]);
        assert_eq!(
            input.events(key(0, false, PAUSE, true)),
            [E::KeyboardEvent(KeyboardFlags::EXTENDED1, 0x1d), E::KeyboardEvent(DOWN, 0x45)]
        );
        // A key without a place can still be a character.
        assert_eq!(
            input.events(key(0, false, 0x20ac, true)),
            [E::UnicodeKeyboardEvent(DOWN, 0x20ac)]
        );
        assert_eq!(
            input.events(key(0, false, 0x20ac, false)),
            [E::UnicodeKeyboardEvent(UP, 0x20ac)]
        );
    }

    #[test]
    fn characters_are_sent_as_such_but_shortcuts_as_keys() {
        let mut input = Input::new(true, 100, 100);
        let e = u16::from(b'\xe9');
        assert_eq!(input.events(key(0x03, false, 0xe9, true)), [E::UnicodeKeyboardEvent(DOWN, e)]);
        // What went down comes up, whatever the key means by then.
        assert_eq!(input.events(key(0x03, false, 0x32, false)), [E::UnicodeKeyboardEvent(UP, e)]);
        assert_eq!(input.events(key(ALT, true, 0xfe03, true)), []);
        assert_eq!(
            input.events(key(CONTROL, false, 0xffe3, true)),
            [E::KeyboardEvent(DOWN, CONTROL)]
        );
        assert_eq!(input.events(key(0x2e, false, 0x63, true)), [E::KeyboardEvent(DOWN, 0x2e)]);
        assert_eq!(input.events(key(0x2e, false, 0x63, false)), [E::KeyboardEvent(UP, 0x2e)]);
    }

    #[test]
    fn letting_go_releases_what_is_held_and_nothing_else() {
        let mut input = Input::new(false, 100, 100);
        input.events(key(0x2a, false, 0xffe1, true));
        input.events(ScreenInput::Move { x: 500, y: 7 });
        input.events(ScreenInput::Button { button: MouseButton::Back, down: true });
        input.events(key(0x1e, false, 0x61, true));
        input.events(key(0x1e, false, 0x61, false));
        let released = input.events(ScreenInput::LetGo);
        assert_eq!(released.len(), 2, "{released:?}");
        assert!(
            matches!(&released[0], E::MouseEventEx(m) if (m.x_position, m.y_position) == (99, 7))
        );
        assert_eq!(released[1], E::KeyboardEvent(UP, 0x2a));
        assert_eq!(input.events(ScreenInput::LetGo), []);
    }

    #[test]
    fn a_long_turn_of_the_wheel_is_several_events() {
        let mut input = Input::new(false, 100, 100);
        let turns = |events: &[E]| -> i16 {
            let units = events.iter().map(|event| match event {
                E::MouseEvent(m) => m.number_of_wheel_rotation_units,
                other => panic!("{other:?}"),
            });
            units.sum()
        };
        for turn in [120, -120, 600, -600] {
            let events = input.events(ScreenInput::Wheel { turn, sideways: false });
            assert_eq!(turns(&events), turn);
        }
    }
}
