//! Draws box lines, blocks, shades, Braille and powerline triangles from
//! geometry instead of a font, so that they join without gaps at any size.
//! Works in whole pixels of one cell; knows no screen position.

/// A filled shape inside a cell, in pixels from its top left corner.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Part {
    /// Left, top, right, bottom and how much of the text colour, 0 to 1.
    Rect([f32; 4], f32),
    /// Three corners.
    Triangle([[f32; 2]; 3]),
}

/// Arms of U+2500 to U+257F: up, right, down, left; 1 light, 2 heavy, 3 double.
/// Zero in all four means that the character is drawn otherwise.
const ARMS: [&str; 8] = [
    "0101 0202 1010 2020 0000 0000 0000 0000 0000 0000 0000 0000 0110 0210 0120 0220",
    "0011 0012 0021 0022 1100 1200 2100 2200 1001 1002 2001 2002 1110 1210 2110 1120",
    "2120 2210 1220 2220 1011 1012 2011 1021 2021 2012 1022 2022 0111 0112 0211 0212",
    "0121 0122 0221 0222 1101 1102 1201 1202 2101 2102 2201 2202 1111 1112 1211 1212",
    "2111 1121 2121 2112 2211 1122 1221 2212 1222 2122 2221 2222 0000 0000 0000 0000",
    "0303 3030 0310 0130 0330 0013 0031 0033 1300 3100 3300 1003 3001 3003 1310 3130",
    "3330 1013 3031 3033 0313 0131 0333 1303 3101 3303 1313 3131 3333 0000 0000 0000",
    "0000 0000 0000 0000 0001 1000 0100 0010 0002 2000 0200 0020 0201 1020 0102 2010",
];

/// The shapes of `c` in a cell of `w` by `h` pixels, if it is one of these.
pub(super) fn parts(c: char, w: f32, h: f32, out: &mut Vec<Part>) -> bool {
    out.clear();
    match c {
        '\u{2500}'..='\u{257F}' => lines(c, w, h, out),
        '\u{2580}'..='\u{259F}' => blocks(c, w, h, out),
        '\u{2800}'..='\u{28FF}' => braille(c, w, h, out),
        '\u{E0B0}' => out.push(Part::Triangle([[0.0, 0.0], [w, h / 2.0], [0.0, h]])),
        '\u{E0B2}' => out.push(Part::Triangle([[w, 0.0], [0.0, h / 2.0], [w, h]])),
        _ => return false,
    }
    !out.is_empty()
}

fn arms(c: char) -> Option<[u8; 4]> {
    table().get((c as usize).checked_sub(0x2500)?).copied()
}

fn table() -> &'static [[u8; 4]; 128] {
    static TABLE: std::sync::LazyLock<[[u8; 4]; 128]> = std::sync::LazyLock::new(build_table);
    &TABLE
}

fn build_table() -> [[u8; 4]; 128] {
    let mut table = [[0; 4]; 128];
    let words = ARMS.iter().flat_map(|line| line.split(' '));
    for (arms, word) in table.iter_mut().zip(words) {
        for (arm, digit) in arms.iter_mut().zip(word.bytes()) {
            *arm = digit - b'0';
        }
    }
    table
}

fn light(w: f32) -> f32 {
    (w / 8.0).round().max(1.0)
}

fn lines(c: char, w: f32, h: f32, out: &mut Vec<Part>) {
    let thin = light(w);
    match c {
        '\u{2504}' | '\u{2508}' | '\u{254C}' | '\u{2505}' | '\u{2509}' | '\u{254D}' => {
            dashes(c, w, h, true, out);
        }
        '\u{2506}' | '\u{250A}' | '\u{254E}' | '\u{2507}' | '\u{250B}' | '\u{254F}' => {
            dashes(c, w, h, false, out);
        }
        '\u{256D}'..='\u{2570}' => arc(c, w, h, thin, out),
        '\u{2571}'..='\u{2573}' => diagonals(c, w, h, thin, out),
        _ => {
            if let Some(arms) = arms(c) {
                cross(arms, w, h, thin, out);
            }
        }
    }
}

fn dashes(c: char, w: f32, h: f32, horizontal: bool, out: &mut Vec<Part>) {
    let n = c as u32;
    let count: f32 = match n {
        0x2504..=0x2507 => 3.0,
        0x2508..=0x250B => 4.0,
        _ => 2.0,
    };
    let thick = if n % 2 == 1 { 2.0 * light(w) } else { light(w) };
    let length = if horizontal { w } else { h };
    let step = length / count;
    let gap = (step / 3.0).round().max(1.0);
    for i in 0..count as usize {
        let from = (i as f32 * step).round();
        let to = ((i + 1) as f32 * step).round() - gap;
        if horizontal {
            let top = ((h - thick) / 2.0).floor();
            out.push(Part::Rect([from, top, to, top + thick], 1.0));
        } else {
            let left = ((w - thick) / 2.0).floor();
            out.push(Part::Rect([left, from, left + thick, to], 1.0));
        }
    }
}

