//! What a member is told about the own logins after unlocking. Never refuses.

use crate::app::api::AppError;
use crate::model::id::SlotId;
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::store::sqlite::SqliteStore;
use crate::vault::login;
use crate::vault::rows::Rows;
use crate::vault::slot::{Params, SlotRow};
use crate::vault::unlocked::Unlocked;

/// Logins of this member whose codes are soon at their end: four fifths of the
/// window went by since the vault was last opened with them.
pub(super) fn windows_ending(
    store: &SqliteStore,
    v: &Unlocked,
    here: &SlotId,
    now: Time,
) -> Result<Vec<Bi>, AppError> {
    let (today, _) = login::days_near(now);
    let mine = store.read(|rows| {
        let mut out = Vec::new();
        for slot in rows.slots()?.into_iter().filter(|s| s.member == v.me) {
            let Some(login) = Params::parse(&slot.params).ok().and_then(|p| p.login) else {
                continue;
            };
            let last = rows.otp_span(&slot.id)?.map_or(today, |(_, last)| last);
            out.push((slot.id, i64::from(login.window_days), (last - today).max(0)));
        }
        Ok::<_, AppError>(out)
    })?;
    let ending = mine.into_iter().filter(|(_, window, left)| left * 5 <= *window);
    Ok(ending.map(|(slot, _, left)| window_notice(v, &slot, &slot == here, left)).collect())
}

fn window_notice(v: &Unlocked, slot: &SlotId, here: bool, left: i64) -> Bi {
    let label = v.state.devices.iter().find(|d| d.slot == *slot).map(|d| d.label.as_str());
    let (fr, en) = match label.filter(|_| !here) {
        Some(label) => (format!("«\u{a0}{label}\u{a0}»"), format!("“{label}”")),
        None => ("Cet ordinateur".to_owned(), "This computer".to_owned()),
    };
    Bi::new(
        format!(
            "{fr} n’a plus de codes que pour {left} jours\u{a0}: ouvrez-y le coffre (sans --read-only) d’ici là, sinon seul le kit de secours l’y ouvrira."
        ),
        format!(
            "{en} has codes for only {left} more days: open the vault there (without --read-only) before they end, else only the recovery kit opens it there."
        ),
    )
}

pub(super) fn portable_notice(row: &SlotRow) -> Option<Bi> {
    let portable = Params::parse(&row.params).ok()?.login?.device.is_none();
    portable.then(portable_cost)
}

/// What a vault costs that asks for no computer's key.
pub(in crate::app) fn portable_cost() -> Bi {
    Bi::new(
        "Coffre portable\u{a0}: sans clé d’ordinateur, le code n’ajoute qu’au plus 20 bits au mot de passe.",
        "Portable vault: without a computer key, the code adds at most 20 bits to the password.",
    )
}
