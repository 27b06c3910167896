//! The mark as pixels, for the desktop's list of windows.

use egui::{IconData, Vec2, vec2};

const SIDE: usize = 64;
/// Samples in each direction of a pixel, for smooth edges.
const FINE: usize = 4;
const GROUND: [u8; 3] = [0x1f, 0x6f, 0xb8];

/// The window's icon.
pub fn icon() -> IconData {
    let mut rgba = Vec::with_capacity(SIDE * SIDE * 4);
    for pixel in 0..SIDE * SIDE {
        let (x, y) = (pixel % SIDE, pixel / SIDE);
        let (mut ground, mut sign) = (0, 0);
        for sample in 0..FINE * FINE {
            let place = |at: usize, fine: usize| at as f32 + (fine as f32 + 0.5) / FINE as f32;
            let at = vec2(place(x, sample % FINE), place(y, sample / FINE));
            // From the middle, in the units of the painted mark.
            let at = (at - Vec2::splat(SIDE as f32 / 2.0)) * (46.0 / SIDE as f32);
            if keyhole(at) {
                sign += 1;
            } else if arch(at) {
                ground += 1;
            }
        }
        let all = ground + sign;
        let mix = |colour: u8| (usize::from(colour) * ground + 255 * sign) / all.max(1);
        rgba.extend(GROUND.map(|c| mix(c) as u8));
        rgba.push((all * 255 / (FINE * FINE)) as u8);
    }
    IconData { rgba, width: SIDE as u32, height: SIDE as u32 }
}

/// The gate, as the painted mark has it: straight below its spring, round above.
fn arch(at: Vec2) -> bool {
    let spring = vec2(0.0, -4.0);
    let straight = at.x.abs() <= 17.0 && (spring.y..=21.0).contains(&at.y);
    straight || (at - spring).length() <= 17.0 && at.y <= spring.y
}

fn keyhole(at: Vec2) -> bool {
    let slot = at.x.abs() <= 2.2 && (1.5..=12.5).contains(&at.y);
    slot || (at - vec2(0.0, -1.0)).length() <= 5.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The colour in the middle of the keyhole, of the gate, and beside it.
    #[test]
    fn the_gate_stands_on_nothing_and_has_a_keyhole() {
        let icon = icon();
        assert_eq!(icon.rgba.len(), SIDE * SIDE * 4);
        let at = |x: usize, y: usize| &icon.rgba[(y * SIDE + x) * 4..][..4];
        assert_eq!(at(32, 31), [255, 255, 255, 255]);
        assert_eq!(at(16, 50), [GROUND[0], GROUND[1], GROUND[2], 255]);
        assert_eq!(at(0, 0)[3], 0);
    }
}
