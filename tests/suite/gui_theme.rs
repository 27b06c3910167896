//! The looks: readable text on every ground, and fonts that have the letters
//! French, Polish, Greek and Cyrillic names need.

use poterne::gui::{fonts, theme};

#[test]
fn text_meets_wcag_aa_on_every_ground() {
    for (look, p) in [("dark", &theme::DARK), ("light", &theme::LIGHT)] {
        let grounds = [p.panel, p.field, p.card, p.button, p.hover, p.selected];
        for (name, ink, grounds) in [
            ("text", p.text, &grounds[..]),
            ("weak", p.weak, &grounds[..]),
            ("accent", p.accent, &grounds[..4]),
            ("ok", p.ok, &grounds[..4]),
            ("warn", p.warn, &grounds[..4]),
            ("error", p.error, &grounds[..4]),
            ("warn on its fill", p.warn, &[p.warn_fill]),
            ("error on its fill", p.error, &[p.error_fill]),
            ("text on warn fill", p.text, &[p.warn_fill]),
            ("text on error fill", p.text, &[p.error_fill]),
            ("on accent", p.on_accent, &[p.accent_fill]),
        ] {
            for ground in grounds {
                let ratio = theme::contrast(ink, *ground);
                assert!(ratio >= 4.5, "{look}: {name} on {ground:?} has only {ratio:.2}");
            }
        }
    }
}

#[test]
fn every_face_has_the_letters_that_names_need() {
    let ctx = egui::Context::default();
    fonts::install(&ctx);
    theme::apply(&ctx, theme::Theme::Dark);
    let mut output = String::new();
    let mut full = ctx.run_ui(egui::RawInput::default(), |ui| {
        for family in [
            egui::FontFamily::Proportional,
            fonts::bold(),
            fonts::mono(false, false),
            fonts::mono(true, false),
            fonts::mono(false, true),
            fonts::mono(true, true),
        ] {
            for c in "àâäéèêëîïôöùûüÿçœæÀÉÈŒ«»’…€ąęłżŻĞşΑωЖя→←↑↓✓✗●○⚠▶◀×⋮🔒▲▼•–—".chars()
            {
                let id = egui::FontId::new(14.0, family.clone());
                if !ui.ctx().fonts_mut(|f| f.has_glyph(&id, c)) {
                    output.push_str(&format!("{family:?} lacks {c}\n"));
                }
            }
        }
    });
    full.textures_delta.clear();
    assert_eq!(output, "");
}
