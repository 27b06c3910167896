//! SSH. This half runs in the application and only names settings; the engines
//! ([`route`] and below) run in a session process (see `connect::host`).
//!
//! `ssh2` (libssh2) serves; old devices that it cannot talk to are reached by
//! `russh`, for entries whose owner accepted weak algorithms.

mod auth;
mod channel;
pub(super) mod dial;
mod engine;
pub(crate) mod fail;
mod fields;
pub mod forward;
pub(super) mod hostkey;
pub mod key;
mod keycost;
mod legacy;
pub(super) mod legacy_serve;
mod openssl;
mod probe;
mod reads;
pub mod route;
pub(in crate::connect) mod saying;
mod serve;
mod settings;

pub use fail::key_changed;

use super::field::Field;
use super::host::link::HostLink;
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;

/// The connector.
pub struct Ssh;

impl Connector for Ssh {
    fn id(&self) -> &'static str {
        "ssh"
    }

    fn label(&self) -> Bi {
        Bi::new("Serveur SSH", "SSH server")
    }

    fn fields(&self) -> &'static [Field] {
        fields::FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Password, Slot::PrivateKey, Slot::Passphrase, Slot::Totp, Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: true, port: true, user: true }
    }

    fn default_port(&self) -> Option<u16> {
        Some(22)
    }

    fn passes_on(&self) -> bool {
        true
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        for hop in &target.hops {
            settings::Settings::of(hop)?;
        }
        let limit = settings::Settings::of(target.destination())?.connect_timeout;
        Ok(Box::new(HostLink::open(target, lease, limit)?))
    }
}
