//! One test binary for all stories; each module says what it is about.

#[cfg(feature = "gui")]
mod gui_secret_edit;
#[cfg(feature = "gui")]
mod gui_theme;
mod smoke;
