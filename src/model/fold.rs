//! Text as search and order see it: lower case, without accents. Shown to nobody.

use unicode_normalization::UnicodeNormalization;

/// Separates the columns inside a folded text; cannot be typed into a field.
pub const COLUMN: char = '\u{1f}';

/// Folds `text` for comparison: case and combining marks vanish, the French
/// ligatures open up, so `cœur`, `COEUR` and `Cœur` are one word, and typeset
/// apostrophes and spaces are those of a keyboard.
pub fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        out.extend(text.bytes().map(|b| b.to_ascii_lowercase() as char));
        return;
    }
    for c in text.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)) {
        match c {
            'œ' | 'Œ' => out.push_str("oe"),
            'æ' | 'Æ' => out.push_str("ae"),
            'ß' => out.push_str("ss"),
            '’' | '‘' => out.push('\''),
            '\u{a0}' | '\u{202f}' => out.push(' '),
            c => out.extend(c.to_lowercase()),
        }
    }
}

/// [`fold_into`] into a new text.
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn accents_case_and_ligatures_vanish() {
        assert_eq!(fold("Élodie CŒUR Straße"), "elodie coeur strasse");
        assert_eq!(fold("L\u{2019}Étoile\u{a0}nº"), "l\u{27}etoile nº");
    }
}
