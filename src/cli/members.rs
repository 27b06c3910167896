//! Commands about people and their computers.

use serde_json::{Value, json};

use crate::app::App;
use crate::app::api::{AppError, Code, Reply, Request, RotateItem};
use crate::model::id::DeviceId;
use crate::model::lang::Lang;
use crate::model::member::Role;
use crate::secret::SecretText;

use super::args::{Member, Rights};
use super::say::{self, bi};
use super::{Context, Opened};
use super::{lifecycle, prompt};

pub fn member(context: &Context, command: Member) -> Result<(), AppError> {
    match command {
        Member::List => list(context),
        Member::Invite(rights) => invite(context, rights),
        Member::Accept(kit) => {
            let file = context.existing_file()?;
            let code =
                prompt::secret(context.lang, "Code d’invitation\u{a0}:", "Invitation code:")?;
            let password = prompt::new_password(context.lang)?;
            let enrolment =
                App::new(file).accept_invitation(code, password, context.accept_older)?;
            lifecycle::enrol(context, enrolment, &kit, true)
        }
        Member::Role(rights) => {
            check_clients(&rights)?;
            let opened = context.open()?;
            let Rights { name, role, all_clients, client, .. } = kept(&opened, rights)?;
            opened.call(Request::ChangeMember { name, role, all_clients, clients: client })?;
            lifecycle::done(context, "Droits changés.", "Rights changed.");
            Ok(())
        }
        Member::Remove { name } => remove(context, name),
        Member::Rotation { name } => rotation(context, name.as_deref()),
    }
}

/// Where nothing is said of clients, the member keeps those granted now.
fn kept(opened: &Opened, mut rights: Rights) -> Result<Rights, AppError> {
    let said = rights.all_clients || rights.no_clients || !rights.client.is_empty();
    if said || rights.role.sees_every_client() {
        return Ok(rights);
    }
    let Reply::Members(members) = opened.call(Request::Members)? else {
        return Err(say::unexpected());
    };
    let same = |name: &str| name.to_lowercase() == rights.name.trim().to_lowercase();
    let Some(view) = members.into_iter().find(|view| same(&view.member.name)) else {
        // The application says that there is no such member.
        return Ok(rights);
    };
    let chosen = !view.member.role.sees_every_client();
    if view.member.all_clients {
        rights.all_clients = true;
    } else if chosen || rights.role == Role::Auditor {
        rights.client = if rights.role == Role::Auditor { Vec::new() } else { view.clients };
    } else {
        let name = &view.member.name;
        return Err(say::usage(
            bi(
                format!("{name} voit tous les clients par son rôle\u{a0}: aucun n’a été choisi."),
                format!("{name} sees every client by role: none was chosen."),
            ),
            bi(
                "Dites lesquels garder\u{a0}: --client NOM, --all-clients ou --no-clients.",
                "Say which to keep: --client NAME, --all-clients or --no-clients.",
            ),
        ));
    }
    Ok(rights)
}

