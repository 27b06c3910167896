//! Reading, verifying and exporting the vault's audit log. An export is itself
//! logged, before its file is written.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::audit::verifier::Verifier;
use crate::audit::{Fault, Place, line};
use crate::model::audit_event::{AuditFilter, Event, OpenLine, field, same_name};
use crate::model::entry::{ClientInfo, Entry};
use crate::model::lang::Bi;
use crate::model::policy::Action;
use crate::vault::log::{self, PageReader, Reader};
use crate::vault::rows::{AuditSlices, Rows, StoreError};
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, ExportRequest, Reply, Verified};
use super::entries::{FOREVER, need};
use super::export::{Findings, Progress};
use super::worker::{Haste, Open};
use super::{draft, people, tickets};

/// Most lines one request returns; an export has no such bound.
const MOST: usize = 100_000;
/// Lines read at once when the newest are wanted.
const STRETCH: u64 = 256;

impl Open {
    pub(super) fn fingerprint(&self) -> String {
        fingerprint(&self.vault)
    }

    pub(super) fn audit_filter(&mut self, filter: &AuditFilter) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::ReadAudit)?;
            known(v, rows, filter)?;
            Ok(Reply::Filter(with_former_names(v, rows, filter)?))
        })
    }

    pub(super) fn audit_log(&mut self, filter: &AuditFilter) -> Result<Reply, AppError> {
        let haste = self.haste();
        self.read(|v, rows| {
            need(v, Action::ReadAudit)?;
            let filter = with_former_names(v, rows, filter)?;
            let mut reader = PageReader::new(v, rows)?;
            let last = filter.last.map_or(MOST, |n| usize::try_from(n).unwrap_or(MOST).min(MOST));
            // Backwards by stretches: what is wanted is mostly what happened lately.
            let mut stretches: Vec<Vec<OpenLine>> = Vec::new();
            let (mut found, mut end) = (0, v.state.audit.size);
            while end > 0 && found < last {
                haste.check()?;
                let begin = end.saturating_sub(STRETCH);
                let mut stretch = Vec::new();
                let mut failed = None;
                rows.each_audit(begin, &mut |row| {
                    if row.seq >= end {
                        return false;
                    }
                    match reader.line(&row) {
                        Ok(line) if filter.matches(&line) => stretch.push(line),
                        Ok(_) => {}
                        Err(e) => failed = Some(e),
                    }
                    failed.is_none()
                })?;
                if let Some(e) = failed {
                    return Err(e.into());
                }
                found += stretch.len();
                stretches.push(stretch);
                end = begin;
            }
            let mut lines: Vec<OpenLine> = stretches.into_iter().rev().flatten().collect();
            lines.drain(..lines.len().saturating_sub(last));
            Ok(Reply::Log(lines))
        })
    }

    pub(super) fn audit_verify(&mut self) -> Result<Reply, AppError> {
        let haste = self.haste();
        self.read(|v, rows| {
            need(v, Action::ReadAudit)?;
            Ok(Reply::Verified(verify(v, rows, &haste)?))
        })
    }

    pub(super) fn audit_export(
        &mut self,
        request: &ExportRequest,
        progress: &mut Progress<'_>,
    ) -> Result<Reply, AppError> {
        need(&self.vault, Action::ReadAudit)?;
        // As it was asked for, without what its clients were called before.
        let asked = request.filter.clone();
        let request = &self.read(|v, rows| {
            let filter = with_former_names(v, rows, &request.filter)?;
            let request = ExportRequest { filter, ..request.clone() };
            may_leave(v, rows, &request)?;
            Ok(request)
        })?;
        let name = request.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.write(|v, rows, env| {
            let mut line = draft(v, env, Event::Exported, true);
            people::why(&request.just, &mut line);
            line.fields.push((field::FILE, name));
            line.fields.push((field::DETAIL, described(request, &asked)));
            if let [client] = asked.clients.as_slice() {
                line.fields.push((field::CLIENT, client.clone()));
            }
            v.log(rows, env, line)?;
            log::sign(v, rows, env)?;
            Ok(())
        })?;
        let fingerprint = self.fingerprint();
        let file = self.store.file().to_owned();
        let written =
            self.read(|v, rows| super::exporting::write(v, rows, &file, request, progress))?;
        Ok(Reply::Exported { lines: written.lines, files: written.files, fingerprint })
    }
}

