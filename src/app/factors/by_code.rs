//! What a code opens: an invitation, a recovery kit, an enrolment. Never says
//! how near a wrong one came.

use crate::app::api::{AppError, Code, Factors};
use crate::app::enrolment::check_password;
use crate::app::unlock::{older_here, open_member};
use crate::crypto::kdf::Cost;
use crate::model::id::SlotId;
use crate::os::clock;
use crate::secret::SecretBytes;
use crate::store::sqlite::SqliteStore;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params};
use crate::vault::unlocked::Unlocked;
use crate::vault::{code, login};

/// A vault opened by a code, the slot it came from, and whether it is an older copy
/// than this computer saw, which was accepted.
pub(in crate::app) struct ByCode {
    pub(in crate::app) vault: Unlocked,
    pub(in crate::app) slot: SlotId,
    pub(in crate::app) older: bool,
}

/// Opens whatever slot of `kind` the code fits. Where this computer knows the vault,
/// an older copy of it is refused unless that was accepted.
pub(in crate::app) fn open_code(
    store: &SqliteStore,
    kind: Kind,
    given: &SecretBytes,
    accept_older: bool,
) -> Result<ByCode, AppError> {
    let (head, slots) = store.read(|rows| Ok::<_, AppError>((rows.header()?, rows.slots()?)))?;
    for row in &slots {
        if let Ok(opened) = code::open(&head.vault, row, kind, given) {
            let vault = open_member(store, head, row, opened.member_key)?;
            let older = older_here(store, &vault)?;
            if older && !accept_older {
                return Err(AppError::older_copy());
            }
            return Ok(ByCode { vault, slot: row.id, older });
        }
    }
    Err(AppError::new(
        Code::Locked,
        ("Ce code n’ouvre rien dans ce coffre.", "This code opens nothing in this vault."),
        (
            "Il a peut-être déjà servi, ou concerne un autre coffre.",
            "It may have been used already, or belong to another vault.",
        ),
    ))
}

/// Password and phone code of a member whom an enrolment code opened: the code
/// must belong to the phone, be unused, and the password must open the member's
/// own login, if one can be tried without its computer.
pub(in crate::app) fn proved(
    store: &SqliteStore,
    v: &Unlocked,
    given: &Factors,
) -> Result<(SecretBytes, Cost, u64), AppError> {
    check_password(&given.password)?;
    let me = v.me;
    let (slots, vault) = (store.read(|rows| Ok::<_, AppError>(rows.slots()?))?, v.header.vault);
    for slot in slots.iter().filter(|s| s.member == me) {
        let Some(params) = Params::parse(&slot.params).ok().and_then(|p| p.login) else { continue };
        let Some(head) = store.read(|rows| Ok::<_, AppError>(rows.otp_head(&slot.id)?))? else {
            continue;
        };
        let damaged = || AppError::tampered("la table des codes", "the table of codes");
        let secret = login::secret_of(&vault, slot, &head, &v.member_key).map_err(|_| damaged())?;
        let step = given.code.expose(|c| login::confirm(&secret, c, clock::now()));
        let step = step.filter(|s| *s > v.state.last_step(&me)).ok_or_else(AppError::refused)?;
        return Ok((secret, params.cost, step));
    }
    Err(AppError::refused())
}
