//! The settings of an OpenVPN entry, and how they are read.

use std::time::Duration;

use super::management::course::Otp;
use crate::connect::Failure;
use crate::connect::field::{Field, FieldKind, Word};
use crate::connect::ssh::fail;
use crate::connect::vpn::fields::KEEP;
use crate::model::target::Hop;

/// The code is written behind the password.
pub const APPEND: &str = "append";

const OTPS: &[Word] = &[
    Word { word: "challenge", fr: "à la question du serveur", en: "to the server’s question" },
    Word { word: APPEND, fr: "derrière le mot de passe", en: "behind the password" },
];

/// The servers of the profile, as its import found them.
pub const SERVERS: Field = Field::new("servers", "Serveurs", "Servers", FieldKind::Text)
    .explained(
        "Les serveurs du profil, dans l’ordre où ils sont essayés\u{a0}; changés par un import.",
        "The servers of the profile, in the order in which they are tried; an import changes \
             them.",
    )
    .own();

/// Where the profile came from.
pub const SOURCE: Field =
    Field::new("source", "Origine du profil", "Source of the profile", FieldKind::Text)
        .explained(
            "Fichier ou adresse d’où vient le profil, pour le reprendre.",
            "File or address that the profile came from, to fetch it again.",
        )
        .own();

/// How a one-time code travels.
pub const OTP: Field =
    Field::new("otp", "Code à usage unique", "One-time code", FieldKind::Choice(OTPS))
        .explained(
            "Répondu quand le serveur le demande, ou écrit derrière le mot de passe (Sophos).",
            "Answered when the server asks for it, or written behind the password (Sophos).",
        )
        .usually("challenge")
        .own();

/// For each server.
const CONNECT_TIMEOUT: Field = Field::new(
    "connect-timeout",
    "Délai de connexion (s)",
    "Connect timeout (s)",
    FieldKind::Number { min: 1, max: 600 },
)
.explained(
    "Secondes laissées à chaque serveur pour répondre.",
    "Seconds given to each server to answer.",
)
.usually("10");

/// Every setting, in the order of the form.
pub const FIELDS: &[Field] = &[SERVERS, SOURCE, OTP, CONNECT_TIMEOUT, KEEP];

/// The settings of an entry.
pub struct Settings {
    /// How a one-time code travels.
    pub otp: Otp,
    /// For each server.
    pub connect_timeout: Duration,
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// One makes no sense.
    pub fn of(hop: &Hop) -> Result<Self, Failure> {
        let text = |field: &Field| {
            let value = hop.settings.get(field.id).map_or("", |value| value.trim());
            if value.is_empty() { field.default } else { value }
        };
        let otp = match text(&OTP) {
            "challenge" => Otp::Challenge,
            APPEND => Otp::Append,
            other => return Err(fail::setting(OTP.id, other)),
        };
        let secs = text(&CONNECT_TIMEOUT);
        let connect_timeout = match secs.parse() {
            Ok(secs @ 1..=600) => Duration::from_secs(secs),
            _ => return Err(fail::setting(CONNECT_TIMEOUT.id, secs)),
        };
        Ok(Self { otp, connect_timeout })
    }
}
