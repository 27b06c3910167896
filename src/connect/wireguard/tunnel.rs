//! The tunnel itself: packets of the client's network in datagrams of the machine's, by
//! `boringtun`. It learns where its server is from what the server sends, and says what
//! happens in the journal. Prints no key.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use boringtun::noise::errors::WireGuardError;
use boringtun::noise::{Tunn, TunnResult};

use super::fail;
use super::timers::Timers;
use crate::connect::vpn::journal::{Journal, Step};
use crate::connect::vpn::stack::Carrier;
use crate::model::lang::Bi;
use crate::model::target::HostPort;
use crate::os::datagrams::{Datagrams, ROOM, RUN_BYTES, RUN_MOST};

/// First byte of each kind of message (section 5.4 of the paper).
const INITIATION: u8 = 1;
const RESPONSE: u8 = 2;
const COOKIE: u8 = 3;
const DATA: u8 = 4;
/// Bytes of a message of data that has none: a sign of life.
const EMPTY: usize = 32;
/// For a handshake, and around a packet, in bytes.
const AROUND: usize = 256;

/// A handshake that is wanted in vain for so long is told to the person.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at the name of a server that is gone.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// Between two reports of bytes.
const REPORT: Duration = Duration::from_secs(1);
/// Datagrams without a packet that are taken in before others have their turn.
const JUNK: usize = 64;

/// What is known of a server that does not answer.
#[derive(Default)]
pub struct Hints {
    /// It answers with another shared key.
    pub preshared: bool,
    /// What the network said last.
    pub network: Option<io::Error>,
}

/// The same, for who waits.
pub type Shared = Arc<Mutex<Hints>>;

/// How a tunnel begins.
pub struct Begin {
    /// The protocol with its keys.
    pub tunn: Tunn,
    /// Seconds between signs of life.
    pub keepalive: Option<u16>,
    /// Longest packet.
    pub mtu: u16,
    /// The server, as the entry names it.
    pub at: HostPort,
    /// Where it may be.
    pub places: Vec<SocketAddr>,
    /// Where it is told what happens.
    pub journal: Arc<Journal>,
    /// Hears of the first handshake, or that there will be none.
    pub first: Sender<bool>,
    /// What is known if neither happens.
    pub hints: Shared,
}

#[derive(PartialEq)]
enum State {
    Raising,
    Up,
    Lost,
}

/// One tunnel.
pub struct Tunnel {
    with: Begin,
    timers: Timers,
    state: State,
    sockets: Vec<Datagrams>,
    /// Where the server is, once it has sent something.
    peer: Option<SocketAddr>,
    /// Places where nothing listens.
    closed: Vec<SocketAddr>,
    /// Datagrams that leave together, and the bytes of each but the last.
    run: Vec<u8>,
    each: usize,
    many: usize,
    blocked: bool,
    /// Datagrams that came together.
    inbox: Vec<u8>,
    came: Came,
    scratch: Vec<u8>,
    received: u64,
    sent: u64,
    told: (u64, u64, Instant),
    looked: Instant,
    found: Arc<Mutex<Vec<SocketAddr>>>,
    narrow: Option<u32>,
}

/// What is left of them.
struct Came {
    from: SocketAddr,
    next: usize,
    length: usize,
    each: usize,
}

impl Tunnel {
    /// One that begins its first handshake when it is first called.
    ///
    /// # Errors
    /// The machine has addresses of no family that the server has.
    pub fn new(with: Begin) -> io::Result<Self> {
        let now = Instant::now();
        let mut sockets = Vec::new();
        let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for v6 in [false, true] {
            if with.places.iter().any(|place| place.is_ipv6() == v6) {
                match Datagrams::new(v6) {
                    Ok(socket) => sockets.push(socket),
                    Err(e) => last = e,
                }
            }
        }
        if sockets.is_empty() {
            return Err(last);
        }
        let from = SocketAddr::from(([0; 4], 0));
        let mut tunnel = Self {
            timers: Timers::new(with.keepalive, now),
            state: State::Raising,
            sockets,
            peer: None,
            closed: Vec::new(),
            run: Vec::with_capacity(RUN_BYTES),
            each: 0,
            many: 0,
            blocked: false,
            inbox: vec![0; ROOM],
            came: Came { from, next: 0, length: 0, each: 1 },
            scratch: vec![0; usize::from(with.mtu) + AROUND],
            received: 0,
            sent: 0,
            told: (0, 0, now),
            looked: now,
            found: Arc::default(),
            narrow: None,
            with,
        };
        tunnel.shake();
        Ok(tunnel)
    }

