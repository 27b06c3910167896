//! Own factors, computers, the vault's settings, looks, and about.

pub mod model;
pub mod shared;
pub mod shared_view;
pub mod vault_view;
pub mod view;
