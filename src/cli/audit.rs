//! Commands about the access log.

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::app::api::{AppError, Code, ExportFormat, ExportRequest, Reply, Request, Verified};
use crate::app::export::told;
use crate::app::{export, place};
use crate::model::audit_event::{AuditFilter, Event, OpenLine, field};
use crate::model::lang::{Bi, Lang};
use crate::model::time::Time;
use crate::os::clock;

use super::args::{Audit, Export, Filters, Verify, duration};
use super::progress::Bar;
use super::say::{self, bi, usage};
use super::{Context, Opened, lifecycle};

pub fn audit(context: &Context, command: Audit) -> Result<u8, AppError> {
    match command {
        Audit::Log(filters) => log(context, filters)?,
        Audit::Export(options) => return export(context, options),
        Audit::Verify(options) => return verify(context, options),
        Audit::Fingerprint => {
            let Reply::Fingerprint(text) = context.open()?.call(Request::AuditFingerprint)? else {
                return Err(say::unexpected());
            };
            if context.json {
                say::document(&json!({ "fingerprint": text }));
            } else {
                say::line(&text);
            }
        }
    }
    Ok(0)
}

fn filter(filters: Filters) -> Result<AuditFilter, AppError> {
    let events = filters.event.iter().map(|word| event(word)).collect::<Result<_, _>>()?;
    Ok(AuditFilter {
        since: filters.since.as_deref().map(time).transpose()?,
        until: filters.until.as_deref().map(time).transpose()?,
        members: filters.by,
        clients: filters.client,
        events,
        text: filters.text.unwrap_or_default(),
        last: filters.last,
    })
}

fn event(word: &str) -> Result<Event, AppError> {
    word.parse().map_err(|_| {
        let known: Vec<&str> = Event::ALL.iter().map(|event| event.word()).collect();
        let known = known.join(", ");
        usage(
            bi(
                format!("L’événement «\u{a0}{word}\u{a0}» n’existe pas."),
                format!("There is no event “{word}”."),
            ),
            bi(format!("Choisissez parmi\u{a0}: {known}."), format!("Choose one of: {known}.")),
        )
    })
}

/// RFC 3339, a day (its first moment in UTC), or so long ago.
fn time(text: &str) -> Result<Time, AppError> {
    if let Ok(time) = text.parse::<Time>() {
        return Ok(time);
    }
    if let Ok(time) = format!("{text}T00:00:00Z").parse::<Time>() {
        return Ok(time);
    }
    if let Ok(ago) = duration(text) {
        return Ok(clock::now().plus_seconds(-(ago.as_secs() as i64)));
    }
    Err(usage(
        bi(format!("«\u{a0}{text}\u{a0}» n’est pas un moment."), format!("“{text}” is no time.")),
        bi(
            "Écrivez 2026-11-23, 2026-11-23T21:04:05Z, 36h ou 7d.",
            "Write 2026-11-23, 2026-11-23T21:04:05Z, 36h or 7d.",
        ),
    ))
}

/// Says what else the log is searched for: the former names of its clients.
///
/// # Errors
/// Nobody and nothing has, or had, a name that was asked for.
fn looked_for(context: &Context, opened: &Opened, filter: &AuditFilter) -> Result<(), AppError> {
    if filter.members.is_empty() && filter.clients.is_empty() {
        return Ok(());
    }
    let Reply::Filter(whole) = opened.call(Request::AuditFilter { filter: filter.clone() })? else {
        return Err(say::unexpected());
    };
    let former = whole.clients.get(filter.clients.len()..).unwrap_or_default();
    if !former.is_empty() {
        let former: Vec<String> = former.iter().map(|name| say::plain(name)).collect();
        say::note(&format!(
            "{} {}",
            context.pick("Noms d’avant, cherchés aussi\u{a0}:", "Former names, searched for too:"),
            former.join(", ")
        ));
    }
    Ok(())
}

fn log(context: &Context, filters: Filters) -> Result<(), AppError> {
    let filter = filter(filters)?;
    let opened = context.open()?;
    looked_for(context, &opened, &filter)?;
    let Reply::Log(lines) = opened.call(Request::AuditLog { filter })? else {
        return Err(say::unexpected());
    };
    if context.json {
        let lines: Vec<Value> = lines.iter().map(line_document).collect();
        say::document(&json!({ "lines": lines }));
        return Ok(());
    }
    // Words as filters take them, but what a person is told as a person reads it.
    let told = |line: &OpenLine, name: &str, value: &str| match name {
        field::DETAIL => told::value(line, name, value, context.lang, |at, _| at.to_string()),
        _ => value.to_owned(),
    };
    for line in &lines {
        let mark = if line.ok { "" } else { context.pick(" REFUS", " REFUSED") };
        let values: Vec<String> = line
            .fields
            .iter()
            .map(|(name, value)| format!("{name}={}", say::plain(&told(line, name, value))))
            .collect();
        say::line(&format!("{} {} {}{mark} {}", line.seq, line.at, line.event, values.join(" ")));
    }
    Ok(())
}

