//! The telnet protocol: takes it out of what the far side sends, puts it around
//! what is typed, and agrees on options. Works on bytes alone; it reads no socket
//! and no clock. RFC 854, 855, 856 (BINARY), 857 (ECHO), 858 (SGA), 1073 (NAWS),
//! 1091 (TTYPE); options by the rules of RFC 1143, so that they cannot loop.

use crate::connect::line::typed::{Ending, Enter};
use crate::connect::link::TermSize;

const SE: u8 = 240;
const BRK: u8 = 243;
const SB: u8 = 250;
const WILL: u8 = 251;
const WONT: u8 = 252;
const DO: u8 = 253;
const DONT: u8 = 254;
const IAC: u8 = 255;

const BINARY: u8 = 0;
const ECHO: u8 = 1;
const SGA: u8 = 3;
const TTYPE: u8 = 24;
const NAWS: u8 = 31;

const IS: u8 = 0;
const SEND: u8 = 1;

/// What this side may do, in the order of the table of its states.
const OURS: [u8; 4] = [BINARY, SGA, TTYPE, NAWS];
/// What the far side may do.
const THEIRS: [u8; 3] = [BINARY, ECHO, SGA];

/// Longest subnegotiation that is kept: ours are of two bytes.
const SUB_MAX: usize = 64;

/// One option on one side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Opt {
    No,
    Yes,
    /// We offered it and wait for the answer.
    Offered,
}

/// Where in the stream of the far side we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum At {
    Data,
    Iac,
    /// After WILL, WONT, DO or DONT.
    Verb(u8),
    Sub,
    SubIac,
}

/// One telnet connection.
#[derive(Clone, Debug)]
pub struct Filter {
    at: At,
    /// The last byte of data was a CR.
    after_cr: bool,
    sub: Vec<u8>,
    ours: [Opt; OURS.len()],
    theirs: [Opt; THEIRS.len()],
    /// The far side speaks telnet.
    negotiates: bool,
    term: String,
    size: TermSize,
    enter: Enter,
}

impl Filter {
    /// A connection that says it is a terminal `term` of this size.
    pub fn new(term: &str, size: TermSize, ending: Ending) -> Self {
        Self {
            at: At::Data,
            after_cr: false,
            sub: Vec::new(),
            ours: [Opt::No; OURS.len()],
            theirs: [Opt::No; THEIRS.len()],
            negotiates: false,
            term: term.to_owned(),
            size,
            enter: Enter::new(ending),
        }
    }

    /// Says at once what this side can do. Only towards the port of telnet: what
    /// listens elsewhere may take it for text, and is waited for.
    pub fn begin(&mut self, wire: &mut Vec<u8>) {
        self.negotiates = true;
        for (place, option) in OURS.iter().enumerate().filter(|(_, o)| **o != BINARY) {
            self.ours[place] = Opt::Offered;
            wire.extend([IAC, WILL, *option]);
        }
        for (place, option) in THEIRS.iter().enumerate().filter(|(_, o)| **o == SGA) {
            self.theirs[place] = Opt::Offered;
            wire.extend([IAC, DO, *option]);
        }
    }

    /// Takes what the far side sent: text goes to `shown`, answers to `wire`.
    pub fn receive(&mut self, bytes: &[u8], shown: &mut Vec<u8>, wire: &mut Vec<u8>) {
        for &byte in bytes {
            match self.at {
                At::Data if byte == IAC => self.at = At::Iac,
                At::Data => self.data(byte, shown),
                At::Iac => {
                    self.at = match byte {
                        WILL | WONT | DO | DONT => At::Verb(byte),
                        SB => {
                            self.sub.clear();
                            At::Sub
                        }
                        IAC => {
                            self.data(IAC, shown);
                            At::Data
                        }
                        // NOP, GA, DM and the others ask for nothing.
                        _ => At::Data,
                    };
                }
                At::Verb(verb) => {
                    self.at = At::Data;
                    self.option(verb, byte, wire);
                }
                At::Sub if byte == IAC => self.at = At::SubIac,
                At::Sub => self.keep(byte),
                At::SubIac => {
                    self.at = At::Sub;
                    match byte {
                        SE => {
                            self.at = At::Data;
                            self.subnegotiation(wire);
                        }
                        IAC => self.keep(IAC),
                        // A broken one ends with the next command.
                        _ => self.at = At::Data,
                    }
                }
            }
        }
    }

