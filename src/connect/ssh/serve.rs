//! The life of a connection by libssh2 after the login: one thread owns the
//! session, never blocks in it, and serves all channels in turn. It waits on the
//! connection, on the sockets of streams, and on the bell of its commands.
//!
//! libssh2 keeps a half-sent packet with the call that began it; only the same
//! call can finish it, and every other one is told to try again. Hence each step
//! that was told so is repeated, also on a channel that is being closed.

use std::collections::{BTreeMap, VecDeque};
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ssh2::{Listener, Session};

use super::channel::{Chan, Ctx, Kind, Step};
use super::engine::{Driver, EAGAIN, describe, directions, is_broken, number};
use super::route::Leg;
use super::settings::Forward;
use super::{dial, fail, reads};
use crate::connect::host::child::{Command, Engine, Inbox, Output, Queue, Stream, Uplink};
use crate::connect::link::{ChannelRequest, LinkInfo, no_screen};
use crate::connect::{Failure, host::wire};
use crate::model::target::HostPort;
use crate::os::net::{Socket, Watch, wait};
use crate::os::words;

/// Channels that did not come from the application are numbered from here.
const STREAMS_FROM: u32 = 0x8000_0000;

/// Size of a channel's receive window towards the server, in bytes.
const SSH_WINDOW: u32 = 4 << 20;

/// Signs of life in a row without a byte from the server, after which it counts
/// as gone.
const SIGNS_UNANSWERED: u32 = 3;

/// Between two signs of life at least: libssh2 sends none sooner.
const SIGN_MIN: Duration = Duration::from_secs(2);

/// libssh2 reads the clock later than we do, and sends no sign before its time.
const SIGN_SLACK: Duration = Duration::from_millis(100);

/// A connection that is logged in.
pub struct Ssh2Engine {
    chans: BTreeMap<u32, Chan>,
    opening: VecDeque<(u32, Opening)>,
    listeners: Vec<(Listener, HostPort)>,
    session: Session,
    socket: Socket,
    queue: Arc<Queue>,
    info: LinkInfo,
    at: HostPort,
    startup: String,
    keepalive: Duration,
    idle: Duration,
    next_stream: u32,
    last_traffic: Instant,
    next_life_sign: Instant,
    /// Bytes came in since the last sign of life.
    heard: bool,
    /// Signs of life in a row that nothing came after.
    unanswered: u32,
}

/// A channel that the server has not confirmed yet. libssh2 opens one at a time.
enum Opening {
    Session(ChannelRequest),
    Stream(Stream),
}

impl Ssh2Engine {
    /// Takes over a logged-in connection and asks the server for the remote
    /// forwardings.
    ///
    /// # Errors
    /// The server refuses to listen.
    pub fn start(
        leg: &Leg<'_>,
        driver: Driver,
        user: String,
        host_key: String,
    ) -> Result<Box<dyn Engine>, Failure> {
        let settings = leg.settings;
        let session = driver.session.clone();
        session.set_keepalive(true, u32::try_from(settings.keepalive.as_secs()).unwrap_or(0));
        let mut info = LinkInfo {
            user,
            host_key,
            description: describe(&session),
            warnings: Vec::new(),
            forwards: Vec::new(),
            ..LinkInfo::default()
        };
        let mut listeners = Vec::new();
        for forward in &settings.remote {
            let (listener, words) = listen_there(&driver, forward)?;
            listeners.push((listener, forward.to.clone()));
            info.forwards.push(words);
        }
        let now = Instant::now();
        let keepalive = match settings.keepalive {
            Duration::ZERO => Duration::ZERO,
            every => every.max(SIGN_MIN) + SIGN_SLACK,
        };
        Ok(Box::new(Self {
            chans: BTreeMap::new(),
            opening: VecDeque::new(),
            listeners,
            session,
            socket: driver.socket,
            queue: Arc::new(Queue::new().map_err(|e| fail::local(&e))?),
            info,
            at: leg.hop.at.clone(),
            startup: settings.startup.clone(),
            keepalive,
            idle: settings.idle_timeout,
            next_stream: STREAMS_FROM,
            last_traffic: now,
            next_life_sign: now + keepalive,
            heard: true,
            unanswered: 0,
        }))
    }

