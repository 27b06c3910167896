//! Lines of the log that happened while nobody could append them: kept for the
//! next one who unlocks. Never opens one while the vault is locked.

use std::path::Path;

use crate::app::api::{AppError, Code};
use crate::audit::line::Draft;
use crate::crypto::aead::SALT;
use crate::crypto::kem::KemSecret;
use crate::model::audit_event::{Event, field};
use crate::model::time::Time;
use crate::os::{clock, random};
use crate::store::sqlite::SqliteStore;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};
use crate::vault::waiting::{
    LATE_SEALED_MAX, LateKey, LateLine, REFUSED_MAX, REFUSED_SEALED, RefusedUnlock, TakenLine,
};

/// Keeps what came of an attempt to open the vault, if it was refused, for the next
/// one who opens it; whatever the attempt was made with.
pub(in crate::app) fn noting<T>(
    file: &Path,
    member: Option<&str>,
    tried: Result<T, AppError>,
) -> Result<T, AppError> {
    tried.inspect_err(|refused| {
        if refused.code == Code::Locked {
            // The refusal stands though it could not be kept.
            let _ = put_refused(file, member.unwrap_or_default());
        }
    })
}

/// Keeps a refused unlock for the next one: sealed to a key that members hold.
/// When too many wait, it is counted.
fn put_refused(file: &Path, member: &str) -> Result<(), AppError> {
    let refused = RefusedUnlock::new(clock::now(), member, &super::machine());
    let mut store = SqliteStore::open(file, false)?;
    store.write(|rows| {
        if rows.count_pending()? >= REFUSED_MAX {
            return Ok(rows.count_unkept()?);
        }
        let mut fill = |out: &mut [u8]| random::fill(out);
        let ct = refused
            .seal(&rows.header()?, &mut fill)
            .map_err(|_| AppError::tampered("l’en-tête", "the header"))?;
        Ok(rows.put_pending(&ct)?)
    })
}

/// Keeps a line of a session that outlives the lock.
pub(in crate::app) fn put_late(
    file: &Path,
    key: &mut LateKey,
    event: Event,
    ok: bool,
    mut fields: Vec<(&'static str, String)>,
) -> Result<(), AppError> {
    fields.push((field::MACHINE, super::machine()));
    fields.retain(|(_, value)| !value.is_empty());
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let line = LateLine { at: clock::now(), event, ok, fields };
    let mut store = SqliteStore::open(file, false)?;
    store.write(|rows| {
        let ct = key.seal(&rows.header()?.vault, line, &random::bytes::<SALT>());
        Ok(rows.put_late(&ct)?)
    })
}

/// Appends the lines that waited, unless the member at hand has no key for refused
/// unlocks: then they wait on for one who has.
pub(in crate::app) fn take_waiting(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
) -> Result<(), AppError> {
    if v.ring.pending_seed().is_none() { Ok(()) } else { take_all_waiting(v, rows, env) }
}

/// Appends the lines that waited, each with its own time inside, and says in one
/// line what else waited and was not taken: refused unlocks too that the member at
/// hand cannot open, for the key they are sealed to is about to be replaced.
pub(in crate::app) fn take_all_waiting(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
) -> Result<(), AppError> {
    let (waiting, late) = (rows.count_pending()?, rows.count_late()?);
    let unkept = rows.unkept()?;
    if (waiting, late, unkept) == (0, 0, 0) {
        return Ok(());
    }
    let secret = v.ring.pending_seed().map(KemSecret::from_seed);
    let mut lines: Vec<(Time, Draft)> = Vec::new();
    for sealed in rows.pending(REFUSED_SEALED, REFUSED_MAX)? {
        let opened = secret.as_ref().and_then(|s| RefusedUnlock::open(s, &v.header.vault, &sealed));
        if let Some(refused) = opened {
            lines.push((refused.at, of_refused(refused, env)));
        }
    }
    for sealed in rows.late(LATE_SEALED_MAX)? {
        if let Some(taken) = v.take_late(&sealed) {
            lines.push((taken.line.at, of_late(taken, env)));
        }
    }
    let unread = if secret.is_none() { waiting } else { 0 };
    let strange = (waiting + late).saturating_sub(lines.len() as u64 + unread);
    lines.sort_by_key(|(at, _)| *at);
    for (_, line) in lines {
        v.log(rows, env, line)?;
    }
    if let Some(detail) = not_taken(strange, unread, unkept) {
        let fields = vec![(field::DETAIL, detail)];
        let (at, event) = (env.now, Event::UnlockRefused);
        v.log(rows, env, Draft { at, actor: None, event, ok: false, fields, fact: None })?;
    }
    Ok(rows.drop_waiting()?)
}

/// Of whom a refused unlock really was, nobody knows: the name is what was given.
fn of_refused(refused: RefusedUnlock, env: &Env<'_>) -> Draft {
    let RefusedUnlock { at, member, machine } = refused;
    // Without a name of its own it must not be given that of this computer.
    let machine = if machine.is_empty() { "?".to_owned() } else { machine };
    let detail = format!("at {at}");
    Draft {
        at: env.now,
        actor: None,
        event: Event::UnlockRefused,
        ok: false,
        fields: vec![(field::MEMBER, member), (field::MACHINE, machine), (field::DETAIL, detail)],
        fact: None,
    }
}

fn of_late(taken: TakenLine, env: &Env<'_>) -> Draft {
    let TakenLine { member, line } = taken;
    let at = line.at;
    let mut fields: Vec<(&'static str, String)> = line
        .fields
        .into_iter()
        .filter_map(|(n, v)| field::ALL.iter().find(|f| **f == n).map(|f| (*f, v)))
        .collect();
    match fields.iter_mut().find(|(n, _)| *n == field::DETAIL) {
        Some((_, detail)) => *detail = format!("{detail} (at {at})"),
        None => fields.push((field::DETAIL, format!("at {at}"))),
    }
    Draft { at: env.now, actor: member, event: line.event, ok: line.ok, fields, fact: None }
}

/// What is said of lines that were not taken.
fn not_taken(strange: u64, unread: u64, unkept: u64) -> Option<String> {
    let mut said = Vec::new();
    if strange > 0 {
        said.push(format!("waiting lines that are not this vault's, not taken: {strange}"));
    }
    if unread > 0 {
        said.push(format!(
            "refused unlocks that wait for a key which is missing here, not taken: {unread}"
        ));
    }
    if unkept > 0 {
        said.push(format!(
            "refused unlocks while {REFUSED_MAX} waited already, counted and not kept: {unkept}"
        ));
    }
    (!said.is_empty()).then(|| said.join("; "))
}
