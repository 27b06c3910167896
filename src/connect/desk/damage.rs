//! Which parts of a picture the person has not seen yet. Bounded, whatever the
//! server paints: parts are put together rather than kept apart.

use crate::connect::screen::{CopyRect, Place};

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

/// What of `part` lies in `all`, of no size if nothing does.
fn within(part: Place, all: Place) -> Place {
    let (x, y) = (part.x.clamp(all.x, right(all)), part.y.clamp(all.y, bottom(all)));
    let (right, bottom) = (right(part).min(right(all)), bottom(part).min(bottom(all)));
    Place { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
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

    /// A part was copied: what is new in it is new there as well.
    pub fn copied(&mut self, copy: CopyRect) {
        let from = copy.from();
        let new: Vec<Place> = self
            .parts
            .iter()
            .map(|part| within(*part, from))
            .map(|part| Place {
                x: part.x - from.x + copy.to.x,
                y: part.y - from.y + copy.to.y,
                ..part
            })
            .collect();
        new.into_iter().for_each(|part| self.add(part));
    }

    /// Whether one part that is new holds all of this one.
    pub fn holds(&self, place: Place) -> bool {
        self.parts.iter().any(|part| within(place, *part) == place)
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

    /// A picture of 20 by 20 and what happens to it: a part is painted, or copied.
    type Happening = (bool, (u16, u16), (u16, u16), (u16, u16));

    proptest! {
        #[test]
        fn copies_and_what_is_new_make_the_same_picture(
            happens in prop::collection::vec(
                (any::<bool>(), (0u16..12, 0u16..12), (0u16..12, 0u16..12), (1u16..8, 1u16..8)),
                0..60,
            ),
        ) {
            let (mut near, mut far) = (vec![0u32; 400], vec![0u32; 400]);
            let mut damage = Damage::default();
            let mut colour = 0;
            let happens: Vec<Happening> = happens;
            for (is_copy, (from_x, from_y), (x, y), (width, height)) in happens {
                let to = Place { x, y, width, height };
                let copy = CopyRect { from_x, from_y, to };
                colour += 1;
                if is_copy {
                    damage.copied(copy);
                }
                for picture in [&mut near, &mut far] {
                    let before = picture.clone();
                    for row in 0..height {
                        for column in 0..width {
                            let at = |x: u16, y: u16| {
                                usize::from(y + row) * 20 + usize::from(x + column)
                            };
                            picture[at(x, y)] =
                                if is_copy { before[at(from_x, from_y)] } else { colour };
                        }
                    }
                    // What is painted is not seen at the other end.
                    colour += 1;
                }
                if !is_copy {
                    damage.add(to);
                }
                for (i, (near, far)) in near.iter().zip(&far).enumerate() {
                    let (x, y) = ((i % 20) as u16, (i / 20) as u16);
                    prop_assert!(near == far || covers(&damage.parts, x, y));
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