    fn command(&mut self, command: Command, up: &Uplink) {
        match command {
            Command::Open(id, ChannelRequest::Screen { .. }) => up.opened(id, Err(&no_screen())),
            Command::Open(id, request) => self.opening.push_back((id, Opening::Session(request))),
            Command::Stream(stream) => {
                let id = self.stream_id();
                self.opening.push_back((id, Opening::Stream(stream)));
            }
            Command::Attach(id, socket) => {
                if let Some(chan) = self.chans.get_mut(&id) {
                    chan.attach(socket);
                }
            }
            Command::Data(id, bytes) => self.with(id, |chan| chan.queue(bytes)),
            Command::Eof(id) => self.with(id, Chan::queue_eof),
            Command::Resize(id, size) => self.with(id, |chan| chan.resize(size)),
            Command::Credit(id, taken) => self.with(id, |chan| chan.credit(taken)),
            Command::Close(id) => {
                self.opening.retain(|(other, _)| *other != id);
                self.with(id, |chan| chan.close(up));
            }
            // libssh2 has no call for RFC 4335.
            Command::Signal(..)
            | Command::Input(..)
            | Command::Clipboard(..)
            | Command::Files(..)
            | Command::Quit => {}
        }
    }

    fn with(&mut self, id: u32, act: impl FnOnce(&mut Chan)) {
        if let Some(chan) = self.chans.get_mut(&id) {
            act(chan);
        }
    }

    fn stream_id(&mut self) -> u32 {
        let id = self.next_stream;
        self.next_stream = self.next_stream.checked_add(1).unwrap_or(STREAMS_FROM);
        id
    }

    /// Serves everything once. True when something moved.
    fn serve(&mut self, up: &Uplink, out: &mut Output) -> Result<bool, Failure> {
        let mut moved = self.open_next(up)?;
        moved |= self.accept()?;
        let ctx = Ctx { session: &self.session, up, startup: &self.startup };
        let mut over = Vec::new();
        let mut traffic = false;
        for (id, chan) in &mut self.chans {
            match chan.step(&ctx, out) {
                Ok(Step::Still) => {}
                Ok(Step::Moved) => traffic = true,
                Ok(Step::Over) => over.push(*id),
                Err(e) => return Err(fail::broken(&self.at, e.message())),
            }
        }
        for id in &over {
            self.chans.remove(id);
        }
        if traffic {
            self.last_traffic = Instant::now();
        }
        moved |= traffic || !over.is_empty();
        Ok(moved)
    }

    /// Goes on with the channel that is being opened.
    fn open_next(&mut self, up: &Uplink) -> Result<bool, Failure> {
        let Some((id, opening)) = self.opening.front() else { return Ok(false) };
        let (id, session) = (*id, &self.session);
        let result = match opening {
            Opening::Session(_) => session.channel_open("session", SSH_WINDOW, 32_768, None),
            Opening::Stream(s) => session.channel_direct_tcpip(&s.to.host, s.to.port, None),
        };
        let result = match result {
            Err(e) if number(&e) == EAGAIN => return Ok(false),
            Err(e) if is_broken(&e) => return Err(fail::broken(&self.at, e.message())),
            other => other,
        };
        let Some((_, opening)) = self.opening.pop_front() else { return Ok(false) };
        match (opening, result) {
            (Opening::Session(request), Ok(raw)) => {
                self.chans.insert(id, Chan::session(id, raw, request));
            }
            (Opening::Session(_), Err(e)) => up.opened(id, Err(&fail::channel(e.message()))),
            (Opening::Stream(stream), Ok(raw)) => {
                if let Some(opened) = &stream.opened {
                    let _ = opened.send(Ok(()));
                }
                let _ = stream.socket.set_nonblocking(true);
                self.chans.insert(id, Chan::stream(id, raw, Some(stream.socket), stream.on_open));
            }
            (Opening::Stream(mut stream), Err(e)) => {
                use std::io::Write;
                let _ = stream.socket.write_all(&stream.on_refusal);
                if let Some(opened) = &stream.opened {
                    let _ = opened.send(Err(e.message().to_owned()));
                }
            }
        }
        Ok(true)
    }

    /// Takes connections that came in by a remote forwarding and dials where
    /// they lead on a thread of its own.
    fn accept(&mut self) -> Result<bool, Failure> {
        let mut came = Vec::new();
        for (listener, to) in &mut self.listeners {
            match listener.accept() {
                Ok(raw) => came.push((raw, to.clone())),
                Err(e) if is_broken(&e) => return Err(fail::broken(&self.at, e.message())),
                Err(_) => {}
            }
        }
        let moved = !came.is_empty();
        for (raw, to) in came {
            let id = self.stream_id();
            self.chans.insert(id, Chan::stream(id, raw, None, Vec::new()));
            let queue = self.queue.clone();
            let dialer = move || {
                let deadline = Instant::now() + Duration::from_secs(15);
                let socket = (to.host.as_str(), to.port)
                    .to_socket_addrs()
                    .and_then(|found| dial::tcp(&found.collect::<Vec<_>>(), deadline))
                    .and_then(|s| s.set_nonblocking(true).map(|()| Socket::Tcp(s)));
                queue.push(Command::Attach(id, socket));
            };
            if let Err(e) = std::thread::Builder::new().name("dialer".into()).spawn(dialer) {
                self.queue.push(Command::Attach(id, Err(e)));
            }
        }
        Ok(moved)
    }

