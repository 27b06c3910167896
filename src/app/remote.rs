//! The vault as a client of its agent sees it: the same questions, the same
//! answers, through a socket. Holds no key.

use std::path::Path;
use std::time::Duration;

use crate::app::api::{AppError, ExportRequest, Reply, Request, Taken};
use crate::app::{App, ConnectRequest, ExportUi, OpenSession, SessionUi};

/// An unlocked vault, in this process or in its agent.
pub trait Access: Send + Sync {
    /// As [`App::call`].
    ///
    /// # Errors
    /// As there, or the agent is gone.
    fn call(&self, request: Request) -> Result<Reply, AppError>;
    /// As [`App::export`].
    ///
    /// # Errors
    /// As there, or the agent is gone.
    fn export(&self, request: ExportRequest, ui: &mut dyn ExportUi) -> Result<Reply, AppError>;
    /// As [`App::connect`].
    ///
    /// # Errors
    /// As there, or the agent is gone.
    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError>;
    /// As [`App::snapshot`].
    ///
    /// # Errors
    /// As there, or the agent is gone.
    fn snapshot(&self, request: ConnectRequest, ui: &mut dyn SessionUi) -> Result<Taken, AppError>;
    /// Makes the agent lock after so long without use.
    ///
    /// # Errors
    /// There is no agent, or it is a window, which decides for itself.
    fn lock_when_idle(&self, idle: Duration) -> Result<Reply, AppError>;
}

impl Access for App {
    fn call(&self, request: Request) -> Result<Reply, AppError> {
        App::call(self, request)
    }

    fn export(&self, request: ExportRequest, ui: &mut dyn ExportUi) -> Result<Reply, AppError> {
        App::export(self, request, ui)
    }

    fn connect(
        &self,
        request: ConnectRequest,
        ui: &mut dyn SessionUi,
    ) -> Result<Box<dyn OpenSession>, AppError> {
        App::connect(self, request, ui)
    }

    fn snapshot(&self, request: ConnectRequest, ui: &mut dyn SessionUi) -> Result<Taken, AppError> {
        App::snapshot(self, request, ui)
    }

    fn lock_when_idle(&self, _idle: Duration) -> Result<Reply, AppError> {
        Err(AppError::locked())
    }
}

/// The agent of the vault at `file`, if one serves.
///
/// # Errors
/// Something is there that is no agent of this build.
pub fn find(file: &Path) -> Result<Option<Box<dyn Access>>, AppError> {
    imp::find(file)
}

/// Has the agent of the vault at `file` lock, and waits until it serves no more:
/// sessions may go on in it. False when there was none.
///
/// # Errors
/// It does not end.
pub fn lock(file: &Path) -> Result<bool, AppError> {
    imp::lock(file)
}

#[cfg(not(unix))]
mod imp {
    use super::{Access, AppError, Path};

    pub fn find(_file: &Path) -> Result<Option<Box<dyn Access>>, AppError> {
        Ok(None)
    }

    pub fn lock(_file: &Path) -> Result<bool, AppError> {
        Ok(false)
    }
}

#[cfg(unix)]
mod imp {
    use std::collections::HashMap;
    use std::io::{self, Read, Write};
    use std::os::unix::net::UnixStream;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
    use std::thread::Builder;
    use std::time::Duration;

    use crate::app::agent::frames::{
        self, Connect, FromAgent, GREETING, GREETING_LOCK, ToAgent, WELCOME,
    };
    use crate::app::api::Code;
    use crate::connect::link::{Channel, ChannelRequest, FromRemote, LinkInfo, Sink, ToRemote};
    use crate::connect::screen::Tile;
    use crate::connect::{Failure, FailureKind};
    use crate::model::id::SessionId;
    use crate::model::lang::Bi;
    use crate::os::{paths, socket};

    use super::{
        Access, AppError, ConnectRequest, ExportRequest, ExportUi, OpenSession, Path, Reply,
        Request, SessionUi, Taken,
    };

