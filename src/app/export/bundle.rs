//! The bundle: a ZIP that proves itself. Selected lines with their values,
//! lines left out by hash alone, the checkpoint that signs the tree over all of
//! them, the vault's root key, and three ways to verify. Told in
//! `src/audit/FORMAT.md`.

use std::fs::File;
use std::io::{BufWriter, Write};

use data_encoding::BASE64;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

pub use super::read::verify;

use super::file::Whole;
use super::selection::{Records, Selection, Wanted};
use super::{ExportError, ExportMeta, Lines, Steps, pipe, words};
use crate::app::api::ExportRequest;
use crate::audit::checkpoint::{origin, vkey};
use crate::audit::opening::{self, Opened};
use crate::audit::{Fault, hash, line};
use crate::model::lang::Lang;

/// Lines.
pub(super) const AUDIT: &str = "audit.jsonl";
/// Signed head.
pub(super) const CHECKPOINT: &str = "checkpoint.txt";
/// Root key and fingerprint.
pub(super) const VKEY: &str = "vkey.txt";
const README: &str = "VERIFY.txt";
const PYTHON: &str = "verify.py";
const BROWSER: &str = "verify.html";
/// Every file of a bundle; nothing else may be in it.
pub(super) const FILES: [&str; 6] = [README, PYTHON, BROWSER, VKEY, CHECKPOINT, AUDIT];

const README_TEXT: &str = include_str!("../../../assets/verify/VERIFY.txt");
const PYTHON_TEXT: &str = include_str!("../../../assets/verify/verify.py");
const BROWSER_TEXT: &str = include_str!("../../../assets/verify/verify.html");

/// The verifier of that name as this program writes it.
pub(super) fn verifier(name: &str) -> Option<&'static str> {
    match name {
        PYTHON => Some(PYTHON_TEXT),
        BROWSER => Some(BROWSER_TEXT),
        _ => None,
    }
}

/// Bytes gathered before they are compressed.
const CHUNK: usize = 256 * 1024;

pub(super) fn write(
    request: &ExportRequest,
    meta: &ExportMeta,
    lines: &dyn Lines,
    selection: &mut Selection<'_>,
    out: &Whole,
    progress: &mut Steps<'_, '_>,
) -> Result<(), ExportError> {
    let io = |source| out.fail(source);
    let zip_error = |e: zip::result::ZipError| out.fail(e.into());
    let mut zip = ZipWriter::new(BufWriter::with_capacity(CHUNK, out.file()));
    let plain = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .unix_permissions(0o644);
    let vkey = format!(
        "{}\nfingerprint {}\n",
        vkey(&origin(meta.vault), &meta.root_pk),
        meta.fingerprint()
    );
    for (name, text) in [
        (README, readme(request, meta)),
        (PYTHON, PYTHON_TEXT.to_owned()),
        (BROWSER, BROWSER_TEXT.to_owned()),
        (VKEY, vkey),
        (CHECKPOINT, meta.note.clone()),
    ] {
        zip.start_file(name, plain).map_err(zip_error)?;
        zip.write_all(text.as_bytes()).map_err(io)?;
    }
    // Hashes do not compress; the fastest level takes out what does.
    let large = plain.compression_level(Some(1)).large_file(true);
    zip.start_file(AUDIT, large).map_err(zip_error)?;

    let wanted = selection.wanted;
    pipe::each(
        lines,
        progress,
        &|line, records: &mut Records| row(records, line, &request.redact, &wanted),
        &mut |records| selection.pour(records, |text| zip.write_all(text)).map_err(io),
    )?;
    let mut inner: BufWriter<&File> = zip.finish().map_err(zip_error)?;
    inner.flush().map_err(io)?;
    progress.tell()
}

