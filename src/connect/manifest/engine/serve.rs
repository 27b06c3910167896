//! A program that is ready: carries what it says and what is typed until it or the
//! session ends. It gives no secret.

use std::sync::mpsc::RecvTimeoutError;
use std::time::Instant;

use super::{AFTERMATH, Heard, Running};
use crate::connect::host::child::{Command, Output, Uplink};
use crate::connect::host::wire::WINDOW;
use crate::connect::line::{CTRL_C, fail as line};
use crate::connect::link::ChannelRequest;
use crate::os::pty::Pty;

/// Bytes for the person above which the program is not read.
const SHOWN_MAX: usize = 1 << 18;

impl Running {
    /// Serves until the program ends or the session does; true if the program did.
    pub(super) fn work(&mut self, up: &Uplink) -> bool {
        let mut out = Output::new();
        let mut last_word: Option<Instant> = self.status.map(|_| Instant::now());
        loop {
            self.show(up, &mut out);
            let silent =
                self.readers == 0 || last_word.is_some_and(|since| since.elapsed() >= AFTERMATH);
            if self.status.is_some() && silent && self.shown.is_empty() && self.channel.is_some() {
                return true;
            }
            let wait = last_word.filter(|_| !silent).map(|_| AFTERMATH);
            let heard = match wait {
                Some(limit) => self.heard.recv_timeout(limit),
                None => self.heard.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match heard {
                Ok(Heard::Command(command)) => {
                    if self.command(command, up) {
                        return false;
                    }
                }
                Ok(Heard::Said(errors, bytes)) => self.said(errors, &bytes),
                Ok(Heard::Written(count)) => {
                    if let Some(id) = self.channel {
                        up.credit(id, count);
                    }
                }
                Ok(Heard::Silent) => self.readers -= 1,
                Ok(Heard::Ended(status)) => {
                    self.status = Some(status);
                    last_word = Some(Instant::now());
                }
                // It is ready: nothing more is told.
                Ok(Heard::Asked(..)) => {}
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return false,
            }
        }
    }

    fn show(&mut self, up: &Uplink, out: &mut Output) {
        let Some(id) = self.channel else { return };
        out.pour(up, id, &mut self.shown, &mut self.credit);
        self.permit();
    }

    /// Does what the application wants; true when that is the end.
    fn command(&mut self, command: Command, up: &Uplink) -> bool {
        let ours = |id: u32| self.channel == Some(id);
        match command {
            Command::Quit => return true,
            Command::Open(id, ref request)
                if let Some(why) = line::refused(request, self.channel, &self.run.name) =>
            {
                up.opened(id, Err(&why));
            }
            Command::Open(id, ChannelRequest::Shell { size, term }) => {
                self.channel = Some(id);
                self.credit = WINDOW;
                self.attended = !term.is_empty();
                // What was said before there was a terminal.
                let early = Vec::from(std::mem::take(&mut self.shown));
                self.put(&early);
                if let Some(pty) = &self.pty {
                    pty.resize(size.cols, size.rows);
                }
                up.opened(id, Ok(()));
            }
            Command::Data(id, bytes) if ours(id) => match self.pty {
                Some(_) => self.types(bytes),
                None => {
                    up.credit(id, bytes.len());
                    return bytes.contains(&CTRL_C);
                }
            },
            Command::Eof(id) if ours(id) => {
                if let Some(sign) = self.pty.as_ref().and_then(Pty::end_of_input) {
                    self.types(vec![sign]);
                }
            }
            Command::Resize(id, size) if ours(id) => {
                if let Some(pty) = &self.pty {
                    pty.resize(size.cols, size.rows);
                }
            }
            Command::Credit(id, taken) if ours(id) => self.credit += taken,
            Command::Close(id) => return ours(id),
            _ => {}
        }
        false
    }

    /// Takes in what was said, and lets the reader go on while there is room.
    pub(super) fn said(&mut self, errors: bool, bytes: &[u8]) {
        self.put(bytes);
        self.waiting[usize::from(errors)] = true;
        self.permit();
    }

    /// Keeps words for the person; beside a window no terminal ends their lines.
    fn put(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' && self.run.window && self.attended {
                self.shown.push_back(b'\r');
            }
            self.shown.push_back(*byte);
        }
    }

    fn permit(&mut self) {
        if self.shown.len() >= SHOWN_MAX {
            return;
        }
        for (waiting, permit) in self.waiting.iter_mut().zip(&self.permits) {
            if std::mem::take(waiting)
                && let Some(permit) = permit
            {
                let _ = permit.try_send(());
            }
        }
    }

    /// Types into its terminal, if it has one.
    pub(super) fn types(&self, bytes: Vec<u8>) {
        if let Some(typing) = self.typing.as_ref().filter(|_| !bytes.is_empty()) {
            let _ = typing.send(bytes);
        }
    }
}
