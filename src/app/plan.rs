//! Works out what connecting to an entry would do: where user, secrets and
//! settings come from, through folders, links and jump hosts. Touches neither
//! network nor secrets; what it finds broken it says.

use std::collections::BTreeMap;

use crate::connect::field::{Field, FieldKind};
use crate::connect::rdp::nla::way;
use crate::connect::rdp::{self, freerdp};
use crate::connect::vpn::fields::{VPN, WHEN, When};
use crate::connect::web::{self, Choice};
use crate::connect::{self, Opens};
use crate::model::entry::{CredentialSource, Entry, Kind, Slot};
use crate::model::id::EntryId;
use crate::model::lang::Bi;
use crate::model::plan::{Origin, Plan, PlanLine};
use crate::model::target::{Hop, HostPort, PinnedKey, Target};

/// Longest chain of links or folders that is followed.
const MAX_CHAIN: usize = 32;
/// Setting of a client under which pinned keys are kept, before `host:port`.
pub const PIN_PREFIX: &str = "pin:";
/// Setting of a credential that makes it a member's own login for other entries.
pub const FOR: &str = "for";
/// Setting of an entry that names the machines to pass through.
pub const JUMP: &str = "jump";
/// Secrets that a login consists of.
pub const LOGIN: [Slot; 4] = [Slot::Password, Slot::PrivateKey, Slot::Passphrase, Slot::Totp];

/// What the planner may look up.
pub trait Look {
    /// A node, without its secrets; `None` if it is gone or not granted.
    fn entry(&self, id: &EntryId) -> Option<Entry>;
    /// `Client/Folder/Name`.
    fn path(&self, id: &EntryId) -> String;
    /// The asking member's own login for the first of `ids` that has one.
    fn mine(&self, ids: &[EntryId]) -> Option<Entry>;
}

/// A plan and what is needed to carry it out.
pub struct Resolved {
    /// For people.
    pub plan: Plan,
    /// For the connector; `None` while something is broken.
    pub target: Option<Target>,
    /// Entry that gives each hop's secrets, in the order of hops.
    pub givers: Vec<BTreeMap<Slot, EntryId>>,
    /// The VPN to raise before, if there is one, and when.
    pub vpn: Option<Vpn>,
    /// The entry's client, and every other that gives a machine on the way or a
    /// secret: each may ask for a ticket.
    pub clients: Vec<EntryId>,
}

/// A VPN before a session.
#[derive(Clone)]
pub struct Vpn {
    /// Its entry.
    pub entry: EntryId,
    /// `Client/Folder/Name`.
    pub path: String,
    /// When it is raised.
    pub when: When,
}

/// Works out the plan of `entry`.
pub fn resolve(look: &dyn Look, entry: &Entry) -> Resolved {
    let mut plan = Plan {
        entry: entry.id,
        path: look.path(&entry.id),
        kind: entry.kind.clone(),
        hops: Vec::new(),
        lines: Vec::new(),
        secrets: Vec::new(),
        broken: Vec::new(),
        ticket_required: false,
        reason_required: false,
    };
    let (hop, givers) = hop_of(look, entry, &mut plan, true);
    let mut hops = Vec::new();
    let mut all_givers = Vec::new();
    let jumps = hop.settings.get(JUMP).cloned().unwrap_or_default();
    let mut seen = vec![entry.id];
    let from = plan.path.clone();
    add_jumps(look, (&from, &jumps), &mut seen, &mut hops, &mut all_givers, &mut plan);
    if let Some((gateway, own)) = gateway_of(look, entry, &hop, &givers, &mut plan) {
        hops.push(gateway);
        all_givers.push(own);
    }
    hops.push(hop);
    all_givers.push(givers);
    let vpn = hops.first().and_then(|hop| vpn_of(look, &hop.path, &hop.settings, &mut plan));
    let mut clients = vec![entry.client];
    let givers = all_givers.iter().flat_map(|g| g.values().copied());
    let before = vpn.iter().map(|vpn| vpn.entry);
    for id in hops.iter().map(|h| h.entry).chain(givers).chain(before) {
        let client = look.entry(&id).map(|e| e.client);
        clients.extend(client.filter(|c| !clients.contains(c)));
    }
    for info in clients.iter().filter_map(|c| look.entry(c)?.client_info) {
        plan.ticket_required |= info.ticket_required;
        plan.reason_required |= info.reason_required;
    }
    // A page for each ticket cannot be opened without one.
    let page = hops.last().and_then(|hop| hop.settings.get(web::LOGIN_URL));
    plan.ticket_required |= page.is_some_and(|page| web::wants_ticket(page));
    let opens = connect::by_kind(&entry.kind).is_some_and(|c| c.opens() != Opens::Details);
    let target =
        (plan.broken.is_empty() && opens).then(|| Target { kind: entry.kind.clone(), hops });
    Resolved { plan, target, givers: all_givers, vpn, clients }
}

