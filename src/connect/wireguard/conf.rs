//! A configuration of wg-quick(8), read for an entry. Runs none of its commands, opens no
//! file, and names in its faults no value: some are keys.

use std::collections::BTreeMap;

use super::settings::{ADDRESS, ALLOWED, DNS, KEEPALIVE, MTU, PEER, networks};
use super::{PORT, keys};
use crate::connect::field::machine;
use crate::model::target::HostPort;
use crate::secret::{SecretBytes, SecretText};

/// What a configuration gives to an entry.
pub struct Conf {
    /// The server.
    pub at: HostPort,
    /// Settings of the connector.
    pub settings: BTreeMap<&'static str, String>,
    /// The key of this side.
    pub private_key: SecretText,
    /// The one that both sides share, if there is one.
    pub preshared_key: Option<SecretText>,
    /// What was left out.
    pub dropped: Vec<Dropped>,
}

/// A line that was left out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dropped {
    /// Number of the line, from 1.
    pub line: usize,
    /// The word before the equals sign; the section where it is about all of that.
    pub name: String,
    /// Why.
    pub why: Why,
}

/// Why a line is left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Why {
    /// It would run a command.
    Command,
    /// It is about the machine's own network, which stays as it is.
    Machine,
    /// Another server than the first one with an address.
    OtherPeer,
    /// Nobody knows what it means.
    Unknown,
}

/// Why a text is no such configuration.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    /// Neither a section nor a setting.
    #[error("line {0} is neither a section nor a setting")]
    Line(usize),
    /// A value makes no sense.
    #[error("the value of line {0} makes no sense")]
    Value(usize),
    /// There is no `PrivateKey` in `[Interface]`.
    #[error("the private key is missing")]
    NoKey,
    /// There is no `Address` in `[Interface]`.
    #[error("the address of this side is missing")]
    NoAddress,
    /// No `[Peer]` has an `Endpoint`.
    #[error("no server has an address")]
    NoPeer,
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    None,
    Interface,
    Peer,
}

/// One `[Peer]`.
#[derive(Default)]
struct Peer {
    line: usize,
    at: Option<HostPort>,
    settings: BTreeMap<&'static str, String>,
    shared: Option<SecretText>,
    dropped: Vec<Dropped>,
}

/// Reads one.
///
/// # Errors
/// It is none, or an entry needs more.
pub fn read(text: &str) -> Result<Conf, Fault> {
    let mut section = Section::None;
    let mut private_key = None;
    let mut settings = BTreeMap::new();
    let mut dropped = Vec::new();
    let mut peers: Vec<Peer> = Vec::new();
    for (number, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let number = number + 1;
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.strip_suffix(']').ok_or(Fault::Line(number))?.trim();
            section = match name.to_ascii_lowercase().as_str() {
                "interface" => Section::Interface,
                "peer" => Section::Peer,
                _ => return Err(Fault::Line(number)),
            };
            if section == Section::Peer {
                peers.push(Peer { line: number, ..Peer::default() });
            }
            continue;
        }
        let (name, value) = line.split_once('=').ok_or(Fault::Line(number))?;
        let (name, value) = (name.trim(), value.trim());
        let wrong = Fault::Value(number);
        let drop = |why| Dropped { line: number, name: name.to_owned(), why };
        match (section, peers.last_mut()) {
            (Section::Interface, _) => match name.to_ascii_lowercase().as_str() {
                "privatekey" => private_key = Some(secret(value).ok_or(wrong)?),
                "address" => {
                    networks(value).filter(|all| !all.is_empty()).ok_or(wrong)?;
                    add(&mut settings, ADDRESS, value);
                }
                "dns" => add(&mut settings, DNS, value),
                "mtu" => {
                    let fits = |mtu: &u16| (576..=9000).contains(mtu);
                    let mtu: u16 = value.parse().ok().filter(fits).ok_or(wrong)?;
                    settings.insert(MTU, mtu.to_string());
                }
                "preup" | "postup" | "predown" | "postdown" => dropped.push(drop(Why::Command)),
                "listenport" | "fwmark" | "table" | "saveconfig" => {
                    dropped.push(drop(Why::Machine));
                }
                _ => dropped.push(drop(Why::Unknown)),
            },
            (Section::Peer, Some(peer)) => match name.to_ascii_lowercase().as_str() {
                "publickey" => {
                    keys::public(value).ok_or(wrong)?;
                    peer.settings.insert(PEER, value.to_owned());
                }
                "presharedkey" => peer.shared = Some(secret(value).ok_or(wrong)?),
                "allowedips" => {
                    networks(value).ok_or(wrong)?;
                    add(&mut peer.settings, ALLOWED, value);
                }
                "endpoint" => peer.at = Some(machine(value, PORT).ok_or(wrong)?),
                "persistentkeepalive" => {
                    let secs: u16 = match value {
                        "off" => 0,
                        secs => secs.parse().map_err(|_| wrong)?,
                    };
                    peer.settings.insert(KEEPALIVE, secs.to_string());
                }
                _ => peer.dropped.push(drop(Why::Unknown)),
            },
            _ => return Err(Fault::Line(number)),
        }
    }
    let private_key = private_key.ok_or(Fault::NoKey)?;
    if !settings.contains_key(ADDRESS) {
        return Err(Fault::NoAddress);
    }
    let mut chosen = None;
    for peer in peers {
        match peer.at {
            Some(at) if chosen.is_none() && peer.settings.contains_key(PEER) => {
                settings.extend(peer.settings);
                dropped.extend(peer.dropped);
                chosen = Some((at, peer.shared));
            }
            _ => {
                let (line, name) = (peer.line, "[Peer]".to_owned());
                dropped.push(Dropped { line, name, why: Why::OtherPeer });
            }
        }
    }
    let (at, preshared_key) = chosen.ok_or(Fault::NoPeer)?;
    dropped.sort_by_key(|one| one.line);
    Ok(Conf { at, settings, private_key, preshared_key, dropped })
}

