//! Where copied text may go, as an entry says it.

use crate::connect::field::{Field, FieldKind, Word};

const DIRECTIONS: &[Word] = &[
    Word { word: "both", fr: "dans les deux sens", en: "both ways" },
    Word { word: "in", fr: "vers le serveur seulement", en: "to the server only" },
    Word { word: "out", fr: "depuis le serveur seulement", en: "from the server only" },
    Word { word: "none", fr: "non partagé", en: "not shared" },
];

/// The setting, for those whose clipboard takes any text.
pub const FIELD: Field = Field::new(
    "clipboard",
    "Presse-papiers",
    "Clipboard",
    FieldKind::Choice(DIRECTIONS),
)
.explained(
    "Où ce qui est copié a le droit d’aller\u{a0}: texte jusqu’à 1\u{a0}Mio, et fichiers en RDP.",
    "Where what is copied may go: text up to 1 MiB, and files with RDP.",
)
.usually("both");

/// Where copied text may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clipboard {
    /// From here to the server.
    pub to_server: bool,
    /// From the server to here.
    pub from_server: bool,
}

impl Clipboard {
    /// What a word of the setting means.
    pub fn of(word: &str) -> Self {
        Self {
            to_server: matches!(word, "both" | "in"),
            from_server: matches!(word, "both" | "out"),
        }
    }
}
