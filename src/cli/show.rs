//! Commands that show one entry. A secret is printed only when it was asked
//! for by name or with `--reveal`, and the vault logs it first.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::app::api::{
    AppError, At, AttachmentBytes, Code, EntryView, Justification, Purpose, Reply, Request,
};
use crate::app::place;
use crate::model::entry::{CredentialSource, Slot};
use crate::model::lang::Lang;
use crate::model::plan::Origin;
use crate::os::terminal;
use crate::secret::SecretBytes;

use super::args::{EntryPath, Show, Totp, Why};
use super::say::{self, bi, usage};
use super::{Context, Opened, fields, lifecycle};

impl From<Why> for Justification {
    fn from(why: Why) -> Self {
        Self { ticket: why.ticket, reason: why.reason }
    }
}

pub fn show(context: &Context, options: Show) -> Result<(), AppError> {
    let Show { path, field, reveal, attachment, out, why } = options;
    if let Some(out) = &out {
        lifecycle::refuse_dash(out)?;
    }
    let opened = context.open()?;
    let just = Justification::from(why);
    if let (Some(name), Some(out)) = (attachment, out) {
        place::takes_a_new_file(&out)?;
        let request = Request::Attachment { at: At::Path(path), name, just };
        let Reply::Attachment(AttachmentBytes(content)) = opened.call(request)? else {
            return Err(say::unexpected());
        };
        content.expose(|content| lifecycle::write_private(&out, content))?;
        lifecycle::done(context, "Pièce jointe écrite.", "Attachment written.");
        return Ok(());
    }
    let view = say::entry(opened.call(Request::Show { at: At::Path(path) })?)?;
    match field {
        Some(field) => show_field(context, &opened, &view, &field, reveal, just),
        None => {
            let secrets = if reveal { reveal_all(&opened, &view, &just)? } else { Vec::new() };
            show_all(context, &view, &secrets);
            Ok(())
        }
    }
}

fn reveal_one(
    opened: &Opened,
    view: &EntryView,
    slot: Slot,
    just: &Justification,
) -> Result<SecretBytes, AppError> {
    let request = Request::Reveal {
        at: At::Id(view.entry.id),
        slot,
        purpose: Purpose::Reveal,
        just: just.clone(),
    };
    match opened.call(request)? {
        Reply::Secret(secret) => Ok(secret),
        _ => Err(say::unexpected()),
    }
}

fn reveal_all(
    opened: &Opened,
    view: &EntryView,
    just: &Justification,
) -> Result<Vec<(Slot, SecretBytes)>, AppError> {
    view.entry
        .secrets
        .keys()
        .map(|slot| Ok((slot.clone(), reveal_one(opened, view, slot.clone(), just)?)))
        .collect()
}

fn show_field(
    context: &Context,
    opened: &Opened,
    view: &EntryView,
    field: &str,
    reveal: bool,
    just: Justification,
) -> Result<(), AppError> {
    let slot = fields::slot(field);
    // A custom field of an older vault may bear the name of a secret.
    let secret = !matches!(slot, Slot::Custom(_));
    if let Some(value) = plain_field(view, field).filter(|_| !secret) {
        if context.json {
            say::document(&json!({ "field": field, "value": value }));
        } else {
            // A program gets it as it is; a person sees what is in it.
            match terminal::stdout_is_terminal() {
                true => say::line(&say::plain_lines(&value)),
                false => say::line(&value),
            }
        }
        return Ok(());
    }
    let known = secret || view.entry.secrets.contains_key(&slot);
    if !known {
        return Err(AppError {
            code: Code::NotFound,
            what: bi(
                format!("«\u{a0}{}\u{a0}» n’a pas de champ «\u{a0}{field}\u{a0}».", view.path),
                format!("“{}” has no field “{field}”.", view.path),
            ),
            todo: bi(
                "Voyez ses champs\u{a0}: poterne show CHEMIN",
                "See its fields: poterne show PATH",
            ),
        });
    }
    if !reveal {
        return Err(usage(
            bi(format!("«\u{a0}{field}\u{a0}» est un secret."), format!("“{field}” is a secret.")),
            bi(
                "Ajoutez --reveal pour l’afficher\u{a0}; ce sera inscrit au journal.",
                "Add --reveal to show it; that will be logged.",
            ),
        ));
    }
    let secret = reveal_one(opened, view, slot, &just)?;
    secret.expose(|value| {
        if context.json {
            print_secret_document(json!({ "field": field, "value": text_of(value) }));
        } else {
            say::raw(value);
            if !value.ends_with(b"\n") {
                say::raw(b"\n");
            }
        }
    });
    Ok(())
}

