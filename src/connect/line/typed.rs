//! What Enter sends, and how typed text is shown when the far side does not.
//! Works on bytes alone.

use crate::connect::field::Word;

/// What the Enter key sends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// CR, as a terminal does.
    Cr,
    /// CR LF.
    CrLf,
    /// LF.
    Lf,
}

/// The words of [`Ending`].
pub const ENDINGS: &[Word] = &[
    Word { word: "cr", fr: "CR (terminal)", en: "CR (terminal)" },
    Word { word: "crlf", fr: "CR LF", en: "CR LF" },
    Word { word: "lf", fr: "LF", en: "LF" },
];

impl Ending {
    /// The ending of that word.
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "cr" => Self::Cr,
            "crlf" => Self::CrLf,
            "lf" => Self::Lf,
            _ => return None,
        })
    }
}

/// Translates Enter.
#[derive(Clone, Debug)]
pub struct Enter {
    ending: Ending,
    after_cr: bool,
}

impl Enter {
    /// With this ending.
    pub fn new(ending: Ending) -> Self {
        Self { ending, after_cr: false }
    }

    /// Hands `typed` on byte by byte. `lone` is how a CR by itself is written;
    /// where that is CR, nothing is changed, so that any byte can be sent. In the
    /// other cases CR LF, as in pasted text, is one Enter.
    pub fn translate(&mut self, typed: &[u8], lone: &[u8], out: &mut dyn FnMut(u8)) {
        let ending = match self.ending {
            Ending::Cr => lone,
            Ending::CrLf => b"\r\n",
            Ending::Lf => b"\n",
        };
        let pairs = ending != b"\r";
        for &byte in typed {
            let second = pairs && byte == b'\n' && self.after_cr;
            self.after_cr = byte == b'\r';
            match byte {
                b'\r' => ending.iter().for_each(|b| out(*b)),
                _ if second => {}
                _ => out(byte),
            }
        }
    }
}

/// Shows typed bytes on this side: Enter begins a line, the backspace key takes
/// back a sign.
pub fn echo(typed: &[u8], shown: &mut Vec<u8>) {
    for byte in typed {
        match byte {
            b'\r' => shown.extend(b"\r\n"),
            0x7f => shown.extend(b"\x08 \x08"),
            other => shown.push(*other),
        }
    }
}
