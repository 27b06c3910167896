//! When the protocol has something to do next. The protocol keeps its own timers
//! (section 6.1 of its paper) but does not tell them, and would be asked ten times a
//! second; these follow the same events. A wrong guess costs one waking, nothing else.

use std::time::{Duration, Instant};

const REKEY_AFTER: Duration = Duration::from_secs(120);
const REJECT_AFTER: Duration = Duration::from_secs(180);
const REKEY_ATTEMPT: Duration = Duration::from_secs(90);
const REKEY_TIMEOUT: Duration = Duration::from_secs(5);
const KEEPALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// So that what is due has come by the protocol's own clock as well.
const SLACK: Duration = Duration::from_millis(20);
/// Before a sign of life that was not sent is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// What happened last, and when.
pub struct Timers {
    keepalive: Option<Duration>,
    sign: Instant,
    asked: Instant,
    sent: Option<Instant>,
    data_sent: Option<Instant>,
    received: Option<Instant>,
    data_received: Option<Instant>,
    established: Option<Instant>,
    initiated: Option<Instant>,
    wanted: Option<Instant>,
}

impl Timers {
    /// Those of a tunnel that gives a sign of life every `keepalive` seconds.
    pub fn new(keepalive: Option<u16>, now: Instant) -> Self {
        Self {
            keepalive: keepalive.map(|secs| Duration::from_secs(secs.into())),
            sign: now,
            asked: now,
            sent: None,
            data_sent: None,
            received: None,
            data_received: None,
            established: None,
            initiated: None,
            wanted: None,
        }
    }

    /// Something was sent; data, or a sign of life.
    pub fn sent(&mut self, data: bool, now: Instant) {
        self.sent = Some(now);
        if data {
            self.data_sent = Some(now);
        }
    }

    /// Something came from the server; data, or a sign of life.
    pub fn received(&mut self, data: bool, now: Instant) {
        self.received = Some(now);
        if data {
            self.data_received = Some(now);
        }
    }

    /// A handshake was asked for.
    pub fn initiated(&mut self, now: Instant) {
        self.initiated = Some(now);
        self.wanted.get_or_insert(now);
        self.sent = Some(now);
    }

    /// One is done.
    pub fn established(&mut self, now: Instant) {
        self.established = Some(now);
        self.received = Some(now);
        (self.initiated, self.wanted) = (None, None);
    }

    /// Handshakes were given up; another one may follow.
    pub fn gave_up(&mut self) {
        (self.initiated, self.established) = (None, None);
        (self.data_sent, self.data_received) = (None, None);
    }

    /// Since when a handshake is wanted in vain.
    pub fn wanted(&self) -> Option<Instant> {
        self.wanted
    }

    /// The protocol was asked what is to be done; whether that was a sign of life.
    pub fn asked(&mut self, sign: bool, now: Instant) {
        self.asked = now;
        if sign && self.keepalive.is_some_and(|every| now >= self.sign + every) {
            self.sign = now;
        }
    }

    /// When it is to be asked next.
    pub fn next(&self) -> Option<Instant> {
        let after = |from: Option<Instant>, other: Option<Instant>, delay| {
            from.filter(|from| other.is_none_or(|other| other < *from)).map(|from| from + delay)
        };
        let since = |what: Option<Instant>, delay: Duration| {
            let what = what.filter(|what| self.established.is_some_and(|at| at < *what));
            what.and(self.established).map(|at| at + delay)
        };
        let ends = self.established.map(|at| at + REJECT_AFTER);
        let expires = self.established.map(|at| at + REJECT_AFTER * 3);
        let in_progress = self.initiated.is_some();
        let quiet = KEEPALIVE_TIMEOUT + REKEY_TIMEOUT;
        let answered = self.received.map(|at| at + quiet);
        let due = match in_progress {
            true => [
                self.initiated.map(|at| at + REKEY_TIMEOUT),
                self.wanted.map(|at| at + REKEY_ATTEMPT),
                None,
                None,
            ],
            false => [
                since(self.data_sent, REKEY_AFTER),
                since(self.data_received, REJECT_AFTER - quiet),
                after(self.data_sent, self.received, Duration::ZERO).and(answered),
                after(self.data_received, self.sent, Duration::ZERO)
                    .and(self.sent)
                    .map(|at| at + KEEPALIVE_TIMEOUT),
            ],
        };
        // What was due when the protocol was asked has been done, or was no case.
        let due = due.into_iter().chain([ends, expires]).flatten().map(|at| at + SLACK);
        let sign = self.keepalive.filter(|_| !in_progress).map(|every| {
            let at = self.sign + every + SLACK;
            if at > self.asked { at } else { self.asked + AGAIN }
        });
        due.filter(|at| *at > self.asked).chain(sign).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// When it is to be asked next, in seconds after `begun`.
    fn next(timers: &Timers, begun: Instant) -> Option<u64> {
        timers.next().map(|at| (at - begun).as_secs())
    }

    #[test]
    fn an_idle_tunnel_wakes_for_its_signs_of_life_alone() {
        let begun = Instant::now();
        let mut timers = Timers::new(Some(25), begun);
        timers.initiated(begun);
        assert_eq!(next(&timers, begun), Some(5));
        timers.established(begun + secs(1));
        timers.sent(false, begun + secs(1));
        assert_eq!(next(&timers, begun), Some(25));
        timers.sent(false, begun + secs(26));
        timers.asked(true, begun + secs(26));
        assert_eq!(next(&timers, begun), Some(51));
    }

    #[test]
    fn data_calls_for_answers_and_new_keys() {
        let begun = Instant::now();
        let mut timers = Timers::new(None, begun);
        timers.initiated(begun);
        timers.established(begun);
        assert_eq!(next(&timers, begun), Some(180), "the keys end");
        timers.sent(true, begun + secs(3));
        assert_eq!(next(&timers, begun), Some(15), "no answer to data");
        timers.received(true, begun + secs(4));
        assert_eq!(next(&timers, begun), Some(13), "an answer is owed");
        timers.sent(false, begun + secs(13));
        timers.asked(false, begun + secs(13));
        assert_eq!(next(&timers, begun), Some(120), "new keys");
    }

    #[test]
    fn a_server_that_is_gone_is_asked_every_five_seconds() {
        let begun = Instant::now();
        let mut timers = Timers::new(Some(25), begun);
        for n in 0..4 {
            timers.initiated(begun + secs(5 * n));
            timers.asked(false, begun + secs(5 * n));
            assert_eq!(next(&timers, begun), Some(5 * n + 5));
        }
        assert_eq!(timers.wanted(), Some(begun));
    }
}
