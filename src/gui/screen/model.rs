//! A remote desktop without a window: keeps the picture that comes in tiles, says
//! which parts are new, and sends what the person does. Knows no font or texture.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connect::Failure;
use crate::connect::link::{Channel, FromRemote, Sink, ToRemote};
use crate::connect::screen::{CopyRect, PIXEL, Place, Pointer, ScreenInput};
use crate::connect::screen::{ScreenSaid, ScreenSize, Tile, copy_rows};
use crate::gui::terminal::model::Ended;
use crate::secret::SecretText;

use super::files::{Files, Tell};

/// Shortest time between two repaints.
const FRAME: Duration = Duration::from_millis(12);
/// New parts kept apart; more become the rectangle around them.
const PARTS_MAX: usize = 48;

/// One desktop. Dropping it closes its channel.
pub struct Screen {
    shared: Arc<Shared>,
}

struct Shared {
    picture: Mutex<Picture>,
    said: Mutex<Said>,
    channel: Mutex<Option<Box<dyn Channel>>>,
    wanted: Mutex<Option<ScreenSize>>,
    files: Arc<Files>,
    wake: Mutex<Wake>,
    /// A repaint was asked for and has not happened yet.
    asked: AtomicBool,
}

/// What is to be seen.
#[derive(Default)]
pub struct Picture {
    width: u16,
    height: u16,
    pixels: Vec<u8>,
    new: Vec<Place>,
}

/// What the far side said besides its picture.
struct Said {
    pointer: Arc<Pointer>,
    clipboard: Option<SecretText>,
    bells: u64,
    ended: Option<Ended>,
}

struct Wake {
    call: Option<Box<dyn Fn(Duration) + Send>>,
    painted: Instant,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Picture {
    /// Width and height in pixels; 0 before the far side has told.
    pub fn size(&self) -> (u16, u16) {
        (self.width, self.height)
    }

    /// The rows of a part, each [`PIXEL`] bytes a pixel.
    pub fn rows(&self, place: Place) -> impl Iterator<Item = &[u8]> {
        let (x, width) = (usize::from(place.x), usize::from(place.width));
        let line = usize::from(self.width) * PIXEL;
        let rows = usize::from(place.y)..usize::from(place.y) + usize::from(place.height);
        rows.map(move |y| &self.pixels[y * line + x * PIXEL..y * line + (x + width) * PIXEL])
    }

    fn resize(&mut self, width: u16, height: u16) {
        (self.width, self.height) = (width, height);
        self.pixels.clear();
        let count = usize::from(width) * usize::from(height);
        self.pixels.extend([0, 0, 0, 255].repeat(count));
        self.new.clear();
        self.add(Place { x: 0, y: 0, width, height });
    }

    /// Takes in a tile, or what of it lies on the desktop.
    fn put(&mut self, tile: &Tile) {
        let row_bytes = usize::from(tile.place.width) * PIXEL;
        if tile.pixels.len() >= tile.place.pixels() * PIXEL {
            self.put_rows(tile.place, |row, into| {
                let start = row * row_bytes;
                into.copy_from_slice(&tile.pixels[start..start + into.len()]);
            });
        }
    }

    /// Takes in the rows of a tile, each of which is copied from its beginning.
    fn put_rows(&mut self, place: Place, copy: impl Fn(usize, &mut [u8])) {
        let within = Place {
            width: place.width.min(self.width.saturating_sub(place.x)),
            height: place.height.min(self.height.saturating_sub(place.y)),
            ..place
        };
        if within.pixels() == 0 {
            return;
        }
        let (line, length) = (usize::from(self.width) * PIXEL, usize::from(within.width) * PIXEL);
        for row in 0..usize::from(within.height) {
            let at = (usize::from(within.y) + row) * line + usize::from(within.x) * PIXEL;
            copy(row, &mut self.pixels[at..at + length]);
        }
        self.add(within);
    }

    /// Shows a part elsewhere as well, or what of it lies on the desktop.
    fn copy(&mut self, copy: CopyRect) {
        let (width, height) = (self.width, self.height);
        let room = |side: u16, from: u16, to: u16, all: u16| {
            side.min(all.saturating_sub(from)).min(all.saturating_sub(to))
        };
        let to = Place {
            width: room(copy.to.width, copy.from_x, copy.to.x, width),
            height: room(copy.to.height, copy.from_y, copy.to.y, height),
            ..copy.to
        };
        if to.pixels() > 0 {
            copy_rows(&mut self.pixels, width, CopyRect { to, ..copy });
            self.add(to);
        }
    }

    fn add(&mut self, place: Place) {
        if place.pixels() == 0 || self.new.iter().any(|old| holds(*old, place)) {
            return;
        }
        self.new.retain(|old| !holds(place, *old));
        self.new.push(place);
        if self.new.len() > PARTS_MAX {
            let all = self.new.drain(..).reduce(around);
            self.new.extend(all);
        }
    }
}

fn holds(outer: Place, inner: Place) -> bool {
    let end = |at: u16, length: u16| u32::from(at) + u32::from(length);
    outer.x <= inner.x
        && outer.y <= inner.y
        && end(outer.x, outer.width) >= end(inner.x, inner.width)
        && end(outer.y, outer.height) >= end(inner.y, inner.height)
}

fn around(a: Place, b: Place) -> Place {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    Place {
        x,
        y,
        width: (a.x + a.width).max(b.x + b.width) - x,
        height: (a.y + a.height).max(b.y + b.height) - y,
    }
}

impl Screen {
    /// A desktop that is still black, and where its channel is to say what it says.
    pub fn new() -> (Self, Sink) {
        let shared = Arc::new(Shared {
            picture: Mutex::default(),
            said: Mutex::new(Said {
                pointer: Arc::new(Pointer::Ordinary),
                clipboard: None,
                bells: 0,
                ended: None,
            }),
            channel: Mutex::new(None),
            wanted: Mutex::new(None),
            files: Arc::default(),
            wake: Mutex::new(Wake { call: None, painted: Instant::now() }),
            asked: AtomicBool::new(false),
        });
        let tail = Tail(Arc::clone(&shared));
        let sink: Sink = Box::new(move |said| tail.0.push(said));
        (Self { shared }, sink)
    }

