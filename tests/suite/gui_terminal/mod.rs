//! The terminal: what programs print is what is read, what is typed is what is
//! sent, and nothing a far program says can run or steal anything here.

mod keyboard;
mod kit;
mod menu;
mod mouse;
mod said;
mod search;
