//! The child half: reads frames from standard input, runs an engine, writes
//! frames to standard output. Ends when the application's end of the pipe closes.
//! Opens no file of the person's, but in the one folder that an RDP entry shares.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::wire::{self, Frame, HEAD, Need, Start, Tag};
use crate::connect::files::{FilesSaid, FilesTold};
use crate::connect::link::{ChannelRequest, Exit, LineSignal, LinkInfo, TermSize};
use crate::connect::screen::{CopyRect, PIXEL, Place, ScreenInput, ScreenSaid};
use crate::connect::vpn::door::Door;
use crate::connect::vpn::journal::Now;
use crate::connect::{Failure, Progress, Question, manifest, ssh, vpn};
use crate::model::entry::Slot;
use crate::model::target::{HostPort, PinnedKey};
use crate::os::net::{Bell, Socket};
use crate::os::process::{confine_session_process, leave_at_once, raw_stdio};
use crate::os::shared_memory::{self, WriteMemory};
use crate::secret::{SecretBytes, SecretText};

/// How long an engine may take to part from the server politely.
const GOODBYE: Duration = Duration::from_millis(800);

/// What the application wants of an engine.
pub enum Command {
    /// Open this channel.
    Open(u32, ChannelRequest),
    /// Bytes for the far side.
    Data(u32, Vec<u8>),
    /// No more bytes for the far side.
    Eof(u32),
    /// New terminal size.
    Resize(u32, TermSize),
    /// A signal on the line.
    Signal(u32, LineSignal),
    /// What the person does to a desktop.
    Input(u32, ScreenInput),
    /// Text for the desktop's clipboard.
    Clipboard(u32, SecretText),
    /// Files for the desktop's clipboard, or from it.
    Files(u32, FilesTold),
    /// End the channel.
    Close(u32),
    /// The application took so many bytes of output.
    Credit(u32, usize),
    /// Connect a socket of this process to a place that the far side reaches.
    Stream(Stream),
    /// The socket for a stream that came from the far side, or why there is none.
    Attach(u32, io::Result<Socket>),
    /// End everything.
    Quit,
}

/// A stream through the connection, from a socket of this process.
pub struct Stream {
    /// Where the far side is to connect.
    pub to: HostPort,
    /// The near end.
    pub socket: Socket,
    /// Written to the near end before anything else once the stream is open.
    pub on_open: Vec<u8>,
    /// Written to the near end when it is refused.
    pub on_refusal: Vec<u8>,
    /// Hears whether it was opened, or why not.
    pub opened: Option<Sender<Result<(), String>>>,
}

/// Where an engine gets its commands. Never blocks.
pub trait Inbox: Send + Sync {
    /// Hands over a command and wakes the engine.
    fn push(&self, command: Command);
}

/// An engine with an open connection.
pub trait Engine: Send {
    /// Facts for the application.
    fn info(&self) -> LinkInfo;
    /// Where its commands go.
    fn inbox(&self) -> Arc<dyn Inbox>;
    /// Serves channels until the connection ends, or `Quit`. The reason if it
    /// ended by itself; `noted` hears it before any channel is closed.
    fn run(self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure>;
}

/// Commands for an engine that waits on sockets: a queue with a bell.
pub struct Queue {
    commands: Mutex<VecDeque<Command>>,
    bell: Bell,
}

impl Queue {
    /// An empty queue.
    ///
    /// # Errors
    /// No descriptors left.
    pub fn new() -> io::Result<Self> {
        Ok(Self { commands: Mutex::default(), bell: Bell::new()? })
    }