/// The VPN before the first machine on the way.
fn vpn_of(
    look: &dyn Look,
    from: &str,
    settings: &BTreeMap<String, String>,
    plan: &mut Plan,
) -> Option<Vpn> {
    let named = settings.get(VPN.id).map_or("", |id| id.trim());
    if named.is_empty() {
        plan.lines.retain(|line| line.field != WHEN.id);
        return None;
    }
    let when = When::of(settings)?;
    let found = named.parse::<EntryId>().ok().and_then(|id| look.entry(&id));
    let Some(vpn) = found.filter(|vpn| vpn.trashed_at.is_none()) else {
        plan.broken.push(Bi::new(
            format!(
                "Le VPN de «\u{a0}{from}\u{a0}» a disparu, est dans la corbeille ou ne vous est pas \
                 accordé."
            ),
            format!("The VPN of “{from}” is gone, in the recycle bin or not granted to you."),
        ));
        return None;
    };
    let path = look.path(&vpn.id);
    if !connect::is_vpn(&vpn.kind) {
        plan.broken.push(Bi::new(
            format!("«\u{a0}{from}\u{a0}» passe par «\u{a0}{path}\u{a0}», qui n’est pas un VPN."),
            format!("“{from}” goes through “{path}”, which is no VPN."),
        ));
        return None;
    }
    Some(Vpn { entry: vpn.id, path, when })
}

