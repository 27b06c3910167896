//! Child processes: started with an emptied environment, from one thread that
//! never ends, so that they die with this program. Never puts anything into an
//! argument or a variable that the caller did not name.

#![expect(clippy::disallowed_methods, reason = "the one place where children are started")]

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

use super::shared_memory::Ticket;

/// A process to start. The three standard streams become pipes.
#[derive(Debug, Default)]
pub struct Spawn {
    /// A path, or a name looked up in `PATH`; `None` starts this very program.
    pub program: Option<OsString>,
    /// Arguments; never a secret.
    pub args: Vec<OsString>,
    /// Variables to add to the allowed ones; never a secret.
    pub env: Vec<(OsString, OsString)>,
    /// Its three streams lead nowhere: a program that chatters must not wait for a
    /// reader.
    pub mute: bool,
    /// Its two outputs lead nowhere, its input is a pipe as ever.
    pub unheard: bool,
    /// It leads a group of its own, so that it can be ended with all it starts.
    #[cfg(unix)]
    pub leads: bool,
    /// Descriptors that it gets, under these numbers.
    #[cfg(unix)]
    pub given: Vec<(std::os::fd::OwnedFd, i32)>,
    /// Its Internet sockets are made by who has the other end of this, which is sent a
    /// message with the descriptor for [`super::seccomp::serve`].
    #[cfg(target_os = "linux")]
    pub outer_sockets: Option<std::os::fd::OwnedFd>,
    /// The terminal that its three streams are, in a session of its own.
    #[cfg(unix)]
    pub terminal: Option<std::os::fd::OwnedFd>,
}

impl Spawn {
    /// Gives it memory of [`super::shared_memory::share`].
    pub fn share(&mut self, ticket: Ticket) {
        #[cfg(target_os = "linux")]
        self.given.push((ticket, super::shared_memory::NUMBER));
        #[cfg(not(target_os = "linux"))]
        match ticket {}
    }
}

/// Variables that a child inherits. Everything else is dropped, so that what a
/// person's shell exported (tokens, agent sockets) stays out of it.
const ALLOWED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "LANG",
    "LANGUAGE",
    "TZ",
    "TERM",
    "SystemRoot",
    "SystemDrive",
    "windir",
    "USERPROFILE",
    "TEMP",
    "TMP",
];

fn is_allowed(name: &OsStr) -> bool {
    name.to_str().is_some_and(|n| ALLOWED.contains(&n) || n.starts_with("LC_"))
}

/// Starts a process with pipes for its three streams.
///
/// On Linux the child gets SIGKILL when this program ends. The kernel ties that
/// to the *thread* that started the child, hence one thread that lives for ever.
///
/// # Errors
/// The program is missing or may not be started.
pub fn spawn(what: Spawn) -> io::Result<Child> {
    type Job = (Spawn, Sender<io::Result<Child>>);
    static STARTER: OnceLock<Sender<Job>> = OnceLock::new();
    let starter = STARTER.get_or_init(|| {
        let (jobs, queue) = channel::<Job>();
        std::thread::Builder::new()
            .name("starter".into())
            .spawn(move || {
                for (what, reply) in queue {
                    if let Err(unwanted) = reply.send(start(what))
                        && let Ok(mut child) = unwanted.0
                    {
                        let _ = child.kill();
                        let _ = child.wait();
                    }
                }
            })
            .expect("a thread can be started");
        jobs
    });
    let (reply, answer) = channel();
    starter.send((what, reply)).map_err(|_| io::Error::other("the starter thread is gone"))?;
    answer.recv().map_err(|_| io::Error::other("the starter thread is gone"))?
}

fn start(what: Spawn) -> io::Result<Child> {
    let own = what.program.is_none();
    let stream = |nowhere: bool| if nowhere { Stdio::null() } else { Stdio::piped() };
    let unheard = what.mute || what.unheard;
    let mut command = Command::new(match what.program {
        Some(program) => program,
        None => own_program()?,
    });
    command
        .args(&what.args)
        .env_clear()
        .envs(std::env::vars_os().filter(|(name, _)| is_allowed(name)))
        .envs(what.env)
        .stdin(stream(what.mute))
        .stdout(stream(unheard))
        .stderr(stream(unheard));
    #[cfg(unix)]
    if what.leads {
        use std::os::unix::process::CommandExt;
        command.process_group(0);
    }
    #[cfg(unix)]
    if let Some(terminal) = what.terminal {
        sit_at(&mut command, terminal)?;
    }
    #[cfg(unix)]
    if !what.given.is_empty() {
        give(&mut command, what.given)?;
    }
    #[cfg(unix)]
    if own {
        use std::os::unix::process::CommandExt;
        command.arg0("poterne");
    }
    #[cfg(target_os = "linux")]
    if !own {
        die_with_parent(&mut command);
    }
    #[cfg(windows)]
    {
        use std::os::windows::process::CommandExt;
        const CREATE_NO_WINDOW: u32 = 0x0800_0000;
        command.creation_flags(CREATE_NO_WINDOW);
        let _ = own;
    }
    #[cfg(target_os = "linux")]
    if let Some(to) = what.outer_sockets {
        wait_for_sockets(&mut command, to);
    }
    command.spawn()
}