/// Lines from the edges to the middle. Double lines keep a gap of one line's
/// width, and stop where the crossing double line runs.
fn cross([up, right, down, left]: [u8; 4], w: f32, h: f32, thin: f32, out: &mut Vec<Part>) {
    let x0 = ((w - thin) / 2.0).floor();
    let y0 = ((h - thin) / 2.0).floor();
    let gap = thin;
    // Left and top of the pair of lines on either side of the middle line.
    let (xa, xb) = (x0 - gap, x0 + gap);
    let (ya, yb) = (y0 - gap, y0 + gap);
    let heavy_x = [x0 - (thin / 2.0).ceil(), x0 + thin + (thin / 2.0).floor()];
    let heavy_y = [y0 - (thin / 2.0).ceil(), y0 + thin + (thin / 2.0).floor()];
    let vertical_heavy = up == 2 || down == 2;
    let horizontal_heavy = left == 2 || right == 2;
    let vertical_double = up == 3 || down == 3;
    let horizontal_double = left == 3 || right == 3;
    let span = |weight: u8, thin_at: f32, heavy: [f32; 2]| match weight {
        2 => heavy,
        _ => [thin_at, thin_at + thin],
    };
    // How far single arms reach into the middle.
    let (mid_left, mid_right) =
        if vertical_heavy { (heavy_x[0], heavy_x[1]) } else { (x0, x0 + thin) };
    let (mid_top, mid_bottom) =
        if horizontal_heavy { (heavy_y[0], heavy_y[1]) } else { (y0, y0 + thin) };
    let mut rect = |l: f32, t: f32, r: f32, b: f32| out.push(Part::Rect([l, t, r, b], 1.0));

    if right == 1 || right == 2 {
        let [t, b] = span(right, y0, heavy_y);
        let start = match (vertical_double, up == 3 && down == 3) {
            (true, true) if left == 0 => xb,
            (true, _) if left == 0 => xa,
            _ => mid_left,
        };
        rect(start, t, w, b);
    }
    if left == 1 || left == 2 {
        let [t, b] = span(left, y0, heavy_y);
        let end = match (vertical_double, up == 3 && down == 3) {
            (true, true) if right == 0 => xa + thin,
            (true, _) if right == 0 => xb + thin,
            _ => mid_right,
        };
        rect(0.0, t, end, b);
    }
    if down == 1 || down == 2 {
        let [l, r] = span(down, x0, heavy_x);
        let start = match (horizontal_double, left == 3 && right == 3) {
            (true, true) if up == 0 => yb,
            (true, _) if up == 0 => ya,
            _ => mid_top,
        };
        rect(l, start, r, h);
    }
    if up == 1 || up == 2 {
        let [l, r] = span(up, x0, heavy_x);
        let end = match (horizontal_double, left == 3 && right == 3) {
            (true, true) if down == 0 => ya + thin,
            (true, _) if down == 0 => yb + thin,
            _ => mid_bottom,
        };
        rect(l, 0.0, r, end);
    }
    // Each half of a double arm ends at the near line of a crossing double arm
    // on its side, at the far one round a corner, else in the middle.
    let reach = |near: u8, far: u8, inner: f32, outer: f32, middle: f32| match (near, far) {
        (3, _) => inner,
        (_, 3) => outer,
        _ => middle,
    };
    if right == 3 {
        rect(reach(up, down, xb, xa, x0), ya, w, ya + thin);
        rect(reach(down, up, xb, xa, x0), yb, w, yb + thin);
    }
    if left == 3 {
        rect(0.0, ya, reach(up, down, xa, xb, x0) + thin, ya + thin);
        rect(0.0, yb, reach(down, up, xa, xb, x0) + thin, yb + thin);
    }
    if down == 3 {
        rect(xa, reach(left, right, yb, ya, y0), xa + thin, h);
        rect(xb, reach(right, left, yb, ya, y0), xb + thin, h);
    }
    if up == 3 {
        rect(xa, 0.0, xa + thin, reach(left, right, ya, yb, y0) + thin);
        rect(xb, 0.0, xb + thin, reach(right, left, ya, yb, y0) + thin);
    }
}

