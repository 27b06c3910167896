//! The desktop's picture on its way to the person: what is new of it leaves in tiles
//! as long as the application takes them; what has to wait is sent as it looks by
//! then. Draws nothing.

use ironrdp_graphics::image_processing::PixelFormat;
use ironrdp_pdu::geometry::InclusiveRectangle;
use ironrdp_session::image::DecodedImage;

use super::damage::Damage;
use crate::connect::host::child::Uplink;
use crate::connect::host::wire::{DATA_MAX, WINDOW};
use crate::connect::screen::{PIXEL, Place, ScreenSaid};

/// A picture and who sees it.
pub struct Picture {
    /// What the desktop looks like.
    pub image: DecodedImage,
    damage: Damage,
    channel: u32,
    /// Bytes of pixels that the application takes now.
    credit: usize,
    size: (u16, u16),
    tile: Vec<u8>,
}

impl Picture {
    /// A black one of this size, for this channel.
    pub fn new(channel: u32, width: u16, height: u16, up: &Uplink) -> Self {
        let mut new = Self {
            image: DecodedImage::new(PixelFormat::RgbA32, width, height),
            damage: Damage::default(),
            channel,
            credit: WINDOW,
            size: (0, 0),
            tile: Vec::new(),
        };
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
        let (width, height) = (self.image.width(), self.image.height());
        if self.size == (width, height) {
            return false;
        }
        self.size = (width, height);
        self.damage.clear();
        self.damage.add(Place { x: 0, y: 0, width, height });
        up.screen(self.channel, &ScreenSaid::Size { width, height });
        true
    }

    /// Width and height.
    pub fn size(&self) -> (u16, u16) {
        self.size
    }

    /// These parts were painted.
    pub fn painted(&mut self, parts: Vec<InclusiveRectangle>) {
        let (width, height) = self.size;
        for part in parts {
            let (x, y) = (part.left.min(width), part.top.min(height));
            let right = part.right.saturating_add(1).min(width);
            let bottom = part.bottom.saturating_add(1).min(height);
            self.damage.add(Place {
                x,
                y,
                width: right.saturating_sub(x),
                height: bottom.saturating_sub(y),
            });
        }
    }

    /// The application took so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        self.credit += bytes;
    }

    /// Whether there is something to send that the application would take.
    pub fn can_send(&self) -> bool {
        !self.damage.is_empty() && self.credit >= usize::from(self.size.0) * PIXEL
    }

    /// Sends what is new, as much as the application takes.
    pub fn send(&mut self, up: &Uplink) {
        while let Some(place) = self.damage.take(self.credit.min(DATA_MAX) / PIXEL) {
            self.credit -= place.pixels() * PIXEL;
            self.cut(place);
            up.tile(self.channel, place, &self.tile);
        }
    }

    fn cut(&mut self, place: Place) {
        let (stride, data) = (self.image.stride(), self.image.data());
        let row_bytes = usize::from(place.width) * PIXEL;
        self.tile.clear();
        for row in 0..usize::from(place.height) {
            let start = (usize::from(place.y) + row) * stride + usize::from(place.x) * PIXEL;
            self.tile.extend_from_slice(&data[start..start + row_bytes]);
        }
        // The screen is opaque, whatever the server left in the fourth byte.
        for pixel in self.tile.chunks_exact_mut(PIXEL) {
            pixel[PIXEL - 1] = 255;
        }
    }
}
