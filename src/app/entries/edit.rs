//! Changing an entry. What it was stays a version; never stores over a state
//! that is not the one expected.

use crate::app::api::{AppError, At, Code, Patch, Reply, SecretChange, Set};
use crate::app::worker::Open;
use crate::app::{address, custom, draft, people, plan, seeds, tickets};
use crate::connect;
use crate::connect::field::FieldKind;
use crate::connect::vpn::fields::VPN;
use crate::model::audit_event::{Event, field};
use crate::model::entry::{
    ATTACHMENT_MAX_BYTES, Attachment, CredentialSource, CustomField, Entry, Kind, SecretRef, Slot,
};
use crate::model::id::EntryId;
use crate::model::lang::Bi;
use crate::store::sqlite::SqliteRows;
use crate::vault::cell::Purpose;
use crate::vault::rows::Rows;
use crate::vault::unlocked::{Env, Unlocked};

use super::names::{check_lines, check_name, misplaced};
use super::versions::{differences, stale, supersede};
use super::{fields_of, locate, need_change, saved};

impl Open {
    pub(in crate::app) fn edit(
        &mut self,
        at: &At,
        expected: Option<u64>,
        patch: Patch,
    ) -> Result<Reply, AppError> {
        self.write(|v, rows, env| {
            let node = locate(v, at)?;
            need_change(v, &node)?;
            let mut old = v.entry(rows, &node.id)?;
            if expected.is_some_and(|ver| ver != old.ver) {
                return Err(stale(v, rows, &old, expected.unwrap_or(0)));
            }
            if patch.forget_host_keys {
                forget_keys(v, rows, env, &old)?;
                // The client itself may be the entry at hand.
                old = v.entry(rows, &old.id)?;
            }
            let mut entry = old.clone();
            apply(v, rows, env, &mut entry, patch)?;
            check_name(v, &entry)?;
            let changed = differences(&old, &entry);
            if changed.is_empty() {
                return Ok(saved(v, &old));
            }
            supersede(v, rows, env, &old, &mut entry)?;
            let mut line = draft(v, env, Event::EntryEdited, true);
            people::about(v, &entry.summary(), &mut line);
            line.fields.push((field::DETAIL, changed.join(", ")));
            tickets::tell_rule(Some(&old), &entry, &mut line);
            v.log(rows, env, line)?;
            Ok(saved(v, &entry))
        })
    }
}

fn forget_keys(
    v: &mut Unlocked,
    rows: &dyn Rows,
    env: &mut Env<'_>,
    entry: &Entry,
) -> Result<(), AppError> {
    let old = v.entry(rows, &entry.client)?;
    let places = old.settings.keys().filter_map(|key| plan::pinned_place(key));
    let places = places.filter(|at| entry.kind == Kind::CLIENT || plan::is_place_of(entry, at));
    let forgotten: Vec<_> = places.flat_map(|at| plan::pins_of(&old, &at)).collect();
    if forgotten.is_empty() {
        return Ok(());
    }
    let mut client = old.clone();
    client.settings.retain(|key, _| {
        plan::pinned_place(key).is_none_or(|at| !forgotten.iter().any(|pin| pin.at == at))
    });
    supersede(v, rows, env, &old, &mut client)?;
    for pin in forgotten {
        let mut line = draft(v, env, Event::HostKeyRefused, true);
        people::about(v, &entry.summary(), &mut line);
        line.fields.push((field::HOST, pin.at.host.clone()));
        line.fields.push((field::PORT, pin.at.port.to_string()));
        let key = format!("{} {} {}", pin.at, pin.algorithm, pin.fingerprint);
        line.fields.push((field::HOST_KEY, key));
        line.fields.push((field::DETAIL, "forgotten".to_owned()));
        v.log(rows, env, line)?;
    }
    Ok(())
}

