//! `vpn import` and `vpn fetch`: a profile from a file, a folder or a portal, into an
//! entry. What an entry has already is only changed after a yes.

use std::path::Path;

use serde_json::{Value, json};

use crate::app::api::{AppError, At, Code, EntryView, Request};
use crate::app::vpn::fetch::{Address, Login, is_address};
use crate::app::vpn::{self, Answer, Found, Place, Saved, Taken};
use crate::cli::args::VpnImport;
use crate::cli::say::{self, bi, other, usage};
use crate::cli::{Context, Opened, prompt};
use crate::connect::openvpn::{ID, fields};

use super::told;

pub fn import(context: &Context, options: &VpnImport) -> Result<u8, AppError> {
    // What is wrong with it is said before anything is asked.
    let (address, taken) = if is_address(&options.from) {
        (Some(vpn::address(&options.from)?), Taken::default())
    } else {
        (None, vpn::of_path(Path::new(&options.from))?)
    };
    let several = taken.found.len() + taken.portals.len() + taken.refused.len() > 1;
    if several && options.name.is_some() {
        return Err(usage(
            bi(
                "--name nomme un profil, et ce dossier en contient plusieurs.",
                "--name names one profile, and this folder has several.",
            ),
            bi(
                "Laissez-le de côté\u{a0}: chacun prend le nom de son fichier.",
                "Leave it out: each takes the name of its file.",
            ),
        ));
    }
    let mut done = Vec::new();
    if address.is_some() || !taken.found.is_empty() {
        let opened = context.open()?;
        let fetched = address.map(|address| of_portal(context, &address, "")).transpose()?;
        let found = taken.found.iter().map(|found| (found, None));
        let fetched = fetched.iter().map(|(found, user)| (&**found, user.as_deref()));
        for (found, user) in found.chain(fetched) {
            done.push(keep(context, &opened, options, found, user)?);
        }
    }
    if context.json {
        let portals: Vec<Value> = taken.portals.iter().map(told::portal_document).collect();
        let refused = taken.refused.iter();
        let refused = refused.map(|(file, error)| told::refused_document(context, file, error));
        let refused: Vec<Value> = refused.collect();
        say::document(&json!({ "imported": done, "portals": portals, "refused": refused }));
    } else {
        taken.portals.iter().for_each(|portal| told::of_portal(context, portal));
        for (file, error) in &taken.refused {
            let (what, todo) = (error.what.get(context.lang), error.todo.get(context.lang));
            say::note(&format!("! {}: {}", say::plain(file), say::plain(what)));
            say::note(&format!("  → {}", say::plain(todo)));
        }
    }
    Ok(if taken.refused.is_empty() { 0 } else { Code::Other.exit() })
}

/// Puts a profile into its entry, and says so.
fn keep(
    context: &Context,
    opened: &Opened,
    options: &VpnImport,
    found: &Found,
    user: Option<&str>,
) -> Result<Value, AppError> {
    let name = options.name.as_deref().unwrap_or(found.name());
    let path = format!("{}/{name}", options.into.trim().trim_end_matches('/'));
    let place = vpn::place(opened.access(), &path, found)?;
    if !context.json {
        if let Place::Renews(view, _) = &place {
            say::note(&say::plain(&view.path));
        }
        told::of_found(context, found);
    }
    let changes = agreed(context, &place, options.yes)?;
    let saved = vpn::save(opened.access(), &place, found, user)?;
    if !context.json {
        say::line(&say::plain(&saved.path));
    }
    Ok(document(context, found, &place, &saved, &changes))
}

