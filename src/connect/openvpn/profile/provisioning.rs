//! The provisioning file of Sophos Connect (`.pro`): where the portal of a firewall is
//! that gives the profile. JSON; reads it only, and speaks to no portal. Source: Sophos
//! Firewall help, "Provisioning file templates".

use serde::Deserialize;

use super::value;
use crate::model::lang::Bi;

/// Largest file, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// Port of the portal when the file names none.
const PORTAL_PORT: u16 = 443;

/// Most gateways of an entry that are taken.
const GATEWAYS_MAX: usize = 32;

/// One connection of a provisioning file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provisioning {
    /// What its maker called it; may be empty.
    pub name: String,
    /// Names or addresses of the firewall, at least one.
    pub gateways: Vec<String>,
    /// In which order they are tried.
    pub order: Order,
    /// The portal that gives the profile: that for VPNs where there is one, else that of
    /// users.
    pub portal_port: u16,
    /// A one-time code follows the password.
    pub otp: bool,
    /// A host of the private network; empty: none.
    pub auto_connect_host: String,
    /// The login may be kept.
    pub can_save_credentials: bool,
}

/// In which order gateways are tried.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// That of the file.
    #[default]
    InOrder,
    /// Any.
    Distributed,
    /// The fastest first.
    Latency,
}

/// Why a provisioning file is not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unread {
    /// It is larger than 64 KiB.
    #[error("the provisioning file is larger than {MAX_BYTES} bytes")]
    Large,
    /// It is no JSON of that kind.
    #[error("line {0}: no provisioning file")]
    Json(usize),
    /// Its entry of that number, from 1, names no gateway that could be one.
    #[error("entry {0} names no gateway")]
    Gateway(usize),
}

impl Unread {
    /// What is wrong.
    pub fn what(self) -> Bi {
        match self {
            Self::Large => Bi::new(
                format!("Le fichier dépasse {}\u{a0}Kio.", MAX_BYTES / 1024),
                format!("The file is larger than {} KiB.", MAX_BYTES / 1024),
            ),
            Self::Json(line) => Bi::new(
                format!("Ligne {line}\u{a0}: ce n’est pas un fichier de Sophos Connect (.pro)."),
                format!("Line {line}: this is no file of Sophos Connect (.pro)."),
            ),
            Self::Gateway(entry) => Bi::new(
                format!("La connexion {entry} du fichier ne nomme pas de pare-feu (gateway)."),
                format!("Connection {entry} of the file names no firewall (gateway)."),
            ),
        }
    }

