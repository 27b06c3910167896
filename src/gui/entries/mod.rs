//! Clients, folders and entries: the tree, the search, the details, the form.

pub mod custom;
mod custom_view;
pub mod details;
pub mod details_view;
pub mod editor;
pub mod editor_view;
pub mod list_view;
mod merge;
pub mod search;
pub mod tree;
