//! What the window remembers on this computer between two starts: look, size,
//! language, the last member's name. Never anything of the vault's content.

use std::fs;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::model::lang::Lang;

use super::theme::Theme;

/// The remembered things; anything unreadable is as if it were not there.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Prefs {
    /// `system`, `light` or `dark`.
    pub theme: String,
    /// Chosen language.
    pub lang: Option<Lang>,
    /// Who unlocked last.
    pub member: String,
    /// Size of everything, 1 as the desktop has it; 0: never chosen.
    pub zoom: f32,
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
