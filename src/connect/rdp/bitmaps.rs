//! Plain bitmaps (MS-RDPBCGR section 2.2.9.1.1.3.1.2), painted row by row: nearly all
//! that a server without RemoteFX sends. Reads and decompresses nothing itself, and
//! leaves to the session's stage whatever is something else, or odd.

use ironrdp_core::{ReadCursor, decode_cursor};
use ironrdp_graphics::color_conversion::{rdp_15bit_to_rgb, rdp_16bit_to_rgb};
use ironrdp_graphics::rdp6::BitmapStreamDecoder;
use ironrdp_graphics::rle::{self, RlePixelFormat};
use ironrdp_pdu::bitmap::{BitmapData, Compression};
use ironrdp_pdu::fast_path::{
    FastPathHeader, FastPathUpdate, FastPathUpdatePdu, Fragmentation, UpdateCode,
};
use ironrdp_pdu::geometry::InclusiveRectangle;
use ironrdp_pdu::mcs;
use ironrdp_pdu::rdp::headers::{self, ShareDataPdu};
use ironrdp_pdu::slow_path::{
    GraphicsUpdateType, decode_slow_path_bitmap, read_graphics_update_type,
};

use crate::connect::screen::{PIXEL, Place};

/// A picture: red, green, blue and opacity for each pixel, from the top.
pub struct Canvas {
    /// Pixels in a row.
    pub width: u16,
    /// Rows.
    pub height: u16,
    /// All of them.
    pub pixels: Vec<u8>,
}

impl Canvas {
    /// One that looks like a picture of this size.
    pub fn like(width: u16, height: u16, pixels: &[u8]) -> Self {
        let mut pixels = pixels.to_vec();
        pixels.as_chunks_mut::<PIXEL>().0.iter_mut().for_each(|[.., opacity]| *opacity = 255);
        Self { width, height, pixels }
    }

    /// Takes this part from a picture of the same size, but for what is transparent there.
    pub fn take(&mut self, from: &[u8], part: Place) {
        let stride = usize::from(self.width.max(1)) * PIXEL;
        let start = usize::from(part.x) * PIXEL;
        let end = (start + usize::from(part.width) * PIXEL).min(stride);
        let rows = self.pixels.chunks_exact_mut(stride).zip(from.chunks_exact(stride));
        for (to, from) in rows.skip(usize::from(part.y)).take(part.height.into()) {
            let (Some(to), Some(from)) = (to.get_mut(start..end), from.get(start..end)) else {
                return;
            };
            let pixels = to.as_chunks_mut::<PIXEL>().0.iter_mut().zip(from.as_chunks().0);
            pixels.filter(|(_, from)| from[3] == 255).for_each(|(to, from)| *to = *from);
        }
    }
}

/// How the pixels of a bitmap lie in memory (MS-RDPBCGR section 2.2.9.1.1.3.1.2.2).
#[derive(Clone, Copy)]
enum Layout {
    Rgb24,
    Bgr24,
    Bgrx32,
    Rgb16,
    Rgb15,
}

/// Decompresses and paints.
#[derive(Default)]
pub struct Painter {
    planar: BitmapStreamDecoder,
    room: Vec<u8>,
}

/// The update in a frame of the slow path, which is that of xrdp; `None` where it holds
/// something else.
pub fn update(frame: &[u8], io_channel: u16) -> Option<Vec<u8>> {
    let data = mcs::decode_send_data_indication(frame).ok()?;
    if data.channel_id != io_channel {
        return None;
    }
    let share = headers::decode_share_data(data).ok()?;
    match share.pdu {
        ShareDataPdu::Update(update) if share.compression_flags.is_empty() => Some(update),
        _ => None,
    }
}

/// The bitmaps of an update of the slow path; `None` where it is something else.
pub fn of_update(update: &[u8]) -> Option<Vec<BitmapData<'_>>> {
    let mut input = ReadCursor::new(update);
    match read_graphics_update_type(&mut input).ok()? {
        GraphicsUpdateType::Bitmap => Some(decode_slow_path_bitmap(&mut input).ok()?.rectangles),
        _ => None,
    }
}

