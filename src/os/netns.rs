//! A network of its own for this process, without any privilege: namespaces of user,
//! network and mounts (namespaces(7)). Touches neither routes, interfaces nor names of
//! the machine.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;

use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountPropagationFlags, fsconfig_create, fsmount,
    fsopen, mount_change,
};
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// Where the machine makes interfaces of programs (tun(4)).
pub const TUN: &str = "/dev/net/tun";

/// What the machine does not allow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Step {
    /// Namespaces of users and networks (user_namespaces(7)).
    Namespaces,
    /// Its users are not to be mapped into them.
    Users,
    /// Mounts of its own (mount_namespaces(7)).
    Mounts,
    /// The loopback interface does not come up.
    Loopback,
    /// [`TUN`] is not to be opened.
    Tun,
}

/// A step that failed, and the number of what the system said (errno(3)).
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Closed {
    /// Which.
    pub step: Step,
    /// Why.
    pub errno: i32,
}

fn at(step: Step) -> impl Fn(io::Error) -> Closed {
    move |e| Closed { step, errno: e.raw_os_error().unwrap_or(libc::EIO) }
}

/// Leaves the machine's network for an empty one, in which this process may make
/// interfaces. Only before any other thread exists (unshare(2)).
///
/// # Errors
/// The machine does not allow it; the process may be half inside and should end.
pub fn enter() -> Result<(), Closed> {
    let user = rustix::process::geteuid().as_raw();
    let group = rustix::process::getegid().as_raw();
    let apart = UnshareFlags::NEWUSER | UnshareFlags::NEWNET | UnshareFlags::NEWNS;
    // SAFETY: no other thread exists, and descriptors stay shared with nobody.
    unsafe { unshare_unsafe(apart) }.map_err(|e| at(Step::Namespaces)(e.into()))?;
    let users = at(Step::Users);
    fs::write("/proc/self/setgroups", "deny").map_err(&users)?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1")).map_err(&users)?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1")).map_err(&users)?;
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(|e| at(Step::Mounts)(e.into()))?;
    loopback_up().map_err(at(Step::Loopback))?;
    OpenOptions::new().read(true).write(true).open(TUN).map_err(at(Step::Tun))?;
    Ok(())
}

fn loopback_up() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind(("0.0.0.0", 0))?;
    // SAFETY: an all-zero request is a valid one without a name.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo\0") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is whole and lives through the call (netdevice(7)).
    if unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// A folder in memory that no path of the machine leads to: who is handed its
/// descriptor alone reaches what is in it. Only after [`enter`].
///
/// # Errors
/// The system has none (before Linux 5.2).
pub fn hidden_folder() -> Result<OwnedFd, Closed> {
    let make = || {
        let files = fsopen("tmpfs", FsOpenFlags::FSOPEN_CLOEXEC)?;
        fsconfig_create(files.as_fd())?;
        let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
            | MountAttrFlags::MOUNT_ATTR_NODEV
            | MountAttrFlags::MOUNT_ATTR_NOEXEC;
        fsmount(files.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)
    };
    make().map_err(|e: rustix::io::Errno| at(Step::Mounts)(e.into()))
}

/// A socket with this name in such a folder.
///
/// # Errors
/// The name is taken.
pub fn listen_in(folder: &OwnedFd, name: &str) -> io::Result<UnixListener> {
    UnixListener::bind(path_in(folder.as_raw_fd(), name))
}

/// How a process that has such a folder under that number names what is in it.
pub fn path_in(number: i32, name: &str) -> String {
    format!("/proc/self/fd/{number}/{name}")
}
