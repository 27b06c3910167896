//! Settings that the plain lines have in common, and how they are read.

use std::time::Duration;

use super::typed::{ENDINGS, Ending};
use crate::connect::Failure;
use crate::connect::field::{Field, FieldKind, Word};
use crate::connect::ssh::fail;
use crate::model::target::Hop;

const YEAR_SECS: u64 = 31_536_000;

/// Machines to pass through.
pub const JUMP: Field = Field::new("jump", "Rebonds", "Jump hosts", FieldKind::Entries).explained(
    "Entrées SSH à traverser, dans l’ordre, séparées par des virgules.",
    "SSH entries to pass through, in order, separated by commas.",
);

/// For connecting.
pub const CONNECT_TIMEOUT: Field = Field::new(
    "connect-timeout",
    "Délai de connexion (s)",
    "Connect timeout (s)",
    FieldKind::Number { min: 1, max: 600 },
)
.explained(
    "Secondes laissées à chaque étape de la connexion.",
    "Seconds given to each step of connecting.",
)
.usually("15");

/// Until an idle session ends.
pub const IDLE_TIMEOUT: Field = Field::new(
    "idle-timeout",
    "Délai d’inactivité (s)",
    "Idle timeout (s)",
    FieldKind::Number { min: 0, max: YEAR_SECS },
)
.explained(
    "La session se ferme après tant de secondes sans échange\u{a0}; 0\u{a0}: jamais.",
    "The session ends after so many seconds without traffic; 0: never.",
)
.usually("0");

/// What Enter sends.
pub const LINE_ENDING: Field =
    Field::new("line-ending", "Touche Entrée", "Enter key", FieldKind::Choice(ENDINGS))
        .explained(
            "Ce que la touche Entrée envoie\u{a0}; CR convient à presque tous les équipements.",
            "What the Enter key sends; CR suits almost every device.",
        )
        .usually("cr");

const ECHOES: &[Word] = &[
    Word { word: "auto", fr: "automatique", en: "automatic" },
    Word { word: "yes", fr: "oui", en: "yes" },
    Word { word: "no", fr: "non", en: "no" },
];

/// Whether typed text is shown by this side.
pub const LOCAL_ECHO: Field =
    Field::new("local-echo", "Écho local", "Local echo", FieldKind::Choice(ECHOES))
        .explained(
            "Affiche ici ce qui est tapé. Automatique\u{a0}: telnet suit ce que l’équipement \
             négocie, raw affiche à qui est devant un terminal, serial non.",
            "Shows here what is typed. Automatic: telnet follows what the device negotiates, \
             raw shows it to who sits at a terminal, serial does not.",
        )
        .usually("auto");

/// Reads the settings of a hop, defaults filled in.
#[derive(Clone, Copy)]
pub struct Reader<'a>(pub &'a Hop, pub &'static [Field]);

impl<'a> Reader<'a> {
    /// The value, or the default.
    pub fn text(&self, id: &str) -> &'a str {
        match self.0.settings.get(id).map(|v| v.trim()) {
            Some(value) if !value.is_empty() => value,
            _ => self.1.iter().find(|f| f.id == id).map_or("", |f| f.default),
        }
    }

    /// A number of seconds.
    ///
    /// # Errors
    /// It is none.
    pub fn secs(&self, id: &str) -> Result<Duration, Failure> {
        let text = self.text(id);
        text.parse().map(Duration::from_secs).map_err(|_| fail::setting(id, text))
    }

    /// What Enter sends.
    ///
    /// # Errors
    /// The word is none of them.
    pub fn ending(&self) -> Result<Ending, Failure> {
        let word = self.text("line-ending");
        Ending::of(word).ok_or_else(|| fail::setting("line-ending", word))
    }

    /// Whether this side shows what is typed; `None` for automatic.
    ///
    /// # Errors
    /// The word is none of them.
    pub fn echo(&self) -> Result<Option<bool>, Failure> {
        match self.text("local-echo") {
            "auto" => Ok(None),
            "yes" => Ok(Some(true)),
            "no" => Ok(Some(false)),
            other => Err(fail::setting("local-echo", other)),
        }
    }

    /// Whether the settings that all lines have make sense.
    ///
    /// # Errors
    /// One does not.
    pub fn check(&self) -> Result<(), Failure> {
        self.ending()?;
        self.echo()?;
        self.secs("idle-timeout").map(drop)
    }

    /// For connecting.
    ///
    /// # Errors
    /// It is no number.
    pub fn connect_timeout(&self) -> Result<Duration, Failure> {
        Ok(self.secs("connect-timeout")?.max(Duration::from_secs(1)))
    }
}
