//! Failures as the log keeps them, in French: a line holds the English sentence only.
//! It is found again among the sentences that failures are made of, each made once
//! with marks in the places of its details. Texts only.

use std::io;
use std::sync::LazyLock;

use regex::Regex;

use super::{
    Failure, credential, desk, host, line, link, manifest, openvpn, rdp, serial, shell, snapshot,
    ssh, telnet, vnc, vpn, web, wireguard,
};
use crate::model::lang::Bi;
use crate::model::target::{HostPort, PinnedKey};
use crate::os::words;

/// Details that are the same in both languages.
pub const ANY: [&str; 5] = ["\u{e000}", "\u{e001}", "\u{e002}", "\u{e003}", "\u{e004}"];
/// Names of login methods.
pub const METHODS: [&str; 2] = ["\u{e005}", "\u{e006}"];
/// A length of time, and its mark.
pub const SECS: u64 = u64::MAX - 1;
const SECS_MARK: &str = "\u{e007}";
/// Words of a library, which [`ssh::saying`] tells.
pub const REASON: &str = "Invalid packet size";
const WHY_MARK: char = '\u{e008}';

/// A place of mark `n`.
pub fn at(n: usize) -> HostPort {
    HostPort { host: ANY[n].to_owned(), port: 9 }
}

/// A key of marks.
pub fn key(at: HostPort, [algorithm, print]: [&str; 2]) -> PinnedKey {
    PinnedKey { at, algorithm: algorithm.to_owned(), fingerprint: print.to_owned() }
}

/// A cause that [`words`] tells.
pub fn cause() -> io::Error {
    io::ErrorKind::NetworkUnreachable.into()
}

/// `sentence`, which says in English what happened, in French, if it is one of those
/// that failures are made of.
pub fn in_french(sentence: &str) -> Option<String> {
    SENTENCES.iter().find_map(|known| known.retold(sentence))
}

/// Those with the most words of their own first: “the gateway X broke” is also what
/// “X broke” would be of a machine with a long name.
static SENTENCES: LazyLock<Vec<Sentence>> = LazyLock::new(|| {
    let mut all: Vec<_> = each().iter().map(|failure| Sentence::of(&failure.what)).collect();
    all.sort_by_key(|sentence| std::cmp::Reverse(sentence.own));
    all
});

fn each() -> Vec<Failure> {
    let all = [
        // Before SSH, whose failures are like some of these, but quote nobody.
        rdp::fail::each(),
        vnc::fail::each(),
        ssh::fail::each(),
        desk::fail::each(),
        web::fail::each(),
        line::fail::each(),
        telnet::each(),
        serial::each(),
        host::link::each(),
        shell::each(),
        vec![credential::opens_nothing(), link::no_screen()],
        manifest::fail::each(),
        vpn::fail::each(),
        wireguard::fail::each(),
        snapshot::fail::each(),
        openvpn::each(),
    ];
    all.into_iter().flatten().collect()
}

struct Sentence {
    en: Regex,
    /// Characters that are no detail.
    own: usize,
    /// Marks of the details, in the order of the English sentence.
    marks: Vec<char>,
    fr: String,
}

fn is_mark(c: char) -> bool {
    ('\u{e000}'..='\u{e008}').contains(&c)
}

impl Sentence {
    fn of(what: &Bi) -> Self {
        let (reason, cause) = (ssh::saying::told(REASON), words::cause(&cause()));
        let marked = |text: &str, reason: &str, cause: &str| {
            let why = WHY_MARK.to_string();
            let mut text = text.replace(reason, &why).replace(cause, &why);
            text = text.replace(&SECS.to_string(), SECS_MARK);
            for (n, mark) in ANY.iter().enumerate() {
                text = text.replace(&at(n).to_string(), mark);
            }
            text
        };
        let en = marked(&what.en, &reason.en, &cause.en);
        let mut pattern = String::from("(?s)^");
        let mut marks = Vec::new();
        for c in en.chars() {
            if is_mark(c) {
                marks.push(c);
                pattern.push_str("(.+?)");
            } else {
                pattern.push_str(&regex::escape(&c.to_string()));
            }
        }
        pattern.push('$');
        let own = en.chars().count() - marks.len();
        let en = Regex::new(&pattern).expect("all but the groups is escaped");
        Self { en, own, marks, fr: marked(&what.fr, &reason.fr, &cause.fr) }
    }

    fn retold(&self, sentence: &str) -> Option<String> {
        let found = self.en.captures(sentence)?;
        let mut out = String::with_capacity(sentence.len());
        for c in self.fr.chars() {
            match self.marks.iter().position(|mark| *mark == c) {
                None => out.push(c),
                Some(n) => out.push_str(&detail(c, found.get(n + 1)?.as_str())),
            }
        }
        Some(out)
    }
}

fn detail(mark: char, text: &str) -> String {
    if mark == WHY_MARK {
        let known = ssh::saying::in_french(text).or_else(|| words::in_french(text));
        return known.unwrap_or_else(|| text.to_owned());
    }
    match METHODS.iter().any(|m| m.starts_with(mark)) {
        true => ssh::fail::methods(text.split(", ")).fr,
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_sentence_is_taken_for_another() {
        for failure in each() {
            assert_eq!(in_french(&failure.what.en), Some(failure.what.fr), "{}", failure.what.en);
        }
    }

    #[test]
    fn a_logged_sentence_is_told_as_it_was_in_french() {
        let at = HostPort { host: "192.0.2.7".into(), port: 22 };
        let via = HostPort { host: "2001:db8::1".into(), port: 2222 };
        let pin = key(at.clone(), ["ssh-ed25519", "SHA256:abc"]);
        let other = key(at.clone(), ["ecdsa-sha2-nistp256", "SHA256:def"]);
        let certificate = key(at.clone(), ["x509-sha256", "SHA256:abc"]);
        let refused = io::ErrorKind::ConnectionRefused.into();
        for failure in [
            ssh::fail::login("root", &at, &["password", "publickey"], "keyboard-interactive"),
            ssh::fail::login("root", &at, &[], "password,publickey"),
            ssh::fail::timeout(&via, 15),
            ssh::fail::dial(&at, &refused, 15),
            ssh::fail::dial(&at, &io::ErrorKind::HostUnreachable.into(), 15),
            ssh::fail::jump(&via, &at, "Channel open failure (connect failed)"),
            ssh::fail::protocol(&at, "Weird"),
            ssh::fail::key_changed(&pin, &[other, pin.clone()]),
            line::fail::ended("192.0.2.7:23", b"Too many sessions"),
            ssh::fail::key_changed(&certificate, &[certificate.clone(), pin]),
            rdp::fail::status(&at, "CORP\\ada", 0xC000_0234),
            rdp::fail::status(&at, "ada", 0xC000_1234),
            vnc::fail::refused(&at, "Authentication failure"),
            vnc::fail::broken(&at, &io::ErrorKind::UnexpectedEof.into()),
            web::fail::unreachable(&at, "net::ERR_SSL_PROTOCOL_ERROR", 15),
            web::fail::no_start("chromium", &io::ErrorKind::PermissionDenied.into()),
        ] {
            assert_eq!(in_french(&failure.what.en), Some(failure.what.fr), "{}", failure.what.en);
        }
        assert_eq!(in_french("The key of h was not made by us."), None);
    }
}
