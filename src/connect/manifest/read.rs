//! Reads a manifest. Everything that is wrong is said at once, each with its line
//! and column; a key that means nothing is wrong too. Pure: opens no file.

use std::collections::BTreeSet;
use std::ops::Range;

use regex::RegexBuilder;
use toml::de::{DeTable, DeValue};

use super::place::{Fault, Faults, Table, both, one_of, text};
use super::template::{Name, Template, slot_of};
use super::{
    Arg, By, Condition, Escape, FailureSign, Manifest, Of, OwnField, OwnKind, Program, Ready,
    Reply, Secret, Stop, StopSignal, Trust,
};
use crate::connect::field::FieldKind;
use crate::connect::{ALL, Common, FailureKind};
use crate::model::entry::Slot;
use crate::model::lang::Bi;

/// Largest manifest.
pub const MAX_BYTES: usize = 64 * 1024;
/// Longest wait for a program, in seconds.
const PATIENCE_MAX_SECS: u64 = 600;
/// Longest wait for its end: the session process has no more time.
const STOP_MAX_SECS: u64 = 4;
/// Largest compiled pattern, in bytes.
const PATTERN_MAX_BYTES: usize = 1 << 20;

/// Words that no field has for its id: the command line and the form use them.
pub const RESERVED: &[&str] = &[
    "accept-older",
    "attach",
    "clear",
    "client",
    "code",
    "colour",
    "credential",
    "custom",
    "description",
    "entry",
    "expected-version",
    "expires",
    "favourite",
    "field",
    "fingerprint",
    "fingerprint-hex",
    "forget-host-key",
    "help",
    "host",
    "id",
    "json",
    "kind",
    "lang",
    "member",
    "name",
    "notes",
    "passphrase",
    "password",
    "path",
    "pinned",
    "place",
    "port",
    "private-key",
    "read-only",
    "reason-required",
    "secret",
    "secret-ask",
    "secret-stdin",
    "secrets",
    "settings",
    "tag",
    "tags",
    "ticket-pattern",
    "ticket-required",
    "ticket-url",
    "totp",
    "totp-qr",
    "user",
    "vault",
    "version",
];

/// What can be read from a manifest's text.
///
/// # Errors
/// Everything that is wrong with it, from the top.
pub fn read(source: &str) -> Result<Manifest, Vec<Fault>> {
    read_as(source, false)
}

/// As [`read`], for a manifest of this program, whose patterns were tested: they are
/// compiled once they are needed.
pub(super) fn read_own(source: &str) -> Result<Manifest, Vec<Fault>> {
    read_as(source, true)
}

fn read_as(source: &str, own: bool) -> Result<Manifest, Vec<Fault>> {
    let faults = Faults::of(source);
    if source.len() > MAX_BYTES {
        let what = Bi::new("le manifeste dépasse 64 Kio", "the manifest is larger than 64 KiB");
        faults.add(0..0, what);
        return Err(faults.into_all());
    }
    let root = match DeTable::parse(source) {
        Ok(root) => root,
        Err(error) => {
            let said = error.message().replace('"', "”");
            let what = Bi::new(
                format!("ce n’est pas du TOML\u{a0}: {said}"),
                format!("this is not TOML: {said}"),
            );
            faults.add(error.span().unwrap_or(0..0), what);
            return Err(faults.into_all());
        }
    };
    let table = Table::new(root.get_ref(), 0..0, &faults);
    let manifest = Reader { faults: &faults, own }.manifest(&table, source);
    table.done();
    let all = faults.into_all();
    match manifest {
        Some(manifest) if all.is_empty() => Ok(manifest),
        _ => Err(all),
    }
}

struct Reader<'a> {
    faults: &'a Faults<'a>,
    /// Its patterns were tested.
    own: bool,
}

impl<'a> Reader<'a> {
    fn add(&self, at: Range<usize>, fr: impl Into<String>, en: impl Into<String>) {
        self.faults.add(at, Bi::new(fr, en));
    }

