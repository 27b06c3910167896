//! TCP over the packets of a VPN, inside this process and on one thread of it: sessions
//! get one end of a local pair, whose other end it pumps. No interface, no privilege, no
//! part of the machine's own network.

mod device;
mod flow;
mod icmp;
mod names;
mod run;

pub use device::Carrier;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use smoltcp::wire::IpCidr;

use super::{Network, Unreached};
use crate::model::target::HostPort;
use crate::os::net::{Bell, Socket};

/// Added where the stack's thread tells by itself when a time is over.
const MARGIN: Duration = Duration::from_secs(1);

/// Addresses with the length of their network's prefix.
pub type Networks = Vec<(IpAddr, u8)>;

/// How a stack is set up.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Settings {
    /// Its own addresses, eight at most.
    pub addresses: Networks,
    /// The networks behind the VPN; none means all.
    pub networks: Networks,
    /// Longest packet in bytes, 576 to 9000.
    pub mtu: u16,
    /// The servers that know names there.
    pub servers: Vec<IpAddr>,
    /// Domains that are added to short names.
    pub search: Vec<String>,
}

/// What its thread is asked to do.
enum Order {
    Connect { to: SocketAddr, near: Socket, answer: flow::Answer, until: Instant },
    Ask { to: SocketAddr, question: Vec<u8>, answer: Sender<Vec<u8>>, until: Instant },
    Stop,
}

/// A stack that runs until it is stopped or dropped.
pub struct Stack {
    orders: Mutex<Sender<Order>>,
    bell: Arc<Bell>,
    networks: Vec<IpCidr>,
    v4: bool,
    v6: bool,
    servers: Vec<IpAddr>,
    search: Vec<String>,
}

fn cidrs(networks: &Networks) -> Vec<IpCidr> {
    networks.iter().map(|(ip, length)| IpCidr::new((*ip).into(), *length)).collect()
}

impl Stack {
    /// Starts one over `carrier`.
    ///
    /// # Errors
    /// An address is none of a machine, or there is none; no thread can be had.
    pub fn start(settings: &Settings, carrier: Box<dyn Carrier>) -> io::Result<Self> {
        let plain = |ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast();
        let addresses = &settings.addresses;
        let good = (1..=8).contains(&addresses.len()) && addresses.iter().all(|(ip, _)| plain(ip));
        if !good {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let everything = [([0; 4].into(), 0), ([0; 16].into(), 0)].to_vec();
        let networks = match settings.networks.is_empty() {
            true => cidrs(&everything),
            false => cidrs(&settings.networks),
        };
        let bell = Arc::new(Bell::new()?);
        let (orders, taken) = channel();
        let (v4, v6) = (
            addresses.iter().any(|(ip, _)| ip.is_ipv4()),
            addresses.iter().any(|(ip, _)| ip.is_ipv6()),
        );
        let line = device::Line::new(carrier, settings.mtu.into(), networks.clone());
        let thread = run::Run::new(line, &cidrs(addresses), taken, bell.clone());
        std::thread::Builder::new().name("stack".into()).spawn(move || thread.run())?;
        let mut stack = Self {
            orders: Mutex::new(orders),
            bell,
            networks,
            v4,
            v6,
            servers: Vec::new(),
            search: settings.search.clone(),
        };
        // Those elsewhere would be asked by the machine's own network.
        let behind = settings.servers.iter().copied().filter(|ip| stack.leads_to(*ip)).collect();
        stack.servers = behind;
        Ok(stack)
    }

    /// Whether an address is behind the VPN and of a family that this side has.
    fn leads_to(&self, ip: IpAddr) -> bool {
        let family = if ip.is_ipv4() { self.v4 } else { self.v6 };
        family && device::within(&self.networks, ip)
    }

    /// Ends every connection and the thread.
    pub fn stop(&self) {
        self.order(Order::Stop);
    }

    fn order(&self, order: Order) {
        // A thread that has ended is noticed by who waits for its answer.
        let _ = self.orders.lock().unwrap_or_else(PoisonError::into_inner).send(order);
        self.bell.ring();
    }

    /// A connection to one address.
    fn connect(&self, to: SocketAddr, until: Instant) -> Result<Socket, Unreached> {
        if !self.leads_to(to.ip()) {
            return Err(Unreached::System(libc::ENETUNREACH));
        }
        let (far, near) = Socket::pair()?;
        near.set_nonblocking(true)?;
        let (answer, heard) = channel();
        self.order(Order::Connect { to, near, answer, until });
        wait(&heard, until + MARGIN)?.map(|()| far)
    }

    /// Asks a server by UDP; the first answer, or none in time.
    fn ask(&self, to: SocketAddr, question: &[u8], until: Instant) -> Receiver<Vec<u8>> {
        let (answer, heard) = channel();
        self.order(Order::Ask { to, question: question.to_vec(), answer, until });
        heard
    }
}

/// What comes before `until`.
fn wait<T>(from: &Receiver<T>, until: Instant) -> Result<T, Unreached> {
    from.recv_timeout(until.saturating_duration_since(Instant::now())).map_err(|e| match e {
        RecvTimeoutError::Timeout => Unreached::TimedOut,
        RecvTimeoutError::Disconnected => Unreached::Gone,
    })
}

impl Network for Stack {
    fn reach(&self, at: &HostPort, limit: Duration) -> Result<Socket, Unreached> {
        let until = Instant::now() + limit;
        let mut places = match at.host.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => self.look_up(&at.host, until)?,
        };
        if places.len() > 1 {
            places.retain(|ip| self.leads_to(*ip));
        }
        let mut last = Unreached::System(libc::ENETUNREACH);
        for (done, ip) in places.iter().enumerate() {
            let now = Instant::now();
            let share = until.saturating_duration_since(now) / (places.len() - done) as u32;
            if share.is_zero() {
                return Err(Unreached::TimedOut);
            }
            match self.connect(SocketAddr::new(*ip, at.port), now + share) {
                Ok(stream) => return Ok(stream),
                Err(why) => last = why,
            }
        }
        Err(last)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.stop();
    }
}