pub fn fetch(context: &Context, path: String, yes: bool) -> Result<(), AppError> {
    let opened = context.open()?;
    let view = say::entry(opened.call(Request::Show { at: At::Path(path) })?)?;
    let source = view.entry.settings.get(fields::SOURCE.id).map_or("", String::as_str);
    if view.entry.kind.word() != ID || source.is_empty() {
        return Err(no_source(&view));
    }
    let (found, user) = if is_address(source) {
        of_portal(context, &vpn::address(source)?, &view.entry.user)?
    } else {
        let mut taken = vpn::of_path(Path::new(source))?;
        (Box::new(taken.found.pop().ok_or_else(|| no_source(&view))?), None)
    };
    let place = vpn::place(opened.access(), &view.path, &found)?;
    if !context.json {
        told::of_found(context, &found);
    }
    let changes = agreed(context, &place, yes)?;
    let saved = vpn::save(opened.access(), &place, &found, user.as_deref())?;
    if context.json {
        say::document(&document(context, &found, &place, &saved, &changes));
    } else {
        say::line(&say::plain(&saved.path));
    }
    Ok(())
}

/// What the profile changes, after the person agreed to it.
fn agreed(context: &Context, place: &Place, yes: bool) -> Result<Vec<String>, AppError> {
    let Place::Renews(view, changes) = place else { return Ok(Vec::new()) };
    let told = changes.iter().map(|change| change.get(context.lang).to_owned()).collect();
    if changes.is_empty() {
        if !context.json {
            say::note(context.pick("Le profil est le même.", "The profile is the same."));
        }
        return Ok(told);
    }
    if !context.json || !yes {
        told::of_changes(context, &view.path, changes);
    }
    if yes {
        return Ok(told);
    }
    let question = context.pick("Le garder\u{a0}? Tapez yes\u{a0}: ", "Keep it? Type yes: ");
    if prompt::visible(question).is_ok_and(|answer| answer.expose(|text| text.trim() == "yes")) {
        return Ok(told);
    }
    Err(other(
        bi("Le profil n’a pas été changé.", "The profile was not changed."),
        bi(
            "L’entrée est comme avant\u{a0}; --yes ne pose pas la question.",
            "The entry is as before; --yes does not ask.",
        ),
    ))
}

/// The profile of a portal, and who it was given to. User and password are asked where
/// the portal asks, the user only where none is `known`.
fn of_portal(
    context: &Context,
    address: &Address,
    known: &str,
) -> Result<(Box<Found>, Option<String>), AppError> {
    if let Answer::Profile(found) = vpn::of_address(address, None)? {
        return Ok((found, None));
    }
    let place = say::plain(&address.place());
    let user = if known.is_empty() {
        let question = context.pick_owned(
            || format!("Utilisateur pour {place}\u{a0}: "),
            || format!("User for {place}: "),
        );
        prompt::visible(&question)?.expose(|text| text.trim().to_owned())
    } else {
        known.to_owned()
    };
    let shown = say::plain(&user);
    let password = prompt::secret(
        context.lang,
        &format!("Mot de passe de {shown} pour {place}\u{a0}:"),
        &format!("Password of {shown} for {place}:"),
    )?;
    let login = Login { user, password };
    match vpn::of_address(address, Some(&login))? {
        Answer::Profile(found) => Ok((found, Some(login.user))),
        Answer::AsksLogin => Err(say::unexpected()),
    }
}

fn document(
    context: &Context,
    found: &Found,
    place: &Place,
    saved: &Saved,
    changes: &[String],
) -> Value {
    let mut document = told::document(context, found);
    let before = match place {
        Place::New(_) => None,
        Place::Renews(view, _) => Some(view.entry.ver),
    };
    document["id"] = json!(saved.id);
    document["path"] = json!(saved.path);
    document["version"] = json!(saved.ver);
    document["created"] = json!(before.is_none());
    document["changed"] = json!(before != Some(saved.ver));
    document["changes"] = json!(changes);
    document
}

fn no_source(view: &EntryView) -> AppError {
    let path = &view.path;
    usage(
        bi(
            format!("«\u{a0}{path}\u{a0}» ne dit pas d’où vient son profil."),
            format!("“{path}” does not say where its profile came from."),
        ),
        bi(
            "Importez-le de nouveau\u{a0}: poterne vpn import FICHIER --into DOSSIER --name NOM",
            "Import it again: poterne vpn import FILE --into FOLDER --name NAME",
        ),
    )
}
