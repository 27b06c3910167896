//! Forwardings that listen on this machine: fixed ones (`-L`) and SOCKS5 (`-D`,
//! RFC 1928, CONNECT without login). Knows no engine: it hands streams over.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use super::fail;
use super::settings::Settings;
use crate::connect::Failure;
use crate::connect::host::child::{Command, Inbox, Stream};
use crate::model::target::HostPort;
use crate::os::net::Socket;
use crate::os::words;

/// How long a program may take to say where it wants to go.
const GREETING: Duration = Duration::from_secs(10);
/// How long a session that ended may hold its port still.
const LETTING_GO: Duration = Duration::from_secs(1);
/// How often a port that is taken is tried again.
const PAUSE: Duration = Duration::from_millis(50);

/// Starts all listeners; what listens where, in words.
///
/// # Errors
/// A port is taken or may not be used.
pub fn listen(settings: &Settings, inbox: &Arc<dyn Inbox>) -> Result<Vec<String>, Failure> {
    let mut words = Vec::new();
    for forward in &settings.local {
        let at = serve(&forward.from, inbox, Some(forward.to.clone()))?;
        words.push(format!("L {at} → {}", forward.to));
    }
    for from in &settings.dynamic {
        let at = serve(from, inbox, None)?;
        words.push(format!("D {at} → SOCKS5"));
    }
    Ok(words)
}

/// Listens at `from`; connections lead to `to`, or where SOCKS5 says.
///
/// # Errors
/// The port is taken or may not be used.
pub fn serve(
    from: &HostPort,
    inbox: &Arc<dyn Inbox>,
    to: Option<HostPort>,
) -> Result<HostPort, Failure> {
    let refused = |e: io::Error| fail::forward(from, &words::cause(&e));
    let listener = bind(from).map_err(refused)?;
    let port = listener.local_addr().map_err(refused)?.port();
    let inbox = inbox.clone();
    std::thread::Builder::new()
        .name("forward".into())
        .spawn(move || {
            for stream in listener.incoming().flatten() {
                let (inbox, to) = (inbox.clone(), to.clone());
                // Each visitor has a thread until it has said where to go, so
                // that a silent one keeps nobody waiting.
                let _ = std::thread::Builder::new()
                    .name("visitor".into())
                    .spawn(move || visit(stream, to, &*inbox));
            }
        })
        .map_err(|e| fail::local(&e))?;
    Ok(HostPort { host: from.host.clone(), port })
}

/// Binds to an address. A port that is taken may belong to a session that has
/// just ended: it is given a moment.
fn bind(from: &HostPort) -> io::Result<TcpListener> {
    let mut left = LETTING_GO.as_millis() / PAUSE.as_millis();
    loop {
        match TcpListener::bind((from.host.as_str(), from.port)) {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && left > 0 => left -= 1,
            other => return other,
        }
        std::thread::sleep(PAUSE);
    }
}

fn visit(mut stream: TcpStream, to: Option<HostPort>, inbox: &dyn Inbox) {
    let _ = stream.set_nodelay(true);
    let (to, on_open, on_refusal) = match to {
        Some(to) => (to, Vec::new(), Vec::new()),
        None => {
            let _ = stream.set_read_timeout(Some(GREETING));
            match socks5(&mut stream) {
                Ok(to) => (to, reply(0), reply(5)),
                Err(_) => return,
            }
        }
    };
    inbox.push(Command::Stream(Stream {
        to,
        socket: Socket::Tcp(stream),
        on_open,
        on_refusal,
        opened: None,
    }));
}

/// The reply of RFC 1928 section 6 with an unspecified bound address.
fn reply(code: u8) -> Vec<u8> {
    vec![5, code, 0, 1, 0, 0, 0, 0, 0, 0]
}

/// Reads greeting and request of RFC 1928; where the program wants to go.
fn socks5(stream: &mut (impl Read + Write)) -> io::Result<HostPort> {
    let refuse = || io::Error::from(io::ErrorKind::InvalidData);
    let mut head = [0u8; 2];
    stream.read_exact(&mut head)?;
    if head[0] != 5 {
        return Err(refuse());
    }
    let mut methods = vec![0u8; usize::from(head[1])];
    stream.read_exact(&mut methods)?;
    if !methods.contains(&0) {
        stream.write_all(&[5, 0xFF])?;
        return Err(refuse());
    }
    stream.write_all(&[5, 0])?;
    let mut request = [0u8; 4];
    stream.read_exact(&mut request)?;
    if request[0] != 5 || request[1] != 1 {
        stream.write_all(&reply(7))?;
        return Err(refuse());
    }
    let host = match request[3] {
        1 => {
            let mut v4 = [0u8; 4];
            stream.read_exact(&mut v4)?;
            Ipv4Addr::from(v4).to_string()
        }
        3 => {
            let mut length = [0u8; 1];
            stream.read_exact(&mut length)?;
            let mut name = vec![0u8; usize::from(length[0])];
            stream.read_exact(&mut name)?;
            String::from_utf8(name).map_err(|_| refuse())?
        }
        4 => {
            let mut v6 = [0u8; 16];
            stream.read_exact(&mut v6)?;
            Ipv6Addr::from(v6).to_string()
        }
        _ => {
            stream.write_all(&reply(8))?;
            return Err(refuse());
        }
    };
    let mut port = [0u8; 2];
    stream.read_exact(&mut port)?;
    Ok(HostPort { host, port: u16::from_be_bytes(port) })
}
