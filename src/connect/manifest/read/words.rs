//! What a manifest says to its program: arguments, variables, answers, and the ways of
//! its secrets. Here no secret gets into an argument or a variable.

use std::ops::Range;

use toml::de::DeValue;

use super::Reader;
use crate::connect::Common;
use crate::connect::manifest::place::{Table, one_of, text};
use crate::connect::manifest::template::{Name, Template, slot_of};
use crate::connect::manifest::{
    Arg, By, Condition, Escape, Of, OwnField, Program, Reply, Secret, Trust,
};
use crate::model::entry::Slot;

/// What templates can name.
pub(super) struct Scope<'s> {
    pub(super) common: Common,
    pub(super) fields: &'s [OwnField],
    pub(super) secrets: &'s [Secret],
}

impl<'a> Reader<'a> {
    pub(super) fn secrets(
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

    pub(super) fn way(
        &self,
        s: &Table<'a, '_>,
        way: &str,
        common: Common,
        fields: &[OwnField],
    ) -> Option<By> {
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
                let variable = s.must("variable").and_then(|v| text(v, self.faults));
                let pattern = s.must("pattern").and_then(|_| self.pattern(s, "pattern", true));
                let (name, at) = variable?;
                let fits = self.variable(name, at);
                Some(By::Askpass(name.to_owned(), pattern?)).filter(|_| fits)
            }
        }
    }

    /// A shell or interpreter reads its arguments as commands: what an entry holds
    /// would be one.
    pub(super) fn shell(
        &self,
        t: &Table<'a, '_>,
        program: &Program,
        args: &[Arg],
        env: &[(String, Template)],
    ) {
        let named = |name: &Name| !matches!(name, Name::Pipe(_) | Name::Secret);
        let filled = |word: &Template| word.names().any(named);
        let filled_arg = |arg: &Arg| match arg {
            Arg::Word(word) => filled(word),
            Arg::When(_, words) | Arg::EachKey(words) => words.iter().any(filled),
        };
        if !args.iter().any(filled_arg) && !env.iter().any(|(_, word)| filled(word)) {
            return;
        }
        let all = [&program.linux, &program.macos, &program.windows];
        let itself = all.into_iter().flatten().find(|name| is_shell(name)).cloned();
        // A program that starts another one, as `env` does, may be told to start a shell.
        let words = args.iter().flat_map(|arg| match arg {
            Arg::Word(word) => std::slice::from_ref(word),
            Arg::When(_, words) | Arg::EachKey(words) => words,
        });
        let mut after = words.skip_while(|word| !word.plain().is_some_and(is_shell));
        let started = after.next().and_then(Template::plain).filter(|_| after.any(filled));
        let Some(shell) = itself.or_else(|| started.map(str::to_owned)) else { return };
        self.add(
            t.get("program").map_or(0..0, toml::Spanned::span),
            format!("{shell} lirait comme des commandes ce que contient un accès\u{a0}: nommez le programme lui-même"),
            format!("{shell} would read what an entry holds as commands: name the program itself"),
        );
    }

    /// A pipe that the program is never told of would be no way.
    pub(super) fn used(
        &self,
        t: &Table<'a, '_>,
        secret: &Secret,
        args: &[Arg],
        env: &[(String, Template)],
    ) {
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

    pub(super) fn args(&self, t: &Table<'a, '_>, scope: &Scope<'_>) -> Vec<Arg> {
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

    pub(super) fn condition(
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
    pub(super) fn word(
        &self,
        word: &str,
        at: Range<usize>,
        scope: &Scope<'_>,
        keys: bool,
    ) -> Template {
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
    pub(super) fn place(&self, name: &Name, at: Range<usize>, scope: &Scope<'_>, keys: bool) {
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

    pub(super) fn env(&self, t: &Table<'a, '_>, scope: &Scope<'_>) -> Vec<(String, Template)> {
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

    pub(super) fn variable(&self, name: &str, at: Range<usize>) -> bool {
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

    pub(super) fn answers(&self, t: &Table<'a, '_>, scope: &Scope<'_>, window: bool) -> Vec<Reply> {
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

    pub(super) fn trust(&self, t: &Table<'a, '_>, window: bool) -> Option<Trust> {
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
}

/// Whether a place names a secret, as one might write it.
fn names_secret(word: &str) -> bool {
    word.contains(':') || !matches!(slot_of(word), Slot::Custom(_))
}

/// Programs that read their arguments as commands.
const SHELLS: &[&str] = &[
    "sh",
    "ash",
    "bash",
    "dash",
    "ksh",
    "ksh93",
    "mksh",
    "rbash",
    "yash",
    "zsh",
    "fish",
    "csh",
    "tcsh",
    "busybox",
    "cmd",
    "command",
    "powershell",
    "powershell_ise",
    "pwsh",
    "wscript",
    "cscript",
    "mshta",
];

/// Whether a program is a shell, by the end of its path.
fn is_shell(program: &str) -> bool {
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().to_lowercase();
    let name = [".exe", ".com"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(&name);
    SHELLS.contains(&name)
}
