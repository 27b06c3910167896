//! Poterne's side: the link that the window opens, with its session process, and the
//! picture that the window keeps of it. What the window then has the graphics card
//! do is left out.

use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use poterne::connect::link::{ChannelRequest, Link};
use poterne::connect::screen::{PIXEL, Place};
use poterne::gui::screen::Screen;

use crate::kit_rdp::size;
use crate::kit_ssh::descendants;
use crate::rival::used;
use crate::{Client, Picture, SIZE};

/// Longest wait for a picture.
const PATIENCE: Duration = Duration::from_secs(60);

/// A desktop by way of a link.
pub struct Near<F> {
    open: F,
    now: Option<Shown>,
}

/// One that is open.
struct Shown {
    link: Box<dyn Link>,
    screen: Screen,
    woken: Receiver<()>,
}

impl Shown {
    fn open(link: Box<dyn Link>) -> Self {
        let (screen, sink) = Screen::new();
        let (wake, woken) = channel();
        screen.on_wake(move |_| {
            let _ = wake.send(());
        });
        let size = size(SIZE.0, SIZE.1);
        let channel = link.open_channel(ChannelRequest::Screen { size }, sink);
        screen.attach(channel.unwrap_or_else(|e| panic!("{}", e.what.en)), size);
        Self { link, screen, woken }
    }

    fn until(&self, mut done: impl FnMut(&Self) -> bool) {
        let end = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(Instant::now() < end, "the picture never comes");
            assert!(self.screen.ended().is_none(), "it ended before: {:?}", self.screen.ended());
            let _ = self.woken.recv_timeout(Duration::from_millis(50));
        }
    }

    /// Paints; whether it looks like this.
    fn shows(&self, picture: &Picture) -> bool {
        self.screen.paint(false, |shown, _| {
            let whole = Place { x: 0, y: 0, width: SIZE.0, height: SIZE.1 };
            let rows = || shown.rows(whole).enumerate();
            let alike = |(y, row): (usize, &[u8])| {
                picture.has_row(y, row.chunks_exact(PIXEL).map(|p| [p[0], p[1], p[2]]))
            };
            shown.size() == SIZE && rows().step_by(Picture::STEP).all(alike) && rows().all(alike)
        })
    }
}

impl<F: FnMut() -> Box<dyn Link>> Near<F> {
    /// One whose link opens so.
    pub fn new(open: F) -> Self {
        Self { open, now: None }
    }

    /// Connects and asks for the desktop.
    pub fn begin(&mut self) {
        self.now = Some(Shown::open((self.open)()));
    }
}

impl<F: FnMut() -> Box<dyn Link>> Client for Near<F> {
    fn first(&mut self, picture: &Picture) -> Duration {
        let begun = Instant::now();
        self.begin();
        self.now.as_ref().expect("just begun").until(|now| now.shows(picture));
        begun.elapsed()
    }

    fn scroll(&mut self, mut scroll: Command, picture: &Picture) -> (Duration, Duration) {
        let now = self.now.as_ref().expect("connected");
        let own = std::process::id();
        let is = |pid: &u32| {
            let command = std::fs::read_to_string(format!("/proc/{pid}/cmdline"));
            command.is_ok_and(|c| c.contains("session-host"))
        };
        let session: Vec<u32> = descendants(own).into_iter().filter(is).collect();
        let both = || used(own) + session.iter().map(|pid| used(*pid)).sum::<Duration>();
        let before = both();
        let mut terminal = scroll.stderr(Stdio::null()).spawn().expect("xterm is there");
        now.until(|now| {
            now.screen.paint(false, |_, _| ());
            terminal.try_wait().expect("it was started").is_some()
        });
        now.until(|now| now.shows(picture));
        (both() - before, Duration::ZERO)
    }

    fn end(&mut self) {
        if let Some(now) = self.now.take() {
            now.link.close();
            let end = Instant::now() + PATIENCE;
            while now.screen.ended().is_none() {
                assert!(Instant::now() < end, "it never ends");
                let _ = now.woken.recv_timeout(Duration::from_millis(50));
            }
        }
    }
}
