//! When a connection that broke is made again: how often, and after which time. Time
//! is an argument; connects nothing.

use std::time::{Duration, Instant};

use crate::connect::Failure;

/// Attempts after a break.
pub const TRIES: u32 = 12;
/// Seconds before each; the last goes on counting.
const WAITS_SECS: [u64; 6] = [1, 2, 4, 8, 15, 30];
/// One that broke again sooner counts as the same break.
const STEADY: Duration = Duration::from_secs(60);

/// A connection that broke and is made again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Back {
    /// Why it broke.
    pub why: Failure,
    /// The attempt that is next, or under way.
    pub attempt: u32,
    /// When it begins; `None` while it is under way.
    pub due: Option<Instant>,
}

impl Back {
    /// After a break `now` of a connection that was open since then, whose attempts
    /// before were so many; `None` when there were enough.
    pub fn after(why: Failure, before: u32, since: Instant, now: Instant) -> Option<Self> {
        let steady = now.saturating_duration_since(since) >= STEADY;
        let attempt = if steady { 1 } else { before + 1 };
        (attempt <= TRIES).then(|| Self { why, attempt, due: Some(now + wait(attempt)) })
    }

    /// The attempt came to nothing: the next one.
    pub fn again(self, now: Instant) -> Option<Self> {
        let attempt = self.attempt + 1;
        (attempt <= TRIES).then(|| Self { attempt, due: Some(now + wait(attempt)), ..self })
    }
}

fn wait(attempt: u32) -> Duration {
    let last = WAITS_SECS.len() - 1;
    let place = usize::try_from(attempt - 1).unwrap_or(last).min(last);
    Duration::from_secs(WAITS_SECS[place])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::FailureKind;
    use crate::model::lang::Bi;

    #[test]
    fn attempts_become_rarer_and_end() {
        let why = Failure {
            kind: FailureKind::Network,
            what: Bi::new("coupée", "broke"),
            todo: Bi::new("rien", "nothing"),
        };
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut back = Back::after(why.clone(), 0, at(0), at(5));
        let mut waits = Vec::new();
        while let Some(next) = back {
            waits.push(next.due.expect("it waits") - at(5));
            back = next.again(at(5));
        }
        let secs: Vec<u64> = waits.iter().map(Duration::as_secs).collect();
        assert_eq!(secs, [1, 2, 4, 8, 15, 30, 30, 30, 30, 30, 30, 30]);
        // One that breaks at once each time is given up in the end, too.
        let soon = Back::after(why.clone(), 3, at(10), at(69)).expect("some are left");
        assert_eq!((soon.attempt, soon.due), (4, Some(at(77))));
        assert_eq!(Back::after(why.clone(), TRIES, at(10), at(69)), None);
        let late = Back::after(why, TRIES, at(10), at(70)).expect("it held");
        assert_eq!(late.attempt, 1);
    }
}
