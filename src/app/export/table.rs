//! Writes the formats that show the lines as a table, one record or row a line.

use std::io::{self, BufWriter, Write};

use crate::app::api::{ExportFormat, ExportRequest};
use crate::audit::line;
use crate::model::audit_event::OpenLine;

use super::ahead::Ahead;
use super::file::Whole;
use super::selection::{Records, Selection, Wanted};
use super::{ExportError, ExportMeta, Lines, Steps, hides, html, pdf, pipe, rows, xlsx};

/// Bytes gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// Appends a line of the log as one record.
type Record<'a> = dyn Fn(&mut Vec<u8>, &OpenLine) -> io::Result<()> + Sync + 'a;

/// Writes the selected lines; returns the further parts of a report too long for
/// one file.
pub fn write(
    request: &ExportRequest,
    meta: &ExportMeta,
    lines: &dyn Lines,
    selection: &mut Selection<'_>,
    out: &Whole,
    progress: &mut Steps<'_, '_>,
) -> Result<Vec<Whole>, ExportError> {
    let io = |source| out.fail(source);
    let vault = meta.vault;
    let record: Box<Record<'_>> = match request.format {
        ExportFormat::Xlsx => {
            let mut book = xlsx::Xlsx::new(request, meta, out.folder())?;
            each(request, lines, selection, progress, &mut |line| book.row(line))?;
            let mut file = BufWriter::with_capacity(BUFFER, out.file());
            book.finish(&mut file)?;
            file.flush().map_err(io)?;
            return Ok(Vec::new());
        }
        ExportFormat::Pdf => {
            let mut report = pdf::Pdf::new(request, meta, out, selection.expected)?;
            each(request, lines, selection, progress, &mut |line| report.row(line))?;
            return report.finish();
        }
        ExportFormat::Csv => {
            let columns = rows::columns(&request.redact);
            Box::new(move |out, line| rows::csv(out, &columns, line))
        }
        ExportFormat::Jsonl => Box::new(|out, line| {
            rows::jsonl(out, line);
            Ok(())
        }),
        ExportFormat::Syslog => Box::new(move |out, line| rows::syslog(out, line, vault)),
        ExportFormat::Cef => Box::new(move |out, line| rows::cef(out, line, vault)),
        ExportFormat::Ocsf => Box::new(move |out, line| rows::ocsf(out, line, vault)),
        ExportFormat::Html | ExportFormat::Bundle => {
            Box::new(|out, line| html::row(out, line, request.lang))
        }
    };
    let mut file = Ahead::new(out.file());
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    match request.format {
        ExportFormat::Csv => rows::csv_head(&mut head, &request.redact),
        ExportFormat::Html => {
            html::head(&mut head, request, meta).and_then(|()| html::tail(&mut tail))
        }
        _ => Ok(()),
    }
    .map_err(io)?;
    file.write_all(&head).map_err(io)?;
    let wanted = selection.wanted;
    // Most exports for machines are of everything.
    let plain = wanted.all && request.redact.is_empty() && request.format == ExportFormat::Jsonl;
    pipe::each(
        lines,
        progress,
        &|row, piece: &mut Piece| {
            if let Some(seen) = plain.then(|| line::see(row.seq, row.line)).flatten() {
                let record = |text: &mut Vec<u8>| {
                    rows::jsonl_seen(text, row.seq, &seen, &row.hash);
                    Ok(())
                };
                return piece.records.put(&wanted, record, |_| ());
            }
            if piece.open(row, request, &wanted)? {
                let Piece { line, records, .. } = piece;
                records.put(&wanted, |text| record(text, line), |_| ()).map_err(io)?;
            }
            Ok(())
        },
        &mut |piece| selection.pour(&mut piece.records, |text| file.write_all(text)).map_err(io),
    )?;
    progress.tell()?;
    file.write_all(&tail).and_then(|()| file.finish()).map_err(io)?;
    Ok(Vec::new())
}

/// Hands the selected lines one by one to a document.
fn each(
    request: &ExportRequest,
    lines: &dyn Lines,
    selection: &mut Selection<'_>,
    progress: &mut Steps<'_, '_>,
    row: &mut (dyn FnMut(&OpenLine) -> Result<(), ExportError> + Send),
) -> Result<(), ExportError> {
    let wanted = selection.wanted;
    pipe::each(
        lines,
        progress,
        &|line, piece: &mut Piece| {
            if piece.open(line, request, &wanted)? {
                piece.lines.push(piece.line.clone());
            }
            Ok(())
        },
        &mut |piece| piece.lines.drain(..).filter(|_| selection.passes()).try_for_each(|l| row(&l)),
    )?;
    progress.tell()
}

/// What a worker makes of a block.
struct Piece {
    /// The line at hand.
    line: OpenLine,
    records: Records,
    /// Lines for a document.
    lines: Vec<OpenLine>,
}

impl Default for Piece {
    fn default() -> Self {
        Self { line: OpenLine::empty(), records: Records::default(), lines: Vec::new() }
    }
}

impl Piece {
    /// Opens a line without what is hidden; whether it matches.
    fn open(
        &mut self,
        row: &pipe::Opened<'_>,
        request: &ExportRequest,
        wanted: &Wanted<'_>,
    ) -> Result<bool, ExportError> {
        line::open_into(row.seq, row.line, &row.hash, &mut self.line)?;
        let matches = wanted.matches(&self.line);
        if !request.redact.is_empty() {
            self.line.fields.retain(|(name, _)| !hides(&request.redact, name));
        }
        Ok(matches)
    }
}
