//! Hands the vault's log to the export formats, line by line.

use std::path::Path;

use crate::model::lang::Lang;
use crate::model::time::Time;
use crate::os::clock;
use crate::secret::SecretText;
use crate::vault::log::{self, Reader};
use crate::vault::rows::{AuditSlices, Rows};
use crate::vault::unlocked::Unlocked;

use super::api::{AppError, ExportRequest};
use super::export::{self, ExportError, ExportMeta, Lines, Opener, Progress, Room, Take, Written};
use super::people;

struct Stored<'a> {
    rows: &'a dyn Rows,
    opener: Stores,
    size: u64,
}

struct Stores(Reader);

impl Lines for Stored<'_> {
    fn each(&self, take: &mut Take<'_>) -> Result<(), ExportError> {
        let mut failed = None;
        let read = self.rows.each_audit_slices(0, &mut |row| {
            failed = if row.seq < self.size { take(&row).err() } else { return false };
            failed.is_none()
        });
        read.map_err(|e| ExportError::Source(e.into()))?;
        failed.map_or(Ok(()), Err)
    }

    fn opener(&self) -> &dyn Opener {
        &self.opener
    }
}

impl Opener for Stores {
    fn open(&self, line: &AuditSlices<'_>, room: &mut Room) -> Result<bool, ExportError> {
        let opened = self.0.leaf_into(line, &mut room.packed, &mut room.leaf);
        opened
            .and_then(|()| self.0.opening_into(line, &mut room.opening))
            .map_err(|e| ExportError::Source(e.into()))
    }
}

/// Writes an export of the log as it is now.
pub(super) fn write(
    v: &Unlocked,
    rows: &dyn Rows,
    file: &Path,
    request: &ExportRequest,
    progress: &mut Progress<'_>,
) -> Result<Written, AppError> {
    let end = log::end(v)?;
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let key = v.identity.signing();
    let note = end.checkpoint(v.header.vault).sign(v.me, &key.public(), &|m| key.sign(m));
    let meta = ExportMeta {
        vault: v.header.vault,
        vault_name: name,
        root_pk: v.header.root_pk,
        exporter: people::name(v, &v.me),
        generated_at: clock::now(),
        note,
    };
    let opener = Stores(Reader::new(v, rows)?);
    let lines = Stored { rows, opener, size: end.size() };
    Ok(export::write(request, &meta, &lines, progress)?)
}

/// The recovery kit as a page to print.
pub(super) fn kit_page(
    code: &SecretText,
    file: &Path,
    member: &str,
    fingerprint: &str,
    at: Time,
    lang: Lang,
) -> Result<Vec<u8>, AppError> {
    let vault = file.file_name().unwrap_or_default().to_string_lossy();
    let meta = export::KitMeta { vault: &vault, member, fingerprint, at, lang };
    Ok(code.expose(|c| export::kit_pdf(c, &meta))?)
}
