//! The server's messages on their way to the decoder (RFC 6143 section 7.6). The
//! decoder loses the accents of copied text and does not tell where an update ends:
//! copied text is taken out here, and a bell after each update tells it; bells of the
//! server's go another way. Decodes no pixel.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::Semaphore;
use tokio::sync::mpsc::UnboundedSender;

/// Most pixels that the decoder takes.
pub const PIXELS_MAX: u32 = 8_294_400;
/// Longest side that it takes.
pub const SIDE_MAX: u16 = 8192;
/// Most bytes of copied text that are taken.
const TEXT_MAX: u32 = 1 << 20;
/// The bell after each update.
const BELL: u8 = 2;

const RAW: i32 = 0;
const COPY_RECT: i32 = 1;
const TIGHT: i32 = 7;
const ZRLE: i32 = 16;
const DESKTOP_SIZE: i32 = -223;
const LAST_RECT: i32 = -224;
const CURSOR: i32 = -239;
const EXTENDED_DESKTOP_SIZE: i32 = -308;

/// One pixel copied onto itself, in place of a part without any, which the decoder
/// takes for an error.
const NOTHING: [u8; 16] = [0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];

/// What does not go to the decoder.
#[derive(Debug)]
pub enum Aside {
    /// Text that was copied there (Latin-1).
    Cut(Vec<u8>),
    /// A bell.
    Bell,
    /// Nothing more will come, and why.
    Over(Why),
}

/// Why nothing more comes from a server.
#[derive(Debug)]
pub enum Why {
    /// The connection broke.
    Broken(io::Error),
    /// It broke between the password and what the server says to it.
    Unanswered,
    /// It broke amid the words with which the server refuses the password.
    Refused,
    /// The desktop is larger than can be decoded.
    TooLarge(u16, u16),
    /// The server says something that is not in the protocol.
    Odd(String),
    /// The decoder is gone.
    Unheard,
}

impl From<io::Error> for Why {
    fn from(e: io::Error) -> Self {
        Self::Broken(e)
    }
}

/// What is still to come of the login.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Rest {
    /// A challenge.
    pub challenge: bool,
    /// The result.
    pub result: bool,
}

