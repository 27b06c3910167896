//! The life of a connection by `russh` after the login: a task for each channel,
//! all on one thread.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use russh::client::{Handle, Msg};
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Disconnect, Sig};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::fail;
use super::legacy::{Callbacks, Learned};
use super::route::Leg;
use super::serve::CREDIT;
use crate::connect::Failure;
use crate::connect::host::child::{Command, Engine, Inbox, Output, Stream, Uplink};
use crate::connect::host::wire::DATA_MAX;
use crate::connect::link::{ChannelRequest, Exit, LinkInfo, no_screen};
use crate::model::target::HostPort;
use crate::os::net::Socket;

/// How often the end of the connection and the idle limit are looked at.
const LOOK: Duration = Duration::from_millis(250);

/// A connection that is logged in.
pub struct LegacyEngine {
    runtime: Runtime,
    handle: Arc<Handle<Callbacks>>,
    learned: Arc<Mutex<Learned>>,
    inbox: Arc<Mail>,
    commands: UnboundedReceiver<Command>,
    info: LinkInfo,
    at: HostPort,
    startup: String,
    idle: Duration,
    last_traffic: Arc<Mutex<Instant>>,
}

struct Mail(UnboundedSender<Command>);

impl Inbox for Mail {
    fn push(&self, command: Command) {
        let _ = self.0.send(command);
    }
}

impl LegacyEngine {
    /// Takes over a logged-in connection.
    pub fn start(
        leg: &Leg<'_>,
        runtime: Runtime,
        handle: Handle<Callbacks>,
        learned: Arc<Mutex<Learned>>,
        info: LinkInfo,
    ) -> Box<dyn Engine> {
        let (sender, commands) = unbounded_channel();
        Box::new(Self {
            runtime,
            handle: Arc::new(handle),
            learned,
            inbox: Arc::new(Mail(sender)),
            commands,
            info,
            at: leg.hop.at.clone(),
            startup: leg.settings.startup.clone(),
            idle: leg.settings.idle_timeout,
            last_traffic: Arc::new(Mutex::new(Instant::now())),
        })
    }
}

impl Engine for LegacyEngine {
    fn info(&self) -> LinkInfo {
        self.info.clone()
    }

    fn inbox(&self) -> Arc<dyn Inbox> {
        self.inbox.clone()
    }

    fn run(self: Box<Self>, up: Arc<Uplink>, noted: &dyn Fn(&Failure)) -> Option<Failure> {
        let Self { runtime, handle, learned, inbox, mut commands, at, startup, idle, .. } = *self;
        let _open = inbox;
        let shared = Arc::new(Shared { handle, up, startup, last: self.last_traffic });
        let why = runtime.block_on(async {
            let mut chans: HashMap<u32, UnboundedSender<Command>> = HashMap::new();
            let mut look = tokio::time::interval(LOOK);
            loop {
                let command = tokio::select! {
                    command = commands.recv() => command,
                    _ = look.tick() => {
                        if shared.handle.is_closed() {
                            let known =
                                learned.lock().unwrap_or_else(PoisonError::into_inner).failure.take();
                            return Some(known.unwrap_or_else(|| fail::broken(&at, "EOF")));
                        }
                        if !idle.is_zero() && shared.quiet_for() >= idle {
                            return Some(fail::idle(idle.as_secs()));
                        }
                        chans.retain(|_, chan| !chan.is_closed());
                        continue;
                    }
                };
                match command {
                    None | Some(Command::Quit) => {
                        let bye = shared.handle.disconnect(Disconnect::ByApplication, "bye", "");
                        let _ = bye.await;
                        return None;
                    }
                    Some(Command::Open(id, request)) => {
                        let (sender, orders) = unbounded_channel();
                        chans.insert(id, sender);
                        tokio::spawn(serve(shared.clone(), id, request, orders));
                    }
                    Some(Command::Stream(stream)) => {
                        tokio::spawn(lead(shared.handle.clone(), stream));
                    }
                    Some(
                        Command::Attach(..)
                        | Command::Signal(..)
                        | Command::Input(..)
                        | Command::Clipboard(..) | Command::Files(..),
                    ) => {}
                    Some(
                        order @ (Command::Data(id, _)
                        | Command::Eof(id)
                        | Command::Resize(id, _)
                        | Command::Close(id)
                        | Command::Credit(id, _)),
                    ) => {
                        if let Some(chan) = chans.get(&id) {
                            let _ = chan.send(order);
                        }
                    }
                }
            }
        });
        if let Some(why) = &why {
            noted(why);
        }
        // Nothing is waited for: the tasks end with the runtime.
        runtime.shutdown_background();
        why
    }
}

