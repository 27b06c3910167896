//! Commands that walk and change the tree.

use jiff::civil::Date;
use serde_json::{Value, json};

use crate::app::api::{AppError, At, Code, Item, Patch, Reply, Request, Set};
use crate::connect;
use crate::connect::manifest::is_word;
use crate::model::entry::Kind;

use super::Context;
use super::args::{Add, Edit, Find, Ls, Mv, OptionalPath, Restore, Rm};
use super::fields;
use super::lifecycle;
use super::say::{self, bi, usage};
use super::show;

pub fn tree(context: &Context, options: OptionalPath) -> Result<(), AppError> {
    let at = options.path.map(At::Path);
    let items = items(context.open()?.call(Request::List { at, deep: true, trashed: false })?)?;
    if context.json {
        return show_json(&items);
    }
    for item in &items {
        let indent = "  ".repeat(item.depth as usize);
        let host = aside(item);
        say::line(&format!("{indent}{}{host}", say::plain(&item.summary.name)));
    }
    Ok(())
}

/// What a tree line says besides the name.
fn aside(item: &Item) -> String {
    if item.summary.kind.is_container() {
        return "/".to_owned();
    }
    let place = match (item.summary.user.as_str(), item.summary.host.as_str()) {
        ("", "") => return format!("  ({})", item.summary.kind),
        ("", host) => host.to_owned(),
        (user, "") => user.to_owned(),
        (user, host) => format!("{user}@{host}"),
    };
    format!("  ({} {})", item.summary.kind, say::plain(&place))
}

pub fn ls(context: &Context, options: Ls) -> Result<(), AppError> {
    let request = Request::List {
        at: options.path.map(At::Path),
        deep: options.trash,
        trashed: options.trash,
    };
    show_items(context, &items(context.open()?.call(request)?)?)
}

pub fn find(context: &Context, options: &Find) -> Result<(), AppError> {
    let query = options.query.join(" ");
    let opened = context.open()?;
    let items = items(opened.call(Request::Find { query, limit: options.limit })?)?;
    let expires: Vec<Option<Date>> = items.iter().map(|item| expiry_of(&opened, item)).collect();
    if context.json {
        let mut found = documents(&items);
        for (item, expires) in found.iter_mut().zip(&expires) {
            item["expires"] = json!(expires);
        }
        say::document(&json!({ "items": found }));
        return Ok(());
    }
    let mut rows = rows(&items);
    for (row, expires) in rows.iter_mut().zip(expires) {
        row.push(expires.map(|day| show::expiry(context, day)).unwrap_or_default());
    }
    say::raw(say::table(&rows).as_bytes());
    Ok(())
}

/// The day on which it expires; lists do not hold it.
fn expiry_of(opened: &super::Opened, item: &Item) -> Option<Date> {
    let reply = opened.call(Request::Show { at: At::Id(item.summary.id) }).ok()?;
    say::entry(reply).ok()?.entry.expires
}

fn items(reply: Reply) -> Result<Vec<Item>, AppError> {
    match reply {
        Reply::Items(items) => Ok(items),
        _ => Err(say::unexpected()),
    }
}

fn show_items(context: &Context, items: &[Item]) -> Result<(), AppError> {
    if context.json {
        return show_json(items);
    }
    say::raw(say::table(&rows(items)).as_bytes());
    Ok(())
}

fn rows(items: &[Item]) -> Vec<Vec<String>> {
    items
        .iter()
        .map(|item| {
            vec![
                item.summary.kind.to_string(),
                say::plain(&item.path),
                say::plain(&item.summary.user),
                say::plain(&item.summary.host),
                say::plain(&item.summary.tags),
            ]
        })
        .collect()
}

fn show_json(items: &[Item]) -> Result<(), AppError> {
    say::document(&json!({ "items": documents(items) }));
    Ok(())
}

fn documents(items: &[Item]) -> Vec<Value> {
    items
        .iter()
        .map(|item| {
            let summary = &item.summary;
            json!({
                "id": summary.id,
                "kind": summary.kind,
                "name": summary.name,
                "path": item.path,
                "depth": item.depth,
                "host": summary.host,
                "user": summary.user,
                "tags": summary.tags.split_whitespace().collect::<Vec<_>>(),
                "favourite": summary.favourite,
                "trashed": summary.trashed,
                "version": summary.ver,
            })
        })
        .collect()
}

fn show_saved(context: &Context, reply: Reply) -> Result<(), AppError> {
    let Reply::Saved { id, ver, path } = reply else {
        return Err(say::unexpected());
    };
    if context.json {
        say::document(&json!({ "id": id, "version": ver, "path": path }));
    } else {
        say::line(&say::plain(&path));
    }
    Ok(())
}