    /// How long an agent may take to end.
    const LOCK_LIMIT: Duration = Duration::from_secs(20);
    /// For which an agent that hung up may still be ending.
    const ENDING: Duration = Duration::from_secs(2);

    pub fn find(file: &Path) -> Result<Option<Box<dyn Access>>, AppError> {
        let Ok(path) = paths::agent_socket(file) else { return Ok(None) };
        Ok(match dial(&path)? {
            Some(stream) => Some(Box::new(Remote { path, stream: Mutex::new(stream) })),
            None => None,
        })
    }

    pub fn lock(file: &Path) -> Result<bool, AppError> {
        let Ok(path) = paths::agent_socket(file) else { return Ok(false) };
        let was_there = match socket::call(&path).map_err(|error| broken(&error))? {
            Some(mut stream) => {
                stream.write_all(&GREETING_LOCK).map_err(|error| broken(&error))?;
                true
            }
            None => socket::held(&path),
        };
        if was_there {
            let (done, gone) = channel();
            let _ = Builder::new().name("agent-end".to_owned()).spawn(move || {
                let _ = done.send(socket::wait_until_gone(&path));
            });
            match gone.recv_timeout(LOCK_LIMIT) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Err(broken(&error)),
                Err(_) => return Err(stuck()),
            }
        }
        Ok(was_there)
    }

    /// A greeted connection; `None` when no agent is there (any more).
    fn dial(path: &Path) -> Result<Option<UnixStream>, AppError> {
        let Some(mut stream) = socket::call(path).map_err(|error| broken(&error))? else {
            return Ok(None);
        };
        let mut welcome = [0; 8];
        let answer = stream.write_all(&GREETING).and_then(|()| stream.read_exact(&mut welcome));
        match answer {
            Ok(()) if welcome == WELCOME => Ok(Some(stream)),
            // It is ending just now, or it is of another build and hung up.
            Err(_) if socket::gone_within(path, ENDING) => Ok(None),
            _ => Err(AppError {
                code: Code::Other,
                what: Bi::new(
                    "L’agent de ce coffre est d’une autre version de Poterne.",
                    "The agent of this vault is of another version of Poterne.",
                ),
                todo: Bi::new(
                    "Arrêtez-le avec\u{a0}: poterne lock, puis déverrouillez à nouveau.",
                    "End it with: poterne lock, then unlock again.",
                ),
            }),
        }
    }

    fn broken(error: &io::Error) -> AppError {
        let gone = error.kind() == io::ErrorKind::UnexpectedEof
            || error.kind() == io::ErrorKind::BrokenPipe
            || error.kind() == io::ErrorKind::ConnectionReset;
        if gone {
            return AppError {
                code: Code::Locked,
                what: Bi::new(
                    "Le coffre vient d’être verrouillé.",
                    "The vault has just been locked.",
                ),
                todo: Bi::new(
                    "Déverrouillez-le\u{a0}: poterne unlock.",
                    "Unlock it: poterne unlock.",
                ),
            };
        }
        let cause = crate::app::text::cause(error);
        AppError {
            code: Code::Other,
            what: Bi::new(
                format!("L’agent ne répond pas\u{a0}: {}.", cause.fr),
                format!("The agent does not answer: {}.", cause.en),
            ),
            todo: Bi::new(
                "Vérifiez avec\u{a0}: poterne doctor.",
                "Look into it with: poterne doctor.",
            ),
        }
    }

    fn stuck() -> AppError {
        AppError {
            code: Code::Other,
            what: Bi::new(
                "L’agent ne s’arrête pas, alors que ses clés sont effacées.",
                "The agent does not end, though its keys are wiped.",
            ),
            todo: Bi::new(
                "Réessayez\u{a0}; sinon terminez le processus poterne agent-process.",
                "Try again; else end the process poterne agent-process.",
            ),
        }
    }

    struct Remote {
        path: PathBuf,
        stream: Mutex<UnixStream>,
    }

    impl Remote {
        fn answered(&self, question: &ToAgent) -> Result<Reply, AppError> {
            let mut stream = lock_of(&self.stream);
            let answer = frames::write(&mut *stream, question)
                .and_then(|()| frames::read(&mut *stream))
                .map_err(|error| broken(&error))?;
            match answer {
                FromAgent::Reply(reply) => reply,
                _ => Err(nonsense()),
            }
        }

        /// Has something done that needs the person on the way, on a connection of
        /// its own; that, and the answer in the end.
        fn attended(
            &self,
            request: ConnectRequest,
            what: fn(Connect) -> ToAgent,
            ui: &mut dyn SessionUi,
        ) -> Result<(UnixStream, FromAgent), AppError> {
            let gone = || broken(&io::Error::from(io::ErrorKind::UnexpectedEof));
            let mut stream = dial(&self.path)?.ok_or_else(gone)?;
            let request = what(request.into());
            frames::write(&mut stream, &request).map_err(|error| broken(&error))?;
            loop {
                while !speaks(&stream) {
                    if ui.cancelled() {
                        return Err(given_up());
                    }
                }
                match frames::read(&mut stream).map_err(|error| broken(&error))? {
                    FromAgent::Ask(question) => {
                        let answer = ToAgent::Answer(ui.ask(question).into());
                        frames::write(&mut stream, &answer).map_err(|error| broken(&error))?;
                    }
                    FromAgent::Say(progress) => ui.say(progress),
                    answer => return Ok((stream, answer)),
                }
            }
        }
    }

    impl Access for Remote {
        fn call(&self, request: Request) -> Result<Reply, AppError> {
            self.answered(&ToAgent::Call(request))
        }

        fn lock_when_idle(&self, idle: Duration) -> Result<Reply, AppError> {
            self.answered(&ToAgent::Idle(idle.as_secs()))
        }

        fn export(&self, request: ExportRequest, ui: &mut dyn ExportUi) -> Result<Reply, AppError> {
            let mut stream = lock_of(&self.stream);
            let mut given_up = false;
            frames::write(&mut *stream, &ToAgent::Export(request)).map_err(|e| broken(&e))?;
            loop {
                match frames::read(&mut *stream).map_err(|e| broken(&e))? {
                    FromAgent::Exporting(done, total) => {
                        ui.show(done, total);
                        if !given_up && ui.cancelled() {
                            given_up = true;
                            frames::write(&mut *stream, &ToAgent::Cancel)
                                .map_err(|e| broken(&e))?;
                        }
                    }
                    FromAgent::Reply(reply) => return reply,
                    _ => return Err(nonsense()),
                }
            }
        }

        fn connect(
            &self,
            request: ConnectRequest,
            ui: &mut dyn SessionUi,
        ) -> Result<Box<dyn OpenSession>, AppError> {
            let (stream, answer) = self.attended(request, ToAgent::Connect, ui)?;
            match answer {
                FromAgent::Opened(Ok((id, info))) => {
                    Ok(Box::new(RemoteSession::new(stream, id, info)?))
                }
                FromAgent::Opened(Err(error)) => Err(error),
                _ => Err(nonsense()),
            }
        }

        fn snapshot(
            &self,
            request: ConnectRequest,
            ui: &mut dyn SessionUi,
        ) -> Result<Taken, AppError> {
            match self.attended(request, ToAgent::Snapshot, ui)?.1 {
                FromAgent::Reply(Ok(Reply::Taken(taken))) => Ok(taken),
                FromAgent::Reply(Err(error)) => Err(error),
                _ => Err(nonsense()),
            }
        }
    }

    /// Whether the agent said something, or is gone, within a moment.
    fn speaks(stream: &UnixStream) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::new(stream, PollFlags::IN)];
        let moment = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        match poll(&mut fds, Some(&moment)) {
            Ok(ready) => ready > 0,
            Err(error) => error != rustix::io::Errno::INTR,
        }
    }

    fn given_up() -> AppError {
        AppError {
            code: Code::Connection,
            what: Bi::new("La connexion a été abandonnée.", "The connection was given up."),
            todo: Bi::new("Rien à faire.", "Nothing to do."),
        }
    }

    fn nonsense() -> AppError {
        broken(&io::Error::from(io::ErrorKind::InvalidData))
    }

    fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
        mutex.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session that the agent holds.
    struct RemoteSession {
        id: SessionId,
        info: LinkInfo,
        shared: Arc<Shared>,
        next: AtomicU32,
    }

    struct Shared {
        stream: UnixStream,
        outbox: Sender<(Arc<AtomicUsize>, ToAgent)>,
        alive: AtomicBool,
        channels: Mutex<HashMap<u32, Sink>>,
        opening: Mutex<HashMap<u32, Sender<Result<(), AppError>>>>,
    }

    impl RemoteSession {
        fn new(stream: UnixStream, id: SessionId, info: LinkInfo) -> Result<Self, AppError> {
            let failed = |error: io::Error| broken(&error);
            let (outbox, frames_out) = channel::<(Arc<AtomicUsize>, ToAgent)>();
            let mut out = stream.try_clone().map_err(failed)?;
            let mut input = stream.try_clone().map_err(failed)?;
            let shared = Arc::new(Shared {
                stream,
                outbox,
                alive: AtomicBool::new(true),
                channels: Mutex::default(),
                opening: Mutex::default(),
            });
            Builder::new()
                .name("agent-writer".to_owned())
                .spawn(move || {
                    for (backlog, frame) in frames_out {
                        let bytes = data_len(&frame);
                        let sent = frames::write(&mut out, &frame);
                        backlog.fetch_sub(bytes, Ordering::Relaxed);
                        if sent.is_err() {
                            return;
                        }
                    }
                })
                .map_err(failed)?;
            let reader = Arc::clone(&shared);
            Builder::new()
                .name("agent-reader".to_owned())
                .spawn(move || {
                    while let Ok(frame) = frames::read(&mut input) {
                        reader.take(frame);
                    }
                    reader.ended();
                })
                .map_err(failed)?;
            Ok(Self { id, info, shared, next: AtomicU32::new(0) })
        }
    }

    impl Shared {
        fn take(&self, frame: FromAgent) {
            match frame {
                FromAgent::ChannelOpened(id, answer, alive) => {
                    if !alive {
                        self.alive.store(false, Ordering::Release);
                    }
                    if let Some(opening) = lock_of(&self.opening).remove(&id) {
                        let _ = opening.send(answer);
                    }
                }
                FromAgent::Data(id, data) => self.say(id, FromRemote::Data(data)),
                FromAgent::Stderr(id, data) => self.say(id, FromRemote::Stderr(data)),
                FromAgent::Exit(id, exit) => self.say(id, FromRemote::Exit(exit)),
                FromAgent::Tile(id, place, pixels) => {
                    self.say(id, FromRemote::Tile(Tile { place, pixels }));
                }
                FromAgent::Copy(id, copy) => self.say(id, FromRemote::Copy(copy)),
                FromAgent::Screen(id, said) => self.say(id, FromRemote::Screen(said)),
                FromAgent::Files(id, said) => self.say(id, FromRemote::Files(said)),
                FromAgent::Clipboard(id, text) => self.say(id, FromRemote::Clipboard(text)),
                FromAgent::Closed(id, failure, alive) => {
                    if !alive {
                        self.alive.store(false, Ordering::Release);
                    }
                    self.say(id, FromRemote::Closed(failure));
                    lock_of(&self.channels).remove(&id);
                }
                _ => {}
            }
        }

        fn say(&self, id: u32, said: FromRemote) {
            if let Some(sink) = lock_of(&self.channels).get_mut(&id) {
                sink(said);
            }
        }

        /// The agent hung up: every channel hears of it once.
        fn ended(&self) {
            self.alive.store(false, Ordering::Release);
            lock_of(&self.opening).clear();
            let failure = Failure {
                kind: FailureKind::Ended,
                what: Bi::new(
                    "La session a été fermée avec le coffre.",
                    "The session was closed with the vault.",
                ),
                todo: Bi::new(
                    "Déverrouillez le coffre et reconnectez-vous.",
                    "Unlock the vault and connect again.",
                ),
            };
            for (_, mut sink) in lock_of(&self.channels).drain() {
                sink(FromRemote::Closed(Some(failure.clone())));
            }
        }
    }

    impl OpenSession for RemoteSession {
        fn id(&self) -> SessionId {
            self.id
        }

        fn info(&self) -> LinkInfo {
            self.info.clone()
        }

        fn open_channel(
            &self,
            request: ChannelRequest,
            sink: Sink,
        ) -> Result<Box<dyn Channel>, AppError> {
            let gone = || broken(&io::Error::from(io::ErrorKind::UnexpectedEof));
            let id = self.next.fetch_add(1, Ordering::Relaxed);
            let (opened, answer) = channel();
            lock_of(&self.shared.opening).insert(id, opened);
            lock_of(&self.shared.channels).insert(id, sink);
            let backlog = Arc::new(AtomicUsize::new(0));
            let frame = ToAgent::OpenChannel(id, request);
            self.shared.outbox.send((Arc::clone(&backlog), frame)).map_err(|_| gone())?;
            match answer.recv() {
                Ok(Ok(())) => {
                    Ok(Box::new(RemoteChannel { id, backlog, shared: Arc::clone(&self.shared) }))
                }
                Ok(Err(error)) => {
                    lock_of(&self.shared.channels).remove(&id);
                    Err(error)
                }
                Err(_) => Err(gone()),
            }
        }

        fn alive(&self) -> bool {
            self.shared.alive.load(Ordering::Acquire)
        }

        fn close(&self) {
            self.shared.alive.store(false, Ordering::Release);
            let _ = self.shared.stream.shutdown(std::net::Shutdown::Both);
        }
    }

    impl Drop for RemoteSession {
        fn drop(&mut self) {
            self.close();
        }
    }

    struct RemoteChannel {
        id: u32,
        backlog: Arc<AtomicUsize>,
        shared: Arc<Shared>,
    }

    impl Channel for RemoteChannel {
        fn send(&self, message: ToRemote) {
            let frame = match message {
                ToRemote::Data(data) => ToAgent::Data(self.id, data),
                ToRemote::Eof => ToAgent::Eof(self.id),
                ToRemote::Resize(size) => ToAgent::Resize(self.id, size),
                ToRemote::Signal(signal) => ToAgent::Signal(self.id, signal),
                ToRemote::Screen(input) => ToAgent::Input(self.id, input),
                ToRemote::Clipboard(text) => ToAgent::Clipboard(self.id, text),
                ToRemote::Files(told) => ToAgent::Files(self.id, told),
                ToRemote::Close => ToAgent::Close(self.id),
            };
            self.backlog.fetch_add(data_len(&frame), Ordering::Relaxed);
            // After the end nobody takes it, as promised.
            let _ = self.shared.outbox.send((Arc::clone(&self.backlog), frame));
        }

        fn backlog(&self) -> usize {
            if self.shared.alive.load(Ordering::Acquire) {
                self.backlog.load(Ordering::Relaxed)
            } else {
                0
            }
        }
    }

    impl Drop for RemoteChannel {
        fn drop(&mut self) {
            self.send(ToRemote::Close);
        }
    }

    fn data_len(frame: &ToAgent) -> usize {
        match frame {
            ToAgent::Data(_, data) => data.len(),
            _ => 0,
        }
    }
}
