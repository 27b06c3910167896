//! Texts with places that are filled in: `--port={port}`. One text is always one
//! word for the program, whatever a field holds; there is no shell. A value can
//! never make a word into an option.

use std::ops::Range;

use crate::model::entry::Slot;
use crate::model::lang::Bi;

use super::place::Faults;

/// What a place is filled with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Name {
    /// The entry's host.
    Host,
    /// Its port.
    Port,
    /// Both as `host:port`, or `[address]:port`.
    Place,
    /// Its login.
    User,
    /// Where the entry is, for the title of a window.
    Path,
    /// A field of the connector.
    Field(String),
    /// Where the program finds the secret that a pipe carries: `/dev/fd/3`.
    Pipe(Slot),
    /// The secret itself: only in what a pipe carries.
    Secret,
    /// A pinned key as `SHA256:…`, in the words for each of them.
    Fingerprint,
    /// Its digest in hexadecimal, byte by byte with colons between.
    FingerprintHex,
    /// Another one, percent-encoded for a place in an address (RFC 3986).
    Url(Box<Name>),
}

/// A text with places.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Template(Vec<Piece>);

#[derive(Clone, PartialEq, Eq, Debug)]
enum Piece {
    Text(String),
    Value(Name),
}

/// A piece that is filled in, but for the secret.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Part {
    /// This text.
    Text(String),
    /// The secret.
    Secret,
}

/// Why a word is not made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Its value would make it an option.
    Option(String),
    /// A value has a character that no argument has.
    Control,
}

impl Template {
    /// Reads a text: `{name}` is a place, `{{` and `}}` are braces.
    pub fn read(text: &str, at: Range<usize>, faults: &Faults<'_>) -> Self {
        let mut pieces = Vec::new();
        let (mut plain, mut rest) = (String::new(), text);
        while let Some(i) = rest.find(['{', '}']) {
            plain.push_str(&rest[..i]);
            let found = &rest[i..];
            if let Some(after) = found.strip_prefix("{{").or_else(|| found.strip_prefix("}}")) {
                plain.push_str(&found[..1]);
                rest = after;
                continue;
            }
            let inner = found.strip_prefix('{').and_then(|inner| inner.split_once('}'));
            let Some((name, after)) = inner else {
                let what = Bi::new(
                    "accolade seule\u{a0}: écrivez {nom}, ou {{ et }} pour des accolades",
                    "a brace on its own: write {name}, or {{ and }} for braces",
                );
                faults.add(at, what);
                return Self::default();
            };
            if !plain.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
            }
            pieces.push(Piece::Value(named(name)));
            rest = after;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Self(pieces)
    }

    /// The places in it.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value(name) => Some(name),
            Piece::Text(_) => None,
        })
    }

    /// The text, if it has no place.
    pub fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// The text with its places filled in; a secret stays a place.
    pub fn parts(&self, value: &dyn Fn(&Name) -> String) -> Vec<Part> {
        let part = |piece: &Piece| match piece {
            Piece::Text(text) => Part::Text(text.clone()),
            Piece::Value(Name::Secret) => Part::Secret,
            Piece::Value(name) => Part::Text(value(name)),
        };
        self.0.iter().map(part).collect()
    }

    /// The text as one word. One that begins with a value never begins with one of
    /// `signs`.
    ///
    /// # Errors
    /// A value makes no word.
    pub fn word(&self, value: &dyn Fn(&Name) -> String, signs: &str) -> Result<String, Refusal> {
        let mut word = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => word.push_str(text),
                Piece::Value(name) => {
                    let value = value(name);
                    if value.contains(char::is_control) {
                        return Err(Refusal::Control);
                    }
                    word.push_str(&value);
                }
            }
        }
        let from_value =
            matches!(self.0.first(), Some(Piece::Value(name)) if !matches!(name, Name::Pipe(_)));
        if from_value && word.starts_with(|c| signs.contains(c)) {
            return Err(Refusal::Option(word));
        }
        Ok(word)
    }
}

fn named(word: &str) -> Name {
    match word {
        "host" => Name::Host,
        "port" => Name::Port,
        "place" => Name::Place,
        "user" => Name::User,
        "path" => Name::Path,
        "secret" => Name::Secret,
        "fingerprint" => Name::Fingerprint,
        "fingerprint-hex" => Name::FingerprintHex,
        other => match other.split_once(':') {
            Some(("pipe", slot)) => Name::Pipe(slot_of(slot)),
            Some(("url", name)) if !name.starts_with("url:") => Name::Url(Box::new(named(name))),
            _ => Name::Field(other.to_owned()),
        },
    }
}

/// All but the unreserved characters percent-encoded (RFC 3986 section 2.3).
pub fn percent_encoded(text: &str) -> String {
    let mut coded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            coded.push(char::from(byte));
        } else {
            coded.push_str(&format!("%{byte:02X}"));
        }
    }
    coded
}

/// The slot of a word.
pub fn slot_of(word: &str) -> Slot {
    word.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn template(text: &str) -> Template {
        let faults = Faults::of(text);
        let read = Template::read(text, 0..text.len(), &faults);
        assert!(faults.into_all().is_empty(), "{text}");
        read
    }

    fn word(text: &str, value: &str) -> Result<String, Refusal> {
        template(text).word(&|_| value.to_owned(), "-+@")
    }

    #[test]
    fn a_value_stays_in_its_word() {
        assert_eq!(word("--host={host}", "a b;$(c)'\""), Ok("--host=a b;$(c)'\"".into()));
        assert_eq!(word("{{{host}}}", "x"), Ok("{x}".into()));
        assert_eq!(word("{user}@{host}", ""), Err(Refusal::Option("@".into())));
    }

    #[test]
    fn no_value_makes_an_option_or_a_second_line() {
        let evil = "-oProxyCommand=touch /tmp/x";
        assert_eq!(word("{host}", evil), Err(Refusal::Option(evil.into())));
        assert!(word("{user}{host}", evil).is_err());
        assert_eq!(word("--host={host}", evil), Ok(format!("--host={evil}")));
        assert_eq!(word("--host={host}", "a\nb"), Err(Refusal::Control));
        assert_eq!(word("{host}", "a\0b"), Err(Refusal::Control));
    }

    #[test]
    fn a_value_in_an_address_cannot_change_where_it_leads() {
        assert_eq!(
            template("x://{url:user}@h").names().next(),
            Some(&Name::Url(Box::new(Name::User)))
        );
        assert_eq!(percent_encoded("a@b.example/x?é"), "a%40b.example%2Fx%3F%C3%A9");
    }

    #[test]
    fn a_brace_on_its_own_is_a_fault() {
        for text in ["{host", "host}", "{a}}"] {
            let faults = Faults::of(text);
            Template::read(text, 0..text.len(), &faults);
            assert_eq!(faults.into_all().len(), 1, "{text}");
        }
    }
}
