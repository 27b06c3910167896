//! Reads a profile: what is known is taken over, everything else is listed with its
//! reason. Opens no file itself: who calls it gives those that lie beside the profile.

use std::io;

use super::allow::{self, Takes};
use super::args::{self, setting};
use super::hints::{Hints, Login};
use super::model::{Item, Part, PartKind, Profile, Setting};
use super::refused::Refused;
use super::why::{Class, Dropped};
use super::words::{Fault, Piece, Pieces};
use super::{MAX_BYTES, MAX_DIRECTIVES, MAX_FILE_BYTES, parts, warn};
use crate::model::lang::Bi;

/// Gives the file of that plain name, beside the profile: never one in another folder,
/// never where a link leads to, never more than [`MAX_FILE_BYTES`] and one more.
pub type Beside<'a> = &'a mut dyn FnMut(&str) -> io::Result<Vec<u8>>;

/// What a profile came to.
pub struct Reading {
    /// What was taken over.
    pub profile: Profile,
    /// What was not, from the top.
    pub dropped: Vec<Dropped>,
    /// Risks that remain, each a sentence.
    pub warnings: Vec<Bi>,
    /// What firewalls say in comments.
    pub hints: Hints,
    /// The login that stood in it.
    pub login: Option<Login>,
}

/// Reads the profile `text`, whose files `file` gives.
///
/// # Errors
/// `openvpn` could not cut it into words either, or it is not for a client of the kind
/// that is opened here.
pub fn read(text: &[u8], file: Beside<'_>) -> Result<Reading, Refused> {
    if text.len() > MAX_BYTES {
        return Err(Refused::Large);
    }
    if text.contains(&0) {
        return Err(Refused::NotText);
    }
    let mut reader = Reader {
        file,
        bytes: text.len(),
        directives: 0,
        dropped: Vec::new(),
        hints: Hints::default(),
        login: None,
        device: None,
        device_type: None,
    };
    let mut items = Vec::new();
    reader.pieces(text, 1, false, &mut items)?;
    reader.device()?;
    let profile = Profile { items };
    if !profile.has_mode() {
        return Err(Refused::NotForClients);
    }
    if profile.remotes().is_empty() {
        return Err(Refused::NoRemote);
    }
    // What is written can be read again.
    if profile.directives() > MAX_DIRECTIVES {
        return Err(Refused::Many);
    }
    if profile.text_bytes() > MAX_BYTES {
        return Err(Refused::Large);
    }
    let warnings = warn::of(&profile);
    let Reader { mut dropped, hints, login, .. } = reader;
    dropped.sort_by_key(|dropped| dropped.line);
    Ok(Reading { profile, dropped, warnings, hints, login })
}

struct Reader<'a> {
    file: Beside<'a>,
    /// Of the profile and its files, so far.
    bytes: usize,
    /// So far.
    directives: usize,
    dropped: Vec<Dropped>,
    hints: Hints,
    login: Option<Login>,
    device: Option<(usize, String)>,
    device_type: Option<(usize, String)>,
}

