//! Ports of this machine by which programs that dial for themselves, such as a browser,
//! reach the network of a VPN. They serve programs of the same user alone.

use std::io::{self, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::time::Duration;

use crate::connect::Failure;
use crate::connect::host::child::{Command, Inbox, Stream, Uplink};
use crate::connect::ssh::dial::Dialer;
use crate::connect::ssh::forward;
use crate::model::target::HostPort;
use crate::os::net::Socket;

/// For a program that asks for a place.
const LIMIT: Duration = Duration::from_secs(30);

/// A port that leads to `to`, or by SOCKS5 (RFC 1928) wherever a program wants; none
/// where the connection goes through no VPN.
///
/// # Errors
/// No port can be had.
pub fn port(up: &Arc<Uplink>, to: Option<HostPort>) -> Result<Option<HostPort>, Failure> {
    if up.door().is_none() {
        return Ok(None);
    }
    let here = HostPort { host: "127.0.0.1".into(), port: 0 };
    let beyond: Arc<dyn Inbox> = Arc::new(Beyond(up.clone()));
    forward::serve(&here, &beyond, to).map(Some)
}

/// What takes the streams of such ports on.
struct Beyond(Arc<Uplink>);

impl Inbox for Beyond {
    fn push(&self, command: Command) {
        let Command::Stream(stream) = command else { return };
        let up = self.0.clone();
        // Without a thread the stream is closed, which is an answer too.
        let _ = std::thread::Builder::new().name("beyond".into()).spawn(move || carry(stream, &up));
    }
}

fn carry(stream: Stream, up: &Uplink) {
    let Stream { to, socket: near, on_open, on_refusal, .. } = stream;
    if !near.peer_is_of_this_user() {
        return;
    }
    let dialer = Dialer { at: &to, via: None, door: up.door(), timeout: LIMIT };
    let far = dialer.dial(&|_| {});
    let words = if far.is_ok() { on_open } else { on_refusal };
    let written = (&near).write_all(&words);
    if let (Ok(far), Ok(())) = (far, written) {
        both_ways(near, far);
    }
}

/// Moves bytes until both sides have ended.
fn both_ways(near: Socket, far: Socket) {
    let (Ok(from_near), Ok(to_far)) = (near.try_clone(), far.try_clone()) else { return };
    let up = std::thread::Builder::new().name("up".into());
    let up = up.spawn(move || one_way(&from_near, &to_far));
    one_way(&far, &near);
    if let Ok(up) = up {
        let _ = up.join();
    }
}

fn one_way(mut from: &Socket, mut to: &Socket) {
    // A side that broke has ended.
    let _ = io::copy(&mut from, &mut to);
    to.shutdown(Shutdown::Write);
    from.shutdown(Shutdown::Read);
}
