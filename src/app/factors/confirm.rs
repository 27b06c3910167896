//! The present factors once more, before anything that gives lasting access: a
//! vault that lies open proves nobody. Changes no factor itself.

use crate::app::anchor::DeviceKey;
use crate::app::api::{AppError, Code, Factors};
use crate::app::draft;
use crate::app::unlock::{machine, refused, stretch, use_code};
use crate::app::worker::Open;
use crate::crypto::kdf::Cost;
use crate::model::audit_event::{Event, field};
use crate::os::clock;
use crate::secret::{Key32, SecretBytes, SecretText};
use crate::vault::login;
use crate::vault::rows::Rows;
use crate::vault::slot::Params;

/// What the factors gave that a new login is made with.
pub(super) struct Confirmed {
    /// Cost of the login.
    pub(super) cost: Cost,
    /// Its TOTP secret.
    pub(super) secret: SecretBytes,
    /// The step whose code proved it.
    pub(super) used: u64,
}

impl Open {
    /// Checks the factors again and uses up the code. A refusal is logged with
    /// what it was asked for.
    pub(super) fn confirm(&mut self, given: &Factors, act: &str) -> Result<Confirmed, AppError> {
        self.writable()?;
        let confirmed = self.proves(given);
        if matches!(&confirmed, Err(e) if e.code == Code::Locked) {
            // The refusal stands though it could not be logged.
            let _ = self.write(|v, rows, env| {
                let mut line = draft(v, env, Event::UnlockRefused, false);
                line.fields.push((field::MACHINE, machine()));
                line.fields.push((field::DETAIL, format!("factors asked again: {act}")));
                Ok(v.log(rows, env, line)?)
            });
        }
        confirmed
    }

    /// As [`Open::confirm`], where nothing is made of what the factors gave.
    pub(in crate::app) fn prove(&mut self, given: &Factors, act: &str) -> Result<(), AppError> {
        self.confirm(given, act).map(drop)
    }

    fn proves(&mut self, given: &Factors) -> Result<Confirmed, AppError> {
        let device = DeviceKey::load(self.vault.vault())?;
        let slot = self.slot;
        let vault = *self.vault.vault();
        let (row, near, span, head) = self.read(|_, rows| {
            let row =
                rows.slots()?.into_iter().find(|s| s.id == slot).ok_or_else(AppError::refused)?;
            let near = rows.otp_days(&slot, Some(login::days_near(clock::now())))?;
            let head = rows.otp_head(&slot)?.ok_or_else(AppError::refused)?;
            Ok((row, near, rows.otp_span(&slot)?, head))
        })?;
        let secret_of = |member_key: &Key32| {
            login::secret_of(&vault, &row, &head, member_key)
                .map_err(|_| AppError::tampered("la table des codes", "the table of codes"))
        };
        let params = Params::parse(&row.params).ok().and_then(|p| p.login);
        let cost = params.ok_or_else(AppError::refused)?.cost;
        if self.proved.take().is_some_and(|proved| same(&proved, given)) {
            let secret = secret_of(&self.vault.member_key)?;
            return Ok(Confirmed { cost, secret, used: self.used_step });
        }
        let typed = login::Given {
            password: &given.password,
            code: &given.code,
            device: device.as_ref().map(|d| &d.key),
        };
        let days = login::Days { span, rows: &near };
        let hint = i8::try_from(self.place.memory.skew).unwrap_or(0);
        let opened = login::open(&vault, &row, &days, &typed, clock::now(), hint, &mut stretch)
            .map_err(refused)?;
        let secret = secret_of(&opened.member_key)?;
        let used = opened.used_step;
        self.write(|v, rows, env| {
            use_code(v, rows, env, &slot, device.as_ref().map(|d| &d.key), &opened)
        })?;
        Ok(Confirmed { cost, secret, used })
    }
}

fn same(a: &Factors, b: &Factors) -> bool {
    let equal = |a: &SecretText, b: &SecretText| a.expose(|a| b.expose(|b| a == b));
    equal(&a.password, &b.password) && equal(&a.code, &b.code)
}
