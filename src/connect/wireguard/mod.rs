//! A VPN by WireGuard (wireguard.com/papers/wireguard.pdf). This half runs in the
//! application and only names settings; the protocol and the TCP behind it run in a
//! session process, without an interface or any privilege.

pub mod conf;
#[cfg(target_os = "linux")]
mod engine;
pub(super) mod fail;
mod keys;
mod settings;
#[cfg(target_os = "linux")]
mod timers;
#[cfg(target_os = "linux")]
mod tunnel;

#[cfg(target_os = "linux")]
pub(super) use engine::open;

use super::field::Field;
use super::host::link::HostLink;
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;
use settings::{FIELDS, Settings};

/// The word of its kind.
pub const ID: &str = "wireguard";
/// Where servers listen, by UDP.
const PORT: u16 = 51820;
/// Name of the field that has the key that both sides share.
pub const PRESHARED: &str = "preshared-key";

/// The connector.
pub struct WireGuard;

impl Connector for WireGuard {
    fn id(&self) -> &'static str {
        ID
    }

    fn label(&self) -> Bi {
        Bi::new("VPN WireGuard", "WireGuard VPN")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::PrivateKey, Slot::Notes]
    }

    fn takes(&self, slot: &Slot) -> bool {
        matches!(slot, Slot::Custom(name) if name == PRESHARED)
    }

    fn common(&self) -> Common {
        Common { host: true, port: true, user: false }
    }

    fn default_port(&self) -> Option<u16> {
        Some(PORT)
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn leads_to_network(&self) -> bool {
        true
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        // What makes no sense is said before anything starts.
        let settings = Settings::of(target.destination())?;
        Ok(Box::new(HostLink::open(target, lease, settings.connect_timeout)?))
    }
}
