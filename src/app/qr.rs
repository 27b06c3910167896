//! Reads the QR codes of a picture file. Takes no more memory than a large
//! photograph needs, whatever size the file claims.

use std::io::Cursor;

use image::{ImageReader, Limits};

use crate::secret::SecretText;

/// Largest picture, in bytes on disk.
pub const FILE_MAX_BYTES: u64 = 20 << 20;
/// Widest and highest picture that is read.
const SIDE_MAX: u32 = 10_000;
/// Most memory for its dots, in bytes.
const DOTS_MAX_BYTES: u64 = 160 << 20;

/// The otpauth address in a picture, or else the text of its first readable code;
/// `None` when it is no picture or holds no readable code.
pub fn text(picture: &[u8]) -> Option<SecretText> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(DOTS_MAX_BYTES);
    let mut reader = ImageReader::new(Cursor::new(picture)).with_guessed_format().ok()?;
    reader.limits(limits);
    let dots = reader.decode().ok()?.into_luma8();
    let mut texts = rqrr::PreparedImage::prepare(dots)
        .detect_grids()
        .into_iter()
        .filter_map(|grid| grid.decode().ok())
        .map(|(_, text)| SecretText::new(text))
        .collect::<Vec<_>>();
    let at = texts.iter().position(|text| text.expose(is_otpauth)).unwrap_or(0);
    (at < texts.len()).then(|| texts.swap_remove(at))
}

/// Whether this text is an `otpauth` address.
pub fn is_otpauth(text: &str) -> bool {
    text.get(..10).is_some_and(|scheme| scheme.eq_ignore_ascii_case("otpauth://"))
}
