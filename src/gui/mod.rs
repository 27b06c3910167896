//! The window: asks and shows. It never opens a vault, a file of it or a
//! connection itself; everything goes through `app` on threads of its own.

pub mod backend;
pub mod fonts;
pub mod text;
pub mod theme;
pub mod widgets;
