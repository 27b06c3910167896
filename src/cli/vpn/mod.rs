//! `vpn`: profiles become entries, and VPNs that are up are listed and taken down. What
//! a profile would have done besides is told, never done.

mod import;
mod list;
mod told;

use crate::app::api::{AppError, At, Request};

use super::args::Vpn;
use super::{Context, lifecycle};

pub use list::{documents, rows};

pub fn vpn(context: &Context, command: Vpn) -> Result<u8, AppError> {
    match command {
        Vpn::Import(options) => import::import(context, &options),
        Vpn::Fetch { path, yes } => import::fetch(context, path, yes).map(|()| 0),
        Vpn::List => list::list(context).map(|()| 0),
        Vpn::Down { path } => {
            context.open()?.call(Request::VpnDown { at: At::Path(path) })?;
            lifecycle::done(context, "VPN arrêté.", "VPN taken down.");
            Ok(0)
        }
    }
}