/// The document is wiped with the blocks it lies in, once it is dropped.
fn print_secret_document(document: Value) {
    say::document(&document);
}

fn text_of(value: &[u8]) -> String {
    String::from_utf8_lossy(value).into_owned()
}

/// The value of a field that is no secret, if there is one of that name.
fn plain_field(view: &EntryView, field: &str) -> Option<String> {
    let entry = &view.entry;
    Some(match field {
        "id" => entry.id.to_string(),
        "path" => view.path.clone(),
        "kind" => entry.kind.to_string(),
        "name" => entry.name.clone(),
        "host" => entry.host.clone(),
        "port" => entry.port.map(|port| port.to_string()).unwrap_or_default(),
        "user" => entry.user.clone(),
        "tags" => entry.tags.join(" "),
        "favourite" => if entry.favourite { "yes" } else { "no" }.to_owned(),
        "description" => entry.description.clone(),
        "expires" => entry.expires.map(|day| day.to_string()).unwrap_or_default(),
        "credential" => credential_word(view),
        other => match entry.settings.get(other) {
            Some(value) => value.clone(),
            None => entry
                .custom
                .iter()
                .find(|f| !f.secret && f.name == other.strip_prefix("custom:").unwrap_or(other))
                .map(|f| f.value.clone())?,
        },
    })
}

fn credential_word(view: &EntryView) -> String {
    match (&view.entry.credential, &view.linked) {
        (CredentialSource::Linked(_), Some(path)) => format!("linked:{path}"),
        (CredentialSource::Linked(id), None) => format!("linked:{id}"),
        (other, _) => other.word().to_owned(),
    }
}

/// The day from which it is no good any more, in words.
pub fn expiry(context: &Context, day: Date) -> String {
    let (fr, en) = match is_past(day) {
        true => ("a expiré le", "expired on"),
        false => ("expire le", "expires on"),
    };
    format!("{} {day}", context.pick(fr, en))
}

/// Whether the day is over, by this computer's clock and time zone.
pub fn is_past(day: Date) -> bool {
    day < TimeZone::system().to_datetime(jiff::Timestamp::now()).date()
}

fn person(view: &EntryView, id: &crate::model::id::MemberId) -> String {
    view.people.get(id).cloned().unwrap_or_else(|| id.to_string())
}

fn show_all(context: &Context, view: &EntryView, secrets: &[(Slot, SecretBytes)]) {
    if context.json {
        print_secret_document(entry_document(view, secrets));
        return;
    }
    let entry = &view.entry;
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut row = |name: &str, value: String| {
        if !value.is_empty() {
            rows.push(vec![name.to_owned(), say::plain(&value)]);
        }
    };
    for field in ["path", "kind", "host", "port", "user", "credential"] {
        row(field, plain_field(view, field).unwrap_or_default());
    }
    if entry.favourite {
        row("favourite", "yes".to_owned());
    }
    for field in ["tags", "description"] {
        row(field, plain_field(view, field).unwrap_or_default());
    }
    if let Some(day) = entry.expires {
        let past = if is_past(day) { context.pick("  (expiré)", "  (expired)") } else { "" };
        row("expires", format!("{day}{past}"));
    }
    for (id, value) in &entry.settings {
        row(id, value.clone());
    }
    if let Some(info) = &entry.client_info {
        row("code", info.code.clone());
        row("colour", info.colour.clone());
        row("ticket-pattern", info.ticket_pattern.clone());
        row("ticket-url", info.ticket_url.clone());
        let yes = |on: bool| if on { "yes".to_owned() } else { String::new() };
        row("ticket-required", yes(info.ticket_required));
        row("reason-required", yes(info.reason_required));
    }
    for custom in entry.custom.iter().filter(|custom| !custom.secret) {
        row(&say::plain(&custom.name), custom.value.clone());
    }
    for file in &entry.attachments {
        row(
            context.pick("pièce jointe", "attachment"),
            format!("{} ({})", file.name, say::size(context.lang, file.size)),
        );
    }
    for (slot, kept) in &entry.secrets {
        if !secrets.iter().any(|(shown, _)| shown == slot) {
            row(&slot.to_string(), format!("•••  ({})", kept.set_at));
        }
    }
    row(
        context.pick("version", "version"),
        format!("{}, {}, {}", entry.ver, entry.changed_at, person(view, &entry.changed_by)),
    );
    say::raw(say::table(&rows).as_bytes());
    for (slot, secret) in secrets {
        say::line(&format!("{slot}:"));
        secret.expose(|value| {
            say::raw(value);
            if !value.ends_with(b"\n") {
                say::raw(b"\n");
            }
        });
    }
}

