//! What a server offers: its first message, in the clear (RFC 4253 section 7.1).
//! Asked on a connection of its own when the handshake failed, so that the person
//! reads what the device has. Sends nothing but our banner.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::time::{Duration, Instant};

use ssh2::{MethodType, Session};

use crate::os::net::Socket;

/// `SSH_MSG_KEXINIT`.
const KEXINIT: u8 = 20;

/// Longest packet taken, as RFC 4253 section 6.1 has it.
const PACKET_MAX: usize = 35_000;

/// The algorithms a server offers, in its order.
pub struct Offer {
    kex: Vec<String>,
    host_key: Vec<String>,
    cipher: Vec<String>,
    mac: Vec<String>,
}

impl Offer {
    /// Reads the offer of a server.
    ///
    /// # Errors
    /// It says nothing in time, or nothing that makes sense.
    pub fn of(socket: Socket, limit: Duration) -> io::Result<Self> {
        let deadline = Instant::now() + limit;
        socket.set_nonblocking(false)?;
        socket.set_timeout(Some(limit))?;
        (&socket).write_all(b"SSH-2.0-poterne\r\n")?;
        let mut from = BufReader::new(&socket);
        loop {
            let mut line = Vec::new();
            if (&mut from).take(256).read_until(b'\n', &mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if line.starts_with(b"SSH-") {
                break;
            }
            if Instant::now() > deadline {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        let mut head = [0u8; 5];
        from.read_exact(&mut head)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let padding = usize::from(head[4]);
        if length > PACKET_MAX || length < padding + 2 {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut payload = vec![0u8; length - 1];
        from.read_exact(&mut payload)?;
        payload.truncate(length - 1 - padding);
        Self::parse(&payload).ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Message number, cookie of 16 bytes, then ten name lists.
    fn parse(payload: &[u8]) -> Option<Self> {
        (*payload.first()? == KEXINIT).then_some(())?;
        let mut rest = payload.get(17..)?;
        let mut list = || -> Option<Vec<String>> {
            let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
            let names = std::str::from_utf8(rest.get(4..4 + length)?).ok()?;
            rest = &rest[4 + length..];
            Some(names.split(',').filter(|n| !n.is_empty()).map(str::to_owned).collect())
        };
        let (kex, host_key, cipher) = (list()?, list()?, list()?);
        let _to_client = list()?;
        Some(Self { kex, host_key, cipher, mac: list()? })
    }

    /// True when libssh2 shares no algorithm of some class with the server.
    pub fn has_nothing_for(&self, session: &Session) -> bool {
        let shares = |kind: MethodType, theirs: &[String]| {
            let ours = session.supported_algs(kind).unwrap_or_default();
            theirs.iter().any(|name| ours.contains(&name.as_str()))
        };
        // Ciphers with a built-in check need no MAC.
        let sealed = self.cipher.iter().any(|c| c.contains("gcm") || c.contains("poly1305"));
        !(shares(MethodType::Kex, &self.kex)
            && shares(MethodType::HostKey, &self.host_key)
            && shares(MethodType::CryptCs, &self.cipher)
            && (sealed || shares(MethodType::MacCs, &self.mac)))
    }

    /// The offer in one line.
    pub fn words(&self) -> String {
        let marks = ["kex-strict-", "ext-info-"];
        let kex: Vec<&str> = self
            .kex
            .iter()
            .map(String::as_str)
            .filter(|name| !marks.iter().any(|mark| name.starts_with(mark)))
            .collect();
        format!(
            "{} · {} · {} · {}",
            kex.join(","),
            self.host_key.join(","),
            self.cipher.join(","),
            self.mac.join(",")
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_read_in_the_order_of_the_rfc() {
        let mut payload = vec![KEXINIT];
        payload.extend([0u8; 16]);
        for list in ["kexa,kex-strict-s-v00@openssh.com", "ssh-rsa", "3des-cbc", "x", "hmac-sha1"] {
            payload.extend((list.len() as u32).to_be_bytes());
            payload.extend(list.as_bytes());
        }
        let offer = Offer::parse(&payload).expect("well formed");
        assert_eq!(offer.words(), "kexa · ssh-rsa · 3des-cbc · hmac-sha1");
        for cut in 0..payload.len() {
            assert!(Offer::parse(&payload[..cut]).is_none());
        }
    }
}
