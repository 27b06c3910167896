//! Every directive that is taken over, and what it takes. What is not here is left out;
//! `leave` says why. Sources: `add_option` of OpenVPN 2.6 and openvpn(8).

use super::leave;
use super::model::PartKind;
use super::value::Arg;
use super::why::Class;

/// A directive.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// What becomes of it.
    pub takes: Takes,
    /// Whether it may stand in a `<connection>` too.
    pub inside: bool,
}

/// What becomes of a directive.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Takes {
    /// Nothing; more is left out.
    Nothing,
    /// So many arguments at least, of these kinds.
    Args(usize, &'static [Arg]),
    /// As many of one kind as there are.
    Each(usize, Arg),
    /// A server.
    Remote,
    /// A block of settings for one server.
    Connection,
    /// The kind of device: only tun is taken, and always written.
    Device,
    /// Whether user and password are asked; never a file.
    Login,
    /// Host, port, whether it asks for a login, and how.
    HttpProxy,
    /// Host, port, and whether it asks for a login.
    SocksProxy,
    /// A variable of those that a server is told.
    Variable,
    /// Fingerprints of servers.
    Fingerprints,
    /// A certificate or key, inside or in a file beside the profile.
    Part(PartKind),
    /// Always written: nothing to keep.
    Always,
    /// Left out.
    Never(Class),
}

const fn known(name: &'static str, takes: Takes) -> Known {
    Known { name, takes, inside: false }
}

const fn flag(name: &'static str) -> Known {
    known(name, Takes::Nothing)
}

const fn args(name: &'static str, least: usize, args: &'static [Arg]) -> Known {
    known(name, Takes::Args(least, args))
}

const fn part(kind: PartKind, name: &'static str) -> Known {
    known(name, Takes::Part(kind))
}

impl Known {
    const fn both(mut self) -> Self {
        self.inside = true;
        self
    }
}

use Arg::{Address, Algorithms, Hex, Network6, Number, Port, Text, Version, Wire, Word};

const SECONDS: Arg = Number(0, 31_536_000);
const BYTES: Arg = Number(0, 2_147_483_647);