struct Shared {
    handle: Arc<Handle<Callbacks>>,
    up: Arc<Uplink>,
    startup: String,
    last: Arc<Mutex<Instant>>,
}

impl Shared {
    fn touch(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn quiet_for(&self) -> Duration {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).elapsed()
    }
}

/// Opens a channel with a shell or command; the failure in words.
async fn open(
    shared: &Shared,
    request: &ChannelRequest,
) -> Result<(ChannelReadHalf, ChannelWriteHalf<Msg>), Failure> {
    let refused = |e: russh::Error| fail::channel(&e.to_string());
    let channel = shared.handle.channel_open_session().await.map_err(refused)?;
    let (mut read, write) = channel.split();
    let (size, term) = match request {
        ChannelRequest::Shell { size, term } => (Some(*size), term),
        ChannelRequest::Exec { size, term, .. } => (*size, term),
        ChannelRequest::Screen { .. } => return Err(no_screen()),
    };
    if let Some(size) = size {
        let (cols, rows) = (u32::from(size.cols), u32::from(size.rows));
        write.request_pty(true, term, cols, rows, 0, 0, &[]).await.map_err(refused)?;
        granted(&mut read).await?;
    }
    match request {
        ChannelRequest::Shell { .. } => write.request_shell(true).await.map_err(refused)?,
        ChannelRequest::Exec { command, .. } => {
            write.exec(true, command.as_bytes()).await.map_err(refused)?;
        }
        ChannelRequest::Screen { .. } => return Err(no_screen()),
    }
    granted(&mut read).await?;
    Ok((read, write))
}

async fn granted(read: &mut ChannelReadHalf) -> Result<(), Failure> {
    loop {
        match read.wait().await {
            Some(ChannelMsg::Success) => return Ok(()),
            Some(ChannelMsg::Failure) => return Err(fail::channel("request denied")),
            None | Some(ChannelMsg::Close) => return Err(fail::channel("closed")),
            Some(_) => {}
        }
    }
}

/// One channel from its opening to its end.
async fn serve(
    shared: Arc<Shared>,
    id: u32,
    request: ChannelRequest,
    mut orders: UnboundedReceiver<Command>,
) {
    let (mut read, write) = match open(&shared, &request).await {
        Ok(halves) => halves,
        Err(failure) => return shared.up.opened(id, Err(&failure)),
    };
    shared.up.opened(id, Ok(()));
    let write = Arc::new(write);
    let (input, waiting) = unbounded_channel();
    tokio::spawn(feed(shared.clone(), id, write.clone(), waiting));
    if matches!(request, ChannelRequest::Shell { .. }) && !shared.startup.is_empty() {
        let _ = input.send(Command::Data(0, format!("{}\n", shared.startup).into_bytes()));
    }
    let mut credit = i64::try_from(CREDIT).unwrap_or(i64::MAX);
    let mut out = Output::new();
    let mut hand_on = |bytes: &[u8], stderr: bool, credit: &mut i64| {
        shared.touch();
        for piece in bytes.chunks(DATA_MAX) {
            *credit -= i64::try_from(piece.len()).unwrap_or(i64::MAX);
            out.copy(piece);
            shared.up.output(id, stderr, &mut out);
        }
    };
    loop {
        let message = tokio::select! {
            order = orders.recv() => {
                match order {
                    Some(Command::Credit(_, taken)) => {
                        credit += i64::try_from(taken).unwrap_or(0);
                    }
                    None | Some(Command::Close(_)) => {
                        let _ = write.close().await;
                        break;
                    }
                    Some(other) => {
                        let _ = input.send(other);
                    }
                }
                continue;
            }
            message = read.wait(), if credit > 0 => message,
        };
        match message {
            Some(ChannelMsg::Data { data }) => hand_on(&data, false, &mut credit),
            Some(ChannelMsg::ExtendedData { data, ext: 1 }) => {
                hand_on(&data, true, &mut credit);
            }
            Some(ChannelMsg::ExitStatus { exit_status }) => {
                let status = i32::try_from(exit_status).unwrap_or(-1);
                shared.up.exit(id, &Exit::Status(status));
            }
            Some(ChannelMsg::ExitSignal { signal_name, .. }) => {
                shared.up.exit(id, &Exit::Signal(name(&signal_name)));
            }
            Some(ChannelMsg::Close) => {
                let _ = write.close().await;
                break;
            }
            None => {
                // Lost with the connection: the engine says why for all channels.
                if shared.handle.is_closed() {
                    return;
                }
                break;
            }
            Some(_) => {}
        }
    }
    shared.up.closed(id, None);
}

