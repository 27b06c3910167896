//! Reading, verifying and exporting the vault's audit log. An export is itself
//! logged, before its file is written.

use crate::audit::verifier::Verifier;
use crate::model::audit_event::{AuditFilter, Event, OpenLine, field};
use crate::model::policy::Action;
use crate::vault::log::{self, Reader};
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Unlocked, VaultError};

use super::api::{AppError, ExportRequest, Reply, Verified};
use super::entries::need;
use super::export::Progress;
use super::worker::Open;
use super::{draft, people, seeds};

/// Most lines one request returns; an export has no such bound.
const MOST: usize = 100_000;

impl Open {
    pub(super) fn fingerprint(&self) -> String {
        fingerprint(&self.vault)
    }

    pub(super) fn audit_log(&mut self, filter: &AuditFilter) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::ReadAudit)?;
            let reader = Reader::new(v, rows)?;
            let mut out: std::collections::VecDeque<OpenLine> = Default::default();
            let last = filter.last.map_or(MOST, |n| usize::try_from(n).unwrap_or(MOST).min(MOST));
            let mut failed = None;
            rows.each_audit(0, &mut |row| match reader.line(&row) {
                Ok(line) => {
                    if filter.matches(&line) {
                        if out.len() >= last {
                            out.pop_front();
                        }
                        if last > 0 {
                            out.push_back(line);
                        }
                    }
                    true
                }
                Err(e) => {
                    failed = Some(e);
                    false
                }
            })?;
            match failed {
                Some(e) => Err(e.into()),
                None => Ok(Reply::Log(out.into())),
            }
        })
    }

    pub(super) fn audit_verify(&mut self) -> Result<Reply, AppError> {
        self.read(|v, rows| {
            need(v, Action::ReadAudit)?;
            Ok(Reply::Verified(verify(v, rows)?))
        })
    }

    pub(super) fn audit_export(
        &mut self,
        request: &ExportRequest,
        progress: &mut Progress<'_>,
    ) -> Result<Reply, AppError> {
        need(&self.vault, Action::ReadAudit)?;
        self.read(|v, rows| may_leave(v, rows, request))?;
        let name = request.out.file_name().unwrap_or_default().to_string_lossy().into_owned();
        self.write(|v, rows, env| {
            let mut line = draft(v, env, Event::Exported, true);
            people::why(&request.just, &mut line);
            line.fields.push((field::FILE, name));
            line.fields.push((field::DETAIL, described(request)));
            if let [client] = request.filter.clients.as_slice() {
                line.fields.push((field::CLIENT, client.clone()));
            }
            v.log(rows, env, line)?;
            log::sign(v, rows, env)?;
            Ok(())
        })?;
        let fingerprint = self.fingerprint();
        let file = self.store.file().to_owned();
        let lines =
            self.read(|v, rows| super::exporting::write(v, rows, &file, request, progress))?;
        Ok(Reply::Exported { lines, fingerprint })
    }
}

/// Refuses an export that holds lines of a client whose rule about tickets and
/// reasons is not met. One export may be about several clients, each with a form
/// of its own: then several tickets are given, apart by spaces or commas.
fn may_leave(v: &Unlocked, rows: &dyn Rows, request: &ExportRequest) -> Result<(), AppError> {
    // What each name was called in the log, and why its lines may not leave.
    let mut kept_back: Vec<(String, AppError)> = Vec::new();
    for node in v.index.clients().filter_map(|c| v.index.get(&c.client)) {
        let client = v.entry(rows, &node.id)?;
        let info = client.client_info.clone().unwrap_or_default();
        let Err(refusal) = seeds::export_justified(&client.name, &info, &request.just) else {
            continue;
        };
        let mut names = vec![client.name.clone()];
        for old in &client.history {
            let before = v.old_entry(rows, client.id, old.cell, old.ver)?.name;
            if !names.contains(&before) {
                names.push(before);
            }
        }
        kept_back.extend(names.into_iter().map(|name| (name, refusal.clone())));
    }
    let asked = |name: &str| {
        let wanted = &request.filter.clients;
        wanted.is_empty() || wanted.iter().any(|w| w.eq_ignore_ascii_case(name))
    };
    kept_back.retain(|(name, _)| asked(name));
    if kept_back.is_empty() {
        return Ok(());
    }
    // The log is read only where somebody did not give what may be asked for.
    let reader = Reader::new(v, rows)?;
    let last = request.filter.last.map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
    let mut selected: std::collections::VecDeque<Option<usize>> = Default::default();
    let mut failed = None;
    rows.each_audit(0, &mut |row| match reader.line(&row) {
        Ok(line) => {
            if !request.filter.matches(&line) {
                return true;
            }
            let client = line.field(field::CLIENT);
            let hit = kept_back.iter().position(|(name, _)| name == client);
            if last == usize::MAX {
                selected.extend(hit.map(Some));
                return hit.is_none();
            }
            selected.push_back(hit);
            if selected.len() > last {
                selected.pop_front();
            }
            true
        }
        Err(e) => {
            failed = Some(e);
            false
        }
    })?;
    if let Some(e) = failed {
        return Err(e.into());
    }
    match selected.into_iter().flatten().next() {
        Some(hit) => Err(kept_back.swap_remove(hit).1),
        None => Ok(()),
    }
}

fn described(request: &ExportRequest) -> String {
    let mut out = format!("audit log as {}", request.format.word());
    if request.filter != AuditFilter::default() {
        out.push_str(", filtered");
    }
    if !request.redact.is_empty() {
        out.push_str(", without ");
        out.push_str(&request.redact.join(","));
    }
    out
}

/// The vault's public fingerprint.
pub(super) fn fingerprint(v: &Unlocked) -> String {
    crate::audit::checkpoint::fingerprint(v.header.vault, &v.header.root_pk)
}

/// Verifies the whole log: chain, tree, values, statements, signatures.
pub(super) fn verify(v: &Unlocked, rows: &dyn Rows) -> Result<Verified, AppError> {
    let reader = Reader::new(v, rows)?;
    let mut verifier = Verifier::new();
    let mut faults = Vec::new();
    let mut disclosed = 0;
    let mut redacted = 0;
    let mut failed: Option<VaultError> = None;
    let end = log::end(v)?;
    rows.each_audit(0, &mut |row| {
        let leaf = match reader.leaf(&row) {
            Ok(leaf) => leaf,
            Err(e) => {
                failed = Some(e);
                return false;
            }
        };
        if let Err(fault) = verifier.push(&leaf) {
            faults.push(fault.text());
            return false;
        }
        match reader.line(&row) {
            Ok(line) => {
                disclosed += line.fields.len() as u64;
                if line.fields.is_empty() {
                    redacted += 1;
                }
                true
            }
            Err(e) => {
                failed = Some(e);
                false
            }
        }
    })?;
    if let Some(e) = failed {
        faults.push(AppError::from(e).what);
    }
    if faults.is_empty() {
        if verifier.log() != &end {
            faults.push(crate::model::lang::Bi::new(
                format!(
                    "le journal s'arrête à {} lignes, il en avait {}",
                    verifier.next_seq(),
                    end.size()
                ),
                format!("the log ends at {} lines, it had {}", verifier.next_seq(), end.size()),
            ));
        }
        if let Err(fault) = verifier.finish() {
            faults.push(fault.text());
        }
    }
    Ok(Verified {
        disclosed,
        redacted,
        fingerprint: fingerprint(v),
        origin_proven: true,
        ..super::export::verified(&verifier.summary(), faults)
    })
}
