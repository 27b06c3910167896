//! Where something stands in a manifest, and what is wrong there. A walk over the
//! tables of a TOML text that knows of every value its line and column; knows no
//! connector.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::lang::{Bi, Lang};
use crate::model::unseen::{blank, hidden};

/// Longest text that a person is shown, in characters.
const SHOWN_MAX: usize = 500;

/// What is wrong with a manifest, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: Bi,
}

impl Fault {
    /// In one line, as compilers do.
    pub fn told(&self, lang: Lang) -> String {
        let (line, column, what) = (self.line, self.column, self.what.get(lang));
        match lang {
            Lang::Fr => format!("ligne {line}, colonne {column}\u{a0}: {what}"),
            Lang::En => format!("line {line}, column {column}: {what}"),
        }
    }
}

/// The faults found so far in a text.
pub struct Faults<'a> {
    text: &'a str,
    found: RefCell<Vec<Fault>>,
}

impl<'a> Faults<'a> {
    /// None yet.
    pub fn of(text: &'a str) -> Self {
        Self { text, found: RefCell::default() }
    }

    /// Adds one.
    pub fn add(&self, at: Range<usize>, what: Bi) {
        let mut start = at.start.min(self.text.len());
        while !self.text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &self.text[..start];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.found.borrow_mut().push(Fault { line, column, what });
    }

    /// All of them, from the top.
    pub fn into_all(self) -> Vec<Fault> {
        let mut all = self.found.into_inner();
        all.sort_by_key(|fault| (fault.line, fault.column));
        all.dedup();
        all
    }
}

/// A value and where it stands.
pub type Value<'a, 'i> = &'a Spanned<DeValue<'i>>;

/// A table whose keys are asked for one by one; those that nobody asked for are
/// faults.
pub struct Table<'a, 'i> {
    table: &'a DeTable<'i>,
    at: Range<usize>,
    faults: &'a Faults<'a>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a, 'i> Table<'a, 'i> {
    /// The table at a place.
    pub fn new(table: &'a DeTable<'i>, at: Range<usize>, faults: &'a Faults<'a>) -> Self {
        Self { table, at, faults, asked: RefCell::default() }
    }

    /// The table of a value.
    pub fn of(value: Value<'a, 'i>, faults: &'a Faults<'a>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(table) => Some(Self::new(table, value.span(), faults)),
            other => {
                faults.add(value.span(), wrong(other, "une table", "a table"));
                None
            }
        }
    }

    /// Where it begins.
    pub fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    /// Every key and value, as they are: none of them is a fault.
    pub fn each(&self) -> impl Iterator<Item = (&'a str, Range<usize>, Value<'a, 'i>)> {
        self.table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span(), value))
    }

    /// The value of a key.
    pub fn get(&self, key: &'static str) -> Option<Value<'a, 'i>> {
        self.asked.borrow_mut().insert(key);
        self.table.iter().find(|(k, _)| k.get_ref() == key).map(|(_, value)| value)
    }

    /// As [`Table::get`]; a fault when there is none.
    pub fn must(&self, key: &'static str) -> Option<Value<'a, 'i>> {
        let value = self.get(key);
        if value.is_none() {
            self.faults.add(
                self.at(),
                Bi::new(
                    format!("il manque la clé «\u{a0}{key}\u{a0}»"),
                    format!("the key “{key}” is missing"),
                ),
            );
        }
        value
    }

    /// A text that may be missing.
    pub fn text(&self, key: &'static str) -> Option<(&'a str, Range<usize>)> {
        self.get(key).and_then(|value| text(value, self.faults))
    }

    /// `true` or `false`; `false` when it is missing.
    pub fn flag(&self, key: &'static str, usual: bool) -> bool {
        match self.get(key).map(|value| (value.get_ref(), value.span())) {
            None => usual,
            Some((DeValue::Boolean(on), _)) => *on,
            Some((other, at)) => {
                self.faults.add(at, wrong(other, "true ou false", "true or false"));
                usual
            }
        }
    }

    /// A whole number in a range.
    pub fn number(&self, key: &'static str, range: Range<u64>) -> Option<u64> {
        let value = self.get(key)?;
        let read = match value.get_ref() {
            DeValue::Integer(n) => u64::from_str_radix(n.as_str(), n.radix()).ok(),
            _ => None,
        };
        let fits = read.filter(|n| range.contains(n));
        if fits.is_none() {
            let (first, last) = (range.start, range.end - 1);
            let what = Bi::new(
                format!("il faut un nombre entier de {first} à {last}"),
                format!("a whole number from {first} to {last} is needed"),
            );
            self.faults.add(value.span(), what);
        }
        fits
    }

    /// One of these words.
    pub fn word(&self, key: &'static str, words: &[&'static str]) -> Option<&'static str> {
        let (found, at) = self.text(key)?;
        one_of(found, at, words, self.faults)
    }

    /// A text in both languages: `{ fr = "…", en = "…" }`, or one text for both.
    pub fn both(&self, key: &'static str) -> Option<Bi> {
        both(self.get(key)?, self.faults)
    }

    /// The values of a list.
    pub fn list(&self, key: &'static str) -> Vec<Value<'a, 'i>> {
        match self.get(key).map(|value| (value.get_ref(), value.span())) {
            None => Vec::new(),
            Some((DeValue::Array(all), _)) => all.iter().collect(),
            Some((other, at)) => {
                self.faults.add(at, wrong(other, "une liste entre [ ]", "a list within [ ]"));
                Vec::new()
            }
        }
    }

    /// The texts of a list.
    pub fn texts(&self, key: &'static str) -> Vec<(&'a str, Range<usize>)> {
        self.list(key).into_iter().filter_map(|value| text(value, self.faults)).collect()
    }

    /// Says so when there are keys that nobody asked for.
    pub fn done(self) {
        let asked = self.asked.into_inner();
        for key in self.table.keys() {
            if !asked.contains(key.get_ref().as_ref()) {
                let known = asked.iter().copied().collect::<Vec<_>>().join(", ");
                let name = key.get_ref();
                self.faults.add(
                    key.span(),
                    Bi::new(
                        format!("clé inconnue «\u{a0}{name}\u{a0}»\u{a0}; ici\u{a0}: {known}"),
                        format!("unknown key “{name}”; here: {known}"),
                    ),
                );
            }
        }
    }
}