/// A rounded corner: a quarter of a ring, and straight ends to the edges.
fn arc(c: char, w: f32, h: f32, thin: f32, out: &mut Vec<Part>) {
    let x0 = ((w - thin) / 2.0).floor();
    let y0 = ((h - thin) / 2.0).floor();
    let (to_right, to_down) = match c {
        '\u{256D}' => (true, true),
        '\u{256E}' => (false, true),
        '\u{256F}' => (false, false),
        _ => (true, false),
    };
    let mid = thin / 2.0;
    let radius = (w.min(h) / 2.0).floor() - mid;
    let (cx, cy) = (
        x0 + mid + if to_right { radius } else { -radius },
        y0 + mid + if to_down { radius } else { -radius },
    );
    let (sx, sy) = (if to_right { -1.0 } else { 1.0 }, if to_down { -1.0 } else { 1.0 });
    let steps = 8;
    let at = |i: usize, r: f32| {
        let angle = std::f32::consts::FRAC_PI_2 * i as f32 / steps as f32;
        [cx + sx * r * angle.cos(), cy + sy * r * angle.sin()]
    };
    for i in 0..steps {
        let (a, b) = (at(i, radius - mid), at(i, radius + mid));
        let (c, d) = (at(i + 1, radius - mid), at(i + 1, radius + mid));
        out.push(Part::Triangle([a, b, c]));
        out.push(Part::Triangle([b, d, c]));
    }
    if to_right {
        out.push(Part::Rect([cx, y0, w, y0 + thin], 1.0));
    } else {
        out.push(Part::Rect([0.0, y0, cx, y0 + thin], 1.0));
    }
    if to_down {
        out.push(Part::Rect([x0, cy, x0 + thin, h], 1.0));
    } else {
        out.push(Part::Rect([x0, 0.0, x0 + thin, cy], 1.0));
    }
}

fn diagonals(c: char, w: f32, h: f32, thin: f32, out: &mut Vec<Part>) {
    let half = thin / 2.0 * (w * w + h * h).sqrt() / h;
    if c != '\u{2572}' {
        out.push(Part::Triangle([[w - half, 0.0], [w + half, 0.0], [half, h]]));
        out.push(Part::Triangle([[w - half, 0.0], [half, h], [-half, h]]));
    }
    if c != '\u{2571}' {
        out.push(Part::Triangle([[-half, 0.0], [half, 0.0], [w + half, h]]));
        out.push(Part::Triangle([[-half, 0.0], [w + half, h], [w - half, h]]));
    }
}

fn blocks(c: char, w: f32, h: f32, out: &mut Vec<Part>) {
    let n = c as u32;
    let (mid_x, mid_y) = ((w / 2.0).round(), (h / 2.0).round());
    let eighth_x = |k: u32| (w * k as f32 / 8.0).round();
    let eighth_y = |k: u32| (h * k as f32 / 8.0).round();
    let mut rect = |l: f32, t: f32, r: f32, b: f32| out.push(Part::Rect([l, t, r, b], 1.0));
    match n {
        0x2580 => rect(0.0, 0.0, w, mid_y),
        0x2581..=0x2588 => rect(0.0, h - eighth_y(n - 0x2580), w, h),
        0x2589..=0x258F => rect(0.0, 0.0, eighth_x(0x2590 - n), h),
        0x2590 => rect(mid_x, 0.0, w, h),
        0x2591..=0x2593 => out.push(Part::Rect([0.0, 0.0, w, h], 0.25 * (n - 0x2590) as f32)),
        0x2594 => rect(0.0, 0.0, w, eighth_y(1)),
        0x2595 => rect(w - eighth_x(1), 0.0, w, h),
        _ => {
            // Quadrants: upper left 1, upper right 2, lower left 4, lower right 8.
            let set = [4, 8, 1, 13, 9, 7, 11, 2, 6, 14][(n - 0x2596) as usize];
            for (bit, l, t, r, b) in [
                (1, 0.0, 0.0, mid_x, mid_y),
                (2, mid_x, 0.0, w, mid_y),
                (4, 0.0, mid_y, mid_x, h),
                (8, mid_x, mid_y, w, h),
            ] {
                if set & bit != 0 {
                    rect(l, t, r, b);
                }
            }
        }
    }
}

fn braille(c: char, w: f32, h: f32, out: &mut Vec<Part>) {
    let dots = c as u32 - 0x2800;
    let size = (w / 4.0).round().max(1.0);
    for (bit, col, row) in
        [(0, 0, 0), (1, 0, 1), (2, 0, 2), (3, 1, 0), (4, 1, 1), (5, 1, 2), (6, 0, 3), (7, 1, 3)]
    {
        if dots & (1 << bit) != 0 {
            let x = (w * (0.25 + 0.5 * col as f32) - size / 2.0).round();
            let y = (h * (0.125 + 0.25 * row as f32) - size / 2.0).round();
            out.push(Part::Rect([x, y, x + size, y + size], 1.0));
        }
    }
    if dots == 0 {
        // An empty pattern is drawn by nothing, which is also a drawing.
        out.push(Part::Rect([0.0; 4], 0.0));
    }
}
