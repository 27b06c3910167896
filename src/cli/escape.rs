//! The escape key of a plain line: such a session has no end of its own, and a
//! keyboard no key for a break. Decides only; sends nothing.

use crate::connect::link::LineSignal;
use crate::model::lang::Lang;

/// Ctrl+], as in telnet.
const ESCAPE: u8 = 0x1d;

/// What typed bytes come to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Act {
    /// They go to the far side.
    Send(Vec<u8>),
    /// A signal goes to the far side.
    Signal(LineSignal),
    /// The person wants to know the keys.
    Help,
    /// The session is to end.
    Quit,
}

/// Watches what is typed.
pub struct Escape {
    signals: Vec<LineSignal>,
    armed: bool,
    dtr_off: bool,
}

impl Escape {
    /// For a line that carries these signals.
    pub fn new(signals: Vec<LineSignal>) -> Self {
        Self { signals, armed: false, dtr_off: false }
    }

    /// What the keys are.
    pub fn help(&self, lang: Lang) -> String {
        let mut keys = vec![lang.pick("q termine", "q ends the session")];
        if self.signals.contains(&LineSignal::Break) {
            keys.push(lang.pick("b envoie un break", "b sends a break"));
        }
        if self.signals.contains(&LineSignal::DtrOff) {
            keys.push(lang.pick("d baisse puis relève DTR", "d lowers DTR, then raises it"));
        }
        keys.push(lang.pick("Ctrl+] l’envoie", "Ctrl+] sends itself"));
        format!("{}{}", lang.pick("Ctrl+] puis\u{a0}: ", "Ctrl+] then: "), keys.join(", "))
    }

    /// Sorts what was typed.
    pub fn take(&mut self, typed: &[u8]) -> Vec<Act> {
        let mut acts = Vec::new();
        let mut plain = Vec::new();
        for &byte in typed {
            if !std::mem::take(&mut self.armed) {
                match byte {
                    ESCAPE => self.armed = true,
                    _ => plain.push(byte),
                }
                continue;
            }
            let act = match byte {
                ESCAPE => {
                    plain.push(ESCAPE);
                    continue;
                }
                b'q' | b'Q' => Act::Quit,
                b'b' | b'B' if self.signals.contains(&LineSignal::Break) => {
                    Act::Signal(LineSignal::Break)
                }
                b'd' | b'D' if self.signals.contains(&LineSignal::DtrOff) => {
                    self.dtr_off = !self.dtr_off;
                    let off = self.dtr_off;
                    Act::Signal(if off { LineSignal::DtrOff } else { LineSignal::DtrOn })
                }
                _ => Act::Help,
            };
            if !plain.is_empty() {
                acts.push(Act::Send(std::mem::take(&mut plain)));
            }
            acts.push(act);
        }
        if !plain.is_empty() {
            acts.push(Act::Send(plain));
        }
        acts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_the_escape_key_is_an_order() {
        let mut keys = Escape::new(vec![LineSignal::Break, LineSignal::DtrOff, LineSignal::DtrOn]);
        assert_eq!(keys.take(b"qbd"), [Act::Send(b"qbd".into())]);
        assert_eq!(keys.take(b"a\x1d"), [Act::Send(b"a".into())]);
        let then = [Act::Signal(LineSignal::Break), Act::Send(b"c".into())];
        assert_eq!(keys.take(b"bc"), then, "in pieces as in one");
        assert_eq!(keys.take(b"\x1dd"), [Act::Signal(LineSignal::DtrOff)]);
        assert_eq!(keys.take(b"\x1dd"), [Act::Signal(LineSignal::DtrOn)]);
        assert_eq!(keys.take(b"\x1d\x1d"), [Act::Send(vec![0x1d])]);
        assert_eq!(keys.take(b"x\x1dq"), [Act::Send(b"x".into()), Act::Quit]);
        assert_eq!(Escape::new(Vec::new()).take(b"\x1db"), [Act::Help]);
    }
}
