//! The picture on its way to the application, as the server paints it and in that
//! order. The application keeps it; here is only what its window has no room for yet.
//! Parts outside of it are left out, whatever the server says.

use std::time::Instant;

use vnc::Rect;

use crate::connect::desk::tiles::{FRAME, hand_over};
use crate::connect::host::child::Uplink;
use crate::connect::host::wire::{DATA_MAX, WINDOW};
use crate::connect::screen::{CopyRect, PIXEL, Place, ScreenSaid};

/// A picture, and who sees it.
pub struct Picture<'a> {
    up: &'a Uplink,
    channel: u32,
    width: u16,
    height: u16,
    /// Bytes that the application takes now.
    credit: usize,
    /// What it does not take yet.
    waiting: Option<Part>,
    /// Since when it was given parts without having been told.
    untold: Option<Instant>,
}

/// A part of the picture.
enum Part {
    /// These pixels belong there.
    Pixels(Place, Vec<u8>),
    /// It is there already, at another place.
    Copy(CopyRect),
}

/// Where a part lies.
pub fn place(rect: &Rect) -> Place {
    Place { x: rect.x, y: rect.y, width: rect.width, height: rect.height }
}

impl<'a> Picture<'a> {
    /// That of this channel, whose size is still to be told.
    pub fn new(channel: u32, up: &'a Uplink) -> Self {
        Self { up, channel, width: 0, height: 0, credit: WINDOW, waiting: None, untold: None }
    }

    /// The desktop has this size: it is black until it is painted. Whether what was
    /// painted is gone by that.
    pub fn resize(&mut self, width: u16, height: u16) -> bool {
        let before = (self.width, self.height);
        if before == (width, height) {
            return false;
        }
        (self.width, self.height) = (width, height);
        self.waiting = None;
        self.up.screen(self.channel, &ScreenSaid::Size { width, height });
        before != (0, 0)
    }

    /// Width and height.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// Whether the application was given everything there is; before, nothing more may
    /// be painted.
    pub fn is_free(&self) -> bool {
        self.waiting.is_none()
    }

    /// The application took so many bytes.
    pub fn taken(&mut self, bytes: usize) {
        self.credit += bytes;
        if !self.is_free() {
            self.give();
        }
    }

    fn holds(&self, place: Place) -> bool {
        place.x.checked_add(place.width).is_some_and(|right| right <= self.width)
            && place.y.checked_add(place.height).is_some_and(|bottom| bottom <= self.height)
    }

    /// Paints these pixels; whether they fit.
    pub fn paint(&mut self, place: Place, pixels: Vec<u8>) -> bool {
        if !self.holds(place) || pixels.len() != place.pixels() * PIXEL {
            return false;
        }
        if place.pixels() > 0 {
            self.put(Part::Pixels(place, pixels));
        }
        true
    }

    /// Copies a part of the picture to `to`; whether both lie in it.
    pub fn copy(&mut self, from: Place, to: Place) -> bool {
        let from = Place { width: to.width, height: to.height, ..from };
        if !self.holds(from) || !self.holds(to) {
            return false;
        }
        if from != to && to.pixels() > 0 {
            self.put(Part::Copy(CopyRect { from_x: from.x, from_y: from.y, to }));
        }
        true
    }

    /// Paints a JPEG; whether it can be read and fits.
    pub fn jpeg(&mut self, place: Place, file: &[u8]) -> bool {
        let mut reader =
            image::ImageReader::with_format(std::io::Cursor::new(file), image::ImageFormat::Jpeg);
        let mut limits = image::Limits::default();
        limits.max_image_width = Some(u32::from(place.width));
        limits.max_image_height = Some(u32::from(place.height));
        reader.limits(limits);
        match reader.decode() {
            Ok(picture) => self.paint(place, picture.into_rgba8().into_raw()),
            Err(_) => false,
        }
    }

    /// When the person is to see what was given of an update that takes long.
    pub fn due(&self) -> Option<Instant> {
        self.untold.map(|since| since + FRAME)
    }

    /// The person sees what was given.
    pub fn show(&mut self) {
        self.untold = None;
        self.up.flush();
    }

    fn put(&mut self, part: Part) {
        debug_assert!(self.is_free(), "parts stay in their order");
        self.waiting = Some(part);
        self.give();
    }

