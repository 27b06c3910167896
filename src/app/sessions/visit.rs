//! The page of a web entry: the same rights and lines as a session's, but no
//! secret leaves the vault, and nobody could tell when the visit ends.

use crate::app::api::{AppError, At, Justification, PageView, Reply};
use crate::app::entries::{Looker, locate, need};
use crate::app::worker::Worker;
use crate::app::{address, draft, people, plan, tickets};
use crate::connect::web::{self, PageFault};
use crate::connect::{self, FailureKind, Opens};
use crate::model::audit_event::{Event, field};
use crate::model::entry::Entry;
use crate::model::id::SessionId;
use crate::model::policy::Action;
use crate::model::target::{Hop, HostPort};
use crate::os::random;

use super::Running;
use super::lines::word;
use super::prepare::{broken, infos};

/// Whether an entry is a page.
pub(super) fn is_page(entry: &Entry) -> bool {
    connect::by_kind(&entry.kind).is_some_and(|c| c.opens() == Opens::Browser)
}

/// The address of a page, and where it leads.
///
/// # Errors
/// It is not to be opened.
pub(super) fn page_of<'a>(
    entry: &'a Entry,
    dest: &'a Hop,
) -> Result<(&'a str, HostPort), AppError> {
    let url = web::address(&entry.host, &dest.settings);
    let at = web::page(url).map_err(|fault| match fault {
        PageFault::NoPage => address::refused_web(url),
        PageFault::Password => address::password_in(&entry.name),
    })?;
    Ok((url, at))
}

/// Puts the ticket into the address of a page that is another one for each.
///
/// # Errors
/// There is no ticket, or the page is not to be opened.
pub(super) fn fill_ticket(
    entry: &Entry,
    dest: &mut Hop,
    just: &Justification,
) -> Result<(), AppError> {
    let url = web::address(&entry.host, &dest.settings).to_owned();
    if !web::wants_ticket(&url) {
        return Ok(());
    }
    page_of(entry, dest)?;
    let ticket = just.ticket.as_deref().unwrap_or_default();
    let page = web::ticket_page(&url, ticket).ok_or_else(tickets::wanted)?;
    dest.settings.insert(web::LOGIN_URL.to_owned(), page);
    Ok(())
}

impl Worker {
    /// Logs that the page is about to open; its address.
    pub(in crate::app) fn visit(
        &mut self,
        at: &At,
        just: &Justification,
    ) -> Result<Reply, AppError> {
        let open = self.opened()?;
        let (entry, resolved, member) = open.read(|v, rows| {
            need(v, Action::Connect)?;
            let node = locate(v, at)?;
            let entry = v.entry(rows, &node.id)?;
            let resolved = plan::resolve(&Looker { v, rows }, &entry);
            tickets::all_justified(&infos(v, rows, &resolved.clients)?, just)?;
            Ok((entry, resolved, v.me))
        })?;
        broken(&resolved.plan)?;
        let page = is_page(&entry);
        let Some(mut target) = resolved.target.filter(|_| page) else {
            return Err(AppError::usage(
                ("Cette entrée n’ouvre pas de page web.", "This entry opens no web page."),
                ("Choisissez une entrée web.", "Choose a web entry."),
            ));
        };
        if let Some(dest) = target.hops.last_mut() {
            fill_ticket(&entry, dest, just)?;
        }
        let dest = target.destination();
        let (url, at) = page_of(&entry, dest)?;
        let id = SessionId(random::id());
        let fields = vec![
            (field::CONNECTOR, entry.kind.to_string()),
            (field::SESSION, id.to_string()),
            (field::REMOTE_USER, dest.user.clone()),
            (field::HOST, at.host),
            (field::PORT, at.port.to_string()),
        ];
        let mut about = Vec::new();
        let late = open.write(|v, rows, env| {
            let mut line = draft(v, env, Event::SessionOpening, true);
            people::about(v, &entry.summary(), &mut line);
            people::why(just, &mut line);
            about = line.fields.clone();
            line.fields.extend(fields.clone());
            v.log(rows, env, line)?;
            v.state.begin_session(id, member);
            Ok(v.late_key(id)?)
        })?;
        about.extend(fields);
        let (url, user) = (url.to_owned(), dest.user.clone());
        let (hops, host_key) = (Vec::new(), String::new());
        let running =
            Running { member, fields: about, host_key, hops, page: true, after: None, late };
        self.sessions.insert(id, running);
        Ok(Reply::Page(PageView { session: id, url, user }))
    }

    /// Logs what became of it.
    pub(in crate::app) fn visited(
        &mut self,
        id: SessionId,
        opened: bool,
    ) -> Result<Reply, AppError> {
        // The lines of other sessions are not for who asks this.
        if self.sessions.get(&id).is_none_or(|running| !running.page) {
            return Err(AppError::no_entry(&id.to_string()));
        }
        let event = if opened { Event::SessionOpened } else { Event::SessionFailed };
        let done = self.line(id, event, opened, |fields| {
            if !opened {
                let why = format!("{}: no browser could be opened", word(FailureKind::Helper));
                fields.push((field::DETAIL, why));
            }
        });
        self.sessions.remove(&id);
        done.map(|()| Reply::Done)
    }
}