impl Reader<'_> {
    fn drop(&mut self, line: usize, name: &str, class: Class) {
        self.dropped.push(Dropped::new(line, name, class));
    }

    fn pieces(
        &mut self,
        text: &[u8],
        first: usize,
        inside: bool,
        out: &mut Vec<Item>,
    ) -> Result<(), Refused> {
        for piece in Pieces::of(text, first) {
            if !matches!(piece, Ok(Piece::Comment(_))) {
                self.directives += 1;
                if self.directives > MAX_DIRECTIVES {
                    return Err(Refused::Many);
                }
            }
            match piece {
                Ok(Piece::Comment(text)) => self.hints.take(text),
                Ok(Piece::Line(line, words)) => self.line(line, &words, inside, out)?,
                Ok(Piece::Block(line, tag, text)) => {
                    let tag = String::from_utf8_lossy(&tag);
                    self.block(line, &tag, text, inside, out)?;
                }
                Err((line, Fault::Quote)) => return Err(Refused::Quote(line)),
                Err((line, Fault::Backslash)) => return Err(Refused::Backslash(line)),
                Err((line, Fault::Unclosed)) => return Err(Refused::Unclosed(line)),
            }
        }
        Ok(())
    }

    fn line(
        &mut self,
        line: usize,
        words: &[Vec<u8>],
        inside: bool,
        out: &mut Vec<Item>,
    ) -> Result<(), Refused> {
        let words: Vec<String> =
            words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        let mut words: &[String] = &words;
        // `setenv opt X` is X for an OpenVPN that knows X.
        if let [first, second, _, ..] = words
            && first == "setenv"
            && second == "opt"
        {
            words = &words[2..];
        }
        let Some((name, args)) = words.split_first() else { return Ok(()) };
        match self.directive(line, name, args, inside, out)? {
            Ok(()) => {}
            Err(class) => self.drop(line, name, class),
        }
        Ok(())
    }

    /// Takes a directive over, or says why not.
    fn directive(
        &mut self,
        line: usize,
        name: &str,
        words: &[String],
        inside: bool,
        out: &mut Vec<Item>,
    ) -> Result<Result<(), Class>, Refused> {
        let (takes, known) = allow::takes(name);
        let known = match known {
            Some(known) if inside && !known.inside => return Ok(Err(Class::Place)),
            Some(known) => known,
            None => {
                return Ok(Err(match takes {
                    Takes::Never(class) => class,
                    _ => Class::Unknown,
                }));
            }
        };
        let taken = match takes {
            Takes::Nothing => setting(known, Some(Vec::new())),
            Takes::Args(least, kinds) => setting(known, args::each(words, least, kinds)),
            Takes::Each(least, kind) => setting(known, args::many(words, least, kind)),
            Takes::Remote => args::remote(words).map(Item::Remote),
            Takes::HttpProxy | Takes::SocksProxy => {
                let taken = match takes {
                    Takes::HttpProxy => args::http_proxy(words),
                    _ => args::socks_proxy(words),
                };
                let Some((words, file)) = taken else { return Ok(Err(Class::Malformed)) };
                if file {
                    self.drop(line, name, Class::SendsFile);
                }
                setting(known, Some(words))
            }
            Takes::Variable => match args::variable(words) {
                Some(words) => setting(known, Some(words)),
                None => return Ok(Err(args::why_no_variable(words))),
            },
            Takes::Fingerprints => setting(known, args::fingerprint(words)),
            Takes::Always => return Ok(Ok(())),
            Takes::Login => {
                if !words.is_empty() {
                    self.drop(line, name, Class::SendsFile);
                }
                setting(known, Some(Vec::new()))
            }
            Takes::Device => {
                let [word] = words else { return Ok(Err(Class::Malformed)) };
                let place = if name == "dev" { &mut self.device } else { &mut self.device_type };
                *place = Some((line, word.clone()));
                return Ok(Ok(()));
            }
            Takes::Part(kind) => return self.part_of_file(kind, words, out),
            Takes::Connection | Takes::Never(_) => return Ok(Err(Class::Malformed)),
        };
        Ok(match taken {
            Some(item) => {
                out.push(item);
                Ok(())
            }
            None => Err(Class::Malformed),
        })
    }

    fn block(
        &mut self,
        line: usize,
        tag: &str,
        text: &[u8],
        inside: bool,
        out: &mut Vec<Item>,
    ) -> Result<(), Refused> {
        let (takes, known) = allow::takes(tag);
        let class = match (takes, known) {
            (_, Some(known)) if inside && !known.inside => Class::Place,
            (Takes::Connection, _) => {
                let mut items = Vec::new();
                self.pieces(text, line + 1, true, &mut items)?;
                let remotes = items.iter().filter(|item| matches!(item, Item::Remote(_))).count();
                if remotes == 1 {
                    out.push(Item::Connection(items));
                    return Ok(());
                }
                Class::Malformed
            }
            (Takes::Part(kind), _) => match parts::body(kind, text, false) {
                Some(body) => {
                    out.push(Item::Part(Part { kind, body }));
                    return Ok(());
                }
                None => Class::Content,
            },
            (Takes::Fingerprints, Some(known)) => {
                let lines = String::from_utf8_lossy(text);
                let all = lines.lines().map(str::trim).filter(|line| !line.is_empty());
                let all: Option<Vec<Item>> =
                    all.map(|word| setting(known, args::fingerprint(&[word.to_owned()]))).collect();
                match all {
                    Some(all) if !all.is_empty() => {
                        out.extend(all);
                        return Ok(());
                    }
                    _ => Class::Content,
                }
            }
            (Takes::Login, Some(known)) => {
                self.login = Login::of(text).or(self.login.take());
                out.extend(setting(known, Some(Vec::new())));
                Class::Login
            }
            (Takes::Never(class), _) => class,
            _ => Class::Malformed,
        };
        self.drop(line, tag, class);
        Ok(())
    }

    /// A part that names its file; `tls-auth` and `secret` have a direction too.
    fn part_of_file(
        &mut self,
        kind: PartKind,
        args: &[String],
        out: &mut Vec<Item>,
    ) -> Result<Result<(), Class>, Refused> {
        let directed = matches!(kind, PartKind::TlsAuth | PartKind::Static);
        let (name, direction) = match args {
            [name] => (name, None),
            [name, direction] if directed && matches!(direction.as_str(), "0" | "1") => {
                (name, Some(direction.clone()))
            }
            _ => return Ok(Err(Class::Malformed)),
        };
        // `[inline]` says that a block follows, as before OpenVPN 2.5.
        let body = if name == "[inline]" {
            None
        } else {
            if !args::plain(name) {
                return Ok(Err(Class::FileElsewhere));
            }
            let Ok(bytes) = (self.file)(name) else { return Ok(Err(Class::FileUnread)) };
            let bytes = zeroize::Zeroizing::new(bytes);
            if bytes.len() > MAX_FILE_BYTES {
                return Ok(Err(Class::FileLarge));
            }
            self.bytes = self.bytes.saturating_add(bytes.len());
            if self.bytes > MAX_BYTES {
                return Err(Refused::Large);
            }
            let Some(body) = parts::body(kind, &bytes, true) else {
                return Ok(Err(Class::Content));
            };
            Some(body)
        };
        if let Some(direction) = direction {
            out.push(Item::Setting(Setting { name: "key-direction", args: vec![direction] }));
        }
        out.extend(body.map(|body| Item::Part(Part { kind, body })));
        Ok(Ok(()))
    }

    /// The device must be a tun, whatever its name.
    fn device(&self) -> Result<(), Refused> {
        let (line, word) = match (&self.device_type, &self.device) {
            (Some(kind), _) | (None, Some(kind)) => kind,
            (None, None) => return Ok(()),
        };
        if word.starts_with("tun") {
            Ok(())
        } else if word.starts_with("tap") {
            Err(Refused::Tap(*line))
        } else {
            Err(Refused::Device(*line))
        }
    }
}
