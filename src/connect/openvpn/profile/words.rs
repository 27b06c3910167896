//! The lines of a configuration of OpenVPN as `openvpn` itself cuts them (2.6,
//! `parse_line` and `check_inline_file` of options.c): words, quotation, backslash,
//! comments and blocks. Knows no directive.

/// Most words of a line that `openvpn` looks at (`MAX_PARMS`).
pub const MAX_WORDS: usize = 16;

/// Longest line that `openvpn` reads, in bytes without its end (`OPTION_LINE_SIZE`).
pub const MAX_LINE_BYTES: usize = 254;

/// Why a line cannot be cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// A quotation is not closed.
    Quote,
    /// A backslash before a sign that has no need of it.
    Backslash,
    /// A block has no end.
    Unclosed,
}

/// What stands in a configuration, with the number of its first line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece<'a> {
    /// The words of a line; at least one.
    Line(usize, Vec<Vec<u8>>),
    /// `<tag>`, what is inside, `</tag>`.
    Block(usize, Vec<u8>, &'a [u8]),
    /// A line that is a comment, without the sign in front.
    Comment(&'a [u8]),
}

/// The pieces of a configuration, from the top.
pub struct Pieces<'a> {
    rest: &'a [u8],
    /// Lines that were read.
    lines: usize,
}

impl<'a> Pieces<'a> {
    /// Of `text`, whose first line has the number `first`.
    pub fn of(text: &'a [u8], first: usize) -> Self {
        let rest =
            if first == 1 { text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text) } else { text };
        Self { rest, lines: first - 1 }
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.rest).map_or(self.rest.len(), |at| at + 1);
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.lines += 1;
        Some(line)
    }

    /// What is inside of a block that was opened.
    fn inside(&mut self, tag: &[u8]) -> Option<&'a [u8]> {
        let whole = self.rest;
        loop {
            let before = whole.len() - self.rest.len();
            let line = trim_start(self.line()?);
            let closes = line.strip_prefix(b"</").and_then(|line| line.strip_prefix(tag));
            if closes.is_some_and(|after| after.starts_with(b">")) {
                return Some(&whole[..before]);
            }
        }
    }
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<Piece<'a>, (usize, Fault)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.line()?;
            let number = self.lines;
            if let [b'#' | b';', comment @ ..] = trim_start(line) {
                return Some(Ok(Piece::Comment(comment)));
            }
            let mut words = match words(line) {
                Ok(words) => words,
                Err(fault) => return Some(Err((number, fault))),
            };
            if let [name] = &words[..]
                && let Some(tag) = name.strip_prefix(b"<").and_then(|tag| tag.strip_suffix(b">"))
            {
                let tag = tag.to_vec();
                let inside = self.inside(&tag).ok_or((number, Fault::Unclosed));
                return Some(inside.map(|inside| Piece::Block(number, tag, inside)));
            }
            if let Some(name) = words.first_mut() {
                if name.len() >= 3 && name.starts_with(b"--") {
                    name.drain(..2);
                }
                return Some(Ok(Piece::Line(number, words)));
            }
        }
    }
}

/// `isspace` of C, and the end of a text.
fn space(byte: u8) -> bool {
    matches!(byte, b'\0' | b' ' | b'\t'..=b'\r')
}

/// Without the white space in front, as `isspace` knows it.
fn trim_start(line: &[u8]) -> &[u8] {
    let at = line.iter().position(|byte| *byte == 0 || !space(*byte)).unwrap_or(line.len());
    &line[at..]
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Between,
    Bare,
    Double,
    Single,
}