    /// Called whenever there is something new to paint, with the time to let pass
    /// before painting. May be called from any thread.
    pub fn on_wake(&self, call: impl Fn(Duration) + Send + 'static) {
        lock(&self.shared.wake).call = Some(Box::new(call));
    }

    /// Gives it the channel it was opened with, for a desktop of `size`.
    pub fn attach(&self, channel: Box<dyn Channel>, size: ScreenSize) {
        let wanted = lock(&self.shared.wanted).replace(size);
        if let Some(wanted) = wanted.filter(|wanted| *wanted != size) {
            channel.send(ToRemote::Screen(ScreenInput::Resize(wanted)));
        }
        *lock(&self.shared.channel) = Some(channel);
    }

    /// Sends what the person does.
    pub fn send(&self, input: ScreenInput) {
        self.to_channel(ToRemote::Screen(input));
    }

    /// Puts text on the far side's clipboard.
    pub fn send_clipboard(&self, text: SecretText) {
        self.to_channel(ToRemote::Clipboard(text));
    }

    /// Asks for another size; the far side is told only of a change.
    pub fn want(&self, size: ScreenSize) {
        let size = size.fitting();
        if lock(&self.shared.wanted).replace(size) != Some(size) {
            self.send(ScreenInput::Resize(size));
        }
    }

    fn to_channel(&self, message: ToRemote) {
        self.shared.tell(message);
    }

    /// Files on the clipboards.
    pub fn files(&self) -> &Arc<Files> {
        &self.shared.files
    }

    /// Saves what was copied there into a folder.
    pub fn save_files(&self, into: PathBuf) {
        let (tell, changed) = self.for_files();
        self.shared.files.save(into, tell, changed);
    }

    /// Files were dropped on it.
    pub fn drop_files(&self, paths: Vec<PathBuf>) {
        if !self.shared.files.takes() {
            self.shared.files.refuse();
            return;
        }
        let (tell, changed) = self.for_files();
        self.shared.files.offer(paths, tell, changed);
    }

