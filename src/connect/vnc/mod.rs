//! A remote screen by VNC (RFC 6143). This half runs in the application and only
//! names settings; the rest runs in a session process (see `connect::host`).
//! `greeting` and `secure` agree on a login and on TLS; what follows is decoded by
//! `vnc-rs`, between `relay`, which hands it the server's messages, and `session`.

mod engine;
pub(super) mod fail;
mod greeting;
mod input;
mod login;
mod near;
mod picture;
mod relay;
mod said;
mod secure;
mod session;
mod settings;

pub(super) use engine::open;

use super::field::Field;
use super::host::link::HostLink;
use super::launch::Launch;
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;
use settings::{FIELDS, Settings};

/// Where servers listen.
const PORT: u16 = 5900;

/// The connector.
pub struct Vnc;

impl Connector for Vnc {
    fn id(&self) -> &'static str {
        "vnc"
    }

    fn label(&self) -> Bi {
        Bi::new("Écran à distance (VNC)", "Remote screen (VNC)")
    }

    fn fields(&self) -> &'static [Field] {
        FIELDS
    }

    fn slots(&self) -> &'static [Slot] {
        &[Slot::Password, Slot::Notes]
    }

    fn common(&self) -> Common {
        Common { host: true, port: true, user: true }
    }

    fn default_port(&self) -> Option<u16> {
        Some(PORT)
    }

    fn opens(&self) -> Opens {
        Opens::Session
    }

    fn many_channels(&self) -> bool {
        false
    }

    fn open(&self, target: &Target, lease: &mut dyn Lease) -> Result<Box<dyn Link>, Failure> {
        // What makes no sense is said before anything starts.
        let settings = Settings::of(target.destination())?;
        Ok(Box::new(HostLink::open_as(
            Launch::desktop_host(),
            target,
            lease,
            settings.connect_timeout,
        )?))
    }
}
