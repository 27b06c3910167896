//! The desktop's picture as the server paints it. Draws nothing itself.

use std::time::Instant;

use ironrdp_graphics::image_processing::PixelFormat;
use ironrdp_pdu::geometry::InclusiveRectangle;
use ironrdp_session::image::DecodedImage;

use crate::connect::desk::tiles::Tiles;
use crate::connect::host::child::Uplink;
use crate::connect::screen::Place;

/// A picture and who sees it.
pub struct Picture {
    /// What the desktop looks like.
    pub image: DecodedImage,
    tiles: Tiles,
}

impl Picture {
    /// A black one of this size, for this channel.
    pub fn new(channel: u32, width: u16, height: u16, up: &Uplink) -> Self {
        let image = DecodedImage::new(PixelFormat::RgbA32, width, height);
        let mut new = Self { image, tiles: Tiles::new(channel) };
        new.follow(up);
        new
    }

    /// The desktop has another size now.
    pub fn resize(&mut self, width: u16, height: u16, up: &Uplink) {
        self.image = DecodedImage::new(PixelFormat::RgbA32, width, height);
        self.follow(up);
    }

    /// Tells the size if it is another than the one told last; whether it is.
    pub fn follow(&mut self, up: &Uplink) -> bool {
        self.tiles.follow(self.image.width(), self.image.height(), up)
    }

    /// Width and height.
    pub fn size(&self) -> (u16, u16) {
        self.tiles.size()
    }

    /// These parts were painted.
    pub fn painted(&mut self, parts: Vec<InclusiveRectangle>) {
        for part in parts {
            let far = |last: u16| last.saturating_add(1);
            self.tiles.painted(Place {
                x: part.left,
                y: part.top,
                width: far(part.right).saturating_sub(part.left),
                height: far(part.bottom).saturating_sub(part.top),
            });
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
        self.tiles.send(self.image.data(), self.image.stride(), up);
    }
}
