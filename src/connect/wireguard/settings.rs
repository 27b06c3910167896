//! The settings of a WireGuard entry, named and read. Opens nothing.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use super::keys;
use crate::connect::Failure;
use crate::connect::field::{Field, FieldKind, Matches};
use crate::connect::line::fields::{self, Reader};
use crate::connect::ssh::fail;
use crate::model::target::Hop;

/// Key of the setting that has the addresses of this side.
pub const ADDRESS: &str = "tunnel-address";
/// That of the server's public key.
pub const PEER: &str = "peer-public-key";
/// That of the networks behind it.
pub const ALLOWED: &str = "allowed-ips";
/// That of the name servers there, and domains.
pub const DNS: &str = "dns";
/// That of the signs of life.
pub const KEEPALIVE: &str = "keepalive";
/// That of the longest packet.
pub const MTU: &str = "mtu";

type Pattern = (&'static str, OnceLock<Option<regex::Regex>>);

/// Addresses with or without the length of a prefix; whether they are any is seen later.
static NETWORKS: Pattern =
    (r"\s*[0-9a-fA-F.:]+(/[0-9]{1,3})?(\s*,\s*[0-9a-fA-F.:]+(/[0-9]{1,3})?)*\s*", OnceLock::new());
static KEY: Pattern = (r"\s*[A-Za-z0-9+/]{43}=\s*", OnceLock::new());

pub(super) const FIELDS: &[Field] = &[
    Field::new(
        PEER,
        "Clé publique du serveur",
        "Server’s public key",
        FieldKind::Matching(Matches(&KEY)),
    )
    .explained(
        "44 caractères\u{a0}; «\u{a0}PublicKey\u{a0}» de la section [Peer].",
        "44 characters; “PublicKey” of the section [Peer].",
    ),
    Field::new(
        ADDRESS,
        "Adresses de ce côté",
        "Addresses of this side",
        FieldKind::Matching(Matches(&NETWORKS)),
    )
    .explained(
        "Celles que le serveur a prévues pour cette entrée, séparées par des virgules\u{a0}: \
         10.0.0.2/24, fd00::2/64.",
        "Those that the server has for this entry, separated by commas: 10.0.0.2/24, fd00::2/64.",
    )
    .own(),
    Field::new(
        ALLOWED,
        "Réseaux du client",
        "Networks of the client",
        FieldKind::Matching(Matches(&NETWORKS)),
    )
    .explained(
        "Réseaux que le VPN dessert, séparés par des virgules\u{a0}; les autres adresses sont \
         refusées.",
        "Networks that the VPN leads to, separated by commas; other addresses are refused.",
    )
    .usually("0.0.0.0/0, ::/0"),
    Field::new(DNS, "DNS du client", "Client’s DNS", FieldKind::Text).explained(
        "Serveurs de noms derrière le VPN et domaines ajoutés aux noms courts, séparés par des \
         virgules\u{a0}: 192.168.1.1, client.lan.",
        "Name servers behind the VPN and domains that are added to short names, separated by \
         commas: 192.168.1.1, client.lan.",
    ),
    Field::new(
        KEEPALIVE,
        "Signe de vie (s)",
        "Sign of life (s)",
        FieldKind::Number { min: 0, max: 65_535 },
    )
    .explained(
        "Secondes entre deux signes de vie, qui gardent ouvert le chemin à travers les \
         box\u{a0}; 0\u{a0}: aucun.",
        "Seconds between signs of life, which keep the way through home routers open; 0: none.",
    )
    .usually("25"),
    Field::new(
        MTU,
        "Paquet le plus long",
        "Longest packet",
        FieldKind::Number { min: 576, max: 9000 },
    )
    .explained(
        "En octets\u{a0}; à réduire si la connexion se fige dès qu’elle transfère beaucoup.",
        "In bytes; lower it if connections freeze as soon as they carry much.",
    )
    .usually("1420"),
    fields::CONNECT_TIMEOUT,
];

/// The settings, read.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux raises it"))]
pub struct Settings {
    /// The server's key.
    pub peer: [u8; 32],
    /// Own addresses and the lengths of their networks' prefixes.
    pub addresses: Vec<(IpAddr, u8)>,
    /// The networks behind the VPN.
    pub networks: Vec<(IpAddr, u8)>,
    /// Those who know the names there.
    pub servers: Vec<IpAddr>,
    /// Domains for short names.
    pub search: Vec<String>,
    /// Between signs of life, in seconds; none where there are none.
    pub keepalive: Option<u16>,
    /// In bytes.
    pub mtu: u16,
    /// For the handshake.
    pub connect_timeout: Duration,
}

impl Settings {
    /// Those of a hop.
    ///
    /// # Errors
    /// One makes no sense.
    pub fn of(hop: &Hop) -> Result<Self, Failure> {
        let read = Reader(hop, FIELDS);
        let wrong = |id| move || fail::setting(id, read.text(id));
        let peer = keys::public(read.text(PEER)).ok_or_else(wrong(PEER))?;
        let addresses = networks(read.text(ADDRESS)).ok_or_else(wrong(ADDRESS))?;
        let own = |ip: &IpAddr| !ip.is_unspecified() && !ip.is_multicast();
        if !(1..=8).contains(&addresses.len()) || !addresses.iter().all(|(ip, _)| own(ip)) {
            return Err(wrong(ADDRESS)());
        }
        let allowed = networks(read.text(ALLOWED)).ok_or_else(wrong(ALLOWED))?;
        let number = |id| read.text(id).parse::<u16>().map_err(|_| wrong(id)());
        let mtu = number(MTU)?;
        if !(576..=9000).contains(&mtu) {
            return Err(wrong(MTU)());
        }
        let (servers, search) = names(read.text(DNS));
        Ok(Self {
            peer,
            addresses,
            networks: allowed,
            servers,
            search,
            keepalive: Some(number(KEEPALIVE)?).filter(|secs| *secs > 0),
            mtu,
            connect_timeout: read.connect_timeout()?,
        })
    }
}

fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| c == ',' || c.is_whitespace()).filter(|part| !part.is_empty())
}

