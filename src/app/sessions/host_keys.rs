//! Server keys as the vault keeps them: pinned once accepted, and an answer in
//! advance that fits no pin is refused. Never asks the person.

use crate::app::api::{AppError, At, Code};
use crate::app::entries::{locate, supersede};
use crate::app::worker::Open;
use crate::app::{draft, people, plan};
use crate::audit::line::Draft;
use crate::model::audit_event::{Event, field};
use crate::model::entry::Entry;
use crate::model::id::EntryId;
use crate::model::lang::Bi;
use crate::model::target::{PinnedKey, Target};

impl Open {
    /// Refuses when every server on the way has pinned keys and the one accepted
    /// in advance is none of them: it answers no question that can come.
    pub(super) fn pinned_otherwise(
        &mut self,
        target: &Target,
        accepted: &str,
        entry: &Entry,
        fields: &[(&'static str, String)],
    ) -> Result<(), AppError> {
        let known = |print: &str| {
            target.hops.iter().flat_map(|h| &h.pinned).any(|k| k.fingerprint == print)
        };
        let asked = target.hops.iter().any(|h| h.pinned.is_empty());
        if asked || prints(accepted).any(known) {
            return Ok(());
        }
        let dest = target.destination();
        self.write(|v, rows, env| {
            let mut line = draft(v, env, Event::HostKeyRefused, false);
            people::about(v, &entry.summary(), &mut line);
            line.fields.extend(fields.to_vec());
            line.fields.push((field::HOST_KEY, format!("{}: {accepted}", dest.at)));
            line.fields.push((field::DETAIL, "another key is pinned".to_owned()));
            Ok::<_, AppError>(v.log(rows, env, line)?)
        })?;
        let pinned: Vec<&str> = dest.pinned.iter().map(|k| k.fingerprint.as_str()).collect();
        let (at, pinned) = (&dest.at, pinned.join(", "));
        Err(AppError {
            code: Code::Connection,
            what: Bi::new(
                format!(
                    "La clé acceptée d’avance ({accepted}) n’est pas celle épinglée pour {at} ({pinned})."
                ),
                format!(
                    "The key accepted in advance ({accepted}) is not the one pinned for {at} ({pinned})."
                ),
            ),
            todo: Bi::new(
                "Demandez au client si le serveur a été réinstallé. Seulement alors, oubliez l’ancienne clé\u{a0}: poterne edit CHEMIN --forget-host-key.",
                "Ask the client whether the server was reinstalled. Only then forget the old key: poterne edit PATH --forget-host-key.",
            ),
        })
    }

    pub(super) fn pin(
        &mut self,
        entry: EntryId,
        fields: Vec<(&'static str, String)>,
        key: &PinnedKey,
    ) -> Result<(), AppError> {
        self.write(|v, rows, env| {
            let node = locate(v, &At::Id(entry))?;
            let old = v.entry(rows, &node.client)?;
            let mut client = old.clone();
            plan::pin(&mut client, key);
            if client.settings != old.settings {
                supersede(v, rows, env, &old, &mut client)?;
            }
            let mut line: Draft = draft(v, env, Event::HostKeyAccepted, true);
            line.fields.extend(fields);
            line.fields.push((
                field::HOST_KEY,
                format!("{} {} {}", key.at, key.algorithm, key.fingerprint),
            ));
            Ok(v.log(rows, env, line)?)
        })
    }
}

/// The fingerprints in an answer given in advance: one, or several apart by
/// commas, where jump hosts are new too.
pub(super) fn prints(accepted: &str) -> impl Iterator<Item = &str> {
    accepted.split(',').map(str::trim)
}
