//! Whether and how a session may open: role, ticket, plan; then its opening line
//! and the secrets it needs. Never starts anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::api::{AppError, Code};
use crate::app::entries::{Looker, locate, need};
use crate::app::pool::Way;
use crate::app::worker::{Open, Worker};
use crate::app::{ConnectRequest, draft, people, plan, tickets};
use crate::connect::link::Link;
use crate::connect::{self, Opens, serial};
use crate::model::audit_event::{Event, field};
use crate::model::entry::{ClientInfo, Slot};
use crate::model::id::{EntryId, SessionId};
use crate::model::lang::Bi;
use crate::model::plan::Plan;
use crate::model::policy::Action;
use crate::model::target::Target;
use crate::os::random;
use crate::vault::rows::Rows;
use crate::vault::unlocked::Unlocked;

use super::visit::{fill_ticket, is_page, page_of};
use super::{Prepared, Running};

impl Worker {
    pub(in crate::app) fn prepare(
        &mut self,
        request: &ConnectRequest,
        before: Option<SessionId>,
    ) -> Result<Prepared, AppError> {
        let pool = &mut self.pool;
        let reuse = request.reuse;
        let open = self.open.as_mut().ok_or_else(AppError::locked)?;
        let (prepared, running) =
            open.prepare(request, before, |way| if reuse { pool.find(way) } else { None })?;
        if let Some(link) = &prepared.open {
            self.pool.joined(prepared.id, link);
        }
        self.sessions.insert(prepared.id, running);
        Ok(prepared)
    }
}

