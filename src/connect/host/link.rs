//! The parent half: a [`Link`] whose far side is reached by a session process.
//! Knows frames and windows, no protocol; holds no secret.

use std::collections::{HashMap, VecDeque};
use std::io::{self, BufReader, Write};
use std::process::{Child as Process, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::wire::{self, DATA_MAX, Frame, Need, Start, Tag, WINDOW};
use crate::connect::launch::Launch;
#[cfg(target_os = "linux")]
use crate::connect::link::Tunnel;
use crate::connect::link::{Channel, ChannelRequest, Exit, FromRemote, Link, LinkInfo, Sink};
use crate::connect::link::{TermSize, ToRemote};
use crate::connect::manifest::Run;
use crate::connect::screen::{LentTile, PIXEL};
#[cfg(target_os = "linux")]
use crate::connect::vpn::door::Passage;
use crate::connect::vpn::journal::Now;
use crate::connect::{Answer, Failure, FailureKind, Lease, Progress};
use crate::model::lang::Bi;
use crate::model::target::Target;
#[cfg(target_os = "linux")]
use crate::os::fds;
use crate::os::process::{agent_socket, widen_pipe};
use crate::os::shared_memory::ReadMemory;
use crate::os::words;

/// How often a waiting connection looks whether the person gave up.
const LOOK: Duration = Duration::from_millis(100);

/// How long a session process may take to say goodbye, and to clear away what it
/// made. Nobody waits for that.
const GOODBYE: Duration = Duration::from_secs(6);

/// A connection held by a session process.
pub struct HostLink {
    shared: Arc<Shared>,
    info: LinkInfo,
    /// The destination, for words.
    at: String,
    /// For the opening of a channel.
    limit: Duration,
    /// Value of `TERM` that the entry sets; may be empty.
    term: String,
    /// Where a VPN is told of new doors.
    #[cfg(target_os = "linux")]
    hall: Option<std::os::fd::OwnedFd>,
}

struct Shared {
    to_host: Mutex<Option<ChildStdin>>,
    channels: Mutex<HashMap<u32, Arc<Line>>>,
    next: AtomicU32,
    alive: AtomicBool,
    /// A channel did not open in time: no other is asked for.
    unfit: AtomicBool,
    received: AtomicU64,
    sent: AtomicU64,
    ended: Mutex<Option<Failure>>,
    /// Where the session process puts the pixels of a desktop.
    memory: Option<Arc<ReadMemory>>,
    /// Of a VPN: how it is, and who wants to know.
    vpn: Mutex<(Now, Vec<Watcher>)>,
}

/// Who is told of a VPN.
type Watcher = Box<dyn FnMut(&Now) + Send>;

/// One channel as the parent sees it.
struct Line {
    id: u32,
    opened: Mutex<Option<SyncSender<Result<(), Failure>>>>,
    to_sink: Mutex<Option<Sender<FromRemote>>>,
    out: Mutex<Outgoing>,
    /// Bytes that were taken in here and of which the session process has not heard.
    owed: AtomicUsize,
}

/// Input that waits for the far side.
struct Outgoing {
    queue: VecDeque<Vec<u8>>,
    waiting: usize,
    under_way: usize,
    eof: bool,
    closed: bool,
}

fn lock<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl HostLink {
    /// Starts a session process and connects. Blocks until connected, failed or
    /// given up. Later, a channel has `limit` to open.
    ///
    /// # Errors
    /// Whatever the session process says; `Cancelled` when the person gave up.
    pub fn open(target: &Target, lease: &mut dyn Lease, limit: Duration) -> Result<Self, Failure> {
        Self::open_as(Launch::session_host(), target, lease, limit)
    }

    /// As [`HostLink::open`], the session process with variables of its own.
    ///
    /// # Errors
    /// As there.
    pub fn open_as(
        launch: Launch,
        target: &Target,
        lease: &mut dyn Lease,
        limit: Duration,
    ) -> Result<Self, Failure> {
        Self::open_with(launch, None, target, lease, limit)
    }

    /// As [`HostLink::open_as`], for a program of another's.
    ///
    /// # Errors
    /// As there.
    pub fn open_run(
        launch: Launch,
        run: Run,
        target: &Target,
        lease: &mut dyn Lease,
        limit: Duration,
    ) -> Result<Self, Failure> {
        Self::open_with(launch, Some(run), target, lease, limit)
    }

    fn open_with(
        mut launch: Launch,
        run: Option<Run>,
        target: &Target,
        lease: &mut dyn Lease,
        limit: Duration,
    ) -> Result<Self, Failure> {
        let wants_agent =
            target.hops.iter().any(|h| h.settings.get("auth").is_some_and(|a| a == "agent"));
        let agent = if wants_agent { agent_socket() } else { None };
        let memory = launch.memory();
        let has_memory = memory.is_some();
        launch.door = lease.passage().transpose().map_err(|e| no_host(&e))?;
        let door = launch.door.is_some();
        #[cfg(target_os = "linux")]
        let hall = launch.hall_of(target).map_err(|e| no_host(&e))?;
        let mut child = lease.spawn(launch).map_err(|e| no_host(&e))?.process;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(no_host(&io::Error::other("no pipes")));
        };
        drop(child.stderr.take());
        widen_pipe(&stdin);
        widen_pipe(&stdout);

        let shared = Arc::new(Shared {
            to_host: Mutex::new(Some(stdin)),
            channels: Mutex::default(),
            next: AtomicU32::new(1),
            alive: AtomicBool::new(true),
            unfit: AtomicBool::new(false),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            ended: Mutex::new(None),
            memory,
            vpn: Mutex::default(),
        });
        let (events, from_host) = channel();
        std::thread::Builder::new()
            .name("session".into())
            .spawn({
                let shared = shared.clone();
                move || shared.listen(child, stdout, &events)
            })
            .map_err(|e| no_host(&e))?;
        let agent = agent.and_then(|path| path.into_string().ok());
        let start = Start { target: target.clone(), agent, run, memory: has_memory, door };
        shared.post(Tag::Start, 0, &start);
        match shared.negotiate(&from_host, lease) {
            Ok(info) => {
                let end = target.destination();
                let term = end.settings.get("term").map_or("", |t| t.trim()).to_owned();
                Ok(Self {
                    shared,
                    info,
                    at: end.at.to_string(),
                    limit,
                    term,
                    #[cfg(target_os = "linux")]
                    hall,
                })
            }
            Err(failure) => {
                shared.quit();
                Err(failure)
            }
        }
    }
}

