//! Which parts of a picture the person has not seen yet. Bounded, whatever the
//! server paints: parts are put together rather than kept apart.

use crate::connect::screen::Place;

/// Most parts that are kept apart.
const PARTS_MAX: usize = 48;

/// Parts of the picture that are new.
#[derive(Default)]
pub struct Damage {
    parts: Vec<Place>,
}

fn right(place: Place) -> u16 {
    place.x.saturating_add(place.width)
}

fn bottom(place: Place) -> u16 {
    place.y.saturating_add(place.height)
}

fn around(a: Place, b: Place) -> Place {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    let (right, bottom) = (right(a).max(right(b)), bottom(a).max(bottom(b)));
    Place { x, y, width: right - x, height: bottom - y }
}

impl Damage {
    /// This part is new.
    pub fn add(&mut self, place: Place) {
        if place.pixels() == 0 {
            return;
        }
        // Parts that together cover hardly more than apart are one.
        let mut new = place;
        while let Some(at) = self.parts.iter().position(|part| {
            let whole = around(*part, new).pixels();
            whole <= (part.pixels() + new.pixels()) + whole / 8
        }) {
            new = around(self.parts.swap_remove(at), new);
        }
        self.parts.push(new);
        if self.parts.len() > PARTS_MAX {
            let whole = self.parts.drain(..).reduce(around);
            self.parts.extend(whole);
        }
    }

    /// Nothing is new any more.
    pub fn clear(&mut self) {
        self.parts.clear();
    }

    /// Whether nothing is new.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Takes a part of at most `pixels`, whole rows of one that is new; `None` when
    /// nothing is new or not even one row fits.
    pub fn take(&mut self, pixels: usize) -> Option<Place> {
        let part = self.parts.last_mut()?;
        let rows = pixels / usize::from(part.width);
        if rows >= usize::from(part.height) {
            return self.parts.pop();
        }
        let height = u16::try_from(rows).ok().filter(|rows| *rows > 0)?;
        let taken = Place { height, ..*part };
        part.y += height;
        part.height -= height;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn covers(parts: &[Place], x: u16, y: u16) -> bool {
        parts.iter().any(|p| (p.x..right(*p)).contains(&x) && (p.y..bottom(*p)).contains(&y))
    }

    proptest! {
        #[test]
        fn what_is_new_is_taken_whole_and_in_bounds(
            new in prop::collection::vec((0u16..90, 0u16..90, 1u16..10, 1u16..10), 0..120),
            limit in 10usize..200,
        ) {
            let new: Vec<Place> = new
                .into_iter()
                .map(|(x, y, width, height)| Place { x, y, width, height })
                .collect();
            let mut damage = Damage::default();
            for place in &new {
                damage.add(*place);
                prop_assert!(damage.parts.len() <= PARTS_MAX);
            }
            let mut taken = Vec::new();
            while let Some(place) = damage.take(limit.max(100)) {
                prop_assert!(place.pixels() <= limit.max(100));
                prop_assert!(right(place) <= 100 && bottom(place) <= 100);
                taken.push(place);
            }
            prop_assert!(damage.is_empty());
            for place in &new {
                for (x, y) in [(place.x, place.y), (right(*place) - 1, bottom(*place) - 1)] {
                    prop_assert!(covers(&taken, x, y));
                }
            }
        }
    }

    #[test]
    fn a_row_that_does_not_fit_waits() {
        let mut damage = Damage::default();
        damage.add(Place { x: 0, y: 0, width: 100, height: 3 });
        assert_eq!(damage.take(99), None);
        assert_eq!(damage.take(250), Some(Place { x: 0, y: 0, width: 100, height: 2 }));
        assert_eq!(damage.take(250), Some(Place { x: 0, y: 2, width: 100, height: 1 }));
        assert!(damage.is_empty());
    }

    #[test]
    fn far_parts_stay_apart_and_near_ones_come_together() {
        let mut damage = Damage::default();
        damage.add(Place { x: 0, y: 0, width: 8, height: 8 });
        damage.add(Place { x: 900, y: 700, width: 8, height: 8 });
        damage.add(Place { x: 8, y: 0, width: 8, height: 8 });
        assert_eq!(damage.parts.len(), 2);
        damage.clear();
        assert!(damage.is_empty());
    }
}
