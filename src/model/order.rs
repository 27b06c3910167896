//! The order in which people read names: digits count as numbers, case and
//! accents do not matter. The one place that says so; compares, shows nothing.

use super::fold::fold;

/// A key by which names sort as people expect: `srv-2` before `srv-10`, `Élan`
/// beside `elan`. Names that differ only in what does not matter stay apart.
pub fn natural(name: &str) -> String {
    let folded = fold(name);
    let mut key = String::with_capacity(folded.len() + name.len() + 8);
    let mut rest = folded.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        key.push_str(&rest[..at]);
        let number = &rest[at..];
        let end = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
        let digits = number[..end].trim_start_matches('0');
        // A longer number is a larger one; among equal lengths the digits tell.
        let length = u32::try_from(digits.len()).unwrap_or(u32::MAX).min(0xD7FF);
        key.push('0');
        key.push(char::from_u32(length).expect("below the surrogates"));
        key.push_str(digits);
        rest = &number[end..];
    }
    key.push_str(rest);
    key.push('\0');
    key.push_str(name);
    key
}

#[cfg(test)]
mod tests {
    use super::natural;

    fn sorted(mut names: Vec<&str>) -> Vec<&str> {
        names.sort_by_cached_key(|name| natural(name));
        names
    }

    #[test]
    fn digits_are_numbers_and_accents_do_not_matter() {
        let order = [
            "2 rue",
            "10 rue",
            "Agence",
            "Agence 2",
            "agence 02 bis",
            "Agence 10",
            "écluse",
            "Écluse 1",
            "Eden",
            "srv-1.9",
            "srv-1.10",
            "srv-12345678901234567890123",
            "srv-12345678901234567890124",
            "Zoé",
        ];
        let mut mixed = order.to_vec();
        mixed.reverse();
        assert_eq!(sorted(mixed), order);
    }

    #[test]
    fn equals_but_for_zeros_or_case_keep_one_order() {
        assert_eq!(sorted(vec!["a1", "A01", "a01"]), sorted(vec!["a01", "a1", "A01"]));
    }
}
