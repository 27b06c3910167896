//! A connector that the vault shares, as the settings page lists it: how it stands
//! with it on this computer. Knows no egui, runs and approves nothing.

use crate::app::api::{AppError, SharedView};
use crate::connect::manifest::approval::{self, State};
use crate::connect::manifest::{Source, read, registry};
use crate::model::lang::Bi;
use crate::model::time::Time;

/// A row of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SharedRow {
    /// The word of its kind.
    pub kind: String,
    /// What it is called.
    pub name: Bi,
    /// Who put it there.
    pub by: String,
    /// When.
    pub at: Time,
    /// How it stands here.
    pub standing: Standing,
    /// Why it is not used, whatever it says.
    pub refused: Option<AppError>,
}

/// How it stands with one on this computer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It runs.
    Approved,
    /// It is asked about when it is used first.
    New,
    /// It is asked about again.
    Changed,
    /// Another one of this kind counts here.
    Hidden,
    /// It cannot be read by this program.
    Broken,
    /// It is not the one that a member who may share put there.
    Refused,
}

impl SharedRow {
    /// The row of a manifest.
    pub fn of(view: SharedView) -> Self {
        let SharedView { kind, vault, by, at, text } = view;
        let (manifest, refused) = match text {
            Ok(text) => (read(&text).ok(), None),
            Err(e) => (None, Some(e)),
        };
        let name = manifest.as_ref().map_or_else(|| Bi::same(kind.clone()), |m| m.name.clone());
        let other = registry::of_kind(&kind);
        let other = other.filter(|known| !matches!(known.source, Source::Vault { .. }));
        let source = Source::Vault { vault, by: by.clone(), at };
        let standing = match manifest {
            None if refused.is_some() => Standing::Refused,
            None => Standing::Broken,
            Some(_) if other.is_some() => Standing::Hidden,
            Some(manifest) => match approval::state(&manifest, &source) {
                State::BuiltIn | State::Approved => Standing::Approved,
                State::New => Standing::New,
                State::Changed(_) | State::Elsewhere(_) => Standing::Changed,
            },
        };
        Self { kind, name, by, at, standing, refused }
    }
}
