//! The session process. Engines whose heap we cannot wipe (libssh2, OpenSSL) run
//! in a child of this program that gets its secrets by pipe, one by one as it
//! needs them, and ends with the session; the kernel then wipes what it held.
//!
//! The parent half is [`link::HostLink`], the child half [`child::main`]; both
//! speak [`wire`]. The parent half never holds a secret longer than its write.

pub mod child;
pub mod link;
pub mod wire;

pub use child::main;