    /// What to watch while waiting.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Everything that has come.
    pub fn take(&self) -> VecDeque<Command> {
        std::mem::take(&mut *self.commands.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Inbox for Queue {
    fn push(&self, command: Command) {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).push_back(command);
        self.bell.ring();
    }
}

/// The way to the application.
pub struct Uplink {
    out: Mutex<Out>,
    replies: Mutex<Receiver<Frame>>,
    lent: Mutex<Option<Lending>>,
    door: OnceLock<(Door, HostPort)>,
}

/// Bytes of frames that wait for others at most.
const HELD_MAX: usize = 4096;

/// The pipe, and frames that leave together with what comes next: each write wakes the
/// application.
struct Out {
    pipe: File,
    held: Vec<u8>,
}

impl Out {
    /// The pipe, everything before written to it.
    fn pipe(&mut self) -> &mut File {
        self.flush();
        &mut self.pipe
    }

    fn hold<T: serde::Serialize + ?Sized>(&mut self, tag: Tag, channel: u32, value: &T) {
        gone_if_err(wire::write_value(&mut self.held, tag, channel, value));
        if self.held.len() >= HELD_MAX {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.held.is_empty() {
            gone_if_err(self.pipe.write_all(&self.held));
            self.held.clear();
        }
    }
}

/// The memory for pixels, which is filled from its beginning again and again.
struct Lending {
    memory: WriteMemory,
    next: usize,
    row: Vec<u8>,
}

impl Lending {
    /// Puts rows there; where they begin.
    fn put(&mut self, place: Place, mut fill: impl FnMut(usize, &mut [u8])) -> u32 {
        let row_bytes = usize::from(place.width) * PIXEL;
        let length = row_bytes * usize::from(place.height);
        if self.next + length > wire::MEMORY {
            self.next = 0;
        }
        let at = self.next;
        self.next += length;
        self.row.resize(row_bytes, 0);
        for row in 0..usize::from(place.height) {
            fill(row, &mut self.row);
            self.memory.write(at + row * row_bytes, &self.row);
        }
        at as u32
    }
}

impl Uplink {
    /// One that writes to `pipe` and lends nothing.
    #[cfg(test)]
    pub fn onto(pipe: File) -> Self {
        let (_, replies) = channel();
        let out = Mutex::new(Out { pipe, held: Vec::new() });
        let replies = Mutex::new(replies);
        Self { out, replies, lent: Mutex::default(), door: OnceLock::new() }
    }

    fn send<T: serde::Serialize + ?Sized>(&self, tag: Tag, channel: u32, value: &T) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        gone_if_err(wire::write_value(out.pipe(), tag, channel, value));
    }

    fn hold<T: serde::Serialize + ?Sized>(&self, tag: Tag, channel: u32, value: &T) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).hold(tag, channel, value);
    }

    /// Tells the application of parts of a picture that were held back so that they are
    /// told together.
    pub fn flush(&self) {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).flush();
    }

    /// The door to the network of a VPN, if this connection goes through one.
    pub fn door(&self) -> Option<&Door> {
        self.door.get().map(|(door, _)| door)
    }

    /// Why a connection is over, which sees no more than its stream end where the VPN is.
    fn reason(&self, seen: &Failure) -> Failure {
        match self.door.get() {
            Some((door, at)) if door.is_gone() => vpn::fail::gone(at),
            _ => seen.clone(),
        }
    }

    /// How a VPN is now.
    pub fn vpn(&self, now: &Now) {
        self.send(Tag::Vpn, 0, now);
    }

    /// Tells how far the connection is.
    pub fn say(&self, progress: &Progress) {
        self.send(Tag::Say, 0, progress);
    }

    /// A secret of a hop; each is given once.
    pub fn secret(&self, hop: usize, slot: &Slot) -> Option<SecretBytes> {
        let need = Need { hop: hop as u32, slot: slot.clone() };
        self.send(Tag::Need, 0, &need);
        self.given()
    }

    /// The current code of a hop.
    pub fn totp(&self, hop: usize) -> Option<SecretText> {
        self.send(Tag::NeedTotp, 0, &(hop as u32));
        self.given().and_then(|code| code.into_text().ok())
    }

    /// Asks the person for a text; `None` is a refusal.
    pub fn ask_text(&self, question: Question) -> Option<SecretText> {
        self.send(Tag::Ask, 0, &question);
        let frame = self.reply();
        match frame.tag {
            Tag::Text => frame.into_secret().into_text().ok(),
            _ => None,
        }
    }

    /// A server showed another key than those pinned for it.
    pub fn key_changed(&self, shown: &PinnedKey) {
        self.send(Tag::KeyChanged, 0, shown);
    }

    /// Asks the person for a yes.
    pub fn ask_yes(&self, question: Question) -> bool {
        self.send(Tag::Ask, 0, &question);
        self.reply().tag == Tag::Yes
    }

    fn given(&self) -> Option<SecretBytes> {
        let frame = self.reply();
        (frame.tag == Tag::Give).then(|| frame.into_secret())
    }

    fn reply(&self) -> Frame {
        match self.replies.lock().unwrap_or_else(PoisonError::into_inner).recv() {
            Ok(frame) => frame,
            Err(_) => leave(),
        }
    }

    /// The channel is open, or why not.
    pub fn opened(&self, channel: u32, result: Result<(), &Failure>) {
        match result {
            Ok(()) => self.send(Tag::Opened, channel, &()),
            Err(failure) => self.send(Tag::Refused, channel, failure),
        }
    }

    /// How a command ended.
    pub fn exit(&self, channel: u32, exit: &Exit) {
        self.send(Tag::Exit, channel, exit);
    }