    /// Puts what was typed into the form of the wire.
    pub fn encode(&mut self, typed: &[u8], wire: &mut Vec<u8>) {
        let binary = self.we(BINARY) == Opt::Yes;
        // RFC 854: a CR that is no end of line is followed by NUL.
        let lone: &[u8] = if binary { b"\r" } else { b"\r\0" };
        self.enter.translate(typed, lone, &mut |byte| {
            wire.push(byte);
            if byte == IAC {
                wire.push(IAC);
            }
        });
    }

    /// As [`Filter::encode`] of what is no typing: nothing stands for something else.
    pub fn encode_bytes(&self, bytes: &[u8], wire: &mut Vec<u8>) {
        let binary = self.we(BINARY) == Opt::Yes;
        for &byte in bytes {
            wire.push(byte);
            match byte {
                IAC => wire.push(IAC),
                b'\r' if !binary => wire.push(0),
                _ => {}
            }
        }
    }

    /// Offers bytes of all values both ways (RFC 856), so that nobody takes them for
    /// text. What was agreed stays: typing goes with it as well.
    pub fn offer_binary(&mut self, wire: &mut Vec<u8>) {
        let place = |all: &[u8]| all.iter().position(|o| *o == BINARY);
        let (ours, theirs) = (place(&OURS), place(&THEIRS));
        let states =
            [(ours.map(|p| &mut self.ours[p]), WILL), (theirs.map(|p| &mut self.theirs[p]), DO)];
        for (state, verb) in states {
            if let Some(state) = state.filter(|state| self.negotiates && **state == Opt::No) {
                *state = Opt::Offered;
                wire.extend([IAC, verb, BINARY]);
            }
        }
    }

    /// The terminal has this size now.
    pub fn resize(&mut self, size: TermSize, wire: &mut Vec<u8>) {
        if std::mem::replace(&mut self.size, size) != size && self.we(NAWS) == Opt::Yes {
            self.say_size(wire);
        }
    }

    /// Another terminal type, if it has not been asked for yet.
    pub fn set_term(&mut self, term: &str) {
        term.clone_into(&mut self.term);
    }

    /// The break signal.
    pub fn send_break(wire: &mut Vec<u8>) {
        wire.extend([IAC, BRK]);
    }

    /// True when the far side shows what is typed, or has not said anything of it.
    pub fn far_side_echoes(&self) -> bool {
        !self.negotiates || self.they(ECHO) == Opt::Yes
    }

    fn we(&self, option: u8) -> Opt {
        OURS.iter().position(|o| *o == option).map_or(Opt::No, |place| self.ours[place])
    }

    fn they(&self, option: u8) -> Opt {
        THEIRS.iter().position(|o| *o == option).map_or(Opt::No, |place| self.theirs[place])
    }

    fn keep(&mut self, byte: u8) {
        if self.sub.len() < SUB_MAX {
            self.sub.push(byte);
        }
    }

    /// A byte of text. CR NUL stands for CR, unless the far side sends binary.
    fn data(&mut self, byte: u8, shown: &mut Vec<u8>) {
        let filler = byte == 0 && self.after_cr && self.they(BINARY) != Opt::Yes;
        self.after_cr = byte == b'\r';
        if !filler {
            shown.push(byte);
        }
    }

