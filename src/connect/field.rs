//! Settings that a connector asks for. Forms, command-line flags and help are
//! drawn from these; nothing here opens anything.

use std::net::IpAddr;
use std::sync::OnceLock;

use regex::Regex;

use crate::model::lang::Lang;
use crate::model::target::HostPort;

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
    /// One line that a pattern matches.
    Matching(Matches),
    /// One line; names of this machine that fit are offered.
    Offered(Offers),
    /// A machine: its name or address, alone or with a port (`name:port`).
    Machine,
    /// Several lines, together as the connector reads them.
    Lines(Reads),
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
    Choice(&'static [Word]),
    /// One of these words, which are read from a file.
    Listed(Words),
    /// Paths of other entries, comma separated, such as jump hosts.
    Entries,
}

/// A pattern that a value matches from end to end, compiled once it is needed.
#[derive(Clone, Copy)]
pub struct Matches(pub &'static (&'static str, OnceLock<Option<Regex>>));

impl Matches {
    fn fits(&self, value: &str) -> bool {
        let (pattern, compiled) = self.0;
        let whole = || Regex::new(&format!("^(?:{pattern})$")).ok();
        compiled.get_or_init(whole).as_ref().is_some_and(|pattern| pattern.is_match(value))
    }
}

impl PartialEq for Matches {
    fn eq(&self, other: &Self) -> bool {
        self.0.0 == other.0.0
    }
}

impl Eq for Matches {}

impl std::fmt::Debug for Matches {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Matches")
    }
}

/// Whether a connector can read a value.
#[derive(Clone, Copy)]
pub struct Reads(pub fn(&str) -> bool);

impl PartialEq for Reads {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Reads {}

impl std::fmt::Debug for Reads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reads")
    }
}

/// Names to choose from, as the machine has them now.
#[derive(Clone, Copy)]
pub struct Offers(pub fn() -> Vec<String>);

impl PartialEq for Offers {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Offers {}

impl std::fmt::Debug for Offers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Offers")
    }
}

/// Words to choose from, as a file that is built in has them.
#[derive(Clone, Copy)]
pub struct Words(pub fn() -> &'static [Word]);

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::fn_addr_eq(self.0, other.0)
    }
}

impl Eq for Words {}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Words")
    }
}

/// A word to choose, and what people read in its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Word {
    /// As it is stored and given to a flag.
    pub word: &'static str,
    /// Label in French.
    pub fr: &'static str,
    /// Label in English.
    pub en: &'static str,
}

/// How a table of fields is written.
impl Field {
    /// A setting without help or default that folders pass on.
    pub const fn new(
        id: &'static str,
        fr: &'static str,
        en: &'static str,
        kind: FieldKind,
    ) -> Self {
        Self { id, fr, en, help_fr: "", help_en: "", kind, default: "", inherits: true }
    }

    /// With one sentence of help in each language.
    pub const fn explained(mut self, fr: &'static str, en: &'static str) -> Self {
        self.help_fr = fr;
        self.help_en = en;
        self
    }

    /// With a value for entries that have none.
    pub const fn usually(mut self, value: &'static str) -> Self {
        self.default = value;
        self
    }

    /// Not passed on by folders.
    pub const fn own(mut self) -> Self {
        self.inherits = false;
        self
    }
}

/// The machine that a text names, at the port in it or else at the usual one; none where
/// it names none, as an address of a page does not.
pub fn machine(text: &str, usual: u16) -> Option<HostPort> {
    let text = text.trim();
    let at = |host: &str, port| HostPort { host: host.to_owned(), port };
    let place = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => at(host, usual),
        Some((host, port)) => at(host, port.strip_prefix(':')?.parse().ok()?),
        None if text.parse::<IpAddr>().is_ok() => at(text, usual),
        None => match text.split_once(':') {
            None => at(text, usual),
            Some((host, port)) => at(host, port.parse().ok()?),
        },
    };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
    let good = !place.host.is_empty() && place.host.chars().all(plain) && place.port > 0;
    good.then_some(place)
}

const YES_NO: &[Word] =
    &[Word { word: "yes", fr: "oui", en: "yes" }, Word { word: "no", fr: "non", en: "no" }];

impl Word {
    /// The label in `lang`.
    pub fn label(&self, lang: Lang) -> &'static str {
        lang.pick(self.fr, self.en)
    }
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
            FieldKind::Text | FieldKind::Offered(_) | FieldKind::Entries => {
                !value.contains(['\n', '\r'])
            }
            FieldKind::Matching(matches) => !value.contains(['\n', '\r']) && matches.fits(value),
            FieldKind::Machine => machine(value, 1).is_some(),
            FieldKind::Lines(Reads(reads)) => reads(value),
            FieldKind::Bool => matches!(value, "yes" | "no"),
            FieldKind::Number { min, max } => {
                value.parse::<u64>().is_ok_and(|n| (min..=max).contains(&n))
            }
            FieldKind::Choice(_) | FieldKind::Listed(_) => {
                self.words().iter().any(|word| word.word == value)
            }
        }
    }

    /// The words to choose from, when it is a matter of words.
    pub fn words(&self) -> &'static [Word] {
        match self.kind {
            FieldKind::Bool => YES_NO,
            FieldKind::Choice(words) => words,
            FieldKind::Listed(Words(words)) => words(),
            _ => &[],
        }
    }

    /// `value` as people read it in `lang`.
    pub fn shown<'a>(&self, value: &'a str, lang: Lang) -> &'a str {
        let word = self.words().iter().find(|word| word.word == value);
        word.map_or(value, |word| word.label(lang))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_a_host_and_perhaps_a_port() {
        let of = |text| machine(text, 88).map(|at| (at.host, at.port));
        let at = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(of("dc1"), at("dc1", 88));
        assert_eq!(of(" dc1.example:8888 "), at("dc1.example", 8888));
        assert_eq!(of("[2001:db8::1]:90"), at("2001:db8::1", 90));
        assert_eq!(of("[2001:db8::1]"), at("2001:db8::1", 88));
        assert_eq!(of("2001:db8::1"), at("2001:db8::1", 88));
        assert_eq!(of("éléonore"), at("éléonore", 88));
        for wrong in [
            "dc1:0",
            "dc1:x",
            "dc1:70000",
            "a b",
            "http://dc1",
            "dc1/x",
            "[::1",
            "[::1]88",
            ":88",
            "a:1:2",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
