//! What a server gave the tunnel, as OpenVPN tells it in the variables of
//! `--management-up-down`: resolvers, domains, routes. Pure; sets nothing.

use std::net::IpAddr;

/// What was given.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Pushed {
    /// Resolvers of the far network, the first one first.
    pub resolvers: Vec<IpAddr>,
    /// Domains to look in.
    pub domains: Vec<String>,
    /// Networks behind the server, `address/mask` or `address/prefix` as told.
    pub routes: Vec<String>,
    /// The name of the tunnel's interface.
    pub device: String,
    /// The largest packet in bytes; 0 where it was not told.
    pub mtu: u32,
}

/// How many resolvers, domains or routes are kept; a server may push what it likes.
const MOST: usize = 1000;

impl Pushed {
    /// Reads the variables, in any order.
    pub fn of(variables: &[(String, String)]) -> Self {
        let mut told = Self::default();
        for (name, value) in variables {
            match name.as_str() {
                "dev" => told.device.clone_from(value),
                "tun_mtu" => told.mtu = value.parse().unwrap_or(0),
                _ => {}
            }
        }
        let value = |wanted: &str| {
            variables.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
        };
        for n in 1..=MOST {
            let Some(option) = value(&format!("foreign_option_{n}")) else { break };
            told.option(option);
        }
        for n in 1..=MOST {
            let Some(network) = value(&format!("route_network_{n}")) else { break };
            let mask = value(&format!("route_netmask_{n}")).unwrap_or("255.255.255.255");
            told.routes.push(format!("{network}/{mask}"));
        }
        for n in 1..=MOST {
            let Some(network) = value(&format!("route_ipv6_network_{n}")) else { break };
            told.routes.push(network.to_owned());
        }
        told
    }

    /// `dhcp-option DNS 192.168.1.53`
    fn option(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        if words.next() != Some("dhcp-option") {
            return;
        }
        let (Some(kind), Some(value)) = (words.next(), words.next()) else { return };
        match kind.to_ascii_uppercase().as_str() {
            "DNS" | "DNS6" => self.resolvers.extend(value.parse::<IpAddr>()),
            "DOMAIN" | "DOMAIN-SEARCH" | "ADAPTER_DOMAIN_SUFFIX" => {
                self.domains.push(value.to_owned());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_domains_and_routes_are_found() {
        let told = [
            ("foreign_option_1", "dhcp-option DNS 192.168.1.53"),
            ("foreign_option_2", "dhcp-option DOMAIN acme.example"),
            ("foreign_option_3", "dhcp-option DNS nonsense"),
            ("foreign_option_4", "dhcp-option DNS6 fd00::53"),
            ("foreign_option_6", "dhcp-option DNS 192.0.2.1"),
            ("route_network_1", "192.168.1.0"),
            ("route_netmask_1", "255.255.255.0"),
            ("route_ipv6_network_1", "fd00:1::/64"),
            ("dev", "tun0"),
            ("tun_mtu", "1500"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let expected = Pushed {
            resolvers: vec!["192.168.1.53".parse().expect("v4"), "fd00::53".parse().expect("v6")],
            domains: vec!["acme.example".into()],
            routes: vec!["192.168.1.0/255.255.255.0".into(), "fd00:1::/64".into()],
            device: "tun0".into(),
            mtu: 1500,
        };
        assert_eq!(Pushed::of(&told), expected);
    }
}