    /// Waits until something can move. An error when the connection is over.
    fn rest(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        if !self.keepalive.is_zero() && now >= self.next_life_sign {
            self.life_sign()?;
            self.next_life_sign = now + self.keepalive;
        }
        if !self.idle.is_zero() && now.duration_since(self.last_traffic) >= self.idle {
            return Err(fail::idle(self.idle.as_secs()));
        }
        let mut limit: Option<Duration> = None;
        let mut until = |at: Instant| {
            let left = at.saturating_duration_since(now);
            limit = Some(limit.map_or(left, |l: Duration| l.min(left)));
        };
        if !self.keepalive.is_zero() {
            until(self.next_life_sign);
        }
        if !self.idle.is_zero() {
            until(self.last_traffic + self.idle);
        }
        let (_, write) = directions(&self.session);
        let read = !self.opening.is_empty()
            || !self.listeners.is_empty()
            || self.chans.values().any(Chan::reads_connection);
        // With nobody to read for, only the end of the connection matters; bytes
        // that wait would wake us for nothing.
        let mut watches = vec![Watch::new(&self.socket, read, write)];
        watches[0].hangup = self.chans.is_empty();
        watches.push(Watch::new(self.queue.bell().socket(), true, false));
        for chan in self.chans.values() {
            if let Kind::Stream { socket: Some(socket), .. } = &chan.kind {
                let (read, write) = chan.wants_socket();
                if read || write {
                    watches.push(Watch::new(socket, read, write));
                }
            }
        }
        wait(&mut watches, limit).map_err(|e| fail::local(&e))?;
        let came = watches[0].readable;
        let over = watches[0].readable && !read && !write;
        if watches[1].readable {
            self.queue.bell().hush();
        }
        self.heard |= came;
        if over { Err(fail::broken(&self.at, "EOF")) } else { Ok(()) }
    }

    /// A keep-alive message that asks for an answer, only when it surely fits in
    /// one piece: libssh2 could not finish a half-sent one. Whatever came since
    /// the last one is its answer, read or not.
    ///
    /// # Errors
    /// Several in a row got none, or the connection is over.
    fn life_sign(&mut self) -> Result<(), Failure> {
        let (_, blocked) = directions(&self.session);
        let mut watch = [Watch::new(&self.socket, true, true)];
        let free = wait(&mut watch, Some(Duration::ZERO)).is_ok() && watch[0].writable;
        // An idle connection is not read: whether it answers shows when it is used.
        let idle = self.chans.is_empty() && self.opening.is_empty();
        let heard = std::mem::take(&mut self.heard) || watch[0].readable || idle;
        self.unanswered = if heard { 0 } else { self.unanswered + 1 };
        if self.unanswered >= SIGNS_UNANSWERED {
            return Err(fail::silent(&self.at, (self.keepalive * SIGNS_UNANSWERED).as_secs()));
        }
        if blocked || !free {
            return Ok(());
        }
        match self.session.keepalive_send() {
            Err(e) if number(&e) != EAGAIN => Err(fail::broken(&self.at, e.message())),
            _ => Ok(()),
        }
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
            let before = reads::count();
            // What was read may be for a channel that had its turn before.
            if !self.serve(up, &mut out)? && reads::count() == before {
                self.rest()?;
            }
        }
    }
}

impl Engine for Ssh2Engine {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.queue.clone()
    }

    fn run(mut self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        match self.work(&up) {
            Ok(()) => {
                let _ = self.session.disconnect(None, "bye", None);
                None
            }
            Err(failure) => {
                noted(&failure);
                Some(failure)
            }
        }
    }
}

/// Asks the server to listen.
fn listen_there(driver: &Driver, forward: &Forward) -> Result<(Listener, String), Failure> {
    let from = &forward.from;
    let session = &driver.session;
    let asked =
        driver.drive(|| session.channel_forward_listen(from.port, Some(&from.host), Some(16)));
    match asked {
        Ok((listener, port)) => {
            let bound = HostPort { host: from.host.clone(), port };
            Ok((listener, format!("R {bound} → {}", forward.to)))
        }
        Err(super::engine::Stop::Timeout) => Err(fail::timeout(from, driver.secs())),
        Err(super::engine::Stop::Ssh(e)) => Err(fail::forward(from, &words::quoted(e.message()))),
    }
}

/// Output of a channel that may be under way to the application.
pub const CREDIT: usize = wire::WINDOW;
