//! Answers the clients of one unlocked vault: a thread per client, the vault's
//! own worker behind them. Ends when told to, when idle, or when a client locks.

use std::collections::HashMap;
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};
use std::{io, io::Read, io::Write};

use crate::app::api::{AppError, Code, Reply, Request};
use crate::app::{App, OpenSession};
use crate::model::lang::Bi;
use crate::os::socket::{Door, DoorError};

use super::frames::{self, FromAgent, GREETING, GREETING_LOCK, ToAgent, WELCOME};
use super::relay;

/// How long the ends of sessions may take before the keys are wiped anyway.
const SESSION_END_LIMIT: Duration = Duration::from_secs(3);

/// Why a session ended, in the log.
const LOCKED: &str = "locked";

/// Why serving ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// A client locked the vault.
    Locked,
    /// Nobody used it for long enough.
    Idle,
    /// [`Guard::stop`], or the computer sleeps or shows its lock screen.
    Stopped,
}

/// A vault that is being served. Dropping it stops that; sessions that clients
/// have open go on until they end or [`Guard::session_ender`].
pub struct Guard {
    shared: Arc<Shared>,
    listening: Option<JoinHandle<()>>,
}

/// What the threads of one agent share.
pub struct Shared {
    /// The vault.
    pub app: App,
    /// Taken away when serving ends.
    door: Mutex<Option<Arc<Door>>>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    end: Option<End>,
    last_use: Instant,
    /// Serving ends after so long without use; `None` where a window decides.
    idle: Option<Duration>,
    clients: HashMap<u64, Client>,
    next_client: u64,
    /// Sessions end because the vault locks.
    ending: bool,
}

impl State {
    fn has_sessions(&self) -> bool {
        self.clients.values().any(Client::counts)
    }
}

struct Client {
    stream: UnixStream,
    stage: Stage,
}

/// What a client's connection has become.
enum Stage {
    /// It asks and is answered.
    Calls,
    /// Its session is being opened, and may be in the log already.
    Connects,
    /// Its session is open.
    Session(Arc<dyn OpenSession>),
}

impl Client {
    /// Whether its session ends with a line of the log.
    fn counts(&self) -> bool {
        !matches!(self.stage, Stage::Calls)
    }

    fn session(&self) -> Option<&Arc<dyn OpenSession>> {
        match &self.stage {
            Stage::Session(session) => Some(session),
            Stage::Calls | Stage::Connects => None,
        }
    }
}

/// Starts to serve `app`, which is, or is about to be, unlocked, at `socket`
/// (see `os::paths::agent_socket`).
///
/// # Errors
/// Another process is the agent of this vault, or the socket cannot be made.
pub fn serve(app: App, socket: &Path) -> Result<Guard, AppError> {
    let door = Door::open(socket).map_err(|error| match error {
        DoorError::Taken => AppError {
            code: Code::Other,
            what: Bi::new(
                "Ce coffre est déjà déverrouillé par un autre processus.",
                "Another process has already unlocked this vault.",
            ),
            todo: Bi::new(
                "Utilisez-le tel quel, ou verrouillez-le d’abord\u{a0}: poterne lock.",
                "Use it as it is, or lock it first: poterne lock.",
            ),
        },
        DoorError::Socket { path, source } => AppError {
            code: Code::Other,
            what: Bi::new(
                format!(
                    "La prise de l’agent {} ne peut pas être créée\u{a0}: {source}.",
                    path.display()
                ),
                format!("The agent's socket {} cannot be made: {source}.", path.display()),
            ),
            todo: Bi::new(
                "Vérifiez les droits de ce dossier.",
                "Check the permissions of that folder.",
            ),
        },
    })?;
    let door = Arc::new(door);
    let shared = Arc::new(Shared {
        app,
        door: Mutex::new(Some(Arc::clone(&door))),
        state: Mutex::new(State {
            end: None,
            last_use: Instant::now(),
            idle: None,
            clients: HashMap::new(),
            next_client: 0,
            ending: false,
        }),
        changed: Condvar::new(),
    });
    let listener = Arc::clone(&shared);
    let listening = Builder::new()
        .name("agent-door".to_owned())
        .spawn(move || listen(&listener, &door))
        .map_err(|error| AppError {
            code: Code::Other,
            what: Bi::new(
                format!("L’agent ne peut pas démarrer\u{a0}: {error}."),
                format!("The agent cannot start: {error}."),
            ),
            todo: Bi::new(
                "Fermez d’autres programmes et réessayez.",
                "Close other programs and try again.",
            ),
        })?;
    Ok(Guard { shared, listening: Some(listening) })
}

