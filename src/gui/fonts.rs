//! The fonts of the window: Noto Sans for text, JetBrains Mono for terminals,
//! both with a real bold. Embedded, so that the window looks the same on every
//! machine; never reads a font from the system.

use std::sync::Arc;

use egui::{FontData, FontDefinitions, FontFamily};

/// Noto Sans Regular; also the face of the PDF report.
pub const SANS_REGULAR: &[u8] = include_bytes!("../../assets/fonts/NotoSans-Regular.ttf");
/// Noto Sans Bold; also the face of the PDF report.
pub const SANS_BOLD: &[u8] = include_bytes!("../../assets/fonts/NotoSans-Bold.ttf");

const MONO_REGULAR: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-Regular.ttf");
const MONO_BOLD: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-Bold.ttf");
const MONO_ITALIC: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-Italic.ttf");
const MONO_BOLD_ITALIC: &[u8] = include_bytes!("../../assets/fonts/JetBrainsMono-BoldItalic.ttf");

/// Bold text of the interface. `RichText::strong()` only changes the colour.
pub fn bold() -> FontFamily {
    FontFamily::Name("sans-bold".into())
}

/// A face of the terminal's font.
pub fn mono(bold: bool, italic: bool) -> FontFamily {
    match (bold, italic) {
        (false, false) => FontFamily::Monospace,
        (true, false) => FontFamily::Name("mono-bold".into()),
        (false, true) => FontFamily::Name("mono-italic".into()),
        (true, true) => FontFamily::Name("mono-bold-italic".into()),
    }
}

/// Gives `ctx` the fonts. Call once, before the first frame.
pub fn install(ctx: &egui::Context) {
    ctx.set_fonts(definitions());
}

/// The faces and, for each family, the order in which they are asked for a
/// character. What the main face lacks (arrows, check marks, emoji) comes from
/// egui's own fonts.
pub fn definitions() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    for (name, bytes) in [
        ("noto-sans", SANS_REGULAR),
        ("noto-sans-bold", SANS_BOLD),
        ("jetbrains-mono", MONO_REGULAR),
        ("jetbrains-mono-bold", MONO_BOLD),
        ("jetbrains-mono-italic", MONO_ITALIC),
        ("jetbrains-mono-bold-italic", MONO_BOLD_ITALIC),
    ] {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    let symbols: Vec<String> = fonts
        .families
        .get(&FontFamily::Monospace)
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .filter(|name| name != "Ubuntu-Light")
        .collect();
    let chain = |main: &[&str]| -> Vec<String> {
        main.iter().map(|name| (*name).to_owned()).chain(symbols.iter().cloned()).collect()
    };
    fonts.families.insert(FontFamily::Proportional, chain(&["noto-sans", "jetbrains-mono"]));
    fonts.families.insert(bold(), chain(&["noto-sans-bold", "jetbrains-mono-bold"]));
    fonts.families.insert(mono(false, false), chain(&["jetbrains-mono", "noto-sans"]));
    fonts.families.insert(
        mono(true, false),
        chain(&["jetbrains-mono-bold", "jetbrains-mono", "noto-sans-bold"]),
    );
    fonts.families.insert(
        mono(false, true),
        chain(&["jetbrains-mono-italic", "jetbrains-mono", "noto-sans"]),
    );
    fonts.families.insert(
        mono(true, true),
        chain(&["jetbrains-mono-bold-italic", "jetbrains-mono-bold", "noto-sans-bold"]),
    );
    fonts
}
