//! A desktop shown by FreeRDP in a window of its own: when the entry prefers that,
//! and when whoever asks has no place to show one. This half chooses the program in
//! the application; the rest runs in the session process.

mod arguments;
#[cfg(unix)]
pub mod engine;
mod exit;
mod fail;
#[cfg(unix)]
mod probe;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use super::settings::{FREERDP, PROGRAM};
use crate::connect::Progress;
use crate::model::lang::Bi;
use crate::os::freerdp;

/// The word of the embedded engine, for a plan.
pub use super::settings::EMBEDDED;
/// The setting with the program.
pub use super::settings::PROGRAM as SETTING;

/// Variable by which who asks says that it has no place for a desktop's picture.
pub const NO_PLACE: &str = "POTERNE_NO_PLACE";
/// Variable by which a session process learns which program to start.
const CHOSEN: &str = "POTERNE_FREERDP";

/// Which program shows a desktop, as far as its entry and this machine say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Choice {
    /// This one.
    Embedded,
    /// FreeRDP, as the entry prefers.
    Outside(PathBuf),
    /// This one, since FreeRDP is not on this machine.
    Missing,
}

/// What these settings come to on this machine.
pub fn choice(settings: &BTreeMap<String, String>) -> Choice {
    if settings.get(PROGRAM).is_none_or(|program| program.trim() != FREERDP) {
        return Choice::Embedded;
    }
    freerdp::find().map_or(Choice::Missing, Choice::Outside)
}

/// What a terminal opens a desktop with.
pub fn for_terminals() -> Option<PathBuf> {
    freerdp::find()
}

/// The way a desktop opens that is not simply the embedded one.
pub(super) enum Outside {
    /// In this program, as the entry prefers.
    Preferred(PathBuf),
    /// In this program, since there is no other place.
    NoPlace(PathBuf),
    /// Here after all: no FreeRDP that can show a window is there.
    Missing,
}

/// Which program opens a desktop on this desktop of the person's.
pub(super) fn chosen(prefers: bool, desktop: &[(String, String)]) -> Option<Outside> {
    let no_place = desktop.iter().any(|(name, _)| name == NO_PLACE);
    match freerdp::find_for(desktop) {
        Some(program) if prefers => Some(Outside::Preferred(program)),
        Some(program) if no_place => Some(Outside::NoPlace(program)),
        None if prefers && !no_place => Some(Outside::Missing),
        _ => None,
    }
}

impl Outside {
    /// Whether it opens here after all.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing)
    }

    /// What the person is told where it is not what the entry prefers.
    pub(super) fn warning(&self) -> Option<Progress> {
        self.is_missing().then(|| {
            Progress::Warning(Bi::new(
                "FreeRDP, que cette entrée préfère, n’est pas sur cet ordinateur ou n’y a pas \
                 d’écran\u{a0}: le bureau intégré est utilisé",
                "FreeRDP, which this entry prefers, is not on this computer or has no screen \
                 there: the embedded desktop is used",
            ))
        })
    }

    /// The variables of the session process.
    pub(super) fn variables(self, desktop: Vec<(String, String)>) -> Vec<(OsString, OsString)> {
        let (Self::Preferred(program) | Self::NoPlace(program)) = self else { return Vec::new() };
        let given = desktop.into_iter().map(|(name, value)| (name.into(), value.into()));
        given.chain([(CHOSEN.into(), program.into())]).collect()
    }
}

/// The program that the application chose, in the session process.
#[cfg(unix)]
pub(super) fn handed_on() -> Option<PathBuf> {
    std::env::var_os(CHOSEN).map(PathBuf::from)
}