    fn hints(&self, note: impl FnOnce(&mut Hints)) {
        note(&mut self.with.hints.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Begins a handshake, unless one is under way.
    fn shake(&mut self) {
        let result = self.with.tunn.format_handshake_initiation(&mut self.scratch, false);
        if let TunnResult::WriteToNetwork(bytes) = result {
            let length = bytes.len();
            self.post(length);
        }
    }

    /// Puts the first bytes of the scratch into the run.
    fn post(&mut self, length: usize) {
        let now = Instant::now();
        match self.scratch[0] {
            INITIATION => {
                self.timers.initiated(now);
                self.with.journal.log(&format!("asking {} for a handshake", self.with.at));
            }
            DATA => self.timers.sent(length > EMPTY, now),
            _ => self.timers.sent(false, now),
        }
        let uneven = self.many > 0 && self.run.len() != self.each * self.many;
        let fits = self.run.len() + length <= RUN_BYTES && self.many < RUN_MOST;
        if self.many > 0 && (uneven || length > self.each || !fits) {
            self.leave();
        }
        if self.blocked {
            return;
        }
        if self.many == 0 {
            self.each = length;
        }
        self.run.extend_from_slice(&self.scratch[..length]);
        self.many += 1;
    }

    /// Sends the run.
    fn leave(&mut self) {
        if self.run.is_empty() {
            return;
        }
        let places = match &self.peer {
            Some(peer) => std::slice::from_ref(peer),
            None => &self.with.places[..],
        };
        let (mut sent, mut trouble, mut full) = (false, None, false);
        for place in places {
            let Some(socket) = self.sockets.iter_mut().find(|s| s.suits(place)) else { continue };
            match socket.send(place, &self.run, self.each) {
                Ok(()) => sent = true,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => full = true,
                Err(e) => trouble = Some(e),
            }
        }
        if full && !sent {
            self.blocked = true;
            return;
        }
        if sent {
            self.sent += self.run.len() as u64;
        }
        self.run.clear();
        self.many = 0;
        if let Some(e) = trouble {
            self.hints(|hints| hints.network = Some(e));
            self.hear_complaints();
        }
    }

    /// What the network says of datagrams that were sent.
    fn hear_complaints(&mut self) {
        let complaints: Vec<_> = self
            .sockets
            .iter()
            .flat_map(|socket| std::iter::from_fn(|| socket.complaint()))
            .collect();
        for (place, e) in complaints {
            let refused = e.kind() == io::ErrorKind::ConnectionRefused;
            self.hints(|hints| hints.network = Some(e));
            if !refused {
                continue;
            }
            if self.state == State::Raising {
                if !self.closed.contains(&place) {
                    self.closed.push(place);
                }
                if self.with.places.iter().all(|place| self.closed.contains(place)) {
                    // Who waits may have given up.
                    let _ = self.with.first.send(false);
                }
            } else if self.peer == Some(place) {
                self.lose(fail::stopped());
                self.shake();
            }
        }
    }

    fn lose(&mut self, why: Bi) {
        if self.state == State::Up {
            self.with.journal.log(&format!("{} is silent: {}", self.with.at, why.en));
        }
        if self.state != State::Raising {
            self.state = State::Lost;
            self.with.journal.step(Step::Reconnecting, Some(why));
        }
    }

    /// A handshake is done.
    fn established(&mut self, now: Instant) {
        self.timers.established(now);
        let from = self.peer.map(|peer| peer.to_string()).unwrap_or_default();
        self.with.journal.log(&format!("handshake with {from}"));
        if self.state != State::Up {
            self.state = State::Up;
            self.with.journal.step(Step::Up, None);
            // Who waited may have given up.
            let _ = self.with.first.send(true);
        }
    }

    /// This came from the server, and nobody else.
    fn heard(&mut self, from: SocketAddr, length: usize, data: bool, now: Instant) {
        self.timers.received(data, now);
        self.received += length as u64;
        if self.peer != Some(from) {
            if self.peer.is_some() {
                self.with.journal.log(&format!("the server is at {from} now"));
            }
            // What is held back was meant for where it was.
            self.leave();
            self.peer = Some(from);
        }
    }

    /// The next datagram, from `next` to the end that is returned.
    fn datagram(&mut self) -> Option<(usize, usize)> {
        loop {
            let Came { next, length, each, .. } = self.came;
            if next < length {
                let end = (next + each).min(length);
                self.came.next = end;
                return Some((next, end));
            }
            let mut trouble = false;
            let mut got = None;
            for socket in &self.sockets {
                match socket.receive(&mut self.inbox) {
                    Ok(Some(came)) => {
                        got = Some(came);
                        break;
                    }
                    Ok(None) => {}
                    Err(_) => trouble = true,
                }
            }
            if trouble {
                self.hear_complaints();
            }
            let came = got?;
            self.came = Came { from: came.from, next: 0, length: came.length, each: came.each };
        }
    }

    /// Looks the server up again, on a thread of its own.
    fn look_again(&mut self, now: Instant) {
        {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            if !found.is_empty() {
                self.with.places = std::mem::take(&mut *found);
                self.peer = None;
            }
        }
        let named = self.with.at.host.parse::<std::net::IpAddr>().is_err();
        if self.state != State::Lost || !named || now < self.looked + LOOK_AGAIN {
            return;
        }
        self.looked = now;
        let (at, found) = ((self.with.at.host.clone(), self.with.at.port), self.found.clone());
        let look = move || {
            if let Ok(all) = std::net::ToSocketAddrs::to_socket_addrs(&at) {
                *found.lock().unwrap_or_else(PoisonError::into_inner) = all.collect();
            }
        };
        // Without a thread it is tried again later.
        let _ = std::thread::Builder::new().name("resolver".into()).spawn(look);
    }

    /// Whether the protocol, asked what is due, had something to send.
    fn keep_time(&mut self, now: Instant, wanted: bool) {
        match self.with.tunn.update_timers(&mut self.scratch) {
            TunnResult::WriteToNetwork(bytes) => {
                let length = bytes.len();
                let sign = self.scratch[0] == DATA;
                if self.scratch[0] == INITIATION {
                    self.look_again(now);
                }
                self.post(length);
                self.timers.asked(sign, now);
            }
            TunnResult::Err(WireGuardError::ConnectionExpired) => {
                self.timers.gave_up();
                self.timers.asked(false, now);
                if wanted || self.with.keepalive.is_some() || self.state == State::Raising {
                    self.shake();
                }
            }
            _ => self.timers.asked(false, now),
        }
    }
}

impl Carrier for Tunnel {
    fn receive(&mut self, room: &mut [u8]) -> Option<usize> {
        for _ in 0..JUNK {
            let (start, end) = self.datagram()?;
            let now = Instant::now();
            let from = self.came.from;
            let kind = self.inbox[start];
            let datagram = &self.inbox[start..end];
            match self.with.tunn.decapsulate(Some(from.ip()), datagram, room) {
                TunnResult::WriteToTunnelV4(packet, _) | TunnResult::WriteToTunnelV6(packet, _) => {
                    let length = packet.len();
                    self.heard(from, end - start, true, now);
                    return Some(length);
                }
                TunnResult::WriteToNetwork(bytes) => {
                    let length = bytes.len();
                    self.scratch[..length].copy_from_slice(bytes);
                    if self.scratch[0] != COOKIE {
                        self.heard(from, end - start, false, now);
                    }
                    self.post(length);
                    if matches!(kind, INITIATION | RESPONSE) && self.scratch[0] != COOKIE {
                        self.established(now);
                        // What waited for the handshake.
                        while let TunnResult::WriteToNetwork(bytes) =
                            self.with.tunn.decapsulate(None, &[], &mut self.scratch)
                        {
                            let length = bytes.len();
                            self.post(length);
                        }
                    }
                }
                TunnResult::Done if kind == DATA => self.heard(from, end - start, false, now),
                TunnResult::Done => {}
                TunnResult::Err(WireGuardError::InvalidAeadTag) if kind == RESPONSE => {
                    self.hints(|hints| hints.preshared = true);
                }
                TunnResult::Err(_) => {}
            }
        }
        None
    }

    fn send(&mut self, packet: &[u8]) {
        let needed = packet.len() + AROUND;
        if self.scratch.len() < needed {
            self.scratch.resize(needed, 0);
        }
        if let TunnResult::WriteToNetwork(bytes) =
            self.with.tunn.encapsulate(packet, &mut self.scratch)
        {
            let length = bytes.len();
            self.post(length);
        }
    }

    fn ready(&self) -> bool {
        !self.blocked
    }

    fn flush(&mut self) {
        if !self.blocked {
            self.leave();
        }
    }

    fn watched(&self) -> Vec<(BorrowedFd<'_>, bool)> {
        self.sockets.iter().map(|socket| (socket.as_fd(), self.blocked)).collect()
    }

    fn tick(&mut self, now: Instant, wanted: bool) -> Option<Instant> {
        if self.blocked {
            self.blocked = false;
            self.leave();
        }
        self.keep_time(now, wanted);
        let late = self.timers.wanted().map(|since| since + PATIENCE);
        if self.state == State::Up && late.is_some_and(|late| now >= late) {
            self.lose(fail::silent(PATIENCE.as_secs()));
        }
        let late = late.filter(|_| self.state == State::Up);
        let (received, sent, at) = self.told;
        let mut report = None;
        if (received, sent) != (self.received, self.sent) {
            report = Some(at + REPORT);
            if now >= at + REPORT {
                self.told = (self.received, self.sent, now);
                self.with.journal.traffic(self.received, self.sent);
                report = None;
            }
        }
        self.flush();
        [self.timers.next(), late, report].into_iter().flatten().min()
    }

    fn too_long(&mut self, mtu: u32) {
        if self.narrow.replace(mtu) != Some(mtu) {
            let line = "a router behind the server takes packets of at most";
            self.with.journal.log(&format!("{line} {mtu} bytes: set “mtu” to that"));
        }
    }
}
