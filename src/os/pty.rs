//! A pseudo-terminal for a program of another's: its near end as a file, its far
//! end as the program's terminal. Knows no program and starts none.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, SpecialCodeIndex, Winsize, tcgetattr, tcsetwinsize};

/// The near end.
pub struct Pty(OwnedFd);

/// Makes one of this many columns and rows; the far end goes to a program.
///
/// # Errors
/// The system has none left.
pub fn open(cols: u16, rows: u16) -> io::Result<(Pty, OwnedFd)> {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    // Not every system takes this when it opens one.
    rustix::io::fcntl_setfd(&near, rustix::io::FdFlags::CLOEXEC)?;
    grantpt(&near)?;
    unlockpt(&near)?;
    let name = ptsname(&near, Vec::new())?;
    let far =
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let pty = Pty(near);
    pty.resize(cols, rows);
    Ok((pty, far))
}

impl Pty {
    /// Tells the program how large its terminal is.
    pub fn resize(&self, cols: u16, rows: u16) {
        let size = Winsize { ws_col: cols.max(1), ws_row: rows.max(1), ws_xpixel: 0, ws_ypixel: 0 };
        let _ = tcsetwinsize(&self.0, size);
    }

    /// Whether what is typed now is not shown by the terminal itself.
    pub fn hides_typing(&self) -> bool {
        tcgetattr(&self.0).is_ok_and(|modes| !modes.local_modes.contains(LocalModes::ECHO))
    }

    /// Whether the program said something that nobody has read yet.
    pub fn has_unread(&self) -> bool {
        let mut near = [PollFd::new(&self.0, PollFlags::IN)];
        poll(&mut near, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
            && near[0].revents().contains(PollFlags::IN)
    }

    /// The sign that ends the input of a program which reads lines; `None` where the
    /// program takes every sign itself.
    pub fn end_of_input(&self) -> Option<u8> {
        let modes = tcgetattr(&self.0).ok()?;
        let lines = modes.local_modes.contains(LocalModes::ICANON);
        lines.then(|| modes.special_codes[SpecialCodeIndex::VEOF])
    }

    /// A handle for reading or writing.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn file(&self) -> io::Result<File> {
        Ok(self.0.as_fd().try_clone_to_owned()?.into())
    }
}
