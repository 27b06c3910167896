//! What this side says to a server (RFC 6143 section 7.5), in bytes.

use vnc::VncEncoding;

use crate::connect::screen::Place;

/// JPEG of this quality may be used in Tight: level 8 of 9 looks right and is small.
const QUALITY_8: i32 = -24;

/// A pointer is here, with these buttons down.
pub fn pointer(buttons: u8, x: u16, y: u16) -> [u8; 6] {
    let ([x1, x2], [y1, y2]) = (x.to_be_bytes(), y.to_be_bytes());
    [5, buttons, x1, x2, y1, y2]
}

/// A key goes down or up.
pub fn key(keysym: u32, down: bool) -> [u8; 8] {
    let [a, b, c, d] = keysym.to_be_bytes();
    [4, u8::from(down), 0, 0, a, b, c, d]
}

/// The picture is wanted: what is new in it, or all of it.
pub fn update(part: Place, incremental: bool) -> Vec<u8> {
    let mut bytes = vec![3, u8::from(incremental)];
    for side in [part.x, part.y, part.width, part.height] {
        bytes.extend(side.to_be_bytes());
    }
    bytes
}

/// Text was copied here. RFC 6143 section 7.5.6 has Latin-1 only, and lines that end
/// with a line feed alone.
pub fn cut_text(text: &str) -> Vec<u8> {
    let mut bytes = vec![6, 0, 0, 0, 0, 0, 0, 0];
    let text = text.chars().filter(|c| *c != '\r');
    bytes.extend(text.map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')));
    let length = u32::try_from(bytes.len() - 8).unwrap_or(u32::MAX);
    bytes[4..8].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// Text that was copied there.
pub fn latin_1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Another size is wanted for a desktop of one screen, which has this number and these
/// flags (the extension SetDesktopSize).
pub fn desktop_size(width: u16, height: u16, id: u32, flags: u32) -> Vec<u8> {
    let mut bytes = vec![251, 0];
    for side in [width, height] {
        bytes.extend(side.to_be_bytes());
    }
    bytes.extend([1, 0]);
    bytes.extend(id.to_be_bytes());
    bytes.extend([0; 4]);
    for side in [width, height] {
        bytes.extend(side.to_be_bytes());
    }
    bytes.extend(flags.to_be_bytes());
    bytes
}

/// How the picture may be encoded.
pub fn encodings(list: &[VncEncoding], lossy: bool) -> Vec<u8> {
    let mut numbers: Vec<i32> = list.iter().map(|encoding| *encoding as i32).collect();
    if lossy {
        numbers.push(QUALITY_8);
    }
    let count = u16::try_from(numbers.len()).unwrap_or_default();
    let mut bytes = vec![2, 0];
    bytes.extend(count.to_be_bytes());
    bytes.extend(numbers.into_iter().flat_map(i32::to_be_bytes));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_bytes_of_the_protocol() {
        assert_eq!(pointer(1, 0x102, 3), [5, 1, 1, 2, 0, 3]);
        assert_eq!(key(0xff0d, true), [4, 1, 0, 0, 0, 0, 0xff, 0x0d]);
        let part = Place { x: 1, y: 2, width: 3, height: 0x104 };
        assert_eq!(update(part, true), [3, 1, 0, 1, 0, 2, 0, 3, 1, 4]);
        assert_eq!(
            desktop_size(0x300, 0x200, 7, 9),
            [251, 0, 3, 0, 2, 0, 1, 0, 0, 0, 0, 7, 0, 0, 0, 0, 3, 0, 2, 0, 0, 0, 0, 9]
        );
        let list = [VncEncoding::Zrle, VncEncoding::CursorPseudo];
        assert_eq!(encodings(&list, false), [2, 0, 0, 2, 0, 0, 0, 16, 255, 255, 255, 17]);
        assert_eq!(encodings(&list[..1], true), [2, 0, 0, 2, 0, 0, 0, 16, 255, 255, 255, 232]);
    }

    #[test]
    fn copied_text_travels_in_latin_1_and_nothing_is_mistaken_for_another_letter() {
        assert_eq!(cut_text("é\r\nœ"), [6, 0, 0, 0, 0, 0, 0, 3, 0xe9, b'\n', b'?']);
        assert_eq!(latin_1(b"caf\xe9\n"), "café\n");
    }
}
