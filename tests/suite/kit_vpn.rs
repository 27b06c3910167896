//! Real VPN servers in network namespaces that a test makes, each with a client's LAN
//! behind it: `Lan`. They run as root, as those with passwords do; names and addresses
//! are of one `Lan` alone, and all of it goes with its value, after a panic too.

#[path = "kit_vpn/lan.rs"]
mod lan;
#[path = "kit_vpn/namespace.rs"]
mod namespace;
#[path = "kit_vpn/pki.rs"]
mod pki;
#[path = "kit_vpn/server.rs"]
mod server;
#[path = "kit_vpn/setup.rs"]
mod setup;

pub use lan::{DOMAIN, Lan, MACHINE, MACHINE_NAME, RESOLVER};
pub use namespace::{Namespace, inside};
pub use setup::{Code, ControlKey, Lasts, Setup};
