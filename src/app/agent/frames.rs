//! What crosses the agent's socket: frames of a 32-bit little-endian length and
//! a postcard value. The peers are processes of one user and one build; a peer
//! of another build is told apart by its greeting. Buffers are wiped.

use std::io::{self, Read, Write};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::app::ConnectRequest;
use crate::app::api::{
    AppError, At, ExportRequest, Factors, Justification, Reply, Request, Status,
};
use crate::app::wire;
use crate::connect::files::{FilesSaid, FilesTold};
use crate::connect::link::{ChannelRequest, Exit, LineSignal, LinkInfo, TermSize};
use crate::connect::screen::{CopyRect, Place, ScreenInput, ScreenSaid};
use crate::connect::{Answer, Failure, Progress, Question};
use crate::model::id::SessionId;
use crate::secret::SecretText;

/// First bytes from a client that speaks this protocol: a new number whenever
/// anything below, or a type in it, changes its shape.
pub const GREETING: [u8; 8] = *b"PTRN-a08";
/// First bytes from a client, of whatever build, that only wants the end.
pub const GREETING_LOCK: [u8; 8] = *b"PTRNlock";
/// The agent's first bytes to a client that it understands.
pub const WELCOME: [u8; 8] = *b"PTRN-ok1";

/// Longest frame, in bytes: the list of a very large vault.
const FRAME_MAX_BYTES: u32 = 1 << 30;

