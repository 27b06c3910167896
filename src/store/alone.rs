//! A vault file kept from all others while a copy takes its place: by SQLite's own
//! lock, so that no process commits into a file that nobody finds afterwards. It
//! never changes the file, apart from undoing what a crash left half done.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::vault::rows::{StoreError, Stored};

use super::sqlite::{BUSY_WAIT, from_sqlite};

/// A file that nobody else reads or writes until this is dropped.
pub struct Alone(#[expect(dead_code, reason = "the lock is its connection's")] Connection);

/// Waits for the others and keeps them out. `None` where there is no file, or none
/// that SQLite can read or lock: then nobody commits to it either.
///
/// # Errors
/// Another process goes on reading or writing.
pub fn hold(file: &Path) -> Stored<Option<Alone>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_EXRESCODE;
    let held = Connection::open_with_flags(file, flags).and_then(|db| {
        db.busy_timeout(BUSY_WAIT)?;
        // A hot journal is rolled back on the way to this lock.
        db.execute_batch("begin exclusive")?;
        Ok(Alone(db))
    });
    match held.map_err(from_sqlite) {
        Ok(alone) => Ok(Some(alone)),
        Err(StoreError::Busy) => Err(StoreError::Busy),
        Err(_) => Ok(None),
    }
}