impl Open {
    fn prepare(
        &mut self,
        request: &ConnectRequest,
        before: Option<SessionId>,
        find: impl FnOnce(&Way) -> Option<Arc<dyn Link>>,
    ) -> Result<(Prepared, Running), AppError> {
        let at = &request.at;
        let (entry, resolved, member, logins) = self.read(|v, rows| {
            need(v, Action::Connect)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            let resolved = plan::resolve(&Looker { v, rows }, &entry);
            tickets::all_justified(&infos(v, rows, &resolved.clients)?, &request.just)?;
            let mut logins = Vec::with_capacity(resolved.givers.len());
            for givers in &resolved.givers {
                let mut cells = BTreeMap::new();
                for (slot, giver) in givers {
                    let stored = v.entry(rows, giver)?.secrets.get(slot).map(|s| s.cell);
                    cells.extend(stored.map(|cell| (slot.clone(), cell)));
                }
                logins.push(cells);
            }
            Ok((entry, resolved, v.me, logins))
        })?;
        let connector = connect::by_kind(&entry.kind);
        if connector.is_none() && !entry.kind.is_container() {
            return Err(AppError::no_connector(&entry.kind));
        }
        broken(&resolved.plan)?;
        let opens = |target: Target| {
            let connector = connector?;
            let opens = connector.opens_with(&target.destination().settings);
            (opens == Opens::Session).then_some((target, connector))
        };
        let Some((mut target, connector)) = resolved.target.and_then(opens) else {
            let kinds = connect::all().iter().filter(|c| c.opens() != Opens::Details);
            let kinds = kinds.map(|c| c.id()).collect::<Vec<_>>().join(", ");
            return Err(AppError {
                code: Code::Usage,
                what: Bi::new(
                    "Cette entrée n’ouvre pas de session.",
                    "This entry opens no session.",
                ),
                todo: Bi::new(
                    format!(
                        "Les types qui en ouvrent\u{a0}: {kinds}. Voyez les autres avec `poterne show`."
                    ),
                    format!(
                        "The kinds that open one: {kinds}. See the others with `poterne show`."
                    ),
                ),
            });
        };
        let id = SessionId(random::id());
        if let Some(dest) = target.hops.last_mut().filter(|_| is_page(&entry)) {
            fill_ticket(&entry, dest, &request.just)?;
            page_of(&entry, dest)?;
        }
        let dest = target.destination();
        let hops: Vec<String> =
            target.hops[..target.hops.len() - 1].iter().map(|h| h.at.to_string()).collect();
        let mut fields = vec![
            (field::CONNECTOR, entry.kind.to_string()),
            (field::SESSION, id.to_string()),
            (field::HOPS, hops.join(",")),
            (field::REMOTE_USER, dest.user.clone()),
        ];
        if !dest.at.host.is_empty() {
            fields.push((field::HOST, dest.at.host.clone()));
            fields.push((field::PORT, dest.at.port.to_string()));
        } else if let Some(device) = dest.settings.get(serial::DEVICE) {
            fields.push((field::HOST, device.clone()));
        }
        let pins: Vec<&str> = dest.pinned.iter().map(|k| k.fingerprint.as_str()).collect();
        let host_key = pins.join(",");
        let hops: Vec<_> = target.hops.iter().map(|h| (h.at.clone(), h.entry)).collect();
        if let Some(accepted) = &request.accept_host_key {
            self.pinned_otherwise(&target, accepted, &entry, &fields)?;
        }
        let last = target.hops.len() - 1;
        let resume = request.after.and_then(|id| self.resumes.of(id, member, &hops[last]));
        if resume.is_some() {
            target.hops[last].slots.push(connect::resume_slot());
        }
        let vpn = resolved.vpn;
        let way = Way { target, vpn: vpn.as_ref().map(|vpn| vpn.entry), member, logins };
        let open = find(&way);
        let offered: Vec<(usize, Slot)> = if open.is_some() {
            Vec::new()
        } else {
            let slots = resolved.givers.iter().enumerate();
            let last = way.target.hops.len() - 1;
            let more = |n: usize, s: &Slot| n == last && connector.takes(s);
            slots
                .flat_map(|(n, g)| g.keys().map(move |s| (n, s.clone())))
                .filter(|(n, s)| plan::LOGIN.contains(s) || more(*n, s))
                .collect()
        };
        // Each secret is told of under the entry that holds it, wherever on the
        // way and for whatever entry it serves.
        let mut filled: BTreeMap<EntryId, Vec<String>> = BTreeMap::new();
        for (hop, slot) in &offered {
            let giver = resolved.givers[*hop].get(slot).copied().unwrap_or(entry.id);
            let slots = filled.entry(giver).or_default();
            if !slots.contains(&slot.to_string()) {
                slots.push(slot.to_string());
            }
        }
        let mut about = Vec::new();
        let late = self.write(|v, rows, env| {
            let mut line = draft(v, env, Event::SessionOpening, true);
            people::about(v, &entry.summary(), &mut line);
            people::why(&request.just, &mut line);
            about = line.fields.clone();
            line.fields.extend(fields.clone());
            line.fields.push((field::HOST_KEY, host_key.clone()));
            let detail = match (request.after, before, &vpn) {
                (Some(broken), ..) => format!("after {broken}"),
                (None, Some(session), _) => format!("for {session}"),
                (None, None, Some(vpn)) => format!("vpn {}", vpn.path),
                (None, None, None) => String::new(),
            };
            if !detail.is_empty() {
                line.fields.push((field::DETAIL, detail));
            }
            v.log(rows, env, line)?;
            for (giver, slots) in &filled {
                let mut line = draft(v, env, Event::SecretFilled, true);
                let node = v.index.get(giver).ok_or_else(|| AppError::no_entry(&giver.to_string()));
                people::about_secret(v, &node?, &mut line);
                people::why(&request.just, &mut line);
                line.fields.push((field::CONNECTOR, entry.kind.to_string()));
                line.fields.push((field::SESSION, id.to_string()));
                line.fields.push((field::SLOT, slots.join(",")));
                if *giver != entry.id {
                    line.fields.push((field::DETAIL, format!("→ {}", resolved.plan.path)));
                }
                v.log(rows, env, line)?;
            }
            v.state.begin_session(id, member);
            Ok(v.late_key(id)?)
        })?;
        let secrets = self.read(|v, rows| {
            let mut out = BTreeMap::new();
            out.extend(resume.map(|with| ((last, connect::resume_slot()), with)));
            for (hop, slot) in offered {
                let Some(giver) = resolved.givers[hop].get(&slot) else { continue };
                let from = v.entry(rows, giver)?;
                out.insert((hop, slot.clone()), v.secret(rows, &from, &slot)?);
            }
            Ok::<_, AppError>(out)
        })?;
        about.extend(fields);
        let after = request.after;
        let running = Running { member, fields: about, host_key, hops, page: false, after, late };
        Ok((
            Prepared { id, connector, way, secrets, open, vpn, just: request.just.clone() },
            running,
        ))
    }
}

/// Refuses a way with something missing on it.
pub(super) fn broken(plan: &Plan) -> Result<(), AppError> {
    let Some(broken) = plan.broken.first() else { return Ok(()) };
    Err(AppError {
        code: Code::Other,
        what: broken.clone(),
        todo: Bi::new(
            format!("Voyez `poterne plan \"{}\"` et réparez la chaîne.", plan.path),
            format!("See `poterne plan \"{}\"` and mend the chain.", plan.path),
        ),
    })
}

/// Names of clients, and what each asks for.
pub(in crate::app) fn infos(
    v: &Unlocked,
    rows: &dyn Rows,
    clients: &[EntryId],
) -> Result<Vec<(String, ClientInfo)>, AppError> {
    let info = |id| {
        let client = v.entry(rows, id)?;
        Ok((client.name, client.client_info.unwrap_or_default()))
    };
    clients.iter().map(info).collect()
}