impl Link for HostLink {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn open_channel(
        &self,
        request: ChannelRequest,
        mut sink: Sink,
    ) -> Result<Box<dyn Channel>, Failure> {
        let shared = &self.shared;
        let id = shared.next.fetch_add(1, Ordering::Relaxed);
        let (opened, answer) = sync_channel(1);
        let (to_sink, output) = channel::<FromRemote>();
        let line = Arc::new(Line {
            id,
            opened: Mutex::new(Some(opened)),
            to_sink: Mutex::new(Some(to_sink)),
            out: Mutex::new(Outgoing {
                queue: VecDeque::new(),
                waiting: 0,
                under_way: 0,
                eof: false,
                closed: false,
            }),
            owed: AtomicUsize::new(0),
        });
        lock(&shared.channels).insert(id, line.clone());
        if !shared.alive.load(Ordering::Acquire) {
            lock(&shared.channels).remove(&id);
            return Err(shared.over());
        }
        shared.post(Tag::Open, id, &request.with_term(&self.term));
        match answer.recv_timeout(self.limit) {
            Ok(Ok(())) => {}
            Ok(Err(failure)) => {
                lock(&shared.channels).remove(&id);
                return Err(failure);
            }
            Err(RecvTimeoutError::Disconnected) => {
                lock(&shared.channels).remove(&id);
                return Err(shared.over());
            }
            Err(RecvTimeoutError::Timeout) => {
                let failure = no_channel(&self.at, self.limit.as_secs());
                shared.unfit.store(true, Ordering::Release);
                shared.post_raw(Tag::Close, id, &[]);
                let alone = {
                    let mut channels = lock(&shared.channels);
                    channels.remove(&id);
                    channels.is_empty()
                };
                // Others may know better; without any, the connection is of no use.
                if alone {
                    lock(&shared.ended).get_or_insert_with(|| failure.clone());
                    shared.quit();
                }
                return Err(failure);
            }
        }
        let pump = {
            let (shared, line) = (shared.clone(), Arc::downgrade(&line));
            // Each channel has a thread of its own, so that a sink that is slow
            // holds up nothing but its own channel.
            move || {
                for message in output {
                    let size = match &message {
                        // Taken once it is given back, which a sink may leave to others.
                        FromRemote::Lent(_) => 0,
                        other => other.weight(),
                    };
                    let last = matches!(message, FromRemote::Closed(_));
                    sink(message);
                    if last {
                        break;
                    }
                    if let Some(line) = line.upgrade() {
                        line.took(&shared, size);
                    }
                }
            }
        };
        std::thread::Builder::new().name("channel".into()).spawn(pump).map_err(|e| no_host(&e))?;
        Ok(Box::new(HostChannel { shared: shared.clone(), line }))
    }

