//! Poterne: an encrypted vault of client credentials that opens every remote
//! session and keeps a log that proves itself.
//!
//! The layers and their rules are told in `ARCHITECTURE.md` beside this file
//! and held by `tests/architecture.rs`.

pub mod secret;

pub mod model;

pub mod audit;
pub mod crypto;
pub mod vault;

pub mod connect;
pub mod os;
pub mod store;

pub mod app;

pub mod cli;
#[cfg(feature = "gui")]
pub mod gui;
