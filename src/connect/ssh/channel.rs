//! One channel over libssh2: a shell, a command, or a stream between a socket of
//! this process and a place the server reaches. Never blocks.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;

use ssh2::{Channel, Session};

use super::engine::{EAGAIN, directions, is_broken, number};
use super::fail;
use super::serve::CREDIT;
use crate::connect::Failure;
use crate::connect::host::child::{Output, Uplink};
use crate::connect::link::{ChannelRequest, Exit, TermSize};
use crate::os::net::Socket;

/// Bytes read from a stream's socket and not yet taken by the server.
const STREAM_WINDOW: usize = 1 << 18;

/// What all channels of a connection share.
pub struct Ctx<'a> {
    /// The connection.
    pub session: &'a Session,
    /// The way to the application.
    pub up: &'a Uplink,
    /// Typed into every shell.
    pub startup: &'a str,
}

/// What a step came to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing could move.
    Still,
    /// Something moved.
    Moved,
    /// The channel is gone.
    Over,
}

/// What a channel is for.
pub enum Kind {
    /// A shell or command of the application.
    Session {
        /// With a terminal, standard error comes with standard output.
        terminal: bool,
    },
    /// A stream.
    Stream {
        /// `None` while the near end is being dialled.
        socket: Option<Socket>,
        /// Bytes from the server on their way to the socket.
        inward: Vec<u8>,
        /// How many of them are written.
        written: usize,
        /// The socket has ended.
        ended: bool,
    },
}

/// A request that must be answered before the channel is open.
enum Ask {
    Terminal(TermSize, String),
    Shell,
    Exec(String),
}

/// One channel.
pub struct Chan {
    id: u32,
    raw: Channel,
    /// What it is for.
    pub kind: Kind,
    asks: VecDeque<Ask>,
    shell: bool,
    open: bool,
    out: VecDeque<Vec<u8>>,
    out_bytes: usize,
    taken: usize,
    done: usize,
    eof_wanted: bool,
    eof_sent: bool,
    resize: Option<TermSize>,
    credit: usize,
    closing: bool,
    reported: bool,
    half_written: bool,
    remote_closed: bool,
    failed: Option<Failure>,
}

impl Chan {
    fn new(id: u32, raw: Channel, kind: Kind) -> Self {
        Self {
            id,
            raw,
            kind,
            asks: VecDeque::new(),
            shell: false,
            open: false,
            out: VecDeque::new(),
            out_bytes: 0,
            taken: 0,
            done: 0,
            eof_wanted: false,
            eof_sent: false,
            resize: None,
            credit: CREDIT,
            closing: false,
            reported: false,
            half_written: false,
            remote_closed: false,
            failed: None,
        }
    }

    /// A shell or a command.
    pub fn session(id: u32, raw: Channel, request: ChannelRequest) -> Self {
        let (size, term, ask) = match request {
            ChannelRequest::Shell { size, term } => (Some(size), term, Ask::Shell),
            ChannelRequest::Exec { command, size, term } => (size, term, Ask::Exec(command)),
            ChannelRequest::Screen { .. } => unreachable!("refused where commands come in"),
        };
        let mut chan = Self::new(id, raw, Kind::Session { terminal: size.is_some() });
        chan.shell = matches!(ask, Ask::Shell);
        chan.asks.extend(size.map(|size| Ask::Terminal(size, term)));
        chan.asks.push_back(ask);
        chan
    }

    /// A stream whose near end is `socket`, or is being dialled.
    pub fn stream(id: u32, raw: Channel, socket: Option<Socket>, greeting: Vec<u8>) -> Self {
        let kind = Kind::Stream { socket, inward: greeting, written: 0, ended: false };
        Self { open: true, ..Self::new(id, raw, kind) }
    }

    /// The near end of a stream was dialled, or not.
    pub fn attach(&mut self, dialled: io::Result<Socket>) {
        match (&mut self.kind, dialled) {
            (Kind::Stream { socket, .. }, Ok(near)) => *socket = Some(near),
            _ => self.closing = true,
        }
    }

    /// Bytes for the server.
    pub fn queue(&mut self, bytes: Vec<u8>) {
        self.out_bytes += bytes.len();
        self.out.push_back(bytes);
    }

    /// No more bytes for the server.
    pub fn queue_eof(&mut self) {
        self.eof_wanted = true;
    }

    /// The terminal has a new size.
    pub fn resize(&mut self, size: TermSize) {
        self.resize = Some(size);
    }

    /// The application took `taken` bytes of output.
    pub fn credit(&mut self, taken: usize) {
        self.credit += taken;
    }

    /// The application wants no more of it. It hears at once that it is closed;
    /// the server may take its time.
    pub fn close(&mut self, up: &Uplink) {
        self.closing = true;
        self.report(up);
    }

    fn report(&mut self, up: &Uplink) {
        if !self.reported && matches!(self.kind, Kind::Session { .. }) {
            self.reported = true;
            up.closed(self.id, self.failed.as_ref());
        }
    }