/// The kind of that word, if this build has it.
fn kind(word: &str) -> Result<Kind, AppError> {
    let kind = Kind::new(word);
    if kind.is_container() || connect::by_kind(&kind).is_some() {
        return Ok(kind);
    }
    let known: Vec<&str> = ["client", "folder"]
        .into_iter()
        .chain(connect::all().iter().map(|connector| connector.id()))
        .collect();
    let known = known.join(", ");
    Err(usage(
        bi(
            format!("Le type «\u{a0}{word}\u{a0}» n’existe pas."),
            format!("There is no kind “{word}”."),
        ),
        bi(format!("Choisissez parmi\u{a0}: {known}."), format!("Choose one of: {known}.")),
    ))
}

pub fn add(context: &Context, options: Add) -> Result<(), AppError> {
    // One that this computer does not know may be the vault's.
    let word = Kind::new(&options.kind);
    let known = word.is_container() || connect::by_kind(&word).is_some();
    if !known && !is_word(&options.kind) {
        kind(&options.kind)?;
    }
    let opened = context.open()?;
    let kind = kind(&options.kind)?;
    let mut patch = Patch::default();
    options.entry.apply(opened.access(), &kind, &mut patch)?;
    options.client.apply(&kind, None, &mut patch)?;
    options.secrets.apply(context.lang, None, &mut patch)?;
    let request = Request::Create { kind, path: options.path, patch: Box::new(patch) };
    show_saved(context, opened.call(request)?)
}

pub fn edit(context: &Context, options: Edit) -> Result<(), AppError> {
    let opened = context.open()?;
    let at = At::Path(options.path);
    let view = say::entry(opened.call(Request::Show { at })?)?;
    let entry = &view.entry;
    let mut patch = Patch { forget_host_keys: options.forget_host_key, ..Patch::default() };
    if let Some(name) = options.name {
        patch.name = Set::To(name);
    }
    fields::clear(options.clear, entry, &mut patch)?;
    options.entry.apply(opened.access(), &entry.kind, &mut patch)?;
    let info = match &patch.client_info {
        Set::To(cleared) => Some(cleared.clone()),
        Set::Keep => entry.client_info.clone(),
    };
    options.client.apply(&entry.kind, info, &mut patch)?;
    options.secrets.apply(context.lang, Some(entry), &mut patch)?;
    let forgets = patch.forget_host_keys;
    let request = Request::Edit {
        at: At::Id(entry.id),
        expected_ver: options.expected_version.or(Some(entry.ver)),
        patch: Box::new(patch),
    };
    let reply = opened.call(request)?;
    let same = matches!(&reply, Reply::Saved { ver, .. } if *ver == entry.ver);
    if same && !forgets && !context.json {
        say::note(context.pick(
            "Rien n’a changé\u{a0}: aucune nouvelle version.",
            "Nothing changed: no new version.",
        ));
    }
    show_saved(context, reply)
}

pub fn mv(context: &Context, options: Mv) -> Result<(), AppError> {
    let request =
        Request::Move { at: At::Path(options.from), to: options.to, just: options.why.into() };
    show_saved(context, context.open()?.call(request)?)
}

pub fn rm(context: &Context, options: Rm) -> Result<(), AppError> {
    let opened = context.open()?;
    let at = if options.forever {
        in_bin(&opened, &options.path)?.map_or(At::Path(options.path), At::Id)
    } else {
        At::Path(options.path)
    };
    opened.call(Request::Remove { at, forever: options.forever })?;
    if options.forever {
        lifecycle::done(context, "Supprimé pour de bon.", "Deleted for good.");
    } else {
        lifecycle::done(context, "Mis à la corbeille.", "Moved to the recycle bin.");
    }
    Ok(())
}

/// The newest node of that path in the recycle bin: its path may be in use
/// again outside of it.
fn in_bin(
    opened: &super::Opened,
    path: &str,
) -> Result<Option<crate::model::id::EntryId>, AppError> {
    let request = Request::List { at: None, deep: true, trashed: true };
    let items = items(opened.call(request)?)?;
    let mut wanted = path.trim().trim_end_matches('/').to_lowercase();
    if let Some(rest) = wanted.strip_prefix("~/") {
        let Reply::Status(status) = opened.call(Request::Status)? else {
            return Err(say::unexpected());
        };
        wanted = format!("~{}/{rest}", status.member.to_lowercase());
    }
    Ok(items.iter().rev().find(|item| item.path.to_lowercase() == wanted).map(|i| i.summary.id))
}

pub fn restore(context: &Context, options: Restore) -> Result<(), AppError> {
    let opened = context.open()?;
    let at = match options.version {
        Some(_) => At::Path(options.path),
        None => match in_bin(&opened, &options.path)? {
            Some(id) => At::Id(id),
            None => {
                return Err(AppError {
                    code: Code::NotFound,
                    what: bi(
                        format!("«\u{a0}{}\u{a0}» n’est pas dans la corbeille.", options.path),
                        format!("“{}” is not in the recycle bin.", options.path),
                    ),
                    todo: bi(
                        "Voyez la corbeille\u{a0}: poterne ls --trash",
                        "See the recycle bin: poterne ls --trash",
                    ),
                });
            }
        },
    };
    show_saved(context, opened.call(Request::Restore { at, version: options.version })?)
}