/// Appends one line of `audit.jsonl`, in one of three shapes:
///
/// ```text
/// {"leaf":"{\"v\":1,…}","open":{"client":{"s":"AAECAwQFBgcICQoLDA0ODw==","v":"Dupont"}}}
/// {"leaf":"{\"v\":1,…}"}                     not selected, but carries public facts
/// {"seq":7,"hash":"ql2mGgQXIKrQFHXfW4C1oHvmPWlNmHPOKnpJTV1Vygs="}   not selected
/// ```
fn row(
    out: &mut Records,
    at: &pipe::Opened<'_>,
    redact: &[String],
    wanted: &Wanted<'_>,
) -> Result<(), ExportError> {
    let (seq, leaf) = (at.seq, at.line.leaf);
    let malformed = || ExportError::Fault(Fault::Malformed { line: seq });
    let opening = at.line.opening.unwrap_or(&opening::EMPTY);
    let (matches, public) = if wanted.all {
        line::check(seq, line::Stored { opening: Some(opening), ..at.line })?;
        (true, true)
    } else {
        let parsed = line::parse(leaf).ok_or_else(malformed)?;
        if parsed.seq != seq {
            return Err(Fault::Reordered { line: seq, found: parsed.seq }.into());
        }
        let opened = opening::decode(opening).ok_or_else(malformed)?;
        (wanted.matches(&parsed.opened(&[0; 32], &opened)?), parsed.fact.is_some())
    };
    let left_out = |out: &mut Vec<u8>| {
        if public {
            open_row(out, leaf);
            out.extend_from_slice(b"}\n");
        } else {
            hidden_row(out, seq, &hash::base64(&at.hash));
            out.push(b'\n');
        }
    };
    if !matches {
        left_out(&mut out.bytes);
        return Ok(());
    }
    let disclosed = |out: &mut Vec<u8>| {
        open_row(out, leaf);
        let opened = opening::decode(opening).ok_or_else(malformed)?;
        disclose_all(out, opened.iter().filter(|f| !super::hides(redact, f.name)));
        out.extend_from_slice(b"}\n");
        Ok(())
    };
    out.put(wanted, disclosed, left_out)
}

/// A row as it must be spelled that shows a leaf, up to where it may disclose values.
pub(super) fn open_row(out: &mut Vec<u8>, leaf: &[u8]) {
    out.extend_from_slice(br#"{"leaf":""#);
    // A canonical leaf holds printable ASCII without backslashes.
    for part in leaf.split_inclusive(|b| *b == b'"') {
        match part.split_last() {
            Some((b'"', before)) => {
                out.extend_from_slice(before);
                out.extend_from_slice(b"\\\"");
            }
            _ => out.extend_from_slice(part),
        }
    }
    out.push(b'"');
}

/// The values that a row discloses.
pub(super) fn disclose_all<'a>(out: &mut Vec<u8>, fields: impl Iterator<Item = &'a Opened<'a>>) {
    out.extend_from_slice(br#","open":{"#);
    for (n, field) in fields.enumerate() {
        if n > 0 {
            out.push(b',');
        }
        disclose(out, field);
    }
    out.push(b'}');
}

/// A row that hides its line.
pub(super) fn hidden_row(out: &mut Vec<u8>, seq: u64, hash: &str) {
    write!(out, r#"{{"seq":{seq},"hash":"{hash}"}}"#).expect("a Vec takes every write");
}

fn disclose(out: &mut Vec<u8>, field: &Opened<'_>) {
    out.push(b'"');
    out.extend_from_slice(field.name.as_bytes());
    out.extend_from_slice(br#"":{"s":""#);
    let mut salt = [0; 24];
    BASE64.encode_mut(&field.salt, &mut salt);
    out.extend_from_slice(&salt);
    out.extend_from_slice(br#"","v":"#);
    super::rows::text(out, field.value);
    out.push(b'}');
}

/// `VERIFY.txt`, with what was exported filled in.
fn readme(request: &ExportRequest, meta: &ExportMeta) -> String {
    let redacted = match request.redact.join(", ") {
        none if none.is_empty() => "-".to_owned(),
        some => some,
    };
    README_TEXT
        .replace("{vault}", &meta.vault.to_string())
        .replace("{name}", &meta.vault_name)
        .replace("{exporter_fr}", words::exporter(request, meta, Lang::Fr))
        .replace("{exporter_en}", words::exporter(request, meta, Lang::En))
        .replace("{time}", &meta.generated_at.to_string())
        .replace("{lines}", &meta.size().to_string())
        .replace("{redacted}", &redacted)
        .replace("{version}", env!("CARGO_PKG_VERSION"))
}
