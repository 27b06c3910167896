//! Pasted text on its way to the far side: made harmless, and questioned when
//! it holds several lines. Pure.

use alacritty_terminal::term::TermMode;

/// True when pasting `text` may run commands that the person has not read:
/// it has more than one line, or ends one.
pub fn needs_question(text: &str) -> bool {
    text.contains(['\n', '\r'])
}

/// Number of lines a question should name.
pub fn line_count(text: &str) -> usize {
    text.trim_end_matches(['\n', '\r']).lines().count().max(1)
}

/// The bytes to send. Control characters other than tab and line end are left
/// out, ESC among them, so that the text cannot end the bracket itself.
pub fn bytes(text: &str, mode: TermMode) -> Vec<u8> {
    let bracketed = mode.contains(TermMode::BRACKETED_PASTE);
    let mut out = Vec::with_capacity(text.len() + 12);
    if bracketed {
        out.extend_from_slice(b"\x1b[200~");
    }
    let mut previous = '\0';
    for c in text.chars() {
        match c {
            // A terminal's Enter is a carriage return.
            '\n' if previous == '\r' => {}
            '\n' | '\r' => out.push(b'\r'),
            '\t' => out.push(b'\t'),
            c if c.is_control() => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        previous = c;
    }
    if bracketed {
        out.extend_from_slice(b"\x1b[201~");
    }
    out
}