/// Hands on messages until nothing more comes.
pub struct Relay<R, W> {
    from: BufReader<R>,
    to: W,
    tell: UnboundedSender<Aside>,
    /// One update may be under way to the person; the session gives leave for the next.
    leave: Arc<Semaphore>,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Relay<R, W> {
    /// Between a server and a decoder.
    pub fn new(from: R, to: W, tell: UnboundedSender<Aside>, leave: Arc<Semaphore>) -> Self {
        Self { from: BufReader::with_capacity(1 << 16, from), to, tell, leave }
    }

    /// Begins with `greeting`, which has taken place.
    pub async fn run(mut self, greeting: Vec<u8>, rest: Rest) {
        let why = match self.hand_on(&greeting, rest).await {
            Ok(never) => never,
            Err(why) => why,
        };
        let _ = self.tell.send(Aside::Over(why));
    }

    async fn hand_on(&mut self, greeting: &[u8], rest: Rest) -> Result<Why, Why> {
        self.give(greeting).await?;
        if rest.challenge {
            self.copy(16).await?;
        }
        if rest.result {
            let due = |why: Why, means| match why {
                Why::Broken(_) if rest.challenge => means,
                why => why,
            };
            if self.number().await.map_err(|why| due(why, Why::Unanswered))? != 0 {
                // Its reason follows, and then the end.
                loop {
                    self.copy(1).await.map_err(|why| due(why, Why::Refused))?;
                }
            }
        }
        self.screen().await?;
        loop {
            match self.from.read_u8().await? {
                0 => self.update().await?,
                // Colours of a palette, which is not in use.
                1 => {
                    self.from.read_exact(&mut [0; 3]).await?;
                    let colours = self.from.read_u16().await?;
                    self.skip(u64::from(colours) * 6).await?;
                }
                BELL => self.tell(Aside::Bell)?,
                3 => self.cut_text().await?,
                other => return Err(Why::Odd(format!("message {other}"))),
            }
        }
    }

    fn tell(&self, aside: Aside) -> Result<(), Why> {
        self.tell.send(aside).map_err(|_| Why::Unheard)
    }

    async fn give(&mut self, bytes: &[u8]) -> Result<(), Why> {
        self.to.write_all(bytes).await.map_err(|_| Why::Unheard)
    }

    async fn some<const N: usize>(&mut self) -> Result<[u8; N], Why> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes).await?;
        self.give(&bytes).await?;
        Ok(bytes)
    }

    async fn number(&mut self) -> Result<u32, Why> {
        Ok(u32::from_be_bytes(self.some().await?))
    }

    async fn copy(&mut self, bytes: u64) -> Result<(), Why> {
        self.pass(bytes, true).await
    }

    async fn skip(&mut self, bytes: u64) -> Result<(), Why> {
        self.pass(bytes, false).await
    }

    async fn pass(&mut self, bytes: u64, on: bool) -> Result<(), Why> {
        let mut left = bytes;
        while left > 0 {
            let chunk = self.from.fill_buf().await?;
            if chunk.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            let taken = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if on {
                self.to.write_all(&chunk[..taken]).await.map_err(|_| Why::Unheard)?;
            }
            self.from.consume(taken);
            left -= taken as u64;
        }
        Ok(())
    }

    /// The size, the pixels and the name of the desktop.
    async fn screen(&mut self) -> Result<(), Why> {
        let head: [u8; 20] = self.some().await?;
        fits(word(&head, 0), word(&head, 2))?;
        let name = self.number().await?;
        self.copy(u64::from(name)).await
    }

    async fn cut_text(&mut self) -> Result<(), Why> {
        self.from.read_exact(&mut [0; 3]).await?;
        let length = self.from.read_u32().await?;
        if length > TEXT_MAX {
            return self.skip(u64::from(length)).await;
        }
        let mut text = vec![0; length as usize];
        self.from.read_exact(&mut text).await?;
        self.tell(Aside::Cut(text))
    }

    async fn update(&mut self) -> Result<(), Why> {
        self.leave.acquire().await.map_err(|_| Why::Unheard)?.forget();
        self.give(&[0]).await?;
        let head: [u8; 3] = self.some().await?;
        for _ in 0..word(&head, 1) {
            let mut place = [0; 12];
            self.from.read_exact(&mut place).await?;
            let (width, height) = (word(&place, 4), word(&place, 6));
            let pixels = u64::from(width) * u64::from(height);
            let lines = u64::from(height) * u64::from(width.div_ceil(8));
            let encoding = i32::from_be_bytes([place[8], place[9], place[10], place[11]]);
            if pixels == 0 && matches!(encoding, RAW | COPY_RECT) {
                self.skip(if encoding == RAW { 0 } else { 4 }).await?;
                self.give(&NOTHING).await?;
                continue;
            }
            self.give(&place).await?;
            match encoding {
                RAW => self.copy(4 * pixels).await?,
                COPY_RECT => self.copy(4).await?,
                ZRLE => {
                    let length = self.number().await?;
                    self.copy(u64::from(length)).await?;
                }
                TIGHT => self.tight(pixels, lines).await?,
                CURSOR => self.copy(4 * pixels + lines).await?,
                DESKTOP_SIZE => fits(width, height)?,
                EXTENDED_DESKTOP_SIZE => {
                    // That of a change which was refused says nothing.
                    if word(&place, 0) != 1 || word(&place, 2) == 0 {
                        fits(width, height)?;
                    }
                    let screens: [u8; 4] = self.some().await?;
                    self.copy(16 * u64::from(screens[0])).await?;
                }
                LAST_RECT => break,
                other => return Err(Why::Odd(format!("encoding {other}"))),
            }
        }
        self.give(&[BELL]).await
    }

    /// Pixels of three bytes in Tight; `lines` are the bytes of a picture in two colours.
    async fn tight(&mut self, pixels: u64, lines: u64) -> Result<(), Why> {
        let [control] = self.some().await?;
        let plain = match control >> 4 {
            8 => return self.copy(3).await,
            9 => {
                let length = self.compact().await?;
                return self.copy(length).await;
            }
            kind @ 0..=7 => {
                let [filter] = if kind & 4 == 0 { [0] } else { self.some().await? };
                match filter {
                    0 | 2 => 3 * pixels,
                    1 => {
                        let [last] = self.some().await?;
                        self.copy(3 * (u64::from(last) + 1)).await?;
                        if last <= 1 { lines } else { pixels }
                    }
                    other => return Err(Why::Odd(format!("filter {other}"))),
                }
            }
            other => return Err(Why::Odd(format!("compression {other}"))),
        };
        // What is this short is not compressed.
        let length = if plain < 12 { plain } else { self.compact().await? };
        self.copy(length).await
    }

    /// A length in one to three bytes of seven bits.
    async fn compact(&mut self) -> Result<u64, Why> {
        let mut length = 0;
        for shift in [0, 7, 14] {
            let [byte] = self.some().await?;
            let bits = if shift == 14 { byte } else { byte & 0x7f };
            length |= u64::from(bits) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        Ok(length)
    }
}

