//! Starts this program again as a process of its own session, which outlives
//! the terminal and keeps none of its descriptors: the agent. What it must
//! know goes in by a pipe, and one answer comes back by another.

#![expect(clippy::disallowed_methods, reason = "starts this program itself, as its own agent")]
#![cfg(unix)]

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// Starts this very program with `args`, its standard input and output piped to
/// the caller, standard error closed. Dropping the child does not end it.
///
/// # Errors
/// The process cannot be started.
pub fn spawn_self<A: AsRef<OsStr>>(args: &[A]) -> io::Result<Child> {
    let mut command = Command::new(own_program()?);
    command
        .arg0("poterne")
        .args(args)
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    // SAFETY: between fork and exec, only async-signal-safe system calls.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            keep_only_the_three_streams();
            Ok(())
        });
    }
    command.spawn()
}

/// Points the three standard streams at nothing. The agent calls it once it
/// has answered, so that whoever reads the other ends sees their end.
///
/// # Errors
/// `/dev/null` cannot be opened.
pub fn let_go_of_streams() -> io::Result<()> {
    let null = std::fs::File::options().read(true).write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdin(&null)?;
    rustix::stdio::dup2_stdout(&null)?;
    rustix::stdio::dup2_stderr(&null)?;
    Ok(())
}

/// On Linux the running file itself, even if it was replaced meanwhile.
fn own_program() -> io::Result<std::path::PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// Marks whatever a parent left open to be closed at exec.
#[cfg(target_os = "linux")]
fn keep_only_the_three_streams() {
    // SAFETY: no memory is involved; an old kernel refuses, which is no harm.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3 as libc::c_uint,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC as libc::c_uint,
        )
    };
}

#[cfg(not(target_os = "linux"))]
fn keep_only_the_three_streams() {
    for fd in 3..1024 {
        // SAFETY: no memory is involved; a closed number is refused.
        unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}
