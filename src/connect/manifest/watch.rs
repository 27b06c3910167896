//! What a program says while it starts, and what that means: a question that a
//! secret or a text answers, a server's key, a failure, or that it is ready. Each
//! question is answered once. Pure: on bytes alone.

use regex::Regex;

use super::read::compiled;
use super::run::{Run, WayBy};
use super::{Ready, fail};
use crate::connect::Failure;

/// How much of the end of what was said is looked at.
const LOOK_BYTES: usize = 8 * 1024;

/// What is to be done now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// Give the secret of this way.
    Secret(usize),
    /// Type this.
    Type(String),
    /// Decide about this key: algorithm (may be empty) and fingerprint.
    Trust(String, String),
    /// It is ready.
    Ready,
    /// It failed.
    Failed(Failure),
}

/// Watches a program that starts.
pub struct Watch {
    name: String,
    prompts: Vec<(usize, Regex, bool)>,
    answers: Vec<(Regex, String, bool)>,
    trust: Option<(Regex, bool)>,
    failures: Vec<(Regex, super::FailureSign)>,
    ready: Option<Regex>,
    at: At,
    heard: Vec<u8>,
    /// Everything, for words about a failure.
    all: Vec<u8>,
}

/// A question, which stands at the very end of what was said whatever its pattern
/// makes of `$`.
pub(super) fn question(pattern: &str) -> Option<Regex> {
    compiled(&format!("(?:{pattern})\\z"))
}

/// Where in the text we are.
#[derive(Clone, Copy)]
enum At {
    Text,
    Escape,
    Sequence,
    Title,
}

impl Watch {
    /// For a program. A pattern that the manifest's reading let through compiles.
    pub fn of(run: &Run) -> Self {
        let prompts = run.ways.iter().enumerate().filter_map(|(at, way)| match &way.by {
            WayBy::Prompt(pattern) => Some((at, question(pattern)?, false)),
            _ => None,
        });
        let sign = |sign: &super::run::Sign| super::FailureSign {
            pattern: String::new(),
            kind: sign.kind,
            what: sign.what.clone(),
            todo: sign.todo.clone(),
        };
        Self {
            name: run.name.clone(),
            prompts: prompts.collect(),
            answers: run
                .answers
                .iter()
                .filter_map(|(pattern, types)| Some((question(pattern)?, types.clone(), false)))
                .collect(),
            trust: run.trust.as_ref().and_then(|(pattern, ..)| Some((compiled(pattern)?, false))),
            failures: run
                .failures
                .iter()
                .filter_map(|known| Some((compiled(&known.pattern)?, sign(known))))
                .collect(),
            ready: match &run.ready {
                Ready::Pattern(pattern) => compiled(pattern),
                Ready::Start | Ready::Output => None,
            },
            at: At::Text,
            heard: Vec::new(),
            all: Vec::new(),
        }
    }

