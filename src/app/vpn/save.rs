//! A profile on its way into the vault: a new entry, or one that is renewed, in one
//! edit with its line of the log. Never takes the place of anything else.

use crate::app::api::{AppError, At, Code, EntryView, Reply, Request};
use crate::app::remote::Access;
use crate::connect::openvpn::ID;
use crate::model::entry::Kind;
use crate::model::id::EntryId;
use crate::model::lang::Bi;

use super::found::Found;
use super::no_vpn;

/// Where a profile goes.
pub enum Place {
    /// Nothing is there yet.
    New(String),
    /// A VPN, and what the profile changes in it.
    Renews(Box<EntryView>, Vec<Bi>),
}

/// An entry that was stored.
pub struct Saved {
    /// Which.
    pub id: EntryId,
    /// Its version; the same as before when nothing changed.
    pub ver: u64,
    /// Its path.
    pub path: String,
}

/// What is at `path`, and what `found` would change there.
///
/// # Errors
/// Something other than a VPN of OpenVPN is there, or it may not be changed.
pub fn place(access: &dyn Access, path: &str, found: &Found) -> Result<Place, AppError> {
    let view = match access.call(Request::Show { at: At::Path(path.to_owned()) }) {
        Ok(Reply::Entry(view)) => view,
        Ok(_) => return Err(AppError::odd_reply()),
        Err(error) if error.code == Code::NotFound => return Ok(Place::New(path.to_owned())),
        Err(error) => return Err(error),
    };
    if view.entry.kind.word() != ID {
        return Err(no_vpn(&view.path));
    }
    let at = At::Id(view.entry.id);
    match access.call(Request::VpnChanges { at, profile: found.text() })? {
        Reply::VpnChanges(changes) => Ok(Place::Renews(view, changes)),
        _ => Err(AppError::odd_reply()),
    }
}

/// Stores `found` there; `user` is who a portal gave it to.
///
/// # Errors
/// The place does not take it, or was changed meanwhile.
pub fn save(
    access: &dyn Access,
    place: &Place,
    found: &Found,
    user: Option<&str>,
) -> Result<Saved, AppError> {
    let request = match place {
        Place::New(path) => Request::Create {
            kind: Kind::new(ID),
            path: path.clone(),
            patch: Box::new(found.patch(None, user)),
        },
        Place::Renews(view, changes) => {
            let old = &view.entry;
            // Sealed anew it would be another, and a version of its own.
            let patch = match changes.is_empty() {
                true => found.patch_around(old, user),
                false => found.patch(Some(old), user),
            };
            let (at, expected_ver) = (At::Id(old.id), Some(old.ver));
            Request::Edit { at, expected_ver, patch: Box::new(patch) }
        }
    };
    match access.call(request)? {
        Reply::Saved { id, ver, path } => Ok(Saved { id, ver, path }),
        _ => Err(AppError::odd_reply()),
    }
}