/// The gateway before a desktop, and what gives its password: the entry itself,
/// another one that it names, or a secret of the entry's that is for it alone.
fn gateway_of(
    look: &dyn Look,
    entry: &Entry,
    hop: &Hop,
    givers: &BTreeMap<Slot, EntryId>,
    plan: &mut Plan,
) -> Option<(Hop, BTreeMap<Slot, EntryId>)> {
    if entry.kind.word() != rdp::ID {
        return None;
    }
    let at = rdp::gateway_of(&hop.settings)?;
    let from = &plan.path;
    let set = |id: &str| hop.settings.get(id).is_some_and(|value| !value.trim().is_empty());
    if rdp::two_ways(set) {
        plan.broken.push(Bi::new(
            format!(
                "«\u{a0}{from}\u{a0}» a une passerelle et des rebonds\u{a0}: seulement l’un des deux se \
                 peut."
            ),
            format!("“{from}” has a gateway and jump hosts: only one of both can be."),
        ));
    }
    plan.hops.push(format!("RD Gateway {at}"));
    let text = |id: &str| hop.settings.get(id).map_or("", |value| value.trim());
    let mut settings = BTreeMap::new();
    let mut own = BTreeMap::new();
    let mut user = String::new();
    let mut ask = false;
    // Where user and password come from.
    let mut origins = (Origin::Asked, Origin::Asked);
    let other = text("gateway-entry");
    if !other.is_empty() {
        let found = other.parse::<EntryId>().ok().and_then(|id| look.entry(&id));
        match found.filter(|other| other.trashed_at.is_none()) {
            None => plan.broken.push(Bi::new(
                format!(
                    "L’identifiant de la passerelle de «\u{a0}{from}\u{a0}» a disparu, est dans la \
                     corbeille ou ne vous est pas accordé."
                ),
                format!(
                    "The credentials of the gateway of “{from}” are gone, in the recycle bin or \
                     not granted to you."
                ),
            )),
            Some(other) => match login(look, &other, &ancestors(look, &other), 0) {
                Ok(Login::From(giver, origin)) => {
                    let named = Origin::Linked(look.path(&other.id));
                    let given = if origin == Origin::Own { named.clone() } else { origin };
                    (user, origins.0) = if other.user.is_empty() {
                        (giver.user.clone(), given.clone())
                    } else {
                        (other.user.clone(), named)
                    };
                    if giver.secrets.contains_key(&Slot::Password) {
                        own.insert(Slot::Password, giver.id);
                        origins.1 = given;
                    }
                    if let Some(domain) = other.settings.get("domain") {
                        settings.insert("domain".to_owned(), domain.clone());
                    }
                }
                Ok(found) => {
                    let named = Origin::Linked(look.path(&other.id));
                    let known = if let Login::Asked(known) = found { known } else { other.user };
                    (user, origins.0, ask) = (known, named, true);
                }
                Err(broken) => plan.broken.push(broken),
            },
        }
    } else if text("gateway-user").is_empty() {
        user.clone_from(&hop.user);
        ask = hop.ask;
        own.extend(givers.get(&Slot::Password).map(|id| (Slot::Password, *id)));
        settings.insert("domain".to_owned(), text("domain").to_owned());
        let origin = |field: &str| plan.lines.iter().find(|l| l.field == field).map(|l| &l.origin);
        let same = |field: &str| origin(field).cloned().unwrap_or(Origin::Asked);
        origins = (same("user"), same("password"));
    } else {
        user = text("gateway-user").to_owned();
        // Its password travels with the secrets of the destination.
        settings.insert(rdp::GATEWAY_PASSWORD.to_owned(), "yes".to_owned());
        let secret = Slot::Custom(rdp::GATEWAY_PASSWORD.to_owned());
        let kept = if givers.contains_key(&secret) { Origin::Own } else { Origin::Asked };
        plan.lines.retain(|line| line.field != secret.to_string());
        origins = (Origin::Own, kept);
    }
    let (of_user, of_password) = origins;
    let of_user = if user.is_empty() { Origin::Asked } else { of_user };
    if way::Allowed::of(text(way::SETTING)) == way::Allowed::Kerberos {
        plan.lines.push(PlanLine {
            field: rdp::GATEWAY_PROOF.to_owned(),
            value: "NTLM".to_owned(),
            secret: false,
            origin: Origin::Because(Bi::new(
                "à la passerelle, Poterne ne se connecte pas autrement\u{a0}; elle refuse un compte \
                 des «\u{a0}Protected Users\u{a0}»",
                "Poterne logs in to a gateway in no other way; an account of the “Protected Users” \
                 is refused there",
            )),
        });
    }
    for (field, value, secret, origin) in [
        (rdp::GATEWAY_LOGIN, user.clone(), false, of_user),
        (rdp::GATEWAY_SECRET, String::new(), true, of_password),
    ] {
        plan.lines.push(PlanLine { field: field.to_owned(), value, secret, origin });
    }
    let pinned = look.entry(&entry.client).map(|c| pins_of(&c, &at)).unwrap_or_default();
    let slots = own.keys().cloned().collect();
    let path = format!("{from} (RD Gateway)");
    Some((Hop { entry: entry.id, path, at, user, slots, pinned, settings, ask }, own))
}

/// Whether a session can go on to another machine from one of this kind.
pub fn passes_on(kind: &Kind) -> bool {
    connect::by_kind(kind).is_some_and(|c| c.passes_on())
}

