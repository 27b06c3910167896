//! What may be shown of a profile: no secret is among it.

use super::certificate::{Certificate, Role};
use super::model::{Item, PartKind, Profile, Proto, Remote, Setting, settings};
use super::{certificate, parts};
use crate::model::target::HostPort;
use crate::model::time::Time;

/// Port of a server that names none (IANA).
const PORT: u16 = 1194;

/// What may be shown of a profile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// The servers, in the order in which they are tried.
    pub places: Vec<Place>,
    /// They are tried in any order.
    pub remote_random: bool,
    /// User and password are asked.
    pub asks_login: bool,
    /// What is asked besides them.
    pub challenge: Option<Challenge>,
    /// The kinds of keys that are in it.
    pub keys: Vec<PartKind>,
    /// The private key has a passphrase.
    pub key_encrypted: bool,
    /// Of the client and its authorities, as far as they can be read. Those of a PKCS#12
    /// archive cannot, without its passphrase.
    pub certificates: Vec<Certificate>,
}

/// A server and what carries the tunnel to it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    /// Where it is.
    pub at: HostPort,
    /// How.
    pub proto: Proto,
    /// By way of this proxy.
    pub proxy: Option<HostPort>,
}

/// A question that is asked with every login.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Challenge {
    /// In the words of the profile.
    pub text: String,
    /// What is typed may be seen.
    pub echo: bool,
}

impl Facts {
    /// When the certificate of the client ends.
    pub fn client_expires(&self) -> Option<Time> {
        let own = self.certificates.iter().find(|c| c.role == Role::Client);
        own.map(|certificate| certificate.not_after)
    }

    /// When the last of the authorities ends: after that, no server is proved.
    pub fn authority_expires(&self) -> Option<Time> {
        let all = self.certificates.iter().filter(|c| c.role == Role::Authority);
        all.map(|certificate| certificate.not_after).max()
    }
}

impl Profile {
    /// What may be shown of it.
    pub fn facts(&self) -> Facts {
        let mut kinds: Vec<PartKind> = Vec::new();
        for part in self.parts().filter(|part| part.kind.is_secret()) {
            if !kinds.contains(&part.kind) {
                kinds.push(part.kind);
            }
        }
        let key = self.parts().filter(|part| part.kind == PartKind::Key).last();
        let archive = kinds.contains(&PartKind::Pkcs12);
        Facts {
            places: self.remotes(),
            remote_random: self.settings("remote-random").next().is_some(),
            asks_login: self.settings("auth-user-pass").next().is_some(),
            challenge: self.challenge(),
            keys: kinds,
            key_encrypted: archive || key.is_some_and(|key| key.body.expose(parts::encrypted)),
            certificates: certificate::of(self),
        }
    }

    fn challenge(&self) -> Option<Challenge> {
        let setting = self.settings("static-challenge").last()?;
        let [text, echo] = &setting.args[..] else { return None };
        Some(Challenge { text: text.clone(), echo: echo == "1" })
    }

    /// Whether it is that of a client, with TLS or with a key of both sides.
    pub(super) fn has_mode(&self) -> bool {
        ["client", "tls-client"].iter().any(|name| self.settings(name).next().is_some())
            || self.parts().any(|part| part.kind == PartKind::Static)
    }

    /// The servers. Where there are blocks, `openvpn` takes those alone.
    pub(super) fn remotes(&self) -> Vec<Place> {
        let mut blocks = Vec::new();
        let mut so_far = Wire::default();
        for item in &self.items {
            if let Item::Connection(inside) = item {
                // In a block, what comes last holds, be it of the server itself.
                let mut wire = so_far.clone();
                let mut host = None;
                for item in inside {
                    wire.take(item);
                    if let Item::Remote(remote) = item {
                        wire.own(remote);
                        host = Some(&remote.host);
                    }
                }
                blocks.extend(host.map(|host| wire.place(host)));
            }
            so_far.take(item);
        }
        if !blocks.is_empty() {
            return blocks;
        }
        let remotes = self.items.iter().filter_map(|item| match item {
            Item::Remote(remote) => Some(remote),
            _ => None,
        });
        let place = |remote: &Remote| {
            let mut wire = so_far.clone();
            wire.own(remote);
            wire.place(&remote.host)
        };
        remotes.map(place).collect()
    }
}

/// How servers are reached, as far as a profile was read.
#[derive(Clone, Default)]
struct Wire {
    port: Option<u16>,
    proto: Option<Proto>,
    proxy: Option<HostPort>,
}

impl Wire {
    fn take(&mut self, item: &Item) {
        let Item::Setting(Setting { name, args }) = item else { return };
        match (*name, &args[..]) {
            ("port" | "rport", [port]) => self.port = port.parse().ok(),
            ("proto", [word]) => self.proto = Proto::of(word),
            ("http-proxy" | "socks-proxy", [host, port, ..]) => {
                let port = port.parse().ok();
                self.proxy = port.map(|port| HostPort { host: host.clone(), port });
            }
            _ => {}
        }
    }

    /// What a server says of itself.
    fn own(&mut self, remote: &Remote) {
        self.port = remote.port.or(self.port);
        self.proto = remote.proto.or(self.proto);
    }

    fn place(self, host: &str) -> Place {
        Place {
            at: HostPort { host: host.to_owned(), port: self.port.unwrap_or(PORT) },
            proto: self.proto.unwrap_or(Proto::Udp),
            proxy: self.proxy,
        }
    }
}

/// The settings of that name in the whole profile.
pub(super) fn anywhere<'a>(profile: &'a Profile, name: &'a str) -> Vec<&'a Setting> {
    let mut out: Vec<&Setting> = profile.settings(name).collect();
    for item in &profile.items {
        if let Item::Connection(inside) = item {
            out.extend(settings(inside, name));
        }
    }
    out
}