    fn traffic(&self) -> (u64, u64) {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        (read(&self.shared.received), read(&self.shared.sent))
    }

    fn alive(&self) -> bool {
        self.shared.alive.load(Ordering::Acquire) && !self.shared.unfit.load(Ordering::Acquire)
    }

    fn close(&self) {
        self.shared.quit();
    }

    #[cfg(target_os = "linux")]
    fn tunnel(&self) -> Option<&dyn Tunnel> {
        self.hall.as_ref()?;
        Some(self)
    }
}

#[cfg(target_os = "linux")]
impl Tunnel for HostLink {
    fn passage(&self) -> io::Result<Passage> {
        use std::os::fd::AsFd;
        let hall = self.hall.as_ref().ok_or(io::ErrorKind::NotConnected)?;
        let (mine, theirs) = fds::pair()?;
        fds::send(hall, b"d", &[theirs.as_fd()])?;
        Ok(mine)
    }

    fn now(&self) -> Now {
        lock(&self.shared.vpn).0.clone()
    }

    fn watch(&self, mut hear: Box<dyn FnMut(&Now) + Send>) {
        let mut vpn = lock(&self.shared.vpn);
        hear(&vpn.0);
        vpn.1.push(hear);
    }
}

impl Drop for HostLink {
    fn drop(&mut self) {
        self.shared.quit();
    }
}

impl Shared {
    /// Sends a frame. A session process that is gone is noticed by the listener.
    fn post<T: serde::Serialize + ?Sized>(&self, tag: Tag, channel: u32, value: &T) {
        if let Some(pipe) = lock(&self.to_host).as_mut() {
            let _ = wire::write_value(pipe, tag, channel, value);
        }
    }

    fn post_raw(&self, tag: Tag, channel: u32, body: &[u8]) {
        if let Some(pipe) = lock(&self.to_host).as_mut() {
            let _ = wire::write_raw(pipe, tag, channel, body);
        }
    }

    /// Tells the session process to end; its reader ends it within a second
    /// even if its engine is stuck.
    fn quit(&self) {
        if let Some(mut pipe) = lock(&self.to_host).take() {
            let _ = wire::write_raw(&mut pipe, Tag::Quit, 0, &[]);
            let _ = pipe.flush();
        }
    }

    /// Why nothing more can be opened.
    fn over(&self) -> Failure {
        lock(&self.ended).clone().unwrap_or_else(ended)
    }

