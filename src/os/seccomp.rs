//! Sockets of the machine for a program that is in a network of its own: where it asks
//! for an Internet socket, this process makes one in its own network and puts it there
//! (seccomp_unotify(2)). The program's interfaces, routes and files are not touched.
//! This is no guard against that program: what it may do is set by its user.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use libc::{c_int, c_long, c_ulong, sock_filter, sock_fprog};
use rustix::event::{PollFd, PollFlags, poll};

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;
/// Another one: nothing is stopped there, and [`install`] says so.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURE: u32 = 0;

/// Numbers from here on are calls of another convention (x32).
const FOREIGN_CALLS: u32 = 0x4000_0000;

/// Offsets in `struct seccomp_data` (seccomp(2)); of the first argument the half that
/// holds a number this small.
const NUMBER: u32 = 0;
const CONVENTION: u32 = 4;
const FIRST_ARGUMENT: u32 = if cfg!(target_endian = "little") { 16 } else { 20 };

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

const fn step(code: u16, jt: u8, jf: u8, k: u32) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

/// Stops `socket(AF_INET | AF_INET6, …)`, lets everything else pass, and refuses calls
/// of another convention, which it could not tell apart.
const PROGRAM: [sock_filter; 11] = [
    step(LOAD, 0, 0, CONVENTION),
    step(EQUAL, 0, 2, ARCHITECTURE),
    step(LOAD, 0, 0, NUMBER),
    step(AT_LEAST, 0, 1, FOREIGN_CALLS),
    step(RETURN, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32),
    step(EQUAL, 0, 4, libc::SYS_socket as u32),
    step(LOAD, 0, 0, FIRST_ARGUMENT),
    step(EQUAL, 1, 0, libc::AF_INET as u32),
    step(EQUAL, 0, 1, libc::AF_INET6 as u32),
    step(RETURN, 0, 0, libc::SECCOMP_RET_USER_NOTIF),
    step(RETURN, 0, 0, libc::SECCOMP_RET_ALLOW),
];

/// From now on this process and all that it becomes or starts wait at each Internet
/// socket for whoever has the descriptor that this returns. Makes system calls only, so
/// that a child may call it before it becomes another program.
///
/// # Errors
/// The system has no such thing (before Linux 5.14, or another processor).
pub fn install() -> io::Result<OwnedFd> {
    if ARCHITECTURE == 0 {
        return Err(io::ErrorKind::Unsupported.into());
    }
    let program = PROGRAM;
    let filter = sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    // SAFETY: prctl(2) with constants; it only takes rights away from this process.
    let fd = unsafe {
        if libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as c_ulong, 0, 0, 0) < 0 {
            return Err(io::Error::last_os_error());
        }
        let mode = c_long::from(libc::SECCOMP_SET_MODE_FILTER as i32);
        let flags = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
        // SAFETY: the program lives through the call, and its length is given.
        libc::syscall(libc::SYS_seccomp, mode, flags, &raw const filter)
    };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a descriptor that the system has just made for this call.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as c_int) })
}

/// Makes the sockets that processes behind `listener` ask for, in the network of the
/// calling thread, until the last of those processes has ended.
///
/// # Errors
/// The system refuses to go on; the processes would wait for ever and should be ended.
pub fn serve(listener: &OwnedFd) -> io::Result<()> {
    loop {
        let mut fds = [PollFd::new(listener, PollFlags::IN)];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        let seen = fds[0].revents();
        if seen.contains(PollFlags::IN) {
            one(listener)?;
        } else if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
            return Ok(());
        }
    }
}

fn one(listener: &OwnedFd) -> io::Result<()> {
    // SAFETY: all-zero is what the system wants to be handed here.
    let mut asked: libc::seccomp_notif = unsafe { std::mem::zeroed() };
    if let Err(e) = call(listener, libc::SECCOMP_IOCTL_NOTIF_RECV, &mut asked) {
        // Who asked was ended by a signal meanwhile.
        return gone_or(e);
    }
    let [domain, kind, protocol] = [0, 1, 2].map(|n| asked.data.args[n] as c_int);
    // SAFETY: socket(2) with numbers; the outcome is looked at.
    let made = unsafe { libc::socket(domain, kind | libc::SOCK_CLOEXEC, protocol) };
    if made < 0 {
        let error = io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        let mut answer = libc::seccomp_notif_resp { id: asked.id, val: 0, error: -error, flags: 0 };
        return call(listener, libc::SECCOMP_IOCTL_NOTIF_SEND, &mut answer).or_else(gone_or);
    }
    // SAFETY: it was just made, and is nobody else's.
    let made = unsafe { OwnedFd::from_raw_fd(made) };
    let keeps = kind & libc::SOCK_CLOEXEC == 0;
    let mut put = libc::seccomp_notif_addfd {
        id: asked.id,
        flags: libc::SECCOMP_ADDFD_FLAG_SEND as u32,
        srcfd: made.as_raw_fd() as u32,
        newfd: 0,
        newfd_flags: if keeps { 0 } else { libc::O_CLOEXEC as u32 },
    };
    call(listener, libc::SECCOMP_IOCTL_NOTIF_ADDFD, &mut put).or_else(gone_or)
}

fn call<T>(listener: &OwnedFd, request: libc::Ioctl, with: &mut T) -> io::Result<()> {
    loop {
        // SAFETY: each request is called with the type that it is declared with.
        if unsafe { libc::ioctl(listener.as_raw_fd(), request, &raw mut *with) } >= 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINTR) {
            return Err(error);
        }
    }
}

fn gone_or(e: io::Error) -> io::Result<()> {
    if e.raw_os_error() == Some(libc::ENOENT) { Ok(()) } else { Err(e) }
}
