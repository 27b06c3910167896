//! How strong a typed password is, in words. The estimate (zxcvbn) runs when
//! the text changes, not at each painting.

use egui::{RichText, Ui, vec2};

use crate::gui::theme::palette;
use crate::model::lang::Lang;

use super::secret_buffer::SecretBuffer;

/// Weakest score that may guard a vault.
pub const ENOUGH: u8 = 3;

/// The last estimate.
#[derive(Clone, Copy, Default)]
pub struct Strength {
    score: u8,
    guesses_log10: f64,
    empty: bool,
}

impl Strength {
    /// Estimates `buffer`; `known` are words an attacker would try first.
    pub fn of(buffer: &SecretBuffer, known: &[&str]) -> Self {
        if buffer.is_empty() {
            return Self { empty: true, ..Self::default() };
        }
        let estimate = buffer.expose(|text| {
            // The estimate takes time growing with the square of the length.
            let end = text.char_indices().nth(72).map_or(text.len(), |(i, _)| i);
            zxcvbn::zxcvbn(&text[..end], known)
        });
        Self {
            score: estimate.score().into(),
            guesses_log10: estimate.guesses_log10().max(0.0),
            empty: false,
        }
    }

    /// Whether it may guard a vault.
    pub fn enough(&self) -> bool {
        self.score >= ENOUGH
    }

    /// The score in one or two words.
    pub fn word(&self, lang: Lang) -> &'static str {
        match self.score {
            0 => lang.pick("Très faible", "Very weak"),
            1 => lang.pick("Faible", "Weak"),
            2 => lang.pick("Moyen", "Fair"),
            3 => lang.pick("Bon", "Good"),
            _ => lang.pick("Excellent", "Excellent"),
        }
    }
}

/// Four bars and the words.
pub fn strength_ui(ui: &mut Ui, strength: &Strength, lang: Lang) {
    let p = palette(ui.ctx());
    let colour = match strength.score {
        0 | 1 => p.error,
        2 => p.warn,
        _ => p.ok,
    };
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        let filled = if strength.empty { 0 } else { strength.score.max(1) };
        for i in 0..4 {
            let (rect, _) = ui.allocate_exact_size(vec2(34.0, 5.0), egui::Sense::hover());
            let fill = if i < filled { colour } else { p.line };
            ui.painter().rect_filled(rect, 2.0, fill);
        }
        ui.add_space(6.0);
        if strength.empty {
            let hint =
                lang.pick("Quatre mots au hasard conviennent bien.", "Four random words do well.");
            ui.label(RichText::new(hint).color(p.weak));
        } else {
            let tries = format!("≈ 10{}", raised(strength.guesses_log10));
            let tries = match lang {
                Lang::Fr => format!("{tries} essais"),
                Lang::En => format!("{tries} guesses"),
            };
            ui.label(RichText::new(strength.word(lang)).color(colour));
            ui.label(RichText::new(tries).color(p.weak));
        }
    });
}

/// A whole number as an exponent: `¹⁹`.
fn raised(n: f64) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let digit = |c: char| c.to_digit(10).map(|d| DIGITS[d as usize]);
    format!("{:.0}", n.max(0.0)).chars().filter_map(digit).collect()
}
