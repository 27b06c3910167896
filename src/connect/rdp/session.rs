//! The life of a desktop: one thread reads what the server paints, hands on what the
//! person does, and lets pictures go as fast as the application takes them.

use std::future::pending;
use std::time::{Duration, Instant};

use ironrdp_cliprdr::CliprdrClient;
use ironrdp_connector::connection_activation::{
    ConnectionActivationFactory, ConnectionActivationState,
};
use ironrdp_connector::{ConnectionResult, Sequence as _};
use ironrdp_core::WriteBuf;
use ironrdp_graphics::pointer::DecodedPointer;
use ironrdp_pdu::Action;
use ironrdp_pdu::mcs::{DisconnectProviderUltimatum, DisconnectReason, McsMessage};
use ironrdp_pdu::x224::X224;
use ironrdp_rdpdr::Rdpdr;
use ironrdp_session::{
    ActiveStage, ActiveStageBuilder, ActiveStageOutput, GracefulDisconnectReason, SessionError,
};
use ironrdp_svc::SvcProcessorMessages;
use ironrdp_tokio::{FramedWrite, MovableTokioFramed};
use tokio::io::{ReadHalf, WriteHalf};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use tokio_openssl::SslStream;

use super::channels::Channels;
use super::clip::{Clip, Shared, Todo};
use super::disk::{Disk, Pace};
use super::input::Input;
use super::out::{self, Orders, Out};
use super::picture::Picture;
use super::resume::Cookies;
use super::sequence::{self, Framed};
use super::settings::Settings;
use super::{ended, fail, refusal};
use crate::connect::Failure;
use crate::connect::desk::fail as desk;
use crate::connect::desk::resize::Resize;
use crate::connect::desk::tls::Wire;
use crate::connect::files::FilesTold;
use crate::connect::host::child::{Command, Uplink};
use crate::connect::link::ChannelRequest;
use crate::connect::screen::{Pointer, ScreenInput, ScreenSaid, ScreenSize};
use crate::connect::ssh::fail as local;
use crate::model::target::HostPort;

/// How long the last words to the server may take.
const GOODBYE: Duration = Duration::from_millis(300);
/// A server that never stops painting is shown this often nevertheless.
const FRAME: Duration = Duration::from_millis(16);
/// Bytes that are kept while a desktop is activated again: some pictures of a large one.
const LATER_MAX: usize = 64 << 20;
/// Largest side of a pointer; a server may show one of 384.
const POINTER_MAX: u16 = 384;

type Reader = MovableTokioFramed<ReadHalf<SslStream<Wire>>>;

/// How a session came to its end.
pub enum End {
    /// The person closed it.
    Closed,
    /// The server or the network did, with the reason if it is not the ordinary end.
    Over(Option<Failure>),
}

/// A desktop that is shown.
pub struct Session<'a> {
    at: &'a HostPort,
    settings: &'a Settings,
    up: &'a Uplink,
    channel: u32,
    reader: Reader,
    out: Out,
    writer: JoinHandle<()>,
    stage: ActiveStage,
    channels: Channels,
    activation: ConnectionActivationFactory,
    picture: Picture,
    input: Input,
    resize: Resize,
    clip: Option<Clip>,
    cookies: Cookies,
    disk: Option<Pace>,
    shown_at: Instant,
}