    /// Serves the session process until it is connected.
    fn negotiate(
        &self,
        events: &Receiver<Frame>,
        lease: &mut dyn Lease,
    ) -> Result<LinkInfo, Failure> {
        loop {
            let frame = match events.recv_timeout(LOOK) {
                Ok(frame) => frame,
                Err(RecvTimeoutError::Timeout) if lease.cancelled() => return Err(given_up()),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(lock(&self.ended).clone().unwrap_or_else(host_gone));
                }
            };
            let garbled = |_| host_gone();
            match frame.tag {
                Tag::KeyChanged => lease.key_changed(&frame.value().map_err(garbled)?),
                Tag::Say => lease.say(frame.value::<Progress>().map_err(garbled)?),
                Tag::Ask => match lease.ask(frame.value().map_err(garbled)?) {
                    Answer::Yes => self.post_raw(Tag::Yes, 0, &[]),
                    Answer::No => self.post_raw(Tag::No, 0, &[]),
                    Answer::Text(text) => {
                        text.expose(|t| self.post_raw(Tag::Text, 0, t.as_bytes()));
                    }
                },
                Tag::Need => {
                    let need: Need = frame.value().map_err(garbled)?;
                    match lease.take(need.hop as usize, &need.slot) {
                        Some(secret) => secret.expose(|s| self.post_raw(Tag::Give, 0, s)),
                        None => self.post_raw(Tag::GiveNone, 0, &[]),
                    }
                }
                Tag::NeedTotp => {
                    let hop: u32 = frame.value().map_err(garbled)?;
                    match lease.totp(hop as usize) {
                        Some(code) => code.expose(|c| self.post_raw(Tag::Give, 0, c.as_bytes())),
                        None => self.post_raw(Tag::GiveNone, 0, &[]),
                    }
                }
                Tag::Up => return frame.value().map_err(garbled),
                Tag::Failed => return Err(frame.value().map_err(garbled)?),
                _ => return Err(host_gone()),
            }
            if lease.cancelled() {
                return Err(given_up());
            }
        }
    }

    /// The reading thread: hands frames on until the session process ends.
    fn listen(self: &Arc<Self>, mut process: Process, stdout: ChildStdout, events: &Sender<Frame>) {
        let mut from = BufReader::with_capacity(DATA_MAX, stdout);
        while let Ok(Some(frame)) = wire::read(&mut from) {
            if frame.channel == 0 {
                if frame.tag == Tag::Ended {
                    *lock(&self.ended) = frame.value().unwrap_or_default();
                    break;
                }
                if frame.tag == Tag::Vpn {
                    let Ok(now) = frame.value::<Now>() else { break };
                    let mut vpn = lock(&self.vpn);
                    vpn.1.iter_mut().for_each(|hear| hear(&now));
                    vpn.0 = now;
                    continue;
                }
                let _ = events.send(frame);
            } else if self.dispatch(frame).is_err() {
                break;
            }
        }
        drop(from);
        self.finish();
        self.quit();
        reap(&mut process);
    }

    fn dispatch(self: &Arc<Self>, frame: Frame) -> io::Result<()> {
        let Some(line) = lock(&self.channels).get(&frame.channel).cloned() else {
            return Ok(());
        };
        match frame.tag {
            Tag::Data | Tag::Stderr => {
                self.received.fetch_add(frame.body.len() as u64, Ordering::Relaxed);
                line.deliver(match frame.tag {
                    Tag::Data => FromRemote::Data(frame.body),
                    _ => FromRemote::Stderr(frame.body),
                });
            }
            Tag::Tile => {
                let tile = frame.into_tile()?;
                self.received.fetch_add(tile.pixels.len() as u64, Ordering::Relaxed);
                line.deliver(FromRemote::Tile(tile));
            }
            Tag::Lent => {
                let wire::Lent { place, at } = frame.value()?;
                let memory = self.memory.clone().ok_or(io::ErrorKind::InvalidData)?;
                let (shared, lender) = (Arc::downgrade(self), Arc::downgrade(&line));
                let give_back = move || {
                    if let (Some(shared), Some(line)) = (shared.upgrade(), lender.upgrade()) {
                        line.took(&shared, place.pixels() * PIXEL);
                    }
                };
                let tile = LentTile::new(place, at as usize, memory, give_back);
                let message = FromRemote::Lent(tile.ok_or(io::ErrorKind::InvalidData)?);
                self.received.fetch_add(message.weight() as u64, Ordering::Relaxed);
                line.deliver(message);
            }
            Tag::Copy => line.deliver(FromRemote::Copy(frame.value()?)),
            Tag::Screen => line.deliver(FromRemote::Screen(frame.value()?)),
            Tag::Clipboard => {
                let text = frame.into_secret().into_text().map_err(io::Error::other)?;
                line.deliver(FromRemote::Clipboard(text));
            }
            Tag::FilesSaid => line.deliver(FromRemote::Files(frame.value()?)),
            Tag::Resume => line.deliver(FromRemote::Resume(frame.into_secret())),
            Tag::Credit => {
                let taken: u32 = frame.value()?;
                line.credit(self, taken as usize);
            }
            Tag::Opened => line.answer(Ok(())),
            Tag::Refused => line.answer(Err(frame.value()?)),
            Tag::Exit => line.deliver(FromRemote::Exit(frame.value::<Exit>()?)),
            Tag::Closed => {
                lock(&self.channels).remove(&line.id);
                line.end(frame.value()?);
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
        Ok(())
    }

    /// Everything that was open hears that the connection is over.
    fn finish(&self) {
        self.alive.store(false, Ordering::Release);
        let wanted = lock(&self.to_host).is_none();
        let why = lock(&self.ended).clone().or_else(|| (!wanted).then(host_gone));
        let lines: Vec<Arc<Line>> = lock(&self.channels).drain().map(|(_, line)| line).collect();
        for line in lines {
            line.answer(Err(why.clone().unwrap_or_else(|| self.over())));
            line.end(why.clone());
        }
        let mut ended = lock(&self.ended);
        if ended.is_none() {
            *ended = why;
        }
    }
}

impl Line {
    fn deliver(&self, message: FromRemote) {
        if let Some(sink) = lock(&self.to_sink).as_ref() {
            let _ = sink.send(message);
        }
    }

    fn answer(&self, result: Result<(), Failure>) {
        if let Some(waiter) = lock(&self.opened).take() {
            let _ = waiter.send(result);
        }
    }

    /// So many bytes were taken in here: the session process may send as many more. It
    /// hears of them together.
    fn took(&self, shared: &Shared, bytes: usize) {
        let owed = self.owed.fetch_add(bytes, Ordering::AcqRel) + bytes;
        if owed >= WINDOW / 4 {
            let all = self.owed.swap(0, Ordering::AcqRel);
            shared.post(Tag::Credit, self.id, &(all as u32));
        }
    }

    fn end(&self, why: Option<Failure>) {
        if let Some(sink) = lock(&self.to_sink).take() {
            let _ = sink.send(FromRemote::Closed(why));
        }
        let mut out = lock(&self.out);
        out.closed = true;
        out.queue.clear();
        out.waiting = 0;
        out.under_way = 0;
    }

    /// The far side took `taken` bytes: more may follow.
    fn credit(&self, shared: &Shared, taken: usize) {
        let mut out = lock(&self.out);
        out.under_way = out.under_way.saturating_sub(taken);
        self.flush(shared, &mut out);
    }

    fn flush(&self, shared: &Shared, out: &mut Outgoing) {
        while out.under_way < WINDOW {
            let Some(mut bytes) = out.queue.pop_front() else { break };
            let room = (WINDOW - out.under_way).min(DATA_MAX);
            if bytes.len() > room {
                let rest = bytes.split_off(room);
                out.queue.push_front(rest);
            }
            out.waiting -= bytes.len();
            out.under_way += bytes.len();
            shared.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            shared.post_raw(Tag::Data, self.id, &bytes);
        }
        if out.eof && out.queue.is_empty() {
            out.eof = false;
            shared.post_raw(Tag::Eof, self.id, &[]);
        }
    }
}

struct HostChannel {
    shared: Arc<Shared>,
    line: Arc<Line>,
}

impl Channel for HostChannel {
    fn send(&self, message: ToRemote) {
        let mut out = lock(&self.line.out);
        if out.closed {
            return;
        }
        match message {
            ToRemote::Data(bytes) if bytes.is_empty() => {}
            ToRemote::Data(bytes) => {
                out.waiting += bytes.len();
                out.queue.push_back(bytes);
                self.line.flush(&self.shared, &mut out);
            }
            ToRemote::Eof => {
                out.eof = true;
                self.line.flush(&self.shared, &mut out);
            }
            ToRemote::Resize(size) => {
                self.shared.post::<TermSize>(Tag::Resize, self.line.id, &size);
            }
            ToRemote::Signal(signal) => self.shared.post(Tag::Signal, self.line.id, &signal),
            ToRemote::Screen(input) => self.shared.post(Tag::Input, self.line.id, &input),
            ToRemote::Clipboard(text) => {
                text.expose(|t| self.shared.post_raw(Tag::Clipboard, self.line.id, t.as_bytes()));
            }
            ToRemote::Files(told) => self.shared.post(Tag::FilesTold, self.line.id, &told),
            ToRemote::Close => {
                out.closed = true;
                self.shared.post_raw(Tag::Close, self.line.id, &[]);
            }
        }
    }

    fn backlog(&self) -> usize {
        let out = lock(&self.line.out);
        out.waiting + out.under_way
    }
}

impl Drop for HostChannel {
    fn drop(&mut self) {
        self.send(ToRemote::Close);
    }
}

/// Waits for the process; ends it by force when it takes too long.
fn reap(process: &mut Process) {
    let deadline = Instant::now() + GOODBYE;
    while Instant::now() < deadline {
        match process.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Ok(Some(_)) | Err(_) => return,
        }
    }
    let _ = process.kill();
    let _ = process.wait();
}

