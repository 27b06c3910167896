//! One session of a client: questions, progress and channel bytes, both ways.
//! What the far side sends faster than the client reads waits here up to a
//! limit; what the client sends faster than the far side reads waits there.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::Builder;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::app::api::{ExportRequest, Reply};
use crate::app::{ExportUi, OpenSession, SessionUi};
use crate::connect::files::{FilesSaid, FilesTold};
use crate::connect::link::{Channel, FromRemote, Sink, ToRemote};
use crate::connect::screen::{CopyRect, Tile};
use crate::connect::{Answer, Progress, Question};

use super::frames::{self, Connect, FromAgent, ToAgent};
use super::serve::Shared;

/// Bytes for a slow client that wait in the agent; then the channel waits.
const OUTBOX_MAX_BYTES: usize = 8 * 1024 * 1024;
/// Bytes for a slow far side above which the client is not read.
const BACKLOG_MAX_BYTES: usize = 1024 * 1024;
/// How often a full backlog is looked at again.
const BACKLOG_PAUSE: Duration = Duration::from_millis(2);

/// Opens what the client wants and relays until one side ends.
///
/// # Errors
/// The client is gone.
pub fn session(
    shared: &Arc<Shared>,
    client: u64,
    stream: &mut UnixStream,
    request: Connect,
) -> io::Result<()> {
    let by_itself = request.after.is_some();
    let opened = shared.opens(client, || shared.app.connect(request.into(), &mut Person(stream)));
    let session = match opened {
        Ok(session) => session,
        Err(error) => return frames::write(stream, &FromAgent::Opened(Err(error))),
    };
    let result = relayed(shared, stream, &session, by_itself);
    session.close_because(shared.why_gone());
    result
}

/// Reads a configuration for the client.
///
/// # Errors
/// The client is gone.
pub fn snapshot(
    shared: &Shared,
    client: u64,
    stream: &mut UnixStream,
    request: Connect,
) -> io::Result<()> {
    let taken = shared.reads(client, || shared.app.snapshot(request.into(), &mut Person(stream)));
    shared.touch();
    frames::write(stream, &FromAgent::Reply(taken.map(Reply::Taken)))
}

/// Tells that the session is open and relays.
fn relayed(
    shared: &Shared,
    stream: &mut UnixStream,
    session: &Arc<dyn OpenSession>,
    by_itself: bool,
) -> io::Result<()> {
    frames::write(stream, &FromAgent::Opened(Ok((session.id(), session.info()))))?;
    let outbox = Outbox::to(stream.try_clone()?)?;
    let mut open = HashMap::new();
    let result = channels((shared, by_itself), stream, session, &outbox, &mut open);
    outbox.close();
    result
}

/// Whether a frame of a session is something that the person does: not the pieces of
/// files that programs fetch and give, nor what opens a session again by itself.
fn by_person(frame: &ToAgent, by_itself: bool) -> bool {
    match frame {
        ToAgent::Files(_, told) => matches!(told, FilesTold::Offer(_)),
        ToAgent::OpenChannel(..) => !by_itself,
        _ => true,
    }
}

/// The client's frames, until it hangs up.
fn channels(
    (shared, by_itself): (&Shared, bool),
    stream: &mut UnixStream,
    session: &Arc<dyn OpenSession>,
    outbox: &Arc<Outbox>,
    open: &mut HashMap<u32, Box<dyn Channel>>,
) -> io::Result<()> {
    loop {
        let frame = match frames::read(stream) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            other => other?,
        };
        if by_person(&frame, by_itself) {
            shared.touch();
        }
        match frame {
            ToAgent::OpenChannel(id, request) => {
                // Nothing of the channel may overtake the word that it is open.
                let hold = outbox.hold(id);
                let answer = match session.open_channel(request, sink(id, session, outbox)) {
                    Ok(channel) => {
                        open.insert(id, channel);
                        Ok(())
                    }
                    Err(error) => Err(error),
                };
                hold.release(FromAgent::ChannelOpened(id, answer, session.alive()));
            }
            ToAgent::Data(id, data) => {
                if let Some(channel) = open.get(&id) {
                    channel.send(ToRemote::Data(data));
                    while channel.backlog() > BACKLOG_MAX_BYTES && !hung_up(stream) {
                        std::thread::sleep(BACKLOG_PAUSE);
                    }
                }
            }
            ToAgent::Eof(id) => tell(open, id, ToRemote::Eof),
            ToAgent::Resize(id, size) => tell(open, id, ToRemote::Resize(size)),
            ToAgent::Signal(id, signal) => tell(open, id, ToRemote::Signal(signal)),
            ToAgent::Input(id, input) => tell(open, id, ToRemote::Screen(input)),
            ToAgent::Clipboard(id, text) => tell(open, id, ToRemote::Clipboard(text)),
            ToAgent::Files(id, told) => tell(open, id, ToRemote::Files(told)),
            ToAgent::Close(id) => {
                tell(open, id, ToRemote::Close);
                open.remove(&id);
            }
            ToAgent::Call(_)
            | ToAgent::Export(_)
            | ToAgent::Cancel
            | ToAgent::Idle(_)
            | ToAgent::Connect(_)
            | ToAgent::Snapshot(_)
            | ToAgent::Answer(_) => {
                return Err(io::Error::from(io::ErrorKind::InvalidData));
            }
        }
    }
}

