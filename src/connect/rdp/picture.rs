//! The desktop's picture as the server paints it. Draws nothing itself.

use std::time::Instant;

use ironrdp_graphics::image_processing::PixelFormat;
use ironrdp_pdu::Action;
use ironrdp_pdu::bitmap::BitmapData;
use ironrdp_pdu::geometry::InclusiveRectangle;
use ironrdp_session::image::DecodedImage;

use super::bitmaps::{self, Canvas, Painter};
use crate::connect::desk::tiles::Tiles;
use crate::connect::host::child::Uplink;
use crate::connect::screen::Place;

/// A picture and who sees it.
pub struct Picture {
    /// What the stage has painted; beside a canvas, what that has not taken yet.
    pub image: DecodedImage,
    /// What the desktop looks like, once plain bitmaps are painted beside the stage.
    canvas: Option<Canvas>,
    painter: Painter,
    tiles: Tiles,
}

impl Picture {
    /// A black one of this size, for this channel.
    pub fn new(channel: u32, width: u16, height: u16, up: &Uplink) -> Self {
        let image = transparent(width, height);
        let (canvas, painter) = (None, Painter::default());
        let mut new = Self { image, canvas, painter, tiles: Tiles::new(channel) };
        new.follow(up);
        new
    }

    /// The desktop has another size now.
    pub fn resize(&mut self, width: u16, height: u16, up: &Uplink) {
        self.image = transparent(width, height);
        self.canvas = None;
        self.follow(up);
    }

    /// Tells the size if it is another than the one told last; whether it is.
    pub fn follow(&mut self, up: &Uplink) -> bool {
        let size = (self.image.width(), self.image.height());
        self.canvas.take_if(|canvas| (canvas.width, canvas.height) != size);
        self.tiles.follow(self.image.width(), self.image.height(), up)
    }

    /// Width and height.
    pub fn size(&self) -> (u16, u16) {
        self.tiles.size()
    }

    /// Paints a frame if plain bitmaps are all that it holds; else the stage has to.
    pub fn paint(&mut self, action: Action, frame: &[u8], io_channel: u16) -> bool {
        match action {
            Action::FastPath => bitmaps::of_frame(frame).is_some_and(|all| self.paint_all(&all)),
            Action::X224 => bitmaps::update(frame, io_channel).is_some_and(|update| {
                bitmaps::of_update(&update).is_some_and(|all| self.paint_all(&all))
            }),
        }
    }

    fn paint_all(&mut self, bitmaps: &[BitmapData<'_>]) -> bool {
        let (width, height) = (self.image.width(), self.image.height());
        let canvas = match &mut self.canvas {
            Some(canvas) => canvas,
            none => {
                let like = Canvas::like(width, height, self.image.data());
                self.image = transparent(width, height);
                none.insert(like)
            }
        };
        for bitmap in bitmaps {
            if self.painter.paint(bitmap, canvas).is_none() {
                return false;
            }
            self.tiles.painted(place(&bitmap.rectangle));
        }
        true
    }

    /// The stage painted these parts.
    pub fn painted(&mut self, parts: Vec<InclusiveRectangle>) {
        for part in &parts {
            let part = place(part);
            if let Some(canvas) = &mut self.canvas {
                canvas.take(self.image.data(), part);
            }
            self.tiles.painted(part);
        }
        // The stage tells of a part that holds all it painted, and more.
        if self.canvas.is_some() && !parts.is_empty() {
            self.image = transparent(self.image.width(), self.image.height());
        }
    }

    /// The application took so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        self.tiles.taken(bytes);
    }

    /// Whether there is something to send that the application would take.
    pub fn can_send(&self) -> bool {
        self.tiles.can_send()
    }

    /// When to send it, where there is.
    pub fn due(&self) -> Option<Instant> {
        self.tiles.due()
    }

    /// Sends what is new, as much as the application takes.
    pub fn send(&mut self, up: &Uplink) {
        let pixels = self.canvas.as_ref().map_or(self.image.data(), |canvas| &canvas.pixels);
        self.tiles.send(pixels, self.image.stride(), up);
    }
}

/// A picture in which nothing is painted.
fn transparent(width: u16, height: u16) -> DecodedImage {
    DecodedImage::new(PixelFormat::RgbA32, width, height)
}

fn place(part: &InclusiveRectangle) -> Place {
    let far = |last: u16| last.saturating_add(1);
    Place {
        x: part.left,
        y: part.top,
        width: far(part.right).saturating_sub(part.left),
        height: far(part.bottom).saturating_sub(part.top),
    }
}
