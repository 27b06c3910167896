//! VPNs apart from their sessions: profiles from files and portals become entries, and
//! what a newer profile changes is told before it is kept. Raises none.

mod changes;
mod files;
mod found;
mod save;

pub use files::{Taken, beside, of_path};
pub use found::Found;
pub use save::{Place, Saved, place, save};

use crate::connect::openvpn::fetch::{Address, Fault, Login};
use crate::model::lang::Bi;

use super::api::{AppError, Code};

pub use crate::connect::openvpn::fetch;

/// What a portal gave.
pub enum Answer {
    /// A profile.
    Profile(Box<Found>),
    /// It asks for user and password first.
    AsksLogin,
}

/// Reads an address that a person gave.
///
/// # Errors
/// No profile is fetched from there.
pub fn address(text: &str) -> Result<Address, AppError> {
    Address::read(text).map_err(|fault| refused(&fault, ""))
}

/// Fetches the profile at that address. Blocks, up to a minute.
///
/// # Errors
/// It does not come, or is none.
pub fn of_address(address: &Address, login: Option<&Login>) -> Result<Answer, AppError> {
    let place = address.place();
    let text = match fetch::fetch(address, login) {
        Ok(text) => text,
        Err(Fault::AsksLogin) => return Ok(Answer::AsksLogin),
        Err(fault) => return Err(refused(&fault, &place)),
    };
    let name = address.name().unwrap_or_else(|| place.clone());
    let source = address.kept().unwrap_or_default();
    // What comes alone has no files beside it.
    let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    let found = text.expose(|text| Found::of(&name, &source, text, &mut none))?;
    Ok(Answer::Profile(Box::new(found)))
}

fn refused(fault: &Fault, place: &str) -> AppError {
    let code = match fault {
        fault if fault.is_misuse() => Code::Usage,
        fault if fault.is_passing() => Code::Unreachable,
        _ => Code::Connection,
    };
    AppError { code, what: fault.what(place), todo: fault.todo() }
}

/// What is to be a VPN of OpenVPN is something else.
fn no_vpn(path: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!("«\u{a0}{path}\u{a0}» n’est pas un VPN OpenVPN."),
            format!("“{path}” is no VPN of OpenVPN."),
        ),
        todo: Bi::new(
            "Nommez une entrée openvpn, ou choisissez un autre nom avec --name.",
            "Name an openvpn entry, or choose another name with --name.",
        ),
    }
}
