//! Own factors, computers, the vault's settings, looks, and about.

pub mod model;
pub mod vault_view;
pub mod view;
