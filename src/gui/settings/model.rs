//! State of the settings page. Knows no egui; what is typed lies in wiped
//! buffers, what is shown once in wiped values.

use std::path::PathBuf;

use crate::app::api::{
    AppError, ChangePassword, CheckReport, DeviceView, Factors, Request, Settings,
};
use crate::gui::act::Act;
use crate::gui::widgets::secret_buffer::SecretBuffer;
use crate::gui::widgets::strength::Strength;
use crate::gui::worker::{Command, Tag};
use crate::model::lang::Bi;
use crate::secret::SecretText;

use super::shared::SharedRow;

/// A part of the page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// Own password, phone, kit.
    Me,
    /// Enrolled computers.
    Devices,
    /// Settings, backup, check.
    Vault,
    /// Look and language.
    Looks,
    /// Version and licences.
    About,
}

/// Which job of the page runs or was last done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Work {
    /// Own password.
    Password,
    /// Own phone.
    Phone,
    /// Own kit.
    Kit,
    /// Computers.
    Devices,
    /// Settings.
    Settings,
    /// Backup.
    Backup,
    /// Check.
    Check,
    /// Connectors that the vault shares.
    Shared,
}

/// State of the page.
pub struct SettingsModel {
    /// Which part.
    pub part: Part,
    /// Present password, for acts that need the factors again.
    pub password: SecretBuffer,
    /// A fresh code.
    pub code: SecretBuffer,
    /// New password.
    pub new: SecretBuffer,
    /// The same again.
    pub again: SecretBuffer,
    /// Show what is typed.
    pub shown: bool,
    /// Estimate of the new password.
    pub strength: Strength,
    /// otpauth URI of a new seed, until it is confirmed.
    pub seed: Option<SecretText>,
    /// Code of the new seed.
    pub seed_code: SecretBuffer,
    /// A drawn kit, which does not count before it was typed back.
    pub kit: Option<SecretText>,
    /// It is noted, and hidden to be typed back.
    pub kit_noted: bool,
    /// What is typed back.
    pub kit_back: SecretBuffer,
    /// Computers.
    pub devices: Option<Vec<DeviceView>>,
    /// They were asked for.
    pub devices_asked: bool,
    /// Name of another computer.
    pub label: String,
    /// One-time code for it.
    pub device_code: Option<SecretText>,
    /// Settings as typed; `None` before they were read.
    pub settings: Option<Settings>,
    /// The vault's own, as they were read last.
    pub stored: Option<Settings>,
    /// Why they could not be read.
    pub unread: Option<AppError>,
    /// The vault's fingerprint.
    pub fingerprint: Option<String>,
    /// It was asked for.
    pub fingerprint_asked: bool,
    /// Connectors that the vault shares.
    pub shared: Option<Vec<SharedRow>>,
    /// They were asked for.
    pub shared_asked: bool,
    /// Backup folder or file and what was counted.
    pub backup: Option<(PathBuf, u64, u64)>,
    /// What the check found.
    pub check: Option<CheckReport>,
    /// Which job runs.
    pub busy: Option<Work>,
    /// Which job failed and why.
    pub error: Option<(Work, AppError)>,
    /// Which job was done.
    pub done: Option<Work>,
    /// What to know about it.
    pub notices: Vec<Bi>,
}

impl Default for SettingsModel {
    fn default() -> Self {
        let new = SecretBuffer::line();
        let strength = Strength::of(&new, &[]);
        Self {
            part: Part::Me,
            password: SecretBuffer::line(),
            code: SecretBuffer::code(6),
            again: SecretBuffer::line(),
            shown: false,
            strength,
            new,
            seed: None,
            seed_code: SecretBuffer::code(6),
            kit: None,
            kit_noted: false,
            kit_back: SecretBuffer::line(),
            devices: None,
            devices_asked: false,
            label: String::new(),
            device_code: None,
            settings: None,
            stored: None,
            unread: None,
            fingerprint: None,
            fingerprint_asked: false,
            shared: None,
            shared_asked: false,
            backup: None,
            check: None,
            busy: None,
            error: None,
            done: None,
            notices: Vec::new(),
        }
    }
}

impl SettingsModel {
    /// Another part: what was shown or typed for the last one is wiped.
    pub fn show(&mut self, part: Part) {
        let (settings, stored) = (self.settings.take(), self.stored.take());
        *self = Self { part, settings, stored, ..Self::default() };
    }

    /// Reads the settings again: another member may have changed them.
    pub fn read_settings() -> Act {
        Act::Send(Command::Ask(Tag::Settings, Request::Settings))
    }

    /// They are read. What was typed and not saved stays, all else is as stored.
    pub fn loaded(&mut self, stored: Settings) {
        let typed = match (self.settings.take(), &self.stored) {
            (Some(typed), Some(before)) => merged(typed, before, &stored),
            _ => stored.clone(),
        };
        self.settings = Some(typed);
        self.stored = Some(stored);
        self.unread = None;
    }

    fn start(&mut self, work: Work, tag: Tag, request: Request) -> Act {
        self.busy = Some(work);
        self.error = None;
        self.done = None;
        self.notices.clear();
        Act::Send(Command::Ask(tag, request))
    }

