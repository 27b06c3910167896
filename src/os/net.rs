//! Sockets that may be TCP or a local pair, waiting for several at once, and a
//! bell that wakes the waiter. Never resolves or dials anything by itself.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(target_os = "linux")]
use std::net::{SocketAddr, SocketAddrV4};
#[cfg(unix)]
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
#[cfg(windows)]
use std::os::windows::io::{AsRawSocket, RawSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// A stream socket.
#[derive(Debug)]
pub enum Socket {
    /// Over the network.
    Tcp(TcpStream),
    /// One end of a pair inside this process.
    #[cfg(unix)]
    Local(UnixStream),
}

impl Socket {
    /// Two connected ends inside this process.
    ///
    /// # Errors
    /// No descriptors left.
    #[cfg(unix)]
    pub fn pair() -> io::Result<(Self, Self)> {
        let (a, b) = UnixStream::pair()?;
        Ok((Self::Local(a), Self::Local(b)))
    }

    /// Two connected ends inside this process, over the loopback interface.
    ///
    /// # Errors
    /// No descriptors left.
    #[cfg(windows)]
    pub fn pair() -> io::Result<(Self, Self)> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        let a = TcpStream::connect(listener.local_addr()?)?;
        let (b, peer) = listener.accept()?;
        if peer != a.local_addr()? {
            return Err(io::Error::other("a stranger connected to the local pair"));
        }
        a.set_nodelay(true)?;
        b.set_nodelay(true)?;
        Ok((Self::Tcp(a), Self::Tcp(b)))
    }

    /// A socket of this process, by what it is.
    ///
    /// # Errors
    /// It is no socket.
    #[cfg(unix)]
    pub fn of(fd: std::os::fd::OwnedFd) -> io::Result<Self> {
        use rustix::net::AddressFamily;
        Ok(match rustix::net::getsockname(&fd)?.address_family() {
            AddressFamily::UNIX => Self::Local(fd.into()),
            _ => Self::Tcp(fd.into()),
        })
    }

    /// What tells it from every other socket that is open.
    ///
    /// # Errors
    /// The socket is no longer usable.
    #[cfg(target_os = "linux")]
    pub fn number(&self) -> io::Result<u64> {
        Ok(rustix::fs::fstat(self)?.st_ino)
    }

    /// Whether the program at the other end, on this machine, is of the same user. Where
    /// that cannot be told, only that it is on this machine.
    pub fn peer_is_of_this_user(&self) -> bool {
        match self {
            Self::Tcp(stream) => peer_is_of_this_user(stream),
            #[cfg(unix)]
            Self::Local(_) => true,
        }
    }

    /// Switches between waiting and returning `WouldBlock`.
    ///
    /// # Errors
    /// The socket is no longer usable.
    pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.set_nonblocking(on),
            #[cfg(unix)]
            Self::Local(s) => s.set_nonblocking(on),
        }
    }

    /// Longest wait of one blocking read or write; `None` for ever.
    ///
    /// # Errors
    /// The duration is zero.
    pub fn set_timeout(&self, limit: Option<Duration>) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.set_read_timeout(limit).and_then(|()| s.set_write_timeout(limit)),
            #[cfg(unix)]
            Self::Local(s) => s.set_read_timeout(limit).and_then(|()| s.set_write_timeout(limit)),
        }
    }

    /// Ends one direction or both.
    pub fn shutdown(&self, how: Shutdown) {
        let _ = match self {
            Self::Tcp(s) => s.shutdown(how),
            #[cfg(unix)]
            Self::Local(s) => s.shutdown(how),
        };
    }

    /// A second handle of the same socket.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn try_clone(&self) -> io::Result<Self> {
        Ok(match self {
            Self::Tcp(s) => Self::Tcp(s.try_clone()?),
            #[cfg(unix)]
            Self::Local(s) => Self::Local(s.try_clone()?),
        })
    }

    /// No Nagle delay; the far side's silence ends the connection after about
    /// three times `keepalive` (0 leaves that to the system).
    pub fn tune(&self, keepalive: Duration) {
        let Self::Tcp(s) = self else { return };
        let _ = s.set_nodelay(true);
        #[cfg(target_os = "linux")]
        if !keepalive.is_zero() {
            use rustix::net::sockopt as opt;
            let _ = opt::set_socket_keepalive(s, true);
            let _ = opt::set_tcp_keepidle(s, keepalive);
            let _ = opt::set_tcp_keepintvl(s, keepalive);
            let _ = opt::set_tcp_keepcnt(s, 3);
            let limit = keepalive.saturating_mul(3).as_millis();
            let _ = opt::set_tcp_user_timeout(s, u32::try_from(limit).unwrap_or(u32::MAX));
        }
        #[cfg(not(target_os = "linux"))]
        let _ = keepalive;
    }
}