fn line_document(line: &OpenLine) -> Value {
    let fields: Map<String, Value> = line
        .fields
        .iter()
        .map(|(name, value)| (name.clone(), Value::String(value.clone())))
        .collect();
    json!({
        "seq": line.seq,
        "time": line.at,
        "event": line.event,
        "ok": line.ok,
        "actor": line.actor,
        "fields": fields,
        "leaf_hash": line.leaf_hash,
    })
}

fn export(context: &Context, options: Export) -> Result<u8, AppError> {
    if let Some(unknown) = options.redact.iter().find(|name| !field::ALL.contains(&name.as_str())) {
        let known = field::ALL.join(", ");
        return Err(usage(
            bi(
                format!("Le champ «\u{a0}{unknown}\u{a0}» n’existe pas."),
                format!("There is no field “{unknown}”."),
            ),
            bi(format!("Choisissez parmi\u{a0}: {known}."), format!("Choose one of: {known}.")),
        ));
    }
    let redact = options.redact;
    let format = options.format;
    let bundle = format == ExportFormat::Bundle;
    lifecycle::refuse_dash(&options.out)?;
    let out = lifecycle::absolute(options.out);
    // An empty file was made for it, as by mktemp: nothing is lost with it.
    let empty = std::fs::metadata(&out).is_ok_and(|m| m.is_file() && m.len() == 0);
    match options.force || empty {
        true => place::takes_a_file(&out)?,
        false => place::takes_a_new_file(&out).map_err(|error| match out.is_file() {
            true => AppError { todo: to_force(), ..error },
            false => error,
        })?,
    }
    let request = ExportRequest {
        format,
        filter: filter(options.filters)?,
        redact: redact.clone(),
        out: out.clone(),
        lang: context.lang,
        just: options.why.into(),
    };
    let opened = context.open()?;
    looked_for(context, &opened, &request.filter)?;
    let mut bar = Bar::new(context.lang);
    let done = opened.access().export(request, &mut bar);
    let signal = bar.clear();
    // The vault is locked again before the process ends.
    drop(opened);
    let reply = match (done, signal) {
        (Err(error), Some(signal)) => {
            say::failure(&error, context.lang, context.json);
            return Ok(128 + u8::try_from(signal).unwrap_or(0));
        }
        (done, _) => done?,
    };
    let Reply::Exported { lines, files, fingerprint } = reply else {
        return Err(say::unexpected());
    };
    if context.json {
        say::document(&json!({
            "file": out, "files": files, "lines": lines, "fingerprint": fingerprint,
        }));
    } else {
        for file in &files {
            say::line(&file.display().to_string());
        }
        if files.len() > 1 {
            say::note(&match context.lang {
                Lang::Fr => format!("Rapport en {} fichiers, à garder ensemble", files.len()),
                Lang::En => format!("Report in {} files, to be kept together", files.len()),
            });
        }
        for (hidden, open) in export::still_readable(&redact) {
            let open = open.join(", ");
            say::note(&match context.lang {
                Lang::Fr => format!(
                    "Attention\u{a0}: «\u{a0}{hidden}\u{a0}» est masqué, mais peut se lire aussi dans\u{a0}: {open}. Masquez-les au besoin."
                ),
                Lang::En => format!(
                    "Warning: “{hidden}” is redacted, but may also be read in: {open}. Redact them if needed."
                ),
            });
        }
        say::note(&match (context.lang, bundle) {
            (Lang::Fr, false) if lines < 2 => format!("{lines} ligne écrite"),
            (Lang::En, false) if lines == 1 => "1 line written".to_owned(),
            (Lang::Fr, true) if lines < 2 => {
                format!("{lines} ligne montrée\u{a0}; le journal entier y est prouvé")
            }
            (Lang::En, true) if lines == 1 => {
                "1 line shown; the whole log is proven in it".to_owned()
            }
            (Lang::Fr, false) => format!("{lines} lignes écrites"),
            (Lang::En, false) => format!("{lines} lines written"),
            (Lang::Fr, true) => {
                format!("{lines} lignes montrées\u{a0}; le journal entier y est prouvé")
            }
            (Lang::En, true) => format!("{lines} lines shown; the whole log is proven in it"),
        });
        say::note(&format!(
            "{} {fingerprint}",
            context.pick("Empreinte publique du coffre\u{a0}:", "The vault's public fingerprint:")
        ));
    }
    Ok(0)
}

