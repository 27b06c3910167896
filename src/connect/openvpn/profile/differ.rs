//! What changed between two profiles, for who fetched one again. Of keys it is told
//! that they changed, never what they are.

use std::collections::BTreeSet;

use super::model::{Item, PartKind, Profile};
use super::write::{line, remote_line};
use crate::model::lang::Bi;

/// What is different in `new`, each in a line; nothing when both say the same.
pub fn changes(old: &Profile, new: &Profile) -> Vec<Bi> {
    let mut out = Vec::new();
    let (before, after) = (lines(&old.items), lines(&new.items));
    for (scope, name) in names(&before, &after) {
        let of = |all: &[Line]| -> Vec<String> {
            let same = all.iter().filter(|line| (line.scope, line.name.as_str()) == (scope, name));
            same.map(|line| line.text.clone()).collect()
        };
        let (gone, come) = (of(&before), of(&after));
        if gone == come {
            continue;
        }
        let at = if scope == 0 { String::new() } else { format!("connection {scope}, ") };
        if let ([gone], [come]) = (&gone[..], &come[..]) {
            out.push(Bi::new(
                format!("{at}modifié\u{a0}: {gone} → {come}"),
                format!("{at}changed: {gone} → {come}"),
            ));
            continue;
        }
        let mut listed = false;
        for line in gone.iter().filter(|line| !come.contains(line)) {
            out.push(Bi::new(format!("{at}retiré\u{a0}: {line}"), format!("{at}removed: {line}")));
            listed = true;
        }
        for line in come.iter().filter(|line| !gone.contains(line)) {
            out.push(Bi::new(format!("{at}ajouté\u{a0}: {line}"), format!("{at}added: {line}")));
            listed = true;
        }
        if !listed {
            let name = name.to_owned();
            out.push(Bi::new(
                format!("{at}autre ordre\u{a0}: {name}"),
                format!("{at}other order: {name}"),
            ));
        }
    }
    changed_parts(old, new, &mut out);
    out
}

/// A line of a profile that may be shown.
struct Line {
    /// 0, or the number of its `<connection>`.
    scope: usize,
    name: String,
    text: String,
}

fn lines(items: &[Item]) -> Vec<Line> {
    let mut out = Vec::new();
    let mut blocks = 0;
    for item in items {
        if let Item::Connection(inside) = item {
            blocks += 1;
            out.extend(lines(inside).into_iter().map(|line| Line { scope: blocks, ..line }));
        }
        let (name, text) = match item {
            Item::Setting(setting) => (setting.name, line(setting)),
            Item::Remote(remote) => ("remote", remote_line(remote)),
            Item::Connection(_) | Item::Part(_) => continue,
        };
        let text = text.trim_end().to_owned();
        out.push(Line { scope: 0, name: name.to_owned(), text });
    }
    out
}

/// Each name once, in the order of `before`, then of `after`.
fn names<'a>(before: &'a [Line], after: &'a [Line]) -> Vec<(usize, &'a str)> {
    let mut seen = BTreeSet::new();
    let all = before.iter().chain(after).map(|line| (line.scope, line.name.as_str()));
    all.filter(|key| seen.insert(*key)).collect()
}

const KINDS: &[PartKind] = &[
    PartKind::Authority,
    PartKind::Certificate,
    PartKind::Between,
    PartKind::Key,
    PartKind::Pkcs12,
    PartKind::TlsAuth,
    PartKind::TlsCrypt,
    PartKind::TlsCryptV2,
    PartKind::Static,
];

fn changed_parts(old: &Profile, new: &Profile, out: &mut Vec<Bi>) {
    for kind in KINDS {
        let (before, after) = (of_kind(old, *kind), of_kind(new, *kind));
        let same = before.len() == after.len()
            && before.iter().zip(&after).all(|(a, b)| a.expose(|a| b.expose(|b| a == b)));
        if same {
            continue;
        }
        let name = kind.directive();
        let (fr, en) = match (before.is_empty(), after.is_empty()) {
            (true, _) => ("ajouté", "added"),
            (_, true) => ("retiré", "removed"),
            _ => ("modifié", "changed"),
        };
        let until = until(new, *kind)
            .map(|until| (format!(", valable jusqu’au {until}"), format!(", valid until {until}")));
        let (until_fr, until_en) = until.unwrap_or_default();
        out.push(Bi::new(
            format!("{fr}\u{a0}: {name}{until_fr}"),
            format!("{en}: {name}{until_en}"),
        ));
    }
}

fn of_kind(profile: &Profile, kind: PartKind) -> Vec<&super::model::Body> {
    profile.parts().filter(|part| part.kind == kind).map(|part| &part.body).collect()
}

/// The day until which what is new holds.
fn until(new: &Profile, kind: PartKind) -> Option<String> {
    let facts = new.facts();
    let time = match kind {
        PartKind::Certificate => facts.client_expires(),
        PartKind::Authority => facts.authority_expires(),
        _ => None,
    };
    Some(time?.to_string().chars().take(10).collect())
}