    /// Gives the application what waits, as much as it takes.
    fn give(&mut self) {
        match self.waiting.take() {
            None => {}
            Some(Part::Copy(copy)) if self.credit >= CopyRect::WEIGHT => {
                self.credit -= CopyRect::WEIGHT;
                self.up.copy(self.channel, &copy);
            }
            Some(Part::Pixels(mut place, pixels)) => {
                let row_bytes = usize::from(place.width) * PIXEL;
                while place.height > 0 {
                    let rows = self.credit.min(DATA_MAX) / row_bytes;
                    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(place.height);
                    if height == 0 {
                        break;
                    }
                    let part = Place { height, ..place };
                    let left = usize::from(place.height) * row_bytes;
                    let data = &pixels[pixels.len() - left..];
                    hand_over(self.up, self.channel, part, data, row_bytes);
                    self.credit -= part.pixels() * PIXEL;
                    place.y += height;
                    place.height -= height;
                }
                // What is left are the last rows of these pixels.
                if place.height > 0 {
                    self.waiting = Some(Part::Pixels(place, pixels));
                }
            }
            Some(later) => self.waiting = Some(later),
        }
        if self.is_free() {
            self.untold.get_or_insert_with(Instant::now);
        } else {
            // The application takes nothing that it was not told of.
            self.show();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Seek;

    use super::*;
    use crate::connect::host::wire::{self, Frame, Tag};
    use crate::connect::screen::Tile;

    /// Everything that the application is told.
    fn told(mut pipe: File) -> Vec<Frame> {
        pipe.rewind().expect("a file");
        std::iter::from_fn(|| wire::read(&mut pipe).expect("whole frames")).collect()
    }

    fn uplink() -> (Uplink, File) {
        let pipe = tempfile::tempfile().expect("a file");
        (Uplink::onto(pipe.try_clone().expect("the same")), pipe)
    }

    fn tiles(frames: Vec<Frame>) -> Vec<Tile> {
        let tiles = frames.into_iter().filter(|frame| frame.tag == Tag::Tile);
        tiles.map(|frame| frame.into_tile().expect("a tile")).collect()
    }

    const CORNER: Place = Place { x: 0, y: 0, width: 2, height: 1 };

    #[test]
    fn parts_leave_in_their_order_as_the_application_takes_them() {
        let (up, pipe) = uplink();
        let mut picture = Picture::new(1, &up);
        assert!(!picture.resize(1000, 700), "nothing was painted before");
        let whole = Place { x: 0, y: 0, width: 1000, height: 700 };
        let pixels: Vec<u8> = (0..700_000u32).flat_map(u32::to_le_bytes).collect();
        assert!(picture.paint(whole, pixels.clone()));
        let mut rounds = 0;
        while !picture.is_free() {
            picture.taken(WINDOW / 4);
            rounds += 1;
        }
        // Less than a row may stay unused each time.
        assert!((7..=8).contains(&rounds), "{rounds}");
        let to = Place { x: 5, y: 6, ..CORNER };
        assert!(picture.copy(CORNER, to) && picture.paint(CORNER, vec![9; 8]));
        assert!(picture.copy(to, to), "which says nothing");
        picture.show();
        let frames = told(pipe);
        let tags: Vec<Tag> = frames.iter().map(|frame| frame.tag).collect();
        let last = tags.len() - 2;
        assert_eq!((tags[0], tags[last]), (Tag::Screen, Tag::Copy));
        let copy: CopyRect = frames[last].value().expect("a copy");
        assert_eq!(copy, CopyRect { from_x: 0, from_y: 0, to });
        let mut tiles = tiles(frames);
        assert_eq!(tiles.pop().map(|tile| tile.pixels), Some([9, 9, 9, 255].repeat(2)));
        let mut next = 0;
        for tile in tiles {
            assert!(tile.pixels.len() <= DATA_MAX && tile.place.y == next);
            next += tile.place.height;
            let start = usize::from(tile.place.y) * 4000;
            let own = pixels[start..].chunks_exact(4).map(|p| [p[0], p[1], p[2], 255]);
            assert!(tile.pixels.chunks_exact(4).zip(own).all(|(a, b)| a == b));
        }
        assert_eq!(next, 700);
    }

    #[test]
    fn nothing_is_painted_outside() {
        let (up, pipe) = uplink();
        let mut picture = Picture::new(1, &up);
        assert!(!picture.resize(4, 4));
        for outside in [Place { x: 3, ..CORNER }, Place { x: u16::MAX, ..CORNER }] {
            assert!(!picture.paint(outside, vec![0; 8]));
            assert!(!picture.copy(CORNER, outside) && !picture.copy(outside, CORNER));
        }
        assert!(!picture.paint(CORNER, vec![0; 4]) && !picture.jpeg(CORNER, b"no picture"));
        assert!(picture.paint(Place { width: 0, ..CORNER }, vec![]), "nothing is harmless");
        picture.show();
        assert_eq!(told(pipe).len(), 1, "the size alone");
    }

    #[test]
    fn another_size_makes_what_waits_void() {
        let (up, pipe) = uplink();
        let mut picture = Picture::new(1, &up);
        assert!(!picture.resize(1000, 700));
        let whole = Place { x: 0, y: 0, width: 1000, height: 700 };
        assert!(picture.paint(whole, vec![0; whole.pixels() * PIXEL]) && !picture.is_free());
        assert!(!picture.resize(1000, 700) && !picture.is_free(), "the same size");
        assert!(picture.resize(4, 4) && picture.is_free());
        picture.taken(WINDOW);
        assert_eq!(told(pipe).last().map(|frame| frame.tag), Some(Tag::Screen));
    }

    #[test]
    fn what_takes_long_is_seen_before_it_is_whole() {
        let (up, pipe) = uplink();
        let mut picture = Picture::new(1, &up);
        assert!(!picture.resize(4, 4) && picture.due().is_none());
        assert!(picture.copy(CORNER, Place { y: 1, ..CORNER }));
        let due = picture.due();
        assert!(due.is_some() && picture.copy(CORNER, Place { y: 2, ..CORNER }));
        assert_eq!(picture.due(), due, "it is not put off");
        picture.show();
        assert_eq!((picture.due(), told(pipe).len()), (None, 3));
    }

    #[test]
    fn a_jpeg_is_painted_where_it_belongs() {
        let mut file = std::io::Cursor::new(Vec::new());
        let red = image::RgbImage::from_pixel(8, 8, image::Rgb([255, 0, 0]));
        red.write_to(&mut file, image::ImageFormat::Jpeg).expect("into memory");
        let (up, pipe) = uplink();
        let mut picture = Picture::new(1, &up);
        assert!(!picture.resize(16, 16));
        let place = Place { x: 8, y: 4, width: 8, height: 8 };
        assert!(picture.jpeg(place, file.get_ref()));
        assert!(!picture.jpeg(Place { width: 7, ..place }, file.get_ref()));
        let tiles = tiles(told(pipe));
        assert_eq!((tiles.len(), tiles[0].place), (1, place));
        assert!(tiles[0].pixels.chunks_exact(4).all(|p| p[0] > 250 && p[3] == 255));
    }
}
