//! Turns the grid into triangles, one mesh per line, and keeps the meshes of
//! lines that did not change. Holds the grid only while copying the visible
//! cells.

use std::ops::Range;
use std::sync::Arc;

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::TermMode;
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::color::Colors;
use alacritty_terminal::vte::ansi::{CursorShape, NamedColor};
use egui::epaint::text::{Galley, PlacedRow, Row};
use egui::{Color32, Context, Mesh, Pos2, Rect, pos2};

use super::boxes::{self, Part};
use super::colors::{self, Scheme};
use super::glyphs::{self, Glyphs};
use super::model::Term;

/// The cursor as it is to be drawn on one line.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Cursor {
    column: usize,
    shape: CursorShape,
}

/// One visible line and what lies over it.
#[derive(Clone, PartialEq, Default)]
struct SeenRow {
    cells: Vec<Cell>,
    selected: Range<usize>,
    found: Vec<(Range<usize>, bool)>,
    link: Range<usize>,
    cursor: Option<Cursor>,
}

/// What was to be seen when the grid was last looked at.
#[derive(Default)]
pub(super) struct Seen {
    rows: Vec<SeenRow>,
    /// Lines scrolled back.
    pub(super) back: usize,
    /// Lines there are to scroll back.
    pub(super) history: usize,
    pub(super) mode: TermMode,
    /// Row and column of the cursor, when it is in view.
    pub(super) cursor: Option<(usize, usize)>,
}

/// What lies over the grid besides the selection, in lines of the grid.
#[derive(Clone, PartialEq, Default)]
pub(super) struct Marks {
    /// Found by the search: line, columns, and whether it is the current one.
    pub(super) found: Vec<(i32, Range<usize>, bool)>,
    /// The link under the pointer.
    pub(super) link: Vec<(i32, Range<usize>)>,
    /// The terminal has the keyboard.
    pub(super) focused: bool,
    /// Text being composed hides the cursor.
    pub(super) composing: bool,
}

/// Paints one terminal.
pub(super) struct Painter {
    pub(super) glyphs: Glyphs,
    seen: Seen,
    set: Colors,
    scheme: Scheme,
    meshes: Vec<Arc<Row>>,
    /// Lines whose mesh is out of date.
    stale: Vec<bool>,
    galley: Option<Arc<Galley>>,
    parts: Vec<Part>,
}

impl Painter {
    pub(super) fn new() -> Self {
        Self {
            glyphs: Glyphs::new(),
            seen: Seen::default(),
            set: Colors::default(),
            scheme: colors::DARK,
            meshes: Vec::new(),
            stale: Vec::new(),
            galley: None,
            parts: Vec::new(),
        }
    }

    pub(super) fn seen(&self) -> &Seen {
        &self.seen
    }

    /// Forgets every mesh, after a change of font or colours.
    pub(super) fn forget(&mut self) {
        self.meshes.clear();
        self.galley = None;
    }

    /// Chooses the colours.
    pub(super) fn dress(&mut self, scheme: &Scheme) {
        if self.scheme != *scheme {
            self.scheme = *scheme;
            self.forget();
        }
    }

    /// Copies what is to be seen. The meshes of lines that changed are dropped.
    pub(super) fn look(&mut self, term: &Term, marks: &Marks) {
        let grid = term.grid();
        let (rows, columns) = (term.screen_lines(), term.columns());
        let back = grid.display_offset();
        let content = term.renderable_content();
        let selection = content.selection;
        let cursor_line = content.cursor.point.line.0 + back as i32;
        let cursor_shape = cursor_shape(content.cursor.shape, marks);
        if !same_colors(&self.set, content.colors) {
            self.set = *content.colors;
            self.meshes.clear();
        }
        if self.seen.rows.len() != rows {
            self.seen.rows.resize_with(rows, SeenRow::default);
            self.meshes.clear();
        }
        self.seen.back = back;
        self.seen.history = grid.history_size();
        self.seen.mode = *term.mode();
        self.seen.cursor = (0..rows as i32)
            .contains(&cursor_line)
            .then_some((cursor_line as usize, content.cursor.point.column.0));
        let mut changed = self.meshes.len() != rows;
        self.stale.resize(rows, true);
        for (index, seen) in self.seen.rows.iter_mut().enumerate() {
            let line = Line(index as i32 - back as i32);
            let cells = &grid[line][Column(0)..Column(columns)];
            let selected = selection.map_or(0..0, |range| {
                if line < range.start.line || line > range.end.line {
                    return 0..0;
                }
                let first = line == range.start.line || range.is_block;
                let last = line == range.end.line || range.is_block;
                let from = if first { range.start.column.0 } else { 0 };
                let to = if last { range.end.column.0 + 1 } else { columns };
                from..to
            });
            let found = marks.found.iter().filter(|(at, ..)| *at == line.0);
            let found: Vec<_> = found.map(|(_, range, here)| (range.clone(), *here)).collect();
            let link = marks.link.iter().find(|(at, _)| *at == line.0);
            let link = link.map_or(0..0, |(_, range)| range.clone());
            let cursor = (cursor_line == index as i32)
                .then_some(Cursor { column: content.cursor.point.column.0, shape: cursor_shape })
                .filter(|cursor| cursor.shape != CursorShape::Hidden);
            let same = seen.cells == cells
                && seen.selected == selected
                && seen.found == found
                && seen.link == link
                && seen.cursor == cursor;
            if same {
                continue;
            }
            changed = true;
            seen.cells.clear();
            seen.cells.extend_from_slice(cells);
            seen.selected = selected;
            seen.found = found;
            seen.link = link;
            seen.cursor = cursor;
            self.stale[index] = true;
        }
        if changed {
            self.galley = None;
        }
    }

