//! Clients, folders and entries: the tree, the search, the details, the form.

mod client_view;
pub mod config;
mod config_view;
mod connector_view;
pub mod custom;
mod custom_view;
pub mod details;
pub mod details_view;
pub mod editor;
pub mod editor_view;
mod form_line;
mod history_view;
pub mod list;
pub mod list_view;
mod login_view;
pub mod menu;
mod merge;
mod more_view;
mod picker;
mod plan_view;
pub mod profile;
mod profile_view;
pub mod rights;
pub mod search;
mod secrets_view;
pub mod tree;
mod tree_view;
