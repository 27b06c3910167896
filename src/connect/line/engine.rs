//! The life of a plain line: one thread moves bytes between the application's one
//! channel and a socket, and lets the protocol, if there is one, see them in
//! between. Never blocks on either side; neither buffer grows without end.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::fail;
use super::typed::{self, Enter};
use crate::connect::Failure;
use crate::connect::host::child::{Command, Engine, Inbox, Output, Queue, Uplink};
use crate::connect::host::wire::WINDOW;
use crate::connect::link::{ChannelRequest, LineSignal, LinkInfo, TermSize};
use crate::connect::ssh::fail as local;
use crate::connect::telnet::filter::Filter;
use crate::os::net::{Socket, Watch, wait};
use crate::os::serial::Port;

/// Bytes for the person above which the far side is not read.
const SHOWN_MAX: usize = 1 << 18;
/// Bytes for the far side above which it is not read: what it asks for is answered
/// no faster than it takes the answers.
const WIRE_MAX: usize = 1 << 18;
/// Bytes read at once.
const READ_BYTES: usize = 1 << 16;

/// What carries the bytes.
pub struct Stream {
    /// The socket; for a serial port, the near end of a pair.
    pub socket: Socket,
    /// The port behind it.
    pub port: Option<Port>,
    /// Why it was lost, if that is known better elsewhere.
    pub lost: Arc<Mutex<Option<Failure>>>,
    /// The far side, for words.
    pub at: String,
}

/// What the bytes mean.
pub enum Codec {
    /// Telnet.
    Telnet(Box<Filter>),
    /// Nothing but text.
    Plain(Enter),
}

/// A line that is open.
pub struct LineEngine {
    stream: Stream,
    codec: Codec,
    info: LinkInfo,
    queue: Arc<Queue>,
    /// Whether typed text is shown here; `None`: to who sits at a terminal, unless
    /// the far side shows it.
    echo: Option<bool>,
    /// Terminal type that the entry sets; may be empty.
    term: String,
    idle: Duration,
    channel: Option<u32>,
    /// Somebody sits at a terminal.
    attended: bool,
    /// What comes from them is no typing, but bytes.
    bytes: bool,
    /// How much the application takes now.
    credit: usize,
    /// Text for the person.
    shown: VecDeque<u8>,
    /// Bytes for the far side, and how many typed ones they stand for.
    wire: VecDeque<(Vec<u8>, usize)>,
    wire_bytes: usize,
    eof_wanted: bool,
    /// The far side takes nothing more.
    deaf: bool,
    /// The far side has ended, and why if not by itself.
    over: Option<Option<Failure>>,
    last_traffic: Instant,
    buffer: Vec<u8>,
}