/// The bitmaps of a frame of the fast path; `None` unless they are all that it holds, in
/// whole and in order.
pub fn of_frame(frame: &[u8]) -> Option<Vec<BitmapData<'_>>> {
    let mut input = ReadCursor::new(frame);
    let header: FastPathHeader = decode_cursor(&mut input).ok()?;
    if !header.flags.is_empty() || input.is_empty() {
        return None;
    }
    let mut all = Vec::new();
    while !input.is_empty() {
        let update: FastPathUpdatePdu<'_> = decode_cursor(&mut input).ok()?;
        if update.update_code != UpdateCode::Bitmap
            || update.fragmentation != Fragmentation::Single
            || update.compression_flags.is_some_and(|flags| !flags.is_empty())
        {
            return None;
        }
        match FastPathUpdate::decode_with_code(update.data, update.update_code).ok()? {
            FastPathUpdate::Bitmap(bitmaps) => all.extend(bitmaps.rectangles),
            _ => return None,
        }
    }
    Some(all)
}

impl Painter {
    /// Paints one; `None` where it cannot be, or has colours of a palette.
    pub fn paint(&mut self, bitmap: &BitmapData<'_>, canvas: &mut Canvas) -> Option<()> {
        let InclusiveRectangle { left, top, right, bottom } = bitmap.rectangle;
        let fits = left <= right && top <= bottom && right < canvas.width && bottom < canvas.height;
        if !fits {
            return None;
        }
        let (columns, rows) = (usize::from(right - left) + 1, usize::from(bottom - top) + 1);
        let (width, height) = (usize::from(bitmap.width), usize::from(bitmap.height));
        if width < columns || height != rows {
            return None;
        }
        let (pixels, layout, row) = self.read(bitmap, width, height)?;
        if pixels.len() != row * height {
            return None;
        }
        let stride = usize::from(canvas.width) * PIXEL;
        let from = usize::from(left) * PIXEL;
        let there = canvas.pixels.chunks_exact_mut(stride).skip(usize::from(top));
        // The last row comes first.
        for (line, to) in pixels.chunks_exact(row).rev().zip(there) {
            convert(line, layout, &mut to[from..from + columns * PIXEL]);
        }
        Some(())
    }

    /// The pixels, how they lie, and the bytes of a row.
    fn read<'a>(
        &'a mut self,
        bitmap: &BitmapData<'a>,
        width: usize,
        height: usize,
    ) -> Option<(&'a [u8], Layout, usize)> {
        let depth = bitmap.bits_per_pixel;
        if !bitmap.compression_flags.contains(Compression::BITMAP_COMPRESSION) {
            let (layout, bytes) = match depth {
                15 => (Layout::Rgb15, 2),
                16 => (Layout::Rgb16, 2),
                24 => (Layout::Bgr24, 3),
                32 => (Layout::Bgrx32, 4),
                _ => return None,
            };
            return Some((bitmap.bitmap_data, layout, (width * bytes).next_multiple_of(4)));
        }
        self.room.clear();
        let (data, room) = (bitmap.bitmap_data, &mut self.room);
        let (layout, bytes) = if depth == 32 {
            self.planar.decode_bitmap_stream_to_rgb24(data, room, width, height).ok()?;
            (Layout::Rgb24, 3)
        } else {
            match rle::decompress(data, room, width, height, depth.into()).ok()? {
                RlePixelFormat::Rgb24 => (Layout::Bgr24, 3),
                RlePixelFormat::Rgb16 => (Layout::Rgb16, 2),
                RlePixelFormat::Rgb15 => (Layout::Rgb15, 2),
                RlePixelFormat::Rgb8 => return None,
            }
        };
        Some((&self.room, layout, width * bytes))
    }
}

