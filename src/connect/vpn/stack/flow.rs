//! One connection through the stack: what a session writes at its end of a pair goes to
//! a place behind the VPN, and back. Neither side is read faster than the other takes it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use smoltcp::socket::tcp::{Socket as Tcp, State};

use crate::connect::vpn::Unreached;
use crate::os::net::Socket;

/// Bytes under way in either direction: what 200 Mbit/s need over 40 ms.
const WINDOW: usize = 1 << 20;
/// How often a silent connection is tried, and how long its far side may be silent then.
const KEEPALIVE: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(60);
const SILENCE: smoltcp::time::Duration = smoltcp::time::Duration::from_secs(240);
/// How long the far side may go on when the session is gone (tcp(7), `tcp_fin_timeout`).
const ORPHAN: Duration = Duration::from_secs(60);

/// Hears whether there is a connection, or why not.
pub type Answer = Sender<Result<(), Unreached>>;

/// A connection.
pub struct Flow {
    /// Where it leads.
    pub to: SocketAddr,
    /// The port on this side.
    pub port: u16,
    state: Stage,
    /// The stack's end of the pair, while either direction is open.
    near: Option<Socket>,
    /// The session has no more to send.
    sent_all: bool,
    /// The session was told that nothing more comes.
    got_all: bool,
    /// The session's end may have something to read.
    ready: bool,
    /// The session's end is full.
    full: bool,
    /// The session closed its end.
    gone: bool,
}

enum Stage {
    Connecting(Answer, Instant),
    Open,
    /// Nobody is left on this side.
    Orphan(Instant),
    /// The far side has yet to hear that it is over.
    Ending,
}

/// A socket of TCP as connections here want it.
pub fn socket() -> Tcp<'static> {
    let buffer = || smoltcp::storage::RingBuffer::new(vec![0; WINDOW]);
    let mut tcp = Tcp::new(buffer(), buffer());
    tcp.set_congestion_control(smoltcp::socket::tcp::CongestionControl::Cubic);
    tcp.set_nagle_enabled(false);
    tcp.set_ack_delay(None);
    tcp
}

impl Flow {
    /// One that is being made.
    pub fn new(to: SocketAddr, port: u16, near: Socket, answer: Answer, until: Instant) -> Self {
        let state = Stage::Connecting(answer, until);
        let near = Some(near);
        let (sent_all, got_all, full, gone) = (false, false, false, false);
        Self { to, port, state, near, sent_all, got_all, ready: true, full, gone }
    }

    /// When something is due even if nothing happens.
    pub fn due(&self) -> Option<Instant> {
        match &self.state {
            Stage::Connecting(_, until) | Stage::Orphan(until) => Some(*until),
            Stage::Open | Stage::Ending => None,
        }
    }

    /// What to wait for at its end of the pair.
    pub fn watched(&self, tcp: &Tcp<'_>) -> Option<(BorrowedFd<'_>, PollFlags)> {
        let near = self.near.as_ref()?;
        if !matches!(self.state, Stage::Open) {
            return None;
        }
        let mut flags = PollFlags::empty();
        // Not for a few bytes each time.
        let room = tcp.send_capacity() - tcp.send_queue() >= WINDOW / 8;
        flags.set(PollFlags::IN, !self.sent_all && tcp.may_send() && room);
        flags.set(PollFlags::OUT, self.full);
        // Who is gone is told at every wait.
        (!self.gone || !flags.is_empty()).then(|| (near.as_fd(), flags))
    }

    /// The session's end was seen to be so.
    pub fn seen(&mut self, flags: PollFlags) {
        self.ready |= !flags.is_empty();
        if flags.intersects(PollFlags::HUP | PollFlags::ERR) {
            self.gone = true;
        }
        if flags.intersects(PollFlags::OUT) {
            self.full = false;
        }
    }

    /// There is no way, for this reason.
    pub fn refuse(&mut self, tcp: &mut Tcp<'_>, why: Unreached) {
        if let Stage::Connecting(answer, _) = &self.state {
            let _ = answer.send(Err(why));
            self.end(tcp);
        }
    }

    fn end(&mut self, tcp: &mut Tcp<'_>) {
        self.near = None;
        self.state = Stage::Ending;
        tcp.abort();
    }

    /// Moves what can be moved. False when nothing is left of it.
    pub fn pump(&mut self, tcp: &mut Tcp<'_>, now: Instant) -> bool {
        if let Stage::Connecting(answer, until) = &self.state {
            match tcp.state() {
                State::SynSent if now < *until => return true,
                State::SynSent => self.refuse(tcp, Unreached::TimedOut),
                State::Closed => self.refuse(tcp, Unreached::System(libc::ECONNREFUSED)),
                _ => {
                    // Who asked may have given up, which the pair tells.
                    let _ = answer.send(Ok(()));
                    tcp.set_keep_alive(Some(KEEPALIVE));
                    tcp.set_timeout(Some(SILENCE));
                    self.state = Stage::Open;
                }
            }
        }
        if let Some(near) = self.near.take() {
            self.outward(&near, tcp);
            self.inward(&near, tcp);
            if !self.over(tcp) {
                self.near = Some(near);
            }
        }
        match &self.state {
            Stage::Orphan(until) if now >= *until || tcp.can_recv() => self.end(tcp),
            Stage::Open if self.near.is_none() => self.state = Stage::Orphan(now + ORPHAN),
            _ => {}
        }
        // What aborts still has a word to send.
        tcp.state() != State::Closed || self.near.is_some() || tcp.remote_endpoint().is_some()
    }

    /// Nothing is left to be done at the pair.
    fn over(&self, tcp: &Tcp<'_>) -> bool {
        let closed = tcp.state() == State::Closed && !tcp.can_recv();
        closed || (self.sent_all && (self.got_all || self.gone))
    }

    fn outward(&mut self, near: &Socket, tcp: &mut Tcp<'_>) {
        while self.ready && !self.sent_all && tcp.can_send() {
            let read = tcp.send(|room| match (&*near).read(room) {
                Ok(length) => (length, Ok(length)),
                Err(e) => (0, Err(e)),
            });
            match read {
                Ok(Ok(length)) if length > 0 => {}
                Ok(Err(e)) if e.kind() == io::ErrorKind::WouldBlock => self.ready = false,
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(Ok(_)) => {
                    self.sent_all = true;
                    tcp.close();
                }
                Ok(Err(_)) | Err(_) => {
                    (self.sent_all, self.gone) = (true, true);
                    tcp.abort();
                }
            }
        }
    }

    fn inward(&mut self, near: &Socket, tcp: &mut Tcp<'_>) {
        while tcp.can_recv() && !self.full {
            let written = tcp.recv(|bytes| match (&*near).write(bytes) {
                Ok(length) => (length, Ok(())),
                Err(e) => (0, Err(e)),
            });
            match written {
                Ok(Ok(())) => {}
                Ok(Err(e)) if e.kind() == io::ErrorKind::WouldBlock => self.full = true,
                Ok(Err(e)) if e.kind() == io::ErrorKind::Interrupted => {}
                // The session is gone and will not hear it: the far side is told, as a
                // closed socket would.
                Ok(Err(_)) | Err(_) => {
                    (self.sent_all, self.got_all, self.gone) = (true, true, true);
                    tcp.abort();
                    break;
                }
            }
        }
        let connecting = matches!(tcp.state(), State::SynSent | State::SynReceived);
        if !self.got_all && !tcp.may_recv() && !connecting {
            self.got_all = true;
            near.shutdown(Shutdown::Write);
        }
    }
}