    fn factors(&mut self) -> Factors {
        let code = self.code.to_secret();
        self.code.clear();
        Factors { password: self.password.to_secret(), code }
    }

    /// Whether the present factors are typed.
    pub fn has_factors(&self) -> bool {
        self.busy.is_none() && !self.password.is_empty() && self.code.char_count() == 6
    }

    /// Changes the password.
    pub fn change_password(&mut self) -> Option<Act> {
        if !self.has_factors() || !self.strength.enough() || !self.new.same_as(&self.again) {
            return None;
        }
        let change = ChangePassword { current: self.factors(), new: self.new.to_secret() };
        let request = Request::ChangePassword(Box::new(change));
        Some(self.start(Work::Password, Tag::Password, request))
    }

    /// Begins a new seed.
    pub fn begin_seed(&mut self) -> Option<Act> {
        if !self.has_factors() {
            return None;
        }
        let current = self.factors();
        Some(self.start(Work::Phone, Tag::TotpBegin, Request::BeginTotpReset { current }))
    }

    /// Confirms the new seed.
    pub fn finish_seed(&mut self) -> Option<Act> {
        if self.busy.is_some() || self.seed_code.char_count() != 6 {
            return None;
        }
        let code = self.seed_code.to_secret();
        self.seed_code.clear();
        Some(self.start(Work::Phone, Tag::TotpFinish, Request::FinishTotpReset { code }))
    }

    /// Draws a new kit; the old one stays good.
    pub fn draw_kit(&mut self) -> Option<Act> {
        if !self.has_factors() {
            return None;
        }
        let current = self.factors();
        Some(self.start(Work::Kit, Tag::Kit, Request::DrawKit { current }))
    }

    /// Puts the kit that was typed back in the place of the old one.
    pub fn keep_kit(&mut self) -> Option<Act> {
        if self.busy.is_some() || self.kit_back.is_empty() {
            return None;
        }
        let typed = self.kit_back.to_secret();
        Some(self.start(Work::Kit, Tag::KitKept, Request::KeepKit { typed }))
    }

    /// Forgets the drawn kit: it counts now, or never will.
    pub fn drop_kit(&mut self) {
        self.kit = None;
        self.kit_noted = false;
        self.kit_back.clear();
        self.done = None;
        if self.error.as_ref().is_some_and(|(work, _)| *work == Work::Kit) {
            self.error = None;
        }
    }

    /// Whether a code for another computer can be asked for.
    pub fn may_add_device(&self) -> bool {
        self.has_factors() && !self.label.trim().is_empty()
    }

    /// Asks a code for another computer.
    pub fn add_device(&mut self) -> Option<Act> {
        if !self.may_add_device() {
            return None;
        }
        let label = self.label.trim().to_owned();
        let current = self.factors();
        Some(self.start(Work::Devices, Tag::DeviceCode, Request::AddDevice { label, current }))
    }

    /// Saves the settings as typed.
    pub fn save_settings(&mut self) -> Option<Act> {
        let (new, expected) = (self.settings.clone()?, self.stored.clone()?);
        let request = Request::SetSettings { expected, new };
        Some(self.start(Work::Settings, Tag::SettingsSaved, request))
    }

    /// Makes a backup; `to` absent: the vault's backup folder.
    pub fn backup(&mut self, to: Option<PathBuf>) -> Act {
        self.start(Work::Backup, Tag::Backup, Request::Backup { to })
    }

    /// Checks everything.
    pub fn check(&mut self) -> Act {
        self.start(Work::Check, Tag::Check, Request::Check)
    }

    /// Puts a manifest into the vault, for all its members.
    pub fn share(&mut self, text: String) -> Act {
        self.start(Work::Shared, Tag::SharedChanged, Request::Share { text })
    }

    /// The running job is done.
    pub fn finished(&mut self) {
        self.done = self.busy.take();
        let proved = [Work::Password, Work::Phone, Work::Kit, Work::Devices];
        if self.done.is_some_and(|done| proved.contains(&done)) && self.seed.is_none() {
            for typed in [&mut self.password, &mut self.new, &mut self.again] {
                typed.clear();
            }
        }
    }

    /// The running job failed; the error comes back when its part was left.
    pub fn refused(&mut self, error: AppError) -> Option<AppError> {
        match self.busy.take() {
            Some(work) => {
                self.error = Some((work, error));
                None
            }
            None => Some(error),
        }
    }
}

/// What was typed over `before`, and everything else as it is `now`.
fn merged(typed: Settings, before: &Settings, now: &Settings) -> Settings {
    fn of<T: PartialEq>(typed: T, before: T, now: T) -> T {
        if typed == before { now } else { typed }
    }
    Settings {
        idle_lock_secs: of(typed.idle_lock_secs, before.idle_lock_secs, now.idle_lock_secs),
        lock_ends_sessions: of(
            typed.lock_ends_sessions,
            before.lock_ends_sessions,
            now.lock_ends_sessions,
        ),
        clipboard_secs: of(typed.clipboard_secs, before.clipboard_secs, now.clipboard_secs),
        backups_kept: of(typed.backups_kept, before.backups_kept, now.backups_kept),
    }
}
