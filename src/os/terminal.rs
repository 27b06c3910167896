//! The terminal of the command line: prompts without echo, raw mode, size.
//! Input is read byte by byte, never past a newline: what follows belongs to
//! whoever reads next.

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::secret::SecretBytes;

/// Longest line that a prompt takes, in bytes.
pub const LINE_MAX_BYTES: usize = 64 * 1024;

/// How a line ended.
pub enum Line {
    /// With its newline (which is not in it), or with the end of input after it.
    Read(SecretBytes),
    /// The input was at its end.
    End,
    /// The person pressed Ctrl-C or Ctrl-D, or a signal that `os::signals` watches
    /// for says that the program is to end.
    Cancelled,
}

/// What was written last to standard error ended within a line.
static MIDLINE: AtomicBool = AtomicBool::new(false);

/// Whether a prompt or bytes of a command, the last on standard error, left a
/// line begun; from now on it counts as ended.
pub fn take_midline() -> bool {
    MIDLINE.swap(false, Ordering::Relaxed)
}

/// Whether somebody can type on standard input.
pub fn stdin_is_terminal() -> bool {
    use std::io::IsTerminal;
    io::stdin().is_terminal()
}

/// Whether standard output is a terminal.
pub fn stdout_is_terminal() -> bool {
    use std::io::IsTerminal;
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal.
pub fn stderr_is_terminal() -> bool {
    use std::io::IsTerminal;
    io::stderr().is_terminal()
}

/// Reads one line from standard input. On a terminal, `hidden` shows nothing
/// of what is typed; the prompt is the caller's to print.
///
/// # Errors
/// The input cannot be read, or the line is longer than [`LINE_MAX_BYTES`].
pub fn read_line(hidden: bool) -> io::Result<Line> {
    if hidden && stdin_is_terminal() {
        return imp::read_hidden();
    }
    let line = read_plain()?;
    if matches!(line, Line::Read(_)) && stdin_is_terminal() {
        // The Enter key ended the prompt's line too.
        take_midline();
    }
    Ok(line)
}

fn read_plain() -> io::Result<Line> {
    let mut line = Growing::new();
    loop {
        if imp::asked_to_end() {
            return Ok(Line::Cancelled);
        }
        match imp::read_byte()? {
            None if line.is_empty() => return Ok(Line::End),
            None | Some(b'\n') => return Ok(Line::Read(line.finish())),
            Some(byte) => line.push(byte)?,
        }
    }
}

/// A line being read, in blocks that the allocator wipes.
struct Growing(Vec<u8>);

impl Growing {
    fn new() -> Self {
        Self(Vec::with_capacity(256))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, byte: u8) -> io::Result<()> {
        if self.0.len() >= LINE_MAX_BYTES {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        }
        self.0.push(byte);
        Ok(())
    }

    /// Removes the last character, which may be several bytes of UTF-8.
    fn backspace(&mut self) {
        while self.0.pop().is_some_and(|byte| byte & 0xC0 == 0x80) {}
    }

    fn clear(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }

    /// The line; a carriage return before the newline belongs to neither.
    fn finish(mut self) -> SecretBytes {
        if self.0.last() == Some(&b'\r') {
            self.0.pop();
        }
        SecretBytes::new(std::mem::take(&mut self.0))
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Prints on standard error without a newline and flushes. A closed standard
/// error is nobody's failure.
pub fn prompt(text: &str) {
    MIDLINE.store(!text.ends_with('\n'), Ordering::Relaxed);
    let mut err = io::stderr().lock();
    let _ = err.write_all(text.as_bytes());
    let _ = err.flush();
}

/// Reads what is there on standard input, at least one byte; 0 at its end.
///
/// # Errors
/// The input cannot be read.
pub fn read_some(buffer: &mut [u8]) -> io::Result<usize> {
    imp::read_some(buffer)
}

/// Standard input past any buffer of the library: nothing of what is read is
/// kept where it cannot be wiped.
pub struct Input;

impl io::Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        read_some(buffer)
    }
}

/// Which of the two outputs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Output {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Undoes what a program that was cut off may have left switched on in a terminal
/// (xterm's control sequences): the other screen, mouse reports, bracketed paste,
/// application keys, a hidden cursor, colours. Begins a new line.
pub const CALM: &[u8] = b"\x1b[?1047l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1004l\x1b[?1006l\
    \x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m\r\n";

/// Writes all of `bytes` at once, past any buffer.
///
/// # Errors
/// The reader is gone.
pub fn write_all(output: Output, bytes: &[u8]) -> io::Result<()> {
    if let (Output::Err, Some(last)) = (output, bytes.last()) {
        MIDLINE.store(*last != b'\n', Ordering::Relaxed);
    }
    imp::write_all(output, bytes)
}

/// Columns and rows of the terminal on standard output (else input), both at
/// least 1; `None` when neither is one.
pub fn size() -> Option<(u16, u16)> {
    imp::size()
}

/// Standard input in raw mode; dropping it restores what was.
pub struct Raw(#[allow(dead_code, reason = "kept for what dropping it does")] imp::Mode);

/// Switches the terminal on standard input to raw mode.
///
/// # Errors
/// Standard input is no terminal.
pub fn raw() -> io::Result<Raw> {
    imp::Mode::raw().map(Raw)
}

#[cfg(unix)]
mod imp {
    use std::io;
    use std::os::unix::net::UnixStream;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::stdio::{stderr, stdin, stdout};
    use rustix::termios::{
        LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetwinsize, tcsetattr,
    };

    use super::{Growing, Line, Output};
    use crate::os::signals::{self, Hold};

    /// Waits until there is input, or its end; true when the program is to end
    /// instead.
    pub fn asked_to_end() -> bool {
        signals::wish().is_some_and(rings_first)
    }

    /// Waits until there is input, or its end, or the bell rings; true for the bell.
    fn rings_first(wish: &UnixStream) -> bool {
        loop {
            let input = stdin();
            let mut fds = [PollFd::new(&input, PollFlags::IN), PollFd::new(wish, PollFlags::IN)];
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => {}
                // What cannot be waited for is read at once.
                Err(_) => return false,
                Ok(_) => return !fds[1].revents().is_empty(),
            }
        }
    }

    /// The next byte of standard input, past any buffer; `None` at its end.
    pub fn read_byte() -> io::Result<Option<u8>> {
        let mut byte = [0];
        Ok((read_some(&mut byte)? == 1).then(|| std::mem::take(&mut byte[0])))
    }

    pub fn write_all(output: Output, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let wrote = match output {
                Output::Out => rustix::io::write(stdout(), bytes),
                Output::Err => rustix::io::write(stderr(), bytes),
            };
            match wrote {
                Ok(count) => bytes = &bytes[count..],
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => {
                    let _ = match output {
                        Output::Out => poll(&mut [PollFd::new(&stdout(), PollFlags::OUT)], None),
                        Output::Err => poll(&mut [PollFd::new(&stderr(), PollFlags::OUT)], None),
                    };
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    pub fn read_some(buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match rustix::io::read(stdin(), &mut *buffer) {
                Ok(count) => return Ok(count),
                Err(rustix::io::Errno::INTR) => {}
                // Somebody left the descriptor non-blocking: wait for it.
                Err(rustix::io::Errno::AGAIN) => {
                    let _ = poll(&mut [PollFd::new(&stdin(), PollFlags::IN)], None);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// A changed terminal mode; dropping it puts the old one back.
    pub struct Mode(Termios);

    impl Mode {
        fn change(to: impl FnOnce(&mut Termios)) -> io::Result<Self> {
            let before = tcgetattr(stdin())?;
            let mut after = before.clone();
            to(&mut after);
            tcsetattr(stdin(), OptionalActions::Drain, &after)?;
            Ok(Self(before))
        }

        pub fn raw() -> io::Result<Self> {
            Self::change(Termios::make_raw)
        }

        /// Without signals too: Ctrl-C must not leave the terminal mute.
        fn hidden() -> io::Result<Self> {
            Self::change(|mode| {
                mode.local_modes &= !(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
                mode.special_codes[SpecialCodeIndex::VMIN] = 1;
                mode.special_codes[SpecialCodeIndex::VTIME] = 0;
            })
        }
    }

    impl Drop for Mode {
        fn drop(&mut self) {
            let _ = tcsetattr(stdin(), OptionalActions::Drain, &self.0);
        }
    }

    pub fn read_hidden() -> io::Result<Line> {
        const CTRL_C: u8 = 3;
        const CTRL_D: u8 = 4;
        const CTRL_U: u8 = 21;
        // Dropped last: a signal ends the process only once the mode is put back.
        let held = Hold::new();
        let bell = held.as_ref().map(Hold::bell).or_else(signals::wish);
        let _mode = Mode::hidden()?;
        let mut line = Growing::new();
        let end = loop {
            if bell.is_some_and(rings_first) {
                break Line::Cancelled;
            }
            match read_byte()? {
                None if line.is_empty() => break Line::End,
                None | Some(b'\n' | b'\r') => break Line::Read(line.finish()),
                Some(CTRL_C) => break Line::Cancelled,
                Some(CTRL_D) if line.is_empty() => break Line::Cancelled,
                Some(CTRL_D) => {}
                Some(CTRL_U) => line.clear(),
                Some(0x7F | 0x08) => line.backspace(),
                Some(byte) => line.push(byte)?,
            }
        };
        super::prompt("\n");
        Ok(end)
    }

    pub fn size() -> Option<(u16, u16)> {
        let size = tcgetwinsize(stdout()).or_else(|_| tcgetwinsize(stdin())).ok()?;
        Some((size.ws_col.max(1), size.ws_row.max(1)))
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io::{self, Read, Write};

    use super::{Line, Output};

    pub fn read_some(buffer: &mut [u8]) -> io::Result<usize> {
        io::stdin().lock().read(buffer)
    }

    pub fn write_all(output: Output, bytes: &[u8]) -> io::Result<()> {
        match output {
            Output::Out => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
            Output::Err => io::stderr().lock().write_all(bytes),
        }
    }

    pub fn asked_to_end() -> bool {
        false
    }

    pub fn read_byte() -> io::Result<Option<u8>> {
        let mut byte = [0];
        let got = io::stdin().lock().read(&mut byte)?;
        Ok((got == 1).then_some(byte[0]))
    }

    pub struct Mode;

    impl Mode {
        pub fn raw() -> io::Result<Self> {
            Err(io::Error::from(io::ErrorKind::Unsupported))
        }
    }

    pub fn read_hidden() -> io::Result<Line> {
        super::read_plain()
    }

    pub fn size() -> Option<(u16, u16)> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backspace_removes_a_whole_character() {
        let mut line = Growing::new();
        for byte in "aé".bytes() {
            line.push(byte).expect("short");
        }
        line.backspace();
        assert!(line.finish().expose(|bytes| bytes == b"a"));
    }

    #[test]
    fn a_carriage_return_before_the_newline_is_dropped() {
        let mut line = Growing::new();
        for byte in b"secret\r" {
            line.push(*byte).expect("short");
        }
        assert!(line.finish().expose(|bytes| bytes == b"secret"));
    }
}
