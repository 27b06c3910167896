//! The whole vault read through: every row, the key tree, the sums, the index
//! against the rows, the audit chain. Says what is wrong and where; mends nothing.

use std::collections::{BTreeMap, BTreeSet};

use subtle::ConstantTimeEq;

use crate::model::entry::Entry;
use crate::model::id::{CellId, EntryId};
use crate::model::lang::Bi;
use crate::vault::cell::Purpose;
use crate::vault::cert::Act;
use crate::vault::grant::{self, AUDIT_KEY, GrantRow, PENDING_KEY, VAULT_KEY};
use crate::vault::rows::Rows;
use crate::vault::shared::MANIFESTS;
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, CheckReport, Reply};
use super::shared::{Unused, unused};
use super::worker::{Haste, Open};
use super::{auditing, people, windows};

impl Open {
    pub(super) fn check(&mut self) -> Result<Reply, AppError> {
        let haste = self.haste();
        let mut faults = Vec::new();
        if let Err(e) = self.store.integrity_check() {
            faults.push(AppError::from(e).what);
        }
        if self.store.goes_on_after_its_end() {
            faults.push(Bi::new(
                "le fichier continue, ou continuait à son ouverture, après sa dernière page",
                "the file goes on, or did when it was opened, after its last page",
            ));
        }
        let report = self.read(|v, rows| {
            let mut report =
                CheckReport { entries: 0, cells: 0, unreached: 0, audit_lines: 0, faults };
            let places = sums(v, rows, &mut report)?;
            let shared = shared(v, rows, &places, &mut report)?;
            records(v, rows, &haste, &places, shared, &mut report)?;
            grants(v, rows, &haste, &mut report)?;
            report.faults.extend(windows::faults(v, rows, &haste)?);
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

/// Under which client each row of a record says that it is filed.
type Places = BTreeMap<CellId, [u8; 16]>;

fn sums(v: &Unlocked, rows: &dyn Rows, report: &mut CheckReport) -> Result<Places, AppError> {
    let summer = v.summer()?;
    let mut sum = [0; 32];
    let mut places = Places::new();
    rows.each_cell(&mut |c| {
        report.cells += 1;
        places.insert(c.id, c.place);
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
    if rows.header()? != v.header {
        fault(
            report,
            "l’en-tête n’est pas celui qui a été écrit".into(),
            "the header is not the one that was written".into(),
        );
    }
    if v.meta_sum(rows)? != v.state.meta {
        fault(
            report,
            "les membres, clés ou index ne sont pas ceux qui ont été écrits".into(),
            "members, keys or indexes are not those that were written".into(),
        );
    }
    Ok(places)
}

/// Which rows entries led to, and of which clients that is not known.
#[derive(Default)]
struct Walk {
    reached: BTreeSet<CellId>,
    unsure: BTreeSet<EntryId>,
}

/// The cells of the shared manifests, each of which is read.
fn shared(
    v: &Unlocked,
    rows: &dyn Rows,
    places: &Places,
    report: &mut CheckReport,
) -> Result<BTreeSet<CellId>, AppError> {
    let mut cells = BTreeSet::new();
    for shared in &v.state.shared.all {
        cells.insert(shared.cell);
        let place = places.get(&shared.cell);
        let placed = match place {
            Some(place) => v.in_place(&MANIFESTS, &shared.cell, place)?,
            None => false,
        };
        let kind = &shared.kind;
        if let Err(Unused { why, todo }) = unused(v, rows, shared) {
            fault(
                report,
                format!("le connecteur partagé «\u{a0}{kind}\u{a0}» {}. {}", why.fr, todo.fr),
                format!("the shared connector “{kind}” {}. {}", why.en, todo.en),
            );
        } else if !placed {
            fault(
                report,
                format!(
                    "le connecteur partagé «\u{a0}{kind}\u{a0}» est rangé ailleurs qu’à sa place"
                ),
                format!("the shared connector “{kind}” is filed elsewhere than in its place"),
            );
        }
    }
    if v.state.shared.all.is_empty() && v.judge_listing().is_err() {
        fault(
            report,
            "la liste des connecteurs partagés n’est pas la dernière qui a été signée. Partagez-les à nouveau (poterne connector add FICHIER)".into(),
            "the list of shared connectors is not the last one that was signed. Share them again (poterne connector add FILE)".into(),
        );
    }
    Ok(cells)
}

fn records(
    v: &Unlocked,
    rows: &dyn Rows,
    haste: &Haste,
    places: &Places,
    shared: BTreeSet<CellId>,
    report: &mut CheckReport,
) -> Result<(), AppError> {
    let mut walk = Walk { reached: shared, ..Walk::default() };
    for client in v.index.clients() {
        for node in client.all() {
            haste.check()?;
            report.entries += 1;
            let path = v.index.path(&node);
            let mut seen = BTreeSet::from([CellId(node.id.0)]);
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
                walk.unsure.insert(node.client);
                fault(
                    report,
                    format!("«\u{a0}{path}\u{a0}» ne se lit pas entièrement"),
                    format!("“{path}” cannot be read whole"),
                );
            }
            let mut strays = 0;
            for (cell, place) in seen.iter().filter_map(|c| places.get_key_value(c)) {
                strays += usize::from(!v.in_place(&node.client, cell, place)?);
            }
            if strays > 0 {
                fault(
                    report,
                    format!(
                        "«\u{a0}{path}\u{a0}» est rangé ailleurs que chez son client (enregistrements\u{a0}: {strays})"
                    ),
                    format!(
                        "“{path}” is filed elsewhere than under its client (records: {strays})"
                    ),
                );
            }
            walk.reached.append(&mut seen);
        }
    }
    report.unreached = unreached(v, rows, places, &walk)?;
    Ok(())
}

/// How many rows no entry leads to. Those of clients that are not at hand are not
/// judged, nor those of a client with an entry that cannot be read.
fn unreached(v: &Unlocked, rows: &dyn Rows, places: &Places, walk: &Walk) -> Result<u64, AppError> {
    let mut elsewhere: BTreeSet<EntryId> = rows.grants()?.iter().map(|g| g.subject).collect();
    elsewhere.extend(rows.segment_heads()?.into_iter().map(|(client, ..)| client));
    elsewhere.extend(rows.delta_marks()?.into_iter().map(|(client, ..)| client));
    elsewhere.retain(|client| v.index.client(client).is_none());
    elsewhere.extend(&walk.unsure);
    let mut count = 0;
    for (cell, place) in places.iter().filter(|(cell, _)| !walk.reached.contains(cell)) {
        count += u64::from(!elsewhere.contains(&v.client_by_place(cell, place)?));
    }
    Ok(count)
}

fn blobs(v: &Unlocked, rows: &dyn Rows, entry: &Entry, seen: &mut BTreeSet<CellId>) -> bool {
    let secrets = entry.secrets.values().map(|s| (s.cell, Purpose::Secret));
    let files = entry.attachments.iter().map(|a| (a.cell, Purpose::Attachment));
    let snapshots = entry.snapshots.iter().map(|s| (s.cell, Purpose::Snapshot));
    secrets.chain(files).chain(snapshots).any(|(cell, purpose)| {
        seen.insert(cell) && v.open_blob(rows, entry.client, cell, purpose).is_err()
    })
}

fn versions(v: &Unlocked, rows: &dyn Rows, entry: &Entry, seen: &mut BTreeSet<CellId>) -> bool {
    entry.history.iter().any(|h| {
        seen.insert(h.cell);
        match v.old_entry(rows, entry.client, h.cell, h.ver) {
            Ok(old) => blobs(v, rows, &old, seen),
            Err(_) => true,
        }
    })
}

/// Judges every key handed out; the member's own are opened too. Those handed out
/// with an invitation stay sealed to the keys that the member had before accepting.
fn grants(
    v: &Unlocked,
    rows: &dyn Rows,
    haste: &Haste,
    report: &mut CheckReport,
) -> Result<(), AppError> {
    for row in rows.grants()? {
        haste.check()?;
        let statements = v.cards.get(&row.member).map(|c| c.statements.as_slice());
        let sound = statements.unwrap_or_default().iter().any(|s| match &s.act {
            Act::Add { keys, .. } | Act::Rekey { keys } => {
                grant::verify(v.vault(), &row, &keys.kem, &v.directory).is_ok()
            }
            Act::Change { .. } | Act::Remove => false,
        });
        let present = v.directory.member(&row.member).is_some();
        if sound && present && !opens_to_another(v, &row) {
            continue;
        }
        let name = people::name(v, &row.member);
        let (fr, en) = match row.subject {
            VAULT_KEY => ("du coffre".to_owned(), "the vault".to_owned()),
            AUDIT_KEY | PENDING_KEY => ("du journal".to_owned(), "the log".to_owned()),
            client => match v.client_names().get(&client) {
                Some(client) => (format!("de «\u{a0}{client}\u{a0}»"), format!("“{client}”")),
                None => ("d’un client".to_owned(), "a client".to_owned()),
            },
        };
        fault(
            report,
            format!("la clé {fr} remise à {name} n’est pas celle qui a été donnée"),
            format!("the key of {en} handed to {name} is not the one that was given"),
        );
    }
    Ok(())
}

/// Whether a grant to the member at hand gives another key than the ring holds.
fn opens_to_another(v: &Unlocked, row: &GrantRow) -> bool {
    let mine = grant::verify(v.vault(), row, v.identity.kem().public(), &v.directory);
    if row.member != v.me || mine.is_err() {
        return false;
    }
    let known = match row.subject {
        VAULT_KEY => v.ring.vault_key(row.generation),
        AUDIT_KEY => v.ring.audit_seed(),
        PENDING_KEY => v.ring.pending_seed(),
        client => v.ring.client_key_at(&client, row.generation),
    };
    match (known, grant::open(v.vault(), row, v.me, &v.identity, &v.directory)) {
        (Some(known), Ok(given)) => !known.expose(|a| given.expose(|b| bool::from(a.ct_eq(b)))),
        _ => true,
    }
}
