//! Raises a WireGuard VPN in its session process: keys, server, handshake. It is up when
//! the server has answered, which nothing else proves.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::mpsc::channel;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use boringtun::noise::Tunn;
use boringtun::x25519::{PublicKey, StaticSecret};

use super::settings::Settings;
use super::tunnel::{Begin, Shared, Tunnel};
use super::{PRESHARED, fail, keys};
use crate::connect::Failure;
use crate::connect::host::child::{Engine, Uplink};
use crate::connect::line::End;
use crate::connect::link::LinkInfo;
use crate::connect::ssh::dial::Dialer;
use crate::connect::ssh::fail::local;
use crate::connect::vpn::door;
use crate::connect::vpn::engine::{Holder, VpnEngine, begin};
use crate::connect::vpn::journal::{Journal, Step};
use crate::connect::vpn::stack::{self, Stack};
use crate::model::entry::Slot;
use crate::os::random;
use crate::secret::burn_stack;

/// The VPN, while it is held.
struct Held {
    stack: Arc<Stack>,
    journal: Arc<Journal>,
}

impl Holder for Held {
    fn admit(&self, passage: OwnedFd) {
        // Without a thread the passage is closed, and who has the door is told.
        let _ = door::serve(passage, self.stack.clone());
    }

    fn stop(&self) {
        // WireGuard knows no goodbye: the server forgets by itself.
        self.stack.stop();
        self.journal.end(None);
    }
}

/// Opens one.
///
/// # Errors
/// Keys or settings make no sense; the server is unknown or does not answer.
pub fn open(end: &End<'_>) -> Result<Box<dyn Engine>, Failure> {
    let at = &end.hop.at;
    if end.via.is_some() || end.up.door().is_some() {
        return Err(fail::behind(at));
    }
    let settings = Settings::of(end.hop)?;
    let (queue, journal) = begin(end.up)?;
    let deadline = Instant::now() + settings.connect_timeout;
    let (tunn, own) = protocol(end.index, &settings, end.up, &journal)?;
    journal.log(&format!("public key of this side: {own}"));
    journal.step(Step::Resolving, None);
    let timeout = settings.connect_timeout;
    let dialer = Dialer { at, via: None, door: None, timeout };
    let places = match at.host.parse() {
        Ok(ip) => vec![SocketAddr::new(ip, at.port)],
        Err(_) => dialer.resolve(deadline)?,
    };
    let addresses: Vec<String> = settings.addresses.iter().map(|(ip, _)| ip.to_string()).collect();
    journal.address(&addresses.join(", "));
    journal.step(Step::Contacting, None);
    let (first, answered) = channel();
    let hints = Shared::default();
    let tunnel = Tunnel::new(Begin {
        tunn,
        keepalive: settings.keepalive,
        mtu: settings.mtu,
        at: at.clone(),
        places,
        journal: journal.clone(),
        first,
        hints: hints.clone(),
    })
    .map_err(|e| fail::unreachable(at, &e))?;
    let set_up = stack::Settings {
        addresses: settings.addresses,
        networks: settings.networks,
        mtu: settings.mtu,
        servers: settings.servers,
        search: settings.search,
    };
    let stack = Stack::start(&set_up, Box::new(tunnel)).map_err(|e| local(&e))?;
    let left = deadline.saturating_duration_since(Instant::now());
    let up = answered.recv_timeout(left);
    if up != Ok(true) {
        stack.stop();
        let hints = hints.lock().unwrap_or_else(PoisonError::into_inner);
        return Err(match &hints.network {
            _ if hints.preshared => fail::preshared(at),
            Some(_) if up == Ok(false) => fail::closed_port(at),
            Some(e) => fail::unreachable(at, e),
            None => fail::no_answer(at, timeout.as_secs(), &own),
        });
    }
    let info = LinkInfo {
        description: format!("WireGuard · {at} · {}", addresses.join(", ")),
        ..LinkInfo::default()
    };
    let held = Held { stack: Arc::new(stack), journal: journal.clone() };
    Ok(Box::new(VpnEngine::new((queue, journal), Arc::new(held), info)?))
}

/// The protocol with the keys of hop `index`, and the public key of this side.
fn protocol(
    index: usize,
    settings: &Settings,
    up: &Arc<Uplink>,
    journal: &Journal,
) -> Result<(Tunn, String), Failure> {
    let secret = |slot: &Slot| up.secret(index, slot).filter(|secret| !secret.is_empty());
    let private = secret(&Slot::PrivateKey).ok_or_else(fail::no_key)?;
    let key = keys::secret(&private).ok_or_else(fail::bad_key)?;
    let shared = secret(&Slot::Custom(PRESHARED.to_owned()));
    let shared_key = match &shared {
        Some(text) => Some(keys::secret(text).ok_or_else(fail::bad_preshared)?),
        None => None,
    };
    for text in [Some(private), shared].into_iter().flatten() {
        if let Ok(text) = text.into_text() {
            journal.hide(text);
        }
    }
    let private = key.expose(|key| StaticSecret::from(*key));
    let own = PublicKey::from(&private);
    if own.as_bytes() == &settings.peer {
        return Err(fail::own_key());
    }
    let shared = shared_key.as_ref().map(|key| key.expose(|key| *key));
    let number = u32::from_ne_bytes(random::bytes());
    let peer = PublicKey::from(settings.peer);
    let tunn = Tunn::new(private, peer, shared, settings.keepalive, number, None);
    burn_stack();
    Ok((tunn, keys::shown(own.as_bytes())))
}
