//! Verifies a bundle with nothing but the bundle and, to prove where it comes
//! from, the vault's fingerprint. Needs no vault, no key and constant memory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use data_encoding::BASE64;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use zip::ZipArchive;

use super::bundle::{self, AUDIT, CHECKPOINT, FILES, VKEY, verifier};
use super::layout::{self, Flaw};
use super::{ExportError, Findings, verified};
use crate::app::api::Verified;
use crate::audit::checkpoint::{normal_fingerprint, origin, parse_vkey};
use crate::audit::opening::Opened;
use crate::audit::{Checkpoint, Fault, Verifier, hash, line};
use crate::model::audit_event::field;
use crate::model::id::MemberId;
use crate::model::lang::Bi;
use crate::model::unseen::hidden;

/// Bytes of a small file read at most.
const MOST_SMALL: u64 = 64 * 1024;
/// Bytes of a file read at most that only people and other programs read.
const MOST_ASIDE: u64 = 1024 * 1024;
/// Lines that are none, after which the rest is not read.
const MOST_BAD: u64 = 100_000;
/// Characters of a member's name told at most.
const NAME_MAX: usize = 100;
/// Bytes of a line read at most.
const MOST_LINE: u64 = 16 * 1024 * 1024;
/// Checks everything the bundle at `path` claims. Faults are in the result;
/// `origin_proven` only when `fingerprint` was given and is the vault's.
///
/// # Errors
/// Only when the file cannot be opened or read.
pub fn verify(path: &Path, fingerprint: Option<&str>) -> Result<Verified, ExportError> {
    let fail = |source| ExportError::Io { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(fail)?;
    if file.metadata().map_err(fail)?.is_dir() {
        return Err(fail(io::Error::from(io::ErrorKind::IsADirectory)));
    }
    let mut check = Check::default();
    match layout::check(&mut file, &FILES) {
        Err(source) if source.kind() != io::ErrorKind::UnexpectedEof => return Err(fail(source)),
        Err(_) => check.fault(flaw(&Flaw::Archive)),
        Ok(flaws) => {
            for found in &flaws {
                check.fault(flaw(found));
            }
            if !matches!(flaws.last(), Some(Flaw::Archive | Flaw::Twice(_))) {
                check.archive(file, fingerprint, |name| {
                    flaws.contains(&Flaw::Absent(name.to_owned()))
                });
            }
        }
    }
    let name = |id: &MemberId| check.names.get(id).cloned();
    let mut result = verified(&check.verifier.summary(), check.faults.into_texts(), name);
    result.notes.extend(check.strange);
    result.shown = check.shown;
    result.disclosed = check.disclosed;
    result.redacted = check.redacted;
    result.origin_proven = fingerprint.is_some() && result.faults.is_empty();
    Ok(result)
}

#[derive(Default)]
struct Check {
    verifier: Verifier,
    faults: Findings,
    /// Lines that are none.
    bad: u64,
    shown: u64,
    disclosed: u64,
    redacted: u64,
    /// Files beside the proof that are not this program's.
    strange: Vec<Bi>,
    /// What the authors of lines are called, as far as that is disclosed.
    names: BTreeMap<MemberId, String>,
    /// Room for a row spelled again.
    again: Vec<u8>,
}

/// Set when more faults would tell nothing new.
struct Enough;

impl Check {
    fn fault(&mut self, text: Bi) {
        self.faults.say(text);
    }

    /// Reads what there is; what is `absent` was told.
    fn archive(&mut self, file: File, fingerprint: Option<&str>, absent: impl Fn(&str) -> bool) {
        let Ok(mut zip) = ZipArchive::new(BufReader::new(file)) else {
            return self.fault(flaw(&Flaw::Archive));
        };
        let [vkey, note] = [VKEY, CHECKPOINT].map(|name| small(&mut zip, name));
        for name in FILES.into_iter().filter(|n| ![VKEY, CHECKPOINT, AUDIT].contains(n)) {
            // Nothing in it is believed; but a damaged bundle is not whole.
            if absent(name) {
                continue;
            }
            let Some(content) = aside(&mut zip, name) else {
                self.fault(Bi::new(
                    format!("Le fichier {name} du paquet est abîmé."),
                    format!("The bundle's file {name} is damaged."),
                ));
                continue;
            };
            if verifier(name).is_some_and(|ours| ours.as_bytes() != content) {
                self.strange.push(Bi::new(
                    format!(
                        "Le fichier {name} du paquet n’est pas celui de cette version de Poterne\u{a0}: ne vous fiez pas à ce qu’il affiche."
                    ),
                    format!(
                        "The bundle's file {name} is not the one of this version of Poterne: do not trust what it shows."
                    ),
                ));
            }
        }
        match zip.by_name(AUDIT) {
            Err(_) if absent(AUDIT) => return,
            Err(_) => return self.fault(flaw(&Flaw::Archive)),
            Ok(rows) => {
                if self.rows(BufReader::with_capacity(128 * 1024, rows)).is_err() {
                    return;
                }
            }
        }
        let Some((vault, root_pk)) = self.verifier.directory().root() else {
            return self.fault(Fault::NoGenesis.text());
        };
        let own = crate::audit::fingerprint(vault, &root_pk);
        let key = vkey.as_deref().and_then(|text| {
            let (key, stated) = text.strip_suffix('\n')?.split_once("\nfingerprint ")?;
            Some((parse_vkey(key)?, stated))
        });
        if !absent(VKEY) && key != Some(((origin(vault).as_str(), root_pk), own.as_str())) {
            self.fault(Bi::new(
                "vkey.txt ne contient pas la clé du coffre de ce journal.",
                "vkey.txt does not hold the key of this log's vault.",
            ));
        }
        match note.as_deref().and_then(Checkpoint::parse) {
            None if absent(CHECKPOINT) => {}
            None => self.fault(Bi::new(
                "checkpoint.txt n’est pas un point de contrôle lisible.",
                "checkpoint.txt is not a readable checkpoint.",
            )),
            Some((head, signatures)) => {
                if let Err(fault) = self.verifier.close(&head, &signatures) {
                    self.faults.add(&fault);
                }
            }
        }
        if fingerprint.is_some_and(|fp| normal_fingerprint(fp).as_deref() != Some(&own)) {
            self.fault(Fault::WrongFingerprint { found: own }.text());
        }
    }

    fn rows(&mut self, mut input: impl BufRead) -> Result<(), Enough> {
        let mut text = Vec::new();
        loop {
            text.clear();
            let read = input.by_ref().take(MOST_LINE).read_until(b'\n', &mut text);
            let seq = self.verifier.next_seq();
            match read {
                Ok(0) => return Ok(()),
                Ok(_) if self.bad >= MOST_BAD => return Err(Enough),
                Ok(_) if text.last() == Some(&b'\n') => self.row(seq, &text[..text.len() - 1]),
                // Unterminated, too long, damaged or not what its checksum says.
                _ => {
                    self.faults.add(&Fault::Malformed { line: seq });
                    return Err(Enough);
                }
            }
        }
    }

    fn row(&mut self, seq: u64, text: &[u8]) {
        let row = serde_json::from_slice::<Row<'_>>(text);
        match row.ok().filter(|row| row.spells(text, &mut self.again)) {
            Some(Row { leaf: Some(leaf), open, seq: None, hash: None }) => {
                self.leaf(seq, leaf.as_bytes(), open);
            }
            Some(Row { leaf: None, open: None, seq: Some(stated), hash: Some(text) }) => {
                let pushed = match hash::from_base64(text.as_bytes()) {
                    None => Err(Fault::Malformed { line: seq }),
                    Some(hash) => self.verifier.push_hash(stated, hash),
                };
                if let Err(fault) = pushed {
                    self.faults.add(&fault);
                }
            }
            _ => {
                self.bad += 1;
                self.faults.add(&Fault::Malformed { line: seq });
                let _ = self.verifier.skip(seq);
            }
        }
    }

    fn leaf(&mut self, seq: u64, leaf: &[u8], open: Option<Open<'_>>) {
        if let Err(fault) = self.verifier.push(leaf) {
            self.faults.add(&fault);
        }
        let Some(parsed) = line::parse(leaf) else {
            return self.faults.add(&Fault::Malformed { line: seq });
        };
        let Some(Open(fields)) = open else { return };
        self.shown += 1;
        self.redacted += parsed.commitments.len().saturating_sub(fields.len()) as u64;
        for field in &fields {
            self.disclosed += 1;
            match (parsed.check(&opened(field)), parsed.actor) {
                (Err(fault), _) => self.faults.add(&fault),
                (Ok(()), Some(actor)) if field.0 == field::MEMBER => {
                    self.names.entry(actor).or_insert_with(|| shown(&field.2));
                }
                (Ok(()), _) => {}
            }
        }
    }
}

/// One line of `audit.jsonl`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row<'a> {
    #[serde(borrow)]
    leaf: Option<Cow<'a, str>>,
    #[serde(borrow)]
    open: Option<Open<'a>>,
    seq: Option<u64>,
    #[serde(borrow)]
    hash: Option<Cow<'a, str>>,
}