    /// Part of a desktop's picture, at most [`wire::DATA_MAX`] bytes of pixels, which
    /// `fill` puts into each row, by way of memory; false where there is none. Told
    /// with the next [`Uplink::flush`], or before.
    pub fn lend(&self, channel: u32, place: Place, fill: impl FnMut(usize, &mut [u8])) -> bool {
        let mut lent = self.lent.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(lending) = lent.as_mut() else { return false };
        let at = lending.put(place, fill);
        self.hold(Tag::Lent, channel, &wire::Lent { place, at });
        true
    }

    /// Part of a desktop's picture, at most [`wire::DATA_MAX`] bytes of pixels.
    pub fn tile(&self, channel: u32, place: Place, pixels: &[u8]) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        gone_if_err(wire::write_tile(out.pipe(), channel, place, pixels));
    }

    /// Part of a desktop's picture that is to be seen elsewhere in it as well. Told with
    /// the next [`Uplink::flush`], or before.
    pub fn copy(&self, channel: u32, copy: &CopyRect) {
        self.hold(Tag::Copy, channel, copy);
    }

    /// What a desktop says besides its picture.
    pub fn screen(&self, channel: u32, said: &ScreenSaid) {
        self.send(Tag::Screen, channel, said);
    }

    /// Text from a desktop's clipboard.
    pub fn clipboard(&self, channel: u32, text: &SecretText) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        text.expose(|t| {
            gone_if_err(wire::write_raw(out.pipe(), Tag::Clipboard, channel, t.as_bytes()));
        });
    }

    /// Files on a desktop's clipboard, or for it.
    pub fn files(&self, channel: u32, said: &FilesSaid) {
        self.send(Tag::FilesSaid, channel, said);
    }

    /// What takes the session up again after a break.
    pub fn resume(&self, channel: u32, with: &SecretBytes) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        with.expose(|w| gone_if_err(wire::write_raw(out.pipe(), Tag::Resume, channel, w)));
    }

    /// The channel is closed.
    pub fn closed(&self, channel: u32, why: Option<&Failure>) {
        self.send(Tag::Closed, channel, &why.map(|seen| self.reason(seen)));
    }

    /// So many bytes of input were taken by the far side.
    pub fn credit(&self, channel: u32, taken: usize) {
        self.send(Tag::Credit, channel, &(taken as u32));
    }

    /// Output of a channel, in one write.
    pub fn output(&self, channel: u32, stderr: bool, buffer: &mut Output) {
        let tag = if stderr { Tag::Stderr } else { Tag::Data };
        let end = HEAD + buffer.length;
        buffer.bytes[..HEAD].copy_from_slice(&wire::head(tag, channel, buffer.length));
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        gone_if_err(out.pipe().write_all(&buffer.bytes[..end]));
        buffer.length = 0;
    }
}

/// Room for one data frame, its head included, so that it leaves in one write.
pub struct Output {
    bytes: Vec<u8>,
    length: usize,
}

impl Output {
    /// An empty one.
    pub fn new() -> Self {
        Self { bytes: vec![0; HEAD + wire::DATA_MAX], length: 0 }
    }

    /// Room for at most `limit` bytes; say how many were filled with
    /// [`Output::filled`].
    pub fn room(&mut self, limit: usize) -> &mut [u8] {
        &mut self.bytes[HEAD..HEAD + limit.min(wire::DATA_MAX)]
    }

    /// So many bytes of the room were filled.
    pub fn filled(&mut self, length: usize) {
        self.length = length;
    }

    /// Copies `bytes` in, at most [`wire::DATA_MAX`].
    pub fn copy(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.length = bytes.len();
    }

    /// Tells a channel as much of `shown` as its `credit` allows, both of which become
    /// less by it; false when that is nothing.
    pub fn pour(
        &mut self,
        up: &Uplink,
        channel: u32,
        shown: &mut VecDeque<u8>,
        credit: &mut usize,
    ) -> bool {
        let mut moved = false;
        while *credit > 0 && !shown.is_empty() {
            let room = self.room((*credit).min(shown.len()));
            let count = room.len();
            for (place, byte) in room.iter_mut().zip(shown.drain(..count)) {
                *place = byte;
            }
            self.filled(count);
            up.output(channel, false, self);
            *credit -= count;
            moved = true;
        }
        moved
    }
}

impl Default for Output {
    fn default() -> Self {
        Self::new()
    }
}

/// What is left to do whenever this process leaves.
static LEAVING: Mutex<Option<Box<dyn FnOnce() + Send>>> = Mutex::new(None);

