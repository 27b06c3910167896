//! Backups: a whole copy of the file, as sealed as the file, opened and counted
//! before it counts. Ten newest and one a month are kept.

use std::path::{Path, PathBuf};

use crate::model::audit_event::{Event, field};
use crate::model::policy::Action;
use crate::os::clock;
use crate::store::sqlite::SqliteStore;
use crate::vault::rows::{Rows, StoreError};

use super::api::{AppError, Code, Reply};
use super::draft;
use super::entries::need;
use super::part::Part;
use super::windows;
use super::worker::Open;

/// Folder of a vault's automatic backups: beside the file.
pub(super) fn folder(vault: &Path) -> PathBuf {
    let name = vault.file_name().unwrap_or_default().to_string_lossy();
    vault.with_file_name(format!("{name}.backups"))
}

impl Open {
    pub(super) fn backup(&mut self, to: Option<PathBuf>) -> Result<Reply, AppError> {
        need(&self.vault, Action::Browse).or_else(|_| need(&self.vault, Action::ReadAudit))?;
        let automatic = to.is_none();
        let file = match to {
            Some(file) => file,
            None => {
                let folder = folder(self.store.file());
                make_folder(&folder)?;
                let stamp = clock::now().to_jiff().strftime("%Y-%m-%dT%H-%M-%S%.3fZ").to_string();
                folder.join(format!("{stamp}.poterne"))
            }
        };
        if !automatic {
            let size = std::fs::metadata(self.store.file()).map_or(0, |m| m.len());
            super::place::takes_a_new_file(&file)?;
            super::place::takes(&file, size)?;
        }
        // The line stands in the copy too, so that the copy says what it is.
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.write(|v, rows, env| {
            let mut line = draft(v, env, Event::BackupMade, true);
            line.fields.push((field::FILE, name));
            Ok(v.log(rows, env, line)?)
        })?;
        let part = Part::beside(&file);
        let haste = self.haste();
        if !self.store.copy_to(part.path(), &|| haste.none())? {
            return Err(AppError::gave_way());
        }
        let (entries, lines) = self.count_copy(part.path())?;
        part.put_new().map_err(|e| match e.kind() {
            std::io::ErrorKind::AlreadyExists => StoreError::Exists.into(),
            _ => AppError::system(
                ("La sauvegarde ne peut pas être rangée", "The backup cannot be put in place"),
                &e,
            ),
        })?;
        if automatic {
            thin(&folder(self.store.file()), self.vault.state.settings.backups_kept as usize);
        }
        Ok(Reply::BackedUp { file, entries, audit_lines: lines })
    }

    /// Opens a copy with the keys at hand and counts what is in it.
    fn count_copy(&self, copy: &Path) -> Result<(u64, u64), AppError> {
        let differs = || {
            AppError::new(
                Code::Tampered,
                (
                    "La sauvegarde ne correspond pas au coffre.",
                    "The backup does not match the vault.",
                ),
                ("Vérifiez le disque, puis recommencez.", "Check the disk, then try again."),
            )
        };
        let store = SqliteStore::open(copy, true)?;
        store.integrity_check()?;
        store.read(|rows| {
            let (epoch, sealed) = rows.state()?;
            if epoch != self.vault.state.epoch {
                return Err(differs());
            }
            let key = self.vault.vault_key()?;
            let state = crate::vault::state::open(self.vault.vault(), key, &sealed)
                .map_err(|_| differs())?;
            let mut cells = 0;
            let mut sum = [0; 32];
            let summer = self.vault.summer()?;
            rows.each_cell(&mut |c| {
                cells += 1;
                summer.toggle(&mut sum, "cell", &c.id.0, c.ver, &c.ct);
            })?;
            if cells != state.n_cells || sum != state.cells || state != self.vault.state {
                return Err(differs());
            }
            if let Some(fault) = windows::faults(&self.vault, rows, &self.haste())?.pop() {
                return Err(AppError::damaged_copy(fault));
            }
            Ok((self.vault.index.counts().1, state.audit.size))
        })
    }
}

fn make_folder(folder: &Path) -> Result<(), AppError> {
    std::fs::create_dir_all(folder).map_err(|e| {
        AppError::system(
            (
                "Le dossier des sauvegardes ne peut pas être créé",
                "The backup folder cannot be made",
            ),
            &e,
        )
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700));
    }
    Ok(())
}

/// Keeps the `newest` last backups and the last of each earlier month. Names
/// begin with the date, so their order is the order of time.
fn thin(folder: &Path, newest: usize) {
    let Ok(read) = std::fs::read_dir(folder) else { return };
    let mut files: Vec<PathBuf> = read.filter_map(|e| e.ok().map(|e| e.path())).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "poterne"));
    files.sort();
    let old = files.len().saturating_sub(newest.max(1));
    let month = |f: &PathBuf| -> String {
        f.file_name().unwrap_or_default().to_string_lossy().chars().take(7).collect()
    };
    for (n, file) in files[..old].iter().enumerate() {
        let last_of_month = month(file) != month(&files[n + 1]);
        if !last_of_month {
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Copying a file of at most so many bytes goes unnoticed.
const QUICK_BYTES: u64 = 32 << 20;

/// Whether copying this vault is a matter of a moment.
pub(super) fn is_quick(vault: &Path) -> bool {
    std::fs::metadata(vault).is_ok_and(|m| m.len() <= QUICK_BYTES)
}

/// Whether today's automatic backup is there.
pub(super) fn made_today(vault: &Path) -> bool {
    let today = clock::now().to_jiff().strftime("%Y-%m-%d").to_string();
    std::fs::read_dir(folder(vault)).is_ok_and(|read| {
        read.flatten().any(|e| {
            let name = e.file_name();
            let name = name.to_string_lossy();
            name.starts_with(&today) && name.ends_with(".poterne")
        })
    })
}

/// Makes today's automatic backup if there is none yet.
pub(super) fn daily(open: &mut Open) -> Result<(), AppError> {
    let made = made_today(open.store.file());
    if made || open.read_only { Ok(()) } else { open.backup(None).map(drop) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_and_one_a_month_stay() {
        let dir = tempfile::tempdir().expect("a temp folder");
        let names =
            ["2026-01-03", "2026-01-30", "2026-02-02", "2026-03-01", "2026-03-02", "2026-03-03"];
        for n in names {
            std::fs::write(dir.path().join(format!("{n}T00-00-00.000Z.poterne")), "x")
                .expect("writes");
        }
        thin(dir.path(), 2);
        let mut left: Vec<String> = std::fs::read_dir(dir.path())
            .expect("reads")
            .map(|e| e.expect("entry").file_name().to_string_lossy()[..10].to_owned())
            .collect();
        left.sort();
        assert_eq!(left, ["2026-01-30", "2026-02-02", "2026-03-02", "2026-03-03"]);
    }
}
