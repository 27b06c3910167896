//! Arguments of the directives that have a form of their own, and the lines they are
//! written in. Nothing where they are not what the directive takes.

use super::allow::Known;
use super::model::{Item, Proto, Remote, Setting};
use super::value::{self, Arg};
use super::why::Class;
use super::words::{MAX_LINE_BYTES, quoted};

/// Whether `name` is that of a file in the folder of the profile.
pub fn plain(name: &str) -> bool {
    !matches!(name, "." | "..")
        && name.len() <= MAX_LINE_BYTES
        && !name.contains(['/', '\\', ':'])
        && value::text(name)
}

/// A setting, unless its line would be longer than `openvpn` reads.
pub(super) fn setting(known: &'static Known, args: Option<Vec<String>>) -> Option<Item> {
    let setting = Setting { name: known.name, args: args? };
    let mut line = setting.name.to_owned();
    for arg in &setting.args {
        line.push(' ');
        quoted(arg, &mut line);
    }
    (line.len() <= MAX_LINE_BYTES).then_some(Item::Setting(setting))
}

/// `args`, at least so many, each of its kind.
pub fn each(args: &[String], least: usize, kinds: &[Arg]) -> Option<Vec<String>> {
    let fits = (least..=kinds.len()).contains(&args.len());
    fits.then(|| args.iter().zip(kinds).map(|(word, kind)| kind.taken(word)).collect())?
}

/// `args`, at least so many, all of one kind.
pub fn many(args: &[String], least: usize, kind: Arg) -> Option<Vec<String>> {
    (args.len() >= least).then(|| args.iter().map(|word| kind.taken(word)).collect())?
}

/// A server: host, port, what carries the tunnel.
pub fn remote(args: &[String]) -> Option<Remote> {
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
pub fn variable(args: &[String]) -> Option<Vec<String>> {
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

/// Why a variable is left out.
pub fn why_no_variable(args: &[String]) -> Class {
    match args.first().map(String::as_str) {
        Some("FORWARD_COMPATIBLE") => Class::SetHere,
        Some("PUSH_PEER_INFO") => Class::Tells,
        _ => Class::Environment,
    }
}

/// SHA-256 of a certificate, as pairs of digits with colons.
pub fn fingerprint(args: &[String]) -> Option<Vec<String>> {
    let [word] = args else { return None };
    let pairs: Vec<&str> = word.split(':').collect();
    let digits = |pair: &&str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
    (pairs.len() == 32 && pairs.iter().all(digits)).then(|| vec![word.to_ascii_uppercase()])
}

/// Host and port, then a file with the login or a word, then the way to log in. A file
/// is not taken, which is told: the login is asked instead.
pub fn http_proxy(args: &[String]) -> Option<(Vec<String>, bool)> {
    let [host, port, rest @ ..] = args else { return None };
    let mut taken = vec![Arg::Address.taken(host)?, Arg::Port.taken(port)?];
    let (login, way) = match rest {
        [] => (None, None),
        [login] => (Some(login.as_str()), None),
        [login, way] => (Some(login.as_str()), Some(way)),
        _ => return None,
    };
    let file = login.is_some_and(|word| !matches!(word, "auto" | "auto-nct" | "stdin"));
    taken.extend(login.map(|word| if file { "stdin" } else { word }.to_owned()));
    if let Some(way) = way {
        taken.push(Arg::Word(&["none", "basic", "ntlm", "ntlm2"]).taken(way)?);
    }
    Some((taken, file))
}

/// Host, port, then a file with the login; as with [`http_proxy`].
pub fn socks_proxy(args: &[String]) -> Option<(Vec<String>, bool)> {
    let (host, port, login) = match args {
        [host] => (host, "1080", None),
        [host, port] => (host, port.as_str(), None),
        [host, port, login] => (host, port.as_str(), Some(login)),
        _ => return None,
    };
    let mut taken = vec![Arg::Address.taken(host)?, Arg::Port.taken(port)?];
    taken.extend(login.map(|_| "stdin".to_owned()));
    Some((taken, login.is_some_and(|word| word != "stdin")))
}
