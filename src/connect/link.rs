//! An open connection and the channels on it, whatever protocol carries them.
//! Never blocks the caller: output arrives on the connector's own thread.

use crate::model::lang::Bi;
use crate::secret::{SecretBytes, SecretText};

use super::files::{FilesSaid, FilesTold};
use super::screen::{CopyRect, LentTile, PIXEL, ScreenInput, ScreenSaid, ScreenSize, Tile};
use super::vpn::door::Passage;
use super::vpn::journal::Now;
use super::{Failure, FailureKind};

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
    /// What it is besides, where it is a VPN.
    fn tunnel(&self) -> Option<&dyn Tunnel> {
        None
    }
}

/// A VPN that is up.
pub trait Tunnel {
    /// A new way into its network, for one session process.
    ///
    /// # Errors
    /// It has ended.
    fn passage(&self) -> std::io::Result<Passage>;
    /// How it is now.
    fn now(&self) -> Now;
    /// From now on `hear` is told whenever that changes, on a thread of the VPN's that
    /// it must not hold up.
    fn watch(&self, hear: Box<dyn FnMut(&Now) + Send>);
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
    /// The far side is a desktop: [`ChannelRequest::Screen`] opens it.
    pub desktop: bool,
    /// It is to be opened again by itself when the connection breaks.
    pub comes_back: bool,
    /// Files that are dropped on it may go to its clipboard.
    pub takes_files: bool,
    /// The VPN that it goes through, by path; empty where it goes through none.
    pub vpn: String,
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
    /// From now on bytes go as they are: Enter is not translated, nothing is shown here.
    /// Never listed: where nothing is translated anyway it is ignored.
    BytesOn,
    /// Typing again.
    BytesOff,
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
    /// A desktop.
    Screen {
        /// The size that is wanted.
        size: ScreenSize,
    },
}

impl ChannelRequest {
    /// The same, with the value of `TERM` that the entry sets, if it sets one;
    /// otherwise that of whoever asks stays.
    #[must_use]
    pub fn with_term(mut self, entry: &str) -> Self {
        if let Self::Shell { term, .. } | Self::Exec { term, .. } = &mut self
            && !entry.is_empty()
        {
            entry.clone_into(term);
        }
        self
    }
}

/// Why a far side that is no desktop opens none.
pub fn no_screen() -> Failure {
    Failure {
        kind: FailureKind::Setting,
        what: Bi::new(
            "Cette fiche n’a pas de bureau à montrer.",
            "This entry has no desktop to show.",
        ),
        todo: Bi::new(
            "Ouvrez-la dans un terminal, ou choisissez une fiche RDP ou VNC.",
            "Open it in a terminal, or choose an RDP or VNC entry.",
        ),
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
    /// What the person does to a desktop.
    Screen(ScreenInput),
    /// Text for the desktop's clipboard.
    Clipboard(SecretText),
    /// Files for the desktop's clipboard, or from it.
    Files(FilesTold),
    /// End the channel.
    Close,
}

/// What comes from the far side.
pub enum FromRemote {
    /// Standard output, or the terminal's stream.
    Data(Vec<u8>),
    /// Standard error of a command without a terminal.
    Stderr(Vec<u8>),
    /// How the command ended.
    Exit(Exit),
    /// Part of a desktop's picture.
    Tile(Tile),
    /// The same, to be taken in at once.
    Lent(LentTile),
    /// A part of that picture is to be seen elsewhere in it as well.
    Copy(CopyRect),
    /// What a desktop says besides its picture.
    Screen(ScreenSaid),
    /// Text from the desktop's clipboard.
    Clipboard(SecretText),
    /// Files on the desktop's clipboard, or for it. They come when they were asked
    /// for, and bound themselves.
    Files(FilesSaid),
    /// What takes this session of the far side up again after a break. The
    /// application keeps it for the next lease; whoever shows the session never sees it.
    Resume(SecretBytes),
    /// Nothing more will come; the reason if it is not the ordinary end.
    Closed(Option<Failure>),
}

impl FromRemote {
    /// Whether only a desktop says it, never a terminal.
    pub fn desktop_only(&self) -> bool {
        match self {
            Self::Data(_) | Self::Stderr(_) | Self::Exit(_) | Self::Closed(_) => false,
            Self::Tile(_)
            | Self::Lent(_)
            | Self::Copy(_)
            | Self::Screen(_)
            | Self::Clipboard(_)
            | Self::Files(_)
            | Self::Resume(_) => true,
        }
    }

    /// Bytes of content, which bound what may be under way.
    pub fn weight(&self) -> usize {
        match self {
            Self::Data(bytes) | Self::Stderr(bytes) => bytes.len(),
            Self::Tile(tile) => tile.place.pixels() * PIXEL,
            Self::Lent(tile) => tile.place().pixels() * PIXEL,
            Self::Copy(_) => CopyRect::WEIGHT,
            Self::Exit(_)
            | Self::Screen(_)
            | Self::Clipboard(_)
            | Self::Files(_)
            | Self::Resume(_)
            | Self::Closed(_) => 0,
        }
    }
}

/// How a remote command ended.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub enum Exit {
    /// With this status.
    Status(i32),
    /// By this signal, named as in RFC 4254 section 6.10 (`TERM`, `KILL`, …).
    Signal(String),
}