/// Ends both directions of those sockets of this process that have these numbers,
/// whoever holds them; what is closed already stays so.
#[cfg(target_os = "linux")]
pub fn shut(numbers: &[u64]) {
    let Ok(all) = std::fs::read_dir("/proc/self/fd") else { return };
    let names = all.flatten().map(|entry| entry.file_name());
    let open: Vec<RawFd> = names.filter_map(|name| name.to_str()?.parse().ok()).collect();
    for fd in open {
        // SAFETY: it is used for two calls that fail where it was closed meanwhile; a
        // socket that got its number since has another one of its own.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        let Ok(stat) = rustix::fs::fstat(fd) else { continue };
        let is_socket = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_socket();
        if is_socket && numbers.contains(&stat.st_ino) {
            let _ = rustix::net::shutdown(fd, rustix::net::Shutdown::Both);
        }
    }
}

/// By the table of sockets that the kernel has (proc_pid_net(5)).
#[cfg(target_os = "linux")]
fn peer_is_of_this_user(stream: &TcpStream) -> bool {
    let (Ok(SocketAddr::V4(peer)), Ok(SocketAddr::V4(own))) =
        (stream.peer_addr(), stream.local_addr())
    else {
        return false;
    };
    let place = |at: SocketAddrV4| {
        let ip = u32::from_ne_bytes(at.ip().octets());
        format!("{ip:08X}:{:04X}", at.port())
    };
    let (peer, own) = (place(peer), place(own));
    let user = rustix::process::geteuid().as_raw().to_string();
    let table = std::fs::read_to_string("/proc/self/net/tcp").unwrap_or_default();
    table.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.len() > 7 && words[1] == peer && words[2] == own && words[7] == user
    })
}

/// Elsewhere nothing tells.
#[cfg(not(target_os = "linux"))]
fn peer_is_of_this_user(stream: &TcpStream) -> bool {
    stream.peer_addr().is_ok_and(|peer| peer.ip().is_loopback())
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }
}

impl Read for &Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(s) => (&mut &*s).read(buf),
            #[cfg(unix)]
            Socket::Local(s) => (&mut &*s).read(buf),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for &Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(s) => (&mut &*s).write(buf),
            #[cfg(unix)]
            Socket::Local(s) => (&mut &*s).write(buf),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(unix)]
impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Tcp(s) => s.as_raw_fd(),
            Self::Local(s) => s.as_raw_fd(),
        }
    }
}

#[cfg(unix)]
impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(s) => s.as_fd(),
            Self::Local(s) => s.as_fd(),
        }
    }
}

#[cfg(windows)]
impl AsRawSocket for Socket {
    fn as_raw_socket(&self) -> RawSocket {
        let Self::Tcp(s) = self;
        s.as_raw_socket()
    }
}

/// One socket of a [`wait`] and what is wanted of it.
pub struct Watch<'a> {
    /// The socket.
    pub socket: &'a Socket,
    /// Wake when it can be read, or ended.
    pub read: bool,
    /// Wake when it can be written.
    pub write: bool,
    /// Wake when the far side has ended, without waking for what it sent before.
    pub hangup: bool,
    /// After the wait: something may be read, or it ended.
    pub readable: bool,
    /// After the wait: something may be written.
    pub writable: bool,
}