impl<'a> Session<'a> {
    /// Takes over a connection whose sequence is done.
    pub fn new(
        (at, settings, up): (&'a HostPort, &'a Settings, &'a Uplink),
        (channel, size): (u32, ScreenSize),
        framed: Framed,
        result: ConnectionResult,
        board: Option<Shared>,
    ) -> Self {
        let (stream, early) = framed.into_inner();
        let (read, write) = tokio::io::split(stream);
        let (out, orders) = out::queue();
        let writer = tokio::spawn(write_all(MovableTokioFramed::new(write), orders));
        let desktop = result.desktop_size;
        let channels = Channels::new(&result.static_channels);
        let mut stage = ActiveStageBuilder {
            static_channels: result.static_channels,
            user_channel_id: result.user_channel_id,
            io_channel_id: result.io_channel_id,
            message_channel_id: result.message_channel_id,
            share_id: result.share_id,
            compression_type: result.compression_type,
            enable_server_pointer: result.enable_server_pointer,
            pointer_software_rendering: result.pointer_software_rendering,
        }
        .build();
        let disk = stage
            .get_svc_processor::<Rdpdr>()
            .and_then(|devices| devices.downcast_backend::<Disk>().map(Disk::pace));
        Self {
            at,
            settings,
            up,
            channel,
            reader: MovableTokioFramed::new_with_leftover(read, early),
            out,
            writer,
            stage,
            channels,
            activation: result.activation_factory,
            picture: Picture::new(channel, desktop.width, desktop.height, up),
            input: Input::new(settings.unicode, desktop.width, desktop.height),
            resize: Resize::new(size),
            clip: board.map(|board| Clip::new(board, settings.clipboard)),
            cookies: Cookies::default(),
            disk,
            shown_at: Instant::now(),
        }
    }

    /// Serves it until its end.
    pub async fn run(mut self, commands: &mut UnboundedReceiver<Command>) -> End {
        let end = self.serve(commands).await;
        if let Some(cookie) = self.cookies.last() {
            self.up.resume(self.channel, cookie);
        }
        let Self { out, writer, .. } = self;
        drop(out);
        let _ = timeout(GOODBYE, writer).await;
        end
    }

    async fn serve(&mut self, commands: &mut UnboundedReceiver<Command>) -> End {
        loop {
            if self.picture.can_send() && self.shown_at.elapsed() >= FRAME {
                self.show();
            }
            let due = self.resize.due();
            let look = async {
                match due {
                    Some(due) => sleep_until(due.into()).await,
                    None => pending().await,
                }
            };
            let untold = self.cookies.due(Instant::now());
            let tell = async {
                match untold {
                    Some(due) => sleep_until(due.into()).await,
                    None => pending().await,
                }
            };
            let shown = self.picture.due();
            let show = async {
                match shown {
                    Some(due) => sleep_until(due.into()).await,
                    None => pending().await,
                }
            };
            let disk = self.disk.clone();
            let deferred = async {
                match &disk {
                    Some(disk) => disk.done().await,
                    None => pending().await,
                }
            };
            let listens = !self.out.full() && !disk.as_ref().is_some_and(Pace::full);
            // What has arrived is taken in before anything is shown: what the person
            // sees is the newest. Commands come first, else a busy desktop could not
            // be left.
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None | Some(Command::Quit) => return self.leave(),
                    Some(Command::Close(id)) if id == self.channel => return self.leave(),
                    Some(command) => self.command(command),
                },
                () = look => self.ask_for_size(),
                () = tell => self.tell_cookie(),
                () = self.out.room(), if self.out.full() => {}
                () = deferred, if !self.out.full() => self.answer_from_disk(),
                pdu = self.reader.read_pdu(), if listens => {
                    let done = match pdu {
                        Ok((action, frame)) => self.heard(action, &frame).await,
                        Err(e) => Err(End::Over(Some(fail::broken(self.at, &e)))),
                    };
                    if let Err(end) = done {
                        return end;
                    }
                }
                () = show => self.show(),
            }
        }
    }

    fn show(&mut self) {
        self.picture.send(self.up);
        self.shown_at = Instant::now();
    }

    /// Sends what the folder has answered meanwhile.
    fn answer_from_disk(&mut self) {
        let Some(devices) = self.stage.get_svc_processor_mut::<Rdpdr>() else { return };
        let answers = devices.poll_deferred_messages().unwrap_or_default();
        if answers.is_empty() {
            return;
        }
        let answers = SvcProcessorMessages::<Rdpdr>::new(answers);
        if let Ok(frame) = self.stage.process_svc_processor_messages(answers) {
            self.write(frame);
        }
    }

    fn tell_cookie(&mut self) {
        if let Some(cookie) = self.cookies.ready(Instant::now()) {
            self.up.resume(self.channel, cookie);
        }
    }

    fn command(&mut self, command: Command) {
        match command {
            Command::Open(id, ChannelRequest::Screen { .. }) => {
                self.up.opened(id, Err(&desk::one_desktop(self.at)));
            }
            Command::Open(id, _) => self.up.opened(id, Err(&desk::only_a_desktop())),
            Command::Credit(id, bytes) if id == self.channel => self.picture.taken(bytes),
            Command::Input(id, ScreenInput::Resize(size)) if id == self.channel => {
                self.resize.wish(size, Instant::now());
            }
            Command::Input(id, input) if id == self.channel => self.act(input),
            Command::Clipboard(id, text) if id == self.channel => {
                let Some(clip) = &mut self.clip else { return };
                let Some(channel) = self.stage.get_svc_processor_mut::<CliprdrClient>() else {
                    return;
                };
                let todo = clip.copied(text, channel);
                self.do_for_clipboard(todo.into_iter().collect());
            }
            Command::Files(id, mut told) if id == self.channel => {
                // The server asked for all these pieces before it took the first.
                if let FilesTold::Piece(piece) = &mut told
                    && self.out.full()
                {
                    piece.bytes = None;
                }
                let Some(clip) = &mut self.clip else { return };
                let Some(channel) = self.stage.get_svc_processor_mut::<CliprdrClient>() else {
                    return;
                };
                let todo = clip.files(told, channel);
                self.do_for_clipboard(todo.into_iter().collect());
                self.work_for_clipboard();
            }
            _ => {}
        }
    }

    fn act(&mut self, input: ScreenInput) {
        let events = self.input.events(input);
        let outputs = self.stage.process_fastpath_input(&mut self.picture.image, &events);
        for output in outputs.unwrap_or_default() {
            if let ActiveStageOutput::ResponseFrame(frame) = output {
                self.write(frame);
            }
        }
    }

    fn write(&self, frame: Vec<u8>) {
        self.out.write(frame);
    }

    fn ask_for_size(&mut self) {
        let now = Instant::now();
        let Some(size) = self.resize.ready(now) else { return };
        let (width, height) = (u32::from(size.width), u32::from(size.height));
        match self.stage.encode_resize(width, height, Some(u32::from(size.scale)), None) {
            Some(Ok(frame)) => {
                self.resize.asked(size, now);
                self.write(frame);
            }
            _ => self.resize.put_off(now),
        }
    }

    async fn heard(&mut self, action: Action, frame: &[u8]) -> Result<(), End> {
        if self.picture.paint(action, frame, self.activation.io_channel_id()) {
            return Ok(());
        }
        if action == Action::X224 && self.channels.look(frame).is_err() {
            return Err(End::Over(Some(fail::unbounded(self.at))));
        }
        let read_at = self.reader.last_read_at();
        let could_resize = self.stage.display_control_ready() == Some(true);
        let outputs = self.stage.process(&mut self.picture.image, action, frame, read_at);
        let outputs = outputs.map_err(|e| End::Over(Some(self.garbled(&e))))?;
        let painted = self.stage.take_damage_regions();
        // The graphics pipeline changes the size by itself.
        if self.picture.follow(self.up) {
            self.sized();
        }
        self.picture.painted(painted);
        for output in outputs {
            self.output(output).await?;
        }
        if !could_resize && self.stage.display_control_ready() == Some(true) {
            self.resize.free();
        }
        self.work_for_clipboard();
        Ok(())
    }

    fn work_for_clipboard(&mut self) {
        if let (Some(clip), Some(channel)) =
            (&mut self.clip, self.stage.get_svc_processor_mut::<CliprdrClient>())
        {
            let todo = clip.work(channel);
            self.do_for_clipboard(todo);
        }
    }

    async fn output(&mut self, output: ActiveStageOutput) -> Result<(), End> {
        match output {
            ActiveStageOutput::ResponseFrame(frame) => self.write(frame),
            ActiveStageOutput::PointerDefault => self.pointer(Pointer::Ordinary),
            ActiveStageOutput::PointerHidden => self.pointer(Pointer::Hidden),
            ActiveStageOutput::PointerBitmap(shape) => self.pointer(shown(&shape)),
            ActiveStageOutput::AutoReconnectCookie(cookie) if self.settings.reconnect => {
                self.cookies.came(&cookie);
                self.tell_cookie();
            }
            ActiveStageOutput::DeactivateAll => self.activate_again().await?,
            ActiveStageOutput::Terminate(reason) => {
                return Err(End::Over(match reason {
                    GracefulDisconnectReason::Other(told) => ended::reason(self.at, &told),
                    // xrdp and Windows say no more when the person logs off there.
                    GracefulDisconnectReason::UserInitiated
                    | GracefulDisconnectReason::ServerInitiated => None,
                }));
            }
            ActiveStageOutput::ServerRedirection(to) => {
                return Err(End::Over(Some(refusal::redirected(self.at, &to))));
            }
            _ => {}
        }
        Ok(())
    }

    fn pointer(&self, pointer: Pointer) {
        self.up.screen(self.channel, &ScreenSaid::Pointer(pointer));
    }

    fn garbled(&self, e: &SessionError) -> Failure {
        fail::protocol(self.at, &e.to_string())
    }

    fn do_for_clipboard(&mut self, todo: Vec<Todo>) {
        for todo in todo {
            match todo {
                Todo::Send(messages) => {
                    if let Ok(frame) = self.stage.process_svc_processor_messages(messages) {
                        self.write(frame);
                    }
                }
                Todo::Show(text) => self.up.clipboard(self.channel, &text),
                Todo::Say(said) => self.up.files(self.channel, &said),
            }
        }
    }

    /// The server begins anew, with another size perhaps (MS-RDPBCGR section 1.3.1.3).
    async fn activate_again(&mut self) -> Result<(), End> {
        let mut activation = self.activation.create();
        let (reader, out) = (&mut self.reader, &self.out);
        let mut later = Later::default();
        let steps = async {
            let mut buffer = WriteBuf::new();
            loop {
                buffer.clear();
                let written = if activation.next_pdu_hint().is_none() {
                    activation.step_no_input(&mut buffer)
                } else {
                    let read = reader.read_pdu().await;
                    let (action, frame) = read.map_err(|e| fail::broken(self.at, &e))?;
                    if !sequence::activates(&activation, action, &frame) {
                        if !later.keep(action, frame.into()) {
                            return Err(fail::protocol(self.at, "too much before the activation"));
                        }
                        continue;
                    }
                    activation.step(&frame, reader.last_read_at(), &mut buffer)
                };
                let written = written.map_err(|e| refusal::in_words(self.at, self.settings, &e))?;
                if written.size().is_some() {
                    out.write(buffer.filled().to_vec());
                }
                match activation.connection_activation_state() {
                    // What was painted for the size before.
                    ConnectionActivationState::CapabilitiesExchange => later = Later::default(),
                    ConnectionActivationState::ConnectionFinalization { .. } => {}
                    done => return Ok(done),
                }
            }
        };
        let limit = self.settings.connect_timeout;
        let state = timeout(limit, steps).await;
        let state = state
            .map_err(|_| End::Over(Some(local::timeout(self.at, limit.as_secs()))))?
            .map_err(|failure: Failure| End::Over(Some(failure)))?;
        match state {
            ConnectionActivationState::Finalized {
                desktop_size,
                share_id,
                static_channel_chunk_size,
                enable_server_pointer,
                pointer_software_rendering,
                ..
            } => {
                self.stage.reactivate(
                    self.activation.io_channel_id(),
                    self.activation.user_channel_id(),
                    share_id,
                    enable_server_pointer,
                    pointer_software_rendering,
                    static_channel_chunk_size,
                );
                self.picture.resize(desktop_size.width, desktop_size.height, self.up);
                self.sized();
                for (action, frame) in later.frames {
                    Box::pin(self.heard(action, &frame)).await?;
                }
                Ok(())
            }
            ConnectionActivationState::Redirected { redirection } => {
                Err(End::Over(Some(refusal::redirected(self.at, &redirection))))
            }
            _ => Ok(()),
        }
    }

    fn sized(&mut self) {
        let (width, height) = self.picture.size();
        self.input.resized(width, height);
        self.resize.free();
    }

    /// Says goodbye: the session on the server goes on without us.
    fn leave(&self) -> End {
        let goodbye = McsMessage::DisconnectProviderUltimatum(
            DisconnectProviderUltimatum::from_reason(DisconnectReason::UserRequested),
        );
        if let Ok(frame) = ironrdp_core::encode_vec(&X224(goodbye)) {
            self.write(frame);
        }
        End::Closed
    }
}