/// What is taken over.
pub const TAKEN: &[Known] = &[
    // Which servers
    flag("client"),
    flag("tls-client"),
    flag("pull"),
    known("remote", Takes::Remote).both(),
    known("connection", Takes::Connection),
    flag("remote-random"),
    flag("remote-random-hostname"),
    args("proto", 1, &[Wire]).both(),
    args("port", 1, &[Port]).both(),
    args("rport", 1, &[Port]).both(),
    known("nobind", Takes::Always).both(),
    flag("float").both(),
    args("resolv-retry", 1, &[Arg::Seconds(&["infinite"])]),
    args("connect-retry", 1, &[Number(1, 86_400), Number(1, 86_400)]).both(),
    args("connect-retry-max", 1, &[Number(1, 65_535)]).both(),
    args("connect-timeout", 1, &[Number(1, 86_400)]).both(),
    args("server-poll-timeout", 1, &[Number(1, 86_400)]).both(),
    known("http-proxy", Takes::HttpProxy).both(),
    known("socks-proxy", Takes::SocksProxy).both(),
    args("explicit-exit-notify", 0, &[Number(0, 100)]).both(),
    // The device and its addresses
    known("dev", Takes::Device),
    known("dev-type", Takes::Device),
    args("topology", 1, &[Word(&["net30", "p2p", "subnet"])]),
    args("ifconfig", 2, &[Address, Address]),
    args("ifconfig-ipv6", 2, &[Network6(64, 124), Arg::Address6]),
    flag("tun-ipv6"),
    flag("persist-tun"),
    flag("persist-key"),
    flag("disable-dco"),
    args("tun-mtu", 1, &[Number(100, 65_535), Number(100, 65_535)]).both(),
    args("tun-mtu-extra", 1, &[Number(0, 1024)]).both(),
    args("link-mtu", 1, &[Number(100, 65_535)]).both(),
    args("udp-mtu", 1, &[Number(100, 65_535)]).both(),
    args("mssfix", 0, &[Number(0, 65_535), Word(&["mtu", "fixed"])]).both(),
    args("fragment", 1, &[Number(68, 65_535), Word(&["mtu"])]).both(),
    args("mtu-disc", 1, &[Word(&["no", "maybe", "yes"])]).both(),
    args("sndbuf", 1, &[BYTES]),
    args("rcvbuf", 1, &[BYTES]),
    known("socket-flags", Takes::Each(1, Word(&["TCP_NODELAY"]))),
    flag("fast-io"),
    // Routes and names
    args("route", 1, &[Address, Address, Address, Arg::Metric]),
    args("route-ipv6", 1, &[Network6(0, 128), Address, Number(0, 65_535)]),
    args("route-gateway", 1, &[Address]),
    args("route-ipv6-gateway", 1, &[Arg::Address6]),
    args("route-metric", 1, &[Number(0, 65_535)]),
    args("route-delay", 0, &[Number(0, 3600), Number(0, 3600)]),
    flag("route-nopull"),
    known("redirect-gateway", Takes::Each(0, Word(GATEWAY))),
    known("redirect-private", Takes::Each(0, Word(GATEWAY))),
    flag("block-ipv6"),
    flag("allow-pull-fqdn"),
    args("pull-filter", 2, &[Word(&["accept", "ignore", "reject"]), Text]),
    args("dhcp-option", 1, &[Word(DHCP), Text]),
    // What is encrypted, and how
    args("cipher", 1, &[Algorithms]),
    args("data-ciphers", 1, &[Algorithms]),
    args("ncp-ciphers", 1, &[Algorithms]),
    args("data-ciphers-fallback", 1, &[Algorithms]),
    args("auth", 1, &[Algorithms]),
    args("tls-version-min", 1, &[Word(TLS), Word(&["or-highest"])]),
    args("tls-version-max", 1, &[Word(TLS)]),
    args("tls-cipher", 1, &[Algorithms]),
    args("tls-ciphersuites", 1, &[Algorithms]),
    args("tls-groups", 1, &[Algorithms]),
    args("ecdh-curve", 1, &[Algorithms]),
    args("tls-cert-profile", 1, &[Word(&["insecure", "legacy", "preferred", "suiteb"])]),
    args("key-direction", 1, &[Word(&["0", "1"])]).both(),
    args("replay-window", 0, &[Number(0, 65_536), Number(0, 600)]),
    args("compat-mode", 1, &[Version]),
    args("comp-lzo", 0, &[Word(&["yes", "no", "adaptive"])]),
    flag("comp-noadapt"),
    args("compress", 0, &[Word(&["lzo", "lz4", "lz4-v2", "stub", "stub-v2", "migrate"])]),
    args("allow-compression", 1, &[Word(&["asym", "no", "yes"])]),
    // What it is proved with
    part(PartKind::Authority, "ca"),
    part(PartKind::Certificate, "cert"),
    part(PartKind::Between, "extra-certs"),
    part(PartKind::Key, "key"),
    part(PartKind::Pkcs12, "pkcs12"),
    part(PartKind::TlsAuth, "tls-auth").both(),
    part(PartKind::TlsCrypt, "tls-crypt").both(),
    part(PartKind::TlsCryptV2, "tls-crypt-v2").both(),
    part(PartKind::Static, "secret"),
    args("remote-cert-tls", 1, &[Word(&["server", "client"])]),
    known("remote-cert-ku", Takes::Each(0, Hex)),
    args("remote-cert-eku", 1, &[Text]),
    args("ns-cert-type", 1, &[Word(&["server", "client"])]),
    args("verify-x509-name", 1, &[Text, Word(&["subject", "name", "name-prefix"])]),
    known("peer-fingerprint", Takes::Fingerprints),
    known("auth-user-pass", Takes::Login),
    flag("auth-nocache"),
    args("static-challenge", 2, &[Text, Word(&["0", "1"])]),
    known("setenv", Takes::Variable),
    // How long
    args("reneg-sec", 1, &[SECONDS, SECONDS]),
    args("reneg-bytes", 1, &[BYTES]),
    args("reneg-pkts", 1, &[BYTES]),
    args("hand-window", 1, &[Number(1, 86_400)]),
    args("tran-window", 1, &[Number(1, 86_400)]),
    args("tls-timeout", 1, &[Number(1, 3600)]),
    args("keepalive", 2, &[Number(1, 86_400), Number(1, 86_400)]),
    args("ping", 1, &[SECONDS]),
    args("ping-restart", 1, &[SECONDS]),
    args("ping-exit", 1, &[SECONDS]),
    flag("ping-timer-rem"),
    args("inactive", 1, &[SECONDS, BYTES]),
    args("session-timeout", 1, &[SECONDS]),
    // What is told
    args("verb", 1, &[Number(0, 4)]),
    args("mute", 1, &[Number(0, 10_000)]),
    flag("mute-replay-warnings"),
];

const TLS: &[&str] = &["1.0", "1.1", "1.2", "1.3"];

const GATEWAY: &[&str] =
    &["local", "autolocal", "def1", "bypass-dhcp", "bypass-dns", "block-local", "ipv6", "!ipv4"];

const DHCP: &[&str] = &[
    "DNS",
    "DNS6",
    "DOMAIN",
    "DOMAIN-SEARCH",
    "ADAPTER_DOMAIN_SUFFIX",
    "DOMAIN-ROUTE",
    "DNSSEC",
    "WINS",
    "NTP",
    "NBT",
    "NBDD",
    "NBS",
    "DISABLE-NBT",
];

/// What becomes of the directive of that name.
pub fn takes(name: &str) -> (Takes, Option<&'static Known>) {
    if let Some(known) = TAKEN.iter().find(|known| known.name == name) {
        return (known.takes, Some(known));
    }
    (Takes::Never(leave::why(name)), None)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::leave::LEFT_OUT;
    use super::TAKEN;

    #[test]
    fn a_directive_is_in_one_place_only() {
        let mut seen = BTreeSet::new();
        let taken = TAKEN.iter().map(|known| known.name);
        for name in taken.chain(LEFT_OUT.iter().flat_map(|(_, names)| names.split(' '))) {
            assert!(seen.insert(name), "{name} is there twice");
        }
    }
}
