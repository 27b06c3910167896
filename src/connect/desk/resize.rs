//! When the server is asked for another size (MS-RDPEDISP): the last wish counts,
//! and one at a time. Time is an argument.

use std::time::{Duration, Instant};

use crate::connect::screen::ScreenSize;

/// A window that is being pulled rests this long before the server hears of it.
const REST: Duration = Duration::from_millis(150);
/// A server that has not followed within this time will not.
const FOLLOWS: Duration = Duration::from_secs(4);

/// What size is wanted, and what the server knows of it.
pub struct Resize {
    wanted: Option<(ScreenSize, Instant)>,
    asked: Option<Instant>,
    /// What the server was told last.
    told: ScreenSize,
}

impl Resize {
    /// The server was told `size` when the session began.
    pub fn new(size: ScreenSize) -> Self {
        Self { wanted: None, asked: None, told: size.fitting() }
    }

    /// The person wants this size.
    pub fn wish(&mut self, size: ScreenSize, now: Instant) {
        self.wanted = Some((size.fitting(), now + REST));
    }

    /// When to look again, if there is something to look at.
    pub fn due(&self) -> Option<Instant> {
        let (_, rested) = self.wanted?;
        Some(self.asked.map_or(rested, |asked| rested.max(asked + FOLLOWS)))
    }

    /// What the server is to be asked for now, if anything. Say with
    /// [`Resize::asked`] that it was.
    pub fn ready(&mut self, now: Instant) -> Option<ScreenSize> {
        let due = self.due()?;
        let (size, _) = self.wanted?;
        if size == self.told {
            self.wanted = None;
            return None;
        }
        (now >= due).then_some(size)
    }

    /// The server was asked for `size`.
    pub fn asked(&mut self, size: ScreenSize, now: Instant) {
        (self.wanted, self.asked, self.told) = (None, Some(now), size);
    }

    /// The server cannot be asked yet, or never: later perhaps.
    pub fn put_off(&mut self, now: Instant) {
        self.asked = Some(now);
    }

    /// The server can be asked, or has followed.
    pub fn free(&mut self) {
        self.asked = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(width: u16) -> ScreenSize {
        ScreenSize { width, height: 700, scale: 100 }
    }

    #[test]
    fn only_the_last_of_many_sizes_is_asked_for_and_one_at_a_time() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let mut resize = Resize::new(size(1000));
        assert_eq!((resize.due(), resize.ready(at(0))), (None, None));
        resize.wish(size(1100), at(0));
        resize.wish(size(1200), at(100));
        assert_eq!(resize.ready(at(160)), None, "it is still being pulled");
        assert_eq!(resize.due(), Some(at(250)));
        assert_eq!(resize.ready(at(250)), Some(size(1200)));
        resize.asked(size(1200), at(250));
        assert_eq!(resize.ready(at(251)), None);
        resize.wish(size(1300), at(300));
        assert_eq!(resize.ready(at(500)), None, "the server has not followed yet");
        resize.free();
        assert_eq!(resize.ready(at(500)), Some(size(1300)));
        resize.asked(size(1300), at(500));
        // One that never follows is asked again in the end.
        resize.wish(size(1400), at(600));
        assert_eq!(resize.ready(at(4_500)), Some(size(1400)));
        resize.asked(size(1400), at(4_500));
        resize.free();
        resize.wish(size(1400), at(4_600));
        assert_eq!((resize.ready(at(9_000)), resize.due()), (None, None), "it has that size");
    }
}