fn tell(open: &HashMap<u32, Box<dyn Channel>>, id: u32, message: ToRemote) {
    if let Some(channel) = open.get(&id) {
        channel.send(message);
    }
}

/// Puts what a channel says into the outbox.
fn sink(id: u32, session: &Arc<dyn OpenSession>, outbox: &Arc<Outbox>) -> Sink {
    let outbox = Arc::clone(outbox);
    // Weak: the sink lives in the session it would otherwise keep alive.
    let session = Arc::downgrade(session);
    Box::new(move |said| {
        outbox.put(match said {
            // The application has kept it.
            FromRemote::Resume(_) => return,
            FromRemote::Data(data) => FromAgent::Data(id, data),
            FromRemote::Stderr(data) => FromAgent::Stderr(id, data),
            FromRemote::Exit(exit) => FromAgent::Exit(id, exit),
            FromRemote::Tile(Tile { place, pixels }) => FromAgent::Tile(id, place, pixels),
            FromRemote::Lent(tile) => {
                let Tile { place, pixels } = tile.tile();
                FromAgent::Tile(id, place, pixels)
            }
            FromRemote::Copy(copy) => FromAgent::Copy(id, copy),
            FromRemote::Screen(said) => FromAgent::Screen(id, said),
            FromRemote::Files(said) => FromAgent::Files(id, said),
            FromRemote::Clipboard(text) => FromAgent::Clipboard(id, text),
            FromRemote::Closed(failure) => {
                let alive = session.upgrade().is_some_and(|session| session.alive());
                FromAgent::Closed(id, failure, alive)
            }
        });
    })
}

/// Frames on their way to the client, and the thread that writes them.
struct Outbox {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<FromAgent>,
    bytes: usize,
    closed: bool,
    /// A channel being opened, and what it already said.
    held: Option<(u32, Vec<FromAgent>)>,
}

/// Keeps a channel's frames back until its opening is answered.
struct Hold<'a>(&'a Outbox);

impl Outbox {
    fn to(mut stream: UnixStream) -> io::Result<Arc<Self>> {
        let outbox = Arc::new(Self { queue: Mutex::default(), changed: Condvar::new() });
        let writer = Arc::clone(&outbox);
        Builder::new().name("agent-outbox".to_owned()).spawn(move || {
            while let Some(frame) = writer.take() {
                if frames::write(&mut stream, &frame).is_err() {
                    writer.close();
                    // Wakes the reading side too.
                    let _ = stream.shutdown(std::net::Shutdown::Both);
                }
            }
        })?;
        Ok(outbox)
    }

    fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits while the client is too far behind.
    fn put(&self, frame: FromAgent) {
        let mut queue = self.queue();
        while queue.bytes > OUTBOX_MAX_BYTES && !queue.closed {
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.closed {
            return;
        }
        queue.bytes += weight(&frame);
        match &mut queue.held {
            Some((id, held)) if channel_of(&frame) == Some(*id) => held.push(frame),
            _ => queue.frames.push_back(frame),
        }
        self.changed.notify_all();
    }

    fn take(&self) -> Option<FromAgent> {
        let mut queue = self.queue();
        loop {
            if queue.closed {
                return None;
            }
            if let Some(frame) = queue.frames.pop_front() {
                queue.bytes -= weight(&frame);
                self.changed.notify_all();
                return Some(frame);
            }
            queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn hold(&self, id: u32) -> Hold<'_> {
        self.queue().held = Some((id, Vec::new()));
        Hold(self)
    }

    /// Nobody waits for the client any more; what is queued is thrown away.
    fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.frames.clear();
        self.changed.notify_all();
    }
}

impl Hold<'_> {
    fn release(self, answer: FromAgent) {
        let mut queue = self.0.queue();
        queue.frames.push_back(answer);
        if let Some((_, held)) = queue.held.take() {
            queue.frames.extend(held);
        }
        self.0.changed.notify_all();
    }
}