impl Guard {
    /// Waits until serving ends and says why. Clients that arrive later are
    /// turned away; the vault is the caller's to lock.
    pub fn wait(&self) -> End {
        let mut state = self.shared.state();
        loop {
            if let Some(end) = state.end {
                return end;
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends serving.
    pub fn stop(&self) {
        self.shared.end(End::Stopped);
    }

    /// A handle that ends serving from another thread.
    pub fn stopper(&self) -> impl Fn() + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.end(End::Stopped)
    }

    /// Makes [`Guard::wait`] return [`End::Idle`] when nobody used the vault
    /// through the agent for `idle`.
    pub fn end_when_idle(&self, idle: Duration) {
        self.shared.watch_idle(idle);
    }

    /// How long nobody has used the vault through the agent.
    pub fn idle_for(&self) -> Duration {
        self.shared.state().last_use.elapsed()
    }

    /// Wipes the keys, after the sessions that clients have open were ended if
    /// the vault's settings say so.
    pub fn wipe(&self) {
        self.shared.wipe();
    }

    /// Whether the vault is set to end sessions when it locks; false once it is
    /// locked.
    pub fn lock_ends_sessions(&self) -> bool {
        self.shared.app.lock_ends_sessions()
    }

    /// As [`Guard::wipe`], from another thread, and the keys go first: nothing
    /// may hold them up.
    pub fn wiper(&self) -> impl Fn() + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || {
            let ends = shared.app.lock_ends_sessions();
            let _ = shared.app.call(Request::Lock);
            if ends {
                shared.end_sessions();
            }
        }
    }

    /// Ends the sessions that clients have open, from another thread and even
    /// when the guard is gone, and waits for their ends.
    pub fn session_ender(&self) -> impl Fn() + Send + 'static {
        let shared = Arc::clone(&self.shared);
        move || shared.end_sessions()
    }

    /// True while clients have sessions open that are to outlive the lock.
    pub fn keeps_sessions(&self) -> bool {
        let state = self.shared.state();
        !state.ending && state.has_sessions()
    }

