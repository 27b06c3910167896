//! The whole vault read through: every row, the key tree, the sums, the index
//! against the rows, the audit chain. Says what is wrong and where; mends nothing.

use std::collections::BTreeSet;

use crate::model::entry::Entry;
use crate::model::id::CellId;
use crate::model::lang::Bi;
use crate::vault::cell::Purpose;
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, CheckReport, Reply};
use super::auditing;
use super::worker::{Haste, Open};

impl Open {
    pub(super) fn check(&mut self) -> Result<Reply, AppError> {
        let haste = self.haste();
        let mut faults = Vec::new();
        if let Err(e) = self.store.integrity_check() {
            faults.push(AppError::from(e).what);
        }
        let report = self.read(|v, rows| {
            let mut report = CheckReport { entries: 0, cells: 0, audit_lines: 0, faults };
            sums(v, rows, &mut report)?;
            records(v, rows, &haste, &mut report)?;
            let verified = auditing::verify(v, rows, &haste)?;
            report.audit_lines = verified.lines;
            report.faults.extend(verified.faults);
            Ok(report)
        })?;
        Ok(Reply::Checked(report))
    }
}

fn fault(report: &mut CheckReport, fr: String, en: String) {
    report.faults.push(Bi::new(fr, en));
}

fn sums(v: &Unlocked, rows: &dyn Rows, report: &mut CheckReport) -> Result<(), AppError> {
    let summer = v.summer()?;
    let mut sum = [0; 32];
    rows.each_cell(&mut |c| {
        report.cells += 1;
        summer.toggle(&mut sum, "cell", &c.id.0, c.ver, &c.ct);
    })?;
    if sum != v.state.cells || report.cells != v.state.n_cells {
        fault(
            report,
            format!(
                "les enregistrements ne sont pas ceux qui ont été écrits ({} au lieu de {})",
                report.cells, v.state.n_cells
            ),
            format!(
                "the records are not those that were written ({} instead of {})",
                report.cells, v.state.n_cells
            ),
        );
    }
    if v.meta_sum(rows)? != v.state.meta {
        fault(
            report,
            "les membres, clés ou index ne sont pas ceux qui ont été écrits".into(),
            "members, keys or indexes are not those that were written".into(),
        );
    }
    Ok(())
}

fn records(
    v: &Unlocked,
    rows: &dyn Rows,
    haste: &Haste,
    report: &mut CheckReport,
) -> Result<(), AppError> {
    for client in v.index.clients() {
        for node in client.all() {
            haste.check()?;
            report.entries += 1;
            let path = v.index.path(&node);
            let mut seen = BTreeSet::new();
            let bad = match v.entry(rows, &node.id) {
                Ok(entry) => {
                    let differs = entry.summary() != node;
                    differs
                        || blobs(v, rows, &entry, &mut seen)
                        || versions(v, rows, &entry, &mut seen)
                }
                Err(_) => true,
            };
            if bad {
                fault(
                    report,
                    format!("«\u{a0}{path}\u{a0}» ne se lit pas entièrement"),
                    format!("“{path}” cannot be read whole"),
                );
            }
        }
    }
    Ok(())
}

fn blobs(v: &Unlocked, rows: &dyn Rows, entry: &Entry, seen: &mut BTreeSet<CellId>) -> bool {
    let secrets = entry.secrets.values().map(|s| (s.cell, Purpose::Secret));
    let files = entry.attachments.iter().map(|a| (a.cell, Purpose::Attachment));
    secrets.chain(files).any(|(cell, purpose)| {
        seen.insert(cell) && v.open_blob(rows, entry.client, cell, purpose).is_err()
    })
}

fn versions(v: &Unlocked, rows: &dyn Rows, entry: &Entry, seen: &mut BTreeSet<CellId>) -> bool {
    entry.history.iter().any(|h| match v.old_entry(rows, entry.client, h.cell, h.ver) {
        Ok(old) => blobs(v, rows, &old, seen),
        Err(_) => true,
    })
}
