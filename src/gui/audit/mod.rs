//! The audit log: filters, lines, verification, export.

pub mod model;
pub mod view;
