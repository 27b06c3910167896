//! The sealed vault: formats, keys, members, records, index and log. Pure: it
//! knows no disk, wire, window, clock or randomness of the machine.

#![doc = include_str!("FORMAT.md")]

pub mod cell;
pub mod cert;
pub mod code;
pub mod grant;
pub mod identity;
pub mod index;
pub mod listing;
pub mod log;
pub mod log_keys;
pub mod login;
pub mod members;
pub mod otp;
pub mod reach;
pub mod rows;
pub mod shared;
pub mod slot;
pub mod state;
pub mod unlocked;
pub mod waiting;
