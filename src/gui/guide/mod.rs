//! The guide: makes a vault, accepts an invitation, or sets new factors with
//! the recovery kit. Nothing is written before its last step.

mod factors_view;
pub mod kit_view;
pub mod model;
pub mod view;

pub use model::Purpose;
