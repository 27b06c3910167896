//! Settings of a vault, the same for all its members. Holds no secret.

use serde::{Deserialize, Serialize};

/// Settings of the vault.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// Seconds without input before the vault locks; 30 to 86,400.
    pub idle_lock_secs: u64,
    /// Lock ends open sessions instead of hiding them.
    pub lock_ends_sessions: bool,
    /// Seconds before a copied secret leaves the clipboard; 5 to 600.
    pub clipboard_secs: u64,
    /// Newest automatic backups kept, besides one per month; 1 to 100.
    pub backups_kept: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            idle_lock_secs: 600,
            lock_ends_sessions: false,
            clipboard_secs: 20,
            backups_kept: 10,
        }
    }
}

impl Settings {
    /// What is new since `old`, in the words of the command line: `idle-lock 600 -> 30`.
    pub fn changes(&self, old: &Self) -> Vec<String> {
        let yes = |on: bool| if on { "yes" } else { "no" }.to_owned();
        let all = |s: &Self| {
            [
                ("idle-lock", s.idle_lock_secs.to_string()),
                ("lock-ends-sessions", yes(s.lock_ends_sessions)),
                ("clipboard", s.clipboard_secs.to_string()),
                ("backups-kept", s.backups_kept.to_string()),
            ]
        };
        let pairs = all(old).into_iter().zip(all(self)).filter(|(old, new)| old != new);
        pairs.map(|((name, old), (_, new))| format!("{name} {old} -> {new}")).collect()
    }

    /// Whether every value is in its range.
    pub fn in_range(&self) -> bool {
        (30..=86_400).contains(&self.idle_lock_secs)
            && (5..=600).contains(&self.clipboard_secs)
            && (1..=100).contains(&self.backups_kept)
    }
}