fn add_jumps(
    look: &dyn Look,
    (from, list): (&str, &str),
    seen: &mut Vec<EntryId>,
    hops: &mut Vec<Hop>,
    givers: &mut Vec<BTreeMap<Slot, EntryId>>,
    plan: &mut Plan,
) {
    for word in list.split(',').map(str::trim).filter(|w| !w.is_empty()) {
        let found = word.parse::<EntryId>().ok().and_then(|id| look.entry(&id));
        let Some(jump) = found else {
            plan.broken.push(Bi::new(
                format!(
                    "Une machine de rebond de «\u{a0}{from}\u{a0}» a disparu ou ne vous est pas accordée."
                ),
                format!("A jump host of “{from}” is gone or not granted to you."),
            ));
            continue;
        };
        let path = look.path(&jump.id);
        if !passes_on(&jump.kind) {
            plan.broken.push(Bi::new(
                format!("«\u{a0}{from}\u{a0}» rebondit par «\u{a0}{path}\u{a0}», qui n’ouvre pas de session SSH."),
                format!("“{from}” jumps through “{path}”, which opens no SSH session."),
            ));
            continue;
        }
        if jump.trashed_at.is_some() {
            plan.broken.push(Bi::new(
                format!("«\u{a0}{from}\u{a0}» rebondit par «\u{a0}{path}\u{a0}», qui est dans la corbeille."),
                format!("“{from}” jumps through “{path}”, which is in the recycle bin."),
            ));
            continue;
        }
        if seen.contains(&jump.id) || seen.len() > 8 {
            plan.broken.push(Bi::new(
                format!("Le rebond par «\u{a0}{path}\u{a0}» tourne en rond."),
                format!("The jump through “{path}” goes in a circle."),
            ));
            continue;
        }
        seen.push(jump.id);
        let (hop, own) = hop_of(look, &jump, plan, false);
        let before = hop.settings.get(JUMP).cloned().unwrap_or_default();
        add_jumps(look, (&path, &before), seen, hops, givers, plan);
        plan.hops.push(path);
        hops.push(hop);
        givers.push(own);
    }
}

