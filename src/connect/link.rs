//! An open connection and the channels on it, whatever protocol carries them.
//! Never blocks the caller: output arrives on the connector's own thread.

use crate::model::lang::Bi;

use super::Failure;

/// An open connection to a far side. Dropping it closes it.
pub trait Link: Send + Sync {
    /// Facts for tab, audit log and details.
    fn info(&self) -> LinkInfo;
    /// Opens a channel; `sink` gets everything that comes from it, in order,
    /// ending with exactly one [`FromRemote::Closed`].
    ///
    /// # Errors
    /// The far side refused the channel, or the link is gone.
    fn open_channel(
        &self,
        request: ChannelRequest,
        sink: Sink,
    ) -> Result<Box<dyn Channel>, Failure>;
    /// Bytes received and sent on the wire or through the channels so far.
    fn traffic(&self) -> (u64, u64);
    /// False once the connection has ended, for whatever reason.
    fn alive(&self) -> bool;
    /// Ends all channels and the connection. Idempotent.
    fn close(&self);
}

/// Receives what a channel says.
pub type Sink = Box<dyn FnMut(FromRemote) + Send>;

/// Facts about an open link.
#[derive(Clone, PartialEq, Eq, Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct LinkInfo {
    /// Login name in use.
    pub user: String,
    /// `SHA256:…` of the destination's key; empty where there is none.
    pub host_key: String,
    /// Protocol and algorithms in one line.
    pub description: String,
    /// Warnings that stay visible, such as weak algorithms.
    pub warnings: Vec<Bi>,
    /// Port forwardings that are listening, in words.
    pub forwards: Vec<String>,
    /// The connection was open already, from another session.
    pub reused: bool,
    /// What [`ToRemote::Signal`] can carry over it.
    pub signals: Vec<LineSignal>,
}

/// A state of the line that is no byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum LineSignal {
    /// A break: the line held low for a moment, or telnet's word for it (RFC 854).
    Break,
    /// Data Terminal Ready lowered, as if the terminal were switched off.
    DtrOff,
    /// Data Terminal Ready raised again.
    DtrOn,
}

/// What to run on a channel.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum ChannelRequest {
    /// An interactive shell on a pseudo-terminal.
    Shell {
        /// Columns and rows.
        size: TermSize,
        /// Value of `TERM`; empty where nobody sits at a terminal, so that a plain
        /// line shows nobody what was typed.
        term: String,
    },
    /// A command; a pseudo-terminal only if `size` is given.
    Exec {
        /// The command line, as the remote shell gets it.
        command: String,
        /// Pseudo-terminal size, if one is wanted.
        size: Option<TermSize>,
        /// Value of `TERM` for it.
        term: String,
    },
}

impl ChannelRequest {
    /// The same, with the value of `TERM` that the entry sets, if it sets one;
    /// otherwise that of whoever asks stays.
    #[must_use]
    pub fn with_term(mut self, entry: &str) -> Self {
        let (Self::Shell { term, .. } | Self::Exec { term, .. }) = &mut self;
        if !entry.is_empty() {
            entry.clone_into(term);
        }
        self
    }
}

/// Size of a terminal in cells.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct TermSize {
    /// Columns, at least 1.
    pub cols: u16,
    /// Rows, at least 1.
    pub rows: u16,
}

/// One channel of a link. Dropping it closes it.
pub trait Channel: Send {
    /// Queues `message`; never blocks for the network. After the end it does nothing.
    fn send(&self, message: ToRemote);
    /// Bytes queued by [`ToRemote::Data`] and not yet handed to the far side:
    /// a fast sender waits while this is large.
    fn backlog(&self) -> usize;
}

/// What goes to the far side.
pub enum ToRemote {
    /// Typed or piped bytes.
    Data(Vec<u8>),
    /// No more data will come.
    Eof,
    /// The terminal was resized.
    Resize(TermSize),
    /// A signal on the line; ignored where [`LinkInfo::signals`] has none.
    Signal(LineSignal),
    /// End the channel.
    Close,
}

/// What comes from the far side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FromRemote {
    /// Standard output, or the terminal's stream.
    Data(Vec<u8>),
    /// Standard error of a command without a terminal.
    Stderr(Vec<u8>),
    /// How the command ended.
    Exit(Exit),
    /// Nothing more will come; the reason if it is not the ordinary end.
    Closed(Option<Failure>),
}

/// How a remote command ended.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By this signal, named as in RFC 4254 section 6.10 (`TERM`, `KILL`, …).
    Signal(String),
}
