//! Frames between the application and a session process, over two pipes.
//!
//! ```text
//! tag u8 │ channel u32 LE │ length u32 LE │ body
//! ```
//!
//! `channel` is 0 for frames about the connection. Bodies are postcard, but for
//! data and secrets, which are raw bytes. A secret is written from the buffer
//! that holds it; no frame with a secret is ever put together in another one.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::connect::manifest::Run;
use crate::connect::screen::{PIXEL, Place, Tile};
use crate::model::entry::Slot;
use crate::model::target::Target;
use crate::secret::SecretBytes;

/// Unread output of a channel that may be under way to the application, and
/// input under way to the far side, in bytes.
pub const WINDOW: usize = 1 << 20;

/// Largest body. Data frames are at most a quarter of it.
const BODY_MAX: usize = 1 << 20;

/// Most bytes of one data frame.
pub const DATA_MAX: usize = 1 << 18;

/// Bytes of the memory for a picture. What is under way at most, with what is left free
/// at the end before it begins anew, is less: nothing is written over that the
/// application has not taken.
pub const MEMORY: usize = 2 * WINDOW;

/// Bytes before the body.
pub const HEAD: usize = 9;

/// Bytes of a tile's place.
const TILE_HEAD: usize = 8;

/// What a frame is. The word in brackets is its body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Tag {
    /// Application: begin (`Target`).
    Start = 1,
    /// Application: the secret asked for (raw).
    Give = 2,
    /// Application: there is no such secret.
    GiveNone = 3,
    /// Application: the person's answer is yes.
    Yes = 4,
    /// Application: the person's answer is no.
    No = 5,
    /// Application: the person's answer is this text (raw).
    Text = 6,
    /// Application: open this channel (`ChannelRequest`).
    Open = 7,
    /// Application: nothing more will be sent on this channel.
    Eof = 8,
    /// Application: the terminal was resized (`TermSize`).
    Resize = 9,
    /// Application: end this channel.
    Close = 10,
    /// Application: end everything.
    Quit = 11,
    /// Both: bytes of a channel (raw).
    Data = 12,
    /// Both: so many bytes of a channel were taken on (`u32`).
    Credit = 13,
    /// Application: a signal on the line (`LineSignal`).
    Signal = 14,
    /// Application: what the person does to a desktop (`ScreenInput`).
    Input = 15,
    /// Both: text of a clipboard (raw).
    Clipboard = 16,
    /// Session: how far it is (`Progress`).
    Say = 20,
    /// Session: the person is asked (`Question`).
    Ask = 21,
    /// Session: a secret is needed (`Need`).
    Need = 22,
    /// Session: the current code of a hop is needed (`u32`).
    NeedTotp = 23,
    /// Session: connected (`LinkInfo`).
    Up = 24,
    /// Session: not connected (`Failure`).
    Failed = 25,
    /// Session: the channel is open.
    Opened = 26,
    /// Session: the channel was refused (`Failure`).
    Refused = 27,
    /// Session: bytes of the channel's standard error (raw).
    Stderr = 28,
    /// Session: how the command ended (`Exit`).
    Exit = 29,
    /// Session: the channel is closed (`Option<Failure>`).
    Closed = 30,
    /// Session: the connection is over (`Option<Failure>`).
    Ended = 31,
    /// Session: a server showed another key than the pinned ones (`PinnedKey`).
    KeyChanged = 32,
    /// Session: part of a desktop's picture (x, y, width and height as u16 LE, then
    /// the pixels).
    Tile = 33,
    /// Session: what a desktop says besides (`ScreenSaid`).
    Screen = 34,
    /// Session: what takes the session up again after a break (raw).
    Resume = 35,
    /// Session: files of a clipboard (`FilesSaid`).
    FilesSaid = 36,
    /// Application: files of a clipboard (`FilesTold`).
    FilesTold = 37,
    /// Session: part of a picture is to be seen elsewhere as well (`CopyRect`).
    Copy = 38,
    /// Session: part of a picture lies in the memory that both share (`Lent`).
    Lent = 39,
    /// Session: how a VPN is now (`Now`).
    Vpn = 40,
}