/// One machine of the way. `main` hops write lines into the plan.
fn hop_of(
    look: &dyn Look,
    entry: &Entry,
    plan: &mut Plan,
    main: bool,
) -> (Hop, BTreeMap<Slot, EntryId>) {
    let path = look.path(&entry.id);
    let connector = connect::by_kind(&entry.kind);
    let above = ancestors(look, entry);
    let mut lines = Vec::new();
    let mut line = |field: &str, value: String, secret: bool, origin: Origin| {
        lines.push(PlanLine { field: field.to_owned(), value, secret, origin });
    };
    let common = connector.map(|c| c.common());
    let at = place_of(entry);
    let port = at.port;
    if common.is_some_and(|c| c.host) {
        line("host", entry.host.clone(), false, Origin::Own);
        let needs_host = connector.is_some_and(|c| c.opens() != Opens::Details);
        if entry.host.is_empty() && needs_host {
            plan.broken.push(Bi::new(
                format!("«\u{a0}{path}\u{a0}» n’a pas d’adresse."),
                format!("“{path}” has no host."),
            ));
        }
    }
    if common.is_some_and(|c| c.port) {
        let origin = if entry.port.is_some() { Origin::Own } else { Origin::Default };
        line("port", port.to_string(), false, origin);
        if port == 0 {
            plan.broken.push(Bi::new(
                format!("«\u{a0}{path}\u{a0}» n’a pas de port."),
                format!("“{path}” has no port."),
            ));
        }
    }

    let mut user = entry.user.clone();
    let mut givers = BTreeMap::new();
    let mut ask = false;
    if common.is_some_and(|c| c.user) {
        match login(look, entry, &above, 0) {
            Ok(Login::Asked(giver_user)) => {
                ask = true;
                if user.is_empty() {
                    user = giver_user;
                }
                line(
                    "user",
                    user.clone(),
                    false,
                    if user.is_empty() { Origin::Asked } else { Origin::Own },
                );
                line("password", String::new(), true, Origin::Asked);
            }
            Ok(Login::None) => {
                line(
                    "user",
                    user.clone(),
                    false,
                    if user.is_empty() { Origin::Asked } else { Origin::Own },
                );
                ask = true;
            }
            Ok(Login::From(giver, origin)) => {
                if user.is_empty() {
                    user = giver.user.clone();
                    line("user", user.clone(), false, origin.clone());
                } else {
                    line("user", user.clone(), false, Origin::Own);
                }
                for slot in LOGIN.iter().filter(|s| giver.secrets.contains_key(s)) {
                    givers.insert(slot.clone(), giver.id);
                    line(&slot.to_string(), String::new(), true, origin.clone());
                }
            }
            Err(broken) => plan.broken.push(broken),
        }
    }
    // What is the entry's own stays its own, whatever its login comes from. A kind
    // that has no login, but takes such a secret, has it from nowhere else.
    let logs_in = common.is_some_and(|c| c.user);
    for slot in entry.secrets.keys() {
        let bare = !logs_in && connector.is_some_and(|c| c.slots().contains(slot));
        let part_of_login = LOGIN.contains(slot) && *slot != Slot::Totp && !bare;
        if !part_of_login && givers.insert(slot.clone(), entry.id) != Some(entry.id) {
            lines.retain(|l| !(l.secret && l.field == slot.to_string()));
            lines.push(PlanLine {
                field: slot.to_string(),
                value: String::new(),
                secret: true,
                origin: Origin::Own,
            });
        }
    }

    let mut settings = BTreeMap::new();
    for field in connector.map_or(&[][..], |c| c.fields()) {
        let (value, origin) = setting(look, entry, &above, field);
        if !field.accepts(&value) {
            plan.broken.push(Bi::new(
                format!(
                    "«\u{a0}{path}\u{a0}»\u{a0}: la valeur de «\u{a0}{}\u{a0}» n’est pas valable.",
                    field.fr
                ),
                format!("“{path}”: the value of “{}” is not valid.", field.en),
            ));
        }
        let shown =
            if field.kind == FieldKind::Entries { named(look, &value) } else { value.clone() };
        if !value.is_empty() {
            lines.push(PlanLine {
                field: field.id.to_owned(),
                value: shown,
                secret: false,
                origin,
            });
        }
        settings.insert(field.id.to_owned(), value);
    }

    if connector.is_some_and(|c| c.opens() == Opens::Browser) {
        settings.insert(web::LOGIN_URL.to_owned(), web::address(&entry.host, &settings).to_owned());
        lines.extend(browser_line(&settings));
    }
    if connector.is_some_and(|c| c.id() == rdp::ID) {
        lines.extend(program_lines(&settings));
        match way::planned(&settings, &user, &at.host) {
            Some(Ok((proof, why))) => lines.push(PlanLine {
                field: way::PLANNED.to_owned(),
                value: proof.to_owned(),
                secret: false,
                origin: Origin::Because(why),
            }),
            Some(Err(why)) => plan.broken.push(Bi::new(
                format!("«\u{a0}{path}\u{a0}»\u{a0}: {}", why.fr),
                format!("“{path}”: {}", why.en),
            )),
            None => {}
        }
    }

    if main {
        plan.lines = lines;
        plan.secrets = givers.iter().map(|(s, id)| (s.clone(), *id)).collect();
    }
    let pinned = look.entry(&entry.client).map(|c| pins_of(&c, &at)).unwrap_or_default();
    let slots = givers.keys().cloned().collect();
    (Hop { entry: entry.id, path, at, user, slots, pinned, settings, ask }, givers)
}

/// Which browser a page opens in, where the settings do not say it themselves.
fn browser_line(settings: &BTreeMap<String, String>) -> Option<PlanLine> {
    let line = |value: String, origin| {
        let field = web::BROWSER.to_owned();
        Some(PlanLine { field, value, secret: false, origin })
    };
    match web::choice(settings) {
        Choice::Driven(program) if web::named(settings).is_empty() => {
            line(program.display().to_string(), Origin::Found)
        }
        Choice::Driven(_) => None,
        Choice::Manual => line(String::new(), Origin::ByHand),
        Choice::NoBrowser => line(String::new(), Origin::Missing),
    }
}

