//! What differs between two configurations, line by line.

use std::time::Duration;

use similar::TextDiff;

use crate::secret::{SecretBytes, SecretText};

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// How long the shortest difference is looked for. The vault waits meanwhile, and
/// for texts that share many lines in another order it grows with their square.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lines added and removed, and the difference as `diff -u` tells it, headed by `names`.
pub(super) fn unified(
    old: &SecretBytes,
    new: &SecretBytes,
    names: (&str, &str),
) -> (u64, u64, SecretText) {
    within(PATIENCE, old, new, names)
}

/// The same; after `patience` a longer difference will do.
fn within(
    patience: Duration,
    old: &SecretBytes,
    new: &SecretBytes,
    names: (&str, &str),
) -> (u64, u64, SecretText) {
    old.expose(|old| {
        new.expose(|new| {
            // Both are text when they are kept.
            let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
            let diff =
                TextDiff::configure().timeout(patience).diff_lines(old.as_ref(), new.as_ref());
            let (mut added, mut removed) = (0, 0);
            for change in diff.iter_all_changes() {
                match change.tag() {
                    similar::ChangeTag::Insert => added += 1,
                    similar::ChangeTag::Delete => removed += 1,
                    similar::ChangeTag::Equal => {}
                }
            }
            let text =
                diff.unified_diff().context_radius(CONTEXT).header(names.0, names.1).to_string();
            (added, removed, SecretText::new(text))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of few words, in an order of chance.
    fn text(seed: u32) -> SecretBytes {
        let words = (0..20_000_u32).map(|i| (i ^ seed).wrapping_mul(2_654_435_761) >> 27);
        SecretBytes::new(
            words.map(|word| format!("vlan {word}\n")).collect::<String>().into_bytes(),
        )
    }

    #[test]
    fn a_difference_that_is_not_looked_for_to_the_end_is_still_one() {
        let (old, new) = (text(1), text(0x5A5A));
        let (added, removed, told) = within(Duration::ZERO, &old, &new, ("old", "new"));
        let (best, _, _) = within(Duration::MAX, &old, &new, ("old", "new"));
        assert!(added > best, "it took the time that it has not: {added}");
        let side = |sign: char| {
            let lines = |told: &str| -> String {
                let of_side = told.lines().skip(2).filter(|line| line.starts_with([' ', sign]));
                of_side.map(|line| format!("{}\n", &line[1..])).collect()
            };
            told.expose(lines)
        };
        let count =
            |sign: char| told.expose(|t| t.lines().skip(2).filter(|l| l.starts_with(sign)).count());
        assert_eq!((count('+') as u64, count('-') as u64), (added, removed));
        let whole = |text: &SecretBytes| text.expose(|t| String::from_utf8_lossy(t).into_owned());
        assert_eq!(whole(&old), side('-'));
        assert_eq!(whole(&new), side('+'));
    }
}