    fn manifest(&self, t: &Table<'a, '_>, source: &str) -> Option<Manifest> {
        let kind = self.kind(t);
        let name = t.must("name").and_then(|value| both(value, self.faults));
        let icon = self.icon(t);
        let tested = t.text("tested").map(|(text, _)| text.to_owned()).unwrap_or_default();
        let note = t.both("note").unwrap_or_default();
        let opens = t.must("opens").and_then(|value| text(value, self.faults));
        let opens =
            opens.and_then(|(word, at)| one_of(word, at, &["terminal", "window"], self.faults));
        let window = opens == Some("window");
        let common = self.common(t);
        let port = t.number("port", 1..65_536).and_then(|port| u16::try_from(port).ok());
        let fields = self.fields(t);
        let program = self.program(t);
        let secrets = self.secrets(t, window, common, &fields);
        let scope = Scope { common, fields: &fields, secrets: &secrets };
        let args = self.args(t, &scope);
        let env = self.env(t, &scope);
        let answers = self.answers(t, &scope, window);
        let trust = self.trust(t, window);
        let (ready, patience_secs) = self.ready(t, window);
        let failures = self.failures(t);
        let stop = self.stop(t, window);
        // Every program may take a dash for an option, whatever its manifest says.
        let signs = format!("-{}", t.text("option-signs").map_or("", |(signs, _)| signs));
        for secret in &secrets {
            self.used(t, secret, &args, &env);
        }
        Some(Manifest {
            kind: kind?,
            name: name?,
            icon,
            tested,
            note,
            window,
            common,
            port,
            fields,
            program: program?,
            args,
            env,
            secrets,
            answers,
            trust,
            ready,
            patience_secs,
            failures,
            stop,
            signs,
            text: source.to_owned(),
        })
    }

    fn kind(&self, t: &Table<'a, '_>) -> Option<String> {
        let (kind, at) = t.must("kind").and_then(|value| text(value, self.faults))?;
        if !is_word(kind) {
            self.add(
                at,
                "un type s’écrit en minuscules, chiffres et tirets, lettre d’abord, 32 signes au plus",
                "a kind is written in lower-case letters, digits and dashes, a letter first, 32 \
                 signs at most",
            );
            return None;
        }
        let taken = ALL.iter().any(|connector| connector.id() == kind);
        if taken || matches!(kind, "client" | "folder" | "dossier") {
            self.add(
                at,
                format!("le type «\u{a0}{kind}\u{a0}» est déjà celui de Poterne"),
                format!("the kind “{kind}” is one of Poterne’s own"),
            );
            return None;
        }
        Some(kind.to_owned())
    }

    fn icon(&self, t: &Table<'a, '_>) -> String {
        let Some((icon, at)) = t.text("icon") else { return String::new() };
        let seen = icon.chars().filter(|c| !matches!(c, '\u{fe0e}' | '\u{fe0f}')).count();
        if !(1..=2).contains(&seen) || icon.chars().any(|c| c.is_control() || c.is_whitespace()) {
            self.add(at, "une icône est un signe, ou deux", "an icon is one sign, or two");
        }
        icon.to_owned()
    }

    fn common(&self, t: &Table<'a, '_>) -> Common {
        let mut common = Common { host: false, port: false, user: false };
        for (word, at) in t.texts("uses") {
            match one_of(word, at, &["host", "port", "user"], self.faults) {
                Some("host") => common.host = true,
                Some("port") => common.port = true,
                Some(_) => common.user = true,
                None => {}
            }
        }
        common
    }

