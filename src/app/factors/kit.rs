//! The recovery kit of a member: drawn, then put in the place of the old one,
//! which works until then. The kit itself is never stored.

use crate::app::api::{AppError, AttachmentBytes, Factors, Reply};
use crate::app::worker::Open;
use crate::app::{auditing, draft, enrolment, exporting, people};
use crate::model::audit_event::{Event, field};
use crate::model::id::SlotId;
use crate::model::lang::Lang;
use crate::os::{clock, random};
use crate::secret::{SecretBytes, SecretText};
use crate::vault::code;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params};
use crate::vault::unlocked::{Env, Unlocked};

impl Open {
    /// Draws a kit; the old one works until [`Open::keep_kit`]. A kit opens the
    /// vault for good: so it is drawn only for who proves the present factors.
    pub(in crate::app) fn draw_kit(&mut self, current: &Factors) -> Result<Reply, AppError> {
        self.prove(current, "recovery kit")?;
        let mut fill = |out: &mut [u8]| random::fill(out);
        let kit = code::draw(&mut fill);
        let printed = code::print(Kind::Recovery, &kit);
        self.new_kit = Some(kit);
        Ok(Reply::Kit(printed))
    }

    /// The drawn kit as a page to print.
    pub(in crate::app) fn kit_page(&mut self, lang: Lang) -> Result<Reply, AppError> {
        let kit = self.new_kit.as_ref().ok_or_else(not_drawn)?;
        let printed = code::print(Kind::Recovery, kit);
        let (v, file) = (&self.vault, self.store.file());
        let print = auditing::fingerprint(v);
        let name = people::name(v, &v.me);
        let page = exporting::kit_page(&printed, file, &name, &print, clock::now(), lang)?;
        Ok(Reply::Attachment(AttachmentBytes(SecretBytes::new(page))))
    }

    /// Puts the drawn kit in the place of the old one. One that was typed wrong,
    /// or is not the one drawn last, changes nothing and may be typed again.
    pub(in crate::app) fn keep_kit(&mut self, typed: &SecretText) -> Result<Reply, AppError> {
        let drawn = self.new_kit.as_ref().ok_or_else(not_drawn)?;
        if !enrolment::is_kit(typed, drawn) {
            return Err(enrolment::another_kit());
        }
        let kit = drawn.duplicate();
        self.write(|v, rows, env| {
            put_kit(v, rows, env, &kit)?;
            let mut line = draft(v, env, Event::FactorChanged, true);
            line.fields.push((field::DETAIL, "recovery kit".to_owned()));
            Ok(v.log(rows, env, line)?)
        })?;
        self.new_kit = None;
        Ok(Reply::Done)
    }
}

fn not_drawn() -> AppError {
    AppError::usage(
        ("Aucun kit de secours n’a été tiré.", "No recovery kit was drawn."),
        (
            "Demandez-en un nouveau\u{a0}; l’ancien fonctionne toujours.",
            "Ask for a new one; the old one still works.",
        ),
    )
}

/// Replaces the member's recovery kit.
pub(super) fn put_kit(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    kit: &SecretBytes,
) -> Result<(), AppError> {
    let me = v.me;
    for old in rows.slots()?.iter().filter(|s| s.member == me) {
        if Params::parse(&old.params).is_ok_and(|p| p.kind == Kind::Recovery) {
            v.drop_slot(rows, &old.id)?;
        }
    }
    let id = SlotId(env.id());
    let (row, _) =
        code::create(&v.header.vault, id, Kind::Recovery, me, kit, &v.member_key, env.random);
    Ok(v.put_slot(rows, &row)?)
}
