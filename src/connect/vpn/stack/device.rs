//! The place between TCP and what carries its packets: a VPN's own protocol. Lets
//! nothing in or out that is not of the VPN's networks.

use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::Instant;

use smoltcp::phy::{Device, DeviceCapabilities, Medium, RxToken, TxToken};
use smoltcp::wire::{IpCidr, Ipv4Packet, Ipv6Packet};

use super::icmp::{self, Complaint};

/// Packets that are taken in before anything else has its turn.
const TURN: usize = 256;
/// Longest packet that may come, in bytes.
const LONGEST: usize = 65_536;

/// Carries IP packets to the other end of a VPN and back. All of it is called on the
/// stack's one thread and never waits.
pub trait Carrier: Send {
    /// Puts the next packet that has come into `room`, and says how long it is.
    fn receive(&mut self, room: &mut [u8]) -> Option<usize>;
    /// Takes one packet; it may leave together with others, at [`Carrier::flush`].
    fn send(&mut self, packet: &[u8]);
    /// Whether one more would be taken. Where not, the stack waits for
    /// [`Carrier::watched`] to be writable.
    fn ready(&self) -> bool;
    /// What was held back leaves.
    fn flush(&mut self);
    /// What to wait for, and whether until it can be written to as well.
    fn watched(&self) -> Vec<(BorrowedFd<'_>, bool)>;
    /// Does what is due, and says when to be called again at the latest. `wanted` while
    /// somebody has a connection through it.
    fn tick(&mut self, now: Instant, wanted: bool) -> Option<Instant>;
    /// A router behind the VPN says that packets may be so long at most, in bytes.
    fn too_long(&mut self, _mtu: u32) {}
}

/// The device as `smoltcp` has it.
pub struct Line {
    /// What carries the packets.
    pub carrier: Box<dyn Carrier>,
    /// What routers had to say of packets of ours, for the connections.
    pub complaints: Vec<Complaint>,
    /// There may be more to receive.
    pub more: bool,
    room: Vec<u8>,
    out: Vec<u8>,
    left: usize,
    mtu: usize,
    networks: Vec<IpCidr>,
}

impl Line {
    /// One for packets of up to `mtu` bytes of and to these networks.
    pub fn new(carrier: Box<dyn Carrier>, mtu: usize, networks: Vec<IpCidr>) -> Self {
        Self {
            carrier,
            complaints: Vec::new(),
            more: false,
            room: vec![0; LONGEST],
            out: vec![0; mtu],
            left: 0,
            mtu,
            networks,
        }
    }

    /// Begins a turn.
    pub fn turn(&mut self) {
        (self.left, self.more) = (TURN, false);
    }

    fn next(&mut self) -> Option<usize> {
        while self.left > 0 {
            self.left -= 1;
            let length = self.carrier.receive(&mut self.room)?;
            let packet = &self.room[..length];
            let Some((from, _)) = ends(packet) else { continue };
            if !within(&self.networks, from) {
                continue;
            }
            match icmp::complaint(packet) {
                Some(Complaint::TooLong(mtu)) => self.carrier.too_long(mtu),
                Some(complaint) => self.complaints.push(complaint),
                None => {}
            }
            return Some(length);
        }
        self.more = true;
        None
    }
}

/// Whether an address is in one of these networks.
pub fn within(networks: &[IpCidr], ip: IpAddr) -> bool {
    networks.iter().any(|network| network.contains_addr(&ip.into()))
}

/// Who sent a packet, and to whom.
fn ends(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
    match packet.first()? >> 4 {
        4 => {
            let head = Ipv4Packet::new_checked(packet).ok()?;
            Some((head.src_addr().into(), head.dst_addr().into()))
        }
        6 => {
            let head = Ipv6Packet::new_checked(packet).ok()?;
            Some((head.src_addr().into(), head.dst_addr().into()))
        }
        _ => None,
    }
}

impl Device for Line {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(
        &mut self,
        _now: smoltcp::time::Instant,
    ) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        let length = self.next()?;
        let Self { carrier, room, out, networks, .. } = self;
        Some((Received(&room[..length]), Sending { carrier: carrier.as_mut(), out, networks }))
    }

    fn transmit(&mut self, _now: smoltcp::time::Instant) -> Option<Self::TxToken<'_>> {
        let Self { carrier, out, networks, .. } = self;
        carrier.ready().then(|| Sending { carrier: carrier.as_mut(), out, networks })
    }

    fn capabilities(&self) -> DeviceCapabilities {
        let mut all = DeviceCapabilities::default();
        all.medium = Medium::Ip;
        all.max_transmission_unit = self.mtu;
        all
    }
}

/// A packet that has come.
pub struct Received<'a>(&'a [u8]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&[u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// Leave to send a packet.
pub struct Sending<'a> {
    carrier: &'a mut dyn Carrier,
    out: &'a mut Vec<u8>,
    networks: &'a [IpCidr],
}

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, length: usize, f: F) -> R {
        if self.out.len() < length {
            self.out.resize(length, 0);
        }
        let packet = &mut self.out[..length];
        let result = f(packet);
        if ends(packet).is_some_and(|(_, to)| within(self.networks, to)) {
            self.carrier.send(packet);
        }
        result
    }
}
