//! The picture as a server paints it, red, green, blue and a fourth byte for each
//! pixel. Parts outside of it are left out, whatever the server says.

use vnc::Rect;

use crate::connect::screen::{CopyRect, PIXEL, Place, copy_rows};

/// A picture.
#[derive(Default)]
pub struct Canvas {
    width: u16,
    height: u16,
    data: Vec<u8>,
}

/// Where a part lies.
pub fn place(rect: &Rect) -> Place {
    Place { x: rect.x, y: rect.y, width: rect.width, height: rect.height }
}

impl Canvas {
    /// The desktop has this size: it is black until it is painted.
    pub fn resize(&mut self, width: u16, height: u16) {
        if (self.width, self.height) != (width, height) {
            (self.width, self.height) = (width, height);
            self.data = vec![0; usize::from(width) * usize::from(height) * PIXEL];
        }
    }

    /// Width and height.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// Its pixels, row after row.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Bytes of a row.
    pub fn stride(&self) -> usize {
        usize::from(self.width) * PIXEL
    }

    fn holds(&self, place: Place) -> bool {
        place.x.checked_add(place.width).is_some_and(|right| right <= self.width)
            && place.y.checked_add(place.height).is_some_and(|bottom| bottom <= self.height)
    }

    fn at(&self, x: u16, y: usize) -> usize {
        y * self.stride() + usize::from(x) * PIXEL
    }

    /// Paints these pixels; whether they fit.
    pub fn paint(&mut self, place: Place, pixels: &[u8]) -> bool {
        if !self.holds(place) || pixels.len() != place.pixels() * PIXEL {
            return false;
        }
        let row_bytes = usize::from(place.width) * PIXEL;
        if row_bytes > 0 {
            for (row, line) in pixels.chunks_exact(row_bytes).enumerate() {
                let start = self.at(place.x, usize::from(place.y) + row);
                self.data[start..start + row_bytes].copy_from_slice(line);
            }
        }
        true
    }

    /// Copies a part of the picture to `to`; whether both lie in it.
    pub fn copy(&mut self, from: Place, to: Place) -> bool {
        let from = Place { width: to.width, height: to.height, ..from };
        if !self.holds(from) || !self.holds(to) {
            return false;
        }
        let copy = CopyRect { from_x: from.x, from_y: from.y, to };
        copy_rows(&mut self.data, self.width, copy);
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
            Ok(picture) => self.paint(place, &picture.into_rgba8()),
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered() -> Canvas {
        let mut canvas = Canvas::default();
        canvas.resize(4, 4);
        let pixels: Vec<u8> = (0..16).flat_map(|n| [n, n, n, 0]).collect();
        assert!(canvas.paint(Place { x: 0, y: 0, width: 4, height: 4 }, &pixels));
        canvas
    }

    fn shows(canvas: &Canvas) -> Vec<u8> {
        canvas.data.chunks_exact(4).map(|p| p[0]).collect()
    }

    #[test]
    fn overlapping_copies_take_what_was_there_before() {
        let part = |x, y| Place { x, y, width: 3, height: 3 };
        let mut canvas = numbered();
        assert!(canvas.copy(part(0, 0), part(1, 1)));
        assert_eq!(shows(&canvas), [0, 1, 2, 3, 4, 0, 1, 2, 8, 4, 5, 6, 12, 8, 9, 10]);
        let mut canvas = numbered();
        assert!(canvas.copy(part(1, 1), part(0, 0)));
        assert_eq!(shows(&canvas), [5, 6, 7, 3, 9, 10, 11, 7, 13, 14, 15, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn nothing_is_painted_outside() {
        let mut canvas = numbered();
        let outside = Place { x: 3, y: 0, width: 2, height: 1 };
        assert!(!canvas.paint(outside, &[0; 8]));
        assert!(!canvas.copy(Place::default(), outside));
        let far = Place { x: u16::MAX, y: 0, width: 2, height: 1 };
        assert!(!canvas.copy(far, Place { x: 0, y: 0, width: 2, height: 1 }));
        assert!(!canvas.paint(Place { x: 0, y: 0, width: 1, height: 1 }, &[0; 8]));
        assert!(!canvas.jpeg(Place { x: 0, y: 0, width: 1, height: 1 }, b"no picture"));
        assert_eq!(shows(&canvas), shows(&numbered()));
    }

    #[test]
    fn a_jpeg_is_painted_where_it_belongs() {
        let mut file = std::io::Cursor::new(Vec::new());
        let red = image::RgbImage::from_pixel(8, 8, image::Rgb([255, 0, 0]));
        red.write_to(&mut file, image::ImageFormat::Jpeg).expect("into memory");
        let mut canvas = Canvas::default();
        canvas.resize(16, 16);
        let place = Place { x: 8, y: 4, width: 8, height: 8 };
        assert!(canvas.jpeg(place, file.get_ref()));
        let at = |x: usize, y: usize| canvas.data[(y * 16 + x) * 4];
        assert!(at(8, 4) > 250 && at(15, 11) > 250 && at(7, 4) == 0 && at(8, 12) == 0);
        assert!(!canvas.jpeg(Place { width: 7, ..place }, file.get_ref()));
    }
}
