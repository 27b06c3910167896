//! What the window remembers on this computer between two starts: look, size,
//! language, each vault's last member. Never anything of the vault's content.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::lang::{Bi, Lang};

use super::theme::Theme;

/// The remembered things; anything unreadable is as if it were not there.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Prefs {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Chosen language.
    pub lang: Option<Lang>,
    /// Who unlocked last, by the vault's file.
    members: BTreeMap<String, String>,
    /// Digests of the notices told at the last unlock, by the vault's file.
    told: BTreeMap<String, BTreeSet<u64>>,
    /// The vault opened or made last.
    pub last_vault: Option<PathBuf>,
    /// Size of everything, 1 as the desktop has it; 0: never chosen.
    pub zoom: f32,
    /// The list of clients makes room for what is beside it.
    pub list_hidden: bool,
    #[serde(skip)]
    file: Option<PathBuf>,
}

impl Prefs {
    /// Reads `file`; without one nothing is remembered.
    pub fn load(file: Option<PathBuf>) -> Self {
        let read = file.as_ref().and_then(|f| fs::read(f).ok());
        let mut prefs: Self =
            read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        prefs.file = file;
        prefs
    }

    /// The usual file of this person.
    pub fn usual_file() -> Option<PathBuf> {
        Some(dirs::config_dir()?.join("poterne").join("window.json"))
    }

    /// Who unlocked this vault last; empty: nobody yet.
    pub fn member(&self, vault: &Path) -> &str {
        self.members.get(&*vault.to_string_lossy()).map_or("", String::as_str)
    }

    /// This member unlocked this vault.
    pub fn set_member(&mut self, vault: &Path, name: &str) {
        self.members.insert(vault.to_string_lossy().into_owned(), name.to_owned());
    }

    /// Those of `notices` that the last unlock of this vault here did not tell
    /// already; all of them count as told from now on.
    pub fn untold(&mut self, vault: &Path, notices: &[Bi]) -> Vec<Bi> {
        let digest = |notice: &Bi| {
            let mut hasher = DefaultHasher::new();
            notice.fr.hash(&mut hasher);
            hasher.finish()
        };
        let now = notices.iter().map(digest).collect();
        let before = self.told.insert(vault.to_string_lossy().into_owned(), now);
        let before = before.unwrap_or_default();
        notices.iter().filter(|n| !before.contains(&digest(n))).cloned().collect()
    }

    /// The chosen look.
    pub fn theme(&self) -> Theme {
        Theme::from_word(&self.theme).unwrap_or_default()
    }

    /// The chosen size, within what can be read and still holds the window.
    pub fn zoom(&self) -> f32 {
        if self.zoom > 0.0 { self.zoom.clamp(0.5, 4.0) } else { 1.0 }
    }

    /// Writes it down; a folder that cannot be written is no reason to stop.
    pub fn save(&self) {
        let Some(file) = &self.file else { return };
        let Ok(json) = serde_json::to_vec_pretty(self) else { return };
        if let Some(folder) = file.parent() {
            let _ = fs::create_dir_all(folder);
        }
        let _ = fs::write(file, json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_is_told_once_until_it_is_news_again() {
        let mut prefs = Prefs::default();
        let [a, b] = ["a", "b"].map(|word| [Bi::same(word)]);
        let both = [a.clone(), b.clone()].concat();
        let (here, there) = (Path::new("here"), Path::new("there"));
        assert_eq!(prefs.untold(here, &a), a);
        assert_eq!(prefs.untold(here, &both), b);
        assert_eq!(prefs.untold(there, &a), a);
        assert!(prefs.untold(here, &both).is_empty());
        assert!(prefs.untold(here, &[]).is_empty());
        assert_eq!(prefs.untold(here, &a), a);
    }
}
