//! A profile that was found: what is told of it, and what an entry gets of it. Stores
//! nothing.

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::app::api::{AppError, Code, Patch, SecretChange, Set};
use crate::connect::openvpn::fields;
use crate::connect::openvpn::profile::{self, Beside, Dropped, Facts, Reading, Refused};
use crate::connect::openvpn::profile_slot;
use crate::model::entry::{Entry, Slot};
use crate::model::lang::Bi;
use crate::model::time::Time;
use crate::model::unseen::{blank, hidden};
use crate::secret::SecretText;

/// Servers that an entry names.
const SERVERS_MAX: usize = 16;
/// Longest name that is made up, in characters: few enough for every alphabet.
const NAME_MAX: usize = 50;

/// A profile that may become an entry.
pub struct Found {
    name: String,
    source: String,
    reading: Reading,
    facts: Facts,
}

impl Found {
    /// Reads the profile `text` that was called `name` and came from `source`; the last
    /// is empty where that is not to be kept.
    ///
    /// # Errors
    /// It is no profile that is taken.
    pub(super) fn of(
        name: &str,
        source: &str,
        text: &[u8],
        beside: Beside<'_>,
    ) -> Result<Self, AppError> {
        let mut reading = profile::read(text, beside).map_err(refused)?;
        // Grave ones first, each kind from the top.
        reading.dropped.sort_by_key(|dropped| (!dropped.class.is_grave(), dropped.line));
        let facts = reading.profile.facts();
        Ok(Self { name: named(name), source: source.to_owned(), reading, facts })
    }

    /// What the entry would be called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// File or address to fetch it from again; may be empty.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What was left out, what could have done harm first.
    pub fn dropped(&self) -> &[Dropped] {
        &self.reading.dropped
    }

    /// Risks that remain.
    pub fn warnings(&self) -> &[Bi] {
        &self.reading.warnings
    }

    /// What may be shown of it.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The day on which the certificate of the client ends.
    pub fn expires(&self) -> Option<Date> {
        self.facts.client_expires().and_then(day)
    }

    /// The servers as the entry names them: `host:port/udp`, in their order.
    pub fn servers(&self) -> Vec<String> {
        let word = |tcp| if tcp { "tcp" } else { "udp" };
        let all = self.facts.places.iter().take(SERVERS_MAX);
        all.map(|place| format!("{}/{}", place.at, word(place.proto.is_tcp()))).collect()
    }

    /// The user that stood in it.
    pub fn user(&self) -> Option<&str> {
        let login = self.reading.login.as_ref()?;
        (!login.user.is_empty()).then_some(login.user.as_str())
    }

    /// A password stood in it.
    pub fn has_password(&self) -> bool {
        self.reading.login.as_ref().is_some_and(|login| login.password.is_some())
    }

    /// As [`Found::patch`], where the entry has this very profile already.
    pub(super) fn patch_around(&self, old: &Entry, user: Option<&str>) -> Patch {
        let mut patch = self.patch(Some(old), user);
        patch.secrets.remove(&profile_slot());
        patch
    }

    /// The whole profile as it is kept.
    pub(super) fn text(&self) -> SecretText {
        self.reading.profile.text()
    }

    /// What a new entry gets, or `old` when it is renewed; `user` is who a portal gave
    /// the profile to. What a person chose stays.
    pub(super) fn patch(&self, old: Option<&Entry>, user: Option<&str>) -> Patch {
        let mut patch = Patch::default();
        let mut set = |id: &str, value: String| patch.settings.insert(id.to_owned(), value);
        set(fields::SERVERS.id, self.servers().join(", "));
        // One that is not kept takes away none that is.
        if old.is_none() || !self.source.is_empty() {
            set(fields::SOURCE.id, self.source.clone());
        }
        if self.reading.hints.otp == Some(true) {
            set(fields::OTP.id, fields::APPEND.to_owned());
        }
        let known = old.is_some_and(|old| !old.user.is_empty());
        if let Some(user) = self.user().or(user).filter(|_| !known) {
            patch.user = Set::To(user.to_owned());
        }
        if let Some(day) = self.expires() {
            patch.expires = Set::To(Some(day));
        }
        let text = self.text().into_bytes();
        patch.secrets.insert(profile_slot(), SecretChange::Put(text));
        let password = self.reading.login.as_ref().and_then(|login| login.password.as_ref());
        if let Some(password) = password {
            let password = password.duplicate().into_bytes();
            patch.secrets.insert(Slot::Password, SecretChange::Put(password));
        }
        patch
    }
}

/// Nothing for what lasts longer than calendars.
fn day(time: Time) -> Option<Date> {
    let stamp = jiff::Timestamp::from_microsecond(time.0).ok()?;
    Some(TimeZone::UTC.to_datetime(stamp).date())
}

/// A name as entries may have it.
fn named(name: &str) -> String {
    let plain = name.chars().map(|c| if c == '/' || hidden(c) { '-' } else { c });
    let short: String = plain.take(NAME_MAX).collect();
    let short = short.trim();
    if blank(short) { "VPN".to_owned() } else { short.to_owned() }
}

/// A whole profile that is not taken.
pub(super) fn refused(refused: Refused) -> AppError {
    AppError { code: Code::Other, what: refused.what(), todo: refused.todo() }
}

#[cfg(test)]
mod tests {
    use super::{Found, named};
    use crate::app::api::{SecretChange, Set};
    use crate::connect::openvpn::profile_slot;
    use crate::model::entry::Slot;

    fn none(_: &str) -> std::io::Result<Vec<u8>> {
        Err(std::io::ErrorKind::NotFound.into())
    }

    #[test]
    fn an_entry_gets_servers_login_and_the_way_of_codes_of_a_profile() {
        let text = "client\ndev tun\nremote a.example 443 tcp-client\nremote 2001:db8::1\nup x\n\
                    register-dns\n;otp yes\n<auth-user-pass>\nalice\nsecret-1\n</auth-user-pass>\n";
        let found = Found::of("Acme/1", "/x/Acme.ovpn", text.as_bytes(), &mut none);
        let found = found.expect("a profile");
        assert_eq!(found.name(), "Acme-1");
        let patch = found.patch(None, Some("of the portal"));
        let setting = |id: &str| patch.settings.get(id).map_or("", String::as_str);
        assert_eq!(setting("servers"), "a.example:443/tcp, [2001:db8::1]:1194/udp");
        assert_eq!((setting("source"), setting("otp")), ("/x/Acme.ovpn", "append"));
        assert_eq!(patch.user, Set::To("alice".to_owned()));
        assert_eq!(patch.expires, Set::Keep, "no certificate is in it");
        let secret = |slot: &Slot| match patch.secrets.get(slot) {
            Some(SecretChange::Put(value)) => value.expose(|v| String::from_utf8_lossy(v).into()),
            _ => String::new(),
        };
        assert_eq!(secret(&Slot::Password), "secret-1");
        let kept = secret(&profile_slot());
        assert!(kept.contains("remote a.example 443") && !kept.contains("up x"), "{kept}");
        assert!(!kept.contains("secret-1"), "{kept}");
        assert!(found.dropped()[0].class.is_grave(), "{:?}", found.dropped());
    }

    #[test]
    fn a_name_is_made_of_any_file() {
        assert_eq!(named("  Site A "), "Site A");
        assert_eq!(named("\u{202e}"), "-");
        assert_eq!(named(""), "VPN");
        assert!(named(&"é".repeat(300)).len() <= 200);
    }
}
