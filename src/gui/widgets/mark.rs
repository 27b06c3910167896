//! The mark of the product: a postern, the small back gate of a fortress.

use egui::{Color32, CornerRadius, Painter, Rect, Shape, Stroke, pos2, vec2};

/// Paints the mark into `rect`: an arch in `ground` with a keyhole in `sign`.
pub fn paint(painter: &Painter, rect: Rect, ground: Color32, sign: Color32) {
    let side = rect.width().min(rect.height());
    let unit = side / 46.0;
    let centre = rect.center();
    let left = centre.x - 17.0 * unit;
    let right = centre.x + 17.0 * unit;
    let spring = centre.y - 4.0 * unit;
    let foot = centre.y + 21.0 * unit;
    let mut points = vec![pos2(left, foot), pos2(left, spring)];
    for i in 0..=24 {
        let angle = std::f32::consts::PI * (1.0 - i as f32 / 24.0);
        let at = vec2(angle.cos(), -angle.sin()) * 17.0 * unit;
        points.push(pos2(centre.x, spring) + at);
    }
    points.push(pos2(right, foot));
    painter.add(Shape::convex_polygon(points, ground, Stroke::NONE));
    painter.circle_filled(pos2(centre.x, centre.y - unit), 5.0 * unit, sign);
    let slot =
        Rect::from_center_size(pos2(centre.x, centre.y + 7.0 * unit), vec2(4.4, 11.0) * unit);
    painter.rect_filled(slot, CornerRadius::same(1), sign);
}