impl Row<'_> {
    /// Whether `text` is this row as it must be spelled: three programs that read
    /// what is spelled otherwise would not all read the same.
    fn spells(&self, text: &[u8], room: &mut Vec<u8>) -> bool {
        room.clear();
        match (&self.leaf, self.seq, &self.hash) {
            (Some(leaf), ..) => bundle::open_row(room, leaf.as_bytes()),
            (None, Some(seq), Some(hash)) => {
                bundle::hidden_row(room, seq, hash);
                return room == text;
            }
            _ => return false,
        }
        if let Some(Open(fields)) = &self.open {
            let fields: Vec<Opened<'_>> = fields.iter().map(opened).collect();
            bundle::disclose_all(room, fields.iter());
        }
        room.push(b'}');
        room == text
    }
}

/// A name without what is not seen or turns the order of signs around: a bundle may
/// come from anybody.
fn shown(name: &str) -> String {
    name.chars().take(NAME_MAX).map(|c| if hidden(c) { '\u{FFFD}' } else { c }).collect()
}

fn opened<'a>((name, salt, value): &'a (Cow<'_, str>, [u8; 16], Cow<'_, str>)) -> Opened<'a> {
    Opened { name, salt: *salt, value }
}

/// Name, salt and value, the names ascending and each once.
struct Open<'a>(Vec<(Cow<'a, str>, [u8; 16], Cow<'a, str>)>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Disclosed<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    #[serde(borrow)]
    v: Cow<'a, str>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Open<'a> {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Open<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("disclosed fields")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Open<'de>, A::Error> {
                let mut out: Vec<(Cow<'de, str>, [u8; 16], Cow<'de, str>)> = Vec::new();
                while let Some((Name(name), field)) =
                    map.next_entry::<Name<'de>, Disclosed<'de>>()?
                {
                    if out.last().is_some_and(|last| last.0 >= name) {
                        return Err(A::Error::custom("fields out of order"));
                    }
                    let salt = BASE64.decode(field.s.as_bytes()).ok();
                    let salt = salt.and_then(|s| <[u8; 16]>::try_from(s).ok());
                    let salt = salt.ok_or_else(|| A::Error::custom("salt"))?;
                    out.push((name, salt, field.v));
                }
                Ok(Open(out))
            }
        }
        d.deserialize_map(Fields)
    }
}

