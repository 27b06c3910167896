//! What an argument of a directive may be. An argument is given back as it is
//! written; what is not understood is no argument.

use super::model::Proto;
use super::words::MAX_LINE_BYTES;
use crate::model::unseen::hidden;

/// A kind of argument.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Arg {
    /// A number between these, both included.
    Number(u32, u32),
    /// Seconds, or one of these words.
    Seconds(&'static [&'static str]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Names of algorithms, groups or suites, divided by `:`.
    Algorithms,
    /// A name or address of a computer, or a word such as `vpn_gateway`.
    Address,
    /// An address of IPv6.
    Address6,
    /// An address of IPv6 and the bits of its network, between these, both included.
    Network6(u32, u32),
    /// The metric of a route, or `default`.
    Metric,
    /// A port.
    Port,
    /// What carries the tunnel.
    Wire,
    /// Three numbers, as in `2.4.0`.
    Version,
    /// A number in hexadecimal.
    Hex,
    /// Any text in one line, all signs of which are seen.
    Text,
}

impl Arg {
    /// `word` as it is written; nothing where it is no such argument.
    pub fn taken(self, word: &str) -> Option<String> {
        let good = match self {
            Self::Number(least, most) => {
                return number(word, least, most).map(|number| number.to_string());
            }
            Self::Wire => return Proto::of(word).map(|proto| proto.word().to_owned()),
            Self::Port => return port(word).map(|port| port.to_string()),
            Self::Seconds(words) => words.contains(&word) || number(word, 0, 86_400).is_some(),
            Self::Word(words) => words.contains(&word),
            Self::Algorithms => algorithms(word),
            Self::Address => host(word),
            Self::Address6 => word.parse::<std::net::Ipv6Addr>().is_ok(),
            Self::Network6(least, most) => network6(word, least, most),
            Self::Metric => word == "default" || number(word, 0, 65_535).is_some(),
            Self::Version => {
                let numbers: Vec<&str> = word.split('.').collect();
                numbers.len() == 3 && numbers.iter().all(|n| number(n, 0, 99).is_some())
            }
            Self::Hex => {
                let digits = word.strip_prefix("0x").unwrap_or(word);
                (1..=4).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit())
            }
            Self::Text => text(word),
        };
        good.then(|| word.to_owned())
    }
}

fn number(word: &str, least: u32, most: u32) -> Option<u32> {
    let digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let number = digits.then(|| word.parse().ok()).flatten()?;
    (least..=most).contains(&number).then_some(number)
}

/// A port that a server can have.
pub fn port(word: &str) -> Option<u16> {
    number(word, 1, 65_535).and_then(|port| u16::try_from(port).ok())
}

/// Whether `word` can be the name or address of a computer; also a word for a place,
/// such as `vpn_gateway`.
pub fn host(word: &str) -> bool {
    let sign = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
    (1..=200).contains(&word.len()) && !word.starts_with('-') && word.chars().all(sign)
}

fn network6(word: &str, least: u32, most: u32) -> bool {
    let (address, bits) = word.split_once('/').unwrap_or((word, "128"));
    address.parse::<std::net::Ipv6Addr>().is_ok() && number(bits, least, most).is_some()
}

fn algorithms(word: &str) -> bool {
    let sign = |c: char| c.is_ascii_alphanumeric() || "-_:+!?@=.,/".contains(c);
    !word.is_empty() && word.chars().all(sign)
}

/// Whether `word` is a text in one line, all signs of which are seen.
pub fn text(word: &str) -> bool {
    let unseen = |c: char| hidden(c) || c == '\u{FFFD}';
    !word.is_empty() && word.len() <= MAX_LINE_BYTES && !word.contains(unseen)
}

#[cfg(test)]
mod tests {
    use super::Arg::{self, *};

    #[test]
    fn an_argument_is_what_its_kind_says() {
        let good: &[(Arg, &str, &str)] = &[
            (Number(0, 9), "007", "7"),
            (Port, "1194", "1194"),
            (Wire, "tcp", "tcp-client"),
            (Address, "vpn.example.fr", "vpn.example.fr"),
            (Address, "2001:db8::1", "2001:db8::1"),
            (Network6(0, 128), "2001:db8::/32", "2001:db8::/32"),
            (Algorithms, "DEFAULT:!EXP:@SECLEVEL=0", "DEFAULT:!EXP:@SECLEVEL=0"),
            (Version, "2.4.0", "2.4.0"),
            (Hex, "a0", "a0"),
            (Text, "Code reçu\u{a0}?", "Code reçu\u{a0}?"),
        ];
        for (arg, word, taken) in good {
            assert_eq!(arg.taken(word).as_deref(), Some(*taken), "{arg:?}");
        }
        let bad: &[(Arg, &str)] = &[
            (Number(0, 9), "10"),
            (Number(0, 9), "-1"),
            (Number(0, 9), "99999999999999999999"),
            (Port, "0"),
            (Port, "openvpn"),
            (Wire, "tcp-server"),
            (Address, "--up"),
            (Address, "a b"),
            (Address, ""),
            (Network6(0, 128), "192.0.2.0/24"),
            (Network6(64, 124), "2001:db8::1"),
            (Algorithms, "AES 256"),
            (Version, "2.4"),
            (Hex, "xyz"),
            (Text, "a\nplugin x.so"),
            (Text, "a\u{202E}b"),
        ];
        for (arg, word) in bad {
            assert_eq!(arg.taken(word), None, "{arg:?} {word}");
        }
    }
}
