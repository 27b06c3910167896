//! Members: who is in, with which role, for which clients; inviting, changing,
//! removing with the list of secrets to change afterwards.

pub mod model;
pub mod view;
