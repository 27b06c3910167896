//! The terminal without a window: takes what a channel says, parses it on a
//! thread of its own, keeps grid and scrollback, and sends what is typed.
//! Knows no font, colour or pixel.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use alacritty_terminal::grid::{Dimensions, Scroll};
use alacritty_terminal::index::{Column, Line, Point};
use alacritty_terminal::sync::FairMutex;
use alacritty_terminal::term::cell::Flags;
use alacritty_terminal::term::{Config, Osc52, TermMode};
use alacritty_terminal::vte::ansi::{Processor, Rgb};

use crate::connect::Failure;
use crate::connect::link::{Channel, Exit, FromRemote, LineSignal, Sink, TermSize};

use super::event::{Listener, Outlet, Said, Surroundings};
use super::hex::Hex;
use super::sending::Sending;

/// Lines kept above the screen.
pub const SCROLLBACK_LINES: usize = 20_000;
/// Bytes parsed while the grid is held, so that painting never waits long.
const CHUNK_BYTES: usize = 128 * 1024;
/// Bytes waiting to be parsed before the channel's thread is made to wait.
const QUEUE_MAX_BYTES: usize = 2 * 1024 * 1024;
/// Shortest time between two repaints.
const FRAME: Duration = Duration::from_millis(12);
/// The same while output floods in: nobody can read it, parsing goes first.
const FLOOD_FRAME: Duration = Duration::from_millis(60);
/// This much output between two repaints is a flood.
const FLOOD_BYTES: u64 = 384 * 1024;

/// The emulation.
pub type Term = alacritty_terminal::term::Term<Listener>;

/// How a session ended.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Ended {
    /// Status or signal, when the far side told.
    pub exit: Option<Exit>,
    /// Why the channel broke, when it did.
    pub failure: Option<Failure>,
}

/// One terminal. Dropping it closes its channel.
pub struct Terminal {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    core: FairMutex<Core>,
    around: Arc<Surroundings>,
    queue: Mutex<Queue>,
    /// Something to parse, or time to stop.
    ready: Condvar,
    /// Room for more, or everything parsed.
    room: Condvar,
    /// Counts changes of what is to be seen.
    version: AtomicU64,
    wake: Mutex<Wake>,
    /// A repaint was asked for and has not happened yet.
    asked: AtomicBool,
    bytes: AtomicU64,
    /// What the line can carry besides bytes.
    signals: Mutex<Vec<LineSignal>>,
    /// What comes is shown as numbers.
    hex: Mutex<Option<Hex>>,
    /// A file on its way.
    pub(super) sending: Mutex<Option<Sending>>,
}

struct Core {
    term: Term,
    parser: Processor,
}

#[derive(Default)]
struct Queue {
    chunks: VecDeque<FromRemote>,
    bytes: usize,
    busy: bool,
    quit: bool,
    ended: Option<Ended>,
    exit: Option<Exit>,
}

struct Wake {
    call: Option<Box<dyn Fn(Duration) + Send>>,
    painted: Instant,
    painted_bytes: u64,
    flooding: bool,
}