fn weight(frame: &FromAgent) -> usize {
    match frame {
        FromAgent::Data(_, data) | FromAgent::Stderr(_, data) | FromAgent::Tile(_, _, data) => {
            data.len()
        }
        FromAgent::Copy(..) => CopyRect::WEIGHT,
        FromAgent::Files(_, FilesSaid::Piece(piece)) => piece.bytes.as_ref().map_or(0, Vec::len),
        _ => 0,
    }
}

fn channel_of(frame: &FromAgent) -> Option<u32> {
    match frame {
        FromAgent::Data(id, _)
        | FromAgent::Stderr(id, _)
        | FromAgent::Exit(id, _)
        | FromAgent::Tile(id, ..)
        | FromAgent::Copy(id, _)
        | FromAgent::Screen(id, _)
        | FromAgent::Clipboard(id, _)
        | FromAgent::Files(id, _)
        | FromAgent::Closed(id, ..) => Some(*id),
        _ => None,
    }
}

/// The person at the client's end.
struct Person<'a>(&'a mut UnixStream);

impl SessionUi for Person<'_> {
    fn ask(&mut self, question: Question) -> Answer {
        let asked = frames::write(self.0, &FromAgent::Ask(question));
        match asked.and_then(|()| frames::read(self.0)) {
            Ok(ToAgent::Answer(answer)) => answer.into(),
            // Gone, or not answering what was asked.
            _ => Answer::No,
        }
    }

    fn say(&mut self, progress: Progress) {
        // A client that is gone is noticed at the next question.
        let _ = frames::write(self.0, &FromAgent::Say(progress));
    }

    fn cancelled(&self) -> bool {
        hung_up(self.0)
    }
}

/// Writes an export for the client, who may give up or hang up meanwhile.
///
/// # Errors
/// The client is gone.
pub fn export(shared: &Shared, stream: &mut UnixStream, request: ExportRequest) -> io::Result<()> {
    let mut follower = Follower { shared, stream, given_up: false };
    let reply = shared.app.export(request, &mut follower);
    shared.touch();
    frames::write(stream, &FromAgent::Reply(reply))
}

/// The client that waits for an export.
struct Follower<'a> {
    shared: &'a Shared,
    stream: &'a mut UnixStream,
    given_up: bool,
}

impl ExportUi for Follower<'_> {
    fn show(&mut self, done: u64, total: u64) {
        self.shared.touch();
        let told = frames::write(self.stream, &FromAgent::Exporting(done, total));
        self.given_up |= told.is_err();
    }

    fn cancelled(&mut self) -> bool {
        // All a client says before it has the answer is that it gives up.
        self.given_up = self.given_up || ready(self.stream, PollFlags::IN);
        self.given_up
    }
}

/// Whether the client has closed its end, without reading what it sent before.
fn hung_up(stream: &UnixStream) -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let wanted = PollFlags::HUP | PollFlags::RDHUP;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let wanted = PollFlags::HUP;
    ready(stream, wanted)
}

/// Whether one of `wanted`, or an error, is there now.
fn ready(stream: &UnixStream, wanted: PollFlags) -> bool {
    let mut fds = [PollFd::new(stream, wanted)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut fds, Some(&now)).is_ok_and(|ready| ready > 0)
        && fds[0].revents().intersects(wanted | PollFlags::ERR | PollFlags::HUP)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::files::{Piece, Want};
    use crate::connect::link::{ChannelRequest, TermSize};

    #[test]
    fn only_what_the_person_does_keeps_the_vault_open() {
        let files = |told| ToAgent::Files(1, told);
        let open = || {
            let size = TermSize { cols: 80, rows: 24 };
            ToAgent::OpenChannel(1, ChannelRequest::Shell { size, term: String::new() })
        };
        let want = Want { ticket: 1, index: 0, offset: 0, length: 1 };
        assert!(!by_person(&files(FilesTold::Want(want)), false));
        assert!(!by_person(&files(FilesTold::Piece(Piece { ticket: 1, bytes: None })), false));
        assert!(by_person(&files(FilesTold::Offer(Vec::new())), false));
        assert!(by_person(&ToAgent::Data(1, b"ls".to_vec()), true));
        assert!(by_person(&open(), false) && !by_person(&open(), true));
    }
}
