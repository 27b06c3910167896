//! The tables of one-time codes held against the hashes of their heads: most of
//! the file, read a day at a time by unlocks. Mends nothing.

use crate::model::id::SlotId;
use crate::model::lang::Bi;
use crate::vault::login;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params};
use crate::vault::unlocked::Unlocked;

use super::api::AppError;
use super::people;
use super::worker::Haste;

/// What is wrong with the tables. Those of the member at hand are compared row by
/// row; of others' only number and size of the rows can be judged, for the hashes
/// are sealed under each member's own key.
pub(super) fn faults(v: &Unlocked, rows: &dyn Rows, haste: &Haste) -> Result<Vec<Bi>, AppError> {
    let mut faults = Vec::new();
    for slot in rows.slots()? {
        haste.check()?;
        if !Params::parse(&slot.params).is_ok_and(|p| p.kind == Kind::Login) {
            continue;
        }
        let head = rows.otp_head(&slot.id)?;
        let days = rows.otp_days(&slot.id, None)?;
        let (fr, en) = whose(v, &slot.id);
        if slot.member != v.me {
            if !login::looks_whole(&slot, head.as_ref(), &days) {
                let name = people::name(v, &slot.member);
                faults.push(Bi::new(
                    format!("la table des codes de {name}{fr} n’est pas entière"),
                    format!("the table of codes of {name}{en} is not whole"),
                ));
            }
            continue;
        }
        match login::changed_days(v.vault(), &slot, head.as_ref(), &days, &v.member_key) {
            Ok(days) if days.is_empty() => {}
            Ok(days) => faults.push(Bi::new(
                format!("votre table des codes{fr} n’est pas celle qui a été écrite (jours\u{a0}: {}). Changer le mot de passe ou le téléphone en écrit une nouvelle.", days.len()),
                format!("your table of codes{en} is not the one that was written (days: {}). Changing password or phone writes a new one.", days.len()),
            )),
            Err(_) => faults.push(Bi::new(
                format!("l’en-tête de votre table des codes{fr} n’est pas celui qui a été écrit"),
                format!("the head of your table of codes{en} is not the one that was written"),
            )),
        }
    }
    Ok(faults)
}

/// On which computer a login is, as the end of a phrase.
fn whose(v: &Unlocked, slot: &SlotId) -> (String, String) {
    match v.state.devices.iter().find(|d| d.slot == *slot) {
        Some(d) => (format!(" sur «\u{a0}{}\u{a0}»", d.label), format!(" on “{}”", d.label)),
        None => Default::default(),
    }
}
