//! What the window needs of the machine besides the vault. It is handed through
//! here so that no screen reaches below the application.

#[cfg(feature = "gui")]
pub use crate::os::chooser::available as file_chooser;
#[cfg(feature = "gui")]
pub use crate::os::clipboard::SecretClipboard;
#[cfg(feature = "gui")]
pub use crate::os::signals::before_end;

use crate::connect::rdp::freerdp;
use crate::connect::web;
use crate::model::lang::Lang;

use super::generate::{Generated, Recipe, RecipeError, generate};

/// Calls `tell` when the computer goes to sleep or its screen is locked.
pub fn watch_session_lock(mut tell: impl FnMut() + Send + 'static) {
    crate::os::session_lock::watch(move |_| tell());
}

/// The desktop of this process and the language of its person, for a session that
/// shows a window of its own and tells about it.
pub fn of_person(lang: Lang) -> Vec<(String, String)> {
    let mut desktop = crate::os::chromium::desktop();
    desktop.push((web::LANG.to_owned(), lang.pick("fr", "en").to_owned()));
    desktop
}

/// The same for a terminal, which has no place for a desktop's picture itself.
pub fn of_terminal(lang: Lang) -> Vec<(String, String)> {
    let mut desktop = of_person(lang);
    desktop.push((freerdp::NO_PLACE.to_owned(), String::from("1")));
    desktop
}

/// Whether this process has a screen.
pub fn has_screen() -> bool {
    crate::os::chromium::has_screen(&crate::os::chromium::desktop())
}

/// A number by the machine's randomness.
pub fn chance() -> u16 {
    u16::from_le_bytes(crate::os::random::bytes())
}

/// Makes a password with the machine's randomness.
///
/// # Errors
/// The recipe makes no sense.
pub fn generate_password(recipe: &Recipe) -> Result<Generated, RecipeError> {
    generate(recipe, &mut crate::os::random::fill)
}
