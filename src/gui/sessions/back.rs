//! When a connection that broke is made again: how often, and after which time. Time
//! and chance are arguments; connects nothing.

use std::time::{Duration, Instant};

use crate::connect::Failure;

/// Attempts after a break.
pub const TRIES: u32 = 12;
/// Seconds before each, half of it to half as much again: what broke together must not
/// come back in the same second. The last goes on counting.
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
    pub fn after(
        why: Failure,
        before: u32,
        since: Instant,
        (now, chance): (Instant, u16),
    ) -> Option<Self> {
        let steady = now.saturating_duration_since(since) >= STEADY;
        let attempt = if steady { 1 } else { before + 1 };
        let due = Some(now + wait(attempt, chance));
        (attempt <= TRIES).then_some(Self { why, attempt, due })
    }

    /// The attempt came to nothing: the next one.
    pub fn again(self, now: Instant, chance: u16) -> Option<Self> {
        let attempt = self.attempt + 1;
        let due = Some(now + wait(attempt, chance));
        (attempt <= TRIES).then_some(Self { attempt, due, ..self })
    }
}

/// From half the time to half as much again, as chance has it.
fn wait(attempt: u32, chance: u16) -> Duration {
    let last = WAITS_SECS.len() - 1;
    let place = usize::try_from(attempt.saturating_sub(1)).unwrap_or(last).min(last);
    let whole = Duration::from_secs(WAITS_SECS[place]);
    whole / 2 + whole * u32::from(chance) / (1 << 16)
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
        /// Neither sooner nor later than in the table.
        const EVEN: u16 = 1 << 15;
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut back = Back::after(why.clone(), 0, at(0), (at(5), EVEN));
        let mut waits = Vec::new();
        while let Some(next) = back {
            waits.push(next.due.expect("it waits") - at(5));
            back = next.again(at(5), EVEN);
        }
        let secs: Vec<u64> = waits.iter().map(Duration::as_secs).collect();
        assert_eq!(secs, [1, 2, 4, 8, 15, 30, 30, 30, 30, 30, 30, 30]);
        // One that breaks at once each time is given up in the end, too.
        let soon = Back::after(why.clone(), 3, at(10), (at(69), EVEN)).expect("some are left");
        assert_eq!((soon.attempt, soon.due), (4, Some(at(77))));
        assert_eq!(Back::after(why.clone(), TRIES, at(10), (at(69), EVEN)), None);
        let late = Back::after(why.clone(), TRIES, at(10), (at(70), EVEN)).expect("it held");
        assert_eq!(late.attempt, 1);
        // What broke together comes back at different times, each within its bounds.
        let due = |chance| {
            let back = Back::after(why.clone(), 0, at(0), (at(0), chance)).expect("the first");
            let second = back.clone().again(at(0), chance).expect("the second");
            [back, second].map(|back| back.due.expect("it waits") - start)
        };
        let millis = |times: [Duration; 2]| times.map(|time| time.as_millis());
        assert_eq!(millis(due(0)), [500, 1000]);
        assert_eq!(millis(due(u16::MAX)), [1499, 2999]);
    }
}
