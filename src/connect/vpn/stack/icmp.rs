//! What routers behind a VPN say of packets of ours (RFC 792, RFC 4443), as far as it
//! concerns connections that are being made. Answers nothing.

use std::net::{IpAddr, SocketAddr};

use smoltcp::wire::{
    Icmpv4Message, Icmpv4Packet, Icmpv6Message, Icmpv6Packet, IpProtocol, Ipv4Packet, Ipv6Packet,
};

/// What one of them says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Complaint {
    /// There is no way from this port of ours to that place (errno(3)).
    NoWay(u16, SocketAddr, i32),
    /// Packets there may be so long at most, in bytes.
    TooLong(u32),
}

/// The complaint in a packet, if it is one.
pub fn complaint(packet: &[u8]) -> Option<Complaint> {
    match packet.first()? >> 4 {
        4 => {
            let outer = Ipv4Packet::new_checked(packet).ok()?;
            if outer.next_header() != IpProtocol::Icmp {
                return None;
            }
            let icmp = Icmpv4Packet::new_checked(outer.payload()).ok()?;
            if icmp.msg_type() != Icmpv4Message::DstUnreachable || !icmp.verify_checksum() {
                return None;
            }
            let errno = match icmp.msg_code() {
                0 | 6 | 9 => libc::ENETUNREACH,
                2 => libc::ENOPROTOOPT,
                3 => libc::ECONNREFUSED,
                4 => {
                    let mtu = outer.payload().get(6..8)?;
                    return Some(Complaint::TooLong(u16::from_be_bytes([mtu[0], mtu[1]]).into()));
                }
                _ => libc::EHOSTUNREACH,
            };
            let ours = Ipv4Packet::new_unchecked(icmp.data());
            // Only the beginning of ours is quoted, which is no whole packet.
            let head = icmp.data();
            if head.len() < 20 || ours.next_header() != IpProtocol::Tcp {
                return None;
            }
            let to = ours.dst_addr().into();
            of(head.get(usize::from(ours.header_len())..)?, to, errno)
        }
        6 => {
            let outer = Ipv6Packet::new_checked(packet).ok()?;
            if outer.next_header() != IpProtocol::Icmpv6 {
                return None;
            }
            let icmp = Icmpv6Packet::new_checked(outer.payload()).ok()?;
            if !icmp.verify_checksum(&outer.src_addr(), &outer.dst_addr()) {
                return None;
            }
            let errno = match (icmp.msg_type(), icmp.msg_code()) {
                (Icmpv6Message::PktTooBig, _) => {
                    return Some(Complaint::TooLong(icmp.pkt_too_big_mtu()));
                }
                (Icmpv6Message::DstUnreachable, 0) => libc::ENETUNREACH,
                (Icmpv6Message::DstUnreachable, 1 | 5 | 6) => libc::EACCES,
                (Icmpv6Message::DstUnreachable, 4) => libc::ECONNREFUSED,
                (Icmpv6Message::DstUnreachable, _) => libc::EHOSTUNREACH,
                _ => return None,
            };
            let head = outer.payload().get(8..)?;
            let ours = Ipv6Packet::new_unchecked(head);
            if head.len() < 40 || ours.next_header() != IpProtocol::Tcp {
                return None;
            }
            of(&head[40..], ours.dst_addr().into(), errno)
        }
        _ => None,
    }
}

/// The ports stand first in TCP's head (RFC 9293 section 3.1).
fn of(tcp: &[u8], to: IpAddr, errno: i32) -> Option<Complaint> {
    let ports = tcp.get(..4)?;
    let port = |at: usize| u16::from_be_bytes([ports[at], ports[at + 1]]);
    Some(Complaint::NoWay(port(0), SocketAddr::new(to, port(2)), errno))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A host unreachable, as Linux 6.1 sends it, of a packet from port 50000 to
    /// 192.168.1.99:22; the checksums are filled in.
    fn host_unreachable(code: u8, field: [u8; 2]) -> Vec<u8> {
        let mut inner = vec![0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 9, 0, 2];
        inner.extend([192, 168, 1, 99, 0xc3, 0x50, 0, 22, 0, 0, 0, 1]);
        let mut icmp = vec![3, code, 0, 0, 0, 0, field[0], field[1]];
        icmp.extend(inner);
        Icmpv4Packet::new_unchecked(&mut icmp[..]).fill_checksum();
        let length = 20 + icmp.len() as u8;
        let mut packet = vec![0x45, 0, 0, length, 0, 1, 0, 0, 64, 1, 0, 0, 192, 168, 1, 1];
        packet.extend([10, 9, 0, 2]);
        packet.extend(icmp);
        packet
    }

    #[test]
    fn a_router_says_which_connection_has_no_way() {
        let to = "192.168.1.99:22".parse().expect("a place");
        let of = |code| complaint(&host_unreachable(code, [0, 0]));
        assert_eq!(of(1), Some(Complaint::NoWay(50000, to, libc::EHOSTUNREACH)));
        assert_eq!(of(0), Some(Complaint::NoWay(50000, to, libc::ENETUNREACH)));
        assert_eq!(of(3), Some(Complaint::NoWay(50000, to, libc::ECONNREFUSED)));
        assert_eq!(complaint(&host_unreachable(4, [5, 0])), Some(Complaint::TooLong(1280)));
    }

    #[test]
    fn what_is_cut_short_or_damaged_says_nothing() {
        let whole = host_unreachable(1, [0, 0]);
        let mut damaged = whole.clone();
        damaged[20 + 8 + 12] ^= 1;
        assert_eq!(complaint(&damaged), None);
        for length in 0..whole.len() {
            let mut cut = whole[..length].to_vec();
            if length > 20 {
                cut[3] = length as u8;
            }
            assert_eq!(complaint(&cut), None, "{length}");
        }
    }
}