/// Addresses with or without a prefix, if each is one.
pub(super) fn networks(text: &str) -> Option<Vec<(IpAddr, u8)>> {
    let one = |part: &str| {
        let (ip, length) = part.split_once('/').map_or((part, None), |(ip, n)| (ip, Some(n)));
        let ip: IpAddr = ip.parse().ok()?;
        let whole = if ip.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Some(whole), |n| n.parse().ok())?;
        (length <= whole).then_some((ip, length))
    };
    parts(text).map(one).collect()
}

/// Name servers, and what is no address: domains (wg-quick(8)).
fn names(text: &str) -> (Vec<IpAddr>, Vec<String>) {
    let (mut servers, mut search) = (Vec::new(), Vec::new());
    for part in parts(text) {
        match part.parse() {
            Ok(ip) => servers.push(ip),
            Err(_) => search.push(part.to_owned()),
        }
    }
    (servers, search)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::model::id::EntryId;
    use crate::model::target::HostPort;

    const PUBLIC: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";

    fn hop(settings: &[(&str, &str)]) -> Hop {
        let at = HostPort { host: "vpn.example.com".into(), port: 51820 };
        let (user, path) = (String::new(), "Client/VPN".to_owned());
        let (slots, pinned) = (Vec::new(), Vec::new());
        let settings_of = BTreeMap::new();
        let entry = EntryId([0; 16]);
        let mut hop =
            Hop { entry, path, at, user, slots, pinned, settings: settings_of, ask: false };
        for (id, value) in [(PEER, PUBLIC), (ADDRESS, "10.9.0.2/24")].iter().chain(settings) {
            hop.settings.insert((*id).to_owned(), (*value).to_owned());
        }
        hop
    }

    #[test]
    fn what_an_entry_says_is_understood() {
        let read = Settings::of(&hop(&[
            (ADDRESS, "10.9.0.2/24, fd00::2"),
            (DNS, "192.168.1.1 client.lan,fd00::53"),
            (KEEPALIVE, "0"),
        ]));
        let Ok(read) = read else { panic!("it makes sense") };
        let ip = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(read.addresses, [(ip("10.9.0.2"), 24), (ip("fd00::2"), 128)]);
        assert_eq!(read.networks, [(ip("0.0.0.0"), 0), (ip("::"), 0)]);
        assert_eq!(read.servers, [ip("192.168.1.1"), ip("fd00::53")]);
        assert_eq!(
            (read.search.as_slice(), read.keepalive),
            (&["client.lan".to_owned()][..], None)
        );
        assert_eq!(read.mtu, 1420);
    }

    #[test]
    fn what_makes_no_sense_is_said_by_name() {
        for (id, value) in [
            (PEER, "abc"),
            (ADDRESS, "10.9.0.2/33"),
            (ADDRESS, "10.9.0"),
            (ADDRESS, " "),
            (ADDRESS, "0.0.0.0/0"),
            (ADDRESS, "ff02::1/64"),
            (ALLOWED, "all"),
            (MTU, "100"),
            (KEEPALIVE, "65536"),
        ] {
            let failure = Settings::of(&hop(&[(id, value)])).err().expect("it makes none");
            assert!(failure.what.en.contains(id), "{id}: {}", failure.what.en);
        }
    }
}
