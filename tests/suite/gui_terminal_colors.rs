//! The colours of the terminal: whatever a program writes can be read in either
//! look, and what it paints on purpose stays as it painted it.

use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb};
use poterne::gui::terminal::colors::{self, Scheme, cell};
use poterne::gui::theme::contrast;

const PAGE: Color = Color::Named(NamedColor::Background);
const LOOKS: [(&str, &Scheme); 2] = [("dark", &colors::DARK), ("light", &colors::LIGHT)];

fn ratio(scheme: &Scheme, c: char, pair: (Color, Color), flags: Flags) -> f32 {
    let (text, ground) = cell(scheme, &Colors::default(), c, pair, flags);
    contrast(text, ground)
}

#[test]
fn every_colour_can_be_read_on_the_page() {
    for (look, scheme) in LOOKS {
        for fg in 0..=255 {
            for flags in [Flags::empty(), Flags::BOLD] {
                let ratio = ratio(scheme, 'x', (Color::Indexed(fg), PAGE), flags);
                assert!(ratio >= 4.5, "{look}: {fg} {flags:?} has only {ratio:.2}");
            }
        }
    }
}

#[test]
fn every_pair_of_the_sixteen_can_be_told_apart() {
    for (look, scheme) in LOOKS {
        for (fg, bg) in (0..16).flat_map(|fg| (0..8).map(move |bg| (fg, bg))) {
            for flags in [Flags::empty(), Flags::BOLD, Flags::DIM, Flags::INVERSE] {
                let pair = (Color::Indexed(fg), Color::Indexed(bg));
                let ratio = ratio(scheme, 'x', pair, flags);
                assert!(ratio >= 2.45, "{look}: {fg} on {bg} {flags:?} has only {ratio:.2}");
            }
        }
    }
}

#[test]
fn the_pairs_of_mc_and_htop_are_those_that_they_chose() {
    let scheme = &colors::LIGHT;
    for (fg, bg) in [(11, 4), (15, 4), (7, 4), (0, 6), (15, 6), (0, 2)] {
        let pair = (Color::Indexed(fg), Color::Indexed(bg));
        let (text, _) = cell(scheme, &Colors::default(), 'x', pair, Flags::empty());
        assert_eq!(text, scheme.ansi[usize::from(fg)], "{fg} on {bg}");
    }
}

#[test]
fn what_a_program_paints_or_hides_on_purpose_stays() {
    for (_, scheme) in LOOKS {
        let set = Colors::default();
        let white = Color::Indexed(15);
        let exact = Color::Spec(Rgb { r: 40, g: 44, b: 52 });
        let kept = |c, pair, flags| {
            let (text, ground) = cell(scheme, &set, c, pair, flags);
            text == ground
        };
        assert!(kept('█', (white, white), Flags::empty()), "a block is paint");
        assert!(kept('\u{E0B0}', (white, white), Flags::empty()), "so is a prompt's arrow");
        assert!(kept('x', (exact, exact), Flags::empty()), "an exact pair is meant");
        assert!(kept('x', (white, Color::Indexed(4)), Flags::HIDDEN), "hidden is hidden");
        assert!(!kept('x', (white, white), Flags::empty()), "white on white is not");
    }
}
