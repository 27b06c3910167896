//! The settings by which an entry names the VPN before it, and how they are read.

use std::collections::BTreeMap;

use crate::connect::field::{Field, FieldKind, Word};

/// The VPN to go through.
pub const VPN: Field = Field::new("vpn", "VPN", "VPN", FieldKind::Entries).explained(
    "L’entrée VPN à monter avant la connexion\u{a0}; un dossier ou un client la donne à tout ce \
     qu’il contient.",
    "The VPN entry to raise before connecting; a folder or client gives it to all that it holds.",
);

const WORDS: &[Word] = &[
    Word { word: "always", fr: "toujours", en: "always" },
    Word {
        word: "no-answer",
        fr: "si la machine ne répond pas",
        en: "when the target does not answer",
    },
    Word { word: "ask", fr: "demander", en: "ask" },
    Word { word: "never", fr: "jamais", en: "never" },
];

/// When it is raised.
pub const WHEN: Field = Field::new(
    "vpn-when",
    "Quand monter le VPN",
    "When to raise the VPN",
    FieldKind::Choice(WORDS),
)
.explained(
    "Toujours, seulement si la machine ne répond pas sans lui, sur demande, ou jamais.",
    "Always, only when the target does not answer without it, on request, or never.",
)
.usually("always");

/// How long a VPN stays up after its last session.
pub const KEEP: Field = Field::new(
    "vpn-keep",
    "Garder après la dernière session (s)",
    "Keep after the last session (s)",
    FieldKind::Number { min: 0, max: 86_400 },
)
.explained(
    "Secondes pendant lesquelles le VPN reste monté sans session.",
    "Seconds for which the VPN stays up without any session.",
)
.usually("60")
.own();

/// When a VPN is raised.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// Before every connection.
    Always,
    /// When the first machine on the way does not answer without it.
    NoAnswer,
    /// When the person says so.
    Ask,
}

impl When {
    /// As the settings of an entry have it; none where it is never raised.
    pub fn of(settings: &BTreeMap<String, String>) -> Option<Self> {
        match settings.get(WHEN.id).map(String::as_str) {
            Some("never") => None,
            Some("no-answer") => Some(Self::NoAnswer),
            Some("ask") => Some(Self::Ask),
            _ => Some(Self::Always),
        }
    }
}
