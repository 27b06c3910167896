//! What the program asks of the machine: folders, keyring, sockets, terminal,
//! signals, memory. Knows nothing of vaults and connections.

pub mod alloc;
pub mod authority;
pub mod beside;
pub mod browser;
#[cfg(feature = "gui")]
pub mod chooser;
pub mod chromium;
#[cfg(feature = "gui")]
pub mod clipboard;
pub mod clock;
#[cfg(target_os = "linux")]
pub mod datagrams;
#[cfg(unix)]
pub mod detach;
#[cfg(target_os = "linux")]
pub mod fds;
pub mod freerdp;
pub mod harden;
pub mod hugemem;
pub mod keyring;
pub mod machine;
pub mod net;
#[cfg(target_os = "linux")]
pub mod netns;
pub mod paths;
pub mod process;
#[cfg(unix)]
pub mod pty;
pub mod random;
pub mod room;
#[cfg(target_os = "linux")]
pub mod seccomp;
pub mod serial;
pub mod session_lock;
pub mod share;
pub mod shared_memory;
pub mod signals;
#[cfg(unix)]
pub mod socket;
pub mod sound;
pub mod terminal;
pub mod unnamed;
pub mod words;
