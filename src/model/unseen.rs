//! Signs that are not seen, or that make others be seen in another order: what
//! they stand in does not show what it is.

/// Whether `c` is such a sign. The joiner of emojis is none of them.
pub fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}')
        || matches!(c, '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
        || matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}')
}

/// Whether nothing of `text` is seen.
pub fn blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || c == '\u{200D}' || hidden(c))
}

#[cfg(test)]
mod tests {
    use super::{blank, hidden};

    #[test]
    fn signs_of_french_and_emojis_are_seen() {
        for c in ['\u{202F}', '\u{A0}', '\u{200D}', '’', 'é', '日'] {
            assert!(!hidden(c), "{c:?}");
        }
        for c in ['\u{1b}', '\u{202E}', '\u{2066}', '\u{200B}', '\u{3164}', '\n'] {
            assert!(hidden(c), "{c:?}");
        }
        assert!(blank(" \u{200D}\u{A0}") && !blank("a"));
    }
}
