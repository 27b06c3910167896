//! Changing the own password or phone: never without the present factors, though
//! the vault is open.

use crate::app::anchor::DeviceKey;
use crate::app::api::{AppError, ChangePassword, Code, Factors, Reply};
use crate::app::enrolment::{check_password, uri_of};
use crate::app::unlock::{refused, stretch, use_code};
use crate::app::worker::Open;
use crate::app::{devices, draft, people};
use crate::crypto::kdf::Cost;
use crate::model::audit_event::{Event, field};
use crate::model::id::DeviceId;
use crate::os::{clock, random};
use crate::secret::{Key32, SecretBytes, SecretText};
use crate::vault::login;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params};
use crate::vault::state::Device;

use super::dropped_notice;
use super::login::{NewLogin, before, make_login, put_login};

/// A new TOTP secret between its two requests.
pub(in crate::app) struct NewSeed {
    secret: SecretBytes,
    password: SecretText,
}

impl Open {
    /// Checks factors again and uses up the code. Returns the cost of the login
    /// and its TOTP secret.
    fn confirm(
        &mut self,
        given: &Factors,
    ) -> Result<(Cost, SecretBytes, Option<DeviceId>, u64), AppError> {
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
        let login_params = Params::parse(&row.params).map_err(|_| AppError::refused())?;
        let login_params = login_params.login.ok_or_else(AppError::refused)?;
        if self.proved.take().is_some_and(|proved| same(&proved, given)) {
            let secret = secret_of(&self.vault.member_key)?;
            return Ok((login_params.cost, secret, login_params.device, self.used_step));
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
        Ok((login_params.cost, secret, login_params.device, used))
    }

    pub(in crate::app) fn change_password(
        &mut self,
        change: ChangePassword,
    ) -> Result<Reply, AppError> {
        check_password(&change.new)?;
        let (cost, secret, _, used) = self.confirm(&change.current)?;
        self.replace_login(&change.new, &secret, cost, used, "password")
    }

    pub(in crate::app) fn begin_totp_reset(&mut self, current: Factors) -> Result<Reply, AppError> {
        self.confirm(&current)?;
        let mut secret = vec![0; 20];
        random::fill(&mut secret);
        let secret = SecretBytes::new(secret);
        let stem = self.store.file().file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let name = people::name(&self.vault, &self.vault.me);
        let uri = uri_of(&secret, &stem, &name);
        self.new_totp = Some(NewSeed { secret, password: current.password });
        Ok(Reply::NewTotp(uri))
    }

    pub(in crate::app) fn finish_totp_reset(
        &mut self,
        code: &SecretText,
    ) -> Result<Reply, AppError> {
        let Some(new) = self.new_totp.take() else {
            return Err(AppError::usage(
                (
                    "Aucun nouveau téléphone n’est en cours d’enregistrement.",
                    "No new phone is being set up.",
                ),
                (
                    "Recommencez avec `poterne totp-reset`.",
                    "Begin again with `poterne totp-reset`.",
                ),
            ));
        };
        let step = code.expose(|c| login::confirm(&new.secret, c, clock::now()));
        let Some(step) = step else {
            self.new_totp = Some(new);
            return Err(AppError::new(
                Code::Locked,
                (
                    "Ce code ne vient pas de ce QR code.",
                    "This code does not belong to this QR code.",
                ),
                ("Tapez le code affiché maintenant.", "Type the code shown now."),
            ));
        };
        let slot = self.slot;
        let cost = self.read(|_, rows| {
            let row = rows.slots()?.into_iter().find(|s| s.id == slot);
            let login = row.and_then(|r| Params::parse(&r.params).ok()).and_then(|p| p.login);
            Ok(login.map_or(Cost::DEFAULT, |l| l.cost))
        })?;
        self.replace_login(&new.password, &new.secret, cost, before(step), "totp")
    }

    /// Makes this computer's login anew and drops the member's others: their
    /// factors are the old ones.
    fn replace_login(
        &mut self,
        password: &SecretText,
        secret: &SecretBytes,
        cost: Cost,
        used: u64,
        what: &str,
    ) -> Result<Reply, AppError> {
        let device = DeviceKey::load(self.vault.vault())?;
        let slot = self.slot;
        let portable = self.read(|_, rows| {
            let row = rows.slots()?.into_iter().find(|s| s.id == slot);
            let login = row.and_then(|r| Params::parse(&r.params).ok()).and_then(|p| p.login);
            Ok(login.is_none_or(|l| l.device.is_none()))
        })?;
        let device = device.filter(|_| !portable);
        let me = self.vault.me;
        let name = people::name(&self.vault, &me);
        let made = make_login(
            *self.vault.vault(),
            slot,
            me,
            &self.vault.member_key,
            &NewLogin {
                name: &name,
                password,
                secret,
                device: device.as_ref().map(|d| (d.id, &d.key)),
                cost,
                used_step: used,
            },
        )?;
        let what = what.to_owned();
        self.write(|v, rows, env| {
            let awaited = devices::awaited(rows)?;
            let others =
                |d: &&Device| d.member == me && d.slot != slot && !awaited.contains(&d.slot);
            let dropped: Vec<String> =
                v.state.devices.iter().filter(others).map(|d| d.label.clone()).collect();
            for old in rows.slots()?.iter().filter(|s| s.member == me) {
                if Params::parse(&old.params).is_ok_and(|p| p.kind == Kind::Login) {
                    v.drop_slot(rows, &old.id)?;
                }
            }
            v.state
                .devices
                .retain(|d| d.member != me || d.slot == slot || awaited.contains(&d.slot));
            put_login(v, rows, &made)?;
            if what == "totp" {
                // A new secret counts from its own first step.
                v.state.last_steps.retain(|(m, _)| *m != me);
            }
            let mut line = draft(v, env, Event::FactorChanged, true);
            line.fields.push((field::DETAIL, what));
            v.log(rows, env, line)?;
            Ok(Reply::Renewed { notices: dropped_notice(&dropped).into_iter().collect() })
        })
    }
}

fn same(a: &Factors, b: &Factors) -> bool {
    let equal = |a: &SecretText, b: &SecretText| a.expose(|a| b.expose(|b| a == b));
    equal(&a.password, &b.password) && equal(&a.code, &b.code)
}