/// Writes input in order; waits for the server's window without holding up output.
async fn feed(
    shared: Arc<Shared>,
    id: u32,
    write: Arc<ChannelWriteHalf<Msg>>,
    mut waiting: UnboundedReceiver<Command>,
) {
    while let Some(order) = waiting.recv().await {
        let done = match order {
            Command::Data(to, bytes) => {
                let size = bytes.len();
                shared.touch();
                let done = write.data_bytes(bytes).await;
                if to == id {
                    shared.up.credit(id, size);
                }
                done
            }
            Command::Eof(_) => write.eof().await,
            Command::Resize(_, size) => {
                write.window_change(u32::from(size.cols), u32::from(size.rows), 0, 0).await
            }
            _ => Ok(()),
        };
        if done.is_err() {
            break;
        }
    }
}

/// Names as in RFC 4254 section 6.10.
fn name(signal: &Sig) -> String {
    match signal {
        Sig::Custom(name) => name.clone(),
        usual => format!("{usual:?}"),
    }
}

/// Leads a socket of this process to a place that the server reaches.
async fn lead(handle: Arc<Handle<Callbacks>>, stream: Stream) {
    let Stream { to, socket, on_open, on_refusal, opened } = stream;
    let Ok(mut near) = stream_of(socket) else { return };
    let port = u32::from(to.port);
    match handle.channel_open_direct_tcpip(to.host, port, "127.0.0.1", 0).await {
        Ok(channel) => {
            if let Some(opened) = opened {
                let _ = opened.send(Ok(()));
            }
            if near.write_all(&on_open).await.is_ok() {
                copy_between(near, channel).await;
            }
        }
        Err(e) => {
            let _ = near.write_all(&on_refusal).await;
            if let Some(opened) = opened {
                let _ = opened.send(Err(e.to_string()));
            }
        }
    }
}

/// Carries bytes both ways until both ends have ended.
pub async fn copy_between(mut near: impl AsyncRead + AsyncWrite + Unpin, channel: Channel<Msg>) {
    let mut far = channel.into_stream();
    let _ = copy_bidirectional(&mut near, &mut far).await;
}

/// A stream that tokio can drive.
pub trait Both: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Both for T {}

/// A socket for tokio.
///
/// # Errors
/// Outside a runtime, or no descriptors left.
pub fn stream_of(socket: Socket) -> io::Result<Pin<Box<dyn Both>>> {
    socket.set_nonblocking(true)?;
    Ok(match socket {
        Socket::Tcp(s) => Box::pin(tokio::net::TcpStream::from_std(s)?),
        #[cfg(unix)]
        Socket::Local(s) => Box::pin(tokio::net::UnixStream::from_std(s)?),
    })
}