fn list(context: &Context) -> Result<(), AppError> {
    let Reply::Members(members) = context.open()?.call(Request::Members)? else {
        return Err(say::unexpected());
    };
    if context.json {
        let members: Vec<Value> = members
            .iter()
            .map(|view| {
                json!({
                    "id": view.member.id,
                    "name": view.member.name,
                    "role": view.member.role,
                    "all_clients": view.member.all_clients
                        || view.member.role.sees_every_client(),
                    "clients": view.clients,
                    "added_at": view.member.added_at,
                    "accepted": view.member.accepted,
                })
            })
            .collect();
        say::document(&json!({ "members": members }));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = members
        .iter()
        .map(|view| {
            let every = view.member.all_clients || view.member.role.sees_every_client();
            let clients = if every {
                context.pick("tous les clients", "all clients").to_owned()
            } else {
                view.clients.iter().map(|name| say::plain(name)).collect::<Vec<_>>().join(", ")
            };
            let waiting = if view.member.accepted {
                ""
            } else {
                context.pick("(invitation en attente)", "(invitation waiting)")
            };
            vec![
                say::plain(&view.member.name),
                view.member.role.to_string(),
                clients,
                waiting.to_owned(),
            ]
        })
        .collect();
    say::raw(say::table(&rows).as_bytes());
    Ok(())
}

/// Refuses a choice of clients that the role makes no use of.
fn check_clients(rights: &Rights) -> Result<(), AppError> {
    let some = rights.all_clients || !rights.client.is_empty();
    let role = rights.role;
    let (fr, en) = match role {
        Role::Auditor if some => (
            "ne voit aucun client\u{a0}: il lit le journal, et rien d’autre",
            "sees no client: it reads the log and nothing else",
        ),
        role if role.sees_every_client() && (rights.no_clients || !rights.client.is_empty()) => {
            ("voit tous les clients", "sees every client")
        }
        _ => return Ok(()),
    };
    Err(say::usage(
        bi(format!("Le rôle {role} {fr}."), format!("The role {role} {en}.")),
        bi(
            "Retirez --client, --all-clients et --no-clients, ou choisissez un autre rôle.",
            "Leave out --client, --all-clients and --no-clients, or choose another role.",
        ),
    ))
}

fn invite(context: &Context, rights: Rights) -> Result<(), AppError> {
    check_clients(&rights)?;
    let Rights { name, role, all_clients, client: clients, .. } = rights;
    let (opened, current) = context.open_to_change()?;
    let request = Request::Invite { name, role, all_clients, clients, current };
    let Reply::Invitation(code) = opened.call(request)? else {
        return Err(say::unexpected());
    };
    one_time(
        context,
        "invitation",
        &code,
        "Code d’invitation, à usage unique, à donner de vive voix (puis\u{a0}: poterne member accept)\u{a0}:",
        "One-time invitation code, to be told in person (then: poterne member accept):",
    );
    Ok(())
}

fn one_time(context: &Context, name: &str, code: &SecretText, fr: &str, en: &str) {
    if context.json {
        code.expose(|code| say::document(&json!({ name: code })));
    } else {
        say::note(context.pick(fr, en));
        code.expose(say::line);
    }
}

fn remove(context: &Context, name: String) -> Result<(), AppError> {
    let Reply::Removed { rotate } = context.open()?.call(Request::RemoveMember { name })? else {
        return Err(say::unexpected());
    };
    if context.json {
        say::document(&json!({ "removed": true, "rotate": items(&rotate) }));
        return Ok(());
    }
    say::note(context.pick("Membre retiré, clés changées.", "Member removed, keys changed."));
    if !rotate.is_empty() {
        say::note(context.pick(
            "À changer, car cette personne l’a vu ou utilisé (plus tard encore\u{a0}: poterne member rotation)\u{a0}:",
            "To be changed, for that person saw or used it (again later: poterne member rotation):",
        ));
    }
    let rows: Vec<Vec<String>> = rotate.iter().map(row).collect();
    say::raw(say::table(&rows).as_bytes());
    Ok(())
}

fn items(rotate: &[RotateItem]) -> Vec<Value> {
    rotate
        .iter()
        .map(|item| {
            json!({
                "path": item.path,
                "secret": item.slot,
                "events": item.events,
                "last": item.last,
            })
        })
        .collect()
}

fn row(item: &RotateItem) -> Vec<String> {
    vec![
        say::plain(&item.path),
        say::plain(&item.slot),
        item.events.join(","),
        item.last.to_string(),
    ]
}

/// The lists that removals gave, made again from the log. Of a name that several
/// had one after the other, all of them.
fn rotation(context: &Context, name: Option<&str>) -> Result<(), AppError> {
    let opened = context.open()?;
    let Reply::Members(mut former) = opened.call(Request::FormerMembers)? else {
        return Err(say::unexpected());
    };
    if let Some(name) = name {
        let wanted = name.trim().to_lowercase();
        former.retain(|view| view.member.name.to_lowercase() == wanted);
        if former.is_empty() {
            return Err(AppError {
                code: Code::NotFound,
                what: bi(
                    format!("Aucun membre du nom de «\u{a0}{name}\u{a0}» n’a été retiré."),
                    format!("No member of the name “{name}” was removed."),
                ),
                todo: bi(
                    "Voyez ceux qui l’ont été\u{a0}: poterne member rotation",
                    "See those who were: poterne member rotation",
                ),
            });
        }
    }
    let mut lists = Vec::new();
    for view in former {
        let request = Request::Rotation { member: view.member.id };
        let Reply::Removed { rotate } = opened.call(request)? else {
            return Err(say::unexpected());
        };
        lists.push((view.member, rotate));
    }
    if context.json {
        let members: Vec<Value> = lists
            .iter()
            .map(|(member, rotate)| {
                json!({
                    "id": member.id,
                    "name": member.name,
                    "role": member.role,
                    "rotate": items(rotate),
                })
            })
            .collect();
        say::document(&json!({ "members": members }));
        return Ok(());
    }
    if lists.is_empty() {
        say::note(context.pick("Aucun membre n’a été retiré.", "No member was removed."));
    }
    for (member, _) in lists.iter().filter(|(_, rotate)| rotate.is_empty()) {
        let name = say::plain(&member.name);
        say::note(&match context.lang {
            Lang::Fr => format!("{name} n’avait rien vu ni utilisé."),
            Lang::En => format!("{name} had seen and used nothing."),
        });
    }
    if lists.iter().any(|(_, rotate)| !rotate.is_empty()) {
        say::note(context.pick(
            "À changer, car ces personnes l’ont vu ou utilisé\u{a0}:",
            "To be changed, for these persons saw or used it:",
        ));
    }
    let rows: Vec<Vec<String>> = lists
        .iter()
        .flat_map(|(member, rotate)| rotate.iter().map(move |item| (member, item)))
        .map(|(member, item)| {
            let mut cells = row(item);
            cells.insert(0, say::plain(&member.name));
            cells
        })
        .collect();
    say::raw(say::table(&rows).as_bytes());
    Ok(())
}

pub fn devices(context: &Context) -> Result<(), AppError> {
    let Reply::Devices(devices) = context.open()?.call(Request::Devices)? else {
        return Err(say::unexpected());
    };
    if context.json {
        let devices: Vec<Value> = devices
            .iter()
            .map(|device| {
                json!({
                    "id": device.id,
                    "label": device.label,
                    "added_at": device.added_at,
                    "this": device.this,
                })
            })
            .collect();
        say::document(&json!({ "devices": devices }));
        return Ok(());
    }
    let rows: Vec<Vec<String>> = devices
        .iter()
        .map(|device| {
            let this = if device.this { context.pick("(celui-ci)", "(this one)") } else { "" };
            vec![
                device.id.to_string(),
                say::plain(&device.label),
                device.added_at.to_string(),
                this.to_owned(),
            ]
        })
        .collect();
    say::raw(say::table(&rows).as_bytes());
    Ok(())
}

pub fn add_device(context: &Context, label: String) -> Result<(), AppError> {
    let (opened, current) = context.open_to_change()?;
    let Reply::EnrolCode(code) = opened.call(Request::AddDevice { label, current })? else {
        return Err(say::unexpected());
    };
    one_time(
        context,
        "code",
        &code,
        "Code à usage unique, à taper sur l’autre ordinateur (poterne device enrol)\u{a0}:",
        "One-time code, to be typed on the other computer (poterne device enrol):",
    );
    Ok(())
}

pub fn enrol_device(context: &Context) -> Result<(), AppError> {
    let file = context.existing_file()?;
    let code = prompt::secret(
        context.lang,
        "Code de l’autre ordinateur, ou kit de secours\u{a0}:",
        "Code from the other computer, or recovery kit:",
    )?;
    let factors = prompt::factors_of_here(context.lang)?;
    let app = App::new(file);
    let member = context.member.clone();
    let finished = app.enrol_device(code, member, factors, context.accept_older)?;
    let notices: Vec<&str> = finished.notices.iter().map(|n| n.get(context.lang)).collect();
    if context.json {
        say::document(&json!({ "done": true, "notices": notices }));
        return Ok(());
    }
    say::note(context.pick("Cet ordinateur est enrôlé.", "This computer is enrolled."));
    notices.iter().for_each(|notice| say::note(notice));
    Ok(())
}

pub fn remove_device(context: &Context, id: &str) -> Result<(), AppError> {
    let id: DeviceId = id.parse().map_err(|_| AppError {
        code: Code::NotFound,
        what: bi(
            format!("«\u{a0}{id}\u{a0}» n’est pas l’identifiant d’un ordinateur."),
            format!("“{id}” is not the id of a computer."),
        ),
        todo: bi("Voyez la liste\u{a0}: poterne device list", "See the list: poterne device list"),
    })?;
    context.open()?.call(Request::RemoveDevice { id })?;
    lifecycle::done(context, "Ordinateur retiré.", "Computer removed.");
    Ok(())
}
