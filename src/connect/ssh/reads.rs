//! Whether libssh2 has read from a connection. Each of its calls takes in whatever
//! has come and puts aside what is for another channel: a step that moved nothing
//! may so have brought what an earlier one waited for, and no socket tells of it.

use std::cell::Cell;
use std::ffi::c_int;
use std::io::{ErrorKind, Read};
use std::mem::ManuallyDrop;
use std::net::TcpStream;
#[cfg(unix)]
use std::os::fd::{FromRawFd, RawFd as RawSocket};
#[cfg(windows)]
use std::os::windows::io::{FromRawSocket, RawSocket};

use ssh2::Session;

/// libssh2.h: `LIBSSH2_CALLBACK_RECV`.
const RECV: c_int = 6;

#[cfg(unix)]
const AGAIN: isize = libc::EAGAIN as isize;
#[cfg(windows)]
const AGAIN: isize = 11;

/// How libssh2 reads: into room of this length; below zero is an error's number.
type Recv = extern "C" fn(RawSocket, *mut u8, usize, c_int, *mut *mut u8) -> isize;

unsafe extern "C" {
    fn libssh2_session_callback_set2(
        session: *mut u8,
        kind: c_int,
        callback: Option<Recv>,
    ) -> Option<Recv>;
}

thread_local! {
    /// A connection is served by one thread, which serves no other.
    static READS: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread has read bytes from its connection.
pub fn count() -> u64 {
    READS.get()
}

/// Has the reads of `session` counted.
pub fn count_in(session: &Session) {
    let mut raw = session.raw();
    // SAFETY: the session lives and is locked; the function takes what libssh2
    // hands to its own, which it stands in for.
    unsafe { libssh2_session_callback_set2((&raw mut *raw).cast(), RECV, Some(recv)) };
}

extern "C" fn recv(
    socket: RawSocket,
    room: *mut u8,
    len: usize,
    _flags: c_int,
    _own: *mut *mut u8,
) -> isize {
    // SAFETY: the socket is open while its session calls, and stays its owner's;
    // any stream socket is read alike.
    #[cfg(unix)]
    let stream = ManuallyDrop::new(unsafe { TcpStream::from_raw_fd(socket) });
    // SAFETY: as above.
    #[cfg(windows)]
    let stream = ManuallyDrop::new(unsafe { TcpStream::from_raw_socket(socket) });
    // SAFETY: libssh2 hands over room for `len` bytes, zeroed when it was made.
    let room = unsafe { std::slice::from_raw_parts_mut(room, len) };
    match (&*stream).read(room) {
        Ok(0) => 0,
        Ok(n) => {
            READS.set(READS.get() + 1);
            n as isize
        }
        Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => -AGAIN,
        Err(e) => -(e.raw_os_error().unwrap_or(5) as isize),
    }
}
