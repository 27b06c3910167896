//! Unlocking and locking, as the worker does them: a refused unlock is logged
//! too, sealed so that the next one who opens the vault reads it. This file
//! itself never tries a factor.

mod fresh;
mod logins;
pub(super) mod notices;
mod open;
mod pending;
mod stretch;

use crate::model::audit_event::Event;
use crate::store::sqlite::SqliteStore;
use crate::vault::log;

use super::api::{AppError, Factors, Status, VpnView};
use super::worker::{Open, Worker};
use super::{UnlockOptions, backup, draft, people};

pub(super) use fresh::{log_older, older_here, remember_here};
pub(super) use open::{open_member, open_with, refused, use_code};
pub(super) use pending::{noting, put_late, take_all_waiting};
pub use stretch::time_stretched;
pub(super) use stretch::{stretch, unstretched};

/// Name of this computer, for the log.
pub(super) fn machine() -> String {
    crate::os::machine::host_name()
}

impl Worker {
    /// As [`Worker::unlock`]; the factors stand proved for one change of them.
    pub(super) fn unlock_to_change(&mut self, options: UnlockOptions) -> Result<Status, AppError> {
        let proved = Factors {
            password: options.factors.password.duplicate(),
            code: options.factors.code.duplicate(),
        };
        let status = self.unlock(options)?;
        self.opened()?.proved = Some(proved);
        Ok(status)
    }

    pub(super) fn unlock(&mut self, options: UnlockOptions) -> Result<Status, AppError> {
        let store = SqliteStore::open(&self.file, options.read_only)?;
        // What who writes would tidy up stays as it was found, for who only looks.
        let untouched = options.read_only && store.goes_on_after_its_end();
        let opened = open_with(store, &options, options.accept_older);
        let mut open = match untouched {
            true => opened?,
            // Refused while another member has it open here: logged all the same. To read
            // only is no way to try factors unseen, where the file can be written.
            false => noting(&self.file, options.member.as_deref(), opened)?,
        };
        open.locking = std::sync::Arc::clone(&self.locking);
        self.backup_due = !open.read_only && !backup::made_today(open.store.file());
        let sessions = self.sessions.len() as u64;
        let status = open.status(sessions, self.tunnels.views())?;
        self.lost.store(false, std::sync::atomic::Ordering::Release);
        self.open = Some(open);
        Ok(status)
    }

    /// Makes the automatic backup of the day, if it is not made yet.
    pub(super) fn daily_backup(&mut self) {
        let due = std::mem::take(&mut self.backup_due);
        let Some(open) = self.open.as_mut().filter(|_| due) else { return };
        // An open vault stays open and usable though a copy failed.
        if let Err(e) = backup::daily(open) {
            open.notices.push(e.what);
        }
    }

    /// Wipes the keys. Open sessions stay, unless the settings end them.
    pub(super) fn lock(&mut self) -> Result<(), AppError> {
        // A vault that was never idle, as in one command, is copied now, unless
        // that would hold up the lock.
        if backup::is_quick(&self.file) {
            self.daily_backup();
        }
        self.backup_due = false;
        let Some(mut open) = self.open.take() else { return Ok(()) };
        if open.vault.state.settings.lock_ends_sessions {
            self.pool.close();
            self.tunnels.close();
        }
        // A link that no session uses serves nobody while it is locked.
        self.pool.retire();
        let logged = if open.read_only {
            Ok(())
        } else {
            open.write(|v, rows, env| {
                let line = draft(v, env, Event::Locked, true);
                v.log(rows, env, line)?;
                log::sign(v, rows, env)?;
                Ok(())
            })
        };
        for running in self.sessions.values_mut() {
            running.renew(&open.vault);
        }
        drop(open);
        crate::secret::burn_stack();
        logged
    }
}

impl Open {
    pub(super) fn status(&mut self, sessions: u64, vpns: Vec<VpnView>) -> Result<Status, AppError> {
        let (read_only, unlocked_at) = (self.read_only, self.unlocked_at);
        let notices = self.notices.clone();
        let file = self.store.file().to_owned();
        self.read(|v, _| {
            let (clients, entries) = v.index.counts();
            Ok(Status {
                vault: v.header.vault,
                file,
                member: people::name(v, &v.me),
                role: people::role(v),
                read_only,
                entries,
                clients,
                audit_lines: v.state.audit.size,
                sessions,
                vpns,
                unlocked_at,
                notices,
            })
        })
    }
}