    fn option(&mut self, verb: u8, option: u8, wire: &mut Vec<u8>) {
        self.negotiates = true;
        let (yes, no, on) = match verb {
            WILL | WONT => (DO, DONT, verb == WILL),
            _ => (WILL, WONT, verb == DO),
        };
        let state = match verb {
            WILL | WONT => THEIRS.iter().position(|o| *o == option).map(|p| &mut self.theirs[p]),
            _ => OURS.iter().position(|o| *o == option).map(|p| &mut self.ours[p]),
        };
        let Some(state) = state else {
            if on {
                wire.extend([IAC, no, option]);
            }
            return;
        };
        let before = std::mem::replace(state, if on { Opt::Yes } else { Opt::No });
        match (before, on) {
            (Opt::No, true) => wire.extend([IAC, yes, option]),
            (Opt::Yes, false) => wire.extend([IAC, no, option]),
            _ => {}
        }
        if verb == DO && option == NAWS && before != Opt::Yes {
            self.say_size(wire);
        }
    }

    fn subnegotiation(&mut self, wire: &mut Vec<u8>) {
        if self.sub.first_chunk() == Some(&[TTYPE, SEND]) && self.we(TTYPE) == Opt::Yes {
            wire.extend([IAC, SB, TTYPE, IS]);
            wire.extend(self.term.bytes().filter(|b| *b != IAC));
            wire.extend([IAC, SE]);
        }
        self.sub.clear();
    }