/// Its own failures, of marks.
pub(in crate::connect) fn each() -> Vec<Failure> {
    use crate::connect::retold::{ANY, SECS, cause};
    vec![ended(), given_up(), no_channel(ANY[0], SECS), no_host(&cause()), host_gone()]
}

fn ended() -> Failure {
    Failure {
        kind: FailureKind::Network,
        what: Bi::new("La connexion est terminée.", "The connection has ended."),
        todo: Bi::new("Connectez-vous à nouveau.", "Connect again."),
    }
}

/// The person gave up before it was connected.
pub fn given_up() -> Failure {
    Failure {
        kind: FailureKind::Cancelled,
        what: Bi::new("La connexion a été abandonnée.", "The connection was given up."),
        todo: Bi::new("Rien à faire.", "Nothing to do."),
    }
}

fn no_channel(at: &str, secs: u64) -> Failure {
    Failure {
        kind: FailureKind::Timeout,
        what: Bi::new(
            format!("{at} n’a pas ouvert de canal en {secs} s."),
            format!("{at} did not open a channel within {secs} s."),
        ),
        todo: Bi::new(
            "Vérifiez la machine et le réseau, puis connectez-vous à nouveau, ou allongez \
             «\u{a0}connect-timeout\u{a0}».",
            "Check the machine and the network, then connect again, or raise \
             “connect-timeout”.",
        ),
    }
}

fn no_host(e: &io::Error) -> Failure {
    let why = words::cause(e);
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            format!("Le processus de session n’a pas démarré\u{a0}: {}.", why.fr),
            format!("The session process did not start: {}.", why.en),
        ),
        todo: Bi::new(
            "Vérifiez que le programme Poterne est complet et exécutable.",
            "Check that the Poterne program is whole and may be executed.",
        ),
    }
}

fn host_gone() -> Failure {
    Failure {
        kind: FailureKind::Helper,
        what: Bi::new(
            "Le processus de session s’est arrêté sans prévenir.",
            "The session process stopped without a word.",
        ),
        todo: Bi::new(
            "Connectez-vous à nouveau\u{a0}; si cela se répète, signalez-le.",
            "Connect again; report it if it happens again.",
        ),
    }
}
