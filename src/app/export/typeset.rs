//! Letters on PDF pages: fonts, widths, line breaks. Places text where it is
//! told and nothing else.

use krilla::color::rgb;
use krilla::configure::{Archival, ConfigurationBuilder};
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::num::NormalizedF32;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};

use super::ExportError;
use crate::model::lang::Lang;
use crate::model::time::Time;

const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/NotoSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../../assets/fonts/NotoSans-Bold.ttf");
const MONO: &[u8] = include_bytes!("../../../assets/fonts/JetBrainsMono-Regular.ttf");

/// A font that knows its widths.
pub struct Face {
    font: Font,
    parsed: ttf_parser::Face<'static>,
    em: f32,
    /// Glyph and width, in parts of the size, of the first characters.
    latin: Vec<(u16, f32)>,
    /// What stands for a character the font does not have.
    other: (u16, f32),
}

/// The three faces of the reports.
pub struct Faces {
    /// Text.
    pub regular: Face,
    /// Headings.
    pub bold: Face,
    /// Hashes and codes.
    pub mono: Face,
}

impl Faces {
    /// Loads the embedded fonts.
    pub fn load() -> Result<Self, ExportError> {
        Ok(Self { regular: Face::load(REGULAR)?, bold: Face::load(BOLD)?, mono: Face::load(MONO)? })
    }
}

impl Face {
    fn load(data: &'static [u8]) -> Result<Self, ExportError> {
        let bad = || ExportError::Document("an embedded font is damaged".into());
        let font = Font::new(data.into(), 0).ok_or_else(bad)?;
        let parsed = ttf_parser::Face::parse(data, 0).map_err(|_| bad())?;
        let em = f32::from(parsed.units_per_em());
        let mut this = Self { font, parsed, em, latin: Vec::new(), other: (0, 0.0) };
        this.other = this.find('?').ok_or_else(bad)?;
        this.latin = (0..0x250u32)
            .map(|c| char::from_u32(c).and_then(|c| this.find(c)).unwrap_or(this.other))
            .collect();
        Ok(this)
    }

    fn find(&self, c: char) -> Option<(u16, f32)> {
        let id = self.parsed.glyph_index(c)?;
        Some((id.0, f32::from(self.parsed.glyph_hor_advance(id)?) / self.em))
    }

    fn glyph(&self, c: char) -> (u16, f32) {
        match self.latin.get(c as usize) {
            Some(found) => *found,
            None => self.find(c).unwrap_or(self.other),
        }
    }

    /// Width of `text` in points.
    pub fn width(&self, text: &str, size: f32) -> f32 {
        text.chars().map(|c| self.glyph(c).1).sum::<f32>() * size
    }

    /// `text` in lines of at most `width` points: broken at spaces and behind
    /// `/`, `-`, `:`, `@` and `.`, and anywhere in what is still too long.
    pub fn wrap(&self, text: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.lines() {
            let mut line = String::new();
            let mut used = 0.0;
            // Where the line may end, and how wide it is up to there.
            let mut stop: Option<(usize, f32)> = None;
            for c in paragraph.chars().map(|c| if c.is_control() { ' ' } else { c }) {
                let step = self.glyph(c).1 * size;
                if used + step > width && !line.is_empty() && c != ' ' {
                    let (cut, before) = stop.take().unwrap_or((line.len(), used));
                    let rest = line.split_off(cut);
                    lines.push(line.trim_end().to_owned());
                    line = rest;
                    used -= before;
                }
                line.push(c);
                used += step;
                if matches!(c, ' ' | '/' | '-' | ':' | '@' | '.' | ';') {
                    stop = Some((line.len(), used));
                }
            }
            lines.push(line.trim_end().to_owned());
        }
        lines
    }

    /// Draws `text` with its baseline at `y`.
    pub fn draw(&self, surface: &mut Surface<'_>, x: f32, y: f32, size: f32, text: &str) {
        if text.is_empty() {
            return;
        }
        let glyphs: Vec<KrillaGlyph> = text
            .char_indices()
            .map(|(at, c)| {
                let (id, advance) = self.glyph(c);
                KrillaGlyph::new(
                    GlyphId::new(id.into()),
                    advance,
                    0.0,
                    0.0,
                    0.0,
                    at..at + c.len_utf8(),
                    None,
                )
            })
            .collect();
        surface.draw_glyphs(Point::from_xy(x, y), &glyphs, self.font.clone(), text, size, false);
    }
}

/// Sets the colour of what is drawn next.
pub fn ink(surface: &mut Surface<'_>, (r, g, b): (u8, u8, u8)) {
    surface.set_fill(Some(Fill {
        paint: rgb::Color::new(r, g, b).into(),
        opacity: NormalizedF32::ONE,
        rule: FillRule::NonZero,
    }));
}

/// Fills a rectangle.
pub fn fill(surface: &mut Surface<'_>, x: f32, y: f32, width: f32, height: f32) {
    if let Some(rect) = Rect::from_xywh(x, y, width, height) {
        let mut path = PathBuilder::new();
        path.push_rect(rect);
        if let Some(path) = path.finish() {
            surface.draw_path(&path);
        }
    }
}

/// An empty PDF/A-2 document.
pub fn document(title: &str, author: &str, at: Time, lang: Lang) -> Result<Document, ExportError> {
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_B)
        .finish()
        .map_err(|e| ExportError::Document(format!("{e:?}")))?;
    let mut document =
        Document::new_with(SerializeSettings { configuration, ..Default::default() });
    let civil = jiff::tz::Offset::UTC.to_datetime(at.to_jiff());
    let part = |n: i8| u8::try_from(n).unwrap_or(0);
    let date = DateTime::new(u16::try_from(civil.year()).unwrap_or(1970))
        .month(part(civil.month()))
        .day(part(civil.day()))
        .hour(part(civil.hour()))
        .minute(part(civil.minute()))
        .second(part(civil.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0);
    document.set_metadata(
        Metadata::new()
            .title(title.to_owned())
            .authors(vec![author.to_owned()])
            .creator("Poterne".to_owned())
            .language(lang.pick("fr", "en").to_owned())
            .creation_date(date),
    );
    Ok(document)
}

/// The finished file.
pub fn finish(document: Document) -> Result<Vec<u8>, ExportError> {
    document.finish().map_err(|e| ExportError::Document(format!("{e:?}")))
}