/// Which program shows a desktop, where the settings do not say it themselves; and
/// which one a terminal opens, that has no place for it.
fn program_lines(settings: &BTreeMap<String, String>) -> Vec<PlanLine> {
    let line = |field: &str, value: String, origin| PlanLine {
        field: field.to_owned(),
        value,
        secret: false,
        origin,
    };
    let shown = |program: std::path::PathBuf| program.display().to_string();
    match freerdp::choice(settings) {
        freerdp::Choice::Embedded => {
            let found = freerdp::for_terminals().map(shown);
            found
                .map(|path| line("program-of-terminals", path, Origin::Found))
                .into_iter()
                .collect()
        }
        freerdp::Choice::Outside(path) => vec![line(freerdp::SETTING, shown(path), Origin::Found)],
        freerdp::Choice::Missing => {
            vec![line(freerdp::SETTING, freerdp::EMBEDDED.to_owned(), Origin::Absent)]
        }
    }
}

enum Login {
    /// This entry's user and secrets.
    From(Box<Entry>, Origin),
    /// The person is asked; a user name may be known.
    Asked(String),
    /// Nothing is stored anywhere above.
    None,
}

fn login(look: &dyn Look, entry: &Entry, above: &[Entry], depth: usize) -> Result<Login, Bi> {
    let path = || look.path(&entry.id);
    if depth > MAX_CHAIN {
        return Err(Bi::new(
            format!("La chaîne d’identifiants de «\u{a0}{}\u{a0}» tourne en rond.", path()),
            format!("The credential chain of “{}” goes in a circle.", path()),
        ));
    }
    match &entry.credential {
        CredentialSource::Own => Ok(Login::From(Box::new(entry.clone()), Origin::Own)),
        CredentialSource::Ask => Ok(Login::Asked(entry.user.clone())),
        CredentialSource::Linked(id) => {
            let Some(other) = look.entry(id) else {
                return Err(Bi::new(
                    format!(
                        "L’identifiant lié à «\u{a0}{}\u{a0}» a disparu ou ne vous est pas accordé.",
                        path()
                    ),
                    format!("The credential linked to “{}” is gone or not granted to you.", path()),
                ));
            };
            if other.trashed_at.is_some() {
                let gone = look.path(&other.id);
                return Err(Bi::new(
                    format!(
                        "«\u{a0}{}\u{a0}» est lié à «\u{a0}{gone}\u{a0}», qui est dans la corbeille.",
                        path()
                    ),
                    format!("“{}” is linked to “{gone}”, which is in the recycle bin.", path()),
                ));
            }
            let linked = Origin::Linked(look.path(&other.id));
            match login(look, &other, &ancestors(look, &other), depth + 1)? {
                Login::From(giver, Origin::Own) => Ok(Login::From(giver, linked)),
                other => Ok(other),
            }
        }
        CredentialSource::Mine => {
            let ids: Vec<EntryId> =
                std::iter::once(entry.id).chain(above.iter().map(|e| e.id)).collect();
            let Some(mine) = look.mine(&ids) else {
                return Err(Bi::new(
                    format!(
                        "Vous n’avez pas d’identifiant personnel pour «\u{a0}{}\u{a0}».",
                        path()
                    ),
                    format!("You have no login of your own for “{}”.", path()),
                ));
            };
            let origin = Origin::Mine(look.path(&mine.id));
            Ok(Login::From(Box::new(mine), origin))
        }
        CredentialSource::Inherited => {
            for (n, folder) in above.iter().enumerate() {
                let has_login =
                    !folder.user.is_empty() || LOGIN.iter().any(|s| folder.secrets.contains_key(s));
                match &folder.credential {
                    CredentialSource::Inherited if !has_login => {}
                    CredentialSource::Inherited | CredentialSource::Own if has_login => {
                        let origin = Origin::Inherited(look.path(&folder.id));
                        return Ok(Login::From(Box::new(folder.clone()), origin));
                    }
                    CredentialSource::Own | CredentialSource::Inherited => {}
                    _ => return login(look, folder, &above[n + 1..], depth + 1),
                }
            }
            let own_login = LOGIN.iter().any(|s| entry.secrets.contains_key(s));
            if own_login {
                Ok(Login::From(Box::new(entry.clone()), Origin::Own))
            } else {
                Ok(Login::None)
            }
        }
    }
}