impl<'a> Watch<'a> {
    /// Watches `socket`.
    pub fn new(socket: &'a Socket, read: bool, write: bool) -> Self {
        Self { socket, read, write, hangup: false, readable: false, writable: false }
    }
}

/// Waits until a socket is ready or `limit` has passed (`None`: for ever).
///
/// # Errors
/// The system refuses to wait. An interrupting signal is not an error.
#[cfg(unix)]
pub fn wait(watches: &mut [Watch<'_>], limit: Option<Duration>) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let limit = limit.map(|d| Timespec {
        tv_sec: i64::try_from(d.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(d.subsec_nanos()),
    });
    let mut fds: Vec<PollFd<'_>> = watches
        .iter()
        .map(|w| {
            let mut flags = PollFlags::empty();
            flags.set(PollFlags::IN, w.read);
            flags.set(PollFlags::OUT, w.write);
            #[cfg(target_os = "linux")]
            flags.set(PollFlags::RDHUP, w.hangup);
            PollFd::from_borrowed_fd(w.socket.as_fd(), flags)
        })
        .collect();
    match poll(&mut fds, limit.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(e) => return Err(e.into()),
    }
    let ended = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    #[cfg(target_os = "linux")]
    let ended = ended | PollFlags::RDHUP;
    let seen: Vec<PollFlags> = fds.iter().map(PollFd::revents).collect();
    for (watch, flags) in watches.iter_mut().zip(seen) {
        watch.readable = flags.intersects(PollFlags::IN | ended);
        watch.writable = flags.intersects(PollFlags::OUT | ended);
    }
    Ok(())
}

/// As on Unix, by `WSAPoll`.
///
/// # Errors
/// The system refuses to wait.
#[cfg(windows)]
pub fn wait(watches: &mut [Watch<'_>], limit: Option<Duration>) -> io::Result<()> {
    #[repr(C)]
    struct PollFd {
        socket: RawSocket,
        events: i16,
        revents: i16,
    }
    #[link(name = "ws2_32")]
    unsafe extern "system" {
        fn WSAPoll(fds: *mut PollFd, count: u32, timeout_ms: i32) -> i32;
    }
    const IN: i16 = 0x0300;
    const OUT: i16 = 0x0010;
    const ENDED: i16 = 0x0007;
    let mut fds: Vec<PollFd> = watches
        .iter()
        .map(|w| PollFd {
            socket: w.socket.as_raw_socket(),
            events: if w.read { IN } else { 0 } | if w.write { OUT } else { 0 },
            revents: 0,
        })
        .collect();
    let timeout = limit.map_or(-1, |d| i32::try_from(d.as_millis()).unwrap_or(i32::MAX));
    // SAFETY: the array lives through the call and its length is given.
    if unsafe { WSAPoll(fds.as_mut_ptr(), fds.len() as u32, timeout) } < 0 {
        return Err(io::Error::last_os_error());
    }
    for (watch, fd) in watches.iter_mut().zip(fds) {
        watch.readable = fd.revents & (IN | ENDED) != 0;
        watch.writable = fd.revents & (OUT | ENDED) != 0;
    }
    Ok(())
}

/// Wakes a thread that waits in [`wait`]. Ringing twice before it is heard is
/// the same as ringing once.
#[derive(Debug)]
pub struct Bell {
    rope: Socket,
    clapper: Socket,
    rung: AtomicBool,
}

impl Bell {
    /// A silent bell.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new() -> io::Result<Self> {
        let (rope, clapper) = Socket::pair()?;
        clapper.set_nonblocking(true)?;
        Ok(Self { rope, clapper, rung: AtomicBool::new(false) })
    }

    /// Wakes the waiter, now or at its next wait.
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            let _ = (&self.rope).write(&[1]);
        }
    }

    /// What the waiter watches for reading.
    pub fn socket(&self) -> &Socket {
        &self.clapper
    }

    /// Silences it; the waiter looks at its work afterwards.
    pub fn hush(&self) {
        let mut byte = [0u8; 8];
        while matches!((&self.clapper).read(&mut byte), Ok(n) if n > 0) {}
        self.rung.store(false, Ordering::Release);
    }
}
