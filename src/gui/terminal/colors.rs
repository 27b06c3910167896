//! Colours of terminals: two schemes of sixteen, xterm's cube and grey ramp,
//! and how attributes change them. Pure.

use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb};
use egui::Color32;

/// One look of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Scheme {
    /// ANSI 0 to 15.
    pub ansi: [Color32; 16],
    /// Ordinary text.
    pub text: Color32,
    /// Ground.
    pub ground: Color32,
    /// The cursor.
    pub cursor: Color32,
    /// Ground of selected cells.
    pub selection: Color32,
    /// Ground of what the search found.
    pub found: Color32,
    /// Ground of the found text one stands on.
    pub found_here: Color32,
    /// Text on either of the two.
    pub on_found: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// On dark ground.
pub const DARK: Scheme = Scheme {
    ansi: [
        rgb(0x1D_2128),
        rgb(0xE8_6A62),
        rgb(0x82_C26A),
        rgb(0xDD_B35F),
        rgb(0x22_70C8),
        rgb(0xC5_78DA),
        rgb(0x45_B0BD),
        rgb(0xCF_D4DD),
        rgb(0x86_8F9E),
        rgb(0xFF_8F85),
        rgb(0xA5_E08A),
        rgb(0xFF_D983),
        rgb(0x7F_BDFB),
        rgb(0xE3_A8FA),
        rgb(0x7B_DAE5),
        rgb(0xFF_FFFF),
    ],
    text: rgb(0xDD_E1E8),
    ground: rgb(0x12_151A),
    cursor: rgb(0xE6_E9EF),
    selection: rgb(0x2B_5278),
    found: rgb(0x8A_6A1A),
    found_here: rgb(0xF4_BE55),
    on_found: rgb(0x0E_1013),
};

/// On light ground.
pub const LIGHT: Scheme = Scheme {
    ansi: [
        rgb(0x1A_1E25),
        rgb(0xB3_261E),
        rgb(0x1B_7531),
        rgb(0x85_5800),
        rgb(0x1B_5FB8),
        rgb(0x8E_2FA8),
        rgb(0x0B_6E80),
        rgb(0xD3_D8DF),
        rgb(0x5C_6573),
        rgb(0xC9_2A21),
        rgb(0x14_7A2C),
        rgb(0x8F_5F00),
        rgb(0x0F_62C4),
        rgb(0x9A_35B5),
        rgb(0x00_7489),
        rgb(0xFF_FFFF),
    ],
    text: rgb(0x1A_1E25),
    ground: rgb(0xFF_FFFF),
    cursor: rgb(0x1A_1E25),
    selection: rgb(0xB9_D7F3),
    found: rgb(0xFF_E9A8),
    found_here: rgb(0xFF_C23D),
    on_found: rgb(0x1A_1E25),
};

/// Text and ground of a cell, after attributes but before selection.
pub fn cell(
    scheme: &Scheme,
    set: &Colors,
    fg: Color,
    bg: Color,
    flags: Flags,
) -> (Color32, Color32) {
    let bold = flags.contains(Flags::BOLD) && !flags.contains(Flags::DIM);
    let mut text = resolve(scheme, set, if bold { brighter(fg) } else { fg });
    let mut ground = resolve(scheme, set, bg);
    if flags.contains(Flags::DIM) {
        text = mix(text, ground, 0.40);
    }
    if flags.contains(Flags::INVERSE) {
        std::mem::swap(&mut text, &mut ground);
    }
    if flags.contains(Flags::HIDDEN) {
        text = ground;
    }
    (text, ground)
}

/// A colour as the scheme and the program's own settings (OSC 4, 10, 11) say.
pub fn resolve(scheme: &Scheme, set: &Colors, color: Color) -> Color32 {
    match color {
        Color::Spec(c) => Color32::from_rgb(c.r, c.g, c.b),
        Color::Indexed(i) => indexed(scheme, set, usize::from(i)),
        Color::Named(name) => indexed(scheme, set, name as usize),
    }
}

/// What OSC 4, 10, 11 and 12 answer.
pub fn answer(scheme: &Scheme, set: &Colors, index: usize) -> Rgb {
    let c = indexed(scheme, set, index);
    Rgb { r: c.r(), g: c.g(), b: c.b() }
}

fn indexed(scheme: &Scheme, set: &Colors, index: usize) -> Color32 {
    if let Some(c) = set[index.min(268)] {
        return Color32::from_rgb(c.r, c.g, c.b);
    }
    match index {
        0..=15 => scheme.ansi[index],
        16..=231 => {
            let level = |n: usize| if n == 0 { 0 } else { (55 + 40 * n) as u8 };
            let n = index - 16;
            Color32::from_rgb(level(n / 36), level(n / 6 % 6), level(n % 6))
        }
        232..=255 => Color32::from_gray((8 + 10 * (index - 232)) as u8),
        _ if index == NamedColor::Background as usize => scheme.ground,
        _ if index == NamedColor::Cursor as usize => scheme.cursor,
        _ if (NamedColor::DimBlack as usize..=NamedColor::DimWhite as usize).contains(&index) => {
            mix(scheme.ansi[index - NamedColor::DimBlack as usize], scheme.ground, 0.40)
        }
        _ if index == NamedColor::DimForeground as usize => mix(scheme.text, scheme.ground, 0.40),
        _ => scheme.text,
    }
}

/// Bold makes the eight dark colours bright, as xterm and the Linux console do.
fn brighter(color: Color) -> Color {
    match color {
        Color::Indexed(i @ 0..=7) => Color::Indexed(i + 8),
        Color::Named(name) if (name as usize) < 8 => Color::Named(name.to_bright()),
        other => other,
    }
}

/// `share` of `b` mixed into `a`, in gamma space.
pub fn mix(a: Color32, b: Color32, share: f32) -> Color32 {
    let part = |x: u8, y: u8| (f32::from(x) + (f32::from(y) - f32::from(x)) * share).round() as u8;
    Color32::from_rgb(part(a.r(), b.r()), part(a.g(), b.g()), part(a.b(), b.b()))
}