/// Refuses an export that holds lines of a client whose rule about tickets and
/// reasons is not met. One export may be about several clients, each with a form
/// of its own: then several tickets are given, apart by spaces or commas.
fn may_leave(v: &Unlocked, rows: &dyn Rows, request: &ExportRequest) -> Result<(), AppError> {
    // What each name was called in the log, and why its lines may not leave.
    let mut kept_back: BTreeMap<String, AppError> = BTreeMap::new();
    for node in v.index.tops() {
        let client = v.entry(rows, &node.id)?;
        let info = client.client_info.clone().unwrap_or_default();
        let Err(refusal) = tickets::export_justified(&client.name, &info, &request.just) else {
            continue;
        };
        let names = names_of(v, rows, &client)?;
        kept_back.extend(names.into_iter().map(|name| (name, refusal.clone())));
    }
    // Who holds no client's key reads in the log what each client asks for.
    let blind = need(v, Action::Browse).is_err();
    let asked = |name: &str| {
        let wanted = &request.filter.clients;
        wanted.is_empty() || wanted.iter().any(|w| same_name(w, name))
    };
    kept_back.retain(|name, _| asked(name));
    if kept_back.is_empty() && !blind {
        return Ok(());
    }
    // The log is read only where somebody did not give what may be asked for.
    let mut rules: BTreeMap<String, ClientInfo> = BTreeMap::new();
    let mut selected = Selected::new(request.filter.last);
    Reader::new(v, rows)?.each(rows, |line| {
        let client = line.field(field::CLIENT);
        if blind {
            let rule = line.field(field::RULE);
            if !rule.is_empty() {
                rules.insert(client.to_owned(), tickets::rule_of(rule));
            } else if line.event == Event::EntryDeleted
                && line.field(field::ENTRY) == client
                && line.field(field::DETAIL) == FOREVER
            {
                rules.remove(client);
            }
        }
        if !request.filter.matches(&line) {
            return true;
        }
        selected.add(client);
        // One such line is enough, where later ones change neither rules nor choice.
        blind || request.filter.last.is_some() || !kept_back.contains_key(client)
    })?;
    for (name, info) in rules {
        if let Err(refusal) = tickets::export_justified(&name, &info, &request.just) {
            kept_back.insert(name, refusal);
        }
    }
    match selected.clients().find_map(|name| kept_back.remove(name)) {
        Some(refusal) => Err(refusal),
        None => Ok(()),
    }
}

/// The clients of the lines that an export selects, in constant memory but for
/// the last so many lines when only those are wanted.
struct Selected {
    names: BTreeMap<String, usize>,
    last: Option<(usize, VecDeque<usize>)>,
}

impl Selected {
    fn new(last: Option<u64>) -> Self {
        let last = last.map(|n| usize::try_from(n).unwrap_or(usize::MAX));
        Self { names: BTreeMap::new(), last: last.map(|n| (n, VecDeque::new())) }
    }

    fn add(&mut self, client: &str) {
        let number = match self.names.get(client) {
            Some(number) => *number,
            None => {
                let number = self.names.len();
                self.names.insert(client.to_owned(), number);
                number
            }
        };
        if let Some((most, numbers)) = &mut self.last {
            numbers.push_back(number);
            if numbers.len() > *most {
                numbers.pop_front();
            }
        }
    }

    fn clients(&self) -> impl Iterator<Item = &str> {
        let kept: Option<BTreeSet<usize>> =
            self.last.as_ref().map(|(_, numbers)| numbers.iter().copied().collect());
        let wanted = move |number: &usize| kept.as_ref().is_none_or(|k| k.contains(number));
        self.names.iter().filter(move |(_, number)| wanted(number)).map(|(name, _)| name.as_str())
    }
}

