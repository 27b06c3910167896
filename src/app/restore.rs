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

use super::api::{AppError, Code, Reply};
use super::entries::need;
use super::part::Part;
use super::worker::Worker;
use super::{UnlockOptions, draft, text, unlock};

/// Most faults of a damaged backup that a refusal names.
const FAULTS_TOLD: usize = 5;

/// Refuses a backup of another vault than the one at `file`, before anything is
/// asked for it. Where none is, or none that can be read, any backup will do.
///
/// # Errors
/// It is of another vault, or is no vault at all.
pub fn same_vault(file: &Path, backup: &Path) -> Result<(), AppError> {
    let there = SqliteStore::open(backup, true).and_then(|store| id_of(&store));
    let there = there.map_err(|error| no_backup(backup, error))?;
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

/// A copy that is no vault, or no whole one: another is to be taken, and nothing is
/// wrong with the vault itself.
fn no_backup(backup: &Path, error: StoreError) -> AppError {
    let name = backup.display();
    let what = match &error {
        StoreError::Foreign | StoreError::NotAFile => None,
        StoreError::Corrupt(why) => {
            let Bi { fr, en } = text::said(why);
            Some(Bi::new(
                format!("La copie {name} ne se lit pas\u{a0}: {fr}."),
                format!("The copy {name} cannot be read: {en}."),
            ))
        }
        _ => return error.into(),
    };
    let error = AppError::from(error);
    AppError {
        code: error.code,
        what: what.unwrap_or(error.what),
        todo: Bi::new(
            "Rien n’a été changé. Choisissez une autre copie\u{a0}: les automatiques sont à côté du coffre, dans le dossier qui porte son nom et finit par «\u{a0}.backups\u{a0}».",
            "Nothing was changed. Choose another backup: the automatic ones are beside the vault, in the folder of its name that ends in “.backups”.",
        ),
    }
}

/// A copy that its factors open, but that is not what was written.
fn damaged(backup: &Path, faults: &[Bi]) -> AppError {
    let name = backup.display();
    let told = |of: fn(&Bi) -> &String| {
        let shown = faults.iter().take(FAULTS_TOLD);
        let mut told = shown.map(|fault| of(fault).trim_end_matches('.')).collect::<Vec<_>>();
        if faults.len() > FAULTS_TOLD {
            told.push("…");
        }
        told.join("; ")
    };
    AppError {
        code: Code::Tampered,
        what: Bi::new(
            format!("Cette copie est abîmée ou falsifiée\u{a0}: {}.", told(|fault| &fault.fr)),
            format!("This copy is damaged or doctored: {}.", told(|fault| &fault.en)),
        ),
        todo: Bi::new(
            format!(
                "Rien n’a été changé. Choisissez une autre copie\u{a0}; ce qui se lit encore dans celle-ci\u{a0}: poterne --vault {name} --accept-older tree"
            ),
            format!(
                "Nothing was changed. Choose another backup; what can still be read in this one: poterne --vault {name} --accept-older tree"
            ),
        ),
    }
}

fn id_of(store: &SqliteStore) -> Result<VaultId, StoreError> {
    store.read(|rows| Ok(rows.header()?.vault))
}

impl Worker {
    /// Puts a backup in the place of the vault, after its factors opened it.
    pub(super) fn restore_backup(
        &mut self,
        backup: &Path,
        mut options: UnlockOptions,
    ) -> Result<(), AppError> {
        self.lock()?;
        same_vault(&self.file, backup)?;
        let part = Part::beside(&self.file);
        // Opened read-only first: a backup that does not open replaces nothing.
        let source = SqliteStore::open(backup, true).map_err(|error| no_backup(backup, error))?;
        source.integrity_check().map_err(|error| no_backup(backup, error))?;
        source.copy_to(part.path(), &|| true)?;
        self.must_be_whole(&part, backup, &mut options)?;
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

    /// Finds what `check` would find in the copy later, while the former file is in
    /// its place. Only to read: neither is the code used, nor does this computer
    /// remember a copy that is not taken, beside which the vault would look old.
    fn must_be_whole(
        &self,
        part: &Part,
        backup: &Path,
        options: &mut UnlockOptions,
    ) -> Result<(), AppError> {
        options.read_only = true;
        let store = SqliteStore::open(part.path(), true)?;
        let opened = unlock::open_with(store, options, true);
        options.read_only = false;
        let mut open = unlock::noting(&self.file, options.member.as_deref(), opened)?;
        need(&open.vault, Action::ManageVault)?;
        match open.check()? {
            Reply::Checked(report) if !report.faults.is_empty() => {
                Err(damaged(backup, &report.faults))
            }
            _ => Ok(()),
        }
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
