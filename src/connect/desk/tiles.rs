//! A desktop's picture on its way to the person: what is new of it leaves in tiles
//! as long as the application takes them; what has to wait is sent as it looks by
//! then. Draws nothing.

use super::damage::Damage;
use crate::connect::host::child::Uplink;
use crate::connect::host::wire::{DATA_MAX, WINDOW};
use crate::connect::screen::{PIXEL, Place, ScreenSaid};

/// What the person has not seen yet.
pub struct Tiles {
    damage: Damage,
    channel: u32,
    /// Bytes of pixels that the application takes now.
    credit: usize,
    size: (u16, u16),
    tile: Vec<u8>,
}

impl Tiles {
    /// Those of this channel's picture, whose size is still to be told.
    pub fn new(channel: u32) -> Self {
        let tile = Vec::new();
        Self { damage: Damage::default(), channel, credit: WINDOW, size: (0, 0), tile }
    }

    /// Tells the size if it is another than the one told last; whether it is.
    pub fn follow(&mut self, width: u16, height: u16, up: &Uplink) -> bool {
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

    /// This part was painted.
    pub fn painted(&mut self, place: Place) {
        let (width, height) = self.size;
        let (x, y) = (place.x.min(width), place.y.min(height));
        let right = place.x.saturating_add(place.width).min(width);
        let bottom = place.y.saturating_add(place.height).min(height);
        self.damage.add(Place { x, y, width: right - x, height: bottom - y });
    }

    /// The application took so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        self.credit += bytes;
    }

    /// Whether the person has seen everything.
    pub fn all_seen(&self) -> bool {
        self.damage.is_empty()
    }

    /// Whether there is something to send that the application would take.
    pub fn can_send(&self) -> bool {
        !self.damage.is_empty() && self.credit >= usize::from(self.size.0) * PIXEL
    }

    /// Sends what is new of the picture, as much as the application takes. Its rows
    /// lie `stride` bytes apart.
    pub fn send(&mut self, data: &[u8], stride: usize, up: &Uplink) {
        while let Some(place) = self.damage.take(self.credit.min(DATA_MAX) / PIXEL) {
            self.credit -= place.pixels() * PIXEL;
            self.cut(place, data, stride);
            up.tile(self.channel, place, &self.tile);
        }
    }

    fn cut(&mut self, place: Place, data: &[u8], stride: usize) {
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
