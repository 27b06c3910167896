//! Changing the own password or phone: never without the present factors, though
//! the vault is open.

use crate::app::anchor::DeviceKey;
use crate::app::api::{AppError, ChangePassword, Code, Factors, Reply};
use crate::app::enrolment::{check_password, uri_of};
use crate::app::worker::Open;
use crate::app::{devices, draft, people};
use crate::crypto::kdf::Cost;
use crate::model::audit_event::{Event, field};
use crate::os::{clock, random};
use crate::secret::{SecretBytes, SecretText};
use crate::vault::login;
use crate::vault::rows::Rows;
use crate::vault::slot::{Kind, Params};
use crate::vault::state::Device;

use super::confirm::Confirmed;
use super::dropped_notice;
use super::login::{NewLogin, before, make_login, put_login};

/// A new TOTP secret between its two requests.
pub(in crate::app) struct NewSeed {
    secret: SecretBytes,
    password: SecretText,
}

impl Open {
    pub(in crate::app) fn change_password(
        &mut self,
        change: ChangePassword,
    ) -> Result<Reply, AppError> {
        check_password(&change.new)?;
        let Confirmed { cost, secret, used } = self.confirm(&change.current, "own password")?;
        self.replace_login(&change.new, &secret, cost, used, "password")
    }

    pub(in crate::app) fn begin_totp_reset(&mut self, current: Factors) -> Result<Reply, AppError> {
        self.prove(&current, "own phone")?;
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
