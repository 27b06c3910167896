//! The settings of a hop, read from its text form. Reads nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use super::fail;
use super::fields::FIELDS;
use crate::connect::Failure;
use crate::model::target::{Hop, HostPort};

/// How to log in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Auth {
    /// Whatever the entry has and the server accepts.
    Auto,
    /// RFC 4252 section 8.
    Password,
    /// RFC 4252 section 7, with the entry's key.
    PublicKey,
    /// The same, with the keys of the person's agent.
    Agent,
    /// RFC 4256.
    Interactive,
}

/// One forwarding: listen at `from`, lead to `to`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Forward {
    /// Where to listen.
    pub from: HostPort,
    /// Where it leads.
    pub to: HostPort,
}

/// The settings of one hop.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How to log in.
    pub auth: Auth,
    /// Socket of the agent; empty for the one of the login session.
    pub agent_socket: String,
    /// `-L`.
    pub local: Vec<Forward>,
    /// `-R`.
    pub remote: Vec<Forward>,
    /// `-D`.
    pub dynamic: Vec<HostPort>,
    /// Between two signs of life; zero for none.
    pub keepalive: Duration,
    /// For each step of connecting.
    pub connect_timeout: Duration,
    /// Without traffic, until the session ends; zero for never.
    pub idle_timeout: Duration,
    /// zlib.
    pub compression: bool,
    /// The owner accepts old algorithms.
    pub weak: bool,
    /// Typed into a shell when it opens; may be empty.
    pub startup: String,
}

impl Settings {
    /// The settings of `hop`.
    ///
    /// # Errors
    /// A value that makes no sense, named.
    pub fn of(hop: &Hop) -> Result<Self, Failure> {
        let get = Reader(&hop.settings);
        Ok(Self {
            auth: match get.text("auth") {
                "password" => Auth::Password,
                "publickey" => Auth::PublicKey,
                "agent" => Auth::Agent,
                "keyboard-interactive" => Auth::Interactive,
                "auto" => Auth::Auto,
                other => return Err(fail::setting("auth", other)),
            },
            agent_socket: get.text("agent-socket").to_owned(),
            local: get.lines("local-forward", forward)?,
            remote: get.lines("remote-forward", forward)?,
            dynamic: get.lines("dynamic-forward", listen_at)?,
            keepalive: get.secs("keepalive")?,
            connect_timeout: get.secs("connect-timeout")?.max(Duration::from_secs(1)),
            idle_timeout: get.secs("idle-timeout")?,
            compression: get.text("compression") == "yes",
            weak: get.text("weak-algorithms") == "yes",
            startup: get.text("startup-command").to_owned(),
        })
    }
}

struct Reader<'a>(&'a BTreeMap<String, String>);

impl<'a> Reader<'a> {
    fn text(&self, id: &str) -> &'a str {
        match self.0.get(id).map(|v| v.trim()) {
            Some(value) if !value.is_empty() => value,
            _ => FIELDS.iter().find(|f| f.id == id).map_or("", |f| f.default),
        }
    }

    fn secs(&self, id: &str) -> Result<Duration, Failure> {
        let text = self.text(id);
        text.parse().map(Duration::from_secs).map_err(|_| fail::setting(id, text))
    }

    fn lines<T>(&self, id: &str, parse: fn(&str) -> Option<T>) -> Result<Vec<T>, Failure> {
        lines(self.text(id))
            .map(|line| parse(line).ok_or_else(|| fail::setting(id, line)))
            .collect()
    }
}

/// The lines that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether each line is a forwarding.
pub fn are_forwards(text: &str) -> bool {
    lines(text).all(|line| forward(line).is_some())
}

/// Whether each line is a place to listen at.
pub fn are_listeners(text: &str) -> bool {
    lines(text).all(|line| listen_at(line).is_some())
}

/// `[address:]port host:port`.
fn forward(line: &str) -> Option<Forward> {
    let mut words = line.split_whitespace();
    let (from, to, rest) = (words.next()?, words.next()?, words.next());
    (rest.is_none()).then_some(())?;
    let to = host_port(to)?;
    (to.port != 0).then_some(())?;
    Some(Forward { from: listen_at(from)?, to })
}

/// `[address:]port`; without an address, only programs of this machine get in.
fn listen_at(text: &str) -> Option<HostPort> {
    match text.parse::<u16>() {
        Ok(port) => Some(HostPort { host: "127.0.0.1".into(), port }),
        Err(_) => host_port(text),
    }
}

/// `host:port`, an IPv6 address in brackets. Port 0 asks for a free one.
fn host_port(text: &str) -> Option<HostPort> {
    let (host, port) = text.rsplit_once(':')?;
    let host = match host.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']')?,
        None if host.contains(':') => return None,
        None => host,
    };
    (!host.is_empty()).then_some(())?;
    Some(HostPort { host: host.to_owned(), port: port.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_forward_without_address_listens_on_loopback_only() {
        let f = forward("8080 intranet:80").expect("well formed");
        assert_eq!((f.from.host.as_str(), f.from.port), ("127.0.0.1", 8080));
        assert_eq!((f.to.host.as_str(), f.to.port), ("intranet", 80));
        let f = forward("[::1]:0 [fe80::1]:443").expect("well formed");
        assert_eq!((f.from.host.as_str(), f.to.host.as_str()), ("::1", "fe80::1"));
    }

    #[test]
    fn a_forward_that_makes_no_sense_is_refused() {
        for line in ["", "8080", "8080 host", "x host:80", "1 a:b:80", "1 host:0", "1 a:1 b:2"] {
            assert!(forward(line).is_none(), "{line}");
        }
    }
}