    fn fields(&self, t: &Table<'a, '_>) -> Vec<OwnField> {
        let mut seen = BTreeSet::new();
        let mut fields = Vec::new();
        for value in t.list("field") {
            let Some(f) = Table::of(value, self.faults) else { continue };
            let id = f.must("id").and_then(|value| text(value, self.faults));
            let label = f.must("label").and_then(|value| both(value, self.faults));
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

    fn field_kind(&self, f: &Table<'a, '_>) -> OwnKind {
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

    fn choices(&self, f: &Table<'a, '_>) -> Vec<(String, Bi)> {
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
            let plain = !word.is_empty() && !word.contains(|c: char| c.is_control() || c == '|');
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
    fn default(&self, f: &Table<'a, '_>, kind: &OwnKind) -> String {
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

    fn program(&self, t: &Table<'a, '_>) -> Option<Program> {
        let value = t.must("program")?;
        let p = Table::of(value, self.faults)?;
        let names = |key| -> Vec<String> {
            let all = p.texts(key);
            for (name, at) in &all {
                if name.is_empty() || name.contains(char::is_control) {
                    self.add(at.clone(), "ce n’est pas un programme", "this is no program");
                }
                let relative = name.contains(['/', '\\'])
                    && !(name.starts_with('/') || name.contains(':') || name.starts_with('%'));
                if relative {
                    self.add(
                        at.clone(),
                        "un nom simple, cherché dans PATH, ou un chemin absolu",
                        "a bare name, looked up in PATH, or an absolute path",
                    );
                }
            }
            all.into_iter().map(|(name, _)| name.to_owned()).collect()
        };
        let program = Program {
            linux: names("linux"),
            macos: names("macos"),
            windows: names("windows"),
            install: p.both("install").unwrap_or_default(),
        };
        if program.linux.is_empty() && program.macos.is_empty() && program.windows.is_empty() {
            self.add(
                p.at(),
                "il faut un programme pour linux, macos ou windows",
                "a program for linux, macos or windows is needed",
            );
        }
        p.done();
        Some(program)
    }

    fn secrets(
        &self,
        t: &Table<'a, '_>,
        window: bool,
        common: Common,
        fields: &[OwnField],
    ) -> Vec<Secret> {
        let mut secrets: Vec<Secret> = Vec::new();
        for value in t.list("secret") {
            let Some(s) = Table::of(value, self.faults) else { continue };
            let slot = s.must("slot").and_then(|value| text(value, self.faults));
            let by = s.must("by").and_then(|value| text(value, self.faults));
            let by = by.and_then(|(word, at)| {
                let ways = ["line", "pipe", "prompt", "askpass"];
                let way = one_of(word, at.clone(), &ways, self.faults)?;
                if way == "line" && !window {
                    self.add(
                        at.clone(),
                        "dans un terminal, un secret se tape à une question\u{a0}: by = “prompt”",
                        "in a terminal a secret is typed at a question: by = “prompt”",
                    );
                }
                if way == "prompt" && window {
                    self.add(
                        at,
                        "une fenêtre n’a pas de terminal où taper\u{a0}: line, pipe ou askpass",
                        "a window has no terminal to type at: line, pipe or askpass",
                    );
                }
                Some(way)
            });
            let ask = s.flag("ask", true);
            let known = slot.map(|(word, at)| (slot_of(word), word, at));
            if let Some((slot, word, at)) = &known {
                let own = !matches!(slot, Slot::Custom(_)) || word.starts_with("custom:");
                if !own || *slot == Slot::Notes {
                    self.add(
                        at.clone(),
                        "un secret est password, private-key, passphrase, totp ou custom:NOM",
                        "a secret is password, private-key, passphrase, totp or custom:NAME",
                    );
                }
            }
            let by = by.and_then(|way| self.way(&s, way, common, fields));
            s.done();
            if let (Some((slot, _, _)), Some(by)) = (known, by) {
                secrets.push(Secret { slot, by, ask });
            }
        }
        secrets
    }

    fn way(&self, s: &Table<'a, '_>, way: &str, common: Common, fields: &[OwnField]) -> Option<By> {
        match way {
            "line" => Some(By::Line),
            "pipe" => {
                let escape = match s.word("escape", &["none", "backslash"]) {
                    Some("backslash") => Escape::Backslash,
                    _ => Escape::None,
                };
                let content = match s.text("content") {
                    None => Template::read("{secret}\n", 0..0, self.faults),
                    Some((text, at)) => {
                        let content = Template::read(text, at.clone(), self.faults);
                        if !content.names().any(|name| *name == Name::Secret) {
                            self.add(
                                at.clone(),
                                "il manque {secret} dans ce qui passe par le tube",
                                "{secret} is missing in what the pipe carries",
                            );
                        }
                        let scope = Scope { common, fields, secrets: &[] };
                        for name in content.names().filter(|name| **name != Name::Secret) {
                            self.place(name, at.clone(), &scope, false);
                        }
                        content
                    }
                };
                Some(By::Pipe(content, escape))
            }
            "prompt" => {
                s.must("pattern")?;
                Some(By::Prompt(self.pattern(s, "pattern", true)?))
            }
            _ => {
                let (name, at) = s.must("variable").and_then(|v| text(v, self.faults))?;
                self.variable(name, at).then(|| By::Askpass(name.to_owned()))
            }
        }
    }

    /// A pipe that the program is never told of would be no way.
    fn used(&self, t: &Table<'a, '_>, secret: &Secret, args: &[Arg], env: &[(String, Template)]) {
        if !matches!(secret.by, By::Pipe(..)) {
            return;
        }
        let named = Name::Pipe(secret.slot.clone());
        let words = args.iter().flat_map(|arg| match arg {
            Arg::Word(word) => std::slice::from_ref(word),
            Arg::When(_, words) | Arg::EachKey(words) => words,
        });
        let mut all = words.chain(env.iter().map(|(_, value)| value));
        if !all.any(|template| template.names().any(|name| *name == named)) {
            let slot = &secret.slot;
            let at = t.get("secret").map_or(0..0, toml::Spanned::span);
            self.add(
                at,
                format!("aucun argument ne dit où lire le tube\u{a0}: {{pipe:{slot}}}"),
                format!("no argument says where the pipe is read: {{pipe:{slot}}}"),
            );
        }
    }

    fn args(&self, t: &Table<'a, '_>, scope: &Scope<'_>) -> Vec<Arg> {
        let mut args = Vec::new();
        for value in t.list("args") {
            if let DeValue::String(word) = value.get_ref() {
                args.push(Arg::Word(self.word(word, value.span(), scope, false)));
                continue;
            }
            let Some(a) = Table::of(value, self.faults) else { continue };
            let (on, off, each) = (a.text("if"), a.text("unless"), a.text("each"));
            let keys = each.is_some();
            let words = a.texts("words");
            if words.is_empty() {
                self.add(a.at(), "il faut des mots («\u{a0}words\u{a0}»)", "“words” are needed");
            }
            let words = words.into_iter().map(|(word, at)| self.word(word, at, scope, keys));
            let words: Vec<Template> = words.collect();
            match (on, off, each) {
                (Some((word, at)), None, None) => {
                    args.extend(
                        self.condition(word, at, scope, false).map(|c| Arg::When(c, words)),
                    );
                }
                (None, Some((word, at)), None) => {
                    args.extend(self.condition(word, at, scope, true).map(|c| Arg::When(c, words)));
                }
                (None, None, Some((word, at))) => {
                    if one_of(word, at, &["pinned"], self.faults).is_some() {
                        args.push(Arg::EachKey(words));
                    }
                }
                _ => self.add(
                    a.at(),
                    "il faut un seul de if, unless, each",
                    "exactly one of if, unless, each is needed",
                ),
            }
            a.done();
        }
        args
    }

    fn condition(
        &self,
        word: &str,
        at: Range<usize>,
        scope: &Scope<'_>,
        not: bool,
    ) -> Option<Condition> {
        let (name, is) = match word.split_once('=') {
            Some((name, is)) => (name.trim(), Some(is.trim().to_owned())),
            None => (word.trim(), None),
        };
        if let Some(slot) = name.strip_prefix("secret:") {
            let slot = slot_of(slot);
            if is.is_some() || !scope.secrets.iter().any(|secret| secret.slot == slot) {
                self.add(
                    at,
                    format!("ce manifeste n’a pas de secret «\u{a0}{slot}\u{a0}»"),
                    format!("this manifest has no secret “{slot}”"),
                );
                return None;
            }
            return Some(Condition { of: Of::Secret(slot), is: None, not });
        }
        if name == "pinned" {
            return Some(Condition { of: Of::Pinned, is: None, not });
        }
        let read = Template::read(&format!("{{{name}}}"), at.clone(), self.faults);
        let found = read.names().next().cloned()?;
        self.place(&found, at, scope, false);
        Some(Condition { of: Of::Value(found), is, not })
    }

    /// A word for the program.
    fn word(&self, word: &str, at: Range<usize>, scope: &Scope<'_>, keys: bool) -> Template {
        if word.contains(char::is_control) {
            self.add(at.clone(), "un mot sans caractère de commande", "a word has no control sign");
        }
        let template = Template::read(word, at.clone(), self.faults);
        for name in template.names() {
            self.place(name, at.clone(), scope, keys);
        }
        template
    }

    /// Whether a place can be filled, where anybody may read it.
    fn place(&self, name: &Name, at: Range<usize>, scope: &Scope<'_>, keys: bool) {
        let known = match name {
            Name::Url(inner) => return self.place(inner, at, scope, keys),
            Name::Host => scope.common.host,
            Name::Port => scope.common.port,
            Name::Place => scope.common.host && scope.common.port,
            Name::User => scope.common.user,
            Name::Path => true,
            Name::Fingerprint | Name::FingerprintHex => keys,
            Name::Pipe(slot) => scope
                .secrets
                .iter()
                .any(|secret| secret.slot == *slot && matches!(secret.by, By::Pipe(..))),
            Name::Field(id) if !names_secret(id) => {
                scope.fields.iter().any(|field| field.id == *id)
            }
            Name::Secret | Name::Field(_) => {
                self.add(
                    at,
                    "un secret n’est jamais dans un argument ni une variable, que d’autres \
                     programmes lisent\u{a0}: donnez-le par [[secret]]",
                    "a secret is never in an argument or a variable, which other programs read: \
                     give it by [[secret]]",
                );
                return;
            }
        };
        if known {
            return;
        }
        let (fr, en) = match name {
            Name::Host | Name::Port | Name::Place | Name::User => (
                "«\u{a0}uses\u{a0}» ne nomme pas ce champ commun".to_owned(),
                "“uses” does not name this common field".to_owned(),
            ),
            Name::Fingerprint | Name::FingerprintHex => (
                "{fingerprint} n’existe que dans les mots de each = “pinned”".to_owned(),
                "{fingerprint} exists only in the words of each = “pinned”".to_owned(),
            ),
            Name::Pipe(slot) => (
                format!("aucun [[secret]] ne passe «\u{a0}{slot}\u{a0}» par un tube"),
                format!("no [[secret]] passes “{slot}” by a pipe"),
            ),
            Name::Field(id) => (
                format!("aucun champ ne s’appelle «\u{a0}{id}\u{a0}»"),
                format!("no field is called “{id}”"),
            ),
            Name::Path | Name::Secret | Name::Url(_) => return,
        };
        self.add(at, fr, en);
    }

    fn env(&self, t: &Table<'a, '_>, scope: &Scope<'_>) -> Vec<(String, Template)> {
        let Some(value) = t.get("env") else { return Vec::new() };
        let Some(table) = Table::of(value, self.faults) else { return Vec::new() };
        let mut env = Vec::new();
        for (name, at, value) in table.each() {
            let Some((value, place)) = text(value, self.faults) else { continue };
            if self.variable(name, at) {
                env.push((name.to_owned(), self.word(value, place, scope, false)));
            }
        }
        env
    }

    fn variable(&self, name: &str, at: Range<usize>) -> bool {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let named = !name.is_empty()
            && name.chars().all(plain)
            && !name.starts_with(|c: char| c.is_ascii_digit());
        let ours = name.starts_with("POTERNE_") || name.starts_with("LD_") || name == "PATH";
        if !named || ours {
            self.add(
                at,
                format!("«\u{a0}{name}\u{a0}» n’est pas une variable que l’on donne"),
                format!("“{name}” is no variable to be given"),
            );
        }
        named && !ours
    }

    fn answers(&self, t: &Table<'a, '_>, scope: &Scope<'_>, window: bool) -> Vec<Reply> {
        let mut answers = Vec::new();
        for value in t.list("answer") {
            let Some(a) = Table::of(value, self.faults) else { continue };
            let pattern = a.must("pattern").and_then(|_| self.pattern(&a, "pattern", true));
            let types = a.must("type").and_then(|value| text(value, self.faults));
            let types = types.map(|(word, at)| {
                let template = Template::read(word, at.clone(), self.faults);
                for name in template.names() {
                    self.place(name, at.clone(), scope, false);
                }
                template
            });
            if window {
                self.add(
                    a.at(),
                    "une fenêtre n’a pas de terminal où répondre",
                    "a window has no terminal to answer at",
                );
            }
            a.done();
            if let (Some(pattern), Some(types)) = (pattern, types) {
                answers.push(Reply { pattern, types });
            }
        }
        answers
    }

    fn trust(&self, t: &Table<'a, '_>, window: bool) -> Option<Trust> {
        let value = t.get("trust")?;
        let trust = Table::of(value, self.faults)?;
        let pattern = trust.must("pattern").and_then(|_| self.pattern(&trust, "pattern", false));
        let word = |key| {
            let found = trust.must(key).and_then(|value| text(value, self.faults));
            found.map(|(word, _)| word.to_owned())
        };
        let (accept, refuse) = (word("accept"), word("refuse"));
        if window {
            self.add(
                trust.at(),
                "une fenêtre n’a pas de terminal où répondre",
                "a window has no terminal to answer at",
            );
        }
        if let Some(pattern) = &pattern
            && !pattern.contains("(?P<fingerprint>")
            && !pattern.contains("(?<fingerprint>")
        {
            let at = trust.get("pattern").map_or(0..0, toml::Spanned::span);
            self.add(
                at,
                "il manque le groupe (?<fingerprint>…)",
                "the group (?<fingerprint>…) is missing",
            );
        }
        trust.done();
        Some(Trust { pattern: pattern?, accept: accept?, refuse: refuse? })
    }

    fn ready(&self, t: &Table<'a, '_>, window: bool) -> (Ready, u64) {
        const PATIENCE_SECS: u64 = 30;
        let usual = if window { Ready::Start } else { Ready::Output };
        let Some(value) = t.get("ready") else { return (usual, PATIENCE_SECS) };
        let Some(r) = Table::of(value, self.faults) else { return (usual, PATIENCE_SECS) };
        let on = r.word("on", &["start", "output"]);
        let pattern = self.pattern(&r, "pattern", false);
        let within = r.number("within", 1..PATIENCE_MAX_SECS + 1).unwrap_or(PATIENCE_SECS);
        let ready = match (on, pattern) {
            (Some(_), Some(_)) => {
                self.add(r.at(), "on ou pattern, pas les deux", "on or pattern, not both");
                usual
            }
            (Some("start"), None) => Ready::Start,
            (Some(_), None) => Ready::Output,
            (None, Some(pattern)) => Ready::Pattern(pattern),
            (None, None) => usual,
        };
        r.done();
        (ready, within)
    }

    fn failures(&self, t: &Table<'a, '_>) -> Vec<FailureSign> {
        let mut failures = Vec::new();
        for value in t.list("failure") {
            let Some(f) = Table::of(value, self.faults) else { continue };
            let pattern = f.must("pattern").and_then(|_| self.pattern(&f, "pattern", false));
            let kinds =
                ["login", "unknown-host", "refused", "timeout", "network", "host-key", "program"];
            let kind = match f.word("kind", &kinds) {
                Some("login") => FailureKind::Login,
                Some("unknown-host") => FailureKind::UnknownHost,
                Some("refused") => FailureKind::Refused,
                Some("timeout") => FailureKind::Timeout,
                Some("network") => FailureKind::Network,
                Some("host-key") => FailureKind::HostKeyChanged,
                _ => FailureKind::Helper,
            };
            let (what, todo) = (f.both("what"), f.both("todo"));
            f.done();
            if let Some(pattern) = pattern {
                failures.push(FailureSign { pattern, kind, what, todo });
            }
        }
        failures
    }

    fn stop(&self, t: &Table<'a, '_>, window: bool) -> Stop {
        let signal = if window { StopSignal::Term } else { StopSignal::Hup };
        let usual = Stop { types: String::new(), signal, wait_secs: 2 };
        let Some(value) = t.get("stop") else { return usual };
        let Some(s) = Table::of(value, self.faults) else { return usual };
        let types = s.text("type");
        if window && let Some((_, at)) = &types {
            self.add(
                at.clone(),
                "une fenêtre n’a pas de terminal où taper",
                "a window has no terminal to type at",
            );
        }
        let signal = match s.word("signal", &["hup", "int", "term"]) {
            Some("hup") => StopSignal::Hup,
            Some("int") => StopSignal::Int,
            Some(_) => StopSignal::Term,
            None => usual.signal,
        };
        let wait_secs = s.number("wait", 0..STOP_MAX_SECS + 1).unwrap_or(usual.wait_secs);
        s.done();
        Stop {
            types: types.map(|(text, _)| text.to_owned()).unwrap_or_default(),
            signal,
            wait_secs,
        }
    }

    /// A regular expression; a `question` stands at the end of what was said.
    fn pattern(&self, t: &Table<'a, '_>, key: &'static str, question: bool) -> Option<String> {
        let (pattern, at) = t.text(key)?;
        if !self.own && compiled(pattern).is_none() {
            self.add(at, "ce n’est pas une expression régulière", "this is no regular expression");
            return None;
        }
        if question && !pattern.ends_with('$') {
            self.add(
                at,
                "une question est à la fin de ce qui est dit\u{a0}: terminez par $",
                "a question stands at the end of what is said: end it with $",
            );
            return None;
        }
        Some(pattern.to_owned())
    }
}

/// What templates can name.
struct Scope<'s> {
    common: Common,
    fields: &'s [OwnField],
    secrets: &'s [Secret],
}

/// A pattern, if it is one and not too large.
pub(super) fn compiled(pattern: &str) -> Option<regex::Regex> {
    RegexBuilder::new(pattern).size_limit(PATTERN_MAX_BYTES).build().ok()
}

fn is_word(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    word.len() <= 32
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && !word.ends_with('-')
        && word.chars().all(plain)
}

/// Whether a place names a secret, as one might write it.
fn names_secret(word: &str) -> bool {
    word.contains(':') || !matches!(slot_of(word), Slot::Custom(_))
}

/// Whether a kind of our own has a setting of this name and another type: a folder
/// passes both on.
fn clashes(id: &str, kind: &OwnKind) -> bool {
    let same = |ours: &FieldKind| match kind {
        OwnKind::Text(_) => matches!(ours, FieldKind::Text | FieldKind::Offered(_)),
        OwnKind::Bool => *ours == FieldKind::Bool,
        OwnKind::Number(..) => matches!(ours, FieldKind::Number { .. }),
        OwnKind::Choice(_) => false,
    };
    ALL.iter().flat_map(|c| c.fields()).any(|field| field.id == id && !same(&field.kind))
}
