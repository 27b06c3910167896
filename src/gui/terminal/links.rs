//! Finds web and mail addresses in text, and says which may be opened. Pure.

use std::ops::Range;

const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// True for addresses that a click may hand to the desktop: web and mail only,
/// since a far program chooses the text.
pub fn may_open(url: &str) -> bool {
    let lower = url.get(..8).unwrap_or(url).to_ascii_lowercase();
    SCHEMES.iter().any(|scheme| lower.starts_with(scheme) && url.len() > scheme.len())
        && !url.chars().any(|c| c.is_control() || c.is_whitespace())
}

/// The address around character `at` of `line`, as a range of characters.
pub fn at(line: &[char], at: usize) -> Option<Range<usize>> {
    let mut from = 0;
    while let Some(start) = next_scheme(line, from) {
        let end = end_of(line, start);
        if start > at {
            return None;
        }
        let text: String = line[start..end].iter().collect();
        if at < end && may_open(&text) {
            return Some(start..end);
        }
        from = end.max(start + 1);
    }
    None
}

fn next_scheme(line: &[char], from: usize) -> Option<usize> {
    (from..line.len()).find(|&i| {
        let word_start = i == 0 || !line[i - 1].is_alphanumeric();
        word_start && SCHEMES.iter().any(|scheme| starts_with(&line[i..], scheme))
    })
}

fn starts_with(line: &[char], word: &str) -> bool {
    let mut letters = line.iter();
    word.chars().all(|w| letters.next().is_some_and(|c| c.to_ascii_lowercase() == w))
}

/// Runs to the first character that no address has, then gives back the
/// punctuation of the sentence around it.
fn end_of(line: &[char], start: usize) -> usize {
    let mut end = start;
    let mut open = 0_i32;
    while end < line.len() {
        match line[end] {
            c if c.is_whitespace() || c.is_control() => break,
            '"' | '<' | '>' | '`' | '{' | '}' | '|' | '\\' | '^' | '«' | '»' | '│' | '…' => {
                break;
            }
            '(' | '[' => open += 1,
            ')' | ']' => {
                if open == 0 {
                    break;
                }
                open -= 1;
            }
            _ => {}
        }
        end += 1;
    }
    while end > start && matches!(line[end - 1], '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '’') {
        end -= 1;
    }
    end
}
