//! What takes sessions of far sides up again after a break, as their servers gave
//! it: for the same member, entry and place, until it is used or the vault is locked.
//! Writes nothing anywhere.

use std::collections::VecDeque;

use crate::model::id::{EntryId, MemberId, SessionId};
use crate::model::target::HostPort;
use crate::secret::SecretBytes;

/// Sessions of which it is kept, the newest last.
const MOST: usize = 64;

/// What is kept, each for one session.
#[derive(Default)]
pub(in crate::app) struct Resumes(VecDeque<Resume>);

struct Resume {
    session: SessionId,
    member: MemberId,
    /// An entry that leads elsewhere since then gives nothing of this away there.
    hop: (HostPort, EntryId),
    with: SecretBytes,
}

impl Resumes {
    /// The server of `session` gave this, in place of what it gave before.
    pub(super) fn keep(
        &mut self,
        session: SessionId,
        member: MemberId,
        hop: &(HostPort, EntryId),
        with: SecretBytes,
    ) {
        self.forget(session);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back(Resume { session, member, hop: hop.clone(), with });
    }

    /// A copy for one attempt of the same member at the same entry and place.
    pub(super) fn of(
        &self,
        session: SessionId,
        member: MemberId,
        hop: &(HostPort, EntryId),
    ) -> Option<SecretBytes> {
        let kept = self.0.iter().find(|kept| kept.session == session)?;
        let same = kept.member == member && kept.hop == *hop;
        same.then(|| kept.with.duplicate())
    }

    /// It is of no use any more.
    pub(super) fn forget(&mut self, session: SessionId) {
        self.0.retain(|kept| kept.session != session);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_resumes_a_session_is_for_its_member_and_entry_alone_and_the_oldest_go_first() {
        let (ada, bob) = (MemberId([1; 16]), MemberId([2; 16]));
        let place =
            |host: &str, n: u8| (HostPort { host: host.to_owned(), port: 3389 }, EntryId([n; 16]));
        let (srv, other, moved) = (place("srv", 3), place("srv", 4), place("elsewhere", 3));
        let id = |n: u8| SessionId([n; 16]);
        let mut kept = Resumes::default();
        kept.keep(id(1), ada, &srv, SecretBytes::new(vec![1]));
        kept.keep(id(1), ada, &srv, SecretBytes::new(vec![2]));
        let given = kept.of(id(1), ada, &srv).map(|with| with.expose(<[u8]>::to_vec));
        assert_eq!(given, Some(vec![2]), "the newest");
        for (session, member, hop) in
            [(1, bob, &srv), (1, ada, &other), (1, ada, &moved), (2, ada, &srv)]
        {
            assert!(kept.of(id(session), member, hop).is_none());
        }
        for n in 2..=u8::try_from(MOST).expect("few") + 1 {
            kept.keep(id(n), bob, &other, SecretBytes::new(vec![n]));
        }
        assert!(kept.of(id(1), ada, &srv).is_none() && kept.of(id(2), bob, &other).is_some());
        kept.forget(id(2));
        assert!(kept.of(id(2), bob, &other).is_none());
    }
}
