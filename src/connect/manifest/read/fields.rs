//! The fields of a manifest: what may be typed, and that each accepts its own default.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::{RESERVED, Reader, compiled, is_word};
use crate::connect::ALL;
use crate::connect::field::FieldKind;
use crate::connect::manifest::place::{Table, text};
use crate::connect::manifest::{OwnField, OwnKind};
use crate::model::lang::Bi;
use crate::model::unseen::hidden;

impl<'a> Reader<'a> {
    pub(super) fn fields(&self, t: &Table<'a, '_>) -> Vec<OwnField> {
        let mut seen = BTreeSet::new();
        let mut fields = Vec::new();
        for value in t.list("field") {
            let Some(f) = Table::of(value, self.faults) else { continue };
            let id = f.must("id").and_then(|value| text(value, self.faults));
            let label = f.must("label").and_then(|value| self.name(value));
            let help = f.both("help").unwrap_or_default();
            let kind = self.field_kind(&f);
            let default = self.default(&f, &kind);
            let inherits = f.flag("inherits", true);
            let required = f.flag("required", false);
            if let Some((id, at)) = id {
                if !is_word(id) || id.contains(|c: char| c.is_ascii_digit()) {
                    self.add(
                        at,
                        "un champ s’appelle par des minuscules et des tirets",
                        "a field is called by lower-case letters and dashes",
                    );
                } else if RESERVED.contains(&id) || !seen.insert(id) {
                    self.add(
                        at,
                        format!("le nom «\u{a0}{id}\u{a0}» est déjà pris"),
                        format!("the name “{id}” is taken already"),
                    );
                } else if clashes(id, &kind) {
                    self.add(
                        at,
                        format!("un type de Poterne a un autre réglage «\u{a0}{id}\u{a0}»"),
                        format!("a kind of Poterne’s has another setting “{id}”"),
                    );
                } else if let Some(label) = label {
                    let id = id.to_owned();
                    fields.push(OwnField { id, label, help, kind, default, inherits, required });
                }
            }
            f.done();
        }
        fields
    }

    pub(super) fn field_kind(&self, f: &Table<'a, '_>) -> OwnKind {
        let kinds = ["text", "yes-no", "number", "choice"];
        let kind = f.word("type", &kinds).unwrap_or("text");
        let none = |key: &'static str, fits: bool| {
            if !fits && let Some(value) = f.get(key) {
                self.add(
                    value.span(),
                    format!("«\u{a0}{key}\u{a0}» ne va pas avec ce type de champ"),
                    format!("“{key}” does not go with this type of field"),
                );
            }
        };
        none("min", kind == "number");
        none("max", kind == "number");
        none("choices", kind == "choice");
        none("pattern", kind == "text");
        match kind {
            "yes-no" => OwnKind::Bool,
            "number" => {
                const MOST: u64 = 1 << 53;
                let min = f.number("min", 0..MOST).unwrap_or(0);
                let max = f.number("max", 0..MOST).unwrap_or(MOST - 1);
                if min > max {
                    self.add(f.at(), "min dépasse max", "min is above max");
                }
                OwnKind::Number(min, max)
            }
            "choice" => OwnKind::Choice(self.choices(f)),
            _ => OwnKind::Text(self.pattern(f, "pattern", false)),
        }
    }

    pub(super) fn choices(&self, f: &Table<'a, '_>) -> Vec<(String, Bi)> {
        let mut choices: Vec<(String, Bi)> = Vec::new();
        for value in f.list("choices") {
            let (word, label) = match value.get_ref() {
                DeValue::String(word) => (Some((word.as_ref(), value.span())), None),
                _ => {
                    let Some(c) = Table::of(value, self.faults) else { continue };
                    let word = c.must("word").and_then(|value| text(value, self.faults));
                    let label = c.both("label");
                    c.done();
                    (word, label)
                }
            };
            let Some((word, at)) = word else { continue };
            let plain = !word.is_empty() && !word.contains(|c: char| hidden(c) || c == '|');
            if !plain || choices.iter().any(|(known, _)| known == word) {
                self.add(
                    at,
                    "ce mot ne va pas, ou y est déjà",
                    "this word will not do, or is there",
                );
                continue;
            }
            choices.push((word.to_owned(), label.unwrap_or_else(|| Bi::same(word))));
        }
        if choices.is_empty() {
            self.add(f.at(), "il faut des choix («\u{a0}choices\u{a0}»)", "“choices” are needed");
        }
        choices
    }

    /// The default, which the field itself accepts.
    pub(super) fn default(&self, f: &Table<'a, '_>, kind: &OwnKind) -> String {
        let Some(value) = f.get("default") else { return String::new() };
        let told = match value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(n) if n.radix() == 10 => n.as_str().to_owned(),
            DeValue::Boolean(on) => if *on { "yes" } else { "no" }.to_owned(),
            _ => String::from("\n"),
        };
        let fits = match kind {
            OwnKind::Text(None) => !told.contains(char::is_control),
            OwnKind::Text(Some(_)) if self.own => true,
            OwnKind::Text(Some(pattern)) => {
                compiled(&format!("^(?:{pattern})$")).is_none_or(|whole| whole.is_match(&told))
            }
            OwnKind::Bool => matches!(told.as_str(), "yes" | "no"),
            OwnKind::Number(min, max) => {
                told.parse::<u64>().is_ok_and(|n| (*min..=*max).contains(&n))
            }
            OwnKind::Choice(words) => words.iter().any(|(word, _)| *word == told),
        };
        if !fits && !told.is_empty() {
            self.add(
                value.span(),
                "le champ n’accepte pas sa propre valeur par défaut",
                "the field does not accept its own default",
            );
        }
        told
    }
}

/// Whether a kind of our own has a setting of this name and another type: a folder
/// passes both on.
fn clashes(id: &str, kind: &OwnKind) -> bool {
    let same = |ours: &FieldKind| match kind {
        OwnKind::Text(_) => {
            matches!(ours, FieldKind::Text | FieldKind::Offered(_) | FieldKind::Machine)
        }
        OwnKind::Bool => *ours == FieldKind::Bool,
        OwnKind::Number(..) => matches!(ours, FieldKind::Number { .. }),
        OwnKind::Choice(_) => false,
    };
    ALL.iter().flat_map(|c| c.fields()).any(|field| field.id == id && !same(&field.kind))
}
