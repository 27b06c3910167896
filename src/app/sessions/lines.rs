//! What the worker is told of a session, and the audit lines that come of it;
//! while locked they are sealed for the next unlock. Never opens or closes one.

use crate::app::api::AppError;
use crate::app::draft;
use crate::app::unlock::put_late;
use crate::app::worker::Worker;
use crate::connect::FailureKind;
use crate::connect::link::LinkInfo;
use crate::model::audit_event::{Event, field};
use crate::model::id::SessionId;
use crate::vault::waiting::ends_session;

use super::through::detail;
use super::{Ask, Closing, Running};

impl Worker {
    pub(in crate::app) fn session(&mut self, ask: Ask) -> Result<(), AppError> {
        match ask {
            Ask::Keep(id, kept) => {
                let (way, accepted, link) = *kept;
                let accepted: Vec<_> =
                    accepted.into_iter().map(|k| (k.at.to_string(), k.fingerprint)).collect();
                self.pool.keep(id, way, &accepted, link);
                Ok(())
            }
            Ask::Resume(id, with) => {
                let (Some(running), Some(open)) = (self.sessions.get(&id), &mut self.open) else {
                    return Err(AppError::locked());
                };
                if let Some(hop) = running.hops.last() {
                    open.resumes.keep(id, running.member, hop, with);
                }
                Ok(())
            }
            Ask::Vpn(id, step, why) => self.line(id, Event::VpnChanged, true, |f| {
                f.push((field::DETAIL, detail(step, why.as_ref())));
            }),
            Ask::Opened(id, info) => {
                if let Some(running) = self.sessions.get_mut(&id) {
                    running.learn(&info);
                    // The server gives another one.
                    if let (Some(before), Some(open)) = (running.after.take(), &mut self.open) {
                        open.resumes.forget(before);
                    }
                }
                self.line(id, Event::SessionOpened, true, |f| {
                    f.push((field::DETAIL, opened_detail(&info)));
                })
            }
            Ask::Failed(id, why, kind, ms) => {
                let done = self.line(id, Event::SessionFailed, false, |f| {
                    f.push((field::DURATION_MS, ms.to_string()));
                    f.push((field::DETAIL, format!("{}: {why}", word(kind))));
                });
                self.sessions.remove(&id);
                done
            }
            Ask::Refused(id, key, why) => self.line(id, Event::HostKeyRefused, false, |f| {
                f.push((field::HOST_KEY, key));
                if !why.is_empty() {
                    f.push((field::DETAIL, why));
                }
            }),
            Ask::Pin(id, key) => {
                let running = self.sessions.get(&id).ok_or_else(AppError::locked)?;
                // A jump host may be another client's: its key is pinned there.
                let hop = running.hops.iter().find(|(at, _)| *at == key.at);
                let entry = hop.or(running.hops.last()).map(|(_, entry)| *entry);
                let entry = entry.ok_or_else(AppError::locked)?;
                let fields = running.fields.clone();
                self.opened()?.pin(entry, fields, &key)
            }
        }
    }

    /// Logs the end of a session; while locked, sealed for the next unlock.
    pub(in crate::app) fn session_closed(&mut self, c: Closing) {
        let end = |f: &mut Vec<(&'static str, String)>| {
            f.push((field::DURATION_MS, c.ms.to_string()));
            f.push((field::BYTES_IN, c.bytes_in.to_string()));
            f.push((field::BYTES_OUT, c.bytes_out.to_string()));
            f.push((field::EXIT, c.exit.clone()));
            if !c.detail.is_empty() {
                f.push((field::DETAIL, c.detail.clone()));
            }
        };
        // If the store refuses this last line there is nobody to tell and nothing
        // to undo: the session is over, and its opening stands in the log.
        let _ = self.line(c.id, Event::SessionClosed, true, end);
        self.sessions.remove(&c.id);
        self.pool.ended(c.id);
        // What did not break is not taken up again.
        let broke = c.detail.starts_with(&format!("{}: ", word(FailureKind::Network)));
        if let Some(open) = self.open.as_mut().filter(|_| !broke) {
            open.resumes.forget(c.id);
        }
    }

    pub(super) fn line(
        &mut self,
        id: SessionId,
        event: Event,
        ok: bool,
        more: impl FnOnce(&mut Vec<(&'static str, String)>),
    ) -> Result<(), AppError> {
        let Some(running) = self.sessions.get_mut(&id) else { return Err(AppError::locked()) };
        let (member, over) = (running.member, running.page || ends_session(event));
        let mut fields = running.fields.clone();
        if event != Event::HostKeyRefused {
            fields.push((field::HOST_KEY, running.host_key.clone()));
        }
        more(&mut fields);
        // While it is read only, as while it is locked, the line waits.
        let waiting = fields.clone();
        let done = match self.open.as_mut().filter(|open| !open.read_only) {
            Some(open) => open.write(|v, rows, env| {
                let mut line = draft(v, env, event, ok);
                if v.me != member {
                    // Of another member's session: this process opened it for that
                    // one, as for the lines that were sealed while it was locked.
                    line.actor = Some(member);
                    line.fields.clear();
                }
                if over {
                    v.state.end_session(&id);
                }
                line.fields.extend(fields);
                Ok(v.log(rows, env, line)?)
            }),
            None => return put_late(&self.file, &mut running.late, event, ok, waiting),
        };
        // Who was removed meanwhile writes no line; the end of the session is told.
        done.or_else(|e| match ends_session(event) {
            true => put_late(&self.file, &mut running.late, event, ok, waiting),
            false => Err(e),
        })
    }
}

impl Running {
    /// What only the open link knows: the key that was shown, and the login that a
    /// person typed. The lines after it tell them too.
    fn learn(&mut self, info: &LinkInfo) {
        self.host_key.clone_from(&info.host_key);
        let user =
            |(name, value): &(&str, String)| *name == field::REMOTE_USER && !value.is_empty();
        if !self.fields.iter().any(user) {
            self.fields.push((field::REMOTE_USER, info.user.clone()));
        }
    }
}

fn opened_detail(info: &LinkInfo) -> String {
    let warnings = info.warnings.iter().map(|w| w.en.clone());
    let forwards = info.forwards.iter().cloned();
    let all = std::iter::once(info.description.clone()).chain(warnings).chain(forwards);
    all.collect::<Vec<_>>().join("; ")
}

pub(super) fn word(kind: FailureKind) -> String {
    serde_json::to_string(&kind).map(|s| s.trim_matches('"').to_owned()).unwrap_or_default()
}