/// Lines of one name are one list.
fn add(settings: &mut BTreeMap<&'static str, String>, id: &'static str, value: &str) {
    let list = settings.entry(id).or_default();
    if !list.is_empty() && !value.is_empty() {
        list.push_str(", ");
    }
    list.push_str(value);
}

fn secret(value: &str) -> Option<SecretText> {
    keys::secret(&SecretBytes::copy_of(value.as_bytes()))?;
    Some(SecretText::copy_of(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: &str = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
    const THEIRS: &str = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
    const SHARED: &str = "/UwcSPg38hW/D9Y3tcS1FOV0K1wuURMbS0sesJEP5ak=";

    fn text(more: &str) -> String {
        format!(
            "\u{feff}# office\r\n[Interface]\r\nPrivateKey = {OURS}\r\nAddress = 10.9.0.2/24\r\n\
             address=fd00::2/64 # second\r\nDNS = 192.168.1.1, client.lan\r\nMTU = 1380\r\n\
             PostUp = iptables -A FORWARD\r\nTable = off\r\n\r\n[Peer]\r\nPublicKey = {THEIRS}\r\n\
             PresharedKey = {SHARED}\r\nAllowedIPs = 192.168.1.0/24\r\n\
             Endpoint = [2001:db8::1]:51821\r\nPersistentKeepalive = off\r\n{more}"
        )
    }

    #[test]
    fn a_configuration_becomes_settings_and_secrets() {
        let other = format!("[Peer]\nPublicKey = {OURS}\nEndpoint = b.example.com:1\n");
        let Ok(conf) = read(&text(&other)) else { panic!("it is one") };
        assert_eq!(conf.at, HostPort { host: "2001:db8::1".into(), port: 51821 });
        let settings: Vec<_> = conf.settings.iter().map(|(id, v)| (*id, v.as_str())).collect();
        let expected = [
            (ALLOWED, "192.168.1.0/24"),
            (DNS, "192.168.1.1, client.lan"),
            (KEEPALIVE, "0"),
            (MTU, "1380"),
            (PEER, THEIRS),
            (ADDRESS, "10.9.0.2/24, fd00::2/64"),
        ];
        assert_eq!(settings, expected);
        conf.private_key.expose(|key| assert_eq!(key, OURS));
        conf.preshared_key.expect("there is one").expose(|key| assert_eq!(key, SHARED));
        let dropped: Vec<_> =
            conf.dropped.iter().map(|d| (d.line, d.name.as_str(), d.why)).collect();
        let expected = [
            (8, "PostUp", Why::Command),
            (9, "Table", Why::Machine),
            (17, "[Peer]", Why::OtherPeer),
        ];
        assert_eq!(dropped, expected);
    }

    #[test]
    fn what_is_no_configuration_is_told_by_its_line() {
        let fault = |text: &str| read(text).err();
        assert_eq!(fault("PrivateKey = x"), Some(Fault::Line(1)));
        assert_eq!(fault("[Interface]\nPrivateKey = x"), Some(Fault::Value(2)));
        assert_eq!(fault("[Interface\n"), Some(Fault::Line(1)));
        assert_eq!(fault("[Other]\n"), Some(Fault::Line(1)));
        assert_eq!(fault("[Interface]\nnonsense"), Some(Fault::Line(2)));
        assert_eq!(fault(""), Some(Fault::NoKey));
        let key = format!("[Interface]\nPrivateKey = {OURS}\n");
        assert_eq!(fault(&key), Some(Fault::NoAddress));
        let own = format!("{key}Address = 10.0.0.2\n[Peer]\nPublicKey = {THEIRS}\n");
        assert_eq!(fault(&own), Some(Fault::NoPeer));
        for wrong in ["Endpoint = a b", "AllowedIPs = 1.2.3/8", "PersistentKeepalive = x"] {
            assert_eq!(fault(&format!("{own}{wrong}\n")), Some(Fault::Value(6)), "{wrong}");
        }
    }
}
