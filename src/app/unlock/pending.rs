//! Lines of the log that happened while nobody could append them: sealed for
//! the next one who unlocks. Never opens one while the vault is locked.

use serde::{Deserialize, Serialize};

use crate::app::api::AppError;
use crate::app::worker::Worker;
use crate::audit::line::Draft;
use crate::crypto::kem::{self, KemSecret};
use crate::model::audit_event::{Event, field};
use crate::model::id::MemberId;
use crate::model::time::Time;
use crate::os::{clock, random};
use crate::secret::SecretBytes;
use crate::store::sqlite::SqliteStore;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

/// Refused unlocks that are kept at most while nobody opens the vault.
const PENDING_MAX: usize = 1000;
/// Tells pending lines from anything else sealed to the same key.
const PENDING_INFO: &[u8] = b"poterne/v1 pending line";

/// A line that could not be appended when it happened.
#[derive(Serialize, Deserialize)]
struct PendingLine {
    at: Time,
    actor: Option<MemberId>,
    event: String,
    ok: bool,
    fields: Vec<(String, String)>,
}

impl Worker {
    /// Keeps a line for the next unlock: sealed to a key that members hold.
    pub(in crate::app) fn put_pending(
        &self,
        event: Event,
        ok: bool,
        fields: Vec<(&'static str, String)>,
    ) -> Result<(), AppError> {
        let line = PendingLine {
            at: clock::now(),
            actor: None,
            event: event.word().to_owned(),
            ok,
            fields: fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
        };
        let plain = postcard::to_stdvec(&line).map_err(|e| {
            AppError::system(
                ("Une ligne du journal ne peut pas être gardée", "A log line cannot be kept"),
                &e,
            )
        })?;
        let mut store = SqliteStore::open(&self.file, false)?;
        store.write(|rows| {
            let head = rows.header()?;
            if rows.pending()?.len() >= PENDING_MAX {
                return Ok(());
            }
            let mut fill = |out: &mut [u8]| random::fill(out);
            let ct = kem::seal_to(&head.pending_pk, PENDING_INFO, &head.vault.0, &plain, &mut fill)
                .map_err(|_| AppError::tampered("l’en-tête", "the header"))?;
            Ok(rows.put_pending(&ct)?)
        })
    }
}

/// Appends the lines that waited for an unlock, with their own times inside.
pub(super) fn take_pending(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
) -> Result<(), AppError> {
    let waiting = rows.pending()?;
    let Some((last, _)) = waiting.last() else { return Ok(()) };
    let last = *last;
    let Some(secret) = v.ring.pending_seed().map(KemSecret::from_seed) else { return Ok(()) };
    for (_, sealed) in waiting {
        let line = secret
            .open(PENDING_INFO, &v.header.vault.0, &sealed)
            .ok()
            .and_then(|p: SecretBytes| p.expose(|b| postcard::from_bytes::<PendingLine>(b).ok()));
        let mut draft = match line {
            Some(line) => Draft {
                at: env.now,
                actor: line.actor,
                event: line.event.parse().unwrap_or(Event::UnlockRefused),
                ok: line.ok,
                fields: known(line.fields, line.at),
                fact: None,
            },
            // Anybody can write a row that nobody can open; that is worth a line too.
            None => Draft {
                at: env.now,
                actor: None,
                event: Event::UnlockRefused,
                ok: false,
                fields: vec![(field::DETAIL, "a pending line that does not open".to_owned())],
                fact: None,
            },
        };
        draft.fields.retain(|(_, value)| !value.is_empty());
        v.log(rows, env, draft)?;
    }
    Ok(rows.drop_pending(last)?)
}

fn known(fields: Vec<(String, String)>, at: Time) -> Vec<(&'static str, String)> {
    let mut out: Vec<(&'static str, String)> = fields
        .into_iter()
        .filter_map(|(n, v)| field::ALL.iter().find(|f| **f == n).map(|f| (*f, v)))
        .collect();
    match out.iter_mut().find(|(n, _)| *n == field::DETAIL) {
        Some((_, detail)) => *detail = format!("{detail} (at {at})"),
        None => out.push((field::DETAIL, format!("at {at}"))),
    }
    out
}
