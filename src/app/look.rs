//! A vault's file, looked at without factors: whether it is a vault at all, and
//! sound as far as anybody can tell from outside. It opens no seal.

use std::path::Path;

use crate::os::room;
use crate::store::sqlite::SqliteStore;
use crate::vault::rows::{Rows, StoreError};
use crate::vault::slot::{BadParams, Params};

use super::api::AppError;
use super::backup;

/// Looks at a vault before anything is asked for it; `read_only` when nothing
/// will be written.
///
/// # Errors
/// It is missing, foreign, newer, damaged, or cannot be written.
pub fn before_unlock(file: &Path, read_only: bool) -> Result<(), AppError> {
    light(file, read_only)?;
    if !read_only && let Some(folder) = file.parent().filter(|f| !f.as_os_str().is_empty()) {
        // A commit needs a journal beside the file.
        room::probe(folder).map_err(|e| StoreError::ReadOnly(e.to_string()))?;
    }
    Ok(())
}

/// Looks at a locked vault: what [`before_unlock`] looks at, and, unless the
/// file is large, whether every page is well formed. A file that another program
/// holds or that cannot be written is no worse for it.
///
/// # Errors
/// It is missing, foreign, newer or damaged.
pub fn at_rest(file: &Path) -> Result<(), AppError> {
    let looked = open(file).and_then(|store| {
        sound(&store)?;
        if backup::is_quick(file) { Ok(store.integrity_check()?) } else { Ok(()) }
    });
    match looked {
        Err(Seen::Store(StoreError::Busy | StoreError::ReadOnly(_))) => Ok(()),
        looked => Ok(looked?),
    }
}

fn light(file: &Path, read_only: bool) -> Result<(), Seen> {
    sound(&SqliteStore::open(file, read_only)?)
}

/// For writing where that may be, so that what a crash left is put right.
fn open(file: &Path) -> Result<SqliteStore, Seen> {
    match SqliteStore::open(file, false) {
        Err(StoreError::ReadOnly(_)) => Ok(SqliteStore::open(file, true)?),
        opened => Ok(opened?),
    }
}

fn sound(store: &SqliteStore) -> Result<(), Seen> {
    let slots = store.read(|rows| {
        rows.header()?;
        rows.slots()
    })?;
    for slot in slots {
        match Params::parse(&slot.params) {
            Ok(_) => {}
            Err(BadParams::Cost(_)) => {
                return Err(Seen::App(AppError::tampered(
                    "le coût de dérivation est hors limites",
                    "the cost of key stretching is out of bounds",
                )));
            }
            Err(_) => return Err(Seen::App(AppError::tampered("un accès", "a login"))),
        }
    }
    Ok(())
}

/// What a look may find.
enum Seen {
    Store(StoreError),
    App(AppError),
}

impl From<StoreError> for Seen {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Seen> for AppError {
    fn from(seen: Seen) -> Self {
        match seen {
            Seen::Store(error) => error.into(),
            Seen::App(error) => error,
        }
    }
}