/// Applies changes to an entry; secrets and attachments get rows of their own.
pub(super) fn apply(
    v: &mut Unlocked,
    rows: &SqliteRows<'_>,
    env: &mut Env<'_>,
    entry: &mut Entry,
    patch: Patch,
) -> Result<(), AppError> {
    fn set<T>(place: &mut T, to: Set<T>) {
        if let Some(value) = to.into_option() {
            *place = value;
        }
    }
    address::check_fields(&entry.kind, &patch)?;
    let linked_anew = !matches!(patch.credential, Set::Keep);
    set(&mut entry.name, patch.name);
    if let Some(host) = patch.host.into_option() {
        // A control character is told of below, by what it is.
        let plain = !host.chars().any(char::is_control);
        entry.host = if plain { address::host(&entry.kind, &host)? } else { host };
    }
    set(&mut entry.port, patch.port);
    set(&mut entry.user, patch.user);
    set(&mut entry.tags, patch.tags);
    set(&mut entry.favourite, patch.favourite);
    set(&mut entry.description, patch.description);
    set(&mut entry.expires, patch.expires);
    set(&mut entry.credential, patch.credential);
    if let Some(info) = patch.client_info.into_option() {
        if entry.kind != Kind::CLIENT {
            return Err(misplaced());
        }
        tickets::check_client(&info)?;
        entry.client_info = Some(info);
    }
    if entry.port == Some(0) {
        return Err(AppError::usage(
            ("Le port 0 n’existe pas.", "There is no port 0."),
            ("Un port va de 1 à 65535.", "A port is from 1 to 65535."),
        ));
    }
    for (id, value) in patch.settings {
        let value = settle(v, entry, &id, value)?;
        if value.is_empty() {
            entry.settings.remove(&id);
        } else {
            entry.settings.insert(id, value);
        }
    }
    custom::rename(entry, &patch.renamed)?;
    // A field that is there already keeps its place among the others.
    let put = |fields: &mut Vec<CustomField>, field: CustomField| match fields
        .iter_mut()
        .find(|c| c.name == field.name)
    {
        Some(there) => *there = field,
        None => fields.push(field),
    };
    for (name, value) in patch.custom {
        if value.is_some() {
            custom::check_name(entry, &name)?;
        }
        // What was a secret field of this name is one no more.
        entry.secrets.remove(&Slot::Custom(name.clone()));
        match value {
            Some(value) => put(&mut entry.custom, CustomField { name, secret: false, value }),
            None => entry.custom.retain(|c| c.name != name),
        }
    }
    for (slot, change) in patch.secrets {
        if let Slot::Custom(name) = &slot {
            if matches!(change, SecretChange::Put(_)) {
                custom::check_name(entry, name)?;
                let (name, value) = (name.clone(), String::new());
                put(&mut entry.custom, CustomField { name, secret: true, value });
            } else {
                // A plain value set above in its place stays.
                entry.custom.retain(|c| c.name != *name || !c.secret);
            }
        }
        match change {
            SecretChange::Clear => {
                entry.secrets.remove(&slot);
            }
            SecretChange::Put(value) => {
                let value = seeds::normal(&slot, value, &entry.name)?;
                let client = entry.client;
                let cell = value.expose(|b| v.put_blob(rows, env, client, Purpose::Secret, b))?;
                entry.secrets.insert(slot, SecretRef { cell, set_at: env.now, set_by: v.me });
            }
        }
    }
    for (name, content) in patch.attachments {
        entry.attachments.retain(|a| a.name != name);
        let Some(content) = content else { continue };
        let size = content.0.len() as u64;
        if size > ATTACHMENT_MAX_BYTES
            || matches!(name.as_str(), "" | "." | "..")
            || name.contains(['/', '\\'])
        {
            return Err(AppError::usage(
                (
                    "Cette pièce jointe dépasse 10 Mio ou son nom ne convient pas.",
                    "This attachment is over 10 MiB or its name will not do.",
                ),
                (
                    "Choisissez un fichier plus petit, sans barre oblique dans le nom.",
                    "Choose a smaller file without a slash in its name.",
                ),
            ));
        }
        let client = entry.client;
        let cell = content.0.expose(|b| v.put_blob(rows, env, client, Purpose::Attachment, b))?;
        entry.attachments.push(Attachment { name, size, cell });
    }
    if linked_anew && let CredentialSource::Linked(id) = &entry.credential {
        if *id == entry.id {
            return Err(to_itself("Identifiant lié", "Linked credential"));
        }
        if v.index.get(id).is_none() {
            return Err(AppError::no_entry(&id.to_string()));
        }
    }
    check_lines(entry)
}

