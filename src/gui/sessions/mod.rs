//! Tabs of remote sessions: a model driven by messages from one thread per
//! connection, and the view that paints it. Reaches the far side only through
//! `Backend::connect`.

pub mod ask;
pub mod back;
pub mod model;
pub(in crate::gui) mod pages;
pub mod tab;
pub mod view;

mod attempt;
mod strip;

pub use model::Sessions;
pub use tab::{OpenAs, TabId};