struct Size(TermSize);

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }
    fn screen_lines(&self) -> usize {
        usize::from(self.0.rows.max(1))
    }
    fn columns(&self) -> usize {
        usize::from(self.0.cols.max(2))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    /// An empty terminal, and where its channel is to say what it says.
    pub fn new(size: TermSize) -> (Self, Sink) {
        let around = Arc::new(Surroundings {
            outlet: Outlet::default(),
            said: Mutex::default(),
            size: Mutex::new(size),
            answers: Mutex::new(Box::new(|_| Rgb { r: 0, g: 0, b: 0 })),
        });
        let config = Config {
            scrolling_history: SCROLLBACK_LINES,
            osc52: Osc52::OnlyCopy,
            ..Config::default()
        };
        let term = Term::new(config, &Size(size), Listener(Arc::clone(&around)));
        let shared = Arc::new(Shared {
            core: FairMutex::new(Core { term, parser: Processor::new() }),
            around,
            queue: Mutex::default(),
            ready: Condvar::new(),
            room: Condvar::new(),
            version: AtomicU64::new(0),
            wake: Mutex::new(Wake {
                call: None,
                painted: Instant::now(),
                painted_bytes: 0,
                flooding: false,
            }),
            asked: AtomicBool::new(false),
            bytes: AtomicU64::new(0),
            signals: Mutex::default(),
            hex: Mutex::default(),
            sending: Mutex::default(),
        });
        let parsing = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || parsing.parse_loop())
            .expect("the system can start one more thread");
        let guard = Tail(Arc::clone(&shared));
        let sink: Sink = Box::new(move |said| guard.0.push(said));
        (Self { shared }, sink)
    }

    /// What the file on its way needs.
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Called whenever there is something new to paint, with the time to let
    /// pass before painting. May be called from any thread.
    pub fn on_wake(&self, call: impl Fn(Duration) + Send + 'static) {
        lock(&self.shared.wake).call = Some(Box::new(call));
    }

    /// Which colours to name when a program asks (OSC 4, 10, 11, 12).
    pub fn on_color_question(&self, answer: impl Fn(usize) -> Rgb + Send + 'static) {
        *lock(&self.shared.around.answers) = Box::new(answer);
    }

    /// Gives it the channel to type into.
    pub fn attach(&self, channel: Box<dyn Channel>) {
        self.shared.around.outlet.attach(channel, self.size());
    }

    /// Sends bytes as typed.
    pub fn send(&self, bytes: Vec<u8>) {
        self.shared.around.outlet.send(bytes);
    }

    /// Signals that the line can carry, for the menu.
    pub fn offer(&self, signals: Vec<LineSignal>) {
        *lock(&self.shared.signals) = signals;
    }

    /// The signals of [`Terminal::offer`].
    pub fn signals(&self) -> Vec<LineSignal> {
        lock(&self.shared.signals).clone()
    }

    /// Sends a signal on the line.
    pub fn signal(&self, signal: LineSignal) {
        self.shared.around.outlet.signal(signal);
    }

    /// True while what comes is shown as hexadecimal numbers.
    pub fn hex(&self) -> bool {
        lock(&self.shared.hex).is_some()
    }

    /// Shows what comes from now on as hexadecimal numbers, or as text again.
    pub fn set_hex(&self, on: bool) {
        let mut hex = lock(&self.shared.hex);
        if hex.is_some() != on {
            *hex = on.then(Hex::default);
            drop(hex);
            self.shared.advance(Hex::FRESH_LINE);
        }
    }

    /// Closes the channel; what was shown stays readable.
    pub fn close(&self) {
        self.shared.around.outlet.close();
    }

    /// Columns and rows.
    pub fn size(&self) -> TermSize {
        self.shared.around.size()
    }

    /// Changes columns and rows; the far side is told only of a change.
    pub fn resize(&self, size: TermSize) {
        let size = TermSize { cols: size.cols.max(2), rows: size.rows.max(1) };
        if std::mem::replace(&mut *lock(&self.shared.around.size), size) == size {
            return;
        }
        self.with_term(|term| term.resize(Size(size)));
        self.shared.around.outlet.resize(size);
    }

    /// Runs `f` on the emulation. It must not call other methods of this
    /// terminal, nor anything that waits.
    pub fn with_term<R>(&self, f: impl FnOnce(&mut Term) -> R) -> R {
        let result = f(&mut self.shared.core.lock().term);
        self.shared.version.fetch_add(1, Ordering::Relaxed);
        result
    }

    /// As [`Terminal::with_term`], for a look that changes nothing.
    pub fn peek<R>(&self, f: impl FnOnce(&Term) -> R) -> R {
        f(&self.shared.core.lock().term)
    }

    /// Counts changes: an equal number means nothing new to paint.
    pub fn version(&self) -> u64 {
        self.shared.version.load(Ordering::Acquire)
    }

    /// Says that painting begins: the next change asks for the next repaint.
    pub fn painting(&self) {
        let mut wake = lock(&self.shared.wake);
        wake.painted = Instant::now();
        let bytes = self.shared.bytes.load(Ordering::Relaxed);
        wake.flooding = bytes - wake.painted_bytes > FLOOD_BYTES;
        wake.painted_bytes = bytes;
        self.shared.asked.store(false, Ordering::Release);
    }

    /// Modes that the program has set.
    pub fn mode(&self) -> TermMode {
        self.peek(|term| *term.mode())
    }

    /// Title, bells, clipboard offer.
    pub fn said(&self) -> Said {
        self.shared.around.said().clone()
    }

    /// The clipboard offer, taken away.
    pub fn take_clipboard(&self) -> Option<String> {
        self.shared.around.said().clipboard.take()
    }

    /// How it ended; `None` while it runs.
    pub fn ended(&self) -> Option<Ended> {
        lock(&self.shared.queue).ended.clone()
    }

    /// Bytes received so far.
    pub fn received_bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// Waits until everything received has been parsed.
    pub fn settle(&self) {
        let mut queue = lock(&self.shared.queue);
        while queue.busy || !queue.chunks.is_empty() {
            queue = self.shared.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The visible lines as text, without trailing blanks.
    pub fn rows(&self) -> Vec<String> {
        self.peek(|term| {
            let top = -(term.grid().display_offset() as i32);
            (0..term.screen_lines() as i32).map(|row| line_text(term, Line(top + row))).collect()
        })
    }

    /// The selected text, if any.
    pub fn selected_text(&self) -> Option<String> {
        self.peek(|term| term.selection_to_string()).filter(|text| !text.is_empty())
    }

    /// Moves the view by lines; positive looks back.
    pub fn scroll(&self, lines: i32) {
        self.with_term(|term| term.scroll_display(Scroll::Delta(lines)));
    }

    /// Moves the view to the newest line.
    pub fn scroll_to_bottom(&self) {
        if self.peek(|term| term.grid().display_offset()) != 0 {
            self.with_term(|term| term.scroll_display(Scroll::Bottom));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.shared.around.outlet.close();
        self.shared.end_file();
        lock(&self.shared.queue).quit = true;
        self.shared.ready.notify_all();
        self.shared.room.notify_all();
    }
}

/// The text of one line of the grid.
pub fn line_text(term: &Term, line: Line) -> String {
    let row = &term.grid()[line];
    let mut text = String::new();
    for column in 0..term.columns() {
        let cell = &row[Column(column)];
        if cell.flags.intersects(Flags::WIDE_CHAR_SPACER | Flags::LEADING_WIDE_CHAR_SPACER) {
            continue;
        }
        text.push(if cell.c == '\t' { ' ' } else { cell.c });
        text.extend(cell.zerowidth().into_iter().flatten());
    }
    text.truncate(text.trim_end().len());
    text
}

/// The sink's hold on the terminal: when the channel drops it without having
/// said that it closed, the terminal must not wait for ever.
struct Tail(Arc<Shared>);

impl Drop for Tail {
    fn drop(&mut self) {
        self.0.push(FromRemote::Closed(None));
    }
}

impl Shared {
    /// On the channel's thread: queues, and waits while too much is queued.
    fn push(&self, said: FromRemote) {
        let size = said.weight();
        let mut queue = lock(&self.queue);
        while queue.bytes > QUEUE_MAX_BYTES && !queue.quit {
            queue = self.room.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
        if queue.quit {
            return;
        }
        queue.bytes += size;
        queue.chunks.push_back(said);
        drop(queue);
        self.ready.notify_one();
    }

    fn parse_loop(&self) {
        while let Some(chunks) = self.next_chunks() {
            for said in chunks {
                match said {
                    FromRemote::Data(bytes) | FromRemote::Stderr(bytes) => {
                        let count = bytes.len();
                        if let Some(bytes) = self.for_file(bytes) {
                            self.parse(&bytes);
                        }
                        lock(&self.queue).bytes -= count;
                        self.room.notify_all();
                    }
                    FromRemote::Exit(exit) => lock(&self.queue).exit = Some(exit),
                    FromRemote::Closed(failure) => self.end(failure),
                    other => debug_assert!(other.desktop_only(), "a terminal's word is shown"),
                }
            }
            lock(&self.queue).busy = false;
            self.room.notify_all();
            self.ask_repaint();
        }
    }

    /// Waits for output. Meanwhile ends synchronized updates (mode 2026) that
    /// the program left open too long.
    fn next_chunks(&self) -> Option<VecDeque<FromRemote>> {
        loop {
            let deadline = self.core.lock().parser.sync_timeout().sync_timeout();
            let queue = lock(&self.queue);
            let idle = |queue: &mut Queue| queue.chunks.is_empty() && !queue.quit;
            let mut queue = match deadline {
                None => self.ready.wait_while(queue, idle).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let left = at.saturating_duration_since(Instant::now());
                    self.ready
                        .wait_timeout_while(queue, left, idle)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
            if queue.quit {
                return None;
            }
            if !queue.chunks.is_empty() {
                queue.busy = true;
                return Some(std::mem::take(&mut queue.chunks));
            }
            drop(queue);
            let mut core = self.core.lock();
            let Core { term, parser } = &mut *core;
            parser.stop_sync(term);
            drop(core);
            self.version.fetch_add(1, Ordering::Release);
            self.ask_repaint();
        }
    }

    /// The way to the far side.
    pub(super) fn outlet(&self) -> &Outlet {
        &self.around.outlet
    }

    /// Something besides the grid has changed.
    pub(super) fn changed(&self) {
        self.version.fetch_add(1, Ordering::Release);
        self.ask_repaint();
    }

    pub(super) fn parse(&self, bytes: &[u8]) {
        let numbers = lock(&self.hex).as_mut().map(|hex| hex.shown(bytes));
        self.advance(numbers.as_deref().unwrap_or(bytes));
    }

    fn advance(&self, bytes: &[u8]) {
        for chunk in bytes.chunks(CHUNK_BYTES) {
            {
                let mut core = self.core.lock();
                let Core { term, parser } = &mut *core;
                parser.advance(term, chunk);
            }
            self.version.fetch_add(1, Ordering::Release);
            self.bytes.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            self.ask_repaint();
        }
    }

    /// Leaves full-screen mode and mouse reporting, so that the text above can
    /// be read and selected.
    fn end(&self, failure: Option<Failure>) {
        if lock(&self.queue).ended.is_some() {
            return;
        }
        {
            let mut core = self.core.lock();
            let Core { term, parser } = &mut *core;
            parser.stop_sync(term);
            parser.advance(term, b"\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?25l\x1b[0m");
        }
        self.around.outlet.close();
        self.end_file();
        let mut queue = lock(&self.queue);
        let exit = queue.exit.clone();
        queue.ended = Some(Ended { exit, failure });
        drop(queue);
        // Whoever does not paint this terminal wants to know of its end as well.
        self.asked.store(false, Ordering::Release);
        self.version.fetch_add(1, Ordering::Release);
    }

    /// Asks for one repaint, not before the time between two has passed.
    fn ask_repaint(&self) {
        if self.asked.swap(true, Ordering::AcqRel) {
            return;
        }
        let wake = lock(&self.wake);
        let frame = if wake.flooding { FLOOD_FRAME } else { FRAME };
        if let Some(call) = &wake.call {
            call(frame.saturating_sub(wake.painted.elapsed()));
        }
    }
}

/// A point of the grid from a row and column of the view.
pub fn view_point(term: &Term, row: usize, col: usize) -> Point {
    let line = Line(row as i32 - term.grid().display_offset() as i32);
    Point::new(line, Column(col.min(term.columns() - 1)))
}