/// The text of a value, with any sign in it: a question or an answer may have control
/// characters. What a person is shown is read by [`both`] or [`shown`].
pub fn text<'a>(value: Value<'a, '_>, faults: &Faults<'_>) -> Option<(&'a str, Range<usize>)> {
    match value.get_ref() {
        DeValue::String(text) => Some((text.as_ref(), value.span())),
        other => {
            faults.add(value.span(), wrong(other, "un texte entre guillemets", "a text in quotes"));
            None
        }
    }
}

/// A text that a person is shown: one line of signs that are seen, so that nobody is
/// shown something else than what is meant.
pub fn shown(text: &str, at: Range<usize>, faults: &Faults<'_>) {
    if let Some(c) = text.chars().find(|c| hidden(*c)) {
        let c = u32::from(c);
        let what = Bi::new(
            format!("un texte affiché n’a pas de signe invisible (U+{c:04X})"),
            format!("a text that is shown has no sign that is not seen (U+{c:04X})"),
        );
        faults.add(at, what);
    } else if text.chars().count() > SHOWN_MAX || (!text.is_empty() && blank(text)) {
        let what = Bi::new(
            format!("un texte affiché se lit, et a {SHOWN_MAX} signes au plus"),
            format!("a text that is shown can be read, and has {SHOWN_MAX} signs at most"),
        );
        faults.add(at, what);
    }
}

/// A text in both languages, for a person.
pub fn both(value: Value<'_, '_>, faults: &Faults<'_>) -> Option<Bi> {
    if let DeValue::String(text) = value.get_ref() {
        shown(text, value.span(), faults);
        return Some(Bi::same(text.as_ref()));
    }
    let table = Table::of(value, faults)?;
    let (fr, en) = (table.must("fr"), table.must("en"));
    let read = |value: Option<Value<'_, '_>>| {
        let (text, at) = value.and_then(|value| text(value, faults))?;
        shown(text, at, faults);
        Some(text.to_owned())
    };
    let told = read(fr).zip(read(en)).map(|(fr, en)| Bi { fr, en });
    table.done();
    told
}

/// The word that a text is.
pub fn one_of(
    found: &str,
    at: Range<usize>,
    words: &[&'static str],
    faults: &Faults<'_>,
) -> Option<&'static str> {
    let word = words.iter().copied().find(|word| *word == found);
    if word.is_none() {
        let words = words.join(", ");
        let what = Bi::new(
            format!("«\u{a0}{found}\u{a0}» n’est pas l’un de\u{a0}: {words}"),
            format!("“{found}” is none of: {words}"),
        );
        faults.add(at, what);
    }
    word
}

fn wrong(found: &DeValue<'_>, fr: &str, en: &str) -> Bi {
    let (trouve, found) = match found {
        DeValue::String(_) => ("un texte", "a text"),
        DeValue::Integer(_) | DeValue::Float(_) => ("un nombre", "a number"),
        DeValue::Boolean(_) => ("true ou false", "true or false"),
        DeValue::Datetime(_) => ("une date", "a date"),
        DeValue::Array(_) => ("une liste", "a list"),
        DeValue::Table(_) => ("une table", "a table"),
    };
    Bi::new(format!("il faut {fr}, pas {trouve}"), format!("{en} is needed, not {found}"))
}