/// What a client is called, then what it was called before.
fn names_of(v: &Unlocked, rows: &dyn Rows, client: &Entry) -> Result<Vec<String>, AppError> {
    let mut names = vec![client.name.clone()];
    for old in &client.history {
        let before = v.old_entry(rows, client.id, old.cell, old.ver)?.name;
        if !names.contains(&before) {
            names.push(before);
        }
    }
    Ok(names)
}

/// The filter, its clients followed by what they were called before: the log
/// keeps the names of its day.
fn with_former_names(
    v: &Unlocked,
    rows: &dyn Rows,
    filter: &AuditFilter,
) -> Result<AuditFilter, AppError> {
    let mut whole = filter.clone();
    if filter.clients.is_empty() {
        return Ok(whole);
    }
    for node in v.index.tops() {
        if !filter.clients.iter().any(|wanted| same_name(wanted, &node.name)) {
            continue;
        }
        for name in names_of(v, rows, &v.entry(rows, &node.id)?)? {
            if !whole.clients.iter().any(|known| same_name(known, &name)) {
                whole.clients.push(name);
            }
        }
    }
    Ok(whole)
}

/// Refuses names of members and clients that nobody has, nor had as far as the
/// log tells.
fn known(v: &Unlocked, rows: &dyn Rows, filter: &AuditFilter) -> Result<(), AppError> {
    let unknown = |wanted: &[String], has: &dyn Fn(&str) -> bool| -> Vec<String> {
        wanted.iter().filter(|name| !has(name)).cloned().collect()
    };
    let mut members = unknown(&filter.members, &|name| {
        v.directory.members().chain(v.directory.former()).any(|m| same_name(&m.name, name))
    });
    let mut clients = unknown(&filter.clients, &|name| {
        v.index.tops().any(|client| same_name(&client.name, name))
    });
    if members.is_empty() && clients.is_empty() {
        return Ok(());
    }
    let reader = Reader::new(v, rows)?;
    reader.each(rows, |line| {
        let (by, subject) = (line.field(field::MEMBER), line.field(field::SUBJECT));
        members.retain(|name| !same_name(name, by) && !same_name(name, subject));
        clients.retain(|name| !same_name(name, line.field(field::CLIENT)));
        !(members.is_empty() && clients.is_empty())
    })?;
    match (members.first(), clients.first()) {
        (Some(member), _) => Err(AppError::no_member(member)),
        (None, Some(client)) => Err(AppError::no_client(client)),
        (None, None) => Ok(()),
    }
}

fn described(request: &ExportRequest, asked: &AuditFilter) -> String {
    let mut out = format!("audit log as {}", request.format.word());
    let limits = limits(asked);
    if !limits.is_empty() {
        out.push_str(&format!(", filtered ({})", limits.join("; ")));
    }
    if !request.redact.is_empty() {
        out.push_str(", without ");
        out.push_str(&request.redact.join(","));
    }
    out
}