    /// The picture of what was seen, relative to the top left cell.
    pub(super) fn picture(&mut self, ctx: &Context) -> Option<Arc<Galley>> {
        if let Some(galley) = &self.galley {
            return Some(Arc::clone(galley));
        }
        let template = Arc::clone(self.glyphs.template()?);
        let model_row = Arc::clone(&template.rows.first()?.row);
        let cell = self.glyphs.cell().points();
        let rows = std::mem::take(&mut self.seen.rows);
        let fresh = self.meshes.len() != rows.len();
        if fresh {
            self.meshes.clear();
        }
        for (index, seen) in rows.iter().enumerate() {
            if !fresh && !self.stale[index] {
                continue;
            }
            let mut row = (*model_row).clone();
            row.glyphs.clear();
            row.size = egui::vec2(cell.x * seen.cells.len() as f32, cell.y);
            row.visuals.mesh = self.row_mesh(ctx, seen);
            row.visuals.mesh_bounds = Rect::from_min_size(Pos2::ZERO, row.size);
            row.visuals.glyph_index_start = 0;
            row.visuals.glyph_vertex_range = 0..0;
            if fresh {
                self.meshes.push(Arc::new(row));
            } else {
                self.meshes[index] = Arc::new(row);
            }
        }
        self.seen.rows = rows;
        self.stale.fill(false);
        let mut galley = (*template).clone();
        galley.rows = self
            .meshes
            .iter()
            .enumerate()
            .map(|(index, row)| PlacedRow {
                pos: pos2(0.0, cell.y * index as f32),
                row: Arc::clone(row),
                ends_with_newline: false,
            })
            .collect();
        galley.num_vertices = self.meshes.iter().map(|r| r.visuals.mesh.vertices.len()).sum();
        galley.num_indices = self.meshes.iter().map(|r| r.visuals.mesh.indices.len()).sum();
        let width = self.meshes.first().map_or(0.0, |row| row.size.x);
        galley.rect =
            Rect::from_min_size(Pos2::ZERO, egui::vec2(width, cell.y * self.meshes.len() as f32));
        galley.mesh_bounds = galley.rect;
        let galley = Arc::new(galley);
        self.galley = Some(Arc::clone(&galley));
        Some(galley)
    }