/// Has the child ask for its Internet sockets. Last of all that is done before it
/// becomes the program.
#[cfg(target_os = "linux")]
fn wait_for_sockets(command: &mut Command, to: std::os::fd::OwnedFd) {
    use std::os::fd::AsFd;
    use std::os::unix::process::CommandExt;
    // SAFETY: the closure makes system calls on a descriptor that it owns and allocates
    // nothing, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(move || {
            let listener = super::seccomp::install()?;
            super::fds::send(&to, b"s", &[listener.as_fd()])
        });
    }
}

/// Makes a terminal the child's three streams and its controlling one.
#[cfg(unix)]
fn sit_at(command: &mut Command, terminal: std::os::fd::OwnedFd) -> io::Result<()> {
    use std::os::unix::process::CommandExt;
    command.stdin(terminal.try_clone()?).stdout(terminal.try_clone()?).stderr(terminal);
    // SAFETY: the closure makes system calls on a stream that is there by then and
    // touches no memory, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
            Ok(())
        });
    }
    Ok(())
}

/// Hands descriptors to the child under the numbers it looks for them.
#[cfg(unix)]
fn give(command: &mut Command, given: Vec<(std::os::fd::OwnedFd, i32)>) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    use std::os::unix::process::CommandExt;
    /// Above every number that a child is given.
    const ABOVE: i32 = 64;
    let mut apart = Vec::with_capacity(given.len());
    for (fd, number) in given {
        // Out of the way first, so that none is overwritten by another.
        apart.push((rustix::io::fcntl_dupfd_cloexec(&fd, ABOVE)?, number));
    }
    // SAFETY: the closure makes system calls on numbers that it owns and touches no
    // memory besides, which is allowed between fork and exec.
    unsafe {
        command.pre_exec(move || {
            for (fd, number) in &apart {
                if libc::dup2(fd.as_raw_fd(), *number) < 0 {
                    return Err(io::Error::last_os_error());
                }
            }
            Ok(())
        });
    }
    Ok(())
}

/// This very program, also after its file was replaced by an upgrade.
///
/// # Errors
/// The system does not say where it is.
pub fn own_program() -> io::Result<OsString> {
    #[cfg(target_os = "linux")]
    return Ok("/proc/self/exe".into());
    #[cfg(not(target_os = "linux"))]
    return std::env::current_exe().map(Into::into);
}

/// Foreign programs do not watch their standard input, so the kernel ends them.
/// Our own session process sets this itself ([`confine_session_process`]), which
/// leaves the fast path of `posix_spawn` open.
#[cfg(target_os = "linux")]
fn die_with_parent(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    // SAFETY: the closure makes one system call and touches no memory of ours,
    // which is allowed between fork and exec.
    unsafe {
        command.pre_exec(|| {
            rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
            Ok(())
        });
    }
}

/// First act of a session process: dies with its parent, and is hardened like
/// every process that holds secrets.
pub fn confine_session_process() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process as p;
        let parent = p::getppid();
        let _ = p::set_parent_process_death_signal(Some(p::Signal::KILL));
        if p::getppid() != parent {
            leave_at_once();
        }
    }
    super::harden::harden();
}

/// Asks for a large buffer in a pipe, so that bulk output is not chopped into
/// 64 KiB steps. Silently keeps the usual size where that is not given.
#[cfg(unix)]
pub fn widen_pipe(end: &impl std::os::fd::AsFd) {
    #[cfg(target_os = "linux")]
    let _ = rustix::pipe::fcntl_setpipe_size(end, 1 << 20);
    #[cfg(not(target_os = "linux"))]
    let _ = end;
}

/// As on Unix; anonymous pipes of Windows keep their size.
#[cfg(windows)]
pub fn widen_pipe<T>(_end: &T) {}

