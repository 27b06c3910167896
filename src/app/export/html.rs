//! One self-contained page: no script from elsewhere, no font, no network. Reads
//! in any browser, prints, and finds words with a few lines of own script.

use std::io::{self, Write};

use super::{ExportMeta, words};
use crate::app::api::ExportRequest;
use crate::model::audit_event::{OpenLine, field};
use crate::model::lang::Lang;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--bad:#c0392b}\
body{font:14px/1.45 system-ui,sans-serif;margin:1.5rem}\
h1{font-size:1.4rem;margin:0 0 .6rem}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;margin:0 0 1rem}\
dt{opacity:.65}dd{margin:0;overflow-wrap:anywhere}\
code,pre{font-family:ui-monospace,monospace;font-size:.85em}\
pre{background:var(--soft);padding:.6rem .8rem;border-radius:.4rem;white-space:pre-wrap;overflow-wrap:anywhere}\
input{font:inherit;padding:.4rem .6rem;border:1px solid var(--line);border-radius:.4rem;width:22rem;max-width:100%;margin-bottom:.6rem;background:transparent;color:inherit}\
table{border-collapse:collapse;width:100%}\
th,td{text-align:left;vertical-align:top;padding:.3rem .55rem;border-bottom:1px solid var(--line)}\
th{position:sticky;top:0;background:Canvas;z-index:1}\
td:nth-child(-n+2){white-space:nowrap;font-variant-numeric:tabular-nums}\
td{overflow-wrap:break-word}td:last-child{overflow-wrap:anywhere;min-width:8rem}td:nth-child(6){white-space:nowrap}\
tr.no td:nth-child(3){color:var(--bad);font-weight:600}\
td:last-child{font:.75em ui-monospace,monospace;max-width:9rem;opacity:.7}\
@media print{input{display:none}th{position:static}body{margin:0;font-size:9pt}}";

/// Writes everything before the first row.
pub fn head(out: &mut impl Write, request: &ExportRequest, meta: &ExportMeta) -> io::Result<()> {
    let lang = request.lang;
    let title = lang.pick("Journal des accès", "Access log");
    write!(
        out,
        "<!doctype html>\n<html lang=\"{}\"><head><meta charset=\"utf-8\">\
<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\
<meta name=\"viewport\" content=\"width=device-width\"><title>{title} – ",
        lang.pick("fr", "en")
    )?;
    escape(out, &meta.vault_name)?;
    write!(out, "</title><style>{STYLE}</style></head><body><h1>{title}</h1><dl>")?;
    for (name, value) in facts(request, meta) {
        write!(out, "<dt>{name}</dt><dd>")?;
        escape(out, &value)?;
        write!(out, "</dd>")?;
    }
    write!(
        out,
        "</dl><details><summary>{}</summary><pre>",
        lang.pick("Point de contrôle signé", "Signed checkpoint")
    )?;
    escape(out, &meta.note)?;
    write!(
        out,
        "</pre></details><input id=\"q\" type=\"search\" placeholder=\"{}\"><table><thead><tr>",
        lang.pick("Chercher dans le journal", "Search the log")
    )?;
    let columns = ["seq", "time", "event"].into_iter().chain(words::SHARED);
    for name in columns.chain([field::DETAIL, "leaf_hash"]) {
        write!(out, "<th>{}</th>", words::shared(name, lang))?;
    }
    out.write_all(b"</tr></thead><tbody>\n")
}

/// What the report says about itself, for the head of each kind of report.
pub fn facts(request: &ExportRequest, meta: &ExportMeta) -> Vec<(&'static str, String)> {
    let lang = request.lang;
    let mut out = vec![(lang.pick("Coffre", "Vault"), meta.vault_name.clone())];
    out.extend(words::limits(request, lang));
    let exporter = words::exporter(request, meta, lang).to_owned();
    out.push((lang.pick("Exporté par", "Exported by"), exporter));
    out.push((lang.pick("Le (UTC)", "On (UTC)"), words::minute(meta.generated_at)));
    out.push((lang.pick("Lignes du journal", "Lines of the log"), meta.size().to_string()));
    out.push((lang.pick("Empreinte du coffre", "Vault fingerprint"), meta.fingerprint()));
    out.push((lang.pick("Racine du journal", "Root of the log"), meta.root().to_owned()));
    out
}

/// Writes one row.
pub fn row(out: &mut impl Write, line: &OpenLine, lang: Lang) -> io::Result<()> {
    out.write_all(if line.ok { b"<tr>" } else { b"<tr class=\"no\">" })?;
    write!(
        out,
        "<td>{}</td><td>{}</td><td title=\"{}\">{}",
        line.seq,
        words::minute(line.at),
        line.event,
        words::event(line.event, lang)
    )?;
    if !line.ok {
        write!(out, " ({})", words::outcome(false, lang))?;
    }
    let (member, ticket) = (line.field(field::MEMBER), line.field(field::TICKET));
    for text in [member, &words::place(line), ticket, &words::far(line), &words::rest(line, lang)] {
        out.write_all(b"</td><td>")?;
        escape(out, text)?;
    }
    writeln!(out, "</td><td>{}</td></tr>", line.leaf_hash)
}

/// Writes everything behind the last row.
pub fn tail(out: &mut impl Write) -> io::Result<()> {
    out.write_all(
        b"</tbody></table><script>\
let timer;document.getElementById('q').oninput=(e)=>{clearTimeout(timer);timer=setTimeout(()=>{\
const words=e.target.value.toLowerCase().split(/\\s+/);\
for(const row of document.querySelectorAll('tbody tr')){\
const text=row.textContent.toLowerCase();row.hidden=!words.every((w)=>text.includes(w))}},150)};\
</script></body></html>\n",
    )
}

/// Text for an element or a quoted attribute.
fn escape(out: &mut impl Write, text: &str) -> io::Result<()> {
    for part in text.split_inclusive(['&', '<', '>', '"', '\'']) {
        let cut = part.len() - usize::from(part.ends_with(['&', '<', '>', '"', '\'']));
        out.write_all(&part.as_bytes()[..cut])?;
        out.write_all(match part.as_bytes().get(cut) {
            None => b"",
            Some(b'&') => b"&amp;",
            Some(b'<') => b"&lt;",
            Some(b'>') => b"&gt;",
            Some(b'"') => b"&quot;",
            Some(_) => b"&#39;",
        })?;
    }
    Ok(())
}
