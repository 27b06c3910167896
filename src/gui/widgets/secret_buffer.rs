//! The text behind a secret field: one block of memory of fixed size, wiped on
//! drop, that never grows, so that editing leaves no copy behind. It has no
//! undo, no clone, no Debug and never prints itself.

use zeroize::Zeroize;

use crate::secret::{SecretBytes, SecretText};

/// Room for a password, a passphrase or a code, in bytes.
pub const LINE_BYTES: usize = 1024;
/// Room for a private key or a page of notes, in bytes.
pub const PAGE_BYTES: usize = 64 * 1024;

/// Editable UTF-8 text with a caret and a selection, in a wiped block.
pub struct SecretBuffer {
    block: Box<[u8]>,
    len: usize,
    caret: usize,
    anchor: usize,
    lines: bool,
    digits: bool,
    max_chars: usize,
}

impl Default for SecretBuffer {
    fn default() -> Self {
        Self::line()
    }
}

impl Drop for SecretBuffer {
    fn drop(&mut self) {
        self.block.zeroize();
    }
}

impl SecretBuffer {
    fn with_room(bytes: usize, lines: bool) -> Self {
        Self {
            block: vec![0; bytes].into_boxed_slice(),
            len: 0,
            caret: 0,
            anchor: 0,
            lines,
            digits: false,
            max_chars: usize::MAX,
        }
    }

    /// One line of at most [`LINE_BYTES`] bytes.
    pub fn line() -> Self {
        Self::with_room(LINE_BYTES, false)
    }

    /// Several lines of together at most [`PAGE_BYTES`] bytes.
    pub fn page() -> Self {
        Self::with_room(PAGE_BYTES, true)
    }

    /// A code of `count` digits; anything else typed or pasted is left out.
    pub fn code(count: usize) -> Self {
        let mut code = Self::with_room(64, false);
        code.digits = true;
        code.max_chars = count;
        code
    }

    /// Whether line breaks are kept.
    pub fn is_page(&self) -> bool {
        self.lines
    }

    /// Lends the text to `f`.
    pub fn expose<R>(&self, f: impl FnOnce(&str) -> R) -> R {
        f(std::str::from_utf8(&self.block[..self.len]).expect("only whole characters are inserted"))
    }

    /// A copy to hand on, wiped on drop in its turn.
    pub fn to_secret(&self) -> SecretText {
        self.expose(SecretText::copy_of)
    }

    /// As [`SecretBuffer::to_secret`], as bytes.
    pub fn to_secret_bytes(&self) -> SecretBytes {
        SecretBytes::copy_of(&self.block[..self.len])
    }

    /// Length in characters.
    pub fn char_count(&self) -> usize {
        self.expose(|t| t.chars().count())
    }

    /// True when there is nothing inside.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Wipes the text; the block stays for the next one.
    pub fn clear(&mut self) {
        self.block.zeroize();
        (self.len, self.caret, self.anchor) = (0, 0, 0);
    }

    /// Replaces everything by `text`, as if pasted.
    pub fn set(&mut self, text: &str) {
        self.clear();
        self.insert(text);
    }

    /// True when both hold the same text.
    pub fn same_as(&self, other: &Self) -> bool {
        self.block[..self.len] == other.block[..other.len]
    }

    /// Caret as a character index.
    pub fn caret_chars(&self) -> usize {
        self.expose(|t| t[..self.caret].chars().count())
    }

    /// Selected range as character indices; empty when nothing is selected.
    pub fn selected_chars(&self) -> std::ops::Range<usize> {
        let (from, to) = self.selection();
        self.expose(|t| t[..from].chars().count()..t[..to].chars().count())
    }

    /// Puts the caret before character `index`, extending the selection if asked.
    pub fn move_to_char(&mut self, index: usize, extend: bool) {
        let at = self.expose(|t| t.char_indices().nth(index).map_or(t.len(), |(i, _)| i));
        self.place(at, extend);
    }

    /// Selects everything.
    pub fn select_all(&mut self) {
        self.anchor = 0;
        self.caret = self.len;
    }

    /// One character to the left.
    pub fn left(&mut self, extend: bool) {
        let (from, to) = self.selection();
        let at = if from != to && !extend { from } else { self.before(self.caret) };
        self.place(at, extend);
    }

    /// One character to the right.
    pub fn right(&mut self, extend: bool) {
        let (from, to) = self.selection();
        let at = if from != to && !extend { to } else { self.after(self.caret) };
        self.place(at, extend);
    }

    /// To the start.
    pub fn home(&mut self, extend: bool) {
        self.place(0, extend);
    }

    /// To the end.
    pub fn end(&mut self, extend: bool) {
        self.place(self.len, extend);
    }

    /// Removes the selection, or the character before the caret.
    pub fn backspace(&mut self) {
        let (from, to) = self.selection();
        if from == to { self.remove(self.before(from), from) } else { self.remove(from, to) }
    }

    /// Removes the selection, or the character after the caret.
    pub fn delete(&mut self) {
        let (from, to) = self.selection();
        if from == to { self.remove(from, self.after(from)) } else { self.remove(from, to) }
    }

    /// Puts `text` in place of the selection. Control characters are left out;
    /// what does not fit is left out from the end, in whole characters.
    pub fn insert(&mut self, text: &str) {
        let (from, to) = self.selection();
        self.remove(from, to);
        let mut count = self.char_count();
        for c in text.chars() {
            let keep = if self.digits {
                c.is_ascii_digit()
            } else {
                !c.is_control() || (self.lines && matches!(c, '\n' | '\t'))
            };
            let size = c.len_utf8();
            if !keep {
                continue;
            }
            if self.len + size > self.block.len() || count >= self.max_chars {
                break;
            }
            self.block.copy_within(self.caret..self.len, self.caret + size);
            c.encode_utf8(&mut self.block[self.caret..self.caret + size]);
            self.len += size;
            self.caret += size;
            count += 1;
        }
        self.anchor = self.caret;
    }

    fn selection(&self) -> (usize, usize) {
        (self.caret.min(self.anchor), self.caret.max(self.anchor))
    }

    fn place(&mut self, at: usize, extend: bool) {
        self.caret = at;
        if !extend {
            self.anchor = at;
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.block.copy_within(to..self.len, from);
        let len = self.len - (to - from);
        self.block[len..self.len].zeroize();
        self.len = len;
        self.place(from, false);
    }

    fn before(&self, at: usize) -> usize {
        self.expose(|t| t[..at].char_indices().next_back().map_or(0, |(i, _)| i))
    }

    fn after(&self, at: usize) -> usize {
        self.expose(|t| t[at..].chars().next().map_or(at, |c| at + c.len_utf8()))
    }
}
