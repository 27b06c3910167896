//! What a verification finds, told so that a person can use it: runs of damaged
//! lines in one sentence, nothing twice, and a count of the rest when there is
//! too much to read.

use crate::audit::Fault;
use crate::model::lang::Bi;

/// Findings told at most; further ones are counted.
const MOST: usize = 50;

/// Faults in the order they were found.
#[derive(Default)]
pub struct Findings {
    told: Vec<Bi>,
    run: Option<Run>,
    more: u64,
}

/// Damaged lines one after another.
struct Run {
    what: What,
    from: u64,
    to: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Edited,
    Malformed,
    Unreadable,
    Values,
}

impl Findings {
    /// One more fault of a line or of the head.
    pub fn add(&mut self, fault: &Fault) {
        let (what, line) = match *fault {
            Fault::Edited { line } => (What::Edited, line),
            Fault::Malformed { line } => (What::Malformed, line),
            Fault::Unreadable { line } => (What::Unreadable, line),
            Fault::Values { line } => (What::Values, line),
            _ => return self.say(fault.text()),
        };
        match &mut self.run {
            Some(run) if run.what == what && line == run.to + 1 => run.to = line,
            // The line after a damaged one says once more that it is damaged.
            Some(run) if what == What::Edited && (run.from..=run.to).contains(&line) => {}
            Some(run) if run.what == what && run.to == line => {}
            _ => {
                self.close();
                self.run = Some(Run { what, from: line, to: line });
            }
        }
    }

    /// Something else that is wrong.
    pub fn say(&mut self, text: Bi) {
        self.close();
        self.keep(text);
    }

    /// True when nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && self.run.is_none()
    }

    /// Everything, for a person.
    pub fn into_texts(mut self) -> Vec<Bi> {
        self.close();
        match self.more {
            0 => {}
            1 => self.told.push(Bi::new("Un autre défaut encore.", "One more fault.")),
            n => self
                .told
                .push(Bi::new(format!("{n} autres défauts encore."), format!("{n} more faults."))),
        }
        self.told
    }

    fn close(&mut self) {
        if let Some(run) = self.run.take() {
            self.keep(run.text());
        }
    }

    fn keep(&mut self, text: Bi) {
        if self.told.len() < MOST {
            self.told.push(text);
        } else {
            self.more += 1;
        }
    }
}

impl Run {
    fn text(&self) -> Bi {
        let (from, to) = (self.from, self.to);
        if from == to {
            let line = from;
            return match self.what {
                What::Edited => Fault::Edited { line },
                What::Malformed => Fault::Malformed { line },
                What::Unreadable => Fault::Unreadable { line },
                What::Values => Fault::Values { line },
            }
            .text();
        }
        match self.what {
            What::Edited => Bi::new(
                format!("Les lignes {from} à {to} ont été modifiées."),
                format!("Lines {from} to {to} were edited."),
            ),
            What::Malformed => Bi::new(
                format!("Les lignes {from} à {to} ne sont pas des lignes de journal valides."),
                format!("Lines {from} to {to} are not valid log lines."),
            ),
            What::Unreadable => Bi::new(
                format!(
                    "Les lignes {from} à {to} ne s’ouvrent plus\u{a0}: elles ont été modifiées, ou leur clé."
                ),
                format!("Lines {from} to {to} no longer open: they were edited, or their key was."),
            ),
            What::Values => Bi::new(
                format!("Les valeurs des lignes {from} à {to} ont été modifiées."),
                format!("The values of lines {from} to {to} were edited."),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_one_sentence_and_nothing_is_told_twice() {
        let mut found = Findings::default();
        assert!(found.is_empty());
        for line in 3..9 {
            found.add(&Fault::Unreadable { line });
        }
        found.add(&Fault::Edited { line: 8 });
        found.add(&Fault::Edited { line: 10 });
        found.add(&Fault::Missing { from: 12, next: 15 });
        let texts: Vec<String> = found.into_texts().into_iter().map(|t| t.en).collect();
        assert_eq!(texts.len(), 3, "{texts:?}");
        assert!(texts[0].starts_with("Lines 3 to 8 no longer open"), "{texts:?}");
        assert_eq!(texts[1], "Line 10 was edited.");
        assert_eq!(texts[2], "Lines 12 to 14 are missing.");
    }

    #[test]
    fn too_many_are_counted() {
        let mut found = Findings::default();
        for line in 0..60 {
            found.add(&Fault::Edited { line: 2 * line });
        }
        let texts = found.into_texts();
        assert_eq!(texts.len(), 51);
        assert_eq!(texts[50].fr, "10 autres défauts encore.");
    }
}