    /// Waits until no client has a session open any more.
    pub fn wait_for_sessions(&self) {
        let mut state = self.shared.state();
        while state.has_sessions() {
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends serving and makes room for another agent of this vault, though
    /// sessions of clients may go on.
    pub fn close_door(&mut self) {
        self.stop();
        self.shared.hang_up(|client| client.session().is_none());
        lock_of(&self.shared.door).take();
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }

    /// Ends serving and keeps the vault claimed until this process is gone, so
    /// that who waits for that sees the truth.
    pub fn hold_until_exit(mut self) {
        self.stop();
        if let Some(door) = lock_of(&self.shared.door).take() {
            door.remove();
            std::mem::forget(door);
        }
        self.listening.take();
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.close_door();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        lock_of(&self.state)
    }

    /// Somebody uses the vault.
    pub fn touch(&self) {
        self.state().last_use = Instant::now();
    }

    fn end(&self, end: End) {
        self.state().end.get_or_insert(end);
        if let Some(door) = &*lock_of(&self.door) {
            door.wake();
        }
        self.changed.notify_all();
    }

    fn hang_up(&self, which: impl Fn(&Client) -> bool) {
        for client in self.state().clients.values().filter(|client| which(client)) {
            let _ = client.stream.shutdown(Shutdown::Both);
        }
    }

    /// Opens a session for a client, which outlives the lock from then on; one that
    /// is being opened when sessions end does not go on.
    pub fn opens(
        &self,
        client: u64,
        open: impl FnOnce() -> Result<Box<dyn OpenSession>, AppError>,
    ) -> Result<Arc<dyn OpenSession>, AppError> {
        self.set_stage(client, Stage::Connects);
        let opened = open().map(Arc::from);
        let stage = opened.as_ref().map_or(Stage::Calls, |s| Stage::Session(Arc::clone(s)));
        if let (Ok(session), true) = (&opened, self.set_stage(client, stage)) {
            session.close_because(LOCKED);
        }
        opened
    }

    /// Does something for a client that has a session of its own.
    pub fn reads<T>(&self, client: u64, read: impl FnOnce() -> T) -> T {
        self.set_stage(client, Stage::Connects);
        let done = read();
        self.set_stage(client, Stage::Calls);
        done
    }

    /// Whether sessions are ending.
    fn set_stage(&self, client: u64, stage: Stage) -> bool {
        let mut state = self.state();
        if let Some(client) = state.clients.get_mut(&client) {
            client.stage = stage;
        }
        state.ending
    }

    /// Why a session ends whose client is gone.
    pub fn why_gone(&self) -> &'static str {
        if self.state().ending { LOCKED } else { "client gone" }
    }

    fn watch_idle(self: &Arc<Self>, idle: Duration) {
        self.state().idle = Some(idle);
        let shared = Arc::clone(self);
        // Without the thread the vault stays open until it is locked by hand,
        // by sleep or by the lock screen.
        let _ = Builder::new().name("agent-idle".to_owned()).spawn(move || {
            let mut state = shared.state();
            while state.end.is_none() {
                let unused = state.last_use.elapsed();
                let idle = state.idle.unwrap_or(idle);
                let Some(left) = idle.checked_sub(unused).filter(|left| !left.is_zero()) else {
                    drop(state);
                    shared.end(End::Idle);
                    return;
                };
                let waited = shared.changed.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        });
    }
}

fn lock_of<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn listen(shared: &Arc<Shared>, door: &Door) {
    while let Ok(stream) = door.accept() {
        let Ok(kept) = stream.try_clone() else { continue };
        let id = {
            let mut state = shared.state();
            if state.end.is_some() {
                return;
            }
            state.next_client += 1;
            let id = state.next_client;
            state.clients.insert(id, Client { stream: kept, stage: Stage::Calls });
            id
        };
        let server = Arc::clone(shared);
        let started = Builder::new().name("agent-client".to_owned()).spawn(move || {
            let _ = answer(&server, id, stream);
            server.state().clients.remove(&id);
            server.changed.notify_all();
        });
        if started.is_err() {
            shared.state().clients.remove(&id);
        }
    }
    // The door broke, or somebody asked for the end.
    shared.end(End::Stopped);
}

fn answer(shared: &Arc<Shared>, id: u64, mut stream: UnixStream) -> io::Result<()> {
    let mut greeting = [0; 8];
    stream.read_exact(&mut greeting)?;
    if greeting == GREETING_LOCK {
        shared.wipe();
        shared.end(End::Locked);
        return Ok(());
    }
    if greeting != GREETING {
        // Closing without a welcome says that the builds differ.
        return Ok(());
    }
    stream.write_all(&WELCOME)?;
    loop {
        match frames::read(&mut stream)? {
            ToAgent::Call(Request::Lock) => {
                shared.wipe();
                let told = frames::write(&mut stream, &FromAgent::Reply(Ok(Reply::Done)));
                shared.end(End::Locked);
                return told;
            }
            ToAgent::Call(request) => {
                // Asking how it is does not keep it open.
                let use_of_it = !matches!(request, Request::Status);
                let reply = shared.app.call(request);
                if use_of_it {
                    shared.touch();
                }
                let locked = matches!(&reply, Err(e) if e.code == Code::Locked);
                let told = frames::write(&mut stream, &FromAgent::Reply(reply));
                // A refused factor has the same code as a vault that locked itself:
                // one with nothing left to serve.
                if locked && shared.app.lost_its_file() {
                    shared.end(End::Locked);
                }
                told?;
            }
            ToAgent::Export(request) => {
                shared.touch();
                relay::export(shared, &mut stream, request)?;
            }
            ToAgent::Idle(seconds) => {
                shared.touch();
                let reply = shared.set_idle(Duration::from_secs(seconds));
                frames::write(&mut stream, &FromAgent::Reply(reply))?;
            }
            // Too late: the answer was on its way.
            ToAgent::Cancel => {}
            ToAgent::Connect(request) => {
                // One that broke is taken up again by itself, with nobody there.
                if request.after.is_none() {
                    shared.touch();
                }
                return relay::session(shared, id, &mut stream, request);
            }
            ToAgent::Snapshot(request) => {
                shared.touch();
                return relay::snapshot(shared, id, &mut stream, request);
            }
            // A frame of a session outside of one: not a client of ours.
            _ => return Err(io::Error::from(io::ErrorKind::InvalidData)),
        }
    }
}

impl Shared {
    /// Another time without use. Refused where a window decides.
    fn set_idle(&self, idle: Duration) -> Result<Reply, AppError> {
        let mut state = self.state();
        if state.idle.is_none() {
            return Err(AppError::new(
                Code::Other,
                (
                    "La fenêtre tient ce coffre ouvert\u{a0}: son délai ne se règle pas ici.",
                    "The window keeps this vault open: its delay is not set here.",
                ),
                (
                    "Réglez-le avec\u{a0}: poterne settings --idle-lock, ou verrouillez d’abord\u{a0}: poterne lock.",
                    "Set it with: poterne settings --idle-lock, or lock it first: poterne lock.",
                ),
            ));
        }
        state.idle = Some(idle);
        drop(state);
        self.changed.notify_all();
        Ok(Reply::Done)
    }

    /// Wipes the keys. Where locking ends sessions, those of clients are ended
    /// first, while their ends can still be logged.
    fn wipe(&self) {
        if self.app.lock_ends_sessions() {
            self.end_sessions();
        }
        // Already locked is as good.
        let _ = self.app.call(Request::Lock);
    }

    fn end_sessions(&self) {
        self.state().ending = true;
        self.hang_up(Client::counts);
        let sessions: Vec<_> = {
            let state = self.state();
            state.clients.values().filter_map(Client::session).cloned().collect()
        };
        // Their own threads may be busy; each end is told before it is waited for.
        sessions.iter().for_each(|session| session.close_because(LOCKED));
        let ended = Instant::now() + SESSION_END_LIMIT;
        let mut state = self.state();
        while state.has_sessions() {
            let Some(left) = ended.checked_duration_since(Instant::now()) else { return };
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
