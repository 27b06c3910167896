//! OpenVPN: what drives the distribution's `openvpn`, which it never replaces. The
//! profile is read and written again before it is handed over, so that nothing runs or
//! is read but what is known here.

#[cfg(target_os = "linux")]
mod drive;
#[cfg(target_os = "linux")]
pub mod engine;
#[cfg(target_os = "linux")]
mod expiry;
mod fail;
pub mod fetch;
pub mod fields;
pub mod installed;
pub mod management;
pub mod profile;

use super::host::link::HostLink;
use super::launch::Launch;
use super::link::Link;
use super::{Common, Connector, Failure, FailureKind, Lease, Opens, field};
use crate::model::entry::{Entry, Slot};
use crate::model::lang::Bi;
use crate::model::target::{HostPort, Target};

/// Its word.
pub const ID: &str = "openvpn";

/// Where servers listen (IANA).
const PORT: u16 = 1194;

/// The slot of the profile, which holds keys.
pub fn profile_slot() -> Slot {
    Slot::Custom("openvpn-profile".into())
}

/// Its own failures, of marks.
pub(super) fn each() -> Vec<Failure> {
    fail::each().into_iter().chain(management::tell::each()).collect()
}

/// The connector.
pub struct OpenVpn;

impl Connector for OpenVpn {
    fn id(&self) -> &'static str {
        ID
    }

    fn label(&self) -> Bi {
        Bi::new("VPN OpenVPN", "OpenVPN")
    }

    fn fields(&self) -> &'static [field::Field] {
        fields::FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Password, Slot::Totp, Slot::Passphrase, Slot::Notes]
    }

    fn takes(&self, slot: &Slot) -> bool {
        *slot == profile_slot()
    }

    fn common(&self) -> Common {
        Common { host: false, port: false, user: true }
    }

    fn place(&self, entry: &Entry) -> HostPort {
        let servers = entry.settings.get(fields::SERVERS.id).map_or("", String::as_str);
        let first = servers.split([',', ' ', '/']).find(|word| !word.is_empty());
        let none = HostPort { host: String::new(), port: 0 };
        first.and_then(|word| field::machine(word, PORT)).unwrap_or(none)
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn leads_to_network(&self) -> bool {
        true
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        let limit = fields::Settings::of(target.destination())?.connect_timeout;
        if !cfg!(target_os = "linux") {
            return Err(Failure {
                kind: FailureKind::Setting,
                what: Bi::new(
                    "OpenVPN ne se monte que sous Linux.",
                    "OpenVPN is raised on Linux alone.",
                ),
                todo: Bi::new(
                    "Montez ce VPN avec son propre programme, et choisissez «\u{a0}jamais\u{a0}» \
                     dans l’entrée.",
                    "Raise this VPN with a program of its own, and choose “never” in the entry.",
                ),
            });
        }
        Ok(Box::new(HostLink::open_as(Launch::session_host(), target, lease, limit)?))
    }
}
