//! Remote desktops in a tab: a picture that follows what the far side paints, and
//! the keyboard, mouse and clipboard that go there. Knows no protocol.

mod bar;
mod disk;
pub mod files;
mod keyboard;
mod keysym;
pub mod model;
pub mod raw;
mod scancode;
mod view;

pub use bar::{BarWish, screen_bar_ui};
pub use keyboard::Keyboard;
pub use model::Screen;
pub use raw::{RawKey, RawKeys};
pub use view::{ScreenView, screen_size};