    /// What to do.
    pub fn todo(self) -> Bi {
        Bi::new(
            "Demandez le fichier .pro ou le profil .ovpn à l’administrateur du pare-feu.",
            "Ask the administrator of the firewall for the .pro file or the .ovpn profile.",
        )
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum File {
    Many(Vec<Raw>),
    One(Raw),
}

#[derive(Deserialize)]
struct Raw {
    #[serde(default)]
    display_name: String,
    gateway: Gateways,
    #[serde(default)]
    gateway_order: Order,
    vpn_portal_port: Option<Port>,
    user_portal_port: Option<Port>,
    #[serde(default)]
    otp: Said,
    #[serde(default, rename = "2fa")]
    factors: Said,
    #[serde(default)]
    auto_connect_host: String,
    #[serde(default)]
    can_save_credentials: Said,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Gateways {
    One(String),
    Many(Vec<String>),
}

/// A port, which some write as a text.
#[derive(Deserialize)]
#[serde(untagged)]
enum Port {
    Number(u16),
    Text(String),
}

impl Port {
    fn number(self) -> Option<u16> {
        match self {
            Self::Number(number) => Some(number).filter(|number| *number > 0),
            Self::Text(text) => value::port(&text),
        }
    }
}

/// Yes or no, which some write as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Said {
    Bool(bool),
    Number(u8),
    Text(String),
}

impl Default for Said {
    fn default() -> Self {
        Self::Bool(false)
    }
}

impl Said {
    fn yes(&self) -> bool {
        match self {
            Self::Bool(yes) => *yes,
            Self::Number(number) => *number > 0,
            Self::Text(text) => matches!(text.as_str(), "true" | "yes" | "1"),
        }
    }
}

/// Reads a provisioning file.
///
/// # Errors
/// It is none, or an entry says not where its firewall is.
pub fn read(text: &[u8]) -> Result<Vec<Provisioning>, Unread> {
    if text.len() > MAX_BYTES {
        return Err(Unread::Large);
    }
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let raw = match serde_json::from_slice::<File>(text) {
        Ok(File::Many(all)) => all,
        Ok(File::One(raw)) => vec![raw],
        Err(error) => return Err(Unread::Json(error.line().max(1))),
    };
    if raw.is_empty() {
        return Err(Unread::Gateway(1));
    }
    let all = raw.into_iter().enumerate();
    all.map(|(at, raw)| provisioning(raw).ok_or(Unread::Gateway(at + 1))).collect()
}

fn provisioning(raw: Raw) -> Option<Provisioning> {
    let gateways = match raw.gateway {
        Gateways::One(host) => vec![host],
        Gateways::Many(hosts) => hosts,
    };
    let gateways: Vec<String> = gateways.iter().map(|host| host.trim().to_owned()).collect();
    let good = (1..=GATEWAYS_MAX).contains(&gateways.len())
        && gateways.iter().all(|host| value::host(host));
    let port = raw.vpn_portal_port.or(raw.user_portal_port);
    let auto = raw.auto_connect_host.trim();
    good.then(|| Provisioning {
        name: if value::text(&raw.display_name) { raw.display_name.clone() } else { String::new() },
        gateways,
        order: raw.gateway_order,
        portal_port: port.and_then(Port::number).unwrap_or(PORTAL_PORT),
        otp: raw.otp.yes() || raw.factors.yes(),
        auto_connect_host: if value::host(auto) { auto.to_owned() } else { String::new() },
        can_save_credentials: raw.can_save_credentials.yes(),
    })
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, Order, Unread, read};

    #[test]
    fn a_provisioning_file_says_where_the_portal_is() {
        let text = r#"[{"display_name": "Siège", "gateway": "fw.example.fr",
            "user_portal_port": 4443, "otp": true, "auto_connect_host": "192.0.2.10",
            "can_save_credentials": true, "check_remote_availability": false,
            "run_logon_script": false},
            {"gateway": ["a.example", "b.example"], "gateway_order": "latency",
            "vpn_portal_port": "8443", "user_portal_port": 443, "2fa": 1}]"#;
        let all = read(text.as_bytes()).expect("a provisioning file");
        let [one, two] = &all[..] else { panic!("{all:?}") };
        assert_eq!(
            (one.name.as_str(), &one.gateways[..]),
            ("Siège", &["fw.example.fr".to_owned()][..])
        );
        assert_eq!((one.portal_port, one.order), (4443, Order::InOrder));
        assert!(one.otp && one.can_save_credentials && one.auto_connect_host == "192.0.2.10");
        assert_eq!((two.portal_port, two.order, two.gateways.len()), (8443, Order::Latency, 2));
        assert!(two.otp && !two.can_save_credentials && two.auto_connect_host.is_empty());
        let one = read(br#"{"gateway": "192.0.2.1"}"#).expect("one entry");
        assert_eq!(one[0].portal_port, 443);
    }

    #[test]
    fn what_is_no_provisioning_file_is_told_with_its_line() {
        assert_eq!(read(b"client\nremote x\n"), Err(Unread::Json(1)));
        assert_eq!(read(b"[]"), Err(Unread::Gateway(1)));
        assert_eq!(read(br#"{"gateway": "a b"}"#), Err(Unread::Gateway(1)));
        assert_eq!(read(br#"[{"gateway": "a"}, {"gateway": []}]"#), Err(Unread::Gateway(2)));
        assert_eq!(read(&vec![b' '; MAX_BYTES + 1]), Err(Unread::Large));
    }
}
