//! Making and changing what opens a vault: new vaults, accepted invitations,
//! recovery, own password, own phone, own kit. A change of factors replaces the
//! member's logins and kit in one transaction, never half of it.

mod by_code;
mod change;
mod confirm;
mod found;
mod join;
mod kit;
mod login;

use crate::model::lang::Bi;
use crate::vault::rows::StoreError;
use crate::vault::slot::Kind;

use super::Finished;
use super::api::AppError;
use super::enrolment::{NewMember, Task};
use super::worker::Worker;

pub(super) use by_code::{ByCode, open_code, proved};
pub(super) use change::NewSeed;
pub(super) use login::{login_here, put_login};

use found::found;

impl Worker {
    pub(super) fn enrol(&mut self, new: &NewMember) -> Result<Finished, AppError> {
        match &new.task {
            Task::Create { file, member, portable, kdf_memory_mib } => {
                let made = found(new, file, member, *portable, *kdf_memory_mib);
                if made.is_err()
                    && !matches!(&made, Err(e) if e.what == AppError::from(StoreError::Exists).what)
                {
                    let _ = std::fs::remove_file(file);
                }
                made
            }
            Task::Accept { code, accept_older } => {
                self.join(new, Kind::Invitation, code, *accept_older)
            }
            Task::Recover { code, accept_older } => {
                self.join(new, Kind::Recovery, code, *accept_older)
            }
        }
    }
}

/// Tells which computers no longer open the vault, and how they do again.
fn dropped_notice(labels: &[String]) -> Option<Bi> {
    let list = |open: &str, close: &str| {
        labels.iter().map(|l| format!("{open}{l}{close}")).collect::<Vec<_>>().join(", ")
    };
    (!labels.is_empty()).then(|| {
        Bi::new(
            format!("N’ouvrent plus ce coffre avec les anciens facteurs\u{a0}: {}. Pour chacun que vous avez encore\u{a0}: `poterne device add` ici donne un code, que `poterne device enrol` demande là-bas.", list("«\u{a0}", "\u{a0}»")),
            format!("No longer open this vault with the old factors: {}. For each that you still have: `poterne device add` here gives a code, which `poterne device enrol` asks for there.", list("“", "”")),
        )
    })
}
