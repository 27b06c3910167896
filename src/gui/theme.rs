//! All colours and distances of the window, light and dark. Nothing else in
//! `gui` names a colour. Text meets WCAG 2.1 level AA (4.5:1) on every surface
//! it is written on; `tests/suite/gui_theme.rs` checks that.

use std::sync::LazyLock;

use egui::{
    Color32, CornerRadius, FontFamily, FontId, Margin, Shadow, Stroke, TextStyle, Visuals, vec2,
};

use super::fonts;

/// Which of the two looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Theme {
    /// As the desktop says; dark when it says nothing.
    #[default]
    System,
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

impl Theme {
    /// The word used in the settings.
    pub fn word(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    /// The theme of `word`, if it is one.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::System, Self::Light, Self::Dark].into_iter().find(|t| t.word() == word)
    }
}

/// The named colours of one look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Palette {
    /// True for the dark look.
    pub dark: bool,
    /// Ground of panels.
    pub panel: Color32,
    /// Ground of input fields and terminals' frame.
    pub field: Color32,
    /// Ground of cards, dialogs and menus.
    pub card: Color32,
    /// Ground of buttons.
    pub button: Color32,
    /// Ground of the thing under the pointer.
    pub hover: Color32,
    /// Ground of what is selected.
    pub selected: Color32,
    /// Lines between things.
    pub line: Color32,
    /// Outline of fields and buttons; 3:1 on every ground.
    pub outline: Color32,
    /// Ordinary text.
    pub text: Color32,
    /// Text of less weight: hints, dates.
    pub weak: Color32,
    /// Links, focus, the active tab.
    pub accent: Color32,
    /// Ground of the main button of a screen.
    pub accent_fill: Color32,
    /// Text on `accent_fill`.
    pub on_accent: Color32,
    /// It worked.
    pub ok: Color32,
    /// Look here.
    pub warn: Color32,
    /// Ground of a warning.
    pub warn_fill: Color32,
    /// It failed, or it destroys.
    pub error: Color32,
    /// Ground of an error.
    pub error_fill: Color32,
}

const fn rgb(hex: u32) -> Color32 {
    Color32::from_rgb((hex >> 16) as u8, (hex >> 8) as u8, hex as u8)
}

/// The dark look.
pub const DARK: Palette = Palette {
    dark: true,
    panel: rgb(0x1B_1E24),
    field: rgb(0x12_151A),
    card: rgb(0x23_272F),
    button: rgb(0x2D_323C),
    hover: rgb(0x3A_414D),
    selected: rgb(0x1E_4468),
    line: rgb(0x37_3E49),
    outline: rgb(0x75_8091),
    text: rgb(0xE6_E9EF),
    weak: rgb(0xAB_B4C2),
    accent: rgb(0x7C_BBF8),
    accent_fill: rgb(0x1C_68AB),
    on_accent: rgb(0xFF_FFFF),
    ok: rgb(0x78_D488),
    warn: rgb(0xF4_BE55),
    warn_fill: rgb(0x3A_2E12),
    error: rgb(0xFF_9C92),
    error_fill: rgb(0x42_1F1E),
};

/// The light look.
pub const LIGHT: Palette = Palette {
    dark: false,
    panel: rgb(0xF4_F5F7),
    field: rgb(0xFF_FFFF),
    card: rgb(0xFF_FFFF),
    button: rgb(0xE6_E9EE),
    hover: rgb(0xD8_DDE5),
    selected: rgb(0xCF_E3F6),
    line: rgb(0xCE_D4DC),
    outline: rgb(0x72_7C8A),
    text: rgb(0x1A_1E25),
    weak: rgb(0x4C_5563),
    accent: rgb(0x0A_5595),
    accent_fill: rgb(0x0B_5FA5),
    on_accent: rgb(0xFF_FFFF),
    ok: rgb(0x14_6A2B),
    warn: rgb(0x74_4B00),
    warn_fill: rgb(0xFF_F0CC),
    error: rgb(0xA3_1D16),
    error_fill: rgb(0xFD_E4E1),
};

/// The colours in use.
pub fn palette(ctx: &egui::Context) -> &'static Palette {
    of(ctx.theme())
}

fn of(theme: egui::Theme) -> &'static Palette {
    match theme {
        egui::Theme::Dark => &DARK,
        egui::Theme::Light => &LIGHT,
    }
}

/// Gives `ctx` both looks and chooses one. Cheap; call at start and when the
/// setting changes.
pub fn apply(ctx: &egui::Context, theme: Theme) {
    for look in [egui::Theme::Dark, egui::Theme::Light] {
        ctx.style_mut_of(look, |style| {
            style.visuals = visuals(of(look));
            spacing(style);
        });
    }
    ctx.set_theme(match theme {
        Theme::System => egui::ThemePreference::System,
        Theme::Light => egui::ThemePreference::Light,
        Theme::Dark => egui::ThemePreference::Dark,
    });
}

/// The main button of a screen: one per screen, in the accent colour.
pub fn primary_button<'a>(ctx: &egui::Context, text: &str) -> egui::Button<'a> {
    let p = palette(ctx);
    egui::Button::new(egui::RichText::new(text).color(p.on_accent)).fill(p.accent_fill)
}

