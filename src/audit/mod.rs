//! The audit log: lines that commit to their values, the chain and tree over
//! them, and the signatures of the members who wrote them. Pure: it reads no
//! file, clock or random source, and holds no secret; a key that signs is a
//! function it is handed.
//!
#![doc = include_str!("FORMAT.md")]

pub mod checkpoint;
pub mod fault;
pub mod hash;
pub mod line;
pub mod log;
pub mod members;
pub mod opening;
pub mod packed;
mod scan;
pub mod statement;
pub mod tree;
pub mod verifier;

pub use checkpoint::{Checkpoint, fingerprint};
pub use fault::{Fault, Place};
pub use hash::Hash;
pub use line::{Draft, Fact, Sealed, open, seal};
pub use log::Log;
pub use verifier::{Summary, Verifier};
