//! What a terminal would show of a device's bytes, as lines of text: escape
//! sequences are obeyed or left out, and what a pager wrote and wiped is gone.

/// Text that a device wrote.
#[derive(Default)]
pub struct Page {
    /// Whole lines, each with its end.
    done: Vec<u8>,
    /// The line that is not at its end.
    line: Vec<u8>,
    /// Where the next byte goes in it.
    column: usize,
    escape: Escape,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// After ESC.
    Begun,
    /// In a control sequence (ECMA-48, CSI), with its last number.
    Sequence(u32),
    /// In a string that BEL or ESC ends, such as a window title.
    Text,
}

impl Page {
    /// Takes in what was written.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.byte(byte);
        }
    }

    /// The line that is not at its end.
    pub fn tail(&self) -> String {
        String::from_utf8_lossy(&self.line).trim().to_owned()
    }

    /// Wipes that line, as a pager does with its own words.
    pub fn wipe_tail(&mut self) {
        self.line.clear();
        self.column = 0;
    }

    /// Bytes that are kept.
    pub fn len(&self) -> usize {
        self.done.len() + self.line.len()
    }

    /// The whole lines.
    pub fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.done.strip_suffix(b"\n").unwrap_or(&self.done).split(|byte| *byte == b'\n')
    }

    /// Forgets the whole lines.
    pub fn turn(&mut self) {
        self.done.clear();
    }

    /// Ends the last line, where no prompt follows.
    pub fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
    }

    fn byte(&mut self, byte: u8) {
        match self.escape {
            Escape::None => self.plain(byte),
            Escape::Begun => self.escape = self.begun(byte),
            Escape::Sequence(number) => self.escape = self.sequence(byte, number),
            Escape::Text => {
                if byte == 0x07 {
                    self.escape = Escape::None;
                } else if byte == 0x1B {
                    self.escape = Escape::Begun;
                }
            }
        }
    }

    fn plain(&mut self, byte: u8) {
        match byte {
            b'\n' => self.end_line(),
            b'\r' => self.column = 0,
            0x08 => self.column = self.column.saturating_sub(1),
            0x1B => self.escape = Escape::Begun,
            b'\t' | 0x20..=0x7E | 0x80.. => {
                match self.line.get_mut(self.column) {
                    Some(place) => *place = byte,
                    None => self.line.push(byte),
                }
                self.column += 1;
            }
            _ => {}
        }
    }

    fn begun(&mut self, byte: u8) -> Escape {
        match byte {
            b'[' => Escape::Sequence(0),
            b']' | b'P' | b'^' | b'_' => Escape::Text,
            // Next line (ECMA-48, NEL).
            b'E' => {
                self.end_line();
                Escape::None
            }
            // A character set, which has a byte more.
            b'(' | b')' => Escape::Begun,
            _ => Escape::None,
        }
    }

    fn sequence(&mut self, byte: u8, number: u32) -> Escape {
        match byte {
            b'0'..=b'9' => {
                let digit = u32::from(byte - b'0');
                return Escape::Sequence(number.saturating_mul(10).saturating_add(digit));
            }
            b';' => return Escape::Sequence(0),
            b'K' if number == 0 => self.line.truncate(self.column),
            b'K' => {
                let kept = if number == 1 { self.column.min(self.line.len()) } else { 0 };
                self.line[..kept].fill(b' ');
                if number == 2 {
                    self.line.clear();
                    self.column = 0;
                }
            }
            b'D' => {
                self.column = self.column.saturating_sub(number.max(1) as usize);
            }
            0x40..=0x7E => {}
            _ => return Escape::Sequence(number),
        }
        Escape::None
    }

    fn end_line(&mut self) {
        self.done.extend_from_slice(self.line.trim_ascii_end());
        self.done.push(b'\n');
        self.wipe_tail();
    }
}

#[cfg(test)]
mod tests {
    use super::Page;

    fn shown(bytes: &[u8]) -> (String, String) {
        let mut page = Page::default();
        page.feed(bytes);
        (String::from_utf8_lossy(&page.done).into_owned(), page.tail())
    }

    #[test]
    fn what_a_pager_wrote_over_is_gone() {
        for bytes in [
            &b"a\r\n --More-- \x08\x08\x08\x08\x08\x08\x08\x08\x08\x08          \x08\x08\x08\x08\x08\x08\x08\x08\x08\x08 b\r\n"[..],
            b"a\r\n--More--, next page: Space\r                          \r b\r\n",
            b"a\r\n-- MORE --\x1b[2K\r b\r\n",
            b"a\r\n-- MORE --\x1b[10D\x1b[K b\x1bE",
        ] {
            assert_eq!(shown(bytes).0, "a\n b\n", "{bytes:?}");
        }
    }

    #[test]
    fn sequences_are_left_out_wherever_they_are_cut() {
        let bytes = b"\x1b]0;title\x07\x1b[24;1H\x1b[?25hsw\x1b[0m1# caf\xc3\xa9\r\nsw1# ";
        let whole = shown(bytes);
        assert_eq!(whole, ("sw1# café\n".to_owned(), "sw1#".to_owned()));
        for cut in 1..bytes.len() {
            let mut page = Page::default();
            page.feed(&bytes[..cut]);
            page.feed(&bytes[cut..]);
            assert_eq!(String::from_utf8_lossy(&page.done), whole.0, "cut at {cut}");
        }
    }
}
