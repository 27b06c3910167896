//! What comes as hexadecimal numbers, for a serial line whose settings are not
//! known yet or a service that speaks no text. Turns bytes into lines for the
//! emulation; paints nothing.

use std::fmt::Write as _;

/// Bytes of a line.
const ACROSS: usize = 16;

/// The line that is being filled.
#[derive(Default)]
pub(super) struct Hex {
    line: Vec<u8>,
}

impl Hex {
    /// Begins a new line whatever the emulation was in the middle of (CAN ends a
    /// control sequence, ECMA-48), in plain colours.
    pub(super) const FRESH_LINE: &'static [u8] = b"\x18\x1b[0m\r\n";

    /// `bytes` as lines. A line that is not full is written once more when there is
    /// more of it.
    pub(super) fn shown(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = String::new();
        for byte in bytes {
            self.line.push(*byte);
            if self.line.len() == ACROSS {
                self.write(&mut out);
                out.push_str("\r\n");
                self.line.clear();
            }
        }
        if !self.line.is_empty() {
            self.write(&mut out);
        }
        out.into_bytes()
    }

    fn write(&self, out: &mut String) {
        out.push('\r');
        for place in 0..ACROSS {
            let _ = match self.line.get(place) {
                Some(byte) => write!(out, "{byte:02x} "),
                None => write!(out, "   "),
            };
        }
        out.push(' ');
        out.extend(self.line.iter().map(|b| if b.is_ascii_graphic() { *b as char } else { '.' }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines a terminal shows in the end.
    fn lines(shown: &[u8]) -> Vec<String> {
        let text = String::from_utf8(shown.to_vec()).expect("only ASCII");
        let last = |line: &str| line.rsplit('\r').next().unwrap_or_default().to_owned();
        text.split("\r\n").map(last).collect()
    }

    #[test]
    fn bytes_fill_lines_of_sixteen_however_they_come() {
        let bytes: Vec<u8> = (0x20..0x33).collect();
        let mut in_pieces = Hex::default();
        let mut shown = in_pieces.shown(&bytes[..5]);
        shown.extend(in_pieces.shown(&bytes[5..]));
        assert_eq!(lines(&shown), lines(&Hex::default().shown(&bytes)));
        let full = "20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f  .!\"#$%&'()*+,-./";
        let begun = format!("30 31 32 {} 012", "   ".repeat(13));
        assert_eq!(lines(&shown), [full.to_owned(), begun]);
    }

    #[test]
    fn no_byte_reaches_the_terminal_as_an_order() {
        let all: Vec<u8> = (0..=255).collect();
        let shown = Hex::default().shown(&all);
        assert!(shown.iter().all(|b| matches!(b, b' '..=b'~' | b'\r' | b'\n')));
    }
}
