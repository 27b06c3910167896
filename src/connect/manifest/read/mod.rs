//! Reads a manifest. Everything that is wrong is said at once, each with its line
//! and column; a key that means nothing is wrong too. Pure: opens no file. `fields`
//! and `words` have the larger parts.

mod fields;
mod words;

use std::ops::Range;

use regex::RegexBuilder;
use toml::de::DeTable;

use super::place::{Fault, Faults, Table, Value, both, one_of, shown, text};
use super::{FailureSign, Manifest, Program, Ready, Stop, StopSignal};
use crate::connect::{ALL, Common, FailureKind};
use crate::model::lang::Bi;
use crate::model::unseen::hidden;

use words::Scope;

/// Largest manifest.
pub const MAX_BYTES: usize = 64 * 1024;
/// Longest name of a connector or label of a field, in characters.
const NAME_MAX: usize = 60;
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
    seen(source, &faults);
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

/// Who approves a manifest reads its text: there every sign of it is seen, each in its
/// place.
fn seen(source: &str, faults: &Faults<'_>) {
    let unseen = |c: char| {
        hidden(c) && !matches!(c, '\n' | '\r' | '\t')
            || matches!(c, '\u{34F}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}')
            || matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0D}')
            || matches!(c, '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}')
    };
    for (at, c) in source.char_indices().filter(|(_, c)| unseen(*c)) {
        let c = u32::from(c);
        let what = Bi::new(
            format!(
                "le signe U+{c:04X} ne se voit pas\u{a0}: écrivez-le \\U{c:08X}, entre guillemets"
            ),
            format!("the sign U+{c:04X} is not seen: write it as \\U{c:08X}, within quotes"),
        );
        faults.add(at..at, what);
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
        let name = t.must("name").and_then(|value| self.name(value));
        let icon = self.icon(t);
        let tested = t.text("tested").map(|(text, at)| {
            shown(text, at, self.faults);
            text.to_owned()
        });
        let tested = tested.unwrap_or_default();
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
        if let Some(program) = &program {
            self.shell(t, program, &args, &env);
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

    /// What something is called, in menus and in sentences.
    fn name(&self, value: Value<'a, '_>) -> Option<Bi> {
        let name = both(value, self.faults)?;
        let fits = |text: &str| !text.is_empty() && text.chars().count() <= NAME_MAX;
        if !fits(&name.fr) || !fits(&name.en) {
            self.add(
                value.span(),
                format!("un nom a de 1 à {NAME_MAX} signes"),
                format!("a name has 1 to {NAME_MAX} signs"),
            );
        }
        Some(name)
    }

    fn icon(&self, t: &Table<'a, '_>) -> String {
        let Some((icon, at)) = t.text("icon") else { return String::new() };
        let seen = icon.chars().filter(|c| !matches!(c, '\u{fe0e}' | '\u{fe0f}')).count();
        if !(1..=2).contains(&seen) || icon.chars().any(|c| hidden(c) || c.is_whitespace()) {
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

/// A pattern, if it is one and not too large.
pub(super) fn compiled(pattern: &str) -> Option<regex::Regex> {
    RegexBuilder::new(pattern).size_limit(PATTERN_MAX_BYTES).build().ok()
}

/// Whether a word may be that of a kind.
pub fn is_word(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    word.len() <= 32
        && word.starts_with(|c: char| c.is_ascii_lowercase())
        && !word.ends_with('-')
        && word.chars().all(plain)
}
