//! Colours of terminals: two schemes of sixteen, xterm's cube and grey ramp,
//! how attributes change them, and how text stays readable. Pure.

use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb};
use egui::Color32;

use crate::gui::theme::contrast;

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

/// On light ground. The colours are as bright as on a dark one, since programs
/// paint with them on grounds of their own (`mc` writes yellow on blue); as text
/// on the page, [`legible`] darkens those that could not be read.
pub const LIGHT: Scheme = Scheme {
    ansi: [
        rgb(0x1A_1E25),
        rgb(0xC0_261F),
        rgb(0x2A_A15C),
        rgb(0xB0_7D00),
        rgb(0x16_509F),
        rgb(0xA2_3BB2),
        rgb(0x1F_9DB0),
        rgb(0xCF_D4DC),
        rgb(0x68_717E),
        rgb(0xEF_5350),
        rgb(0x4C_C764),
        rgb(0xFF_D24D),
        rgb(0x4C_9BF0),
        rgb(0xD7_7BE0),
        rgb(0x3C_CBE0),
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

/// Contrast that text has on the page, whatever its colour: that of WCAG 2.1 AA.
pub const ON_PAGE: f32 = 4.5;
/// Contrast that text has on a ground which a program painted. Such a pair was
/// chosen to be seen together; only what nobody could read is changed.
pub const ON_PAINT: f32 = 2.5;

/// Text and ground of a cell that shows `c`, after attributes but before selection.
pub fn cell(
    scheme: &Scheme,
    set: &Colors,
    c: char,
    (fg, bg): (Color, Color),
    flags: Flags,
) -> (Color32, Color32) {
    let bold = flags.contains(Flags::BOLD) && !flags.contains(Flags::DIM);
    let mut text = resolve(scheme, set, if bold { brighter(fg) } else { fg });
    let mut ground = resolve(scheme, set, bg);
    let dim = flags.contains(Flags::DIM);
    if dim {
        text = mix(text, ground, 0.40);
    }
    if flags.contains(Flags::INVERSE) {
        std::mem::swap(&mut text, &mut ground);
    }
    if flags.contains(Flags::HIDDEN) {
        text = ground;
    } else if !(drawn(c) || exact(fg) && exact(bg)) {
        let page = resolve(scheme, set, Color::Named(NamedColor::Background));
        let least = if ground == page && !dim { ON_PAGE } else { ON_PAINT };
        text = legible(text, ground, least);
    }
    (text, ground)
}

/// A colour that looks the same in every scheme. A program that sets both by
/// such a value means just this pair.
fn exact(color: Color) -> bool {
    matches!(color, Color::Spec(_) | Color::Indexed(16..))
}

/// Lines, blocks and the arrows of prompts: they are paint, and join what is
/// painted beside them.
fn drawn(c: char) -> bool {
    matches!(c, '\u{2500}'..='\u{259F}' | '\u{E0B0}'..='\u{E0D4}')
}

/// `text`, moved towards black or white until it has at least this contrast on
/// `ground`: to the side it is on already, where that is enough.
pub fn legible(text: Color32, ground: Color32, least: f32) -> Color32 {
    if contrast(text, ground) >= least {
        return text;
    }
    let (black, white) = (contrast(Color32::BLACK, ground), contrast(Color32::WHITE, ground));
    let lighter = contrast(text, Color32::BLACK) > contrast(ground, Color32::BLACK);
    let end = match (lighter, black >= least, white >= least) {
        (true, _, true) | (false, false, true) => Color32::WHITE,
        (false, true, _) | (true, true, false) => Color32::BLACK,
        (_, false, false) if white > black => Color32::WHITE,
        (_, false, false) => Color32::BLACK,
    };
    let (mut near, mut far) = (0.0, 1.0);
    for _ in 0..6 {
        let middle = (near + far) / 2.0;
        match contrast(mix(text, end, middle), ground) >= least {
            true => far = middle,
            false => near = middle,
        }
    }
    mix(text, end, far)
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
