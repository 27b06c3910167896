//! Reads a profile: what is known is taken over, everything else is listed with its
//! reason. Opens no file itself: who calls it gives those that lie beside the profile.

use std::io;

use super::allow::{self, Known, Takes};
use super::model::{Item, PartKind, Profile, Proto, Remote, Setting};
use super::value::{self, Arg};
use super::why::{Class, Dropped, Refused};
use super::words::{Fault, MAX_LINE_BYTES, Piece, Pieces, quoted};
use super::{MAX_BYTES, MAX_FILE_BYTES, parts, warn};
use crate::model::lang::Bi;
use crate::secret::SecretText;

/// Longest user name or password that is taken out of a profile, in bytes
/// (`USER_PASS_LEN`).
const LOGIN_MAX_BYTES: usize = 4096;

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

/// User and password that stood in a profile.
pub struct Login {
    /// The user name.
    pub user: String,
    /// The password, where there was one.
    pub password: Option<SecretText>,
}

/// What the portals of Sophos and WatchGuard say in comments of a profile.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Hints {
    /// `;otp`: a one-time code follows the password.
    pub otp: Option<bool>,
    /// `;can_save`: the login may be kept.
    pub can_save: Option<bool>,
    /// `;auto_connect`, `;auto_reconnect`: connects again by itself.
    pub auto_connect: Option<bool>,
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
    let warnings = warn::of(&profile);
    let Reader { mut dropped, hints, login, .. } = reader;
    dropped.sort_by_key(|dropped| dropped.line);
    Ok(Reading { profile, dropped, warnings, hints, login })
}