/// What came while a desktop is activated again and is for afterwards.
#[derive(Default)]
struct Later {
    frames: Vec<(Action, Vec<u8>)>,
    bytes: usize,
}

impl Later {
    /// Keeps one more; false when there are too many.
    fn keep(&mut self, action: Action, frame: Vec<u8>) -> bool {
        self.bytes += frame.len() + size_of::<(Action, Vec<u8>)>();
        if self.bytes > LATER_MAX {
            return false;
        }
        self.frames.push((action, frame));
        true
    }
}

/// Writes what the session wants written, so that reading never waits for it.
async fn write_all(mut to: MovableTokioFramed<WriteHalf<SslStream<Wire>>>, mut orders: Orders) {
    while let Some(frame) = orders.next().await {
        if to.write_all(&frame).await.is_err() {
            return;
        }
        orders.written(frame.len());
    }
    use tokio::io::AsyncWriteExt as _;
    let (stream, _) = to.get_inner_mut();
    let _ = stream.shutdown().await;
}

/// A pointer as the application takes it.
fn shown(shape: &DecodedPointer) -> Pointer {
    let whole = usize::from(shape.width) * usize::from(shape.height) * 4;
    let fits = (1..=POINTER_MAX).contains(&shape.width)
        && (1..=POINTER_MAX).contains(&shape.height)
        && shape.bitmap_data.len() == whole;
    if !fits {
        return Pointer::Hidden;
    }
    Pointer::Shape {
        width: shape.width,
        height: shape.height,
        hot_x: shape.hotspot_x.min(shape.width - 1),
        hot_y: shape.hotspot_y.min(shape.height - 1),
        pixels: shape.bitmap_data.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_never_finishes_an_activation_is_not_kept_for_ever() {
        let mut later = Later::default();
        assert!(later.keep(Action::FastPath, vec![0; LATER_MAX / 2]));
        assert!(!later.keep(Action::FastPath, vec![0; LATER_MAX / 2]));
        // Empty ones count as well.
        let mut later = Later::default();
        let kept = (0..LATER_MAX).take_while(|_| later.keep(Action::X224, Vec::new())).count();
        assert!(kept < LATER_MAX / size_of::<Vec<u8>>());
    }
}