    /// The seen text, for screen readers.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        for row in &self.seen.rows {
            let start = text.len();
            for cell in &row.cells {
                if !cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER)
                {
                    text.push(cell.c);
                    text.extend(cell.zerowidth().into_iter().flatten());
                }
            }
            let end = start + text[start..].trim_end().len();
            text.truncate(end);
            text.push('\n');
        }
        text.truncate(text.trim_end().len());
        text
    }

    fn row_mesh(&mut self, ctx: &Context, row: &SeenRow) -> Mesh {
        let metrics = self.glyphs.cell();
        let size = metrics.points();
        let mut mesh = Mesh::default();
        mesh.vertices.reserve(row.cells.len() * 4);
        mesh.indices.reserve(row.cells.len() * 6);
        let scheme = self.scheme;
        let mut inks = Vec::with_capacity(row.cells.len());
        let mut run: Option<(usize, Color32)> = None;
        for (column, cell) in row.cells.iter().enumerate() {
            let (ink, ground) = self.inks(row, column, cell);
            inks.push((ink, ground));
            let ground = (ground != scheme.ground).then_some(ground);
            if run.map(|(_, color)| color) != ground {
                end_run(&mut mesh, run, column, size);
                run = ground.map(|color| (column, color));
            }
        }
        end_run(&mut mesh, run, row.cells.len(), size);
        for (column, cell) in row.cells.iter().enumerate() {
            let (ink, ground) = inks[column];
            let left = size.x * column as f32;
            if let Some(cursor) = row.cursor.filter(|c| c.column == column) {
                let cells = if cell.flags.contains(Flags::WIDE_CHAR) { 2.0 } else { 1.0 };
                let width = size.x * cells;
                add_cursor(&mut mesh, cursor.shape, left, width, metrics, self.cursor_color());
            }
            self.add_char(ctx, &mut mesh, cell, left, ink);
            let link = row.link.contains(&column);
            if link || cell.flags.intersects(Flags::ALL_UNDERLINES | Flags::STRIKEOUT) {
                let line_ink = cell.underline_color().map_or(ink, |color| {
                    let color = colors::resolve(&scheme, &self.set, color);
                    if ground == color { ink } else { color }
                });
                add_lines(&mut mesh, cell.flags, link, left, metrics, (line_ink, ink), column);
            }
        }
        mesh
    }

    /// Text and ground of a cell, with everything that lies over it.
    fn inks(&self, row: &SeenRow, column: usize, cell: &Cell) -> (Color32, Color32) {
        let scheme = &self.scheme;
        let pair = (cell.fg, cell.bg);
        let (mut ink, mut ground) = colors::cell(scheme, &self.set, cell.c, pair, cell.flags);
        if let Some((_, here)) = row.found.iter().find(|(range, _)| range.contains(&column)) {
            ground = if *here { scheme.found_here } else { scheme.found };
            let readable = *here || scheme.ground.r() > 128;
            ink = if readable { scheme.on_found } else { Color32::WHITE };
        }
        if row.selected.contains(&column) {
            ground = scheme.selection;
            ink = readable_on(ink, ground, scheme.text);
        }
        if row.cursor.is_some_and(|c| c.column == column && c.shape == CursorShape::Block) {
            ink = readable_on(scheme.ground, self.cursor_color(), Color32::BLACK);
        }
        (ink, ground)
    }

    fn cursor_color(&self) -> Color32 {
        self.set[NamedColor::Cursor]
            .map_or(self.scheme.cursor, |c| Color32::from_rgb(c.r, c.g, c.b))
    }

    fn add_char(&mut self, ctx: &Context, mesh: &mut Mesh, cell: &Cell, left: f32, ink: Color32) {
        let hidden = Flags::HIDDEN | Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER;
        let marks = cell.zerowidth().unwrap_or_default();
        if (cell.c <= ' ' && marks.is_empty()) || cell.flags.intersects(hidden) {
            return;
        }
        let metrics = self.glyphs.cell();
        if matches!(cell.c, '\u{2500}'..='\u{259F}' | '\u{2800}'..='\u{28FF}' | '\u{E0B0}' | '\u{E0B2}')
            && boxes::parts(cell.c, metrics.pixels.x, metrics.pixels.y, &mut self.parts)
        {
            add_parts(mesh, &self.parts, left, metrics.scale, ink);
            return;
        }
        let style = (cell.flags.contains(Flags::BOLD), cell.flags.contains(Flags::ITALIC));
        let cells = if cell.flags.contains(Flags::WIDE_CHAR) { 2 } else { 1 };
        for quad in self.glyphs.quads(ctx, cell.c, marks, style, cells) {
            mesh.add_rect_with_uv(quad.at.translate(egui::vec2(left, 0.0)), quad.texels, ink);
        }
    }
}

/// `ink`, or `other` where `ink` could not be read on `ground`.
fn readable_on(ink: Color32, ground: Color32, other: Color32) -> Color32 {
    if crate::gui::theme::contrast(ink, ground) >= 3.0 { ink } else { other }
}

fn same_colors(a: &Colors, b: &Colors) -> bool {
    (0..alacritty_terminal::term::color::COUNT).all(|i| a[i] == b[i])
}

fn cursor_shape(shape: CursorShape, marks: &Marks) -> CursorShape {
    match shape {
        CursorShape::Hidden => CursorShape::Hidden,
        _ if marks.composing => CursorShape::Hidden,
        _ if !marks.focused => CursorShape::HollowBlock,
        other => other,
    }
}

