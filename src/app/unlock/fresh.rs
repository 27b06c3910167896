//! Whether a vault file is older than the one seen last, and whether its log is
//! all there. Only looks; never decides what comes of it.

use crate::app::anchor::Place;
use crate::app::api::AppError;
use crate::audit::log::Log;
use crate::store::sqlite::SqliteStore;
use crate::vault::log;
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

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
