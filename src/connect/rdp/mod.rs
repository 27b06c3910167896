//! A remote desktop by RDP. This half runs in the application and only names
//! settings; the rest runs in a session process (see `connect::host`), on the parts
//! of IronRDP. What the server paints goes to the application as tiles, what the
//! person does comes from there as values (see `connect::screen`).

mod bitmaps;
mod channels;
mod clip;
mod clipfiles;
mod config;
mod disk;
mod ended;
mod engine;
pub(super) mod fail;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod folder;
pub mod freerdp;
mod gateway;
mod gateway_fail;
mod gateway_offer;
mod input;
mod layouts;
mod login;
pub mod nla;
mod out;
mod picture;
mod refusal;
mod resume;
mod sequence;
mod session;
mod settings;
mod sound;
mod upgrade;

use super::field::Field;
use super::host::child::Engine;
use super::host::link::HostLink;
use super::launch::Launch;
use super::line;
use super::link::Link;
use super::{Common, Connector, Failure, Lease, Opens};
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::target::Target;
use settings::{FIELDS, Settings, Sound};
pub use settings::{GATEWAY, GATEWAY_PASSWORD, gateway as gateway_of, two_ways};

/// Its word.
pub const ID: &str = "rdp";

/// Where servers listen.
const PORT: u16 = 3389;

/// The lines of a plan that say who logs in to the gateway,
pub const GATEWAY_LOGIN: &str = "gateway-login";
/// with which password,
pub const GATEWAY_SECRET: &str = "gateway-login-password";
/// and how, where that is not what the entry wants of the server.
pub const GATEWAY_PROOF: &str = "gateway-proof";

/// The connector.
pub struct Rdp;

impl Connector for Rdp {
    fn id(&self) -> &'static str {
        ID
    }

    fn label(&self) -> Bi {
        Bi::new("Bureau à distance (RDP)", "Remote desktop (RDP)")
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

    fn takes(&self, slot: &Slot) -> bool {
        matches!(slot, Slot::Custom(name) if name == GATEWAY_PASSWORD)
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
        let mut launch = Launch::desktop_host();
        let (desktop, prefers) = (lease.desktop(), settings.outside);
        if let Some(outside) = freerdp::chosen(prefers, &desktop) {
            if settings.proof == nla::way::Allowed::Kerberos && !outside.is_missing() {
                return Err(nla::fail::outside());
            }
            if let Some(warning) = outside.warning() {
                lease.say(warning);
            }
            launch.env = outside.variables(desktop);
        } else if settings.sound == Sound::Here {
            // A player has to find the sound of this desktop.
            launch.env =
                desktop.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        }
        if settings::gateway(&target.destination().settings).is_some() {
            launch.env.extend(gateway::nobody()?);
        }
        Ok(Box::new(HostLink::open_as(launch, target, lease, settings.connect_timeout)?))
    }
}

/// Which hop of a target is a gateway, which is passed otherwise than the machines
/// before it: it is told by the settings of the destination, just before it.
pub fn gateway_hop(target: &Target) -> Option<usize> {
    let named = || gateway_of(&target.destination().settings).is_some();
    let before = target.hops.len().checked_sub(2)?;
    (target.kind.word() == ID && named()).then_some(before)
}

/// Opens a desktop in the session process, in the program that the application chose.
///
/// # Errors
/// Anything from the name to the login.
pub(super) fn open(end: &line::End<'_>) -> Result<Box<dyn Engine>, Failure> {
    #[cfg(unix)]
    if let Some(program) = freerdp::handed_on() {
        return freerdp::engine::open(&program, end);
    }
    engine::open(end)
}
