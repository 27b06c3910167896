//! A remote desktop in plain values: what its picture is made of, and what a person
//! does to it, whatever protocol carries them. Draws nothing, knows no protocol.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::os::shared_memory::ReadMemory;

/// Bytes of a pixel: red, green, blue, and 255.
pub const PIXEL: usize = 4;

/// The desktop that is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ScreenSize {
    /// Width in pixels, 200 to 8192.
    pub width: u16,
    /// Height in pixels, 200 to 8192.
    pub height: u16,
    /// How large the far side is to draw, in percent, 100 to 500
    /// (MS-RDPEDISP section 2.2.2.2.1).
    pub scale: u16,
}

impl ScreenSize {
    /// Smallest width and height that protocols take (MS-RDPEDISP section 2.2.2.2.1).
    pub const MIN: u16 = 200;
    /// Largest width and height.
    pub const MAX: u16 = 8192;

    /// The nearest size that protocols take: the width is even.
    #[must_use]
    pub fn fitting(self) -> Self {
        let within = |side: u16| side.clamp(Self::MIN, Self::MAX);
        Self {
            width: within(self.width) & !1,
            height: within(self.height),
            scale: self.scale.clamp(100, 500),
        }
    }
}

/// A rectangle of the picture, in pixels from its upper left corner.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Place {
    /// Left edge.
    pub x: u16,
    /// Upper edge.
    pub y: u16,
    /// Width.
    pub width: u16,
    /// Height.
    pub height: u16,
}

impl Place {
    /// Pixels in it.
    pub fn pixels(self) -> usize {
        usize::from(self.width) * usize::from(self.height)
    }
}

/// A part of the picture that is new.
#[derive(Clone, PartialEq, Eq)]
pub struct Tile {
    /// Where it belongs.
    pub place: Place,
    /// [`PIXEL`] bytes for each pixel, row after row, without gaps.
    pub pixels: Vec<u8>,
}

/// A part of the picture that is new, in memory that the session process writes to: it
/// is there until this value and its clones are gone, however long somebody lets them
/// wait. A process that was taken over may put anything there, at any time.
#[derive(Clone, Debug)]
pub struct LentTile {
    place: Place,
    at: usize,
    loan: Arc<Loan>,
}

/// A piece of the memory that the session process may not use meanwhile.
struct Loan {
    memory: Arc<ReadMemory>,
    give_back: Box<dyn Fn() + Send + Sync>,
}

impl Drop for Loan {
    fn drop(&mut self) {
        (self.give_back)();
    }
}

impl fmt::Debug for Loan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").field("memory", &self.memory).finish_non_exhaustive()
    }
}

impl LentTile {
    /// The one that lies there; `None` if it does not lie in the memory. `give_back` is
    /// called once nobody has it any more.
    pub fn new(
        place: Place,
        at: usize,
        memory: Arc<ReadMemory>,
        give_back: impl Fn() + Send + Sync + 'static,
    ) -> Option<Self> {
        let end = place.pixels().checked_mul(PIXEL)?.checked_add(at)?;
        let loan = || Arc::new(Loan { memory: memory.clone(), give_back: Box::new(give_back) });
        (end <= memory.length()).then(|| Self { place, at, loan: loan() })
    }

    /// Where it belongs.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Copies the beginning of a row, as much as `into` has room for.
    pub fn row(&self, row: usize, into: &mut [u8]) {
        let row_bytes = usize::from(self.place.width) * PIXEL;
        let length = into.len().min(row_bytes);
        if row < usize::from(self.place.height) {
            self.loan.memory.read(self.at + row * row_bytes, &mut into[..length]);
        }
    }

    /// The same with pixels of its own.
    pub fn tile(&self) -> Tile {
        let mut pixels = vec![0; self.place.pixels() * PIXEL];
        self.loan.memory.read(self.at, &mut pixels);
        Tile { place: self.place, pixels }
    }
}

/// A part of the picture that is there already, at another place (RFC 6143 section
/// 7.7.2).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CopyRect {
    /// Left edge of what is copied, which has the size of `to`.
    pub from_x: u16,
    /// Its upper edge.
    pub from_y: u16,
    /// Where it goes.
    pub to: Place,
}