/// A jump host that opens no session to go on from.
fn no_way_on(path: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!(
                "«\u{a0}{path}\u{a0}» n’ouvre pas de session SSH\u{a0}: on ne rebondit pas par lui."
            ),
            format!("“{path}” opens no SSH session: nothing jumps through it."),
        ),
        todo: Bi::new("Nommez des entrées ssh.", "Name ssh entries."),
    }
}

/// What is to be gone through is no VPN.
fn no_vpn(path: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!("«\u{a0}{path}\u{a0}» n’est pas un VPN."),
            format!("“{path}” is no VPN."),
        ),
        todo: Bi::new(
            "Nommez une entrée d’un type VPN, comme openvpn.",
            "Name an entry of a VPN kind, such as openvpn.",
        ),
    }
}

/// One way leads through one VPN.
fn two_vpns() -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new("Plus d’un VPN est nommé.", "More than one VPN is named."),
        todo: Bi::new("Nommez-en un seul.", "Name a single one."),
    }
}

/// An entry that is to lead to itself.
fn to_itself(fr: &str, en: &str) -> AppError {
    AppError {
        code: Code::Usage,
        what: Bi::new(
            format!("«\u{a0}{fr}\u{a0}» ne peut pas être l’entrée elle-même."),
            format!("“{en}” cannot be the entry itself."),
        ),
        todo: Bi::new("Choisissez une autre entrée.", "Choose another entry."),
    }
}

/// A setting as it is stored: checked, paths of entries turned into ids.
fn settle(v: &Unlocked, entry: &Entry, id: &str, value: String) -> Result<String, AppError> {
    let kind = &entry.kind;
    // A folder may hold any setting that entries below inherit.
    let mut known = if kind.is_container() {
        connect::all()
            .iter()
            .flat_map(|c| c.fields())
            .filter(|f| f.inherits && f.id == id)
            .collect::<Vec<_>>()
    } else {
        fields_of(kind).filter(|f| f.id == id).collect()
    };
    let Some(f) = known.pop() else {
        if !kind.is_container() && connect::by_kind(kind).is_none() {
            // What nobody here can judge stays as it is, or goes.
            let same = entry.settings.get(id) == Some(&value);
            return if value.is_empty() || same {
                Ok(value)
            } else {
                Err(AppError::no_connector(kind))
            };
        }
        return Err(AppError {
            code: Code::Usage,
            what: Bi::new(
                format!("«\u{a0}{kind}\u{a0}» n’a pas de réglage «\u{a0}{id}\u{a0}»."),
                format!("“{kind}” has no setting “{id}”."),
            ),
            todo: Bi::new(
                format!("Voyez `poterne add {kind} --help`."),
                format!("See `poterne add {kind} --help`."),
            ),
        });
    };
    if f.kind == FieldKind::Entries && !value.is_empty() {
        let mut ids = Vec::new();
        for word in value.split(',').map(str::trim).filter(|w| !w.is_empty()) {
            let node = match word.parse::<EntryId>() {
                Ok(id) => v.index.get(&id),
                Err(_) => v.index.at_path(word),
            };
            let node = node.ok_or_else(|| AppError::no_entry(word))?;
            if node.id == entry.id {
                return Err(to_itself(f.fr, f.en));
            }
            if id == plan::JUMP && !plan::passes_on(&node.kind) {
                return Err(no_way_on(&v.index.path(&node)));
            }
            if id == VPN.id && !connect::is_vpn(&node.kind) {
                return Err(no_vpn(&v.index.path(&node)));
            }
            ids.push(node.id.to_string());
        }
        if id == VPN.id && ids.len() > 1 {
            return Err(two_vpns());
        }
        return Ok(ids.join(","));
    }
    if id == "login-url" && !value.is_empty() {
        address::check_web(&value)?;
    }
    if f.accepts(&value) {
        return Ok(value);
    }
    Err(AppError {
        code: Code::Usage,
        what: Bi::new(
            format!("«\u{a0}{value}\u{a0}» ne convient pas pour «\u{a0}{}\u{a0}».", f.fr),
            format!("“{value}” will not do for “{}”.", f.en),
        ),
        todo: Bi::new(f.help_fr, f.help_en),
    })
}