fn setting(look: &dyn Look, entry: &Entry, above: &[Entry], field: &Field) -> (String, Origin) {
    let given = |e: &Entry| e.settings.get(field.id).filter(|v| !v.is_empty()).cloned();
    if let Some(value) = given(entry) {
        return (value, Origin::Own);
    }
    if field.inherits {
        for folder in above {
            if let Some(value) = given(folder) {
                return (value, Origin::Inherited(look.path(&folder.id)));
            }
        }
    }
    (field.default.to_owned(), Origin::Default)
}

fn ancestors(look: &dyn Look, entry: &Entry) -> Vec<Entry> {
    let mut out = Vec::new();
    let mut up = entry.parent;
    while let Some(parent) = up.and_then(|id| look.entry(&id)) {
        up = if out.len() >= MAX_CHAIN { None } else { parent.parent };
        out.push(parent);
    }
    out
}

/// Ids of a list setting as paths.
pub fn named(look: &dyn Look, list: &str) -> String {
    let names = list.split(',').map(str::trim).filter(|w| !w.is_empty());
    let names = names.map(|w| match w.parse::<EntryId>() {
        Ok(id) if look.entry(&id).is_some() => look.path(&id),
        _ => format!("?{w}"),
    });
    names.collect::<Vec<_>>().join(", ")
}

/// The keys a client trusts at a place.
pub fn pins_of(client: &Entry, at: &HostPort) -> Vec<PinnedKey> {
    let Some(all) = client.settings.get(&format!("{PIN_PREFIX}{at}")) else { return Vec::new() };
    let pins = all.lines().filter_map(|l| l.split_once(' '));
    pins.map(|(algorithm, fingerprint)| PinnedKey {
        at: at.clone(),
        algorithm: algorithm.to_owned(),
        fingerprint: fingerprint.to_owned(),
    })
    .collect()
}

/// The keys a client trusts at an entry's host and port.
pub fn pins_of_entry(client: &Entry, entry: &Entry) -> Vec<PinnedKey> {
    let places = client.settings.keys().filter_map(|key| pinned_place(key));
    places.filter(|at| is_place_of(entry, at)).flat_map(|at| pins_of(client, &at)).collect()
}

/// The place whose keys a setting of a client holds, if it is one of those.
pub fn pinned_place(setting: &str) -> Option<HostPort> {
    let (host, port) = setting.strip_prefix(PIN_PREFIX)?.rsplit_once(':')?;
    let host = host.trim_matches(['[', ']']).to_owned();
    Some(HostPort { host, port: port.parse().ok()? })
}

/// Whether a place is where an entry leads, or the gateway on its way there: another
/// port of the host may be another server.
pub fn is_place_of(entry: &Entry, at: &HostPort) -> bool {
    let own = place_of(entry);
    let same_host = at.host.to_lowercase() == own.host.to_lowercase();
    let gateway = (entry.kind.word() == rdp::ID).then(|| rdp::gateway_of(&entry.settings));
    let its = |gateway: &HostPort| {
        gateway.host.to_lowercase() == at.host.to_lowercase() && gateway.port == at.port
    };
    !own.host.is_empty() && same_host && at.port == own.port
        || gateway.flatten().as_ref().is_some_and(its)
}

/// Where an entry leads.
fn place_of(entry: &Entry) -> HostPort {
    let bare = || HostPort { host: entry.host.trim().to_owned(), port: entry.port.unwrap_or(0) };
    connect::by_kind(&entry.kind).map_or_else(bare, |c| c.place(entry))
}

/// Adds a key to those a client trusts.
pub fn pin(client: &mut Entry, key: &PinnedKey) {
    let lines = client.settings.entry(format!("{PIN_PREFIX}{}", key.at)).or_default();
    let line = format!("{} {}", key.algorithm, key.fingerprint);
    if !lines.lines().any(|l| l == line) {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&line);
    }
}