/// Has `act` done before this process leaves, whatever the reason.
pub fn before_leaving(act: Box<dyn FnOnce() + Send>) {
    *LEAVING.lock().unwrap_or_else(PoisonError::into_inner) = Some(act);
}

/// Leaves, what is left to do done. Held until the end, so that nobody leaves
/// halfway through.
fn leave() -> ! {
    let mut leaving = LEAVING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(act) = leaving.take() {
        act();
    }
    leave_at_once()
}

/// The application is gone: nobody is left to serve.
fn gone_if_err(result: io::Result<()>) {
    if result.is_err() {
        leave();
    }
}

/// The session process.
pub fn main() -> ExitCode {
    confine_session_process();
    let Ok((mut from, to)) = raw_stdio() else { return ExitCode::FAILURE };
    let (reply, replies) = channel();
    let (begin, started) = channel();
    let inbox: Arc<OnceLock<Arc<dyn Inbox>>> = Arc::default();
    let up = Arc::new(Uplink {
        out: Mutex::new(Out { pipe: to, held: Vec::new() }),
        replies: Mutex::new(replies),
        lent: Mutex::default(),
        door: OnceLock::new(),
    });
    {
        let inbox = inbox.clone();
        let reader = std::thread::Builder::new()
            .name("frames".into())
            .spawn(move || read_frames(&mut from, &begin, &reply, &inbox));
        if reader.is_err() {
            return ExitCode::FAILURE;
        }
    }
    let Ok(start) = started.recv() else { return ExitCode::SUCCESS };
    let Start { target, agent, run, memory, door } = start;
    if door {
        // Without it everything would be looked for in another network.
        let Some(door) = Door::given() else { leave() };
        let _ = up.door.set((door, target.destination().at.clone()));
    }
    if memory && let Ok(memory) = shared_memory::given(shared_memory::NUMBER, wire::MEMORY) {
        let lending = Lending { memory, next: 0, row: Vec::new() };
        *up.lent.lock().unwrap_or_else(PoisonError::into_inner) = Some(lending);
    }
    let opened = match run {
        #[cfg(unix)]
        Some(run) => manifest::engine::open(run, &target, &up),
        #[cfg(not(unix))]
        Some(_) => Err(manifest::fail::no_platform(target.kind.word())),
        None => ssh::route::open(&target, agent, &up),
    };
    let engine = match opened {
        Ok(engine) => engine,
        Err(failure) => {
            up.send(Tag::Failed, 0, &failure);
            leave();
        }
    };
    let _ = inbox.set(engine.inbox());
    up.send(Tag::Up, 0, &engine.info());
    let why = engine.run(up.clone(), &|_| {});
    up.send(Tag::Ended, 0, &why.map(|seen| up.reason(&seen)));
    leave()
}

fn read_frames(
    from: &mut File,
    begin: &Sender<Start>,
    reply: &Sender<Frame>,
    inbox: &OnceLock<Arc<dyn Inbox>>,
) {
    while let Ok(Some(frame)) = wire::read(from) {
        let channel = frame.channel;
        let command = match frame.tag {
            Tag::Start => {
                let Ok(start) = frame.value::<Start>() else { break };
                let _ = begin.send(start);
                continue;
            }
            Tag::Give | Tag::GiveNone | Tag::Yes | Tag::No | Tag::Text => {
                let _ = reply.send(frame);
                continue;
            }
            Tag::Open => frame.value().map(|request| Command::Open(channel, request)),
            Tag::Data => Ok(Command::Data(channel, frame.body)),
            Tag::Eof => Ok(Command::Eof(channel)),
            Tag::Resize => frame.value().map(|size| Command::Resize(channel, size)),
            Tag::Signal => frame.value().map(|signal| Command::Signal(channel, signal)),
            Tag::Input => frame.value().map(|input| Command::Input(channel, input)),
            Tag::Clipboard => match frame.into_secret().into_text() {
                Ok(text) => Ok(Command::Clipboard(channel, text)),
                Err(_) => break,
            },
            Tag::FilesTold => frame.value().map(|told| Command::Files(channel, told)),
            Tag::Close => Ok(Command::Close(channel)),
            Tag::Credit => frame.value::<u32>().map(|n| Command::Credit(channel, n as usize)),
            _ => break,
        };
        let Ok(command) = command else { break };
        if let Some(inbox) = inbox.get() {
            inbox.push(command);
        }
    }
    // Quit, the end of the pipe, or nonsense: the session is over either way.
    if let Some(inbox) = inbox.get() {
        inbox.push(Command::Quit);
        std::thread::sleep(GOODBYE);
    }
    leave();
}
