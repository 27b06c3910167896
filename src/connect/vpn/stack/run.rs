//! The stack's thread: waits for packets, for sessions and for what is due, and does
//! nothing in between. Knows no name and no VPN.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use smoltcp::iface::{Config, Interface, PollResult, SocketHandle, SocketSet};
use smoltcp::socket::{tcp, udp};
use smoltcp::wire::{HardwareAddress, IpCidr};

use super::Order;
use super::device::Line;
use super::flow::{self, Flow};
use super::icmp::Complaint;
use crate::connect::vpn::Unreached;
use crate::os::net::Bell;
use crate::os::random;

/// Longest answer of a name server by UDP, in bytes; more comes by TCP.
const ANSWER: usize = 4096;
/// Ports on this side (RFC 6335 section 6).
const PORTS: std::ops::RangeInclusive<u16> = 49_152..=65_535;

/// Everything that the thread owns.
pub struct Run {
    line: Line,
    interface: Interface,
    sockets: SocketSet<'static>,
    flows: BTreeMap<SocketHandle, Flow>,
    questions: BTreeMap<SocketHandle, Question>,
    orders: Receiver<Order>,
    bell: Arc<Bell>,
    begun: Instant,
}

/// A question that waits for its answer.
struct Question {
    to: SocketAddr,
    answer: Sender<Vec<u8>>,
    until: Instant,
}

impl Run {
    /// A stack with these addresses.
    pub fn new(
        mut line: Line,
        addresses: &[IpCidr],
        orders: Receiver<Order>,
        bell: Arc<Bell>,
    ) -> Self {
        let mut config = Config::new(HardwareAddress::Ip);
        config.random_seed = u64::from_ne_bytes(random::bytes());
        let mut interface = Interface::new(config, &mut line, smoltcp::time::Instant::ZERO);
        interface.update_ip_addrs(|all| {
            for address in addresses {
                let _ = all.push(*address);
            }
        });
        // There is one way out, and nobody to be asked for it.
        if let Some(own) = interface.ipv4_addr() {
            let _ = interface.routes_mut().add_default_ipv4_route(own);
        }
        if let Some(own) = interface.ipv6_addr() {
            let _ = interface.routes_mut().add_default_ipv6_route(own);
        }
        Self {
            line,
            interface,
            sockets: SocketSet::new(Vec::new()),
            flows: BTreeMap::new(),
            questions: BTreeMap::new(),
            orders,
            bell,
            begun: Instant::now(),
        }
    }

    fn time(&self) -> smoltcp::time::Instant {
        smoltcp::time::Instant::from_micros(self.begun.elapsed().as_micros() as i64)
    }

    /// Runs until it is told to stop.
    pub fn run(mut self) {
        loop {
            let due = self.line.carrier.tick(Instant::now(), !self.flows.is_empty());
            // Packets first, then sessions, then what they left to be sent: the other
            // order would leave an answer lying until the next packet.
            self.line.turn();
            let time = self.time();
            self.interface.poll(time, &mut self.line, &mut self.sockets);
            if !self.obey() {
                return;
            }
            self.complain();
            self.pump();
            self.answer();
            let time = self.time();
            let (line, sockets) = (&mut self.line, &mut self.sockets);
            while self.interface.poll_egress(time, line, sockets) != PollResult::None {}
            self.line.carrier.flush();
            self.wait(due);
        }
    }

