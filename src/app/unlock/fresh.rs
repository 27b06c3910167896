//! Whether a vault file is older than the one seen last, and whether its log is
//! all there. Looks, and words the line for it; never decides what comes of it.

use crate::app::anchor::{DeviceKey, Place};
use crate::app::api::AppError;
use crate::app::draft;
use crate::audit::log::Log;
use crate::model::audit_event::Event;
use crate::store::sqlite::SqliteStore;
use crate::vault::log;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

/// Whether the file is older than, or another branch of, the one seen last.
pub(super) fn older(store: &SqliteStore, v: &Unlocked, place: &Place) -> Result<bool, AppError> {
    if !place.known {
        return Ok(false);
    }
    let m = &place.memory;
    if v.state.epoch < m.epoch || v.state.audit.size < m.audit_size {
        return Ok(true);
    }
    if m.audit_size == 0 {
        return Ok(false);
    }
    // The last line seen must still stand where it stood.
    store.read(|rows| {
        let mut last = None;
        rows.each_audit(m.audit_size - 1, &mut |row| {
            last = Some(row);
            false
        })?;
        let Some(row) = last else { return Ok(true) };
        let leaf = log::Reader::for_leaf(v, rows, &row)?.leaf(&row)?;
        Ok(Log::hash_of(&leaf) != m.audit_last)
    })
}

/// As [`older`], of a vault that no login of this computer opened.
pub(in crate::app) fn older_here(store: &SqliteStore, v: &Unlocked) -> Result<bool, AppError> {
    let device = DeviceKey::load(v.vault())?;
    older(store, v, &Place::load(*v.vault(), device.as_ref()))
}

/// Remembers how new a vault is that no login of this computer opened: who
/// accepted an older copy is not asked again.
pub(in crate::app) fn remember_here(v: &Unlocked, older: bool) {
    // As at an unlock: what the vault itself checks stands without it.
    if let Ok(device) = DeviceKey::load(v.vault()) {
        let mut place = Place::load(*v.vault(), device.as_ref());
        if older {
            place.memory.listing = 0;
        }
        let _ = place.remember(v);
    }
}

/// Logs that an older copy was accepted.
pub(in crate::app) fn log_older(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
) -> Result<(), AppError> {
    let line = draft(v, env, Event::OlderAccepted, true);
    Ok(v.log(rows, env, line)?)
}

/// How many lines are counted at each end of the log.
const COUNTED: u64 = 4096;

/// Whether the log ends where the state says, and its first and last lines are
/// there: cheap however long it is.
pub(super) fn log_is_whole(store: &SqliteStore, v: &Unlocked) -> Result<bool, AppError> {
    store.read(|rows| {
        // Another process may have added lines since the state was read.
        let size = v.state.audit.size;
        let last = rows.last_audit()?.map_or(0, |last| last + 1);
        let first = size.min(COUNTED);
        Ok(last >= size
            && (last == size || rows.epoch()? > v.state.epoch)
            && rows.count_audit(0..first)? == first
            && rows.count_audit(size - first..size)? == first)
    })
}
