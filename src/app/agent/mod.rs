//! The agent: one process that keeps a vault unlocked and answers the command
//! lines of the same user, so that they need no factors. An unlocked window is
//! the agent of its vault. It holds no key itself: [`App`] does.

pub mod frames;
#[cfg(unix)]
mod process;
#[cfg(unix)]
mod relay;
#[cfg(unix)]
mod serve;

#[cfg(unix)]
pub use process::{Start, run, start};
#[cfg(unix)]
pub use serve::{End, Guard, serve};

/// Name of the hidden command that runs the agent's process.
pub const COMMAND: &str = "agent-process";

/// Where the agent of a vault listens; `None` where there is no place for it.
#[cfg(unix)]
pub fn socket_of(vault: &std::path::Path) -> Option<std::path::PathBuf> {
    let vault = crate::os::paths::canonical_vault(vault);
    crate::os::paths::agent_socket(&vault).ok()
}
