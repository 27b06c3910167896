//! What a newer profile changes in an entry. Of keys it is told that they change, so
//! that nothing is revealed by it; it stores nothing.

use crate::app::api::{AppError, At, Reply};
use crate::app::entries::{locate, need};
use crate::app::worker::Open;
use crate::connect::openvpn::profile::{self, Profile, Refused};
use crate::connect::openvpn::{ID, profile_slot};
use crate::model::lang::Bi;
use crate::model::policy::Action;
use crate::secret::{SecretBytes, SecretText};

use super::found::refused;
use super::no_vpn;

impl Open {
    pub(in crate::app) fn vpn_changes(
        &mut self,
        at: &At,
        new: &SecretText,
    ) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::Edit)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            if entry.kind.word() != ID {
                return Err(no_vpn(&v.index.path(&node)));
            }
            let slot = profile_slot();
            let old = match entry.secrets.contains_key(&slot) {
                true => read(&v.secret(rows, &entry, &slot)?).ok(),
                false => None,
            };
            let new = read(&new.duplicate().into_bytes()).map_err(refused)?;
            Ok(Reply::VpnChanges(match old {
                Some(old) => profile::changes(&old, &new),
                None => vec![Bi::new("aucun profil n’était gardé", "no profile was kept")],
            }))
        })
    }
}

/// What is stored names no file.
fn read(text: &SecretBytes) -> Result<Profile, Refused> {
    let mut none = |_: &str| Err(std::io::ErrorKind::NotFound.into());
    text.expose(|text| profile::read(text, &mut none)).map(|reading| reading.profile)
}