fn to_force() -> Bi {
    bi(
        "Choisissez un autre nom, ou remplacez-le avec --force\u{a0}; rien n’a été changé.",
        "Choose another name, or replace it with --force; nothing was changed.",
    )
}

fn verify(context: &Context, options: Verify) -> Result<u8, AppError> {
    let of_bundle = options.bundle.is_some();
    let verified = match options.bundle {
        Some(bundle) if !bundle.try_exists().unwrap_or(true) => return Err(no_bundle(&bundle)),
        Some(bundle) => export::bundle::verify(&bundle, options.fingerprint.as_deref())?,
        None => match context.open()?.call(Request::AuditVerify)? {
            Reply::Verified(verified) => verified,
            _ => return Err(say::unexpected()),
        },
    };
    show_verified(context, &verified);
    if of_bundle && !verified.origin_proven && verified.faults.is_empty() {
        say::note(context.pick(
            "Attention\u{a0}: l’origine n’est pas prouvée. Comparez l’empreinte avec celle du propriétaire du coffre (--fingerprint).",
            "Warning: the origin is not proven. Compare the fingerprint with the vault owner's (--fingerprint).",
        ));
    }
    Ok(if verified.faults.is_empty() { 0 } else { Code::Tampered.exit() })
}

fn no_bundle(bundle: &Path) -> AppError {
    let name = bundle.display();
    AppError {
        code: Code::NotFound,
        what: bi(
            format!("Il n’y a pas de paquet à {name}."),
            format!("There is no bundle at {name}."),
        ),
        todo: bi(
            "Vérifiez le nom du fichier, que «\u{a0}poterne audit export --format bundle\u{a0}» a écrit.",
            "Check the name of the file, which “poterne audit export --format bundle” wrote.",
        ),
    }
}

/// How many lines can be read, and what there is of the others.
fn shown(context: &Context, verified: &Verified) -> String {
    let shown = verified.shown;
    match verified.lines.saturating_sub(shown) {
        0 => shown.to_string(),
        1 => format!(
            "{shown} {}",
            context.pick(
                "(l’autre est couverte par sa seule empreinte)",
                "(the other is covered by its hash alone)"
            )
        ),
        rest => match context.lang {
            Lang::Fr => {
                format!("{shown} (les {rest} autres sont couvertes par leur seule empreinte)")
            }
            Lang::En => format!("{shown} (the other {rest} are covered by their hashes alone)"),
        },
    }
}

fn show_verified(context: &Context, verified: &Verified) {
    let faults: Vec<&str> = verified.faults.iter().map(|fault| fault.get(context.lang)).collect();
    if context.json {
        say::document(&json!({
            "ok": faults.is_empty(),
            "lines": verified.lines,
            "shown": verified.shown,
            "signed": verified.signed,
            "disclosed": verified.disclosed,
            "redacted": verified.redacted,
            "fingerprint": verified.fingerprint,
            "root": verified.root,
            "origin_proven": verified.origin_proven,
            "faults": faults,
            "notes": verified.notes.iter().map(|n| n.get(context.lang)).collect::<Vec<_>>(),
        }));
        return;
    }
    let row = |fr: &str, en: &str, value: String| vec![context.pick(fr, en).to_owned(), value];
    say::raw(
        say::table(&[
            row("lignes vérifiées", "lines checked", verified.lines.to_string()),
            row("lignes signées", "lines signed", verified.signed.to_string()),
            row("lignes montrées", "lines shown", shown(context, verified)),
            row("valeurs montrées", "values shown", verified.disclosed.to_string()),
            row("valeurs masquées", "values redacted", verified.redacted.to_string()),
            row("empreinte", "fingerprint", verified.fingerprint.clone()),
            row("racine", "root", verified.root.clone()),
        ])
        .as_bytes(),
    );
    for fault in &faults {
        say::line(&format!("✗ {}", say::plain(fault)));
    }
    for note in &verified.notes {
        say::note(note.get(context.lang));
    }
    if faults.is_empty() {
        say::line(context.pick("Le journal est intact.", "The log is intact."));
    }
}