fn end_run(mesh: &mut Mesh, run: Option<(usize, Color32)>, end: usize, cell: egui::Vec2) {
    if let Some((start, color)) = run {
        let rect =
            Rect::from_min_max(pos2(cell.x * start as f32, 0.0), pos2(cell.x * end as f32, cell.y));
        mesh.add_colored_rect(rect, color);
    }
}

/// A rectangle in pixels, from `left` points on.
fn add_pixels(mesh: &mut Mesh, left: f32, scale: f32, [l, t, r, b]: [f32; 4], color: Color32) {
    let rect =
        Rect::from_min_max(pos2(left + l / scale, t / scale), pos2(left + r / scale, b / scale));
    mesh.add_colored_rect(rect, color);
}

fn add_parts(mesh: &mut Mesh, parts: &[Part], left: f32, scale: f32, ink: Color32) {
    for part in parts {
        match *part {
            Part::Rect(rect, share) => {
                add_pixels(mesh, left, scale, rect, ink.gamma_multiply(share))
            }
            Part::Triangle(corners) => {
                let first = mesh.vertices.len() as u32;
                for [x, y] in corners {
                    mesh.colored_vertex(pos2(left + x / scale, y / scale), ink);
                }
                mesh.add_triangle(first, first + 1, first + 2);
            }
        }
    }
}

fn add_cursor(
    mesh: &mut Mesh,
    shape: CursorShape,
    left: f32,
    width: f32,
    cell: glyphs::Cell,
    color: Color32,
) {
    let (w, h) = (width * cell.scale, cell.pixels.y);
    let thick = (cell.pixels.x / 6.0).round().max(1.0);
    let thin = (cell.pixels.x / 9.0).round().max(1.0);
    let mut rect = |part: [f32; 4]| add_pixels(mesh, left, cell.scale, part, color);
    match shape {
        CursorShape::Block => rect([0.0, 0.0, w, h]),
        CursorShape::Underline => rect([0.0, h - thick, w, h]),
        CursorShape::Beam => rect([0.0, 0.0, thick, h]),
        CursorShape::HollowBlock => {
            rect([0.0, 0.0, w, thin]);
            rect([0.0, h - thin, w, h]);
            rect([0.0, thin, thin, h - thin]);
            rect([w - thin, thin, w, h - thin]);
        }
        CursorShape::Hidden => {}
    }
}

/// Underlines of all kinds and the line through, in pixels of one cell.
fn add_lines(
    mesh: &mut Mesh,
    flags: Flags,
    link: bool,
    left: f32,
    cell: glyphs::Cell,
    (line_ink, ink): (Color32, Color32),
    column: usize,
) {
    let (w, h) = (cell.pixels.x, cell.pixels.y);
    let thick = (w / 9.0).round().max(1.0);
    let top = (cell.baseline + thick + 1.0).min(h - thick);
    let mut rect = |part: [f32; 4], color: Color32| add_pixels(mesh, left, cell.scale, part, color);
    if flags.contains(Flags::UNDERLINE) || link {
        rect([0.0, top, w, top + thick], line_ink);
    }
    if flags.contains(Flags::DOUBLE_UNDERLINE) {
        let second = (top + 2.0 * thick).min(h - thick);
        rect([0.0, second - 2.0 * thick, w, second - thick], line_ink);
        rect([0.0, second, w, second + thick], line_ink);
    }
    if flags.contains(Flags::UNDERCURL) {
        let low = (top + 2.0 * thick).min(h - thick);
        let quarter = w / 4.0;
        for (i, y) in [low - thick, low - 2.0 * thick, low - thick, low].into_iter().enumerate() {
            let x = (i as f32 * quarter).round();
            rect([x, y, ((i + 1) as f32 * quarter).round(), y + thick], line_ink);
        }
    }
    if flags.contains(Flags::DOTTED_UNDERLINE) {
        // The pattern runs on across cells of an odd width.
        let phase = (column as f32 * w) % (2.0 * thick);
        let mut x = -phase;
        while x < w {
            if x + thick > 0.0 {
                rect([x.max(0.0), top, (x + thick).min(w), top + thick], line_ink);
            }
            x += 2.0 * thick;
        }
    }
    if flags.contains(Flags::DASHED_UNDERLINE) {
        let dash = (w / 3.0).round();
        rect([0.0, top, dash, top + thick], line_ink);
        rect([w - dash, top, w, top + thick], line_ink);
    }
    if flags.contains(Flags::STRIKEOUT) {
        let middle = (cell.baseline * 0.68).round();
        rect([0.0, middle, w, middle + thick], ink);
    }
}
