//! Settings that a connector asks for. Forms, command-line flags and help are
//! drawn from these; nothing here opens anything.

use crate::model::lang::Lang;

/// One setting. Its value is kept as text in `Entry::settings[id]`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Field {
    /// Key in the settings and name of the flag (`--id`): lower case and dashes.
    pub id: &'static str,
    /// Label in French.
    pub fr: &'static str,
    /// Label in English.
    pub en: &'static str,
    /// One sentence of help in French.
    pub help_fr: &'static str,
    /// One sentence of help in English.
    pub help_en: &'static str,
    /// What may be typed.
    pub kind: FieldKind,
    /// Value when the entry has none.
    pub default: &'static str,
    /// True when folders pass it on to the entries below.
    pub inherits: bool,
}

/// What a setting accepts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FieldKind {
    /// One line.
    Text,
    /// Several lines.
    Lines,
    /// `yes` or `no`.
    Bool,
    /// A whole number in this range, both ends included.
    Number {
        /// Smallest.
        min: u64,
        /// Largest.
        max: u64,
    },
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Paths of other entries, comma separated, such as jump hosts.
    Entries,
}

impl Field {
    /// The label in `lang`.
    pub fn label(&self, lang: Lang) -> &'static str {
        lang.pick(self.fr, self.en)
    }

    /// The help in `lang`.
    pub fn help(&self, lang: Lang) -> &'static str {
        lang.pick(self.help_fr, self.help_en)
    }

    /// Whether `value` may be saved. The empty text means "default" and passes.
    pub fn accepts(&self, value: &str) -> bool {
        if value.is_empty() {
            return true;
        }
        match self.kind {
            FieldKind::Text | FieldKind::Entries => !value.contains(['\n', '\r']),
            FieldKind::Lines => true,
            FieldKind::Bool => matches!(value, "yes" | "no"),
            FieldKind::Number { min, max } => {
                value.parse::<u64>().is_ok_and(|n| (min..=max).contains(&n))
            }
            FieldKind::Choice(words) => words.contains(&value),
        }
    }
}