/// A key that borrows where it can.
#[derive(Deserialize)]
#[serde(transparent)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The content of a file that only people and other programs read, if it is
/// what its checksum says, and not absurdly long.
fn aside(zip: &mut ZipArchive<BufReader<File>>, name: &str) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    let read = zip.by_name(name).ok()?.take(MOST_ASIDE).read_to_end(&mut content).ok()?;
    ((read as u64) < MOST_ASIDE).then_some(content)
}

/// A small text file of the bundle.
fn small(zip: &mut ZipArchive<BufReader<File>>, name: &str) -> Option<String> {
    let mut text = String::new();
    let read = zip.by_name(name).ok()?.take(MOST_SMALL).read_to_string(&mut text).ok()?;
    ((read as u64) < MOST_SMALL).then_some(text)
}

/// As much of a stranger's file name as one line shows.
fn short(name: &str) -> String {
    match name.char_indices().nth(60) {
        Some((cut, _)) => format!("{}…", &name[..cut]),
        None => name.to_owned(),
    }
}

fn flaw(flaw: &Flaw) -> Bi {
    match flaw {
        Flaw::Archive => Bi::new(
            "Le fichier n’est pas un paquet entier\u{a0}: archive ZIP abîmée, tronquée ou modifiée.",
            "The file is not a whole bundle: the ZIP archive is damaged, cut short or modified.",
        ),
        Flaw::Twice(name) => Bi::new(
            format!("Le paquet contient deux fois {}.", short(name)),
            format!("The bundle holds {} twice.", short(name)),
        ),
        Flaw::Extra(name) => Bi::new(
            format!("Le paquet contient un fichier de trop\u{a0}: {}.", short(name)),
            format!("The bundle holds a file too many: {}.", short(name)),
        ),
        Flaw::Absent(name) => {
            Bi::new(format!("Il manque {name} au paquet."), format!("The bundle lacks {name}."))
        }
    }
}