struct Reader<'a> {
    file: Beside<'a>,
    /// Of the profile and its files, so far.
    bytes: usize,
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
        // «setenv opt X» is X for an OpenVPN that knows X.
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
        args: &[String],
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
            Takes::Args(least, kinds) => setting(known, each(args, least, kinds)),
            Takes::Each(least, kind) => setting(known, many(args, least, kind)),
            Takes::Remote => remote(args).map(Item::Remote),
            Takes::HttpProxy => self.http_proxy(line, known, args),
            Takes::SocksProxy => self.socks_proxy(line, known, args),
            Takes::Variable => setting(known, variable(args)),
            Takes::Fingerprints => setting(known, fingerprint(args)),
            Takes::Always => return Ok(Ok(())),
            Takes::Login => {
                if !args.is_empty() {
                    self.drop(line, name, Class::SendsFile);
                }
                setting(known, Some(Vec::new()))
            }
            Takes::Device => {
                let [word] = args else { return Ok(Err(Class::Malformed)) };
                let place = if name == "dev" { &mut self.device } else { &mut self.device_type };
                *place = Some((line, word.clone()));
                return Ok(Ok(()));
            }
            Takes::Part(kind) => return self.part_of_file(kind, args, out),
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
                    out.push(Item::Part(super::model::Part { kind, body }));
                    return Ok(());
                }
                None => Class::Content,
            },
            (Takes::Fingerprints, Some(known)) => {
                let lines = String::from_utf8_lossy(text);
                let before = out.len();
                let all = lines.lines().map(str::trim).filter(|line| !line.is_empty());
                for word in all {
                    out.extend(setting(known, fingerprint(&[word.to_owned()])));
                }
                if out.len() > before {
                    return Ok(());
                }
                Class::Content
            }
            (Takes::Login, Some(known)) => {
                self.login(text);
                out.extend(setting(known, Some(Vec::new())));
                Class::Login
            }
            (Takes::Never(class), _) => class,
            _ => Class::Malformed,
        };
        self.drop(line, tag, class);
        Ok(())
    }

    /// User and password, each on a line.
    fn login(&mut self, text: &[u8]) {
        let Ok(text) = std::str::from_utf8(text) else { return };
        let mut lines = text.lines();
        let user = lines.next().unwrap_or_default().trim();
        if user.len() > LOGIN_MAX_BYTES || !value::text(user) {
            return;
        }
        let password = lines.next().filter(|p| !p.is_empty() && p.len() <= LOGIN_MAX_BYTES);
        self.login =
            Some(Login { user: user.to_owned(), password: password.map(SecretText::copy_of) });
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
        // «[inline]» says that a block follows, as before OpenVPN 2.5.
        let body = if name == "[inline]" {
            None
        } else {
            if !plain(name) {
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
        out.extend(body.map(|body| Item::Part(super::model::Part { kind, body })));
        Ok(Ok(()))
    }

    /// Host and port, then a file with the login or a word, then the way to log in.
    fn http_proxy(&mut self, line: usize, known: &'static Known, args: &[String]) -> Option<Item> {
        let [host, port, rest @ ..] = args else { return None };
        let mut taken = vec![Arg::Address.taken(host)?, Arg::Port.taken(port)?];
        let (login, way) = match rest {
            [] => (None, None),
            [login] => (Some(login.as_str()), None),
            [login, way] => (Some(login.as_str()), Some(way)),
            _ => return None,
        };
        match login {
            None => {}
            Some(word @ ("auto" | "auto-nct" | "stdin")) => taken.push(word.to_owned()),
            Some(_) => {
                self.drop(line, known.name, Class::SendsFile);
                taken.push("stdin".to_owned());
            }
        }
        if let Some(way) = way {
            taken.push(Arg::Word(&["none", "basic", "ntlm", "ntlm2"]).taken(way)?);
        }
        setting(known, Some(taken))
    }

    /// Host, port, then a file with the login.
    fn socks_proxy(&mut self, line: usize, known: &'static Known, args: &[String]) -> Option<Item> {
        let (host, port, login) = match args {
            [host] => (host, "1080", None),
            [host, port] => (host, port.as_str(), None),
            [host, port, login] => (host, port.as_str(), Some(login.as_str())),
            _ => return None,
        };
        let mut taken = vec![Arg::Address.taken(host)?, Arg::Port.taken(port)?];
        if let Some(login) = login {
            if login != "stdin" {
                self.drop(line, known.name, Class::SendsFile);
            }
            taken.push("stdin".to_owned());
        }
        setting(known, Some(taken))
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

/// Whether `name` is that of a file in the folder of the profile.
fn plain(name: &str) -> bool {
    !matches!(name, "." | "..")
        && name.len() <= MAX_LINE_BYTES
        && !name.contains(['/', '\\', ':'])
        && value::text(name)
}

/// A setting, unless its line would be longer than `openvpn` reads.
fn setting(known: &'static Known, args: Option<Vec<String>>) -> Option<Item> {
    let setting = Setting { name: known.name, args: args? };
    let mut line = setting.name.to_owned();
    for arg in &setting.args {
        line.push(' ');
        quoted(arg, &mut line);
    }
    (line.len() <= MAX_LINE_BYTES).then_some(Item::Setting(setting))
}

fn each(args: &[String], least: usize, kinds: &[Arg]) -> Option<Vec<String>> {
    let fits = (least..=kinds.len()).contains(&args.len());
    fits.then(|| args.iter().zip(kinds).map(|(word, kind)| kind.taken(word)).collect())?
}

fn many(args: &[String], least: usize, kind: Arg) -> Option<Vec<String>> {
    (args.len() >= least).then(|| args.iter().map(|word| kind.taken(word)).collect())?
}

fn remote(args: &[String]) -> Option<Remote> {
    let (host, port, proto) = match args {
        [host] => (host, None, None),
        [host, port] => (host, Some(port), None),
        [host, port, proto] => (host, Some(port), Some(proto)),
        _ => return None,
    };
    let proto = match proto {
        Some(word) => Some(Proto::of(word)?),
        None => None,
    };
    let port = match port {
        Some(word) => Some(value::port(word)?),
        None => None,
    };
    value::host(host).then(|| Remote { host: host.clone(), port, proto })
}

/// Variables that a server is told, or that say what a profile is for.
fn variable(args: &[String]) -> Option<Vec<String>> {
    let (name, value) = match args {
        [name] => (name, None),
        [name, value] => (name, Some(value)),
        _ => return None,
    };
    let sign = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let told = name.starts_with("UV_") || name.starts_with("IV_") || name == "CLIENT_CERT";
    let good = told && name.len() <= 64 && name.bytes().all(sign);
    let seen = value.is_none_or(|value| value.is_empty() || value::text(value));
    (good && seen).then(|| args.to_vec())
}

/// SHA-256 of a certificate, as pairs of digits with colons.
fn fingerprint(args: &[String]) -> Option<Vec<String>> {
    let [word] = args else { return None };
    let pairs: Vec<&str> = word.split(':').collect();
    let digits = |pair: &&str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    (pairs.len() == 32 && pairs.iter().all(digits)).then(|| vec![word.to_ascii_uppercase()])
}

impl Hints {
    /// What a comment says, if it is one of those.
    fn take(&mut self, comment: &[u8]) {
        let Ok(text) = std::str::from_utf8(comment) else { return };
        let mut words = text.split_ascii_whitespace();
        let (name, said) = (words.next(), words.next());
        let said = match said {
            Some("yes" | "1" | "true") => true,
            Some("no" | "0" | "false") => false,
            _ => return,
        };
        match name {
            Some("otp") => self.otp = Some(said),
            Some("can_save") => self.can_save = Some(said),
            Some("auto_connect" | "auto_reconnect") => self.auto_connect = Some(said),
            _ => {}
        }
    }
}
