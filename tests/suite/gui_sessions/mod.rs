//! Session tabs: each state on its way from "connecting" to "ended", questions
//! that reach the person and answers that reach the connection.

mod back;
mod keyboard;
mod kit;
mod questions;
mod states;
mod strip;
