//! Real SSH servers on loopback for the stories of the SSH connector, and a
//! lease that hands out planted secrets. Each server has keys, configuration and
//! port of its own and ends with its value. The rooms are named by path, so that a
//! benchmark finds them too.

#[path = "kit_ssh/dropbear.rs"]
mod dropbear;
#[path = "kit_ssh/keys.rs"]
mod keys;
#[path = "kit_ssh/lease.rs"]
mod lease;
#[path = "kit_ssh/machine.rs"]
mod machine;
#[path = "kit_ssh/sshd.rs"]
mod sshd;
#[path = "kit_ssh/talk.rs"]
mod talk;
#[path = "kit_ssh/target.rs"]
mod target;

pub use dropbear::Dropbear;
pub use keys::{SshAgent, key_forms, keygen};
pub use lease::FakeLease;
pub use machine::{PATIENCE, descendants, free_port, kill_with_all, read_all, serial, sh, user};
pub use sshd::{Setup, Sshd};
pub use talk::{Talk, run};
pub use target::{hop, must_fail, must_open, open, target, with};