impl Tag {
    fn from_byte(byte: u8) -> Option<Self> {
        use Tag as T;
        const ALL: [Tag; 37] = [
            T::Start,
            T::Give,
            T::GiveNone,
            T::Yes,
            T::No,
            T::Text,
            T::Open,
            T::Eof,
            T::Resize,
            T::Close,
            T::Quit,
            T::Data,
            T::Credit,
            T::Signal,
            T::Input,
            T::Clipboard,
            T::Say,
            T::Ask,
            T::Need,
            T::NeedTotp,
            T::Up,
            T::Failed,
            T::Opened,
            T::Refused,
            T::Stderr,
            T::Exit,
            T::Closed,
            T::Ended,
            T::KeyChanged,
            T::Tile,
            T::Screen,
            T::Resume,
            T::FilesSaid,
            T::FilesTold,
            T::Copy,
            T::Lent,
            T::Vpn,
        ];
        ALL.into_iter().find(|tag| *tag as u8 == byte)
    }
}

/// One frame as it was read.
pub struct Frame {
    /// What it is.
    pub tag: Tag,
    /// Which channel; 0 for the connection.
    pub channel: u32,
    /// Its body; of a part of a picture the pixels.
    pub body: Vec<u8>,
    /// Where such a part lies.
    place: [u8; TILE_HEAD],
}

impl Frame {
    /// The body as a value.
    ///
    /// # Errors
    /// The other half speaks another version.
    pub fn value<T: DeserializeOwned>(&self) -> io::Result<T> {
        postcard::from_bytes(&self.body).map_err(|_| garbled())
    }

    /// The body as part of a picture.
    ///
    /// # Errors
    /// It has another number of pixels than it says.
    pub fn into_tile(self) -> io::Result<Tile> {
        let head = self.place;
        let at = |i: usize| u16::from_le_bytes([head[2 * i], head[2 * i + 1]]);
        let place = Place { x: at(0), y: at(1), width: at(2), height: at(3) };
        if self.body.len() != place.pixels() * PIXEL {
            return Err(garbled());
        }
        Ok(Tile { place, pixels: self.body })
    }

    /// The body as a secret, without a copy.
    pub fn into_secret(self) -> SecretBytes {
        SecretBytes::new(self.body)
    }
}

fn garbled() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a frame makes no sense")
}

/// What starts a session process.
#[derive(Serialize, Deserialize)]
pub struct Start {
    /// Where to go.
    pub target: Target,
    /// Socket of the person's SSH agent, if a hop is to use it.
    pub agent: Option<String>,
    /// A program to run in place of a connection of ours.
    pub run: Option<Run>,
    /// It was given memory for its picture.
    pub memory: bool,
    /// It was given a door, and reaches its first machine through that alone.
    pub door: bool,
}

/// See [`Tag::Lent`].
#[derive(Serialize, Deserialize)]
pub struct Lent {
    /// Where it belongs in the picture.
    pub place: Place,
    /// Where its pixels begin in the memory.
    pub at: u32,
}

/// See [`Tag::Need`].
#[derive(Serialize, Deserialize)]
pub struct Need {
    /// Which hop.
    pub hop: u32,
    /// Which secret.
    pub slot: Slot,
}

/// The bytes before a body.
pub fn head(tag: Tag, channel: u32, length: usize) -> [u8; HEAD] {
    let mut head = [0u8; HEAD];
    head[0] = tag as u8;
    head[1..5].copy_from_slice(&channel.to_le_bytes());
    let length = u32::try_from(length).expect("a body is at most 1 MiB");
    head[5..9].copy_from_slice(&length.to_le_bytes());
    head
}

/// Writes a frame whose body is a value.
///
/// # Errors
/// The other half is gone.
pub fn write_value<T: Serialize + ?Sized>(
    to: &mut impl Write,
    tag: Tag,
    channel: u32,
    value: &T,
) -> io::Result<()> {
    let body = postcard::to_stdvec(value).map_err(|_| garbled())?;
    write_raw(to, tag, channel, &body)
}

