//! Where each character lies in egui's font texture, laid out once and then
//! copied into place cell by cell: no shaping per line, no drifting columns, no
//! ligatures. Knows nothing of colours or grids.

use std::collections::HashMap;
use std::sync::Arc;

use egui::epaint::text::{Galley, LayoutJob, TextFormat};
use egui::{Color32, Context, FontId, Pos2, Rect, Vec2};

use crate::gui::fonts;

/// Size of a cell, whole in pixels.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Cell {
    /// Width and height in pixels.
    pub(super) pixels: Vec2,
    /// Pixels per point of the screen.
    pub(super) scale: f32,
    /// From the top of the cell to the line letters stand on, in pixels.
    pub(super) baseline: f32,
}

impl Cell {
    /// Width and height in points.
    pub(super) fn points(&self) -> Vec2 {
        self.pixels / self.scale
    }
}

/// A piece of a character: where in the cell, in points, and where in the
/// texture, in texels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quad {
    pub(super) at: Rect,
    pub(super) texels: Rect,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    One(char, u8),
    Many(Box<str>, u8),
}

/// The characters seen so far at one font size.
pub(super) struct Glyphs {
    size: f32,
    scale: f32,
    cell: Cell,
    /// Space above the face's own line, in points.
    lead: f32,
    ascii: Vec<Option<Box<[Quad]>>>,
    rest: HashMap<Key, Box<[Quad]>>,
    /// A layout that egui forgets exactly when the texture is cleared.
    canary: Option<Arc<Galley>>,
}

impl Glyphs {
    pub(super) fn new() -> Self {
        Self {
            size: 0.0,
            scale: 0.0,
            cell: Cell { pixels: Vec2::splat(1.0), scale: 1.0, baseline: 1.0 },
            lead: 0.0,
            ascii: Vec::new(),
            rest: HashMap::new(),
            canary: None,
        }
    }

    /// Prepares for painting at `size` points. True when everything painted so
    /// far must be painted anew.
    pub(super) fn prepare(&mut self, ctx: &Context, size: f32) -> bool {
        let scale = ctx.pixels_per_point();
        let canary = layout(ctx, "M", size, 0);
        let same = self.size == size
            && self.scale == scale
            && self.canary.as_ref().is_some_and(|old| Arc::ptr_eq(old, &canary));
        if same {
            return false;
        }
        let font = FontId::new(size, fonts::mono(false, false));
        let (width, height) = ctx.fonts_mut(|f| (f.glyph_width(&font, 'M'), f.row_height(&font)));
        // One pixel more than the face asks for keeps the accents of capitals
        // apart from the line above.
        let lead = (scale / 1.5).round().max(1.0);
        let pixels =
            Vec2::new((width * scale).round().max(1.0), (height * scale).round().max(1.0) + lead);
        let baseline = canary
            .rows
            .first()
            .and_then(|row| row.glyphs.first().map(|glyph| row.pos.y + glyph.pos.y))
            .unwrap_or(height * 0.8);
        self.cell = Cell { pixels, scale, baseline: (baseline * scale).round() + lead };
        self.lead = lead / scale;
        self.size = size;
        self.scale = scale;
        self.ascii = (0..4 * 128).map(|_| None).collect();
        self.rest.clear();
        self.canary = Some(canary);
        true
    }

    pub(super) fn cell(&self) -> Cell {
        self.cell
    }

    /// A laid-out text to make others from; egui lets nobody build one from
    /// nothing.
    pub(super) fn template(&self) -> Option<&Arc<Galley>> {
        self.canary.as_ref()
    }

    /// The quads of one character and what stands on it, `cells` wide.
    pub(super) fn quads(
        &mut self,
        ctx: &Context,
        c: char,
        marks: &[char],
        style: (bool, bool),
        cells: usize,
    ) -> &[Quad] {
        let face = u8::from(style.0) + 2 * u8::from(style.1);
        if c.is_ascii() && marks.is_empty() {
            let index = usize::from(face) * 128 + c as usize;
            if self.ascii[index].is_none() {
                self.ascii[index] = Some(self.make(ctx, c.encode_utf8(&mut [0; 4]), face, cells));
            }
            return self.ascii[index].as_deref().expect("filled by the line above");
        }
        let key = if marks.is_empty() {
            Key::One(c, face)
        } else {
            let mut text = String::from(c);
            text.extend(marks);
            Key::Many(text.into(), face)
        };
        if !self.rest.contains_key(&key) {
            let text = match &key {
                Key::One(c, _) => c.to_string(),
                Key::Many(text, _) => text.to_string(),
            };
            let quads = self.make(ctx, &text, face, cells);
            self.rest.insert(key.clone(), quads);
        }
        &self.rest[&key]
    }

    fn make(&self, ctx: &Context, text: &str, face: u8, cells: usize) -> Box<[Quad]> {
        let galley = layout(ctx, text, self.size, face);
        let down = egui::vec2(0.0, self.lead);
        let mut quads = Vec::new();
        for row in &galley.rows {
            for quad in row.visuals.mesh.vertices.chunks_exact(4) {
                quads.push(Quad {
                    at: bounds(quad.iter().map(|v| v.pos)).translate(row.pos.to_vec2() + down),
                    texels: bounds(quad.iter().map(|v| v.uv)),
                });
            }
        }
        fit(&mut quads, self.cell.points().x * cells as f32, galley.rect.width(), self.scale);
        quads.into()
    }
}

/// Centres a character of another width in its cells, and narrows it when it
/// is wider than they are.
fn fit(quads: &mut [Quad], room: f32, advance: f32, scale: f32) {
    let right = quads.iter().map(|q| q.at.right()).fold(0.0, f32::max);
    let left = quads.iter().map(|q| q.at.left()).fold(f32::INFINITY, f32::min);
    if quads.is_empty() || (advance - room).abs() < 1.0 / scale {
        return;
    }
    let ink = right - left;
    let squeeze = if ink > room { room / ink } else { 1.0 };
    let shift = if ink > room {
        -left * squeeze
    } else {
        let centred = ((room - advance) / 2.0 * scale).round() / scale;
        centred.clamp(-left, (room - right).max(-left))
    };
    for quad in quads {
        quad.at.min.x = quad.at.min.x * squeeze + shift;
        quad.at.max.x = quad.at.max.x * squeeze + shift;
    }
}

fn bounds(points: impl Iterator<Item = Pos2>) -> Rect {
    let mut rect = Rect::NOTHING;
    points.for_each(|p| rect.extend_with(p));
    rect
}

fn layout(ctx: &Context, text: &str, size: f32, face: u8) -> Arc<Galley> {
    let family = fonts::mono(face & 1 != 0, face & 2 != 0);
    let format = TextFormat::simple(FontId::new(size, family), Color32::WHITE);
    let mut job = LayoutJob::single_section(text.to_owned(), format);
    job.wrap.max_width = f32::INFINITY;
    job.keep_trailing_whitespace = true;
    ctx.fonts_mut(|f| f.layout_job(job))
}