/// What of the log was asked for, each limit behind its word.
fn limits(filter: &AuditFilter) -> Vec<String> {
    let list = |word: &str, items: Vec<String>| match items.is_empty() {
        true => None,
        false => Some(format!("{word} {}", items.join(", "))),
    };
    let events = filter.events.iter().map(|event| event.word().to_owned()).collect();
    // They are looked for in every value: each may be one that another export hides.
    let words = !filter.text.trim().is_empty();
    [
        filter.since.map(|at| format!("since {at}")),
        filter.until.map(|at| format!("until {at}")),
        list("members", filter.members.clone()),
        list("clients", filter.clients.clone()),
        list("events", events),
        words.then(|| "words".to_owned()),
        filter.last.map(|n| format!("last {n}")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The vault's public fingerprint.
pub(super) fn fingerprint(v: &Unlocked) -> String {
    crate::audit::checkpoint::fingerprint(v.header.vault, &v.header.root_pk)
}

/// Verifies the whole log: chain, tree, values, statements, signatures. Goes on
/// behind what is damaged, and tells all of it.
///
/// # Errors
/// The store fails, or somebody waits for the lock.
pub(super) fn verify(v: &Unlocked, rows: &dyn Rows, haste: &Haste) -> Result<Verified, AppError> {
    let (reader, bad_keys) = Reader::lenient(v, rows)?;
    let mut check = Check {
        reader,
        verifier: Verifier::new(),
        found: Findings::default(),
        disclosed: 0,
        leaf: Vec::new(),
        opening: Vec::new(),
        packed: Vec::new(),
    };
    for id in bad_keys {
        check.found.say(Bi::new(
            format!("La clé {id} des lignes du journal a été modifiée."),
            format!("Line key {id} of the log was edited."),
        ));
    }
    let end = match log::end(v) {
        Ok(end) => Some(end),
        Err(e) => {
            check.found.say(AppError::from(e).what);
            None
        }
    };
    let mut from = 0;
    loop {
        match rows.each_audit_slices(from, &mut |row| {
            check.row(&row);
            !row.seq.is_multiple_of(1024) || haste.none()
        }) {
            Ok(()) => {
                haste.check()?;
                break;
            }
            // One row that is no row: the next may be sound.
            Err(StoreError::Corrupt(_)) if from <= v.state.audit.size => {
                let seq = check.verifier.next_seq();
                check.found.add(&Fault::Unreadable { line: seq });
                let _ = check.verifier.skip(seq);
                from = seq + 1;
            }
            Err(e) => return Err(e.into()),
        }
    }
    let Check { verifier, mut found, disclosed, .. } = check;
    if let Some(end) = end {
        let (here, written) = (verifier.next_seq(), end.size());
        if here < written {
            found.say(Bi::new(
                format!("La fin manque\u{a0}: {here} lignes présentes, {written} écrites."),
                format!("The end is missing: {here} lines present, {written} written."),
            ));
        } else if here > written {
            found.say(Bi::new(
                format!("Des lignes ont été ajoutées\u{a0}: {here} présentes, {written} écrites."),
                format!("Lines were added: {here} present, {written} written."),
            ));
        } else if found.is_empty() && verifier.log() != &end {
            found.add(&Fault::WrongRoot { place: Place::Head });
        }
    }
    Ok(Verified {
        shown: verifier.summary().lines,
        disclosed,
        redacted: 0,
        fingerprint: fingerprint(v),
        origin_proven: true,
        ..super::export::verified(&verifier.summary(), found.into_texts(), |id| {
            Some(people::name(v, id))
        })
    })
}

struct Check {
    reader: Reader,
    verifier: Verifier,
    found: Findings,
    disclosed: u64,
    leaf: Vec<u8>,
    opening: Vec<u8>,
    packed: Vec<u8>,
}

impl Check {
    fn row(&mut self, row: &AuditSlices<'_>) {
        if self.reader.leaf_into(row, &mut self.packed, &mut self.leaf).is_err() {
            if let Err(missing) = self.verifier.skip(row.seq) {
                self.found.add(&missing);
            }
            return self.found.add(&Fault::Unreadable { line: row.seq });
        }
        if let Err(fault) = self.verifier.push(&self.leaf) {
            self.found.add(&fault);
        }
        let values = match self.reader.opening_into(row, &mut self.opening) {
            Err(_) => return self.found.add(&Fault::Values { line: row.seq }),
            Ok(true) => Some(&self.opening[..]),
            Ok(false) => None,
        };
        let (packed, leaf) = (&self.packed[..], &self.leaf[..]);
        let line = line::Stored { seq: row.seq, packed, leaf, opening: values };
        match line::check(row.seq, line) {
            Ok(values) => self.disclosed += values,
            Err(fault) => self.found.add(&fault),
        }
    }
}
