//! The vault's sealed rows and what opens them. Knows no disk, wire, window,
//! clock or machine.

pub mod cert;
pub mod code;
pub mod grant;
pub mod identity;
pub mod login;
pub mod otp;
pub mod slot;