/// From a client.
#[derive(Serialize, Deserialize)]
pub enum ToAgent {
    /// Answered by [`FromAgent::Reply`].
    Call(Request),
    /// The only request of its connection: answered by questions and progress,
    /// then [`FromAgent::Opened`].
    Connect(Connect),
    /// As [`ToAgent::Connect`], to read a configuration: in the end there is
    /// [`FromAgent::Reply`].
    Snapshot(Connect),
    /// Answered by [`FromAgent::Exporting`], then [`FromAgent::Reply`].
    Export(ExportRequest),
    /// The person gave up the export under way.
    Cancel,
    /// Lock after so many seconds without use. Answered by [`FromAgent::Reply`].
    Idle(u64),
    /// To [`FromAgent::Ask`].
    Answer(AnswerFrame),
    /// Answered by [`FromAgent::ChannelOpened`]; the client numbers channels.
    OpenChannel(u32, ChannelRequest),
    /// Bytes for a channel.
    Data(u32, #[serde(with = "bytes")] Vec<u8>),
    /// No more bytes for a channel.
    Eof(u32),
    /// New size of a channel's terminal.
    Resize(u32, TermSize),
    /// A signal on the line.
    Signal(u32, LineSignal),
    /// What the person does to a desktop.
    Input(u32, ScreenInput),
    /// Text for a desktop's clipboard.
    Clipboard(u32, #[serde(with = "wire::secret_text")] SecretText),
    /// Files for a desktop's clipboard, or from it.
    Files(u32, FilesTold),
    /// End of a channel.
    Close(u32),
}

/// From the agent.
#[derive(Serialize, Deserialize)]
pub enum FromAgent {
    /// To [`ToAgent::Call`].
    Reply(Result<Reply, AppError>),
    /// How far the export is: lines read, of how many.
    Exporting(u64, u64),
    /// A question for the person.
    Ask(Question),
    /// How far the connection is.
    Say(Progress),
    /// The session is open, or not.
    Opened(Result<(SessionId, LinkInfo), AppError>),
    /// The channel is open, or not; false when the connection is of no use any more.
    ChannelOpened(u32, Result<(), AppError>, bool),
    /// Standard output of a channel.
    Data(u32, #[serde(with = "bytes")] Vec<u8>),
    /// Standard error of a channel.
    Stderr(u32, #[serde(with = "bytes")] Vec<u8>),
    /// How a channel's command ended.
    Exit(u32, Exit),
    /// Part of a desktop's picture.
    Tile(u32, Place, #[serde(with = "bytes")] Vec<u8>),
    /// Part of that picture that is to be seen elsewhere in it as well.
    Copy(u32, CopyRect),
    /// What a desktop says besides.
    Screen(u32, ScreenSaid),
    /// Text from a desktop's clipboard.
    Clipboard(u32, #[serde(with = "wire::secret_text")] SecretText),
    /// Files on a desktop's clipboard, or for it.
    Files(u32, FilesSaid),
    /// End of a channel; true when the session lives on.
    Closed(u32, Option<Failure>, bool),
}

/// As `app::ConnectRequest`.
#[derive(Serialize, Deserialize)]
pub struct Connect {
    /// What to open.
    pub at: At,
    /// Why.
    pub just: Justification,
    /// A server key accepted in advance.
    pub accept_host_key: Option<String>,
    /// Use an open connection if there is one.
    pub reuse: bool,
    /// The client's desktop and language.
    pub desktop: Vec<(String, String)>,
    /// The session that broke before it.
    pub after: Option<SessionId>,
}

impl From<Connect> for ConnectRequest {
    fn from(request: Connect) -> Self {
        let Connect { at, just, accept_host_key, reuse, desktop, after } = request;
        Self { at, just, accept_host_key, reuse, desktop, after }
    }
}

impl From<ConnectRequest> for Connect {
    fn from(request: ConnectRequest) -> Self {
        let ConnectRequest { at, just, accept_host_key, reuse, desktop, after } = request;
        Self { at, just, accept_host_key, reuse, desktop, after }
    }
}

/// As [`Answer`].
#[derive(Serialize, Deserialize)]
pub enum AnswerFrame {
    /// See there.
    Yes,
    /// See there.
    No,
    /// See there.
    Text(#[serde(with = "wire::secret_text")] SecretText),
}

impl From<Answer> for AnswerFrame {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Self::Yes,
            Answer::No => Self::No,
            Answer::Text(text) => Self::Text(text),
        }
    }
}

impl From<AnswerFrame> for Answer {
    fn from(frame: AnswerFrame) -> Self {
        match frame {
            AnswerFrame::Yes => Self::Yes,
            AnswerFrame::No => Self::No,
            AnswerFrame::Text(text) => Self::Text(text),
        }
    }
}

/// What a new agent process is told on its standard input.
#[derive(Serialize, Deserialize)]
pub struct StartFrame {
    /// The vault.
    pub vault: std::path::PathBuf,
    /// The socket to serve.
    pub socket: std::path::PathBuf,
    /// Member name.
    pub member: Option<String>,
    /// Password and code.
    pub factors: Factors,
    /// See `app::UnlockOptions`.
    pub read_only: bool,
    /// See `app::UnlockOptions`.
    pub accept_older: bool,
    /// Seconds without use before it locks; `None` takes the vault's setting.
    pub idle_secs: Option<u64>,
}

/// What a new agent process answers on its standard output.
pub type Started = Result<Status, AppError>;

/// Writes one frame.
///
/// # Errors
/// The other side is gone.
pub fn write<T: Serialize>(to: &mut impl Write, value: &T) -> io::Result<()> {
    let bad = |_| io::Error::from(io::ErrorKind::InvalidData);
    let size = postcard::experimental::serialized_size(value).map_err(bad)?;
    let prefix = u32::try_from(size).ok().filter(|size| *size <= FRAME_MAX_BYTES);
    let prefix = prefix.ok_or_else(|| io::Error::from(io::ErrorKind::FileTooLarge))?;
    // One block of the right size: nothing is left behind by growing.
    let mut frame = Zeroizing::new(vec![0; 4 + size]);
    frame[..4].copy_from_slice(&prefix.to_le_bytes());
    postcard::to_slice(value, &mut frame[4..]).map_err(bad)?;
    to.write_all(&frame)?;
    to.flush()
}

/// Reads one frame.
///
/// # Errors
/// The other side is gone (`UnexpectedEof`) or speaks another language.
pub fn read<T: DeserializeOwned>(from: &mut impl Read) -> io::Result<T> {
    let mut prefix = [0; 4];
    from.read_exact(&mut prefix)?;
    let size = u32::from_le_bytes(prefix);
    if size > FRAME_MAX_BYTES {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let frame = body(from, size as usize)?;
    postcard::from_bytes(&frame).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))
}

/// Bytes taken for a frame before any of them has come.
const FIRST_BYTES: usize = 1 << 20;

/// Exactly `size` bytes. Memory is taken as they come: a length alone, which a
/// peer can make up, takes next to none. Each buffer on the way is wiped.
fn body(from: &mut impl Read, size: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut frame = Zeroizing::new(vec![0; size.min(FIRST_BYTES)]);
    from.read_exact(&mut frame)?;
    while frame.len() < size {
        let have = frame.len();
        let mut more = Zeroizing::new(vec![0; size.min(4 * have)]);
        more[..have].copy_from_slice(&frame);
        from.read_exact(&mut more[have..])?;
        frame = more;
    }
    Ok(frame)
}

/// Plain bytes as one run instead of one number after another.
mod bytes {
    use std::fmt;

    use serde::de::{Error, Visitor};
    use serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], s: S) -> Result<S::Ok, S::Error> {
        s.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<u8>, D::Error> {
        struct Run;
        impl Visitor<'_> for Run {
            type Value = Vec<u8>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }
            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }
        }
        d.deserialize_bytes(Run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Slot;
    use crate::model::plan::{Origin, Plan, PlanLine};
    use crate::secret::SecretBytes;

    fn there_and_back<T: Serialize + DeserializeOwned>(value: &T) -> T {
        let mut bytes = Vec::new();
        write(&mut bytes, value).expect("writing to memory");
        read(&mut bytes.as_slice()).expect("it was written just now")
    }

    #[test]
    fn secrets_and_plain_bytes_cross_unchanged() {
        let reply = FromAgent::Reply(Ok(Reply::Secret(SecretBytes::copy_of(b"hunter2"))));
        let FromAgent::Reply(Ok(Reply::Secret(secret))) = there_and_back(&reply) else {
            panic!("another frame")
        };
        assert!(secret.expose(|bytes| bytes == b"hunter2"));
        let FromAgent::Data(7, data) = there_and_back(&FromAgent::Data(7, vec![0, 255, 10])) else {
            panic!("another frame")
        };
        assert_eq!(data, [0, 255, 10]);
    }

    #[test]
    fn a_plan_crosses_unchanged() {
        let line = |field: &str, origin| PlanLine {
            field: field.into(),
            value: "x".into(),
            secret: false,
            origin,
        };
        let plan = Plan {
            entry: crate::model::id::EntryId([1; 16]),
            path: "A/b".into(),
            kind: crate::model::entry::Kind::new("ssh"),
            hops: vec!["A/hop".into()],
            lines: vec![line("host", Origin::Own), line("user", Origin::Inherited("A".into()))],
            secrets: vec![(Slot::Custom("pin".into()), crate::model::id::EntryId([2; 16]))],
            broken: vec![],
            ticket_required: true,
            reason_required: false,
        };
        let sent = FromAgent::Reply(Ok(Reply::Plan(Box::new(plan.clone()))));
        let FromAgent::Reply(Ok(Reply::Plan(back))) = there_and_back(&sent) else {
            panic!("another frame")
        };
        assert_eq!(*back, plan);
    }

    #[test]
    fn a_frame_larger_than_its_first_buffer_crosses_unchanged() {
        let sent: Vec<u8> = (0..5 * FIRST_BYTES + 3).map(|i| (i / 7) as u8).collect();
        let FromAgent::Data(1, data) = there_and_back(&FromAgent::Data(1, sent.clone())) else {
            panic!("another frame")
        };
        assert!(data == sent);
    }

    #[test]
    fn a_frame_of_nonsense_is_an_error() {
        assert!(read::<FromAgent>(&mut [0xFF_u8; 4].as_slice()).is_err());
        assert!(read::<FromAgent>(&mut [1_u8, 0, 0, 0, 0xFF].as_slice()).is_err());
        assert!(read::<FromAgent>(&mut [9_u8, 0, 0, 0, 1].as_slice()).is_err());
    }
}
