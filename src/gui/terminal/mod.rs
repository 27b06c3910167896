//! The terminal tab: a model that parses what a channel says and can be read
//! without a window, and a widget that paints it and turns keys, mouse and
//! clipboard into bytes. Neither opens a connection nor writes to the log.

pub mod colors;
pub mod event;
pub mod keys;
pub mod links;
pub mod model;
pub mod mouse;
pub mod paste;

mod boxes;
mod find;
mod glyphs;
mod hex;
mod input;
mod matches;
mod paint;
mod primary;
pub mod sending;
pub mod view;

pub use model::Terminal;
pub use view::TerminalView;
