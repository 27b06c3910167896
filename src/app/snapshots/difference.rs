//! What differs between two configurations, line by line.

use similar::TextDiff;

use crate::secret::{SecretBytes, SecretText};

/// Lines shown around a change.
const CONTEXT: usize = 3;

/// Lines added and removed, and the difference as `diff -u` tells it, headed by `names`.
pub(super) fn unified(
    old: &SecretBytes,
    new: &SecretBytes,
    names: (&str, &str),
) -> (u64, u64, SecretText) {
    old.expose(|old| {
        new.expose(|new| {
            // Both are text when they are kept.
            let (old, new) = (String::from_utf8_lossy(old), String::from_utf8_lossy(new));
            let diff = TextDiff::from_lines(old.as_ref(), new.as_ref());
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
