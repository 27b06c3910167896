//! Datagrams of the machine's own network, many with one call of the system (udp(7)).
//! Chooses no address and keeps nothing of what passes.

use std::io;
use std::mem::{size_of, zeroed};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use libc::{c_int, c_void};

/// Longest run that one call takes, in bytes, and in datagrams (`UDP_MAX_SEGMENTS`).
pub const RUN_BYTES: usize = 60_000;
/// See [`RUN_BYTES`].
pub const RUN_MOST: usize = 64;
/// Room that one call may fill, in bytes.
pub const ROOM: usize = 65_536;

/// Bytes that the system is asked to keep for either direction.
const BUFFER: c_int = 4 << 20;

/// Room for what comes beside a datagram, aligned as `cmsghdr` wants it.
#[repr(align(8))]
struct Beside([u8; 256]);

/// A socket that is bound to nothing but one family of addresses.
pub struct Datagrams {
    socket: UdpSocket,
    v6: bool,
    /// The system cuts a long run into datagrams by itself.
    cuts: bool,
}

/// What one call brought.
pub struct Came {
    /// Who sent it.
    pub from: SocketAddr,
    /// Bytes in all.
    pub length: usize,
    /// Bytes of each datagram but the last, which may be shorter.
    pub each: usize,
}

impl Datagrams {
    /// One for addresses of that family.
    ///
    /// # Errors
    /// The machine has no such addresses, or no descriptors are left.
    pub fn new(v6: bool) -> io::Result<Self> {
        let socket = match v6 {
            true => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
            false => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
        };
        socket.set_nonblocking(true)?;
        let set = |level, name, value: c_int| {
            // SAFETY: the value is an int that lives through the call.
            unsafe {
                let value = (&raw const value).cast::<c_void>();
                libc::setsockopt(socket.as_raw_fd(), level, name, value, size_of::<c_int>() as u32)
            }
        };
        // Each of them only makes it faster, or a failure easier to name.
        set(libc::SOL_SOCKET, libc::SO_RCVBUF, BUFFER);
        set(libc::SOL_SOCKET, libc::SO_SNDBUF, BUFFER);
        set(libc::SOL_UDP, libc::UDP_GRO, 1);
        match v6 {
            true => set(libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1),
            false => set(libc::IPPROTO_IP, libc::IP_RECVERR, 1),
        };
        Ok(Self { socket, v6, cuts: true })
    }

    /// Whether it is for addresses such as this one.
    pub fn suits(&self, to: &SocketAddr) -> bool {
        to.is_ipv6() == self.v6
    }

    /// Sends datagrams of `each` bytes, of which the last may be shorter; never waits.
    ///
    /// # Errors
    /// `WouldBlock` when the system's room is full, and nothing was sent; what the
    /// network said of an earlier one.
    pub fn send(&mut self, to: &SocketAddr, run: &[u8], each: usize) -> io::Result<()> {
        if self.cuts && run.len() > each {
            match self.send_run(to, run, each) {
                // The interface cannot, or the way there is narrower.
                Err(e) if is_any(&e, &[libc::EIO, libc::EINVAL, libc::EMSGSIZE]) => {
                    self.cuts = false;
                }
                other => return other,
            }
        }
        let mut last = Ok(());
        for (n, one) in run.chunks(each.max(1)).enumerate() {
            match self.socket.send_to(one, to) {
                // Those before are on their way: the rest is lost as on any full line.
                Err(e) if e.kind() == io::ErrorKind::WouldBlock && n > 0 => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Err(e),
                Err(e) => last = Err(e),
                Ok(_) => {}
            }
        }
        last
    }

