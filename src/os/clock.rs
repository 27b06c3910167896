//! The machine's clocks. The only place they are read.

#![expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::time::Time;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// What the wall clock says. It may jump; a clock before 1970 counts as 1970.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Time since the first call in this process. Never goes back.
pub fn monotonic() -> Duration {
    START.elapsed()
}