    /// Takes orders; false when it is over.
    fn obey(&mut self) -> bool {
        self.bell.hush();
        loop {
            match self.orders.try_recv() {
                Ok(Order::Connect { to, near, answer, until }) => {
                    let port = self.port();
                    let mut socket = flow::socket();
                    let begun = socket.connect(self.interface.context(), to, port);
                    if begun.is_err() {
                        let _ = answer.send(Err(Unreached::System(libc::ENETUNREACH)));
                        continue;
                    }
                    let handle = self.sockets.add(socket);
                    self.flows.insert(handle, Flow::new(to, port, near, answer, until));
                }
                Ok(Order::Ask { to, question, answer, until }) => {
                    let buffer = || {
                        let meta = vec![udp::PacketMetadata::EMPTY; 4];
                        udp::PacketBuffer::new(meta, vec![0; ANSWER])
                    };
                    let mut socket = udp::Socket::new(buffer(), buffer());
                    let sent = socket.bind(self.port()).is_ok()
                        && socket.send_slice(&question, to).is_ok();
                    if sent {
                        let handle = self.sockets.add(socket);
                        self.questions.insert(handle, Question { to, answer, until });
                    }
                }
                Err(TryRecvError::Empty) => return true,
                Ok(Order::Stop) | Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// A port of this side that nothing uses, and nobody can guess.
    fn port(&self) -> u16 {
        loop {
            let port = u16::from_ne_bytes(random::bytes()) | PORTS.start();
            if PORTS.contains(&port) && self.flows.values().all(|flow| flow.port != port) {
                return port;
            }
        }
    }

    /// Tells those who wait for a connection that a router knows no way.
    fn complain(&mut self) {
        for complaint in std::mem::take(&mut self.line.complaints) {
            let Complaint::NoWay(port, to, errno) = complaint else { continue };
            let meant = |(_, flow): &(_, &mut Flow)| flow.port == port && flow.to == to;
            if let Some((handle, flow)) = self.flows.iter_mut().find(meant) {
                let socket = self.sockets.get_mut::<tcp::Socket>(*handle);
                flow.refuse(socket, Unreached::System(errno));
            }
        }
    }

    fn pump(&mut self) {
        let now = Instant::now();
        let Self { flows, sockets, .. } = self;
        flows.retain(|handle, flow| {
            let going = flow.pump(sockets.get_mut::<tcp::Socket>(*handle), now);
            if !going {
                sockets.remove(*handle);
            }
            going
        });
    }

    fn answer(&mut self) {
        let now = Instant::now();
        let Self { questions, sockets, .. } = self;
        questions.retain(|handle, question| {
            let socket = sockets.get_mut::<udp::Socket>(*handle);
            let mut open = now < question.until;
            while let (true, Ok((bytes, from))) = (open, socket.recv()) {
                // Anybody could send something there.
                if SocketAddr::from(from.endpoint) == question.to {
                    // A wrong one is not the last word: who asked says when it is over.
                    open = question.answer.send(bytes.to_vec()).is_ok();
                }
            }
            if !open {
                sockets.remove(*handle);
            }
            open
        });
    }

    /// Waits until something happens or is due.
    fn wait(&mut self, due: Option<Instant>) {
        let now = Instant::now();
        let time = self.time();
        let blocked = !self.line.carrier.ready();
        // Where nothing can be sent, what is due to be sent waits for that.
        let stack = match blocked {
            true => None,
            false => self.interface.poll_delay(time, &self.sockets),
        };
        let stack = stack.map(|delay| now + Duration::from_micros(delay.total_micros()));
        let flows = self.flows.values().filter_map(Flow::due);
        let questions = self.questions.values().map(|question| question.until);
        let first = flows.chain(questions).chain(due).chain(stack).min();
        let mut left = first.map(|at| at.saturating_duration_since(now));
        if self.line.more {
            left = Some(Duration::ZERO);
        }
        let limit = left.map(|left| Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        });
        let mut fds = vec![PollFd::from_borrowed_fd(self.bell.socket().as_fd(), PollFlags::IN)];
        for (fd, write) in self.line.carrier.watched() {
            let mut flags = PollFlags::IN;
            flags.set(PollFlags::OUT, write);
            fds.push(PollFd::from_borrowed_fd(fd, flags));
        }
        let others = fds.len();
        let mut ends = Vec::with_capacity(self.flows.len());
        for (handle, flow) in &self.flows {
            if let Some((fd, flags)) = flow.watched(self.sockets.get::<tcp::Socket>(*handle)) {
                fds.push(PollFd::from_borrowed_fd(fd, flags));
                ends.push(*handle);
            }
        }
        if poll(&mut fds, limit.as_ref()).is_err() {
            return;
        }
        let seen: Vec<PollFlags> = fds[others..].iter().map(PollFd::revents).collect();
        for (handle, flags) in ends.iter().zip(seen) {
            if let Some(flow) = self.flows.get_mut(handle) {
                flow.seen(flags);
            }
        }
    }
}
