//! Mouse to bytes: the X10, normal, button-event, any-event and SGR protocols
//! of xterm (ctlseqs, "Mouse Tracking"). Pure.

use alacritty_terminal::term::TermMode;
use egui::Modifiers;

/// What the mouse did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Act {
    /// A button went down.
    Press(Button),
    /// A button went up.
    Release(Button),
    /// The pointer moved to another cell; the button held, if any.
    Move(Option<Button>),
    /// One notch of the wheel, away from the person.
    WheelUp,
    /// One notch of the wheel, towards the person.
    WheelDown,
}

/// A mouse button that programs can ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Button {
    /// First.
    Left,
    /// Wheel.
    Middle,
    /// Second.
    Right,
}

/// What `act` at a cell (counted from 0) sends, if the program asked for it.
pub fn report(
    act: Act,
    col: usize,
    row: usize,
    mods: Modifiers,
    mode: TermMode,
) -> Option<Vec<u8>> {
    let wanted = match act {
        Act::Move(None) => mode.contains(TermMode::MOUSE_MOTION),
        Act::Move(Some(_)) => mode.intersects(TermMode::MOUSE_MOTION | TermMode::MOUSE_DRAG),
        _ => mode.intersects(TermMode::MOUSE_MODE),
    };
    if !wanted {
        return None;
    }
    let sgr = mode.contains(TermMode::SGR_MOUSE);
    let mut code = match act {
        Act::Press(button) => number(button),
        Act::Release(button) if sgr => number(button),
        Act::Release(_) => 3,
        Act::Move(button) => 32 + button.map_or(3, number),
        Act::WheelUp => 64,
        Act::WheelDown => 65,
    };
    code += 4 * u8::from(mods.shift) + 8 * u8::from(mods.alt) + 16 * u8::from(mods.ctrl);
    if sgr {
        let end = if matches!(act, Act::Release(_)) { 'm' } else { 'M' };
        return Some(format!("\x1b[<{code};{};{}{end}", col + 1, row + 1).into_bytes());
    }
    let utf8 = mode.contains(TermMode::UTF8_MOUSE);
    let mut out = vec![0x1b, b'[', b'M', 32 + code];
    for place in [col, row] {
        push_place(&mut out, place, utf8)?;
    }
    Some(out)
}

fn number(button: Button) -> u8 {
    match button {
        Button::Left => 0,
        Button::Middle => 1,
        Button::Right => 2,
    }
}

/// Mode 1005 writes the place as UTF-8 up to 2,015; without it a byte ends at
/// 223, and a click farther out cannot be told.
fn push_place(out: &mut Vec<u8>, place: usize, utf8: bool) -> Option<()> {
    let value = u32::try_from(place).ok()? + 33;
    if utf8 {
        let c = char::from_u32(value).filter(|_| value <= 2047)?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        out.push(u8::try_from(value).ok()?);
    }
    Some(())
}
