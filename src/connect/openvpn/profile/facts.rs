//! What may be shown of a profile: no secret is among it.

use super::certificate::{Certificate, Role};
use super::model::{Item, PartKind, Profile, Proto, Setting, settings};
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
    /// What it is proved with, keys by their kind only.
    pub parts: Vec<PartKind>,
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
            parts: kinds,
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
        let blocks: Vec<Place> = self
            .items
            .iter()
            .enumerate()
            .filter_map(|(at, item)| match item {
                Item::Connection(inside) => Some(places(&self.items[..at], inside)),
                _ => None,
            })
            .flatten()
            .collect();
        if blocks.is_empty() { places(&[], &self.items) } else { blocks }
    }
}

/// The servers among `items`, with what holds for them there or `before`.
fn places(before: &[Item], items: &[Item]) -> Vec<Place> {
    let last = |names: &[&str]| -> Option<Setting> {
        let of = |items: &[Item]| {
            items
                .iter()
                .filter_map(|item| match item {
                    Item::Setting(setting) if names.contains(&setting.name) => {
                        Some(setting.clone())
                    }
                    _ => None,
                })
                .next_back()
        };
        of(items).or_else(|| of(before))
    };
    let first =
        |setting: Option<Setting>| setting.and_then(|setting| setting.args.into_iter().next());
    let port = first(last(&["port", "rport"])).and_then(|word| word.parse().ok()).unwrap_or(PORT);
    let proto = first(last(&["proto"])).and_then(|word| Proto::of(&word)).unwrap_or(Proto::Udp);
    let proxy = last(&["http-proxy", "socks-proxy"]).and_then(|setting| {
        let [host, port, ..] = &setting.args[..] else { return None };
        Some(HostPort { host: host.clone(), port: port.parse().ok()? })
    });
    items
        .iter()
        .filter_map(|item| match item {
            Item::Remote(remote) => Some(Place {
                at: HostPort { host: remote.host.clone(), port: remote.port.unwrap_or(port) },
                proto: remote.proto.unwrap_or(proto),
                proxy: proxy.clone(),
            }),
            _ => None,
        })
        .collect()
}

/// Whether a setting of that name is anywhere in the profile.
pub(super) fn anywhere<'a>(profile: &'a Profile, name: &'a str) -> Vec<&'a Setting> {
    let mut out: Vec<&Setting> = profile.settings(name).collect();
    for item in &profile.items {
        if let Item::Connection(inside) = item {
            out.extend(settings(inside, name));
        }
    }
    out
}