    /// Takes in what was said, as it is seen: without escape sequences (ECMA-48) and
    /// other control characters.
    pub fn hear(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.at = match (self.at, byte) {
                (At::Title, 0x07) => At::Text,
                (_, 0x1b) => At::Escape,
                (At::Escape, b'[') => At::Sequence,
                (At::Escape, b']') => At::Title,
                (At::Escape, b' '..=b'/') => At::Escape,
                (At::Escape, _) | (At::Sequence, b'@'..=b'~') => At::Text,
                (At::Sequence, _) => At::Sequence,
                (At::Title, _) => At::Title,
                (At::Text, _) => {
                    if *byte == b'\n' || !byte.is_ascii_control() {
                        self.heard.push(*byte);
                        self.all.push(*byte);
                    }
                    At::Text
                }
            };
        }
        for text in [&mut self.heard, &mut self.all] {
            let over = text.len().saturating_sub(LOOK_BYTES);
            text.drain(..over);
        }
    }

    /// Whether anything that is seen was said since the last answer.
    pub fn has_said(&self) -> bool {
        self.heard.iter().any(|byte| !byte.is_ascii_whitespace())
    }

    /// Whether every question that is to come has come.
    pub fn all_given(&self) -> bool {
        self.prompts.iter().all(|(.., given)| *given)
    }

    /// Whether the question of this way is still the last thing that was said.
    pub fn stands(&self, way: usize) -> bool {
        let text = String::from_utf8_lossy(&self.heard);
        self.prompts.iter().any(|(at, pattern, _)| *at == way && pattern.is_match(&text))
    }

    /// The question was answered: what is said from here on is new.
    pub fn answered(&mut self) {
        self.heard.clear();
    }

    /// It was not, since something else was said meanwhile: it may still come.
    pub fn withdrawn(&mut self, way: usize) {
        for (at, _, given) in &mut self.prompts {
            *given &= *at != way;
        }
    }

    /// The last lines that were said, in one.
    pub fn last_words(&self) -> String {
        const LINES: usize = 3;
        let text = String::from_utf8_lossy(&self.all);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
        let said = lines[lines.len().saturating_sub(LINES)..].join(" / ");
        // In quotation marks of another kind, so that it cannot end ours.
        said.chars().filter(|c| !c.is_control()).take(300).collect()
    }

    /// What is to be done, in order.
    pub fn next(&mut self) -> Vec<Next> {
        let text = String::from_utf8_lossy(&self.heard).into_owned();
        let mut todo = Vec::new();
        if let Some((_, sign)) = self.failures.iter().find(|(sign, _)| sign.is_match(&text)) {
            let said = self.last_words();
            return vec![Next::Failed(fail::known(&self.name, sign, &said))];
        }
        if let Some((pattern, asked)) = &mut self.trust
            && !*asked
            && let Some(found) = pattern.captures(&text)
        {
            *asked = true;
            let group = |name| found.name(name).map_or("", |m| m.as_str()).to_owned();
            self.heard.clear();
            return vec![Next::Trust(group("algorithm"), group("fingerprint"))];
        }
        if let Some((at, _, given)) =
            self.prompts.iter_mut().find(|(_, pattern, _)| pattern.is_match(&text))
        {
            if *given {
                return vec![Next::Failed(fail::refused_again(&self.name))];
            }
            *given = true;
            // What was heard stays until the secret is typed: it has to be the last
            // thing shown then too.
            return vec![Next::Secret(*at)];
        } else if let Some((_, types, given)) =
            self.answers.iter_mut().find(|(pattern, _, given)| !*given && pattern.is_match(&text))
        {
            *given = true;
            todo.push(Next::Type(types.clone()));
        }
        if self.ready.as_ref().is_some_and(|ready| ready.is_match(&text)) {
            todo.push(Next::Ready);
        }
        if !todo.is_empty() {
            self.heard.clear();
        }
        todo
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::FailureKind;
    use crate::connect::manifest::run::{Sign, Way};
    use crate::connect::manifest::{Stop, StopSignal};
    use crate::model::entry::Slot;

    fn watch() -> Watch {
        Watch::of(&Run {
            name: "prog".into(),
            program: "/bin/prog".into(),
            args: vec![],
            env: vec![],
            window: false,
            ways: vec![Way {
                slot: Slot::Password,
                ask: true,
                by: WayBy::Prompt("(?i)^\\s*password: ?$".into()),
            }],
            answers: vec![("Press Return to begin\\. $".into(), "\r".into())],
            trust: Some((
                r"(?<algorithm>ssh-\S+) \d+ (?<fingerprint>SHA256:\S+)\s".into(),
                "y".into(),
                "".into(),
            )),
            ready: Ready::Pattern("granted".into()),
            patience_secs: 1,
            failures: vec![Sign {
                pattern: "(?i)denied".into(),
                kind: FailureKind::Login,
                what: None,
                todo: None,
            }],
            stop: Stop { types: String::new(), signal: StopSignal::Hup, wait_secs: 1 },
            description: String::new(),
            note: Default::default(),
        })
    }

    fn hear(watch: &mut Watch, text: &str) -> Vec<Next> {
        watch.hear(text.as_bytes());
        watch.next()
    }

    #[test]
    fn a_question_is_answered_once_and_a_second_one_is_a_refusal() {
        let mut w = watch();
        assert_eq!(hear(&mut w, "\x1b[1m\x1b(BPass"), []);
        assert_eq!(hear(&mut w, "word: \x1b[0m"), [Next::Secret(0)]);
        assert!(w.stands(0));
        w.answered();
        assert_eq!(hear(&mut w, "\r\n"), []);
        let [Next::Failed(failure)] = &hear(&mut w, "Password: ")[..] else { panic!("refused") };
        assert_eq!(failure.kind, FailureKind::Login);
    }

    #[test]
    fn a_question_that_something_follows_stands_no_more_and_may_come_again() {
        let mut w = watch();
        assert_eq!(hear(&mut w, "Password: "), [Next::Secret(0)]);
        w.hear(b"is wanted in a moment\r\n");
        assert!(!w.stands(0));
        w.withdrawn(0);
        w.answered();
        assert_eq!(hear(&mut w, "Password: "), [Next::Secret(0)]);
    }

    #[test]
    fn a_question_inside_other_text_is_none() {
        let mut w = watch();
        assert_eq!(hear(&mut w, "Password: is what I say\r\n"), []);
    }

    #[test]
    fn ready_and_an_answer_may_stand_in_one_line() {
        let mut w = watch();
        let next = hear(&mut w, "Access granted. Press Return to begin. ");
        assert_eq!(next, [Next::Type("\r".into()), Next::Ready]);
    }

    #[test]
    fn a_key_is_taken_from_the_words_and_a_failure_ends_it() {
        let mut w = watch();
        let next = hear(&mut w, "  ssh-ed25519 255 SHA256:abc\r\nStore it? ");
        assert_eq!(next, [Next::Trust("ssh-ed25519".into(), "SHA256:abc".into())]);
        let next = hear(&mut w, "Access DENIED\r\n");
        let [Next::Failed(failure)] = &next[..] else { panic!("{next:?}") };
        assert!(failure.what.en.contains("Access DENIED"), "{}", failure.what.en);
    }
}
