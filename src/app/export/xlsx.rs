//! An Office Open XML workbook: one sheet about the export, then the lines, on
//! as many sheets as needed. Rows go to unnamed files beside the export while
//! they come in.

use std::io::{Seek, Write};
use std::path::Path;

use rust_xlsxwriter::{Format, FormatAlign, Workbook, Worksheet, XlsxError};

use super::{ExportError, ExportMeta, html, words};
use crate::app::api::ExportRequest;
use crate::model::audit_event::{OpenLine, field};
use crate::model::lang::Lang;

/// Rows of a sheet, its header included.
const MOST_ROWS: u32 = 1_048_576;
/// Characters of a cell.
const MOST_CHARS: usize = 32_767;

/// A workbook under way.
pub struct Xlsx {
    book: Workbook,
    columns: Vec<&'static str>,
    lang: Lang,
    sheets: u32,
    /// Rows on the present sheet, its header included.
    rows: u32,
    /// Rows of a sheet before the next one begins.
    most_rows: u32,
    bold: Format,
    date: Format,
}

fn failed(error: XlsxError) -> ExportError {
    ExportError::Document(error.to_string())
}

impl Xlsx {
    /// Begins with the sheet about the export.
    pub fn new(
        request: &ExportRequest,
        meta: &ExportMeta,
        folder: &Path,
    ) -> Result<Self, ExportError> {
        let lang = request.lang;
        let mut book = Workbook::new();
        book.set_tempdir(folder).map_err(failed)?;
        let bold = Format::new().set_bold();
        let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        let about = book.add_worksheet();
        let fill = |about: &mut Worksheet| -> Result<(), XlsxError> {
            about.set_name(lang.pick("À propos", "About"))?;
            about.set_column_width(0, 26)?.set_column_width(1, 80)?;
            let mut facts = html::facts(request, meta);
            let note = lang.pick("Point de contrôle signé", "Signed checkpoint");
            facts.push((note, meta.note.clone()));
            for (row, (name, value)) in (0u32..).zip(facts) {
                about.write_string_with_format(row, 0, name, &bold)?;
                about.write_string_with_format(row, 1, cell(&value), &wrapped)?;
            }
            Ok(())
        };
        fill(about).map_err(failed)?;
        let columns =
            field::ALL.iter().copied().filter(|n| request.redact.iter().all(|r| r != n)).collect();
        let date = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
        let mut this =
            Self { book, columns, lang, sheets: 0, rows: 0, most_rows: MOST_ROWS, bold, date };
        this.sheet().map_err(failed)?;
        Ok(this)
    }

    /// Begins the next sheet with its header.
    fn sheet(&mut self) -> Result<(), XlsxError> {
        self.sheets += 1;
        self.rows = 1;
        let name = format!("{} {}", self.lang.pick("Journal", "Log"), self.sheets);
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?.set_freeze_panes(1, 0)?;
        let all = ["seq", "time", "event", "ok"].iter().chain(&self.columns).chain(&["leaf_hash"]);
        for (column, name) in (0u16..).zip(all) {
            let width = match *name {
                "seq" | field::PORT | field::EXIT | field::COUNT => 8.0,
                "time" => 19.0,
                "leaf_hash" => 66.0,
                field::ENTRY | field::DETAIL | "event" => 32.0,
                _ => 16.0,
            };
            sheet.set_column_width(column, width)?;
            sheet.write_string_with_format(
                0,
                column,
                words::column(name, self.lang),
                &self.bold,
            )?;
        }
        Ok(())
    }

    /// One row.
    pub fn row(&mut self, line: &OpenLine) -> Result<(), ExportError> {
        if self.rows >= self.most_rows {
            self.close_sheet().and_then(|()| self.sheet()).map_err(failed)?;
        }
        self.put(line).map_err(failed)
    }

    fn put(&mut self, line: &OpenLine) -> Result<(), XlsxError> {
        let row = self.rows;
        let sheet = self.book.worksheet_from_index(self.sheets as usize)?;
        sheet.write_number(row, 0, line.seq as f64)?;
        // Days since 1899-12-30, in UTC.
        let days = line.at.0 as f64 / 86_400_000_000.0 + 25_569.0;
        sheet.write_number_with_format(row, 1, days, &self.date)?;
        sheet.write_string(row, 2, words::event(line.event, self.lang))?;
        sheet.write_string(row, 3, words::outcome(line.ok, self.lang))?;
        let mut fields = line.fields.iter().peekable();
        for (column, name) in (4u16..).zip(&self.columns) {
            // Both in column order.
            if let Some((name, value)) = fields.next_if(|(n, _)| n == name) {
                let number = matches!(
                    name.as_str(),
                    field::PORT
                        | field::DURATION_MS
                        | field::BYTES_IN
                        | field::BYTES_OUT
                        | field::COUNT
                );
                match value.parse::<u64>() {
                    // Exact, as a spreadsheet counts.
                    Ok(n) if number && n < 1 << 53 => sheet.write_number(row, column, n as f64)?,
                    _ => {
                        let told = words::told(line, name, value, self.lang);
                        sheet.write_string(row, column, cell(&told))?
                    }
                };
            }
        }
        sheet.write_string(row, 4 + self.columns.len() as u16, &line.leaf_hash)?;
        self.rows += 1;
        Ok(())
    }

    fn close_sheet(&mut self) -> Result<(), XlsxError> {
        let (rows, last) = (self.rows, 4 + self.columns.len() as u16);
        let sheet = self.book.worksheet_from_index(self.sheets as usize)?;
        sheet.autofilter(0, 0, rows - 1, last)?;
        Ok(())
    }

    /// Puts the workbook together.
    pub fn finish(mut self, out: impl Write + Seek + Send) -> Result<(), ExportError> {
        self.close_sheet().and_then(|()| self.book.save_to_writer(out)).map_err(failed)
    }
}

/// A text cut to what a cell takes.
fn cell(text: &str) -> String {
    match text.char_indices().nth(MOST_CHARS - 1) {
        Some((cut, _)) if text.chars().count() > MOST_CHARS => format!("{}…", &text[..cut]),
        _ => text.to_owned(),
    }
}