fn entry_document(view: &EntryView, secrets: &[(Slot, SecretBytes)]) -> Value {
    let entry = &view.entry;
    let secret_map: Map<String, Value> = entry
        .secrets
        .iter()
        .map(|(slot, kept)| {
            let mut item = json!({
                "set_at": kept.set_at,
                "set_by": person(view, &kept.set_by),
            });
            if let Some((_, secret)) = secrets.iter().find(|(shown, _)| shown == slot) {
                item["value"] = secret.expose(|value| Value::String(text_of(value)));
            }
            (slot.to_string(), item)
        })
        .collect();
    let custom: Vec<Value> = entry
        .custom
        .iter()
        .map(|field| json!({ "name": field.name, "secret": field.secret, "value": field.value }))
        .collect();
    let attachments: Vec<Value> = entry
        .attachments
        .iter()
        .map(|file| json!({ "name": file.name, "size": file.size }))
        .collect();
    json!({
        "id": entry.id,
        "kind": entry.kind,
        "path": view.path,
        "name": entry.name,
        "client": view.client_name,
        "host": entry.host,
        "port": entry.port,
        "user": entry.user,
        "tags": entry.tags,
        "favourite": entry.favourite,
        "description": entry.description,
        "expires": entry.expires,
        "settings": entry.settings,
        "credential": { "source": entry.credential.word(), "linked": view.linked },
        "custom": custom,
        "attachments": attachments,
        "secrets": secret_map,
        "client_info": entry.client_info,
        "version": entry.ver,
        "created_at": entry.created_at,
        "created_by": person(view, &entry.created_by),
        "changed_at": entry.changed_at,
        "changed_by": person(view, &entry.changed_by),
        "trashed_at": entry.trashed_at,
        "may_reveal": view.may_reveal,
        "may_edit": view.may_edit,
    })
}