/// The words of a line, whose end may be part of it.
///
/// # Errors
/// `openvpn` would refuse the line.
pub fn words(line: &[u8]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut out = Vec::new();
    let mut word = Vec::new();
    let mut state = State::Between;
    let mut escaped = false;
    for byte in line.iter().copied().take_while(|byte| *byte != 0).chain([0]) {
        if !escaped && byte == b'\\' && state != State::Single {
            escaped = true;
            continue;
        }
        let mut done = false;
        let mut taken = false;
        match state {
            State::Between if space(byte) => {}
            State::Between if matches!(byte, b'#' | b';') => break,
            State::Between if !escaped && byte == b'"' => state = State::Double,
            State::Between if !escaped && byte == b'\'' => state = State::Single,
            State::Between => {
                state = State::Bare;
                taken = true;
            }
            State::Bare => {
                done = !escaped && space(byte);
                taken = !done;
            }
            State::Double => {
                done = !escaped && byte == b'"';
                taken = !done;
            }
            State::Single => {
                done = byte == b'\'';
                taken = !done;
            }
        }
        if done {
            out.push(std::mem::take(&mut word));
            state = State::Between;
            if out.len() == MAX_WORDS {
                break;
            }
        }
        if taken && byte != 0 {
            if escaped && !(matches!(byte, b'\\' | b'"') || space(byte)) {
                return Err(Fault::Backslash);
            }
            word.push(byte);
        }
        escaped = false;
    }
    match state {
        State::Between => Ok(out),
        State::Bare => Err(Fault::Backslash),
        State::Double | State::Single => Err(Fault::Quote),
    }
}

/// `word` so that [`words`] gives it back. Without line ends, which no line has.
pub fn quoted(word: &str, out: &mut String) {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:/+=,@%-!?[]()*~^&|$".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        out.push_str(word);
        return;
    }
    out.push('"');
    for c in word.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::{Fault, MAX_WORDS, Piece, Pieces, quoted, words};

    fn cut(line: &str) -> Result<Vec<String>, Fault> {
        let words = words(line.as_bytes())?;
        Ok(words.into_iter().map(|word| String::from_utf8(word).expect("UTF-8")).collect())
    }

    #[test]
    fn a_line_is_cut_as_openvpn_cuts_it() {
        assert_eq!(
            cut("remote  a\t1194 udp\r\n"),
            Ok(["remote", "a", "1194", "udp"].map(String::from).into())
        );
        assert_eq!(
            cut(r#"a "b c" 'd "\e' f"#),
            Ok(["a", "b c", r#"d "\e"#, "f"].map(String::from).into())
        );
        assert_eq!(
            cut(r#"a b\ c \"x "\"\\""#),
            Ok(["a", "b c", r#""x"#, r#""\"#].map(String::from).into())
        );
        // A quotation ends a word and needs none before the next; only at a word's
        // begin is it one.
        assert_eq!(cut(r#""a""b"c d'e'"#), Ok(["a", "b", "c", "d'e'"].map(String::from).into()));
        assert_eq!(cut("a b # c"), Ok(["a", "b"].map(String::from).into()));
        assert_eq!(cut("a b;c #"), Ok(["a", "b;c"].map(String::from).into()));
        assert_eq!(cut("a \"\" b"), Ok(["a", "", "b"].map(String::from).into()));
        assert_eq!(cut("a\0b"), Ok(vec!["a".to_owned()]));
        assert_eq!(cut("a b\\\n"), Ok(vec!["a".to_owned(), "b\n".to_owned()]));
        assert_eq!(cut(&"x ".repeat(40)).map(|all| all.len()), Ok(MAX_WORDS));
        for (line, fault) in [
            ("a \"b", Fault::Quote),
            ("a 'b", Fault::Quote),
            (r"ca C:\keys", Fault::Backslash),
            ("a b\\", Fault::Backslash),
        ] {
            assert_eq!(cut(line), Err(fault), "{line}");
        }
    }

    #[test]
    fn blocks_and_comments_are_told_with_their_lines() {
        let text = b"\xEF\xBB\xBFclient\n# note\n\n  <ca>\nA\n</cab>\n </ca> x\n--dev tun\n<key>\n";
        let pieces: Vec<_> = Pieces::of(text, 1).collect();
        assert_eq!(
            pieces,
            [
                Ok(Piece::Line(1, vec![b"client".to_vec()])),
                Ok(Piece::Comment(b" note\n")),
                Ok(Piece::Block(4, b"ca".to_vec(), b"A\n</cab>\n")),
                Ok(Piece::Line(8, vec![b"dev".to_vec(), b"tun".to_vec()])),
                Err((9, Fault::Unclosed)),
            ]
        );
    }

    #[test]
    fn a_quoted_word_is_cut_to_itself() {
        for word in
            ["", "a", "a b", r#"a"b"#, r"a\b", "é 日", "#x", ";x", "<x>", "'", "--x", "a\tb"]
        {
            let mut line = "x ".to_owned();
            quoted(word, &mut line);
            assert_eq!(cut(&line), Ok(vec!["x".to_owned(), word.to_owned()]), "{line}");
        }
    }
}
