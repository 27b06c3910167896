//! The audit log: filters, lines, verification, export.

mod export_view;
mod line_view;
pub mod model;
mod table_view;
pub mod view;
