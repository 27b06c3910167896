//! Secrets on their way to a person: each is logged before it leaves, and only
//! to who may reveal.

use crate::crypto::totp::Seed;
use crate::model::audit_event::{Event, field};
use crate::model::entry::{Entry, Slot};
use crate::model::lang::Bi;
use crate::model::policy::Action;
use crate::os::clock;
use crate::store::sqlite::SqliteRows;
use crate::vault::cell::Purpose as Cell;
use crate::vault::unlocked::{Env, Unlocked};

use super::api::{AppError, At, AttachmentBytes, Code, Justification, Purpose, Reply, TotpView};
use super::entries::{locate, need};
use super::worker::Open;
use super::{draft, people, tickets};

/// Finds the entry, checks role, ticket and reason, and logs the act.
pub(super) fn released(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    (at, just): (&At, &Justification),
    (event, what): (Event, &str),
    exists: impl FnOnce(&Entry) -> bool,
) -> Result<Entry, AppError> {
    need(v, Action::Reveal)?;
    let node = locate(v, at)?;
    let entry = v.entry(rows, &node.id)?;
    if !exists(&entry) {
        return Err(nothing_there(&v.index.path(&node), event, what));
    }
    let client = v.entry(rows, &node.client)?;
    tickets::justified(&client.client_info.unwrap_or_default(), just)?;
    let mut line = draft(v, env, event, true);
    people::about_secret(v, &node, &mut line);
    people::why(just, &mut line);
    line.fields.push((field::SLOT, what.to_owned()));
    v.log(rows, env, line)?;
    Ok(entry)
}

/// The entry is there, but it has no such secret of its own.
fn nothing_there(path: &str, event: Event, what: &str) -> AppError {
    let (fr, en) = match (event, what.strip_prefix("attachment:")) {
        (Event::TotpShown, _) => ("de graine TOTP".to_owned(), "TOTP seed".to_owned()),
        (_, Some(name)) => {
            (format!("de pièce jointe «\u{a0}{name}\u{a0}»"), format!("attachment “{name}”"))
        }
        _ => (format!("de «\u{a0}{what}\u{a0}»"), format!("“{what}”")),
    };
    AppError {
        code: Code::NotFound,
        what: Bi::new(
            format!("«\u{a0}{path}\u{a0}» n’a pas {fr} en propre."),
            format!("“{path}” has no {en} of its own."),
        ),
        todo: Bi::new(
            format!(
                "Voyez ce qu’elle a avec `poterne show \"{path}\"`, et ce dont elle hérite avec `poterne plan`."
            ),
            format!(
                "See what it has with `poterne show \"{path}\"`, and what it inherits with `poterne plan`."
            ),
        ),
    }
}

impl Open {
    pub(super) fn reveal(
        &mut self,
        at: &At,
        slot: &Slot,
        purpose: Purpose,
        just: &Justification,
    ) -> Result<Reply, AppError> {
        let event = match purpose {
            Purpose::Reveal => Event::SecretRevealed,
            Purpose::Copy => Event::SecretCopied,
        };
        // The line is committed first; only then is the secret opened.
        let entry = self.write(|v, rows, env| {
            released(v, rows, env, (at, just), (event, &slot.to_string()), |e| {
                e.secrets.contains_key(slot)
            })
        })?;
        self.read(|v, rows| Ok(Reply::Secret(v.secret(rows, &entry, slot)?)))
    }

    pub(super) fn totp(
        &mut self,
        at: &At,
        purpose: Purpose,
        just: &Justification,
    ) -> Result<Reply, AppError> {
        let how = match purpose {
            Purpose::Reveal => "code",
            Purpose::Copy => "code copied",
        };
        let entry = self.write(|v, rows, env| {
            released(v, rows, env, (at, just), (Event::TotpShown, how), |e| {
                e.secrets.contains_key(&Slot::Totp)
            })
        })?;
        self.read(|v, rows| {
            let seed = seed_of(v.secret(rows, &entry, &Slot::Totp)?)?;
            let (code, seconds_left) = seed.code(clock::now());
            Ok(Reply::Totp(TotpView { code, seconds_left, period: u64::from(seed.period) }))
        })
    }

    pub(super) fn attachment(
        &mut self,
        at: &At,
        name: &str,
        just: &Justification,
    ) -> Result<Reply, AppError> {
        let entry = self.write(|v, rows, env| {
            let what = format!("attachment:{name}");
            released(v, rows, env, (at, just), (Event::SecretRevealed, &what), |e| {
                e.attachments.iter().any(|a| a.name == name)
            })
        })?;
        let file = entry.attachments.iter().find(|a| a.name == name);
        let cell = file.ok_or_else(|| AppError::no_entry(name))?.cell;
        self.read(|v, rows| {
            let bytes = v.open_blob(rows, entry.client, cell, Cell::Attachment)?;
            Ok(Reply::Attachment(AttachmentBytes(bytes)))
        })
    }
}

/// Reads a stored seed.
pub(super) fn seed_of(stored: crate::secret::SecretBytes) -> Result<Seed, AppError> {
    let bad = || AppError::tampered("une graine TOTP", "a TOTP seed");
    let text = stored.into_text().map_err(|_| bad())?;
    text.expose(Seed::parse).map_err(|_| bad())
}
