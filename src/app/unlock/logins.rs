//! Which logins of a vault the given name and this computer may open. Never
//! opens one.

use std::collections::BTreeSet;

use crate::app::anchor::{DeviceKey, Place};
use crate::app::api::{AppError, Code};
use crate::app::{UnlockOptions, text};
use crate::model::lang::Bi;
use crate::os::{paths, random};
use crate::vault::rows::HeaderRow;
use crate::vault::slot::{self, Kind, Params, SlotRow};

use super::stretch::{stretch, unstretched};

/// Login slots that the given name and this computer may open, and the name that
/// was taken from memory.
pub(super) fn candidates<'a>(
    head: &HeaderRow,
    slots: &'a [SlotRow],
    options: &UnlockOptions,
    device: Option<&DeviceKey>,
    place: &Place,
) -> Result<(Vec<&'a SlotRow>, Option<String>), AppError> {
    let logins: Vec<(&SlotRow, Params)> = slots
        .iter()
        .filter_map(|s| {
            Params::parse(&s.params).map_or_else(
                |e| matches!(e, slot::BadParams::Cost(_)).then_some((s, None)),
                |p| Some((s, Some(p))),
            )
        })
        .map(|(s, p)| p.map(|p| (s, p)).ok_or_else(doctored))
        .collect::<Result<_, _>>()?;
    let mut logins: Vec<(&SlotRow, Params)> =
        logins.into_iter().filter(|(_, p)| p.kind == Kind::Login).collect();
    if logins.is_empty() {
        return Err(AppError::tampered("il n’a plus d’accès", "it has no login left"));
    }
    let name = options.member.as_deref().map(str::trim).filter(|n| !n.is_empty());
    let people: BTreeSet<_> = logins.iter().map(|(s, _)| s.member).collect();
    let remembered = Some(&place.memory.member).filter(|m| !m.is_empty());
    let assumed = remembered.filter(|_| name.is_none() && people.len() > 1).cloned();
    let name = match (name, people.len()) {
        (Some(name), _) => Some(name.to_owned()),
        (None, 1) => None,
        (None, _) if assumed.is_some() => assumed.clone(),
        (None, _) => {
            return Err(AppError::usage(
                ("Ce coffre a plusieurs membres.", "This vault has several members."),
                ("Dites qui vous êtes (option --member).", "Say who you are (option --member)."),
            ));
        }
    };
    if let Some(name) = name {
        let tag = slot::tag(&head.vault, &name);
        logins.retain(|(s, _)| s.tag == tag);
    }
    let here = device.map(|d| d.id);
    let for_here = |p: &Params| {
        let needs = p.login.as_ref().and_then(|l| l.device);
        needs.is_none() || needs == here
    };
    let enrolled = logins.iter().any(|(_, p)| for_here(p));
    if !logins.is_empty() && !enrolled && here.is_none() {
        if let Err(error) = paths::config_folder() {
            return Err(text::homeless(&error));
        }
        return Err(AppError::new(
            Code::Locked,
            (
                "Cet ordinateur n’est pas enrôlé pour ce coffre.",
                "This computer is not enrolled for this vault.",
            ),
            (
                "Faites `poterne device add` sur un ordinateur enrôlé et tapez le code ici, ou utilisez le kit avec `poterne recover`.",
                "Run `poterne device add` on an enrolled computer and type the code here, or use the kit with `poterne recover`.",
            ),
        ));
    }
    logins.retain(|(_, p)| for_here(p));
    Ok((logins.into_iter().map(|(s, _)| s).collect(), assumed))
}

fn doctored() -> AppError {
    AppError::tampered(
        "le coût de dérivation est hors limites",
        "the cost of key stretching is out of bounds",
    )
}

pub(super) fn dummy_stretch(slots: &[SlotRow]) -> Result<(), AppError> {
    let login = slots.iter().find_map(|s| Params::parse(&s.params).ok()?.login);
    if let Some(login) = login {
        stretch(b"nobody", &random::bytes(), login.cost).map_err(unstretched)?;
    }
    Ok(())
}

/// Whom the program took for the one who unlocks, when nobody said so.
pub(super) fn unnamed(refusal: AppError, assumed: &str) -> AppError {
    if refusal.code != Code::Locked {
        return refusal;
    }
    let todo = Bi::new(
        format!(
            "Ce coffre a plusieurs membres, et le dernier ici était {assumed}\u{a0}: si ce n’est pas vous, dites qui vous êtes (option --member). {}",
            refusal.todo.fr
        ),
        format!(
            "This vault has several members, and the last one here was {assumed}: if that is not you, say who you are (option --member). {}",
            refusal.todo.en
        ),
    );
    AppError { todo, ..refusal }
}
