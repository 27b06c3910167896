//! A profile of OpenVPN that is imported into the form: what was taken of it, what was
//! left out, and what of it fills which field. Knows no egui; reads no file itself.

use crate::app::api::{AppError, Code, SecretChange};
use crate::connect::openvpn::fields::{SERVERS, SOURCE};
use crate::connect::openvpn::profile::{self, Beside, Dropped, Facts};
use crate::connect::openvpn::{ID, profile_slot};
use crate::gui::text;
use crate::model::entry::Slot;
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::model::unseen::hidden;
use crate::secret::SecretText;

use super::editor::Editor;

/// The setting that says how a one-time code travels, and its word for Sophos.
const OTP: (&str, &str) = ("otp", "append");
/// Longest name that is made up, in characters.
const NAME_MAX: usize = 50;
/// Servers that an entry names.
const SERVERS_MAX: usize = 16;
/// How long before its end a certificate is warned of, in days.
pub const SOON_DAYS: i64 = 30;

/// A profile that was read and is not saved yet.
pub struct Imported {
    /// Name of its file.
    pub file: String,
    /// Where it was.
    pub source: String,
    /// What may be shown of it.
    pub facts: Facts,
    /// What was left out, what could have done harm first.
    pub dropped: Vec<Dropped>,
    /// Risks that remain.
    pub warnings: Vec<Bi>,
    text: SecretText,
    user: String,
    password: Option<SecretText>,
    append: bool,
}

impl Imported {
    /// Reads the profile `bytes` of the file called `file`, which was at `source`;
    /// `beside` gives the files that it names.
    ///
    /// # Errors
    /// It is no profile, or not one for a client of the kind that is opened here.
    pub fn read(
        file: String,
        source: String,
        bytes: &[u8],
        beside: Beside<'_>,
    ) -> Result<Self, AppError> {
        let reading = profile::read(bytes, beside).map_err(|refused| {
            let what = refused.what();
            let named = Bi::new(
                format!("«\u{a0}{file}\u{a0}»\u{a0}: {}", what.fr),
                format!("“{file}”: {}", what.en),
            );
            AppError { code: Code::Usage, what: named, todo: refused.todo() }
        })?;
        let mut dropped = reading.dropped;
        // Those of one kind stay in the order of their lines.
        dropped.sort_by_key(|dropped| !dropped.class.is_grave());
        let (user, password) = match reading.login {
            Some(login) => (login.user, login.password),
            None => (String::new(), None),
        };
        Ok(Self {
            file,
            source,
            facts: reading.profile.facts(),
            dropped,
            warnings: reading.warnings,
            text: reading.profile.text(),
            user,
            password,
            append: reading.hints.otp == Some(true),
        })
    }

    /// How many of what was left out could have done harm.
    pub fn grave(&self) -> usize {
        self.dropped.iter().filter(|dropped| dropped.class.is_grave()).count()
    }

    /// What is saved of it: the profile as it was written again.
    pub(super) fn change(&self) -> (Slot, SecretChange) {
        (profile_slot(), SecretChange::Put(self.text.duplicate().into_bytes()))
    }

    /// The servers, as the entry keeps them.
    fn servers(&self) -> String {
        let place = |p: &profile::Place| {
            format!("{}/{}", p.at, if p.proto.is_tcp() { "tcp" } else { "udp" })
        };
        self.facts.places.iter().take(SERVERS_MAX).map(place).collect::<Vec<_>>().join(", ")
    }
}

/// A name for the entry, made of that of the file: few enough characters for every
/// alphabet, all of them seen.
fn named(file: &str) -> String {
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let plain = stem.chars().map(|c| if c == '/' || hidden(c) { '-' } else { c });
    plain.take(NAME_MAX).collect::<String>().trim().to_owned()
}

/// Days from that of `now` to that of `at`; negative once it is past.
pub fn days_left(at: Time, now: Time) -> i64 {
    i64::from((text::utc_day(at) - text::utc_day(now)).get_days())
}

impl Editor {
    /// Whether the form is for an entry with a profile.
    pub fn has_profile(&self) -> bool {
        self.kind.word() == ID
    }

    /// The saved entry has a profile.
    pub fn profile_saved(&self) -> bool {
        self.base.as_ref().is_some_and(|view| view.entry.secrets.contains_key(&profile_slot()))
    }

    /// Whether a custom field of that name is one that the form fills otherwise.
    pub(super) fn fills_otherwise(&self, name: &str) -> bool {
        self.has_profile() && Slot::Custom(name.to_owned()) == profile_slot()
    }

    /// Takes a profile over: its servers replace those that stand there, everything
    /// else fills only what is empty.
    pub fn import(&mut self, imported: Box<Imported>) {
        self.error = None;
        self.settings.insert(SERVERS.id, imported.servers());
        self.settings.insert(SOURCE.id, imported.source.clone());
        let otp = self.settings.entry(OTP.0).or_default();
        if imported.append && otp.is_empty() {
            OTP.1.clone_into(otp);
        }
        if self.name.trim().is_empty() {
            self.name = named(&imported.file);
        }
        if self.user.trim().is_empty() {
            self.user.clone_from(&imported.user);
        }
        if let Some(password) = &imported.password
            && let Some(field) = self.secrets.iter_mut().find(|s| s.slot == Slot::Password)
            && field.buffer.is_empty()
            && !field.existed
        {
            password.expose(|password| field.buffer.set(password));
            field.changed();
        }
        if let Some(at) = imported.facts.client_expires()
            && (self.expires.trim().is_empty() || self.profile_saved())
        {
            self.expires = text::day(text::utc_day(at), self.lang);
        }
        self.profile = Some(imported);
    }
}