impl LineEngine {
    /// A line over `stream`.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new(stream: Stream, codec: Codec, info: LinkInfo) -> Result<Self, Failure> {
        stream.socket.set_nonblocking(true).map_err(|e| local::local(&e))?;
        Ok(Self {
            stream,
            codec,
            info,
            queue: Arc::new(Queue::new().map_err(|e| local::local(&e))?),
            echo: None,
            term: String::new(),
            idle: Duration::ZERO,
            channel: None,
            attended: false,
            bytes: false,
            credit: 0,
            shown: VecDeque::new(),
            wire: VecDeque::new(),
            wire_bytes: 0,
            eof_wanted: false,
            deaf: false,
            over: None,
            last_traffic: Instant::now(),
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Local echo, terminal type and idle limit of the entry.
    #[must_use]
    pub fn with(mut self, echo: Option<bool>, term: &str, idle: Duration) -> Self {
        (self.echo, self.idle) = (echo, idle);
        term.clone_into(&mut self.term);
        self
    }

    /// Who is logged in, once that is known.
    pub fn set_user(&mut self, user: &str) {
        user.clone_into(&mut self.info.user);
    }

    /// Sends `bytes` as if they were typed.
    pub fn typed(&mut self, bytes: &[u8]) {
        let mut wire = Vec::with_capacity(2 * bytes.len() + 2);
        match &mut self.codec {
            Codec::Telnet(filter) => filter.encode(bytes, &mut wire),
            Codec::Plain(enter) => enter.translate(bytes, b"\r", &mut |b| wire.push(b)),
        }
        self.put(wire, bytes.len());
    }

    /// Sends `bytes` as they are.
    fn exact(&mut self, bytes: Vec<u8>) {
        let typed = bytes.len();
        let mut wire = bytes;
        if let Codec::Telnet(filter) = &self.codec {
            let plain = std::mem::take(&mut wire);
            filter.encode_bytes(&plain, &mut wire);
        }
        self.put(wire, typed);
    }

    /// Puts bytes of the protocol on the wire.
    pub fn put(&mut self, wire: Vec<u8>, typed: usize) {
        self.wire_bytes += wire.len();
        self.wire.push_back((wire, typed));
    }

    /// Before there is a channel: waits for the far side for at most `limit`, and
    /// sends what is waiting. What was said; `None` when nothing was.
    ///
    /// # Errors
    /// The far side has ended.
    pub fn listen(&mut self, limit: Duration) -> Result<Option<Vec<u8>>, Failure> {
        let deadline = Instant::now() + limit;
        loop {
            let before = self.shown.len();
            let mut moved = self.write(None);
            moved |= self.read();
            if self.shown.len() > before {
                return Ok(Some(self.shown.iter().skip(before).copied().collect()));
            }
            if let Some(over) = self.over.take() {
                let said: Vec<u8> = self.shown.iter().copied().collect();
                return Err(over.unwrap_or_else(|| fail::ended(&self.stream.at, &said)));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            if !moved {
                let mut watch = [Watch::new(&self.stream.socket, true, !self.wire.is_empty())];
                wait(&mut watch, Some(left)).map_err(|e| local::local(&e))?;
            }
        }
    }

    /// Whether more may be read before there is a channel.
    pub fn has_room(&self) -> bool {
        self.shown.len() < SHOWN_MAX && self.wire_bytes < WIRE_MAX
    }

    fn command(&mut self, command: Command, up: &Uplink) {
        match command {
            Command::Open(id, ref request)
                if let Some(why) = fail::refused(request, self.channel, &self.stream.at) =>
            {
                up.opened(id, Err(&why));
            }
            Command::Open(id, ChannelRequest::Shell { size, term }) => {
                self.channel = Some(id);
                self.credit = WINDOW;
                self.attended = !term.is_empty();
                if let Codec::Telnet(filter) = &mut self.codec
                    && self.attended
                {
                    filter.set_term(if self.term.is_empty() { &term } else { &self.term });
                }
                self.resize(size);
                up.opened(id, Ok(()));
            }
            other => self.of_channel(other, up),
        }
    }

    /// A command for the channel; those for another are for one that is closed.
    fn of_channel(&mut self, command: Command, up: &Uplink) {
        let ours = |id: u32| self.channel == Some(id);
        match command {
            Command::Data(id, bytes) if ours(id) && self.bytes => self.exact(bytes),
            Command::Data(id, bytes) if ours(id) => {
                let here = match &self.codec {
                    Codec::Telnet(filter) => !filter.far_side_echoes(),
                    Codec::Plain(_) => true,
                };
                if self.echo.unwrap_or(self.attended && here) {
                    let mut shown = Vec::new();
                    typed::echo(&bytes, &mut shown);
                    self.shown.extend(shown);
                }
                self.typed(&bytes);
            }
            Command::Eof(id) if ours(id) => self.eof_wanted = true,
            Command::Resize(id, size) if ours(id) => self.resize(size),
            Command::Signal(id, signal) if ours(id) => self.signal(signal),
            Command::Credit(id, taken) if ours(id) => self.credit += taken,
            Command::Close(id) if ours(id) => {
                up.closed(id, None);
                self.channel = None;
                self.over = Some(None);
                self.shown.clear();
            }
            _ => {}
        }
    }

    fn resize(&mut self, size: TermSize) {
        let mut wire = Vec::new();
        if let Codec::Telnet(filter) = &mut self.codec {
            filter.resize(size, &mut wire);
        }
        self.put(wire, 0);
    }

    fn signal(&mut self, signal: LineSignal) {
        match signal {
            LineSignal::BytesOn => {
                self.bytes = true;
                let mut wire = Vec::new();
                if let Codec::Telnet(filter) = &mut self.codec {
                    filter.offer_binary(&mut wire);
                }
                return self.put(wire, 0);
            }
            LineSignal::BytesOff => return self.bytes = false,
            LineSignal::Break | LineSignal::DtrOff | LineSignal::DtrOn => {}
        }
        match (signal, &self.stream.port, &self.codec) {
            (LineSignal::Break, Some(port), _) => port.send_break(),
            (LineSignal::DtrOff, Some(port), _) => port.set_dtr(false),
            (LineSignal::DtrOn, Some(port), _) => port.set_dtr(true),
            (LineSignal::Break, None, Codec::Telnet(_)) => {
                let mut wire = Vec::new();
                Filter::send_break(&mut wire);
                self.put(wire, 0);
            }
            _ => {}
        }
    }

    fn read(&mut self) -> bool {
        if self.over.is_some() || !self.has_room() {
            return false;
        }
        match (&self.stream.socket).read(&mut self.buffer) {
            Ok(0) => self.over = Some(self.reason(None)),
            Ok(n) => {
                self.last_traffic = Instant::now();
                let heard = &self.buffer[..n];
                match &mut self.codec {
                    Codec::Plain(_) => self.shown.extend(heard),
                    Codec::Telnet(filter) => {
                        let (mut shown, mut wire) = (Vec::with_capacity(n), Vec::new());
                        filter.receive(heard, &mut shown, &mut wire);
                        self.shown.extend(shown);
                        self.put(wire, 0);
                    }
                }
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                return false;
            }
            Err(e) => self.over = Some(self.reason(Some(fail::broken(&self.stream.at, &e)))),
        }
        true
    }

    /// Why the stream ended: who carries it may know better.
    fn reason(&self, seen: Option<Failure>) -> Option<Failure> {
        self.stream.lost.lock().unwrap_or_else(PoisonError::into_inner).clone().or(seen)
    }

    fn write(&mut self, up: Option<&Uplink>) -> bool {
        let mut moved = false;
        while let Some((front, typed)) = self.wire.front_mut() {
            if self.deaf {
                self.wire_bytes -= front.len();
                front.clear();
            }
            if !front.is_empty() {
                match (&self.stream.socket).write(front) {
                    Ok(n) => {
                        self.wire_bytes -= n;
                        front.drain(..n);
                        self.last_traffic = Instant::now();
                        moved = true;
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                    Err(e) if e.kind() == ErrorKind::Interrupted => {}
                    // Reading tells why, after what the far side said before.
                    Err(_) => self.deaf = true,
                }
                continue;
            }
            let typed = *typed;
            self.wire.pop_front();
            if let (Some(id), Some(up)) = (self.channel.filter(|_| typed > 0), up) {
                up.credit(id, typed);
            }
        }
        if self.eof_wanted && self.wire.is_empty() {
            self.eof_wanted = false;
            // A serial line knows no end, and a telnet server that sees one hangs up
            // before it has done what was typed.
            if self.stream.port.is_none() && matches!(self.codec, Codec::Plain(_)) {
                self.stream.socket.shutdown(Shutdown::Write);
            }
        }
        moved
    }

    fn show(&mut self, up: &Uplink, out: &mut Output) -> bool {
        let Some(id) = self.channel else { return false };
        out.pour(up, id, &mut self.shown, &mut self.credit)
    }

    /// Waits until something can move.
    ///
    /// # Errors
    /// Nothing did for too long.
    fn rest(&mut self) -> Result<(), Failure> {
        let quiet = self.last_traffic.elapsed();
        if !self.idle.is_zero() && quiet >= self.idle {
            return Err(local::idle(self.idle.as_secs()));
        }
        let limit = (!self.idle.is_zero()).then(|| self.idle - quiet);
        // Not before there is a terminal: it says of what type and size it is.
        let read = self.channel.is_some() && self.over.is_none() && self.has_room();
        let bell = self.queue.bell();
        let mut watches = vec![Watch::new(bell.socket(), true, false)];
        if read || !self.wire.is_empty() {
            watches.push(Watch::new(&self.stream.socket, read, !self.wire.is_empty()));
        }
        wait(&mut watches, limit).map_err(|e| local::local(&e))?;
        if watches[0].readable {
            bell.hush();
        }
        Ok(())
    }

    fn work(&mut self, up: &Uplink) -> Result<(), Failure> {
        let mut out = Output::new();
        loop {
            for command in self.queue.take() {
                if matches!(command, Command::Quit) {
                    return Ok(());
                }
                self.command(command, up);
            }
            let mut moved = self.write(Some(up));
            if self.channel.is_some() {
                moved |= self.read();
            }
            moved |= self.show(up, &mut out);
            if self.shown.is_empty()
                && let Some(over) = self.over.take()
            {
                return over.map_or(Ok(()), Err);
            }
            if !moved {
                self.rest()?;
            }
        }
    }
}

impl Engine for LineEngine {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.queue.clone()
    }

    fn run(mut self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let why = self.work(&up).err();
        if let Some(why) = &why {
            noted(why);
        }
        if let Some(id) = self.channel {
            up.closed(id, why.as_ref());
        }
        self.stream.socket.shutdown(Shutdown::Both);
        why
    }
}