/// One row, as much as is shown of it.
fn convert(line: &[u8], layout: Layout, to: &mut [u8]) {
    let to = to.as_chunks_mut::<PIXEL>().0.iter_mut();
    let opaque = |[r, g, b]: [u8; 3]| [r, g, b, 255];
    let pair = |of: fn(u16) -> [u8; 3]| move |p: &[u8; 2]| opaque(of(u16::from_le_bytes(*p)));
    match layout {
        Layout::Rgb24 => {
            to.zip(line.as_chunks().0).for_each(|(to, [r, g, b])| *to = [*r, *g, *b, 255]);
        }
        Layout::Bgr24 => {
            to.zip(line.as_chunks().0).for_each(|(to, [b, g, r])| *to = [*r, *g, *b, 255]);
        }
        Layout::Bgrx32 => {
            to.zip(line.as_chunks().0).for_each(|(to, [b, g, r, _])| *to = [*r, *g, *b, 255]);
        }
        Layout::Rgb16 => {
            let of = pair(rdp_16bit_to_rgb);
            to.zip(line.as_chunks().0).for_each(|(to, from)| *to = of(from));
        }
        Layout::Rgb15 => {
            let of = pair(rdp_15bit_to_rgb);
            to.zip(line.as_chunks().0).for_each(|(to, from)| *to = of(from));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ironrdp_core::encode_vec;
    use ironrdp_graphics::rdp6::{BitmapStreamEncoder, RgbChannels};
    use ironrdp_pdu::bitmap::BitmapUpdateData;
    use ironrdp_pdu::fast_path::EncryptionFlags;
    use ironrdp_pdu::mcs::SendDataIndication;
    use ironrdp_pdu::x224::X224;

    fn bitmap(size: (u16, u16), bits_per_pixel: u16, bitmap_data: &[u8]) -> BitmapData<'_> {
        let (width, height) = size;
        let rectangle = InclusiveRectangle { left: 1, top: 1, right: 3, bottom: height };
        BitmapData {
            rectangle,
            width,
            height,
            bits_per_pixel,
            compression_flags: Compression::empty(),
            compressed_data_header: None,
            bitmap_data,
        }
    }

    fn frame(code: UpdateCode, fragmentation: Fragmentation, data: &[u8]) -> Vec<u8> {
        let (compression_flags, compression_type) = (None, None);
        let update_code = code;
        let update = FastPathUpdatePdu {
            fragmentation,
            update_code,
            compression_flags,
            compression_type,
            data,
        };
        let update = encode_vec(&update).expect("small");
        let header = FastPathHeader::new(EncryptionFlags::empty(), update.len());
        [encode_vec(&header).expect("small"), update].concat()
    }

    /// Five by four pixels; those that were not painted are 9.
    fn canvas() -> Canvas {
        Canvas { width: 5, height: 4, pixels: vec![9; 80] }
    }

    fn rows(canvas: &Canvas) -> Vec<Vec<[u8; 4]>> {
        canvas.pixels.chunks_exact(20).map(|row| row.as_chunks().0.to_vec()).collect()
    }

    /// Two rows of three pixels at 1, 1 and nothing else.
    fn expect(canvas: &Canvas, painted: [[[u8; 3]; 3]; 2]) {
        let mut all = vec![vec![[9; 4]; 5]; 4];
        for (y, row) in painted.iter().enumerate() {
            for (x, [r, g, b]) in row.iter().enumerate() {
                all[1 + y][1 + x] = [*r, *g, *b, 255];
            }
        }
        assert_eq!(rows(canvas), all);
    }

    #[test]
    fn every_depth_is_painted_from_the_bottom_and_cut_at_the_rectangle() {
        let colours =
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[10, 11, 12], [13, 14, 15], [16, 17, 18]]];
        let bgr = [12, 11, 10, 15, 14, 13, 18, 17, 16, 0, 0, 0, 3, 2, 1, 6, 5, 4, 9, 8, 7, 0, 0, 0];
        let mut picture = canvas();
        let mut painter = Painter::default();
        painter.paint(&bitmap((4, 2), 24, &bgr), &mut picture).expect("24 bits");
        expect(&picture, colours);
        // A row is padded to four bytes.
        let mut narrow = bgr;
        for row in narrow.chunks_exact_mut(12) {
            row[9..].copy_from_slice(&[99; 3]);
        }
        let mut picture = canvas();
        painter.paint(&bitmap((3, 2), 24, &narrow), &mut picture).expect("padded");
        expect(&picture, colours);

        let wide: Vec<u8> = bgr.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 77]).collect();
        let mut picture = canvas();
        painter.paint(&bitmap((4, 2), 32, &wide), &mut picture).expect("32 bits");
        expect(&picture, colours);

        let pairs = |red: u16, green: u16, blue: u16| {
            let row = [0, red, green, blue].map(u16::to_le_bytes);
            let other = [blue, blue, 0, 0].map(u16::to_le_bytes);
            [row, other].as_flattened().as_flattened().to_vec()
        };
        let blue = [0, 0, 255];
        let shown = [[blue, blue, [0; 3]], [[0; 3], [255, 0, 0], [0, 255, 0]]];
        for (depth, data) in [(16, pairs(0xf800, 0x07e0, 0x1f)), (15, pairs(0x7c00, 0x03e0, 0x1f))]
        {
            let mut picture = canvas();
            painter.paint(&bitmap((4, 2), depth, &data), &mut picture).expect("two bytes");
            expect(&picture, shown);
        }
    }

    #[test]
    fn what_is_compressed_is_painted_too() {
        let colours =
            [[[1, 2, 3], [4, 5, 6], [7, 8, 9]], [[10, 11, 12], [13, 14, 15], [16, 17, 18]]];
        let rgb: Vec<u8> = colours.iter().rev().flatten().flatten().copied().collect();
        let mut data = vec![0; 200];
        let mut encoder = BitmapStreamEncoder::new(3, 2);
        let length = encoder.encode_bitmap::<RgbChannels>(&rgb, &mut data, true).expect("room");
        let mut update = bitmap((3, 2), 32, &data[..length]);
        update.compression_flags = Compression::BITMAP_COMPRESSION;
        let (mut picture, mut painter) = (canvas(), Painter::default());
        painter.paint(&update, &mut picture).expect("planar");
        expect(&picture, colours);
        // Six pixels of one colour (MS-RDPBCGR section 2.2.9.1.1.3.1.2.4: COLOR_RUN).
        for (depth, run) in [(24, &[0x66, 3, 2, 1][..]), (16, &[0x66, 0xe0, 0x07])] {
            let mut update = bitmap((3, 2), depth, run);
            update.compression_flags = Compression::BITMAP_COMPRESSION;
            let mut picture = canvas();
            painter.paint(&update, &mut picture).expect("a run");
            let colour = if depth == 24 { [1, 2, 3] } else { [0, 255, 0] };
            expect(&picture, [[colour; 3]; 2]);
        }
    }

    #[test]
    fn what_the_stage_did_not_paint_is_not_taken_from_it() {
        let mut stage = [0; 80];
        for at in [4 * 6, 4 * 13] {
            stage[at..at + 4].copy_from_slice(&[1, 2, 3, 255]);
        }
        let mut picture = Canvas::like(5, 4, &[7; 80]);
        picture.take(&stage, Place { x: 1, y: 1, width: 3, height: 2 });
        let mut all = vec![vec![[7, 7, 7, 255]; 5]; 4];
        (all[1][1], all[2][3]) = ([1, 2, 3, 255], [1, 2, 3, 255]);
        assert_eq!(rows(&picture), all);
        // As far as it is there.
        picture.take(&[1, 2, 3, 255].repeat(20), Place { x: 4, y: 3, width: 9, height: 9 });
        all[3][4] = [1, 2, 3, 255];
        picture.take(&[1, 2, 3, 255].repeat(20), Place { x: 6, y: 9, width: 9, height: 9 });
        assert_eq!(rows(&picture), all);
    }

    #[test]
    fn what_is_odd_paints_nothing() {
        let (mut picture, mut painter) = (canvas(), Painter::default());
        static DATA: [u8; 24] = [5; 24];
        let mut refused = |change: &dyn Fn(&mut BitmapData<'_>)| {
            let mut update = bitmap((4, 2), 24, &DATA);
            change(&mut update);
            assert_eq!(painter.paint(&update, &mut picture), None, "{update:?}");
        };
        refused(&|b| b.rectangle.right = 5);
        refused(&|b| b.rectangle.bottom = 4);
        refused(&|b| b.rectangle.left = 4);
        refused(&|b| b.rectangle.top = 3);
        refused(&|b| b.height = 3);
        refused(&|b| b.width = 2);
        refused(&|b| b.width = u16::MAX);
        refused(&|b| b.bits_per_pixel = 8);
        refused(&|b| b.bits_per_pixel = 32);
        refused(&|b| b.bitmap_data = &DATA[..23]);
        refused(&|b| b.bitmap_data = &[]);
        refused(&|b| b.compression_flags = Compression::BITMAP_COMPRESSION);
        assert_eq!(picture.pixels, [9; 80]);
    }

    #[test]
    fn only_a_frame_of_nothing_but_bitmaps_is_ours() {
        let pixels = [5; 24];
        let update = BitmapUpdateData { rectangles: vec![bitmap((4, 2), 24, &pixels)] };
        let update = encode_vec(&update).expect("small");
        let whole = frame(UpdateCode::Bitmap, Fragmentation::Single, &update);
        assert_eq!(of_frame(&whole).map(|all| all.len()), Some(1));
        let part = frame(UpdateCode::Bitmap, Fragmentation::First, &update);
        assert!(of_frame(&part).is_none(), "a part");
        let other = frame(UpdateCode::SurfaceCommands, Fragmentation::Single, &update);
        assert!(of_frame(&other).is_none(), "something else");
        let both = [&whole[..], &other[2..]].concat();
        assert!(of_frame(&both).is_none(), "something else beside it");
        for cut in 0..whole.len() {
            assert!(of_frame(&whole[..cut]).is_none(), "{cut}");
        }
    }

    #[test]
    fn only_an_update_of_bitmaps_on_its_own_channel_is_ours() {
        let pixels = [5; 24];
        let update = BitmapUpdateData { rectangles: vec![bitmap((4, 2), 24, &pixels)] };
        let update = encode_vec(&update).expect("small");
        // TS_SHAREDATAHEADER (MS-RDPBCGR section 2.2.8.1.1.1.2).
        let framed = |kind: u8, compression: u8| {
            let length = update.len() as u16;
            let mut user_data = (length + 18).to_le_bytes().to_vec();
            user_data.extend([0x17, 0, 0xea, 3, 7, 0, 0, 0, 0, 2]);
            user_data.extend((length + 4).to_le_bytes());
            user_data.extend([kind, compression, 0, 0]);
            user_data.extend(&update);
            let (initiator_id, channel_id) = (1002, 1003);
            let said = SendDataIndication { initiator_id, channel_id, user_data: user_data.into() };
            encode_vec(&X224(said)).expect("small")
        };
        let frame = framed(2, 0);
        let found = super::update(&frame, 1003).expect("an update");
        assert_eq!(found, update);
        assert_eq!(of_update(&found).map(|all| all.len()), Some(1));
        assert_eq!(super::update(&frame, 1004), None, "another channel");
        assert_eq!(super::update(&framed(0x1b, 0), 1003), None, "a pointer");
        assert_eq!(super::update(&framed(2, 0x20), 1003), None, "compressed as a whole");
        for orders in [0, 2, 3, 9] {
            assert!(of_update(&[&[orders, 0], &update[2..]].concat()).is_none(), "{orders}");
        }
        for cut in 0..update.len() {
            assert!(of_update(&update[..cut]).is_none(), "{cut}");
        }
    }
}