fn word(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn fits(width: u16, height: u16) -> Result<(), Why> {
    if can_show(width, height) { Ok(()) } else { Err(Why::TooLarge(width, height)) }
}

/// Whether a desktop of this size can be decoded.
pub fn can_show(width: u16, height: u16) -> bool {
    width.max(height) <= SIDE_MAX && u32::from(width) * u32::from(height) <= PIXELS_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    const INIT: &[u8] =
        &[0, 8, 0, 4, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 0, 8, 16, 0, 0, 0, 0, 0, 0, 1, b'x'];

    /// What the decoder gets, and what goes another way.
    async fn through(server: &[u8], rest: Rest) -> (Vec<u8>, Vec<Aside>) {
        let (tell, mut asides) = unbounded_channel();
        let leave = Arc::new(Semaphore::new(100));
        let mut heard = Vec::new();
        Relay::new(server, &mut heard, tell, leave).run(b"hi".to_vec(), rest).await;
        let mut all = Vec::new();
        while let Some(aside) = asides.recv().await {
            all.push(aside);
        }
        (heard, all)
    }

    fn ended(aside: Option<&Aside>) -> bool {
        let Some(Aside::Over(Why::Broken(e))) = aside else { return false };
        e.kind() == io::ErrorKind::UnexpectedEof
    }

    #[tokio::test]
    async fn copied_text_and_bells_are_taken_out_and_updates_are_marked() {
        let mut server = INIT.to_vec();
        server.extend([3, 0, 0, 0, 0, 0, 0, 2, 0xe9, b'!', 2]);
        server.extend([1, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9]);
        let copy = [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 2, 0, 2];
        server.extend(copy);
        let (heard, asides) = through(&server, Rest::default()).await;
        let expected = [b"hi", INIT, &copy, &[BELL]].concat();
        assert_eq!(heard, expected);
        assert!(matches!(&asides[0], Aside::Cut(text) if text == b"\xe9!"));
        assert!(matches!(asides[1], Aside::Bell));
        assert!(ended(asides.get(2)), "{asides:?}");
    }

    fn rect(encoding: i32, width: u16, height: u16, body: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 4];
        bytes.extend([width.to_be_bytes(), height.to_be_bytes()].concat());
        bytes.extend(encoding.to_be_bytes());
        bytes.extend(body);
        bytes
    }

    #[tokio::test]
    async fn every_encoding_has_the_length_that_it_says() {
        let bodies = [
            rect(RAW, 2, 1, &[7; 8]),
            rect(ZRLE, 2, 1, &[0, 0, 0, 3, 2, 2, 2]),
            rect(CURSOR, 9, 2, &[2; 76]),
            rect(EXTENDED_DESKTOP_SIZE, 8, 4, &[&[1, 0, 0, 0][..], &[2; 16]].concat()),
            rect(DESKTOP_SIZE, 8, 4, &[]),
            rect(TIGHT, 2, 1, &[0x80, 2, 2, 2]),
            rect(TIGHT, 2, 1, &[&[0x90, 0x82, 0x01][..], &[2; 130]].concat()),
            // Six bytes of pixels are not compressed; 48 are.
            rect(TIGHT, 2, 1, &[0x00, 2, 2, 2, 2, 2, 2]),
            rect(TIGHT, 4, 4, &[0x0f, 5, 2, 2, 2, 2, 2]),
            rect(TIGHT, 4, 4, &[0x40, 2, 3, 2, 2, 2]),
            // Two colours: a bit each, nine columns in two bytes a row.
            rect(TIGHT, 9, 2, &[0x40, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]),
            rect(TIGHT, 4, 4, &[&[0x40, 1, 2][..], &[7; 9], &[3, 2, 2, 2]].concat()),
        ];
        for body in &bodies {
            let update = [&[0, 0, 0, 1][..], body].concat();
            let server = [INIT, &update, &[2]].concat();
            let (heard, asides) = through(&server, Rest::default()).await;
            assert_eq!(heard, [b"hi", INIT, &update, &[BELL]].concat(), "{body:?}");
            assert!(matches!(asides[0], Aside::Bell), "{body:?}: {asides:?}");
            assert!(ended(asides.get(1)), "{body:?}: {asides:?}");
        }
        let empty = [&[0, 0, 0, 2][..], &rect(RAW, 0, 4, &[]), &rect(COPY_RECT, 0, 0, &[5; 4])];
        let (heard, _) = through(&[INIT, &empty.concat()].concat(), Rest::default()).await;
        let harmless = [&[0, 0, 0, 2][..], &NOTHING, &NOTHING, &[BELL]].concat();
        assert_eq!(heard, [b"hi", INIT, &harmless].concat());
        let last = [&[0, 0, 255, 255][..], &rect(RAW, 1, 1, &[1; 4]), &rect(LAST_RECT, 0, 0, &[])];
        let server = [INIT, &last.concat(), &[2]].concat();
        let (_, asides) = through(&server, Rest::default()).await;
        assert!(matches!(asides[0], Aside::Bell) && ended(asides.get(1)), "{asides:?}");
    }

    #[tokio::test]
    async fn a_login_passes_and_its_refusal_with_it() {
        let rest = Rest { challenge: true, result: true };
        let server = [&[5; 16][..], &[0; 4], INIT].concat();
        let (heard, asides) = through(&server, rest).await;
        assert_eq!(heard, [&b"hi"[..], &server].concat());
        assert!(ended(asides.first()));
        let server = [&[5; 16][..], &[0, 0, 0, 1, 0, 0, 0, 2, b'n', b'o']].concat();
        let (heard, _) = through(&server, rest).await;
        assert_eq!(heard, [&b"hi"[..], &server].concat());
    }

    #[tokio::test]
    async fn an_end_where_the_answer_to_a_password_is_due_is_no_other_end() {
        let of = async |server: &[u8], rest| through(server, rest).await.1.pop();
        let password = Rest { challenge: true, result: true };
        for answered in [16, 17] {
            let end = of(&[0; 17][..answered], password).await;
            assert!(matches!(end, Some(Aside::Over(Why::Unanswered))), "{end:?}");
        }
        let cut = [&[5; 16][..], &[0, 0, 0, 1, 0, 0, 0, 2, b'n']].concat();
        for told in [20, 22, 25] {
            let end = of(&cut[..told], password).await;
            assert!(matches!(end, Some(Aside::Over(Why::Refused))), "{end:?}");
        }
        assert!(ended(of(&[0; 15], password).await.as_ref()), "before the password");
        assert!(ended(of(&[0; 20], password).await.as_ref()), "after it was taken");
        let none = Rest { challenge: false, result: true };
        assert!(ended(of(&[0; 3], none).await.as_ref()), "without a password");
        assert!(ended(of(&[0, 0, 0, 1], none).await.as_ref()), "without a password");
    }

    #[tokio::test]
    async fn what_cannot_be_decoded_is_named() {
        let mut server = INIT.to_vec();
        server[..4].copy_from_slice(&[0x20, 0, 0x10, 0]);
        let (_, asides) = through(&server, Rest::default()).await;
        assert!(matches!(asides[..], [Aside::Over(Why::TooLarge(8192, 4096))]), "{asides:?}");
        let server = [INIT, &[0, 0, 0, 1], &rect(DESKTOP_SIZE, 9000, 10, &[])].concat();
        let (_, asides) = through(&server, Rest::default()).await;
        assert!(matches!(asides[..], [Aside::Over(Why::TooLarge(9000, 10))]), "{asides:?}");
        for odd in [&[77][..], &[&[0, 0, 0, 1][..], &rect(5, 1, 1, &[])].concat()] {
            let (_, asides) = through(&[INIT, odd].concat(), Rest::default()).await;
            assert!(matches!(asides[..], [Aside::Over(Why::Odd(_))]), "{asides:?}");
        }
        assert!(can_show(3840, 2160) && !can_show(3840, 2161));
    }
}
