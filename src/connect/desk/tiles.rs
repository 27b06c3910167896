//! A desktop's picture on its way to the person: what is new of it leaves in tiles
//! as long as the application takes them; what has to wait is sent as it looks by
//! then. Draws nothing.

use std::time::{Duration, Instant};

use super::damage::Damage;
use crate::connect::host::child::Uplink;
use crate::connect::host::wire::{DATA_MAX, WINDOW};
use crate::connect::screen::{PIXEL, Place, ScreenSaid};

/// Parts of a picture that changes all the time leave this far apart: nobody sees
/// more, and each costs several copies of its pixels.
pub const FRAME: Duration = Duration::from_millis(16);

/// What the person has not seen yet.
pub struct Tiles {
    damage: Damage,
    channel: u32,
    /// Bytes of pixels that the application takes now.
    credit: usize,
    size: (u16, u16),
    /// When the person had last been shown everything there was.
    whole_at: Option<Instant>,
}

impl Tiles {
    /// Those of this channel's picture, whose size is still to be told.
    pub fn new(channel: u32) -> Self {
        let damage = Damage::default();
        Self { damage, channel, credit: WINDOW, size: (0, 0), whole_at: None }
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

    /// Whether there is something to send that the application would take.
    pub fn can_send(&self) -> bool {
        let row = usize::from(self.size.0) * PIXEL;
        !self.damage.is_empty() && self.credit >= row
    }

    /// When to send it, where there is: at once after a rest, and what had to wait for
    /// the application; never in between for what changes all the time.
    pub fn due(&self) -> Option<Instant> {
        let due = || self.whole_at.map_or_else(Instant::now, |at| at + FRAME);
        self.can_send().then(due)
    }

    /// Sends what is new of the picture, as much as the application takes. Its rows
    /// lie `stride` bytes apart.
    pub fn send(&mut self, data: &[u8], stride: usize, up: &Uplink) {
        if !self.can_send() {
            return;
        }
        while let Some(place) = self.damage.take(self.credit.min(DATA_MAX) / PIXEL) {
            self.credit -= place.pixels() * PIXEL;
            let start = usize::from(place.y) * stride + usize::from(place.x) * PIXEL;
            hand_over(up, self.channel, place, &data[start..], stride);
            // These parts are large: the application copies one while the next is made.
            up.flush();
        }
        self.whole_at = self.damage.is_empty().then(Instant::now);
    }
}

/// Gives the application a part of the picture, at most [`DATA_MAX`] bytes of pixels.
/// They begin with `data`, their rows lie `stride` bytes apart. Told with the next flush.
pub fn hand_over(up: &Uplink, channel: u32, place: Place, data: &[u8], stride: usize) {
    let row_bytes = usize::from(place.width) * PIXEL;
    let fill = |row: usize, to: &mut [u8]| {
        opaque(&data[row * stride..row * stride + row_bytes], to);
    };
    if !up.lend(channel, place, fill) {
        let mut tile = vec![0; place.pixels() * PIXEL];
        let rows = tile.chunks_exact_mut(row_bytes.max(1));
        rows.enumerate().for_each(|(row, to)| fill(row, to));
        up.tile(channel, place, &tile);
    }
}

/// Copies pixels. The screen is opaque, whatever the server left in the fourth byte.
fn opaque(from: &[u8], to: &mut [u8]) {
    for (to, from) in to.chunks_exact_mut(PIXEL).zip(from.chunks_exact(PIXEL)) {
        to.copy_from_slice(&[from[0], from[1], from[2], 255]);
    }
}