/// The shell that runs command lines on this machine, and its flag for one.
#[cfg(unix)]
pub const COMMAND_SHELL: (&str, &str) = ("/bin/sh", "-c");
/// The shell that runs command lines on this machine, and its flag for one.
#[cfg(windows)]
pub const COMMAND_SHELL: (&str, &str) = ("cmd.exe", "/C");

/// Starts a command line of the person's with the person's own environment and
/// pipes for its three streams.
///
/// # Errors
/// The shell or the folder is missing.
pub fn user_command(line: &str, folder: &Path) -> io::Result<Child> {
    Command::new(COMMAND_SHELL.0)
        .args([COMMAND_SHELL.1, line])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

/// Ends this process without running what libraries left to do at the end,
/// which is unsafe while other threads still use them.
pub fn leave_at_once() -> ! {
    #[cfg(unix)]
    // SAFETY: ends the process; no memory is touched afterwards.
    unsafe {
        libc::_exit(0)
    }
    #[cfg(not(unix))]
    std::process::exit(0)
}

/// Standard input and output without the buffers of the library, which would
/// scan output for line ends and keep copies of input.
///
/// # Errors
/// A stream is closed.
pub fn raw_stdio() -> io::Result<(File, File)> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let stdin = io::stdin().as_fd().try_clone_to_owned()?;
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        Ok((stdin.into(), stdout.into()))
    }
    #[cfg(windows)]
    {
        use std::os::windows::io::AsHandle;
        let stdin = io::stdin().as_handle().try_clone_to_owned()?;
        let stdout = io::stdout().as_handle().try_clone_to_owned()?;
        Ok((stdin.into(), stdout.into()))
    }
}

/// The socket of the person's SSH agent, if there is one.
pub fn agent_socket() -> Option<OsString> {
    std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty())
}

/// The first of these programs that there is: a name that a folder of `PATH` has, or
/// an absolute path, which may begin with a variable as `%ProgramFiles%`.
pub fn find<'a>(names: impl IntoIterator<Item = &'a str>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).filter(|f| f.is_absolute()).collect();
    names.into_iter().find_map(|name| {
        if name.contains(['/', '\\']) {
            return Some(expanded(name)?).filter(|path| path.is_absolute() && is_program(path));
        }
        folders.iter().map(|folder| folder.join(name)).find(|path| is_program(path))
    })
}

fn expanded(name: &str) -> Option<PathBuf> {
    let Some((variable, rest)) = name.strip_prefix('%').and_then(|rest| rest.split_once('%'))
    else {
        return Some(name.into());
    };
    let mut path = std::env::var_os(variable)?;
    path.push(rest);
    Some(path.into())
}

/// Whether a path is a program that may be started.
#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

/// Whether a path is a program that may be started.
#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Whether the process at the other end of a socket was started by this one, or by
/// one that was.
#[cfg(target_os = "linux")]
pub fn is_below_this_one(stream: &std::os::unix::net::UnixStream) -> bool {
    use rustix::process::Pid;
    /// More generations than any program has.
    const DEEPEST: usize = 64;
    let own = rustix::process::getpid();
    let Ok(peer) = rustix::net::sockopt::socket_peercred(stream) else { return false };
    let mut pid = Some(peer.pid);
    for _ in 0..DEEPEST {
        let Some(now) = pid else { return false };
        if now == own {
            return true;
        }
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", now.as_raw_pid()));
        let stat = stat.unwrap_or_default();
        let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
        let parent = after.split(' ').nth(1).and_then(|parent| parent.parse::<i32>().ok());
        pid = parent.and_then(Pid::from_raw);
    }
    false
}

/// Elsewhere only the user tells: another one cannot reach a socket in a private
/// folder.
#[cfg(all(unix, not(target_os = "linux")))]
pub fn is_below_this_one(_stream: &std::os::unix::net::UnixStream) -> bool {
    true
}

/// Sends a signal to a process that leads a group, and to all in it.
#[cfg(unix)]
pub fn signal_group(leader: u32, signal: i32) {
    use rustix::process::{Pid, Signal, kill_process_group};
    let group = i32::try_from(leader).ok().and_then(Pid::from_raw);
    if let (Some(group), Some(signal)) = (group, Signal::from_named_raw(signal)) {
        let _ = kill_process_group(group, signal);
    }
}

/// Where this program lies, for another one to start.
///
/// # Errors
/// The system does not say.
pub fn own_path() -> io::Result<OsString> {
    std::env::current_exe().map(Into::into)
}