    /// True when bytes on the connection can be of use to this channel now.
    pub fn reads_connection(&self) -> bool {
        let room = match &self.kind {
            Kind::Session { .. } => self.credit > 0,
            Kind::Stream { socket, inward, .. } => socket.is_some() && inward.is_empty(),
        };
        room || self.closing || !self.open || !self.out.is_empty() || self.resize.is_some()
    }

    /// What it wants of its socket: reading, writing.
    pub fn wants_socket(&self) -> (bool, bool) {
        let Kind::Stream { inward, ended, .. } = &self.kind else { return (false, false) };
        (!*ended && self.out_bytes < STREAM_WINDOW, !inward.is_empty())
    }

    /// Moves what can move.
    ///
    /// # Errors
    /// The connection is over.
    pub fn step(&mut self, ctx: &Ctx<'_>, out: &mut Output) -> Result<Step, ssh2::Error> {
        if self.closing {
            return self.part(ctx, out);
        }
        if !self.open {
            return self.ask(ctx);
        }
        let mut moved = self.pull_socket();
        moved |= self.write(ctx)?;
        moved |= self.apply_resize(ctx)?;
        moved |= self.read(ctx, out)?;
        moved |= self.push_socket();
        moved |= self.look_for_end(ctx)?;
        Ok(if moved { Step::Moved } else { Step::Still })
    }

    /// Goes on with the requests that precede an open channel.
    fn ask(&mut self, ctx: &Ctx<'_>) -> Result<Step, ssh2::Error> {
        let result = match self.asks.front() {
            Some(Ask::Terminal(size, term)) => {
                let dims = (u32::from(size.cols), u32::from(size.rows), 0, 0);
                self.raw.request_pty(term, None, Some(dims))
            }
            Some(Ask::Shell) => self.raw.shell(),
            Some(Ask::Exec(command)) => self.raw.exec(command),
            None => Ok(()),
        };
        match again(result)? {
            Again::Later => return Ok(Step::Still),
            Again::Now(Ok(())) => {
                self.asks.pop_front();
            }
            Again::Now(Err(e)) => {
                ctx.up.opened(self.id, Err(&fail::channel(e.message())));
                self.reported = true;
                self.closing = true;
                return Ok(Step::Moved);
            }
        }
        if self.asks.is_empty() {
            self.open = true;
            ctx.up.opened(self.id, Ok(()));
            if self.shell && !ctx.startup.is_empty() {
                self.queue(format!("{}\n", ctx.startup).into_bytes());
            }
        }
        Ok(Step::Moved)
    }