impl CopyRect {
    /// What a copy counts for among the bytes that are under way: it is short, but
    /// takes work at the other end.
    pub const WEIGHT: usize = 4096;

    /// Where it comes from.
    pub fn from(self) -> Place {
        Place { x: self.from_x, y: self.from_y, ..self.to }
    }
}

/// Copies rows of `data`, which lie `width` pixels apart, as they were before. Both
/// places lie in it.
pub fn copy_rows(data: &mut [u8], width: u16, copy: CopyRect) {
    let row_bytes = usize::from(copy.to.width) * PIXEL;
    let rows = usize::from(copy.to.height);
    let at = |x: u16, y: usize| (y * usize::from(width) + usize::from(x)) * PIXEL;
    for i in 0..rows {
        // Rows that are still to be copied are not painted over before.
        let row = if copy.to.y > copy.from_y { rows - 1 - i } else { i };
        let source = at(copy.from_x, usize::from(copy.from_y) + row);
        let target = at(copy.to.x, usize::from(copy.to.y) + row);
        data.copy_within(source..source + row_bytes, target);
    }
}

/// What the far side says besides its picture.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ScreenSaid {
    /// The desktop has this size from now on; it is black until it is painted.
    Size {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
    },
    /// The shape of the pointer.
    Pointer(Pointer),
    /// A bell.
    Bell,
}

/// The shape of the pointer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Pointer {
    /// That of this machine.
    Ordinary,
    /// None.
    Hidden,
    /// That of the far side.
    Shape {
        /// Width in pixels.
        width: u16,
        /// Height in pixels.
        height: u16,
        /// The point that points, from the left.
        hot_x: u16,
        /// The point that points, from above.
        hot_y: u16,
        /// Four bytes a pixel: red, green, blue, opacity; colours not multiplied.
        pixels: Vec<u8>,
    },
}

/// What a person does to it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum ScreenInput {
    /// A key goes down or up.
    Key(KeyStroke),
    /// A character without a key of its own, such as one put together from a dead
    /// key, or one from another input method.
    Char(char),
    /// The pointer moves to this pixel.
    Move {
        /// From the left.
        x: u16,
        /// From above.
        y: u16,
    },
    /// A button of the mouse.
    Button {
        /// Which.
        button: MouseButton,
        /// Down or up.
        down: bool,
    },
    /// The wheel: 120 for a notch, away from the person or to the right.
    Wheel {
        /// How far.
        turn: i16,
        /// Sideways.
        sideways: bool,
    },
    /// Which lock keys are on, when the keyboard comes back to the desktop.
    Locks {
        /// Caps Lock.
        caps: bool,
        /// Num Lock.
        num: bool,
        /// Scroll Lock.
        scroll: bool,
    },
    /// The keyboard went elsewhere: no key is held any more.
    LetGo,
    /// Another size is wanted.
    Resize(ScreenSize),
}

/// A key of the keyboard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyStroke {
    /// Make code of set 1, as a PC keyboard names the place of the key; 0 where it
    /// has none.
    pub scancode: u8,
    /// The code has the prefix `E0`.
    pub extended: bool,
    /// What the key means on this keyboard, as an X11 keysym; 0 where unknown.
    pub keysym: u32,
    /// Down or up.
    pub down: bool,
}

/// A button of the mouse.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub enum MouseButton {
    /// The main one.
    Left,
    /// The wheel's.
    Middle,
    /// For the context menu.
    Right,
    /// The first on the side.
    Back,
    /// The second on the side.
    Forward,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_made_to_fit() {
        let size = ScreenSize { width: 1279, height: 90, scale: 0 }.fitting();
        assert_eq!(size, ScreenSize { width: 1278, height: 200, scale: 100 });
        let size = ScreenSize { width: 9001, height: 9001, scale: 900 }.fitting();
        assert_eq!(size, ScreenSize { width: 8192, height: 8192, scale: 500 });
    }
}
