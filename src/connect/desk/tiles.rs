//! A desktop's picture on its way to the person: what is new of it leaves in tiles
//! as long as the application takes them; what has to wait is sent as it looks by
//! then. Draws nothing.

use std::time::{Duration, Instant};

use super::damage::Damage;
use crate::connect::host::child::Uplink;
use crate::connect::host::wire::{DATA_MAX, WINDOW};
use crate::connect::screen::{CopyRect, PIXEL, Place, ScreenSaid};

/// Parts of a picture that changes all the time leave this far apart: nobody sees
/// more, and each costs several copies of its pixels.
const FRAME: Duration = Duration::from_millis(16);

/// Most copies that wait; what is copied more goes as pixels.
const COPIES_MAX: usize = 32;

/// What the person has not seen yet.
pub struct Tiles {
    damage: Damage,
    /// Copies that the application is still to make: by them its picture becomes this
    /// one but for the damage.
    copies: Vec<CopyRect>,
    channel: u32,
    /// Bytes of pixels that the application takes now.
    credit: usize,
    size: (u16, u16),
    tile: Vec<u8>,
    /// When the person had last been shown everything there was.
    whole_at: Option<Instant>,
}

impl Tiles {
    /// Those of this channel's picture, whose size is still to be told.
    pub fn new(channel: u32) -> Self {
        let tile = Vec::new();
        let damage = Damage::default();
        let copies = Vec::new();
        Self { damage, copies, channel, credit: WINDOW, size: (0, 0), tile, whole_at: None }
    }

    /// Tells the size if it is another than the one told last; whether it is.
    pub fn follow(&mut self, width: u16, height: u16, up: &Uplink) -> bool {
        if self.size == (width, height) {
            return false;
        }
        self.size = (width, height);
        self.damage.clear();
        self.copies.clear();
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

    /// This part was copied, within the picture.
    pub fn copied(&mut self, copy: CopyRect) {
        // The application would copy what it has not seen.
        self.damage.copied(copy);
        if self.damage.holds(copy.to) {
            return;
        }
        if self.copies.len() == COPIES_MAX {
            self.damage.add(copy.to);
        } else {
            self.copies.push(copy);
        }
    }

    /// The application took so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        self.credit += bytes;
    }

    /// Whether the person has seen everything.
    pub fn all_seen(&self) -> bool {
        self.damage.is_empty() && self.copies.is_empty()
    }

    /// Whether there is something to send that the application would take.
    pub fn can_send(&self) -> bool {
        let row = usize::from(self.size.0) * PIXEL;
        !self.all_seen() && self.credit >= row + self.copies.len() * CopyRect::WEIGHT
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
        self.credit -= self.copies.len() * CopyRect::WEIGHT;
        for copy in self.copies.drain(..) {
            up.copy(self.channel, &copy);
        }
        while let Some(place) = self.damage.take(self.credit.min(DATA_MAX) / PIXEL) {
            self.credit -= place.pixels() * PIXEL;
            let row_bytes = usize::from(place.width) * PIXEL;
            let fill = |row: usize, to: &mut [u8]| {
                let y = usize::from(place.y) + row;
                let start = y * stride + usize::from(place.x) * PIXEL;
                opaque(&data[start..start + row_bytes], to);
            };
            if !up.lend(self.channel, place, fill) {
                self.tile.resize(place.pixels() * PIXEL, 0);
                let rows = self.tile.chunks_exact_mut(row_bytes.max(1));
                rows.enumerate().for_each(|(row, to)| fill(row, to));
                up.tile(self.channel, place, &self.tile);
            }
        }
        self.whole_at = self.damage.is_empty().then(Instant::now);
    }
}

/// Copies pixels. The screen is opaque, whatever the server left in the fourth byte.
fn opaque(from: &[u8], to: &mut [u8]) {
    for (to, from) in to.chunks_exact_mut(PIXEL).zip(from.chunks_exact(PIXEL)) {
        to.copy_from_slice(&[from[0], from[1], from[2], 255]);
    }
}
