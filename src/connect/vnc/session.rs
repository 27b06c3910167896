//! The life of a screen: what the server paints is decoded and leaves as fast as the
//! application takes it; more is asked for when the last has left, so that what is
//! seen is the newest. What the person does goes to the server.

use std::future::pending;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{sleep_until, timeout};
use vnc::{DesktopUpdate, Rect, VncError, VncEvent};

use super::engine::Screen;
use super::input::Input;
use super::picture::{Picture, place};
use super::relay::{self, Aside, Why};
use super::settings::Settings;
use super::{fail, said};
use crate::connect::Failure;
use crate::connect::desk::fail as desk;
use crate::connect::desk::resize::Resize;
use crate::connect::desk::tiles::FRAME;
use crate::connect::host::child::{Command, Uplink};
use crate::connect::link::ChannelRequest;
use crate::connect::screen::{PIXEL, Place, Pointer, ScreenInput, ScreenSaid, ScreenSize};
use crate::model::target::HostPort;
use crate::secret::SecretText;

/// How long the last words to the server may take.
const GOODBYE: Duration = Duration::from_millis(300);
/// Largest side of a pointer.
const POINTER_MAX: u16 = 384;

/// How a session came to its end.
pub enum End {
    /// The person closed it.
    Closed,
    /// The server or the network did.
    Over(Failure),
}

/// A screen that is shown.
pub struct Session<'a> {
    at: &'a HostPort,
    settings: &'a Settings,
    up: &'a Uplink,
    channel: u32,
    screen: Screen,
    picture: Picture<'a>,
    input: Input,
    /// The size that the person's window had at first.
    first: ScreenSize,
    resize: Option<Resize>,
    /// Number and flags of the screen, where the server lets its size be changed.
    resizable: Option<(u32, u32)>,
    /// An update was asked for and has not come whole.
    awaited: bool,
    /// When the last one was asked for.
    asked_at: Instant,
    /// The next one is to have everything.
    whole: bool,
}