pub fn history(context: &Context, options: EntryPath) -> Result<(), AppError> {
    let request = Request::History { at: At::Path(options.path) };
    let Reply::History(versions) = context.open()?.call(request)? else {
        return Err(say::unexpected());
    };
    if context.json {
        let versions: Vec<Value> = versions
            .iter()
            .enumerate()
            .map(|(n, view)| {
                let next = n.checked_sub(1).map_or(&[][..], |newer| &versions[newer].changed);
                json!({
                    "version": view.version.ver,
                    "at": view.version.at,
                    "by": view.by,
                    "current": view.current,
                    "changed": view.changed,
                    "changed_next": next,
                })
            })
            .collect();
        say::document(&json!({ "versions": versions }));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = versions
        .iter()
        .map(|view| {
            let now = if view.current { context.pick("(actuelle)", "(current)") } else { "" };
            vec![
                view.version.ver.to_string(),
                view.version.at.to_string(),
                say::plain(&view.by),
                format!("{} {now}", say::plain(&view.changed.join(", "))).trim().to_owned(),
            ]
        })
        .collect();
    say::raw(say::table(&rows).as_bytes());
    Ok(())
}

/// Word and path of an origin.
fn origin_of(origin: &Origin) -> (&'static str, Option<&str>) {
    match origin {
        Origin::Own => ("own", None),
        Origin::Inherited(path) => ("inherited", Some(path)),
        Origin::Linked(path) => ("linked", Some(path)),
        Origin::Mine(path) => ("mine", Some(path)),
        Origin::Asked => ("asked", None),
        Origin::Default => ("default", None),
        Origin::Found => ("found", None),
        Origin::Missing => ("missing", None),
        Origin::ByHand => ("by-hand", None),
        Origin::Absent => ("absent", None),
        Origin::Because(_) => ("reason", None),
    }
}

/// Why it was chosen, where that is told.
fn reason_of(origin: &Origin, lang: Lang) -> Option<&str> {
    match origin {
        Origin::Because(why) => Some(why.get(lang)),
        _ => None,
    }
}

pub fn plan(context: &Context, options: EntryPath) -> Result<(), AppError> {
    let opened = context.open()?;
    let Reply::Plan(plan) = opened.call(Request::Plan { at: At::Path(options.path) })? else {
        return Err(say::unexpected());
    };
    let expires = say::entry(opened.call(Request::Show { at: At::Id(plan.entry) })?)?.entry.expires;
    if context.json {
        let lines: Vec<Value> = plan
            .lines
            .iter()
            .map(|line| {
                let (from, path) = origin_of(&line.origin);
                json!({
                    "field": line.field,
                    "value": line.value,
                    "secret": line.secret,
                    "from": from,
                    "from_path": path,
                    "reason": reason_of(&line.origin, context.lang),
                })
            })
            .collect();
        let broken: Vec<&str> = plan.broken.iter().map(|b| b.get(context.lang)).collect();
        say::document(&json!({
            "entry": plan.entry,
            "path": plan.path,
            "kind": plan.kind,
            "hops": plan.hops,
            "lines": lines,
            "broken": broken,
            "expires": expires,
            "ticket_required": plan.ticket_required,
            "reason_required": plan.reason_required,
        }));
        return Ok(());
    }
    let origin = |origin: &Origin| {
        let (fr, en) = match origin {
            Origin::Own => ("de l’entrée".to_owned(), "of the entry".to_owned()),
            Origin::Inherited(path) => {
                (format!("hérité de {path}"), format!("inherited from {path}"))
            }
            Origin::Linked(path) => (format!("lié à {path}"), format!("linked to {path}")),
            Origin::Mine(path) => (format!("le vôtre, {path}"), format!("your own, {path}")),
            Origin::Asked => ("demandé à chaque fois".to_owned(), "asked each time".to_owned()),
            Origin::Default => ("par défaut".to_owned(), "default".to_owned()),
            Origin::Found => {
                ("trouvé sur cet ordinateur".to_owned(), "found on this computer".to_owned())
            }
            Origin::Missing => (
                "celui du bureau\u{a0}: aucun de la famille Chromium".to_owned(),
                "that of the desktop: none of the Chromium family".to_owned(),
            ),
            Origin::ByHand => (
                "celui du bureau\u{a0}: connexion à la main".to_owned(),
                "that of the desktop: login by hand".to_owned(),
            ),
            Origin::Absent => (
                "faute de FreeRDP, introuvable sur cet ordinateur".to_owned(),
                "for want of FreeRDP, which is not on this computer".to_owned(),
            ),
            Origin::Because(why) => (why.fr.clone(), why.en.clone()),
        };
        say::plain(context.pick(&fr, &en))
    };
    let mut rows = vec![vec![plan.kind.to_string(), say::plain(&plan.path), String::new()]];
    for hop in &plan.hops {
        rows.push(vec![context.pick("via", "via").to_owned(), say::plain(hop), String::new()]);
    }
    for line in &plan.lines {
        let value = if line.secret { "•••".to_owned() } else { say::plain(&line.value) };
        rows.push(vec![line.field.clone(), value, origin(&line.origin)]);
    }
    say::raw(say::table(&rows).as_bytes());
    if let Some(day) = expires {
        let sign = if is_past(day) { "✗ " } else { "" };
        say::line(&format!("{sign}{}", expiry(context, day)));
    }
    for broken in &plan.broken {
        say::line(&format!("✗ {}", say::plain(broken.get(context.lang))));
    }
    if plan.ticket_required {
        say::line(context.pick("Un numéro de ticket est demandé.", "A ticket number is needed."));
    }
    if plan.reason_required {
        say::line(context.pick("Un motif est demandé.", "A reason is needed."));
    }
    Ok(())
}

pub fn totp(context: &Context, options: Totp) -> Result<(), AppError> {
    let request = Request::Totp {
        at: At::Path(options.path),
        purpose: Purpose::Reveal,
        just: options.why.into(),
    };
    let Reply::Totp(view) = context.open()?.call(request)? else {
        return Err(say::unexpected());
    };
    view.code.expose(|code| {
        if context.json {
            print_secret_document(json!({
                "code": code,
                "seconds_left": view.seconds_left,
                "period": view.period,
            }));
        } else {
            say::line(code);
        }
    });
    Ok(())
}