/// The button that takes something away: never the accent of what is proposed.
pub fn danger_button<'a>(ctx: &egui::Context, text: &str) -> egui::Button<'a> {
    let p = palette(ctx);
    let text = egui::RichText::new(text).color(p.error);
    egui::Button::new(text).fill(p.error_fill).stroke(Stroke::new(1.0, p.error))
}

/// A frame for a card: dialogs, state pages, notices.
pub fn card(ctx: &egui::Context) -> egui::Frame {
    let p = palette(ctx);
    egui::Frame::new()
        .fill(p.card)
        .stroke(Stroke::new(1.0, p.line))
        .corner_radius(CornerRadius::same(8))
        .inner_margin(Margin::same(16))
}

/// The ground of what is shown to be read or copied within a card: a text of others, a
/// code.
pub fn inset(ctx: &egui::Context) -> egui::Frame {
    let p = palette(ctx);
    egui::Frame::new()
        .fill(p.field)
        .stroke(Stroke::new(1.0, p.line))
        .corner_radius(CornerRadius::same(6))
        .inner_margin(Margin::same(10))
}

fn spacing(style: &mut egui::Style) {
    style.text_styles = [
        (TextStyle::Small, FontId::new(12.0, FontFamily::Proportional)),
        (TextStyle::Body, FontId::new(14.0, FontFamily::Proportional)),
        (TextStyle::Button, FontId::new(14.0, FontFamily::Proportional)),
        (TextStyle::Monospace, FontId::new(13.5, FontFamily::Monospace)),
        (TextStyle::Heading, FontId::new(20.0, fonts::bold())),
    ]
    .into();
    let s = &mut style.spacing;
    s.item_spacing = vec2(8.0, 6.0);
    s.button_padding = vec2(12.0, 5.0);
    s.interact_size = vec2(40.0, 28.0);
    s.window_margin = Margin::same(16);
    s.menu_margin = Margin::same(6);
    s.icon_width = 18.0;
    s.icon_width_inner = 11.0;
    s.combo_width = 140.0;
    s.tooltip_width = 420.0;
}

fn visuals(p: &Palette) -> Visuals {
    let mut v = if p.dark { Visuals::dark() } else { Visuals::light() };
    let radius = CornerRadius::same(5);
    let w = &mut v.widgets;
    w.noninteractive.bg_fill = p.panel;
    w.noninteractive.weak_bg_fill = p.panel;
    w.noninteractive.bg_stroke = Stroke::new(1.0, p.line);
    w.noninteractive.fg_stroke = Stroke::new(1.0, p.text);
    for (state, ground, edge) in [
        (&mut w.inactive, p.button, p.line.lerp_to_gamma(p.outline, 0.45)),
        (&mut w.hovered, p.hover, p.outline),
        (&mut w.active, p.hover, p.accent),
        (&mut w.open, p.hover, p.outline),
    ] {
        state.bg_fill = ground;
        state.weak_bg_fill = ground;
        state.bg_stroke = Stroke::new(1.0, edge);
        state.fg_stroke = Stroke::new(1.0, p.text);
        state.corner_radius = radius;
        state.expansion = 0.0;
    }
    w.noninteractive.corner_radius = radius;
    // What has the keyboard must be seen on the main button as well.
    w.active.bg_stroke = Stroke::new(2.0, if p.dark { p.accent } else { p.text });
    v.selection.bg_fill = p.selected;
    v.selection.stroke = Stroke::new(1.0, if p.dark { p.text } else { p.accent });
    v.weak_text_color = Some(p.weak);
    v.hyperlink_color = p.accent;
    v.faint_bg_color =
        if p.dark { Color32::from_white_alpha(6) } else { Color32::from_black_alpha(8) };
    v.extreme_bg_color = p.field;
    v.text_edit_bg_color = Some(p.field);
    v.code_bg_color = p.button;
    v.warn_fg_color = p.warn;
    v.error_fg_color = p.error;
    v.panel_fill = p.panel;
    v.window_fill = p.card;
    v.window_stroke = Stroke::new(1.0, p.line);
    v.window_corner_radius = CornerRadius::same(8);
    v.menu_corner_radius = CornerRadius::same(6);
    let shade = if p.dark { 110 } else { 40 };
    v.window_shadow =
        Shadow { offset: [0, 6], blur: 18, spread: 0, color: Color32::from_black_alpha(shade) };
    v.popup_shadow = v.window_shadow;
    // A blinking cursor repaints the window twice a second, which software
    // drawing pays with a twentieth of a core.
    v.text_cursor.blink = false;
    v.text_cursor.stroke = Stroke::new(2.0, p.accent);
    v.interact_cursor = None;
    v
}

/// Contrast of two opaque colours, 1 to 21 (WCAG 2.1, "contrast ratio").
pub fn contrast(a: Color32, b: Color32) -> f32 {
    // A terminal asks for every cell it paints.
    static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
        std::array::from_fn(|byte| {
            let x = byte as f32 / 255.0;
            if x <= 0.040_45 { x / 12.92 } else { ((x + 0.055) / 1.055).powf(2.4) }
        })
    });
    let luminance = |c: Color32| {
        let part = |byte: u8| LINEAR[usize::from(byte)];
        0.2126 * part(c.r()) + 0.7152 * part(c.g()) + 0.0722 * part(c.b())
    };
    let (x, y) = (luminance(a), luminance(b));
    (x.max(y) + 0.05) / (x.min(y) + 0.05)
}