impl<'a> Session<'a> {
    /// Takes over a screen, which has been asked for its first picture.
    pub fn new(
        (at, settings, up): (&'a HostPort, &'a Settings, &'a Uplink),
        (channel, first): (u32, ScreenSize),
        screen: Screen,
    ) -> Self {
        Self {
            at,
            settings,
            up,
            channel,
            screen,
            picture: Picture::new(channel, up),
            input: Input::default(),
            first,
            resize: None,
            resizable: None,
            awaited: true,
            asked_at: Instant::now(),
            whole: false,
        }
    }

    /// Serves it until its end.
    pub async fn run(mut self, commands: &mut UnboundedReceiver<Command>) -> End {
        let end = self.serve(commands).await;
        let let_go = self.input.messages(ScreenInput::LetGo);
        self.say(let_go);
        let Screen { client, out, writer, .. } = self.screen;
        let _ = client.close().await;
        drop((client, out));
        let _ = timeout(GOODBYE, writer).await;
        end
    }

    async fn serve(&mut self, commands: &mut UnboundedReceiver<Command>) -> End {
        loop {
            let due = self.due();
            let time = async {
                match due {
                    Some(due) => sleep_until(due.into()).await,
                    None => pending().await,
                }
            };
            // Commands come first, else a busy screen could not be left.
            let done = tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None | Some(Command::Quit) => return End::Closed,
                    Some(Command::Close(id)) if id == self.channel => return End::Closed,
                    Some(command) => {
                        self.command(command);
                        Ok(())
                    }
                },
                () = time => {
                    self.on_time();
                    Ok(())
                }
                event = self.screen.client.recv_event(), if self.picture.is_free() => match event {
                    Ok(event) => self.event(event),
                    Err(VncError::ClientNotRunning) => Err(self.last_words().await),
                    Err(e) => Err(fail::odd(self.at, &e.to_string())),
                },
                Some(aside) = self.screen.asides.recv() => self.aside(aside),
            };
            if let Err(failure) = done {
                return End::Over(failure);
            }
        }
    }

    fn say(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() && !self.settings.view_only {
            // Without a writer the reader will see the end.
            let _ = self.screen.out.send(bytes);
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
                match &mut self.resize {
                    Some(resize) => resize.wish(size, Instant::now()),
                    None => self.first = size,
                }
            }
            Command::Input(id, input) if id == self.channel => {
                let messages = self.input.messages(input);
                self.say(messages);
            }
            Command::Clipboard(id, text)
                if id == self.channel && self.settings.clipboard.to_server =>
            {
                self.say(text.expose(said::cut_text));
            }
            _ => {}
        }
    }

    fn aside(&mut self, aside: Aside) -> Result<(), Failure> {
        match aside {
            Aside::Cut(text) => {
                if self.settings.clipboard.from_server {
                    self.up.clipboard(self.channel, &SecretText::new(said::latin_1(&text)));
                }
                Ok(())
            }
            Aside::Bell => {
                self.up.screen(self.channel, &ScreenSaid::Bell);
                Ok(())
            }
            Aside::Over(why) => Err(fail::over(self.at, &why)),
        }
    }

    /// Why the decoder has nothing more.
    async fn last_words(&mut self) -> Failure {
        while let Some(aside) = self.screen.asides.recv().await {
            if let Err(failure) = self.aside(aside) {
                return failure;
            }
        }
        fail::over(self.at, &Why::Unheard)
    }

    fn event(&mut self, event: VncEvent) -> Result<(), Failure> {
        let painted = match event {
            VncEvent::SetResolution(size) => {
                self.sized(size.width, size.height);
                true
            }
            VncEvent::DesktopUpdate(update) => {
                self.desktop(&update);
                true
            }
            VncEvent::RawImage(rect, pixels) => self.picture.paint(place(&rect), pixels),
            VncEvent::Copy(to, from) => self.picture.copy(place(&from), place(&to)),
            VncEvent::JpegImage(rect, file) => self.picture.jpeg(place(&rect), &file),
            VncEvent::SetCursor(hot, pixels) => {
                self.up.screen(self.channel, &ScreenSaid::Pointer(shown(&hot, pixels)));
                true
            }
            // The relay's mark: the update is whole.
            VncEvent::Bell => {
                self.awaited = false;
                self.picture.show();
                self.screen.leave.add_permits(1);
                true
            }
            VncEvent::Error(words) => return Err(fail::odd(self.at, &words)),
            _ => true,
        };
        if painted { Ok(()) } else { Err(fail::odd(self.at, "picture")) }
    }

    fn sized(&mut self, width: u16, height: u16) {
        self.whole |= self.picture.resize(width, height);
        self.input.resized(self.picture.size());
        if let Some(resize) = &mut self.resize {
            resize.free();
        }
    }

    /// The server tells its size, and that it lets it be changed.
    fn desktop(&mut self, update: &DesktopUpdate) {
        let Some(layout) = &update.layout else {
            // It did not want to; the window shows the picture smaller or larger.
            if let Some(resize) = &mut self.resize {
                resize.free();
            }
            return;
        };
        self.sized(layout.width, layout.height);
        self.resizable = match &layout.screens[..] {
            [one] => Some((one.id, one.flags)),
            _ => None,
        };
        if self.resize.is_none() && !self.settings.view_only {
            let (width, height, scale) = (layout.width, layout.height, self.first.scale);
            let mut resize = Resize::new(ScreenSize { width, height, scale });
            resize.wish(self.first, Instant::now());
            self.resize = Some(resize);
        }
    }

    /// When something is to be done although nothing comes.
    fn due(&self) -> Option<Instant> {
        let size = self.resize.as_ref().and_then(Resize::due);
        [size, self.picture.due(), self.more_due()].into_iter().flatten().min()
    }

    fn on_time(&mut self) {
        let now = Instant::now();
        self.ask_for_size(now);
        if self.picture.due().is_some_and(|due| due <= now) {
            self.picture.show();
        }
        if self.more_due().is_some_and(|due| due <= now) {
            self.ask_for_more(now);
        }
    }

    fn ask_for_size(&mut self, now: Instant) {
        let Some(resize) = &mut self.resize else { return };
        let Some(size) = resize.ready(now) else { return };
        match self.resizable {
            Some((id, flags)) if relay::can_show(size.width, size.height) => {
                resize.asked(size, now);
                self.say(said::desktop_size(size.width, size.height, id, flags));
            }
            _ => resize.put_off(now),
        }
    }

    /// When to ask for what is new: once the last update has left, and not more often
    /// than a person sees.
    fn more_due(&self) -> Option<Instant> {
        let (width, _) = self.picture.size();
        let wanted = !self.awaited && self.picture.is_free() && width > 0;
        wanted.then(|| self.asked_at + FRAME)
    }

    fn ask_for_more(&mut self, now: Instant) {
        (self.awaited, self.asked_at) = (true, now);
        let whole = std::mem::take(&mut self.whole);
        let (width, height) = self.picture.size();
        let place = Place { x: 0, y: 0, width, height };
        let _ = self.screen.out.send(said::update(place, !whole));
    }
}

/// A pointer as the application takes it.
fn shown(hot: &Rect, pixels: Vec<u8>) -> Pointer {
    let (width, height) = (hot.width, hot.height);
    let fits = (1..=POINTER_MAX).contains(&width)
        && (1..=POINTER_MAX).contains(&height)
        && pixels.len() == usize::from(width) * usize::from(height) * PIXEL;
    if !fits || pixels.chunks_exact(PIXEL).all(|pixel| pixel[PIXEL - 1] == 0) {
        return Pointer::Hidden;
    }
    let (hot_x, hot_y) = (hot.x.min(width - 1), hot.y.min(height - 1));
    Pointer::Shape { width, height, hot_x, hot_y, pixels }
}