    /// How threads for files tell the far side, and the window. They keep no screen.
    fn for_files(&self) -> (Tell, impl Fn() + Send + 'static) {
        let (far, window) = (Arc::downgrade(&self.shared), Arc::downgrade(&self.shared));
        let tell =
            move |told| far.upgrade().is_some_and(|shared| shared.tell(ToRemote::Files(told)));
        let changed = move || {
            if let Some(shared) = window.upgrade() {
                shared.ask_repaint();
            }
        };
        (Arc::new(tell), changed)
    }

    /// Closes the channel; the last picture stays.
    pub fn close(&self) {
        if let Some(channel) = lock(&self.shared.channel).take() {
            channel.send(ToRemote::Close);
        }
    }

    /// Width and height in pixels; 0 before the far side has told.
    pub fn size(&self) -> (u16, u16) {
        lock(&self.shared.picture).size()
    }

    /// Says that painting begins, and lends the picture with the parts that are new
    /// since the last time; all of it with `whole`.
    pub fn paint<R>(&self, whole: bool, paint: impl FnOnce(&Picture, &[Place]) -> R) -> R {
        lock(&self.shared.wake).painted = Instant::now();
        self.shared.asked.store(false, Ordering::Release);
        let mut picture = lock(&self.shared.picture);
        let mut new = std::mem::take(&mut picture.new);
        if whole {
            let (width, height) = picture.size();
            new = vec![Place { x: 0, y: 0, width, height }];
        }
        paint(&picture, &new)
    }

    /// The shape of the pointer.
    pub fn pointer(&self) -> Arc<Pointer> {
        Arc::clone(&lock(&self.shared.said).pointer)
    }

    /// How often the far side rang.
    pub fn bells(&self) -> u64 {
        lock(&self.shared.said).bells
    }

    /// What the far side put on its clipboard, taken away.
    pub fn take_clipboard(&self) -> Option<SecretText> {
        lock(&self.shared.said).clipboard.take()
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&self) -> Option<Ended> {
        lock(&self.shared.said).ended.clone()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.close();
    }
}

/// The sink's hold on the screen: a channel that drops it without having said that
/// it closed has closed.
struct Tail(Arc<Shared>);

impl Drop for Tail {
    fn drop(&mut self) {
        self.0.end(None);
    }
}

impl Shared {
    /// Tells the far side; false when it is gone.
    fn tell(&self, message: ToRemote) -> bool {
        let channel = lock(&self.channel);
        if let Some(channel) = channel.as_ref() {
            channel.send(message);
        }
        channel.is_some()
    }

    /// On the channel's thread.
    fn push(&self, said: FromRemote) {
        match said {
            FromRemote::Tile(tile) => lock(&self.picture).put(&tile),
            FromRemote::Lent(tile) => {
                lock(&self.picture).put_rows(tile.place(), |row, into| tile.row(row, into));
            }
            FromRemote::Copy(copy) => lock(&self.picture).copy(copy),
            FromRemote::Screen(ScreenSaid::Size { width, height }) => {
                lock(&self.picture).resize(width, height);
            }
            FromRemote::Screen(ScreenSaid::Pointer(pointer)) => {
                lock(&self.said).pointer = Arc::new(pointer);
            }
            FromRemote::Screen(ScreenSaid::Bell) => lock(&self.said).bells += 1,
            FromRemote::Clipboard(text) => lock(&self.said).clipboard = Some(text),
            FromRemote::Files(said) => self.files.said(said, |told| {
                self.tell(ToRemote::Files(told));
            }),
            FromRemote::Closed(failure) => self.end(failure),
            // Only a terminal says it.
            FromRemote::Data(_) | FromRemote::Stderr(_) | FromRemote::Exit(_) => return,
            // The application has kept it.
            FromRemote::Resume(_) => return,
        }
        self.ask_repaint();
    }

    fn end(&self, failure: Option<Failure>) {
        let mut said = lock(&self.said);
        if said.ended.is_none() {
            said.ended = Some(Ended { exit: None, failure });
            drop(said);
            self.files.end();
            // Whoever does not paint this screen wants to know of its end as well.
            self.asked.store(false, Ordering::Release);
            self.ask_repaint();
        }
    }

    /// Asks for one repaint, not before the time between two has passed.
    fn ask_repaint(&self) {
        if self.asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let wake = lock(&self.wake);
        if let Some(call) = &wake.call {
            call(FRAME.saturating_sub(wake.painted.elapsed()));
        }
    }
}
