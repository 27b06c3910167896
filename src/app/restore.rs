//! A backup put back in the place of the vault: opened first, logged in itself,
//! the former file kept beside it. It never replaces one vault by another.

use std::path::{Path, PathBuf};

use crate::model::audit_event::{Event, field};
use crate::model::id::VaultId;
use crate::model::lang::Bi;
use crate::model::policy::Action;
use crate::os::clock;
use crate::store::alone;
use crate::store::sqlite::SqliteStore;
use crate::vault::log;
use crate::vault::rows::{Rows, StoreError};

use super::api::{AppError, Code};
use super::entries::need;
use super::part::Part;
use super::worker::Worker;
use super::{UnlockOptions, draft, unlock};

/// Refuses a backup of another vault than the one at `file`, before anything is
/// asked for it. Where none is, or none that can be read, any backup will do.
///
/// # Errors
/// It is of another vault, or is no vault at all.
pub fn same_vault(file: &Path, backup: &Path) -> Result<(), AppError> {
    let there = id_of(&SqliteStore::open(backup, true)?)?;
    // For writing where that may be: what a crash left is put right first.
    let here = SqliteStore::open(file, false).or_else(|_| SqliteStore::open(file, true));
    let here = here.and_then(|store| id_of(&store));
    if here.is_err() || here == Ok(there) {
        return Ok(());
    }
    let (name, place) = (backup.display(), file.display());
    Err(AppError {
        code: Code::Other,
        what: Bi::new(
            format!("{name} est un autre coffre que celui de {place}\u{a0}: rien n’a été changé."),
            format!("{name} is another vault than the one at {place}: nothing was changed."),
        ),
        todo: Bi::new(
            format!(
                "Pour ouvrir cet autre coffre\u{a0}: poterne --vault {name} unlock. Pour le rétablir à part, nommez avec --vault un fichier qui n’existe pas encore."
            ),
            format!(
                "To open that other vault: poterne --vault {name} unlock. To restore it apart, name a file that does not exist yet with --vault."
            ),
        ),
    })
}

fn id_of(store: &SqliteStore) -> Result<VaultId, StoreError> {
    store.read(|rows| Ok(rows.header()?.vault))
}

impl Worker {
    /// Puts a backup in the place of the vault, after its factors opened it.
    pub(super) fn restore_backup(
        &mut self,
        backup: &Path,
        options: UnlockOptions,
    ) -> Result<(), AppError> {
        self.lock()?;
        same_vault(&self.file, backup)?;
        let part = Part::beside(&self.file);
        // Opened read-only first: a backup that does not open replaces nothing.
        let source = SqliteStore::open(backup, true)?;
        source.integrity_check()?;
        source.copy_to(part.path(), &|| true)?;
        let store = SqliteStore::open(part.path(), false)?;
        let opened = unlock::open_with(store, &options, true);
        let mut open = unlock::noting(&self.file, options.member.as_deref(), opened)?;
        let name = backup.file_name().unwrap_or_default().to_string_lossy().into_owned();
        need(&open.vault, Action::ManageVault)?;
        open.write(|v, rows, env| {
            let mut line = draft(v, env, Event::BackupRestored, true);
            line.fields.push((field::FILE, name));
            v.log(rows, env, line)?;
            log::sign(v, rows, env)?;
            Ok(())
        })?;
        drop(open);
        // Whoever waits for this lock finds another file in the place.
        let _alone = alone::hold(&self.file)?;
        part.put_instead(&self.aside()).map_err(|e| {
            AppError::system(
                ("La sauvegarde ne peut pas être rétablie", "The backup cannot be restored"),
                &e,
            )
        })
    }

    /// A free name for the former file.
    fn aside(&self) -> PathBuf {
        let stamp = clock::now().to_jiff().strftime("%Y%m%dT%H%M%SZ").to_string();
        let named = |more: String| {
            self.file.with_extension(format!("before-restore-{stamp}{more}.poterne"))
        };
        std::iter::once(named(String::new()))
            .chain((2..).map(|n| named(format!("-{n}"))))
            .find(|aside| aside.symlink_metadata().is_err())
            .expect("some number is free")
    }
}
