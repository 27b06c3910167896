//! Links that stay open for the next session to the same target, so that a
//! second connection costs a channel and not a login. Holds no secret.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::connect::link::Link;
use crate::model::target::Target;

/// A link unused for so long is closed.
const IDLE: Duration = Duration::from_secs(600);

/// Open links by target.
#[derive(Default)]
pub(super) struct Pool(Vec<Kept>);

struct Kept {
    target: Target,
    link: Arc<dyn Link>,
    used: Instant,
}

impl Pool {
    /// A live link to exactly this target: same hosts, users, keys and settings.
    pub(super) fn find(&mut self, target: &Target) -> Option<Arc<dyn Link>> {
        self.prune();
        let kept = self.0.iter_mut().find(|k| same(&k.target, target))?;
        kept.used = Instant::now();
        Some(Arc::clone(&kept.link))
    }

    /// Keeps a link.
    pub(super) fn keep(&mut self, target: Target, link: Arc<dyn Link>) {
        self.prune();
        self.0.push(Kept { target, link, used: Instant::now() });
    }

    /// Drops dead links, and idle ones that nobody holds but the pool.
    pub(super) fn prune(&mut self) {
        self.0.retain(|k| {
            let idle = k.used.elapsed() > IDLE && Arc::strong_count(&k.link) == 1;
            if idle {
                k.link.close();
            }
            !idle && k.link.alive()
        });
    }

    /// Closes every link.
    pub(super) fn close(&mut self) {
        self.0.drain(..).for_each(|k| k.link.close());
    }
}

/// A key pinned during the first connection does not make another target.
fn same(a: &Target, b: &Target) -> bool {
    let bare = |t: &Target| {
        let mut t = t.clone();
        t.hops.iter_mut().for_each(|h| h.pinned.clear());
        t
    };
    bare(a) == bare(b)
}