    fn say_size(&self, wire: &mut Vec<u8>) {
        wire.extend([IAC, SB, NAWS]);
        for byte in [self.size.cols.to_be_bytes(), self.size.rows.to_be_bytes()].concat() {
            wire.push(byte);
            if byte == IAC {
                wire.push(IAC);
            }
        }
        wire.extend([IAC, SE]);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SIZE: TermSize = TermSize { cols: 80, rows: 24 };

    fn filter() -> Filter {
        Filter::new("vt100", SIZE, Ending::Cr)
    }

    /// What one chunk shows and answers.
    fn heard(filter: &mut Filter, bytes: &[u8]) -> (Vec<u8>, Vec<u8>) {
        let (mut shown, mut wire) = (Vec::new(), Vec::new());
        filter.receive(bytes, &mut shown, &mut wire);
        (shown, wire)
    }

    #[test]
    fn options_are_agreed_once_and_others_refused() {
        let mut f = filter();
        assert_eq!(heard(&mut f, &[IAC, DO, TTYPE]).1, [IAC, WILL, TTYPE]);
        assert!(heard(&mut f, &[IAC, DO, TTYPE]).1.is_empty(), "a repeated one is no news");
        // LINEMODE and ENVIRON.
        assert_eq!(heard(&mut f, &[IAC, DO, 34]).1, [IAC, WONT, 34]);
        assert_eq!(heard(&mut f, &[IAC, WILL, 39]).1, [IAC, DONT, 39]);
        assert!(heard(&mut f, &[IAC, WONT, 39, IAC, DONT, 34]).1.is_empty());
        assert!(!f.far_side_echoes());
        assert_eq!(heard(&mut f, &[IAC, WILL, ECHO]).1, [IAC, DO, ECHO]);
        assert!(f.far_side_echoes());
        assert_eq!(heard(&mut f, &[IAC, WONT, ECHO]).1, [IAC, DONT, ECHO]);
        assert!(!f.far_side_echoes());
    }

    #[test]
    fn an_offer_that_is_taken_up_is_not_answered_again() {
        let (mut f, mut wire) = (filter(), Vec::new());
        f.begin(&mut wire);
        assert!(wire.windows(3).any(|w| w == [IAC, WILL, NAWS]));
        let (_, answer) = heard(&mut f, &[IAC, DO, NAWS, IAC, DONT, TTYPE]);
        assert_eq!(answer, [IAC, SB, NAWS, 0, 80, 0, 24, IAC, SE]);
    }

    #[test]
    fn type_and_size_are_told_and_a_size_of_255_is_doubled() {
        let mut f = filter();
        let (_, answer) = heard(&mut f, &[IAC, DO, TTYPE, IAC, SB, TTYPE, SEND, IAC, SE]);
        assert_eq!(answer[3..], [&[IAC, SB, TTYPE, IS][..], b"vt100", &[IAC, SE]].concat());
        let mut wire = Vec::new();
        f.resize(TermSize { cols: 255, rows: 256 }, &mut wire);
        assert!(wire.is_empty(), "not before it was asked for");
        let (_, answer) = heard(&mut f, &[IAC, DO, NAWS]);
        assert_eq!(answer[3..], [IAC, SB, NAWS, 0, IAC, IAC, 1, 0, IAC, SE]);
        f.resize(SIZE, &mut wire);
        assert_eq!(wire, [IAC, SB, NAWS, 0, 80, 0, 24, IAC, SE]);
    }

    #[test]
    fn a_carriage_return_is_told_from_an_end_of_line() {
        let mut f = filter();
        assert_eq!(heard(&mut f, b"a\r\0b\r\nc\0").0, b"a\rb\r\nc\0");
        let sent = |ending, typed: &[u8]| {
            let mut wire = Vec::new();
            Filter::new("", SIZE, ending).encode(typed, &mut wire);
            wire
        };
        assert_eq!(sent(Ending::Cr, b"x\ry\r\n\xff"), b"x\r\0y\r\0\xff\xff");
        assert_eq!(sent(Ending::CrLf, b"x\ry\n"), b"x\r\ny\n");
    }

    #[test]
    fn an_endless_subnegotiation_takes_no_memory() {
        let mut f = filter();
        let (shown, wire) = heard(&mut f, &[&[IAC, SB][..], &[7; 100_000]].concat());
        assert!(shown.is_empty() && wire.is_empty() && f.sub.len() <= SUB_MAX);
        assert_eq!(heard(&mut f, &[IAC, SE, b'x']).0, b"x");
    }

    #[test]
    fn a_file_is_sent_as_it_is_and_binary_is_offered_once() {
        let mut f = Filter::new("", SIZE, Ending::CrLf);
        let mut wire = Vec::new();
        f.offer_binary(&mut wire);
        assert!(wire.is_empty(), "not to who speaks no telnet");
        heard(&mut f, &[IAC, WILL, ECHO]);
        f.offer_binary(&mut wire);
        assert_eq!(wire, [IAC, WILL, BINARY, IAC, DO, BINARY]);
        wire.clear();
        f.offer_binary(&mut wire);
        f.encode_bytes(b"a\r\n\xff", &mut wire);
        assert_eq!(wire, b"a\r\0\n\xff\xff");
        wire.clear();
        heard(&mut f, &[IAC, DO, BINARY]);
        f.encode_bytes(b"a\r\n\xff", &mut wire);
        assert_eq!(wire, b"a\r\n\xff\xff");
    }

    /// Bytes in which the protocol's own are frequent.
    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let telnet = prop::sample::select(vec![
            IAC, IAC, SB, SE, WILL, WONT, DO, DONT, BINARY, ECHO, TTYPE, NAWS, b'\r', b'\n', b'a',
        ]);
        prop::collection::vec(prop_oneof![telnet, any::<u8>()], 0..300)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn however_the_stream_is_cut_the_result_is_the_same(
            bytes in stream(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let whole = heard(&mut filter(), &bytes);
            let mut places: Vec<usize> = cuts.iter().map(|c| c.index(bytes.len() + 1)).collect();
            places.push(bytes.len());
            places.sort_unstable();
            let (mut f, mut from) = (filter(), 0);
            let (mut shown, mut wire) = (Vec::new(), Vec::new());
            for to in places {
                f.receive(&bytes[from..to], &mut shown, &mut wire);
                from = to;
            }
            prop_assert_eq!((shown, wire), whole);
        }

        #[test]
        fn in_binary_every_byte_arrives(bytes in stream()) {
            let (mut near, mut far) = (filter(), filter());
            heard(&mut near, &[IAC, DO, BINARY]);
            heard(&mut far, &[IAC, WILL, BINARY]);
            let mut wire = Vec::new();
            near.encode(&bytes, &mut wire);
            prop_assert_eq!(heard(&mut far, &wire).0, bytes);
        }

        #[test]
        fn typed_lines_arrive_as_carriage_returns(text in "[ -~\u{e9}\r]{0,80}") {
            let mut wire = Vec::new();
            filter().encode(text.as_bytes(), &mut wire);
            prop_assert_eq!(heard(&mut filter(), &wire).0, text.into_bytes());
        }
    }
}