    fn write(&mut self, ctx: &Ctx<'_>) -> Result<bool, ssh2::Error> {
        let mut moved = false;
        while let Some(front) = self.out.front() {
            if self.remote_closed {
                self.out.clear();
                self.out_bytes = 0;
                break;
            }
            // The same bytes are offered again after a refusal: libssh2 has
            // sealed them already.
            match self.raw.write(&front[self.done..]) {
                Ok(0) => break,
                Ok(n) => {
                    self.half_written = false;
                    self.done += n;
                    self.taken += n;
                    self.out_bytes -= n;
                    moved = true;
                    if self.done == front.len() {
                        self.out.pop_front();
                        self.done = 0;
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => {
                    self.half_written = directions(ctx.session).1;
                    break;
                }
                Err(_) => {
                    self.broken(ctx)?;
                    self.out.clear();
                    self.out_bytes = 0;
                    break;
                }
            }
        }
        let session = matches!(self.kind, Kind::Session { .. });
        if session && self.taken > 0 && (self.out.is_empty() || self.taken >= CREDIT / 4) {
            ctx.up.credit(self.id, std::mem::take(&mut self.taken));
        }
        if self.eof_wanted && !self.eof_sent && self.out.is_empty() && !self.remote_closed {
            match again(self.raw.send_eof())? {
                Again::Later => {}
                Again::Now(_) => {
                    self.eof_sent = true;
                    moved = true;
                }
            }
        }
        Ok(moved)
    }

    fn apply_resize(&mut self, _ctx: &Ctx<'_>) -> Result<bool, ssh2::Error> {
        let Some(size) = self.resize else { return Ok(false) };
        let result =
            self.raw.request_pty_size(u32::from(size.cols), u32::from(size.rows), None, None);
        Ok(match again(result)? {
            Again::Later => false,
            Again::Now(_) => {
                self.resize = None;
                true
            }
        })
    }

    fn read(&mut self, ctx: &Ctx<'_>, out: &mut Output) -> Result<bool, ssh2::Error> {
        match &mut self.kind {
            Kind::Session { terminal } => {
                let streams: &[i32] = if *terminal { &[0] } else { &[0, 1] };
                let mut moved = false;
                for stream in streams {
                    if self.credit == 0 {
                        break;
                    }
                    match self.raw.stream(*stream).read(out.room(self.credit)) {
                        Ok(0) => {}
                        Ok(n) => {
                            self.credit -= n;
                            out.filled(n);
                            ctx.up.output(self.id, *stream == 1, out);
                            moved = true;
                        }
                        Err(e) if e.kind() == ErrorKind::WouldBlock => {}
                        Err(_) => self.broken(ctx)?,
                    }
                }
                Ok(moved)
            }
            Kind::Stream { socket: Some(_), inward, written, .. } if inward.is_empty() => {
                let room = out.room(STREAM_WINDOW);
                match self.raw.read(room) {
                    Ok(0) => Ok(false),
                    Ok(n) => {
                        inward.extend_from_slice(&room[..n]);
                        *written = 0;
                        Ok(true)
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => Ok(false),
                    Err(_) => self.broken(ctx).map(|()| true),
                }
            }
            Kind::Stream { .. } => Ok(false),
        }
    }

    fn pull_socket(&mut self) -> bool {
        let (wanted, _) = self.wants_socket();
        let Kind::Stream { socket: Some(socket), ended, .. } = &mut self.kind else {
            return false;
        };
        if !wanted {
            return false;
        }
        let mut bytes = vec![0u8; 32_768];
        match socket.read(&mut bytes) {
            Ok(0) => {
                *ended = true;
                self.eof_wanted = true;
                true
            }
            Ok(n) => {
                bytes.truncate(n);
                self.queue(bytes);
                true
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock => false,
            Err(_) => {
                self.closing = true;
                true
            }
        }
    }

    fn push_socket(&mut self) -> bool {
        let Kind::Stream { socket: Some(socket), inward, written, .. } = &mut self.kind else {
            return false;
        };
        let mut moved = false;
        while *written < inward.len() {
            match socket.write(&inward[*written..]) {
                Ok(n) => {
                    *written += n;
                    moved = true;
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return moved,
                Err(_) => {
                    self.closing = true;
                    return true;
                }
            }
        }
        inward.clear();
        moved
    }

    /// After the server's end of file: waits for its close, then says how the
    /// command ended.
    fn look_for_end(&mut self, ctx: &Ctx<'_>) -> Result<bool, ssh2::Error> {
        if !self.raw.eof() {
            return Ok(false);
        }
        if let Kind::Stream { socket, inward, ended, .. } = &mut self.kind {
            if !inward.is_empty() || socket.is_none() {
                return Ok(false);
            }
            if let Some(socket) = socket {
                socket.shutdown(Shutdown::Write);
            }
            if *ended && self.eof_sent {
                self.closing = true;
                return Ok(true);
            }
        }
        match again(self.raw.wait_close())? {
            Again::Later => Ok(false),
            Again::Now(_) => {
                self.remote_closed = true;
                if matches!(self.kind, Kind::Session { .. }) {
                    ctx.up.exit(self.id, &self.exit());
                    self.report(ctx.up);
                }
                self.closing = true;
                Ok(true)
            }
        }
    }

    fn exit(&self) -> Exit {
        match self.raw.exit_signal().ok().and_then(|s| s.exit_signal) {
            Some(signal) if !signal.is_empty() => Exit::Signal(signal),
            _ => Exit::Status(self.raw.exit_status().unwrap_or(0)),
        }
    }

    /// Closes: finishes what is half sent, throws away what still comes, waits
    /// for the server's close.
    fn part(&mut self, ctx: &Ctx<'_>, out: &mut Output) -> Result<Step, ssh2::Error> {
        if !self.remote_closed {
            if self.half_written {
                self.write(ctx)?;
                if self.half_written {
                    return Ok(Step::Still);
                }
            }
            self.apply_resize(ctx)?;
            // A server that sends faster than this reads must not hold up its own end.
            for stream in [0, 1] {
                let _ = self.raw.stream(stream).read(out.room(usize::MAX));
            }
        }
        match again(self.raw.close())? {
            Again::Later => Ok(Step::Still),
            Again::Now(_) => {
                self.report(ctx.up);
                Ok(Step::Over)
            }
        }
    }

    /// Tells an error of this channel, which closes it, from one of the connection.
    fn broken(&mut self, ctx: &Ctx<'_>) -> Result<(), ssh2::Error> {
        match ssh2::Error::last_session_error(ctx.session) {
            Some(e) if is_broken(&e) => Err(e),
            other => {
                let detail = other.as_ref().map_or("?", ssh2::Error::message);
                self.failed = Some(fail::channel_broken(detail));
                self.closing = true;
                Ok(())
            }
        }
    }
}

enum Again {
    Later,
    Now(Result<(), ssh2::Error>),
}

/// Sorts a result: not yet, done or refused; an error when the connection is over.
fn again(result: Result<(), ssh2::Error>) -> Result<Again, ssh2::Error> {
    match result {
        Ok(()) => Ok(Again::Now(Ok(()))),
        Err(e) if number(&e) == EAGAIN => Ok(Again::Later),
        Err(e) if is_broken(&e) => Err(e),
        Err(e) => Ok(Again::Now(Err(e))),
    }
}
