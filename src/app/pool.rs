//! Links that stay open for the next session to the same place by the same
//! login, so that a second connection costs a channel and not a login. Holds no
//! secret; trusts no server key that its client no longer does. One whose ports
//! are forwarded, or that goes through a VPN, serves sessions side by side, and ends
//! with the last of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connect::link::Link;
use crate::model::entry::Slot;
use crate::model::id::{CellId, EntryId, MemberId, SessionId};
use crate::model::target::Target;

/// A link unused for so long is closed.
pub(super) const IDLE: Duration = Duration::from_secs(600);

/// Where a session goes, and as whom: another value of any of it is another way.
#[derive(Clone)]
pub(super) struct Way {
    /// Hosts, users, keys and settings.
    pub(super) target: Target,
    /// The VPN that it goes through.
    pub(super) vpn: Option<EntryId>,
    /// Who connects: what a person typed is nobody else's.
    pub(super) member: MemberId,
    /// The stored secrets that each hop gets: a changed one is another cell.
    pub(super) logins: Vec<BTreeMap<Slot, CellId>>,
}

/// Open links by the way they go.
#[derive(Default)]
pub(super) struct Pool(Vec<Kept>);

struct Kept {
    way: Way,
    /// The keys that the servers on the way may have shown, by hop.
    seen: Vec<Vec<String>>,
    link: Arc<dyn Link>,
    used: Instant,
    /// Not for another session any more.
    retired: bool,
    /// The sessions that go over it.
    sessions: Vec<SessionId>,
    /// Ports listen for it, or a VPN is up for it.
    listens: bool,
}

impl Pool {
    /// A live link that goes exactly this way, past servers whose keys are all
    /// still pinned.
    pub(super) fn find(&mut self, way: &Way) -> Option<Arc<dyn Link>> {
        self.prune();
        let fits = |k: &&mut Kept| !k.retired && k.way.same(way) && k.still_pinned(&way.target);
        let kept = self.0.iter_mut().find(fits)?;
        kept.used = Instant::now();
        Some(Arc::clone(&kept.link))
    }

    /// Another session goes over a link that [`Pool::find`] gave.
    pub(super) fn joined(&mut self, session: SessionId, link: &Arc<dyn Link>) {
        let same = |k: &&mut Kept| Arc::ptr_eq(&k.link, link);
        if let Some(kept) = self.0.iter_mut().find(same) {
            kept.sessions.push(session);
        }
    }

    /// A session is over. Its link is closed if nobody is to use it again: what
    /// a person opened a port for ends when they see it end.
    pub(super) fn ended(&mut self, session: SessionId) {
        self.0.retain_mut(|k| {
            k.sessions.retain(|id| *id != session);
            let over = k.sessions.is_empty() && (k.listens || k.retired);
            if over {
                k.link.close();
            }
            !over
        });
    }

    /// Keeps the link of a session. `accepted` are the fingerprints that were
    /// not pinned before, by the place they were seen at.
    pub(super) fn keep(
        &mut self,
        session: SessionId,
        way: Way,
        accepted: &[(String, String)],
        link: Arc<dyn Link>,
    ) {
        self.prune();
        let seen = way.target.hops.iter().map(|hop| {
            let at = hop.at.to_string();
            let new = accepted.iter().find(|(place, _)| *place == at);
            match new {
                Some((_, print)) => vec![print.clone()],
                None => hop.pinned.iter().map(|k| k.fingerprint.clone()).collect(),
            }
        });
        let mut seen: Vec<Vec<String>> = seen.collect();
        let info = link.info();
        let (shown, listens) = (info.host_key, !info.forwards.is_empty() || !info.vpn.is_empty());
        if let Some(last) = seen.last_mut().filter(|_| !shown.is_empty()) {
            *last = vec![shown];
        }
        let (used, sessions) = (Instant::now(), vec![session]);
        self.0.push(Kept { way, seen, link, used, retired: false, sessions, listens });
    }

    /// Drops dead links, and idle ones that nobody holds but the pool.
    pub(super) fn prune(&mut self) {
        self.0.retain(|k| {
            let old = k.retired || k.used.elapsed() > IDLE;
            let idle = old && Arc::strong_count(&k.link) == 1;
            if idle {
                k.link.close();
            }
            !idle && k.link.alive()
        });
    }

    /// True when nothing is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Closes idle links, and those in use once they are idle; none of them is
    /// for another session.
    pub(super) fn retire(&mut self) {
        self.0.iter_mut().for_each(|k| k.retired = true);
        self.prune();
    }

    /// Closes every link.
    pub(super) fn close(&mut self) {
        self.0.drain(..).for_each(|k| k.link.close());
    }
}

impl Kept {
    fn still_pinned(&self, now: &Target) -> bool {
        let trusted = |(seen, hop): (&Vec<String>, &crate::model::target::Hop)| {
            seen.iter().all(|print| hop.pinned.iter().any(|k| k.fingerprint == *print))
        };
        self.seen.iter().zip(&now.hops).all(trusted)
    }
}

impl Way {
    /// A key pinned during the first connection does not make another way.
    fn same(&self, other: &Self) -> bool {
        let bare = |t: &Target| {
            let mut t = t.clone();
            t.hops.iter_mut().for_each(|h| h.pinned.clear());
            t
        };
        self.member == other.member
            && self.vpn == other.vpn
            && self.logins == other.logins
            && bare(&self.target) == bare(&other.target)
    }
}
