//! Messages between processes of this program that carry open descriptors, over a
//! pair of Unix sockets that keeps messages apart. What they mean is not its business.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

/// Descriptors of one message at most.
const MOST: usize = 4;

/// Two connected ends. What is sent at one comes out at the other, message by message;
/// when one is closed everywhere, the other is told.
///
/// # Errors
/// No descriptors left.
pub fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message, never in part. Allocates nothing, so that a child may call it
/// before it becomes another program.
///
/// # Errors
/// The other end is gone.
///
/// # Panics
/// With more than four descriptors.
pub fn send(to: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut room = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut with = SendAncillaryBuffer::new(&mut room);
    if !fds.is_empty() {
        assert!(with.push(SendAncillaryMessage::ScmRights(fds)), "four descriptors at most");
    }
    loop {
        match sendmsg(&to, &[IoSlice::new(bytes)], &mut with, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// The next message and what came with it; no bytes when the other end is gone.
///
/// # Errors
/// The socket is broken, or the message does not fit into `room`.
pub fn receive(from: impl AsFd, room: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut with = RecvAncillaryBuffer::new(&mut space);
    let got = loop {
        let into = &mut [IoSliceMut::new(room)];
        match recvmsg(&from, into, &mut with, RecvFlags::CMSG_CLOEXEC) {
            Ok(got) => break got,
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    };
    let mut fds = Vec::new();
    for message in with.drain() {
        if let RecvAncillaryMessage::ScmRights(came) = message {
            fds.extend(came);
        }
    }
    if got.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(io::ErrorKind::InvalidData.into());
    }
    Ok((got.bytes, fds))
}

/// The descriptor that this process was given under that number, if it was. Takes the
/// number away, so that no other program inherits it.
pub fn given(number: RawFd) -> Option<OwnedFd> {
    // SAFETY: only asks whether the descriptor is open.
    if unsafe { libc::fcntl(number, libc::F_GETFD) } < 0 {
        return None;
    }
    // SAFETY: it is open, and was given to this process for this alone.
    let fd = unsafe { OwnedFd::from_raw_fd(number) };
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC).ok()?;
    Some(fd)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_message_brings_its_descriptor_and_keeps_its_bounds() {
        let (a, b) = pair().expect("descriptors are left");
        let (mut near, far) = UnixStream::pair().expect("descriptors are left");
        send(&a, b"one", &[far.as_fd()]).expect("the other end is there");
        send(&a, b"two", &[]).expect("the other end is there");
        drop(far);
        let mut room = [0; 16];
        let (length, mut fds) = receive(&b, &mut room).expect("a message");
        assert_eq!((&room[..length], fds.len()), (&b"one"[..], 1));
        let mut far = UnixStream::from(fds.remove(0));
        far.write_all(b"by the one that travelled").expect("it is open");
        drop(far);
        let mut text = String::new();
        near.read_to_string(&mut text).expect("it was closed");
        assert_eq!(text, "by the one that travelled");
        let (length, fds) = receive(&b, &mut room).expect("a message");
        assert_eq!((&room[..length], fds.len()), (&b"two"[..], 0));
        drop(a);
        assert_eq!(receive(&b, &mut room).expect("the end").0, 0);
    }

    #[test]
    fn a_message_that_does_not_fit_is_refused() {
        let (a, b) = pair().expect("descriptors are left");
        send(&a, &[7; 32], &[]).expect("the other end is there");
        assert!(receive(&b, &mut [0; 16]).is_err());
    }
}