    fn send_run(&self, to: &SocketAddr, run: &[u8], each: usize) -> io::Result<()> {
        let (mut name, length) = raw_address(to);
        let mut piece = libc::iovec { iov_base: run.as_ptr() as *mut c_void, iov_len: run.len() };
        let mut beside = Beside([0; 256]);
        // SAFETY: all that the message points to lives through the call, and the head of
        // what is beside lies in room that is large and aligned enough.
        let sent = unsafe {
            let mut message: libc::msghdr = zeroed();
            message.msg_name = (&raw mut name).cast();
            message.msg_namelen = length;
            message.msg_iov = &raw mut piece;
            message.msg_iovlen = 1;
            message.msg_control = beside.0.as_mut_ptr().cast();
            message.msg_controllen = libc::CMSG_SPACE(size_of::<u16>() as u32) as _;
            let head = libc::CMSG_FIRSTHDR(&raw const message);
            (*head).cmsg_level = libc::SOL_UDP;
            (*head).cmsg_type = libc::UDP_SEGMENT;
            (*head).cmsg_len = libc::CMSG_LEN(size_of::<u16>() as u32) as _;
            libc::CMSG_DATA(head).cast::<u16>().write_unaligned(each as u16);
            libc::sendmsg(self.socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL)
        };
        if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// What has come, or nothing.
    ///
    /// # Errors
    /// What the network said of an earlier one that was sent.
    pub fn receive(&self, room: &mut [u8]) -> io::Result<Option<Came>> {
        let mut each = None;
        let got = self.get(room, 0, |level, kind, data| {
            if (level, kind) == (libc::SOL_UDP, libc::UDP_GRO) {
                // SAFETY: the system put an int there (udp(7)).
                each = Some(unsafe { data.cast::<c_int>().read_unaligned() });
            }
        })?;
        let Some((length, from)) = got else { return Ok(None) };
        let each = each.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(length);
        let Some(from) = from else { return Ok(None) };
        Ok(Some(Came { from, length, each }))
    }

    /// What the network said of a datagram that was sent, if it did, and where that was
    /// to go.
    pub fn complaint(&self) -> Option<(SocketAddr, io::Error)> {
        let mut errno = None;
        let mut room = [0; 256];
        let got = self.get(&mut room, libc::MSG_ERRQUEUE, |level, kind, data| {
            let ours = [(libc::SOL_IP, libc::IP_RECVERR), (libc::SOL_IPV6, libc::IPV6_RECVERR)];
            if ours.contains(&(level, kind)) {
                // SAFETY: the system put such a record there (ip(7)).
                let said = unsafe { data.cast::<libc::sock_extended_err>().read_unaligned() };
                errno = Some(said.ee_errno as i32);
            }
        });
        let (_, to) = got.ok().flatten()?;
        Some((to?, io::Error::from_raw_os_error(errno?)))
    }

    fn get(
        &self,
        room: &mut [u8],
        flags: c_int,
        mut beside_it: impl FnMut(c_int, c_int, *const u8),
    ) -> io::Result<Option<(usize, Option<SocketAddr>)>> {
        let mut beside = Beside([0; 256]);
        let mut piece = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        // SAFETY: an all-zero address and message are valid ones; all that the message
        // points to lives through the calls, which write no further than they are told.
        unsafe {
            let mut name: libc::sockaddr_storage = zeroed();
            let mut message: libc::msghdr = zeroed();
            message.msg_name = (&raw mut name).cast();
            message.msg_namelen = size_of::<libc::sockaddr_storage>() as u32;
            message.msg_iov = &raw mut piece;
            message.msg_iovlen = 1;
            message.msg_control = beside.0.as_mut_ptr().cast();
            message.msg_controllen = beside.0.len() as _;
            let flags = flags | libc::MSG_DONTWAIT;
            let got = libc::recvmsg(self.socket.as_raw_fd(), &raw mut message, flags);
            if got < 0 {
                let e = io::Error::last_os_error();
                let nothing = [io::ErrorKind::WouldBlock, io::ErrorKind::Interrupted];
                return if nothing.contains(&e.kind()) { Ok(None) } else { Err(e) };
            }
            let mut head = libc::CMSG_FIRSTHDR(&raw const message);
            while !head.is_null() {
                let data = libc::CMSG_DATA(head).cast_const();
                beside_it((*head).cmsg_level, (*head).cmsg_type, data);
                head = libc::CMSG_NXTHDR(&raw const message, head);
            }
            Ok(Some((got as usize, address(&name))))
        }
    }
}

impl AsFd for Datagrams {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn is_any(e: &io::Error, errnos: &[i32]) -> bool {
    e.raw_os_error().is_some_and(|errno| errnos.contains(&errno))
}

fn raw_address(to: &SocketAddr) -> (libc::sockaddr_storage, libc::socklen_t) {
    // SAFETY: an all-zero address is a valid one, and larger than those of either family.
    unsafe {
        let mut name: libc::sockaddr_storage = zeroed();
        let length = match to {
            SocketAddr::V4(to) => {
                let raw = (&raw mut name).cast::<libc::sockaddr_in>();
                (*raw).sin_family = libc::AF_INET as _;
                (*raw).sin_port = to.port().to_be();
                (*raw).sin_addr.s_addr = u32::from_ne_bytes(to.ip().octets());
                size_of::<libc::sockaddr_in>()
            }
            SocketAddr::V6(to) => {
                let raw = (&raw mut name).cast::<libc::sockaddr_in6>();
                (*raw).sin6_family = libc::AF_INET6 as _;
                (*raw).sin6_port = to.port().to_be();
                (*raw).sin6_addr.s6_addr = to.ip().octets();
                (*raw).sin6_scope_id = to.scope_id();
                size_of::<libc::sockaddr_in6>()
            }
        };
        (name, length as libc::socklen_t)
    }
}

fn address(name: &libc::sockaddr_storage) -> Option<SocketAddr> {
    match c_int::from(name.ss_family) {
        libc::AF_INET => {
            // SAFETY: the family says that it is one of these.
            let raw = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in>() };
            let ip = Ipv4Addr::from(raw.sin_addr.s_addr.to_ne_bytes());
            Some(SocketAddrV4::new(ip, u16::from_be(raw.sin_port)).into())
        }
        libc::AF_INET6 => {
            // SAFETY: likewise.
            let raw = unsafe { &*(&raw const *name).cast::<libc::sockaddr_in6>() };
            let ip = Ipv6Addr::from(raw.sin6_addr.s6_addr);
            let port = u16::from_be(raw.sin6_port);
            Some(SocketAddrV6::new(ip, port, 0, raw.sin6_scope_id).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rustix::event::{PollFd, PollFlags, poll};

    use super::*;

    fn ready(socket: &Datagrams) {
        poll(&mut [PollFd::new(socket, PollFlags::IN)], None).expect("a socket");
    }

    #[test]
    fn a_run_comes_in_the_pieces_that_it_was_sent_in() {
        for ip in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
            let to = std::net::IpAddr::is_ipv6(&ip);
            let mut from = Datagrams::new(to).expect("both families");
            let there = Datagrams::new(to).expect("both families");
            let port = there.socket.local_addr().expect("bound").port();
            let run: Vec<u8> = (0..2500).map(|n| n as u8).collect();
            from.send(&SocketAddr::new(ip, port), &run, 1000).expect("loopback");
            let (mut came, mut pieces) = (Vec::new(), Vec::new());
            let mut room = vec![0; ROOM];
            while came.len() < run.len() {
                ready(&there);
                while let Some(Came { length, each, from }) = there.receive(&mut room).expect("one")
                {
                    assert_eq!(from.ip(), ip);
                    pieces.extend(room[..length].chunks(each).map(<[u8]>::len));
                    came.extend_from_slice(&room[..length]);
                }
            }
            assert_eq!((came, pieces), (run, vec![1000, 1000, 500]));
        }
    }

    #[test]
    fn a_closed_port_is_told() {
        let closed = UdpSocket::bind(("127.0.0.1", 0)).expect("a port");
        let to = closed.local_addr().expect("bound");
        drop(closed);
        let mut from = Datagrams::new(false).expect("a socket");
        from.send(&to, b"anybody?", 8).expect("loopback");
        poll(&mut [PollFd::new(&from, PollFlags::empty())], None).expect("a socket");
        let (place, why) = from.complaint().expect("an answer of the network");
        assert_eq!((place, why.kind()), (to, io::ErrorKind::ConnectionRefused));
        assert!(from.complaint().is_none());
    }
}