/// Writes part of a picture: its pixels go out as they lie, at most [`DATA_MAX`]
/// bytes of them.
///
/// # Errors
/// The other half is gone.
pub fn write_tile(
    to: &mut impl Write,
    channel: u32,
    place: Place,
    pixels: &[u8],
) -> io::Result<()> {
    let mut whole = [0u8; HEAD + TILE_HEAD];
    whole[..HEAD].copy_from_slice(&head(Tag::Tile, channel, TILE_HEAD + pixels.len()));
    for (i, value) in [place.x, place.y, place.width, place.height].into_iter().enumerate() {
        whole[HEAD + 2 * i..HEAD + 2 * i + 2].copy_from_slice(&value.to_le_bytes());
    }
    to.write_all(&whole)?;
    to.write_all(pixels)?;
    to.flush()
}

/// Writes a frame with raw bytes. Small ones travel in one write; larger ones
/// and secrets are written straight from `body`.
///
/// # Errors
/// The other half is gone, or the body is larger than a frame may be.
pub fn write_raw(to: &mut impl Write, tag: Tag, channel: u32, body: &[u8]) -> io::Result<()> {
    if body.len() > BODY_MAX {
        return Err(garbled());
    }
    let head = head(tag, channel, body.len());
    let secret = matches!(tag, Tag::Give | Tag::Text | Tag::Clipboard | Tag::Resume);
    if body.len() <= 256 && !secret {
        let mut whole = [0u8; HEAD + 256];
        whole[..HEAD].copy_from_slice(&head);
        whole[HEAD..HEAD + body.len()].copy_from_slice(body);
        to.write_all(&whole[..HEAD + body.len()])?;
    } else {
        to.write_all(&head)?;
        to.write_all(body)?;
    }
    to.flush()
}

/// Reads one frame; `None` at the ordinary end.
///
/// # Errors
/// The pipe broke inside a frame, or the other half is not one of ours.
pub fn read(from: &mut impl Read) -> io::Result<Option<Frame>> {
    let mut head = [0u8; HEAD];
    if let Err(e) = from.read_exact(&mut head) {
        return if e.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(e) };
    }
    let tag = Tag::from_byte(head[0]).ok_or_else(garbled)?;
    let channel = u32::from_le_bytes(head[1..5].try_into().expect("four bytes"));
    let length = u32::from_le_bytes(head[5..9].try_into().expect("four bytes")) as usize;
    if length > BODY_MAX {
        return Err(garbled());
    }
    let mut place = [0u8; TILE_HEAD];
    let mut length = length;
    // Apart, so that the pixels need not be moved.
    if tag == Tag::Tile {
        length = length.checked_sub(TILE_HEAD).ok_or_else(garbled)?;
        from.read_exact(&mut place)?;
    }
    let mut body = Vec::with_capacity(length);
    if from.take(length as u64).read_to_end(&mut body)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(Frame { tag, channel, body, place }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_reads_back_as_written() {
        let mut bytes = Vec::new();
        write_raw(&mut bytes, Tag::Data, 7, &[9; 1000]).expect("into memory");
        write_value(&mut bytes, Tag::Credit, 7, &5u32).expect("into memory");
        let mut from = &bytes[..];
        let frame = read(&mut from).expect("well formed").expect("a frame");
        assert_eq!((frame.tag, frame.channel, frame.body), (Tag::Data, 7, vec![9; 1000]));
        let frame = read(&mut from).expect("well formed").expect("a frame");
        assert_eq!(frame.value::<u32>().expect("a number"), 5);
        assert!(read(&mut from).expect("the ordinary end").is_none());
    }

    #[test]
    fn part_of_a_picture_reads_back_as_written() {
        let place = Place { x: 3, y: 700, width: 5, height: 2 };
        let mut bytes = Vec::new();
        write_tile(&mut bytes, 1, place, &[7; 40]).expect("into memory");
        let frame = read(&mut &bytes[..]).expect("well formed").expect("a frame");
        let tile = frame.into_tile().expect("as many pixels as it says");
        assert!(tile == Tile { place, pixels: vec![7; 40] });
        let mut bytes = Vec::new();
        write_tile(&mut bytes, 1, place, &[7; 36]).expect("into memory");
        let frame = read(&mut &bytes[..]).expect("well formed").expect("a frame");
        assert!(frame.into_tile().is_err());
    }

    #[test]
    fn a_foreign_byte_stream_is_refused() {
        assert!(read(&mut &b"SSH-2.0-OpenSSH_9.2p1\r\n"[..]).is_err());
        let mut huge = head(Tag::Data, 1, 0).to_vec();
        huge[5..9].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read(&mut &huge[..]).is_err());
    }
}
