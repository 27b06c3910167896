//! The recovery kit of a member: drawn, then put in the place of the old one,
//! which works until then. The kit itself is never stored.

use crate::app::api::{AppError, Reply};
use crate::app::draft;
use crate::app::worker::Open;
use crate::model::audit_event::{Event, field};
use crate::model::id::SlotId;
use crate::os::random;
use crate::secret::SecretBytes;
use crate::vault::code;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params};
use crate::vault::unlocked::{Env, Unlocked};

impl Open {
    pub(in crate::app) fn new_kit(&mut self) -> Result<Reply, AppError> {
        let drawn = self.draw_kit()?;
        self.keep_kit()?;
        Ok(drawn)
    }

    /// Draws a kit; the old one works until [`Open::keep_kit`].
    pub(in crate::app) fn draw_kit(&mut self) -> Result<Reply, AppError> {
        self.writable()?;
        let mut fill = |out: &mut [u8]| random::fill(out);
        let kit = code::draw(&mut fill);
        let printed = code::print(Kind::Recovery, &kit);
        self.new_kit = Some(kit);
        Ok(Reply::Kit(printed))
    }

    /// Puts the drawn kit in the place of the old one.
    pub(in crate::app) fn keep_kit(&mut self) -> Result<Reply, AppError> {
        let Some(kit) = self.new_kit.take() else {
            return Err(AppError::usage(
                ("Aucun kit de secours n’a été tiré.", "No recovery kit was drawn."),
                ("Recommencez avec `poterne kit`.", "Begin again with `poterne kit`."),
            ));
        };
        self.write(|v, rows, env| {
            put_kit(v, rows, env, &kit)?;
            let mut line = draft(v, env, Event::FactorChanged, true);
            line.fields.push((field::DETAIL, "recovery kit".to_owned()));
            Ok(v.log(rows, env, line)?)
        })?;
        Ok(Reply::Done)
    }
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
