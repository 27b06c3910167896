//! The unlock screen, and the way in for a computer the vault does not know.

pub mod model;
pub mod view;
